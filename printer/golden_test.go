package printer_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/printertest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden compares what a customer reads with the files in testdata, which a
// reviewer reads as paper.
func TestGolden(t *testing.T) {
	for name, r := range printertest.Receipts() {
		if name == "huge" {
			continue // TestHuge
		}
		for _, cols := range []int{32, 48} {
			golden(t, fmt.Sprintf("%s-%d", name, cols), printer.Layout(r, cols))
		}
	}
	for name, k := range printertest.Tickets() {
		for _, cols := range []int{32, 42} {
			golden(t, fmt.Sprintf("%s-%d", name, cols), printer.LayoutTicket(k, printertest.Shop("en"), cols))
		}
	}
	golden(t, "page-32", printer.TestPage(printertest.Shop("en"), 32))
	golden(t, "page-48", printer.TestPage(printertest.Shop("de"), 48))
}

func golden(t *testing.T, name string, d printer.Document) {
	t.Helper()
	file, got := filepath.Join("testdata", name+".txt"), d.Text()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// widths are those of real printers, and some that Layout must survive.
var widths = []int{-1, 0, 24, 32, 42, 44, 48, 56, 64, 1000}

// TestAmountsStandInOneColumn holds the first thing a customer checks: what is
// added up stands right-aligned in one column, and what follows it is its letter.
func TestAmountsStandInOneColumn(t *testing.T) {
	amount := regexp.MustCompile(`-?\d+[.,]\d\d( [A-Z]{1,4})?$`)
	for name, r := range printertest.Receipts() {
		if name == "yen" {
			continue // an amount of 19 digits has no column
		}
		for _, cols := range []int{32, 42, 44, 48} {
			end := -1
			for _, l := range sums(printer.Layout(r, cols).Text()) {
				at := amount.FindStringIndex(l)
				if at == nil {
					continue
				}
				number, _, _ := strings.Cut(l[at[0]:at[1]], " ")
				here := printer.Cells(l[:at[0]]) + len(number)
				if end < 0 {
					end = here
				}
				if here != end {
					t.Errorf("%s in %d columns: %q ends its amount at %d, others at %d", name, cols, l, here, end)
				}
			}
			if end < 0 {
				t.Errorf("%s in %d columns has no amounts", name, cols)
			}
		}
	}
}

// sums returns the lines between the second and the fourth rule of a receipt,
// without what a rail adds to a payment.
func sums(text string) []string {
	var out []string
	rules := 0
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\n")
		if strings.HasPrefix(l, "----") {
			rules++
		} else if rules >= 2 && rules < 4 && !strings.Contains(l, " BTC = ") {
			out = append(out, l)
		}
	}
	return out
}

// points takes a language's decimal mark for a point: the goldens hold which it is.
func points(text string) string { return strings.ReplaceAll(text, ",", ".") }

// TestNothingIsCutOff looks for every name and every amount of every receipt at
// every width.
func TestNothingIsCutOff(t *testing.T) {
	for name, r := range printertest.Receipts() {
		for _, cols := range widths {
			text := squeeze(printer.Layout(r, cols).Text())
			want := []string{r.Shop.Name, r.Number, r.Cashier, r.Total.Number(), r.Seal, r.Shop.Footer}
			for _, l := range r.Lines {
				want = append(want, l.Name, l.Total.Number())
			}
			for _, x := range r.Tax {
				want = append(want, x.Net.Number(), x.Tax.Number(), x.Gross.Number(), x.Rate.Percent())
			}
			for _, p := range r.Paid {
				want = append(want, p.Amount.Number(), p.Quantity, p.Rate, p.Source, p.Reference, p.Over)
			}
			for _, w := range want {
				if !strings.Contains(points(text), points(squeeze(printer.Clean(w)))) {
					t.Errorf("%s in %d columns lacks %q", name, cols, w)
				}
			}
		}
	}
}

// squeeze takes out white space, which wrapping changes.
func squeeze(s string) string {
	return strings.Join(strings.Fields(s), "")
}

// check fails unless a document keeps what Line and Document promise.
func check(t *testing.T, d printer.Document) {
	t.Helper()
	for _, row := range d.Rows {
		l, ok := row.(printer.Line)
		if !ok {
			continue
		}
		room := d.Columns
		if l.Style.Wide {
			room /= 2
		}
		if l.Half && (!l.Style.Wide || 2*printer.Cells(l.Text)+1 > d.Columns) {
			t.Errorf("%q does not fit when it is moved by half a letter", l.Text)
		}
		if n := printer.Cells(l.Text); n > room {
			t.Errorf("%q takes %d cells of %d", l.Text, n, room)
		}
		if i := strings.IndexFunc(l.Text, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q has something unprintable at %d", l.Text, i)
		}
	}
	if _, ok := d.Rows[len(d.Rows)-1].(printer.Cut); !ok {
		t.Error("the paper does not end in a cut")
	}
}

// TestTickets: a cook reads every dish, whatever the width, and is
// told on both ends what is no first order. No price is on it.
func TestTickets(t *testing.T) {
	for name, k := range printertest.Tickets() {
		for _, cols := range widths {
			d := printer.LayoutTicket(k, printertest.Shop("en"), cols)
			check(t, d)
			text, papers := squeeze(d.Text()), max(k.Copies, 1)
			if n := strings.Count(text, "#0417"); n != papers {
				t.Errorf("%s in %d columns: the number is there %d times, want %d", name, cols, n, papers)
			}
			for _, l := range k.Lines {
				for _, want := range []string{l.Name, pos.FormatQty(l.Qty)} {
					if !strings.Contains(text, squeeze(printer.Clean(want))) {
						t.Errorf("%s in %d columns lacks %q", name, cols, want)
					}
				}
			}
			if n := strings.Count(text, "AGAIN"); n != 2*papers && k.Unsure || n > 0 && !k.Unsure {
				t.Errorf("%s in %d columns: AGAIN %d times on\n%s", name, cols, n, d.Text())
			}
			if n := strings.Count(text, "CANCELLED"); n != 2*papers && k.Void || n > 0 && !k.Void {
				t.Errorf("%s in %d columns: CANCELLED %d times on\n%s", name, cols, n, d.Text())
			}
			if k.Of > 1 != strings.Contains(text, squeeze("1 of 2")) || k.Unclear != strings.Contains(text, "14:03?") {
				t.Errorf("%s in %d columns\n%s", name, cols, d.Text())
			}
		}
	}
}

// TestTicketWords: no word is broken that fits the paper at all.
func TestTicketWords(t *testing.T) {
	for _, cols := range widths {
		text := printer.LayoutTicket(pos.Ticket{Ref: "#0001", Lines: []pos.TicketLine{{Qty: 12000, Name: "Petersilerdäpfel mit Butter"}}}, printertest.Shop("de"), cols).Text()
		if !strings.Contains(text, "Petersilerdäpfel") {
			t.Errorf("%d columns:\n%s", cols, text)
		}
	}
}

// TestTicketIsLarge: what is to be made is twice as wide and high as other text; what is
// cancelled is not, so that nobody makes it.
func TestTicketIsLarge(t *testing.T) {
	for name, k := range printertest.Tickets() {
		for _, row := range printer.LayoutTicket(k, printertest.Shop("en"), 32).Rows {
			if l, ok := row.(printer.Line); ok && strings.Contains(l.Text, "Schnitzel") && (l.Style.Wide && l.Style.Tall) == k.Void {
				t.Errorf("%s: %q is set as %+v", name, l.Text, l.Style)
			}
		}
	}
}

// TestWideIsInTheMiddle: what is as wide as two stands in the middle to half a letter,
// whatever the width of the paper.
func TestWideIsInTheMiddle(t *testing.T) {
	for cols := 24; cols < 60; cols++ {
		for n := 1; 2*n <= cols; n++ {
			r := printertest.Receipts()["cash"]
			r.Kind = strings.Repeat("X", n)
			l := printer.Layout(r, cols).Rows[0].(printer.Line)
			left := 2 * (len(l.Text) - n)
			if l.Half {
				left++
			}
			if right := cols - left - 2*n; right < left || right > left+1 {
				t.Fatalf("%d letters in %d columns: %d cells free on the left, %d on the right", n, cols, left, right)
			}
		}
	}
}

// TestLogo: it stands above everything, and none is none.
func TestLogo(t *testing.T) {
	d := printer.Layout(printertest.Receipts()["cash"], 48)
	with := d.WithLogo(printertest.Logo())
	if len(with.Rows) != len(d.Rows)+1 || with.Rows[0] != (printer.Picture{Image: printertest.Logo()}) || !strings.HasPrefix(with.Text(), "[picture 240x112]\n") {
		t.Errorf("the paper begins with %v", with.Rows[0])
	}
	if len(d.WithLogo(nil).Rows) != len(d.Rows) {
		t.Error("a logo out of nothing")
	}
}

func TestRowsFit(t *testing.T) {
	for _, r := range printertest.Receipts() {
		for _, cols := range widths {
			check(t, printer.Layout(r, cols))
			check(t, printer.TestPage(r.Shop, cols))
		}
	}
}

// TestBanners: what is no original says so at the top and at the bottom, large.
func TestBanners(t *testing.T) {
	base := printertest.Receipts()["cash"]
	with := func(f func(*pos.Receipt)) pos.Receipt { r := base; f(&r); return r }
	tests := []struct {
		name string
		r    pos.Receipt
		want []string
	}{
		{"original", base, nil},
		{"copy", with(func(r *pos.Receipt) { r.Copy = 3 }), []string{"COPY 3"}},
		{"unsure", with(func(r *pos.Receipt) { r.Unsure = true }), []string{"COPY (printing", "was interrupted)"}},
		{"unsure copy", with(func(r *pos.Receipt) { r.Copy, r.Unsure = 2, true }), []string{"COPY 2", "COPY (printing", "was interrupted)"}},
		{"test", with(func(r *pos.Receipt) { r.Kind = "TEST" }), []string{"TEST"}},
	}
	for _, tt := range tests {
		var large []string
		for _, row := range printer.Layout(tt.r, 32).Rows {
			if l, ok := row.(printer.Line); ok && l.Style.Wide && l.Style.Tall && !strings.Contains(l.Text, "Süd") {
				large = append(large, strings.TrimSpace(l.Text))
			}
		}
		if want := append(slices.Clone(tt.want), tt.want...); !slices.Equal(large, want) {
			t.Errorf("%s: got %q, want %q", tt.name, large, want)
		}
	}
}

// TestHuge prints the longest sale of all.
func TestHuge(t *testing.T) {
	d := printer.Layout(printertest.Receipts()["huge"], 32)
	check(t, d)
	if n := len(d.Rows); n < pos.MaxLines || n > 3*pos.MaxLines {
		t.Errorf("%d lines of a sale take %d rows", pos.MaxLines, n)
	}
}

// TestRateTime: a rate of another day says which.
func TestRateTime(t *testing.T) {
	text := printer.Layout(printertest.Receipts()["exclusive"], 48).Text()
	if !strings.Contains(text, "median of 3, 2026-11-21 18:03:11") {
		t.Errorf("got %s", text)
	}
	text = printer.Layout(printertest.Receipts()["lightning"], 48).Text()
	if !strings.Contains(text, "median of 3, 14:02:55") {
		t.Errorf("got %s", text)
	}
}

// FuzzLayout: whatever is in a name, the rows stay rows and the text stays text.
func FuzzLayout(f *testing.F) {
	f.Add("Espresso", "Bäckerei", 32)
	f.Add("\x1bp\x00\x19\xfa", "\x10\x14\x01\x00\x01", 48)
	f.Add("a\u202eb\nc\td\u0301\xff", "\u2028\u00a0\ufeff", 24)
	f.Add(strings.Repeat("x", 200), strings.Repeat(" y", 100), 42)
	cash := printertest.Receipts()["cash"]
	f.Fuzz(func(t *testing.T, name, shop string, cols int) {
		r := cash
		r.Lines, r.Tax, r.Paid = slices.Clone(r.Lines), slices.Clone(r.Tax), slices.Clone(r.Paid)
		r.Lines[0].Name, r.Shop.Name, r.Shop.Footer, r.Cashier, r.Kind = name, shop, name, shop, name
		r.Lines[0].Tax.Code, r.Tax[0].Rate.Code, r.QR, r.Seal = shop, shop, name, name
		r.Paid[0].Reference, r.Paid[0].Rate, r.Paid[0].Tender, r.Shop.Address = name, shop, pos.Tender(name), []string{name, shop}
		check(t, printer.Layout(r, cols))
		check(t, printer.TestPage(r.Shop, cols))
	})
}
