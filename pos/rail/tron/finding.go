package tron

import (
	"time"

	"github.com/tillwright/tillwright/pos"
)

// news returns the first of events that can move p, "" if none can.
func news(p pos.Payment, events ...pos.Event) pos.Event {
	for _, ev := range events {
		if q := p; q.Apply(ev, p.Moved) == nil {
			return ev
		}
	}
	return ""
}

// paid returns the finding of money that is proved: with one amount for one sale, a
// payment came whole or not at all.
func (r *Rail) paid(p pos.Payment, e *payment) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	got := e.received()
	if got.Cmp(e.units) < 0 {
		return pos.Finding{}, false
	}
	e.touched = time.Now()
	f := pos.Finding{Event: news(p, pos.Settle), Received: quantityOf(e.token, got), Final: e.settled() && time.Since(e.made) >= youngFor}
	for _, h := range e.got {
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
func (w *Watcher) remind(p pos.Payment, e *payment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := p.Received.Int(); (p.State == pos.Settled || p.Lost) && e.taken == nil && n.Sign() > 0 {
		e.taken = n
	}
}

// gone says that a reorg took back what the till has as settled. Once that is in doubt,
// only its money, or the end of all watching, is news.
func (r *Rail) gone(p pos.Payment, e *payment) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	e.touched = time.Now()
	why := r.w.word("evm_vanished", "chain", r.c.chain.Name)
	switch {
	case !e.gone:
		return pos.Finding{}, false
	case p.State == pos.Settled:
		return pos.Finding{Lost: true, Why: why}, true
	case p.Lost && e.ended:
		return pos.Finding{Event: pos.Fail, Why: why, Final: true}, true
	}
	return pos.Finding{}, p.Lost
}

// standing is what is known of a payment that is not paid.
type standing struct {
	coming bool         // its amount is at the address
	wrong  string       // another token came, in a cashier's words
	stray  pos.Quantity // that money
	why    string       // it cannot be proved, in a cashier's words
	over   bool         // its end is past, by the chain's clock
	ended  bool         // long past, in a block that is solidified
}

func (r *Rail) standing(e *payment) standing {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	s := standing{coming: len(e.got) > 0, over: r.c.headNow().time > e.ref.end, ended: e.ended}
	for _, h := range e.got {
		if h.why != "" {
			s.why = h.why
		}
	}
	if r.c.headNow().time > e.ref.from.time+uint64(scanBack/time.Second) {
		s.why = r.w.word("tron_old")
	}
	if h := e.wrong; h != nil && h.proved {
		s.wrong, s.stray = r.w.wrongMoney(e, h), quantityOf(h.token, h.units)
	}
	return s
}

// wrongMoney says that another token came.
func (w *Watcher) wrongMoney(p *payment, h *held) string {
	return w.word("evm_wrong_money", "came", quantityOf(h.token, h.units).String(), "chain", w.chain.chain.Name,
		"token", p.token.Symbol, "asked", w.chain.chain.Name, "tail", p.ref.address.Tail())
}

// finding says what became of e after a round that looked for it. Only events that can
// move p are told.
func (r *Rail) finding(op string, p pos.Payment, e *payment) (pos.Finding, error) {
	if f, ok := r.paid(p, e); ok {
		return f, nil
	}
	s := r.standing(e)
	switch {
	case s.why != "":
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", s.why)
	case s.coming:
		return pos.Finding{Event: news(p, pos.Accept)}, nil
	case p.State == pos.Accepted: // a reorg took it back before it counted
		return pos.Finding{Event: news(p, pos.Doubt), Why: r.w.word("evm_vanished", "chain", r.c.chain.Name)}, nil
	case s.wrong != "" && s.ended:
		return pos.Finding{Event: news(p, pos.Fail), Why: s.wrong, Stray: s.stray, Final: true}, nil
	case s.wrong != "":
		return pos.Finding{Event: news(p, pos.Doubt), Why: s.wrong, Stray: s.stray}, nil
	case s.over:
		return pos.Finding{Event: news(p, pos.Expire), Final: s.ended}, nil
	}
	return pos.Finding{}, nil
}

// cancelled says what a cancellation found.
func (r *Rail) cancelled(op string, p pos.Payment, e *payment) (pos.Finding, error) {
	if f, ok := r.paid(p, e); ok {
		f.Event = pos.Settle
		return f, nil
	}
	s := r.standing(e)
	switch {
	case s.why != "":
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", s.why)
	case s.coming && news(p, pos.Accept) != "":
		return pos.Finding{Event: pos.Accept}, nil
	case s.coming:
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", r.w.word("evm_arriving", "chain", r.c.chain.Name))
	case s.wrong != "" && s.ended:
		return pos.Finding{Event: news(p, pos.Fail), Why: s.wrong, Stray: s.stray, Final: true}, nil
	case s.wrong != "" && news(p, pos.Doubt) != "":
		return pos.Finding{Event: pos.Doubt, Why: s.wrong, Stray: s.stray}, nil
	case s.wrong != "":
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", s.wrong)
	}
	return pos.Finding{Event: pos.Cancel, Final: s.ended}, nil
}
