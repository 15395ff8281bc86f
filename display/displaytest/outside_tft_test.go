//go:build !race

package displaytest

import (
	"image"
	"image/color"
	"testing"
	"testing/synctest"

	"periph.io/x/conn/v3/gpio"
	"tinygo.org/x/drivers"
	"tinygo.org/x/drivers/st7735"
)

// tinygo's pixels are written through pointers that the race detector's build does
// not allow.

// TestTinygoST7735 draws with tinygo's driver in all rotations, on the two common
// modules.
func TestTinygoST7735(t *testing.T) {
	for _, test := range []struct {
		name  string
		chip  string
		glass Glass
		cfg   st7735.Config
		bgr   bool
	}{
		{"black tab", "ST7735-128x160", Glass{Size: image.Pt(128, 160), FlipX: true, FlipY: true}, st7735.Config{}, false},
		{"green tab", "ST7735", Glass{Size: image.Pt(128, 160), At: image.Pt(2, 1), FlipX: true, FlipY: true, BGR: true},
			st7735.Config{ColumnOffset: 2, RowOffset: 1}, true},
		{"mini", "ST7735", Glass{Size: image.Pt(80, 160), At: image.Pt(26, 1), FlipX: true, FlipY: true, BGR: true, Negative: true},
			st7735.Config{Model: st7735.MINI80x160, ColumnOffset: 26, RowOffset: 1}, true},
	} {
		for turn := range 4 {
			t.Run(test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					chip := NewDCS(test.chip, test.glass)
					b := &Board{Chip: chip}
					d := st7735.New(connect(t, b), tinyPin{b.Reset()}, tinyPin{b.DC()}, tinyPin{b.CS()}, tinyPin{b.Backlight()})
					_ = b.CS().Out(gpio.Low)
					d.IsBGR(test.bgr)
					test.cfg.Rotation = drivers.Rotation(turn)
					d.Configure(test.cfg)
					w, h := d.Size()
					red := color.RGBA{255, 0, 0, 255}
					_ = d.FillRectangle(0, 0, w, h, color.RGBA{255, 255, 255, 255})
					_ = d.FillRectangle(w-9, 3, 9, 5, red)
					d.SetPixel(0, 0, color.RGBA{0, 0, 255, 255})
					noFaults(t, append(chip.Faults(), b.Faults()...)...)
					got := Turn(chip.Look(), 360-90*turn)
					want := plain(image.Rect(0, 0, int(w), int(h)), color.White)
					for x := range 9 {
						for y := range 5 {
							want.Set(int(w)-9+x, 3+y, red)
						}
					}
					want.Set(0, 0, color.RGBA{0, 0, 255, 255})
					for i := range want.Pix {
						if got.Pix[i] != want.Pix[i] {
							t.Fatalf("rotation %d: pixel %d,%d is %v", turn, i/4%int(w), i/4/int(w), got.Pix[i/4*4:i/4*4+4])
						}
					}
				})
			})
		}
	}
}
