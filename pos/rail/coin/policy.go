package coin

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// Level is how deep a payment must lie before it counts, in its chain's own words. The
// zero Level is none.
type Level string

// Row of a policy: what is needed up to a size.
type Row struct {
	UpTo      int64 `json:"up_to"` // whole tokens; 0: any size
	Level     Level `json:"level"`
	Operators int   `json:"operators"` // 1 or 2: how many must say the same
}

// UpTo returns a row for payments of at most size whole tokens; 0: of any size.
func UpTo(size int64, l Level, operators int) Row { return Row{size, l, operators} }

// Policy is rows by rising size; the last one is for any size. Sizes are whole tokens,
// which are about dollars or euros, so that they mean the same in a shop that counts in
// yen.
type Policy []Row

// Row returns what a payment of units of a token with decimals needs.
func (p Policy) Row(decimals int, units *big.Int) Row {
	one := One(decimals)
	for _, r := range p {
		if r.UpTo == 0 || units.Cmp(new(big.Int).Mul(one, big.NewInt(r.UpTo))) <= 0 {
			return r
		}
	}
	return p[len(p)-1] // Check: it is for any size
}

// One returns the units of a whole token with decimals; the caller owns it.
func One(decimals int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
}

// Operators returns the most that any row needs, at least 1.
func (p Policy) Operators() int {
	n := 1
	for _, r := range p {
		n = max(n, r.Operators)
	}
	return n
}

// maxSize bounds a row's size: what is above it is a slip.
const maxSize = 1e12

// Check fails with Invalid for rows that do not rise or say nothing, or whose level is
// none of these. An empty policy is fine: it stands for the chain's own.
func (p Policy) Check(levels ...Level) error {
	last := int64(0)
	for i, r := range p {
		end := i == len(p)-1
		if !slices.Contains(levels, r.Level) || r.Operators < 1 || r.Operators > 2 || r.UpTo < 0 || end != (r.UpTo == 0) || !end && r.UpTo <= last || r.UpTo > maxSize {
			return pos.E("read policy", pos.Invalid,
				`row %d of a policy: sizes rise, only the last is 0; level is %s; operators is 1 or 2`, i+1, oneOf(levels))
		}
		last = r.UpTo
	}
	return nil
}

// oneOf lists levels: "a", "b" or "c".
func oneOf(levels []Level) string {
	var quoted []string
	for _, l := range levels {
		quoted = append(quoted, fmt.Sprintf("%q", l))
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
