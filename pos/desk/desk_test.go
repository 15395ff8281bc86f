package desk_test

import (
	"crypto/ed25519"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// settle waits until every goroutine of the bubble has nothing to do.
func settle() { synctest.Wait() }

// bubble runs f on a fake clock.
func bubble(t *testing.T, f func(t *testing.T, s *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, open(t)) })
}

// TestCashSale is the shortest sale: two items, a note, change.
func TestCashSale(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.want(pos.PhaseIdle)
		s.do(pos.AddItem{SKU: "ESP"})
		s.do(pos.AddItem{SKU: "ESP"})
		a := s.do(pos.AddItem{SKU: "BRD"})
		if c := s.want(pos.PhaseBasket); len(c.Lines) != 2 || c.Lines[0].Qty != 2000 || c.Total != eur.Of(1220) {
			t.Errorf("the basket shows %+v", c)
		}
		s.do(pos.Pay{Tender: pos.Cash, Given: 2000})
		c := s.want(pos.PhaseChange)
		if c.Change != eur.Of(780) || c.Given != eur.Of(2000) || c.Receipt != "01-000001" || c.Sale != a.Sale {
			t.Errorf("the customer sees %+v", c)
		}
		j, ok, err := s.Queue("").Next()
		if err != nil || !ok || !j.Drawer || j.Sale != a.Sale {
			t.Errorf("print job %+v, %v, %v", j, ok, err)
		}
		r, err := s.JobReceipt(j)
		if err != nil || r.Total != eur.Of(1220) || len(r.Tax) != 2 || r.Change != eur.Of(780) || r.Cashier != "Anna" {
			t.Errorf("the receipt is %+v, %v", r, err)
		}
		s.do(pos.AddItem{SKU: "ESP"})
		s.want(pos.PhaseBasket) // the next sale ends the change picture
	})
}

// TestReceiptNumbers completes, clears and abandons sales in turn: the numbers
// have no gap and are in the completing records.
func TestReceiptNumbers(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		for range 3 {
			s.do(pos.AddItem{SKU: "ESP"})
			s.do(pos.ClearSale{})
			s.do(pos.AddItem{SKU: "ESP"})
			s.do(pos.Pay{Tender: pos.Cash})
		}
		settle()
		sales, next, err := s.Sales("", 2)
		if err != nil || len(sales) != 2 || sales[0].Receipt != "01-000003" || sales[1].Receipt != "01-000002" {
			t.Fatalf("first page %v, %v", sales, err)
		}
		if sales, next, err = s.Sales(next, 2); err != nil || len(sales) != 1 || sales[0].Receipt != "01-000001" || next != "" {
			t.Errorf("second page %v, next %q, %v", sales, next, err)
		}
		if n := s.journal.count(pos.KindBasketCleared); n != 3 {
			t.Errorf("%d cleared baskets are recorded, want 3", n)
		}
	})
}

// TestRepeats gives every command twice with its key, as a line that swallows
// answers makes screens do: each happens once and gets the same answer, also after
// a restart. The same key with another body is refused.
func TestRepeats(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		cmds := []pos.Action{
			pos.AddItem{SKU: "ESP"}, pos.AddAmount{Minor: 100, Tax: "A"}, pos.SetQty{Line: 1, Qty: 3000},
			pos.Pay{Tender: pos.Cash, Given: 5000}, pos.Reprint{}, pos.OpenDrawer{Reason: "coins"}, pos.NextCustomer{},
		}
		for i, a := range cmds {
			c := pos.Command{Key: "same-" + string(rune('a'+i)), By: anna, Do: a}
			first, err := s.Do(t.Context(), c)
			if err != nil {
				t.Fatalf("%T: %v", a, err)
			}
			settle()
			before, _ := s.journal.Last()
			if i%2 == 1 {
				before++ // the boot record
				s.restart()
				before++ // and the orderly stop
			}
			again, err := s.Do(t.Context(), c)
			settle()
			if after, _ := s.journal.Last(); err != nil || again != first || after != before {
				t.Errorf("%T again: %+v, %v, %d new records; first %+v", a, again, err, after-before, first)
			}
			c.Do = pos.OpenDrawer{Reason: "another"}
			if _, err := s.Do(t.Context(), c); pos.KindOf(err) != pos.Conflict || err == nil {
				t.Errorf("%T: the same key with another body: %v", a, err)
			}
		}
	})
}

// TestBadCommands gives what no screen should, and a hostile one might.
func TestBadCommands(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.refused(pos.Pay{Tender: pos.Cash}, pos.NotFound)
		s.refused(pos.AddItem{SKU: "nope"}, pos.NotFound)
		s.refused(pos.AddAmount{Minor: 0}, pos.Invalid)
		s.refused(pos.AddAmount{Minor: -5}, pos.Invalid)
		s.refused(pos.AddAmount{Minor: 500_001}, pos.Invalid)
		s.refused(pos.AddAmount{Minor: 1 << 62, Qty: 9_999_999}, pos.Invalid)
		s.refused(pos.AddAmount{Minor: 5, Tax: "Z"}, pos.NotFound)
		s.refused(pos.AddAmount{Minor: 5, Name: strings.Repeat("x", 121)}, pos.Invalid)
		s.refused(pos.AddItem{SKU: "ESP", Qty: -1}, pos.Invalid)
		s.refused(pos.AddItem{SKU: "ESP", Sale: "0000000000000"}, pos.NotFound)
		s.refused(pos.OpenDrawer{}, pos.Invalid)
		s.refused(pos.OpenDrawer{Reason: "coins\x1bp0"}, pos.Invalid) // would be obeyed by a printer
		s.refused(pos.Reprint{}, pos.NotFound)
		a := s.do(pos.AddItem{SKU: "ESP"})
		s.refused(pos.SetQty{Line: 9, Qty: 1000}, pos.NotFound)
		s.refused(pos.SetQty{Line: 1, Qty: 10_000_000}, pos.Invalid)
		s.refused(pos.Pay{Tender: "shells"}, pos.NotFound)
		s.refused(pos.Pay{Tender: pos.Cash, Given: 289}, pos.Invalid)
		s.refused(pos.Pay{Tender: pos.Cash, Given: 600_000}, pos.Invalid)
		s.refused(pos.Pay{Tender: pos.Cash, Amount: 291}, pos.Invalid)
		s.refused(pos.Pay{Tender: pos.Cash, Amount: -1}, pos.Invalid)
		s.refused(pos.Pay{Tender: "lightning", Given: 500}, pos.Invalid)
		s.refused(pos.CancelPayment{}, pos.Conflict)
		s.do(pos.Pay{Tender: pos.Cash})
		settle()
		s.refused(pos.Pay{Sale: a.Sale, Tender: pos.Cash}, pos.NotFound)
		s.refused(pos.AddItem{Sale: a.Sale, SKU: "ESP"}, pos.NotFound)
		if _, err := s.Do(t.Context(), pos.Command{By: anna, Do: pos.OpenSale{}}); pos.KindOf(err) != pos.Invalid {
			t.Errorf("a command without a key: %v", err)
		}
	})
}

// TestRemovedLinesAreRecords takes things out of a basket in every way there is.
func TestRemovedLinesAreRecords(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.do(pos.AddItem{SKU: "ESP", Qty: 3000})
		s.do(pos.AddItem{SKU: "BRD"})
		s.do(pos.SetQty{Line: 1, Qty: 1000})
		s.do(pos.SetQty{Line: 2, Qty: 0})
		settle()
		var gone int64
		for r := range s.journal.Since(0) {
			if r.Kind == pos.KindLineRemoved {
				var b pos.LineRemoved
				if err := r.Decode(&b); err != nil {
					t.Fatal(err)
				}
				gone += b.Line.Total.Minor
			}
		}
		if gone != 580+640 {
			t.Errorf("records tell of %d removed, want 1220", gone)
		}
		if c := s.want(pos.PhaseBasket); c.Total != eur.Of(290) {
			t.Errorf("the basket is %v", c.Total)
		}
	})
}

func TestCashRounding(t *testing.T) {
	for name, x := range map[string]struct {
		given, change, rounding int64
	}{
		"exact is rounded":      {0, 0, -2},
		"note":                  {500, 210, -2},
		"the very coins":        {292, 0, 0},
		"one cent over is paid": {290, 0, -2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t)
				s.rules = pos.Rounding{Step: 5}
				s.restart()
				s.do(pos.AddAmount{Minor: 292})
				s.do(pos.Pay{Tender: pos.Cash, Given: x.given})
				settle()
				sv, _, err := s.Sales("", 1)
				if err != nil || len(sv) != 1 {
					t.Fatal(sv, err)
				}
				p := sv[0].Payments[0]
				if p.Change.Minor != x.change || p.Rounding.Minor != x.rounding || p.Given.Minor-p.Change.Minor-p.Amount.Minor != p.Rounding.Minor {
					t.Errorf("change %v, rounding %v; want %d, %d", p.Change, p.Rounding, x.change, x.rounding)
				}
			})
		})
	}
}

// TestPIN holds sign-in to its records, and the till to its one founder.
func TestPIN(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		owner, err := s.Found(t.Context(), " Olga ", "4711")
		if err != nil || owner.Role != pos.Owner || owner.Name != "Olga" {
			t.Fatal(owner, err)
		}
		if _, err := s.Found(t.Context(), "Eve", "4711"); pos.KindOf(err) != pos.Conflict || err == nil {
			t.Errorf("a second founder: %v", err)
		}
		if _, err := s.SignIn(t.Context(), owner.ID, "wrong"); pos.KindOf(err) != pos.Forbidden {
			t.Errorf("a wrong PIN: %v", err)
		}
		if a, err := s.SignIn(t.Context(), owner.ID, "right"); err != nil || a != owner {
			t.Errorf("the right PIN: %v, %v", a, err)
		}
		if _, err := s.Add(t.Context(), anna, "Eve", pos.Cashier, "4711"); pos.KindOf(err) != pos.Forbidden {
			t.Errorf("a cashier adds a person: %v", err)
		}
		if _, err := s.Add(t.Context(), boss, "Eve", pos.Owner, "4711"); pos.KindOf(err) != pos.Forbidden {
			t.Errorf("a manager makes an owner: %v", err)
		}
		settle()
		if n := s.journal.count(pos.KindPINFailed); n != 1 {
			t.Errorf("%d wrong PINs are recorded, want 1", n)
		}
		s.pins.names = nil // the file of PINs is lost: nobody on the network may found the till anew
		if _, err := s.Found(t.Context(), "Eve", "4711"); pos.KindOf(err) != pos.Conflict || err == nil {
			t.Errorf("a founder after the file was lost: %v", err)
		}
	})
}

// TestFullStorage cannot append: the command is refused whole, and works again
// when there is room.
func TestFullStorage(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.do(pos.AddItem{SKU: "ESP"})
		settle()
		s.journal.fail = pos.E("append record", pos.Unavailable, "the till's storage is full")
		s.refused(pos.Pay{Tender: pos.Cash}, pos.Unavailable)
		s.want(pos.PhaseBasket)
		s.journal.fail = nil
		s.do(pos.Pay{Tender: pos.Cash})
		if c := s.want(pos.PhaseChange); c.Receipt != "01-000001" {
			t.Errorf("receipt %s", c.Receipt)
		}
	})
}

// TestRebuild deletes, truncates and swaps the ledger between runs: the same sales
// and numbers come back from the journal, and young receipts print as copies.
func TestRebuild(t *testing.T) {
	damage := map[string]func(t *testing.T, file string){
		"deleted":   func(t *testing.T, f string) { must(t, os.Remove(f)) },
		"truncated": func(t *testing.T, f string) { must(t, os.Truncate(f, 5000)) },
		"garbage":   func(t *testing.T, f string) { must(t, os.WriteFile(f, []byte(strings.Repeat("x", 20_000)), 0o600)) },
		"empty":     func(t *testing.T, f string) { must(t, os.WriteFile(f, nil, 0o600)) },
	}
	for name, harm := range damage {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *shop) {
				for range 3 {
					s.do(pos.AddItem{SKU: "BRD"})
					s.do(pos.Pay{Tender: pos.Cash})
				}
				s.do(pos.AddItem{SKU: "ESP"})
				s.do(pos.Pay{Tender: "lightning"})
				settle()
				want := s.ledger.Books()
				s.halt()
				harm(t, filepath.Join(s.dir, "ledger.db"))
				s.start()
				settle()
				got := s.ledger.Books()
				if got.Count != want.Count || got.Turnover != want.Turnover || got.Unsent != want.Unsent {
					t.Errorf("after the rebuild %+v, before %+v", got, want)
				}
				if open, err := s.ledger.Open(); err != nil || len(open) != 1 || len(open[0].Payments) != 1 {
					t.Errorf("open sales %+v, %v", open, err)
				}
				j, ok, err := s.Queue("").Next()
				if err != nil || !ok || !j.Begun || j.Drawer {
					t.Errorf("print job %+v, %v, %v: want one that says COPY and leaves the drawer shut", j, ok, err)
				}
				s.do(pos.AddItem{Sale: "", SKU: "ESP"})
				s.do(pos.Pay{Tender: pos.Cash})
				settle()
				if f, _, err := s.Sales("", 1); err != nil || f[0].Receipt != "01-000004" {
					t.Errorf("the next receipt is %v, %v", f, err)
				}
			})
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRandomDay does whatever comes, in any order, on a rail that fails now and
// then, with restarts, and holds the books to what the records say.
func TestRandomDay(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		rnd := rand.New(rand.NewPCG(1, 2))
		for range 400 {
			act := []func(){
				func() { s.try(pos.AddItem{SKU: "ESP"}) },
				func() { s.try(pos.AddItem{SKU: "BRD", Qty: rnd.Int64N(4000)}) },
				func() { s.try(pos.AddAmount{Minor: rnd.Int64N(3000)}) },
				func() { s.try(pos.SetQty{Line: 1 + rnd.IntN(3), Qty: rnd.Int64N(3) * 1000}) },
				func() { s.try(pos.Pay{Tender: pos.Cash}) },
				func() { s.try(pos.Pay{Tender: pos.Cash, Amount: 100}) },
				func() { s.try(pos.Pay{Tender: "lightning"}) },
				func() { s.try(pos.CancelPayment{}) },
				func() { s.try(pos.ClearSale{}) },
				func() { s.try(pos.OpenSale{}) },
				func() { s.try(pos.NextCustomer{}) },
				func() { s.rail.set(func(r *rail) { r.down = !r.down }) },
				func() { time.Sleep(time.Duration(rnd.Int64N(400)) * time.Second) },
				func() { payAny(s) },
				func() {
					if rnd.IntN(4) == 0 {
						s.restart()
					}
				},
				func() {
					open, _ := s.ledger.Open()
					if len(open) > 0 {
						s.try(pos.SwitchTo{Sale: open[rnd.IntN(len(open))].ID})
					}
				},
			}
			act[rnd.IntN(len(act))]()
			settle()
		}
		checkBooks(t, s)
	})
}

// payAny pays every open request of the rail.
func payAny(s *shop) {
	s.rail.set(func(r *rail) {
		for _, q := range r.reqs {
			if q.state == "open" && time.Now().Before(q.ends) {
				q.state, q.got = "paid", 1<<40
			}
		}
	})
}

// checkBooks reads the journal as an auditor would: numbers without gaps, every
// completed sale covered by settled payments exactly, each once.
func checkBooks(t *testing.T, s *shop) {
	t.Helper()
	n, sum, seen := uint64(0), int64(0), map[pos.SaleID]bool{}
	for r, err := range s.journal.Since(0) {
		must(t, err)
		must(t, r.Verify(s.journal.key.Public().(ed25519.PublicKey)))
		if r.Kind != pos.KindSaleCompleted {
			continue
		}
		var b pos.SaleCompleted
		must(t, r.Decode(&b))
		n++
		sum += b.Totals.Total.Minor
		if b.Count != n || b.Sale.Receipt != pos.ReceiptNumber("01", n) || b.Turnover.Minor != sum || seen[b.Sale.ID] {
			t.Errorf("record %d: count %d, receipt %s, turnover %v; want number %d and %d", r.N, b.Count, b.Sale.Receipt, b.Turnover, n, sum)
		}
		seen[b.Sale.ID] = true
		paid := int64(0)
		for _, p := range b.Sale.Payments {
			if p.State == pos.Settled {
				paid += p.Amount.Minor
			}
		}
		if paid != b.Totals.Total.Minor {
			t.Errorf("sale %s of %v was paid with %d", b.Sale.Ref, b.Totals.Total, paid)
		}
	}
	if n < 10 {
		t.Fatalf("only %d sales in a whole day: this test proves nothing", n)
	}
	if b := s.ledger.Books(); b.Count != n || b.Turnover.Minor != sum {
		t.Errorf("the books say %d sales, %v; the records %d, %d", b.Count, b.Turnover, n, sum)
	}
}
