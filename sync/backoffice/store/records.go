package store

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"iter"
	"math"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Till is what the backoffice knows of a till.
type Till struct {
	ID       string
	Key      ed25519.PublicKey
	Name     string // the owner's name for it
	Series   string // prefix of its receipt numbers
	Currency string
	Enrolled time.Time
	Seen     time.Time // last request signed by it
	Head     Head
}

// Head is where a till's chain ends here.
type Head struct {
	N        uint64   // every record up to it is held; 0 before the first
	Hash     pos.Hash // of record N
	At       time.Time
	Sales    uint64 // completed sales so far, as the last one says
	Turnover int64  // their totals in minor units, as the last one says
}

// Entry is a record to store, and why it goes on the owner's red list; Red is
// empty for a record that can be booked. Loss is what a record tells of that the owner
// must hear at once; empty: nothing. Moved likewise says where money is to go.
type Entry struct {
	Record pos.Record
	Red    Reason
	Loss   string
	Moved  string
}

const tillColumns = `id, key, name, series, currency, enrolled, seen, last_n, last_hash, last_at, sales, turnover`

func scanTill(row interface{ Scan(...any) error }) (Till, error) {
	var t Till
	var hash []byte
	var enrolled, seen, n, at, sales int64
	err := row.Scan(&t.ID, &t.Key, &t.Name, &t.Series, &t.Currency, &enrolled, &seen, &n, &hash, &at, &sales, &t.Head.Turnover)
	t.Enrolled, t.Seen, t.Head.At = unstamp(enrolled), unstamp(seen), unstamp(at)
	t.Head.N, t.Head.Sales = uint64(n), uint64(sales)
	copy(t.Head.Hash[:], hash)
	return t, err
}

// Till returns the till of this name. It fails with NotFound.
func (db *DB) Till(ctx context.Context, id string) (Till, error) {
	t, err := scanTill(db.r.QueryRowContext(ctx, "SELECT "+tillColumns+" FROM tills WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Till{}, pos.E("find till", pos.NotFound, "this till is not enrolled here")
	}
	return t, broken("find till", err)
}

// Tills returns all tills in the order of their names.
func (db *DB) Tills(ctx context.Context) ([]Till, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT "+tillColumns+" FROM tills ORDER BY name, id")
	if err != nil {
		return nil, broken("list tills", err)
	}
	defer rows.Close()
	var out []Till
	for rows.Next() {
		t, err := scanTill(rows)
		if err != nil {
			return nil, broken("list tills", err)
		}
		out = append(out, t)
	}
	return out, broken("list tills", rows.Err())
}

// Count takes the counter of a till's request, whose signature is already
// checked. It fails with Conflict and the last counter when this one is not
// higher: the request was seen before.
func (db *DB) Count(ctx context.Context, till string, counter int64, at time.Time) (last int64, err error) {
	err = db.write(ctx, "count request", func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT counter FROM tills WHERE id = ?", till).Scan(&last); err != nil {
			return err
		}
		if counter <= last {
			return pos.E("count request", pos.Conflict, "this request was seen before")
		}
		_, err := tx.ExecContext(ctx, "UPDATE tills SET counter = ?, seen = ? WHERE id = ?", counter, stamp(at), till)
		return err
	})
	return last, err
}

// Hashes returns the hashes of a till's records from this number on, at most
// limit of them.
func (db *DB) Hashes(ctx context.Context, till string, from uint64, limit int) ([]pos.Hash, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT hash FROM records WHERE till = ? AND n >= ? ORDER BY n LIMIT ?", till, clampN(from), limit)
	if err != nil {
		return nil, broken("read hashes", err)
	}
	defer rows.Close()
	var out []pos.Hash
	for rows.Next() {
		var b sql.RawBytes
		if err := rows.Scan(&b); err != nil {
			return nil, broken("read hashes", err)
		}
		out = append(out, pos.Hash(b))
	}
	return out, broken("read hashes", rows.Err())
}

// Append stores consecutive records of a till after from and moves its head to
// to, all in one transaction. It fails with Conflict, and changes nothing, when
// the till's chain does not end at from any more.
func (db *DB) Append(ctx context.Context, till string, from, to Head, batch []Entry, received time.Time) error {
	return db.write(ctx, "store records", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE tills SET last_n = ?, last_hash = ?, last_at = ?, sales = ?, turnover = ? WHERE id = ? AND last_n = ? AND last_hash = ?`,
			int64(to.N), to.Hash[:], stamp(to.At), int64(to.Sales), to.Turnover, till, int64(from.N), from.Hash[:])
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(pos.E("store records", pos.Conflict, "records of this till arrived on another way"), err)
		}
		return insert(ctx, tx, till, batch, stamp(received))
	})
}

func insert(ctx context.Context, tx *sql.Tx, till string, batch []Entry, received int64) error {
	st, err := tx.PrepareContext(ctx, "INSERT INTO records (till, n, kind, at, received, hash, line) VALUES (?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer st.Close()
	for _, e := range batch {
		r := e.Record
		if _, err := st.ExecContext(ctx, till, int64(r.N), string(r.Kind), stamp(r.At), received, r.Hash[:], r.Line); err != nil {
			return err
		}
		if e.Loss != "" {
			if err := raise(ctx, tx, Alarm{Till: till, Kind: AlarmLoss, N: r.N, Why: Sentence(e.Loss)}, received); err != nil {
				return err
			}
		}
		if e.Moved != "" {
			if err := raise(ctx, tx, Alarm{Till: till, Kind: AlarmDestination, N: r.N, Why: Sentence(e.Moved)}, received); err != nil {
				return err
			}
		}
		if e.Red != "" {
			if err := raise(ctx, tx, Alarm{Till: till, Kind: AlarmRed, N: r.N, Why: e.Red}, received); err != nil {
				return err
			}
		}
	}
	return nil
}

// Kept is a record as the backoffice holds it.
type Kept struct {
	pos.Record
	Received time.Time
}

// Record returns one record. It fails with NotFound, and with Corrupt when the
// kept line does not pass its own check any more.
func (db *DB) Record(ctx context.Context, till string, n uint64) (Kept, error) {
	kept, err := db.page(ctx, till, max(n, 1)-1, 1)
	if err != nil {
		return Kept{}, err
	}
	if len(kept) == 1 && kept[0].N == n {
		return kept[0], nil
	}
	return Kept{}, pos.E("find record", pos.NotFound, "there is no record %d of this till", n)
}

// page is how many records a long read holds in memory at once.
const page = 512

// Since yields a till's records numbered above after, oldest first. No lock and
// no transaction is held while the loop body runs.
func (db *DB) Since(ctx context.Context, till string, after uint64) iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		for {
			kept, err := db.page(ctx, till, after, page)
			for _, k := range kept {
				if !yield(k, nil) {
					return
				}
				after = k.N
			}
			if err != nil {
				yield(Kept{}, err)
			}
			if err != nil || len(kept) < page {
				return
			}
		}
	}
}

// page reads at most limit records, up to the first that fails its check.
func (db *DB) page(ctx context.Context, till string, after uint64, limit int) ([]Kept, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT line, received FROM records WHERE till = ? AND n > ? ORDER BY n LIMIT ?", till, clampN(after), limit)
	if err != nil {
		return nil, broken("read records", err)
	}
	defer rows.Close()
	var out []Kept
	for rows.Next() {
		var line []byte
		var received int64
		if err := rows.Scan(&line, &received); err != nil {
			return out, broken("read records", err)
		}
		r, err := pos.ParseRecord(line)
		if err != nil {
			return out, err
		}
		out = append(out, Kept{r, unstamp(received)})
	}
	return out, broken("read records", rows.Err())
}

// Range says which of a till's records lie in a span of time. Their times never
// go back, so they are consecutive. From is 0 when there are none.
type Range struct {
	Till     string
	From, To uint64
}

// Ranges returns the records of each till from this instant on and before that
// one.
func (db *DB) Ranges(ctx context.Context, from, before time.Time) ([]Range, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT till, min(n), max(n) FROM records WHERE at >= ? AND at < ? GROUP BY till ORDER BY till", stamp(from), stamp(before))
	if err != nil {
		return nil, broken("find records", err)
	}
	defer rows.Close()
	var out []Range
	for rows.Next() {
		var r Range
		var lo, hi int64
		if err := rows.Scan(&r.Till, &lo, &hi); err != nil {
			return nil, broken("find records", err)
		}
		r.From, r.To = uint64(lo), uint64(hi)
		out = append(out, r)
	}
	return out, broken("find records", rows.Err())
}

// clampN keeps a number from outside within what the database can hold.
func clampN(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// enrol makes t known, or gives a till that is known by the same key its new
// name. It fails with Conflict when the till's name belongs to another key.
func enrol(ctx context.Context, tx *sql.Tx, t Till) error {
	var key []byte
	err := tx.QueryRowContext(ctx, "SELECT key FROM tills WHERE id = ?", t.ID).Scan(&key)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.ExecContext(ctx, `INSERT INTO tills (id, key, name, series, currency, enrolled, seen, counter, last_n, last_hash, last_at, sales, turnover)
			VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, 0, 0, 0)`, t.ID, []byte(t.Key), t.Name, t.Series, t.Currency, stamp(t.Enrolled), stamp(t.Enrolled), make([]byte, len(pos.Hash{})))
		return err
	case err != nil:
		return err
	case !bytes.Equal(key, t.Key):
		return pos.E("enrol till", pos.Conflict, "a till of this name is enrolled with another key")
	}
	_, err = tx.ExecContext(ctx, "UPDATE tills SET name = ?, enrolled = ?, seen = ? WHERE id = ?", t.Name, stamp(t.Enrolled), stamp(t.Enrolled), t.ID)
	return err
}
