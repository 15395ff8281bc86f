package desk

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// View returns the newest view. It does not block on a command under way.
func (d *Desk) View() pos.View {
	d.viewMu.RLock()
	defer d.viewMu.RUnlock()
	return d.view
}

// SetLink notes the state of one of the links that fail apart from each other.
// It does not block; the next view shows it.
func (d *Desk) SetLink(l pos.Link) {
	d.linkMu.Lock()
	d.links[l.Name] = l
	d.linkMu.Unlock()
}

// refresh publishes a new view when tenders, links or the passing of time changed
// what screens should show.
func (d *Desk) refresh() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return
	}
	at, _ := d.o.Now()
	old := d.View()
	tenders, err := d.tenders(d.o.Ledger.Books(), at)
	if err != nil || !slices.Equal(old.Counter.Tenders, tenders) || !slices.Equal(old.Counter.Links, d.linkList()) || d.moved(old.Customer, at) {
		d.publish(at)
	}
}

// moved reports that the request which customers see has ended, or that its end by
// the wall clock is another one: somebody set the clock. d.mu is held.
func (d *Desk) moved(c pos.Customer, at time.Time) bool {
	if c.Phase != pos.PhaseDue || c.Expires.IsZero() {
		return false
	}
	s, err := d.o.Sales.Sale(c.Sale)
	p := s.OpenPayment()
	if err != nil || p == nil {
		return false
	}
	off := d.rebased(*p, at).Sub(c.Expires)
	return d.ended(*p, at) || off.Abs() > wallSlack
}

// wallSlack is how far a countdown may be off before screens are told anew.
const wallSlack = 2 * time.Second

// publish makes the newest view and hands it to the screens. d.mu is held.
func (d *Desk) publish(at time.Time) {
	v, err := d.makeView(at)
	if err != nil {
		d.o.Log.Error("view not made", "err", err)
		return
	}
	d.version++
	v.Version = d.version
	d.viewMu.Lock()
	d.view = v
	d.viewMu.Unlock()
	d.o.Publish(v)
}

func (d *Desk) makeView(at time.Time) (pos.View, error) {
	b := d.o.Ledger.Books()
	open, err := d.o.Sales.Open()
	if err != nil {
		return pos.View{}, err
	}
	v := pos.View{Shop: d.o.Shop}
	c := &v.Counter
	if c.Tenders, err = d.tenders(b, at); err != nil {
		return v, err
	}
	c.Version, c.Links = d.o.Software, d.linkList()
	c.Notices, c.Destinations = d.withPlaces(b), d.openPlaces(b)
	c.Open = []pos.SaleView{}
	for _, s := range open {
		sv, err := d.saleView(s, b, at)
		if err != nil {
			return v, err
		}
		if s.ID == b.Current {
			current := sv
			c.Current = &current
		}
		if empty(s) {
			continue
		}
		sv.Lines = nil // the list shows sums only
		c.Open = append(c.Open, sv)
	}
	c.LastDone = d.lastDone(b)
	if c.Refunds, err = d.refundViews(); err != nil {
		return v, err
	}
	c.Sync = syncView(b)
	v.Customer = d.customer(v.Counter, b, at)
	return v, nil
}

// lastDone returns the sale completed last, nil if there is none. One whose record
// cannot be read must not take the screens from the next. d.mu is held.
func (d *Desk) lastDone(b pos.Books) *pos.SaleView {
	if b.LastDone == "" {
		return nil
	}
	f, err := d.o.Sales.Filed(b.LastDone)
	if err == nil && (d.last.Record != f.Record || d.last.Copies != f.Copies) { // else it is as it was: completed sales never change
		d.last, err = d.completedView(f)
	}
	if err != nil {
		d.o.Log.Debug("last sale not shown", "sale", b.LastDone, "err", err)
		return nil
	}
	last := d.last
	return &last
}

func (d *Desk) tenders(b pos.Books, at time.Time) ([]pos.TenderView, error) {
	out := []pos.TenderView{{Tender: pos.Cash, Ready: true}}
	for _, t := range d.o.Tenders {
		h := t.Rail.Health()
		tv := pos.TenderView{Tender: t.Name, Ready: h.Ready, Reason: h.Reason, Token: t.Token, Chain: t.Chain, Rule: t.Rule}
		_, none := d.o.Rates.Rate(h.Asset)
		if h.Ready && none != nil {
			tv.Ready, tv.Reason = false, message(none)
		}
		tv.Peg = d.pegView(t, b, none == nil)
		var err error
		if tv.Offline, err = d.offlineView(t, b, at); err != nil {
			return nil, err
		}
		if !tv.Ready && tv.Offline != (pos.OfflineView{}) && tv.Offline.Why == "" {
			tv.Ready, tv.Offline.Now = true, true
		}
		if t.Notice != nil && tv.Ready {
			tv.Notice = strings.TrimSpace(t.Notice() + " " + d.pegNotice(tv.Peg))
		}
		if why := d.unconfirmed(t, b); why != "" {
			tv.Ready, tv.Reason, tv.Offline.Now = false, why, false
		}
		if full := d.full(); full != "" {
			tv.Ready, tv.Reason, tv.Offline.Now = false, full, false
		}
		out = append(out, tv)
	}
	return out, nil
}

// linkList returns the links in the order of their names; each rail is one.
func (d *Desk) linkList() []pos.Link {
	d.linkMu.Lock()
	out := make([]pos.Link, 0, len(d.links)+len(d.o.Tenders))
	for _, l := range d.links {
		out = append(out, l)
	}
	d.linkMu.Unlock()
	for _, t := range d.o.Tenders {
		h, state := t.Rail.Health(), "online"
		if !h.Ready {
			state = "offline"
		}
		out = append(out, pos.Link{Name: string(t.Name), State: state, Detail: strings.Join(append(h.Notices, h.Reason), " ")})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// saleView adds to a sale what screens must not compute.
func (d *Desk) saleView(s pos.Sale, b pos.Books, at time.Time) (pos.SaleView, error) {
	totals, err := s.Totals()
	if err != nil {
		return pos.SaleView{}, err
	}
	due, err := s.Due()
	if err != nil {
		return pos.SaleView{}, err
	}
	sv := pos.SaleView{Sale: s, Totals: totals, Due: due, CashDue: d.o.Shop.Rounding.Due(due)}
	sv.CashKeys = cashKeys(sv.CashDue)
	if p := s.OpenPayment(); p != nil {
		sv.Waiting, sv.Doubtful = true, p.State == pos.Unknown && !p.Again
	}
	sv.Offline, sv.Locked = len(d.provable(s)) > 0, s.WrongCodes >= pos.MaxWrongCodes
	sv.Unverified = d.takable(s.OpenPayment(), b)
	if p := s.OpenPayment(); p != nil && p.Astray() {
		v := d.refundView(*p)
		sv.Astray = &v
	}
	sv.Payments = slices.Clone(s.Payments)
	for i := range sv.Payments {
		sv.Payments[i].Expires = d.rebased(sv.Payments[i], at)
		d.explain(&sv.Payments[i])
	}
	return sv, nil
}

// completedView reads a sale from the record that completed it.
func (d *Desk) completedView(f pos.Filed) (pos.SaleView, error) {
	r, err := d.o.Journal.Read(f.Record)
	if err != nil {
		return pos.SaleView{}, err
	}
	var b pos.SaleCompleted
	if err := r.Decode(&b); err != nil {
		return pos.SaleView{}, err
	}
	s := b.Sale
	s.Record, s.Copies = f.Record, f.Copies
	zero := b.Totals.Total.Currency.Zero()
	return pos.SaleView{Sale: s, Totals: b.Totals, Due: zero, CashDue: zero, CashKeys: []pos.Amount{}, Change: b.Change}, nil
}

func syncView(b pos.Books) pos.Sync {
	s := pos.Sync{
		Enrolled: b.Enrolled != nil, SafeTo: b.Acked, Waiting: int(b.Last - min(b.Last, b.Acked)),
		Sales: b.Unsent.Sales, Amount: b.Unsent.Amount, Oldest: b.Unsent.Oldest,
	}
	if b.Fork != nil {
		s.Trouble = "the backoffice holds another history of this till: its storage was copied or restored. Call the owner; do not throw anything away"
	}
	return s
}

// customer chooses what the customer sees: the current sale; else what was just paid,
// with its change, until the cashier turns to the next one; else the sale of the customer
// who is still paying.
func (d *Desk) customer(c pos.Counter, b pos.Books, at time.Time) pos.Customer {
	if s := c.Current; s != nil && (len(s.Lines) > 0 || s.State != pos.Draft) {
		return d.saleOnScreen(*s, at)
	}
	if c.LastDone != nil && !b.Shown {
		return d.doneOnScreen(*c.LastDone)
	}
	for i := len(c.Open) - 1; i >= 0; i-- {
		if c.Open[i].Waiting {
			return d.saleOnScreen(c.Open[i], at)
		}
	}
	return pos.Customer{Phase: pos.PhaseIdle}
}

func (d *Desk) saleOnScreen(s pos.SaleView, at time.Time) pos.Customer {
	out := pos.Customer{
		Phase: pos.PhaseBasket, Sale: s.ID, Ref: s.Ref, Lines: s.Lines, Tax: s.Totals.Tax, Total: s.Totals.Total, Due: s.Due,
	}
	if len(s.Payments) == 0 {
		return out
	}
	p := s.Payments[len(s.Payments)-1]
	if open := s.OpenPayment(); open != nil {
		p = *open
	}
	out.Tender, out.Token, out.Chain = p.Tender, d.tender[p.Tender].Token, d.tender[p.Tender].Chain
	switch {
	case p.Covers(), p.Aside:
		return out
	case p.Again, p.State == pos.Requested, p.State == pos.Seen && !p.Part.IsZero():
		if d.ended(p, at) {
			out.Phase = pos.PhaseChecking // its time is over, and the rail has not said what became of it
			return out
		}
		d.showRequest(&out, p)
		return out
	}
	switch p.State {
	case pos.Seen, pos.Accepted:
		out.Phase = pos.PhaseArriving
	case pos.Unknown:
		out.Phase = pos.PhaseChecking
		if s.Astray != nil && !p.Elsewhere() {
			out.Reason = "other_coin"
		} else if s.Astray != nil {
			out.Reason = "other_network"
		}
	case pos.Expired, pos.Cancelled, pos.Failed:
		out.Phase, out.Reason = pos.PhaseRefused, string(p.State)
	}
	return out
}

func (d *Desk) showRequest(out *pos.Customer, p pos.Payment) {
	out.Phase, out.Network = pos.PhaseDue, p.Network
	out.Due, out.QR, out.Expires = p.Amount, p.Payload, p.Expires
	if p.Offline {
		out.Offline, out.Counter, out.Other = true, pos.CounterRef(p.Counter), p.Other != "" && d.other == p.ID
		if out.Other {
			out.QR = p.Other
		}
		return
	}
	out.Quantity = p.Quantity.String()
	if p.Tender == "lightning" {
		out.Link = "lightning:" + strings.ToLower(p.Payload)
	}
	if p.Rate != nil {
		out.Rate = p.Rate.Price()
	}
	if t := d.tender[p.Tender]; t.Unseen != nil {
		out.Unchecked = !t.Rail.Health().Ready
	}
	d.showToken(out, p)
}

func (d *Desk) doneOnScreen(s pos.SaleView) pos.Customer {
	out := pos.Customer{
		Phase: pos.PhasePaid, Sale: s.ID, Ref: s.Ref, Total: s.Totals.Total, Due: s.Due, Receipt: s.Receipt, Change: s.Change,
	}
	for _, p := range s.Payments {
		if !p.Covers() {
			continue
		}
		out.Tender, out.Network = p.Tender, p.Network
		if p.Tender == pos.Cash {
			out.Given, out.Phase = p.Given, pos.PhaseChange
		}
	}
	if d.unverified(s.Sale) {
		out.Reason = "unverified"
		if out.Phase == pos.PhasePaid || out.Change.Minor == 0 { // change is given all the same
			out.Phase = pos.PhaseChecking
		}
	}
	return out
}

// addNotice puts n on top of the cashier's list. d.mu is held.
func (d *Desk) addNotice(at time.Time, n pos.Notice) {
	d.notice++
	n.ID, n.At = d.notice, at
	d.notices = append([]pos.Notice{n}, d.notices[:min(len(d.notices), pos.MaxNotices-1)]...)
}

func (d *Desk) dismiss(t *turn, do pos.Dismiss) error {
	if d.stays(do.Notice, t.books) {
		return pos.E("dismiss notice", pos.Conflict, "%s", pos.Word(d.o.Shop.Language, "destination_open"))
	}
	d.notices = slices.DeleteFunc(slices.Clone(d.notices), func(n pos.Notice) bool { return n.ID == do.Notice })
	t.again = true
	return nil
}
