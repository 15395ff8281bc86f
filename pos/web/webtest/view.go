package webtest

import (
	"slices"

	"github.com/tillwright/tillwright/pos"
)

// View returns the newest view.
func (d *Desk) View() pos.View {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.view()
}

func (d *Desk) publish() {
	d.version++
	if !d.lags {
		d.Publish(d.view())
	}
}

// Lag answers before the screens are told, as the real desk does, until release is
// called: they are told the newest state then.
func (d *Desk) Lag() (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lags = true
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.lags = false
		d.Publish(d.view())
	}
}

func (d *Desk) view() pos.View {
	v := pos.View{Version: d.version, Shop: d.shop, Customer: d.customer}
	v.Counter = pos.Counter{Open: []pos.SaleView{}, Links: d.links, Sync: d.sync, Notices: d.notices, Destinations: d.moved, Refunds: append([]pos.RefundView{}, d.owed...), Version: "test"}
	for _, s := range d.open {
		sv := d.saleView(*s)
		if s.ID == d.current {
			now := sv
			v.Counter.Current = &now
		}
		sv.Lines = nil
		v.Counter.Open = append(v.Counter.Open, sv)
	}
	if n := len(d.done); n > 0 {
		last := d.saleView(d.done[n-1])
		v.Counter.LastDone = &last
	}
	for _, t := range []pos.Tender{pos.Cash, Lightning} {
		reason := d.grey[t]
		tv := pos.TenderView{Tender: t, Ready: reason == "", Reason: reason}
		if t == Lightning {
			d.offerOffline(&tv)
		}
		v.Counter.Tenders = append(v.Counter.Tenders, tv)
	}
	v.Counter.Tenders = append(v.Counter.Tenders, d.offers()...)
	return v
}

// notes are what a customer may hand over, in whole units of the currency.
var notes = []int64{5, 10, 20, 50, 100, 200}

func (d *Desk) saleView(s pos.Sale) pos.SaleView {
	s = s.Clone()
	totals, err := s.Totals()
	d.must(err)
	due, err := s.Due()
	d.must(err)
	v := pos.SaleView{Sale: s, Totals: totals, Due: due, CashDue: d.shop.Rounding.Due(due)}
	if v.CashDue.Minor > 0 {
		v.CashKeys = []pos.Amount{v.CashDue}
	}
	unit := int64(1)
	for range d.shop.Currency.Decimals {
		unit *= 10
	}
	for _, n := range notes {
		if n*unit > v.CashDue.Minor && v.CashDue.Minor > 0 && len(v.CashKeys) < 4 {
			v.CashKeys = append(v.CashKeys, d.shop.Currency.Of(n*unit))
		}
	}
	for _, p := range s.Payments {
		if p.State == pos.Settled && p.Change.Minor > 0 {
			v.Change = p.Change
		}
		v.Doubtful = v.Doubtful || (p.State == pos.Unknown && !p.Aside && !p.Again)
	}
	v.Offline, v.Locked = len(provable(&s)) > 0, s.WrongCodes >= pos.MaxWrongCodes
	v.Waiting, v.Unverified = s.OpenPayment() != nil, d.trusts(&s)
	v.Astray = d.astray(&s)
	return v
}

// pictureOf returns what the customer of s sees.
func (d *Desk) pictureOf(s *pos.Sale) pos.Customer {
	totals, err := s.Totals()
	d.must(err)
	due, err := s.Due()
	d.must(err)
	c := pos.Customer{Phase: pos.PhaseBasket, Sale: s.ID, Ref: s.Ref, Lines: slices.Clone(s.Lines), Tax: totals.Tax, Total: totals.Total, Due: due}
	if len(s.Lines) == 0 {
		return pos.Customer{Phase: pos.PhaseIdle}
	}
	if n := len(s.Payments); n > 0 && s.Payments[n-1].State == pos.Cancelled {
		c.Phase, c.Reason = pos.PhaseRefused, "cancelled"
	}
	if p := s.OpenPayment(); p != nil {
		c.Tender, c.Network, c.Quantity, c.Expires = p.Tender, p.Network, p.Quantity.String(), p.Expires
		c.Due = p.Amount
		switch {
		case p.Offline && (p.State == pos.Requested || p.Again):
			d.pictureOffline(&c, *p)
		case d.coin(p.Tender) != nil && (p.State == pos.Requested || p.State == pos.Seen && !p.Part.IsZero()):
			d.pictureCoin(&c, *p, *d.coin(p.Tender))
		case p.State == pos.Seen, p.State == pos.Accepted:
			c.Phase = pos.PhaseArriving
		case p.State == pos.Unknown:
			c.Phase = pos.PhaseChecking
			if p.Astray() && p.Elsewhere() {
				c.Reason = "other_network"
			}
		default:
			c.Phase, c.QR, c.Link = pos.PhaseDue, p.Payload, "lightning:"+p.Payload
			c.Rate = "1 BTC = 58823.53 EUR"
		}
	}
	return c
}
