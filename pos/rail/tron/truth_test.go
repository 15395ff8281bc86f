package tron

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

const price = 12_340_000

// TestAmounts: three customers with the same price pay in any order, and none pays for
// another.
func TestAmounts(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		var ps []pos.Payment
		for i := range 3 {
			p := l.Requested(r, fmt.Sprintf("SALE00000000%d", i), price)
			if want := int64(price + 100*i); p.Quantity.Int().Int64() != want || p.Payload != merchant.String() {
				t.Fatalf("asked for %v at %s", p.Quantity, p.Payload)
			}
			ps = append(ps, p)
		}
		m.pay(l.usdt.Contract, merchant, price+100) // the second customer is the fastest
		f := l.Becomes(r, ps[1], pos.Settle)
		if f.Received.Int().Int64() != price+100 || f.At.IsZero() {
			t.Fatalf("%+v", f)
		}
		for _, i := range []int{0, 2} {
			if f := l.found(r, ps[i]); f.Event != "" {
				t.Fatalf("another customer's money: %+v", f)
			}
		}
		m.pay(l.usdt.Contract, merchant, price)
		l.Becomes(r, ps[0], pos.Settle)
		if p := l.Requested(r, "SALE000000009", price); p.Quantity.Int().Int64() != price+300 {
			t.Fatalf("an amount was given again: %v", p.Quantity)
		}
	})
}

// TestForms: what the customer is shown.
func TestForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := usual(t, small, JSONRPC)
		l.options.Link = true
		l.start()
		r := l.Ready("usdt-tron")
		l.Requested(r, "SALE000000001", price)
		p := l.Requested(r, "SALE000000002", price)
		want := []pos.Form{
			{Name: "address", Payload: merchant.String(), Caption: "Scan the address and type exactly 12.3401 USDT on Tron", Typed: true},
			{Name: "tron", Payload: "tron:" + merchant.String() + "?amount=12.3401", Caption: "Some wallets read this. Check that it says 12.3401 USDT, not TRX."},
		}
		if fmt.Sprint(p.Forms) != fmt.Sprint(want) || p.Payload != merchant.String() || p.Network != "USDT on Tron" {
			t.Errorf("%+v", p.Forms)
		}
		if r.Tender() != "usdt-tron" || r.Health().Asset.ID != "tron:728126428/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t" {
			t.Errorf("%s, %+v", r.Tender(), r.Health())
		}
		if a := l.w.Advice(); len(a) != 1 || !strings.Contains(a[0], merchant.Tail()) {
			t.Errorf("%v", a)
		}
		l.Stop()
	})
}

// TestUnasked: money of another amount, another token, or the native coin, is named, and
// pays nothing.
func TestUnasked(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		l.Until("a round went by", func() bool { return l.found(r, p).Event == "" })
		m.pay(l.usdt.Contract, merchant, price-500_000)
		m.pay(l.usdt.Contract, merchant, 12) // a swindler's
		m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: big.NewInt(price), failed: true})
		m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: new(big.Int)})
		m.put(memPay{token: l.usdt.Contract, from: merchant, to: merchant, units: big.NewInt(price)})
		m.put(memPay{token: l.usdt.Contract, from: merchant, to: customer, units: big.NewInt(price)}) // the owner moves his money
		m.mu.Lock()
		m.native[merchant] = big.NewInt(40_000_000)
		m.mu.Unlock()
		l.Until("the owner is told", func() bool {
			if f := l.found(r, p); f.Event != "" {
				t.Fatalf("taken for it: %+v", f)
			}
			return cointest.Told(r, "11.8400 USDT came") && cointest.Told(r, "40.000000 TRX came")
		})
		if cointest.Told(r, "0.000012") {
			t.Error("dust was told")
		}
	})
}

// TestWrongToken: another known token with the very number is a doubt, with its name, and
// the right one pays all the same.
func TestWrongToken(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		usdd := l.registry.Tokens(l.chain.ID)[3] // 18 decimals
		units, _ := new(big.Int).SetString("12340000000000000000", 10)
		m.put(memPay{token: usdd.Contract, from: customer, to: merchant, units: big.NewInt(price)}) // as many units, which are nothing
		for range 4 {
			if f, err := r.Check(t.Context(), p); err != nil || f.Event != "" {
				t.Fatalf("next to nothing was taken for the price: %+v, %v", f, err)
			}
			time.Sleep(blockSeconds * time.Second)
		}
		m.put(memPay{token: usdd.Contract, from: customer, to: merchant, units: units})
		f := l.Becomes(r, p, pos.Doubt)
		if !strings.Contains(f.Why, "12.3400 USDD came") || f.Stray.String() != "12.3400 USDD" {
			t.Fatalf("%+v", f)
		}
		p = l.Moved(p, pos.Doubt)
		if _, err := r.Cancel(t.Context(), p); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("cancelled: %v", err)
		}
		m.pay(l.usdt.Contract, merchant, price)
		l.Becomes(r, p, pos.Settle)
	})
}

// TestTwice: more for a payment that is complete is told, and booked when it is found
// before the till was told.
func TestTwice(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		tx := m.pay(l.usdt.Contract, merchant, price)
		m.put(memPay{tx: tx, token: l.usdt.Contract, from: customer, to: merchant, units: big.NewInt(price)}) // in one transaction
		f := l.Becomes(r, p, pos.Settle)
		l.Until("both are found", func() bool { f = l.found(r, p); return f.Received.Int().Int64() == 2*price })
		m.pay(l.usdt.Contract, merchant, price)
		l.Until("the owner is told of more", func() bool {
			return cointest.Told(r, "12.3400 USDT more came") || cointest.Told(r, "24.6800 USDT more came")
		})
	})
}

// TestTakenBack: the network takes back what was settled in one block. Goal: an alarm,
// Lost, and settled anew when it comes again.
func TestTakenBack(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		time.Sleep(10 * blockSeconds * time.Second) // the block of the balance that the money is held against stands
		m.pay(l.usdt.Contract, merchant, price)
		f := l.Becomes(r, p, pos.Settle)
		p = l.Moved(p, pos.Settle)
		p.Received = f.Received
		m.reorg(6)
		l.Until("it is lost", func() bool { return l.found(r, p).Lost })
		if !cointest.Told(r, "ALARM: 12.3400 USDT") {
			t.Errorf("no alarm: %v", r.Health().Notices)
		}
		for i := range 100 {
			l.w.notices.Tell(fmt.Sprint(i), fmt.Sprint("a stranger's ", i))
		}
		if !cointest.Told(r, "ALARM: 12.3400 USDT") {
			t.Errorf("strangers pushed the alarm out: %v", r.Health().Notices)
		}
		p.Lose(time.Now())
		m.pay(l.usdt.Contract, merchant, price)
		if f := l.Becomes(r, p, pos.Settle); f.Received.Int().Int64() != price {
			t.Errorf("%+v", f)
		}
	})
}

// TestEmptyLists: an operator whose lists come empty now and then takes nothing back.
func TestEmptyLists(t *testing.T) {
	bubble(t, deep, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		m.pay(l.usdt.Contract, merchant, price)
		l.Becomes(r, p, pos.Accept)
		p = l.Moved(p, pos.Accept)
		n := 0
		l.endpoints[0].lies(func(path string, b []byte) []byte {
			switch empty := bytes.Contains(b, []byte(`"blockHash"`)) && !bytes.Contains(b, []byte(`"status"`)); {
			case strings.HasSuffix(path, "/trc20") && !bytes.Contains(b, []byte(`"data":[]`)):
				if n++; n%3 != 0 {
					return []byte(`{"success":true,"meta":{},"data":[]}`)
				}
			case path == "/jsonrpc" && empty:
				if n++; n%3 != 0 {
					return emptied(b)
				}
			}
			return b
		})
		l.Until("it is settled", func() bool {
			f := l.found(r, p)
			if f.Event == pos.Doubt {
				t.Fatal("taken back by an empty list")
			}
			return f.Event == pos.Settle
		})
	})
}

// emptied makes lists of events empty.
func emptied(b []byte) []byte {
	var all []map[string]json.RawMessage
	if json.Unmarshal(b, &all) != nil {
		return b
	}
	for i := range all {
		if r := all[i]["result"]; len(r) > 0 && r[0] == '[' {
			all[i]["result"] = json.RawMessage("[]")
		}
	}
	out, _ := json.Marshal(all)
	return out
}

// TestDeep: a middle sum waits for the solidified block; a large one for two operators.
func TestDeep(t *testing.T) {
	for _, operators := range []int{1, 2} {
		bubble(t, Policy{coin.UpTo(0, Solidified, operators)}, func(t *testing.T, l *lab, m *mem) {
			r := l.Ready("usdt-tron")
			p := l.Requested(r, "SALE000000001", price)
			m.pay(l.usdt.Contract, merchant, price)
			began := time.Now()
			l.Becomes(r, p, pos.Accept)
			l.Becomes(r, p, pos.Settle)
			if took := time.Since(began); took < 57*time.Second || took > 80*time.Second {
				t.Errorf("settled after %v", took)
			}
		})
	}
}

// TestUsual: the policy of the reference, by size.
func TestUsual(t *testing.T) {
	usdt, _ := Known().Find(728126428, "usdt")
	for units, want := range map[int64]Row{50_000_000: coin.UpTo(50, OneBlock, 1), 50_000_001: coin.UpTo(1000, Solidified, 1), 1_000_000_001: coin.UpTo(0, Solidified, 2)} {
		if got := Usual.Row(usdt.Decimals, big.NewInt(units)); got != want {
			t.Errorf("%d: %+v, want %+v", units, got, want)
		}
	}
	for name, p := range map[string]Policy{"falls": {coin.UpTo(5, OneBlock, 1), coin.UpTo(4, OneBlock, 1), coin.UpTo(0, OneBlock, 1)}, "no end": {coin.UpTo(5, OneBlock, 1)}, "three": {coin.UpTo(0, OneBlock, 3)}, "unknown": {coin.UpTo(0, "soon", 1)}} {
		if pos.KindOf(p.Check(OneBlock, Solidified)) != pos.Invalid {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestLate: cancelled or expired, and paid all the same; and paid while the till was off
// for a day.
func TestLate(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		if f, err := r.Cancel(t.Context(), p); err != nil || f.Event != pos.Cancel || f.Final {
			t.Fatalf("%+v, %v", f, err)
		}
		p = l.Moved(p, pos.Cancel)
		l.Stop()
		time.Sleep(12 * time.Hour)
		m.pay(l.usdt.Contract, merchant, price)
		time.Sleep(8 * time.Hour)
		r = l.start().Ready("usdt-tron")
		l.Becomes(r, p, pos.Settle)

		q := l.Requested(r, "SALE000000002", 77_000)
		time.Sleep(coin.WatchFor + coin.UsualExpiry + 2*time.Minute)
		f := pos.Finding{}
		l.Until("it is over", func() bool { f = l.found(r, q); return f.Final })
		if f.Event != pos.Expire {
			t.Errorf("%+v", f)
		}
		time.Sleep(unique.Hold - coin.WatchFor)
		if n := l.Requested(r, "SALE000000003", 77_000).Quantity.Int().Int64(); n != 77_000 {
			t.Errorf("still held: %d", n)
		}
	})
}

// TestLostBook: the book is lost, and a till's records ask for an amount that was given
// again. Goal: neither sale is paid by one payment, and whoever asks reads why.
func TestLostBook(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		l.Stop()
		l.Store.Put(nil)
		r = l.start().Ready("usdt-tron")
		q := l.Requested(r, "SALE000000002", price)
		if p.Quantity.Cmp(q.Quantity) != 0 {
			t.Fatal("the book was not lost")
		}
		l.found(r, p) // the desk asks about what its records hold
		m.pay(l.usdt.Contract, merchant, price)
		read := false
		for range 10 {
			for _, x := range []pos.Payment{p, q} {
				f, err := r.Check(t.Context(), x)
				if f.Event == pos.Settle {
					t.Fatalf("one payment pays two sales: %+v", f)
				}
				read = read || err != nil && strings.Contains(err.Error(), "two open sales")
			}
		}
		if !read {
			t.Error("nobody said why")
		}
		if n := l.Requested(r, "SALE000000003", price).Quantity.Int().Int64(); n != price+100 {
			t.Errorf("held amounts were given again: %d", n)
		}
	})
}

// TestBefore: money of before the request does not pay it.
func TestBefore(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		m.pay(l.usdt.Contract, merchant, price)
		time.Sleep(4 * time.Second)
		p := l.Requested(r, "SALE000000001", price)
		time.Sleep(30 * time.Second)
		if f := l.found(r, p); f.Event != "" {
			t.Fatalf("%+v", f)
		}
	})
}

// TestSecondTakesOver: the first operator goes away, the other one of the other kind goes
// on where it was, and a payment that was seen by one is proved by the other.
func TestSecondTakesOver(t *testing.T) {
	bubble(t, Policy{coin.UpTo(1000, Solidified, 1), coin.UpTo(0, Solidified, 2)}, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		m.pay(l.usdt.Contract, merchant, price)
		l.Becomes(r, p, pos.Accept)
		l.endpoints[0].cut(true)
		l.Becomes(r, p, pos.Settle)
		l.endpoints[1].cut(true)
		q := cointest.Intended(r, "SALE000000002", price)
		l.Until("nobody is left", func() bool { return !r.Health().Ready })
		if _, err := r.Ask(t.Context(), q, ""); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("%v", err)
		}
		if f, err := r.Check(t.Context(), p); err != nil || f.Event != pos.Settle { // proved already
			t.Errorf("%+v, %v", f, err)
		}
		l.endpoints[0].cut(false)
		l.Until("one is back", func() bool { return r.Health().Ready })
		l.Until("the owner knows of the other", func() bool { return cointest.Told(r, "operator 2 does not answer") })
	})
}

// TestOtherSalesMoney: two customers are asked for the same number of two tokens. Goal: who
// pays his own puts the other's sale into no doubt, and is owed nothing.
func TestOtherSalesMoney(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chain := Chain{ID: 728126428, Key: "tron", Name: "Tron", Coin: "TRX", StaleS: 60, Policy: small}
		tokens := Known().Tokens(chain.ID)
		tokens[3].Watch = false // USDD, with a button
		l := newLab(t, newMem(t, chain, tokens), chain, tokens, inMemory, JSONRPC)
		l.options.Accept = []string{"USDT", "USDD"}
		l.start()
		defer func() { l.Stop() }()
		r, m := l.Ready("usdt-tron"), l.n.(*mem)
		usdd := l.w.Rails()[1]
		p := l.Requested(r, "SALE000000001", price)
		q := cointest.Intended(usdd, "SALE000000002", 0)
		units, _ := new(big.Int).SetString("12340000000000000000", 10)
		q.Quantity, _ = usdd.token.Asset().Units(units)
		a, err := usdd.Ask(t.Context(), q, "")
		if err != nil {
			t.Fatal(err)
		}
		q.Reference = a.Reference
		q = l.Moved(q, pos.Request)
		m.pay(l.usdt.Contract, merchant, price)
		l.Becomes(r, p, pos.Settle)
		for range 5 {
			if f, err := usdd.Check(t.Context(), q); err != nil || f.Event != "" || !f.Stray.IsZero() {
				t.Fatalf("the other customer's sale: %+v, %v", f, err)
			}
		}
		m.put(memPay{token: tokens[3].Contract, from: customer, to: merchant, units: units})
		l.Becomes(usdd, q, pos.Settle)
	})
}

// TestLateLists: an operator's list has a transfer minutes after its block. Goal: it is
// found all the same.
func TestLateLists(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		lags := true
		l.endpoints[0].lies(func(path string, b []byte) []byte {
			switch {
			case lags && strings.HasSuffix(path, "/trc20"):
				return []byte(`{"success":true,"meta":{},"data":[]}`)
			case lags && path == "/jsonrpc" && bytes.Contains(b, []byte(`"blockHash"`)) && !bytes.Contains(b, []byte(`"status"`)):
				return emptied(b)
			}
			return b
		})
		m.pay(l.usdt.Contract, merchant, price)
		time.Sleep(4 * time.Minute)
		l.endpoints[0].lies(nil)
		l.Becomes(r, p, pos.Settle)
	})
}

// TestOtherTill: what is paid to another till at the same address is no alarm here, or
// nobody would read the alarm that is one.
func TestOtherTill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := usual(t, small, JSONRPC)
		l.options.Lane = unique.Lane{N: 0, Of: 2}
		l.start()
		defer func() { l.Stop() }()
		r := l.Ready("usdt-tron")
		l.Requested(r, "SALE000000001", price)
		m.pay(l.usdt.Contract, merchant, 7_000_100) // 70,001 steps: the other till's
		m.pay(l.usdt.Contract, merchant, 8_000_000)
		l.Until("the owner is told", func() bool { return cointest.Told(r, "8.0000 USDT came") })
		if cointest.Told(r, "7.0001") {
			t.Errorf("told of the other till's sale: %v", r.Health().Notices)
		}
	})
}
