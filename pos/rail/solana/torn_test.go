package solana

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// TestTornEnds: a transaction names two sales, and nobody pays either again. They are in
// doubt while something may come, and no longer: then that is the last word of both, and
// none of them is ever paid by it, not even when the other one is forgotten.
func TestTornEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		p := w.Requested(r, "SALE000000001", 7_000_000)
		time.Sleep(coin.YoungFor)
		q := w.Requested(r, "SALE000000002", 7_500_000)
		w.m.pay(asks(t, p.Payload), asks(t, q.Payload))
		both := []pos.Payment{p, q}
		for i, one := range both {
			w.Becomes(r, one, pos.Doubt)
			both[i] = w.Moved(one, pos.Doubt)
		}
		time.Sleep(coin.WatchFor - coin.YoungFor)
		if f := w.Found(r, both[0]); f.Event != "" || f.Final {
			t.Fatalf("while it is watched: %+v", f)
		}
		for i, one := range both {
			time.Sleep(coin.YoungFor + coin.UsualExpiry + time.Minute) // the first one is forgotten by then
			f := w.Found(r, one)
			if f.Event != pos.Fail || !f.Final || !strings.Contains(f.Why, "names this sale and another one") {
				t.Fatalf("sale %d: %+v", i+1, f)
			}
			if f, err := r.Cancel(t.Context(), one); err != nil || f.Event != pos.Fail || !f.Final {
				t.Fatalf("sale %d cancelled: %+v, %v", i+1, f, err)
			}
		}
		w.Stop()
	})
}

// TestTornRestart: of two sales that a transaction names one had its last word, and is
// forgotten. The till starts again and reads the transaction anew, for the other one alone:
// it is not paid by it.
func TestTornRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r := watched(t, small, 1)
		both := []pos.Payment{w.Requested(r, "SALE000000001", 7_000_000), w.Requested(r, "SALE000000002", 7_500_000)}
		w.m.pay(asks(t, both[0].Payload), asks(t, both[1].Payload))
		for i, p := range both {
			w.Becomes(r, p, pos.Doubt)
			both[i] = w.Moved(p, pos.Doubt)
		}
		time.Sleep(coin.WatchFor + coin.UsualExpiry + time.Minute)
		if f := w.closes(r, both[0]); f.Event != pos.Fail {
			t.Fatalf("%+v", f)
		}
		time.Sleep(time.Hour)
		w.Requested(r, "SALE000000003", 7_700_000) // the book forgets what is over
		if slices.ContainsFunc(w.w.book.all(), func(e entry) bool { return e.ID == both[0].ID }) {
			t.Fatal("the book has it still")
		}
		r = w.restart().Ready("usdc-solana")
		for range 10 {
			if f := w.Found(r, both[1]); f.Event == pos.Settle {
				t.Fatalf("one customer's money and another's pay one sale: %+v", f)
			}
			time.Sleep(30 * time.Second)
		}
		w.Stop()
	})
}
