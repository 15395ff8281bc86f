package solana

import (
	"context"
	"time"

	"github.com/tillwright/tillwright/pos/rail/coin"
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

// newRounds returns the rounds of a watcher.
func newRounds(w *Watcher) *coin.Rounds {
	r := coin.NewRounds()
	r.Every, r.Round = w.interval, w.round
	r.Turn = func(ctx context.Context) error { return w.clients.Now().Wait(ctx) }
	r.Outcome = func(err error) {
		if err == nil {
			w.health.Set("")
			return
		}
		w.health.Set(w.reasonOf(err))
	}
	return r
}

// interval is the time between two rounds as things stand.
func (w *Watcher) interval(now time.Time, waiting, failing bool) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case waiting && failing:
		return failEvery
	case failing:
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

// round reads the cluster once: with the endpoint that answered last, or else with
// the others in turn. While something listed was not read, nothing is whole.
func (w *Watcher) round(ctx context.Context) (whole bool, err error) {
	err = w.clients.Try(ctx, func(k *rpc.Client) error { return w.roundWith(ctx, k) }, func(k *rpc.Client, err error, more bool) {
		w.log.Debug("round failed", "endpoint", k.Operator, "err", err)
		if delete(w.verified, k); more {
			w.clients.Now().Spend()
		}
	})
	return len(w.pending) == 0, err
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
	w.closed.Begin(w.headNow().slot)
	w.tell(time.Now())
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
	for _, o := range w.clients.All {
		if o == k {
			continue
		}
		o.Spend()
		err := w.sameCluster(ctx, o)
		if key := "second " + o.Operator; err != nil {
			w.notices.Tell(key, w.word("evm_second", "operator", o.Operator))
		} else {
			w.notices.Untell(key)
		}
	}
}

// badOwner is a fault of this package's: what stands at the owner's address is no
// wallet.
const badOwner rpc.Fault = 100

// reasonOf puts an error into a cashier's words.
func (w *Watcher) reasonOf(err error) string {
	return w.word(coin.Reason(err, map[rpc.Fault]string{badOwner: "evm_treasury"}))
}

func (w *Watcher) headNow() headState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.head
}
