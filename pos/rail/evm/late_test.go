package evm

import (
	"fmt"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// TestAlarmsAreNotPushedOut: a stranger's many notices hide neither that a payment was taken
// back nor that a new address had been used.
func TestAlarmsAreNotPushedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base")
		w.start()
		w.chains["base"].final = 600
		r, m, p, _ := w.settled("SALE000000001", 12_340_100)
		m.reorg(20)
		if !w.watching(r, p, time.Minute, func(f pos.Finding, _ error) bool { return f.Lost }) {
			t.Fatal("not lost")
		}
		_, salt := w.w.book.peek()
		m.pay(r.token.Contract, AddressOf(merchant, salt), big.NewInt(1))
		time.Sleep(3 * time.Second)
		w.requested(r, "SALE000000002", 1)
		for i := range 100 {
			r.c.notices.Tell(fmt.Sprint(i), fmt.Sprint(i))
		}
		if !told(r, "ALARM") || !told(r, "was used before") {
			t.Errorf("the owner reads %q", r.Health().Notices)
		}
		w.stop()
	})
}
