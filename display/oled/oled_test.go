package oled

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"testing"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/pos"
)

// bench is a panel on a table.
type bench struct {
	*Dev
	chip  *displaytest.SSD1306
	bus   *displaytest.I2C
	board *displaytest.Board
	turn  int
}

// Look returns the picture as who mounted the module sees it.
func (b bench) Look() image.Image { return displaytest.Turn(b.chip.Look(), b.turn) }

func setUp(t *testing.T, o Opts, serial bool) bench {
	t.Helper()
	height := o.Height
	if height == 0 {
		height = 64
	}
	chip := displaytest.NewSSD1306(height)
	bus := &displaytest.I2C{Chip: chip, Addr: max(o.Addr, 0x3C)}
	board := &displaytest.Board{Chip: chip}
	dev, err := NewI2C(bus, o)
	if serial {
		dev, err = NewSPI(board.Port(), board.DC(), o)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range append(append(chip.Faults(), bus.Faults()...), board.Faults()...) {
			t.Error(err)
		}
	})
	return bench{dev, chip, bus, board, o.Rotation}
}

// TestSuite runs both heights, both buses and both rotations through what display
// relies on.
func TestSuite(t *testing.T) {
	for _, height := range []int{64, 32} {
		for _, turn := range []int{0, 180} {
			for _, serial := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d lines, turned by %d, SPI %v", height, turn, serial), func(t *testing.T) {
					displaytest.Suite(t, func(t *testing.T) displaytest.Shown {
						return setUp(t, Opts{Height: height, Rotation: turn, Addr: 0x3D}, serial)
					})
				})
			}
		}
	}
}

// TestBusFails breaks each transfer, and on SPI each change of a line, in turn. Draw
// must say so, and the next one show the whole picture.
func TestBusFails(t *testing.T) {
	for _, serial := range []bool{false, true} {
		for at := 1; breakAt(t, serial, at); at++ {
			if at > 200 {
				t.Fatal("no end")
			}
		}
	}
}

func breakAt(t *testing.T, serial bool, at int) (broke bool) {
	b := setUp(t, Opts{}, serial)
	b.bus.Fail = func(n int) error {
		if n == at {
			return displaytest.ErrBus
		}
		return nil
	}
	b.board.Fail = b.bus.Fail
	want := image.NewRGBA(b.Bounds())
	for n := range 3 {
		for i := range want.Pix {
			v := uint8(-(i / 4 * (n + 3) >> 2 & 1))
			want.Pix[i] = v | uint8(-(i & 3 / 3))
		}
		err := b.Draw(b.Bounds(), want, image.Point{})
		if err == nil {
			continue
		}
		if broke = true; pos.KindOf(err) != pos.Unavailable || !errors.Is(err, displaytest.ErrBus) {
			t.Errorf("transfer %d: %v, want Unavailable", at, err)
		}
		if err := b.Draw(image.Rect(0, 0, 1, 1), want, image.Point{}); err != nil {
			t.Fatalf("transfer %d: the panel stays broken: %v", at, err)
		}
	}
	if got := b.chip.Look(); !bytes.Equal(got.Pix, opaque(want).Pix) {
		t.Errorf("transfer %d: another picture is shown", at)
	}
	return broke
}

// opaque sets every alpha.
func opaque(img *image.RGBA) *image.RGBA {
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 0xff
	}
	return img
}

// TestHalt holds that a halted panel is dark, and wakes with what it showed.
func TestHalt(t *testing.T) {
	b := setUp(t, Opts{}, false)
	if err := b.Halt(); err != nil || b.bus.Count().Transfers != 0 {
		t.Errorf("Halt before the start: %v", err)
	}
	white := image.NewUniform(color.White)
	for range 2 {
		if err := b.Draw(b.Bounds(), white, image.Point{}); err != nil {
			t.Fatal(err)
		}
		if got := b.chip.Look().RGBAAt(64, 30); got.R != 255 {
			t.Errorf("shows %v", got)
		}
		if err := b.Halt(); err != nil {
			t.Fatal(err)
		}
		if got := b.chip.Look().RGBAAt(64, 30); got.R != 0 {
			t.Errorf("shows %v after Halt", got)
		}
	}
	if err := b.Draw(image.Rect(0, 0, 1, 1), white, image.Point{}); err != nil || b.chip.Look().RGBAAt(127, 63).R != 255 {
		t.Errorf("a woken panel forgot its picture: %v", err)
	}
}

// TestRefusals gives options that make no panel, and an address where none is.
func TestRefusals(t *testing.T) {
	bus := &displaytest.I2C{Chip: displaytest.NewSSD1306(64), Addr: 0x3C}
	board := &displaytest.Board{Chip: bus.Chip}
	for _, o := range []Opts{{Height: 48}, {Rotation: 90}} {
		if d, err := NewI2C(bus, o); d != nil || pos.KindOf(err) != pos.Invalid {
			t.Errorf("%+v: %v, want Invalid", o, err)
		}
		if d, err := NewSPI(board.Port(), board.DC(), o); d != nil || pos.KindOf(err) != pos.Invalid {
			t.Errorf("%+v: %v, want Invalid", o, err)
		}
	}
	d, err := NewI2C(bus, Opts{Addr: 0x3D})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Draw(d.Bounds(), image.NewUniform(color.White), image.Point{}); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("nobody at 0x3D: %v, want Unavailable", err)
	}
}
