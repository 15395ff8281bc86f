package pos

import (
	"fmt"
	"time"
)

// OfflineRule is a tender's policy for when the till is cut off from what proves
// its payments.
type OfflineRule string

// Offline rules. Cash needs none: it always goes on.
const (
	OnlineOnly   OfflineRule = "online only"   // without the line the button is grey
	PreferOnline OfflineRule = "prefer online" // without the line a manager may take it, within the limits
	AllowOffline OfflineRule = "allow offline" // without the line anybody may, within the limits
)

// OfflineLimits bound what a shop risks by selling unproven. A zero field refuses
// everything: a limit is never missing by accident.
type OfflineLimits struct {
	PerSale int64         `json:"per_sale"` // minor units of one payment
	Total   int64         `json:"total"`    // minor units of all payments that are not proven yet, the next one included
	Sales   int           `json:"sales"`    // their number, the next one included
	Age     time.Duration `json:"age"`      // of the oldest of them, nanoseconds
}

// Within returns the tighter of both in every field.
func (l OfflineLimits) Within(o OfflineLimits) OfflineLimits {
	return OfflineLimits{min(l.PerSale, o.PerSale), min(l.Total, o.Total), min(l.Sales, o.Sales), min(l.Age, o.Age)}
}

// OfflineTerms are what the backoffice granted for selling without a line. It is
// the body of a record each time that they change; the key itself never is.
type OfflineTerms struct {
	Tender  Tender        `json:"tender"`
	Device  string        `json:"device"` // names the key
	Epoch   uint8         `json:"epoch"`
	Host    string        `json:"host"`    // where customers' phones go
	Highest uint32        `json:"highest"` // counter that the backoffice knows of; ours goes on above it
	Limits  OfflineLimits `json:"limits"`
	Enabled bool          `json:"enabled"`
	Why     string        `json:"why,omitempty"`     // why not, in a cashier's words
	Refuted bool          `json:"refuted,omitempty"` // the till itself switched this device off: a code was right and there was no money
}

// SamePlace reports that o grants the same as t: how far counters are does not matter.
func (t OfflineTerms) SamePlace(o OfflineTerms) bool {
	t.Highest = o.Highest
	return t == o
}

// TenderPolicy says how a tender is taken from now on.
type TenderPolicy struct {
	Tender Tender        `json:"tender"`
	Rule   OfflineRule   `json:"rule"`
	Limits OfflineLimits `json:"limits"` // of this till; the backoffice's may be tighter
}

// Proof is what arithmetic says of a code.
type Proof string

// Proofs. Only ProofWrong counts as a guess.
const (
	ProofRight Proof = "right"
	ProofWrong Proof = "wrong"
	ProofOther Proof = "other" // scanned off the page of another sale
	ProofForm  Proof = "form"  // no six digits: a slip of the keys
)

// CodeTried says that somebody typed a customer's code. It never holds the code.
type CodeTried struct {
	Sale    SaleID    `json:"sale"`
	Payment PaymentID `json:"payment,omitempty"` // that it proved; empty when it proved none
	Right   bool      `json:"right"`
	Other   bool      `json:"other,omitempty"` // scanned off another sale's page; not counted
	Wrong   int       `json:"wrong"`           // wrong ones for this sale so far, this one included
	By      Actor     `json:"by"`
}

// CounterRef is how people name an offline request: "#0417". Till, wallet and the
// payer's page show the same.
func CounterRef(counter uint32) string { return fmt.Sprintf("#%04d", counter) }

// Bounds on guessing a code: three tries at one in a million for each sale, and ten
// wrong ones in an hour stop offline payments for the till.
const (
	MaxWrongCodes     = 3  // a sale; then a manager types
	MaxWrongCodesHour = 10 // the till
	WrongCodesWithin  = time.Hour
)

// OfflineView is what screens show of taking a tender without a line.
type OfflineView struct {
	Now     bool      `json:"now"`             // this is how the next payment would be taken
	Manager bool      `json:"manager"`         // a manager has to agree
	Why     string    `json:"why,omitempty"`   // why it cannot be, when the tender is not ready otherwise
	Sales   int       `json:"sales,omitempty"` // payments taken that are not proven yet
	Amount  Amount    `json:"amount,omitzero"` // their sum
	Oldest  time.Time `json:"oldest,omitzero"` // when the first was taken
	PerSale Amount    `json:"per_sale,omitzero"`
	Total   Amount    `json:"total,omitzero"` // the limit of Amount
	Most    int       `json:"most,omitempty"` // the limit of Sales
	// Off says which loss switched it off, until a manager allows it again.
	Off string `json:"off,omitempty"`
}
