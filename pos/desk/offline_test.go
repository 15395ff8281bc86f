package desk_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// phones are the customers' phones and the backoffice behind them: what OFFPAY-1
// does, without its cryptography. They know nothing of the desk.
type phones struct {
	mu       sync.Mutex
	terms    pos.OfflineTerms
	down     bool              // the till cannot reach the backoffice
	state    map[uint32]string // paid, unpaid, conflict; empty: open
	voided   map[uint32]bool
	requests map[uint32]pos.PaymentID
	asked    map[uint32]pos.Amount
	slow     time.Duration // how long a cancellation takes, and how late it is heard of
}

func (f *phones) set(do func(f *phones)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do(f)
}

func (f *phones) Terms() pos.OfflineTerms {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.terms
}

const offlineLife = 20 * time.Minute

func (f *phones) Ask(p pos.Payment, _ bool) (pos.Asked, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.requests[p.Counter] != "" {
		return pos.Asked{}, pos.E("ask", pos.Internal, "number %d is used twice", p.Counter)
	}
	f.requests[p.Counter], f.asked[p.Counter] = p.ID, p.Amount
	token := fmt.Sprintf("token-%d", p.Counter)
	return pos.Asked{Reference: token, Payload: "LNURL1" + token, Other: "https://pay/o/" + token, Network: "Lightning", Expires: p.At.Add(offlineLife)}, nil
}

// codeOf is what the payer's page shows.
func codeOf(counter uint32) string { return fmt.Sprintf("%06d", 100_000+counter) }

func (f *phones) Proves(p pos.Payment, typed string) pos.Proof {
	switch {
	case strings.HasPrefix(typed, "OP1:") && !strings.HasPrefix(typed, fmt.Sprintf("OP1:%d:", p.Counter)):
		return pos.ProofOther
	case strings.HasSuffix(typed, codeOf(p.Counter)):
		return pos.ProofRight
	case len(typed) != 6:
		return pos.ProofForm
	}
	return pos.ProofWrong
}

func (f *phones) Check(_ context.Context, p pos.Payment) (pos.Finding, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return pos.Finding{}, errDown
	}
	rate, _ := pos.RateOf(eur, pos.Bitcoin, "50000", "backoffice", time.Now())
	switch state := f.state[p.Counter]; {
	case state == "paid":
		q, _ := rate.Charge(f.asked[p.Counter])
		return pos.Finding{Event: pos.Settle, Received: q, Asked: q, Rate: &rate, Final: true}, nil
	case state == "unpaid" && p.Taken:
		return pos.Finding{Event: pos.Fail, Why: "no money", Final: true}, nil
	case state == "unpaid":
		return pos.Finding{Event: pos.Expire, Final: true}, nil
	}
	return pos.Finding{}, nil
}

func (f *phones) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	time.Sleep(f.slow)
	found, err := f.Check(ctx, p)
	if err != nil || found.Event == pos.Settle {
		return found, err
	}
	f.set(func(f *phones) { f.voided[p.Counter] = true })
	return pos.Finding{Event: pos.Cancel, Final: true}, nil
}

// offline cuts the till off: its node and its backoffice.
func (s *shop) offline(rule pos.OfflineRule) *phones {
	f := &phones{down: true, state: map[uint32]string{}, voided: map[uint32]bool{}, requests: map[uint32]pos.PaymentID{}, asked: map[uint32]pos.Amount{}}
	f.terms = pos.OfflineTerms{Tender: bolt, Device: "d1", Enabled: true, Host: "pay", Highest: 40,
		Limits: pos.OfflineLimits{PerSale: 1000, Total: 1500, Sales: 4, Age: time.Hour}}
	s.rail.set(func(r *rail) { r.down, r.grey = true, "the node does not answer" })
	s.tenders[0].Offline, s.tenders[0].Rule = f, rule
	s.tenders[0].Limits = pos.OfflineLimits{PerSale: 100_000, Total: 100_000, Sales: 50, Age: 24 * time.Hour}
	s.restart()
	wait(2 * time.Second)
	return f
}

// by carries a command out as somebody else.
func (s *shop) by(who pos.Actor, a pos.Action) (pos.Answer, error) {
	s.keys++
	return s.Do(context.Background(), pos.Command{Key: fmt.Sprintf("key-%d", s.keys), By: who, Do: a})
}

func (s *shop) tender() pos.TenderView {
	s.t.Helper()
	return s.view().Counter.Tenders[1]
}

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

// report folds the whole journal.
func (s *shop) report() (pos.Report, error) {
	r := pos.NewReport("t", eur)
	for rec := range s.journal.Since(0) {
		if err := r.Add(rec); err != nil {
			s.t.Error(err)
			return r, err
		}
	}
	return r, nil
}

// TestWrongCodes locks a sale after three guesses and the till after ten, and each
// is a record once, however often a line swallows the answer.
func TestWrongCodes(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		f := s.offline(pos.AllowOffline)
		f.set(func(f *phones) { f.terms.Limits.Age = 24 * time.Hour })
		s.charge()
		for n := 1; n <= pos.MaxWrongCodes; n++ {
			if got := s.do(pos.EnterCode{Code: "000000"}); got.Wrong != n {
				t.Errorf("wrong code %d answers %+v", n, got)
			}
			s.keys-- // the same command again
			if got := s.do(pos.EnterCode{Code: "000000"}); got.Wrong != n {
				t.Errorf("the same command again answers %+v", got)
			}
		}
		if n := s.journal.count(pos.KindCodeTried); n != pos.MaxWrongCodes {
			t.Errorf("%d tries are on record", n)
		}
		if sv := s.view().Counter.Current; !sv.Locked || !sv.Offline {
			t.Errorf("the sale is not locked: %+v", sv)
		}
		s.refused(pos.EnterCode{Code: codeOf(41)}, pos.Forbidden)
		s.refused(pos.EnterCode{Code: "000000"}, pos.Forbidden)
		s.restart()
		s.refused(pos.EnterCode{Code: codeOf(41)}, pos.Forbidden)
		if _, err := s.by(boss, pos.EnterCode{Code: codeOf(41)}); err != nil {
			t.Fatal(err)
		}
		s.want(pos.PhasePaid)

		s.charge()
		for range pos.MaxWrongCodesHour - pos.MaxWrongCodes {
			if _, err := s.by(boss, pos.EnterCode{Code: "000000"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.by(boss, pos.EnterCode{Code: codeOf(42)}); pos.KindOf(err) != pos.Exhausted {
			t.Errorf("the eleventh: %v", err)
		}
		s.restart()
		if tv := s.tender(); tv.Ready || tv.Offline.Why == "" {
			t.Errorf("after ten wrong codes the tender shows %+v", tv)
		}
		wait(time.Hour + time.Second)
		if tv := s.tender(); !tv.Ready {
			t.Errorf("an hour later: %+v", tv)
		}
		if _, err := s.by(boss, pos.EnterCode{Code: codeOf(42)}); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

// TestOtherCodes are slips, not guesses.
func TestOtherCodes(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.refused(pos.EnterCode{Code: "123456"}, pos.NotFound)
		s.offline(pos.AllowOffline)
		s.do(pos.AddItem{SKU: "ESP"})
		s.refused(pos.EnterCode{Code: "123456"}, pos.Conflict)
		s.do(pos.Pay{Tender: bolt})
		s.refused(pos.EnterCode{Code: "12345"}, pos.Invalid)
		s.refused(pos.EnterCode{Code: strings.Repeat("1", 41)}, pos.Invalid)
		if got := s.do(pos.EnterCode{Code: "OP1:77:" + codeOf(77)}); !got.Other || got.Wrong != 0 {
			t.Errorf("another sale's code answers %+v", got)
		}
		if sv := s.view().Counter.Current; sv.WrongCodes != 0 {
			t.Errorf("it was counted: %+v", sv)
		}
		s.do(pos.EnterCode{Code: "OP1:41:" + codeOf(41)})
		s.want(pos.PhasePaid)
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
		if _, err := s.by(boss, pos.Decide{Payment: b.Payment, As: pos.GivenBack, Note: "cash"}); err != nil {
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

// TestCodeForTheRest: a part was paid otherwise before the code came. It covers the
// rest and no more; what the customer paid beyond that is named at once, and booked
// when it is confirmed.
func TestCodeForTheRest(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		f := s.offline(pos.AllowOffline)
		a := s.charge()
		if _, err := s.try(pos.CancelPayment{}); err == nil {
			t.Fatal("cancelled without a line")
		}
		if _, err := s.by(boss, pos.CancelPayment{Despite: true}); err != nil {
			t.Fatal(err)
		}
		s.do(pos.Pay{Tender: pos.Cash, Amount: 100, Given: 100})
		s.do(pos.EnterCode{Code: codeOf(41)})
		s.want(pos.PhaseChange)
		if p := s.payment(a.Payment); p.Amount != eur.Of(190) || !p.Taken {
			t.Errorf("payment %+v", p)
		}
		if n := s.view().Counter.Notices; len(n) != 1 || n[0].Kind != pos.NoticeOver || !strings.Contains(n[0].Text, "1.00 EUR") {
			t.Errorf("notices %+v", n)
		}
		f.set(func(f *phones) { f.down, f.state[41] = false, "paid" })
		wait(time.Minute)
		if p := s.payment(a.Payment); p.State != pos.Settled || p.Amount != eur.Of(190) || p.Received.String() != "5800 sat" || p.Over.String() != "2000 sat" {
			t.Errorf("confirmed %+v", p)
		}
		if n := len(s.view().Counter.Notices); n != 1 {
			t.Errorf("%d notices of one debt", n)
		}
		r, _ := s.report()
		if r.Unbalanced != 0 || r.Tender(bolt).Amount != eur.Of(190) || r.Over.Count != 1 || r.Offline.Taken != r.Offline.Proven {
			t.Errorf("the report says %+v, %+v, %+v", r.Tenders, r.Over, r.Offline)
		}
	})
}

// TestCodeWhileCancelled: the code is typed while the cashier waits for the word on a
// cancellation. Silence, or an answer to the old question, leave it proven.
func TestCodeWhileCancelled(t *testing.T) {
	for _, down := range []bool{true, false} {
		for _, whole := range []bool{true, false} {
			t.Run(fmt.Sprintf("down %v, whole %v", down, whole), func(t *testing.T) {
				bubble(t, func(t *testing.T, s *shop) {
					f := s.offline(pos.AllowOffline)
					f.set(func(f *phones) { f.slow = 5 * time.Second })
					s.do(pos.AddItem{SKU: "ESP"})
					a := s.do(pos.Pay{Tender: bolt, Amount: map[bool]int64{false: 100}[whole]})
					done := make(chan error)
					go func() {
						_, err := s.by(boss, pos.CancelPayment{})
						done <- err
					}()
					wait(time.Second)
					s.do(pos.EnterCode{Code: codeOf(41)})
					f.set(func(f *phones) { f.down = down })
					if err := <-done; down && pos.KindOf(err) != pos.Conflict {
						t.Errorf("cancelling a proven payment: %v", err)
					}
					if p := s.payment(a.Payment); p.State != pos.Accepted {
						t.Errorf("a proven payment is %s", p.State)
					}
					f.set(func(f *phones) { f.down, f.state[41] = false, "paid" })
					wait(time.Minute)
					p := s.payment(a.Payment)
					if p.State != pos.Settled || p.Refundable || p.Late || len(s.view().Counter.Refunds) != 0 {
						t.Errorf("confirmed %+v", p)
					}
					if r, _ := s.report(); r.RefundDue.Count != 0 || r.Offline.Taken != r.Offline.Proven || (r.Sales == 1) != whole {
						t.Errorf("the report says %+v, %+v", r.Offline, r.RefundDue)
					}
				})
			})
		}
	}
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

// TestRefuted is a stolen key: the code was right, and there is no money. Selling
// offline ends, also after a restart, until another key is granted.
func TestRefuted(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		f := s.offline(pos.AllowOffline)
		a := s.charge()
		s.do(pos.EnterCode{Code: codeOf(41)})
		f.set(func(f *phones) { f.down, f.state[41] = false, "unpaid" })
		wait(2 * time.Minute)
		if p := s.payment(a.Payment); p.State != pos.Failed || p.Why != "no money" || !p.Taken {
			t.Errorf("%+v", p)
		}
		if !strings.Contains(s.notice(), pos.NoticeTrouble) {
			t.Errorf("notices %q", s.notice())
		}
		for range 2 {
			if tv := s.tender(); tv.Ready || tv.Offline.Why == "" {
				t.Errorf("still offered: %+v", tv)
			}
			s.restart()
			wait(5 * time.Second)
		}
		if n := s.journal.count(pos.KindOfflineTerms); n != 2 {
			t.Errorf("%d terms on record", n)
		}
		f.set(func(f *phones) { f.terms.Device = "d2" })
		wait(5 * time.Second)
		if tv := s.tender(); !tv.Ready {
			t.Errorf("another key was granted: %+v", tv)
		}
		if got, _ := s.report(); got.Offline.Refuted.Amount != eur.Of(290) || got.Offline.Taken.Count != 1 || got.Offline.Proven.Count != 0 {
			t.Errorf("the report says %+v", got.Offline)
		}
	})
}

// TestCounters never repeat: not after a restart, a lost ledger, or when the
// backoffice knows of higher ones.
func TestCounters(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		f := s.offline(pos.AllowOffline)
		f.set(func(f *phones) { f.terms.Limits.Sales = 10 })
		empty := s.copyLedger()
		want := func(ref string) {
			t.Helper()
			s.charge()
			if c := s.want(pos.PhaseDue); c.Counter != ref {
				t.Errorf("counter %s, want %s", c.Counter, ref)
			}
			s.do(pos.OpenSale{})
		}
		want("#0041")
		s.restart()
		want("#0042")
		s.cut(empty)
		want("#0043")
		f.set(func(f *phones) { f.terms.Highest = 100 })
		want("#0101")
		f.set(func(f *phones) { f.terms.Highest = 4294967295 })
		s.do(pos.AddItem{SKU: "ESP"})
		s.refused(pos.Pay{Tender: bolt}, pos.Exhausted)
	})
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

// TestOthersDoNotLock: codes scanned off other sales' pages are no guesses.
func TestOthersDoNotLock(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.offline(pos.AllowOffline)
		s.charge()
		for range 2 * pos.MaxWrongCodesHour {
			s.do(pos.EnterCode{Code: "OP1:77:" + codeOf(77)})
		}
		s.do(pos.EnterCode{Code: codeOf(41)})
		s.want(pos.PhasePaid)
	})
}
