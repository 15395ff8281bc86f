package keypad

import (
	"math"
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

const (
	// maxDigits bounds one number: 9,999,999.99 is more than a counter sells.
	maxDigits = 9
	// qtyDecimals are those of a weight: grams.
	qtyDecimals = 3
)

// entry is what was typed since the last step: a number, or two with × between.
type entry struct {
	first, second string // digits, with at most one point
	times         bool
}

func (e entry) empty() bool { return e == entry{} }

// number is the one that is being typed.
func (e *entry) number() *string {
	if e.times {
		return &e.second
	}
	return &e.first
}

// push types digits. It reports that there is room for all of them.
func (e *entry) push(digits string) bool {
	n := e.number()
	text := *n + digits
	if !strings.Contains(text, ".") {
		text = strings.TrimLeft(text, "0")
		if text == "" {
			text = "0"
		}
	}
	_, frac, _ := strings.Cut(text, ".")
	if len(strings.Replace(text, ".", "", 1)) > maxDigits || len(frac) > qtyDecimals {
		return false
	}
	*n = text
	return true
}

// point sets the decimal point, once a number.
func (e *entry) point() {
	n := e.number()
	if strings.Contains(*n, ".") {
		return
	}
	if *n == "" {
		*n = "0"
	}
	*n += "."
}

// back takes the last step of typing back.
func (e *entry) back() {
	n := e.number()
	switch {
	case *n != "":
		*n = (*n)[:len(*n)-1]
	case e.times:
		e.times = false
	}
	if e.first == "" {
		*e = entry{}
	}
}

// multiply begins the second number. It reports that there is a first one, and no
// second yet.
func (e *entry) multiply() bool {
	if e.first == "" || e.times {
		return false
	}
	e.times = true
	return true
}

// take reads the entry as a quantity in thousandths and a price in minor units of c.
// ok is false when it cannot be one: too many decimals, or nothing behind ×.
//
// A number without a point is a price in minor units, or a whole quantity. Of two,
// the quantity comes first; turned round are those that could not be meant: a price
// has at most c's decimals, "250 × 3" is three pieces at 2.50, and "2.50 × 3" too.
func (e entry) take(c pos.Currency) (qty, minor int64, ok bool) {
	if !e.times {
		minor, ok = priceOf(e.first, c)
		return 1000, minor, ok && e.first != ""
	}
	if e.second == "" {
		return 0, 0, false
	}
	q, p := e.first, e.second
	if e.turned(c) {
		q, p = p, q
	}
	qty, okQ := qtyOf(q)
	minor, okP := priceOf(p, c)
	return qty, minor, okQ && okP
}

// turned reports that the price was typed first.
func (e entry) turned(c pos.Currency) bool {
	pointed := func(s string) bool { return strings.Contains(s, ".") }
	frac := func(s string) int { _, f, _ := strings.Cut(s, "."); return len(f) }
	switch {
	case pointed(e.first) && pointed(e.second):
		return frac(e.second) > c.Decimals && frac(e.first) <= c.Decimals
	case pointed(e.first):
		return frac(e.first) <= c.Decimals
	case pointed(e.second):
		return frac(e.second) > c.Decimals
	default:
		return len(e.first) >= priceDigits && len(e.second) < priceDigits
	}
}

// priceDigits is how many digits a price has, and a number of pieces has not.
const priceDigits = 3

// priceOf reads minor units, or a number with a point.
func priceOf(s string, c pos.Currency) (int64, bool) {
	whole, frac, pointed := strings.Cut(s, ".")
	if !pointed {
		return count(whole)
	}
	frac = strings.TrimRight(frac, "0") // 2.500 is no other price than 2.50
	if len(frac) > c.Decimals {
		return 0, false
	}
	return count(whole + frac + strings.Repeat("0", c.Decimals-len(frac)))
}

// qtyOf reads thousandths.
func qtyOf(s string) (int64, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > qtyDecimals {
		return 0, false
	}
	n, ok := count(whole + frac + strings.Repeat("0", qtyDecimals-len(frac)))
	return n, ok && n > 0 && n <= pos.MaxQty
}

func count(s string) (int64, bool) {
	if s == "" {
		return 0, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n < math.MaxInt64/1000
}

// typed tells the entry as it will be taken.
func (e entry) typed(c pos.Currency) pos.Typed {
	if e.empty() {
		return pos.Typed{}
	}
	if e.times && e.second == "" {
		if qty, ok := qtyOf(e.first); ok {
			return pos.Typed{Qty: qty}
		}
		return pos.Typed{Text: e.first + " ×"}
	}
	qty, minor, ok := e.take(c)
	switch {
	case !ok && e.times:
		return pos.Typed{Text: e.first + " × " + e.second}
	case !ok:
		return pos.Typed{Text: e.first}
	case !e.times:
		return pos.Typed{Amount: c.Of(minor)}
	}
	t := pos.Typed{Qty: qty, Amount: c.Of(minor)}
	if l, err := pos.NewLine("×", "", qty, t.Amount, pos.TaxRate{Code: "A"}); err == nil {
		t.Sum = l.Total
	}
	return t
}
