package report_test

import (
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/report"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// TestProvenElsewhere: a sale was complete by the customer's word, and a manager took what came
// on another network as its proof, that day or the next. The day of the sale tells what
// arrived, once, in its figures and in payments.csv; nothing is lost and nothing is open.
func TestProvenElsewhere(t *testing.T) {
	for name, wait := range map[string]time.Duration{"the same day": 10 * time.Hour, "the next day": 34 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			var b pos.SaleCompleted
			if err := tilltest.New(2, "01", "EUR", sunday.Add(9*time.Hour)).SellToken("usdc-one", "USDC on One").Decode(&b); err != nil {
				t.Fatal(err)
			}
			till := tilltest.New(1, "01", "EUR", sunday)
			till.Wait(sunday.Add(9 * time.Hour))
			p := &b.Sale.Payments[0]
			came := pos.Asset{ID: "other", Symbol: "USDC", Decimals: 6, Shown: 4}.UnitsOf(p.Received.Int().Int64())
			p.State, p.Received, p.Unverified, p.Final = pos.Unknown, pos.Quantity{}, true, false
			till.Add(pos.KindPayment, pos.PaymentMoved{Payment: *p, Event: pos.Doubt, Trusted: true})
			till.Add(pos.KindSaleCompleted, b)
			astray := *p
			astray.Stray, astray.StrayOn, astray.Owed = came, "USDC on Two", true
			till.Add(pos.KindPayment, pos.PaymentMoved{Payment: astray, Astray: came})
			r := report.New(&shelf{tills: []*tilltest.Till{till}}, vienna)
			read := func(at time.Time) report.Day {
				t.Helper()
				d, err := r.Days(t.Context(), at)
				if err != nil || len(d) != 1 {
					t.Fatal(d, err)
				}
				return d[0]
			}
			if got := read(sunday).Total; len(got.Tender("usdc-one").Assets) != 0 || got.Unverified.Proven.Count != 0 {
				t.Fatalf("before anything is proven: %+v", got)
			}
			till.Wait(sunday.Add(wait))
			proof, aside := *p, astray
			proof.ID, proof.Attempt, proof.Tender, proof.Network = pos.PaymentIDOf(p.Sale, 2), 2, "usdc-two", "USDC on Two"
			proof.State, proof.Received, proof.Quantity, proof.Proves = pos.Settled, came, came, p.ID
			aside.Unverified, aside.Owed, aside.Aside, aside.StrayBack, aside.StrayIn = false, false, true, came, proof.ID
			till.Add(pos.KindPayment, pos.PaymentMoved{Payment: aside})
			till.Add(pos.KindRefundDecided, pos.RefundDecided{Payment: p.ID, As: pos.AsSale, Sale: p.Sale, Amount: p.Amount, Beside: true, Came: came, Network: "USDC on Two", Into: proof.ID})
			till.Add(pos.KindPayment, pos.PaymentMoved{Payment: proof, Event: pos.Settle})
			own := aside // and later what was asked for, too: that is owed, and proves nothing once more
			own.State, own.Received, own.Refundable = pos.Settled, own.Quantity, true
			till.Add(pos.KindPayment, pos.PaymentMoved{Payment: own, Event: pos.Settle})
			for range 2 { // the second time from the kept day
				d := read(sunday)
				for name, r := range map[string]pos.Report{"day": d.Total, "till": d.Tills[0].Report} {
					got := r.Tender("usdc-one")
					if got.Count != 1 || got.Amount != d.Total.Total || len(got.Assets) != 1 || got.Assets[0].Exact() != came.Exact() || r.Tender("usdc-two").Count != 0 {
						t.Errorf("the %s says %+v", name, r.Tenders)
					}
				}
				rows := table(t, func(x *report.Table) error { return x.Payments(d) }, ',')
				if rows[0]["status"] != "settled" || rows[0]["asset_amount"] != came.Number() || rows[0]["receipt_no"] == "" {
					t.Errorf("payments.csv says %v", rows)
				}
				all := d.Total
				if wait > 24*time.Hour {
					if err := all.Merge(read(sunday.AddDate(0, 0, 1)).Total); err != nil {
						t.Fatal(err)
					}
				}
				if u := all.Unverified; u.Taken.Amount != p.Amount || u.Proven != u.Taken || u.Refuted.Count != 0 || all.AstrayTaken.Amount != p.Amount || all.Unbalanced != 0 {
					t.Errorf("unverified %+v, taken %+v", u, all.AstrayTaken)
				}
				if len(all.Received) != 1 || all.Received[0].Tender != "usdc-two" || all.Received[0].Amount != p.Amount || all.RefundDue.Count != 1 {
					t.Errorf("received %+v, owed %+v", all.Received, all.RefundDue)
				}
			}
		})
	}
}
