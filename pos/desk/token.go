package desk

import (
	"math/big"

	"github.com/tillwright/tillwright/pos"
)

// What only tokens do: money comes to an address in parts, after the sale is complete,
// and may be taken back by the network.

// part notes that some of what was asked for is certain to have come. The request for
// the rest is durable before it is shown. It reports whether that is news.
func part(p *pos.Payment, f pos.Finding) bool {
	if p.State != pos.Seen || f.Part.IsZero() || f.Rest == nil || len(f.Rest.Forms) == 0 || f.Part.Cmp(p.Quantity) >= 0 || f.Part.Cmp(p.Part) == 0 {
		return false
	}
	if checkForms(f.Rest.Forms, func() error { return errNotUnderWay }) != nil {
		return false
	}
	p.Part, p.Forms, p.Payload = f.Part, f.Rest.Forms, f.Rest.Forms[0].Payload
	return true
}

// grown reports that more came for a payment that is settled, and notes how much.
func grown(p *pos.Payment, f pos.Finding) bool {
	if p.State != pos.Settled || p.Received.IsZero() || f.Received.Asset.ID != p.Received.Asset.ID || f.Received.Cmp(p.Received) <= 0 {
		return false
	}
	if p.Received, p.Short = f.Received, (pos.Quantity{}); f.Enough {
		p.Short = p.Quantity.Minus(f.Received)
	}
	return true
}

// stray notes money that came instead of what was asked for: somebody must decide about
// it. It reports whether that is news.
func stray(p *pos.Payment, f pos.Finding) bool {
	same := f.Stray.Asset.ID == p.Stray.Asset.ID && f.Stray.Cmp(p.Stray) == 0
	if f.Stray.IsZero() || same {
		return false
	}
	p.Stray, p.Why, p.Owed = f.Stray, f.Why, true
	return true
}

// tellStray says that other money came than was asked for.
func (d *Desk) tellStray(t *turn, p pos.Payment, f pos.Finding) {
	if !p.Owed || f.Stray.IsZero() {
		return
	}
	ref := ""
	if s, err := d.o.Sales.Sale(p.Sale); err == nil {
		ref = s.Ref
	}
	t.notice = &pos.Notice{Kind: pos.NoticeTrouble, Sale: p.Sale, Text: pos.Word(d.o.Shop.Language, "notice_wrong_money", "ref", ref, "why", p.Why)}
}

// beside reports that what the owner owes for p is not the price of its sale.
func beside(p pos.Payment) bool { return p.Owed && !p.Refundable }

// cameBeside is what a decision about p is about.
func cameBeside(p pos.Payment) string {
	over, stray := p.Over.Minus(p.OverBack), p.Stray
	if stray.Asset.ID == p.StrayBack.Asset.ID {
		stray = stray.Minus(p.StrayBack)
	}
	switch {
	case stray.IsZero():
		return over.String()
	case over.IsZero():
		return stray.String()
	}
	return over.String() + " + " + stray.String()
}

// giveBeside ends the debt about money beside a sale's own: the payment goes on, the
// sale stays as it is.
func (d *Desk) giveBeside(t *turn, p pos.Payment, do pos.Decide) error {
	if do.As != pos.GivenBack {
		return pos.E("decide", pos.Conflict, "its sale does not need this money; it can only be given back, or kept with a note that says why")
	}
	r := pos.RefundDecided{Payment: p.ID, As: do.As, Note: do.Note, Amount: p.Amount.Currency.Zero(), Beside: true, By: t.by}
	if now, err := d.o.Payments.Payment(p.ID); err == nil { // it is still watched: more of it is another debt
		now.Owed, now.OverBack, now.StrayBack = false, p.Over, p.Stray
		t.record(pos.KindPayment, pos.PaymentMoved{Payment: now, By: t.by})
	}
	t.answer = pos.Answer{Payment: p.ID}
	t.record(pos.KindRefundDecided, r)
	return nil
}

// more books what came on top. It pays for what the payment was asked for and is not
// paid yet; the rest is over.
func (d *Desk) more(t *turn, p pos.Payment, came pos.Quantity) error {
	s, err := d.o.Sales.Sale(p.Sale)
	open := err == nil
	if err != nil && pos.KindOf(err) != pos.NotFound {
		return err
	}
	asked := p.Amount
	if p.Asked.Minor > asked.Minor {
		asked = p.Asked
	}
	paid := p.Amount
	if p.Over = p.Received.Minus(shareOf(p, asked, paid)); open && !p.Refundable {
		due, err := s.Due()
		if err != nil {
			return err
		}
		due.Minor += paid.Minor // it is among the payments already
		p.Over = p.Received.Minus(p.Quantity)
		p.Amount = asked
		covers(&p, due)
	}
	d.owe(&p)
	part := p.Amount.Currency.Of(p.Amount.Minor - paid.Minor)
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, More: came, MoreFor: part, By: t.by})
	t.notice = &pos.Notice{Kind: pos.NoticeOver, Sale: p.Sale, Text: pos.Word(d.o.Shop.Language, "notice_more", "received", p.Received.String(), "amount", p.Amount.String())}
	if p.Refundable || !open {
		return nil
	}
	return d.cover(t, s, p)
}

// shareOf returns which part of p's quantity pays for paid, when all of it pays for
// asked; rounded down.
func shareOf(p pos.Payment, asked, paid pos.Amount) pos.Quantity {
	if p.Refundable || asked.Minor <= 0 {
		return p.Quantity
	}
	n := new(big.Int).Mul(p.Quantity.Int(), big.NewInt(paid.Minor))
	q, err := p.Quantity.Asset.Units(n.Quo(n, big.NewInt(asked.Minor)))
	if err != nil { // it is at most Quantity
		return p.Quantity
	}
	return q
}

// owe opens a refund ticket for what is over, when it is worth something: nobody sends
// a token back by himself.
func (d *Desk) owe(p *pos.Payment) {
	if d.tender[p.Tender].Token == "" || p.Refundable || p.Over.IsZero() || p.Quantity.IsZero() {
		return
	}
	over := p.Over.Minus(p.OverBack)
	worth := new(big.Int).Mul(over.Int(), big.NewInt(max(p.Amount.Minor, p.Asked.Minor)))
	p.Owed = p.Owed || worth.Quo(worth, p.Quantity.Int()).Sign() > 0
}

// lose books that the network took a settled payment back. The sale is not changed; an
// open one needs the money again.
func (d *Desk) lose(t *turn, p pos.Payment) {
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, Event: pos.Doubt, By: t.by})
	text := pos.Word(d.o.Shop.Language, "notice_lost", "amount", p.Amount.String(), "received", p.Received.String(), "tender", d.nameOf(p))
	t.notice = &pos.Notice{Kind: pos.NoticeTrouble, Sale: p.Sale, Text: text}
}

// nameOf names what a payment was made with, for people.
func (d *Desk) nameOf(p pos.Payment) string {
	if p.Network != "" {
		return p.Network
	}
	return string(p.Tender)
}

// back books that a payment which the network had taken back is there again: it is as
// it was, and nothing is counted twice.
func (d *Desk) back(t *turn, p pos.Payment) error {
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, By: t.by})
	text := pos.Word(d.o.Shop.Language, "notice_back", "amount", p.Amount.String(), "tender", d.nameOf(p))
	t.notice = &pos.Notice{Kind: pos.NoticePaid, Sale: p.Sale, Text: text}
	s, err := d.o.Sales.Sale(p.Sale)
	switch {
	case pos.KindOf(err) == pos.NotFound && err != nil:
		return nil // complete, or given up: what it was, it is
	case err != nil:
		return err
	}
	return d.cover(t, s, p)
}

// cover puts p into its open sale and completes that if it is paid now.
func (d *Desk) cover(t *turn, s pos.Sale, p pos.Payment) error {
	if known := s.Payment(p.ID); known != nil {
		*known = p
	} else {
		s.Payments = append(s.Payments, p)
	}
	return d.completeIfPaid(t, s)
}
