package solana

import (
	"context"
	"crypto/rand"
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// Rail takes one token on one cluster. It is safe for concurrent use.
type Rail struct {
	*rail
	w     *Watcher
	token Token
}

type rail = coin.Rail[*payment]

// newRail makes the rail of a token.
func newRail(w *Watcher, t Token) *Rail {
	r := &Rail{w: w, token: t}
	r.rail = &rail{
		Asset: t.asset(w.o.Cluster), Name: w.word("evm_on", "token", t.Symbol), MaxBits: maxBits, Expiry: w.o.Expiry, Patience: checkLimit,
		Rounds: w.rounds, Lock: &w.mu, Asking: w.asking,
		Word: w.word, Why: func() string { return w.health.Why(t.Mint) }, Reason: w.reasonOf,
		Now:   func() uint64 { return w.headNow().time },
		Known: r.known, Fresh: r.fresh, Forms: r.forms, Keep: func(e *payment) { w.payments[e.id] = e },
		Gone: r.gone, Paid: r.paid, Standing: r.standing, Enough: w.enough, Close: r.close,
	}
	return r
}

// Tender names the rail: "usdc-solana".
func (r *Rail) Tender() pos.Tender { return coin.Tender(r.token.Symbol, r.w.o.Cluster.Key) }

// Token returns what the rail takes.
func (r *Rail) Token() Token { return r.token }

// Cluster returns where it takes it.
func (r *Rail) Cluster() Cluster { return r.w.o.Cluster }

// Asset returns what prices are made of.
func (r *Rail) Asset() pos.Asset { return r.rail.Asset }

// Name is for people: "USDC on Solana".
func (r *Rail) Name() string { return r.rail.Name }

// Health returns the newest known health. It does not block, and asks nobody.
func (r *Rail) Health() pos.Health { return r.rail.Health(r.w.notices.Told()) }

const (
	checkLimit = 4500 * time.Millisecond // the desk's has 5 s
	maxBits    = 60                      // of a request: a program's u64 holds some of them together
)

// known returns the request that was made before.
func (r *Rail) known(p pos.Payment) (*payment, bool, error) {
	const op = "find Solana request"
	var ref reference
	paid := ""
	if p.Reference != "" {
		var err error
		if ref, err = readReference(p.Reference); err != nil {
			return nil, false, err
		}
	} else {
		e, ok := r.w.book.find(p.ID)
		if !ok {
			return nil, false, nil
		}
		ref, paid = e.reference(), e.Paid
	}
	if ref.mint != r.token.Mint {
		return nil, false, pos.E(op, pos.Invalid, "this attempt was made with another token")
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	if r.w.payments[p.ID] == nil {
		r.w.rescan = true // what came for it may have been read for nobody
	}
	e := r.w.add(p.ID, ref, r.token, paid)
	if kept, ok := r.w.book.find(p.ID); ok && len(e.rests) == 0 { // it may have been forgotten meanwhile
		e.rests = kept.Rests
	}
	return e, true, nil
}

// fresh makes a new request.
func (r *Rail) fresh(ctx context.Context, p pos.Payment) (*payment, error) {
	head, err := r.w.glance(ctx, r.token)
	if err != nil {
		return nil, r.Unknown(coin.AskOp, err)
	}
	r.w.giving.Lock()
	defer r.w.giving.Unlock()
	units, ok := r.unique(p.Quantity.Int(), head.time)
	if !ok {
		return nil, pos.E(coin.AskOp, pos.Conflict, "%s", r.w.word("evm_no_slot", "amount", p.Quantity.String()))
	}
	e := entry{
		ID: p.ID, Owner: r.w.o.Owner, Mint: r.token.Mint, Units: units.String(),
		From: head.slot, End: head.time + uint64(r.w.o.Expiry/time.Second),
	}
	if _, err := rand.Read(e.Key[:]); err != nil {
		return nil, pos.Wrap(coin.AskOp, pos.Internal, err, "this computer gives no random numbers")
	}
	switch ok, err := r.w.book.add(e); {
	case err != nil:
		return nil, pos.Wrap(coin.AskOp, pos.Internal, err, "%s", r.w.word("sol_book"))
	case !ok:
		return nil, pos.E(coin.AskOp, pos.Conflict, "%s", r.w.word("evm_no_slot", "amount", p.Quantity.String()))
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	made := r.w.add(p.ID, e.reference(), r.token, "")
	r.w.rounds.Poke() // who rests looks more often now
	return made, nil
}

// unique adds to an amount until no request holds it: this till's steps of the
// ten-thousandths that people can type. w.giving is held.
func (r *Rail) unique(units *big.Int, now uint64) (*big.Int, bool) {
	taken := r.w.book.taken(r.token.Mint, now)
	r.w.mu.Lock()
	for _, p := range r.w.payments { // those that the book lost
		if p.token.Mint == r.token.Mint && p.ref.end+uint64(unique.Hold/time.Second) > now {
			taken[p.units.String()] = true
			for _, x := range p.rests {
				taken[x.Units] = true
			}
		}
	}
	r.w.mu.Unlock()
	step, n := r.token.step(), new(big.Int).Set(units)
	for range unique.Slots {
		if r.w.lane().Has(n, step) && !taken[n.String()] {
			return n, true
		}
		n.Add(n, step)
	}
	return nil, false
}

// rest returns an amount that is held for e alone and, with got, pays it: what is missing,
// or a little more, at most as much as unique adds. It blocks for the disk. ok is false
// when there is none: then only e's reference finds what comes.
func (r *Rail) rest(e *payment, got *big.Int) (units *big.Int, ok bool) {
	r.w.giving.Lock()
	defer r.w.giving.Unlock()
	missing := coin.Rest(e.units, got, e.token.step())
	r.w.mu.Lock()
	head, rests := r.w.head, e.rests
	r.w.mu.Unlock()
	for _, x := range rests {
		if n, _ := readUnits(x.Units); extra(missing, n, e.token) {
			return n, true
		}
	}
	units, ok = r.unique(missing, head.time)
	if !ok || units.Cmp(e.units) >= 0 {
		return nil, false
	}
	x := rest{units.String(), head.slot}
	of := entry{ID: e.id, Owner: e.ref.owner, Mint: e.ref.mint, Key: e.ref.key, Units: e.units.String(), From: e.ref.from, End: e.ref.end}
	if ok, err := r.w.book.hold(of, x); !ok {
		r.w.log.Warn("no rest is held", "payment", string(e.id), "err", err)
		return nil, false
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	e.rests = append(slices.Clone(e.rests), x)
	return units, true
}

// extra reports that n is want and what unique adds at most.
func extra(want, n *big.Int, t Token) bool {
	over := new(big.Int).Sub(n, want)
	return over.Sign() >= 0 && over.Cmp(new(big.Int).Mul(t.step(), big.NewInt(unique.Slots))) < 0
}

// lane is the amounts that are this till's, whatever the price: two tills ask for
// different ones also when the rate moved in between.
func (w *Watcher) lane() unique.Lane { return unique.Lane{N: w.o.Till - 1, Of: w.o.Tills} }

// enough reports that what was asked for is proved. w.mu is held.
func (w *Watcher) enough(e *payment) bool {
	return coin.Pays(e.units, w.received(e), e.token.step())
}
