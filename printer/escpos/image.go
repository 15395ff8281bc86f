package escpos

import (
	"image"
	"strings"

	"github.com/tillwright/tillwright/pos/qr"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/raster"
)

// Commands of images and codes.
const (
	gsRaster   = "\x1dv0\x00"             // GS v 0 m xL xH yL yH: bytes by rows
	gsGraphics = "\x1d(L"                 // GS ( L pL pH m fn …
	gsPrint    = "\x1d(L\x02\x00\x30\x32" // function 50: print what is stored
	escColumns = "\x1b*\x21"              // ESC * 33 nL nH: 24 dots a column
	escTight   = "\x1b3\x18"              // ESC 3 24: bands touch
	escLoose   = "\x1b2"                  // ESC 2: back to 30
	gsQR       = "\x1d(k"                 // GS ( k
	gsBars     = "\x1dH\x02\x1dkI"        // text below (in font A, as after ESC @); GS k 73: Code 128, form B
)

const (
	stripRows = 128 // rows of an image in one command; clones take no more than 255
	// stripBytes bounds a strip's data: what a printer may still be waiting for after
	// a break, and 0.4 s at 115,200 baud between two looks at the drawer.
	stripBytes = 4096
	header     = 17  // bytes of the longest command before its data
	nativeMax  = 250 // bytes of a native code: version 11, and the length's high byte stays 0
	band       = 24  // rows of ESC * 33
)

// image prints b at the left edge, or where ESC a says, in strips.
func (e *encoder) image(b raster.Bitmap) {
	if b.Dots == 0 || b.Height == 0 || e.p.Image == NoImages {
		return
	}
	e.Flush(false)
	if e.p.Image == Columns {
		e.columns(b)
		return
	}
	b = b.Clone() // a picture is shared with other printers
	b.Calm()
	rows := e.p.Strip
	if rows == 0 {
		rows = stripRows
	}
	rows = max(min(rows, stripBytes/b.Width()), 1)
	for y := 0; y < b.Height; y += rows {
		strip := b.Rows(y, min(rows, b.Height-y))
		w, d, h := strip.Width(), strip.Width()*8, strip.Height
		if e.p.Image == Graphics {
			n := len(strip.Bits) + 10
			e.Add(gsGraphics, string([]byte{byte(n), byte(n >> 8), '0', 'p', '0', 1, 1, '1', byte(d), byte(d >> 8), byte(h), byte(h >> 8)}))
			e.Data(strip.Bits)
			e.Add(gsPrint)
		} else {
			e.Add(gsRaster, string([]byte{byte(w), byte(w >> 8), byte(h), byte(h >> 8)}))
			e.Data(strip.Bits)
		}
		e.Flush(true)
	}
	if e.p.LostFeed {
		e.Add(lf)
	}
}

// columns prints b in bands of 24 rows, a line each.
func (e *encoder) columns(b raster.Bitmap) {
	e.style(printer.Style{})
	e.Add(escTight)
	for y := 0; y < b.Height; y += band {
		data := make([]byte, 0, 3*b.Dots)
		for x := range b.Dots {
			var col [3]byte
			for i := range band {
				if b.At(x, y+i) {
					col[i/8] |= 0x80 >> (i % 8)
				}
			}
			data = append(data, col[:]...)
		}
		raster.Bitmap{Dots: 8 * len(data), Height: 1, Bits: data}.Calm()
		e.Add(escColumns, string([]byte{byte(b.Dots), byte(b.Dots >> 8)}))
		e.Data(data)
		e.Add(lf)
		e.Flush(true)
	}
	e.Add(escLoose)
}

// centred prints what f adds in the middle.
func (e *encoder) centred(f func()) {
	e.Add(escAlign, "\x01")
	f()
	e.Add(escAlign, "\x00")
}

// Picture prints a logo in the middle and a blank line below.
func (e *encoder) Picture(img image.Image) {
	if e.p.Image == NoImages {
		return
	}
	b := raster.Dither(img, e.p.Dots/8*8)
	e.centred(func() { e.image(b) })
	e.Add(lf)
}

// Code prints a QR code in the middle, a blank line above and below for its quiet
// zone. What cannot be a code that a phone reads is printed as text.
func (e *encoder) Code(text string) {
	if e.p.NativeQR && e.nativeCode(text) {
		return
	}
	b, ok := raster.QR(text, e.p.Dots, e.p.Module)
	if !ok || e.p.Image == NoImages {
		e.spell(text)
		return
	}
	e.Add(lf)
	e.centred(func() { e.image(b) })
	e.Add(lf)
}

// spell prints text that no code can hold.
func (e *encoder) spell(text string) {
	for _, l := range printer.Spell(text, e.p.Columns) {
		e.Line(l)
	}
}

// Barcode prints bars in the middle with their text below, by the printer's own
// command where it has one, else as dots. What cannot be bars is printed as text.
func (e *encoder) Barcode(text string) {
	module := raster.BarModule(text, e.p.Dots)
	e.style(printer.Style{})
	switch {
	case module == 0:
		e.spell(text)
	case e.p.Barcodes:
		data := "{B" + strings.ReplaceAll(text, "{", "{{") // code set B; { is the sign that selects sets
		e.centred(func() {
			e.Add("\x1dh", string([]byte{raster.BarHeight}), "\x1dw", string([]byte{byte(module)}), gsBars, string([]byte{byte(len(data))}), data)
		})
	case e.p.Image != NoImages:
		b, _ := raster.Bars(text, e.p.Dots)
		e.centred(func() {
			e.image(b)
			e.Add(text, lf)
		})
	default:
		e.spell(text)
	}
}

// nativeCode lets the printer draw the code. It prints nothing, without any error,
// when the code is wider than the paper; so the width is checked here.
func (e *encoder) nativeCode(text string) bool {
	modules := raster.NativeModules(text)
	if modules == 0 || len(text) > nativeMax {
		return false
	}
	module := min(e.p.Module, e.p.Dots/(modules+2*qr.Quiet))
	if module < raster.MinModule {
		return false
	}
	e.style(printer.Style{})
	e.Add(lf)
	e.centred(func() {
		e.Add(gsQR, "\x04\x00\x31\x41\x32\x00", // model 2
			gsQR, "\x03\x00\x31\x43", string([]byte{byte(module)}),
			gsQR, "\x03\x00\x31\x45\x31", // level M
			gsQR, string([]byte{byte(len(text) + 3), 0}), "\x31\x50\x30", text,
			gsQR, "\x03\x00\x31\x51\x30")
	})
	e.Add(lf)
	return true
}
