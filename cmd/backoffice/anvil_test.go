package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/pos/rail/evm/evmtest"
)

// anvil is a real EVM chain of a test's own, with the contract that sweeps and USDC, which
// its issuer can freeze.
type anvil struct {
	*evmtest.Chain
	usdc string
}

// startAnvil runs the chain until the test ends.
func startAnvil(t testing.TB) *anvil {
	t.Helper()
	a := &anvil{Chain: evmtest.Start(t, 31337)}
	to, data := evm.DeployCall()
	a.Works(to.String(), data, 0)
	a.usdc = a.Coin("Freezing", "USDC", 6)
	return a
}

// sign sends what a page or a wallet's file says, in hex, and returns the transaction. It is
// in a block at once; what became of it there the pages are to say.
func (a *anvil) sign(to, data, gas string) (hash string) {
	a.T.Helper()
	a.Into(&hash, "eth_sendTransaction", map[string]any{"from": a.From, "to": to, "data": "0x" + strings.TrimPrefix(data, "0x"), "gas": gas})
	return hash
}

// tells calls a method of the token: what its issuer has, blacklist or pause, or mint.
func (a *anvil) tells(method string, words ...[]byte) {
	a.T.Helper()
	a.Works(a.usdc, a.Data("Freezing", method, words...), 0)
}

// blacklist freezes somebody's USDC, or lets it go.
func (a *anvil) blacklist(who evm.Address, on bool) {
	a.T.Helper()
	a.tells("blacklist(address,bool)", evmtest.Addr(who[:]), evmtest.Num(map[bool]int64{true: 1}[on]))
}

// pay gives somebody USDC, and makes it final.
func (a *anvil) pay(to evm.Address, units int64) {
	a.T.Helper()
	a.tells("mint(address,uint256)", evmtest.Addr(to[:]), evmtest.Num(units))
	a.Do("anvil_mine", "0x10")
}

// has returns how much USDC somebody has.
func (a *anvil) has(who evm.Address) int64 {
	a.T.Helper()
	var out string
	a.Into(&out, "eth_call", map[string]string{"to": a.usdc, "data": "0x" + hex.EncodeToString(a.Data("Freezing", "balanceOf(address)", evmtest.Addr(who[:])))}, "latest")
	n, _ := new(big.Int).SetString(strings.TrimPrefix(out, "0x"), 16)
	return n.Int64()
}

// registry is what the merchant writes about the chain.
func (a *anvil) registry() string {
	type object = map[string]any
	b, err := json.Marshal(object{
		"chains": []object{{"id": 31337, "key": "lab", "name": "Lab", "coin": "ETH", "stale_s": 3600}},
		"tokens": []object{{"chain": 31337, "symbol": "USDC", "contract": a.usdc, "decimals": 6, "on_chain": []string{"USDC"}, "peg": "USD"}},
	})
	if err != nil {
		a.T.Fatal(err)
	}
	return string(b)
}

// part is the backoffice's configuration of operators at these addresses.
func (a *anvil) part(urls ...string) string {
	a.T.Helper()
	list := filepath.Join(a.T.TempDir(), "tokens.json")
	if err := os.WriteFile(list, []byte(a.registry()), 0o600); err != nil {
		a.T.Fatal(err)
	}
	text := fmt.Sprintf("[stablecoins]\nregistry = %q\n[[stablecoins.network]]\nchain = \"lab\"\n", list)
	for i, u := range urls {
		text += fmt.Sprintf("[[stablecoins.network.endpoint]]\noperator = \"Operator %d\"\nurl = %q\n", i+1, u)
	}
	return text
}

// operator stands before a chain and answers for it, as lie says.
type operator struct {
	url string
	lie atomic.Value // func(method string, result any) any; a nil result is no answer
}

func (a *anvil) operator() *operator {
	o := &operator{}
	o.lie.Store(func(_ string, result any) any { return result })
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var calls []struct{ Method string }
		if json.Unmarshal(body, &calls) != nil {
			http.Error(w, "no batch", http.StatusBadRequest)
			return
		}
		resp, err := http.Post(a.URL, "application/json", bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		var answers []map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&answers); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		for i := range answers {
			result := o.lie.Load().(func(string, any) any)(calls[i].Method, answers[i]["result"])
			if result == nil {
				http.Error(w, "no", http.StatusServiceUnavailable)
				return
			}
			answers[i]["result"] = result
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answers)
	}))
	a.T.Cleanup(far.Close)
	o.url = far.URL
	return o
}

// lies are what an operator may do to hide money: the head of a Peek is its chain, number
// and time; what lies there comes behind it.
var lies = map[string]func(method string, result any) any{
	"nothing lies there": func(method string, result any) any {
		if s, ok := result.(string); ok && method == "eth_call" {
			return s[:2+3*64]
		}
		return result
	},
	"silence": func(string, any) any { return nil },
	"half an answer": func(method string, result any) any {
		if s, ok := result.(string); ok && method == "eth_call" {
			return s[:2+64]
		}
		return result
	},
	"a word": func(method string, result any) any {
		if method == "eth_call" {
			return "0x"
		}
		return result
	},
	"another chain": func(method string, result any) any {
		if method == "eth_chainId" {
			return "0x1"
		}
		return result
	},
	"an old block": func(method string, result any) any {
		if b, ok := result.(map[string]any); ok && method == "eth_getBlockByNumber" {
			b["timestamp"] = fmt.Sprintf("0x%x", time.Now().Add(-2*time.Hour).Unix())
		}
		return result
	},
	"more than lies there": func(method string, result any) any {
		if s, ok := result.(string); ok && method == "eth_call" && len(s) > 2+4*64 {
			return s[:len(s)-1] + "f"
		}
		return result
	},
}
