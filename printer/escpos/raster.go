package escpos

import (
	"strings"

	"github.com/tillwright/tillwright/pos/qr"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/glyph"
)

const (
	minModule = 3   // dots: below that phones fail on paper
	nativeMax = 250 // bytes of a native code: version 11, and the length's high byte stays 0
	lineGap   = 6   // dots between lines: ESC 2 feeds 30, a letter takes 24
	ink       = 110 // darkness from which a dot is burnt: keeps thin strokes
)

// bitmap is an image of one bit a dot, rows padded to whole bytes, 1 is black.
type bitmap struct {
	width, height int // bytes, rows
	bits          []byte
}

func newBitmap(dots, height int) bitmap {
	w := (dots + 7) / 8
	return bitmap{w, height, make([]byte, w*height)}
}

func (b bitmap) set(x, y int) { b.bits[y*b.width+x/8] |= 0x80 >> (x % 8) }

// fill blackens a square of n dots.
func (b bitmap) fill(x, y, n int) {
	for dy := range n {
		for dx := range n {
			b.set(x+dx, y+dy)
		}
	}
}

// calm changes byte pairs that a printer might obey in the middle of an image: 10
// 04, 10 05 and 10 14 (DLE EOT, ENQ, DC4). One dot is added beside the single one
// of 10; a QR code, whose modules are minModule dots or more, never has it.
func (b bitmap) calm() {
	for i := 0; i+1 < len(b.bits); i++ {
		if b.bits[i] == 0x10 && (b.bits[i+1] == 0x04 || b.bits[i+1] == 0x05 || b.bits[i+1] == 0x14) {
			b.bits[i] = 0x18
		}
	}
}

// image prints b at the left edge in strips.
func (e *encoder) image(b bitmap) {
	b.calm()
	e.flush(false)
	rows := max(min(stripRows, stripBytes/b.width), 1)
	for y := 0; y < b.height; y += rows {
		n := min(rows, b.height-y)
		e.add(gsRaster, string([]byte{byte(b.width), byte(b.width >> 8), byte(n), byte(n >> 8)}))
		e.cur.Write(b.bits[y*b.width : (y+n)*b.width])
		e.flush(true)
	}
}

// drawLine draws a line of text as a printer would set it, cut at dots.
func drawLine(text string, s printer.Style, dots int) bitmap {
	sx, sy := int(1+bit(s.Wide)), int(1+bit(s.Tall))
	letters := []rune(text)
	letters = letters[:min(len(letters), dots/(glyph.Width*sx))]
	b := newBitmap(len(letters)*glyph.Width*sx, glyph.Height*sy+lineGap)
	for i, r := range letters {
		cell := glyph.Of(r)
		for y := range glyph.Height * sy {
			for x := range glyph.Width * sx {
				dark := cell.At(x/sx, y/sy) >= ink
				if s.Bold && !dark && x >= sx {
					dark = cell.At(x/sx-1, y/sy) >= ink
				}
				if dark {
					b.set(i*glyph.Width*sx+x, y)
				}
			}
		}
	}
	return b
}

// code prints a QR code in the middle, a blank line above and below for its quiet
// zone. What cannot be a code that a phone reads is printed as text.
func (e *encoder) code(text string) {
	if e.p.NativeQR && e.nativeCode(text) {
		return
	}
	m, err := qr.Encode(text, qr.M)
	module := 0
	if err == nil {
		module = min(e.p.Module, e.p.Dots/(m.Size()+2*qr.Quiet))
	}
	if module < minModule {
		e.spell(text)
		return
	}
	b := newBitmap(m.Size()*module, m.Size()*module)
	for y := range m.Size() {
		for x := range m.Size() {
			if m.Dark(x, y) {
				b.fill(x*module, y*module, module)
			}
		}
	}
	e.add(lf, escAlign, "\x01")
	e.image(b)
	e.add(escAlign, "\x00", lf)
}

// spell prints text that is too long for a code.
func (e *encoder) spell(text string) {
	runes := []rune(printer.Clean(text))
	for len(runes) > 0 {
		n := min(e.p.Columns, len(runes))
		e.line(printer.Line{Text: string(runes[:n])})
		runes = runes[n:]
	}
}

// modulesM is how many modules a side a code of version 1, 2, … has at level M,
// and how many bytes it holds: printers use the byte mode only.
var bytesM = [...]int{14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251}

// nativeCode lets the printer draw the code. It prints nothing, without any error,
// when the code is wider than the paper; so the width is checked here.
func (e *encoder) nativeCode(text string) bool {
	modules := 0
	for i, n := range bytesM {
		if len(text) <= n {
			modules = 21 + 4*i
			break
		}
	}
	if modules == 0 || len(text) == 0 || len(text) > nativeMax || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7E }) {
		return false
	}
	module := min(e.p.Module, e.p.Dots/(modules+2*qr.Quiet))
	if module < minModule {
		return false
	}
	e.style(printer.Style{})
	e.add(lf, escAlign, "\x01",
		gsQR, "\x04\x00\x31\x41\x32\x00", // model 2
		gsQR, "\x03\x00\x31\x43", string([]byte{byte(module)}),
		gsQR, "\x03\x00\x31\x45\x31", // level M
		gsQR, string([]byte{byte(len(text) + 3), 0}), "\x31\x50\x30", text,
		gsQR, "\x03\x00\x31\x51\x30",
		escAlign, "\x00", lf)
	return true
}
