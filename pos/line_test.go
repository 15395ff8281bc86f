package pos

import (
	"math"
	"strings"
	"testing"
)

var (
	vat20 = TaxRate{Code: "A", Name: "VAT", Milli: 20_000, Included: true}
	vat10 = TaxRate{Code: "B", Name: "VAT", Milli: 10_000, Included: true}
	nyc   = TaxRate{Code: "S", Name: "Sales tax", Milli: 8_875}
	none  = TaxRate{Code: "Z", Name: "Exempt", Included: true}
)

func TestNewLine(t *testing.T) {
	good := []struct {
		name  string
		qty   int64
		price Amount
		want  int64
	}{
		{"one", 1000, eur.Of(440), 440},
		{"two", 2000, eur.Of(440), 880},
		{"free", 1000, eur.Zero(), 0},
		{"half a kilogram", 500, eur.Of(499), 250}, // 249.5: half up
		{"just under half", 499, eur.Of(1), 0},
		{"just half", 500, eur.Of(1), 1},
		{"a gram", 1, eur.Of(1000), 1},
		{"most", MaxQty, eur.Of(100), 1_000_000},
		{"yen", 1500, jpy.Of(333), 500}, // 499.5
		{"up to the end", 1000, eur.Of(math.MaxInt64), math.MaxInt64},
	}
	for _, tt := range good {
		l, err := NewLine(tt.name, "sku", tt.qty, tt.price, vat20)
		if err != nil || l.Total != tt.price.Currency.Of(tt.want) {
			t.Errorf("%s: got %v, %v, want %d", tt.name, l.Total, err, tt.want)
		}
		if l.Name != tt.name || l.SKU != "sku" || l.Qty != tt.qty || l.Price != tt.price || l.Tax != vat20 || l.ID != 0 {
			t.Errorf("%s: %+v", tt.name, l)
		}
	}
	long := strings.Repeat("x", MaxName+1)
	bad := []struct {
		why, name, sku string
		qty            int64
		price          Amount
		tax            TaxRate
	}{
		{"no name", "", "", 1000, eur.Of(1), vat20},
		{"long name", long, "", 1000, eur.Of(1), vat20},
		{"long SKU", "x", long, 1000, eur.Of(1), vat20},
		{"no quantity", "x", "", 0, eur.Of(1), vat20},
		{"negative quantity", "x", "", -1000, eur.Of(1), vat20},
		{"too many", "x", "", MaxQty + 1, eur.Of(1), vat20},
		{"negative price", "x", "", 1000, eur.Of(-1), vat20},
		{"overflow", "x", "", 1001, eur.Of(math.MaxInt64), vat20},
		{"no tax code", "x", "", 1000, eur.Of(1), TaxRate{}},
		{"long tax code", "x", "", 1000, eur.Of(1), TaxRate{Code: "ABCDE"}},
		{"negative tax", "x", "", 1000, eur.Of(1), TaxRate{Code: "A", Milli: -1}},
		{"more than all", "x", "", 1000, eur.Of(1), TaxRate{Code: "A", Milli: maxTaxMilli + 1}},
		{"tax code with an escape", "x", "", 1000, eur.Of(1), TaxRate{Code: "\x1b"}},
		{"tax name with a line end", "x", "", 1000, eur.Of(1), TaxRate{Code: "A", Name: "VAT\n"}},
		{"long tax name", "x", "", 1000, eur.Of(1), TaxRate{Code: "A", Name: long}},
	}
	for _, tt := range bad {
		if l, err := NewLine(tt.name, tt.sku, tt.qty, tt.price, tt.tax); KindOf(err) != Invalid || l != (Line{}) {
			t.Errorf("%s: got %+v, %v", tt.why, l, err)
		}
	}
}

// TestIsPlain: what a printer would obey, what turns text around, and what is no
// text never gets into a line. What people write in their languages does.
func TestIsPlain(t *testing.T) {
	for _, s := range []string{"", "Café Süd", "Crème brûlée 50 %", "寿司", "قهوة", "שוקולד", "☕ espresso", "naïve – “quoted”", "a\u00a0b", "👩‍🍳", "100 g & <more>"} {
		if !IsPlain(s) {
			t.Errorf("%q is refused", s)
		}
		if _, err := NewLine("x"+s, s, 1000, eur.Of(1), vat20); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	bad := map[string]string{
		"open the drawer (ESC p)": "tea\x1bp\x00\x19\xfa", "cut the paper (GS V)": "tea\x1dV\x00", "line feed": "tea\nFREE", "return": "tea\rFREE",
		"tab": "tea\t0.00", "bell": "tea\a", "nul": "tea\x00", "delete": "tea\x7f", "C1: CSI": "tea\u009b2J", "C1: NEL": "tea\u0085",
		"line separator": "tea\u2028x", "paragraph separator": "tea\u2029x",
		"turned around": "tea \u202e00.1", "isolate": "tea \u20671.00\u2069", "mark": "tea\u200fx", "Arabic mark": "tea\u061cx",
		"half a character": "tea\xc3", "surrogate": "tea\xed\xa0\x80", "Latin-1": "caf\xe9", "overlong": "tea\xc0\x8a",
	}
	for why, s := range bad {
		if IsPlain(s) {
			t.Errorf("%s: %q passes", why, s)
		}
		if _, err := NewLine(s, "", 1000, eur.Of(1), vat20); KindOf(err) != Invalid {
			t.Errorf("%s as a name: %v", why, err)
		}
		if _, err := NewLine("tea", s, 1000, eur.Of(1), vat20); KindOf(err) != Invalid {
			t.Errorf("%s as an SKU: %v", why, err)
		}
	}
}

// FuzzIsPlain: no byte below space, no DEL, and no C1 control in UTF-8 passes.
func FuzzIsPlain(f *testing.F) {
	f.Add("tea")
	f.Add("\xc2\x9b")
	f.Fuzz(func(t *testing.T, s string) {
		if !IsPlain(s) {
			return
		}
		for i, b := range []byte(s) {
			if b < ' ' || b == 0x7f || (b == 0xc2 && i+1 < len(s) && s[i+1] < 0xa0) {
				t.Errorf("%q passes", s)
			}
		}
		if strings.ToValidUTF8(s, "") != s {
			t.Errorf("%q is no UTF-8", s)
		}
	})
}

func TestFormatQty(t *testing.T) {
	for qty, want := range map[int64]string{0: "0", 1: "0.001", 10: "0.01", 500: "0.5", 1000: "1", 1250: "1.25", 2000: "2", MaxQty: "9999.999", 1_000_000: "1000", -1250: "-1.25", -2000: "-2"} {
		if got := FormatQty(qty); got != want {
			t.Errorf("%d: got %s, want %s", qty, got, want)
		}
	}
}

func TestRole(t *testing.T) {
	roles := []Role{Cashier, Manager, Owner}
	for i, r := range roles {
		for j, need := range roles {
			if r.Includes(need) != (i >= j) {
				t.Errorf("%s includes %s: %v", r, need, r.Includes(need))
			}
		}
		for _, nobody := range []Role{"", "admin", "Owner", "CASHIER"} {
			if nobody.Includes(r) || nobody.Includes(nobody) {
				t.Errorf("%q may do what %s may", nobody, r)
			}
		}
	}
}
