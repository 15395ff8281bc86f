package desk_test

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
)

const dai2 = pos.Tender("dai-lab2")

// twin is another network with DAI of its own: the same addresses, other units.
type twin struct {
	*chain
	asset pos.Asset
	holds *big.Int // at the address that is asked for
	gone  bool
	down  bool
}

func (c *twin) Health() pos.Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	return pos.Health{Ready: !c.down, Asset: c.asset}
}

func (c *twin) Check(_ context.Context, p pos.Payment) (pos.Finding, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Quantity.Asset.ID != c.asset.ID || p.Reference != "ref" || p.ID != pos.PaymentIDOf(p.Sale, p.Attempt) {
		return pos.Finding{}, fmt.Errorf("not a payment of this network: %+v", p)
	}
	if c.gone && p.State == pos.Settled {
		return pos.Finding{Lost: true}, nil
	}
	if c.gone {
		return pos.Finding{}, nil
	}
	q, err := c.asset.Units(c.holds)
	return pos.Finding{Event: pos.Settle, Received: q}, err
}

// astrayShop runs body with a shop that takes DAI on two networks; the second one's has
// so many decimals.
func astrayShop(t *testing.T, decimals int, body func(*testing.T, *shop, *chain, *twin)) {
	t.Helper()
	bubble(t, func(t *testing.T, s *shop) {
		c := newChain()
		c2 := &twin{chain: newChain(), asset: pos.Asset{ID: "eip155:2/erc20:0x6b", Symbol: "DAI", Decimals: decimals, Shown: 6}, holds: new(big.Int)}
		c.strayIs = c2.asset
		s.halt()
		s.tenders = append(s.tenders, desk.Tender{Name: dai, Rail: c, Token: "DAI", Chain: "Lab"}, desk.Tender{Name: dai2, Rail: c2, Token: "DAI", Chain: "Lab Two"})
		s.start()
		body(t, s, c, c2)
	})
}

// strays lets so many units come on the second network for a payment that asks for the
// first one.
func (s *shop) strays(c *chain, c2 *twin, id pos.PaymentID, units int64) {
	c.set(func(c *chain) { c.stray[id] = units })
	c2.set(func(*chain) { c2.holds = big.NewInt(units) })
	wait(31 * time.Second)
}

// TestAstrayTaken: what was asked for came on another network. Everybody is told so; a
// manager, and nobody else, takes it as payment, and the books add up, also after a lost
// ledger.
func TestAstrayTaken(t *testing.T) {
	for decimals, came := range map[int]int64{18: 58_000_000_000_000, 6: 58, 7: 580} {
		t.Run(fmt.Sprint(decimals), func(t *testing.T) {
			astrayShop(t, decimals, func(t *testing.T, s *shop, c *chain, c2 *twin) {
				empty := s.copyLedger()
				a := s.chargeDAI()
				s.strays(c, c2, a.Payment, came)
				if see := s.want(pos.PhaseChecking); see.Reason != "other_network" {
					t.Errorf("the customer sees %+v", see)
				}
				v := s.view().Counter
				if len(v.Refunds) != 1 || v.Refunds[0].Kind != pos.OwedNetwork || v.Refunds[0].On != "DAI on Lab Two" || v.Refunds[0].Asked != "DAI on Lab" || v.Refunds[0].Of != "#0001" || !v.Refunds[0].Sells {
					t.Fatalf("owed %+v", v.Refunds)
				}
				if v.Current.Astray == nil || *v.Current.Astray != v.Refunds[0] {
					t.Errorf("the sale says %+v", v.Current.Astray)
				}
				s.refused(s.decision(a.Payment, pos.AsSale, ""), pos.Forbidden)
				got, err := s.by(boss, s.decision(a.Payment, pos.AsSale, ""))
				must(t, err)
				settle()
				if got.Sale != a.Sale || got.Payment == a.Payment {
					t.Errorf("answered %+v", got)
				}
				s.want(pos.PhasePaid)
				if n := s.notice(); n != "" {
					t.Errorf("decided, and still told: %s", n)
				}
				s.cut(empty)
				s.holdTaken(t, a, got, c2, came)
				s.refusedBy(boss, s.decision(a.Payment, pos.AsSale, ""), pos.NotFound)
			})
		})
	}
}

// holdTaken holds journal, receipt and report to one espresso paid on the second network.
func (s *shop) holdTaken(t *testing.T, a, got pos.Answer, c2 *twin, came int64) {
	t.Helper()
	wait(5 * time.Minute)
	if v := s.view().Counter; len(v.Refunds) != 0 || v.LastDone == nil || v.LastDone.ID != got.Sale {
		t.Errorf("owed %+v, done %+v", v.Refunds, v.LastDone)
	}
	p, q := s.payment(got.Payment), s.payment(a.Payment)
	if p.State != pos.Settled || p.Tender != dai2 || p.Network != "DAI on Lab Two" || p.Amount != eur.Of(290) || p.Received.Int().Int64() != came || p.Reference != q.Reference {
		t.Errorf("taken as %+v", p)
	}
	if q.State == pos.Settled || !q.Aside || q.Owed || q.StrayIn != p.ID {
		t.Errorf("what was asked for is %+v", q)
	}
	var decided []pos.RefundDecided
	for r := range s.journal.Since(0) {
		var b pos.RefundDecided
		if r.Kind == pos.KindRefundDecided {
			must(t, r.Decode(&b))
			decided = append(decided, b)
		}
	}
	if len(decided) != 1 || decided[0].By != boss || decided[0].Network != "DAI on Lab Two" || decided[0].Amount != eur.Of(290) || decided[0].Note == "" || decided[0].Came.Int().Int64() != came || decided[0].Into != p.ID {
		t.Errorf("decided %+v", decided)
	}
	r := s.folded()
	if r.Sales != 1 || r.Unbalanced != 0 || r.Tender(dai2).Amount != eur.Of(290) || r.Tender(dai).Count != 0 || len(r.Received) != 1 || r.Received[0].Amount != eur.Of(290) {
		t.Errorf("the report has %+v, received %+v", r.Tenders, r.Received)
	}
	if r.Astray.Count != 1 || r.Astray.Amount != eur.Of(290) || r.AstrayTaken != (pos.Tally{Count: 1, Amount: eur.Of(290)}) || r.AstrayBack != 0 || r.PaymentDoubts != 0 || r.RefundDue.Count != 0 || r.SoldAfter.Count != 0 {
		t.Errorf("the report says %+v, taken %+v, %d doubts", r.Astray, r.AstrayTaken, r.PaymentDoubts)
	}
	rc, err := s.Receipt(got.Sale)
	if err != nil || len(rc.Paid) != 1 || rc.Paid[0].Network != "DAI on Lab Two" || rc.Paid[0].Rate != "1 DAI = 50000.00 EUR" {
		t.Errorf("the receipt: %+v, %v", rc.Paid, err)
	}
}

// TestAstrayBack: given back, the sale is not paid, and the customer pays otherwise.
func TestAstrayBack(t *testing.T) {
	astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
		a := s.chargeDAI()
		s.strays(c, c2, a.Payment, espresso.Int64())
		s.doBy(boss, s.decision(a.Payment, pos.GivenBack, "cash"))
		settle()
		if v := s.view().Counter; len(v.Notices) != 0 || len(v.Refunds) != 0 || v.Current.Doubtful || v.Current.Due != eur.Of(290) {
			t.Fatalf("owed %+v, the sale is %+v", v.Refunds, v.Current)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
		wait(5 * time.Minute)
		r := s.folded()
		if r.Sales != 1 || r.Tender(pos.Cash).Amount != eur.Of(290) || r.Tender(dai2).Count != 0 || r.Astray.Count != 1 || r.AstrayBack != 1 || r.AstrayTaken.Count != 0 || r.PaymentDoubts != 0 {
			t.Errorf("the report says %+v", r)
		}
		s.strays(c, c2, a.Payment, 2*espresso.Int64()) // and once more: that is another debt
		if v := s.view().Counter.Refunds; len(v) != 1 || v[0].Came != "0.000058 DAI" || v[0].Kind != pos.OwedNetwork || v[0].Sells {
			t.Errorf("owed %+v", v)
		}
		if r := s.folded(); r.Astray.Count != 1 || len(r.Astray.Assets) != 1 || r.Astray.Assets[0].Int().Int64() != 2*espresso.Int64() {
			t.Errorf("the report says %+v", r.Astray)
		}
	})
}

// TestAstrayRefused: what cannot pay, and when.
func TestAstrayRefused(t *testing.T) {
	take := func(s *shop, id pos.PaymentID) {
		s.t.Helper()
		if v := s.view().Counter.Refunds; len(v) != 1 || v[0].Sells {
			s.t.Errorf("offered: %+v", v)
		}
		before := s.journal.count(pos.KindPayment)
		s.refusedBy(boss, s.decision(id, pos.AsSale, ""), pos.Conflict)
		if n := s.journal.count(pos.KindPayment); n != before {
			s.t.Error("it was booked all the same")
		}
	}
	for name, x := range map[string]struct {
		units int64
		is    pos.Asset
		kind  string
	}{
		"one unit short":     {espresso.Int64() - 1, pos.Asset{}, pos.OwedNetwork},
		"another token":      {espresso.Int64(), pos.Asset{ID: "eip155:2/erc20:0x7", Symbol: "USDC", Decimals: 18, Shown: 6}, pos.OwedCoin},
		"a network not used": {espresso.Int64(), pos.Asset{ID: "eip155:3/erc20:0x6b", Symbol: "DAI", Decimals: 18, Shown: 6}, pos.OwedNetwork},
	} {
		t.Run(name, func(t *testing.T) {
			astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
				if x.is != (pos.Asset{}) {
					c.set(func(c *chain) { c.strayIs = x.is })
				}
				a := s.chargeDAI()
				s.strays(c, c2, a.Payment, x.units)
				if v := s.view().Counter.Refunds; len(v) != 1 || v[0].Kind != x.kind || v[0].Why == "" {
					t.Errorf("owed %+v", v)
				}
				take(s, a.Payment)
			})
		})
	}
	t.Run("paid otherwise", func(t *testing.T) {
		astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
			a := s.chargeDAI()
			s.strays(c, c2, a.Payment, espresso.Int64())
			s.doBy(boss, pos.CancelPayment{Despite: true})
			settle()
			s.do(pos.Pay{Tender: bolt}) // its customer may be paying now
			settle()
			s.refusedBy(boss, s.decision(a.Payment, pos.AsSale, ""), pos.Conflict)
			s.do(pos.CancelPayment{})
			s.do(pos.Pay{Tender: pos.Cash})
			s.want(pos.PhaseChange)
			take(s, a.Payment)
		})
	})
	t.Run("its lines went on", func(t *testing.T) {
		astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
			a := s.chargeDAI()
			s.strays(c, c2, a.Payment, espresso.Int64())
			s.doBy(boss, pos.CancelPayment{Despite: true})
			settle()
			s.do(pos.Reopen{Sale: a.Sale})
			settle()
			take(s, a.Payment)
		})
	})
	t.Run("the right money came, too", func(t *testing.T) {
		astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
			a := s.chargeDAI()
			s.strays(c, c2, a.Payment, espresso.Int64())
			c.sends(a.Payment, espresso)
			wait(31 * time.Second)
			s.want(pos.PhasePaid)
			take(s, a.Payment)
		})
	})
}

// TestAstrayAndAsked: what was asked for comes on top of what was taken. That is one debt,
// and what was taken stays.
func TestAstrayAndAsked(t *testing.T) {
	astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
		a := s.chargeDAI()
		s.strays(c, c2, a.Payment, espresso.Int64())
		s.doBy(boss, s.decision(a.Payment, pos.AsSale, ""))
		settle()
		c.sends(a.Payment, espresso)
		wait(2 * time.Minute)
		v := s.view().Counter
		if len(v.Refunds) != 1 || v.Refunds[0].Payment != a.Payment || v.Refunds[0].Kind != "" || v.Refunds[0].Sells {
			t.Fatalf("owed %+v", v.Refunds)
		}
		s.doBy(boss, s.decision(a.Payment, pos.GivenBack, "cash"))
		wait(2 * time.Minute)
		if v := s.view().Counter; len(v.Refunds) != 0 {
			t.Errorf("owed once more: %+v", v.Refunds)
		}
		if r := s.folded(); r.Sales != 1 || r.RefundDue.Count != 1 || r.GivenBack.Count != 1 || r.AstrayTaken.Count != 1 || len(r.Received) != 1 {
			t.Errorf("the report says %+v", r)
		}
		s.strays(c, c2, a.Payment, 2*espresso.Int64()) // more on the second network is over, once
		if v := s.view().Counter.Refunds; len(v) != 1 || v[0].Kind != pos.OwedOver || v[0].Came != "0.000058 DAI" {
			t.Errorf("owed %+v", v)
		}
	})
}

// TestAstrayTakenBack: the second network takes back what was taken. It is in doubt and
// told of; the sale stays.
func TestAstrayTakenBack(t *testing.T) {
	astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
		a := s.chargeDAI()
		s.strays(c, c2, a.Payment, espresso.Int64())
		got, err := s.by(boss, s.decision(a.Payment, pos.AsSale, ""))
		must(t, err)
		settle()
		c2.set(func(*chain) { c2.gone = true })
		wait(time.Minute)
		if p := s.payment(got.Payment); !p.Lost || p.State != pos.Unknown || !strings.Contains(s.notice(), pos.NoticeTrouble) {
			t.Errorf("booked as %+v, notices %s", p, s.notice())
		}
	})
}

// TestAstraySoldAfter: the sale was given up meanwhile, and the goods went out after all.
func TestAstraySoldAfter(t *testing.T) {
	astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
		a := s.chargeDAI()
		s.strays(c, c2, a.Payment, espresso.Int64())
		s.doBy(boss, pos.CancelPayment{Despite: true})
		s.do(pos.ClearSale{})
		other := s.do(pos.AddItem{SKU: "BRD"})
		if v := s.view().Counter.Refunds; len(v) != 1 || !v[0].Sells || v[0].Of != "#0001" {
			t.Fatalf("owed %+v", v)
		}
		got, err := s.by(boss, s.decision(a.Payment, pos.AsSale, "he took it"))
		must(t, err)
		settle()
		v := s.view().Counter
		if got.Sale == a.Sale || v.LastDone == nil || v.LastDone.ID != got.Sale || v.Current == nil || v.Current.ID != other.Sale || len(v.Refunds) != 0 {
			t.Errorf("answer %+v, done %+v, now %+v, owed %+v", got, v.LastDone, v.Current, v.Refunds)
		}
		s.holdTaken(t, a, got, c2, espresso.Int64())
	})
}

// TestAstrayOfSeveral: the network's word about what came astray moves from one asset to
// another and back. What was decided about each of them stays decided, also after a lost
// ledger and after a restart.
func TestAstrayOfSeveral(t *testing.T) {
	third := pos.Asset{ID: "eip155:3/erc20:0x6b", Symbol: "DAI", Decimals: 18, Shown: 6}
	for name, x := range map[string]struct {
		as      pos.Decision
		givenUp bool
	}{
		"taken": {pos.AsSale, false}, "sold after": {pos.AsSale, true}, "given back": {pos.GivenBack, false},
	} {
		t.Run(name, func(t *testing.T) {
			astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
				empty := s.copyLedger()
				a := s.chargeDAI()
				s.strays(c, c2, a.Payment, espresso.Int64())
				if x.givenUp {
					_, err := s.by(boss, pos.CancelPayment{Despite: true})
					must(t, err)
					s.do(pos.ClearSale{})
				}
				_, err := s.by(boss, s.decision(a.Payment, x.as, "n"))
				must(t, err)
				settle()
				c.set(func(c *chain) { c.strayIs, c.stray[a.Payment] = third, 7 })
				wait(31 * time.Second)
				if v := s.view().Counter.Refunds; len(v) != 1 || v[0].Came != third.UnitsOf(7).String() {
					t.Fatalf("owed %+v", v)
				}
				_, err = s.by(boss, s.decision(a.Payment, pos.GivenBack, "cash"))
				must(t, err)
				s.restart()
				c.set(func(c *chain) { c.strayIs, c.stray[a.Payment] = c2.asset, espresso.Int64() })
				wait(31 * time.Second)
				s.cut(empty)
				wait(31 * time.Second)
				if v := s.view().Counter.Refunds; len(v) != 0 {
					t.Errorf("owed once more: %+v", v)
				}
				s.refusedBy(boss, s.decision(a.Payment, pos.AsSale, ""), pos.NotFound)
				c.set(func(c *chain) { c.strayIs, c.stray[a.Payment] = third, 9 }) // 2 more
				wait(31 * time.Second)
				if v := s.view().Counter.Refunds; len(v) != 1 || v[0].Came != third.UnitsOf(2).String() {
					t.Errorf("owed %+v", v)
				}
				if r := s.folded(); r.Sales > 1 || r.Astray.Count != 2 || r.AstrayBack+r.AstrayTaken.Count != 2 {
					t.Errorf("the report says %d sales, astray %+v, taken %+v", r.Sales, r.Astray, r.AstrayTaken)
				}
			})
		})
	}
}

// TestAstraySoldOnce: what was given up is sold after all by the money that came astray.
// Then no other money that was asked for it sells it a second time.
func TestAstraySoldOnce(t *testing.T) {
	for name, taken := range map[string]bool{"the same payment": true, "another payment of it": false} {
		t.Run(name, func(t *testing.T) {
			astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
				first := s.chargeDAI()
				a := first
				if !taken {
					s.do(pos.CancelPayment{})
					a = s.do(pos.Pay{Tender: dai})
					settle()
				}
				s.strays(c, c2, a.Payment, espresso.Int64())
				_, err := s.by(boss, pos.CancelPayment{Despite: true})
				must(t, err)
				s.do(pos.ClearSale{})
				_, err = s.by(boss, s.decision(a.Payment, pos.AsSale, "he took it"))
				must(t, err)
				settle()
				c.sends(first.Payment, espresso)
				wait(2 * time.Minute)
				if v := s.view().Counter.Refunds; len(v) != 1 || v[0].Payment != first.Payment || v[0].Sells {
					t.Errorf("owed %+v", v)
				}
				s.refusedBy(boss, s.decision(first.Payment, pos.AsSale, ""), pos.Conflict)
				if r := s.folded(); r.Sales != 1 {
					t.Errorf("sold %d times", r.Sales)
				}
			})
		})
	}
}

// TestAstrayVanished: the network took back what came astray, or shrank it, or gives no
// answer. It is not taken as payment, and is not offered for it once that is known.
func TestAstrayVanished(t *testing.T) {
	for name, units := range map[string]int64{"all of it": 0, "a unit of it": espresso.Int64() - 1} {
		t.Run(name, func(t *testing.T) {
			astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
				a := s.chargeDAI()
				s.strays(c, c2, a.Payment, espresso.Int64())
				c2.set(func(*chain) { c2.down = true }) // what it said last may not be so any more
				_, err := s.by(boss, s.decision(a.Payment, pos.AsSale, ""))
				if pos.KindOf(err) != pos.Unavailable {
					t.Errorf("its network does not answer: %v", err)
				}
				c2.set(func(*chain) { c2.down = false })
				c.set(func(c *chain) { c.stray[a.Payment] = units })
				s.refusedBy(boss, s.decision(a.Payment, pos.AsSale, ""), pos.Unavailable) // before the watcher knows
				wait(31 * time.Second)
				if v := s.view().Counter.Refunds; len(v) != 1 || v[0].Sells {
					t.Errorf("owed %+v", v)
				}
				if _, err := s.by(boss, s.decision(a.Payment, pos.AsSale, "")); err == nil {
					t.Error("taken all the same")
				}
				if r := s.folded(); r.Sales != 0 || r.AstrayTaken.Count != 0 {
					t.Errorf("the report says %+v", r)
				}
				c.set(func(c *chain) { c.stray[a.Payment] = espresso.Int64() }) // and it is there again
				wait(31 * time.Second)
				if v := s.view().Counter.Refunds; len(v) != 1 || !v[0].Sells {
					t.Errorf("owed %+v", v)
				}
				_, err = s.by(boss, s.decision(a.Payment, pos.AsSale, ""))
				must(t, err)
			})
		})
	}
}

// TestAstrayIsNoLoss: the customer whose word was taken did pay, on the shop's other
// network. While nobody has decided about that money it is no loss, and the tender stays;
// given back, or less than was asked for, it is one.
func TestAstrayIsNoLoss(t *testing.T) {
	for name, x := range map[string]struct {
		units      int64
		at         string
		back, loss bool
	}{
		"all of it":          {espresso.Int64(), "eip155:2/erc20:0x6b", false, false},
		"given back":         {espresso.Int64(), "eip155:2/erc20:0x6b", true, true},
		"a unit short":       {espresso.Int64() - 1, "eip155:2/erc20:0x6b", false, true},
		"nowhere the shop's": {espresso.Int64(), "eip155:3/erc20:0x6b", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
				c2 := &twin{chain: newChain(), asset: pos.Asset{ID: "eip155:2/erc20:0x6b", Symbol: "DAI", Decimals: 18, Shown: 6}, holds: new(big.Int)}
				c.sets(func(c *sea) { c.strayIs = c2.asset; c.strayIs.ID = x.at })
				s.halt()
				s.tenders = append(s.tenders, desk.Tender{Name: dai2, Rail: c2, Token: "DAI", Chain: "Lab Two"})
				s.start()
				a := s.trusted(c)
				c.sets(func(c *sea) { c.stray[a.Payment] = x.units; c.over, c.closed = true, true })
				s.mended(c)
				wait(5 * time.Minute)
				if x.back {
					if p := s.payment(a.Payment); p.State != pos.Unknown || !p.Astray() {
						t.Errorf("undecided, it is %+v", p)
					}
					s.doBy(boss, s.decision(a.Payment, pos.GivenBack, "cash"))
					wait(time.Minute)
				}
				offs := s.journal.count(pos.KindTrustOff)
				if (offs == 1) != x.loss || (s.folded().Unverified.Refuted.Count == 1) != x.loss {
					t.Errorf("switched off %d times; the report says %+v", offs, s.folded().Unverified)
				}
				if v := s.view().Counter.Refunds; (len(v) == 1) == x.back {
					t.Errorf("owed %+v", v)
				}
			})
		})
	}
}
