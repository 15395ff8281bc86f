package mipi

import (
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/spi"
)

// Commands of the MIPI display command set.
const (
	swreset = 0x01
	slpin   = 0x10
	slpout  = 0x11
	noron   = 0x13
	invoff  = 0x20
	invon   = 0x21
	dispoff = 0x28
	dispon  = 0x29
	caset   = 0x2A
	paset   = 0x2B
	ramwr   = 0x2C
	madctl  = 0x36
	colmod  = 0x3A
)

// Waits. The data sheets agree on them: ILI9341 8.2.11, 8.2.12 and 15.4, ST7789V
// 7.4.5 and 9.1.11, ST7735R 9.5 and 10.1.10, ILI9488 5.2.13, GC9A01 6.2.
const (
	resetPulse  = 20 * time.Millisecond  // RES low; they ask for 10 µs, capacitors on modules for more
	resetDone   = 125 * time.Millisecond // from reset to SLPOUT; they ask for 120
	sleepStable = 125 * time.Millisecond // from SLPOUT to pictures; they ask for 120
	sleepChange = 10 * time.Millisecond  // from SLPIN to the power being cut; they ask for 5
)

// bus keeps the first thing that went wrong; after it nothing is sent, so that a
// sequence is checked once, at its end.
type bus struct {
	conn spi.Conn
	dc   gpio.PinOut
	data gpio.Level // of dc, if known
	know bool
	err  error
}

// take returns the first failure and forgets it.
func (b *bus) take() error {
	err := b.err
	b.err = nil
	return err
}

// out sets a line that may not be wired.
func (b *bus) out(p gpio.PinOut, l gpio.Level) {
	if p != nil && b.err == nil {
		b.err = p.Out(l)
	}
}

// tx sends bytes with D/C at level data. The line is only moved when it has to be.
func (b *bus) tx(data gpio.Level, p []byte) {
	if b.err == nil && (!b.know || b.data != data) {
		b.err = b.dc.Out(data)
		b.data, b.know = data, b.err == nil
	}
	if b.err == nil {
		b.err = b.conn.Tx(p, nil)
	}
}

// command sends a command and its data.
func (b *bus) command(op byte, args ...byte) {
	b.tx(gpio.Low, []byte{op})
	if len(args) > 0 {
		b.tx(gpio.High, args)
	}
}

func (b *bus) wait(d time.Duration) {
	if b.err == nil && d > 0 {
		time.Sleep(d)
	}
}

// reset brings the chip into a known state, by its line or by a command.
func (b *bus) reset(line gpio.PinOut) {
	if line == nil {
		b.command(swreset)
		b.wait(resetDone)
		return
	}
	b.out(line, gpio.High)
	b.out(line, gpio.Low)
	b.wait(resetPulse)
	b.out(line, gpio.High)
	b.wait(resetDone)
}
