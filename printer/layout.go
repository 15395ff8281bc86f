package printer

import (
	"fmt"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Widths that Layout can fill. Below the first an amount and its label no longer
// stand side by side; no receipt printer reaches the last.
const (
	minColumns = 24
	maxColumns = 96
	roomy      = 40 // from here on quantity, name, price and sum share a line
)

// Styles of what must be seen first.
var (
	strong = Style{Bold: true}
	high   = Style{Bold: true, Tall: true}
	loud   = Style{Bold: true, Wide: true, Tall: true}
)

// Layout sets a receipt in cols columns: 32 for 58 mm paper, 48 (or 42, 44) for
// 80 mm; a width outside 24 to 96 is moved to the nearest. It keeps nothing of r.
func Layout(r pos.Receipt, cols int) Document {
	s := newSheet(r.Shop, cols)
	s.hang = hang(r.Lines)
	if s.banners(r) {
		s.feed(1)
	}
	s.head(r.Shop)
	s.rule()
	s.event(r)
	s.rule()
	for _, l := range r.Lines {
		s.item(l)
	}
	s.rule()
	s.sums(r)
	for _, p := range r.Paid {
		s.payment(p, r.At)
	}
	if r.Change.Minor != 0 {
		s.amount(strings.ToUpper(s.word("change")), r.Change, high)
	}
	s.rule()
	s.taxes(r.Tax)
	s.foot(r)
	s.feed(1)
	s.banners(r)
	return s.end()
}

// hang is the room that tax letters take to the right of the amounts.
func hang(lines []pos.Line) int {
	n := 0
	for _, l := range lines {
		n = max(n, 1+Cells(Clean(l.Tax.Code)))
	}
	return n
}

// banners says what this paper is when it is not the original of a sale, and
// reports whether it is not.
func (s *sheet) banners(r pos.Receipt) bool {
	if r.Kind != "" {
		s.centre(r.Kind, loud)
	}
	if r.Copy > 0 {
		s.centre(s.word("copy", "n", fmt.Sprint(r.Copy)), loud)
	}
	if r.Unsure {
		s.centre(s.word("copy_unsure"), loud)
	}
	return r.Kind != "" || r.Copy > 0 || r.Unsure
}

// head is who sells; the name is as large as it fits.
func (s *sheet) head(shop pos.Shop) {
	name := loud
	if Cells(Clean(shop.Name)) > s.room(loud) {
		name = high
	}
	s.centre(shop.Name, name)
	for _, a := range shop.Address {
		s.centre(a, Style{})
	}
	if shop.TaxID != "" {
		s.centre(shop.TaxID, Style{})
	}
}

// event is which sale this was, when, and by whom.
func (s *sheet) event(r pos.Receipt) {
	s.pair(s.word("receipt")+" "+r.Number, r.Shop.Till, Style{})
	s.pair(r.At.Format("2006-01-02 15:04:05"), r.Cashier, Style{})
	note := ""
	if r.Unclear {
		note = "(" + s.word("time_unverified") + ")"
	}
	s.pair(r.Ref, note, Style{})
}

// item is one line of the sale. Where the paper is narrow, a quantity other than
// one stands on a line of its own under the name.
func (s *sheet) item(l pos.Line) {
	sum := left(s.number(l.Total.Number())+" "+l.Tax.Code, Cells(l.Total.Number())+s.hang)
	one := l.Qty == 1000
	switch {
	case s.cols >= roomy && one:
		s.pair("1 x "+l.Name, sum, Style{})
	case s.cols >= roomy:
		price := "@ " + s.number(l.Price.Number())
		s.pair(s.number(pos.FormatQty(l.Qty))+" x "+l.Name, price+right(sum, s.cols/3), Style{})
	case one:
		s.pair(l.Name, sum, Style{})
	default:
		s.pair(l.Name, "", Style{})
		s.pair("  "+s.number(pos.FormatQty(l.Qty)+" x "+l.Price.Number()), sum, Style{})
	}
}

// sums is what the lines come to. Tax that is added to the prices stands between
// their sum and the total; tax inside them only in the table below.
func (s *sheet) sums(r pos.Receipt) {
	if added := addedTax(r.Tax); len(added) > 0 {
		if sub, err := r.Total.Currency.Sum(lineTotals(r.Lines)...); err == nil {
			s.amount(s.word("subtotal"), sub, Style{})
		}
		for _, t := range added {
			s.amount(t.Rate.Name+" "+s.number(t.Rate.Percent()), t.Tax, Style{})
		}
	}
	s.amount(strings.ToUpper(s.word("total"))+" "+r.Total.Currency.Code, r.Total, high)
	if r.Rounded.Minor != 0 {
		s.amount(s.word("rounding"), r.Rounded, Style{})
		s.amount(strings.ToUpper(s.word("to_pay")), r.ToPay, strong)
	}
}

// addedTax is the rows whose tax comes on top of the prices.
func addedTax(rows []pos.TaxRow) []pos.TaxRow {
	var out []pos.TaxRow
	for _, t := range rows {
		if !t.Rate.Included && t.Tax.Minor != 0 {
			out = append(out, t)
		}
	}
	return out
}

func lineTotals(lines []pos.Line) []pos.Amount {
	out := make([]pos.Amount, 0, len(lines))
	for _, l := range lines {
		out = append(out, l.Total)
	}
	return out
}

// payment is one tender; for a rail also what was sent, at which rate, as sold.
func (s *sheet) payment(p pos.ReceiptPayment, sale time.Time) {
	name := pos.TenderName(s.lang, p.Tender, p.Network)
	s.amount(name, p.Amount, Style{})
	if p.Quantity != "" {
		network := p.Network
		if strings.EqualFold(network, name) {
			network = ""
		}
		s.pair("  "+s.number(p.Quantity), network, Style{})
	}
	if p.Rate != "" {
		s.pair("  "+s.number(p.Rate), "", Style{})
		s.pair("  "+strings.TrimPrefix(p.Source+", "+clock(p.RateAt, sale), ", "), "", Style{})
	}
	if p.Over != "" {
		s.pair("  "+s.word("paid_over"), s.number(p.Over), Style{})
	}
	if p.Offline {
		s.pair("  "+s.word("paid_offline"), "", Style{})
	}
	if p.Unverified {
		s.pair("  "+s.word("paid_unverified"), "", Style{})
	}
	if p.Reference != "" {
		s.pair("  "+s.word("payment_ref"), p.Reference, Style{})
	}
}

// clock is when a rate was taken, in the zone of the sale; the day is left out
// when it is the sale's.
func clock(t, sale time.Time) string {
	t = t.In(sale.Location())
	if t.Format(time.DateOnly) == sale.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

// foot is what ties the paper to the till's journal.
func (s *sheet) foot(r pos.Receipt) {
	if r.QR != "" {
		s.doc.Rows = append(s.doc.Rows, Code{Clean(r.QR)})
	}
	if r.Record != 0 {
		s.pair(fmt.Sprintf("%s #%06d", s.word("record"), r.Record), groups(r.Seal), Style{})
	}
	if r.Shop.Footer != "" {
		s.feed(1)
		s.centre(r.Shop.Footer, Style{})
	}
}

// groups sets a space after every fourth digit, for people who compare.
func groups(s string) string {
	var out []string
	for ; len(s) > 4; s = s[4:] {
		out = append(out, s[:4])
	}
	return strings.Join(append(out, s), " ")
}
