package pos

import (
	"encoding/json"
	"math/big"
	"strings"
	"time"
)

// Asset is what a rail moves: bitcoin, or one token on one chain.
type Asset struct {
	ID       string `json:"id"`             // "BTC", or chain and contract of a token
	Symbol   string `json:"symbol"`         // what a customer reads behind the number: "sat", "USDC"
	Decimals int    `json:"decimals"`       // of a base unit, seen from Symbol: 3 for sat (millisatoshi), 6 or 18 for tokens
	Shown    int    `json:"shown"`          // decimals a wallet can enter: 0 for sat; at most Decimals
	Coin     string `json:"coin,omitempty"` // what prices are quoted for when it is not Symbol: "BTC"
	CoinZero int    `json:"coin_decimals,omitempty"`
}

// Bitcoin is counted in millisatoshis and shown in whole satoshis, the smallest
// step that every wallet can pay.
var Bitcoin = Asset{ID: "BTC", Symbol: "sat", Decimals: 3, Shown: 0, Coin: "BTC", CoinZero: 11}

// Limits of an asset. The largest tokens have 18 decimals, bitcoin in
// millisatoshis 11; a file that says a billion must not make us write its zeros.
const (
	maxDecimals  = 36
	maxAssetText = 120 // bytes of an ID: chain and contract
)

// valid fails with Invalid for an asset that cannot be: it may come from a file.
func (a Asset) valid() error {
	ok := 0 <= a.Shown && a.Shown <= a.Decimals && a.Decimals <= maxDecimals && 0 <= a.CoinZero && a.CoinZero <= maxDecimals
	for _, s := range []string{a.ID, a.Symbol, a.Coin} {
		ok = ok && len(s) <= maxAssetText && IsPlain(s)
	}
	if !ok {
		return E("read asset", Invalid, "%q is not an asset that can be", clip(a.ID))
	}
	return nil
}

// step is the number of base units in the smallest step a wallet can enter.
func (a Asset) step() *big.Int { return pow10(a.Decimals - a.Shown) }

// quote returns the name and the base-unit decimals that prices are quoted for.
func (a Asset) quote() (string, int) {
	if a.Coin != "" {
		return a.Coin, a.CoinZero
	}
	return a.Symbol, a.Decimals
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, 0))), nil)
}

// maxQuantityBits bounds a Quantity: what the widest chain can count.
const maxQuantityBits = 256

// Quantity is a number of an asset's base units, not negative and at most 256
// bits. It is no int64: ten units of an 18-decimals token overflow one. A
// Quantity never changes, so copies may share n. Compare with Cmp, not with ==.
type Quantity struct {
	n     *big.Int // nil is zero
	Asset Asset
}

// Units returns n base units of a. It keeps its own copy of n and fails with
// Invalid when n is negative or longer than 256 bits.
func (a Asset) Units(n *big.Int) (Quantity, error) {
	if n == nil || n.Sign() < 0 || n.BitLen() > maxQuantityBits {
		return Quantity{}, E("count "+a.ID, Invalid, "not a quantity of %s", a.Symbol)
	}
	return Quantity{new(big.Int).Set(n), a}, nil
}

// UnitsOf returns n base units of a; a negative n counts as zero.
func (a Asset) UnitsOf(n int64) Quantity { return Quantity{big.NewInt(max(n, 0)), a} }

// Int returns the base units; the caller owns the copy.
func (q Quantity) Int() *big.Int {
	if q.n == nil {
		return new(big.Int)
	}
	return new(big.Int).Set(q.n)
}

// IsZero reports that there is nothing.
func (q Quantity) IsZero() bool { return q.n == nil || q.n.Sign() == 0 }

// Cmp compares base units: -1, 0 or +1. Quantities of different assets do not
// compare; it panics, for that is our own bug.
func (q Quantity) Cmp(r Quantity) int {
	if q.Asset.ID != r.Asset.ID && !q.IsZero() && !r.IsZero() {
		panic("pos: comparing " + q.Asset.ID + " with " + r.Asset.ID)
	}
	return q.Int().Cmp(r.Int())
}

// Minus returns q - r, or zero when r is larger. Both must be of the same asset.
func (q Quantity) Minus(r Quantity) Quantity {
	n := q.Int()
	if n.Sub(n, r.Int()).Sign() < 0 {
		n.SetInt64(0)
	}
	return Quantity{n, q.Asset}
}

// Number returns the quantity in the asset's symbol, with as many decimals as a
// wallet can enter and more only when they are not zero: "1234", "12.340100".
func (q Quantity) Number() string {
	s := decimal("", q.Int().String(), q.Asset.Decimals)
	whole, frac, _ := strings.Cut(s, ".")
	for len(frac) > q.Asset.Shown && frac[len(frac)-1] == '0' {
		frac = frac[:len(frac)-1]
	}
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}

// String returns number and symbol: "1234 sat".
func (q Quantity) String() string { return q.Number() + " " + q.Asset.Symbol }

// Exact returns base units and the asset's ID, "1234000 BTC": other quantities read otherwise.
func (q Quantity) Exact() string { return q.Int().String() + " " + q.Asset.ID }

type quantityJSON struct {
	Units string `json:"units"`
	Asset Asset  `json:"asset"`
}

// MarshalJSON writes the base units as a string, and the asset.
func (q Quantity) MarshalJSON() ([]byte, error) {
	return json.Marshal(quantityJSON{q.Int().String(), q.Asset})
}

var quantityKeys = []string{"units", "asset"}

// maxUnits is how many digits 256 bits have.
const maxUnits = 78

// UnmarshalJSON reads what MarshalJSON wrote; anything else is Invalid.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	var in quantityJSON
	if err := decodeStrict(b, &in, quantityKeys); err != nil {
		return Wrap("read quantity", Invalid, err, "that is not a quantity")
	}
	if err := in.Asset.valid(); err != nil {
		return err
	}
	n, ok := new(big.Int), len(in.Units) <= maxUnits && allDigits(in.Units)
	if ok {
		_, ok = n.SetString(in.Units, 10)
	}
	if !ok || n.String() != in.Units {
		return E("read quantity", Invalid, "%q is not a number of units", clip(in.Units))
	}
	out, err := in.Asset.Units(n)
	*q = out
	return err
}

// Rate is the exact price of one minor unit of From, in base units of To.
type Rate struct {
	From   Currency
	To     Asset
	Units  *big.Rat // positive
	Source string   // for the receipt: "median of 3"
	At     time.Time
}

// RateOf makes the Rate from a quoted price of one whole coin (or token) of to:
// "58123.40" EUR for one BTC. It fails with Invalid unless price is a positive
// decimal number of at most 40 characters.
func RateOf(from Currency, to Asset, price, source string, at time.Time) (Rate, error) {
	r, ok := new(big.Rat), len(price) <= 40 && allDigits(strings.Replace(price, ".", "", 1)) && price != "."
	if ok {
		_, ok = r.SetString(price)
	}
	if !ok || r.Sign() <= 0 {
		return Rate{}, E("read rate", Invalid, "%q is not a price", clip(price))
	}
	_, decimals := to.quote()
	perCoin := new(big.Rat).SetInt(pow10(decimals))                         // base units in a coin
	minor := new(big.Rat).Mul(r, new(big.Rat).SetInt(pow10(from.Decimals))) // minor units a coin costs
	return Rate{from, to, perCoin.Quo(perCoin, minor), source, at}, nil
}

// Price returns what one whole coin costs, rounded half up to from's decimals:
// "1 BTC = 58123.40 EUR". It is for people; Charge computes with the exact rate.
func (r Rate) Price() string {
	if r.Units == nil || r.Units.Sign() <= 0 {
		return ""
	}
	coin, decimals := r.To.quote()
	minor := new(big.Rat).SetInt(pow10(decimals))
	minor.Quo(minor, r.Units).Quo(minor, new(big.Rat).SetInt(pow10(r.From.Decimals)))
	return "1 " + coin + " = " + minor.FloatString(r.From.Decimals) + " " + r.From.Code
}

// Charge prices a sale of a, rounded up to the smallest step a wallet can enter:
// the customer pays the fraction, so the shop never loses one.
//
// Charge fails with Invalid when a is negative or not in r.From, when r.Units is
// not positive, or when the result passes 256 bits.
func (r Rate) Charge(a Amount) (Quantity, error) { return r.convert("charge", a, true) }

// Refund prices a refund of a as Charge does, but rounds down.
func (r Rate) Refund(a Amount) (Quantity, error) { return r.convert("refund", a, false) }

func (r Rate) convert(op string, a Amount, up bool) (Quantity, error) {
	switch {
	case a.Currency != r.From || a.Minor < 0:
		return Quantity{}, E(op, Invalid, "cannot price %v in %s", a, r.From.Code)
	case r.Units == nil || r.Units.Sign() <= 0:
		return Quantity{}, E(op, Invalid, "no rate from %s to %s", r.From.Code, r.To.Symbol)
	}
	step := r.To.step()
	num := new(big.Int).Mul(big.NewInt(a.Minor), r.Units.Num())
	den := new(big.Int).Mul(r.Units.Denom(), step)
	n, rem := new(big.Int).QuoRem(num, den, new(big.Int))
	if up && rem.Sign() > 0 {
		n.Add(n, big.NewInt(1))
	}
	if n.Mul(n, step).BitLen() > maxQuantityBits {
		return Quantity{}, E(op, Invalid, "%v is too large for %s", a, r.To.Symbol)
	}
	return Quantity{n, r.To}, nil
}

type rateJSON struct {
	From   string    `json:"from"`
	To     Asset     `json:"to"`
	Units  string    `json:"units"` // "numerator/denominator"
	Source string    `json:"source"`
	At     time.Time `json:"at"`
}

var rateKeys = []string{"from", "to", "units", "source", "at"}

// maxRateText bounds a kept rate: two numbers of 40 digits each and then some.
const maxRateText = 200

// MarshalJSON writes the exact fraction as text.
func (r Rate) MarshalJSON() ([]byte, error) {
	units := "0"
	if r.Units != nil {
		units = r.Units.RatString()
	}
	return json.Marshal(rateJSON{r.From.Code, r.To, units, r.Source, r.At})
}

// UnmarshalJSON reads what MarshalJSON wrote; anything else is Invalid.
func (r *Rate) UnmarshalJSON(b []byte) error {
	var in rateJSON
	if err := decodeStrict(b, &in, rateKeys); err != nil {
		return Wrap("read rate", Invalid, err, "that is not a rate")
	}
	if err := in.To.valid(); err != nil {
		return err
	}
	c, err := CurrencyOf(in.From)
	if err != nil {
		return err
	}
	units, ok := new(big.Rat), len(in.Units) <= maxRateText && allDigits(strings.Replace(in.Units, "/", "", 1))
	if ok {
		_, ok = units.SetString(in.Units)
	}
	if !ok || units.Sign() <= 0 || units.RatString() != in.Units { // one spelling: "010/3" would be octal
		return E("read rate", Invalid, "%q is not a rate", clip(in.Units))
	}
	*r = Rate{c, in.To, units, in.Source, in.At}
	return nil
}
