package tron

import "github.com/tillwright/tillwright/pos/rail/coin"

// What a policy is made of; see package coin.
type (
	Level  = coin.Level
	Row    = coin.Row
	Policy = coin.Policy
)

// Levels.
const (
	OneBlock Level = "1 block"
	// Solidified: more than two thirds of the producers built on it; it is never undone.
	// It takes about a minute.
	Solidified Level = "solidified"
)

// Usual is the policy of a chain that has none of its own. Sizes are whole tokens,
// which are about dollars.
var Usual = Policy{coin.UpTo(50, OneBlock, 1), coin.UpTo(1000, Solidified, 1), coin.UpTo(0, Solidified, 2)}
