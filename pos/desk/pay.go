package desk

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/tillwright/tillwright/pos"
)

const (
	// cancelWithin bounds the cashier's wait for a rail's word on a cancellation.
	cancelWithin = 8 * time.Second
	// memoParts is what an invoice says: shop, reference, amount.
	memoParts = "%s %s %s"
	// saleBytes bounds what a sale and its payments may take up in a record when one
	// more payment begins. The record that completes it must fit into pos.MaxLine
	// whatever that payment adds; or a customer pays and the sale is never over.
	saleBytes = pos.MaxLine / 2
)

// pay charges the sale, if it is still a basket, and starts a payment of what is
// due or of a part of it.
func (d *Desk) pay(t *turn, do pos.Pay) error {
	s, err := d.meant(t, do.Sale)
	if err != nil {
		return err
	}
	if p := s.OpenPayment(); p != nil && p.Offline && p.Tender == do.Tender {
		if done, err := d.again(t, &s, p); done || err != nil {
			return err
		}
	}
	if p := s.OpenPayment(); p != nil {
		return pos.E("pay", pos.Conflict, "a payment for sale %s is under way; cancel it first", s.Ref)
	}
	all := do.Tender == pos.Cash && do.Amount == 0 // ends the sale: no more can be added
	if !all && len(pos.NewBody(s)) > saleBytes {
		return pos.E("pay", pos.Conflict, "sale %s was tried to pay too often; take the rest in cash, all at once", s.Ref)
	}
	if s.State == pos.Draft {
		s.Tickets = d.order(s.Lines)
	}
	due, err := d.charge(t, &s)
	if err != nil {
		return err
	}
	amount := due
	if do.Amount != 0 {
		amount.Minor = do.Amount
	}
	if amount.Minor <= 0 || amount.Minor > due.Minor {
		return pos.E("pay", pos.Invalid, "a payment must be more than zero and at most what is due, %s", due)
	}
	p := pos.Payment{Sale: s.ID, Attempt: len(s.Payments) + 1, Tender: do.Tender, State: pos.Intended, Amount: amount, At: t.at, Moved: t.at}
	p.ID = pos.PaymentIDOf(s.ID, p.Attempt)
	t.answer = pos.Answer{Sale: s.ID, Payment: p.ID}
	if do.Tender == pos.Cash {
		return d.payCash(t, s, p, due, do.Given)
	}
	if do.Given != 0 {
		return pos.E("pay", pos.Invalid, "only cash is given by hand")
	}
	return d.payRail(t, p)
}

// charge fixes the basket and returns what is due.
func (d *Desk) charge(t *turn, s *pos.Sale) (pos.Amount, error) {
	due, err := s.Due()
	if err != nil {
		return due, err
	}
	if len(s.Lines) == 0 || due.Minor <= 0 {
		return due, pos.E("pay", pos.Conflict, "there is nothing to pay yet")
	}
	if s.State != pos.Draft {
		return due, nil
	}
	totals, err := s.Totals()
	if err != nil {
		return due, err
	}
	s.State = pos.Awaiting
	t.prints = t.prints || len(s.Tickets) > 0
	t.record(pos.KindSaleCharged, pos.SaleCharged{Sale: *s, Totals: totals, By: t.by})
	return due, nil
}

// payCash takes cash from hand to hand: it settles by the cashier's own word.
// Cash that pays all that is due is rounded by the country's rule, unless the
// customer has the exact coins.
func (d *Desk) payCash(t *turn, s pos.Sale, p pos.Payment, due pos.Amount, given int64) error {
	owed := p.Amount
	if p.Amount == due && given != due.Minor {
		owed = d.o.Shop.Rounding.Due(due)
	}
	p.Given = owed
	if given != 0 {
		p.Given.Minor = given
	}
	switch {
	case p.Given.Minor < owed.Minor:
		return pos.E("pay", pos.Invalid, "%s is less than %s", p.Given, owed)
	case p.Given.Minor-owed.Minor > d.o.Shop.MaxSale.Minor:
		return pos.E("pay", pos.Invalid, "%s given for %s looks like a slip of the keys", p.Given, owed)
	}
	p.Change = d.o.Shop.Rounding.Change(due.Currency.Of(p.Given.Minor - owed.Minor))
	p.Rounding = due.Currency.Of(p.Given.Minor - p.Change.Minor - p.Amount.Minor)
	p.Final = true
	if err := p.Apply(pos.Settle, t.at); err != nil {
		return err
	}
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, Event: pos.Settle, By: t.by})
	s.Payments = append(s.Payments, p)
	return d.completeIfPaid(t, s)
}

// payRail prices the payment and makes the wish durable. The rail is asked
// afterwards, by the payment's watcher: an answer that gets lost is then found
// again by the payment's own reference.
func (d *Desk) payRail(t *turn, p pos.Payment) error {
	tender, ok := d.tender[p.Tender]
	if !ok {
		return pos.E("pay", pos.NotFound, "this till does not take %q", string(p.Tender))
	}
	if why := d.unconfirmed(tender, t.books); why != "" {
		return pos.E("pay", pos.Unavailable, "%s", why)
	}
	if full := d.full(); full != "" {
		return pos.E("pay", pos.Unavailable, "%s", full)
	}
	h := tender.Rail.Health()
	why := pos.E("pay", pos.Unavailable, "%s", h.Reason)
	switch {
	case !h.Ready && tender.Unseen == nil:
		return d.payOffline(t, tender, p, why)
	case !h.Ready:
		if err := d.mayAskUnseen(t, tender, p, why); err != nil {
			return err
		}
		p.Blind = true
	}
	rate, err := d.o.Rates.Rate(h.Asset)
	if err != nil && tender.Unseen != nil { // nothing is sold without a price
		return err
	} else if err != nil {
		return d.payOffline(t, tender, p, err)
	}
	if p.Quantity, err = rate.Charge(p.Amount); err != nil {
		return err
	}
	if p.Quantity.IsZero() {
		return pos.E("pay", pos.Invalid, "%s is too little to pay with %s", p.Amount, h.Asset.Symbol)
	}
	p.Rate = &rate
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, By: t.by})
	t.watch = p.ID
	return nil
}

// full says, in a cashier's words, why nothing but cash is taken: the storage has
// room for cash alone. Empty: it has room.
func (d *Desk) full() string {
	if h := d.o.Storage(); !h.Ready {
		return h.Reason
	}
	return ""
}

// completeIfPaid records the sale as completed when its payments cover it. The
// receipt number is allocated here and nowhere else.
func (d *Desk) completeIfPaid(t *turn, s pos.Sale) error {
	due, err := s.Due()
	if err != nil || due.Minor > 0 {
		return err
	}
	totals, err := s.Totals()
	if err != nil {
		return err
	}
	zero := totals.Total.Currency.Zero()
	v := pos.SaleCompleted{Totals: totals, Rounding: zero, Change: zero, By: t.by, Count: t.books.Count + 1}
	for _, p := range s.Payments {
		if p.State == pos.Settled && p.Tender == pos.Cash {
			v.Rounding.Minor += p.Rounding.Minor // bounded by MaxSale, as is each
			v.Change.Minor += p.Change.Minor
		}
	}
	turnover := t.books.Turnover
	if t.books.Count == 0 {
		turnover = zero
	}
	if v.Turnover, err = turnover.Add(totals.Total); err != nil {
		return err
	}
	s.State, s.Completed, s.Receipt = pos.Completed, t.at, pos.ReceiptNumber(d.o.Shop.Series, v.Count)
	v.Sale = s
	t.record(pos.KindSaleCompleted, v)
	t.prints = true
	return nil
}

// memo is what the customer's wallet shows.
func (d *Desk) memo(p pos.Payment, ref string) string {
	return fmt.Sprintf(memoParts, d.o.Shop.Name, ref, p.Amount)
}

// cancelPayment withdraws a payment. The rail has the word: it may say that the
// money has come. No answer leaves the payment unknown.
func (d *Desk) cancelPayment(ctx context.Context, c pos.Command, do pos.CancelPayment) (pos.Answer, error) {
	var p pos.Payment
	a, err := d.turn(c, func(t *turn) (err error) {
		if p, err = d.toCancel(t, do); err != nil || !do.Despite {
			return err
		}
		return d.setAside(t, p)
	})
	if err != nil || do.Despite || p.ID == "" { // no payment: the command was answered before
		return a, err
	}
	ctx, stop := context.WithTimeout(ctx, cancelWithin)
	defer stop()
	f, err := pos.Finding{}, pos.E("cancel payment", pos.Unavailable, "this till does not take %q any more", string(p.Tender))
	if rail := d.checker(p); rail != nil {
		f, err = rail.Cancel(ctx, p)
	}
	if err != nil {
		d.o.Log.Warn("cancellation unanswered", "sale", p.Sale, "rail", p.Tender, "err", err)
		return d.doubt(c, p, err)
	}
	return d.found(c, p, f)
}

var errNotUnderWay = pos.E("cancel payment", pos.Conflict, "this payment is not under way any more")

// toCancel finds the payment that a command means.
func (d *Desk) toCancel(t *turn, do pos.CancelPayment) (pos.Payment, error) {
	s, err := d.meant(t, do.Sale)
	if err != nil {
		return pos.Payment{}, err
	}
	p := s.OpenPayment()
	if p == nil || (do.Payment != "" && p.ID != do.Payment) {
		return pos.Payment{}, errNotUnderWay
	}
	t.answer = pos.Answer{Sale: s.ID, Payment: p.ID}
	return *p, nil
}

// setAside lets a manager go on without the rail's answer.
func (d *Desk) setAside(t *turn, p pos.Payment) error {
	switch {
	case !t.by.Role.Includes(pos.Manager):
		return pos.E("go on", pos.Forbidden, "only a manager may go on while a payment is unknown")
	case p.State != pos.Unknown:
		return pos.E("go on", pos.Conflict, "this payment is not in doubt; cancel it instead")
	}
	p.Aside, p.Again = true, false
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, By: t.by})
	return nil
}

// doubt records that the rail gave no answer, and says so, with the rail's reason.
func (d *Desk) doubt(c pos.Command, p pos.Payment, unknown error) (pos.Answer, error) {
	var refused *pos.Error
	_, err := d.turn(pos.Command{By: c.By}, func(t *turn) error {
		now, err := d.o.Payments.Payment(p.ID)
		if err != nil {
			return err
		}
		why := ""
		refused, why = noAnswer(now, unknown)
		if now.Covers() { // by a code that was typed while the rail was asked
			refused = errNotUnderWay
			return nil
		}
		event := pos.Doubt
		if now.Again {
			event, now.Again = "", false // it was in doubt before it was shown again
		} else if err := now.Apply(event, t.at); err != nil {
			return nil // the watcher knows better by now
		}
		now.Why = why
		t.record(pos.KindPayment, pos.PaymentMoved{Payment: now, Event: event, By: c.By})
		return nil
	})
	if err != nil && pos.KindOf(err) != pos.NotFound {
		return pos.Answer{}, err
	}
	if refused == nil { // its sale is over: there is nothing to say of the payment
		refused, _ = noAnswer(p, unknown)
	}
	return pos.Answer{}, refused
}

func (d *Desk) reprint(t *turn, do pos.Reprint) error {
	if do.Ticket {
		return d.orderAgain(t, do)
	}
	f, err := d.o.Sales.Filed(cmp.Or(do.Sale, t.books.LastDone))
	if err != nil {
		return err
	}
	t.record(pos.KindReprinted, pos.Reprinted{Sale: f.Sale, Copy: f.Copies + 1, By: t.by})
	t.answer.Sale, t.prints = f.Sale, true
	return nil
}

// maxReason bounds the reason for an opened drawer.
const maxReason = 120

func (d *Desk) openDrawer(t *turn, do pos.OpenDrawer) error {
	if do.Reason == "" || len(do.Reason) > maxReason || !pos.IsPlain(do.Reason) {
		return pos.E("open drawer", pos.Invalid, "say why the drawer is opened, in 1 to %d plain letters", maxReason)
	}
	t.record(pos.KindDrawerOpened, pos.DrawerOpened{Reason: do.Reason, By: t.by})
	t.prints = true
	return nil
}
