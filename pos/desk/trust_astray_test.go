package desk_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
)

// trustAstrayShop runs body with a shop that takes DAI on a network that can be cut off, by
// the customer's word then, and on a second one, whose DAI has so many decimals.
func trustAstrayShop(t *testing.T, decimals int, body func(*testing.T, *shop, *sea, *twin)) {
	t.Helper()
	seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
		c2 := &twin{chain: newChain(), asset: pos.Asset{ID: "eip155:2/erc20:0x6b", Symbol: "DAI", Decimals: decimals, Shown: 6}, holds: new(big.Int)}
		c.sets(func(c *sea) { c.strayIs = c2.asset })
		s.halt()
		s.tenders = append(s.tenders, desk.Tender{Name: dai2, Rail: c2, Token: "DAI", Chain: "Lab Two"})
		s.start()
		body(t, s, c, c2)
	})
}

// astrayOnTrust lets so many units come on the second network for a payment that was taken by
// the customer's word, and the first one's line come back.
func (s *shop) astrayOnTrust(c *sea, c2 *twin, id pos.PaymentID, units int64) {
	s.t.Helper()
	c.sets(func(c *sea) { c.stray[id], c.over = units, true })
	c2.set(func(*chain) { c2.holds = big.NewInt(units) })
	s.mended(c)
}

// holdProven demands that the money on the second network is the proof of a, whose sale is
// complete: the trust is closed without a loss, and the money is in the books once.
func (s *shop) holdProven(a, got pos.Answer, came int64) {
	s.t.Helper()
	s.wantTotals(290, 290, 0)
	if tv := s.view().Counter.Tenders[1]; tv.Offline.Sales != 0 || tv.Offline.Off != "" {
		s.t.Errorf("the limits count %+v", tv.Offline)
	}
	p, q := s.payment(got.Payment), s.payment(a.Payment)
	if got.Sale != a.Sale || p.State != pos.Settled || p.Tender != dai2 || p.Proves != a.Payment || p.Amount != eur.Of(290) || p.Received.Int().Int64() != came || p.Network != "DAI on Lab Two" {
		s.t.Errorf("the proof is %+v", p)
	}
	if q.Covers() || q.OnTrust() || q.Owed {
		s.t.Errorf("what was taken by word is %+v", q)
	}
	r := s.folded()
	if r.Sales != 1 || r.Unbalanced != 0 || r.Tender(dai).Amount != eur.Of(290) || len(r.Received) != 1 || r.Received[0].Tender != dai2 || r.Received[0].Amount != eur.Of(290) {
		s.t.Errorf("the report has %+v, received %+v", r.Tenders, r.Received)
	}
	if r.Astray.Count != 1 || r.AstrayTaken != (pos.Tally{Count: 1, Amount: eur.Of(290)}) || r.AstrayBack != 0 || r.SoldAfter.Count != 0 || r.RefundDue.Count != 0 {
		s.t.Errorf("the report says %+v, taken %+v", r.Astray, r.AstrayTaken)
	}
	if n, offs := s.journal.count(pos.KindSaleCompleted), s.journal.count(pos.KindTrustOff); n != 1 || offs != 0 {
		s.t.Errorf("%d sales, switched off %d times", n, offs)
	}
}

// TestTrustAstrayTaken: the customer whose word was taken paid on the shop's other network. A
// manager takes that money, and nobody else: it proves the sale, which stays as it is, also
// after a lost ledger, and whatever the first network says then.
func TestTrustAstrayTaken(t *testing.T) {
	for decimals, came := range map[int]int64{18: 58_000_000_000_000, 6: 58, 7: 580} {
		t.Run(fmt.Sprint(decimals), func(t *testing.T) {
			trustAstrayShop(t, decimals, func(t *testing.T, s *shop, c *sea, c2 *twin) {
				empty := s.copyLedger()
				a := s.trusted(c)
				s.astrayOnTrust(c, c2, a.Payment, came)
				s.want(pos.PhaseChecking)
				v := s.view().Counter.Refunds
				if len(v) != 1 || !v[0].Sells || v[0].Kind != pos.OwedNetwork || v[0].Of != "01-000001" || v[0].On != "DAI on Lab Two" {
					t.Fatalf("owed %+v", v)
				}
				take := s.decision(a.Payment, pos.AsSale, "")
				s.refused(take, pos.Forbidden)
				got, err := s.by(boss, take)
				must(t, err)
				if see := s.want(pos.PhasePaid); see.Receipt != "01-000001" {
					t.Errorf("the customer sees %+v", see)
				}
				if n := s.notice(); n != "" {
					t.Errorf("decided, and still told: %s", n)
				}
				s.refusedBy(boss, take, pos.NotFound)
				s.holdProven(a, got, came)
				s.cut(empty)
				s.want(pos.PhasePaid)
				s.holdProven(a, got, came)
				c.sets(func(c *sea) { c.closed = true }) // nothing can come any more, where it was asked for
				wait(5 * time.Minute)
				s.want(pos.PhasePaid)
				if q := s.payment(a.Payment); q.State != pos.Failed || !q.Final {
					t.Errorf("what was taken by word is %+v", q)
				}
				s.holdProven(a, got, came)
				if v := s.view().Counter.Refunds; len(v) != 0 {
					t.Errorf("owed %+v", v)
				}
				s.cutOff(c) // and the tender is taken by word as before
				if tv := s.tender(); !tv.Ready || !tv.Offline.Now {
					t.Errorf("the tender shows %+v", tv)
				}
			})
		})
	}
}

// TestTrustAstrayThen: what happens to the money, and to what was asked for, after it was
// taken for a sale that was complete by the customer's word.
func TestTrustAstrayThen(t *testing.T) {
	whole := espresso.Int64()
	for name, x := range map[string]struct {
		units int64
		then  func(s *shop, c *sea, c2 *twin, a pos.Answer)
		owed  string
		phase pos.Phase
	}{
		"too much": {whole + 10_000_000_000_000, func(*shop, *sea, *twin, pos.Answer) {}, "0.000010 DAI", pos.PhasePaid},
		"more came": {whole, func(_ *shop, _ *sea, c2 *twin, _ pos.Answer) {
			c2.set(func(*chain) { c2.holds = big.NewInt(2 * whole) })
		}, "0.000058 DAI", pos.PhasePaid},
		"what was asked for came, too": {whole, func(_ *shop, c *sea, _ *twin, a pos.Answer) {
			c.sends(a.Payment, espresso)
		}, "0.000058 DAI", pos.PhasePaid},
		"taken back": {whole, func(_ *shop, _ *sea, c2 *twin, _ pos.Answer) { c2.set(func(*chain) { c2.gone = true }) }, "", pos.PhaseChecking},
		"taken back and given again": {whole, func(_ *shop, _ *sea, c2 *twin, _ pos.Answer) {
			c2.set(func(*chain) { c2.gone = true })
			wait(time.Minute)
			c2.set(func(*chain) { c2.gone = false })
		}, "", pos.PhasePaid},
	} {
		t.Run(name, func(t *testing.T) {
			trustAstrayShop(t, 18, func(t *testing.T, s *shop, c *sea, c2 *twin) {
				a := s.trusted(c)
				s.astrayOnTrust(c, c2, a.Payment, x.units)
				_, err := s.by(boss, s.decision(a.Payment, pos.AsSale, ""))
				must(t, err)
				wait(time.Minute)
				x.then(s, c, c2, a)
				wait(2 * time.Minute)
				s.restart()
				wait(time.Minute)
				v := s.view().Counter.Refunds
				if x.owed == "" && len(v) != 0 || x.owed != "" && (len(v) != 1 || v[0].Came != x.owed || v[0].Sells) {
					t.Fatalf("owed %+v", v)
				}
				s.want(x.phase)
				if x.owed != "" {
					s.doBy(boss, s.decision(v[0].Payment, pos.GivenBack, "cash"))
					wait(2 * time.Minute)
					if v := s.view().Counter.Refunds; len(v) != 0 {
						t.Errorf("owed once more: %+v", v)
					}
				}
				s.wantTotals(290, 290, 0)
				if r := s.folded(); r.Sales != 1 || r.AstrayTaken.Count != 1 || r.Tender(dai).Amount != eur.Of(290) || len(r.Received) != 1 || r.Received[0].Amount != eur.Of(290) {
					t.Errorf("the report says %+v", r)
				}
			})
		})
	}
}

// TestTrustAstrayOpen: the sale is still open, for it was taken by word in part. The money
// that is taken for that part changes nothing about what is due.
func TestTrustAstrayOpen(t *testing.T) {
	trustAstrayShop(t, 18, func(t *testing.T, s *shop, c *sea, c2 *twin) {
		s.cutOff(c)
		s.do(pos.AddItem{SKU: "ESP"})
		a := s.do(pos.Pay{Tender: dai, Amount: 145})
		settle()
		s.do(pos.TakeUnverified{})
		settle()
		s.astrayOnTrust(c, c2, a.Payment, 29_000_000_000_000)
		got, err := s.by(boss, s.decision(a.Payment, pos.AsSale, ""))
		must(t, err)
		s.restart()
		if v := s.view().Counter.Current; v == nil || v.Due != eur.Of(145) || v.State != pos.PartPaid {
			t.Fatalf("the sale is %+v", v)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
		s.wantTotals(145, 145, 0)
		p := s.payment(got.Payment)
		if r := s.folded(); r.Sales != 1 || r.Unbalanced != 0 || r.Tender(dai).Count != 0 || r.Tender(dai2).Amount != eur.Of(145) || r.Tender(pos.Cash).Amount != eur.Of(145) || p.Proves != "" || !p.Covers() {
			t.Errorf("paid by %+v; the report has %+v", p, r.Tenders)
		}
	})
}

// TestTrustAstrayTwice: both parts of a sale were taken by word, and both came astray. Each
// proves its own.
func TestTrustAstrayTwice(t *testing.T) {
	trustAstrayShop(t, 18, func(t *testing.T, s *shop, c *sea, c2 *twin) {
		s.cutOff(c)
		s.do(pos.AddItem{SKU: "ESP"})
		var parts [2]pos.Answer
		for i := range parts {
			parts[i] = s.do(pos.Pay{Tender: dai, Amount: 145})
			settle()
			s.do(pos.TakeUnverified{})
			settle()
		}
		s.want(pos.PhaseChecking)
		for _, a := range parts {
			c.sets(func(c *sea) { c.stray[a.Payment] = 29_000_000_000_000 })
		}
		s.astrayOnTrust(c, c2, parts[0].Payment, 29_000_000_000_000)
		seen := map[pos.PaymentID]bool{}
		for i, a := range parts {
			got, err := s.by(boss, s.decision(a.Payment, pos.AsSale, ""))
			must(t, err)
			s.restart()
			if seen[got.Payment] {
				t.Errorf("%s proves both", got.Payment)
			}
			seen[got.Payment] = true
			want := []pos.Phase{pos.PhaseChecking, pos.PhasePaid}[i]
			s.want(want)
		}
		s.wantTotals(290, 290, 0)
	})
}

// TestTrustAstrayInPart: by the time that his word was taken the sale needed half of it, and all
// of it came astray. It proves that half, and the rest is owed.
func TestTrustAstrayInPart(t *testing.T) {
	trustAstrayShop(t, 18, func(t *testing.T, s *shop, c *sea, c2 *twin) {
		s.do(pos.AddItem{SKU: "ESP"})
		s.do(pos.Pay{Tender: dai2, Amount: 145})
		settle()
		s.do(pos.CancelPayment{})
		a := s.do(pos.Pay{Tender: dai})
		settle()
		s.cutOff(c)
		c2.set(func(*chain) { c2.holds = big.NewInt(29_000_000_000_000) }) // the first one is paid after all
		wait(31 * time.Second)
		s.do(pos.TakeUnverified{})
		s.want(pos.PhaseChecking)
		if p := s.payment(a.Payment); p.Amount != eur.Of(145) || p.Asked != eur.Of(290) {
			t.Fatalf("taken by word: %+v", p)
		}
		c.sets(func(c *sea) { c.stray[a.Payment] = espresso.Int64() })
		s.mended(c)
		got, err := s.by(boss, s.decision(a.Payment, pos.AsSale, ""))
		must(t, err)
		s.want(pos.PhasePaid)
		if p := s.payment(got.Payment); p.Amount != eur.Of(145) || p.Asked != eur.Of(290) || p.Over.String() != "0.000029 DAI" || p.Rate == nil || p.Rate.Price() != "1 DAI = 50000.00 EUR" {
			t.Errorf("the proof is %+v", p)
		}
		if v := s.view().Counter.Refunds; len(v) != 1 || v[0].Payment != got.Payment || v[0].Came != "0.000029 DAI" || v[0].Kind != pos.OwedOver {
			t.Errorf("owed %+v", v)
		}
		s.wantTotals(145, 145, 0)
	})
}

// TestTrustAstrayOnlyBack: what does not prove a sale can only be given back.
func TestTrustAstrayOnlyBack(t *testing.T) {
	for name, x := range map[string]struct {
		units int64
		at    string
	}{
		"a unit short":       {espresso.Int64() - 1, "eip155:2/erc20:0x6b"},
		"nowhere the shop's": {espresso.Int64(), "eip155:3/erc20:0x6b"},
	} {
		t.Run(name, func(t *testing.T) {
			trustAstrayShop(t, 18, func(t *testing.T, s *shop, c *sea, c2 *twin) {
				c.sets(func(c *sea) { c.strayIs.ID = x.at })
				a := s.trusted(c)
				s.astrayOnTrust(c, c2, a.Payment, x.units)
				if v := s.view().Counter.Refunds; len(v) != 1 || v[0].Sells {
					t.Fatalf("owed %+v", v)
				}
				s.refusedBy(boss, s.decision(a.Payment, pos.AsSale, ""), pos.Conflict)
				s.wantTotals(290, 0, 0)
			})
		})
	}
}

// TestTrustAstrayAdds plays days at random: parts taken by word, money that comes where it
// was asked for, elsewhere, twice or never, decisions, restarts. Goal: what was taken by word
// is proven, refuted, or still open, to the cent; no money counts twice; and no payment has
// the name of another.
func TestTrustAstrayAdds(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			trustAstrayShop(t, 18, func(t *testing.T, s *shop, c *sea, c2 *twin) {
				dice := rand.New(rand.NewPCG(seed, 7))
				c2.set(func(*chain) { c2.holds = new(big.Int).Set(espresso) })
				for range 5 {
					s.cutOff(c)
					if _, off := s.ledger.Books().Distrust[dai]; off {
						s.doBy(boss, pos.AllowUnverified{Tender: dai})
					}
					a := s.wordFor(dice)
					if a.Payment == "" {
						break
					}
					whole := s.payment(a.Payment).Quantity.Int()
					switch dice.IntN(4) {
					case 0:
						c.sends(a.Payment, whole)
					case 1, 2:
						c.sets(func(c *sea) { c.stray[a.Payment] = whole.Int64() + dice.Int64N(2)*1000 })
						c2.set(func(*chain) { c2.holds = whole })
					}
					c.sets(func(c *sea) { c.over, c.closed = dice.IntN(2) == 0, false })
					s.mended(c)
					s.decideAtRandom(dice)
					if dice.IntN(3) == 0 {
						s.restart()
					}
					if dice.IntN(4) == 0 {
						c.sends(a.Payment, whole) // where it was asked for, too
					}
					c.sets(func(c *sea) { c.closed = c.over })
					wait(time.Minute)
					c.sets(func(c *sea) { c.over, c.closed = false, false })
				}
				s.holdTrustAdds()
			})
		})
	}
}

// wordFor takes an espresso, or both halves of one, by the customer's word, and returns the
// last payment of it.
func (s *shop) wordFor(dice *rand.Rand) (a pos.Answer) {
	s.t.Helper()
	s.do(pos.OpenSale{})
	s.do(pos.AddItem{SKU: "ESP"})
	for _, part := range [][]int64{{0}, {145, 0}}[dice.IntN(2)] {
		out, err := s.try(pos.Pay{Tender: dai, Amount: part})
		if err != nil {
			return a // the limits are reached
		}
		settle()
		if _, err := s.try(pos.TakeUnverified{}); err != nil {
			return a
		}
		settle()
		a = out
	}
	return a
}

// decideAtRandom decides about what is owed.
func (s *shop) decideAtRandom(dice *rand.Rand) {
	s.t.Helper()
	for _, r := range s.view().Counter.Refunds {
		do := pos.Decide{Payment: r.Payment, As: pos.GivenBack, Note: "n", Came: r.Exact}
		switch dice.IntN(3) {
		case 0:
			continue
		case 1:
			if r.Sells {
				do.As = pos.AsSale
			}
		}
		if _, err := s.by(boss, do); err != nil {
			s.t.Errorf("%+v: %v", r, err)
		}
		settle()
	}
}

// holdTrustAdds counts by the journal alone.
func (s *shop) holdTrustAdds() {
	s.t.Helper()
	last, settled, proofs := map[pos.PaymentID]pos.Payment{}, map[pos.PaymentID]int{}, map[pos.PaymentID]int{}
	for r := range s.journal.Since(0) {
		var b pos.PaymentMoved
		if r.Kind != pos.KindPayment || r.Decode(&b) != nil {
			continue
		}
		p := b.Payment
		if was, known := last[p.ID]; known && (was.Tender != p.Tender || was.Sale != p.Sale || was.Proves != p.Proves) {
			s.t.Errorf("two payments are called %s: %+v, %+v", p.ID, was, p)
		}
		if last[p.ID] = p; b.Event == pos.Settle {
			settled[p.ID]++
			proofs[p.Proves]++
		}
	}
	open := int64(0)
	for id, p := range last {
		if p.OnTrust() {
			open += p.Amount.Minor
		}
		if settled[id] > 1 || (p.Proves != "" && proofs[p.Proves] > 1) {
			s.t.Errorf("booked twice: %+v", p)
		}
	}
	r := s.folded()
	u := r.Unverified
	if u.Taken.Amount.Minor != u.Proven.Amount.Minor+u.Refuted.Amount.Minor+open {
		s.t.Errorf("taken %v, proven %v, refuted %v, open %d", u.Taken, u.Proven, u.Refuted, open)
	}
	if r.Unbalanced != 0 {
		s.t.Errorf("%d sales do not add up", r.Unbalanced)
	}
}
