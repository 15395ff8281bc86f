package display

import (
	"image"
	"image/color"
)

// mark draws a sign for the eye that reads no words: colour never stands alone.
// It is given the middle of a disc and its radius.
type mark func(x, y, r float64) figure

// mark paints a disc of col in the middle of r, and on it the sign in on.
func (c *canvas) mark(r image.Rectangle, col, on color.RGBA, sign mark) {
	d := min(r.Dx(), r.Dy(), c.p(150)) - c.p(8)
	if d < 6 {
		return
	}
	box := place(r, d, d, middle, middle)
	x, y, half := float64(box.Min.X)+float64(d)/2, float64(box.Min.Y)+float64(d)/2, float64(d)/2
	c.paint(box, col, disc(x, y, half))
	c.paint(box, on, sign(x, y, half))
}

func tick(x, y, r float64) figure {
	return either(
		stroke(x-0.42*r, y+0.03*r, x-0.12*r, y+0.34*r, 0.09*r),
		stroke(x-0.12*r, y+0.34*r, x+0.44*r, y-0.30*r, 0.09*r))
}

func cross(x, y, r float64) figure {
	return either(
		stroke(x-0.32*r, y-0.32*r, x+0.32*r, y+0.32*r, 0.09*r),
		stroke(x-0.32*r, y+0.32*r, x+0.32*r, y-0.32*r, 0.09*r))
}

// arrow comes down onto a line: something is arriving.
func arrow(x, y, r float64) figure {
	return either(
		stroke(x, y-0.46*r, x, y+0.20*r, 0.08*r),
		stroke(x-0.28*r, y-0.08*r, x, y+0.20*r, 0.08*r),
		stroke(x+0.28*r, y-0.08*r, x, y+0.20*r, 0.08*r),
		stroke(x-0.36*r, y+0.46*r, x+0.36*r, y+0.46*r, 0.08*r))
}

// dots ask for a moment.
func dots(x, y, r float64) figure {
	return either(disc(x-0.40*r, y, 0.12*r), disc(x, y, 0.12*r), disc(x+0.40*r, y, 0.12*r))
}
