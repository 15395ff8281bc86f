package pos

import (
	"cmp"
	"math/big"
	"slices"
)

// Merge adds o, the report of other records of the same till or of another one,
// to r. The order of merging does not matter. It fails, and changes nothing, with
// Conflict when both hold the same record or receipt number, and with Invalid
// when the currencies differ or a sum overflows.
func (r *Report) Merge(o Report) error {
	switch none := (Currency{}); {
	case r.Total.Currency == none: // the zero Report adds to anything
		*r = o
		return nil
	case o.Total.Currency == none:
		return nil
	}
	var s sums
	out := Report{
		Till: r.Till, From: r.From, To: r.To,
		Sales: s.count(r.Sales, o.Sales), Unclear: s.count(r.Unclear, o.Unclear), Unbalanced: s.count(r.Unbalanced, o.Unbalanced),
		Lines: s.add(r.Lines, o.Lines), Net: s.add(r.Net, o.Net), TaxUp: s.add(r.TaxUp, o.TaxUp),
		Total: s.add(r.Total, o.Total), Rounding: s.add(r.Rounding, o.Rounding),
		Tax:       join(&s, r.Tax, o.Tax, byRate, addTax),
		Tenders:   join(&s, r.Tenders, o.Tenders, byTender, addTender),
		People:    join(&s, r.People, o.People, byPerson, addPerson),
		Cancelled: s.tally(r.Cancelled, o.Cancelled), Cleared: s.tally(r.Cleared, o.Cleared), Removed: s.tally(r.Removed, o.Removed),
		DrawerOpened: s.count(r.DrawerOpened, o.DrawerOpened), Reprinted: s.count(r.Reprinted, o.Reprinted),
		PINFailed: s.count(r.PINFailed, o.PINFailed), PrintFailed: s.count(r.PrintFailed, o.PrintFailed),
		TestPrinted: s.count(r.TestPrinted, o.TestPrinted), Started: s.count(r.Started, o.Started), PowerLost: s.count(r.PowerLost, o.PowerLost),
		PaymentDoubts: s.count(r.PaymentDoubts, o.PaymentDoubts),
		GivenBack:     s.tally(r.GivenBack, o.GivenBack), SoldAfter: s.tally(r.SoldAfter, o.SoldAfter),
		Offline: s.offline(r.Offline, o.Offline), Unverified: s.offline(r.Unverified, o.Unverified),
		Received: join(&s, r.Received, o.Received, byTender, addTender),
		Late:     s.arrivals(r.Late, o.Late), RefundDue: s.arrivals(r.RefundDue, o.RefundDue), Over: s.arrivals(r.Over, o.Over),
		Astray: s.astray(r.Astray, o.Astray), AstrayBack: s.count(r.AstrayBack, o.AstrayBack), AstrayTaken: s.taken(r.AstrayTaken, o.AstrayTaken),
		Unasked: s.astray(r.Unasked, o.Unasked), UnaskedDecided: s.count(r.UnaskedDecided, o.UnaskedDecided), Dust: s.astray(r.Dust, o.Dust),
		Destinations: join(&s, r.Destinations, o.Destinations, byDestination, addDestination),
		Records:      runs(&s, r.Records, o.Records), Receipts: runs(&s, r.Receipts, o.Receipts),
		Marks: join(&s, r.Marks, o.Marks, byTill, laterMark),
	}
	if out.Till != o.Till {
		out.Till = ""
	}
	if out.From.IsZero() || (!o.From.IsZero() && o.From.Before(out.From)) {
		out.From = o.From
	}
	if o.To.After(out.To) {
		out.To = o.To
	}
	if s.err != nil {
		return s.err
	}
	*r = out
	return nil
}

// Missing returns what lies between the runs of each till and series: numbers
// that the span should hold and does not. None is the only good answer.
func Missing(runs []Run) []Run {
	var out []Run
	for i := 1; i < len(runs); i++ {
		a, b := runs[i-1], runs[i]
		if a.Till == b.Till && a.Series == b.Series {
			out = append(out, Run{a.Till, a.Series, a.To + 1, b.From - 1})
		}
	}
	return out
}

// offline adds totals; a report of before they were counted has none, and no currency.
func (s *sums) offline(a, b OfflineTotals) OfflineTotals {
	switch none := (OfflineTotals{}); {
	case a == none:
		return b
	case b == none:
		return a
	}
	return OfflineTotals{s.tally(a.Taken, b.Taken), s.tally(a.Proven, b.Proven), s.tally(a.Refuted, b.Refuted), s.count(a.Wrong, b.Wrong)}
}

// astray adds arrivals, of which a report of before they were counted has none, and no
// currency.
func (s *sums) astray(a, b Arrivals) Arrivals {
	switch none := (Currency{}); {
	case a.Amount.Currency == none:
		return b
	case b.Amount.Currency == none:
		return a
	}
	return s.arrivals(a, b)
}

// taken is the same for tallies.
func (s *sums) taken(a, b Tally) Tally {
	switch none := (Tally{}); {
	case a == none:
		return b
	case b == none:
		return a
	}
	return s.tally(a, b)
}

// sums adds, and keeps the first failure.
type sums struct{ err error }

func (s *sums) add(a, b Amount) Amount {
	out, err := a.Add(b)
	s.keep(err)
	return out
}

func (s *sums) keep(err error) {
	if s.err == nil && err != nil {
		s.err = err
	}
}

func (s *sums) count(a, b int64) int64 {
	if sum := a + b; sum >= a {
		return sum
	}
	s.keep(E("merge reports", Invalid, "the count is too large"))
	return a
}

func (s *sums) tally(a, b Tally) Tally {
	return Tally{s.count(a.Count, b.Count), s.add(a.Amount, b.Amount)}
}

func (s *sums) arrivals(a, b Arrivals) Arrivals {
	return Arrivals{s.count(a.Count, b.Count), s.add(a.Amount, b.Amount), join(s, a.Assets, b.Assets, byAsset, addQuantity)}
}

// join merges two lists that cmp has sorted; rows that compare equal become one.
// It changes neither list, so reports may share what lies in their rows.
func join[T any](s *sums, a, b []T, cmp func(T, T) int, add func(*sums, T, T) T) []T {
	if len(a)+len(b) == 0 {
		return nil
	}
	out := make([]T, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := cmp(a[0], b[0]); {
		case c < 0:
			out, a = append(out, a[0]), a[1:]
		case c > 0:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, add(s, a[0], b[0])), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// runs unites two lists of runs. A number that both hold is a Conflict.
func runs(s *sums, a, b []Run) []Run {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y Run) int {
		return cmp.Or(cmp.Compare(x.Till, y.Till), cmp.Compare(x.Series, y.Series), cmp.Compare(x.From, y.From))
	})
	out := all[:0]
	for _, r := range all {
		last := len(out) - 1
		switch {
		case last < 0 || out[last].Till != r.Till || out[last].Series != r.Series || r.From > out[last].To && r.From-out[last].To > 1:
			out = append(out, r)
		case r.From > out[last].To:
			out[last].To = r.To
		default:
			s.keep(E("merge reports", Conflict, "number %d is in both reports", r.From))
			return nil
		}
	}
	return out
}

func byTender(a, b TenderTotal) int { return cmp.Compare(a.Tender, b.Tender) }
func byTill(a, b Mark) int          { return cmp.Compare(a.Till, b.Till) }

func byPerson(a, b PersonTotal) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name))
}

// byAsset keeps quantities apart whose assets differ in anything: base units of
// different sizes do not add.
func byAsset(a, b Quantity) int {
	x, y := a.Asset, b.Asset
	return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Decimals, y.Decimals), cmp.Compare(x.Symbol, y.Symbol),
		cmp.Compare(x.Shown, y.Shown), cmp.Compare(x.Coin, y.Coin), cmp.Compare(x.CoinZero, y.CoinZero))
}

func addQuantity(s *sums, a, b Quantity) Quantity {
	out, err := a.Asset.Units(new(big.Int).Add(a.Int(), b.Int()))
	s.keep(err)
	return out
}

func addTax(s *sums, a, b TaxRow) TaxRow {
	return TaxRow{a.Rate, s.add(a.Net, b.Net), s.add(a.Tax, b.Tax), s.add(a.Gross, b.Gross)}
}

func addTender(s *sums, a, b TenderTotal) TenderTotal {
	return TenderTotal{
		a.Tender, s.count(a.Count, b.Count), s.add(a.Amount, b.Amount), s.add(a.Given, b.Given), s.add(a.Change, b.Change),
		s.add(a.Rounding, b.Rounding), join(s, a.Assets, b.Assets, byAsset, addQuantity),
	}
}

func addPerson(s *sums, a, b PersonTotal) PersonTotal {
	return PersonTotal{
		a.ID, a.Name, s.tally(a.Sales, b.Sales), s.tally(a.Cancelled, b.Cancelled), s.tally(a.Cleared, b.Cleared),
		s.tally(a.Removed, b.Removed), s.count(a.DrawerOpened, b.DrawerOpened), s.count(a.Reprinted, b.Reprinted),
	}
}

// laterMark keeps the later record, and of each figure the newest there is.
func laterMark(_ *sums, a, b Mark) Mark {
	if a.N > b.N {
		a, b = b, a
	}
	if b.Sales < a.Sales {
		b.Sales, b.Turnover = a.Sales, a.Turnover
	}
	b.Safe = max(a.Safe, b.Safe)
	return b
}
