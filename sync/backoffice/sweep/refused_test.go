package sweep

import (
	"fmt"
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
		if err != nil || len(hs) != 2 || hs[1].Tx != "" {
			t.Errorf("a transaction of a transfer that was given up is kept: %+v, %v", hs, err)
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

// TestRefusedMany: what one round tries is bounded.
func TestRefusedMany(t *testing.T) {
	b := newBench(t)
	var hs []store.Holding
	for i := range tryMost + 9 {
		hs = append(hs, store.Holding{Network: "base", Address: fmt.Sprint(i), Token: "USDC", Newest: "1", Batch: 1, Deposit: store.Deposit{Reference: fmt.Sprintf("coin %d T", i)}})
	}
	try := store.SweepTry{Network: "base"}
	if b.retry(t.Context(), hs, &try); len(try.Tried) != tryMost {
		t.Errorf("%d tried", len(try.Tried))
	}
}
