package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

const year = 365 * 24 * time.Hour

// TestClockJumps sells on a board without a clock: it wakes thirty years ago, is set
// right, leaps ten years ahead under a customer's eyes, and back. Goal: the customer's
// code stays and is paid; records stay in order; a receipt says "time unverified"
// unless somebody vouches for the time on it; and the screen says what the clock is.
func TestClockJumps(t *testing.T) {
	inBubble(t, setting{wall: true}, func(t *testing.T, w *world) {
		d := &day{world: w}
		unverified := func(what string, want bool) {
			t.Helper()
			d.must(pos.AddItem{SKU: "ESP"})
			sale := d.must(pos.Pay{Tender: pos.Cash}).Sale
			r, err := w.till.desk.Receipt(sale)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Unclear; got != want {
				t.Errorf("%s: the receipt says time unverified: %v, want %v", what, got, want)
			}
		}
		w.set(-30 * year) // the bubble's world is in the year 2000
		time.Sleep(10 * time.Second)
		unverified("in 1970", true)
		w.expectLink("clock", "unknown", "time_unverified")
		w.enrol()
		time.Sleep(2 * time.Minute)
		if l := w.linkNamed("clock"); l.State != "offline" || l.Detail == "" {
			t.Errorf("head office knows better, and the screen says %+v", l)
		}
		unverified("in 1970, contradicted", true)
		w.set(0)
		time.Sleep(2 * time.Minute)
		w.expectLink("clock", "online", "")
		unverified("set right and vouched for", false)

		for _, jump := range []time.Duration{10 * year, -10 * year, -30 * year, time.Hour, 0} {
			d.must(pos.AddItem{SKU: "BRD"})
			sale := d.must(pos.Pay{Tender: "lightning"}).Sale
			time.Sleep(2 * time.Second)
			before := d.due(sale)
			w.set(jump)
			time.Sleep(20 * time.Second)
			after := d.due(sale)
			if left := after.Expires.Sub(w.till.net.now()); left < 30*time.Second || left > 45*time.Second || after.QR != before.QR {
				t.Errorf("set to %v, 22 s into a code of 60 s: %v are left", jump, left)
			}
			if err := w.node.Pay(after.QR, 12_800_000); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			if c := d.view().Customer; c.Phase != pos.PhasePaid || c.Sale != sale {
				t.Errorf("set to %v: paid, and the customer sees %s", jump, c.Phase)
			}
			unverified("after a jump", jump != 0)
			w.set(0)
			time.Sleep(2 * time.Minute)
		}
		n := uint64(0)
		for r, err := range w.till.journal.Since(0) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; r.N != n {
				t.Errorf("record %d stands where %d belongs", r.N, n)
			}
		}
	})
}

// due demands that the customer sees a code, and returns what he sees.
func (d *day) due(sale pos.SaleID) pos.Customer {
	d.t.Helper()
	c := d.view().Customer
	if c.Phase != pos.PhaseDue || c.Sale != sale || c.QR == "" {
		d.t.Errorf("the customer sees %s, want the code", c.Phase)
	}
	return c
}

// TestExpiryByTheMonotonicClock lets a code run out while the wall clock is set back
// again and again. Goal: it ends when its time is over, and nobody is told that it is
// unpaid before the node says so.
func TestExpiryByTheMonotonicClock(t *testing.T) {
	inBubble(t, setting{wall: true}, func(t *testing.T, w *world) {
		d := &day{world: w}
		time.Sleep(30 * time.Second)
		d.must(pos.AddItem{SKU: "BRD"})
		sale := d.must(pos.Pay{Tender: "lightning"}).Sale
		for n := range 5 {
			time.Sleep(10 * time.Second)
			d.due(sale)
			w.set(-time.Duration(n) * time.Hour)
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if c := d.view().Customer; c.Phase != pos.PhaseRefused || c.Reason != string(pos.Expired) && c.Reason != string(pos.Cancelled) {
			t.Errorf("after 70 s of 60 the customer sees %+v", c)
		}
	})
}
