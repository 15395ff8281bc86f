package keypad_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// phones is selling without a line, made of code: the right code is 471100.
type phones struct{}

func (phones) Terms() pos.OfflineTerms {
	return pos.OfflineTerms{
		Tender: "lightning", Device: "d", Epoch: 1, Host: "pay.example", Enabled: true,
		Limits: pos.OfflineLimits{PerSale: 100_000, Total: 100_000, Sales: 10, Age: time.Hour},
	}
}

func (phones) Ask(p pos.Payment, _ bool) (pos.Asked, error) {
	return pos.Asked{Reference: "r", Payload: "LNURL1" + strings.ToUpper(string(p.ID)), Other: "https://pay.example/o", Network: "Lightning", Expires: time.Now().Add(20 * time.Minute)}, nil
}

func (phones) Proves(_ pos.Payment, typed string) pos.Proof {
	switch {
	case typed == "471100":
		return pos.ProofRight
	case len(typed) == 6:
		return pos.ProofWrong
	}
	return pos.ProofForm
}

func (phones) Check(context.Context, pos.Payment) (pos.Finding, error) {
	return pos.Finding{}, errDown
}
func (phones) Cancel(context.Context, pos.Payment) (pos.Finding, error) {
	return pos.Finding{}, errDown
}

// cutOff is a shop whose till has no line, and may sell.
func cutOff(s *shop) {
	s.pins.names, s.skip = []pos.Actor{anna, bea}, true
	s.rail.grey = "The node does not answer."
	t := &s.tenders[0]
	t.Offline, t.Rule, t.Limits = phones{}, pos.AllowOffline, phones{}.Terms().Limits
}

// TestCode types a customer's code: too short, wrong, right.
func TestCode(t *testing.T) {
	bubbleOf(t, cutOff, func(t *testing.T, s *shop) {
		s.press("1 4 7 1 1 enter 1 2 5 0 enter")
		if p := s.want(pos.PromptPay); p.Keys[2].Text != "Lightning (offline)" {
			t.Errorf("to pay: %+v", p)
		}
		s.press("+")
		if p := s.want(pos.PromptWait); !p.Yields || !strings.Contains(p.Hint, "#0001") || p.Keys[2].Text != "another code" {
			t.Errorf("waiting: %+v", p)
		}
		s.press("*") // the camera's
		if c := s.desk.View().Customer; !c.Other {
			t.Errorf("the customer sees %+v", c)
		}
		s.press("4 7 enter")
		if p := s.want(pos.PromptWait); p.Trouble != "2 of 6 digits" || p.Typed.Text != "47" || p.Yields {
			t.Errorf("too short: %+v", p)
		}
		s.press("1 1 0 1 enter")
		if p := s.want(pos.PromptWait); p.Trouble != "Wrong code. 2 tries left." || p.Typed.Text != "" {
			t.Errorf("wrong: %+v", p)
		}
		s.press("1 2 3 -") // a slip
		s.press("4 7 1 1 0 0 9")
		if p := s.want(pos.PromptWait); p.Typed.Text != "471100" || p.Trouble == "" {
			t.Errorf("a seventh digit: %+v", p)
		}
		s.press("enter")
		if p := s.want(pos.PromptDone); p.Title != "PAID" || len(s.done()) != 1 {
			t.Errorf("right: %+v", p)
		}
	})
}

// TestCodeLocked: after three wrong codes a manager signs in for the next try, and the
// cashier goes on.
func TestCodeLocked(t *testing.T) {
	bubbleOf(t, cutOff, func(t *testing.T, s *shop) {
		s.press("1 4 7 1 1 enter 1 2 5 0 enter +")
		for range 3 {
			s.press("1 1 1 1 1 1 enter")
		}
		s.press("4 7 1 1 0 0 enter")
		if p := s.want(pos.PromptChoose); len(p.Choices) != 1 || p.Hint == "" {
			t.Errorf("who agrees: %+v", p)
		}
		s.press("1 4 7 1 1 enter")
		if p := s.want(pos.PromptDone); p.Who != "Anna" {
			t.Errorf("afterwards: %+v", p)
		}
		if tries := bodies[pos.CodeTried](t, s.journal, pos.KindCodeTried); len(tries) != 4 || tries[3].By != bea || !tries[3].Right {
			t.Errorf("the records: %+v", tries)
		}
	})
}

// TestWithdrawOffline: nobody can stop the customer from paying; the panel says that it
// is not known, shows the same code again, and serves the next customer.
func TestWithdrawOffline(t *testing.T) {
	bubbleOf(t, cutOff, func(t *testing.T, s *shop) {
		s.press("1 4 7 1 1 enter 1 2 5 0 enter +")
		code := s.desk.View().Customer.QR
		s.press("-")
		if p := s.want(pos.PromptDoubt); p.Keys[0].Text != "Show it again" {
			t.Errorf("withdrawn: %+v", p)
		}
		s.press("enter")
		s.want(pos.PromptWait)
		if got := s.desk.View().Customer.QR; got != code {
			t.Errorf("shown again: %q, before %q", got, code)
		}
		s.press("- -")
		s.want(pos.PromptSell)
		s.press("/ 4 1 4 7 1 1 0 0 enter") // the first customer comes back with the code
		s.want(pos.PromptDone)
	})
}

// TestPartPaid: a part came already, typed at a phone. What is left is asked for, the
// sale cannot be given up, and the next customer does not wait for it.
func TestPartPaid(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.press("1 2 5 0 enter")
		if _, err := s.desk.Do(t.Context(), pos.Command{Key: "phone", By: bea, Do: pos.Pay{Tender: pos.Cash, Amount: 500}}); err != nil {
			t.Fatal(err)
		}
		if p := s.want(pos.PromptPay); p.Sum.Label != "Still due" || p.Sum.Amount != eur.Of(750) {
			t.Errorf("the rest: %+v", p)
		}
		s.press("-")
		if p := s.want(pos.PromptPay); !strings.Contains(p.Trouble, "Put the sale aside") {
			t.Errorf("asked first: %+v", p)
		}
		s.press("-")
		s.want(pos.PromptSell)
		s.press("/ 4 1 enter")
		if p := s.want(pos.PromptDone); p.Sum.Amount != eur.Of(1250) {
			t.Errorf("paid in full: %+v", p)
		}
	})
}
