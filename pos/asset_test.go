package pos

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"
)

var (
	usdc = Asset{ID: "polygon:0x3c499c", Symbol: "USDC", Decimals: 6, Shown: 2}
	dai  = Asset{ID: "ethereum:0x6b1754", Symbol: "DAI", Decimals: 18, Shown: 6}
	t0   = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
)

func units(t testing.TB, a Asset, n string) Quantity {
	t.Helper()
	i, ok := new(big.Int).SetString(n, 10)
	if !ok {
		t.Fatalf("%q is no number", n)
	}
	q, err := a.Units(i)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestUnits(t *testing.T) {
	most := new(big.Int).Lsh(big.NewInt(1), maxQuantityBits)
	if _, err := dai.Units(most); KindOf(err) != Invalid {
		t.Errorf("2^256: %v", err)
	}
	if q, err := dai.Units(most.Sub(most, big.NewInt(1))); err != nil || q.Int().BitLen() != 256 {
		t.Errorf("2^256-1: %v, %v", q, err)
	}
	for name, n := range map[string]*big.Int{"nil": nil, "negative": big.NewInt(-1)} {
		if _, err := dai.Units(n); KindOf(err) != Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if q := dai.UnitsOf(-5); !q.IsZero() || q.Asset != dai {
		t.Errorf("a negative count is %v", q)
	}
}

// TestQuantityNeverChanges tries to reach its number from outside.
func TestQuantityNeverChanges(t *testing.T) {
	n := big.NewInt(5)
	q, err := usdc.Units(n)
	if err != nil {
		t.Fatal(err)
	}
	n.SetInt64(999)
	q.Int().SetInt64(999)
	r := q
	if r = r.Minus(usdc.UnitsOf(2)); r.Int().Int64() != 3 || q.Int().Int64() != 5 {
		t.Errorf("q is %v, r is %v", q, r)
	}
}

func TestQuantityArithmetic(t *testing.T) {
	tests := []struct {
		a, b        string
		cmp         int
		minus, back string
	}{
		{"5", "3", 1, "2", "0"}, {"3", "5", -1, "0", "2"}, {"5", "5", 0, "0", "0"}, {"0", "5", -1, "0", "5"},
		{"20000000000000000001", "20000000000000000000", 1, "1", "0"},
	}
	for _, tt := range tests {
		a, b := units(t, dai, tt.a), units(t, dai, tt.b)
		if a.Cmp(b) != tt.cmp || b.Cmp(a) != -tt.cmp || a.Minus(b).Int().String() != tt.minus || b.Minus(a).Int().String() != tt.back {
			t.Errorf("%s and %s: cmp %d, %v, %v", tt.a, tt.b, a.Cmp(b), a.Minus(b), b.Minus(a))
		}
	}
	if (Quantity{}).Cmp(dai.UnitsOf(1)) != -1 || dai.UnitsOf(0).Cmp(usdc.UnitsOf(0)) != 0 {
		t.Error("nothing does not compare")
	}
	defer func() {
		if recover() == nil {
			t.Error("two assets were compared")
		}
	}()
	dai.UnitsOf(1).Cmp(usdc.UnitsOf(1))
}

func TestQuantityText(t *testing.T) {
	tests := []struct {
		asset Asset
		units string
		want  string
	}{
		{Bitcoin, "1234000", "1234 sat"}, {Bitcoin, "1234500", "1234.5 sat"}, {Bitcoin, "1", "0.001 sat"}, {Bitcoin, "0", "0 sat"},
		{usdc, "12340000", "12.34 USDC"}, {usdc, "12300000", "12.30 USDC"}, {usdc, "12340100", "12.3401 USDC"}, {usdc, "12000000", "12.00 USDC"},
		{dai, "20000000000000000001", "20.000000000000000001 DAI"}, {dai, "1", "0.000000000000000001 DAI"}, {dai, "0", "0.000000 DAI"},
		{Asset{Symbol: "pt"}, "17", "17 pt"},
	}
	for _, tt := range tests {
		if got := units(t, tt.asset, tt.units).String(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.units, got, tt.want)
		}
	}
}

func TestQuantityJSON(t *testing.T) {
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	whole, _ := dai.Units(most)
	for _, q := range []Quantity{{}, Bitcoin.UnitsOf(1234000), usdc.UnitsOf(0), whole} {
		b, err := json.Marshal(q)
		var got Quantity
		if err2 := json.Unmarshal(b, &got); err != nil || err2 != nil || got.Asset != q.Asset || got.Int().Cmp(q.Int()) != 0 {
			t.Errorf("%v is %s is %v: %v, %v", q, b, got, err, err2)
		}
	}
	asset := `{"id":"BTC","symbol":"sat","decimals":3,"shown":0}`
	bad := map[string]string{
		"a number":           `{"units":5,"asset":` + asset + `}`,
		"negative":           `{"units":"-5","asset":` + asset + `}`,
		"point":              `{"units":"5.0","asset":` + asset + `}`,
		"hex":                `{"units":"0x5","asset":` + asset + `}`,
		"leading zero":       `{"units":"05","asset":` + asset + `}`,
		"empty":              `{"units":"","asset":` + asset + `}`,
		"past 256 bits":      `{"units":"` + new(big.Int).Add(most, big.NewInt(1)).String() + `","asset":` + asset + `}`,
		"a megabyte":         `{"units":"` + strings.Repeat("9", 1<<20) + `","asset":` + asset + `}`,
		"twice":              `{"units":"5","units":"6","asset":` + asset + `}`,
		"odd case":           `{"Units":"5","asset":` + asset + `}`,
		"no asset":           `{"units":"5"}`,
		"more":               `{"units":"5","asset":` + asset + `,"x":1}`,
		"null":               `null`,
		"text":               `"5 sat"`,
		"a billion decimals": `{"units":"5","asset":{"id":"X","symbol":"X","decimals":1000000000,"shown":0}}`,
		"fewer than none":    `{"units":"5","asset":{"id":"X","symbol":"X","decimals":-1,"shown":-1}}`,
		"shows too much":     `{"units":"5","asset":{"id":"X","symbol":"X","decimals":2,"shown":3}}`,
		"coin of a billion":  `{"units":"5","asset":{"id":"X","symbol":"X","decimals":2,"shown":2,"coin_decimals":1000000000}}`,
		"escape in symbol":   `{"units":"5","asset":{"id":"X","symbol":"X\u001bp","decimals":2,"shown":2}}`,
		"endless id":         `{"units":"5","asset":{"id":"` + strings.Repeat("x", 121) + `","symbol":"X","decimals":2,"shown":2}}`,
	}
	for name, in := range bad {
		var got Quantity
		if err := json.Unmarshal([]byte(in), &got); KindOf(err) != Invalid {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func TestRateOf(t *testing.T) {
	good := []struct {
		c     Currency
		a     Asset
		price string
		units string // base units a minor unit
		text  string
	}{
		{eur, Bitcoin, "58123.40", "5000000000/290617", "1 BTC = 58123.40 EUR"}, // 10^11 / 5812340
		{eur, Bitcoin, "100000", "10000", "1 BTC = 100000.00 EUR"},
		{jpy, Bitcoin, "10000000", "10000", "1 BTC = 10000000 JPY"},
		{kwd, Bitcoin, "20000.5", "200000000/40001", "1 BTC = 20000.500 KWD"},
		{eur, usdc, "0.92", "250000/23", "1 USDC = 0.92 EUR"}, // 10^6 / 92
		{eur, usdc, "1.005", "2000000/201", "1 USDC = 1.01 EUR"},
		{eur, dai, "1", "10000000000000000", "1 DAI = 1.00 EUR"},
		{eur, Bitcoin, "010", "100000000", "1 BTC = 10.00 EUR"}, // decimal, not octal
	}
	for _, tt := range good {
		r, err := RateOf(tt.c, tt.a, tt.price, "test", t0)
		if err != nil || r.Units.RatString() != tt.units || r.Price() != tt.text || r.At != t0 || r.Source != "test" {
			t.Errorf("%s: got %v %q, %v", tt.price, r.Units, r.Price(), err)
		}
	}
	for _, price := range []string{"", ".", "0", "0.00", "-1", "+1", "1e5", "0x10", "1/2", "1,5", "NaN", "Inf", "1..2", "1.2.3", " 1", "٣", strings.Repeat("1", 41)} {
		if r, err := RateOf(eur, Bitcoin, price, "", t0); KindOf(err) != Invalid || r.Units != nil {
			t.Errorf("%q: got %v, %v", price, r.Units, err)
		}
	}
	if got := (Rate{}).Price(); got != "" {
		t.Errorf("no rate costs %q", got)
	}
}

func TestCharge(t *testing.T) {
	cent := Rate{From: eur, To: Bitcoin, Units: big.NewRat(3301, 2)}         // a cent is 1,650.5 msat
	token := Rate{From: eur, To: dai, Units: new(big.Rat).SetInt(pow10(16))} // a euro is a token
	atom := Asset{ID: "atom", Symbol: "atom"}
	huge := Rate{From: eur, To: atom, Units: new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 255))} // 2^255 a cent
	tests := []struct {
		name           string
		rate           Rate
		amount         Amount
		charge, refund string // empty: Invalid
	}{
		{"nothing", cent, eur.Zero(), "0", "0"},
		{"fraction", cent, eur.Of(1), "2000", "1000"},
		{"a satoshi more", cent, eur.Of(2), "4000", "3000"},
		{"exact", Rate{From: eur, To: Bitcoin, Units: big.NewRat(1000, 1)}, eur.Of(7), "7000", "7000"},
		{"past int64", token, eur.Of(2000), "20000000000000000000", "20000000000000000000"},
		{"all the money in the world", token, eur.Of(1<<62 + 1), "46116860184273879050000000000000000", "46116860184273879050000000000000000"},
		{"256 bits", huge, eur.Of(1), "57896044618658097711785492504343953926634992332820282019728792003956564819968", "57896044618658097711785492504343953926634992332820282019728792003956564819968"},
		{"past 256 bits", huge, eur.Of(2), "", ""},
		{"negative", cent, eur.Of(-1), "", ""},
		{"another currency", cent, jpy.Of(1), "", ""},
		{"another cent", cent, Amount{1, Currency{"EUR", 3}}, "", ""},
		{"no rate", Rate{From: eur, To: Bitcoin}, eur.Of(1), "", ""},
		{"rate zero", Rate{From: eur, To: Bitcoin, Units: new(big.Rat)}, eur.Of(1), "", ""},
		{"rate below zero", Rate{From: eur, To: Bitcoin, Units: big.NewRat(-1, 1)}, eur.Of(1), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, way := range []struct {
				f    func(Amount) (Quantity, error)
				want string
			}{{tt.rate.Charge, tt.charge}, {tt.rate.Refund, tt.refund}} {
				q, err := way.f(tt.amount)
				if way.want == "" {
					if KindOf(err) != Invalid || !q.IsZero() {
						t.Errorf("got %v, %v, want Invalid", q, err)
					}
				} else if err != nil || q.Int().String() != way.want {
					t.Errorf("got %v, %v, want %s", q.Int(), err, way.want)
				}
			}
		})
	}
}

// FuzzRate checks the promises in the comments of Charge and Refund: neither
// rounding ever costs the shop, neither moves a whole step, and nothing that is
// owed is free.
func FuzzRate(f *testing.F) {
	f.Add(int64(1), int64(3301), int64(2), byte(0))
	f.Add(int64(1)<<62, int64(1)<<62, int64(1), byte(1))
	f.Add(int64(5), int64(1), int64(1)<<62, byte(2))
	f.Fuzz(func(t *testing.T, minor, num, den int64, which byte) {
		if den == 0 {
			return
		}
		a := []Asset{Bitcoin, usdc, dai}[which%3]
		r := Rate{From: eur, To: a, Units: big.NewRat(num, den)}
		up, err := r.Charge(eur.Of(minor))
		down, err2 := r.Refund(eur.Of(minor))
		if bad := minor < 0 || r.Units.Sign() <= 0; bad != (err != nil) || bad != (err2 != nil) {
			t.Fatalf("%d × %v: %v, %v", minor, r.Units, err, err2)
		} else if bad {
			return
		}
		exact, step := new(big.Rat).Mul(r.Units, big.NewRat(minor, 1)), new(big.Rat).SetInt(a.step())
		over := new(big.Rat).Sub(new(big.Rat).SetInt(up.Int()), exact)
		under := new(big.Rat).Sub(exact, new(big.Rat).SetInt(down.Int()))
		if over.Sign() < 0 || over.Cmp(step) >= 0 || under.Sign() < 0 || under.Cmp(step) >= 0 {
			t.Errorf("%d × %v: charge over by %v, refund under by %v", minor, r.Units, over, under)
		}
		if minor > 0 && up.IsZero() {
			t.Errorf("%d at %v is free", minor, r.Units)
		}
		for _, q := range []Quantity{up, down} {
			if new(big.Int).Rem(q.Int(), a.step()).Sign() != 0 {
				t.Errorf("%v is not whole steps", q)
			}
		}
	})
}

func TestRateJSON(t *testing.T) {
	r, err := RateOf(eur, Bitcoin, "58123.40", "median of 3", t0)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	var got Rate
	if err2 := json.Unmarshal(b, &got); err != nil || err2 != nil || got.Units.Cmp(r.Units) != 0 || got.From != r.From || got.To != r.To || got.Source != r.Source || !got.At.Equal(r.At) {
		t.Errorf("%s is %v: %v, %v", b, got, err, err2)
	}
	form := func(units string) string {
		return `{"from":"EUR","to":{"id":"BTC","symbol":"sat","decimals":3,"shown":0},"units":"` + units + `","source":"","at":"2026-11-26T12:00:00Z"}`
	}
	if err := json.Unmarshal([]byte(form("10/3")), &got); err != nil || got.Units.Cmp(big.NewRat(10, 3)) != 0 {
		t.Errorf("10/3: %v, %v", got.Units, err)
	}
	for _, units := range []string{"", "0", "-1", "1/0", "0/1", "20/6", "010/3", "10/03", "5/1", "1.5", "1e3", "1//2", "/3", "3/", "NaN", strings.Repeat("7", 201)} {
		if err := json.Unmarshal([]byte(form(units)), &got); KindOf(err) != Invalid {
			t.Errorf("%q: %v, %v", units, got.Units, err)
		}
	}
	for name, in := range map[string]string{
		"no such money": strings.Replace(form("1"), "EUR", "EUX", 1),
		"huge asset":    strings.Replace(form("1"), `"decimals":3`, `"decimals":300000000`, 1),
		"units twice":   strings.Replace(form("1"), `"source"`, `"units":"2","source"`, 1),
		"no time":       strings.Replace(form("1"), `,"at":"2026-11-26T12:00:00Z"`, ``, 1),
		"null":          "null",
	} {
		if err := json.Unmarshal([]byte(in), &got); KindOf(err) != Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzAssetJSON: no bytes make a quantity or a rate that takes long to print, or
// that is written differently from how it was read.
func FuzzAssetJSON(f *testing.F) {
	r, _ := RateOf(eur, dai, "0.92", "x", t0)
	for _, v := range []any{Bitcoin.UnitsOf(1234500), Quantity{}, r} {
		b, _ := json.Marshal(v)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var q Quantity
		if json.Unmarshal(b, &q) == nil {
			out, err := json.Marshal(q)
			var again Quantity
			if err2 := json.Unmarshal(out, &again); err != nil || err2 != nil || again.Asset != q.Asset || again.Int().Cmp(q.Int()) != 0 || len(q.String()) > 400 {
				t.Errorf("%s is %v is %s: %v, %v", b, q, out, err, err2)
			}
		}
		var r Rate
		if json.Unmarshal(b, &r) == nil {
			if q, err := r.Charge(r.From.Of(1)); err == nil && q.IsZero() || len(r.Price()) > 400 {
				t.Errorf("%s sells for nothing, or costs %s", b, r.Price())
			}
		}
	})
}
