package dashboard

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/report"
)

// How much of a day's lists stands on its page. The files hold all.
const (
	itemsShown = 8
	salesShown = 500
	trendDays  = 14
	alarmsTop  = 5
	owedAsked  = 100 // whose sale's reference is looked up: each is a record to read
)

// dayData is the page of a day.
type dayData struct {
	Date, Before, After time.Time
	Today               bool
	Alarms              []alarmRow
	AlarmsMore          int
	Parts               []part
	Empty               bool // no till was ever enrolled
}

// part is a day in one currency.
type part struct {
	report.Day
	Collected pos.Amount
	Average   pos.Amount
	LastWeek  pos.Report // the same weekday, a week ago
	Trend     []trendDay
	Tenders   []share
	Owed      []strayRow
	Astray    []astrayRow
	Unasked   []astrayRow
	Look      []note // what asks for a person, today
	MoreSales int
	Seen      []tillRow
}

type trendDay struct {
	Date  time.Time
	Total pos.Amount
	Here  bool
}

// share is a row with its part of a whole, in thousandths.
type share struct {
	pos.TenderTotal
	Name string
	Of   int
}

// strayRow is money that no sale needed, with the number that the till lists it by.
type strayRow struct {
	report.Stray
	Of string
}

// astrayRow is money that came astray: what for, what was asked for, and what became of it.
type astrayRow struct {
	report.Astray
	Of, Asked, End string
	Open           bool // nobody has decided about it that day
}

// note is one line of what asks for a person.
type note struct {
	Word  string
	Count int64
	Sum   string
	Bad   bool
}

func (s *server) pickDay(c *fiber.Ctx) error {
	date, err := s.Reports.ParseDate(c.Query("day"))
	if err != nil {
		return err
	}
	return c.Redirect("/days/"+date.Format(time.DateOnly), http.StatusSeeOther)
}

func (s *server) day(c *fiber.Ctx) error {
	ctx := c.UserContext()
	date, err := s.Reports.ParseDate(c.Params("day"))
	if err != nil {
		return err
	}
	days, err := s.Reports.Days(ctx, date)
	if err != nil {
		return err
	}
	now := time.Now()
	d := dayData{Date: date, Before: date.AddDate(0, 0, -1), After: date.AddDate(0, 0, 1), Today: date.Equal(s.Reports.Date(now)), Empty: len(days) == 0}
	if d.Alarms, err = s.alarms(ctx); err != nil {
		return err
	}
	all := d.Alarms
	if d.AlarmsMore = len(d.Alarms) - alarmsTop; d.AlarmsMore > 0 {
		d.Alarms = d.Alarms[:alarmsTop]
	}
	for _, day := range days {
		p, err := s.part(ctx, day, all, now)
		if err != nil {
			return err
		}
		d.Parts = append(d.Parts, p)
	}
	return s.show(c, "day", frame{Title: date.Format(time.DateOnly), Here: "day", Signed: true}, d)
}

func (s *server) part(ctx context.Context, day report.Day, alarms []alarmRow, now time.Time) (part, error) {
	p := part{Day: day, Average: average(day.Total)}
	var err error
	if p.Collected, err = day.Total.Collected(); err != nil {
		return p, err
	}
	if p.LastWeek, err = s.sum(ctx, day.Date.AddDate(0, 0, -7), day.Currency); err != nil {
		return p, err
	}
	for i := trendDays - 1; i >= 0; i-- {
		date := day.Date.AddDate(0, 0, -i)
		sum, err := s.sum(ctx, date, day.Currency)
		if err != nil {
			return p, err
		}
		p.Trend = append(p.Trend, trendDay{date, sum.Total, i == 0})
	}
	networks := networksOf(day)
	for _, t := range day.Total.Tenders {
		p.Tenders = append(p.Tenders, share{t, s.tender(t.Tender, networks[t.Tender]), thousandths(t.Amount.Minor, day.Total.Total.Minor)})
	}
	p.Owed = s.owed(ctx, day)
	p.Astray, p.Unasked = unasked(s.astray(ctx, day, day.Date.Equal(s.Reports.Date(now))))
	slices.SortStableFunc(p.Tenders, func(a, b share) int { return b.Of - a.Of })
	p.Look = s.look(day)
	p.MoreSales = max(len(day.Sales)-salesShown, 0)
	p.Sales = newest(day.Sales)
	p.Items = day.Items[:min(len(day.Items), itemsShown)]
	for _, t := range day.Tills {
		p.Seen = append(p.Seen, rowOf(t.Till, alarms, now))
	}
	return p, nil
}

// networksOf returns the networks of a day's payments in words, by their tenders.
func networksOf(day report.Day) map[pos.Tender]string {
	out := map[pos.Tender]string{}
	for _, s := range day.Sales {
		for _, p := range s.Sale.Payments {
			if p.Network != "" {
				out[p.Tender] = p.Network
			}
		}
	}
	return out
}

// owed lists a day's money that no sale needed, with its sale's receipt or, before it had
// one, its reference: what the till's own list says.
func (s *server) owed(ctx context.Context, day report.Day) []strayRow {
	receipts := map[pos.SaleID]string{}
	for _, sale := range day.Sales {
		receipts[sale.Sale.ID] = sale.Sale.Receipt
	}
	out := make([]strayRow, len(day.Stray))
	for i, p := range day.Stray {
		out[i] = strayRow{p, receipts[p.Sale]}
		if out[i].Of == "" && i < owedAsked {
			out[i].Of = s.refOf(ctx, p)
		}
	}
	return out
}

// refOf returns the reference of a payment's sale, from the record that charged it;
// empty when that does not tell.
func (s *server) refOf(ctx context.Context, p report.Stray) string {
	return s.charged(ctx, p.Till.ID, p.Payment)
}

func (s *server) charged(ctx context.Context, till string, p pos.Payment) string {
	if p.Charged == 0 {
		return ""
	}
	for k, err := range s.Store.Since(ctx, till, p.Charged-1) {
		var b pos.SaleCharged
		if err != nil || k.N != p.Charged || k.Kind != pos.KindSaleCharged || k.Decode(&b) != nil || b.Sale.ID != p.Sale {
			return ""
		}
		return b.Sale.Ref
	}
	return ""
}

// astray lists a day's money that came on another network, or of another token, by the
// reference of its sale: that is what the counter called it. today: the day goes on.
func (s *server) astray(ctx context.Context, day report.Day, today bool) []astrayRow {
	refs := map[pos.SaleID]string{}
	for _, sale := range day.Sales {
		refs[sale.Sale.ID] = sale.Sale.Ref
	}
	var out []astrayRow
	for i, a := range day.Astray {
		row := astrayRow{Astray: a, Of: refs[a.Payment.Sale], Asked: a.Payment.Network}
		if row.Of == "" && i < owedAsked {
			row.Of = s.charged(ctx, a.Till.ID, a.Payment)
		}
		switch d := a.Decided; {
		case d == nil && today:
			row.Open, row.End = true, s.word("bo_astray_yet")
		case d == nil:
			row.Open, row.End = true, s.word("bo_astray_open")
		case d.Into != "":
			row.End = s.word("bo_astray_by", "what", s.word("bo_astray_taken"), "who", d.By.Name)
		default:
			row.End = s.word("bo_astray_by", "what", s.word("bo_astray_back"), "who", d.By.Name) + ": " + d.Note
		}
		out = append(out, row)
	}
	return out
}

// sumOf returns quantities for people: "0.0030 USDC + 1 sat".
func sumOf(assets []pos.Quantity) string {
	var out []string
	for _, q := range assets {
		out = append(out, q.String())
	}
	return strings.Join(out, " + ")
}

// unasked parts what no payment waited for from what came astray.
func unasked(rows []astrayRow) (astray, none []astrayRow) {
	for _, r := range rows {
		if r.Unasked {
			none = append(none, r)
		} else {
			astray = append(astray, r)
		}
	}
	return astray, none
}

// newest returns a copy of the last sales, the newest first: kept days are shared.
func newest(sales []report.Sale) []report.Sale {
	out := slices.Clone(sales[max(len(sales)-salesShown, 0):])
	slices.Reverse(out)
	return out
}

// sum is the total of another day in the same currency.
func (s *server) sum(ctx context.Context, date time.Time, c pos.Currency) (pos.Report, error) {
	sums, err := s.Reports.Sum(ctx, date)
	for _, sum := range sums {
		if sum.Total.Currency == c {
			return sum, err
		}
	}
	return pos.NewReport("", c), err
}

// average is the average basket, rounded half up: a figure to compare, not to add.
func average(r pos.Report) pos.Amount {
	if r.Sales == 0 {
		return r.Total.Currency.Zero()
	}
	each, rest := r.Total.Minor/r.Sales, r.Total.Minor%r.Sales
	if rest >= r.Sales-rest {
		each++
	}
	return r.Total.Currency.Of(each)
}

// look lists what asks for a person: money first, then what hides theft.
func (s *server) look(d report.Day) []note {
	r, red := d.Total, int64(0)
	for _, t := range d.Tills {
		red += int64(t.Red)
	}
	missing := int64(len(pos.Missing(r.Records)) + len(pos.Missing(r.Receipts)))
	all := []note{
		{"bo_missing", missing, "", true},
		{"bo_unbookable", red, "", true},
		{"bo_unbalanced", r.Unbalanced, "", true},
		{"bo_refund_due", r.RefundDue.Count, s.money(r.RefundDue.Amount), true},
		{"bo_unv_loss", r.Unverified.Refuted.Count, s.money(r.Unverified.Refuted.Amount), true},
		{"bo_astray", r.Astray.Count, s.money(r.Astray.Amount), slices.ContainsFunc(d.Astray, func(a report.Astray) bool { return !a.Unasked && undecided(a) })},
		{"bo_unasked", r.Unasked.Count, "", slices.ContainsFunc(d.Astray, func(a report.Astray) bool { return a.Unasked && undecided(a) })},
		{"bo_dust", r.Dust.Count, sumOf(r.Dust.Assets), false},
		{"bo_late", r.Late.Count, s.money(r.Late.Amount), false},
		{"bo_over", r.Over.Count, "", false},
		{"bo_doubts", r.PaymentDoubts, "", false},
		{"bo_removed", r.Removed.Count, s.money(r.Removed.Amount), false},
		{"bo_cleared", r.Cleared.Count, s.money(r.Cleared.Amount), false},
		{"bo_cancelled", r.Cancelled.Count, s.money(r.Cancelled.Amount), false},
		{"bo_no_sale", r.DrawerOpened, "", false},
		{"bo_reprinted", r.Reprinted, "", false},
		{"bo_pin_failed", r.PINFailed, "", false},
		{"bo_print_failed", r.PrintFailed, "", false},
		{"bo_power_lost", r.PowerLost, "", false},
		{"bo_unclear", r.Unclear, "", false},
	}
	return slices.DeleteFunc(all, func(n note) bool { return n.Count == 0 })
}

// undecided reports money that came astray this day and still waits for somebody. The
// day's sums do not tell: they also count what was decided about money of a day before.
func undecided(a report.Astray) bool { return a.Here && a.Decided == nil }

func (s *server) salesCSV(c *fiber.Ctx) error {
	return s.csv(c, "sales", func(t *report.Table, days []report.Day) error { return t.Sales(days...) })
}

func (s *server) paymentsCSV(c *fiber.Ctx) error {
	return s.csv(c, "payments", func(t *report.Table, days []report.Day) error { return t.Payments(days...) })
}

// csv writes a file, whole before the first byte leaves.
func (s *server) csv(c *fiber.Ctx, name string, write func(*report.Table, []report.Day) error) error {
	date, err := s.Reports.ParseDate(c.Params("day"))
	if err != nil {
		return err
	}
	sep, err := report.Comma(c.Query("separator"))
	if err != nil {
		return err
	}
	days, err := s.Reports.Days(c.UserContext(), date)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if c.Query("bom") == "1" {
		out.WriteString("\ufeff") // some spreadsheets take UTF-8 for something else without it
	}
	table := report.NewTable(&out, sep)
	table.Language = s.Language
	if err := write(table, days); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+"-"+date.Format(time.DateOnly)+`.csv"`)
	return c.Send(out.Bytes())
}

// recordLink is where a record's page is.
func recordLink(till string, n uint64) string {
	return (&url.URL{Path: "/tills/" + till + "/records/" + num(n)}).String()
}
