package tron

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

const price = 12_340_000

// TestAmounts: three customers with the same price pay in any order, and none pays for
// another.
func TestAmounts(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.ready()
		var ps []pos.Payment
		for i := range 3 {
			p := l.wanted(r, fmt.Sprintf("SALE00000000%d", i), price)
			if want := int64(price + 100*i); p.Quantity.Int().Int64() != want || p.Payload != merchant.String() {
				t.Fatalf("asked for %v at %s", p.Quantity, p.Payload)
			}
			ps = append(ps, p)
		}
		m.pay(l.usdt.Contract, merchant, price+100) // the second customer is the fastest
		f := l.becomes(r, ps[1], pos.Settle)
		if f.Received.Int().Int64() != price+100 || f.At.IsZero() {
			t.Fatalf("%+v", f)
		}
		for _, i := range []int{0, 2} {
			if f := l.found(r, ps[i]); f.Event != "" {
				t.Fatalf("another customer's money: %+v", f)
			}
		}
		m.pay(l.usdt.Contract, merchant, price)
		l.becomes(r, ps[0], pos.Settle)
		if p := l.wanted(r, "SALE000000009", price); p.Quantity.Int().Int64() != price+300 {
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
		r := l.ready()
		l.wanted(r, "SALE000000001", price)
		p := l.wanted(r, "SALE000000002", price)
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
		l.stop()
	})
}

// TestUnasked: money of another amount, another token, or the native coin, is named, and
// pays nothing.
func TestUnasked(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.ready()
		p := l.wanted(r, "SALE000000001", price)
		l.until("a round went by", func() bool { return l.found(r, p).Event == "" })
		m.pay(l.usdt.Contract, merchant, price-500_000)
		m.pay(l.usdt.Contract, merchant, 12) // a swindler's
		m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: big.NewInt(price), failed: true})
		m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: new(big.Int)})
		m.put(memPay{token: l.usdt.Contract, from: merchant, to: merchant, units: big.NewInt(price)})
		m.put(memPay{token: l.usdt.Contract, from: merchant, to: customer, units: big.NewInt(price)}) // the owner moves his money
		m.mu.Lock()
		m.native[merchant] = big.NewInt(40_000_000)
		m.mu.Unlock()
		l.until("the owner is told", func() bool {
			if f := l.found(r, p); f.Event != "" {
				t.Fatalf("taken for it: %+v", f)
			}
			return told(r, "11.8400 USDT came") && told(r, "40.000000 TRX came")
		})
		if told(r, "0.000012") {
			t.Error("dust was told")
		}
	})
}

// TestWrongToken: another known token with the very number is a doubt, with its name, and
// the right one pays all the same.
func TestWrongToken(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.ready()
		p := l.wanted(r, "SALE000000001", price)
		usdd := l.registry.Tokens(l.chain.ID)[3] // 18 decimals
		units, _ := new(big.Int).SetString("12340000000000000000", 10)
		m.put(memPay{token: usdd.Contract, from: customer, to: merchant, units: units})
		f := l.becomes(r, p, pos.Doubt)
		if !strings.Contains(f.Why, "12.3400 USDD came") || f.Stray.String() != "12.3400 USDD" {
			t.Fatalf("%+v", f)
		}
		p = l.moved(p, pos.Doubt)
		if _, err := r.Cancel(t.Context(), p); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("cancelled: %v", err)
		}
		m.pay(l.usdt.Contract, merchant, price)
		l.becomes(r, p, pos.Settle)
	})
}

// TestTwice: more for a payment that is complete is told, and booked when it is found
// before the till was told.
func TestTwice(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.ready()
		p := l.wanted(r, "SALE000000001", price)
		tx := m.pay(l.usdt.Contract, merchant, price)
		m.put(memPay{tx: tx, token: l.usdt.Contract, from: customer, to: merchant, units: big.NewInt(price)}) // in one transaction
		f := l.becomes(r, p, pos.Settle)
		l.until("both are found", func() bool { f = l.found(r, p); return f.Received.Int().Int64() == 2*price })
		m.pay(l.usdt.Contract, merchant, price)
		l.until("the owner is told of more", func() bool { return told(r, "12.3400 USDT more came") || told(r, "24.6800 USDT more came") })
	})
}

// TestTakenBack: the network takes back what was settled in one block. Goal: an alarm,
// Lost, and settled anew when it comes again.
func TestTakenBack(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.ready()
		p := l.wanted(r, "SALE000000001", price)
		m.pay(l.usdt.Contract, merchant, price)
		f := l.becomes(r, p, pos.Settle)
		p = l.moved(p, pos.Settle)
		p.Received = f.Received
		m.reorg(6)
		l.until("it is lost", func() bool { return l.found(r, p).Lost })
		if !told(r, "ALARM: 12.3400 USDT") {
			t.Errorf("no alarm: %v", r.Health().Notices)
		}
		p.Lose(time.Now())
		m.pay(l.usdt.Contract, merchant, price)
		if f := l.becomes(r, p, pos.Settle); f.Received.Int().Int64() != price {
			t.Errorf("%+v", f)
		}
	})
}

// TestEmptyLists: an operator whose lists come empty now and then takes nothing back.
func TestEmptyLists(t *testing.T) {
	bubble(t, deep, func(t *testing.T, l *lab, m *mem) {
		r := l.ready()
		p := l.wanted(r, "SALE000000001", price)
		m.pay(l.usdt.Contract, merchant, price)
		l.becomes(r, p, pos.Accept)
		p = l.moved(p, pos.Accept)
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
		l.until("it is settled", func() bool {
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
		bubble(t, Policy{{0, Solidified, operators}}, func(t *testing.T, l *lab, m *mem) {
			r := l.ready()
			p := l.wanted(r, "SALE000000001", price)
			m.pay(l.usdt.Contract, merchant, price)
			began := time.Now()
			l.becomes(r, p, pos.Accept)
			l.becomes(r, p, pos.Settle)
			if took := time.Since(began); took < 57*time.Second || took > 80*time.Second {
				t.Errorf("settled after %v", took)
			}
		})
	}
}

// TestUsual: the policy of the reference, by size.
func TestUsual(t *testing.T) {
	usdt, _ := Known().Find(728126428, "usdt")
	for units, want := range map[int64]Row{50_000_000: {50, OneBlock, 1}, 50_000_001: {1000, Solidified, 1}, 1_000_000_001: {0, Solidified, 2}} {
		if got := Usual.Row(usdt, big.NewInt(units)); got != want {
			t.Errorf("%d: %+v, want %+v", units, got, want)
		}
	}
	for name, p := range map[string]Policy{"falls": {{5, OneBlock, 1}, {4, OneBlock, 1}, {0, OneBlock, 1}}, "no end": {{5, OneBlock, 1}}, "three": {{0, OneBlock, 3}}, "unknown": {{0, "soon", 1}}} {
		if pos.KindOf(p.check()) != pos.Invalid || p.check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestLate: cancelled or expired, and paid all the same; and paid while the till was off
// for a day.
func TestLate(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.ready()
		p := l.wanted(r, "SALE000000001", price)
		if f, err := r.Cancel(t.Context(), p); err != nil || f.Event != pos.Cancel || f.Final {
			t.Fatalf("%+v, %v", f, err)
		}
		p = l.moved(p, pos.Cancel)
		l.stop()
		time.Sleep(12 * time.Hour)
		m.pay(l.usdt.Contract, merchant, price)
		time.Sleep(8 * time.Hour)
		r = l.start().ready()
		l.becomes(r, p, pos.Settle)

		q := l.wanted(r, "SALE000000002", 77_000)
		time.Sleep(watchFor + defaultExpiry + 2*time.Minute)
		f := pos.Finding{}
		l.until("it is over", func() bool { f = l.found(r, q); return f.Final })
		if f.Event != pos.Expire {
			t.Errorf("%+v", f)
		}
		time.Sleep(unique.Hold - watchFor)
		if n := l.wanted(r, "SALE000000003", 77_000).Quantity.Int().Int64(); n != 77_000 {
			t.Errorf("still held: %d", n)
		}
	})
}

// TestLostBook: the book is lost, and a till's records ask for an amount that was given
// again. Goal: neither sale is paid by one payment, and whoever asks reads why.
func TestLostBook(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.ready()
		p := l.wanted(r, "SALE000000001", price)
		l.stop()
		l.store.b = nil
		r = l.start().ready()
		q := l.wanted(r, "SALE000000002", price)
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
		if n := l.wanted(r, "SALE000000003", price).Quantity.Int().Int64(); n != price+100 {
			t.Errorf("held amounts were given again: %d", n)
		}
	})
}

// TestBefore: money of before the request does not pay it.
func TestBefore(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.ready()
		m.pay(l.usdt.Contract, merchant, price)
		time.Sleep(4 * time.Second)
		p := l.wanted(r, "SALE000000001", price)
		time.Sleep(30 * time.Second)
		if f := l.found(r, p); f.Event != "" {
			t.Fatalf("%+v", f)
		}
	})
}

// TestSecondTakesOver: the first operator goes away, the other one of the other kind goes
// on where it was, and a payment that was seen by one is proved by the other.
func TestSecondTakesOver(t *testing.T) {
	bubble(t, Policy{{1000, Solidified, 1}, {0, Solidified, 2}}, func(t *testing.T, l *lab, m *mem) {
		r := l.ready()
		p := l.wanted(r, "SALE000000001", price)
		m.pay(l.usdt.Contract, merchant, price)
		l.becomes(r, p, pos.Accept)
		l.endpoints[0].cut(true)
		l.becomes(r, p, pos.Settle)
		l.endpoints[1].cut(true)
		q := intended(r, "SALE000000002", price)
		l.until("nobody is left", func() bool { return !r.Health().Ready })
		if _, err := r.Ask(t.Context(), q, ""); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("%v", err)
		}
		if f, err := r.Check(t.Context(), p); err != nil || f.Event != pos.Settle { // proved already
			t.Errorf("%+v, %v", f, err)
		}
		l.endpoints[0].cut(false)
		l.until("one is back", func() bool { return r.Health().Ready })
		l.until("the owner knows of the other", func() bool { return told(r, "operator 2 does not answer") })
	})
}

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
				l.stop()
				c.change(l, m)
				r := l.start().w.Rails()[0]
				l.until("the rail is grey", func() bool { return strings.Contains(r.Health().Reason, c.reason) })
				if _, err := r.Ask(t.Context(), intended(r, "SALE000000001", price), ""); pos.KindOf(err) != pos.Unavailable {
					t.Errorf("asked all the same: %v", err)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		l, _ := usual(t, small, TronGrid)
		l.endpoints[0].next.(*gridFake).foreign = true
		r := l.start().ready()
		if !told(r, "Somebody else's key") || !told(r, "has never sent anything") {
			t.Errorf("%v", r.Health().Notices)
		}
		l.stop()
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
		r := l.ready()
		p := l.wanted(r, "SALE000000001", price)
		l.stop()
		for range 45 {
			m.pay(l.usdt.Contract, merchant, 5)
			time.Sleep(time.Minute)
		}
		m.pay(l.usdt.Contract, merchant, price)
		time.Sleep(time.Minute)
		r = l.start().ready()
		l.becomes(r, p, pos.Settle)
	})
}

// TestLag: TronGrid's lists are behind the network, for a while.
func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := usual(t, small, TronGrid)
		l.endpoints[0].next.(*gridFake).lag = 3
		r := l.start().ready()
		p := l.wanted(r, "SALE000000001", price)
		m.put(memPay{token: l.usdt.Contract, from: merchant, to: customer, units: big.NewInt(1)})
		m.pay(l.usdt.Contract, merchant, price)
		l.becomes(r, p, pos.Settle)
		l.stop()
	})
}

// TestQuota: a day of customers without a pause keeps within what the operator allows.
func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := usual(t, small, TronGrid)
		l.options.Endpoints[0].Daily = 4000
		r := l.start().ready()
		before := l.endpoints[0].count()
		limited := false
		for i := range 36 {
			if _, err := r.Ask(t.Context(), intended(r, fmt.Sprintf("SALE%09d", i), int64(price+i*1_000_000)), ""); err != nil && strings.Contains(err.Error(), "asked too often") {
				limited = true
			}
			time.Sleep(20 * time.Minute)
		}
		if n := l.endpoints[0].count() - before; n > 4000 || n < 2000 || !limited {
			t.Errorf("%d requests in half a day, limited: %v", n, limited)
		}
		l.stop()
	})
}

// TestDisk: an amount that is not on the disk is not given.
func TestDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := usual(t, small, JSONRPC)
		r := l.start().ready()
		l.store.fail = errors.New("full")
		if _, err := r.Ask(t.Context(), intended(r, "SALE000000001", price), ""); pos.KindOf(err) != pos.Internal {
			t.Errorf("%v", err)
		}
		l.store.fail = nil
		l.wanted(r, "SALE000000001", price)
		l.stop()
		l.store.b[10] ^= 1
		if _, err := New(l.options); pos.KindOf(err) != pos.Corrupt {
			t.Errorf("a damaged book: %v", err)
		}
	})
}

// TestOptions refuses what cannot be.
func TestOptions(t *testing.T) {
	good := func() Options {
		return Options{
			Address: merchant, Accept: []string{"usdt"}, Store: &memory{}, Log: quiet,
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
	_ = rpc.Secret("")
}

// load runs sales on one network for a while, as a desk would, and returns requests and
// calls a second to the operator, and the share of one core, the fakes' work included.
func load(t testing.TB, kind Kind, sales int, during time.Duration) (rate, core float64, late time.Duration) {
	l, m := usual(t, small, kind)
	l.start()
	r := l.ready()
	var wg sync.WaitGroup
	stopped := make(chan struct{})
	var ps []pos.Payment
	for i := range sales {
		p := l.wanted(r, fmt.Sprintf("SALE%09d", i), int64(price+(i%20)*1_000_000))
		ps = append(ps, p)
		wg.Go(func() { // as the desk polls while the customer stands there
			for {
				select {
				case <-stopped:
					return
				default:
					_, _ = r.Check(t.Context(), p)
					time.Sleep(2500 * time.Millisecond)
				}
			}
		})
	}
	time.Sleep(30 * time.Second)
	before, cpu := l.endpoints[0].count(), cpuTime()
	time.Sleep(during)
	rate = float64(l.endpoints[0].count()-before) / during.Seconds()
	core = (cpuTime() - cpu).Seconds() / during.Seconds()
	m.pay(l.usdt.Contract, merchant, ps[0].Quantity.Int().Int64())
	began := time.Now()
	l.becomes(r, ps[0], pos.Settle)
	late = time.Since(began)
	close(stopped)
	wg.Wait()
	l.stop()
	return rate, core, late
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestLoad holds the pace: 200 open sales cost an operator no more than one.
func TestLoad(t *testing.T) {
	for _, kind := range []Kind{JSONRPC, TronGrid} {
		synctest.Test(t, func(t *testing.T) {
			rate, _, late := load(t, kind, 200, 2*time.Minute)
			t.Logf("%s: %.2f requests a second; told %v after it was sent", kind, rate, late)
			if rate > 1 || late > 10*time.Second {
				t.Errorf("%s: %.2f requests a second, told after %v", kind, rate, late)
			}
		})
	}
}

// BenchmarkWatch prints what 200 open sales cost.
func BenchmarkWatch(b *testing.B) {
	for _, kind := range []Kind{JSONRPC, TronGrid} {
		b.Run(string(kind), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				runtime.GC()
				var rate, core float64
				var late time.Duration
				ok := testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{
					Name: b.Name(), F: func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { rate, core, late = load(t, kind, 200, 5*time.Minute) })
					},
				}})
				if !ok {
					b.Fatal("the load failed")
				}
				b.ReportMetric(rate, "requests/s")
				b.ReportMetric(100*core, "%core")
				b.ReportMetric(late.Seconds(), "s-to-paid")
				b.StartTimer()
			}
		})
	}
}
