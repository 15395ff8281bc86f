// Package postest holds the contract that every rail must pass.
//
// Promise. A rail that passes TestRail tells the truth about money: it asks twice
// and makes one request, it answers doubt with an error, it never calls a payment
// unpaid that was paid, and the till can be killed at any instant without losing
// one. The contract knows no technology; a Harness does, and brings a node (real,
// or made of code) and a customer.
package postest

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Rail is what the contract tests: the methods that the desk uses.
type Rail interface {
	Health() pos.Health
	Ask(ctx context.Context, p pos.Payment, memo string) (pos.Asked, error)
	Check(ctx context.Context, p pos.Payment) (pos.Finding, error)
	Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error)
	Watch(ctx context.Context, p pos.Payment, wake func())
}

// Harness is one rail before one node, with a customer beside it. Its functions
// return when what they did has taken effect at the node; the rail may hear of it
// later. Those marked optional may be nil: the technology has no such thing, and
// the cases about it are left out.
type Harness struct {
	Rail     Rail         // its health loop runs; the node is up
	Tender   pos.Tender   // what its payments are called
	Quantity pos.Quantity // a usual price, at least two of the asset's smallest steps

	// Pay lets the customer send q for the request of p. An error says that it was
	// not taken; then nothing was paid.
	Pay func(p pos.Payment, q pos.Quantity) error
	// Expire lets time pass until the request of p has ended at the node. Optional.
	Expire func(p pos.Payment)
	// Break takes the node off the till's line, Mend brings it back. The customer can
	// still pay in between.
	Break, Mend func()
	// RestartNode stops the node in order and starts it again. Optional.
	RestartNode func()
	// Restart kills the till's side and returns a new rail with the same secrets.
	Restart func() Rail
	// Part lets the customer send some of the request so that it is on its way and
	// not yet the shop's. Optional.
	Part func(p pos.Payment)

	// Overpays: the node takes more than was asked for.
	Overpays bool
	// Withdraws: after Cancel nobody can pay. Where that is false (a chain), Cancel
	// still answers, money can land later, and no finding of an end is Final; one that it
	// is paid need not be.
	Withdraws bool
}

// patience bounds every wait for something that the rail learns by itself.
const patience = 2 * time.Minute

// tick is how often a condition is looked at meanwhile.
const tick = 100 * time.Millisecond

// TestRail holds a rail to the contract, in real time. make is called once a case.
func TestRail(t *testing.T, make func(t testing.TB) Harness) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { run(t, make, c.body) })
	}
}

// TestRailInBubble is TestRail with each case in a synctest bubble: for rails and
// nodes that live in memory. Hours cost nothing there.
func TestRailInBubble(t *testing.T, make func(t testing.TB) Harness) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { run(t, make, c.body) })
		})
	}
}

func run(t testing.TB, make func(t testing.TB) Harness, body func(k *kit)) {
	k := &kit{TB: t, Harness: make(t)}
	k.until("the rail is ready", func() bool { return k.Rail.Health().Ready })
	body(k)
}

// kit is a case at work.
type kit struct {
	testing.TB
	Harness
}

// now returns a whole second: records keep no more of it than they need.
func (k *kit) now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// next returns a payment that was just chosen.
func (k *kit) next() pos.Payment {
	sale := pos.SaleID(fmt.Sprintf("%.8s%05d", runID, sales.Add(1)))
	eur, err := pos.CurrencyOf("EUR")
	if err != nil {
		k.Fatal(err)
	}
	return pos.Payment{
		ID: pos.PaymentIDOf(sale, 1), Sale: sale, Attempt: 1, Tender: k.Tender, State: pos.Intended,
		Amount: eur.Of(250), At: k.now(), Moved: k.now(), Quantity: k.Quantity,
	}
}

// ask makes the request and moves p as the desk does.
func (k *kit) ask(p pos.Payment) pos.Payment {
	k.Helper()
	a, err := k.Rail.Ask(k.Context(), p, "Cafe #0001 2.50 EUR")
	if err != nil {
		k.Fatalf("ask: %v", err)
	}
	if a.Reference == "" || a.Payload == "" || a.Network == "" || !a.Expires.After(time.Now()) {
		k.Fatalf("asked, and got %+v", a)
	}
	p.Reference, p.Payload, p.Network, p.Expires = a.Reference, a.Payload, a.Network, a.Expires
	if !a.Quantity.IsZero() {
		p.Quantity = a.Quantity
	}
	return k.move(p, pos.Request)
}

func (k *kit) move(p pos.Payment, ev pos.Event) pos.Payment {
	k.Helper()
	if err := p.Apply(ev, k.now()); err != nil {
		k.Fatalf("%v", err)
	}
	return p
}

// pay lets the customer pay exactly.
func (k *kit) pay(p pos.Payment) {
	k.Helper()
	if err := k.Pay(p, p.Quantity); err != nil {
		k.Fatalf("the customer could not pay: %v", err)
	}
}

// check asks once, and holds the answer against the payment's life: an event that
// cannot move it is none.
func (k *kit) check(r Rail, p pos.Payment) pos.Finding {
	k.Helper()
	f, err := r.Check(k.Context(), p)
	if err != nil {
		k.Fatalf("check: %v", err)
	}
	if q := p; f.Event != "" && q.Apply(f.Event, k.now()) != nil {
		k.Fatalf("a payment that is %s was found to %s", p.State, f.Event)
	}
	return f
}

// settles asks until p is found paid, with exactly want.
func (k *kit) settles(r Rail, p pos.Payment, want pos.Quantity) {
	k.Helper()
	var f pos.Finding
	k.until("the payment is found", func() bool {
		got, err := r.Check(k.Context(), p)
		f = got
		return err == nil && got.Event == pos.Settle
	})
	k.settled(f, want)
}

func (k *kit) settled(f pos.Finding, want pos.Quantity) {
	k.Helper()
	if f.Event != pos.Settle || (k.Withdraws && !f.Final) || f.Received.Cmp(want) != 0 || f.Received.Asset.ID != want.Asset.ID {
		k.Fatalf("found %+v, want %v settled for good", f, want)
	}
}

// nothing demands that p is neither paid nor ended.
func (k *kit) nothing(p pos.Payment) {
	k.Helper()
	if f := k.check(k.Rail, p); f.Event != "" || f.Final {
		k.Fatalf("found %+v, want nothing new", f)
	}
}

// doubt demands an error that says to try again, and no finding beside it.
func (k *kit) doubt(what string, f pos.Finding, err error) {
	k.Helper()
	if err == nil || pos.KindOf(err) != pos.Unavailable || f != (pos.Finding{}) {
		k.Fatalf("%s without an answer gave %+v, %v; want nothing, and Unavailable", what, f, err)
	}
}

// until waits for something that the rail learns by itself.
func (k *kit) until(what string, ok func() bool) {
	k.Helper()
	every := time.NewTicker(tick)
	defer every.Stop()
	for end := time.Now().Add(patience); !ok(); <-every.C {
		if time.Now().After(end) {
			k.Fatalf("after %v still not true: %s (health %+v)", patience, what, k.Rail.Health())
		}
	}
}
