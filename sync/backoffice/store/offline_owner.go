package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// OfflineSilence is how long a paid payment waits for its till's word before the
// owner is told that nobody took it.
const OfflineSilence = 24 * time.Hour

// offlinePaidFor is the span that OfflineTill.Paid sums up.
const offlinePaidFor = 30 * 24 * time.Hour

// What the owner looks at, as conditions on offline_sales s. Their one argument is
// the instant before which a till was silent for too long.
const (
	isOrphan  = "s.state = 'paid' AND s.done = 0 AND (s.owed > 0 OR s.accepted = 0 AND (s.void > 0 OR s.ended < ?))"
	isWaiting = "s.state = 'paid' AND s.done = 0 AND NOT (s.owed > 0 OR s.void > 0) AND s.accepted = 0 AND s.ended >= ?"
	isRefuted = "s.refuted > 0 AND s.done = 0 AND s.refuted >= ? * 0"
	isOpen    = "s.state = 'open' AND s.first >= ? * 0"
	isPaid    = "s.state = 'paid' AND s.ended >= ? * 0"
)

// OfflineList is a list of the owner's.
type OfflineList string

// Lists of the owner's.
const (
	ListOrphans OfflineList = "orphans" // paid, and no sale took the payment: a refund is due
	ListRefuted OfflineList = "refuted" // the till took a code, and nothing was ever paid
	ListWaiting OfflineList = "waiting" // paid, and the till has not called since
	ListOpen    OfflineList = "open"
	ListPaid    OfflineList = "paid"
)

var offlineLists = map[OfflineList]string{ListOrphans: isOrphan, ListRefuted: isRefuted, ListWaiting: isWaiting, ListOpen: isOpen, ListPaid: isPaid}

// OfflineSales returns a list, the newest first, at most limit of them; till may be
// empty for all.
func (db *DB) OfflineSales(ctx context.Context, list OfflineList, till string, now time.Time, limit int) ([]OfflineSale, error) {
	where, ok := offlineLists[list]
	if !ok {
		return nil, pos.E("list offline sales", pos.Invalid, "there is no such list")
	}
	return db.sales(ctx, "WHERE "+where+" AND (? = '' OR s.till = ?) ORDER BY s.first DESC, s.counter DESC LIMIT ?", stamp(now.Add(-OfflineSilence)), till, till, limit)
}

// OfflineDone says that the owner dealt with an orphan or a refuted payment.
func (db *DB) OfflineDone(ctx context.Context, id OfflineID, at time.Time) error {
	return db.write(ctx, "close offline sale", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE offline_sales SET done = ?"+whereSale+" AND done = 0 AND state <> 'open'", append([]any{stamp(at)}, id.key()...)...)
		return err
	})
}

// OfflineTills returns how each till stands that ever asked for a key.
func (db *DB) OfflineTills(ctx context.Context, now time.Time) ([]OfflineTill, error) {
	silent := stamp(now.Add(-OfflineSilence))
	rows, err := db.r.QueryContext(ctx, `SELECT o.till, o.off, o.why,
		count(*) FILTER (WHERE `+isOpen+`), coalesce(sum(s.minor) FILTER (WHERE `+isOpen+`), 0),
		count(*) FILTER (WHERE s.state = 'paid' AND s.ended >= ?), coalesce(sum(s.minor) FILTER (WHERE s.state = 'paid' AND s.ended >= ?), 0),
		count(*) FILTER (WHERE `+isWaiting+`), coalesce(sum(s.minor) FILTER (WHERE `+isWaiting+`), 0),
		count(*) FILTER (WHERE `+isOrphan+`), count(*) FILTER (WHERE `+isRefuted+`)
		FROM offline_tills o JOIN tills t ON t.id = o.till LEFT JOIN offline_sales s ON s.till = o.till GROUP BY o.till ORDER BY t.name, o.till`,
		silent, silent, stamp(now.Add(-offlinePaidFor)), stamp(now.Add(-offlinePaidFor)), silent, silent, silent, silent)
	if err != nil {
		return nil, broken("list offline tills", err)
	}
	defer rows.Close()
	var out []OfflineTill
	for rows.Next() {
		var t OfflineTill
		var off int64
		if err := rows.Scan(&t.Till, &off, &t.Why, &t.Open.Count, &t.Open.Minor, &t.Paid.Count, &t.Paid.Minor, &t.Wait.Count, &t.Wait.Minor, &t.Owed, &t.Lies); err != nil {
			return nil, broken("list offline tills", err)
		}
		t.Off = unstamp(off)
		out = append(out, t)
	}
	if err := rows.Err(); err != nil {
		return nil, broken("list offline tills", err)
	}
	return out, db.newestKeys(ctx, out)
}

// newestKeys fills in each till's newest key.
func (db *DB) newestKeys(ctx context.Context, tills []OfflineTill) error {
	for i := range tills {
		k, err := scanOfflineKey(db.r.QueryRowContext(ctx, offlineKeyQuery+" WHERE d.till = ? AND d.revoked = 0 AND e.revoked = 0 ORDER BY d.made DESC, e.epoch DESC LIMIT 1", tills[i].Till))
		switch {
		case err == nil:
			tills[i].Key = &k
		case !errors.Is(err, sql.ErrNoRows):
			return broken("find key", err)
		}
	}
	return nil
}

// OfflineUnread returns the records about payments of a till, and about their refunds, that have not been
// looked at, oldest first and at most some hundreds, and the number up to which all
// are among them. 0 means that there is nothing new.
func (db *DB) OfflineUnread(ctx context.Context, till string) (records []Kept, upTo uint64, err error) {
	var read, last int64
	err = db.r.QueryRowContext(ctx, "SELECT o.read, t.last_n FROM offline_tills o JOIN tills t ON t.id = o.till WHERE o.till = ?", till).Scan(&read, &last)
	if errors.Is(err, sql.ErrNoRows) || err == nil && read >= last {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, broken("read records", err)
	}
	rows, err := db.r.QueryContext(ctx, "SELECT line, received FROM records WHERE till = ? AND n > ? AND n <= ? AND kind IN (?, ?) ORDER BY n LIMIT ?", till, read, last, string(pos.KindPayment), string(pos.KindRefundDecided), page)
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

// OfflineRead keeps that the records up to n were looked at.
func (db *DB) OfflineRead(ctx context.Context, till string, n uint64) error {
	return db.write(ctx, "note records", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE offline_tills SET read = max(read, ?) WHERE till = ?", clampN(n), till)
		return err
	})
}
