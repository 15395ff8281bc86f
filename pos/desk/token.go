package desk

import (
	"cmp"
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
	forgiven := !p.Short.IsZero() // and paid for its part: that does not shrink when more comes
	if p.Received, p.Short = f.Received, (pos.Quantity{}); f.Enough || forgiven {
		p.Short = p.Quantity.Minus(f.Received)
	}
	return true
}

// beside reports that what the owner owes for p is not the price of its sale, or that
// the price was decided about before.
func beside(p pos.Payment) bool { return p.Owed && (!p.Refundable || decidedBefore(p)) }

// decidedBefore reports that a payment which no sale needed was given back: more of it
// is another debt.
func decidedBefore(p pos.Payment) bool { return p.Refundable && !p.OverBack.IsZero() }

// strayLeft is what came astray for p and nobody has decided about.
func strayLeft(p pos.Payment) pos.Quantity {
	if p.Stray.Asset.ID == p.StrayBack.Asset.ID {
		return p.Stray.Minus(p.StrayBack)
	}
	return p.Stray
}

// cameFor is what a decision about p is about: for people, and exactly.
func cameFor(p pos.Payment) (came, exact string) {
	if !beside(p) {
		return p.Received.String(), p.Received.Exact()
	}
	over, stray := p.Over.Minus(p.OverBack), strayLeft(p)
	switch {
	case stray.IsZero():
		return over.String(), over.Exact()
	case over.IsZero():
		return stray.String(), stray.Exact()
	}
	return over.String() + " + " + stray.String(), over.Exact() + " + " + stray.Exact()
}

// giveBeside ends the debt about money beside a sale's own: the payment goes on, the
// sale stays as it is, unless a manager lets money that came astray pay for it.
func (d *Desk) giveBeside(t *turn, p pos.Payment, do pos.Decide) error {
	now, err := d.o.Payments.Payment(p.ID)
	if do.As == pos.AsSale && p.Astray() {
		if err == nil {
			p = now
		}
		if err := d.takeAstray(t, p, do); err != nil {
			return err
		}
		d.untellStray(p)
		return nil
	}
	if do.As != pos.GivenBack {
		return pos.E("decide", pos.Conflict, "its sale does not need this money; it can only be given back, or kept with a note that says why")
	}
	r := pos.RefundDecided{Payment: p.ID, As: do.As, Note: do.Note, Amount: p.Amount.Currency.Zero(), Beside: true, By: t.by, Read: do.Came}
	if p.Astray() {
		d.untellStray(p)
		r.Came, r.Network = strayLeft(p), p.StrayOn
	}
	if p.ID.Unasked() {
		r.Came, r.Network, r.Unasked = p.Over, p.Network, true
	}
	if err == nil { // it is still watched: more of it is another debt
		now.Owed, now.OverBack, now.StrayBack = false, p.Over, p.Stray
		if p.Astray() && now.State == pos.Unknown && !now.Covers() { // a manager has decided: the customer pays otherwise
			now.Aside, now.Again = true, false
		}
		t.record(pos.KindPayment, pos.PaymentMoved{Payment: now, By: t.by})
	}
	t.answer = pos.Answer{Sale: p.Sale, Payment: p.ID}
	t.record(pos.KindRefundDecided, r)
	return nil
}

// giveBack ends the debt about money that no sale needed. While the payment is still
// watched, that is noted in it too: what its network says later must not make it a debt
// once more.
func (d *Desk) giveBack(t *turn, p pos.Payment, do pos.Decide) error {
	t.answer = pos.Answer{Sale: p.Sale, Payment: p.ID}
	t.decided(p, pos.RefundDecided{As: do.As, Note: do.Note, Read: do.Came})
	now, err := d.o.Payments.Payment(p.ID)
	switch {
	case pos.KindOf(err) == pos.NotFound && err != nil, err == nil && now.Offline:
		return nil
	case err != nil:
		return err
	}
	now.Over, now.OverBack, now.Owed = now.Received, now.Received, !strayLeft(now).IsZero()
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: now, By: t.by})
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
	paid, over := p.Amount, p.Over
	if p.Over = p.Received.Minus(shareOf(p, asked, paid)); !p.Price.IsZero() && !p.Refundable {
		p.Over = plus(over, came)
	}
	switch {
	case decidedBefore(p):
		p.Over = p.Received
	case open && !p.Refundable:
		due, err := s.Due()
		if err != nil {
			return err
		}
		if d.lapsed(t, p) {
			p.Over = over
			d.topUp(&p, came, asked, due)
			break
		}
		due.Minor += paid.Minor // it is among the payments already
		p.Over = p.Received.Minus(p.Quantity)
		p.Amount = asked
		covers(&p, due)
	case p.Unverified && !p.Refundable:
		// Taken by the customer's word, and short: what was missing comes first.
		if sold := d.soldFor(p); sold.Minor > paid.Minor {
			p.Over, p.Amount = p.Received.Minus(p.Quantity), asked
			covers(&p, sold)
		}
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
	if d.tender[p.Tender].Token == "" || (p.Refundable && !decidedBefore(*p)) || p.Over.IsZero() || p.Quantity.IsZero() {
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
// it was, and nothing is counted twice. What its sale does not need any more, because the
// counter went on without it, the owner owes.
func (d *Desk) back(t *turn, p pos.Payment) error {
	s, err := d.o.Sales.Sale(p.Sale)
	open := err == nil
	if err != nil && pos.KindOf(err) != pos.NotFound {
		return err
	}
	needed, asked := p.Amount, p.Amount
	if open {
		if needed, err = s.Due(); err != nil {
			return err
		}
	} else if !p.Refundable {
		needed = d.soldFor(p)
	}
	if capTo(&p, needed); p.Amount.Minor < asked.Minor {
		p.Asked.Minor, p.Asked.Currency = max(p.Asked.Minor, asked.Minor), asked.Currency
	}
	d.owe(&p)
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, By: t.by})
	text := pos.Word(d.o.Shop.Language, "notice_back", "amount", asked.String(), "tender", d.nameOf(p))
	if t.notice = (&pos.Notice{Kind: pos.NoticePaid, Sale: p.Sale, Text: text}); p.Owed {
		came, _ := cameFor(p)
		t.notice.Kind, t.notice.Text = pos.NoticeOver, text+" "+pos.Word(d.o.Shop.Language, "notice_over", "over", came, "ref", s.Ref)
	}
	if !open {
		return nil
	}
	return d.cover(t, s, p)
}

// soldFor returns what p paid for when its sale was completed; zero: nothing.
func (d *Desk) soldFor(p pos.Payment) pos.Amount {
	f, err := d.o.Sales.Filed(p.Sale)
	if err != nil {
		return p.Amount.Currency.Zero()
	}
	v, err := d.completedView(f)
	if err != nil { // a damaged record: nobody owes by a guess, and the notice is read
		return p.Amount
	}
	if known := v.Payment(cmp.Or(p.Proves, p.ID)); known != nil && known.Covers() {
		return known.Amount
	}
	return p.Amount.Currency.Zero()
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
