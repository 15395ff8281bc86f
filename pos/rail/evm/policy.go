package evm

import (
	"math/big"

	"github.com/tillwright/tillwright/pos"
)

// Level is how deep a payment must lie before it counts.
type Level string

// Levels. The zero Level is none of them.
const (
	OneBlock  Level = "1 block"
	TwoBlocks Level = "2 blocks"
	Safe      Level = "safe"      // the chain's own word: hard to undo
	Finalized Level = "finalized" // the chain's own word: cannot be undone
)

// Row of a policy: what is needed up to a size.
type Row struct {
	UpTo      int64 `json:"up_to"` // whole tokens; 0: any size
	Level     Level `json:"level"`
	Operators int   `json:"operators"` // 1 or 2: how many must say the same
}

// Policy is rows by rising size; the last one is for any size.
type Policy []Row

// Sizes of the rows. They are whole tokens, which are about dollars or euros, so
// that they mean the same in a shop that counts in yen.
const (
	smallSale  = 50
	mediumSale = 1000
)

// Policies by what the chain is. Sources: the chains' own documents, 2026.
var (
	// rollups have one sequencer: its word is good until it is posted to Ethereum.
	rollups = Policy{{smallSale, OneBlock, 1}, {mediumSale, OneBlock, 2}, {0, Safe, 2}}
	// quick chains are final in seconds; there is no need to be content with less.
	quick    = Policy{{smallSale, OneBlock, 1}, {mediumSale, Finalized, 1}, {0, Finalized, 2}}
	ethereum = Policy{{smallSale, OneBlock, 1}, {mediumSale, TwoBlocks, 2}, {0, Finalized, 2}}
	// unknown is for a chain that a merchant added: nothing is known of its reorgs.
	unknown = Policy{{smallSale, TwoBlocks, 1}, {mediumSale, Finalized, 1}, {0, Finalized, 2}}
)

var policies = map[uint64]Policy{1: ethereum, 8453: rollups, 10: rollups, 42161: rollups, 137: quick, 56: quick, 43114: quick}

// PolicyOf returns the policy of a chain: its own, or that of its kind.
func PolicyOf(c Chain) Policy {
	if len(c.Policy) > 0 {
		return c.Policy
	}
	if p, ok := policies[c.ID]; ok {
		return p
	}
	return unknown
}

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

// check fails with Invalid for rows that do not rise or say nothing. An empty
// policy is fine: it stands for the chain's own.
func (p Policy) check() error {
	last := int64(0)
	for i, r := range p {
		end := i == len(p)-1
		known := r.Level == OneBlock || r.Level == TwoBlocks || r.Level == Safe || r.Level == Finalized
		if !known || r.Operators < 1 || r.Operators > 2 || r.UpTo < 0 || end != (r.UpTo == 0) || !end && r.UpTo <= last || r.UpTo > 1e12 {
			return pos.E("read policy", pos.Invalid,
				`row %d of a policy: sizes rise, only the last is 0; level is "1 block", "2 blocks", "safe" or "finalized"; operators is 1 or 2`, i+1)
		}
		last = r.UpTo
	}
	return nil
}
