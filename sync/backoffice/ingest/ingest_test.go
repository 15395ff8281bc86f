package ingest_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/ingest"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/wire"
)

var opening = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

// office is an Ingest over a real store, which is checked whole when the test
// ends.
type office struct {
	*ingest.Ingest
	t  *testing.T
	db *store.DB
}

var officeKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'b'}, ed25519.SeedSize))

func newOffice(t *testing.T, tills ...*tilltest.Till) *office {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "office.db"))
	if err != nil {
		t.Fatal(err)
	}
	o := &office{&ingest.Ingest{Store: db, Key: officeKey}, t, db}
	t.Cleanup(func() {
		if err := errors.Join(db.Check(context.Background()), db.Close()); err != nil {
			t.Error(err)
		}
	})
	for _, till := range tills {
		o.enrol(till)
	}
	return o
}

func (o *office) enrol(till *tilltest.Till) {
	o.t.Helper()
	code := store.Code{Hash: []byte(till.Genesis.Till), Made: opening, Ends: opening.Add(time.Hour)}
	g := till.Genesis
	if err := errors.Join(
		o.db.AddCode(o.t.Context(), code),
		o.db.UseCode(o.t.Context(), code.Hash, store.Till{ID: g.Till, Key: g.Key, Name: "Till " + g.Series, Series: g.Series, Currency: g.Currency, Enrolled: opening}),
	); err != nil {
		o.t.Fatal(err)
	}
}

func lines(rs ...pos.Record) []byte {
	var b []byte
	for _, r := range rs {
		b = append(b, r.Line...)
	}
	return b
}

// take sends records and wants everything up to the last of them to be held.
func (o *office) take(till *tilltest.Till, rs ...pos.Record) pos.Checkpoint {
	o.t.Helper()
	cp, err := o.Take(o.t.Context(), till.Genesis.Till, lines(rs...), opening)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := wire.CheckCheckpoint(cp, till.Genesis.Till, officeKey.Public().(ed25519.PublicKey)); err != nil {
		o.t.Fatal(err)
	}
	return cp
}

// held compares what is kept with what the till wrote, byte for byte.
func (o *office) held(till *tilltest.Till, n int) {
	o.t.Helper()
	want, i := till.Records(), 0
	for k, err := range o.db.Since(o.t.Context(), till.Genesis.Till, 0) {
		if err != nil {
			o.t.Fatal(err)
		}
		if i >= len(want) || !bytes.Equal(k.Line, want[i].Line) {
			o.t.Fatalf("record %d is not what the till wrote", k.N)
		}
		i++
	}
	if i != n {
		o.t.Errorf("%d records are held, want %d", i, n)
	}
}

func (o *office) alarms() []store.Alarm {
	o.t.Helper()
	out, err := o.db.Alarms(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return out
}

// refused sends a body that must be refused with this type of problem.
func (o *office) refused(till *tilltest.Till, body []byte, want string) *wire.Problem {
	o.t.Helper()
	cp, err := o.Take(o.t.Context(), till.Genesis.Till, body, opening)
	p, ok := errors.AsType[*wire.Problem](err)
	if !ok || p.Type != want || cp.N != 0 {
		o.t.Fatalf("got %+v, %v; want %s", cp, err, want)
	}
	if p.Checkpoint != nil {
		if err := wire.CheckCheckpoint(*p.Checkpoint, till.Genesis.Till, officeKey.Public().(ed25519.PublicKey)); err != nil {
			o.t.Error(err)
		}
	}
	return p
}

func day(seed uint64, sales int) *tilltest.Till {
	till := tilltest.New(seed, "01", "EUR", opening)
	till.Day(opening.Truncate(24*time.Hour), sales)
	return till
}

// TestAtLeastOnce delivers a day in overlapping pieces, each twice, as a till does
// whose line loses every other answer. Goal: everything is held once, in order.
func TestAtLeastOnce(t *testing.T) {
	till := day(1, 60)
	o := newOffice(t, till)
	all := till.Records()
	for at := 0; at < len(all); at += 20 {
		from, to := max(at-7, 0), min(at+20, len(all))
		for range 2 {
			if cp := o.take(till, all[from:to]...); cp.N != uint64(to) || cp.Hash != all[to-1].Hash {
				t.Fatalf("after %d records the checkpoint is %+v", to, cp)
			}
		}
	}
	o.held(till, len(all))
	if cp := o.take(till); cp.N != uint64(len(all)) {
		t.Errorf("an empty body answers %d, want %d", cp.N, len(all))
	}
	if a := o.alarms(); len(a) != 0 {
		t.Errorf("a good day raised %+v", a)
	}
}

// TestOldRecordsAnswerTheHead sends records that are long held. The answer covers
// what is held, not what was sent.
func TestOldRecordsAnswerTheHead(t *testing.T) {
	till := day(1, 10)
	o := newOffice(t, till)
	all := till.Records()
	o.take(till, all...)
	if cp := o.take(till, all[2:5]...); cp.N != uint64(len(all)) {
		t.Errorf("got %d, want %d", cp.N, len(all))
	}
}

func TestGap(t *testing.T) {
	till := day(1, 10)
	o := newOffice(t, till)
	all := till.Records()
	if p := o.refused(till, lines(all[5:]...), wire.ProblemGap); p.Expected != 1 || p.Checkpoint.N != 0 {
		t.Errorf("got %+v", p)
	}
	o.take(till, all[:5]...)
	p := o.refused(till, lines(all[6:]...), wire.ProblemGap)
	if p.Expected != 6 || p.Checkpoint.N != 5 || p.Checkpoint.Hash != all[4].Hash {
		t.Errorf("got %+v", p)
	}
	o.held(till, 5)
}

// TestFork lets a copied card and its original both sell. Goal: the first history
// stands, the second is evidence, the till is told where they part.
func TestFork(t *testing.T) {
	mine := day(1, 5)
	o := newOffice(t, mine)
	n := len(mine.Records())
	copied := mine.Clone(99)
	mine.Sell()
	copied.Sell()
	copied.Sell()
	all := mine.Records()
	o.take(mine, all...)
	tests := map[string]struct {
		body []byte
		n    int // where they part
	}{
		"under a known number":       {lines(copied.Records()[n]), n + 1},
		"with common ones before":    {lines(copied.Records()[n-3:]...), n + 1},
		"above the last one we hold": {lines(copied.Records()[len(all):]...), len(all)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := o.refused(mine, tt.body, wire.ProblemFork)
			if p.Checkpoint.N != uint64(tt.n) || p.Checkpoint.Hash != all[tt.n-1].Hash {
				t.Errorf("got %+v, want record %d", p.Checkpoint, tt.n)
			}
		})
	}
	o.held(mine, len(all))
	if a := o.alarms(); len(a) != 2 || a[0].Kind != store.AlarmFork || a[0].Till != mine.Genesis.Till {
		t.Errorf("alarms %+v", a)
	}
	kept, err := o.db.Forks(t.Context(), mine.Genesis.Till)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range copied.Records()[n:] {
		if !slices.ContainsFunc(kept, func(line []byte) bool { return bytes.Equal(line, r.Line) }) {
			t.Errorf("record %d of the copy is not kept as evidence", r.N)
		}
	}
}

// TestForkNeedsTheKey sends contradicting records that the till did not sign. They
// prove nothing, so they are no fork.
func TestForkNeedsTheKey(t *testing.T) {
	till, stranger := day(1, 3), day(2, 5)
	o := newOffice(t, till)
	o.take(till, till.Records()...)
	o.refused(till, lines(stranger.Records()[:4]...), wire.ProblemOf(pos.Corrupt))
	if kept, err := o.db.Forks(t.Context(), till.Genesis.Till); err != nil || len(kept) != 0 {
		t.Errorf("%d records kept as evidence, %v", len(kept), err)
	}
	o.held(till, len(till.Records()))
}

// TestFlippedByte flips each byte of a record in turn, and adds and drops some.
// Goal: it is refused, and the whole record is taken afterwards.
func TestFlippedByte(t *testing.T) {
	till := day(1, 2)
	o := newOffice(t, till)
	all := till.Records()
	o.take(till, all[:3]...)
	good := all[3].Line
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		o.refused(till, bad, wire.ProblemOf(pos.Corrupt))
	}
	for _, bad := range [][]byte{good[:len(good)-1], append([]byte{' '}, good...), append(bytes.Clone(good), '\n'), {'\n'}, []byte("{}\n"), {0}} {
		if _, err := o.Take(t.Context(), till.Genesis.Till, bad, opening); bytes.HasPrefix(bad, good) != (err == nil) {
			t.Errorf("%.20q…: %v", bad, err)
		}
	}
	o.take(till, all...)
	o.held(till, len(all))
	if a := o.alarms(); !slices.ContainsFunc(a, func(a store.Alarm) bool {
		return a.Kind == store.AlarmCorrupt && a.N == 4 && a.Times >= int64(len(good))
	}) {
		t.Errorf("alarms %+v", a)
	}
}

// TestBadRecordInBatch spoils one record of a batch. Goal: those before it are
// taken and answered; only then is the bad one refused.
func TestBadRecordInBatch(t *testing.T) {
	till, stranger := day(1, 10), day(2, 10)
	all := till.Records()
	spoilt := map[string]func() pos.Record{
		"flipped byte": func() pos.Record {
			r := all[6]
			r.Line = bytes.Replace(r.Line, []byte("body"), []byte("bodi"), 1)
			return r
		},
		"another till's":    func() pos.Record { return stranger.Records()[6] },
		"another key":       func() pos.Record { r := all[6]; r, _ = pos.Seal(r, stranger.Key); return r },
		"a number left out": func() pos.Record { return all[7] },
		"a link broken":     func() pos.Record { r := all[6]; r.Prev = pos.Hash{1}; r, _ = pos.Seal(r, till.Key); return r },
	}
	for name, spoil := range spoilt {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, till)
			batch := append(slices.Clone(all[:6]), spoil())
			if cp := o.take(till, batch...); cp.N != 6 {
				t.Errorf("checkpoint %d, want 6", cp.N)
			}
			if cp := o.take(till, batch...); cp.N != 6 { // the answer was lost
				t.Errorf("again: checkpoint %d, want 6", cp.N)
			}
			if _, err := o.Take(t.Context(), till.Genesis.Till, lines(batch[6]), opening); err == nil {
				t.Error("the spoilt record was taken")
			}
			o.held(till, 6)
			o.take(till, all...)
			o.held(till, len(all))
		})
	}
}

// TestGenesis holds the first record to the enrolment.
func TestGenesis(t *testing.T) {
	till := day(1, 1)
	o := newOffice(t, till)
	for name, change := range map[string]func(*pos.Record, *pos.Genesis){
		"another kind":  func(r *pos.Record, _ *pos.Genesis) { r.Kind = pos.KindBoot },
		"another name":  func(_ *pos.Record, g *pos.Genesis) { g.Till = "0011223344556677" },
		"another key":   func(_ *pos.Record, g *pos.Genesis) { g.Key = officeKey.Public().(ed25519.PublicKey) },
		"a predecessor": func(r *pos.Record, _ *pos.Genesis) { r.Prev = pos.Hash{1} },
	} {
		r, g := till.Records()[0], till.Genesis
		change(&r, &g)
		r.Body = pos.NewBody(g)
		r, err := pos.Seal(r, till.Key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Take(t.Context(), till.Genesis.Till, r.Line, opening); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	o.held(till, 0)
}

func TestStranger(t *testing.T) {
	o := newOffice(t)
	if _, err := o.Take(t.Context(), day(1, 1).Genesis.Till, nil, opening); pos.KindOf(err) != pos.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestTooMany(t *testing.T) {
	till := tilltest.New(1, "01", "EUR", opening)
	for range wire.MaxBatch {
		till.Add("filler", 1)
	}
	o := newOffice(t, till)
	if cp := o.take(till, till.Records()...); cp.N != wire.MaxBatch {
		t.Errorf("took %d", cp.N)
	}
}

// TestRedList sends genuine records that cannot be booked. Goal: all are stored,
// each is on the red list with its reason, and those behind them are booked.
func TestRedList(t *testing.T) {
	sale := func(till *tilltest.Till, change func(*pos.SaleCompleted)) any {
		var b pos.SaleCompleted
		for _, r := range till.Records() {
			if r.Kind == pos.KindSaleCompleted {
				if err := r.Decode(&b); err != nil {
					t.Fatal(err)
				}
			}
		}
		b.Count++ // the next sale of the same goods
		b.Sale.Receipt = pos.ReceiptNumber("01", b.Count)
		b.Turnover, _ = b.Turnover.Add(b.Totals.Total)
		change(&b)
		return b
	}
	tests := map[string]struct {
		change func(*pos.SaleCompleted)
		why    string // empty: it can be booked
	}{
		"good":             {func(*pos.SaleCompleted) {}, ""},
		"lines changed":    {func(b *pos.SaleCompleted) { b.Sale.Lines[0].Total.Minor++ }, "contradicts itself"},
		"payment left out": {func(b *pos.SaleCompleted) { b.Sale.Payments = nil }, "contradicts itself"},
		"tax changed": {func(b *pos.SaleCompleted) {
			row := &b.Totals.Tax[0]
			row.Tax.Minor, row.Net.Minor = row.Tax.Minor+1, row.Net.Minor-1
			b.Totals.TaxUp.Minor, b.Totals.Net.Minor = b.Totals.TaxUp.Minor+1, b.Totals.Net.Minor-1
		}, "other tax"},
		"sale skipped":     {func(b *pos.SaleCompleted) { b.Count++ }, "no."},
		"turnover changed": {func(b *pos.SaleCompleted) { b.Turnover.Minor-- }, "turnover"},
		"no receipt":       {func(b *pos.SaleCompleted) { b.Sale.Receipt = "" }, "receipt number"},
		"other currency": {func(b *pos.SaleCompleted) {
			usd := pos.Currency{Code: "USD", Decimals: 2}
			b.Totals = pos.Totals{Net: usd.Zero(), TaxUp: usd.Zero(), Total: usd.Zero()}
		}, "cannot add"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			till := day(1, 3)
			o := newOffice(t, till)
			o.take(till, till.Records()...)
			bad := till.Add(pos.KindSaleCompleted, sale(till, tt.change))
			after := till.Add(pos.KindStopped, pos.Stopped{})
			if cp := o.take(till, bad, after); cp.N != after.N {
				t.Fatalf("checkpoint %d, want %d", cp.N, after.N)
			}
			o.held(till, int(after.N))
			switch a := o.alarms(); {
			case tt.why == "" && len(a) != 0:
				t.Errorf("alarms %+v", a)
			case tt.why != "" && (len(a) != 1 || a[0].Kind != store.AlarmRed || a[0].N != bad.N || !strings.Contains(a[0].Why.In("en"), tt.why)):
				t.Errorf("alarms %+v, want one at %d about %q", a, bad.N, tt.why)
			}
		})
	}
}

// TestUnreadableBody sends a known kind with a body of another shape, and a kind of
// the future. The first is red, the second is passed over.
func TestUnreadableBody(t *testing.T) {
	till := day(1, 1)
	bad := till.Add(pos.KindSaleCompleted, []string{"no", "sale"})
	till.Add("loyalty_points", map[string]int{"points": 7})
	till.Sell()
	o := newOffice(t, till)
	o.take(till, till.Records()...)
	if a := o.alarms(); len(a) != 1 || a[0].N != bad.N {
		t.Errorf("alarms %+v, want one at %d", a, bad.N)
	}
}

// racing makes another process extend the chain between reading and writing.
type racing struct {
	ingest.Store
	once func()
}

func (r *racing) Append(ctx context.Context, till string, from, to store.Head, batch []store.Entry, at time.Time) error {
	if once := r.once; once != nil {
		r.once = nil
		once()
	}
	return r.Store.Append(ctx, till, from, to, batch, at)
}

// TestTwoProcesses lets two servers take records of one till at once. Goal: neither
// loses or doubles one.
func TestTwoProcesses(t *testing.T) {
	till := day(1, 5)
	o := newOffice(t, till)
	all := till.Records()
	other := *o.Ingest
	o.Ingest.Store = &racing{o.db, func() {
		if _, err := other.Take(t.Context(), till.Genesis.Till, lines(all[:4]...), opening); err != nil {
			t.Error(err)
		}
	}}
	if cp := o.take(till, all[:8]...); cp.N != 8 {
		t.Errorf("checkpoint %d, want 8", cp.N)
	}
	o.held(till, 8)
}

// failing is a store whose disk is full.
type failing struct{ ingest.Store }

func (failing) Append(context.Context, string, store.Head, store.Head, []store.Entry, time.Time) error {
	return pos.E("store records", pos.Unavailable, "the disk is full")
}

// TestNoCheckpointWithoutDisk fails to store. Goal: no signed word is given.
func TestNoCheckpointWithoutDisk(t *testing.T) {
	till := day(1, 1)
	o := newOffice(t, till)
	o.Ingest.Store = failing{o.db}
	cp, err := o.Take(t.Context(), till.Genesis.Till, lines(till.Records()...), opening)
	if pos.KindOf(err) != pos.Unavailable || len(cp.Sig) != 0 {
		t.Errorf("got %+v, %v", cp, err)
	}
}

// FuzzTake sends any bytes. Goal: nothing is taken that the till did not write, and
// nothing crashes.
func FuzzTake(f *testing.F) {
	till := day(1, 3)
	all := till.Records()
	f.Add(lines(all...))
	f.Add(lines(all[1:4]...))
	f.Add(append(lines(all[:2]...), "\n{}\n"...))
	f.Fuzz(func(t *testing.T, body []byte) {
		kept := &memory{till: store.Till{ID: till.Genesis.Till, Key: till.Genesis.Key, Currency: "EUR"}}
		in := &ingest.Ingest{Store: kept, Key: officeKey}
		cp, err := in.Take(context.Background(), till.Genesis.Till, body, opening)
		if err == nil && cp.N != uint64(len(kept.records)) {
			t.Errorf("checkpoint %d for %d records", cp.N, len(kept.records))
		}
		for i, r := range kept.records {
			if !bytes.Equal(r.Line, all[i].Line) {
				t.Errorf("record %d is not the till's", i+1)
			}
		}
	})
}

// memory is a store without a disk, for the fuzzer's speed.
type memory struct {
	till    store.Till
	records []pos.Record
}

func (m *memory) Till(context.Context, string) (store.Till, error) { return m.till, nil }
func (m *memory) Hashes(context.Context, string, uint64, int) ([]pos.Hash, error) {
	return nil, nil
}
func (m *memory) Append(_ context.Context, _ string, _, to store.Head, batch []store.Entry, _ time.Time) error {
	for _, e := range batch {
		m.records = append(m.records, e.Record)
	}
	m.till.Head = to
	return nil
}
func (m *memory) Fork(context.Context, store.Alarm, []pos.Record, time.Time) error { return nil }
func (m *memory) Alarm(context.Context, store.Alarm, time.Time) error              { return nil }
