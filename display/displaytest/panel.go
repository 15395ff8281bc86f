// Package displaytest holds panels made of code and the tests that every panel
// must pass. It knows what a device does, not what our drivers do with it.
//
// Promise. A Panel keeps each pixel that it was sent, notes every call, and is
// stricter than glass: what a driver would clip in silence it refuses. Suite asks
// of a panel only what display relies on.
package displaytest

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"sync"
)

// Errors of a Panel.
var (
	ErrDead    = errors.New("panel does not answer")
	ErrOutside = errors.New("rectangle outside of the panel")
	ErrHalted  = errors.New("panel is halted")
)

// Panel is a display made of code: 24 bits a pixel, black at first. Set its fields
// before it is drawn on; its methods are safe for concurrent use.
type Panel struct {
	Rect image.Rectangle // Min need not be 0,0

	// Fail, if not nil, is asked before draw n, from 1; its error is Draw's. It
	// may block, as a slow bus does, and it may panic.
	Fail func(n int) error

	// Drawn, if not nil, is told after each draw that succeeded.
	Drawn func(n int)

	mu     sync.Mutex
	img    *image.RGBA
	calls  []image.Rectangle
	draws  int
	busy   bool
	halted bool
}

// New returns a Panel of w × h pixels.
func New(w, h int) *Panel { return &Panel{Rect: image.Rect(0, 0, w, h)} }

// FailAt returns a function for Fail that breaks the n-th draw, and every later
// one up to the draw number last.
func FailAt(n, last int) func(int) error {
	return func(i int) error {
		if i >= n && i <= last {
			return fmt.Errorf("draw %d: %w", i, ErrDead)
		}
		return nil
	}
}

// Bounds returns Rect.
func (p *Panel) Bounds() image.Rectangle { return p.Rect }

// Draw copies src, from sp on, into r. It fails with ErrOutside when r is empty or
// leaves the panel, when src does not cover it, or when two draws meet; with
// ErrHalted after Halt; and with what Fail says.
func (p *Panel) Draw(r image.Rectangle, src image.Image, sp image.Point) error {
	n, err := p.begin(r)
	if err != nil {
		return err
	}
	defer p.end()
	if p.Fail != nil {
		if err := p.Fail(n); err != nil {
			return err
		}
	}
	if from := r.Sub(r.Min).Add(sp); !from.In(src.Bounds()) {
		return fmt.Errorf("%w: picture %v does not cover %v", ErrOutside, src.Bounds(), from)
	}
	p.mu.Lock()
	draw.Draw(p.screen(), r, src, sp, draw.Src)
	p.calls = append(p.calls, r)
	p.mu.Unlock()
	if p.Drawn != nil {
		p.Drawn(n)
	}
	return nil
}

func (p *Panel) begin(r image.Rectangle) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.halted:
		return 0, ErrHalted
	case p.busy:
		return 0, fmt.Errorf("%w: two draws at once", ErrOutside)
	case r.Empty() || !r.In(p.Rect):
		return 0, fmt.Errorf("%w: %v, the panel is %v", ErrOutside, r, p.Rect)
	}
	p.busy = true
	p.draws++
	return p.draws, nil
}

func (p *Panel) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = false
}

// screen returns the pixels. The caller holds p.mu.
func (p *Panel) screen() *image.RGBA {
	if p.img == nil {
		p.img = image.NewRGBA(p.Rect)
		draw.Draw(p.img, p.Rect, image.NewUniform(color.Black), image.Point{}, draw.Src)
	}
	return p.img
}

// Halt ends the use of the panel; what it shows stays.
func (p *Panel) Halt() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halted = true
	return nil
}

// Halted reports that Halt was called.
func (p *Panel) Halted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.halted
}

// Image returns a copy of what the panel shows.
func (p *Panel) Image() *image.RGBA {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := image.NewRGBA(p.Rect)
	copy(out.Pix, p.screen().Pix)
	return out
}

// Calls returns the rectangles drawn so far, in order.
func (p *Panel) Calls() []image.Rectangle {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]image.Rectangle(nil), p.calls...)
}

// Forget empties the list that Calls returns.
func (p *Panel) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = nil
}
