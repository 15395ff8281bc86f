package solana

import (
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// A transaction belongs to the payment whose reference it names, whatever it brings.
// One that names none of ours belongs to the payment that holds its very amount, unless
// its transfer carries a reference of somebody else: then another till asked for it. Held
// is what the book has for one payment alone, in this till's lane: the amount that it
// asked for, and each rest that it asked for, from then on. That something is missing of
// a payment is no claim to money of that amount: whoever pays a part chooses what is
// missing, and could choose another customer's amount. Where in the transaction something
// stands means nothing.

// match gives a transaction to its payments. It reports whether there is one. w.mu is
// held.
func (w *Watcher) match(k *rpc.Client, t *transaction, final bool) bool {
	of := w.named(t)
	if len(of) == 0 {
		of = w.sameAmount(t)
	}
	if len(of) == 0 {
		return w.unassigned(k, t, final)
	}
	f := &transfer{transaction: t.slim(of), of: of, torn: len(of) > 1 || w.closed.Has(tornKey(t)), said: map[string]Level{k.Operator: Confirmed}, seen: time.Now()}
	w.transfers[t.sig] = f
	f.told = w.found.Told(w.key(t, of[0]))
	f.after = f.told || !f.torn && len(of) == 1 && of[0].closed && !w.closed.Has(w.key(t, of[0]))
	for _, p := range of {
		p.transfers = append(p.transfers, f)
		w.unasked(p, f)
		p.Wake()
	}
	return true
}

// slim returns t with what its payments need, for it is kept for a day.
func (t *transaction) slim(of []*payment) *transaction {
	out := &transaction{sig: t.sig, slot: t.slot, time: t.time, keys: map[string]bool{}, came: map[moved]*big.Int{}}
	for _, p := range of {
		if t.keys[p.key] {
			out.keys[p.key] = true
		}
		for who, n := range t.came {
			if who.owner == p.ref.owner && n.Sign() > 0 {
				out.came[who] = n
			}
		}
	}
	return out
}

// named lists the payments whose reference t names, and whose owner it brought
// something that the till knows.
func (w *Watcher) named(t *transaction) (out []*payment) {
	for _, p := range w.payments {
		if t.keys[p.key] && w.brings(t, p) {
			out = append(out, p)
		}
	}
	return out
}

func (w *Watcher) brings(t *transaction, p *payment) bool {
	return slices.ContainsFunc(w.known(), func(c Token) bool {
		n := t.came[moved{p.ref.owner, c.Mint}]
		return n != nil && n.Sign() > 0
	})
}

// sameAmount lists the payments that wait for just what t brought: in their token, or
// else in another one that people may have taken for it.
func (w *Watcher) sameAmount(t *transaction) (own []*payment) {
	if w.foreign(t) {
		return nil
	}
	var other []*payment
	for _, p := range w.payments {
		if t.slot < p.ref.from {
			continue
		}
		for _, c := range w.tokens {
			n := t.came[moved{p.ref.owner, c.Mint}]
			switch {
			case n == nil || n.Sign() <= 0 || !p.owns(t.slot, func(held *big.Int) bool { return scaled(n, c.Decimals, held, p.token.Decimals) }):
			case c.Mint == p.token.Mint:
				own = append(own, p)
			case !p.told:
				other = append(other, p)
			}
		}
	}
	if len(own) == 0 && len(other) == 1 {
		return other
	}
	return own
}

// foreign reports that a transfer into an account of the owner's carries a reference.
func (w *Watcher) foreign(t *transaction) bool {
	for into, names := range t.named {
		if t.of[into] == w.o.Owner && len(names) > 0 {
			return true
		}
	}
	return false
}

// unasked tells the owner of money for p that was not asked for: another token, what
// names two sales, or more for one that is paid. What comes after its last word is told in
// another way. w.mu is held.
func (w *Watcher) unasked(p *payment, t *transfer) {
	switch {
	case t.after:
	case t.torn:
		w.notices.Tell("torn "+t.sig[:8], w.word("sol_torn"))
	case t.brought(p).Sign() == 0:
		if _, why := w.wrong(p, t); why != "" {
			w.notices.Tell("wrong "+string(p.id), why)
		}
	case p.told && p.taken != nil && p.arriving().Cmp(p.taken) > 0:
		if more := coin.Whole(new(big.Int).Sub(p.arriving(), p.taken), p.token.step()); more.Sign() > 0 {
			w.notices.Tell("late "+string(p.id), w.word("evm_more", "came", quantityOf(w.o.Cluster, p.token, more).String(), "tail", p.ref.owner.Tail()))
		}
	}
}

// gone takes a transfer back that the cluster does not have any more. The owner is
// told when a sale was completed by it. w.mu is held.
func (w *Watcher) gone(t *transfer) {
	w.log.Warn("a transaction is not there any more", "signature", t.sig)
	delete(w.transfers, t.sig)
	for _, p := range t.of {
		if p.told && t.own(p) && t.brought(p).Sign() > 0 {
			w.notices.Alarm("lost "+string(p.id), w.word("evm_lost", "amount", quantityOf(w.o.Cluster, p.token, t.brought(p)).String(), "tail", p.ref.owner.Tail()))
		}
		p.forget(t)
		p.gone = p.told && p.taken != nil && p.arriving().Cmp(p.taken) < 0
		p.Wake()
	}
}

// prune ends the watch of what is long over, and forgets what nobody asks about.
func (w *Watcher) prune(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, p := range w.payments {
		if !p.ended && len(w.pending) == 0 && w.longOver(p, now) {
			p.ended = true
			p.Wake()
		}
		if !p.ended || !p.Idle(now) || w.head.time <= p.ref.end+uint64(unique.Hold/time.Second) {
			continue
		}
		if p.isTorn() && !p.last { // the till will ask once more; read anew, it might be taken for one sale's
			continue
		}
		if slices.ContainsFunc(p.transfers, func(t *transfer) bool { return w.tells(t, now) }) {
			continue
		}
		delete(w.payments, id)
		for _, t := range p.transfers {
			if t.of = slices.DeleteFunc(t.of, func(o *payment) bool { return o == p }); len(t.of) == 0 {
				delete(w.transfers, t.sig)
				w.seen[t.sig] = t.slot
			}
		}
	}
}

// isTorn reports that something came for p and for another payment together.
func (p *payment) isTorn() bool {
	return slices.ContainsFunc(p.transfers, func(t *transfer) bool { return t.torn })
}

// longOver reports that p's time is well over: by the cluster's clock, which one
// operator tells, and by the till's own. w.mu is held.
func (w *Watcher) longOver(p *payment, now time.Time) bool {
	last := p.ref.end + uint64(coin.WatchFor/time.Second)
	own := now.Sub(p.Made) > coin.WatchFor || w.o.ClockTrusted() && now.Unix() > int64(last)
	return own && w.head.time > last
}
