package pos

import (
	"reflect"
	"strings"
	"testing"
)

func TestShortAddress(t *testing.T) {
	for _, x := range [][2]string{{"", ""}, {"0x12", "0x12"}, {"12345678abcdef", "12345678abcdef"}, {"0x71C7656EC7ab88b098defB751B7401B5f6d8976F", "0x71C765…d8976F"}} {
		if got := ShortAddress(x[0]); got != x[1] {
			t.Errorf("%q: %q, want %q", x[0], got, x[1])
		}
	}
	d := Destination{"evm", "EVM", "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"}
	if got := d.Tail(); got != "EVM …d8976F" || (Destination{}).Tail() != "" || (Destination{Network: "X", Address: "y"}).Tail() != "X …y" {
		t.Errorf("by its end: %q", got)
	}
}

// TestReportDestinations: the day tells which addresses payments came to and which were
// new, each once, in any order of merging; what is no name of one is left out.
func TestReportDestinations(t *testing.T) {
	rec := func(n uint64, kind RecordKind, body any) Record {
		return Record{N: n, Kind: kind, Body: NewBody(body), At: t0, Clock: ClockTrusted, Hash: Hash{byte(n)}}
	}
	pay := func(n uint64, to string, refundable bool) Record {
		p := Payment{ID: "s-1", Tender: "usdc-base", Amount: eur.Of(100), State: Settled, To: to, Refundable: refundable}
		return rec(n, KindPayment, PaymentMoved{Payment: p, Event: Settle, By: Till})
	}
	all := []Record{
		rec(1, KindDestination, DestinationChanged{Destination: Destination{"evm", "EVM", "0x00000000d8976F"}, Open: true}),
		pay(2, "EVM …1BeAed", false), pay(3, "EVM …d8976F", false), pay(4, "EVM …1BeAed", true), pay(5, "", false),
		pay(6, strings.Repeat("x", 200), false), pay(7, "two\nlines", false),
		rec(8, KindConfirmed, DestinationChanged{Destination: Destination{"evm", "EVM", "0x00000000abcdef"}}),
	}
	want := []DestinationTotal{{"EVM …1BeAed", 2}, {"EVM …d8976F", 1}}
	for cut := range all {
		a, b := NewReport("t", eur), NewReport("t", eur)
		for i, r := range all {
			to := &a
			if i >= cut {
				to = &b
			}
			if err := to.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Merge(a); err != nil || !reflect.DeepEqual(b.Destinations, want) {
			t.Errorf("cut at %d: %+v (%v), want %+v", cut, b.Destinations, err, want)
		}
	}
}
