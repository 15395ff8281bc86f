package displaytest

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"testing"
	"testing/synctest"
)

// Shown is a panel as display uses it, and a way to look at it.
type Shown interface {
	Bounds() image.Rectangle
	Draw(r image.Rectangle, src image.Image, sp image.Point) error
	Halt() error

	// Look returns what a person would see: the device's own memory turned back
	// into a picture with the panel's Bounds.
	Look() image.Image
}

// tests is what every panel must do. Each is run on a new panel.
var tests = []struct {
	name string
	run  func(e *exam)
}{
	{"a whole picture", whole},
	{"a part leaves the rest alone", part},
	{"every corner", corners},
	{"the picture's own origin counts", origin},
	{"any kind of image", kinds},
	{"the picture is not changed", untouched},
	{"outside nothing happens", outside},
	{"an empty rectangle", empty},
	{"the newest draw wins", again},
	{"halt twice", halt},
}

// Suite tests a panel, each test in a synctest bubble: a chip's waits take no time.
// open makes a new one for each test; what it shows at first
// does not matter. Only black and white are compared, so that a panel with one bit
// a pixel can pass.
func Suite(t *testing.T, open func(t *testing.T) Shown) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &exam{p: open(t)}
				test.run(e)
				if e.err != nil {
					t.Error(e.err)
				}
			})
		})
	}
}

// exam draws on a panel and keeps the first thing that went wrong; after it the
// rest is skipped.
type exam struct {
	p   Shown
	err error
}

func (e *exam) show(r image.Rectangle, src image.Image, sp image.Point) {
	if e.err != nil {
		return
	}
	if err := e.p.Draw(r, src, sp); err != nil {
		e.err = fmt.Errorf("Draw(%v) of %T: %w", r, src, err)
	}
}

// compare tests the panel against want, pixel for pixel.
func (e *exam) compare(want image.Image) {
	if e.err == nil {
		e.err = differ(e.p.Look(), want, e.p.Bounds())
	}
}

// pattern is a picture that no shift, flip or turn leaves the same.
func pattern(r image.Rectangle) *image.RGBA {
	img := image.NewRGBA(r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := color.Gray{0xff}
			if h := uint32(x-r.Min.X)*2654435761 ^ uint32(y-r.Min.Y)*2246822519; h>>13&1 == 1 {
				c.Y = 0
			}
			img.Set(x, y, c)
		}
	}
	return img
}

func plain(r image.Rectangle, c color.Color) *image.RGBA {
	img := image.NewRGBA(r)
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

func differ(got, want image.Image, r image.Rectangle) error {
	if got.Bounds() != r {
		return fmt.Errorf("Look has bounds %v, want %v", got.Bounds(), r)
	}
	wrong, first := 0, image.Point{}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if light(got.At(x, y)) != light(want.At(x, y)) {
				if wrong++; wrong == 1 {
					first = image.Pt(x, y)
				}
			}
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d pixels are wrong, the first at %v: got %v, want %v",
			wrong, r.Dx()*r.Dy(), first, got.At(first.X, first.Y), want.At(first.X, first.Y))
	}
	return nil
}

func light(c color.Color) bool { return color.GrayModel.Convert(c).(color.Gray).Y >= 0x80 }

func whole(e *exam) {
	b := e.p.Bounds()
	if b.Empty() {
		e.err = fmt.Errorf("Bounds are %v", b)
		return
	}
	img := pattern(b)
	e.show(b, img, b.Min)
	e.compare(img)
}

func part(e *exam) {
	b := e.p.Bounds()
	e.show(b, plain(b, color.White), b.Min)
	r := image.Rect(b.Min.X+b.Dx()/3, b.Min.Y+b.Dy()/3, b.Min.X+b.Dx()/2+1, b.Min.Y+b.Dy()/2+1)
	img := pattern(b)
	e.show(r, img, r.Min)
	want := plain(b, color.White)
	draw.Draw(want, r, img, r.Min, draw.Src)
	e.compare(want)
}

// corners draws single pixels: bytes of eight pixels, and windows that include
// their ends, go wrong here first.
func corners(e *exam) {
	b := e.p.Bounds()
	e.show(b, plain(b, color.White), b.Min)
	want := plain(b, color.White)
	dot := plain(image.Rect(0, 0, 1, 1), color.Black)
	last := b.Max.Sub(image.Pt(1, 1))
	for _, at := range []image.Point{b.Min, {last.X, b.Min.Y}, {b.Min.X, last.Y}, last, b.Min.Add(b.Size().Div(2))} {
		e.show(image.Rectangle{Min: at, Max: at.Add(image.Pt(1, 1))}, dot, image.Point{})
		want.Set(at.X, at.Y, color.Black)
	}
	e.compare(want)
}

func origin(e *exam) {
	b := e.p.Bounds()
	far := pattern(image.Rect(-7, -5, b.Dx()+9, b.Dy()+11))
	sp := image.Pt(-3, 2)
	e.show(b, far, sp)
	want := image.NewRGBA(b)
	draw.Draw(want, b, far, sp, draw.Src)
	e.compare(want)
}

// opaque hides what kind of image it is from a driver's fast paths.
type opaque struct{ image.Image }

func kinds(e *exam) {
	b := e.p.Bounds()
	want := pattern(b)
	gray, nrgba := image.NewGray(b), image.NewNRGBA(b)
	paletted := image.NewPaletted(b, color.Palette{color.White, color.Black})
	for _, img := range []draw.Image{gray, nrgba, paletted} {
		draw.Draw(img, b, want, b.Min, draw.Src)
	}
	for _, img := range []image.Image{gray, nrgba, paletted, opaque{want}} {
		e.show(b, plain(b, color.White), b.Min)
		e.show(b, img, b.Min)
		e.compare(want)
	}
	e.show(b, image.NewUniform(color.Black), image.Point{})
	e.compare(plain(b, color.Black))
}

func untouched(e *exam) {
	b := e.p.Bounds()
	img := pattern(b)
	e.show(b, img, b.Min)
	if err := differ(img, pattern(b), b); err != nil && e.err == nil {
		e.err = fmt.Errorf("the picture was changed: %w", err)
	}
}

// outside lets a panel clip or refuse, as it likes; it must do no damage.
func outside(e *exam) {
	b := e.p.Bounds()
	e.show(b, plain(b, color.White), b.Min)
	far := b.Add(image.Pt(3*b.Dx(), 3*b.Dy()))
	_ = e.p.Draw(far, plain(far, color.Black), far.Min)
	e.compare(plain(b, color.White))

	over := b.Add(image.Pt(b.Dx()-2, b.Dy()-2)) // two by two pixels of it are on the panel
	err := e.p.Draw(over, plain(over, color.Black), over.Min)
	want := plain(b, color.White)
	if err == nil {
		draw.Draw(want, over, image.NewUniform(color.Black), image.Point{}, draw.Src)
	}
	e.compare(want)
	e.show(b, plain(b, color.Black), b.Min) // and it still works
	e.compare(plain(b, color.Black))
}

func empty(e *exam) {
	b := e.p.Bounds()
	img := pattern(b)
	e.show(b, img, b.Min)
	_ = e.p.Draw(image.Rectangle{}, plain(b, color.Black), b.Min)
	_ = e.p.Draw(image.Rectangle{Min: b.Min, Max: image.Pt(b.Max.X, b.Min.Y)}, plain(b, color.Black), b.Min)
	e.compare(img)
}

func again(e *exam) {
	b := e.p.Bounds()
	for _, c := range []color.Color{color.White, color.Black, color.White, color.Black} {
		e.show(b, plain(b, c), b.Min)
		e.compare(plain(b, c))
	}
}

func halt(e *exam) {
	b := e.p.Bounds()
	e.show(b, plain(b, color.White), b.Min)
	for range 2 {
		if err := e.p.Halt(); err != nil && e.err == nil {
			e.err = fmt.Errorf("Halt: %w", err)
		}
	}
	_ = e.p.Draw(b, plain(b, color.Black), b.Min) // may fail, must not crash
}
