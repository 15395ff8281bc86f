package tron

import (
	"slices"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// TestRailInBubble is the contract of all rails, before a network made of code, for both
// kinds of endpoints; with the policies of small sums, of middle ones, and of large ones,
// where one kind must confirm the other.
func TestRailInBubble(t *testing.T) {
	for name, c := range map[string]struct {
		policy Policy
		kinds  []Kind
	}{
		"jsonrpc":                  {small, []Kind{JSONRPC}},
		"trongrid":                 {small, []Kind{TronGrid}},
		"jsonrpc, solidified":      {deep, []Kind{JSONRPC}},
		"trongrid, solidified":     {deep, []Kind{TronGrid}},
		"both, for large payments": {Policy{coin.UpTo(0, Solidified, 2)}, []Kind{TronGrid, JSONRPC}},
	} {
		t.Run(name, func(t *testing.T) {
			postest.TestRailInBubble(t, func(t testing.TB) postest.Harness {
				l, m := usual(t, c.policy, c.kinds...)
				l.start()
				return harness(l, func(to Address, units int64) { m.pay(l.usdt.Contract, to, units) }, func() { time.Sleep(coin.UsualExpiry + 10*time.Second) })
			})
		})
	}
}

// harness puts a lab's rail before the contract. pay sends USDT, expire lets a request
// end.
func harness(l *lab, pay func(to Address, units int64), expire func()) postest.Harness {
	r := l.w.Rails()[0]
	return postest.Harness{
		Rail: r, Tender: r.Tender(), Quantity: r.token.Asset().UnitsOf(12_340_000),
		Pay: func(p pos.Payment, q pos.Quantity) error {
			to, err := ParseAddress(p.Payload)
			if err == nil {
				pay(to, q.Int().Int64())
			}
			return err
		},
		Expire:  func(pos.Payment) { expire() },
		Break:   func() { l.each(func(e *endpoint) { e.cut(true) }) },
		Mend:    func() { l.each(func(e *endpoint) { e.cut(false) }) },
		Restart: func() postest.Rail { return l.restart().w.Rails()[0] },
	}
}

func (l *lab) each(f func(*endpoint)) {
	for _, e := range slices.Clone(l.endpoints) {
		f(e)
	}
}
