package evm

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Anybody may sweep a sale's address, also between two looks of the till. Then its
// balance is gone, and only the factory's events tell how much it was. They are read
// once, from where it is known that nothing was swept, and no endpoint is asked for more
// blocks at a time than it gives. What cannot be had keeps one payment in doubt, and
// stops nobody else's.

const (
	// sweptRound is how many payments' events are read in one round, and sweptTries in how
	// many requests each: others wait for their pace.
	sweptRound = 2
	sweptTries = 4
	// sweptRanges is how many ranges of blocks one request asks about: 14 calls.
	sweptRanges = 6
	// sweptEvery is how often events are asked for while the payment is not paid, and
	// after a failure; sweptLate while it is: somebody may pay and sweep between two looks.
	sweptEvery = 15 * time.Second
	sweptLate  = 10 * time.Minute
	// widestSpan is how many blocks are asked about at once until an endpoint refuses: three
	// days of the quickest chain.
	widestSpan = 1 << 20
	// maxSweeps bounds what is kept of one address: a customer's has one or two.
	maxSweeps = 512
)

// sweeps is what is read of the factory's events about one payment.
type sweeps struct {
	next time.Time // when they are asked for again, although nothing has changed
	late time.Time // when a final block is asked again about money that nobody waits for
	bare block     // the newest block that proved that no forwarder stood: nothing was swept before

	trails map[*rpc.Client]*trail // by each endpoint; it belongs to the goroutine of the chain
}

// source is one token at a payment's address, and what is read about it.
type source struct {
	p   *payment
	key claimKey
	*sweeps
}

// ownKey names what was asked for.
func (p *payment) ownKey() claimKey { return claimKey{p.token.Chain, p.token.Contract} }

// sweptOf reports that other money than was asked for may have been swept: some of it was
// proved, or the till was told of it. A forwarder stands for the sweep of another token,
// too; of what never was seen nobody asks for events. c.w.mu is held.
func (c *chain) sweptOf(p *payment, key claimKey) bool {
	k := p.claims[key]
	told := p.strayed != nil && key == p.stray || p.had[key] != nil
	return key != p.ownKey() && k != nil && (k.proof.came().Sign() > 0 || k.units.Sign() > 0 || told)
}

// trail is how far one endpoint's events are read: up to a block by its hash, so that a
// reorg is noticed, and what was swept until then.
type trail struct {
	to    block // with no hash: nothing is read
	sweep []swept
}

// swept is one sweep.
type swept struct {
	number uint64 // of its block
	units  *big.Int
}

// until adds up what was swept in blocks up to one.
func (t *trail) until(number uint64) *big.Int {
	sum := new(big.Int)
	for _, s := range t.sweep {
		if s.number <= number {
			sum.Add(sum, s.units)
		}
	}
	return sum
}

// begin returns an empty trail of p to block b. A manager may have made p of money that was
// asked for on another chain: then ref.from is a block of that one, and says nothing here.
func (p *payment) begin(b block) *trail {
	t := &trail{to: block{number: max(p.ref.from, 1) - 1}}
	if t.to.number > b.number {
		t.to.number = 0
	}
	return t
}

// trail returns what k told of s so far, on the way to block b.
func (c *chain) trail(ctx context.Context, k *rpc.Client, s source, b block) (*trail, error) {
	if s.trails == nil {
		s.trails = map[*rpc.Client]*trail{}
	}
	if t := s.trails[k]; t != nil {
		return t, nil
	}
	t, err := c.begin(ctx, k, s, b)
	if err == nil {
		s.trails[k] = t
	}
	return t, err
}

// begin returns an empty trail of s to block b. Where p was not asked for on this chain,
// its reference names no block of it: then it begins before the time when it was.
func (c *chain) begin(ctx context.Context, k *rpc.Client, s source, b block) (*trail, error) {
	t := s.p.begin(b)
	switch {
	case s.bare.number > t.to.number:
		t.to = s.bare
	case s.key.chain != s.p.token.Chain && s.bare.number == 0:
		asked := s.p.ref.end - min(s.p.ref.end, uint64((coin.MaxExpiry+otherBehind)/time.Second))
		before, err := c.before(ctx, k, 1, asked)
		if err != nil && rpc.FaultOf(err) != rpc.Odd { // odd: the chain is younger than that
			return nil, err
		}
		t.to, s.bare = before, before
	}
	return t, nil
}

// due reports that k's proof is not of what is there now, or that it is time to look
// whether more was swept. Where the last look failed, only time counts.
func (p *payment) due(key claimKey, k *claim, now time.Time) bool {
	if k.blank && !p.missing(k) {
		return true
	}
	if !p.code[key.chain] {
		return k.proof == nil || k.proof.left.Cmp(k.units) != 0
	}
	changed := k.proof == nil || k.proof.left.Cmp(k.units) != 0 || !k.proof.code
	return changed && k.why == "" || !now.Before(p.sweepsOf(key).next)
}

// fewSwept leaves of those that need the factory's events the first sweptRound: the ones
// that a customer waits for, and then who waited longest.
func fewSwept(list []wish) []wish {
	slices.SortFunc(list, func(a, b wish) int {
		told := func(w wish) int {
			if w.p.told || w.key != w.p.ownKey() {
				return 1
			}
			return 0
		}
		next := func(w wish) time.Time { return w.p.sweepsOf(w.key).next }
		return cmp.Or(told(a)-told(b), next(a).Compare(next(b)), cmp.Compare(a.p.id, b.p.id))
	})
	return list[:min(len(list), sweptRound)]
}

// sweptAt counts what had been swept of s at block b, by as many operators as
// are wanted. nil: not all is read yet, the next round goes on.
func (c *chain) sweptAt(ctx context.Context, k *rpc.Client, s source, b block, operators int) (*big.Int, error) {
	sum, err := c.sweptBy(ctx, k, s, b)
	if err != nil || sum == nil || operators < 2 {
		return sum, err
	}
	for _, o := range c.clients.All {
		if o.Operator == k.Operator {
			continue
		}
		switch other, err := c.sweptBy(ctx, o, s, b); {
		case err == nil && other == nil:
			return nil, nil
		case err == nil && other.Cmp(sum) == 0:
			return sum, nil
		}
	}
	return nil, rpc.Failed(rpc.Differ, "no second operator says what was swept")
}

// sweptBy asks one operator.
func (c *chain) sweptBy(ctx context.Context, k *rpc.Client, s source, b block) (*big.Int, error) {
	t, err := c.trail(ctx, k, s, b)
	if err != nil {
		return nil, err
	}
	for range sweptTries {
		on, err := c.follow(ctx, k, s, t, b)
		switch {
		case err != nil:
			return nil, err
		case !on: // a reorg took back what was read
			s.bare = block{}
			anew, err := c.begin(ctx, k, s, b)
			if err != nil {
				return nil, err
			}
			*t = *anew
		case t.to.number >= b.number:
			return t.until(b.number), nil
		}
	}
	return nil, nil
}

// span is a range of blocks, both ends in it.
type span struct{ from, to uint64 }

// follow reads on along t, to b at most. The blocks where it goes on and where it ends are
// asked for in the same request, which one node answers: its events are those of b's
// chain. on is false when t's end is not on it.
func (c *chain) follow(ctx context.Context, k *rpc.Client, s source, t *trail, b block) (on bool, err error) {
	ranges := c.ranges(k, t.to.number+1, b.number, sweptRanges)
	calls := []rpc.Call{headerCall(t.to.number), headerCall(b.number)}
	for _, r := range ranges {
		calls = append(calls, sweptCall(s.p.ref.address, s.key.token, r.from, r.to), headerCall(r.to))
	}
	k.Spend()
	answers, err := k.Batch(ctx, calls...)
	if err != nil {
		if len(ranges) > 0 && rpc.FaultOf(err) == rpc.Odd && c.narrow(k, ranges[0]) { // too long an answer, perhaps
			return true, nil
		}
		return false, err
	}
	if at, err := readBlock(answers[1].Result); err != nil || at.hash != b.hash {
		return false, rpc.Failed(rpc.Stale, "block %d is another one now", b.number)
	}
	if at, err := readBlock(answers[0].Result); t.to.hash != [32]byte{} && (err != nil || at.hash != t.to.hash) {
		return false, nil
	}
	for i, r := range ranges {
		list, err := readSwept(answers[2+2*i], s.p.ref.address, s.key.token, r)
		end, err2 := readBlock(answers[3+2*i].Result)
		switch {
		case err != nil && c.narrow(k, r):
			return true, nil
		case err != nil:
			return false, err
		case err2 != nil || end.number != r.to:
			return false, rpc.Failed(rpc.Odd, "no block %d on the way to %d", r.to, b.number)
		case len(t.sweep)+len(list) > maxSweeps:
			return false, rpc.Failed(rpc.Odd, "more than %d sweeps of one address", maxSweeps)
		}
		t.to, t.sweep = end, append(t.sweep, list...)
	}
	return true, nil
}

// ranges cuts blocks into so many ranges at most, as long as k answers for.
func (c *chain) ranges(k *rpc.Client, from, to uint64, most int) (out []span) {
	width := cmp.Or(c.spans[k], widestSpan)
	for ; from <= to && len(out) < most; from += width {
		out = append(out, span{from, min(from+width-1, to)})
	}
	return out
}

// narrow asks k about fewer blocks from now on, for it gives no events of r. It reports
// false for a single block: then fewer is of no help.
func (c *chain) narrow(k *rpc.Client, r span) bool {
	if r.from == r.to {
		return false
	}
	c.spans[k] = (r.to - r.from + 1) / 2
	return true
}

func headerCall(number uint64) rpc.Call {
	return rpc.To("eth_getBlockByNumber", fmt.Sprintf("0x%x", number), false)
}

// sweptCall asks for the factory's word about one address and one token.
func sweptCall(at, token Address, from, to uint64) rpc.Call {
	topic := func(a Address) string { w := a.word(); return "0x" + hex.EncodeToString(w[:]) }
	return rpc.To("eth_getLogs", map[string]any{
		"address": Factory.String(), "fromBlock": fmt.Sprintf("0x%x", from), "toBlock": fmt.Sprintf("0x%x", to),
		"topics": []any{"0x" + hex.EncodeToString(topicSwept[:]), topic(at), topic(token)},
	})
}

// readSwept reads what the events of a range say that left an address.
func readSwept(r rpc.Reply, at, token Address, in span) (out []swept, err error) {
	if r.Err != nil {
		return nil, r.Err
	}
	logs, err := readLogs(json.RawMessage(r.Result))
	if err != nil {
		return nil, &rpc.Error{Fault: rpc.Odd, Err: err}
	}
	for _, l := range logs {
		if l.address != Factory || len(l.topics) != 3 || l.topics[0] != topicSwept || l.topics[1] != at.word() || l.topics[2] != token.word() ||
			len(l.data) != 32 || l.number < in.from || l.number > in.to {
			return nil, rpc.Failed(rpc.Odd, "an event that was not asked for")
		}
		out = append(out, swept{l.number, new(big.Int).SetBytes(l.data)})
	}
	return out, nil
}
