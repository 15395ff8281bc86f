package keypad_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/keypad"
)

// TestCashSale is the sale of the brief: 3 × 2.50 + 4.20, twenty given.
func TestCashSale(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		if p := s.want(pos.PromptSell); p.Who != "Anna" || p.Hint == "" || p.Yields {
			t.Errorf("after signing in: %+v", p)
		}
		s.press("3 * 2 5 0")
		if p := s.prompt(); p.Typed != (pos.Typed{Qty: 3000, Amount: eur.Of(250), Sum: eur.Of(750)}) {
			t.Errorf("typed %+v", p.Typed)
		}
		s.press("+ 4 2 0")
		if p := s.prompt(); len(p.Rows) != 1 || p.Rows[0].Amount != eur.Of(750) || p.Sum.Amount != eur.Of(750) || p.Typed.Amount != eur.Of(420) {
			t.Errorf("after the first item: %+v", p)
		}
		s.press("enter")
		if p := s.want(pos.PromptPay); p.Sum.Amount != eur.Of(1170) || p.Keys[0].Text != "Exact cash" || p.Keys[2] != (pos.PromptKey{Key: "+", Text: "Lightning"}) {
			t.Errorf("to pay: %+v", p)
		}
		s.press("2 0 0 0")
		if p := s.prompt(); p.Typed.Amount != eur.Of(2000) || p.Back.Amount != eur.Of(830) {
			t.Errorf("given: %+v", p)
		}
		s.press("enter")
		if p := s.want(pos.PromptDone); p.Back.Amount != eur.Of(830) || p.Sum.Amount != eur.Of(1170) || !p.Yields {
			t.Errorf("done: %+v", p)
		}
		s.press("enter")
		s.want(pos.PromptSell)
		if done := s.done(); len(done) != 1 || done[0].Totals.Total != eur.Of(1170) || done[0].Change != eur.Of(830) || done[0].By != anna {
			t.Errorf("the books say %+v", done)
		}
	})
}

// TestTwoPresses: after the amount, exact cash and Lightning take two presses each.
func TestTwoPresses(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.press("1 2 5 0 enter enter")
		s.want(pos.PromptDone)
		s.press("1 2 5 0") // the next customer's amount ends the last one's picture
		if p := s.want(pos.PromptSell); p.Typed.Amount != eur.Of(1250) || p.Yields {
			t.Errorf("the next one: %+v", p)
		}
		s.press("enter +")
		if p := s.want(pos.PromptWait); !p.Yields || p.Sum.Amount != eur.Of(1250) || !strings.Contains(p.Title, "Lightning") {
			t.Errorf("waiting: %+v", p)
		}
		s.rail.pay()
		wait(3 * time.Second)
		if p := s.want(pos.PromptDone); p.Title != "PAID" || !p.Yields {
			t.Errorf("paid: %+v", p)
		}
		if len(s.done()) != 2 {
			t.Errorf("%d sales are over", len(s.done()))
		}
	})
}

// TestNextOutrun presses Next for the sale on the panel while somebody at a phone has put it
// aside already and rings up another one: that one stays at the counter, and it is said.
func TestNextOutrun(t *testing.T) {
	layout, err := keypad.NewLayout(map[string]string{"f1": string(keypad.Next)})
	if err != nil {
		t.Fatal(err)
	}
	bubbleOf(t, func(s *shop) { s.layout = layout }, func(t *testing.T, s *shop) {
		phone := func(key string, a pos.Action) pos.SaleID {
			t.Helper()
			out, err := s.desk.Do(t.Context(), pos.Command{Key: key, By: bea, Do: a})
			if err != nil {
				t.Fatal(err)
			}
			return out.Sale
		}
		s.press("5 0 0 +")
		s.slowly(true)
		phone("aside", pos.OpenSale{})
		second := phone("line", pos.AddAmount{Minor: 100})
		s.press("f1")
		s.slowly(false)
		if p := s.prompt(); p.Trouble == "" {
			t.Errorf("nothing is said: %+v", p)
		}
		if c := s.desk.View().Counter.Current; c == nil || c.ID != second {
			t.Errorf("at the counter is %+v, want %s", c, second)
		}
	})
}
