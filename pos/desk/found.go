package desk

import (
	"errors"
	"math/big"

	"github.com/tillwright/tillwright/pos"
)

// found books a rail's answer about a payment. An answer that brings nothing new
// changes nothing.
func (d *Desk) found(c pos.Command, p pos.Payment, f pos.Finding) (pos.Answer, error) {
	return d.turn(c, func(t *turn) error {
		t.answer = pos.Answer{Sale: p.Sale, Payment: p.ID}
		p, err := d.o.Payments.Payment(p.ID)
		if err != nil && pos.KindOf(err) != pos.NotFound {
			return err
		}
		event, news, covered, before, astray := pos.Event(""), false, p.Covers(), p.Received, p.Stray
		trusted := p.OnTrust()
		if err == nil {
			t.was, f.Final = p.State, f.Final && !(trusted && d.elsewhere(p, f))
			event, news = learn(&p, f, t)
		}
		if !news { // another answer was booked before
			if c.Key != "" {
				t.keep() // a repeated command gets this answer again
			}
			return nil
		}
		t.astray = d.noteStray(&p, astray)
		switch {
		case event == gone:
			d.lose(t, p)
			return nil
		case event == back:
			return d.back(t, p)
		case event == again:
			return d.more(t, p, p.Received.Minus(before))
		case trusted && event == pos.Settle:
			return d.verified(t, p)
		case trusted && event == pos.Fail:
			return d.unpaid(t, p)
		case event == pos.Settle && covered:
			return d.proven(t, p)
		case event == pos.Settle:
			return d.settle(t, p)
		}
		t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, Event: event, By: t.by, Astray: t.astray})
		d.tellStray(t, p, f)
		if event == pos.Fail && p.Taken {
			d.refuted(t, p)
		}
		return nil
	})
}

// What learn may find besides events.
const (
	again pos.Event = "more came"
	gone  pos.Event = "the network took it back"
	back  pos.Event = "it is back"
)

// learn moves p by f. It returns the event that really happened, and whether
// anything is new at all.
func learn(p *pos.Payment, f pos.Finding, t *turn) (pos.Event, bool) {
	event, news := pos.Event(""), false
	for _, q := range []pos.Quantity{f.Received, f.Part} {
		if !q.IsZero() && !p.Quantity.IsZero() && q.Asset.ID != p.Quantity.Asset.ID {
			return "", false // units of something else: no answer that can be booked
		}
	}
	switch {
	case p.Lost && f.Final && f.Event == pos.Fail: // nobody can say more: it stays in doubt
		p.Final = true
		return "", true
	case p.Lost: // only its money takes it out of doubt
		if f.Event != pos.Settle || f.Received.Cmp(p.Received) < 0 || p.Apply(f.Event, t.at) != nil {
			return "", false
		}
		// What came beside it is found by the next look, like any other that comes on top.
		p.Lost, p.Aside, p.Final = false, false, f.Final && f.Received.Cmp(p.Received) == 0
		return back, true
	case f.Lost:
		return gone, p.Lose(t.at)
	case grown(p, f):
		p.Final = f.Final
		return again, true
	}
	if f.Event == pos.Settle && f.Received.IsZero() {
		return "", false // paid with nothing: no answer that can be booked
	}
	if p.Taken && (f.Event == pos.Cancel || f.Event == pos.Expire) {
		return "", false // the question was older than the code: the next one says that it was right
	}
	if f = lastWord(*p, f); f.Event != "" && p.Apply(f.Event, t.at) == nil {
		event, news = f.Event, true
		p.Why, p.Again = f.Why, false
	}
	if event == pos.Settle {
		if p.Offline { // only the rail knows at which rate it was sold
			p.Quantity, p.Rate = f.Asked, f.Rate
		}
		p.Received = f.Received
		p.Over = f.Received.Minus(p.Quantity)
		p.Aside, p.Part = false, pos.Quantity{}
		if p.Short = (pos.Quantity{}); f.Enough {
			p.Short = p.Quantity.Minus(f.Received)
		}
	}
	news = part(p, f) || news
	strayed := stray(p, f)
	news = news || strayed
	if !p.State.Open() {
		p.Forms = nil // they are in the record of the request
	}
	if f.Final && !p.Final && !p.State.Open() { // or the till would wait for ever, and ask nobody
		p.Final, news = true, true
	}
	return event, news
}

// settle books money that is the shop's now. It covers the part of the sale that
// it was asked for; when no open sale needs it, the owner owes a decision.
func (d *Desk) settle(t *turn, p pos.Payment) error {
	s, err := d.o.Sales.Sale(p.Sale)
	open := err == nil
	if err != nil && pos.KindOf(err) != pos.NotFound {
		return err
	}
	due := p.Amount
	if open {
		if due, err = s.Due(); err != nil {
			return err
		}
	}
	p.Refundable = !open
	asked := p.Amount
	if open && p.Late && d.lapsed(t, p) && d.reprice(&p) != nil { // nobody can say what it is worth
		p.Refundable, due = true, asked
	}
	covers(&p, due)
	if p.Amount.Minor < asked.Minor && d.tender[p.Tender].Token != "" {
		p.Asked = asked // the rest may still come
	}
	d.owe(&p)
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, Event: pos.Settle, By: t.by})
	t.notice = d.settleNotice(t, p, s)
	if !open {
		return nil
	}
	return d.cover(t, s, p) // one that a manager must decide about covers nothing
}

// proven books the money behind a payment that a code had proven. What it covers
// does not change any more; the rest of what the customer paid is over.
func (d *Desk) proven(t *turn, p pos.Payment) error {
	told := p.Asked.Minor > p.Amount.Minor // when the code was typed
	if due := p.Amount; told {
		p.Amount = p.Asked
		covers(&p, due)
		p.Amount = due
	}
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, Event: pos.Settle, By: t.by})
	if !told && !p.Over.IsZero() {
		t.notice = d.overNotice(p, p.Over.String())
	}
	return nil
}

// overNotice says that the customer of an offline payment paid over more than was due.
func (d *Desk) overNotice(p pos.Payment, over string) *pos.Notice {
	text := pos.Word(d.o.Shop.Language, "notice_over", "over", over, "ref", pos.CounterRef(p.Counter))
	return &pos.Notice{Kind: pos.NoticeOver, Sale: p.Sale, Text: text}
}

// covers lowers the part of the sale that p pays for when less arrived than was
// asked, rounded down, or when less is due by now: then the rest is over.
func covers(p *pos.Payment, due pos.Amount) {
	asked, got := costs(*p).Int(), p.Received.Int()
	got.Add(got, p.Short.Int()) // what is forgiven counts as if it had come
	if asked.Sign() > 0 && got.Cmp(asked) < 0 {
		part := new(big.Int).Mul(big.NewInt(p.Amount.Minor), got)
		p.Amount.Minor = part.Quo(part, asked).Int64() // below the old Minor: it fits
	}
	capTo(p, due)
}

// capTo lowers the part of the sale that p pays for to what is due: the rest is over.
func capTo(p *pos.Payment, due pos.Amount) {
	got := p.Received.Int()
	if p.Amount.Minor <= due.Minor {
		return
	}
	over := new(big.Int).Mul(got, big.NewInt(p.Amount.Minor-due.Minor))
	if over, err := p.Received.Asset.Units(over.Quo(over, big.NewInt(p.Amount.Minor))); err == nil && over.Cmp(p.Over) > 0 {
		p.Over = over
	}
	p.Amount.Minor = due.Minor
}

// settleNotice says what a person should know about money that came by itself.
func (d *Desk) settleNotice(t *turn, p pos.Payment, s pos.Sale) *pos.Notice {
	lang := d.o.Shop.Language
	n := &pos.Notice{Sale: p.Sale}
	with := []string{"amount", p.Amount.String(), "ref", s.Ref}
	switch {
	case p.Refundable && s.ID != "":
		n.Kind, n.Text = pos.NoticeTrouble, pos.Word(lang, "notice_late_unpriced", "received", p.Received.String(), "ref", s.Ref)
	case p.Refundable:
		*n = d.refundNotice(p)
	case p.Late && !p.Price.IsZero() && p.Asked.Minor > p.Amount.Minor:
		n.Kind, n.Text = pos.NoticeLate, pos.Word(lang, "notice_late_less", append(with, "received", p.Received.String())...)
	case p.Late:
		n.Kind, n.Text = pos.NoticeLate, pos.Word(lang, "notice_late", with...)
	case !p.Over.IsZero():
		n.Kind, n.Text = pos.NoticeOver, pos.Word(lang, "notice_over", "over", p.Over.String(), "ref", s.Ref)
	case t.books.Current != p.Sale:
		n.Kind, n.Text = pos.NoticePaid, pos.Word(lang, "notice_paid", with...)
	default:
		return nil
	}
	return n
}

// refundNotice says that the owner owes a customer a decision.
func (d *Desk) refundNotice(p pos.Payment) pos.Notice {
	text := pos.Word(d.o.Shop.Language, "notice_refund_due", "amount", p.Amount.String(), "received", p.Received.String())
	return pos.Notice{Kind: pos.NoticeDouble, Sale: p.Sale, Text: text}
}

// message returns what a cashier may read of err.
func message(err error) string {
	if e, ok := errors.AsType[*pos.Error](err); ok && e.Msg != "" {
		return e.Msg
	}
	return "the till has a fault; call the shop's support"
}
