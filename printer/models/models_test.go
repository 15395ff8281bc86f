package models

import (
	"errors"
	"image"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/port"
	"github.com/tillwright/tillwright/printer/printertest"
	"github.com/tillwright/tillwright/printer/spool"
)

// machine is a printer of m that fails the test on any byte that its manual forbids.
func machine(t *testing.T, m Model) *paper.Printer {
	t.Helper()
	p := m.Machine()
	p.OnFault(func(what string) { t.Errorf("%s: %s", m.Name, what) })
	return p
}

// paperOf has everything that a paper can have.
func paperOf(m Model) printer.Document {
	d := printer.Layout(printertest.Receipts()["scripts"], m.Columns).WithLogo(printertest.Logo())
	d.Rows = slices.Insert(d.Rows, len(d.Rows)-1, printer.Row(printer.Barcode{Text: "01-000482"}), printer.Row(printer.Pulse{}))
	d.Rows = append(d.Rows, printer.Beep{})
	return d
}

// short has one of everything: what is broken off at each of its bytes must be small.
func short(m Model) printer.Document {
	logo := image.NewGray(image.Rect(0, 0, 40, 30)) // black
	return printer.Document{Columns: m.Columns, Rows: []printer.Row{
		printer.Picture{Image: logo}, printer.Line{Text: "Crème", Style: printer.Style{Bold: true, Wide: true}}, printer.Line{Text: "Ελλάδα"},
		printer.Code{Text: "TW1"}, printer.Barcode{Text: "A-1"}, printer.Rule{}, printer.Cut{},
	}}
}

// next is what is printed after a paper that broke off.
func next(m Model) printer.Document {
	return printer.Document{Columns: m.Columns, Rows: []printer.Row{printer.Line{Text: "next é"}, printer.Code{Text: "NEXT"}, printer.Cut{}}}
}

// TestEveryModelPrintsEverything: no model is sent a byte that it does not know, keeps
// one, or fails to cut or to open the drawer.
func TestEveryModelPrintsEverything(t *testing.T) {
	for _, m := range All() {
		papers := map[string]printer.Document{"all": paperOf(m), "test page": printer.TestPage(printertest.Shop("fr"), m.Columns)}
		for name, r := range printertest.Receipts() {
			if testing.Short() || name == "huge" && m.Name != "default" && m.Name != "tsp100" {
				continue // slow under the race detector; "all" has one of everything
			}
			papers[name] = printer.Layout(r, m.Columns)
		}
		for name, k := range printertest.Tickets() {
			papers[name] = printer.LayoutTicket(k, printertest.Shop("en"), m.Columns)
		}
		for name, d := range papers {
			p := machine(t, m)
			st, err := m.Print(p, d, printer.Run{})
			if err != nil || st.Known != m.Answers || st.Trouble() != "" || p.Waiting() != 0 {
				t.Errorf("%s, %s: %+v, %v, %d bytes wait", m.Name, name, st, err, p.Waiting())
			}
			if cut := strings.Contains(p.Text(), "cut -"); cut != m.Cutter {
				t.Errorf("%s, %s: cut %v on\n%s", m.Name, name, cut, p.Text())
			}
			if name == "all" && p.Drawer() < 1 {
				t.Errorf("%s: the drawer stays shut", m.Name)
			}
		}
	}
}

// one returns a model of each language, and one that never answers.
func one(t *testing.T) []Model {
	var out []Model
	for _, name := range []string{"default", "58mm", "tm-m30iii", "th230plus", "tm-u220b", "nt-5890k", "mc-print3", "tsp650ii", "tsp100"} {
		m, err := ByName(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// TestPaperOutAtEveryLine empties the roll at every line in turn: a model that answers
// says so each time, before or after it began, and never calls a torn receipt whole.
func TestPaperOutAtEveryLine(t *testing.T) {
	for _, m := range one(t) {
		if !m.Answers {
			continue
		}
		d, whole := printer.Layout(printertest.Receipts()["lightning"], m.Columns), -1
		for left := 0; whole < 0; left++ {
			p := machine(t, m)
			p.SetPaper(left, false)
			begun := false
			st, err := m.Print(p, d, printer.Run{Begin: func() error { begun = true; return nil }})
			switch {
			case err == nil:
				whole = left
				if p.Waiting() != 0 {
					t.Errorf("%s: %d lines of paper, and Print believed in a whole receipt", m.Name, left)
				}
			case st.Trouble() != "printer_paper" || st.Health() != printer.Faulty || pos.KindOf(err) != pos.Unavailable || begun != (left > 0):
				t.Errorf("%s: %d lines of paper: %+v, begun %v, %v", m.Name, left, st, begun, err)
			case left > 200:
				t.Fatal("the receipt never fits the roll")
			}
		}
		if whole < 20 {
			t.Errorf("%s: a receipt on %d lines of paper", m.Name, whole)
		}
	}
}

// TestStopsAtEveryByte opens the cover when any number of bytes has come, in the middle
// of images too. A model that answers says so. When the cover is closed the printer goes
// on with what it has; then it is brought back to its senses, and the next paper comes
// out whole.
func TestStopsAtEveryByte(t *testing.T) {
	for _, m := range one(t) {
		whole, d := false, short(m)
		for n := 0; !whole; n += step(n) {
			p := m.Machine() // not strict: half a command is no command
			p.OpenCoverAfter(n)
			st, err := m.Print(p, d, printer.Run{})
			whole = err == nil && m.Answers || n > 12_000
			if m.Answers && err != nil && (st.Trouble() != "printer_cover" || pos.KindOf(err) != pos.Unavailable) {
				t.Fatalf("%s: stopped at byte %d: %+v, %v", m.Name, n, st, err)
			}
			p.OpenCoverAfter(-1)
			p.SetCover(false)
			printsNext(t, m, p, n)
		}
	}
}

// TestUnpluggedAtEveryByte breaks the cable instead.
func TestUnpluggedAtEveryByte(t *testing.T) {
	for _, m := range one(t) {
		d := short(m)
		for n := 0; ; n += step(n) {
			p := m.Machine()
			c := &printertest.Cable{Printer: p, Left: n}
			_, err := m.Print(c, d, printer.Run{})
			if err == nil {
				break
			}
			if !errors.Is(err, printertest.ErrUnplugged) {
				t.Fatalf("%s: unplugged at byte %d: %v", m.Name, n, err)
			}
			printsNext(t, m, p, n)
		}
	}
}

// step walks every byte of what begins a paper, and then one in a prime number: an image
// is much the same everywhere, and the primes meet every place in a row.
func step(n int) int {
	switch {
	case testing.Short():
		return 97
	case n < 250:
		return 1
	}
	return 31
}

// printsNext brings a printer back after byte n and wants the next paper whole, and no
// drawer opened by it.
func printsNext(t *testing.T, m Model, p *paper.Printer, n int) {
	t.Helper()
	if err := m.Reset(p); err != nil {
		t.Fatalf("%s: byte %d: %v", m.Name, n, err)
	}
	before, drawer := len(p.Text()), p.Drawer()
	if _, err := m.Print(p, next(m), printer.Run{}); err != nil {
		t.Fatalf("%s: byte %d: then %v", m.Name, n, err)
	}
	got := p.Text()[before:]
	want := "next é\n"
	if m.Language == "Star raster" {
		want = "[image "
	}
	if !strings.HasPrefix(got, want) || p.Waiting() != 0 || p.Drawer() != drawer || m.Cutter != strings.Contains(got, "cut -") {
		t.Fatalf("%s: byte %d: then %q, drawer %d, %d bytes wait", m.Name, n, got, p.Drawer()-drawer, p.Waiting())
	}
}

// TestFaults: each fault has its name, with every model that can tell.
func TestFaults(t *testing.T) {
	tests := []struct {
		name  string
		setUp func(p *paper.Printer)
		want  string
	}{
		{"well", func(*paper.Printer) {}, ""},
		{"low", func(p *paper.Printer) { p.SetPaper(900, true) }, ""},
		{"out", func(p *paper.Printer) { p.SetPaper(0, true) }, "printer_paper"},
		{"cover", func(p *paper.Printer) { p.SetCover(true) }, "printer_cover"},
		{"knife", func(p *paper.Printer) { p.SetCutter(true) }, "printer_cutter"},
		{"hot", func(p *paper.Printer) { p.SetHot(true) }, "printer_hot"},
		{"paused", func(p *paper.Printer) { p.SetPaused(true) }, "printer_offline"},
	}
	for _, m := range All() {
		for _, tt := range tests {
			p := machine(t, m)
			if _, err := m.Status(p); err != nil { // ASB tells only of what changes after it was asked for
				t.Errorf("%s, %s: %v", m.Name, tt.name, err)
			}
			tt.setUp(p)
			st, err := m.Status(p)
			switch {
			case err != nil:
				t.Errorf("%s, %s: %v", m.Name, tt.name, err)
			case !m.Answers && st.Health() != printer.Unknown:
				t.Errorf("%s, %s: a silent printer is %q", m.Name, tt.name, st.Health())
			case m.Answers && (st.Trouble() != tt.want || st.PaperLow != (tt.name == "low" || tt.name == "out")):
				t.Errorf("%s, %s: %+v", m.Name, tt.name, st)
			}
			if tt.want == "" || !m.Answers {
				continue
			}
			begun := false
			if _, err := m.Print(p, next(m), printer.Run{Begin: func() error { begun = true; return nil }}); err == nil || begun {
				t.Errorf("%s, %s: begun %v, %v", m.Name, tt.name, begun, err)
			}
		}
	}
}

// TestDrawers: it opens at once or never, whatever is wrong with the printer.
func TestDrawers(t *testing.T) {
	for _, m := range All() {
		p := machine(t, m)
		if err := m.Kick(p, m.Answers); err != nil || p.Drawer() != 1 {
			t.Errorf("%s: drawer %d, %v", m.Name, p.Drawer(), err)
		}
		if !m.Answers {
			continue
		}
		p.SetPaper(0, true)
		err := m.Kick(p, true)
		if opened := p.Drawer() - 1; opened != map[bool]int{true: 1}[err == nil] {
			t.Errorf("%s: without paper the drawer opened %d times, %v", m.Name, opened, err)
		}
		was := p.Drawer()
		if p.SetPaper(paper.Endless, false); p.Drawer() != was {
			t.Errorf("%s: the drawer opened when the roll was changed", m.Name)
		}
	}
}

// TestBetween: on every model the drawer can be opened in the middle of a long paper.
func TestBetween(t *testing.T) {
	for _, m := range All() {
		p := machine(t, m)
		between := 0
		_, err := m.Print(p, paperOf(m), printer.Run{Between: func(rw io.ReadWriter) error { between++; return m.Kick(rw, m.Answers) }})
		if err != nil || between < 1 || p.Drawer() < between {
			t.Errorf("%s: asked %d times, drawer %d, %v", m.Name, between, p.Drawer(), err)
		}
	}
}

var _ spool.Encoder = Model{}

// TestOverTheNetwork prints in every language over a real connection, asks how the printer
// is, and closes at once: nothing may be lost.
func TestOverTheNetwork(t *testing.T) {
	for _, name := range []string{"default", "mc-print3", "tsp650ii", "tsp100"} {
		m, err := ByName(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := machine(t, m)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			if c, err := l.Accept(); err == nil {
				printertest.Attach(c, p)
				_ = c.Close()
			}
		}()
		c, err := port.Open(t.Context(), "tcp://"+l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Kick(c, true); err != nil {
			t.Error(err)
		}
		st, err := m.Print(c, printer.Layout(printertest.Receipts()["lightning"], m.Columns).WithLogo(printertest.Logo()), printer.Run{})
		if err != nil || st.Health() != printer.OK {
			t.Errorf("%s: %+v, %v", name, st, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		<-done
		_ = l.Close()
		if p.Drawer() != 1 || p.Waiting() != 0 || !strings.Contains(p.Text(), "cut -") {
			t.Errorf("%s: drawer %d, %d bytes wait, paper\n%s", name, p.Drawer(), p.Waiting(), p.Text())
		}
	}
}

func TestByName(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range All() {
		if got, err := ByName(m.Name, Options{}); err != nil || got.Title != m.Title || got.Columns != m.Columns || seen[m.Name] {
			t.Errorf("%s: %+v, %v", m.Name, got, err)
		}
		seen[m.Name] = true
	}
	tests := []struct {
		name, model string
		o           Options
		kind        pos.Kind
	}{
		{"unknown", "laser", Options{}, pos.NotFound},
		{"too many columns", "58mm", Options{Columns: 48}, pos.Invalid},
		{"too many columns of a Star", "mpop", Options{Columns: 48}, pos.Invalid},
		{"no such pin", "default", Options{Pin: 3}, pos.Invalid},
	}
	for _, tt := range tests {
		if _, err := ByName(tt.model, tt.o); pos.KindOf(err) != tt.kind {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestSlowLines: where dots take seconds the printer draws its own codes.
func TestSlowLines(t *testing.T) {
	for _, name := range []string{"tm-t20iii", "mc-print3", "pos-5890"} {
		var sizes []int
		for _, baud := range []int{0, 9600, 115200} {
			m, err := ByName(name, Options{Baud: baud})
			if err != nil {
				t.Fatal(err)
			}
			c := &printertest.Cable{Printer: machine(t, m), Left: -1}
			if _, err := m.Print(c, next(m), printer.Run{}); err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, c.Sent)
		}
		if native := sizes[1] < sizes[0]; native != (name != "pos-5890") || sizes[2] != sizes[0] {
			t.Errorf("%s: %v bytes on a fast line, at 9600 and at 115200 baud", name, sizes)
		}
	}
}
