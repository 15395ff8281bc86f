package desk

import (
	"context"
	"maps"
	"math"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Offline takes a tender while the till has no line to what proves its payments: a
// request is made by arithmetic, the customer's phone carries it away and brings a
// code back.
type Offline interface {
	// Terms are the newest that were granted; the zero value: none. It does not block.
	Terms() pos.OfflineTerms
	// Ask makes p's request, whose Counter is set. It does not block. trusted: p.At can
	// be believed. Unavailable: the terms do not allow it.
	Ask(p pos.Payment, trusted bool) (pos.Asked, error)
	// Proves compares typed with the code of p's request. It takes the same time for
	// every six digits.
	Proves(p pos.Payment, typed string) pos.Proof
	checker
}

// checker asks what became of a payment. Both methods are as in Rail.
type checker interface {
	Check(ctx context.Context, p pos.Payment) (pos.Finding, error)
	Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error)
}

// checker returns whom to ask about p; nil when this till does not take its tender
// any more.
func (d *Desk) checker(p pos.Payment) checker {
	t := d.tender[p.Tender]
	switch {
	case p.Offline && t.Offline != nil:
		return t.Offline
	case !p.Offline && t.Rail != nil:
		return t.Rail
	}
	return nil
}

// unproven is what was taken on a code and is not settled yet.
type unproven struct {
	sales  int
	minor  int64
	oldest time.Time
}

func (d *Desk) unproven(tender pos.Tender) (unproven, error) {
	var u unproven
	ps, err := d.o.Payments.Watched()
	for _, p := range ps {
		if p.Tender != tender || !p.Offline || !p.Covers() {
			continue
		}
		u.sales, u.minor = u.sales+1, u.minor+p.Amount.Minor // each is at most MaxSale, and limits bound their number
		if u.oldest.IsZero() || p.At.Before(u.oldest) {
			u.oldest = p.At
		}
	}
	return u, err
}

// shown is what other open sales ask for on a code that was not typed yet: each may be,
// and then nobody is turned away.
func (d *Desk) shown(but pos.Payment) (unproven, error) {
	var u unproven
	ps, err := d.o.Payments.Watched()
	for _, p := range ps {
		if p.Tender == but.Tender && p.Sale != but.Sale && p.Offline && p.State.Open() && !p.Covers() && !p.Aside && !d.over(p.Sale) {
			u.sales, u.minor = u.sales+1, u.minor+p.Amount.Minor
		}
	}
	return u, err
}

// offlineView says whether t could be taken without a line now, and how far the
// limits are used up. d.mu is held.
func (d *Desk) offlineView(t Tender, b pos.Books, at time.Time) (pos.OfflineView, error) {
	if t.Unseen != nil {
		return d.unseenView(t, b, at)
	}
	if t.Offline == nil || t.Rule == pos.OnlineOnly || t.Rule == "" {
		return pos.OfflineView{}, nil
	}
	terms, u := d.terms(t, b), unproven{}
	u, err := d.unproven(t.Name)
	if err != nil {
		return pos.OfflineView{}, err
	}
	limits, c := t.Limits.Within(terms.Limits), d.o.Shop.Currency
	v := pos.OfflineView{
		Manager: t.Rule == pos.PreferOnline, Sales: u.sales, Amount: c.Of(u.minor), Oldest: u.oldest,
		PerSale: c.Of(limits.PerSale), Total: c.Of(limits.Total), Most: limits.Sales,
	}
	v.Why = d.offlineWhy(terms, limits, u, b, at)
	return v, nil
}

// terms are those in force: the newest granted, unless this till switched the same
// key off itself.
func (d *Desk) terms(t Tender, b pos.Books) pos.OfflineTerms {
	granted := t.Offline.Terms()
	if b.Terms != nil && b.Terms.Refuted && b.Terms.Device == granted.Device {
		return *b.Terms
	}
	return granted
}

// offlineWhy says what forbids another payment without a line; empty: nothing.
func (d *Desk) offlineWhy(terms pos.OfflineTerms, limits pos.OfflineLimits, u unproven, b pos.Books, at time.Time) string {
	word := func(key string, with ...string) string { return pos.Word(d.o.Shop.Language, key, with...) }
	switch {
	case terms.Device == "":
		return word("offline_not_granted")
	case !terms.Enabled && terms.Why != "":
		return terms.Why
	case !terms.Enabled:
		return word("offline_off")
	case codesLocked(b, at):
		return word("offline_codes_locked")
	case u.sales >= limits.Sales, u.minor >= limits.Total:
		return word("offline_full", "amount", d.o.Shop.Currency.Of(u.minor).String())
	case u.sales > 0 && at.Sub(u.oldest) >= limits.Age:
		return word("offline_old")
	}
	return ""
}

// codesLocked reports that too many wrong codes were typed lately.
func codesLocked(b pos.Books, at time.Time) bool {
	return len(b.Wrong) >= pos.MaxWrongCodesHour && at.Sub(b.Wrong[len(b.Wrong)-pos.MaxWrongCodesHour]).Abs() < pos.WrongCodesWithin
}

// payOffline makes a request that needs no line, and makes it durable before the
// customer sees it. why is what keeps the tender from being taken the usual way.
func (d *Desk) payOffline(t *turn, tender Tender, p pos.Payment, why error) error {
	v, err := d.offlineView(tender, t.books, t.at)
	if err != nil {
		return err
	}
	out, err := d.shown(p)
	if err != nil {
		return err
	}
	left := v.Total.Minor - v.Amount.Minor - out.minor
	switch {
	case v == pos.OfflineView{}:
		return why
	case v.Why != "":
		return pos.E("pay", pos.Unavailable, "%s %s", message(why), v.Why)
	case v.Manager && !t.by.Role.Includes(pos.Manager):
		return pos.E("pay", pos.Forbidden, "%s", pos.Word(d.o.Shop.Language, "offline_manager"))
	case p.Amount.Minor > v.PerSale.Minor:
		return pos.E("pay", pos.Conflict, "%s", pos.Word(d.o.Shop.Language, "offline_per_sale", "amount", v.PerSale.String()))
	case p.Amount.Minor > left, v.Sales+out.sales >= v.Most:
		waits := p.Amount.Currency.Of(v.Amount.Minor + out.minor)
		return pos.E("pay", pos.Conflict, "%s", pos.Word(d.o.Shop.Language, "offline_full", "amount", waits.String()))
	}
	return d.askOffline(t, tender, p)
}

func (d *Desk) askOffline(t *turn, tender Tender, p pos.Payment) error {
	last := max(t.books.Counter, tender.Offline.Terms().Highest)
	if last == math.MaxUint32 {
		return pos.E("pay", pos.Exhausted, "this till's offline numbers are used up; the owner must connect it to head office anew")
	}
	p.Offline, p.Counter = true, last+1
	asked, err := tender.Offline.Ask(p, t.clock == pos.ClockTrusted)
	if err != nil {
		return err
	}
	if err := p.Apply(pos.Request, t.at); err != nil {
		return err
	}
	d.request(&p, asked, t.now)
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: p, Event: pos.Request, By: t.by})
	t.watch = p.ID
	return nil
}

// again deals with a sale whose offline request is out already. While that can be
// paid it is shown again, so that the customer never has two; afterwards it is set
// aside and a new one may be made. It reports that nothing more is to be done.
func (d *Desk) again(t *turn, s *pos.Sale, p *pos.Payment) (done bool, err error) {
	t.answer = pos.Answer{Sale: s.ID, Payment: p.ID}
	if !d.ended(*p, t.now) {
		if p.State == pos.Requested {
			return true, pos.E("pay", pos.Conflict, "this sale's code is on the display already")
		}
		p.Again = true
		t.record(pos.KindPayment, pos.PaymentMoved{Payment: *p, By: t.by})
		return true, nil
	}
	event := pos.Event("")
	if p.State != pos.Unknown {
		event = pos.Doubt
		if err := p.Apply(event, t.at); err != nil {
			return true, err
		}
	}
	p.Aside, p.Again = true, false
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: *p, Event: event, By: t.by})
	return false, nil
}

// enterCode tries a customer's code against the requests of the open sale. Every try
// is a record; a wrong one is an answer, so that a line which swallows it does not
// make two of it.
func (d *Desk) enterCode(t *turn, do pos.EnterCode) error {
	s, err := d.meant(t, do.Sale)
	if err != nil {
		return err
	}
	open := d.provable(s)
	switch {
	case len(open) == 0:
		return pos.E("enter code", pos.Conflict, "this sale waits for no code")
	case len(do.Code) > maxCode:
		return pos.E("enter code", pos.Invalid, "%s", pos.Word(d.o.Shop.Language, "code_form"))
	case codesLocked(t.books, t.at):
		return pos.E("enter code", pos.Exhausted, "%s", pos.Word(d.o.Shop.Language, "offline_codes_locked"))
	case s.WrongCodes >= pos.MaxWrongCodes && !t.by.Role.Includes(pos.Manager):
		return pos.E("enter code", pos.Forbidden, "%s", pos.Word(d.o.Shop.Language, "code_locked"))
	}
	t.answer = pos.Answer{Sale: s.ID}
	proof, p := d.prove(open, do.Code)
	switch proof {
	case pos.ProofRight:
		return d.accept(t, s, p)
	case pos.ProofForm:
		return pos.E("enter code", pos.Invalid, "%s", pos.Word(d.o.Shop.Language, "code_form"))
	case pos.ProofOther:
		t.answer.Other = true
		t.record(pos.KindCodeTried, pos.CodeTried{Sale: s.ID, Other: true, Wrong: s.WrongCodes, By: t.by})
	default:
		t.answer.Wrong = s.WrongCodes + 1
		t.record(pos.KindCodeTried, pos.CodeTried{Sale: s.ID, Wrong: t.answer.Wrong, By: t.by})
	}
	return nil
}

// prove tries code against all of open, so that the time tells nothing, and returns
// the best that was found.
func (d *Desk) prove(open []*pos.Payment, code string) (best pos.Proof, proven *pos.Payment) {
	for _, p := range open {
		switch proof := d.tender[p.Tender].Offline.Proves(*p, code); {
		case proof == pos.ProofRight:
			best, proven = proof, p
		case best != pos.ProofRight && best != pos.ProofWrong:
			best = proof
		}
	}
	return best, proven
}

// maxCode bounds what may be typed: the longest scan, and spaces.
const maxCode = 40

// provable returns the payments of s that a code may still prove, within s.
func (d *Desk) provable(s pos.Sale) []*pos.Payment {
	var out []*pos.Payment
	for i := range s.Payments {
		if p := &s.Payments[i]; p.Offline && p.State.Open() && !p.Covers() && d.tender[p.Tender].Offline != nil {
			out = append(out, p)
		}
	}
	return out
}

// accept books what a right code proves.
func (d *Desk) accept(t *turn, s pos.Sale, p *pos.Payment) error {
	due, err := s.Due()
	if err != nil {
		return err
	}
	t.answer.Payment = p.ID
	t.record(pos.KindCodeTried, pos.CodeTried{Sale: s.ID, Payment: p.ID, Right: true, Wrong: s.WrongCodes, By: t.by})
	if p.State != pos.Accepted {
		if err := p.Apply(pos.Accept, t.at); err != nil {
			return err
		}
	}
	p.Taken, p.Aside, p.Again, p.Why = true, false, false, ""
	if over := p.Amount.Minor - due.Minor; over > 0 { // a part was paid otherwise meanwhile
		p.Asked, p.Amount = p.Amount, due
		t.notice = d.overNotice(*p, due.Currency.Of(over).String())
	}
	t.record(pos.KindPayment, pos.PaymentMoved{Payment: *p, Event: pos.Accept, By: t.by})
	return d.completeIfPaid(t, s)
}

// refuted books that there is no money behind a code that was right: whoever made it
// holds this till's key. Selling offline ends until the owner grants a new one.
func (d *Desk) refuted(t *turn, p pos.Payment) {
	lang := d.o.Shop.Language
	off := pos.OfflineTerms{Tender: p.Tender}
	if t.books.Terms != nil {
		off = *t.books.Terms
	}
	off.Enabled, off.Refuted, off.Why = false, true, pos.Word(lang, "offline_refuted")
	t.record(pos.KindOfflineTerms, off)
	text := pos.Word(lang, "notice_refuted", "amount", p.Amount.String(), "ref", pos.CounterRef(p.Counter))
	t.notice = &pos.Notice{Kind: pos.NoticeTrouble, Sale: p.Sale, Text: text}
}

func (d *Desk) showOther(t *turn, do pos.ShowOther) error {
	s, err := d.meant(t, do.Sale)
	if err != nil {
		return err
	}
	p := s.OpenPayment()
	if p == nil || p.Other == "" {
		return pos.E("show request", pos.Conflict, "this sale's code has no other form")
	}
	if d.other = ""; do.On {
		d.other = p.ID
	}
	t.answer, t.again = pos.Answer{Sale: s.ID, Payment: p.ID}, true
	return nil
}

// noteTerms records terms that changed, so that the books tell under which a sale
// was made.
func (d *Desk) noteTerms() {
	for _, tender := range d.o.Tenders {
		if tender.Offline == nil || d.known(tender, d.o.Ledger.Books()) {
			continue
		}
		_, err := d.turn(pos.Command{By: pos.Till}, func(t *turn) error {
			if !d.known(tender, t.books) {
				t.record(pos.KindOfflineTerms, tender.Offline.Terms())
			}
			return nil
		})
		if err != nil {
			d.o.Log.Debug("offline terms not recorded", "err", err) // the next second tries again
		}
	}
}

// known reports that the terms in force are in the books.
func (d *Desk) known(t Tender, b pos.Books) bool {
	granted := d.terms(t, b)
	return granted.Device == "" || (b.Terms != nil && b.Terms.SamePlace(granted) && b.Counter >= granted.Highest)
}

// notePolicies records each tender's rule that is not in the books yet.
func (d *Desk) notePolicies(t *turn) {
	for _, tender := range d.o.Tenders {
		p := pos.TenderPolicy{Tender: tender.Name, Rule: tender.Rule, Limits: tender.Limits}
		if tender.Rule != "" && t.books.Policies[tender.Name] != p {
			t.record(pos.KindTenderPolicy, p)
		}
	}
}

// ended reports that p's request cannot be paid any more. d.mu is held.
func (d *Desk) ended(p pos.Payment, now time.Time) bool {
	end := d.rebased(p, now)
	return !end.IsZero() && !now.Before(end)
}

// rebased returns p's end by the wall clock, which says now. While the till runs it
// counts by the monotonic clock: the wall clock may jump by years under a customer's
// eyes. d.mu is held.
func (d *Desk) rebased(p pos.Payment, now time.Time) time.Time {
	end, ok := d.ends[p.ID]
	if !ok {
		return p.Expires
	}
	by := now.Round(0).UTC().Add(time.Until(end))
	if by.Sub(p.Expires).Abs() < wallSlack {
		return p.Expires // so that it stays the same from view to view
	}
	return by
}

// endsMax bounds the ends that are kept: every payment that can be open at once.
const endsMax = maxOpen

// request puts what a rail asked for into p and remembers its end. d.mu is held.
func (d *Desk) request(p *pos.Payment, a pos.Asked, now time.Time) {
	p.Reference, p.Payload, p.Other, p.Network, p.Expires = a.Reference, a.Payload, a.Other, a.Network, a.Expires
	if p.Forms = a.Forms; len(a.Forms) > 0 {
		p.Payload = a.Forms[0].Payload
	}
	p.To = d.tender[p.Tender].To.Tail()
	if !a.Quantity.IsZero() {
		p.Quantity = a.Quantity
	}
	if a.Expires.IsZero() {
		return
	}
	if len(d.ends) >= endsMax {
		maps.DeleteFunc(d.ends, func(_ pos.PaymentID, end time.Time) bool { return time.Now().After(end) })
	}
	if len(d.ends) < endsMax {
		d.ends[p.ID] = time.Now().Add(a.Expires.Round(0).Sub(now.Round(0)))
	}
}
