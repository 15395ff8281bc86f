package ledger_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

var coin = pos.Asset{ID: "t", Symbol: "USDC", Decimals: 6, Shown: 4}

// came adds a record of money that no payment waited for.
func (s *story) came(t *testing.T, key string) pos.UnaskedCame {
	u := pos.Unasked{Key: key, Came: coin.UnitsOf(5e6)}
	v := pos.UnaskedCame{Unasked: u, Payment: pos.Payment{ID: u.ID(), State: pos.Settled, Over: u.Came, Owed: true, Final: true}}
	s.add(t, pos.KindUnasked, pos.Cmd{}, v)
	return v
}

// TestUnasked: it is a debt until somebody decides, booked once for good, also when the
// ledger is built anew; and no flood of dust makes it forgotten.
func TestUnasked(t *testing.T) {
	s := newStory(t)
	a, b := s.came(t, "a"), s.came(t, "b")
	s.came(t, "a")
	s.add(t, pos.KindRefundDecided, pos.Cmd{}, pos.RefundDecided{Payment: b.Payment.ID, As: pos.GivenBack, Beside: true, Unasked: true})
	s.came(t, "b") // and is no debt once more
	last := pos.PaymentID("")
	for n := range 80 { // 8,000 and more names
		d := pos.Dust{Sum: coin.UnitsOf(1), Count: pos.MaxDust}
		for i := range pos.MaxDust {
			last = pos.Unasked{Key: fmt.Sprint("dust", n, i)}.ID()
			d.IDs = append(d.IDs, last)
		}
		s.add(t, pos.KindDust, pos.Cmd{}, pos.DustCame{Dust: d})
	}
	l := open(t, filepath.Join(t.TempDir(), "l"))
	if err := l.Fold(s.recs...); err != nil {
		t.Fatal(err)
	}
	owed, err := l.Refunds()
	if err != nil || len(owed) != 1 || owed[0].ID != a.Payment.ID {
		t.Errorf("owed %+v, %v", owed, err)
	}
	for id, want := range map[pos.PaymentID]bool{
		a.Payment.ID: true, b.Payment.ID: true, last: true, pos.Unasked{Key: "dust00"}.ID(): false, pos.Unasked{Key: "c"}.ID(): false,
	} {
		if got, err := l.Booked(id); got != want || err != nil {
			t.Errorf("%s is booked: %v, %v", id, got, err)
		}
	}
}
