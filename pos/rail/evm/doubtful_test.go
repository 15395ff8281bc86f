package evm

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestNobodysDoubtful: several large transfers that a second operator does not know come
// before one that needs no second word. Goal: that one is told all the same.
func TestNobodysDoubtful(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := oneWallet(t), ledger{}
		r, m := w.Ready("usdc-base"), w.chains["base"]
		w.Requested(r, "SALE000000001", 12_340_100)
		w.lines["base-1.example"].Lies(func(_ string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
			return json.RawMessage(strings.ReplaceAll(string(r), fmt.Sprintf("%064x", 700_000_000), fmt.Sprintf("%064x", 700_000_001)))
		})
		for range 2 * judgeRound {
			m.pay(r.token.Contract, merchant, big.NewInt(700_000_000))
		}
		m.pay(r.token.Contract, merchant, big.NewInt(7_000_000))
		w.passes(l, forget+10*time.Minute)
		if got := l.sums(); got != "1: 7000000 USDC on Base" {
			t.Fatalf("told %s", got)
		}
		w.lines["base-1.example"].Lies(nil)
		w.passes(l, 15*time.Minute)
		if got := len(l); got != 2*judgeRound+1 {
			t.Errorf("told %s", l.sums())
		}
		w.Stop()
	})
}
