package star

import (
	"image"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/qr"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/pages"
	"github.com/tillwright/tillwright/printer/internal/talk"
	"github.com/tillwright/tillwright/printer/raster"
)

// Commands of StarPRNT and Star Line Mode, named as in Star's specifications.
const (
	lf        = "\n"
	escInit   = "\x1b@\x18"        // ESC @, CAN: settings, then what is left of a line
	escUSA    = "\x1bR\x00"        // ESC R 0: #$@[\]^{|}~ are themselves
	escPage   = "\x1b\x1dt"        // ESC GS t n
	escBold   = "\x1bE"            // on; ESC F off
	escPlain  = "\x1bF"            // …
	escSize   = "\x1bi"            // ESC i h w, each one less than the factor
	escAlign  = "\x1b\x1da"        // ESC GS a n
	escTight  = "\x1b0"            // ESC 0: lines of 3 mm, in which bands touch
	escLoose  = "\x1bz\x01"        // ESC z 1: back to 4 mm
	escCut    = "\x1bd\x03"        // ESC d 3: feed to the knife, cut all but one point
	escImage  = "\x1b\x1dS\x01"    // ESC GS S 1 xL xH yL yH 0: bytes by rows (StarPRNT)
	escBand   = "\x1bk"            // ESC k n1 n2: 24 rows of bytes (Line)
	escBars   = "\x1bb\x06\x02"    // ESC b 6 2 n3 n4 … RS: Code 128, text below, line feed
	escQR     = "\x1b\x1dy"        // ESC GS y
	escPulse  = "\x1b\x07\x05\x32" // ESC BEL 5 50: the first drawer's pulse, 50 ms on, 500 ms off
	escAsk    = "\x1b\x06\x01"     // ESC ACK SOH
	drawer1   = "\x07"             // BEL
	drawer2   = "\x1a"             // SUB
	endOfBars = "\x1e"             // RS
)

const (
	tearOff  = 4 // lines of paper past the head before it can be torn off, where there is no knife
	lineGap  = 8 // dots between lines: a line feed is 32, a letter takes 24
	bandRows = 24
	// stripBytes bounds a strip's data: what a printer may still be waiting for after a
	// break.
	stripBytes = 4096
	header     = 9   // bytes of the longest command before its data
	nativeMax  = 250 // bytes of a native code: version 11
)

// Encode returns the paper as the bytes that Print sends, without the questions between
// them. It fails with Invalid when the document is wider than the profile or the profile
// is not one.
func Encode(d printer.Document, p Profile) ([]byte, error) {
	pieces, err := p.pieces(d)
	if err != nil {
		return nil, err
	}
	return talk.Join(pieces), nil
}

func (p Profile) pieces(d printer.Document) ([]talk.Piece, error) {
	switch {
	case p.Columns <= 0 || p.Dots < p.Columns*raster.CellWidth:
		return nil, pos.E("encode paper", pos.Invalid, "the printer's profile is wrong: %d columns do not fit %d dots", p.Columns, p.Dots)
	case d.Columns > p.Columns:
		return nil, pos.E("encode paper", pos.Invalid, "a paper of %d columns does not fit the printer's %d", d.Columns, p.Columns)
	case p.Mode == Raster:
		return p.rows(d), nil
	}
	e := encoder{p: p}
	e.Add(escInit, escUSA)
	e.Rows(d, &e)
	e.style(printer.Style{})
	return e.Pieces(), nil
}

// encoder is the script of a paper, and the state that its commands left.
type encoder struct {
	talk.Script
	p    Profile
	st   printer.Style
	page byte // 0, Star's own, after ESC @: only its ASCII is used
}

// Command returns what is no letter and no image.
func (e *encoder) Command(r printer.Row) string {
	switch r.(type) {
	case printer.Cut:
		if !e.p.Cutter {
			return strings.Repeat(lf, tearOff)
		}
		return escCut
	case printer.Pulse:
		return e.p.pulse()
	case printer.Beep:
		return e.p.beep()
	}
	return ""
}

// readable replaces the letters that can be printed in no way.
func (p Profile) readable(text string) string {
	return p.Text.Readable(strings.TrimRight(printer.Clean(text), " "), pages.Known(p.Pages))
}

// Line prints a line natively if a code page has it, else as an image.
func (e *encoder) Line(l printer.Line) {
	text := e.p.readable(l.Text)
	if text == "" {
		e.Add(lf)
		return
	}
	pg, native, ok := pages.Native(e.p.Pages, text, e.page)
	if !ok {
		gap := lineGap
		if e.p.Mode == Line {
			gap = 0 // its last band is followed by a line feed of 4 mm
		}
		e.image(e.p.Text.Line(text, l.Style, raster.Box{Dots: e.p.Dots, Gap: gap, Half: l.Half}), true)
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

// style selects what differs from the style in force.
func (e *encoder) style(s printer.Style) {
	if s.Wide != e.st.Wide || s.Tall != e.st.Tall {
		e.Add(escSize, string([]byte{bit(s.Tall), bit(s.Wide)}))
	}
	switch {
	case s.Bold && !e.st.Bold:
		e.Add(escBold)
	case !s.Bold && e.st.Bold:
		e.Add(escPlain)
	}
	e.st = s
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// image prints b at the left edge, or where ESC GS a says, in strips. A line of text as
// an image is followed by the gap of a line.
func (e *encoder) image(b raster.Bitmap, text bool) {
	if b.Dots == 0 || b.Height == 0 {
		return
	}
	e.Flush(false)
	if e.p.Mode == Line {
		e.bands(b, text)
		return
	}
	rows := max(stripBytes/b.Width(), 1)
	for y := 0; y < b.Height; y += rows {
		s := b.Rows(y, min(rows, b.Height-y))
		e.Add(escImage, string([]byte{byte(s.Width()), byte(s.Width() >> 8), byte(s.Height), byte(s.Height >> 8), 0}))
		e.Data(s.Bits)
		e.Flush(true)
	}
}

// bands prints b in bands of 24 rows, a line each, which touch.
func (e *encoder) bands(b raster.Bitmap, text bool) {
	e.style(printer.Style{})
	e.Add(escTight)
	for y := 0; y < b.Height; y += bandRows {
		data := make([]byte, bandRows*b.Width())
		copy(data, b.Rows(y, min(bandRows, b.Height-y)).Bits)
		if text && y+bandRows >= b.Height {
			e.Add(escLoose)
		}
		e.Add(escBand, string([]byte{byte(b.Width()), byte(b.Width() >> 8)}))
		e.Data(data)
		e.Add(lf)
		e.Flush(true)
	}
	if !text {
		e.Add(escLoose)
	}
}

// centred prints what f adds in the middle.
func (e *encoder) centred(f func()) {
	e.Add(escAlign, "\x01")
	f()
	e.Add(escAlign, "\x00")
}

// Picture prints a logo in the middle and a blank line below.
func (e *encoder) Picture(img image.Image) {
	b := raster.Dither(img, e.p.Dots)
	e.centred(func() { e.image(b, false) })
	e.Add(lf)
}

// Code prints a QR code in the middle, a blank line above and below for its quiet zone.
// What cannot be a code that a phone reads is printed as text.
func (e *encoder) Code(text string) {
	if e.p.NativeQR && e.nativeCode(text) {
		return
	}
	b, ok := raster.QR(text, e.p.Dots, e.p.Module)
	if !ok {
		e.spell(text)
		return
	}
	e.Add(lf)
	e.centred(func() { e.image(b, false) })
	e.Add(lf)
}

// spell prints text that no code can hold.
func (e *encoder) spell(text string) {
	for _, l := range printer.Spell(text, e.p.Columns) {
		e.Line(l)
	}
}

// Barcode prints bars in the middle with their text below. What cannot be bars is
// printed as text.
func (e *encoder) Barcode(text string) {
	module := raster.BarModule(text, e.p.Dots)
	if module == 0 {
		e.spell(text)
		return
	}
	e.style(printer.Style{})
	e.centred(func() {
		// n3 counts from 1 for two dots. % is the sign that Star escapes with.
		e.Add(escBars, string([]byte{byte(module - 1), raster.BarHeight}), strings.ReplaceAll(text, "%", "%0"), endOfBars)
	})
}

// nativeCode lets the printer draw the code. It prints nothing, without any error, when
// the code is wider than the paper; so the width is checked here. Its modules are 8 dots
// at most.
func (e *encoder) nativeCode(text string) bool {
	modules := raster.NativeModules(text)
	if modules == 0 || len(text) > nativeMax {
		return false
	}
	module := min(e.p.Module, 8, e.p.Dots/(modules+2*qr.Quiet))
	if module < raster.MinModule {
		return false
	}
	e.style(printer.Style{})
	e.Add(lf)
	e.centred(func() {
		e.Add(escQR, "S0\x02", // model 2
			escQR, "S2", string([]byte{byte(module)}),
			escQR, "S1\x01", // level M
			escQR, "D1\x00", string([]byte{byte(len(text)), 0}), text,
			escQR, "P")
	})
	e.Add(lf)
	return true
}

// pulse opens the drawer. The pulse of the second one cannot be set.
func (p Profile) pulse() string {
	if p.Drawer == 1 {
		return drawer2
	}
	return escPulse + drawer1
}

// beep sounds a buzzer on the second socket, unless the drawer is there.
func (p Profile) beep() string {
	if !p.Buzzer || p.Drawer == 1 {
		return ""
	}
	return strings.Repeat(drawer2, 3)
}
