package coin_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// typed reads what a person types off the screen into a wallet: at most four decimals.
func typed(t interface{ Fatalf(string, ...any) }, a pos.Asset, text string) *big.Int {
	whole, frac, _ := strings.Cut(text, ".")
	if len(frac) > coin.Shown || len(frac) > a.Decimals {
		t.Fatalf("nobody types %s", text)
	}
	n, ok := new(big.Int).SetString(whole+frac+strings.Repeat("0", a.Decimals-len(frac)), 10)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return n
}

// TestTyped: whatever a customer of a token with 0 to 18 decimals paid, when he then
// types what he is asked for, his sale is paid: nothing lacks, and nothing is over.
func TestTyped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := pos.Asset{ID: "x", Symbol: "X", Decimals: rapid.IntRange(0, 18).Draw(t, "decimals")}
		a.Shown = min(coin.Shown, a.Decimals)
		step := coin.Step(a.Decimals)
		asked := new(big.Int).Mul(step, big.NewInt(rapid.Int64Range(1, 1e9).Draw(t, "asked")))
		q, err := a.Units(asked)
		if err != nil {
			t.Fatal(err)
		}
		got := new(big.Int)
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			paid := new(big.Int).SetUint64(rapid.Uint64().Draw(t, "paid"))
			got.Add(got, paid.Rem(paid, asked))
			if coin.Pays(asked, got, step) {
				break
			}
			rest := coin.Rest(asked, got, step)
			r, err := a.Units(rest)
			if err != nil {
				t.Fatal(err)
			}
			if part := coin.Part(asked, got, step); part.Cmp(got) > 0 || part.Sign() < 0 || q.Minus(r).Int().Cmp(part) != 0 {
				t.Fatalf("%v came of %v, and %v is told", got, asked, part)
			}
			all := new(big.Int).Add(got, typed(t, a, r.Number()))
			if !coin.Pays(asked, all, step) || all.Cmp(asked) < 0 {
				t.Fatalf("%v of %v lacks something", all, asked)
			}
			if told := coin.Told(all, step, asked); told.Cmp(asked) != 0 {
				t.Fatalf("%v of %v is told as %v", all, asked, told)
			}
		}
		if coin.Pays(asked, got, step) && coin.Rest(asked, got, step).Sign() != 0 {
			t.Fatal("asked for more than enough")
		}
	})
}

// TestDust walks along the bound, in a token of 6 decimals whose step is 100 units.
func TestDust(t *testing.T) {
	step := coin.Step(6)
	for _, row := range []struct {
		asked, got, known int64
		pays              bool
		rest, told        int64
	}{
		{1000, 0, 0, false, 1000, 0},
		{1000, 1, 0, false, 1000, 1},
		{100, 1, 0, false, 100, 1}, // dust alone
		{1000, 101, 0, false, 900, 101},
		{1000, 900, 0, false, 100, 900},
		{1000, 901, 0, true, 0, 901}, // lacks 99
		{1000, 1000, 0, true, 0, 1000},
		{1000, 1099, 0, true, 0, 1000},
		{1000, 1100, 0, true, 0, 1100},
		{1000, 2150, 1100, true, 0, 2100},
		{1000, 550, 450, false, 500, 550}, // it paid a part, and grew by a step
		{1000, 549, 450, false, 500, 450},
		{1000, 1099, 1050, true, 0, 1050}, // what an older till told
		{1050, 101, 0, false, 1000, 101},  // a price that nobody typed
	} {
		asked, got, known := big.NewInt(row.asked), big.NewInt(row.got), big.NewInt(row.known)
		pays, rest, told := coin.Pays(asked, got, step), coin.Rest(asked, got, step), coin.Told(got, step, asked, known)
		if pays != row.pays || rest.Int64() != row.rest || told.Int64() != row.told {
			t.Errorf("%d of %d: pays %v, rest %v, told %v", row.got, row.asked, pays, rest, told)
		}
	}
}

// TestToldNeverFalls: what was told before is never taken back by a larger sum.
func TestToldNeverFalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		step := big.NewInt(rapid.Int64Range(1, 1000).Draw(t, "step"))
		asked := big.NewInt(rapid.Int64Range(1, 1e6).Draw(t, "asked"))
		known, got := new(big.Int), new(big.Int)
		for range 20 {
			got.Add(got, big.NewInt(rapid.Int64Range(0, 1e5).Draw(t, "more")))
			told := coin.Told(got, step, asked, known)
			if told.Cmp(known) < 0 || told.Cmp(got) > 0 {
				t.Fatalf("%v is told as %v after %v", got, told, known)
			}
			known = told
		}
	})
}
