package models

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// costs are the README's rows: what BenchmarkPaper measures, of what a shop asks about.
var costs = []struct {
	name, model, paper string
	slow               bool // the code is drawn by the printer
}{
	{"80 mm, code drawn by the printer", "tm-t20iii", "receipt", true},
	{"80 mm, code as dots", "tm-t20iii", "receipt", false},
	{"… and a logo of 240 × 112 dots", "tm-t20iii", "receipt with a logo", false},
	{"58 mm, code drawn by the printer", "sunmi-v2", "receipt", true},
	{"58 mm, code as dots", "pos-5890", "receipt", false},
	{"Star TSP100: dots alone", "tsp100", "receipt", false},
	{"ticket, 80 mm", "tm-t20iii", "ticket", false},
	{"ticket, Star TSP100", "tsp100", "ticket", false},
}

// TestGoldenCosts holds the README's table of bytes to what is sent. -update writes it anew.
func TestGoldenCosts(t *testing.T) {
	file := filepath.Join("..", "README.md")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const head = "|---|--:|--:|--:|--:|\n"
	before, rest, ok := strings.Cut(string(b), head)
	if !ok {
		t.Fatal("the README has no table of costs")
	}
	_, after, _ := strings.Cut(rest, "\n\n")
	var table strings.Builder
	for _, c := range costs {
		m, err := ByName(c.model, Options{})
		if err != nil {
			t.Fatal(err)
		}
		out, err := encoderOf(m, c.slow)(papersOf(m.Columns)[c.paper])
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&table, "| %s | %s |\n", c.name, costOf(len(out)))
	}
	want := before + head + table.String() + "\n" + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(b) != want {
		t.Errorf("the README's table of costs is not what is sent; run make golden:\n%s", table.String())
	}
}

// costOf writes bytes and what they take on the wires. Nobody waits ten seconds for a paper.
func costOf(n int) string {
	bytes := fmt.Sprint(n)
	if n >= 1000 {
		bytes = fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	slow := "–"
	if n < 9600 {
		slow = fmt.Sprintf("%.1f s", float64(n)/960)
	}
	fast := fmt.Sprintf("%.2f s", float64(n)/11520)
	if n >= 11520 {
		fast = fmt.Sprintf("%.1f s", float64(n)/11520)
	}
	ms := fmt.Sprintf("%.0f ms", float64(n)*1000/usb)
	if n*1000 < usb {
		ms = fmt.Sprintf("%.1f ms", float64(n)*1000/usb)
	}
	return strings.Join([]string{bytes, slow, fast, ms}, " | ")
}
