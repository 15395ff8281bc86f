package escpos

import (
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/pages"
	"github.com/tillwright/tillwright/printer/internal/talk"
	"github.com/tillwright/tillwright/printer/raster"
)

// Commands, named as in Epson's reference.
const (
	lf        = "\n"
	escInit   = "\x1b@"            // ESC @
	fsKanji   = "\x1c."            // FS . : leave the double-byte mode that clones start in
	escUSA    = "\x1bR\x00"        // ESC R 0: #$@[\]^{|}~ are themselves
	escPage   = "\x1bt"            // ESC t n
	escBold   = "\x1bE"            // ESC E n
	escMode   = "\x1b!"            // ESC ! n: 08 bold, 10 high, 20 wide
	escAlign  = "\x1ba"            // ESC a n, at the start of a line only
	escPulse  = "\x1bp"            // ESC p m t1 t2
	gsSize    = "\x1d!"            // GS ! n
	gsCut     = "\x1dVB\x00"       // GS V 66 0: feed to the knife, cut all but one point
	dleStatus = "\x10\x04"         // DLE EOT n
	dlePulse  = "\x10\x14\x01"     // DLE DC4 1 m t
	gsStatus  = "\x1dr\x01"        // GS r 1
	gsAuto    = "\x1da\x0f"        // GS a: report drawer, line, error and paper, now and when they change
	pulseTime = string("\x19\xfa") // 50 ms on, 500 ms off, in units of 2 ms
)

const (
	tearOff = 4 // lines of paper past the head before it can be torn off, where there is no knife
	lineGap = 6 // dots between lines: ESC 2 feeds 30, a letter takes 24
)

// Encode returns the paper as the bytes that Print sends, without the questions
// between them. It fails with Invalid when the document is wider than the profile
// or the profile is not one.
func Encode(d printer.Document, p Profile) ([]byte, error) {
	pieces, err := p.pieces(d)
	if err != nil {
		return nil, err
	}
	return talk.Join(pieces), nil
}

func (p Profile) pieces(d printer.Document) ([]talk.Piece, error) {
	switch {
	case p.Columns <= 0 || p.Image != NoImages && p.Dots < p.Columns*p.cell():
		return nil, pos.E("encode paper", pos.Invalid, "the printer's profile is wrong: %d columns do not fit %d dots", p.Columns, p.Dots)
	case d.Columns > p.Columns:
		return nil, pos.E("encode paper", pos.Invalid, "a paper of %d columns does not fit the printer's %d", d.Columns, p.Columns)
	}
	e := encoder{p: p}
	e.Add(escInit, fsKanji, escUSA)
	e.Rows(d, &e)
	e.style(printer.Style{})
	return e.Pieces(), nil
}

// encoder is the script of a paper, and the state that its commands left.
type encoder struct {
	talk.Script
	p    Profile
	st   printer.Style
	page byte // 0 after ESC @
}

// Command returns what is no letter and no image.
func (e *encoder) Command(r printer.Row) string {
	switch r.(type) {
	case printer.Cut:
		if !e.p.Cutter {
			return strings.Repeat(lf, tearOff)
		}
		return gsCut
	case printer.Pulse:
		return e.p.pulse()
	case printer.Beep:
		return e.p.beep()
	}
	return ""
}

// Line prints a line natively if a code page has it, else as an image.
func (e *encoder) Line(l printer.Line) {
	text := e.p.readable(strings.TrimRight(printer.Clean(l.Text), " "))
	if text == "" {
		e.Add(lf)
		return
	}
	pg, native, ok := e.p.native(text, e.page)
	if !ok && e.p.Image != NoImages {
		e.image(e.p.Text.Line(text, l.Style, raster.Box{Dots: e.p.Dots, Cell: e.p.cell(), Gap: lineGap, Half: l.Half}))
		return
	}
	if l.Half {
		e.style(printer.Style{})
		e.Add(" ")
	}
	e.style(l.Style)
	if pg != e.page {
		e.Add(escPage, string([]byte{pg}))
		e.page = pg
	}
	e.Add(native, lf)
}

// readable replaces the letters that can be printed in no way. A printer without
// images can print a line in one code page only: the letters of others are lost, as
// if nobody had them.
func (p Profile) readable(text string) string {
	if p.Image != NoImages {
		return p.Text.Readable(text, pages.Known(p.Pages))
	}
	if _, _, ok := p.native(text, 0); ok {
		return text
	}
	best, most := "", len(text)+1
	for _, pg := range append([]Page{{Letters: ascii}}, p.Pages...) {
		if out, lost := only(pg, text); lost < most {
			best, most = out, lost
		}
	}
	return best
}

// ascii is the code page that every printer has.
var ascii = new(printer.CodePage)

// only replaces the letters that a page lacks, and counts them.
func only(pg Page, text string) (out string, lost int) {
	var b strings.Builder
	for _, r := range text {
		switch _, ok := pg.Letters.Byte(r); {
		case ok:
			b.WriteRune(r)
		case printer.RuneCells(r) > 0:
			b.WriteString(string(printer.Unprintable) + strings.Repeat(" ", printer.RuneCells(r)-1))
			lost++
		}
	}
	return b.String(), lost
}

// native returns text in one code page, the present one if it will do.
func (p Profile) native(text string, now byte) (page byte, out string, ok bool) {
	return pages.Native(p.Pages, text, now)
}

// style selects what differs from the style in force.
func (e *encoder) style(s printer.Style) {
	switch {
	case s == e.st:
	case e.p.OldSize:
		e.Add(escMode, string([]byte{8*bit(s.Bold) + 16*bit(s.Tall) + 32*bit(s.Wide)}))
	default:
		if s.Wide != e.st.Wide || s.Tall != e.st.Tall {
			e.Add(gsSize, string([]byte{16*bit(s.Wide) + bit(s.Tall)}))
		}
		if s.Bold != e.st.Bold {
			e.Add(escBold, string([]byte{bit(s.Bold)}))
		}
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

// beep is three calls of a fifth of a second, with as much rest.
func (p Profile) beep() string {
	switch p.Beeper {
	case EpsonBeeper: // ESC ( A, function 97: n = 100, three times, on and off in units of 100 ms
		return "\x1b(A\x05\x00\x61\x64\x03\x02\x02"
	case CloneBeeper: // ESC B n t, in units of 50 ms
		return "\x1bB\x03\x04"
	case DrawerPort:
		pulse := escPulse + string([]byte{p.Drawer&1 ^ 1}) + "\x64\x64"
		return pulse + pulse + pulse
	}
	return ""
}
