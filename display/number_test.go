package display

import (
	"math"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

func TestMoney(t *testing.T) {
	for _, test := range []struct {
		lang, code string
		minor      int64
		want       string
	}{
		{"en", "EUR", 1250, "€12.50"},
		{"de", "EUR", 1250, "12,50_€"},
		{"es", "EUR", 123456789, "1.234.567,89_€"},
		{"fr", "EUR", 123456789, "1_234_567,89_€"},
		{"pt", "EUR", 100000, "1_000,00_€"},
		{"en", "USD", 99999, "$999.99"},
		{"en", "GBP", 100000, "£1,000.00"},
		{"en", "JPY", 1695, "¥1,695"},
		{"de", "JPY", 0, "0_¥"},
		{"en", "KWD", 1250, "KWD_1.250"},
		{"de", "KWD", 5, "0,005_KWD"},
		{"de", "CHF", 1234500, "12.345,00_CHF"},
		{"en", "CAD", 5, "CAD_0.05"},
		{"en", "EUR", -5, "−€0.05"},
		{"de", "EUR", -123456, "−1.234,56_€"},
		{"en", "CHF", -100, "CHF_−1.00"},
		{"xx", "EUR", 100, "1.00_€"},
		{"en", "EUR", math.MaxInt64, "€92,233,720,368,547,758.07"},
		{"en", "EUR", math.MinInt64, "−€92,233,720,368,547,758.08"},
	} {
		cur, err := pos.CurrencyOf(test.code)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(test.want, "_", space)
		if got := money(test.lang, cur.Of(test.minor)); got != want {
			t.Errorf("%s, %d minor units of %s: got %q, want %q", test.lang, test.minor, test.code, got, want)
		}
	}
	if got := money("en", pos.Amount{}); got != "" {
		t.Errorf("no amount: got %q, want nothing", got)
	}
}

func TestQuantityAndPrice(t *testing.T) {
	for _, test := range []struct{ lang, in, quantity, price string }{
		{"en", "20340 sat", "20,340_sat", ""},
		{"de", "20340 sat", "20.340_sat", ""},
		{"fr", "1234567.500000 USDC", "1_234_567,500000_USDC", ""},
		{"en", "", "", ""},
		{"en", "lots", "lots", ""},
		{"de", "1e9 sat", "1e9_sat", ""},
		{"de", "1 BTC = 58123.40 EUR", "", "1 BTC = 58.123,40_€"},
		{"en", "1 BTC = 58123.40 EUR", "", "1 BTC = €58,123.40"},
		{"en", "1 BTC = 9123456 JPY", "", "1 BTC = ¥9,123,456"},
		{"en", "1 BTC = 18123.405 KWD", "", "1 BTC = KWD_18,123.405"},
		{"en", "no rate", "", "no rate"},
		{"en", "1 BTC = 5 XXX", "", "1 BTC = 5 XXX"},
	} {
		in := strings.ReplaceAll(test.in, "_", space)
		if want := strings.ReplaceAll(test.quantity, "_", space); test.price == "" && quantity(test.lang, in) != want {
			t.Errorf("quantity %q in %s: got %q, want %q", in, test.lang, quantity(test.lang, in), want)
		}
		if want := strings.ReplaceAll(test.price, "_", space); test.price != "" && price(test.lang, in) != want {
			t.Errorf("price %q in %s: got %q, want %q", in, test.lang, price(test.lang, in), want)
		}
	}
}

// FuzzMoney holds that no digit is lost, added or moved: what people read comes
// back to the same minor units.
func FuzzMoney(f *testing.F) {
	f.Add(int64(0), "EUR", "de")
	f.Add(int64(-123456789), "KWD", "fr")
	f.Add(int64(math.MinInt64), "JPY", "en")
	f.Fuzz(func(t *testing.T, minor int64, code, lang string) {
		cur, err := pos.CurrencyOf(code)
		if err != nil {
			return
		}
		m, ok := marks[lang]
		if !ok {
			m = marks["en"]
		}
		text := money(lang, cur.Of(minor))
		for _, cut := range []string{m[1], space, signs[code], code} {
			if cut != "" {
				text = strings.ReplaceAll(text, cut, "")
			}
		}
		text = strings.ReplaceAll(strings.ReplaceAll(text, m[0], "."), "−", "-")
		if text != cur.Of(minor).Number() {
			t.Errorf("%d %s in %s reads %q", minor, code, lang, text)
		}
	})
}
