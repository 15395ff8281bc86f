package webtest

import (
	"fmt"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Lightning is the tender with a rail.
const Lightning pos.Tender = "lightning"

// PaymentLife is how long a request can be paid.
const PaymentLife = 5 * time.Minute

func (d *Desk) pay(by pos.Actor, do pos.Pay) (pos.Answer, error) {
	s, err := d.find(do.Sale)
	if err != nil {
		return pos.Answer{}, err
	}
	if p := s.OpenPayment(); p != nil && p.Offline && p.Tender == do.Tender {
		if done, err := d.again(s, p); done {
			return pos.Answer{Sale: s.ID, Payment: p.ID}, err
		}
	}
	switch {
	case len(s.Lines) == 0:
		return pos.Answer{}, pos.E("pay", pos.Conflict, "there is nothing to pay yet")
	case s.OpenPayment() != nil:
		return pos.Answer{}, pos.E("pay", pos.Conflict, "a payment is open; cancel it first")
	case d.grey[do.Tender] != "" && !(do.Tender == Lightning && d.offline.rule != ""):
		return pos.Answer{}, pos.E("pay", pos.Unavailable, "%s", d.grey[do.Tender])
	case do.Tender != pos.Cash && do.Tender != Lightning && d.coin(do.Tender) == nil:
		return pos.Answer{}, pos.E("pay", pos.Invalid, "this till does not take %s", do.Tender)
	}
	due, err := s.Due()
	if err != nil {
		return pos.Answer{}, err
	}
	amount := due
	if do.Amount != 0 {
		amount.Minor = do.Amount
	}
	if amount.Minor > due.Minor {
		return pos.Answer{}, pos.E("pay", pos.Invalid, "only %s is due", due)
	}
	p := pos.Payment{
		ID: pos.PaymentIDOf(s.ID, len(s.Payments)+1), Sale: s.ID, Attempt: len(s.Payments) + 1,
		Tender: do.Tender, State: pos.Intended, Amount: amount, At: d.Now(), Moved: d.Now(),
	}
	if do.Tender == pos.Cash {
		return d.payCash(s, p, do.Given)
	}
	p.Expires = d.Now().Add(PaymentLife)
	if coin := d.coin(do.Tender); coin != nil {
		coin.askCoin(&p)
		d.request(s, p)
		return pos.Answer{Sale: s.ID, Payment: p.ID}, nil
	}
	if d.offline.rule != "" {
		return d.payOffline(by, s, p)
	}
	p.Quantity, p.Network = pos.Bitcoin.UnitsOf(amount.Minor*17_000), "Lightning"
	p.Reference = fmt.Sprintf("%064x", d.version)
	p.Payload = "LNBCRT1" + fmt.Sprintf("%X", d.version) + "PVJLUEZPP5QQQSYQCYQ5RQWZQFQQQSYQCYQ5RQWZQFQQQSYQCYQ5RQWZQFQYPQDPL2PKX2CTNV5SXXMMWWD5KGETJYPEH2URSDAE8G6TWVUS8G"
	d.request(s, p)
	return pos.Answer{Sale: s.ID, Payment: p.ID}, nil
}

// request shows p to the customer.
func (d *Desk) request(s *pos.Sale, p pos.Payment) {
	d.must(p.Apply(pos.Request, d.Now()))
	s.Payments = append(s.Payments, p)
	if s.State == pos.Draft {
		s.State = pos.Awaiting
	}
	d.customer = d.pictureOf(s)
}

func (d *Desk) payCash(s *pos.Sale, p pos.Payment, given int64) (pos.Answer, error) {
	owed := d.shop.Rounding.Due(p.Amount)
	p.Given = owed
	if given != 0 {
		p.Given.Minor = given
	}
	if p.Given.Minor < owed.Minor {
		return pos.Answer{}, pos.E("pay", pos.Invalid, "%s is not enough for %s", p.Given, owed)
	}
	p.Change, _ = p.Given.Sub(owed)
	d.must(p.Apply(pos.Settle, d.Now()))
	s.Payments = append(s.Payments, p)
	d.settled(s, p)
	return pos.Answer{Sale: s.ID, Payment: p.ID}, nil
}

// settled completes the sale when nothing is due any more.
func (d *Desk) settled(s *pos.Sale, p pos.Payment) {
	due, err := s.Due()
	d.must(err)
	if due.Minor > 0 {
		s.State = pos.PartPaid
		d.customer = d.pictureOf(s)
		return
	}
	s.State, s.Completed = pos.Completed, d.Now()
	s.Receipt = pos.ReceiptNumber(d.shop.Series, uint64(len(d.done)+1))
	s.Record = d.version + 1
	for _, printer := range d.kitchens {
		s.Tickets = append(s.Tickets, pos.TicketOrder{Printer: printer, Lines: []int{s.Lines[0].ID}, When: pos.WhenCompleted, Copies: 1})
	}
	shown := s.ID == d.current
	d.drop(s.ID)
	d.done = append(d.done, *s)
	if !shown {
		d.tell("paid", pos.Word(d.shop.Language, "ui.paid_background", "ref", s.Ref, "amount", p.Amount.String()), s.ID)
		return
	}
	d.customer = d.pictureOf(s)
	d.customer.Phase, d.customer.Receipt = pos.PhasePaid, s.Receipt
	if p.Change.Minor > 0 {
		d.customer.Phase, d.customer.Given, d.customer.Change = pos.PhaseChange, p.Given, p.Change
	}
}

func (d *Desk) cancel(by pos.Actor, do pos.CancelPayment) (pos.Answer, error) {
	s, err := d.find(do.Sale)
	if err != nil {
		return pos.Answer{}, err
	}
	p := s.Payment(do.Payment)
	if p == nil || p != s.OpenPayment() {
		return pos.Answer{}, pos.E("cancel payment", pos.Conflict, "that payment is not open any more")
	}
	switch {
	case do.Despite && !by.Role.Includes(pos.Manager):
		return pos.Answer{}, pos.E("cancel payment", pos.Forbidden, "a manager must decide this")
	case do.Despite && p.State == pos.Unknown:
		p.Aside, p.Again = true, false
	case d.silent || p.Offline && d.offline.rule != "":
		if p.State != pos.Unknown {
			d.must(p.Apply(pos.Doubt, d.Now()))
		}
		p.Again, d.customer = false, d.pictureOf(s)
		return pos.Answer{}, pos.E("cancel payment", pos.Unavailable, "the payment network does not answer: it is not known whether this was paid")
	default:
		d.must(p.Apply(pos.Cancel, d.Now()))
	}
	d.customer = d.pictureOf(s)
	return pos.Answer{Sale: s.ID, Payment: do.Payment}, nil
}

// Silence makes the node stop answering: a cancelled payment becomes unknown.
func (d *Desk) Silence(on bool) { d.change(func() { d.silent = on }) }

// Move lets the open payment of a sale see an event of its rail; empty is the
// current sale. It panics when there is none: the test is wrong.
func (d *Desk) Move(id pos.SaleID, ev pos.Event) {
	d.change(func() {
		s, err := d.find(id)
		d.must(err)
		p := s.OpenPayment()
		if p == nil {
			panic("webtest: the sale has no open payment")
		}
		d.must(p.Apply(ev, d.Now()))
		switch ev {
		case pos.Settle:
			p.Received = p.Quantity
			d.settled(s, *p)
		case pos.Expire, pos.Fail:
			d.customer = d.pictureOf(s)
			d.customer.Phase = pos.PhaseRefused
			d.customer.Reason = map[pos.Event]string{pos.Expire: "expired", pos.Fail: "failed"}[ev]
		default:
			if s.ID == d.current {
				d.customer = d.pictureOf(s)
			}
		}
	})
}

func (d *Desk) must(err error) {
	if err != nil {
		panic("webtest: " + err.Error())
	}
}
