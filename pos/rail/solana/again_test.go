package solana

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// TestTokenBack: a token is taken out of the configuration while a request of it is open, is
// paid meanwhile, and is put back days later, when its money was booked as nobody's. Goal: it
// is nobody's still, and pays for nothing; with the till on all the time, and started anew.
func TestTokenBack(t *testing.T) {
	for name, off := range map[string]bool{"the till was on": false, "started anew": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var booked sync.Map // names
				w := newWorld(t, small, 1)
				w.closed = &cointest.Memory{}
				w.change = func(o *Options) {
					o.Closed, o.Booked = w.closed, func(id pos.PaymentID) bool { _, known := booked.Load(id); return known }
				}
				w.start()
				r := w.Ready("usdc-solana")
				p := w.Requested(r, "SALE000000001", 12_340_000) // nobody asks about it any more
				time.Sleep(20 * time.Hour)
				q := w.Requested(r, "SALE000000002", 50_000_000)
				w.stranger(12_340_000) // from a wallet that drops references
				time.Sleep(unique.Hold - 19*time.Hour)
				w.Found(r, q)
				w.Requested(r, "SALE000000003", 60_000_000) // its amount is free again
				w.restart()
				r = w.Ready("usdc-solana")
				w.Found(r, q)
				time.Sleep(coin.ForgetAfter)
				list, sum := w.unasked()
				if len(list) != 1 || sum != 12_340_000 {
					t.Fatalf("told %+v", list)
				}
				booked.Store(list[0].ID(), true)
				w.w.Found().Booked(list, nil)
				if off {
					w.restart()
					r = w.Ready("usdc-solana")
				}
				for range 30 {
					if f, err := r.Check(t.Context(), p); err == nil && (f.Event == pos.Settle || !f.Received.IsZero()) {
						t.Fatalf("it pays as well: %+v", f)
					}
					time.Sleep(10 * time.Second)
				}
				w.Stop()
			})
		})
	}
}
