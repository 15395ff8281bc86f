package evm

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Anybody may sweep a sale's address, also between two looks of the till. Then its
// balance is gone before it was counted, and only the factory's events tell how
// much it was.

const (
	// sweptTries bounds the requests for one payment's events in one round: a range
	// that an endpoint refuses is halved.
	sweptTries = 12
	// sweptEvery is how often they are asked for while the payment is not paid.
	sweptEvery = 15 * time.Second
)

// sweeps looks for money that left before it was counted.
func (c *chain) sweeps(ctx context.Context, k *rpc.Client) error {
	for _, p := range c.swept(time.Now()) {
		if err := c.sweptOf(ctx, k, p); err != nil {
			return err
		}
	}
	return nil
}

// swept lists payments whose forwarder stands though the till was never paid.
func (c *chain) swept(now time.Time) (out []*payment) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		if p.token.Chain == c.ID && p.code[c.ID] && !p.told && p.ref.scheme == Scheme && now.Sub(p.sweptAt) >= sweptEvery {
			p.sweptAt = now
			out = append(out, p)
		}
	}
	return out
}

// sweptOf counts what was swept from p's address and what is still there, both at
// one block, as deep as a payment of p's size must lie.
func (c *chain) sweptOf(ctx context.Context, k *rpc.Client, p *payment) error {
	row := PolicyOf(c.Chain).Row(p.token.Decimals, p.units)
	blocks, err := c.blocks(ctx, k, []wish{{level: row.Level}})
	b, ok := blocks[row.Level]
	if err != nil || !ok {
		return err
	}
	sum, left, err := c.sweptBy(ctx, k, p, b)
	if err != nil {
		return err
	}
	why := ""
	if row.Operators > 1 {
		why = c.sweptAgreed(ctx, k, p, b, sum, left)
	}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	own := p.own()
	if own == nil {
		own = &claim{token: p.token, units: new(big.Int)}
		p.claims[claimKey{c.ID, p.token.Contract}] = own
	}
	if own.why = why; why == "" {
		own.swept, own.proved, own.time = sum, left, b.time
	}
	p.Wake()
	return nil
}

// sweptBy asks one operator.
func (c *chain) sweptBy(ctx context.Context, k *rpc.Client, p *payment, b block) (sum, left *big.Int, err error) {
	k.Spend()
	v, err := c.peekAt(ctx, k, b, []Address{p.ref.address})
	if err != nil {
		return nil, nil, err
	}
	for i, t := range c.asked {
		if t == p.token.Contract {
			left = v.balance(0, i)
		}
	}
	if left == nil {
		return nil, nil, rpc.Failed(rpc.Odd, "the token gives no balance")
	}
	sum, err = c.events(ctx, k, p, p.ref.from, b.number)
	return sum, left, err
}

// sweptAgreed lets another operator say the same; it returns why not.
func (c *chain) sweptAgreed(ctx context.Context, k *rpc.Client, p *payment, b block, sum, left *big.Int) string {
	for _, o := range c.clients.All {
		if o.Operator == k.Operator {
			continue
		}
		if s, l, err := c.sweptBy(ctx, o, p, b); err == nil && s.Cmp(sum) == 0 && l.Cmp(left) == 0 {
			return ""
		}
	}
	return c.reasonOf(rpc.Failed(rpc.Differ, "no second operator says what was swept"))
}

// events adds up the factory's events of p between two blocks. A range that is
// refused is halved: free plans answer for five or ten blocks at a time.
func (c *chain) events(ctx context.Context, k *rpc.Client, p *payment, from, to uint64) (*big.Int, error) {
	sum, step := new(big.Int), to-min(from, to)
	for try := 0; from <= to; try++ {
		if try == sweptTries {
			return nil, rpc.Failed(rpc.Refused, "the endpoint gives no events")
		}
		end := min(from+step, to)
		k.Spend()
		answers, err := k.Batch(ctx, sweptCall(p.ref.address, p.token.Contract, from, end))
		if err != nil {
			return nil, err
		}
		if answers[0].Err != nil {
			if step == 0 {
				return nil, answers[0].Err
			}
			step /= 2
			continue
		}
		part, err := sumSwept(answers[0].Result, p.ref.address, p.token.Contract)
		if err != nil {
			return nil, &rpc.Error{Fault: rpc.Odd, Err: err}
		}
		sum.Add(sum, part)
		from = end + 1
	}
	return sum, nil
}

// sweptCall asks for the factory's word about one address and one token.
func sweptCall(at, token Address, from, to uint64) rpc.Call {
	topic := func(a Address) string { w := a.word(); return "0x" + hex.EncodeToString(w[:]) }
	return rpc.To("eth_getLogs", map[string]any{
		"address": Factory.String(), "fromBlock": fmt.Sprintf("0x%x", from), "toBlock": fmt.Sprintf("0x%x", to),
		"topics": []any{"0x" + hex.EncodeToString(topicSwept[:]), topic(at), topic(token)},
	})
}

// sumSwept adds up what the events say that left an address.
func sumSwept(raw json.RawMessage, at, token Address) (*big.Int, error) {
	logs, err := readLogs(raw)
	if err != nil {
		return nil, err
	}
	sum := new(big.Int)
	for _, l := range logs {
		if l.address != Factory || len(l.topics) != 3 || l.topics[0] != topicSwept || l.topics[1] != at.word() || l.topics[2] != token.word() || len(l.data) != 32 {
			return nil, rpc.Failed(rpc.Odd, "an event that was not asked for")
		}
		sum.Add(sum, new(big.Int).SetBytes(l.data))
	}
	return sum, nil
}
