// Package barcode reads the codes on goods: a maker's number, and the label that a
// shop's own scale prints.
//
// Promise. A number names the same item however its label is printed: as UPC-A, as
// EAN-13 with a zero before it, as UPC-E or as GTIN-14 (GS1 General Specifications,
// section 1.4). A number with a check digit that does not fit is a misread and
// names nothing. What a scale printed is what the line says, to the gram and to the
// cent: the value on a label is taken as it is, never computed from the other one (the
// desk keeps what was weighed on a line of its own, so that two labels are never
// summed before they are rounded). A Book never changes, and reads in time that does not grow with
// the catalogue.
//
// Limits. A code of 8, 12, 13 or 14 digits always carries a check digit: a shop's
// own numbers of these lengths must have one. GS1's longer element strings
// (batches, dates) are not taken apart. A scale must print what a till may sell:
// thousandths of a kilogram and whole minor units; finer patterns are refused when
// the till starts.
//
// Damage. A wrong Pattern sells at the wrong weight or price, and no check digit
// tells: weigh one label and scan it after every change of the scale.
package barcode

import (
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// MaxCode bounds a code on goods in bytes: the longest that a laser scanner of a
// counter reads is a Code 128 of 48 letters.
const MaxCode = 48

// gtin is the number of digits that all trade item numbers are compared in.
const gtin = 14

// CheckDigit returns the digit that ends a number of GS1's, for the digits before
// it: weights 3 and 1 from the right (General Specifications, section 7.9.1).
// digits must hold nothing but digits.
func CheckDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			d *= 3
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// hasCheckDigit reports that a number of n digits ends with one.
func hasCheckDigit(n int) bool { return n == 8 || n == 12 || n == 13 || n == gtin }

// sound reports that s, which is digits, ends with the right check digit.
func sound(s string) bool { return CheckDigit(s[:len(s)-1]) == s[len(s)-1] }

// isDigits reports that s is digits and not empty.
func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Canonical returns the form in which codes are compared: a trade item number as 14
// digits, everything else as it is. It fails with Invalid for a code that nobody can
// have meant: an empty or overlong one, one that is not of printable ASCII, and a
// number whose check digit does not fit.
func Canonical(code string) (string, error) {
	switch {
	case code == "" || len(code) > MaxCode || !printable(code):
		return "", pos.E("read code", pos.Invalid, "a code on goods has 1 to %d plain letters or digits", MaxCode)
	case !isDigits(code) || !hasCheckDigit(len(code)):
		return code, nil
	case !sound(code):
		if long, ok := fromUPCE(code); ok {
			return long, nil
		}
		return "", pos.E("read code", pos.Invalid, "the last digit of %s must be %c", code, CheckDigit(code[:len(code)-1]))
	}
	return pad(code), nil
}

// printable reports that s is of the letters that scanners type: no space at an end,
// where nobody would see it.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return strings.TrimSpace(s) == s
}

// pad writes a trade item number in 14 digits.
func pad(code string) string { return strings.Repeat("0", gtin-len(code)) + code }

// upce is the length of a UPC-E number with its number system and check digit.
const upce = 8

// fromUPCE returns the number that a UPC-E label stands for, in 14 digits, and
// whether code can be one. Its six middle digits leave zeros of the long number out
// (General Specifications, section 5.2.2.4.2); the check digit is the long one's.
func fromUPCE(code string) (string, bool) {
	if len(code) != upce || (code[0] != '0' && code[0] != '1') {
		return "", false
	}
	d, last := code[1:7], code[6]
	var long string
	switch {
	case last <= '2':
		long = d[:2] + d[5:] + "0000" + d[2:5]
	case last == '3':
		long = d[:3] + "00000" + d[3:5]
	case last == '4':
		long = d[:4] + "00000" + d[4:5]
	default:
		long = d[:5] + "0000" + d[5:]
	}
	long = code[:1] + long + code[7:]
	return pad(long), sound(long)
}

// upceOf returns the 14 digits of code taken as UPC-E; "" when it is none.
func upceOf(code string) string {
	if !isDigits(code) {
		return ""
	}
	long, ok := fromUPCE(code)
	if !ok {
		return ""
	}
	return long
}
