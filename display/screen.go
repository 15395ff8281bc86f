package display

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"strconv"
	"sync/atomic"
	"time"

	textdisplay "periph.io/x/conn/v3/display"

	"github.com/tillwright/tillwright/pos"
)

const (
	// A panel that failed is tried again after retryFirst, then after twice that
	// and so on up to retryMax: a plug put back in shows a picture within half a
	// minute, and a dead panel costs nothing.
	retryFirst = time.Second
	retryMax   = 30 * time.Second

	// stopWithin bounds the wait for a panel's last Draws, and stillWithin that for a
	// still one's, which may have begun a refresh and makes one more, in white: 2 to 4 s
	// each, 8 s near freezing, and 22 s until package epaper gives each of them up. A
	// process that ends earlier leaves a code on the sheet, and its pumps on.
	stopWithin  = 5 * time.Second
	stillWithin = 45 * time.Second

	// standsFor is how long a still panel shows one picture before it is drawn anew:
	// makers of e-paper ask for a refresh a day.
	standsFor = 24 * time.Hour

	// sameRows is how many unchanged rows part two changed rectangles: fewer cost
	// less to send again than a new window on the bus does.
	sameRows = 8
)

// screen is one panel, or one display of text, and what is on it.
type screen struct {
	panel  Panel
	text   textdisplay.TextDisplay // instead of a panel
	lines  []string                // shown on it; nil when that is not known
	done   chan struct{}           // closed when it is dark and given back
	name   string
	shows  Shows
	bounds image.Rectangle
	glass  Glass
	shown  *image.RGBA // nil when that is not known
	moment moment      // of shown or of lines, on a still panel or one of text
	drawn  time.Time   // when shown was, on a still panel
	still  atomic.Bool // what glass says
	broken bool
	pause  time.Duration
}

func newScreen(p Panel, name string) *screen {
	return &screen{panel: p, name: name, shows: ShowsCustomer}
}

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
		changed, asked := d.news(s.shows) // before drawing, so that no change is missed
		err := s.refresh(d)
		d.report(s, err)
		var again <-chan time.Time
		switch rest := d.rest(s); {
		case err != nil:
			changed, asked = nil, nil // the pause decides when to try, not the next view
			again = time.After(s.pause)
		case rest > 0:
			again = time.After(rest)
		case s.glass.Still:
			again = time.After(standsFor - time.Since(s.drawn))
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-asked:
		case <-again:
		}
	}
}

// refresh shows the newest picture.
func (s *screen) refresh(d *Display) error {
	now := d.moment(s)
	if s.text != nil {
		return s.tell(d.now(s.shows), now)
	}
	g := s.look()
	switch old := time.Since(s.drawn) >= standsFor; {
	case !g.Still:
	case s.shown != nil && s.moment == now && !old:
		return nil // a second has passed, and nothing on it tells seconds
	case old:
		s.shown = nil // all of it is drawn: the panel knows what it needs
	}
	s.moment = now
	err := s.update(d.drawFor(framed{g, s.shows}).frame)
	s.drawn = time.Now()
	return err
}

// limits says what the customer will not see well on this screen, for the log and for
// who looks at the till's links. A Panel may have a method Caution() error that returns
// what else may spoil its picture.
func (s *screen) limits() error {
	if s.text == nil && s.shows != ShowsCashier && !s.look().Carries() {
		return pos.Say("show picture", pos.Invalid, nil, "display_small")
	}
	if c, ok := s.panel.(interface{ Caution() error }); ok {
		return c.Caution()
	}
	return nil
}

// reason is what is wrong with a screen, for people.
func (d *Display) reason(err error) string {
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*pos.Error](err)
	if !ok || e.Msg == "" {
		e = pos.Say("draw", pos.Unavailable, err, "display_silent")
	}
	return e.In(d.lang)
}

// report tells of a panel's change between working and not, and sets the pause.
func (d *Display) report(s *screen, err error) {
	switch {
	case err != nil && !s.broken:
		s.broken, s.pause = true, retryFirst
		d.log.Warn("display does not show the picture", "display", s.name, "err", err)
		d.link(pos.Link{Name: s.name, State: "offline", Detail: d.reason(err)})
	case err != nil:
		s.pause = min(2*s.pause, retryMax)
	case s.broken || s.pause == 0:
		limits := s.limits()
		if limits != nil && s.pause == 0 {
			d.log.Warn("display does not show all, or not well", "display", s.name, "size", s.glass.Size, "err", limits)
		}
		s.broken, s.pause = false, retryFirst
		d.link(pos.Link{Name: s.name, State: "online", Detail: d.reason(limits)})
	}
}

// look asks the panel what it is; one that cannot say has a pixel.
func (s *screen) look() Glass {
	if s.bounds.Empty() {
		_ = guarded(func() error { s.bounds, s.glass = s.panel.Bounds(), GlassOf(s.panel); return nil })
	}
	s.glass.Size = image.Pt(max(s.bounds.Dx(), 1), max(s.bounds.Dy(), 1))
	s.still.Store(s.glass.Still)
	return s.glass
}

// update sends what differs from the picture that the panel shows, the code
// before the rest: on a slow bus the customer can scan while the words follow.
func (s *screen) update(f frame) error {
	if s.bounds.Empty() {
		return fmt.Errorf("panel has no pixels: %v", s.bounds)
	}
	old := s.shown
	s.shown = nil // what is on the glass after a failure is not known
	for _, r := range s.parts(old, f) {
		err := guarded(func() error { return s.panel.Draw(r.Add(s.bounds.Min), f.img, r.Min) })
		if err != nil {
			s.bounds = image.Rectangle{} // it may come back as another one
			return fmt.Errorf("draw %v: %w", r, err)
		}
	}
	s.shown = f.img
	return nil
}

// parts returns what to send of a picture, in order. A still panel takes it in one
// piece: each Draw is a refresh that the customer sees.
func (s *screen) parts(old *image.RGBA, f frame) []image.Rectangle {
	list := changes(old, f.img, f.code)
	if !s.glass.Still || len(list) < 2 {
		return list
	}
	all := image.Rectangle{}
	for _, r := range list {
		all = all.Union(r)
	}
	return []image.Rectangle{all}
}

// dark leaves a black panel, so that nobody scans the code of a till that has
// gone, and gives it back. One that failed is tried, too: it may have come back
// since, with its old picture.
func (s *screen) dark(d *Display) {
	if s.text == nil {
		s.look()
	}
	empty := image.NewUniform(color.Black)
	if s.glass.Still {
		empty = image.NewUniform(color.White) // what its makers want a sheet to be left as
	}
	err := guarded(func() error {
		if s.text != nil || s.bounds.Empty() {
			return nil
		}
		return s.panel.Draw(s.bounds, empty, image.Point{})
	})
	halt := s.empty
	if s.text == nil {
		halt = s.panel.Halt
	}
	err = errors.Join(err, guarded(halt))
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
