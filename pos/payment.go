package pos

import (
	"fmt"
	"time"
)

// PaymentID names one attempt: the sale's ID, a dash, and the attempt's number
// from 1.
type PaymentID string

// PaymentIDOf names attempt n (from 1) of a sale.
func PaymentIDOf(s SaleID, n int) PaymentID { return PaymentID(fmt.Sprintf("%s-%d", s, n)) }

// State says where a payment stands.
type State string

// States of a payment. Requested is durable before anything is shown to the
// customer. From there on money can arrive in every state.
const (
	Intended  State = "intended"  // chosen; the rail may or may not have heard of it
	Requested State = "requested" // shown to the customer
	Seen      State = "seen"      // something is arriving; not enough, or not ours yet
	Accepted  State = "accepted"  // enough arrived, the rail's last word is due
	Settled   State = "settled"   // the money is the shop's
	Cancelled State = "cancelled" // withdrawn, and the rail confirmed it
	Expired   State = "expired"
	Failed    State = "failed"
	Unknown   State = "unknown" // the rail gave no answer: neither paid nor unpaid
)

// Open reports that the customer may be paying, or may have paid, right now.
func (s State) Open() bool {
	return s == Intended || s == Requested || s == Seen || s == Accepted || s == Unknown
}

// Event moves a payment.
type Event string

// Events. All but Request come from the rail's own answer.
const (
	Request Event = "request"
	See     Event = "see"
	Accept  Event = "accept"
	Settle  Event = "settle"
	Cancel  Event = "cancel"
	Expire  Event = "expire"
	Fail    Event = "fail"
	Doubt   Event = "doubt"
)

// moves is the whole life of a payment; a pair that is not here is forbidden.
// The last rows are the point: money can land in the second after an invoice
// expires or is cancelled, and money that arrived is never turned away. Doubt
// leads to Unknown and nowhere else, and only the rail's answer leads out of it.
// Cash skips the middle: Intended settles by the cashier's own hand.
var moves = map[State]map[Event]State{
	Intended:  {Request: Requested, See: Seen, Accept: Accepted, Settle: Settled, Cancel: Cancelled, Expire: Expired, Fail: Failed, Doubt: Unknown},
	Requested: {See: Seen, Accept: Accepted, Settle: Settled, Cancel: Cancelled, Expire: Expired, Fail: Failed, Doubt: Unknown},
	Seen:      {Accept: Accepted, Settle: Settled, Cancel: Cancelled, Expire: Expired, Fail: Failed, Doubt: Unknown},
	Accepted:  {Settle: Settled, Fail: Failed, Cancel: Cancelled, Doubt: Unknown},
	Unknown:   {See: Seen, Accept: Accepted, Settle: Settled, Cancel: Cancelled, Expire: Expired, Fail: Failed},
	Cancelled: {See: Seen, Accept: Accepted, Settle: Settled},
	Expired:   {See: Seen, Accept: Accepted, Settle: Settled},
	Failed:    {See: Seen, Accept: Accepted, Settle: Settled},
	Settled:   {},
}

// Tender names a way to pay: "cash", "lightning".
type Tender string

// Cash is the one tender that has no rail.
const Cash Tender = "cash"

// Payment is one attempt to pay a sale, or a part of it, with one tender.
type Payment struct {
	ID      PaymentID `json:"id"`
	Sale    SaleID    `json:"sale"`
	Attempt int       `json:"attempt"` // from 1
	Tender  Tender    `json:"tender"`
	State   State     `json:"state"`
	Amount  Amount    `json:"amount"` // the part of the sale it covers
	At      time.Time `json:"at"`     // when it was chosen
	Moved   time.Time `json:"moved"`  // when its state last changed

	// Cash.
	Given    Amount `json:"given,omitzero"`
	Change   Amount `json:"change,omitzero"`
	Rounding Amount `json:"rounding,omitzero"` // Given - Change - Amount

	// A rail's.
	Quantity  Quantity  `json:"quantity,omitzero"`   // asked for
	Rate      *Rate     `json:"rate,omitempty"`      // as sold
	Reference string    `json:"reference,omitempty"` // payment hash, address, order: what the rail is asked by
	Payload   string    `json:"payload,omitempty"`   // what the QR says
	Other     string    `json:"other,omitempty"`     // the same request for a phone's camera, when that is another text
	Forms     []Form    `json:"forms,omitempty"`     // every way to show it, when there are several; Payload is the first one's
	Network   string    `json:"network,omitempty"`   // in words, for the customer
	To        string    `json:"to,omitempty"`        // which of the shop's own addresses it goes to, by its end: "EVM …d8976F"
	Expires   time.Time `json:"expires,omitzero"`
	Received  Quantity  `json:"received,omitzero"`
	Over      Quantity  `json:"over,omitzero"` // received beyond what was asked

	// A token's. Part is certain to have come and is not enough: Forms ask for the rest.
	// Short is what was missing and was forgiven. Stray is what came of another token, or
	// on another network. Owed: the owner owes the customer a decision about Over, less
	// OverBack, which was decided before, or about Stray. Lost: it was settled, and the
	// network took it back; it is Unknown until the network says otherwise.
	Part     Quantity `json:"part,omitzero"`
	Short    Quantity `json:"short,omitzero"`
	Stray    Quantity `json:"stray,omitzero"`
	Owed     bool     `json:"owed,omitempty"`
	OverBack Quantity `json:"over_back,omitzero"`
	// StrayBack is the part of Stray that was decided before. StrayOn is where Stray came, in
	// words as Network; empty: the till takes nothing there. StrayIn is the payment that a
	// manager made of it: that one is watched for it from then on.
	StrayBack Quantity  `json:"stray_back,omitzero"`
	StrayOn   string    `json:"stray_on,omitempty"`
	StrayIn   PaymentID `json:"stray_in,omitempty"`
	// StrayPast is what was decided before about other assets than Stray's: each once, at
	// most MaxStrayPast.
	StrayPast []StrayPast `json:"stray_past,omitempty"`
	Lost      bool        `json:"lost,omitempty"`
	// Price is what all that was asked for costs at the rate of the moment when money came
	// after the request had ended; Rate is that one then. Zero: Quantity.
	Price Quantity `json:"price,omitzero"`

	// Offline: the till had no line. The customer's phone carries the request, which
	// has this number, to the backoffice, and brings a code back that only a payer
	// can know. The code makes it Accepted, which covers the sale; Settled is the
	// backoffice's word later on.
	// Taken: the code was right; it stays set. Again: it is in doubt because somebody
	// withdrew it without a line, and is shown again: the customer then pays the same
	// request and not a second one.
	Offline bool   `json:"offline,omitempty"`
	Counter uint32 `json:"counter,omitempty"`
	Taken   bool   `json:"taken,omitempty"`
	Again   bool   `json:"again,omitempty"`
	// Asked is what the request asks for, when the sale needed less of it by the time that
	// its code was typed: the customer pays all of it. Or when less came than was asked for.
	Asked Amount `json:"asked,omitzero"`

	// Of a network that did not answer. Blind: the request was made all the same.
	// Unverified: somebody took the customer's word that he paid, so that it covers its
	// part of the sale until the network says what became of it; it stays set, unless a
	// manager takes what came astray for it: then it is set at the payment that this becomes.
	Blind      bool `json:"blind,omitempty"`
	Unverified bool `json:"unverified,omitempty"`
	// Proves is that payment's own name for the one whose part of a sale it pays for, when
	// the sale was complete by then: its record names the other one.
	Proves PaymentID `json:"proves,omitempty"`

	// Late: money came after the till had stopped waiting for it: it was cancelled,
	// expired, failed, or set aside. It stays set. Refundable: no
	// open sale needed it any more, so the owner owes this customer a decision.
	Late       bool `json:"late,omitempty"`
	Refundable bool `json:"refundable,omitempty"`

	// Charged is the number of the record that charged its sale: when the sale was given
	// up, that is where its lines still are.
	Charged uint64 `json:"charged,omitempty"`

	// Aside: the rail gave no answer and a manager chose to go on with another
	// tender. The payment stays Unknown and is asked about like any other.
	Aside bool `json:"aside,omitempty"`

	// Why says, in a cashier's words, what went wrong when it failed or is in doubt.
	Why string `json:"why,omitempty"`

	// Final: the rail said that nothing can change any more. The till asks about
	// every payment until then.
	Final bool `json:"final,omitempty"`
}

// StrayPast is what was decided about money of one asset that came astray: how much, and,
// when it was taken as payment, into which one.
type StrayPast struct {
	Back Quantity  `json:"back"`
	In   PaymentID `json:"in,omitempty"`
}

// MaxStrayPast bounds what a payment keeps of decisions about other assets: it is all in
// each record of it. A shop's networks and their tokens are fewer.
const MaxStrayPast = 32

// Covers reports that p pays for its part of the sale: its money is the shop's, or
// it was proven by a code while the till had no line, or it is taken on trust.
func (p Payment) Covers() bool {
	return (p.State == Settled && !p.Refundable) || (p.State == Accepted && p.Offline) || p.OnTrust()
}

// OnTrust reports that p pays for its part of the sale by a person's word alone: its
// network has neither confirmed nor refuted it yet.
func (p Payment) OnTrust() bool { return p.Unverified && p.State.Open() && !p.Lost }

// Astray reports that other money than p asks for came, which nobody has decided about.
func (p Payment) Astray() bool { return p.Owed && !p.Stray.IsZero() && p.StrayIn == "" }

// Elsewhere reports that what came astray is what p asks for, on another network; else it
// is of another token.
func (p Payment) Elsewhere() bool { return p.Stray.Asset.Symbol == p.Quantity.Asset.Symbol }

// IsZero lets an unset amount stay out of a record.
func (a Amount) IsZero() bool { return a == Amount{} }

// Apply moves p by ev at time at. It fails with Conflict, and changes nothing,
// when the move is forbidden.
func (p *Payment) Apply(ev Event, at time.Time) error {
	to, ok := moves[p.State][ev]
	if !ok {
		return E("move payment", Conflict, "a payment that is %s cannot %s", p.State, ev)
	}
	if !p.State.Open() || (ev == Settle && p.Aside) {
		p.Late = true
	}
	p.State, p.Moved = to, at
	return nil
}

// Lose moves a settled payment to Unknown: the network took it back. It reports false,
// and changes nothing, when it is not settled.
func (p *Payment) Lose(at time.Time) bool {
	if p.State != Settled {
		return false
	}
	p.State, p.Moved, p.Lost, p.Final = Unknown, at, true, false
	return true
}

// Finding is a rail's answer about one payment. An empty Event means: nothing
// new. A rail that got no clear answer returns an error, never a Finding.
type Finding struct {
	Event    Event     // what the rail says happened
	Received Quantity  // base units that are the shop's, after Settle
	Asked    Quantity  // what was asked for, when only the rail knows: the till had no line
	Rate     *Rate     // at which it was sold, likewise
	Enough   bool      // Received is less than was asked for, by no more than the owner forgives: it pays for all
	Why      string    // what went wrong, in a cashier's words
	Final    bool      // nothing can change any more: no need to ask again
	Part     Quantity  // with See: certain to have come, and not enough
	Rest     *Asked    // with Part: the request for the rest; only its Forms count
	Stray    Quantity  // other money that came instead; Why names it
	Lost     bool      // the network took back what was settled; Event is empty
	At       time.Time // when, by the rail's clock; zero if it does not say
}

// Asked is what a rail returns for a new payment request.
type Asked struct {
	Reference string    // kept, and shown to nobody
	Payload   string    // what the QR says
	Other     string    // the same for a phone's camera, if that is another text
	Network   string    // "Lightning"
	Expires   time.Time // the customer's last moment
	// Quantity is what is really asked for, when that is a little more than the payment
	// says: an amount that no other sale has. Zero: what the payment says.
	Quantity Quantity
	// Forms are the ways to show the request when there are several, at most MaxForms,
	// the best one first: no one text is read by every wallet.
	Forms []Form
}

// MaxForms bounds the ways to show one request: they are all kept with the payment.
const MaxForms = 6

// Form is one way to show a payment request to a wallet.
type Form struct {
	Name    string `json:"name"`              // for the till: "standard", "address", "metamask"
	Payload string `json:"payload"`           // what the QR says
	Caption string `json:"caption,omitempty"` // for the customer: "type exactly 12.3401 USDC"
	Typed   bool   `json:"typed,omitempty"`   // the wallet learns the address alone: the customer types the amount
}

// Health says whether a tender can be offered now.
type Health struct {
	Ready   bool
	Reason  string   // why not, in a cashier's words; empty when Ready
	Notices []string // works, but the owner should know: "certificate ends in 6 days"
	Asset   Asset    // what it moves; prices need its rate
}
