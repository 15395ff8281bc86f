package tron

import (
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

const (
	// overlap is how many blocks are read again in each round: until they are solidified
	// a reorg can change them. An endpoint may also not have had them all.
	overlap = 30
	// rereadEvery is how often the last hours are read again: an operator's list is an index,
	// which may have a transfer long after its block.
	rereadEvery = 5 * time.Minute
	rereadBack  = 6 * time.Hour
	// goneAfter is how many looks in a row must not show a transfer that was there, before
	// it counts as taken back: some operators' lists come empty now and then.
	goneAfter = 3
	// scanBack bounds how far back a till looks after it was off: a week.
	scanBack = 7 * 24 * time.Hour
	// maxHeld bounds the transfers that are kept: some days of a busy wallet.
	maxHeld = 8192
	// dust is what is not worth telling: a hundredth of a token. Swindlers send it, to
	// stand in people's histories.
	dust = 100
)

// scanFrom is the first block to read: where the oldest request began that nothing was
// read for, or some blocks before what was read last. open is false when no request
// waits.
func (c *chain) scanFrom() (from block, open bool) {
	oldest, open := c.w.oldest()
	if !open {
		return from, false
	}
	if now := c.headNow(); now.time > 0 {
		if floor := now.time - min(now.time, uint64(scanBack/time.Second)); oldest.time < floor {
			oldest = block{time: floor}
		}
	}
	now := time.Now()
	if c.next.time == 0 || oldest.before(c.covered) {
		c.covered, c.reread = oldest, now
		return oldest, true
	}
	n := c.next
	if now.Sub(c.reread) >= rereadEvery {
		c.reread = now
		if from = (block{time: n.time - min(n.time, uint64(rereadBack/time.Second))}); from.before(oldest) {
			from = oldest
		}
		return from, true
	}
	return block{number: n.number - min(n.number, overlap), time: n.time - min(n.time, overlap*blockSeconds)}, true
}

// oldest returns where the oldest request began that is watched, and forgets those that
// nobody asks about any more.
func (w *Watcher) oldest() (b block, open bool) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, p := range w.payments {
		if w.over(p, now) {
			delete(w.payments, id)
			continue
		}
		if !open || p.ref.from.before(b) {
			b, open = p.ref.from, true
		}
	}
	for _, h := range w.held { // what is not told yet would be forgotten
		if w.chain.tells(h, now) && (!open || h.block.before(b)) {
			b, open = h.block, true
		}
	}
	return b, open
}

// over reports that p need not be watched any more. w.mu is held.
func (w *Watcher) over(p *payment, now time.Time) bool {
	if !p.Idle(now) {
		return false
	}
	_, kept := w.book.Find(p.id)
	return !kept || p.ended && (p.taken == nil || p.settled())
}

// keep takes in what a look showed of the blocks from from on, and gives it to the
// requests that it pays.
func (c *chain) keep(v view, from block) {
	c.next = v.head
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	seen := map[transferKey]transfer{}
	for _, t := range v.list {
		seen[t.transferKey] = t
	}
	c.w.held = slices.DeleteFunc(c.w.held, func(h *held) bool {
		t, still := seen[h.transferKey]
		h.past = !still && h.block.before(from)
		delete(seen, h.transferKey)
		switch {
		case still:
			h.misses = 0
			h.moved(t.block)
		case !h.block.before(from) && v.lists(h.contract) && !h.deep:
			h.misses++
		}
		return h.misses >= goneAfter
	})
	for _, t := range v.list {
		if _, fresh := seen[t.transferKey]; fresh {
			c.w.held = append(c.w.held, &held{transfer: t})
		}
	}
	c.trim()
	c.match()
	c.countCoin(v.coin)
}

// moved notes the block of a transfer that was listed again. One that is in another block
// than it was proved in is to be proved anew. w.mu is held.
func (h *held) moved(b block) {
	switch {
	case h.deep || b.number == 0 && h.block.number != 0: // a list that names no block
	case b.number == 0:
		h.block = b
	default:
		h.block = b
		h.proved = h.proved && h.at.hash == b.hash
	}
}

// unfound notes that nobody knows a transfer that lists are past of: it is forgotten in the
// end, for it would be missed in every balance.
func (c *chain) unfound(h *held) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if !h.past {
		return
	}
	if h.misses++; h.misses >= goneAfter {
		c.w.held = slices.DeleteFunc(c.w.held, func(o *held) bool { return o == h })
	}
}

// trim drops what is too much, the oldest first. w.mu is held.
func (c *chain) trim() {
	slices.SortStableFunc(c.w.held, func(a, b *held) int {
		switch {
		case a.block.before(b.block):
			return -1
		case b.block.before(a.block):
			return 1
		}
		return 0
	})
	if n := len(c.w.held) - maxHeld; n > 0 {
		c.covered = c.w.held[n].block
		c.w.held = slices.Delete(c.w.held, 0, n)
	}
}

// match gives each request what came with its amount, and tells the owner of what
// belongs to none. w.mu is held.
func (c *chain) match() {
	before := map[*payment]int{}
	for _, p := range c.w.payments {
		before[p] = len(p.got)
		p.got, p.wrong = nil, nil
	}
	for _, h := range c.w.held {
		if h.to != c.address {
			continue
		}
		c.give(h)
	}
	for p, n := range before {
		if len(p.got) != n {
			p.Wake()
		}
		c.w.lost(p)
	}
	c.tell(time.Now())
}

// give finds the requests that a transfer pays. w.mu is held.
func (c *chain) give(h *held) {
	var takers, mistakers []*payment
	if !h.known { // it may be read anew
		h.counted, h.told = c.w.closed.Has(c.key(h)), c.w.found.Told(c.key(h))
	}
	for _, p := range c.w.payments {
		switch {
		case h.told || h.done && !p.closed:
		case p.takes(h.transfer):
			takers = append(takers, p)
			p.got = append(p.got, h)
		case p.mistakes(h.transfer):
			mistakers = append(mistakers, p)
		}
	}
	h.takers, h.mistakers = takers, mistakers
	if len(takers) == 0 { // else it is the money of the one who was asked for this token
		for _, p := range mistakers {
			if h.known = true; !p.after(h) {
				p.wrong = h
			}
		}
	}
	if h.twice = len(takers) > 1; h.twice {
		h.proved, h.why = false, c.word("tron_two")
	}
	if len(takers) > 0 {
		h.known = true
	}
	ours := c.w.o.Lane.Has(h.units, h.token.step()) // else another till tells of it, or has sold for it
	if !h.known && ours && !h.counted && !h.told && new(big.Int).Mul(h.units, big.NewInt(dust)).Cmp(coin.One(h.token.Decimals)) >= 0 {
		c.w.notices.Tell(c.notice(h), c.word("evm_unassigned", "came", quantityOf(h.token, h.units).String()))
	}
	h.known = true
}

// lost raises the alarm when money that the till was told of is not there any more, and
// tells of more than that. w.mu is held.
func (w *Watcher) lost(p *payment) {
	if p.taken == nil || p.ref.from.before(w.chain.covered) {
		return
	}
	there, certain := new(big.Int), p.received()
	for _, h := range p.own() {
		there.Add(there, h.units)
	}
	if p.absent++; p.settled() || there.Cmp(p.taken) >= 0 {
		p.absent = 0
	}
	tail := p.ref.address.Tail()
	if p.gone = p.absent >= goneAfter; p.gone {
		gone := quantityOf(p.token, new(big.Int).Sub(p.taken, there))
		w.notices.Alarm("lost "+string(p.id), w.chain.word("evm_lost", "amount", gone.String(), "tail", tail))
		p.Wake()
	}
	if certain.Cmp(p.taken) > 0 {
		more := quantityOf(p.token, new(big.Int).Sub(certain, p.taken))
		w.notices.Tell("late "+string(p.id), w.chain.word("evm_more", "came", more.String(), "tail", tail))
	}
}

// countCoin tells of the native coin, when some came while a customer pays: a link
// without a token makes some wallets send it. w.mu is held.
func (c *chain) countCoin(n *big.Int) {
	if n == nil {
		return
	}
	if c.coin != nil && n.Cmp(c.coin) > 0 {
		more, err := c.chain.coinAsset().Units(new(big.Int).Sub(n, c.coin))
		if err == nil && more.Int().Cmp(big.NewInt(leastCoin)) >= 0 {
			c.w.notices.Tell("coin "+n.String(), c.word("evm_unassigned", "came", more.String()))
		}
	}
	c.coin = n
}

// leastCoin is what is worth telling of the native coin: one, in millionths.
const leastCoin = 1_000_000

// coinAsset is the native coin.
func (c Chain) coinAsset() pos.Asset {
	return pos.Asset{ID: c.Key, Symbol: c.Coin, Decimals: 6, Shown: 6}
}
