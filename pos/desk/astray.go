package desk

import (
	"cmp"
	"context"
	"math/big"
	"slices"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// Money that came astray: on another network than asked for, or of another token. It lies
// at an address of the shop's own. What becomes of it a manager decides, and nobody else:
// it is given back, or what was asked for, on another network, pays for its sale after all.

// stray notes money that came instead of what was asked for: somebody must decide about
// it. It reports whether that is news. What a manager has made a payment of is that
// payment's.
func stray(p *pos.Payment, f pos.Finding) bool {
	same := f.Stray.Asset.ID == p.Stray.Asset.ID
	if f.Stray.IsZero() || same && f.Stray.Cmp(p.Stray) == 0 {
		return false
	}
	done, past := decidedStray(*p, f.Stray.Asset)
	if done.In != "" || !done.Back.IsZero() && f.Stray.Cmp(done.Back) <= 0 || len(past) > pos.MaxStrayPast {
		return false
	}
	p.Stray, p.Why, p.Owed = f.Stray, f.Why, true
	p.StrayBack, p.StrayIn, p.StrayPast = done.Back, done.In, past
	return true
}

// decidedStray returns what was decided about what came astray of an asset, and what was
// about all others.
func decidedStray(p pos.Payment, a pos.Asset) (of pos.StrayPast, others []pos.StrayPast) {
	all := slices.Clone(p.StrayPast)
	if !p.StrayBack.IsZero() {
		all = append(all, pos.StrayPast{Back: p.StrayBack, In: p.StrayIn})
	}
	for _, x := range all {
		if x.Back.Asset.ID == a.ID {
			of = x
		} else {
			others = append(others, x)
		}
	}
	return of, others
}

// noteStray says in p where what came astray is, and returns what is new of it.
func (d *Desk) noteStray(p *pos.Payment, before pos.Quantity) pos.Quantity {
	switch {
	case p.Stray.Asset.ID != before.Asset.ID:
		p.StrayOn = ""
		if t, ok := d.takes(p.Stray.Asset); ok {
			p.StrayOn = pos.Word(d.o.Shop.Language, "evm_on", "token", t.Token, "chain", t.Chain)
		}
		return strayLeft(*p)
	case p.Stray.Cmp(before) > 0:
		return p.Stray.Minus(before)
	}
	return pos.Quantity{}
}

// takes returns the tender that moves a token.
func (d *Desk) takes(a pos.Asset) (Tender, bool) {
	for _, t := range d.o.Tenders {
		if t.Token != "" && t.Rail.Health().Asset.ID == a.ID {
			return t, true
		}
	}
	return Tender{}, false
}

// tellStray says that other money came than was asked for.
func (d *Desk) tellStray(t *turn, p pos.Payment, f pos.Finding) {
	if !p.Owed || f.Stray.IsZero() || t.astray.IsZero() {
		return
	}
	ref := ""
	if s, err := d.o.Sales.Sale(p.Sale); err == nil {
		ref = s.Ref
	}
	t.notice = &pos.Notice{Kind: pos.NoticeTrouble, Sale: p.Sale, Text: pos.Word(d.o.Shop.Language, "notice_wrong_money", "ref", ref, "why", p.Why)}
}

// untellStray takes away what was told of money that somebody has decided about.
func (d *Desk) untellStray(p pos.Payment) {
	d.notices = slices.DeleteFunc(slices.Clone(d.notices), func(n pos.Notice) bool {
		return n.Sale == p.Sale && n.Kind == pos.NoticeTrouble && p.Why != "" && strings.HasSuffix(n.Text, p.Why)
	})
}

// mayTake returns the tender by which a manager may take what came astray as payment: it
// is the token that was asked for, on another network that the till takes it on, as much
// as was asked for, and nothing was decided about it. What was taken by the customer's word
// it proves.
func (d *Desk) mayTake(p pos.Payment) (Tender, bool) {
	asked := d.tender[p.Tender]
	if asked.Token == "" || p.Offline || !p.Astray() || p.State == pos.Settled || p.Lost || !p.Part.IsZero() {
		return Tender{}, false
	}
	if !p.StrayBack.IsZero() && p.StrayBack.Asset.ID == p.Stray.Asset.ID {
		return Tender{}, false
	}
	other, ok := d.takes(p.Stray.Asset)
	if !ok || other.Token != asked.Token || other.Name == asked.Name || p.Quantity.IsZero() {
		return Tender{}, false
	}
	need, ok := inAsset(p.Quantity, p.Stray.Asset)
	return other, ok && p.Stray.Cmp(need) >= 0
}

// inAsset returns q, rounded up, in another asset whose whole units are worth the same.
func inAsset(q pos.Quantity, a pos.Asset) (pos.Quantity, bool) {
	n, step := q.Int(), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(a.Decimals-q.Asset.Decimals, q.Asset.Decimals-a.Decimals))), nil)
	if a.Decimals >= q.Asset.Decimals {
		n.Mul(n, step)
	} else {
		n.Add(n, step).Sub(n, big.NewInt(1)).Quo(n, step)
	}
	out, err := a.Units(n)
	return out, err == nil
}

// rateIn is r for a, whose whole units are worth the same as those of r's.
func rateIn(r pos.Rate, a pos.Asset) *pos.Rate {
	ten := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	r.Units = new(big.Rat).Mul(r.Units, new(big.Rat).SetFrac(ten(a.Decimals), ten(r.To.Decimals)))
	r.To = a
	return &r
}

// waits returns the sale that needs p's money: its own, while that is open; also a complete
// one, when it rests on the customer's word; or, when it was given up, none, and fresh tells
// that its lines can be sold after all.
func (d *Desk) waits(p pos.Payment) (s pos.Sale, fresh, ok bool) {
	if p.OnTrust() {
		s, ok = d.restsOn(p)
		return s, false, ok
	}
	s, err := d.o.Sales.Sale(p.Sale)
	if err == nil {
		due, err := s.Due()
		return s, false, err == nil && due.Minor > 0
	}
	_, ok = d.givenUp(p)
	return pos.Sale{}, true, ok
}

// restsOn returns the sale, open or as it was completed, of which p pays a part by the
// customer's word alone. A record that is damaged has none.
func (d *Desk) restsOn(p pos.Payment) (pos.Sale, bool) {
	s, err := d.o.Sales.Sale(p.Sale)
	if err != nil && pos.KindOf(err) == pos.NotFound {
		var f pos.Filed
		if f, err = d.o.Sales.Filed(p.Sale); err == nil {
			var v pos.SaleView
			v, err = d.completedView(f)
			s = v.Sale
		}
	}
	known := s.Payment(p.ID)
	return s, err == nil && known != nil && known.OnTrust()
}

// takeAstray makes what came astray a payment of its sale. The one that was asked for stays
// what it is, and is set aside: its own money may still come. When that covered its part by
// the customer's word, the new one covers it instead, and the sale is not changed.
func (d *Desk) takeAstray(t *turn, p pos.Payment, do pos.Decide) error {
	other, ok := d.mayTake(p)
	s, fresh, waits := d.waits(p)
	switch {
	case !ok || !waits:
		return pos.E("decide", pos.Conflict, "%s", pos.Word(d.o.Shop.Language, "astray_only_back"))
	case !p.Final && (!names(t.seen, p.Stray) || !other.Rail.Health().Ready):
		return pos.E("decide", pos.Unavailable, "the network does not say now that this money is there; look again in a moment")
	}
	trusted := p.OnTrust()
	if open := s.OpenPayment(); open != nil && open.ID != p.ID && !trusted {
		return pos.E("decide", pos.Conflict, "another payment for sale %s is under way; cancel it first", s.Ref)
	}
	var due pos.Amount
	var err error
	switch {
	case trusted:
		due = p.Amount
	case fresh:
		s, due, err = d.resell(t, p)
	default:
		due, err = s.Due()
	}
	if err != nil {
		return err
	}
	taken, err := d.asTaken(t, s, p, other, due)
	if err != nil {
		return err
	}
	if fresh {
		p.Charged = 0 // its own money sells nothing any more
	}
	p.Owed, p.Aside, p.Again, p.StrayBack, p.StrayIn = false, p.State.Open(), false, p.Stray, taken.ID
	p.Unverified = p.Unverified && !trusted
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, By: t.by})
	t.record(pos.KindRefundDecided, pos.RefundDecided{
		Payment: p.ID, As: pos.AsSale, Sale: s.ID, Amount: taken.Amount, Note: cmp.Or(do.Note, p.Why), Beside: true, By: t.by, Read: do.Came,
		Came: p.Stray, Network: taken.Network, Into: taken.ID,
	})
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: taken, Event: pos.Settle, By: t.by})
	if known := s.Payment(p.ID); known != nil {
		*known = p
	}
	t.answer, t.watch = pos.Answer{Sale: s.ID, Payment: taken.ID}, taken.ID
	if s.State == pos.Completed {
		return nil
	}
	s.Payments = append(s.Payments, taken)
	if fresh {
		return d.endResale(t, s)
	}
	return d.completeIfPaid(t, s)
}

// soldAlready notes at the other payments of p's sale, which was given up, that its lines are
// sold by now: their money sells them no second time.
func (d *Desk) soldAlready(t *turn, p pos.Payment) error {
	owed, err := d.o.Payments.Refunds()
	if err != nil {
		return err
	}
	watched, err := d.o.Payments.Watched()
	if err != nil {
		return err
	}
	done := map[pos.PaymentID]bool{p.ID: true}
	for i, o := range slices.Concat(watched, owed) { // what is watched is the newer word
		if done[o.ID] || o.Sale != p.Sale || o.Charged == 0 {
			continue
		}
		decided := i < len(watched) && !slices.ContainsFunc(owed, func(x pos.Payment) bool { return x.ID == o.ID })
		if decided && o.Refundable { // a record of it would make it a debt once more
			continue
		}
		done[o.ID], o.Charged = true, 0
		t.record(pos.KindPayment, pos.PaymentMoved{Payment: o, By: t.by})
	}
	return nil
}

// decideNow asks p's rail once more before what came astray is taken as payment: the
// network may have taken it back since. It blocks no other command.
func (d *Desk) decideNow(ctx context.Context, c pos.Command, do pos.Decide) (pos.Answer, error) {
	var seen pos.Finding
	p, err := d.o.Payments.Payment(do.Payment)
	if rail := d.checker(p); err == nil && p.Astray() && rail != nil {
		ctx, stop := context.WithTimeout(ctx, checkWithin)
		defer stop()
		if seen, err = rail.Check(ctx, p); err != nil { // then it names nothing
			d.o.Log.Warn("money astray not known", "sale", p.Sale, "rail", p.Tender, "err", err)
			seen = pos.Finding{}
		}
	}
	return d.turn(c, func(t *turn) error {
		t.seen = seen
		return d.handle(t, do)
	})
}

// names reports that f says that at least q came astray.
func names(f pos.Finding, q pos.Quantity) bool {
	return f.Stray.Asset.ID == q.Asset.ID && f.Stray.Cmp(q) >= 0
}

// forget ends what is kept of this moment about a payment that nobody watches any more.
func (d *Desk) forget(id pos.PaymentID) {
	d.noteUnsure(pos.Payment{ID: id}, nil)
	d.noteNamed(pos.Payment{ID: id}, pos.Finding{})
}

// noteNamed keeps whether a rail still names what came astray for p. It is of this moment:
// no record has it. Screens are told of a change at once.
func (d *Desk) noteNamed(p pos.Payment, f pos.Finding) {
	d.mu.Lock()
	defer d.mu.Unlock()
	lacks := p.Astray() && !names(f, p.Stray)
	if d.unnamed[p.ID] == lacks {
		return
	}
	if delete(d.unnamed, p.ID); lacks {
		d.unnamed[p.ID] = true
	}
	if d.broken == nil {
		at, _ := d.o.Now()
		d.publish(at)
	}
}

// asTaken is the payment that what came astray for p becomes: at its own tender, and
// watched there.
func (d *Desk) asTaken(t *turn, s pos.Sale, p pos.Payment, other Tender, due pos.Amount) (pos.Payment, error) {
	n, asked := len(s.Payments)+1, p.Amount
	if p.Asked.Minor > asked.Minor {
		asked = p.Asked
	}
	out := pos.Payment{
		Sale: s.ID, Tender: other.Name, State: pos.Intended, Amount: asked, Unverified: p.OnTrust(),
		At: t.at, Received: p.Stray, Reference: p.Reference, Network: p.StrayOn, Charged: s.Charged,
	}
	if s.State == pos.Completed { // its record holds no more payments: each of them has one number behind theirs
		n, out.Proves = len(s.Payments)+p.Attempt, p.ID
	}
	out.ID, out.Attempt = pos.PaymentIDOf(s.ID, n), n
	out.Quantity, _ = inAsset(p.Quantity, p.Stray.Asset) // mayTake did it before
	if p.Rate != nil {
		out.Rate = rateIn(*p.Rate, p.Stray.Asset)
	}
	out.Over = out.Received.Minus(out.Quantity)
	covers(&out, due)
	if out.Amount.Minor < asked.Minor {
		out.Asked = asked
	}
	d.owe(&out)
	return out, out.Apply(pos.Settle, t.at)
}
