package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
)

// States of an offline sale.
const (
	OfflineOpen   = "open"   // an invoice is payable, or one may still be made
	OfflinePaid   = "paid"   // settled at the node
	OfflineUnpaid = "unpaid" // certain: never paid, and nothing is made for it any more
)

// OfflineID names an offline sale.
type OfflineID struct {
	Device  offpay.Device
	Epoch   uint8
	Counter uint32
}

// OfflineSale is one token, and what became of it.
type OfflineSale struct {
	OfflineID
	Till     string
	Token    offpay.Token
	Minor    int64
	Currency string
	Issued   time.Time // by the till's clock; zero when it is not trusted
	TTL      time.Duration
	First    time.Time // when it was first seen here

	Quoted time.Time // beginning of the newest quote; zero for none
	Rate   string    // of the newest quote, as JSON
	Msat   int64     // of the newest quote

	Attempt  int // newest invoice; 0 for none
	State    string
	Paid     int // attempt that was paid
	Received int64
	Ended    time.Time // when it left open

	Accepted, Void, Owed, Refuted, Done time.Time // zero until then; see offline.sql
}

const saleColumns = `s.device, s.epoch, s.counter, s.till, s.token, s.minor, s.currency, s.issued, s.ttl, s.first, s.quoted, s.rate, s.msat,
	s.attempt, s.state, s.paid, s.received, s.ended, s.accepted, s.void, s.owed, s.refuted, s.done`

func scanSale(row interface{ Scan(...any) error }) (OfflineSale, error) {
	var s OfflineSale
	var device, token []byte
	var issued, ttl, first, quoted, ended, accepted, void, owed, refuted, done int64
	err := row.Scan(&device, &s.Epoch, &s.Counter, &s.Till, &token, &s.Minor, &s.Currency, &issued, &ttl, &first, &quoted, &s.Rate, &s.Msat,
		&s.Attempt, &s.State, &s.Paid, &s.Received, &ended, &accepted, &void, &owed, &refuted, &done)
	copy(s.Device[:], device)
	copy(s.Token[:], token)
	s.TTL = time.Duration(ttl) * time.Minute
	for to, us := range map[*time.Time]int64{&s.Issued: issued, &s.First: first, &s.Quoted: quoted, &s.Ended: ended,
		&s.Accepted: accepted, &s.Void: void, &s.Owed: owed, &s.Refuted: refuted, &s.Done: done} {
		*to = unstamp(us)
	}
	return s, err
}

// key is the sale's primary key.
func (id OfflineID) key() []any { return []any{id.Device[:], id.Epoch, id.Counter} }

const whereSale = " WHERE device = ? AND epoch = ? AND counter = ?"

// OfflineSale returns a sale. It fails with NotFound.
func (db *DB) OfflineSale(ctx context.Context, id OfflineID) (OfflineSale, error) {
	s, err := scanSale(db.r.QueryRowContext(ctx, "SELECT "+saleColumns+" FROM offline_sales s"+whereSale, id.key()...))
	if errors.Is(err, sql.ErrNoRows) {
		return OfflineSale{}, pos.E("find offline sale", pos.NotFound, "there is no such payment")
	}
	return s, broken("find offline sale", err)
}

// OfflineSee keeps a sale that is seen for the first time, and notes that its till
// holds the key and has counted so far. It returns the sale as it is kept, which is
// another token's when this counter was used before: the caller compares.
func (db *DB) OfflineSee(ctx context.Context, s OfflineSale, at time.Time) (kept OfflineSale, err error) {
	err = db.write(ctx, "see offline sale", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO offline_sales (device, epoch, counter, till, token, minor, currency, issued, ttl, first,
			quoted, rate, msat, attempt, state, paid, received, ended, accepted, void, owed, refuted, done)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0, 0, 'open', 0, 0, 0, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING`,
			s.Device[:], s.Epoch, s.Counter, s.Till, s.Token[:], s.Minor, s.Currency, stamp(s.Issued), int64(s.TTL/time.Minute), stamp(at)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE offline_devices SET highest = max(highest, ?) WHERE device = ?", s.Counter, s.Device[:]); err != nil {
			return err
		}
		if err := held(ctx, tx, s.Device, s.Epoch, at); err != nil {
			return err
		}
		kept, err = scanSale(tx.QueryRowContext(ctx, "SELECT "+saleColumns+" FROM offline_sales s"+whereSale, s.key()...))
		return err
	})
	return kept, err
}

// OfflineQuote replaces a sale's quote. It fails with Conflict when the quote is not
// the one that the caller saw any more, or the sale is not open.
func (db *DB) OfflineQuote(ctx context.Context, id OfflineID, seen, at time.Time, rate string, msat int64) error {
	return db.write(ctx, "quote", func(tx *sql.Tx) error {
		args := append([]any{stamp(at), rate, msat}, append(id.key(), stamp(seen))...)
		return one(tx.ExecContext(ctx, "UPDATE offline_sales SET quoted = ?, rate = ?, msat = ?"+whereSale+" AND quoted = ? AND state = 'open'", args...))
	})
}

// one wants exactly one row changed, and fails with Conflict otherwise.
func one(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(pos.E("change offline sale", pos.Conflict, "somebody else was faster; please try again"), err)
	}
	return nil
}

// OfflineInvoice is one attempt at an offline sale.
type OfflineInvoice struct {
	OfflineID
	Attempt int
	Hash    [32]byte
	Msat    int64
	Rate    string
	Quoted  time.Time // beginning of the quote that it was made for
	Made    time.Time // when the node was first asked for it
	Ends    time.Time // its last moment
	Text    string    // BOLT11; empty until the node gave it
	State   string
}

// States of an invoice.
const (
	InvoiceLive = "live" // it can be paid, as far as is known
	InvoicePaid = "paid"
	InvoiceGone = "gone" // by the node's own word nobody can pay it any more
)

const invoiceColumns = "device, epoch, counter, attempt, hash, msat, rate, quoted, made, ends, text, state"

func scanInvoice(row interface{ Scan(...any) error }) (OfflineInvoice, error) {
	var i OfflineInvoice
	var device, hash []byte
	var quoted, made, ends int64
	err := row.Scan(&device, &i.Epoch, &i.Counter, &i.Attempt, &hash, &i.Msat, &i.Rate, &quoted, &made, &ends, &i.Text, &i.State)
	copy(i.Device[:], device)
	copy(i.Hash[:], hash)
	i.Quoted, i.Made, i.Ends = unstamp(quoted), unstamp(made), unstamp(ends)
	return i, err
}

// OfflineBegin keeps a new attempt before the node is asked for it. It fails with
// Conflict when the sale is not open, has a live invoice, or has had this attempt:
// of two that begin at once one does.
func (db *DB) OfflineBegin(ctx context.Context, i OfflineInvoice) error {
	return db.write(ctx, "begin invoice", func(tx *sql.Tx) error {
		args := append([]any{i.Attempt}, append(i.key(), i.Attempt-1)...)
		if err := one(tx.ExecContext(ctx, "UPDATE offline_sales SET attempt = ?"+whereSale+` AND attempt = ? AND state = 'open' AND void = 0 AND accepted = 0
			AND NOT EXISTS (SELECT 1 FROM offline_invoices i WHERE i.device = offline_sales.device AND i.epoch = offline_sales.epoch AND i.counter = offline_sales.counter AND i.state = 'live')`, args...)); err != nil {
			return err
		}
		return insertInvoice(ctx, tx, i)
	})
}

func insertInvoice(ctx context.Context, tx *sql.Tx, i OfflineInvoice) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO offline_invoices ("+invoiceColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		i.Device[:], i.Epoch, i.Counter, i.Attempt, i.Hash[:], i.Msat, i.Rate, stamp(i.Quoted), stamp(i.Made), stamp(i.Ends), i.Text, i.State)
	return err
}

// OfflineMade keeps what the node gave for an attempt. What it gave before stays. It
// fails with Conflict when the attempt is not live any more: somebody withdrew it.
func (db *DB) OfflineMade(ctx context.Context, hash [32]byte, text string, ends time.Time) error {
	return db.write(ctx, "keep invoice", func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, "UPDATE offline_invoices SET text = CASE text WHEN '' THEN ? ELSE text END, ends = CASE text WHEN '' THEN ? ELSE ends END WHERE hash = ? AND state = 'live'", text, stamp(ends), hash[:]))
	})
}

// OfflineInvoices returns the attempts at a sale, the newest first.
func (db *DB) OfflineInvoices(ctx context.Context, id OfflineID) ([]OfflineInvoice, error) {
	return db.invoices(ctx, whereSale+" ORDER BY attempt DESC", id.key()...)
}

// OfflineLive returns at most limit invoices that may be paid, those that end last
// first.
func (db *DB) OfflineLive(ctx context.Context, limit int) ([]OfflineInvoice, error) {
	return db.invoices(ctx, " WHERE state = 'live' ORDER BY ends DESC LIMIT ?", limit)
}

func (db *DB) invoices(ctx context.Context, where string, args ...any) ([]OfflineInvoice, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT "+invoiceColumns+" FROM offline_invoices"+where, args...)
	if err != nil {
		return nil, broken("list invoices", err)
	}
	defer rows.Close()
	var out []OfflineInvoice
	for rows.Next() {
		i, err := scanInvoice(rows)
		if err != nil {
			return nil, broken("list invoices", err)
		}
		out = append(out, i)
	}
	return out, broken("list invoices", rows.Err())
}

// OfflineSettled keeps that an invoice was paid. An invoice that is not kept yet, as
// after a restore from a backup, is kept with it. Money is never turned away: a sale
// that was closed becomes paid.
func (db *DB) OfflineSettled(ctx context.Context, i OfflineInvoice, msat int64, at time.Time) error {
	return db.write(ctx, "settle invoice", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE offline_invoices SET state = 'paid' WHERE hash = ?", i.Hash[:])
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			i.State = InvoicePaid
			if err := errors.Join(err, insertInvoice(ctx, tx, i)); err != nil {
				return err
			}
		}
		args := append([]any{i.Attempt, i.Attempt, msat, stamp(at)}, i.key()...)
		_, err = tx.ExecContext(ctx, "UPDATE offline_sales SET state = 'paid', attempt = max(attempt, ?), paid = ?, received = ?, ended = ?, refuted = 0"+whereSale+" AND state <> 'paid'", args...)
		return err
	})
}

// OfflineGone keeps that nobody can pay an invoice any more, by the node's word.
func (db *DB) OfflineGone(ctx context.Context, hash [32]byte) error {
	return db.write(ctx, "end invoice", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE offline_invoices SET state = 'gone' WHERE hash = ? AND state = 'live'", hash[:])
		return err
	})
}

// OfflineClose ends an open sale unpaid, for good. It fails with Conflict when it is
// not open or has a live invoice. Of a sale whose code the till took, a is raised,
// and the till is switched off for why, in the same transaction.
func (db *DB) OfflineClose(ctx context.Context, id OfflineID, why string, a Alarm, at time.Time) error {
	return db.write(ctx, "close offline sale", func(tx *sql.Tx) error {
		args := append([]any{stamp(at), stamp(at)}, id.key()...)
		if err := one(tx.ExecContext(ctx, "UPDATE offline_sales SET state = 'unpaid', ended = ?, refuted = CASE WHEN accepted > 0 THEN ? ELSE 0 END"+whereSale+` AND state = 'open'
			AND NOT EXISTS (SELECT 1 FROM offline_invoices i WHERE i.device = offline_sales.device AND i.epoch = offline_sales.epoch AND i.counter = offline_sales.counter AND i.state = 'live')`, args...)); err != nil {
			return err
		}
		return refute(ctx, tx, id, why, a, at)
	})
}

// refute raises the alarm when the sale is refuted.
func refute(ctx context.Context, tx *sql.Tx, id OfflineID, why string, a Alarm, at time.Time) error {
	var till string
	err := tx.QueryRowContext(ctx, "SELECT till FROM offline_sales"+whereSale+" AND refuted > 0 AND state = 'unpaid'", id.key()...).Scan(&till)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE offline_tills SET off = ?, why = ? WHERE till = ? AND off = 0", stamp(at), why, till); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE offline_devices SET revoked = ? WHERE till = ? AND revoked = 0", stamp(at), till); err != nil {
		return err
	}
	return raise(ctx, tx, a, stamp(at))
}

// OfflineSaid is what a till says about a sale; what it said before stays said. Done: a
// manager dealt with what was owed.
type OfflineSaid struct{ Accepted, Void, Owed, Done bool }

// OfflineSay keeps what a till says. A sale that was closed unpaid and is now said
// to be accepted is refuted: a is raised and the till switched off, as OfflineClose
// does.
func (db *DB) OfflineSay(ctx context.Context, id OfflineID, said OfflineSaid, why string, a Alarm, at time.Time) error {
	return db.write(ctx, "keep the till's word", func(tx *sql.Tx) error {
		now := stamp(at)
		args := append([]any{said.Accepted, now, said.Void, now, said.Owed, now, said.Done, now}, id.key()...)
		if _, err := tx.ExecContext(ctx, `UPDATE offline_sales SET
			accepted = CASE WHEN ? AND accepted = 0 THEN ? ELSE accepted END,
			void = CASE WHEN ? AND void = 0 THEN ? ELSE void END,
			owed = CASE WHEN ? AND owed = 0 THEN ? ELSE owed END,
			done = CASE WHEN ? AND done = 0 THEN ? ELSE done END`+whereSale, args...); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, "UPDATE offline_sales SET refuted = ?"+whereSale+" AND state = 'unpaid' AND accepted > 0 AND refuted = 0", append([]any{now}, id.key()...)...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return refute(ctx, tx, id, why, a, at)
	})
}

// OfflineDue returns at most limit open sales that the till has spoken its last word
// about, or whose time is over: they are due to be closed. The newest come first, so
// that what stays in doubt for ever keeps nothing else waiting.
func (db *DB) OfflineDue(ctx context.Context, before time.Time, limit int) ([]OfflineSale, error) {
	return db.sales(ctx, `WHERE s.state = 'open' AND (s.accepted > 0 OR s.void > 0 OR max(s.issued, s.first) + s.ttl * 60000000 < ?) ORDER BY s.first DESC LIMIT ?`, stamp(before), limit)
}

func (db *DB) sales(ctx context.Context, where string, args ...any) ([]OfflineSale, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT "+saleColumns+" FROM offline_sales s "+where, args...)
	if err != nil {
		return nil, broken("list offline sales", err)
	}
	defer rows.Close()
	var out []OfflineSale
	for rows.Next() {
		s, err := scanSale(rows)
		if err != nil {
			return nil, broken("list offline sales", err)
		}
		out = append(out, s)
	}
	return out, broken("list offline sales", rows.Err())
}
