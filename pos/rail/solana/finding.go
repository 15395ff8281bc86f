package solana

import (
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

// paid returns the finding of money that is proved: enough of it, or, when short is
// set, any. Nothing but dust is forgiven: the amount tells sales apart. It is final when the
// cluster cannot undo it and the customer has left: what comes later the owner is told.
func (r *Rail) paid(p pos.Payment, e *payment, short bool) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	got := r.w.received(e)
	enough := coin.Pays(e.units, got, e.token.step())
	if !enough && (!short || got.Sign() == 0) {
		return pos.Finding{}, false
	}
	now := time.Now()
	e.touched = now
	sure := e.sum(func(t *transfer) bool { return t.final })
	f := pos.Finding{
		Event: news(p, pos.Settle), Enough: enough && got.Cmp(e.units) < 0,
		Received: quantityOf(r.w.o.Cluster, e.token, coin.Told(got, e.token.step(), e.units, p.Received.Int())),
		Final:    sure.Cmp(got) >= 0 && now.Sub(e.made) >= youngFor,
	}
	for _, t := range e.transfers {
		if t.alone(e) && t.time > 0 {
			f.At = time.Unix(int64(t.time), 0).UTC()
		}
	}
	if !e.told || e.taken.Cmp(got) < 0 {
		e.told, e.taken = true, got
		r.w.book.paid(e.id, got)
	}
	return f, true
}

// remind notes that the till has p as settled: the book may not have been written since.
func (w *Watcher) remind(p pos.Payment, e *payment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := p.Received.Int(); (p.State == pos.Settled || p.Lost) && !e.told && n.Sign() > 0 {
		e.told, e.taken = true, n
	}
}

// gone says that the cluster took back what the till has as settled. Once that is in
// doubt, only its money, or the end of all watching, is news.
func (r *Rail) gone(p pos.Payment, e *payment) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	e.touched = time.Now()
	switch {
	case !e.gone && !p.Lost || e.taken != nil && r.w.received(e).Cmp(e.taken) >= 0:
		return pos.Finding{}, false
	case p.State == pos.Settled:
		return pos.Finding{Lost: true, Why: r.w.word("evm_vanished")}, true
	case p.Lost && e.ended:
		return pos.Finding{Event: pos.Fail, Why: r.w.word("evm_vanished"), Final: true}, true
	}
	return pos.Finding{}, p.Lost
}

// standing is what is known of a payment that is not paid.
type standing struct {
	coming, enough bool         // something came, and as much as was asked for
	part           *big.Int     // of what is coming, when all of that is proved and is not enough; else nil
	torn           bool         // it names another sale, too
	wrong          string       // other money came, in a cashier's words
	stray          pos.Quantity // that money
	why            string       // it cannot be proved, in a cashier's words
	over           bool         // its end is past, by the cluster's clock
	ended          bool         // long past: nothing is waited for any more
}

func (r *Rail) standing(e *payment) standing {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	coming := e.arriving()
	s := standing{
		coming: coming.Sign() > 0, enough: coin.Pays(e.units, coming, e.token.step()),
		over: r.w.head.time > e.ref.end, ended: e.ended,
	}
	if got := r.w.received(e); s.coming && !s.enough && got.Cmp(coming) == 0 {
		s.part = got
	}
	for _, t := range e.transfers {
		switch {
		case !t.alone(e):
			s.torn = true
		case t.why != "":
			s.why = t.why
		case t.brought(e).Sign() == 0:
			if other, why := r.w.wrong(e, t); why != "" {
				s.stray, s.wrong = plus(s.stray, other), why
			}
		}
	}
	return s
}

// plus adds money that came to money of the same token that came before; of two tokens
// it tells the newer.
func plus(before, more pos.Quantity) pos.Quantity {
	if before.Asset.ID != more.Asset.ID {
		return more
	}
	sum, err := more.Asset.Units(new(big.Int).Add(before.Int(), more.Int()))
	if err != nil { // above 256 bits, which cannot be
		return more
	}
	return sum
}

// wrong says which other money t brought for e; "" when it brought none that the till
// knows. w.mu is held.
func (w *Watcher) wrong(e *payment, t *transfer) (came pos.Quantity, why string) {
	for _, c := range w.known() {
		if n := t.came[moved{e.ref.owner, c.Mint}]; n != nil && n.Sign() > 0 {
			came = quantityOf(w.o.Cluster, c, n)
			return came, w.word("evm_wrong_money", "came", came.String(), "token", e.token.Symbol, "tail", e.ref.owner.Tail())
		}
	}
	return came, ""
}

// known lists what may come: the tokens of the registry, and the native coin.
func (w *Watcher) known() []Token {
	return append(w.tokens[:len(w.tokens):len(w.tokens)], Token{Cluster: w.o.Cluster.Key, Symbol: "SOL", Mint: nativeMint, Decimals: 9})
}

// finding says what became of e after a round. Only events that can move p are told.
func (r *Rail) finding(op string, p pos.Payment, e *payment) (pos.Finding, error) {
	if f, ok := r.paid(p, e, false); ok {
		return f, nil
	}
	s := r.standing(e)
	switch {
	case p.Lost:
		f, _ := r.gone(p, e)
		return f, nil
	case s.why != "":
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", s.why)
	case s.enough:
		return pos.Finding{Event: news(p, pos.Accept)}, nil
	case p.State == pos.Accepted: // it was taken back before it counted
		return pos.Finding{Event: news(p, pos.Doubt), Why: r.w.word("evm_vanished")}, nil
	case s.torn:
		return pos.Finding{Event: news(p, pos.Doubt), Why: r.w.word("sol_torn")}, nil
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

// parts tells of money that is not enough: the customer is asked for the rest with the
// same reference, once what came is certain.
func (r *Rail) parts(p pos.Payment, e *payment, s standing) pos.Finding {
	f := pos.Finding{Event: news(p, pos.See)}
	if s.part == nil {
		return f
	}
	if part := coin.Part(e.units, s.part, e.token.step()); part.Sign() > 0 {
		f.Part = quantityOf(r.w.o.Cluster, e.token, part)
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
	why := s.wrong
	if s.torn {
		s.stray, why = pos.Quantity{}, r.w.word("sol_torn")
	}
	switch {
	case s.why != "":
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", s.why)
	case s.enough && news(p, pos.Accept) != "":
		return pos.Finding{Event: pos.Accept}, nil
	case s.coming && !s.enough && news(p, pos.See) != "":
		return pos.Finding{Event: pos.See}, nil
	case s.coming:
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", r.w.word("evm_arriving"))
	case why != "" && s.ended && !s.torn:
		return pos.Finding{Event: news(p, pos.Fail), Why: why, Stray: s.stray, Final: true}, nil
	case why != "" && news(p, pos.Doubt) != "":
		return pos.Finding{Event: pos.Doubt, Why: why, Stray: s.stray}, nil
	case why != "":
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", why)
	}
	return pos.Finding{Event: pos.Cancel, Final: s.ended}, nil
}

// scaled reports that a units of a token with da decimals is the number b with db.
func scaled(a *big.Int, da int, b *big.Int, db int) bool {
	x := new(big.Int).Mul(a, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(db)), nil))
	y := new(big.Int).Mul(b, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(da)), nil))
	return x.Cmp(y) == 0
}
