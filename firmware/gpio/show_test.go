package gpio

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"github.com/tillwright/tillwright/pos"
)

var quiet = slog.New(slog.DiscardHandler)

// ear is a voice, and a line, that notes what is heard: "2700", "on" and "-".
type ear struct {
	gpiotest.Pin
	mu    sync.Mutex
	heard []string
	deaf  bool // tones fail
}

func (e *ear) String() string { return "GPIO18" }

func (e *ear) Sound(hertz int64) error {
	if hertz == 0 {
		return e.Out(gpio.Low)
	}
	if e.deaf {
		return errors.New("no PWM")
	}
	e.note(strconv.FormatInt(hertz, 10))
	return nil
}

func (e *ear) note(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.heard); n == 0 || e.heard[n-1] != s {
		e.heard = append(e.heard, s)
	}
}

func (e *ear) Out(l gpio.Level) error {
	e.note(map[gpio.Level]string{gpio.Low: "-", gpio.High: "on"}[l])
	return nil
}

func (e *ear) take() string {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	s := strings.Join(e.heard, " ")
	e.heard = nil
	return s
}

func TestBuzzer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := &ear{}
		b := NewBuzzer(pin, quiet)
		run(t, b.Run)
		for _, x := range []struct {
			s    Sound
			want string
		}{{GoodSound, "- 2700 -"}, {BadSound, "900 - 900 -"}, {PaidSound, "2100 - 2700 - 3300 -"}} {
			began := time.Now()
			b.Play(x.s)
			if time.Since(began) != 0 {
				t.Error("Play waited")
			}
			time.Sleep(500 * time.Millisecond)
			if got := pin.take(); got != x.want {
				t.Errorf("sound %d: got %q, want %q", x.s, got, x.want)
			}
		}
		for range 1000 { // a thousand scans in no time, one of them bad
			b.Play(GoodSound)
		}
		b.Play(BadSound)
		b.Play(GoodSound)
		b.Play(PaidSound)
		time.Sleep(2 * time.Second)
		if got := pin.take(); !strings.HasSuffix(got, "900 - 900 -") || len(got) > 40 {
			t.Errorf("after a flood: %q", got)
		}
	})
}

func TestBuzzerKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		active, deaf := &ear{}, &ear{deaf: true}
		var log strings.Builder
		a, d := NewBuzzer(OnOff(active), quiet), NewBuzzer(deaf, slog.New(slog.NewTextHandler(&log, nil)))
		run(t, a.Run)
		run(t, d.Run)
		a.Play(BadSound)
		d.Play(BadSound)
		time.Sleep(time.Second)
		if got := active.take(); got != "- on - on -" {
			t.Errorf("an active one: %q", got)
		}
		if got := deaf.take(); got != "-" {
			t.Errorf("a line without PWM: %q", got)
		}
		d.Play(BadSound)
		time.Sleep(time.Second)
		synctest.Wait()
		if strings.Count(log.String(), "buzzer does not work") != 1 || !strings.Contains(log.String(), "GPIO18") {
			t.Errorf("log: %s", log.String())
		}
	})
}

// TestBuzzerStops: a till that is stopped in the middle of a sound does not go on for
// ever.
func TestBuzzerStops(t *testing.T) {
	pin := &ear{}
	synctest.Test(t, func(t *testing.T) {
		b := NewBuzzer(pin, quiet)
		run(t, b.Run)
		b.Play(BadSound)
		time.Sleep(10 * time.Millisecond)
	})
	if got := pin.heard; len(got) == 0 || got[len(got)-1] != "-" {
		t.Errorf("it ended with %q", got)
	}
}

// bulb is a light that notes what it shows.
type bulb struct {
	mu   sync.Mutex
	on   bool
	sets int
	err  error
}

func (b *bulb) Set(on bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sets++
	if b.err == nil {
		b.on = on
	}
	return b.err
}

func (b *bulb) lit() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.on
}

// TestLamps walks through the states, and looks at each lamp for three seconds.
func TestLamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		green, red, dead := &bulb{}, &bulb{}, &bulb{err: errors.New("no")}
		l := NewLamps([]Lamp{
			{Name: "green", Light: green, On: []State{Ready, Paid}, Blink: []State{Waiting}},
			{Name: "red", Light: red, On: []State{Trouble}},
			{Name: "dead", Light: dead, On: States},
		}, quiet)
		run(t, l.Run)
		for _, x := range []struct {
			s          State
			green, red string
		}{{Ready, "on", "off"}, {Waiting, "blinks", "off"}, {Paid, "on", "off"}, {Trouble, "off", "on"}, {Ready, "on", "off"}} {
			l.Show("something older")
			l.Show(x.s)
			synctest.Wait()
			if got := seen(green); got != x.green {
				t.Errorf("%s: green %s, want %s", x.s, got, x.green)
			}
			if got := seen(red); got != x.red {
				t.Errorf("%s: red %s, want %s", x.s, got, x.red)
			}
		}
		sets := red.sets
		time.Sleep(time.Hour)
		if red.sets != sets {
			t.Error("a lamp is told what it knows")
		}
		dead.mu.Lock()
		dead.err = nil
		dead.mu.Unlock()
		if got := seen(dead); got != "on" {
			t.Errorf("a lamp that works again is %s", got)
		}
	})
}

// TestLampsEnd: when the till stops, no lamp goes on saying that it is ready.
func TestLampsEnd(t *testing.T) {
	for _, state := range States {
		steady, winking := &bulb{}, &bulb{}
		synctest.Test(t, func(t *testing.T) {
			l := NewLamps([]Lamp{{Name: "steady", Light: steady, On: States}, {Name: "winking", Light: winking, Blink: States}}, quiet)
			run(t, l.Run)
			l.Show(state)
			synctest.Wait()
			if !steady.lit() || !winking.lit() {
				t.Errorf("%s: lit %v and %v", state, steady.lit(), winking.lit())
			}
		})
		if steady.lit() || winking.lit() {
			t.Errorf("%s: in the end %v and %v are lit", state, steady.lit(), winking.lit())
		}
	}
}

func seen(b *bulb) string {
	lit, looks := 0, 30
	for range looks {
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if b.lit() {
			lit++
		}
	}
	switch lit {
	case 0:
		return "off"
	case looks - 4, looks - 3, looks - 2, looks - 1, looks: // one that was dead needs a tick
		return "on"
	}
	return "blinks"
}

func TestStateOf(t *testing.T) {
	view := func(p pos.Phase, links ...pos.Link) pos.View {
		return pos.View{Customer: pos.Customer{Phase: p}, Counter: pos.Counter{Links: links}}
	}
	paperOut := pos.Link{Name: "printer", State: "offline"}
	cloned := view(pos.PhaseIdle)
	cloned.Counter.Sync.Trouble = "call the owner"
	for _, x := range []struct {
		name string
		v    pos.View
		want State
	}{
		{"idle", view(pos.PhaseIdle), Ready},
		{"basket", view(pos.PhaseBasket), Ready},
		{"due", view(pos.PhaseDue), Waiting},
		{"arriving", view(pos.PhaseArriving), Waiting},
		{"checking", view(pos.PhaseChecking), Waiting},
		{"paid", view(pos.PhasePaid), Paid},
		{"change", view(pos.PhaseChange), Paid},
		{"refused", view(pos.PhaseRefused), Ready},
		{"no paper", view(pos.PhaseIdle, paperOut), Trouble},
		{"paid without paper", view(pos.PhasePaid, paperOut), Paid},
		{"no internet", view(pos.PhaseIdle, pos.Link{Name: "internet", State: "offline"}), Ready},
		{"a printer that says nothing", view(pos.PhaseIdle, pos.Link{Name: "printer", State: "unknown"}), Ready},
		{"a cloned till", cloned, Trouble},
	} {
		if got := StateOf(x.v); got != x.want {
			t.Errorf("%s: got %s, want %s", x.name, got, x.want)
		}
	}
}

// TestOnBoard writes to a folder like the kernel's.
func TestOnBoard(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"trigger": "none [mmc0] timer", "brightness": "0", "max_brightness": "255\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := func(name, text string) {
		t.Helper()
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != text {
			t.Errorf("%s is %q, %v, want %q", name, b, err, text)
		}
	}
	l := OnBoard(dir)
	if err := l.Set(true); err != nil {
		t.Fatal(err)
	}
	want("trigger", "none")
	want("brightness", "255")
	if err := l.Set(false); err != nil {
		t.Fatal(err)
	}
	want("brightness", "0")
	if err := os.Remove(filepath.Join(dir, "trigger")); err != nil {
		t.Fatal(err)
	}
	if err := l.Set(true); err != nil {
		t.Error(err)
	}
	if err := OnBoard(filepath.Join(dir, "none")).Set(true); err == nil {
		t.Error("a light that is not there was lit")
	}
}

func TestOnLine(t *testing.T) {
	for _, low := range []bool{false, true} {
		pin := &gpiotest.Pin{}
		for _, on := range []bool{true, false} {
			if err := OnLine(pin, low).Set(on); err != nil || bool(pin.L) != (on != low) {
				t.Errorf("low=%v on=%v: the line is %v, %v", low, on, pin.L, err)
			}
		}
	}
}
