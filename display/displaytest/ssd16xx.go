package displaytest

import (
	"fmt"
	"image"

	"periph.io/x/conn/v3/gpio"
)

// ssdChip is what the data sheets of the family tell apart.
type ssdChip struct {
	sources, gates int   // columns and rows of memory
	wired          int   // the source that a sheet's first column hangs on
	lut            []int // lengths of register 32
	option         []int // lengths of register 21

	// red: display mode 1 takes the second memory for red, as the data sheet has it. The
	// sheets with an SSD1680 have waveforms that do not look at it (Waveshare's own
	// code for them fills it with the picture).
	red bool
}

// ssdChips by name: SSD1675B rev 1.1 (2018-05), SSD1680 rev 0.14 (2019-04),
// SSD1683 rev 1.0 (2020).
var ssdChips = map[string]ssdChip{
	"SSD1675B": {sources: 160, gates: 296, lut: []int{70, 100}, option: []int{1}},
	"SSD1680":  {sources: 176, gates: 296, wired: 8, lut: []int{153}, option: []int{1, 2}},
	"SSD1683":  {sources: 400, gates: 300, lut: []int{227}, option: []int{1, 2}, red: true},
}

// ssdLengths are the data bytes of the commands that all of them share ("Command
// table", chapter 7 or 8). Registers of one chip only have no meaning here.
var ssdLengths = map[byte][]int{
	0x01: {3}, 0x03: {1}, 0x04: {3}, 0x0C: {4}, 0x10: {1}, 0x11: {1}, 0x12: {0}, 0x18: {1}, 0x1A: {2, 1}, 0x20: {0}, 0x22: {1},
	0x24: nil, 0x26: nil, 0x2B: {2}, 0x2C: {1}, 0x37: {7, 10}, 0x3A: {1}, 0x3B: {1}, 0x3C: {1}, 0x3F: {1}, 0x44: {2}, 0x45: {4}, 0x46: {1}, 0x47: {1},
	0x4E: {1}, 0x4F: {2}, 0x74: {1}, 0x7E: {1}, 0x7F: {0},
}

// SSD16xx is an e-paper controller of Solomon Systech's with a black and white
// sheet. BUSY is high while it works. Make one with NewSSD16xx.
type SSD16xx struct {
	EPD
	chip ssdChip

	black, red []byte // the two memories; a bit of 1 is white
	command    byte
	data       []byte
	streamed   int // bytes of the last write into memory
	left, room int // of the window: bytes that it holds

	entry                  byte
	x0, x1, y0, y1, cx, cy int // window and counters: X in bytes
	update                 byte
	option                 byte // register 21, A: how the memories are read
	first                  int  // and B: the source that the first column of memory drives
	lutLoaded, power       bool
	sensor                 byte // register 18: whose temperature waveforms are chosen by
}

// NewSSD16xx returns a chip that needs a reset, with a sheet of w × h pixels whose
// first row is the chip's, and whose first column hangs on S0, or S8 of an SSD1680, as
// those that are sold do. It panics when there is no such chip.
func NewSSD16xx(name string, w, h int) *SSD16xx {
	c, ok := ssdChips[name]
	if !ok || w > c.sources || h > c.gates {
		panic(fmt.Sprintf("displaytest: no %s for %d × %d", name, w, h))
	}
	s := &SSD16xx{chip: c, EPD: EPD{size: image.Pt(w, h), sheet: newSheet(image.Pt(w, h)), busyHigh: true}}
	s.black, s.red = make([]byte, c.sources/8*c.gates), make([]byte, c.sources/8*c.gates)
	for i := range s.black {
		s.black[i], s.red[i] = byte(i*31), byte(i*17)
	}
	s.defaults()
	return s
}

// defaults are the registers after a reset; memory keeps what it has.
func (s *SSD16xx) defaults() {
	s.command, s.data, s.entry = 0x7F, nil, 3
	s.x0, s.x1, s.y0, s.y1, s.cx, s.cy = 0, s.chip.sources/8-1, 0, s.chip.gates-1, 0, 0
	s.update, s.lutLoaded, s.power = 0xFF, false, false
	s.option, s.first, s.sensor = 0, 0, 0x48
}

// Reset follows RES.
func (s *SSD16xx) Reset(level gpio.Level) {
	if s.line(level) {
		s.defaults()
	}
}

// Receive takes a transfer.
func (s *SSD16xx) Receive(data bool, b []byte) {
	if data {
		if !s.deaf(fmt.Sprintf("data of command %02x", s.command)) {
			s.take(b)
		}
		return
	}
	for _, c := range b {
		if !s.deaf(fmt.Sprintf("command %02x", c)) {
			s.finish()
			s.begin(c)
		}
	}
}

// lengths returns how many bytes of data a command may have.
func (s *SSD16xx) lengths(c byte) (n []int, ok bool) {
	switch c {
	case 0x32:
		return s.chip.lut, true
	case 0x21:
		return s.chip.option, true
	}
	n, ok = ssdLengths[c]
	return n, ok
}

func (s *SSD16xx) begin(c byte) {
	s.command, s.data, s.streamed = c, s.data[:0], 0
	if _, ok := s.lengths(c); !ok {
		s.fault("command %02x is not in the data sheet", c)
	}
	switch c {
	case 0x12:
		s.defaults()
		s.command = c
		s.work(bootTime)
	case 0x20:
		s.activate()
	case 0x24, 0x26:
		s.left = 0
		s.room = (s.x1 - s.x0 + 1) * (s.y1 - s.y0 + 1)
	}
}

// finish looks at how a command ended.
func (s *SSD16xx) finish() {
	cut := s.cut
	s.cut = false
	want, ok := s.lengths(s.command)
	switch {
	case !ok || cut:
	case s.command == 0x24 || s.command == 0x26:
		if s.streamed > s.room {
			s.fault("%d bytes into a window of %d", s.streamed, s.room)
		}
	case !fits(len(s.data), want):
		s.fault("command %02x with %d bytes of data, want %v", s.command, len(s.data), want)
	}
}

func fits(n int, want []int) bool {
	for _, w := range want {
		if n == w {
			return true
		}
	}
	return false
}

func (s *SSD16xx) take(b []byte) {
	if s.command == 0x24 || s.command == 0x26 {
		for _, v := range b {
			s.store(v)
		}
		return
	}
	s.data = append(s.data, b...)
	if want, ok := s.lengths(s.command); ok && len(s.data) > want[len(want)-1] {
		s.fault("command %02x with %d bytes of data, want %v", s.command, len(s.data), want)
		return
	}
	s.register()
}

// register does what a command with data means, as soon as the data is there.
func (s *SSD16xx) register() {
	d := s.data
	want, ok := s.lengths(s.command)
	if !ok || !fits(len(d), want) {
		return
	}
	switch s.command {
	case 0x01:
		if lines := int(d[0]) | int(d[1])<<8; lines+1 != s.size.Y {
			s.fault("%d gates are driven, the sheet has %d", lines+1, s.size.Y)
		}
	case 0x10:
		s.asleep = d[0]&3 != 0
	case 0x11:
		if s.entry = d[0]; s.entry > 7 {
			s.fault("data entry mode %02x", d[0])
		}
		if s.entry&4 != 0 {
			s.fault("columns before rows are not modelled")
		}
	case 0x18:
		s.sensor = d[0]
	case 0x21:
		s.options(d)
	case 0x22:
		s.update = d[0]
	case 0x32:
		s.lutLoaded = true
	case 0x44:
		s.x0, s.x1 = int(d[0]), int(d[1])
		s.window("44", s.x0, s.x1, s.entry&1 != 0, s.chip.sources/8)
	case 0x45:
		s.y0, s.y1 = int(d[0])|int(d[1])<<8, int(d[2])|int(d[3])<<8
		s.window("45", s.y0, s.y1, s.entry&2 != 0, s.chip.gates)
	case 0x4E:
		if s.cx = int(d[0]); s.cx < min(s.x0, s.x1) || s.cx > max(s.x0, s.x1) {
			s.fault("X counter %d is outside of its window", s.cx)
		}
	case 0x4F:
		if s.cy = int(d[0]) | int(d[1])<<8; s.cy < min(s.y0, s.y1) || s.cy > max(s.y0, s.y1) {
			s.fault("Y counter %d is outside of its window", s.cy)
		}
	}
}

// options are register 21 ("Display Update Control 1"): A says for either memory, red in
// the upper four bits, whether it is read as it is, as 0, or inverted; the highest bit
// of B, which only an SSD1680 has a use for, that the sources used begin with S8.
func (s *SSD16xx) options(d []byte) {
	for _, o := range []byte{d[0] >> 4, d[0] & 15} {
		if o != 0 && o != 4 && o != 8 {
			s.fault("register 21 with %02x", d[0])
		}
	}
	s.option = d[0]
	if len(d) == 2 { // else B stays what it was: periph's drivers write A alone before a refresh
		s.first = int(d[1]>>7) * 8
	}
}

// read returns a bit of a memory as register 21 has it read.
func read(memory []byte, at int, bit, option byte) bool {
	switch v := memory[at]&bit != 0; option {
	case 4:
		return false
	case 8:
		return !v
	default:
		return v
	}
}

func (s *SSD16xx) window(name string, first, last int, up bool, limit int) {
	if first >= limit || last >= limit || (up && first > last) || (!up && first < last) {
		s.fault("%s: window from %d to %d, memory has %d", name, first, last, limit)
		s.x0, s.x1, s.y0, s.y1 = 0, s.chip.sources/8-1, 0, s.chip.gates-1
	}
}

// store writes eight pixels and moves the counters on, within the window.
func (s *SSD16xx) store(v byte) {
	memory := s.black
	if s.command == 0x26 {
		memory = s.red
	}
	s.streamed++
	if s.cx < s.chip.sources/8 && s.cy < s.chip.gates {
		memory[s.cy*(s.chip.sources/8)+s.cx] = v
	}
	var done bool
	if s.cx, done = advance(s.cx, s.x0, s.x1); done {
		s.cy, _ = advance(s.cy, s.y0, s.y1)
	}
}

// advance moves a counter towards last and back to first after it.
func advance(at, first, last int) (next int, wrapped bool) {
	switch {
	case at == last:
		return first, true
	case first <= last:
		return at + 1, false
	default:
		return at - 1, false
	}
}

// activate runs the sequence of register 22 ("Display Update Control 2").
func (s *SSD16xx) activate() {
	s.refresh.Activations++
	u := s.update
	if u&0x20 != 0 && s.sensor != 0x80 {
		s.fault("a waveform by the temperature of a sensor %02x that the sheet does not have: want 80, the chip's own", s.sensor)
	}
	if u&0x10 != 0 {
		s.lutLoaded = true
	}
	if u&0xC0 == 0xC0 {
		s.power = true
	}
	switch {
	case u&0x04 == 0:
		s.work(powerTime)
	case !s.lutLoaded:
		s.fault("refresh %02x without a waveform: none was loaded and none was written", u)
	case !s.power:
		s.fault("refresh %02x without clock and pumps", u)
	default:
		s.show(u&0x08 != 0, u&0x20 != 0 || u&0x10 != 0)
	}
	if u&0x02 != 0 {
		s.power = false
	}
}

// show drives the sheet. In display mode 2 only pixels that differ between the two
// memories move; the others keep what they show. In mode 1 a pixel that is red gets a
// waveform that a sheet without red answers with nothing that is known.
func (s *SSD16xx) show(differences, loaded bool) {
	red := false
	for i := range s.sheet {
		x, y := i%s.size.X+s.chip.wired-s.first, i/s.size.X
		if x < 0 || x >= s.chip.sources-s.first {
			continue // no memory drives it
		}
		at, bit := y*(s.chip.sources/8)+x/8, byte(0x80)>>(x%8)
		white, second := read(s.black, at, bit, s.option&15), read(s.red, at, bit, s.option>>4)
		switch {
		case differences && white == second:
		case !differences && s.chip.red && second:
			red = true
		default:
			s.sheet[i] = !white
		}
	}
	if red {
		s.fault("a full refresh with red pixels on a sheet without red: register 21 shall pass the second memory by")
	}
	switch {
	case differences:
		s.partial(partialTime)
	case loaded:
		s.full(fullTime)
	default:
		s.full(fastTime)
	}
}
