package tron

import (
	"math/big"

	"github.com/tillwright/tillwright/pos"
)

// Level is how deep a payment must lie before it counts.
type Level string

// Levels. The zero Level is none of them.
const (
	OneBlock Level = "1 block"
	// Solidified: more than two thirds of the producers built on it; it is never undone.
	// It takes about a minute.
	Solidified Level = "solidified"
)

// Row of a policy: what is needed up to a size.
type Row struct {
	UpTo      int64 `json:"up_to"` // whole tokens; 0: any size
	Level     Level `json:"level"`
	Operators int   `json:"operators"` // 1 or 2: how many must say the same
}

// Policy is rows by rising size; the last one is for any size.
type Policy []Row

// Usual is the policy of a chain that has none of its own. Sizes are whole tokens,
// which are about dollars.
var Usual = Policy{{50, OneBlock, 1}, {1000, Solidified, 1}, {0, Solidified, 2}}

// Row returns what a payment of units of t needs.
func (p Policy) Row(t Token, units *big.Int) Row {
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
		known := r.Level == OneBlock || r.Level == Solidified
		if !known || r.Operators < 1 || r.Operators > 2 || r.UpTo < 0 || end != (r.UpTo == 0) || !end && r.UpTo <= last || r.UpTo > 1e12 {
			return pos.E("read policy", pos.Invalid,
				`row %d of a policy: sizes rise, only the last is 0; level is "1 block" or "solidified"; operators is 1 or 2`, i+1)
		}
		last = r.UpTo
	}
	return nil
}
