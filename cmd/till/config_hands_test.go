package main

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tillwright/tillwright/firmware/gpio"
	"github.com/tillwright/tillwright/firmware/input"
	"github.com/tillwright/tillwright/pos/barcode"
)

// TestConfigHandsFaults gives every kind of bad scanner, button, light and label: each
// fault is named with its line, its key and what to do.
func TestConfigHandsFaults(t *testing.T) {
	const (
		gun    = small + "[[hands.scanner]]\nid = \"0c2e:0b61\"\n"                  // ends with line 8
		pad    = small + "[[hands.keypad]]\n"                                       // line 7
		button = small + "[[hands.button]]\nline = \"GPIO17\"\nkey = \"kpenter\"\n" // line 9
		led    = small + "[[hands.led]]\n"                                          // line 7
		scale  = small + "[[scale_barcode]]\n"                                      // line 7
	)
	for _, x := range []struct{ name, text, want string }{
		{"no id", pad, "line 7: hands.keypad.0.id: is missing; write for example id = \"0c2e:0b61\" (till doctor --find"},
		{"id", pad + "id = \"c2e:b61\"\n", `line 8: hands.keypad.0.id: must be the two numbers of the device such as "0c2e:0b61", not "c2e:b61"`},
		{"id as a number", pad + "id = 0x0c2e\n", "line 8: hands.keypad.0.id: must be a text in quotes"},
		{"the same twice", gun + "[[hands.keypad]]\nid = \"0C2E:0B61\"\n", "hands.scanner.0.id: 0c2e:0b61 is used by hands.keypad.0.id already"},
		{"layout", gun + "layout = \"dvorak\"\n", `line 9: hands.scanner.0.layout: must be one of cz, de, es, fr, pt, uk, us, not "dvorak"`},
		{"end", gun + "end = \"return\"\n", `line 9: hands.scanner.0.end: must be one of enter, tab, none, not "return"`},
		{"gap", gun + "gap = \"1ms\"\n", `line 9: hands.scanner.0.gap: must be a time from 50ms to 3s`},
		{"a scanner's own key", pad + "id = \"0c2e:0b61\"\nlayout = \"de\"\n", "line 9: hands.keypad.0.layout: is not a setting"},
		{"a scanner that is shared", gun + "share = true\n", "line 9: hands.scanner.0.share: is not a setting"},
		{"one part for parts", small + "[hands.scanner]\nid = \"0c2e:0b61\"\n", "line 7: hands.scanner: must be parts that begin with [[hands.scanner]], in two brackets"},
		{"many", small + strings.Repeat("[[hands.keypad]]\nmatch = \"x\"\n", 17), "there can be at most 16"},
		{"no line", small + "[[hands.button]]\nkey = \"a\"\n", `line 7: hands.button.0.line: is missing; write for example line = "GPIO17"`},
		{"line", strings.Replace(button, "GPIO17", "17", 1), `line 8: hands.button.0.line: must name a line such as "GPIO17", not "17"`},
		{"no key", small + "[[hands.button]]\nline = \"GPIO17\"\n", `hands.button.0.key: is missing; write for example key = "kpenter"`},
		{"key", strings.Replace(button, "kpenter", "enter2", 1), `line 9: hands.button.0.key: must be a key as the keyboard calls it, such as "kp7"`},
		{"long without a key", button + "long = \"1s\"\n", "line 10: hands.button.0.long: is how long long_key takes"},
		{"long", button + "long = \"1h\"\nlong_key = \"esc\"\n", "line 10: hands.button.0.long: must be a time from 400ms to 10s"},
		{"debounce", button + "debounce = \"1s\"\n", "line 10: hands.button.0.debounce: must be a time from 20ms to 50ms"},
		{"active", button + "active = \"up\"\n", "line 10: hands.button.0.active: must be one of low, high"},
		{"one line for two", button + "[hands.buzzer]\nline = \"GPIO17\"\n", "line 11: hands.buzzer.line: GPIO17 is used by hands.button.0.line already"},
		{"a panel's line", small + "[[display.panel]]\ndriver = \"mipi\"\nmodel = \"ili9341\"\ndc = \"GPIO25\"\n[hands.buzzer]\nline = \"GPIO25\"\n", "line 12: hands.buzzer.line: GPIO25 is used by display.panel.0.dc already"},
		{"no buzzer's line", small + "[hands.buzzer]\n", "hands.buzzer.line: is missing"},
		{"buzzer", small + "[hands.buzzer]\nline = \"GPIO18\"\nkind = \"loud\"\n", "line 9: hands.buzzer.kind: must be one of passive, active"},
		{"neither line nor led", led + "on = [\"paid\"]\n", "hands.led.0.line: write either line (such as \"GPIO5\") or led"},
		{"both", led + "line = \"GPIO5\"\nled = \"ACT\"\non = [\"paid\"]\n", "line 8: hands.led.0.line: write either"},
		{"a path", led + "led = \"../../x\"\non = [\"paid\"]\n", "line 8: hands.led.0.led: must be a name in /sys/class/leds"},
		{"a light for nothing", led + "led = \"ACT\"\n", "hands.led.0.on: is missing; write when it is lit"},
		{"state", led + "led = \"ACT\"\non = [\"payed\"]\n", `line 9: hands.led.0.on: must be of ready, waiting, paid, trouble, and holds "payed"`},
		{"no pattern", scale, `scale_barcode.0.pattern: is missing; write for example pattern = "21IIIIIVVVVVC"`},
		{"pattern", scale + "pattern = \"40IIIIIVVVVVC\"\n", `line 8: scale_barcode.0.pattern: must begin with 02 or 20 to 29: other numbers belong to the makers of goods, not "40IIIIIVVVVVC"`},
		{"value", scale + "pattern = \"21IIIIIVVVVVC\"\nvalue = \"length\"\n", "line 9: scale_barcode.0.value: must be one of weight, price, pieces"},
		{"decimals", scale + "pattern = \"21IIIIIVVVVVC\"\nvalue = \"price\"\ndecimals = 3\n", "line 10: scale_barcode.0.decimals: must be from 0 to 2, not 3"},
		{"two for one label", scale + "pattern = \"21IIIIIVVVVVC\"\n[[scale_barcode]]\npattern = \"210IIIIVVVVVC\"\n", "line 10: scale_barcode.1.pattern: a label can be of this pattern and of 21IIIIIVVVVVC"},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, err := loadConfig(write(t, "till.toml", x.text))
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want %q", err, x.want)
			}
		})
	}
}

// TestConfigHands reads one of everything.
func TestConfigHands(t *testing.T) {
	c, err := loadConfig(write(t, "till.toml", small+`
[[hands.keypad]]
match = "Sem Keypad"
[[hands.keyboard]]
id = "062a:4101"
name = "Board"
share = true
[[hands.scanner]]
id = "0c2e:0b61"
[[hands.scanner]]
id = "05e0:1200"
layout = "cz"
end = "none"
gap = "150ms"
[[hands.button]]
line = "GPIO17"
key = "kpenter"
long_key = "esc"
[hands.buzzer]
line = "GPIO18"
kind = "active"
[[hands.led]]
line = "GPIO5"
active = "low"
on = ["paid"]
[[hands.led]]
led = "ACT"
blink = ["waiting", "trouble"]
[[scale_barcode]]
pattern = "21IIIIIVVVVVC"
[[scale_barcode]]
pattern = "2IIIIIVVVVVC"
value = "price"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := handsConfig{
		devices: []input.Device{
			{Name: "Keypad", Kind: input.Keypad, Match: "Sem Keypad"},
			{Name: "Board", Kind: input.Keyboard, ID: input.ID{Vendor: 0x062a, Product: 0x4101}, Share: true},
			{Name: "Scanner 1", Kind: input.Scanner, ID: input.ID{Vendor: 0x0c2e, Product: 0x0b61}, Layout: "us", End: input.EndEnter},
			{Name: "Scanner 2", Kind: input.Scanner, ID: input.ID{Vendor: 0x05e0, Product: 0x1200}, Layout: "cz", End: input.EndNone, Gap: 150 * time.Millisecond},
		},
		buttons: []buttonConfig{{line: "GPIO17", key: "kpenter", longKey: "esc", long: defaultLong, debounce: gpio.Debounce}},
		buzzer:  &buzzerConfig{line: "GPIO18", active: true},
		lights: []lightConfig{
			{line: "GPIO5", low: true, on: []gpio.State{gpio.Paid}},
			{led: "ACT", blink: []gpio.State{gpio.Waiting, gpio.Trouble}},
		},
		scale: []barcode.Pattern{{Digits: "21IIIIIVVVVVC", Value: barcode.Weight, Decimals: 3}, {Digits: "2IIIIIVVVVVC", Value: barcode.Price, Decimals: 2}},
	}
	if !reflect.DeepEqual(c.hands, want) {
		t.Errorf("got %+v\nwant %+v", c.hands, want)
	}
}

// TestCatalogueCodes reads codes from a catalogue, and names the wrong ones.
func TestCatalogueCodes(t *testing.T) {
	const pen = "[[item]]\nsku = \"PEN\"\nname = \"Pen\"\nprice = \"1\"\n" // ends with line 4
	for _, x := range []struct{ name, text, want string }{
		{"one", pen + "barcode = \"4006381333931\"\n", ""},
		{"several", pen + "barcode = [\"4006381333931\", \"96385074\", \"BOX-17\"]\n", ""},
		{"a number", pen + "barcode = 4006381333931\n", "line 5: item.0.barcode: must be a text in quotes, not 4006381333931"},
		{"a misprint", pen + "barcode = \"4006381333930\"\n", "line 5: item.0.barcode: the last digit of 4006381333930 must be 1"},
		{"two items", pen + "barcode = \"036000291452\"\n" + strings.ReplaceAll(pen, "PEN", "INK") + "barcode = \"0036000291452\"\n", `line 10: item.1.barcode: the code 0036000291452 is "PEN" already`},
	} {
		file := write(t, "catalogue.toml", x.text)
		c, err := loadConfig(write(t, "till.toml", "catalogue = \""+file+"\"\n"+small))
		switch {
		case x.want == "" && (err != nil || len(c.items[0].Barcodes) == 0):
			t.Errorf("%s: %v, %+v", x.name, err, c.items)
		case x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)):
			t.Errorf("%s: got %v, want %q", x.name, err, x.want)
		}
	}
}

// TestFindHands proposes what types. Goal: the lines load as they are, with the scanner
// that says that it is one; what may be one loads, too, when its # is taken away.
func TestFindHands(t *testing.T) {
	word := strings.Repeat("f", strconv.IntSize/4)
	board, pad := word+" "+word+"\n", "1000 0\n" // every key; one that is no digit
	sys := fstest.MapFS{}
	add := func(event, name, vendor, product, keys string) {
		at := "class/input/" + event + "/device/"
		sys[at+"name"] = &fstest.MapFile{Data: []byte(name + "\n")}
		sys[at+"id/vendor"], sys[at+"id/product"] = &fstest.MapFile{Data: []byte(vendor + "\n")}, &fstest.MapFile{Data: []byte(product + "\n")}
		sys[at+"capabilities/key"] = &fstest.MapFile{Data: []byte(keys)}
	}
	add("event0", "Power Button", "0000", "0001", "10000000000000 0\n")
	add("event1", "Honeywell Voyager 1450g", "0c2e", "0b61", board)
	add("event2", "Honeywell Voyager 1450g Buttons", "0c2e", "0b61", pad)
	add("event3", "Some Keyboard", "046d", "c31c", board)
	add("event10", "No Numbers\"\n id = \"dead:beef", "0000", "0000", board)
	var out strings.Builder
	if err := find(&out, sys); err != nil {
		t.Fatal(err)
	}
	c, err := loadConfig(write(t, "till.toml", small+out.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if len(c.hands.devices) != 1 || c.hands.devices[0].ID.String() != "0c2e:0b61" || c.hands.devices[0].Kind != input.Scanner {
		t.Errorf("got %+v\n%s", c.hands.devices, &out)
	}
	for _, want := range []string{"# [[hands.scanner]] # if it is one", "id = \"046d:c31c\"", "event0   Power Button (nothing to configure)", "event2   Honeywell Voyager 1450g Buttons (nothing"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
	_, text, _ := strings.Cut(out.String(), "# No Numbers") // by its name, which is out to harm
	_, text, _ = strings.Cut(text, "\n")
	text = strings.NewReplacer("# [", "[", "# match", "match", "# layout", "layout").Replace(text)
	c, err = loadConfig(write(t, "till.toml", small+text))
	if err != nil || len(c.hands.devices) != 1 || c.hands.devices[0].Match != `No Numbers" id = "dead:beef` {
		t.Errorf("got %+v, %v\n%s", c.hands.devices, err, text)
	}
}
