package solana

import (
	"testing"
	"testing/synctest"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// TestRestIsTyped: a customer pays an odd part. The rest is typed: it pays the sale
// exactly, with its reference or without, and dust on top is not told.
func TestRestIsTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		for sale, form := range map[string]int{"SALE000000001": 0, "SALE000000002": 1} {
			p := w.Requested(r, sale, 6_241_400)
			x := asks(t, p.Payload)
			x.units = 3_000_044
			w.m.pay(x)
			w.Becomes(r, p, pos.See)
			p = w.Moved(p, pos.See)
			f := w.Found(r, p)
			if f.Rest == nil || f.Part.Number() != "3.0000" {
				t.Fatalf("%v is told", f.Part)
			}
			units := p.Quantity.Int().Int64()
			rest := asks(t, f.Rest.Forms[form].Payload)
			if rest.units%100 != 0 || rest.units != units-3_000_000 {
				t.Fatalf("the rest is %d", rest.units)
			}
			w.m.pay(rest)
			if f = w.Becomes(r, p, pos.Settle); f.Received.Cmp(p.Quantity) != 0 || f.Enough {
				t.Fatalf("%v of %v, %+v", f.Received, p.Quantity, f)
			}
			p = w.Moved(p, pos.Settle)
			p.Received = f.Received
			x.units = 50
			w.m.pay(x)
			if f := w.Found(r, p); f.Received.Cmp(p.Received) != 0 || cointest.Told(r, "more came") {
				t.Fatalf("dust on top: %v", f.Received)
			}
		}
		p := w.Requested(r, "SALE000000003", 6_241_400)
		x := asks(t, p.Payload)
		all := x.units
		x.units -= 99
		w.m.pay(x)
		if f := w.Becomes(r, p, pos.Settle); !f.Enough || f.Received.Int().Int64() != all-99 {
			t.Fatalf("dust is missing: %+v", f)
		}
		w.Stop()
	})
}
