package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"github.com/tillwright/tillwright/pos"
)

// TestDoctorHands tries what is there and what is not: each has its line, and what is
// wrong is named.
func TestDoctorHands(t *testing.T) {
	c, err := loadConfig(write(t, "till.toml", small+counterHands+"[[hands.keypad]]\nmatch = \"Pad\"\n[[hands.led]]\nled = \"ACT\"\non = [\"paid\"]\n[[hands.led]]\nled = \"NONE\"\non = [\"paid\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	leds := t.TempDir()
	if err := os.Mkdir(filepath.Join(leds, "ACT"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(leds, "ACT", "brightness"), []byte("0"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := board{events: newGun(), line: func(name string) (gpio.PinIO, error) {
		if name == "GPIO5" {
			return nil, pos.Say("open display", pos.Unavailable, io.ErrClosedPipe, "display_line", "name", name)
		}
		return &gpiotest.Pin{N: name}, nil
	}}
	var got strings.Builder
	if report(&got, handsOf(c, b, leds)) == nil {
		t.Error("all is well")
	}
	for _, want := range []string{
		"FAIL  keypad         Keypad is not connected", "ok    scanner        Scanner: Gun, /dev/input/event0", "ok    button         GPIO17", "ok    buzzer         GPIO18",
		"FAIL  light          GPIO5: this board has no line GPIO5", "ok    light          ACT", "FAIL  light          NONE",
	} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("no %q in\n%s", want, got.String())
		}
	}
	f := withConsole(finding{good: true, detail: "x"}, filepath.Join(leds, "tty1"))
	if !f.good || !strings.Contains(f.detail, "may not hold") || !strings.Contains(f.remedy, "CAP_SYS_TTY_CONFIG") {
		t.Errorf("console: %+v", f)
	}
}
