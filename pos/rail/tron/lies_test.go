package tron

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// lie is one way in which an endpoint is not to be trusted.
type lie struct {
	policy Policy
	tell   func(l *lab, m *mem) // makes the first operator lie about a payment that never came
	reason string               // what the cashier reads; "": nothing is wrong with the rail
}

// TestLies lets an operator lie in every way there is, about a payment that nobody made.
// Goal: it is never called paid; whoever asks reads that it cannot be known, or that
// there is nothing; the rail of another till, with honest endpoints, sells on; and when
// the endpoint is honest again, so is the rail.
func TestLies(t *testing.T) {
	answer := func(status int, kind, body string) func(*lab, *mem) {
		return func(l *lab, _ *mem) {
			l.endpoints[0].responds(func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Type", kind)
				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
				return true
			})
		}
	}
	ghost := func(l *lab, m *mem) { // an event without money
		m.put(memPay{token: l.usdt.Contract, from: customer, to: merchant, units: big.NewInt(12_340_000), unreal: true})
	}
	for name, c := range map[string]lie{
		"another network": {small, func(l *lab, m *mem) { // it is looked at anew after it failed
			l.endpoints[0].cut(true)
			time.Sleep(10 * time.Second)
			m.id = 3448148188
			l.endpoints[0].cut(false)
		}, "Another network"},
		"an old head":                            {small, func(l *lab, m *mem) { m.mu.Lock(); m.stopped = m.now(); m.mu.Unlock() }, "stands still"},
		"a false balance":                        {small, ghost, "balance has not grown"},
		"a false event, and the other is honest": {strict, func(l *lab, m *mem) { l.endpoints[0].lies(invented(m)) }, ""},
		"an event of a block that is not on the chain": {small, func(l *lab, m *mem) {
			l.endpoints[0].lies(invented(m))
		}, ""},
		"a huge body": {small, func(l *lab, _ *mem) {
			l.endpoints[0].responds(func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Type", "application/json")
				for range 64 {
					if _, err := w.Write(bytes.Repeat([]byte("["), 1<<16)); err != nil {
						return true
					}
				}
				return true
			})
		}, "cannot be trusted"},
		"no answer ever": {small, func(l *lab, _ *mem) {
			l.endpoints[0].responds(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
		}, "does not answer"},
		"a page instead of JSON": {small, answer(200, "text/html", "<html>Sign in to Hotel WiFi</html>"), "cannot be trusted"},
		"too many requests":      {small, answer(429, "application/json", "slow down"), "asked too often"},
		"suspended":              {small, answer(403, "application/json", `{"Error":"The key exceeds the frequency limit(15)"}`), "asked too often"},
		"an unknown key":         {small, answer(401, "application/json", "no"), "does not accept the shop's key"},
		"a redirect":             {small, answer(307, "application/json", ""), "cannot be trusted"},
		"an empty list":          {small, answer(200, "application/json", "[]"), "cannot be trusted"},
		"an empty object":        {small, answer(200, "application/json", "{}"), "cannot be trusted"},
		"null":                   {small, answer(200, "application/json", "null"), "cannot be trusted"},
	} {
		t.Run(name, func(t *testing.T) { bubbleOf(t, c) })
	}
}

func bubbleOf(t *testing.T, c lie) {
	bubble(t, c.policy, func(t *testing.T, l *lab, m *mem) {
		var logged bytes.Buffer
		l.Stop()
		time.Sleep(2 * time.Second) // two tills in one second are more than an operator allows
		l.options.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		l.start()
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", 12_340_000)
		other, om := usual(t, small, JSONRPC)
		other.start()
		or := other.Ready("usdt-tron")
		q := other.Requested(or, "SALE000000002", 5_000_000)

		c.tell(l, m)
		named := false
		for range 12 {
			f, err := r.Check(t.Context(), p)
			if f.Event == pos.Settle || !f.Received.IsZero() || f.Final {
				t.Fatalf("a lie was believed: %+v", f)
			}
			if err != nil && pos.KindOf(err) != pos.Unavailable {
				t.Fatalf("%v", err)
			}
			named = named || c.reason != "" && err != nil && strings.Contains(err.Error(), c.reason)
			if f, _ := r.Cancel(t.Context(), p); f.Event == pos.Settle || f.Final {
				t.Fatalf("cancelled on a lie: %+v", f)
			}
			time.Sleep(10 * time.Second)
		}
		if !named && c.reason != "" {
			t.Errorf("the cashier never read %q; health is %+v", c.reason, r.Health())
		}
		om.pay(other.usdt.Contract, merchant, 5_000_000)
		other.Becomes(or, q, pos.Settle)
		other.Stop()

		m.mu.Lock()
		m.id, m.stopped, m.paid = l.chain.ID, 0, nil
		m.mu.Unlock()
		l.endpoints[0].lies(nil)
		l.endpoints[0].responds(nil)
		l.Until("the rail is back", func() bool { _, err := r.Check(t.Context(), p); return err == nil })
		m.pay(l.usdt.Contract, merchant, 12_340_000)
		l.Becomes(r, p, pos.Settle)
		l.Stop()
		if s := logged.String(); strings.Contains(s, key) || strings.Contains(s, "127.0.0.") {
			t.Errorf("the log holds the key or the address")
		}
	})
}

// invented adds a transfer of 12.34 to every list, in a block that is not on the chain;
// nobody knows its transaction.
func invented(m *mem) func(path string, b []byte) []byte {
	tx, hash := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	return func(path string, b []byte) []byte {
		at, usdt := m.tip(), MustAddress("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t")
		if strings.HasSuffix(path, "/trc20") {
			row := fmt.Sprintf(`{"transaction_id":"%s","block_timestamp":%d,"from":"%s","to":"%s","type":"Transfer","value":"12340000","token_info":{"symbol":"USDT","address":"%s","decimals":6,"name":"x"}}`,
				tx, at.time*1000, customer, merchant, usdt)
			if bytes.Contains(b, []byte(`"data":[]`)) {
				return bytes.Replace(b, []byte(`"data":[]`), []byte(`"data":[`+row+`]`), 1)
			}
			return b
		}
		var all []map[string]json.RawMessage
		if path != "/jsonrpc" || json.Unmarshal(b, &all) != nil {
			return b
		}
		w, c := merchant.word(), customer.word()
		log := fmt.Sprintf(`[{"address":"%s","blockHash":"0x%s","blockNumber":"0x%x","blockTimestamp":"0x%x","transactionHash":"0x%s","transactionIndex":"0x0","logIndex":"0x0","removed":false,"topics":["0x%x","0x%x","0x%x"],"data":"0x%064x"}]`,
			usdt.evm(), hash, at.number, at.time, tx, topicTransfer, c, w, 12_340_000)
		done := false
		for i := range all { // answers come in the opposite order: the incoming ones are the last list
			if j := len(all) - 1 - i; string(all[j]["result"]) == "[]" && !done {
				all[j]["result"], done = json.RawMessage(log), true
			}
		}
		out, _ := json.Marshal(all)
		return out
	}
}

// TestKnownByOne: an operator that keeps up a whole lie, receipt and block included, is
// not believed where the policy wants two.
func TestKnownByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		honest, m := usual(t, strict, JSONRPC)
		_ = honest
		liar := newMem(t, honest.chain, Known().Tokens(honest.chain.ID))
		l := newLab(t, m, honest.chain, Known().Tokens(honest.chain.ID), inMemory, JSONRPC, TronGrid)
		l.endpoints[0].next = &nodeFake{t: t, n: liar}
		l.start()
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", 900_000)
		liar.pay(l.usdt.Contract, merchant, 900_000) // on its network alone
		read := false
		for range 20 {
			f, err := r.Check(t.Context(), p)
			if f.Event == pos.Settle {
				t.Fatalf("%+v", f)
			}
			read = read || err != nil && strings.Contains(err.Error(), "do not agree")
		}
		if !read {
			t.Error("nobody said that two sources do not agree")
		}
		m.pay(l.usdt.Contract, merchant, 900_000)
		l.endpoints[0].next = &nodeFake{t: t, n: m}
		l.Becomes(r, p, pos.Settle)
		l.Stop()
	})
}

// elsewhere is a network that says of itself that it is another one, and tells all the same
// of the same blocks: a fork of it, or an endpoint that was mixed up.
type elsewhere struct{ *mem }

const nile = 3448148188

func (elsewhere) chainID() uint64 { return nile }

func (e elsewhere) height(n uint64) (block, bool) {
	b, ok := e.mem.height(n)
	if n == 0 {
		binary.BigEndian.PutUint32(b.hash[28:], nile)
	}
	return b, ok
}

// TestSecondElsewhere: where the policy wants two operators, the word of one that is of
// another network is none.
func TestSecondElsewhere(t *testing.T) {
	for _, kinds := range pairs {
		t.Run(string(kinds[1]), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, m := usual(t, strict, kinds...)
				l.endpoints[1].behind(elsewhere{m})
				l.start()
				r := l.Ready("usdt-tron")
				p := l.Requested(r, "SALE000000001", 900_000)
				m.pay(l.usdt.Contract, merchant, 900_000)
				read := false
				for range 20 {
					f, err := r.Check(t.Context(), p)
					if f.Event == pos.Settle || !f.Received.IsZero() {
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

// TestAlteredByOne: a real payment of another amount came, so that the balance has grown
// by more than enough and nobody needs to lie about it; the first operator alone tells of
// it as if it were this sale's. The second one says what was sent, and that decides.
func TestAlteredByOne(t *testing.T) {
	bubble(t, strict, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", 900_000)
		l.endpoints[0].lies(func(_ string, b []byte) []byte {
			for _, form := range []string{"%064x", `"%d"`} { // in a node's events, in TronGrid's lists
				b = bytes.ReplaceAll(b, fmt.Appendf(nil, form, 901_000), fmt.Appendf(nil, form, 900_000))
			}
			return b
		})
		m.pay(l.usdt.Contract, merchant, 901_000)
		read := false
		for range 20 {
			f, err := r.Check(t.Context(), p)
			if f.Event == pos.Settle {
				t.Fatalf("%+v", f)
			}
			read = read || err != nil && strings.Contains(err.Error(), "do not agree")
		}
		if !read {
			t.Error("nobody said that two sources do not agree")
		}
		l.endpoints[0].lies(nil)
		m.pay(l.usdt.Contract, merchant, 900_000)
		l.Becomes(r, p, pos.Settle)
	})
}

// orphaned is a network that tells of transactions in blocks that are not on the chain.
type orphaned struct{ *mem }

func (o orphaned) astray(b block) block { b.hash[31] ^= 1; b.time += blockSeconds; return b }

func (o orphaned) events(from, to uint64) []event {
	out := o.mem.events(from, to)
	for i := range out {
		out[i].block = o.astray(out[i].block)
	}
	return out
}

func (o orphaned) outcome(tx [32]byte) (block, bool, bool) {
	b, good, ok := o.mem.outcome(tx)
	return o.astray(b), good, ok
}

// TestOrphan: receipt and events agree with each other, and the block that is on the
// chain at that height is another one.
func TestOrphan(t *testing.T) {
	bubble(t, small, func(t *testing.T, l *lab, m *mem) {
		r := l.Ready("usdt-tron")
		p := l.Requested(r, "SALE000000001", price)
		honest := l.endpoints[0].next
		if l.endpoints[0].kind == TronGrid {
			l.endpoints[0].next = &gridFake{t: t, n: orphaned{m}}
		} else {
			l.endpoints[0].next = &nodeFake{t: t, n: orphaned{m}, anyHash: true}
		}
		m.pay(l.usdt.Contract, merchant, price)
		for range 20 {
			if f, err := r.Check(t.Context(), p); f.Event == pos.Settle {
				t.Fatalf("paid in a block that is not on the chain: %+v, %v", f, err)
			}
		}
		l.endpoints[0].next = honest
		l.Becomes(r, p, pos.Settle)
	})
}

// TestOldHead: the second operator's newest block is long before what the first one told.
func TestOldHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := usual(t, small, JSONRPC, TronGrid)
		old := newMem(t, l.chain, l.registry.Tokens(l.chain.ID))
		old.skew = -5 * time.Minute
		l.endpoints[1].next = &gridFake{t: t, n: old}
		r := l.start().Ready("usdt-tron")
		l.endpoints[0].cut(true)
		_, _ = r.Check(t.Context(), cointest.Intended(r, "SALE000000001", price)) // as the till does all the time
		time.Sleep(45 * time.Second)                                              // a round went by, and nothing stands still yet
		if r.Health().Ready {
			t.Error("an old head was believed")
		}
		for range 10 {
			if _, err := r.Ask(t.Context(), cointest.Intended(r, "SALE000000001", price), ""); err == nil {
				t.Fatal("asked with an old head")
			}
			time.Sleep(5 * time.Second)
		}
		l.endpoints[0].cut(false)
		l.Until("the first is back", func() bool { return r.Health().Ready })
		l.Stop()
	})
}

// TestClock: a block from the future, or an old one, is not believed while the till's
// clock can be trusted.
func TestClock(t *testing.T) {
	for _, apart := range []time.Duration{time.Hour, -time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			l, m := usual(t, small, JSONRPC)
			l.options.ClockTrusted = func() bool { return true }
			m.skew = apart
			l.start()
			r := l.w.Rails()[0]
			l.Until("an odd time is noticed", func() bool { return strings.Contains(r.Health().Reason, "stands still") })
			l.Stop()
		})
	}
}
