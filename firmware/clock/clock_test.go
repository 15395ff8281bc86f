package clock

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

func TestTrust(t *testing.T) {
	tests := []struct {
		name   string
		state  int
		status int32
		err    error
		want   pos.Clock
	}{
		{"synchronised by a phase-locked loop", 0, 0x2001, nil, pos.ClockTrusted}, // STA_PLL | STA_NANO
		{"leap second announced", 1, 0x2011, nil, pos.ClockTrusted},
		{"leap second to be dropped", 2, 0x2021, nil, pos.ClockTrusted},
		{"in a leap second", 3, 0x2001, nil, pos.ClockTrusted},
		{"leap second over", 4, 0x2001, nil, pos.ClockTrusted},
		{"as after boot", timeError, staUnsync, nil, pos.ClockUnknown},
		{"error without a bit: pulse per second lost", timeError, 0x2, nil, pos.ClockUnknown},
		{"unsynchronised bit alone", 0, staUnsync | 0x2001, nil, pos.ClockUnknown},
		{"hardware fault alone", 0, staClockErr | 0x2001, nil, pos.ClockUnknown},
		{"a state not in the manual", 6, 0, nil, pos.ClockUnknown},
		{"negative state", -1, 0, nil, pos.ClockUnknown},
		{"no such call", 0, 0, errors.New("function not implemented"), pos.ClockUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := trust(func() (int, int32, error) { return tt.state, tt.status, tt.err }); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestKernel asks the real kernel: whatever it says, it must say something, and
// the careful default must not come from a broken call.
func TestKernel(t *testing.T) {
	state, status, err := kernel()
	if err != nil || state < 0 || state > timeError {
		t.Fatalf("state %d, status %#x, %v", state, status, err)
	}
	if unsync := status&staUnsync != 0; unsync && state != timeError {
		t.Errorf("status %#x does not fit state %d: the structure is read wrong", status, state)
	}
	if got := Trust(); got != trust(kernel) {
		t.Errorf("Trust says %q", got)
	}
}

// board is a computer whose two clocks a test sets.
type board struct {
	wall   time.Time
	mono   time.Duration
	synced bool
}

func (b *board) pass(d time.Duration) { b.wall, b.mono = b.wall.Add(d), b.mono+d }
func (b *board) set(d time.Duration)  { b.wall = b.wall.Add(d) }
func (b *board) judge() *Judge {
	return newJudge(func() (int, int32, error) {
		if b.synced {
			return 0, 0x2001, nil
		}
		return timeError, staUnsync, nil
	}, func() reading { return reading{b.wall, b.mono} })
}

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	const s, day = time.Second, 24 * time.Hour
	tests := []struct {
		name string
		do   func(*board, *Judge)
		want pos.Clock
	}{
		{"nobody vouches", func(b *board, j *Judge) {}, pos.ClockUnknown},
		{"the kernel is synchronised", func(b *board, j *Judge) { b.synced = true }, pos.ClockTrusted},
		{"vouched to the second", func(b *board, j *Judge) { j.Vouch(b.wall) }, pos.ClockTrusted},
		{"just near enough before", func(b *board, j *Judge) { j.Vouch(b.wall.Add(-30 * s)) }, pos.ClockTrusted},
		{"just near enough after", func(b *board, j *Judge) { j.Vouch(b.wall.Add(30 * s)) }, pos.ClockTrusted},
		{"too far before", func(b *board, j *Judge) { j.Vouch(b.wall.Add(-30*s - 1)) }, pos.ClockUnknown},
		{"too far after", func(b *board, j *Judge) { j.Vouch(b.wall.Add(30*s + 1)) }, pos.ClockUnknown},
		{"in another zone", func(b *board, j *Judge) { j.Vouch(b.wall.In(time.FixedZone("", 7200))) }, pos.ClockTrusted},
		{"still good after a month", func(b *board, j *Judge) { j.Vouch(b.wall); b.pass(30 * day) }, pos.ClockTrusted},
		{"a leap second is no step", func(b *board, j *Judge) { j.Vouch(b.wall); b.pass(day); b.set(-s) }, pos.ClockTrusted},
		{"set forwards", func(b *board, j *Judge) { j.Vouch(b.wall); b.pass(day); b.set(3 * s) }, pos.ClockUnknown},
		{"set backwards", func(b *board, j *Judge) { j.Vouch(b.wall); b.pass(day); b.set(-3 * s) }, pos.ClockUnknown},
		{"set in small steps", func(b *board, j *Judge) {
			j.Vouch(b.wall)
			for range 3 {
				b.set(s)
				j.Now()
			}
		}, pos.ClockUnknown},
		{"set, and set back unseen", func(b *board, j *Judge) { j.Vouch(b.wall); b.set(-day); b.set(day) }, pos.ClockTrusted},
		{"set, seen, and set back", func(b *board, j *Judge) { j.Vouch(b.wall); b.set(-day); j.Now(); b.set(day) }, pos.ClockUnknown},
		{"set, then vouched again", func(b *board, j *Judge) { j.Vouch(b.wall); b.set(day); j.Vouch(b.wall) }, pos.ClockTrusted},
		{"set, but the kernel knows", func(b *board, j *Judge) { j.Vouch(b.wall); b.set(day); b.synced = true }, pos.ClockTrusted},
		{"an old word does not end trust", func(b *board, j *Judge) { j.Vouch(b.wall); j.Vouch(b.wall.Add(-day)) }, pos.ClockTrusted},
		{"a word from the future does", func(b *board, j *Judge) { j.Vouch(b.wall); j.Vouch(b.wall.Add(day)) }, pos.ClockUnknown},
		{"a word from the future stands against the kernel's", func(b *board, j *Judge) { b.synced = true; j.Vouch(b.wall.Add(day)) }, pos.ClockUnknown},
		{"that word is forgotten when the clock is set to it", func(b *board, j *Judge) {
			b.synced = true
			j.Vouch(b.wall.Add(day))
			b.pass(time.Hour)
			b.set(day)
		}, pos.ClockTrusted},
		{"also when it is set a little late", func(b *board, j *Judge) { b.synced = true; j.Vouch(b.wall.Add(day)); b.set(day - 29*s) }, pos.ClockTrusted},
		{"not when it is set too little", func(b *board, j *Judge) { b.synced = true; j.Vouch(b.wall.Add(day)); b.set(day / 2) }, pos.ClockUnknown},
		{"a better word takes its place", func(b *board, j *Judge) { j.Vouch(b.wall.Add(day)); j.Vouch(b.wall) }, pos.ClockTrusted},
		{"an old word does not", func(b *board, j *Judge) { b.synced = true; j.Vouch(b.wall.Add(day)); j.Vouch(b.wall.Add(-day)) }, pos.ClockUnknown},
		{"to 2036 and back", func(b *board, j *Judge) {
			j.Vouch(b.wall)
			b.set(10 * 365 * day)
			j.Now()
			b.set(-10 * 365 * day)
			j.Vouch(b.wall)
		}, pos.ClockTrusted},
		{"a sleep of the board counts as a step", func(b *board, j *Judge) { j.Vouch(b.wall); b.wall = b.wall.Add(time.Hour) }, pos.ClockUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := &board{wall: noon}
			j := b.judge()
			tt.do(b, j)
			at, got := j.Now()
			if got != tt.want || !at.Equal(b.wall) {
				t.Errorf("got %q at %v, want %q at %v", got, at, tt.want, b.wall)
			}
		})
	}
}

// TestNewJudge looks at the real clocks: the time is the computer's, and its form
// is what records keep.
func TestNewJudge(t *testing.T) {
	j := NewJudge()
	before := time.Now()
	j.Vouch(before)
	at, clock := j.Now()
	if clock != pos.ClockTrusted {
		t.Errorf("vouched for, yet %q", clock)
	}
	if d := at.Sub(before.Round(0)); d < 0 || d > time.Minute {
		t.Errorf("off by %v", d)
	}
	if at.Location() != time.UTC || at != at.Round(0) {
		t.Errorf("%#v is not in UTC or has a monotonic part", at)
	}
}

// TestJudgeIsShared lets the journal read while the outbox vouches; the race
// detector is the judge of the Judge.
func TestJudgeIsShared(t *testing.T) {
	j := NewJudge()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				j.Vouch(time.Now())
				j.Now()
			}
		})
	}
	wg.Wait()
}

// TestContradicted follows a board that wakes in 1970 beside a backoffice that
// knows better: what it says the time is goes on with the monotonic clock, whatever
// the wall clock does meanwhile, and ends when the clock is right.
func TestContradicted(t *testing.T) {
	b := &board{wall: time.Unix(60, 0).UTC(), synced: true}
	j := b.judge()
	if _, wrong := j.Contradicted(); wrong {
		t.Error("contradicted by nobody")
	}
	j.Vouch(noon)
	b.pass(90 * time.Minute)
	b.set(-time.Minute)
	if is, wrong := j.Contradicted(); !wrong || !is.Equal(noon.Add(90*time.Minute)) {
		t.Errorf("it is %v (%v), want %v", is, wrong, noon.Add(90*time.Minute))
	}
	b.wall = noon.Add(90 * time.Minute)
	if is, wrong := j.Contradicted(); wrong {
		t.Errorf("set right, and still contradicted by %v", is)
	}
	b.set(-time.Hour)
	if _, wrong := j.Contradicted(); wrong {
		t.Error("a word once met is held against the clock again")
	}
}
