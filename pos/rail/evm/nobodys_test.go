package evm

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// TestNobodys: strangers pay to the shop's wallet. What fits no request is told once, by its
// event, whatever its token; dust too; and not again what was told before the start.
func TestNobodys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := oneWallet(t), ledger{}
		r, m := w.Ready("usdc-base"), w.chains["base"]
		time.Sleep(forget)
		p := w.Requested(r, "SALE000000001", 12_340_100)
		m.pay(r.token.Contract, merchant, big.NewInt(7_000_000))
		m.pay(r.token.Contract, merchant, big.NewInt(7_000_000)) // the same again is another one
		m.pay(r.token.Contract, merchant, big.NewInt(500))
		m.pay(w.usdc("base").Contract, merchant, big.NewInt(12_340_100)) // the sale's
		p.Received = w.Becomes(r, p, pos.Settle).Received
		p = w.Moved(p, pos.Settle)
		w.closed(r, &p)
		w.passes(l, forget)
		if got := l.sums(); got != "3: 14000500 USDC on Base" {
			t.Fatalf("told %s", got)
		}
		for key, u := range l {
			if u.Of != "" || !strings.HasPrefix(key, "eip155:8453/"+strings.TrimPrefix(u.Tx, "0x")+"/") || !u.Dust() && u.At.IsZero() || !u.Valid() {
				t.Errorf("%s: %+v", key, u)
			}
		}
		w.Requested(r, "SALE000000002", 1_000_000) // writes the book
		w.restart()
		m.pay(w.usdc("base").Contract, merchant, big.NewInt(3_000_000))
		again := ledger{}
		w.passes(again, forget+5*time.Minute)
		if got := again.sums(); got != "1: 3000000 USDC on Base" {
			t.Errorf("after a restart told %s", got)
		}
		w.Stop()
	})
}

// TestNobodysKeys: what is told again after a start without the book's last write has the
// same names.
func TestNobodysKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := oneWallet(t), ledger{}
		r, m := w.Ready("usdc-base"), w.chains["base"]
		w.Requested(r, "SALE000000001", 12_340_100)
		m.pay(r.token.Contract, merchant, big.NewInt(7_000_000))
		for range 3 {
			w.passes(l, forget+5*time.Minute)
			w.restart()
		}
		if got := l.sums(); got != "1: 7000000 USDC on Base" {
			t.Errorf("told %s", got)
		}
		w.Stop()
	})
}

// TestNobodysAreNot: what may still become a payment's, what was one's, what another till
// tells of, what the owner swept, and what a reorg takes back, is not told.
func TestNobodysAreNot(t *testing.T) {
	for name, does := range map[string]func(w *world, r *Rail, m *mem, l ledger){
		"of a request that the book lost": func(w *world, r *Rail, m *mem, l ledger) {
			p := w.Requested(r, "SALE000000001", 12_340_100)
			w.Stop()
			w.Store.Put(nil)
			m.pay(r.token.Contract, merchant, big.NewInt(12_340_100))
			w.start()
			r = w.Ready("usdc-base")
			w.Requested(r, "SALE000000002", 99_000_000)
			w.passes(l, 5*time.Minute) // the desk is slow
			w.Becomes(r, p, pos.Settle)
		},
		"swept by the owner": func(w *world, r *Rail, m *mem, l ledger) {
			w.Requested(r, "SALE000000001", 12_340_100)
			m.mu.Lock()
			m.paid = append(m.paid, payment1{block: m.head() + 1, token: r.token.Contract, to: merchant, units: big.NewInt(7_000_000), by: Factory})
			m.mu.Unlock()
		},
		"taken back": func(w *world, r *Rail, m *mem, l ledger) {
			w.Requested(r, "SALE000000001", 12_340_100)
			time.Sleep(20 * time.Minute)
			m.final.Store(600)
			m.pay(r.token.Contract, merchant, big.NewInt(7_000_000))
			w.passes(l, 15*time.Minute)
			m.reorg(550)
		},
		"paid in its last hour, and the till starts anew when it is over": func(w *world, r *Rail, m *mem, l ledger) {
			p := w.Requested(r, "SALE000000001", 12_340_100)
			w.sleeps(23 * time.Hour)
			r = w.Ready("usdc-base")
			q := w.Requested(r, "SALE000000002", 50_000_000) // the events are read from here after the start
			m.pay(r.token.Contract, merchant, big.NewInt(12_340_100))
			p.Received = w.Becomes(r, p, pos.Settle).Received
			p = w.Moved(p, pos.Settle)
			w.closed(r, &p)
			w.passes(l, 2*time.Hour)
			w.Requested(r, "SALE000000003", 1_000_000) // writes the book
			if _, kept := w.w.book.find(p.ID); kept {
				w.T.Fatal("it is kept")
			}
			w.restart()
			r = w.Ready("usdc-base")
			w.Found(r, q)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, l := oneWallet(t), ledger{}
				does(w, w.Ready("usdc-base"), w.chains["base"], l)
				w.passes(l, time.Hour)
				if len(l) != 0 {
					t.Errorf("told %s", l.sums())
				}
				w.Stop()
			})
		})
	}
}

// TestNobodysInvented: one operator invents a large transfer that the other does not know.
func TestNobodysInvented(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := oneWallet(t), ledger{}
		r, m := w.Ready("usdc-base"), w.chains["base"]
		w.Requested(r, "SALE000000001", 12_340_100)
		w.lines["base-0.example"].Lies(func(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
			return json.RawMessage(strings.ReplaceAll(string(r), fmt.Sprintf("%064x", 2_000_000), fmt.Sprintf("%064x", 700_000_000)))
		})
		m.pay(r.token.Contract, merchant, big.NewInt(2_000_000)) // a real one to copy
		w.passes(l, time.Hour)
		if len(l) != 0 {
			t.Errorf("told %s", l.sums())
		}
		w.lines["base-0.example"].Lies(nil)
		w.restart()
		w.passes(l, time.Hour)
		if got := l.sums(); got != "1: 2000000 USDC on Base" {
			t.Errorf("told %s", got)
		}
		w.Stop()
	})
}

// TestNobodysLanes: of two tills at one wallet exactly one tells.
func TestNobodysLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newWorld(t, 2, "base")
		b := &world{newLab(t), a.chains, a.lines, a.pipes}
		inner, all := a.change, ledger{}
		for n, w := range []*world{a, b} {
			w.change = func(o *Options) { inner(o); o.Shared, o.Lane = true, unique.Lane{N: n, Of: 2} }
			w.start()
			w.Requested(w.Ready("usdc-base"), "SALE000000001", 12_340_000)
		}
		for n := range int64(6) {
			a.chains["base"].pay(a.usdc("base").Contract, merchant, big.NewInt(7_000_000+50*n))
		}
		a.chains["base"].pay(a.usdc("base").Contract, merchant, big.NewInt(12_340_100)) // the second one's sale
		time.Sleep(forget + 5*time.Minute)
		told := 0
		for _, w := range []*world{a, b} {
			l := ledger{}
			l.book(w)
			told += len(l)
			for key, u := range l {
				all[key] = u
			}
		}
		if got := all.sums(); told != 6 || got != "6: 42000750 USDC on Base" {
			t.Errorf("told %d, %s", told, got)
		}
		a.Stop()
		b.Stop()
	})
}

// TestSecondShared: an exchange sends a sale's amount again when that had its last word.
func TestSecondShared(t *testing.T) {
	for _, off := range []bool{false, true} {
		t.Run(fmt.Sprintf("off %v", off), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, l := oneWallet(t), ledger{}
				r, m := w.Ready("usdc-base"), w.chains["base"]
				p := w.Requested(r, "SALE000000001", 12_340_100)
				m.pay(r.token.Contract, merchant, big.NewInt(12_340_100))
				p.Received = w.Becomes(r, p, pos.Settle).Received
				p = w.Moved(p, pos.Settle)
				time.Sleep(time.Minute)
				m.pay(r.token.Contract, merchant, big.NewInt(12_340_100)) // the desk still asks: this is the payment's
				w.closed(r, &p)
				if p.Received.Int().Int64() != 24_680_200 {
					t.Fatalf("received %v", p.Received)
				}
				if off {
					w.Stop()
				}
				m.pay(r.token.Contract, merchant, big.NewInt(12_340_100))
				if time.Sleep(time.Minute); off {
					w.start()
				}
				w.passes(l, forget+10*time.Minute)
				w.restart()
				w.passes(l, forget+10*time.Minute)
				if got := l.sums(); got != "1: 12340100 USDC on Base" {
					t.Fatalf("told %s", got)
				}
				for _, u := range l {
					if u.Of != p.ID {
						t.Errorf("%+v", u)
					}
				}
				if off {
					w.sleeps(coin.WatchFor)
					w.passes(l, time.Hour)
					if _, kept := w.w.book.find(p.ID); kept || len(l) != 1 {
						t.Errorf("kept %v; told %s", kept, l.sums())
					}
				}
				w.Stop()
			})
		})
	}
}
