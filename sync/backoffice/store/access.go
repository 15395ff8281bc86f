package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Code is an enrolment code, by its hash.
type Code struct {
	Hash []byte
	Name string // what the owner calls the till
	Ask  []byte // identifies the request that made it; nil for none
	Made time.Time
	Ends time.Time
	Used bool
}

// codesMax bounds the codes that are open at once: a shop sets up a few tills.
const codesMax = 20

// AddCode keeps a new code. It fails with Conflict when c.Ask made one before, and
// with Exhausted when too many are open.
func (db *DB) AddCode(ctx context.Context, c Code) error {
	return db.write(ctx, "make code", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM codes WHERE ends < ?", stamp(c.Made.Add(-keepCodes))); err != nil {
			return err
		}
		var open, asked int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FILTER (WHERE ends > ? AND used_by IS NULL), count(*) FILTER (WHERE ask = ?) FROM codes",
			stamp(c.Made), c.Ask).Scan(&open, &asked); err != nil {
			return err
		}
		switch {
		case asked > 0:
			return pos.E("make code", pos.Conflict, "this request made its code before")
		case open >= codesMax:
			return pos.E("make code", pos.Exhausted, "%d codes are open already; use them or wait until they end", open)
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO codes (hash, name, ask, made, ends) VALUES (?, ?, ?, ?, ?)", c.Hash, c.Name, c.Ask, stamp(c.Made), stamp(c.Ends))
		return err
	})
}

// keepCodes is how long a code that ended is remembered, so that a repeated
// request is recognised.
const keepCodes = 24 * time.Hour

// Codes returns the codes made in the last day, the newest first.
func (db *DB) Codes(ctx context.Context) ([]Code, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT hash, name, ask, made, ends, used_by IS NOT NULL FROM codes ORDER BY made DESC")
	if err != nil {
		return nil, broken("list codes", err)
	}
	defer rows.Close()
	var out []Code
	for rows.Next() {
		var c Code
		var made, ends int64
		if err := rows.Scan(&c.Hash, &c.Name, &c.Ask, &made, &ends, &c.Used); err != nil {
			return nil, broken("list codes", err)
		}
		c.Made, c.Ends = unstamp(made), unstamp(ends)
		out = append(out, c)
	}
	return out, broken("list codes", rows.Err())
}

// UseCode makes t known by the code of this hash, in one transaction; t.Name is
// taken from the code when it has one. The key that used a code may use it again
// until it ends, for its answer may have been lost. It fails with Forbidden for a
// code that ended or that another key used.
func (db *DB) UseCode(ctx context.Context, hash []byte, t Till) error {
	return db.write(ctx, "enrol till", func(tx *sql.Tx) error {
		var name string
		err := tx.QueryRowContext(ctx, "SELECT name FROM codes WHERE hash = ? AND ends > ? AND (used_by IS NULL OR used_by = ?)",
			hash, stamp(t.Enrolled), []byte(t.Key)).Scan(&name)
		if errors.Is(err, sql.ErrNoRows) {
			return pos.E("enrol till", pos.Forbidden, "this code was used or is too old; ask for a new one")
		}
		if err != nil {
			return err
		}
		if name != "" {
			t.Name = name
		}
		if err := enrol(ctx, tx, t); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE codes SET used_by = ? WHERE hash = ?", []byte(t.Key), hash)
		return err
	})
}

// Attempt counts a wrong attempt and forgets those before since.
func (db *DB) Attempt(ctx context.Context, kind, who string, at, since time.Time) error {
	return db.write(ctx, "count attempt", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM attempts WHERE at < ?", stamp(since)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO attempts (kind, who, at) VALUES (?, ?, ?)", kind, who, stamp(at))
		return err
	})
}

// Attempts returns how many wrong attempts this one and everybody together made
// since an instant.
func (db *DB) Attempts(ctx context.Context, kind, who string, since time.Time) (own, all int, err error) {
	err = db.r.QueryRowContext(ctx, "SELECT count(*) FILTER (WHERE who = ?), count(*) FROM attempts WHERE kind = ? AND at >= ?", who, kind, stamp(since)).Scan(&own, &all)
	return own, all, broken("count attempts", err)
}

// Password returns the encoded hash of the owner's password, empty before one is
// set.
func (db *DB) Password(ctx context.Context) (string, error) {
	var p string
	err := db.r.QueryRowContext(ctx, "SELECT password FROM owner WHERE id = 1").Scan(&p)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return p, broken("read password", err)
}

// SetPassword keeps the owner's new password hash and ends all sessions and
// set-up links, in one transaction. Keys of the API go on.
func (db *DB) SetPassword(ctx context.Context, encoded string, at time.Time) error {
	return db.write(ctx, "set password", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM tickets WHERE kind <> ?", TicketKey); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO owner (id, password, changed) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET password = excluded.password, changed = excluded.changed", encoded, stamp(at))
		return err
	})
}

// Kinds of tickets.
const (
	TicketSession = "session" // a signed-in browser
	TicketLink    = "link"    // a set-up link; works once
	TicketKey     = "key"     // a key of the API
)

// Ticket is something that opens a door, by the hash of its random token.
type Ticket struct {
	Hash []byte
	Kind string
	Name string
	Made time.Time
	Seen time.Time
	Ends time.Time
}

// AddTicket keeps t and forgets tickets that ended.
func (db *DB) AddTicket(ctx context.Context, t Ticket) error {
	return db.write(ctx, "add ticket", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM tickets WHERE ends < ?", stamp(t.Made)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO tickets (hash, kind, name, made, seen, ends) VALUES (?, ?, ?, ?, ?, ?)",
			t.Hash, t.Kind, t.Name, stamp(t.Made), stamp(t.Made), stamp(t.Ends))
		return err
	})
}

// Ticket returns the ticket of this kind and hash. It fails with NotFound.
func (db *DB) Ticket(ctx context.Context, kind string, hash []byte) (Ticket, error) {
	var made, seen, ends int64
	t := Ticket{Hash: hash, Kind: kind}
	err := db.r.QueryRowContext(ctx, "SELECT name, made, seen, ends FROM tickets WHERE kind = ? AND hash = ?", kind, hash).Scan(&t.Name, &made, &seen, &ends)
	if errors.Is(err, sql.ErrNoRows) {
		return Ticket{}, pos.E("find ticket", pos.NotFound, "please sign in")
	}
	t.Made, t.Seen, t.Ends = unstamp(made), unstamp(seen), unstamp(ends)
	return t, broken("find ticket", err)
}

// SeeTicket notes when a ticket was last used.
func (db *DB) SeeTicket(ctx context.Context, hash []byte, at time.Time) error {
	return db.write(ctx, "see ticket", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE tickets SET seen = ? WHERE hash = ?", stamp(at), hash)
		return err
	})
}

// DropTicket forgets a ticket and reports whether it was there: of two that use a
// link at once, one is told true.
func (db *DB) DropTicket(ctx context.Context, kind string, hash []byte) (was bool, err error) {
	err = db.write(ctx, "drop ticket", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM tickets WHERE kind = ? AND hash = ?", kind, hash)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		was = n == 1
		return err
	})
	return was, err
}
