package store

import (
	"context"
	"database/sql"
	_ "embed"
)

//go:embed refused.sql
var refusedSchema string

// Refusal is what is known of a balance that stays where it is.
type Refusal struct {
	Why string // it cannot be moved now, as package sweep names it; empty: it can, as far as is known
	Tx  string // the last transaction that named it and left it there; empty: none is known
}

// Refused is a balance and its refusal.
type Refused struct {
	Address, Token string
	Refusal
}

// SweepTry is what a network said about balances that somebody wants to move.
type SweepTry struct {
	Network string
	Tried   []Refused        // each with its Why, or without one; Tx is not looked at
	Skipped []Refused        // each with its Tx; Why is not looked at
	UpTo    map[int64]uint64 // newest block whose events were read, by batch
}

// SweepTried keeps it. A balance that can be moved is forgotten, unless a transaction of an
// open batch left it there.
func (db *DB) SweepTried(ctx context.Context, t SweepTry) error {
	return db.write(ctx, "keep refusals", func(tx *sql.Tx) error {
		for _, r := range t.Skipped {
			if err := refuse(ctx, tx, "tx", r.Tx, t.Network, r); err != nil {
				return err
			}
		}
		for _, r := range t.Tried {
			if err := refuse(ctx, tx, "why", r.Why, t.Network, r); err != nil {
				return err
			}
		}
		for batch, n := range t.UpTo {
			if _, err := tx.ExecContext(ctx, "UPDATE sweep_batches SET upto = max(upto, ?) WHERE id = ?", clampN(n), batch); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM sweep_refused AS r WHERE r.why = '' AND (r.tx = '' OR NOT EXISTS
			(SELECT 1 FROM sweep_items i JOIN sweep_batches b ON b.id = i.batch WHERE b.ended = 0 AND b.network = r.network
				AND i.address = r.address AND i.token = r.token AND i.state <> 'dropped'))`)
		return err
	})
}

// refuse sets one column of a balance that is there.
func refuse(ctx context.Context, tx *sql.Tx, column, value, network string, r Refused) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sweep_refused (network, address, token, why, tx)
		SELECT h.network, h.address, h.token, '', '' FROM sweep_holdings h WHERE h.network = ? AND h.address = ? AND h.token = ? AND h.newest <> '0'
		ON CONFLICT DO NOTHING`, network, r.Address, r.Token)
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE sweep_refused SET "+column+" = ? WHERE network = ? AND address = ? AND token = ?", value, network, r.Address, r.Token)
	}
	return err
}
