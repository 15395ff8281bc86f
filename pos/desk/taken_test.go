package desk_test

import (
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// lostPart leaves a sale half paid in DAI that the network took back, and the manager
// going on without it.
func (s *shop) lostPart(c *chain) pos.Answer {
	s.t.Helper()
	a := s.chargeDAI()
	c.sends(a.Payment, units("29000000000000"))
	s.do(pos.CancelPayment{})
	settle()
	c.set(func(c *chain) { c.gone = true })
	wait(31 * time.Second)
	s.doBy(boss, pos.CancelPayment{Despite: true})
	settle()
	return a
}

// TestBackAfterGoingOn: money that the network took back and gave again, when the counter
// went on without it, is the customer's as far as no sale needs it.
func TestBackAfterGoingOn(t *testing.T) {
	for name, on := range map[string]struct {
		does func(s *shop)
		owes string // what the owner owes then
		owed pos.Amount
		left pos.Amount // of the sale
	}{
		"paid in cash": {func(s *shop) { s.do(pos.Pay{Tender: pos.Cash}) }, "0.000029 DAI", eur.Zero(), eur.Zero()},
		"given up":     {func(s *shop) { s.do(pos.ClearSale{}) }, "0.000029 DAI", eur.Zero(), eur.Zero()},
		"paid in part": {func(s *shop) { s.do(pos.Pay{Tender: pos.Cash, Amount: 190}) }, "0.000009 DAI", eur.Of(100), eur.Zero()},
		"little paid":  {func(s *shop) { s.do(pos.Pay{Tender: pos.Cash, Amount: 100}) }, "", eur.Of(145), eur.Of(45)},
	} {
		t.Run(name, func(t *testing.T) {
			tokenShop(t, func(t *testing.T, s *shop, c *chain) {
				a := s.lostPart(c)
				on.does(s)
				settle()
				c.set(func(c *chain) { c.gone = false })
				wait(time.Minute)
				s.restart()
				if p := s.payment(a.Payment); p.Lost || p.State != pos.Settled || p.Amount != on.owed {
					t.Errorf("booked as %+v", p)
				}
				v := s.view().Counter
				if on.owes == "" {
					if len(v.Refunds) != 0 || v.Current == nil || v.Current.Due != on.left {
						t.Errorf("owed %+v, sale %+v", v.Refunds, v.Current)
					}
					return
				}
				if len(v.Refunds) != 1 || v.Refunds[0].Came != on.owes {
					t.Errorf("owed %+v", v.Refunds)
				}
				if r, _ := s.report(); r.Unbalanced != 0 {
					t.Errorf("unbalanced: %+v", r)
				}
			})
		})
	}
}

// late leaves money that came for a sale that was paid in cash.
func (s *shop) late(c *chain) pos.Answer {
	s.t.Helper()
	a := s.chargeDAI()
	s.do(pos.CancelPayment{})
	s.do(pos.Pay{Tender: pos.Cash})
	c.sends(a.Payment, espresso)
	wait(time.Minute)
	return a
}

// TestNotGivenBackTwice: money that was given back is not owed again when more comes, nor
// when its network takes it back and gives it again: only what came on top is.
func TestNotGivenBackTwice(t *testing.T) {
	for name, does := range map[string]struct {
		f    func(a pos.Answer, c *chain)
		owes string
	}{
		"more came": {func(a pos.Answer, c *chain) { c.sends(a.Payment, units("29000000000000")) }, "0.000029 DAI"},
		"taken and given": {func(_ pos.Answer, c *chain) {
			c.set(func(c *chain) { c.gone = true })
			wait(time.Minute)
			c.set(func(c *chain) { c.gone = false })
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tokenShop(t, func(t *testing.T, s *shop, c *chain) {
				a := s.late(c)
				if v := s.view().Counter; len(v.Refunds) != 1 || v.Refunds[0].Came != "0.000058 DAI" {
					t.Fatalf("owed %+v", v.Refunds)
				}
				s.doBy(boss, s.decision(a.Payment, pos.GivenBack, "sent back"))
				settle()
				does.f(a, c)
				wait(time.Minute)
				s.restart()
				v := s.view().Counter
				if does.owes == "" && len(v.Refunds) != 0 || does.owes != "" && (len(v.Refunds) != 1 || v.Refunds[0].Came != does.owes) {
					t.Errorf("owed %+v", v.Refunds)
				}
			})
		})
	}
}

// TestLostIsNotGivenBack: nobody gives money back that the network took from the shop.
func TestLostIsNotGivenBack(t *testing.T) {
	tokenShop(t, func(t *testing.T, s *shop, c *chain) {
		a := s.late(c)
		c.set(func(c *chain) { c.gone = true })
		wait(time.Minute)
		s.refusedBy(boss, s.decision(a.Payment, pos.GivenBack, "sent back"), pos.Conflict)
		s.refusedBy(boss, s.decision(a.Payment, pos.AsSale, ""), pos.Conflict)
		c.set(func(c *chain) { c.gone = false })
		wait(time.Minute)
		s.doBy(boss, s.decision(a.Payment, pos.GivenBack, "sent back"))
		settle()
		if v := s.view().Counter; len(v.Refunds) != 0 {
			t.Errorf("owed %+v", v.Refunds)
		}
	})
}

// TestBackWithMore: what comes beside money that is back is not lost with it.
func TestBackWithMore(t *testing.T) {
	tokenShop(t, func(t *testing.T, s *shop, c *chain) {
		a := s.chargeDAI()
		c.sends(a.Payment, espresso)
		wait(3 * time.Second)
		s.want(pos.PhasePaid)
		c.set(func(c *chain) { c.gone = true })
		wait(time.Minute)
		c.set(func(c *chain) { c.gone = false })
		c.sends(a.Payment, units("29000000000000"))
		wait(2 * time.Minute)
		if v := s.view().Counter; len(v.Refunds) != 1 || v.Refunds[0].Came != "0.000029 DAI" {
			t.Errorf("owed %+v", v.Refunds)
		}
	})
}

// TestOtherUnits: units of another asset than was asked for are no answer, whatever state
// the payment is in.
func TestOtherUnits(t *testing.T) {
	for name, before := range map[string]func(s *shop, c *chain, a pos.Answer){
		"asked for": func(*shop, *chain, pos.Answer) {},
		"settled":   func(_ *shop, c *chain, a pos.Answer) { c.sends(a.Payment, espresso); wait(3 * time.Second) },
		"lost": func(_ *shop, c *chain, a pos.Answer) {
			c.sends(a.Payment, espresso)
			wait(3 * time.Second)
			c.set(func(c *chain) { c.gone = true })
			wait(time.Minute)
		},
	} {
		for _, came := range []string{"29000000000000", "58000000000000"} {
			t.Run(name+" "+came, func(t *testing.T) {
				tokenShop(t, func(t *testing.T, s *shop, c *chain) {
					a := s.chargeDAI()
					before(s, c, a)
					was := s.payment(a.Payment)
					c.set(func(c *chain) { c.told, c.gone = "another", false })
					c.sends(a.Payment, units(came))
					wait(time.Minute)
					if p := s.payment(a.Payment); p.State != was.State || p.Received.Cmp(was.Received) != 0 || !p.Part.IsZero() {
						t.Errorf("booked as %+v", p)
					}
				})
			})
		}
	}
}
