package evm

import (
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// harness puts a rail before a real EVM.
func harness(t testing.TB, token string, units int64) postest.Harness {
	place := newPlace(t, 31337, "base", small, 1)
	l := newLab(t, place)
	if outside != "" {
		l.change = func(o *Options) { o.Expiry = coin.MinExpiry }
	}
	l.start()
	r := l.Rail(pos.Tender(token + "-base"))
	coin := place.usdc
	if token == "dai" {
		coin = place.dai
	}
	return postest.Harness{
		Rail: r, Tender: r.Tender(), Quantity: r.token.Asset().UnitsOf(units), Overpays: true, Withdraws: false,
		Pay: func(p pos.Payment, q pos.Quantity) error {
			req, _ := at(t, p)
			coin.do("mint(address,uint256)", addr(req.To), uint256(q.Int()))
			return nil
		},
		Expire: func(p pos.Payment) {
			if outside != "" {
				place.outlive(p)
				return
			}
			place.Do("evm_increaseTime", 601)
			place.Do("anvil_mine", "0x1")
		},
		Break: place.lines[0].Cut,
		Mend:  place.lines[0].Mend,
		Restart: func() postest.Rail {
			return l.restart().Rail(r.Tender())
		},
		Part: func(p pos.Payment) {
			req, all := at(t, p)
			coin.mint(req.To, all.Int64()/2)
		},
	}
}

// TestRail holds the rail to the contract of all rails, on a real EVM, for a token
// of 6 decimals and one whose amounts no int64 holds for long.
func TestRail(t *testing.T) {
	t.Run("usdc", func(t *testing.T) {
		t.Parallel()
		postest.TestRail(t, func(t testing.TB) postest.Harness { return harness(t, "usdc", 12_340_100) })
	})
	t.Run("dai", func(t *testing.T) {
		t.Parallel()
		postest.TestRail(t, func(t testing.TB) postest.Harness { return harness(t, "dai", 4_340_100_000_000_000_000) })
	})
}

// TestSale runs one sale whole, and says how long it took.
func TestSale(t *testing.T) {
	t.Parallel()
	place := newPlace(t, 31337, "base", small, 1)
	l := newLab(t, place).start()
	r := l.Ready("usdc-base")
	p := l.Requested(r, "SALE000000001", 12_340_100)
	req, units := at(t, p)
	if req.Chain != place.chain.ID || req.Token != place.usdc.at || units.Int64() != 12_340_100 || p.Network != "USDC on Test base" {
		t.Fatalf("shown %s on %q", p.Payload, p.Network)
	}
	if f := l.Found(r, p); f.Event != "" {
		t.Fatalf("nobody paid, and it is %+v", f)
	}
	place.usdc.mint(req.To, 12_340_100)
	began := time.Now()
	f := l.Becomes(r, p, pos.Settle)
	t.Logf("settled %v after the block", time.Since(began).Round(time.Millisecond))
	if f.Received.Int().Int64() != 12_340_100 || f.Final || f.At.IsZero() {
		t.Fatalf("%+v", f)
	}
}
