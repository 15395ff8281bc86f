package solana

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// mem is a cluster made of code, for what needs hours of time or hundreds of sales. It
// makes a slot every 400 ms by the clock of its bubble, knows what a node knows of the
// calls that the till makes, and fails the test on any other.
type mem struct {
	t      testing.TB
	tokens []Token
	homes  map[Key]Key // the merchant's account of each mint
	born   time.Time
	final  uint64 // slots until a block is final

	mu   sync.Mutex
	paid []memPaid
	stop uint64 // the cluster stands still at this slot; 0: it goes on
}

// memPaid is one transaction that pays the merchant.
type memPaid struct {
	slot uint64
	sig  string
	sent []sent
}

func newMem(t testing.TB, tokens []Token) *mem {
	m := &mem{t: t, tokens: tokens, homes: map[Key]Key{}, born: time.Now(), final: 32}
	for _, c := range tokens {
		m.homes[c.Mint] = AccountOf(merchant, c.Program.key(), c.Mint)
	}
	return m
}

// memTokens are the tokens of a cluster made of code.
func memTokens() []Token {
	return []Token{
		{Cluster: "solana", Symbol: "USDC", Mint: keyOf("usdc"), Decimals: 6, Peg: "USD"},
		{Cluster: "solana", Symbol: "PYUSD", Mint: keyOf("pyusd"), Decimals: 6, Program: Token2022, Peg: "USD"},
		{Cluster: "solana", Symbol: "EURC", Mint: keyOf("eurc"), Decimals: 6, Peg: "EUR"},
		{Cluster: "solana", Symbol: "USDT", Mint: keyOf("usdt"), Decimals: 6, Peg: "USD"},
	}
}

func (m *mem) slot() uint64 {
	n := 1000 + uint64(time.Since(m.born)/(400*time.Millisecond))
	if m.stop > 0 {
		n = min(n, m.stop)
	}
	return n
}

// pay puts a transaction into the newest slot.
func (m *mem) pay(all ...sent) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.paid)
	h := keyOf(fmt.Sprint("signature ", n))
	sig := encode58(append(h[:], h[:]...))
	m.paid = append(m.paid, memPaid{m.slot(), sig, all})
	return sig
}

// at reads the commitment of an answer's parameters.
func (m *mem) at(raw json.RawMessage) (slot uint64, o map[string]any) {
	if json.Unmarshal(raw, &o) != nil {
		m.t.Errorf("parameters %s", raw)
	}
	switch o["commitment"] {
	case "confirmed":
		return m.slot() - 1, o
	case "finalized":
		return m.slot() - m.final, o
	}
	m.t.Errorf("commitment %v", o["commitment"])
	return 0, o
}

// serve answers one call.
func (m *mem) serve(method string, params []json.RawMessage) (json.RawMessage, *rpcFault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var v any
	switch method {
	case "getGenesisHash":
		v = testNet.Genesis
	case "getMultipleAccounts":
		v = m.accounts(params)
	case "getSignaturesForAddress":
		v = m.list(params)
	case "getTransaction":
		v = m.transaction(params)
	case "getSignatureStatuses":
		v = m.statuses(params)
	default:
		m.t.Errorf("the till calls %s", method)
		return nil, &rpcFault{Code: -32601, Message: "the method does not exist"}
	}
	b, err := json.Marshal(v)
	if err != nil {
		m.t.Error(err)
	}
	return b, nil
}

type obj = map[string]any

func memAccount(owner Key, data []byte) obj {
	return obj{"data": []string{base64.StdEncoding.EncodeToString(data), "base64"}, "owner": owner.String(), "executable": false, "lamports": 1, "rentEpoch": uint64(1<<64 - 1), "space": len(data)}
}

func (m *mem) accounts(params []json.RawMessage) obj {
	var keys []Key
	if json.Unmarshal(params[0], &keys) != nil {
		m.t.Errorf("accounts %s", params[0])
	}
	slot, o := m.at(params[1])
	if o["encoding"] != "base64" {
		m.t.Errorf("encoding %v", o["encoding"])
	}
	out := []any{}
	for _, k := range keys {
		out = append(out, m.account(k, slot))
	}
	return obj{"context": obj{"slot": slot, "apiVersion": "3.0.0"}, "value": out}
}

func (m *mem) account(k Key, slot uint64) any {
	switch k {
	case clockAccount:
		b := make([]byte, 40)
		binary.LittleEndian.PutUint64(b, slot)
		binary.LittleEndian.PutUint64(b[32:], uint64(m.born.Add(time.Duration(slot-1000)*400*time.Millisecond).Unix()))
		return memAccount(keyOf("sysvar"), b)
	case merchant:
		return memAccount(systemProgram, nil)
	}
	for _, t := range m.tokens {
		if k == t.Mint {
			b := make([]byte, mintSize)
			b[44], b[45] = byte(t.Decimals), 1
			return memAccount(t.Program.key(), b)
		}
		if k == m.homes[t.Mint] {
			b := make([]byte, holdingSize)
			copy(b, t.Mint[:])
			copy(b[32:], merchant[:])
			sum := uint64(0)
			for _, p := range m.paid {
				for _, x := range p.sent {
					if p.slot <= slot && x.mint == t.Mint {
						sum += uint64(x.units)
					}
				}
			}
			binary.LittleEndian.PutUint64(b[64:], sum)
			b[108] = inUse
			return memAccount(t.Program.key(), b)
		}
	}
	return nil
}

// names reports that p has k among its accounts.
func (m *mem) names(p memPaid, k Key) bool {
	return slices.ContainsFunc(p.sent, func(x sent) bool {
		return slices.Contains(x.references, k) || k == m.homes[x.mint]
	})
}

func (m *mem) program(mint Key) Program {
	for _, t := range m.tokens {
		if t.Mint == mint {
			return t.Program
		}
	}
	return SPLToken
}

func (m *mem) confirmation(p memPaid) string {
	if p.slot <= m.slot()-m.final {
		return "finalized"
	}
	return "confirmed"
}

func (m *mem) list(params []json.RawMessage) []obj {
	var k Key
	if json.Unmarshal(params[0], &k) != nil {
		m.t.Errorf("account %s", params[0])
	}
	slot, o := m.at(params[1])
	out := []obj{}
	began := o["before"] == nil
	for i := len(m.paid) - 1; i >= 0; i-- {
		p := m.paid[i]
		if p.sig == o["until"] {
			break
		}
		if began && p.slot <= slot && m.names(p, k) && len(out) < int(o["limit"].(float64)) {
			out = append(out, obj{"signature": p.sig, "slot": p.slot, "err": nil, "memo": nil, "blockTime": nil, "confirmationStatus": m.confirmation(p)})
		}
		began = began || p.sig == o["before"]
	}
	return out
}

func (m *mem) find(sig string) (memPaid, bool) {
	i := slices.IndexFunc(m.paid, func(p memPaid) bool { return p.sig == sig })
	if i < 0 {
		return memPaid{}, false
	}
	return m.paid[i], true
}

func (m *mem) transaction(params []json.RawMessage) any {
	var sig string
	if json.Unmarshal(params[0], &sig) != nil {
		m.t.Errorf("signature %s", params[0])
	}
	slot, o := m.at(params[1])
	if o["encoding"] != "json" || o["maxSupportedTransactionVersion"] != float64(1) {
		m.t.Errorf("a transaction is asked for with %v", o)
	}
	p, ok := m.find(sig)
	if !ok || p.slot > slot {
		return nil
	}
	return txOf(p, m.program)
}

// txOf writes a transaction as nodes do: a payer, and for each transfer a source, a
// destination, a mint and its references.
func txOf(p memPaid, program func(mint Key) Program) obj {
	keys := []string{keyOf("payer").String(), tokenProgram.String(), token2022Program.String()}
	at := func(k Key) int {
		if i := slices.Index(keys, k.String()); i >= 0 {
			return i
		}
		keys = append(keys, k.String())
		return len(keys) - 1
	}
	var ins, before, after []obj
	balance := func(i int, mint, owner Key, units uint64) obj {
		return obj{"accountIndex": i, "mint": mint.String(), "owner": owner.String(), "programId": program(mint).key().String(), "uiTokenAmount": obj{"amount": strconv.FormatUint(units, 10), "decimals": 6}}
	}
	sums := map[int]uint64{}
	for _, x := range p.sent {
		prog := 1 + slices.Index([]Key{tokenProgram, token2022Program}, program(x.mint).key())
		home := AccountOf(x.owner, program(x.mint).key(), x.mint)
		source, mint, dest := at(keyOf("source"+x.mint.String())), at(x.mint), at(home)
		accounts := []int{source, mint, dest, 0}
		for _, r := range x.references {
			accounts = append(accounts, at(r))
		}
		data := append([]byte{tokenTransferChecked}, binary.LittleEndian.AppendUint64(nil, uint64(x.units))...)
		ins = append(ins, obj{"programIdIndex": prog, "accounts": accounts, "data": encode58(append(data, 6))})
		if _, known := sums[dest]; !known {
			before = append(before, balance(dest, x.mint, x.owner, 7))
		}
		sums[dest] += uint64(x.units)
	}
	for _, b := range before {
		i := b["accountIndex"].(int)
		after = append(after, balance(i, MustKey(b["mint"].(string)), MustKey(b["owner"].(string)), 7+sums[i]))
	}
	coins := make([]int, len(keys))
	return obj{
		"slot": p.slot, "blockTime": 1795676895, "version": 0,
		"meta": obj{"err": nil, "fee": 5000, "preBalances": coins, "postBalances": coins, "preTokenBalances": before, "postTokenBalances": after, "innerInstructions": []obj{}, "loadedAddresses": obj{"writable": []string{}, "readonly": []string{}}},
		"transaction": obj{"signatures": []string{p.sig}, "message": obj{
			"header": obj{"numRequiredSignatures": 1, "numReadonlySignedAccounts": 0, "numReadonlyUnsignedAccounts": 2}, "accountKeys": keys, "instructions": ins, "recentBlockhash": keyOf("block").String(),
		}},
	}
}

func (m *mem) statuses(params []json.RawMessage) obj {
	var sigs []string
	if json.Unmarshal(params[0], &sigs) != nil || len(sigs) > 256 {
		m.t.Errorf("signatures %s", params[0])
	}
	out := []any{}
	for _, s := range sigs {
		if p, ok := m.find(s); ok {
			out = append(out, obj{"slot": p.slot, "confirmations": 1, "err": nil, "status": obj{"Ok": nil}, "confirmationStatus": m.confirmation(p)})
		} else {
			out = append(out, nil)
		}
	}
	return obj{"context": obj{"slot": m.slot(), "apiVersion": "3.0.0"}, "value": out}
}

// world is a lab before a cluster made of code, in a bubble.
type world struct {
	*lab
	m      *mem
	closed *cointest.Memory // nil: the till keeps nothing of closed payments
}

// newWorld puts endpoints of some operators before one cluster.
func newWorld(t testing.TB, policy Policy, operators int) *world {
	m := newMem(t, memTokens())
	var lines []*line
	hosts := map[string]*cointest.Pipes{}
	for i := range operators {
		l := cointest.BareLine(t, m.serve)
		lines, hosts[fmt.Sprintf("127.0.0.%d:80", i+1)] = append(lines, l), cointest.Serve(t, l)
	}
	w := &world{lab: newLab(t, policy, m.tokens, lines...), m: m}
	w.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		return hosts[address].Dial(ctx, network, address)
	}
	return w
}

func (w *world) each(f func(*line)) {
	for _, l := range w.lines {
		f(l)
	}
}
