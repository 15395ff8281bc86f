package pos

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Currency is one of ISO 4217's, with the number of decimals its minor unit has.
type Currency struct {
	Code     string // three capital letters
	Decimals int    // 2 for EUR, 0 for JPY, 3 for KWD
}

// CurrencyOf returns the currency of an ISO 4217 code. It fails with Invalid for
// a code that is not money a shop takes.
func CurrencyOf(code string) (Currency, error) {
	for decimals, codes := range currencies {
		if len(code) == 3 && strings.Contains(codes, code) && strings.Index(codes, code)%4 == 0 {
			return Currency{code, decimals}, nil
		}
	}
	return Currency{}, E("read currency", Invalid, "%q is not a currency of ISO 4217", code)
}

// currencies lists the codes in force by their number of decimals (ISO 4217
// list one, 2026), four bytes a code.
var currencies = map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF ",
	2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC " +
		"CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES " +
		"KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR " +
		"NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT " +
		"TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG ",
	3: "BHD IQD JOD KWD LYD OMR TND ",
}

// Amount is a sum of fiat money, counted in its currency's minor unit: cents for
// EUR, whole yen for JPY, fils for KWD. Arithmetic that would pass the end of
// int64 fails with Invalid; it never wraps.
type Amount struct {
	Minor    int64
	Currency Currency
}

// Zero returns no money in c.
func (c Currency) Zero() Amount { return Amount{0, c} }

// Of returns minor minor units of c.
func (c Currency) Of(minor int64) Amount { return Amount{minor, c} }

// Add returns a + b. It fails with Invalid when the currencies differ or the sum
// overflows.
func (a Amount) Add(b Amount) (Amount, error) {
	sum := a.Minor + b.Minor
	switch {
	case a.Currency != b.Currency:
		return Amount{}, E("add", Invalid, "cannot add %s to %s", b.Currency.Code, a.Currency.Code)
	case (a.Minor > 0 && b.Minor > 0 && sum <= 0) || (a.Minor < 0 && b.Minor < 0 && sum >= 0):
		return Amount{}, E("add", Invalid, "the sum is too large")
	}
	return Amount{sum, a.Currency}, nil
}

// Sub returns a - b, and fails as Add does.
func (a Amount) Sub(b Amount) (Amount, error) {
	if b.Minor == math.MinInt64 {
		return Amount{}, E("subtract", Invalid, "the sum is too large")
	}
	return a.Add(Amount{-b.Minor, b.Currency})
}

// Sum adds amounts of c. It fails as Add does.
func (c Currency) Sum(amounts ...Amount) (Amount, error) {
	total, err := c.Zero(), error(nil)
	for _, a := range amounts {
		if total, err = total.Add(a); err != nil {
			return Amount{}, err
		}
	}
	return total, nil
}

// mulDiv returns a·b/d rounded half away from zero, in one step without an
// intermediate overflow. d must be positive. ok is false when the result passes
// the end of int64.
func mulDiv(a, b, d int64) (q int64, ok bool) {
	neg := (a < 0) != (b < 0)
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	lo, carry := bits.Add64(lo, uint64(d)/2, 0)
	hi += carry
	if hi >= uint64(d) {
		return 0, false
	}
	n, _ := bits.Div64(hi, lo, uint64(d))
	if n > math.MaxInt64 {
		return 0, false
	}
	if neg {
		return -int64(n), true
	}
	return int64(n), true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// String returns the number with its decimals and the code: "-12.50 EUR".
func (a Amount) String() string { return a.Number() + " " + a.Currency.Code }

// Number returns the sum with a point and all its decimals, no code, no
// grouping: "-0.05".
func (a Amount) Number() string {
	return decimal(a.sign(), magnitudeString(a.Minor), a.Currency.Decimals)
}

func (a Amount) sign() string {
	if a.Minor < 0 {
		return "-"
	}
	return ""
}

func magnitudeString(n int64) string { return strconv.FormatUint(magnitude(n), 10) }

// decimal sets a point into digits so that decimals of them follow it.
func decimal(sign, digits string, decimals int) string {
	if decimals <= 0 {
		return sign + digits
	}
	if pad := decimals + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	cut := len(digits) - decimals
	return sign + digits[:cut] + "." + digits[cut:]
}

// ParseAmount reads a number such as "12.50" as a sum of c. It takes a point as
// the decimal sign, at most c's decimals, and an optional leading minus; it
// fails with Invalid otherwise or when int64 is too small.
func ParseAmount(s string, c Currency) (Amount, error) {
	bad := func() (Amount, error) {
		return Amount{}, E("read amount", Invalid, "%q is not an amount in %s", clip(s), c.Code)
	}
	digits, neg := strings.CutPrefix(s, "-")
	whole, frac, dot := strings.Cut(digits, ".")
	if whole == "" || (dot && frac == "") || len(frac) > c.Decimals || !allDigits(whole+frac) {
		return bad()
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", c.Decimals-len(frac)), 10, 64)
	if err != nil {
		return bad()
	}
	if neg {
		n = -n
	}
	return Amount{n, c}, nil
}

func allDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// clip shortens outside text before it is shown in a message.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// amountJSON is the one form of money in files and on the wire. The number is a
// string because JavaScript loses integers above 2⁵³.
type amountJSON struct {
	Minor    string `json:"minor"`
	Decimals int    `json:"decimals"`
	Currency string `json:"currency"`
}

// MarshalJSON writes {"minor":"1250","decimals":2,"currency":"EUR"}.
func (a Amount) MarshalJSON() ([]byte, error) {
	return json.Marshal(amountJSON{strconv.FormatInt(a.Minor, 10), a.Currency.Decimals, a.Currency.Code})
}

// UnmarshalJSON reads what MarshalJSON wrote. It fails with Invalid when the
// currency is unknown or its decimals are not what ISO 4217 says: a file that
// disagrees about the size of a cent must not be believed.
func (a *Amount) UnmarshalJSON(b []byte) error {
	var in amountJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return fmt.Errorf("read amount: %w", err)
	}
	if in == (amountJSON{"0", 0, ""}) { // the zero Amount of an unset field
		*a = Amount{}
		return nil
	}
	c, err := CurrencyOf(in.Currency)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(in.Minor, 10, 64)
	if err != nil || c.Decimals != in.Decimals || strconv.FormatInt(n, 10) != in.Minor {
		return E("read amount", Invalid, "%q with %d decimals is not an amount in %s", clip(in.Minor), in.Decimals, c.Code)
	}
	*a = Amount{n, c}
	return nil
}
