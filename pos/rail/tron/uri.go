package tron

import (
	"math/big"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// URI returns "tron:T…?amount=12.3401". There is no standard; the text says nothing of
// the token, so that a wallet may send TRX instead: it is never the first form.
func URI(to Address, q pos.Quantity) string { return "tron:" + to.String() + "?amount=" + q.Number() }

// maxURI bounds a text that is read: an address, and 78 digits with a point.
const maxURI = 160

// ParseURI reads what URI writes, or a bare address; amount is in units of a token with
// decimals, nil when the text has none. It fails with Invalid.
func ParseURI(s string, decimals int) (to Address, amount *big.Int, err error) {
	bad := pos.E("read payment link", pos.Invalid, "this payment link cannot be used")
	if len(s) > maxURI {
		return to, nil, bad
	}
	rest, linked := strings.CutPrefix(s, "tron:")
	at, query, asks := strings.Cut(rest, "?")
	if to, err = ParseAddress(at); err != nil || !linked && asks {
		return Address{}, nil, bad
	}
	if !asks {
		return to, nil, nil
	}
	text, ok := strings.CutPrefix(query, "amount=")
	if !ok {
		return Address{}, nil, bad
	}
	if amount, ok = decimal(text, decimals); !ok {
		return Address{}, nil, bad
	}
	return to, amount, nil
}

// decimal reads "12.3401" as units: plain digits, a digit on both sides of the point,
// and not more decimals than the token has.
func decimal(s string, decimals int) (*big.Int, bool) {
	whole, frac, point := strings.Cut(s, ".")
	if whole == "" || point && frac == "" || len(frac) > decimals || len(whole) > 1 && whole[0] == '0' {
		return nil, false
	}
	text := whole + frac + strings.Repeat("0", decimals-len(frac))
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return nil, false
		}
	}
	n, ok := new(big.Int).SetString(text, 10)
	return n, ok && n.BitLen() <= maxBits
}

// maxBits bounds an amount: what a token's contract can count.
const maxBits = 256
