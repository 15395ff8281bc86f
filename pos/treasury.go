package pos

import "time"

// Destination is where the money of some tenders goes: an address of the shop's own.
type Destination struct {
	Name    string `json:"name"`    // the same at every start: "evm"
	Network string `json:"network"` // in words: "EVM", "Solana"
	Address string `json:"address"`
}

// How much of an address people compare.
const (
	headLetters = 8
	tailLetters = 6
)

// ShortAddress returns an address as people compare it: its beginning and its end.
func ShortAddress(a string) string {
	if len(a) <= headLetters+tailLetters {
		return a
	}
	return a[:headLetters] + "…" + a[len(a)-tailLetters:]
}

// Tail names a destination by its end: "EVM …d8976F". It is empty for the zero value.
func (d Destination) Tail() string {
	if d == (Destination{}) {
		return ""
	}
	return d.Network + " …" + d.Address[max(len(d.Address)-tailLetters, 0):]
}

// DestinationChanged says where money goes from now on. While Open is set no new payment
// is asked for there: a manager has to confirm it.
type DestinationChanged struct {
	Destination
	Old  string `json:"old,omitempty"`  // its address until now: if Open, the one that was confirmed last; empty: there was none
	Open bool   `json:"open,omitempty"` // a manager has to confirm it
	Why  string `json:"why,omitempty"`  // if Open, all that in a sentence, in the shop's language
	By   Actor  `json:"by"`
}

// Confirmed returns the address that needs nobody's word, empty when there is none.
func (c DestinationChanged) Confirmed() string {
	if c.Open {
		return c.Old
	}
	return c.Address
}

// DestinationView is an address that a manager has to confirm before money goes there.
type DestinationView struct {
	Name    string `json:"name"`
	Network string `json:"network"`       // in words: "Solana"
	Address string `json:"address"`       // whole
	Old     string `json:"old,omitempty"` // likewise; empty: money went nowhere there
	Why     string `json:"why"`           // in a sentence, with both addresses shortened
}

// DestinationTotal counts payments by the shop's own address that they came to.
type DestinationTotal struct {
	To       string `json:"to"` // as Destination.Tail
	Payments int64  `json:"payments"`
}

// maxTail bounds what a record says of an address, in bytes.
const maxTail = 60

// destinations is the report's row of an address that is in use; nil for none.
func destinations(tail string, payments int64) []DestinationTotal {
	if tail == "" || len(tail) > maxTail || !IsPlain(tail) {
		return nil
	}
	return []DestinationTotal{{tail, payments}}
}

func byDestination(a, b DestinationTotal) int {
	switch {
	case a.To < b.To:
		return -1
	case a.To > b.To:
		return 1
	}
	return 0
}

func addDestination(s *sums, a, b DestinationTotal) DestinationTotal {
	a.Payments = s.count(a.Payments, b.Payments)
	return a
}

// TokenAllowed says that a token which is off its value is taken at the market's price by
// a manager's word, or, with a For of 0, not any more.
type TokenAllowed struct {
	Token string        `json:"token"` // "USDC"
	Price string        `json:"price"` // of one, that he saw
	In    string        `json:"in"`    // currency of Price
	Until time.Time     `json:"until"`
	For   time.Duration `json:"for"` // nanoseconds; the till's clock may be set, this may not
	By    Actor         `json:"by"`
}

// PegView is what screens show of a token that is off its value.
type PegView struct {
	Price string    `json:"price"`          // of one: "0.9750"
	In    string    `json:"in"`             // currency of Price
	Until time.Time `json:"until,omitzero"` // a manager's word takes it until then, while the price does not move; zero: it is not taken
	By    string    `json:"by,omitempty"`   // whose word
}

// TokenAllowedFor is how long a manager's word about a token holds at most: a shift. The
// next one looks at the price again.
const TokenAllowedFor = 8 * time.Hour
