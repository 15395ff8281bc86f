package evm

import (
	"bytes"
	"cmp"
	"context"
	"math/big"
	"strconv"
	"strings"
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
// set, any. What the till has with the last word is on the disk before that is said.
func (r *Rail) paid(p pos.Payment, e *payment, short bool) (pos.Finding, bool) {
	f, ok := r.proved(p, e, short)
	if ok && f.Final {
		if err := r.w.lastWord(p, e, f.Received.Int(), f.Stray); err != nil {
			r.c.log.Error("the last word of a payment is not said yet", "payment", string(p.ID), "err", err)
			f.Final = false
		}
	}
	return f, ok
}

func (r *Rail) proved(p pos.Payment, e *payment, short bool) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	e.done = false // somebody asks
	got := e.received()
	if h := e.had[claimKey{e.token.Chain, e.token.Contract}]; h != nil && len(h.units) > 1 && got.Cmp(h.units[0]) > 0 {
		got = h.units[0] // the rest was told of as nobody's
	}
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
	e.since = max(e.since, uint64(max(p.At.Unix(), p.Moved.Unix(), 1)))
	if key, ok := keyOf(p.Stray.Asset); ok && !p.Stray.IsZero() && key != (claimKey{e.token.Chain, e.token.Contract}) {
		e.stray, e.strayed = key, p.Stray.Int()
	}
}

// gone says that a reorg took back what the till has as settled. Once that is in doubt,
// only its money, or the end of all watching, is news.
func (r *Rail) gone(p pos.Payment, e *payment) (pos.Finding, bool) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	if e.remind(p); r.w.chain(e.stray.chain) == nil { // nobody looks there any more
		e.strayed = nil
	}
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

// keyOf reads what Token.Asset wrote.
func keyOf(a pos.Asset) (key claimKey, ok bool) {
	chain, at, ok := strings.Cut(strings.TrimPrefix(a.ID, "eip155:"), "/erc20:")
	id, err1 := strconv.ParseUint(chain, 10, 64)
	token, err2 := ParseAddress(at)
	return claimKey{id, token}, ok && err1 == nil && err2 == nil
}

// Check is the rail's, and says when what the till has as come astray is not there any
// more: Stray is then of that asset, and nothing of it. A Stray without an asset says
// nothing about it.
func (r *Rail) Check(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	f, err := r.rail.Check(ctx, p)
	f = r.unpaid(p, f)
	if err != nil || !f.Stray.IsZero() || p.Stray.IsZero() {
		return f, err
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	if key, ok := keyOf(p.Stray.Asset); ok {
		if e := r.w.payments[p.ID]; e != nil && e.absent(key) {
			f.Stray = p.Stray.Asset.UnitsOf(0)
		}
	}
	return f, nil
}

// Cancel is the rail's.
func (r *Rail) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	f, err := r.rail.Cancel(ctx, p)
	return r.unpaid(p, f), err
}

// unpaid makes durable what the till has of p when f, its last word, is that it was not paid:
// other money may have come for it, and of that a finding names one.
func (r *Rail) unpaid(p pos.Payment, f pos.Finding) pos.Finding {
	r.w.mu.Lock()
	e := r.w.payments[p.ID]
	r.w.mu.Unlock()
	if !f.Final || !f.Received.IsZero() || p.Lost || e == nil {
		return f
	}
	if err := r.w.lastWord(p, e, p.Received.Int(), f.Stray); err != nil {
		r.c.log.Error("the last word of a payment is not said yet", "payment", string(p.ID), "err", err)
		f.Final = false
	}
	return f
}

// absent reports that it is proved that nothing of key is there, nor was swept.
func (p *payment) absent(key claimKey) bool {
	k := p.claims[key]
	return k != nil && k.blank && !p.code[key.chain] && p.missing(k)
}

// other returns other money that came for sure, nil when there is none. Of several it is
// the one that the till was told of, and then the first by chain and token: the same one
// at every look and after a restart, for each change is a record. What was told and was
// not looked at yet, or left by a sweep, gives way to no other.
func (p *payment) other() (of claimKey, first *claim) {
	there := func(key claimKey, k *claim) bool {
		return k != nil && k != p.own() && k.proof.came().Sign() > 0 && (k.units.Sign() > 0 || p.code[key.chain])
	}
	if p.strayed != nil && !p.absent(p.stray) {
		if k := p.claims[p.stray]; there(p.stray, k) {
			return p.stray, k
		}
		return claimKey{}, nil
	}
	for key, k := range p.claims {
		if there(key, k) && (first == nil || cmp.Or(cmp.Compare(key.chain, of.chain), bytes.Compare(key.token[:], of.token[:])) < 0) {
			of, first = key, k
		}
	}
	return of, first
}
