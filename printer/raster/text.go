package raster

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/math/fixed"

	"github.com/tillwright/tillwright/pos/shape"
	"github.com/tillwright/tillwright/printer"
)

// The cell of a letter in dots: font A of receipt printers.
const (
	CellWidth  = 12
	CellHeight = 24
)

const (
	baseline = 19  // dots from the top of the cell
	em       = 20  // pixels: Go Mono advances 0.6 em, which is the cell
	emWide   = 22  // of letters that fill two cells: their square, and a little air
	emFlow   = 23  // of what runs from right to left: such letters are small for their em
	ink      = 110 // darkness from which a dot is burnt: keeps thin strokes
	headroom = 14  // dots above and below the cell for high letters and stacked marks
)

// Text draws lines. The nil Text has the built-in face. It must not change once it is
// used; then it is safe for concurrent use.
type Text struct {
	Fonts []*shape.Font // asked in this order for what the built-in face lacks
}

// builtIn is Go Mono.
var builtIn = sync.OnceValue(func() *shape.Font {
	f, err := shape.Parse(bytes.NewReader(gomono.TTF))
	if err != nil {
		panic("raster: the built-in face is damaged: " + err.Error())
	}
	return f
})

// Has reports that some font has r, and that this till can set it.
func (t *Text) Has(r rune) bool { return shape.Known(r) && t.font([]rune{r}) != nil }

// font returns the first font that has all of a letter and its marks, nil for none.
func (t *Text) font(letters []rune) *shape.Font {
	if hasAll(builtIn(), letters) {
		return builtIn()
	}
	if t != nil {
		for _, f := range t.Fonts {
			if hasAll(f, letters) {
				return f
			}
		}
	}
	return nil
}

func hasAll(f *shape.Font, letters []rune) bool {
	for _, r := range letters {
		if f.Index(r) == 0 && !shape.Joiner(r) {
			return false
		}
	}
	return true
}

// Readable replaces the letters that no font has and keep does not know by visible
// signs of the same width.
func (t *Text) Readable(text string, keep func(rune) bool) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case keep(r) || t.Has(r):
			b.WriteRune(r)
		case printer.RuneCells(r) > 0:
			b.WriteRune(printer.Unprintable)
			b.WriteString(strings.Repeat(" ", printer.RuneCells(r)-1))
		}
	}
	return b.String()
}

// Box is the room for a line.
type Box struct {
	Dots int  // across
	Cell int  // of a column; 0 is CellWidth
	Gap  int  // white rows below
	Half bool // see printer.Line
}

// Line draws clean text as a printer would set it, cut at the box's dots. It is
// CellHeight rows high and the gap, twice CellHeight for Tall letters, and more only
// where letters with marks need it.
func (t *Text) Line(text string, s printer.Style, box Box) Bitmap {
	width, sx, sy := box.Cell, 1, 1
	if width == 0 {
		width = CellWidth
	}
	margin := 0
	if box.Half {
		margin = width
	}
	if s.Wide {
		width, sx = 2*width, 2
	}
	if s.Tall {
		sy = 2
	}
	c := newCanvas(min(box.Dots, margin+printer.Cells(text)*width), sx, sy)
	for _, p := range parts(text) {
		t.part(c, p, margin, width)
	}
	return c.bitmap(s.Bold, box.Gap)
}

// part is a column of a line: two spaces part it from others.
type part struct {
	cell int // where it begins
	text []rune
}

func parts(text string) []part {
	var out []part
	cell, gap := 0, 2
	for _, r := range text {
		if r == ' ' {
			gap++
			cell++
			continue
		}
		switch n := len(out); {
		case gap >= 2 || n == 0:
			out = append(out, part{cell, []rune{r}})
		default:
			out[n-1].text = append(append(out[n-1].text, []rune(strings.Repeat(" ", gap))...), r)
		}
		gap = 0
		cell += printer.RuneCells(r)
	}
	return out
}

// part draws one column: Latin, Thai and Chinese a letter a cell, what runs from right
// to left, or joins its letters, as it is written by hand.
func (t *Text) part(c *canvas, p part, margin, width int) {
	pen := fixed.I(margin + p.cell*width)
	for _, r := range shape.Visual(p.text) {
		if r.RTL {
			pen += t.flow(c, r.Text, true, pen, fixed.I(printer.Cells(string(r.Text))*width))
			continue
		}
		for _, words := range shape.Split(r.Text, shape.Flows) {
			if slices.ContainsFunc(words, shape.Flows) {
				pen += t.flow(c, words, false, pen, fixed.I(printer.Cells(string(words))*width))
			} else {
				pen += t.grid(c, words, pen, width)
			}
		}
	}
}

// grid draws letters in the middle of their cells and returns how wide they are.
func (t *Text) grid(c *canvas, text []rune, pen fixed.Int26_6, width int) fixed.Int26_6 {
	start := pen
	for len(text) > 0 {
		n := 1
		for n < len(text) && unicode.Is(unicode.Mn, text[n]) {
			n++
		}
		room, size := fixed.I(printer.RuneCells(text[0])*width), em
		if printer.RuneCells(text[0]) == 2 {
			size = emWide
		}
		if f := t.font(text[:n]); f != nil {
			gs := f.Shape(text[:n], false, size)
			c.glyphs(f, gs, size, pen+max(room-c.width(gs), 0)/2, room)
		} else if text[0] != ' ' {
			c.box(pen, room)
		}
		pen += room
		text = text[n:]
	}
	return pen - start
}

// flow draws a run as it is written by hand, squeezed if it needs more than its room,
// and returns how wide it is: less than its room for one from right to left, whose
// line ends there.
func (t *Text) flow(c *canvas, text []rune, rtl bool, pen, room fixed.Int26_6) fixed.Int26_6 {
	if f := t.font(text); f != nil {
		gs := f.Shape(text, rtl, emFlow)
		c.glyphs(f, gs, emFlow, pen, room)
		if !rtl {
			return room
		}
		return min(c.width(gs), room)
	}
	// No font has all of it: letter by letter.
	step := room / max(fixed.Int26_6(printer.Cells(string(text))), 1)
	if rtl {
		text = slices.Clone(text)
		slices.Reverse(text)
	}
	for i, r := range text {
		if f := t.font(text[i : i+1]); f != nil {
			c.glyphs(f, f.Shape(text[i:i+1], rtl, emFlow), emFlow, pen, step)
		}
		pen += step * fixed.Int26_6(printer.RuneCells(r))
	}
	return room
}
