package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// A request made unseen: the chain does not answer, and its address is shown all the
// same. That nothing lies there, which Ask demands before, is found out when the chain
// answers again. Money counts only when the address was empty in the newest block from
// before the request: a till whose storage was copied gives addresses out twice, and the
// other one's customers must not pay this one's bill.
//
// What holds without the chain: the address is in the book, durable, before it is shown;
// the chain answered since the till's start, so that it is the right one, with the
// contracts on it; and its time is what its newest block said, and what the till's
// monotonic clock counted since. While a till is suspended that clock stands, and a
// customer then has that much longer.

// past is what is known of an address from before it was asked for unseen.
type past struct {
	clean  bool      // nothing lay there
	used   bool      // something did
	looked bool      // a round found something there: the past decides
	why    string    // it could not be looked at so far, in a cashier's words
	next   time.Time // when it is looked at again
}

// murky reports that nobody knows yet whether what lies at p's address came after it was
// asked for, or that it did not.
func (p *payment) murky() bool { return p.ref.unseen != 0 && !p.past.clean }

// Cut says whether the rail's chain cannot be reached, and nothing else is wrong. why
// says what keeps AskOffline from making a request all the same. It does not block.
func (r *Rail) Cut() (cut bool, why string) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	switch {
	case !r.c.cut || r.c.health.Dead(r.token.Contract) != "":
		return false, ""
	case r.w.o.Shared:
		why = r.c.word("evm_only_online")
	case r.c.state.time == 0:
		why = r.c.word("evm_not_yet")
	}
	return true, why
}

// cutOff reports that err, of every endpoint that was tried, is of the line alone.
func cutOff(err error) bool {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range all.Unwrap() {
			if !cutOff(e) {
				return false
			}
		}
		return len(all.Unwrap()) > 0
	}
	var e *rpc.Error
	return errors.As(err, &e) && e.Fault == rpc.Unreachable
}

// AskOffline gives p an address of its own, as Ask does, while the chain does not answer;
// when it does, it is Ask. What Ask makes sure of is made sure of before the payment
// counts. It blocks for the book's disk.
//
// It fails as Ask does; with Unavailable also when the chain has not answered since the
// till started, and when all customers pay to one address.
func (r *Rail) AskOffline(ctx context.Context, p pos.Payment) (pos.Asked, error) {
	if r.Why() == "" {
		return r.Ask(ctx, p, "")
	}
	done, err := r.Begin(ctx, p, func() string {
		if cut, why := r.Cut(); cut {
			return why
		}
		return orElse(r.Why(), r.c.word("evm_connecting")) // it came back just now: the next try is Ask's
	})
	if err != nil {
		return pos.Asked{}, err
	}
	defer done()
	head := r.c.headNow()
	now := head.time + uint64(time.Since(head.moved)/time.Second)
	e, known, err := r.known(p)
	if err != nil {
		return pos.Asked{}, err
	}
	if !known {
		if e, err = r.blind(p, head.number, now); err != nil {
			return pos.Asked{}, err
		}
	}
	return r.Asked(p, e, now)
}

func orElse(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// blind makes a request that no chain was asked about. now is the chain's time.
func (r *Rail) blind(p pos.Payment, head, now uint64) (*payment, error) {
	n, _ := r.w.book.peek()
	e := entry{
		ID: p.ID, N: n, Chain: r.c.ID, Token: r.token.Contract, Units: p.Quantity.Int().String(),
		End: now + uint64(r.w.o.Expiry/time.Second), From: head, Treasury: r.w.o.Treasury, Unseen: now,
	}
	if ok, err := r.w.book.add(e); err != nil || !ok {
		return nil, pos.Wrap(coin.AskOp, pos.Internal, err, "%s", r.w.word("evm_book"))
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.w.add(p.ID, r.w.book.reference(e), r.token, ""), nil
}

// mistrust takes out of s what may have lain there before e was asked for. r.w.mu is held.
func (r *Rail) mistrust(e *payment, s *coin.Standing) {
	if !e.murky() || (!s.Coming && !e.past.used) {
		return
	}
	s.Coming, s.Enough, s.Got, s.Why = false, false, nil, ""
	switch {
	case e.past.used:
		s.Wrong = r.w.word("evm_used_before")
	case e.past.why != "":
		s.Wrong = e.past.why
	default:
		s.Why = r.w.word("evm_looking_back")
	}
}

// firstLook notes what a round saw at the address of a request made unseen, in a block of
// time at. Money leaves an address by a sweep alone, which leaves code: where nothing is,
// nothing was. c.w.mu is held.
func (c *chain) firstLook(p *payment, empty bool, at uint64) {
	switch {
	case !empty:
		p.past.looked = true
	case at >= p.ref.unseen && !p.past.used: // else something may have come between that block and the request
		p.past.clean = true
		c.w.book.clean(p.id)
	}
}

// Bounds of looking back.
const (
	backEvery  = 15 * time.Second // between two tries for one payment
	backRound  = 2                // payments of one round
	backProbes = 16               // blocks asked for at once
	backSteps  = 10               // batches of them: 17 to the tenth is more blocks than any chain has
)

// lookBack looks at the past of addresses where something lies that were given out
// unseen. It fails nobody: what cannot be looked at stays in doubt.
func (c *chain) lookBack(ctx context.Context, k *rpc.Client) {
	for _, p := range c.backlog(time.Now()) {
		empty, err := c.wasEmpty(ctx, k, p)
		if ctx.Err() != nil {
			return
		}
		c.w.mu.Lock()
		switch {
		case err != nil:
			c.log.Warn("past of an address unknown", "payment", string(p.id), "endpoint", k.Operator, "err", err)
			p.past.why = c.w.word("evm_no_past")
		case empty:
			p.past.clean, p.past.why = true, ""
			c.w.book.clean(p.id)
		default:
			p.past.used = true
			c.notices.Alarm("used", c.w.word("evm_used", "tail", p.ref.address.Tail()))
		}
		p.Wake()
		c.w.mu.Unlock()
	}
}

// backlog lists the payments whose past is to be looked at now.
func (c *chain) backlog(now time.Time) (out []*payment) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		if p.token.Chain == c.ID && p.murky() && p.past.looked && !p.past.used && !now.Before(p.past.next) && len(out) < backRound {
			p.past.next = now.Add(backEvery)
			out = append(out, p)
		}
	}
	return out
}

// wasEmpty reports that nothing lay at p's address in the newest block from before it was
// asked for, as many operators say as the policy wants for the sum.
func (c *chain) wasEmpty(ctx context.Context, k *rpc.Client, p *payment) (bool, error) {
	b, err := c.before(ctx, k, p.ref.from, p.ref.unseen)
	if err != nil {
		return false, err
	}
	owners := []Address{p.ref.address}
	k.Spend()
	v, err := c.peekAt(ctx, k, b, owners)
	if err != nil {
		return false, err
	}
	if PolicyOf(c.Chain).Row(p.token.Decimals, c.atStake(p)).Operators > 1 {
		other, err := c.second(ctx, k, b, owners)
		if err != nil {
			return false, err
		}
		if !sameOwner(v, other, 0) {
			return false, rpc.Failed(rpc.Differ, "operators tell different pasts at block %x", b.hash[:4])
		}
	}
	for _, f := range v.found {
		if f.kind != foundDumb {
			return false, nil
		}
	}
	return true, nil
}

// atStake is the largest sum that p can be worth: what was asked for, or what is there.
func (c *chain) atStake(p *payment) *big.Int {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if n := p.arriving(); n.Cmp(p.units) > 0 {
		return n
	}
	return p.units
}

// before finds the newest block that is older than at, by the chain's clock. Block from
// was known then.
func (c *chain) before(ctx context.Context, k *rpc.Client, from, at uint64) (block, error) {
	low, high := max(from, 1)-1, c.headNow().number+1 // low is older, high is not
	var found block
	for step := range backSteps {
		var probes []uint64
		if step == 0 {
			probes = append(probes, low)
		}
		for n, each := low, max((high-low)/(backProbes+1), 1); n+each < high && len(probes) < backProbes; {
			n += each
			probes = append(probes, n)
		}
		if len(probes) == 0 {
			return found, nil
		}
		blocks, err := c.headers(ctx, k, probes)
		if err != nil {
			return block{}, err
		}
		for _, b := range blocks {
			if b.time >= at {
				high = min(high, b.number)
			} else if b.number < high {
				low, found = b.number, b
			}
		}
		if found.number == 0 && found.time == 0 {
			return block{}, rpc.Failed(rpc.Odd, "block %d is from after a request that was made after it", low)
		}
	}
	return block{}, rpc.Failed(rpc.Odd, "no block from before the request")
}

// headers reads blocks by their numbers.
func (c *chain) headers(ctx context.Context, k *rpc.Client, numbers []uint64) ([]block, error) {
	var calls []rpc.Call
	for _, n := range numbers {
		calls = append(calls, rpc.To("eth_getBlockByNumber", fmt.Sprintf("0x%x", n), false))
	}
	k.Spend()
	answers, err := k.Batch(ctx, calls...)
	if err != nil {
		return nil, err
	}
	var out []block
	for i, a := range answers {
		if a.Err != nil {
			return nil, a.Err
		}
		b, err := readBlock(a.Result)
		if err == nil && b.number != numbers[i] {
			err = errors.New("another block than asked for")
		}
		if err != nil {
			return nil, &rpc.Error{Fault: rpc.Odd, Err: err}
		}
		out = append(out, b)
	}
	return out, nil
}
