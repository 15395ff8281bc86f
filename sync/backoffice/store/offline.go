package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
)

// OfflineKey is one epoch of a device, with what decides whether it may be used. It
// holds no key: Salt and the backoffice's secret make one.
type OfflineKey struct {
	Device  offpay.Device
	Epoch   uint8
	Till    string
	Salt    []byte
	Made    time.Time
	Held    time.Time // when the till first showed that it holds the key; zero before
	Revoked time.Time // the epoch, or the whole device; zero while it is good

	Currency string    // the till's
	Off      time.Time // when the till was switched off; zero while it may sell offline
	Why      string    // it was switched off
	Highest  uint32    // counter of the device

	Next     uint8     // the newest epoch that the till holds
	NextHeld time.Time // since when; zero when it holds none yet
}

const offlineKeyQuery = `SELECT e.device, e.epoch, d.till, e.salt, e.made, e.held, max(e.revoked, d.revoked), t.currency, o.off, o.why, d.highest,
	coalesce(n.epoch, 0), coalesce(n.held, 0)
	FROM offline_epochs e JOIN offline_devices d ON d.device = e.device JOIN tills t ON t.id = d.till JOIN offline_tills o ON o.till = d.till
	LEFT JOIN offline_epochs n ON n.device = e.device AND n.epoch = (SELECT max(epoch) FROM offline_epochs x WHERE x.device = e.device AND x.held > 0)`

func scanOfflineKey(row interface{ Scan(...any) error }) (OfflineKey, error) {
	var k OfflineKey
	var device []byte
	var made, held, revoked, off, nextHeld int64
	err := row.Scan(&device, &k.Epoch, &k.Till, &k.Salt, &made, &held, &revoked, &k.Currency, &off, &k.Why, &k.Highest, &k.Next, &nextHeld)
	copy(k.Device[:], device)
	k.Made, k.Held, k.Revoked, k.Off, k.NextHeld = unstamp(made), unstamp(held), unstamp(revoked), unstamp(off), unstamp(nextHeld)
	return k, err
}

// OfflineKey returns one epoch of a device. It fails with NotFound.
func (db *DB) OfflineKey(ctx context.Context, device offpay.Device, epoch uint8) (OfflineKey, error) {
	k, err := scanOfflineKey(db.r.QueryRowContext(ctx, offlineKeyQuery+" WHERE e.device = ? AND e.epoch = ?", device[:], epoch))
	if errors.Is(err, sql.ErrNoRows) {
		return OfflineKey{}, pos.E("find key", pos.NotFound, "there is no such key")
	}
	return k, broken("find key", err)
}

// OfflineAsk is a till's request for a key, with what a new one would be made of.
type OfflineAsk struct {
	Till   string
	Device offpay.Device // the newest key on its disk, when Has
	Epoch  uint8
	Has    bool

	MaxAge    time.Duration // a key that was held for so long is followed by a new one
	NewDevice offpay.Device // random
	NewSalt   []byte        // 32 random bytes
}

// OfflineGrant returns the newest key of a till: the one it has, or a new one when
// there is none, when the owner asked for one, or when the one that it holds is too
// old. It notes what the till holds. The same key is returned until the till holds
// it. It fails with Forbidden while the till is switched off.
func (db *DB) OfflineGrant(ctx context.Context, a OfflineAsk, at time.Time) (k OfflineKey, err error) {
	err = db.write(ctx, "grant key", func(tx *sql.Tx) error {
		if err := offlineOn(ctx, tx, a.Till); err != nil {
			return err
		}
		if a.Has {
			if err := held(ctx, tx, a.Device, a.Epoch, at); err != nil {
				return err
			}
		}
		if k, err = newestKey(ctx, tx, a.Till); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		due := err == nil && !k.Held.IsZero() && (at.Sub(k.Held) >= a.MaxAge || k.Next == k.Epoch && renewAsked(ctx, tx, k))
		if err == nil && !due {
			return nil
		}
		if err := nextKey(ctx, tx, a, k, err == nil, at); err != nil {
			return err
		}
		k, err = newestKey(ctx, tx, a.Till)
		return err
	})
	return k, err
}

// offlineOn fails with Forbidden for a till that is switched off, and makes its row.
// Records before now hold nothing about offline payments: they are passed over.
func offlineOn(ctx context.Context, tx *sql.Tx, till string) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO offline_tills (till, off, why, read) SELECT id, 0, '', last_n FROM tills WHERE id = ? ON CONFLICT DO NOTHING", till); err != nil {
		return err
	}
	var off int64
	var why string
	if err := tx.QueryRowContext(ctx, "SELECT off, why FROM offline_tills WHERE till = ?", till).Scan(&off, &why); err != nil {
		return err
	}
	if off != 0 {
		return pos.E("grant key", pos.Forbidden, "%s", why)
	}
	return nil
}

// held notes that a till holds a key. One that it never had changes nothing.
func held(ctx context.Context, tx *sql.Tx, device offpay.Device, epoch uint8, at time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE offline_epochs SET held = ? WHERE device = ? AND epoch = ? AND held = 0", stamp(at), device[:], epoch)
	return err
}

// newestKey returns the newest epoch of a till's newest good device; the error is
// sql.ErrNoRows when it has none.
func newestKey(ctx context.Context, tx *sql.Tx, till string) (OfflineKey, error) {
	return scanOfflineKey(tx.QueryRowContext(ctx, offlineKeyQuery+` WHERE d.till = ? AND d.revoked = 0 AND e.revoked = 0 ORDER BY d.made DESC, d.device, e.epoch DESC LIMIT 1`, till))
}

// renewAsked reports that the owner asked for a new key after this one was made. A
// failure shows in the next statement of the transaction.
func renewAsked(ctx context.Context, tx *sql.Tx, k OfflineKey) bool {
	var renew int64
	err := tx.QueryRowContext(ctx, "SELECT renew FROM offline_devices WHERE device = ?", k.Device[:]).Scan(&renew)
	return err == nil && renew > stamp(k.Made)
}

// nextKey makes the epoch after k, or a new device when there is none or its epochs
// are used up: they never begin again. A till counts on from device to device, and so
// does what it is known to have counted.
func nextKey(ctx context.Context, tx *sql.Tx, a OfflineAsk, k OfflineKey, has bool, at time.Time) error {
	device, epoch := k.Device, k.Epoch+1
	if !has || k.Epoch == 255 {
		if _, err := tx.ExecContext(ctx, "UPDATE offline_devices SET revoked = ? WHERE till = ? AND revoked = 0", stamp(at), a.Till); err != nil {
			return err
		}
		device, epoch = a.NewDevice, 0
		if _, err := tx.ExecContext(ctx, "INSERT INTO offline_devices (device, till, made, revoked, renew, highest) SELECT ?, ?, ?, 0, 0, coalesce(max(highest), 0) FROM offline_devices WHERE till = ?",
			device[:], a.Till, stamp(at), a.Till); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO offline_epochs (device, epoch, salt, made, held, revoked) VALUES (?, ?, ?, ?, 0, 0)", device[:], epoch, a.NewSalt, stamp(at))
	return err
}

// OfflineRenew asks for a new key of a till, which it gets when it next calls.
func (db *DB) OfflineRenew(ctx context.Context, till string, at time.Time) error {
	return db.write(ctx, "renew key", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE offline_devices SET renew = ? WHERE till = ? AND revoked = 0", stamp(at), till)
		return err
	})
}

// OfflineDropOld revokes every key of a till before the newest one that it holds.
func (db *DB) OfflineDropOld(ctx context.Context, till string, at time.Time) error {
	return db.write(ctx, "drop old keys", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE offline_epochs SET revoked = ? WHERE revoked = 0 AND device IN (SELECT device FROM offline_devices WHERE till = ?)
			AND epoch < (SELECT max(epoch) FROM offline_epochs x WHERE x.device = offline_epochs.device AND x.held > 0)`, stamp(at), till)
		return err
	})
}

// OfflineOff switches a till off and revokes its keys; a, when it has a Kind, is
// raised in the same transaction. A till that is off stays as it is.
func (db *DB) OfflineOff(ctx context.Context, till, why string, a Alarm, at time.Time) error {
	return db.write(ctx, "switch offline off", func(tx *sql.Tx) error {
		if err := offlineOn(ctx, tx, till); err != nil && pos.KindOf(err) != pos.Forbidden {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE offline_tills SET off = ?, why = ? WHERE till = ? AND off = 0", stamp(at), why, till); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE offline_devices SET revoked = ? WHERE till = ? AND revoked = 0", stamp(at), till); err != nil {
			return err
		}
		if a.Kind == "" {
			return nil
		}
		return raise(ctx, tx, a, stamp(at))
	})
}

// OfflineOn lets a till sell offline again. Its old keys stay revoked: it gets a new
// device when it next calls.
func (db *DB) OfflineOn(ctx context.Context, till string) error {
	return db.write(ctx, "switch offline on", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE offline_tills SET off = 0, why = '' WHERE till = ?", till)
		return err
	})
}

// OfflineTill is how a till stands, for the owner.
type OfflineTill struct {
	Till string
	Off  time.Time
	Why  string
	Key  *OfflineKey // the newest; nil when it has none
	Open Sum         // not paid, and still could be
	Paid Sum         // paid in the last 30 days
	Wait Sum         // paid, and the till has not said yet that it knows
	Owed int         // orphans to deal with
	Lies int         // refuted ones to deal with
}

// Sum is a number of payments, and their amount in minor units.
type Sum struct {
	Count int
	Minor int64
}
