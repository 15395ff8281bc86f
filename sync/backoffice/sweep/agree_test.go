package sweep

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tillwright/tillwright/pos"
)

// TestSkippedAgree: that a transaction left something where it is, is one operator's word for
// a small payment, and two operators' for a large one. What too few say is doubt, and nothing
// that the owner would act on; it becomes true when a second one says it, whenever that is.
func TestSkippedAgree(t *testing.T) {
	small, large := place{"base", "A", "USDC"}, place{"base", "B", "USDC"}
	lie := []skip{{103, small, "0x1"}, {103, large, "0x1"}}
	for _, tt := range []struct {
		name      string
		operators string
		truth     []skip
		lies      map[string]liar
		want      string
	}{
		{"one operator alone", "one", lie, nil, "A waiting 0x1, B waiting 0x1"},
		{"both say it", "one two", lie, nil, "A waiting 0x1, B waiting 0x1"},
		{"the first lies", "one two", nil, map[string]liar{"one": {skips: lie}}, "A waiting 0x1, B waiting says one"},
		{"the second lies", "one two", nil, map[string]liar{"two": {skips: lie}}, "A waiting 0x1, B waiting says two"},
		{"the second hides it", "one two", lie, map[string]liar{"two": {hides: true}}, "A waiting 0x1, B waiting says one"},
		{"the second is silent", "one two", lie, map[string]liar{"two": {deaf: true}}, "A waiting 0x1, B waiting says one"},
		{"the first is silent", "one two", lie, map[string]liar{"one": {deaf: true}}, "A waiting 0x1, B waiting says two"},
		{"they name two transactions", "one two", nil, map[string]liar{"one": {skips: lie}, "two": {skips: []skip{{103, large, "0x2"}}}}, "A waiting 0x1, B waiting says two"},
		{"two of three", "one two three", lie, map[string]liar{"one": {hides: true}}, "A waiting 0x1, B waiting 0x1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.aged("coin A T", "coin B T")
				b.f.held[small], b.f.held[large], b.f.careful = held{1, 1}, held{100, 100}, 50
				b.f.operators, b.f.skips, b.f.lies = strings.Fields(tt.operators), tt.truth, tt.lies
				b.round()
				id, err := b.Prepare(t.Context(), "base", "T", false)
				if err != nil {
					t.Fatal(err)
				}
				b.f.number = 105
				b.later()
				b.sees("after the round", tt.want, id)
				v, tx, err := b.Batch(t.Context(), id)
				if err != nil || strings.Contains(tt.want, "says") != (len(v.Unsure) > 0) || tx.Data == "" || v.Stuck > 0 {
					t.Errorf("%d unsure, %d stuck, %q to sign, %v", len(v.Unsure), v.Stuck, tx.Data, err)
				}
				b.f.skips, b.f.lies, b.f.number = lie, nil, 110 // he knows it now, behind where he was
				b.Sweeper = New(b.db, b.f, b.log)
				b.later()
				b.sees("said by all", "A waiting 0x1, B waiting 0x1", id)
			})
		})
	}
}

// TestHeardApart: one operator who is far behind, or was silent for long, holds nobody up, and
// is listened to from where he was.
func TestHeardApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.aged("coin B T")
		large := place{"base", "B", "USDC"}
		b.f.held[large], b.f.careful, b.f.operators = held{100, 100}, 50, []string{"one", "two"}
		b.round()
		id, err := b.Prepare(t.Context(), "base", "T", false)
		if err != nil {
			t.Fatal(err)
		}
		b.f.skips, b.f.number = []skip{{103, large, "0x1"}}, 105
		b.f.lies = map[string]liar{"two": {deaf: true}}
		b.later()
		b.f.number = 500
		b.later()
		b.sees("one is silent", "B waiting says one", id)
		b.f.lies = nil
		b.later()
		b.sees("he speaks again", "B waiting 0x1", id)
		b.f.operators = []string{"one"}
		b.sees("the owner dropped him", "B waiting 0x1", id) // one is all there are
		b.f.operators = []string{"three", "four"}
		b.sees("nobody who said it is asked any more", "B waiting", id)
	})
}

// TestRefusalAgree: a refusal of a large payment is two operators' word; one that another
// operator denies is none, and while nobody else speaks what was said last stays.
func TestRefusalAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.aged("coin A T", "coin B T")
		small, large := place{"base", "A", "USDC"}, place{"base", "B", "USDC"}
		b.f.held[small], b.f.held[large], b.f.careful, b.f.operators = held{1, 1}, held{100, 100}, 50, []string{"one", "two"}
		b.round()
		b.f.lies = map[string]liar{"one": {says: map[place]Why{small: Frozen, large: Frozen}}}
		id, err := b.Prepare(t.Context(), "base", "T", false)
		if err != nil {
			t.Fatal(err)
		}
		b.sees("one operator's lie", "B waiting", id)
		b.f.lies, b.f.refuses[large] = map[string]liar{"two": {deaf: true}}, Frozen
		b.later()
		b.sees("one operator's truth", "B waiting", id)
		b.f.lies = nil
		b.later()
		b.sees("two operators' truth", "B waiting frozen", id)
		b.f.lies = map[string]liar{"one": {deaf: true}}
		b.later()
		b.sees("one is silent", "B waiting frozen", id)
		b.f.lies = map[string]liar{"one": {free: true}}
		b.later()
		b.sees("one says it was let go", "B waiting", id)
	})
}

// txOf is a transaction's number for tests.
func txOf(digit string) string { return "0x" + strings.Repeat(digit, 64) }

// TestTold follows the transaction that the owner names until something moved: what became of
// it is said by as many operators as it takes, and nothing is said that nobody knows.
func TestTold(t *testing.T) {
	out := Fate{Known: true, Named: true, Block: "b1", Gas: 90_000, Used: 90_000}
	refused, through, pending, other := out, out, out, out
	refused.Used, through.OK, pending.Block, pending.Used, other.Named = 60_000, true, "", 0, false
	for _, tt := range []struct {
		name  string
		units int64
		truth Fate
		lies  map[string]liar
		want  string
	}{
		{"out of gas", 1, out, nil, TxGas},
		{"with gas left", 1, refused, nil, TxFailed},
		{"it went through", 1, through, nil, TxThrough},
		{"in no block", 1, pending, nil, TxPending},
		{"another's", 1, other, nil, TxOther},
		{"nobody has it", 1, Fate{}, nil, TxUnknown},
		{"a second one has it", 1, out, map[string]liar{"one": {fates: map[string]Fate{txOf("a"): {}}}}, TxGas},
		{"nobody answers", 1, out, map[string]liar{"one": {deaf: true}, "two": {deaf: true}}, TxAsked},
		{"much, and both say it", 100, out, nil, TxGas},
		{"much, and one lies", 100, pending, map[string]liar{"one": {fates: map[string]Fate{txOf("a"): out}}}, TxDoubt},
		{"much, and one is silent", 100, out, map[string]liar{"two": {deaf: true}}, TxDoubt},
		{"much, and one does not have it", 100, out, map[string]liar{"two": {fates: map[string]Fate{txOf("a"): {}}}}, TxDoubt},
		{"much, and nobody has it", 100, Fate{}, nil, TxUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.aged("coin A T")
				at := place{"base", "A", "USDC"}
				b.f.held[at], b.f.careful, b.f.operators = held{tt.units, tt.units}, 50, []string{"one", "two"}
				b.round()
				id, err := b.Prepare(t.Context(), "base", "T", false)
				if err != nil {
					t.Fatal(err)
				}
				b.f.fates[txOf("a")], b.f.lies = tt.truth, tt.lies
				if err := b.Tell(t.Context(), id, "https://explorer.example/tx/"+strings.ToUpper(txOf("a"))[2:]); pos.KindOf(err) != pos.Invalid {
					t.Errorf("a text without a number is taken: %v", err)
				}
				if err := b.Tell(t.Context(), id, " https://explorer.example/tx/0x"+strings.Repeat("A", 64)+"?tab=logs\n"); err != nil {
					t.Fatal(err)
				}
				if v := b.view1(id); v.Told.Tx != txOf("a") || v.Told.State != tt.want {
					t.Errorf("at once: %+v, want %q", v.Told, tt.want)
				}
				b.f.lies, b.f.fates[txOf("a")] = nil, out
				b.later()
				if v := b.view1(id); v.Told.State != TxGas || v.Told.Gas != 90_000 || v.Told.Used != 90_000 || !v.Told.Failed() {
					t.Errorf("later: %+v", v.Told)
				}
				if err := b.Tell(t.Context(), id, txOf("b")); err != nil || b.view1(id).Told.State != TxUnknown {
					t.Errorf("another one: %+v, %v", b.view1(id).Told, err)
				}
				delete(b.f.held, at)
				b.later()
				if v := b.view1(id); v.Told.Tx != "" || v.Open() {
					t.Errorf("all is moved, and a transaction is told of: %+v", v.Told)
				}
				if err := b.Tell(t.Context(), id, txOf("c")); err != nil || b.view1(id).Told.Tx != "" {
					t.Errorf("of a transfer that is over: %v", err)
				}
			})
		})
	}
}

func (b *bench) view1(id int64) BatchView {
	b.t.Helper()
	v, _, err := b.Batch(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// TestTellNonsense: only a text with one transaction's number is taken.
func TestTellNonsense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for _, text := range []string{"", "0x", txOf("a")[:65], txOf("a") + "a", "a" + txOf("a"), strings.Repeat(" ", maxTold) + txOf("a"), "0x" + strings.Repeat("g", 64)} {
			if err := b.Tell(t.Context(), 1, text); pos.KindOf(err) != pos.Invalid {
				t.Errorf("%.20q: %v", text, err)
			}
		}
		if err := b.Tell(t.Context(), 7, txOf("a")); pos.KindOf(err) != pos.NotFound {
			t.Errorf("of no transfer: %v", err)
		}
	})
}
