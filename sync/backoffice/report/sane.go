package report

import (
	"strconv"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// A till is believed only so far: its key may be stolen, and one record with a sum
// at the end of int64 would make every sum of the shop's day overflow, the honest
// tills' with it. A record past these bounds counts as one that cannot be booked.
const (
	mostMinor = 1 << 43 // 88 billion euros; a million such records still add up in an int64
	mostBits  = 192     // of an asset's base units; 2^64 such records still add up in 256 bits
)

// Bounds of a day's lists: folding looks at every row for every record, and a till
// that lies could make each record a row of its own.
const (
	mostRows   = 256   // people, rates, tenders or gaps of one till: more than any shop has
	mostItems  = 5_000 // different items of all tills
	otherItems = "…"   // the name of those beyond
)

// errCrowded keeps a record out of the figures, not out of the books.
var errCrowded = pos.E("book record", pos.Corrupt, "this till's day has more different people, rates or gaps than a shop's can")

func crowded(r pos.Report) bool {
	return max(len(r.Tax), len(r.Tenders), len(r.People), len(r.Received), len(r.Receipts), len(r.Late.Assets), len(r.RefundDue.Assets), len(r.Over.Assets), len(r.Astray.Assets), len(r.Destinations)) >= mostRows
}

// fold1 returns the report of one record. It fails with a pos.Error for one that
// cannot be booked.
func fold1(till store.Till, c pos.Currency, r pos.Record) (pos.Report, error) {
	one := pos.NewReport(till.ID, c)
	if err := one.Add(r); err != nil {
		return one, err
	}
	var b pos.SaleCompleted
	if r.Kind == pos.KindSaleCompleted {
		if err := r.Decode(&b); err != nil {
			return one, err
		}
	}
	if !sane(one, b.Sale.Lines) {
		return one, pos.Say("book record", pos.Corrupt, nil, "bo_al_sum", "n", strconv.FormatUint(r.N, 10))
	}
	return one, nil
}

// sane reports that every sum of one record is within the bounds.
func sane(one pos.Report, lines []pos.Line) bool {
	all := []pos.Amount{
		one.Lines, one.Net, one.TaxUp, one.Total, one.Rounding, one.Cancelled.Amount, one.Cleared.Amount, one.Removed.Amount,
		one.Late.Amount, one.RefundDue.Amount, one.Over.Amount, one.Offline.Taken.Amount, one.Offline.Proven.Amount, one.Offline.Refuted.Amount,
		one.Unverified.Taken.Amount, one.Unverified.Proven.Amount, one.Unverified.Refuted.Amount,
		one.Astray.Amount, one.AstrayTaken.Amount, one.Unasked.Amount, one.Dust.Amount,
	}
	for _, t := range one.Tax {
		all = append(all, t.Net, t.Tax, t.Gross)
	}
	for _, l := range lines {
		all = append(all, l.Total)
	}
	came := [][]pos.Quantity{one.Late.Assets, one.RefundDue.Assets, one.Over.Assets, one.Astray.Assets, one.Unasked.Assets, one.Dust.Assets}
	for _, rows := range [][]pos.TenderTotal{one.Tenders, one.Received} {
		for _, t := range rows {
			all, came = append(all, t.Amount, t.Given, t.Change, t.Rounding), append(came, t.Assets)
		}
	}
	if one.Dust.Count < 0 || one.Dust.Count > mostMinor {
		return false
	}
	for _, a := range all {
		if a.Minor > mostMinor || a.Minor < -mostMinor {
			return false
		}
	}
	for _, assets := range came {
		for _, q := range assets {
			if q.Int().BitLen() > mostBits {
				return false
			}
		}
	}
	return true
}
