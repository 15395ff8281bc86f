package desk

import (
	"math/big"

	"github.com/tillwright/tillwright/pos"
)

// A quote holds until its request ends. A token that comes later, while its sale still
// waits for it, is worth what it fetches when it is found: else whoever holds an old code
// may wait for the price to fall and pay with less. It never covers more than it was asked
// for. Without a price nobody can say what it covers, and a manager decides.

// lapsed reports that money found for p in this turn came after its quote had ended.
// d.mu is held.
func (d *Desk) lapsed(t *turn, p pos.Payment) bool {
	if d.tender[p.Tender].Token == "" || p.Offline || p.Unverified {
		return false
	}
	return t.was == pos.Expired || !p.Price.IsZero() || d.ended(p, t.now)
}

// reprice prices all that p asks for, p.Amount, anew: what came is measured by that. It
// changes nothing when there is no price.
func (d *Desk) reprice(p *pos.Payment) error {
	price, rate, err := d.priceOf(p.Received.Asset, p.Amount)
	if err != nil {
		return err
	}
	p.Price, p.Rate = price, &rate
	p.Over = p.Received.Minus(keeps(*p))
	return nil
}

// priceOf returns what a part of a sale costs now; Unavailable: there is no price.
func (d *Desk) priceOf(a pos.Asset, part pos.Amount) (pos.Quantity, pos.Rate, error) {
	rate, err := d.o.Rates.Rate(a)
	if err != nil {
		return pos.Quantity{}, rate, err
	}
	price, err := rate.Charge(part)
	if err == nil && price.IsZero() {
		err = pos.E("price payment", pos.Unavailable, "there is no price for %s", a.Symbol)
	}
	return price, rate, err
}

// costs is what all that p was asked for costs.
func costs(p pos.Payment) pos.Quantity {
	if p.Price.IsZero() {
		return p.Quantity
	}
	return p.Price
}

// keeps is how much of what came for p the shop may keep for all that p was asked for: no
// customer gets back what his token rose by.
func keeps(p pos.Payment) pos.Quantity {
	if c := costs(p); c.Int().Cmp(p.Quantity.Int()) > 0 {
		return c
	}
	return p.Quantity
}

// topUp books that came, beyond what p has, came after its quote had ended. asked is all
// that p was asked for, and due what its sale still needs. What does not cover any of that
// is over.
func (d *Desk) topUp(p *pos.Payment, came pos.Quantity, asked, due pos.Amount) {
	left := asked.Currency.Of(min(asked.Minor-p.Amount.Minor, due.Minor))
	if left.Minor <= 0 {
		p.Over = plus(p.Over, came)
		return
	}
	price, _, err := d.priceOf(came.Asset, left)
	whole, _, errWhole := d.priceOf(came.Asset, asked)
	if err != nil || errWhole != nil { // a manager sees it in the list of debts
		p.Over = plus(p.Over, came)
		return
	}
	if p.Price.IsZero() {
		p.Price = whole
	}
	if came.Cmp(price) >= 0 {
		p.Amount.Minor, p.Over = p.Amount.Minor+left.Minor, plus(p.Over, came.Minus(price))
		return
	}
	part := new(big.Int).Mul(big.NewInt(left.Minor), came.Int())
	p.Amount.Minor += part.Quo(part, price.Int()).Int64() // below left
}

// plus adds up two quantities of one asset. One that is beyond all bounds is not added.
func plus(q, more pos.Quantity) pos.Quantity {
	sum, err := more.Asset.Units(new(big.Int).Add(q.Int(), more.Int()))
	if err != nil {
		return q
	}
	return sum
}

// unpriced reports that p came after its quote had ended, when there was no price, for a
// sale that still waits for it.
func (d *Desk) unpriced(p pos.Payment) (pos.Sale, bool) {
	if !p.Refundable || decidedBefore(p) {
		return pos.Sale{}, false
	}
	s, err := d.o.Sales.Sale(p.Sale)
	if err != nil {
		return pos.Sale{}, false
	}
	due, err := s.Due()
	return s, err == nil && due.Minor > 0
}

// takeLate lets p, which came when there was no price, pay for its sale: at the price that
// there is now, and without one as much as it was asked for, by a manager's word.
func (d *Desk) takeLate(t *turn, s pos.Sale, p pos.Payment, do pos.Decide) error {
	if open := s.OpenPayment(); open != nil {
		return pos.E("decide", pos.Conflict, "another payment for sale %s is under way; cancel it first", s.Ref)
	}
	due, err := s.Due()
	if err != nil {
		return err
	}
	if now, err := d.o.Payments.Payment(p.ID); err == nil {
		p = now
	}
	if p.Asked.Minor > p.Amount.Minor {
		p.Amount = p.Asked
	}
	asked := p.Amount
	p.Refundable = false
	if err := d.reprice(&p); err != nil {
		d.o.Log.Warn("late payment taken without a price", "sale", p.Sale, "rail", p.Tender, "err", err)
	}
	if covers(&p, due); p.Amount.Minor < asked.Minor {
		p.Asked = asked
	}
	d.owe(&p)
	t.decided(p, pos.RefundDecided{As: pos.AsSale, Sale: s.ID, Note: do.Note, Read: do.Came})
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, By: t.by})
	t.answer = pos.Answer{Sale: s.ID, Payment: p.ID}
	return d.cover(t, s, p)
}
