package desk_test

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
)

// sea is a chain at the end of a line that can be cut.
type sea struct {
	*chain
	down   bool   // no answer
	broken bool   // no answer, and something else is wrong
	why    string // no request can be made meanwhile
	over   bool   // every request's time is up
	closed bool   // and nothing can come any more
}

func newSea() *sea { return &sea{chain: newChain()} }

func (c *sea) Health() pos.Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := pos.Health{Ready: !c.down && !c.broken, Asset: daiAsset}
	if !h.Ready {
		h.Reason = "Lab does not answer."
	}
	return h
}

func (c *sea) Cut() (bool, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.down && !c.broken, c.why
}

func (c *sea) line() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return errDown
	}
	return nil
}

func (c *sea) Ask(ctx context.Context, p pos.Payment, memo string) (pos.Asked, error) {
	if err := c.line(); err != nil {
		return pos.Asked{}, err
	}
	return c.chain.Ask(ctx, p, memo)
}

func (c *sea) AskOffline(ctx context.Context, p pos.Payment) (pos.Asked, error) {
	if cut, why := c.Cut(); cut && why != "" {
		return pos.Asked{}, errDown
	}
	return c.chain.Ask(ctx, p, "")
}

func (c *sea) Check(_ context.Context, p pos.Payment) (pos.Finding, error) { return c.says(p, false) }

func (c *sea) Cancel(_ context.Context, p pos.Payment) (pos.Finding, error) { return c.says(p, true) }

func (c *sea) says(p pos.Payment, last bool) (pos.Finding, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return pos.Finding{}, errDown
	}
	f := c.finding(p, last || c.over) // when its time is up, what came pays a part
	if c.closed && !f.Stray.IsZero() {
		f.Event, f.Final = pos.Fail, true
	}
	if f.Event == pos.Cancel || (c.over && f.Event == "" && !c.gone) {
		if f = (pos.Finding{Event: pos.Expire, Final: c.closed}); last {
			f.Event = pos.Cancel
		}
	}
	return f, nil
}

func (c *sea) sets(f func(c *sea)) { c.mu.Lock(); defer c.mu.Unlock(); f(c) }

var trustLimits = pos.OfflineLimits{PerSale: 1000, Total: 2000, Sales: 4, Age: 10 * time.Minute}

// seaShop runs body with a shop that takes DAI by rule, without its network too.
func seaShop(t *testing.T, rule pos.OfflineRule, body func(*testing.T, *shop, *sea)) {
	t.Helper()
	bubble(t, func(t *testing.T, s *shop) {
		c := newSea()
		s.halt()
		s.tenders = []desk.Tender{{Name: dai, Rail: c, Unseen: c, Rule: rule, Limits: trustLimits, Token: "DAI", Chain: "Lab"}}
		s.start()
		body(t, s, c)
	})
}

// cut takes the line away.
func (s *shop) cutOff(c *sea) {
	c.sets(func(c *sea) { c.down = true })
	wait(2 * time.Second)
}

// mended brings it back.
func (s *shop) mended(c *sea) {
	c.sets(func(c *sea) { c.down = false })
	wait(time.Minute)
}

// trusted sells an espresso on the customer's word.
func (s *shop) trusted(c *sea) pos.Answer {
	s.t.Helper()
	s.cutOff(c)
	a := s.chargeDAI()
	s.want(pos.PhaseDue)
	s.do(pos.TakeUnverified{})
	settle()
	return a
}

// folded is the report of the whole journal.
func (s *shop) folded() pos.Report {
	s.t.Helper()
	r, err := s.report()
	must(s.t, err)
	return r
}

// wantTotals compares what a report says of unverified payments: counts and cents.
func (s *shop) wantTotals(taken, proven, refuted int64) {
	s.t.Helper()
	u := s.folded().Unverified
	if u.Taken.Amount != eur.Of(taken) || u.Proven.Amount != eur.Of(proven) || u.Refuted.Amount != eur.Of(refuted) {
		s.t.Errorf("the report says %+v; want %d, %d, %d", u, taken, proven, refuted)
	}
}

// TestUnverified is the main job: without the network the customer sees a request that
// says so, the sale goes on by the customer's word, nothing says PAID, and the network's
// word comes later.
func TestUnverified(t *testing.T) {
	seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
		if tv := s.tender(); !tv.Ready || tv.Offline.Now || tv.Offline.Why != "" {
			t.Errorf("online the tender shows %+v", tv)
		}
		s.cutOff(c)
		if tv := s.tender(); !tv.Ready || !tv.Offline.Now || tv.Reason == "" || tv.Offline.PerSale != eur.Of(1000) || tv.Offline.Most != 4 {
			t.Errorf("without its network the tender shows %+v", tv)
		}
		a := s.chargeDAI()
		if see := s.want(pos.PhaseDue); !see.Unchecked || see.QR == "" || see.Quantity == "" {
			t.Errorf("the customer sees %+v", see)
		}
		if p := s.payment(a.Payment); !p.Blind || p.State != pos.Requested || p.Reference == "" {
			t.Errorf("the journal says %+v", p)
		}
		if v := s.view().Counter.Current; !v.Unverified || v.Doubtful {
			t.Errorf("the cashier sees %+v", v)
		}
		s.do(pos.TakeUnverified{Payment: a.Payment})
		if see := s.want(pos.PhaseChecking); see.Reason != "unverified" || see.Receipt != "01-000001" || see.Due.Minor != 0 {
			t.Errorf("then the customer sees %+v", see)
		}
		if p := s.payment(a.Payment); p.State != pos.Unknown || !p.Unverified || !p.Covers() || p.Why == "" {
			t.Errorf("the journal says %+v", p)
		}
		if r, err := s.Receipt(a.Sale); err != nil || len(r.Paid) != 1 || !r.Paid[0].Unverified || r.Paid[0].Amount != eur.Of(290) || r.Paid[0].Quantity == "0" {
			t.Errorf("the receipt: %+v, %v", r.Paid, err)
		}
		if tv := s.tender(); tv.Offline.Sales != 1 || tv.Offline.Amount != eur.Of(290) {
			t.Errorf("it counts as %+v", tv.Offline)
		}
		s.wantTotals(290, 0, 0)
		s.restart()
		wait(5 * time.Minute)
		s.want(pos.PhaseChecking)
		c.sends(a.Payment, espresso)
		wait(time.Minute)
		s.want(pos.PhaseChecking) // nobody can know
		s.mended(c)
		if see := s.want(pos.PhasePaid); see.Receipt != "01-000001" {
			t.Errorf("verified, the customer sees %+v", see)
		}
		if p := s.payment(a.Payment); p.State != pos.Settled || p.Late || p.Refundable || p.Amount != eur.Of(290) {
			t.Errorf("the journal says %+v", p)
		}
		if s.notice() != "paid " || !strings.Contains(s.view().Counter.Notices[0].Text, "01-000001") {
			t.Errorf("notices %+v", s.view().Counter.Notices)
		}
		s.wantTotals(290, 290, 0)
		if tv := s.tender(); tv.Offline.Sales != 0 {
			t.Errorf("it counts still: %+v", tv.Offline)
		}
		r := s.folded()
		if r.Sales != 1 || r.Unbalanced != 0 || r.Tender(dai).Amount != eur.Of(290) || len(r.Received) != 1 || r.Received[0].Amount != eur.Of(290) {
			t.Errorf("the report: %+v", r)
		}
		if n := s.journal.count(pos.KindSaleCompleted); n != 1 {
			t.Errorf("%d sales", n)
		}
	})
}

// TestUnverifiedRefuted: the network's last word is that nothing came. The sale stays as
// it is, the loss is named, and nothing before that word refutes it.
func TestUnverifiedRefuted(t *testing.T) {
	seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
		a := s.trusted(c)
		s.do(pos.NextCustomer{})
		c.sets(func(c *sea) { c.over = true })
		s.mended(c)
		wait(10 * time.Minute)
		if p := s.payment(a.Payment); p.State != pos.Unknown || !p.OnTrust() || s.notice() != "" {
			t.Errorf("its time is up, and it may still come: %+v, %s", p, s.notice())
		}
		if tv := s.tender(); tv.Offline.Sales != 1 {
			t.Errorf("the limits count %+v", tv.Offline)
		}
		c.sets(func(c *sea) { c.closed = true })
		wait(time.Minute)
		if p := s.payment(a.Payment); p.State != pos.Failed || !p.Final || p.Covers() {
			t.Errorf("refuted: %+v", p)
		}
		if n := s.view().Counter.Notices; len(n) != 1 || n[0].Kind != pos.NoticeTrouble || !strings.Contains(n[0].Text, "2.90") || !strings.Contains(n[0].Text, "01-000001") {
			t.Errorf("notices %+v", n)
		}
		s.wantTotals(290, 0, 290)
		s.holdOff(c, a)
		if r := s.folded(); r.Sales != 1 || r.Tender(dai).Amount != eur.Of(290) || len(r.Received) != 0 {
			t.Errorf("the report: %+v", r)
		}
		s.restart()
		s.want(pos.PhaseIdle)
		if tv := s.tender(); tv.Offline.Sales != 0 {
			t.Errorf("the limits count %+v", tv.Offline)
		}
	})
}

// holdOff demands that the loss of a has switched the tender off, across a restart and a
// cut line, until a manager allows it again.
func (s *shop) holdOff(c *sea, a pos.Answer) {
	s.t.Helper()
	var offs []pos.TrustChanged
	for r := range s.journal.Since(0) {
		var b pos.TrustChanged
		if r.Kind == pos.KindTrustOff {
			must(s.t, r.Decode(&b))
			offs = append(offs, b)
		}
	}
	if len(offs) != 1 || offs[0].Payment != a.Payment || offs[0].Sale != a.Sale || offs[0].Missing != eur.Of(290) || offs[0].Tender != dai || !strings.Contains(offs[0].Why, "2.90") {
		s.t.Errorf("switched off by %+v", offs)
	}
	s.restart()
	b := s.do(pos.AddItem{SKU: "ESP"})
	s.do(pos.Pay{Tender: dai}) // while the network answers, it is taken as ever
	settle()
	s.cutOff(c)
	if tv := s.tender(); tv.Ready || tv.Offline.Now || tv.Offline.Off != offs[0].Why || tv.Offline.Why == "" {
		s.t.Errorf("after a loss the tender shows %+v", tv)
	}
	if v := s.view().Counter.Current; v.ID != b.Sale || v.Unverified {
		s.t.Errorf("the cashier sees %+v", v)
	}
	if _, err := s.by(boss, pos.TakeUnverified{}); pos.KindOf(err) != pos.Conflict {
		s.t.Errorf("taken unverified: %v", err)
	}
	s.do(pos.OpenSale{})
	s.do(pos.AddItem{SKU: "ESP"})
	s.refusedBy(boss, pos.Pay{Tender: dai}, pos.Unavailable)
	s.do(pos.ClearSale{})
	s.refused(pos.AllowUnverified{Tender: dai}, pos.Forbidden)
	s.refusedBy(boss, pos.AllowUnverified{Tender: "other"}, pos.Conflict)
	s.doBy(boss, pos.AllowUnverified{Tender: dai})
	settle()
	if tv := s.tender(); !tv.Ready || !tv.Offline.Now || tv.Offline.Off != "" {
		s.t.Errorf("allowed again, the tender shows %+v", tv)
	}
	s.refusedBy(boss, pos.AllowUnverified{Tender: dai}, pos.Conflict)
	if n := s.journal.count(pos.KindTrustOn); n != 1 {
		s.t.Errorf("%d records of it", n)
	}
	s.do(pos.SwitchTo{Sale: b.Sale})
	c.sets(func(c *sea) { c.down = false })
	s.do(pos.CancelPayment{})
	s.do(pos.ClearSale{})
	settle()
}

// TestUnverifiedNeverPAID: refuted while its picture is still on the screen.
func TestUnverifiedNeverPAID(t *testing.T) {
	seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
		s.trusted(c)
		c.sets(func(c *sea) { c.over, c.closed = true, true })
		s.mended(c)
		s.want(pos.PhaseChecking)
		s.restart()
		s.want(pos.PhaseChecking)
	})
}

// TestUnverifiedAmounts: what came is not what was asked for.
func TestUnverifiedAmounts(t *testing.T) {
	half := new(big.Int).Quo(espresso, big.NewInt(2))
	t.Run("paid short", func(t *testing.T) {
		seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
			a := s.trusted(c)
			c.sends(a.Payment, half)
			s.mended(c)
			if p := s.payment(a.Payment); !p.OnTrust() || p.State != pos.Seen {
				t.Fatalf("a part came, the rest may: %+v", p)
			}
			c.sets(func(c *sea) { c.over = true })
			wait(time.Minute)
			if p := s.payment(a.Payment); p.State != pos.Settled || p.Amount != eur.Of(145) || p.Asked != eur.Of(290) {
				t.Errorf("the journal says %+v", p)
			}
			if s.notice() != "trouble " {
				t.Errorf("notices %s", s.notice())
			}
			s.want(pos.PhaseChecking)
			s.wantTotals(290, 145, 145)
			if tv := s.tender(); !strings.Contains(tv.Offline.Off, "1.45") {
				t.Errorf("a part is missing, and the tender shows %+v", tv)
			}
			c.sends(a.Payment, half) // and the rest by itself: the goods are paid, and nobody is owed
			wait(2 * time.Minute)
			if n, p := s.view().Counter.Refunds, s.payment(a.Payment); len(n) != 0 || p.Amount != eur.Of(290) {
				t.Errorf("the rest came: %+v, %+v", n, p)
			}
			if r := s.folded(); len(r.Received) != 1 || r.Received[0].Amount != eur.Of(290) {
				t.Errorf("received %+v", r.Received)
			}
			c.sends(a.Payment, half) // and more than that is owed
			wait(2 * time.Minute)
			if n := s.view().Counter.Refunds; len(n) != 1 || n[0].Came != "0.000029 DAI" {
				t.Errorf("more came: %+v", n)
			}
			s.wantTotals(290, 145, 145)
		})
	})
	t.Run("paid twice", func(t *testing.T) {
		seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
			a := s.trusted(c)
			c.sends(a.Payment, new(big.Int).Mul(espresso, big.NewInt(2)))
			s.mended(c)
			if p := s.payment(a.Payment); p.Amount != eur.Of(290) || p.Over.IsZero() || !p.Owed {
				t.Errorf("the journal says %+v", p)
			}
			if n := s.view().Counter.Refunds; len(n) != 1 || s.notice() != "over " {
				t.Errorf("owed %+v, notices %s", n, s.notice())
			}
			s.wantTotals(290, 290, 0)
		})
	})
	t.Run("paid late", func(t *testing.T) {
		seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
			a := s.trusted(c)
			c.sets(func(c *sea) { c.over = true })
			s.mended(c)
			wait(5 * time.Minute)
			c.sends(a.Payment, espresso)
			wait(time.Minute)
			if p := s.payment(a.Payment); p.State != pos.Settled || p.Refundable {
				t.Errorf("the journal says %+v", p)
			}
			s.wantTotals(290, 290, 0)
		})
	})
	t.Run("other money", func(t *testing.T) {
		seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
			a := s.trusted(c)
			c.sets(func(c *sea) { c.stray[a.Payment] = 5 })
			s.mended(c)
			if p := s.payment(a.Payment); p.State != pos.Unknown || !p.Owed || !p.OnTrust() {
				t.Errorf("the journal says %+v", p)
			}
		})
	})
	t.Run("taken back by the network", func(t *testing.T) {
		seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
			a := s.trusted(c)
			c.sends(a.Payment, espresso)
			s.mended(c)
			c.sets(func(c *sea) { c.gone = true })
			wait(time.Minute)
			if p := s.payment(a.Payment); !p.Lost || p.Covers() || s.tender().Offline.Sales != 1 {
				t.Errorf("the journal says %+v", p)
			}
			if see := s.view().Customer; see.Phase == pos.PhasePaid {
				t.Errorf("the customer sees %+v", see)
			}
		})
	})
}

// TestUnverifiedPart: a part is taken by word, the rest in cash; and the network's word
// about the part opens a sale that is not over.
func TestUnverifiedPart(t *testing.T) {
	seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
		s.cutOff(c)
		s.do(pos.AddItem{SKU: "ESP"})
		a := s.do(pos.Pay{Tender: dai, Amount: 145})
		settle()
		s.do(pos.TakeUnverified{})
		if see := s.want(pos.PhaseBasket); see.Due != eur.Of(145) {
			t.Errorf("the customer sees %+v", see)
		}
		s.refused(pos.ClearSale{}, pos.Conflict)
		c.sets(func(c *sea) { c.over, c.closed = true, true })
		s.mended(c)
		if v := s.view().Counter.Current; v == nil || v.Due != eur.Of(290) {
			t.Fatalf("refuted, the sale is %+v", v)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
		if r := s.folded(); r.Unbalanced != 0 || r.Tender(pos.Cash).Amount != eur.Of(290) || r.Tender(dai).Count != 0 {
			t.Errorf("the report: %+v", r)
		}
		_ = a
	})
}

// TestUnverifiedRefusals: who may not, and when.
func TestUnverifiedRefusals(t *testing.T) {
	seaShop(t, pos.PreferOnline, func(t *testing.T, s *shop, c *sea) {
		a := s.chargeDAI()
		s.refused(pos.TakeUnverified{}, pos.Conflict) // the network answers
		s.cutOff(c)
		s.refused(pos.TakeUnverified{}, pos.Forbidden)
		s.refused(pos.TakeUnverified{Payment: "another"}, pos.Conflict)
		c.sets(func(c *sea) { c.broken = true })
		if _, err := s.by(boss, pos.TakeUnverified{}); pos.KindOf(err) != pos.Conflict {
			t.Errorf("with something else wrong: %v", err)
		}
		c.sets(func(c *sea) { c.broken = false })
		if _, err := s.by(boss, pos.TakeUnverified{Payment: a.Payment}); err != nil {
			t.Fatal(err)
		}
		s.want(pos.PhaseChecking)
		settle()
		s.refused(pos.TakeUnverified{}, pos.NotFound) // no sale is open
		s.do(pos.AddItem{SKU: "ESP"})
		s.refused(pos.Pay{Tender: dai}, pos.Forbidden)
		_, err := s.by(boss, pos.Pay{Tender: dai})
		must(t, err)
		settle()
		s.try(pos.CancelPayment{})
		_, err = s.by(boss, pos.CancelPayment{Despite: true})
		must(t, err)
		if _, err := s.by(boss, pos.TakeUnverified{}); pos.KindOf(err) != pos.Conflict {
			t.Errorf("after it was set aside: %v", err)
		}
		for _, r := range s.journal.recs {
			var b pos.PaymentMoved
			if r.Kind == pos.KindPayment && r.Decode(&b) == nil && b.Trusted && b.By.ID != boss.ID {
				t.Errorf("taken by %+v", b.By)
			}
		}
	})
	seaShop(t, pos.OnlineOnly, func(t *testing.T, s *shop, c *sea) {
		s.chargeDAI()
		s.cutOff(c)
		if tv := s.tender(); tv.Ready || tv.Offline != (pos.OfflineView{}) {
			t.Errorf("online only shows %+v", tv)
		}
		if _, err := s.by(boss, pos.TakeUnverified{}); pos.KindOf(err) != pos.Conflict {
			t.Errorf("online only: %v", err)
		}
		s.do(pos.OpenSale{})
		s.do(pos.AddItem{SKU: "ESP"})
		s.refused(pos.Pay{Tender: dai}, pos.Unavailable)
	})
	seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
		c.sets(func(c *sea) { c.why = "not since the start" })
		s.cutOff(c)
		s.do(pos.AddItem{SKU: "ESP"})
		s.refused(pos.Pay{Tender: dai}, pos.Unavailable)
		c.sets(func(c *sea) { c.why = "" })
		s.rates.err.Store(pos.E("price", pos.Unavailable, "no price"))
		wait(2 * time.Second)
		if tv := s.tender(); tv.Ready || tv.Offline.Why != "no price" {
			t.Errorf("without a price: %+v", tv)
		}
		s.refused(pos.Pay{Tender: dai}, pos.Unavailable)
		c.sets(func(c *sea) { c.down = false })
		wait(2 * time.Second)
		if tv := s.tender(); tv.Ready {
			t.Errorf("online, without a price: %+v", tv)
		}
		s.refused(pos.Pay{Tender: dai}, pos.Unavailable)
	})
}

// TestUnverifiedOnceInDoubt: the cashier cancelled, nobody answered, and then the
// customer shows that he had paid.
func TestUnverifiedOnceInDoubt(t *testing.T) {
	seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
		s.cutOff(c)
		a := s.chargeDAI()
		if _, err := s.try(pos.CancelPayment{}); pos.KindOf(err) != pos.Unavailable {
			t.Fatal(err)
		}
		s.do(pos.TakeUnverified{})
		s.want(pos.PhaseChecking)
		s.refused(pos.CancelPayment{}, pos.NotFound)
		c.sets(func(c *sea) { c.down = false })
		wait(3 * time.Minute)
		if p := s.payment(a.Payment); !p.OnTrust() {
			t.Errorf("it was withdrawn: %+v", p)
		}
	})
}

// TestUnverifiedLimits plays days of sales at random and holds the journal against the
// limits, counted anew: sale by sale, in sum, by number and by age.
func TestUnverifiedLimits(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
				dice := rand.New(rand.NewPCG(seed, 1))
				s.cutOff(c)
				var open []pos.PaymentID
				for range 40 {
					switch dice.IntN(6) {
					case 0, 1:
						s.do(pos.OpenSale{})
						s.do(pos.AddAmount{Minor: 1 + dice.Int64N(1200), Qty: 1000})
						if a, err := s.try(pos.Pay{Tender: dai, Amount: dice.Int64N(2) * (1 + dice.Int64N(400))}); err == nil {
							open = append(open, a.Payment)
						}
						settle()
					case 2, 3:
						if all, err := s.ledger.Open(); err == nil && len(all) > 0 {
							s.try(pos.TakeUnverified{Sale: all[dice.IntN(len(all))].ID})
						}
					case 4:
						if len(open) > 0 {
							id := open[dice.IntN(len(open))]
							if p := s.payment(id); p.State != pos.Intended {
								c.sends(id, p.Quantity.Int())
							}
						}
						if dice.IntN(2) == 0 {
							s.mended(c)
							s.cutOff(c)
						}
					case 5:
						wait(time.Duration(dice.IntN(5)) * time.Minute)
					}
				}
				s.holdLimits()
			})
		})
	}
}

// holdLimits counts the limits by the journal alone.
func (s *shop) holdLimits() {
	s.t.Helper()
	now, sale, taken := map[pos.PaymentID]pos.Payment{}, map[pos.SaleID]int64{}, 0
	for r := range s.journal.Since(0) {
		var b pos.PaymentMoved
		if r.Kind != pos.KindPayment || r.Decode(&b) != nil {
			continue
		}
		p := b.Payment
		if now[p.ID] = p; !b.Trusted {
			continue
		}
		taken++
		sum, n, oldest := int64(0), 0, r.At
		for _, o := range now {
			if o.Unverified && o.State.Open() {
				if sum, n = sum+o.Amount.Minor, n+1; o.ID != p.ID && o.At.Before(oldest) {
					oldest = o.At
				}
			}
		}
		sale[p.Sale] += p.Amount.Minor
		if sum > trustLimits.Total || n > trustLimits.Sales || sale[p.Sale] > trustLimits.PerSale || r.At.Sub(oldest) >= trustLimits.Age {
			s.t.Errorf("record %d: %d in %d payments, %d of its sale, oldest %v", r.N, sum, n, sale[p.Sale], r.At.Sub(oldest))
		}
	}
	if taken == 0 {
		s.t.Log("nothing was taken")
	}
}

// TestUnverifiedPowerCuts cuts the power behind every record of an unverified sale, at
// which all that was not in the journal is lost. Whatever the till remembers, it never
// shows PAID before the money came, and books the money once.
func TestUnverifiedPowerCuts(t *testing.T) {
	seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
		a := s.trusted(c)
		s.mended(c)
		s.halt()
		all := s.journal.recs
		for n := len(all); n > 0; n-- {
			if n < len(all) && all[n].Kind == pos.KindSaleCompleted {
				continue // one step with the record before it
			}
			s.journal.recs = all[:n:n]
			must(t, os.Remove(filepath.Join(s.dir, "ledger.db")))
			c.sets(func(c *sea) { c.down, c.has = true, map[pos.PaymentID]*big.Int{} })
			s.start()
			wait(time.Minute)
			if see := s.view().Customer; see.Phase == pos.PhasePaid {
				t.Errorf("after %d records, unpaid: %+v", n, see)
			}
			c.sends(a.Payment, espresso)
			s.mended(c)
			settles := 0
			for _, r := range s.journal.recs {
				var b pos.PaymentMoved
				if r.Kind == pos.KindPayment && r.Decode(&b) == nil && b.Payment.ID == a.Payment && b.Event == pos.Settle {
					settles++
				}
			}
			if p := s.payment(a.Payment); p.ID != "" && p.State != pos.Settled && p.State != pos.Cancelled || settles > 1 {
				t.Errorf("after %d records the payment is %+v, settled %d times", n, p, settles)
			}
			if done := s.journal.count(pos.KindSaleCompleted); done > 1 {
				t.Errorf("after %d records: %d sales", n, done)
			}
			s.halt()
		}
		s.start()
	})
}

// TestUnverifiedTwice: a repeated command takes it once.
func TestUnverifiedTwice(t *testing.T) {
	seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
		s.cutOff(c)
		s.chargeDAI()
		do := pos.Command{Key: "take", By: anna, Do: pos.TakeUnverified{}}
		first, err := s.Do(t.Context(), do)
		must(t, err)
		settle()
		if again, err := s.Do(t.Context(), do); err != nil || again != first {
			t.Errorf("again: %+v, %v; first %+v", again, err, first)
		}
		s.wantTotals(290, 0, 0)
	})
}

// TestUnverifiedInParts: a sale's limit is the sale's, in however many parts it is paid.
func TestUnverifiedInParts(t *testing.T) {
	seaShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *sea) {
		s.cutOff(c)
		s.do(pos.AddAmount{Minor: 1500, Qty: 1000})
		s.do(pos.Pay{Tender: dai, Amount: 600})
		settle()
		s.do(pos.TakeUnverified{})
		settle()
		s.refused(pos.Pay{Tender: dai, Amount: 401}, pos.Conflict)
		s.do(pos.Pay{Tender: dai, Amount: 400})
	})
}
