package sweep

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/wire"
)

// finder numbers the fake's addresses: number 7 of a seed that begins with 1 is "01-7".
type finder struct {
	*fake
	operators int
	fail      map[string]func(n int) error // by network; n counts the calls
	calls     map[string]int
	look      func() // in the middle of a call; may be nil
}

func (f *finder) Reference(a wire.AddressSeed, n uint64) (string, error) {
	if a.Scheme != 1 {
		return "", pos.E("compute", pos.Invalid, "there is no version %d", a.Scheme)
	}
	return fmt.Sprintf("coin %02x-%d %s", a.Seed[0], n, a.Treasury), nil
}

func (f *finder) Agree(ctx context.Context, network string, refs []string) (Round, int, error) {
	f.calls[network]++
	if f.look != nil {
		f.look()
	}
	if fail := f.fail[network]; fail != nil {
		if err := fail(f.calls[network]); err != nil {
			return Round{}, 0, err
		}
	}
	r, err := f.Look(ctx, network, refs)
	return r, f.operators, err
}

// at is number n of seed's address.
func at(seed byte, n uint64) string { return fmt.Sprintf("%02x-%d", seed, n) }

const wallet = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

func secret(first byte) wire.AddressSeed {
	return wire.AddressSeed{Scheme: 1, Treasury: wallet, Seed: wire.Seed{first, 1, 2, 3}}
}

// desk is a bench with searches.
type desk struct {
	*bench
	*Search
	f *finder
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	b := newBench(t)
	d := &desk{bench: b, f: &finder{fake: b.f, operators: 2, fail: map[string]func(int) error{}, calls: map[string]int{}}}
	d.again()
	return d
}

// again is the backoffice started anew over the same database.
func (d *desk) again() {
	log := slog.New(slog.DiscardHandler)
	d.bench.Sweeper = New(d.db, d.bench.f, log)
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'b'}, ed25519.SeedSize))
	d.Search = NewSearch(d.bench.Sweeper, NewKeeper(d.db, key, func(s string) (string, error) { return s, nil }), d.db, d.f, log)
}

// keep sends a seed as the till does, and returns its number.
func (d *desk) keep(a wire.AddressSeed) int64 {
	d.t.Helper()
	if _, err := d.keeper.Keep(d.t.Context(), d.till.Genesis.Till, a, time.Now()); err != nil {
		d.t.Fatal(err)
	}
	ss, err := d.db.Seeds(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return slices.MaxFunc(ss, func(a, b store.Seed) int { return int(a.ID - b.ID) }).ID
}

// pay puts money at number n of a seed.
func (d *desk) pay(network string, seed byte, n uint64, units int64) {
	d.bench.f.held[place{network, at(seed, n), "USDC"}] = held{units, units}
}

// do searches to the end.
func (d *desk) do(id int64, how How) SeedView {
	d.t.Helper()
	if err := d.Search.Now(d.t.Context(), id, how, nil); err != nil {
		d.t.Fatal(err)
	}
	return d.seen(id)
}

func (d *desk) seen(id int64) SeedView {
	d.t.Helper()
	o, err := d.Search.Overview(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return o.Seeds[slices.IndexFunc(o.Seeds, func(v SeedView) bool { return v.ID == id })]
}

// found is what the list says, as "n network units".
func (d *desk) found() (out []string) {
	d.t.Helper()
	fs, err := d.Search.Found(d.t.Context(), 0)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, f := range fs {
		out = append(out, fmt.Sprintf("%d %s %s", f.N, f.Network, f.Newest))
	}
	return out
}

func (d *desk) finds(want ...string) {
	d.t.Helper()
	if got := d.found(); !slices.Equal(got, want) {
		d.t.Errorf("found %q, want %q", got, want)
	}
}

// named ships a record that names number n.
func (d *desk) named(seed byte, n uint64) { d.asked("coin " + at(seed, n) + " " + wallet) }

// TestGap: a search ends a thousand numbers behind the last one in use: used are those
// with money on any network, and those that records name, paid or not.
func TestGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		id := d.keep(secret(1))
		for n := range uint64(30) { // each 100th: a shop that swept everything, and whose records are here
			d.named(1, 100*(n+1))
		}
		d.pay("base", 1, 3001, 5)
		d.pay("bnb", 1, 4001, 6)  // a thousand behind the last: on another network
		d.pay("base", 1, 5001, 7) // and only because of that one
		d.pay("base", 1, 6002, 8) // one too far
		v := d.do(id, GoOn)
		if !v.Known() || v.Alone() || v.Last != 5001 || v.To != 6001 || v.Found != 3 || v.State != store.SearchEnded {
			t.Fatalf("%+v", v)
		}
		d.finds("5001 base 7", "4001 bnb 6", "3001 base 5")
		if v := d.do(id, Further); v.Last != 6002 || v.Found != 4 {
			t.Errorf("further: %+v", v)
		}
		d.finds("6002 base 8", "5001 base 7", "4001 bnb 6", "3001 base 5")
	})
}

// TestOnce: money at named addresses is not found, what is found moves with the rest, and
// is its sale's when the till comes back.
func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		id := d.keep(secret(1))
		d.named(1, 1)
		d.pay("base", 1, 1, 100) // named, and not counted yet
		d.pay("base", 1, 2, 20)
		d.pay("bnb", 1, 2, 3) // twice, on two networks
		d.do(id, GoOn)
		d.finds("2 base 20", "2 bnb 3")
		for i := range 3 { // again, and also found by paper
			d.do(id, Again)
			paper, err := d.keeper.Sheet(t.Context(), secret(1), time.Now())
			if err != nil || paper != id {
				t.Fatalf("a sheet of the same: %d, %v", paper, err)
			}
			if got := d.heap(0).says(); got != "open 0.0001 USDC, 1; unsaid 0.00002 USDC, 1; " {
				t.Fatalf("time %d: %s", i, got)
			}
		}
		batch, err := d.Prepare(t.Context(), "base", wallet, true)
		if err != nil {
			t.Fatal(err)
		}
		_, tx, err := d.Batch(t.Context(), batch)
		if err != nil || !strings.Contains(tx.Data, "coin 01-1 "+wallet) || !strings.Contains(tx.Data, "coin 01-2 "+wallet) {
			t.Fatalf("%+v, %v", tx, err)
		}
		d.named(1, 2) // the till is back
		time.Sleep(Every)
		d.round()
		d.finds()
		if _, again, err := d.Batch(t.Context(), batch); err != nil || again.Data != tx.Data {
			t.Errorf("the transfer changed under the owner's hands: %+v, %v", again, err)
		}
		hs, err := d.db.SweepHoldings(t.Context(), 100)
		for _, h := range hs {
			if h.Deposit.Payment == "" || h.Deposit.Till != d.till.Genesis.Till {
				t.Errorf("nobody's: %+v, %v", h, err)
			}
		}
		if len(hs) != 3 {
			t.Errorf("%d balances", len(hs))
		}
	})
}

// TestDoubt: a network that is silent, or whose operators disagree, is not known from
// there on. Nothing is zero because of it, no other network waits, and it goes on later.
func TestDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		id := d.keep(secret(1))
		d.pay("base", 1, 5, 50)
		d.pay("base", 1, 450, 4)
		d.pay("bnb", 1, 2, 9)
		no := pos.E("ask", pos.Unavailable, "A and B do not agree about what lies there")
		d.f.fail["base"] = func(n int) error {
			if n >= 3 {
				return no
			}
			return nil
		}
		v := d.do(id, GoOn)
		if v.Known() || v.State != store.SearchEnded || v.Networks[0].To != 400 || string(v.Networks[0].Why) != no.Msg || v.Networks[1].Why != "" || v.Networks[1].To != 1005 {
			t.Fatalf("%+v", v)
		}
		d.finds("5 base 50", "2 bnb 9")
		if calls := d.f.calls["base"]; calls != 2+tries {
			t.Errorf("it was asked %d times", calls)
		}
		d.f.fail["base"] = nil
		if v = d.do(id, GoOn); !v.Known() || v.To != 1450 || v.Networks[1].To != 1450 {
			t.Fatalf("%+v", v)
		}
		d.finds("450 base 4", "5 base 50", "2 bnb 9")
		d.f.fail["bnb"] = func(n int) error { // for a moment: two operators a block apart
			if n%2 == 0 {
				return no
			}
			return nil
		}
		if v = d.do(id, Again); !v.Known() {
			t.Errorf("a moment's doubt is kept: %+v", v)
		}
		d.f.operators = 1
		if v = d.do(id, Again); !v.Alone() {
			t.Errorf("one operator's word is not told apart: %+v", v)
		}
	})
}

// TestRestart ends the process at every part of a search. Goal: it goes on by itself and
// finds each once; and a search that was stopped stays stopped.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		id := d.keep(secret(1))
		for _, n := range []uint64{1, 199, 200, 201, 777} {
			d.pay("base", 1, n, int64(n))
		}
		if err := d.Start(t.Context(), id, GoOn); err != nil {
			t.Fatal(err)
		}
		runs := 0
		for d.seen(id).State == store.SearchAsked {
			ctx, cut := context.WithCancel(t.Context())
			calls := 0
			d.f.look = func() {
				if calls++; calls == 2 { // one part is kept, the next one is cut off
					cut()
				}
			}
			d.f.fail["base"] = func(int) error { return ctx.Err() }
			d.f.fail["bnb"] = d.f.fail["base"]
			done := make(chan error, 1)
			go func() { done <- d.Search.Run(ctx) }()
			synctest.Wait()
			cut()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			d.again()
			if runs++; runs > 100 {
				t.Fatal("it never ends")
			}
		}
		if runs < 10 {
			t.Errorf("only %d restarts", runs)
		}
		d.finds("777 base 777", "201 base 201", "200 base 200", "199 base 199", "1 base 1")
		if v := d.seen(id); !v.Known() || v.Found != 5 {
			t.Errorf("%+v", v)
		}

		d.f.fail = map[string]func(int) error{}
		d.f.look = func() { d.f.look = nil; _ = d.Stop(t.Context(), id) }
		v := d.do(id, Again)
		if v.State != store.SearchStopped || v.Networks[0].To >= v.To {
			t.Fatalf("stopped: %+v", v)
		}
		ctx, stop := context.WithCancel(t.Context())
		go d.Search.Run(ctx) // ends with ctx
		time.Sleep(time.Hour)
		stop()
		synctest.Wait()
		if v := d.seen(id); v.State != store.SearchStopped {
			t.Errorf("it began by itself: %+v", v)
		}
		if v := d.do(id, GoOn); !v.Known() || v.Found != 5 {
			t.Errorf("%+v", v)
		}
	})
}

// TestTurns: the sweep goes on beside a search, and neither asks while the other does.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		id := d.keep(secret(1))
		d.named(2, 1)
		d.pay("base", 2, 1, 5)
		d.f.look = func() { time.Sleep(10 * time.Second) } // a slow operator
		if err := d.Start(t.Context(), id, GoOn); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.Search.Run(ctx) }()
		time.Sleep(15 * time.Second)
		within, end := context.WithTimeout(t.Context(), 20*time.Second)
		defer end()
		if err := d.bench.Sweeper.Now(within); err != nil || d.heap(0).says() != "open 0.000005 USDC, 1; " {
			t.Errorf("the owner waits for a whole search: %v", err)
		}
		if d.seen(id).State != store.SearchAsked {
			t.Error("the search is over: this proves nothing")
		}
		hasty, cut := context.WithTimeout(t.Context(), time.Millisecond)
		defer cut()
		if err := d.bench.Sweeper.Now(hasty); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("no time: %v", err)
		}
		stop()
		<-done
	})
}

// TestLiarBound: an operator that shows money everywhere ends no search by filling the
// database: that network is not known.
func TestLiarBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		id := d.keep(secret(1))
		for n := range uint64(foundMax + 500) {
			d.pay("base", 1, n+1, 1)
		}
		v := d.do(id, GoOn)
		if v.Known() || v.Found > foundMax || !strings.Contains(v.Networks[0].Why.In("en"), "hardly true") || !strings.Contains(v.Networks[0].Why.In("de"), "kaum wahr") {
			t.Errorf("%+v", v)
		}
	})
}

// TestSeedsOfBefore: each secret and treasury of a till is kept and searched by itself,
// and one that cannot be opened says so.
func TestSeedsOfBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		old, now := d.keep(secret(1)), d.keep(secret(2))
		d.pay("base", 1, 1, 11)
		d.pay("base", 2, 1, 22)
		d.do(old, GoOn)
		d.do(now, GoOn)
		d.finds("1 base 11", "1 base 22")
		later := secret(3)
		later.Scheme = 2 // a newer till's: kept, and searched by a newer backoffice
		if v := d.do(d.keep(later), GoOn); v.Known() || !strings.Contains(v.Networks[0].Why.In("en"), "version 2") {
			t.Errorf("%+v", v)
		}
		other := NewKeeper(d.db, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'x'}, 32)), func(s string) (string, error) { return s, nil })
		lost := NewSearch(d.bench.Sweeper, other, d.db, d.f, slog.New(slog.DiscardHandler))
		if err := lost.Start(t.Context(), old, GoOn); pos.KindOf(err) != pos.Corrupt {
			t.Errorf("with another key: %v", err)
		}
		o, err := lost.Overview(t.Context())
		if err != nil || o.Seeds[0].Locked == "" || o.Busy() {
			t.Errorf("%+v, %v", o.Seeds, err)
		}
		if err := d.Start(t.Context(), 99, GoOn); pos.KindOf(err) != pos.NotFound {
			t.Errorf("nobody's: %v", err)
		}
		if err := d.Stop(t.Context(), 99); pos.KindOf(err) != pos.NotFound {
			t.Errorf("nobody's: %v", err)
		}
	})
}

// TestPaper: what came from paper is a till's when the till sends it, and never another's.
func TestPaper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		a := secret(1)
		text := a.Treasury + "\n" + strings.Join(a.SheetRows(), "\n")
		if err := d.Sheet(t.Context(), strings.Replace(text, "0x5a", "0x5b", 1)); pos.KindOf(err) != pos.Invalid {
			t.Errorf("a typing error: %v", err)
		}
		if err := d.Sheet(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		d.pay("base", 1, 3, 5)
		ss, err := d.db.Seeds(t.Context())
		if err != nil || len(ss) != 1 || ss[0].Till != "" || ss[0].State != store.SearchAsked {
			t.Fatalf("%+v, %v", ss, err)
		}
		d.do(ss[0].ID, GoOn)
		d.finds("3 base 5")
		if h := d.heap(0); h.says() != "unsaid 0.000005 USDC, 1; " {
			t.Errorf("of no till, and not in a heap: %+v", h)
		}
		if d.keep(a) != ss[0].ID || d.seen(ss[0].ID).Till != d.till.Genesis.Till {
			t.Error("the till's own word changes nothing")
		}
		if _, err := d.keeper.Keep(t.Context(), "ffffffffffffffff", a, time.Now()); err == nil {
			t.Error("another till takes it")
		}
	})
}

// TestBroken: a database that fails ends no search, it interrupts it.
func TestBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		id := d.keep(secret(1))
		d.pay("base", 1, 1, 1)
		d.Search.store = &brokenStore{SearchStore: d.db, left: 3}
		if err := d.Search.Now(t.Context(), id, GoOn, nil); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("got %v", err)
		}
		d.again()
		if v := d.seen(id); v.State != store.SearchAsked {
			t.Errorf("%+v", v)
		}
		if v := d.do(id, GoOn); !v.Known() || v.Found != 1 {
			t.Errorf("%+v", v)
		}
	})
}

// TestAgainWhileSlow: a part that an operator was slow to answer when the owner began anew
// is of the old run. Goal: the new one skips no number, wherever the old one was.
func TestAgainWhileSlow(t *testing.T) {
	again := map[string]func(ctx context.Context, d *desk, id int64) error{
		"stop, again": func(ctx context.Context, d *desk, id int64) error {
			return errors.Join(d.Stop(ctx, id), d.Start(ctx, id, Again))
		},
		"by the command beside the server": func(ctx context.Context, d *desk, id int64) error {
			f := newFake()
			maps.Copy(f.held, d.f.held)
			other := late{&finder{fake: f, operators: 2, calls: map[string]int{}}}
			return NewSearch(New(d.db, f, d.Search.log), d.Search.keeper, d.db, other, d.Search.log).Now(ctx, id, Again, nil)
		},
	}
	for name, begin := range again {
		// in the first part and in a later one, on either network
		for after, network := range map[time.Duration]string{5 * time.Second: "base", 15 * time.Second: "bnb", 35 * time.Second: "bnb", 45 * time.Second: "base"} {
			t.Run(name+" after "+after.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := newDesk(t)
					id := d.keep(secret(1))
					d.Search.finder = late{d.f}
					if err := d.Start(t.Context(), id, GoOn); err != nil {
						t.Fatal(err)
					}
					ctx, stop := context.WithCancel(t.Context())
					done := make(chan error, 1)
					go func() { done <- d.Search.Run(ctx) }()
					time.Sleep(after)
					synctest.Wait()         // it waits for the operator
					d.pay(network, 1, 3, 5) // on the network that is asked just now, and not seen
					if err := begin(ctx, d, id); err != nil {
						t.Error(err)
					}
					time.Sleep(10 * time.Minute)
					stop()
					if err := <-done; err != nil {
						t.Error(err)
					}
					if v := d.seen(id); v.State != store.SearchEnded || !v.Known() {
						t.Errorf("%+v", v)
					}
					d.finds("3 " + network + " 5")
				})
			})
		}
	}
}

// TestAgainAtTheEnd: the owner presses a button when the search has seen everything and has
// not said so yet. Goal: what he asked for is done, and a search he stopped stays stopped.
func TestAgainAtTheEnd(t *testing.T) {
	for name, x := range map[string]struct {
		press func(ctx context.Context, d *desk, id int64) error
		to    uint64
		state store.SearchState
	}{
		"again":   {func(ctx context.Context, d *desk, id int64) error { return d.Start(ctx, id, Again) }, 1003, store.SearchEnded},
		"further": {func(ctx context.Context, d *desk, id int64) error { return d.Start(ctx, id, Further) }, 2000, store.SearchEnded},
		"stop":    {func(ctx context.Context, d *desk, id int64) error { return d.Stop(ctx, id) }, 1000, store.SearchStopped},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				id := d.keep(secret(1))
				d.Search.store = &endStore{SearchStore: d.db, before: func() error {
					time.Sleep(time.Second) // a hand's
					d.pay("base", 1, 3, 5)
					return x.press(t.Context(), d, id)
				}}
				if err := d.Search.Now(t.Context(), id, GoOn, nil); err != nil {
					t.Fatal(err)
				}
				if v := d.seen(id); v.State != x.state || v.To != x.to {
					t.Errorf("%+v", v)
				}
				if name == "again" {
					d.finds("3 base 5")
				}
			})
		})
	}
}

// endStore does something before the first search ends.
type endStore struct {
	SearchStore
	before func() error
}

func (e *endStore) SearchEnd(ctx context.Context, s store.Seed, at time.Time) (bool, error) {
	if f := e.before; f != nil {
		e.before = nil
		if err := f(); err != nil {
			return false, err
		}
	}
	return e.SearchStore.SearchEnd(ctx, s, at)
}

// late is a finder whose answers are 10 s old when they come.
type late struct{ *finder }

func (l late) Agree(ctx context.Context, network string, refs []string) (Round, int, error) {
	defer time.Sleep(10 * time.Second)
	return l.finder.Agree(ctx, network, refs)
}

// brokenStore keeps some parts, and then no more.
type brokenStore struct {
	SearchStore
	left int
}

func (b *brokenStore) SearchSaw(ctx context.Context, p store.SearchPart) error {
	if b.left--; b.left < 0 {
		return pos.Wrap("keep search", pos.Unavailable, errors.New("disk full"), "the database does not answer")
	}
	return b.SearchStore.SearchSaw(ctx, p)
}
