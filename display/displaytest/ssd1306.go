package displaytest

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"sync"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// SSD1306 is an OLED controller as its data sheet has it (SSD1306 rev 1.1,
// 2008-04), with a glass of 128 columns mounted so that A1 and C8 make it upright.
// Commands and their data are one stream, sent with D/C low. Make one with
// NewSSD1306.
type SSD1306 struct {
	height int
	ram    [8][128]byte
	faults []error
	cut    bool

	stream []byte // a command that has not come whole

	mode           byte // 20h: 0 horizontal, 1 vertical, 2 page
	x0, x1, y0, y1 int  // columns and pages of the window
	x, y           int
	remap, flip    bool // A1, C8
	inverse, all   bool
	on, pump       bool
	lines, offset  int
}

// oledArguments are the data bytes of commands (9, table 9-1, and the charge pump
// of the application note). Those that are not in it have none.
var oledArguments = map[byte]int{
	0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2A: 5, 0x81: 1, 0x8D: 1, 0xA3: 2, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1,
}

// NewSSD1306 returns a chip after power on, with a glass of the given height: 64 or
// 32.
func NewSSD1306(height int) *SSD1306 {
	s := &SSD1306{height: height, mode: 2, x1: 127, y1: 7, lines: 64}
	for i := range s.ram {
		for j := range s.ram[i] {
			s.ram[i][j] = byte(i*31 + j*17) // memory is not cleared at power on
		}
	}
	return s
}

// Faults returns what was done that the data sheet forbids.
func (s *SSD1306) Faults() []error { return s.faults }

func (s *SSD1306) fault(format string, args ...any) {
	if len(s.faults) < faultsMax {
		s.faults = append(s.faults, fmt.Errorf(format, args...))
	}
}

// Busy is low: there is no such line.
func (s *SSD1306) Busy() gpio.Level { return gpio.Low }

// Cut forgives the command whose data ended too early.
func (s *SSD1306) Cut() { s.cut = true }

// Reset follows RES: its low level makes all registers their first values (8.5).
func (s *SSD1306) Reset(level gpio.Level) {
	if level == gpio.Low {
		*s = SSD1306{height: s.height, ram: s.ram, faults: s.faults, mode: 2, x1: 127, y1: 7, lines: 64}
	}
}

// Receive takes a transfer.
func (s *SSD1306) Receive(data bool, b []byte) {
	if s.cut {
		s.stream, s.cut = nil, false
	}
	if !data {
		for _, c := range b {
			s.command(c)
		}
		return
	}
	if len(s.stream) > 0 {
		s.fault("pixels after %02x, which wants %d bytes more", s.stream[0], oledArguments[s.stream[0]]+1-len(s.stream))
		s.stream = nil
	}
	for _, v := range b {
		s.ram[s.y][s.x] = v
		s.advance()
	}
}

// advance moves the pointer on (10.1.3).
func (s *SSD1306) advance() {
	switch s.mode {
	case 0:
		var done bool
		if s.x, done = advance(s.x, s.x0, s.x1); done {
			s.y, _ = advance(s.y, s.y0, s.y1)
		}
	case 1:
		var done bool
		if s.y, done = advance(s.y, s.y0, s.y1); done {
			s.x, _ = advance(s.x, s.x0, s.x1)
		}
	default:
		s.x = (s.x + 1) % 128
	}
}

func (s *SSD1306) command(c byte) {
	s.stream = append(s.stream, c)
	if op := s.stream[0]; len(s.stream) <= oledArguments[op] {
		return
	}
	op, args := s.stream[0], s.stream[1:]
	s.stream = nil
	switch {
	case op <= 0x0F: // the pointer; for page addressing mode, but all chips take it in each
		s.x = s.x&0xF0 | int(op)
	case op <= 0x1F:
		s.x = s.x&0x0F | int(op&0x07)<<4
	case op >= 0xB0 && op <= 0xB7:
		s.y = int(op & 7)
	case op >= 0x40 && op <= 0x7F:
		if op != 0x40 {
			s.fault("a start line of %d is not modelled", op-0x40)
		}
	default:
		s.register(op, args)
	}
}

func (s *SSD1306) register(op byte, args []byte) {
	switch op {
	case 0x20:
		if s.mode = args[0]; s.mode > 2 {
			s.fault("addressing mode %d", s.mode)
		}
	case 0x21:
		s.x0, s.x1 = s.window("columns", args, 128)
		s.x = s.x0
	case 0x22:
		s.y0, s.y1 = s.window("pages", args, 8)
		s.y = s.y0
	case 0xA0, 0xA1:
		s.remap = op == 0xA1
	case 0xC0, 0xC8:
		s.flip = op == 0xC8
	case 0xA4, 0xA5:
		s.all = op == 0xA5
	case 0xA6, 0xA7:
		s.inverse = op == 0xA7
	case 0xA8:
		if s.lines = int(args[0]) + 1; s.lines < 16 || s.lines > 64 {
			s.fault("a multiplex ratio of %d", s.lines)
		}
	case 0xAE, 0xAF:
		s.on = op == 0xAF
		s.ready()
	case 0x8D:
		if s.on {
			s.fault("the charge pump is switched while the panel is on")
		}
		s.pump = args[0]&4 != 0
	case 0xD3:
		s.offset = int(args[0])
	case 0xDA:
		if want := byte(0x12); s.height == 32 && args[0] != 0x02 || s.height == 64 && args[0] != want {
			s.fault("COM pins %02x on a glass of %d lines", args[0], s.height)
		}
	case 0x26, 0x27, 0x29, 0x2A, 0x2E, 0x2F, 0x81, 0xA3, 0xD5, 0xD9, 0xDB, 0xE3:
	default:
		s.fault("command %02x is not in the data sheet", op)
	}
}

// ready looks at what has to be so when the panel is switched on.
func (s *SSD1306) ready() {
	if s.on && !s.pump {
		s.fault("switched on without the charge pump")
	}
	if s.on && (s.lines != s.height || s.offset != 0) {
		s.fault("switched on with %d lines from %d, the glass has %d", s.lines, s.offset, s.height)
	}
}

func (s *SSD1306) window(name string, args []byte, limit int) (first, last int) {
	first, last = int(args[0]), int(args[1])
	if first > last || last >= limit {
		s.fault("%s from %d to %d", name, first, last)
		return 0, limit - 1
	}
	return first, last
}

// Look returns what a person sees: black when it is off.
func (s *SSD1306) Look() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 128, s.height))
	for y := range s.height {
		for x := range 128 {
			c := color.RGBA{A: 0xff}
			if s.lit(x, y) {
				c = color.RGBA{0xff, 0xff, 0xff, 0xff}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func (s *SSD1306) lit(x, y int) bool {
	if !s.on {
		return false
	}
	if !s.remap {
		x = 127 - x
	}
	if !s.flip {
		y = s.height - 1 - y
	}
	return s.all || (s.ram[y/8][x]>>(y%8)&1 == 1) != s.inverse
}

// I2C is a bus with one OLED on it. Set the fields before use. It counts and breaks
// its transfers as a Board does.
type I2C struct {
	Chip *SSD1306
	Addr uint16
	Fail func(n int) error

	mu     sync.Mutex
	count  Count
	faults []error
}

func (b *I2C) String() string { return "I2C1" }

// SetSpeed takes any speed.
func (b *I2C) SetSpeed(physic.Frequency) error { return nil }

// Count returns the bus' work; its bytes include the address, and take nine clocks
// each on an I²C bus.
func (b *I2C) Count() Count {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count
}

// Faults returns transfers that the chip does not know (8.1.5.2).
func (b *I2C) Faults() []error { return b.faults }

// Tx takes one transfer: a control byte, and commands or pixels.
func (b *I2C) Tx(addr uint16, w, r []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count.Transfers++
	b.count.Bytes += 1 + len(w)
	if addr != b.Addr {
		return errors.New("no answer")
	}
	if len(w) == 0 || len(r) > 0 || (w[0] != 0x00 && w[0] != 0x40) {
		b.faults = append(b.faults, fmt.Errorf("control byte % x, %d bytes to read", w[:min(len(w), 1)], len(r)))
		return nil
	}
	data, rest := w[0] == 0x40, w[1:]
	if b.Fail != nil {
		if err := b.Fail(b.count.Transfers); err != nil {
			b.Chip.Receive(data, rest[:len(rest)/2])
			b.Chip.Cut()
			return err
		}
	}
	b.Chip.Receive(data, rest)
	return nil
}
