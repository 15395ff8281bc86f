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
// made no record, and which papers were already printed (those young enough come
// out once more, marked as copies).
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
	numbers = []byte("numbers") // place in the receipt series -> sale ID
	watched = []byte("watched") // payment ID -> pos.Payment that can still change
	keys    = []byte("keys")    // Idempotency-Key -> kept
	keyAge  = []byte("keyage")  // sequence -> Idempotency-Key, oldest first
	prints  = []byte("prints")  // job ID -> pos.PrintJob
	unsent  = []byte("unsent")  // record number -> sent
	buckets = [][]byte{meta, open, done, numbers, watched, keys, keyAge, prints, unsent}

	booksKey   = []byte("books")
	versionKey = []byte("version")
)

const (
	// version of the layout; another one is folded anew.
	version = "2"
	// maxKeys bounds the answers kept for repeated commands: a busy day has about
	// ten thousand commands, and nobody repeats yesterday's.
	maxKeys = 20_000
	// lockWithin bounds the wait for the file's lock: another till holds it, or none does.
	lockWithin = 2 * time.Second
)

// Ledger is safe for concurrent use. Reads do not wait for each other.
type Ledger struct {
	db *bolt.DB

	mu    sync.Mutex // guards books
	books pos.Books
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
	db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWithin, NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	switch {
	case errors.Is(err, bolt.ErrTimeout):
		return nil, pos.Wrap("open ledger", pos.Unavailable, err, "another till program is running on these files; stop it first")
	case err != nil:
		return nil, pos.Wrap("open ledger", pos.Corrupt, err, "the till's index is damaged")
	}
	return db, nil
}

// load checks the whole file and reads the books.
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
		for err := range tx.Check() {
			return pos.Wrap("check ledger", pos.Corrupt, err, "the till's index is damaged")
		}
		if err := checkValues(tx); err != nil {
			return err
		}
		m, v := tx.Bucket(meta), ""
		if err := get(m, versionKey, &v); err != nil || v != version {
			return pos.Wrap("check ledger", pos.Corrupt, err, "the till's index is of version %q, this program reads %q", v, version)
		}
		return get(m, booksKey, &l.books)
	})
}

// Close releases the file. It blocks until reads that are under way have ended.
func (l *Ledger) Close() error { return l.db.Close() }

// Books returns where the till stands after the last record folded in. What its
// pointers lead to never changes.
func (l *Ledger) Books() pos.Books {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.books
}

// update runs f in one durable transaction over a copy of the books, which
// replaces them when f and the commit succeed.
func (l *Ledger) update(f func(tx *bolt.Tx, b *pos.Books) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.books
	err := l.db.Update(func(tx *bolt.Tx) error {
		if err := f(tx, &b); err != nil {
			return err
		}
		return put(tx.Bucket(meta), booksKey, b)
	})
	if err != nil {
		return err
	}
	l.books = b
	return nil
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
