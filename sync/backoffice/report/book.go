package report

import (
	"slices"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// Book says whether a genuine record can be booked: its body is readable, its sums
// agree with each other, its tax is what its lines come to, its currency is the
// till's, and the till's own counters of sales and turnover go on without a jump.
// It returns the counters after the record; a jump is reported once and the new
// count taken, for the next sale is compared with what its till said last.
//
// It fails with a pos.Error that tells the owner why.
func Book(till store.Till, before store.Head, r pos.Record) (sales uint64, turnover int64, err error) {
	c, err := pos.CurrencyOf(till.Currency)
	if err != nil {
		return before.Sales, before.Turnover, err
	}
	one := pos.NewReport(till.ID, c)
	if err := one.Add(r); err != nil {
		return before.Sales, before.Turnover, err
	}
	if r.Kind != pos.KindSaleCompleted {
		return before.Sales, before.Turnover, nil
	}
	said := one.Marks[0]
	return said.Sales, said.Turnover.Minor, bookSale(one, c.Of(before.Turnover), before.Sales, r)
}

func bookSale(one pos.Report, turnover pos.Amount, sales uint64, r pos.Record) error {
	var b pos.SaleCompleted
	if err := r.Decode(&b); err != nil {
		return err
	}
	said := one.Marks[0]
	want, err := turnover.Add(one.Total)
	if err != nil {
		return err
	}
	t, err := b.Sale.Totals()
	switch {
	case err != nil:
		return err
	case one.Unbalanced > 0:
		return pos.E("book sale", pos.Corrupt, "receipt %s contradicts itself: lines, tax and payments do not add up", b.Sale.Receipt)
	case t.Total != b.Totals.Total || !slices.Equal(t.Tax, b.Totals.Tax):
		return pos.E("book sale", pos.Corrupt, "receipt %s states other tax than its lines come to", b.Sale.Receipt)
	case said.Sales != sales+1:
		return pos.E("book sale", pos.Corrupt, "receipt %s is the till's sale no. %d, after no. %d", b.Sale.Receipt, said.Sales, sales)
	case said.Turnover != want:
		return pos.E("book sale", pos.Corrupt, "after receipt %s the till's turnover is %s instead of %s", b.Sale.Receipt, said.Turnover, want)
	}
	return nil
}
