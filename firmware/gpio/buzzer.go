package gpio

import (
	"context"
	"log/slog"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// Sound is one of the buzzer's words.
type Sound int

// Sounds. A later one is worth more: it is not dropped for an earlier one.
const (
	GoodSound Sound = iota + 1 // a key or a scan was taken: short and high
	PaidSound                  // rising: nobody needs to look
	BadSound                   // long and low, twice: look at the screen
)

// tone is a stretch of sound or, without a frequency, of silence.
type tone struct {
	hertz int64
	lasts time.Duration
}

// sounds are short: a cashier hears a thousand a day. None lasts half a second, so
// that the next one is not late.
var sounds = map[Sound][]tone{
	GoodSound: {{2700, 60 * time.Millisecond}},
	PaidSound: {{2100, 90 * time.Millisecond}, {0, 30 * time.Millisecond}, {2700, 90 * time.Millisecond}, {0, 30 * time.Millisecond}, {3300, 160 * time.Millisecond}},
	BadSound:  {{900, 180 * time.Millisecond}, {0, 70 * time.Millisecond}, {900, 180 * time.Millisecond}},
}

// Voice is what a Buzzer sounds with: OnOff for one that makes its own tone (active),
// PWM for one that needs a tone made for it (passive, piezo).
type Voice interface {
	// Sound begins a tone of so many hertz; 0 is silence. It may block for a short time.
	Sound(hertz int64) error
	// String names the voice for people: "GPIO18".
	String() string
}

// OnOff returns the voice of a buzzer that makes its own tone while pin is high. It
// cannot play high and low: its words differ in length and number.
func OnOff(pin gpio.PinOut) Voice { return onOff{pin} }

type onOff struct{ gpio.PinOut }

func (v onOff) Sound(hertz int64) error { return v.Out(hertz != 0) }

// String returns the line's name.
func (v onOff) String() string { return v.Name() }

// Buzzer plays sounds.
type Buzzer struct {
	voice Voice
	log   *slog.Logger
	next  chan Sound // the one that waits
	told  bool       // that it does not work
}

// NewBuzzer returns a buzzer with a voice. Nothing is sent to it before Run.
func NewBuzzer(v Voice, log *slog.Logger) *Buzzer {
	return &Buzzer{voice: v, log: log, next: make(chan Sound, 1)}
}

// Play plays s when the sound under way is over. It never waits: of two that wait the
// one that is worth more stays. It may be called from anywhere.
func (b *Buzzer) Play(s Sound) {
	for {
		select {
		case b.next <- s:
			return
		default:
		}
		select {
		case waiting := <-b.next:
			s = max(s, waiting)
		default:
		}
	}
}

// Run plays until ctx ends, and then returns nil. A buzzer that does not work is told of
// in the log, at once and once.
func (b *Buzzer) Run(ctx context.Context) error {
	b.sound(0)
	defer b.sound(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-b.next:
			b.play(ctx, s)
		}
	}
}

func (b *Buzzer) play(ctx context.Context, s Sound) {
	defer b.sound(0)
	for _, t := range sounds[s] {
		if !b.sound(t.hertz) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(t.lasts):
		}
	}
}

// sound begins a tone, 0 is silence, and reports that it could.
func (b *Buzzer) sound(hertz int64) bool {
	err := b.voice.Sound(hertz)
	if err != nil && !b.told {
		b.told = true
		b.log.Warn("buzzer does not work", "line", b.voice.String(), "err", err)
	}
	return err == nil
}
