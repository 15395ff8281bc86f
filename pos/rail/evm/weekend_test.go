package evm

import (
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// TestSharedWeekend: a customer pays on Saturday evening when the shop has closed, and the
// till is on again on Monday, long after the end of all watching, before an endpoint that
// gives a few blocks' events at once. Goal: no last word is said of what was not read yet,
// and the money is found.
func TestSharedWeekend(t *testing.T) {
	for name, most := range map[string]uint64{"any": 0, "a thousand at once": 1000, "twenty at once": 20} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, "base")
				inner, m := w.change, w.chains["base"]
				w.change = func(o *Options) { inner(o); o.Shared = true }
				if most > 0 {
					w.each(func(l *line) { l.Through(atMost(most)) })
				}
				w.start()
				r := w.Ready("usdc-base")
				p := w.Requested(r, "SALE000000001", 12_340_100)
				w.Stop()
				m.pay(r.token.Contract, merchant, big.NewInt(12_340_100))
				time.Sleep(38 * time.Hour)
				w.start()
				r = w.Ready("usdc-base")
				if !w.watching(r, p, time.Hour, func(f pos.Finding, _ error) bool {
					if f.Final && f.Event != pos.Settle {
						t.Fatalf("the last word is %+v", f)
					}
					return f.Event == pos.Settle
				}) {
					t.Errorf("never found; the owner reads %q", r.Health().Notices)
				}
				w.Stop()
			})
		})
	}
}

// TestSharedAskedLate: the book is lost, and the till asks about an old request when newer
// blocks were read already. Goal: what came for it before is found all the same.
func TestSharedAskedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := oneWallet(t)
		r, m := w.Ready("usdc-base"), w.chains["base"]
		p := w.Requested(r, "SALE000000001", 12_340_100)
		m.pay(r.token.Contract, merchant, big.NewInt(12_340_100))
		w.Stop()
		w.Store.Put(nil)
		time.Sleep(10 * time.Minute)
		w.start()
		r = w.Ready("usdc-base")
		w.Requested(r, "SALE000000002", 50_000_000)
		time.Sleep(time.Minute)
		w.Becomes(r, p, pos.Settle)
		w.Stop()
	})
}
