package ingest_test

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// TestLoss: the record of a loss raises an alarm, once however often it is delivered; what
// is no loss, or tells of none, raises none, and a till's words are not believed to be
// text.
func TestLoss(t *testing.T) {
	till := day(1, 2)
	missing := till.Currency.Of(290)
	rs := []pos.Record{
		till.Add(pos.KindTrustOff, pos.TrustChanged{Tender: "usdc-lab", Missing: missing, Why: "2.90 never came", By: pos.Till}),
		till.Add(pos.KindTrustOff, pos.TrustChanged{Tender: "usdc-lab", Missing: till.Currency.Zero(), Why: "its sale was open", By: pos.Till}),
		till.Add(pos.KindTrustOn, pos.TrustChanged{Tender: "usdc-lab"}),
		till.Add(pos.KindTrustOff, "no such body"),
		till.Add(pos.KindTrustOff, pos.TrustChanged{Missing: missing, Why: "two\nlines"}),
		till.Add(pos.KindTrustOff, pos.TrustChanged{Missing: missing, Why: strings.Repeat("x", 5000)}),
	}
	o := newOffice(t, till)
	for range 3 {
		o.take(till, till.Records()...)
	}
	got := map[uint64]string{}
	for _, a := range o.alarms() {
		if a.Kind != store.AlarmLoss || a.Times != 1 || a.Till != till.Genesis.Till {
			t.Errorf("an alarm: %+v", a)
		}
		got[a.N] = a.Why.In("en")
	}
	want := map[uint64]string{rs[0].N: "2.90 never came", rs[4].N: "2.90 EUR", rs[5].N: "2.90 EUR"}
	if len(got) != len(want) {
		t.Errorf("alarms %v", got)
	}
	for n, why := range want {
		if got[n] != why {
			t.Errorf("record %d: %q, want %q", n, got[n], why)
		}
	}
}
