package coin

import (
	"slices"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// PlainName bounds a name that people read, of a chain or a token.
func PlainName(s string) bool { return s != "" && len(s) <= 32 && pos.IsPlain(s) }

// Tender names the tender of a token on a chain: "usdc-base".
func Tender(symbol, chain string) pos.Tender {
	return pos.Tender(strings.ToLower(symbol) + "-" + chain)
}

// First returns the first of list that is.
func First[T any](list []T, is func(T) bool) (out T, ok bool) {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], true
	}
	return out, false
}

// All returns those of list that are; the caller owns the slice.
func All[T any](list []T, are func(T) bool) (out []T) {
	for _, x := range list {
		if are(x) {
			out = append(out, x)
		}
	}
	return out
}
