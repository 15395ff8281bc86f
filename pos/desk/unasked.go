package desk

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Money that no payment waits for: a stranger's transfer, an exchange's withdrawal hours
// late, a second payment when the first one's network had said its last word. It is booked
// once, and a manager decides about it as about any other money that is owed. Anybody can
// send dust, so dust is summed: it is in the books, and in nobody's way.

const (
	// dustEvery is how often a sum of dust is booked at most: a flood of it must not fill the
	// journal.
	dustEvery = time.Hour
	// unaskedAtOnce bounds what is booked in one turn: the counter waits for it.
	unaskedAtOnce = 16
)

// unaskedBook books what the rails found. It belongs to Run.
type unaskedBook struct {
	d     *Desk
	dusty time.Time // when dust was first seen that is not booked; zero: there is none
}

// book books what is new. With all, dust is not waited for. What cannot be booked now stays
// with its rail until the next time.
func (b *unaskedBook) book(all bool) {
	dust := false
	for _, from := range b.d.o.Unasked {
		came, beyond := from.Unasked()
		real, small := split(came)
		if len(real) > 0 {
			real = real[:min(len(real), unaskedAtOnce)]
			b.d.booked(from, real, nil, func(t *turn) error { return b.d.bookUnasked(t, real) })
		}
		if dust = dust || len(small)+len(beyond) > 0; all || b.due() {
			b.d.booked(from, small, beyond, func(t *turn) error { return b.d.bookDust(t, small, beyond) })
		}
	}
	switch {
	case !dust || all || b.due():
		b.dusty = time.Time{}
	case b.dusty.IsZero():
		b.dusty = time.Now()
	}
}

func (b *unaskedBook) due() bool { return !b.dusty.IsZero() && time.Since(b.dusty) >= dustEvery }

// split parts what somebody is asked about from dust. What cannot be booked at all is in
// neither.
func split(came []pos.Unasked) (real, dust []pos.Unasked) {
	for _, u := range came {
		switch {
		case !u.Valid():
		case u.Dust():
			dust = append(dust, u)
		default:
			real = append(real, u)
		}
	}
	return real, dust
}

// booked runs a turn, and tells the rail that what it is about is in the journal.
func (d *Desk) booked(from Unasked, came []pos.Unasked, beyond []pos.Dust, f func(*turn) error) {
	if len(came)+len(beyond) == 0 {
		return
	}
	if _, err := d.turn(pos.Command{By: pos.Till}, f); err != nil {
		d.o.Log.Warn("money that nobody asked for is not booked yet", "times", len(came), "err", err)
		return
	}
	from.Booked(came, beyond)
}

// bookUnasked records what is not in the journal yet.
func (d *Desk) bookUnasked(t *turn, came []pos.Unasked) error {
	twice := map[pos.PaymentID]bool{}
	for _, u := range came {
		known, err := d.o.Payments.Booked(u.ID())
		if err != nil {
			return err
		}
		if known || twice[u.ID()] {
			continue
		}
		twice[u.ID()] = true
		t.record(pos.KindUnasked, pos.UnaskedCame{Unasked: u, Payment: d.asPayment(t, u), By: t.by})
		d.o.Log.Warn("money came that no payment waits for", "came", u.Came.String(), "tx", u.Tx, "of", u.Of)
	}
	text := pos.Word(d.o.Shop.Language, "notice_unasked")
	told := slices.ContainsFunc(d.notices, func(n pos.Notice) bool { return n.Text == text }) // one for all: it must not push others out
	if len(t.entries) > 0 && !told {
		t.notice = &pos.Notice{Kind: pos.NoticeOver, Text: text}
	}
	return nil
}

// asPayment is u as a debt: all of it is beside any sale's price.
func (d *Desk) asPayment(t *turn, u pos.Unasked) pos.Payment {
	p := pos.Payment{
		ID: u.ID(), State: pos.Settled, Amount: d.o.Shop.MaxSale.Currency.Zero(), At: t.at, Moved: t.at,
		Received: u.Came, Over: u.Came, Owed: true, Final: true, Network: u.Network, Reference: u.Tx,
	}
	if i := strings.LastIndexByte(string(u.Of), '-'); i > 0 {
		p.Sale = pos.SaleID(u.Of[:i])
	}
	if tender, ok := d.takes(u.Came.Asset); ok {
		p.Tender = tender.Name
		p.Network = cmp.Or(p.Network, pos.Word(d.o.Shop.Language, "evm_on", "token", tender.Token, "chain", tender.Chain))
	}
	return p
}

// bookDust records one sum for each asset.
func (d *Desk) bookDust(t *turn, came []pos.Unasked, beyond []pos.Dust) error {
	var sums []pos.Dust
	of := func(a pos.Asset) *pos.Dust {
		i := slices.IndexFunc(sums, func(s pos.Dust) bool { return s.Sum.Asset.ID == a.ID })
		if i < 0 {
			i, sums = len(sums), append(sums, pos.Dust{Sum: a.UnitsOf(0)})
		}
		return &sums[i]
	}
	for _, u := range came {
		known, err := d.o.Payments.Booked(u.ID())
		if err != nil {
			return err
		}
		if !known {
			sum := of(u.Came.Asset)
			*sum = sum.Plus(u)
		}
	}
	for _, b := range beyond {
		sum := of(b.Sum.Asset)
		sum.Sum, sum.Count = plus(sum.Sum, b.Sum), sum.Count+b.Count
	}
	for _, s := range sums {
		t.record(pos.KindDust, pos.DustCame{Dust: s, By: t.by})
	}
	return nil
}

// unaskedView says of money that no payment waited for what can be decided: it is given
// back, or kept with a note that says why.
func unaskedView(v pos.RefundView, p pos.Payment) pos.RefundView {
	v.Sells, v.On, v.Kind = false, p.Network, pos.OwedUnasked
	if p.Sale != "" {
		v.Kind = pos.OwedAfter
	}
	return v
}

// mostUrgent puts debts of payments first, as they are; behind them what no payment waited
// for, the largest first: who sends small change pushes nothing off the list.
func mostUrgent(a, b pos.Payment) int {
	rank := func(p pos.Payment) int {
		if p.ID.Unasked() {
			return 1
		}
		return 0
	}
	if by := cmp.Compare(rank(a), rank(b)); by != 0 || rank(a) == 0 {
		return by
	}
	return whole(b.Over).Cmp(whole(a.Over))
}

// whole returns a quantity in whole tokens, for what is worth about the same.
func whole(q pos.Quantity) *big.Rat {
	one := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(q.Asset.Decimals)), nil)
	return new(big.Rat).SetFrac(q.Int(), one)
}
