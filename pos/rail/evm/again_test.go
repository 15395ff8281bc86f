package evm

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// TestTokenBack: a token is taken out of the configuration while a request of it is open, is
// paid meanwhile at the shared address, and is put back days later, when its money was booked
// as nobody's. Goal: it is nobody's still, and pays for nothing; with the till on all the
// time, and started anew.
func TestTokenBack(t *testing.T) {
	for name, off := range map[string]bool{"the till was on": false, "started anew": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, booked := newWorld(t, 2, "base"), &sync.Map{} // names
				inner, m := w.change, w.chains["base"]
				w.change = func(o *Options) {
					inner(o)
					o.Shared, o.Booked = true, func(id pos.PaymentID) bool { _, known := booked.Load(id); return known }
				}
				w.start()
				r := w.Ready("usdc-base")
				p := w.Requested(r, "SALE000000001", 12_340_100) // nobody asks about it any more
				w.sleeps(20 * time.Hour)
				r = w.Ready("usdc-base")
				q := w.Requested(r, "SALE000000002", 50_000_000)
				m.pay(r.token.Contract, merchant, p.Quantity.Int())
				time.Sleep(2 * time.Minute)
				w.sleeps(unique.Hold - 19*time.Hour)
				r = w.Ready("usdc-base")
				w.Requested(r, "SALE000000003", 60_000_000) // its amount is free again
				w.restart()
				r = w.Ready("usdc-base")
				w.Found(r, q)
				time.Sleep(forget + 5*time.Minute)
				list, _ := w.w.Found().Unasked()
				if len(list) != 1 || list[0].Came.Int().Int64() != 12_340_100 {
					t.Fatalf("told %+v", list)
				}
				booked.Store(list[0].ID(), true)
				w.w.Found().Booked(list, nil)
				if off {
					w.restart()
					r = w.Ready("usdc-base")
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
