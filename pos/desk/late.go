package desk

import (
	"cmp"
	"slices"

	"github.com/tillwright/tillwright/pos"
)

// refundViews lists the money that somebody must decide about.
func (d *Desk) refundViews() ([]pos.RefundView, error) {
	owed, err := d.o.Payments.Refunds()
	slices.SortStableFunc(owed, mostUrgent)
	out := make([]pos.RefundView, 0, min(len(owed), pos.MaxNotices))
	for _, p := range owed[:min(len(owed), pos.MaxNotices)] {
		out = append(out, d.refundView(p))
	}
	return out, err
}

// refundView says what somebody must decide about, and what can be decided.
func (d *Desk) refundView(p pos.Payment) pos.RefundView {
	v := pos.RefundView{Payment: p.ID, Tender: p.Tender, Amount: p.Amount, At: p.Moved}
	v.Came, v.Exact = cameFor(p)
	s, known := d.givenUp(p)
	v.Sells, v.Of = known && !beside(p), s.Ref
	if beside(p) {
		v.Kind = pos.OwedOver
	} else if _, waits := d.unpriced(p); waits {
		v.Sells, v.Kind = true, pos.OwedUnpriced
	}
	if open, err := d.o.Sales.Sale(p.Sale); err == nil {
		v.Of = open.Ref
	}
	if f, err := d.o.Sales.Filed(p.Sale); err == nil {
		v.Of = f.Receipt
	}
	if p.ID.Unasked() {
		return unaskedView(v, p)
	}
	if !p.Astray() || !beside(p) {
		return v
	}
	v.Kind, v.On, v.Asked, v.Why = pos.OwedCoin, p.StrayOn, d.nameOf(p), p.Why
	if p.Elsewhere() {
		v.Kind = pos.OwedNetwork
	}
	_, takes := d.mayTake(p)
	_, _, waits := d.waits(p)
	v.Sells = takes && waits && !d.unnamed[p.ID]
	return v
}

// givenUp returns the sale that p was asked for, as it was charged, unless it was
// paid otherwise or its lines went on in another basket.
func (d *Desk) givenUp(p pos.Payment) (pos.Sale, bool) {
	if _, err := d.o.Sales.Filed(p.Sale); p.Charged == 0 || pos.KindOf(err) != pos.NotFound || err == nil {
		return pos.Sale{}, false
	}
	r, err := d.o.Journal.Read(p.Charged)
	var b pos.SaleCharged
	if err != nil || r.Kind != pos.KindSaleCharged || r.Decode(&b) != nil || b.Sale.ID != p.Sale {
		return pos.Sale{}, false // a damaged record; the money can still be given back
	}
	return b.Sale, true
}

// decide ends the debt to a customer whose money no open sale needed.
func (d *Desk) decide(t *turn, do pos.Decide) error {
	if !t.by.Role.Includes(pos.Manager) {
		return pos.E("decide", pos.Forbidden, "only a manager decides what becomes of this money")
	}
	p, err := d.owed(do.Payment)
	if err != nil {
		return err
	}
	if len(do.Note) > maxReason || !pos.IsPlain(do.Note) {
		return pos.E("decide", pos.Invalid, "a note has at most %d plain letters", maxReason)
	}
	if err := d.asRead(p, do.Came); err != nil {
		return err
	}
	if do.As == pos.GivenBack && do.Note == "" {
		return pos.E("decide", pos.Invalid, "say how the money was given back, in 1 to %d plain letters", maxReason)
	}
	switch {
	case p.Lost && !p.Final:
		return pos.E("decide", pos.Conflict, "the network took this money back; wait until it is there again")
	case beside(p):
		return d.giveBeside(t, p, do)
	case do.As == pos.GivenBack:
		return d.giveBack(t, p, do)
	case do.As == pos.AsSale:
		if s, waits := d.unpriced(p); waits {
			return d.takeLate(t, s, p, do)
		}
		return d.sellAfter(t, p, do)
	}
	return pos.E("decide", pos.Invalid, "money is given back, or sold after all")
}

// asRead fails unless read is what a decision about p is about: who looked before more of it
// came, or other money, has not decided about that.
func (d *Desk) asRead(p pos.Payment, read string) error {
	came, exact := cameFor(p)
	switch {
	case read == exact:
		return nil
	case read == "":
		return pos.E("decide", pos.Invalid, "say which money this decides about: came is what the list of it says exactly")
	}
	if v := d.refundView(p); v.On != "" || v.Why != "" {
		came += " (" + cmp.Or(v.On, v.Why) + ")"
	}
	return pos.E("decide", pos.Conflict, "%s", pos.Word(d.o.Shop.Language, "decide_changed", "came", came))
}

// decided records what becomes of p. The backoffice lists an offline payment too, under
// its own name: one debt must not be paid at both ends.
func (t *turn) decided(p pos.Payment, r pos.RefundDecided) {
	r.Payment, r.Amount, r.By = p.ID, p.Amount, t.by
	if p.Offline {
		r.Reference, r.Counter = p.Reference, p.Counter
	}
	t.record(pos.KindRefundDecided, r)
}

func (d *Desk) owed(id pos.PaymentID) (pos.Payment, error) {
	owed, err := d.o.Payments.Refunds()
	if err != nil {
		return pos.Payment{}, err
	}
	for _, p := range owed {
		if p.ID == id {
			return p, nil
		}
	}
	return pos.Payment{}, pos.E("decide", pos.NotFound, "nobody waits for a decision about this payment")
}

// resell makes a new sale of the lines that p was asked for: the one that was given up
// never changes.
func (d *Desk) resell(t *turn, p pos.Payment) (pos.Sale, pos.Amount, error) {
	old, ok := d.givenUp(p)
	if !ok {
		return old, p.Amount, pos.E("decide", pos.Conflict, "its sale was paid otherwise; the money can only be given back")
	}
	s, err := d.newDraft(t)
	if err != nil {
		return s, p.Amount, err
	}
	s.Lines, s.NextLine = old.Lines, old.NextLine
	due, err := d.charge(t, &s)
	t.draft.Put = nil // charged at once: its record makes it
	if err != nil {
		return s, due, err
	}
	return s, due, d.soldAlready(t, p)
}

// endResale completes s when it is paid; else the rest is paid at the counter.
func (d *Desk) endResale(t *turn, s pos.Sale) error {
	due, err := s.Due()
	if err != nil {
		return err
	}
	if t.draft.Current = t.books.Current; due.Minor > 0 {
		t.draft.Current = s.ID
	}
	return d.completeIfPaid(t, s)
}

// sellAfter lets p pay for a new sale of the lines that it was asked for.
func (d *Desk) sellAfter(t *turn, p pos.Payment, do pos.Decide) error {
	s, due, err := d.resell(t, p)
	if err != nil {
		return err
	}
	t.decided(p, pos.RefundDecided{As: pos.AsSale, Sale: s.ID, Note: do.Note, Read: do.Came})
	p.Sale, p.Refundable, p.Charged = s.ID, false, 0
	p.Amount.Minor = min(p.Amount.Minor, due.Minor)
	d.owe(&p)
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, By: t.by})
	s.Payments = append(s.Payments, p)
	t.answer = pos.Answer{Sale: s.ID, Payment: p.ID}
	return d.endResale(t, s)
}
