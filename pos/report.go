package pos

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// Report is what a till, or several, did in a span of records: the X and Z
// report, the owner's day, the exported file. All three are this one fold, so
// they cannot disagree.
//
// Definitions. A sale counts in the span that holds its completing record, with
// all the payments that cover it. Tax is added up rate by rate as stored with
// each sale, never computed again. Lines is what the items came to at the prices
// shown, Net is without tax, Total with it; what the customers handed over is
// Total + Rounding. A payment that covers no sale is in RefundDue and in no
// tender. Late is a memo by day of arrival: a late payment that still completed
// its sale is in Late and in its tender. Received is the same money as Tenders,
// but by day of arrival, as the bank and the drawer see it: the two differ by
// what was paid towards sales that another span completes, by SoldAfter, and by what
// Offline and Unverified say of payments that were taken before their money was seen.
//
// Amounts are integers in one currency; a sum that would overflow fails. The zero
// Report is empty and adds to anything; NewReport makes one that knows its till
// and currency before the first record.
type Report struct {
	Till string    `json:"till,omitempty"` // whose records; empty for several
	From time.Time `json:"from,omitzero"`  // of the first record
	To   time.Time `json:"to,omitzero"`    // of the last one

	Sales      int64         `json:"sales"`      // completed
	Unclear    int64         `json:"unclear"`    // of them, how many at a time the clock was not trusted
	Unbalanced int64         `json:"unbalanced"` // of them, whose stored figures contradict each other: should be 0
	Lines      Amount        `json:"lines"`      // gross sales: the lines' totals, with tax only where prices include it
	Net        Amount        `json:"net"`        // without tax
	TaxUp      Amount        `json:"tax_total"`
	Total      Amount        `json:"total"`    // with tax, before cash rounding
	Rounding   Amount        `json:"rounding"` // of cash; the customers' loss is positive
	Tax        []TaxRow      `json:"tax"`      // by code, then rate; a rate that changed has two rows
	Tenders    []TenderTotal `json:"tenders"`
	People     []PersonTotal `json:"people"`

	Cancelled     Tally `json:"cancelled"` // charged sales given up
	Cleared       Tally `json:"cleared"`   // baskets given up before they were charged
	Removed       Tally `json:"removed"`   // lines taken out of baskets
	DrawerOpened  int64 `json:"drawer_opened"`
	Reprinted     int64 `json:"reprinted"`
	PINFailed     int64 `json:"pin_failed"`
	PrintFailed   int64 `json:"print_failed"`
	TestPrinted   int64 `json:"test_printed"`
	Started       int64 `json:"started"`        // of the till's software
	PowerLost     int64 `json:"power_lost"`     // of them, how many followed no orderly stop: pulled plugs
	PaymentDoubts int64 `json:"payment_doubts"` // times a rail gave no answer

	// Money by the day it arrived.
	Received  []TenderTotal `json:"received"`   // for sales, RefundDue left out
	Late      Arrivals      `json:"late"`       // after the till had stopped waiting
	RefundDue Arrivals      `json:"refund_due"` // no open sale needed it: the owner owes a decision
	GivenBack Tally         `json:"given_back"` // of RefundDue, on the day a manager gave it back
	SoldAfter Tally         `json:"sold_after"` // of RefundDue, on the day a manager sold it after all
	Offline   OfflineTotals `json:"offline"`    // taken without a line, and what became of it
	// Unverified is what was taken by customers' word while a network did not answer, and
	// what became of it. Less came than was asked for: Proven is that, and Refuted the rest.
	Unverified OfflineTotals `json:"unverified,omitzero"`
	Over       Arrivals      `json:"over"` // beyond the price, of payments that cover a sale; Amount is zero
	// Astray is other money than was asked for: on another network, or of another token.
	// It is in nothing else until a manager takes it as payment; then that is in Tenders and
	// Received, and here by the day of the decision. A sale that was complete on the
	// customer's word is in Tenders as it was sold; then it is in Received, and Proven.
	Astray      Arrivals `json:"astray,omitzero"`
	AstrayBack  int64    `json:"astray_back,omitzero"`  // times it was given back
	AstrayTaken Tally    `json:"astray_taken,omitzero"` // taken as payment
	// Unasked is money that no request asked for, or that came when its payment was final,
	// by the day it was found. It is in nothing else, and has no Amount. Dust is the same in
	// parts of less than one token: nobody is asked about those.
	Unasked        Arrivals `json:"unasked,omitzero"`
	UnaskedDecided int64    `json:"unasked_decided,omitzero"` // times it was given back, or kept with a note
	Dust           Arrivals `json:"dust,omitzero"`

	// Destinations are the shop's own addresses that payments came to, or that were changed.
	Destinations []DestinationTotal `json:"destinations,omitempty"`

	Records  []Run  `json:"records"`  // numbers seen: one run a till, unless some are missing
	Receipts []Run  `json:"receipts"` // the same for receipt numbers
	Marks    []Mark `json:"marks"`    // where each till stood at the end
}

// Tally counts and sums.
type Tally struct {
	Count  int64  `json:"count"`
	Amount Amount `json:"amount"`
}

// OfflineTotals are payments that were taken on a customer's code. What is Taken and
// neither Proven nor Refuted is still to be proven. Each counts on the day it happened.
type OfflineTotals struct {
	Taken   Tally `json:"taken"`   // the code was right
	Proven  Tally `json:"proven"`  // and the money was found
	Refuted Tally `json:"refuted"` // and there was none: somebody else holds this till's key
	Wrong   int64 `json:"wrong"`   // wrong codes typed
}

// Arrivals are payments by day of arrival, with what arrived of each asset.
type Arrivals struct {
	Count  int64      `json:"count"`
	Amount Amount     `json:"amount"` // the parts of sales they were asked for
	Assets []Quantity `json:"assets,omitempty"`
}

// TenderTotal is what one tender brought to the completed sales. For cash, Given
// - Change = Amount + Rounding is what went into the drawer; they are zero for
// rails.
type TenderTotal struct {
	Tender   Tender     `json:"tender"`
	Count    int64      `json:"count"`
	Amount   Amount     `json:"amount"` // the parts of sales that it covers
	Given    Amount     `json:"given"`
	Change   Amount     `json:"change"`
	Rounding Amount     `json:"rounding"`
	Assets   []Quantity `json:"assets,omitempty"` // received, overpayment included
}

// PersonTotal is what one person did. Sales are credited to who completed them,
// or to who opened them when the till completed them by itself.
type PersonTotal struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Sales        Tally  `json:"sales"`
	Cancelled    Tally  `json:"cancelled"`
	Cleared      Tally  `json:"cleared"`
	Removed      Tally  `json:"removed"`
	DrawerOpened int64  `json:"drawer_opened"`
	Reprinted    int64  `json:"reprinted"`
}

// Run is an unbroken run of numbers of one till, From and To included. Series is
// the prefix of receipt numbers, empty for records.
type Run struct {
	Till   string `json:"till"`
	Series string `json:"series,omitempty"`
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
}

// Mark is where a till stood after its last record of the span.
type Mark struct {
	Till     string `json:"till"`
	N        uint64 `json:"n"` // the last record
	Hash     Hash   `json:"hash"`
	Sales    uint64 `json:"sales"`    // completed since the first day; 0 if the span has none
	Turnover Amount `json:"turnover"` // their totals since the first day
	Safe     uint64 `json:"safe"`     // the last record that a checkpoint in the span covers; 0 if none
}

// NewReport makes the empty report of a till; till may be empty.
func NewReport(till string, c Currency) Report {
	z := c.Zero()
	return Report{
		Till: till, Lines: z, Net: z, TaxUp: z, Total: z, Rounding: z,
		Cancelled: Tally{Amount: z}, Cleared: Tally{Amount: z}, Removed: Tally{Amount: z},
		GivenBack: Tally{Amount: z}, SoldAfter: Tally{Amount: z},
		Offline: noTotals(z), Unverified: noTotals(z),
		Late: Arrivals{Amount: z}, RefundDue: Arrivals{Amount: z}, Over: Arrivals{Amount: z},
		Astray: Arrivals{Amount: z}, AstrayTaken: Tally{Amount: z}, Unasked: Arrivals{Amount: z}, Dust: Arrivals{Amount: z},
	}
}

func noTotals(z Amount) OfflineTotals {
	return OfflineTotals{Taken: Tally{Amount: z}, Proven: Tally{Amount: z}, Refuted: Tally{Amount: z}}
}

// Collected returns Total + Rounding: what the customers handed over for sales.
func (r Report) Collected() (Amount, error) { return r.Total.Add(r.Rounding) }

// Tender returns the row of t, a row of zeros when there is none.
func (r Report) Tender(t Tender) TenderTotal {
	for _, row := range r.Tenders {
		if row.Tender == t {
			return row
		}
	}
	return newTender(t, r.Total.Currency)
}

// Add folds the next record of r's till into r. Give it every record of the span
// in order: kinds that no figure needs still prove that no number is missing. It
// fails, and changes nothing, with Corrupt for an unreadable body, with Conflict
// for a record or receipt number that r has already, and with Invalid for another
// currency or a sum that overflows.
func (r *Report) Add(rec Record) error {
	one, err := r.of(rec)
	if err != nil {
		return err
	}
	return r.Merge(one)
}

// of returns the report of one record. Adding is merging it, so a fold in parts
// is the fold of the whole by construction.
func (r *Report) of(rec Record) (Report, error) {
	one := NewReport(r.Till, r.Total.Currency)
	one.From, one.To = rec.At, rec.At
	one.Records = []Run{{Till: r.Till, From: rec.N, To: rec.N}}
	one.Marks = []Mark{{Till: r.Till, N: rec.N, Hash: rec.Hash, Turnover: one.Total}}
	fold, known := folds[rec.Kind]
	if !known {
		return one, nil
	}
	err := fold(&one, rec)
	return one, err
}

// folds says what each kind of record adds to an empty report. Kinds that are not
// here add no figure.
var folds = map[RecordKind]func(one *Report, rec Record) error{
	KindSaleCompleted: (*Report).completed,
	KindPayment:       (*Report).moved,
	KindCheckpoint:    (*Report).checkpoint,
	KindBoot: func(one *Report, rec Record) error {
		var b Boot
		err := rec.Decode(&b)
		if one.Started = 1; b.PowerLost {
			one.PowerLost = 1
		}
		return err
	},
	KindRefundDecided: func(one *Report, rec Record) error {
		var b RefundDecided
		err := rec.Decode(&b)
		switch {
		case b.Unasked:
			one.UnaskedDecided = 1
		case b.Into != "":
			one.AstrayTaken = one.tally(b.Amount)
		case !b.Came.IsZero():
			one.AstrayBack = 1
		}
		if b.Beside { // it never was in RefundDue
			return err
		}
		if b.As == AsSale {
			one.SoldAfter = one.tally(b.Amount)
		} else {
			one.GivenBack = one.tally(b.Amount)
		}
		return err
	},
	KindDestination: func(one *Report, rec Record) error {
		var b DestinationChanged
		err := rec.Decode(&b)
		one.Destinations = destinations(b.Tail(), 0)
		return err
	},
	KindUnasked: func(one *Report, rec Record) error {
		var b UnaskedCame
		err := rec.Decode(&b)
		one.Unasked = Arrivals{1, one.Total.Currency.Zero(), assets(b.Unasked.Came)}
		return err
	},
	KindDust: func(one *Report, rec Record) error {
		var b DustCame
		err := rec.Decode(&b)
		one.Dust = Arrivals{b.Dust.Count, one.Total.Currency.Zero(), assets(b.Dust.Sum)}
		return err
	},
	KindCodeTried: func(one *Report, rec Record) error {
		var b CodeTried
		err := rec.Decode(&b)
		if !b.Right && !b.Other {
			one.Offline.Wrong = 1
		}
		return err
	},
	KindPINFailed:   func(one *Report, _ Record) error { one.PINFailed = 1; return nil },
	KindPrintFailed: func(one *Report, _ Record) error { one.PrintFailed = 1; return nil },
	KindTestReceipt: func(one *Report, _ Record) error { one.TestPrinted = 1; return nil },
	KindSaleCancelled: func(one *Report, rec Record) error {
		var b SaleCancelled
		err := rec.Decode(&b)
		one.Cancelled = one.tally(b.Total)
		one.person(b.By).Cancelled = one.Cancelled
		return err
	},
	KindBasketCleared: func(one *Report, rec Record) error {
		var b BasketCleared
		err := rec.Decode(&b)
		one.Cleared = one.tally(b.Total)
		one.person(b.By).Cleared = one.Cleared
		return err
	},
	KindLineRemoved: func(one *Report, rec Record) error {
		var b LineRemoved
		err := rec.Decode(&b)
		one.Removed = one.tally(b.Line.Total)
		one.person(b.By).Removed = one.Removed
		return err
	},
	KindDrawerOpened: func(one *Report, rec Record) error {
		var b DrawerOpened
		err := rec.Decode(&b)
		one.DrawerOpened, one.person(b.By).DrawerOpened = 1, 1
		return err
	},
	KindReprinted: func(one *Report, rec Record) error {
		var b Reprinted
		err := rec.Decode(&b)
		one.Reprinted, one.person(b.By).Reprinted = 1, 1
		return err
	},
}

func (r *Report) checkpoint(rec Record) error {
	var b Checkpoint
	err := rec.Decode(&b)
	r.Marks[0].Safe = b.N
	return err
}

// completed folds a sale with the payments that cover it.
func (r *Report) completed(rec Record) error {
	var b SaleCompleted
	if err := rec.Decode(&b); err != nil {
		return err
	}
	var s sums
	c := b.Totals.Total.Currency
	r.Sales = 1
	if rec.Clock != ClockTrusted {
		r.Unclear = 1
	}
	r.Net, r.TaxUp, r.Total = b.Totals.Net, b.Totals.TaxUp, b.Totals.Total
	r.Rounding, r.Lines = in(c, b.Rounding), c.Zero()
	for _, row := range b.Totals.Tax {
		r.Tax = join(&s, r.Tax, []TaxRow{row}, byRate, addTax)
		shown := row.Net
		if row.Rate.Included {
			shown = row.Gross
		}
		r.Lines = s.add(r.Lines, shown)
	}
	for _, p := range b.Sale.Payments {
		if p.Covers() {
			r.Tenders = join(&s, r.Tenders, []TenderTotal{tenderOf(p, c)}, byTender, addTender)
		}
	}
	if !balanced(&s, *r, b) {
		r.Unbalanced = 1
	}
	r.person(b.Cashier()).Sales = Tally{1, b.Totals.Total}
	r.Marks[0].Sales, r.Marks[0].Turnover = b.Count, in(c, b.Turnover)
	run, err := receiptRun(r.Till, b.Sale.Receipt)
	r.Receipts = []Run{run}
	if s.err != nil {
		err = s.err
	}
	return err
}

// balanced checks what completing a sale promised: rows add up to the totals, the
// lines to the rows, and the payments cover the total exactly.
func balanced(s *sums, r Report, b SaleCompleted) bool {
	c := b.Totals.Total.Currency
	row, lines, paid := TaxRow{Net: c.Zero(), Tax: c.Zero(), Gross: c.Zero()}, c.Zero(), newTender("", c)
	for _, t := range b.Totals.Tax {
		row = addTax(s, row, t)
		if net := s.add(t.Net, t.Tax); net != t.Gross {
			return false
		}
	}
	for _, l := range b.Sale.Lines {
		lines = s.add(lines, l.Total)
	}
	for _, t := range r.Tenders {
		paid = addTender(s, paid, t)
	}
	return row.Net == r.Net && row.Tax == r.TaxUp && row.Gross == r.Total && lines == r.Lines &&
		paid.Amount == r.Total && paid.Rounding == r.Rounding
}

// moved folds a payment's step: what arrived is counted when it settles.
func (r *Report) moved(rec Record) error {
	var b PaymentMoved
	if err := rec.Decode(&b); err != nil {
		return err
	}
	p := b.Payment
	if b.Event == Doubt && p.Stray.IsZero() { // else the rail did answer
		r.PaymentDoubts = 1
	}
	if !b.Astray.IsZero() {
		r.Astray = Arrivals{0, p.Amount.Currency.Zero(), assets(b.Astray)}
		if b.Astray.Cmp(p.Stray) == 0 {
			r.Astray.Count, r.Astray.Amount = 1, p.Amount
		}
	}
	r.Offline = r.Offline.after(b.Event, p)
	r.Unverified = r.Unverified.trusted(b)
	if !b.More.IsZero() {
		return r.grown(b)
	}
	if b.Event != Settle {
		return nil
	}
	r.Destinations = destinations(p.To, 1)
	came := Arrivals{1, p.Amount, assets(p.Received)}
	if p.Late {
		r.Late = came
	}
	if p.Refundable {
		r.RefundDue = came
		return nil
	}
	r.Received = []TenderTotal{tenderOf(p, p.Amount.Currency)}
	if !p.Over.IsZero() {
		r.Over = Arrivals{1, p.Amount.Currency.Zero(), assets(p.Over)}
	}
	return nil
}

// grown folds what came on top of a settled payment.
func (r *Report) grown(b PaymentMoved) error {
	p, zero := b.Payment, b.Payment.Amount.Currency.Zero()
	came := Arrivals{0, zero, assets(b.More)}
	if p.Refundable {
		r.RefundDue = came
		return nil
	}
	row := newTender(p.Tender, zero.Currency)
	row.Amount, row.Assets = in(zero.Currency, b.MoreFor), came.Assets
	r.Received = []TenderTotal{row}
	if b.MoreFor.Minor == 0 {
		came.Count = 1
		r.Over = came
	}
	return nil
}

// after adds to the empty totals what ev did to p. Only what was taken on a code can
// be proven or refuted.
func (o OfflineTotals) after(ev Event, p Payment) OfflineTotals {
	one := Tally{1, p.Amount}
	switch {
	case !p.Offline:
	case ev == Accept:
		o.Taken = one
	case ev == Settle && p.Taken:
		o.Proven = one
	case ev == Fail && p.Taken:
		o.Refuted = one
	}
	return o
}

// trusted adds to the empty totals what b says of a payment taken unverified.
func (o OfflineTotals) trusted(b PaymentMoved) OfflineTotals {
	p := b.Payment
	switch {
	case !p.Unverified:
	case b.Trusted:
		o.Taken = Tally{1, p.Amount}
	case b.Event == Settle:
		o.Proven = Tally{1, p.Amount}
	}
	if p.Unverified && b.Missing.Minor > 0 {
		o.Refuted = Tally{1, b.Missing}
	}
	return o
}

// Cashier returns who is credited with the sale: who completed it, or who opened
// it when the till completed it by itself.
func (b SaleCompleted) Cashier() Actor {
	if b.By.ID == Till.ID {
		return b.Sale.By
	}
	return b.By
}

// receiptRun reads "01-000482".
func receiptRun(till, number string) (Run, error) {
	series, digits := "", number
	if i := strings.LastIndexByte(number, '-'); i >= 0 {
		series, digits = number[:i], number[i+1:]
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n == 0 {
		return Run{}, E("fold sale", Corrupt, "%q is no receipt number", clip(number))
	}
	return Run{till, series, n, n}, nil
}

func (r *Report) tally(a Amount) Tally { return Tally{1, in(r.Total.Currency, a)} }

// person returns the row of a in the report of one record.
func (r *Report) person(a Actor) *PersonTotal {
	z := Tally{Amount: r.Total.Currency.Zero()}
	r.People = []PersonTotal{{ID: a.ID, Name: a.Name, Sales: z, Cancelled: z, Cleared: z, Removed: z}}
	return &r.People[0]
}

func newTender(t Tender, c Currency) TenderTotal {
	z := c.Zero()
	return TenderTotal{Tender: t, Amount: z, Given: z, Change: z, Rounding: z}
}

func tenderOf(p Payment, c Currency) TenderTotal {
	return TenderTotal{p.Tender, 1, p.Amount, in(c, p.Given), in(c, p.Change), in(c, p.Rounding), assets(p.Received)}
}

func assets(q Quantity) []Quantity {
	if q.IsZero() {
		return nil
	}
	return []Quantity{q}
}

// in gives an amount that was left out of a record, and so has no currency, one.
func in(c Currency, a Amount) Amount {
	if a.IsZero() {
		return c.Zero()
	}
	return a
}

func byRate(a, b TaxRow) int {
	x, y := a.Rate, b.Rate
	included := func(t TaxRate) int {
		if t.Included {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(x.Code, y.Code), cmp.Compare(x.Milli, y.Milli),
		cmp.Compare(included(x), included(y)), cmp.Compare(x.Name, y.Name))
}
