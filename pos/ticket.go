package pos

import (
	"slices"
	"strings"
	"time"
)

// TicketTime says when a printer gets its ticket.
type TicketTime string

// Ticket times. A shop that cooks before it is paid prints when the sale is charged;
// then a sale that is given up prints once more, as cancelled.
const (
	WhenCompleted TicketTime = "completed"
	WhenCharged   TicketTime = "charged"
)

// Route says which goods a printer besides the receipt printer is told of. An item goes
// to the first route that names it, by its SKU or its category, capitals aside.
type Route struct {
	Printer    string // never empty: that is the receipt printer
	Categories []string
	SKUs       []string
	When       TicketTime
	Copies     int // papers of each ticket; 0 is one
}

// Takes reports that the route names an item.
func (r Route) Takes(sku, category string) bool {
	named := func(s string) bool { return category != "" && strings.EqualFold(s, category) }
	return sku != "" && (slices.Contains(r.SKUs, sku) || slices.ContainsFunc(r.Categories, named))
}

// TicketOrder is what one printer is told of a sale. It is fixed when the sale is
// charged: a shop that changes its routes meanwhile still takes back what it ordered.
type TicketOrder struct {
	Printer string     `json:"printer"`
	Lines   []int      `json:"lines"` // their IDs, in the sale's order
	When    TicketTime `json:"when"`
	Copies  int        `json:"copies,omitempty"`
	// Missed: the printer gave the ticket up before any of it was on paper, so that
	// there is nothing to take back. Known to the till alone.
	Missed bool `json:"missed,omitempty"`
}

// Orders parts lines among routes; category tells an item's, "" for none. Each line is
// in one order at most, and an order has a line at least.
func Orders(lines []Line, routes []Route, category func(sku string) string) []TicketOrder {
	var out []TicketOrder
	for i, r := range routes {
		var ids []int
		for _, l := range lines {
			takes := func(r Route) bool { return r.Takes(l.SKU, category(l.SKU)) }
			if slices.IndexFunc(routes, takes) == i {
				ids = append(ids, l.ID)
			}
		}
		if len(ids) > 0 {
			out = append(out, TicketOrder{Printer: r.Printer, Lines: ids, When: r.When, Copies: r.Copies})
		}
	}
	return out
}

// Ticket is what a kitchen or a bar must make: no prices, and a number to call. It is no
// receipt and may come out twice; then it says so.
type Ticket struct {
	Station  string // the printer's name
	Ref      string // "#0417": what is called out
	Void     bool   // what an earlier ticket ordered is not wanted any more
	Again    bool   // somebody asked for it once more
	Unsure   bool   // printing was interrupted: this may be a second one
	Part, Of int    // one of several tickets of this sale, from 1
	Copies   int    // papers of it, at least one
	Till     string
	Cashier  string
	At       time.Time // in the shop's zone
	Unclear  bool      // the clock is not to be believed
	Lines    []TicketLine
}

// TicketLine is one dish or drink.
type TicketLine struct {
	Qty  int64 // thousandths, as in Line
	Name string
}

// NewTicket makes the ticket of one printer from the record that charged or completed
// its sale. zone is the shop's. It fails with Conflict for any other record, and with
// NotFound when the sale has nothing for that printer.
func NewTicket(shop Shop, r Record, printer string, zone *time.Location) (Ticket, error) {
	var b struct { // what SaleCharged and SaleCompleted share
		Sale Sale  `json:"sale"`
		By   Actor `json:"by"`
	}
	if r.Kind != KindSaleCharged && r.Kind != KindSaleCompleted {
		return Ticket{}, E("make ticket", Conflict, "record %d holds no sale", r.N)
	}
	if err := r.Decode(&b); err != nil {
		return Ticket{}, err
	}
	i := slices.IndexFunc(b.Sale.Tickets, func(o TicketOrder) bool { return o.Printer == printer })
	if i < 0 {
		return Ticket{}, E("make ticket", NotFound, "sale %s has nothing for %s", b.Sale.Ref, printer)
	}
	o := b.Sale.Tickets[i]
	t := Ticket{
		Station: printer, Ref: b.Sale.Ref, Copies: max(o.Copies, 1), Till: shop.Till, Cashier: b.Sale.By.Name,
		At: r.At.In(zone), Unclear: r.Clock != ClockTrusted,
	}
	if n := len(b.Sale.Tickets); n > 1 {
		t.Part, t.Of = i+1, n
	}
	for _, l := range b.Sale.Lines {
		if slices.Contains(o.Lines, l.ID) {
			t.Lines = append(t.Lines, TicketLine{Qty: l.Qty, Name: l.Name})
		}
	}
	return t, nil
}
