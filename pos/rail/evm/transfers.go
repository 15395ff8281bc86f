package evm

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// transfer is money that came to the shared address.
type transfer struct {
	logEntry
	token   Token
	units   *big.Int
	known   bool      // it belongs to a payment, or the owner was told
	of      *payment  // whose it is; nil: nobody's, or claimed
	claimed bool      // more than one payment could take it: a manager decides
	taken   bool      // it was one payment's
	told    bool      // it is told of as nobody's, now or before the start
	judged  bool      // it is told of as nobody's, or is known not to be that
	asked   time.Time // when it was verified last
	at      time.Time // of its block, when it was looked at; by the chain's clock
}

// transfers is what one chain knows of the shared address. It belongs to the
// chain's goroutine.
type transfers struct {
	first  uint64 // the block where reading began
	next   uint64 // the first block that was not read yet; 0: nothing was
	behind bool   // there are blocks up to the newest one that were not read yet
	list   []transfer
}

// scan reads the events of the blocks since the last time, and some before.
func (c *chain) scan(ctx context.Context, k *rpc.Client) error {
	head := c.headNow().number
	from := c.scanFrom(k, head)
	c.transfers.behind = true
	for range scanTries { // the rest in the next round
		ranges := c.ranges(k, from, head, 1)
		if len(ranges) == 0 {
			break
		}
		r := ranges[0]
		logs, err := c.transfersIn(ctx, k, r)
		switch {
		case err == nil:
			if err := c.keep(logs, r.from, r.to); err != nil {
				return err
			}
		case rpc.FaultOf(err) != rpc.Unreachable && c.narrow(k, r):
			from = max(from, c.scanFrom(k, head))
			continue
		case errors.Is(err, rpc.ErrLarge):
			c.passOver(k, r)
		default:
			return err
		}
		from, c.transfers.next = r.to+1, r.to+1
	}
	c.transfers.behind = from <= head
	return nil
}

// passOver gives up a single block of which k has more events than are read: for the gas of
// some thousand transfers of nothing anybody can make one. What is known of it stays, and
// the owner is told to look himself. Later blocks are none of its fault.
func (c *chain) passOver(k *rpc.Client, r span) {
	c.notices.Alarm("flood", c.word("evm_flood", "block", strconv.FormatUint(r.from, 10)))
	delete(c.spans, k)
}

// transfersIn reads the events of a range.
func (c *chain) transfersIn(ctx context.Context, k *rpc.Client, r span) ([]logEntry, error) {
	k.Spend()
	answers, err := k.Batch(ctx, c.transferCall(r.from, r.to))
	if err == nil {
		err = answers[0].Err
	}
	if err != nil {
		return nil, err
	}
	logs, err := readLogs(answers[0].Result)
	if err != nil {
		return nil, &rpc.Error{Fault: rpc.Refused, Err: err}
	}
	return logs, nil
}

// scanFrom is the first block to read: where the oldest open request began, or, when all
// since then was read, some blocks before what was read last. k gives the events.
func (c *chain) scanFrom(k *rpc.Client, head uint64) uint64 {
	floor := head - min(head, scanBack, scanSlow*cmp.Or(c.spans[k], widestSpan))
	from, passed := head, false
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		if p.ref.scheme == schemeShared && p.token.Chain == c.ID {
			from, passed = min(from, p.ref.from), passed || !p.told && p.ref.from < floor
		}
	}
	if from = max(from, floor); c.transfers.next > 0 && from >= c.transfers.first {
		return c.transfers.next - min(c.transfers.next, scanOverlap)
	}
	if passed {
		c.notices.Alarm("passed over", c.word("evm_passed_over"))
	}
	c.transfers.first = from
	return from
}

// transferCall asks for the Transfer events of all known tokens to the shared
// address.
func (c *chain) transferCall(from, to uint64) rpc.Call {
	w := c.w.o.Treasury.word()
	var tokens []string
	for _, t := range c.asked[1:] {
		tokens = append(tokens, t.String())
	}
	return rpc.To("eth_getLogs", map[string]any{
		"address": tokens, "fromBlock": fmt.Sprintf("0x%x", from), "toBlock": fmt.Sprintf("0x%x", to),
		"topics": []any{"0x" + hex.EncodeToString(topicTransfer[:]), nil, "0x" + hex.EncodeToString(w[:])},
	})
}

// transferOf reads an event, and demands that it is what was asked for.
func (c *chain) transferOf(l logEntry) (t transfer, ok bool) {
	i := slices.Index(c.asked, l.address)
	if i < 1 || len(l.topics) != 3 || l.topics[0] != topicTransfer || l.topics[2] != c.w.o.Treasury.word() || len(l.data) != 32 {
		return t, false
	}
	return transfer{logEntry: l, token: c.tokens[i], units: new(big.Int).SetBytes(l.data)}, true
}

// keep takes the events of a range in. What was known in that range and is not there
// any more, a reorg took back.
func (c *chain) keep(logs []logEntry, from, to uint64) error {
	fresh := map[[32]byte]bool{}
	for _, l := range logs {
		t, ok := c.transferOf(l)
		if !ok || l.number < from || l.number > to {
			return rpc.Failed(rpc.Odd, "an event that was not asked for")
		}
		id := keccak(l.block[:], l.tx[:], uint256(new(big.Int).SetUint64(l.index)))
		fresh[id] = true
		// A transfer of nothing is how swindlers write into people's histories.
		if t.units.Sign() > 0 && !slices.ContainsFunc(c.transfers.list, func(o transfer) bool { return o.block == l.block && o.index == l.index }) {
			t.told = c.w.found.Told(t.key())
			t.judged = t.told || t.number <= c.judging.from
			c.transfers.list = append(c.transfers.list, t)
		}
	}
	c.transfers.list = slices.DeleteFunc(c.transfers.list, func(t transfer) bool {
		id := keccak(t.block[:], t.tx[:], uint256(new(big.Int).SetUint64(t.index)))
		return t.number >= from && t.number <= to && !fresh[id]
	})
	return nil
}

// forget drops the oldest transfers that are nobody's when there are too many: dust must
// not push out what a payment takes. Dust that nobody was told of is told of then, final or
// not; what is more than dust stays until it was.
func (c *chain) forget() {
	extra := len(c.transfers.list) - maxTransfers
	c.transfers.list = slices.DeleteFunc(c.transfers.list, func(t transfer) bool {
		drop := extra > 0 && t.known && t.of == nil && !t.claimed && (t.judged || t.dust())
		if drop && !t.judged && !t.taken && c.w.o.Lane.Has(t.units, t.token.step()) {
			c.tellNobodys(&t, "")
		}
		if drop {
			extra--
		}
		return drop
	})
}

// proveTransfers proves what payments were given, each by its own block.
func (c *chain) proveTransfers(ctx context.Context, k *rpc.Client) error {
	now := time.Now()
	deep := !now.Before(c.nextDeep)
	for _, g := range c.given(now) {
		row := PolicyOf(c.Chain).Row(g.p.token.Decimals, g.p.units)
		if g.grew && (deep || !isDeep(row.Level)) {
			if isDeep(row.Level) {
				c.nextDeep = now.Add(deepEvery)
			}
			f, why, err := c.deepSum(ctx, k, g.p, row)
			if err != nil {
				return err
			}
			c.provenShared(g.p, f, why)
		}
		if g.open {
			f, _, err := c.deepSum(ctx, k, g.p, coin.UpTo(0, Finalized, 1))
			if err != nil {
				return err
			}
			c.w.mu.Lock()
			g.p.settled = g.p.taken != nil && f.left.Cmp(g.p.taken) >= 0
			c.w.mu.Unlock()
		}
	}
	c.endShared()
	return nil
}

// provenShared notes what came for p for sure, or why that cannot be said.
func (c *chain) provenShared(p *payment, f *proof, why string) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	own := p.own()
	switch {
	case own == nil:
	case why != "":
		own.why = why
		p.Wake()
	default:
		if own.why = ""; own.proof == nil || own.proof.came().Cmp(f.left) != 0 {
			own.proof, own.time = f, c.headNow().time
			c.w.unasked(c, p, own)
			p.Wake()
		}
	}
}

// gift is a payment that was given money: it is not proved yet, also when it is more for
// one that is paid (grew), or what the till was told of is not final (open).
type gift struct {
	p          *payment
	grew, open bool
}

// toldRound is how many payments that the till was told of are looked at again in one
// round: customers who wait come first.
const toldRound = 2

// given lists payments with money that is not proved, or not final: of those that the
// till was told of, each every finalEvery, and not all at once.
func (c *chain) given(now time.Time) (out []gift) {
	var told []gift
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		own := p.own()
		if p.ref.scheme != schemeShared || p.token.Chain != c.ID || own == nil || own.units.Sign() == 0 {
			continue
		}
		g := gift{p, own.proof == nil || own.proof.left.Cmp(own.units) != 0, p.told && !p.settled}
		switch {
		case !g.grew && !g.open:
		case !p.told:
			out = append(out, g)
		case !now.Before(p.sweeps.next):
			told = append(told, g)
		}
	}
	slices.SortFunc(told, func(a, b gift) int { return a.p.sweeps.next.Compare(b.p.sweeps.next) })
	told = told[:min(len(told), toldRound)]
	for _, g := range told {
		g.p.sweeps.next = now.Add(finalEvery)
	}
	return append(out, told...)
}

// deepSum adds up p's transfers that lie as deep as row wants, in blocks that are on
// the chain, by as many operators as row wants.
func (c *chain) deepSum(ctx context.Context, k *rpc.Client, p *payment, row Row) (sum *proof, why string, err error) {
	blocks, err := c.blocks(ctx, k, []wish{{level: row.Level}})
	if err != nil {
		return nil, "", err
	}
	sum = &proof{left: new(big.Int), swept: new(big.Int)}
	b, ok := blocks[row.Level]
	for _, t := range c.transfers.list {
		if !ok || t.of != p || t.number > b.number {
			continue
		}
		s, err := c.sight(ctx, k, t)
		if err != nil {
			return nil, "", err
		}
		on := s.on
		if on && row.Operators > 1 {
			if on = c.otherSays(ctx, k, t); !on {
				why = c.reasonOf(rpc.Failed(rpc.Differ, "no second operator knows the transfer"))
			}
		}
		if on {
			sum.left.Add(sum.left, t.units)
			sum.of = append(sum.of, t.id())
		}
	}
	return sum, why, nil
}

// sighting is what one operator says of a transfer.
type sighting struct {
	on    bool // it is in a block of the chain
	sweep bool // of a sale's own address
	at    time.Time
}

// sight asks one operator about a transfer: its block is asked for by its hash.
func (c *chain) sight(ctx context.Context, k *rpc.Client, t transfer) (sighting, error) {
	to := c.w.o.Treasury.word()
	k.Spend()
	answers, err := k.Batch(ctx,
		rpc.To("eth_getBlockByNumber", fmt.Sprintf("0x%x", t.number), false),
		rpc.To("eth_getLogs", map[string]any{
			"address": t.token.Contract.String(), "blockHash": "0x" + hex.EncodeToString(t.block[:]),
			"topics": []any{"0x" + hex.EncodeToString(topicTransfer[:]), nil, "0x" + hex.EncodeToString(to[:])},
		}),
		rpc.To("eth_getTransactionReceipt", "0x"+hex.EncodeToString(t.tx[:])))
	if err != nil {
		return sighting{}, err
	}
	b, err := readBlock(answers[0].Result)
	logs, err2 := readLogs(answers[1].Result)
	if err != nil || err2 != nil || answers[1].Err != nil || b.hash != t.block || !succeeded(answers[2], t) {
		return sighting{}, nil // not there, or not known yet
	}
	on := slices.ContainsFunc(logs, func(l logEntry) bool {
		o, ok := c.transferOf(l)
		return ok && l.tx == t.tx && l.index == t.index && o.units.Cmp(t.units) == 0
	})
	return sighting{on, sweptIn(answers[2].Result), time.Unix(int64(b.time), 0).UTC()}, nil
}

// succeeded reports that a receipt is of t's transaction in t's block, and good.
func succeeded(r rpc.Reply, t transfer) bool {
	f, err := rpc.Fields(r.Result)
	if r.Err != nil || err != nil {
		return false
	}
	block, ok1 := rpc.HexHash(f["blockHash"])
	tx, ok2 := rpc.HexHash(f["transactionHash"])
	status, ok3 := rpc.Hex64(f["status"])
	return ok1 && ok2 && ok3 && block == t.block && tx == t.tx && status == 1
}

// otherSays lets another operator find the same transfer.
func (c *chain) otherSays(ctx context.Context, k *rpc.Client, t transfer) bool {
	for _, o := range c.clients.All {
		if o.Operator == k.Operator {
			continue
		}
		if s, err := c.sight(ctx, o, t); err == nil && s.on {
			return true
		}
	}
	return false
}

// endShared ends the watch of requests whose time is well over, when all was read that came
// for them.
func (c *chain) endShared() {
	if c.transfers.behind {
		return
	}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		if p.ref.scheme == schemeShared && c.closes(p) {
			p.ended = true
			p.Wake()
		}
	}
}
