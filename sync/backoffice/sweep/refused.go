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
	// tryMost is how many balances of a network are tried in a round: some ten requests.
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
		t := store.SweepTry{Network: n.Key, UpTo: map[int64]uint64{}}
		s.retry(ctx, hs, &t)
		for _, b := range bs {
			if b.Network == n.Key && b.Ended.IsZero() {
				s.sent(ctx, b, &t)
			}
		}
		if len(t.Tried)+len(t.Skipped)+len(t.UpTo) == 0 {
			continue
		}
		if err := s.store.SweepTried(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// retry tries what is in open transfers, and what was refused.
func (s *Sweeper) retry(ctx context.Context, hs []store.Holding, t *store.SweepTry) {
	var list []store.Holding
	for _, h := range hs {
		if h.Network == t.Network && number(h.Newest).Sign() > 0 && (h.Batch != 0 || h.Refusal != store.Refusal{}) && len(list) < tryMost {
			list = append(list, h)
		}
	}
	why, err := s.try(ctx, t.Network, list)
	if err != nil {
		return
	}
	for i, h := range list {
		t.Tried = append(t.Tried, store.Refused{Address: h.Address, Token: h.Token, Refusal: store.Refusal{Why: string(why[i])}})
	}
}

// try asks why balances of one network could not be moved.
func (s *Sweeper) try(ctx context.Context, network string, hs []store.Holding) ([]Why, error) {
	if len(hs) == 0 {
		return nil, nil
	}
	items := make([]Item, len(hs))
	for i, h := range hs {
		items[i] = Item{h.Deposit.Reference, h.Token}
	}
	why, err := s.chains.Try(ctx, network, items)
	if err != nil {
		s.log.Warn("transfer not tried", "network", network, "err", err)
	}
	return why, err
}

// sent looks for transactions that left there what waits in a transfer. Where no block is
// known from before it was made, the network's newest one is where the look begins.
func (s *Sweeper) sent(ctx context.Context, b store.Batch, t *store.SweepTry) {
	waiting := slices.DeleteFunc(slices.Clone(b.Items), func(it store.BatchItem) bool { return it.State != store.ItemWaiting })
	if len(waiting) == 0 {
		return
	}
	if b.UpTo == 0 {
		t.UpTo[b.ID] = s.stateOf(b.Network).number
		return
	}
	left, upTo, err := s.chains.Skipped(ctx, b.Network, items(waiting), b.UpTo+1)
	if err != nil {
		s.log.Warn("sent transfers not read", "network", b.Network, "err", err)
		return
	}
	t.UpTo[b.ID] = upTo
	for _, l := range left {
		t.Skipped = append(t.Skipped, store.Refused{Address: l.Address, Token: l.Token, Refusal: store.Refusal{Tx: l.Tx}})
	}
}

// allowed tries what is about to be put into a transfer, and returns what can be moved. The
// rest is kept as refused. It fails as Store does.
func (s *Sweeper) allowed(ctx context.Context, network string, hs []store.Holding) ([]store.Holding, error) {
	within, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	why, err := s.try(within, network, hs)
	if err != nil || len(why) == 0 {
		return hs, nil // the next round tells
	}
	var out []store.Holding
	t := store.SweepTry{Network: network}
	for i, h := range hs {
		if why[i] == "" {
			out = append(out, h)
			continue
		}
		t.Tried = append(t.Tried, store.Refused{Address: h.Address, Token: h.Token, Refusal: store.Refusal{Why: string(why[i])}})
	}
	if len(t.Tried) == 0 {
		return out, nil
	}
	return out, s.store.SweepTried(ctx, t)
}
