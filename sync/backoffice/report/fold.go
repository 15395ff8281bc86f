package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// fold folds the ranges of a day, one Day for each currency of the tills; the
// lists of sales, items, hours and strays only when lists is set.
func (r *Reports) fold(ctx context.Context, date time.Time, tills []store.Till, ranges []store.Range, lists bool) ([]Day, error) {
	var days []Day
	for _, till := range tills {
		c, err := pos.CurrencyOf(till.Currency)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(days, func(d Day) bool { return d.Currency == c })
		if at < 0 {
			at, days = len(days), append(days, Day{Date: date, Currency: c, Total: pos.NewReport("", c)})
		}
		f := folder{Day: &days[at], TillDay: TillDay{Till: till, Report: pos.NewReport(till.ID, c)}, zone: r.zone, before: next(date), lists: lists}
		for _, g := range ranges {
			if g.Till == till.ID {
				err = f.records(ctx, r.store, g)
			}
		}
		if err == nil {
			err = f.Total.Merge(f.Report)
		}
		if err != nil {
			return nil, err
		}
		f.Day.Tills = append(f.Day.Tills, f.TillDay)
	}
	for i := range days {
		days[i].finish()
	}
	return days, nil
}

// folder folds one till's records into a day.
type folder struct {
	*Day
	TillDay
	zone   *time.Location
	before time.Time
	lists  bool
}

func (f *folder) records(ctx context.Context, s Store, g store.Range) error {
	for k, err := range s.Since(ctx, g.Till, g.From-1) {
		if err != nil {
			return err
		}
		if k.N > g.To {
			break
		}
		if k.At.Before(f.Date) || !k.At.Before(f.before) {
			continue // a till whose clock went back
		}
		if err := f.add(k); err != nil {
			return err
		}
	}
	return nil
}

// add folds one record. What cannot be booked still counts as seen.
func (f *folder) add(k store.Kept) error {
	one, err := fold1(f.TillDay.Till, f.Currency, k.Record)
	if err == nil {
		err = f.merge(one)
	}
	if err != nil {
		f.Red++
		k.Kind = unbookable
		return f.Report.Add(k.Record)
	}
	switch {
	case !f.lists:
	case k.Kind == pos.KindSaleCompleted:
		return f.sale(k)
	case k.Kind == pos.KindPayment:
		return f.payment(k)
	case k.Kind == pos.KindUnasked:
		return f.unasked(k)
	case k.Kind == pos.KindRefundDecided:
		return f.decided(k)
	}
	return nil
}

func (f *folder) merge(one pos.Report) error {
	if crowded(f.Report) {
		return errCrowded
	}
	return f.Report.Merge(one)
}

// unbookable is a kind that no fold knows, so only the record's number counts.
const unbookable pos.RecordKind = "unbookable"

func (f *folder) sale(k store.Kept) error {
	s := Sale{Till: f.TillDay.Till, N: k.N, At: k.At.In(f.zone), Clock: k.Clock, Received: k.Received}
	if err := k.Decode(&s.SaleCompleted); err != nil {
		return err
	}
	f.Sales = append(f.Sales, s)
	hour := &f.Hours[s.At.Hour()]
	sum, err := f.sum(hour.Amount, s.Totals.Total)
	*hour = pos.Tally{Count: hour.Count + 1, Amount: sum}
	for _, l := range s.Sale.Lines {
		if err == nil {
			err = f.item(l)
		}
	}
	return err
}

func (f *folder) item(l pos.Line) (err error) {
	at := f.place(l.Name)
	f.Items[at].Qty += l.Qty
	f.Items[at].Amount, err = f.sum(f.Items[at].Amount, l.Total)
	return err
}

// place returns where an item of this name is counted; past mostItems, among the
// others.
func (d *Day) place(name string) int {
	if d.places == nil {
		d.places = map[string]int{}
	}
	at, known := d.places[name]
	if !known && len(d.Items) >= mostItems {
		name = otherItems
		at, known = d.places[name]
	}
	if !known {
		at, d.Items = len(d.Items), append(d.Items, ItemTotal{Name: name, Amount: d.Currency.Zero()})
		d.places[name] = at
	}
	return at
}

func (f *folder) payment(k store.Kept) error {
	var b pos.PaymentMoved
	if err := k.Decode(&b); err != nil {
		return err
	}
	if b.Event == pos.Settle && b.Payment.Refundable {
		f.Stray = append(f.Stray, Stray{b.Payment, f.TillDay.Till, k.N, k.At.In(f.zone)})
	}
	if !b.Astray.IsZero() {
		f.Astray = append(f.Astray, Astray{Till: f.TillDay.Till, N: k.N, At: k.At.In(f.zone), Payment: b.Payment, Came: b.Astray, On: b.Payment.StrayOn, Here: true})
	}
	return nil
}

// unasked notes money that no payment waited for.
func (f *folder) unasked(k store.Kept) error {
	var b pos.UnaskedCame
	if err := k.Decode(&b); err != nil {
		return err
	}
	p := b.Payment
	f.Astray = append(f.Astray, Astray{Till: f.TillDay.Till, N: k.N, At: k.At.In(f.zone), Payment: p, Came: b.Unasked.Came, On: p.Network, Here: true, Unasked: true})
	return nil
}

// decided notes what became of money that came astray: at all that came of it this day and
// was not decided about, else in a line of its own.
func (f *folder) decided(k store.Kept) error {
	var b pos.RefundDecided
	if err := k.Decode(&b); err != nil || b.Came.IsZero() {
		return err
	}
	known := false
	for i := range f.Astray {
		a := &f.Astray[i]
		if a.Till.ID == f.TillDay.Till.ID && a.Payment.ID == b.Payment && a.Decided == nil {
			a.Decided, known = &b, true
		}
	}
	if !known {
		p := pos.Payment{ID: b.Payment, Sale: b.Sale, Amount: b.Amount}
		f.Astray = append(f.Astray, Astray{Till: f.TillDay.Till, N: k.N, At: k.At.In(f.zone), Payment: p, Came: b.Came, On: b.Network, Decided: &b, Unasked: b.Unasked})
	}
	return nil
}

// sum adds to what may still be the zero Amount.
func (d *Day) sum(a, b pos.Amount) (pos.Amount, error) {
	if a.IsZero() {
		a = d.Currency.Zero()
	}
	return a.Add(b)
}

// finish puts the tills' parts in order.
func (d *Day) finish() {
	slices.SortStableFunc(d.Sales, func(a, b Sale) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(d.Items, func(a, b ItemTotal) int {
		return cmp.Or(cmp.Compare(b.Amount.Minor, a.Amount.Minor), cmp.Compare(a.Name, b.Name))
	})
	d.places = nil // they are sorted
	for i := range d.Hours {
		if d.Hours[i].Amount.IsZero() {
			d.Hours[i].Amount = d.Currency.Zero()
		}
	}
}
