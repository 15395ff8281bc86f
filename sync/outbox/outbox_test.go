package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/outbox"
	"github.com/tillwright/tillwright/sync/wire"
)

// backoffice is the far end as the protocol has it: it takes what continues its
// chain, takes again what it has, and tells gaps and forks apart. It can be out of
// reach until an instant, and lose answers.
type backoffice struct {
	mu     sync.Mutex
	held   []pos.Record
	upAt   time.Time
	down   error // what an attempt fails with until upAt; an outage when nil
	lose   int   // answers still to lose after taking the records
	takes  int   // records of a batch it takes at most; 0 for all
	calls  []int // sizes of batches that arrived
	failed int
}

func (b *backoffice) Push(ctx context.Context, batch []pos.Record) (pos.Checkpoint, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Now().Before(b.upAt) {
		b.failed++
		if b.down != nil {
			return pos.Checkpoint{}, b.down
		}
		return pos.Checkpoint{}, pos.E("call backoffice", pos.Unavailable, "no line")
	}
	b.calls = append(b.calls, len(batch))
	if b.takes > 0 {
		batch = batch[:min(len(batch), b.takes)]
	}
	if err := b.take(batch); err != nil {
		return pos.Checkpoint{}, err
	}
	if b.lose > 0 {
		b.lose--
		return pos.Checkpoint{}, pos.E("call backoffice", pos.Unavailable, "the answer was lost")
	}
	return b.checkpoint(), nil
}

func (b *backoffice) take(batch []pos.Record) error {
	for _, r := range batch {
		switch n := uint64(len(b.held)); {
		case r.N > n+1:
			return &wire.GapError{Expected: n + 1, Checkpoint: b.checkpoint()}
		case r.N <= n && b.held[r.N-1].Hash != r.Hash:
			return &wire.ForkError{Fork: pos.Fork{N: r.N, Theirs: b.held[r.N-1].Hash}}
		case r.N == n+1 && n > 0 && r.Prev != b.held[n-1].Hash:
			return &wire.ForkError{Fork: pos.Fork{N: n, Theirs: b.held[n-1].Hash}}
		case r.N == n+1:
			b.held = append(b.held, r)
		}
	}
	return nil
}

func (b *backoffice) checkpoint() pos.Checkpoint {
	n := len(b.held)
	if n == 0 {
		return pos.Checkpoint{}
	}
	return pos.Checkpoint{N: uint64(n), Hash: b.held[n-1].Hash, At: time.Now()}
}

func (b *backoffice) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.held)
}

// till is a till with its outbox running.
type till struct {
	*tilltest.Till
	box   *outbox.Outbox
	mu    sync.Mutex
	links []pos.Link
}

func (t *till) link() pos.Link {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.links[len(t.links)-1]
}

func (t *till) told() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.links)
}

func (t *till) sell() {
	t.Sell()
	t.box.Wake()
}

// start runs an outbox until the test ends.
func start(t *testing.T, far outbox.Backoffice, source outbox.Source) *till {
	t.Helper()
	self := &till{}
	self.Till, _ = source.(*tilltest.Till)
	self.box = outbox.New(outbox.Options{Source: source, Backoffice: far, Link: func(l pos.Link) {
		self.mu.Lock()
		defer self.mu.Unlock()
		self.links = append(self.links, l)
	}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- self.box.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
	return self
}

var opening = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

func newTill() *tilltest.Till { return tilltest.New(1, "01", "EUR", opening) }

// TestRetry: another line is back after an hour. What waits is sent at once, and not
// minutes later.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := &backoffice{upAt: time.Now().Add(time.Hour)}
		till := start(t, far, newTill())
		till.sell()
		time.Sleep(time.Hour + time.Millisecond) // between two of its own tries
		synctest.Wait()
		if far.count() != 0 {
			t.Fatal("sent before it was told")
		}
		till.box.Retry()
		till.box.Retry() // twice is once
		synctest.Wait()
		if all := len(till.Records()); far.count() != all {
			t.Errorf("%d of %d records are there", far.count(), all)
		}
	})
}

// TestOutage lives through six hours without a line, in no time at all. Goal:
// every record arrives, once and in order, the till does not hammer a dead line,
// it is in step within the longest pause of the line coming back, and it notices
// by itself that the backoffice came back from a backup.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const outage = 6 * time.Hour
		far := &backoffice{upAt: time.Now().Add(outage)}
		till := start(t, far, newTill())
		for range 100 { // a sale every 3.6 minutes
			till.sell()
			time.Sleep(outage / 100)
		}
		if l := till.link(); l.State != "offline" || l.Detail == "" {
			t.Errorf("after six hours the link says %+v", l)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		all := len(till.Records())
		if far.count() != all || till.Acked() != uint64(all) {
			t.Errorf("backoffice holds %d records, the till knows of %d, want %d", far.count(), till.Acked(), all)
		}
		if far.failed > 90 {
			t.Errorf("%d attempts on a dead line in %v", far.failed, outage)
		}
		if till.link().State != "online" {
			t.Errorf("the link says %+v", till.link())
		}

		far.mu.Lock()
		far.held = far.held[:40] // it lost its disk and came back from a backup
		far.mu.Unlock()
		till.sell()
		time.Sleep(time.Second)
		synctest.Wait()
		if all = len(till.Records()); far.count() != all || till.Acked() != uint64(all) {
			t.Errorf("after its restore the backoffice holds %d records, the till knows of %d, want %d", far.count(), till.Acked(), all)
		}
		for i, r := range far.held {
			if !bytes.Equal(r.Line, till.Records()[i].Line) {
				t.Fatalf("record %d differs", i+1)
			}
		}
	})
}

// TestLostAnswers drops the answer to records that were taken. Goal: they are sent
// again, and the till learns that they are safe.
func TestLostAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := &backoffice{lose: 3}
		till := start(t, far, newTill())
		till.sell()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if all := len(till.Records()); far.count() != all || till.Acked() != uint64(all) {
			t.Errorf("backoffice holds %d, till knows of %d, want %d", far.count(), till.Acked(), all)
		}
	})
}

// TestProbe keeps a till idle. Goal: the link's state is never older than a
// minute, and a backoffice that lost its records is noticed without a sale.
func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := &backoffice{}
		till := start(t, far, newTill())
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if till.link().State != "online" {
			t.Fatalf("the link says %+v", till.link())
		}
		far.mu.Lock()
		far.held, far.upAt = nil, time.Now().Add(5*time.Minute)
		far.mu.Unlock()
		time.Sleep(70 * time.Second)
		if till.link().State != "offline" {
			t.Errorf("a minute into the outage the link says %+v", till.link())
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if far.count() != 2 || till.link().State != "online" {
			t.Errorf("backoffice holds %d records, the link says %+v", far.count(), till.link())
		}
	})
}

// TestFork meets a backoffice that holds another history, in the ways it can show.
// Goal: the till is told once, says so, and pushes no more.
func TestFork(t *testing.T) {
	tests := map[string]struct {
		far  func(mine *tilltest.Till) *backoffice
		want uint64
	}{
		"another record under our number": {func(mine *tilltest.Till) *backoffice {
			copied := mine.Clone(9)
			copied.Sell()
			mine.Sell()
			return &backoffice{held: copied.Records()[:4]}
		}, 3},
		"more records than we ever made": {func(mine *tilltest.Till) *backoffice {
			newer := mine.Clone(9)
			newer.Sell()
			return &backoffice{held: newer.Records()}
		}, 0},
		"our number, signed otherwise": {func(mine *tilltest.Till) *backoffice {
			other := tilltest.New(2, "01", "EUR", opening)
			return &backoffice{held: other.Records()}
		}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mine := newTill()
				far := tt.far(mine)
				till := start(t, far, mine)
				time.Sleep(time.Hour)
				till.sell()
				time.Sleep(time.Hour)
				synctest.Wait()
				forks := mine.Forks()
				if len(forks) != 1 || (tt.want > 0 && forks[0].N != tt.want) {
					t.Errorf("forks %+v, want one at %d", forks, tt.want)
				}
				if len(far.calls) > 2 {
					t.Errorf("%d calls after a fork", len(far.calls))
				}
				if l := till.link(); l.State != "offline" || l.Detail != pos.Word("en", "sync_forked") {
					t.Errorf("the link says %+v", l)
				}
			})
		})
	}
}

// TestTrouble checks what the cashier reads about each kind of refusal, and that
// the outbox never gives up.
func TestTrouble(t *testing.T) {
	for kind, word := range map[pos.Kind]string{
		pos.Unavailable: "sync_offline", pos.Internal: "sync_offline", pos.Forbidden: "sync_refused",
		pos.Corrupt: "sync_corrupt", pos.Invalid: "sync_misconfigured",
	} {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				far := &backoffice{upAt: time.Now().Add(time.Hour), down: pos.E("push", kind, "no")}
				till := start(t, far, newTill())
				time.Sleep(30 * time.Minute)
				if l := till.link(); l.State != "offline" || l.Detail != pos.Word("en", word) {
					t.Errorf("the link says %+v", l)
				}
				if n := till.told(); n > 2 {
					t.Errorf("an outage was told %d times", n)
				}
				time.Sleep(40 * time.Minute)
				synctest.Wait()
				if far.count() != 2 || till.link().State != "online" {
					t.Errorf("after the outage: %d records, %+v", far.count(), till.link())
				}
			})
		})
	}
}

// TestNotEnrolled has no backoffice for an hour, sells, and then has one. Goal: no
// alarm, and the first records go at the very wake-up, not after a back-off.
func TestNotEnrolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := &backoffice{upAt: time.Now().Add(time.Hour + 10*time.Second), down: pos.E("push", pos.NotFound, "no backoffice yet")}
		till := start(t, far, newTill())
		time.Sleep(time.Hour + 20*time.Second) // between two heartbeats
		if l := till.link(); l.State != "unknown" {
			t.Errorf("the link says %+v", l)
		}
		till.box.Wake()
		synctest.Wait()
		if far.count() != 2 {
			t.Errorf("the backoffice holds %d records at once, want 2", far.count())
		}
	})
}

// TestBatches holds the bounds of a batch, and a backoffice that takes less than
// it is offered.
func TestBatches(t *testing.T) {
	tests := map[string]struct {
		records, bytes int // besides genesis and boot
		takes          int
		most           int
	}{
		"many small":   {3 * wire.MaxBatch, 10, 0, wire.MaxBatch},
		"few large":    {10, 300 << 10, 0, 6}, // 4 × 300 KB, behind genesis and boot
		"one huge":     {1, pos.MaxLine - 1000, 0, 3},
		"takes a few":  {100, 10, 7, 102},
		"takes by one": {20, 10, 1, 22},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mine := newTill()
				for range tt.records {
					mine.Add("filler", string(bytes.Repeat([]byte{'x'}, tt.bytes)))
				}
				far := &backoffice{takes: tt.takes}
				start(t, far, mine)
				time.Sleep(time.Minute / 2)
				synctest.Wait()
				if far.count() != tt.records+2 {
					t.Fatalf("backoffice holds %d records, want %d", far.count(), tt.records+2)
				}
				for _, n := range far.calls {
					if n > tt.most {
						t.Errorf("a batch of %d records, want at most %d", n, tt.most)
					}
				}
			})
		})
	}
}

// damaged is a journal that cannot be read above a number.
type damaged struct {
	*tilltest.Till
	from uint64
}

func (d damaged) Since(after uint64) iter.Seq2[pos.Record, error] {
	return func(yield func(pos.Record, error) bool) {
		for r := range d.Till.Since(after) {
			if r.N >= d.from {
				yield(pos.Record{}, pos.E("read record", pos.Corrupt, "record %d is damaged", r.N))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// TestDamagedJournal reads a journal with a flipped byte. Goal: what can be read
// still gets away, and the cashier is told to call.
func TestDamagedJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine := newTill()
		mine.Day(opening, 5)
		far := &backoffice{}
		till := start(t, far, damaged{mine, 10})
		time.Sleep(time.Minute)
		synctest.Wait()
		if far.count() != 9 || mine.Acked() != 9 {
			t.Errorf("backoffice holds %d, till knows of %d, want 9", far.count(), mine.Acked())
		}
		if l := till.link(); l.Detail != pos.Word("en", "sync_corrupt") {
			t.Errorf("the link says %+v", l)
		}
	})
}

// stubborn refuses checkpoints.
type stubborn struct {
	*tilltest.Till
	err error
}

func (s stubborn) Ack(cp pos.Checkpoint) error {
	if s.err != nil {
		return s.err
	}
	return s.Till.Ack(cp)
}

// TestAckFails has a till whose storage is full. Goal: it counts as an outage, not
// as delivered.
func TestAckFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine := newTill()
		till := start(t, &backoffice{}, stubborn{mine, pos.E("append record", pos.Unavailable, "the till's storage is full")})
		time.Sleep(time.Minute)
		if mine.Acked() != 0 || till.link().State != "offline" {
			t.Errorf("acked %d, link %+v", mine.Acked(), till.link())
		}
	})
}

// TestHangingCall has a backoffice that never answers. Goal: a call ends.
func TestHangingCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		till := start(t, hanging{}, newTill())
		time.Sleep(3 * time.Minute)
		if till.link().State != "offline" {
			t.Errorf("the link says %+v", till.link())
		}
	})
}

type hanging struct{}

func (hanging) Push(ctx context.Context, _ []pos.Record) (pos.Checkpoint, error) {
	<-ctx.Done()
	return pos.Checkpoint{}, ctx.Err()
}

// broken is a backoffice that keeps a till busy for ever, if the till lets it.
type broken struct {
	mine  *tilltest.Till
	kind  string
	calls int
}

func (b *broken) Push(_ context.Context, batch []pos.Record) (pos.Checkpoint, error) {
	b.calls++
	switch {
	case b.kind == "takes nothing", b.kind == "forgets" && len(batch) > 0 && batch[0].N == 1:
		first := b.mine.Records()[0]
		return pos.Checkpoint{N: 1, Hash: first.Hash}, nil
	case b.kind == "forgets": // what it just took
		return pos.Checkpoint{}, &wire.GapError{Expected: 1}
	}
	return pos.Checkpoint{}, &wire.GapError{Expected: batch[0].N} // asks for what it was just given
}

// TestBrokenBackoffice meets backoffices that never come to an end. Goal: a
// back-off, not a loop.
func TestBrokenBackoffice(t *testing.T) {
	for _, kind := range []string{"takes nothing", "forgets", "asks again"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mine := newTill()
				mine.Day(opening, 5)
				far := &broken{mine: mine, kind: kind}
				start(t, far, mine)
				time.Sleep(time.Hour)
				synctest.Wait()
				if far.calls > 300 {
					t.Errorf("%d calls in an hour", far.calls)
				}
			})
		})
	}
}

// TestWakeNeverBlocks wakes an outbox that nobody runs.
func TestWakeNeverBlocks(t *testing.T) {
	box := outbox.New(outbox.Options{Source: newTill(), Backoffice: &backoffice{}, Log: slog.New(slog.DiscardHandler)})
	for range 1000 {
		box.Wake()
	}
}

func ExampleOutbox_Wake() {
	box := outbox.New(outbox.Options{Source: newTill(), Backoffice: &backoffice{}})
	box.Wake() // after every record; Run sends them when it gets round to it
	fmt.Println("the counter goes on")
	// Output: the counter goes on
}
