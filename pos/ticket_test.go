package pos

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestOrders: every line that a route takes is in exactly one order, in the first route's
// that takes it; every other line is in none; no order is empty.
func TestOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"", "Food", "food", "Drinks", "Sweets"}), 0, 3)
		skus := rapid.SliceOfN(rapid.SampledFrom([]string{"A", "B", "C"}), 0, 2)
		var routes []Route
		for i := range rapid.IntRange(0, 4).Draw(t, "routes") {
			routes = append(routes, Route{Printer: fmt.Sprint("p", i), Categories: names.Draw(t, "categories"), SKUs: skus.Draw(t, "skus")})
		}
		category := map[string]string{"A": "Food", "B": "drinks", "C": ""}
		var lines []Line
		for i := range rapid.IntRange(0, 8).Draw(t, "lines") {
			lines = append(lines, Line{ID: i + 1, SKU: rapid.SampledFrom([]string{"A", "B", "C", "D", ""}).Draw(t, "sku")})
		}
		orders := Orders(lines, routes, func(sku string) string { return category[sku] })
		for _, l := range lines {
			var in []string
			for _, o := range orders {
				if slices.Contains(o.Lines, l.ID) {
					in = append(in, o.Printer)
				}
			}
			var want []string
			for _, r := range routes {
				if r.Takes(l.SKU, category[l.SKU]) {
					want = []string{r.Printer}
					break
				}
			}
			if !slices.Equal(in, want) {
				t.Fatalf("line %d of %q is told to %q, want %q", l.ID, l.SKU, in, want)
			}
		}
		for _, o := range orders {
			if len(o.Lines) == 0 || !slices.IsSorted(o.Lines) {
				t.Fatalf("%s is told of %v", o.Printer, o.Lines)
			}
		}
	})
}

// TestTakes: an amount from the keypad has no item, so nobody is told of it, whatever
// the routes say.
func TestTakes(t *testing.T) {
	for _, x := range []struct {
		route         Route
		sku, category string
		want          bool
	}{
		{Route{Categories: []string{"Food"}}, "S", "Food", true},
		{Route{Categories: []string{"food"}}, "S", "FOOD", true},
		{Route{Categories: []string{"Küche"}}, "S", "küche", true},
		{Route{Categories: []string{"Food"}}, "S", "Foods", false},
		{Route{Categories: []string{""}}, "S", "", false},
		{Route{Categories: []string{"Food"}}, "", "Food", false},
		{Route{SKUs: []string{"S"}}, "S", "", true},
		{Route{SKUs: []string{"S"}}, "s", "", false},
		{Route{SKUs: []string{""}}, "", "", false},
		{Route{}, "S", "Food", false},
	} {
		if got := x.route.Takes(x.sku, x.category); got != x.want {
			t.Errorf("%+v takes %q of %q: %v", x.route, x.sku, x.category, got)
		}
	}
}

// TestNewTicket reads a ticket from both kinds of records, and refuses all others.
func TestNewTicket(t *testing.T) {
	s := Sale{Ref: "#0417", By: Actor{Name: "Anna"}, Lines: []Line{{ID: 1, Name: "Tea", Qty: 1000}, {ID: 3, Name: "Soup", Qty: 2000}}, Tickets: []TicketOrder{
		{Printer: "Kitchen", Lines: []int{3}, Copies: 2}, {Printer: "Bar", Lines: []int{1}},
	}}
	at := time.Date(2026, 11, 26, 11, 0, 0, 0, time.UTC)
	zone := time.FixedZone("here", 3600)
	for kind, body := range map[RecordKind]any{KindSaleCharged: SaleCharged{Sale: s}, KindSaleCompleted: SaleCompleted{Sale: s}} {
		r := Record{N: 7, Kind: kind, Body: NewBody(body), At: at, Clock: ClockSaved}
		k, err := NewTicket(Shop{Till: "Till 1"}, r, "Kitchen", zone)
		want := Ticket{Station: "Kitchen", Ref: "#0417", Part: 1, Of: 2, Copies: 2, Till: "Till 1", Cashier: "Anna", At: at.In(zone), Unclear: true}
		lines := k.Lines
		if k.Lines = nil; err != nil || fmt.Sprint(k) != fmt.Sprint(want) || !slices.Equal(lines, []TicketLine{{Qty: 2000, Name: "Soup"}}) {
			t.Errorf("%s: got %+v with %+v, %v", kind, k, lines, err)
		}
		if k, err := NewTicket(Shop{}, r, "Bar", zone); err != nil || k.Copies != 1 || k.Part != 2 {
			t.Errorf("%s: got %+v, %v", kind, k, err)
		}
		if _, err := NewTicket(Shop{}, r, "Grill", zone); KindOf(err) != NotFound {
			t.Errorf("%s for nobody: %v", kind, err)
		}
	}
	if _, err := NewTicket(Shop{}, Record{Kind: KindPayment, Body: NewBody(PaymentMoved{})}, "Bar", zone); KindOf(err) != Conflict {
		t.Errorf("a payment's ticket: %v", err)
	}
	if _, err := NewTicket(Shop{}, Record{Kind: KindSaleCharged, Body: []byte("[]")}, "Bar", zone); KindOf(err) != Corrupt {
		t.Errorf("a spoilt record's ticket: %v", err)
	}
}

// TestWithin: each kind of job has its time.
func TestWithin(t *testing.T) {
	for kind, want := range map[PrintKind]time.Duration{PrintReceipt: ReceiptWithin, PrintTest: ReceiptWithin, PrintTicket: TicketWithin, PrintDrawer: DrawerWithin} {
		if got := kind.Within(); got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}
