package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tillwright/tillwright/firmware/gpio"
	"github.com/tillwright/tillwright/firmware/input"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/barcode"
)

const (
	// maxScans is how many scans wait while the storage is slow: a basket's worth.
	maxScans = 32
	// runLetters of 5 bits each part one run's commands from another's.
	runLetters = 10
	// scanWithin bounds one scan at the desk: it waits for a disk, and for nobody else.
	scanWithin = 10 * time.Second
	// scanNotice is the kind of the one notice that scans have.
	scanNotice = "scan"
	// sysLEDs is where the kernel keeps its lights.
	sysLEDs = "/sys/class/leds"
)

// hands is what the counter does beside the screens. A scanner has no session: what it
// reads is done by the person at the counter (atCounter), as if it was done on their
// screen, and by nobody when nobody is signed in.
type hands struct {
	desk   counterDesk
	who    func() (pos.Actor, bool)
	lang   string
	log    *slog.Logger
	buzzer *gpio.Buzzer // nil: none
	lamps  *gpio.Lamps  // nil: none

	begun string                     // part of every command's key: new at each start
	next  chan func(context.Context) // scans in their order
	n     int                        // commands so far; run's alone

	mu   sync.Mutex
	full bool // scans are left out until the queue is empty

	// publish's alone.
	seen bool       // it was called before
	paid pos.SaleID // the last sale that was paid
}

// counterDesk is the desk, as a scanner sees it.
type counterDesk interface {
	Do(ctx context.Context, c pos.Command) (pos.Answer, error)
	View() pos.View
	Notify(n pos.Notice)
}

// readLabel is the desk's word for what stands on goods. It fails only where the
// configuration was not checked.
func (t *till) readLabel() (func(code string) (pos.AddItem, error), error) {
	book, bad, wrong := barcode.New(t.c.items, t.c.hands.scale, t.c.shop.Currency, t.c.shop.Language)
	for _, fault := range slices.Concat(bad, wrong) {
		return nil, fault.Err
	}
	return book.Read, nil
}

// buildHands makes what the configuration names. It comes after desk, screens and
// keypad. Nothing that is missing keeps the till from selling.
func (t *till) buildHands() error {
	t.hands = &hands{
		desk: t.desk, who: t.atCounter, lang: t.c.shop.Language, log: t.log,
		begun: rand.Text()[:runLetters], next: make(chan func(context.Context), maxScans),
	}
	t.actors.add("scans", t.hands.run, nil)
	if err := t.buildDevices(); err != nil {
		return err
	}
	t.buildButtons()
	t.buildBuzzer()
	t.buildLights()
	return nil
}

// buildDevices makes keypads, keyboards and scanners.
func (t *till) buildDevices() error {
	devices := slices.Clone(t.c.hands.devices)
	if len(devices) == 0 {
		return nil
	}
	for i := range devices {
		devices[i].Share = devices[i].Share || t.keypad == nil // nobody here takes its keys: the browser does
	}
	in, err := input.New(input.Options{
		Devices: devices, System: t.board.events, Language: t.c.shop.Language, Log: t.log,
		Press: t.press, Scan: t.hands.scan, Lost: t.hands.lost, Link: t.desk.SetLink,
	})
	if err != nil {
		return err
	}
	t.actors.add("input", in.Run, nil)
	return nil
}

// press hands a key to the keypad's part of the till, if it is sold with one.
func (t *till) press(p input.Press) {
	if t.keypad != nil {
		t.keypad.Press(p.Key)
	}
}

// buildButtons makes the buttons. They are one link: who looks finds the one that is
// named.
func (t *till) buildButtons() {
	var mu sync.Mutex
	broken := map[string]bool{}
	tell := func(line string, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		broken[line] = !ok
		l := pos.Link{Name: "buttons", State: "online"}
		for _, b := range t.c.hands.buttons {
			if broken[b.line] {
				l.State = "offline"
				l.Detail = strings.TrimSpace(l.Detail + " " + pos.Word(t.c.shop.Language, "button_trouble", "name", b.line))
			}
		}
		t.desk.SetLink(l)
	}
	for _, b := range t.c.hands.buttons {
		pin, err := t.board.line(b.line)
		if err != nil {
			t.log.Warn("button does not work", "line", b.line, "err", err)
			tell(b.line, false)
			continue
		}
		button := &gpio.Button{
			Name: b.line, Pin: pin, High: b.high, Key: b.key, Long: b.long, LongKey: b.longKey, Debounce: b.debounce,
			Press: t.press, State: func(ok bool) { tell(b.line, ok) }, Log: t.log,
		}
		t.actors.add("button "+b.line, button.Run, nil)
	}
}

func (t *till) buildBuzzer() {
	b := t.c.hands.buzzer
	if b == nil {
		return
	}
	voice, err := t.board.voice(*b)
	if err != nil {
		t.log.Warn("buzzer does not work", "line", b.line, "err", err)
		return
	}
	t.hands.buzzer = gpio.NewBuzzer(voice, t.log)
	t.actors.add("buzzer", t.hands.buzzer.Run, nil)
}

func (t *till) buildLights() {
	var lamps []gpio.Lamp
	for _, l := range t.c.hands.lights {
		lamp := gpio.Lamp{Name: l.led, On: l.on, Blink: l.blink}
		if l.led != "" {
			lamp.Light = gpio.OnBoard(filepath.Join(sysLEDs, l.led))
		} else {
			pin, err := t.board.line(l.line)
			if err != nil {
				t.log.Warn("light does not work", "line", l.line, "err", err)
				continue
			}
			lamp.Name, lamp.Light = l.line, gpio.OnLine(pin, l.low)
		}
		lamps = append(lamps, lamp)
	}
	if len(lamps) > 0 {
		t.hands.lamps = gpio.NewLamps(lamps, t.log)
		t.actors.add("lights", t.hands.lamps.Run, nil)
	}
}

// atCounter returns who a scan is done by: who is signed in at the keypad, where the
// till is sold with one that tells; else who did something at a screen last.
func (t *till) atCounter() (pos.Actor, bool) {
	if k, ok := t.keypad.(interface{ AtCounter() (pos.Actor, bool) }); ok {
		if who, ok := k.AtCounter(); ok {
			return who, true
		}
	}
	return t.app.AtCounter()
}
