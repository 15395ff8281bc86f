package evm

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// Money that comes to a sale's own address when the till has had the network's last word
// about its payment: a second payment, another token, another network. Nobody asks about
// that payment any more, so the money is told of as pos.Unasked.
//
// No money is counted twice. What the till has is on the disk before the last word is said
// (entry.Had); a payment about which somebody asks is the desk's. What is told is on the
// disk before it is told, as a total, and is told again after each restart, until the
// address is not watched any more: the desk books each total once, by its key, whatever
// came meanwhile. Only what a final block says is told, by as many operators as the policy
// wants: no reorg takes it back.

const (
	// maxTold bounds the totals that are told of one token at one address while it is
	// watched: the last one, at the end, has all the rest. What comes later, while that is not
	// booked yet, nobody is told of: the book does not take it (soundHad).
	maxTold = 8
	// lateEvery is how often a final block is asked about it.
	lateEvery = time.Minute
	// lateGrace is how long after the end of its watch an address is kept for money that no
	// final block has yet.
	lateGrace = 24 * time.Hour
)

// Found returns what tells of money that no payment waits for: what came to a shared
// address and fits no request, and what came for a payment after its last word.
func (w *Watcher) Found() *coin.Unasked { return &w.found }

// heard is a total that a final block proved, and that is not on the disk yet.
type heard struct {
	p     *payment
	key   claimKey
	total *big.Int
}

// lastWord makes durable what the till has of e, for which received and stray are its last
// word. What may have lain there before it was asked for is not told as come. It blocks for
// the book's disk.
func (w *Watcher) lastWord(p pos.Payment, e *payment, received *big.Int, stray pos.Quantity) error {
	w.mu.Lock()
	all := maps.Clone(e.had)
	if all == nil {
		all = map[claimKey]*had{}
	}
	has := func(key claimKey, n *big.Int) {
		switch h := all[key]; {
		case h == nil:
			all[key] = &had{units: []*big.Int{n}}
		case len(h.units) == 1 && n.Cmp(h.units[0]) > 0:
			all[key] = &had{units: []*big.Int{n}}
		}
	}
	has(claimKey{e.token.Chain, e.token.Contract}, received)
	for _, q := range append(backs(p), p.Stray, stray) {
		if key, ok := keyOf(q.Asset); ok && !q.IsZero() {
			has(key, q.Int())
		}
	}
	for key, k := range e.claims {
		if came := k.proof.came(); came.Sign() > 0 && (e.mute[key.chain] || e.murky()) {
			has(key, came)
		}
	}
	given := maps.Clone(e.given)
	if own := e.own(); own != nil && own.proof != nil && e.ref.scheme == schemeShared {
		given = union(given, own.proof.of)
	}
	w.mu.Unlock()
	if err := w.book.last(entryOf(e, all, given)); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	e.done, e.had, e.given = true, all, given
	return nil
}

// backs are what was decided about other money that came for p.
func backs(p pos.Payment) (out []pos.Quantity) {
	for _, x := range p.StrayPast {
		out = append(out, x.Back)
	}
	return append(out, p.StrayBack)
}

func union(set map[string]bool, more []string) map[string]bool {
	out := maps.Clone(set)
	if out == nil {
		out = map[string]bool{}
	}
	for _, m := range more {
		out[m] = true
	}
	return out
}

// beyond returns the total that is to be told of p's key, of which came in all; nil:
// nothing now. Less than a whole token waits for the end. w.mu is held.
func (c *chain) beyond(p *payment, key claimKey, came *big.Int, now time.Time) *big.Int {
	h := p.had[key]
	t := c.tokenOf(key)
	if !p.done || p.ref.scheme != Scheme || t == nil || !p.Idle(now) {
		return nil
	}
	more := coin.Whole(new(big.Int).Sub(came, h.last()), t.step())
	switch {
	case more.Sign() <= 0:
		return nil
	case !p.ended && (more.Cmp(coin.One(t.Decimals)) < 0 || h != nil && len(h.units) > maxTold), h.full():
		return nil
	case c.w.others(p, key):
		return nil
	}
	return more.Add(more, h.last())
}

// tokenOf returns what key is of, nil when this chain does not look for it.
func (c *chain) tokenOf(key claimKey) *Token {
	if at := slices.Index(c.asked, key.token); key.chain == c.ID && at >= 0 {
		return &c.tokens[at]
	}
	return nil
}

// others reports that key is what another payment at p's address asks for: a manager made
// one of what came astray. w.mu is held.
func (w *Watcher) others(p *payment, key claimKey) bool {
	for _, q := range w.payments {
		if q != p && q.ref.address == p.ref.address && key == (claimKey{q.token.Chain, q.token.Contract}) {
			return true
		}
	}
	return false
}

// lates lists what a final block shall say of money that nobody waits for. w.mu is held.
func (c *chain) lates(p *payment, now time.Time) (out []wish) {
	if !p.done || now.Before(p.sweeps.late) {
		return nil
	}
	for key, k := range p.claims {
		if key.chain != c.ID || k.proof == nil {
			continue
		}
		if total := c.beyond(p, key, k.proof.came(), now); total != nil {
			p.sweeps.late = now.Add(lateEvery)
			out = append(out, wish{p: p, key: key, level: Finalized, operators: c.needs(p, key, total), late: true})
		}
	}
	return out
}

// needs is how many operators must say that a total came.
func (c *chain) needs(p *payment, key claimKey, total *big.Int) int {
	more := new(big.Int).Sub(total, p.had[key].last())
	return PolicyOf(c.Chain).Row(c.tokenOf(key).Decimals, more).Operators
}

// later notes what a final block says of it. w.mu is held.
func (c *chain) later(w wish, o outcome) {
	if o.proof == nil {
		return // asked again in a while
	}
	total := c.beyond(w.p, w.key, o.proof.came(), time.Now())
	if total != nil && c.needs(w.p, w.key, total) <= w.operators {
		c.heard = append(c.heard, heard{w.p, w.key, total})
	}
}

// tellLate puts what was heard on the disk, and tells of all that is there.
func (c *chain) tellLate() {
	for _, x := range c.heard {
		c.w.mu.Lock()
		h := had{units: []*big.Int{new(big.Int)}}
		if old := x.p.had[x.key]; old != nil {
			h = had{slices.Clone(old.units), old.told}
		}
		h.units = append(h.units, x.total)
		all := maps.Clone(x.p.had)
		all[x.key] = &h
		e := entryOf(x.p, all, x.p.given)
		c.w.mu.Unlock()
		if err := c.w.book.last(e); err != nil {
			c.log.Error("money that nobody asked for is not told yet", "payment", string(x.p.id), "err", err)
			continue // found again
		}
		c.w.mu.Lock()
		x.p.had[x.key] = &h
		c.w.mu.Unlock()
	}
	c.heard = nil
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		for key, h := range p.had {
			if t := c.tokenOf(key); t != nil {
				c.tellTotals(p, *t, h)
			}
		}
	}
}

// tellTotals tells of what was not told since the start. w.mu is held.
func (c *chain) tellTotals(p *payment, t Token, h *had) {
	for h.told < len(h.units)-1 {
		from, to := h.units[h.told], h.units[h.told+1]
		if !c.w.found.Tell(pos.Unasked{
			Key: totalKey(p, t, to), Came: quantityOf(t, new(big.Int).Sub(to, from)), Network: c.on(t), Tx: p.ref.address.String(), Of: p.id,
			At: p.claims[claimKey{c.ID, t.Contract}].when(),
		}) {
			return // no room: the next round tries again
		}
		h.told++
	}
}

// when is since when there is as much as there is, by the chain's clock.
func (k *claim) when() time.Time {
	if k == nil || k.time == 0 {
		return time.Time{}
	}
	return time.Unix(int64(k.time), 0).UTC()
}

// totalKey names a total that came to p's address.
func totalKey(p *payment, t Token, total *big.Int) string {
	return fmt.Sprintf("eip155:%d/%s/%s/%s", t.Chain, p.ref.address, t.Contract, total)
}

// on is where a token is, for people.
func (c *chain) on(t Token) string { return c.word("evm_on", "token", t.Symbol) }

// untold reports that something came for p that nobody was told of, or that is not booked.
// w.mu is held.
func (w *Watcher) untold(p *payment, now time.Time) bool {
	for _, c := range w.chains {
		for key, h := range p.had {
			if t := c.tokenOf(key); t != nil && (h.told < len(h.units)-1 || w.found.Holds(totalKey(p, *t, h.last()))) {
				return true
			}
		}
		if c.headNow().time > p.ref.end+uint64((coin.WatchFor+lateGrace)/time.Second) {
			continue
		}
		for key, k := range p.claims {
			if key.chain == c.ID && c.beyond(p, key, k.proof.came(), now) != nil {
				return true
			}
		}
	}
	return false
}
