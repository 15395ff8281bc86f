package evm

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// mem is a chain made of code, for what needs many of them or hours of time. It
// makes a block every now and then by the clock of its bubble, knows what a node
// knows of the calls that the till makes, and fails the test on any other.
type mem struct {
	t     testing.TB
	id    uint64
	every time.Duration
	born  time.Time
	// safe and final are how many blocks the tags are behind.
	safe  uint64
	final atomic.Uint64

	mu     sync.Mutex
	tokens map[Address]memToken
	paid   []payment1
	forks  []uint64 // blocks from which on the chain turned back once
}

type memToken struct {
	symbol   string
	decimals int64
}

// payment1 is money that came in a block, or left by a sweep.
type payment1 struct {
	block     uint64
	token, to Address
	units     *big.Int // of a sweep what was held
	swept     bool
	by        Address // whose event stands beside it in its receipt; zero: nobody's
}

// codes are what stands at D and F on a real chain; TestCodes writes them.
var codes = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	if b, err := os.ReadFile("testdata/codes.json"); err == nil {
		_ = json.Unmarshal(b, &out) // an empty map fails every test that needs it
	}
	return out
})

// TestCodes holds testdata/codes.json, and the constant, to a real chain.
func TestCodes(t *testing.T) {
	a := startAnvil(t, 1).ready()
	got := map[string]string{}
	for _, at := range []Address{Deployer, Factory} {
		var s string
		a.Into(&s, "eth_getCode", at.String(), "latest")
		got[at.String()] = s
	}
	if *update {
		b, _ := json.MarshalIndent(got, "", " ")
		if err := os.WriteFile("testdata/codes.json", append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for at, want := range codes() {
		if got[at] != want {
			t.Errorf("another code at %s", at)
		}
	}
	d, _ := json.Marshal(got[Deployer.String()])
	f, _ := json.Marshal(got[Factory.String()])
	if err := checkContracts(d, f); err != nil {
		t.Error(err)
	}
	if err := checkContracts(d, d); err == nil {
		t.Error("any code was taken for the factory")
	}
	if err := checkContracts(f, f); err == nil {
		t.Error("any code was taken for the deployer")
	}
	if err := checkContracts(d, json.RawMessage(`"0x"`)); rpc.FaultOf(err) != faultFactory {
		t.Errorf("without a factory: %v", err)
	}
}

func newMem(t testing.TB, c Chain, tokens []Token, every time.Duration) *mem {
	m := &mem{t: t, id: c.ID, every: every, born: time.Now(), safe: 4, tokens: map[Address]memToken{}}
	m.final.Store(8)
	for _, k := range tokens {
		symbol := k.Symbol
		if len(k.OnChain) > 0 {
			symbol = k.OnChain[0]
		}
		m.tokens[k.Contract] = memToken{symbol, int64(k.Decimals)}
	}
	return m
}

// head is the newest block's number; the first is 100.
func (m *mem) head() uint64 { return 100 + uint64(time.Since(m.born)/m.every) }

// at returns the time and the hash of a block.
func (m *mem) at(n uint64) (at uint64, hash [32]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	turns := 0
	for _, fork := range m.forks {
		if fork <= n {
			turns++
		}
	}
	at = uint64(m.born.Add(time.Duration(n-100) * m.every).Unix())
	return at, keccak([]byte("mem"), binary.BigEndian.AppendUint64(nil, m.id), binary.BigEndian.AppendUint64(nil, n), make([]byte, turns))
}

// pay puts money into the next block.
func (m *mem) pay(token, to Address, units *big.Int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.paid = append(m.paid, payment1{block: m.head() + 1, token: token, to: to, units: units})
}

// sweep moves what is at an address to the treasury in the next block.
func (m *mem) sweep(token, at Address) {
	held := m.balance(m.head()+1, token, at)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.paid = append(m.paid, payment1{block: m.head() + 1, token: token, to: at, units: held, swept: true})
}

// reorg takes the newest blocks back, with all that was in them.
func (m *mem) reorg(blocks uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fork := m.head() + 1 - blocks
	m.forks = append(m.forks, fork)
	m.paid = slices.DeleteFunc(m.paid, func(p payment1) bool { return p.block >= fork })
}

// balance returns what is at an address in a block.
func (m *mem) balance(block uint64, token, at Address) *big.Int {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := new(big.Int)
	for _, p := range m.paid {
		switch {
		case p.block > block || p.token != token || p.to != at:
		case p.swept:
			sum.SetInt64(0)
		default:
			sum.Add(sum, p.units)
		}
	}
	return sum
}

// logs answers eth_getLogs: of the factory and of tokens, about one receiver.
func (m *mem) logs(head uint64, raw json.RawMessage) (json.RawMessage, *rpcFault) {
	var in struct {
		Address            any
		FromBlock, ToBlock json.RawMessage
		BlockHash          string
		Topics             []*string
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		m.t.Errorf("a filter that is none: %v", err)
	}
	from, to := uint64(100), head
	if in.BlockHash == "" {
		from, _ = rpc.Hex64(in.FromBlock)
		to, _ = rpc.Hex64(in.ToBlock)
	}
	m.mu.Lock()
	list := slices.Clone(m.paid)
	m.mu.Unlock()
	out := []map[string]any{}
	for i, p := range list {
		about, address, topics := in.Topics[1], p.token, []string{hash0x(topicTransfer), hash0x(keccak([]byte("somebody"))), word0x(p.to)}
		if p.swept {
			address, topics = Factory, []string{hash0x(topicSwept), word0x(p.to), word0x(p.token)}
		} else {
			about = in.Topics[2]
		}
		_, hash := m.at(p.block)
		if p.block < from || p.block > min(to, head) || *in.Topics[0] != topics[0] || about == nil || *about != word0x(p.to) ||
			!strings.Contains(fmt.Sprint(in.Address), address.String()) || in.BlockHash != "" && in.BlockHash != hash0x(hash) {
			continue
		}
		out = append(out, map[string]any{
			"address": strings.ToLower(address.String()), "topics": topics, "data": fmt.Sprintf("0x%x", uint256(p.units)), "blockNumber": fmt.Sprintf("0x%x", p.block),
			"blockHash": hash0x(hash), "transactionHash": m.tx(i), "logIndex": fmt.Sprintf("0x%x", i), "removed": false,
		})
	}
	b, _ := json.Marshal(out)
	return b, nil
}

func (m *mem) tx(i int) string { return hash0x(keccak([]byte("tx"), num(int64(i)))) }

// receipt answers eth_getTransactionReceipt.
func (m *mem) receipt(head uint64, raw json.RawMessage) json.RawMessage {
	var tx string
	_ = json.Unmarshal(raw, &tx) // of no transaction then
	m.mu.Lock()
	list := slices.Clone(m.paid)
	m.mu.Unlock()
	for i, p := range list {
		if _, hash := m.at(p.block); m.tx(i) == tx && p.block <= head {
			logs := "[]"
			if p.by != (Address{}) {
				logs = fmt.Sprintf(`[{"address":%q,"topics":[%q],"data":"0x","blockNumber":"0x%x","blockHash":%q,"transactionHash":%q,"logIndex":"0x0"}]`,
					p.by, hash0x(topicSwept), p.block, hash0x(hash), tx)
			}
			return json.RawMessage(fmt.Sprintf(`{"blockHash":%q,"transactionHash":%q,"status":"0x1","logs":%s}`, hash0x(hash), tx, logs))
		}
	}
	return json.RawMessage("null")
}

func hash0x(h [32]byte) string { return fmt.Sprintf("0x%x", h) }
func word0x(a Address) string  { return hash0x(a.word()) }

// block finds what a parameter names: a tag, a number, or a hash that must be on the
// chain, by a node that knows it up to head.
func (m *mem) block(head uint64, raw json.RawMessage) (uint64, bool) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		switch s {
		case "latest":
			return head, true
		case "safe":
			return max(head, 100+m.safe) - m.safe, true
		case "finalized":
			return max(head, 100+m.final.Load()) - m.final.Load(), true
		}
		n, ok := rpc.Hex64(raw)
		return n, ok && n <= head
	}
	f, err := rpc.Fields(raw)
	h, ok := rpc.HexHash(f["blockHash"])
	if err != nil || !ok || string(f["requireCanonical"]) != "true" {
		m.t.Errorf("a block named %s", raw)
	}
	for n := head; n >= 100; n-- {
		if _, hash := m.at(n); hash == h {
			return n, true
		}
	}
	return 0, false
}

var noBlock = &rpcFault{Code: -32001, Message: "header not found"}

// serve answers one call.
func (m *mem) serve(method string, params []json.RawMessage) (json.RawMessage, *rpcFault) {
	head := m.head()
	switch method {
	case "eth_chainId":
		return hexNum(m.id), nil
	case "eth_blockNumber":
		return hexNum(head), nil
	case "eth_getTransactionCount":
		return hexNum(1), nil
	case "eth_getCode":
		var at string
		_ = json.Unmarshal(params[0], &at) // an odd address has no code
		return json.RawMessage(`"` + max(codes()[at], "0x") + `"`), nil
	case "eth_getBlockByNumber":
		n, ok := m.block(head, params[0])
		if !ok {
			return json.RawMessage("null"), nil
		}
		at, hash := m.at(n)
		return json.RawMessage(fmt.Sprintf(`{"number":"0x%x","hash":"0x%x","timestamp":"0x%x","transactions":[]}`, n, hash, at)), nil
	case "eth_call":
		return m.call(head, params)
	case "eth_getLogs":
		return m.logs(head, params[0])
	case "eth_getTransactionReceipt":
		return m.receipt(head, params[0]), nil
	}
	m.t.Errorf("the till calls %s", method)
	return nil, &rpcFault{Code: -32601, Message: "the method does not exist"}
}

func hexNum(n uint64) json.RawMessage { return json.RawMessage(fmt.Sprintf(`"0x%x"`, n)) }

func (m *mem) call(head uint64, params []json.RawMessage) (json.RawMessage, *rpcFault) {
	var in struct{ To, Data string }
	if len(params) != 2 || json.Unmarshal(params[0], &in) != nil {
		m.t.Errorf("a call with %d parameters", len(params))
		return nil, &rpcFault{Code: -32602, Message: "invalid params"}
	}
	n, ok := m.block(head, params[1])
	if !ok {
		return nil, noBlock
	}
	data := unhex(strings.TrimPrefix(in.Data, "0x"))
	var out []byte
	if in.To == "" {
		out = m.peek(n, data)
	} else if k, ok := m.tokens[MustAddress(in.To)]; ok {
		switch {
		case bytes.Equal(data, selectorDecimals):
			out = num(k.decimals)
		case bytes.Equal(data, selectorSymbol):
			out = slices.Concat(num(32), num(int64(len(k.symbol))), append([]byte(k.symbol), make([]byte, 32-len(k.symbol))...))
		}
	}
	return json.RawMessage(fmt.Sprintf(`"0x%x"`, out)), nil
}

// peek does what contracts/src/Peek.sol does.
func (m *mem) peek(n uint64, data []byte) []byte {
	args, ok := bytes.CutPrefix(data, pinned.peek)
	if !ok {
		m.t.Error("code is run that is not Peek")
	}
	lists := make([][]Address, 2)
	for i := range lists {
		from := binary.BigEndian.Uint64(args[32*i+24:])
		for j := range binary.BigEndian.Uint64(args[from+24:]) {
			lists[i] = append(lists[i], Address(args[from+32*(j+1)+12:][:20]))
		}
	}
	at, _ := m.at(n)
	out := slices.Concat(num(int64(m.id)), num(int64(n)), num(int64(at)))
	put := func(kind, k, o int, value *big.Int) {
		tag := new(big.Int).SetUint64(uint64(kind))
		tag.Lsh(tag, 64).Or(tag, new(big.Int).SetUint64(uint64(k)<<32|uint64(o)))
		out = append(append(out, uint256(tag)...), uint256(value)...)
	}
	for o, owner := range lists[1] {
		for k, token := range lists[0] {
			if sum := m.balance(n, token, owner); sum.Sign() > 0 {
				put(foundBalance, k, o, sum)
			}
		}
		m.mu.Lock()
		stands := slices.ContainsFunc(m.paid, func(p payment1) bool { return p.swept && p.to == owner && p.block <= n })
		m.mu.Unlock()
		if stands {
			put(foundCode, 0, o, big.NewInt(65))
		}
	}
	return out
}

// world is many chains made of code, with an endpoint each, in one bubble.
type world struct {
	*lab
	chains map[string]*mem
	lines  map[string]*line
	pipes  map[string]*cointest.Pipes
}

// newWorld makes the chains of the registry that keys name, for operators each.
func newWorld(t testing.TB, operators int, keys ...string) *world {
	w := &world{newLab(t), map[string]*mem{}, map[string]*line{}, map[string]*cointest.Pipes{}}
	known := Known()
	var accept []Accept
	for _, key := range keys {
		c, ok := known.Chain(key)
		if !ok {
			t.Fatalf("no chain %s", key)
		}
		m := newMem(t, c, known.Tokens(c.ID), 2*time.Second)
		w.chains[key] = m
		a := Accept{Chain: key}
		for _, k := range known.Tokens(c.ID) {
			if !k.Watch {
				a.Tokens = append(a.Tokens, k.Symbol)
			}
		}
		for op := range operators {
			host := fmt.Sprintf("%s-%d.example", key, op)
			l := cointest.BareLine(t, m.serve)
			w.lines[host], w.pipes[host] = l, cointest.Serve(t, l)
			a.Endpoints = append(a.Endpoints, Endpoint{Operator: fmt.Sprintf("operator %d", op), URL: "http://" + w.alias(host)})
		}
		accept = append(accept, a)
	}
	w.change = func(o *Options) {
		o.Registry, o.Accept = known, accept
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			return w.pipes[w.host(address)].Dial(ctx, network, address)
		}
	}
	return w
}

// alias gives a host an address of this computer, which may be called without TLS.
func (w *world) alias(host string) string {
	n := len(w.lines)
	aliases.Store(fmt.Sprintf("127.0.0.%d:80", n), host)
	return fmt.Sprintf("127.0.0.%d", n)
}

func (w *world) host(address string) string {
	host, _ := aliases.Load(address)
	return host.(string)
}

var aliases sync.Map
