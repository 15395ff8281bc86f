package sweep

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/ingest"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// place is a balance's place: network, address, token.
type place struct{ network, address, token string }

// held is a balance at the newest block and at the final one.
type held struct{ newest, final int64 }

// fake is two networks that hold what a test puts there. References are "coin", the
// address and the treasury.
type fake struct {
	held   map[place]held
	silent map[string]bool
	asked  map[string]int // looks at an address, over all networks

	never   map[string]bool // addresses that nothing was ever moved from
	mute    map[string]bool // tokens that give no balance
	refuses map[place]Why
	deaf    bool   // it tries nothing, and tells of no transaction
	number  uint64 // of the newest block
	skips   []skip

	operators []string        // empty: "one"
	careful   int64           // of more units than that, two must agree; 0: of none
	lies      map[string]liar // by operator
	fates     map[string]Fate // of transactions
	tried     map[string]int  // attempts of an address
}

// liar is what an operator gets wrong.
type liar struct {
	deaf  bool   // it answers nothing
	skips []skip // beside the true ones
	hides bool   // the true ones
	says  map[place]Why
	free  bool // it says that everything can be moved
	fates map[string]Fate
}

// skip is a transaction's in a block.
type skip struct {
	number uint64
	at     place
	tx     string
}

func newFake() *fake {
	return &fake{held: map[place]held{}, silent: map[string]bool{}, asked: map[string]int{}, never: map[string]bool{}, mute: map[string]bool{}, refuses: map[place]Why{}, number: 100, lies: map[string]liar{}, fates: map[string]Fate{}, tried: map[string]int{}}
}

func (f *fake) Operators(string) []string {
	if len(f.operators) == 0 {
		return []string{"one"}
	}
	return f.operators
}

func (f *fake) Need(_, _ string, units *big.Int) int {
	if f.careful > 0 && units.Cmp(big.NewInt(f.careful)) > 0 {
		return min(2, len(f.Operators("")))
	}
	return 1
}

func (f *fake) Try(_ context.Context, network, operator string, items []Item) (out []Why, err error) {
	l := f.lies[operator]
	for _, it := range items {
		f.tried[strings.Fields(it.Reference)[1]]++
	}
	if f.deaf || l.deaf {
		return nil, pos.E("try", pos.Unavailable, "no calls on this plan")
	}
	for _, it := range items {
		at := place{network, strings.Fields(it.Reference)[1], it.Token}
		switch why, lie := l.says[at]; {
		case l.free:
			out = append(out, "")
		case lie:
			out = append(out, why)
		default:
			out = append(out, f.refuses[at])
		}
	}
	return out, nil
}

func (f *fake) Skipped(_ context.Context, network, operator string, items []Item, from uint64) (left []Left, upTo uint64, err error) {
	l := f.lies[operator]
	if f.deaf || l.deaf {
		return nil, 0, pos.E("look", pos.Unavailable, "no events on this plan")
	}
	skips := l.skips
	if !l.hides {
		skips = append(skips[:len(skips):len(skips)], f.skips...)
	}
	for _, s := range skips {
		for _, it := range items {
			if at := (place{network, strings.Fields(it.Reference)[1], it.Token}); s.number >= from && s.at == at {
				left = append(left, Left{at.address, at.token, s.tx, s.number})
			}
		}
	}
	return left, max(f.number, from-1), nil
}

func (f *fake) Fate(_ context.Context, _, operator, tx string, _ []Item) (Fate, error) {
	l := f.lies[operator]
	if f.deaf || l.deaf {
		return Fate{}, pos.E("look", pos.Unavailable, "no answer")
	}
	if lie, ok := l.fates[tx]; ok {
		return lie, nil
	}
	return f.fates[tx], nil
}

func (f *fake) Networks() []Network { return []Network{{"base", "Base", "ETH"}, {"bnb", "BNB", "BNB"}} }

func (f *fake) Deposit(ref string) (address, treasury string, ok bool, err error) {
	p := strings.Fields(ref)
	if len(p) != 3 || p[0] != "coin" {
		return "", "", false, nil
	}
	if p[1] == "damaged" {
		return "", "", false, errors.New("damaged")
	}
	return p[1], p[2], true, nil
}

func (f *fake) Look(_ context.Context, network string, refs []string) (Round, error) {
	if f.silent[network] {
		return Round{}, pos.E("look", pos.Unavailable, "%s is silent", network)
	}
	r := Round{Ready: true, GasPrice: big.NewInt(10_000_000), Number: f.number}
	for _, token := range []string{"USDC", "USDT"} {
		if !f.mute[token] {
			r.Counted = append(r.Counted, token)
		}
	}
	for _, ref := range refs {
		address := strings.Fields(ref)[1]
		f.asked[address]++
		if !f.never[address] {
			r.Made = append(r.Made, address)
		}
		for _, token := range r.Counted {
			if h := f.held[place{network, address, token}]; h.newest > 0 || h.final > 0 {
				r.Holdings = append(r.Holdings, Holding{address, token, token, 6, big.NewInt(h.newest), big.NewInt(h.final)})
			}
		}
	}
	return r, nil
}

func (f *fake) Sweep(network string, items []Item) (Transaction, error) {
	if len(items) == 0 || len(items) > MaxItems {
		return Transaction{}, pos.E("sweep", pos.Invalid, "%d items", len(items))
	}
	return Transaction{Data: fmt.Sprint(network, items)}, nil
}

func (f *fake) Deploy(string) (Transaction, error) { return Transaction{}, nil }

// bench is a sweeper over a real store with one till.
type bench struct {
	*Sweeper
	t    *testing.T
	f    *fake
	db   *store.DB
	till *tilltest.Till
	in   *ingest.Ingest
	n    int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "office.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(db.Check(context.Background()), db.Close()); err != nil {
			t.Error(err)
		}
	})
	f := newFake()
	b := &bench{
		Sweeper: New(db, f, slog.New(slog.DiscardHandler)), t: t, f: f, db: db, till: tilltest.New(1, "01", "EUR", time.Now()),
		in: &ingest.Ingest{Store: db, Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'b'}, ed25519.SeedSize))},
	}
	g := b.till.Genesis
	code := store.Code{Hash: []byte("x"), Name: "Till", Made: time.Now(), Ends: time.Now().Add(time.Hour)}
	if err := errors.Join(db.AddCode(t.Context(), code),
		db.UseCode(t.Context(), code.Hash, store.Till{ID: g.Till, Key: g.Key, Series: g.Series, Currency: g.Currency, Enrolled: time.Now()})); err != nil {
		t.Fatal(err)
	}
	return b
}

// asked records a payment that was asked for at an address, and sends it.
func (b *bench) asked(ref string) {
	b.t.Helper()
	b.n++
	b.says(b.n, ref, pos.Requested, false)
}

// aged records payments that were asked for, paid, and left alone since.
func (b *bench) aged(refs ...string) {
	b.t.Helper()
	for _, ref := range refs {
		b.asked(ref)
		b.says(b.n, ref, pos.Settled, true)
	}
	time.Sleep(watched)
}

// says records where payment n stands, and sends it.
func (b *bench) says(n int, ref string, state pos.State, final bool) {
	b.t.Helper()
	b.till.Add(pos.KindPayment, pos.PaymentMoved{Payment: pos.Payment{ID: pos.PaymentID(fmt.Sprintf("SALE-%d", n)), Tender: "usdc-base", State: state, Final: final, Reference: ref}})
	var body []byte
	head, err := b.db.Till(b.t.Context(), b.till.Genesis.Till)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, r := range b.till.Records()[head.Head.N:] {
		body = append(body, r.Line...)
	}
	if _, err := b.in.Take(b.t.Context(), b.till.Genesis.Till, body, time.Now()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) round() {
	b.t.Helper()
	if err := b.Round(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) overview() Overview {
	b.t.Helper()
	o, err := b.Overview(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return o
}

// heap is the first heap of a network.
func (b *bench) heap(i int) Heap {
	b.t.Helper()
	if hs := b.overview().Networks[i].Heaps; len(hs) > 0 {
		return hs[0]
	}
	return Heap{}
}

// TestLife follows a payment's money from its first sight to the owner's wallet.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.aged("coin A T", "coin B T", "coin C U", "lightning hash", "coin damaged T")
		b.round()
		for i := range 2 {
			if h := b.heap(i); h.Count != 0 || b.overview().Networks[i].Looked.IsZero() {
				t.Fatalf("nothing was paid: %+v", h)
			}
		}
		b.f.held[place{"base", "A", "USDC"}] = held{5_000_000, 0}
		time.Sleep(Every)
		b.round()
		if h := b.heap(0); h.Count != 0 || len(h.Coming) != 1 || h.Coming[0].String() != "5.00 USDC" {
			t.Fatalf("not certain yet: %+v", h)
		}
		if _, err := b.Prepare(t.Context(), "base", "T", false); pos.KindOf(err) != pos.Conflict {
			t.Fatalf("what is not certain can be moved: %v", err)
		}
		b.f.held[place{"base", "A", "USDC"}] = held{5_000_000, 5_000_000}
		if b.round(); b.heap(0).Count != 0 {
			t.Fatal("looked at before its time")
		}
		if err := b.Now(t.Context()); err != nil || b.heap(0).Count != 1 {
			t.Fatalf("the owner waits: %+v, %v", b.heap(0), err)
		}
		b.f.held[place{"base", "B", "USDC"}] = held{1_250_001, 1_250_001}
		b.f.held[place{"base", "C", "USDC"}] = held{7, 7}
		b.f.held[place{"bnb", "A", "USDT"}] = held{3_000_000, 3_000_000} // on the wrong network
		time.Sleep(Every)
		b.round()
		h := b.heap(0)
		if h.Count != 2 || h.Sums[0].String() != "6.250001 USDC" || h.Sums[0].Count != 2 || h.Treasury != "T" || h.Cost != "0.0000027 ETH" || h.Gas != 270_000 {
			t.Fatalf("%+v", h)
		}
		if o := b.overview(); len(o.Networks[0].Heaps) != 2 || o.Networks[1].Heaps[0].Sums[0].String() != "3.00 USDT" {
			t.Fatalf("%+v", o)
		}

		id, err := b.Prepare(t.Context(), "base", "T", false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Prepare(t.Context(), "base", "T", false); pos.KindOf(err) != pos.Conflict {
			t.Fatalf("the same money twice: %v", err)
		}
		if h := b.heap(0); h.Count != 0 || len(h.Sums) != 0 || len(h.Moving) != 1 || h.Moving[0].String() != "6.250001 USDC" {
			t.Fatalf("in a transfer, and offered again: %+v", h)
		}
		v, tx, err := b.Batch(t.Context(), id)
		if err != nil || tx.Data != "base[{coin A T USDC} {coin B T USDC}]" || !v.Open() || v.Moved != 0 || v.Stuck != 0 {
			t.Fatalf("%+v, %+v, %v", v, tx, err)
		}
		b.f.held[place{"base", "A", "USDC"}] = held{0, 5_000_000} // sent, and B stayed
		time.Sleep(Every)
		b.round()
		if v, _, _ = b.Batch(t.Context(), id); v.Moved != 1 || v.Done != 0 || v.Stuck != 1 || !v.Open() {
			t.Fatalf("%+v", v)
		}
		delete(b.f.held, place{"base", "A", "USDC"})
		time.Sleep(Every)
		b.round()
		if v, _, _ = b.Batch(t.Context(), id); v.Done != 1 || v.Stuck != 1 || !v.Open() {
			t.Fatalf("%+v", v)
		}
		if err := b.Drop(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if v, _, _ = b.Batch(t.Context(), id); v.Open() {
			t.Fatalf("given up and open: %+v", v)
		}
		again, err := b.Prepare(t.Context(), "base", "T", false)
		if err != nil {
			t.Fatalf("what stayed is free again: %v", err)
		}
		delete(b.f.held, place{"base", "B", "USDC"})
		time.Sleep(Every)
		b.round()
		if v, _, _ = b.Batch(t.Context(), again); v.Open() || v.Done != 1 || v.Moved != 1 {
			t.Fatalf("all moved: %+v", v)
		}
		if h := b.overview().Networks[0].Heaps; len(h) != 1 || h[0].Treasury != "U" {
			t.Fatalf("%+v", h)
		}
	})
}

// TestNothingSeemsToStay: addresses of one batch that are due at different times are
// counted together, or what was not counted yet would be called frozen.
func TestNothingSeemsToStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.asked("coin A T")
		b.f.held[place{"base", "A", "USDC"}] = held{1, 1}
		b.round()
		time.Sleep(Every / 2)
		b.asked("coin B T")
		b.f.held[place{"base", "B", "USDC"}] = held{2, 2}
		b.round()
		id, err := b.Prepare(t.Context(), "base", "T", true)
		if err != nil {
			t.Fatal(err)
		}
		clear(b.f.held) // the owner sends it
		time.Sleep(Every / 2)
		b.round() // A is due, B is not
		if v, _, err := b.Batch(t.Context(), id); err != nil || v.Stuck != 0 || v.Done != 2 || v.Open() {
			t.Errorf("all is moved: %+v, %v", v, err)
		}
	})
}

// TestSilentNetwork: a network that does not answer keeps what it said last, says why,
// and holds no other one up.
func TestSilentNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.aged("coin A T")
		b.f.held[place{"base", "A", "USDC"}], b.f.held[place{"bnb", "A", "USDT"}] = held{1, 1}, held{2, 2}
		b.round()
		b.f.silent["base"] = true
		b.f.held[place{"bnb", "A", "USDT"}] = held{3, 3}
		time.Sleep(Every)
		b.round()
		o := b.overview()
		if n := o.Networks[0]; n.Trouble != "base is silent" || len(n.Heaps) != 1 || n.Heaps[0].Count != 1 {
			t.Errorf("%+v", n)
		}
		if n := o.Networks[1]; n.Trouble != "" || n.Heaps[0].Sums[0].Units.Int64() != 3 {
			t.Errorf("%+v", n)
		}
		b.f.silent["base"] = false
		time.Sleep(Every)
		if b.round(); b.overview().Networks[0].Trouble != "" {
			t.Error("it answers again")
		}
	})
}

// TestHowOften counts the looks at an address that nobody pays to, at one with money,
// and at one that is paid after a year.
func TestHowOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.asked("coin empty T")
		b.asked("coin full T")
		b.says(1, "coin empty T", pos.Expired, true)
		b.says(2, "coin full T", pos.Settled, true)
		b.f.held[place{"base", "full", "USDC"}] = held{1, 1}
		run := func(d, step time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(step) {
				b.round()
			}
		}
		run(48*time.Hour, time.Hour)
		if n := b.f.asked["empty"]; n != 2*48 {
			t.Errorf("the first days: %d looks", n)
		}
		clear(b.f.asked)
		run(40*24*time.Hour, 12*time.Hour)
		if n := b.f.asked["empty"]; n < 2*39 || n > 2*42 {
			t.Errorf("the next 40 days: %d looks", n)
		}
		if n := b.f.asked["full"]; n != 2*40*2 {
			t.Errorf("with money: %d looks", n)
		}
		run(320*24*time.Hour, 24*time.Hour)
		b.f.held[place{"base", "empty", "USDC"}] = held{9, 9}
		run(8*24*time.Hour, 12*time.Hour)
		if h := b.heap(0); h.Sums[0].Units.Int64() != 10 {
			t.Errorf("money after a year is not found: %+v", h)
		}
	})
}

// TestMany makes one batch of as many as fit, and another of the rest.
func TestMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for i := range MaxItems + 3 {
			address := fmt.Sprintf("A%03d", i)
			b.asked("coin " + address + " T")
			b.says(b.n, "coin "+address+" T", pos.Settled, true)
			b.f.held[place{"base", address, "USDC"}] = held{1, 1}
		}
		time.Sleep(watched)
		b.round()
		if h := b.heap(0); h.Count != MaxItems || !h.More {
			t.Errorf("%d, more %v", h.Count, h.More)
		}
		for want := range []int{MaxItems, 3} {
			id, err := b.Prepare(t.Context(), "base", "T", false)
			if err != nil {
				t.Fatal(err)
			}
			if v, _, err := b.Batch(t.Context(), id); err != nil || len(v.Items) != []int{MaxItems, 3}[want] {
				t.Errorf("%d items, %v", len(v.Items), err)
			}
		}
	})
}

// TestProperty plays at random: whatever happens, each unit of money is in exactly one
// place of the overview, and never in two open batches.
func TestProperty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		r := rand.New(rand.NewPCG(5, 5))
		b.aged("coin A0 T", "coin A1 U", "coin A2 T", "coin A3 U", "coin A4 T")
		for step := range 150 {
			at := place{[]string{"base", "bnb"}[r.IntN(2)], fmt.Sprintf("A%d", r.IntN(6)), "USDC"}
			switch r.IntN(6) {
			case 0:
				ref := "coin " + at.address + " " + []string{"T", "U"}[int(at.address[1])%2]
				if b.asked(ref); r.IntN(2) == 0 {
					b.says(b.n, ref, pos.Settled, true)
				}
			case 1, 2:
				h := b.f.held[at]
				b.f.held[at] = held{h.newest + 1 + r.Int64N(9), h.newest}
			case 3:
				b.f.held[at] = held{0, b.f.held[at].newest * r.Int64N(2)}
			case 4:
				if _, err := b.Prepare(t.Context(), at.network, []string{"T", "U"}[r.IntN(2)], r.IntN(3) > 0); err != nil && pos.KindOf(err) != pos.Conflict {
					t.Fatal(err)
				}
			case 5:
				if bs := b.overview().Batches; len(bs) > 0 {
					if err := b.Drop(t.Context(), bs[r.IntN(len(bs))].ID); err != nil {
						t.Fatal(err)
					}
				}
			}
			time.Sleep(Every)
			b.round()
			b.adds(step)
		}
	})
}

// adds checks that the overview adds up to what is held.
func (b *bench) adds(step int) {
	b.t.Helper()
	known := map[string]bool{}
	for _, d := range b.deposit() {
		known[d] = true
	}
	for i, n := range b.f.Networks() {
		var want, got int64
		for p, h := range b.f.held {
			if p.network == n.Key && known[p.address] {
				want += h.newest
			}
		}
		for _, h := range b.overview().Networks[i].Heaps {
			all := [][]Sum{h.Sums, h.Moving, h.Coming}
			for _, e := range h.Early {
				all = append(all, e.Sums)
			}
			for _, sums := range all {
				for _, s := range sums {
					got += s.Units.Int64()
				}
			}
		}
		if got != want {
			b.t.Fatalf("step %d: %s shows %d of %d", step, n.Key, got, want)
		}
	}
	open := map[string]int64{}
	for _, v := range b.overview().Batches {
		for _, it := range v.Items {
			if key := v.Network + it.Address; v.Open() && it.State != store.ItemDropped && it.State != store.ItemDone {
				if open[key] != 0 {
					b.t.Fatalf("step %d: %s is in %d and %d", step, key, open[key], v.ID)
				}
				open[key] = v.ID
			}
		}
	}
}

// deposit lists the addresses that the store knows.
func (b *bench) deposit() (out []string) {
	b.t.Helper()
	ds, err := b.db.SweepDue(b.t.Context(), time.Now().Add(1000*24*time.Hour), 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, d := range ds {
		out = append(out, d.Address)
	}
	return out
}
