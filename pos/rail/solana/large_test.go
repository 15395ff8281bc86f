package solana

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// swollen makes an operator's answers to a method larger, by what is given for each.
func swollen(l *line, method string, by func(params []json.RawMessage) int) {
	l.Lies(func(m string, params []json.RawMessage, r json.RawMessage) json.RawMessage {
		n := 0
		if m == method {
			n = by(params)
		}
		if n == 0 || string(r) == "null" {
			return r
		}
		pad := `"pad":"` + strings.Repeat("x", n) + `"`
		if r[0] == '[' { // of a list the first one is
			if len(r) == 2 {
				return r
			}
			return json.RawMessage("[{" + pad + "," + string(r[2:]))
		}
		return json.RawMessage("{" + pad + "," + string(r[1:]))
	})
}

// sizes are those of transactions, by their signatures.
type sizes struct {
	mu sync.Mutex
	of map[string]int
}

func (s *sizes) set(sig string, n int) { s.mu.Lock(); defer s.mu.Unlock(); s.of[sig] = n }

func (s *sizes) ask(params []json.RawMessage) int {
	var sig string
	if json.Unmarshal(params[0], &sig) != nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[sig]
}

// TestLargeTransactions: strangers send transactions that together, or each alone, are
// more than an answer may be. Customers pay all the same, with their reference or without,
// also before two operators; who made his own so large is paid when it can be read.
func TestLargeTransactions(t *testing.T) {
	for name, c := range map[string]struct {
		policy    Policy
		operators int
		size      int
	}{
		"large together": {small, 1, 700_000}, "large alone": {small, 1, 1 << 20}, "two operators": {both, 2, 700_000},
	} {
		if testing.Short() && !strings.HasSuffix(name, "together") {
			continue // the race detector makes minutes of a megabyte
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, c.policy, c.operators)
				large := &sizes{of: map[string]int{}}
				w.each(func(l *line) { swollen(l, "getTransaction", large.ask) })
				w.start()
				r := w.Ready("usdc-solana")
				spam := func() {
					for range 3 {
						large.set(w.m.pay(sent{merchant, r.token.Mint, 1, nil}), c.size)
					}
				}
				for sale, form := range map[string]int{"SALE000000001": 0, "SALE000000002": 1} {
					p := w.Requested(r, sale, 20_000_000)
					spam()
					w.m.pay(asks(t, p.Forms[form].Payload))
					spam()
					w.Becomes(r, p, pos.Settle)
				}
				var own []pos.Payment
				for _, sale := range []string{"SALE000000003", "SALE000000004"} {
					p := w.Requested(r, sale, 30_000_000)
					large.set(w.m.pay(asks(t, p.Payload)), c.size)
					own = append(own, p)
				}
				q := w.Requested(r, "SALE000000005", 30_000_000)
				w.m.pay(asks(t, q.Payload))
				w.Becomes(r, q, pos.Settle)
				for _, p := range own {
					if c.size < 1<<20 {
						w.Becomes(r, p, pos.Settle)
					}
				}
				time.Sleep(time.Minute)
				if h := r.Health(); !h.Ready || (c.size >= 1<<20) != cointest.Told(r, "could not be read") {
					t.Errorf("%+v", h)
				}
				w.Stop()
			})
		})
	}
}

// TestLargeLists: memos of strangers make the list of an account, or of a reference, more
// than an answer may be. Customers pay all the same.
func TestLargeLists(t *testing.T) {
	for name, size := range map[string]func(home bool, limit float64) int{
		"all together": func(bool, float64) int { return 400_000 },
		"each alone":   func(_ bool, limit float64) int { return int(limit) * 11_000 },
		"references, however few": func(home bool, _ float64) int {
			if home {
				return 0
			}
			return 1 << 20
		},
	} {
		if testing.Short() && !strings.HasSuffix(name, "together") {
			continue // the race detector makes minutes of a megabyte
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, small, 1)
				swollen(w.lines[0], "getSignaturesForAddress", func(params []json.RawMessage) int {
					var at Key
					o := map[string]any{}
					if json.Unmarshal(params[0], &at) != nil || json.Unmarshal(params[1], &o) != nil {
						return 0
					}
					home := false
					for _, k := range w.m.homes {
						home = home || k == at
					}
					return size(home, o["limit"].(float64))
				})
				w.start()
				r := w.Ready("usdc-solana")
				var all []pos.Payment
				for _, sale := range []string{"SALE000000001", "SALE000000002", "SALE000000003"} {
					p := w.Requested(r, sale, 5_000_000)
					w.m.pay(sent{merchant, r.token.Mint, 1, asks(t, p.Payload).references})
					w.m.pay(sent{merchant, keyOf("eurc"), 1, nil})
					w.m.pay(sent{merchant, keyOf("usdt"), 1, nil})
					all = append(all, p)
				}
				time.Sleep(time.Minute)
				for i, p := range all {
					x := asks(t, p.Payload)
					if x.units--; i == 0 {
						x = asks(t, p.Forms[1].Payload)
					}
					w.m.pay(x)
				}
				for range 30 { // more than a page of few
					w.m.pay(sent{merchant, r.token.Mint, 1, nil})
				}
				for _, p := range all {
					w.Becomes(r, p, pos.Settle)
				}
				w.Stop()
			})
		})
	}
}
