package displaytest

import (
	"fmt"
	"image"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// EPD is what all e-paper controllers have: a sheet that keeps its picture without
// power, a BUSY line, and a deep sleep from which only RES wakes them. It is part
// of an SSD16xx or a UC81xx.
type EPD struct {
	// Stuck holds BUSY at busy from now on, as a loose ribbon or a dead chip does.
	Stuck bool

	// StuckFrom holds BUSY at busy from that activation on; 0: never.
	StuckFrom int

	// Loose keeps BUSY at idle for ever: the wire is not connected.
	Loose bool

	size     image.Point // of the sheet
	sheet    []bool      // what is seen; true is black
	busyHigh bool
	busy     time.Time // until then
	asleep   bool      // deep
	held     bool
	heldAt   time.Time
	born     bool // was reset
	cut      bool
	faults   []error
	refresh  Refreshes
}

// Refreshes counts what was done to a sheet.
type Refreshes struct {
	Full, Partial int
	Since         int // partial ones since the last full one
	Activations   int
}

// Times of a sheet. They differ from maker to maker; these are typical at 25 °C.
const (
	fullTime    = 2 * time.Second
	fastTime    = 1500 * time.Millisecond
	partialTime = 300 * time.Millisecond
	powerTime   = 40 * time.Millisecond // pumps come up or go down
	bootTime    = 5 * time.Millisecond  // registers after a reset

	// epdPulse is how long RES has to be low: UC8151 and UC8179, AC
	// characteristics, ask for 50 µs; an SSD1680 names no time.
	epdPulse = 50 * time.Microsecond
)

// Faults returns what was done that the data sheet forbids.
func (e *EPD) Faults() []error { return e.faults }

// Refreshes returns what was done to the sheet so far.
func (e *EPD) Refreshes() Refreshes { return e.refresh }

// Asleep reports that the chip is in deep sleep.
func (e *EPD) Asleep() bool { return e.asleep }

// Cut forgives the command whose data ended too early.
func (e *EPD) Cut() { e.cut = true }

// Busy returns the BUSY line's level, which is high for busy on an SSD16xx, and low
// on a UC81xx.
func (e *EPD) Busy() gpio.Level {
	return gpio.Level((e.isBusy() && !e.Loose) == e.busyHigh)
}

// isBusy reports that the chip works, or says so for ever.
func (e *EPD) isBusy() bool {
	return time.Now().Before(e.busy) || e.Stuck || (e.StuckFrom > 0 && e.refresh.Activations >= e.StuckFrom)
}

func (e *EPD) work(d time.Duration) { e.busy = time.Now().Add(d) }

func (e *EPD) fault(format string, args ...any) {
	if len(e.faults) < faultsMax {
		e.faults = append(e.faults, fmt.Errorf(format, args...))
	}
}

// line follows RES, and reports that a reset ended.
func (e *EPD) line(level gpio.Level) (done bool) {
	switch {
	case level == gpio.Low && !e.held:
		e.held, e.heldAt = true, time.Now()
	case level == gpio.High && e.held:
		if low := time.Since(e.heldAt); low < epdPulse {
			e.fault("RES was low for %v, want %v", low, epdPulse)
		}
		e.held, e.asleep, e.born, e.cut = false, false, true, false
		e.work(bootTime)
		return true
	}
	return false
}

// deaf reports that what comes on the wires is not taken, and why that is a fault.
func (e *EPD) deaf(what string) bool {
	switch {
	case e.held:
		e.fault("%s while RES is low", what)
	case !e.born:
		e.fault("%s before any reset", what)
	case e.asleep:
		e.fault("%s in deep sleep", what)
	case e.isBusy():
		e.fault("%s while BUSY", what)
		return false // the chip takes it, and what becomes of it nobody knows
	default:
		return false
	}
	return true
}

// Look returns the sheet as it is seen upright, in black and white.
func (e *EPD) Look() *image.RGBA {
	img := image.NewRGBA(image.Rectangle{Max: e.size})
	for i, dark := range e.sheet {
		px := img.Pix[4*i:][:4]
		if px[3] = 0xff; !dark {
			px[0], px[1], px[2] = 0xff, 0xff, 0xff
		}
	}
	return img
}

// newSheet returns a sheet with a pattern on it: what a customer's last picture
// left there.
func newSheet(size image.Point) []bool {
	s := make([]bool, size.X*size.Y)
	for i := range s {
		s[i] = uint32(i)*2654435761>>12&1 == 1
	}
	return s
}

// full and partial count a refresh.
func (e *EPD) full(d time.Duration) {
	e.refresh.Full, e.refresh.Since = e.refresh.Full+1, 0
	e.work(d)
}

func (e *EPD) partial(d time.Duration) {
	e.refresh.Partial, e.refresh.Since = e.refresh.Partial+1, e.refresh.Since+1
	e.work(d)
}
