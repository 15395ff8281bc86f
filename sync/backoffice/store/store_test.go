package store_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

var t0 = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(db.Check(context.Background()), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return db
}

func temp(t *testing.T) string { return filepath.Join(t.TempDir(), "office # 1 ?.db") } // a path that a URL must escape

func enrol(t *testing.T, db *store.DB, till *tilltest.Till) {
	t.Helper()
	g := till.Genesis
	code := store.Code{Hash: []byte(g.Till), Made: t0, Ends: t0.Add(time.Hour)}
	if err := errors.Join(db.AddCode(t.Context(), code),
		db.UseCode(t.Context(), code.Hash, store.Till{ID: g.Till, Key: g.Key, Name: "Till 1", Series: "01", Currency: "EUR", Enrolled: t0})); err != nil {
		t.Fatal(err)
	}
}

func headOf(r pos.Record) store.Head { return store.Head{N: r.N, Hash: r.Hash, At: r.At} }

func entries(rs []pos.Record) []store.Entry {
	out := make([]store.Entry, len(rs))
	for i, r := range rs {
		out[i].Record = r
	}
	return out
}

// TestAppend stores a chain in two parts. Goal: only from where the chain ends, all
// or nothing, byte for byte, and still there for the next process.
func TestAppend(t *testing.T) {
	path := temp(t)
	db := open(t, path)
	till := tilltest.New(1, "01", "EUR", t0)
	till.Day(t0.Truncate(24*time.Hour), 300)
	enrol(t, db, till)
	id, all := till.Genesis.Till, till.Records()
	first, last := all[:600], all[len(all)-1]
	if err := db.Append(t.Context(), id, store.Head{}, headOf(first[599]), entries(first), t0); err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]store.Head{"the beginning": {}, "another hash": {N: 600, Hash: pos.Hash{1}}, "another number": {N: 599, Hash: first[599].Hash}} {
		if err := db.Append(t.Context(), id, from, headOf(last), entries(all[600:]), t0); pos.KindOf(err) != pos.Conflict {
			t.Errorf("from %s: %v", name, err)
		}
	}
	double := append(entries(all[600:602]), store.Entry{Record: all[600]})
	if err := db.Append(t.Context(), id, headOf(first[599]), headOf(last), double, t0); err == nil {
		t.Error("a record was stored twice")
	}
	if err := db.Append(t.Context(), id, headOf(first[599]), headOf(last), entries(all[600:]), t0); err != nil {
		t.Fatal(err)
	}
	again := open(t, path)
	i := 0
	for k, err := range again.Since(t.Context(), id, 0) {
		if err != nil || !bytes.Equal(k.Line, all[i].Line) || !k.Received.Equal(t0) {
			t.Fatalf("record %d: %v", i+1, err)
		}
		i++
	}
	if i != len(all) {
		t.Errorf("%d records, want %d", i, len(all))
	}
	got, err := again.Till(t.Context(), id)
	if err != nil || got.Head.N != last.N || got.Head.Hash != last.Hash || !got.Key.Equal(ed25519.PublicKey(till.Genesis.Key)) {
		t.Errorf("till %+v, %v", got, err)
	}
	hashes, err := again.Hashes(t.Context(), id, 5, 3)
	if err != nil || len(hashes) != 3 || hashes[0] != all[4].Hash || hashes[2] != all[6].Hash {
		t.Errorf("hashes %v, %v", hashes, err)
	}
	if k, err := again.Record(t.Context(), id, 7); err != nil || k.Hash != all[6].Hash {
		t.Errorf("record 7: %+v, %v", k, err)
	}
	for _, n := range []uint64{0, last.N + 1, math.MaxUint64} {
		if _, err := again.Record(t.Context(), id, n); pos.KindOf(err) != pos.NotFound {
			t.Errorf("record %d: %v", n, err)
		}
	}
	ranges, err := again.Ranges(t.Context(), all[10].At, all[20].At)
	if err != nil || len(ranges) != 1 || ranges[0] != (store.Range{Till: id, From: 11, To: 20}) {
		t.Errorf("ranges %+v, %v", ranges, err)
	}
}

// TestRacingAppends lets two processes extend one chain at once. Goal: one of them.
func TestRacingAppends(t *testing.T) {
	path := temp(t)
	till := tilltest.New(1, "01", "EUR", t0)
	one, two := open(t, path), open(t, path)
	enrol(t, one, till)
	all := till.Records()
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, db := range []*store.DB{one, two} {
		wg.Go(func() {
			errs[i] = db.Append(t.Context(), till.Genesis.Till, store.Head{}, headOf(all[1]), entries(all), t0)
		})
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || pos.KindOf(errors.Join(errs...)) != pos.Conflict {
		t.Errorf("got %v", errs)
	}
}

// TestCount takes counters. Goal: only rising ones, whoever asks.
func TestCount(t *testing.T) {
	db := open(t, temp(t))
	till := tilltest.New(1, "01", "EUR", t0)
	enrol(t, db, till)
	for _, step := range []struct {
		counter int64
		ok      bool
	}{{5, true}, {5, false}, {4, false}, {6, true}, {1<<53 - 1, true}, {7, false}} {
		last, err := db.Count(t.Context(), till.Genesis.Till, step.counter, t0.Add(time.Hour))
		if (err == nil) != step.ok || (err != nil && (pos.KindOf(err) != pos.Conflict || last < step.counter)) {
			t.Errorf("%d: %d, %v", step.counter, last, err)
		}
	}
	if got, _ := db.Till(t.Context(), till.Genesis.Till); !got.Seen.Equal(t0.Add(time.Hour)) {
		t.Errorf("seen %v", got.Seen)
	}
}

// TestAlarms raises, counts, settles and raises again, and floods.
func TestAlarms(t *testing.T) {
	db := open(t, temp(t))
	till := tilltest.New(1, "01", "EUR", t0)
	enrol(t, db, till)
	id := till.Genesis.Till
	raise := func(kind string, n uint64) {
		t.Helper()
		if err := db.Alarm(t.Context(), store.Alarm{Till: id, Kind: kind, N: n, Why: "why"}, t0); err != nil {
			t.Fatal(err)
		}
	}
	list := func() []store.Alarm {
		t.Helper()
		out, err := db.Alarms(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	raise(store.AlarmCorrupt, 7)
	raise(store.AlarmCorrupt, 7)
	raise(store.AlarmFork, math.MaxUint64)
	got := list()
	if len(got) != 2 || got[0].Kind != store.AlarmFork || got[1].Times != 2 || got[1].N != 7 {
		t.Fatalf("got %+v", got)
	}
	if err := db.AlarmDone(t.Context(), got[1].ID, t0); err != nil || len(list()) != 1 {
		t.Errorf("settled: %+v, %v", list(), err)
	}
	raise(store.AlarmCorrupt, 7)
	if len(list()) != 2 {
		t.Error("trouble that came back raises no alarm")
	}
	for n := range uint64(700) {
		raise(store.AlarmCorrupt, 100+n)
	}
	if len(list()) != 200 {
		t.Errorf("%d alarms shown", len(list()))
	}
}

// TestForkEvidence keeps the same evidence once.
func TestForkEvidence(t *testing.T) {
	db := open(t, temp(t))
	till := tilltest.New(1, "01", "EUR", t0)
	enrol(t, db, till)
	for range 2 {
		if err := db.Fork(t.Context(), store.Alarm{Till: till.Genesis.Till, Kind: store.AlarmFork, N: 1}, till.Records(), t0); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := db.Forks(t.Context(), till.Genesis.Till)
	if err != nil || len(kept) != 2 || !bytes.Equal(kept[1], till.Records()[1].Line) {
		t.Errorf("%d kept, %v", len(kept), err)
	}
}

// TestOpen opens what is no database of ours.
func TestOpen(t *testing.T) {
	path := temp(t)
	if err := os.WriteFile(path, bytes.Repeat([]byte("garbage "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), path); err == nil {
		t.Error("garbage opens")
	}
	if _, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "none", "x.db")); err == nil {
		t.Error("a missing directory opens")
	}
	var wg sync.WaitGroup // several processes make it at once
	fresh := temp(t)
	for range 4 {
		wg.Go(func() {
			db, err := store.Open(t.Context(), fresh)
			if err == nil {
				err = db.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestCancelled gives a context that is over. Goal: Unavailable, nothing stored.
func TestCancelled(t *testing.T) {
	db := open(t, temp(t))
	till := tilltest.New(1, "01", "EUR", t0)
	enrol(t, db, till)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	all := till.Records()
	if err := db.Append(ctx, till.Genesis.Till, store.Head{}, headOf(all[1]), entries(all), t0); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("got %v", err)
	}
	if got, err := db.Till(t.Context(), till.Genesis.Till); err != nil || got.Head.N != 0 {
		t.Errorf("head %d, %v", got.Head.N, err)
	}
}

// TestAttempts counts by address and together, within a window.
func TestAttempts(t *testing.T) {
	db := open(t, temp(t))
	for i := range 4 {
		if err := db.Attempt(t.Context(), "sign-in", fmt.Sprint(i%2), t0.Add(time.Duration(i)*time.Minute), t0.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	own, all, err := db.Attempts(t.Context(), "sign-in", "1", t0.Add(time.Minute))
	if own != 2 || all != 3 || err != nil {
		t.Errorf("own %d, all %d, %v", own, all, err)
	}
	if own, all, _ := db.Attempts(t.Context(), "enrol", "1", t0); own+all != 0 {
		t.Errorf("another kind: %d, %d", own, all)
	}
}
