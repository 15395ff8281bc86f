package ledger

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// retryEvery is how often a commit is tried again that found no room: each try
	// applies everything anew that waits.
	retryEvery = 2 * time.Second
	// maxWaiting bounds what is kept in memory meanwhile, about 5 KB each: more than a
	// journal records on the reserve that a full storage is given.
	maxWaiting = 4000
	// behindSuffix marks a file that lags because there was no room: a name takes none.
	// The next start then knows that papers may have been printed which the file does
	// not know of.
	behindSuffix = ".behind"
)

// commitOnce commits tx. A failure undoes it; l.tx is nil afterwards.
func (l *Ledger) commitOnce() error {
	tx := l.tx
	l.tx = nil
	if err := put(tx.Bucket(meta), booksKey, l.books); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	number := tx.ID()
	err := l.end(tx)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("commit ledger: %w", err)
	if !isFull(err) {
		return err
	}
	next, berr := l.db.Begin(true)
	if berr != nil {
		return &halfDone{errors.Join(err, berr)}
	}
	if next.ID() != number { // its head can be read: whether it is on flash, nobody knows
		return &halfDone{errors.Join(err, next.Rollback())}
	}
	l.tx = next
	return err
}

// halfDone is the failure of a commit that may have happened. It is never tried
// again: what it holds would count twice.
type halfDone struct{ error }

// again applies everything that waits to a fresh transaction, which commitOnce left
// in l.tx.
func (l *Ledger) again() error {
	b := l.safe
	for _, f := range l.waiting {
		if err := f(l.tx, &b); err != nil {
			err = errors.Join(err, l.tx.Rollback())
			l.tx = nil
			return fmt.Errorf("apply again what found no room: %w", err)
		}
	}
	l.books = b
	return nil
}

// fallBehind goes on from memory after a commit that found no room.
func (l *Ledger) fallBehind() {
	if err := l.again(); err != nil {
		l.err = err
		return
	}
	l.tried = time.Now()
	if l.short.IsZero() {
		l.short = l.tried
		_ = os.Rename(l.path, l.path+behindSuffix) // or a paper may come out twice, both times as the original
	}
	if l.flush == nil {
		l.flush = time.AfterFunc(retryEvery, l.flushLate)
	}
}

// unmark gives a file that lags its name back, and reports that it did.
func unmark(path string) bool {
	if _, err := os.Stat(path); err == nil {
		return false
	}
	return os.Rename(path+behindSuffix, path) == nil
}

// caughtUp is called after a commit that succeeded.
func (l *Ledger) caughtUp() {
	if l.short.IsZero() || l.path == "" { // in memory alone it never does
		return
	}
	l.short = time.Time{}
	_ = os.Rename(l.path+behindSuffix, l.path) // or the next start takes it for one that lags
}

// Short returns since when the index is kept in memory for want of room on the
// storage, and false when it is not.
func (l *Ledger) Short() (since time.Time, short bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.short, !l.short.IsZero()
}

// noRoom is what is left of the error when bbolt could not make its file larger:
// DB.grow (v1.5.0) keeps only the text of it.
var noRoom = []string{syscall.ENOSPC.Error(), syscall.EDQUOT.Error()}

// isFull says whether err means that there is no room now, and may be later.
func isFull(err error) bool {
	if _, half := errors.AsType[*halfDone](err); err == nil || half {
		return false
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	return strings.HasSuffix(err.Error(), noRoom[0]) || strings.HasSuffix(err.Error(), noRoom[1])
}

// openScratch returns an empty ledger that lies in memory.
func openScratch() (*Ledger, error) {
	db, err := bolt.Open("ledger", 0o600, &bolt.Options{
		FreelistType: bolt.FreelistMapType, NoSync: true,
		OpenFile: func(string, int, os.FileMode) (*os.File, error) { return scratchFile() },
	})
	if err != nil {
		return nil, err
	}
	if err := layOut(db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Ledger{db: db, end: (*bolt.Tx).Commit}, nil
}
