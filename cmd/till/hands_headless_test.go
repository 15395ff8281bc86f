package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"github.com/tillwright/tillwright/pos"
)

// TestScannerAtKeypad: on a till with keys and a panel a scan is done by who is signed in
// at the keypad, though nobody has touched a screen; and by nobody once it is locked.
func TestScannerAtKeypad(t *testing.T) {
	warm()
	synctest.Test(t, func(t *testing.T) {
		g, c := newGun(), &cheap{}
		b := c.board()
		b.events = g
		glass, pins := b.line, map[string]*gpiotest.Pin{}
		for _, name := range []string{"GPIO5", "GPIO17", "GPIO18"} {
			pins[name] = &gpiotest.Pin{N: name, EdgesChan: make(chan gpio.Level, 8)}
		}
		b.line = func(name string) (gpio.PinIO, error) {
			if p, ok := pins[name]; ok {
				return p, nil
			}
			return glass(name)
		}
		c.world = newWorld(t, setting{extra: glassAndKeys + counterHands, board: b})
		c.stop()
		if err := os.WriteFile(filepath.Join(c.dir, "catalogue.toml"), []byte(codedCatalogue), 0o600); err != nil {
			t.Fatal(err)
		}
		c.start()
		defer c.closeInBubble()
		if _, err := c.till.desk.AddStaff(t.Context(), pos.Till, "Anna", pos.Cashier, pin); err != nil {
			t.Fatal(err)
		}
		at := &counterWorld{world: c.world, gun: g}

		time.Sleep(time.Minute) // the scanner is found
		c.asked(pos.PromptPIN)
		g.scan("4006381333931")
		at.want("nobody signed in", "", "nobody was signed in")
		c.press("4 7 1 1 enter")
		c.asked(pos.PromptSell)
		if who, ok := c.till.app.AtCounter(); ok {
			t.Fatalf("%+v is at a screen: this test is of the keypad", who)
		}
		g.scan("4006381333931")
		at.want("Anna at the keypad", "1 BRD 6.40", "")
		p := c.asked(pos.PromptSell)
		if len(p.Rows) != 1 || p.Rows[0].Amount.Minor != 640 {
			t.Errorf("the panel says %+v", p)
		}
		if s := c.till.desk.View().Counter.Current; s == nil || s.By.Name != "Anna" {
			t.Fatalf("added by Anna: %+v", s)
		}
		c.press("2 5 0 +") // an amount by hand
		g.scan("417")
		at.want("keys and scans in turn", "1 BRD 6.40, 1  2.50, 1 GOUDA 14.90", "")
		c.press("enter enter")
		if p := c.asked(pos.PromptDone); p.Sum.Amount.Minor != 2380 {
			t.Errorf("paid: %+v", p)
		}
		if text := c.till.paperText(t, 1); !strings.Contains(text, "Gouda") || !strings.Contains(text, "Anna") {
			t.Errorf("printed\n%s", text)
		}
	})
}
