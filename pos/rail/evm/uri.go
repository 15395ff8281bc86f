package evm

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// Form is one way to show a payment request: "standard", "address", "metamask",
// "trust".
type Form = pos.Form

// always reports a form that is no one wallet's own.
func always(f Form) bool { return f.Name == "standard" || f.Name == "address" }

// Forms returns every way to ask for units of t at to, the standard one first and
// the one that works in every wallet second.
func Forms(c Chain, t Token, to Address, units *big.Int) []Form {
	out := []Form{
		{Name: "standard", Payload: URI(t, to, units)},
		{Name: "address", Payload: to.String(), Typed: true},
		{Name: "metamask", Payload: "https://link.metamask.io/send/" + strings.TrimPrefix(URI(t, to, units), "ethereum:")},
	}
	if c.Trust != 0 {
		amount := quantityOf(t, units).Number()
		out = append(out, Form{Name: "trust", Payload: fmt.Sprintf("https://link.trustwallet.com/send?asset=c%d_t%s&address=%s&amount=%s", c.Trust, t.Contract, to, amount)})
	}
	return out
}

// quantityOf counts units of t.
func quantityOf(t Token, units *big.Int) pos.Quantity { return coin.QuantityOf(t.Asset(), units) }

// URI returns the ERC-681 text that asks a wallet for units of t at to. Letters are
// small where they can be, digits are plain, the chain is always named: each of
// these is what some wallet in the field trips over.
func URI(t Token, to Address, units *big.Int) string {
	return fmt.Sprintf("ethereum:%s@%d/transfer?address=%s&uint256=%s", t.Contract, t.Chain, to, units)
}

// Request is what an ERC-681 text asks for. Token zero is the native coin.
type Request struct {
	Chain uint64 // 0: the text does not say
	Token Address
	To    Address
	Units *big.Int // nil: the text does not say
}

// maxURI bounds a text that is read.
const maxURI = 512

// ParseURI reads an ERC-681 text as a careful wallet does: exactly what the
// standard's grammar allows for a transfer of a token or of the native coin, with
// addresses instead of names, and no parameter twice. It fails with Invalid.
func ParseURI(s string) (Request, error) {
	bad := func(why string) (Request, error) {
		return Request{}, pos.E("read payment link", pos.Invalid, "this payment link cannot be used: %s", why)
	}
	rest, ok := strings.CutPrefix(s, "ethereum:")
	if !ok || len(s) > maxURI {
		return bad("it does not begin with ethereum:")
	}
	path, query, _ := strings.Cut(strings.TrimPrefix(rest, "pay-"), "?")
	target, function, call := strings.Cut(path, "/")
	target, chain, named := strings.Cut(target, "@")
	var r Request
	if r.Chain, ok = plainNumber(chain); named && (!ok || r.Chain == 0) {
		return bad("its chain is not a number")
	}
	at, err := ParseAddress(target)
	if err != nil {
		return Request{}, err
	}
	params, ok := parameters(query)
	switch {
	case !ok:
		return bad("its parameters are not clear")
	case call && function != "transfer":
		return bad("it asks for something else than a transfer")
	case !call:
		r.To, r.Units, ok = at, number(params["value"]), params["value"] == "" || number(params["value"]) != nil
	default:
		r.Token, r.Units = at, number(params["uint256"])
		r.To, err = ParseAddress(params["address"])
		ok = err == nil && (params["uint256"] == "" || r.Units != nil) && params["value"] == ""
	}
	if !ok {
		return bad("its address or amount is not clear")
	}
	return r, nil
}

// parameters splits a query; a key twice, or one without a value, is refused.
func parameters(query string) (map[string]string, bool) {
	out := map[string]string{}
	if query == "" {
		return out, true
	}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, ok := strings.Cut(pair, "=")
		if _, twice := out[key]; !ok || twice || key == "" || value == "" {
			return nil, false
		}
		out[key] = value
	}
	return out, true
}

// plainNumber reads a chain's number: digits without a sign, not beginning with 0.
func plainNumber(s string) (n uint64, ok bool) {
	if s == "" || len(s) > 18 || s[0] == '0' {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// number reads the standard's number: digits, a point, an exponent. It must come to
// a whole number that is not negative and has at most 256 bits; else it is nil.
func number(s string) *big.Int {
	mantissa, exponent, _ := strings.Cut(strings.ReplaceAll(strings.TrimPrefix(s, "+"), "E", "e"), "e")
	whole, frac, dot := strings.Cut(mantissa, ".")
	shift, ok := uint64(0), true
	if len(exponent) > 0 {
		if shift, ok = plainNumber(exponent); exponent == "0" {
			ok = true
		}
	}
	if !ok || strings.HasSuffix(strings.ToLower(s), "e") || whole+frac == "" || dot && frac == "" || shift > 78 || len(whole)+len(frac) > 160 {
		return nil
	}
	for _, c := range []byte(whole + frac) {
		if c < '0' || c > '9' {
			return nil
		}
	}
	frac = strings.TrimRight(frac, "0")
	if uint64(len(frac)) > shift {
		return nil
	}
	digits := whole + frac + strings.Repeat("0", int(shift)-len(frac))
	n, ok := new(big.Int).SetString("0"+digits, 10)
	if !ok || n.BitLen() > 256 {
		return nil
	}
	return n
}
