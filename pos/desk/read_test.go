package desk_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// decision decides about money as it stands in the list now.
func (s *shop) decision(id pos.PaymentID, as pos.Decision, note string) pos.Decide {
	s.t.Helper()
	do := pos.Decide{Payment: id, As: as, Note: note, Came: "not in the list"}
	for _, r := range s.view().Counter.Refunds {
		if r.Payment == id {
			do.Came = r.Exact
		}
	}
	return do
}

// decided returns what was decided, oldest first.
func (s *shop) decided() (out []pos.RefundDecided) {
	s.t.Helper()
	for r := range s.journal.Since(0) {
		var b pos.RefundDecided
		if r.Kind == pos.KindRefundDecided {
			must(s.t, r.Decode(&b))
			out = append(out, b)
		}
	}
	return out
}

// TestDecidedAsRead: a manager reads, then more comes, and then he presses. Goal: nothing is
// decided about what he has not read, whatever kind of money it is and whatever he decides;
// he is told what it is now, and that is what a second look decides about, also after a
// lost ledger.
func TestDecidedAsRead(t *testing.T) {
	const unit = 1_000_000_000_000
	third := pos.Asset{ID: "eip155:3/erc20:0x6b", Symbol: "DAI", Decimals: 18, Shown: 6}
	over := func(s *shop, c *chain, _ *twin) pos.PaymentID {
		a := s.chargeDAI()
		c.sends(a.Payment, big.NewInt(68*unit))
		wait(31 * time.Second)
		return a.Payment
	}
	late := func(s *shop, c *chain, _ *twin) pos.PaymentID { return s.late(c).Payment }
	unpriced := func(s *shop, c *chain, _ *twin) pos.PaymentID {
		a := s.expired(c)
		s.noPrice(true)
		c.sends(a.Payment, espresso)
		wait(31 * time.Second)
		return a.Payment
	}
	astray := func(s *shop, c *chain, c2 *twin) pos.PaymentID {
		a := s.chargeDAI()
		s.strays(c, c2, a.Payment, 58*unit)
		return a.Payment
	}
	more := func(s *shop, c *chain, _ *twin, id pos.PaymentID) {
		c.sends(id, big.NewInt(7*unit))
		wait(31 * time.Second)
	}
	strayed := func(units int64) func(*shop, *chain, *twin, pos.PaymentID) {
		return func(s *shop, c *chain, c2 *twin, id pos.PaymentID) { s.strays(c, c2, id, units*unit) }
	}
	for name, x := range map[string]struct {
		owes func(s *shop, c *chain, c2 *twin) pos.PaymentID
		then func(s *shop, c *chain, c2 *twin, id pos.PaymentID)
		as   pos.Decision
		now  string // what he is told
	}{
		"over":                  {over, more, pos.GivenBack, "0.000017 DAI"},
		"late":                  {late, more, pos.GivenBack, "0.000065 DAI"},
		"late, unpriced, taken": {unpriced, more, pos.AsSale, "0.000065 DAI"},
		"late, unpriced, back":  {unpriced, more, pos.GivenBack, "0.000065 DAI"},
		"astray, taken":         {astray, strayed(65), pos.AsSale, "0.000065 DAI (DAI on Lab Two)"},
		"astray, back":          {astray, strayed(65), pos.GivenBack, "0.000065 DAI (DAI on Lab Two)"},
		"astray, less":          {astray, strayed(57), pos.GivenBack, "0.000057 DAI (DAI on Lab Two)"},
		"astray, a unit more": {astray, func(s *shop, c *chain, c2 *twin, id pos.PaymentID) {
			s.strays(c, c2, id, 58*unit+1)
		}, pos.GivenBack, "0.000058000000000001 DAI (DAI on Lab Two)"},
		"astray, as much elsewhere": {astray, func(s *shop, c *chain, c2 *twin, id pos.PaymentID) {
			c.set(func(c *chain) { c.strayIs = third })
			wait(31 * time.Second)
		}, pos.GivenBack, "0.000058 DAI (DAI came instead)"},
	} {
		t.Run(name, func(t *testing.T) {
			astrayShop(t, 18, func(t *testing.T, s *shop, c *chain, c2 *twin) {
				empty := s.copyLedger()
				id := x.owes(s, c, c2)
				read := s.decision(id, x.as, "n")
				x.then(s, c, c2, id)
				before, _ := s.journal.Last()
				_, err := s.by(boss, read)
				var e *pos.Error
				if !errors.As(err, &e) || e.Kind != pos.Conflict || !strings.Contains(e.Msg, "This is "+x.now+" by now, not what you read.") {
					t.Fatalf("he is told %v", err)
				}
				if after, _ := s.journal.Last(); after != before || len(s.decided()) != 0 {
					t.Errorf("decided all the same: %+v", s.decided())
				}
				s.cut(empty)
				wait(31 * time.Second)
				again := s.decision(id, x.as, "n")
				do := pos.Command{Key: "again", By: boss, Do: again}
				first, err := s.Do(t.Context(), do)
				must(t, err)
				if v := s.view().Counter.Refunds; x.as == pos.GivenBack && len(v) != 0 {
					t.Errorf("owed still: %+v", v)
				}
				if d := s.decided(); len(d) != 1 || d[0].Read != again.Came || again.Came == read.Came {
					t.Errorf("decided %+v; read %q, then %q", d, read.Came, again.Came)
				}
				if same, err := s.Do(t.Context(), do); err != nil || same != first { // its first answer was lost on the line
					t.Errorf("said once more: %+v, %v", same, err)
				}
			})
		})
	}
}
