package evm

import (
	"context"
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// Rail takes one token on one chain. It is safe for concurrent use.
type Rail struct {
	*rail
	w     *Watcher
	c     *chain
	token Token
}

type rail = coin.Rail[*payment]

// newRail makes the rail of a token on a chain.
func newRail(w *Watcher, c *chain, t Token) *Rail {
	r := &Rail{w: w, c: c, token: t}
	r.rail = &rail{
		Asset: t.Asset(), Name: w.word("evm_on", "token", t.Symbol, "chain", c.Name), MaxBits: 256, Expiry: w.o.Expiry, Patience: checkLimit,
		Rounds: c.rounds, Lock: &w.mu, Asking: w.asking,
		Word:   c.word,
		Why:    func() string { return c.health.Why(t.Contract) },
		Reason: c.reasonOf,
		Now:    func() uint64 { return c.headNow().time },
		Known:  r.known, Fresh: r.fresh, Forms: r.forms, Keep: func(e *payment) { w.payments[e.id] = e },
		Gone: r.gone, Paid: r.paid, Standing: r.standing,
		Enough: func(e *payment) bool { return w.pays(e, e.received()) },
		Withdraw: func() {
			for _, o := range w.chains {
				if o != c { // their word is welcome; nobody waits for it
					o.rounds.Ask()
				}
			}
		},
	}
	if w.o.Shared {
		r.Fresh = r.unique
	}
	return r
}

// Tender names the rail: "usdc-base".
func (r *Rail) Tender() pos.Tender { return coin.Tender(r.token.Symbol, r.c.Key) }

// Token returns what the rail takes.
func (r *Rail) Token() Token { return r.token }

// Chain returns where it takes it.
func (r *Rail) Chain() Chain { return r.c.Chain }

// Name is for people: "USDC on Base".
func (r *Rail) Name() string { return r.rail.Name }

// Health returns the newest known health. It does not block, and asks nobody.
func (r *Rail) Health() pos.Health { return r.rail.Health(r.c.notices.Told()) }

const (
	checkLimit = 4500 * time.Millisecond // the desk's has 5 s
	askTries   = 4                       // addresses that have something on them already
	// elsewhereLimit is how long the other chains have to say that nothing lies at a new
	// address: a customer stands there.
	elsewhereLimit = time.Second
)

// elsewhere reports that no other chain has anything at an address: an old sale's money
// there would be taken for the new sale's. mute are those that did not answer in time.
func (w *Watcher) elsewhere(ctx context.Context, own *chain, at Address) (clean bool, mute map[uint64]bool) {
	ctx, stop := context.WithTimeout(ctx, elsewhereLimit)
	defer stop()
	type word struct {
		of    *chain
		clean bool
		err   error
	}
	words, asked := make(chan word, len(w.chains)), 0 // has room for all
	clean, mute = true, map[uint64]bool{}
	for _, c := range w.chains {
		switch {
		case c == own:
		case c.health.Why(Address{}) != "":
			mute[c.ID] = true
		default:
			asked++
			go func() {
				_, ok, err := c.look(ctx, at)
				words <- word{c, ok, err}
			}()
		}
	}
	for range asked {
		switch a := <-words; {
		case a.err != nil:
			mute[a.of.ID] = true
			a.of.log.Warn("a new address was not looked at", "err", a.err)
		case !a.clean:
			clean = false
		}
	}
	return clean, mute
}

// known returns the request that was made before.
func (r *Rail) known(p pos.Payment) (*payment, bool, error) {
	if p.Reference != "" {
		ref, err := readReference(p.Reference)
		if err != nil {
			return nil, false, err
		}
		r.w.mu.Lock()
		defer r.w.mu.Unlock()
		return r.w.add(p.ID, ref, r.token, ""), true, nil
	}
	e, ok := r.w.book.find(p.ID)
	if !ok {
		return nil, false, nil
	}
	if e.Chain != r.c.ID || e.Token != r.token.Contract {
		return nil, false, pos.E(coin.AskOp, pos.Invalid, "this attempt was made with another token")
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.w.add(p.ID, r.w.book.reference(e), r.token, e.Paid), true, nil
}

// fresh makes a new request.
func (r *Rail) fresh(ctx context.Context, p pos.Payment) (*payment, error) {
	for range askTries {
		n, salt := r.w.book.peek()
		at := AddressOf(r.w.o.Treasury, salt)
		head, clean, err := r.c.look(ctx, at)
		if err != nil {
			return nil, r.Unknown(coin.AskOp, err)
		}
		var mute map[uint64]bool
		if clean {
			clean, mute = r.w.elsewhere(ctx, r.c, at)
		}
		if !clean {
			r.c.notices.Alarm("used", r.w.word("evm_used", "tail", at.Tail()))
			if err := r.w.book.burn(n); err != nil {
				return nil, err
			}
			continue
		}
		e := entry{
			ID: p.ID, N: n, Chain: r.c.ID, Token: r.token.Contract, Units: p.Quantity.Int().String(),
			End: head.time + uint64(r.w.o.Expiry/time.Second), From: head.number, Treasury: r.w.o.Treasury,
		}
		if ok, err := r.w.book.add(e); err != nil || !ok {
			return nil, pos.Wrap(coin.AskOp, pos.Internal, err, "%s", r.w.word("evm_book"))
		}
		r.w.mu.Lock()
		made := r.w.add(p.ID, r.w.book.reference(e), r.token, "")
		made.mute = mute
		r.w.mu.Unlock()
		for _, c := range r.w.chains { // those that rest look more often now
			c.rounds.Poke()
		}
		return made, nil
	}
	return nil, pos.E(coin.AskOp, pos.Conflict, "%s", r.w.word("evm_book"))
}

// forms returns the ways to ask for units of p's request: the standard one, the bare
// address, and the links that Options allow.
func (r *Rail) forms(p *payment, units *big.Int) (out []Form) {
	for _, f := range Forms(r.c.Chain, r.token, p.ref.address, units) {
		f.Caption = r.w.word("evm_form_standard")
		if f.Typed {
			f.Caption = r.w.word("evm_form_typed", "amount", quantityOf(r.token, units).String(), "chain", r.c.Name)
		}
		if always(f) || slices.Contains(r.w.o.Links, f.Name) {
			out = append(out, f)
		}
	}
	return out
}
