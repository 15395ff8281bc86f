package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"testing"

	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/pos/rail/evm/evmtest"
)

// anvil is a real EVM chain with the till's contracts.
type anvil struct{ *evmtest.Chain }

// startAnvil runs it until the test ends.
func startAnvil(t testing.TB, id uint64) *anvil {
	t.Helper()
	a := &anvil{evmtest.Start(t, id)}
	to, data := evm.DeployCall()
	a.Works(to.String(), data, 0)
	return a
}

// mint gives units of a token to somebody: what a customer's wallet does, seen from the
// address that gets it.
func (a *anvil) mint(token, to string, units string) {
	a.T.Helper()
	n, ok := new(big.Int).SetString(units, 10)
	address, err := evm.ParseAddress(to)
	if err != nil || !ok {
		a.T.Fatalf("mint %s to %q: %v", units, to, err)
	}
	a.Works(token, a.Data("Plain", "mint(address,uint256)", evmtest.Addr(address[:]), evmtest.Big(n)), 0)
}

// market is two chains of a merchant's own, with a token of 6 decimals and one of 18.
type market struct {
	chains [2]*anvil
	usdc   [2]string
	dai    [2]string
}

func newMarket(t testing.TB) *market {
	m := &market{}
	for i := range m.chains {
		a := startAnvil(t, uint64(31337+i))
		m.chains[i], m.usdc[i], m.dai[i] = a, a.Coin("Plain", "USDC", 6), a.Coin("Plain", "DAI", 18)
	}
	return m
}

// pay lets a customer's wallet send units of USDC on chain i.
func (m *market) pay(i int, to, units string) { m.chains[i].mint(m.usdc[i], to, units) }

// registry is what the merchant writes about the chains.
func (m *market) registry() string {
	type object = map[string]any
	var chains, tokens []object
	for i, a := range m.chains {
		chains = append(chains, object{
			"id": a.ID, "key": fmt.Sprintf("lab%d", i+1), "name": fmt.Sprintf("Lab %d", i+1), "coin": "ETH", "stale_s": 3600,
			"policy": []object{{"up_to": 0, "level": "1 block", "operators": 1}},
		})
		tokens = append(tokens,
			object{"chain": a.ID, "symbol": "USDC", "contract": m.usdc[i], "decimals": 6, "on_chain": []string{"USDC"}, "peg": "USD"},
			object{"chain": a.ID, "symbol": "DAI", "contract": m.dai[i], "decimals": 18, "on_chain": []string{"DAI"}, "peg": "USD"})
	}
	b, err := json.Marshal(object{"chains": chains, "tokens": tokens})
	if err != nil {
		panic(err)
	}
	return string(b)
}
