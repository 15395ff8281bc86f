package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/display/pole"
	"github.com/tillwright/tillwright/pos"
)

// TestPolePicture sets a pole's picture on every code page, in every language. Goal: what
// is drawn has an amount whole, and as many letters as the display has columns, also
// where the page has no euro sign and three letters stand for it.
func TestPolePicture(t *testing.T) {
	for _, lang := range []string{"en", "es", "de", "fr", "pt"} {
		for _, page := range pole.CodePages() {
			t.Run(lang+" "+page, func(t *testing.T) {
				c, err := loadConfig(write(t, "till.toml", strings.Replace(small, "currency", fmt.Sprintf("language = %q\ncurrency", lang), 1)+
					fmt.Sprintf("[[display.panel]]\ndriver = \"pole\"\nport = \"/dev/ttyUSB0\"\ncode_page = %q\n", page)))
				if err != nil {
					t.Fatal(err)
				}
				for _, phase := range []pos.Phase{pos.PhaseDue, pos.PhasePaid, pos.PhaseChange} {
					checkPole(t, c, phase)
				}
			})
		}
	}
}

// checkPole compares a pole's lines with the sums of the sale.
func checkPole(t *testing.T, c config, phase pos.Phase) {
	t.Helper()
	sale, err := sampleOf(c)
	if err != nil {
		t.Fatal(err)
	}
	v, err := sale.view(phase)
	if err != nil {
		t.Fatal(err)
	}
	p := c.display.panels[0]
	b := board{port: func(string) (io.WriteCloser, error) { return loose{}, nil }}
	d, err := b.pole(p)
	if err != nil {
		t.Fatal(err)
	}
	lines := poleLines(d, p, scene{view: v})
	want := []pos.Amount{v.Customer.Due}
	switch phase {
	case pos.PhasePaid:
		want[0] = v.Customer.Total
	case pos.PhaseChange:
		want = []pos.Amount{v.Customer.Given, v.Customer.Change}
	}
	for i, sum := range want {
		number := strings.NewReplacer(".", "", ",", "").Replace(sum.Number())
		got := strings.NewReplacer(".", "", ",", "").Replace(lines[i])
		if !strings.Contains(got, number) || (!strings.Contains(lines[i], "EUR") && !strings.Contains(lines[i], "€")) {
			t.Errorf("%s: %q has no whole %v", phase, lines, sum)
		}
	}
	if i := slices.IndexFunc(lines, func(s string) bool { return len([]rune(s)) != d.Cols() }); i >= 0 {
		t.Errorf("%s: %q is not %d columns", phase, lines[i], d.Cols())
	}
}
