package display

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"strconv"
	"time"

	"github.com/tillwright/tillwright/pos"
)

const (
	// A panel that failed is tried again after retryFirst, then after twice that
	// and so on up to retryMax: a plug put back in shows a picture within half a
	// minute, and a dead panel costs nothing.
	retryFirst = time.Second
	retryMax   = 30 * time.Second

	// stopWithin bounds the wait for a panel's last Draw: an e-paper takes two
	// seconds, a colour one is not for a counter.
	stopWithin = 5 * time.Second

	// sameRows is how many unchanged rows part two changed rectangles: fewer cost
	// less to send again than a new window on the bus does.
	sameRows = 8
)

// screen is one panel and the picture that is on it.
type screen struct {
	panel  Panel
	name   string
	bounds image.Rectangle
	shown  *image.RGBA // nil when that is not known
	broken bool
	pause  time.Duration
}

func newScreen(p Panel, name string) *screen { return &screen{panel: p, name: name} }

// linkName tells the panels apart: "display", "display 2".
func linkName(i int) string {
	if i == 0 {
		return "display"
	}
	return "display " + strconv.Itoa(i+1)
}

// show keeps the newest picture on one panel until ctx ends.
func (d *Display) show(ctx context.Context, s *screen) {
	defer s.dark(d)
	for ctx.Err() == nil {
		changed := d.Changed() // before drawing, so that no change is missed
		err := s.update(d.draw(s.size()).frame)
		d.report(s, err)
		if err != nil {
			changed = nil // the pause decides when to try, not the next view
		}
		var retry <-chan time.Time
		if err != nil {
			retry = time.After(s.pause)
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-retry:
		}
	}
}

// report tells of a panel's change between working and not, and sets the pause.
func (d *Display) report(s *screen, err error) {
	switch {
	case err != nil && !s.broken:
		s.broken, s.pause = true, retryFirst
		d.log.Warn("display does not show the picture", "display", s.name, "err", err)
		d.link(pos.Link{Name: s.name, State: "offline", Detail: "the customer's display does not answer"})
	case err != nil:
		s.pause = min(2*s.pause, retryMax)
	case s.broken || s.pause == 0:
		s.broken, s.pause = false, retryFirst
		d.link(pos.Link{Name: s.name, State: "online"})
	}
}

// size asks the panel for its size; one that cannot say has a pixel.
func (s *screen) size() image.Point {
	if s.bounds.Empty() {
		_ = guarded(func() error { s.bounds = s.panel.Bounds(); return nil })
	}
	return image.Pt(max(s.bounds.Dx(), 1), max(s.bounds.Dy(), 1))
}

// update sends what differs from the picture that the panel shows, the code
// before the rest: on a slow bus the customer can scan while the words follow.
func (s *screen) update(f frame) error {
	if s.bounds.Empty() {
		return fmt.Errorf("panel has no pixels: %v", s.bounds)
	}
	old := s.shown
	s.shown = nil // what is on the glass after a failure is not known
	for _, r := range changes(old, f.img, f.code) {
		err := guarded(func() error { return s.panel.Draw(r.Add(s.bounds.Min), f.img, r.Min) })
		if err != nil {
			return fmt.Errorf("draw %v: %w", r, err)
		}
	}
	s.shown = f.img
	return nil
}

// dark leaves a black panel, so that nobody scans the code of a till that has
// gone, and gives it back.
func (s *screen) dark(d *Display) {
	black := image.NewUniform(color.Black)
	err := guarded(func() error {
		if s.bounds.Empty() || s.broken {
			return nil
		}
		return s.panel.Draw(s.bounds, black, image.Point{})
	})
	if err == nil {
		err = guarded(s.panel.Halt)
	} else {
		_ = guarded(s.panel.Halt)
	}
	if err != nil {
		d.log.Warn("display does not go dark", "display", s.name, "err", err)
	}
}

// guarded calls a driver. One that panics is a broken panel, not a broken till:
// sales go on without the display.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("driver panicked: %v", p)
		}
	}()
	return f()
}

// changes returns the rectangles in which next differs from old, first the code's
// if it changed. Together they hold every changed pixel, and they do not overlap.
func changes(old, next *image.RGBA, code image.Rectangle) []image.Rectangle {
	all := next.Rect
	if old == nil || old.Rect != all {
		old = nil
	}
	if code.Empty() {
		return differences(nil, old, next, all)
	}
	out := differences(nil, old, next, code)
	for _, rest := range []image.Rectangle{
		{all.Min, image.Pt(all.Max.X, code.Min.Y)},
		{image.Pt(all.Min.X, code.Min.Y), image.Pt(code.Min.X, code.Max.Y)},
		{image.Pt(code.Max.X, code.Min.Y), image.Pt(all.Max.X, code.Max.Y)},
		{image.Pt(all.Min.X, code.Max.Y), all.Max},
	} {
		out = differences(out, old, next, rest)
	}
	return out
}

// differences appends the rectangles within area in which next differs from old:
// each a run of changed rows, as wide as its changes. Without old all of area
// differs.
func differences(out []image.Rectangle, old, next *image.RGBA, area image.Rectangle) []image.Rectangle {
	if area.Empty() {
		return out
	}
	if old == nil {
		return append(out, area)
	}
	run := image.Rectangle{}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		from, to := rowDifference(old, next, area, y)
		if from == to {
			if !run.Empty() && y-run.Max.Y >= sameRows {
				out, run = append(out, run), image.Rectangle{}
			}
			continue
		}
		run = run.Union(image.Rect(from, y, to, y+1))
	}
	if !run.Empty() {
		out = append(out, run)
	}
	return out
}

// rowDifference returns the columns of row y, within area, that differ.
func rowDifference(old, next *image.RGBA, area image.Rectangle, y int) (from, to int) {
	i, j := next.PixOffset(area.Min.X, y), next.PixOffset(area.Max.X, y)
	a, b := old.Pix[i:j], next.Pix[i:j]
	if bytes.Equal(a, b) {
		return 0, 0
	}
	first, last := 0, len(a)
	for ; bytes.Equal(a[first:first+4], b[first:first+4]); first += 4 {
	}
	for ; bytes.Equal(a[last-4:last], b[last-4:last]); last -= 4 {
	}
	return area.Min.X + first/4, area.Min.X + last/4
}
