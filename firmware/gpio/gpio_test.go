package gpio

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"github.com/tillwright/tillwright/firmware/input"
)

// finger presses a button of gpiotest: an edge that nobody waits for is kept, as the
// kernel does.
type finger struct {
	pin  *gpiotest.Pin
	down gpio.Level
}

func (f finger) edge(l gpio.Level) {
	select {
	case f.pin.EdgesChan <- l:
	default:
		f.pin.Lock()
		f.pin.L = l
		f.pin.Unlock()
	}
}

// bounce ends at l after some edges of bad contacts, at most 15 ms long.
func (f finger) bounce(l gpio.Level, r *rand.Rand) {
	for range r.IntN(6) {
		f.edge(!l)
		time.Sleep(time.Duration(r.IntN(1500)) * time.Microsecond)
		f.edge(l)
		time.Sleep(time.Duration(r.IntN(1500)) * time.Microsecond)
	}
	f.edge(l)
}

func (f finger) press(d time.Duration, r *rand.Rand) {
	f.bounce(f.down, r)
	time.Sleep(d)
	f.bounce(!f.down, r)
	time.Sleep(2 * MaxDebounce)
}

type told struct {
	mu   sync.Mutex
	keys []string
	ok   []bool
}

func (h *told) want(t *testing.T, what string, want ...string) {
	t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.keys, want) {
		t.Errorf("%s: got %q, want %q", what, h.keys, want)
	}
	h.keys = nil
}

// hold runs a button in the bubble until the test ends.
func hold(t *testing.T, b *Button) *told {
	t.Helper()
	h := &told{}
	b.Press = func(p input.Press) { h.mu.Lock(); h.keys = append(h.keys, p.Key); h.mu.Unlock() }
	b.State = func(ok bool) { h.mu.Lock(); h.ok = append(h.ok, ok); h.mu.Unlock() }
	run(t, b.Run)
	return h
}

func run(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		began := time.Now()
		if err := <-done; err != nil || time.Since(began) > time.Second {
			t.Errorf("it ended with %v after %v", err, time.Since(began))
		}
	})
	synctest.Wait()
}

func newPin(name string) *gpiotest.Pin {
	return &gpiotest.Pin{N: name, EdgesChan: make(chan gpio.Level, 64)}
}

func TestButton(t *testing.T) {
	for name, high := range map[string]bool{"low": false, "high": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pin, r := newPin("GPIO17"), rand.New(rand.NewPCG(1, 1))
				h := hold(t, &Button{Name: "GPIO17", Pin: pin, High: high, Key: "kpenter"})
				f := finger{pin, gpio.Level(high)}
				for i := range 200 {
					f.press(time.Duration(80+r.IntN(900))*time.Millisecond, r)
					h.want(t, "press", "kpenter")
					if i%10 == 0 {
						f.edge(f.down) // a spike
						time.Sleep(time.Millisecond)
						f.edge(!f.down)
						time.Sleep(2 * MaxDebounce)
						h.want(t, "a spike")
					}
				}
				if len(h.ok) != 1 || !h.ok[0] {
					t.Errorf("told %v", h.ok)
				}
			})
		})
	}
}

func TestLongPress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin, r := newPin("GPIO17"), rand.New(rand.NewPCG(2, 2))
		h := hold(t, &Button{Pin: pin, Key: "kpenter", Long: time.Second, LongKey: "esc"})
		f := finger{pin, gpio.Low}
		for range 50 {
			f.press(time.Duration(100+r.IntN(800))*time.Millisecond, r)
			h.want(t, "a press", "kpenter")
			f.bounce(gpio.Low, r)
			time.Sleep(1050 * time.Millisecond)
			h.want(t, "a long press, before it is over", "esc")
			time.Sleep(time.Minute)
			f.bounce(gpio.High, r)
			time.Sleep(2 * MaxDebounce)
			h.want(t, "its end")
		}
	})
}

// TestLostEdge: a kernel that loses an edge costs a fifth of a second, no press.
func TestLostEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := newPin("GPIO17")
		h := hold(t, &Button{Pin: pin, Key: "a"})
		set := func(l gpio.Level) { pin.Lock(); pin.L = l; pin.Unlock() }
		for range 3 {
			set(gpio.Low)
			time.Sleep(lookEvery + 2*MaxDebounce)
			h.want(t, "pressed", "a")
			set(gpio.High)
			time.Sleep(lookEvery + 2*MaxDebounce)
			h.want(t, "let go of")
		}
	})
}

// TestLostEnd: a spike whose second edge is lost is a spike.
func TestLostEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := newPin("GPIO17")
		h := hold(t, &Button{Pin: pin, Key: "a"})
		finger{pin, gpio.Low}.edge(gpio.Low)
		time.Sleep(Debounce / 2)
		pin.Lock()
		pin.L = gpio.High
		pin.Unlock()
		time.Sleep(time.Second)
		h.want(t, "a spike")
	})
}

// stuck is a line that a finger holds down whatever pulls it up.
type stuck struct{ *gpiotest.Pin }

func (s stuck) In(p gpio.Pull, e gpio.Edge) error {
	err := s.Pin.In(p, e)
	s.Lock()
	s.L = gpio.Low
	s.Unlock()
	return err
}

// TestHeldAtStart: a button that is held while the till starts is no press.
func TestHeldAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin, r := newPin("GPIO17"), rand.New(rand.NewPCG(4, 4))
		h := hold(t, &Button{Pin: stuck{pin}, Key: "a"})
		time.Sleep(time.Minute)
		h.want(t, "held")
		f := finger{pin, gpio.Low}
		f.bounce(gpio.High, r)
		time.Sleep(2 * MaxDebounce)
		h.want(t, "let go of")
		f.press(100*time.Millisecond, r)
		h.want(t, "a press", "a")
	})
}

// TestChatter: contacts that never rest are no press, and keep nobody from stopping.
func TestChatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := newPin("GPIO17")
		h := hold(t, &Button{Pin: pin, Key: "a"})
		f := finger{pin, gpio.Low}
		for i := range 500 {
			f.edge(gpio.Level(i%2 == 0))
			time.Sleep(7 * time.Millisecond)
		}
		h.want(t, "chatter")
	})
}

// broken is a line that cannot report edges for a while.
type broken struct {
	*gpiotest.Pin
	left int
}

func (b *broken) In(p gpio.Pull, e gpio.Edge) error {
	if b.left--; b.left >= 0 {
		return errors.New("no edges")
	}
	return b.Pin.In(p, e)
}

func TestBrokenLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := newPin("GPIO17")
		h := hold(t, &Button{Pin: &broken{pin, 2}, Key: "a"})
		time.Sleep(3 * retryEvery)
		finger{pin, gpio.Low}.press(100*time.Millisecond, rand.New(rand.NewPCG(3, 3)))
		h.want(t, "press", "a")
		if !slices.Equal(h.ok, []bool{false, false, true}) {
			t.Errorf("told %v", h.ok)
		}
	})
}
