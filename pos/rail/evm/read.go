package evm

import (
	"context"
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// maxPerRound bounds the addresses that one round reads; the rest is read in the
// next ones. 384 addresses are 6 to 19 Peeks, which fit into one batch.
const maxPerRound = 384

// read asks for the newest balances of the payments whose turn it is, on this
// chain, and notes them.
func (c *chain) read(ctx context.Context, k *rpc.Client) error {
	turn := c.turn(time.Now())
	owners := make([]Address, len(turn))
	for i, p := range turn {
		owners[i] = p.ref.address
	}
	parts := slices.Collect(slices.Chunk(owners, c.perPeek()))
	if len(parts) == 0 {
		parts = [][]Address{nil} // the head alone
	}
	calls := []rpc.Call{rpc.To("eth_blockNumber")}
	for _, part := range parts {
		calls = append(calls, peekCall(c.asked, part, "latest"))
	}
	answers, err := k.Batch(ctx, calls...)
	if err != nil {
		return err
	}
	if answers[0].Err != nil {
		return answers[0].Err
	}
	head, ok := rpc.Hex64(answers[0].Result)
	if !ok {
		return rpc.Failed(rpc.Odd, "a block number that is none")
	}
	views := make([]view, len(parts))
	for i, part := range parts {
		if views[i], err = c.viewOf(answers[1+i], len(part)); err != nil {
			return err
		}
	}
	if err := c.advance(k, head, views); err != nil {
		return err
	}
	for i, v := range views {
		c.note(turn[i*c.perPeek():min((i+1)*c.perPeek(), len(turn))], v)
	}
	return nil
}

// perPeek is how many addresses one Peek of this chain reads.
func (c *chain) perPeek() int { return peekOwners(len(c.asked)) }

// viewOf reads a Peek's answer and demands that it is of this very chain.
func (c *chain) viewOf(r rpc.Reply, owners int) (view, error) {
	if r.Err != nil {
		return view{}, r.Err
	}
	v, err := readPeek(r.Result, len(c.asked), owners)
	if err != nil {
		return view{}, &rpc.Error{Fault: rpc.Odd, Err: err}
	}
	if v.chain != c.ID {
		return view{}, rpc.Failed(rpc.WrongChain, "chain %d, want %d", v.chain, c.ID)
	}
	return v, nil
}

// advance notes how far the chain is. An answer from before what the same endpoint
// said already is not believed: several computers stand behind it, and one lags.
// Another endpoint may be behind by otherBehind. Nor is a chain believed that stands
// still.
func (c *chain) advance(k *rpc.Client, head uint64, views []view) error {
	now, s := time.Now(), c.headNow()
	for _, v := range views {
		if v.time < c.told[k] || v.time+uint64(otherBehind/time.Second) < s.time {
			return rpc.Failed(rpc.Stale, "an answer from block time %d after one from %d", v.time, s.time)
		}
	}
	newest := views[0].time
	if age := now.Sub(time.Unix(int64(newest), 0)); c.w.o.ClockTrusted() && age.Abs() > c.stale()+clockSlack {
		return rpc.Failed(rpc.Stale, "the newest block is %v old", age.Round(time.Second))
	}
	if c.told[k] = newest; newest > s.time || head > s.number {
		s.moved = now
	}
	s.number, s.time = head, max(newest, s.time)
	c.setState(s)
	if age := now.Sub(s.moved); age > c.stale() {
		return rpc.Failed(rpc.Stale, "no new block for %v", age.Round(time.Second))
	}
	return nil
}

// otherBehind is how far one operator's newest block may be behind another's.
const otherBehind = 60 * time.Second

// clockSlack is how far the till's clock and a chain's may be apart.
const clockSlack = 60 * time.Second

// turn returns the payments that are read in the round that begins now: those that
// somebody waits for, the young ones, and old ones every minute. It forgets those
// that nobody asks about.
func (c *chain) turn(now time.Time) []*payment {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	var out []*payment
	for id, p := range c.w.payments {
		if c.w.over(p, now) {
			delete(c.w.payments, id)
			continue
		}
		if p.ref.scheme == schemeShared {
			continue // read by its events
		}
		if p.Wants > 0 || now.Sub(c.readAt[p]) >= p.every(now) {
			out = append(out, p)
		}
	}
	for p := range c.readAt {
		if c.w.payments[p.id] != p {
			delete(c.readAt, p)
		}
	}
	// Who waited longest comes first, should there be too many.
	slices.SortFunc(out, func(a, b *payment) int { return c.readAt[a].Compare(c.readAt[b]) })
	if len(out) > maxPerRound {
		out = out[:maxPerRound]
	}
	for _, p := range out {
		c.readAt[p] = now
	}
	return out
}

// over reports that p need not be watched any more, and forgets it. Payments at one address
// go together: what one of them has is not told as the other's. w.mu is held.
func (w *Watcher) over(p *payment, now time.Time) bool {
	if !w.spent(p, now) {
		return false
	}
	for _, q := range w.payments {
		if q != p && p.ref.scheme == Scheme && q.ref.address == p.ref.address && !w.spent(q, now) {
			return false
		}
	}
	w.book.drop(p.id)
	return true
}

// spent reports that nothing that can still happen to p is anybody's news.
func (w *Watcher) spent(p *payment, now time.Time) bool {
	if !p.Idle(now) || w.unjudged(p) || p.done && w.untold(p, now) {
		return false
	}
	_, kept := w.book.find(p.id)
	return !kept || p.ended && (!p.told || p.settled || p.gone)
}

// note takes in what a Peek said of these payments.
func (c *chain) note(turn []*payment, v view) {
	seen := make([]map[Address]found1, len(turn))
	dumb := map[Address]bool{}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range turn {
		delete(p.code, c.ID) // a reorg takes a forwarder back, too
	}
	for _, f := range v.found {
		t := c.tokens[f.token]
		switch {
		case f.kind == foundDumb:
			dumb[t.Contract] = true
		case f.kind == foundCode:
			turn[f.owner].code[c.ID] = true
		default:
			if seen[f.owner] == nil {
				seen[f.owner] = map[Address]found1{}
			}
			seen[f.owner][t.Contract] = found1{t, f.value}
		}
	}
	for i, p := range turn {
		for at := range dumb { // no balance is not a balance of zero
			if k := p.claims[claimKey{c.ID, at}]; k != nil && k.units.Sign() > 0 {
				if seen[i] == nil {
					seen[i] = map[Address]found1{}
				}
				seen[i][at] = found1{k.token, k.units}
			}
		}
		p.dumb = p.token.Chain == c.ID && dumb[p.token.Contract]
		if p.token.Chain == c.ID && p.murky() && !p.dumb {
			c.firstLook(p, len(seen[i]) == 0 && !p.code[c.ID], v.time)
		}
		if len(seen[i]) == 0 && !p.code[c.ID] {
			delete(p.mute, c.ID) // what is not there now was not there before: it leaves by a sweep alone
		}
		if p.see(c.ID, seen[i]) {
			p.doubt()
			p.Wake()
		}
		if p.token.Chain == c.ID && p.own() == nil {
			switch {
			case p.code[c.ID]: // swept before it was seen
				p.claims[claimKey{c.ID, p.token.Contract}] = &claim{token: p.token, units: new(big.Int)}
			case p.told && p.taken != nil && !p.settled: // taken back before it was seen, it seems
				p.claims[claimKey{c.ID, p.token.Contract}] = &claim{token: p.token, units: new(big.Int), stake: p.taken, blank: true}
			}
		}
		c.w.lost(c, p)
		if k := p.claims[p.stray]; p.strayed != nil && p.stray.chain == c.ID && !p.code[c.ID] && !dumb[p.stray.token] {
			if at := slices.Index(c.asked, p.stray.token); at >= 0 && (k == nil || k.units.Sign() == 0 && !k.blank) {
				p.claims[p.stray] = &claim{token: c.tokens[at], units: new(big.Int), stake: p.strayed, blank: true}
			}
		}
	}
}

// doubt takes back what was proved and is not there any more, unless the till was
// told of it, or it was swept.
func (p *payment) doubt() {
	for key, k := range p.claims {
		if k.proof != nil && k.units.Cmp(k.proof.came()) < 0 && !p.told && !p.code[key.chain] {
			k.proof = nil
		}
	}
}

// missing reports that nothing of k, which is blank, is there: a block says so that is not
// older than what the till was told, or a final one long after the end.
func (p *payment) missing(k *claim) bool {
	return k.proof != nil && k.proof.came().Sign() == 0 && (p.since != 0 && k.proof.time >= p.since || p.ended)
}

// lost raises the alarm when money that the till was told of is not there any more
// and was not swept: a reorg took it back. Where it was not seen since the till's start,
// as many operators as the policy wants must say so. w.mu is held.
func (w *Watcher) lost(c *chain, p *payment) {
	own := p.own()
	if own == nil || p.token.Chain != c.ID || p.dumb {
		return
	}
	p.gone = p.told && p.taken != nil && !p.settled && !p.code[c.ID] && own.units.Cmp(p.taken) < 0 && (!own.blank || p.missing(own))
	if p.gone {
		gone := quantityOf(p.token, new(big.Int).Sub(p.taken, own.units))
		c.notices.Alarm("lost "+string(p.id), c.word("evm_lost", "amount", gone.String(), "tail", p.ref.address.Tail()))
	}
}
