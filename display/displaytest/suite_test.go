package displaytest

import (
	"errors"
	"image"
	"image/color"
	"testing"
)

// look lets the suite see a Panel.
type look struct{ *Panel }

func (l look) Look() image.Image { return l.Image() }

func TestPanelPassesSuite(t *testing.T) {
	for _, test := range []struct {
		name string
		rect image.Rectangle
	}{
		{"7 inch", image.Rect(0, 0, 80, 48)},
		{"odd", image.Rect(0, 0, 33, 17)},
		{"not at the origin", image.Rect(-5, 40, 60, 71)},
	} {
		t.Run(test.name, func(t *testing.T) {
			Suite(t, func(*testing.T) Shown { return look{&Panel{Rect: test.rect}} })
		})
	}
}

// broken is a panel with one fault.
type broken struct {
	look
	draw func(p *Panel, r image.Rectangle, src image.Image, sp image.Point) error
}

func (b broken) Draw(r image.Rectangle, src image.Image, sp image.Point) error {
	return b.draw(b.Panel, r, src, sp)
}

// TestSuiteFindsFaults gives the suite panels with faults that real drivers had.
// Each must fail at least one test.
func TestSuiteFindsFaults(t *testing.T) {
	faults := map[string]func(p *Panel, r image.Rectangle, src image.Image, sp image.Point) error{
		"ignores the origin": func(p *Panel, r image.Rectangle, src image.Image, _ image.Point) error {
			return p.Draw(r, src, src.Bounds().Min)
		},
		"draws all for a part": func(p *Panel, _ image.Rectangle, src image.Image, sp image.Point) error {
			return p.Draw(p.Rect, plain(p.Rect, src.At(sp.X, sp.Y)), p.Rect.Min)
		},
		"window without its end": func(p *Panel, r image.Rectangle, src image.Image, sp image.Point) error {
			r.Max.X--
			if r.Empty() {
				return nil
			}
			return p.Draw(r, src, sp)
		},
		"knows one kind of image": func(p *Panel, r image.Rectangle, src image.Image, sp image.Point) error {
			if _, ok := src.(*image.RGBA); !ok {
				return nil
			}
			return p.Draw(r, src, sp)
		},
		"paints in the picture": func(p *Panel, r image.Rectangle, src image.Image, sp image.Point) error {
			err := p.Draw(r, src, sp)
			if img, ok := src.(*image.RGBA); ok {
				img.Set(sp.X, sp.Y, color.Gray{0x40})
			}
			return err
		},
		"wraps around": func(p *Panel, r image.Rectangle, src image.Image, sp image.Point) error {
			if r.In(p.Rect) {
				return p.Draw(r, src, sp)
			}
			return p.Draw(p.Rect, src, sp)
		},
		"fills for nothing": func(p *Panel, r image.Rectangle, src image.Image, sp image.Point) error {
			if r.Empty() {
				r = p.Rect
			}
			return p.Draw(r, src, sp)
		},
		"never fresh": func(p *Panel, r image.Rectangle, src image.Image, sp image.Point) error {
			if len(p.Calls()) > 2 {
				return nil
			}
			return p.Draw(r, src, sp)
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			for _, test := range tests {
				e := &exam{p: broken{look{New(40, 30)}, fault}}
				if test.run(e); e.err != nil {
					return
				}
			}
			t.Error("no test of the suite noticed")
		})
	}
}

// TestPanelIsStrict holds the promises of Panel itself.
func TestPanelIsStrict(t *testing.T) {
	img := plain(image.Rect(0, 0, 20, 20), color.White)
	for _, test := range []struct {
		name string
		r    image.Rectangle
		sp   image.Point
		want error
	}{
		{"all of it", image.Rect(0, 0, 10, 10), image.Point{}, nil},
		{"empty", image.Rectangle{}, image.Point{}, ErrOutside},
		{"one row too many", image.Rect(0, 0, 10, 11), image.Point{}, ErrOutside},
		{"before the first", image.Rect(-1, 0, 5, 5), image.Point{}, ErrOutside},
		{"picture too short", image.Rect(0, 0, 10, 10), image.Pt(11, 0), ErrOutside},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := New(10, 10).Draw(test.r, img, test.sp); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	p := New(10, 10)
	p.Fail = FailAt(2, 3)
	for n, want := range []error{nil, ErrDead, ErrDead, nil} {
		if err := p.Draw(p.Rect, img, image.Point{}); !errors.Is(err, want) {
			t.Errorf("draw %d: got %v, want %v", n+1, err, want)
		}
	}
	if n := len(p.Calls()); n != 2 {
		t.Errorf("%d draws are noted, want the two that succeeded", n)
	}
	if err := p.Halt(); err != nil || !p.Halted() {
		t.Errorf("Halt: %v", err)
	}
	if err := p.Draw(p.Rect, img, image.Point{}); !errors.Is(err, ErrHalted) {
		t.Errorf("draw after Halt: %v", err)
	}
}
