package store

import (
	"context"
	"database/sql"
	_ "embed"
	"time"
)

//go:embed refused.sql
var refusedSchema string

//go:embed words.sql
var wordsSchema string

// Refused is a balance and why it cannot be moved now, as package sweep names it; an empty
// Why: it can, as far as is known.
type Refused struct{ Address, Token, Why string }

// Word is one operator's, that a transaction named a balance and left it where it is. An
// empty Operator is one whose name was not kept.
type Word struct {
	Address, Token, Tx, Operator string
	Number                       uint64 // of the transaction's block
}

// Heard is how far an operator's events were read for a batch.
type Heard struct {
	Batch    int64
	Operator string
	UpTo     uint64
	Words    []Word // those that were read
}

// Sent is the transaction that the owner says he sent for a batch, and what became of it.
type Sent struct {
	Tx        string // empty: he named none
	State     string // as package sweep names it; empty: nobody was asked
	Gas, Used uint64 // that it was given, and took; 0: not known
	Seen      time.Time
}

// SweepTry is what a network said about balances that somebody wants to move.
type SweepTry struct {
	Network string
	At      time.Time
	Tried   []Refused
	Silent  []Refused        // what nobody said anything about: each stays as it was, and has had its turn
	From    map[int64]uint64 // block behind which events are read, by batch
	Heard   []Heard
	Sent    map[int64]Sent // by batch; of those that name another transaction by now, nothing is kept
}

// Empty reports that there is nothing to keep.
func (t SweepTry) Empty() bool {
	return len(t.Tried)+len(t.Silent)+len(t.From)+len(t.Heard)+len(t.Sent) == 0
}

// wordsMax bounds what is kept of one operator about one balance, the newest: anybody can
// send transactions that leave it there.
const wordsMax = 8

// SweepTried keeps it. A balance that can be moved and is in no open batch is forgotten.
func (db *DB) SweepTried(ctx context.Context, t SweepTry) error {
	return db.write(ctx, "keep refusals", func(tx *sql.Tx) error {
		for i, r := range append(t.Tried[:len(t.Tried):len(t.Tried)], t.Silent...) {
			if err := refuse(ctx, tx, t, r, i < len(t.Tried)); err != nil {
				return err
			}
		}
		for batch, n := range t.From {
			if _, err := tx.ExecContext(ctx, "UPDATE sweep_batches SET upto = max(upto, ?) WHERE id = ?", clampN(n), batch); err != nil {
				return err
			}
		}
		for _, h := range t.Heard {
			if err := hear(ctx, tx, h); err != nil {
				return err
			}
		}
		for batch, s := range t.Sent {
			if _, err := tx.ExecContext(ctx, "UPDATE sweep_sent SET state = ?, gas = ?, used = ?, seen = ? WHERE batch = ? AND tx = ?", s.State, clampN(s.Gas), clampN(s.Used), stamp(s.Seen), batch, s.Tx); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM sweep_refused AS r WHERE r.why = '' AND NOT EXISTS
			(SELECT 1 FROM sweep_items i JOIN sweep_batches b ON b.id = i.batch WHERE b.ended = 0 AND b.network = r.network
				AND i.address = r.address AND i.token = r.token AND i.state <> 'dropped')`)
		return err
	})
}

// refuse keeps that a balance which is there was asked about, and with said what came of it.
func refuse(ctx context.Context, tx *sql.Tx, t SweepTry, r Refused, said bool) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sweep_refused (network, address, token, why, tried)
		SELECT h.network, h.address, h.token, '', 0 FROM sweep_holdings h WHERE h.network = ? AND h.address = ? AND h.token = ? AND h.newest <> '0'
		ON CONFLICT DO NOTHING`, t.Network, r.Address, r.Token)
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE sweep_refused SET why = CASE WHEN ? THEN ? ELSE why END, tried = ? WHERE network = ? AND address = ? AND token = ?", said, r.Why, stamp(t.At), t.Network, r.Address, r.Token)
	}
	return err
}

// hear keeps what an operator said, and how far he was listened to.
func hear(ctx context.Context, tx *sql.Tx, h Heard) error {
	for _, w := range h.Words {
		if _, err := tx.ExecContext(ctx, "INSERT INTO sweep_words (batch, address, token, tx, operator, number) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", h.Batch, w.Address, w.Token, w.Tx, h.Operator, clampN(w.Number)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sweep_words WHERE batch = ?1 AND address = ?2 AND token = ?3 AND operator = ?4 AND n NOT IN
			(SELECT n FROM sweep_words WHERE batch = ?1 AND address = ?2 AND token = ?3 AND operator = ?4 ORDER BY n DESC LIMIT ?5)`, h.Batch, w.Address, w.Token, h.Operator, wordsMax); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO sweep_heard VALUES (?, ?, ?) ON CONFLICT (batch, operator) DO UPDATE SET upto = max(upto, excluded.upto)", h.Batch, h.Operator, clampN(h.UpTo))
	return err
}

// SweepSent keeps the transaction that the owner says he sent for an open batch, in place of
// the last one. The same one again changes nothing.
func (db *DB) SweepSent(ctx context.Context, batch int64, txID string) error {
	return db.write(ctx, "keep transaction", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sweep_sent SELECT id, ?, '', 0, 0, 0 FROM sweep_batches WHERE id = ? AND ended = 0
			ON CONFLICT (batch) DO UPDATE SET tx = excluded.tx, state = '', gas = 0, used = 0, seen = 0 WHERE tx <> excluded.tx`, txID, batch)
		return err
	})
}

// batchWords adds to a batch what operators said of it, each balance's words by age, and
// what became of the transaction that the owner named.
func (db *DB) batchWords(ctx context.Context, b *Batch) error {
	rows, err := db.r.QueryContext(ctx, "SELECT address, token, tx, operator, number FROM sweep_words WHERE batch = ? ORDER BY n", b.ID)
	if err != nil {
		return broken("read transfer", err)
	}
	defer rows.Close()
	for rows.Next() {
		var w Word
		var number int64
		if err := rows.Scan(&w.Address, &w.Token, &w.Tx, &w.Operator, &number); err != nil {
			return broken("read transfer", err)
		}
		w.Number = uint64(number)
		for i := range b.Items {
			if it := &b.Items[i]; it.Address == w.Address && it.Token == w.Token {
				it.Words = append(it.Words, w)
			}
		}
	}
	if err := rows.Err(); err != nil {
		return broken("read transfer", err)
	}
	if err := db.batchHeard(ctx, b); err != nil {
		return err
	}
	return db.batchSent(ctx, b)
}

func (db *DB) batchSent(ctx context.Context, b *Batch) error {
	rows, err := db.r.QueryContext(ctx, "SELECT tx, state, gas, used, seen FROM sweep_sent WHERE batch = ?", b.ID)
	if err != nil {
		return broken("read transfer", err)
	}
	defer rows.Close()
	for rows.Next() {
		var seen int64
		if err := rows.Scan(&b.Sent.Tx, &b.Sent.State, &b.Sent.Gas, &b.Sent.Used, &seen); err != nil {
			return broken("read transfer", err)
		}
		b.Sent.Seen = unstamp(seen)
	}
	return broken("read transfer", rows.Err())
}

func (db *DB) batchHeard(ctx context.Context, b *Batch) error {
	rows, err := db.r.QueryContext(ctx, "SELECT operator, upto FROM sweep_heard WHERE batch = ?", b.ID)
	if err != nil {
		return broken("read transfer", err)
	}
	defer rows.Close()
	b.Heard = map[string]uint64{}
	for rows.Next() {
		var operator string
		var upTo int64
		if err := rows.Scan(&operator, &upTo); err != nil {
			return broken("read transfer", err)
		}
		b.Heard[operator] = uint64(upTo)
	}
	return broken("read transfer", rows.Err())
}
