package report

import (
	"errors"
	"slices"
	"strconv"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// Booking is what a record adds to its till's counters; the zero Booking is that of
// a record which is no sale.
type Booking struct {
	sale     bool
	receipt  string
	total    pos.Amount
	count    uint64 // completed sales so far, as the record says
	turnover pos.Amount
}

// Check says whether a genuine record can be booked, as far as the record alone
// can tell: its body is readable, its sums agree with each other, its tax is what
// its lines come to, its currency is the till's. It fails with a pos.Error that
// tells the owner why; the Booking counts also then. Check needs no other record,
// so records can be checked side by side.
func Check(till store.Till, r pos.Record) (Booking, error) {
	b, err := check(till, r)
	if e, ok := errors.AsType[*pos.Error](err); ok {
		if key, _ := e.Word(); key == "" { // what the till's own package finds, it says in one language
			err = pos.Say("book record", e.Kind, err, "bo_al_body", "n", strconv.FormatUint(r.N, 10), "why", e.Msg)
		}
	}
	return b, err
}

func check(till store.Till, r pos.Record) (Booking, error) {
	c, err := pos.CurrencyOf(till.Currency)
	if err != nil {
		return Booking{}, err
	}
	one, err := fold1(till, c, r)
	if err != nil || r.Kind != pos.KindSaleCompleted {
		return Booking{}, err
	}
	var b pos.SaleCompleted
	if err := r.Decode(&b); err != nil {
		return Booking{}, err
	}
	said := one.Marks[0]
	return Booking{true, b.Sale.Receipt, one.Total, said.Sales, said.Turnover}, checkSale(one, b)
}

func checkSale(one pos.Report, b pos.SaleCompleted) error {
	t, err := b.Sale.Totals()
	switch {
	case err != nil:
		return err
	case one.Unbalanced > 0:
		return pos.Say("book sale", pos.Corrupt, nil, "bo_al_balance", "receipt", b.Sale.Receipt)
	case t.Total != b.Totals.Total || !slices.Equal(t.Tax, b.Totals.Tax):
		return pos.Say("book sale", pos.Corrupt, nil, "bo_al_tax", "receipt", b.Sale.Receipt)
	}
	return nil
}

// After moves a till's counters on, from before to what the record says. It fails
// with a pos.Error when they jump. A jump is reported once: the next sale is
// compared with what its till said last.
func (b Booking) After(before store.Head) (sales uint64, turnover int64, err error) {
	if !b.sale {
		return before.Sales, before.Turnover, nil
	}
	want, err := b.turnover.Currency.Of(before.Turnover).Add(b.total)
	switch {
	case err != nil:
	case b.count != before.Sales+1:
		err = pos.Say("book sale", pos.Corrupt, nil, "bo_al_count", "receipt", b.receipt, "n", strconv.FormatUint(b.count, 10), "before", strconv.FormatUint(before.Sales, 10))
	case b.turnover != want:
		err = pos.Say("book sale", pos.Corrupt, nil, "bo_al_turnover", "receipt", b.receipt, "is", b.turnover.String(), "want", want.String())
	}
	return b.count, b.turnover.Minor, err
}
