package pos

import (
	"fmt"
	"strings"
	"testing"
)

var usdcTest = Asset{ID: "eip155:8453/erc20:0x83", Symbol: "USDC", Decimals: 6, Shown: 4}

// TestDust: less than a whole token is dust, of which each counts once; and however many
// come, what is kept of them has an end.
func TestDust(t *testing.T) {
	for n, want := range map[int64]bool{1: true, 999_999: true, 1_000_000: false, 2_000_000: false} {
		if got := (Unasked{Key: "k", Came: usdcTest.UnitsOf(n)}).Dust(); got != want {
			t.Errorf("%d units are dust: %v", n, got)
		}
	}
	d := Dust{}
	for n := range 3 * MaxDust {
		u := Unasked{Key: fmt.Sprint(n), Came: usdcTest.UnitsOf(2)}
		if d = d.Plus(u); n < MaxDust {
			d = d.Plus(u)
		}
	}
	if d.Count != 3*MaxDust || d.Sum.Cmp(usdcTest.UnitsOf(6*MaxDust)) != 0 || len(d.IDs) != MaxDust {
		t.Errorf("%d times, %v, %d names", d.Count, d.Sum, len(d.IDs))
	}
	before := Dust{}.Plus(Unasked{Key: "a", Came: usdcTest.UnitsOf(1)})
	one, two := before.Plus(Unasked{Key: "b", Came: usdcTest.UnitsOf(1)}), before.Plus(Unasked{Key: "c", Came: usdcTest.UnitsOf(1)})
	if one.IDs[1] == two.IDs[1] {
		t.Error("two sums share their names")
	}
}

// TestUnaskedID: one name for one thing, and what cannot be booked is known.
func TestUnaskedID(t *testing.T) {
	a, b := Unasked{Key: "a", Came: usdcTest.UnitsOf(1)}, Unasked{Key: "b", Came: usdcTest.UnitsOf(1)}
	if a.ID() != a.ID() || a.ID() == b.ID() || len(a.ID()) > MaxKey {
		t.Errorf("named %s, %s", a.ID(), b.ID())
	}
	for _, lang := range []string{"en", "es", "de", "fr", "pt"} {
		long := strings.Repeat("x", 32) // of a merchant's own token and chain
		if u := (Unasked{Key: "a", Came: usdcTest.UnitsOf(1), Network: Word(lang, "evm_on", "token", long, "chain", long)}); !u.Valid() {
			t.Errorf("%s: money on %q cannot be booked", lang, u.Network)
		}
	}
	if !a.Valid() || (Unasked{Key: "a"}).Valid() || (Unasked{Came: a.Came}).Valid() || (Unasked{Key: string(make([]byte, MaxUnaskedKey+1)), Came: a.Came}).Valid() {
		t.Error("what can be booked is not known")
	}
}

// TestUnaskedReport: the report tells of it by the day it came, of dust in a sum, and of
// decisions; it is in no other figure.
func TestUnaskedReport(t *testing.T) {
	r := NewReport("t", eur)
	add := func(n uint64, kind RecordKind, body any) {
		t.Helper()
		if err := r.Add(Record{N: n, Kind: kind, Body: NewBody(body)}); err != nil {
			t.Fatal(err)
		}
	}
	u := Unasked{Key: "a", Came: usdcTest.UnitsOf(5_000_000)}
	add(1, KindUnasked, UnaskedCame{Unasked: u, Payment: Payment{ID: u.ID(), Amount: eur.Zero(), Received: u.Came}})
	add(2, KindDust, DustCame{Dust: Dust{Sum: usdcTest.UnitsOf(70), Count: 7}})
	add(3, KindDust, DustCame{Dust: Dust{Sum: usdcTest.UnitsOf(30), Count: 3}})
	add(4, KindRefundDecided, RefundDecided{Payment: u.ID(), As: GivenBack, Amount: eur.Zero(), Beside: true, Came: u.Came, Unasked: true})
	if r.Unasked.Count != 1 || r.Unasked.Assets[0].Cmp(u.Came) != 0 || r.UnaskedDecided != 1 || r.AstrayBack != 0 || r.RefundDue.Count != 0 || r.GivenBack.Count != 0 {
		t.Errorf("reported as %+v", r)
	}
	if r.Dust.Count != 10 || r.Dust.Assets[0].Cmp(usdcTest.UnitsOf(100)) != 0 {
		t.Errorf("dust %+v", r.Dust)
	}
}
