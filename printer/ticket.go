package printer

import (
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Ticket is what a kitchen or a bar must make: no prices, large letters, and a
// number to call. It is no receipt and may come out twice; then it says so.
type Ticket struct {
	Station string // "KITCHEN", printed large at the top
	Ref     string // "#0417": what is called out, as large as it fits
	Kind    string // "", or what has changed: "VOID", "CHANGED"; large, top and bottom
	Copy    int    // 0 for the first
	Unsure  bool   // printing was interrupted: this may be a second one
	Cashier string
	At      time.Time // in the shop's zone
	Lines   []TicketLine
}

// TicketLine is one dish or drink.
type TicketLine struct {
	Qty  int64 // thousandths, as in pos.Line; below zero what is taken back
	Name string
	Note string // "no onions"; its own line
}

// LayoutTicket sets a ticket in cols columns (see Layout), in shop's language. It
// beeps when it is out: a cook does not look at a printer.
func LayoutTicket(t Ticket, shop pos.Shop, cols int) Document {
	s := newSheet(shop, cols)
	s.ticketBanners(t)
	if t.Station != "" {
		s.centre(t.Station, high)
	}
	s.centre(t.Ref, loud)
	s.pair(t.At.Format("2006-01-02 15:04"), t.Cashier, Style{})
	s.rule()
	for _, l := range t.Lines {
		s.dish(l)
	}
	s.rule()
	s.ticketBanners(t)
	s.feed(1)
	d := s.end()
	d.Rows = append(d.Rows, Beep{})
	return d
}

func (s *sheet) ticketBanners(t Ticket) {
	if t.Kind != "" {
		s.centre(t.Kind, loud)
	}
	switch {
	case t.Unsure:
		s.centre(s.word("copy_unsure"), loud)
	case t.Copy > 0:
		s.centre(s.word("copy", "n", pos.FormatQty(int64(t.Copy)*1000)), loud)
	}
}

// dish is one line: quantity and name large, what to mind indented below.
func (s *sheet) dish(l TicketLine) {
	qty := pos.FormatQty(l.Qty)
	for i, text := range wrap(Clean(l.Name), s.cols-Cells(qty)-1, 0) {
		if i > 0 {
			qty = pad(Cells(qty))
		}
		s.line(qty+" "+text, high)
	}
	sign := "> "
	for _, text := range wrap(Clean(l.Note), s.cols-Cells(qty)-3, 0) {
		if strings.TrimSpace(text) != "" {
			s.line(pad(Cells(qty)+1)+sign+text, strong)
			sign = "  "
		}
	}
}
