package displaytest

import (
	"image"
	"image/color"
	"testing"
	"testing/synctest"

	"periph.io/x/conn/v3/gpio"
	perssd1306 "periph.io/x/devices/v3/ssd1306"
	tinyssd1306 "tinygo.org/x/drivers/ssd1306"
)

// TestPeriphSSD1306 runs periph's driver through the whole suite, over I²C and SPI.
func TestPeriphSSD1306(t *testing.T) {
	for _, serial := range []bool{false, true} {
		Suite(t, func(t *testing.T) Shown {
			chip := NewSSD1306(64)
			bus, board := &I2C{Chip: chip, Addr: 0x3C}, &Board{Chip: chip}
			t.Cleanup(func() { noFaults(t, append(append(chip.Faults(), bus.Faults()...), board.Faults()...)...) })
			d, err := perssd1306.NewI2C(bus, &perssd1306.DefaultOpts)
			if serial {
				d, err = perssd1306.NewSPI(board.Port(), board.DC(), &perssd1306.DefaultOpts)
			}
			if err != nil {
				t.Fatal(err)
			}
			return lookOLED{d, chip}
		})
	}
}

type lookOLED struct {
	*perssd1306.Dev
	chip *SSD1306
}

func (l lookOLED) Look() image.Image { return l.chip.Look() }

// TestTinygoSSD1306 draws with tinygo's driver.
func TestTinygoSSD1306(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chip := NewSSD1306(64)
		b := &Board{Chip: chip}
		d := tinyssd1306.NewSPI(connect(t, b), tinyPin{b.DC()}, tinyPin{b.Reset()}, tinyPin{b.CS()})
		d.Configure(tinyssd1306.Config{Width: 128, Height: 64})
		d.ClearBuffer()
		want := plain(image.Rect(0, 0, 128, 64), color.Black)
		for i := range 300 {
			x, y := i*37%128, i*53%64
			d.SetPixel(int16(x), int16(y), color.RGBA{255, 255, 255, 255})
			want.Set(x, y, color.White)
		}
		if err := d.Display(); err != nil {
			t.Fatal(err)
		}
		noFaults(t, append(chip.Faults(), b.Faults()...)...)
		if err := differ(chip.Look(), want, want.Rect); err != nil {
			t.Error(err)
		}
	})
}

// TestSSD1306FindsFaults does what the data sheet forbids, one thing at a time.
func TestSSD1306FindsFaults(t *testing.T) {
	for name, do := range map[string]func(s *SSD1306){
		"nothing wrong":              func(s *SSD1306) { s.Receive(false, []byte{0x8D, 0x14, 0xDA, 0x12, 0x21, 0, 127, 0xAF}) },
		"no charge pump":             func(s *SSD1306) { s.Receive(false, []byte{0xAF}) },
		"the pump while on":          func(s *SSD1306) { s.Receive(false, []byte{0x8D, 0x14, 0xAF, 0x8D, 0x14}) },
		"lines that the glass lacks": func(s *SSD1306) { s.Receive(false, []byte{0xA8, 31, 0x8D, 0x14, 0xAF}) },
		"another glass' wiring":      func(s *SSD1306) { s.Receive(false, []byte{0xDA, 0x02}) },
		"columns outside":            func(s *SSD1306) { s.Receive(false, []byte{0x21, 0, 128}) },
		"pages backwards":            func(s *SSD1306) { s.Receive(false, []byte{0x22, 3, 2}) },
		"a fourth addressing mode":   func(s *SSD1306) { s.Receive(false, []byte{0x20, 3}) },
		"too few lines":              func(s *SSD1306) { s.Receive(false, []byte{0xA8, 14}) },
		"an unknown command":         func(s *SSD1306) { s.Receive(false, []byte{0xE0}) },
		"pixels within a command":    func(s *SSD1306) { s.Receive(false, []byte{0x21, 0}); s.Receive(true, []byte{1}) },
		"scrolled":                   func(s *SSD1306) { s.Receive(false, []byte{0x41}) },
	} {
		s := NewSSD1306(64)
		s.Reset(gpio.Low)
		s.Reset(gpio.High)
		do(s)
		if got := len(s.Faults()) > 0; got == (name == "nothing wrong") {
			t.Errorf("%s: faults: %v", name, s.Faults())
		}
	}
	b := &I2C{Chip: NewSSD1306(64), Addr: 0x3C}
	if err := b.Tx(0x3D, []byte{0, 0xAE}, nil); err == nil {
		t.Error("another address answers")
	}
	if _ = b.Tx(0x3C, []byte{0x12, 0xAE}, nil); len(b.Faults()) != 1 {
		t.Error("a wrong control byte passed")
	}
}
