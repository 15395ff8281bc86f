package desk_test

import (
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestAsideLate asks for an empty sale beside one that is not at the counter any more: by a
// second screen, or once more after an answer was lost. Whoever is served by now stays.
func TestAsideLate(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		at := func(want pos.SaleID, lines int) {
			t.Helper()
			if c := s.view().Counter.Current; c == nil || c.ID != want || len(c.Lines) != lines {
				t.Errorf("at the counter is %+v, want %s with %d lines", c, want, lines)
			}
		}
		first := s.do(pos.AddItem{SKU: "ESP"}).Sale
		s.refused(pos.OpenSale{Sale: pos.NoSale}, pos.Conflict) // as a screen that was told of no sale
		second := s.do(pos.OpenSale{Sale: first}).Sale
		s.refused(pos.OpenSale{Sale: first}, pos.Conflict)
		at(second, 0)
		s.do(pos.AddItem{SKU: "BRD"})
		s.refused(pos.OpenSale{Sale: first}, pos.Conflict)
		at(second, 1)
		s.do(pos.Pay{Sale: second, Tender: pos.Cash})
		s.refused(pos.OpenSale{Sale: second}, pos.Conflict) // it is over
		third := s.do(pos.OpenSale{Sale: pos.NoSale}).Sale
		s.refused(pos.OpenSale{Sale: pos.NoSale}, pos.Conflict)
		at(third, 0)
		at(s.do(pos.OpenSale{}).Sale, 0) // who names none means what is there
	})
}

// TestNextCustomerLate ends the picture of a sale after the next one is over as well: that
// customer goes on reading his change.
func TestNextCustomerLate(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		first := s.do(pos.AddItem{SKU: "ESP"}).Sale
		s.refused(pos.NextCustomer{Sale: first}, pos.NotFound) // not over yet
		s.do(pos.Pay{Tender: pos.Cash, Given: 500})
		s.want(pos.PhaseChange)
		s.do(pos.NextCustomer{Sale: first})
		s.want(pos.PhaseIdle)
		s.do(pos.AddItem{SKU: "BRD"})
		second := s.do(pos.Pay{Tender: pos.Cash, Given: 1000}).Sale
		s.do(pos.NextCustomer{Sale: first})
		if c := s.want(pos.PhaseChange); c.Sale != second {
			t.Errorf("the customer reads of sale %s, want %s", c.Sale, second)
		}
		s.refused(pos.NextCustomer{Sale: "0000000000000"}, pos.NotFound)
		s.do(pos.NextCustomer{Sale: second})
		s.want(pos.PhaseIdle)
	})
}
