package desk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

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
