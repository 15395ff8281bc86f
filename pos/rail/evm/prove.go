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
	row       int  // of the policy
	final     bool // to know that it cannot change any more
	late      bool // nobody waits for it: what came beyond what the till has
}

// prove carries out the wishes of this chain. An error means that the endpoint is
// not to be relied on; that two operators differ is noted at the claims.
func (c *chain) prove(ctx context.Context, k *rpc.Client) error {
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
	return !w.late && k != nil && k.tried == b.hash && k.triedUnits == k.units
}

// wishes lists what is to be proved on this chain now.
func (c *chain) wishes(now time.Time) (out []wish) {
	deep, last := !now.Before(c.nextDeep), !now.Before(c.nextFinal)
	policy := PolicyOf(c.Chain)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	var swept, late []wish
	add := func(w wish) {
		if w.p.code[c.ID] && w.p.ref.scheme == Scheme && (w.key == w.p.ownKey() || c.sweptOf(w.p, w.key)) {
			swept = append(swept, w)
		} else if len(out) < c.perPeek()-sweptRound {
			out = append(out, w)
		}
	}
	for _, p := range c.w.payments {
		if p.ref.scheme == schemeShared {
			continue // proved by its events
		}
		if last {
			late = append(late, c.lates(p, now)...)
		}
		for key, k := range p.claims {
			if key.chain != c.ID || k.units.Sign() == 0 && !k.blank && !(p.code[c.ID] && (k == p.own() || c.sweptOf(p, key))) {
				continue
			}
			at := rowOf(policy, k.token, k.worth())
			switch row := policy[at]; {
			case p.due(key, k, now):
				if deep || !isDeep(row.Level) {
					add(wish{p: p, key: key, level: row.Level, operators: row.Operators, row: at})
				}
			case last && p.told && k == p.own() && !p.settled:
				add(wish{p: p, key: key, level: Finalized, operators: 1, final: true})
			}
		}
		if last && c.closes(p) {
			add(wish{p: p, key: claimKey{c.ID, p.token.Contract}, level: Finalized, operators: 1, final: true})
		}
	}
	for _, w := range late { // who waits comes first
		add(w)
	}
	out = append(out, fewSwept(swept)...)
	for _, w := range out {
		switch {
		case w.final, w.late:
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
	outs := make([]outcome, len(ws))
	for i, w := range ws {
		if err := differ; w.operators > 1 {
			if err == nil && !sameOwner(v, other, i) {
				err = rpc.Failed(rpc.Differ, "operators tell different balances at block %x", b.hash[:4])
			}
			outs[i].err = err
		}
		if outs[i].err == nil {
			outs[i] = c.judge(ctx, k, w, b, v, i)
		}
	}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for i, w := range ws {
		c.proven(w, b, outs[i])
	}
	return nil
}

// outcome is what a block said of a wish: a proof, or why there is none; neither: not all
// is known yet.
type outcome struct {
	proof *proof
	err   error
}

// judge makes a proof of what v, which is of block b, says of its owner i.
func (c *chain) judge(ctx context.Context, k *rpc.Client, w wish, b block, v view, i int) outcome {
	left := v.balance(i, slices.Index(c.asked, w.key.token))
	if left == nil {
		return outcome{} // the token gave no balance
	}
	f := &proof{block: b, left: left, swept: new(big.Int), code: v.code(i)}
	if f.code {
		c.w.mu.Lock()
		at := source{w.p, w.key, w.p.sweepsOf(w.key)}
		swept := w.key == w.p.ownKey() || c.sweptOf(w.p, w.key)
		known := w.key == w.p.ownKey() || w.p.claims[w.key].proof.came().Sign() > 0 || w.p.strayed != nil && w.key == w.p.stray || w.p.had[w.key] != nil
		c.w.mu.Unlock()
		if !swept {
			return outcome{proof: f}
		}
		sum, err := c.sweptAt(ctx, k, at, b, w.operators)
		if err != nil && !known { // what lies there is named all the same
			return outcome{proof: f}
		}
		if err != nil || sum == nil {
			return outcome{err: err}
		}
		f.swept = sum
	}
	return outcome{proof: f}
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

// code reports that a view has code at an owner's address.
func (v view) code(owner int) bool {
	return slices.ContainsFunc(v.found, func(f found) bool { return f.owner == owner && f.kind == foundCode })
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
func (c *chain) proven(w wish, b block, o outcome) {
	p, k := w.p, w.p.claims[w.key]
	switch {
	case w.final:
		c.finalized(w, b, o)
	case w.late:
		c.later(w, o)
	case k == nil:
	case o.err != nil:
		k.why, p.sweepsOf(w.key).next = c.reasonOf(o.err), time.Now().Add(sweptEvery)
		c.log.Warn("not verified", "payment", string(p.id), "err", o.err)
		p.Wake()
	case o.proof != nil:
		c.weigh(w, k, o.proof)
	}
}

// weigh takes a proof in, unless it is of too few or too shallow blocks for what it
// found, or of an older block than the last one.
func (c *chain) weigh(w wish, k *claim, f *proof) {
	p, came := w.p, f.came()
	// What was seen chose the row. Had more been proved than was seen, a row for
	// smaller sums would have proved it: then the next round looks again.
	if rowOf(PolicyOf(c.Chain), k.token, came) > w.row {
		k.stake = came
		return
	}
	if k.proof != nil && f.number < k.proof.number {
		return
	}
	if k.stake != nil && came.Cmp(k.stake) >= 0 {
		k.stake = nil
	}
	changed := k.proof == nil || k.proof.came().Cmp(came) != 0
	k.why, k.tried, k.triedUnits, k.proof = "", f.hash, k.units, f
	if p.sweepsOf(w.key).read(f, p.told || k != p.own()); k == p.own() {
		c.w.lost(c, p)
	}
	if changed {
		k.time = f.time
		c.w.unasked(c, p, k)
		p.Wake()
	}
}

// read notes what a proof says about where the factory's events begin, and when they
// are asked for again.
func (s *sweeps) read(f *proof, told bool) {
	every := sweptEvery
	if told {
		every = sweptLate
	}
	if s.next = time.Now().Add(every); !f.code {
		s.bare = f.block
	}
}

// finalized notes what a final block says of what was asked for. Where the factory's
// events cannot be had, a forwarder that stands a day after the end has to do: the
// owner swept what the till was told of. For what it was not told of it does not.
func (c *chain) finalized(w wish, b block, o outcome) {
	p, past := w.p, b.time > w.p.ref.end+uint64(coin.WatchFor/time.Second)
	if k := p.claims[w.key]; k != nil && o.proof != nil {
		k.tried, k.triedUnits = b.hash, k.units
	}
	switch {
	case o.proof != nil:
		p.settled = p.settled || p.told && p.taken != nil && o.proof.came().Cmp(p.taken) >= 0
		p.ended = p.ended || past
	case o.err != nil && p.told && past:
		p.settled, p.ended = true, true
	}
	if p.ended {
		p.Wake()
	}
}

// unasked tells the owner of money that no open request wants: another token or
// chain, or more for one that is paid. w.mu is held.
func (w *Watcher) unasked(c *chain, p *payment, k *claim) {
	sum := k.proof.came()
	if sum.Sign() == 0 {
		return
	}
	came := quantityOf(k.token, sum).String()
	switch {
	case k != p.own():
		c.notices.Tell("wrong "+string(p.id)+k.token.Contract.String(), w.word("evm_wrong_money", "came", came, "chain", c.Name,
			"token", p.token.Symbol, "asked", w.chainName(p.token.Chain), "tail", p.ref.address.Tail()))
	case p.told && p.taken != nil && sum.Cmp(p.taken) > 0:
		more := coin.Whole(new(big.Int).Sub(sum, p.taken), k.token.step())
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
