package display

import (
	"context"
	"errors"
	"image"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/pos"
)

// TestDyingPanel breaks one of two panels for a while. The other must not notice;
// the broken one is asked less and less, and shows the newest picture when it is
// back.
func TestDyingPanel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told links
		var tries []time.Duration
		begun := time.Now()
		good, ill := small(), small()
		ill.Fail = func(n int) error {
			if since := time.Since(begun); since >= time.Minute && since < 5*time.Minute {
				tries = append(tries, since-time.Minute)
				return displaytest.ErrDead
			}
			return nil
		}
		d := run(t, Options{Panels: []Panel{good, ill}, Link: told.add})
		time.Sleep(time.Minute)
		for n := 1; n <= 240; n++ {
			d.Publish(basketOf(t, n))
			synctest.Wait()
			shows(t, good, basketOf(t, n))
			time.Sleep(time.Second)
		}
		time.Sleep(retryMax)
		synctest.Wait()
		shows(t, ill, basketOf(t, 240))
		want := []string{"display 2 offline", "display 2 online"}
		if got := told.list(); !slices.Equal(got[2:], want) || len(got) != 4 {
			t.Errorf("told %q, want two online and %q", got, want)
		}
		gaps := []time.Duration{}
		for i := range tries[1:] {
			gaps = append(gaps, tries[i+1]-tries[i])
		}
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			if gaps[i] != want*time.Second {
				t.Errorf("pauses between tries: %v", gaps)
				break
			}
		}
	})
}

// TestHalfDrawn breaks a panel between the code and the words, and then goes back
// to the picture from before: no half of the other one may be left.
func TestHalfDrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := displaytest.New(320, 240)
		broken := false
		p.Fail = func(int) error {
			if broken && len(p.Calls()) > 0 {
				return displaytest.ErrDead
			}
			return nil
		}
		d := run(t, Options{Panels: []Panel{p}})
		v := coffee(t, "en", pos.PhaseBasket)
		d.Publish(v)
		synctest.Wait()
		shows(t, p, v)
		p.Forget()
		broken = true
		due := coffee(t, "en", pos.PhaseDue)
		due.Customer.Expires = time.Time{}
		d.Publish(due)
		synctest.Wait()
		if len(p.Calls()) != 1 {
			t.Fatalf("%d draws before it broke, want the code's", len(p.Calls()))
		}
		broken = false
		d.Publish(v)
		time.Sleep(retryFirst)
		synctest.Wait()
		shows(t, p, v)
	})
}

// TestPanickingDriver lets a driver panic: the picture goes on elsewhere, and here
// after a pause.
func TestPanickingDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ill, good := small(), small()
		ill.Fail = func(n int) error {
			if n == 2 {
				panic("index out of range")
			}
			return nil
		}
		d := run(t, Options{Panels: []Panel{ill, good}})
		d.Publish(basketOf(t, 1))
		synctest.Wait()
		shows(t, good, basketOf(t, 1))
		time.Sleep(retryFirst)
		synctest.Wait()
		shows(t, ill, basketOf(t, 1))
	})
}

// TestStop holds that panels go dark and are halted when Run ends: no code is left
// standing.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, dead := displaytest.New(320, 240), small()
		dead.Fail = displaytest.FailAt(1, 1000)
		d := New(Options{Panels: []Panel{p, dead}})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		v := coffee(t, "en", pos.PhaseDue)
		v.Customer.Expires = time.Now().Add(time.Minute)
		d.Publish(v)
		synctest.Wait()
		shows(t, p, v)
		if err := d.Run(ctx); pos.KindOf(err) != pos.Conflict {
			t.Errorf("a second Run: %v", err)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if img := p.Image(); slices.ContainsFunc(img.Pix, func(b uint8) bool { return b != 0 && b != 255 }) || img.RGBAAt(160, 120) != black || img.RGBAAt(30, 30) != black {
			t.Error("the panel is not black")
		}
		if !p.Halted() || !dead.Halted() {
			t.Error("a panel was not halted")
		}
	})
}

// TestHangingPanel never comes back from a draw. Run must.
func TestHangingPanel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stuck, good := small(), small()
		stuck.Fail = func(int) error { <-release; return errors.New("bus reset") }
		d := New(Options{Panels: []Panel{stuck, good}})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		d.Publish(basketOf(t, 1))
		synctest.Wait()
		shows(t, good, basketOf(t, 1))
		stop()
		at := time.Now()
		if err := <-done; pos.KindOf(err) != pos.Unavailable || time.Since(at) != stopWithin {
			t.Errorf("Run: %v after %v", err, time.Since(at))
		}
		close(release)
		synctest.Wait()
	})
}

// TestBounds gives panels that do not begin at 0,0, that are upright, or that have
// no pixels at all.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told links
		odd := &displaytest.Panel{Rect: image.Rect(-7, 35, 233, 355)}
		none := &displaytest.Panel{}
		d := run(t, Options{Panels: []Panel{odd, none}, Link: told.add})
		d.Publish(basketOf(t, 3))
		synctest.Wait()
		shows(t, odd, basketOf(t, 3))
		if got := told.list(); !slices.Contains(got, "display 2 offline") {
			t.Errorf("told %q", got)
		}
	})
}

// TestLittleIsSent counts pixels: on a bus each costs time.
func TestLittleIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := displaytest.New(320, 240)
		d := run(t, Options{Panels: []Panel{p}})
		v := coffee(t, "en", pos.PhaseDue)
		v.Customer.Expires = time.Now().Add(time.Minute)
		p.Forget()
		d.Publish(v)
		synctest.Wait()
		code := d.draw(Glass{Size: p.Rect.Size()}).frame.code
		if first := p.Calls()[0]; code.Empty() || !first.In(code) || first.Dx() < code.Dx()*3/4 {
			t.Errorf("drew %v first, the code stands at %v", first, code)
		}
		p.Forget()
		time.Sleep(time.Second)
		synctest.Wait()
		sum := 0
		for _, r := range p.Calls() {
			sum += r.Dx() * r.Dy()
		}
		if share := 320 * 240 / 40; sum == 0 || sum > share {
			t.Errorf("a tick sends %d pixels in %v, want at most %d", sum, p.Calls(), share)
		}
		shows(t, p, v)
	})
}

// TestChanges holds what changes promises of any two pictures: all that differs is
// sent, nothing twice, the code first.
func TestChanges(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	rect := func(in image.Rectangle) image.Rectangle {
		x, y := in.Min.X+rnd.IntN(in.Dx()), in.Min.Y+rnd.IntN(in.Dy())
		return image.Rect(x, y, x+1+rnd.IntN(in.Max.X-x), y+1+rnd.IntN(in.Max.Y-y))
	}
	for range 500 {
		old := newCanvas(Glass{Size: image.Pt(60, 50)}, "en")
		next := newCanvas(Glass{Size: image.Pt(60, 50)}, "en")
		for range rnd.IntN(5) {
			next.fill(rect(next.img.Rect), ink)
		}
		code := image.Rectangle{}
		if rnd.IntN(3) > 0 {
			code = rect(next.img.Rect)
		}
		sent := map[image.Point]bool{}
		outside := false
		for _, r := range changes(old.img, next.img, code) {
			if r.Empty() || !r.In(next.img.Rect) || (outside && r.In(code)) {
				t.Fatalf("%v is sent, the code stands at %v", r, code)
			}
			outside = outside || !r.In(code)
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					if sent[image.Pt(x, y)] {
						t.Fatalf("%d,%d is sent twice", x, y)
					}
					sent[image.Pt(x, y)] = true
				}
			}
		}
		for y := range 50 {
			for x := range 60 {
				if next.img.RGBAAt(x, y) != old.img.RGBAAt(x, y) && !sent[image.Pt(x, y)] {
					t.Fatalf("%d,%d is not sent; code %v", x, y, code)
				}
			}
		}
		area := 0
		for _, r := range changes(nil, next.img, code) {
			area += r.Dx() * r.Dy()
		}
		if area != 60*50 {
			t.Fatalf("a first picture sends %d pixels", area)
		}
	}
}
