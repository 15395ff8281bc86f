package escpos

import (
	"bytes"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/glyph"
)

// Commands, named as in Epson's reference.
const (
	lf        = "\n"
	escInit   = "\x1b@"     // ESC @
	fsKanji   = "\x1c."     // FS . : leave the double-byte mode that clones start in
	escUSA    = "\x1bR\x00" // ESC R 0: #$@[\]^{|}~ are themselves
	escPage   = "\x1bt"     // ESC t n
	escBold   = "\x1bE"     // ESC E n
	escAlign  = "\x1ba"     // ESC a n, at the start of a line only
	escPulse  = "\x1bp"     // ESC p m t1 t2
	gsSize    = "\x1d!"     // GS ! n
	gsRaster  = "\x1dv0\x00"
	gsCut     = "\x1dVB\x00" // GS V 66 0: feed to the knife, cut all but one point
	gsQR      = "\x1d(k"
	dleStatus = "\x10\x04"         // DLE EOT n
	dlePulse  = "\x10\x14\x01"     // DLE DC4 1 m t
	gsStatus  = "\x1dr\x01"        // GS r 1
	pulseTime = string("\x19\xfa") // 50 ms on, 500 ms off, in units of 2 ms
)

const (
	tearOff   = 4   // lines of paper past the head before it can be torn off, where there is no knife
	stripRows = 128 // rows of an image in one command; clones take no more than 255
	// stripBytes bounds a strip's data: what a printer may still be waiting for after
	// a break, and 0.4 s at 115,200 baud between two looks at the drawer.
	stripBytes = 4096
	pieceBytes = 1024 // of text between two looks at the drawer: about 30 lines
	header     = 8    // bytes of GS v 0 before its data
)

// piece is part of a paper. Between pieces every command is complete.
type piece struct {
	data  []byte
	image bool // ask the printer before sending it
}

// Encode returns the paper as the bytes that Print sends, without the questions
// between them. It fails with Invalid when the document is wider than the profile
// or the profile is not one.
func Encode(d printer.Document, p Profile) ([]byte, error) {
	pieces, err := p.pieces(d)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, c := range pieces {
		out = append(out, c.data...)
	}
	return out, nil
}

func (p Profile) pieces(d printer.Document) ([]piece, error) {
	switch {
	case p.Columns <= 0 || p.Dots < p.Columns*glyph.Width:
		return nil, pos.E("encode paper", pos.Invalid, "the printer's profile is wrong: %d columns do not fit %d dots", p.Columns, p.Dots)
	case d.Columns > p.Columns:
		return nil, pos.E("encode paper", pos.Invalid, "a paper of %d columns does not fit the printer's %d", d.Columns, p.Columns)
	}
	e := encoder{p: p}
	e.add(escInit, fsKanji, escUSA)
	for _, r := range d.Rows {
		e.row(r, d.Columns)
	}
	e.style(printer.Style{})
	e.flush(false)
	return e.out, nil
}

// encoder writes pieces and remembers the state that its commands left.
type encoder struct {
	p    Profile
	out  []piece
	cur  bytes.Buffer
	st   printer.Style
	page byte // 0 after ESC @
}

func (e *encoder) add(parts ...string) {
	for _, s := range parts {
		e.cur.WriteString(s)
	}
}

// flush ends a piece.
func (e *encoder) flush(image bool) {
	if e.cur.Len() > 0 {
		e.out = append(e.out, piece{bytes.Clone(e.cur.Bytes()), image})
		e.cur.Reset()
	}
}

func (e *encoder) row(r printer.Row, cols int) {
	switch r := r.(type) {
	case printer.Line:
		e.line(r)
	case printer.Rule:
		e.line(printer.Line{Text: strings.Repeat("-", cols)})
	case printer.Code:
		e.code(r.Text)
	case printer.Feed:
		e.add(strings.Repeat(lf, max(r.Lines, 0)))
	case printer.Cut:
		e.cut()
	case printer.Pulse:
		e.add(e.p.pulse())
	}
	if e.cur.Len() >= pieceBytes {
		e.flush(false)
	}
}

func (e *encoder) cut() {
	if e.p.Cutter {
		e.add(gsCut)
		return
	}
	e.add(strings.Repeat(lf, tearOff))
}

// line prints a line natively if a code page has it, else as an image.
func (e *encoder) line(l printer.Line) {
	text := e.p.readable(strings.TrimRight(printer.Clean(l.Text), " "))
	if text == "" {
		e.add(lf)
		return
	}
	pg, native, ok := e.p.native(text, e.page)
	if !ok {
		e.image(drawLine(text, l.Style, e.p.Dots))
		return
	}
	e.style(l.Style)
	if pg != e.page {
		e.add(escPage, string([]byte{pg}))
		e.page = pg
	}
	e.add(native, lf)
}

// readable replaces the letters that can be printed in no way.
func (p Profile) readable(text string) string {
	return strings.Map(func(r rune) rune {
		for _, pg := range p.Pages {
			if _, ok := pg.Letters.Byte(r); ok {
				return r
			}
		}
		if glyph.Has(r) {
			return r
		}
		return printer.Unprintable
	}, text)
}

// native returns text in one code page, the present one if it will do. A line of
// ASCII needs none.
func (p Profile) native(text string, now byte) (page byte, out string, ok bool) {
	if b, ok := inPage(text, nil); ok {
		return now, b, true
	}
	for _, stay := range []bool{true, false} {
		for _, pg := range p.Pages {
			if stay && pg.N != now {
				continue
			}
			if b, ok := inPage(text, pg.Letters); ok {
				return pg.N, b, true
			}
		}
	}
	return 0, "", false
}

func inPage(text string, letters *printer.CodePage) (string, bool) {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		switch {
		case r >= 0x20 && r < 0x7F:
			out = append(out, byte(r))
		case letters == nil:
			return "", false
		default:
			b, ok := letters.Byte(r)
			if !ok {
				return "", false
			}
			out = append(out, b)
		}
	}
	return string(out), true
}

// style selects what differs from the style in force.
func (e *encoder) style(s printer.Style) {
	if s.Wide != e.st.Wide || s.Tall != e.st.Tall {
		e.add(gsSize, string([]byte{16*bit(s.Wide) + bit(s.Tall)}))
	}
	if s.Bold != e.st.Bold {
		e.add(escBold, string([]byte{bit(s.Bold)}))
	}
	e.st = s
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func (p Profile) pulse() string { return escPulse + string([]byte{p.Drawer & 1}) + pulseTime }
