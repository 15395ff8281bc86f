package desk_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
)

// torn is a chain whose operators contradict each other while why is set.
type torn struct {
	*chain
	why atomic.Pointer[string]
}

func (c *torn) say(why string) { c.why.Store(&why) }

func (c *torn) err() error {
	if why := c.why.Load(); why != nil && *why != "" {
		return pos.E("ask operators", pos.Unavailable, "%s", *why)
	}
	return nil
}

func (c *torn) Check(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	if err := c.err(); err != nil {
		return pos.Finding{}, err
	}
	return c.chain.Check(ctx, p)
}

func (c *torn) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	if err := c.err(); err != nil {
		return pos.Finding{}, err
	}
	return c.chain.Cancel(ctx, p)
}

func tornShop(t *testing.T, body func(*testing.T, *shop, *torn)) {
	t.Helper()
	bubble(t, func(t *testing.T, s *shop) {
		c := &torn{chain: newChain()}
		s.halt()
		s.tenders = append(s.tenders, desk.Tender{Name: dai, Rail: c, Token: "DAI", Chain: "Lab"})
		s.start()
		body(t, s, c)
	})
}

// whyShown is what the cashier's screen says about the open payment.
func (s *shop) whyShown() string { return s.view().Counter.Current.Payments[0].Why }

const differ = "The operators of Lab contradict each other."

// TestUnsureIsShown: while the rail cannot say whether a request was paid, the cashier
// reads why within seconds, and no record has it; one lost answer is not told.
func TestUnsureIsShown(t *testing.T) {
	tornShop(t, func(t *testing.T, s *shop, c *torn) {
		a := s.chargeDAI()
		c.say(differ)
		time.Sleep(1100 * time.Millisecond)
		settle()
		if why := s.whyShown(); why != "" {
			t.Errorf("one question without an answer is told: %q", why)
		}
		before := s.view().Version
		time.Sleep(2 * time.Second)
		settle()
		if why := s.whyShown(); why != differ || s.view().Version == before {
			t.Errorf("the screen says %q", why)
		}
		if p := s.payment(a.Payment); p.State != pos.Requested || p.Why != "" {
			t.Errorf("the books say %s, %q", p.State, p.Why)
		}
		c.say("")
		time.Sleep(2 * time.Second)
		settle()
		if why := s.whyShown(); why != "" {
			t.Errorf("it answers again, and the screen says %q", why)
		}
	})
}

// TestDoubtSaysWhy cancels without an answer: the answer and the payment say what the
// rail says, and not that the network is silent.
func TestDoubtSaysWhy(t *testing.T) {
	tornShop(t, func(t *testing.T, s *shop, c *torn) {
		a := s.chargeDAI()
		c.say(differ)
		_, err := s.try(pos.CancelPayment{})
		if pos.KindOf(err) != pos.Unavailable || !strings.Contains(err.Error(), differ+" It is not known") {
			t.Errorf("the cashier is told %q", err)
		}
		if p := s.payment(a.Payment); p.State != pos.Unknown || p.Why != differ {
			t.Errorf("the books say %s, %q", p.State, p.Why)
		}
	})
}

// TestStrayIsNotSilence cancels a payment whose customer paid with the wrong token: the
// truth is known, and that is what is said.
func TestStrayIsNotSilence(t *testing.T) {
	tornShop(t, func(t *testing.T, s *shop, c *torn) {
		a := s.chargeDAI()
		c.set(func(c *chain) { c.stray[a.Payment] = 2_900_000 })
		time.Sleep(2 * time.Second)
		settle()
		if p := s.payment(a.Payment); p.State != pos.Unknown || p.Stray.IsZero() {
			t.Fatalf("got %+v", p)
		}
		c.say("Lab does not answer.")
		_, err := s.try(pos.CancelPayment{})
		if pos.KindOf(err) != pos.Unavailable || !strings.Contains(err.Error(), "USDC came instead") || strings.Contains(err.Error(), "answer") {
			t.Errorf("the cashier is told %q", err)
		}
		if why := s.whyShown(); why != "USDC came instead" {
			t.Errorf("the screen says %q", why)
		}
	})
}
