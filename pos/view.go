package pos

import "time"

// View is everything that the screens show, made anew after every change. The
// newest View replaces all older ones: a screen that was asleep needs no history.
type View struct {
	Version  uint64   `json:"version"` // rises with every change
	Shop     Shop     `json:"shop"`
	Customer Customer `json:"customer"` // everybody may see it
	Counter  Counter  `json:"counter"`  // only who is signed in may see it
}

// Phase says which picture the customer sees.
type Phase string

// Phases of the customer's picture.
const (
	PhaseIdle     Phase = "idle"
	PhaseBasket   Phase = "basket"
	PhaseDue      Phase = "due"      // amount, QR, countdown
	PhaseArriving Phase = "arriving" // the payment was seen
	PhasePaid     Phase = "paid"     // stays until the next sale begins
	PhaseChange   Phase = "change"   // paid in cash: what comes back
	PhaseRefused  Phase = "refused"  // expired, cancelled or failed: what to do now
	PhaseChecking Phase = "checking" // no answer: neither paid nor unpaid
)

// Customer is the customer's picture, in values.
type Customer struct {
	Phase    Phase     `json:"phase"`
	Sale     SaleID    `json:"sale,omitempty"`
	Ref      string    `json:"ref,omitempty"`
	Lines    []Line    `json:"lines,omitempty"`
	Tax      []TaxRow  `json:"tax,omitempty"`
	Total    Amount    `json:"total,omitzero"`
	Due      Amount    `json:"due,omitzero"`
	Tender   Tender    `json:"tender,omitempty"`
	Network  string    `json:"network,omitempty"`  // "Lightning"
	Quantity string    `json:"quantity,omitempty"` // "20340 sat"
	Rate     string    `json:"rate,omitempty"`     // "1 BTC = 58123.40 EUR"
	QR       string    `json:"qr,omitempty"`       // exact text of the code
	Link     string    `json:"link,omitempty"`     // for a phone that shows this page itself: "lightning:lnbc…"
	Expires  time.Time `json:"expires,omitzero"`
	Given    Amount    `json:"given,omitzero"`
	Change   Amount    `json:"change,omitzero"`
	Receipt  string    `json:"receipt,omitempty"`
	Reason   string    `json:"reason,omitempty"` // key of a word: "expired", "cancelled", "failed"; "unverified": the sale is over, its payment is being checked; "other_network", "other_coin": it came astray

	// A request made without a line: what the customer's phone has to do differently.
	Offline bool   `json:"offline,omitempty"`
	Counter string `json:"counter,omitempty"` // "#0417", the same on the payer's page
	Other   bool   `json:"other,omitempty"`   // QR is for a phone's camera, not its wallet

	// A token's request: which one on which network, in words; to whom, by its end; and
	// which of its forms QR is.
	Token   string `json:"token,omitempty"`   // "USDC"
	Chain   string `json:"chain,omitempty"`   // "Base"
	Tail    string `json:"tail,omitempty"`    // the address's last six letters, as a wallet shows them
	Form    string `json:"form,omitempty"`    // name of the form; empty when there is one way only
	Caption string `json:"caption,omitempty"` // of the form: "type exactly 12.3401 USDC"
	// Part came and is not enough: "7.0000 USDC". Quantity, Due and QR are of the rest.
	Part string `json:"part,omitempty"`
	// Unchecked: the network does not answer, so nobody sees now whether this was paid.
	Unchecked bool `json:"unchecked,omitempty"`
}

// Counter is what the cashier's screen shows beside the customer's picture.
type Counter struct {
	Current  *SaleView    `json:"current,omitempty"`
	Open     []SaleView   `json:"open"`      // every sale that is not over, oldest first, without lines
	LastDone *SaleView    `json:"last_done"` // for reprint and for the big CHANGE
	Tenders  []TenderView `json:"tenders"`
	Links    []Link       `json:"links"`
	Sync     Sync         `json:"sync"`
	Notices  []Notice     `json:"notices"` // newest first, at most MaxNotices
	Refunds  []RefundView `json:"refunds"` // oldest first, at most MaxNotices: money that somebody must decide about
	Actor    *Actor       `json:"actor,omitempty"`
	// Destinations are changed addresses that money would go to: nothing is asked for there
	// until a manager confirms each.
	Destinations []DestinationView `json:"destinations,omitempty"`
	Version      string            `json:"software"`
	Limits       map[string]int    `json:"limits,omitempty"`
}

// Kinds of money that somebody must decide about. The empty one came for a sale that no
// longer needed it.
const (
	OwedOver    = "over"    // more than its sale needed
	OwedNetwork = "network" // what was asked for, on another network
	OwedCoin    = "coin"    // another token than was asked for

	OwedUnasked = "unasked" // no request asked for it
	OwedAfter   = "after"   // it came when its payment was final

	OwedUnpriced = "unpriced" // it came after its request had ended, when it had no price; its sale still waits
)

// RefundView is money that somebody must decide about: no open sale needed it when it
// came, or it came astray.
type RefundView struct {
	Payment PaymentID `json:"payment"`
	Tender  Tender    `json:"tender"`
	Amount  Amount    `json:"amount"` // what it was asked for
	Came    string    `json:"came"`   // "20340 sat"
	Exact   string    `json:"exact"`  // the same in base units, each with its asset's ID: "20340000 BTC"; a decision says that it is about this
	At      time.Time `json:"at"`     // when it came
	Sells   bool      `json:"sells"`  // it can pay for its sale after all: that was given up, or waits for it
	Of      string    `json:"of"`     // reference or receipt number of its sale, as far as known

	// What it is; and of money astray, where it is, and where it was asked for, in words:
	// "USDC on Base". On is empty where the till takes nothing; Why tells it all.
	Kind  string `json:"kind,omitempty"`
	On    string `json:"on,omitempty"`
	Asked string `json:"asked,omitempty"`
	Why   string `json:"why,omitempty"`
}

// MaxNotices bounds the list on the cashier's screen; older ones drop off it (the
// journal keeps what they told of).
const MaxNotices = 20

// SaleView is a sale as the cashier sees it: sums computed by the till.
type SaleView struct {
	Sale
	Totals   Totals   `json:"totals"`
	Due      Amount   `json:"due"`
	CashDue  Amount   `json:"cash_due"`  // Due after cash rounding
	CashKeys []Amount `json:"cash_keys"` // exact, then plausible notes
	Change   Amount   `json:"change,omitzero"`
	Waiting  bool     `json:"waiting"`           // a payment is open
	Doubtful bool     `json:"doubtful"`          // a payment is unknown: a manager decides
	Offline  bool     `json:"offline,omitempty"` // a code may be typed
	Locked   bool     `json:"locked,omitempty"`  // after too many wrong ones: only by a manager
	// Unverified: the open payment's network does not answer; within the limits it may be
	// taken all the same.
	Unverified bool `json:"unverified,omitempty"`
	// Astray is what came instead of what the open payment asks for.
	Astray *RefundView `json:"astray,omitempty"`
}

// TenderView is one button.
type TenderView struct {
	Tender Tender `json:"tender"`
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"` // why it is grey; or, with Offline.Now, why it has no line

	// Token and Chain of a stablecoin: the customer chooses the token first, then the
	// network. Tenders of one token stand in the order of what paying costs, cheapest first.
	Token  string `json:"token,omitempty"`  // "USDC"
	Chain  string `json:"chain,omitempty"`  // "Base"
	Notice string `json:"notice,omitempty"` // works, and the cashier should know: "USDC is charged at 0.9931 USD"

	Peg PegView `json:"peg,omitzero"` // of a token that is off its value

	Rule    OfflineRule `json:"rule,omitempty"`
	Offline OfflineView `json:"offline,omitzero"`
}

// Link is one of the connections that fail apart from each other.
type Link struct {
	Name   string `json:"name"`  // "node", "backoffice", "rates", "printer"
	State  string `json:"state"` // "online", "offline", "unknown"; of the cash drawer "open" when it was forgotten
	Detail string `json:"detail,omitempty"`
}

// Sync says how far the backoffice has the till's records.
type Sync struct {
	Enrolled bool      `json:"enrolled"`
	SafeTo   uint64    `json:"safe_to"` // record number
	Waiting  int       `json:"waiting"` // records above it
	Sales    int       `json:"sales"`   // completed sales among them
	Amount   Amount    `json:"amount,omitzero"`
	Oldest   time.Time `json:"oldest,omitzero"`
	Trouble  string    `json:"trouble,omitempty"` // a sentence when a person must come
}

// Notice tells the cashier of something that happened by itself.
type Notice struct {
	ID   uint64    `json:"id"`
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // "paid", "late", "over", "double", "printer", "trouble"
	Text string    `json:"text"`
	Sale SaleID    `json:"sale,omitempty"`
}
