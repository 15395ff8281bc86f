package tron

import (
	"context"
	"math/big"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// Rail takes one token. It is safe for concurrent use.
type Rail struct {
	*rail
	w     *Watcher
	c     *chain
	token Token
}

type rail = coin.Rail[*payment]

// newRail makes the rail of a token.
func newRail(w *Watcher, t Token) *Rail {
	c := w.chain
	r := &Rail{w: w, c: c, token: t}
	r.rail = &rail{
		Asset: t.Asset(), Name: c.word("evm_on", "token", t.Symbol), MaxBits: maxBits, Expiry: w.o.Expiry, Patience: checkLimit,
		Rounds: c.rounds, Lock: &w.mu, Asking: w.asking,
		Word: c.word, Why: func() string { return c.health.Why(t.Contract) }, Reason: c.reasonOf,
		Now:   func() uint64 { return c.headNow().time },
		Known: r.known, Fresh: r.fresh, Forms: r.forms, Keep: func(e *payment) { w.payments[e.id] = e },
		Gone: r.gone, Paid: r.paid, Standing: r.standing, Close: r.close,
		Enough: func(e *payment) bool { return e.received().Cmp(e.units) >= 0 },
	}
	return r
}

// Tender names the rail: "usdt-tron".
func (r *Rail) Tender() pos.Tender { return coin.Tender(r.token.Symbol, r.c.chain.Key) }

// Token returns what the rail takes.
func (r *Rail) Token() Token { return r.token }

// Chain returns where it takes it.
func (r *Rail) Chain() Chain { return r.c.chain }

// Name is for people: "USDT on Tron".
func (r *Rail) Name() string { return r.rail.Name }

// Health returns the newest known health. It does not block, and asks nobody.
func (r *Rail) Health() pos.Health { return r.rail.Health(r.w.notices.Told()) }

// checkLimit is nearly the desk's 5 s: a block takes three.
const checkLimit = 4800 * time.Millisecond

// known returns the request that was made before.
func (r *Rail) known(p pos.Payment) (*payment, bool, error) {
	e, kept := r.w.book.Find(p.ID)
	note := e.Note
	if p.Reference != "" {
		note = p.Reference
	}
	if note == "" {
		return nil, false, nil
	}
	ref, err := readReference(note)
	switch {
	case err != nil:
		return nil, false, err
	case kept && e.Place != r.c.place(r.token):
		return nil, false, pos.E(coin.AskOp, pos.Invalid, "this attempt was made with another token or address")
	case ref.address != r.w.o.Address:
		return nil, false, pos.E("look for payment", pos.Unavailable, "%s", r.w.word("tron_moved", "tail", ref.address.Tail()))
	}
	if !kept {
		r.w.book.Keep(unique.Entry{ID: p.ID, Place: r.c.place(r.token), Units: ref.units.String(), End: ref.end, Note: note})
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.w.add(p.ID, ref, r.token, e.Told()), true, nil
}

// fresh makes a new request.
func (r *Rail) fresh(ctx context.Context, p pos.Payment) (*payment, error) {
	from, balance, err := r.c.look(ctx, r.token)
	if err != nil {
		return nil, r.Unknown(coin.AskOp, err)
	}
	ref := reference{from: from, end: from.time + uint64(r.w.o.Expiry/time.Second), address: r.w.o.Address, balance: balance}
	e := unique.Entry{ID: p.ID, Place: r.c.place(r.token), End: ref.end}
	_, err = r.w.book.Take(e, p.Quantity.Int(), r.token.step(), from.time, func(units *big.Int) string {
		ref.units = units
		return ref.String()
	})
	if err != nil {
		key := "evm_book"
		if pos.KindOf(err) == pos.Conflict {
			key = "evm_no_slot"
		}
		return nil, pos.Wrap(coin.AskOp, pos.KindOf(err), err, "%s", r.w.word(key, "amount", p.Quantity.String()))
	}
	r.w.mu.Lock()
	made := r.w.add(p.ID, ref, r.token, nil)
	r.w.mu.Unlock()
	r.c.rounds.Poke() // it may rest
	return made, nil
}

// forms are the ways to show a request: the bare address, which every wallet reads, and,
// if the owner wants it, the link that names no token.
func (r *Rail) forms(p *payment, units *big.Int) []pos.Form {
	q := quantityOf(r.token, units)
	out := []pos.Form{{
		Name: "address", Payload: p.ref.address.String(), Typed: true,
		Caption: r.c.word("tron_form_address", "amount", q.String()),
	}}
	if r.w.o.Link {
		out = append(out, pos.Form{
			Name: "tron", Payload: URI(p.ref.address, q),
			Caption: r.w.word("tron_form_link", "amount", q.String(), "coin", r.c.chain.Coin),
		})
	}
	return out
}
