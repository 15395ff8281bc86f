package pos

import (
	"encoding/json"
	"testing"
)

// TestAstrayReported: money that came astray is counted once by the day it came, with what
// came on top, and is no rail that gave no answer; a report of before it was counted adds up
// with one of today.
func TestAstrayReported(t *testing.T) {
	asset := Asset{ID: "b", Symbol: "USDC", Decimals: 6, Shown: 4}
	p := Payment{ID: "s-1", Sale: "s", Attempt: 1, Tender: "usdc-two", State: Unknown, Amount: eur.Of(290), Owed: true}
	p.Quantity, p.Stray = Asset{ID: "a", Symbol: "USDC", Decimals: 6, Shown: 4}.UnitsOf(3_000_000), asset.UnitsOf(3_000_000)
	if !p.Astray() || !p.Elsewhere() {
		t.Error("it is astray, on another network")
	}
	more := p
	more.Stray = asset.UnitsOf(4_000_000)
	lost := p
	lost.Stray = Quantity{}
	bodies := []struct {
		kind RecordKind
		body any
	}{
		{KindPayment, PaymentMoved{Payment: p, Event: Doubt, Astray: p.Stray}},
		{KindPayment, PaymentMoved{Payment: more, Astray: asset.UnitsOf(1_000_000)}},
		{KindPayment, PaymentMoved{Payment: lost, Event: Doubt}},
		{KindRefundDecided, RefundDecided{Payment: p.ID, As: GivenBack, Note: "cash", Beside: true, Came: more.Stray, Amount: eur.Zero()}},
		{KindRefundDecided, RefundDecided{Payment: "r-1", As: AsSale, Sale: "r", Beside: true, Came: p.Stray, Into: "r-2", Amount: eur.Of(120)}},
		{KindTrustOff, TrustChanged{Tender: "usdc-two", Missing: eur.Of(290)}},
	}
	whole, parts := NewReport("t", eur), NewReport("t", eur)
	for i, b := range bodies {
		rec := Record{N: uint64(i + 1), Kind: b.kind, Body: NewBody(b.body), At: t0}
		one := NewReport("t", eur)
		if err := one.Add(rec); err != nil {
			t.Fatal(err)
		}
		old, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		if i == 5 { // one that counts nothing of it, as it was written before
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(old, &fields); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"astray", "astray_back", "astray_taken"} {
				delete(fields, name)
			}
			old, _ = json.Marshal(fields)
		}
		var back Report
		if err := json.Unmarshal(old, &back); err != nil {
			t.Fatal(err)
		}
		if err := whole.Add(rec); err != nil {
			t.Fatal(err)
		}
		if err := back.Merge(parts); err != nil {
			t.Fatal(err)
		}
		parts = back
	}
	for name, r := range map[string]Report{"at once": whole, "in parts": parts} {
		if r.Astray.Count != 1 || r.Astray.Amount != eur.Of(290) || len(r.Astray.Assets) != 1 || r.Astray.Assets[0].String() != "4.0000 USDC" {
			t.Errorf("%s: astray %+v", name, r.Astray)
		}
		if r.AstrayBack != 1 || r.AstrayTaken != (Tally{1, eur.Of(120)}) || r.PaymentDoubts != 1 || r.GivenBack.Count != 0 || r.SoldAfter.Count != 0 {
			t.Errorf("%s: back %d, taken %+v, %d doubts", name, r.AstrayBack, r.AstrayTaken, r.PaymentDoubts)
		}
	}
}
