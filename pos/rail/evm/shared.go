package evm

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// With one address for all sales, the amount tells them apart: a few ten-thousandths
// are added so that no other open request of the same token has the same. What came
// is read from the token's Transfer events, and each is proved by its block.

const (
	// scanOverlap is how many blocks are read twice: an endpoint may not have had them.
	scanOverlap = 8
	// scanTries bounds the requests of one round.
	scanTries = 12
	// scanBack bounds how far back a till looks after it was off, in blocks: a day and some
	// hours of the quickest chain's, four a second. What it passes over is an alarm.
	scanBack = 400_000
	// scanSlow bounds the same in requests, for an endpoint that gives few blocks at once:
	// under an hour's at two a second, in which no new payment is found.
	scanSlow = 5_000
	// maxTransfers bounds what is kept beside the transfers that payments take.
	maxTransfers = 512
)

// unique makes a new request with an amount that no other one has.
func (r *Rail) unique(ctx context.Context, p pos.Payment) (*payment, error) {
	head, _, err := r.c.look(ctx, r.w.o.Treasury)
	if err != nil {
		return nil, r.Unknown(coin.AskOp, err)
	}
	step := r.token.step()
	taken, full := r.w.book.taken(r.c.ID, r.token.Contract, head.time)
	r.c.open(taken, r.token, head.time)
	units := p.Quantity.Int()
	free := func() bool { return !taken[units.String()] && r.w.o.Lane.Has(units, step) }
	for k := 1; !free() && k < unique.Slots; k++ {
		units.Add(units, step)
	}
	if full || !free() {
		return nil, pos.E(coin.AskOp, pos.Conflict, "%s", r.w.word("evm_no_slot", "amount", p.Quantity.String()))
	}
	e := entry{
		ID: p.ID, Chain: r.c.ID, Token: r.token.Contract, Units: units.String(),
		End: head.time + uint64(r.w.o.Expiry/time.Second), From: head.number, Treasury: r.w.o.Treasury,
	}
	if _, err := r.w.book.add(e); err != nil {
		return nil, pos.Wrap(coin.AskOp, pos.Internal, err, "%s", r.w.word("evm_book"))
	}
	r.w.mu.Lock()
	made := r.w.add(p.ID, r.w.book.reference(e), r.token, "")
	r.w.mu.Unlock()
	for _, c := range r.w.chains {
		c.rounds.Poke()
	}
	return made, nil
}

// taken returns the amounts that requests hold at a block time. full: the book has no
// place for another.
func (k *book) taken(chain uint64, token Address, now uint64) (out map[string]bool, full bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out = map[string]bool{}
	held := func(e entry) bool { return e.End+uint64(unique.Hold/time.Second) > now }
	full = len(k.entries) >= maxShared
	k.entries = slices.DeleteFunc(k.entries, func(e entry) bool {
		paid := e.Paid != "" && e.End+uint64(2*unique.Hold/time.Second) > now // its money must still be told from others'
		return e.N == 0 && e.Chain == chain && !held(e) && (full || !paid)
	})
	for _, e := range k.entries {
		if held(e) && e.N == 0 && e.Chain == chain && e.Token == token {
			out[e.Units] = true
		}
	}
	return out, len(k.entries) >= maxShared
}

// open adds the amounts of requests that only the till's records knew: the book was lost.
func (c *chain) open(taken map[string]bool, t Token, now uint64) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		if p.ref.scheme == schemeShared && p.token.Chain == c.ID && p.token.Contract == t.Contract && p.ref.end+uint64(unique.Hold/time.Second) > now {
			taken[p.units.String()] = true
		}
	}
}

// shared reads what came to the shared address, gives it to payments, and proves it.
func (c *chain) shared(ctx context.Context, k *rpc.Client) error {
	if !c.anyShared() {
		c.transfers.next = 0 // begin anew with the next request
		return c.judgeTransfers(ctx, k)
	}
	if err := c.scan(ctx, k); err != nil {
		return err
	}
	c.match()
	c.forget()
	if err := c.proveTransfers(ctx, k); err != nil {
		return err
	}
	return c.judgeTransfers(ctx, k)
}

// anyShared reports that a request waits for money at the shared address.
func (c *chain) anyShared() bool {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		if p.ref.scheme == schemeShared && !p.ended {
			return true
		}
	}
	return false
}

// match gives each payment what came with its amount, and tells the owner of what
// belongs to none.
func (c *chain) match() {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	sums, torn := map[*payment]*big.Int{}, map[*payment]bool{}
	for i := range c.transfers.list {
		t := &c.transfers.list[i]
		takers := c.takers(*t)
		if t.of, t.claimed = nil, len(takers) > 1; len(takers) == 1 {
			t.of, t.taken = takers[0], true
			t.of.last = max(t.of.last, t.number)
			sums[t.of] = new(big.Int).Add(t.units, cmp.Or(sums[t.of], new(big.Int)))
		}
		t.known = t.known || len(takers) > 0
		for _, p := range takers {
			torn[p] = torn[p] || t.claimed
		}
	}
	for _, p := range c.w.payments {
		if p.ref.scheme != schemeShared || p.token.Chain != c.ID {
			continue
		}
		if p.see(c.ID, found2(p.token, cmp.Or(sums[p], new(big.Int)))) || p.torn != torn[p] {
			p.torn = torn[p]
			p.doubt()
			p.Wake()
		}
		c.w.lost(c, p)
	}
	for i := range c.transfers.list {
		if t := &c.transfers.list[i]; !t.known {
			t.known = true
			if t.told || !c.w.o.Lane.Has(t.units, t.token.step()) {
				continue // another till tells of it, or has sold for it
			}
			c.notices.Tell("unassigned "+hex.EncodeToString(t.tx[:4])+fmt.Sprint(t.index), c.word("evm_unassigned", "came", quantityOf(t.token, t.units).String()))
		}
	}
}

// takers lists the payments that a transfer pays: one, or it is not known whose it is. A
// book that was lost lets two ask for one amount; an amount that is free again belongs to
// the one whose day is not over.
func (c *chain) takers(t transfer) (out []*payment) {
	for _, p := range c.w.payments {
		if !t.told && p.ref.scheme == schemeShared && p.token.Chain == c.ID && p.takes(t) {
			out = append(out, p)
		}
	}
	if open := slices.DeleteFunc(slices.Clone(out), (*payment).isOver); len(out) > 1 && len(open) > 0 {
		return open
	}
	return out
}

func (p *payment) isOver() bool { return p.ended }

func found2(t Token, units *big.Int) map[Address]found1 {
	if units.Sign() == 0 {
		return nil
	}
	return map[Address]found1{t.Contract: {t, units}}
}

// takes reports that a transfer pays p: the token and the very amount, not before p
// was asked for.
func (p *payment) takes(t transfer) bool {
	return t.token.Contract == p.token.Contract && t.units.Cmp(p.units) == 0 && t.number >= p.ref.from
}
