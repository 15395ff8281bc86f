package ingest_test

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// TestMoved: the record of an address that money is to go to raises an alarm with the old
// and the new one, once however often it is delivered; the first one, and a manager's
// word, raise none.
func TestMoved(t *testing.T) {
	till := day(1, 2)
	to := func(network, address string) pos.Destination {
		return pos.Destination{Name: "evm", Network: network, Address: address}
	}
	rs := []pos.Record{
		till.Add(pos.KindDestination, pos.DestinationChanged{Destination: to("EVM", "0xA")}),
		till.Add(pos.KindDestination, pos.DestinationChanged{Destination: to("EVM", "0xB"), Old: "0xA", Open: true}),
		till.Add(pos.KindConfirmed, pos.DestinationChanged{Destination: to("EVM", "0xB"), Old: "0xA"}),
		till.Add(pos.KindDestination, pos.DestinationChanged{Destination: to("Tron", "T1"), Open: true}),
		till.Add(pos.KindDestination, pos.DestinationChanged{Destination: to("EVM", "0xA"), Old: "0xB"}),
		till.Add(pos.KindDestination, pos.DestinationChanged{Destination: to("two\nlines", "0xC"), Old: "0xA", Open: true}),
		till.Add(pos.KindDestination, pos.DestinationChanged{Destination: to("EVM", strings.Repeat("x", 5000)), Old: "0xA", Open: true}),
	}
	o := newOffice(t, till)
	for range 3 {
		o.take(till, till.Records()...)
	}
	got := map[uint64]string{}
	for _, a := range o.alarms() {
		if a.Kind != store.AlarmDestination || a.Times != 1 || a.Till != till.Genesis.Till {
			t.Errorf("an alarm: %+v", a)
		}
		got[a.N] = a.Why.In("en")
	}
	want := map[uint64]string{rs[1].N: "EVM: 0xA → 0xB", rs[3].N: "Tron: – → T1", rs[4].N: "EVM: 0xB → 0xA", rs[5].N: "?", rs[6].N: "?"}
	if len(got) != len(want) {
		t.Errorf("alarms %v", got)
	}
	for n, why := range want {
		if got[n] != why {
			t.Errorf("record %d: %q, want %q", n, got[n], why)
		}
	}
}
