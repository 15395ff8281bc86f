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
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tillwright/tillwright/pos/rail/evm"
)

// contracts is the folder with what the chains' tools are made of.
const contracts = "../../pos/rail/evm/contracts"

// anvil is a real EVM chain of a test's own, with tokens on it and an account that
// signs at once.
type anvil struct {
	t       testing.TB
	id      int
	url     string
	from    string
	process *os.Process
	ended   chan struct{}
}

// toolsFolder returns what contracts/install made, and fails loudly without it.
func toolsFolder(t testing.TB) string {
	t.Helper()
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
	dir := filepath.Join(base, "evm-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("no tools at %s; at the root of the tree run: go run ./pos/rail/evm/contracts/install", dir)
	}
	return dir
}

// startAnvil runs a chain with the till's contracts until the test ends.
func startAnvil(t testing.TB, id int) *anvil {
	t.Helper()
	bin := filepath.Join(toolsFolder(t), "node_modules", "@foundry-rs", "anvil-"+runtime.GOOS+"-"+runtime.GOARCH, "bin", "anvil")
	cmd := exec.Command(bin, "--port", "0", "--chain-id", strconv.Itoa(id), "--slots-in-an-epoch", "2", "--accounts", "1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start anvil: %v", err)
	}
	a := &anvil{t: t, id: id, process: cmd.Process, ended: make(chan struct{})}
	t.Cleanup(a.stop)
	lines := bufio.NewScanner(out)
	for a.url == "" && lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "Listening on "); ok {
			a.url = "http://" + at
		}
	}
	go func() {
		defer close(a.ended)
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // killed
	}()
	var accounts []string
	a.into(&accounts, "eth_accounts")
	a.from = accounts[0]
	to, data := evm.DeployCall()
	a.send(to.String(), data)
	return a
}

func (a *anvil) stop() {
	_ = a.process.Kill() // ended already in a test of that
	<-a.ended
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
	defer func() { _ = resp.Body.Close() }()
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
func (a *anvil) send(to string, data []byte) string {
	a.t.Helper()
	tx := map[string]any{"from": a.from, "data": "0x" + hex.EncodeToString(data), "gas": "0x1000000"}
	if to != "" {
		tx["to"] = to
	}
	var hash string
	a.into(&hash, "eth_sendTransaction", tx)
	var receipt *struct{ Status, ContractAddress string }
	for receipt == nil { // it is in a block at once, and its receipt some calls later
		a.into(&receipt, "eth_getTransactionReceipt", hash)
	}
	if receipt.Status != "0x1" {
		a.t.Fatalf("transaction to %q failed", to)
	}
	return receipt.ContractAddress
}

var testCoins = sync.OnceValues(func() (out map[string]struct {
	Code    string
	Methods map[string]string
}, err error) {
	b, err := os.ReadFile(filepath.Join(contracts, "test", "tokens.json"))
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, err
})

// coin puts a token on the chain and returns its address.
func (a *anvil) coin(symbol string, decimals int64) string {
	a.t.Helper()
	all, err := testCoins()
	if err != nil {
		a.t.Fatal(err)
	}
	code, err := hex.DecodeString(all["Plain"].Code)
	if err != nil {
		a.t.Fatal(err)
	}
	text := append(word(big.NewInt(int64(len(symbol)))), append([]byte(symbol), make([]byte, 32-len(symbol))...)...)
	for _, n := range []int64{96, 160, decimals} {
		code = append(code, word(big.NewInt(n))...)
	}
	return a.send("", append(append(code, text...), text...))
}

// mint gives units of a token to somebody: what a customer's wallet does, seen from the
// address that gets it.
func (a *anvil) mint(token, to string, units string) {
	a.t.Helper()
	all, err := testCoins()
	n, ok := new(big.Int).SetString(units, 10)
	address, aerr := evm.ParseAddress(to)
	selector, serr := hex.DecodeString(all["Plain"].Methods["mint(address,uint256)"])
	if err != nil || !ok || aerr != nil || serr != nil {
		a.t.Fatalf("mint %s to %q: %v %v %v", units, to, err, aerr, serr)
	}
	a.send(token, append(append(selector, append(make([]byte, 12), address[:]...)...), word(n)...))
}

func word(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

// market is two chains of a merchant's own, with a token of 6 decimals and one of 18.
type market struct {
	chains [2]*anvil
	usdc   [2]string
	dai    [2]string
}

func newMarket(t testing.TB) *market {
	m := &market{}
	for i := range m.chains {
		a := startAnvil(t, 31337+i)
		m.chains[i], m.usdc[i], m.dai[i] = a, a.coin("USDC", 6), a.coin("DAI", 18)
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
			"id": a.id, "key": fmt.Sprintf("lab%d", i+1), "name": fmt.Sprintf("Lab %d", i+1), "coin": "ETH", "stale_s": 3600,
			"policy": []object{{"up_to": 0, "level": "1 block", "operators": 1}},
		})
		tokens = append(tokens,
			object{"chain": a.id, "symbol": "USDC", "contract": m.usdc[i], "decimals": 6, "on_chain": []string{"USDC"}, "peg": "USD"},
			object{"chain": a.id, "symbol": "DAI", "contract": m.dai[i], "decimals": 18, "on_chain": []string{"DAI"}, "peg": "USD"})
	}
	b, err := json.Marshal(object{"chains": chains, "tokens": tokens})
	if err != nil {
		panic(err)
	}
	return string(b)
}
