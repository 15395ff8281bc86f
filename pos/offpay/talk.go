package offpay

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Bounds on what a till and its backoffice tell each other.
const (
	// MaxClaims is the most payments a till asks about at once: twice the open
	// payments that a till may have by default.
	MaxClaims = 100
	// MaxSales is the most payments that any limit lets a till have open.
	MaxSales = 1000
	// MaxAge is the longest that any limit lets a till go on without its backoffice.
	MaxAge = 7 * 24 * time.Hour
	// MaxWhy bounds a sentence, in bytes.
	MaxWhy = 500
)

// Limits say how far a till may go while it cannot ask its backoffice. Amounts are
// minor units of the till's currency.
type Limits struct {
	PerSale int64         `json:"per_sale,string"` // of one payment
	Total   int64         `json:"total,string"`    // of all that the backoffice has not said its final word about
	Sales   int           `json:"sales"`           // of the same, their number
	Age     time.Duration `json:"age_ns"`          // of the oldest of them
	TTL     uint8         `json:"ttl"`             // minutes that a customer has to begin paying
}

// DefaultLimits are 150.00 a sale, 1500.00 together in 50 sales, a day, and 20
// minutes: right for currencies near a euro, and an owner's to set in others.
func DefaultLimits() Limits {
	return Limits{PerSale: 150_00, Total: 1500_00, Sales: 50, Age: 24 * time.Hour, TTL: 20}
}

// Check fails with Invalid, and a sentence for the owner, when a limit is not
// positive or past what the format or MaxSales and MaxAge allow.
func (l Limits) Check() error {
	bad := func(what string, args ...any) error { return pos.E("check limits", pos.Invalid, what, args...) }
	switch {
	case l.PerSale < 1 || l.PerSale > MaxAmount:
		return bad("the limit per sale must be more than nothing and at most %d minor units", int64(MaxAmount))
	case l.Total < l.PerSale || l.Total > MaxSales*int64(MaxAmount):
		return bad("the limit for all sales together must be at least that of one")
	case l.Sales < 1 || l.Sales > MaxSales:
		return bad("the number of sales must be from 1 to %d", MaxSales)
	case l.Age < time.Minute || l.Age > MaxAge:
		return bad("the age must be from one minute to %d days", MaxAge/(24*time.Hour))
	case l.TTL < 1:
		return bad("a request must live for 1 to 255 minutes")
	}
	return nil
}

// Grant is what a backoffice gives a till so that it can sell offline. It holds a
// secret: over TLS, into a file of mode 0600, and nowhere else. Printing or logging
// it hides the key.
type Grant struct {
	Device  Device `json:"device"`
	Epoch   uint8  `json:"epoch"`
	Key     Key    `json:"key"`
	Host    string `json:"host"`           // of the URLs: see CheckHost
	Highest uint32 `json:"highest"`        // counter that was seen of this device; the till goes on above it and above its own
	Limits  Limits `json:"limits"`         // as the owner set them
	Enabled bool   `json:"enabled"`        // false: sell nothing offline, whatever else is here
	Busy    bool   `json:"busy,omitempty"` // not just now: the node is not ready. Who cannot ask any more takes no notice of it
	Why     string `json:"why,omitempty"`  // when it is not enabled, or busy, for the cashier
}

// Format writes the grant without its key, for every verb.
func (g Grant) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "device %s epoch %d host %s highest %d enabled %t", g.Device, g.Epoch, g.Host, g.Highest, g.Enabled)
}

// LogValue is the grant without its key.
func (g Grant) LogValue() slog.Value {
	return slog.GroupValue(slog.String("device", g.Device.String()), slog.Int("epoch", int(g.Epoch)),
		slog.String("host", g.Host), slog.Uint64("highest", uint64(g.Highest)), slog.Bool("enabled", g.Enabled))
}

// Claim is what a till says about one of its tokens when it asks for the outcome.
type Claim struct {
	Token    string `json:"token"`              // its 52 characters
	Counter  uint32 `json:"counter"`            // the token's
	Accepted bool   `json:"accepted,omitempty"` // the right code was given
	Void     bool   `json:"void,omitempty"`     // given up: cancel the invoice and refuse the token
}

// OutcomeState is the backoffice's word about one token.
type OutcomeState string

// States of an outcome. Paid, Unpaid and Conflict are final; but a Conflict tells nothing
// of money: a till stays in doubt about that payment, and goes on asking.
const (
	Pending  OutcomeState = "pending"  // the node gave no answer; ask again
	Open     OutcomeState = "open"     // not paid yet, and it still can be
	Paid     OutcomeState = "paid"     // the money is the shop's
	Unpaid   OutcomeState = "unpaid"   // certain: not paid, and it never can be any more
	Conflict OutcomeState = "conflict" // the token is not the one known by this counter, or none of ours
)

// Final reports that the state will not change. An unknown state is not final.
func (s OutcomeState) Final() bool { return s == Paid || s == Unpaid || s == Conflict }

// Outcome is the backoffice's answer to a Claim.
type Outcome struct {
	Counter  uint32       `json:"counter"`
	State    OutcomeState `json:"state"`
	Asked    pos.Quantity `json:"asked,omitzero"`    // zero when no invoice was made
	Received pos.Quantity `json:"received,omitzero"` // zero unless paid
	Rate     *pos.Rate    `json:"rate,omitempty"`    // as the invoice was priced
	At       time.Time    `json:"at,omitzero"`       // when it was settled or became certain, by the node's or the backoffice's clock
	Why      string       `json:"why,omitempty"`     // in a cashier's words
}
