package displaytest

import (
	"fmt"
	"image"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// ucChip is what the data sheets of the family tell apart.
type ucChip struct {
	size    image.Point     // of the sheet that NewUC81xx puts on it
	lengths map[byte]ucSpan // data bytes that differ from the family's
	cdi     byte            // CDI's first byte after a reset
	old     bool            // DDX stands in bits 5 and 4 of CDI, and not in 1 and 0
	full    time.Duration
}

type ucSpan struct{ least, most int }

// ucLengths are the data bytes of commands ("Command table", chapter 8 of the
// UC8151C A.00 (2014), UC8176 (IL0398, 2016) and UC8179 A.01 (2018)).
var ucLengths = map[byte]ucSpan{
	0x00: {1, 1}, 0x01: {2, 6}, 0x02: {0, 1}, 0x03: {1, 1}, 0x04: {}, 0x05: {}, 0x06: {3, 4}, 0x07: {1, 1}, 0x11: {}, 0x12: {},
	0x20: {42, 60}, 0x21: {42, 42}, 0x22: {42, 60}, 0x23: {42, 60}, 0x24: {42, 60}, 0x25: {42, 42}, 0x30: {1, 1}, 0x41: {1, 1}, 0x50: {1, 1},
	0x60: {1, 1}, 0x61: {3, 4}, 0x71: {}, 0x82: {1, 1}, 0x90: {7, 9}, 0x91: {}, 0x92: {}, 0xE0: {1, 1}, 0xE3: {1, 1}, 0xE5: {1, 1},
}

var ucChips = map[string]ucChip{
	"UC8151": {size: image.Pt(128, 296), cdi: 0xD7, old: true, full: 2 * time.Second, lengths: map[byte]ucSpan{0x61: {3, 3}, 0x90: {7, 7}, 0x20: {44, 44}}},
	"UC8176": {size: image.Pt(400, 300), cdi: 0xD7, old: true, full: 4 * time.Second, lengths: map[byte]ucSpan{0x61: {4, 4}, 0x90: {9, 9}, 0x20: {44, 44}}},
	"UC8179": {size: image.Pt(800, 480), cdi: 0x31, full: 4 * time.Second,
		lengths: map[byte]ucSpan{0x15: {1, 1}, 0x17: {1, 1}, 0x50: {2, 2}, 0x52: {1, 1}, 0x61: {4, 4}, 0x65: {4, 4}, 0x90: {9, 9}}},
}

// UC81xx is an e-paper controller of UltraChip's with a black and white sheet.
// BUSY_N is low while it works. Make one with NewUC81xx.
type UC81xx struct {
	EPD
	name string
	chip ucChip

	old, new []byte // the two memories, a bit a pixel
	command  byte
	data     []byte
	count    int // bytes into a memory

	cdi                 byte
	fromRegister        bool // the waveform comes from registers
	luts                int  // of them, how many were written
	powered, resolution bool
	monochrome          bool
	fixed, temperature  byte
}

// NewUC81xx returns a chip that needs a reset. It panics when there is none of that
// name.
func NewUC81xx(name string) *UC81xx {
	c, ok := ucChips[name]
	if !ok {
		panic("displaytest: no " + name)
	}
	u := &UC81xx{name: name, chip: c, EPD: EPD{size: c.size, sheet: newSheet(c.size)}}
	n := c.size.X / 8 * c.size.Y
	u.old, u.new = make([]byte, n), make([]byte, n)
	for i := range u.old {
		u.old[i], u.new[i] = byte(i*31), byte(i*17)
	}
	u.defaults()
	return u
}

func (u *UC81xx) defaults() {
	u.command, u.data = 0x71, nil
	u.cdi, u.fromRegister, u.luts, u.powered, u.monochrome, u.fixed, u.temperature = u.chip.cdi, false, 0, false, false, 0, 0
	u.resolution = false
}

// Reset follows RST_N.
func (u *UC81xx) Reset(level gpio.Level) {
	if u.line(level) {
		u.defaults()
	}
}

// Receive takes a transfer.
func (u *UC81xx) Receive(data bool, b []byte) {
	if data {
		if !u.deaf(fmt.Sprintf("data of command %02x", u.command)) {
			u.take(b)
		}
		return
	}
	for _, c := range b {
		if c == 0x71 { // the status may be asked for at any time
			continue
		}
		if !u.deaf(fmt.Sprintf("command %02x", c)) {
			u.finish()
			u.begin(c)
		}
	}
}

func (u *UC81xx) lengths(c byte) (ucSpan, bool) {
	if l, ok := u.chip.lengths[c]; ok {
		return l, true
	}
	l, ok := ucLengths[c]
	return l, ok
}

func isMemory(c byte) bool { return c == 0x10 || c == 0x13 }

func (u *UC81xx) begin(c byte) {
	u.command, u.data, u.count = c, u.data[:0], 0
	if _, ok := u.lengths(c); !ok && !isMemory(c) {
		u.fault("command %02x is not in the data sheet", c)
	}
	switch c {
	case 0x02:
		u.powered = false
		u.work(powerTime)
	case 0x04:
		u.powered = true
		u.work(powerTime)
	case 0x12:
		u.show()
	case 0x10, 0x13:
		if !u.resolution {
			u.fault("data before the resolution was set")
		}
	}
}

// finish looks at how a command ended.
func (u *UC81xx) finish() {
	cut := u.cut
	u.cut = false
	want, ok := u.lengths(u.command)
	switch {
	case cut:
	case isMemory(u.command) && u.count != len(u.new):
		u.fault("%d bytes into a memory of %d", u.count, len(u.new))
	case ok && len(u.data) < want.least:
		u.fault("command %02x with %d bytes of data, want %v", u.command, len(u.data), want)
	}
}

func (u *UC81xx) take(b []byte) {
	if isMemory(u.command) {
		memory := u.old
		if u.command == 0x13 {
			memory = u.new
		}
		if u.count < len(memory) {
			copy(memory[u.count:], b)
		}
		u.count += len(b)
		return
	}
	u.data = append(u.data, b...)
	want, ok := u.lengths(u.command)
	if ok && len(u.data) > want.most {
		u.fault("command %02x with %d bytes of data, want %v", u.command, len(u.data), want)
	}
	if ok && len(u.data) == max(want.least, 1) {
		u.register()
	}
}

// register does what a command with data means.
func (u *UC81xx) register() {
	d := u.data
	switch u.command {
	case 0x00:
		u.fromRegister, u.monochrome = d[0]&0x20 != 0, d[0]&0x10 != 0
		if d[0]&0x01 == 0 {
			u.defaults() // RST_N by software
		}
		if u.name == "UC8151" {
			u.resolution = d[0]>>6 == 2 // 128 × 296
		}
	case 0x07:
		if u.asleep = d[0] == 0xA5; !u.asleep {
			u.fault("DSLP with %02x, want the check code A5", d[0])
		}
		if u.powered {
			u.fault("DSLP while the pumps run, want POF first")
		}
	case 0x20, 0x21, 0x22, 0x23, 0x24:
		u.luts++
	case 0x50:
		u.cdi = d[0]
	case 0x61:
		if w := int(d[0]); len(d) == 3 {
			u.resolve(w, int(d[1])<<8|int(d[2]))
		} else {
			u.resolve(w<<8|int(d[1]), int(d[2])<<8|int(d[3]))
		}
	case 0xE0:
		u.fixed = d[0]
	case 0xE5:
		u.temperature = d[0]
	}
}

func (u *UC81xx) resolve(w, h int) {
	if u.resolution = image.Pt(w, h) == u.size; !u.resolution {
		u.fault("resolution %d × %d, the sheet has %v", w, h, u.size)
	}
}

// white returns the bit that means white (DDX: bits 5:4 or 1:0 of CDI).
func (u *UC81xx) white() byte {
	if u.chip.old {
		return u.cdi >> 4 & 1
	}
	return u.cdi & 1
}

// fastFrom is the forced temperature from which the waveforms in the OTP are the
// short ones, in °C: the makers put them where no shop is.
const fastFrom = 90

// show drives the sheet (DRF). With the short waveforms only pixels that differ
// between the memories move.
func (u *UC81xx) show() {
	u.refresh.Activations++
	fast := u.fixed&2 != 0 && u.temperature >= fastFrom
	switch {
	case !u.powered:
		u.fault("DRF without PON")
		return
	case !u.monochrome:
		u.fault("DRF in black, white and red on a sheet without red")
	case u.fromRegister && u.luts < 5:
		u.fault("DRF with %d of 5 waveforms written", u.luts)
	}
	for i := range u.sheet {
		bit := byte(0x80) >> (i % 8)
		if !fast || (u.old[i/8]^u.new[i/8])&bit != 0 {
			u.sheet[i] = u.new[i/8]>>(7-i%8)&1 != u.white()
		}
	}
	if fast {
		u.partial(partialTime)
	} else {
		u.full(u.chip.full)
	}
}
