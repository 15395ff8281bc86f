package raster

import (
	"image"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"github.com/tillwright/tillwright/pos/shape"
)

// maxGlyph bounds a glyph's picture in dots: a damaged font may ask for a square
// kilometre.
const maxGlyph = 8 * CellHeight

// canvas is a line being drawn, a byte a dot, with headroom above and below.
type canvas struct {
	w, h   int
	sx, sy int // dots a pixel, 1 or 2
	pix    []byte
}

func newCanvas(w, sx, sy int) *canvas {
	c := &canvas{w: max(w, 1), h: (CellHeight + 2*headroom) * sy, sx: sx, sy: sy}
	c.pix = make([]byte, c.w*c.h)
	return c
}

// width is how wide a run is, in dots.
func (c *canvas) width(gs []shape.Glyph) fixed.Int26_6 {
	var sum fixed.Int26_6
	for _, g := range gs {
		sum += g.Advance
	}
	return sum * fixed.Int26_6(c.sx)
}

// glyphs draws a run from pen on, in dots, squeezed if it is wider than its room.
func (c *canvas) glyphs(f *shape.Font, gs []shape.Glyph, size int, pen, room fixed.Int26_6) {
	sx := float32(c.sx)
	if natural := c.width(gs); natural > room+fixed.I(1) {
		sx *= float32(room) / float32(natural)
	}
	x := float32(pen) / 64
	for _, g := range gs {
		c.glyph(f, g, size, x, sx)
		x += float32(g.Advance) / 64 * sx
	}
}

// glyph draws one glyph with the pen at x.
func (c *canvas) glyph(f *shape.Font, g shape.Glyph, size int, x, sx float32) {
	s, box, ok := f.Outline(g.Index, size)
	if !ok || len(s) == 0 {
		return
	}
	sy := float32(c.sy)
	px := func(v fixed.Int26_6) float32 { return x + float32(v+g.X)/64*sx }
	py := func(v fixed.Int26_6) float32 { return (float32(baseline+headroom) + float32(v+g.Y)/64) * sy }
	r := image.Rect(int(px(box.Min.X))-1, int(py(box.Min.Y))-1, int(px(box.Max.X))+2, int(py(box.Max.Y))+2)
	if r.Dx() > maxGlyph || r.Dy() > maxGlyph {
		return // no letter is that large
	}
	ras := vector.NewRasterizer(r.Dx(), r.Dy())
	trace(ras, s, func(p fixed.Point26_6) (float32, float32) {
		return px(p.X) - float32(r.Min.X), py(p.Y) - float32(r.Min.Y)
	})
	mask := image.NewAlpha(image.Rect(0, 0, r.Dx(), r.Dy()))
	ras.Draw(mask, mask.Bounds(), image.Opaque, image.Point{})
	for dy := range r.Dy() {
		for dx := range r.Dx() {
			if X, Y := r.Min.X+dx, r.Min.Y+dy; X >= 0 && Y >= 0 && X < c.w && Y < c.h {
				c.pix[Y*c.w+X] = max(c.pix[Y*c.w+X], mask.Pix[dy*mask.Stride+dx])
			}
		}
	}
}

// trace gives an outline to the rasterizer, its points moved by at.
func trace(ras *vector.Rasterizer, s sfnt.Segments, at func(fixed.Point26_6) (float32, float32)) {
	for _, g := range s {
		ax, ay := at(g.Args[0])
		bx, by := at(g.Args[1])
		cx, cy := at(g.Args[2])
		switch g.Op {
		case sfnt.SegmentOpMoveTo:
			ras.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			ras.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			ras.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			ras.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
}

// box is the sign for a letter that is not there.
func (c *canvas) box(pen, room fixed.Int26_6) {
	x0, x1 := pen.Round()+2*c.sx, (pen+room).Round()-2*c.sx
	y0, y1 := (headroom+4)*c.sy, (headroom+20)*c.sy
	for y := y0; y < y1; y++ {
		for x := max(x0, 0); x < min(x1, c.w); x++ {
			if y == y0 || y == y1-1 || x == x0 || x == x1-1 {
				c.pix[y*c.w+x] = 255
			}
		}
	}
}

// bitmap makes dots of the canvas, without the headroom that nothing fills.
func (c *canvas) bitmap(bold bool, gap int) Bitmap {
	top, bottom := headroom*c.sy, c.h-headroom*c.sy
	for y := range c.h {
		for _, p := range c.pix[y*c.w : (y+1)*c.w] {
			if p >= ink {
				top, bottom = min(top, y), max(bottom, y+1)
				break
			}
		}
	}
	b := New(c.w, bottom-top+gap)
	for y := top; y < bottom; y++ {
		row := c.pix[y*c.w : (y+1)*c.w]
		for x := range row {
			if row[x] >= ink || bold && x >= c.sx && row[x-c.sx] >= ink {
				b.Set(x, y-top)
			}
		}
	}
	return b
}
