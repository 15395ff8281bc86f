package solana

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// TestBook: what is in the book survives, a damaged one stops the rail, and a full one
// takes no more.
func TestBook(t *testing.T) {
	m := &cointest.Memory{}
	k, err := openBook(m)
	if err != nil {
		t.Fatal(err)
	}
	e := entry{ID: "SALE-1", Owner: merchant, Mint: keyOf("usdc"), Key: keyOf("r"), Units: "12340100", From: 7, End: 1000}
	if ok, err := k.add(e); !ok || err != nil {
		t.Fatal(ok, err)
	}
	k.paid("SALE-1", big.NewInt(5))
	if k, err = openBook(m); err != nil || !reflect.DeepEqual(k.entries, []entry{e}) {
		t.Fatalf("%+v, %v", k, err)
	}
	m.Fails(errors.New("the disk is full"))
	if ok, err := k.hold(e, rest{"500", 8}); ok || pos.KindOf(err) != pos.Internal || !reflect.DeepEqual(k.entries, []entry{e}) {
		t.Errorf("%v, %v", ok, err)
	}
	m.Fails(nil)
	if ok, err := k.hold(e, rest{"500", 8}); !ok || err != nil || !k.taken(e.Mint, 1000)["500"] {
		t.Errorf("%v, %v", ok, err)
	}
	if k, err = openBook(m); err != nil || len(k.entries) != 1 || !reflect.DeepEqual(k.entries[0].Rests, []rest{{"500", 8}}) {
		t.Fatalf("%+v, %v", k, err)
	}
	if taken := k.taken(e.Mint, 1000); !taken["12340100"] || len(k.taken(keyOf("other"), 1000)) != 0 {
		t.Errorf("%v", taken)
	}
	if taken := k.taken(e.Mint, 1000+uint64(unique.Hold/time.Second)); len(taken) != 0 || len(k.entries) != 0 {
		t.Errorf("still taken: %v", taken)
	}
	m.Fails(errors.New("the disk is full"))
	if ok, err := k.add(e); ok || pos.KindOf(err) != pos.Internal || len(k.entries) != 0 {
		t.Errorf("%v, %v", ok, err)
	}
	m.Fails(nil)
	for i := range maxEntries - 1 {
		k.entries = append(k.entries, entry{ID: pos.PaymentID(fmt.Sprint(i)), Mint: e.Mint, Key: e.Key, Units: "1", End: 1 << 40})
	}
	if ok, err := k.add(entry{ID: "LAST", Mint: e.Mint, Key: e.Key, Units: "1", End: 1 << 40}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if ok, err := k.add(e); ok || err != nil {
		t.Errorf("a full book took more: %v, %v", ok, err)
	}
	if len(m.Bytes()) > 512<<10 {
		t.Errorf("a full book has %d bytes", len(m.Bytes()))
	}
	good := string(m.Bytes())
	for name, bad := range map[string]string{
		"cut":          good[:len(good)/2],
		"another age":  strings.Replace(good, `"version":1`, `"version":2`, 1),
		"no amount":    strings.Replace(good, `"units":"1"`, `"units":"0"`, 1),
		"no reference": strings.Replace(good, e.Key.String(), Key{}.String(), 1),
		"odd":          `{"version":1,"entries":[],"more":1}`,
	} {
		if _, err := openBook(cointest.Kept([]byte(bad))); pos.KindOf(err) != pos.Corrupt || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzBook(f *testing.F) {
	f.Add([]byte(`{"version":1,"entries":[{"id":"SALE-1","owner":"FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa","mint":"EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v","key":"9aE476sH92Vz7DMPyq5WLPkrKWivxeuTKEFKd2sZZcde","units":"1","from":1,"end":2}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := openBook(cointest.Kept(b))
		if err != nil {
			return
		}
		for _, e := range k.all() {
			if r := e.reference(); r.units == nil || r.units.Sign() <= 0 {
				t.Errorf("%+v", e)
			}
		}
	})
}

func FuzzReference(f *testing.F) {
	good := reference{merchant, keyOf("mint"), keyOf("key"), big.NewInt(12_340_100), 5, 6}.String()
	f.Add(good)
	f.Add(strings.Replace(good, " 5 ", " 05 ", 1))
	f.Add(strings.Replace(good, "12340100", "18446744073709551616", 1))
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := readReference(s); err == nil && r.String() != s {
			t.Errorf("%q and %q are one reference", s, r)
		}
	})
}

// TestReference: each field comes back, and no damaged one does.
func TestReference(t *testing.T) {
	good := reference{merchant, keyOf("mint"), keyOf("key"), big.NewInt(12_340_100), 5, 6}.String()
	if r, err := readReference(good); err != nil || r.String() != good {
		t.Fatalf("%v, %v", r, err)
	}
	for i := range good {
		if r, err := readReference(good[:i] + "!" + good[i+1:]); err == nil {
			t.Errorf("read %s", r)
		}
		if _, err := readReference(good[:i]); err == nil && i < len(good) {
			t.Errorf("read %s", good[:i])
		}
	}
}

// TestUnique: no two open requests have one amount; amounts are free again a day after
// their end; tills with one wallet never ask for the same.
func TestUnique(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		seen := map[string]bool{}
		for i := range unique.Slots {
			p := w.Requested(r, fmt.Sprintf("SLOT%09d", i), 5_000_000)
			if n := p.Quantity.Int().Int64(); n != 5_000_000+int64(i)*100 || seen[p.Reference] {
				t.Fatalf("number %d is asked for %v", i, p.Quantity)
			}
			seen[p.Reference] = true
		}
		if _, err := r.Ask(t.Context(), cointest.Intended(r, "SLOTFULL", 5_000_000), ""); pos.KindOf(err) != pos.Conflict || !strings.Contains(err.Error(), "Too many open payments of 5.0000 USDC") {
			t.Fatalf("%v", err)
		}
		if p := w.Requested(w.Ready("pyusd-solana"), "OTHERTOKEN", 5_000_000); p.Quantity.Int().Int64() != 5_000_000 {
			t.Errorf("another token is asked for %v", p.Quantity)
		}
		off := func(d time.Duration) {
			w.Stop()
			time.Sleep(d)
			w.start()
			r = w.Ready("usdc-solana")
		}
		off(unique.Hold - time.Hour)
		if _, err := r.Ask(t.Context(), cointest.Intended(r, "SLOTEARLY", 5_000_000), ""); pos.KindOf(err) != pos.Conflict {
			t.Fatalf("%v", err)
		}
		off(2 * time.Hour)
		if p := w.Requested(r, "SLOTFREE", 5_000_000); p.Quantity.Int().Int64() != 5_000_000 {
			t.Errorf("a day later it is %v", p.Quantity)
		}
		w.Stop()
	})
	synctest.Test(t, func(t *testing.T) {
		asked := map[int64]bool{}
		for till := 1; till <= 3; till++ {
			w := newWorld(t, small, 1)
			w.change = func(o *Options) { o.Till, o.Tills = till, 3 }
			w.start()
			r := w.Ready("usdc-solana")
			for i := range 10 {
				price := int64(5_000_000 + 100*((7*i+till)%5)) // the rate moves: prices are near each other, not equal
				n := w.Requested(r, fmt.Sprintf("SALE%09d", i), price).Quantity.Int().Int64()
				if asked[n] || n < price {
					t.Fatalf("two tills ask for %d", n)
				}
				asked[n] = true
			}
			w.Stop()
		}
	})
}

// TestLostBook: the till's records alone find the money again.
func TestLostBook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		p, q := w.Requested(r, "SALE000000001", 5_000_000), w.Requested(r, "SALE000000002", 6_000_000)
		w.m.pay(asks(t, p.Payload))
		w.m.pay(asks(t, q.Forms[1].Payload))
		w.Store = &cointest.Memory{}
		w.restart()
		r = w.Ready("usdc-solana")
		w.Found(r, p) // the till asks about all that it waits for, at once
		w.Found(r, q)
		w.Becomes(r, p, pos.Settle)
		w.Becomes(r, q, pos.Settle)
		if n := w.Requested(r, "SALE000000003", 5_000_000).Quantity.Int().Int64(); n == 5_000_000 {
			t.Error("an amount was given again")
		}
		time.Sleep(coin.ForgetAfter)
		if list, _ := w.unasked(); len(list) != 0 {
			t.Errorf("told as nobody's, too: %+v", list)
		}
		w.Stop()
	})
}

// TestBusyAccount: hundreds of payments to one account, from before a restart and from
// strangers, and the till finds its own.
func TestBusyAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		p, q := w.Requested(r, "SALE000000001", 5_000_000), w.Requested(r, "SALE000000002", 6_000_000)
		w.Stop()
		plain := asks(t, q.Forms[1].Payload)
		w.m.pay(plain)
		for i := range 450 {
			w.m.pay(sent{merchant, r.token.Mint, int64(i + 1), []Key{keyOf(fmt.Sprint("another till's ", i))}})
		}
		w.m.pay(asks(t, p.Payload))
		time.Sleep(time.Minute)
		w.start()
		r = w.Ready("usdc-solana")
		began := time.Now()
		w.Becomes(r, p, pos.Settle)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("with its reference it was found after %v", took)
		}
		if f, err := r.Cancel(t.Context(), q); err == nil && f.Event == pos.Cancel {
			t.Error("called cancelled before all was read")
		}
		w.Becomes(r, q, pos.Settle)
		t.Logf("by its amount, behind 450 others, after %v", time.Since(began))
		w.Stop()
	})
}

// TestOptions refuses what no shop can work with, before anything is asked for.
func TestOptions(t *testing.T) {
	url := func(s string) []rpc.Endpoint {
		return []rpc.Endpoint{{Operator: "A", URL: s}, {Operator: "B", URL: "https://b.example"}}
	}
	base := func() Options {
		return Options{Owner: merchant, Accept: []string{"usdc"}, Endpoints: url("https://a.example"), Store: &cointest.Memory{}}
	}
	if w, err := New(base()); err != nil || w.Rails()[0].Tender() != "usdc-solana" || w.Rails()[0].Asset().ID != "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v" {
		t.Fatalf("%v", err)
	}
	for name, f := range map[string]func(o *Options){
		"no token":           func(o *Options) { o.Accept = nil },
		"an unknown token":   func(o *Options) { o.Accept = []string{"doge"} },
		"no endpoint":        func(o *Options) { o.Endpoints = nil },
		"one operator":       func(o *Options) { o.Endpoints = o.Endpoints[:1] },
		"no TLS":             func(o *Options) { o.Endpoints = url("http://a.example") },
		"no book":            func(o *Options) { o.Store = nil },
		"nobody":             func(o *Options) { o.Owner = Key{} },
		"a program":          func(o *Options) { o.Owner = tokenProgram },
		"a mint":             func(o *Options) { o.Owner = MustKey("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v") },
		"a minute":           func(o *Options) { o.Expiry = time.Minute },
		"an hour":            func(o *Options) { o.Expiry = time.Hour },
		"a long name":        func(o *Options) { o.Label = strings.Repeat("a", 41) },
		"till 4 of 3":        func(o *Options) { o.Till, o.Tills = 4, 3 },
		"a hundred tills":    func(o *Options) { o.Till, o.Tills = 1, 100 },
		"an odd cluster":     func(o *Options) { o.Cluster = Cluster{"solana", "Solana", "x"} },
		"a policy of nobody": func(o *Options) { o.Policy = Policy{coin.UpTo(0, Confirmed, 0)} },
		"processed":          func(o *Options) { o.Policy = Policy{coin.UpTo(0, "processed", 1)} },
		"falling sizes": func(o *Options) {
			o.Policy = Policy{coin.UpTo(50, Confirmed, 1), coin.UpTo(50, Confirmed, 2), coin.UpTo(0, Finalized, 2)}
		},
		"no last size": func(o *Options) { o.Policy = Policy{coin.UpTo(50, Confirmed, 1)} },
	} {
		o := base()
		f(&o)
		if _, err := New(o); pos.KindOf(err) != pos.Invalid || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	w, err := New(base())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := w.Run(ctx); err != nil {
		t.Error(err)
	}
	if w.Warning() == "sol_trust" || w.Owner() != merchant {
		t.Error("no words")
	}
}

// TestRegistry refuses tokens that cannot be.
func TestRegistry(t *testing.T) {
	good := Token{Cluster: "solana", Symbol: "XUSD", Mint: keyOf("xusd"), Decimals: 6, Peg: "USD"}
	r, err := Known().With(good)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := r.Find("solana", "xusd"); !ok || got != good {
		t.Errorf("%+v", got)
	}
	for name, f := range map[string]func(*Token){
		"twice":       func(t *Token) { t.Mint = MustKey("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v") },
		"no symbol":   func(t *Token) { t.Symbol = "" },
		"no mint":     func(t *Token) { t.Mint = Key{} },
		"19 decimals": func(t *Token) { t.Decimals = 19 },
		"no currency": func(t *Token) { t.Peg = "XXX1" },
		"odd program": func(t *Token) { t.Program = "token-2023" },
		"no cluster":  func(t *Token) { t.Cluster = "" },
	} {
		bad := good
		f(&bad)
		if _, err := Known().With(bad); pos.KindOf(err) != pos.Invalid || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var many []Token
	for i := range maxTokens {
		bad := good
		bad.Mint = keyOf(fmt.Sprint(i))
		many = append(many, bad)
	}
	if _, err := Known().With(many...); err == nil {
		t.Error("too many tokens were taken")
	}
}

// TestPolicy: the row is that of the size.
func TestPolicy(t *testing.T) {
	usdc, _ := Known().Find("solana", "USDC")
	for units, want := range map[int64]Row{
		1: DefaultPolicy[0], 50_000_000: DefaultPolicy[0], 50_000_001: DefaultPolicy[1], 1_000_000_000: DefaultPolicy[1], 1_000_000_001: DefaultPolicy[2],
	} {
		if got := DefaultPolicy.Row(usdc.Decimals, big.NewInt(units)); got != want {
			t.Errorf("%d: %+v", units, got)
		}
	}
}

// TestStraysAddUp: somebody who sends another token twice is owed both.
func TestStraysAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		p := w.Requested(r, "SALE000000001", 5_000_000)
		x := asks(t, p.Payload)
		x.mint = keyOf("usdt")
		w.m.pay(x)
		if f := w.Becomes(r, p, pos.Doubt); f.Stray.Int().Int64() != 5_000_000 {
			t.Fatalf("%+v", f)
		}
		p = w.Moved(p, pos.Doubt)
		w.m.pay(x)
		w.Until("both are told", func() bool {
			f, err := r.Check(t.Context(), p)
			return err == nil && f.Stray.Int().Int64() == 10_000_000
		})
		w.Stop()
	})
}
