package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"iter"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/report"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// shelf is a store of tills' records in memory. It finds ranges as the database
// does: the least and the greatest number within a span.
type shelf struct {
	tills []*tilltest.Till
	reads int
}

func (s *shelf) Tills(context.Context) ([]store.Till, error) {
	var out []store.Till
	for _, t := range s.tills {
		out = append(out, store.Till{ID: t.Genesis.Till, Name: "Till " + t.Genesis.Series, Currency: t.Genesis.Currency})
	}
	return out, nil
}

func (s *shelf) Ranges(_ context.Context, from, before time.Time) ([]store.Range, error) {
	var out []store.Range
	for _, t := range s.tills {
		g := store.Range{Till: t.Genesis.Till}
		for _, r := range t.Records() {
			if !r.At.Before(from) && r.At.Before(before) {
				if g.From == 0 {
					g.From = r.N
				}
				g.To = r.N
			}
		}
		if g.From > 0 {
			out = append(out, g)
		}
	}
	return out, nil
}

func (s *shelf) Since(_ context.Context, till string, after uint64) iter.Seq2[store.Kept, error] {
	s.reads++
	return func(yield func(store.Kept, error) bool) {
		for _, t := range s.tills {
			for r := range t.Since(after) {
				if t.Genesis.Till == till && !yield(store.Kept{Record: r, Received: r.At.Add(time.Hour)}, nil) {
					return
				}
			}
		}
	}
}

var vienna = func() *time.Location {
	z, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		panic(err)
	}
	return z
}()

var sunday = time.Date(2026, 11, 22, 0, 0, 0, 0, vienna)

func days(t *testing.T, s *shelf, date time.Time) []report.Day {
	t.Helper()
	out, err := report.New(s, vienna).Days(t.Context(), date)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDayAddsUp compares a day's figures with a sum made in another way: straight
// over the bodies. Goal: the same cents in every figure that the page shows.
func TestDayAddsUp(t *testing.T) {
	s := &shelf{tills: []*tilltest.Till{tilltest.New(1, "01", "EUR", sunday.AddDate(0, 0, -1)), tilltest.New(2, "02", "EUR", sunday.AddDate(0, 0, -1))}}
	for _, till := range s.tills {
		till.Day(sunday.AddDate(0, 0, -1), 80)
		till.Day(sunday, 120)
		till.Stray()
	}
	d := days(t, s, sunday)
	if len(d) != 1 {
		t.Fatalf("%d currencies", len(d))
	}
	var sales, total, net, tax, rounding, cash, rail, stray, hours, items int64
	byTax := map[string]int64{}
	for _, till := range s.tills {
		for _, r := range till.Records() {
			if r.At.In(vienna).Format(time.DateOnly) != "2026-11-22" {
				continue
			}
			var b pos.SaleCompleted
			var p pos.PaymentMoved
			if r.Kind == pos.KindPayment && r.Decode(&p) == nil && p.Payment.Refundable && p.Event == pos.Settle {
				stray++
			}
			if r.Kind != pos.KindSaleCompleted || r.Decode(&b) != nil {
				continue
			}
			sales++
			total, net, tax, rounding = total+b.Totals.Total.Minor, net+b.Totals.Net.Minor, tax+b.Totals.TaxUp.Minor, rounding+b.Rounding.Minor
			for _, row := range b.Totals.Tax {
				byTax[row.Rate.Code] += row.Gross.Minor
			}
			for _, p := range b.Sale.Payments {
				if p.Tender == pos.Cash {
					cash += p.Amount.Minor
				} else {
					rail += p.Amount.Minor
				}
			}
		}
	}
	got := d[0].Total
	for _, h := range d[0].Hours {
		hours += h.Amount.Minor
	}
	for _, i := range d[0].Items {
		items += i.Amount.Minor
	}
	for name, pair := range map[string][2]int64{
		"sales": {got.Sales, sales}, "total": {got.Total.Minor, total}, "net": {got.Net.Minor, net}, "tax": {got.TaxUp.Minor, tax}, "rounding": {got.Rounding.Minor, rounding},
		"cash": {got.Tender(pos.Cash).Amount.Minor, cash}, "lightning": {got.Tender("lightning").Amount.Minor, rail}, "list": {int64(len(d[0].Sales)), sales},
		"stray": {int64(len(d[0].Stray)), stray}, "stray in the report": {got.RefundDue.Count, stray}, "hours": {hours, total}, "items": {items, total},
		"unbalanced": {got.Unbalanced, 0}, "tills": {d[0].Tills[0].Report.Total.Minor + d[0].Tills[1].Report.Total.Minor, total},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: the day says %d, its records %d", name, pair[0], pair[1])
		}
	}
	for _, row := range got.Tax {
		if row.Gross.Minor != byTax[row.Rate.Code] {
			t.Errorf("tax %s: the day says %d, its records %d", row.Rate.Code, row.Gross.Minor, byTax[row.Rate.Code])
		}
	}
	if sales < 200 || rounding == 0 && cash == 0 {
		t.Errorf("the sample is too small: %d sales", sales)
	}
	if missing := pos.Missing(got.Records); len(missing) != 0 {
		t.Errorf("missing %v", missing)
	}
	if !slices.IsSortedFunc(d[0].Sales, func(a, b report.Sale) int { return a.At.Compare(b.At) }) {
		t.Error("the sales are not in order")
	}
}

// TestMidnight sells around midnight in the shop's zone, on the days when clocks
// change too. Goal: each sale on its own day, every sale on one.
func TestMidnight(t *testing.T) {
	for name, date := range map[string]time.Time{
		"plain": sunday, "clocks go forward": time.Date(2026, 3, 29, 0, 0, 0, 0, vienna), "clocks go back": time.Date(2026, 10, 25, 0, 0, 0, 0, vienna),
	} {
		t.Run(name, func(t *testing.T) {
			till := tilltest.New(1, "01", "EUR", date.Add(-2*time.Hour))
			end := date.AddDate(0, 0, 1)
			for _, at := range []time.Time{date.Add(-time.Minute), date, date.Add(150 * time.Minute), end.Add(-time.Minute), end} {
				till.Wait(at)
				till.Sell()
			}
			s := &shelf{tills: []*tilltest.Till{till}}
			for offset, want := range []int{1, 3, 1} {
				if got := len(days(t, s, date.AddDate(0, 0, offset-1))[0].Sales); got != want {
					t.Errorf("day %+d has %d sales, want %d", offset-1, got, want)
				}
			}
		})
	}
}

// TestUnbookable folds records that cannot be booked. Goal: the day stands without
// them, counts them as seen, and none is missing.
func TestUnbookable(t *testing.T) {
	till := tilltest.New(1, "01", "EUR", sunday)
	till.Sell()
	till.Add(pos.KindSaleCompleted, "no sale")
	till.Add("a kind of the future", map[string]int{"x": 1})
	till.Sell()
	d := days(t, &shelf{tills: []*tilltest.Till{till}}, sunday)[0]
	if d.Total.Sales != 2 || d.Tills[0].Red != 1 || len(pos.Missing(d.Total.Records)) != 0 || d.Total.Records[0].To != uint64(len(till.Records())) {
		t.Errorf("sales %d, red %d, records %+v", d.Total.Sales, d.Tills[0].Red, d.Total.Records)
	}
}

// TestCurrencies has tills with two currencies, and one without sales.
func TestCurrencies(t *testing.T) {
	s := &shelf{tills: []*tilltest.Till{tilltest.New(1, "01", "EUR", sunday), tilltest.New(2, "02", "USD", sunday), tilltest.New(3, "03", "EUR", sunday)}}
	s.tills[0].Day(sunday, 5)
	s.tills[1].Day(sunday, 7)
	d := days(t, s, sunday)
	if len(d) != 2 || d[0].Currency.Code != "EUR" || d[0].Total.Sales != 5 || len(d[0].Tills) != 2 || d[1].Total.Sales != 7 {
		t.Errorf("got %d parts", len(d))
	}
	if empty := days(t, &shelf{}, sunday); len(empty) != 0 {
		t.Errorf("a shop without tills has %d parts", len(empty))
	}
}

// TestKeptDays reads a day twice, and again after a late record. Goal: no second
// fold without a reason, and never an old figure.
func TestKeptDays(t *testing.T) {
	till := tilltest.New(1, "01", "EUR", sunday)
	till.Day(sunday, 5)
	s := &shelf{tills: []*tilltest.Till{till}}
	r := report.New(s, vienna)
	read := func() int64 {
		t.Helper()
		d, err := r.Days(t.Context(), sunday)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := r.Sum(t.Context(), sunday)
		if err != nil || sum[0].Sales != d[0].Total.Sales {
			t.Errorf("the sum has %d sales, the day %d; %v", sum[0].Sales, d[0].Total.Sales, err)
		}
		return d[0].Total.Sales
	}
	if read() != 5 || read() != 5 || s.reads != 1 {
		t.Errorf("folded %d times", s.reads)
	}
	till.Sell()
	if got := read(); got != 6 || s.reads != 2 {
		t.Errorf("after a late sale: %d sales, folded %d times", got, s.reads)
	}
	for i := range 20 {
		if _, err := r.Days(t.Context(), sunday.AddDate(0, 0, -i)); err != nil {
			t.Fatal(err)
		}
	}
}

func table(t *testing.T, write func(*report.Table) error, comma rune) []map[string]string {
	t.Helper()
	var b bytes.Buffer
	if err := write(report.NewTable(&b, comma)); err != nil {
		t.Fatal(err)
	}
	in := csv.NewReader(&b)
	in.Comma = comma
	rows, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		cells := map[string]string{}
		for i, head := range rows[0] {
			cells[head] = row[i]
		}
		out = append(out, cells)
	}
	return out
}

// TestCSV adds the files up. Goal: sales and payments agree with the report and
// with each other, receipt by receipt.
func TestCSV(t *testing.T) {
	till := tilltest.New(1, "01", "EUR", sunday)
	till.Day(sunday, 150)
	till.Stray()
	d := days(t, &shelf{tills: []*tilltest.Till{till}}, sunday)
	eur := d[0].Currency
	sum := func(rows []map[string]string, column string, of func(map[string]string) bool) pos.Amount {
		t.Helper()
		total := eur.Zero()
		for _, r := range rows {
			a, err := pos.ParseAmount(r[column], eur)
			if err != nil {
				t.Fatalf("%s: %v", column, err)
			}
			if of == nil || of(r) {
				total, _ = total.Add(a)
			}
		}
		return total
	}
	sales := table(t, func(x *report.Table) error { return x.Sales(d...) }, ',')
	payments := table(t, func(x *report.Table) error { return x.Payments(d...) }, ';')
	paid := func(r map[string]string) bool { return r["receipt_no"] != "" }
	r := d[0].Total
	for name, pair := range map[string][2]pos.Amount{
		"total": {sum(sales, "total", nil), r.Total}, "net_of_tax": {sum(sales, "net_of_tax", nil), r.Net}, "tax": {sum(sales, "tax", nil), r.TaxUp},
		"rounding": {sum(sales, "rounding", nil), r.Rounding}, "gross": {sum(sales, "gross", nil), r.Lines},
		"paid": {sum(payments, "amount", paid), r.Total}, "rounding paid": {sum(payments, "rounding", paid), r.Rounding},
		"refund due": {sum(payments, "amount", func(r map[string]string) bool { return r["status"] == "refund due" }), r.RefundDue.Amount},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: the file says %v, the report %v", name, pair[0], pair[1])
		}
	}
	for _, s := range sales {
		got := sum(payments, "amount", func(p map[string]string) bool { return p["receipt_no"] == s["receipt_no"] })
		if got.Number() != s["total"] {
			t.Errorf("receipt %s: %s sold, %v paid", s["receipt_no"], s["total"], got)
		}
	}
	if len(sales) != 150 || sales[0]["date_local"] != "2026-11-22" || sales[0]["time_local"] == "" || sales[0]["sig_ok"] != "yes" {
		t.Errorf("%d rows, the first is %v", len(sales), sales[0])
	}
}

// TestOffline sells on a code. Goal: the sale counts as paid over Lightning, and every
// file says that the payment was accepted and not settled.
func TestOffline(t *testing.T) {
	till := tilltest.New(1, "01", "EUR", sunday)
	till.Wait(sunday.Add(9 * time.Hour))
	till.SellOffline("AaGyw9TlAZdvolGdX9JlxAWZrTOA6ft33YNWcGjfNLQzU6xeUslP", 417)
	d := days(t, &shelf{tills: []*tilltest.Till{till}}, sunday)
	if len(d) != 1 || len(d[0].Sales) != 1 {
		t.Fatalf("got %+v", d)
	}
	if o := d[0].Total.Offline; o.Taken.Count != 1 || o.Taken.Amount != d[0].Total.Total || o.Proven.Count != 0 || o.Refuted.Count != 0 {
		t.Errorf("taken without a line: %+v of %v", o, d[0].Total.Total)
	}
	var sales, payments strings.Builder
	if err := errors.Join(report.NewTable(&sales, ',').Sales(d...), report.NewTable(&payments, ',').Payments(d...)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(sales.String(), ",lightning,") || !strings.Contains(payments.String(), ",accepted,") || strings.Contains(payments.String(), ",settled,") {
		t.Errorf("the files say\n%s\n%s", &sales, &payments)
	}
}

// TestOfflineProven proves what was sold on a code, the same day and the next. Goal: the
// day of the sale tells what arrived, in its figures and in payments.csv, and a kept day
// is not told twice.
func TestOfflineProven(t *testing.T) {
	for name, wait := range map[string]time.Duration{"the same day": 10 * time.Hour, "the next day": 34 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			till := tilltest.New(1, "01", "EUR", sunday)
			till.Wait(sunday.Add(9 * time.Hour))
			first, second := till.SellOffline("AaGyw9TlAZdvolGdX9JlxAWZrTOA6ft33YNWcGjfNLQzU6xeUslP", 417), till.SellOffline("AbGyw9TlAZdvolGdX9JlxAWZrTOA6ft33YNWcGjfNLQzU6xeUslP", 418)
			r := report.New(&shelf{tills: []*tilltest.Till{till}}, vienna)
			read := func() report.Day {
				d, err := r.Days(t.Context(), sunday)
				if err != nil || len(d) != 1 {
					t.Fatal(d, err)
				}
				return d[0]
			}
			if got := read().Total.Tender("lightning"); got.Count != 2 || len(got.Assets) != 0 {
				t.Fatalf("before anything is proven: %+v", got)
			}
			till.Wait(sunday.Add(wait))
			till.Prove(second)
			for range 2 { // the second time from the kept day
				checkProven(t, read(), 1)
			}
			till.Prove(first)
			for range 2 {
				checkProven(t, read(), 2)
			}
		})
	}
}

// checkProven compares a day's assets with those of its payments.
func checkProven(t *testing.T, d report.Day, settled int) {
	t.Helper()
	table := table(t, func(x *report.Table) error { return x.Payments(d) }, ',')
	count, units := 0, new(big.Int)
	for _, row := range table {
		if row["status"] == "settled" {
			count++
			n, _ := new(big.Int).SetString(row["asset_amount"], 10)
			if n == nil || n.Sign() <= 0 || row["asset"] == "" || row["rate"] == "" || row["rate_source"] == "" || row["settled_at"] == "" {
				t.Fatalf("a settled row is %v", row)
			}
			units.Add(units, n)
		}
	}
	if len(table) != 2 || count != settled {
		t.Errorf("%d of %d rows are settled, not %d", count, len(table), settled)
	}
	for name, r := range map[string]pos.Report{"day": d.Total, "till": d.Tills[0].Report} {
		got := r.Tender("lightning")
		if len(got.Assets) != 1 || got.Assets[0].Number() != units.String() || got.Count != 2 || got.Amount != d.Total.Total {
			t.Errorf("the %s says %+v, the payments %v", name, got, units)
		}
	}
}

// TestFormulas sells with names that a spreadsheet would compute. Goal: no cell of
// text begins like a formula, and negative numbers stay numbers.
func TestFormulas(t *testing.T) {
	till := tilltest.New(1, "01", "EUR", sunday)
	till.Sell()
	s := &shelf{tills: []*tilltest.Till{till}}
	d := days(t, s, sunday)
	evil := "=HYPERLINK(\"http://evil\")"
	d[0].Sales[0].By.Name, d[0].Sales[0].By.ID = evil, "x"
	d[0].Sales[0].Till.Name = "@SUM(A1)"
	d[0].Sales[0].Sale.Payments[0].Tender = "+cash"
	d[0].Sales[0].Rounding = d[0].Currency.Of(-2)
	rows := append(table(t, func(x *report.Table) error { return x.Sales(d...) }, ','), table(t, func(x *report.Table) error { return x.Payments(d...) }, ',')...)
	seen := false
	for _, r := range rows {
		for column, cell := range r {
			if column == "rounding" && cell == "-0.02" {
				seen = true
				continue
			}
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Errorf("%s is %q", column, cell)
			}
		}
	}
	if !seen || rows[0]["cashier"] != "'"+evil {
		t.Errorf("rounding seen: %v, cashier %q", seen, rows[0]["cashier"])
	}
}

func TestComma(t *testing.T) {
	for in, want := range map[string]rune{"": ',', "comma": ',', "semicolon": ';', "tab": 0} {
		if got, err := report.Comma(in); got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func TestParseDate(t *testing.T) {
	r := report.New(&shelf{}, vienna)
	if got, err := r.ParseDate("2026-11-22"); err != nil || !got.Equal(sunday) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "2026-13-01", "22.11.2026", "0001-01-01", "9999-12-31", "2026-11-22T00:00:00Z"} {
		if _, err := r.ParseDate(bad); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// BenchmarkDay folds a busy day of one till: 1,000 sales.
func BenchmarkDay(b *testing.B) {
	till := tilltest.New(1, "01", "EUR", sunday)
	till.Day(sunday, 1000)
	s := &shelf{tills: []*tilltest.Till{till}}
	for b.Loop() {
		if _, err := report.New(s, vienna).Days(b.Context(), sunday); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(till.Records())), "records/op")
}
