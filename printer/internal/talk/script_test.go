package talk

import (
	"bytes"
	"image"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/printer"
)

// letters says every row as a letter, and a line as its text.
type letters struct{ *Script }

func (l letters) Line(r printer.Line) { l.Add(r.Text, "\n") }
func (l letters) Code(string)         { l.Flush(false); l.Data([]byte("q")); l.Flush(true) }
func (l letters) Barcode(string)      { l.Add("b") }
func (l letters) Picture(image.Image) { l.Add("p") }
func (l letters) Command(r printer.Row) string {
	switch r.(type) {
	case printer.Cut:
		return "c"
	case printer.Pulse:
		return "d"
	}
	return ""
}

// TestScript: every row is said once, in order, images are pieces of their own, and the
// drawer waits for no more than a piece of text.
func TestScript(t *testing.T) {
	var s Script
	d := printer.Document{Columns: 3, Rows: []printer.Row{
		printer.Line{Text: "a"}, printer.Rule{}, printer.Code{}, printer.Barcode{}, printer.Picture{}, printer.Feed{Lines: 2}, printer.Feed{Lines: -1},
		printer.Cut{}, printer.Pulse{}, printer.Beep{},
	}}
	s.Rows(d, letters{&s})
	p := s.Pieces()
	if got := string(Join(p)); got != "a\n---\nqbp\n\ncd" {
		t.Errorf("got %q", got)
	}
	if len(p) != 3 || p[0].Image || !p[1].Image || p[2].Image {
		t.Errorf("pieces %+v", p)
	}
	var long Script
	line := printer.Line{Text: strings.Repeat("x", 99)}
	long.Rows(printer.Document{Columns: 99, Rows: []printer.Row{line, line, line, line, line, line, line, line, line, line, line, line}}, letters{&long})
	if p := long.Pieces(); len(p) != 2 || len(p[0].Data) != 1100 || !bytes.HasSuffix(Join(p), []byte("x\n")) {
		t.Errorf("%d pieces", len(p))
	}
	if got := (&Script{}).Pieces(); got != nil {
		t.Errorf("an empty script has %v", got)
	}
}
