package pos

import (
	"encoding/json"
	"time"
)

// RecordKind names what a record's body holds. A reader that does not know a
// kind keeps the record and passes over it.
type RecordKind string

// Kinds of records and, behind each, its body.
const (
	KindGenesis       RecordKind = "genesis"               // Genesis: the first record of every journal
	KindBoot          RecordKind = "boot"                  // Boot
	KindEnrolled      RecordKind = "enrolled"              // Enrolled
	KindCheckpoint    RecordKind = "checkpoint"            // Checkpoint
	KindFork          RecordKind = "fork"                  // Fork
	KindStaffChanged  RecordKind = "staff_changed"         // StaffChanged
	KindSignedIn      RecordKind = "signed_in"             // ByActor
	KindSignedOut     RecordKind = "signed_out"            // ByActor
	KindPINFailed     RecordKind = "pin_failed"            // PINFailed
	KindLineRemoved   RecordKind = "line_removed"          // LineRemoved
	KindBasketCleared RecordKind = "basket_cleared"        // BasketCleared
	KindSaleCharged   RecordKind = "sale_charged"          // SaleCharged
	KindPayment       RecordKind = "payment"               // PaymentMoved
	KindCodeTried     RecordKind = "code_tried"            // CodeTried
	KindOfflineTerms  RecordKind = "offline_terms"         // OfflineTerms
	KindTenderPolicy  RecordKind = "tender_policy"         // TenderPolicy
	KindRefundDecided RecordKind = "refund_decided"        // RefundDecided
	KindUnasked       RecordKind = "unasked"               // UnaskedCame: money that no payment waits for
	KindDust          RecordKind = "dust"                  // DustCame: much too little to ask anybody about, summed
	KindTrustOff      RecordKind = "trust_off"             // TrustChanged: a payment taken unverified was a loss
	KindTrustOn       RecordKind = "trust_on"              // TrustChanged: a manager lets the tender be taken unverified again
	KindTokenAllowed  RecordKind = "token_allowed"         // TokenAllowed
	KindDestination   RecordKind = "destination"           // DestinationChanged: where money goes
	KindConfirmed     RecordKind = "destination_confirmed" // DestinationChanged: a manager confirmed where it goes
	KindSaleCompleted RecordKind = "sale_completed"        // SaleCompleted
	KindSaleCancelled RecordKind = "sale_cancelled"        // SaleCancelled
	KindDrawerOpened  RecordKind = "drawer_opened"         // DrawerOpened
	KindReprinted     RecordKind = "reprinted"             // Reprinted
	KindTestReceipt   RecordKind = "test_receipt"          // TestPrinted
	KindPrintFailed   RecordKind = "print_failed"          // PrintFailed
	KindStopped       RecordKind = "stopped"               // Stopped: the till was shut down in order
)

// Genesis opens a journal and names the till for good.
type Genesis struct {
	Till     string `json:"till"`     // 16 hex digits, made at random
	Key      []byte `json:"key"`      // Ed25519 public key, made on the till
	Currency string `json:"currency"` // a journal has one
	Series   string `json:"series"`   // prefix of its receipt numbers: "01"
	Software string `json:"software"`
}

// Boot says that the till started.
type Boot struct {
	Software string `json:"software"`
	Torn     int64  `json:"torn,omitempty"` // bytes of an unfinished record that a power cut left

	// PowerLost: the run before did not end with Stopped.
	PowerLost bool `json:"power_lost,omitempty"`
}

// Enrolled says which backoffice the till belongs to from now on.
type Enrolled struct {
	URL  string `json:"url"`
	Key  []byte `json:"key"` // the backoffice's Ed25519 public key
	Shop string `json:"shop"`
}

// Checkpoint is the backoffice's signed word that it holds every record up to N.
type Checkpoint struct {
	Till string    `json:"till"`
	N    uint64    `json:"n"`
	Hash Hash      `json:"hash"` // of record N
	At   time.Time `json:"at"`
	Sig  []byte    `json:"sig"`
}

// Message returns the bytes that Sig signs.
func (c Checkpoint) Message() []byte {
	b, err := json.Marshal(struct {
		V    string `json:"v"`
		Till string `json:"till"`
		N    uint64 `json:"n"`
		Hash Hash   `json:"hash"`
		At   string `json:"at"`
	}{"tillwright checkpoint 1", c.Till, c.N, c.Hash, c.At.UTC().Format(timeFormat)})
	if err != nil {
		panic(err) // strings and numbers only
	}
	return b
}

// Fork says that the backoffice holds another record under one of our numbers:
// this card was cloned or restored from an old copy.
type Fork struct {
	N      uint64 `json:"n"`
	Theirs Hash   `json:"theirs"`
}

// StaffChanged says that someone may use the till from now on, or no longer. It
// never holds a PIN, nor a hash of one.
type StaffChanged struct {
	Who  Actor  `json:"who"`
	What string `json:"what"` // "added", "pin changed", "removed"
	By   Actor  `json:"by"`
}

// ByActor is the body of records that only say who.
type ByActor struct {
	By Actor `json:"by"`
}

// PINFailed counts wrong PINs in a row.
type PINFailed struct {
	Count int `json:"count"`
}

// LineRemoved says what left a basket, and at which price: that is where theft
// hides.
type LineRemoved struct {
	Sale SaleID `json:"sale"`
	Line Line   `json:"line"`
	By   Actor  `json:"by"`
}

// BasketCleared says which basket was given up before it was charged.
type BasketCleared struct {
	Sale  SaleID `json:"sale"`
	Ref   string `json:"ref"`
	Lines []Line `json:"lines"`
	Total Amount `json:"total"`
	By    Actor  `json:"by"`
}

// SaleCharged fixes a basket: from here on its lines and totals do not change.
type SaleCharged struct {
	Sale   Sale   `json:"sale"`
	Totals Totals `json:"totals"`
	By     Actor  `json:"by"`
}

// PaymentMoved holds the payment after Event.
type PaymentMoved struct {
	Payment Payment `json:"payment"`
	Event   Event   `json:"event,omitempty"` // empty when the payment was chosen
	By      Actor   `json:"by"`

	// More came for a payment that was settled before; MoreFor is the part of the sale
	// that it pays for, and the rest is over.
	More    Quantity `json:"more,omitzero"`
	MoreFor Amount   `json:"more_for,omitzero"`

	// Trusted: this is where By took the payment unverified. Missing is what an unverified
	// payment covered and did not come: the shop's loss, unless its sale was still open.
	Trusted bool   `json:"trusted,omitempty"`
	Missing Amount `json:"missing,omitzero"`

	// Astray is other money than was asked for that this record tells of for the first time.
	Astray Quantity `json:"astray,omitzero"`
}

// TrustChanged says that a tender is not taken by customers' word any more, or is again.
// KindTrustOff has all of it, KindTrustOn Tender and By.
type TrustChanged struct {
	Tender  Tender    `json:"tender"`
	Payment PaymentID `json:"payment,omitempty"` // that did not come, or not in full
	Sale    SaleID    `json:"sale,omitempty"`
	Missing Amount    `json:"missing,omitzero"` // the loss, unless its sale was still open
	Why     string    `json:"why,omitempty"`    // all that in a sentence, in the shop's language
	By      Actor     `json:"by"`
}

// RefundDecided says what became of money that no open sale needed any more.
type RefundDecided struct {
	Payment PaymentID `json:"payment"`
	As      Decision  `json:"as"`
	Sale    SaleID    `json:"sale,omitempty"`   // AsSale: the new sale that it pays for
	Amount  Amount    `json:"amount"`           // the part of a sale that the payment was asked for
	Note    string    `json:"note,omitempty"`   // how it was given back, or why it is kept
	Beside  bool      `json:"beside,omitempty"` // of money beside a sale's own: over its price, or astray; given back, Amount is zero
	By      Actor     `json:"by"`

	// Read is the money that the manager had read of, exactly: what is decided. Books of before
	// it was asked for have none.
	Read string `json:"read,omitempty"`

	// Of money that came astray: how much, and where, in words. Into is the payment that it
	// became: then Sale is what it pays for, and Amount the part of it.
	Came    Quantity  `json:"came,omitzero"`
	Network string    `json:"network,omitempty"`
	Into    PaymentID `json:"into,omitempty"`
	// Unasked: Came belonged to no payment that the till still asked about.
	Unasked bool `json:"unasked,omitempty"`

	// Of an offline payment: what the backoffice knows it by.
	Reference string `json:"reference,omitempty"`
	Counter   uint32 `json:"counter,omitempty"`
}

// Decision is what a manager does with money that no open sale needed.
type Decision string

// Decisions.
const (
	GivenBack Decision = "given back" // the customer has it again; the note says how
	// AsSale: the goods go out after all. It pays for a sale with the same lines; money that
	// came astray pays for its own sale, while that is open.
	AsSale Decision = "as sale"
)

// SaleCompleted is the sale as sold, with everything a receipt and a report need.
// Its Receipt number is allocated in this record and nowhere else.
type SaleCompleted struct {
	Sale     Sale   `json:"sale"`
	Totals   Totals `json:"totals"`
	Rounding Amount `json:"rounding"` // of cash; the customer's loss is positive
	Change   Amount `json:"change"`
	By       Actor  `json:"by"`
	Count    uint64 `json:"count"`    // completed sales so far, this one included
	Turnover Amount `json:"turnover"` // their totals so far, this one included
}

// SaleCancelled gives a charged sale up; nothing had been received.
type SaleCancelled struct {
	Sale   SaleID `json:"sale"`
	Ref    string `json:"ref"`
	Total  Amount `json:"total"`
	Into   SaleID `json:"into,omitempty"` // the basket that its lines went on in
	Reason string `json:"reason"`
	By     Actor  `json:"by"`
}

// DrawerOpened says that the drawer opened without a sale.
type DrawerOpened struct {
	Reason string `json:"reason"`
	By     Actor  `json:"by"`
}

// Reprinted counts copies of a receipt, or says which printers get their tickets again.
type Reprinted struct {
	Sale SaleID `json:"sale"`
	Copy int    `json:"copy"` // of the receipt, from 1; 0 for tickets
	By   Actor  `json:"by"`

	Printers []string `json:"printers,omitempty"` // of tickets; none: the receipt is printed
	Ref      string   `json:"ref,omitempty"`      // the sale's, for tickets
	Record   uint64   `json:"record,omitempty"`   // for tickets, the one that holds the sale
}

// TestPrinted says who had a printer's test page printed.
type TestPrinted struct {
	Printer string `json:"printer,omitempty"` // empty: the receipt printer
	By      Actor  `json:"by"`
}

// PrintFailed says that a paper was given up: the printer did not take it in time.
type PrintFailed struct {
	Job PrintJob `json:"job"`
	Why string   `json:"why"`
}

// Stopped is empty. A Boot that follows anything else follows a loss of power.
type Stopped struct{}

// NewBody encodes v as a record's body. It panics when v cannot be encoded: all
// bodies are ours.
func NewBody(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("pos: body: " + err.Error())
	}
	return b
}
