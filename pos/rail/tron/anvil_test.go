package tron

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
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

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
)

// contracts is where the EVM's tools and test tokens are written down.
const contracts = "../evm/contracts"

// TestMain lets more tests run at once than there are cores: they wait for chains most
// of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("8"); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// anvil is a real EVM chain of our own. Tron's machine runs the same contracts; what
// differs is how its nodes are asked, and that is what the fakes before it are for. A
// block's hash begins with its height on Tron; here the height is written over it.
type anvil struct {
	t       testing.TB
	url     string
	from    Address
	process *os.Process
	stopped chan struct{}

	mu sync.Mutex
	id int
}

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
	dir := filepath.Join(base, "evm-"+hex.EncodeToString(sum[:6]))
	bin := filepath.Join(dir, "node_modules", "@foundry-rs", "anvil-"+runtime.GOOS+"-"+runtime.GOARCH, "bin", "anvil")
	cmd := exec.Command(bin, "--port", "0", "--chain-id", "728126428", "--slots-in-an-epoch", "2", "--accounts", "3")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start anvil: %v; at the root of the tree run: go run ./pos/rail/evm/contracts/install", err)
	}
	a := &anvil{t: t, process: cmd.Process, stopped: make(chan struct{})}
	t.Cleanup(func() { _ = a.process.Kill(); <-a.stopped })
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
	var accounts []string
	a.into(&accounts, "eth_accounts")
	a.from = Address(unhex(strings.ToLower(strings.TrimPrefix(accounts[0], "0x"))))
	a.mine(3) // so that there is a solidified block
	return a
}

func (a *anvil) try(method string, params ...any) (json.RawMessage, error) {
	a.mu.Lock()
	a.id++
	body, err := json.Marshal(object{"jsonrpc": "2.0", "id": a.id, "method": method, "params": append([]any{}, params...)})
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
	out, err := a.try(method, params...)
	if err != nil {
		a.t.Error(err)
		return json.RawMessage("null")
	}
	return out
}

func (a *anvil) into(out any, method string, params ...any) {
	if err := json.Unmarshal(a.do(method, params...), out); err != nil {
		a.t.Errorf("%s: %v", method, err)
	}
}

func (a *anvil) mine(n int) { a.do("anvil_mine", fmt.Sprintf("0x%x", n)) }

// send makes a transaction and waits until it is in a block.
func (a *anvil) send(to string, data []byte) map[string]any {
	a.t.Helper()
	tx := object{"from": a.from.evm(), "data": "0x" + hex.EncodeToString(data), "gas": "0x1000000"}
	if to != "" {
		tx["to"] = to
	}
	var hash string
	a.into(&hash, "eth_sendTransaction", tx)
	every := time.NewTicker(5 * time.Millisecond) // a receipt comes some moments after its block
	defer every.Stop()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-every.C {
		var r map[string]any
		if a.into(&r, "eth_getTransactionReceipt", hash); r != nil {
			return r
		}
	}
	a.t.Fatalf("no receipt of %s", hash)
	return nil
}

// coin deploys a token of evm's test contracts.
func (a *anvil) coin(symbol string, decimals int64) Address {
	a.t.Helper()
	var all map[string]struct{ Code string }
	b, err := os.ReadFile(filepath.Join(contracts, "test", "tokens.json"))
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil || all["Plain"].Code == "" {
		a.t.Fatalf("no test tokens: %v", err)
	}
	text := append(num(int64(len(symbol))), append([]byte(symbol), make([]byte, 32-len(symbol))...)...)
	r := a.send("", bytes.Join([][]byte{unhex(all["Plain"].Code), num(96), num(160), num(decimals), text, text}, nil))
	if r["status"] != "0x1" {
		a.t.Fatalf("%s was not deployed", symbol)
	}
	return Address(unhex(strings.TrimPrefix(r["contractAddress"].(string), "0x")))
}

// mint makes tokens from nothing: a transfer from the zero address. Its block is a second
// later than the one before, as Tron's are three: anvil's may be of the same one.
func (a *anvil) mint(token, to Address, units int64) {
	a.do("evm_increaseTime", 1)
	w := to.word()
	if r := a.send(token.evm(), bytes.Join([][]byte{unhex("40c10f19"), w[:], num(units)}, nil)); r["status"] != "0x1" {
		a.t.Error("mint failed")
	}
}

func (a *anvil) chainID() uint64 { return 728126428 }

func (a *anvil) read(tag string) (b block, ok bool) {
	var f map[string]any
	a.into(&f, "eth_getBlockByNumber", tag, false)
	if f == nil {
		return b, false
	}
	number, _ := f["number"].(string)
	at, _ := f["timestamp"].(string)
	hash, _ := f["hash"].(string)
	b.number, _ = strconv.ParseUint(strings.TrimPrefix(number, "0x"), 16, 63)
	b.time, _ = strconv.ParseUint(strings.TrimPrefix(at, "0x"), 16, 63)
	b.hash = [32]byte(unhex(strings.TrimPrefix(hash, "0x")))
	binary.BigEndian.PutUint64(b.hash[:8], b.number)
	if b.number == 0 {
		binary.BigEndian.PutUint32(b.hash[28:], uint32(a.chainID()))
	}
	return b, true
}

func (a *anvil) tip() block                    { b, _ := a.read("latest"); return b }
func (a *anvil) final() block                  { b, _ := a.read("finalized"); return b }
func (a *anvil) height(n uint64) (block, bool) { return a.read(quantity(n)) }

func (a *anvil) events(from, to uint64) (out []event) {
	var list []struct {
		Address, BlockNumber, TransactionHash, LogIndex, Data string
		Topics                                                []string
	}
	if from > to {
		return nil
	}
	a.into(&list, "eth_getLogs", object{"fromBlock": quantity(from), "toBlock": quantity(to), "topics": []string{hexOf(topicTransfer)}})
	blocks := map[string]block{}
	for _, l := range list {
		if _, ok := blocks[l.BlockNumber]; !ok {
			blocks[l.BlockNumber], _ = a.read(l.BlockNumber)
		}
		bare := func(s string) []byte { return unhex(strings.TrimPrefix(s, "0x")) }
		index, _ := strconv.ParseUint(strings.TrimPrefix(l.LogIndex, "0x"), 16, 63)
		e := event{blocks[l.BlockNumber], [32]byte(bare(l.TransactionHash)), index, Address(bare(l.Address)), nil, bare(l.Data)}
		for _, t := range l.Topics {
			e.topics = append(e.topics, [32]byte(bare(t)))
		}
		out = append(out, e)
	}
	return out
}

func (a *anvil) outcome(tx [32]byte) (b block, good, ok bool) {
	var r map[string]any
	if a.into(&r, "eth_getTransactionReceipt", hexOf(tx)); r == nil {
		return b, false, false
	}
	number, _ := r["blockNumber"].(string)
	b, ok = a.read(number)
	return b, r["status"] == "0x1", ok
}

func (a *anvil) run(contract Address, data []byte) ([]byte, bool) {
	out, err := a.try("eth_call", object{"to": contract.evm(), "data": "0x" + hex.EncodeToString(data)}, "latest")
	var s string
	if err != nil || json.Unmarshal(out, &s) != nil || s == "0x" {
		return nil, false
	}
	return unhex(strings.TrimPrefix(s, "0x")), true
}

func (a *anvil) code(at Address) []byte {
	var s string
	a.into(&s, "eth_getCode", at.evm(), "latest")
	return unhex(strings.TrimPrefix(s, "0x"))
}

func (a *anvil) coins(of Address) *big.Int {
	var s string
	a.into(&s, "eth_getBalance", of.evm(), "latest")
	n, _ := new(big.Int).SetString(strings.TrimPrefix(s, "0x"), 16)
	return n
}

// anvilLab is a till before a real EVM, by endpoints of these kinds.
func anvilLab(t testing.TB, policy Policy, kinds ...Kind) (*lab, *anvil) {
	a := startAnvil(t)
	tokens := []Token{
		{Chain: a.chainID(), Symbol: "USDT", Contract: a.coin("USDT", 6), Decimals: 6, OnChain: []string{"USDT"}, Peg: "USD"},
		{Chain: a.chainID(), Symbol: "USDD", Contract: a.coin("USDD", 18), Decimals: 18, Peg: "USD", Watch: true},
	}
	chain := Chain{ID: a.chainID(), Key: "tron", Name: "Tron", Coin: "TRX", StaleS: 600, Policy: policy}
	l := newLab(t, a, chain, tokens, loopback, kinds...)
	l.options.every = 200 * time.Millisecond
	a.mint(l.usdt.Contract, merchant, 1_000_000) // there is always something
	return l, a
}

// TestRail holds the rail to the contract of all rails, on a real EVM, in real time.
func TestRail(t *testing.T) {
	for _, kind := range []Kind{JSONRPC, TronGrid} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			postest.TestRail(t, func(t testing.TB) postest.Harness {
				l, a := anvilLab(t, small, kind)
				l.start()
				return harness(l, func(to Address, units int64) { a.mint(l.usdt.Contract, to, units) }, func() {
					a.do("evm_increaseTime", 601)
					a.mine(1)
				})
			})
		})
	}
}

// TestReorg takes a payment back on a real EVM before it counts. Goal: it is in doubt,
// and paid when it comes again.
func TestReorg(t *testing.T) {
	for _, kind := range []Kind{JSONRPC, TronGrid} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			l, a := anvilLab(t, deep, kind)
			l.start()
			r := l.ready()
			p := l.wanted(r, "SALE000000001", 12_340_000)
			a.mint(l.usdt.Contract, merchant, 12_340_000)
			l.becomes(r, p, pos.Accept)
			p = l.moved(p, pos.Accept)
			a.do("anvil_reorg", 1, []any{})
			a.mine(8)
			l.becomes(r, p, pos.Doubt)
			p = l.moved(p, pos.Doubt)
			a.mint(l.usdt.Contract, merchant, 12_340_000)
			a.mine(8)
			if f := l.becomes(r, p, pos.Settle); f.Received.Int().Int64() != 12_340_000 || f.At.IsZero() {
				t.Fatalf("%+v", f)
			}
		})
	}
}
