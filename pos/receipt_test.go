package pos

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// sold is the completing record of a sale that has everything: two tax rates, a
// Lightning part that came over, an attempt that expired, a refund that is due,
// and the rest in rounded cash.
func sold(t testing.TB) Record {
	t.Helper()
	rate, err := RateOf(eur, Bitcoin, "58123.40", "median of 3", t0)
	if err != nil {
		t.Fatal(err)
	}
	s := sale(t, item(t, "2 espresso", 440, vat20), item(t, "croissant", 303, vat10))
	s.State, s.Receipt, s.Ref, s.Completed = Completed, "01-000482", "#0417", t0
	lightning := Payment{
		ID: "s1-2", Sale: "s1", Attempt: 2, Tender: "lightning", State: Settled, Amount: eur.Of(500), Network: "Lightning",
		Quantity: Bitcoin.UnitsOf(8603000), Received: Bitcoin.UnitsOf(8615000), Over: Bitcoin.UnitsOf(12000),
		Rate: &rate, Reference: "0123456789abcdef0123456789abcdef", At: t0, Moved: t0,
	}
	expired, double := lightning, lightning
	expired.ID, expired.State = "s1-1", Expired
	double.ID, double.Refundable, double.Late = "s1-3", true, true
	cash := Payment{ID: "s1-4", Sale: "s1", Attempt: 4, Tender: Cash, State: Settled, Amount: eur.Of(243), Given: eur.Of(500), Change: eur.Of(255), Rounding: eur.Of(2), At: t0, Moved: t0}
	s.Payments = []Payment{expired, lightning, double, cash}
	totals, err := s.Totals()
	if err != nil {
		t.Fatal(err)
	}
	return sealed(t, Record{
		N: 4711, Kind: KindSaleCompleted, At: time.Date(2026, 11, 26, 23, 30, 0, 0, time.UTC), Clock: ClockTrusted, Boot: "b00t",
		Body: NewBody(SaleCompleted{Sale: s, Totals: totals, Rounding: eur.Of(2), Change: eur.Of(255), By: Actor{"u2", "Ben", Cashier}, Count: 482, Turnover: eur.Of(123_456)}),
	})
}

// TestReceipt compares the whole receipt with a golden file; -update writes it.
func TestReceipt(t *testing.T) {
	r, err := NewReceipt(Shop{Name: "Café Süd", TaxID: "ATU1"}, sold(t), time.FixedZone("CET", 3600), 2)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/receipt.json"
	if *update {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != string(got)+"\n" {
		t.Errorf("the receipt differs from %s (%v): run with -update and read the diff\n%s", file, err, got)
	}
	// What a golden file does not explain.
	if r.ToPay != eur.Of(745) || r.Total != eur.Of(743) || r.Rounded != eur.Of(2) {
		t.Errorf("total %v, to pay %v, rounded %v", r.Total, r.ToPay, r.Rounded)
	}
	if len(r.Paid) != 2 || r.Paid[1].Amount != eur.Of(500) || r.Paid[0].Over != "12 sat" || r.Paid[0].Reference != "0123456789abcdef" {
		t.Errorf("paid %+v", r.Paid)
	}
	if d, h := r.At.Day(), r.At.Hour(); d != 27 || h != 0 || r.Unclear {
		t.Errorf("in the shop it is %v, unclear %v", r.At, r.Unclear)
	}
}

// TestReceiptOfAnythingElse: only a completing record has one.
func TestReceiptOfAnythingElse(t *testing.T) {
	for _, kind := range []RecordKind{KindSaleCharged, KindPayment, KindSaleCancelled, "", "sale_completed "} {
		r := sold(t)
		if r.Kind = kind; kind == KindSaleCompleted {
			continue
		}
		if _, err := NewReceipt(Shop{}, r, time.UTC, 0); KindOf(err) != Conflict {
			t.Errorf("%q: %v", kind, err)
		}
	}
	r := sold(t)
	r.Body = json.RawMessage(`{"sale":`)
	if _, err := NewReceipt(Shop{}, r, time.UTC, 0); KindOf(err) != Corrupt {
		t.Errorf("a broken body: %v", err)
	}
}

func TestReceiptClockAndCashier(t *testing.T) {
	tests := []struct {
		name    string
		clock   Clock
		by      Actor
		unclear bool
		cashier string
	}{
		{"trusted", ClockTrusted, Actor{ID: "u2", Name: "Ben"}, false, "Ben"},
		{"saved", ClockSaved, Actor{ID: "u2", Name: "Ben"}, true, "Ben"},
		{"unknown", ClockUnknown, Actor{ID: "u2", Name: "Ben"}, true, "Ben"},
		{"nonsense is not trusted", "TRUSTED", Actor{ID: "u2", Name: "Ben"}, true, "Ben"},
		{"the rail completed it", ClockTrusted, Till, false, "Ana"},
	}
	for _, tt := range tests {
		r := sold(t)
		var b SaleCompleted
		if err := r.Decode(&b); err != nil {
			t.Fatal(err)
		}
		b.By, r.Clock = tt.by, tt.clock
		r.Body = NewBody(b)
		got, err := NewReceipt(Shop{}, r, time.UTC, 0)
		if err != nil || got.Unclear != tt.unclear || got.Cashier != tt.cashier || got.Copy != 0 {
			t.Errorf("%s: unclear %v, cashier %s, %v", tt.name, got.Unclear, got.Cashier, err)
		}
	}
}

// TestReceiptWithoutRounding: nothing was rounded, so nothing of it is printed.
func TestReceiptWithoutRounding(t *testing.T) {
	r := sold(t)
	var b SaleCompleted
	if err := r.Decode(&b); err != nil {
		t.Fatal(err)
	}
	b.Rounding = Amount{}
	r.Body = NewBody(b)
	got, err := NewReceipt(Shop{}, r, time.UTC, 0)
	if err != nil || got.ToPay != got.Total || !got.Rounded.IsZero() {
		t.Errorf("to pay %v, rounded %v, %v", got.ToPay, got.Rounded, err)
	}
}

func TestReceiptNumber(t *testing.T) {
	for n, want := range map[uint64]string{1: "01-000001", 482: "01-000482", 999_999: "01-999999", 1_000_000: "01-1000000"} {
		if got := ReceiptNumber("01", n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
		if run, err := receiptRun("t", ReceiptNumber("01", n)); err != nil || run != (Run{"t", "01", n, n}) {
			t.Errorf("%d is read back as %+v, %v", n, run, err)
		}
		if run, err := receiptRun("t", ReceiptNumber("", n)); err != nil || run != (Run{"t", "", n, n}) {
			t.Errorf("%d without a series is read back as %+v, %v", n, run, err)
		}
		if run, err := receiptRun("t", ReceiptNumber("A-2", n)); err != nil || run.Series != "A-2" || run.From != n {
			t.Errorf("%d of a series with a dash is read back as %+v, %v", n, run, err)
		}
	}
}
