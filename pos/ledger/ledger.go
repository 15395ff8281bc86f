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
	prints  = []byte("prints")  // job ID -> pos.PrintJob
	refunds = []byte("refunds") // payment ID -> pos.Payment that no sale needed
	buckets = [][]byte{meta, open, done, numbers, watched, keys, keyAge, prints, refunds}

	booksKey   = []byte("books")
	versionKey = []byte("version")
)

const (
	// version of the layout; another one is folded anew.
	version = "3"
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
	db *bolt.DB

	// mu guards what follows; every access to the file holds it. What records say is
	// written into tx, where everybody reads it, and becomes durable within lazyFor: a
	// power cut loses nothing by that, for the journal has it. Everything else, and
	// with it all that waits in tx, is durable before its call returns.
	mu    sync.Mutex
	tx    *bolt.Tx // nil: nothing waits to be durable
	books pos.Books
	safe  pos.Books // as they are on flash
	err   error     // a commit failed: the file lags, and nothing more is taken or told
	flush *time.Timer
}

// Open opens the ledger at path and creates it when there is none. It fails with
// Corrupt when the file is there but cannot be relied on, and with Unavailable
// when another program holds it.
func Open(path string) (*Ledger, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("create ledger: %w", err)
		}
	}
	db, err := openDB(path)
	if err != nil {
		return nil, err
	}
	l := &Ledger{db: db}
	if err := l.load(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return l, nil
}

// create makes the file whole under another name first: bbolt killed in its first
// initialisation leaves a file that it cannot open.
func create(path string) error {
	tmp := path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	db, err := bolt.Open(tmp, 0o600, &bolt.Options{Timeout: lockWithin})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range buckets {
			if _, err := tx.CreateBucket(b); err != nil {
				return err
			}
		}
		return put(tx.Bucket(meta), versionKey, version)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	return move(tmp, path)
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

// Close makes everything durable and releases the file.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flush != nil {
		l.flush.Stop()
	}
	return errors.Join(l.commit(), l.db.Close())
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
func (l *Ledger) lazily(f func(tx *bolt.Tx, b *pos.Books) error) error {
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

// durably is lazily, and returns when the change and all before it are on flash.
func (l *Ledger) durably(f func(tx *bolt.Tx, b *pos.Books) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.apply(f); err != nil {
		return err
	}
	return l.commit()
}

func (l *Ledger) apply(f func(tx *bolt.Tx, b *pos.Books) error) (err error) {
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
		l.tx, l.books = nil, l.safe
		return l.err
	}
	l.books = b
	return nil
}

// commit makes what waits durable. l.mu is held.
func (l *Ledger) commit() error {
	if l.tx == nil {
		return l.err
	}
	tx := l.tx
	l.tx = nil
	if err := put(tx.Bucket(meta), booksKey, l.books); err != nil {
		l.err = errors.Join(err, tx.Rollback())
	} else if err := tx.Commit(); err != nil {
		l.err = fmt.Errorf("commit ledger: %w", err)
	}
	if l.err != nil {
		l.books = l.safe
	}
	l.safe = l.books
	return l.err
}

// flushLate commits what records left. A failure is told to the next who writes.
func (l *Ledger) flushLate() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush = nil
	l.commit() //nolint:errcheck // kept in l.err
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
