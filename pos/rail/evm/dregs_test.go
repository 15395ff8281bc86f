package evm

import (
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos/rail/coin"
)

// TestLateDregs: the desk books dust by the hour, and until then a sale's address is watched
// beyond its end. Goal: who sends a little more each minute meanwhile leaves a book that the
// next start can read, and what is told is what came, at most once.
func TestLateDregs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := newWorld(t, 2, "base"), ledger{}
		w.start()
		r, m, p, req := w.settled("SALE000000001", 12_340_100)
		w.closed(r, &p)
		w.passes(l, forget)
		for i := range 9 { // as many totals as are told while it is watched
			m.pay(req.Token, req.To, big.NewInt(int64(1_000_000+i)))
			w.passes(l, 2*time.Minute)
		}
		time.Sleep(coin.WatchFor)
		for range 30 {
			m.pay(req.Token, req.To, big.NewInt(10_100))
			time.Sleep(2 * time.Minute)
		}
		w.restart()
		w.passes(l, time.Hour)
		came := int64(9*1_000_000 + 30*10_100)
		if got := w.sum(l); got < 9_000_000 || got > came {
			t.Errorf("told %s of %d", l.sums(), came)
		}
		w.Stop()
	})
}

// sum adds up what was told, in units of one token.
func (w *world) sum(l ledger) (n int64) {
	for _, u := range l {
		n += u.Came.Int().Int64()
	}
	return n
}
