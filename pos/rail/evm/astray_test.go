package evm

import (
	"math/big"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// usdc is the token that a world's chain has under that name.
func (w *world) usdc(chain string) Token {
	w.T.Helper()
	return w.Rail(pos.Tender("usdc-" + chain)).token
}

// TestUsedElsewhere: a book that was restored gives a number again whose address holds an
// old sale's money on another chain. Nobody is asked to pay there.
func TestUsedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base", "polygon", "arbitrum")
		w.start()
		r := w.Ready("usdc-base")
		w.Ready("usdc-polygon")
		n, salt := w.w.book.peek()
		w.chains["polygon"].pay(w.usdc("polygon").Contract, AddressOf(merchant, salt), big.NewInt(49_000_000))
		swept := AddressOf(merchant, w.w.book.secret().Salt(n+1))
		w.chains["arbitrum"].sweep(w.usdc("arbitrum").Contract, swept)
		time.Sleep(time.Minute)
		p := w.Requested(r, "SALE000000001", 49_000_000)
		if req, _ := at(t, p); req.To != AddressOf(merchant, w.w.book.secret().Salt(n+2)) {
			t.Errorf("asked to pay to %s, number %d", req.To, n)
		}
		if !cointest.Told(w.Rail("usdc-polygon"), "used before") && !cointest.Told(r, "used before") {
			t.Errorf("the owner reads %q", r.Health().Notices)
		}
		if w.watching(r, p, 30*time.Second, func(f pos.Finding, _ error) bool { return !f.Stray.IsZero() }) {
			t.Error("it is told as money of the new sale")
		}
		w.Stop()
	})
}

// TestUsedOnMuteChain: another chain does not answer while an address is made; the sale
// goes on, and nobody waits for that chain.
func TestUsedOnMuteChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base", "polygon")
		w.start()
		r := w.Ready("usdc-base")
		w.Ready("usdc-polygon")
		for host, l := range w.lines {
			if strings.HasPrefix(host, "polygon") {
				l.Responds(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
			}
		}
		began := time.Now()
		p := w.Requested(r, "SALE000000001", 49_000_000)
		if took := time.Since(began); took > elsewhereLimit+time.Second {
			t.Errorf("the customer waited %v", took)
		}
		req, _ := at(t, p)
		w.chains["base"].pay(req.Token, req.To, req.Units)
		w.Becomes(r, p, pos.Settle)
		w.Stop()
	})
}

// TestMuteStray: money on a chain that did not answer when the address was made may have
// lain there before. It is named, and nobody can take it as payment by a button.
func TestMuteStray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base", "polygon")
		w.start()
		r := w.Ready("usdc-base")
		w.Ready("usdc-polygon")
		_, salt := w.w.book.peek()
		w.chains["polygon"].pay(w.usdc("polygon").Contract, AddressOf(merchant, salt), big.NewInt(49_000_000))
		time.Sleep(time.Minute)
		w.each((*line).Cut)
		w.lines["base-0.example"].Mend()
		w.lines["base-1.example"].Mend()
		p := w.Requested(r, "SALE000000001", 49_000_000)
		w.each((*line).Mend)
		if f := w.Becomes(r, p, pos.Doubt); !f.Stray.IsZero() || !strings.Contains(f.Why, "49.0000 USDC came on Polygon") {
			t.Errorf("%+v", f)
		}
		w.Stop()
	})
}

// TestMuteHeals: one operator for all chains has a hard limit, and answers nothing while an
// address is made. Its next look at the empty address says as much: what comes then came
// for this sale.
func TestMuteHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base", "polygon")
		w.start()
		r := w.Ready("usdc-base")
		w.Ready("usdc-polygon")
		limited := func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		for _, host := range []string{"polygon-0.example", "polygon-1.example"} {
			w.lines[host].Responds(limited)
		}
		p := w.Requested(r, "SALE000000001", 49_000_000)
		for _, host := range []string{"polygon-0.example", "polygon-1.example"} {
			w.lines[host].Responds(nil)
		}
		w.watching(r, p, time.Minute, func(pos.Finding, error) bool { return false })
		req, _ := at(t, p)
		w.chains["polygon"].pay(w.usdc("polygon").Contract, req.To, big.NewInt(49_000_000))
		if f := w.Becomes(r, p, pos.Doubt); f.Stray.Number() != "49.0000" {
			t.Errorf("%+v", f)
		}
		w.Stop()
	})
}

// TestForeignFrom: a payment that a manager took from another network has that network's
// block in its reference. What is swept, and what comes after, is counted all the same.
func TestForeignFrom(t *testing.T) {
	for _, off := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 2, "base")
			w.start()
			r, m, p, req := w.owed("SALE000000001", 49_000_000)
			ref, err := readReference(p.Reference)
			if err != nil {
				t.Fatal(err)
			}
			ref.from = 900_000_000
			q := pos.Payment{
				ID: pos.PaymentIDOf(p.Sale, 2), Sale: p.Sale, Attempt: 2, Tender: r.Tender(), State: pos.Settled, At: time.Now(), Moved: time.Now(),
				Quantity: p.Quantity, Received: p.Quantity, Reference: ref.String(),
			}
			m.pay(req.Token, req.To, big.NewInt(49_000_000))
			w.watching(r, q, time.Minute, func(pos.Finding, error) bool { return false })
			m.sweep(req.Token, req.To)
			if off {
				w.restart()
				r = w.Ready("usdc-base")
			}
			w.watching(r, q, time.Minute, func(pos.Finding, error) bool { return false })
			m.pay(req.Token, req.To, big.NewInt(5_000_000))
			if !w.watching(r, q, 2*sweptLate, func(f pos.Finding, _ error) bool { return f.Received.Int().Int64() == 54_000_000 }) {
				t.Errorf("%d are proved", w.proved(q))
			}
			w.Stop()
		})
	}
}
