package mipi

import (
	"image"
	"image/color"

	"periph.io/x/conn/v3/gpio"
)

// store puts src into the frame as the panel's memory has it.
func (d *Dev) store(r image.Rectangle, src image.Image, sp image.Point) {
	depth := d.model.depth()
	row := rowOf(src)
	for y := range r.Dy() {
		from := row(image.Pt(sp.X, sp.Y+y), r.Dx())
		to := d.frame[((r.Min.Y+y)*d.turned.size.X+r.Min.X)*depth:][:r.Dx()*depth]
		if depth == 3 {
			pack666(to, from)
		} else {
			pack565(to, from)
		}
	}
}

// pack565 writes red, green and blue as 5, 6 and 5 bits, the high byte first.
func pack565(to, rgba []byte) {
	for ; len(rgba) >= 4; rgba, to = rgba[4:], to[2:] {
		_, _ = rgba[3], to[1]
		to[0] = rgba[0]&0xf8 | rgba[1]>>5
		to[1] = rgba[1]<<3&0xe0 | rgba[2]>>3
	}
}

// pack666 writes three bytes, of which the chip takes the upper six bits
// (ILI9488 4.7.2.2).
func pack666(to, rgba []byte) {
	for ; len(rgba) >= 4; rgba, to = rgba[4:], to[3:] {
		_, _ = rgba[3], to[2]
		to[0], to[1], to[2] = rgba[0]&0xfc, rgba[1]&0xfc, rgba[2]&0xfc
	}
}

// rowOf returns what reads n pixels of src, from a point to the right, as bytes of
// red, green, blue and alpha. They are good until the next call.
func rowOf(src image.Image) func(from image.Point, n int) []byte {
	if src, ok := src.(*image.RGBA); ok {
		return func(from image.Point, n int) []byte {
			return src.Pix[src.PixOffset(from.X, from.Y):][:4*n]
		}
	}
	var row []byte
	return func(from image.Point, n int) []byte {
		row = row[:0]
		for i := range n {
			c := color.RGBAModel.Convert(src.At(from.X+i, from.Y)).(color.RGBA)
			row = append(row, c.R, c.G, c.B, c.A)
		}
		return row
	}
}

// send brings r of the frame to the panel: a window, then its pixels in as few
// transfers as the bus allows. Chip select may rise between them: the chip goes on
// writing where it was until the next command (ILI9341 7.1.10).
func (d *Dev) send(r image.Rectangle) {
	d.window(caset, d.turned.at.X+r.Min.X, d.turned.at.X+r.Max.X-1)
	d.window(paset, d.turned.at.Y+r.Min.Y, d.turned.at.Y+r.Max.Y-1)
	d.bus.command(ramwr)
	depth := d.model.depth()
	if r.Dx() == d.turned.size.X { // whole rows lie in one piece
		d.stream(d.frame[r.Min.Y*d.turned.size.X*depth : r.Max.Y*d.turned.size.X*depth])
		return
	}
	d.packed = d.packed[:0]
	for y := r.Min.Y; y < r.Max.Y; y++ {
		d.gather(d.frame[(y*d.turned.size.X+r.Min.X)*depth:][:r.Dx()*depth])
	}
	d.stream(d.packed)
}

func (d *Dev) window(op byte, first, last int) {
	d.bus.command(op, byte(first>>8), byte(first), byte(last>>8), byte(last))
}

// gather adds a row to the transfer in the making, and sends it when it is full.
func (d *Dev) gather(row []byte) {
	for len(row) > 0 {
		n := min(len(row), cap(d.packed)-len(d.packed))
		d.packed = append(d.packed, row[:n]...)
		row = row[n:]
		if len(d.packed) == cap(d.packed) {
			d.stream(d.packed)
			d.packed = d.packed[:0]
		}
	}
}

// stream sends data in pieces that the bus takes.
func (d *Dev) stream(p []byte) {
	for len(p) > 0 {
		n := min(len(p), cap(d.packed))
		d.bus.tx(gpio.High, p[:n])
		p = p[n:]
	}
}
