package evm

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// owed is a sale of units of USDC on Base in a bubble, asked for.
func (w *world) owed(sale string, units int64) (*Rail, *mem, pos.Payment, Request) {
	w.T.Helper()
	r := w.Ready("usdc-base")
	p := w.Requested(r, sale, units)
	req, _ := at(w.T, p)
	return r, w.chains["base"], p, req
}

// settled is a sale that was paid and told, as the desk keeps it.
func (w *world) settled(sale string, units int64) (*Rail, *mem, pos.Payment, Request) {
	w.T.Helper()
	r, m, p, req := w.owed(sale, units)
	m.pay(req.Token, req.To, big.NewInt(units))
	f := w.Becomes(r, p, pos.Settle)
	p = w.Moved(p, pos.Settle)
	p.Received = f.Received
	return r, m, p, req
}

// proved is what the till has for certain of p.
func (w *world) proved(p pos.Payment) int64 {
	w.w.mu.Lock()
	defer w.w.mu.Unlock()
	return w.w.payments[p.ID].received().Int64()
}

// watching looks at p for a while, as the desk does, until done says so.
func (w *world) watching(r *Rail, p pos.Payment, during time.Duration, done func(pos.Finding, error) bool) bool {
	w.T.Helper()
	for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(time.Second) {
		if f, err := r.Check(w.T.Context(), p); done(f, err) {
			return true
		}
	}
	return false
}

// TestSweptByLag: many nodes stand behind one address, some of them blocks behind, while
// the customer pays in parts and sweeps each. What is told as come never is more than
// what came, and in the end it is all of it.
func TestSweptByLag(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, "base")
				w.start()
				r, m, p, req := w.owed("SALE000000001", 49_000_000)
				pool := rand.New(rand.NewPCG(seed, 1))
				even, asked := false, 0
				var mu sync.Mutex // two operators are asked at once
				draw := func(n uint64) uint64 { mu.Lock(); defer mu.Unlock(); return pool.Uint64N(n) }
				w.each(func(l *line) {
					l.Through(func(method string, ps []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
						lag := draw(4)
						mu.Lock()
						if asked++; method == "eth_blockNumber" {
							asked = 0
						}
						if seed == 0 { // the first to be asked after the balances is ahead of all the others
							lag = 2
							if method == "eth_getBlockByNumber" && asked == 2 {
								lag = 0
							}
						}
						honest := even
						mu.Unlock()
						ps = slices.Clone(ps)
						for i := range ps {
							if string(ps[i]) == `"latest"` && !honest {
								ps[i] = hexNum(m.head() - lag)
							}
						}
						return next(method, ps)
					})
				})
				came := int64(0)
				for range 40 {
					m.pay(req.Token, req.To, big.NewInt(1_000_000))
					came += 1_000_000
					w.watching(r, p, time.Duration(8+draw(15))*time.Second, func(f pos.Finding, _ error) bool {
						if n := w.proved(p); n > came || f.Part.Int().Int64() > came || f.Received.Int().Int64() > came {
							t.Fatalf("%d came, %d are proved, told %v, %v", came, n, f.Part, f.Received)
						}
						return false
					})
					m.sweep(req.Token, req.To)
				}
				mu.Lock()
				even = true
				mu.Unlock()
				if !w.watching(r, p, time.Minute, func(f pos.Finding, _ error) bool { return max(f.Part.Int().Int64(), f.Received.Int().Int64()) == came }) {
					t.Error("not all is told in the end")
				}
				w.Stop()
			})
		})
	}
}

// TestSweptAndAgain: what was swept stays counted, and the same sum that comes after it
// is more than was asked for.
func TestSweptAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base")
		w.start()
		r, m, p, req := w.settled("SALE000000001", 12_340_100)
		m.sweep(req.Token, req.To)
		w.watching(r, p, 30*time.Second, func(pos.Finding, error) bool { return false })
		m.pay(req.Token, req.To, big.NewInt(12_340_100))
		if !w.watching(r, p, time.Minute, func(f pos.Finding, _ error) bool { return f.Received.Int().Int64() == 24_680_200 }) {
			t.Error("the second payment is not booked")
		}
		if !cointest.Told(r, "12.3401 USDC more") {
			t.Errorf("the owner reads %q", r.Health().Notices)
		}
		m.sweep(req.Token, req.To) // and a third one, swept before anybody looked
		m.pay(req.Token, req.To, big.NewInt(5_000_000))
		m.sweep(req.Token, req.To)
		if !w.watching(r, p, 2*sweptLate, func(f pos.Finding, _ error) bool { return f.Received.Int().Int64() == 29_680_200 }) {
			t.Error("the third payment is not booked")
		}
		w.Stop()
	})
}

// TestSweptWhileOff: paid and swept while the till was off, for a sale that two
// operators and a deep block must speak for; and one that was told before.
func TestSweptWhileOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base")
		w.start()
		r, m, p, req := w.owed("SALE000000001", 2_000_000_000)
		_, _, q, other := w.settled("SALE000000002", 12_340_100)
		w.Requested(r, "SALE000000003", 1) // writes the book
		w.Stop()
		m.pay(req.Token, req.To, big.NewInt(2_000_000_000))
		m.sweep(req.Token, req.To)
		m.sweep(other.Token, other.To)
		m.pay(other.Token, other.To, big.NewInt(12_340_100))
		m.sweep(other.Token, other.To)
		time.Sleep(time.Hour)
		w.start()
		r = w.Ready("usdc-base")
		if f := w.Becomes(r, p, pos.Settle); f.Received.Int().Int64() != 2_000_000_000 {
			t.Errorf("%+v", f)
		}
		if !w.watching(r, q, time.Minute, func(f pos.Finding, _ error) bool { return f.Received.Int().Int64() == 24_680_200 }) {
			t.Error("what came twice is not booked")
		}
		w.Stop()
	})
}

// tenBlocks is a free plan: events of at most ten blocks at a time.
func tenBlocks(method string, ps []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
	if method == "eth_getLogs" {
		f, _ := rpc.Fields(ps[0])
		a, ok1 := rpc.Hex64(f["fromBlock"])
		b, ok2 := rpc.Hex64(f["toBlock"])
		if ok1 && ok2 && b-a >= 10 {
			return nil, &rpcFault{Code: -32600, Message: "up to a 10 block range"}
		}
	}
	return next(method, ps)
}

// TestSweptOnFreePlan: events come for ten blocks at a time, and a sale is two thousand
// blocks old. What was swept of it is found, nothing is called unpaid before, and
// nobody else's sale waits for it.
func TestSweptOnFreePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base")
		w.start()
		r, m, p, req := w.owed("SALE000000001", 20_000_000)
		w.each(func(l *line) { l.Through(tenBlocks) })
		time.Sleep(70 * time.Minute)
		m.pay(req.Token, req.To, big.NewInt(20_000_000))
		m.sweep(req.Token, req.To)
		time.Sleep(3 * time.Second)
		q := w.Requested(r, "SALE000000002", 5_000_000)
		w.watching(r, q, 40*time.Second, func(f pos.Finding, err error) bool {
			if err != nil || r.Health().Reason != "" {
				t.Fatalf("another sale: %+v, %v, %q", f, err, r.Health().Reason)
			}
			return false
		})
		found := w.watching(r, p, 2*time.Minute, func(f pos.Finding, err error) bool {
			if err == nil && f.Event == pos.Expire {
				t.Fatal("called unpaid while nobody knows")
			}
			return f.Event == pos.Settle && f.Received.Int().Int64() == 20_000_000
		})
		if !found {
			t.Error("what was swept is not found")
		}
		w.Stop()
	})
}

// TestSweptNoEvents: an endpoint gives no events at all. The sale that was swept is in
// doubt, and no other.
func TestSweptNoEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, "ethereum")
		inner := w.change
		w.change = func(o *Options) { inner(o); o.Registry = oneOperator(t, o.Registry, "ethereum") }
		w.start()
		r, m := w.Ready("usdc-ethereum"), w.chains["ethereum"]
		p := w.Requested(r, "SALE000000001", 20_000_000)
		req, _ := at(t, p)
		w.each(func(l *line) {
			l.Through(func(method string, ps []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
				if method == "eth_getLogs" {
					return nil, &rpcFault{Code: -32601, Message: "eth_getLogs is disabled"}
				}
				return next(method, ps)
			})
		})
		m.pay(req.Token, req.To, big.NewInt(20_000_000))
		m.sweep(req.Token, req.To)
		time.Sleep(3 * time.Second)
		q := w.Requested(r, "SALE000000002", 5_000_000)
		doubted := false
		w.watching(r, p, time.Minute, func(f pos.Finding, err error) bool {
			if err == nil && f.Event != "" {
				t.Fatalf("%+v", f)
			}
			doubted = doubted || err != nil && strings.Contains(err.Error(), "cannot be trusted")
			if _, err := r.Check(t.Context(), q); err != nil {
				t.Fatalf("another sale: %v", err)
			}
			return false
		})
		if f, err := r.Cancel(t.Context(), p); err == nil || !doubted {
			t.Errorf("in doubt: %v; cancelled: %+v, %v", doubted, f, err)
		}
		w.Stop()
	})
}

// oneOperator is a registry in which a chain's policy is content with one operator.
func oneOperator(t testing.TB, r Registry, key string) Registry {
	c, _ := r.Chain(key)
	c.Policy = small
	out, err := Registry{}.With([]Chain{c}, r.Tokens(c.ID))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestReorgOverSweep: the chain turns back over a payment and its sweep. Where no
// forwarder stands, nothing was swept: the alarm is raised.
func TestReorgOverSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base")
		w.start()
		w.chains["base"].final.Store(600)
		r, m, p, req := w.settled("SALE000000001", 12_340_100)
		m.sweep(req.Token, req.To)
		w.watching(r, p, 2*idleEvery, func(f pos.Finding, _ error) bool { return f.Lost })
		if cointest.Told(r, "ALARM") {
			t.Fatal("a sweep was taken for a reorg")
		}
		m.reorg(60)
		if !w.watching(r, p, time.Minute, func(f pos.Finding, _ error) bool { return f.Lost }) || !cointest.Told(r, "ALARM") {
			t.Errorf("no alarm; the owner reads %q", r.Health().Notices)
		}
		w.Stop()
	})
}

// TestSweptIsFinal: the shop closes, the owner sweeps in the evening, and the till is
// switched on two days later: the payment is final, and the watch over it ends.
func TestSweptIsFinal(t *testing.T) {
	for name, plan := range map[string]func(string, []json.RawMessage, answerer) (json.RawMessage, *rpcFault){
		"events": func(method string, ps []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
			return next(method, ps)
		},
		"no events": func(method string, ps []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
			if method == "eth_getLogs" {
				return nil, &rpcFault{Code: -32601, Message: "eth_getLogs is disabled"}
			}
			return next(method, ps)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, "base")
				w.start()
				r, m, p, req := w.settled("SALE000000001", 12_340_100)
				w.Requested(r, "SALE000000002", 1) // writes the book
				w.Stop()
				m.sweep(req.Token, req.To)
				time.Sleep(coin.WatchFor + 24*time.Hour)
				w.each(func(l *line) { l.Through(plan) })
				w.start()
				r = w.Ready("usdc-base")
				if !w.watching(r, p, coin.YoungFor+5*time.Minute, func(f pos.Finding, _ error) bool { return f.Final }) {
					t.Error("never final")
				}
				time.Sleep(coin.ForgetAfter + 2*time.Minute)
				if _, kept := w.w.book.find(p.ID); kept {
					t.Error("watched for ever")
				}
				w.Stop()
			})
		})
	}
}

// TestDustIsNotFinal: a forwarder that stands is no proof that the payment is final: dust
// was swept before it came.
func TestDustIsNotFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base")
		w.start()
		r, m, p, req := w.owed("SALE000000001", 12_340_100)
		m.pay(req.Token, req.To, big.NewInt(1))
		m.sweep(req.Token, req.To)
		time.Sleep(3 * time.Second)
		m.final.Store(600)
		time.Sleep(25 * time.Minute)
		m.pay(req.Token, req.To, big.NewInt(12_340_100))
		f := w.Becomes(r, p, pos.Settle)
		p = w.Moved(p, pos.Settle)
		p.Received = f.Received
		if w.watching(r, p, 15*time.Minute, func(f pos.Finding, _ error) bool { return f.Final }) {
			t.Error("final before its block was")
		}
		if !w.watching(r, p, time.Hour, func(f pos.Finding, _ error) bool { return f.Final }) {
			t.Error("never final")
		}
		w.Stop()
	})
}
