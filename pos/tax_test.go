package pos

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestPercent(t *testing.T) {
	for milli, want := range map[int64]string{0: "0%", 8875: "8.875%", 20_000: "20%", 5_500: "5.5%", 100_000: "100%", 1: "0.001%", 10_000: "10%"} {
		if got := (TaxRate{Milli: milli}).Percent(); got != want {
			t.Errorf("%d: got %s, want %s", milli, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	tests := []struct {
		name            string
		rate            TaxRate
		sum             Amount
		net, tax, gross int64
	}{
		{"contained", vat20, eur.Of(1200), 1000, 200, 1200},
		{"contained, rounded", vat20, eur.Of(100), 83, 17, 100}, // 16.67
		{"contained, half up", vat20, eur.Of(3), 2, 1, 3},       // 0.5
		{"contained, 10 %", vat10, eur.Of(740), 673, 67, 740},   // 67.27
		{"added", nyc, eur.Of(1000), 1000, 89, 1089},            // 88.75
		{"added, half up", nyc, eur.Of(400), 400, 36, 436},      // 35.5
		{"added, below half", nyc, eur.Of(399), 399, 35, 434},   // 35.41
		{"exempt", none, eur.Of(1234), 1234, 0, 1234},
		{"nothing", vat20, eur.Zero(), 0, 0, 0},
		{"a cent", vat20, eur.Of(1), 1, 0, 1},
		{"yen", TaxRate{Code: "A", Milli: 10_000, Included: true}, jpy.Of(1080), 982, 98, 1080},
		{"all of it", TaxRate{Code: "A", Milli: 100_000, Included: true}, eur.Of(101), 50, 51, 101},
		{"as much again", TaxRate{Code: "A", Milli: 100_000}, eur.Of(101), 101, 101, 202},
		{"the largest, contained", vat20, eur.Of(math.MaxInt64), 7686143364045646506, 1537228672809129301, math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			row, err := tt.rate.split(tt.sum)
			c := tt.sum.Currency
			if want := (TaxRow{tt.rate, c.Of(tt.net), c.Of(tt.tax), c.Of(tt.gross)}); err != nil || row != want {
				t.Errorf("got %+v, %v, want %+v", row, err, want)
			}
		})
	}
	if _, err := nyc.split(eur.Of(math.MaxInt64)); KindOf(err) != Invalid {
		t.Errorf("tax on all the money in the world: %v", err)
	}
}

// FuzzSplit holds the row against exact arithmetic: gross is net and tax, the tax
// is within half a cent of the true one with ties up, and none is negative.
func FuzzSplit(f *testing.F) {
	f.Add(int64(1200), int64(20_000), true)
	f.Add(int64(400), int64(8_875), false)
	f.Fuzz(func(t *testing.T, sum, milli int64, included bool) {
		rate := TaxRate{Code: "A", Milli: milli, Included: included}
		if sum < 0 || rate.valid() != nil {
			return
		}
		row, err := rate.split(eur.Of(sum))
		if err != nil {
			if included || sum < math.MaxInt64/2 {
				t.Errorf("%d at %d: %v", sum, milli, err)
			}
			return
		}
		if row.Net.Minor < 0 || row.Tax.Minor < 0 || row.Net.Minor+row.Tax.Minor != row.Gross.Minor {
			t.Errorf("%+v", row)
		}
		whole := big.NewRat(maxTaxMilli, 1)
		if included {
			whole.SetInt64(maxTaxMilli + milli)
		}
		exact := new(big.Rat).Mul(big.NewRat(sum, 1), new(big.Rat).Quo(big.NewRat(milli, 1), whole))
		over := exact.Sub(big.NewRat(row.Tax.Minor, 1), exact) // (-1/2, 1/2]
		if half := big.NewRat(1, 2); over.Cmp(half) > 0 || over.Cmp(new(big.Rat).Neg(half)) <= 0 {
			t.Errorf("%d at %d: tax %v is over by %v", sum, milli, row.Tax, over)
		}
	})
}

// TestTotals draws baskets at random. Rows come in the order of their codes, each
// computed once from the sum of its lines, and the rows add up to the totals.
func TestTotals(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	rates := []TaxRate{vat20, vat10, nyc, none}
	for range 2000 {
		s, sums := Sale{Currency: "EUR"}, map[string]int64{}
		for range rng.IntN(12) {
			l, err := NewLine("x", "", 1+rng.Int64N(5000), eur.Of(rng.Int64N(10_000)), rates[rng.IntN(len(rates))])
			if err != nil {
				t.Fatal(err)
			}
			s.Lines = append(s.Lines, l)
			sums[l.Tax.Code] += l.Total.Minor
		}
		tot, err := s.Totals()
		if err != nil || len(tot.Tax) != len(sums) {
			t.Fatalf("%d rows for %v: %v", len(tot.Tax), sums, err)
		}
		var net, tax, gross int64
		for i, row := range tot.Tax {
			if i > 0 && tot.Tax[i-1].Rate.Code >= row.Rate.Code {
				t.Fatalf("rows out of order: %v", tot.Tax)
			}
			want, err := row.Rate.split(eur.Of(sums[row.Rate.Code]))
			if err != nil || row != want {
				t.Fatalf("got %+v, want %+v, %v", row, want, err)
			}
			net, tax, gross = net+row.Net.Minor, tax+row.Tax.Minor, gross+row.Gross.Minor
		}
		if tot.Net != eur.Of(net) || tot.TaxUp != eur.Of(tax) || tot.Total != eur.Of(gross) || net+tax != gross {
			t.Fatalf("%+v is not the sum of its rows", tot)
		}
	}
}

// TestTaxOfTheSum is why tax is not added up line by line: three times 0.10 of
// contained 20 % is 0.05 of tax, not three times 0.02.
func TestTaxOfTheSum(t *testing.T) {
	l, err := NewLine("x", "", 1000, eur.Of(10), vat20)
	if err != nil {
		t.Fatal(err)
	}
	tot, err := Sale{Currency: "EUR", Lines: []Line{l, l, l}}.Totals()
	if err != nil || tot.TaxUp != eur.Of(5) || tot.Total != eur.Of(30) {
		t.Errorf("%+v, %v", tot, err)
	}
}

func TestTotalsFails(t *testing.T) {
	line := func(a Amount, r TaxRate) Line { return Line{Name: "x", Qty: 1000, Price: a, Total: a, Tax: r} }
	other := vat20
	other.Milli++
	tests := []struct {
		name string
		sale Sale
		kind Kind
	}{
		{"no currency", Sale{}, Invalid},
		{"two rates under one code", Sale{Currency: "EUR", Lines: []Line{line(eur.Of(1), vat20), line(eur.Of(1), other)}}, Conflict},
		{"a line of yen", Sale{Currency: "EUR", Lines: []Line{line(jpy.Of(1), vat20)}}, Invalid},
		{"lines overflow", Sale{Currency: "EUR", Lines: []Line{line(eur.Of(math.MaxInt64), vat20), line(eur.Of(1), vat20)}}, Invalid},
		{"rows overflow", Sale{Currency: "EUR", Lines: []Line{line(eur.Of(math.MaxInt64), vat20), line(eur.Of(1), none)}}, Invalid},
		{"tax overflows", Sale{Currency: "EUR", Lines: []Line{line(eur.Of(math.MaxInt64), nyc)}}, Invalid},
	}
	for _, tt := range tests {
		if tot, err := tt.sale.Totals(); err == nil || KindOf(err) != tt.kind {
			t.Errorf("%s: %+v, %v", tt.name, tot, err)
		}
		if _, err := tt.sale.Due(); err == nil || KindOf(err) != tt.kind {
			t.Errorf("%s: due, %v", tt.name, err)
		}
	}
	if tot, err := (Sale{Currency: "JPY"}).Totals(); err != nil || tot.Total != jpy.Zero() || tot.Tax == nil || fmt.Sprint(tot.Tax) != "[]" {
		t.Errorf("an empty basket: %+v, %v", tot, err)
	}
}
