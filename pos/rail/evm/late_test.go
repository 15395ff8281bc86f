package evm

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// TestAlarmsAreNotPushedOut: a stranger's many notices hide neither that a payment was taken
// back nor that a new address had been used.
func TestAlarmsAreNotPushedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base")
		w.start()
		w.chains["base"].final.Store(600)
		r, m, p, _ := w.settled("SALE000000001", 12_340_100)
		m.reorg(20)
		if !w.watching(r, p, time.Minute, func(f pos.Finding, _ error) bool { return f.Lost }) {
			t.Fatal("not lost")
		}
		_, salt := w.w.book.peek()
		m.pay(r.token.Contract, AddressOf(merchant, salt), big.NewInt(1))
		time.Sleep(3 * time.Second)
		w.Requested(r, "SALE000000002", 1)
		for i := range 100 {
			r.c.notices.Tell(fmt.Sprint(i), fmt.Sprint(i))
		}
		if !cointest.Told(r, "ALARM") || !cointest.Told(r, "was used before") {
			t.Errorf("the owner reads %q", r.Health().Notices)
		}
		w.Stop()
	})
}

// ledger is what the desk books of what it is told: each thing once, by its key.
type ledger map[string]pos.Unasked

// book books what w tells, as the desk does every second.
func (l ledger) book(w *world) {
	came, beyond := w.w.Found().Unasked()
	for _, u := range came {
		if _, known := l[u.Key]; !known {
			l[u.Key] = u
		}
	}
	w.w.Found().Booked(came, beyond)
}

// sums adds up what was booked of each asset, by the end of its name, and counts it.
func (l ledger) sums() string {
	sums := map[string]*big.Int{}
	for _, u := range l {
		sums[u.Network] = new(big.Int).Add(u.Came.Int(), cmp.Or(sums[u.Network], new(big.Int)))
	}
	var out []string
	for _, on := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, fmt.Sprintf("%s %s", sums[on], on))
	}
	return fmt.Sprintf("%d: %s", len(l), strings.Join(out, ", "))
}

// passes lets time pass while the desk books.
func (w *world) passes(l ledger, during time.Duration) {
	for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(10 * time.Second) {
		l.book(w)
	}
	l.book(w)
}

// sleeps is a till that is off for a while.
func (w *world) sleeps(during time.Duration) {
	w.Stop()
	time.Sleep(during)
	w.start()
}

// closed asks about p, which is paid, until its last word, as the desk does; and then no more.
func (w *world) closed(r *Rail, p *pos.Payment) {
	w.T.Helper()
	if !w.watching(r, *p, coin.YoungFor+15*time.Minute, func(f pos.Finding, _ error) bool {
		if f.Received.Cmp(p.Received) > 0 {
			p.Received = f.Received
		}
		return f.Final
	}) {
		w.T.Fatal("no last word")
	}
}

// forget lets the time pass after which nobody asks about a payment any more.
const forget = coin.ForgetAfter + time.Minute

// TestSecondPayment: more comes to a sale's address when its payment had its last word:
// before and after a sweep, with the till on and off. It is told once, whole, and the same
// after each restart.
func TestSecondPayment(t *testing.T) {
	for name, do := range map[string]struct {
		swept, off, mute bool
	}{
		"not swept": {}, "swept": {swept: true}, "swept, till off": {swept: true, off: true}, "till off": {off: true}, "not booked before the restart": {mute: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, l := newWorld(t, 2, "base"), ledger{}
				w.start()
				r, m, p, req := w.settled("SALE000000001", 12_340_100)
				w.closed(r, &p)
				pay := func(units int64) {
					if do.off {
						w.Stop()
					}
					m.pay(req.Token, req.To, big.NewInt(units))
					if do.swept {
						time.Sleep(4 * time.Second)
						m.sweep(req.Token, req.To)
					}
					if time.Sleep(4 * time.Second); do.off {
						w.start()
						r = w.Ready("usdc-base")
					}
				}
				if do.swept {
					m.sweep(req.Token, req.To)
				}
				w.passes(l, forget)
				if len(l) != 0 {
					t.Fatalf("nothing came, and %s is told", l.sums())
				}
				pay(5_000_000)
				if do.mute {
					time.Sleep(forget + 15*time.Minute)
					w.restart()
				}
				w.passes(l, forget+15*time.Minute)
				if got := l.sums(); got != "1: 5000000 USDC on Base" {
					t.Fatalf("told %s", got)
				}
				for _, u := range l {
					if u.Of != p.ID || u.Tx != req.To.String() || !do.off && u.At.IsZero() || !u.Valid() {
						t.Errorf("%+v", u)
					}
				}
				w.restart()
				w.passes(l, forget+15*time.Minute)
				pay(3_000_000)
				w.passes(l, forget+15*time.Minute)
				w.restart()
				w.passes(l, forget+15*time.Minute)
				if got := l.sums(); got != "2: 8000000 USDC on Base" {
					t.Errorf("told %s", got)
				}
				if do.swept && !do.off {
					w.sleeps(coin.WatchFor)
					w.passes(l, time.Hour)
					if _, kept := w.w.book.find(p.ID); kept {
						t.Error("watched for ever")
					}
				}
				w.Stop()
			})
		})
	}
}

// TestLateIsNotUnasked: what comes while the desk asks is the payment's, and nobody else's,
// however often the till starts anew; also when the desk did not hear the last word.
func TestLateIsNotUnasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := newWorld(t, 2, "base"), ledger{}
		w.start()
		r, m, p, req := w.settled("SALE000000001", 12_340_100)
		time.Sleep(10 * time.Minute)
		m.pay(req.Token, req.To, big.NewInt(5_000_000))
		w.closed(r, &p)
		if p.Received.Int().Int64() != 17_340_100 {
			t.Fatalf("received %v", p.Received)
		}
		m.pay(req.Token, req.To, big.NewInt(2_000_000)) // the till died before the last word was booked
		w.restart()
		r = w.Ready("usdc-base")
		w.passes(l, 5*time.Minute) // the desk is slow
		w.closed(r, &p)
		if p.Received.Int().Int64() != 19_340_100 {
			t.Fatalf("received %v", p.Received)
		}
		for range 3 {
			w.passes(l, time.Hour)
			w.restart()
		}
		if len(l) != 0 {
			t.Errorf("told %s, too", l.sums())
		}
		w.Stop()
	})
}

// TestLateReorg: what no final block has is not told.
func TestLateReorg(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := newWorld(t, 2, "base"), ledger{}
		w.start()
		r, m, p, req := w.settled("SALE000000001", 12_340_100)
		w.closed(r, &p)
		w.passes(l, forget)
		m.final.Store(600) // twenty minutes
		m.pay(req.Token, req.To, big.NewInt(5_000_000))
		w.passes(l, 15*time.Minute)
		m.reorg(550)
		w.passes(l, time.Hour)
		if len(l) != 0 {
			t.Fatalf("told %s", l.sums())
		}
		m.pay(req.Token, req.To, big.NewInt(4_000_000))
		w.passes(l, time.Hour)
		if got := l.sums(); got != "1: 4000000 USDC on Base" {
			t.Errorf("told %s", got)
		}
		w.Stop()
	})
}

// TestLastWordIsKept: without a disk the last word is not said; nor is more told of before
// it is on the disk. A book whose figures cannot be is damaged.
func TestLastWordIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := newWorld(t, 2, "base"), ledger{}
		w.start()
		fails := func(err error) { w.Store.Fails(err) }
		r, m, p, req := w.settled("SALE000000001", 12_340_100)
		fails(errors.New("disk full"))
		if w.watching(r, p, coin.YoungFor+15*time.Minute, func(f pos.Finding, _ error) bool { return f.Final }) {
			t.Fatal("a last word that is not kept")
		}
		fails(nil)
		w.closed(r, &p)
		w.passes(l, forget)
		fails(errors.New("disk full"))
		m.pay(req.Token, req.To, big.NewInt(5_000_000))
		if w.passes(l, 10*time.Minute); len(l) != 0 {
			t.Fatalf("told %s", l.sums())
		}
		fails(nil)
		if w.passes(l, 10*time.Minute); l.sums() != "1: 5000000 USDC on Base" {
			t.Fatalf("told %s", l.sums())
		}
		w.Stop()
		for _, bad := range []string{`"units":["x"]`, `"units":[]`, `"units":["5","5"]`, `"units":["-1"]`, `"units":["` + strings.Repeat("9", 90) + `"]`} {
			b := bytes.Replace(w.Store.Bytes(), []byte(`"units":["12340100","17340100"]`), []byte(bad), 1)
			if _, err := openBook(cointest.Kept(b)); bytes.Equal(b, w.Store.Bytes()) || pos.KindOf(err) != pos.Corrupt {
				t.Errorf("%s: %v", bad, err)
			}
		}
	})
}

// TestLateDust: what is less than a whole token waits until the end, and is told then.
func TestLateDust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := newWorld(t, 2, "base"), ledger{}
		w.start()
		r, m, p, req := w.settled("SALE000000001", 12_340_100)
		w.closed(r, &p)
		w.passes(l, forget)
		for range 30 {
			m.pay(req.Token, req.To, big.NewInt(10_001))
			w.passes(l, 5*time.Minute)
		}
		if len(l) != 0 {
			t.Fatalf("told %s", l.sums())
		}
		w.sleeps(coin.WatchFor)
		w.passes(l, time.Hour)
		if l.sums() != "1: 300000 USDC on Base" { // in whole steps
			t.Errorf("told %s", l.sums())
		}
		w.Stop()
	})
}
