package solana

import (
	"math/big"

	"github.com/tillwright/tillwright/pos"
)

// Level is how certain the cluster must be of a payment before it counts. Slots are
// never counted: the cluster says it.
type Level string

// Levels. The zero Level is none of them, and "processed" is none at all: such a
// block may be skipped.
const (
	Confirmed Level = "confirmed" // two thirds of the stake voted for it
	Finalized Level = "finalized" // cannot be undone
)

// Row of a policy: what is needed up to a size.
type Row struct {
	UpTo      int64 // whole tokens; 0: any size
	Level     Level
	Operators int // 1 or 2: how many must say the same
}

// Policy is rows by rising size; the last one is for any size.
type Policy []Row

// DefaultPolicy is what holds unless Options say otherwise. Its sizes are whole
// tokens, which are about dollars or euros.
var DefaultPolicy = Policy{{50, Confirmed, 1}, {1000, Confirmed, 2}, {0, Finalized, 2}}

// row returns what a payment of units of t needs.
func (p Policy) row(t Token, units *big.Int) Row {
	one := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Decimals)), nil)
	for _, r := range p {
		if r.UpTo == 0 || units.Cmp(new(big.Int).Mul(one, big.NewInt(r.UpTo))) <= 0 {
			return r
		}
	}
	return p[len(p)-1] // check: it is for any size
}

// operators returns the most that any row needs.
func (p Policy) operators() int {
	n := 1
	for _, r := range p {
		n = max(n, r.Operators)
	}
	return n
}

// check fails with Invalid for rows that do not rise or say nothing.
func (p Policy) check() error {
	last := int64(0)
	for i, r := range p {
		end := i == len(p)-1
		known := r.Level == Confirmed || r.Level == Finalized
		if !known || r.Operators < 1 || r.Operators > 2 || r.UpTo < 0 || end != (r.UpTo == 0) || !end && r.UpTo <= last || r.UpTo > 1e12 {
			return pos.E("read policy", pos.Invalid,
				`row %d of the policy of Solana: sizes rise, only the last is 0; level is "confirmed" or "finalized"; operators is 1 or 2`, i+1)
		}
		last = r.UpTo
	}
	return nil
}
