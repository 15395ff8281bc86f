package evm

import (
	"bytes"
	"cmp"
	"math/big"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
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
	e.touched = time.Now()
	f := pos.Finding{
		Event: news(p, pos.Settle), Received: quantityOf(e.token, coin.Told(got, e.token.step(), e.units, p.Received.Int())),
		Final: e.settled && time.Since(e.made) >= youngFor, Enough: enough && got.Cmp(e.units) < 0,
	}
	if own := e.own(); own != nil && own.time > 0 {
		f.At = time.Unix(int64(own.time), 0).UTC()
	}
	if !e.told || e.taken == nil {
		e.told, e.taken, e.left = true, got, e.here()
		r.w.book.paid(e.id, got)
	}
	return f, true
}

// remind notes that the till has p as settled: the book may not have been written since.
func (w *Watcher) remind(p pos.Payment, e *payment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := p.Received.Int(); (p.State == pos.Settled || p.Lost) && !e.told && n.Sign() > 0 {
		e.told, e.taken, e.left = true, n, n
		e.past.clean = true // or it had not been booked
	}
}

// gone says that a reorg took back what the till has as settled. Once that is in doubt,
// only its money, or the end of all watching, is news.
func (r *Rail) gone(p pos.Payment, e *payment) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	e.touched = time.Now()
	switch {
	case !e.gone:
		return pos.Finding{}, false
	case p.State == pos.Settled:
		return pos.Finding{Lost: true, Why: r.w.word("evm_vanished", "chain", r.c.Name)}, true
	case p.Lost && e.ended:
		return pos.Finding{Event: pos.Fail, Why: r.w.word("evm_vanished", "chain", r.c.Name), Final: true}, true
	}
	return pos.Finding{}, p.Lost
}

// standing is what is known of a payment that is not paid.
type standing struct {
	coming, enough bool         // something is at its address, and as much as was asked for
	wrong          string       // other money came, in a cashier's words
	why            string       // it cannot be proved, in a cashier's words
	over           bool         // its end is past, by the chain's clock
	part           *big.Int     // of what is coming, when all of that is proved and is not enough; else nil
	stray          pos.Quantity // the other money
	ended          bool         // long past, in a block that is final
}

func (r *Rail) standing(e *payment) standing {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	coming := e.arriving()
	s := standing{
		coming: coming.Sign() > 0, enough: r.w.pays(e, coming),
		over: r.c.headNow().time > e.ref.end, ended: e.ended,
	}
	if own := e.own(); own != nil && s.coming {
		s.why = own.why
	}
	if got := e.received(); s.coming && !s.enough && got.Cmp(coming) == 0 {
		s.part = got
	}
	if e.dumb {
		s.why = r.w.word("evm_odd", "chain", r.c.Name)
	}
	r.mistrust(e, &s)
	if key, k := e.other(); k != nil {
		s.stray = quantityOf(k.token, k.proved)
		s.wrong = r.w.word("evm_wrong_money", "came", s.stray.String(), "chain", r.w.chainName(key.chain),
			"token", e.token.Symbol, "asked", r.c.Name, "tail", e.ref.address.Tail())
	}
	return s
}

// other returns other money that came for sure, nil when there is none. Of several it is
// the first that came, and the same one at every look: each change is a record.
func (p *payment) other() (of claimKey, first *claim) {
	for key, k := range p.claims {
		if k == p.own() || k.proved == nil || k.proved.Sign() == 0 || k.units.Sign() == 0 {
			continue
		}
		if first == nil || cmp.Or(cmp.Compare(k.time, first.time), cmp.Compare(key.chain, of.chain), bytes.Compare(key.token[:], of.token[:])) < 0 {
			of, first = key, k
		}
	}
	return of, first
}

// finding says what became of e after a round that read it. Only events that can
// move p are told.
func (r *Rail) finding(op string, p pos.Payment, e *payment) (pos.Finding, error) {
	if f, ok := r.paid(p, e, false); ok {
		return f, nil
	}
	s := r.standing(e)
	switch {
	case s.why != "":
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", s.why)
	case s.enough:
		return pos.Finding{Event: news(p, pos.Accept)}, nil
	case p.State == pos.Accepted: // a reorg took it back before it counted
		return pos.Finding{Event: news(p, pos.Doubt), Why: r.w.word("evm_vanished", "chain", r.c.Name)}, nil
	case s.over && s.coming: // nobody waits for the rest: what came pays a part
		if f, ok := r.paid(p, e, true); ok {
			return f, nil
		}
		return pos.Finding{Event: news(p, pos.See)}, nil
	case s.coming:
		return r.parts(p, e, s), nil
	case s.wrong != "" && s.ended:
		return pos.Finding{Event: news(p, pos.Fail), Why: s.wrong, Stray: s.stray, Final: true}, nil
	case s.wrong != "":
		return pos.Finding{Event: news(p, pos.Doubt), Why: s.wrong, Stray: s.stray}, nil
	case s.over:
		return pos.Finding{Event: news(p, pos.Expire), Final: s.ended}, nil
	}
	return pos.Finding{}, nil
}

// parts tells of money that is not enough: the customer is asked for the rest at the
// same address, once what came is certain.
func (r *Rail) parts(p pos.Payment, e *payment, s standing) pos.Finding {
	f := pos.Finding{Event: news(p, pos.See)}
	if s.part == nil || e.ref.scheme != Scheme {
		return f
	}
	if part := coin.Part(e.units, s.part, e.token.step()); part.Sign() > 0 {
		f.Part = quantityOf(e.token, part)
		f.Rest = &pos.Asked{Forms: r.forms(e, new(big.Int).Sub(e.units, part))}
	}
	return f
}

// cancelled says what a cancellation found.
func (r *Rail) cancelled(op string, p pos.Payment, e *payment) (pos.Finding, error) {
	if f, ok := r.paid(p, e, true); ok {
		f.Event = pos.Settle
		return f, nil
	}
	s := r.standing(e)
	arriving := pos.E(op, pos.Unavailable, "%s", r.w.word("evm_arriving", "chain", r.c.Name))
	switch {
	case s.why != "":
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", s.why)
	case s.enough && news(p, pos.Accept) != "":
		return pos.Finding{Event: pos.Accept}, nil
	case s.enough, s.coming && news(p, pos.See) == "":
		return pos.Finding{}, arriving
	case s.coming:
		return pos.Finding{Event: pos.See}, nil
	case s.wrong != "" && s.ended:
		return pos.Finding{Event: news(p, pos.Fail), Why: s.wrong, Stray: s.stray, Final: true}, nil
	case s.wrong != "" && news(p, pos.Doubt) != "":
		return pos.Finding{Event: pos.Doubt, Why: s.wrong, Stray: s.stray}, nil
	case s.wrong != "":
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", s.wrong)
	}
	return pos.Finding{Event: pos.Cancel, Final: s.ended}, nil
}
