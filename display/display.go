// Package display draws the customer's picture.
package display

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"log/slog"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Panel is a surface that shows pictures. periph's display.Drawer fits it.
type Panel interface {
	Bounds() image.Rectangle
	Draw(r image.Rectangle, src image.Image, sp image.Point) error
	Halt() error
}

// Options say what to draw on.
type Options struct {
	Size   image.Point // of the picture; zero is 800×480
	Panels []Panel
	Log    *slog.Logger
	Link   func(pos.Link)
}

// Display draws the newest View.
type Display struct {
	opts    Options
	mu      sync.Mutex
	view    pos.View
	changed chan struct{}
}

// New makes a Display.
func New(o Options) *Display {
	if o.Size == (image.Point{}) {
		o.Size = image.Pt(800, 480)
	}
	return &Display{opts: o, changed: make(chan struct{})}
}

// Publish hands over the newest View; it never blocks.
func (d *Display) Publish(v pos.View) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.view = v
	close(d.changed)
	d.changed = make(chan struct{})
}

// Run draws until ctx ends.
func (d *Display) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// PNG returns the newest picture and the version of its View.
func (d *Display) PNG() ([]byte, uint64) {
	d.mu.Lock()
	v := d.view
	d.mu.Unlock()
	var b bytes.Buffer
	_ = png.Encode(&b, Picture(v, d.opts.Size, time.Now()))
	return b.Bytes(), v.Version
}

// Changed returns a channel that is closed when there is a newer picture.
func (d *Display) Changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}
