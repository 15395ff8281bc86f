package desk_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
)

var usdc = pos.Asset{ID: "eip155:8453/erc20:0x83", Symbol: "USDC", Decimals: 6, Shown: 4}

// finder is a rail that finds money which no payment waits for. It tells of a thing until
// that is booked, and after a restart of all that it reads again.
type finder struct {
	mu     sync.Mutex
	came   []pos.Unasked
	beyond []pos.Dust
	tells  int
}

func (f *finder) Unasked() ([]pos.Unasked, []pos.Dust) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tells++
	return slices.Clone(f.came), slices.Clone(f.beyond)
}

func (f *finder) Booked(came []pos.Unasked, beyond []pos.Dust) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.came = slices.DeleteFunc(f.came, func(u pos.Unasked) bool {
		return slices.ContainsFunc(came, func(b pos.Unasked) bool { return b.Key == u.Key })
	})
	if len(beyond) > 0 {
		f.beyond = nil
	}
}

func (f *finder) finds(us ...pos.Unasked) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.came = append(f.came, us...)
}

func (f *finder) waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.came) + len(f.beyond)
}

func coins(key string, n int64) pos.Unasked {
	return pos.Unasked{Key: key, Came: usdc.UnitsOf(n * 1_000_000), Network: "USDC on Base", Tx: "0x" + key}
}

func findingShop(t *testing.T, body func(*testing.T, *shop, *finder)) {
	t.Helper()
	bubble(t, func(t *testing.T, s *shop) {
		f := &finder{}
		s.halt()
		s.unasked = []desk.Unasked{f}
		s.start()
		body(t, s, f)
	})
}

// TestUnasked: what nobody asked for is booked once however often it is told, stands in the
// list until a manager decides, across restarts and a lost ledger, and is in the report.
func TestUnasked(t *testing.T) {
	findingShop(t, func(t *testing.T, s *shop, f *finder) {
		empty := s.copyLedger()
		a := s.charge()
		s.rail.do(a.Payment, func(q *request) { q.state, q.got = "paid", 5800*1000 })
		wait(3 * time.Second)
		u, after := coins("a", 12), coins("b", 3)
		after.Of = a.Payment
		again := func() { f.finds(u, u, after); wait(3 * time.Second) }
		again()
		again()
		s.restart()
		again()
		s.cut(empty)
		again()
		if n := s.journal.count(pos.KindUnasked); n != 2 || f.waiting() != 0 {
			t.Fatalf("booked %d times, %d wait", n, f.waiting())
		}
		list := s.view().Counter.Refunds
		if len(list) != 2 || list[0].Payment != u.ID() || list[0].Kind != pos.OwedUnasked || list[0].Came != "12.0000 USDC" || list[0].On != "USDC on Base" || list[0].Sells || list[0].Of != "" {
			t.Fatalf("owed %+v", list)
		}
		if list[1].Kind != pos.OwedAfter || list[1].Of != "01-000001" {
			t.Errorf("owed %+v", list[1])
		}
		s.refused(s.decision(u.ID(), pos.GivenBack, "n"), pos.Forbidden)
		s.refusedBy(boss, s.decision(u.ID(), pos.AsSale, ""), pos.Conflict)
		s.refusedBy(boss, s.decision(u.ID(), pos.GivenBack, ""), pos.Invalid)
		s.doBy(boss, s.decision(u.ID(), pos.GivenBack, "kept: nobody came for it"))
		settle()
		again()
		s.cut(empty)
		again()
		if list := s.view().Counter.Refunds; len(list) != 1 || list[0].Payment != after.ID() {
			t.Errorf("owed %+v", list)
		}
		r, _ := s.report()
		if r.Unasked.Count != 2 || r.Unasked.Assets[0].Cmp(usdc.UnitsOf(15_000_000)) != 0 || r.UnaskedDecided != 1 || r.AstrayBack != 0 || r.GivenBack.Count != 0 || r.Sales != 1 || r.Unbalanced != 0 {
			t.Errorf("reported as %+v", r)
		}
	})
}

// TestUnaskedWaits: what cannot be booked now is booked later.
func TestUnaskedWaits(t *testing.T) {
	findingShop(t, func(t *testing.T, s *shop, f *finder) {
		s.journal.mu.Lock()
		s.journal.fail = pos.E("append", pos.Unavailable, "full")
		s.journal.mu.Unlock()
		f.finds(coins("a", 12), pos.Unasked{Came: usdc.UnitsOf(5)}) // and one without a name
		wait(10 * time.Second)
		if f.waiting() != 2 || len(s.view().Counter.Refunds) != 0 {
			t.Fatal("taken as booked")
		}
		s.journal.mu.Lock()
		s.journal.fail = nil
		s.journal.mu.Unlock()
		wait(3 * time.Second)
		if f.waiting() != 1 || len(s.view().Counter.Refunds) != 1 {
			t.Error("it is not booked")
		}
	})
}

// TestDustFlood: dust is counted and summed, an hour's in one record, and takes nothing's
// place: neither in the list, nor among the notices, nor in the memory of what is booked.
func TestDustFlood(t *testing.T) {
	findingShop(t, func(t *testing.T, s *shop, f *finder) {
		f.finds(coins("real", 12))
		wait(3 * time.Second)
		before, total := s.journal.count(pos.KindUnasked), int64(0)
		flood := func() {
			for range 3600 / 20 {
				for range 5 {
					total++
					f.finds(pos.Unasked{Key: fmt.Sprint("dust ", total), Came: usdc.UnitsOf(7)})
				}
				wait(20 * time.Second)
			}
		}
		flood()
		flood()
		f.mu.Lock()
		f.beyond = []pos.Dust{{Sum: usdc.UnitsOf(700), Count: 100}}
		f.mu.Unlock()
		flood()
		wait(2 * time.Hour)
		r, _ := s.report()
		if r.Dust.Count != total+100 || r.Dust.Assets[0].Cmp(usdc.UnitsOf(7*(total+100))) != 0 || r.Unasked.Count != 1 {
			t.Errorf("of %d reported %+v, %+v", total, r.Dust, r.Unasked)
		}
		if n := s.journal.count(pos.KindDust); n > 5 {
			t.Errorf("%d records of dust in five hours", n)
		}
		if n := s.journal.count(pos.KindUnasked); n != before {
			t.Errorf("%d dust transfers are to be decided about", n-before)
		}
		f.finds(coins("real", 12), pos.Unasked{Key: "dust 1", Came: usdc.UnitsOf(7)})
		s.restart()
		wait(2 * time.Hour)
		if r, _ := s.report(); r.Unasked.Count != 1 || r.Dust.Count != total+100 {
			t.Errorf("told again, and counted again: %+v, %+v", r.Unasked, r.Dust)
		}
		if c := s.view().Counter; len(c.Refunds) != 1 || c.Refunds[0].Came != "12.0000 USDC" {
			t.Errorf("owed %+v", c.Refunds)
		}
	})
}

// TestUnaskedOrder: many small findings hide neither the debt to a customer whose sale is
// known nor the large ones, and push no other notice out.
func TestUnaskedOrder(t *testing.T) {
	findingShop(t, func(t *testing.T, s *shop, f *finder) {
		a, _ := s.owe(5800)
		notices := len(s.view().Counter.Notices)
		for n := range 3 * pos.MaxNotices {
			f.finds(coins(fmt.Sprint(n), 1))
		}
		f.finds(coins("large", 500))
		wait(30 * time.Second)
		c := s.view().Counter
		if len(c.Refunds) != pos.MaxNotices || c.Refunds[0].Payment != a.Payment || c.Refunds[1].Came != "500.0000 USDC" {
			t.Errorf("owed %+v", c.Refunds)
		}
		if len(c.Notices) != notices+1 {
			t.Errorf("%d notices more", len(c.Notices)-notices)
		}
	})
}
