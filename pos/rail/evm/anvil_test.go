package evm

import (
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/evm/evmtest"
)

func TestMain(m *testing.M) { cointest.Main(m, "8") }

// anvil is a real EVM chain of our own, in the till's words.
type anvil struct{ *evmtest.Chain }

type receipt = evmtest.Receipt

// startAnvil runs a chain until the test ends. Every transaction is a block, unless
// args say otherwise.
func startAnvil(t testing.TB, chain uint64, args ...string) *anvil {
	t.Helper()
	if outside != "" {
		return &anvil{evmtest.Outside(t, outside, "0x2dc6c0")} // its blocks hold 11 million, and fill up with what might be burnt
	}
	return &anvil{evmtest.Start(t, chain, args...)}
}

// works sends a transaction that must not fail.
func (a *anvil) works(to Address, data []byte, value int64) receipt {
	a.T.Helper()
	return a.Works(to.String(), data, value)
}

// view makes a call without a transaction.
func (a *anvil) view(to Address, data []byte) []byte {
	a.T.Helper()
	var out string
	a.Into(&out, "eth_call", map[string]any{"to": to.String(), "data": "0x" + hex.EncodeToString(data)}, "latest")
	return unhex(strings.TrimPrefix(out, "0x"))
}

// coins returns what an account has of the native coin.
func (a *anvil) coins(of Address) int64 {
	a.T.Helper()
	var out string
	a.Into(&out, "eth_getBalance", of.String(), "latest")
	n, ok := new(big.Int).SetString(strings.TrimPrefix(out, "0x"), 16)
	if !ok || !n.IsInt64() {
		a.T.Fatalf("balance %q", out)
	}
	return n.Int64()
}

// hasCode reports that there is a contract.
func (a *anvil) hasCode(at Address) bool {
	a.T.Helper()
	var out string
	a.Into(&out, "eth_getCode", at.String(), "latest")
	return out != "0x"
}

// ready deploys the factory.
func (a *anvil) ready() *anvil {
	a.T.Helper()
	if outside != "" {
		settling.Lock()
		defer settling.Unlock()
		a.settle()
	}
	if to, data := DeployCall(); !a.hasCode(Factory) {
		a.works(to, data, 0)
	}
	if !a.hasCode(Factory) || !a.hasCode(Implementation) {
		a.T.Fatal("the factory is not where it should be")
	}
	return a
}

// token is a test token on a chain.
type token struct {
	a    *anvil
	at   Address
	kind string // its name in contracts/test
}

// deploy creates a contract of contracts/test. args are ABI words.
func (a *anvil) deploy(name string, args ...[]byte) token {
	a.T.Helper()
	return token{a, MustAddress(a.Deploy(0, name, args...)), name}
}

// coin deploys a token with a name, a symbol and decimals.
func (a *anvil) coin(kind, symbol string, decimals int64) token {
	a.T.Helper()
	return token{a, MustAddress(a.Coin(kind, symbol, decimals)), kind}
}

// call returns the data of a call by its signature.
func (k token) call(signature string, args ...[]byte) []byte {
	k.a.T.Helper()
	return k.a.Data(k.kind, signature, args...)
}

func (k token) do(signature string, args ...[]byte) receipt {
	k.a.T.Helper()
	return k.a.works(k.at, k.call(signature, args...), 0)
}

// mint makes tokens from nothing.
func (k token) mint(to Address, n int64) {
	k.a.T.Helper()
	k.do("mint(address,uint256)", addr(to), num(n))
}

// balance returns what an address has.
func (k token) balance(of Address) int64 {
	k.a.T.Helper()
	return new(big.Int).SetBytes(k.a.view(k.at, k.call("balanceOf(address)", addr(of)))).Int64()
}

func addr(a Address) []byte  { w := a.word(); return w[:] }
func num(n int64) []byte     { return evmtest.Num(n) }
func onOff(on bool) []byte   { return num(map[bool]int64{true: 1}[on]) }
func word(w [32]byte) []byte { return w[:] }
