// Package webtest is a till made of code, for testing and looking at the screens:
// a desk, a staff and a picture that behave as the real ones do and are strict
// about how they are asked. It keeps everything in memory and no promise of
// durability.
package webtest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Desk is a till's desk in memory. Its exported methods may be called from any
// goroutine.
type Desk struct {
	Publish func(pos.View) // called after every change; set before use
	Now     func() time.Time

	mu       sync.Mutex
	shop     pos.Shop
	items    []pos.Item
	version  uint64
	open     []*pos.Sale // oldest first
	current  pos.SaleID
	done     []pos.Sale // oldest first
	customer pos.Customer
	notices  []pos.Notice
	owed     []pos.RefundView
	answers  map[string]answered
	asked    []pos.Command
	drawers  []string
	reprints int
	kitchens []string // printers that are told of every sale
	orders   []string // printed again
	links    []pos.Link
	sync     pos.Sync
	grey     map[pos.Tender]string
	silent   bool
	lags     bool // the screens are not told
	stall    chan struct{}
	refuse   error
	offline  offline
	coins    []Coin
	trust    pos.OfflineRule          // of coins whose networks do not answer; empty: they do
	loss     string                   // why coins are not taken unverified any more
	off      map[string]pos.PegView   // by token: those off their value
	moved    []pos.DestinationView    // changed addresses that nobody confirmed
	peg      map[string]string        // what is said of a token's price
	form     map[pos.PaymentID]string // shown instead of the first one
	short    int64                    // hundredths of the open payment that came
}

type answered struct {
	digest string
	answer pos.Answer
}

// NewDesk makes a desk for shop with a catalogue of items.
func NewDesk(shop pos.Shop, items []pos.Item) *Desk {
	d := &Desk{
		Publish: func(pos.View) {}, Now: time.Now, shop: shop, items: items, answers: map[string]answered{},
		grey: map[pos.Tender]string{}, coins: Coins,
		links: []pos.Link{{Name: "node", State: "online"}, {Name: "backoffice", State: "online"}, {Name: "rates", State: "online"}, {Name: "printer", State: "online"}},
		sync:  pos.Sync{Enrolled: true, SafeTo: 4811},
	}
	d.customer = pos.Customer{Phase: pos.PhaseIdle}
	return d
}

// Do carries c out, once for every key.
func (d *Desk) Do(ctx context.Context, c pos.Command) (pos.Answer, error) {
	d.mu.Lock()
	stall := d.stall
	d.mu.Unlock()
	if stall != nil {
		<-stall // past the call's deadline, if the test's machine is so slow
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, c)
	if _, ok := ctx.Deadline(); !ok {
		return pos.Answer{}, pos.E("do", pos.Internal, "a call without a deadline may hang the counter")
	}
	if c.Key == "" || len(c.Key) > pos.MaxKey || c.By.ID == "" || !c.By.Role.Includes(pos.Cashier) {
		return pos.Answer{}, pos.E("do", pos.Internal, "a command needs a key and somebody who gives it")
	}
	if d.refuse != nil {
		return pos.Answer{}, d.refuse
	}
	if known, ok := d.answers[c.Key]; ok {
		if known.digest != c.Digest() {
			return pos.Answer{}, pos.E("do", pos.Conflict, "this key was used for another command")
		}
		return known.answer, nil
	}
	answer, err := d.act(c)
	if err != nil {
		d.publish() // what was not done may have told something all the same: a payment is in doubt
		return pos.Answer{}, err
	}
	d.answers[c.Key] = answered{c.Digest(), answer}
	d.publish()
	return answer, nil
}

func (d *Desk) act(c pos.Command) (pos.Answer, error) {
	switch do := c.Do.(type) {
	case pos.OpenSale:
		if do.Sale != "" && do.Sale != cmp.Or(d.current, pos.NoSale) {
			return pos.Answer{}, pos.E("open sale", pos.Conflict, "%s", pos.Word(d.shop.Language, "counter_moved"))
		}
		return pos.Answer{Sale: d.begin(c.By).ID}, nil
	case pos.SwitchTo:
		s, err := d.find(do.Sale)
		if err != nil {
			return pos.Answer{}, err
		}
		d.current = s.ID
		d.customer = d.pictureOf(s)
		return pos.Answer{Sale: s.ID}, nil
	case pos.AddItem:
		return d.addItem(c.By, do)
	case pos.AddAmount:
		return d.addAmount(c.By, do)
	case pos.SetQty:
		return d.setQty(do)
	case pos.ClearSale:
		return d.clear(do)
	case pos.Reopen:
		return d.reopen(c.By, do)
	case pos.Pay:
		return d.pay(c.By, do)
	case pos.CancelPayment:
		return d.cancel(c.By, do)
	case pos.TakeUnverified:
		return d.takeUnverified(c.By, do)
	case pos.AllowToken:
		return d.allowToken(c.By, do)
	case pos.ConfirmDestination:
		return d.confirmDestination(c.By, do)
	case pos.AllowUnverified:
		return d.allowUnverified(c.By, do)
	case pos.EnterCode:
		return d.enterCode(c.By, do)
	case pos.ShowOther:
		return d.showOther(do)
	case pos.ShowForm:
		return d.showForm(do)
	case pos.Reprint:
		i := slices.IndexFunc(d.done, func(s pos.Sale) bool { return s.ID == do.Sale })
		if i < 0 {
			return pos.Answer{}, pos.E("reprint", pos.NotFound, "there is no such receipt")
		}
		if do.Ticket {
			d.orders = append(d.orders, do.Printer)
			return pos.Answer{Sale: do.Sale}, nil
		}
		d.done[i].Copies++
		d.reprints++
		return pos.Answer{Sale: do.Sale}, nil
	case pos.PrintTestPage:
		d.orders = append(d.orders, "test "+do.Printer)
		return pos.Answer{Record: d.version + 1}, nil
	case pos.OpenDrawer:
		d.drawers = append(d.drawers, do.Reason)
		return pos.Answer{Record: d.version + 1}, nil
	case pos.Dismiss:
		n := len(d.notices)
		d.notices = slices.DeleteFunc(d.notices, func(n pos.Notice) bool { return n.ID == do.Notice })
		if len(d.notices) == n {
			return pos.Answer{}, pos.E("dismiss", pos.NotFound, "that notice is gone")
		}
		return pos.Answer{}, nil
	case pos.Decide:
		return d.decide(c.By, do)
	case pos.NextCustomer:
		return pos.Answer{}, d.nextCustomer(do)
	}
	return pos.Answer{}, pos.E("do", pos.Invalid, "the till does not know %T", c.Do)
}

// nextCustomer ends the picture of the last sale, and of none that came after the one that is meant.
func (d *Desk) nextCustomer(do pos.NextCustomer) error {
	i := slices.IndexFunc(d.done, func(s pos.Sale) bool { return s.ID == do.Sale })
	switch {
	case do.Sale != "" && i < 0:
		return pos.E("next customer", pos.NotFound, "sale %s is not completed", do.Sale)
	case do.Sale == "" || i == len(d.done)-1:
		d.customer = pos.Customer{Phase: pos.PhaseIdle}
	}
	return nil
}

// decide ends a debt, as the real desk would.
func (d *Desk) decide(by pos.Actor, do pos.Decide) (pos.Answer, error) {
	i := slices.IndexFunc(d.owed, func(r pos.RefundView) bool { return r.Payment == do.Payment })
	switch {
	case !by.Role.Includes(pos.Manager):
		return pos.Answer{}, pos.E("decide", pos.Forbidden, "only a manager decides what becomes of this money")
	case i < 0:
		return pos.Answer{}, pos.E("decide", pos.NotFound, "nobody waits for a decision about this payment")
	case do.Came == "":
		return pos.Answer{}, pos.E("decide", pos.Invalid, "say which money this decides about")
	case do.Came != d.owed[i].Exact:
		return pos.Answer{}, pos.E("decide", pos.Conflict, "%s", pos.Word(d.shop.Language, "decide_changed", "came", d.owed[i].Came))
	case do.As == pos.AsSale && !d.owed[i].Sells, do.As == pos.GivenBack && do.Note == "", do.As != pos.AsSale && do.As != pos.GivenBack:
		return pos.Answer{}, pos.E("decide", pos.Invalid, "money is given back with a word how, or sold after all")
	}
	d.owed = slices.Delete(slices.Clone(d.owed), i, i+1)
	return d.decided(do), nil
}

func (d *Desk) begin(by pos.Actor) *pos.Sale {
	n := len(d.done) + len(d.open) + 1
	s := &pos.Sale{
		ID: pos.SaleID(fmt.Sprintf("S%011dX", d.version+1)), Ref: fmt.Sprintf("#%04d", 400+n), State: pos.Draft,
		Currency: d.shop.Currency.Code, Opened: d.Now(), By: by, NextLine: 1,
	}
	d.open = append(d.open, s)
	d.current = s.ID
	d.customer = pos.Customer{Phase: pos.PhaseIdle}
	return s
}

// find returns an open sale; empty is the current one.
func (d *Desk) find(id pos.SaleID) (*pos.Sale, error) {
	if id == "" {
		id = d.current
	}
	for _, s := range d.open {
		if s.ID == id && id != "" {
			return s, nil
		}
	}
	return nil, pos.E("find sale", pos.NotFound, "that sale is not open any more")
}

// basket returns a sale that may change, opening one where none is named.
func (d *Desk) basket(by pos.Actor, id pos.SaleID) (*pos.Sale, error) {
	if id == "" && d.current == "" {
		return d.begin(by), nil
	}
	s, err := d.find(id)
	if err == nil && s.State != pos.Draft {
		err = pos.E("change basket", pos.Conflict, "this sale is being paid; its basket cannot change")
		s = nil
	}
	return s, err
}

func (d *Desk) addItem(by pos.Actor, do pos.AddItem) (pos.Answer, error) {
	i := slices.IndexFunc(d.items, func(i pos.Item) bool { return i.SKU == do.SKU })
	if i < 0 {
		return pos.Answer{}, pos.E("add item", pos.NotFound, "no item has the number %s", do.SKU)
	}
	s, err := d.basket(by, do.Sale)
	if err != nil {
		return pos.Answer{}, err
	}
	item := d.items[i]
	if n := len(s.Lines); n > 0 && s.Lines[n-1].SKU == item.SKU {
		return d.setQty(pos.SetQty{Sale: s.ID, Line: s.Lines[n-1].ID, Qty: s.Lines[n-1].Qty + do.Qty})
	}
	return d.addLine(s, item.Name, item.SKU, do.Qty, item.Price, item.Tax)
}

func (d *Desk) addAmount(by pos.Actor, do pos.AddAmount) (pos.Answer, error) {
	if d.shop.MaxSale.Minor > 0 && do.Minor > d.shop.MaxSale.Minor {
		return pos.Answer{}, pos.E("add amount", pos.Invalid, "%s is more than this till sells at once", d.shop.Currency.Of(do.Minor))
	}
	tax := d.shop.Taxes[0]
	if do.Tax != "" {
		i := slices.IndexFunc(d.shop.Taxes, func(t pos.TaxRate) bool { return t.Code == do.Tax })
		if i < 0 {
			return pos.Answer{}, pos.E("add amount", pos.Invalid, "there is no tax %q", do.Tax)
		}
		tax = d.shop.Taxes[i]
	}
	s, err := d.basket(by, do.Sale)
	if err != nil {
		return pos.Answer{}, err
	}
	name := do.Name
	if name == "" {
		name = pos.Word(d.shop.Language, "ui.amount")
	}
	return d.addLine(s, name, "", do.Qty, d.shop.Currency.Of(do.Minor), tax)
}

func (d *Desk) addLine(s *pos.Sale, name, sku string, qty int64, price pos.Amount, tax pos.TaxRate) (pos.Answer, error) {
	line, err := pos.NewLine(name, sku, qty, price, tax)
	if err != nil {
		return pos.Answer{}, err
	}
	line.ID = s.NextLine
	s.NextLine++
	s.Lines = append(slices.Clone(s.Lines), line)
	d.customer = d.pictureOf(s)
	return pos.Answer{Sale: s.ID}, nil
}

func (d *Desk) setQty(do pos.SetQty) (pos.Answer, error) {
	s, err := d.basket(pos.Till, do.Sale)
	if err != nil {
		return pos.Answer{}, err
	}
	i := slices.IndexFunc(s.Lines, func(l pos.Line) bool { return l.ID == do.Line })
	if i < 0 {
		return pos.Answer{}, pos.E("set quantity", pos.NotFound, "there is no such line")
	}
	lines := slices.Clone(s.Lines)
	if do.Qty == 0 {
		lines = slices.Delete(lines, i, i+1)
	} else {
		l := lines[i]
		if lines[i], err = pos.NewLine(l.Name, l.SKU, do.Qty, l.Price, l.Tax); err != nil {
			return pos.Answer{}, err
		}
		lines[i].ID = l.ID
	}
	s.Lines = lines
	d.customer = d.pictureOf(s)
	return pos.Answer{Sale: s.ID}, nil
}

func (d *Desk) clear(do pos.ClearSale) (pos.Answer, error) {
	s, err := d.find(do.Sale)
	if err != nil {
		return pos.Answer{}, err
	}
	if s.OpenPayment() != nil || s.State == pos.PartPaid {
		return pos.Answer{}, pos.E("clear sale", pos.Conflict, "a payment is open or was received; cancel it first")
	}
	d.drop(s.ID)
	d.customer = pos.Customer{Phase: pos.PhaseIdle}
	return pos.Answer{Sale: s.ID}, nil
}

func (d *Desk) reopen(by pos.Actor, do pos.Reopen) (pos.Answer, error) {
	s, err := d.find(do.Sale)
	if err != nil {
		return pos.Answer{}, err
	}
	if s.State == pos.Draft || s.OpenPayment() != nil || s.State == pos.PartPaid {
		return pos.Answer{}, pos.E("go back", pos.Conflict, "this sale cannot change now")
	}
	d.drop(s.ID)
	fresh := d.begin(by)
	fresh.Lines, fresh.NextLine = s.Lines, s.NextLine
	d.customer = pos.Customer{Phase: pos.PhaseBasket, Sale: fresh.ID, Ref: fresh.Ref, Lines: fresh.Lines}
	return pos.Answer{Sale: fresh.ID}, nil
}

func (d *Desk) drop(id pos.SaleID) {
	d.open = slices.DeleteFunc(slices.Clone(d.open), func(s *pos.Sale) bool { return s.ID == id })
	if d.current == id {
		d.current = ""
	}
}

// Sale returns an open or completed sale.
func (d *Desk) Sale(id pos.SaleID) (pos.SaleView, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.open {
		if s.ID == id {
			return d.saleView(*s), nil
		}
	}
	for _, s := range d.done {
		if s.ID == id {
			return d.saleView(s), nil
		}
	}
	return pos.SaleView{}, pos.E("find sale", pos.NotFound, "there is no sale %s", id)
}

// Sales pages through completed sales, newest first.
func (d *Desk) Sales(before string, limit int) (sales []pos.SaleView, next string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := len(d.done)
	if before != "" {
		if from, err = strconv.Atoi(before); err != nil || from < 0 || from > len(d.done) {
			return nil, "", pos.E("list sales", pos.Invalid, "there is no such page")
		}
	}
	for ; from > 0 && len(sales) < limit; from-- {
		sales = append(sales, d.saleView(d.done[from-1]))
	}
	if from > 0 {
		next = strconv.Itoa(from)
	}
	return sales, next, nil
}

// Receipt returns a completed sale's receipt.
func (d *Desk) Receipt(id pos.SaleID) (pos.Receipt, error) {
	sale, err := d.Sale(id)
	switch {
	case err != nil:
		return pos.Receipt{}, err
	case sale.State != pos.Completed:
		return pos.Receipt{}, pos.E("make receipt", pos.Conflict, "sale %s is not completed", sale.Ref)
	}
	r := pos.Receipt{
		Shop: d.shop, Copy: sale.Copies, Number: sale.Receipt, Ref: sale.Ref, Cashier: sale.By.Name, At: sale.Completed,
		Lines: sale.Lines, Tax: sale.Totals.Tax, Total: sale.Totals.Total, ToPay: sale.Totals.Total, Change: sale.Change,
		Record: sale.Record, Seal: "0123456789ab", QR: "TW1 " + sale.Receipt,
	}
	for _, p := range sale.Payments {
		if !p.Covers() {
			continue
		}
		row := pos.ReceiptPayment{Tender: p.Tender, Amount: p.Amount, Network: p.Network}
		if row.Offline = p.State == pos.Accepted; row.Offline {
			row.Reference = pos.CounterRef(p.Counter)
		}
		r.Paid = append(r.Paid, row)
	}
	return r, nil
}

// Asked returns the commands that reached the desk, oldest first.
func (d *Desk) Asked() []pos.Command {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

// Done returns the completed sales, oldest first.
func (d *Desk) Done() []pos.Sale {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.done)
}

// Kitchens says which printers are told of every sale that is completed from now on.
func (d *Desk) Kitchens(printers ...string) { d.change(func() { d.kitchens = printers }) }

// Orders returns the printers of the orders that were printed again; "" is all of a sale's.
func (d *Desk) Orders() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.orders)
}

// Drawers returns the reasons for which the drawer was opened.
func (d *Desk) Drawers() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.drawers)
}

// Stall holds every command up until the returned function is called, however long that is.
func (d *Desk) Stall() (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	stall := make(chan struct{})
	d.stall = stall
	return sync.OnceFunc(func() {
		d.mu.Lock()
		d.stall = nil
		d.mu.Unlock()
		close(stall)
	})
}

// Refuse makes every command fail with err; nil ends that.
func (d *Desk) Refuse(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse = err
}

// Grey takes a tender away with a reason; "" gives it back.
func (d *Desk) Grey(t pos.Tender, reason string) {
	d.change(func() {
		grey := maps.Clone(d.grey)
		if grey[t] = reason; reason == "" {
			delete(grey, t)
		}
		d.grey = grey
	})
}

// Links sets how the connections stand.
func (d *Desk) Links(links []pos.Link, s pos.Sync) {
	d.change(func() { d.links, d.sync = links, s })
}

// Owe adds money that no open sale needed.
func (d *Desk) Owe(r pos.RefundView) {
	r.Exact = exactly(r.Came)
	d.change(func() { d.owed = append(slices.Clone(d.owed), r) })
}

// Owed returns the money that somebody must decide about.
func (d *Desk) Owed() []pos.RefundView {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.owed)
}

// More lets what came for a payment be so much, and tells no screen of it yet: the news of it
// and a tap may cross.
func (d *Desk) More(id pos.PaymentID, came string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.owed = slices.Clone(d.owed)
	i := slices.IndexFunc(d.owed, func(r pos.RefundView) bool { return r.Payment == id })
	d.owed[i].Came, d.owed[i].Exact = came, exactly(came)
}

// exactly is what a decision says that it is about: no text that people read.
func exactly(came string) string { return "exactly " + came }

// Tell shows a notice.
func (d *Desk) Tell(kind, text string, sale pos.SaleID) {
	d.change(func() { d.tell(kind, text, sale) })
}

func (d *Desk) tell(kind, text string, sale pos.SaleID) {
	n := pos.Notice{ID: d.version + 1, At: d.Now(), Kind: kind, Text: text, Sale: sale}
	d.notices = append([]pos.Notice{n}, d.notices...)
	d.notices = d.notices[:min(len(d.notices), pos.MaxNotices)]
}

func (d *Desk) change(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
	d.publish()
}
