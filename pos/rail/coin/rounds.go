package coin

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Rounds lets one goroutine look at a chain again and again, and everybody else wait for
// a look that began after they asked. The functions are of Run's goroutine alone and must
// be set before it runs; the methods are safe for concurrent use.
type Rounds struct {
	// Every is the time between the beginnings of two rounds as things stand. waiting:
	// somebody waits for one. failing: the last one had no answer.
	Every func(now time.Time, waiting, failing bool) time.Duration
	// Turn waits until the operator that is asked first may be asked again.
	Turn func(ctx context.Context) error
	// Round looks once. whole is false when something was not read yet: who waits goes on
	// waiting, for nobody may hear "nothing came".
	Round func(ctx context.Context) (whole bool, err error)
	// Outcome is told what came of each round.
	Outcome func(err error)

	wakeup chan struct{} // holds a token when the next round may be due sooner

	mu      sync.Mutex
	waiters []chan error // of the next round to begin

	// Of Run's goroutine alone.
	began   time.Time
	failing bool
}

// NewRounds returns Rounds whose functions are still to be set.
func NewRounds() *Rounds { return &Rounds{wakeup: make(chan struct{}, 1)} }

// maxWaiters bounds who waits over several rounds; each waits for seconds.
const maxWaiters = 4096

// Run makes rounds until ctx ends. Then everybody who waits hears so.
func (r *Rounds) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if r.rest(ctx) != nil || r.Turn(ctx) != nil {
			break
		}
		r.began = time.Now()
		waiters := r.take()
		whole, err := r.Round(ctx)
		if ctx.Err() != nil {
			err = errStops
		}
		r.failing = err != nil
		r.Outcome(err)
		if err == nil && !whole {
			r.giveBack(waiters)
			continue
		}
		for _, w := range waiters {
			w <- err // has room for one
		}
	}
	for _, w := range r.take() {
		w <- errStops
	}
}

var errStops = rpc.Failed(rpc.Unreachable, "the till stops")

// rest waits until the next round is due.
func (r *Rounds) rest(ctx context.Context) error {
	for {
		now := time.Now()
		r.mu.Lock()
		waiting := len(r.waiters) > 0
		r.mu.Unlock()
		next := r.began.Add(r.Every(now, waiting, r.failing))
		if !next.After(now) {
			return ctx.Err()
		}
		t := time.NewTimer(next.Sub(now))
		select {
		case <-t.C:
		case <-r.wakeup:
		case <-ctx.Done():
		}
		t.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// take returns who waits for the round that begins now.
func (r *Rounds) take() []chan error {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.waiters
	r.waiters = nil
	return out
}

// giveBack lets waiters wait for the next round, too. Most have given up by then.
func (r *Rounds) giveBack(waiters []chan error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiters = append(waiters, r.waiters...); len(r.waiters) > maxWaiters {
		r.waiters = r.waiters[len(r.waiters)-maxWaiters:]
	}
}

// Ask asks for a round, and returns a channel that tells once what came of the next one
// to begin. It does not block.
func (r *Rounds) Ask() <-chan error {
	done := make(chan error, 1)
	r.mu.Lock()
	r.waiters = append(r.waiters, done)
	r.mu.Unlock()
	r.Poke()
	return done
}

// Poke lets Run think again about when its next round is due. It does not block.
func (r *Rounds) Poke() {
	select {
	case r.wakeup <- struct{}{}:
	default:
	}
}

// Ring is the endpoints of a chain: the one that answered last is asked, and the others
// in turn when it fails. Now is safe for concurrent use.
type Ring[K any] struct {
	All []K // at least one; not changed once in use

	current atomic.Int32
}

// Now returns the endpoint that is asked.
func (r *Ring[K]) Now() K { return r.All[r.current.Load()] }

// Try lets the endpoints try in turn until one does not fail, and returns all errors
// when each did. failed hears of each that failed; more: another one follows, which is
// Now already. Try ends with ctx.
func (r *Ring[K]) Try(ctx context.Context, try func(k K) error, failed func(k K, err error, more bool)) error {
	var errs []error
	for range r.All {
		k := r.Now()
		err := try(k)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
		more := ctx.Err() == nil && len(errs) < len(r.All)
		if ctx.Err() == nil {
			r.current.Store((r.current.Load() + 1) % int32(len(r.All)))
		}
		if failed(k, err, more); ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}
