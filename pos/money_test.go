package pos

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
)

var (
	eur = Currency{"EUR", 2}
	jpy = Currency{"JPY", 0}
	kwd = Currency{"KWD", 3}
)

func TestCurrencyOf(t *testing.T) {
	for code, decimals := range map[string]int{"EUR": 2, "USD": 2, "CHF": 2, "ISK": 0, "JPY": 0, "KRW": 0, "KWD": 3, "TND": 3, "AED": 2, "ZWG": 2, "BIF": 0, "XPF": 0} {
		c, err := CurrencyOf(code)
		if err != nil || c != (Currency{code, decimals}) {
			t.Errorf("%s: got %v, %v", code, c, err)
		}
	}
	// Pieces of two neighbours, spaces, other spellings, codes that ended, codes of
	// what is no money in a till.
	for _, code := range []string{"", "EU", "EURO", "eur", "Eur", "ED ", "D A", " AF", "DAF", "UR ", "   ", "EUR ", "ЕUR", "XAU", "XXX", "BTC", "HRK", "BGN", "ANG", "DEM", "CLF"} {
		if c, err := CurrencyOf(code); KindOf(err) != Invalid || c != (Currency{}) {
			t.Errorf("%q: got %v, %v", code, c, err)
		}
	}
}

// TestCurrencyList checks the packed list itself: four bytes a code, sorted,
// nothing twice, and every code found again with its decimals.
func TestCurrencyList(t *testing.T) {
	seen := map[string]bool{}
	for decimals, codes := range currencies {
		if len(codes)%4 != 0 {
			t.Fatalf("%d decimals: the list is %d bytes long", decimals, len(codes))
		}
		last := ""
		for i := 0; i < len(codes); i += 4 {
			code := codes[i : i+3]
			if codes[i+3] != ' ' || code <= last || seen[code] || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
				t.Errorf("%q after %q", codes[i:i+4], last)
			}
			if c, err := CurrencyOf(code); err != nil || c != (Currency{code, decimals}) {
				t.Errorf("%s is found as %v, %v", code, c, err)
			}
			seen[code], last = true, code
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d currencies", len(seen))
	}
}

func TestAddSub(t *testing.T) {
	const most, least = math.MaxInt64, math.MinInt64
	tests := []struct {
		name     string
		a, b     int64
		sum, sub any // int64, or nil for Invalid
	}{
		{"plain", 250, 100, int64(350), int64(150)},
		{"below zero", 100, 250, int64(350), int64(-150)},
		{"zero", 0, 0, int64(0), int64(0)},
		{"up to the end", most - 1, 1, int64(most), int64(most - 2)},
		{"past the end", most, 1, nil, int64(most - 1)},
		{"past the end twice", most, most, nil, int64(0)},
		{"down to the end", least + 1, -1, int64(least), int64(least + 2)},
		{"past the lower end", least, -1, nil, int64(least + 1)},
		{"least and least", least, least, nil, int64(0)},
		{"less the least", -1, least, nil, int64(most)},
		{"zero less the least", 0, least, int64(least), nil},
		{"least less one", least, 1, int64(least + 1), nil},
		{"most less minus one", most, -1, int64(most - 1), nil},
		{"ends cancel", most, least, int64(-1), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for op, want := range map[string]any{"+": tt.sum, "-": tt.sub} {
				f := Amount.Add
				if op == "-" {
					f = Amount.Sub
				}
				got, err := f(eur.Of(tt.a), eur.Of(tt.b))
				if want == nil {
					if KindOf(err) != Invalid || got != (Amount{}) {
						t.Errorf("%d %s %d: got %v, %v, want Invalid", tt.a, op, tt.b, got, err)
					}
				} else if err != nil || got != eur.Of(want.(int64)) {
					t.Errorf("%d %s %d: got %v, %v, want %d", tt.a, op, tt.b, got, err, want)
				}
			}
		})
	}
	for _, other := range []Currency{jpy, {"EUR", 3}, {}} {
		if _, err := eur.Of(1).Add(other.Of(1)); KindOf(err) != Invalid {
			t.Errorf("EUR + %v: %v", other, err)
		}
		if _, err := eur.Of(1).Sub(other.Of(1)); KindOf(err) != Invalid {
			t.Errorf("EUR - %v: %v", other, err)
		}
	}
}

func TestSum(t *testing.T) {
	if got, err := eur.Sum(); err != nil || got != eur.Zero() {
		t.Errorf("nothing: %v, %v", got, err)
	}
	if got, err := eur.Sum(eur.Of(1), eur.Of(-5), eur.Of(250)); err != nil || got != eur.Of(246) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := eur.Sum(eur.Of(math.MaxInt64), eur.Of(1), eur.Of(-1)); KindOf(err) != Invalid {
		t.Errorf("a sum that overflows on the way: %v", err)
	}
	if _, err := eur.Sum(jpy.Of(1)); KindOf(err) != Invalid {
		t.Errorf("yen in euros: %v", err)
	}
}

// FuzzArithmetic holds Add, Sub and mulDiv against big integers: the same result,
// or a failure exactly where int64 ends.
func FuzzArithmetic(f *testing.F) {
	f.Add(int64(math.MaxInt64), int64(1), int64(1000))
	f.Add(int64(math.MinInt64), int64(math.MinInt64), int64(math.MaxInt64))
	f.Add(int64(-5), int64(1), int64(2))
	f.Add(int64(math.MinInt64), int64(1), int64(1))
	f.Add(int64(1)<<62, int64(4), int64(1)) // the quotient's upper half is just d
	f.Fuzz(func(t *testing.T, a, b, d int64) {
		x, y := big.NewInt(a), big.NewInt(b)
		check := func(op string, want *big.Int, got int64, ok bool) {
			t.Helper()
			fits := want.IsInt64() && !(op == "muldiv" && want.Int64() == math.MinInt64) // no till owes that much
			if ok != fits || (ok && got != want.Int64()) {
				t.Errorf("%s %d %d %d: got %d, %v, want %v", op, a, b, d, got, ok, want)
			}
		}
		sum, err := eur.Of(a).Add(eur.Of(b))
		check("add", new(big.Int).Add(x, y), sum.Minor, err == nil)
		diff, err := eur.Of(a).Sub(eur.Of(b))
		check("sub", new(big.Int).Sub(x, y), diff.Minor, err == nil)
		if d <= 0 {
			return
		}
		// half away from zero: (2|ab| + d) / 2d, with the sign put back
		num := new(big.Int).Mul(x, y)
		sign := num.Sign()
		num.Abs(num).Lsh(num, 1).Add(num, big.NewInt(d)).Quo(num, new(big.Int).Lsh(big.NewInt(d), 1))
		if sign < 0 {
			num.Neg(num)
		}
		got, ok := mulDiv(a, b, d)
		check("muldiv", num, got, ok)
	})
}

func TestAmountText(t *testing.T) {
	tests := []struct {
		c     Currency
		minor int64
		want  string
	}{
		{eur, 1250, "12.50 EUR"}, {eur, 5, "0.05 EUR"}, {eur, -5, "-0.05 EUR"}, {eur, 0, "0.00 EUR"}, {eur, 100, "1.00 EUR"},
		{jpy, 1250, "1250 JPY"}, {jpy, 0, "0 JPY"}, {jpy, -7, "-7 JPY"}, {kwd, 1250, "1.250 KWD"}, {kwd, 1, "0.001 KWD"},
		{eur, math.MaxInt64, "92233720368547758.07 EUR"}, {eur, math.MinInt64, "-92233720368547758.08 EUR"},
	}
	for _, tt := range tests {
		if got := tt.c.Of(tt.minor).String(); got != tt.want {
			t.Errorf("%d: got %s, want %s", tt.minor, got, tt.want)
		}
	}
}

func TestParseAmount(t *testing.T) {
	good := []struct {
		c    Currency
		s    string
		want int64
	}{
		{eur, "12.50", 1250}, {eur, "12.5", 1250}, {eur, "12", 1200}, {eur, "0.05", 5}, {eur, "-0.05", -5}, {eur, "-0", 0},
		{eur, "0012.50", 1250}, {jpy, "1250", 1250}, {kwd, "1.25", 1250}, {kwd, "0.001", 1},
		{eur, "92233720368547758.07", math.MaxInt64}, {eur, "-92233720368547758.08", math.MinInt64},
	}
	for _, tt := range good {
		if got, err := ParseAmount(tt.s, tt.c); err != nil || got != tt.c.Of(tt.want) {
			t.Errorf("%q: got %v, %v, want %d", tt.s, got, err, tt.want)
		}
	}
	bad := map[string]Currency{
		"": eur, "-": eur, ".": eur, ".5": eur, "5.": eur, "+5": eur, "--5": eur, "1.234": eur, "1.230": eur, "1,5": eur, "1 000": eur,
		"1e3": eur, "0x10": eur, "1_0": eur, "٣": eur, "NaN": eur, "1.2.3": eur, "-.5": eur, "1.-5": eur, "1.5": jpy, "1.0": jpy, "1.2345": kwd,
		"92233720368547758.08": eur, "-92233720368547758.09": eur, strings.Repeat("9", 10_000): eur, " 1": eur, "1\n": eur,
	}
	for s, c := range bad {
		if got, err := ParseAmount(s, c); KindOf(err) != Invalid || got != (Amount{}) {
			t.Errorf("%q in %s: got %v, %v", s, c.Code, got, err)
		}
	}
}

// FuzzParseAmount: whatever is read is written back as the same money, in the one
// canonical spelling, and what is written can be read.
func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"12.50", "-0.05", "0", "-92233720368547758.08", "007.1", "1e5", "1.", ".1"} {
		f.Add(s, int64(1250), byte(2))
	}
	f.Fuzz(func(t *testing.T, s string, minor int64, decimals byte) {
		c := []Currency{jpy, eur, kwd}[decimals%3]
		if a, err := ParseAmount(s, c); err == nil {
			again, err := ParseAmount(a.Number(), c)
			if err != nil || again != a || len(a.Number()) > len(s)+4 {
				t.Errorf("%q is %v is %q is %v, %v", s, a, a.Number(), again, err)
			}
		}
		a := c.Of(minor)
		if got, err := ParseAmount(a.Number(), c); err != nil || got != a {
			t.Errorf("%d is %q is %v, %v", minor, a.Number(), got, err)
		}
		b, err := json.Marshal(a)
		var got Amount
		if err := json.Unmarshal(b, &got); err != nil || got != a {
			t.Errorf("%d is %s is %v, %v", minor, b, got, err)
		}
		if err != nil {
			t.Error(err)
		}
	})
}

func TestAmountJSON(t *testing.T) {
	b, err := json.Marshal(eur.Of(-1250))
	if want := `{"minor":"-1250","decimals":2,"currency":"EUR"}`; string(b) != want || err != nil {
		t.Errorf("got %s, %v, want %s", b, err, want)
	}
	b, err = json.Marshal(Amount{})
	var zero Amount
	if err2 := json.Unmarshal(b, &zero); err != nil || err2 != nil || zero != (Amount{}) {
		t.Errorf("an unset amount is %s, %v, %v", b, err, err2)
	}
	good := map[string]Amount{
		`{"minor":"1250","decimals":2,"currency":"EUR"}`:                 eur.Of(1250),
		` { "currency" : "JPY", "decimals" : 0, "minor" : "5" } `:        jpy.Of(5),
		`{"minor":"9223372036854775807","decimals":3,"currency":"KWD"}`:  kwd.Of(math.MaxInt64),
		`{"minor":"-9223372036854775808","decimals":2,"currency":"EUR"}`: eur.Of(math.MinInt64),
		`{"m\u0069nor":"1250","decimals":2,"currency":"\u0045UR"}`:       eur.Of(1250), // the same text, spelled out
		"{\"minor\":\"1\",\n\t\"decimals\":2,\r\n\"currency\":\"EUR\"}":  eur.Of(1),
		`{"decimals":2,"minor":"0","currency":"EUR"}`:                    eur.Zero(),
		`{"minor":"0","decimals":0,"currency":""}`:                       {},
		`{"minor":"0", "decimals":0, "currency":""}`:                     {},
	}
	for in, want := range good {
		var got Amount
		if err := json.Unmarshal([]byte(in), &got); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", in, got, err, want)
		}
	}
	bad := map[string]string{
		"a number":            `{"minor":1250,"decimals":2,"currency":"EUR"}`,
		"another cent":        `{"minor":"1250","decimals":3,"currency":"EUR"}`,
		"decimals as text":    `{"minor":"1250","decimals":"2","currency":"EUR"}`,
		"no such money":       `{"minor":"1250","decimals":2,"currency":"EUX"}`,
		"lower case":          `{"minor":"1250","decimals":2,"currency":"eur"}`,
		"leading zero":        `{"minor":"01250","decimals":2,"currency":"EUR"}`,
		"plus":                `{"minor":"+1250","decimals":2,"currency":"EUR"}`,
		"minus zero":          `{"minor":"-0","decimals":2,"currency":"EUR"}`,
		"lone minus":          `{"minor":"-","decimals":2,"currency":"EUR"}`,
		"empty":               `{"minor":"","decimals":2,"currency":"EUR"}`,
		"point":               `{"minor":"12.50","decimals":2,"currency":"EUR"}`,
		"exponent":            `{"minor":"1e3","decimals":2,"currency":"EUR"}`,
		"past int64":          `{"minor":"9223372036854775808","decimals":2,"currency":"EUR"}`,
		"space":               `{"minor":" 1","decimals":2,"currency":"EUR"}`,
		"hidden second price": `{"minor":"1","MINOR":"900","decimals":2,"currency":"EUR"}`,
		"price twice":         `{"minor":"1","minor":"900","decimals":2,"currency":"EUR"}`,
		"odd case":            `{"Minor":"1","decimals":2,"currency":"EUR"}`,
		"unknown key":         `{"minor":"1","decimals":2,"currency":"EUR","scale":1}`,
		"missing minor":       `{"decimals":2,"currency":"EUR"}`,
		"missing decimals":    `{"minor":"1","currency":"JPY"}`,
		"nothing in it":       `{}`,
		"null":                `null`,
		"text":                `"12.50 EUR"`,
		"list":                `["1250",2,"EUR"]`,
		"nothing, no code":    `{"minor":"5","decimals":0,"currency":""}`,
		"null inside":         `{"minor":null,"decimals":2,"currency":"EUR"}`,
	}
	for name, in := range bad {
		got := eur.Of(7)
		if err := json.Unmarshal([]byte(in), &got); KindOf(err) != Invalid || got != eur.Of(7) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

// FuzzAmountJSON: the fast way and the strict way read the same, and what is read
// comes back byte for byte from MarshalJSON when it was in our spelling.
func FuzzAmountJSON(f *testing.F) {
	f.Add([]byte(`{"minor":"1250","decimals":2,"currency":"EUR"}`))
	f.Add([]byte(`{"minor":"0","decimals":0,"currency":""}`))
	f.Add([]byte(`{"minor":"1","decimals":2,"currency":"EUR","minor":"2"}`))
	f.Add([]byte(`{"minor":"1\",\"decimals":2,"currency":"EUR"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, ours := cutAmount(b)
		if ours {
			var slow amountJSON
			if err := decodeStrict(b, &slow, amountKeys); err != nil || slow != fast {
				t.Errorf("%s: %v, but %v, %v", b, fast, slow, err)
			}
		}
		var a Amount
		if json.Unmarshal(b, &a) != nil {
			return
		}
		again, err := json.Marshal(a)
		if err != nil || (ours && string(again) != string(b)) {
			t.Errorf("%s is %v is %s, %v", b, a, again, err)
		}
	})
}

func BenchmarkAmountJSON(b *testing.B) {
	for name, in := range map[string]string{"ours": `{"minor":"1250","decimals":2,"currency":"EUR"}`, "other": `{ "decimals":2, "minor":"1250", "currency":"EUR"}`} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var a Amount
				if err := a.UnmarshalJSON([]byte(in)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleAmount_String() {
	a, _ := ParseAmount("12.5", eur)
	fmt.Println(a, jpy.Of(1250), kwd.Of(1250))
	// Output: 12.50 EUR 1250 JPY 1.250 KWD
}
