package solana

import (
	"fmt"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// watched is a world whose till keeps what payments were closed with.
func watched(t *testing.T, policy Policy, operators int) (*world, *Rail) {
	w := newWorld(t, policy, operators)
	w.closed = &cointest.Memory{}
	w.change = func(o *Options) { o.Closed = w.closed }
	w.start()
	return w, w.Ready("usdc-solana")
}

// unasked is what the till was told and has not booked, with what it comes to.
func (w *world) unasked() (list []pos.Unasked, sum int64) {
	list, _ = w.w.Found().Unasked()
	for _, u := range list {
		sum += u.Came.Int().Int64()
	}
	return list, sum
}

// stranger pays the merchant what nobody asked for.
func (w *world) stranger(units int64) string {
	return w.m.pay(sent{merchant, w.m.tokens[0].Mint, units, nil})
}

// closes asks, as the desk does, until p has its last word.
func (w *world) closes(r *Rail, p pos.Payment) (f pos.Finding) {
	w.T.Helper()
	time.Sleep(coin.YoungFor)
	for range 100 {
		if f = w.Found(r, p); f.Final {
			return f
		}
		time.Sleep(30 * time.Second)
	}
	w.T.Fatalf("no last word: %+v", f)
	return f
}

// TestStranger: money of nobody's is told once it is final, and not before, under the same
// key however often it is read; what carries another reference is not; and what is told is
// not among the notices any more.
func TestStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r := watched(t, small, 1)
		p := w.Requested(r, "SALE000000001", 12_340_000)
		w.Found(r, p)
		sig := w.stranger(5_500_000)
		w.m.pay(sent{merchant, r.token.Mint, 6_000_000, []Key{keyOf("another till's")}})
		time.Sleep(10 * time.Second)
		if list, _ := w.unasked(); len(list) != 0 || !cointest.Told(r, "5.5000 USDC came") {
			t.Fatalf("not final, and told %+v; the owner reads %q", list, r.Health().Notices)
		}
		time.Sleep(30 * time.Second)
		list, _ := w.unasked()
		want := "solana/solana/" + sig + "/" + r.token.Mint.String()
		if len(list) != 1 || list[0].Key != want || list[0].Came.String() != "5.5000 USDC" || list[0].Network != "USDC on Solana" || list[0].Tx != sig || list[0].Of != "" || list[0].At.IsZero() || !list[0].Valid() {
			t.Fatalf("%+v", list)
		}
		if cointest.Told(r, "5.5000 USDC came") {
			t.Error("it is a notice beside that")
		}
		w.restart()
		time.Sleep(time.Minute)
		if list, _ := w.unasked(); len(list) != 1 || list[0].Key != want {
			t.Errorf("after a restart %+v", list)
		}
		w.Stop()
	})
}

// TestStrangerVanishes: what the cluster takes back before it is final was never told.
func TestStrangerVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r := watched(t, small, 1)
		w.Found(r, w.Requested(r, "SALE000000001", 12_340_000))
		w.m.final = 200
		w.stranger(5_500_000)
		time.Sleep(20 * time.Second)
		w.m.mu.Lock()
		w.m.paid = nil
		w.m.mu.Unlock()
		time.Sleep(5 * time.Minute)
		if list, _ := w.unasked(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
		w.Stop()
	})
}

// TestStrangerOfTwo: a large sum is told when the second operator says the same, and not
// by one that is alone, or of another mind.
func TestStrangerOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r := watched(t, both, 2)
		w.Found(r, w.Requested(r, "SALE000000001", 12_340_000))
		w.lines[1].Cut()
		w.stranger(2_000_000_000)
		time.Sleep(3 * time.Hour)
		if list, _ := w.unasked(); len(list) != 0 {
			t.Fatalf("one operator's word: %+v", list)
		}
		w.lines[1].Mend()
		time.Sleep(2 * time.Minute)
		if _, sum := w.unasked(); sum != 2_000_000_000 {
			t.Errorf("told of %d", sum)
		}
		w.Stop()
	})
}

// TestAfterLastWord: what comes for a payment is its own until its last word, and is nobody's
// from then on: told once, in whole, after a restart and when the desk asks once more, also
// if it never got the last word. The two sides never have the same money.
func TestAfterLastWord(t *testing.T) {
	for name, crash := range map[string]bool{"a restart": false, "the last word got lost": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, r := watched(t, small, 1)
				p := w.Requested(r, "SALE000000001", 12_340_000)
				x := asks(t, p.Payload)
				w.m.pay(x)
				w.Becomes(r, p, pos.Settle)
				p = w.Moved(p, pos.Settle)
				p.Received = p.Quantity
				twice := x
				twice.units = 3_000_000
				w.m.pay(twice) // the desk asks still: it is the payment's
				time.Sleep(time.Minute)
				f := w.closes(r, p)
				if f.Received.Int().Int64() != 15_340_000 {
					t.Fatalf("last word %+v", f)
				}
				if list, _ := w.unasked(); len(list) != 0 {
					t.Fatalf("of the payment, and told as nobody's: %+v", list)
				}
				if p.Received = f.Received; crash {
					p.Received = p.Quantity
				}
				late := x
				late.units = 4_000_000
				sig := w.m.pay(late)
				time.Sleep(2 * time.Minute)
				for range 2 {
					list, sum := w.unasked()
					if sum != 4_000_000 || list[0].Of != p.ID || list[0].Tx != sig {
						t.Fatalf("%+v", list)
					}
					if crash {
						if f := w.Found(r, p); f.Received.Int().Int64() != 15_340_000 || !f.Final {
							t.Fatalf("the last word is another one: %+v", f)
						}
					}
					if cointest.Told(r, "more came") {
						t.Errorf("the owner reads %q", r.Health().Notices)
					}
					w.restart()
					r = w.Ready("usdc-solana")
					time.Sleep(2 * time.Minute)
				}
				w.Stop()
			})
		})
	}
}

// TestLostBookIsNobodys: with the book of requests lost, what was paid and closed is read
// anew and belongs to no request that is known; it is told as nobody's all the same never.
func TestLostBookIsNobodys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r := watched(t, small, 1)
		open := w.Requested(r, "SALE000000009", 77_000_000)
		for i := range 3 {
			p := w.Requested(r, fmt.Sprintf("SALE00000000%d", i), 12_340_000)
			x := asks(t, p.Payload)
			x.references = nil
			w.m.pay(x)
			w.Becomes(r, p, pos.Settle)
			p = w.Moved(p, pos.Settle)
			p.Received = p.Quantity
			w.closes(r, p)
		}
		w.Stop()
		w.Store.Put(nil)
		w.stranger(5_500_000)
		r = w.start().Ready("usdc-solana")
		w.Found(r, open) // the desk knows it
		time.Sleep(2 * time.Minute)
		if list, sum := w.unasked(); sum != 5_500_000 {
			t.Errorf("%+v", list)
		}
		w.Stop()
		w.closed.Put([]byte("{")) // and this one, too: then nobody can tell
		r = w.start().Ready("usdc-solana")
		w.Found(r, open)
		time.Sleep(2 * time.Minute)
		if list, _ := w.unasked(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
		w.Stop()
	})
}

// TestUnclosable: while the disk takes no last word, none is said: the money stays the
// payment's.
func TestUnclosable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r := watched(t, small, 1)
		p := w.Requested(r, "SALE000000001", 12_340_000)
		x := asks(t, p.Payload)
		w.m.pay(x)
		w.Becomes(r, p, pos.Settle)
		p = w.Moved(p, pos.Settle)
		p.Received = p.Quantity
		time.Sleep(coin.YoungFor)
		fail := func(err error) { w.closed.Fails(err) }
		fail(pos.E("save", pos.Internal, "full"))
		for range 3 {
			time.Sleep(30 * time.Second)
			if f := w.Found(r, p); f.Final {
				t.Fatalf("%+v", f)
			}
		}
		w.m.pay(x)
		time.Sleep(2 * time.Minute)
		if f := w.Found(r, p); f.Received.Int().Cmp(big.NewInt(2*x.units)) != 0 || f.Final {
			t.Fatalf("%+v", f)
		}
		fail(nil)
		w.closes(r, p)
		if list, _ := w.unasked(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
		w.Stop()
	})
}

// TestTornIsNobodys: what named two sales pays neither, and is told when both had their last
// word.
func TestTornIsNobodys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r := watched(t, small, 1)
		both := []pos.Payment{w.Requested(r, "SALE000000001", 7_000_000), w.Requested(r, "SALE000000002", 7_500_000)}
		w.m.pay(asks(t, both[0].Payload), asks(t, both[1].Payload))
		for i, p := range both {
			w.Becomes(r, p, pos.Doubt)
			both[i] = w.Moved(p, pos.Doubt)
		}
		time.Sleep(coin.WatchFor + coin.UsualExpiry + time.Minute)
		if f := w.closes(r, both[0]); f.Event != pos.Fail {
			t.Fatalf("%+v", f)
		}
		time.Sleep(time.Minute)
		if list, _ := w.unasked(); len(list) != 0 {
			t.Fatalf("one of them is open: %+v", list)
		}
		w.closes(r, both[1])
		time.Sleep(time.Minute)
		if list, sum := w.unasked(); len(list) != 1 || sum != 14_500_000 || list[0].Of != "" {
			t.Errorf("%+v", list)
		}
		w.Stop()
	})
}

// TestStrayAfter: the wrong token is the payment's as far as the till heard of it before the
// last word, and nobody's after.
func TestStrayAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r := watched(t, small, 1)
		p := w.Requested(r, "SALE000000001", 5_000_000)
		x := asks(t, p.Payload)
		wrong := x
		wrong.mint = w.m.tokens[3].Mint
		w.m.pay(wrong)
		f := w.Becomes(r, p, pos.Doubt)
		p = w.Moved(p, pos.Doubt)
		p.Stray = f.Stray
		w.m.pay(x)
		f = w.Becomes(r, p, pos.Settle)
		p = w.Moved(p, pos.Settle)
		p.Received = f.Received
		w.closes(r, p)
		time.Sleep(time.Minute)
		if list, _ := w.unasked(); len(list) != 0 {
			t.Fatalf("the till has it as astray: %+v", list)
		}
		w.m.pay(wrong)
		time.Sleep(2 * time.Minute)
		list, _ := w.unasked()
		if len(list) != 1 || list[0].Came.String() != "5.0000 USDT" || list[0].Of != p.ID {
			t.Errorf("%+v", list)
		}
		w.Stop()
	})
}

// TestStrayBesidePaid: the wrong token for a payment that is paid is never told of as the
// payment's: it is nobody's, when that has its last word.
func TestStrayBesidePaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r := watched(t, small, 1)
		p := w.Requested(r, "SALE000000001", 5_000_000)
		x := asks(t, p.Payload)
		w.m.pay(x)
		f := w.Becomes(r, p, pos.Settle)
		p = w.Moved(p, pos.Settle)
		p.Received = f.Received
		x.mint = w.m.tokens[3].Mint
		w.m.pay(x)
		time.Sleep(time.Minute)
		if list, _ := w.unasked(); len(list) != 0 {
			t.Fatalf("the payment is open: %+v", list)
		}
		if f := w.closes(r, p); !f.Stray.IsZero() {
			t.Fatalf("%+v", f)
		}
		time.Sleep(time.Minute)
		if list, _ := w.unasked(); len(list) != 1 || list[0].Came.String() != "5.0000 USDT" || list[0].Of != p.ID {
			t.Errorf("%+v", list)
		}
		w.Stop()
	})
}

// TestOtherTillsMoney: of two tills at one wallet the one in whose lane an amount is tells of
// it, and the other one does not.
func TestOtherTillsMoney(t *testing.T) {
	for till, want := range map[int]int64{1: 5_500_000, 2: 6_500_100} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, small, 1)
			w.change = func(o *Options) { o.Till, o.Tills = till, 2 }
			w.start()
			r := w.Ready("usdc-solana")
			w.Found(r, w.Requested(r, "SALE000000001", 12_340_000))
			w.stranger(5_500_000)
			w.stranger(6_500_100)
			time.Sleep(2 * time.Minute)
			if list, sum := w.unasked(); sum != want {
				t.Errorf("till %d tells of %+v", till, list)
			}
			w.Stop()
		})
	}
}
