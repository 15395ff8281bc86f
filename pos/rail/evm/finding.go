package evm

import (
	"bytes"
	"cmp"
	"math/big"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// pays reports that got pays for e: all of it, less what the owner forgives, or dust.
func (w *Watcher) pays(e *payment, got *big.Int) bool {
	forgiven := new(big.Int).Mul(e.units, big.NewInt(int64(w.o.Tolerance)))
	forgiven.Quo(forgiven, big.NewInt(10_000))
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(e.token.Decimals)), nil)
	if most.Quo(most, big.NewInt(20)); forgiven.Cmp(most) > 0 { // 0.05 token
		forgiven = most
	}
	return got.Cmp(forgiven.Sub(e.units, forgiven)) >= 0 || coin.Pays(e.units, got, e.token.step())
}

// paid returns the finding of money that is proved: enough of it, or, when short is
// set, any.
func (r *Rail) paid(p pos.Payment, e *payment, short bool) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	got := e.received()
	if e.murky() { // what lay there before it was asked for is not this customer's
		return pos.Finding{}, false
	}
	enough := r.w.pays(e, got)
	if !enough && (!short || got.Sign() == 0) {
		return pos.Finding{}, false
	}
	e.Touched = time.Now()
	f := pos.Finding{
		Event: coin.News(p, pos.Settle), Received: quantityOf(e.token, coin.Told(got, e.token.step(), e.units, p.Received.Int())),
		Final: e.settled && time.Since(e.Made) >= coin.YoungFor, Enough: enough && got.Cmp(e.units) < 0,
	}
	if own := e.own(); own != nil && own.time > 0 {
		f.At = time.Unix(int64(own.time), 0).UTC()
	}
	if !e.told || e.taken == nil {
		e.told, e.taken = true, got
		r.w.book.paid(e.id, got)
	}
	return f, true
}

// remind notes that the till has p as settled: the book may not have been written since.
// Watcher.mu is held.
func (e *payment) remind(p pos.Payment) {
	if n := p.Received.Int(); (p.State == pos.Settled || p.Lost) && !e.told && n.Sign() > 0 {
		e.told, e.taken = true, n
		e.past.clean = true // or it had not been booked
	}
	if at := max(p.At.Unix(), p.Moved.Unix(), 1); e.since == 0 {
		e.since = uint64(at)
	}
}

// gone says that a reorg took back what the till has as settled. Once that is in doubt,
// only its money, or the end of all watching, is news.
func (r *Rail) gone(p pos.Payment, e *payment) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	e.remind(p)
	e.Touched = time.Now()
	switch {
	case !e.gone:
		return pos.Finding{}, false
	case p.State == pos.Settled:
		return pos.Finding{Lost: true, Why: r.c.word("evm_vanished")}, true
	case p.Lost && e.ended:
		return pos.Finding{Event: pos.Fail, Why: r.c.word("evm_vanished"), Final: true}, true
	}
	return pos.Finding{}, p.Lost
}

// standing says how e stands, which is not paid.
func (r *Rail) standing(_ pos.Payment, e *payment) coin.Standing {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	coming := e.arriving()
	s := coin.Standing{
		Coming: coming.Sign() > 0, Enough: r.w.pays(e, coming),
		Over: r.c.headNow().time > e.ref.end, Ended: e.ended && (!e.told || e.settled || e.gone), Lost: e.gone,
	}
	if own := e.own(); own != nil && (s.Coming || e.uncounted()) {
		s.Why = own.why
	}
	if e.uncounted() && s.Why == "" {
		s.Why = r.c.word("evm_arriving")
	}
	if got := e.received(); s.Coming && !s.Enough && got.Cmp(coming) == 0 && e.ref.scheme == Scheme {
		s.Got = got
	}
	if e.torn {
		s.Why = r.c.word("tron_two")
	}
	if e.dumb {
		s.Why = r.c.word("evm_odd")
	}
	r.mistrust(e, &s)
	if key, k := e.other(); k != nil && !e.past.used {
		s.Stray = quantityOf(k.token, k.proof.came())
		s.Wrong = r.w.word("evm_wrong_money", "came", s.Stray.String(), "chain", r.w.chainName(key.chain),
			"token", e.token.Symbol, "asked", r.c.Name, "tail", e.ref.address.Tail())
		if e.murky() || e.mute[key.chain] { // it may have lain there before: named, and no payment for this sale
			s.Stray = pos.Quantity{}
		}
	}
	return s
}

// other returns other money that came for sure, nil when there is none. Of several it is
// the first that came, and the same one at every look: each change is a record.
func (p *payment) other() (of claimKey, first *claim) {
	for key, k := range p.claims {
		if k == p.own() || k.proof.came().Sign() == 0 || k.units.Sign() == 0 {
			continue
		}
		if first == nil || cmp.Or(cmp.Compare(k.time, first.time), cmp.Compare(key.chain, of.chain), bytes.Compare(key.token[:], of.token[:])) < 0 {
			of, first = key, k
		}
	}
	return of, first
}
