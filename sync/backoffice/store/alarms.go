package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Kinds of alarms.
const (
	AlarmFork    = "fork"    // the till signed another record than the one held under this number
	AlarmCorrupt = "corrupt" // a record failed its check on arrival and was not stored
	AlarmRed     = "red"     // the record is stored and cannot be booked

	AlarmLoss = "unverified_loss" // a payment taken by a customer's word did not come, or not in full

	AlarmDestination = "destination" // the till was told to send money to another address than before

	AlarmRefuted  = "offline_refuted"  // the till took a code of a payment that was never made; N is the token's counter
	AlarmConflict = "offline_conflict" // two tokens bear this counter, or one that nobody could have made

	AlarmSeeds = "address_seeds" // the till sent another till's secret of addresses, or too many of its own; N is 0
)

// Bounds on what a broken or stolen till can make us keep. Red alarms need none:
// each stands for one record that is stored anyway.
const (
	alarmsMax = 500    // open alarms of a till and kind
	forksMax  = 20_000 // records of a fork a till; a month of a small shop
)

// Alarm is something that the owner must look at. It stays open until the owner
// says that it is dealt with.
type Alarm struct {
	ID    int64
	Till  string
	Kind  string
	N     uint64 // record it is about
	Why   Reason
	First time.Time
	Last  time.Time
	Times int64
}

// Alarm raises a, or counts it again. Past a bound it is dropped: the owner has
// 500 of its kind to look at.
func (db *DB) Alarm(ctx context.Context, a Alarm, at time.Time) error {
	return db.write(ctx, "raise alarm", func(tx *sql.Tx) error {
		var open int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM alarms WHERE till = ? AND kind = ? AND n <> ?", a.Till, a.Kind, clampN(a.N)).Scan(&open); err != nil || open >= alarmsMax {
			return err
		}
		return raise(ctx, tx, a, stamp(at))
	})
}

func raise(ctx context.Context, tx *sql.Tx, a Alarm, at int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO alarms (till, kind, n, why, first, last, times, done) VALUES (?, ?, ?, ?, ?, ?, 1, 0)
		ON CONFLICT (till, kind, n) DO UPDATE SET why = excluded.why, last = excluded.last, times = times + 1, done = 0`,
		a.Till, a.Kind, clampN(a.N), a.Why, at, at)
	return err
}

// Fork keeps records that contradict the chain as evidence, and raises the alarm,
// in one transaction. Records that are kept already are passed over.
func (db *DB) Fork(ctx context.Context, a Alarm, evidence []pos.Record, at time.Time) error {
	return db.write(ctx, "keep fork", func(tx *sql.Tx) error {
		var kept int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM forks WHERE till = ?", a.Till).Scan(&kept); err != nil {
			return err
		}
		for _, r := range evidence[:min(len(evidence), max(forksMax-kept, 0))] {
			if _, err := tx.ExecContext(ctx, "INSERT INTO forks (till, n, hash, received, line) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
				a.Till, clampN(r.N), r.Hash[:], stamp(at), r.Line); err != nil {
				return err
			}
		}
		return raise(ctx, tx, a, stamp(at))
	})
}

// Forks returns the lines kept as evidence against a till, in the order of their
// numbers.
func (db *DB) Forks(ctx context.Context, till string) ([][]byte, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT line FROM forks WHERE till = ? ORDER BY n, received", till)
	if err != nil {
		return nil, broken("read forks", err)
	}
	defer rows.Close()
	var out [][]byte
	for rows.Next() {
		var line []byte
		if err := rows.Scan(&line); err != nil {
			return nil, broken("read forks", err)
		}
		out = append(out, line)
	}
	return out, broken("read forks", rows.Err())
}

// alarmPage is how many alarms are shown at once; who has more deals with these
// first.
const alarmPage = 200

// Alarms returns the open alarms, forks first, then the newest.
func (db *DB) Alarms(ctx context.Context) ([]Alarm, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT id, till, kind, n, why, first, last, times FROM alarms WHERE done = 0
		ORDER BY CASE kind WHEN 'fork' THEN 0 WHEN 'corrupt' THEN 1 WHEN 'red' THEN 3 ELSE 2 END, last DESC, n DESC LIMIT ?`, alarmPage)
	if err != nil {
		return nil, broken("list alarms", err)
	}
	defer rows.Close()
	var out []Alarm
	for rows.Next() {
		var a Alarm
		var n, first, last int64
		if err := rows.Scan(&a.ID, &a.Till, &a.Kind, &n, &a.Why, &first, &last, &a.Times); err != nil {
			return nil, broken("list alarms", err)
		}
		a.N, a.First, a.Last = uint64(n), unstamp(first), unstamp(last)
		out = append(out, a)
	}
	return out, broken("list alarms", rows.Err())
}

// AlarmDone says that the owner dealt with an alarm. The same trouble raises it
// again. An alarm that is not there is done.
func (db *DB) AlarmDone(ctx context.Context, id int64, at time.Time) error {
	return db.write(ctx, "close alarm", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE alarms SET done = ? WHERE id = ? AND done = 0", stamp(at), id)
		return err
	})
}
