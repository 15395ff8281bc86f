package barcode

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// scale is a shop's scale, made of the manual: it weighs in grams, prices, and prints
// weight or price after a pattern.
type scale struct {
	p     Pattern
	exp   int   // decimals of the currency
	price int64 // of a kilogram, minor units
}

// weigh prints the label for grams of an item, and what stands on it in plain text.
func (s scale) weigh(plu string, grams int64) (code string, printed int64) {
	var steps int64
	switch s.p.Value {
	case Weight:
		steps = grams / pow10(3-s.p.Decimals)
		printed = steps * pow10(3-s.p.Decimals)
	case Price:
		cents := new(big.Rat).SetFrac64(s.price*grams, 1000)
		cents.Add(cents, big.NewRat(1, 2))
		total := new(big.Int).Quo(cents.Num(), cents.Denom()).Int64()
		steps = total / pow10(s.exp-s.p.Decimals)
		printed = steps * pow10(s.exp-s.p.Decimals)
	}
	if steps >= pow10(strings.Count(s.p.Digits, "V")) {
		return "", 0 // it beeps: the label has no room
	}
	return s.print(plu, steps), printed
}

func pow10(n int) int64 {
	out := int64(1)
	for range n {
		out *= 10
	}
	return out
}

func (s scale) print(plu string, steps int64) string {
	n := strings.Count(s.p.Digits, "V")
	value := fmt.Sprintf("%0*d", n, steps)
	item := strings.Repeat("0", strings.Count(s.p.Digits, "I")-len(plu)) + plu
	var b strings.Builder
	for i := range len(s.p.Digits) - 1 {
		switch c := s.p.Digits[i]; c {
		case 'V':
			b.WriteByte(value[0])
			value = value[1:]
		case 'I':
			b.WriteByte(item[0])
			item = item[1:]
		case 'P':
			b.WriteByte(PriceDigit(fmt.Sprintf("%0*d", n, steps)))
		case 'X':
			b.WriteByte('7')
		default:
			b.WriteByte(c)
		}
	}
	return label(b.String())
}

// TestScale: what a scale printed is what the line says, to the gram and to the cent,
// for every layout, in currencies of 0, 2 and 3 decimals.
func TestScale(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, code := range []string{"EUR", "JPY", "KWD"} {
		c, err := pos.CurrencyOf(code)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []Pattern{
			{"21IIIIIVVVVVC", Weight, 3}, {"02IIIIVVVVVVC", Weight, 3}, {"2IIIIIVVVVVC", Weight, 3}, {"29IIIIIIVVVVC", Weight, 2}, {"20IIIIPVVVVVC", Weight, 3},
			{"21IIIIIVVVVVC", Price, c.Decimals}, {"20IIIIPVVVVVC", Price, c.Decimals}, {"20IIIIIPVVVVC", Price, 0}, {"28VVVVVVIIIIC", Price, c.Decimals},
		} {
			it := pos.Item{SKU: "CHEESE", Name: "Cheese", Price: c.Of(r.Int64N(3000) + 1), Tax: pos.TaxRate{Code: "A", Included: true}, Barcodes: []string{"417"}}
			b, bad, wrong := New([]pos.Item{it}, []Pattern{p}, c, "en")
			if len(bad)+len(wrong) > 0 {
				t.Fatalf("%v: %v %v", p, bad, wrong)
			}
			s := scale{p, c.Decimals, it.Price.Minor}
			for range 3000 {
				most := min(pow10(strings.Count(p.Digits, "V"))-1, 9_999)
				grams := r.Int64N(most) + 1
				code, printed := s.weigh("417", grams)
				if printed == 0 { // no scale prints such a label
					continue
				}
				check(t, b, it, p, code, printed)
			}
		}
	}
}

func check(t *testing.T, b *Book, it pos.Item, p Pattern, code string, printed int64) {
	t.Helper()
	do, err := b.Read(code)
	if err != nil {
		t.Fatalf("%v %s: %v", p, code, err)
	}
	price := it.Price
	if do.Minor != 0 {
		price = it.Price.Currency.Of(do.Minor)
	}
	l, err := pos.NewLine(it.Name, do.SKU, do.Qty, price, it.Tax)
	if err != nil {
		t.Fatalf("%v %s: %v", p, code, err)
	}
	if p.Value == Price && (l.Total.Minor != printed || l.Qty != onePiece) {
		t.Fatalf("%v %s: the line says %v, the label %d", p, code, l.Total, printed)
	}
	if p.Value == Weight && l.Qty != printed {
		t.Fatalf("%v %s: the line says %s, the label %d g", p, code, pos.FormatQty(l.Qty), printed)
	}
}

// FuzzRead gives a book any text at all.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"4006381333931", "01234565", label("211234500523"), label("230088614685"), "OP1:417:009812", "", "\x1d01\x00", "२१२३४५६७"} {
		f.Add(s)
	}
	b := book(f)
	known := map[string]pos.Item{}
	for _, it := range goods {
		known[it.SKU] = it
	}
	f.Fuzz(func(t *testing.T, s string) {
		do, err := b.Read(s)
		if err != nil {
			if do != (pos.AddItem{}) || pos.KindOf(err) != pos.Invalid && pos.KindOf(err) != pos.NotFound || !pos.IsPlain(err.Error()) {
				t.Fatalf("%q: %+v, %v", s, do, err)
			}
			return
		}
		if _, ok := known[do.SKU]; !ok || do.Qty < 1 || do.Qty > pos.MaxQty || do.Minor < 0 {
			t.Fatalf("%q: %+v", s, do)
		}
		if again, err := b.Read(" " + s + "\n"); err != nil || again != do {
			t.Fatalf("%q: %+v, then %+v, %v", s, do, again, err)
		}
	})
}

// FuzzPattern compiles any pattern; what it takes, a scale can print and the book reads.
func FuzzPattern(f *testing.F) {
	for _, p := range labels {
		f.Add(p.Digits, string(p.Value), p.Decimals, int64(523))
	}
	f.Add("21IIVVVVVVVVC", "weight", 3, int64(50_000_000)) // fifty tons
	f.Fuzz(func(t *testing.T, digits, value string, decimals int, steps int64) {
		p := Pattern{digits, Value(value), decimals}
		it := item("X", 100, "7")
		b, _, wrong := New([]pos.Item{it}, []Pattern{p}, eur, "en")
		if len(wrong) > 0 {
			if !pos.IsPlain(wrong[0].Err.Error()) && pos.IsPlain(digits) {
				t.Fatal(wrong[0].Err)
			}
			return
		}
		most := pow10(strings.Count(digits, "V"))
		if steps %= most; steps <= 0 {
			return
		}
		code := scale{p: p}.print("7", steps)
		do, err := b.Read(code)
		want, got := steps, do.Minor
		switch p.Value {
		case Weight:
			want, got = steps*pow10(3-decimals), do.Qty
		case Pieces:
			want, got = steps*1000, do.Qty
		case Price:
			want *= pow10(2 - decimals)
		}
		if want > pos.MaxQty && p.Value != Price {
			if err == nil {
				t.Fatalf("%v %s: %+v is above all quantities", p, code, do)
			}
			return
		}
		if err != nil || got != want || do.SKU != "X" {
			t.Fatalf("%v %s: got %+v, %v, want %d", p, code, do, err, want)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	bk := book(b)
	code := label("211234500523")
	for b.Loop() {
		if _, err := bk.Read(code); err != nil {
			b.Fatal(err)
		}
	}
}
