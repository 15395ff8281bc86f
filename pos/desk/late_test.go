package desk_test

import (
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// owe lets a customer pay sats for a sale that a manager had given up.
func (s *shop) owe(sats int64) (pos.Answer, pos.RefundView) {
	s.t.Helper()
	a := s.charge()
	s.rail.set(func(r *rail) { r.down = true })
	if _, err := s.try(pos.CancelPayment{}); err == nil {
		s.t.Fatal("cancelled without an answer")
	}
	if _, err := s.by(boss, pos.CancelPayment{Despite: true}); err != nil {
		s.t.Fatal(err)
	}
	s.do(pos.ClearSale{})
	s.rail.do(a.Payment, func(q *request) { q.state, q.got = "paid", sats*1000 })
	s.rail.set(func(r *rail) { r.down = false })
	wait(time.Minute)
	list := s.view().Counter.Refunds
	if len(list) != 1 || list[0].Payment != a.Payment {
		s.t.Fatalf("owed: %+v", list)
	}
	return a, list[0]
}

// TestGivenBack: the debt stands until a manager says how the money was given back,
// across restarts and a lost ledger, and the report tells of both.
func TestGivenBack(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		empty := s.copyLedger()
		a, v := s.owe(5800)
		if !v.Sells || v.Of != "#0001" || v.Came != "5800 sat" || v.Amount != eur.Of(290) {
			t.Errorf("owed %+v", v)
		}
		s.refused(s.decision(a.Payment, pos.GivenBack, "cash"), pos.Forbidden)
		for _, bad := range []pos.Decide{
			s.decision(a.Payment, pos.GivenBack, ""), s.decision(a.Payment, "lost", ""), s.decision(a.Payment, pos.GivenBack, "a\nb"),
			{Payment: a.Payment, As: pos.GivenBack, Note: "cash"}, // by who says not what he read
		} {
			if _, err := s.by(boss, bad); pos.KindOf(err) != pos.Invalid {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		if _, err := s.by(boss, s.decision("other-1", pos.GivenBack, "x")); pos.KindOf(err) != pos.NotFound {
			t.Errorf("another payment: %v", err)
		}
		for _, n := range s.view().Counter.Notices { // taking the notice away does not take the debt away
			s.do(pos.Dismiss{Notice: n.ID})
		}
		s.cut(empty)
		if n := len(s.view().Counter.Refunds); n != 1 {
			t.Fatalf("%d debts after the ledger was lost", n)
		}
		if _, err := s.by(boss, s.decision(a.Payment, pos.GivenBack, "cash from the drawer")); err != nil {
			t.Fatal(err)
		}
		if n := len(s.view().Counter.Refunds); n != 0 {
			t.Errorf("%d debts when it is given back", n)
		}
		s.cut(empty)
		if n := len(s.view().Counter.Refunds); n != 0 {
			t.Errorf("%d debts came back", n)
		}
		r, _ := s.report()
		if r.RefundDue.Count != 1 || r.GivenBack != (pos.Tally{Count: 1, Amount: eur.Of(290)}) || r.SoldAfter.Count != 0 {
			t.Errorf("the report says %+v, %+v, %+v", r.RefundDue, r.GivenBack, r.SoldAfter)
		}
	})
}

// TestSoldAfter: the goods went out after all. A new sale with the same lines takes
// the late money; the one that was given up never changes.
func TestSoldAfter(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a, _ := s.owe(5900)
		other := s.do(pos.AddItem{SKU: "BRD"})
		got, err := s.by(boss, s.decision(a.Payment, pos.AsSale, ""))
		if err != nil {
			t.Fatal(err)
		}
		v := s.view()
		if v.Counter.LastDone == nil || v.Counter.LastDone.ID != got.Sale || got.Sale == a.Sale || v.Counter.LastDone.Receipt != "01-000001" {
			t.Errorf("sold: %+v", v.Counter.LastDone)
		}
		if v.Counter.Current == nil || v.Counter.Current.ID != other.Sale {
			t.Errorf("at the counter is %+v, not the next customer's basket", v.Counter.Current)
		}
		if len(v.Counter.Refunds) != 0 {
			t.Errorf("still owed: %+v", v.Counter.Refunds)
		}
		p := s.payment(a.Payment)
		if p.Sale != got.Sale || p.Refundable || p.State != pos.Settled || p.Over.String() != "100 sat" {
			t.Errorf("payment %+v", p)
		}
		if _, err := s.by(boss, s.decision(a.Payment, pos.AsSale, "")); pos.KindOf(err) != pos.NotFound {
			t.Errorf("sold twice: %v", err)
		}
		r, _ := s.report()
		if r.Unbalanced != 0 || r.Tender(bolt).Amount != eur.Of(290) || r.SoldAfter.Amount != eur.Of(290) || r.GivenBack.Count != 0 {
			t.Errorf("the report says %+v, %+v", r.Tenders, r.SoldAfter)
		}
	})
}

// TestPartSoldAfter: less came than the goods cost; the rest is paid at the counter.
func TestPartSoldAfter(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a, _ := s.owe(2900)
		got, err := s.by(boss, s.decision(a.Payment, pos.AsSale, ""))
		if err != nil {
			t.Fatal(err)
		}
		c := s.view().Counter.Current
		if c == nil || c.ID != got.Sale || c.Due != eur.Of(145) || c.State != pos.PartPaid {
			t.Fatalf("at the counter %+v", c)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
		if r, _ := s.report(); r.Unbalanced != 0 || r.Total != eur.Of(290) {
			t.Errorf("the report says %+v", r)
		}
	})
}

// TestReopenedIsNotSoldAgain: the lines went on in another basket, which was paid.
// The late money of the first can only be given back.
func TestReopenedIsNotSoldAgain(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.rail.set(func(r *rail) { r.down = true })
		if _, err := s.try(pos.CancelPayment{}); err == nil {
			t.Fatal("cancelled without an answer")
		}
		if _, err := s.by(boss, pos.CancelPayment{Despite: true}); err != nil {
			t.Fatal(err)
		}
		s.do(pos.Reopen{})
		s.do(pos.Pay{Tender: pos.Cash})
		s.pays(a.Payment, 0)
		s.rail.set(func(r *rail) { r.down = false })
		wait(time.Minute)
		if v := s.view().Counter.Refunds; len(v) != 1 || v[0].Sells {
			t.Fatalf("owed %+v", v)
		}
		if _, err := s.by(boss, s.decision(a.Payment, pos.AsSale, "")); pos.KindOf(err) != pos.Conflict {
			t.Errorf("one coffee sold twice: %v", err)
		}
	})
}

// TestPaidTwice: the sale was paid otherwise. Its second payment can only be given back.
func TestPaidTwice(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.rail.set(func(r *rail) { r.down = true })
		if _, err := s.try(pos.CancelPayment{}); err == nil {
			t.Fatal("cancelled without an answer")
		}
		if _, err := s.by(boss, pos.CancelPayment{Despite: true}); err != nil {
			t.Fatal(err)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.pays(a.Payment, 0)
		s.rail.set(func(r *rail) { r.down = false })
		wait(time.Minute)
		v := s.view().Counter.Refunds
		if len(v) != 1 || v[0].Sells || v[0].Of != "01-000001" {
			t.Fatalf("owed %+v", v)
		}
		if _, err := s.by(boss, s.decision(a.Payment, pos.AsSale, "")); pos.KindOf(err) != pos.Conflict {
			t.Errorf("sold twice: %v", err)
		}
		if _, err := s.by(boss, s.decision(a.Payment, pos.GivenBack, "over Lightning")); err != nil {
			t.Error(err)
		}
	})
}
