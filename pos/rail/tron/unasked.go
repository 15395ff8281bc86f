package tron

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Money that no payment waits for is told once it is solidified, by as many operators as the
// policy wants of as much: what came for none, what came for a payment after its last word,
// and what two payments have the amount of, when both had theirs. What a payment's last word
// counted is in Watcher.closed, so that no money is both. Dust is told of by its operator's
// list alone, for whoever sends it should cost nobody a request.

const (
	// keepClosed is how many seconds a payment stays closed: a day more than scanBack.
	keepClosed = 8 * 24 * 3600
	// looseFor is how long such money may be without proof; then it is only a notice. A second
	// operator whose calls of a day are used up answers again within it.
	looseFor = 26 * time.Hour
	// looseEvery is how often one such transfer is looked up, and looseAtOnce how many of
	// them in one round: nobody waits for it.
	looseEvery  = 15 * time.Second
	looseAtOnce = 3
	// solidAfter is when a block is solidified, in seconds: after two rounds of the producers
	// at most. Nobody asks before. dustAfter is when dust is taken for it.
	solidAfter = 60
	dustAfter  = 300
	// callFor is how long after the start nobody's money waits: by then the till has asked
	// about all that it waits for, also if the book of amounts was lost.
	callFor = 10 * time.Second
)

// Found returns what tells of money that no payment waits for. Its methods do not block.
func (w *Watcher) Found() *coin.Unasked { return &w.found }

// key names a transfer for good: its transaction, and what it is in that. Both kinds of
// endpoints know it so.
func (c *chain) key(h *held) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %d", h.contract, h.from, h.amount, h.nth))
	return fmt.Sprintf("tron/%s/%x/%x", c.chain.Key, h.tx, sum[:12])
}

// after reports that h came after the last word of p.
func (p *payment) after(h *held) bool { return p.closed && !h.counted }

// own returns what came with p's amount and is p's.
func (p *payment) own() []*held {
	if !p.closed {
		return p.got
	}
	return slices.DeleteFunc(slices.Clone(p.got), p.after)
}

// whole reports that all was read that p was closed with.
func (p *payment) whole() bool {
	n := len(p.own())
	if p.wrong != nil && !p.after(p.wrong) {
		n++
	}
	return !p.closed || n >= p.money
}

// close writes down what the last word of p counts: f, or what it is by now. It blocks for
// the disk. It reports whether that may be said.
func (r *Rail) close(p pos.Payment, e *payment, f pos.Finding) bool {
	w := r.w
	w.closing.Lock()
	defer w.closing.Unlock()
	at := r.c.headNow().time
	w.mu.Lock()
	if e.closed {
		w.mu.Unlock()
		return true
	}
	keys := r.c.last(p, e, f)
	w.mu.Unlock()
	err := w.closed.Close(e.id, at, keys)
	if err == nil {
		w.notices.Untell("late " + string(e.id)) // the till was told
		return true
	}
	w.log.Error("no last word", "payment", string(e.id), "err", err)
	w.mu.Lock()
	defer w.mu.Unlock()
	e.closed = false
	return false
}

// last closes e with what the till was told of: what is proved, and money of another token
// that the till has as astray. w.mu is held.
func (c *chain) last(p pos.Payment, e *payment, f pos.Finding) (keys []string) {
	for _, h := range e.got {
		if h.counted = h.proved; h.counted {
			keys = append(keys, c.key(h))
		}
	}
	if h := e.wrong; h != nil {
		q := quantityOf(h.token, h.units)
		told := append([]pos.Quantity{f.Stray, p.Stray, p.StrayBack}, pastOf(p)...)
		h.counted = slices.ContainsFunc(told, func(x pos.Quantity) bool { return x.Asset.ID == q.Asset.ID && x.Cmp(q) >= 0 })
		if h.counted {
			keys = append(keys, c.key(h))
		}
	}
	if got := e.received(); e.taken != nil && got.Cmp(e.taken) > 0 {
		e.taken = got
	}
	e.closed, e.money = true, len(keys)
	return keys
}

// pastOf returns what was decided about money that came astray for p.
func pastOf(p pos.Payment) (out []pos.Quantity) {
	for _, x := range p.StrayPast {
		out = append(out, x.Back)
	}
	return out
}

// loose reports that nobody asked for h, as far as the till can know: not, while a payment
// that it may be for is not closed. of is the payment that it came after. w.mu is held.
func (w *Watcher) loose(h *held) (of pos.PaymentID, ok bool) {
	mine := h.takers
	if len(mine) == 0 {
		mine = h.mistakers
	}
	open := func(p *payment) bool { return !p.closed }
	switch {
	case h.to != w.o.Address || h.counted || slices.ContainsFunc(mine, open) || len(mine) == 0 && !w.o.Lane.Has(h.units, h.token.step()):
		return "", false
	case w.closed.Has(w.chain.key(h)):
		h.counted = true
		return "", false
	case len(mine) == 1:
		return mine[0].id, true
	case len(mine) > 1:
		return "", true
	}
	return "", w.closed.After(h.block.time)
}

// tells reports that h may yet have to be told of as money that nobody asked for. w.mu is
// held.
func (c *chain) tells(h *held, now time.Time) bool {
	if h.done {
		return false
	}
	if _, ok := c.w.loose(h); !ok {
		return false
	}
	if h.loose.IsZero() {
		h.loose = now
	}
	return now.Sub(h.loose) < looseFor
}

// sure reports that nobody can take h back. w.mu is held.
func (c *chain) sure(h *held) bool {
	old := h.block.time+dustAfter < c.headNow().time
	return h.proved && h.deep || h.solid || c.dusty(h) && old && h.misses == 0
}

func (c *chain) dusty(h *held) bool { return pos.Unasked{Came: quantityOf(h.token, h.units)}.Dust() }

// tell tells the till of what nobody asked for and nobody can take back. w.mu is held.
func (c *chain) tell(now time.Time) {
	if now.Sub(c.began) < callFor {
		return
	}
	for _, h := range c.w.held {
		if h.done || h.counted || !c.tells(h, now) || !c.sure(h) {
			continue
		}
		of, _ := c.w.loose(h)
		u := pos.Unasked{
			Key: c.key(h), Came: quantityOf(h.token, h.units), Network: c.word("evm_on", "token", h.token.Symbol),
			Tx: hex.EncodeToString(h.tx[:]), Of: of, At: time.Unix(int64(h.block.time), 0).UTC(),
		}
		if h.done = c.w.found.Tell(u); h.done {
			c.w.notices.Untell(c.notice(h))
		}
	}
}

// notice is the key of what the owner reads of h until it is told.
func (c *chain) notice(h *held) string {
	return "unassigned " + hex.EncodeToString(h.tx[:4]) + h.amount
}

// proveLoose looks up money that nobody asked for. A stranger chooses what his transaction
// holds: what comes of it stops nothing else.
func (c *chain) proveLoose(ctx context.Context, k *client) {
	for _, h := range c.unproved(time.Now()) {
		row := c.chain.policy().Row(h.token.Decimals, h.units)
		b, ok, err := k.find(ctx, h.transfer, true)
		if err == nil && ok && row.Operators > 1 {
			err = c.second(ctx, k, task{h: h, row: Row{Level: Solidified}}, b)
		}
		if err != nil || !ok {
			c.log.Debug("money that nobody asked for is not proved", "tx", hex.EncodeToString(h.tx[:]), "err", err)
		}
		c.w.mu.Lock()
		if h.large = errors.Is(err, rpc.ErrLarge); err == nil && ok {
			h.block, h.solid = b, true
		}
		c.w.mu.Unlock()
	}
}

// unproved lists what is to be looked up now: what was looked up longest ago comes first, so
// that what nobody can prove keeps nothing else waiting.
func (c *chain) unproved(now time.Time) (out []*held) {
	head := c.headNow().time
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, h := range c.w.held {
		every := looseEvery
		if h.large {
			every = largeEvery
		}
		if !c.dusty(h) && h.block.time+solidAfter < head && now.Sub(h.tried) >= every && c.tells(h, now) && !c.sure(h) {
			out = append(out, h)
		}
	}
	slices.SortStableFunc(out, func(a, b *held) int { return a.tried.Compare(b.tried) })
	out = out[:min(len(out), looseAtOnce)]
	for _, h := range out {
		h.tried = now
	}
	return out
}
