package printer

import (
	"strings"
	"unicode/utf8"
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
	// Line is text that fills at most Document.Columns cells, a Wide letter
	// taking two. It is clean (see Clean), and padded on the left where it is
	// centred or right-aligned. The empty Line is a blank one.
	Line struct {
		Text  string
		Style Style
	}
	// Rule is a line across the paper.
	Rule struct{}
	// Code is a QR code in the middle of the paper, with its quiet zone. Text is
	// what a reader gets.
	Code struct{ Text string }
	// Feed moves the paper by this many lines.
	Feed struct{ Lines int }
	// Cut ends the paper, where there is a knife; else it feeds it past the edge.
	Cut struct{}
	// Pulse opens the cash drawer.
	Pulse struct{}
)

func (Line) row()  {}
func (Rule) row()  {}
func (Code) row()  {}
func (Feed) row()  {}
func (Cut) row()   {}
func (Pulse) row() {}

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
		case Feed:
			b.WriteString(strings.Repeat("\n", max(r.Lines-1, 0)))
		case Cut:
			b.WriteString(strings.Repeat(". ", d.Columns/2))
		case Pulse:
			b.WriteString("[drawer]")
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
		margin = 2*margin + cells(text)/2
	}
	return strings.TrimRight(strings.Repeat(" ", margin)+text, " ")
}

// cells is how many cells s takes: one a letter.
func cells(s string) int { return utf8.RuneCountInString(s) }
