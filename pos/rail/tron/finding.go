package tron

import (
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// paid returns the finding of money that is proved: with one amount for one sale, a
// payment came whole or not at all.
func (r *Rail) paid(p pos.Payment, e *payment, _ bool) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	got := e.received()
	if got.Cmp(e.units) < 0 {
		return pos.Finding{}, false
	}
	e.Touched = time.Now()
	f := pos.Finding{Event: coin.News(p, pos.Settle), Received: quantityOf(e.token, got), Final: e.settled() && e.deep() && (time.Since(e.Made) >= coin.YoungFor || e.closed) && e.whole()}
	for _, h := range e.own() {
		if h.proved && f.At.IsZero() {
			f.At = time.Unix(int64(h.at.time), 0).UTC()
		}
	}
	if e.taken == nil {
		e.taken = got
		r.w.book.Pay(e.id, got)
	}
	return f, true
}

// remind notes that the till has p as settled: the book may not have been written since.
// Watcher.mu is held.
func (e *payment) remind(p pos.Payment) {
	if n := p.Received.Int(); (p.State == pos.Settled || p.Lost) && e.taken == nil && n.Sign() > 0 {
		e.taken = n
	}
}

// gone says that a reorg took back what the till has as settled. Once that is in doubt,
// only its money, or the end of all watching, is news.
func (r *Rail) gone(p pos.Payment, e *payment) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	e.remind(p)
	e.Touched = time.Now()
	why := r.c.word("evm_vanished")
	switch {
	case !e.gone:
		return pos.Finding{}, false
	case p.State == pos.Settled:
		return pos.Finding{Lost: true, Why: why}, true
	case p.Lost && e.ended && e.whole():
		return pos.Finding{Event: pos.Fail, Why: why, Final: true}, true
	}
	return pos.Finding{}, p.Lost
}

// standing says how e stands, which is not paid.
func (r *Rail) standing(_ pos.Payment, e *payment) coin.Standing {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	coming := len(e.own()) > 0
	s := coin.Standing{Coming: coming, Enough: coming, Over: r.c.headNow().time > e.ref.end, Ended: e.ended && e.whole()}
	for _, h := range e.own() {
		if h.why != "" {
			s.Why = h.why
		}
	}
	if r.c.headNow().time > e.ref.from.time+uint64(scanBack/time.Second) {
		s.Why = r.w.word("tron_old")
	}
	if h := e.wrong; h != nil && h.proved && !e.after(h) {
		s.Wrong, s.Stray = r.w.wrongMoney(e, h), quantityOf(h.token, h.units)
	}
	return s
}

// wrongMoney says that another token came.
func (w *Watcher) wrongMoney(p *payment, h *held) string {
	return w.word("evm_wrong_money", "came", quantityOf(h.token, h.units).String(), "chain", w.chain.chain.Name,
		"token", p.token.Symbol, "asked", w.chain.chain.Name, "tail", p.ref.address.Tail())
}
