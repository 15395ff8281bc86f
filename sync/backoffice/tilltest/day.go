package tilltest

import (
	"fmt"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Taxes of the coffee shop: food, drinks, and what is free of tax.
var (
	food   = pos.TaxRate{Code: "A", Name: "VAT", Milli: 10_000, Included: true}
	drinks = pos.TaxRate{Code: "B", Name: "VAT", Milli: 20_000, Included: true}
	free   = pos.TaxRate{Code: "C", Name: "VAT", Milli: 0, Included: true}
)

// menu is what the coffee shop sells, in minor units of two decimals.
var menu = []struct {
	name, sku string
	price     int64
	tax       pos.TaxRate
	weight    int // how often
}{
	{"Espresso", "esp", 260, drinks, 18}, {"Cappuccino", "cap", 390, drinks, 22}, {"Flat white", "flat", 420, drinks, 12},
	{"Tea", "tea", 340, drinks, 8}, {"Croissant", "cro", 280, food, 16}, {"Cheesecake", "che", 490, food, 8},
	{"Sandwich", "san", 650, food, 7}, {"Beans 250 g", "bean", 1190, food, 3}, {"Gift card", "gift", 2000, free, 1},
	{"Lemonade", "lem", 410, drinks, 5},
}

// staff works there.
var staff = []pos.Actor{{ID: "s1", Name: "Anna", Role: pos.Cashier}, {ID: "s2", Name: "Ben", Role: pos.Cashier}, {ID: "s3", Name: "Carla", Role: pos.Manager}}

// rounding is that of a country whose smallest coin is five cents.
var rounding = pos.Rounding{Step: 5}

// Day makes this many sales from half past seven to seven in the evening of the
// day that begins at midnight, and some of what else happens.
func (t *Till) Day(midnight time.Time, sales int) {
	open, long := midnight.Add(7*time.Hour+30*time.Minute), 11*time.Hour+30*time.Minute
	for i := range sales {
		t.Wait(open.Add(long * time.Duration(i) / time.Duration(max(sales, 1))))
		t.Sell()
		t.odd(i)
	}
}

// odd adds what happens beside sales.
func (t *Till) odd(i int) {
	who := staff[i%len(staff)]
	switch {
	case i%31 == 11:
		t.Add(pos.KindLineRemoved, pos.LineRemoved{Sale: "REMOVED", Line: t.line(1, 0), By: who})
	case i%53 == 20:
		t.Add(pos.KindDrawerOpened, pos.DrawerOpened{Reason: "change for the parking meter", By: who})
	case i%67 == 30:
		t.Add(pos.KindReprinted, pos.Reprinted{Sale: "REPRINT", Copy: 1, By: who})
	case i%97 == 40:
		l := t.line(1, 1)
		t.Add(pos.KindBasketCleared, pos.BasketCleared{Sale: "CLEARED", Ref: "#0040", Lines: []pos.Line{l}, Total: l.Total, By: who})
	}
}

// line makes a line of the menu's item.
func (t *Till) line(id, item int) pos.Line {
	m := menu[item]
	qty := int64(1000)
	if t.rng.IntN(4) == 0 {
		qty = 2000
	}
	l, err := pos.NewLine(m.name, m.sku, qty, t.Currency.Of(m.price), m.tax)
	must(err)
	l.ID = id
	return l
}

func (t *Till) pick() int {
	sum := 0
	for _, m := range menu {
		sum += m.weight
	}
	n := t.rng.IntN(sum)
	for i, m := range menu {
		if n -= m.weight; n < 0 {
			return i
		}
	}
	return 0
}

// Sell makes one sale: charged, paid in cash, over Lightning or in parts, and
// completed. It returns the record that completes it.
func (t *Till) Sell() pos.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	by := staff[t.rng.IntN(len(staff))]
	s := pos.Sale{
		ID: pos.SaleID(fmt.Sprintf("%013X", t.rng.Uint64()>>12)), Ref: fmt.Sprintf("#%04d", (t.sales+1)%10000),
		State: pos.Awaiting, Currency: t.Currency.Code, Opened: t.at, By: by,
	}
	for i := range 1 + t.rng.IntN(3) {
		s.Lines = append(s.Lines, t.line(i+1, t.pick()))
	}
	s.NextLine = len(s.Lines) + 1
	totals, err := s.Totals()
	must(err)
	t.add(pos.KindSaleCharged, pos.SaleCharged{Sale: s, Totals: totals, By: by})
	switch due := totals.Total; {
	case t.rng.IntN(20) == 0 && due.Minor > 400: // in parts
		t.lightning(&s, t.Currency.Of(200), by)
		t.cash(&s, t.Currency.Of(due.Minor-200), by)
	case t.rng.IntN(100) < 45:
		t.lightning(&s, due, by)
	default:
		t.cash(&s, due, by)
	}
	return t.complete(s, totals, by)
}

func (t *Till) complete(s pos.Sale, totals pos.Totals, by pos.Actor) pos.Record {
	var err error
	t.sales++
	t.turnover, err = t.turnover.Add(totals.Total)
	must(err)
	s.State, s.Completed, s.Record = pos.Completed, t.at, uint64(len(t.records)+1)
	s.Receipt = pos.ReceiptNumber(t.Genesis.Series, t.sales)
	b := pos.SaleCompleted{Sale: s, Totals: totals, Rounding: t.Currency.Zero(), Change: t.Currency.Zero(), By: by, Count: t.sales, Turnover: t.turnover}
	for _, p := range s.Payments {
		if p.Tender == pos.Cash {
			b.Rounding, b.Change = p.Rounding, p.Change
		}
	}
	return t.add(pos.KindSaleCompleted, b)
}

func (t *Till) cash(s *pos.Sale, part pos.Amount, by pos.Actor) {
	due := rounding.Due(part)
	given := t.Currency.Of((due.Minor + 499) / 500 * 500)
	p := t.payment(s, pos.Cash, part)
	p.Given, p.Change = given, t.Currency.Of(given.Minor-due.Minor)
	p.Rounding = t.Currency.Of(due.Minor - part.Minor)
	t.move(s, p, by, pos.Settle)
}

// lightning pays a part of a sale at 58,123.40 for a bitcoin.
func (t *Till) lightning(s *pos.Sale, part pos.Amount, by pos.Actor) {
	rate, err := pos.RateOf(t.Currency, pos.Bitcoin, "58123.40", "median of 3", t.at)
	must(err)
	p := t.payment(s, "lightning", part)
	p.Rate, p.Network, p.Reference = &rate, "Lightning", t.paymentHash()
	p.Quantity, err = rate.Charge(part)
	must(err)
	p.Expires = t.at.Add(10 * time.Minute)
	p = t.move(s, p, by, pos.Request)
	p.Received = p.Quantity
	t.move(s, p, pos.Till, pos.Settle)
}

func (t *Till) payment(s *pos.Sale, tender pos.Tender, part pos.Amount) pos.Payment {
	n := len(s.Payments) + 1
	p := pos.Payment{ID: pos.PaymentIDOf(s.ID, n), Sale: s.ID, Attempt: n, Tender: tender, State: pos.Intended, Amount: part, At: t.at, Moved: t.at}
	s.Payments = append(s.Payments, p)
	return p
}

func (t *Till) move(s *pos.Sale, p pos.Payment, by pos.Actor, ev pos.Event) pos.Payment {
	t.at = t.at.Add(3 * time.Second)
	must(p.Apply(ev, t.at))
	p.Final = ev == pos.Settle || ev == pos.Cancel || ev == pos.Expire || ev == pos.Fail // as Lightning's are
	s.Payments[p.Attempt-1] = p
	t.add(pos.KindPayment, pos.PaymentMoved{Payment: p, Event: ev, By: by})
	return p
}

// SellOffline makes one sale that is paid on a code while the till has no line: its
// payment is accepted, and settled by nobody yet.
func (t *Till) SellOffline(token string, counter uint32) pos.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	by := staff[0]
	s, totals := t.charged()
	p := t.payment(&s, "lightning", totals.Total)
	p.Offline, p.Counter, p.Reference, p.Network = true, counter, token, "Lightning"
	p = t.move(&s, p, by, pos.Request)
	p.Taken = true
	t.move(&s, p, by, pos.Accept)
	return t.complete(s, totals, by)
}

// Prove settles the payments of a sale that SellOffline made, at 58,123.40 for a bitcoin.
func (t *Till) Prove(sale pos.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b pos.SaleCompleted
	must(sale.Decode(&b))
	for _, p := range b.Sale.Payments {
		rate, err := pos.RateOf(t.Currency, pos.Bitcoin, "58123.40", "median of 3", t.at)
		must(err)
		p.Rate = &rate
		p.Quantity, err = rate.Charge(p.Amount)
		must(err)
		p.Received = p.Quantity
		t.move(&b.Sale, p, pos.Till, pos.Settle)
	}
}

// Stray makes a Lightning payment that settles after its sale was given up: the
// owner owes a refund.
func (t *Till) Stray() {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := pos.Sale{ID: pos.SaleID(fmt.Sprintf("%013X", t.rng.Uint64()>>12)), Currency: t.Currency.Code}
	rate, err := pos.RateOf(t.Currency, pos.Bitcoin, "58123.40", "median of 3", t.at)
	must(err)
	p := t.payment(&s, "lightning", t.Currency.Of(390))
	p.Rate, p.Network, p.Reference = &rate, "Lightning", t.paymentHash()
	p.Quantity, err = rate.Charge(p.Amount)
	must(err)
	p = t.move(&s, p, staff[0], pos.Request)
	p = t.move(&s, p, pos.Till, pos.Expire)
	p.Received, p.Refundable = p.Quantity, true
	t.move(&s, p, pos.Till, pos.Settle)
}

// SellToken makes one sale of the menu's first item that is paid with a token, of which
// network says the name in words.
func (t *Till) SellToken(tender pos.Tender, network string) pos.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, totals := t.charged()
	p := t.token(&s, tender, network, totals.Total)
	p.Received = p.Quantity
	t.move(&s, p, pos.Till, pos.Settle)
	return t.complete(s, totals, staff[0])
}

// StrayToken is a token that settles after its sale was given up. It returns the sale's
// reference.
func (t *Till) StrayToken(tender pos.Tender, network string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, totals := t.charged()
	charged := uint64(len(t.records))
	p := t.token(&s, tender, network, totals.Total)
	p.Charged = charged
	p = t.move(&s, p, pos.Till, pos.Expire)
	p.Received, p.Refundable = p.Quantity, true
	t.move(&s, p, pos.Till, pos.Settle)
	return s.Ref
}

// charged is a sale of one item, charged.
func (t *Till) charged() (pos.Sale, pos.Totals) {
	s := pos.Sale{ID: pos.SaleID(fmt.Sprintf("%013X", t.rng.Uint64()>>12)), Ref: fmt.Sprintf("#%04d", (t.sales+1)%10000),
		State: pos.Awaiting, Currency: t.Currency.Code, Opened: t.at, By: staff[0], Lines: []pos.Line{t.line(1, 0)}, NextLine: 2}
	totals, err := s.Totals()
	must(err)
	t.add(pos.KindSaleCharged, pos.SaleCharged{Sale: s, Totals: totals, By: staff[0]})
	return s, totals
}

// token asks for a token that is worth what the shop's currency is.
func (t *Till) token(s *pos.Sale, tender pos.Tender, network string, part pos.Amount) pos.Payment {
	p := t.payment(s, tender, part)
	p.Network, p.Reference = network, t.paymentHash()
	p.Quantity = pos.Asset{ID: string(tender), Symbol: "EURC", Decimals: 6, Shown: 4}.UnitsOf(part.Minor * 10_000)
	return t.move(s, p, staff[0], pos.Request)
}
