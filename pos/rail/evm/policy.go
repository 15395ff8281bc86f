package evm

import (
	"math/big"
	"slices"

	"github.com/tillwright/tillwright/pos/rail/coin"
)

// What a policy is made of; see package coin.
type (
	Level  = coin.Level
	Row    = coin.Row
	Policy = coin.Policy
)

// Levels.
const (
	OneBlock  Level = "1 block"
	TwoBlocks Level = "2 blocks"
	Safe      Level = "safe"      // the chain's own word: hard to undo
	Finalized Level = "finalized" // the chain's own word: cannot be undone
)

// Sizes of the rows.
const (
	smallSale  = 50
	mediumSale = 1000
)

// Policies by what the chain is. Sources: the chains' own documents, 2026.
var (
	// rollups have one sequencer: its word is good until it is posted to Ethereum.
	rollups = Policy{coin.UpTo(smallSale, OneBlock, 1), coin.UpTo(mediumSale, OneBlock, 2), coin.UpTo(0, Safe, 2)}
	// quick chains are final in seconds; there is no need to be content with less.
	quick    = Policy{coin.UpTo(smallSale, OneBlock, 1), coin.UpTo(mediumSale, Finalized, 1), coin.UpTo(0, Finalized, 2)}
	ethereum = Policy{coin.UpTo(smallSale, OneBlock, 1), coin.UpTo(mediumSale, TwoBlocks, 2), coin.UpTo(0, Finalized, 2)}
	// unknown is for a chain that a merchant added: nothing is known of its reorgs.
	unknown = Policy{coin.UpTo(smallSale, TwoBlocks, 1), coin.UpTo(mediumSale, Finalized, 1), coin.UpTo(0, Finalized, 2)}
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

// checkPolicy fails with Invalid for rows that do not rise or say nothing.
func checkPolicy(p Policy) error { return p.Check(OneBlock, TwoBlocks, Safe, Finalized) }

// rowOf returns the place of the row that a payment needs.
func rowOf(p Policy, t Token, units *big.Int) int { return slices.Index(p, p.Row(t.Decimals, units)) }

// isDeep reports a level that is many blocks behind the newest.
func isDeep(l Level) bool { return l == Safe || l == Finalized }
