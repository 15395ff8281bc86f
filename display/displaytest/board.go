package displaytest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/pin"
	"periph.io/x/conn/v3/spi"
)

// ErrBus is what a wire that was broken on purpose says.
var ErrBus = errors.New("bus does not answer")

// Chip is a display controller made of code. A Board calls it from one goroutine
// at a time, in the order in which things happen on the wires.
type Chip interface {
	// Receive takes the bytes of one transfer, sent while D/C had the level data.
	// The chip must not keep them.
	Receive(data bool, b []byte)

	// Reset tells that the RES line, active low, now has this level.
	Reset(level gpio.Level)

	// Busy returns the BUSY line's level.
	Busy() gpio.Level

	// Cut tells that the bus failed: what was being sent has no end, and that is
	// nobody's fault.
	Cut()
}

// Board is the wiring of one panel: an SPI port, the control lines, and the chip.
// All of them share one order of events, so that the chip sees D/C as it is while
// the bytes arrive. Time is package time's: in a synctest bubble a refresh takes
// its two seconds, and a test none. Set the fields before use.
type Board struct {
	Chip  Chip
	MaxTx int // longest transfer in bytes, as spidev's bufsiz is; 0: any

	// BusyOpen tells that the BUSY wire is not connected: it reads as it is pulled, and
	// as a low level without a pull.
	BusyOpen bool

	// Fail, if not nil, is asked before event n, from 1: a transfer, or the change
	// of an output line. When it returns an error the event fails with it, and of
	// a transfer the chip has got the first half.
	Fail func(n int) error

	mu        sync.Mutex
	events    int
	count     Count
	connected bool
	clock     physic.Frequency
	mode      spi.Mode
	faults    []error

	dc, reset, cs, backlight gpio.Level
	ownCS                    bool // a driver moves chip select by itself
}

// Count is the work of a bus.
type Count struct {
	Transfers int // calls of Tx
	Bytes     int
	Lines     int // changes of an output line
}

// Time returns how long the bytes take on a bus with clock f, eight clocks each.
// What the operating system adds to a transfer is not in it.
func (c Count) Time(f physic.Frequency) time.Duration {
	return time.Duration(int64(c.Bytes) * 8 * int64(time.Second) / int64(f/physic.Hertz))
}

// Port returns the SPI port. It may be connected once, as periph demands.
func (b *Board) Port() spi.PortCloser { return &port{b} }

// DC returns the data/command line.
func (b *Board) DC() gpio.PinIO { return &line{board: b, name: "DC", level: &b.dc} }

// Reset returns the RES line.
func (b *Board) Reset() gpio.PinIO {
	return &line{board: b, name: "RES", level: &b.reset, moved: func(l gpio.Level) { b.Chip.Reset(l) }}
}

// CS returns the chip select line, for a driver that moves it by itself. Without
// that the port does.
func (b *Board) CS() gpio.PinIO {
	return &line{board: b, name: "CS", level: &b.cs, moved: func(gpio.Level) { b.ownCS = true }}
}

// Backlight returns the line that lights the panel.
func (b *Board) Backlight() gpio.PinIO { return &line{board: b, name: "BL", level: &b.backlight} }

// Busy returns the line on which the chip says that it is busy.
func (b *Board) Busy() gpio.PinIO {
	return &line{board: b, name: "BUSY", read: func() gpio.Level { return b.Chip.Busy() }}
}

// Lit reports that the backlight is on.
func (b *Board) Lit() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bool(b.backlight)
}

// Clock returns the clock that the driver asked for.
func (b *Board) Clock() physic.Frequency {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

// Mode returns the clock's rest and edge that the driver asked for.
func (b *Board) Mode() spi.Mode {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mode
}

// Events returns the number of events so far: what Fail counts.
func (b *Board) Events() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.events
}

// Count returns the bus' work since the last Forget.
func (b *Board) Count() Count {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count
}

// Forget sets Count to zero.
func (b *Board) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count = Count{}
}

// Faults returns what a driver did that the wiring forbids: a transfer that is too
// long, or one without chip select.
func (b *Board) Faults() []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]error(nil), b.faults...)
}

// event counts one and asks whether it works. The caller holds b.mu.
func (b *Board) event() error {
	b.events++
	if b.Fail == nil {
		return nil
	}
	err := b.Fail(b.events)
	if err != nil {
		b.Chip.Cut()
	}
	return err
}

func (b *Board) tx(w, r []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count.Transfers++
	b.count.Bytes += len(w)
	switch {
	case len(r) != 0:
		b.faults = append(b.faults, errors.New("the panel has no line to read from"))
		return ErrBus
	case b.MaxTx > 0 && len(w) > b.MaxTx:
		b.faults = append(b.faults, fmt.Errorf("a transfer of %d bytes, the bus takes %d", len(w), b.MaxTx))
		return fmt.Errorf("maximum Tx length is %d", b.MaxTx)
	case len(w) == 0:
		b.faults = append(b.faults, errors.New("an empty transfer"))
	case b.ownCS && b.cs == gpio.High:
		b.faults = append(b.faults, errors.New("a transfer while the chip is not selected"))
		return nil
	}
	err := b.event()
	if err != nil {
		w = w[:len(w)/2]
	}
	b.Chip.Receive(bool(b.dc), w)
	return err
}

// port is a Board's SPI port.
type port struct{ b *Board }

func (p *port) String() string { return "SPI0.0" }
func (p *port) Close() error   { return nil }

func (p *port) LimitSpeed(f physic.Frequency) error { return nil }

func (p *port) Connect(f physic.Frequency, mode spi.Mode, bits int) (spi.Conn, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if p.b.connected || mode&^spi.Mode3 != 0 || bits != 8 {
		return nil, fmt.Errorf("Connect(%v, %v, %d): connected before: %v", f, mode, bits, p.b.connected)
	}
	p.b.connected, p.b.clock, p.b.mode = true, f, mode
	return &wire{p.b}, nil
}

// wire is the connection.
type wire struct{ b *Board }

func (w *wire) String() string                { return "SPI0.0" }
func (w *wire) Duplex() conn.Duplex           { return conn.Full }
func (w *wire) MaxTxSize() int                { return w.b.MaxTx }
func (w *wire) Tx(send, receive []byte) error { return w.b.tx(send, receive) }

func (w *wire) TxPackets([]spi.Packet) error { return errors.New("TxPackets is not implemented") }

// line is one wire of a Board. An output has a level, an input is read.
type line struct {
	board *Board
	name  string
	level *gpio.Level
	moved func(gpio.Level)
	read  func() gpio.Level
	pull  gpio.Pull
}

func (l *line) String() string         { return l.name }
func (l *line) Halt() error            { return nil }
func (l *line) Name() string           { return l.name }
func (l *line) Number() int            { return -1 }
func (l *line) Function() string       { return "" }
func (l *line) Func() pin.Func         { return pin.FuncNone }
func (l *line) Pull() gpio.Pull        { return l.pull }
func (l *line) DefaultPull() gpio.Pull { return gpio.PullNoChange }

func (l *line) PWM(gpio.Duty, physic.Frequency) error { return errors.New("no PWM on this pin") }

// Out sets an output.
func (l *line) Out(level gpio.Level) error {
	l.board.mu.Lock()
	defer l.board.mu.Unlock()
	if l.level == nil {
		return fmt.Errorf("%s is driven by the panel", l.name)
	}
	l.board.count.Lines++
	if err := l.board.event(); err != nil {
		return err
	}
	*l.level = level
	if l.moved != nil {
		l.moved(level)
	}
	return nil
}

// In makes the line an input, which outputs refuse.
func (l *line) In(pull gpio.Pull, _ gpio.Edge) error {
	if l.read == nil {
		return fmt.Errorf("%s is an input of the panel", l.name)
	}
	l.pull = pull
	return nil
}

// Read returns the level.
func (l *line) Read() gpio.Level {
	l.board.mu.Lock()
	defer l.board.mu.Unlock()
	switch {
	case l.read != nil && l.board.BusyOpen:
		return l.pull == gpio.PullUp
	case l.read != nil:
		return l.read()
	}
	return *l.level
}

// edgeLook is how often WaitForEdge looks.
const edgeLook = time.Millisecond

// WaitForEdge waits until the level is another than at the call.
func (l *line) WaitForEdge(timeout time.Duration) bool {
	before, end := l.Read(), time.Now().Add(timeout)
	for l.Read() == before {
		if timeout >= 0 && !time.Now().Before(end) {
			return false
		}
		time.Sleep(edgeLook)
	}
	return true
}
