//go:build machine

package displaytest

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"machine"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"

	"periph.io/x/conn/v3/gpio"
	"tinygo.org/x/drivers"
	"tinygo.org/x/drivers/gc9a01"
	"tinygo.org/x/drivers/ili9341"
	"tinygo.org/x/drivers/pixel"
	"tinygo.org/x/drivers/st7789"
	"tinygo.org/x/drivers/waveshare-epd/epd2in9v2"
)

// These drivers of tinygo's are made for microcontrollers; TestTinygoOnAPC gives them
// pins. Each comes with the faults that the emulator finds in it, and that are real.

// Pins of a Board.
const (
	pinDC machine.Pin = iota
	pinReset
	pinCS
	pinLight
	pinBusy
)

// wired connects the machine's pins to b.
func wired(t *testing.T, b *Board) tiny {
	machine.Lines = []machine.Line{tinyPin{b.DC()}, tinyPin{b.Reset()}, tinyPin{b.CS()}, tinyPin{b.Backlight()}, tinyPin{b.Busy()}}
	return connect(t, b)
}

// faultsAre compares faults by what they say, times and repetitions aside.
func faultsAre(t *testing.T, got []error, want ...string) {
	t.Helper()
	var kinds []string
	for _, err := range got {
		kind := regexp.MustCompile(`[0-9.]+m?s`).ReplaceAllString(err.Error(), "T")
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("faults %q\nwant   %q", kinds, want)
	}
}

// bytes565 packs img as these drivers' bitmaps are.
func bytes565(img *image.RGBA) []byte {
	b := make([]byte, 0, len(img.Pix)/2)
	for i := 0; i < len(img.Pix); i += 4 {
		v := uint16(img.Pix[i])>>3<<11 | uint16(img.Pix[i+1])>>2<<5 | uint16(img.Pix[i+2])>>3
		b = append(b, byte(v>>8), byte(v))
	}
	return b
}

// glassIs compares what is seen, turned back, with want in the colours of 16 bits.
func glassIs(t *testing.T, chip *DCS, turn int, want *image.RGBA) {
	t.Helper()
	got, wrong := Turn(chip.Look(), 360-90*turn), 0
	if got.Rect != want.Rect {
		t.Fatalf("the glass has %v, want %v", got.Rect, want.Rect)
	}
	for i := range want.Pix {
		if got.Pix[i]>>3 != want.Pix[i]>>3 {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("turned by %d°: %d of %d channels differ", 90*turn, wrong, len(want.Pix))
	}
}

// bitmapper draws packed pixels into a part.
type bitmapper interface {
	DrawRGBBitmap8(x, y int16, data []byte, w, h int16) error
}

// drawn brings a picture to the whole glass, then a smaller one into it.
func drawn(t *testing.T, d bitmapper, size image.Point) *image.RGBA {
	t.Helper()
	all, part := pattern(image.Rectangle{Max: size}), plain(image.Rect(0, 0, 30, 7), color.RGBA{255, 128, 0, 255})
	err := d.DrawRGBBitmap8(0, 0, bytes565(all), int16(size.X), int16(size.Y))
	err = errors.Join(err, d.DrawRGBBitmap8(5, 11, bytes565(part), 30, 7))
	if err != nil {
		t.Fatal(err)
	}
	for y := range 7 {
		for x := range 30 {
			all.SetRGBA(5+x, 11+y, part.RGBAAt(x, y))
		}
	}
	return all
}

// TestMachineILI9341 draws in all rotations. This driver waits by looking at the clock
// until it is late enough, so it needs real time, 0.7 s of it.
func TestMachineILI9341(t *testing.T) {
	chip := NewDCS("ILI9341", Glass{Size: image.Pt(240, 320), FlipX: true, BGR: true})
	b := &Board{Chip: chip}
	d := ili9341.NewSPI(wired(t, b), pinDC, pinCS, pinReset)
	d.Configure(ili9341.Config{})
	for turn := range 4 {
		if err := d.SetRotation(drivers.Rotation(turn)); err != nil {
			t.Fatal(err)
		}
		w, h := d.Size()
		glassIs(t, chip, turn, drawn(t, d, image.Pt(int(w), int(h))))
	}
	// EF is the first command of a list that goes round since the chip's own demo code;
	// the chip's makers do not say what it does. Of the scroll's start only half comes.
	faultsAre(t, append(chip.Faults(), b.Faults()...), "command ef is not in the data sheet", "command 37 with 1 bytes of data, want 2", "an empty transfer")
}

// st7789s are what is sold, with the offsets that tinygo's driver wants to be told for
// each turn: it does not find out those of the far side by itself. Upright it knows of
// none, so that it cannot draw on the modules that have some.
var st7789s = []struct {
	size, at image.Point
	offsets  [4]image.Point // column and row
}{
	{image.Pt(240, 320), image.Pt(0, 0), [4]image.Point{}},
	{image.Pt(240, 240), image.Pt(0, 0), [4]image.Point{2: {0, 80}, 3: {0, 80}}},
	{image.Pt(170, 320), image.Pt(35, 0), [4]image.Point{1: {35, 0}, 2: {35, 0}, 3: {35, 0}}},
	{image.Pt(135, 240), image.Pt(52, 40), [4]image.Point{1: {53, 40}, 2: {53, 40}, 3: {52, 40}}},
}

// TestMachineST7789 draws on every module in all rotations.
func TestMachineST7789(t *testing.T) {
	for _, test := range st7789s {
		for turn := range 4 {
			if turn == 0 && test.at != (image.Point{}) {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				chip := NewDCS("ST7789", Glass{Size: test.size, At: test.at, Negative: true})
				b := &Board{Chip: chip}
				d := st7789.NewOf[pixel.RGB565BE](wired(t, b), pinReset, pinDC, pinCS, pinLight)
				d.Configure(st7789.Config{
					Width: int16(test.size.X), Height: int16(test.size.Y), Rotation: drivers.Rotation(turn),
					ColumnOffset: int16(test.offsets[turn].X), RowOffset: int16(test.offsets[turn].Y),
				})
				w, h := d.Size()
				glassIs(t, chip, turn, drawn(t, &d, image.Pt(int(w), int(h))))
				// It does not wait after it woke the chip, and while it starts it turns the
				// picture but not the window of its first black.
				want := []string{"command 3a T after a change of sleep, want T", "RAMWR while asleep, or T after SLPOUT, want T"}
				if first, last := test.offsets[turn].X, test.offsets[turn].X+test.size.Y-1; turn%2 == 1 && last >= 240 {
					want = slices.Insert(want, 1, fmt.Sprintf("PASET from %d to %d, memory has 240", first, last))
				}
				faultsAre(t, append(chip.Faults(), b.Faults()...), want...)
			})
		}
	}
}

// TestMachineGC9A01 draws on the round one.
func TestMachineGC9A01(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chip := NewDCS("GC9A01", Glass{Size: image.Pt(240, 240), BGR: true, Negative: true})
		b := &Board{Chip: chip}
		d := gc9a01.New(wired(t, b), pinReset, pinDC, pinCS, pinLight)
		_ = b.CS().Out(gpio.Low)
		d.Configure(gc9a01.Config{})
		want := pattern(image.Rect(0, 0, 240, 240))
		colours := make([]color.RGBA, 0, 240*240)
		for i := range 240 * 240 {
			colours = append(colours, want.RGBAAt(i%240, i/240))
		}
		if err := d.FillRectangleWithBuffer(0, 0, 240, 239, colours[:240*239]); err != nil {
			t.Fatal(err)
		}
		for x := range 240 {
			d.SetPixel(int16(x), 239, want.RGBAAt(x, 239))
		}
		glassIs(t, chip, 0, want)
		// It sends what its orientation is as a command, and wakes the chip after 100 ms.
		faultsAre(t, append(chip.Faults(), b.Faults()...), "command 36 with 0 bytes of data, want 1", "command c8 is not in the data sheet", "SLPOUT T after a reset, want T")
	})
}

// TestMachineSSD1680 draws on Waveshare's 2.9" V2.
func TestMachineSSD1680(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chip := NewSSD16xx("SSD1680", 128, 296)
		b := &Board{Chip: chip}
		d := epd2in9v2.New(wired(t, b), pinCS, pinDC, pinReset, pinBusy)
		d.Configure(epd2in9v2.Config{Blocking: true})
		want := pattern(image.Rect(0, 0, 128, 296))
		for y := range 296 {
			for x := range 128 {
				d.SetPixel(int16(x), int16(y), want.RGBAAt(x, y))
			}
		}
		if err := d.Display(); err != nil {
			t.Fatal(err)
		}
		if err := differ(chip.Look(), want, want.Rect); err != nil {
			t.Error(err)
		}
		faultsAre(t, append(chip.Faults(), b.Faults()...))
	})
}
