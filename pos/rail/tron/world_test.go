package tron

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// network is what stands behind the endpoints of a test: a chain made of code, or a real
// EVM. Both kinds of fakes speak for either.
type network interface {
	chainID() uint64
	tip() block
	final() block
	height(n uint64) (block, bool)
	// events are the Transfer events of a range of blocks, in order.
	events(from, to uint64) []event
	// outcome says in which block a transaction is.
	outcome(tx [32]byte) (b block, good, ok bool)
	// run calls a contract; ok is false when there is none or it reverts.
	run(contract Address, data []byte) (out []byte, ok bool)
	code(a Address) []byte
	coins(a Address) *big.Int
}

type event struct {
	block    block
	tx       [32]byte
	index    uint64
	contract Address
	topics   [][32]byte
	data     []byte
}

// mem is a network made of code. It makes a block every three seconds by the clock of
// its bubble.
type mem struct {
	t     testing.TB
	id    uint64
	born  time.Time
	depth uint64 // how far the solidified block is behind

	mu      sync.Mutex
	tokens  map[Address]memToken
	paid    []memPay
	native  map[Address]*big.Int
	begins  map[Address]map[Address]*big.Int // balances of before the first block
	codes   map[Address][]byte
	forks   map[uint64]byte // heights whose blocks changed
	txs     int
	skew    time.Duration
	stopped uint64 // the height of the last block for ever; 0: it goes on
}

type memToken struct {
	symbol   string
	decimals int64
}

type memPay struct {
	height         uint64
	tx             [32]byte
	token          Address
	from, to       Address
	units          *big.Int
	failed, unreal bool // unreal: its event is there and its money is not
	noise          int  // bytes of an event of another contract in the same transaction
}

const firstHeight = 80_000_000

func newMem(t testing.TB, c Chain, tokens []Token) *mem {
	m := &mem{
		t: t, id: c.ID, born: time.Now(), depth: 19, tokens: map[Address]memToken{}, native: map[Address]*big.Int{},
		begins: map[Address]map[Address]*big.Int{}, codes: map[Address][]byte{}, forks: map[uint64]byte{},
	}
	for _, k := range tokens {
		symbol := k.Symbol
		if len(k.OnChain) > 0 {
			symbol = k.OnChain[0]
		}
		m.tokens[k.Contract] = memToken{symbol, int64(k.Decimals)}
		m.codes[k.Contract] = []byte{0x60}
	}
	return m
}

func (m *mem) chainID() uint64 { return m.id }

// now returns the newest height. m.mu is held.
func (m *mem) now() uint64 {
	n := firstHeight + uint64(time.Since(m.born)/(blockSeconds*time.Second))
	if m.stopped != 0 {
		n = min(n, m.stopped)
	}
	return n
}

// blockAt makes a block of a height; its hash begins with the height. m.mu is held.
func (m *mem) blockAt(n uint64) block {
	if n == 0 {
		b := block{hash: sha256.Sum256([]byte("first")), time: 0}
		clear(b.hash[:8])
		binary.BigEndian.PutUint32(b.hash[28:], uint32(m.id))
		return b
	}
	b := block{number: n, time: uint64(m.born.Add(m.skew).Unix()) - firstHeight*blockSeconds + n*blockSeconds}
	b.hash = sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, n), byte(m.id), m.forks[n]))
	binary.BigEndian.PutUint64(b.hash[:8], n)
	return b
}

func (m *mem) tip() block {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.blockAt(m.now())
}

func (m *mem) final() block {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.blockAt(m.now() - m.depth)
}

func (m *mem) height(n uint64) (block, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.blockAt(n), n <= m.now()
}

func (m *mem) events(from, to uint64) (out []event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, p := range m.paid {
		if p.height < from || p.height > to || p.height > m.now() || p.failed {
			continue
		}
		if p.noise > 0 {
			out = append(out, event{m.blockAt(p.height), p.tx, uint64(i), customer, [][32]byte{{1}}, make([]byte, p.noise)})
		}
		out = append(out, event{m.blockAt(p.height), p.tx, uint64(i), p.token, [][32]byte{topicTransfer, p.from.word(), p.to.word()}, p.units.FillBytes(make([]byte, 32))})
	}
	slices.SortStableFunc(out, func(a, b event) int { return int(a.block.number) - int(b.block.number) })
	return out
}

func (m *mem) outcome(tx [32]byte) (block, bool, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.paid {
		if p.tx == tx && p.height <= m.now() {
			return m.blockAt(p.height), !p.failed, true
		}
	}
	return block{}, false, false
}

func (m *mem) code(a Address) []byte { m.mu.Lock(); defer m.mu.Unlock(); return m.codes[a] }

func (m *mem) coins(a Address) *big.Int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.native[a]; n != nil {
		return n
	}
	return new(big.Int)
}

func (m *mem) run(contract Address, data []byte) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.tokens[contract]
	if !ok || len(data) < 4 {
		return nil, false
	}
	switch hex.EncodeToString(data[:4]) {
	case selectorDecimals:
		return big.NewInt(k.decimals).FillBytes(make([]byte, 32)), true
	case selectorSymbol:
		return slices.Concat(num(32), num(int64(len(k.symbol))), append([]byte(k.symbol), make([]byte, 32-len(k.symbol))...)), true
	case selectorBalance:
		return m.sum(contract, Address(data[16:36])).FillBytes(make([]byte, 32)), true
	}
	return nil, false
}

// sum is a balance at the newest block. m.mu is held.
func (m *mem) sum(contract, of Address) *big.Int {
	n := new(big.Int)
	if b := m.begins[contract][of]; b != nil {
		n.Set(b)
	}
	for _, p := range m.paid {
		if p.token != contract || p.height > m.now() || p.failed || p.unreal {
			continue
		}
		if p.to == of {
			n.Add(n, p.units)
		}
		if p.from == of {
			n.Sub(n, p.units)
		}
	}
	return n
}

func num(n int64) []byte { return big.NewInt(n).FillBytes(make([]byte, 32)) }

// put adds a transfer to the next block and returns its transaction.
func (m *mem) put(p memPay) [32]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.txs++
	if p.height = m.now() + 1; p.tx == [32]byte{} {
		p.tx = sha256.Sum256(fmt.Append(nil, "tx", m.txs))
	}
	m.paid = append(m.paid, p)
	return p.tx
}

// pay lets a customer send units of a token.
func (m *mem) pay(token, to Address, units int64) [32]byte {
	return m.put(memPay{token: token, from: customer, to: to, units: big.NewInt(units)})
}

// reorg replaces the newest n blocks by others of the same heights, without what was in
// them.
func (m *mem) reorg(n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	head := m.now()
	for i := range n {
		m.forks[head-i]++
	}
	m.paid = slices.DeleteFunc(m.paid, func(p memPay) bool { return p.height > head-n })
}

// customer has more of everything than he can spend.
var customer = MustAddress("TWxnxrH8WRnGbtSxu4VuBmGMMbfizmmb9x")

// merchant is where the money goes.
var merchant = MustAddress("TVJdbqBeo81JpHtmugU8KiDB48u5XUdarD")

// endpoint is one operator's server before a network: honest, until it is told to lie.
type endpoint struct {
	t    testing.TB
	kind Kind
	key  string // that it wants in the header; empty: none
	next http.Handler

	mu       sync.Mutex
	down     bool
	requests int
	// response, if set, may answer instead; it returns true when it did.
	response func(w http.ResponseWriter, r *http.Request) bool
	// body, if set, may change an answer. path is "/jsonrpc" or one of the API's.
	body func(path string, b []byte) []byte
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.requests++
	down, response, body := e.down, e.response, e.body
	e.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler)
	}
	b, err := io.ReadAll(r.Body) // a server notices that the other end went when it has read all
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	if response != nil && response(w, r) {
		return
	}
	if e.key != "" && r.Header.Get("TRON-PRO-API-KEY") != e.key {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if body == nil {
		e.next.ServeHTTP(w, r)
		return
	}
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	e.next.ServeHTTP(rec, r)
	for k, v := range rec.header {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.status)
	_, _ = w.Write(body(r.URL.Path, rec.body.Bytes())) // the other end may be gone
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(s int)           { r.status = s }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func (e *endpoint) cut(down bool) { e.mu.Lock(); e.down = down; e.mu.Unlock() }

func (e *endpoint) responds(f func(w http.ResponseWriter, r *http.Request) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.response = f
}

// lies makes it change answers; nil makes it honest again.
func (e *endpoint) lies(f func(path string, b []byte) []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.body = f
}

func (e *endpoint) count() int { e.mu.Lock(); defer e.mu.Unlock(); return e.requests }

// newEndpoint puts a fake of a kind before a network.
func newEndpoint(t testing.TB, kind Kind, n network) *endpoint {
	e := &endpoint{t: t, kind: kind}
	if kind == TronGrid {
		e.next = &gridFake{t: t, n: n}
	} else {
		e.next = &nodeFake{t: t, n: n}
	}
	return e
}
