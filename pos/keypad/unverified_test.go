package keypad_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
)

var coin = pos.Asset{ID: "eip155:1/erc20:0xa", Symbol: "USDC", Decimals: 6, Shown: 4}

// coins is a network of stablecoins whose line can be cut.
type coins struct {
	*rail
	asset pos.Asset
	over  bool // nothing can come any more
}

func (c *coins) Health() pos.Health {
	h := c.rail.Health()
	h.Asset = c.asset
	return h
}

func (c *coins) Cut() (bool, string) { return !c.Health().Ready, "" }

func (c *coins) AskOffline(_ context.Context, p pos.Payment) (pos.Asked, error) {
	c.set(func(r *rail) { r.reqs[p.ID] = "open" })
	return pos.Asked{Reference: "ref-" + string(p.ID), Payload: "ethereum:0x", Network: "USDC on Lab", Expires: time.Now().Add(5 * time.Minute)}, nil
}

func (c *coins) Check(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	c.mu.Lock()
	over, down := c.over, c.down
	c.mu.Unlock()
	if over && !down && p.State.Open() {
		return pos.Finding{Event: pos.Fail, Final: true}, nil
	}
	return c.rail.Check(ctx, p)
}

// line cuts the line, or mends it.
func (c *coins) line(cut bool) {
	c.set(func(r *rail) {
		if r.down, r.grey = cut, ""; cut {
			r.grey = "Lab does not answer."
		}
	})
	wait(2 * time.Second)
}

// coinShop is a shop with a stablecoin on two networks, of which the first may be taken
// unverified by a rule; Bea is its manager.
func coinShop(t *testing.T, rule pos.OfflineRule, f func(t *testing.T, s *shop, c *coins)) {
	t.Helper()
	var c *coins
	set := func(s *shop) {
		c = &coins{rail: s.rail, asset: coin}
		two := &coins{rail: &rail{reqs: map[pos.PaymentID]string{}}, asset: pos.Asset{ID: "other", Symbol: "USDC", Decimals: 6, Shown: 4}}
		s.pins.names, s.skip = []pos.Actor{anna, bea}, true
		limits := pos.OfflineLimits{PerSale: 2000, Total: 5000, Sales: 3, Age: time.Hour}
		s.tenders = []desk.Tender{
			{Name: "usdc-lab", Rail: c, Unseen: c, Rule: rule, Limits: limits, Token: "USDC", Chain: "Lab"},
			{Name: "usdc-two", Rail: two, Token: "USDC", Chain: "Lab Two"},
		}
	}
	bubbleOf(t, set, func(t *testing.T, s *shop) {
		s.press("1 4 7 1 1 enter")
		f(t, s, c)
	})
}

// trusted returns the records that took a payment by the customer's word.
func (s *shop) trusted() (out []pos.PaymentMoved) {
	s.t.Helper()
	for _, m := range bodies[pos.PaymentMoved](s.t, s.journal, pos.KindPayment) {
		if m.Trusted {
			out = append(out, m)
		}
	}
	return out
}

// TestUnverified goes on by the customer's word: said what that means, asked twice, and
// nothing says PAID. The loss is told of, and a manager lets it be done again.
func TestUnverified(t *testing.T) {
	coinShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *coins) {
		c.line(true)
		s.press("1 2 5 0 enter +")
		p := s.want(pos.PromptWait)
		if p.Hint != "Lab does not answer." || p.Keys[0].Text != "customer says: paid" || p.Keys[0].Key != "Enter" {
			t.Fatalf("waiting: %+v", p)
		}
		s.press("enter")
		if p := s.want(pos.PromptWait); !strings.Contains(p.Trouble, "the shop bears the loss") || len(s.trusted()) != 0 || p.Yields {
			t.Errorf("asked first: %+v", p)
		}
		s.press("5") // thought better of it
		if p := s.want(pos.PromptWait); p.Trouble != "" {
			t.Errorf("another key: %+v", p)
		}
		s.press("enter enter")
		p = s.want(pos.PromptWait)
		if p.Title != "Not verified yet" || strings.Contains(p.Title+p.Hint, "PAID") || !p.Yields {
			t.Errorf("gone on: %+v", p)
		}
		if got := s.trusted(); len(got) != 1 || got[0].By != anna || len(s.done()) != 1 {
			t.Errorf("the records: %+v", got)
		}
		s.press("enter")
		s.want(pos.PromptSell)
		c.set(func(*rail) { c.over = true })
		c.line(false)
		wait(time.Minute)
		if p := s.want(pos.PromptSell); !strings.Contains(p.Notice, "was taken unverified and did not come") {
			t.Errorf("a loss: %+v", p)
		}
		c.set(func(*rail) { c.over = false })
		c.line(true)
		s.press("1 2 5 0 enter +")
		if p := s.want(pos.PromptPay); !strings.Contains(p.Trouble, "A manager may allow it again") {
			t.Errorf("after the loss: %+v", p)
		}
		s.press("/")
		l := s.want(pos.PromptChoose)
		at := 0
		for i, c := range l.Choices {
			if strings.Contains(c.Text, "unverified again") && strings.Contains(c.Why, "never came") {
				at = i + 1
			}
		}
		if at == 0 {
			t.Fatalf("the menu: %+v", l)
		}
		s.press(string(rune('0' + at)))
		if p := s.want(pos.PromptChoose); len(p.Choices) != 1 || !strings.Contains(p.Hint, "loses the money again") {
			t.Errorf("who agrees: %+v", p)
		}
		s.press("1 4 7 1 1 enter")
		if on := bodies[pos.TrustChanged](t, s.journal, pos.KindTrustOn); len(on) != 1 || on[0].By != bea || on[0].Tender != "usdc-lab" {
			t.Errorf("allowed by %+v", on)
		}
		s.press("+")
		s.want(pos.PromptWait)
	})
}

// TestUnverifiedManager: where the rule asks for a manager, the till asks for one by PIN,
// for the request and for the word; and the limits are the till's.
func TestUnverifiedManager(t *testing.T) {
	coinShop(t, pos.PreferOnline, func(t *testing.T, s *shop, c *coins) {
		s.press("1 2 5 0 enter +")
		s.want(pos.PromptWait)
		c.line(true)
		s.press("enter enter")
		if p := s.want(pos.PromptChoose); len(p.Choices) != 1 || p.Choices[0].Text != "Bea" || p.Hint == "" {
			t.Fatalf("who agrees: %+v", p)
		}
		s.press("1 4 7 1 2 enter")
		if p := s.want(pos.PromptPIN); p.Trouble == "" || len(s.trusted()) != 0 {
			t.Errorf("a wrong PIN: %+v", p)
		}
		s.press("4 7 1 1 enter")
		if p := s.want(pos.PromptWait); p.Who != "Anna" || p.Title != "Not verified yet" || len(s.trusted()) != 1 || s.trusted()[0].By != bea {
			t.Errorf("agreed: %+v, %+v", p, s.trusted())
		}
		s.press("enter 2 0 0 1 enter + 1 4 7 1 1 enter") // over the limit of a sale
		if p := s.want(pos.PromptPay); !strings.Contains(p.Trouble, "20.00") {
			t.Errorf("too much: %+v", p)
		}
	})
}

// TestUnverifiedInDoubt: withdrawn without an answer, the customer shows that he had paid.
func TestUnverifiedInDoubt(t *testing.T) {
	coinShop(t, pos.AllowOffline, func(t *testing.T, s *shop, c *coins) {
		c.line(true)
		s.press("1 2 5 0 enter + -")
		if p := s.want(pos.PromptDoubt); p.Keys[2].Text != "What now?" {
			t.Errorf("in doubt: %+v", p)
		}
		s.press("*")
		if p := s.want(pos.PromptChoose); len(p.Choices) != 2 || !strings.Contains(p.Choices[0].Why, "bears the loss") {
			t.Errorf("the ways out: %+v", p)
		}
		s.press("- * 1")
		if p := s.want(pos.PromptWait); p.Title != "Not verified yet" {
			t.Errorf("gone on: %+v", p)
		}
		if got := s.trusted(); len(got) != 1 || got[0].By != anna {
			t.Errorf("the records: %+v", got)
		}
	})
}

// TestAstray: money on another network is named as what it is, and with a manager's PIN it
// pays.
func TestAstray(t *testing.T) {
	coinShop(t, pos.OnlineOnly, func(t *testing.T, s *shop, c *coins) {
		s.press("1 2 5 0 enter +")
		s.want(pos.PromptWait)
		c.set(func(r *rail) { r.stray = "12.0000 USDC came on Lab Two instead of USDC on Lab." })
		wait(3 * time.Second)
		p := s.want(pos.PromptDoubt)
		if p.Title != "Paid on another network" || !strings.Contains(p.Hint, "as USDC on Lab Two, not ") || p.Keys[2].Text != "What now?" {
			t.Fatalf("astray: %+v", p)
		}
		s.press("*")
		if p := s.want(pos.PromptChoose); len(p.Choices) != 2 || p.Choices[0].Text != "Take it as payment" || !strings.Contains(p.Choices[1].Why, "pays a second time") {
			t.Errorf("the ways out: %+v", p)
		}
		s.press("1")
		if p := s.want(pos.PromptChoose); !strings.Contains(p.Hint, "The shop keeps this money, 12 USDC (USDC on Lab Two)") {
			t.Errorf("who agrees: %+v", p)
		}
		s.press("1 4 7 1 1 enter")
		if p := s.want(pos.PromptDone); p.Title != "PAID" || p.Who != "Anna" {
			t.Errorf("taken: %+v", p)
		}
		if d := bodies[pos.RefundDecided](t, s.journal, pos.KindRefundDecided); len(d) != 1 || d[0].By != bea || d[0].As != pos.AsSale || d[0].Network != "USDC on Lab Two" {
			t.Errorf("decided: %+v", d)
		}
	})
}

// TestAstrayMore: more comes while a manager reads, or types his PIN. Nothing is decided about
// what he has not read: he is told, and reads again.
func TestAstrayMore(t *testing.T) {
	decided := func(s *shop) []pos.RefundDecided {
		return bodies[pos.RefundDecided](t, s.journal, pos.KindRefundDecided)
	}
	more := func(c *coins, whole int64) {
		c.set(func(r *rail) { r.whole = whole })
		wait(31 * time.Second)
	}
	coinShop(t, pos.OnlineOnly, func(t *testing.T, s *shop, c *coins) {
		s.press("1 2 5 0 enter +")
		s.want(pos.PromptWait)
		c.set(func(r *rail) { r.stray = "USDC came on Lab Two." })
		wait(3 * time.Second)
		s.press("*")
		more(c, 13) // the list tells of it
		if p := s.want(pos.PromptChoose); !strings.Contains(p.Choices[0].Why, "13 USDC (USDC on Lab Two)") {
			t.Errorf("the ways out: %+v", p)
		}
		s.press("1 1 4 7")
		more(c, 14)
		s.press("1 1 enter")
		if p := s.want(pos.PromptDoubt); !strings.Contains(p.Trouble, "This is 14 USDC (USDC on Lab Two) by now, not what you read.") || !strings.Contains(p.Hint, "14 USDC") || len(decided(s)) != 0 {
			t.Errorf("told %+v, decided %+v", p, decided(s))
		}
		s.press("* 1 1 4 7 1 1 enter")
		if p := s.want(pos.PromptDone); p.Title != "PAID" {
			t.Errorf("taken: %+v", p)
		}
		if d := decided(s); len(d) != 1 || d[0].Read != "14000000 other" || d[0].Came.String() != "14 USDC" {
			t.Errorf("decided: %+v", d)
		}
	})
	coinShop(t, pos.OnlineOnly, func(t *testing.T, s *shop, c *coins) { // the right money came meanwhile
		s.press("1 2 5 0 enter +")
		c.set(func(r *rail) { r.stray = "USDC came on Lab Two." })
		wait(3 * time.Second)
		s.press("*")
		s.want(pos.PromptChoose)
		c.set(func(r *rail) {
			r.stray = ""
			for id := range r.reqs {
				r.reqs[id] = "paid"
			}
		})
		wait(31 * time.Second)
		s.want(pos.PromptDone)
	})
}
