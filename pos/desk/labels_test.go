package desk_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/barcode"
)

// labelled is a shop with codes on its goods.
func labelled(t *testing.T) *shop {
	s := open(t)
	coded := []pos.Item{espr, bread}
	coded[0].Barcodes = []string{"4006381333931"}
	coded[1].Barcodes = []string{"417"}
	book, bad, wrong := barcode.New(coded, []barcode.Pattern{{Digits: "21IIIIIVVVVVC", Value: barcode.Weight, Decimals: 3}, {Digits: "22IIIIIVVVVVC", Value: barcode.Price, Decimals: 2}}, eur, "en")
	if len(bad)+len(wrong) > 0 {
		t.Fatal(bad, wrong)
	}
	s.label = book.Read
	s.restart()
	return s
}

func ending(twelve string) string { return twelve + string(barcode.CheckDigit(twelve)) }

// TestLabels rings up by code: goods, weights and prices, pieces times a label.
func TestLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := labelled(t)
		sale := s.do(pos.AddItem{SKU: "4006381333931"}).Sale
		s.do(pos.AddItem{SKU: "ESP"})
		s.do(pos.AddItem{SKU: "4006381333931", Qty: 3000})
		s.do(pos.AddItem{SKU: ending("210041700523")})
		s.do(pos.AddItem{Sale: sale, SKU: ending("210041700412"), Qty: 1000})
		s.do(pos.AddItem{SKU: "BRD"})
		s.do(pos.AddItem{SKU: ending("220041700349")})
		s.do(pos.AddItem{SKU: ending("220041700349")})
		s.do(pos.AddItem{SKU: "BRD"})
		s.do(pos.AddItem{SKU: ending("210041700523")})
		s.refused(pos.AddItem{SKU: "9501101531000"}, pos.NotFound)
		s.refused(pos.AddItem{SKU: "4006381333932"}, pos.Invalid)
		s.refused(pos.AddItem{SKU: ending("210041700523"), Qty: 2000}, pos.Invalid) // two labels weigh two weights
		s.refused(pos.AddItem{SKU: "ESP", Minor: -1}, pos.Invalid)
		want := []pos.Line{
			{SKU: "ESP", Qty: 5000, Total: eur.Of(1450)}, {SKU: "BRD", Qty: 523, Total: eur.Of(335)}, {SKU: "BRD", Qty: 412, Total: eur.Of(264)},
			{SKU: "BRD", Qty: 1000, Total: eur.Of(640)}, {SKU: "BRD", Qty: 2000, Total: eur.Of(698)},
			{SKU: "BRD", Qty: 1000, Total: eur.Of(640)}, {SKU: "BRD", Qty: 523, Total: eur.Of(335)},
		}
		lines := s.view().Counter.Current.Lines
		if len(lines) != len(want) {
			t.Fatalf("got %+v", lines)
		}
		for i, l := range lines {
			if l.SKU != want[i].SKU || l.Qty != want[i].Qty || l.Total != want[i].Total {
				t.Errorf("line %d is %+v, want %+v", i, l, want[i])
			}
		}
	})
}

// TestLabelSums: however goods and labels are mixed, the sale is the sum of what each
// of them says.
func TestLabelSums(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := labelled(t), rand.New(rand.NewPCG(3, 4))
		for range 20 {
			s.do(pos.OpenSale{})
			var want int64
			for range 12 {
				do := pos.AddItem{SKU: "BRD", Qty: int64(r.IntN(3000) + 1)}
				l, err := pos.NewLine("x", "", do.Qty, bread.Price, taxA)
				must(t, err)
				if r.IntN(3) == 0 {
					do.Qty, do.Minor = 1000, int64(r.IntN(2)+1)*333
					l.Total.Minor = do.Minor
				}
				want += l.Total.Minor
				s.do(do)
			}
			if got := s.view().Counter.Current.Totals.Total.Minor; got != want {
				t.Fatalf("the sale is %d, its parts %d", got, want)
			}
		}
	})
}

// TestWithoutLabels: a desk that knows no codes takes SKUs alone, and a command of
// before codes were known has the digest that it had.
func TestWithoutLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		s.refused(pos.AddItem{SKU: "4006381333931"}, pos.NotFound)
		if got := (pos.Command{Do: pos.AddItem{SKU: "ESP", Qty: 1000}}).Digest(); got != digestBefore {
			t.Errorf("the digest is %s", got)
		}
	})
}

// digestBefore is of AddItem{SKU: "ESP", Qty: 1000}, as a journal holds it.
const digestBefore = "fb06bf7d61b79faa29ebe169"

// TestNotify: a notice that repeats takes the place of the one before, and pushes no
// other off the screen.
func TestNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		texts := func() (out []string) {
			for _, n := range s.view().Counter.Notices {
				out = append(out, n.Kind+" "+n.Text)
			}
			return out
		}
		records, _ := s.journal.Last()
		s.Notify(pos.Notice{Kind: "late", Text: "money came"})
		var before uint64
		for range 3 * pos.MaxNotices {
			s.Notify(pos.Notice{Kind: "scan", Text: "unknown"})
		}
		if got := texts(); len(got) != 2 || got[0] != "scan unknown" || got[1] != "late money came" {
			t.Errorf("the cashier reads %q", got)
		}
		before = s.View().Version
		s.Notify(pos.Notice{Kind: "scan"})
		if got := texts(); len(got) != 1 || got[0] != "late money came" || s.View().Version == before {
			t.Errorf("taken back: %q", got)
		}
		before = s.View().Version
		s.Notify(pos.Notice{Kind: "scan"})
		if s.view().Version != before {
			t.Error("nothing changed, and the screens were told")
		}
		if after, _ := s.journal.Last(); after != records {
			t.Errorf("a notice is no record; there are %d more", after-records)
		}
	})
}
