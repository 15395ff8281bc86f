package talk

import (
	"bytes"
	"image"
	"strings"

	"github.com/tillwright/tillwright/printer"
)

// pieceBytes is of text between two looks at the drawer: about 30 lines.
const pieceBytes = 1024

// Speaker says rows in one printer's language. What it says it adds to a Script.
type Speaker interface {
	Line(printer.Line)
	Code(text string)
	Barcode(text string)
	Picture(image.Image)
	// Command returns the bytes of a Cut, a Pulse or a Beep; none where the printer has
	// nothing for it.
	Command(printer.Row) string
}

// Script is a paper that is being written, in pieces. The zero Script is empty.
type Script struct {
	pieces []Piece
	cur    bytes.Buffer
}

// Add writes text as it is.
func (s *Script) Add(parts ...string) {
	for _, p := range parts {
		s.cur.WriteString(p)
	}
}

// Data writes bytes as they are. The caller keeps them.
func (s *Script) Data(b []byte) { s.cur.Write(b) }

// Len is how many bytes the piece has so far that is being written.
func (s *Script) Len() int { return s.cur.Len() }

// Flush ends a piece; image says that the printer is asked before it is sent. No
// command may be half written.
func (s *Script) Flush(image bool) {
	if s.cur.Len() > 0 {
		s.pieces = append(s.pieces, Piece{Data: bytes.Clone(s.cur.Bytes()), Image: image})
		s.cur.Reset()
	}
}

// Pieces ends the paper and returns it. The caller owns it.
func (s *Script) Pieces() []Piece {
	s.Flush(false)
	return s.pieces
}

// Rows has every row of d said, in pieces of text that are not too long.
func (s *Script) Rows(d printer.Document, by Speaker) {
	for _, r := range d.Rows {
		switch r := r.(type) {
		case printer.Line:
			by.Line(r)
		case printer.Rule:
			by.Line(printer.Line{Text: strings.Repeat("-", d.Columns)})
		case printer.Code:
			by.Code(r.Text)
		case printer.Barcode:
			by.Barcode(r.Text)
		case printer.Picture:
			by.Picture(r.Image)
		case printer.Feed:
			s.Add(strings.Repeat("\n", max(r.Lines, 0)))
		default:
			s.Add(by.Command(r))
		}
		if s.Len() >= pieceBytes {
			s.Flush(false)
		}
	}
}

// Join returns the pieces' bytes, as they are sent.
func Join(pieces []Piece) []byte {
	var out []byte
	for _, p := range pieces {
		out = append(out, p.Data...)
	}
	return out
}
