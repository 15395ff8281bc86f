package desk_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// These tests try to break the package's promise: each is a fault that was found
// by reading, or one that must never come.

// TestTenderGone takes Lightning out of the configuration while a payment is open.
// Nobody knows whether it was paid; the counter must not be stuck, and when the
// tender is back, the money is found.
func TestTenderGone(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		lightning := s.tenders
		s.tenders = nil
		s.restart()
		s.refused(pos.Pay{Tender: pos.Cash}, pos.Conflict)
		if _, err := s.try(pos.CancelPayment{}); pos.KindOf(err) != pos.Unavailable {
			t.Fatalf("cancelling without a rail: %v", err)
		}
		s.want(pos.PhaseChecking)
		_, err := s.Do(t.Context(), pos.Command{Key: "boss", By: boss, Do: pos.CancelPayment{Despite: true}})
		must(t, err)
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
		s.pays(a.Payment, 0)
		s.tenders = lightning
		s.restart()
		wait(time.Minute)
		if p := s.payment(a.Payment); p.State != pos.Settled || !p.Refundable {
			t.Errorf("the payment is %+v", p)
		}
	})
}

// TestStorageFails: after a failed fsync nothing can be recorded until the journal
// is opened anew, so Run must end and let the till restart.
func TestStorageFails(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.do(pos.AddItem{SKU: "ESP"})
		settle()
		s.journal.fail = pos.E("append record", pos.Internal, "the till's storage failed")
		s.refused(pos.Pay{Tender: pos.Cash}, pos.Internal)
		settle()
		select {
		case err := <-s.done:
			if pos.KindOf(err) != pos.Internal || err == nil {
				t.Errorf("Run returned %v", err)
			}
		default:
			t.Error("Run goes on, and nobody restarts the till")
			s.stop()
			<-s.done
		}
		s.refused(pos.AddItem{SKU: "ESP"}, pos.Internal) // half a till is worse than none
		s.journal.fail = nil
		s.done <- nil
		s.Stop()
		must(t, s.ledger.Close())
		s.start()
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
	})
}

// TestPaidMoreThanDue: a part paid late leaves less due than the second request
// asks for. What the customer paid beyond is named.
func TestPaidMoreThanDue(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.do(pos.AddItem{SKU: "ESP"})
		a := s.do(pos.Pay{Tender: bolt, Amount: 145})
		settle()
		s.rail.do(a.Payment, func(q *request) { q.state = "lapsed" })
		wait(3 * time.Second)
		b := s.do(pos.Pay{Tender: bolt})
		settle()
		s.pays(a.Payment, 0)
		wait(3 * time.Second)
		s.pays(b.Payment, 0)
		wait(3 * time.Second)
		s.want(pos.PhasePaid)
		p := s.payment(b.Payment)
		if p.Amount != eur.Of(145) || p.Over.String() != "2900 sat" {
			t.Errorf("the second payment covers %v, over %v; want 1.45 and 2900 sat", p.Amount, p.Over)
		}
		if s.notice() != "over late " {
			t.Errorf("notices %q", s.notice())
		}
	})
}

// TestFinalButOpen: a rail says that nothing can change any more, and nothing else.
// That is no word about the money: the till goes on asking.
func TestFinalButOpen(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.rail.do(a.Payment, func(q *request) { q.state = "final" })
		wait(3 * time.Second)
		if p := s.payment(a.Payment); p.Final {
			t.Errorf("given up while open: %+v", p)
		}
		s.pays(a.Payment, 0)
		wait(3 * time.Second)
		s.want(pos.PhasePaid)
	})
}

// TestSettledWithNothing: a rail that says "paid" without money is in doubt.
func TestSettledWithNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.rail.do(a.Payment, func(q *request) { q.state = "paid" })
		wait(3 * time.Second)
		s.want(pos.PhaseDue)
		s.pays(a.Payment, 0)
		wait(3 * time.Second)
		s.want(pos.PhasePaid)
	})
}

// TestCutInSetQty cuts the power between the record of a removed part and the
// basket's own change. The repeated command must not leave the part in the basket.
func TestCutInSetQty(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.do(pos.AddItem{SKU: "ESP", Qty: 3000})
		settle()
		s.halt()
		dir := s.copyLedger()
		s.start()
		c := pos.Command{Key: "less", By: anna, Do: pos.SetQty{Line: 1, Qty: 1000}}
		first, err := s.Do(t.Context(), c)
		must(t, err)
		settle()
		s.cut(dir) // the ledger knows nothing of the record yet
		again, err := s.Do(t.Context(), c)
		if err != nil || again != first {
			t.Errorf("again: %+v, %v; first %+v", again, err, first)
		}
		if got := s.want(pos.PhaseBasket).Total; got != eur.Of(290) {
			t.Errorf("the basket comes to %v, want 2.90", got)
		}
		if n := s.journal.count(pos.KindLineRemoved); n != 1 {
			t.Errorf("%d removals are recorded, want 1", n)
		}
	})
}

// TestCancelRepeated repeats a cancellation whose payment the watcher had found
// cancelled in between: the same answer, whoever was first.
func TestCancelRepeated(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.rail.set(func(r *rail) { r.inCancel = func() { wait3(s, a) } })
		c := pos.Command{Key: "cancel", By: anna, Do: pos.CancelPayment{}}
		first, err := s.Do(t.Context(), c)
		if err != nil || first.Sale != a.Sale || first.Payment != a.Payment {
			t.Fatalf("%+v, %v", first, err)
		}
		settle()
		if again, err := s.Do(t.Context(), c); err != nil || again != first {
			t.Errorf("again: %+v, %v; first %+v", again, err, first)
		}
	})
}

// wait3 lets the watcher find that the request was cancelled.
func wait3(s *shop, a pos.Answer) {
	s.rail.reqs[a.Payment].state = "cancelled"
	s.rail.mu.Unlock()
	time.Sleep(3 * time.Second)
	s.rail.mu.Lock()
}

// TestClockJumps sets the wall clock by years, to and fro, at every step of a
// payment. The request is made, and the payment found as fast as ever.
func TestClockJumps(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for name, jump := range map[string]time.Duration{"forth": 10 * year, "back": -10 * year} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *shop) {
				s.rail.set(func(r *rail) { r.down = true })
				s.do(pos.AddItem{SKU: "ESP"})
				a := s.do(pos.Pay{Tender: bolt})
				wait(2 * time.Second)
				s.skew.Add(int64(jump))
				s.rail.set(func(r *rail) { r.down = false })
				wait(3 * time.Second)
				s.want(pos.PhaseDue)
				wait(30 * time.Second)
				s.skew.Add(int64(-2 * jump))
				wait(10 * time.Second)
				s.pays(a.Payment, 0)
				wait(3 * time.Second)
				s.want(pos.PhasePaid)
			})
		})
	}
}

// TestManyAttempts tries a sale again and again with long codes: the record that
// completes it must still fit, so at some point only cash goes, and it always does.
func TestManyAttempts(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.rail.set(func(r *rail) { r.long = strings.Repeat("X", 20_000) })
		s.do(pos.AddItem{SKU: "ESP"})
		refused := false
		for range 40 {
			a, err := s.try(pos.Pay{Tender: bolt})
			if err != nil {
				refused = pos.KindOf(err) == pos.Conflict
				break
			}
			settle()
			s.do(pos.CancelPayment{Payment: a.Payment})
			settle()
		}
		if !refused {
			t.Error("40 attempts were let through")
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
	})
}

// TestRottenLastSale damages the record of the newest sale. The counter goes on.
func TestRottenLastSale(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.do(pos.AddItem{SKU: "ESP"})
		s.do(pos.Pay{Tender: pos.Cash})
		settle()
		s.journal.rot(pos.KindSaleCompleted)
		s.restart()
		s.do(pos.AddItem{SKU: "BRD"})
		if c := s.want(pos.PhaseBasket); c.Total != eur.Of(640) {
			t.Errorf("the customer sees %+v", c)
		}
	})
}

// TestOneRottenSale hides that sale and no other.
func TestOneRottenSale(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		for range 3 {
			s.do(pos.AddItem{SKU: "ESP"})
			s.do(pos.Pay{Tender: pos.Cash})
			settle()
		}
		s.journal.rot(pos.KindSaleCompleted)
		list, next, err := s.Sales("", 2)
		if err != nil || len(list) != 1 || list[0].Receipt != "01-000002" || next == "" {
			t.Fatalf("%d sales, next %q, %v", len(list), next, err)
		}
		if list, _, err = s.Sales(next, 2); err != nil || len(list) != 1 || list[0].Receipt != "01-000001" {
			t.Errorf("the next page: %d sales, %v", len(list), err)
		}
	})
}

// TestRefundSurvivesRestart: a customer paid twice. The debt stands after every
// start, whatever is taken off the screen, until a manager decided.
func TestRefundSurvivesRestart(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.rail.do(a.Payment, func(q *request) { q.state = "lapsed" })
		wait(3 * time.Second)
		s.do(pos.Pay{Tender: pos.Cash})
		s.pays(a.Payment, 0)
		wait(time.Minute)
		if n := s.view().Counter.Notices; len(n) != 1 || n[0].Sale != a.Sale || n[0].Kind != pos.NoticeDouble {
			t.Fatalf("notices %+v", n)
		}
		s.do(pos.Dismiss{Notice: s.view().Counter.Notices[0].ID})
		before := s.view().Counter.Refunds
		s.restart()
		after := s.view().Counter.Refunds
		if len(before) != 1 || len(after) != 1 || after[0] != before[0] || after[0].Payment != a.Payment {
			t.Fatalf("before the restart %+v, after it %+v", before, after)
		}
		if _, err := s.by(boss, s.decision(a.Payment, pos.GivenBack, "cash")); err != nil {
			t.Fatal(err)
		}
		s.restart()
		if n := s.view().Counter.Refunds; len(n) != 0 {
			t.Errorf("decided, and back: %+v", n)
		}
	})
}

// TestPaidStaysAfterRestart: PAID is there until the next sale begins, whatever
// happens to the power.
func TestPaidStaysAfterRestart(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.pays(a.Payment, 0)
		wait(3 * time.Second)
		s.restart()
		s.want(pos.PhasePaid)
		s.do(pos.OpenSale{})
		s.want(pos.PhaseIdle)
		s.restart()
		s.want(pos.PhaseIdle)
	})
}

// TestTwoFounders: two phones set the till up in the same moment; one owns it.
func TestTwoFounders(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.pins.slow = 1000
		var wg sync.WaitGroup
		var mu sync.Mutex
		owners := 0
		for i := range 2 {
			wg.Go(func() {
				_, err := s.Found(t.Context(), fmt.Sprint("Olga ", i), "4711")
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					owners++
				}
			})
		}
		wg.Wait()
		if owners != 1 {
			t.Errorf("%d owners were founded, want 1", owners)
		}
	})
}

// TestStrangerWritesNothing: wrong PINs of people who do not exist must not fill
// the journal; anybody on the network can send them.
func TestStrangerWritesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		for range 10 {
			if _, err := s.SignIn(t.Context(), "nobody", "0000"); pos.KindOf(err) != pos.Forbidden {
				t.Fatal(err)
			}
		}
		settle()
		if n := s.journal.count(pos.KindPINFailed); n != 0 {
			t.Errorf("%d records by strangers", n)
		}
	})
}

// TestNothingAfterStopped: the record that the till was stopped is its run's last,
// however many screens still send commands.
func TestNothingAfterStopped(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for n := range 20 {
					s.Do(t.Context(), pos.Command{Key: fmt.Sprint(i, "-", n), By: anna, Do: pos.OpenDrawer{Reason: "coins"}})
				}
			})
		}
		wg.Go(func() { s.Stop() })
		wg.Wait()
		settle()
		if kinds := strings.Fields(s.journal.kinds()); kinds[len(kinds)-1] != string(pos.KindStopped) {
			t.Errorf("behind the stop there is a %s", kinds[len(kinds)-1])
		}
	})
}

// TestNoExpiry: a rail whose requests do not end must not make a new view every
// second.
func TestNoExpiry(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.rail.set(func(r *rail) { r.endless = true })
		s.charge()
		before := s.view().Version
		wait(time.Minute)
		if after := s.view().Version; after > before+1 {
			t.Errorf("%d views in a minute in which nothing happened", after-before)
		}
	})
}
