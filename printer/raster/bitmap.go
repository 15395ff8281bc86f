package raster

import "bytes"

// Bitmap is an image of one bit a dot, rows padded to whole bytes, the left dot in
// the highest bit, 1 is black. Copies share Bits. The zero Bitmap is empty.
type Bitmap struct {
	Dots, Height int
	Bits         []byte
}

// New returns a white bitmap.
func New(dots, height int) Bitmap {
	b := Bitmap{Dots: max(dots, 0), Height: max(height, 0)}
	b.Bits = make([]byte, b.Width()*b.Height)
	return b
}

// Width returns the bytes of a row.
func (b Bitmap) Width() int { return (b.Dots + 7) / 8 }

// Set blackens a dot; one outside is left alone.
func (b Bitmap) Set(x, y int) {
	if x >= 0 && y >= 0 && x < b.Dots && y < b.Height {
		b.Bits[y*b.Width()+x/8] |= 0x80 >> (x % 8)
	}
}

// At reports whether a dot is black; those outside are white.
func (b Bitmap) At(x, y int) bool {
	return x >= 0 && y >= 0 && x < b.Dots && y < b.Height && b.Bits[y*b.Width()+x/8]&(0x80>>(x%8)) != 0
}

// Fill blackens a rectangle.
func (b Bitmap) Fill(x, y, w, h int) {
	for dy := range h {
		for dx := range w {
			b.Set(x+dx, y+dy)
		}
	}
}

// Row returns row y, which shares its bytes with b.
func (b Bitmap) Row(y int) []byte { return b.Bits[y*b.Width() : (y+1)*b.Width()] }

// Rows returns the rows from y to y+n as a bitmap that shares its bytes with b.
func (b Bitmap) Rows(y, n int) Bitmap {
	return Bitmap{b.Dots, n, b.Bits[y*b.Width() : (y+n)*b.Width()]}
}

// Clone returns a copy that shares nothing.
func (b Bitmap) Clone() Bitmap {
	b.Bits = bytes.Clone(b.Bits)
	return b
}

// Draw blackens what is black in o, with o's upper left corner at x, y.
func (b Bitmap) Draw(o Bitmap, x, y int) {
	for dy := range o.Height {
		for dx := range o.Dots {
			if o.At(dx, dy) {
				b.Set(x+dx, y+dy)
			}
		}
	}
}

// Calm changes pairs of bytes that a printer might obey in the middle of an image:
// 10 04, 10 05 and 10 14 (DLE EOT, ENQ, DC4 of ESC/POS). One dot is added beside
// the single one of 10; a code, whose modules are three dots or more, never has it.
func (b Bitmap) Calm() {
	for i := 0; i+1 < len(b.Bits); i++ {
		if b.Bits[i] == 0x10 && (b.Bits[i+1] == 0x04 || b.Bits[i+1] == 0x05 || b.Bits[i+1] == 0x14) {
			b.Bits[i] = 0x18
		}
	}
}
