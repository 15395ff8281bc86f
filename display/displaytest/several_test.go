package displaytest_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/display/epaper"
	"github.com/tillwright/tillwright/display/mipi"
	"github.com/tillwright/tillwright/pos"
)

// TestSeveralPanels gives a till a large panel for the customer, a small one for the
// cashier and a sheet of paper in the window, and breaks two of them in turn. Goal:
// the others show each picture at once; the broken ones are started anew with
// growing pauses, and show the newest picture when they work again.
func TestSeveralPanels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := counter(t)
		big, small, paper, boards := c.big, c.small, c.paper, c.boards
		customer, cashier, window := c.customer, c.cashier, c.window
		var told links
		d := display.New(display.Options{Panels: []display.Panel{customer, cashier, window}, Link: told.add})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		version := uint64(0)
		publish := func(cent int64) {
			version++
			v := coffee(t, pos.PhaseBasket)
			v.Version, v.Customer.Total.Minor = version, cent
			d.Publish(v)
			time.Sleep(900 * time.Millisecond)
			synctest.Wait()
			same(t, "customer", displaytest.Turn(big.Look(), 90), v, display.GlassOf(customer))
		}
		publish(100)
		time.Sleep(5 * time.Second)
		synctest.Wait() // the sheet is read by its own goroutine until here

		var tries []time.Time
		boards[1].Fail = func(int) error {
			if n := len(tries); n == 0 || time.Since(tries[n-1]) > 500*time.Millisecond {
				tries = append(tries, time.Now())
			}
			return displaytest.ErrBus
		}
		paper.Stuck = true
		for cent := range int64(90) {
			publish(200 + cent)
		}
		if boards[1].Lit() {
			t.Log("the light's own line is broken too")
		}
		var gaps []time.Duration
		for i := range tries[1:] {
			gaps = append(gaps, tries[i+1].Sub(tries[i]).Round(time.Second))
		}
		if want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second}; len(gaps) < 6 || !slices.Equal(gaps[:6], want) {
			t.Errorf("a dead panel is tried after %v", gaps)
		}

		boards[1].Fail, paper.Stuck = nil, false
		publish(999)
		time.Sleep(time.Minute)
		synctest.Wait()
		v := coffee(t, pos.PhaseBasket)
		v.Customer.Total.Minor = 999
		same(t, "cashier", displaytest.Turn(small.Look(), 270), v, display.GlassOf(cashier))
		same(t, "window", displaytest.Turn(paper.EPD.Look(), 270), v, display.GlassOf(window))
		if got := told.of("display 2"); !slices.Equal(got, []string{"online", "offline", "online"}) {
			t.Errorf("of the cashier's panel is told %q", got)
		}
		if got := told.of("display 3"); !slices.Equal(got, []string{"online", "offline", "online"}) {
			t.Errorf("of the window's is told %q", got)
		}
		if got := told.of("display"); !slices.Equal(got, []string{"online"}) {
			t.Errorf("of the customer's is told %q", got)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if boards[0].Lit() || boards[1].Lit() || paper.EPD.Look().RGBAAt(9, 9) != (color.RGBA{255, 255, 255, 255}) {
			t.Error("a panel is left with something on it")
		}
		for _, err := range slices.Concat(big.Faults(), small.Faults(), boards[0].Faults(), boards[1].Faults(), boards[2].Faults()) {
			t.Error(err)
		}
	})
}

// shop is a counter with three panels.
type shop struct {
	big, small        *displaytest.DCS
	paper             *displaytest.SSD16xx
	boards            []*displaytest.Board
	customer, cashier *mipi.Dev
	window            *epaper.Dev
}

func counter(t *testing.T) shop {
	t.Helper()
	big := displaytest.NewDCS("ILI9488", displaytest.Glass{Size: image.Pt(320, 480), FlipX: true, BGR: true})
	small := displaytest.NewDCS("ST7789", displaytest.Glass{Size: image.Pt(135, 240), At: image.Pt(52, 40), Negative: true})
	paper := displaytest.NewSSD16xx("SSD1680", 122, 250)
	boards := []*displaytest.Board{{Chip: big, MaxTx: 4096}, {Chip: small, MaxTx: 4096}, {Chip: paper, MaxTx: 4096}}
	customer, err1 := mipi.New(boards[0].Port(), boards[0].DC(), mipi.Opts{Model: "ili9488", Rotation: 270, Reset: boards[0].Reset(), Backlight: boards[0].Backlight()})
	cashier, err2 := mipi.New(boards[1].Port(), boards[1].DC(), mipi.Opts{Model: "st7789-135x240", Rotation: 90, Reset: boards[1].Reset(), Backlight: boards[1].Backlight()})
	window, err3 := epaper.New(boards[2].Port(), epaper.Lines{DC: boards[2].DC(), Reset: boards[2].Reset(), Busy: boards[2].Busy()}, epaper.Opts{Model: "2.13", Rotation: 90})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return shop{big, small, paper, boards, customer, cashier, window}
}

// links collects what is told of panels.
type links struct {
	mu   sync.Mutex
	told []pos.Link
}

func (l *links) add(k pos.Link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, k)
}

func (l *links) of(name string) (states []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.told {
		if k.Name == name {
			states = append(states, k.State)
		}
	}
	return states
}

// same holds that a panel shows v, as exactly as its pixels can.
func same(t *testing.T, name string, got *image.RGBA, v pos.View, g display.Glass) {
	t.Helper()
	want := g.Picture(v, time.Now())
	for i := range want.Pix {
		if d := int(want.Pix[i]) - int(got.Pix[i]); d > 8 || d < -8 {
			t.Fatalf("%s: pixel %d,%d is %d, want %d", name, i/4%g.Size.X, i/4/g.Size.X, got.Pix[i], want.Pix[i])
		}
	}
}
