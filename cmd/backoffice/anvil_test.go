package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos/rail/evm"
)

// contracts is the folder with what the chain's tools are made of.
const contracts = "../../pos/rail/evm/contracts"

// anvil is a real EVM chain of a test's own, with one token, the contract that sweeps,
// and an account that signs at once.
type anvil struct {
	t         testing.TB
	url, from string
	usdc      string
	methods   map[string]string
}

// startAnvil runs the chain until the test ends.
func startAnvil(t testing.TB) *anvil {
	t.Helper()
	if testing.Short() {
		t.Skip("needs anvil; leave -short out")
	}
	lock, err := os.ReadFile(filepath.Join(contracts, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	base := os.Getenv("TILLWRIGHT_TOOLS")
	if base == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		base = filepath.Join(cache, "tillwright")
	}
	sum := sha256.Sum256(lock)
	bin := filepath.Join(base, "evm-"+hex.EncodeToString(sum[:6]), "node_modules", "@foundry-rs", "anvil-"+runtime.GOOS+"-"+runtime.GOARCH, "bin", "anvil")
	if _, err := os.Stat(bin); err != nil {
		t.Fatalf("no anvil at %s; at the root of the tree run: go run ./pos/rail/evm/contracts/install", bin)
	}
	cmd := exec.Command(bin, "--port", "0", "--chain-id", "31337", "--slots-in-an-epoch", "2", "--accounts", "1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	a := &anvil{t: t}
	lines := bufio.NewScanner(out)
	for a.url == "" && lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "Listening on "); ok {
			a.url = "http://" + at
		}
	}
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // killed
	}()
	var accounts []string
	a.into(&accounts, "eth_accounts")
	a.from = accounts[0]
	to, data := evm.DeployCall()
	a.send(to.String(), hex.EncodeToString(data))
	a.token()
	return a
}

// token puts USDC on the chain, which its issuer can freeze.
func (a *anvil) token() {
	a.t.Helper()
	b, err := os.ReadFile(filepath.Join(contracts, "test", "tokens.json"))
	var all map[string]struct {
		Code    string
		Methods map[string]string
	}
	if err != nil || json.Unmarshal(b, &all) != nil {
		a.t.Fatalf("no tokens: %v", err)
	}
	text := fmt.Sprintf("%064x%-64s", 4, hex.EncodeToString([]byte("USDC")))
	text = strings.ReplaceAll(text, " ", "0")
	a.methods = all["Freezing"].Methods
	a.usdc = a.send("", all["Freezing"].Code+fmt.Sprintf("%064x%064x%064x", 96, 160, 6)+text+text)
}

// into makes a call that must not fail.
func (a *anvil) into(out any, method string, params ...any) {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": append([]any{}, params...)})
	if err != nil {
		a.t.Fatal(err)
	}
	resp, err := http.Post(a.url, "application/json", bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Error != nil {
		a.t.Fatalf("%s: %v %+v", method, err, answer.Error)
	}
	if out != nil {
		if err := json.Unmarshal(answer.Result, out); err != nil {
			a.t.Fatalf("%s: %v in %s", method, err, answer.Result)
		}
	}
}

// send sends a transaction, waits for its block, and returns the contract that it made.
// An empty to creates.
func (a *anvil) send(to, data string) string {
	a.t.Helper()
	hash := a.submit(to, data, "0x1000000")
	status, made := a.mined(hash)
	if status != "0x1" {
		a.t.Fatalf("transaction to %q failed", to)
	}
	return made
}

// mined waits for a transaction's receipt, and returns its status and the contract it made.
func (a *anvil) mined(hash string) (status, made string) {
	a.t.Helper()
	var receipt *struct{ Status, ContractAddress string }
	for receipt == nil { // it is in a block at once, and its receipt some calls later
		a.into(&receipt, "eth_getTransactionReceipt", hash)
	}
	return receipt.Status, receipt.ContractAddress
}

// submit sends a transaction with a gas limit, and returns its hash.
func (a *anvil) submit(to, data, gas string) (hash string) {
	a.t.Helper()
	tx := map[string]any{"from": a.from, "data": "0x" + data, "gas": gas}
	if to != "" {
		tx["to"] = to
	}
	a.into(&hash, "eth_sendTransaction", tx)
	return hash
}

// pay gives somebody USDC, and makes it final.
func (a *anvil) pay(to evm.Address, units int64) {
	a.t.Helper()
	a.send(a.usdc, a.methods["mint(address,uint256)"]+fmt.Sprintf("%064s%064x", hex.EncodeToString(to[:]), units))
	a.into(nil, "anvil_mine", "0x10")
}

// has returns how much USDC somebody has.
func (a *anvil) has(who evm.Address) int64 {
	a.t.Helper()
	var out string
	a.into(&out, "eth_call", map[string]string{"to": a.usdc, "data": "0x70a08231" + fmt.Sprintf("%064s", hex.EncodeToString(who[:]))}, "latest")
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
		a.t.Fatal(err)
	}
	return string(b)
}

// part is the backoffice's configuration of operators at these addresses.
func (a *anvil) part(urls ...string) string {
	a.t.Helper()
	list := filepath.Join(a.t.TempDir(), "tokens.json")
	if err := os.WriteFile(list, []byte(a.registry()), 0o600); err != nil {
		a.t.Fatal(err)
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
		resp, err := http.Post(a.url, "application/json", bytes.NewReader(body))
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
	a.t.Cleanup(far.Close)
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
