package printer

import (
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// LayoutTicket sets a ticket in cols columns (see Layout), in shop's language: as large
// as a cook reads it at arm's length, without a price. It has one paper for each of
// t.Copies. What is not to be made says so first and last, and its lines are small: it
// cannot be taken for an order.
func LayoutTicket(t pos.Ticket, shop pos.Shop, cols int) Document {
	s := newSheet(shop, cols)
	for range min(max(t.Copies, 1), maxCopies) {
		s.ticket(t)
		s.end()
	}
	return s.doc
}

// maxCopies bounds the papers of one ticket.
const maxCopies = 5

func (s *sheet) ticket(t pos.Ticket) {
	s.ticketBanners(t)
	s.centre(t.Station, high)
	s.centre(t.Ref, loud)
	if t.Of > 1 {
		s.centre(s.word("ticket_part", "n", strconv.Itoa(t.Part), "of", strconv.Itoa(t.Of)), strong)
	}
	s.rule()
	size := loud
	if t.Void {
		size = strong
	}
	for i, l := range t.Lines {
		if i > 0 && !t.Void {
			s.feed(1)
		}
		s.dish(l, size)
	}
	s.rule()
	at := t.At.Format("15:04")
	if t.Unclear {
		at += "?" // nobody vouches for the clock
	}
	s.pair(at, t.Cashier, high)
	s.pair(t.At.Format("2006-01-02"), t.Till, Style{})
	s.ticketBanners(t)
}

// ticketBanners says what this paper is when it is no first order.
func (s *sheet) ticketBanners(t pos.Ticket) {
	if t.Void {
		s.centre(s.word("ticket_void"), loud)
		s.centre(s.word("ticket_void_do"), strong)
	}
	if t.Again || t.Unsure {
		s.centre(s.word("ticket_again"), loud)
	}
	if (t.Again || t.Unsure) && !t.Void {
		s.centre(s.word("ticket_again_why"), strong)
	}
}

// dish is one line: quantity and name. A word that would break is set narrower: half a
// word is read wrongly.
func (s *sheet) dish(l pos.TicketLine, size Style) {
	qty := Clean(s.number(pos.FormatQty(l.Qty)))
	if widest(Clean(l.Name)) > s.room(size)-Cells(qty)-1 {
		size.Wide = false
	}
	for i, text := range wrap(Clean(l.Name), s.room(size)-Cells(qty)-1, 0) {
		if i > 0 {
			qty = pad(Cells(qty))
		}
		s.put(qty+" "+text, size)
	}
}

// widest is the width of the widest word in cells.
func widest(text string) int {
	n := 0
	for _, word := range strings.Fields(text) {
		n = max(n, Cells(word))
	}
	return n
}
