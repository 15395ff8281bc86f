package evm

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
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
	"time"
)

// TestMain lets more tests run at once than there are cores: they wait for chains
// most of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("8"); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// tools returns the folder that contracts/install made, and fails loudly without
// it: money is not tested on a chain made of hope.
func tools(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs anvil; leave -short out")
	}
	lock, err := os.ReadFile("contracts/package-lock.json")
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

// anvil is a real EVM chain of our own, with a funded account that signs at once.
type anvil struct {
	t       testing.TB
	url     string
	from    Address
	chain   uint64
	process *os.Process
	stopped chan struct{}

	mu sync.Mutex
	id int
}

// startAnvil runs a chain until the test ends. Every transaction is a block, unless
// args say otherwise.
func startAnvil(t testing.TB, chain uint64, args ...string) *anvil {
	t.Helper()
	if outside != "" {
		return onOutside(t)
	}
	return startAnvilAt(t, chain, "0", args...)
}

func startAnvilAt(t testing.TB, chain uint64, port string, args ...string) *anvil {
	t.Helper()
	bin := filepath.Join(tools(t), "node_modules", "@foundry-rs", "anvil-"+runtime.GOOS+"-"+runtime.GOARCH, "bin", "anvil")
	cmd := exec.Command(bin, append([]string{"--port", port, "--chain-id", strconv.FormatUint(chain, 10), "--slots-in-an-epoch", "2", "--accounts", "3"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start anvil: %v", err)
	}
	a := &anvil{t: t, chain: chain, process: cmd.Process, stopped: make(chan struct{})}
	t.Cleanup(a.stop)
	lines := bufio.NewScanner(out)
	for a.url == "" && lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "Listening on "); ok {
			a.url = "http://" + at
		}
	}
	go func() {
		defer close(a.stopped)
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // killed
	}()
	if a.url == "" {
		t.Fatal("anvil did not say where it listens")
	}
	var accounts []string
	a.into(&accounts, "eth_accounts")
	a.from = MustAddress(accounts[0])
	return a
}

func (a *anvil) stop() {
	_ = a.process.Kill() // ended already in a test of that
	<-a.stopped
}

// try makes a call and returns what came of it.
func (a *anvil) try(method string, params ...any) (json.RawMessage, error) {
	a.mu.Lock()
	a.id++
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": a.id, "method": method, "params": append([]any{}, params...)})
	a.mu.Unlock()
	if err != nil {
		return nil, err
	}
	resp, err := http.Post(a.url, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return nil, err
	}
	if out.Error != nil {
		return nil, fmt.Errorf("%s: %s", method, out.Error.Message)
	}
	return out.Result, nil
}

func (a *anvil) do(method string, params ...any) json.RawMessage {
	a.t.Helper()
	out, err := a.try(method, params...)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

func (a *anvil) into(out any, method string, params ...any) {
	a.t.Helper()
	if err := json.Unmarshal(a.do(method, params...), out); err != nil {
		a.t.Fatalf("%s: %v", method, err)
	}
}

// receipt is what became of a transaction.
type receipt struct {
	Status          string
	ContractAddress string
	GasUsed         string
	BlockNumber     string
	TransactionHash string
	Logs            []struct {
		Address string
		Topics  []string
		Data    string
	}
}

// send sends a transaction and waits until it is in a block. An empty to creates.
func (a *anvil) send(to string, data []byte, value int64) receipt {
	a.t.Helper()
	hash := a.submit(to, data, value)
	every := time.NewTicker(5 * time.Millisecond) // a receipt comes some moments after its block
	defer every.Stop()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-every.C {
		if raw := a.do("eth_getTransactionReceipt", hash); string(raw) != "null" {
			var r receipt
			if err := json.Unmarshal(raw, &r); err != nil {
				a.t.Fatal(err)
			}
			return r
		}
	}
	a.t.Fatalf("no receipt of %s", hash)
	return receipt{}
}

// submit sends a transaction and does not wait.
func (a *anvil) submit(to string, data []byte, value int64) (hash string) {
	a.t.Helper()
	tx := map[string]any{"from": a.from.String(), "data": "0x" + hex.EncodeToString(data), "gas": gas(), "value": "0x" + strconv.FormatInt(value, 16)}
	if to != "" {
		tx["to"] = to
	}
	a.into(&hash, "eth_sendTransaction", tx)
	return hash
}

// works sends a transaction that must not fail.
func (a *anvil) works(to Address, data []byte, value int64) receipt {
	a.t.Helper()
	r := a.send(to.String(), data, value)
	if r.Status != "0x1" {
		a.t.Fatalf("transaction to %s failed", to)
	}
	return r
}

// view makes a call without a transaction.
func (a *anvil) view(to Address, data []byte) []byte {
	a.t.Helper()
	var out string
	a.into(&out, "eth_call", map[string]any{"to": to.String(), "data": "0x" + hex.EncodeToString(data)}, "latest")
	return unhex(strings.TrimPrefix(out, "0x"))
}

// coins returns what an account has of the native coin.
func (a *anvil) coins(of Address) int64 {
	a.t.Helper()
	var out string
	a.into(&out, "eth_getBalance", of.String(), "latest")
	n, ok := new(big.Int).SetString(strings.TrimPrefix(out, "0x"), 16)
	if !ok || !n.IsInt64() {
		a.t.Fatalf("balance %q", out)
	}
	return n.Int64()
}

// hasCode reports that there is a contract.
func (a *anvil) hasCode(at Address) bool {
	a.t.Helper()
	var out string
	a.into(&out, "eth_getCode", at.String(), "latest")
	return out != "0x"
}

// ready deploys the factory.
func (a *anvil) ready() *anvil {
	a.t.Helper()
	if outside != "" {
		settling.Lock()
		defer settling.Unlock()
		a.settle()
	}
	if to, data := DeployCall(); !a.hasCode(Factory) {
		a.works(to, data, 0)
	}
	if !a.hasCode(Factory) || !a.hasCode(Implementation) {
		a.t.Fatal("the factory is not where it should be")
	}
	return a
}

// token is a test token on a chain.
type token struct {
	a       *anvil
	at      Address
	methods map[string]string
}

// testTokens is what build.cjs made of contracts/test.
var testTokens = sync.OnceValues(func() (map[string]struct {
	Code    string
	Methods map[string]string
}, error) {
	var out map[string]struct {
		Code    string
		Methods map[string]string
	}
	b, err := os.ReadFile("contracts/test/tokens.json")
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, err
})

// deploy creates a contract of contracts/test. args are ABI words.
func (a *anvil) deploy(name string, args ...[]byte) token {
	a.t.Helper()
	return a.deployWith(0, name, args...)
}

func (a *anvil) deployWith(value int64, name string, args ...[]byte) token {
	a.t.Helper()
	all, err := testTokens()
	if err != nil || all[name].Code == "" {
		a.t.Fatalf("no contract %s: %v", name, err)
	}
	r := a.send("", append(unhex(all[name].Code), bytes.Join(args, nil)...), value)
	if r.Status != "0x1" {
		a.t.Fatalf("%s was not deployed", name)
	}
	return token{a, MustAddress(r.ContractAddress), all[name].Methods}
}

// coin deploys a token with a name, a symbol and decimals.
func (a *anvil) coin(kind, symbol string, decimals int64) token {
	a.t.Helper()
	text := append(num(int64(len(symbol))), append([]byte(symbol), make([]byte, 32-len(symbol))...)...)
	return a.deploy(kind, num(96), num(160), num(decimals), text, text)
}

// call returns the data of a call by its signature.
func (k token) call(signature string, args ...[]byte) []byte {
	k.a.t.Helper()
	sel := unhex(k.methods[signature])
	if len(sel) != 4 {
		k.a.t.Fatalf("the contract has no %s", signature)
	}
	return append(sel, bytes.Join(args, nil)...)
}

func (k token) do(signature string, args ...[]byte) receipt {
	k.a.t.Helper()
	return k.a.works(k.at, k.call(signature, args...), 0)
}

// mint makes tokens from nothing.
func (k token) mint(to Address, n int64) {
	k.a.t.Helper()
	k.do("mint(address,uint256)", addr(to), num(n))
}

// balance returns what an address has.
func (k token) balance(of Address) int64 {
	k.a.t.Helper()
	return new(big.Int).SetBytes(k.a.view(k.at, k.call("balanceOf(address)", addr(of)))).Int64()
}

func addr(a Address) []byte  { w := a.word(); return w[:] }
func num(n int64) []byte     { return uint256(big.NewInt(n)) }
func onOff(on bool) []byte   { return num(map[bool]int64{true: 1}[on]) }
func word(w [32]byte) []byte { return w[:] }
