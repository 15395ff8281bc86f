package gpio

import (
	"context"
	"log/slog"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
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

// Buzzer is a sounder on a line. The zero Active is one that needs a tone made for it
// (passive, piezo); an active one makes its own and is switched on and off.
type Buzzer struct {
	pin    gpio.PinOut
	active bool
	log    *slog.Logger
	next   chan Sound // the one that waits
}

// NewBuzzer returns a buzzer on pin. Nothing is sent to it before Run.
func NewBuzzer(pin gpio.PinOut, active bool, log *slog.Logger) *Buzzer {
	return &Buzzer{pin: pin, active: active, log: log, next: make(chan Sound, 1)}
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

// Run plays until ctx ends, and then returns nil.
func (b *Buzzer) Run(ctx context.Context) error {
	b.off()
	defer b.off()
	for told := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case s := <-b.next:
			if err := b.play(ctx, s); err != nil && !told {
				told = true
				b.log.Warn("buzzer does not work; one that makes its own tone needs no PWM", "line", b.pin.Name(), "err", err)
			}
		}
	}
}

func (b *Buzzer) play(ctx context.Context, s Sound) error {
	for _, t := range sounds[s] {
		if err := b.sound(t.hertz); err != nil {
			b.off()
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(t.lasts):
		}
	}
	b.off()
	return nil
}

// sound begins a tone; 0 is silence.
func (b *Buzzer) sound(hertz int64) error {
	if hertz == 0 || b.active {
		return b.pin.Out(gpio.Level(hertz != 0))
	}
	return b.pin.PWM(gpio.DutyHalf, physic.Frequency(hertz)*physic.Hertz)
}

func (b *Buzzer) off() {
	if err := b.pin.Out(gpio.Low); err != nil {
		b.log.Debug("buzzer not switched off", "line", b.pin.Name(), "err", err)
	}
}
