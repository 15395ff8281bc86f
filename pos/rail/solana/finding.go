package solana

import (
	"math/big"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// paid returns the finding of money that is proved: enough of it, or, when short is
// set, any. Nothing but dust is forgiven: the amount tells sales apart. It is final when the
// cluster cannot undo it and the customer has left: what comes later the owner is told.
func (r *Rail) paid(p pos.Payment, e *payment, short bool) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	got := r.w.received(e)
	enough := coin.Pays(e.units, got, e.token.step())
	lost := p.Lost && e.taken != nil && got.Cmp(e.taken) < 0 // only all of it is back
	if lost || !enough && (!short || got.Sign() == 0) {
		return pos.Finding{}, false
	}
	now := time.Now()
	e.Touched = now
	sure := e.sum(func(t *transfer) bool { return t.final })
	told := coin.Told(got, e.token.step(), e.units, p.Received.Int())
	if len(e.rests) > 0 && p.Received.Int().Cmp(e.units) <= 0 && extra(e.units, got, e.token) {
		told = e.units // the rest had to be an amount of its own: he was asked for more
	}
	f := pos.Finding{
		Event: coin.News(p, pos.Settle), Enough: enough && got.Cmp(e.units) < 0,
		Received: quantityOf(r.w.o.Cluster, e.token, told),
		Final:    sure.Cmp(got) >= 0 && (now.Sub(e.Made) >= coin.YoungFor || e.closed) && e.whole(),
	}
	for _, t := range e.transfers {
		if t.own(e) && t.time > 0 {
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
// Watcher.mu is held.
func (e *payment) remind(p pos.Payment) {
	if n := p.Received.Int(); (p.State == pos.Settled || p.Lost) && !e.told && n.Sign() > 0 {
		e.told, e.taken = true, n
	}
}

// gone says that the cluster took back what the till has as settled. Once that is in
// doubt, only its money, or the end of all watching, is news.
func (r *Rail) gone(p pos.Payment, e *payment) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	e.remind(p)
	e.Touched = time.Now()
	switch {
	case !e.gone && !p.Lost || e.taken != nil && r.w.received(e).Cmp(e.taken) >= 0:
		return pos.Finding{}, false
	case p.State == pos.Settled:
		return pos.Finding{Lost: true, Why: r.w.word("evm_vanished")}, true
	case p.Lost && e.ended && e.whole():
		return pos.Finding{Event: pos.Fail, Why: r.w.word("evm_vanished"), Final: true}, true
	}
	return pos.Finding{}, false // it is looked for once more
}

// standing says how e stands, which is not paid. A rest that can be asked for is held
// then, which blocks for the disk: what is told as come is what it leaves of the price.
func (r *Rail) standing(p pos.Payment, e *payment) coin.Standing {
	s := r.stands(p, e)
	if s.Got == nil || s.Why != "" || s.Torn || s.Over || s.Lost {
		return s
	}
	if rest, ok := r.rest(e, s.Got); ok {
		s.Got = new(big.Int).Sub(e.units, rest)
	}
	return s
}

func (r *Rail) stands(p pos.Payment, e *payment) coin.Standing {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	coming := e.arriving()
	s := coin.Standing{
		Coming: coming.Sign() > 0, Enough: coin.Pays(e.units, coming, e.token.step()),
		Over: r.w.head.time > e.ref.end, Ended: e.ended && e.whole(), Lost: p.Lost,
	}
	if got := r.w.received(e); s.Coming && !s.Enough && got.Cmp(coming) == 0 {
		s.Got = got
	}
	for _, t := range e.transfers {
		switch {
		case !t.alone(e):
			s.Torn = true
		case t.after:
		case t.why != "":
			s.Why = t.why
		case t.brought(e).Sign() == 0:
			if other, why := r.w.wrong(e, t); why != "" {
				s.Stray, s.Wrong = plus(s.Stray, other), why
			}
		}
	}
	e.last = e.last || s.Torn && s.Ended
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

// scaled reports that a units of a token with da decimals is the number b with db.
func scaled(a *big.Int, da int, b *big.Int, db int) bool {
	x := new(big.Int).Mul(a, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(db)), nil))
	y := new(big.Int).Mul(b, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(da)), nil))
	return x.Cmp(y) == 0
}
