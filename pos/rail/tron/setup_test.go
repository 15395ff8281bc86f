package tron

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// TestToken: a token with other decimals or another name is grey; so is an address that
// is a contract; and a foreign key is told.
func TestToken(t *testing.T) {
	for name, c := range map[string]struct {
		change func(l *lab, m *mem)
		reason string
	}{
		"decimals":         {func(l *lab, m *mem) { m.tokens[l.usdt.Contract] = memToken{"USDT", 18} }, "other decimals"},
		"name":             {func(l *lab, m *mem) { m.tokens[l.usdt.Contract] = memToken{"USDTT", 6} }, "another name"},
		"nothing there":    {func(l *lab, m *mem) { delete(m.tokens, l.usdt.Contract); delete(m.codes, l.usdt.Contract) }, "no such token"},
		"address has code": {func(_ *lab, m *mem) { m.codes[merchant] = []byte{0x60} }, "not an exchange's deposit address"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, small, func(t *testing.T, l *lab, m *mem) {
				l.Stop()
				m.mu.Lock() // a request that was cut off may still be answering
				c.change(l, m)
				m.mu.Unlock()
				r := l.start().w.Rails()[0]
				l.Until("the rail is grey", func() bool { return strings.Contains(r.Health().Reason, c.reason) })
				if _, err := r.Ask(t.Context(), cointest.Intended(r, "SALE000000001", price), ""); pos.KindOf(err) != pos.Unavailable {
					t.Errorf("asked all the same: %v", err)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		l, _ := usual(t, small, TronGrid)
		l.endpoints[0].next.(*gridFake).foreign = true
		r := l.start().Ready("usdt-tron")
		if !cointest.Told(r, "Somebody else's key") || !cointest.Told(r, "has never sent anything") {
			t.Errorf("%v", r.Health().Notices)
		}
		l.Stop()
	})
}

// TestPages: more transfers than a list has, or a range of blocks allows.
func TestPages(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		if g, ok := l.endpoints[0].next.(*gridFake); ok {
			g.page = 10
		}
		if n, ok := l.endpoints[0].next.(*nodeFake); ok {
			n.maxRange = 300
		}
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		l.Stop()
		for range 45 {
			m.pay(l.usdt.Contract, merchant, 5)
			time.Sleep(time.Minute)
		}
		m.pay(l.usdt.Contract, merchant, price)
		time.Sleep(5 * time.Minute) // the newest blocks, which are read again and again, are later
		r = l.start().Ready("usdt-tron")
		l.Becomes(r, p, pos.Settle)
	})
}

// TestLag: TronGrid's lists are behind the network, for a while.
func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := usual(t, small, TronGrid)
		l.endpoints[0].next.(*gridFake).lag = 3
		r := l.start().Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		m.put(memPay{token: l.usdt.Contract, from: merchant, to: customer, units: big.NewInt(1)})
		m.pay(l.usdt.Contract, merchant, price)
		l.Becomes(r, p, pos.Settle)
		l.Stop()
	})
}

// TestQuota: a day of customers without a pause keeps within what the operator allows.
func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := usual(t, small, TronGrid)
		l.options.Endpoints[0].Daily = 4000
		r := l.start().Ready("usdt-tron")
		before := l.endpoints[0].count()
		limited := false
		for i := range 36 {
			if _, err := r.Ask(t.Context(), cointest.Intended(r, fmt.Sprintf("SALE%09d", i), int64(price+i*1_000_000)), ""); err != nil && strings.Contains(err.Error(), "asked too often") {
				limited = true
			}
			time.Sleep(20 * time.Minute)
		}
		if n := l.endpoints[0].count() - before; n > 4000 || n < 2000 || !limited {
			t.Errorf("%d requests in half a day, limited: %v", n, limited)
		}
		l.Stop()
	})
}

// TestDisk: an amount that is not on the disk is not given.
func TestDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := usual(t, small, JSONRPC)
		r := l.start().Ready("usdt-tron")
		l.Store.Fails(errors.New("full"))
		if _, err := r.Ask(t.Context(), cointest.Intended(r, "SALE000000001", price), ""); pos.KindOf(err) != pos.Internal {
			t.Errorf("%v", err)
		}
		l.Store.Fails(nil)
		l.Requested(r, "SALE000000001", price)
		l.Stop()
		b := l.Store.Bytes()
		b[10] ^= 1
		l.Store.Put(b)
		if _, err := New(l.options); pos.KindOf(err) != pos.Corrupt {
			t.Errorf("a damaged book: %v", err)
		}
	})
}

// TestOptions refuses what cannot be.
func TestOptions(t *testing.T) {
	good := func() Options {
		return Options{
			Address: merchant, Accept: []string{"usdt"}, Store: &cointest.Memory{}, Log: quiet,
			Endpoints: []Endpoint{{Operator: "one", URL: "https://a.example/jsonrpc"}, {Operator: "two", URL: "https://b.example", Kind: TronGrid, Key: "k"}},
		}
	}
	if w, err := New(good()); err != nil || w.Rails()[0].Name() != "USDT on Tron" || w.Address() != merchant {
		t.Fatalf("%v", err)
	}
	for name, change := range map[string]func(*Options){
		"no address":     func(o *Options) { o.Address = Address{} },
		"a token":        func(o *Options) { o.Address = MustAddress("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t") },
		"no token":       func(o *Options) { o.Accept = nil },
		"unknown token":  func(o *Options) { o.Accept = []string{"USDC"} },
		"token twice":    func(o *Options) { o.Accept = []string{"USDT", "usdt"} },
		"no endpoint":    func(o *Options) { o.Endpoints = nil },
		"one operator":   func(o *Options) { o.Endpoints = o.Endpoints[:1] },
		"one name":       func(o *Options) { o.Endpoints[1].Operator = "one" },
		"plain http":     func(o *Options) { o.Endpoints[0].URL = "http://a.example" },
		"another kind":   func(o *Options) { o.Endpoints[0].Kind = "grpc" },
		"negative quota": func(o *Options) { o.Endpoints[0].Daily = -1 },
		"no store":       func(o *Options) { o.Store = nil },
		"network":        func(o *Options) { o.Chain = "shasta" },
		"short":          func(o *Options) { o.Expiry = time.Minute },
		"long":           func(o *Options) { o.Expiry = time.Hour },
		"lane":           func(o *Options) { o.Lane = unique.Lane{N: 3, Of: 2} },
	} {
		o := good()
		change(&o)
		if _, err := New(o); pos.KindOf(err) != pos.Invalid || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := fmt.Sprintf("%+v %v", good().Endpoints[1].rpc(), good().Endpoints[1].Key); strings.Contains(s, "k ") && strings.Contains(s, "b.example") {
		t.Error("the key is printed")
	}
}
