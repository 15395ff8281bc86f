package solana

import (
	"math/big"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// number writes units in a wallet's numbers: "12.3401", no exponent, no zero behind.
func number(units *big.Int, decimals int) string {
	s := units.String()
	if pad := decimals + 1 - len(s); pad > 0 {
		s = strings.Repeat("0", pad) + s
	}
	whole, frac := s[:len(s)-decimals], strings.TrimRight(s[len(s)-decimals:], "0")
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}

// URI returns the Solana Pay transfer request for units of t to owner. A space is
// %20: wallets differ over "+". The reference and the label stay out where they are
// zero or empty: some wallets refuse, and some drop, what has a reference.
func URI(t Token, owner Key, units *big.Int, reference Key, label string) string {
	s := "solana:" + owner.String() + "?amount=" + number(units, t.Decimals) + "&spl-token=" + t.Mint.String()
	if !reference.IsZero() {
		s += "&reference=" + reference.String()
	}
	if label != "" {
		s += "&label=" + escape(label)
	}
	return s
}

// escape writes text into a query, every byte that is not a letter, a digit or -._~
// by its number.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// Request is what a transfer request asks for. Token zero is the native coin.
type Request struct {
	To         Key
	Amount     string // in the wallet's numbers; empty: the wallet asks
	Token      Key
	References []Key
	Label      string
	Message    string
	Memo       string
}

// Bounds of a text that is read.
const (
	maxURI        = 1024
	maxReferences = 8
	maxDigits     = 40
)

// ParseURI reads a Solana Pay transfer request as a careful wallet does, exactly by
// the specification (solana-foundation/pay, SPEC.md): no parameter twice but the
// reference, an amount without exponent, texts that are UTF-8. It fails with Invalid.
func ParseURI(s string) (Request, error) {
	bad := func(why string) (Request, error) {
		return Request{}, pos.E("read payment link", pos.Invalid, "this payment link cannot be used: %s", why)
	}
	rest, ok := strings.CutPrefix(s, "solana:")
	if !ok || len(s) > maxURI {
		return bad("it does not begin with solana:")
	}
	path, query, asks := strings.Cut(rest, "?")
	to, err := ParseKey(path)
	if err != nil || asks && query == "" {
		return bad("it names no account to pay to")
	}
	r := Request{To: to}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(query, "&") {
		if !asks {
			break
		}
		key, value, ok := strings.Cut(pair, "=")
		if !ok || value == "" || seen[key] && key != "reference" {
			return bad("its parameters are not clear")
		}
		seen[key] = true
		if !r.take(key, value) {
			return bad("its " + known(key) + " is not clear")
		}
	}
	return r, nil
}

// known names a parameter, and not what a stranger wrote.
func known(key string) string {
	for _, k := range []string{"amount", "spl-token", "reference", "label", "message", "memo"} {
		if k == key {
			return k
		}
	}
	return "text"
}

// take reads one parameter. One that nobody knows is left alone, as wallets do.
func (r *Request) take(key, value string) bool {
	switch key {
	case "amount":
		r.Amount = value
		return plainNumber(value)
	case "spl-token":
		k, err := ParseKey(value)
		r.Token = k
		return err == nil && !k.IsZero()
	case "reference":
		k, err := ParseKey(value)
		r.References = append(r.References, k)
		return err == nil && len(r.References) <= maxReferences
	}
	text, err := url.PathUnescape(value) // "+" stays "+"
	switch key {
	case "label":
		r.Label = text
	case "message":
		r.Message = text
	case "memo":
		r.Memo = text
	default:
		return true
	}
	return err == nil && utf8.ValidString(text)
}

// plainNumber reports digits, or digits, a point and digits; no zero before others.
func plainNumber(s string) bool {
	whole, frac, dot := strings.Cut(s, ".")
	if whole == "" || dot && frac == "" || len(s) > maxDigits || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	return strings.Trim(whole+frac, "0123456789") == ""
}

// Units returns the amount in base units of a token. ok is false without an amount,
// and when it has more decimals than the token: then a wallet must refuse.
func (r Request) Units(decimals int) (n *big.Int, ok bool) {
	whole, frac, _ := strings.Cut(r.Amount, ".")
	if !plainNumber(r.Amount) || len(frac) > decimals {
		return nil, false
	}
	return new(big.Int).SetString(whole+frac+strings.Repeat("0", decimals-len(frac)), 10)
}

// Names of the forms of a request.
const (
	formStandard = "standard"
	formPlain    = "other"
	formAddress  = "address"
)

// forms returns the ways to ask for units with p's reference: the whole request; one for
// wallets that stop at a reference; and the bare account, which every wallet and
// exchange can read. The last two are only for an amount that p holds: else another sale
// may have it.
func (r *Rail) forms(p *payment, units *big.Int) []pos.Form {
	amount := quantityOf(r.w.o.Cluster, r.token, units).String()
	r.w.mu.Lock()
	held := p.owns(1<<53, func(n *big.Int) bool { return n.Cmp(units) == 0 })
	r.w.mu.Unlock()
	out := []pos.Form{
		{Name: formStandard, Payload: URI(r.token, p.ref.owner, units, p.ref.key, r.w.o.Label), Caption: r.w.word("evm_form_standard")},
		{Name: formPlain, Payload: URI(r.token, p.ref.owner, units, Key{}, ""), Caption: r.w.word("sol_form_other")},
		{Name: formAddress, Payload: p.ref.owner.String(), Typed: true, Caption: r.w.word("evm_form_typed", "amount", amount, "chain", r.w.o.Cluster.Name)},
	}
	if !held {
		return out[:1]
	}
	return out
}

// quantityOf counts units of t; what no u64 holds cannot be, and counts as nothing.
func quantityOf(c Cluster, t Token, units *big.Int) pos.Quantity {
	return coin.QuantityOf(t.asset(c), units)
}
