package solana

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Bounds of one round. Public endpoints count each call of a batch, and take 100 in
// ten seconds, 40 of one method.
const (
	listLimit    = 100  // signatures of one answer
	refLimit     = 10   // the same of a reference, and where memos make 100 too large: 25 KB each at most
	listPages    = 20   // of one account, in one round: a day of a busy shop
	refsPerRound = 3    // references that are looked for; the rest in the next rounds
	fetchMax     = 10   // transactions of one request; each is 3 to 20 KB
	fetchBatches = 2    // such requests in one round
	fetchTries   = 8    // rounds until a transaction that cannot be read is given up
	maxPending   = 2000 // signatures that wait to be read
	maxSeen      = 8192 // signatures that are of no interest
	// sweepEvery is how often the owner's accounts are listed although no balance
	// changed: what came may have been moved on at once. idleSweep is the same while no
	// customer is there.
	sweepEvery = 8 * time.Second
	idleSweep  = 2 * time.Minute
)

// Bounds of how far the cluster is.
const (
	maxBehind  = 150              // slots that an operator's computers may be apart: a minute
	staleAfter = 60 * time.Second // without a new slot an endpoint is not believed
	clockSlack = 2 * time.Minute  // the cluster's clock is an average of its voters' clocks
)

// maxAhead is how many slots the cluster can have made since a moment: at most five a
// second, and some for a slow line.
func maxAhead(since time.Time) uint64 {
	if since.IsZero() {
		return 1 << 52
	}
	return 600 + uint64(time.Since(since)/(200*time.Millisecond))
}

// latest is the latest time that the cluster's clock can show now: it began with first
// at since. Who runs it ahead would let requests end before their time.
func (s headState) latest(now time.Time) uint64 {
	if s.since.IsZero() {
		return 1 << 40
	}
	return s.first + uint64((2*now.Sub(s.since)+15*time.Minute)/time.Second)
}

// looks is what only Run's goroutine knows.
type looks struct {
	verified map[*rpc.Client]time.Time
	silent   map[*rpc.Client]time.Time // when it last gave no answer as a second operator
	odd      map[Key]string            // mints that are not what the registry says
	slots    map[*rpc.Client]uint64
	cursors  map[cursorKey]*cursor
	pending  []waiting         // signatures to be read
	seen     map[string]uint64 // signatures that are of no interest, and their slots
	began    time.Time         // when Run did
	greeted  time.Time
	followed time.Time
	proved   time.Time
	failing  bool
}

// cursorKey names what was read of an account with an operator.
type cursorKey struct {
	operator string
	account  Key
}

// cursor is how far an account was read.
type cursor struct {
	until string // the newest signature that is final: nothing older is new
	units uint64 // the balance then
	at    time.Time
}

// waiting is a signature whose transaction was not read yet.
type waiting struct {
	listed
	first bool // it names a reference that somebody waits for
	tries int
}

func newLooks() looks {
	return looks{
		verified: map[*rpc.Client]time.Time{}, silent: map[*rpc.Client]time.Time{}, slots: map[*rpc.Client]uint64{}, cursors: map[cursorKey]*cursor{}, seen: map[string]uint64{},
	}
}

// read asks how far the cluster is, lists what is new at the owner's accounts and at
// some references, and reads it.
func (w *Watcher) read(ctx context.Context, k *rpc.Client) error {
	now := time.Now()
	refs, floor, open := w.plan(now)
	calls := []rpc.Call{accountsCall(append([]Key{clockAccount}, w.homes...)...)}
	for _, p := range refs {
		calls = append(calls, listCall(p.ref.key, "", "", refLimit))
	}
	replies, err := batch(ctx, k, calls)
	if err != nil {
		return err
	}
	if replies[0].Err != nil {
		return replies[0].Err
	}
	slot, found, err := readAccounts(replies[0].Result, 1+len(w.homes))
	if err != nil {
		return &rpc.Error{Fault: rpc.Odd, Err: err}
	}
	if err := w.advance(k, slot, found[0]); err != nil {
		return err
	}
	w.setHomes(found[1:])
	for i, p := range refs {
		items, err := listOf(replies[1+i])
		if errors.Is(err, rpc.ErrLarge) { // what came is listed at the owner's account, too
			w.log.Debug("a reference's transactions cannot be listed", "payment", string(p.id), "err", err)
		} else if err != nil {
			return err
		}
		w.note(items, true)
		w.mu.Lock()
		p.listed = now
		w.mu.Unlock()
	}
	if open {
		if err := w.sweep(ctx, k, found[1:], floor, now); err != nil {
			return err
		}
	}
	return w.fetch(ctx, k)
}

// plan chooses the references that are looked for in the round that begins now, and
// the oldest slot that anything can be in. open: a payment is waited for.
func (w *Watcher) plan(now time.Time) (refs []*payment, floor uint64, open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rescan {
		w.rescan, w.cursors, w.seen = false, map[cursorKey]*cursor{}, map[string]uint64{}
		maps.DeleteFunc(w.transfers, func(_ string, t *transfer) bool { return len(t.of) == 0 })
	}
	floor = 1 << 53
	for _, p := range w.payments {
		if p.ended {
			continue
		}
		open, floor = true, min(floor, p.ref.from)
		if !p.told && (p.Wants > 0 || now.Sub(p.listed) >= p.listEvery(now)) {
			refs = append(refs, p)
		}
	}
	// Who waited longest comes first.
	slices.SortFunc(refs, func(a, b *payment) int { return cmp.Or(a.listed.Compare(b.listed), cmp.Compare(a.id, b.id)) })
	return refs[:min(len(refs), refsPerRound)], floor, open
}

// batch makes calls in one request. When the answers to all of them are more than is
// read, each is asked for in a request of its own, and is an rpc.ErrLarge only for itself:
// strangers choose how large a transaction is, and what it is listed with, and that must
// not hide the others.
func batch(ctx context.Context, k *rpc.Client, calls []rpc.Call) ([]rpc.Reply, error) {
	out, err := k.Batch(ctx, calls...)
	if !errors.Is(err, rpc.ErrLarge) {
		return out, err
	}
	if len(calls) == 1 {
		return []rpc.Reply{{Err: err}}, nil
	}
	out = nil
	for _, c := range calls {
		k.Spend()
		alone, err := batch(ctx, k, []rpc.Call{c})
		if err != nil {
			return nil, err
		}
		out = append(out, alone...)
	}
	return out, nil
}

// listCall asks for the signatures that name an account, the newest first.
func listCall(at Key, until, before string, limit int) rpc.Call {
	o := map[string]any{"limit": limit, "commitment": string(Confirmed)}
	if until != "" {
		o["until"] = until
	}
	if before != "" {
		o["before"] = before
	}
	return rpc.To("getSignaturesForAddress", at.String(), o)
}

func listOf(r rpc.Reply) ([]listed, error) {
	if r.Err != nil {
		return nil, r.Err
	}
	items, err := readList(r.Result)
	if err != nil {
		return nil, &rpc.Error{Fault: rpc.Odd, Err: err}
	}
	return items, nil
}

// advance notes how far the cluster is. Several computers stand behind one endpoint,
// and some lag; one that lags far, or runs ahead of what can be, is not believed. Nor
// is a cluster that stands still.
func (w *Watcher) advance(k *rpc.Client, slot uint64, clock account) error {
	unix, ok := readClock(clock)
	if !ok {
		return rpc.Failed(rpc.Odd, "a clock that cannot be read")
	}
	now, s := time.Now(), w.headNow()
	if slot+maxBehind < w.slots[k] {
		return rpc.Failed(rpc.Stale, "slot %d after slot %d", slot, w.slots[k])
	}
	if slot > s.slot+maxAhead(s.moved) || unix > s.latest(now) {
		return rpc.Failed(rpc.Odd, "slot %d at %d right after slot %d at %d", slot, unix, s.slot, s.time)
	}
	if age := now.Sub(time.Unix(int64(unix), 0)); w.o.ClockTrusted() && age.Abs() > staleAfter+clockSlack {
		return rpc.Failed(rpc.Stale, "the newest slot is %v old", age.Round(time.Second))
	}
	w.slots[k] = max(slot, w.slots[k])
	if s.moved.IsZero() {
		s.first, s.since = unix, now
	}
	if slot > s.slot || s.moved.IsZero() {
		s.moved = now
	}
	s.slot, s.time = max(slot, s.slot), max(unix, s.time)
	w.mu.Lock()
	w.head = s
	w.mu.Unlock()
	if now.Sub(s.moved) > staleAfter {
		return rpc.Failed(rpc.Stale, "no slot after %d", slot)
	}
	return nil
}

// setHomes notes which tokens can be taken. A token that cannot goes grey, the others
// do not.
func (w *Watcher) setHomes(found []account) {
	dead := map[Key]string{}
	for i, t := range w.tokens {
		if dead[t.Mint] = w.odd[t.Mint]; dead[t.Mint] == "" {
			dead[t.Mint] = w.home(t, found[i])
		}
	}
	w.health.SetDead(dead)
}

// sweep lists the owner's accounts whose balance changed, and all of them now and
// then: the first page of each in one request, the others one by one.
func (w *Watcher) sweep(ctx context.Context, k *rpc.Client, found []account, floor uint64, now time.Time) error {
	w.mu.Lock()
	every := idleSweep
	if w.busy(now) {
		every = sweepEvery
	}
	w.mu.Unlock()
	var due []int
	var calls []rpc.Call
	for i, home := range w.homes {
		h, _ := readHolding(found[i])
		c := w.cursors[cursorKey{k.Operator, home}]
		switch {
		case !found[i].there || c != nil && c.units == h.units && now.Sub(c.at) < every:
			continue
		case c == nil:
			c = &cursor{}
		}
		due, calls = append(due, i), append(calls, listCall(home, c.until, "", listLimit))
	}
	if len(due) == 0 {
		return nil
	}
	k.Spend()
	replies, err := batch(ctx, k, calls)
	if err != nil {
		return err
	}
	for j, i := range due {
		key := cursorKey{k.Operator, w.homes[i]}
		h, _ := readHolding(found[i])
		next := cursor{units: h.units, at: now}
		if c := w.cursors[key]; c != nil {
			next.until = c.until
		}
		if err := w.list(ctx, k, replies[j], w.homes[i], &next, floor); err != nil {
			return err
		}
		w.cursors[key] = &next
	}
	return nil
}

// list notes the signatures of an account back to its cursor, or to the floor. first is
// the answer with the newest ones. It moves the cursor to the newest final one.
func (w *Watcher) list(ctx context.Context, k *rpc.Client, first rpc.Reply, at Key, c *cursor, floor uint64) error {
	until, before, limit := c.until, "", listLimit
	for page := range listPages {
		items, err := listOf(first)
		if errors.Is(err, rpc.ErrLarge) {
			k.Spend()
			limit, first = refLimit, rpc.Reply{}
			first.Result, first.Err = one(ctx, k, listCall(at, until, before, limit))
			items, err = listOf(first)
		}
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(items, func(l listed) bool { return l.final }); page == 0 && i >= 0 {
			c.until = items[i].sig
		}
		old := slices.IndexFunc(items, func(l listed) bool { return l.slot < floor })
		if old >= 0 {
			items = items[:old]
		}
		if w.note(items, false); len(items) < limit {
			return nil
		}
		k.Spend()
		before = items[len(items)-1].sig
		replies, err := batch(ctx, k, []rpc.Call{listCall(at, until, before, limit)})
		if err != nil {
			return err
		}
		first = replies[0]
	}
	w.log.Warn("more transactions than are read", "account", at.String()) // references are still looked for
	return nil
}

// note puts new signatures into the queue. One that failed moved nothing; it may yet
// succeed in another block until that is final.
func (w *Watcher) note(items []listed, first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range items {
		if _, seen := w.seen[l.sig]; seen || w.transfers[l.sig] != nil {
			continue
		}
		if l.bad {
			if l.final {
				w.seen[l.sig] = l.slot
			}
			continue
		}
		if i := slices.IndexFunc(w.pending, func(o waiting) bool { return o.sig == l.sig }); i >= 0 {
			w.pending[i].first = w.pending[i].first || first
			continue
		}
		w.pending = append(w.pending, waiting{listed: l, first: first})
	}
	w.order()
	if len(w.seen) > maxSeen {
		w.dropSeen()
	}
}

// order sorts the queue: references first, then the newest.
func (w *Watcher) order() {
	slices.SortStableFunc(w.pending, func(a, b waiting) int {
		return cmp.Or(cmp.Compare(a.tries, b.tries), -cmp.Compare(btoi(a.first), btoi(b.first)), -cmp.Compare(a.slot, b.slot))
	})
	if len(w.pending) > maxPending {
		w.log.Warn("transactions are given up unread", "number", len(w.pending)-maxPending)
		w.pending = w.pending[:maxPending]
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// dropSeen forgets the older half.
func (w *Watcher) dropSeen() {
	var slots []uint64
	for _, s := range w.seen {
		slots = append(slots, s)
	}
	slices.Sort(slots)
	for sig, s := range w.seen {
		if s < slots[len(slots)/2] {
			delete(w.seen, sig)
		}
	}
}

// transactionCall asks for a transaction as it is, in the newest format that this
// package reads: version 1 is on the cluster since September 2026.
func transactionCall(sig string, l Level) rpc.Call {
	return rpc.To("getTransaction", sig, map[string]any{"encoding": "json", "commitment": string(l), "maxSupportedTransactionVersion": 1})
}

// fetch reads transactions of the queue, and gives them to their payments. What cannot
// be read now is tried again, and then told to the owner: one odd transaction must not
// stop the others.
func (w *Watcher) fetch(ctx context.Context, k *rpc.Client) error {
	for range fetchBatches {
		w.mu.Lock()
		part := slices.Clone(w.pending[:min(len(w.pending), fetchMax)])
		w.mu.Unlock()
		if len(part) == 0 {
			return nil
		}
		var calls []rpc.Call
		for _, l := range part {
			calls = append(calls, transactionCall(l.sig, Confirmed))
		}
		k.Spend()
		replies, err := batch(ctx, k, calls)
		if err != nil {
			return err
		}
		w.mu.Lock()
		for i, l := range part {
			w.take1(k, l, replies[i])
		}
		w.order()
		fresh := slices.ContainsFunc(w.pending, func(l waiting) bool { return l.tries == 0 })
		w.mu.Unlock()
		if !fresh {
			return nil
		}
	}
	return nil
}

// take1 takes one answer in. w.mu is held.
func (w *Watcher) take1(k *rpc.Client, l waiting, r rpc.Reply) {
	i := slices.IndexFunc(w.pending, func(o waiting) bool { return o.sig == l.sig })
	var t *transaction
	there, err := false, r.Err
	if err == nil {
		t, there, err = readTransaction(r.Result, l.sig)
	}
	if err != nil || !there {
		if w.pending[i].tries++; w.pending[i].tries < fetchTries {
			return
		}
		w.log.Warn("a transaction cannot be read", "signature", l.sig, "err", err)
		w.notices.Tell("unread "+l.sig[:8], w.word("sol_unread", "tail", l.sig[:8]))
	}
	w.pending = slices.Delete(w.pending, i, i+1)
	if t == nil || !w.match(k, t, l.final) {
		w.seen[l.sig] = l.slot
	}
}
