package evm

import (
	"encoding/json"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// unseen asks for a payment while the line is cut, as the desk does.
func (l *lab) unseen(r *Rail, sale string, units int64) pos.Payment {
	l.T.Helper()
	p := cointest.Intended(r, sale, units)
	p.Blind = true
	a, err := r.AskOffline(l.T.Context(), p)
	if err != nil {
		l.T.Fatalf("ask: %v", err)
	}
	p.Reference, p.Payload, p.Network, p.Expires = a.Reference, a.Payload, a.Network, a.Expires
	return l.Moved(p, pos.Request)
}

func isCut(r *Rail) bool { cut, why := r.Cut(); return cut && why == "" }

// TestUnseen is the main job on a real chain: the request is made and durable while the
// line is cut, the money comes meanwhile, and the reconnect finds it; nothing that came
// is found to be nothing, in the end for good.
func TestUnseen(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", small, 1)
	l := newLab(t, base).start()
	r := l.Ready("usdc-base")
	if cut, why := r.Cut(); cut || why != "" {
		t.Errorf("online: cut %v, %q", cut, why)
	}
	base.lines[0].Cut()
	l.Until("the line is cut", func() bool { return isCut(r) })
	p := l.unseen(r, "SALE000000001", 12_340_100)
	if left := time.Until(p.Expires); left < coin.UsualExpiry-30*time.Second || left > coin.UsualExpiry+time.Second {
		t.Errorf("the customer has %v", left)
	}
	if again := l.unseen(r, "SALE000000001", 12_340_100); again.Reference != p.Reference || !strings.Contains(string(l.Store.Bytes()), string(p.ID)) {
		t.Errorf("asked again: %s after %s", again.Reference, p.Reference)
	}
	q := l.unseen(r, "SALE000000002", 5_000_000)
	if q.Payload == p.Payload {
		t.Error("one address for two")
	}
	if _, err := r.Check(t.Context(), p); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("checked without a line: %v", err)
	}
	base.Do("evm_increaseTime", 60) // the blocks of the preparation were ahead of the clock
	req, _ := at(t, p)
	base.usdc.mint(req.To, 12_340_100)
	l.restart()
	r = l.Rail("usdc-base")
	base.lines[0].Mend()
	if f := l.Becomes(r, p, pos.Settle); f.Received.Int().Int64() != 12_340_100 {
		t.Errorf("found %+v", f)
	}
	if f := l.Found(r, q); f.Event != "" {
		t.Errorf("nothing came: %+v", f)
	}
	base.Do("evm_increaseTime", 3600)
	base.Do("anvil_mine", "0x1")
	if f := l.Becomes(r, q, pos.Expire); f.Final {
		t.Error("an address cannot end")
	}
	base.Do("evm_increaseTime", int(coin.WatchFor/time.Second)+700)
	base.Do("anvil_mine", "0xa")
	l.Until("nothing can change any more", func() bool { f := l.Found(r, q); return f.Event == pos.Expire && f.Final })
}

// TestUnseenUsed: the storage was copied, and the other till's customer paid to the very
// address. That money is nobody's here, also when this customer's came on top.
func TestUnseenUsed(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", small, 1)
	l := newLab(t, base).start()
	r := l.Ready("usdc-base")
	_, salt := l.w.book.peek()
	to := AddressOf(merchant, salt)
	base.usdc.mint(to, 12_340_100)
	base.Do("evm_increaseTime", 60)
	base.Do("anvil_mine", "0x2")
	l.touch(r) // the till knows that block
	base.lines[0].Cut()
	l.Until("the line is cut", func() bool { return isCut(r) })
	p := l.unseen(r, "SALE000000001", 12_340_100)
	if req, _ := at(t, p); req.To != to {
		t.Fatalf("asked to pay to %s", req.To)
	}
	base.Do("evm_increaseTime", 60)
	base.usdc.mint(to, 12_340_100)
	base.lines[0].Mend()
	f := l.Becomes(r, p, pos.Doubt)
	if !strings.Contains(f.Why, "used before") || !cointest.Told(r, "already") && !cointest.Told(r, to.Tail()) {
		t.Errorf("found %+v, told %v", f, r.Health().Notices)
	}
	p = l.Moved(p, pos.Doubt)
	looks(l, r, p, 3)
	l.restart()
	r = l.Ready("usdc-base")
	looks(l, r, p, 3)
	if _, err := r.Cancel(t.Context(), p); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("cancelled: %v", err)
	}
	base.Do("evm_increaseTime", int(coin.WatchFor/time.Second)+3600)
	base.Do("anvil_mine", "0xa")
	if f := l.Becomes(r, p, pos.Fail); !f.Final || !strings.Contains(f.Why, "used before") {
		t.Errorf("in the end %+v", f)
	}
}

// TestUnseenWithoutHead: a chain that has not answered since the start is not asked for,
// nor is one with something else wrong, nor one address for all.
func TestUnseenWithoutHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base", "polygon")
		w.each((*line).Cut)
		w.lines["polygon-1.example"].Mend()
		w.lines["polygon-1.example"].Lies(func(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
			if method == "eth_chainId" {
				return hexNum(5)
			}
			return r
		})
		w.start()
		time.Sleep(30 * time.Second)
		r := w.Rail("usdc-base")
		if cut, why := r.Cut(); !cut || why == "" {
			t.Errorf("cut %v, %q", cut, why)
		}
		if _, err := r.AskOffline(t.Context(), cointest.Intended(r, "SALE000000001", 1)); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("asked: %v", err)
		}
		if cut, _ := w.Rail("usdc-polygon").Cut(); cut {
			t.Error("a wrong chain was taken for a cut line")
		}
		w.each((*line).Mend)
		w.lines["polygon-1.example"].Lies(nil)
		time.Sleep(time.Minute)
		if cut, why := r.Cut(); cut || why != "" {
			t.Errorf("mended: cut %v, %q", cut, why)
		}
		a, err := r.AskOffline(t.Context(), cointest.Intended(r, "SALE000000001", 1))
		if ref, e := readReference(a.Reference); err != nil || e != nil || ref.unseen != 0 {
			t.Errorf("with a line it is an ordinary request: %+v, %v", a, err)
		}
		w.Stop()
	})
}

// unseenWorld cuts Base off, lets before happen, asks, lets after happen, and mends the line.
func unseenWorld(t *testing.T, operators int, before, after func(w *world, m *mem, usdc, to Address)) (*world, *Rail, pos.Payment) {
	w := newWorld(t, operators, "base")
	w.start()
	r := w.Ready("usdc-base")
	time.Sleep(time.Minute)
	w.each((*line).Cut)
	w.Until("the line is cut", func() bool { return isCut(r) })
	_, salt := w.w.book.peek()
	m, to := w.chains["base"], AddressOf(merchant, salt)
	time.Sleep(3 * time.Hour)
	before(w, m, r.token.Contract, to)
	time.Sleep(30 * time.Second)
	p := w.unseen(r, "SALE000000001", 5_000_000)
	time.Sleep(10 * time.Second)
	after(w, m, r.token.Contract, to)
	time.Sleep(10 * time.Second)
	w.each((*line).Mend)
	return w, r, p
}

func nobody(*world, *mem, Address, Address) {}

func pays(units int64) func(*world, *mem, Address, Address) {
	return func(_ *world, m *mem, usdc, to Address) { m.pay(usdc, to, big.NewInt(units)) }
}

// TestUnseenPast: what counts is what came after the request, to the block; hours after
// the last block that the till had seen.
func TestUnseenPast(t *testing.T) {
	for _, x := range []struct {
		name          string
		before, after func(*world, *mem, Address, Address)
		operators     int
		want          pos.Event
	}{
		{"paid after it was asked for", nobody, pays(5_000_000), 1, pos.Settle},
		{"paid after, by two operators", nobody, pays(5_000_000_000), 2, pos.Settle},
		{"paid before it was asked for, behind the last known block", pays(5_000_000), nobody, 2, pos.Doubt},
		{"a grain before, all of it after", pays(1), pays(5_000_000), 2, pos.Doubt},
		{"paid before and after", pays(5_000_000), pays(5_000_000), 2, pos.Doubt},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, r, p := unseenWorld(t, 2, x.before, x.after)
				w.Becomes(r, p, x.want)
				if p = w.Moved(p, x.want); x.want == pos.Doubt {
					for range 20 {
						time.Sleep(10 * time.Second)
						if f, err := r.Check(t.Context(), p); err == nil && f.Event != "" {
							t.Errorf("then %+v", f)
						}
						if f, err := r.Cancel(t.Context(), p); err == nil && f.Event == pos.Settle {
							t.Errorf("cancelled: %+v", f)
						}
					}
				}
				w.Stop()
			})
		})
	}
}

// TestUnseenNoPast: an endpoint keeps no old blocks. Nothing counts until one does.
func TestUnseenNoPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pruned atomic.Bool
		pruned.Store(true)
		w, r, p := unseenWorld(t, 2, func(w *world, _ *mem, _, _ Address) {
			w.each(func(l *line) {
				l.Through(func(method string, params []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
					if s := string(params0(params)); pruned.Load() && method == "eth_getBlockByNumber" && strings.HasPrefix(s, `"0x`) {
						return nil, &rpcFault{Code: -32000, Message: "missing trie node"}
					}
					return next(method, params)
				})
			})
		}, pays(5_000_000))
		f := w.Becomes(r, p, pos.Doubt)
		if !strings.Contains(f.Why, "Nobody could tell") {
			t.Errorf("found %+v", f)
		}
		p = w.Moved(p, pos.Doubt)
		time.Sleep(time.Minute)
		if f, err := r.Check(t.Context(), p); err != nil || f.Event != "" {
			t.Errorf("without a past: %+v, %v", f, err)
		}
		pruned.Store(false)
		w.Becomes(r, p, pos.Settle)
		w.Stop()
	})
}

func params0(params []json.RawMessage) json.RawMessage {
	if len(params) == 0 {
		return nil
	}
	return params[0]
}
