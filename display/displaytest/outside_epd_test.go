package displaytest

import (
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/display"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/devices/v3/waveshare2in13v2"
	"periph.io/x/devices/v3/waveshare2in13v3"
	"periph.io/x/devices/v3/waveshare2in13v4"
	"tinygo.org/x/drivers/uc8151"
)

// waveshares are periph's drivers of one panel whose maker changed the chip twice.
// Each comes with the faults that the emulator finds in it, and that are real: the
// one for V3 sends two of three bytes of register 04 ("Source Driving voltage
// Control"), and then the first 70 of 153 bytes of a waveform, as V2's chip wants.
var waveshares = []struct {
	name   string
	chip   string
	open   func(b *Board) (display.Drawer, error)
	faults []string
}{
	{"V2", "SSD1675B", func(b *Board) (display.Drawer, error) {
		o := waveshare2in13v2.EPD2in13v2
		d, err := waveshare2in13v2.New(b.Port(), b.DC(), b.CS(), b.Reset(), b.Busy(), &o)
		if err != nil {
			return nil, err
		}
		return d, d.Init()
	}, nil},
	{"V3", "SSD1680", func(b *Board) (display.Drawer, error) {
		o := waveshare2in13v3.EPD2in13v3
		d, err := waveshare2in13v3.New(b.Port(), b.DC(), b.CS(), b.Reset(), b.Busy(), &o)
		if err != nil {
			return nil, err
		}
		return d, d.Init()
	}, []string{"command 04 with 2 bytes of data, want [3]", "command 32 with 70 bytes of data, want [153]"}},
	{"V4", "SSD1680", func(b *Board) (display.Drawer, error) {
		o := waveshare2in13v4.EPD2in13v4
		d, err := waveshare2in13v4.New(b.Port(), b.DC(), b.CS(), b.Reset(), b.Busy(), &o)
		if err != nil {
			return nil, err
		}
		return d, d.Init()
	}, nil},
}

// TestWaveshare draws whole pictures with periph's drivers.
func TestWaveshare(t *testing.T) {
	for _, test := range waveshares {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				chip := NewSSD16xx(test.chip, 122, 250)
				b := &Board{Chip: chip}
				d, err := test.open(b)
				if err != nil {
					t.Fatal(err)
				}
				r := image.Rect(0, 0, 122, 250)
				if d.Bounds() != r {
					t.Fatalf("bounds %v", d.Bounds())
				}
				for _, img := range []*image.RGBA{pattern(r), plain(r, color.White)} {
					if err := d.Draw(r, img, image.Point{}); err != nil {
						t.Fatal(err)
					}
					if err := differ(chip.Look(), img, r); err != nil {
						t.Error(err)
					}
				}
				var got []string
				for _, f := range append(chip.Faults(), b.Faults()...) {
					got = append(got, f.Error())
				}
				if !slices.Equal(got, test.faults) {
					t.Errorf("faults %q, want %q", got, test.faults)
				}
			})
		})
	}
}

// TestTinygoUC8151 draws with tinygo's driver. It does not wait for BUSY after it
// started the pumps; the emulator says so, and nothing else.
func TestTinygoUC8151(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chip := NewUC81xx("UC8151")
		b := &Board{Chip: chip}
		d := uc8151.New(connect(t, b), tinyPin{b.CS()}, tinyPin{b.DC()}, tinyPin{b.Reset()}, tinyPin{b.Busy()})
		d.Configure(uc8151.Config{Blocking: true})
		d.ClearBuffer() // to it a set pixel is black, and it begins with all set
		want := plain(image.Rect(0, 0, 128, 296), color.White)
		for i := range 300 {
			x, y := i*37%128, i*53%296
			d.SetPixel(int16(x), int16(y), color.RGBA{1, 1, 1, 255})
			want.Set(x, y, color.Black)
		}
		_ = d.Display()
		for _, err := range append(chip.Faults(), b.Faults()...) {
			if !strings.HasSuffix(err.Error(), "while BUSY") {
				t.Error(err)
			}
		}
		if err := differ(chip.Look(), want, want.Rect); err != nil {
			t.Error(err)
		}
	})
}

// TestSSD16xxFindsFaults does what the data sheets forbid, one thing at a time.
func TestSSD16xxFindsFaults(t *testing.T) {
	wake := func(s *SSD16xx) {
		s.Reset(gpio.Low)
		time.Sleep(time.Millisecond)
		s.Reset(gpio.High)
		time.Sleep(bootTime)
		cmd(s, 0x01, 249, 0, 0)
		cmd(s, 0x11, 3)
		cmd(s, 0x18, 0x80)
		cmd(s, 0x44, 0, 15)
		cmd(s, 0x45, 0, 0, 249, 0)
	}
	frame := make([]byte, 16*250)
	for name, do := range map[string]func(s *SSD16xx){
		"nothing wrong": func(s *SSD16xx) {
			wake(s)
			cmd(s, 0x24, frame...)
			cmd(s, 0x22, 0xF7)
			cmd(s, 0x20)
			time.Sleep(fullTime)
			cmd(s, 0x10, 1)
		},
		"never reset":            func(s *SSD16xx) { cmd(s, 0x12) },
		"no thermometer":         func(s *SSD16xx) { wake(s); cmd(s, 0x18, 0x48); cmd(s, 0x22, 0xB1); cmd(s, 0x20) },
		"a pulse too short":      func(s *SSD16xx) { s.Reset(gpio.Low); time.Sleep(9 * time.Microsecond); s.Reset(gpio.High) },
		"a command during reset": func(s *SSD16xx) { wake(s); s.Reset(gpio.Low); cmd(s, 0x12) },
		"busy after a reset":     func(s *SSD16xx) { pulse(s); cmd(s, 0x12) },
		"busy after SWRESET":     func(s *SSD16xx) { wake(s); cmd(s, 0x12); cmd(s, 0x18, 0x80) },
		"a write while it refreshes": func(s *SSD16xx) {
			wake(s)
			cmd(s, 0x22, 0xF7)
			cmd(s, 0x20)
			time.Sleep(fullTime - time.Millisecond)
			cmd(s, 0x24, 1)
		},
		"a command in deep sleep": func(s *SSD16xx) { wake(s); cmd(s, 0x10, 1); cmd(s, 0x12) },
		"data in deep sleep":      func(s *SSD16xx) { wake(s); cmd(s, 0x10, 1); s.Receive(true, []byte{1}) },
		"an unknown command":      func(s *SSD16xx) { wake(s); cmd(s, 0x13) },
		"too many gates":          func(s *SSD16xx) { wake(s); cmd(s, 0x01, 250, 0, 0) },
		"columns outside":         func(s *SSD16xx) { wake(s); cmd(s, 0x44, 0, 22) },
		"rows outside":            func(s *SSD16xx) { wake(s); cmd(s, 0x45, 0, 0, 0x28, 1) },
		"rows backwards":          func(s *SSD16xx) { wake(s); cmd(s, 0x45, 9, 0, 0, 0) },
		"a counter outside":       func(s *SSD16xx) { wake(s); cmd(s, 0x4E, 16) },
		"a row counter outside":   func(s *SSD16xx) { wake(s); cmd(s, 0x4F, 250, 0) },
		"data too short":          func(s *SSD16xx) { wake(s); cmd(s, 0x45, 0, 0, 9); cmd(s, 0x7F) },
		"data too long":           func(s *SSD16xx) { wake(s); cmd(s, 0x44, 0, 9, 9) },
		"a waveform too short":    func(s *SSD16xx) { wake(s); cmd(s, 0x32, make([]byte, 70)...); cmd(s, 0x7F) },
		"more than the window":    func(s *SSD16xx) { wake(s); cmd(s, 0x24, append(frame, 0)...); cmd(s, 0x7F) },
		"a command while it is stuck": func(s *SSD16xx) {
			wake(s)
			s.Stuck = true
			cmd(s, 0x10, 1)
		},
		"deep sleep after a refresh that never ends": func(s *SSD16xx) {
			wake(s)
			s.StuckFrom = 1
			cmd(s, 0x22, 0xF7)
			cmd(s, 0x20)
			time.Sleep(time.Hour)
			cmd(s, 0x10, 1)
		},
		"an option that is none": func(s *SSD16xx) { wake(s); cmd(s, 0x21, 0x20, 0x80) },
		"no waveform":            func(s *SSD16xx) { wake(s); cmd(s, 0x22, 0xC7); cmd(s, 0x20) },
		"no pumps":               func(s *SSD16xx) { wake(s); cmd(s, 0x22, 0x14); cmd(s, 0x20) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewSSD16xx("SSD1680", 122, 250)
				do(s)
				if got := len(s.Faults()) > 0; got == (name == "nothing wrong") {
					t.Errorf("faults: %v", s.Faults())
				}
			})
		})
	}
}

// TestSources gives register 21 what other sheets want. Goal: a picture that stands eight
// columns off on glass stands eight columns off here, and a second memory that is read
// as red, or not read, is noticed.
func TestSources(t *testing.T) {
	for _, test := range []struct {
		name   string
		chip   string
		size   image.Point
		option []byte
		update byte
		shown  bool // as it is
		faults bool
	}{
		{"from S8 on", "SSD1680", image.Pt(122, 250), []byte{0x00, 0x80}, 0xF7, true, false},
		{"from S0 on", "SSD1680", image.Pt(122, 250), []byte{0x00, 0x00}, 0xF7, false, false},
		{"not told", "SSD1680", image.Pt(122, 250), nil, 0xF7, false, false},
		{"inverted", "SSD1680", image.Pt(122, 250), []byte{0x08, 0x80}, 0xF7, false, false},
		{"black passed by", "SSD1680", image.Pt(122, 250), []byte{0x04, 0x80}, 0xF7, false, false},
		{"4.2 in full", "SSD1683", image.Pt(400, 300), []byte{0x40, 0x00}, 0xF7, true, false},
		{"4.2 in full, red", "SSD1683", image.Pt(400, 300), []byte{0x00, 0x00}, 0xF7, false, true},
		{"4.2 in part", "SSD1683", image.Pt(400, 300), []byte{0x00, 0x00}, 0xFF, false, false}, // both are the same: nothing moves
		{"4.2 in part, red passed by", "SSD1683", image.Pt(400, 300), []byte{0x40, 0x00}, 0xFF, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewSSD16xx(test.chip, test.size.X, test.size.Y)
				pulse(s)
				time.Sleep(bootTime)
				w := byte((test.size.X + 7) / 8)
				y := test.size.Y - 1
				cmd(s, 0x01, byte(y), byte(y>>8), 0)
				cmd(s, 0x18, 0x80)
				cmd(s, 0x44, 0, w-1)
				cmd(s, 0x45, 0, 0, byte(y), byte(y>>8))
				if test.option != nil {
					cmd(s, 0x21, test.option...)
				}
				want := pattern(image.Rectangle{Max: test.size})
				bits := make([]byte, int(w)*test.size.Y)
				for i := range bits {
					for b := range 8 {
						if x := i%int(w)*8 + b; x < test.size.X && want.Pix[want.PixOffset(x, i/int(w))] != 0 {
							bits[i] |= 0x80 >> b
						}
					}
				}
				for _, memory := range []byte{0x24, 0x26} {
					cmd(s, 0x4E, 0)
					cmd(s, 0x4F, 0, 0)
					cmd(s, memory, bits...)
				}
				cmd(s, 0x22, test.update)
				cmd(s, 0x20)
				if err := differ(s.Look(), want, want.Rect); (err == nil) != test.shown {
					t.Errorf("shown: %v", err)
				}
				if got := len(s.Faults()) > 0; got != test.faults {
					t.Errorf("faults: %v", s.Faults())
				}
			})
		})
	}
}

// TestUC81xxFindsFaults does what the data sheets forbid, one thing at a time.
func TestUC81xxFindsFaults(t *testing.T) {
	wake := func(u *UC81xx) {
		pulse(u)
		time.Sleep(bootTime)
		cmd(u, 0x00, 0x1F)
		cmd(u, 0x61, 3, 0x20, 1, 0xE0)
		cmd(u, 0x04)
		time.Sleep(powerTime)
	}
	frame := make([]byte, 48000)
	for name, do := range map[string]func(u *UC81xx){
		"nothing wrong": func(u *UC81xx) {
			wake(u)
			cmd(u, 0x10, frame...)
			cmd(u, 0x13, frame...)
			cmd(u, 0x12)
			time.Sleep(4 * time.Second)
			cmd(u, 0x02)
			time.Sleep(powerTime)
			cmd(u, 0x07, 0xA5)
		},
		"never reset":                func(u *UC81xx) { cmd(u, 0x04) },
		"busy while the pumps start": func(u *UC81xx) { pulse(u); time.Sleep(bootTime); cmd(u, 0x04); cmd(u, 0x00, 0x1F) },
		"a refresh without pumps":    func(u *UC81xx) { wake(u); cmd(u, 0x02); time.Sleep(powerTime); cmd(u, 0x12) },
		"a write while it refreshes": func(u *UC81xx) { wake(u); cmd(u, 0x12); cmd(u, 0x13, frame...) },
		"half a picture":             func(u *UC81xx) { wake(u); cmd(u, 0x13, frame[:24000]...); cmd(u, 0x12) },
		"a picture and a byte":       func(u *UC81xx) { wake(u); cmd(u, 0x13, append(frame, 0)...); cmd(u, 0x12) },
		"another resolution":         func(u *UC81xx) { wake(u); cmd(u, 0x61, 3, 0x20, 1, 0xE1) },
		"data before the resolution": func(u *UC81xx) { pulse(u); time.Sleep(bootTime); cmd(u, 0x13, frame...) },
		"red":                        func(u *UC81xx) { wake(u); cmd(u, 0x00, 0x0F); cmd(u, 0x12) },
		"no waveforms":               func(u *UC81xx) { wake(u); cmd(u, 0x00, 0x3F); cmd(u, 0x12) },
		"asleep with pumps":          func(u *UC81xx) { wake(u); cmd(u, 0x07, 0xA5) },
		"asleep without the check":   func(u *UC81xx) { pulse(u); time.Sleep(bootTime); cmd(u, 0x07, 0xA4) },
		"a command in deep sleep":    func(u *UC81xx) { pulse(u); time.Sleep(bootTime); cmd(u, 0x07, 0xA5); cmd(u, 0x04) },
		"an unknown command":         func(u *UC81xx) { wake(u); cmd(u, 0x2A) },
		"data too long":              func(u *UC81xx) { wake(u); cmd(u, 0x50, 1, 2, 3) },
		"asleep while it is stuck":   func(u *UC81xx) { wake(u); u.Stuck = true; cmd(u, 0x02) },
		"data too short":             func(u *UC81xx) { wake(u); cmd(u, 0x50, 1); cmd(u, 0x11) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := NewUC81xx("UC8179")
				do(u)
				if got := len(u.Faults()) > 0; got == (name == "nothing wrong") {
					t.Errorf("faults: %v", u.Faults())
				}
			})
		})
	}
}
