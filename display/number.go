package display

import (
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// space keeps a number and its unit on one line.
const space = "\u00a0"

// signs are the currencies written with a sign: those whose sign the fonts have
// and that a customer cannot take for another one's. All others go by their code.
var signs = map[string]string{"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}

// money writes a for people in lang: "€1,234.50", "1.234,50 €", "KWD 1.250". It is
// empty for the zero Amount, which has no currency. All decimals are shown, and
// nothing is rounded.
func money(lang string, a pos.Amount) string {
	if a.Currency.Code == "" {
		return ""
	}
	return withUnit(lang, number(lang, a.Number()), a.Currency.Code)
}

// withUnit puts a currency's sign or code where lang has it.
func withUnit(lang, num, code string) string {
	sign, known := signs[code]
	minus, num := cutMinus(num)
	switch {
	case lang == "en" && known:
		return minus + sign + num
	case lang == "en":
		return code + space + minus + num
	case known:
		return minus + num + space + sign
	default:
		return minus + num + space + code
	}
}

// cutMinus parts a number from its minus sign.
func cutMinus(num string) (minus, rest string) {
	if rest, ok := strings.CutPrefix(num, "−"); ok {
		return "−", rest
	}
	return "", num
}

// marks are a language's decimal sign and the sign between groups of thousands.
var marks = map[string][2]string{
	"en": {".", ","},
	"es": {",", "."},
	"de": {",", "."},
	"fr": {",", space},
	"pt": {",", space},
}

// number sets a plain decimal number ("-1234.50") as lang writes it, in groups of
// three. Text that is no such number comes back unchanged.
func number(lang, plain string) string {
	digits, negative := strings.CutPrefix(plain, "-")
	whole, frac, dot := strings.Cut(digits, ".")
	if whole == "" || (dot && frac == "") || !digitsOnly(whole) || !digitsOnly(frac) {
		return plain
	}
	m, ok := marks[lang]
	if !ok {
		m = marks["en"]
	}
	var b strings.Builder
	if negative {
		b.WriteString("−")
	}
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(m[1])
		}
		b.WriteByte(whole[i])
	}
	if dot {
		b.WriteString(m[0] + frac)
	}
	return b.String()
}

func digitsOnly(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// quantity sets "20340 sat" as lang writes it; the unit stays at its number.
func quantity(lang, s string) string {
	num, unit, ok := strings.Cut(s, " ")
	if !ok {
		return number(lang, s)
	}
	return number(lang, num) + space + unit
}

// price sets a rate, "1 BTC = 58123.40 EUR", as lang writes it: "1 BTC =
// €58,123.40". A text of another form comes back unchanged.
func price(lang, s string) string {
	one, sum, ok := strings.Cut(s, " = ")
	num, code, ok2 := strings.Cut(sum, " ")
	if _, err := pos.CurrencyOf(code); !ok || !ok2 || err != nil {
		return s
	}
	return one + " = " + withUnit(lang, number(lang, num), code)
}
