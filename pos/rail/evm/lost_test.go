package evm

import (
	"encoding/json"
	"math/big"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// TestLostWhileOff: a reorg took back what was settled while the till was off, so that it
// never saw the money go. It is lost, and it never is final that it was paid.
func TestLostWhileOff(t *testing.T) {
	for _, units := range []int64{49_000_000, 400_000_000} { // one operator, and two
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 2, "base")
			w.start()
			_, m, p, req := w.settled("SALE000000001", units)
			m.reorg(5)
			w.restart()
			r := w.Ready("usdc-base")
			if !w.watching(r, p, time.Minute, func(f pos.Finding, _ error) bool { return f.Lost }) {
				t.Fatalf("%d: not lost", units)
			}
			p.Lose(time.Now())
			m.pay(req.Token, req.To, big.NewInt(units))
			if !w.watching(r, p, time.Minute, func(f pos.Finding, _ error) bool { return f.Event == pos.Settle }) {
				t.Errorf("%d: it came again, and is not told", units)
			}
			w.Stop()
		})
	}
}

// TestLostTaken: the same of money that came astray and that a manager took as payment;
// the till never asked for it there.
func TestLostTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base", "polygon")
		w.start()
		p := w.Requested(w.Ready("usdc-polygon"), "SALE000000001", 49_000_000)
		r := w.Ready("usdc-base")
		q := pos.Payment{
			ID: pos.PaymentIDOf(p.Sale, 2), Sale: p.Sale, Attempt: 2, Tender: r.Tender(), State: pos.Settled, At: time.Now(), Moved: time.Now(),
			Quantity: r.token.Asset().UnitsOf(49_000_000), Received: r.token.Asset().UnitsOf(49_000_000), Reference: p.Reference,
		}
		if !w.watching(r, q, 3*time.Minute, func(f pos.Finding, _ error) bool { return f.Lost }) {
			t.Fatal("not lost")
		}
		q.Lose(time.Now())
		time.Sleep(coin.WatchFor)
		if !w.watching(r, q, time.Hour, func(f pos.Finding, _ error) bool {
			if f.Event == pos.Settle || f.Final && f.Event != pos.Fail {
				t.Fatalf("in the end it was paid: %+v", f)
			}
			return f.Final
		}) {
			t.Error("it never ends")
		}
		w.Stop()
	})
}

// TestNotLost: what was not read yet, what a node from before the payment says, and what
// one operator of two says alone, is no word about a payment.
func TestNotLost(t *testing.T) {
	for name, units := range map[string]int64{"a node lags": 49_000_000, "one operator hides it": 400_000_000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, "base")
				w.start()
				time.Sleep(10 * time.Minute)
				_, m, p, _ := w.settled("SALE000000001", units)
				before := m.head() - 30
				old := func(method string, ps []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
					for i := range ps {
						if string(ps[i]) == `"latest"` {
							ps[i] = hexNum(before + (m.head()-before)/30)
						}
					}
					return next(method, ps)
				}
				w.Stop()
				if units < 50_000_000 {
					w.each(func(l *line) { l.Through(old) })
				} else {
					w.lines["base-0.example"].Lies(func(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
						if method == "eth_call" && len(r) > 2+2+3*64 { // the head of a look, and nothing found
							return slices.Concat(r[:1+2+3*64], []byte(`"`))
						}
						return r
					})
				}
				w.start()
				if w.watching(w.Rail("usdc-base"), p, 10*time.Minute, func(f pos.Finding, _ error) bool { return f.Lost || f.Final }) {
					t.Error("it is lost")
				}
				w.Stop()
			})
		})
	}
}
