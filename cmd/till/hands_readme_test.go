package main

import (
	"os"
	"regexp"
	"testing"
)

// TestHandsReadme loads what firmware/README.md tells to write, and what it says may be
// written.
func TestHandsReadme(t *testing.T) {
	readme, err := os.ReadFile("../../firmware/README.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?s)```toml\n(.*?)```").FindSubmatch(readme)
	if code == nil {
		t.Fatal("no configuration")
	}
	text := regexp.MustCompile(`(?m)^# ([a-z_]+ *= )`).ReplaceAllString(string(code[1]), "$1")
	c, err := loadConfig(write(t, "till.toml", small+text))
	if err != nil {
		t.Fatal(err)
	}
	if h := c.hands; len(h.devices) != 2 || len(h.buttons) != 1 || h.buzzer == nil || len(h.lights) != 2 || len(h.scale) != 1 {
		t.Errorf("got %+v", h)
	}
}
