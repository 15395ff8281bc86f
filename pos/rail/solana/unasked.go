package solana

import (
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Money that no payment waits for is told once it is final, by as many operators as the
// policy wants of as much: what came for none, what came for a payment after its last word,
// and what named two payments, when both had theirs. What a payment's last word counted is
// in Watcher.closed, so that no money is both. Its key is its transaction and its token: who
// tells of it again, after a restart, tells of the same.

const (
	// keepClosed is how many slots a payment stays closed: eight days of the fastest slots.
	keepClosed = 8 * 24 * 3600 * 5
	// maxStrays bounds transfers of nobody's that are not told yet, and half of it those of
	// dust: they become final in a quarter of a minute.
	maxStrays = 512
	// strayFor is how long such money may be without proof; then it is only a notice. A second
	// operator whose calls of a day are used up answers again within it. strayEvery is how often
	// one is asked about: nobody waits for it.
	strayFor   = 26 * time.Hour
	strayEvery = 5 * time.Second
	// callFor is how long after the start nobody's money waits: by then the till has asked
	// about all that it waits for, also if the book of requests was lost.
	callFor = 10 * time.Second
)

// Found returns what tells of money that no payment waits for. Its methods do not block.
func (w *Watcher) Found() *coin.Unasked { return &w.found }

// whole reports that all was read that p was closed with.
func (p *payment) whole() bool {
	if !p.closed {
		return true
	}
	n := 0
	for _, t := range p.transfers {
		if t.own(p) || t.torn {
			n++
		}
	}
	return n >= p.money
}

// key names what t brought for p: of p's own token, or else of the one that it brought.
func (w *Watcher) key(t *transaction, p *payment) string {
	for _, c := range append([]Token{p.token}, w.known()...) {
		if n := t.came[moved{p.ref.owner, c.Mint}]; n != nil && n.Sign() > 0 {
			return w.keyOf(t, c)
		}
	}
	return w.keyOf(t, p.token)
}

// tornKey names a transaction that named two payments. A payment is closed with it, too: the
// other one, read anew when the first is forgotten, must not take it for its own.
func tornKey(t *transaction) string { return "torn/" + t.sig }

func (w *Watcher) keyOf(t *transaction, c Token) string {
	return "solana/" + w.o.Cluster.Key + "/" + t.sig + "/" + c.Mint.String()
}

// close writes down what the last word of p counts: f, or what it is by now. It blocks for
// the disk. It reports whether that may be said.
func (r *Rail) close(p pos.Payment, e *payment, f pos.Finding) bool {
	w := r.w
	w.closing.Lock()
	defer w.closing.Unlock()
	w.mu.Lock()
	if e.closed {
		w.mu.Unlock()
		return true
	}
	keys := w.last(p, e, f)
	at := w.head.slot
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
	for _, t := range e.transfers {
		t.after = t.told
	}
	return false
}

// last closes e with what the till was told of: its own token's money that counts, and as
// much of others as the till has as astray. w.mu is held.
func (w *Watcher) last(p pos.Payment, e *payment, f pos.Finding) (keys []string) {
	row, stray := w.row(e), map[string]*big.Int{}
	for _, q := range append([]pos.Quantity{p.Stray, f.Stray}, past(p)...) {
		if n := stray[q.Asset.ID]; n == nil || n.Cmp(q.Int()) < 0 {
			stray[q.Asset.ID] = q.Int()
		}
	}
	for _, t := range e.transfers {
		if t.torn {
			keys = append(keys, tornKey(t.transaction))
		}
		if !t.alone(e) || t.told {
			continue
		}
		mine := t.brought(e).Sign() > 0 && t.counts(row)
		if other, _ := w.wrong(e, t); t.brought(e).Sign() == 0 && !other.IsZero() {
			if n := stray[other.Asset.ID]; n != nil && n.Cmp(other.Int()) >= 0 {
				mine = true
				n.Sub(n, other.Int())
			}
		}
		if t.after = !mine; mine {
			keys = append(keys, w.key(t.transaction, e))
		}
	}
	e.closed, e.money = true, len(keys)
	return keys
}

// past returns what was decided about money that came astray for p.
func past(p pos.Payment) (out []pos.Quantity) {
	out = append(out, p.StrayBack)
	for _, x := range p.StrayPast {
		out = append(out, x.Back)
	}
	return out
}

// unassigned keeps a transfer of nobody's until it can be told, and tells the owner that
// it is on its way. What carries somebody else's reference is another till's, and so is an
// amount of another one's. It reports whether it is kept. w.mu is held.
func (w *Watcher) unassigned(k *rpc.Client, t *transaction, final bool) bool {
	f := &transfer{transaction: w.own(t), final: final, said: map[string]Level{k.Operator: Confirmed}, seen: time.Now()}
	if w.foreign(t) {
		return false
	}
	for _, c := range w.tokens {
		if n := f.came[moved{w.o.Owner, c.Mint}]; n != nil && w.lane().Has(n, c.step()) && !w.closed.Has(w.keyOf(t, c)) {
			w.notices.Tell("unassigned "+t.sig[:8], w.word("evm_unassigned", "came", quantityOf(w.o.Cluster, c, n).String()))
		}
	}
	all, strays := w.nobodys(f), 0
	if len(all) == 0 {
		return false
	}
	whole := slices.ContainsFunc(all, func(u pos.Unasked) bool { return !u.Dust() })
	for _, o := range w.transfers {
		if len(o.of) == 0 {
			strays++
		}
	}
	if strays >= maxStrays || !whole && strays >= maxStrays/2 {
		w.log.Error("no room for money that nobody asked for", "signature", t.sig)
		return false
	}
	w.transfers[t.sig] = f
	return true
}

// own returns t with what it brought to the shop alone: it may be kept for an hour.
func (w *Watcher) own(t *transaction) *transaction {
	out := &transaction{sig: t.sig, slot: t.slot, time: t.time, came: map[moved]*big.Int{}}
	for who, n := range t.came {
		if who.owner == w.o.Owner && n.Sign() > 0 {
			out.came[who] = n
		}
	}
	return out
}

// nobodys lists what t brought that nobody asked for, as far as the till can know: nothing,
// while a payment that it is for is not closed. w.mu is held.
func (w *Watcher) nobodys(t *transfer) (out []pos.Unasked) {
	of, owner := pos.PaymentID(""), w.o.Owner
	for _, p := range t.of {
		if of, owner = p.id, p.ref.owner; !p.closed {
			return nil
		}
	}
	if t.torn {
		of = ""
	}
	stray := len(t.of) == 0 && !t.torn
	for _, c := range w.known() {
		n, key := t.came[moved{owner, c.Mint}], w.keyOf(t.transaction, c)
		switch {
		case n == nil || n.Sign() <= 0 || w.closed.Has(key):
			continue
		case len(t.of) == 1 && t.own(t.of[0]) && key == w.key(t.transaction, t.of[0]): // it is being closed
			continue
		case stray && !(w.lane().Has(n, c.step()) && w.closed.After(t.slot)):
			continue
		case c.Mint == nativeMint && (stray || len(out) > 0 || len(t.came) > 1): // change of the fee
			continue
		}
		u := pos.Unasked{Key: key, Came: quantityOf(w.o.Cluster, c, n), Network: w.word("evm_on", "token", c.Symbol), Tx: t.sig, Of: of}
		if t.time > 0 {
			u.At = time.Unix(int64(t.time), 0).UTC()
		}
		out = append(out, u)
	}
	return out
}

func orZero(n *big.Int) *big.Int {
	if n == nil {
		return new(big.Int)
	}
	return n
}

// tells reports that t may yet have to be told of as money that nobody asked for. w.mu is
// held.
func (w *Watcher) tells(t *transfer, now time.Time) bool {
	if t.done || len(w.nobodys(t)) == 0 {
		return false
	}
	if t.loose.IsZero() {
		t.loose = now
	}
	return now.Sub(t.loose) < strayFor
}

// needs returns what the policy wants of t; wanted is false when nothing is to be proved of
// it. w.mu is held.
func (w *Watcher) needs(t *transfer, now time.Time) (row Row, wanted bool) {
	if !t.torn && len(t.of) == 1 && t.own(t.of[0]) {
		return w.row(t.of[0]), t.brought(t.of[0]).Sign() > 0
	}
	if !w.tells(t, now) {
		return row, false
	}
	return w.strictest(w.nobodys(t)), true
}

// strictest returns the strictest row for any of them.
func (w *Watcher) strictest(us []pos.Unasked) (row Row) {
	for _, u := range us {
		if r := w.o.Policy.Row(u.Came.Asset.Decimals, u.Came.Int()); r.Operators >= row.Operators {
			row = r
		}
	}
	return row
}

// same reports that two operators tell the same of a transaction, as far as it is the
// shop's. w.mu is held.
func (w *Watcher) same(x *transfer, t *transaction) bool {
	if len(x.of) == 1 && x.own(x.of[0]) {
		p := x.of[0]
		return (&transfer{transaction: t}).brought(p).Cmp(x.brought(p)) == 0 && t.keys[p.key] == x.keys[p.key]
	}
	for _, c := range w.tokens {
		who := moved{w.o.Owner, c.Mint}
		if orZero(w.own(t).came[who]).Cmp(orZero(x.came[who])) != 0 {
			return false
		}
	}
	return true
}

// tell tells the till of what nobody asked for and nobody can take back.
func (w *Watcher) tell(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rescan || now.Sub(w.began) < callFor {
		return
	}
	for sig, t := range w.transfers {
		switch {
		case t.done || len(t.of) > 0 && slices.ContainsFunc(t.of, func(p *payment) bool { return !p.closed }):
			continue
		case w.tells(t, now):
			us := w.nobodys(t)
			if !t.final || !t.counts(w.strictest(us)) || !w.report(us) {
				continue
			}
			t.done = true
			w.notices.Untell("unassigned " + sig[:8])
			w.notices.Untell("torn " + sig[:8])
		case len(t.of) > 0:
			t.done = true // it is all its payments', or is given up
		}
		if len(t.of) == 0 {
			delete(w.transfers, sig)
			w.seen[sig] = t.slot
		}
	}
}

// report tells of all of them, or reports that there is no room for one.
func (w *Watcher) report(us []pos.Unasked) bool {
	for _, u := range us {
		if !w.found.Tell(u) {
			return false
		}
	}
	return true
}
