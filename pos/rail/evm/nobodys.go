package evm

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// What came to the shared address and is no payment's is told of as pos.Unasked, by its
// event: once its block is final, as many operators say so as the policy wants, and no
// request can be made any more that would take it. So is what came with the amount of a
// payment that has had its last word, unless the till had it then (entry.Given).
//
// How far all of that is done is kept in the book together with its entries: an entry that
// went left nothing behind that a till which starts anew would take for nobody's.

const (
	// judgeEvery is how often transfers are judged, and judgeRound how many of them in one
	// round: each costs a request to each operator. Dust costs none: it is never verified.
	judgeEvery = finalEvery
	judgeRound = 4
	// doubtEvery is how often one is verified that was not certain: it keeps others waiting,
	// and most will never be.
	doubtEvery = 5 * time.Minute
)

// judging is how far the transfers to the shared address are judged. It belongs to the
// chain's goroutine, but for done.
type judging struct {
	next time.Time
	from uint64 // up to this block all was judged before the start
	firm block  // was final; no request that is made from now on begins before it, once it is old enough
	to   uint64 // up to this block transfers can be judged
	done uint64 // up to this block all is told, or given to a payment; Watcher.mu guards it
}

// id names a transfer on its chain.
func (t *transfer) id() string { return fmt.Sprintf("%x/%d", t.tx, t.index) }

// key names a transfer for good.
func (t *transfer) key() string { return fmt.Sprintf("eip155:%d/%s", t.token.Chain, t.id()) }

// dust reports that a transfer is less than a whole token.
func (t *transfer) dust() bool { return t.units.Cmp(coin.One(t.token.Decimals)) < 0 }

// judgeTransfers looks whether those that are final are anybody's, and tells of those that are
// not. After a start it waits until the desk has asked about all that it waits for.
func (c *chain) judgeTransfers(ctx context.Context, k *rpc.Client) error {
	now := time.Now()
	if now.Before(c.judging.next) || now.Sub(c.w.began) < coin.ForgetAfter {
		return nil
	}
	c.judging.next = now.Add(judgeEvery)
	blocks, err := c.blocks(ctx, k, []wish{{level: Finalized}})
	if err != nil {
		return err
	}
	if b, ok := blocks[Finalized]; ok {
		c.judging.reach(b, c.headNow().time)
	}
	asked := 0
	for i := range c.transfers.list {
		t := &c.transfers.list[i]
		if t.judged || t.number > c.judging.to {
			continue
		}
		of, nobodys := c.verdict(t, now)
		if nobodys && !t.dust() {
			if now.Sub(t.asked) < doubtEvery {
				continue
			}
			if asked++; asked > judgeRound {
				continue
			}
			t.asked = now
			if nobodys, err = c.certain(ctx, k, t); err != nil {
				return err
			}
		}
		if nobodys {
			t.judged = c.tellNobodys(t, of)
		}
	}
	c.judgedTo()
	return nil
}

// reach notes a final block b, when the newest block's time is head. A request begins at
// the newest block of an endpoint, which may be otherBehind.
func (j *judging) reach(b block, head uint64) {
	old := func(b block) bool { return b.number > 0 && b.time+uint64(otherBehind/time.Second) < head }
	if old(j.firm) || j.firm.number == 0 {
		if old(j.firm) {
			j.to = max(j.to, j.firm.number)
		}
		j.firm = b
	}
	if old(b) {
		j.to = max(j.to, b.number)
	}
}

// verdict says whether t is nobody's, and after which payment's last word it came. What is
// a payment's, or another till's, is judged; what may become a payment's is not yet.
func (c *chain) verdict(t *transfer, now time.Time) (of pos.PaymentID, nobodys bool) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	switch p := t.of; {
	case t.claimed:
		return "", false
	case p == nil:
		// What was a payment's is so for good: nobody asked about that one in two days.
		t.judged = t.taken || !c.w.o.Lane.Has(t.units, t.token.step())
		return "", !t.judged
	case !p.done || !p.Idle(now):
		return "", false
	default:
		t.judged = p.given[t.id()]
		return p.id, !t.judged
	}
}

// certain reports that t is on the chain, by as many operators as the policy wants. The
// owner's sweep of a sale's own address is no news: its money is that sale's.
func (c *chain) certain(ctx context.Context, k *rpc.Client, t *transfer) (bool, error) {
	s, err := c.sight(ctx, k, *t)
	if err != nil || !s.on {
		return false, err
	}
	t.at = s.at
	if s.sweep {
		t.judged = true
		return false, nil
	}
	return PolicyOf(c.Chain).Row(t.token.Decimals, t.units).Operators < 2 || c.otherSays(ctx, k, *t), nil
}

// tellNobodys tells of t. It reports false when there is no room for it now.
func (c *chain) tellNobodys(t *transfer, of pos.PaymentID) bool {
	t.told = c.w.found.Tell(pos.Unasked{
		Key: t.key(), Came: quantityOf(t.token, t.units), Network: c.on(t.token), Tx: fmt.Sprintf("0x%x", t.tx), Of: of, At: t.at,
	})
	return t.told
}

// judgedTo notes how far everything is told and booked, or given to a payment.
func (c *chain) judgedTo() {
	to := c.judging.to
	if next := c.transfers.next; next > 0 {
		to = min(to, next-1)
	}
	for i := range c.transfers.list {
		if t := &c.transfers.list[i]; t.number <= to && (!t.judged || c.w.found.Holds(t.key())) {
			to = t.number - 1
		}
	}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if to > c.judging.done {
		c.judging.done = to
		c.w.book.judge(c.ID, to)
	}
}

// unjudged reports that transfers of p, which nobody asks about, may still have to be told
// of. w.mu is held.
func (w *Watcher) unjudged(p *payment) bool {
	c := w.chain(p.token.Chain)
	return c != nil && p.ref.scheme == schemeShared && p.last > c.judging.done &&
		c.headNow().time < p.ref.end+uint64((coin.WatchFor+lateGrace)/time.Second)
}

// sweptIn reports that a receipt is of a sweep: the factory speaks in it.
func sweptIn(receipt json.RawMessage) bool {
	f, err := rpc.Fields(receipt)
	if err != nil {
		return false
	}
	var logs []json.RawMessage
	if json.Unmarshal(f["logs"], &logs) != nil {
		return false
	}
	for _, raw := range logs {
		f, err := rpc.Fields(raw)
		if err != nil {
			continue
		}
		if l, ok := readLog(f); ok && l.address == Factory && len(l.topics) > 0 && l.topics[0] == topicSwept {
			return true
		}
	}
	return false
}

// judge notes up to which block what came to the shared address is judged. It waits for
// the next write, and is never before an entry that goes: they are in one file.
func (k *book) judge(chain, to uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := map[uint64]uint64{chain: to}
	for c, n := range k.judged {
		if c != chain {
			all[c] = n
		}
	}
	k.judged = all
}

// judgedTo returns what judge was told last before the last write that the disk took.
func (k *book) judgedTo(chain uint64) uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.judged[chain]
}
