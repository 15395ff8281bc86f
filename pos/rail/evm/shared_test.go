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
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// sharedLab is a shop without contracts: all customers pay to the merchant's wallet.
func sharedLab(t testing.TB, policy Policy, operators int) (*lab, *site) {
	base := newPlace(t, 31337, "base", policy, operators)
	l := newLab(t, base)
	l.change = func(o *Options) { o.Shared = true }
	return l.start(), base
}

func TestShared(t *testing.T) {
	t.Parallel()
	l, base := sharedLab(t, small, 1)
	r := l.Ready("usdc-base")

	t.Run("the same price three times", func(t *testing.T) {
		var ps []pos.Payment
		for i := range 3 {
			p := l.Requested(r, fmt.Sprintf("SALE00000000%d", i), 12_340_100)
			req, units := at(t, p)
			if want := int64(12_340_100 + 100*i); req.To != merchant || units.Int64() != want || p.Quantity.Int().Int64() != want {
				t.Fatalf("asked for %v at %s, want %d", p.Quantity, req.To, want)
			}
			ps = append(ps, p)
		}
		base.usdc.mint(merchant, 12_340_200) // the second customer is the fastest
		f := l.Becomes(r, ps[1], pos.Settle)
		if f.Received.Int().Int64() != 12_340_200 || f.Final {
			t.Fatalf("%+v", f)
		}
		for _, i := range []int{0, 2} {
			if f := l.Found(r, ps[i]); f.Event != "" {
				t.Fatalf("another customer's money: %+v", f)
			}
		}
		base.usdc.mint(merchant, 12_340_100)
		l.Becomes(r, ps[0], pos.Settle)
		if p := l.Requested(r, "SALE000000009", 12_340_100); p.Quantity.Int().Int64() != 12_340_400 {
			t.Fatalf("an amount was given again: %v", p.Quantity)
		}
	})

	t.Run("the same attempt is asked again after a restart", func(t *testing.T) {
		p := l.Requested(r, "SALE00000000A", 500)
		l.restart()
		r = l.Ready("usdc-base")
		if q := l.Requested(r, "SALE00000000A", 500); q.Reference != p.Reference {
			t.Fatalf("%s, then %s", p.Reference, q.Reference)
		}
		base.usdc.mint(merchant, 500)
		l.Becomes(r, p, pos.Settle)
	})

	t.Run("paid while the till was off", func(t *testing.T) {
		p := l.Requested(r, "SALE00000000B", 700)
		l.Stop()
		base.usdc.mint(merchant, 700)
		base.Do("anvil_mine", "0x20")
		l.start()
		r = l.Ready("usdc-base")
		l.Becomes(r, p, pos.Settle)
	})

	t.Run("money that belongs to no sale", func(t *testing.T) {
		p := l.Requested(r, "SALE00000000C", 900)
		base.usdc.mint(merchant, 899)
		base.look.mint(merchant, 900)
		l.Until("the owner is told of both", func() bool {
			if f := l.Found(r, p); f.Event != "" {
				t.Fatalf("taken for it: %+v", f)
			}
			return cointest.Told(r, "0.000899 USDC came") && cointest.Told(r, "0.0009 USDC.e came")
		})
	})

	t.Run("money from before the sale", func(t *testing.T) {
		base.usdc.mint(merchant, 1234)
		base.Do("anvil_mine", "0x1")
		p := l.Requested(r, "SALE00000000D", 1234)
		if f := l.Found(r, p); f.Event != "" {
			t.Fatalf("%+v", f)
		}
	})

	t.Run("cancelled, and paid late all the same", func(t *testing.T) {
		p := l.Requested(r, "SALE00000000E", 4321)
		if f, err := r.Cancel(t.Context(), p); err != nil || f.Event != pos.Cancel || f.Final {
			t.Fatalf("%+v, %v", f, err)
		}
		p = l.Moved(p, pos.Cancel)
		if q := l.Requested(r, "SALE00000000F", 4321); q.Quantity.Int().Int64() == 4321 {
			t.Fatal("a cancelled request's amount was given again at once")
		}
		base.usdc.mint(merchant, 4321)
		l.Becomes(r, p, pos.Settle)
	})

	t.Run("free again after a day", func(t *testing.T) {
		base.Do("evm_increaseTime", int(unique.Hold/time.Second)+700)
		base.Do("anvil_mine", "0x1")
		l.Until("the amount is free", func() bool { return l.Found(r, pos.Payment(l.Requested(r, "SALE00000000G", 99))).Event == "" })
		if p := l.Requested(r, "SALE00000000H", 4321); p.Quantity.Int().Int64() != 4321 {
			t.Fatalf("still held: %v", p.Quantity)
		}
	})

	t.Run("no amount is free", func(t *testing.T) {
		var err error
		for i := range unique.Slots + 1 {
			_, err = r.Ask(t.Context(), cointest.Intended(r, fmt.Sprintf("SLOT000000%03d", i), 77), "")
		}
		if pos.KindOf(err) != pos.Conflict || !strings.Contains(err.Error(), "Too many open payments of") {
			t.Fatalf("%v", err)
		}
	})
}

// TestSharedTruth: a reorg, and an operator that invents a transfer.
func TestSharedTruth(t *testing.T) {
	t.Parallel()
	t.Run("a reorg before it counts", func(t *testing.T) {
		l, base := sharedLab(t, Policy{coin.UpTo(0, Finalized, 1)}, 1)
		r := l.Ready("usdc-base")
		p := l.Requested(r, "SALE000000001", 900)
		base.usdc.mint(merchant, 900)
		l.Becomes(r, p, pos.Accept)
		p = l.Moved(p, pos.Accept)
		base.Do("anvil_reorg", 1, []any{})
		base.Do("anvil_mine", "0x8", "0x1e") // beyond the time of the block that is gone, however long that stood
		l.Becomes(r, p, pos.Doubt)
		p = l.Moved(p, pos.Doubt)
		base.usdc.mint(merchant, 900)
		base.Do("anvil_mine", "0x8")
		l.Becomes(r, p, pos.Settle)
	})

	t.Run("one operator invents it", func(t *testing.T) {
		l, base := sharedLab(t, strict, 2)
		r := l.Ready("usdc-base")
		p := l.Requested(r, "SALE000000001", 900)
		base.usdc.mint(merchant, 901) // a real one to copy
		base.lines[0].Lies(inflate)
		l.Until("it cannot be verified", func() bool {
			f, err := r.Check(t.Context(), p)
			if f.Event == pos.Settle {
				t.Fatalf("%+v", f)
			}
			return err != nil && strings.Contains(err.Error(), "do not agree")
		})
	})
}

// inflate changes every transfer of 901 units into one of 900.
func inflate(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
	if method != "eth_getLogs" {
		return r
	}
	return json.RawMessage(strings.ReplaceAll(string(r), fmt.Sprintf("%064x", 901), fmt.Sprintf("%064x", 900)))
}

// TestSharedTills: two tills are paid at one wallet. Goal: they never ask for one amount,
// whatever the rate does, and what one of them sold for is no alarm at the other.
func TestSharedTills(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", small, 1)
	asked := map[string]bool{}
	var labs []*lab
	for n := range 2 {
		l := newLab(t, base)
		l.change = func(o *Options) { o.Shared, o.Lane = true, unique.Lane{N: n, Of: 2} }
		r := l.start().Ready("usdc-base")
		for i := range 6 {
			p := l.Requested(r, fmt.Sprintf("SALE00000000%d", i), 12_340_000+100*int64((5*i+n)%4))
			if u := p.Quantity.Int().String(); asked[u] {
				t.Errorf("both ask for %s", u)
			} else {
				asked[u] = true
			}
		}
		labs = append(labs, l)
	}
	base.usdc.mint(merchant, 7_000_100) // of the second's amounts, and no sale's
	told0 := func() bool {
		labs[0].touch(labs[0].Rail("usdc-base"))
		return cointest.Told(labs[0].Rail("usdc-base"), "7.0001")
	}
	labs[1].Until("the second tells of it", func() bool {
		labs[1].touch(labs[1].Rail("usdc-base"))
		return cointest.Told(labs[1].Rail("usdc-base"), "7.0001")
	})
	if told0() {
		t.Error("the first tells of it, too")
	}
}

// oneWallet is chains in a bubble where all customers pay to the merchant's wallet.
func oneWallet(t testing.TB) *world {
	w := newWorld(t, 2, "base")
	inner := w.change
	w.change = func(o *Options) { inner(o); o.Shared = true }
	w.start()
	return w
}

// TestSharedWhileOff: customers pay just before the till is off for long, on a chain of many
// blocks. Goal: it finds the money when it is back; where that takes too long, the owner is
// told that he must look himself.
func TestSharedWhileOff(t *testing.T) {
	for name, x := range map[string]struct {
		every time.Duration // from block to block
		most  uint64        // blocks whose events are given at once; 0: any
		alarm bool
	}{
		"a night":                             {250 * time.Millisecond, 0, false},
		"a night, a thousand at once":         {250 * time.Millisecond, 1000, false},
		"a night, ten at once":                {250 * time.Millisecond, 10, true},
		"a night of slow blocks, ten at once": {2 * time.Second, 10, false},
		"more blocks than are looked at":      {100 * time.Millisecond, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, "base")
				inner, m := w.change, w.chains["base"]
				w.change = func(o *Options) { inner(o); o.Shared = true }
				m.every = x.every
				if x.most > 0 {
					w.each(func(l *line) { l.Through(atMost(x.most)) })
				}
				w.start()
				r := w.Ready("usdc-base")
				p := w.Requested(r, "SALE000000001", 12_340_100)
				w.Stop()
				m.pay(r.token.Contract, merchant, big.NewInt(12_340_100))
				time.Sleep(14 * time.Hour)
				w.start()
				r = w.Ready("usdc-base")
				found := w.watching(r, p, 20*time.Minute, func(f pos.Finding, _ error) bool { return f.Event == pos.Settle })
				if alarm := cointest.Told(r, "ALARM: This till was off"); found == x.alarm || alarm != x.alarm {
					t.Errorf("found %v, the owner reads %q", found, r.Health().Notices)
				}
			})
		})
	}
}

// TestSharedFlood: a stranger sends so many transfers of next to nothing in one block that
// no answer can be read. Goal: customers of later blocks have paid, the owner is told which
// block to look at, and nobody's payment is lost who paid before.
func TestSharedFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := oneWallet(t)
		r, m := w.Ready("usdc-base"), w.chains["base"]
		pay := func(sale string) pos.Payment {
			p := w.Requested(r, sale, 12_340_100)
			m.pay(r.token.Contract, merchant, p.Quantity.Int())
			return w.Moved(p, w.Becomes(r, p, pos.Settle).Event)
		}
		before := pay("SALE000000001")
		for range 4000 {
			m.pay(r.token.Contract, merchant, big.NewInt(1))
		}
		flood := m.head() + 1
		time.Sleep(2 * m.every)
		pay("SALE000000002")
		if text := fmt.Sprintf("(block %d)", flood); !cointest.Told(r, text) {
			t.Errorf("the owner reads %q, want %s", r.Health().Notices, text)
		}
		if w.watching(r, before, 10*time.Minute, func(f pos.Finding, _ error) bool { return f.Lost }) {
			t.Error("who paid before is lost")
		}
	})
}

// atMost refuses events of more blocks than most at once, as plans that cost nothing do.
func atMost(most uint64) func(string, []json.RawMessage, answerer) (json.RawMessage, *rpcFault) {
	return func(method string, params []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
		var in struct{ FromBlock, ToBlock json.RawMessage }
		if method == "eth_getLogs" && json.Unmarshal(params[0], &in) == nil {
			from, ok := rpc.Hex64(in.FromBlock)
			if to, _ := rpc.Hex64(in.ToBlock); ok && to-from >= most {
				return nil, &rpcFault{Code: -32600, Message: "block range is too large"}
			}
		}
		return next(method, params)
	}
}

// TestSharedTwice: an exchange sends the same amount again after the sale was complete.
func TestSharedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := oneWallet(t)
		r, m := w.Ready("usdc-base"), w.chains["base"]
		p := w.Requested(r, "SALE000000001", 12_340_100)
		m.pay(r.token.Contract, merchant, big.NewInt(12_340_100))
		p.Received = w.Becomes(r, p, pos.Settle).Received
		p = w.Moved(p, pos.Settle)
		time.Sleep(time.Minute)
		m.pay(r.token.Contract, merchant, big.NewInt(12_340_100))
		if !w.watching(r, p, time.Minute, func(f pos.Finding, _ error) bool { return f.Received.Int().Int64() == 24_680_200 }) {
			t.Error("the second payment is not booked")
		}
		if !cointest.Told(r, "12.3401 USDC more") {
			t.Errorf("the owner reads %q", r.Health().Notices)
		}
		if !w.watching(r, p, time.Hour, func(f pos.Finding, _ error) bool { return f.Final }) {
			t.Error("never final")
		}
		w.Stop()
	})
}

// TestSharedLostBook: the book is lost, and the till's records are not. An amount that
// is known to be open is not given again; and where two ask for one all the same,
// neither is called paid.
func TestSharedLostBook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := oneWallet(t)
		r, m := w.Ready("usdc-base"), w.chains["base"]
		p := w.Requested(r, "SALE000000001", 12_340_100)
		lose := func() {
			w.Stop()
			w.Store.Put(nil)
			w.start()
			r = w.Ready("usdc-base")
		}
		lose()
		w.Found(r, p) // as the desk does at the start
		if q := w.Requested(r, "SALE000000002", 12_340_100); q.Quantity.Cmp(p.Quantity) == 0 {
			t.Fatal("an open amount was given again")
		}
		lose()
		q := w.Requested(r, "SALE000000003", 12_340_100)
		time.Sleep(time.Minute)
		w.Found(r, p)
		m.pay(r.token.Contract, merchant, q.Quantity.Int())
		torn := map[pos.PaymentID]bool{}
		for range 20 {
			for _, x := range []pos.Payment{p, q} {
				f, err := r.Check(t.Context(), x)
				if f.Event == pos.Settle {
					t.Fatalf("one transfer pays %s: %+v", x.ID, f)
				}
				torn[x.ID] = torn[x.ID] || err != nil && strings.Contains(err.Error(), "two open sales")
			}
		}
		if len(torn) != 2 || !torn[p.ID] || !torn[q.ID] {
			t.Errorf("in doubt: %v", torn)
		}
		w.Stop()
	})
}

// TestSharedAmountAgain: an amount that is free again after its day belongs to its new
// sale alone, although the till still watches the old one.
func TestSharedAmountAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := oneWallet(t)
		r, m := w.Ready("usdc-base"), w.chains["base"]
		p := w.Requested(r, "SALE000000001", 12_340_100)
		for range int((unique.Hold + time.Hour) / (10 * time.Minute)) { // somebody still asks about it
			_, _ = r.Check(t.Context(), p)
			time.Sleep(10 * time.Minute)
		}
		q := w.Requested(r, "SALE000000002", 12_340_100)
		if q.Quantity.Cmp(p.Quantity) != 0 {
			t.Fatalf("%v is still held", p.Quantity)
		}
		m.pay(r.token.Contract, merchant, q.Quantity.Int())
		w.Becomes(r, q, pos.Settle)
		if f, err := r.Check(t.Context(), p); f.Event == pos.Settle {
			t.Errorf("yesterday's sale is paid, too: %+v, %v", f, err)
		}
		w.Stop()
	})
}

// TestSharedSpam: anybody can write transfers of nothing, and of next to nothing, to the
// shop's wallet into a block. They stop nobody's sale.
func TestSharedSpam(t *testing.T) {
	for name, row := range map[string]struct {
		of    int64
		times int
		each  int // blocks have so many
	}{
		"of nothing, 65 in a block":   {0, 65, 65},
		"of nothing, 1200 in a block": {0, 1200, 1200},
		"of dust, more than are kept": {1, 2 * maxTransfers, 60},
		"of dust, 300 in a block":     {1, 300, 300},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := oneWallet(t)
				r, m := w.Ready("usdc-base"), w.chains["base"]
				p, q := w.Requested(r, "SALE000000001", 12_340_100), w.Requested(r, "SALE000000002", 5_000_000)
				m.pay(r.token.Contract, merchant, big.NewInt(5_000_000))
				w.Becomes(r, q, pos.Settle)
				q = w.Moved(q, pos.Settle)
				for i := range row.times {
					if i%row.each == 0 {
						time.Sleep(2 * time.Second)
					}
					m.pay(r.token.Contract, merchant, big.NewInt(row.of))
				}
				time.Sleep(3 * time.Second)
				m.pay(r.token.Contract, merchant, big.NewInt(12_340_100))
				if !w.watching(r, p, time.Minute, func(f pos.Finding, _ error) bool { return f.Event == pos.Settle }) {
					_, err := r.Check(t.Context(), p)
					t.Errorf("an honest payment is not found: %v, %q", err, r.Health().Reason)
				}
				w.watching(r, q, 40*time.Second, func(f pos.Finding, err error) bool {
					if f.Lost || err == nil && f.Event == pos.Doubt {
						t.Errorf("pushed out: %+v", f)
					}
					return f.Lost
				})
				w.Stop()
			})
		})
	}
}
