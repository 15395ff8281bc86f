package tron

import (
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// noisy pays p out of a contract that also emits an event of its own.
func noisy(l *lab, m *mem, p pos.Payment, bytes int) {
	m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: p.Quantity.Int(), noise: bytes})
}

// TestNoise: what else the payer's transaction does is no matter of ours.
func TestNoise(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", 12_340_000)
		noisy(l, m, p, 70<<10)
		l.Becomes(r, p, pos.Settle)
	})
}

// TestUnreadable: a payer makes his transaction too large to be read. It pays nothing and
// his cashier reads that; all other customers pay, before and after a restart.
func TestUnreadable(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", 12_340_000)
		var looks atomic.Int32
		l.endpoints[0].lies(func(_ string, b []byte) []byte {
			if len(b) > 1<<20 {
				looks.Add(1)
			}
			return b
		})
		noisy(l, m, p, 1<<20)
		time.Sleep(time.Minute)
		if n := looks.Load(); n != 1 {
			t.Errorf("asked for %d times in a minute", n)
		}
		for _, sale := range []string{"SALE000000002", "SALE000000003"} {
			if h := r.Health(); !h.Ready {
				t.Fatalf("%+v", h)
			}
			q := l.Requested(r, sale, 5_000_000)
			m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: q.Quantity.Int()})
			l.Becomes(r, q, pos.Settle)
			l.Stop()
			time.Sleep(2 * time.Second) // two tills in one second are more than an operator allows
			l.start()
			r = l.Ready("usdt-tron")
			time.Sleep(time.Minute)
		}
		if f, err := r.Check(t.Context(), p); err == nil || !strings.Contains(err.Error(), "cannot be trusted") {
			t.Errorf("%+v, %v", f, err)
		}
	})
}

// TestNoRest: nothing that is missing of a payment is a claim. A thief pays just so much
// that what he lacks is the amount of another customer: that one's money is his alone.
func TestNoRest(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		victim, thief := l.Requested(r, "SALE000000001", 12_340_000), l.Requested(r, "SALE000000002", 20_000_000)
		m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: new(big.Int).Sub(thief.Quantity.Int(), victim.Quantity.Int())})
		time.Sleep(30 * time.Second)
		if f := l.found(r, thief); f.Event != "" || f.Rest != nil || !cointest.Told(r, "belongs to no sale") {
			t.Fatalf("%+v", f)
		}
		m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: victim.Quantity.Int()})
		l.Becomes(r, victim, pos.Settle)
		if f := l.found(r, thief); f.Event != "" {
			t.Fatalf("%+v", f)
		}
	})
}

// TestUnreadableLater: what was proved cannot be read any more, when it is asked whether it
// is final: the others pay all the same.
func TestUnreadableLater(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", 12_340_000)
		noisy(l, m, p, 1)
		l.Becomes(r, p, pos.Settle)
		m.mu.Lock()
		m.paid[0].noise = 1 << 20
		m.mu.Unlock()
		time.Sleep(time.Minute)
		if h := r.Health(); !h.Ready {
			t.Fatalf("%+v", h)
		}
		q := l.Requested(r, "SALE000000002", 5_000_000)
		m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: q.Quantity.Int()})
		l.Becomes(r, q, pos.Settle)
	})
}
