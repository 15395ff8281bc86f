package solana

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// partly pays all of p but missing units, with its reference, and returns p as the desk
// has it then, and the request for the rest.
func (w *world) partly(r *Rail, p pos.Payment, missing int64) (pos.Payment, pos.Finding) {
	w.T.Helper()
	x := asks(w.T, p.Forms[0].Payload)
	x.units = p.Quantity.Int().Int64() - missing
	w.m.pay(x)
	w.Becomes(r, p, pos.See)
	p = w.Moved(p, pos.See)
	f := w.Found(r, p)
	if f.Rest == nil {
		w.T.Fatalf("no rest is asked for: %+v", f)
	}
	return p, f
}

// TestRestOfAnother: a thief pays just so much that what he lacks is the amount of
// another customer, whose wallet drops the reference. The victim's money is the victim's:
// at the same till, at another one, and whoever came first.
func TestRestOfAnother(t *testing.T) {
	for name, c := range map[string]struct {
		tills int
		first bool // the thief's rest is asked for before the victim comes
	}{
		"one till": {1, false}, "one till, and the thief is first": {1, true},
		"two tills": {2, false}, "two tills, and the thief is first": {2, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, small, 1)
				w.change = func(o *Options) { o.Till, o.Tills = 1, c.tills }
				w.start()
				beside := w.lab
				if c.tills > 1 {
					beside = newLab(t, small, w.m.tokens, w.lines...)
					beside.dial, beside.change = w.dial, func(o *Options) { o.Till, o.Tills = 2, 2 }
					beside.start()
				}
				r, rv := w.Ready("usdc-solana"), beside.Ready("usdc-solana")
				var victim, thief pos.Payment
				come := func() { victim = beside.Requested(rv, "VICTIM0000001", 12_340_000) }
				var f pos.Finding
				if thief = w.Requested(r, "THIEF00000001", 20_000_000); c.first {
					thief, f = w.partly(r, thief, 12_340_000+100*int64(c.tills-1))
					come()
				} else {
					come()
					thief, f = w.partly(r, thief, victim.Quantity.Int().Int64())
				}
				w.m.pay(asks(t, victim.Forms[1].Payload))
				if got := beside.Becomes(rv, victim, pos.Settle); got.Received.Cmp(victim.Quantity) != 0 {
					t.Errorf("the victim paid %v of %v", got.Received, victim.Quantity)
				}
				time.Sleep(20 * time.Second)
				if got := w.Found(r, thief); got.Event == pos.Settle || !got.Received.IsZero() || got.Part.Cmp(f.Part) != 0 {
					t.Errorf("the thief has paid %+v", got)
				}
				w.m.pay(asks(t, f.Rest.Forms[1].Payload)) // his own rest is his
				if got := w.Becomes(r, thief, pos.Settle); got.Received.Cmp(thief.Quantity) != 0 || got.Enough {
					t.Errorf("%v came of %v", got.Received, thief.Quantity)
				}
				w.Stop()
				beside.Stop()
			})
		})
	}
}

// TestRestIsHeld: a rest is on the disk before it is shown: after a restart it is found by
// its amount, no other sale has that, and money from before it was asked for is not its.
func TestRestIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		p := w.Requested(r, "SALE000000001", 20_000_000)
		w.m.pay(sent{merchant, r.token.Mint, 5_000_000, nil}) // a stranger's
		time.Sleep(20 * time.Second)
		p, f := w.partly(r, p, 5_000_000)
		w.restart() // everything is read anew
		r = w.Ready("usdc-solana")
		time.Sleep(20 * time.Second)
		if got := w.Found(r, p); got.Event != "" || got.Part.Number() != "15.0000" {
			t.Fatalf("a stranger's money paid the rest: %+v", got)
		}
		if q := w.Requested(r, "SALE000000002", 5_000_000); q.Quantity.Number() != "5.0001" {
			t.Errorf("another sale is asked for %v", q.Quantity)
		}
		w.Stop()
		w.m.pay(asks(t, f.Rest.Forms[1].Payload))
		w.start()
		r = w.Ready("usdc-solana")
		time.Sleep(20 * time.Second) // it is read before anybody asks
		w.Becomes(r, p, pos.Settle)
		w.Stop()
	})
}

// TestRestOfNobody: when no amount can be held, for all are taken or the disk is full, the
// rest is asked for by the reference alone, and nothing pays it by its amount.
func TestRestOfNobody(t *testing.T) {
	for name, full := range map[string]func(w *world, r *Rail){
		"all are taken": func(w *world, r *Rail) {
			for i := range unique.Slots {
				w.Requested(r, fmt.Sprintf("SLOT%09d", i), 5_000_000)
			}
		},
		"the disk is full": func(w *world, _ *Rail) { w.Store.Fails(errors.New("full")) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, small, 1)
				w.start()
				r := w.Ready("usdc-solana")
				p := w.Requested(r, "SALE000000001", 20_000_000)
				full(w, r)
				p, f := w.partly(r, p, 5_000_000)
				if len(f.Rest.Forms) != 1 || f.Part.Number() != "15.0000" {
					t.Fatalf("%+v", f)
				}
				rest := asks(t, f.Rest.Forms[0].Payload)
				plain := rest
				plain.references = nil
				w.m.pay(plain)
				time.Sleep(20 * time.Second)
				if got := w.Found(r, p); got.Event != "" {
					t.Fatalf("%+v", got)
				}
				w.m.pay(rest)
				w.Becomes(r, p, pos.Settle)
				w.Store.Fails(nil)
				w.Stop()
			})
		})
	}
}

// TestManyRests: who pays in many small parts holds a bounded number of amounts, and is
// asked for the rest all the same.
func TestManyRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		p := w.Requested(r, "SALE000000001", 20_000_000)
		x := asks(t, p.Payload)
		x.units = 500_000
		forms := 3
		for i := range maxRests + 2 {
			w.m.pay(x)
			if i == 0 {
				w.Becomes(r, p, pos.See)
				p = w.Moved(p, pos.See)
			}
			time.Sleep(10 * time.Second)
			f := w.Found(r, p)
			if f.Rest == nil || f.Part.Int().Int64() != int64(i+1)*x.units {
				t.Fatalf("part %d: %+v", i+1, f)
			}
			if forms = len(f.Rest.Forms); (forms == 3) != (i < maxRests) {
				t.Errorf("part %d: %d forms", i+1, forms)
			}
		}
		e, _ := w.w.book.find(p.ID)
		if len(e.Rests) != maxRests {
			t.Errorf("%d rests are held", len(e.Rests))
		}
		w.restart()
		r = w.Ready("usdc-solana")
		x.units = 20_000_000 - (maxRests+2)*x.units
		w.m.pay(x)
		w.Becomes(r, p, pos.Settle)
		w.Stop()
	})
}

// TestRestOfLostBook: the till's records do not hold rests. A rest is held anew, and what
// is typed before that is the owner's to tell.
func TestRestOfLostBook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		p := w.Requested(r, "SALE000000001", 20_000_000)
		p, f := w.partly(r, p, 5_000_000)
		w.Store = &cointest.Memory{}
		w.restart()
		r = w.Ready("usdc-solana")
		w.m.pay(asks(t, f.Rest.Forms[1].Payload))
		time.Sleep(20 * time.Second)
		w.Until("the rest is asked for again", func() bool { f = w.Found(r, p); return f.Rest != nil })
		if list, sum := w.unasked(); len(list) != 1 || sum != 5_000_000 {
			t.Errorf("told of %+v", list)
		}
		w.m.pay(asks(t, f.Rest.Forms[1].Payload))
		w.Becomes(r, p, pos.Settle)
		if e, ok := w.w.book.find(p.ID); !ok || len(e.Rests) != 1 {
			t.Errorf("%+v", e)
		}
		w.Stop()
	})
}
