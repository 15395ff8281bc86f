package pos

import (
	"math"
	"slices"
	"time"
)

// SaleID names a sale for good: 13 characters, made at random by the till, so
// that a till restored from an old copy does not reuse one.
type SaleID string

// SaleState says where a sale stands. A sale only goes forward.
type SaleState string

// Sale states. A draft is a basket: it may change and is not fiscal. The others
// are made of records.
const (
	Draft     SaleState = "draft"
	Awaiting  SaleState = "awaiting"  // charged; nothing received yet
	PartPaid  SaleState = "part-paid" // some of it received
	Completed SaleState = "completed" // paid in full, has a receipt number; never changes again
	GivenUp   SaleState = "cancelled" // given up before anything was received
)

// Sale is one customer's purchase.
type Sale struct {
	ID       SaleID    `json:"id"`
	Ref      string    `json:"ref"` // for people, while it is open: "#0417"; not the receipt number
	State    SaleState `json:"state"`
	Currency string    `json:"currency"`
	Opened   time.Time `json:"opened"`
	By       Actor     `json:"by"` // who opened it
	Lines    []Line    `json:"lines"`
	NextLine int       `json:"next_line,omitempty"` // ID of the next line; counts removed ones too
	Payments []Payment `json:"payments,omitempty"`

	Charged uint64 `json:"charged,omitempty"` // number of the record that charged it; known to the till alone

	// Set by the record that completes the sale.
	Receipt   string    `json:"receipt,omitempty"` // gap-free: "01-000482"
	Completed time.Time `json:"completed,omitzero"`
	Record    uint64    `json:"record,omitempty"` // number of the completing record
	Copies    int       `json:"copies,omitempty"` // reprints so far

	// WrongCodes counts the wrong codes typed for its offline payments.
	WrongCodes int `json:"wrong_codes,omitempty"`

	// Tickets are what other printers than the receipt's are told of it, fixed when it
	// is charged.
	Tickets []TicketOrder `json:"tickets,omitempty"`
}

// Totals is what a sale comes to.
type Totals struct {
	Tax   []TaxRow `json:"tax"`
	Net   Amount   `json:"net"`
	TaxUp Amount   `json:"tax_total"`
	Total Amount   `json:"total"` // what the customer owes, before cash rounding
}

// Totals computes tax rows and total from the lines. It fails with Invalid when
// a sum overflows.
func (s Sale) Totals() (Totals, error) {
	c, err := CurrencyOf(s.Currency)
	if err != nil {
		return Totals{}, err
	}
	rows, err := taxRows(c, s.Lines)
	if err != nil {
		return Totals{}, err
	}
	t := Totals{Tax: rows, Net: c.Zero(), TaxUp: c.Zero(), Total: c.Zero()}
	for _, r := range rows {
		if t.Net, err = t.Net.Add(r.Net); err != nil {
			return Totals{}, err
		}
		if t.TaxUp, err = t.TaxUp.Add(r.Tax); err != nil {
			return Totals{}, err
		}
		if t.Total, err = t.Total.Add(r.Gross); err != nil {
			return Totals{}, err
		}
	}
	return t, nil
}

// Due returns what is still owed: the total less what payments cover.
// A payment covers the part of the sale it was asked for, however much arrived.
func (s Sale) Due() (Amount, error) {
	t, err := s.Totals()
	if err != nil {
		return Amount{}, err
	}
	due := t.Total
	for _, p := range s.Payments {
		if p.Covers() {
			if due, err = due.Sub(p.Amount); err != nil {
				return Amount{}, err
			}
		}
	}
	return due, nil
}

// OpenPayment returns the payment that the customer may be making right now: the
// last one that is requested, seen, accepted or in doubt, unless a manager set it
// aside. Nil when there is none.
func (s *Sale) OpenPayment() *Payment {
	for i := len(s.Payments) - 1; i >= 0; i-- {
		if p := s.Payments[i]; p.State.Open() && !p.Aside && !p.Covers() {
			return &s.Payments[i]
		}
	}
	return nil
}

// Payment returns the payment with this ID, or nil.
func (s *Sale) Payment(id PaymentID) *Payment {
	for i := range s.Payments {
		if s.Payments[i].ID == id {
			return &s.Payments[i]
		}
	}
	return nil
}

// Clone returns a copy that shares no slice with s.
func (s Sale) Clone() Sale {
	s.Lines = slices.Clone(s.Lines)
	s.Payments = slices.Clone(s.Payments)
	s.Tickets = slices.Clone(s.Tickets)
	return s
}

// Rounding is a country's rule for cash: totals to the nearest multiple of Step.
// Only what is still due in cash is rounded, and tax never changes.
type Rounding struct {
	Step     int64 `json:"step"`      // minor units; 0 or 1: none
	TieDown  bool  `json:"tie_down"`  // a remainder of exactly half a step goes down
	TieDown2 bool  `json:"tie_down2"` // the same for change: Sweden and Denmark differ
}

// Due rounds what a customer owes in cash.
func (r Rounding) Due(a Amount) Amount { return r.round(a, r.TieDown) }

// Change rounds what a customer gets back.
func (r Rounding) Change(a Amount) Amount { return r.round(a, r.TieDown2) }

// round leaves a negative sum alone, and rounds down where up would overflow.
func (r Rounding) round(a Amount, tieDown bool) Amount {
	if r.Step <= 1 || a.Minor < 0 {
		return a
	}
	rest := a.Minor % r.Step
	up := rest > r.Step-rest || (rest == r.Step-rest && !tieDown)
	a.Minor -= rest
	if up && a.Minor <= math.MaxInt64-r.Step {
		a.Minor += r.Step
	}
	return a
}
