package desk_test

import (
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

const bolt = pos.Tender("lightning")

// charge puts an espresso on the counter and asks for Lightning.
func (s *shop) charge() pos.Answer {
	s.t.Helper()
	s.do(pos.AddItem{SKU: "ESP"})
	a := s.do(pos.Pay{Tender: bolt})
	settle()
	return a
}

// pays lets the customer pay; sats beyond the price when over is not zero.
func (s *shop) pays(id pos.PaymentID, over int64) {
	p, err := s.ledger.Payment(id)
	if err != nil {
		s.t.Fatal(err)
	}
	s.rail.do(id, func(q *request) { q.state, q.got = "paid", p.Quantity.Int().Int64()+over })
}

// wait lets d pass, and everything that happens in it.
func wait(d time.Duration) { time.Sleep(d); settle() }

// payment returns what the journal last said of a payment.
func (s *shop) payment(id pos.PaymentID) pos.Payment {
	s.t.Helper()
	var p pos.Payment
	for r := range s.journal.Since(0) {
		var b pos.PaymentMoved
		if r.Kind == pos.KindPayment && r.Decode(&b) == nil && b.Payment.ID == id {
			p = b.Payment
		}
	}
	return p
}

// notice returns the kinds of the notices on the screen.
func (s *shop) notice() (kinds string) {
	for _, n := range s.view().Counter.Notices {
		kinds += n.Kind + " "
	}
	return kinds
}

// TestLightningSale is the main job: QR, arriving, PAID, receipt, in this order,
// and the request is durable before anybody sees it.
func TestLightningSale(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		c := s.want(pos.PhaseDue)
		if c.Quantity != "5800 sat" || c.QR == "" || c.Due != eur.Of(290) || c.Rate != "1 BTC = 50000.00 EUR" {
			t.Errorf("the customer sees %+v", c)
		}
		if p := s.payment(a.Payment); p.State != pos.Requested || p.Payload != c.QR {
			t.Errorf("shown %q, but the journal says %+v", c.QR, p)
		}
		s.refused(pos.Pay{Tender: pos.Cash}, pos.Conflict)
		s.refused(pos.ClearSale{}, pos.Conflict)
		s.rail.do(a.Payment, func(q *request) { q.state = "arriving" })
		wait(3 * time.Second)
		s.want(pos.PhaseArriving)
		s.pays(a.Payment, 0)
		wait(3 * time.Second)
		if c := s.want(pos.PhasePaid); c.Receipt != "01-000001" {
			t.Errorf("the customer sees %+v", c)
		}
		j, ok, err := s.Queue("").Next()
		if err != nil || !ok || j.Drawer || j.Begun {
			t.Errorf("print job %+v, %v, %v: want a receipt and a shut drawer", j, ok, err)
		}
		if s.prints != 1 {
			t.Errorf("the printer was woken %d times", s.prints)
		}
	})
}

// TestExpiry lets the time run out; the next attempt is a new request.
func TestExpiry(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		wait(railExpiry + 5*time.Second)
		if c := s.want(pos.PhaseRefused); c.Reason != "expired" {
			t.Errorf("reason %q", c.Reason)
		}
		b := s.do(pos.Pay{Tender: bolt})
		settle()
		if s.want(pos.PhaseDue); b.Payment == a.Payment || b.Sale != a.Sale {
			t.Errorf("second attempt %+v after %+v", b, a)
		}
		s.pays(b.Payment, 0)
		wait(3 * time.Second)
		s.want(pos.PhasePaid)
	})
}

// TestCancel withdraws: before payment it is cancelled, after payment it is paid,
// whatever the cashier wanted.
func TestCancel(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.do(pos.CancelPayment{Payment: a.Payment})
		if c := s.want(pos.PhaseRefused); c.Reason != "cancelled" {
			t.Errorf("reason %q", c.Reason)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)

		b := s.charge()
		s.pays(b.Payment, 0)
		if _, err := s.try(pos.CancelPayment{}); err != nil {
			t.Errorf("cancelling what is paid: %v", err)
		}
		if c := s.want(pos.PhasePaid); c.Receipt != "01-000002" {
			t.Errorf("receipt %s", c.Receipt)
		}
	})
}

// TestPaidWhileAnotherWaits: the next customer pays in cash while the one before is still
// at his phone. Her change stands until the cashier turns to the next customer; then his
// code is back.
func TestPaidWhileAnotherWaits(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		first := s.want(pos.PhaseDue)
		s.do(pos.OpenSale{})
		s.do(pos.AddItem{SKU: "ESP"})
		s.do(pos.Pay{Tender: pos.Cash, Given: 1000})
		if c := s.want(pos.PhaseChange); c.Sale == a.Sale || c.Change.Minor != 710 {
			t.Errorf("the customer reads %+v", c)
		}
		s.do(pos.NextCustomer{})
		if c := s.want(pos.PhaseDue); c.QR != first.QR {
			t.Errorf("the first one's code is %q, was %q", c.QR, first.QR)
		}
		s.pays(a.Payment, 0)
		wait(time.Minute)
		if c := s.want(pos.PhasePaid); c.Sale != a.Sale {
			t.Errorf("paid is %s", c.Sale)
		}
	})
}

// TestDoubt cuts the node off. Nothing becomes paid or unpaid by that; only a
// manager goes on, and money that comes later is found.
func TestDoubt(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.rail.set(func(r *rail) { r.down = true })
		if _, err := s.try(pos.CancelPayment{}); pos.KindOf(err) != pos.Unavailable {
			t.Fatalf("cancelling without an answer: %v", err)
		}
		s.want(pos.PhaseChecking)
		s.refused(pos.Pay{Tender: pos.Cash}, pos.Conflict)
		s.refused(pos.CancelPayment{Despite: true}, pos.Forbidden)
		if _, err := s.Do(t.Context(), pos.Command{Key: "boss", By: boss, Do: pos.CancelPayment{Despite: true}}); err != nil {
			t.Fatal(err)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)

		// The first customer had paid after all. The till finds out when the node is back.
		s.pays(a.Payment, 0)
		s.restart()
		s.rail.set(func(r *rail) { r.down = false })
		wait(time.Minute)
		if p := s.payment(a.Payment); p.State != pos.Settled || !p.Refundable {
			t.Errorf("the second payment is %+v", p)
		}
		if s.notice() != "double " {
			t.Errorf("notices %q", s.notice())
		}
		if n := s.journal.count(pos.KindSaleCompleted); n != 1 {
			t.Errorf("%d completed sales, want 1", n)
		}
	})
}

// TestDoubtEnds: the node comes back and says that nothing was paid. What the
// cashier wanted then happens: the request is withdrawn.
func TestDoubtEnds(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.charge()
		s.rail.set(func(r *rail) { r.down = true })
		s.try(pos.CancelPayment{})
		s.rail.set(func(r *rail) { r.down = false })
		wait(5 * time.Second)
		if c := s.want(pos.PhaseRefused); c.Reason != "cancelled" {
			t.Errorf("reason %q", c.Reason)
		}
	})
}

// TestNodeDownOverExpiry: the countdown ends while the node is away. The customer
// reads neither paid nor expired.
func TestNodeDownOverExpiry(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.rail.set(func(r *rail) { r.down = true })
		wait(railExpiry + 30*time.Second)
		s.want(pos.PhaseChecking)
		s.pays(a.Payment, 0)
		s.rail.set(func(r *rail) { r.down = false })
		wait(5 * time.Second)
		s.want(pos.PhasePaid)
	})
}

// TestLate pays when the till had stopped waiting: an open sale takes it, a sale
// that was given up leaves it to the owner. The rail is one that expires without a
// final word, as chains do.
func TestLate(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.rail.do(a.Payment, func(q *request) { q.state = "lapsed" })
		wait(3 * time.Second)
		s.want(pos.PhaseRefused)
		s.pays(a.Payment, 0)
		wait(3 * time.Second)
		s.want(pos.PhasePaid)
		if p := s.payment(a.Payment); !p.Late || p.Refundable || s.notice() != "late " {
			t.Errorf("payment %+v, notices %q", p, s.notice())
		}

		b := s.charge()
		s.rail.do(b.Payment, func(q *request) { q.state = "lapsed" })
		wait(3 * time.Second)
		s.do(pos.ClearSale{})
		s.want(pos.PhaseIdle)
		s.pays(b.Payment, 0)
		wait(time.Minute)
		if p := s.payment(b.Payment); !p.Late || !p.Refundable || s.notice() != "double late " {
			t.Errorf("payment %+v, notices %q", p, s.notice())
		}
		if n := s.journal.count(pos.KindSaleCompleted); n != 1 {
			t.Errorf("%d sales, want 1", n)
		}
	})
}

// TestOver takes more than was asked, and says so.
func TestOver(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.pays(a.Payment, 12_000)
		wait(3 * time.Second)
		s.want(pos.PhasePaid)
		if p := s.payment(a.Payment); p.Over.String() != "12 sat" || p.Amount != eur.Of(290) {
			t.Errorf("over %v, covers %v", p.Over, p.Amount)
		}
		if s.notice() != "over " {
			t.Errorf("notices %q", s.notice())
		}
	})
}

// TestShort takes less than was asked: the rest is still due.
func TestShort(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.pays(a.Payment, -2_900_000)
		wait(3 * time.Second)
		if c := s.want(pos.PhaseBasket); c.Due != eur.Of(145) {
			t.Errorf("due %v, want 1.45", c.Due)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		if c := s.want(pos.PhaseChange); c.Receipt != "01-000001" {
			t.Errorf("receipt %q", c.Receipt)
		}
	})
}

// TestLostAnswer makes the request and loses the answer; power goes; the same
// request is found again and shown once.
func TestLostAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.rail.set(func(r *rail) { r.slow = 5 * time.Second })
		s.do(pos.AddItem{SKU: "ESP"})
		a := s.do(pos.Pay{Tender: bolt})
		wait(2 * time.Second)
		s.restart() // while the rail is at work
		wait(6 * time.Second)
		s.want(pos.PhaseDue)
		s.pays(a.Payment, 0)
		s.restart()
		wait(2 * time.Second)
		s.want(pos.PhasePaid)
		if len(s.rail.reqs) != 1 || s.journal.count(pos.KindSaleCompleted) != 1 {
			t.Errorf("%d requests, %d sales", len(s.rail.reqs), s.journal.count(pos.KindSaleCompleted))
		}
	})
}

// TestNodeGoneAtOnce: the request cannot be made. After askFor it is withdrawn,
// and the cashier chooses another tender.
func TestNodeGoneAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.rail.set(func(r *rail) { r.down = true })
		s.do(pos.AddItem{SKU: "ESP"})
		a := s.do(pos.Pay{Tender: bolt})
		wait(30 * time.Second)
		if p := s.payment(a.Payment); p.State != pos.Intended {
			t.Errorf("without any answer the payment is %s, want intended", p.State)
		}
		s.rail.set(func(r *rail) { r.down = false })
		wait(3 * time.Second)
		if p := s.payment(a.Payment); p.State != pos.Cancelled || !p.Final {
			t.Errorf("payment %+v", p)
		}
		if s.rail.asks == 0 {
			t.Error("the rail was never asked")
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
	})
}

// TestRefused: the rail will not make this request, and says why.
func TestRefused(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.rail.set(func(r *rail) { r.refuse = pos.E("ask", pos.Forbidden, "the till's key was revoked") })
		a := s.charge()
		if c := s.want(pos.PhaseRefused); c.Reason != "failed" {
			t.Errorf("reason %q", c.Reason)
		}
		if p := s.payment(a.Payment); p.Why != "the till's key was revoked" {
			t.Errorf("why: %q", p.Why)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
	})
}

// TestGreyTender: what cannot be offered says why, and cash goes on.
func TestGreyTender(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.rates.err.Store(pos.E("price", pos.Unavailable, "no price: Kraken and Coinbase do not answer"))
		wait(2 * time.Second)
		tv := s.view().Counter.Tenders
		if len(tv) != 2 || tv[1].Ready || tv[1].Reason != "no price: Kraken and Coinbase do not answer" || !tv[0].Ready {
			t.Errorf("tenders %+v", tv)
		}
		s.do(pos.AddItem{SKU: "ESP"})
		s.refused(pos.Pay{Tender: bolt}, pos.Unavailable)
		s.rates.err.Store(nil)
		s.rail.set(func(r *rail) { r.grey = "starting: building lnd 2/4" })
		wait(2 * time.Second)
		if tv := s.view().Counter.Tenders; tv[1].Ready || tv[1].Reason != "starting: building lnd 2/4" {
			t.Errorf("tenders %+v", tv)
		}
		s.refused(pos.Pay{Tender: bolt}, pos.Unavailable)
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
	})
}

// TestParallel serves the next customer while one waits. The first one's payment
// is a notice, and does not change what the second one sees.
func TestParallel(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.do(pos.OpenSale{})
		s.want(pos.PhaseDue) // nothing is rung up yet: the first customer keeps the code
		s.do(pos.AddItem{SKU: "BRD"})
		s.want(pos.PhaseBasket)
		s.pays(a.Payment, 0)
		wait(3 * time.Second)
		s.want(pos.PhaseBasket)
		if s.notice() != "paid " {
			t.Errorf("notices %q", s.notice())
		}
		s.do(pos.Dismiss{Notice: s.view().Counter.Notices[0].ID})
		if s.notice() != "" {
			t.Errorf("notices %q", s.notice())
		}
		s.do(pos.Pay{Tender: pos.Cash})
		if c := s.want(pos.PhaseChange); c.Receipt != "01-000002" {
			t.Errorf("receipt %s", c.Receipt)
		}
	})
}

// TestSecondTenderWithdrawsFirst: a sale is completed while a request of it is
// still open (set aside by a manager): the till withdraws it, so that the customer
// cannot pay twice.
func TestSecondTenderWithdrawsFirst(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.rail.set(func(r *rail) { r.down = true })
		s.try(pos.CancelPayment{})
		_, err := s.Do(t.Context(), pos.Command{Key: "boss", By: boss, Do: pos.CancelPayment{Despite: true}})
		must(t, err)
		s.do(pos.Pay{Tender: pos.Cash})
		s.rail.set(func(r *rail) { r.down = false })
		wait(time.Minute)
		if p := s.payment(a.Payment); p.State != pos.Cancelled || !p.Final {
			t.Errorf("the request is %+v", p)
		}
		if q := s.rail.reqs[a.Payment]; q.state != "cancelled" {
			t.Errorf("at the node it is %s", q.state)
		}
	})
}

// TestWatchedForHours keeps the node away for ten hours; the payment that was made
// before is found then.
func TestWatchedForHours(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.pays(a.Payment, 0)
		s.rail.set(func(r *rail) { r.down = true })
		wait(5 * time.Hour)
		s.restart()
		wait(5 * time.Hour)
		s.want(pos.PhaseChecking)
		s.rail.set(func(r *rail) { r.down = false })
		wait(time.Minute)
		s.want(pos.PhasePaid)
	})
}

// TestBackToBasket: the customer did not pay, and wants one more thing. Going back,
// and scanning, both open the same basket again; what was charged is given up on the
// record, and money that still comes for it is the owner's to return.
func TestBackToBasket(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		a := s.charge()
		s.refused(pos.Reopen{}, pos.Conflict) // the customer may be paying
		s.rail.do(a.Payment, func(q *request) { q.state = "lapsed" })
		wait(3 * time.Second)
		b := s.do(pos.AddItem{SKU: "BRD"})
		if c := s.want(pos.PhaseBasket); len(c.Lines) != 2 || c.Total != eur.Of(930) || b.Sale == a.Sale {
			t.Errorf("after one more scan the customer sees %+v", c)
		}
		if n := s.journal.count(pos.KindSaleCancelled); n != 1 {
			t.Errorf("%d charged sales are given up on the record, want 1", n)
		}
		c := s.do(pos.Pay{Tender: bolt})
		settle()
		s.do(pos.CancelPayment{Payment: c.Payment})
		back := s.do(pos.Reopen{})
		if v := s.view(); v.Counter.Current == nil || v.Counter.Current.ID != back.Sale || v.Counter.Current.State != pos.Draft {
			t.Errorf("after going back the counter has %+v", v.Counter.Current)
		}
		s.refused(pos.Reopen{}, pos.Conflict) // a basket already
		s.do(pos.Pay{Tender: pos.Cash, Amount: 100})
		s.refused(pos.Reopen{}, pos.Conflict) // money was received
		s.do(pos.Pay{Tender: pos.Cash})
		if c := s.want(pos.PhaseChange); c.Total != eur.Of(930) || c.Receipt != "01-000001" {
			t.Errorf("the customer sees %+v", c)
		}
		s.pays(a.Payment, 0)
		wait(time.Minute)
		if p := s.payment(a.Payment); !p.Refundable {
			t.Errorf("the first payment came after all: %+v", p)
		}
	})
}
