package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// journal is a journal in memory.
type journal struct{ recs []pos.Record }

func (j *journal) add(kind pos.RecordKind, body any) pos.Record {
	r := pos.Record{N: uint64(len(j.recs) + 1), Kind: kind, Body: pos.NewBody(body), At: time.Unix(int64(len(j.recs)), 0).UTC()}
	if r.N > 1 {
		r.Prev = j.recs[r.N-2].Hash
	}
	r.Hash[0], r.Hash[1] = byte(r.N), byte(r.N>>8)
	j.recs = append(j.recs, r)
	return r
}

func (j *journal) sell(n uint64) pos.Record {
	eur, err := pos.CurrencyOf("EUR")
	if err != nil {
		panic(err)
	}
	id := pos.SaleID(fmt.Sprint("s", n))
	return j.add(pos.KindSaleCompleted, pos.SaleCompleted{
		Sale: pos.Sale{ID: id, Receipt: pos.ReceiptNumber("01", n)}, Totals: pos.Totals{Total: eur.Of(250)}, Count: n, Turnover: eur.Of(250 * int64(n)),
	})
}

func (j *journal) Last() (uint64, pos.Hash) {
	if len(j.recs) == 0 {
		return 0, pos.Hash{}
	}
	r := j.recs[len(j.recs)-1]
	return r.N, r.Hash
}

func (j *journal) Read(n uint64) (pos.Record, error) { return j.recs[n-1], nil }

func (j *journal) Since(after uint64) iter.Seq2[pos.Record, error] {
	return func(yield func(pos.Record, error) bool) {
		for _, r := range j.recs[after:] {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// storage has room or not, as a test wants.
type storage struct {
	mu      sync.Mutex
	full    bool
	reserve bool
	tries   int
}

// set changes it while commits go on that nobody waits for.
func (s *storage) set(full, reserve bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full, s.reserve = full, reserve
}

func (s *storage) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

func (s *storage) end(tx *bolt.Tx) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if s.full {
		return errors.Join(tx.Rollback(), fmt.Errorf("write: %w", syscall.ENOSPC))
	}
	return tx.Commit()
}

func (s *storage) relieve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	had := s.reserve
	s.reserve = false
	s.full = s.full && !had
	return had
}

// everything returns what the ledger shows.
func everything(t *testing.T, l *Ledger) string {
	t.Helper()
	filed, err := l.Series(0, 1000)
	must(t, err)
	sales, err := l.Open()
	must(t, err)
	jobs, err := all[pos.PrintJob](l, prints)
	must(t, err)
	text, err := json.Marshal([]any{l.Books(), filed, sales, jobs})
	must(t, err)
	return string(text)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func shop(t *testing.T) (*Ledger, *journal, *storage, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "l")
	l, err := Open(path)
	must(t, err)
	s := &storage{}
	l.end, l.relieve = s.end, s.relieve
	j := &journal{}
	must(t, l.Fold(j.add(pos.KindGenesis, pos.Genesis{Till: "t"})))
	return l, j, s, path
}

// TestReserve gives the storage's reserve to a commit that finds no room: nobody
// notices.
func TestReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no commit in between
		l, j, s, path := shop(t)
		must(t, l.Fold(j.sell(1)))
		s.set(true, true)
		must(t, l.BeginJob("", 2))
		want := everything(t, l)
		if _, short := l.Short(); short || s.reserve || s.tries != 2 {
			t.Errorf("short %v, %+v", short, s)
		}
		must(t, l.Close())
		l, err := Open(path)
		must(t, err)
		if got := everything(t, l); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		must(t, l.Close())
	})
}

// TestFullStorage sells on a full storage without a reserve: everything is there, a
// change is not made twice by being tried again, tries are bounded, and when there
// is room all of it is durable by itself.
func TestFullStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, j, s, path := shop(t)
		eur, err := pos.CurrencyOf("EUR")
		must(t, err)
		tea, err := pos.NewLine("Tea", "T", 3000, eur.Of(250), pos.TaxRate{Code: "A"})
		must(t, err)
		tea.ID = 1
		draft := pos.Sale{ID: "d", State: pos.Draft, Lines: []pos.Line{tea}}
		must(t, l.Keep(pos.DraftChange{Put: &draft, Current: "d"}))
		s.set(true, false)
		one := tea
		one.Qty = 1000
		must(t, l.Fold(j.add(pos.KindLineRemoved, pos.LineRemoved{Sale: "d", Line: one})))
		for n := range uint64(20) {
			must(t, l.Fold(j.sell(n+1)))
			must(t, l.Keep(pos.DraftChange{Current: "d", Refs: n}))
			time.Sleep(time.Second)
		}
		must(t, l.BeginJob("", 3))
		want := everything(t, l)
		if since, short := l.Short(); !short || time.Since(since) < 19*time.Second {
			t.Errorf("short %v since %v", short, since)
		}
		if n := s.count(); n > 13 {
			t.Errorf("%d commits were tried in 20 s", n)
		}
		if sale, err := l.Sale("d"); err != nil || sale.Lines[0].Qty != 2000 {
			t.Errorf("a line of 3 less 1 has %d thousandths, %v", sale.Lines[0].Qty, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file that lags does not say so: %v", err)
		}
		s.set(false, false)
		time.Sleep(2 * retryEvery)
		if _, short := l.Short(); short {
			t.Error("there is room, and nobody tries again")
		}
		tries := s.count()
		time.Sleep(time.Minute)
		if n := s.count() - tries; n != 0 {
			t.Errorf("%d commits of nothing", n)
		}
		if got := everything(t, l); got != want {
			t.Errorf("with room\n%s\nwithout\n%s", got, want)
		}
		must(t, l.Close())
		l, err = Open(path)
		must(t, err)
		if got := everything(t, l); got != want {
			t.Errorf("opened again\n%s\nbefore\n%s", got, want)
		}
		must(t, l.Close())
	})
}

// TestCutWhileFull takes the power while the index lags for want of room: the
// journal brings all of it back, on a storage that is still full, and a paper that
// may have been printed comes out as a copy.
func TestCutWhileFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no commit in between
		l, j, s, path := shop(t)
		must(t, l.Fold(j.sell(1)))
		must(t, l.BeginJob("", 2))
		s.set(true, false)
		must(t, l.Fold(j.sell(2)))
		must(t, l.BeginJob("", 3))
		must(t, l.DoneJob("", 2))
		want := l.Books()
		must(t, l.Close()) // which finds no room either
		r := &recovery{path: path, j: j, at: time.Unix(60, 0), log: slog.New(slog.DiscardHandler)}
		l, err := r.start()
		must(t, err)
		defer l.Close()
		if b := l.Books(); b.Count != want.Count || b.Last != want.Last {
			t.Errorf("books %+v, want %+v", b, want)
		}
		jobs, err := all[pos.PrintJob](l, prints)
		must(t, err)
		for _, j := range jobs {
			if !j.Begun || j.Drawer {
				t.Errorf("a paper that may be out already comes as %+v", j)
			}
		}
		if _, err := os.Stat(path + behindSuffix); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the mark stays: %v", err)
		}
	})
}

// TestNoRoomToRebuild starts without an index on a storage that takes none: it is
// kept in memory, and the next start with room makes it.
func TestNoRoomToRebuild(t *testing.T) {
	j := &journal{}
	j.add(pos.KindGenesis, pos.Genesis{Till: "t"})
	for n := range uint64(50) {
		j.sell(n + 1)
	}
	path := filepath.Join(t.TempDir(), "l")
	full := fmt.Errorf("create ledger: %w", syscall.EDQUOT)
	for name, x := range map[string]struct {
		reserve, fits bool // the reserve is there; and it is enough
		short         bool
	}{"no reserve": {false, false, true}, "a small reserve": {true, false, true}, "a large one": {true, true, false}} {
		r := &recovery{path: path, j: j, at: time.Unix(60, 0), log: slog.New(slog.DiscardHandler)}
		room := false
		r.relieve = func() bool { room = x.fits; return x.reserve }
		r.make = func() error {
			if room {
				return r.rebuildFile()
			}
			return full
		}
		l, err := r.start()
		must(t, err)
		must(t, l.Fold(j.sell(uint64(len(j.recs)))))
		must(t, l.DoneJob("", 2))
		if b := l.Books(); b.Count != uint64(len(j.recs))-1 {
			t.Errorf("%s: %d sales", name, b.Count)
		}
		if _, short := l.Short(); short != x.short {
			t.Errorf("%s: in memory: %v", name, short)
		}
		must(t, l.Close())
		if _, err := os.Stat(path); (err == nil) == x.short {
			t.Errorf("%s: the file: %v", name, err)
		}
		if left, _ := filepath.Glob(path + ".rebuild*"); len(left) > 0 {
			t.Errorf("%s: left behind %v", name, left)
		}
		must(t, remove(path))
	}
}

// TestHalfDone has a commit fail behind its last write: nobody knows whether it
// happened, so it is not made again, and the till has to start anew.
func TestHalfDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no commit in between
		l, j, _, path := shop(t)
		must(t, l.DoneJob("", 1))
		l.end = func(tx *bolt.Tx) error {
			return errors.Join(tx.Commit(), fmt.Errorf("sync: %w", syscall.ENOSPC))
		}
		must(t, l.Fold(j.sell(1)))
		if err := l.BeginJob("", 2); err == nil {
			t.Error("a commit in doubt counts as done")
		}
		if _, err := l.Open(); err == nil {
			t.Error("the ledger goes on after a commit in doubt")
		}
		l.Close()
		l, err := (&recovery{path: path, j: j, at: time.Unix(9, 0), log: slog.New(slog.DiscardHandler)}).start()
		must(t, err)
		if b := l.Books(); b.Count != 1 || b.Unsent.Sales != 1 {
			t.Errorf("%+v", b)
		}
		must(t, l.Close())
	})
}

// TestBroken fails commits for another reason: that is for a new start.
func TestBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no commit in between
		l, j, _, _ := shop(t)
		must(t, l.DoneJob("", 1)) // nothing waits any more
		l.end = func(tx *bolt.Tx) error { return errors.Join(tx.Rollback(), syscall.EIO) }
		must(t, l.Fold(j.sell(1)))
		if err := l.BeginJob("", 2); err == nil {
			t.Error("a broken storage counts as a full one")
		}
		l.Close()
	})
}

// TestTooMuchWaits ends what cannot go on for ever.
func TestTooMuchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no commit in between
		l, j, s, _ := shop(t)
		must(t, l.DoneJob("", 1)) // nothing waits any more
		s.set(true, false)
		l.mu.Lock()
		l.waiting = make([]change, maxWaiting)
		for i := range l.waiting {
			l.waiting[i] = func(*bolt.Tx, *pos.Books) error { return nil }
		}
		l.mu.Unlock()
		must(t, l.Fold(j.sell(1)))
		if err := l.BeginJob("", 2); err == nil || pos.KindOf(err) != pos.Internal {
			t.Errorf("got %v", err)
		}
		l.Close()
	})
}

// TestIsFull is the one place where errors are told by their text: bbolt keeps no
// more of them when it cannot make its file larger.
func TestIsFull(t *testing.T) {
	for _, x := range []struct {
		err  error
		want bool
	}{
		{nil, false}, {syscall.ENOSPC, true}, {syscall.EDQUOT, true}, {syscall.EIO, false}, {errors.New("full"), false},
		{&os.PathError{Op: "write", Err: syscall.ENOSPC}, true},
		{fmt.Errorf("file resize error: %s", &os.PathError{Op: "truncate", Path: "l", Err: syscall.ENOSPC}), true},
		{fmt.Errorf("file sync error: %s", syscall.EIO), false},
		{&halfDone{syscall.ENOSPC}, false}, {fmt.Errorf("x: %w", &halfDone{syscall.ENOSPC}), false},
	} {
		if got := isFull(x.err); got != x.want {
			t.Errorf("%v: got %v", x.err, got)
		}
	}
}

// TestSalvage finds the newest books in whatever is left of a file.
func TestSalvage(t *testing.T) {
	l, j, _, path := shop(t)
	for n := range uint64(40) {
		must(t, l.Fold(j.sell(n+1)))
		must(t, l.DoneJob("", n+2))
	}
	must(t, l.Close())
	text, err := os.ReadFile(path)
	must(t, err)
	if b, ok := salvage(path); !ok || b.Count != 40 {
		t.Fatalf("of a whole file: %d, %v", b.Count, ok)
	}
	filler := bytes.Repeat([]byte("books\x00\x00\x00\x00{\"Last\":99}"), (salvageChunk+maxBooks)/20)
	other := filepath.Join(t.TempDir(), "x")
	for _, before := range []int{0, 1, salvageChunk - 300, salvageChunk, salvageChunk + maxBooks - 300} {
		must(t, os.WriteFile(other, append(filler[:before:before], text...), 0o600))
		if b, ok := salvage(other); !ok || b.Count != 40 {
			t.Errorf("behind %d bytes of something else: %d, %v", before, b.Count, ok)
		}
	}
	must(t, os.WriteFile(other, filler, 0o600))
	if b, ok := salvage(other); ok {
		t.Errorf("made up: %+v", b)
	}
	if _, ok := salvage(filepath.Join(t.TempDir(), "none")); ok {
		t.Error("found in a file that is not there")
	}
}
