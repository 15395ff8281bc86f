package display

import (
	"image"
	"image/color"
	"math"
)

// The palette: ink on white, one accent, and two colours that say with their words
// what has happened. Against white: ink 17:1, quiet 6:1, accent 8:1, good and bad
// 7:1 (WCAG 2 asks for 4.5 and, for the careful, 7).
var (
	white  = color.RGBA{0xff, 0xff, 0xff, 0xff}
	black  = color.RGBA{0x00, 0x00, 0x00, 0xff}
	ink    = color.RGBA{0x12, 0x18, 0x20, 0xff}
	quiet  = color.RGBA{0x56, 0x60, 0x6d, 0xff}
	hair   = color.RGBA{0xdd, 0xe2, 0xe8, 0xff}
	shade  = color.RGBA{0xf3, 0xf5, 0xf8, 0xff}
	accent = color.RGBA{0x0f, 0x4c, 0x81, 0xff}
	good   = color.RGBA{0x00, 0x64, 0x32, 0xff}
	bad    = color.RGBA{0xa0, 0x1f, 0x1a, 0xff}
)

// canvas is a picture in the making.
type canvas struct {
	img   *image.RGBA
	glass Glass
	area  image.Rectangle // where the layout stands
	lang  string

	// code is where the QR stands, and module its pixels a module; a slow panel
	// shows it first.
	code   image.Rectangle
	module int

	// placed, in tests, is told of every text.
	placed func(box image.Rectangle, s string, f fitted, t set, wt *weight)
}

func newCanvas(g Glass, lang string) *canvas {
	c := &canvas{img: image.NewRGBA(image.Rectangle{Max: g.Size}), glass: g, area: g.area(), lang: lang}
	c.fill(c.img.Rect, white)
	return c
}

// tone returns the colour that stands for col on this glass: on one without greys
// what is light is paper, and all else is ink.
func (c *canvas) tone(col color.RGBA) color.RGBA {
	if !c.glass.Mono && !c.glass.Dark {
		return col
	}
	if light := col == white || col == shade; light != c.glass.Dark {
		return white
	}
	return black
}

// cover returns how much of a pixel is painted, of a coverage a.
func (c *canvas) cover(a uint8) uint8 {
	switch {
	case !c.glass.Mono:
		return a
	case a >= monoFrom:
		return 0xff
	default:
		return 0
	}
}

// monoFrom is the coverage from which a pixel without greys is ink. A little less
// than half keeps thin strokes whole.
const monoFrom = 0x70

// p scales n, a length on the 480 pixels of a 7" panel's shorter side, to this
// picture.
func (c *canvas) p(n int) int {
	return n * min(c.area.Dx(), c.area.Dy()) / 480
}

// least is the smallest type size in pixels: 16 on a 7" panel is 3 mm, which is read
// at arm's length.
func (c *canvas) least() int { return max(c.p(16), 9) }

// fill paints r.
func (c *canvas) fill(r image.Rectangle, col color.RGBA) { c.fillPure(r, c.tone(col)) }

// fillPure paints r in just this colour: a code is black on white on every glass.
func (c *canvas) fillPure(r image.Rectangle, col color.RGBA) {
	r = r.Intersect(c.img.Rect)
	if r.Empty() {
		return
	}
	first := c.img.Pix[c.img.PixOffset(r.Min.X, r.Min.Y):][:4*r.Dx()]
	copy(first, []uint8{col.R, col.G, col.B, col.A})
	for n := 4; n < len(first); n *= 2 {
		copy(first[n:], first[:n])
	}
	for y := r.Min.Y + 1; y < r.Max.Y; y++ {
		copy(c.img.Pix[c.img.PixOffset(r.Min.X, y):], first)
	}
}

// stamp paints col through a glyph's mask, within box.
func (c *canvas) stamp(box image.Rectangle, at image.Point, g glyph, col color.RGBA) {
	r := image.Rect(at.X, at.Y, at.X+g.w, at.Y+g.h).Intersect(box)
	col = c.tone(col)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		mask := g.mask[(y-at.Y)*g.w+r.Min.X-at.X:][:r.Dx()]
		row := c.img.Pix[c.img.PixOffset(r.Min.X, y):][:4*r.Dx()]
		for x, a := range mask {
			blend(row[4*x:], col, c.cover(a))
		}
	}
}

// blend paints col with coverage a over an opaque pixel.
func blend(px []uint8, col color.RGBA, a uint8) {
	if a == 0 {
		return
	}
	_ = px[3]
	over := func(below, above uint8) uint8 {
		return uint8((int(below)*(255-int(a)) + int(above)*int(a) + 127) / 255)
	}
	px[0], px[1], px[2] = over(px[0], col.R), over(px[1], col.G), over(px[2], col.B)
}

// figure is a signed distance in pixels: negative inside. It is geometry, the only
// place where a picture is made with floating point numbers.
type figure func(x, y float64) float64

// paint fills a figure that lies within r, its edge softened over one pixel.
func (c *canvas) paint(r image.Rectangle, col color.RGBA, s figure) {
	r = r.Intersect(c.img.Rect)
	col = c.tone(col)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.img.Pix[c.img.PixOffset(r.Min.X, y):]
		for x := range r.Dx() {
			cover := 0.5 - s(float64(r.Min.X+x)+0.5, float64(y)+0.5)
			if cover > 0 {
				blend(row[4*x:], col, c.cover(coarse(uint8(min(cover, 1)*255))))
			}
		}
	}
}

// pill paints r with round ends.
func (c *canvas) pill(r image.Rectangle, col color.RGBA) {
	half := float64(min(r.Dx(), r.Dy())) / 2
	y := float64(r.Min.Y+r.Max.Y) / 2
	c.paint(r, col, stroke(float64(r.Min.X)+half, y, float64(r.Max.X)-half, y, half))
}

// disc is a circle.
func disc(x, y, radius float64) figure {
	return func(px, py float64) float64 { return length(px-x, py-y) - radius }
}

// stroke is a line with round ends.
func stroke(x1, y1, x2, y2, half float64) figure {
	dx, dy := x2-x1, y2-y1
	square := dx*dx + dy*dy
	return func(x, y float64) float64 {
		t := 0.0
		if square > 0 {
			t = max(0, min(1, ((x-x1)*dx+(y-y1)*dy)/square))
		}
		return length(x-x1-t*dx, y-y1-t*dy) - half
	}
}

// either joins figures.
func either(figures ...figure) figure {
	return func(x, y float64) float64 {
		d := math.Inf(1)
		for _, s := range figures {
			d = min(d, s(x, y))
		}
		return d
	}
}

// length is math.Hypot without its care for numbers that no picture has.
func length(x, y float64) float64 { return math.Sqrt(x*x + y*y) }
