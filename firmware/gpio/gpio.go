// Package gpio drives what hangs on a board's lines: buttons, a buzzer, lights.
//
// Promise. A button is pressed once however its contacts bounce, and a spike that is
// shorter than the debounce is no press. A press that lasts is the long press or the
// short one, never both. Whatever plays a sound or publishes a view never waits: the
// newest wins. A buzzer that needs a tone made for it gets one from the kernel (PWM). A line that fails is told of and tried again; it stops no other one.
// When Run ends, sounds and lights are off.
//
// Limits. Lines are the board's: what they are called and whether they can report
// edges only whoever opens them knows. A light says how the till is at a glance and
// never anything that matters alone. The drawer is opened by the printer, never by a
// line: a stuck line would burn its coil.
//
// Damage. A line of 3.3 V that is wired to 5 V is destroyed; nothing here can tell.
package gpio

import (
	"context"
	"log/slog"
	"time"

	"periph.io/x/conn/v3/gpio"

	"github.com/tillwright/tillwright/firmware/input"
)

// Bounds of a button.
const (
	// Debounce is how long a level must last. Contacts of pushbuttons bounce for up to
	// 10 ms, worn ones for 20; above 50 ms a quick tap is missed.
	Debounce                 = 30 * time.Millisecond
	MinDebounce, MaxDebounce = 20 * time.Millisecond, 50 * time.Millisecond
	// lookEvery bounds a wait for an edge: a missed one is made up for, and the end of
	// the context is seen.
	lookEvery = 200 * time.Millisecond
	// retryEvery is how often a line that fails is tried again.
	retryEvery = 5 * time.Second
)

// Button is a push button between a line and ground or supply.
type Button struct {
	Name     string // for people: "GPIO17"
	Pin      gpio.PinIn
	High     bool          // pressed is high; else low, with the line pulled up
	Debounce time.Duration // MinDebounce to MaxDebounce; 0: Debounce
	Key      string        // of a press, in the kernel's words: "kpenter"
	Long     time.Duration // a press that lasts this long is LongKey; 0: there is none
	LongKey  string

	Press func(input.Press) // from the button's own goroutine; should not block
	State func(ok bool)     // the line began to work, or failed; nil: nobody asks
	Log   *slog.Logger      // nil: none
}

// Run reports presses until ctx ends, and then returns nil.
func (b *Button) Run(ctx context.Context) error {
	if b.State == nil {
		b.State = func(bool) {}
	}
	if b.Log == nil {
		b.Log = slog.New(slog.DiscardHandler)
	}
	for ctx.Err() == nil {
		err := b.watch(ctx)
		if err == nil {
			break
		}
		b.Log.Warn("button does not work", "line", b.Name, "err", err)
		b.State(false)
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
	return nil
}

// watch sets the line up and reports presses; nil when ctx ends.
func (b *Button) watch(ctx context.Context) error {
	pull := gpio.PullUp
	if b.High {
		pull = gpio.PullDown
	}
	if err := b.Pin.In(pull, gpio.BothEdges); err != nil {
		return err
	}
	b.State(true)
	held := b.down() // a button that is held while the till starts is no press
	for ctx.Err() == nil {
		now, ok := b.settled(ctx, lookEvery)
		if !ok || now == held {
			continue
		}
		if held = now; held {
			held = b.pressed(ctx)
		}
	}
	return b.Pin.Halt()
}

func (b *Button) down() bool { return b.Pin.Read() == gpio.Level(b.High) }

func (b *Button) debounce() time.Duration {
	if b.Debounce == 0 {
		return Debounce
	}
	return b.Debounce
}

// settled waits at most wait for a change, and then for a level that lasts. ok is
// false when ctx ended before the contacts came to rest.
func (b *Button) settled(ctx context.Context, wait time.Duration) (held, ok bool) {
	edge := b.Pin.WaitForEdge(wait)
	for edge || b.down() {
		level := b.down()
		if edge = b.Pin.WaitForEdge(b.debounce()); !edge && b.down() == level {
			return level, true
		}
		if ctx.Err() != nil {
			return false, false
		}
		edge = true // it moved: wait for another rest
	}
	return false, true
}

// pressed reports a press that has settled, waits until it is over or long, and
// returns whether the button is still down.
func (b *Button) pressed(ctx context.Context) bool {
	if b.Long == 0 {
		b.say(b.Key)
		return true
	}
	began := time.Now()
	for ctx.Err() == nil {
		left := b.Long - b.debounce() - time.Since(began)
		if left <= 0 {
			b.say(b.LongKey)
			return true
		}
		if held, ok := b.settled(ctx, min(left, lookEvery)); ok && !held {
			b.say(b.Key)
			return false
		}
	}
	return true
}

func (b *Button) say(key string) {
	if key != "" {
		b.Press(input.Press{Device: b.Name, Key: key, At: time.Now()})
	}
}
