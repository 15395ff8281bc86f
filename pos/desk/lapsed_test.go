package desk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// worth sets what one token or coin costs.
func (s *shop) worth(price string) { s.rates.price.Store(&price) }

// noPrice takes the price away, or gives it back.
func (s *shop) noPrice(gone bool) {
	if s.rates.err.Store(nil); gone {
		s.rates.err.Store(pos.E("rate", pos.Unavailable, "no price"))
	}
}

// expired charges an espresso to a request that ends unpaid.
func (s *shop) expired(c *chain) pos.Answer {
	s.t.Helper()
	a := s.chargeDAI()
	c.set(func(c *chain) { c.over = true })
	wait(11 * time.Minute)
	if p := s.payment(a.Payment); p.State != pos.Expired {
		s.t.Fatalf("the request is %s", p.State)
	}
	return a
}

// overOf is what came for p beyond its price; "" for nothing.
func overOf(p pos.Payment) string {
	if p.Over.IsZero() {
		return ""
	}
	return p.Over.String()
}

// TestLatePrice: who pays an ended code pays with what his token is worth then, and never
// for more than was asked for. The espresso was 58 units at 50,000.
func TestLatePrice(t *testing.T) {
	const unit = 1_000_000_000_000
	for name, x := range map[string]struct {
		price   string
		sends   int64 // units
		covers  int64
		over    string
		refunds int
	}{
		"as before":             {"50000", 58, 290, "", 0},
		"fell by a tenth":       {"45000", 58, 258, "", 0}, // 290 are 65 units now
		"fell by half":          {"25000", 58, 145, "", 0},
		"fell, enough came":     {"25000", 116, 290, "", 0},
		"fell, more came":       {"25000", 120, 290, "0.000004 DAI", 1},
		"rose":                  {"100000", 58, 290, "", 0}, // what it rose by is not the customer's again
		"rose, half came":       {"100000", 29, 290, "", 0},
		"rose, more came":       {"100000", 60, 290, "0.000002 DAI", 1},
		"rose, a quarter came":  {"100000", 14, 140, "", 0},
		"fell, and little came": {"25000", 1, 2, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			tokenShop(t, func(t *testing.T, s *shop, c *chain) {
				a := s.expired(c)
				s.worth(x.price)
				c.sends(a.Payment, daiAsset.UnitsOf(x.sends*unit).Int())
				wait(31 * time.Second)
				p := s.payment(a.Payment)
				if p.State != pos.Settled || !p.Late || p.Refundable || p.Amount != eur.Of(x.covers) || overOf(p) != x.over {
					t.Fatalf("booked as %+v", p)
				}
				if x.covers == 290 {
					s.want(pos.PhasePaid)
				} else if v := s.view().Counter.Current; v == nil || v.State != pos.PartPaid || v.Due != eur.Of(290-x.covers) || p.Asked != eur.Of(290) {
					t.Fatalf("at the counter %+v", v)
				} else {
					if !strings.Contains(s.notice(), pos.NoticeLate) {
						t.Errorf("told %s", s.notice())
					}
					s.restart()
					s.do(pos.Pay{Tender: pos.Cash})
					settle()
				}
				if n := len(s.view().Counter.Refunds); n != x.refunds {
					t.Errorf("%d debts", n)
				}
				if r, _ := s.report(); r.Sales != 1 || r.Unbalanced != 0 || r.Late.Count != 1 || r.Tender(dai).Amount != eur.Of(x.covers) {
					t.Errorf("reported as %+v", r)
				}
			})
		})
	}
}

// TestLateThenMore: the rest of a late payment is worth what it is when it comes.
func TestLateThenMore(t *testing.T) {
	for name, x := range map[string]struct {
		price  string // when more comes; empty: none
		sends  string
		amount int64
		over   string
	}{
		"the same, enough":  {"25000", "58000000000000", 290, ""},
		"the same, half":    {"25000", "29000000000000", 217, ""},
		"fell once more":    {"12500", "58000000000000", 217, ""},
		"rose, too much":    {"50000", "58000000000000", 290, "0.000029 DAI"},
		"without any price": {"", "58000000000000", 145, "0.000058 DAI"},
	} {
		t.Run(name, func(t *testing.T) {
			tokenShop(t, func(t *testing.T, s *shop, c *chain) {
				a := s.expired(c)
				s.worth("25000")
				c.sends(a.Payment, espresso)
				wait(31 * time.Second)
				s.restart()
				if s.noPrice(x.price == ""); x.price != "" {
					s.worth(x.price)
				}
				c.sends(a.Payment, units(x.sends))
				wait(31 * time.Second)
				if p := s.payment(a.Payment); p.Amount != eur.Of(x.amount) || overOf(p) != x.over || p.Owed != (x.over != "") {
					t.Errorf("booked as %+v", p)
				}
			})
		})
	}
}

// TestPartThenLapsed: what came in time counts at the quote, the rest at the price of its
// day: a little sent in time does not hold the old price.
func TestPartThenLapsed(t *testing.T) {
	tokenShop(t, func(t *testing.T, s *shop, c *chain) {
		a := s.chargeDAI()
		c.sends(a.Payment, units("29000000000000"))
		s.do(pos.CancelPayment{})
		settle()
		c.sends(a.Payment, units("14500000000000")) // still within the quote
		wait(31 * time.Second)
		if p := s.payment(a.Payment); p.Amount != eur.Of(217) {
			t.Fatalf("booked as %+v", p)
		}
		wait(11 * time.Minute)
		s.worth("25000")
		c.sends(a.Payment, units("14500000000000"))
		wait(31 * time.Second)
		p := s.payment(a.Payment)
		if v := s.view().Counter.Current; v == nil || v.Due.Minor < 36 || !p.Over.IsZero() || p.Amount.Minor+v.Due.Minor != 290 {
			t.Errorf("booked as %+v, at the counter %+v", p, v)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		settle()
		c.sends(a.Payment, units("10000000000000")) // nothing needs this
		wait(31 * time.Second)
		if v := s.view().Counter; len(v.Refunds) != 1 || v.Refunds[0].Came != "0.000010 DAI" {
			t.Errorf("owed %+v", v.Refunds)
		}
	})
}

// TestLateUnpriced: without a price nobody knows what late money covers. A manager
// decides, and the sale waits or is paid otherwise meanwhile.
func TestLateUnpriced(t *testing.T) {
	for name, x := range map[string]struct {
		as     pos.Decision
		price  string // at the decision
		cash   bool   // the customer pays otherwise first
		covers int64
	}{
		"taken, still without":   {pos.AsSale, "", false, 290},
		"taken at the new price": {pos.AsSale, "25000", false, 145},
		"given back":             {pos.GivenBack, "", false, 0},
		"paid in cash, and back": {pos.GivenBack, "", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tokenShop(t, func(t *testing.T, s *shop, c *chain) {
				a := s.expired(c)
				s.noPrice(true)
				c.sends(a.Payment, espresso)
				wait(31 * time.Second)
				s.restart()
				v := s.view().Counter
				if len(v.Refunds) != 1 || v.Refunds[0].Kind != pos.OwedUnpriced || !v.Refunds[0].Sells || v.Refunds[0].Of != "#0001" || v.Refunds[0].Came != "0.000058 DAI" {
					t.Fatalf("owed %+v", v.Refunds)
				}
				if v.Current == nil || v.Current.Due != eur.Of(290) {
					t.Fatalf("at the counter %+v", v.Current)
				}
				if x.cash {
					s.do(pos.Pay{Tender: pos.Cash})
					settle()
					s.refusedBy(boss, s.decision(a.Payment, pos.AsSale, ""), pos.Conflict)
				}
				if x.price != "" {
					s.noPrice(false)
					s.worth(x.price)
				}
				s.refused(s.decision(a.Payment, x.as, "n"), pos.Forbidden)
				s.doBy(boss, s.decision(a.Payment, x.as, "n"))
				settle()
				if x.covers < 290 && !x.cash {
					if v := s.view().Counter.Current; v == nil || v.Due != eur.Of(290-x.covers) {
						t.Fatalf("at the counter %+v", v)
					}
					s.do(pos.Pay{Tender: pos.Cash})
					settle()
				}
				wait(time.Minute)
				if n := len(s.view().Counter.Refunds); n != 0 {
					t.Errorf("%d debts are left", n)
				}
				r, _ := s.report()
				if r.Sales != 1 || r.Unbalanced != 0 || r.RefundDue.Count != 1 || r.Tender(dai).Amount != eur.Of(x.covers) ||
					r.SoldAfter.Amount != eur.Of(x.covers) || r.GivenBack.Count != map[pos.Decision]int64{pos.GivenBack: 1}[x.as] {
					t.Errorf("reported as %+v", r)
				}
			})
		})
	}
}

// TestLateUnpricedGivenUp: the sale may be given up while its money waits for a decision.
func TestLateUnpricedGivenUp(t *testing.T) {
	tokenShop(t, func(t *testing.T, s *shop, c *chain) {
		a := s.expired(c)
		s.noPrice(true)
		c.sends(a.Payment, espresso)
		wait(31 * time.Second)
		s.do(pos.ClearSale{})
		settle()
		s.doBy(boss, s.decision(a.Payment, pos.AsSale, ""))
		settle()
		if v := s.view().Counter; len(v.Refunds) != 0 || v.LastDone == nil || v.LastDone.Payment(a.Payment) == nil {
			t.Errorf("owed %+v, done %+v", v.Refunds, v.LastDone)
		}
	})
}

// TestWithinTheQuote: the price was promised until the request's end. Lightning keeps its
// price always: an invoice that has ended takes no money.
func TestWithinTheQuote(t *testing.T) {
	t.Run("cancelled before its end", func(t *testing.T) {
		tokenShop(t, func(t *testing.T, s *shop, c *chain) {
			a := s.chargeDAI()
			s.do(pos.CancelPayment{})
			s.worth("25000")
			c.sends(a.Payment, espresso)
			wait(3 * time.Minute)
			if p := s.payment(a.Payment); !p.Late || p.Amount != eur.Of(290) || !p.Price.IsZero() {
				t.Errorf("booked as %+v", p)
			}
			s.want(pos.PhasePaid)
		})
	})
	t.Run("lightning", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *shop) {
			a := s.charge()
			s.rail.do(a.Payment, func(q *request) { q.state = "lapsed" })
			wait(10 * time.Minute)
			if p := s.payment(a.Payment); p.State != pos.Expired || p.Final {
				t.Fatalf("the request is %s", p.State)
			}
			s.noPrice(true)
			s.rail.do(a.Payment, func(q *request) { q.state, q.got = "paid", 5800*1000 })
			wait(time.Minute)
			if p := s.payment(a.Payment); !p.Late || p.Amount != eur.Of(290) || p.Refundable {
				t.Errorf("booked as %+v", p)
			}
			s.want(pos.PhasePaid)
		})
	})
}
