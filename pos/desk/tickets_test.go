package desk_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

var (
	soup = pos.Item{SKU: "SUP", Name: "Goulash soup", Category: "Food", Price: eur.Of(590), Tax: taxA}
	wine = pos.Item{SKU: "WIN", Name: "Riesling", Category: "Drinks", Price: eur.Of(420), Tax: taxB}

	// kitchen cooks before it is paid, bar pours what is paid; bread goes nowhere.
	kitchen = pos.Route{Printer: "Kitchen", Categories: []string{"food"}, When: pos.WhenCharged}
	bar     = pos.Route{Printer: "Bar", Categories: []string{"Drinks", "Food"}, SKUs: []string{"ESP"}, When: pos.WhenCompleted, Copies: 2}
)

// restaurant runs f in a shop with a kitchen and a bar.
func restaurant(t *testing.T, f func(t *testing.T, s *shop)) {
	t.Helper()
	bubble(t, func(t *testing.T, s *shop) {
		s.routes = []pos.Route{kitchen, bar}
		s.restart()
		f(t, s)
	})
}

// print does the oldest job of a printer and returns what it says; "" for nothing.
func (s *shop) print(printer string) string {
	s.t.Helper()
	settle()
	q := s.Queue(printer)
	j, ok, err := q.Next()
	must(s.t, err)
	if !ok {
		return ""
	}
	text := s.said(j)
	must(s.t, q.Begin(j.ID))
	must(s.t, q.Done(j.ID))
	return text
}

// said is a job's ticket in one line.
func (s *shop) said(j pos.PrintJob) string {
	s.t.Helper()
	k, err := s.JobTicket(j)
	must(s.t, err)
	var b strings.Builder
	if k.Void {
		b.WriteString("CANCELLED ")
	}
	if k.Again || k.Unsure {
		b.WriteString("AGAIN ")
	}
	fmt.Fprintf(&b, "%s %s", k.Station, k.Ref)
	if k.Of > 0 {
		fmt.Fprintf(&b, " %d/%d", k.Part, k.Of)
	}
	for _, l := range k.Lines {
		fmt.Fprintf(&b, ", %s %s", pos.FormatQty(l.Qty), l.Name)
	}
	return b.String()
}

// order rings up something for everybody.
func (s *shop) order() {
	s.t.Helper()
	for _, sku := range []string{"SUP", "SUP", "BRD", "WIN", "ESP"} {
		s.do(pos.AddItem{SKU: sku})
	}
}

// wantPrinted wants exactly these papers of a printer, in this order.
func (s *shop) wantPrinted(printer string, want ...string) {
	s.t.Helper()
	var got []string
	for text := s.print(printer); text != ""; text = s.print(printer) {
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("%s prints %q, want %q", printer, got, want)
	}
}

// TestTicketTimes: the kitchen is told when a sale is charged, the bar when it is paid,
// each of its own lines alone, and the receipt comes out as ever.
func TestTicketTimes(t *testing.T) {
	restaurant(t, func(t *testing.T, s *shop) {
		s.order()
		s.wantPrinted("Kitchen")
		s.do(pos.Pay{Tender: "lightning"})
		settle()
		if s.prints == 0 {
			t.Error("the kitchen's printer sleeps on")
		}
		s.wantPrinted("Kitchen", "Kitchen #0001 1/2, 2 Goulash soup")
		s.wantPrinted("Bar")
		p := s.view().Counter.Current.OpenPayment()
		s.rail.do(p.ID, func(q *request) { q.state, q.got = "paid", 1<<40 })
		time.Sleep(time.Minute)
		s.want(pos.PhasePaid)
		s.wantPrinted("Bar", "Bar #0001 2/2, 1 Riesling, 1 Espresso")
		s.wantPrinted("Kitchen")
		if j, ok, err := s.Queue("").Next(); err != nil || !ok || j.Kind != pos.PrintReceipt || j.Drawer {
			t.Errorf("the receipt's job is %+v, %v, %v", j, ok, err)
		}
		s.do(pos.AddItem{SKU: "BRD"}) // nobody is told of bread
		s.do(pos.Pay{Tender: pos.Cash})
		s.wantPrinted("Kitchen")
		s.wantPrinted("Bar")
	})
}

// TestTakenBack gives a charged sale up, or goes back to its basket, at every stage of
// the kitchen's ticket, and takes the power or the index away behind it. Goal: the
// kitchen is never left with an order that nobody wants, and is not told of one that it
// never saw, unless nobody can know.
func TestTakenBack(t *testing.T) {
	const order, gone = "Kitchen #0001 1/2, 2 Goulash soup", "CANCELLED Kitchen #0001, 2 Goulash soup"
	stages := []struct {
		name    string
		do      func(s *shop, id uint64)
		printed bool // a byte of it may be on paper
		missed  bool
	}{
		{"waiting", func(*shop, uint64) {}, false, false},
		{"begun", func(s *shop, id uint64) { must(s.t, s.Queue("Kitchen").Begin(id)) }, true, false},
		{"printed", func(s *shop, id uint64) {
			must(s.t, s.Queue("Kitchen").Begin(id))
			must(s.t, s.Queue("Kitchen").Done(id))
		}, true, false},
		{"given up", func(s *shop, id uint64) { must(s.t, s.Queue("Kitchen").Drop(id, "too late: no paper")) }, false, true},
		{"given up in the middle", func(s *shop, id uint64) {
			must(s.t, s.Queue("Kitchen").Begin(id))
			must(s.t, s.Queue("Kitchen").Drop(id, "printing broke off too often"))
		}, true, false},
	}
	ways := map[string]pos.Action{"given up": pos.ClearSale{}, "changed": pos.Reopen{}}
	for _, st := range stages {
		for way, action := range ways {
			for _, after := range []string{"goes on", "restarts", "loses its last moment", "loses its index"} {
				t.Run(strings.Join([]string{st.name, way, after}, ", "), func(t *testing.T) {
					restaurant(t, func(t *testing.T, s *shop) {
						s.order()
						s.do(pos.Pay{Tender: "lightning"})
						settle()
						j, ok, err := s.Queue("Kitchen").Next()
						if err != nil || !ok || s.said(j) != order {
							t.Fatalf("%+v, %v, %v", j, ok, err)
						}
						st.do(s, j.ID)
						s.do(pos.CancelPayment{})
						settle()
						copied := s.copyLedger()
						s.do(action)
						settle()
						known := true
						switch after {
						case "restarts":
							s.restart()
						case "loses its last moment":
							s.cut(copied)
						case "loses its index":
							s.halt()
							must(t, os.Remove(filepath.Join(s.dir, "ledger.db")))
							s.start()
							known = false
						}
						var want []string
						if st.printed || !known && !st.missed {
							text := strings.Replace(gone, "#0001", "#0001 1/2", 1)
							if !known {
								text = strings.Replace(text, "CANCELLED ", "CANCELLED AGAIN ", 1)
							}
							want = append(want, text)
						}
						s.wantPrinted("Kitchen", want...)
						s.wantPrinted("Bar")
					})
				})
			}
		}
	}
}

// TestCancelledWhilePrinting: the order is taken back between the look at the queue and
// the first byte. It is not begun.
func TestCancelledWhilePrinting(t *testing.T) {
	restaurant(t, func(t *testing.T, s *shop) {
		s.order()
		s.do(pos.Pay{Tender: "lightning"})
		settle()
		q := s.Queue("Kitchen")
		j, _, err := q.Next()
		must(t, err)
		s.do(pos.CancelPayment{})
		s.do(pos.ClearSale{})
		settle()
		if err := q.Begin(j.ID); pos.KindOf(err) != pos.Conflict {
			t.Errorf("begun: %v", err)
		}
		s.wantPrinted("Kitchen")
		if err := q.Begin(j.ID); pos.KindOf(err) != pos.NotFound {
			t.Errorf("begun: %v", err)
		}
	})
}

// TestTicketGivenUp tells the cashier whom to tell, and of what.
func TestTicketGivenUp(t *testing.T) {
	restaurant(t, func(t *testing.T, s *shop) {
		s.order()
		s.do(pos.Pay{Tender: "lightning"})
		s.print("Kitchen")
		s.do(pos.CancelPayment{})
		s.do(pos.ClearSale{})
		s.order()
		s.do(pos.Pay{Tender: "lightning"})
		settle()
		for range 2 {
			j, _, err := s.Queue("Kitchen").Next()
			must(t, err)
			must(t, s.Queue("Kitchen").Drop(j.ID, "too late: no paper"))
		}
		n := s.view().Counter.Notices
		if len(n) != 2 || n[1].Text != "Kitchen does not know that order #0001 is cancelled: too late: no paper. Tell them." ||
			n[0].Text != "Kitchen did not get order #0002: too late: no paper. Tell them." || n[0].Kind != pos.NoticePrinter {
			t.Errorf("notices %+v", n)
		}
	})
}

// TestTicketAgain prints a ticket once more, marked, of an open sale and of a paid one,
// to one printer or to all that had one.
func TestTicketAgain(t *testing.T) {
	restaurant(t, func(t *testing.T, s *shop) {
		s.refused(pos.Reprint{Ticket: true}, pos.NotFound)
		s.order()
		s.refused(pos.Reprint{Ticket: true, Sale: s.view().Counter.Current.ID}, pos.Conflict)
		a := s.do(pos.Pay{Tender: "lightning"})
		s.print("Kitchen")
		s.do(pos.Reprint{Ticket: true})
		s.wantPrinted("Kitchen", "AGAIN Kitchen #0001 1/2, 2 Goulash soup")
		s.refused(pos.Reprint{Ticket: true, Printer: "Bar"}, pos.NotFound) // it had none yet
		s.do(pos.CancelPayment{})
		s.do(pos.Pay{Tender: pos.Cash})
		s.wantPrinted("Bar", "Bar #0001 2/2, 1 Riesling, 1 Espresso")
		s.do(pos.Reprint{Ticket: true, Sale: a.Sale})
		s.wantPrinted("Kitchen", "AGAIN Kitchen #0001 1/2, 2 Goulash soup")
		s.wantPrinted("Bar", "AGAIN Bar #0001 2/2, 1 Riesling, 1 Espresso")
		s.do(pos.Reprint{Ticket: true, Printer: "Bar"})
		s.wantPrinted("Kitchen")
		s.wantPrinted("Bar", "AGAIN Bar #0001 2/2, 1 Riesling, 1 Espresso")
		if v := s.view().Counter.LastDone; v.Copies != 0 {
			t.Errorf("%d copies of the receipt", v.Copies)
		}
	})
}

// TestTestPage: a manager has any printer's test page printed while the till sells, behind
// what waits there; it outlives a restart, and is counted.
func TestTestPage(t *testing.T) {
	restaurant(t, func(t *testing.T, s *shop) {
		s.order()
		s.do(pos.Pay{Tender: "lightning"})
		s.refused(pos.PrintTestPage{}, pos.Forbidden) // Anna is a cashier
		for _, name := range []string{"kitchen", ""} {
			_, err := s.Do(t.Context(), pos.Command{Key: "test " + name, By: boss, Do: pos.PrintTestPage{Printer: name}})
			must(t, err)
		}
		_, err := s.Do(t.Context(), pos.Command{Key: "cellar", By: boss, Do: pos.PrintTestPage{Printer: "Cellar"}})
		if pos.KindOf(err) != pos.NotFound {
			t.Errorf("a printer that is none: %v", err)
		}
		s.restart()
		if got := s.print("Kitchen"); got != "Kitchen #0001 1/2, 2 Goulash soup" {
			t.Errorf("the test page overtook %q", got)
		}
		for _, name := range []string{"Kitchen", ""} {
			j, ok, err := s.Queue(name).Next()
			if must(t, err); !ok || j.Kind != pos.PrintTest || j.Printer != name || j.Drawer {
				t.Errorf("%q owes %+v", name, j)
			}
		}
		if _, ok, _ := s.Queue("Bar").Next(); ok {
			t.Error("the bar prints, too")
		}
	})
}

// TestMissedThenAgain: a ticket that was given up and then printed by hand must be taken
// back after all.
func TestMissedThenAgain(t *testing.T) {
	restaurant(t, func(t *testing.T, s *shop) {
		s.order()
		s.do(pos.Pay{Tender: "lightning"})
		settle()
		j, _, err := s.Queue("Kitchen").Next()
		must(t, err)
		must(t, s.Queue("Kitchen").Drop(j.ID, "too late"))
		s.do(pos.Reprint{Ticket: true})
		s.print("Kitchen")
		s.do(pos.CancelPayment{})
		s.do(pos.ClearSale{})
		s.wantPrinted("Kitchen", "CANCELLED Kitchen #0001 1/2, 2 Goulash soup")
	})
}

// TestPrinterGone: what a printer owes that the shop has no more is given up aloud.
func TestPrinterGone(t *testing.T) {
	restaurant(t, func(t *testing.T, s *shop) {
		s.order()
		s.do(pos.Pay{Tender: pos.Cash})
		s.routes = []pos.Route{bar}
		s.restart()
		n := s.view().Counter.Notices
		if len(n) != 1 || n[0].Text != "Kitchen did not get order #0001: this till has no such printer any more. Tell them." {
			t.Errorf("notices %+v", n)
		}
		s.wantPrinted("Kitchen")
		s.wantPrinted("Bar", "Bar #0001 2/2, 1 Riesling, 1 Espresso")
	})
}

// TestSoldAfterAll: what went out long ago is not cooked again when its money is booked.
func TestSoldAfterAll(t *testing.T) {
	restaurant(t, func(t *testing.T, s *shop) {
		s.order()
		a := s.do(pos.Pay{Tender: "lightning"})
		settle()
		s.print("Kitchen")
		s.rail.do(a.Payment, func(q *request) { q.state = "lapsed" })
		time.Sleep(railExpiry)
		s.do(pos.ClearSale{})
		s.print("Kitchen")
		s.rail.do(a.Payment, func(q *request) { q.state, q.got = "paid", 1<<40 })
		time.Sleep(10 * time.Minute)
		settle()
		if _, err := s.Do(t.Context(), pos.Command{Key: "d", By: boss, Do: s.decision(a.Payment, pos.AsSale, "")}); err != nil {
			t.Fatal(err)
		}
		s.wantPrinted("Kitchen")
		s.wantPrinted("Bar")
	})
}

// sheet is what came out of a printer for one job.
type sheet struct {
	ref          string
	void, marked bool
	text         string
}

// TestTicketsOfADay sells through random days: printers take papers, break off, are not
// there for hours; the till is restarted, loses its last moment or its whole index.
// Goal: every line of a completed sale is on its printer's ticket, once unmarked at most,
// and on no other's; whatever was ordered and is not wanted any more is taken back.
func TestTicketsOfADay(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			restaurant(t, func(t *testing.T, s *shop) {
				d := &diner{shop: s, rnd: rand.New(rand.NewPCG(seed, 7)), out: map[string][]sheet{}}
				for range 120 {
					d.step()
				}
				d.close()
				d.check(t)
			})
		})
	}
}

// diner is a day in a restaurant.
type diner struct {
	*shop
	rnd    *rand.Rand
	out    map[string][]sheet
	copied string
}

func (d *diner) step() {
	settle()
	switch d.rnd.IntN(12) {
	case 0, 1, 2:
		d.do(pos.AddItem{SKU: []string{"SUP", "BRD", "WIN", "ESP"}[d.rnd.IntN(4)]})
	case 3, 4:
		_, _ = d.try(pos.Pay{Tender: pos.Cash})
	case 5:
		_, _ = d.try(pos.Pay{Tender: "lightning"})
	case 6:
		if _, err := d.try(pos.CancelPayment{}); err == nil {
			_, _ = d.try([]pos.Action{pos.ClearSale{}, pos.Reopen{}}[d.rnd.IntN(2)])
		}
	case 7:
		d.copied = d.copyLedger() // as flash is now
		_, _ = d.try(pos.Pay{Tender: pos.Cash})
		settle()
		d.cut(d.copied)
	case 8:
		d.restart()
		if d.rnd.IntN(4) == 0 {
			d.halt()
			must(d.t, os.Remove(filepath.Join(d.dir, "ledger.db")))
			d.start()
		}
	default:
		d.feed([]string{"Kitchen", "Bar"}[d.rnd.IntN(2)])
	}
}

// feed lets a printer do its oldest job, or break off in the middle of it.
func (d *diner) feed(printer string) bool {
	q := d.Queue(printer)
	j, ok, err := q.Next()
	must(d.t, err)
	if !ok {
		return false
	}
	k, err := d.JobTicket(j)
	must(d.t, err)
	if err := q.Begin(j.ID); err != nil {
		d.t.Fatal(err)
	}
	d.out[printer] = append(d.out[printer], sheet{ref: k.Ref, void: k.Void, marked: k.Again || k.Unsure, text: d.said(j)})
	if d.rnd.IntN(4) > 0 { // else it is out, and the power goes before anybody notes it
		must(d.t, q.Done(j.ID))
	}
	return true
}

// close ends every open sale and prints what is owed.
func (d *diner) close() {
	settle()
	for _, s := range d.view().Counter.Open {
		_, _ = d.try(pos.CancelPayment{Sale: s.ID})
		_, _ = d.try(pos.ClearSale{Sale: s.ID})
	}
	settle()
	for _, p := range []string{"Kitchen", "Bar"} {
		for d.feed(p) {
		}
	}
}

func (d *diner) check(t *testing.T) {
	t.Helper()
	sold := 0
	for _, r := range d.journal.recs {
		switch r.Kind {
		case pos.KindSaleCompleted:
			var b pos.SaleCompleted
			must(t, r.Decode(&b))
			sold++
			for _, l := range b.Sale.Lines {
				d.wantOnce(t, b.Sale.Ref, l, map[string]string{"SUP": "Kitchen", "WIN": "Bar", "ESP": "Bar"}[l.SKU])
			}
			for p := range d.out {
				if d.index(p, func(x sheet) bool { return x.ref == b.Sale.Ref && x.void }) >= 0 {
					t.Errorf("%s was told that %s is cancelled", p, b.Sale.Ref)
				}
			}
		case pos.KindSaleCancelled:
			var b pos.SaleCancelled
			must(t, r.Decode(&b))
			for p := range d.out {
				told := d.index(p, func(x sheet) bool { return x.ref == b.Ref })
				if told >= 0 && !d.out[p][told].void {
					t.Errorf("%s makes %s, which nobody wants: %+v", p, b.Ref, d.out[p])
				}
			}
		}
	}
	if sold == 0 || len(d.out["Kitchen"])+len(d.out["Bar"]) == 0 {
		t.Errorf("%d sales and %d papers show nothing", sold, len(d.out))
	}
}

// index is the last paper of a printer that is so; -1 for none.
func (d *diner) index(printer string, is func(sheet) bool) int {
	last := -1
	for i, x := range d.out[printer] {
		if is(x) {
			last = i
		}
	}
	return last
}

func (d *diner) wantOnce(t *testing.T, ref string, l pos.Line, home string) {
	t.Helper()
	for _, p := range []string{"Kitchen", "Bar"} {
		plain, marked := 0, 0
		for _, x := range d.out[p] {
			switch has := x.ref == ref && strings.Contains(x.text, ", "+pos.FormatQty(l.Qty)+" "+l.Name); {
			case has && x.marked:
				marked++
			case has:
				plain++
			}
		}
		switch {
		case p != home && plain+marked > 0:
			t.Errorf("%s of %s is on a ticket of %s", l.Name, ref, p)
		case p == home && plain+marked == 0:
			t.Errorf("%s of %s is on no ticket; %s has %+v", l.Name, ref, p, d.out[p])
		case p == home && plain > 1:
			t.Errorf("%s of %s is on %d tickets without a mark: %+v", l.Name, ref, plain, d.out[p])
		}
	}
}

// TestTicketRace lets printer and counter work at once: the order is taken back while
// the kitchen prints. Whatever comes first, the kitchen ends with nothing to make.
func TestTicketRace(t *testing.T) {
	for range 20 {
		restaurant(t, func(t *testing.T, s *shop) {
			s.order()
			s.do(pos.Pay{Tender: "lightning"})
			s.do(pos.CancelPayment{})
			settle()
			var got []string
			done := make(chan struct{})
			go func() {
				defer close(done)
				q := s.Queue("Kitchen")
				if j, ok, err := q.Next(); err == nil && ok && q.Begin(j.ID) == nil {
					got = append(got, s.said(j))
					_ = q.Done(j.ID)
				}
			}()
			s.do(pos.ClearSale{})
			<-done
			synctest.Wait()
			for text := s.print("Kitchen"); text != ""; text = s.print("Kitchen") {
				got = append(got, text)
			}
			if n := len(got); n != 0 && (n != 2 || !strings.HasPrefix(got[1], "CANCELLED")) {
				t.Errorf("the kitchen got %q", got)
			}
		})
	}
}
