package solana

import (
	"context"
	"errors"
	"time"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Paces of the rounds. The pace of an operator stretches them.
const (
	hotEvery   = time.Second      // while a customer pays
	afterEvery = 5 * time.Second  // while something that came is not final
	idleEvery  = 30 * time.Second // to know the health, and late money
	failEvery  = 2 * time.Second  // after a round without an answer, while somebody asks
	failIdle   = 10 * time.Second // the same while nobody does
	// verifyEvery is how often an endpoint and the tokens are looked at anew.
	verifyEvery = time.Hour
	// verifyOdd is the same while a token is not what it should be.
	verifyOdd = time.Minute
	// greetEvery is how often the endpoints that are not in use are asked for a sign of
	// life.
	greetEvery = 2 * time.Minute
)

// run makes rounds until ctx ends.
func (w *Watcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		if w.rest(ctx) != nil || w.client().Wait(ctx) != nil {
			break
		}
		w.began = time.Now()
		waiters := w.take()
		err := w.round(ctx)
		if ctx.Err() != nil {
			err = rpc.Failed(rpc.Unreachable, "the till stops")
		}
		w.failing = err != nil
		w.setReason(err)
		if err == nil && len(w.pending) > 0 {
			w.giveBack(waiters) // something was not read yet: nobody may hear "nothing came"
			continue
		}
		for _, done := range waiters {
			done <- err // has room for one
		}
	}
	for _, done := range w.take() {
		done <- rpc.Failed(rpc.Unreachable, "the till stops")
	}
}

func (w *Watcher) client() *rpc.Client { return w.clients[w.current.Load()] }

// rest waits until the next round is due.
func (w *Watcher) rest(ctx context.Context) error {
	for {
		now := time.Now()
		next := w.began.Add(w.interval(now))
		if !next.After(now) {
			return ctx.Err()
		}
		t := time.NewTimer(next.Sub(now))
		select {
		case <-t.C:
		case <-w.wakeup:
		case <-ctx.Done():
		}
		t.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// interval is the time between two rounds as things stand.
func (w *Watcher) interval(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := len(w.waiters) > 0
	switch {
	case waiting && w.failing:
		return failEvery
	case w.failing:
		return failIdle
	case waiting || len(w.pending) > 0 || w.busy(now):
		return hotEvery
	case w.unsettled():
		return afterEvery
	}
	return idleEvery
}

// unsettled reports that a transfer may yet be taken back. w.mu is held.
func (w *Watcher) unsettled() bool {
	for _, t := range w.transfers {
		if !t.final {
			return true
		}
	}
	return false
}

// busy reports whether customers may be paying. w.mu is held.
func (w *Watcher) busy(now time.Time) bool {
	for _, p := range w.payments {
		if p.young(now) {
			return true
		}
	}
	return false
}

// take returns who waits for the round that begins now.
func (w *Watcher) take() []chan error {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.waiters
	w.waiters = nil
	return out
}

// giveBack lets waiters wait for the next round, too. Most have given up by then.
func (w *Watcher) giveBack(waiters []chan error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiters = append(waiters, w.waiters...); len(w.waiters) > maxWaiters {
		w.waiters = w.waiters[len(w.waiters)-maxWaiters:]
	}
}

// maxWaiters bounds who waits over several rounds; each waits for seconds.
const maxWaiters = 4096

// ask asks for a round, and returns a channel that tells once what came of the next
// one to begin.
func (w *Watcher) ask() <-chan error {
	done := make(chan error, 1)
	w.mu.Lock()
	w.waiters = append(w.waiters, done)
	w.mu.Unlock()
	w.poke()
	return done
}

// poke lets Run's goroutine think again about when its next round is due.
func (w *Watcher) poke() {
	select {
	case w.wakeup <- struct{}{}:
	default:
	}
}

// round reads the cluster once: with the endpoint that answered last, or else with
// the others in turn.
func (w *Watcher) round(ctx context.Context) error {
	var errs []error
	for range w.clients {
		k := w.client()
		err := w.roundWith(ctx, k)
		if err == nil {
			return nil
		}
		w.o.Log.Debug("round failed", "cluster", w.o.Cluster.Key, "endpoint", k.Operator, "err", err)
		errs = append(errs, err)
		delete(w.verified, k)
		if ctx.Err() != nil {
			break
		}
		w.current.Store((w.current.Load() + 1) % int32(len(w.clients)))
		if len(errs) < len(w.clients) {
			w.client().Spend()
		}
	}
	return errors.Join(errs...)
}

func (w *Watcher) roundWith(ctx context.Context, k *rpc.Client) error {
	every := verifyEvery
	if len(w.odd) > 0 {
		every = verifyOdd
	}
	if at, ok := w.verified[k]; !ok || time.Since(at) > every {
		if err := w.verify(ctx, k); err != nil {
			return err
		}
		w.verified[k] = time.Now()
	}
	if err := w.read(ctx, k); err != nil {
		return err
	}
	w.greet(ctx, k)
	if err := w.prove(ctx, k); err != nil {
		return err
	}
	if err := w.follow(ctx, k); err != nil {
		return err
	}
	w.prune(time.Now())
	return nil
}

// greet asks the other endpoints now and then whether they are there: the owner must
// not learn from a large sale that nobody can confirm it.
func (w *Watcher) greet(ctx context.Context, k *rpc.Client) {
	if time.Since(w.greeted) < greetEvery {
		return
	}
	w.greeted = time.Now()
	for _, o := range w.clients {
		if o == k {
			continue
		}
		o.Spend()
		err := w.sameCluster(ctx, o)
		w.mu.Lock()
		if key := "second " + o.Operator; err != nil {
			w.tell(key, w.word("evm_second", "operator", o.Operator))
		} else {
			w.untell(key)
		}
		w.mu.Unlock()
	}
}

// setReason makes the outcome of a round the health.
func (w *Watcher) setReason(err error) {
	reason := ""
	if err != nil {
		reason = w.reasonOf(err)
	}
	w.mu.Lock()
	changed := w.reason != reason
	w.reason = reason
	w.mu.Unlock()
	if changed {
		w.o.Log.Info("chain health", "cluster", w.o.Cluster.Key, "ready", reason == "", "reason", reason)
	}
}

// badOwner is a fault of this package's: what stands at the owner's address is no
// wallet.
const badOwner rpc.Fault = 100

// reasons are keys of words.
var reasons = map[rpc.Fault]string{
	rpc.Odd: "evm_odd", rpc.Unreachable: "evm_unreachable", rpc.Limited: "evm_limited", rpc.Denied: "evm_denied",
	rpc.Refused: "evm_odd", rpc.WrongChain: "evm_wrong_chain", rpc.Stale: "evm_stale", rpc.Differ: "evm_differ", badOwner: "evm_treasury",
}

// reasonOf puts an error into a cashier's words.
func (w *Watcher) reasonOf(err error) string { return w.word(reasons[rpc.FaultOf(err)]) }

func (w *Watcher) headNow() headState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.head
}
