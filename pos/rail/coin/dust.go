package coin

import (
	"math/big"

	"github.com/tillwright/tillwright/pos/rail/unique"
)

// Shown is how many decimals of a token people type.
const Shown = 4

// Step returns the units of the smallest step that people type, of a token with
// decimals: 1 for a token that has no more than Shown. The caller owns it.
func Step(decimals int) *big.Int { return unique.Step(decimals, Shown) }

// Pays reports that got pays for asked: no more than dust is missing, and dust alone pays
// for nothing. All are units of one token, step is its Step.
func Pays(asked, got, step *big.Int) bool {
	missing := new(big.Int).Sub(asked, got)
	return missing.Sign() <= 0 || missing.Cmp(step) < 0 && got.Cmp(step) >= 0
}

// Rest returns what is to be asked for when got of asked came, in whole steps, rounded
// up; zero when got pays. Whoever sends it has paid asked, and less than a step more.
// The caller owns it.
func Rest(asked, got, step *big.Int) *big.Int {
	if Pays(asked, got, step) {
		return new(big.Int)
	}
	n := new(big.Int).Sub(asked, got)
	n.Add(n, step).Sub(n, big.NewInt(1))
	return n.Sub(n, new(big.Int).Rem(n, step))
}

// Part returns what of got is told as paid when Rest of asked is asked for: the two are
// asked together. Zero or less: nothing that is worth telling. The caller owns it.
func Part(asked, got, step *big.Int) *big.Int {
	return new(big.Int).Sub(asked, Rest(asked, got, step))
}

// Told returns what of got is told as received: got itself, less what is no whole step
// beyond the largest of marks that got reaches. Marks are what was asked for and what was
// told before; zero is none. It never falls when got grows. The caller owns it.
func Told(got, step *big.Int, marks ...*big.Int) *big.Int {
	base := new(big.Int)
	for _, m := range marks {
		if m.Cmp(got) <= 0 && m.Cmp(base) > 0 {
			base = m
		}
	}
	if base.Sign() == 0 {
		return new(big.Int).Set(got)
	}
	more := Whole(new(big.Int).Sub(got, base), step)
	return more.Add(more, base)
}

// Whole returns units in whole steps, rounded down. The caller owns it.
func Whole(units, step *big.Int) *big.Int {
	return new(big.Int).Sub(units, new(big.Int).Rem(units, step))
}
