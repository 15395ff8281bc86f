package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// Journal is the truth that the ledger is folded from.
type Journal interface {
	// Last returns number and hash of the newest record; zeros when there is none.
	Last() (uint64, pos.Hash)
	// Since yields the records above after, oldest first. It ends with Corrupt at a
	// record that is damaged; the one behind it is had by asking for those above it.
	Since(after uint64) iter.Seq2[pos.Record, error]
	// Read returns record n; Corrupt when it is damaged.
	Read(n uint64) (pos.Record, error)
}

const (
	// foldAtOnce bounds one transaction of a rebuild: memory stays small, and fsyncs few.
	foldAtOnce = 2000
	// mayLag is more records than a till makes within lazyFor. After a power cut the
	// ledger lags by no more than that, and none of its papers was begun.
	mayLag = 64
	// asideInfix names files that were set aside.
	asideInfix = ".set-aside-"
)

// Option is something that Recover may be told.
type Option func(*recovery)

// WithGaps names the records that the journal lost, with the reasons. They are in
// the books' Lost also when the index itself had them: the proof is gone. Without
// it Recover finds only those that it meets.
func WithGaps(gaps []pos.Gap) Option { return func(r *recovery) { r.gaps = gaps } }

// WithRelief has relieve give a reserve back when storage is full; it reports that
// there was one.
func WithRelief(relieve func() bool) Option { return func(r *recovery) { r.relieve = relieve } }

// recovery is one start of the till.
type recovery struct {
	path    string
	j       Journal
	at      time.Time
	log     *slog.Logger
	gaps    []pos.Gap
	relieve func() bool
	make    func() error // rebuildFile; a test's one may find no room
}

// Recover opens the ledger at path, sets it aside and starts anew when it cannot
// be relied on or belongs to another history than j, and folds in what it has not
// seen, across whatever j lost. That is the whole of recovery. at names the file set
// aside and tells which papers are too old to print again.
//
// What was lost is in Books().Lost, and Untold while no record says so. A full
// storage is no failure: see Short. It fails with Unavailable when another program
// holds the file, and with Internal when the storage fails.
func Recover(path string, j Journal, at time.Time, log *slog.Logger, options ...Option) (*Ledger, error) {
	r := &recovery{path: path, j: j, at: at, log: log}
	r.make = r.rebuildFile
	for _, o := range options {
		o(r)
	}
	return r.start()
}

func (r *recovery) start() (*Ledger, error) {
	l, err := r.recover()
	if err != nil {
		return nil, err
	}
	l.relieve = r.relieve
	if err := r.note(l); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if b := l.Books(); b.Untold {
		r.log.Error("the till lost records; keep the storage, call the owner", "lost", b.Lost.Text("en"), "count", b.Count, "gaps", len(b.Lost.Gaps))
	}
	if _, short := l.Short(); short {
		r.log.Error("no room for the index, it is kept in memory; make room on the storage", "file", r.path)
	}
	return l, nil
}

func (r *recovery) recover() (*Ledger, error) {
	behind := unmark(r.path)
	if _, err := os.Stat(r.path); errors.Is(err, os.ErrNotExist) {
		return r.rebuild()
	}
	l, err := Open(r.path)
	if err == nil {
		l.relieve = r.relieve
		if err = r.belongs(l.Books()); err == nil {
			err = r.follow(l, behind)
		}
		if err == nil {
			return l, nil
		}
		if cerr := l.Close(); cerr != nil {
			return nil, errors.Join(err, cerr)
		}
	}
	if pos.KindOf(err) != pos.Corrupt {
		return nil, err
	}
	unmark(r.path)
	aside := r.path + asideInfix + r.at.UTC().Format("20060102T150405.000")
	r.log.Warn("index set aside, folding the journal anew", "file", aside, "err", err)
	if err := os.Rename(r.path, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("set ledger aside: %w", err)
	}
	return r.rebuild()
}

// note adds what the journal lost to the books, where the index had it all.
func (r *recovery) note(l *Ledger) error {
	b := l.Books()
	known := pos.RecordsLost{}
	if b.Lost != nil {
		known = *b.Lost
	}
	all := known
	for _, g := range r.gaps {
		if g.Last <= b.Last {
			all = all.With(g)
		}
	}
	if same(all, known) {
		return nil
	}
	return l.durably(func(_ *bolt.Tx, b *pos.Books) error {
		lose(b, func(l *pos.RecordsLost) { l.Gaps = all.Gaps })
		return nil
	})
}

// follow folds in what the ledger has not seen. A ledger that lags by more than a
// moment's records, or that says so, is an old copy: what was printed since, nobody
// knows.
func (r *recovery) follow(l *Ledger, behind bool) error {
	last, _ := r.j.Last()
	lag := last - l.Books().Last
	if err := r.catchUp(l); err != nil || lag <= mayLag && !behind {
		return err
	}
	return l.settlePrints(r.at)
}

// rebuild folds the whole journal into a file beside path and moves it there when
// it is whole and on flash, so that a cut in the middle costs only time. Without
// room for it the index is made in memory: the next start tries again.
func (r *recovery) rebuild() (*Ledger, error) {
	err := r.make()
	if isFull(err) && r.relieve != nil && r.relieve() {
		err = r.make()
	}
	switch {
	case err == nil:
		return Open(r.path)
	case !isFull(err):
		return nil, fmt.Errorf("rebuild ledger: %w", err)
	}
	l, err := openScratch()
	if err != nil {
		return nil, fmt.Errorf("rebuild ledger in memory: %w", err)
	}
	if err := r.fill(l); err != nil {
		return nil, errors.Join(fmt.Errorf("rebuild ledger in memory: %w", err), l.Close())
	}
	l.short = time.Now()
	return l, nil
}

func (r *recovery) rebuildFile() error {
	tmp := r.path + ".rebuild"
	if err := remove(tmp); err != nil {
		return err
	}
	l, err := Open(tmp)
	if err != nil {
		return errors.Join(err, remove(tmp))
	}
	l.rigid, l.db.NoSync = true, true
	err = r.fill(l)
	if err == nil {
		err = l.db.Sync()
	}
	l.db.NoSync = false
	if err = errors.Join(err, l.Close()); err == nil {
		err = move(tmp, r.path)
	}
	if err != nil {
		err = errors.Join(remove(tmp), err) // last: isFull looks at the end
	}
	return err
}

// remove removes a file that may not be there.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// fill folds the whole journal into an empty ledger, and adopts the numbers that
// the files set aside know of.
func (r *recovery) fill(l *Ledger) error {
	if err := r.catchUp(l); err != nil {
		return err
	}
	for _, old := range r.salvaged() {
		parted := r.parted(old)
		err := l.durably(func(_ *bolt.Tx, b *pos.Books) error {
			adopt(b, old, parted)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return l.settlePrints(r.at)
}

// salvaged returns the books of every file set aside, oldest first. All of them are
// looked at: power may have gone between setting one aside and the end of a rebuild.
func (r *recovery) salvaged() []pos.Books {
	files, err := filepath.Glob(globbed(r.path) + asideInfix + "*")
	if err != nil {
		r.log.Warn("files set aside not found", "err", err)
	}
	var out []pos.Books
	for _, f := range files {
		if b, ok := salvage(f); ok {
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b pos.Books) int { return cmp.Compare(a.Last, b.Last) })
	return out
}

// globbed quotes what Glob would take for a pattern.
func globbed(path string) string {
	var out []byte
	for _, c := range []byte(path) {
		if bytes.IndexByte([]byte(`*?[\`), c) >= 0 {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return string(out)
}

// belongs fails with Corrupt when the ledger's last record is not the journal's
// record of that number: one of the two files was replaced.
func (r *recovery) belongs(b pos.Books) error {
	if r.parted(b) {
		return pos.E("open ledger", pos.Corrupt, "the till's index ends at record %d of another history", b.Last)
	}
	return nil
}

// parted reports that b's last record is not the journal's record of that number. A
// damaged one is known by the link of the one behind it; if that is damaged too,
// nobody knows, and b is believed.
func (r *recovery) parted(b pos.Books) bool {
	last, hash := r.j.Last()
	switch {
	case b.Last == 0:
		return false
	case b.Last >= last:
		return b.Last > last || b.Hash != hash
	}
	if own, err := r.j.Read(b.Last); err == nil {
		return b.Hash != own.Hash
	}
	next, err := r.j.Read(b.Last + 1)
	return err == nil && b.Hash != next.Prev
}

// catchUp folds everything that l has not seen, and passes over what is damaged.
func (r *recovery) catchUp(l *Ledger) error {
	for {
		err := r.catchUpTo(l)
		if damaged, ok := errors.AsType[*damage](err); ok {
			err = r.pass(l, damaged)
		} else if err == nil {
			return r.finish(l)
		}
		if err != nil {
			return err
		}
	}
}

// damage is the failure of a record that the journal cannot give.
type damage struct{ error }

// catchUpTo folds up to the journal's end, or to a damage.
func (r *recovery) catchUpTo(l *Ledger) error {
	batch := make([]pos.Record, 0, foldAtOnce)
	for rec, err := range r.j.Since(l.Books().Last) {
		if pos.KindOf(err) == pos.Corrupt && err != nil {
			return cmp.Or(l.foldDurably(batch), error(&damage{err}))
		}
		if err != nil {
			return err
		}
		if batch = append(batch, rec); len(batch) == foldAtOnce {
			if err := l.foldDurably(batch); err != nil {
				return err
			}
			batch = batch[:0:0] // what was folded may have to be folded again
		}
	}
	return l.foldDurably(batch)
}

// pass takes the next record, or the known gap that begins with it, for lost.
func (r *recovery) pass(l *Ledger, why *damage) error {
	n := l.Books().Last + 1
	g := pos.Gap{First: n, Last: n, Why: why.Error()}
	for _, known := range r.gaps {
		if known.First <= n && n <= known.Last {
			g.Last, g.Why = known.Last, known.Why
		}
	}
	hash := pos.Hash{}
	last, newest := r.j.Last()
	if g.Last = min(g.Last, last); g.Last == last {
		hash = newest
	}
	return l.lazily(func(tx *bolt.Tx, b *pos.Books) error { return gap(tx, b, g, hash) })
}

// finish names the sales that no record behind the gap told of.
func (r *recovery) finish(l *Ledger) error {
	if sales, err := all[pos.Sale](l, doubted); err != nil || len(sales) == 0 {
		return err
	}
	return l.durably(giveUpDoubted)
}

// foldDurably bounds how much waits in memory. A record whose body cannot be read is
// passed over.
func (l *Ledger) foldDurably(batch []pos.Record) error {
	if len(batch) == 0 {
		return nil
	}
	return l.durably(func(tx *bolt.Tx, b *pos.Books) error { return fold(tx, b, batch, true) })
}
