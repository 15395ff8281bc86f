package barcode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestCheckDigits takes numbers off real goods, and GS1's own examples.
func TestCheckDigits(t *testing.T) {
	for _, s := range []string{"4006381333931", "96385074", "036000291452", "9501101531000", "95012346", "00012345600012", "9788205512375", "7038010054471", "0000000000000"} {
		if !sound(s) {
			t.Errorf("%s: its check digit is %c", s, CheckDigit(s[:len(s)-1]))
		}
		for i := range len(s) { // every digit misread
			for d := byte('0'); d <= '9'; d++ {
				if b := []byte(s); d != s[i] {
					if b[i] = d; sound(string(b)) {
						t.Errorf("%s passes for %s", b, s)
					}
				}
			}
		}
	}
}

// TestPriceDigits holds the tables to the rule that they are made by, and the result to
// the examples of GS1's General Specifications, section 7.9.
func TestPriceDigits(t *testing.T) {
	rules := map[string]func(d int) int{
		twoMinus:  func(d int) int { return 2*d%10 - 2*d/10 },
		three:     func(d int) int { return 3 * d },
		fiveMinus: func(d int) int { return 5*d%10 - 5*d/10 },
		fivePlus:  func(d int) int { return 5*d%10 + 5*d/10 },
	}
	for table, rule := range rules {
		for d := range 10 {
			if want := (rule(d) + 10) % 10; int(table[d]-'0') != want {
				t.Errorf("table %s: %d becomes %c, want %d", table, d, table[d], want)
			}
		}
	}
	for v, want := range map[string]byte{"2875": '9', "14685": '6', "0000": '0', "00000": '0', "123": 0, "123456": 0, "12a4": 0, "": 0} {
		if got := PriceDigit(v); got != want {
			t.Errorf("PriceDigit(%q) = %q, want %q", v, got, want)
		}
	}
	for n, format := range map[int]string{10_000: "%04d", 100_000: "%05d"} { // no digit of a value may be misread unseen
		for v := 0; v < n; v += 7 {
			s := fmt.Sprintf(format, v)
			for i := range len(s) {
				b := []byte(s)
				if b[i] = '0' + (b[i]-'0'+1)%10; PriceDigit(string(b)) == PriceDigit(s) {
					t.Fatalf("%s and %s have the same check digit", b, s)
				}
			}
		}
	}
}

func TestCanonical(t *testing.T) {
	for _, x := range []struct{ name, code, want string }{
		{"EAN-13", "4006381333931", "04006381333931"},
		{"EAN-8", "96385074", "00000096385074"},
		{"UPC-A", "036000291452", "00036000291452"},
		{"the same as EAN-13", "0036000291452", "00036000291452"},
		{"the same as GTIN-14", "00036000291452", "00036000291452"},
		{"UPC-E that may be an EAN-8, too", "01234565", "00000001234565"},
		{"UPC-E, 3", "01234531", "00012300000451"},
		{"UPC-E, 4", "01234543", "00012340000053"},
		{"UPC-E, 0", "01234505", "00012000003455"},
		{"a misread EAN-13", "4006381333932", "!the last digit of 4006381333932 must be 1"},
		{"a misread EAN-8", "96385075", "!must be 4"},
		{"the shop's own", "BOX-17", "BOX-17"},
		{"the shop's own number", "00417", "00417"},
		{"empty", "", "!1 to 48"},
		{"long", strings.Repeat("7", MaxCode+1), "!1 to 48"},
		{"a tab", "12\t3", "!plain"},
		{"a letter of no code", "Kä", "!plain"},
		{"a space at the end", "123 ", "!plain"},
	} {
		got, err := Canonical(x.code)
		if want, bad := strings.CutPrefix(x.want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), want) || pos.KindOf(err) != pos.Invalid {
				t.Errorf("%s: got %q, %v, want %q", x.name, got, err, want)
			}
		} else if err != nil || got != x.want {
			t.Errorf("%s: got %q, %v, want %q", x.name, got, err, x.want)
		}
	}
}

// TestUPCE shrinks and grows every kind of number that has zeros to leave out.
func TestUPCE(t *testing.T) {
	seen := 0
	for last := range 10 {
		for n := range 2000 {
			six := fmt.Sprintf("%05d%d", n*49%100_000, last)
			short := "0" + six
			long, ok := fromUPCE(short + "0")
			if len(long) != gtin || ok != sound(long) {
				t.Fatalf("%s0 gave %s, %v", short, long, ok)
			}
			short += string(CheckDigit(long[2:13]))
			if long, ok = fromUPCE(short); !ok || !strings.HasPrefix(long, "00") {
				t.Fatalf("%s gave %s", short, long)
			}
			if strings.Count(long[3:13], "0") < 4 {
				t.Fatalf("%s gave %s: zeros are missing", short, long)
			}
			seen++
		}
	}
	if seen != 20_000 {
		t.Fatal(seen)
	}
}

var eur, _ = pos.CurrencyOf("EUR")

func item(sku string, minor int64, codes ...string) pos.Item {
	return pos.Item{SKU: sku, Name: "Item " + sku, Price: eur.Of(minor), Tax: pos.TaxRate{Code: "A", Milli: 10_000, Included: true}, Barcodes: codes}
}

var goods = []pos.Item{
	item("PEN", 250, "4006381333931", "036000291452"),
	item("SODA", 120, "01234565"), // as UPC-E
	item("GOUDA", 1490, "12345"),
	item("HAM", 2390, label("220008500000")), // as some shop systems write it
	item("00088", 990),                       // by its SKU
	item("ROLLS", 45, "77"),
	item("BOX", 300, "BOX-17"),
	item("CARD", 500, label("291234567890")),
}

var labels = []Pattern{
	{"21IIIIIVVVVVC", Weight, 3},
	{"22IIIIIVVVVVC", Price, 2},
	{"23IIIIPVVVVVC", Price, 2},
	{"24IIIIXVVVV0C", Weight, 2},
	{"25IIIIIXXXVVC", Pieces, 0},
	{"2IIIIIVVVVVC", Price, 2}, // a UPC-A: "02…"
}

func book(t testing.TB) *Book {
	t.Helper()
	b, bad, wrong := New(goods, labels, eur, "en")
	if len(bad)+len(wrong) > 0 {
		t.Fatal(bad, wrong)
	}
	return b
}

// label ends twelve digits.
func label(s string) string { return s + string(CheckDigit(s)) }

func TestRead(t *testing.T) {
	b := book(t)
	for _, x := range []struct {
		name, code string
		want       pos.AddItem
		kind       pos.Kind
		says       string
	}{
		{"EAN-13", "4006381333931", pos.AddItem{SKU: "PEN", Qty: 1000}, 0, ""},
		{"UPC-A", "036000291452", pos.AddItem{SKU: "PEN", Qty: 1000}, 0, ""},
		{"UPC-A as EAN-13", " 0036000291452\r", pos.AddItem{SKU: "PEN", Qty: 1000}, 0, ""},
		{"UPC-E", "01234565", pos.AddItem{SKU: "SODA", Qty: 1000}, 0, ""},
		{"UPC-E as UPC-A", "012345000065", pos.AddItem{SKU: "SODA", Qty: 1000}, 0, ""},
		{"the shop's own", "BOX-17", pos.AddItem{SKU: "BOX", Qty: 1000}, 0, ""},
		{"the scale's number, typed", "12345", pos.AddItem{SKU: "GOUDA", Qty: 1000}, 0, ""},
		{"weight", label("211234500523"), pos.AddItem{SKU: "GOUDA", Qty: 523}, 0, ""},
		{"weight of a whole kilogram", label("211234501000"), pos.AddItem{SKU: "GOUDA", Qty: 1000}, 0, ""},
		{"price", label("221234500349"), pos.AddItem{SKU: "GOUDA", Qty: 1000, Minor: 349}, 0, ""},
		{"price of the item by its label", label("220007701295"), pos.AddItem{SKU: "ROLLS", Qty: 1000, Minor: 1295}, 0, ""},
		{"price with its check digit", label("23" + "0088" + "6" + "14685"), pos.AddItem{SKU: "00088", Qty: 1000, Minor: 14685}, 0, ""},
		{"price with a wrong one", label("23" + "0088" + "5" + "14685"), pos.AddItem{}, pos.Invalid, "not read correctly"},
		{"weight in 10 g", label("24" + "0088" + "7" + "0052" + "0"), pos.AddItem{SKU: "00088", Qty: 520}, 0, ""},
		{"pieces", label("25" + "00077" + "123" + "12"), pos.AddItem{SKU: "ROLLS", Qty: 12_000}, 0, ""},
		{"price on a UPC-A", label("21234500349"), pos.AddItem{SKU: "GOUDA", Qty: 1000, Minor: 349}, 0, ""},
		{"price on a UPC-A as EAN-13", label("021234500349"), pos.AddItem{SKU: "GOUDA", Qty: 1000, Minor: 349}, 0, ""},
		{"no weight", label("211234500000"), pos.AddItem{}, pos.Invalid, "not read correctly"},
		{"too heavy", label("21" + "12345" + "99999"), pos.AddItem{SKU: "GOUDA", Qty: 99_999}, 0, ""},
		{"a misread label", "2112345005231", pos.AddItem{}, pos.Invalid, "not read correctly"},
		{"a label of no item", label("219999900523"), pos.AddItem{}, pos.NotFound, "No item has this code: 219999900523"},
		{"a number of the shop's without a pattern", label("291234567890"), pos.AddItem{SKU: "CARD", Qty: 1000}, 0, ""},
		{"unknown", "9501101531000", pos.AddItem{}, pos.NotFound, "No item has this code: 9501101531000"},
		{"misread", "4006381333930", pos.AddItem{}, pos.Invalid, "4006381333930 was not read correctly"},
		{"nothing", " ", pos.AddItem{}, pos.Invalid, ""},
		{"a link", "https://example.com/" + strings.Repeat("x", 100), pos.AddItem{}, pos.Invalid, "https://example.com/xxx"},
		{"letters of no code", "\x1b[2J\u202e1", pos.AddItem{}, pos.Invalid, "code [2J1 was"},
	} {
		got, err := b.Read(x.code)
		if got != x.want || (err == nil) != (x.kind == 0) || err != nil && (pos.KindOf(err) != x.kind || !strings.Contains(err.Error(), x.says)) {
			t.Errorf("%s: got %+v, %v, want %+v %v %q", x.name, got, err, x.want, x.kind, x.says)
		}
	}
	if got, err := b.Read(label("220008500349")); err != nil || got != (pos.AddItem{SKU: "HAM", Qty: 1000, Minor: 349}) {
		t.Errorf("by its label with zeros: got %+v, %v", got, err)
	}
}

// TestLabelForm finds an item by its label with zeros for the value, whatever it costs.
func TestLabelForm(t *testing.T) {
	b, bad, wrong := New([]pos.Item{item("HAM", 2390, label("220007700000"))}, labels, eur, "en")
	if len(bad)+len(wrong) > 0 {
		t.Fatal(bad, wrong)
	}
	for v := 1; v < 100_000; v += 97 {
		got, err := b.Read(label(fmt.Sprintf("2200077%05d", v)))
		if err != nil || got != (pos.AddItem{SKU: "HAM", Qty: 1000, Minor: int64(v)}) {
			t.Fatalf("%d: got %+v, %v", v, got, err)
		}
	}
}

// TestFaults names what is wrong with a catalogue and with patterns.
func TestFaults(t *testing.T) {
	for _, x := range []struct {
		name  string
		items []pos.Item
		index int
		want  string
	}{
		{"check digit", []pos.Item{goods[0], item("X", 1, "4006381333930")}, 1, "the last digit of 4006381333930 must be 1"},
		{"twice", []pos.Item{goods[0], item("X", 1, "0036000291452")}, 1, `is "PEN" already`},
		{"another's sku", []pos.Item{item("X", 1, "PEN"), goods[0]}, 0, "is the sku of another item"},
		{"the scale's number", []pos.Item{item("X", 1, "77"), item("Y", 1, "0077")}, 1, `the number 0077 is "X" already`},
		{"many", []pos.Item{item("X", 1, make33()...)}, 0, "at most 32 codes"},
	} {
		b, bad, wrong := New(x.items, nil, eur, "en")
		if b != nil || len(bad) != 1 || len(wrong) != 0 || bad[0].Index != x.index || !strings.Contains(bad[0].Err.Error(), x.want) {
			t.Errorf("%s: got %v %v, want %d %q", x.name, bad, wrong, x.index, x.want)
		}
	}
	for _, x := range []struct {
		p    Pattern
		want string
	}{
		{Pattern{"21IIIIIVVVVV", Weight, 3}, "must end with C"},
		{Pattern{"21IIIIIVVVVVCC", Weight, 3}, "13 places"},
		{Pattern{"21IIIIICVVVVC", Weight, 3}, "nowhere else"},
		{Pattern{"21iiiiiVVVVVC", Weight, 3}, "is made of digits"},
		{Pattern{"40IIIIIVVVVVC", Weight, 3}, "must begin with 02 or 20 to 29"},
		{Pattern{"2XIIIIIVVVVVC", Weight, 3}, "must begin with 02 or 20 to 29"},
		{Pattern{"21IIXIIVVVVVC", Weight, 3}, "1 to 8 I, one beside the other"},
		{Pattern{"21XXXXXVVVVVC", Weight, 3}, "1 to 8 I"},
		{Pattern{"21IIIIIXXXXXC", Weight, 3}, "1 to 8 V"},
		{Pattern{"21IVVVVVVVVVC", Weight, 3}, "1 to 8 V"},
		{Pattern{"21IIIIPPVVVVC", Weight, 3}, "one P"},
		{Pattern{"21IIIPVVVVVVC", Weight, 3}, "for 4 or 5 digits V, not 6"},
		{Pattern{"21IIIIIVVVVVC", Weight, 4}, "a weight has 0 to 3 decimals"},
		{Pattern{"21IIIIIVVVVVC", Weight, -1}, "a weight has 0 to 3 decimals"},
		{Pattern{"21IIIIIVVVVVC", Price, 3}, "a price in EUR has 0 to 2 decimals"},
		{Pattern{"21IIIIIVVVVVC", Pieces, 1}, "pieces have no decimals"},
		{Pattern{"21IIIIIVVVVVC", "length", 0}, "a weight, a price or pieces"},
	} {
		b, _, wrong := New(nil, []Pattern{x.p}, eur, "en")
		if b != nil || len(wrong) != 1 || !strings.Contains(wrong[0].Err.Error(), x.want) {
			t.Errorf("%v: got %v, want %q", x.p, wrong, x.want)
		}
	}
	_, _, wrong := New(nil, append([]Pattern{{"210IIIIVVVVVC", Price, 2}}, labels...), eur, "en")
	if len(wrong) != 1 || wrong[0].Index != 1 || !strings.Contains(wrong[0].Err.Error(), "of 210IIII") {
		t.Errorf("two patterns for one label: got %v", wrong)
	}
}

func make33() (out []string) {
	for i := range MaxCodes + 1 {
		out = append(out, fmt.Sprintf("C%d", i))
	}
	return out
}
