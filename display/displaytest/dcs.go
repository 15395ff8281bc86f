package displaytest

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// DCS commands that the emulator gives a meaning. The others of a chip's table are
// counted and checked for their length, no more.
const (
	dcsNOP     = 0x00
	dcsSWRESET = 0x01
	dcsSLPIN   = 0x10
	dcsSLPOUT  = 0x11
	dcsINVOFF  = 0x20
	dcsINVON   = 0x21
	dcsDISPOFF = 0x28
	dcsDISPON  = 0x29
	dcsCASET   = 0x2A
	dcsPASET   = 0x2B
	dcsRAMWR   = 0x2C
	dcsMADCTL  = 0x36
	dcsCOLMOD  = 0x3A
)

// Times that all data sheets of the family ask for (ILI9341 8.2.2, 8.2.11, 8.2.12
// and 15.4; ST7789V 7.4.5, 9.1.2, 9.1.11; ST7735R 9.5, 10.1.2).
const (
	resetPulse  = 10 * time.Microsecond
	resetCancel = 5 * time.Millisecond   // from reset to the first command
	resetAwake  = 120 * time.Millisecond // from a reset to SLPOUT
	sleepChange = 5 * time.Millisecond   // from SLPIN or SLPOUT to the next command
	sleepStable = 120 * time.Millisecond // from SLPOUT to pictures and SLPIN, from SLPIN to SLPOUT
)

// Glass is what a module's maker put on a chip: which part of its memory is seen,
// and how the colours come out. Positions are those of the upright module.
type Glass struct {
	Size         image.Point
	At           image.Point // the first column and row of memory that are seen
	FlipX, FlipY bool        // column or row 0 is at the right or at the bottom
	BGR          bool        // the filter's order is blue, green, red
	Negative     bool        // shows the complement, unless INVON is given (IPS)
}

// DCS is a controller of the MIPI display command set on a 4-wire SPI (MIPI DBI
// type C, option 3), as its data sheet has it. It is strict: what the data sheet
// forbids or does not know is a fault. Make one with NewDCS.
type DCS struct {
	chip  chip
	glass Glass

	ram    []uint32 // 0xRRGGBB a pixel, as it was written
	faults []error

	command byte // the one whose data comes
	any     bool // there was a command since reset
	ignored bool // its data is not looked at: it is unknown
	cut     bool // the bus failed in it
	args    []byte

	held             bool // RES is low
	heldAt           time.Time
	resetAt          time.Time
	changedAt        time.Time // of the last SLPIN or SLPOUT; zero: never
	awake, on, neg   bool
	madctl           byte
	bits             int // a pixel
	cols, rows       span
	at               image.Point // column and row of the next pixel, in window order
	pixel            []byte      // bytes of a pixel that has not come whole
	written, wrapped int
}

// span is a window's side; both ends are in it.
type span struct{ first, last int }

// NewDCS returns a chip as it is after power on, that needs a reset. It panics when
// there is no chip of that name, or when it cannot drive the glass.
func NewDCS(name string, g Glass) *DCS {
	c, ok := chips[name]
	if !ok || g.At.X+g.Size.X > c.ram.X || g.At.Y+g.Size.Y > c.ram.Y {
		panic(fmt.Sprintf("displaytest: no %s with %v of glass at %v", name, g.Size, g.At))
	}
	d := &DCS{chip: c, glass: g, ram: make([]uint32, c.ram.X*c.ram.Y)}
	for i := range d.ram {
		d.ram[i] = uint32(i) * 2654435761 >> 8 // memory is not cleared at power on
	}
	d.defaults()
	return d
}

// Busy is low: there is no such line.
func (d *DCS) Busy() gpio.Level { return gpio.Low }

// Cut forgives the command whose data ended too early.
func (d *DCS) Cut() { d.cut = true }

// Faults returns what was done that the data sheet forbids.
func (d *DCS) Faults() []error { return d.faults }

func (d *DCS) fault(format string, args ...any) {
	if len(d.faults) < faultsMax {
		d.faults = append(d.faults, fmt.Errorf(format, args...))
	}
}

// faultsMax bounds the list: the first ones tell what is wrong.
const faultsMax = 20

// Reset follows RES.
func (d *DCS) Reset(level gpio.Level) {
	now := time.Now()
	switch {
	case level == gpio.Low && !d.held:
		d.held, d.heldAt = true, now
	case level == gpio.High && d.held:
		if now.Sub(d.heldAt) < resetPulse {
			d.fault("RES was low for %v, want %v", now.Sub(d.heldAt), resetPulse)
		}
		d.held = false
		d.defaults()
		d.resetAt = now
	}
}

// defaults are the registers after a reset. Memory keeps what it has.
func (d *DCS) defaults() {
	d.any, d.cut, d.args, d.pixel = false, false, nil, nil
	d.awake, d.on, d.neg, d.madctl, d.changedAt = false, false, false, 0, time.Time{}
	d.bits = d.chip.bits
	d.cols, d.rows = span{0, d.chip.ram.X - 1}, span{0, d.chip.ram.Y - 1}
}

// Receive takes a transfer.
func (d *DCS) Receive(data bool, b []byte) {
	if d.held {
		d.fault("% x while RES is low", b[:min(len(b), 4)])
		return
	}
	if data {
		d.data(b)
		return
	}
	for _, c := range b {
		d.begin(c)
	}
}

// begin starts a command, after a look at how the last one ended.
func (d *DCS) begin(c byte) {
	d.finish()
	now := time.Now()
	if d.resetAt.IsZero() && c != dcsSWRESET {
		d.fault("command %02x before any reset", c)
	}
	if now.Sub(d.resetAt) < resetCancel {
		d.fault("command %02x %v after a reset, want %v", c, now.Sub(d.resetAt), resetCancel)
	}
	if !d.changedAt.IsZero() && now.Sub(d.changedAt) < sleepChange {
		d.fault("command %02x %v after a change of sleep, want %v", c, now.Sub(d.changedAt), sleepChange)
	}
	_, known := d.chip.length(c)
	if !known {
		d.fault("command %02x is not in the data sheet", c)
	}
	d.command, d.any, d.ignored, d.args = c, true, !known, nil
	d.execute(now)
}

// execute does what a command without data means.
func (d *DCS) execute(now time.Time) {
	switch d.command {
	case dcsSWRESET:
		d.defaults()
		d.any, d.command, d.resetAt = true, dcsSWRESET, now
	case dcsSLPIN:
		if d.awake && now.Sub(d.changedAt) < sleepStable {
			d.fault("SLPIN %v after SLPOUT, want %v", now.Sub(d.changedAt), sleepStable)
		}
		d.awake, d.changedAt = false, now
	case dcsSLPOUT:
		if since := now.Sub(d.resetAt); since < resetAwake {
			d.fault("SLPOUT %v after a reset, want %v", since, resetAwake)
		}
		if !d.awake && !d.changedAt.IsZero() && now.Sub(d.changedAt) < sleepStable {
			d.fault("SLPOUT %v after SLPIN, want %v", now.Sub(d.changedAt), sleepStable)
		}
		d.awake, d.changedAt = true, now
	case dcsINVOFF, dcsINVON:
		d.neg = d.command == dcsINVON
	case dcsDISPOFF, dcsDISPON:
		d.on = d.command == dcsDISPON
	case dcsRAMWR:
		if !d.awake || now.Sub(d.changedAt) < sleepStable {
			d.fault("RAMWR while asleep, or %v after SLPOUT, want %v", now.Sub(d.changedAt), sleepStable)
		}
		d.at, d.pixel, d.written, d.wrapped = image.Pt(d.cols.first, d.rows.first), d.pixel[:0], 0, 0
	}
}

// data takes bytes sent with D/C high.
func (d *DCS) data(b []byte) {
	switch {
	case !d.any:
		d.fault("%d bytes of data without a command", len(b))
	case d.ignored:
	case d.command == dcsRAMWR:
		d.pixels(b)
	default:
		d.arguments(b)
	}
}

func (d *DCS) arguments(b []byte) {
	lengths, _ := d.chip.length(d.command)
	d.args = append(d.args, b...)
	if want := lengths.most; len(d.args) > want {
		d.fault("command %02x with %d bytes of data, want %d", d.command, len(d.args), want)
		d.args = d.args[:want]
	}
	if len(d.args) < lengths.least {
		return
	}
	switch d.command {
	case dcsCASET:
		d.window("CASET", &d.cols, d.side(d.chip.ram.X, d.chip.ram.Y))
	case dcsPASET:
		d.window("PASET", &d.rows, d.side(d.chip.ram.Y, d.chip.ram.X))
	case dcsMADCTL:
		d.madctl = d.args[0]
	case dcsCOLMOD:
		bits, ok := d.chip.formats[d.args[0]]
		if !ok {
			d.fault("COLMOD %02x is no format of this chip's serial interface", d.args[0])
		}
		d.bits = bits
	}
}

// side returns a side of memory as addresses see it: rows and columns change
// places with MV.
func (d *DCS) side(plain, exchanged int) int {
	if d.madctl&0x20 != 0 {
		return exchanged
	}
	return plain
}

func (d *DCS) window(name string, s *span, limit int) {
	first, last := int(binary.BigEndian.Uint16(d.args)), int(binary.BigEndian.Uint16(d.args[2:]))
	if first > last || last >= limit {
		d.fault("%s from %d to %d, memory has %d", name, first, last, limit)
		return
	}
	*s = span{first, last}
}

// finish looks at how a command ended when the next one begins.
func (d *DCS) finish() {
	cut := d.cut
	d.cut = false
	if !d.any || d.ignored || cut {
		return
	}
	lengths, _ := d.chip.length(d.command)
	switch {
	case d.command == dcsRAMWR && len(d.pixel) > 0:
		d.fault("a pixel was left after %d of its %d bits", 8*len(d.pixel), d.bits)
	case d.command == dcsRAMWR && d.wrapped > 0:
		d.fault("%d pixels more than the window holds", d.wrapped)
	case d.command != dcsRAMWR && len(d.args) < lengths.least:
		d.fault("command %02x with %d bytes of data, want %d", d.command, len(d.args), lengths.least)
	}
}

// pixels writes into memory, from left to right and top to bottom of the window.
func (d *DCS) pixels(b []byte) {
	if d.bits == 12 { // two pixels in three bytes
		d.fault("12 bits a pixel are not modelled")
		return
	}
	size := (d.bits + 7) / 8
	for len(d.pixel) == 0 && len(b) >= size { // whole ones, without a copy
		d.put(colour(b[:size]))
		b = b[size:]
	}
	for _, v := range b {
		if d.pixel = append(d.pixel, v); len(d.pixel) == size {
			d.put(colour(d.pixel))
			d.pixel = d.pixel[:0]
		}
	}
}

// colour widens a pixel of 16 or 18 bits.
func colour(p []byte) uint32 {
	if len(p) == 3 {
		wide := func(v byte) uint32 { return uint32(v&0xfc | v>>6) }
		return wide(p[0])<<16 | wide(p[1])<<8 | wide(p[2])
	}
	v := uint32(binary.BigEndian.Uint16(p))
	r, g, b := v>>11, v>>5&0x3f, v&0x1f
	return (r<<3|r>>2)<<16 | (g<<2|g>>4)<<8 | (b<<3 | b>>2)
}

// put writes the next pixel and moves on, wrapping around as the chip does.
func (d *DCS) put(rgb uint32) {
	if d.written++; d.written > (d.cols.last-d.cols.first+1)*(d.rows.last-d.rows.first+1) {
		d.wrapped++
	}
	x, y := d.at.X, d.at.Y
	if d.madctl&0x20 != 0 {
		x, y = y, x
	}
	if d.madctl&0x40 != 0 {
		x = d.chip.ram.X - 1 - x
	}
	if d.madctl&0x80 != 0 {
		y = d.chip.ram.Y - 1 - y
	}
	if x >= 0 && y >= 0 && x < d.chip.ram.X && y < d.chip.ram.Y {
		d.ram[y*d.chip.ram.X+x] = rgb
	} else {
		d.fault("a pixel outside of memory, at %d,%d", x, y)
	}
	if d.at.X++; d.at.X > d.cols.last {
		d.at.X = d.cols.first
		if d.at.Y++; d.at.Y > d.rows.last {
			d.at.Y = d.rows.first
		}
	}
}

// Look returns what a person sees on the upright module: black when the display is
// off or asleep.
func (d *DCS) Look() *image.RGBA {
	img := image.NewRGBA(image.Rectangle{Max: d.glass.Size})
	for y := range d.glass.Size.Y {
		for x := range d.glass.Size.X {
			img.SetRGBA(x, y, d.seen(x, y))
		}
	}
	return img
}

func (d *DCS) seen(x, y int) color.RGBA {
	if !d.awake || !d.on {
		return color.RGBA{A: 0xff}
	}
	if d.glass.FlipX {
		x = d.glass.Size.X - 1 - x
	}
	if d.glass.FlipY {
		y = d.glass.Size.Y - 1 - y
	}
	v := d.ram[(d.glass.At.Y+y)*d.chip.ram.X+d.glass.At.X+x]
	if d.neg != d.glass.Negative {
		v = ^v
	}
	c := color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff}
	if (d.madctl&0x08 != 0) != d.glass.BGR {
		c.R, c.B = c.B, c.R
	}
	return c
}

// Turn returns img, which begins at 0,0, turned clockwise by 0, 90, 180 or 270
// degrees: how a module looks to who mounted it the other way round.
func Turn(img *image.RGBA, degrees int) *image.RGBA {
	if degrees%360 == 0 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	to := func(x, y int) (int, int) { return x, y }
	size := img.Rect.Size()
	switch (degrees%360 + 360) % 360 {
	case 90:
		size = image.Pt(h, w)
		to = func(x, y int) (int, int) { return h - 1 - y, x }
	case 180:
		to = func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }
	case 270:
		size = image.Pt(h, w)
		to = func(x, y int) (int, int) { return y, w - 1 - x }
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y := range h {
		for x := range w {
			i, j := to(x, y)
			copy(out.Pix[out.PixOffset(i, j):][:4], img.Pix[y*img.Stride+4*x:])
		}
	}
	return out
}
