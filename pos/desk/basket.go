package desk

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/tillwright/tillwright/pos"
)

const (
	// maxOpen bounds sales that are not over: more than a counter can oversee.
	maxOpen = 40
	// refsWrap keeps a reference at four digits; by then the first is long over.
	refsWrap = 10_000
	// saleIDLen is 13 letters of 5 bits: 65 random bits.
	saleIDLen = 13
)

// newSaleID makes a sale's ID from letters that cannot be mistaken for each other
// (Crockford's base 32).
func newSaleID() pos.SaleID {
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	b := make([]byte, saleIDLen)
	rand.Read(b) // never fails (crypto/rand)
	for i := range b {
		b[i] = letters[b[i]%32]
	}
	return pos.SaleID(b)
}

// newDraft makes an empty basket the current sale.
func (d *Desk) newDraft(t *turn) (pos.Sale, error) {
	open, err := d.o.Sales.Open()
	if err != nil {
		return pos.Sale{}, err
	}
	k := t.keep()
	if len(open) >= maxOpen {
		i := slices.IndexFunc(open, empty)
		if i < 0 {
			return pos.Sale{}, pos.E("open sale", pos.Conflict, "%d sales are open; finish or give up one first", len(open))
		}
		k.Drop = open[i].ID // opened, and nothing rung up since: the oldest such gives way
	}
	k.Refs++
	s := pos.Sale{
		ID: newSaleID(), Ref: fmt.Sprintf("#%04d", k.Refs%refsWrap), State: pos.Draft, Currency: d.o.Shop.Currency.Code,
		Opened: t.at, By: t.by, NextLine: 1,
	}
	k.Put, k.Current, k.Shown = &s, s.ID, true
	t.answer.Sale = s.ID
	return s, nil
}

// empty reports that nothing was rung up yet.
func empty(s pos.Sale) bool { return s.State == pos.Draft && len(s.Lines) == 0 }

// openSale starts an empty basket beside all others: two phones at one till must
// not get the same one. Who asks about a sale that is not at the counter any more asks
// late, or was outrun: the sale that is there now stays.
func (d *Desk) openSale(t *turn, do pos.OpenSale) error {
	if do.Sale != "" && do.Sale != cmp.Or(t.books.Current, pos.NoSale) {
		return pos.E("open sale", pos.Conflict, "%s", pos.Word(d.o.Shop.Language, "counter_moved"))
	}
	_, err := d.newDraft(t)
	return err
}

// nextCustomer ends the picture of a sale that is over. Asked once more, or late, it must
// not take the next one's from its customer.
func (d *Desk) nextCustomer(t *turn, do pos.NextCustomer) error {
	if do.Sale != "" && do.Sale != t.books.LastDone {
		_, err := d.o.Sales.Filed(do.Sale)
		return err
	}
	t.keep().Shown = true
	return nil
}

func (d *Desk) switchTo(t *turn, do pos.SwitchTo) error {
	s, err := d.o.Sales.Sale(do.Sale)
	if err != nil {
		return err
	}
	k := t.keep()
	k.Current, k.Shown = s.ID, true
	t.answer.Sale = s.ID
	return nil
}

// draft returns the basket that a command means. An empty ID means the current
// one: when that is charged and its customer did not pay, its basket is open again;
// while one pays, or when there is none, a new one.
func (d *Desk) draft(t *turn, id pos.SaleID) (pos.Sale, error) {
	want := id
	if want == "" {
		want = t.books.Current
	}
	s, err := d.o.Sales.Sale(want)
	switch {
	case err == nil && s.State == pos.Draft:
		return s, nil
	case err == nil && id != "":
		return s, pos.E("change basket", pos.Conflict, "sale %s is charged already and cannot change", s.Ref)
	case id != "" || (err != nil && pos.KindOf(err) != pos.NotFound):
		return s, err
	case err == nil && s.OpenPayment() == nil && !received(s):
		return d.reopen(t, s)
	}
	return d.newDraft(t)
}

func (d *Desk) addItem(t *turn, do pos.AddItem) error {
	it, do, err := d.item(do)
	if err != nil {
		return err
	}
	qty, price := cmp.Or(do.Qty, one), it.Price
	if do.Minor != 0 {
		price = d.o.Shop.Currency.Of(do.Minor)
	}
	l, err := pos.NewLine(it.Name, it.SKU, qty, price, it.Tax)
	if err != nil {
		return err
	}
	return d.add(t, do.Sale, l)
}

func (d *Desk) addAmount(t *turn, do pos.AddAmount) error {
	tax, err := d.tax(do.Tax)
	if err != nil {
		return err
	}
	if do.Minor <= 0 {
		return pos.E("add amount", pos.Invalid, "the amount must be more than zero")
	}
	name, qty := do.Name, do.Qty
	if name == "" {
		name = pos.Word(d.o.Shop.Language, "amount")
	}
	if qty == 0 {
		qty = 1000
	}
	l, err := pos.NewLine(name, "", qty, d.o.Shop.Currency.Of(do.Minor), tax)
	if err != nil {
		return err
	}
	return d.add(t, do.Sale, l)
}

func (d *Desk) tax(code string) (pos.TaxRate, error) {
	for _, r := range d.o.Shop.Taxes {
		if r.Code == code || code == "" {
			return r, nil
		}
	}
	return pos.TaxRate{}, pos.E("add amount", pos.NotFound, "there is no tax rate %q", code)
}

// add puts l into the basket. One more of the last line's item adds to that line.
func (d *Desk) add(t *turn, id pos.SaleID, l pos.Line) error {
	s, err := d.draft(t, id)
	if err != nil {
		return err
	}
	if n := len(s.Lines); n > 0 && l.SKU != "" && sameItem(s.Lines[n-1], l) {
		last := s.Lines[n-1]
		if l, err = pos.NewLine(last.Name, last.SKU, last.Qty+l.Qty, last.Price, last.Tax); err != nil {
			return err
		}
		l.ID = last.ID
		s.Lines[n-1] = l
	} else {
		if n >= pos.MaxLines {
			return pos.E("add line", pos.Conflict, "a sale holds at most %d lines; charge this one first", pos.MaxLines)
		}
		l.ID = s.NextLine
		s.NextLine++
		s.Lines = append(s.Lines, l)
	}
	return d.putDraft(t, s)
}

// sameItem reports that a and b are whole pieces of one thing at one price: then their
// sum is exact. What was weighed stays a line of its own, at the price on its label.
func sameItem(a, b pos.Line) bool {
	return a.SKU == b.SKU && a.Name == b.Name && a.Price == b.Price && a.Tax == b.Tax && a.Qty%one == 0 && b.Qty%one == 0
}

// putDraft keeps a changed basket as the current sale, if it is one that the
// till may charge.
func (d *Desk) putDraft(t *turn, s pos.Sale) error {
	totals, err := s.Totals()
	if err != nil {
		return err
	}
	if limit := d.o.Shop.MaxSale; totals.Total.Minor > limit.Minor {
		return pos.E("change basket", pos.Invalid, "%s is more than this till may sell at once (%s)", totals.Total, limit)
	}
	k := t.keep()
	k.Put, k.Current, k.Shown = &s, s.ID, true
	t.answer.Sale = s.ID
	return nil
}

// setQty changes a line. Whatever leaves the basket becomes a record.
func (d *Desk) setQty(t *turn, do pos.SetQty) error {
	s, err := d.draft(t, cmp.Or(do.Sale, t.books.Current))
	if err != nil {
		return err
	}
	i := 0
	for i < len(s.Lines) && s.Lines[i].ID != do.Line {
		i++
	}
	if i == len(s.Lines) {
		return pos.E("change line", pos.NotFound, "there is no such line in sale %s", s.Ref)
	}
	old := s.Lines[i]
	now, gone := old, old
	if do.Qty != 0 {
		if now, err = pos.NewLine(old.Name, old.SKU, do.Qty, old.Price, old.Tax); err != nil {
			return err
		}
		now.ID = old.ID
	}
	if do.Qty >= old.Qty {
		s.Lines[i] = now
		return d.putDraft(t, s)
	}
	if do.Qty != 0 {
		if gone, err = pos.NewLine(old.Name, old.SKU, old.Qty-do.Qty, old.Price, old.Tax); err != nil {
			return err
		}
		gone.ID = old.ID
	}
	t.answer.Sale = s.ID
	t.record(pos.KindLineRemoved, pos.LineRemoved{Sale: s.ID, Line: gone, By: t.by}) // its fold changes the basket
	return nil
}

// clearSale gives up a basket, or a charged sale that nothing was received for.
func (d *Desk) clearSale(t *turn, do pos.ClearSale) error {
	s, err := d.meant(t, do.Sale)
	if err != nil {
		return err
	}
	t.answer.Sale = s.ID
	if empty(s) {
		k := t.keep()
		k.Drop = s.ID
		if k.Current == s.ID {
			k.Current = ""
		}
		return nil
	}
	if s.State == pos.Draft {
		totals, err := s.Totals()
		if err != nil {
			return err
		}
		t.record(pos.KindBasketCleared, pos.BasketCleared{Sale: s.ID, Ref: s.Ref, Lines: s.Lines, Total: totals.Total, By: t.by})
		return nil
	}
	return d.giveUp(t, s, "", "given up at the counter")
}

// received reports that money came for the sale.
func received(s pos.Sale) bool {
	return slices.ContainsFunc(s.Payments, func(p pos.Payment) bool { return p.Covers() })
}

// meant returns the open sale that a command means: the current one when it names none.
func (d *Desk) meant(t *turn, id pos.SaleID) (pos.Sale, error) {
	return d.o.Sales.Sale(cmp.Or(id, t.books.Current))
}

// giveUp records that nobody pays this charged sale; into is the basket that its
// lines go on in, if they do.
func (d *Desk) giveUp(t *turn, s pos.Sale, into pos.SaleID, why string) error {
	totals, err := s.Totals()
	if err != nil {
		return err
	}
	if s.OpenPayment() != nil {
		return pos.E("give sale up", pos.Conflict, "a payment for sale %s is under way; cancel it first", s.Ref)
	}
	for _, p := range s.Payments {
		if p.Covers() {
			return pos.E("give sale up", pos.Conflict, "%s was received for sale %s already", p.Amount, s.Ref)
		}
	}
	t.prints = t.prints || len(s.Tickets) > 0
	t.record(pos.KindSaleCancelled, pos.SaleCancelled{Sale: s.ID, Ref: s.Ref, Total: totals.Total, Into: into, Reason: why, By: t.by})
	return nil
}

// goBack opens the basket of a charged sale again.
func (d *Desk) goBack(t *turn, do pos.Reopen) error {
	s, err := d.meant(t, do.Sale)
	if err != nil {
		return err
	}
	if s.State == pos.Draft {
		return pos.E("go back", pos.Conflict, "sale %s is not charged yet", s.Ref)
	}
	_, err = d.reopen(t, s)
	return err
}

// reopen gives a charged sale up and makes its lines a new basket: what was charged
// never changes, and a payment that still comes for it is found and named.
func (d *Desk) reopen(t *turn, s pos.Sale) (pos.Sale, error) {
	fresh, err := d.newDraft(t)
	if err != nil {
		return pos.Sale{}, err
	}
	if err := d.giveUp(t, s, fresh.ID, "back to the basket"); err != nil {
		return pos.Sale{}, err
	}
	fresh.Lines, fresh.NextLine = s.Lines, s.NextLine
	t.keep().Put = &fresh
	return fresh, nil
}
