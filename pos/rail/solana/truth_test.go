package solana

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// TestMoney sends money to the real token programs in every way that wallets do, and
// in those that they should not.
func TestMoney(t *testing.T) {
	t.Parallel()
	s := startSVM(t, 32)
	l := newLab(t, small, coins(s), cointest.NewLine(t, s.answer)).start()
	r, py := l.Ready("usdc-solana"), l.Ready("pyusd-solana")
	usdt := l.tokens[2].Mint
	s.open(merchant, usdt)
	n := 0
	next := func(r *Rail, units int64) (pos.Payment, sent) {
		n++
		p := l.Requested(r, "SALE00000000"+string(rune('A'+n)), units)
		return p, asks(t, p.Payload)
	}
	paid := func(r *Rail, p pos.Payment, units int64) {
		t.Helper()
		if f := l.Becomes(r, p, pos.Settle); f.Received.Int().Int64() != units {
			t.Fatalf("%+v, want %d", f, units)
		}
	}

	for name, options := range map[string]map[string]any{
		"guards before and after": {"guards": true},
		"a memo":                  {"memo": "thank you"},
		"an old transaction":      {"legacy": true},
		"an account made in it":   {"open": true},
	} {
		t.Run(name, func(t *testing.T) {
			p, x := next(r, 1_000_000)
			s.pay(options, x)
			paid(r, p, x.units)
		})
	}

	t.Run("another wallet, without reference", func(t *testing.T) {
		p, _ := next(r, 2_000_000)
		q, _ := next(r, 2_000_000)
		if p.Quantity.Cmp(q.Quantity) == 0 || q.Quantity.Int().Int64() != 2_000_100 {
			t.Fatalf("%v and %v", p.Quantity, q.Quantity)
		}
		x := asks(t, q.Forms[1].Payload)
		if len(x.references) != 0 || q.Forms[2].Payload != merchant.String() || q.Forms[2].Caption != "Address only: type exactly 2.0001 USDC on Solana" || !q.Forms[2].Typed {
			t.Fatalf("%+v", q.Forms)
		}
		s.pay(nil, x)
		paid(r, q, 2_000_100)
		if f := l.Found(r, p); f.Event != "" {
			t.Fatalf("another customer's money: %+v", f)
		}
	})

	t.Run("a reference of somebody else, and the same amount", func(t *testing.T) {
		p, _ := next(r, 2_500_000)
		s.pay(nil, sent{merchant, r.token.Mint, 2_500_000, []Key{keyOf("another till's")}})
		q, x := next(r, 2_600_000)
		s.pay(nil, x)
		paid(r, q, x.units) // so both were read
		if f := l.Found(r, p); f.Event != "" {
			t.Fatalf("another till's money: %+v", f)
		}
	})

	t.Run("a failed transaction", func(t *testing.T) {
		p, x := next(r, 3_000_000)
		all := x
		all.units = 2_000_000_000_000_000_000 // more than the wallet has
		s.pay(nil, all)
		if f := l.Found(r, p); f.Event != "" {
			t.Fatalf("%+v", f)
		}
		s.pay(nil, x)
		paid(r, p, x.units)
	})

	t.Run("short, and then the rest", func(t *testing.T) {
		p, x := next(r, 12_340_100)
		part := x
		part.units = 12_000_000
		s.pay(nil, part)
		f := l.Becomes(r, p, pos.See)
		if !f.Received.IsZero() || f.Final || f.Rest == nil || f.Part.Number() != "12.0000" || f.Rest.Forms[2].Caption != "Address only: type exactly 0.3401 USDC on Solana" {
			t.Fatalf("%+v", f)
		}
		rest := asks(t, f.Rest.Forms[1].Payload) // the other wallet has no reference
		if rest.units != 340_100 {
			t.Fatalf("%+v", rest)
		}
		s.pay(nil, rest)
		paid(r, l.Moved(p, pos.See), 12_340_100)
	})

	t.Run("over, and a thousand times over", func(t *testing.T) {
		for _, times := range []int64{2, 1000} {
			p, x := next(r, 4_000_000)
			x.units *= times
			s.pay(nil, x)
			paid(r, p, x.units)
		}
	})

	t.Run("more after it was paid", func(t *testing.T) {
		p, x := next(r, 4_100_000)
		s.pay(nil, x)
		paid(r, p, x.units)
		s.pay(nil, x)
		p = l.Moved(p, pos.Settle)
		l.Until("it grew", func() bool {
			f, err := r.Check(t.Context(), p)
			return err == nil && f.Event == "" && f.Received.Int().Int64() == 2*x.units
		})
		if !cointest.Told(r, "more came on Solana") {
			t.Errorf("the owner reads %q", r.Health().Notices)
		}
	})

	t.Run("cancelled, and paid late all the same", func(t *testing.T) {
		p, x := next(r, 4_200_000)
		l.Until("cancelled", func() bool {
			f, err := r.Cancel(t.Context(), p)
			return err == nil && f.Event == pos.Cancel && !f.Final
		})
		p = l.Moved(p, pos.Cancel)
		s.pay(nil, x)
		paid(r, p, x.units)
	})

	t.Run("the wrong token, with the reference", func(t *testing.T) {
		p, x := next(r, 5_000_000)
		x.mint = usdt
		s.pay(nil, x)
		f := l.Becomes(r, p, pos.Doubt)
		if !strings.Contains(f.Why, "5.0000 USDT came on Solana instead of USDC") || f.Stray.Int().Int64() != 5_000_000 {
			t.Fatalf("%+v", f)
		}
	})

	t.Run("the wrong token, by its amount", func(t *testing.T) {
		p, x := next(py, 5_678_900)
		x.mint, x.references = usdt, nil
		s.pay(nil, x)
		if f := l.Becomes(py, p, pos.Doubt); !strings.Contains(f.Why, "5.6789 USDT came on Solana instead of PYUSD") {
			t.Fatalf("%+v", f)
		}
	})

	t.Run("the coin instead of the token", func(t *testing.T) {
		p, x := next(r, 6_000_000)
		s.do("coin", map[string]any{"owner": merchant.String(), "units": "6000000000", "references": []string{x.references[0].String()}})
		if f := l.Becomes(r, p, pos.Doubt); !strings.Contains(f.Why, "6.0000 SOL came on Solana instead of USDC") {
			t.Fatalf("%+v", f)
		}
	})

	t.Run("one transaction for two sales", func(t *testing.T) {
		p, x := next(r, 7_000_000)
		q, y := next(r, 7_500_000)
		s.pay(nil, x, y)
		for _, one := range []pos.Payment{p, q} {
			if f := l.Becomes(r, one, pos.Doubt); !strings.Contains(f.Why, "names this sale and another one") {
				t.Fatalf("%+v", f)
			}
		}
		s.pay(nil, x) // each can still be paid by its own
		paid(r, l.Moved(p, pos.Doubt), x.units)
		if f := l.Found(r, l.Moved(q, pos.Doubt)); f.Event != "" {
			t.Fatalf("%+v", f)
		}
	})

	t.Run("two transfers for one sale in one transaction", func(t *testing.T) {
		p, x := next(r, 8_000_000)
		half := x
		half.units /= 2
		other := half
		other.references = nil
		s.pay(nil, half, other)
		paid(r, p, x.units)
	})

	t.Run("money that belongs to no sale", func(t *testing.T) {
		s.pay(nil, sent{merchant, r.token.Mint, 123, nil})
		p, _ := next(r, 9_000_000)
		l.Until("the owner is told", func() bool {
			if f := l.Found(r, p); f.Event != "" {
				t.Fatalf("%+v", f)
			}
			return cointest.Told(r, "0.000123 USDC came on Solana and belongs to no sale")
		})
	})
}

// TestForks: what the cluster showed and then took back, before and after it counted.
func TestForks(t *testing.T) {
	t.Parallel()
	t.Run("before it counted", func(t *testing.T) {
		s := startSVM(t, 100_000)
		l := newLab(t, Policy{coin.UpTo(0, Finalized, 1)}, coins(s), cointest.NewLine(t, s.answer)).start()
		r := l.Ready("usdc-solana")
		p := l.Requested(r, "SALE000000001", 1_000_000)
		s.do("mark", nil)
		s.pay(nil, asks(t, p.Payload))
		l.Becomes(r, p, pos.Accept)
		p = l.Moved(p, pos.Accept)
		s.do("fork", nil)
		s.do("wait", map[string]any{"seconds": 20, "slots": goneAfter + 10})
		if f := l.Becomes(r, p, pos.Doubt); f.Why == "" || f.Final {
			t.Fatalf("%+v", f)
		}
		p = l.Moved(p, pos.Doubt)
		s.pay(nil, asks(t, p.Payload))
		l.Becomes(r, p, pos.Accept)
	})

	t.Run("after the sale", func(t *testing.T) {
		s := startSVM(t, 100_000)
		l := newLab(t, small, coins(s), cointest.NewLine(t, s.answer)).start()
		r := l.Ready("usdc-solana")
		p := l.Requested(r, "SALE000000001", 1_000_000)
		s.do("mark", nil)
		s.pay(nil, asks(t, p.Payload))
		f := l.Becomes(r, p, pos.Settle)
		p = l.Moved(p, pos.Settle)
		p.Received = f.Received
		s.do("fork", nil)
		s.do("wait", map[string]any{"seconds": 20, "slots": goneAfter + 10})
		l.Until("it is said to be lost", func() bool {
			f, err := r.Check(t.Context(), p)
			return err == nil && f.Lost && f.Event == "" && f.Why != ""
		})
		for i := range 100 { // which push an alarm out no more
			l.w.notices.Tell(fmt.Sprint(i), fmt.Sprint("a stranger's ", i))
		}
		if !cointest.Told(r, "ALARM") {
			t.Errorf("the owner reads %q", r.Health().Notices)
		}
		if err := p.Apply(pos.Doubt, p.Moved); err == nil { // as the desk books it
			t.Fatal("a settled payment moved")
		}
		p.State, p.Lost = pos.Unknown, true
		if f := l.Found(r, p); f.Event != "" {
			t.Fatalf("lost, and then %+v", f)
		}
		s.pay(nil, asks(t, p.Payload)) // it is sent again
		l.Becomes(r, p, pos.Settle)
	})
}

// TestAccounts: the owner's account of a token is not there, comes, and is frozen.
func TestAccounts(t *testing.T) {
	t.Parallel()
	s := startSVM(t, 32)
	usdc, eurc := s.mint(SPLToken, 6, merchant), s.mint(SPLToken, 6, Key{})
	oddly, old := s.mint(SPLToken, 9, merchant), s.mint(SPLToken, 6, merchant)
	s.do("wait", map[string]any{"seconds": 2}) // all are confirmed before the till looks
	l := newLab(t, small, []Token{
		{Cluster: "solana", Symbol: "USDC", Mint: usdc, Decimals: 6, Peg: "USD"},
		{Cluster: "solana", Symbol: "EURC", Mint: eurc, Decimals: 6, Peg: "EUR"},
		{Cluster: "solana", Symbol: "ODD", Mint: oddly, Decimals: 6, Peg: "USD"},
		{Cluster: "solana", Symbol: "OLD", Mint: old, Decimals: 6, Program: Token2022, Peg: "USD"},
	}, cointest.NewLine(t, s.answer)).start()
	usd, eur := l.Ready("usdc-solana"), l.Rail("eurc-solana")
	if h := eur.Health(); h.Ready || !strings.Contains(h.Reason, "cannot hold EURC on Solana yet") {
		t.Fatalf("%+v", h)
	}
	if _, err := eur.Ask(t.Context(), cointest.Intended(eur, "SALE000000001", 5_000_000), ""); pos.KindOf(err) != pos.Unavailable {
		t.Fatalf("asked for what cannot come: %v", err)
	}
	for tender, want := range map[pos.Tender]string{"odd-solana": "other decimals", "old-solana": "no such token there"} {
		if h := l.Rail(tender).Health(); h.Ready || !strings.Contains(h.Reason, want) {
			t.Errorf("%s: %+v", tender, h)
		}
	}
	if at := s.open(merchant, eurc); at != AccountOf(merchant, tokenProgram, eurc) {
		t.Errorf("the cluster has the account at %s, we at %s", at, AccountOf(merchant, tokenProgram, eurc))
	}
	p := l.Requested(usd, "SALE000000002", 1_000_000) // the till is awake now
	l.Until("the new account is noticed", func() bool { _, _ = usd.Check(t.Context(), p); return eur.Health().Ready })
	s.do("freeze", map[string]any{"owner": merchant.String(), "mint": eurc.String()})
	l.Until("the frozen account is noticed", func() bool {
		_, _ = usd.Check(t.Context(), p)
		return strings.Contains(eur.Health().Reason, "is frozen")
	})
}

// TestOwnerIsAWallet: a token account, or a mint, is not paid to.
func TestOwnerIsAWallet(t *testing.T) {
	t.Parallel()
	s := startSVM(t, 32)
	tokens := coins(s)
	l := newLab(t, small, tokens, cointest.NewLine(t, s.answer))
	l.change = func(o *Options) { o.Owner = AccountOf(merchant, tokenProgram, tokens[0].Mint) }
	l.start()
	l.Until("it is refused", func() bool {
		return strings.Contains(l.w.Rails()[0].Health().Reason, "must be the owner's own wallet")
	})
}
