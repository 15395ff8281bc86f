package epaper

import (
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/spi"
)

// Waits. Each for BUSY has a deadline several times what the data sheets name.
const (
	resetPulse = 10 * time.Millisecond // UC8179 asks for 50 µs, Waveshare's own code uses 2 ms

	bootWithin    = 500 * time.Millisecond // 10 ms (SSD1680, 9.1)
	powerWithin   = 3 * time.Second        // 80 ms; cold sheets take longer
	refreshWithin = 15 * time.Second       // 2 to 4 s at 25 °C, 8 s near freezing

	// beginWithin is how soon a controller says that it refreshes: at once, by its
	// data sheet. One that never does has a BUSY wire that tells nothing.
	beginWithin = 50 * time.Millisecond

	// look is how often BUSY is read while the panel works. Edges are not waited
	// for: one that comes between a read and the wait is lost, and some boards
	// have none.
	look = 5 * time.Millisecond
)

var (
	errBusy = errors.New("stays busy")
	errIdle = errors.New("never says that it is busy")
)

// bus keeps the first thing that went wrong; after it nothing is sent and nothing
// waited for, so that a sequence is checked once, at its end.
type bus struct {
	conn  spi.Conn
	lines Lines
	busy  gpio.Level // what BUSY is while the panel works
	chunk int
	err   error
}

// take returns the first failure and forgets it.
func (b *bus) take() error {
	err := b.err
	b.err = nil
	return err
}

func (b *bus) out(p gpio.PinOut, l gpio.Level) {
	if b.err == nil {
		b.err = p.Out(l)
	}
}

func (b *bus) wait(d time.Duration) {
	if b.err == nil {
		time.Sleep(d)
	}
}

// reset wakes the controller from whatever state it is in.
func (b *bus) reset() {
	if b.lines.Power != nil {
		b.out(b.lines.Power, gpio.High)
		b.wait(resetPulse)
	}
	b.out(b.lines.Reset, gpio.High)
	b.out(b.lines.Reset, gpio.Low)
	b.wait(resetPulse)
	b.out(b.lines.Reset, gpio.High)
	b.wait(resetPulse)
	b.idle("start", bootWithin)
}

// command sends a command and its data.
func (b *bus) command(op byte, args ...byte) {
	b.out(b.lines.DC, gpio.Low)
	b.tx([]byte{op})
	b.data(args)
}

// send sends a list of commands.
func (b *bus) send(list []command) {
	for _, c := range list {
		b.command(c.op, c.args...)
	}
}

func (b *bus) data(p []byte) {
	if len(p) == 0 {
		return
	}
	b.out(b.lines.DC, gpio.High)
	for len(p) > 0 {
		n := min(len(p), b.chunk)
		b.tx(p[:n])
		p = p[n:]
	}
}

func (b *bus) tx(p []byte) {
	if b.err == nil {
		b.err = b.conn.Tx(p, nil)
	}
}

// idle waits until the controller is done with what, for no longer than within.
func (b *bus) idle(what string, within time.Duration) {
	if b.err != nil {
		return
	}
	for end := time.Now().Add(within); b.lines.Busy.Read() == b.busy; time.Sleep(look) {
		if !time.Now().Before(end) {
			b.err = fmt.Errorf("%s: %w for %v", what, errBusy, within)
			return
		}
	}
}

// refreshed waits until a refresh has begun and is over.
func (b *bus) refreshed() {
	if b.err != nil {
		return
	}
	for end := time.Now().Add(beginWithin); b.lines.Busy.Read() != b.busy; time.Sleep(look) {
		if !time.Now().Before(end) {
			b.err = fmt.Errorf("refresh: %w", errIdle)
			return
		}
	}
	b.idle("refresh", refreshWithin)
}
