package tron

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/evm/evmtest"
)

func TestMain(m *testing.M) { cointest.Main(m, "8") }

// anvil is a real EVM chain of our own. Tron's machine runs the same contracts; what
// differs is how its nodes are asked, and that is what the fakes before it are for. A
// block's hash begins with its height on Tron; here the height is written over it.
type anvil struct{ *evmtest.Chain }

func startAnvil(t testing.TB) *anvil {
	t.Helper()
	a := &anvil{evmtest.Start(t, 728126428)}
	a.mine(3) // so that there is a solidified block
	return a
}

// ask makes a call for one of the fakes, whose goroutine must not end the test. out stays as
// it is when the call fails.
func (a *anvil) ask(out any, method string, params ...any) {
	raw, err := a.Try(method, params...)
	if err == nil {
		err = json.Unmarshal(raw, out)
	}
	if err != nil {
		a.T.Errorf("%s: %v", method, err)
	}
}

func (a *anvil) mine(n int) { a.Do("anvil_mine", fmt.Sprintf("0x%x", n)) }

// coin deploys a token of evm's test contracts.
func (a *anvil) coin(symbol string, decimals int64) Address {
	a.T.Helper()
	return Address(unhex(strings.TrimPrefix(a.Coin("Plain", symbol, decimals), "0x")))
}

// mint makes tokens from nothing: a transfer from the zero address. Its block is a second
// later than the one before, as Tron's are three: anvil's may be of the same one.
func (a *anvil) mint(token, to Address, units int64) {
	a.T.Helper()
	a.Do("evm_increaseTime", 1)
	w := to.word()
	a.Works(token.evm(), a.Data("Plain", "mint(address,uint256)", w[:], num(units)), 0)
}

func (a *anvil) chainID() uint64 { return a.ID }

func (a *anvil) read(tag string) (b block, ok bool) {
	var f map[string]any
	a.ask(&f, "eth_getBlockByNumber", tag, false)
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
	a.ask(&list, "eth_getLogs", object{"fromBlock": quantity(from), "toBlock": quantity(to), "topics": []string{hexOf(topicTransfer)}})
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
	if a.ask(&r, "eth_getTransactionReceipt", hexOf(tx)); r == nil {
		return b, false, false
	}
	number, _ := r["blockNumber"].(string)
	b, ok = a.read(number)
	return b, r["status"] == "0x1", ok
}

func (a *anvil) run(contract Address, data []byte) ([]byte, bool) {
	out, err := a.Try("eth_call", object{"to": contract.evm(), "data": "0x" + hex.EncodeToString(data)}, "latest")
	var s string
	if err != nil || json.Unmarshal(out, &s) != nil || s == "0x" {
		return nil, false
	}
	return unhex(strings.TrimPrefix(s, "0x")), true
}

func (a *anvil) code(at Address) []byte {
	var s string
	a.ask(&s, "eth_getCode", at.evm(), "latest")
	return unhex(strings.TrimPrefix(s, "0x"))
}

func (a *anvil) coins(of Address) *big.Int {
	var s string
	a.ask(&s, "eth_getBalance", of.evm(), "latest")
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
					a.Do("evm_increaseTime", 601)
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
			r := l.Ready("usdt-tron")
			p := l.Requested(r, "SALE000000001", 12_340_000)
			a.mint(l.usdt.Contract, merchant, 12_340_000)
			l.Becomes(r, p, pos.Accept)
			p = l.Moved(p, pos.Accept)
			a.Do("anvil_reorg", 1, []any{})
			a.mine(8)
			l.Becomes(r, p, pos.Doubt)
			p = l.Moved(p, pos.Doubt)
			a.mint(l.usdt.Contract, merchant, 12_340_000)
			a.mine(8)
			if f := l.Becomes(r, p, pos.Settle); f.Received.Int().Int64() != 12_340_000 || f.At.IsZero() {
				t.Fatalf("%+v", f)
			}
		})
	}
}
