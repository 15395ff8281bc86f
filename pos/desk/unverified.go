package desk

import (
	"context"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// What a tender does whose network does not answer, where the owner allows it: the
// request is made all the same, and somebody takes the customer's word that he paid. The
// sale goes on, the payment is unknown until the network confirms or refutes it, and
// nothing here calls it paid before. Limits bound the shop's loss; they count all such
// tenders together, for their customers are the same.

// Unseen is a rail that can ask for money while its network does not answer.
type Unseen interface {
	// Cut says whether the network cannot be reached, and nothing else is wrong with it.
	// why says, in a cashier's words, what keeps a request from being made all the same;
	// empty: nothing. It does not block.
	Cut() (cut bool, why string)
	// AskOffline makes p's request as Rail.Ask does, without asking the network: what it
	// would have said is found out before the payment counts. It may be repeated.
	AskOffline(ctx context.Context, p pos.Payment) (pos.Asked, error)
}

// onTrust sums up what was taken by customers' word and is not confirmed, of all tenders.
// What the network took back again is among it: it is no more certain.
func (d *Desk) onTrust() (unproven, error) {
	var u unproven
	ps, err := d.o.Payments.Watched()
	for _, p := range ps {
		if !p.Unverified || !p.State.Open() {
			continue
		}
		u.sales, u.minor = u.sales+1, u.minor+p.Amount.Minor // each is at most MaxSale, and limits bound their number
		if u.oldest.IsZero() || p.At.Before(u.oldest) {
			u.oldest = p.At
		}
	}
	return u, err
}

// unseenShown is what other open sales ask for without the network: each customer may
// pay, and then nobody is turned away.
func (d *Desk) unseenShown(but pos.Payment) (unproven, error) {
	var u unproven
	ps, err := d.o.Payments.Watched()
	for _, p := range ps {
		if p.Sale != but.Sale && p.Blind && p.State.Open() && !p.Covers() && !p.Aside && !p.Lost && !d.over(p.Sale) {
			u.sales, u.minor = u.sales+1, u.minor+p.Amount.Minor
		}
	}
	return u, err
}

// unseenView says whether t could be taken now though its network does not answer, and
// how far the limits are used up. d.mu is held.
func (d *Desk) unseenView(t Tender, b pos.Books, at time.Time) (pos.OfflineView, error) {
	cut, why := t.Unseen.Cut()
	h := t.Rail.Health()
	if !t.trusts() || (!h.Ready && !cut) {
		return pos.OfflineView{}, nil
	}
	u, err := d.onTrust()
	if err != nil {
		return pos.OfflineView{}, err
	}
	c := d.o.Shop.Currency
	v := pos.OfflineView{
		Manager: t.Rule == pos.PreferOnline, Sales: u.sales, Amount: c.Of(u.minor), Oldest: u.oldest,
		PerSale: c.Of(t.Limits.PerSale), Total: c.Of(t.Limits.Total), Most: t.Limits.Sales, Why: why,
	}
	if _, err := d.o.Rates.Rate(h.Asset); err != nil { // nothing is sold without a price
		v.Why = message(err)
	}
	if off, ok := b.Distrust[t.Name]; ok {
		v.Off, v.Why = off.Why, pos.Word(d.o.Shop.Language, "unverified_off")
	}
	if v.Why == "" {
		v.Why = d.trustFull(t, u, at)
	}
	return v, nil
}

// trusts reports that the owner lets t be taken by customers' word.
func (t Tender) trusts() bool { return t.Rule == pos.AllowOffline || t.Rule == pos.PreferOnline }

// trustFull says which limit is reached already, in a cashier's words; empty: none.
func (d *Desk) trustFull(t Tender, u unproven, at time.Time) string {
	switch {
	case u.sales >= t.Limits.Sales, u.minor >= t.Limits.Total:
		return pos.Word(d.o.Shop.Language, "unverified_full", "amount", d.o.Shop.Currency.Of(u.minor).String())
	case u.sales > 0 && at.Sub(u.oldest).Abs() >= t.Limits.Age: // a clock set back is no excuse
		return pos.Word(d.o.Shop.Language, "unverified_old")
	}
	return ""
}

// mayAskUnseen fails unless p may be asked for though the network does not answer, which
// why tells of.
func (d *Desk) mayAskUnseen(t *turn, tender Tender, p pos.Payment, why error) error {
	v, err := d.unseenView(tender, t.books, t.at)
	switch {
	case err != nil:
		return err
	case v == pos.OfflineView{}:
		return why
	case v.Why != "":
		return pos.E("pay", pos.Unavailable, "%s %s", message(why), v.Why)
	}
	out, err := d.unseenShown(p)
	if err != nil {
		return err
	}
	return d.withinTrust(t, tender, p, out)
}

// withinTrust fails unless the tender's rule and limits let t.by take p by the customer's
// word, when others may be taken so, too.
func (d *Desk) withinTrust(t *turn, tender Tender, p pos.Payment, others unproven) error {
	u, err := d.onTrust()
	if err != nil {
		return err
	}
	in, err := d.trustedIn(p)
	if err != nil {
		return err
	}
	lang, limits, waits := d.o.Shop.Language, tender.Limits, u.minor+others.minor
	switch full := d.trustFull(tender, u, t.at); {
	case tender.Rule == pos.PreferOnline && !t.by.Role.Includes(pos.Manager):
		return pos.E("pay", pos.Forbidden, "%s", pos.Word(lang, "offline_manager"))
	case full != "":
		return pos.E("pay", pos.Conflict, "%s", full)
	case p.Amount.Minor > limits.PerSale-in:
		return pos.E("pay", pos.Conflict, "%s", pos.Word(lang, "offline_per_sale", "amount", p.Amount.Currency.Of(limits.PerSale).String()))
	case p.Amount.Minor > limits.Total-waits, u.sales+others.sales >= limits.Sales:
		return pos.E("pay", pos.Conflict, "%s", pos.Word(lang, "unverified_full", "amount", p.Amount.Currency.Of(waits).String()))
	}
	return nil
}

// trustedIn is what other payments of p's sale were taken for by the customer's word,
// refuted ones too: the limit is the sale's, however often it is paid in parts.
func (d *Desk) trustedIn(p pos.Payment) (int64, error) {
	s, err := d.o.Sales.Sale(p.Sale)
	if err != nil && pos.KindOf(err) == pos.NotFound {
		return 0, nil // charged this moment: it has no payments
	}
	sum := int64(0)
	for _, o := range s.Payments {
		if o.ID != p.ID && o.Unverified && o.State != pos.Settled {
			sum += o.Amount.Minor
		}
	}
	return sum, err
}

// takable reports that p, which may be nil, can be taken by the customer's word: its
// network does not answer, and its tender made no loss. d.mu is held.
func (d *Desk) takable(p *pos.Payment, b pos.Books) bool {
	if p == nil || p.State == pos.Intended || p.Lost || p.Owed || p.Unverified {
		return false
	}
	t := d.tender[p.Tender]
	if t.Unseen == nil || !t.trusts() || t.Rail.Health().Ready {
		return false
	}
	if _, off := b.Distrust[t.Name]; off {
		return false
	}
	cut, _ := t.Unseen.Cut()
	return cut
}

// takeUnverified lets the sale go on by the customer's word. The payment is in doubt, and
// its record says who took it.
func (d *Desk) takeUnverified(t *turn, do pos.TakeUnverified) error {
	s, err := d.meant(t, do.Sale)
	if err != nil {
		return err
	}
	p := s.OpenPayment()
	if p == nil || (do.Payment != "" && p.ID != do.Payment) {
		return errNotUnderWay
	}
	t.answer = pos.Answer{Sale: s.ID, Payment: p.ID}
	if _, off := t.books.Distrust[p.Tender]; off {
		return pos.E("go on", pos.Conflict, "%s", pos.Word(d.o.Shop.Language, "unverified_off"))
	}
	if !d.takable(p, t.books) {
		return pos.E("go on", pos.Conflict, "%s", pos.Word(d.o.Shop.Language, "unverified_no"))
	}
	due, err := s.Due()
	if err != nil {
		return err
	}
	if due.Minor <= 0 {
		return errNotUnderWay
	}
	if p.Amount.Minor > due.Minor { // a part was paid otherwise meanwhile
		p.Asked, p.Amount = p.Amount, due
	}
	if err := d.withinTrust(t, d.tender[p.Tender], *p, unproven{}); err != nil {
		return err
	}
	event := pos.Event("")
	if p.State != pos.Unknown {
		event = pos.Doubt
		if err := p.Apply(event, t.at); err != nil {
			return err
		}
	}
	p.Unverified, p.Again, p.Why = true, false, pos.Word(d.o.Shop.Language, "unverified_why")
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: *p, Event: event, Trusted: true, By: t.by})
	return d.completeIfPaid(t, s)
}

// lastWord holds a finding about a payment taken unverified to what it proves: that
// nothing came yet is no news, and that nothing can come any more refutes it.
func lastWord(p pos.Payment, f pos.Finding) pos.Finding {
	if !p.OnTrust() || (f.Event != pos.Cancel && f.Event != pos.Expire && f.Event != pos.Fail) {
		return f
	}
	if f.Event = ""; f.Final {
		f.Event = pos.Fail
	}
	return f
}

// elsewhere reports that f names all of what p asks for at another network's address of the
// shop, and that nobody has decided about it: then it is no loss that it did not come here.
func (d *Desk) elsewhere(p pos.Payment, f pos.Finding) bool {
	need, ok := inAsset(p.Quantity, f.Stray.Asset)
	if !ok || f.Stray.IsZero() || p.Quantity.IsZero() {
		return false
	}
	other, takes := d.takes(f.Stray.Asset)
	done, _ := decidedStray(p, f.Stray.Asset)
	return takes && other.Token == d.tender[p.Tender].Token && done == (pos.StrayPast{}) && f.Stray.Cmp(need) >= 0
}

// verified books the money of a payment that was taken unverified. A sale that is
// complete is not changed: when less came, the rest is named as missing.
func (d *Desk) verified(t *turn, p pos.Payment) error {
	covered, asked := p.Amount, p.Amount
	if p.Asked.Minor > asked.Minor {
		asked = p.Asked
	}
	p.Amount = asked
	covers(&p, covered)
	if p.Amount.Minor < asked.Minor {
		p.Asked = asked
	}
	d.owe(&p)
	moved := pos.PaymentMoved{Payment: p, Event: pos.Settle, By: t.by}
	missing := covered.Currency.Of(covered.Minor - p.Amount.Minor)
	n, key := &pos.Notice{Kind: pos.NoticePaid, Sale: p.Sale}, "notice_verified"
	switch {
	case missing.Minor > 0:
		moved.Missing, n.Kind, key = missing, pos.NoticeTrouble, "notice_verified_short"
	case !p.Over.IsZero():
		n.Kind, key = pos.NoticeOver, "notice_over"
	}
	t.record(pos.KindPayment, moved)
	n.Text = pos.Word(d.o.Shop.Language, key,
		"amount", p.Amount.String(), "missing", missing.String(), "over", p.Over.String(), "ref", d.nameOfSale(p), "tender", d.nameOf(p))
	t.notice = n
	if missing.Minor > 0 {
		d.distrust(t, p, missing, "loss_short")
	}
	return nil
}

// unpaid books the network's last word that a payment taken unverified never came.
func (d *Desk) unpaid(t *turn, p pos.Payment) error {
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, Event: pos.Fail, Missing: p.Amount, By: t.by, Astray: t.astray})
	text := pos.Word(d.o.Shop.Language, "notice_never_paid", "amount", p.Amount.String(), "ref", d.nameOfSale(p), "tender", d.nameOf(p))
	if p.Why != "" {
		text += " " + p.Why
	}
	t.notice = &pos.Notice{Kind: pos.NoticeTrouble, Sale: p.Sale, Text: text}
	d.distrust(t, p, p.Amount, "loss_unverified")
	return nil
}

// distrust ends that p's tender is taken by customers' word: that made a loss, which a
// word tells of. What is missing of a sale that is still open is none: its customer still
// owes it.
func (d *Desk) distrust(t *turn, p pos.Payment, missing pos.Amount, word string) {
	why := pos.Word(d.o.Shop.Language, word, "amount", p.Amount.String(), "missing", missing.String(), "ref", d.nameOfSale(p), "tender", d.nameOf(p))
	if !d.over(p.Sale) {
		missing.Minor = 0
	}
	t.record(pos.KindTrustOff, pos.TrustChanged{Tender: p.Tender, Payment: p.ID, Sale: p.Sale, Missing: missing, Why: why, By: t.by})
}

// allowUnverified lets a tender be taken by customers' word again.
func (d *Desk) allowUnverified(t *turn, do pos.AllowUnverified) error {
	if !t.by.Role.Includes(pos.Manager) {
		return pos.E("allow unverified", pos.Forbidden, "only a manager lets a tender be taken unverified again")
	}
	if _, off := t.books.Distrust[do.Tender]; !off {
		return pos.E("allow unverified", pos.Conflict, "no loss has switched this tender off")
	}
	t.record(pos.KindTrustOn, pos.TrustChanged{Tender: do.Tender, By: t.by})
	return nil
}

// nameOfSale is how people find p's sale: its receipt, or its reference while it is open.
func (d *Desk) nameOfSale(p pos.Payment) string {
	if f, err := d.o.Sales.Filed(p.Sale); err == nil {
		return f.Receipt
	}
	s, err := d.o.Sales.Sale(p.Sale)
	if err != nil {
		return string(p.Sale)
	}
	return s.Ref
}

// proof returns the payment whose money counts for one that was taken by the customer's word:
// what a manager took for it from another network, or itself.
func (d *Desk) proof(id pos.PaymentID) (pos.Payment, error) {
	watched, err := d.o.Payments.Watched()
	for _, p := range watched {
		if p.Proves == id {
			return p, nil
		}
	}
	if err != nil {
		return pos.Payment{}, err
	}
	return d.o.Payments.Payment(id)
}

// unverified reports that s, which is complete, rests on a person's word as far as the
// till knows: its record said so, and the money did not come in full since. d.mu is held.
func (d *Desk) unverified(s pos.Sale) bool {
	for _, p := range s.Payments {
		if !p.OnTrust() {
			continue
		}
		now, err := d.proof(p.ID) // NotFound: it is final, and which way is not told here
		if err != nil || now.State != pos.Settled || now.Amount.Minor < p.Amount.Minor {
			return true
		}
	}
	return false
}
