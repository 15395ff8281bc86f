package desk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// TestOfflineSale is the main job: the request is in the journal before it is shown,
// the code completes the sale, and the backoffice's word settles it later.
func TestOfflineSale(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		f := s.offline(pos.AllowOffline)
		if tv := s.tender(); !tv.Ready || !tv.Offline.Now || tv.Reason == "" || tv.Offline.Most != 4 || tv.Offline.PerSale != eur.Of(1000) {
			t.Errorf("the tender shows %+v", tv)
		}
		a := s.charge()
		c := s.want(pos.PhaseDue)
		if !c.Offline || c.Counter != "#0041" || c.QR != "LNURL1token-41" || c.Quantity != "" || c.Rate != "" {
			t.Errorf("the customer sees %+v", c)
		}
		if p := s.payment(a.Payment); p.State != pos.Requested || p.Payload != c.QR || p.Counter != 41 || !p.Offline {
			t.Errorf("shown %q, but the journal says %+v", c.QR, p)
		}
		s.do(pos.ShowOther{On: true})
		if c := s.want(pos.PhaseDue); c.QR != "https://pay/o/token-41" || !c.Other {
			t.Errorf("for a camera: %+v", c)
		}
		if got := s.do(pos.EnterCode{Code: codeOf(41)}); got.Wrong != 0 || got.Payment != a.Payment {
			t.Errorf("the right code answers %+v", got)
		}
		if c := s.want(pos.PhasePaid); c.Receipt != "01-000001" {
			t.Errorf("the customer sees %+v", c)
		}
		if tv := s.tender(); tv.Offline.Sales != 1 || tv.Offline.Amount != eur.Of(290) {
			t.Errorf("not proven yet: %+v", tv.Offline)
		}
		r, err := s.Receipt(a.Sale)
		if err != nil || len(r.Paid) != 1 || !r.Paid[0].Offline || r.Paid[0].Reference != "#0041" {
			t.Errorf("receipt %+v, %v", r.Paid, err)
		}
		s.restart()
		wait(time.Hour)
		if p := s.payment(a.Payment); p.State != pos.Accepted {
			t.Errorf("without a line it became %s", p.State)
		}
		f.set(func(f *phones) { f.down, f.state[41] = false, "paid" })
		wait(time.Minute)
		p := s.payment(a.Payment)
		if p.State != pos.Settled || p.Refundable || p.Late || p.Received.String() != "5800 sat" || p.Rate == nil || !p.Over.IsZero() {
			t.Errorf("the backoffice's word made of it %+v", p)
		}
		if got := s.notice(); got != "" {
			t.Errorf("notices %q of a sale that went well", got)
		}
		if tv := s.tender(); tv.Offline.Sales != 0 {
			t.Errorf("still not proven: %+v", tv.Offline)
		}
		if f.voided[41] {
			t.Error("a payment that was taken was voided")
		}
		if got, _ := s.report(); got.Offline.Taken.Count != 1 || got.Offline.Proven.Amount != eur.Of(290) || got.Unbalanced != 0 || got.Tender(bolt).Amount != eur.Of(290) {
			t.Errorf("the report says %+v", got.Offline)
		}
	})
}

// TestOfflineLimits refuses what would pass them, and says which.
func TestOfflineLimits(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		f := s.offline(pos.AllowOffline)
		sell := func(minor int64) error {
			s.do(pos.AddAmount{Minor: minor, Qty: 1000})
			if _, err := s.try(pos.Pay{Tender: bolt}); err != nil {
				s.do(pos.ClearSale{})
				return err
			}
			c := s.want(pos.PhaseDue)
			var counter uint32
			fmt.Sscanf(c.Counter, "#%d", &counter)
			s.do(pos.EnterCode{Code: codeOf(counter)})
			s.want(pos.PhasePaid)
			return nil
		}
		if err := sell(1001); pos.KindOf(err) != pos.Conflict || !strings.Contains(err.Error(), "10.00") {
			t.Errorf("above the limit of a sale: %v", err)
		}
		for _, minor := range []int64{1000, 400} {
			if err := sell(minor); err != nil {
				t.Fatal(err)
			}
		}
		if err := sell(101); pos.KindOf(err) != pos.Conflict {
			t.Errorf("above the limit of all: %v", err)
		}
		if err := sell(50); err != nil {
			t.Fatal(err)
		}
		if err := sell(10); err != nil {
			t.Fatal(err)
		}
		if err := sell(10); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("the fifth sale: %v", err)
		}
		f.set(func(f *phones) { f.down, f.state[41], f.state[42] = false, "paid", "paid" })
		wait(2 * time.Minute)
		f.set(func(f *phones) { f.down = true })
		if err := sell(10); err != nil {
			t.Errorf("after two were proven: %v", err)
		}
		wait(time.Hour)
		if err := sell(10); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("when the oldest has waited for an hour: %v", err)
		}
		if tv := s.tender(); tv.Ready || tv.Offline.Sales != 3 {
			t.Errorf("the tender shows %+v", tv)
		}
		if got := s.do(pos.AddItem{SKU: "ESP"}); got.Sale == "" {
			t.Error("no sale")
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
	})
}

// TestOfflineLimitsAtOnce: requests that are out count, too, for each may be paid.
// One that is given up counts no more.
func TestOfflineLimitsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.offline(pos.AllowOffline) // 15.00, and 4 sales
		ask := func(minor int64) (pos.Answer, error) {
			s.do(pos.OpenSale{})
			s.do(pos.AddAmount{Minor: minor, Qty: 1000})
			return s.try(pos.Pay{Tender: bolt})
		}
		first, err := ask(1000)
		must(t, err)
		if _, err := ask(501); pos.KindOf(err) != pos.Conflict || !strings.Contains(err.Error(), "10.00") {
			t.Errorf("15.01 in two sales at once: %v", err)
		}
		for range 3 {
			_, err := ask(100)
			must(t, err)
		}
		if _, err := ask(100); pos.KindOf(err) != pos.Conflict {
			t.Errorf("a fifth at once: %v", err)
		}
		if _, err := s.try(pos.CancelPayment{Sale: first.Sale}); err == nil {
			t.Fatal("cancelled without a line")
		}
		if _, err := s.by(boss, pos.CancelPayment{Sale: first.Sale, Despite: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(900); err != nil {
			t.Errorf("after one was set aside: %v", err)
		}
	})
}

// TestOfflineRules: online only greys the button, prefer online wants a manager,
// and what was decided is on record.
func TestOfflineRules(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.offline(pos.OnlineOnly)
		if tv := s.tender(); tv.Ready || tv.Offline != (pos.OfflineView{}) {
			t.Errorf("online only shows %+v", tv)
		}
		s.do(pos.AddItem{SKU: "ESP"})
		s.refused(pos.Pay{Tender: bolt}, pos.Unavailable)
		s.offline(pos.PreferOnline)
		if tv := s.tender(); !tv.Ready || !tv.Offline.Manager {
			t.Errorf("prefer online shows %+v", tv)
		}
		s.refused(pos.Pay{Tender: bolt}, pos.Forbidden)
		if _, err := s.by(boss, pos.Pay{Tender: bolt}); err != nil {
			t.Fatal(err)
		}
		s.want(pos.PhaseDue)
		if n := s.journal.count(pos.KindTenderPolicy); n != 2 {
			t.Errorf("%d policies on record", n)
		}
		if n := s.journal.count(pos.KindOfflineTerms); n != 1 {
			t.Errorf("%d terms on record", n)
		}
		if s.ledger.Books().Policies[bolt].Rule != pos.PreferOnline {
			t.Errorf("the books say %+v", s.ledger.Books().Policies)
		}
		s.restart()
		if n := s.journal.count(pos.KindTenderPolicy); n != 2 {
			t.Errorf("the same policy is recorded again: %d", n)
		}
	})
}

// TestOfflineCancel: without a line nobody can stop the customer from paying. The
// same request is shown again; a manager takes another tender; money that comes all
// the same is found.
func TestOfflineCancel(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		f := s.offline(pos.AllowOffline)
		a := s.charge()
		if _, err := s.try(pos.CancelPayment{}); pos.KindOf(err) != pos.Unavailable {
			t.Fatalf("cancelled without a line: %v", err)
		}
		s.want(pos.PhaseChecking)
		s.refused(pos.Pay{Tender: pos.Cash}, pos.Conflict)
		again := s.do(pos.Pay{Tender: bolt})
		if c := s.want(pos.PhaseDue); again.Payment != a.Payment || c.QR != "LNURL1token-41" {
			t.Errorf("shown again: %+v, %+v", again, c)
		}
		if sv := s.view().Counter.Current; sv.Doubtful {
			t.Error("doubtful although it is shown")
		}
		if _, err := s.try(pos.CancelPayment{}); pos.KindOf(err) != pos.Unavailable {
			t.Fatalf("cancelled again: %v", err)
		}
		s.want(pos.PhaseChecking)
		if _, err := s.by(boss, pos.CancelPayment{Despite: true}); err != nil {
			t.Fatal(err)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
		f.set(func(f *phones) { f.down = false })
		wait(time.Minute)
		if p := s.payment(a.Payment); p.State != pos.Cancelled || !f.voided[41] {
			t.Errorf("with the line back it is %s, voided %v", p.State, f.voided[41])
		}

		f.set(func(f *phones) { f.down = true })
		b := s.charge()
		if _, err := s.try(pos.CancelPayment{}); err == nil {
			t.Fatal("cancelled without a line")
		}
		if _, err := s.by(boss, pos.CancelPayment{Despite: true}); err != nil {
			t.Fatal(err)
		}
		s.do(pos.Pay{Tender: pos.Cash})
		f.set(func(f *phones) { f.down, f.state[42] = false, "paid" })
		wait(time.Minute)
		if p := s.payment(b.Payment); p.State != pos.Settled || !p.Refundable || !strings.Contains(s.notice(), pos.NoticeDouble) {
			t.Errorf("paid twice: %+v, notices %q", p, s.notice())
		}
		if _, err := s.by(boss, s.decision(b.Payment, pos.GivenBack, "cash")); err != nil {
			t.Fatal(err)
		}
		last, _ := s.journal.Last()
		r, _ := s.journal.Read(last)
		var d pos.RefundDecided
		if err := r.Decode(&d); err != nil || d.Reference != "token-42" || d.Counter != 42 || d.Amount != eur.Of(290) {
			t.Errorf("the backoffice is told %+v, %v", d, err) // or the owner gives it back once more
		}
	})
}

// TestOfflineAgain: after its end a request is set aside and a new one made; the
// code of either completes the sale, and the other is voided.
func TestOfflineAgain(t *testing.T) {
	for _, first := range []bool{true, false} {
		t.Run(fmt.Sprintf("first %v", first), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *shop) {
				f := s.offline(pos.AllowOffline)
				a := s.charge()
				s.refused(pos.Pay{Tender: bolt}, pos.Conflict)
				wait(offlineLife)
				s.want(pos.PhaseChecking)
				b := s.do(pos.Pay{Tender: bolt})
				if c := s.want(pos.PhaseDue); b.Payment == a.Payment || c.Counter != "#0042" {
					t.Errorf("a new request: %+v, %+v", b, c)
				}
				counter, other := uint32(42), uint32(41)
				if first {
					counter, other = other, counter
				}
				got := s.do(pos.EnterCode{Code: codeOf(counter)})
				if (got.Payment == a.Payment) != first {
					t.Errorf("code %d proved %s", counter, got.Payment)
				}
				s.want(pos.PhasePaid)
				f.set(func(f *phones) { f.down, f.state[counter] = false, "paid" })
				wait(2 * time.Minute)
				if !f.voided[other] || f.voided[counter] {
					t.Errorf("voided %v", f.voided)
				}
				if p := s.payment(got.Payment); p.State != pos.Settled || p.Refundable {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

// TestOnlineAgain: the line comes back before the code is typed, and the till finds
// the money by itself.
func TestOnlineAgain(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		f := s.offline(pos.AllowOffline)
		a := s.charge()
		f.set(func(f *phones) { f.down, f.state[41] = false, "paid" })
		wait(10 * time.Second)
		s.want(pos.PhasePaid)
		if p := s.payment(a.Payment); p.State != pos.Settled || p.Taken || p.Received.String() != "5800 sat" {
			t.Errorf("%+v", p)
		}
		if got, _ := s.report(); got.Offline.Taken.Count != 0 || got.Unbalanced != 0 {
			t.Errorf("the report says %+v", got.Offline)
		}
	})
}

// TestOfflineNeedsTerms: without a grant, or with the owner's no, the button is grey
// and says so.
func TestOfflineNeedsTerms(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		f := s.offline(pos.AllowOffline)
		for _, terms := range []pos.OfflineTerms{{}, {Device: "d1"}, {Device: "d1", Why: "the owner said no"}} {
			f.set(func(f *phones) { f.terms = terms })
			if wait(2 * time.Second); true {
				if tv := s.tender(); tv.Ready || tv.Offline.Why == "" || (terms.Why != "" && tv.Offline.Why != terms.Why) {
					t.Errorf("%+v shows %+v", terms, tv)
				}
			}
			s.do(pos.AddItem{SKU: "ESP"})
			s.refused(pos.Pay{Tender: bolt}, pos.Unavailable)
		}
	})
}

// TestNearlyFull leaves room for cash alone, and says why.
func TestNearlyFull(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.full.Store(true)
		wait(2 * time.Second)
		if tv := s.tender(); tv.Ready || tv.Reason != "the card is full" {
			t.Errorf("the tender shows %+v", tv)
		}
		s.do(pos.AddItem{SKU: "ESP"})
		s.refused(pos.Pay{Tender: bolt}, pos.Unavailable)
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
		s.full.Store(false)
		wait(2 * time.Second)
		s.charge()
		s.want(pos.PhaseDue)
	})
}

// TestClockJump sets the wall clock under a customer's eyes: the countdown goes on.
func TestClockJump(t *testing.T) {
	for _, jump := range []time.Duration{-50 * 365 * 24 * time.Hour, -time.Hour, time.Hour, 56 * 365 * 24 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *shop) {
				s.charge()
				s.want(pos.PhaseDue)
				wait(time.Minute)
				s.skew.Store(int64(jump))
				wait(2 * time.Second)
				c := s.want(pos.PhaseDue)
				if left := c.Expires.Sub(s.wall()); left < railExpiry-65*time.Second || left > railExpiry-60*time.Second {
					t.Errorf("%v are left of %v after 62 s", left, railExpiry)
				}
				p := s.view().Counter.Current.Payments[0]
				if !p.Expires.Equal(c.Expires) {
					t.Errorf("cashier and customer see different ends: %v, %v", p.Expires, c.Expires)
				}
				wait(railExpiry)
				if c := s.want(pos.PhaseRefused); c.Reason != "expired" {
					t.Errorf("reason %q", c.Reason)
				}
			})
		})
	}
}

// TestNoOtherOffice: while an offline payment waits for one backoffice, the till does
// not go to another: nobody else knows that money.
func TestNoOtherOffice(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		f := s.offline(pos.AllowOffline)
		enrol := func(url string) error {
			return s.Enrolled(pos.Enrolled{URL: url, Key: make([]byte, 32), Shop: "shop"}, boss)
		}
		must(t, enrol("https://one"))
		s.charge()
		if err := s.MayEnrol("https://two"); pos.KindOf(err) != pos.Conflict {
			t.Errorf("to another backoffice: %v", err)
		}
		if err := enrol("https://two"); pos.KindOf(err) != pos.Conflict {
			t.Errorf("to another backoffice: %v", err)
		}
		must(t, enrol("https://one"))
		f.set(func(f *phones) { f.down, f.state[41] = false, "unpaid" })
		wait(time.Minute)
		must(t, enrol("https://two"))
	})
}

// TestPartOffline: a part is proven by a code; the rest is paid otherwise, and the
// sale can no longer be given up.
func TestPartOffline(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.offline(pos.AllowOffline)
		s.do(pos.AddItem{SKU: "ESP"})
		s.do(pos.Pay{Tender: bolt, Amount: 100})
		s.do(pos.EnterCode{Code: codeOf(41)})
		if v := s.view(); v.Counter.Current.State != pos.PartPaid || v.Counter.Current.Due != eur.Of(190) || v.Customer.Phase != pos.PhaseBasket {
			t.Errorf("after the part: %+v, %+v", v.Counter.Current, v.Customer)
		}
		s.refused(pos.ClearSale{}, pos.Conflict)
		s.refused(pos.Reopen{}, pos.Conflict)
		s.refused(pos.CancelPayment{}, pos.Conflict)
		s.do(pos.Pay{Tender: pos.Cash})
		s.want(pos.PhaseChange)
		if r, _ := s.report(); r.Unbalanced != 0 || r.Tender(bolt).Amount != eur.Of(100) || r.Tender(pos.Cash).Amount != eur.Of(190) {
			t.Errorf("the report says %+v", r.Tenders)
		}
	})
}

// TestAgainIsNotVoided: the request is shown again when the line comes back. The
// customer may be paying it just now.
func TestAgainIsNotVoided(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		f := s.offline(pos.AllowOffline)
		a := s.charge()
		if _, err := s.try(pos.CancelPayment{}); err == nil {
			t.Fatal("cancelled without a line")
		}
		s.do(pos.Pay{Tender: bolt})
		f.set(func(f *phones) { f.down = false })
		wait(time.Minute)
		if s.want(pos.PhaseDue); f.voided[41] {
			t.Error("voided while it is shown")
		}
		f.set(func(f *phones) { f.state[41] = "paid" })
		wait(time.Minute)
		if p := s.payment(a.Payment); s.want(pos.PhasePaid).Phase != pos.PhasePaid || p.State != pos.Settled {
			t.Errorf("payment %+v", p)
		}
	})
}
