package printer

import (
	"fmt"
	"image"
	"strings"
)

// Document is what stands on one paper, in rows of Columns cells. It knows no
// device: an encoder turns it into bytes, Text into something to read. A Document
// does not change once it is made; copies share its rows.
type Document struct {
	Columns int
	Rows    []Row
}

// Row is one of the types below.
type Row interface{ row() }

type (
	// Line is text that fills at most Document.Columns cells (see Cells), a Wide
	// letter taking two of them for each. It is clean (see Clean), and padded on the
	// left where it is centred or right-aligned. Two spaces or more part columns:
	// what is written from right to left never reaches over them. The empty Line is
	// a blank one.
	Line struct {
		Text  string
		Style Style
		// Half moves a Wide line by one narrow cell to the right: an odd number of free
		// cells is halved so.
		Half bool
	}
	// Rule is a line across the paper.
	Rule struct{}
	// Code is a QR code in the middle of the paper, with its quiet zone. Text is
	// what a reader gets.
	Code struct{ Text string }
	// Barcode is a Code 128 in the middle of the paper with its text below, for the
	// counter's scanner. Text is 1 to BarcodeMax letters of ASCII; anything else is
	// printed as text alone.
	Barcode struct{ Text string }
	// Picture is an image in the middle of the paper, a logo: made smaller where it
	// is wider than the paper, greys as dots. Nobody may change Image.
	Picture struct{ Image image.Image }
	// Feed moves the paper by this many lines.
	Feed struct{ Lines int }
	// Cut ends the paper, where there is a knife; else it feeds it past the edge.
	Cut struct{}
	// Pulse opens the cash drawer.
	Pulse struct{}
	// Beep calls somebody to the printer, where it has a buzzer.
	Beep struct{}
)

// BarcodeMax bounds a Barcode's text in letters: more do not fit 80 mm; 12 fit 58 mm.
const BarcodeMax = 20

func (Line) row()    {}
func (Rule) row()    {}
func (Code) row()    {}
func (Barcode) row() {}
func (Picture) row() {}
func (Feed) row()    {}
func (Cut) row()     {}
func (Pulse) row()   {}
func (Beep) row()    {}

// Style is how a Line stands out.
type Style struct {
	Bold bool
	Wide bool // two cells a letter
	Tall bool // two lines high
}

// Text returns what a customer reads, one row a line: a code as its text in
// brackets, a cut as a dotted line. Wide letters are written narrow.
func (d Document) Text() string {
	var b strings.Builder
	for _, r := range d.Rows {
		switch r := r.(type) {
		case Line:
			b.WriteString(plain(r))
		case Rule:
			b.WriteString(strings.Repeat("-", d.Columns))
		case Code:
			b.WriteString("[QR " + r.Text + "]")
		case Barcode:
			b.WriteString("[barcode " + r.Text + "]")
		case Picture:
			b.WriteString(fmt.Sprintf("[picture %dx%d]", r.Image.Bounds().Dx(), r.Image.Bounds().Dy()))
		case Feed:
			b.WriteString(strings.Repeat("\n", max(r.Lines-1, 0)))
		case Cut:
			b.WriteString(strings.Repeat(". ", d.Columns/2))
		case Pulse:
			b.WriteString("[drawer]")
		case Beep:
			b.WriteString("[beep]")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// plain is a line as text. Wide letters are written narrow, in the middle of the
// room that they take.
func plain(l Line) string {
	text := strings.TrimLeft(l.Text, " ")
	margin := len(l.Text) - len(text)
	if l.Style.Wide {
		margin = 2*margin + Cells(text)/2
	}
	if l.Half {
		margin++
	}
	return strings.TrimRight(strings.Repeat(" ", margin)+text, " ")
}

// WithLogo returns d with img above its first row, and shares the others with it.
// A nil img changes nothing.
func (d Document) WithLogo(img image.Image) Document {
	if img == nil {
		return d
	}
	rows := append(make([]Row, 0, len(d.Rows)+1), Picture{img})
	return Document{d.Columns, append(rows, d.Rows...)}
}

// WithBeep returns d that calls somebody when it is out, and shares its rows with it.
func (d Document) WithBeep() Document {
	return Document{d.Columns, append(append(make([]Row, 0, len(d.Rows)+1), d.Rows...), Beep{})}
}

// Spell returns text, which no code can hold, as lines of cols cells.
func Spell(text string, cols int) []Line {
	var out []Line
	for rest := Clean(text); rest != ""; {
		var head string
		head, rest = cut(rest, max(cols, 1))
		out = append(out, Line{Text: head})
	}
	return out
}
