package pos

import "time"

// PrintKind says what a print job puts out.
type PrintKind string

// Kinds of print jobs.
const (
	PrintReceipt PrintKind = "receipt" // the receipt of a completed sale, or a copy of it
	PrintTicket  PrintKind = "ticket"  // what a kitchen or a bar must make, or not any more
	PrintTest    PrintKind = "test"    // a ruler and the shop's head
	PrintDrawer  PrintKind = "drawer"  // no paper: the drawer alone
)

// PrintJob is something a printer still owes. It is durable from the moment the
// record that asks for it is: power loss neither drops nor doubles it silently. A record
// asks each printer for one job at most, so that printer and ID name it.
type PrintJob struct {
	ID      uint64    `json:"id"`                // number of the record that asked for it
	Printer string    `json:"printer,omitempty"` // empty: the receipt printer
	Kind    PrintKind `json:"kind"`
	Sale    SaleID    `json:"sale,omitempty"`
	Ref     string    `json:"ref,omitempty"`    // the sale's, for PrintTicket
	Record  uint64    `json:"record,omitempty"` // the one that holds the sale: it completed it, or for PrintTicket charged it
	Copy    int       `json:"copy,omitempty"`   // 0 for the original
	Voids   uint64    `json:"voids,omitempty"`  // PrintTicket: ID of the job whose order is not wanted any more
	Drawer  bool      `json:"drawer,omitempty"` // open the drawer before printing
	Begun   bool      `json:"begun,omitempty"`  // bytes may be on paper already: the next try is marked as a copy
	At      time.Time `json:"at"`
}

// How long a job stays worth doing. A drawer that opens by itself after a minute
// is a danger; a receipt that comes out when the customer has long gone is litter
// (a copy can always be asked for); of a ticket that a kitchen did not get, somebody
// must be told while the customer still waits.
const (
	DrawerWithin  = 10 * time.Second
	ReceiptWithin = 15 * time.Minute
	TicketWithin  = 10 * time.Minute
)

// Within is how long a job of this kind stays worth doing.
func (k PrintKind) Within() time.Duration {
	switch k {
	case PrintDrawer:
		return DrawerWithin
	case PrintTicket:
		return TicketWithin
	}
	return ReceiptWithin
}
