package sweep

import (
	"context"
	"slices"
	"time"

	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// The contract that sweeps leaves where it is what cannot be moved, and the transaction
// succeeds all the same. So the network is asked what would come of a balance before it is
// put into a transfer, and of what waits in one at every round; and which transactions
// left it there. What is refused is listed apart with its reason, is in no new transfer and
// in no transaction that is shown, and comes back by itself when the token lets it go.
//
// The owner acts on all that, so as many operators must say it as a till asks for before it
// believes in a payment of that size. What too few say of a transaction is "cannot verify
// yet"; a refusal that another operator denies is none, for trying costs a little gas, and
// leaving money out may cost more.

// Reasons for which a balance cannot be moved at all, now.
const (
	Frozen  Why = "frozen"   // the token's issuer froze its address
	Shut    Why = "treasury" // the issuer froze the treasury
	Paused  Why = "paused"   // the issuer stopped the token for everybody
	Refused Why = "refused"  // the token, or for a coin the treasury, refuses and does not say why
)

// refusals are these, in the order of the page.
var refusals = []Why{Shut, Paused, Frozen, Refused}

// Bounds of asking.
const (
	// tryMost is how many balances of a network are tried in a round, those first that were
	// not tried for longest: some ten requests.
	tryMost = 2 * MaxItems
	// tryWithin bounds the owner's wait before a transfer's page; without an answer in time
	// the transfer is made of all, and the next round tells.
	tryWithin = 10 * time.Second
)

// follow asks networks about what waits in transfers, and what was refused before. One
// that does not say keeps what it said last, and holds no other one up. It fails as Store
// does.
func (s *Sweeper) follow(ctx context.Context, networks []store.LookNetwork) error {
	hs, err := s.store.SweepHoldings(ctx, maxHoldings)
	if err != nil {
		return err
	}
	bs, err := s.store.SweepBatches(ctx, maxBatches)
	if err != nil {
		return err
	}
	for _, n := range networks {
		t := newTry(n.Key)
		s.retry(ctx, hs, &t)
		for _, b := range bs {
			if b.Network == n.Key && b.Ended.IsZero() {
				s.sent(ctx, b, &t)
				s.fate(ctx, b, &t)
			}
		}
		if t.Empty() {
			continue
		}
		if err := s.store.SweepTried(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func newTry(network string) store.SweepTry {
	return store.SweepTry{Network: network, At: time.Now(), From: map[int64]uint64{}, Sent: map[int64]store.Sent{}}
}

// retry tries what is in open transfers, and what was refused: each in its turn, however
// many there are, and also when something stands before it that nobody can be asked about.
func (s *Sweeper) retry(ctx context.Context, hs []store.Holding, t *store.SweepTry) {
	var list []store.Holding
	for _, h := range hs {
		if h.Network == t.Network && number(h.Newest).Sign() > 0 && (h.Batch != 0 || h.Why != "") {
			list = append(list, h)
		}
	}
	slices.SortStableFunc(list, func(a, b store.Holding) int { return a.Tried.Compare(b.Tried) })
	s.try(ctx, list[:min(len(list), tryMost)], t)
}

// try asks why balances of t's network could not be moved, and puts what is believed into t.
func (s *Sweeper) try(ctx context.Context, hs []store.Holding, t *store.SweepTry) {
	if len(hs) == 0 {
		return
	}
	said := s.verdicts(ctx, t.Network, hs)
	for i, h := range hs {
		r := store.Refused{Address: h.Address, Token: h.Token}
		why, ok := believed(said[i], s.chains.Need(t.Network, h.Token, number(h.Newest)))
		if !ok {
			t.Silent = append(t.Silent, r)
			continue
		}
		r.Why = string(why)
		t.Tried = append(t.Tried, r)
	}
}

// believed returns what becomes of a balance by what operators said of it. One that can be
// moved by anybody's word is tried; ok is false when too few said anything.
func believed(said []Why, need int) (why Why, ok bool) {
	if len(said) == 0 {
		return "", false
	}
	for _, w := range said {
		if w == "" {
			return "", true
		}
	}
	return said[0], len(said) >= need
}

// verdicts asks operators one after the other, each about what is not decided by then, and
// returns what was said of each balance.
func (s *Sweeper) verdicts(ctx context.Context, network string, hs []store.Holding) [][]Why {
	said := make([][]Why, len(hs))
	for _, operator := range s.chains.Operators(network) {
		var open []int
		var items []Item
		for i, h := range hs {
			if _, ok := believed(said[i], s.chains.Need(network, h.Token, number(h.Newest))); !ok {
				open, items = append(open, i), append(items, Item{h.Deposit.Reference, h.Token})
			}
		}
		if len(open) == 0 {
			break
		}
		whys, err := s.chains.Try(ctx, network, operator, items)
		if err != nil {
			s.log.Warn("transfer not tried", "network", network, "operator", operator, "err", err)
			continue
		}
		for at, i := range open {
			said[i] = append(said[i], whys[at])
		}
	}
	return said
}

// sent listens for transactions that left there what waits in a transfer. Where no block is
// known from before it was made, the network's newest one is where the look begins. Where
// one operator's word is enough, the first who speaks is listened to; else all are.
func (s *Sweeper) sent(ctx context.Context, b store.Batch, t *store.SweepTry) {
	list, need := s.waiting(b)
	if len(list) == 0 {
		return
	}
	if b.UpTo == 0 {
		t.From[b.ID] = s.stateOf(b.Network).number
		return
	}
	for _, operator := range s.chains.Operators(b.Network) {
		left, upTo, err := s.chains.Skipped(ctx, b.Network, operator, items(list), s.from(b, list, operator))
		if err != nil {
			s.log.Warn("sent transfers not read", "network", b.Network, "operator", operator, "err", err)
			continue
		}
		h := store.Heard{Batch: b.ID, Operator: operator, UpTo: upTo}
		for _, l := range left {
			h.Words = append(h.Words, store.Word{Address: l.Address, Token: l.Token, Tx: l.Tx, Operator: operator, Number: l.Number})
		}
		if t.Heard = append(t.Heard, h); need == 1 {
			return
		}
	}
}

// from is the block from which an operator is listened to: where he was, or once more where
// others heard what he has not told. A node may know a block, and its events later.
func (s *Sweeper) from(b store.Batch, list []store.BatchItem, operator string) uint64 {
	at := max(b.UpTo, b.Heard[operator]) + 1
	for _, it := range list {
		if _, doubt := s.left(b.Network, it); len(doubt) == 0 {
			continue
		}
		for _, w := range it.Words {
			if !slices.ContainsFunc(it.Words, func(x store.Word) bool { return x.Tx == w.Tx && x.Operator == operator }) {
				at = min(at, w.Number)
			}
		}
	}
	return at
}

// waiting are the items of a batch that did not move, and how many operators must agree about
// the largest of them.
func (s *Sweeper) waiting(b store.Batch) (list []store.BatchItem, need int) {
	need = 1
	for _, it := range b.Items {
		if it.State == store.ItemWaiting {
			list, need = append(list, it), max(need, s.chains.Need(b.Network, it.Token, number(it.Units)))
		}
	}
	return list, need
}

// left returns the last transaction that left an item where it is, by the word of as many
// operators as it takes; and who alone says that one did, when it takes more.
func (s *Sweeper) left(network string, it store.BatchItem) (tx string, doubt []string) {
	who := map[string][]string{}
	known := append(s.chains.Operators(network), "") // nobody's name was kept once
	for _, w := range it.Words {
		if !slices.Contains(known, w.Operator) {
			continue // whom the owner trusts no more
		}
		who[w.Tx] = append(who[w.Tx], w.Operator)
		if doubt = who[w.Tx]; len(doubt) >= s.chains.Need(network, it.Token, number(it.Units)) {
			tx = w.Tx
		}
	}
	if tx != "" {
		doubt = nil
	}
	return tx, doubt
}

// allowed tries what is about to be put into a transfer, and returns the first of it that can
// be moved, as much as fits. What is refused is kept as refused, and what stands behind it
// moves up. It fails as Store does.
func (s *Sweeper) allowed(ctx context.Context, network string, hs []store.Holding) (out []store.Holding, err error) {
	within, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	t := newTry(network)
	for part := range slices.Chunk(hs[:min(len(hs), tryMost)], MaxItems) {
		before := len(t.Tried)
		s.try(within, part, &t)
		for _, h := range part {
			refused := slices.ContainsFunc(t.Tried[before:], func(r store.Refused) bool { return r.Address == h.Address && r.Token == h.Token && r.Why != "" })
			if !refused && len(out) < MaxItems { // what nobody said anything about is tried by the transfer
				out = append(out, h)
			}
		}
		if len(out) == MaxItems {
			break
		}
	}
	t.Tried = slices.DeleteFunc(t.Tried, func(r store.Refused) bool { return r.Why == "" })
	if t.Silent = nil; t.Empty() {
		return out, nil
	}
	return out, s.store.SweepTried(ctx, t)
}
