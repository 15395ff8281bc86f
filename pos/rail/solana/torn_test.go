package solana

import (
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
		r := w.ready("usdc-solana")
		p := w.requested(r, "SALE000000001", 7_000_000)
		time.Sleep(coin.YoungFor)
		q := w.requested(r, "SALE000000002", 7_500_000)
		w.m.pay(asks(t, p.Payload), asks(t, q.Payload))
		both := []pos.Payment{p, q}
		for i, one := range both {
			w.becomes(r, one, pos.Doubt)
			both[i] = w.moved(one, pos.Doubt)
		}
		time.Sleep(coin.WatchFor - coin.YoungFor)
		if f := w.found(r, both[0]); f.Event != "" || f.Final {
			t.Fatalf("while it is watched: %+v", f)
		}
		for i, one := range both {
			time.Sleep(coin.YoungFor + coin.UsualExpiry + time.Minute) // the first one is forgotten by then
			f := w.found(r, one)
			if f.Event != pos.Fail || !f.Final || !strings.Contains(f.Why, "names this sale and another one") {
				t.Fatalf("sale %d: %+v", i+1, f)
			}
			if f, err := r.Cancel(t.Context(), one); err != nil || f.Event != pos.Fail || !f.Final {
				t.Fatalf("sale %d cancelled: %+v, %v", i+1, f, err)
			}
		}
		w.stop()
	})
}
