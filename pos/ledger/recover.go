package ledger

import (
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Journal is the truth that the ledger is folded from.
type Journal interface {
	// Last returns number and hash of the newest record; zeros when there is none.
	Last() (uint64, pos.Hash)
	// Since yields the records above after, oldest first.
	Since(after uint64) iter.Seq2[pos.Record, error]
	// Read returns record n.
	Read(n uint64) (pos.Record, error)
}

// foldAtOnce bounds one transaction of a rebuild: memory stays small, and fsyncs few.
const foldAtOnce = 2000

// Recover opens the ledger at path, sets it aside and starts anew when it cannot
// be relied on or belongs to another history than j, and folds in what it has not
// seen. That is the whole of recovery. at names the file set aside and tells which
// papers are too old to print again.
func Recover(path string, j Journal, at time.Time, log *slog.Logger) (*Ledger, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return rebuild(path, j, at)
	}
	l, err := Open(path)
	if err == nil {
		if err = l.belongs(j); err == nil {
			err = l.follow(j, at)
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
	aside := path + ".set-aside-" + at.UTC().Format("20060102T150405.000")
	log.Warn("index set aside, folding the journal anew", "file", aside, "err", err)
	if err := os.Rename(path, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("set ledger aside: %w", err)
	}
	return rebuild(path, j, at)
}

// mayLag is more records than a till makes within lazyFor. After a power cut the
// ledger lags by no more than that, and none of its papers was begun.
const mayLag = 64

// follow folds in what the ledger has not seen. A ledger that lags by more is an
// old copy: what was printed since, nobody knows.
func (l *Ledger) follow(j Journal, at time.Time) error {
	last, _ := j.Last()
	lag := last - l.Books().Last
	if err := l.catchUp(j); err != nil || lag <= mayLag {
		return err
	}
	return l.settlePrints(at)
}

// rebuild folds the whole journal into a file beside path and moves it there when
// it is whole and on flash, so that a cut in the middle costs only time.
func rebuild(path string, j Journal, at time.Time) (*Ledger, error) {
	tmp := path + ".rebuild"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := Open(tmp)
	if err != nil {
		return nil, err
	}
	l.db.NoSync = true
	err = l.catchUp(j)
	if err == nil {
		err = errors.Join(l.settlePrints(at), l.db.Sync())
	}
	l.db.NoSync = false
	if err := errors.Join(err, l.Close()); err != nil {
		return nil, fmt.Errorf("rebuild ledger: %w", err)
	}
	if err := move(tmp, path); err != nil {
		return nil, err
	}
	return Open(path)
}

// belongs fails with Corrupt when the ledger's last record is not the journal's
// record of that number: one of the two files was replaced.
func (l *Ledger) belongs(j Journal) error {
	b := l.Books()
	if b.Last == 0 {
		return nil
	}
	last, hash := j.Last()
	if b.Last < last {
		r, err := j.Read(b.Last)
		if err != nil {
			return err
		}
		hash = r.Hash
	}
	if b.Last > last || b.Hash != hash {
		return pos.E("open ledger", pos.Corrupt, "the till's index ends at record %d of another history", b.Last)
	}
	return nil
}

func (l *Ledger) catchUp(j Journal) error {
	batch := make([]pos.Record, 0, foldAtOnce)
	for r, err := range j.Since(l.Books().Last) {
		if err != nil {
			return err
		}
		if batch = append(batch, r); len(batch) == foldAtOnce {
			if err := l.foldDurably(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return l.foldDurably(batch)
}

// foldDurably bounds how much waits in memory.
func (l *Ledger) foldDurably(batch []pos.Record) error {
	if err := l.Fold(batch...); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.commit()
}
