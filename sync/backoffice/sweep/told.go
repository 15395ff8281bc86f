package sweep

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// A transaction that moved something, or left something there, is known by what the contract
// tells. One that failed as a whole tells nothing, and the wallet that signed it is not ours:
// nothing here knows its number, and no look at the network finds it. So a transfer waits to
// be signed, as far as is known, until the owner gives the number that his wallet shows; from
// then on its receipt is followed.

// States of the transaction that the owner named.
const (
	TxAsked   = ""        // nobody was asked yet, or nobody answered
	TxUnknown = "unknown" // the network does not have it
	TxPending = "pending" // the network has it, and no block does yet
	TxThrough = "through" // it went through: the contract tells what it moved
	TxGas     = "gas"     // it failed, and had used up all gas that it was given
	TxFailed  = "failed"  // it failed with gas left
	TxOther   = "other"   // it names none of the transfer's payments
	TxDoubt   = "doubt"   // too few operators say the same
)

// maxTold bounds what is read of an owner's text: a link to an explorer has some 100 letters.
const maxTold = 500

var txInText = regexp.MustCompile(`(?i)(?:^|[^0-9a-z])(0x[0-9a-f]{64})(?:$|[^0-9a-z])`)

// Tell takes the number of the transaction that the owner sent for a batch, or a link that it
// stands in, in place of the last one, and asks what became of it. It blocks for the network,
// 10 s at most; what is not known then, later rounds tell. It fails with Invalid for a text
// without a number, with NotFound, and as Store does.
func (s *Sweeper) Tell(ctx context.Context, id int64, text string) error {
	found := txInText.FindStringSubmatch(text)
	if found == nil || len(text) > maxTold {
		return pos.Say("follow transaction", pos.Invalid, nil, "bo_sc_bad_tx")
	}
	if _, err := s.store.SweepBatch(ctx, id); err != nil {
		return err
	}
	if err := s.store.SweepSent(ctx, id, strings.ToLower(found[1])); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	if err := s.takeTurn(within); err != nil {
		return nil // a round is under way: the next one asks
	}
	defer s.giveTurn()
	b, err := s.store.SweepBatch(ctx, id)
	if err != nil {
		return err
	}
	t := newTry(b.Network)
	if s.fate(within, b, &t); t.Empty() {
		return nil
	}
	return s.store.SweepTried(ctx, t)
}

// fate asks what became of the transaction that the owner named for a batch. While nobody
// answers, what was said last stays.
func (s *Sweeper) fate(ctx context.Context, b store.Batch, t *store.SweepTry) {
	list, need := s.waiting(b)
	if b.Sent.Tx == "" || !b.Ended.IsZero() || len(list) == 0 {
		return
	}
	said := map[Fate]int{}
	for _, operator := range s.chains.Operators(b.Network) {
		f, err := s.chains.Fate(ctx, b.Network, operator, b.Sent.Tx, items(b.Items))
		if err != nil {
			s.log.Warn("transaction not followed", "network", b.Network, "operator", operator, "err", err)
			continue
		}
		if said[f]++; f.Known && said[f] >= need {
			t.Sent[b.ID] = store.Sent{Tx: b.Sent.Tx, State: stateOf(f), Gas: f.Gas, Used: f.Used, Seen: t.At}
			return
		}
	}
	out := store.Sent{Tx: b.Sent.Tx, State: TxDoubt, Seen: t.At}
	switch unknown := said[Fate{}]; {
	case len(said) == 0:
		return
	case len(said) == 1 && unknown >= need:
		out.State = TxUnknown
	}
	t.Sent[b.ID] = out
}

func stateOf(f Fate) string {
	switch {
	case !f.Named:
		return TxOther
	case f.Block == "":
		return TxPending
	case f.OK:
		return TxThrough
	case f.Used >= f.Gas:
		return TxGas
	}
	return TxFailed
}

// Told is the transaction that the owner named for a batch, as he sees it.
type Told struct {
	Tx        string // empty: none, or it says nothing about what waits
	State     string // TxAsked and the like
	Gas, Used uint64
	Seen      time.Time
}

// Failed reports that it is known to have failed.
func (t Told) Failed() bool { return t.State == TxGas || t.State == TxFailed }
