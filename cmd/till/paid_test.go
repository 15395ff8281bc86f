package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/cmd/internal/outage"
	"github.com/tillwright/tillwright/pos"
)

// TestPaidInTime: from the block that a customer's money is in until his screen says PAID it
// takes at most the network's poll interval and a second, wherever between two blocks the
// till looks. Desk, rail and calls are the till's own.
func TestPaidInTime(t *testing.T) {
	const poll, slack = 3 * time.Second, time.Second
	warm()
	for _, apart := range []time.Duration{0, 300 * time.Millisecond, 1300 * time.Millisecond, 2900 * time.Millisecond} {
		t.Run(apart.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)))
				node := newTronNode(t, tronWallet)
				time.Sleep(apart)
				dial, stop := node.host("127.0.0.9")
				w := newWorld(t, setting{extra: tronShop, files: map[string]string{"tron.url": "http://127.0.0.9/jsonrpc"}, more: map[string]outage.Dialer{"127.0.0.9": dial}})
				defer func() { w.closeInBubble(); stop() }()
				w.enrol()
				time.Sleep(2 * time.Minute)
				d, slowest := &unaskedDay{w, node}, time.Duration(0)
				for range 3 {
					slowest = max(slowest, d.paidAfter(poll+slack))
				}
				t.Logf("PAID at most %v after the block", slowest)
				if apart > 0 && slowest < 50*time.Millisecond {
					t.Error("the till looks at the very moment of a block, which shows nothing")
				}
			})
		})
	}
}

// paidAfter sells, has the customer pay, and returns how long after his block his screen says so.
func (d *unaskedDay) paidAfter(limit time.Duration) time.Duration {
	d.t.Helper()
	sale := d.do(pos.AddItem{SKU: "BRD"}).Sale
	id := d.do(pos.Pay{Sale: sale, Tender: "usdt-nile"}).Payment
	time.Sleep(20 * time.Second)
	p, err := d.till.ledger.Payment(id)
	if err != nil {
		d.t.Fatal(err)
	}
	d.node.pay(p.Quantity.Int().Int64())
	block := d.node.born.Add(time.Duration(d.node.tip()+1-tronHeight) * 3 * time.Second)
	time.Sleep(time.Until(block))
	for d.till.desk.View().Customer.Phase != pos.PhasePaid {
		if time.Since(block) > limit {
			d.t.Fatalf("%v after his block the customer still sees %q", limit, d.till.desk.View().Customer.Phase)
		}
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(block)
	d.do(pos.NextCustomer{})
	return took
}
