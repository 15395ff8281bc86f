package store

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

//go:embed sweep.sql
var sweepSchema string

//go:embed watch.sql
var watchSchema string

// Deposit is the address of one stablecoin payment.
type Deposit struct {
	Address, Reference, Treasury string
	Till                         string        // empty: its secret came from paper
	Payment                      pos.PaymentID // empty: no record names it, a search found it
	Made                         time.Time
	Next                         time.Time // when to look there next
	// Closed: the record that named it says that nothing about its payment can change any more.
	Closed bool
}

// Holding is one token's balance at a deposit, on one network. Units are whole
// numbers as text.
type Holding struct {
	Network, Address, Token string
	Symbol                  string
	Decimals                int
	Newest, Final           string
	Seen                    time.Time
	Deposit                 Deposit
	Batch                   int64     // the open batch that it is in; 0 for none
	Why                     string    // it cannot be moved now, as package sweep names it; empty: it can, as far as is known
	Tried                   time.Time // when the network was last asked about it; zero: never, or so long ago that it is forgotten
	// Closed: the last record of every payment that named the deposit says that nothing can
	// change any more. Began is when the newest of these payments was first told of; zero: no
	// record names it.
	Closed bool
	Began  time.Time
}

// Batch is a transaction that the owner was given to sign.
type Batch struct {
	ID                int64
	Network, Treasury string
	Made, Ended       time.Time         // Ended is zero while it is open
	UpTo              uint64            // block behind which events are read for it; 0: not known
	Heard             map[string]uint64 // newest block whose events are read, by operator
	Items             []BatchItem
	Sent              Sent
}

// BatchItem is one balance of a batch.
type BatchItem struct {
	Address, Token, Symbol string
	Decimals               int
	Units                  string
	State                  ItemState
	Reference              string
	Why                    string // as Holding's
	Words                  []Word // that transactions left it there, by age
}

// ItemState says how far an item of a batch is.
type ItemState string

// States of an item, in the order of a life. Gone: the network took the payment back, or the
// token's issuer destroyed it. Dropped: the owner gave the batch up.
const (
	ItemWaiting ItemState = "waiting"
	ItemMoved   ItemState = "moved" // at the newest block
	ItemDone    ItemState = "done"  // it cannot be undone
	ItemGone    ItemState = "gone"  // nothing lies there, and nothing was ever moved from there
	ItemDropped ItemState = "dropped"
)

// SweepUnread returns the records about payments of a till that were not looked at for
// their addresses, oldest first and at most some hundreds, and the number up to which
// all are among them; 0 means that there is nothing new.
func (db *DB) SweepUnread(ctx context.Context, till string) (records []Kept, upTo uint64, err error) {
	var read, last int64
	err = db.r.QueryRowContext(ctx, "SELECT coalesce(r.n, 0), t.last_n FROM tills t LEFT JOIN sweep_read r ON r.till = t.id WHERE t.id = ?", till).Scan(&read, &last)
	if errors.Is(err, sql.ErrNoRows) || err == nil && read >= last {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, broken("read records", err)
	}
	rows, err := db.r.QueryContext(ctx, "SELECT line, received FROM records WHERE till = ? AND n > ? AND n <= ? AND kind = ? ORDER BY n LIMIT ?", till, read, last, string(pos.KindPayment), page)
	if err != nil {
		return nil, 0, broken("read records", err)
	}
	defer rows.Close()
	for rows.Next() {
		var line []byte
		var received int64
		if err := rows.Scan(&line, &received); err != nil {
			return nil, 0, broken("read records", err)
		}
		r, err := pos.ParseRecord(line)
		if err != nil {
			return nil, 0, err
		}
		records = append(records, Kept{r, unstamp(received)})
	}
	if len(records) == page {
		last = int64(records[page-1].N)
	}
	return records, uint64(last), broken("read records", rows.Err())
}

// SweepAdd keeps addresses that records of a till named, in the records' order, and that its
// records up to n were looked at. An address that is known stays as it is, but is looked at soon; one
// that only a search knew is that sale's from now on.
func (db *DB) SweepAdd(ctx context.Context, till string, n uint64, ds []Deposit) error {
	return db.write(ctx, "keep addresses", func(tx *sql.Tx) error {
		for _, d := range ds {
			_, err := tx.ExecContext(ctx, `INSERT INTO sweep_deposits VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (address) DO UPDATE SET next = min(next, excluded.next),
					reference = CASE payment WHEN '' THEN excluded.reference ELSE reference END, till = CASE payment WHEN '' THEN excluded.till ELSE till END,
					made = CASE payment WHEN '' THEN excluded.made ELSE made END, payment = CASE payment WHEN '' THEN excluded.payment ELSE payment END`,
				d.Address, d.Reference, d.Treasury, till, string(d.Payment), stamp(d.Made), stamp(d.Next))
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, "INSERT INTO sweep_watched VALUES (?, ?, ?, ?, ?) ON CONFLICT (address, till, payment) DO UPDATE SET final = excluded.final",
				d.Address, till, string(d.Payment), stamp(d.Made), d.Closed)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO sweep_read VALUES (?, ?) ON CONFLICT (till) DO UPDATE SET n = max(n, excluded.n)", till, clampN(n))
		return err
	})
}

const depositColumns = "d.address, d.reference, d.treasury, coalesce(d.till, ''), d.payment, d.made, d.next"

func scanDeposit(d *Deposit, made, next *int64) []any {
	return []any{&d.Address, &d.Reference, &d.Treasury, &d.Till, &d.Payment, made, next}
}

// SweepDue returns addresses that should be looked at, the most urgent first.
func (db *DB) SweepDue(ctx context.Context, now time.Time, limit int) ([]Deposit, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT "+depositColumns+" FROM sweep_deposits d WHERE d.next <= ? ORDER BY d.next, d.address LIMIT ?", stamp(now), limit)
	if err != nil {
		return nil, broken("list addresses", err)
	}
	defer rows.Close()
	var out []Deposit
	for rows.Next() {
		var d Deposit
		var made, next int64
		if err := rows.Scan(scanDeposit(&d, &made, &next)...); err != nil {
			return nil, broken("list addresses", err)
		}
		d.Made, d.Next = unstamp(made), unstamp(next)
		out = append(out, d)
	}
	return out, broken("list addresses", rows.Err())
}

// SweepLook is what one look at addresses saw.
type SweepLook struct {
	At       time.Time
	Networks []LookNetwork        // those that answered
	Looked   map[string]time.Time // address: when to look there next
	Holdings []Holding            // all that lies there on these networks
}

// LookNetwork is how far a look at one network went.
type LookNetwork struct {
	Key     string
	Counted []string // tokens: what is not among Holdings of these is not there
	Made    []string // addresses that something was moved from, ever
}

// SweepSaw keeps what a look saw: what is not among it any more is moved, for certain, or
// gone; items of batches follow. A token that was not counted stays as it was.
func (db *DB) SweepSaw(ctx context.Context, l SweepLook) error {
	return db.write(ctx, "keep balances", func(tx *sql.Tx) error {
		for address, next := range l.Looked {
			if _, err := tx.ExecContext(ctx, "UPDATE sweep_deposits SET next = ? WHERE address = ?", stamp(next), address); err != nil {
				return err
			}
			for _, n := range l.Networks {
				if _, err := tx.ExecContext(ctx, "DELETE FROM sweep_holdings WHERE network = ? AND address = ? AND token IN ("+marks(len(n.Counted))+")", args(n.Counted, n.Key, address)...); err != nil {
					return err
				}
			}
		}
		for _, h := range l.Holdings {
			if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO sweep_holdings VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
				h.Network, h.Address, h.Token, h.Symbol, h.Decimals, h.Newest, h.Final, stamp(l.At)); err != nil {
				return err
			}
		}
		return sweepFollow(ctx, tx, l)
	})
}

// marks are n places for arguments; args are some, and a list behind them.
func marks(n int) string { return strings.TrimPrefix(strings.Repeat(", ?", n), ", ") }

func args(list []string, first ...any) []any {
	for _, s := range list {
		first = append(first, s)
	}
	return first
}

// sweepFollow moves the items of open batches by what lies at their addresses now, ends
// batches of which nothing is left to be done, and forgets refusals of what is not there.
func sweepFollow(ctx context.Context, tx *sql.Tx, l SweepLook) error {
	for _, n := range l.Networks {
		for address := range l.Looked {
			left := ItemDone // what is not at the newest block was moved
			if !slices.Contains(n.Made, address) {
				left = ItemGone
			}
			_, err := tx.ExecContext(ctx, `UPDATE sweep_items AS i SET state = coalesce(
				(SELECT CASE WHEN h.newest <> '0' THEN 'waiting' WHEN ? = 'gone' THEN 'gone' ELSE 'moved' END FROM sweep_holdings h WHERE h.network = ? AND h.address = i.address AND h.token = i.token), ?)
				WHERE i.address = ? AND i.state IN ('waiting', 'moved', 'gone') AND i.batch IN (SELECT id FROM sweep_batches WHERE network = ? AND ended = 0)`,
				string(left), n.Key, string(left), address, n.Key)
			if err != nil {
				return err
			}
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM sweep_refused AS r WHERE NOT EXISTS (SELECT 1 FROM sweep_holdings h
		WHERE h.network = r.network AND h.address = r.address AND h.token = r.token AND h.newest <> '0')`); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE sweep_batches SET ended = ? WHERE ended = 0
		AND NOT EXISTS (SELECT 1 FROM sweep_items i WHERE i.batch = id AND (i.state IN ('waiting', 'moved') OR i.state = 'gone'
			AND EXISTS (SELECT 1 FROM sweep_holdings h WHERE h.network = sweep_batches.network AND h.address = i.address AND h.token = i.token)))`, stamp(l.At))
	return err
}

// SweepHoldings returns what lies at addresses, by network, treasury and age; at most
// limit balances.
func (db *DB) SweepHoldings(ctx context.Context, limit int) ([]Holding, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT h.network, h.address, h.token, h.symbol, h.decimals, h.newest, h.final, h.seen,
		coalesce((SELECT b.id FROM sweep_items i JOIN sweep_batches b ON b.id = i.batch WHERE b.ended = 0 AND b.network = h.network
			AND i.address = h.address AND i.token = h.token AND i.state <> 'dropped' LIMIT 1), 0),
		coalesce((SELECT min(w.final) FROM sweep_watched w WHERE w.address = h.address), 0), coalesce((SELECT max(w.began) FROM sweep_watched w WHERE w.address = h.address), 0),
		coalesce(r.why, ''), coalesce(r.tried, 0), `+depositColumns+`
		FROM sweep_holdings h JOIN sweep_deposits d ON d.address = h.address
		LEFT JOIN sweep_refused r ON r.network = h.network AND r.address = h.address AND r.token = h.token ORDER BY h.network, d.treasury, d.made, h.address, h.token LIMIT ?`, limit)
	if err != nil {
		return nil, broken("list balances", err)
	}
	defer rows.Close()
	var out []Holding
	for rows.Next() {
		var h Holding
		var seen, began, tried, made, next int64
		err := rows.Scan(append([]any{&h.Network, &h.Address, &h.Token, &h.Symbol, &h.Decimals, &h.Newest, &h.Final, &seen, &h.Batch, &h.Closed, &began, &h.Why, &tried}, scanDeposit(&h.Deposit, &made, &next)...)...)
		if err != nil {
			return nil, broken("list balances", err)
		}
		h.Seen, h.Began, h.Tried, h.Deposit.Made, h.Deposit.Next = unstamp(seen), unstamp(began), unstamp(tried), unstamp(made), unstamp(next)
		out = append(out, h)
	}
	return out, broken("list balances", rows.Err())
}

// SweepMake keeps a new batch and returns its number. It fails with Conflict when one
// of the balances is in another open batch.
func (db *DB) SweepMake(ctx context.Context, b Batch) (id int64, err error) {
	err = db.write(ctx, "keep batch", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "INSERT INTO sweep_batches (network, treasury, made, ended, upto) VALUES (?, ?, ?, 0, ?)", b.Network, b.Treasury, stamp(b.Made), clampN(b.UpTo))
		if err != nil {
			return err
		}
		if id, err = res.LastInsertId(); err != nil {
			return err
		}
		for _, it := range b.Items {
			var taken int64
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sweep_items i JOIN sweep_batches o ON o.id = i.batch WHERE o.ended = 0 AND o.network = ?
				AND i.address = ? AND i.token = ? AND i.state <> 'dropped'`, b.Network, it.Address, it.Token).Scan(&taken); err != nil {
				return err
			}
			if taken > 0 {
				return pos.Say("prepare transfer", pos.Conflict, nil, "bo_sc_taken")
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO sweep_items VALUES (?, ?, ?, ?, ?, ?, 'waiting')", id, it.Address, it.Token, it.Symbol, it.Decimals, it.Units); err != nil {
				return err
			}
		}
		return nil
	})
	return id, err
}

// SweepBatches returns batches without their items' references, the newest first.
func (db *DB) SweepBatches(ctx context.Context, limit int) ([]Batch, error) {
	return db.batches(ctx, "ORDER BY id DESC LIMIT ?", limit)
}

// SweepBatch returns one batch. It fails with NotFound.
func (db *DB) SweepBatch(ctx context.Context, id int64) (Batch, error) {
	bs, err := db.batches(ctx, "WHERE id = ?", id)
	if err == nil && len(bs) == 0 {
		err = pos.Say("find transfer", pos.NotFound, nil, "bo_not_here")
	}
	if err != nil {
		return Batch{}, err
	}
	return bs[0], nil
}

func (db *DB) batches(ctx context.Context, where string, arg any) ([]Batch, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT id, network, treasury, made, ended, upto FROM sweep_batches "+where, arg)
	if err != nil {
		return nil, broken("list transfers", err)
	}
	defer rows.Close()
	var out []Batch
	for rows.Next() {
		var b Batch
		var made, ended int64
		if err := rows.Scan(&b.ID, &b.Network, &b.Treasury, &made, &ended, &b.UpTo); err != nil {
			return nil, broken("list transfers", err)
		}
		b.Made, b.Ended = unstamp(made), unstamp(ended)
		out = append(out, b)
	}
	if err := rows.Err(); err != nil {
		return nil, broken("list transfers", err)
	}
	for i := range out {
		if out[i].Items, err = db.batchItems(ctx, out[i].ID); err != nil {
			return nil, err
		}
		if err := db.batchWords(ctx, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (db *DB) batchItems(ctx context.Context, batch int64) ([]BatchItem, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT i.address, i.token, i.symbol, i.decimals, i.units, i.state, d.reference, coalesce(r.why, '')
		FROM sweep_items i JOIN sweep_deposits d ON d.address = i.address JOIN sweep_batches b ON b.id = i.batch
		LEFT JOIN sweep_refused r ON r.network = b.network AND r.address = i.address AND r.token = i.token WHERE i.batch = ? ORDER BY d.made, i.address, i.token`, batch)
	if err != nil {
		return nil, broken("read transfer", err)
	}
	defer rows.Close()
	var out []BatchItem
	for rows.Next() {
		var it BatchItem
		if err := rows.Scan(&it.Address, &it.Token, &it.Symbol, &it.Decimals, &it.Units, &it.State, &it.Reference, &it.Why); err != nil {
			return nil, broken("read transfer", err)
		}
		out = append(out, it)
	}
	return out, broken("read transfer", rows.Err())
}

// SweepDrop gives a batch up: what was not moved is free for another. A transaction
// that was signed already can still be sent, and moves it all the same.
func (db *DB) SweepDrop(ctx context.Context, id int64, at time.Time) error {
	return db.write(ctx, "give transfer up", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE sweep_items SET state = 'dropped' WHERE batch = ? AND state = 'waiting'", id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE sweep_batches SET ended = ? WHERE id = ? AND ended = 0
			AND NOT EXISTS (SELECT 1 FROM sweep_items i WHERE i.batch = id AND i.state = 'moved')`, stamp(at), id)
		return err
	})
}
