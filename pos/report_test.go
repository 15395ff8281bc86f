package pos

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// history makes up the records of a till, sale after sale, and keeps its own plain
// sums of what it did: int64 and big.Int, added up one by one.
type history struct {
	t       testing.TB
	rng     *rand.Rand
	records []Record
	at      time.Time
	receipt uint64
	pending []Payment // part payments of a sale that is not complete yet

	sales, net, tax, total, rounding, lines, turnover int64
	rates                                             map[string][3]int64 // by code: net, tax, gross
	cash                                              [4]int64            // count, amount, given, change
	rail                                              [2]int64            // count, amount
	msat, lateMsat, dueMsat, overMsat                 *big.Int
	late, due, over                                   int64
	tally                                             map[string][2]int64 // by kind: count, amount
	people                                            map[string][2]int64 // by name: sales, amount
}

func newHistory(t testing.TB, rng *rand.Rand) *history {
	return &history{
		t: t, rng: rng, at: t0, rates: map[string][3]int64{}, tally: map[string][2]int64{}, people: map[string][2]int64{},
		msat: new(big.Int), lateMsat: new(big.Int), dueMsat: new(big.Int), overMsat: new(big.Int),
	}
}

func (h *history) add(kind RecordKind, body any) {
	h.at = h.at.Add(time.Duration(h.rng.Int64N(int64(time.Minute))))
	h.records = append(h.records, Record{N: uint64(len(h.records) + 1), Kind: kind, Body: NewBody(body), At: h.at, Clock: ClockTrusted, Hash: Hash{byte(len(h.records))}})
}

func (h *history) count(kind string, amount int64) {
	v := h.tally[kind]
	h.tally[kind] = [2]int64{v[0] + 1, v[1] + amount}
}

var staff = []Actor{{"u1", "Ana", Cashier}, {"u2", "Ben", Manager}}

func (h *history) who() Actor { return staff[h.rng.IntN(len(staff))] }

// settle records money that arrived and adds it to the sums.
func (h *history) settle(p Payment) Payment {
	p.State = Settled
	if p.Tender != Cash {
		p.Received = Bitcoin.UnitsOf(1000 * (1 + h.rng.Int64N(1_000_000)))
		if h.rng.IntN(5) == 0 {
			p.Over = Bitcoin.UnitsOf(1000 + h.rng.Int64N(5000))
		}
		if p.Late = h.rng.IntN(5) == 0; p.Late {
			h.late++
			h.lateMsat.Add(h.lateMsat, p.Received.Int())
		}
		if !p.Refundable && !p.Over.IsZero() {
			h.over++
			h.overMsat.Add(h.overMsat, p.Over.Int())
		}
	}
	h.add(KindPayment, PaymentMoved{Payment: p, Event: Settle, By: Till})
	return p
}

// sell completes a sale in one or two payments, with steps in between that add no
// figure.
func (h *history) sell() {
	s := Sale{ID: "s", Currency: "EUR", By: h.who(), Ref: "#1"}
	for range 1 + h.rng.IntN(4) {
		l, err := NewLine("x", "", 1+h.rng.Int64N(4000), eur.Of(100+h.rng.Int64N(3000)), []TaxRate{vat20, vat10, nyc, none}[h.rng.IntN(4)])
		if err != nil {
			h.t.Fatal(err)
		}
		s.Lines = append(s.Lines, l)
		h.lines += l.Total.Minor
	}
	tot, err := s.Totals()
	if err != nil {
		h.t.Fatal(err)
	}
	h.add(KindSaleCharged, SaleCharged{Sale: s, Totals: tot, By: s.By})
	due, by := tot.Total.Minor, s.By
	v := SaleCompleted{Totals: tot, Rounding: eur.Zero(), Change: eur.Zero()}
	if h.rng.IntN(2) == 0 && due > 1 { // a part, or all of it, over Lightning
		part := 1 + h.rng.Int64N(due)
		p := Payment{ID: "s-1", Sale: "s", Attempt: 1, Tender: "lightning", Amount: eur.Of(part)}
		h.add(KindPayment, PaymentMoved{Payment: p, By: s.By})
		h.add(KindPayment, PaymentMoved{Payment: p, Event: Request, By: Till})
		p = h.settle(p)
		s.Payments = append(s.Payments, p)
		h.rail = [2]int64{h.rail[0] + 1, h.rail[1] + part}
		h.msat.Add(h.msat, p.Received.Int())
		due, by = due-part, Till
	}
	if due > 0 {
		round := Rounding{Step: 5}.Due(eur.Of(due)).Minor - due
		given := due + round + h.rng.Int64N(1000)
		p := Payment{ID: "s-2", Sale: "s", Attempt: 2, Tender: Cash, Amount: eur.Of(due), Given: eur.Of(given), Change: eur.Of(given - due - round), Rounding: eur.Of(round)}
		s.Payments = append(s.Payments, h.settle(p))
		h.cash = [4]int64{h.cash[0] + 1, h.cash[1] + due, h.cash[2] + given, h.cash[3] + given - due - round}
		h.rounding += round
		v.Rounding, v.Change, by = eur.Of(round), eur.Of(given-due-round), h.who()
	}
	h.receipt++
	h.turnover += tot.Total.Minor
	s.State, s.Receipt = Completed, ReceiptNumber("01", h.receipt)
	v.Sale, v.By, v.Count, v.Turnover = s, by, h.receipt, eur.Of(h.turnover)
	h.add(KindSaleCompleted, v)
	h.sales++
	h.net, h.tax, h.total = h.net+tot.Net.Minor, h.tax+tot.TaxUp.Minor, h.total+tot.Total.Minor
	for _, row := range tot.Tax {
		v := h.rates[row.Rate.Code]
		h.rates[row.Rate.Code] = [3]int64{v[0] + row.Net.Minor, v[1] + row.Tax.Minor, v[2] + row.Gross.Minor}
	}
	name := v.Cashier().Name
	h.people[name] = [2]int64{h.people[name][0] + 1, h.people[name][1] + tot.Total.Minor}
}

// day lives n events.
func (h *history) day(n int) {
	h.add(KindBoot, Boot{PowerLost: h.rng.IntN(2) == 0})
	for range n {
		amount := 1 + h.rng.Int64N(5000)
		switch h.rng.IntN(14) {
		case 0:
			h.add(KindSaleCancelled, SaleCancelled{Total: eur.Of(amount), By: h.who()})
			h.count("cancelled", amount)
		case 1:
			h.add(KindBasketCleared, BasketCleared{Total: eur.Of(amount), By: h.who()})
			h.count("cleared", amount)
		case 2:
			h.add(KindLineRemoved, LineRemoved{Line: Line{Total: eur.Of(amount)}, By: h.who()})
			h.count("removed", amount)
		case 3:
			h.add(KindDrawerOpened, DrawerOpened{Reason: "change", By: h.who()})
			h.count("drawer", 0)
		case 4:
			h.add(KindReprinted, Reprinted{Copy: 1, By: h.who()})
			h.count("reprint", 0)
		case 5:
			h.add(KindPINFailed, PINFailed{Count: 3})
			h.count("pin", 0)
		case 6: // paid twice: no sale needs it
			p := h.settle(Payment{ID: "d-1", Tender: "lightning", Amount: eur.Of(amount), Refundable: true})
			h.due++
			h.dueMsat.Add(h.dueMsat, p.Received.Int())
			h.count("due", amount)
		case 7:
			h.add(KindPayment, PaymentMoved{Payment: Payment{Amount: eur.Of(amount), State: Unknown}, Event: Doubt, By: Till})
			h.count("doubt", 0)
		case 8:
			h.add("a kind of tomorrow", map[string]any{"total": "x"})
		default:
			h.sell()
		}
	}
	h.add(KindStopped, Stopped{})
}

func fold(t testing.TB, till string, records []Record) Report {
	t.Helper()
	r := NewReport(till, eur)
	for _, rec := range records {
		if err := r.Add(rec); err != nil {
			t.Fatalf("record %d (%s): %v", rec.N, rec.Kind, err)
		}
	}
	return r
}

func msats(list []Quantity) *big.Int {
	sum := new(big.Int)
	for _, q := range list {
		sum.Add(sum, q.Int())
	}
	return sum
}

// TestReportAddsUp compares every figure of a made-up day with sums that were
// added up beside it.
func TestReportAddsUp(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	h := newHistory(t, rand.New(rand.NewPCG(seed, 3)))
	h.day(600)
	r := fold(t, "t1", h.records)
	ints := map[string][2]int64{
		"sales": {r.Sales, h.sales}, "unclear": {r.Unclear, 0}, "unbalanced": {r.Unbalanced, 0},
		"net": {r.Net.Minor, h.net}, "tax": {r.TaxUp.Minor, h.tax}, "total": {r.Total.Minor, h.total}, "rounding": {r.Rounding.Minor, h.rounding}, "lines": {r.Lines.Minor, h.lines},
		"late": {r.Late.Count, h.late}, "refund due": {r.RefundDue.Count, h.due}, "over": {r.Over.Count, h.over}, "refund amount": {r.RefundDue.Amount.Minor, h.tally["due"][1]},
		"cancelled": {r.Cancelled.Count, h.tally["cancelled"][0]}, "cancelled amount": {r.Cancelled.Amount.Minor, h.tally["cancelled"][1]},
		"cleared": {r.Cleared.Count, h.tally["cleared"][0]}, "cleared amount": {r.Cleared.Amount.Minor, h.tally["cleared"][1]},
		"removed": {r.Removed.Count, h.tally["removed"][0]}, "removed amount": {r.Removed.Amount.Minor, h.tally["removed"][1]},
		"drawer": {r.DrawerOpened, h.tally["drawer"][0]}, "reprints": {r.Reprinted, h.tally["reprint"][0]}, "pins": {r.PINFailed, h.tally["pin"][0]}, "doubts": {r.PaymentDoubts, h.tally["doubt"][0]},
		"cash count": {r.Tender(Cash).Count, h.cash[0]}, "cash": {r.Tender(Cash).Amount.Minor, h.cash[1]}, "given": {r.Tender(Cash).Given.Minor, h.cash[2]}, "change": {r.Tender(Cash).Change.Minor, h.cash[3]},
		"rail count": {r.Tender("lightning").Count, h.rail[0]}, "rail": {r.Tender("lightning").Amount.Minor, h.rail[1]},
		"tenders and total": {r.Tender(Cash).Amount.Minor + r.Tender("lightning").Amount.Minor, h.total},
		"drawer's money":    {r.Tender(Cash).Given.Minor - r.Tender(Cash).Change.Minor, h.cash[1] + h.rounding},
		"started":           {r.Started, 1}, "mark": {int64(r.Marks[0].Sales), h.sales}, "turnover": {r.Marks[0].Turnover.Minor, h.turnover},
		"records": {int64(r.Records[0].To), int64(len(h.records))}, "receipts": {int64(r.Receipts[0].To), h.sales}, "rates": {int64(len(r.Tax)), int64(len(h.rates))},
	}
	for name, v := range ints {
		if v[0] != v[1] {
			t.Errorf("%s: the report says %d, the sum is %d", name, v[0], v[1])
		}
	}
	for name, v := range map[string][2]*big.Int{"msat": {msats(r.Tender("lightning").Assets), h.msat}, "late": {msats(r.Late.Assets), h.lateMsat}, "due": {msats(r.RefundDue.Assets), h.dueMsat}, "over": {msats(r.Over.Assets), h.overMsat}} {
		if v[0].Cmp(v[1]) != 0 {
			t.Errorf("%s: the report says %v, the sum is %v", name, v[0], v[1])
		}
	}
	for _, row := range r.Tax {
		if got := [3]int64{row.Net.Minor, row.Tax.Minor, row.Gross.Minor}; got != h.rates[row.Rate.Code] {
			t.Errorf("tax %s: %v, want %v", row.Rate.Code, got, h.rates[row.Rate.Code])
		}
	}
	for _, p := range r.People {
		if want := h.people[p.Name]; p.Sales.Count != want[0] || p.Sales.Amount.Minor != want[1] {
			t.Errorf("%s: %v, want %v", p.Name, p.Sales, want)
		}
	}
	if !reflect.DeepEqual(r.Tenders, r.Received) { // every sale of the span was paid in it
		t.Errorf("tenders %+v\nreceived %+v", r.Tenders, r.Received)
	}
	if c, err := r.Collected(); err != nil || c.Minor != h.total+h.rounding {
		t.Errorf("collected %v, %v", c, err)
	}
	if len(Missing(r.Records))+len(Missing(r.Receipts)) > 0 || r.From != h.records[0].At || r.To != h.at {
		t.Errorf("missing %v %v, from %v to %v", Missing(r.Records), Missing(r.Receipts), r.From, r.To)
	}
}

// TestReportInParts cuts histories of two tills into pieces, folds each by itself,
// merges them in any order, and wants what one fold gives.
func TestReportInParts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 4))
	for range 30 {
		var parts []Report
		var wholes []Report
		for _, till := range []string{"t1", "t2"} {
			h := newHistory(t, rng)
			h.day(rng.IntN(60))
			wholes = append(wholes, fold(t, till, h.records))
			for rest := h.records; len(rest) > 0; {
				n := min(1+rng.IntN(40), len(rest))
				parts, rest = append(parts, fold(t, till, rest[:n])), rest[n:]
			}
		}
		want := wholes[0]
		if err := want.Merge(wholes[1]); err != nil {
			t.Fatal(err)
		}
		rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		var got Report
		for i, p := range parts {
			before, _ := json.Marshal(p)
			if err := got.Merge(p); err != nil {
				t.Fatal(err)
			}
			if after, _ := json.Marshal(parts[i]); string(before) != string(after) {
				t.Fatal("merging changed what was merged in")
			}
		}
		x, _ := json.MarshalIndent(got, "", " ")
		y, _ := json.MarshalIndent(want, "", " ")
		if string(x) != string(y) {
			t.Fatalf("parts:\n%s\nwhole:\n%s", x, y)
		}
	}
}

// TestReportJSON: a report that was kept and read back still adds up with others.
func TestReportJSON(t *testing.T) {
	h := newHistory(t, rand.New(rand.NewPCG(1, 5)))
	h.day(100)
	half := len(h.records) / 2
	a, b := fold(t, "t1", h.records[:half]), fold(t, "t1", h.records[half:])
	text, err := json.Marshal(a)
	var kept Report
	if err2 := json.Unmarshal(text, &kept); err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if err := kept.Merge(b); err != nil {
		t.Fatal(err)
	}
	whole := fold(t, "t1", h.records)
	x, _ := json.Marshal(kept)
	y, _ := json.Marshal(whole)
	if string(x) != string(y) {
		t.Errorf("got\n%s\nwant\n%s", x, y)
	}
}

// completed makes a small sale's record that a test may spoil.
func completed(n, receipt uint64, minor int64, spoil func(*SaleCompleted)) Record {
	l := Line{ID: 1, Name: "tea", Qty: 1000, Price: eur.Of(minor), Total: eur.Of(minor), Tax: none}
	s := Sale{Currency: "EUR", Lines: []Line{l}, Receipt: ReceiptNumber("01", receipt), By: staff[0], State: Completed}
	s.Payments = []Payment{{State: Settled, Tender: Cash, Amount: eur.Of(minor), Given: eur.Of(minor), Change: eur.Zero()}}
	tot, _ := s.Totals()
	v := SaleCompleted{Sale: s, Totals: tot, Rounding: eur.Zero(), Change: eur.Zero(), By: staff[0], Count: receipt, Turnover: eur.Of(minor)}
	if spoil != nil {
		spoil(&v)
	}
	return Record{N: n, Kind: KindSaleCompleted, Body: NewBody(v), At: t0, Clock: ClockTrusted}
}

// TestReportUnbalanced: a sale whose figures contradict each other is counted and
// pointed at, whatever it is that does not fit.
func TestReportUnbalanced(t *testing.T) {
	tests := map[string]func(*SaleCompleted){
		"net":                 func(b *SaleCompleted) { b.Totals.Net.Minor-- },
		"tax":                 func(b *SaleCompleted) { b.Totals.TaxUp.Minor++ },
		"total":               func(b *SaleCompleted) { b.Totals.Total.Minor++ },
		"row":                 func(b *SaleCompleted) { b.Totals.Tax[0].Gross.Minor++; b.Totals.Total.Minor++ },
		"no rows":             func(b *SaleCompleted) { b.Totals.Tax = nil },
		"a line more":         func(b *SaleCompleted) { b.Sale.Lines = append(b.Sale.Lines, b.Sale.Lines[0]) },
		"a dearer line":       func(b *SaleCompleted) { b.Sale.Lines[0].Total.Minor++ },
		"paid too little":     func(b *SaleCompleted) { b.Sale.Payments[0].Amount.Minor-- },
		"paid too much":       func(b *SaleCompleted) { b.Sale.Payments[0].Amount.Minor++ },
		"not paid":            func(b *SaleCompleted) { b.Sale.Payments[0].State = Unknown },
		"paid by a refund":    func(b *SaleCompleted) { b.Sale.Payments[0].Refundable = true },
		"rounding of nothing": func(b *SaleCompleted) { b.Rounding.Minor = 1 },
		"rounding kept quiet": func(b *SaleCompleted) { b.Sale.Payments[0].Rounding = eur.Of(1) },
	}
	for name, spoil := range tests {
		r := NewReport("t", eur)
		if err := r.Add(completed(1, 1, 500, spoil)); err != nil || r.Unbalanced != 1 || r.Sales != 1 {
			t.Errorf("%s: %d unbalanced, %v", name, r.Unbalanced, err)
		}
	}
	r := NewReport("t", eur)
	if err := r.Add(completed(1, 1, 500, nil)); err != nil || r.Unbalanced != 0 {
		t.Errorf("an honest sale: %d unbalanced, %v", r.Unbalanced, err)
	}
}

// TestReportContinuity: what is missing is named, what comes twice is refused.
func TestReportContinuity(t *testing.T) {
	r := NewReport("t1", eur)
	for _, n := range []uint64{1, 2, 5, 6, 9} {
		if err := r.Add(completed(n, 10+n, 100, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := Missing(r.Records), []Run{{"t1", "", 3, 4}, {"t1", "", 7, 8}}; !slices.Equal(got, want) {
		t.Errorf("records missing: %v, want %v", got, want)
	}
	if got, want := Missing(r.Receipts), []Run{{"t1", "01", 13, 14}, {"t1", "01", 17, 18}}; !slices.Equal(got, want) {
		t.Errorf("receipts missing: %v, want %v", got, want)
	}
	before, _ := json.Marshal(r)
	twice := map[string]Record{"the same record": completed(5, 15, 100, nil), "the same number": completed(6, 99, 100, nil), "the same receipt": completed(20, 15, 100, nil)}
	for name, rec := range twice {
		if err := r.Add(rec); KindOf(err) != Conflict || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.Merge(r); KindOf(err) != Conflict || err == nil {
		t.Errorf("merged with itself: %v", err)
	}
	if after, _ := json.Marshal(r); string(after) != string(before) {
		t.Errorf("a refused record changed the report:\n%s\n%s", before, after)
	}
	other := NewReport("t2", eur) // the same numbers of another till are other numbers
	for _, n := range []uint64{3, 4, 5} {
		if err := other.Add(completed(n, 10+n, 100, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Merge(r); err != nil || other.Sales != 8 || other.Till != "" || len(Missing(other.Records)) != 2 || len(other.Marks) != 2 {
		t.Errorf("two tills: %d sales of %q, missing %v, %v", other.Sales, other.Till, Missing(other.Records), err)
	}
	edge := []Run{{"t", "", math.MaxUint64 - 1, math.MaxUint64}}
	var s sums
	if got := runs(&s, edge, []Run{{"t", "", math.MaxUint64, math.MaxUint64}}); s.err == nil {
		t.Errorf("the last number twice: %v", got)
	}
}

func TestReportFails(t *testing.T) {
	tests := []struct {
		name string
		rec  Record
		kind Kind
	}{
		{"broken body", Record{N: 2, Kind: KindSaleCompleted, Body: json.RawMessage(`{"sale":`)}, Corrupt},
		{"broken payment", Record{N: 2, Kind: KindPayment, Body: json.RawMessage(`[]`)}, Corrupt},
		{"broken boot", Record{N: 2, Kind: KindBoot, Body: json.RawMessage(`5`)}, Corrupt},
		{"broken checkpoint", Record{N: 2, Kind: KindCheckpoint, Body: json.RawMessage(`5`)}, Corrupt},
		{"broken cancellation", Record{N: 2, Kind: KindSaleCancelled, Body: json.RawMessage(`5`)}, Corrupt},
		{"broken basket", Record{N: 2, Kind: KindBasketCleared, Body: json.RawMessage(`5`)}, Corrupt},
		{"broken line", Record{N: 2, Kind: KindLineRemoved, Body: json.RawMessage(`5`)}, Corrupt},
		{"broken drawer", Record{N: 2, Kind: KindDrawerOpened, Body: json.RawMessage(`5`)}, Corrupt},
		{"broken copy", Record{N: 2, Kind: KindReprinted, Body: json.RawMessage(`5`)}, Corrupt},
		{"no receipt number", completed(2, 2, 1, func(b *SaleCompleted) { b.Sale.Receipt = "" }), Corrupt},
		{"receipt of letters", completed(2, 2, 1, func(b *SaleCompleted) { b.Sale.Receipt = "01-x" }), Corrupt},
		{"receipt zero", completed(2, 2, 1, func(b *SaleCompleted) { b.Sale.Receipt = "01-000000" }), Corrupt},
		{"overflow", completed(2, 2, math.MaxInt64, nil), Invalid},
		{"yen", Record{N: 2, Kind: KindSaleCancelled, Body: NewBody(SaleCancelled{Total: jpy.Of(5)})}, Invalid},
		{"late yen", Record{N: 2, Kind: KindPayment, Body: NewBody(PaymentMoved{Event: Settle, Payment: Payment{State: Settled, Amount: jpy.Of(5), Refundable: true}})}, Invalid},
	}
	for _, tt := range tests {
		r := fold(t, "t", []Record{completed(1, 1, 500, nil)})
		before, _ := json.Marshal(r)
		if err := r.Add(tt.rec); err == nil || KindOf(err) != tt.kind {
			t.Errorf("%s: %v", tt.name, err)
		}
		if after, _ := json.Marshal(r); string(after) != string(before) {
			t.Errorf("%s changed the report", tt.name)
		}
	}
	euros, yen := NewReport("t", eur), NewReport("u", jpy)
	if err := euros.Merge(yen); KindOf(err) != Invalid || err == nil {
		t.Errorf("yen into euros: %v", err)
	}
	huge := NewReport("u", eur)
	huge.Sales = math.MaxInt64
	one := fold(t, "t", []Record{completed(1, 1, 500, nil)})
	if err := one.Merge(huge); KindOf(err) != Invalid || err == nil {
		t.Errorf("a count past int64: %v", err)
	}
	most, _ := Bitcoin.Units(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)))
	huge = NewReport("u", eur)
	huge.Late.Assets = []Quantity{most}
	one.Late.Assets = []Quantity{Bitcoin.UnitsOf(1)}
	if err := one.Merge(huge); KindOf(err) != Invalid || err == nil {
		t.Errorf("a quantity past 256 bits: %v", err)
	}
}

// TestReportKeepsApart: rows that differ in anything that matters are not added.
func TestReportKeepsApart(t *testing.T) {
	changed := none
	changed.Milli, changed.Name = 5_000, "Exempt"
	r := fold(t, "t", []Record{completed(1, 1, 500, nil), completed(2, 2, 500, func(b *SaleCompleted) {
		b.Sale.Lines[0].Tax, b.Totals.Tax[0].Rate = changed, changed // the rate changed at noon
	}), completed(3, 3, 500, func(b *SaleCompleted) { b.By = Actor{"u1", "Anna", Cashier} })})
	if len(r.Tax) != 2 || r.Tax[0].Gross != eur.Of(1000) || r.Tax[1].Gross != eur.Of(500) {
		t.Errorf("tax rows %+v", r.Tax)
	}
	if len(r.People) != 2 || r.People[0].Name != "Ana" || r.People[1].Name != "Anna" {
		t.Errorf("people %+v", r.People)
	}
	wide := usdc
	wide.Decimals = 18
	var s sums
	if got := join(&s, []Quantity{usdc.UnitsOf(5)}, []Quantity{wide.UnitsOf(5)}, byAsset, addQuantity); len(got) != 2 {
		t.Errorf("units of different sizes became %v", got)
	}
}

// TestReportZero: the zero Report and NewReport are neutral, and an empty day has
// its figures.
func TestReportZero(t *testing.T) {
	var zero Report
	day := fold(t, "t", []Record{completed(1, 1, 500, nil)})
	want, _ := json.Marshal(day)
	if err := zero.Merge(day); err != nil {
		t.Fatal(err)
	}
	if err := day.Merge(Report{}); err != nil {
		t.Fatal(err)
	}
	empty := NewReport("t", eur)
	if err := empty.Merge(day); err != nil {
		t.Fatal(err)
	}
	for _, r := range []Report{zero, day, empty} {
		if got, _ := json.Marshal(r); string(got) != string(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if row := NewReport("t", eur).Tender(Cash); row.Amount != eur.Zero() || row.Count != 0 || row.Tender != Cash {
		t.Errorf("no cash: %+v", row)
	}
	if b, _ := json.Marshal(NewReport("t", jpy)); !strings.Contains(string(b), `"total":{"minor":"0","decimals":0,"currency":"JPY"}`) {
		t.Errorf("an empty day: %s", b)
	}
}

// TestPartPaidOverMidnight: money that came before the sale was complete is
// Received on its day, and in Tenders on the sale's.
func TestPartPaidOverMidnight(t *testing.T) {
	part := Payment{ID: "s-1", State: Settled, Tender: "lightning", Amount: eur.Of(300), Received: Bitcoin.UnitsOf(5000)}
	evening := fold(t, "t", []Record{{N: 1, Kind: KindPayment, At: t0, Body: NewBody(PaymentMoved{Payment: part, Event: Settle, By: Till})}})
	morning := fold(t, "t", []Record{completed(2, 1, 500, func(b *SaleCompleted) {
		b.Sale.Payments = append(b.Sale.Payments, part)
		b.Sale.Payments[0].Amount, b.Sale.Payments[0].Given = eur.Of(200), eur.Of(200)
	})})
	if len(evening.Received) != 1 || evening.Received[0].Amount != eur.Of(300) || len(evening.Tenders) != 0 || evening.Sales != 0 {
		t.Errorf("evening: received %+v, tenders %+v", evening.Received, evening.Tenders)
	}
	if len(morning.Received) != 0 || morning.Tender("lightning").Amount != eur.Of(300) || morning.Tender(Cash).Amount != eur.Of(200) || morning.Unbalanced != 0 {
		t.Errorf("morning: %+v", morning)
	}
}

func TestReportCheckpointAndMarks(t *testing.T) {
	r := fold(t, "t", []Record{
		{N: 1, Kind: KindCheckpoint, Hash: Hash{1}, Body: NewBody(Checkpoint{N: 0})},
		completed(2, 1, 500, nil),
		{N: 3, Kind: KindCheckpoint, Hash: Hash{3}, Body: NewBody(Checkpoint{N: 2})},
		{N: 4, Kind: KindSignedOut, Hash: Hash{4}, Body: NewBody(ByActor{})},
	})
	if want := (Mark{"t", 4, Hash{4}, 1, eur.Of(500), 2}); len(r.Marks) != 1 || r.Marks[0] != want {
		t.Errorf("got %+v, want %+v", r.Marks, want)
	}
	if r.Unclear != 0 {
		t.Errorf("%d sales at an unclear time", r.Unclear)
	}
	unsure := completed(5, 2, 500, nil)
	unsure.Clock = ClockSaved
	if err := r.Add(unsure); err != nil || r.Unclear != 1 {
		t.Errorf("%d sales at an unclear time, %v", r.Unclear, err)
	}
}

// BenchmarkReport folds a sale of three lines: what a day costs the till.
func BenchmarkReport(b *testing.B) {
	h := newHistory(b, rand.New(rand.NewPCG(1, 6)))
	h.day(2000)
	for b.Loop() {
		fold(b, "t", h.records)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(h.records)), "ns/record")
}
