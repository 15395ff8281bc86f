package desk_test

import (
	"context"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
)

const dai = pos.Tender("dai-lab")

var daiAsset = pos.Asset{ID: "eip155:1/erc20:0x6b", Symbol: "DAI", Decimals: 18, Shown: 6}

// espresso is what 2.90 EUR are in DAI at the tests' price: 0.000058.
var espresso = units("58000000000000")

func units(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		panic(s)
	}
	return n
}

// chain is a network with an address for each request: whoever asks is told what lies
// there. It knows nothing of the desk.
type chain struct {
	mu       sync.Mutex
	adds     *big.Int // to what is asked for
	other    string   // another asset's ID in the answer
	forgives *big.Int
	forms    []pos.Form
	asked    map[pos.PaymentID]*big.Int
	has      map[pos.PaymentID]*big.Int
	stray    map[pos.PaymentID]int64
	strayIs  pos.Asset // of stray; zero: USDC
	gone     bool
	over     bool   // requests have ended
	told     string // another asset's ID in what it finds
}

func newChain() *chain {
	return &chain{
		adds: new(big.Int), forgives: new(big.Int), asked: map[pos.PaymentID]*big.Int{}, has: map[pos.PaymentID]*big.Int{}, stray: map[pos.PaymentID]int64{},
		forms: []pos.Form{{Name: "standard", Payload: "ethereum:0xToken?address=0xaBcDeF123456"}, {Name: "address", Payload: "0xaBcDeF123456", Caption: "type exactly", Typed: true}},
	}
}

func (c *chain) Health() pos.Health                                 { return pos.Health{Ready: true, Asset: daiAsset} }
func (c *chain) Watch(ctx context.Context, _ pos.Payment, _ func()) { <-ctx.Done() }
func (c *chain) set(f func(c *chain))                               { c.mu.Lock(); defer c.mu.Unlock(); f(c) }
func (c *chain) sends(id pos.PaymentID, n *big.Int) {
	c.set(func(c *chain) { c.has[id] = new(big.Int).Add(c.at(id), n) })
}
func (c *chain) at(id pos.PaymentID) *big.Int {
	if n := c.has[id]; n != nil {
		return n
	}
	return new(big.Int)
}

func (c *chain) Ask(_ context.Context, p pos.Payment, _ string) (pos.Asked, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := daiAsset
	if c.other != "" {
		a.ID = c.other
	}
	c.asked[p.ID] = new(big.Int).Add(p.Quantity.Int(), c.adds)
	out := pos.Asked{Reference: "ref", Payload: "unused", Network: "DAI on Lab", Expires: time.Now().Add(10 * time.Minute), Forms: c.forms}
	if c.adds.Sign() != 0 || c.other != "" {
		q, err := a.Units(c.asked[p.ID])
		if err != nil {
			return out, err
		}
		out.Quantity = q
	}
	return out, nil
}

func (c *chain) Check(_ context.Context, p pos.Payment) (pos.Finding, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.finding(p, false), nil
}

func (c *chain) Cancel(_ context.Context, p pos.Payment) (pos.Finding, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.finding(p, true), nil
}

func (c *chain) finding(p pos.Payment, last bool) pos.Finding {
	got, asked := c.at(p.ID), c.asked[p.ID]
	if asked == nil {
		return pos.Finding{Event: pos.Cancel, Final: true}
	}
	a := daiAsset
	if c.told != "" {
		a.ID = c.told
	}
	q, err := a.Units(got)
	if err != nil {
		panic(err)
	}
	least := new(big.Int).Sub(asked, c.forgives)
	switch {
	case c.gone && p.State == pos.Settled:
		return pos.Finding{Lost: true}
	case c.gone:
		return pos.Finding{}
	case c.stray[p.ID] > 0 && got.Sign() == 0:
		is := pos.Asset{ID: "other", Symbol: "USDC", Decimals: 6, Shown: 4}
		if c.strayIs != (pos.Asset{}) {
			is = c.strayIs
		}
		return pos.Finding{Event: pos.Doubt, Why: is.Symbol + " came instead", Stray: is.UnitsOf(c.stray[p.ID])}
	case got.Cmp(least) >= 0, (last || c.over || p.Lost || p.State == pos.Settled) && got.Sign() > 0:
		return pos.Finding{Event: pos.Settle, Received: q, Enough: got.Cmp(asked) < 0 && got.Cmp(least) >= 0}
	case got.Sign() > 0:
		return pos.Finding{Event: pos.See, Part: q, Rest: &pos.Asked{Forms: []pos.Form{{Name: "standard", Payload: "the rest of " + q.Number()}}}}
	case last:
		return pos.Finding{Event: pos.Cancel}
	case c.over && p.State == pos.Requested:
		return pos.Finding{Event: pos.Expire}
	}
	return pos.Finding{}
}

// tokenShop runs body with a shop that takes DAI.
func tokenShop(t *testing.T, body func(*testing.T, *shop, *chain)) {
	t.Helper()
	bubble(t, func(t *testing.T, s *shop) {
		c := newChain()
		s.halt()
		s.tenders = append(s.tenders, desk.Tender{Name: dai, Rail: c, Token: "DAI", Chain: "Lab", Notice: func() string { return "below its value" }})
		s.start()
		body(t, s, c)
	})
}

func (s *shop) chargeDAI() pos.Answer {
	s.t.Helper()
	s.do(pos.AddItem{SKU: "ESP"})
	a := s.do(pos.Pay{Tender: dai})
	settle()
	return a
}

// TestForms: the customer sees the form that was chosen, a new request begins with its
// first one, and all of them are durable before they are shown.
func TestForms(t *testing.T) {
	tokenShop(t, func(t *testing.T, s *shop, c *chain) {
		a := s.chargeDAI()
		see := s.want(pos.PhaseDue)
		if see.QR != c.forms[0].Payload || see.Form != "standard" || see.Tail != "123456" || see.Link != see.QR || see.Token != "DAI" || see.Chain != "Lab" {
			t.Errorf("the customer sees %+v", see)
		}
		if p := s.payment(a.Payment); len(p.Forms) != 2 || p.Payload != c.forms[0].Payload {
			t.Errorf("the journal says %+v", p)
		}
		s.do(pos.ShowForm{Form: "address"})
		settle()
		if see := s.want(pos.PhaseDue); see.QR != "0xaBcDeF123456" || see.Caption != "type exactly" || see.Form != "address" {
			t.Errorf("the customer sees %+v", see)
		}
		s.refused(pos.ShowForm{Form: "trust"}, pos.Conflict)
		s.do(pos.CancelPayment{})
		s.refused(pos.ShowForm{Form: "address"}, pos.Conflict)
		s.do(pos.Pay{Tender: dai})
		settle()
		if see := s.want(pos.PhaseDue); see.Form != "standard" {
			t.Errorf("the next request is shown as %q", see.Form)
		}
		tv := s.view().Counter.Tenders
		if last := tv[len(tv)-1]; last.Token != "DAI" || last.Chain != "Lab" || last.Notice != "below its value" {
			t.Errorf("the button is %+v", last)
		}
	})
}

// TestUniqueAmount: what is really asked for is what the payment says from then on; what
// is not nearly that is not shown.
func TestUniqueAmount(t *testing.T) {
	for name, x := range map[string]struct {
		adds, other string
		shown       bool
	}{
		"a step more": {"1000000000000", "", true}, "much more": {"90000000000000000", "", false}, "less": {"-1000000000000", "", false}, "another token": {"0", "other", false},
	} {
		t.Run(name, func(t *testing.T) {
			tokenShop(t, func(t *testing.T, s *shop, c *chain) {
				c.set(func(c *chain) { c.adds, c.other = units(x.adds), x.other })
				a := s.chargeDAI()
				if p := s.payment(a.Payment); !x.shown {
					if s.want(pos.PhaseRefused); p.State != pos.Failed {
						t.Errorf("booked as %+v", p)
					}
					return
				}
				if see := s.want(pos.PhaseDue); see.Quantity != "0.000059 DAI" {
					t.Errorf("the customer sees %+v", see)
				}
				c.sends(a.Payment, espresso) // without the step it is not the whole
				wait(3 * time.Second)
				if see := s.want(pos.PhaseDue); see.Part != "0.000058 DAI" {
					t.Errorf("the customer sees %+v", see)
				}
				c.sends(a.Payment, units("1000000000000"))
				wait(3 * time.Second)
				if s.want(pos.PhasePaid); !s.payment(a.Payment).Over.IsZero() {
					t.Error("the step is over")
				}
			})
		})
	}
}

// TestParts: the rest is asked for, across a restart, and what came pays a part when the
// cashier gives up.
func TestParts(t *testing.T) {
	tokenShop(t, func(t *testing.T, s *shop, c *chain) {
		a := s.chargeDAI()
		c.sends(a.Payment, units("29000000000000"))
		wait(3 * time.Second)
		for range 2 {
			see := s.want(pos.PhaseDue)
			if see.QR != "the rest of 0.000029" || see.Quantity != "0.000029 DAI" || see.Due != eur.Of(145) || see.Form != "" {
				t.Errorf("the customer sees %+v", see)
			}
			s.restart()
		}
		s.do(pos.CancelPayment{})
		if v := s.view().Counter.Current; v.State != pos.PartPaid || v.Due != eur.Of(145) {
			t.Fatalf("%+v", v)
		}
		s.do(pos.Pay{Tender: pos.Cash, Given: 145})
		s.want(pos.PhaseChange)
		c.sends(a.Payment, units("29000000000000")) // the rest comes after all
		wait(31 * time.Second)
		v := s.view().Counter
		if len(v.Refunds) != 1 || v.Refunds[0].Came != "0.000029 DAI" || v.Refunds[0].Sells {
			t.Fatalf("owed %+v", v.Refunds)
		}
		s.refusedBy(boss, s.decision(a.Payment, pos.AsSale, ""), pos.Conflict)
		s.doBy(boss, s.decision(a.Payment, pos.GivenBack, "sent back"))
		settle()
		wait(time.Minute)
		if v := s.view().Counter; len(v.Refunds) != 0 {
			t.Errorf("still owed %+v", v.Refunds)
		}
		c.sends(a.Payment, units("29000000000000")) // and once more: only that is owed
		wait(31 * time.Second)
		if v := s.view().Counter; len(v.Refunds) != 1 || v.Refunds[0].Came != "0.000029 DAI" {
			t.Errorf("owed %+v", v.Refunds)
		}
	})
}

// TestForgiven: what the owner forgives is no debt, and is booked as what it is.
func TestForgiven(t *testing.T) {
	tokenShop(t, func(t *testing.T, s *shop, c *chain) {
		c.set(func(c *chain) { c.forgives = units("1000000000000") })
		a := s.chargeDAI()
		c.sends(a.Payment, units("57000000000000"))
		wait(3 * time.Second)
		s.want(pos.PhasePaid)
		if p := s.payment(a.Payment); p.Short.String() != "0.000001 DAI" || p.Amount != eur.Of(290) || p.Owed {
			t.Errorf("booked as %+v", p)
		}
	})
}

// TestNetworkTakesBack: a reorg makes a doubt of what was settled; the completed sale stays, and
// nothing is counted twice when the money is there again.
func TestNetworkTakesBack(t *testing.T) {
	tokenShop(t, func(t *testing.T, s *shop, c *chain) {
		a := s.chargeDAI()
		c.sends(a.Payment, espresso)
		wait(3 * time.Second)
		s.want(pos.PhasePaid)
		c.set(func(c *chain) { c.gone = true })
		wait(31 * time.Second)
		if p := s.payment(a.Payment); p.State != pos.Unknown || !p.Lost {
			t.Fatalf("booked as %+v", p)
		}
		if !strings.Contains(s.notice(), pos.NoticeTrouble) {
			t.Errorf("notices %s", s.notice())
		}
		s.restart()
		wait(10 * time.Minute)
		if p := s.payment(a.Payment); p.State != pos.Unknown {
			t.Errorf("doubt became %s", p.State)
		}
		c.set(func(c *chain) { c.gone = false })
		wait(time.Minute)
		if p := s.payment(a.Payment); p.State != pos.Settled || p.Lost || p.Refundable || p.Late {
			t.Errorf("back, and booked as %+v", p)
		}
		r := pos.NewReport("t", eur)
		for rec := range s.journal.Since(0) {
			if err := r.Add(rec); err != nil {
				t.Fatal(err)
			}
		}
		if r.Sales != 1 || len(r.Received) != 1 || r.Received[0].Amount != eur.Of(290) || r.RefundDue.Count != 0 || r.PaymentDoubts != 1 {
			t.Errorf("reported as %+v", r)
		}
	})
}

// TestNetworkTakesPartBack: an open sale needs the money again.
func TestNetworkTakesPartBack(t *testing.T) {
	tokenShop(t, func(t *testing.T, s *shop, c *chain) {
		a := s.chargeDAI()
		c.sends(a.Payment, units("29000000000000"))
		s.do(pos.CancelPayment{})
		settle()
		c.set(func(c *chain) { c.gone = true })
		wait(31 * time.Second)
		if v := s.view().Counter.Current; v.Due != eur.Of(290) || !v.Doubtful {
			t.Fatalf("%+v", v)
		}
		s.refused(pos.Pay{Tender: pos.Cash}, pos.Conflict)
		c.set(func(c *chain) { c.gone = false })
		wait(31 * time.Second)
		if v := s.view().Counter.Current; v.Due != eur.Of(145) || v.Doubtful {
			t.Fatalf("%+v", v)
		}
	})
}

// TestStray: other money is named and owed, and the right money still pays.
func TestStray(t *testing.T) {
	tokenShop(t, func(t *testing.T, s *shop, c *chain) {
		a := s.chargeDAI()
		c.set(func(c *chain) { c.stray[a.Payment] = 2_900_000 })
		wait(3 * time.Second)
		v := s.view().Counter
		if len(v.Refunds) != 1 || v.Refunds[0].Came != "2.9000 USDC" || !v.Current.Doubtful {
			t.Fatalf("owed %+v", v.Refunds)
		}
		wait(time.Minute)
		if n := strings.Count(s.notice(), pos.NoticeTrouble); n != 1 {
			t.Errorf("told %d times", n)
		}
		c.sends(a.Payment, espresso)
		wait(31 * time.Second)
		s.want(pos.PhasePaid)
		if v := s.view().Counter; len(v.Refunds) != 1 || v.Refunds[0].Came != "2.9000 USDC" {
			t.Errorf("owed %+v", v.Refunds)
		}
	})
}

func (s *shop) doBy(by pos.Actor, a pos.Action) {
	s.t.Helper()
	if _, err := s.Do(s.t.Context(), pos.Command{Key: "by " + time.Now().Format(time.RFC3339Nano), By: by, Do: a}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) refusedBy(by pos.Actor, a pos.Action, want pos.Kind) {
	s.t.Helper()
	if _, err := s.Do(s.t.Context(), pos.Command{Key: "refused" + time.Now().Format(time.RFC3339Nano), By: by, Do: a}); pos.KindOf(err) != want {
		s.t.Errorf("%T: %v, want %v", a, err, want)
	}
}
