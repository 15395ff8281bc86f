// Package ledger keeps, in one bbolt file, the state that the till folded from
// its journal: open sales, the index of completed ones, payments to watch,
// answers to repeated commands, the print queue, and how much the backoffice
// still lacks.
//
// Promise. A record counts once, whenever the power goes: the number of the last
// record folded in lies in the same transaction as its effects. Nothing here is
// the truth; the journal is. A file that does not open, fails its check, or does
// not belong to the journal's history is set aside (never deleted) and folded
// anew.
//
// Gaps. Records that the journal lost are passed over, and never in silence: the
// books name them, and every receipt number, reference and offline counter that one
// of them may have given out stays used (lost.go). An index that was set aside still
// tells which numbers were used, also when it is damaged; one that ends behind the
// journal's end proves that the journal's is gone. The till starts and sells; a
// person is told.
//
// Full storage. A commit that finds no room asks for the reserve once. Without one
// the till sells on from memory, as long as the journal takes records, and the
// commit is tried again; the next start folds what is missing (room.go). An index
// that cannot even be rebuilt is kept in memory alone.
//
// What a rebuild loses: baskets not yet charged, the answers to commands that
// made no record, which refunds were decided, and which papers were already printed
// (those young enough come out once more, marked as copies).
package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// Buckets. Keys are big-endian numbers or IDs, values JSON behind a checksum.
var (
	meta    = []byte("meta")    // the names below
	open    = []byte("open")    // sale ID -> pos.Sale that is not over
	done    = []byte("done")    // sale ID -> pos.Filed
	numbers = []byte("numbers") // place in the receipt series -> sold
	watched = []byte("watched") // payment ID -> pos.Payment that can still change
	keys    = []byte("keys")    // Idempotency-Key -> kept
	keyAge  = []byte("keyage")  // sequence -> Idempotency-Key, oldest first
	prints  = []byte("prints")  // printer, NUL, job ID -> pos.PrintJob
	refunds = []byte("refunds") // payment ID -> pos.Payment that no sale needed
	doubted = []byte("doubted") // sale ID -> pos.Sale that was open when records were lost
	booked  = []byte("booked")  // pos.Unasked's ID -> sequence, of what is in the journal
	bookAge = []byte("bookage") // sequence -> that ID, oldest first
	buckets = [][]byte{meta, open, done, numbers, watched, keys, keyAge, prints, refunds, doubted, booked, bookAge}

	booksKey   = []byte("books")
	versionKey = []byte("version")
)

const (
	// version of the layout; another one is folded anew.
	version = "6"
	// maxKeys bounds the answers kept for repeated commands: a busy day has about
	// ten thousand commands, and nobody repeats yesterday's.
	maxKeys = 20_000
	// lazyFor is how long records wait before they are made durable here, together: so
	// a QR code is not held up by two fsyncs that nobody needs.
	lazyFor = 50 * time.Millisecond
	// lockWithin bounds the wait for the file's lock: another till holds it, or none does.
	lockWithin = 2 * time.Second
)

// Ledger is safe for concurrent use. Reads do not wait for each other.
type Ledger struct {
	db      *bolt.DB
	path    string                  // empty when it is kept in memory alone
	relieve func() bool             // gives a reserve back; nil when there is none
	rigid   bool                    // a commit without room is a failure: during a rebuild
	end     func(tx *bolt.Tx) error // (*bolt.Tx).Commit; a test's one may find no room

	// mu guards what follows; every access to the file holds it. What records say is
	// written into tx, where everybody reads it, and becomes durable within lazyFor: a
	// power cut loses nothing by that, for the journal has it. Everything else, and
	// with it all that waits in tx, is durable before its call returns.
	mu      sync.Mutex
	tx      *bolt.Tx // nil: nothing waits to be durable
	waiting []change // what tx holds, oldest first
	books   pos.Books
	safe    pos.Books // as they are on flash
	err     error     // a commit failed: the file lags, and nothing more is taken or told
	short   time.Time // since when commits find no room; zero when they do
	tried   time.Time // when the last of them was tried
	flush   *time.Timer
}

// change is something done to the index and the books.
type change func(tx *bolt.Tx, b *pos.Books) error

// Open opens the ledger at path and creates it when there is none. It fails with
// Corrupt when the file is there but cannot be relied on, and with Unavailable
// when another program holds it.
func Open(path string) (*Ledger, error) {
	unmark(path)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("create ledger: %w", err)
		}
	}
	db, err := openDB(path)
	if err != nil {
		return nil, err
	}
	l := &Ledger{db: db, path: path, end: (*bolt.Tx).Commit}
	if err := l.load(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return l, nil
}

// create makes the file whole under another name first: bbolt killed in its first
// initialisation leaves a file that it cannot open.
func create(path string) error {
	tmp := path + ".new"
	if err := remove(tmp); err != nil {
		return err
	}
	db, err := bolt.Open(tmp, 0o600, &bolt.Options{Timeout: lockWithin})
	if err == nil {
		err = errors.Join(layOut(db), db.Close())
	}
	if err != nil {
		return errors.Join(remove(tmp), err) // it is room that somebody needs now
	}
	return move(tmp, path)
}

// layOut makes an empty file's buckets.
func layOut(db *bolt.DB) error {
	return db.Update(func(tx *bolt.Tx) error {
		for _, b := range buckets {
			if _, err := tx.CreateBucket(b); err != nil {
				return err
			}
		}
		return put(tx.Bucket(meta), versionKey, version)
	})
}

// move renames a file that is whole and makes the new name durable.
func move(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// openDB opens the file, if it is sound. bbolt panics on some kinds of damage; a
// panic here is damage like any other.
func openDB(path string) (db *bolt.DB, err error) {
	if err := sound(path); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, pos.E("open ledger", pos.Corrupt, "the till's index is damaged: %v", p)
		}
	}()
	db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWithin, FreelistType: bolt.FreelistMapType})
	switch {
	case errors.Is(err, bolt.ErrTimeout):
		return nil, pos.Wrap("open ledger", pos.Unavailable, err, "another till program is running on these files; stop it first")
	case err != nil:
		return nil, pos.Wrap("open ledger", pos.Corrupt, err, "the till's index is damaged")
	}
	return db, nil
}

// load reads the books from a file that sound has checked.
func (l *Ledger) load() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = pos.E("check ledger", pos.Corrupt, "the till's index is damaged: %v", p)
		}
	}()
	return l.db.View(func(tx *bolt.Tx) error {
		for _, b := range buckets {
			if tx.Bucket(b) == nil {
				return pos.E("check ledger", pos.Corrupt, "the till's index lacks its part %q", b)
			}
		}
		m, v := tx.Bucket(meta), ""
		if err := get(m, versionKey, &v); err != nil || v != version {
			return pos.Wrap("check ledger", pos.Corrupt, err, "the till's index is of version %q, this program reads %q", v, version)
		}
		err := get(m, booksKey, &l.books)
		l.safe = l.books
		return err
	})
}

// Close makes everything durable that finds room and releases the file. What finds
// none is in the journal, but for baskets.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flush != nil {
		l.flush.Stop()
	}
	l.tried = time.Time{} // once more, whenever the last try was
	err := l.commit()
	if l.tx != nil {
		err = errors.Join(err, l.tx.Rollback())
		l.tx = nil
	}
	return errors.Join(err, l.db.Close())
}

// Books returns where the till stands after the last record folded in. What its
// pointers lead to never changes.
func (l *Ledger) Books() pos.Books {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.books
}

// view runs f over the newest state. f must not keep what it reads. After a failure
// nothing is read: the file lags behind the journal, and who went on from there
// would give a receipt's number out a second time.
func (l *Ledger) view(f func(tx *bolt.Tx) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil:
		return l.err
	case l.tx != nil:
		return f(l.tx)
	}
	return l.db.View(f)
}

// lazily runs f over a copy of the books, which replaces them when f succeeds. The
// change is seen at once and durable within lazyFor. When f fails, everything that
// is not durable is undone: the ledger lags behind the journal then, and refuses
// to go on from there.
func (l *Ledger) lazily(f change) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.apply(f); err != nil {
		return err
	}
	if l.flush == nil {
		l.flush = time.AfterFunc(lazyFor, l.flushLate)
	}
	return nil
}

// durably is lazily, and returns when the change and all before it are on flash, or
// in memory while there is no room on it.
func (l *Ledger) durably(f change) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.apply(f); err != nil {
		return err
	}
	return l.commit()
}

func (l *Ledger) apply(f change) (err error) {
	if l.err != nil {
		return l.err
	}
	if l.tx == nil {
		if l.tx, err = l.db.Begin(true); err != nil {
			return err
		}
	}
	b := l.books
	if err := f(l.tx, &b); err != nil {
		l.err = errors.Join(err, l.tx.Rollback())
		l.tx, l.books, l.waiting = nil, l.safe, nil
		return l.err
	}
	l.books = b
	l.waiting = append(l.waiting, f)
	return nil
}

// commit makes what waits durable. l.mu is held.
func (l *Ledger) commit() error {
	if l.tx == nil {
		return l.err
	}
	if !l.short.IsZero() && time.Since(l.tried) < retryEvery {
		return nil // there was no room a moment ago
	}
	err := l.commitOnce()
	if isFull(err) && l.relieve != nil && l.relieve() {
		if err = l.again(); err == nil {
			err = l.commitOnce()
		}
	}
	switch {
	case err == nil:
		l.safe, l.waiting = l.books, nil
		l.caughtUp()
	case isFull(err) && !l.rigid && len(l.waiting) < maxWaiting:
		l.fallBehind()
	default:
		l.err = err
	}
	if l.err != nil {
		l.books, l.waiting = l.safe, nil
		if l.tx != nil {
			l.err = errors.Join(l.err, l.tx.Rollback())
			l.tx = nil
		}
	}
	return l.err
}

// flushLate commits what records left. A failure is told to the next who writes.
func (l *Ledger) flushLate() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush = nil
	if err := l.commit(); err == nil && l.tx != nil {
		l.flush = time.AfterFunc(retryEvery, l.flushLate)
	}
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
