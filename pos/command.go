package pos

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Command is what a screen, a keypad or a scanner asks of the till. A command
// repeated with the same Key gets the same Answer and happens once; the same Key
// with other content is refused with Conflict.
type Command struct {
	Key string // Idempotency-Key, 1 to MaxKey bytes
	By  Actor  // who asks; checked by whoever made the Command
	Do  Action
}

// MaxKey bounds an Idempotency-Key.
const MaxKey = 64

// Digest identifies the content of the command, who asks left out: the next
// shift may repeat a command that the last one's line swallowed.
func (c Command) Digest() string {
	b, err := json.Marshal(c.Do)
	if err != nil {
		panic("pos: command: " + err.Error())
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%T %s", c.Do, b))
	return hex.EncodeToString(sum[:12])
}

// Answer names what a command made. It holds nothing that changes later, so a
// repeated command can be answered from the records alone.
type Answer struct {
	Sale    SaleID    `json:"sale,omitempty"`
	Payment PaymentID `json:"payment,omitempty"`
	Record  uint64    `json:"record,omitempty"`
	Wrong   int       `json:"wrong,omitempty"` // the code was wrong: that many wrong ones for this sale so far
	Other   bool      `json:"other,omitempty"` // the code was scanned off another sale's page
}

// Action is one of the types below.
type Action interface{ action() }

// NoSale stands for a sale where a command may say that none is meant.
const NoSale SaleID = "none"

// Actions. Sale may be left empty where the current sale is meant; a command
// that needs a basket opens one.
type (
	// OpenSale puts the current sale aside and starts an empty one. Sale is the one that whoever asks has before him, NoSale
	// for none: when another one is at the counter by now, it is refused with Conflict.
	OpenSale struct {
		Sale SaleID `json:",omitempty"` // left out, a command of before has the digest that it had
	}
	// SwitchTo makes an open sale the current one.
	SwitchTo struct{ Sale SaleID }
	// AddItem adds Qty thousandths of a catalogue item; whole pieces more of the last line's item add to that line. SKU may be a code on
	// the goods instead. Minor is the price of one, as a label says it; 0 is the catalogue's.
	AddItem struct {
		Sale  SaleID
		SKU   string
		Qty   int64
		Minor int64 `json:",omitempty"` // left out, a command of before has the digest that it had
	}
	// AddAmount adds a line with a price typed on the keypad. Tax is a code of the shop's; empty is its first.
	AddAmount struct {
		Sale  SaleID
		Name  string
		Minor int64
		Qty   int64
		Tax   string
	}
	// SetQty changes a line's quantity; 0 removes it.
	SetQty struct {
		Sale SaleID
		Line int
		Qty  int64
	}
	// ClearSale gives a basket up, or a charged sale with nothing received.
	ClearSale struct{ Sale SaleID }
	// Reopen goes back to the basket of a charged sale with nothing received: the sale is given up, and its lines are a new basket.
	Reopen struct{ Sale SaleID }
	// Pay charges the sale and starts a payment. Given is cash handed over in minor units; 0 is exact. Amount is the part of the
	// sale to pay, 0 for all that is due.
	Pay struct {
		Sale   SaleID
		Tender Tender
		Given  int64
		Amount int64
	}
	// CancelPayment withdraws the open payment after asking its rail. Despite lets a manager go on when the rail does not answer.
	CancelPayment struct {
		Sale    SaleID
		Payment PaymentID
		Despite bool
	}
	// TakeUnverified goes on by the customer's word: the open payment's network does not answer, and within the limits the
	// payment covers its part of the sale until the network does. The tender's rule says whether it needs a manager.
	TakeUnverified struct {
		Sale    SaleID
		Payment PaymentID
	}
	// AllowUnverified lets a tender be taken by customers' word again, after a loss had switched that off. It needs a manager.
	AllowUnverified struct{ Tender Tender }
	// AllowToken takes a token that is off its value at the market's price, which the manager saw, for a while; with Off, not any more.
	AllowToken struct {
		Token string
		Price string
		Off   bool
	}
	// ConfirmDestination confirms that the money of some tenders goes to an address that was changed. It needs a manager, who saw it.
	ConfirmDestination struct{ Name, Address string }
	// EnterCode tries what a customer brings back from an offline request: six digits, typed or as the payer's page shows
	// them to a scanner. A wrong code is an answer (Answer.Wrong), no error.
	EnterCode struct {
		Sale SaleID
		Code string
	}
	// ShowOther shows a request for a phone's camera instead of its wallet, or back.
	ShowOther struct {
		Sale SaleID
		On   bool
	}
	// ShowForm shows the open payment's request in another of its forms, by name.
	ShowForm struct {
		Sale SaleID
		Form string
	}
	// Decide ends the till's debt to a customer whose money no open sale needed, or came astray. It needs a manager, and decides
	// about what he read: Came is the RefundView's Exact. Conflict: it is another quantity by now.
	Decide struct {
		Payment PaymentID
		As      Decision
		Note    string
		Came    string `json:",omitempty"` // left out, a command of before has the digest that it had; a new one is Invalid
	}
	// Reprint prints a copy of a completed sale's receipt; with Ticket, what kitchen and bar were told of a sale, once more: to
	// all of them, or to one Printer. A charged sale has tickets, too.
	Reprint struct {
		Sale    SaleID
		Ticket  bool   `json:",omitempty"`
		Printer string `json:",omitempty"`
	}
	// PrintTestPage prints the test page of one printer, the receipt printer's for an empty name. It needs a manager.
	PrintTestPage struct{ Printer string }
	// OpenDrawer opens the drawer without a sale.
	OpenDrawer struct{ Reason string }
	// Dismiss takes a notice off the screen.
	Dismiss struct{ Notice uint64 }
	// NextCustomer ends the PAID or CHANGE picture of a completed sale, by default the last one's. The picture of a sale before
	// that has ended already: nothing happens.
	NextCustomer struct {
		Sale SaleID `json:",omitempty"` // left out, a command of before has the digest that it had
	}
)

func (OpenSale) action()           {}
func (SwitchTo) action()           {}
func (AddItem) action()            {}
func (AddAmount) action()          {}
func (SetQty) action()             {}
func (ClearSale) action()          {}
func (Reopen) action()             {}
func (Pay) action()                {}
func (CancelPayment) action()      {}
func (TakeUnverified) action()     {}
func (AllowUnverified) action()    {}
func (AllowToken) action()         {}
func (ConfirmDestination) action() {}
func (EnterCode) action()          {}
func (ShowOther) action()          {}
func (ShowForm) action()           {}
func (Decide) action()             {}
func (Reprint) action()            {}
func (PrintTestPage) action()      {}
func (OpenDrawer) action()         {}
func (Dismiss) action()            {}
func (NextCustomer) action()       {}
