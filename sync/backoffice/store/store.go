// Package store keeps the backoffice's records, and what it knows of tills,
// alarms and people, in SQLite.
//
// Promise. What a method confirmed survives the process being killed and the
// power being cut: every write is one transaction that is on disk (synchronous
// FULL) when it returns. Records are kept as their exact lines and are never
// changed or deleted. A till's last number and hash move in the very transaction
// that stores the records, and only from where the caller believed them to be, so
// two server processes cannot both extend one chain.
//
// Limits. One writer at a time, which serves a shop with some dozens of tills.
// The methods name no technology, and the SQL is plain: for a chain of shops the
// same methods come over PostgreSQL.
//
// Damage. The database is not the only copy of an unacknowledged record, but it
// may be the only one of an old, acknowledged one: back the data directory up.
// After a restore from a backup the tills send again what is missing.
package store

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"modernc.org/sqlite" // the "sqlite" driver
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tillwright/tillwright/pos"
)

// Bounds of the connection pools.
const (
	readers    = 4                // pages of a dashboard that one owner has open
	busyWithin = 10 * time.Second // how long a write waits for another process: `backoffice code` beside `run`
)

//go:embed schema.sql
var schema string

//go:embed offline.sql
var offlineSchema string

// steps make each version of the schema from the one before. A step that was once
// released does not change; the number of those taken is kept in the database.
var steps = [...]string{schema, offlineSchema, sweepSchema, recoverSchema, watchSchema, runsSchema, refusedSchema, wordsSchema}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	w *sql.DB // one connection: SQLite has one writer
	r *sql.DB
}

// Open opens the database in this file, and makes it if need be. It fails with a
// pos.Error: Corrupt for a file that is none, Invalid for one of a newer version.
func Open(ctx context.Context, path string) (*DB, error) {
	if err := private(path); err != nil {
		return nil, err
	}
	w, err := open(path, "", 1)
	if err != nil {
		return nil, err
	}
	if err := patiently(ctx, func() error { return prepare(ctx, w) }); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	r, err := open(path, "&_pragma=query_only(1)", readers)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return &DB{w, r}, nil
}

// private makes the file if need be, readable by its owner alone: SQLite would make
// it readable by everybody, and gives its side files the same mode. A file that is
// there is not touched: closing it would drop the locks of this very process on it
// (POSIX, fcntl).
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return broken("open database", err)
	}
	return f.Close()
}

func open(path, more string, conns int) (*sql.DB, error) {
	dsn := fmt.Sprintf("file:%s?_txlock=immediate&_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)%s",
		(&url.URL{Path: path}).EscapedPath(), busyWithin.Milliseconds(), more)
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, broken("open database", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// busyPause is the pause between two tries to open a database that another process
// is opening too.
const busyPause = 20 * time.Millisecond

// patiently tries again while another process is switching the new file to its
// write-ahead log: for that one step SQLite does not wait by itself.
func patiently(ctx context.Context, do func() error) error {
	for end := time.Now().Add(busyWithin); ; {
		err := do()
		if e, ok := errors.AsType[*sqlite.Error](err); !ok || e.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(end) {
			return err
		}
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
			return err
		}
	}
}

// prepare makes the schema, or brings that of an older backoffice forward, in one
// transaction: a process killed half way leaves the database as it was.
func prepare(ctx context.Context, db *sql.DB) error {
	return inTx(ctx, db, func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
			return pos.Wrap("open database", pos.Corrupt, err, "the file is not a backoffice database")
		}
		switch {
		case version == len(steps):
			return nil
		case version > len(steps):
			return pos.E("open database", pos.Invalid, "the database was written by a newer backoffice; install that version")
		}
		for _, step := range steps[version:] {
			if _, err := tx.ExecContext(ctx, step); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(steps)))
		return err
	})
}

// Close closes the database. Nothing is lost by not calling it.
func (db *DB) Close() error { return errors.Join(db.r.Close(), db.w.Close()) }

// Check reads the whole database and fails with Corrupt if SQLite finds damage.
func (db *DB) Check(ctx context.Context) error {
	var word string
	if err := db.r.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&word); err != nil {
		return broken("check database", err)
	}
	if word != "ok" {
		return pos.E("check database", pos.Corrupt, "the database is damaged (%s); restore the backup", word)
	}
	return nil
}

// write runs do in one durable transaction. A pos.Error of do's comes back as it
// is; anything else is Unavailable: nothing was changed.
func (db *DB) write(ctx context.Context, op string, do func(*sql.Tx) error) error {
	return broken(op, inTx(ctx, db.w, do))
}

func inTx(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// broken makes a driver's error one that a caller can act on.
func broken(op string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*pos.Error](err); ok {
		return e
	}
	return pos.Say(op, pos.Unavailable, err, "bo_no_database")
}

// stamp and unstamp keep times as microseconds: sortable, and the same in every
// database. The zero time is 0.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func unstamp(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
