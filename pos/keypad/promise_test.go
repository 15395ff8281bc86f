package keypad_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
	"github.com/tillwright/tillwright/pos/keypad"
)

// TestBlind: a key that was pressed before its prompt stood there types, but does not
// pay; nothing is lost by it.
func TestBlind(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		for _, k := range strings.Fields("1 2 5 0 enter enter") {
			s.pad.Press(name(k)) // a bouncing key: the second Enter comes with the first
		}
		if p := s.want(pos.PromptPay); p.Trouble == "" || p.Sum.Amount != eur.Of(1250) || s.pays != 0 {
			t.Errorf("%d payments, %+v", s.pays, p)
		}
		s.press("enter")
		s.want(pos.PromptDone)
		s.press("1 0 0 +")
		for _, k := range strings.Fields("- -") { // nor does it give anything up
			s.pad.Press(name(k))
		}
		if p := s.want(pos.PromptSell); len(p.Rows) != 1 || p.Trouble == "" {
			t.Errorf("a bouncing Cancel: %+v", p)
		}
		s.press("-")
		if p := s.want(pos.PromptSell); len(p.Rows) != 0 {
			t.Errorf("pressed again: %+v", p)
		}
	})
}

// TestPhoneChangesTheSum: somebody adds to the basket between the prompt and the key.
// The key does not pay, and the new sum is asked for.
func TestPhoneChangesTheSum(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.press("1 2 5 0 enter")
		s.want(pos.PromptPay)
		s.slowly(true)
		if _, err := s.desk.Do(t.Context(), pos.Command{Key: "phone", By: bea, Do: pos.AddAmount{Minor: 100}}); err != nil {
			t.Fatal(err)
		}
		s.pad.Press("kpenter") // the new sum is not on the panel yet
		synctest.Wait()
		s.slowly(false)
		synctest.Wait()
		if p := s.want(pos.PromptPay); s.pays != 0 || p.Sum.Amount != eur.Of(1350) {
			t.Errorf("%d payments, %+v", s.pays, p)
		}
		s.press("enter")
		if p := s.want(pos.PromptDone); p.Sum.Amount != eur.Of(1350) {
			t.Errorf("at the end: %+v", p)
		}
	})
}

// TestQueue: a command hangs while the cashier goes on typing. Keys wait in order up
// to a bound; beyond it all are left out until the queue is empty, and it is said.
func TestQueue(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.press("1 2 5 0 enter +")
		s.want(pos.PromptWait)
		s.rail.set(func(r *rail) { r.slow = 3 * time.Second })
		s.pad.Press("kpminus")
		synctest.Wait()
		if p := s.want(pos.PromptWait); p.Hint != "One moment …" || len(p.Keys) != 0 {
			t.Errorf("meanwhile: %+v", p)
		}
		for _, k := range strings.Fields("2 0 0 0") {
			s.pad.Press(name(k))
		}
		wait(5 * time.Second)
		if p := s.want(pos.PromptPay); p.Typed.Amount != eur.Of(2000) {
			t.Errorf("typed ahead: %+v", p)
		}
		s.press("- +")
		s.want(pos.PromptWait)
		s.pad.Press("kpminus")
		synctest.Wait()
		for i := range 50 {
			s.pad.Press(fmt.Sprint("kp", 1+i%9))
		}
		wait(5 * time.Second)
		p := s.want(pos.PromptPay)
		if !strings.HasPrefix(p.Trouble, "Too fast") || p.Typed.Amount != eur.Of(123456789) {
			t.Errorf("fifty keys: %+v", p)
		}
		s.press("- 1")
		if p := s.prompt(); p.Typed.Amount != eur.Of(1) {
			t.Errorf("afterwards: %+v", p)
		}
	})
}

// TestPIN: wrong ones are told, the desk's lock holds, and who is several has a list.
func TestPIN(t *testing.T) {
	bubbleOf(t, func(s *shop) { s.pins.names, s.skip = []pos.Actor{anna, bea}, true }, func(t *testing.T, s *shop) {
		if p := s.want(pos.PromptChoose); len(p.Choices) != 2 || p.Choices[1] != (pos.PromptChoice{Key: "2", Text: "Bea"}) {
			t.Errorf("who: %+v", p)
		}
		s.press("2")
		if p := s.want(pos.PromptPIN); p.Title != "PIN: Bea" {
			t.Errorf("the PIN of whom: %+v", p)
		}
		s.press("1 2")
		if p := s.prompt(); p.Typed != (pos.Typed{Secret: 2}) {
			t.Errorf("typed %+v: a PIN must not stand on a panel", p.Typed)
		}
		s.press("enter")
		for range 5 {
			if p := s.want(pos.PromptPIN); p.Trouble == "" {
				t.Errorf("a wrong PIN: %+v", p)
			}
			s.press("9 9 9 9 enter")
		}
		if p := s.want(pos.PromptPIN); !strings.HasPrefix(p.Trouble, "Too many") {
			t.Errorf("locked: %+v", p)
		}
		s.press("4 7 1 1 enter")
		s.want(pos.PromptPIN)
		s.press("- 1 4 7 1 1 enter")
		if p := s.want(pos.PromptSell); p.Who != "Anna" {
			t.Errorf("Anna signed in: %+v", p)
		}
		wait(keypad.IdleLock + time.Second)
		if p := s.want(pos.PromptChoose); p.Who != "" {
			t.Errorf("left alone: %+v", p)
		}
		if n := len(bodies[pos.ByActor](t, s.journal, pos.KindSignedOut)); n != 1 {
			t.Errorf("%d sign-outs are recorded", n)
		}
	})
}

// TestFirstStart says how the till is set up, and goes on by itself.
func TestFirstStart(t *testing.T) {
	bubbleOf(t, func(s *shop) { s.pins.names, s.skip = nil, true }, func(t *testing.T, s *shop) {
		if p := s.want(pos.PromptSetUp); p.Rows[0].Label != "192.168.1.20:8080/setup" || p.Typed.Text != "ABCD-EFGH" {
			t.Errorf("a new till: %+v", p)
		}
		s.press("1 2 3 enter -")
		s.want(pos.PromptSetUp)
		if _, err := s.desk.Found(t.Context(), "Olga", "4711"); err != nil {
			t.Fatal(err)
		}
		s.want(pos.PromptPIN)
	})
}

// TestOtherMoney: the customer sent what was not asked for. The panel says what came, and
// not that nobody answers; and why a rail cannot say whether a request was paid.
func TestOtherMoney(t *testing.T) {
	bubbleOf(t, func(s *shop) { s.pins.names = []pos.Actor{anna, bea}; s.skip = true }, func(t *testing.T, s *shop) {
		s.press("1 4 7 1 1 enter 1 2 5 0 enter +")
		s.rail.set(func(r *rail) { r.down = true })
		wait(3 * time.Second)
		if p := s.want(pos.PromptWait); p.Hint != errDown.Msg {
			t.Errorf("no answer for three seconds, and the panel says %q", p.Hint)
		}
		s.rail.set(func(r *rail) { r.down, r.stray = false, "12 USDC came instead." })
		wait(3 * time.Second)
		if p := s.want(pos.PromptDoubt); p.Hint != "12 USDC came instead." {
			t.Errorf("the panel says %q", p.Hint)
		}
		s.press("enter") // ask again
		if p := s.want(pos.PromptDoubt); p.Hint != "12 USDC came instead." || p.Trouble != "" {
			t.Errorf("the panel says %q, %q", p.Hint, p.Trouble)
		}
	})
}

// TestDoubt: the rail does not answer. The panel says that it is not known, nothing
// but a manager ends it, and the next customer can be served.
func TestDoubt(t *testing.T) {
	bubbleOf(t, func(s *shop) { s.pins.names = []pos.Actor{anna, bea}; s.skip = true }, func(t *testing.T, s *shop) {
		s.press("1 4 7 1 1 enter 1 2 5 0 enter +")
		s.rail.set(func(r *rail) { r.down = true })
		s.press("-")
		p := s.want(pos.PromptDoubt)
		if p.Yields || !strings.Contains(p.Hint, "Do not charge again yet") {
			t.Errorf("in doubt: %+v", p)
		}
		s.press("enter") // ask again
		s.want(pos.PromptDoubt)
		s.press("-") // the next customer
		s.want(pos.PromptSell)
		s.press("5 0 0 enter enter enter")
		s.press("/ 4 1") // back to the first
		if p := s.want(pos.PromptDoubt); p.Sum.Amount != eur.Of(1250) {
			t.Errorf("back at the first: %+v", p)
		}
		s.press("*") // a manager
		if p := s.want(pos.PromptChoose); len(p.Choices) != 1 || p.Choices[0].Text != "Bea" || p.Hint == "" {
			t.Errorf("who decides: %+v", p)
		}
		s.press("1 4 7 1 1 enter")
		if p := s.want(pos.PromptPay); p.Who != "Anna" || p.Sum.Amount != eur.Of(1250) {
			t.Errorf("decided: %+v", p)
		}
		s.press("enter")
		s.want(pos.PromptDone)
		s.rail.set(func(r *rail) { r.down = false })
		s.rail.pay()
		wait(2 * time.Minute)
		if p := s.prompt(); p.Notice == "" {
			t.Errorf("the customer had paid after all, and nobody is told: %+v", p)
		}
	})
}

// TestGrey: a tender that is not ready says why, and nothing happens.
func TestGrey(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.rail.set(func(r *rail) { r.grey = "The node does not answer." })
		wait(2 * time.Second)
		s.press("1 2 5 0 enter +")
		if p := s.want(pos.PromptPay); p.Trouble != "The node does not answer." || p.Sum.Amount != eur.Of(1250) || len(p.Links) != 1 {
			t.Errorf("grey: %+v", p)
		}
		s.press("* 2")
		if p := s.want(pos.PromptChoose); !p.Choices[1].Off || p.Trouble == "" {
			t.Errorf("grey in the list: %+v", p)
		}
	})
}

// TestSlips holds what cannot be done to one sentence, and to losing nothing.
func TestSlips(t *testing.T) {
	for _, x := range []struct {
		keys, said string
		typed      pos.Typed
	}{
		{"enter", "Type an amount", pos.Typed{}},
		{"+", "Type an amount", pos.Typed{}},
		{"*", "First the number of pieces", pos.Typed{}},
		{"0 enter", "more than zero", pos.Typed{Amount: eur.Of(0)}},
		{"1 . 2 3 4 +", "no amount", pos.Typed{Text: "1.234"}},
		{"3 * +", "Type an amount", pos.Typed{Qty: 3000}},
		{"9 9 9 9 9 9 9 9 9 9", "No more digits", pos.Typed{Amount: eur.Of(999_999_999)}},
		{"9 9 9 9 9 9 9 9 9 enter", "more than this till may sell", pos.Typed{Amount: eur.Of(999_999_999)}},
		{"/ 9", "no number 9", pos.Typed{}},
		{"/ 1", "None yet", pos.Typed{}},
	} {
		t.Run(x.keys, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *shop) {
				s.press(x.keys)
				if p := s.prompt(); !strings.Contains(p.Trouble, x.said) || p.Typed != x.typed {
					t.Errorf("%+v", p)
				}
				s.leave(nil)
			})
		})
	}
	bubble(t, func(t *testing.T, s *shop) { // less than what is due
		s.press("1 2 5 0 enter 1 0 0 0 enter")
		if p := s.want(pos.PromptPay); !strings.Contains(p.Trouble, "less than") || p.Typed.Amount != eur.Of(1000) {
			t.Errorf("%+v", p)
		}
	})
}

// TestBack takes steps back: a digit, a line, the payment, the sale. What cannot be
// undone takes two presses.
func TestBack(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.press("1 2 5 < +")
		s.press("4 2 0 +")
		if p := s.prompt(); p.Sum.Amount != eur.Of(432) || len(p.Rows) != 2 {
			t.Errorf("%+v", p)
		}
		s.press("<")
		if p := s.prompt(); p.Trouble == "" || len(p.Rows) != 2 || p.Keys[0] != (pos.PromptKey{Key: "←", Text: "again: yes"}) {
			t.Errorf("asked first: %+v", p)
		}
		s.press("1") // no
		s.press("< <")
		if p := s.prompt(); len(p.Rows) != 2 {
			t.Errorf("another key keeps it: %+v", p)
		}
		s.press("<")
		if p := s.prompt(); len(p.Rows) != 1 || p.Sum.Amount != eur.Of(12) {
			t.Errorf("the last line is off: %+v", p)
		}
		s.press("enter <")
		s.want(pos.PromptSell)
		s.press("enter + ") // too little for a satoshi? it is not
		s.want(pos.PromptWait)
		s.press("- <") // withdrawn, and back to the basket
		if p := s.want(pos.PromptSell); p.Sum.Amount != eur.Of(12) {
			t.Errorf("the basket again: %+v", p)
		}
		s.press("- -")
		if p := s.want(pos.PromptSell); len(p.Rows) != 0 {
			t.Errorf("given up: %+v", p)
		}
	})
}

// TestMenu prints, opens the drawer with a reason, goes between sales, signs out.
func TestMenu(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.press("1 0 0 enter enter *")
		if p := s.want(pos.PromptDone); !strings.Contains(p.Hint, "01-000001") {
			t.Errorf("a copy: %+v", p)
		}
		s.press("/ 2")
		if d := bodies[pos.DrawerOpened](t, s.journal, pos.KindDrawerOpened); len(d) != 1 || d[0].Reason != "No sale" || d[0].By != anna {
			t.Errorf("the drawer: %+v", d)
		}
		s.press("enter 2 0 0 + / 3")
		if p := s.want(pos.PromptSell); len(p.Rows) != 0 {
			t.Errorf("the next customer: %+v", p)
		}
		s.press("3 0 0 + / 4")
		if p := s.want(pos.PromptChoose); len(p.Choices) != 1 || !strings.Contains(p.Choices[0].Text, "2.00") {
			t.Errorf("open sales: %+v", p)
		}
		s.press("1")
		if p := s.want(pos.PromptSell); p.Sum.Amount != eur.Of(200) {
			t.Errorf("the first again: %+v", p)
		}
		s.press("/ 5")
		s.want(pos.PromptPIN)
		if len(bodies[pos.Reprinted](t, s.journal, pos.KindReprinted)) != 1 {
			t.Error("no copy is recorded")
		}
	})
}

// TestPowerCut takes the power away at each step of a sale. The prompt comes back to
// where the money stands: only digits are lost.
func TestPowerCut(t *testing.T) {
	for _, x := range []struct {
		keys  string
		after pos.PromptKind
		sum   int64
	}{
		{"1 2 5", pos.PromptSell, 0},
		{"1 2 5 0 +", pos.PromptSell, 1250},
		{"1 2 5 0 enter", pos.PromptSell, 1250},
		{"1 2 5 0 enter +", pos.PromptWait, 1250},
		{"1 2 5 0 enter + -", pos.PromptPay, 1250},
		{"1 2 5 0 enter enter", pos.PromptDone, 1250},
	} {
		t.Run(x.keys, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *shop) {
				s.press(x.keys)
				s.restart()
				s.want(pos.PromptPIN)
				s.press("4 7 1 1 enter")
				if p := s.want(x.after); p.Sum.Amount != eur.Of(x.sum) {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

// TestOtherCode: a wallet that cannot read the code gets another one.
func TestOtherCode(t *testing.T) {
	bubbleOf(t, func(s *shop) { s.rail.other = true }, func(t *testing.T, s *shop) {
		s.press("1 2 5 0 enter +")
		if p := s.want(pos.PromptWait); p.Keys[2].Text != "another code" {
			t.Errorf("%+v", p)
		}
		s.press("*")
		if got := s.desk.View().Customer; got.Phase != pos.PhaseDue {
			t.Errorf("%+v", got)
		}
	})
}

// TestTokens chooses the token first, then the network.
func TestTokens(t *testing.T) {
	v := pos.View{Shop: pos.Shop{Currency: eur, Language: "en"}, Customer: pos.Customer{Total: eur.Of(1250), Due: eur.Of(1250), Lines: []pos.Line{{Name: "x", Total: eur.Of(1250)}}}}
	p, ok := keypad.Sample(keypad.Layout{}, "ways", v)
	if !ok || len(p.Choices) != 4 || p.Choices[2].Text != "USDC" || p.Choices[2].Off || p.Choices[3].Text != "USDT on Tron" || !p.Choices[3].Off || p.Choices[3].Why == "" {
		t.Errorf("%+v", p)
	}
}

var _ desk.Rail = (*rail)(nil)
