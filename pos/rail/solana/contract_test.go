package solana

import (
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// coins makes tokens on a real machine, with the merchant's accounts of those that he
// takes.
func coins(s *svm) []Token {
	defer s.do("wait", map[string]any{"seconds": 2}) // until they are confirmed
	return []Token{
		{Cluster: "solana", Symbol: "USDC", Mint: s.mint(SPLToken, 6, merchant), Decimals: 6, Peg: "USD"},
		{Cluster: "solana", Symbol: "PYUSD", Mint: s.mint(Token2022, 6, merchant), Decimals: 6, Program: Token2022, Peg: "USD"},
		{Cluster: "solana", Symbol: "USDT", Mint: s.mint(SPLToken, 6, Key{}), Decimals: 6, Peg: "USD", Watch: true},
	}
}

// harness puts a rail before a real virtual machine.
func harness(t testing.TB, tender pos.Tender) postest.Harness {
	s := startSVM(t, 32)
	k := cointest.NewLine(t, s.answer)
	l := newLab(t, small, coins(s), k).start()
	r := l.Rail(tender)
	return postest.Harness{
		Rail: r, Tender: r.Tender(), Quantity: r.Asset().UnitsOf(12_340_100), Overpays: true, Withdraws: false,
		Pay: func(p pos.Payment, q pos.Quantity) error {
			x := asks(t, p.Payload)
			x.units = q.Int().Int64()
			s.pay(nil, x)
			return nil
		},
		Expire: func(pos.Payment) { s.do("wait", map[string]any{"seconds": 610}) },
		Break:  k.Cut,
		Mend:   k.Mend,
		Restart: func() postest.Rail {
			return l.restart().Rail(r.Tender())
		},
		Part: func(p pos.Payment) {
			x := asks(t, p.Payload)
			x.units /= 2
			s.pay(nil, x)
		},
	}
}

// TestRail holds the rail to the contract of all rails, on the real token programs.
func TestRail(t *testing.T) {
	for _, tender := range []pos.Tender{"usdc-solana", "pyusd-solana"} {
		t.Run(string(tender), func(t *testing.T) {
			t.Parallel()
			postest.TestRail(t, func(t testing.TB) postest.Harness { return harness(t, tender) })
		})
	}
}

// TestSale runs one sale whole, and says how long it took.
func TestSale(t *testing.T) {
	t.Parallel()
	s := startSVM(t, 32)
	l := newLab(t, small, coins(s), cointest.NewLine(t, s.answer)).start()
	r := l.Ready("usdc-solana")
	p := l.Requested(r, "SALE000000001", 12_340_100)
	x := asks(t, p.Payload)
	if x.owner != merchant || x.mint != l.tokens[0].Mint || x.units != 12_340_100 || len(x.references) != 1 || p.Network != "USDC on Solana" {
		t.Fatalf("shown %s on %q", p.Payload, p.Network)
	}
	if f := l.Found(r, p); f.Event != "" {
		t.Fatalf("nobody paid, and it is %+v", f)
	}
	began := time.Now()
	s.pay(nil, x)
	f := l.Becomes(r, p, pos.Settle)
	t.Logf("settled %v after the wallet sent it", time.Since(began).Round(time.Millisecond))
	if f.Received.Int().Int64() != 12_340_100 || f.Final || f.At.IsZero() {
		t.Fatalf("%+v", f)
	}
}
