package solana

import (
	"context"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// What was listed and read once is a hint for all but small sums. What the policy
// wants beyond that is asked for here: the same transaction again, at the level and by
// the operators that it wants.

const (
	// proveEvery is how often the same is asked for again while somebody waits.
	proveEvery = 2 * time.Second
	// followFast and followSlow are how often the cluster is asked whether a transaction
	// is still there and final: while a customer waits for it, and after.
	followFast = 2 * time.Second
	followSlow = 15 * time.Second
	// goneAfter is how many slots after its own a transaction that is not there any more
	// is gone, and goneLooks how many looks in a row must say so.
	goneAfter = 32
	goneLooks = 2
	// lagFor is how long a second operator may not have a transaction yet.
	lagFor = 8 * time.Second
	// silentFor is how long a second operator is left alone that did not answer: waiting
	// for it holds up everybody.
	silentFor = 10 * time.Second
	// followMax is how many signatures are followed in one call: the most that nodes take
	// is 256.
	followMax = 64
)

// wish is a transfer that lacks an operator's word at a level.
type wish struct {
	t     *transfer
	level Level
}

// prove asks for what transfers lack. An error means that the endpoint is not to be
// relied on; that two operators differ is noted at the transfers.
func (w *Watcher) prove(ctx context.Context, k *rpc.Client) error {
	now := time.Now()
	own, second := w.wishes(k, now)
	if len(own)+len(second) == 0 {
		return nil
	}
	if len(own) > 0 {
		w.proved = now
		if err := w.asks(ctx, k, own); err != nil {
			return err
		}
	}
	if len(second) > 0 {
		w.second(ctx, k, second)
	}
	return nil
}

// wishes lists what lacks the word of this operator, and what lacks another's.
func (w *Watcher) wishes(k *rpc.Client, now time.Time) (own, second []wish) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.transfers {
		row, wanted := w.needs(t, now)
		if !wanted || t.counts(row) || now.Sub(t.asked) < strayEvery {
			continue
		}
		if said := t.said[k.Operator]; said != Finalized && said != row.Level {
			if (said == "" || now.Sub(w.proved) >= proveEvery) && len(own) < fetchMax {
				own = append(own, wish{t, row.Level})
			}
			continue
		}
		if row.Operators > 1 && len(second) < fetchMax {
			second = append(second, wish{t, row.Level})
		}
	}
	for _, x := range slices.Concat(own, second) {
		if !x.t.loose.IsZero() {
			x.t.asked = now
		}
	}
	return own, second
}

// asks asks an operator for transactions at the level of each wish.
func (w *Watcher) asks(ctx context.Context, k *rpc.Client, ws []wish) error {
	var calls []rpc.Call
	for _, x := range ws {
		calls = append(calls, transactionCall(x.t.sig, x.level))
	}
	k.Spend()
	replies, err := batch(ctx, k, calls)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, x := range ws {
		w.heard(k, x, replies[i])
	}
	return nil
}

// second asks endpoints of other operators until one of them answers.
func (w *Watcher) second(ctx context.Context, k *rpc.Client, ws []wish) {
	err := error(rpc.Failed(rpc.Differ, "there is no second operator"))
	for _, o := range w.clients.All {
		if o.Operator == k.Operator || time.Since(w.silent[o]) < silentFor {
			continue
		}
		if err = w.askOther(ctx, o, ws); err == nil {
			return
		}
		w.silent[o] = time.Now()
		delete(w.verified, o)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range ws {
		w.differ(x.t, err)
	}
}

// askOther asks an operator that is not the one in use; it must be of the cluster.
func (w *Watcher) askOther(ctx context.Context, o *rpc.Client, ws []wish) error {
	if _, ok := w.verified[o]; !ok {
		o.Spend()
		if err := w.sameCluster(ctx, o); err != nil {
			return err
		}
		w.verified[o] = time.Time{} // looked at whole when it is used
	}
	return w.asks(ctx, o, ws)
}

// heard notes what an operator says of a transfer: the same, nothing yet, or
// something else. w.mu is held.
func (w *Watcher) heard(k *rpc.Client, x wish, r rpc.Reply) {
	var t *transaction
	there, err := false, r.Err
	if err == nil {
		t, there, err = readTransaction(r.Result, x.t.sig)
	}
	switch {
	case err != nil:
		w.differ(x.t, err)
	case !there:
		if _, first := x.t.said[k.Operator]; !first && time.Since(x.t.seen) > lagFor {
			w.differ(x.t, rpc.Failed(rpc.Differ, "the second operator does not know it"))
		}
	case !w.same(x.t, t):
		w.differ(x.t, rpc.Failed(rpc.Differ, "operators tell different amounts"))
	default:
		x.t.said[k.Operator], x.t.why = x.level, ""
		for _, p := range x.t.of {
			p.Wake()
		}
	}
}

// differ notes that a transfer cannot be verified. w.mu is held.
func (w *Watcher) differ(t *transfer, err error) {
	t.why = w.word("evm_differ")
	w.log.Warn("not verified", "signature", t.sig, "err", err)
	for _, p := range t.of {
		p.Wake()
	}
}

// follow asks whether transfers that are not final are still there. "Not there" counts
// only from a slot that is well past theirs, and twice.
func (w *Watcher) follow(ctx context.Context, k *rpc.Client) error {
	ts := w.unsure(time.Now())
	if len(ts) == 0 {
		return nil
	}
	sigs := make([]string, len(ts))
	for i, t := range ts {
		sigs[i] = t.sig
	}
	k.Spend()
	raw, err := one(ctx, k, rpc.To("getSignatureStatuses", sigs, map[string]any{"searchTransactionHistory": true}))
	if err != nil {
		return err
	}
	slot, all, err := readStatuses(raw, len(ts))
	if err != nil {
		return &rpc.Error{Fault: rpc.Odd, Err: err}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, t := range ts {
		switch s := all[i]; {
		case s.there && !s.bad:
			t.missing, t.slot, t.final = 0, s.slot, s.final
		case slot < t.slot+goneAfter:
		default:
			if t.missing++; t.missing >= goneLooks {
				w.gone(t)
			}
		}
	}
	return nil
}

// unsure lists transfers that are not final, when it is time to ask about them.
func (w *Watcher) unsure(now time.Time) (out []*transfer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	every := followSlow
	for _, t := range w.transfers {
		if t.final {
			continue
		}
		if len(out) < followMax {
			out = append(out, t)
		}
		for _, p := range t.of {
			if !p.told {
				every = followFast
			}
		}
	}
	if now.Sub(w.followed) < every {
		return nil
	}
	w.followed = now
	return out
}
