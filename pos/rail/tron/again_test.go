package tron

import (
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// TestTokenBack: a token is taken out of the configuration while a request of it is open, is
// paid meanwhile, and is put back days later, when its money was booked as nobody's. Goal: it
// is nobody's still, and pays for nothing; with the till on all the time, and started anew.
func TestTokenBack(t *testing.T) {
	for name, off := range map[string]bool{"the till was on": false, "started anew": true} {
		t.Run(name, func(t *testing.T) {
			watched(t, small, func(t *testing.T, l *lab, m *mem, r *Rail) {
				var booked sync.Map // names
				l.options.Booked = func(id pos.PaymentID) bool { _, known := booked.Load(id); return known }
				r = l.again()
				p := l.Requested(r, "SALE000000001", price) // nobody asks about it any more
				l.Stop()
				time.Sleep(20 * time.Hour)
				r = l.start().Ready("usdt-tron")
				q := l.Requested(r, "SALE000000002", 50_000_000)
				m.pay(l.usdt.Contract, merchant, p.Quantity.Int().Int64())
				l.Stop()
				time.Sleep(unique.Hold - 19*time.Hour)
				r = l.start().Ready("usdt-tron")
				l.Requested(r, "SALE000000003", 60_000_000) // its amount is free again
				r = l.again()
				l.found(r, q)
				time.Sleep(coin.ForgetAfter)
				list, sum := l.unasked()
				if len(list) != 1 || sum != p.Quantity.Int().Int64() {
					t.Fatalf("told %+v", list)
				}
				booked.Store(list[0].ID(), true)
				l.w.Found().Booked(list, nil)
				if off {
					r = l.again()
				}
				for range 30 {
					if f, err := r.Check(t.Context(), p); err == nil && (f.Event == pos.Settle || !f.Received.IsZero()) {
						t.Fatalf("it pays as well: %+v", f)
					}
					time.Sleep(10 * time.Second)
				}
			})
		})
	}
}
