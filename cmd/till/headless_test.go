package main

import (
	"image"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/spi"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/keypad"
)

// glassAndKeys is the cheapest till: a 2" panel and a numeric keypad.
const glassAndKeys = `
[headless]
on = true
[[display.panel]]
driver = "mipi"
model = "st7789-240x320"
dc = "GPIO25"
`

// cheap is a world that is worked with a keypad. Its panel of 240 × 320 is made of
// code; with each start of the till it has its power anew.
type cheap struct {
	*world
	chip *displaytest.DCS
	wire *displaytest.Board
}

func (c *cheap) board() board {
	return board{
		spi: func(string) (spi.PortCloser, error) {
			c.chip = displaytest.NewDCS("ST7789", displaytest.Glass{Size: image.Pt(240, 320), Negative: true})
			c.wire = &displaytest.Board{Chip: c.chip, MaxTx: 4096}
			return c.wire.Port(), nil
		},
		line:  func(string) (gpio.PinIO, error) { return c.wire.DC(), nil },
		port:  func(string) (io.WriteCloser, error) { return nil, io.ErrClosedPipe },
		frame: thisBoard().frame,
	}
}

// press presses keys by the names on them, each after the prompt of the one before.
func (c *cheap) press(keys string) {
	c.t.Helper()
	names := map[string]string{"+": "kpplus", "*": "kpasterisk", "-": "kpminus", "/": "kpslash", "enter": "kpenter", "<": "backspace"}
	for _, k := range strings.Fields(keys) {
		if name, ok := names[k]; ok {
			k = name
		} else {
			k = "kp" + k
		}
		c.till.keypad.Press("KEY_" + strings.ToUpper(k))
		synctest.Wait()
	}
}

// read returns what a phone reads off a picture.
func (c *cheap) read(img image.Image) string { return read(c.t.(*testing.T), img) }

// asked fails unless the cashier is asked for kind.
func (c *cheap) asked(kind pos.PromptKind) pos.Prompt {
	c.t.Helper()
	synctest.Wait()
	p := c.till.keypad.(*keypad.Keypad).Prompt()
	if p.Kind != kind {
		c.t.Fatalf("the cashier is asked %+v, want %q", p, kind)
	}
	return p
}

// glass is what stands on the panel, and keeps it for who wants to look.
func (c *cheap) glass(name string) image.Image {
	c.t.Helper()
	time.Sleep(time.Second) // the wake-up of a panel takes some tenths
	synctest.Wait()
	img := c.chip.Look()
	if dir := os.Getenv("SHEET"); dir != "" {
		if err := writePNG(filepath.Join(dir, "e2e-"+name+".png"), img); err != nil {
			c.t.Fatal(err)
		}
	}
	return img
}

// cut takes the power away at this instant: what was on flash is what the next start
// finds, and nothing was stopped in order.
func (c *cheap) cut() {
	c.t.Helper()
	synctest.Wait()
	data, copied := filepath.Join(c.dir, "data"), filepath.Join(c.t.TempDir(), "data")
	if err := os.CopyFS(copied, os.DirFS(data)); err != nil {
		c.t.Fatal(err)
	}
	c.stop()
	for _, err := range c.wire.Faults() {
		c.t.Error(err)
	}
	if err := os.RemoveAll(data); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Rename(copied, data); err != nil {
		c.t.Fatal(err)
	}
	c.start()
	c.t.Log("power is back")
}

// TestHeadless sells for a day with nothing but keys and a panel: the first start, a
// wrong PIN, cash with change, Lightning read off the glass, a cancelled payment, a
// reprint, and a power cut while a customer pays.
func TestHeadless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cheap{}
		c.world = newWorld(t, setting{extra: glassAndKeys, board: c.board()})
		defer c.closeInBubble()

		p := c.asked(pos.PromptSetUp)
		if len(p.Rows) != 1 || p.Rows[0].Label != "127.0.0.1:0/setup" || p.Typed.Text != c.till.app.SetUpCode() || p.Typed.Text == "" {
			t.Errorf("a new till says %+v", p)
		}
		c.glass("1-set-up")
		if _, err := c.till.desk.AddStaff(t.Context(), pos.Till, "Anna", pos.Cashier, pin); err != nil {
			t.Fatal(err)
		}
		c.asked(pos.PromptPIN) // by itself
		c.press("1 2 3 4 enter")
		if p := c.asked(pos.PromptPIN); p.Trouble == "" || p.Typed.Secret != 0 {
			t.Errorf("a wrong PIN: %+v", p)
		}
		c.glass("2-wrong-pin")
		c.press("4 7 1 1 enter")
		c.asked(pos.PromptSell)

		c.press("3 * 2 5 0 + 4 2 0")
		c.glass("3-amounts")
		c.press("enter")
		if p := c.asked(pos.PromptPay); p.Sum.Amount.Minor != 1170 {
			t.Errorf("to pay: %+v", p)
		}
		c.glass("4-to-pay")
		c.press("2 0 0 0 enter")
		if p := c.asked(pos.PromptDone); p.Back.Amount.Minor != 830 {
			t.Errorf("change: %+v", p)
		}
		c.glass("5-change")

		time.Sleep(10 * time.Second) // the node is found, and prices
		c.pays(c.lightning("1 2 5 0 enter +"))
		c.glass("7-paid")
		c.press("*")
		synctest.Wait()
		if text := c.till.paperText(t, 3); !strings.Contains(text, "COPY") {
			t.Errorf("no copy on paper:\n%s", text)
		}

		c.lightning("9 0 0 enter +")
		c.press("-")
		if p := c.asked(pos.PromptPay); p.Sum.Amount.Minor != 900 || p.Hint == "" {
			t.Errorf("after cancelling: %+v", p)
		}
		if c.read(c.glass("8-cancelled")) != "" {
			t.Error("the code of a cancelled payment is on the glass")
		}
		c.press("- -")
		if p := c.asked(pos.PromptSell); len(p.Rows) != 0 {
			t.Errorf("after giving up: %+v", p)
		}

		code := c.lightning("6 4 0 enter +")
		c.cut()
		c.asked(pos.PromptPIN)
		if got := c.read(c.glass("9-after-the-cut")); got != code {
			t.Errorf("after the cut the glass shows %.20q, before %.20q", got, code)
		}
		c.press("4 7 1 1 enter")
		c.asked(pos.PromptWait)
		if got := c.read(c.glass("10-again")); got != code {
			t.Errorf("signed in again, the glass shows %.20q", got)
		}
		c.pays(code)
		for _, err := range c.wire.Faults() {
			t.Error(err)
		}
		if v := c.till.desk.View(); v.Counter.LastDone.Receipt != "01-000003" {
			t.Errorf("the last receipt is %s", v.Counter.LastDone.Receipt)
		}
	})
}

// lightning rings up and asks for Lightning; it returns what the customer's wallet
// reads off the glass.
func (c *cheap) lightning(keys string) string {
	c.t.Helper()
	c.press(keys)
	c.asked(pos.PromptWait)
	code := c.read(c.glass("6-code"))
	if want := c.till.desk.View().Customer.QR; code == "" || code != want {
		c.t.Fatalf("the glass shows %.20q, want %.20q", code, want)
	}
	return code
}

// pays lets the customer pay, and waits for PAID.
func (c *cheap) pays(code string) {
	c.t.Helper()
	if err := c.node.Pay(code, int64(c.till.desk.View().Counter.Current.Payments[0].Quantity.Int().Int64()*1000)); err != nil {
		c.t.Fatal(err)
	}
	time.Sleep(5 * time.Second)
	if p := c.asked(pos.PromptDone); p.Title != "PAID" {
		c.t.Errorf("paid: %+v", p)
	}
}

// TestHeadlessConfig: who has a keypad needs a panel for its prompts, and keys for what
// a sale needs.
func TestHeadlessConfig(t *testing.T) {
	panel := func(shows string) string { return "[[display.panel]]\ndriver = \"oled\"\n" + shows }
	for _, x := range []struct {
		name, text, want string
	}{
		{"none", "", ""},
		{"one panel is for both", "[headless]\non = true\n" + panel(""), ""},
		{"a cashier's panel alone", panel("shows = \"cashier\"\n"), ""},
		{"no panel: the browser has the pictures", "[headless]\non = true\n", ""},
		{"own keys", "[headless]\non = true\nkeys = { kpslash = \"cancel\", kpminus = \"menu\" }\n", ""},
		{"a panel for nobody behind the counter", "[headless]\non = true\n" + panel("shows = \"customer\"\n"), "needs a panel"},
		{"shows", panel("shows = \"castomer\"\n"), "must be one of customer, cashier, both"},
		{"a stranger's key", "[headless]\nkeys = { \"KP PLUS\" = \"add\" }\n", "is no key"},
		{"a function that there is not", "[headless]\nkeys = { kpplus = \"plus\" }\n", "nothing that a key can do"},
		{"no key left", "[headless]\nkeys = { kpplus = \"none\" }\n", "no key is left for \"add\""},
		{"a slip", "[headless]\nonn = true\n", "did you mean headless.on?"},
	} {
		t.Run(x.name, func(t *testing.T) {
			c, err := loadConfig(write(t, "till.toml", small+x.text))
			switch {
			case x.want == "" && err != nil:
				t.Error(err)
			case x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)):
				t.Errorf("got %v, want %q", err, x.want)
			}
			if x.name == "one panel is for both" && c.display.panels[0].shows != "both" {
				t.Errorf("it shows %q", c.display.panels[0].shows)
			}
		})
	}
}

// TestSetUpAddress is what a phone can reach.
func TestSetUpAddress(t *testing.T) {
	ip := func(s string) net.Addr {
		i, n, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		n.IP = i
		return n
	}
	local := []net.Addr{ip("127.0.0.1/8"), ip("::1/128"), ip("fe80::1/64"), ip("2001:db8::7/64"), ip("192.168.1.20/24")}
	for _, x := range []struct {
		listen, want string
		local        []net.Addr
	}{
		{"0.0.0.0:8080", "192.168.1.20:8080/setup", local},
		{":80", "192.168.1.20/setup", local},
		{"[::]:8080", "[2001:db8::7]:8080/setup", local[:4]},
		{"10.0.0.5:8080", "10.0.0.5:8080/setup", local},
		{":8080", "localhost:8080/setup", local[:3]},
	} {
		if got := setUpAddress(x.listen, x.local); got != x.want {
			t.Errorf("%s: %s, want %s", x.listen, got, x.want)
		}
	}
}

// TestScreenshotPrompt draws every moment of a sale on a panel for each, and on a pole.
func TestScreenshotPrompt(t *testing.T) {
	file := write(t, "till.toml", small+"[headless]\non = true\n[[display.panel]]\ndriver = \"mipi\"\nmodel = \"ili9341\"\ndc = \"GPIO25\"\nshows = \"both\"\n"+
		"[[display.panel]]\ndriver = \"pole\"\nport = \"/dev/ttyUSB0\"\nshows = \"cashier\"\n")
	for i, place := range keypad.Places {
		img := drawn(t, "screenshot", "--config", file, "-prompt", place.Name)
		if got := read(t, img); (got == invoice(sampleInvoice)) != (place.Name == "waiting") {
			t.Errorf("%s: reads %.20q", place.Name, got)
		}
		if i%6 == 0 {
			drawn(t, "screenshot", "--config", file, "-panel", "2", "-prompt", place.Name)
		}
	}
	if img := drawn(t, "screenshot", "--config", write(t, "till.toml", small), "-prompt", "pay", "-size", "480x320"); img.Bounds().Size() != image.Pt(480, 320) {
		t.Errorf("%v", img.Bounds())
	}
	if read(t, drawn(t, "screenshot", "--config", file, "-phase", "due")) != invoice(sampleInvoice) {
		t.Error("a panel for both, and nobody is asked: the customer's picture is not there")
	}
	if _, err := try(t, "screenshot", "--config", file, "-prompt", "lunch", filepath.Join(t.TempDir(), "x.png")); err == nil {
		t.Error("a moment that there is not is let through")
	}
}
