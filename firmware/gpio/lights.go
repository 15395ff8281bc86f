package gpio

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"periph.io/x/conn/v3/gpio"

	"github.com/tillwright/tillwright/pos"
)

// State is what lights tell of the till.
type State string

// States.
const (
	Ready   State = "ready"   // for the next customer
	Waiting State = "waiting" // a customer is paying, or it is being found out
	Paid    State = "paid"    // and nobody has begun the next sale
	Trouble State = "trouble" // a person must look at the screen
)

// States are all of them, in the order of a sale.
var States = []State{Ready, Waiting, Paid, Trouble}

// hands are the links whose end keeps a counter from working: a line that is down is
// the till's own business.
var hands = []string{"storage", "printer", "scanner", "keypad", "keyboard", "buttons"}

// StateOf returns what a view comes to. A customer who pays comes before any trouble.
func StateOf(v pos.View) State {
	switch v.Customer.Phase {
	case pos.PhaseDue, pos.PhaseArriving, pos.PhaseChecking:
		return Waiting
	case pos.PhasePaid, pos.PhaseChange:
		return Paid
	}
	broken := func(l pos.Link) bool { return l.State == "offline" && slices.Contains(hands, l.Name) }
	if v.Counter.Sync.Trouble != "" || slices.ContainsFunc(v.Counter.Links, broken) {
		return Trouble
	}
	return Ready
}

// Light is one light. Set may block for a short time.
type Light interface {
	Set(on bool) error
}

// Lamp is a light and the states that it shows.
type Lamp struct {
	Name  string
	Light Light
	On    []State // lit
	Blink []State // twice a second
}

// blinkEvery is half a blink: seen from the corner of an eye, and too slow to annoy.
const blinkEvery = 400 * time.Millisecond

// Lamps shows the till's state.
type Lamps struct {
	lamps []Lamp
	log   *slog.Logger
	next  chan State // the newest
}

// NewLamps returns lamps that are dark until the first Show.
func NewLamps(lamps []Lamp, log *slog.Logger) *Lamps {
	return &Lamps{lamps: lamps, log: log, next: make(chan State, 1)}
}

// Show shows s from now on. It never waits; the newest wins.
func (l *Lamps) Show(s State) {
	for {
		select {
		case l.next <- s:
			return
		default:
		}
		select {
		case <-l.next:
		default:
		}
	}
}

// Run shows the newest state until ctx ends; then all lamps are dark, and it returns
// nil.
func (l *Lamps) Run(ctx context.Context) error {
	lit := make([]lamp, len(l.lamps))
	defer l.dark(lit)
	l.dark(lit)
	tick := time.NewTicker(blinkEvery)
	defer tick.Stop()
	var now State
	for phase := true; ; {
		select {
		case <-ctx.Done():
			return nil
		case s := <-l.next:
			if s == now {
				continue
			}
			now, phase = s, true
			tick.Reset(blinkEvery)
		case <-tick.C:
			phase = !phase
		}
		for i, x := range l.lamps {
			on := slices.Contains(x.On, now) || phase && slices.Contains(x.Blink, now)
			l.set(&lit[i], x, on)
		}
	}
}

// lamp is what a Light was last told.
type lamp struct{ known, on, failed bool }

// set tells a light what is new. One that fails is told again at the next tick, and
// the log once.
func (l *Lamps) set(was *lamp, x Lamp, on bool) {
	if was.known && was.on == on {
		return
	}
	err := x.Light.Set(on)
	if err != nil && !was.failed {
		l.log.Warn("light does not work", "light", x.Name, "err", err)
	}
	*was = lamp{known: err == nil, on: on, failed: err != nil}
}

func (l *Lamps) dark(lit []lamp) {
	for i, x := range l.lamps {
		l.set(&lit[i], x, false)
	}
}

// line is a light on a line of the board.
type line struct {
	pin gpio.PinOut
	low bool
}

// OnLine returns a light on pin; low: it is lit while the line is low.
func OnLine(pin gpio.PinOut, low bool) Light { return line{pin, low} }

func (l line) Set(on bool) error { return l.pin.Out(gpio.Level(on != l.low)) }

// board is a light that the kernel drives: /sys/class/leds/NAME.
type board struct{ dir string }

// OnBoard returns the kernel's light in dir, such as /sys/class/leds/ACT. It takes the
// light away from what the kernel shows with it (its trigger) at the first Set.
func OnBoard(dir string) Light { return &board{dir} }

func (b *board) Set(on bool) error {
	value := "0"
	if on {
		value = "1"
		most, err := os.ReadFile(filepath.Join(b.dir, "max_brightness")) // kernel: Documentation/leds/leds-class.rst
		if err == nil {
			value = strings.TrimSpace(string(most))
		}
	}
	err := b.write("trigger", "none") // else the next blink of its own is the kernel's
	if errors.Is(err, os.ErrNotExist) {
		err = nil // a kernel without triggers
	}
	return errors.Join(err, b.write("brightness", value))
}

func (b *board) write(name, value string) error {
	f, err := os.OpenFile(filepath.Join(b.dir, name), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}
