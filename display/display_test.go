package display

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/pos"
)

// small is a panel on which pictures are drawn fast, for tests of the loop.
func small() *displaytest.Panel { return displaytest.New(240, 160) }

// run starts a Display in a bubble, and stops it when the test ends.
func run(t *testing.T, o Options) *Display {
	t.Helper()
	if o.Size == (image.Point{}) {
		o.Size = image.Pt(240, 160)
	}
	d := New(o)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	synctest.Wait()
	return d
}

// basketOf is a basket of n lines.
func basketOf(t *testing.T, n int) pos.View {
	v := sale(t, "en", "EUR", pos.PhaseBasket, 1, int64(100*n))
	v.Version = uint64(n)
	return v
}

// shows tests that a panel shows exactly v.
func shows(t *testing.T, p *displaytest.Panel, v pos.View) {
	t.Helper()
	want := Picture(v, p.Rect.Size(), time.Now())
	if got := p.Image(); !bytes.Equal(got.Pix, want.Pix) {
		t.Errorf("the panel does not show %s %s", v.Customer.Phase, v.Customer.Total)
	}
}

// links collects what is told of panels.
type links struct {
	mu   sync.Mutex
	told []string
}

func (l *links) add(k pos.Link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, k.Name+" "+k.State)
}

func (l *links) list() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.told)
}

// TestNewestWins publishes a hundred views at a panel that is thirty times too
// slow. Goal: no publish waits, few are drawn, the last one is.
func TestNewestWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := small()
		p.Fail = func(int) error { time.Sleep(300 * time.Millisecond); return nil }
		d := run(t, Options{Panels: []Panel{p}})
		before := time.Now()
		for n := 1; n <= 100; n++ {
			at := time.Now()
			d.Publish(basketOf(t, n))
			if took := time.Since(at); took != 0 {
				t.Fatalf("Publish %d took %v", n, took)
			}
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		shows(t, p, basketOf(t, 100))
		if calls := len(p.Calls()); calls > 20 {
			t.Errorf("%d draws in %v", calls, time.Since(before))
		}
	})
}

// TestPhases: a panel shows of each phase what Picture draws of it, of exact cash too.
func TestPhases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := displaytest.New(320, 240)
		d := run(t, Options{Panels: []Panel{p}, Size: image.Pt(320, 240)})
		exact := coffee(t, "en", pos.PhaseChange)
		exact.Customer.Given, exact.Customer.Change.Minor = exact.Customer.Total, 0
		views := []pos.View{exact}
		for _, phase := range []pos.Phase{pos.PhaseIdle, pos.PhaseBasket, pos.PhaseArriving, pos.PhaseChecking, pos.PhasePaid, pos.PhaseChange, pos.PhaseRefused} {
			views = append(views, coffee(t, "en", phase))
		}
		for i, v := range views {
			v.Version = uint64(i + 1)
			d.Publish(v)
			time.Sleep(time.Second) // as long as a slow panel
			shows(t, p, v)
		}
	})
}

// TestCountdown lets five seconds run out. Each makes one new picture; at the end
// the code is gone and so are the ticks.
func TestCountdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := displaytest.New(320, 240)
		d := run(t, Options{Panels: []Panel{p}, Size: image.Pt(320, 240)})
		v := coffee(t, "en", pos.PhaseDue)
		v.Customer.Expires = time.Now().Add(4500 * time.Millisecond)
		d.Publish(v)
		synctest.Wait()
		_, first := d.PNG()
		shows(t, p, v)
		for i, at := range []time.Duration{500, 1500, 2500, 3500, 4500} {
			time.Sleep(at*time.Millisecond - time.Until(v.Customer.Expires.Add(-4500*time.Millisecond)).Abs())
			synctest.Wait()
			if _, n := d.PNG(); n != first+uint64(i)+1 {
				t.Errorf("after %v: picture %d, want %d", at*time.Millisecond, n-first, i+1)
			}
			shows(t, p, v)
		}
		if f := d.draw(Glass{Size: d.size}); !f.frame.code.Empty() {
			t.Error("the code still stands when its time is up")
		}
		_, last := d.PNG()
		time.Sleep(time.Hour)
		if _, n := d.PNG(); n != last {
			t.Errorf("%d pictures after the end", n-last)
		}
	})
}

// TestNoTicksWithout holds that a picture without a countdown is left alone.
func TestNoTicksWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := small()
		d := run(t, Options{Panels: []Panel{p}})
		for _, phase := range phases {
			v := coffee(t, "en", phase)
			v.Customer.Expires = time.Now().Add(time.Hour)
			if phase == pos.PhaseDue {
				v.Customer.QR = ""
			}
			d.Publish(v)
			synctest.Wait()
			p.Forget()
			_, before := d.PNG()
			time.Sleep(10 * time.Second)
			if _, after := d.PNG(); after != before || len(p.Calls()) != 0 {
				t.Errorf("%s: %d new pictures, %d draws in 10 s", phase, after-before, len(p.Calls()))
			}
		}
	})
}

// TestWallClock holds that the countdown counts from when the code was first seen,
// on the monotonic clock, whatever is published meanwhile.
func TestWallClock(t *testing.T) {
	v := coffee(t, "en", pos.PhaseDue)
	now := time.Now()
	v.Customer.Expires = now.Add(time.Minute).Round(0) // from a file: wall clock alone
	until, whole := countdown(scene{customer: v.Customer}, now)
	if left := until.Sub(now); left.Round(time.Second) != time.Minute || !strings.Contains(until.String(), " m=") {
		t.Errorf("ends in %v at %v, want a monotonic minute", left, until)
	}
	if whole != time.Minute {
		t.Errorf("the whole is %v", whole)
	}
	synctest.Test(t, func(t *testing.T) {
		d := New(Options{})
		v.Customer.Expires = time.Now().Add(90 * time.Second).Round(0)
		d.Publish(v)
		until := d.until
		time.Sleep(45 * time.Second)
		v.Version++
		v.Shop.Name = "Café Nord"
		d.Publish(v)
		if !d.until.Equal(until) || d.scene.whole != 2*time.Minute {
			t.Errorf("the same code now ends %v later, of %v", d.until.Sub(until), d.scene.whole)
		}
		v.Version++
		v.Customer.Expires = v.Customer.Expires.Add(time.Second)
		d.Publish(v)
		if d.until.Sub(until) != time.Second || d.scene.whole != time.Minute {
			t.Errorf("a new end is %v later, of %v", d.until.Sub(until), d.scene.whole)
		}
	})
}

// TestPublish holds which views make a new picture.
func TestPublish(t *testing.T) {
	d := New(Options{Size: image.Pt(80, 60)})
	number := func() uint64 { _, n := d.PNG(); return n }
	start := number()
	for i, test := range []struct {
		name string
		v    func(v *pos.View)
		more uint64
	}{
		{"the first", func(*pos.View) {}, 1},
		{"the same again", func(*pos.View) {}, 1},
		{"something for the cashier", func(v *pos.View) { v.Version, v.Counter.Sync.Waiting = 2, 7 }, 1},
		{"another total", func(v *pos.View) { v.Version, v.Customer.Total.Minor = 3, 99 }, 2},
		{"an older view", func(v *pos.View) { v.Version, v.Customer.Total.Minor = 2, 50 }, 2},
		{"another phase", func(v *pos.View) { v.Version, v.Customer.Phase = 4, pos.PhasePaid }, 3},
	} {
		changed := d.Changed()
		before := number()
		v := coffee(t, "en", pos.PhaseBasket)
		test.v(&v)
		d.Publish(v)
		if got := number() - start; got != test.more {
			t.Errorf("%d, %s: %d pictures, want %d", i, test.name, got, test.more)
		}
		select {
		case <-changed:
			if number() == before {
				t.Errorf("%s: Changed was closed for nothing", test.name)
			}
		default:
			if number() != before {
				t.Errorf("%s: Changed was not closed", test.name)
			}
		}
	}
	if other := New(Options{}); other.number == start {
		t.Error("two Displays number their pictures alike: a browser would keep the other's")
	}
}

// TestPNG decodes what a browser gets, and holds that it is made once.
func TestPNG(t *testing.T) {
	d := New(Options{})
	for _, phase := range phases {
		v := coffee(t, "en", phase)
		v.Version = 9
		v.Customer.Expires = time.Time{}
		d.Publish(v)
		file, _ := d.PNG()
		img, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		want := Picture(v, defaultSize, time.Now())
		for i := range want.Pix {
			x, y := i/4%800, i/4/800
			if got := color.RGBAModel.Convert(img.At(x, y)); i%4 == 0 && got != want.RGBAAt(x, y) {
				t.Fatalf("%s: pixel %d,%d is %v, want %v", phase, x, y, got, want.RGBAAt(x, y))
			}
		}
		if _, ok := img.(*image.Paletted); !ok {
			t.Errorf("%s: more than 256 colours", phase)
		}
		if again, _ := d.PNG(); &again[0] != &file[0] {
			t.Errorf("%s: encoded twice", phase)
		}
		if len(file) > 40<<10 {
			t.Errorf("%s: %d bytes", phase, len(file))
		}
	}
}

// TestPNGOfManyColours holds that a picture with one colour more than a palette
// has is not spoilt.
func TestPNGOfManyColours(t *testing.T) {
	for _, n := range []int{255, 256, 257, 1000} {
		img := image.NewRGBA(image.Rect(0, 0, 64, 64))
		for i := range 64 * 64 {
			img.Set(i%64, i/64, color.RGBA{uint8(i % n), uint8(i % n >> 8), 9, 255})
		}
		got, err := png.Decode(bytes.NewReader(encode(img)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 64 * 64 {
			if got := color.RGBAModel.Convert(got.At(i%64, i/64)); got != img.RGBAAt(i%64, i/64) {
				t.Fatalf("%d colours: pixel %d is %v", n, i, got)
			}
		}
	}
}

// TestTogether publishes, draws and reads at the same time, for the race detector.
func TestTogether(t *testing.T) {
	p := displaytest.New(64, 48)
	d := New(Options{Size: image.Pt(64, 48), Panels: []Panel{p}})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = d.Run(ctx) })
	for range 3 {
		wg.Go(func() {
			for n := range 50 {
				d.Publish(basketOf(t, n))
				d.PNG()
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-d.Changed():
				d.PNG()
			case <-ctx.Done():
			}
		}
	})
	wg.Go(func() {
		defer stop()
		for n := range 50 {
			d.Publish(basketOf(t, 100+n))
		}
	})
	wg.Wait()
	if !p.Halted() {
		t.Error("the panel was not halted")
	}
}
