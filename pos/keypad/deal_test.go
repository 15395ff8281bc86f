package keypad

import (
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestDealIsOfWhatCame: a key that was pressed under another quantity of money astray was
// pressed under another deal, so it decides nothing.
func TestDealIsOfWhatCame(t *testing.T) {
	came := func(exact string) deal {
		m := machine{actor: pos.Actor{ID: "a"}}
		m.view.Counter.Current = &pos.SaleView{Astray: &pos.RefundView{Exact: exact}}
		return m.deal()
	}
	if came("12 x") != came("12 x") || came("12 x") == came("13 x") {
		t.Error("what came is not in the deal")
	}
}
