package evm

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// What a round sees at the newest block is a hint. What counts is read again here:
// at one block, named by its hash, as deep as the policy wants, and by as many
// operators as it wants.

const (
	// deepEvery is how often the deep blocks are asked for while something waits.
	deepEvery = 2 * time.Second
	// finalEvery is the same for what only the owner waits for: whether a sale that is
	// complete is final, and whether nothing can come any more.
	finalEvery = 15 * time.Second
	// lagTries and lagWait are for a second operator that does not have the block yet:
	// it will in a moment.
	lagTries = 3
	lagWait  = 400 * time.Millisecond
)

// wish is a claim that shall be proved at a level.
type wish struct {
	p         *payment
	key       claimKey
	level     Level
	operators int
	final     bool // to know that it cannot change any more
}

// prove carries out the wishes of this chain. An error means that the endpoint is
// not to be relied on; that two operators differ is noted at the claims.
func (c *chain) prove(ctx context.Context, k *rpc.Client) error {
	if err := c.sweeps(ctx, k); err != nil {
		return err
	}
	wishes := c.wishes(time.Now())
	if len(wishes) == 0 {
		return nil
	}
	blocks, err := c.blocks(ctx, k, wishes)
	if err != nil {
		return err
	}
	byLevel := map[Level][]wish{}
	for _, w := range wishes {
		if b, ok := blocks[w.level]; ok && !c.tried(w, b) {
			byLevel[w.level] = append(byLevel[w.level], w)
		}
	}
	for level, ws := range byLevel {
		if err := c.proveAt(ctx, k, blocks[level], ws); err != nil {
			return err
		}
	}
	return nil
}

// tried reports that this very block was read for w before: it says the same again.
func (c *chain) tried(w wish, b block) bool {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	k := w.p.claims[w.key]
	return k != nil && k.tried == b.hash && k.triedUnits == k.units
}

// wishes lists what is to be proved on this chain now.
func (c *chain) wishes(now time.Time) (out []wish) {
	deep, last := !now.Before(c.nextDeep), !now.Before(c.nextFinal)
	policy := PolicyOf(c.Chain)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		if p.ref.scheme == schemeShared {
			continue // proved by its events
		}
		for key, k := range p.claims {
			if key.chain != c.ID || k.units.Sign() == 0 || len(out) >= c.perPeek() {
				continue
			}
			row := policy.Row(k.token.Decimals, k.units)
			switch {
			case k.proved == nil || k.proved.Cmp(k.units) != 0:
				if deep || !isDeep(row.Level) {
					out = append(out, wish{p, key, row.Level, row.Operators, false})
				}
			case last && p.told && k == p.own() && !p.settled:
				out = append(out, wish{p, key, Finalized, 1, true})
			}
		}
		if last && c.closes(p) && len(out) < c.perPeek() {
			out = append(out, wish{p, claimKey{c.ID, p.token.Contract}, Finalized, 1, true})
		}
	}
	for _, w := range out {
		switch {
		case w.final:
			c.nextFinal = now.Add(finalEvery)
		case isDeep(w.level):
			c.nextDeep = now.Add(deepEvery)
		}
	}
	return out
}

// closes reports that p's last look is due: its time is well over, by the chain's
// clock. w.mu is held.
func (c *chain) closes(p *payment) bool {
	return p.token.Chain == c.ID && !p.ended && c.headNow().time > p.ref.end+uint64(coin.WatchFor/time.Second)
}

// tagOf returns the name of a level's block.
func (c *chain) tagOf(l Level) string {
	switch l {
	case OneBlock:
		return "latest"
	case TwoBlocks:
		return fmt.Sprintf("0x%x", max(c.headNow().number, 1)-1)
	}
	return string(l)
}

// blocks reads the blocks that wishes need. A chain without some tag goes without:
// what waits for it waits on, and says so.
func (c *chain) blocks(ctx context.Context, k *rpc.Client, wishes []wish) (map[Level]block, error) {
	var levels []Level
	for _, w := range wishes {
		if !slices.Contains(levels, w.level) {
			levels = append(levels, w.level)
		}
	}
	var calls []rpc.Call
	for _, l := range levels {
		calls = append(calls, rpc.To("eth_getBlockByNumber", c.tagOf(l), false))
	}
	k.Spend()
	answers, err := k.Batch(ctx, calls...)
	if err != nil {
		return nil, err
	}
	out := map[Level]block{}
	for i, a := range answers {
		if a.Err != nil {
			continue
		}
		b, err := readBlock(a.Result)
		if err != nil {
			continue
		}
		if b.number > c.headNow().number+maxAhead {
			return nil, rpc.Failed(rpc.Odd, "a block far ahead of the newest")
		}
		out[levels[i]] = b
	}
	return out, nil
}

// maxAhead is how many blocks a chain can make between two calls of a round: four a
// second, and a slow line.
const maxAhead = 64

// proveAt reads balances at one block by its hash, and lets another operator say
// the same where the policy wants two.
func (c *chain) proveAt(ctx context.Context, k *rpc.Client, b block, ws []wish) error {
	owners := make([]Address, len(ws))
	both := false
	for i, w := range ws {
		owners[i] = w.p.ref.address
		both = both || w.operators > 1
	}
	k.Spend()
	v, err := c.peekAt(ctx, k, b, owners)
	if err != nil {
		return err
	}
	var other view
	var differ error
	if both {
		other, differ = c.second(ctx, k, b, owners)
	}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for i, w := range ws {
		why := ""
		if w.operators > 1 {
			if differ == nil && !sameOwner(v, other, i) {
				differ = rpc.Failed(rpc.Differ, "operators tell different balances at block %x", b.hash[:4])
			}
			if differ != nil {
				why = c.reasonOf(differ)
				c.log.Warn("not verified", "payment", string(w.p.id), "err", differ)
			}
		}
		c.proven(w, b, v.balance(i, slices.Index(c.asked, w.key.token)), why)
	}
	return nil
}

// peekAt reads balances at a block and demands that they are of that block.
func (c *chain) peekAt(ctx context.Context, k *rpc.Client, b block, owners []Address) (view, error) {
	answers, err := k.Batch(ctx, peekCall(c.asked, owners, atHash(b.hash)))
	if err != nil {
		return view{}, err
	}
	v, err := c.viewOf(answers[0], len(owners))
	if err == nil && v.time != b.time {
		err = rpc.Failed(rpc.Odd, "balances of another block than asked for")
	}
	return v, err
}

// second asks the endpoints of other operators until one of them answers.
func (c *chain) second(ctx context.Context, k *rpc.Client, b block, owners []Address) (view, error) {
	err := error(rpc.Failed(rpc.Differ, "there is no second operator"))
	for _, o := range c.clients.All {
		if o.Operator == k.Operator {
			continue
		}
		for try := range lagTries {
			if try > 0 && rpc.Until(ctx, time.Now().Add(lagWait)) != nil {
				break
			}
			o.Spend()
			var v view
			if v, err = c.peekAt(ctx, o, b, owners); err == nil {
				return v, nil
			}
			if rpc.FaultOf(err) != rpc.Refused {
				break
			}
		}
	}
	return view{}, &rpc.Error{Fault: rpc.Differ, Err: err}
}

// balance returns what a view says of an owner and a token; nil when the token gave
// none.
func (v view) balance(owner, token int) *big.Int {
	for _, f := range v.found {
		if f.owner == owner && f.token == token && f.kind != foundCode {
			if f.kind == foundDumb {
				return nil
			}
			return f.value
		}
	}
	return new(big.Int)
}

// sameOwner reports that two views say the same of an owner.
func sameOwner(a, b view, owner int) bool {
	pick := func(v view) (out []string) {
		for _, f := range v.found {
			if f.owner == owner {
				out = append(out, fmt.Sprint(f.kind, f.token, f.value))
			}
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(pick(a), pick(b))
}

// proven notes an outcome. w.mu of the watcher is held.
func (c *chain) proven(w wish, b block, units *big.Int, why string) {
	p := w.p
	k := p.claims[w.key]
	switch {
	case units == nil:
		return // the token gave no balance
	case w.final:
		c.finalized(p, k, b, units)
	case k != nil && why != "":
		k.why = why
		p.Wake()
	case k != nil:
		// What was seen chose the row. Had more been proved than was seen, a row for
		// smaller sums would have proved it: then the next round looks again.
		if row := PolicyOf(c.Chain).Row(k.token.Decimals, units); row.Level != w.level || row.Operators != w.operators {
			return
		}
		k.why, k.tried, k.triedUnits = "", b.hash, k.units
		if k.proved == nil || k.proved.Cmp(units) != 0 {
			k.proved, k.time = units, b.time
			c.w.unasked(c, p, k)
			p.Wake()
		}
	}
}

// finalized notes what a final block says of what was asked for.
func (c *chain) finalized(p *payment, k *claim, b block, units *big.Int) {
	if k != nil {
		k.tried, k.triedUnits = b.hash, k.units
	}
	if p.told && p.taken != nil && units.Cmp(p.taken) >= 0 {
		p.settled = true
	}
	if b.time > p.ref.end+uint64(coin.WatchFor/time.Second) {
		p.ended = true
		p.Wake()
	}
}

// unasked tells the owner of money that no open request wants: another token or
// chain, or more for one that is paid. w.mu is held.
func (w *Watcher) unasked(c *chain, p *payment, k *claim) {
	if k.proved.Sign() == 0 {
		return
	}
	came := quantityOf(k.token, k.proved).String()
	switch {
	case k != p.own():
		c.notices.Tell("wrong "+string(p.id)+k.token.Contract.String(), w.word("evm_wrong_money", "came", came, "chain", c.Name,
			"token", p.token.Symbol, "asked", w.chainName(p.token.Chain), "tail", p.ref.address.Tail()))
	case p.told && p.left != nil && k.proved.Cmp(p.left) > 0:
		more := coin.Whole(new(big.Int).Sub(k.proved, p.left), k.token.step())
		if more.Sign() == 0 {
			return
		}
		c.notices.Tell("late "+string(p.id), c.word("evm_more", "came", quantityOf(k.token, more).String(), "tail", p.ref.address.Tail()))
	}
}

func (w *Watcher) chainName(id uint64) string {
	if c := w.chain(id); c != nil {
		return c.Name
	}
	return fmt.Sprintf("chain %d", id)
}
