package tron

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// behind puts another network behind an endpoint. It must be called before the till starts.
func (e *endpoint) behind(n network) {
	if e.kind == TronGrid {
		e.next = &gridFake{t: e.t, n: n}
		return
	}
	e.next = &nodeFake{t: e.t, n: n}
}

// pairs are two operators, each of another kind.
var pairs = [][]Kind{{JSONRPC, TronGrid}, {TronGrid, JSONRPC}}

// TestSolidifiedExactly: a transfer is solidified from the very block on that is, and not
// one block before.
func TestSolidifiedExactly(t *testing.T) {
	for _, kind := range []Kind{JSONRPC, TronGrid} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, m := usual(t, deep, kind)
				w, err := New(l.options)
				if err != nil {
					t.Fatal(err)
				}
				k := w.chain.clients.All[0]
				defer k.line.Close()
				time.Sleep(time.Second)
				tx := m.pay(l.usdt.Contract, merchant, price)
				paid := m.tip().number + 1
				sent := transfer{transferKey{tx, l.usdt.Contract, customer, merchant, big.NewInt(price).String(), 0}, l.usdt, big.NewInt(price), block{}}
				yes := 0
				for range int(m.depth) + 4 {
					b, ok, err := k.find(t.Context(), sent, true)
					want := m.final().number >= paid
					if err != nil || ok != want || ok && b.number != paid {
						t.Errorf("block %d, solidified %d: in %d, %v, %v", paid, m.final().number, b.number, ok, err)
					}
					if ok {
						yes++
					}
					time.Sleep(blockSeconds * time.Second)
				}
				if yes < 2 {
					t.Errorf("%d times", yes)
				}
			})
		})
	}
}

// eager is a network whose newest block is called solidified.
type eager struct{ *mem }

func (e eager) final() block { return e.mem.tip() }

// TestEagerOne: an operator that calls every block solidified is not believed where the
// policy wants two: the other one must say so, too.
func TestEagerOne(t *testing.T) {
	for _, kinds := range pairs {
		t.Run(string(kinds[0]), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, m := usual(t, Policy{coin.UpTo(0, Solidified, 2)}, kinds...)
				l.endpoints[0].behind(eager{m})
				l.start()
				r := l.Ready("usdt-tron")
				p := l.Requested(r, "SALE000000001", price)
				m.pay(l.usdt.Contract, merchant, price)
				began := time.Now()
				l.Becomes(r, p, pos.Settle)
				if took := time.Since(began); took < time.Duration(m.depth)*blockSeconds*time.Second {
					t.Errorf("settled after %v", took)
				}
				l.Stop()
			})
		})
	}
}

// TestOtherFork: two operators know a transaction, each in a block of its own. That is no
// agreement: one of them is on a chain that will not last.
func TestOtherFork(t *testing.T) {
	for _, kinds := range pairs {
		t.Run(string(kinds[0]), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, m := usual(t, strict, kinds...)
				fork := newMem(t, l.chain, Known().Tokens(l.chain.ID))
				for n := range uint64(1000) {
					fork.forks[firstHeight+n] = 1
				}
				l.endpoints[1].behind(fork)
				l.start()
				r := l.Ready("usdt-tron")
				p := l.Requested(r, "SALE000000001", price)
				both := memPay{tx: [32]byte{7}, token: l.usdt.Contract, from: customer, to: merchant, units: big.NewInt(price)}
				m.put(both)
				fork.put(both)
				read := false
				for range 20 {
					f, err := r.Check(t.Context(), p)
					if f.Event == pos.Settle {
						t.Fatalf("%+v", f)
					}
					read = read || err != nil && strings.Contains(err.Error(), "do not agree")
					time.Sleep(time.Second)
				}
				if !read {
					t.Error("nobody said that two sources do not agree")
				}
				l.Stop()
			})
		})
	}
}

// TestLookAlikeBesideOthers: a token that counts like the one asked for came in the very
// amount, and beside it so much of the real one for somebody else that its balance has grown
// by more than enough. The sale is not paid by either.
func TestLookAlikeBesideOthers(t *testing.T) {
	for _, kind := range []Kind{JSONRPC, TronGrid} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				chain := Chain{ID: 728126428, Key: "tron", Name: "Tron", Coin: "TRX", StaleS: 60, Policy: small}
				tokens := slices.Clone(Known().Tokens(chain.ID))
				tokens[1].Decimals = tokens[0].Decimals
				m := newMem(t, chain, tokens)
				l := newLab(t, m, chain, tokens, inMemory, kind)
				l.start()
				r := l.Ready("usdt-tron")
				p := l.Requested(r, "SALE000000001", price)
				m.pay(l.usdt.Contract, merchant, 50*price)
				m.pay(l.look.Contract, merchant, p.Quantity.Int().Int64())
				named := false
				for range 40 {
					f, err := r.Check(t.Context(), p)
					if err != nil || f.Event == pos.Settle || !f.Received.IsZero() {
						t.Fatalf("%+v, %v", f, err)
					}
					named = named || f.Event == pos.Doubt && f.Stray.Asset.ID == l.look.Asset().ID
					time.Sleep(time.Second)
				}
				if !named {
					t.Error("the other token was not named")
				}
				m.pay(l.usdt.Contract, merchant, p.Quantity.Int().Int64())
				l.Becomes(r, p, pos.Settle)
				l.Stop()
			})
		})
	}
}

// TestFailedOnChain: a transaction that failed moved nothing, however its failure is said.
func TestFailedOnChain(t *testing.T) {
	for _, s := range []string{`"0x0"`, `"0x2"`, `"0x"`, `1`} {
		if _, _, good := readReceipt([]byte(strings.Replace(docRec, `"status":"0x1"`, `"status":`+s, 1)), docTx); good {
			t.Errorf("a receipt with status %s is good", s)
		}
	}
	if _, _, good := readReceipt([]byte(docRec), [32]byte{1}); good {
		t.Error("another transaction's receipt is good")
	}
	for _, s := range []string{`"OUT_OF_ENERGY"`, `"REVERT"`, `"OUT_OF_TIME"`, `"DEFAULT"`, `"success"`, `null`} {
		i, err := readInfo(obj(t, strings.Replace(docInfo, `"result":"SUCCESS"`, `"result":`+s, 1)), docTx, all)
		if err != nil || i.good || len(i.logs) > 0 {
			t.Errorf("a transaction with result %s: %+v, %v", s, i, err)
		}
	}
}

// TestOtherEvents: an Approval has the shape of a Transfer, and moves nothing.
func TestOtherEvents(t *testing.T) {
	approval := [32]byte(unhex("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925")) // Approval(address,address,uint256)
	from, to, dirty := customer.word(), merchant.word(), merchant.word()
	dirty[11] = prefix
	units := big.NewInt(price).FillBytes(make([]byte, 32))
	for name, c := range map[string]struct {
		topics [][32]byte
		data   []byte
		ok     bool
	}{
		"transfer": {[][32]byte{topicTransfer, from, to}, units, true},
		"approval": {[][32]byte{approval, from, to}, units, false},
		"a 41":     {[][32]byte{topicTransfer, from, dirty}, units, false},
		"of three": {[][32]byte{topicTransfer, from, to, {}}, nil, false},
		"of one":   {[][32]byte{topicTransfer, from}, slices.Concat(to[:], units), false},
		"short":    {[][32]byte{topicTransfer, from, to}, units[1:], false},
		"long":     {[][32]byte{topicTransfer, from, to}, append(slices.Clone(units), 0), false},
		"nothing":  {nil, nil, false},
	} {
		if _, _, n, ok := readTransfer(c.topics, c.data); ok != c.ok || ok && n.Int64() != price {
			t.Errorf("%s: %v, %v", name, n, ok)
		}
	}
}

// asked answers as next does, unless other takes a request, by its body.
type asked struct {
	next, other http.Handler
	takes       func(body []byte) bool
}

func (a asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body) // what cannot be read is asked of next
	r.Body = io.NopCloser(bytes.NewReader(b))
	if a.takes(b) {
		a.other.ServeHTTP(w, r)
		return
	}
	a.next.ServeHTTP(w, r)
}

// lagging is a network as a computer sees it that is some blocks behind.
type lagging struct {
	*mem
	by *atomic.Uint64
}

func (l lagging) tip() block {
	b, _ := l.mem.height(l.mem.tip().number - l.by.Load())
	return b
}

// TestOwnOldHead: one operator's computers may be some blocks apart, and no more: who was
// further already is not believed when he goes back.
func TestOwnOldHead(t *testing.T) {
	for _, kind := range []Kind{JSONRPC, TronGrid} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, m := usual(t, small, kind)
				by := &atomic.Uint64{}
				l.endpoints[0].behind(lagging{m, by})
				r := l.start().Ready("usdt-tron")
				p := l.Requested(r, "SALE000000001", price)
				time.Sleep(time.Minute)
				by.Store(3)
				if _, err := r.Check(t.Context(), p); err != nil {
					t.Errorf("some blocks behind: %v", err)
				}
				by.Store(15)
				if _, err := r.Check(t.Context(), p); err == nil || !strings.Contains(err.Error(), "stands still") {
					t.Errorf("half a minute back: %v", err)
				}
				by.Store(0)
				m.pay(l.usdt.Contract, merchant, price)
				l.Becomes(r, p, pos.Settle)
				l.Stop()
			})
		})
	}
}

// TestBalanceOfBefore: an event without money, and a balance of before its block: nothing
// is proved by that.
func TestBalanceOfBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := usual(t, small, JSONRPC)
		by := &atomic.Uint64{}
		l.endpoints[0].next = asked{&nodeFake{t: t, n: m}, &nodeFake{t: t, n: lagging{m, by}}, func(b []byte) bool {
			return by.Load() > 0 && bytes.Contains(b, []byte(selectorBalance))
		}}
		r := l.start().Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		time.Sleep(time.Minute)
		by.Store(15)
		m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: big.NewInt(price), unreal: true})
		for range 10 {
			f, err := r.Check(t.Context(), p)
			if f.Event == pos.Settle || !f.Received.IsZero() {
				t.Fatalf("%+v, %v", f, err)
			}
			time.Sleep(time.Second)
		}
		l.Stop()
	})
}

// TestBalanceUnderBlock: a balance between two looks at the newest block counts when they
// are the same.
func TestBalanceUnderBlock(t *testing.T) {
	for _, kind := range []Kind{JSONRPC, TronGrid} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, m := usual(t, small, kind)
				w, err := New(l.options)
				if err != nil {
					t.Fatal(err)
				}
				k := w.chain.clients.All[0]
				defer k.line.Close()
				time.Sleep(time.Hour)
				turn, hash := 0, []byte(`"hash":"0x000000`)
				if kind == TronGrid {
					hash = []byte(`"blockID":"000000`)
				}
				l.endpoints[0].lies(func(_ string, b []byte) []byte {
					if !bytes.Contains(b, hash) {
						return b
					}
					if turn++; kind == TronGrid && turn%2 == 0 {
						return b
					}
					i := bytes.Index(b, hash) + len(hash) + 40 // of the first block alone
					b = bytes.Clone(b)
					b[i] = map[bool]byte{true: '1', false: '0'}[b[i] == '0']
					return b
				})
				if b, units, err := k.balance(t.Context(), l.usdt); rpc.FaultOf(err) != rpc.Stale {
					t.Errorf("%+v, %v, %v", b, units, err)
				}
				l.endpoints[0].lies(nil)
				if b, units, err := k.balance(t.Context(), l.usdt); err != nil || units.Sign() != 0 || b != m.tip() {
					t.Errorf("%+v, %v, %v", b, units, err)
				}
			})
		})
	}
}

// TestMisdated: money of before the request, which TronGrid's list says came after it. The
// block that it is in decides.
func TestMisdated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := usual(t, small, TronGrid)
		l.start()
		r := l.Ready("usdt-tron")
		m.pay(l.usdt.Contract, merchant, price)
		old, _ := m.height(m.tip().number + 1)
		time.Sleep(time.Hour)
		p := l.Requested(r, "SALE000000001", price)
		time.Sleep(10 * time.Second)
		now := m.tip()
		l.endpoints[0].lies(func(path string, b []byte) []byte {
			if !strings.HasSuffix(path, "/trc20") || !bytes.Contains(b, []byte(`"data":[]`)) {
				return b
			}
			row := fmt.Sprintf(`{"transaction_id":"%x","block_timestamp":%d,"from":"%s","to":"%s","type":"Transfer","value":"%d","token_info":{"symbol":"USDT","address":"%s","decimals":6,"name":"x"}}`,
				m.paid[0].tx, now.time*1000, customer, merchant, price, l.usdt.Contract)
			return bytes.Replace(b, []byte(`"data":[]`), []byte(`"data":[`+row+`]`), 1)
		})
		for range 20 {
			f, err := r.Check(t.Context(), p)
			if f.Event == pos.Settle || !f.Received.IsZero() {
				t.Fatalf("money of block %d: %+v, %v", old.number, f, err)
			}
			time.Sleep(time.Second)
		}
		l.Stop()
	})
}

// TestMoved: what was proved in one block is not proved in another.
func TestMoved(t *testing.T) {
	one, other, dated := block{5, [32]byte{1}, 15}, block{6, [32]byte{2}, 18}, block{time: 18}
	for name, c := range map[string]struct {
		before, after held
		to            block
	}{
		"the same":     {held{proved: true, at: one, transfer: transfer{block: one}}, held{proved: true, at: one, transfer: transfer{block: one}}, one},
		"another":      {held{proved: true, at: one, transfer: transfer{block: one}}, held{at: one, transfer: transfer{block: other}}, other},
		"no height":    {held{proved: true, at: one, transfer: transfer{block: one}}, held{proved: true, at: one, transfer: transfer{block: one}}, dated},
		"never undone": {held{proved: true, deep: true, at: one, transfer: transfer{block: one}}, held{proved: true, deep: true, at: one, transfer: transfer{block: one}}, other},
		"not proved":   {held{transfer: transfer{block: one}}, held{transfer: transfer{block: other}}, other},
	} {
		h := c.before
		if h.moved(c.to); h.proved != c.after.proved || h.deep != c.after.deep || h.block != c.after.block {
			t.Errorf("%s: %+v, want %+v", name, h, c.after)
		}
	}
}

// TestRemoved: an event that a reorg took back is none.
func TestRemoved(t *testing.T) {
	if l, err := readLogs([]byte(strings.Replace(docLogs, `"removed":false`, `"removed":true`, 1))); err != nil || len(l) != 0 {
		t.Errorf("%+v, %v", l, err)
	}
}

// noTag answers that it does not know the solidified block.
type noTag struct{}

func (noTag) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var calls []struct{ ID uint64 }
	_ = json.NewDecoder(r.Body).Decode(&calls) // of no call then
	w.Header().Set("Content-Type", "application/json")
	var out []string
	for _, c := range calls {
		out = append(out, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"error":{"code":-32602,"message":"TAG finalized not supported"}}`, c.ID))
	}
	_, _ = fmt.Fprintf(w, "[%s]", strings.Join(out, ","))
}

// TestNoSolidified: a node that does not know the solidified block cannot be sold on: the
// first large sale would tell too late.
func TestNoSolidified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := usual(t, small, JSONRPC)
		l.endpoints[0].next = asked{&nodeFake{t: t, n: m}, noTag{}, func(b []byte) bool { return bytes.Contains(b, []byte(`"finalized"`)) }}
		l.start()
		r := l.w.Rails()[0]
		time.Sleep(time.Minute)
		if h := r.Health(); h.Ready || h.Reason != l.w.chain.word("evm_no_tags") {
			t.Errorf("%+v", h)
		}
		l.Stop()
	})
}
