package evm

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// sharedLab is a shop without contracts: all customers pay to the merchant's wallet.
func sharedLab(t testing.TB, policy Policy, operators int) (*lab, *site) {
	base := newPlace(t, 31337, "base", policy, operators)
	l := newLab(t, base)
	l.change = func(o *Options) { o.Shared = true }
	return l.start(), base
}

// wanted asks for a payment and returns it as the desk keeps it, with the amount that
// is really asked for.
func (l *lab) wanted(r *Rail, sale string, units int64) pos.Payment {
	l.t.Helper()
	p := intended(r, sale, units)
	a, err := r.Ask(l.t.Context(), p, "")
	if err != nil {
		l.t.Fatal(err)
	}
	if !a.Quantity.IsZero() {
		p.Quantity = a.Quantity
	}
	p.Reference, p.Payload = a.Reference, a.Payload
	return l.moved(p, pos.Request)
}

func TestShared(t *testing.T) {
	t.Parallel()
	l, base := sharedLab(t, small, 1)
	r := l.ready("usdc-base")

	t.Run("the same price three times", func(t *testing.T) {
		var ps []pos.Payment
		for i := range 3 {
			p := l.wanted(r, fmt.Sprintf("SALE00000000%d", i), 12_340_100)
			req, units := at(t, p)
			if want := int64(12_340_100 + 100*i); req.To != merchant || units.Int64() != want || p.Quantity.Int().Int64() != want {
				t.Fatalf("asked for %v at %s, want %d", p.Quantity, req.To, want)
			}
			ps = append(ps, p)
		}
		base.usdc.mint(merchant, 12_340_200) // the second customer is the fastest
		f := l.becomes(r, ps[1], pos.Settle)
		if f.Received.Int().Int64() != 12_340_200 || f.Final {
			t.Fatalf("%+v", f)
		}
		for _, i := range []int{0, 2} {
			if f := l.found(r, ps[i]); f.Event != "" {
				t.Fatalf("another customer's money: %+v", f)
			}
		}
		base.usdc.mint(merchant, 12_340_100)
		l.becomes(r, ps[0], pos.Settle)
		if p := l.wanted(r, "SALE000000009", 12_340_100); p.Quantity.Int().Int64() != 12_340_400 {
			t.Fatalf("an amount was given again: %v", p.Quantity)
		}
	})

	t.Run("the same attempt is asked again after a restart", func(t *testing.T) {
		p := l.wanted(r, "SALE00000000A", 500)
		l.restart()
		r = l.ready("usdc-base")
		if q := l.wanted(r, "SALE00000000A", 500); q.Reference != p.Reference {
			t.Fatalf("%s, then %s", p.Reference, q.Reference)
		}
		base.usdc.mint(merchant, 500)
		l.becomes(r, p, pos.Settle)
	})

	t.Run("paid while the till was off", func(t *testing.T) {
		p := l.wanted(r, "SALE00000000B", 700)
		l.stop()
		base.usdc.mint(merchant, 700)
		base.do("anvil_mine", "0x20")
		l.start()
		r = l.ready("usdc-base")
		l.becomes(r, p, pos.Settle)
	})

	t.Run("money that belongs to no sale", func(t *testing.T) {
		p := l.wanted(r, "SALE00000000C", 900)
		base.usdc.mint(merchant, 899)
		base.look.mint(merchant, 900)
		l.until("the owner is told of both", func() bool {
			if f := l.found(r, p); f.Event != "" {
				t.Fatalf("taken for it: %+v", f)
			}
			return told(r, "0.000899 USDC came") && told(r, "0.0009 USDC.e came")
		})
	})

	t.Run("money from before the sale", func(t *testing.T) {
		base.usdc.mint(merchant, 1234)
		base.do("anvil_mine", "0x1")
		p := l.wanted(r, "SALE00000000D", 1234)
		if f := l.found(r, p); f.Event != "" {
			t.Fatalf("%+v", f)
		}
	})

	t.Run("cancelled, and paid late all the same", func(t *testing.T) {
		p := l.wanted(r, "SALE00000000E", 4321)
		if f, err := r.Cancel(t.Context(), p); err != nil || f.Event != pos.Cancel || f.Final {
			t.Fatalf("%+v, %v", f, err)
		}
		p = l.moved(p, pos.Cancel)
		if q := l.wanted(r, "SALE00000000F", 4321); q.Quantity.Int().Int64() == 4321 {
			t.Fatal("a cancelled request's amount was given again at once")
		}
		base.usdc.mint(merchant, 4321)
		l.becomes(r, p, pos.Settle)
	})

	t.Run("free again after a day", func(t *testing.T) {
		base.do("evm_increaseTime", int(unique.Hold/time.Second)+700)
		base.do("anvil_mine", "0x1")
		l.until("the amount is free", func() bool { return l.found(r, pos.Payment(l.wanted(r, "SALE00000000G", 99))).Event == "" })
		if p := l.wanted(r, "SALE00000000H", 4321); p.Quantity.Int().Int64() != 4321 {
			t.Fatalf("still held: %v", p.Quantity)
		}
	})

	t.Run("no amount is free", func(t *testing.T) {
		var err error
		for i := range unique.Slots + 1 {
			_, err = r.Ask(t.Context(), intended(r, fmt.Sprintf("SLOT000000%03d", i), 77), "")
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
		r := l.ready("usdc-base")
		p := l.wanted(r, "SALE000000001", 900)
		base.usdc.mint(merchant, 900)
		l.becomes(r, p, pos.Accept)
		p = l.moved(p, pos.Accept)
		base.do("anvil_reorg", 1, []any{})
		base.do("anvil_mine", "0x8")
		l.becomes(r, p, pos.Doubt)
		p = l.moved(p, pos.Doubt)
		base.usdc.mint(merchant, 900)
		base.do("anvil_mine", "0x8")
		l.becomes(r, p, pos.Settle)
	})

	t.Run("one operator invents it", func(t *testing.T) {
		l, base := sharedLab(t, strict, 2)
		r := l.ready("usdc-base")
		p := l.wanted(r, "SALE000000001", 900)
		base.usdc.mint(merchant, 901) // a real one to copy
		base.lines[0].lies(inflate)
		l.until("it cannot be verified", func() bool {
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
		r := l.start().ready("usdc-base")
		for i := range 6 {
			p := l.wanted(r, fmt.Sprintf("SALE00000000%d", i), 12_340_000+100*int64((5*i+n)%4))
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
		labs[0].touch(labs[0].rail("usdc-base"))
		return told(labs[0].rail("usdc-base"), "7.0001")
	}
	labs[1].until("the second tells of it", func() bool {
		labs[1].touch(labs[1].rail("usdc-base"))
		return told(labs[1].rail("usdc-base"), "7.0001")
	})
	if told0() {
		t.Error("the first tells of it, too")
	}
}
