package sweep

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// says tells the kinds of a heap: "ready 1.00; open 2.00 3.00".
func (h Heap) says() (out string) {
	add := func(kind string, sums []Sum) {
		for _, s := range sums {
			out += fmt.Sprintf("%s %s, %d; ", kind, s, s.Count)
		}
	}
	add("ready", h.Sums)
	for _, e := range h.Early {
		add(string(e.Why), e.Sums)
	}
	add("moving", h.Moving)
	return out
}

// TestEarly: money that a till may still look for is listed apart with the reason, and
// moves only when the owner says so. Each payment counts by its last record, and an address
// by all payments that name it.
func TestEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.aged("coin done T", "coin again T", "coin strayed T")
		refs := map[int]string{4: "coin waits T", 5: "coin paid T", 6: "coin fresh T", 7: "coin strayed T"}
		for n := 4; n <= 7; n++ {
			b.says(n, refs[n], pos.Requested, false)
		}
		b.says(2, "coin again T", pos.Settled, false) // more came, and it is looked at again
		b.says(5, refs[5], pos.Settled, false)        // covered, and the last word is due
		b.says(6, refs[6], pos.Settled, true)
		for i, at := range []string{"done", "again", "strayed", "waits", "paid", "fresh"} {
			b.f.held[place{"base", at, "USDC"}] = held{1 << i * 1_000_000, 1 << i * 1_000_000}
		}
		b.round()
		see := func(want string) {
			t.Helper()
			if got := b.heap(0).says(); got != want {
				t.Errorf("the page has %q\nwant %q", got, want)
			}
		}
		see("ready 1.00 USDC, 1; open 30.00 USDC, 4; young 32.00 USDC, 1; ")
		if h := b.heap(0); h.Count != 1 || h.Gas != gasBase+gasAnItem {
			t.Errorf("the fee is that of %d: %d", h.Count, h.Gas)
		}
		id, err := b.Prepare(t.Context(), "base", "T", false)
		if err != nil {
			t.Fatal(err)
		}
		if _, tx, err := b.Batch(t.Context(), id); err != nil || tx.Data != "base[{coin done T USDC}]" {
			t.Errorf("%q, %v", tx.Data, err)
		}
		if _, err := b.Prepare(t.Context(), "base", "T", false); pos.KindOf(err) != pos.Conflict {
			t.Errorf("what should wait is moved by itself: %v", err)
		}
		time.Sleep(watched - time.Second)
		b.round()
		see("open 30.00 USDC, 4; young 32.00 USDC, 1; moving 1.00 USDC, 1; ")
		time.Sleep(time.Second)
		see("ready 32.00 USDC, 1; open 30.00 USDC, 4; moving 1.00 USDC, 1; ")
		for _, n := range []int{2, 7} {
			b.says(n, map[int]string{2: "coin again T", 7: refs[7]}[n], pos.Settled, true)
		}
		b.round()
		see("ready 38.00 USDC, 3; open 24.00 USDC, 2; moving 1.00 USDC, 1; ")
		if id, err = b.Prepare(t.Context(), "base", "T", true); err != nil {
			t.Fatal(err)
		}
		if v, _, err := b.Batch(t.Context(), id); err != nil || len(v.Items) != 5 {
			t.Errorf("with the box: %+v, %v", v.Items, err)
		}
		see("moving 63.00 USDC, 6; ")
	})
}

// TestEarlyLast: what is ready goes first when not all fits into one transaction.
func TestEarlyLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for i := range MaxItems { // older, and never closed
			address := fmt.Sprintf("A%03d", i)
			b.asked("coin " + address + " T")
			b.f.held[place{"base", address, "USDC"}] = held{1, 1}
		}
		b.aged("coin Z T")
		b.f.held[place{"base", "Z", "USDC"}] = held{7, 7}
		b.round()
		id, err := b.Prepare(t.Context(), "base", "T", true)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := b.Batch(t.Context(), id)
		if err != nil || len(v.Items) != MaxItems || v.Items[MaxItems-1].Address != "Z" {
			t.Errorf("%d items, %v", len(v.Items), err)
		}
	})
}
