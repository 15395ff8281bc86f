package keypad_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
)

// everything is what a hand, a child, or a cat presses.
var everything = strings.Fields("0 1 2 3 4 5 6 7 8 9 . + * - / enter < esc delete tab numlock kpequal f1 1 enter enter + - 4 7 1 1")

// wayOut is how many presses of Cancel lead from anywhere to the next customer: a list
// in a list, what was typed, a request withdrawn or left alone, and the sale given up.
const wayOut = 8

// idle reports that nothing is under way.
func idle(p pos.Prompt) bool {
	switch p.Kind {
	case pos.PromptSell:
		return len(p.Rows) == 0 && p.Typed.IsZero()
	case pos.PromptPIN, pos.PromptChoose:
		return p.Who == ""
	}
	return false
}

// TestRandom presses whatever comes, while a phone rings up at the same till, the
// node comes and goes, customers pay and the power fails. Goals: no panic; no payment
// of anything but what the panel said (see watched); from anywhere a few presses of
// Cancel lead to the next customer, without one payment in doubt being decided.
func TestRandom(t *testing.T) {
	days := 6
	if testing.Short() {
		days = 2
	}
	for day := range days {
		t.Run(fmt.Sprint(day), func(t *testing.T) {
			bubbleOf(t, func(s *shop) {
				s.pins.names = []pos.Actor{anna, bea}[:1+day%2]
				s.rail.other = day%3 == 0
				second := &rail{reqs: map[pos.PaymentID]string{}}
				s.tenders = append(s.tenders, desk.Tender{Name: "usdc", Rail: second})
				s.skip = true
			}, func(t *testing.T, s *shop) {
				rnd := rand.New(rand.NewPCG(uint64(day), 7))
				var last []string
				for range 30 {
					last = s.burst(rnd)
					s.chaos(rnd)
					s.leave(last)
				}
				if s.pays == 0 {
					t.Error("nothing was sold: the day tests nothing")
				}
				s.honest()
			})
		})
	}
}

// burst presses a number of keys, some of them before the panel can follow.
func (s *shop) burst(rnd *rand.Rand) (pressed []string) {
	keys := strings.Fields([]string{"", "", "1 2 5 0 enter enter", "3 * 2 5 0 + 4 2 0 enter + -", "9 0 0 enter * 2", "7 0 + enter 5 0 0"}[rnd.IntN(6)])
	for range rnd.IntN(30) {
		keys = append(keys, everything[rnd.IntN(len(everything))])
	}
	for _, k := range keys {
		pressed = append(pressed, k)
		s.pad.Press(name(k))
		if rnd.IntN(8) > 0 {
			synctest.Wait()
		}
	}
	synctest.Wait()
	return pressed
}

// chaos lets something happen that the keypad did not do.
func (s *shop) chaos(rnd *rand.Rand) {
	phone := func(a pos.Action) {
		_, _ = s.desk.Do(s.t.Context(), pos.Command{Key: fmt.Sprint("phone", rnd.Uint64()), By: bea, Do: a})
	}
	switch rnd.IntN(10) {
	case 0:
		phone(pos.AddAmount{Minor: 1 + rnd.Int64N(900)}) // into the sale that is on the panel, perhaps
	case 1:
		phone(pos.OpenSale{})
	case 2:
		s.rail.set(func(r *rail) { r.down = !r.down })
	case 3:
		s.rail.set(func(r *rail) { r.grey = []string{"", "The node does not answer."}[rnd.IntN(2)] })
	case 4:
		s.rail.pay()
	case 5:
		wait(time.Duration(rnd.IntN(400)) * time.Second)
	case 6:
		s.restart()
	}
	if s.prompt().Who == "" { // somebody signs in
		s.pins.mu.Lock()
		clear(s.pins.wrong)
		s.pins.mu.Unlock()
		s.press([]string{"- 4 7 1 1 enter", "- - 1 4 7 1 1 enter"}[len(s.pins.names)-1])
	}
	wait(time.Second)
}

// leave presses Cancel until the next customer can be served.
func (s *shop) leave(pressed []string) {
	s.t.Helper()
	var seen []pos.PromptKind
	for range wayOut {
		p := s.prompt()
		if idle(p) {
			return
		}
		seen = append(seen, p.Kind)
		s.press("-")
	}
	if p := s.prompt(); !idle(p) {
		s.t.Fatalf("after %v and %d presses of Cancel (%v) the panel says %+v", pressed, wayOut, seen, p)
	}
}

// honest holds the books to what happened at the rail: a payment that it took is
// settled or still watched, and one that it did not take is not settled.
func (s *shop) honest() {
	s.t.Helper()
	s.rail.set(func(r *rail) { r.down = false })
	wait(10 * time.Minute)
	state := map[pos.PaymentID]pos.State{}
	for _, m := range bodies[pos.PaymentMoved](s.t, s.journal, pos.KindPayment) {
		state[m.Payment.ID] = m.Payment.State
	}
	s.rail.set(func(r *rail) {
		for id, at := range r.reqs {
			if (at == "paid") != (state[id] == pos.Settled) {
				s.t.Errorf("payment %s is %s at the rail and %s in the books", id, at, state[id])
			}
		}
	})
}

// FuzzPress presses keys of any name, in any order, some at once.
func FuzzPress(f *testing.F) {
	f.Add("4 7 1 1 enter 3 * 2 5 0 + 4 2 0 enter 2 0 0 0 enter")
	f.Add("4 7 1 1 enter 1 2 5 0 enter + - - - - / 1 / 2 / 4")
	f.Add("4 7 1 1 enter . . * * + 9 9 9 9 9 9 9 9 9 9 enter < < < < -")
	f.Add("KEY_KP1 \x00 kpplusplus \xff\xfe KPENTER")
	f.Fuzz(func(t *testing.T, keys string) {
		list := strings.Split(keys, " ")
		if len(list) > 200 {
			list = list[:200]
		}
		bubbleOf(t, func(s *shop) { s.skip = true }, func(t *testing.T, s *shop) {
			for i, k := range list {
				s.pad.Press(name(k))
				if i%5 != 4 {
					synctest.Wait()
				}
			}
			synctest.Wait()
			s.leave(list)
		})
	})
}
