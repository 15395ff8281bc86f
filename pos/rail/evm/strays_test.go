package evm

import (
	"encoding/json"
	"fmt"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// strays lists what is told as astray while p is looked at, one by one as it changes, and
// keeps it in p as the desk does.
func (w *world) strays(r *Rail, p *pos.Payment, during time.Duration) (out []string) {
	w.watching(r, *p, during, func(f pos.Finding, err error) bool {
		if f.Stray.IsZero() || f.Stray.Asset.ID == p.Stray.Asset.ID && f.Stray.Cmp(p.Stray) == 0 {
			return false
		}
		p.Stray = f.Stray
		out = append(out, f.Stray.Number()+" "+f.Stray.Asset.ID[:9])
		return true
	})
	return out
}

// TestStrayStays: of money on several networks the one is told that was told before, over
// restarts, and after the owner swept it.
func TestStrayStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base", "polygon", "ethereum")
		w.start()
		r, _, p, req := w.owed("SALE000000001", 49_000_000)
		w.Requested(r, "SALE000000002", 1) // writes the book
		w.chains["polygon"].pay(w.usdc("polygon").Contract, req.To, big.NewInt(49_000_000))
		if got := w.strays(r, &p, time.Minute); len(got) != 1 || got[0] != "49.0000 eip155:13" {
			t.Fatalf("told %q", got)
		}
		p = w.Moved(p, pos.Doubt)
		w.chains["ethereum"].pay(w.usdc("ethereum").Contract, req.To, big.NewInt(3_000_000))
		for i, do := range []func(){
			func() {}, func() { w.restart(); r = w.Rail("usdc-base") },
			func() { w.chains["polygon"].sweep(w.usdc("polygon").Contract, req.To) }, func() { w.restart(); r = w.Rail("usdc-base") },
		} {
			do()
			if got := w.strays(r, &p, 5*time.Minute); len(got) != 0 {
				t.Errorf("step %d: told %q", i, got)
			}
		}
		w.Stop()
	})
}

// TestStrayGone: a reorg took back what came astray. The finding says so, by its asset
// with nothing of it, also after a restart; not before that network was looked at.
func TestStrayGone(t *testing.T) {
	for _, off := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 2, "base", "polygon")
			w.start()
			r, _, p, req := w.owed("SALE000000001", 49_000_000)
			w.Requested(r, "SALE000000002", 1) // writes the book
			w.chains["polygon"].pay(w.usdc("polygon").Contract, req.To, big.NewInt(49_000_000))
			if got := w.strays(r, &p, time.Minute); len(got) != 1 {
				t.Fatalf("told %q", got)
			}
			p = w.Moved(p, pos.Doubt)
			gone := func(f pos.Finding, err error) bool {
				return err == nil && f.Stray.IsZero() && f.Stray.Asset.ID == p.Stray.Asset.ID
			}
			if w.watching(r, p, time.Minute, gone) {
				t.Fatal("it is there, and told as gone")
			}
			if w.chains["polygon"].reorg(40); off {
				w.each((*line).Cut)
				w.restart()
				r = w.Rail("usdc-base")
				w.lines["base-0.example"].Mend()
				w.lines["base-1.example"].Mend()
				if w.watching(r, p, time.Minute, gone) {
					t.Fatal("nobody looked, and it is told as gone")
				}
				w.each((*line).Mend)
			}
			if !w.watching(r, p, 5*time.Minute, gone) {
				t.Errorf("off %v: it is not told", off)
			}
			w.Stop()
		})
	}
}

// TestStrayAfterSweep: the owner swept what came astray, and then more of it comes: all of
// it is told, over a restart, too; and of one operator that gives no events what is there.
func TestStrayAfterSweep(t *testing.T) {
	for name, row := range map[string]struct {
		off, mute bool
		old       time.Duration // how old the chain is
		want      string
	}{
		"till on": {want: "52.0000 eip155:13"}, "new start": {off: true, old: 50 * time.Hour, want: "52.0000 eip155:13"},
		"new start, new chain": {off: true, want: "52.0000 eip155:13"}, "without events nothing less": {mute: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, "base", "polygon")
				time.Sleep(row.old)
				w.start()
				r, _, p, req := w.owed("SALE000000001", 49_000_000)
				w.Requested(r, "SALE000000002", 1) // writes the book
				m, token := w.chains["polygon"], w.usdc("polygon").Contract
				m.pay(token, req.To, big.NewInt(49_000_000))
				if got := w.strays(r, &p, time.Minute); len(got) != 1 {
					t.Fatalf("told %q", got)
				}
				p = w.Moved(p, pos.Doubt)
				if row.mute {
					w.each(func(l *line) {
						l.Through(func(method string, ps []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
							if method == "eth_getLogs" {
								return nil, &rpcFault{Code: -32601, Message: "eth_getLogs is disabled"}
							}
							return next(method, ps)
						})
					})
				}
				m.sweep(token, req.To)
				if time.Sleep(time.Minute); row.off {
					w.restart()
					r = w.Ready("usdc-base")
				}
				m.pay(token, req.To, big.NewInt(3_000_000))
				if got := fmt.Sprint(w.strays(r, &p, 15*time.Minute)); got != "["+row.want+"]" {
					t.Errorf("told %s", got)
				}
				w.Stop()
			})
		})
	}
}

// TestStrayAfterLastWord: other money comes to the address of a sale that is paid: the desk
// never asks about it. It is told of when nobody asks about the sale any more, once, and so
// is what comes when it was swept.
func TestStrayAfterLastWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := newWorld(t, 2, "base", "polygon"), ledger{}
		w.start()
		r, _, p, req := w.settled("SALE000000001", 12_340_100)
		m, token := w.chains["polygon"], w.usdc("polygon").Contract
		p.Stray = w.usdc("polygon").Asset().UnitsOf(2_000_000) // it came before, and the desk has it
		m.pay(token, req.To, big.NewInt(9_000_000))
		w.closed(r, &p)
		w.passes(l, forget+5*time.Minute)
		if got := l.sums(); got != "1: 7000000 USDC on Polygon" {
			t.Fatalf("told %s", got)
		}
		m.sweep(token, req.To)
		time.Sleep(5 * time.Minute)
		m.pay(token, req.To, big.NewInt(3_000_000))
		w.passes(l, 20*time.Minute)
		w.restart()
		w.passes(l, forget+20*time.Minute)
		if got := l.sums(); got != "2: 10000000 USDC on Polygon" {
			t.Errorf("told %s", got)
		}
		w.Stop()
	})
}

// TestTakenAfterLastWord: a manager made a payment of what came astray. More of it, after
// that one's last word, is told of once.
func TestTakenAfterLastWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := newWorld(t, 2, "base", "polygon"), ledger{}
		w.start()
		r, _, p, req := w.owed("SALE000000001", 49_000_000)
		m, token := w.chains["polygon"], w.usdc("polygon")
		m.pay(token.Contract, req.To, big.NewInt(49_000_000))
		if got := w.strays(r, &p, time.Minute); len(got) != 1 {
			t.Fatalf("told %q", got)
		}
		other := w.Rail("usdc-polygon")
		q := pos.Payment{
			ID: pos.PaymentIDOf(p.Sale, 2), Sale: p.Sale, Attempt: 2, Tender: other.Tender(), State: pos.Settled, At: time.Now(), Moved: time.Now(),
			Quantity: token.Asset().UnitsOf(49_000_000), Received: token.Asset().UnitsOf(49_000_000), Reference: p.Reference,
		}
		p.State, p.StrayIn, p.StrayBack = pos.Unknown, q.ID, p.Stray
		w.Found(other, q)
		m.pay(token.Contract, req.To, big.NewInt(3_000_000)) // more of it, which is q's: the desk asks about both
		w.chains["base"].pay(w.usdc("base").Contract, req.To, big.NewInt(49_000_000))
		p.Received = w.Becomes(r, p, pos.Settle).Received
		p = w.Moved(p, pos.Settle)
		w.closed(other, &q)
		w.closed(r, &p)
		if q.Received.Int().Int64() != 52_000_000 {
			t.Fatalf("received %v", q.Received)
		}
		w.passes(l, forget)
		m.pay(token.Contract, req.To, big.NewInt(5_000_000))
		for range 3 {
			w.passes(l, forget+5*time.Minute)
			w.restart()
		}
		for _, u := range l {
			if u.Of != q.ID {
				t.Errorf("told as %+v", u)
			}
		}
		w.chains["polygon"].final.Store(1_000_000) // what comes now keeps the second one longer
		w.sleeps(22 * time.Hour)
		m.pay(token.Contract, req.To, big.NewInt(2_000_000))
		w.passes(l, 3*time.Hour)
		if got := l.sums(); got != "1: 5000000 USDC on Polygon" {
			t.Errorf("told %s", got)
		}
		w.Stop()
	})
}
