package sweep

import (
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// states tells a batch: "A done, B waiting frozen tx".
func (b *bench) states(id int64) (out string) {
	b.t.Helper()
	v, _, err := b.Batch(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	for i, it := range v.Items {
		if i > 0 {
			out += ", "
		}
		out += it.Address + " " + string(it.State)
		if it.Why != "" {
			out += " " + it.Why
		}
		if it.Tx != "" {
			out += " " + it.Tx
		}
		if it.Doubt != "" {
			out += " says " + it.Doubt
		}
	}
	if !v.Open() {
		out += ", ended"
	}
	return out
}

func (b *bench) sees(what, want string, id int64) {
	b.t.Helper()
	if got := b.states(id); got != want {
		b.t.Errorf("%s: %q\nwant %q", what, got, want)
	}
}

// later is the next round.
func (b *bench) later() {
	b.t.Helper()
	time.Sleep(Every)
	b.round()
}

func (b *bench) signs(what, want string, id int64) {
	b.t.Helper()
	if _, tx, err := b.Batch(b.t.Context(), id); err != nil || tx.Data != want {
		b.t.Errorf("%s: it is signed with %q, want %q, %v", what, tx.Data, want, err)
	}
}

// TestRefused follows what a network refuses: before a transfer, in one, and after it.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.aged("coin A T", "coin B T", "coin C T", "coin D T")
		for i, a := range []string{"A", "B", "C", "D"} {
			b.f.held[place{"base", a, "USDC"}] = held{1 << i, 1 << i}
		}
		b.round()
		b.f.refuses[place{"base", "A", "USDC"}] = Frozen
		id, err := b.Prepare(t.Context(), "base", "T", false)
		if err != nil {
			t.Fatal(err)
		}
		b.sees("refused before", "B waiting, C waiting, D waiting", id)
		if h := b.heap(0); len(h.Refused) != 1 || h.Refused[0].Why != Frozen || h.Refused[0].Sums[0].Units.Int64() != 1 || len(h.Sums) != 0 {
			t.Errorf("the list: %+v", h)
		}
		if _, err := b.Prepare(t.Context(), "base", "T", true); pos.KindOf(err) != pos.Conflict {
			t.Errorf("what is refused is moved: %v", err)
		}

		b.f.number, b.f.refuses[place{"base", "C", "USDC"}] = 105, Paused
		b.f.skips = []skip{{103, place{"base", "C", "USDC"}, "0x1"}, {103, place{"bnb", "D", "USDC"}, "elsewhere"}, {104, place{"base", "D", "USDC"}, "0x2"}, {100, place{"base", "D", "USDC"}, "before"}}
		delete(b.f.held, place{"base", "B", "USDC"}) // it moved
		b.later()
		b.sees("sent", "B done, C waiting paused 0x1, D waiting 0x2", id)
		b.signs("sent", "base[{coin D T USDC}]", id)
		v, _, err := b.Batch(t.Context(), id)
		if err != nil || !v.Sent() || v.Moved != 1 || v.Stuck != 0 || len(v.Left) != 2 || v.Gas != gasBase+gasAnItem {
			t.Errorf("%+v, %v", v, err)
		}
		delete(b.f.held, place{"base", "D", "USDC"})
		b.later()
		b.sees("signed again", "B done, C waiting paused 0x1, D done", id)
		b.signs("nothing but refused", "", id)
		if err := b.Drop(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if h := b.heap(0); len(h.Refused) != 2 || len(h.Sums) != 0 || len(h.Moving) != 0 {
			t.Errorf("given up, and the reason is forgotten: %+v", h)
		}
		b.f.deaf = true
		delete(b.f.refuses, place{"base", "C", "USDC"})
		if b.later(); len(b.heap(0).Refused) != 2 {
			t.Error("a network that does not say is taken for a yes")
		}
		if _, err := b.Prepare(t.Context(), "base", "T", true); pos.KindOf(err) != pos.Conflict {
			t.Errorf("what was refused is moved when the network does not say: %v", err)
		}
		b.f.deaf = false
		b.later()
		if h := b.heap(0); len(h.Refused) != 1 || h.Refused[0].Why != Frozen || len(h.Sums) != 1 || h.Sums[0].Units.Int64() != 4 {
			t.Errorf("let go: %+v", h)
		}
		hs, err := b.db.SweepHoldings(t.Context(), 9)
		if err != nil || len(hs) != 2 || !hs[1].Tried.IsZero() {
			t.Errorf("when something was tried that is in no transfer, and can be moved, is kept: %+v, %v", hs, err)
		}
		delete(b.f.held, place{"base", "A", "USDC"})
		b.f.held[place{"base", "A", "USDC"}] = held{0, 1}
		b.later()
		b.f.deaf = true
		b.f.held[place{"base", "A", "USDC"}] = held{32, 32}
		if b.later(); len(b.heap(0).Refused) != 0 || b.heap(0).Sums[0].Units.Int64() != 36 {
			t.Errorf("a refusal of money that is gone is kept: %+v", b.heap(0))
		}
	})
}

// TestRefusedUnknown: a network that tries nothing and tells no events stops no transfer.
func TestRefusedUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.aged("coin A T", "coin B T")
		b.f.held[place{"base", "A", "USDC"}], b.f.held[place{"base", "B", "USDC"}] = held{1, 1}, held{2, 2}
		b.round()
		b.f.deaf, b.f.refuses[place{"base", "B", "USDC"}] = true, Refused
		id, err := b.Prepare(t.Context(), "base", "T", false)
		if err != nil {
			t.Fatal(err)
		}
		b.f.skips = []skip{{101, place{"base", "B", "USDC"}, "0x7"}}
		delete(b.f.held, place{"base", "A", "USDC"})
		b.f.number = 101
		b.later()
		b.sees("deaf", "A done, B waiting", id)
		if v, _, err := b.Batch(t.Context(), id); err != nil || v.Stuck != 1 || len(v.Left) != 0 {
			t.Errorf("%+v, %v", v, err)
		}
		b.f.deaf, b.f.number = false, 300 // it was not read, and is read now
		b.later()
		b.sees("heard", "A done, B waiting refused 0x7", id)
	})
}

// TestGone: money that is not there any more is in the wallet only where something was moved
// from its address; and of a token that was not counted, nothing is known.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.aged("coin A T", "coin B T", "coin C T")
		b.f.held[place{"base", "A", "USDC"}], b.f.held[place{"base", "B", "USDC"}], b.f.held[place{"base", "C", "USDT"}] = held{1, 1}, held{2, 2}, held{3, 3}
		b.f.never = map[string]bool{"B": true, "C": true}
		b.round()
		id, err := b.Prepare(t.Context(), "base", "T", false)
		if err != nil {
			t.Fatal(err)
		}
		b.f.mute["USDT"] = true // it says no balance, or the merchant took it off his list
		b.f.held[place{"base", "A", "USDC"}], b.f.held[place{"base", "B", "USDC"}] = held{0, 1}, held{0, 2}
		b.later()
		b.sees("at the newest block", "A moved, B gone, C waiting", id)
		if len(b.heap(0).Moving) == 0 {
			t.Error("a token that was not counted is off the list")
		}
		b.f.held[place{"base", "B", "USDC"}] = held{2, 2} // the block was another one's
		b.later()
		b.sees("it is there after all", "A moved, B waiting, C waiting", id)
		delete(b.f.held, place{"base", "A", "USDC"})
		delete(b.f.held, place{"base", "B", "USDC"})
		b.later()
		b.sees("for certain", "A done, B gone, C waiting", id)
		b.f.mute["USDT"], b.f.never["C"] = false, false
		delete(b.f.held, place{"base", "C", "USDT"})
		b.later()
		b.sees("all", "A done, B gone, C done, ended", id)
		if v, _, err := b.Batch(t.Context(), id); err != nil || v.Done != 2 || v.Gone != 1 || v.Moved != 2 {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// crowd puts n payments of a unit each on a network, as records would name them.
func (b *bench) crowd(n int) {
	b.t.Helper()
	var ds []store.Deposit
	for i := range n {
		a := fmt.Sprintf("P%04d", i)
		ds = append(ds, store.Deposit{Address: a, Reference: "coin " + a + " T", Treasury: "T", Payment: pos.PaymentID("SALE-" + a), Made: time.Now(), Next: time.Now(), Closed: true})
		b.f.held[place{"base", a, "USDC"}] = held{1, 1}
	}
	if err := b.db.SweepAdd(b.t.Context(), b.till.Genesis.Till, 0, ds); err != nil {
		b.t.Fatal(err)
	}
	time.Sleep(watched)
	b.round()
}

// TestRefusedFair: what one round tries is bounded, and what stands behind hundreds of frozen
// addresses has its turn all the same, also when the process begins anew between the rounds,
// and when nobody answers for those in front.
func TestRefusedFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		const all = tryMost + 9
		b.crowd(all)
		try := newTry("base")
		for i := range all {
			a := fmt.Sprintf("P%04d", i)
			b.f.refuses[place{"base", a, "USDC"}] = Frozen
			try.Tried = append(try.Tried, store.Refused{Address: a, Token: "USDC", Why: string(Frozen)})
		}
		if err := b.db.SweepTried(t.Context(), try); err != nil {
			t.Fatal(err)
		}
		last := place{"base", fmt.Sprintf("P%04d", all-1), "USDC"}
		delete(b.f.refuses, last) // it is let go
		for round := range 2 {
			clear(b.f.tried)
			b.Sweeper = New(b.db, b.f, b.log) // a restart
			b.later()
			if len(b.f.tried) != tryMost {
				t.Errorf("round %d: %d tried, want %d", round, len(b.f.tried), tryMost)
			}
		}
		if h := b.heap(0); len(h.Sums) != 1 || h.Sums[0].Units.Int64() != 1 {
			t.Errorf("it was let go, and is not found to be: %+v", h.Sums)
		}
		clear(b.f.tried)
		b.f.deaf = true
		b.later()
		asked := maps.Clone(b.f.tried)
		clear(b.f.tried)
		b.f.deaf = false
		b.later()
		for i := range all - 1 {
			if a := fmt.Sprintf("P%04d", i); asked[a]+b.f.tried[a] == 0 {
				t.Errorf("%s waits behind others whom nobody answered for", a)
			}
		}
	})
}

// TestPrepareBehind: a transfer is filled with what can be moved, however much in front of
// it was frozen since.
func TestPrepareBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.crowd(MaxItems + 30)
		for i := range MaxItems - 20 {
			b.f.refuses[place{"base", fmt.Sprintf("P%04d", i), "USDC"}] = Frozen
		}
		id, err := b.Prepare(t.Context(), "base", "T", false)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := b.Batch(t.Context(), id)
		if err != nil || len(v.Items) != 50 || v.Items[0].Address != "P0150" {
			t.Errorf("%d are moved, %v", len(v.Items), err)
		}
	})
}
