package pos

import "time"

// PrintKind says what a print job puts out.
type PrintKind string

// Kinds of print jobs.
const (
	PrintReceipt PrintKind = "receipt" // the receipt of a completed sale, or a copy of it
	PrintTest    PrintKind = "test"    // a ruler and the shop's head
	PrintDrawer  PrintKind = "drawer"  // no paper: the drawer alone
)

// PrintJob is something a printer still owes. It is durable from the moment the
// record that asks for it is: power loss neither drops nor doubles it silently.
type PrintJob struct {
	ID     uint64    `json:"id"` // number of the record that asked for it
	Kind   PrintKind `json:"kind"`
	Sale   SaleID    `json:"sale,omitempty"`
	Record uint64    `json:"record,omitempty"` // the completing record, for PrintReceipt
	Copy   int       `json:"copy,omitempty"`   // 0 for the original
	Drawer bool      `json:"drawer,omitempty"` // open the drawer before printing
	Begun  bool      `json:"begun,omitempty"`  // bytes may be on paper already: the next try is marked as a copy
	At     time.Time `json:"at"`
}

// How long a job stays worth doing. A drawer that opens by itself after a minute
// is a danger; a receipt that comes out when the customer has long gone is litter
// (a copy can always be asked for).
const (
	DrawerWithin  = 10 * time.Second
	ReceiptWithin = 15 * time.Minute
)
