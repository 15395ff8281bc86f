package tron

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// What a list shows is a hint. What counts is looked up here: in a block that is on the
// chain, as deep as the policy wants, by as many operators as it wants, and with a
// balance that grew.

const (
	// deepEvery is how often solidified blocks are asked for while somebody waits.
	deepEvery = 4 * time.Second
	// finalEvery is the same for what only the owner waits for: whether a sale that is
	// complete can still be undone, and whether nothing can come any more.
	finalEvery = 15 * time.Second
	// largeEvery is how often a transaction is asked for that was too large to be read: it
	// never gets smaller, only another operator may tell less of it. Each costs a megabyte.
	largeEvery = time.Hour
	// lagTries and lagWait are for a second operator that does not have the block yet:
	// it will in a moment.
	lagTries = 3
	lagWait  = 500 * time.Millisecond
	// shortTries is how often a balance may be too small before it is called so: lists
	// and balances come from different computers.
	shortTries = 2
)

// task is a transfer to be proved for a request.
type task struct {
	p   *payment
	h   *held
	row Row
}

// prove looks up what pays a request and is not proved. An error means that the endpoint
// is not to be relied on. That two operators differ, or that a transaction is too large to
// be read, is noted at the transfer: who pays chooses what else his transaction does, and
// it must not stop the others.
func (c *chain) prove(ctx context.Context, k *client) error {
	balances := map[Address]reading{}
	for _, t := range c.tasks(time.Now()) {
		b, ok, err := k.find(ctx, t.h.transfer, t.row.Level == Solidified)
		if errors.Is(err, rpc.ErrLarge) {
			c.tooLarge(t, err)
			continue
		}
		if err != nil {
			return err
		}
		if !ok {
			c.unfound(t.h)
		}
		if !ok || !c.placedIn(t, b) {
			continue
		}
		why := ""
		if t.row.Operators > 1 {
			if err := c.second(ctx, k, t, b); err != nil {
				c.log.Warn("not verified", "payment", string(t.p.id), "err", err)
				why = c.reasonOf(err)
			}
		}
		if why == "" && t.h != t.p.wrong { // of other tokens nobody read a balance before
			if ok, why, err = c.grown(ctx, k, t, b, balances); err != nil {
				return err
			}
		}
		if ok || why != "" {
			c.proven(t, b, why)
		}
	}
	return c.settle(ctx, k)
}

// tooLarge notes that a transfer's transaction cannot be read.
func (c *chain) tooLarge(t task, err error) {
	c.log.Warn("a transaction cannot be read", "payment", string(t.p.id), "err", err)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	t.h.large, t.h.why = true, c.reasonOf(err)
	t.p.Wake()
}

// tasks lists what is to be proved now.
func (c *chain) tasks(now time.Time) (out []task) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		for _, h := range p.all() {
			row := c.chain.policy().Row(h.token.Decimals, h.units)
			since := now.Sub(h.tried)
			if h.proved || h.twice || row.Level == Solidified && since < deepEvery || h.large && since < largeEvery {
				continue
			}
			h.tried = now
			out = append(out, task{p, h, row})
		}
	}
	slices.SortFunc(out, func(a, b task) int { return a.p.Made.Compare(b.p.Made) })
	return out
}

// placedIn notes the block of a transfer, and reports that it still pays its request:
// a list may not have said the height.
func (c *chain) placedIn(t task, b block) bool {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	t.h.block = b
	return t.p.takes(t.h.transfer) || t.p.mistakes(t.h.transfer)
}

// second lets another operator find the same transfer in the same block.
func (c *chain) second(ctx context.Context, k *client, t task, b block) error {
	err := error(rpc.Failed(rpc.Differ, "there is no second operator"))
	for _, o := range c.clients.All {
		if o.operator() == k.operator() {
			continue
		}
		if e := c.verify(ctx, o, false); e != nil {
			err = &rpc.Error{Fault: rpc.Differ, Err: e}
			continue
		}
		for try := range lagTries {
			if try > 0 && rpc.Until(ctx, time.Now().Add(lagWait)) != nil {
				break
			}
			other, ok, e := o.find(ctx, t.h.transfer, t.row.Level == Solidified)
			switch {
			case e != nil:
				err = &rpc.Error{Fault: rpc.Differ, Err: e}
			case ok && other == b:
				return nil
			default:
				err = rpc.Failed(rpc.Differ, "%s does not know the transfer", o.operator())
			}
		}
	}
	return err
}

// reading is a balance and the block that it is of.
type reading struct {
	block block
	units *big.Int
}

// anchor is a reading that later ones are held against.
type anchor struct {
	token Address
	reading
}

// maxAnchors bounds the readings that are kept. Each request has its own beside them.
const maxAnchors = 16

// remember keeps a reading. w.mu is held.
func (c *chain) remember(t Token, b block, units *big.Int) {
	if c.anchors = append(c.anchors, anchor{t.Contract, reading{b, units}}); len(c.anchors) > maxAnchors {
		c.anchors = slices.Delete(c.anchors, 0, 1)
	}
}

// refreshEvery is how often a balance is read while a customer pays: the block of an older
// reading may be taken back.
const refreshEvery = 30 * time.Second

// refresh reads balances to hold later ones against.
func (c *chain) refresh(ctx context.Context, k *client) error {
	now := time.Now()
	if now.Sub(c.refreshed) < refreshEvery || !c.w.busy(now) {
		return nil
	}
	c.refreshed = now
	for _, t := range c.tokens[:c.asked] {
		b, units, err := k.balance(ctx, t)
		if err != nil {
			return err
		}
		c.w.mu.Lock()
		c.remember(t, b, units)
		c.w.mu.Unlock()
	}
	return nil
}

// grown reports that the balance is as large as the transfers say that it must be, since
// a reading from before t. ok is false while it cannot be said.
func (c *chain) grown(ctx context.Context, k *client, t task, b block, balances map[Address]reading) (ok bool, why string, err error) {
	now, have := balances[t.h.contract]
	if !have {
		if now.block, now.units, err = k.balance(ctx, t.p.token); err != nil {
			return false, "", err
		}
		balances[t.h.contract] = now
	}
	if now.block.before(b) {
		return false, "", nil // it is from before the transfer
	}
	for _, a := range c.bases(t, b) {
		there, err := k.at(ctx, which{number: a.block.number})
		if err != nil {
			return false, "", err
		}
		if there.hash != a.block.hash {
			continue // a reorg took its block
		}
		if now.units.Cmp(c.expected(t.h.contract, a, now.block)) >= 0 {
			c.w.mu.Lock()
			defer c.w.mu.Unlock()
			c.remember(t.p.token, now.block, now.units)
			return true, "", nil
		}
	}
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if t.h.short++; t.h.short < shortTries {
		return false, "", nil
	}
	return false, c.word("tron_balance"), nil
}

// maxBases bounds the readings that one balance is held against: one may be another
// operator's lie.
const maxBases = 3

// bases lists readings from before b, the newest ones first; the request's own is among
// them.
func (c *chain) bases(t task, b block) (out []reading) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, a := range c.anchors {
		if a.token == t.h.contract && a.block.before(b) && !a.block.before(c.covered) {
			out = append(out, a.reading)
		}
	}
	slices.SortStableFunc(out, func(x, y reading) int {
		switch {
		case y.block.before(x.block):
			return -1
		case x.block.before(y.block):
			return 1
		}
		return 0
	})
	own := reading{t.p.ref.from, t.p.ref.balance}
	return append(out[:min(len(out), maxBases-1)], own)
}

// expected returns what a balance must be at least in the block to, when it was a
// earlier: with all that came and went in between, proved or not.
func (c *chain) expected(contract Address, a reading, to block) *big.Int {
	n := new(big.Int).Set(a.units)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, h := range c.w.held {
		if h.contract != contract || !a.block.before(h.block) || to.before(h.block) {
			continue
		}
		if h.to == c.address {
			n.Add(n, h.units)
		} else {
			n.Sub(n, h.units)
		}
	}
	return n
}

// proven notes an outcome.
func (c *chain) proven(t task, b block, why string) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if t.h.why = why; why == "" && !t.h.twice {
		t.h.proved, t.h.at, t.h.deep = true, b, t.row.Level == Solidified
		if t.h == t.p.wrong {
			c.w.notices.Tell("wrong "+string(t.p.id), c.w.wrongMoney(t.p, t.h))
		}
	}
	t.p.Wake()
}

// settle looks now and then at what was proved in one block, whether it can still be
// undone, and ends the watch of requests whose time is well over.
func (c *chain) settle(ctx context.Context, k *client) error {
	now := time.Now()
	if now.Before(c.nextFinal) {
		return nil
	}
	c.nextFinal = now.Add(finalEvery)
	shallow, closing := c.unsettled()
	for _, h := range shallow {
		_, ok, err := k.find(ctx, h.transfer, true)
		if err != nil && !errors.Is(err, rpc.ErrLarge) {
			return err
		}
		c.w.mu.Lock()
		h.deep = h.deep || ok
		c.w.mu.Unlock()
	}
	if !closing {
		return nil
	}
	final, err := k.at(ctx, which{solid: true})
	if err != nil {
		return err
	}
	c.close(final)
	return nil
}

// unsettled lists what was proved and can be undone, and says whether a request may be
// over.
func (c *chain) unsettled() (shallow []*held, closing bool) {
	head := c.headNow().time
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		for _, h := range p.got {
			if h.proved && !h.deep {
				shallow = append(shallow, h)
			}
		}
		closing = closing || !p.ended && head > p.ref.end+uint64(coin.WatchFor/time.Second)
	}
	return shallow, closing
}

// close ends the watch of requests that a solidified block lies well past, if everything
// since they began was read.
func (c *chain) close(final block) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, p := range c.w.payments {
		if !p.ended && final.time > p.ref.end+uint64(coin.WatchFor/time.Second) && !p.ref.from.before(c.covered) {
			p.ended = true
			p.Wake()
		}
	}
}
