package epaper

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/pos"
)

// sheet is a chip with a sheet on it.
type sheet interface {
	displaytest.Chip
	Look() *image.RGBA
	Faults() []error
	Refreshes() displaytest.Refreshes
	Asleep() bool
}

// modules are what is sold, by the driver's name.
var modules = map[string]func() (sheet, *displaytest.EPD){
	"2.13":       ssd("SSD1680", 122, 250),
	"2.9":        ssd("SSD1680", 128, 296),
	"4.2":        ssd("SSD1683", 400, 300),
	"2.9-uc8151": uc("UC8151"),
	"4.2-uc8176": uc("UC8176"),
	"7.5":        uc("UC8179"),
}

func ssd(name string, w, h int) func() (sheet, *displaytest.EPD) {
	return func() (sheet, *displaytest.EPD) {
		s := displaytest.NewSSD16xx(name, w, h)
		return s, &s.EPD
	}
}

func uc(name string) func() (sheet, *displaytest.EPD) {
	return func() (sheet, *displaytest.EPD) {
		u := displaytest.NewUC81xx(name)
		return u, &u.EPD
	}
}

// bench is a panel on a table.
type bench struct {
	*Dev
	board *displaytest.Board
	chip  sheet
	epd   *displaytest.EPD
	blind *bool // BUSY told nothing, so nobody could know what is forbidden
}

// Look returns the picture as who mounted the module sees it.
func (b bench) Look() image.Image { return displaytest.Turn(b.chip.Look(), 360-b.opts.Rotation) }

func setUp(t testing.TB, o Opts) bench {
	t.Helper()
	make, ok := modules[o.Model]
	if !ok {
		t.Fatalf("nobody sells %s", o.Model)
	}
	chip, epd := make()
	board := &displaytest.Board{Chip: chip, MaxTx: 4096}
	dev, err := New(board.Port(), Lines{DC: board.DC(), Reset: board.Reset(), Busy: board.Busy(), Power: board.Backlight()}, o)
	if err != nil {
		t.Fatal(err)
	}
	b := bench{dev, board, chip, epd, new(bool)}
	t.Cleanup(func() {
		for _, err := range append(chip.Faults(), board.Faults()...) {
			if !*b.blind {
				t.Errorf("%s: %v", o.Model, err)
			}
		}
	})
	return b
}

// TestSuite runs every panel in every rotation through what display relies on.
func TestSuite(t *testing.T) {
	for i, name := range Models() {
		if i%stride != 0 {
			continue
		}
		turns := []int{0, 90, 180, 270}
		if m := models[name]; m.size.X*m.size.Y > 128*296 {
			turns = turns[2*(i%2):][:2] // large ones take turns
		}
		turns = turns[:max(len(turns)/stride, 1)]
		for _, turn := range turns {
			t.Run(fmt.Sprintf("%s/%d", name, turn), func(t *testing.T) {
				displaytest.Suite(t, func(t *testing.T) displaytest.Shown { return setUp(t, Opts{Model: name, Rotation: turn}) })
			})
		}
	}
}

// dots is a picture that differs with n.
func dots(r image.Rectangle, n int) *image.RGBA {
	img := image.NewRGBA(r)
	for i := range r.Dx() * r.Dy() {
		v := uint8(-(i * (n + 3) >> 4 & 1))
		img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3] = v, v, v, 0xff
	}
	return img
}

// show draws a picture and looks whether the sheet has it.
func (b bench) show(t *testing.T, n int) error {
	t.Helper()
	img := dots(b.Bounds(), n)
	if err := b.Draw(b.Bounds(), img, image.Point{}); err != nil {
		return err
	}
	got := b.Look().(*image.RGBA)
	if !bytes.Equal(img.Pix, got.Pix) {
		t.Fatalf("picture %d is not on the sheet", n)
	}
	return nil
}

// TestRefreshes lives through a day with a sale every half minute, then a quiet
// one. Goal: the rules of the package comment, and a sleeping panel between
// pictures.
func TestRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t, Opts{Model: "2.13"})
		var last time.Time
		full := 0
		for n := range 200 {
			if err := b.show(t, n); err != nil {
				t.Fatal(err)
			}
			if !b.chip.Asleep() || !b.board.Lit() {
				t.Fatalf("picture %d: the panel sleeps: %v, is fed: %v", n, b.chip.Asleep(), b.board.Lit())
			}
			now := b.chip.Refreshes()
			if now.Full > full {
				if gap := time.Since(last); full > 0 && gap < fullPause {
					t.Errorf("picture %d: full again after %v", n, gap)
				}
				full, last = now.Full, time.Now()
			}
			time.Sleep(30 * time.Second)
		}
		got := b.chip.Refreshes()
		if got.Full+got.Partial != 200 || got.Full < 200/(partialMax+2) || got.Full > 200/partialMax+1 {
			t.Errorf("%+v of 200 pictures", got)
		}
		b.partials = 0
		for i, test := range []struct {
			pause time.Duration
			full  int
		}{{time.Hour, 0}, {25 * time.Hour, 1}} {
			time.Sleep(test.pause)
			before := b.chip.Refreshes().Full
			if err := b.show(t, 500+i); err != nil {
				t.Fatal(err)
			}
			if more := b.chip.Refreshes().Full - before; more != test.full {
				t.Errorf("after %v: %d full refreshes, want %d", test.pause, more, test.full)
			}
		}
	})
}

// TestHurry draws faster than makers like: there must be an end to partial ones.
func TestHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t, Opts{Model: "4.2"})
		for n := range partialLast + 2 {
			if err := b.show(t, n); err != nil {
				t.Fatal(err)
			}
			if got := b.chip.Refreshes().Since; got > partialLast {
				t.Fatalf("%d partial refreshes in a row", got)
			}
		}
		if got := b.chip.Refreshes(); got.Full != 2 {
			t.Errorf("%+v, want two full ones", got)
		}
	})
}

// TestFullOnly holds that panels without a short waveform, and those told so, are
// always refreshed in full.
func TestFullOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, o := range []Opts{{Model: "2.9-uc8151"}, {Model: "4.2-uc8176"}, {Model: "2.9", FullOnly: true}} {
			b := setUp(t, o)
			for n := range 4 {
				if err := b.show(t, n); err != nil {
					t.Fatal(err)
				}
			}
			if got := b.chip.Refreshes(); got.Full != 4 || got.Partial != 0 {
				t.Errorf("%+v: %+v", o, got)
			}
		}
	})
}

// TestBothWaveforms holds that each sheet is refreshed as the driver believes: in full by
// the first picture, in part by the second if its controller can.
func TestBothWaveforms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, name := range Models() {
			b, want := setUp(t, Opts{Model: name}), displaytest.Refreshes{Full: 2, Activations: 2}
			if models[name].partial {
				want = displaytest.Refreshes{Full: 1, Partial: 1, Since: 1, Activations: 2}
			}
			for n := range 2 {
				if err := b.show(t, n); err != nil {
					t.Fatal(err)
				}
			}
			if got := b.chip.Refreshes(); got != want {
				t.Errorf("%s: %+v, want %+v", name, got, want)
			}
		}
	})
}

// TestNothingNew holds that a picture that is seen already costs no refresh.
func TestNothingNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t, Opts{Model: "7.5"})
		for range 3 {
			if err := b.show(t, 7); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.chip.Refreshes(); got.Activations != 1 {
			t.Errorf("%+v for one picture", got)
		}
	})
}

// TestStandsADay draws one picture again and again: it costs nothing for a day, and then
// a full refresh, which is what the sheet's makers ask for.
func TestStandsADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, name := range []string{"2.13", "7.5"} {
			b := setUp(t, Opts{Model: name})
			for i, want := range []displaytest.Refreshes{{Full: 1, Activations: 1}, {Full: 1, Activations: 1}, {Full: 2, Activations: 2}, {Full: 2, Activations: 2}} {
				if err := b.show(t, 1); err != nil || b.chip.Refreshes() != want {
					t.Errorf("%s, %d: %+v, want %+v; %v", name, i, b.chip.Refreshes(), want, err)
				}
				time.Sleep(fullAfter/2 + time.Minute)
			}
		}
	})
}

// TestBlank holds that a sheet is emptied in full: no shadow of a code is left.
func TestBlank(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t, Opts{Model: "2.13", Rotation: 90})
		for n := range 3 {
			if err := b.show(t, n); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Draw(b.Bounds(), image.White, image.Point{}); err != nil {
			t.Fatal(err)
		}
		if got := b.chip.Refreshes(); got.Full != 2 || got.Since != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// TestBusFails breaks every transfer and every change of a line in turn, over a
// full and a partial picture. Goal: Draw says so, the next one shows its picture
// after a full refresh, and the chip is asked for nothing that it forbids.
func TestBusFails(t *testing.T) {
	for i, name := range []string{"2.9-uc8151", "2.13", "4.2", "7.5"} {
		if i > 1 && stride > 1 {
			break // the large ones
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for at := 1; breakAt(t, name, at); at += stride {
				}
			})
		})
	}
}

func breakAt(t *testing.T, name string, at int) (broke bool) {
	b := setUp(t, Opts{Model: name})
	b.board.MaxTx, b.bus.chunk = 32<<10, 32<<10
	b.board.Fail = func(n int) error {
		if n == at {
			return displaytest.ErrBus
		}
		return nil
	}
	for n := range 2 {
		err := b.show(t, n)
		if err == nil {
			continue
		}
		broke = true
		if pos.KindOf(err) != pos.Unavailable || !errors.Is(err, displaytest.ErrBus) {
			t.Errorf("event %d: %v, want Unavailable", at, err)
		}
		full := b.chip.Refreshes().Full
		if err := b.show(t, n+10); err != nil {
			t.Fatalf("event %d: the panel stays broken: %v", at, err)
		}
		if b.chip.Refreshes().Full != full+1 {
			t.Errorf("event %d: a sheet in an unknown state was refreshed in part", at)
		}
	}
	return broke
}

// TestBusy lets BUSY tell lies, on both polarities. Goal: an error within the
// deadline, never a hang; and a panel that works again works again.
func TestBusy(t *testing.T) {
	for _, name := range []string{"2.13", "7.5"} {
		for _, test := range []struct {
			name  string
			spoil func(b bench)
			mend  func(b bench)
			want  string
		}{
			{"never releases", func(b bench) { b.epd.Stuck = true }, func(b bench) { b.epd.Stuck = false }, "stays busy"},
			{"is not connected", func(b bench) { b.board.BusyOpen = true }, func(b bench) { b.board.BusyOpen = false }, "stays busy"},
			{"is always idle", func(b bench) { b.epd.Loose, *b.blind = true, true }, func(b bench) { b.epd.Loose = false }, "never says"},
			{"gets stuck in a refresh", func(b bench) { b.epd.StuckFrom = 2 }, func(b bench) { b.epd.StuckFrom = 0 }, "stays busy"},
		} {
			t.Run(name+"/"+test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := setUp(t, Opts{Model: name})
					if err := b.show(t, 1); err != nil {
						t.Fatal(err)
					}
					test.spoil(b)
					at := time.Now()
					err := b.show(t, 2)
					if took := time.Since(at); pos.KindOf(err) != pos.Unavailable || took > 16*time.Second { // 15 for BUSY, as the README has it, and what else takes time
						t.Errorf("%v after %v", err, took)
					}
					if cause := fmt.Sprint(errors.Unwrap(err)); !strings.Contains(cause, test.want) {
						t.Errorf("cause %q, want %q", cause, test.want)
					}
					test.mend(b)
					time.Sleep(time.Minute)
					if err := b.show(t, 3); err != nil {
						t.Errorf("mended: %v", err)
					}
				})
			})
		}
	}
}

// TestRefusals gives New what makes no panel.
func TestRefusals(t *testing.T) {
	b := &displaytest.Board{Chip: displaytest.NewUC81xx("UC8179")}
	all := Lines{DC: b.DC(), Reset: b.Reset(), Busy: b.Busy()}
	for name, test := range map[string]struct {
		l Lines
		o Opts
	}{
		"no such model": {all, Opts{Model: "12.48"}},
		"half a turn":   {all, Opts{Model: "7.5", Rotation: 45}},
		"no reset":      {Lines{DC: b.DC(), Busy: b.Busy()}, Opts{Model: "7.5"}},
		"no busy":       {Lines{DC: b.DC(), Reset: b.Reset()}, Opts{Model: "7.5"}},
	} {
		if d, err := New(b.Port(), test.l, test.o); d != nil || pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v, %v; want Invalid", name, d, err)
		}
	}
	if _, err := New(b.Port(), Lines{DC: b.DC(), Reset: b.Reset(), Busy: b.DC()}, Opts{Model: "7.5"}); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("a BUSY line that is no input: %v, want Unavailable", err)
	}
}
