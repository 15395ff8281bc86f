// Package postest holds the contracts that every rail must pass.
//
// Promise. A rail that passes TestRail tells the truth about money: it asks twice
// and makes one request, it answers doubt with an error, it never calls a payment
// unpaid that was paid, and it can be killed at any instant without losing one.
// The contract knows no technology; a Harness does.
package postest

import (
	"context"
	"testing"

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

// Harness is one rail before one node, with a customer beside it. Every function
// returns when what it did has taken effect at the node; the rail may hear of it
// later.
type Harness struct {
	Rail     Rail         // running; the node is up
	Tender   pos.Tender   // what its payments are called
	Quantity pos.Quantity // a usual price

	// Pay lets the customer send q for the request of p. The error says that the
	// node did not take it; then nothing was paid.
	Pay func(p pos.Payment, q pos.Quantity) error
	// Expire lets time pass until the request of p has ended at the node.
	Expire func(p pos.Payment)
	// Break takes the node off the line, Mend brings it back as it was.
	Break, Mend func()
	// RestartNode stops the node in order and starts it again.
	RestartNode func()
	// Restart kills the till's side and returns a new rail with the same secrets.
	Restart func() Rail

	// Overpays says that the node takes more than was asked for.
	Overpays bool
	// Part, if not nil, lets the customer send some of the request in such a way
	// that it is on its way and not yet the shop's.
	Part func(p pos.Payment)
	// LateMoney says that money can land after expiry or cancellation.
	LateMoney bool
}

// TestRail holds a rail to the contract. make is called once for each case.
func TestRail(t *testing.T, make func(t testing.TB) Harness) {
}
