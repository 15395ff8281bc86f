package solana

import "github.com/tillwright/tillwright/pos/rail/coin"

// What a policy is made of; see package coin. A level is how certain the cluster must be
// of a payment. Slots are never counted: the cluster says it.
type (
	Level  = coin.Level
	Row    = coin.Row
	Policy = coin.Policy
)

// Levels. "processed" is none at all: such a block may be skipped.
const (
	Confirmed Level = "confirmed" // two thirds of the stake voted for it
	Finalized Level = "finalized" // cannot be undone
)

// DefaultPolicy is what holds unless Options say otherwise. Its sizes are whole
// tokens, which are about dollars or euros.
var DefaultPolicy = Policy{coin.UpTo(50, Confirmed, 1), coin.UpTo(1000, Confirmed, 2), coin.UpTo(0, Finalized, 2)}
