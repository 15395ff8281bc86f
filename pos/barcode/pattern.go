package barcode

import (
	"fmt"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// Value says what the digits V of a Pattern are.
type Value string

// Values.
const (
	Weight Value = "weight" // of the goods, in the unit that their price is for
	Price  Value = "price"  // of the goods, in the shop's currency
	Pieces Value = "pieces" // how many of them are in the pack
)

// Pattern is a layout of the labels that a shop's scale prints: GS1's numbers for
// restricted circulation (General Specifications, section 2.1.11), whose inside
// every country and every scale arranges otherwise.
type Pattern struct {
	// Digits is the layout, 13 places of an EAN-13 or 12 of a UPC-A: a digit that must
	// stand there, I the item's number on the scale, V the value, P the check digit of
	// the value alone, X anything, and C, the last, the check digit of all.
	Digits string
	Value  Value
	// Decimals of V: 3 where 00523 is 0.523 kg, 2 where 00349 is 3.49.
	Decimals int
}

// places are the ends of a run of one letter in a pattern; empty: there is none.
type places struct{ from, to int }

func (p places) of(s string) string { return s[p.from:p.to] }

// layout is a Pattern ready to be compared with 13 digits.
type layout struct {
	digits string // 13 places
	kind   Value
	scale  int64 // one step of V in thousandths, or in minor units
	item   places
	value  places
	price  places // P
}

const (
	ean13 = 13
	// mostItem and mostValue bound the runs: more digits fit on no label, and eight
	// digits of value cannot overflow.
	mostItem, mostValue = 8, 8
	thousandths         = 3 // decimals of a quantity
)

// compile checks p and makes it ready. It fails with Invalid, in words for whoever
// wrote the pattern.
func (p Pattern) compile(c pos.Currency) (layout, error) {
	l := layout{digits: p.Digits, kind: p.Value}
	if len(l.digits) == ean13-1 {
		l.digits = "0" + l.digits // a UPC-A is an EAN-13 that begins with a zero
	}
	if err := shape(l.digits); err != nil {
		return l, err
	}
	var err error
	if l.item, err = run(l.digits, 'I', 1, mostItem); err != nil {
		return l, err
	}
	if l.value, err = run(l.digits, 'V', 1, mostValue); err != nil {
		return l, err
	}
	if l.price, err = run(l.digits, 'P', 0, 1); err != nil {
		return l, err
	}
	if n := len(l.value.of(l.digits)); l.price != (places{}) && n != 4 && n != 5 {
		return l, pos.E("read pattern", pos.Invalid, "P, the check digit of the value, is for 4 or 5 digits V, not %d", n)
	}
	l.scale, err = p.step(c)
	return l, err
}

// shape checks length, letters, prefix and check digit.
func shape(s string) error {
	switch {
	case len(s) != ean13:
		return pos.E("read pattern", pos.Invalid, "must have 13 places, or 12 of a UPC-A, such as \"21IIIIIVVVVVC\"")
	case strings.Trim(s, "0123456789IVPXC") != "":
		return pos.E("read pattern", pos.Invalid, "is made of digits, I for the item's number, V for the value, P for its check digit, X for anything and C at the end")
	case strings.IndexByte(s, 'C') != ean13-1:
		return pos.E("read pattern", pos.Invalid, "must end with C, the check digit, and have it nowhere else")
	case s[:2] != "02" && (s[0] != '2' || strings.IndexByte("0123456789", s[1]) < 0):
		return pos.E("read pattern", pos.Invalid, "must begin with 02 or 20 to 29: other numbers belong to the makers of goods")
	}
	return nil
}

// run finds the one run of letter, of least to most places.
func run(s string, letter byte, least, most int) (places, error) {
	n := strings.Count(s, string(letter))
	if n == 0 && least == 0 {
		return places{}, nil
	}
	from := strings.IndexByte(s, letter)
	if n < least || n > most || s[from:from+n] != strings.Repeat(string(letter), n) {
		want := fmt.Sprintf("%d to %d", max(least, 1), most)
		if most == 1 {
			want = "one"
		}
		return places{}, pos.E("read pattern", pos.Invalid, "must have %s %c, one beside the other", want, letter)
	}
	return places{from, from + n}, nil
}

// step is what a V of 1 is worth. What the till cannot count exactly is refused.
func (p Pattern) step(c pos.Currency) (int64, error) {
	finest, of := thousandths, "a weight"
	switch p.Value {
	case Weight:
	case Price:
		finest, of = c.Decimals, "a price in "+c.Code
	case Pieces:
		if p.Decimals != 0 {
			return 0, pos.E("read pattern", pos.Invalid, "pieces have no decimals")
		} // a piece is 1000 thousandths
	default:
		return 0, pos.E("read pattern", pos.Invalid, "the value is a weight, a price or pieces")
	}
	if p.Decimals < 0 || p.Decimals > finest {
		return 0, pos.E("read pattern", pos.Invalid, "%s has 0 to %d decimals, not %d", of, finest, p.Decimals)
	}
	step := int64(1)
	for range finest - p.Decimals {
		step *= 10
	}
	return step, nil
}

// matches reports that a label of 13 digits is of this layout.
func (l layout) matches(s string) bool {
	for i := range ean13 {
		if c := l.digits[i]; c >= '0' && c <= '9' && c != s[i] {
			return false
		}
	}
	return true
}

// overlaps reports that a label may be of both layouts: nobody could tell which.
func (l layout) overlaps(o layout) bool {
	fixed := func(c byte) bool { return c >= '0' && c <= '9' }
	for i := range ean13 {
		if a, b := l.digits[i], o.digits[i]; fixed(a) && fixed(b) && a != b {
			return false
		}
	}
	return true
}

// read takes a label of this layout apart: the item's number on the scale, and the
// value in thousandths or minor units. It fails with Invalid for a label whose value
// was misread, and for one without a value.
func (l layout) read(s string) (item string, value int64, err error) {
	if v := l.value.of(s); l.price != (places{}) && PriceDigit(v) != s[l.price.from] {
		return "", 0, pos.E("read label", pos.Invalid, "the value on the label %s was misread", s)
	}
	for _, d := range l.value.of(s) {
		value = value*10 + int64(d-'0')
	}
	if value == 0 {
		return "", 0, pos.E("read label", pos.Invalid, "the label %s says no %s", s, l.kind)
	}
	return l.item.of(s), value * l.scale, nil
}

// The weights of a value's check digit, as what each digit becomes (General
// Specifications, section 7.9.2): 2- is the units less the tens of twice the digit,
// 5- and 5+ less and plus the tens of five times it, 3 the units of three times it.
const (
	twoMinus  = "0246891357"
	three     = "0369258147"
	fiveMinus = "0594837261"
	fivePlus  = "0516273849"
)

// PriceDigit returns the check digit of a value of 4 or 5 digits (sections 7.9.3
// and 7.9.4); 0, which is no digit, for any other.
func PriceDigit(v string) byte {
	if !isDigits(v) {
		return 0
	}
	weigh := func(tables ...string) (sum int) {
		for i, t := range tables {
			sum += int(t[v[i]-'0'] - '0')
		}
		return sum
	}
	switch len(v) {
	case 4:
		return byte('0' + weigh(twoMinus, twoMinus, three, fiveMinus)*3%10)
	case 5:
		rest := (10 - weigh(fivePlus, twoMinus, fiveMinus, fivePlus, twoMinus)%10) % 10
		return byte('0' + strings.IndexByte(fiveMinus, byte('0'+rest)))
	}
	return 0
}
