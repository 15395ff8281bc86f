package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tillwright/tillwright/firmware/gpio"
	"github.com/tillwright/tillwright/firmware/input"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/barcode"
)

// handsConfig is what a cashier works with beside the screen.
type handsConfig struct {
	devices []input.Device
	buttons []buttonConfig
	buzzer  *buzzerConfig // nil: none
	lights  []lightConfig
	scale   []barcode.Pattern
}

type buttonConfig struct {
	line     string
	high     bool
	key      string
	long     time.Duration // 0: no long press
	longKey  string
	debounce time.Duration
}

type lightConfig struct {
	line      string // of the board, or
	led       string // the kernel's
	low       bool
	on, blink []gpio.State
}

const (
	// maxDevices and maxLines bound what hangs on one counter.
	maxDevices, maxLines = 16, 16
	// A long press is longer than a slow tap and shorter than patience.
	leastLong, mostLong = 400 * time.Millisecond, 10 * time.Second
	defaultLong         = time.Second
	// A scanner's gap is longer than its slowest key and shorter than a hand's next scan.
	leastGap, mostGap = 50 * time.Millisecond, 3 * time.Second
)

// deviceNames are what devices are called where nothing is written.
var deviceNames = map[input.Kind]string{input.Keypad: "Keypad", input.Keyboard: "Keyboard", input.Scanner: "Scanner"}

// readHands reads keypads, scanners, buttons, buzzer and lights. It comes after the
// displays, which use lines, too.
func (c *config) readHands(r *reader) {
	h := r.table("hands")
	devices := taken{}
	for _, kind := range []input.Kind{input.Keypad, input.Keyboard, input.Scanner} {
		list := h.tables(string(kind))
		for i, t := range list {
			c.hands.devices = append(c.hands.devices, t.device(kind, i, len(list), devices))
		}
	}
	if len(c.hands.devices) > maxDevices {
		h.bad("scanner", "there can be at most %d keypads, keyboards and scanners", maxDevices)
	}
	lines := taken{}
	for i, p := range c.display.panels {
		for key, line := range p.lines {
			lines[line] = fmt.Sprintf("display.panel.%d.%s", i, key)
		}
	}
	buttons, leds := h.tables("button"), h.tables("led")
	for _, t := range buttons {
		c.hands.buttons = append(c.hands.buttons, t.button(lines))
	}
	c.hands.buzzer = h.buzzer(lines)
	for _, t := range leds {
		c.hands.lights = append(c.hands.lights, t.light(lines))
	}
	if len(buttons)+len(leds) > maxLines {
		h.bad("button", "there can be at most %d buttons and leds", maxLines)
	}
	c.readScale(r)
}

// device reads one keypad, keyboard or scanner, the i-th of n.
func (r *reader) device(kind input.Kind, i, n int, used taken) input.Device {
	name := deviceNames[kind]
	if n > 1 {
		name = fmt.Sprintf("%s %d", name, i+1)
	}
	d := input.Device{Kind: kind, Name: r.text("name", name), Match: strings.TrimSpace(r.text("match", ""))}
	if len(d.Name) > pos.MaxName || len(d.Match) > pos.MaxName {
		r.bad("name", "name and match have at most %d letters", pos.MaxName)
	}
	id, err := input.ParseID(r.text("id", ""))
	switch {
	case err != nil && r.has("id"):
		r.bad("id", "must be the two numbers of the device such as \"0c2e:0b61\", not %q; till doctor --find lists what is plugged in", r.text("id", ""))
	case err != nil && d.Match == "":
		r.bad("id", "is missing; write for example id = \"0c2e:0b61\" (till doctor --find lists what is plugged in), or match with the device's name")
	default:
		d.ID = id
		used.claim(r, "id", strings.TrimSpace(id.String()+" "+strings.ToLower(d.Match)))
	}
	if kind != input.Scanner {
		d.Share = r.yes("share")
		return d
	}
	d.Layout = r.oneOf("layout", "us", input.Layouts()...)
	d.End = input.End(r.oneOf("end", string(input.EndEnter), string(input.EndEnter), string(input.EndTab), string(input.EndNone)))
	if r.has("gap") {
		d.Gap = r.duration("gap", input.GapNone, leastGap, mostGap)
	} else {
		r.text("gap", "")
	}
	return d
}

// line reads the name of a line of the board, and notes that it is used.
func (r *reader) line(used taken) string {
	line := r.need("line", "GPIO17")
	switch {
	case line == "":
	case !isLine.MatchString(line):
		r.bad("line", "must name a line such as \"GPIO17\", not %q%s", line, asLine(line))
	default:
		used.claim(r, "line", line)
	}
	return line
}

// active reads whether a line is active while it is high.
func (r *reader) active(otherwise string) (high bool) {
	return r.oneOf("active", otherwise, "low", "high") == "high"
}

func (r *reader) button(used taken) buttonConfig {
	b := buttonConfig{line: r.line(used), high: r.active("low"), key: r.keyName("key", true)}
	b.debounce = r.duration("debounce", gpio.Debounce, gpio.MinDebounce, gpio.MaxDebounce)
	if b.longKey = r.keyName("long_key", false); b.longKey != "" {
		b.long = r.duration("long", defaultLong, leastLong, mostLong)
	} else if r.text("long", ""); r.has("long") {
		r.bad("long", "is how long long_key takes; write long_key, too")
	}
	return b
}

// keyName reads the name of a key.
func (r *reader) keyName(key string, needed bool) string {
	name := r.text(key, "")
	if needed {
		name = r.need(key, "kpenter")
	}
	if name != "" && !input.KnowsKey(name) {
		r.bad(key, "must be a key as the keyboard calls it, such as \"kp7\", \"kpenter\", \"f1\" or \"esc\", not %q%s", name, meant(strings.TrimPrefix(strings.ToLower(name), "key_"), input.KeyNames()))
	}
	return name
}

func (r *reader) light(used taken) lightConfig {
	before := len(*r.faults)
	l := lightConfig{low: !r.active("high"), led: r.text("led", ""), on: r.states("on"), blink: r.states("blink")}
	switch {
	case l.led != "" && r.has("line"), l.led == "" && !r.has("line"):
		r.text("line", "")
		r.bad("line", "write either line (such as \"GPIO5\") or led (a light of the board itself, such as \"ACT\"), and not both")
	case l.led == "":
		l.line = r.line(used)
	case strings.ContainsAny(l.led, "/\\") || strings.HasPrefix(l.led, "."):
		r.bad("led", "must be a name in /sys/class/leds such as \"ACT\", not %q", l.led)
	default:
		r.text("line", "")
		used.claim(r, "led", "led "+l.led)
	}
	if len(l.on)+len(l.blink) == 0 && r.silent(before) {
		r.bad("on", "is missing; write when it is lit, for example on = [\"paid\"], or blink = [\"waiting\"]")
	}
	return l
}

// states reads what a light shows.
func (r *reader) states(key string) (out []gpio.State) {
	var names []string
	for _, s := range gpio.States {
		names = append(names, string(s))
	}
	for _, s := range r.texts(key) {
		if !slices.Contains(names, s) {
			r.bad(key, "must be of %s, and holds %q%s", strings.Join(names, ", "), s, meant(s, names))
			continue
		}
		out = append(out, gpio.State(s))
	}
	return out
}

// readScale reads the layouts of the labels that the shop's scale prints.
func (c *config) readScale(r *reader) {
	list := r.tables("scale_barcode")
	for _, t := range list {
		p := barcode.Pattern{Digits: t.need("pattern", "21IIIIIVVVVVC"), Value: barcode.Value(t.oneOf("value", string(barcode.Weight), string(barcode.Weight), string(barcode.Price), string(barcode.Pieces)))}
		most := map[barcode.Value]int{barcode.Weight: 3, barcode.Price: c.shop.Currency.Decimals, barcode.Pieces: 0}[p.Value]
		p.Decimals = int(t.number("decimals", int64(most), 0, int64(most)))
		c.hands.scale = append(c.hands.scale, p)
	}
	_, _, wrong := barcode.New(nil, c.hands.scale, c.shop.Currency, "en")
	for _, w := range wrong {
		if c.hands.scale[w.Index].Digits != "" {
			list[w.Index].bad("pattern", "%s, not %q", message(w.Err), c.hands.scale[w.Index].Digits)
		}
	}
}

// codes reads what stands on an item: one text, or a list of them.
func (r *reader) codes(key string) []string {
	if _, list := r.tree[key].([]any); list {
		return r.texts(key)
	}
	if code := r.text(key, ""); code != "" {
		return []string{code}
	}
	return nil
}

// checkCodes names the items whose codes are wrong or another item's.
func checkCodes(list []*reader, items []pos.Item, c pos.Currency) {
	_, bad, _ := barcode.New(items, nil, c, "en")
	for _, b := range bad {
		list[b.Index].bad("barcode", "%s", message(b.Err))
	}
}
