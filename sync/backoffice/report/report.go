// Package report turns the kept records into the owner's figures.
//
// Promise. Every figure is pos.Report folded over the records of the span, the
// same fold that makes the till's own Z report, in integers. A sale belongs to
// the day, in the shop's zone, of the time its till wrote into it; it stays there
// however late it arrives. Every record of the span is in the fold: one that
// cannot be booked counts as seen, so that "none missing" is about records, and
// stands on the red list. What was sold before its money was seen shows what arrived
// once a later record of its till tells, on the day of the sale.
//
// Limits. A shop with two currencies gets two reports a day: sums of different
// money do not exist. Folding takes about 50 µs a record (2026-11), so a thousand
// sales take 0.2 s; folded days are kept, as many as a screen needs, and thrown
// away when a record of that day arrives.
package report

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// Store is where the records are.
type Store interface {
	Tills(ctx context.Context) ([]store.Till, error)
	// Ranges finds each till's records in a span of time.
	Ranges(ctx context.Context, from, before time.Time) ([]store.Range, error)
	// Since yields a till's records above a number.
	Since(ctx context.Context, till string, after uint64) iter.Seq2[store.Kept, error]
}

// Reports folds days. It is safe for concurrent use.
type Reports struct {
	store Store
	zone  *time.Location

	mu   sync.Mutex
	full map[string]cached[[]Day]        // by date; few, for they hold every sale
	sums map[string]cached[[]pos.Report] // by date; the totals alone
}

type cached[T any] struct {
	of    []store.Range
	value T
}

// How many folded days are kept: the pages that an owner has open, and more than
// a year of totals for charts.
const (
	fullMax = 4
	sumsMax = 400
)

// New returns the reports over a store, by days of this zone.
func New(s Store, zone *time.Location) *Reports {
	return &Reports{store: s, zone: zone, full: map[string]cached[[]Day]{}, sums: map[string]cached[[]pos.Report]{}}
}

// Zone returns the shop's.
func (r *Reports) Zone() *time.Location { return r.zone }

// Date is a day in the shop's zone, at its midnight there.
func (r *Reports) Date(t time.Time) time.Time {
	y, m, d := t.In(r.zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, r.zone)
}

// ParseDate reads "2026-11-22". It fails with Invalid.
func (r *Reports) ParseDate(s string) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, s, r.zone)
	if err != nil || t.Year() < 1971 || t.Year() > 2200 {
		return time.Time{}, pos.E("read date", pos.Invalid, "a day is written like 2026-11-22")
	}
	return t, nil
}

// Day is one day of the shop in one currency.
type Day struct {
	Date     time.Time // midnight in the shop's zone
	Currency pos.Currency
	Total    pos.Report
	Tills    []TillDay
	Sales    []Sale        // in the order they were completed
	Hours    [24]pos.Tally // by the hour of the clock on the wall; a repeated hour counts twice
	Items    []ItemTotal   // the most money first
	Stray    []Stray       // payments that cover no sale
	Astray   []Astray      // money on another network, of another token, or that nobody asked for, and what was decided about such

	places map[string]int // of Items by name, while they are folded
}

// TillDay is one till's part of a day.
type TillDay struct {
	Till   store.Till
	Report pos.Report
	Red    int // records that cannot be booked
}

// Sale is a completed sale with the record that completed it.
type Sale struct {
	pos.SaleCompleted
	Till     store.Till
	N        uint64
	At       time.Time // in the shop's zone
	Clock    pos.Clock
	Received time.Time
}

// ItemTotal is what one item brought, at the prices shown.
type ItemTotal struct {
	Name   string
	Qty    int64 // thousandths
	Amount pos.Amount
}

// Stray is a payment that settled and covers no sale: the owner owes its customer
// a decision.
type Stray struct {
	pos.Payment
	Till store.Till
	N    uint64
	At   time.Time
}

// Astray is money that came on another network than asked for, of another token, or that no
// payment waited for; or a decision about such money that came on another day.
type Astray struct {
	Till    store.Till
	N       uint64    // the record that tells of it
	At      time.Time // when it came, or was decided about
	Payment pos.Payment
	Came    pos.Quantity
	On      string             // where, in words; empty: the till takes nothing there
	Here    bool               // it came this day
	Unasked bool               // no payment waited for it
	Decided *pos.RefundDecided // this day; nil: not
}

// Days folds a day, given by its midnight, once for each currency that the
// shop's tills have; a shop without tills has none.
func (r *Reports) Days(ctx context.Context, date time.Time) ([]Day, error) {
	tills, err := r.store.Tills(ctx)
	if err != nil {
		return nil, err
	}
	ranges, err := r.store.Ranges(ctx, date, next(date))
	if err != nil {
		return nil, err
	}
	name := date.Format(time.DateOnly)
	if days, ok := lookup(r, r.full, name, ranges); ok {
		return r.proven(ctx, rename(days, tills))
	}
	days, err := r.fold(ctx, date, tills, ranges, true)
	if err != nil {
		return nil, err
	}
	keep(r, r.full, fullMax, name, ranges, days)
	keep(r, r.sums, sumsMax, name, ranges, totals(days))
	return r.proven(ctx, days)
}

// Sum returns the totals of a day in each currency, more cheaply than Days.
func (r *Reports) Sum(ctx context.Context, date time.Time) ([]pos.Report, error) {
	ranges, err := r.store.Ranges(ctx, date, next(date))
	if err != nil {
		return nil, err
	}
	if sums, ok := lookup(r, r.sums, date.Format(time.DateOnly), ranges); ok {
		return sums, nil
	}
	tills, err := r.store.Tills(ctx)
	if err != nil {
		return nil, err
	}
	days, err := r.fold(ctx, date, tills, ranges, false)
	if err != nil {
		return nil, err
	}
	keep(r, r.sums, sumsMax, date.Format(time.DateOnly), ranges, totals(days))
	return totals(days), nil
}

// next is the following midnight; days are not always 24 hours long.
func next(date time.Time) time.Time { return date.AddDate(0, 0, 1) }

func totals(days []Day) []pos.Report {
	out := make([]pos.Report, len(days))
	for i, d := range days {
		out[i] = d.Total
	}
	return out
}

func lookup[T any](r *Reports, in map[string]cached[T], name string, of []store.Range) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := in[name]
	return c.value, ok && slices.Equal(c.of, of)
}

func keep[T any](r *Reports, in map[string]cached[T], limit int, name string, of []store.Range, v T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := in[name]; !there && len(in) >= limit {
		clear(in) // the next page folds a few days again; nothing else is lost
	}
	in[name] = cached[T]{of, v}
}

// rename puts what may have changed of the tills since into a kept day.
func rename(days []Day, tills []store.Till) []Day {
	byID := map[string]store.Till{}
	for _, t := range tills {
		byID[t.ID] = t
	}
	out := slices.Clone(days)
	for i := range out {
		out[i].Tills = slices.Clone(out[i].Tills)
		for j, td := range out[i].Tills {
			out[i].Tills[j].Till = byID[td.Till.ID]
		}
	}
	return out
}
