package report

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// salesColumns are those of sales.csv. gross is what the lines came to at the
// prices shown; net_of_tax + tax + tip + rounding = what was collected, and total
// is what the customer owed before rounding. shift, z_no, ref_receipt and customer
// are empty until the till keeps them. tenders is for machines, paid_with for people.
var salesColumns = []string{
	"receipt_no", "record_no", "id", "datetime_iso", "date_local", "time_local", "till", "shift", "z_no", "cashier", "type", "ref_receipt",
	"gross", "discount", "net_of_tax", "tax", "tip", "rounding", "total", "currency", "tenders", "customer", "synced_at", "sig_ok", "paid_with",
}

// paymentsColumns are those of payments.csv. Rows with a receipt_no add up to
// sales.csv: amount to total, rounding to rounding. tender is for machines,
// tender_name for people.
var paymentsColumns = []string{
	"receipt_no", "seq", "tender", "amount", "currency", "asset", "asset_amount", "rate", "rate_source", "rate_time",
	"payment_ref", "status", "settled_at", "given", "change", "rounding", "till", "record_no", "tender_name",
}

// Table writes one table as CSV: UTF-8, ISO dates, decimal points, no grouping.
// Text that a spreadsheet would compute is disarmed with a leading apostrophe;
// numbers, negative ones too, stay numbers.
type Table struct {
	Language string // of tenders' names, "de"; empty: English

	w *csv.Writer
}

// NewTable begins a table. comma separates cells: ',' or ';'.
func NewTable(w io.Writer, comma rune) *Table {
	t := &Table{w: csv.NewWriter(w)}
	t.w.Comma = comma
	t.w.UseCRLF = true // RFC 4180
	return t
}

func (t *Table) row(cells ...string) { t.w.Write(cells) } // the first failure stays, and Flush returns it

// Flush ends the table and returns the first failure to write it.
func (t *Table) Flush() error {
	t.w.Flush()
	return t.w.Error()
}

// formula finds where a cell begins like a formula: at the start of the text, and
// after every sign that another spreadsheet, of another country, parts cells at.
// The wide forms count in some of them.
var formula = regexp.MustCompile(`(^|[;,|\t\r\n])([\s\p{Z}"']*)([=+\-@＝＋－＠]|[\t\r\n])`)

// guard disarms a cell of text: a name that begins like a formula would be
// computed by whoever opens the file.
func guard(s string) string { return formula.ReplaceAllString(s, "$1$2'$3") }

// Sales writes the sales of days as sales.csv.
func (t *Table) Sales(days ...Day) error {
	t.row(salesColumns...)
	for _, d := range days {
		for _, s := range d.Sales {
			if err := t.sale(d, s); err != nil {
				return err
			}
		}
	}
	return t.Flush()
}

func (t *Table) sale(d Day, s Sale) error {
	gross, err := shown(d.Currency, s.Totals.Tax)
	if err != nil {
		return err
	}
	zero := d.Currency.Zero().Number()
	t.row(guard(s.Sale.Receipt), num(s.N), guard(string(s.Sale.ID)), iso(s.At), s.At.Format(time.DateOnly), s.At.Format(time.TimeOnly),
		guard(s.Till.Name), "", "", guard(s.Cashier().Name), "sale", "",
		gross.Number(), zero, s.Totals.Net.Number(), s.Totals.TaxUp.Number(), zero, in(d.Currency, s.Rounding).Number(), s.Totals.Total.Number(), d.Currency.Code,
		guard(tenders(s.Sale.Payments, machine)), "", iso(s.Received), "yes", guard(tenders(s.Sale.Payments, t.name)))
	return nil
}

// shown returns what the lines came to at the prices shown.
func shown(c pos.Currency, rows []pos.TaxRow) (pos.Amount, error) {
	sum, err := c.Zero(), error(nil)
	for _, r := range rows {
		part := r.Net
		if r.Rate.Included {
			part = r.Gross
		}
		if sum, err = sum.Add(part); err != nil {
			return pos.Amount{}, err
		}
	}
	return sum, nil
}

// machine is a tender as the configuration has it.
func machine(p pos.Payment) string { return string(p.Tender) }

// name is a tender for people.
func (t *Table) name(p pos.Payment) string { return pos.TenderName(t.Language, p.Tender, p.Network) }

// tenders names what a sale was paid with: "cash+lightning".
func tenders(ps []pos.Payment, name func(pos.Payment) string) string {
	var names []string
	for _, p := range ps {
		if n := name(p); p.Covers() && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return strings.Join(names, "+")
}

// Payments writes the payments of days as payments.csv: those that cover a sale,
// then those that cover none and have no receipt_no.
func (t *Table) Payments(days ...Day) error {
	t.row(paymentsColumns...)
	for _, d := range days {
		for _, s := range d.Sales {
			for _, p := range s.Sale.Payments {
				if p.Covers() { // settled, or accepted on a code while the till had no line
					t.payment(d, p, s.Sale.Receipt, string(p.State), s.Till.Name, s.N)
				}
			}
		}
		for _, p := range d.Stray {
			t.payment(d, p.Payment, "", "refund due", p.Till.Name, p.N)
		}
	}
	return t.Flush()
}

func (t *Table) payment(d Day, p pos.Payment, receipt, status, till string, n uint64) {
	asset, quantity, rate, source, rateAt := "", "", "", "", ""
	if !p.Received.IsZero() {
		asset, quantity = p.Received.Asset.Symbol, p.Received.Number()
	}
	if p.Rate != nil {
		rate, source, rateAt = p.Rate.Price(), p.Rate.Source, iso(p.Rate.At)
	}
	t.row(guard(receipt), strconv.Itoa(p.Attempt), guard(string(p.Tender)), p.Amount.Number(), d.Currency.Code, guard(asset), quantity,
		guard(rate), guard(source), rateAt, guard(p.Reference), status, iso(p.Moved),
		in(d.Currency, p.Given).Number(), in(d.Currency, p.Change).Number(), in(d.Currency, p.Rounding).Number(), guard(till), num(n), guard(t.name(p)))
}

// in gives an amount that was left out of a record a currency.
func in(c pos.Currency, a pos.Amount) pos.Amount {
	if a.IsZero() {
		return c.Zero()
	}
	return a
}

func num(n uint64) string { return strconv.FormatUint(n, 10) }

func iso(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// Comma reads which sign separates cells: "", "comma" or "semicolon". It fails
// with Invalid.
func Comma(s string) (rune, error) {
	switch cmp.Or(s, "comma") {
	case "comma":
		return ',', nil
	case "semicolon":
		return ';', nil
	}
	return 0, pos.E("read separator", pos.Invalid, "cells are separated by comma or semicolon, not %q", fmt.Sprintf("%.20s", s))
}
