package mipi

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/display"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/pos"
)

// module is a panel as its maker sells it: written from makers' drawings and
// libraries, apart from the driver's own table.
type module struct {
	chip  string
	glass displaytest.Glass
}

// modules by the driver's name of them.
var modules = map[string]module{
	"ili9341":              {"ILI9341", displaytest.Glass{Size: image.Pt(240, 320), FlipX: true, BGR: true}},
	"ili9488":              {"ILI9488", displaytest.Glass{Size: image.Pt(320, 480), FlipX: true, BGR: true}},
	"st7789-240x320":       {"ST7789", displaytest.Glass{Size: image.Pt(240, 320), Negative: true}},
	"st7789-240x240":       {"ST7789", displaytest.Glass{Size: image.Pt(240, 240), Negative: true}},
	"st7789-170x320":       {"ST7789", displaytest.Glass{Size: image.Pt(170, 320), At: image.Pt(35, 0), Negative: true}},
	"st7789-135x240":       {"ST7789", displaytest.Glass{Size: image.Pt(135, 240), At: image.Pt(52, 40), Negative: true}},
	"st7735-128x160":       {"ST7735-128x160", displaytest.Glass{Size: image.Pt(128, 160), FlipX: true, FlipY: true}},
	"st7735-128x160-green": {"ST7735", displaytest.Glass{Size: image.Pt(128, 160), At: image.Pt(2, 1), FlipX: true, FlipY: true, BGR: true}},
	"st7735-128x128":       {"ST7735-132x132", displaytest.Glass{Size: image.Pt(128, 128), At: image.Pt(2, 1), FlipX: true, FlipY: true, BGR: true}},
	"st7735-80x160":        {"ST7735", displaytest.Glass{Size: image.Pt(80, 160), At: image.Pt(26, 1), FlipX: true, FlipY: true, BGR: true, Negative: true}},
	"gc9a01":               {"GC9A01", displaytest.Glass{Size: image.Pt(240, 240), BGR: true, Negative: true}},
}

// bench is a panel on a table: driver, wires, chip.
type bench struct {
	*Dev
	board *displaytest.Board
	chip  *displaytest.DCS
}

// Look returns the picture as who mounted the module sees it.
func (b bench) Look() image.Image { return displaytest.Turn(b.chip.Look(), 360-b.opts.Rotation) }

// setUp opens a panel, and fails the test if anything was done that a data sheet
// forbids.
func setUp(t testing.TB, o Opts) bench {
	t.Helper()
	m, ok := modules[o.Model]
	if !ok {
		t.Fatalf("nobody sells %s", o.Model)
	}
	chip := displaytest.NewDCS(m.chip, m.glass)
	board := &displaytest.Board{Chip: chip, MaxTx: 4096}
	if o.Reset != nil {
		o.Reset = board.Reset()
	}
	o.Backlight = board.Backlight()
	dev, err := New(board.Port(), board.DC(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range append(chip.Faults(), board.Faults()...) {
			t.Errorf("%s: %v", o.Model, err)
		}
	})
	return bench{dev, board, chip}
}

// wired asks setUp for a reset line.
var wired gpio.PinOut = gpio.INVALID

// TestSuite runs every module in every rotation through what display relies on.
// Goal: offsets, mirrors and exchanges are right to the pixel.
func TestSuite(t *testing.T) {
	for i, name := range Models() {
		if i%stride != 0 {
			continue
		}
		turns := []int{0, 90, 180, 270}
		if g := modules[name].glass; g.Size.X*g.Size.Y > 135*240 {
			turns = turns[2*(i%2):][:2] // large ones take turns
		}
		turns = turns[:max(len(turns)/stride, 1)]
		for _, turn := range turns {
			t.Run(fmt.Sprintf("%s/%d", name, turn), func(t *testing.T) {
				displaytest.Suite(t, func(t *testing.T) displaytest.Shown {
					return setUp(t, Opts{Model: name, Rotation: turn, Reset: wired})
				})
			})
		}
	}
}

// TestColours draws each primary: exchanged or inverted channels look like a
// working panel to who compares black and white alone.
func TestColours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, name := range Models() {
			b := setUp(t, Opts{Model: name})
			for _, c := range []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {15, 76, 129, 255}, {255, 255, 255, 255}} {
				if err := b.Draw(b.Bounds(), image.NewUniform(c), image.Point{}); err != nil {
					t.Fatal(err)
				}
				got := b.Look().At(3, 3).(color.RGBA)
				if far(got.R, c.R) > 8 || far(got.G, c.G) > 8 || far(got.B, c.B) > 8 {
					t.Errorf("%s: drew %v, shows %v", name, c, got)
				}
			}
		}
	})
}

func far(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

// TestSwitches gives a module the two options that repair its colours.
func TestSwitches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			o    Opts
			want color.RGBA
		}{
			{Opts{Model: "ili9341", SwapRed: true}, color.RGBA{0, 0, 255, 255}},
			{Opts{Model: "ili9341", Negative: true}, color.RGBA{0, 255, 255, 255}},
			{Opts{Model: "st7789-240x240", Negative: true}, color.RGBA{0, 255, 255, 255}},
		} {
			b := setUp(t, test.o)
			if err := b.Draw(b.Bounds(), image.NewUniform(color.RGBA{255, 0, 0, 255}), image.Point{}); err != nil {
				t.Fatal(err)
			}
			if got := b.Look().At(0, 0); got != test.want {
				t.Errorf("%+v: red shows as %v, want %v", test.o, got, test.want)
			}
		}
	})
}

// checker is a picture whose every pixel counts.
func checker(r image.Rectangle, seed int) *image.RGBA {
	img := image.NewRGBA(r)
	for i := range img.Pix {
		img.Pix[i] = uint8((i/4*7 + i/4/r.Dx()*13 + seed) & 0xf8)
		if i%4 == 3 {
			img.Pix[i] = 0xff
		}
	}
	return img
}

// TestBusFails breaks every transfer and every change of a line in turn, in a
// start, a picture, a part and a Halt. Goal: Draw says so, and the next one shows
// the whole picture, as if nothing had been; the chip is asked for nothing that it
// forbids.
func TestBusFails(t *testing.T) {
	for i, name := range []string{"st7735-128x128", "st7789-135x240", "gc9a01", "ili9488"} {
		if i > 1 && stride > 1 {
			break // the large ones
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, reset := range []gpio.PinOut{wired, nil} {
					if reset == nil && name != "st7735-128x128" {
						continue // one panel will do to show that a command resets as well
					}
					for at := 1; !breakAt(t, Opts{Model: name, Reset: reset}, at); at += stride {
					}
				}
			})
		})
	}
}

// breakAt runs a day with event at broken. done is true when there were fewer.
func breakAt(t *testing.T, o Opts, at int) (done bool) {
	b := setUp(t, o)
	b.packed = make([]byte, 0, len(b.frame)/6/6*6) // a picture in six transfers and a rest
	b.board.MaxTx = cap(b.packed)
	b.board.Fail = func(n int) error {
		if n == at {
			return displaytest.ErrBus
		}
		return nil
	}
	failed := 0
	try := func(err error) {
		if err == nil {
			return
		}
		failed++
		if pos.KindOf(err) != pos.Unavailable || !errors.Is(err, displaytest.ErrBus) {
			t.Errorf("event %d: %v, want Unavailable", at, err)
		}
		if b.board.Lit() && b.Look().At(9, 9) != (color.RGBA{A: 255}) {
			t.Errorf("event %d: an unknown picture is lit", at)
		}
	}
	first, part := checker(b.Bounds(), 1), checker(b.Bounds(), 99)
	r := image.Rect(5, 7, 40, 50)
	try(b.Draw(b.Bounds(), first, image.Point{}))
	try(b.Draw(r, part, r.Min))
	if failed > 0 {
		if err := b.Draw(image.Rect(0, 0, 1, 1), first, image.Point{}); err != nil {
			t.Fatalf("event %d: the panel stays broken: %v", at, err)
		}
	}
	got := b.Look().(*image.RGBA)
	for i := range got.Pix {
		x, y := i/4%got.Rect.Dx(), i/4/got.Rect.Dx()
		want := first.Pix[i]
		if image.Pt(x, y).In(r) {
			want = part.Pix[i]
		}
		if far(got.Pix[i], want) > 8 {
			t.Fatalf("event %d: pixel %d,%d is wrong after the repair", at, x, y)
		}
	}
	try(b.Halt())
	return b.board.Events() < at
}

// TestHalt holds that a halted panel is dark and asleep, and that a Draw wakes it
// with what it showed before.
func TestHalt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t, Opts{Model: "st7789-240x240", Reset: wired})
		if err := b.Halt(); err != nil || b.board.Events() != 0 {
			t.Errorf("Halt of a panel that was never started: %v, %d events", err, b.board.Events())
		}
		white := image.NewUniform(color.White)
		if err := b.Draw(b.Bounds(), white, image.Point{}); err != nil || !b.board.Lit() {
			t.Fatalf("lit: %v, %v", b.board.Lit(), err)
		}
		if err := b.Halt(); err != nil || b.board.Lit() {
			t.Errorf("lit after Halt: %v, %v", b.board.Lit(), err)
		}
		if got := b.Look().At(100, 100); got != (color.RGBA{0, 0, 0, 255}) {
			t.Errorf("shows %v after Halt", got)
		}
		if err := b.Draw(image.Rect(0, 0, 1, 1), image.NewUniform(color.Black), image.Point{}); err != nil {
			t.Fatal(err)
		}
		if got := b.Look().At(100, 100); got != (color.RGBA{255, 255, 255, 255}) || !b.board.Lit() {
			t.Errorf("shows %v after it was woken", got)
		}
	})
}

// TestHaltWithoutReset wakes a halted panel at once that has no wire to be reset by: the
// chip asks for a pause after it was sent to sleep.
func TestHaltWithoutReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, white := setUp(t, Opts{Model: "ili9341"}), image.NewUniform(color.White)
		for range 2 {
			if err := b.Draw(b.Bounds(), white, image.Point{}); err != nil || b.Look().At(9, 9) != (color.RGBA{255, 255, 255, 255}) {
				t.Fatal(err, b.Look().At(9, 9))
			}
			if err := b.Halt(); err != nil || b.Look().At(9, 9) != (color.RGBA{A: 255}) {
				t.Error(err, b.Look().At(9, 9))
			}
		}
	})
}

// TestHaltAfterFailure breaks each event of a Draw in turn, on a panel without a wire
// for its light, and halts it when the bus works again, as a till does that is stopped
// then. Goal: the old picture is gone.
func TestHaltAfterFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, reset := range []gpio.PinOut{wired, nil} {
			for at, done := 1, false; !done; at++ {
				b := setUp(t, Opts{Model: "st7735-80x160", Reset: reset})
				b.opts.Backlight = nil
				_ = b.board.Backlight().Out(gpio.High)
				if err := b.Draw(b.Bounds(), image.NewUniform(color.White), image.Point{}); err != nil || b.Look().At(9, 9) != (color.RGBA{255, 255, 255, 255}) {
					t.Fatal(err, b.Look().At(9, 9))
				}
				for range 2 { // one in the picture, one in the start after it
					n := b.board.Events() + at
					b.board.Fail = func(i int) error {
						if i == n {
							return displaytest.ErrBus
						}
						return nil
					}
					done = b.Draw(b.Bounds(), image.NewUniform(color.White), image.Point{}) == nil
				}
				b.board.Fail = nil
				if err := b.Halt(); err != nil || b.Look().At(9, 9) != (color.RGBA{A: 255}) {
					t.Errorf("event %d: Halt: %v, it shows %v", at, err, b.Look().At(9, 9))
				}
				n := b.board.Events()
				if err := b.Halt(); err != nil || b.board.Events() != n {
					t.Errorf("event %d: halted twice: %v", at, err)
				}
			}
		}
	})
}

// TestLightComesLast holds that nobody sees the panel's random memory, and that
// Backlight switches.
func TestLightComesLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t, Opts{Model: "ili9341", Reset: wired})
		dark := true
		b.board.Fail = func(int) error { dark = dark && b.Look().At(9, 9) == color.RGBA{A: 255}; return nil }
		if err := b.Draw(b.Bounds(), image.NewUniform(color.Black), image.Point{}); err != nil || !dark {
			t.Errorf("something was shown before the picture, %v", err)
		}
		b.board.Fail = nil
		for _, on := range []bool{false, true} {
			level := 0
			if on {
				level = 255
			}
			if err := b.Backlight(display.Intensity(level)); err != nil || b.board.Lit() != on {
				t.Errorf("light is %v, want %v; %v", b.board.Lit(), on, err)
			}
		}
	})
}

// TestRefusals gives New what makes no panel.
func TestRefusals(t *testing.T) {
	board := &displaytest.Board{}
	for name, o := range map[string]Opts{
		"no such model": {Model: "ili9999"}, "none": {}, "half a turn": {Model: "ili9341", Rotation: 45}, "a turn too many": {Model: "ili9341", Rotation: 360},
	} {
		if d, err := New(board.Port(), board.DC(), o); d != nil || pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v, %v; want Invalid", name, d, err)
		}
	}
	if _, err := New(board.Port(), board.DC(), Opts{Model: "ili9341"}); err != nil {
		t.Fatal(err)
	}
	if _, err := New(board.Port(), board.DC(), Opts{Model: "ili9341"}); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("a port that is taken: %v, want Unavailable", err)
	}
}

// TestChunks sends a picture over buses with several limits. The bytes are the
// same; the transfers are as few as fit.
func TestChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			max, transfers int
		}{
			{4096, 38}, {65536, 3}, {0, 3}, {3, 153600 / 2}, {1 << 20, 3},
		} {
			b := setUp(t, Opts{Model: "ili9341"})
			b.board.MaxTx = test.max
			dev, err := New((&displaytest.Board{Chip: b.chip, MaxTx: test.max}).Port(), b.board.DC(), b.opts)
			if err != nil {
				t.Fatal(err)
			}
			if want := test.transfers; (len(dev.frame)+cap(dev.packed)-1)/cap(dev.packed) != want {
				t.Errorf("limit %d: pieces of %d, want %d of them", test.max, cap(dev.packed), want)
			}
		}
	})
}

// TestSpeed holds that the clock asked for is the model's, or the option's.
func TestSpeed(t *testing.T) {
	for _, test := range []struct{ ask, want physic.Frequency }{{0, 32 * physic.MegaHertz}, {8 * physic.MegaHertz, 8 * physic.MegaHertz}} {
		b := setUp(t, Opts{Model: "ili9341", Speed: test.ask})
		if got := b.board.Clock(); got != test.want {
			t.Errorf("asked for %v, want %v", got, test.want)
		}
	}
}

// TestMode holds that a module without chip select is spoken to in mode 3.
func TestMode(t *testing.T) {
	for noCS, want := range map[bool]spi.Mode{false: spi.Mode0, true: spi.Mode3} {
		b := setUp(t, Opts{Model: "st7789-240x240", NoCS: noCS})
		if got := b.board.Mode(); got != want {
			t.Errorf("without CS %v: mode %v, want %v", noCS, got, want)
		}
	}
}

// TestCost counts the bytes of a whole picture and of a second of the countdown:
// on a bus each is time.
func TestCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t, Opts{Model: "ili9341", Rotation: 90})
		img := checker(b.Bounds(), 3)
		if err := b.Draw(b.Bounds(), img, image.Point{}); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			name string
			r    image.Rectangle
			want displaytest.Count
		}{
			{"a picture", b.Bounds(), displaytest.Count{Transfers: 5 + 38, Bytes: 11 + 153600, Lines: 5}},
			{"a line of the countdown", image.Rect(0, 200, 240, 224), displaytest.Count{Transfers: 5 + 3, Bytes: 11 + 11520, Lines: 6}},
			{"a pixel", image.Rect(7, 7, 8, 8), displaytest.Count{Transfers: 6, Bytes: 13, Lines: 6}},
		} {
			b.board.Forget()
			if err := b.Draw(test.r, img, test.r.Min); err != nil {
				t.Fatal(err)
			}
			if got := b.board.Count(); got != test.want {
				t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
			}
		}
	})
}

// TestWaits holds that a start takes no longer than it has to.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t, Opts{Model: "ili9341", Reset: wired})
		at := time.Now()
		if err := b.Draw(image.Rect(0, 0, 1, 1), image.NewUniform(color.White), image.Point{}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(at); took > 400*time.Millisecond {
			t.Errorf("a start takes %v", took)
		}
	})
}
