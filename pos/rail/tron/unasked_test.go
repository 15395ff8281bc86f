package tron

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// watched is a bubble whose till keeps what payments were closed with.
func watched(t *testing.T, policy Policy, body func(t *testing.T, l *lab, m *mem, r *Rail)) {
	bubble(t, policy, func(t *testing.T, l *lab, m *mem) {
		l.Stop()
		l.options.Closed = &cointest.Memory{}
		time.Sleep(2 * time.Second) // two tills in one second are more than an operator allows
		body(t, l, m, l.start().Ready("usdt-tron"))
	})
}

// again kills the till's side and starts it.
func (l *lab) again() *Rail {
	l.Stop()
	time.Sleep(2 * time.Second)
	return l.start().Ready("usdt-tron")
}

// unasked is what the till was told and has not booked, with what it comes to.
func (l *lab) unasked() (list []pos.Unasked, sum int64) {
	list, _ = l.w.Found().Unasked()
	for _, u := range list {
		sum += u.Came.Int().Int64()
	}
	return list, sum
}

// closes asks, as the desk does, until p has its last word.
func (l *lab) closes(r *Rail, p pos.Payment) (f pos.Finding) {
	l.T.Helper()
	time.Sleep(coin.YoungFor)
	for range 20 {
		if f = l.found(r, p); f.Final {
			return f
		}
		time.Sleep(30 * time.Second)
	}
	l.T.Fatalf("no last word: %+v", f)
	return f
}

// settled is a sale that was paid.
func (l *lab) settled(r *Rail, m *mem, sale string) pos.Payment {
	l.T.Helper()
	p := l.Requested(r, sale, price)
	m.pay(l.usdt.Contract, merchant, p.Quantity.Int().Int64())
	f := l.Becomes(r, p, pos.Settle)
	p = l.Moved(p, pos.Settle)
	p.Received = f.Received
	return p
}

// TestStranger: money of nobody's is told once it is solidified, and not before; under one
// key, whoever is asked and however often; and then it is no notice any more. Dust is told,
// and looked up by nobody.
func TestStranger(t *testing.T) {
	keys := map[string]bool{}
	watched(t, small, func(t *testing.T, l *lab, m *mem, r *Rail) {
		l.found(r, l.Requested(r, "SALE000000001", price))
		tx := m.put(memPay{tx: [32]byte{7}, token: l.usdt.Contract, from: customer, to: merchant, units: big.NewInt(5_500_000)})
		l.Until("the owner reads it", func() bool { return cointest.Told(r, "5.5000 USDT came") })
		if list, _ := l.unasked(); len(list) != 0 {
			t.Fatalf("one block, and told: %+v", list)
		}
		time.Sleep(2 * time.Minute)
		list, _ := l.unasked()
		if len(list) != 1 || list[0].Came.String() != "5.5000 USDT" || list[0].Network != "USDT on Tron" || list[0].Tx != hex.EncodeToString(tx[:]) || list[0].Of != "" || list[0].At.Before(m.born) || !list[0].Valid() {
			t.Fatalf("%+v", list)
		}
		if cointest.Told(r, "5.5000 USDT came") {
			t.Error("it is a notice beside that")
		}
		keys[list[0].Key] = true
		l.again()
		time.Sleep(2 * time.Minute)
		if again, _ := l.unasked(); len(again) != 1 || again[0].Key != list[0].Key {
			t.Errorf("after a restart %+v", again)
		}
		m.pay(l.usdt.Contract, merchant, 70)
		time.Sleep(10 * time.Minute)
		if _, sum := l.unasked(); sum != 5_500_070 {
			t.Errorf("told of %d", sum)
		}
	})
	if len(keys) != 1 {
		t.Errorf("both kinds of endpoints name it %v", keys)
	}
}

// TestStrangerVanishes: what the network takes back before it is solidified was never told.
func TestStrangerVanishes(t *testing.T) {
	watched(t, small, func(t *testing.T, l *lab, m *mem, r *Rail) {
		l.found(r, l.Requested(r, "SALE000000001", price))
		m.pay(l.usdt.Contract, merchant, 5_500_000)
		l.Until("the owner reads it", func() bool { return cointest.Told(r, "5.5000 USDT came") })
		m.reorg(10)
		time.Sleep(10 * time.Minute)
		if list, _ := l.unasked(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
	})
}

// TestStrangerOfTwo: a large sum is told when a second operator finds it, too.
func TestStrangerOfTwo(t *testing.T) {
	watched(t, strict, func(t *testing.T, l *lab, m *mem, r *Rail) {
		l.found(r, l.Requested(r, "SALE000000001", price))
		l.endpoints[1].cut(true)
		m.pay(l.usdt.Contract, merchant, 2_000_000_000)
		time.Sleep(3 * time.Hour) // its calls of a day are used up
		if list, _ := l.unasked(); len(list) != 0 {
			t.Fatalf("one operator's word: %+v", list)
		}
		l.endpoints[1].cut(false)
		time.Sleep(3 * time.Minute)
		if _, sum := l.unasked(); sum != 2_000_000_000 {
			t.Errorf("told of %d", sum)
		}
	})
}

// TestAfterLastWord: what comes for a payment is its own until its last word, and nobody's
// from then on: told once, in whole, after a restart and when the desk asks once more, also
// if it never got the last word. The two sides never have the same money.
func TestAfterLastWord(t *testing.T) {
	watched(t, small, func(t *testing.T, l *lab, m *mem, r *Rail) {
		p := l.settled(r, m, "SALE000000001")
		m.pay(l.usdt.Contract, merchant, price) // the desk asks still: it is the payment's
		time.Sleep(2 * time.Minute)
		if f := l.closes(r, p); f.Received.Int().Int64() != 2*price {
			t.Fatalf("last word %+v", f)
		}
		time.Sleep(10 * time.Minute)
		if list, _ := l.unasked(); len(list) != 0 || cointest.Told(r, "more came") {
			t.Fatalf("of the payment, and told as nobody's: %+v; the owner reads %q", list, r.Health().Notices)
		}
		m.pay(l.usdt.Contract, merchant, price)
		for range 3 { // p is as the desk has it that never got the last word
			time.Sleep(4 * time.Minute)
			list, sum := l.unasked()
			if sum != price || list[0].Of != p.ID {
				t.Fatalf("%+v", list)
			}
			if f := l.found(r, p); f.Received.Int().Int64() != 2*price || !f.Final {
				t.Fatalf("the last word is another one: %+v", f)
			}
			r = l.again()
		}
	})
}

// TestLostBookIsNobodys: with the book of amounts lost, what was paid and closed is read anew
// and has no request that is known; it is told as nobody's all the same never.
func TestLostBookIsNobodys(t *testing.T) {
	watched(t, small, func(t *testing.T, l *lab, m *mem, r *Rail) {
		open := l.Requested(r, "SALE000000009", 77_000_000)
		for i := range 2 {
			l.closes(r, l.settled(r, m, fmt.Sprintf("SALE00000000%d", i)))
		}
		l.Stop()
		l.Store.Put(nil)
		m.pay(l.usdt.Contract, merchant, 5_500_000)
		r = l.again()
		l.found(r, open) // the desk knows it
		time.Sleep(5 * time.Minute)
		if list, sum := l.unasked(); sum != 5_500_000 {
			t.Errorf("%+v", list)
		}
		l.options.Closed = cointest.Kept([]byte("{")) // and this one, too: then nobody can tell
		r = l.again()
		l.found(r, open)
		time.Sleep(5 * time.Minute)
		if list, _ := l.unasked(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
	})
}

// TestUnclosable: while the disk takes no last word, none is said: the money stays the
// payment's.
func TestUnclosable(t *testing.T) {
	watched(t, small, func(t *testing.T, l *lab, m *mem, r *Rail) {
		disk := l.options.Closed.(*cointest.Memory)
		fail := func(err error) { disk.Fails(err) }
		p := l.settled(r, m, "SALE000000001")
		time.Sleep(coin.YoungFor)
		fail(pos.E("save", pos.Internal, "full"))
		for range 3 {
			time.Sleep(30 * time.Second)
			if f := l.found(r, p); f.Final {
				t.Fatalf("%+v", f)
			}
		}
		m.pay(l.usdt.Contract, merchant, price)
		time.Sleep(5 * time.Minute)
		if f := l.found(r, p); f.Received.Int().Int64() != 2*price || f.Final {
			t.Fatalf("%+v", f)
		}
		fail(nil)
		l.closes(r, p)
		time.Sleep(5 * time.Minute)
		if list, _ := l.unasked(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
	})
}

// TestStrayAfter: the wrong token is the payment's as far as the till heard of it before the
// last word, and nobody's after.
func TestStrayAfter(t *testing.T) {
	watched(t, small, func(t *testing.T, l *lab, m *mem, r *Rail) {
		p := l.Requested(r, "SALE000000001", price)
		usdd := l.registry.Tokens(l.chain.ID)[3] // 18 decimals
		units, _ := new(big.Int).SetString("12340000000000000000", 10)
		wrong := memPay{token: usdd.Contract, from: customer, to: merchant, units: units}
		m.put(wrong)
		f := l.Becomes(r, p, pos.Doubt)
		p = l.Moved(p, pos.Doubt)
		p.Stray = f.Stray
		m.pay(l.usdt.Contract, merchant, price)
		f = l.Becomes(r, p, pos.Settle)
		p = l.Moved(p, pos.Settle)
		p.Received = f.Received
		l.closes(r, p)
		time.Sleep(10 * time.Minute)
		if list, _ := l.unasked(); len(list) != 0 {
			t.Fatalf("the till has it as astray: %+v", list)
		}
		m.put(wrong)
		time.Sleep(30 * time.Minute)
		list, _ := l.unasked()
		if len(list) != 1 || list[0].Came.String() != "12.3400 USDD" || list[0].Of != p.ID {
			t.Errorf("%+v", list)
		}
		if f := l.found(l.again(), p); f.Event != "" { // everything is read anew
			t.Errorf("%+v", f)
		}
	})
}

// TestStrayBesidePaid: the wrong token for a payment that is paid is never told of as the
// payment's: it is nobody's, when that has its last word.
func TestStrayBesidePaid(t *testing.T) {
	watched(t, small, func(t *testing.T, l *lab, m *mem, r *Rail) {
		p := l.settled(r, m, "SALE000000001")
		usdd := l.registry.Tokens(l.chain.ID)[3] // 18 decimals
		units, _ := new(big.Int).SetString("12340000000000000000", 10)
		m.put(memPay{token: usdd.Contract, from: customer, to: merchant, units: units})
		time.Sleep(10 * time.Minute)
		if list, _ := l.unasked(); len(list) != 0 {
			t.Fatalf("the payment is open: %+v", list)
		}
		if f := l.closes(r, p); !f.Stray.IsZero() {
			t.Fatalf("%+v", f)
		}
		time.Sleep(10 * time.Minute)
		if list, _ := l.unasked(); len(list) != 1 || list[0].Came.String() != "12.3400 USDD" || list[0].Of != p.ID {
			t.Errorf("%+v", list)
		}
	})
}

// TestOtherTillsMoney: of two tills at one address the one in whose lane an amount is tells of
// it, and the other one does not.
func TestOtherTillsMoney(t *testing.T) {
	for lane, want := range map[int]int64{0: 8_000_000, 1: 7_000_100} {
		synctest.Test(t, func(t *testing.T) {
			l, m := usual(t, small, JSONRPC)
			l.options.Lane = unique.Lane{N: lane, Of: 2}
			r := l.start().Ready("usdt-tron")
			l.found(r, l.Requested(r, "SALE000000001", price))
			m.pay(l.usdt.Contract, merchant, 7_000_100)
			m.pay(l.usdt.Contract, merchant, 8_000_000)
			time.Sleep(3 * time.Minute)
			if list, sum := l.unasked(); sum != want {
				t.Errorf("lane %d tells of %+v", lane, list)
			}
			l.Stop()
		})
	}
}

// TestStrangersNoise: a stranger makes his transaction too large to be read. Nobody waits for
// it, and it costs no megabyte again and again.
func TestStrangersNoise(t *testing.T) {
	watched(t, small, func(t *testing.T, l *lab, m *mem, r *Rail) {
		large := make(chan struct{}, 1000)
		l.endpoints[0].lies(func(_ string, b []byte) []byte {
			if len(b) > 1<<20 {
				large <- struct{}{}
			}
			return b
		})
		p := l.Requested(r, "SALE000000001", price)
		m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: big.NewInt(5_500_000), noise: 1 << 20})
		time.Sleep(5 * time.Minute)
		if n := len(large); n != 1 {
			t.Errorf("asked for %d times", n)
		}
		if list, _ := l.unasked(); len(list) != 0 {
			t.Errorf("nobody proved it: %+v", list)
		}
		m.pay(l.usdt.Contract, merchant, price)
		l.Becomes(r, p, pos.Settle)
		if !bytes.Contains([]byte(fmt.Sprint(r.Health().Notices)), []byte("5.5000 USDT came")) {
			t.Errorf("the owner reads %q", r.Health().Notices)
		}
	})
}
