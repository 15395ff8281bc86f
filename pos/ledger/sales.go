package ledger

import (
	"sort"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// kept is the answer to a command that was carried out.
type kept struct {
	Digest string     `json:"digest"`
	Answer pos.Answer `json:"answer"`
}

// keepAnswer remembers what cmd made. A command that made several records adds
// to its answer. The oldest answers fall out above maxKeys.
func keepAnswer(tx *bolt.Tx, cmd pos.Cmd, a pos.Answer) error {
	var k kept
	if err := get(tx.Bucket(keys), []byte(cmd.Key), &k); err != nil {
		return err
	}
	known := k.Digest != ""
	if k.Digest != cmd.Digest {
		k = kept{Digest: cmd.Digest}
	}
	if a.Sale != "" {
		k.Answer.Sale = a.Sale
	}
	if a.Payment != "" {
		k.Answer.Payment = a.Payment
	}
	if a.Wrong != 0 || a.Other {
		k.Answer.Wrong, k.Answer.Other = a.Wrong, a.Other
	}
	if a.Record != 0 && k.Answer.Record == 0 {
		k.Answer.Record = a.Record
	}
	if err := put(tx.Bucket(keys), []byte(cmd.Key), k); err != nil || known {
		return err
	}
	return ageKeys(tx, cmd.Key)
}

// ageKeys notes key as the newest and forgets the oldest above maxKeys.
func ageKeys(tx *bolt.Tx, key string) error {
	b := tx.Bucket(keyAge)
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	if err := put(b, number(n), key); err != nil || n <= maxKeys {
		return err
	}
	oldest, place := "", number(n-maxKeys)
	if err := get(b, place, &oldest); err != nil {
		return err
	}
	if err := tx.Bucket(keys).Delete([]byte(oldest)); err != nil {
		return err
	}
	return b.Delete(place)
}

// Answer returns what the command with this key made, and the digest of its
// content. ok is false when the key is new, or so old that it was forgotten.
func (l *Ledger) Answer(key string) (digest string, a pos.Answer, ok bool, err error) {
	var k kept
	err = l.view(func(tx *bolt.Tx) error { return get(tx.Bucket(keys), []byte(key), &k) })
	return k.Digest, k.Answer, k.Digest != "", err
}

// Keep makes d durable in one transaction; while storage has no room it is kept in
// memory, for the counter must go on.
func (l *Ledger) Keep(d pos.DraftChange) error {
	if d.Put != nil {
		s := d.Put.Clone() // it may have to be applied again, later
		d.Put = &s
	}
	return l.durably(func(tx *bolt.Tx, b *pos.Books) error {
		b.Current, b.Shown, b.Refs = d.Current, d.Shown, max(b.Refs, d.Refs)
		if d.Drop != "" {
			if err := tx.Bucket(open).Delete([]byte(d.Drop)); err != nil {
				return err
			}
		}
		if d.Put != nil {
			if err := put(tx.Bucket(open), []byte(d.Put.ID), d.Put); err != nil {
				return err
			}
		}
		if d.Cmd.Key == "" {
			return nil
		}
		return keepAnswer(tx, d.Cmd, d.Answer)
	})
}

// Open returns every sale that is not over, oldest first. The caller owns them.
func (l *Ledger) Open() ([]pos.Sale, error) {
	out, err := all[pos.Sale](l, open)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Opened.Before(out[j].Opened) })
	return out, err
}

// Sale returns a sale that is not over. It fails with NotFound.
func (l *Ledger) Sale(id pos.SaleID) (pos.Sale, error) {
	var s pos.Sale
	err := l.view(func(tx *bolt.Tx) error { return get(tx.Bucket(open), []byte(id), &s) })
	if err == nil && s.ID == "" {
		err = pos.E("find sale", pos.NotFound, "there is no such open sale")
	}
	return s, err
}

// Filed returns the index entry of a completed sale. It fails with NotFound.
func (l *Ledger) Filed(id pos.SaleID) (pos.Filed, error) {
	var f pos.Filed
	err := l.view(func(tx *bolt.Tx) error { return get(tx.Bucket(done), []byte(id), &f) })
	if err == nil && f.Sale == "" {
		err = pos.E("find sale", pos.NotFound, "there is no such sale")
	}
	return f, err
}

// Series returns the entries of completed sales with a place in the receipt
// series below n, newest first, at most limit; n = 0 starts at the newest.
func (l *Ledger) Series(n uint64, limit int) ([]pos.Filed, error) {
	var out []pos.Filed
	err := l.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(numbers).Cursor()
		k, value := c.Last()
		if n > 0 {
			if k, value = c.Seek(number(n)); k != nil {
				k, value = c.Prev()
			} else {
				k, value = c.Last()
			}
		}
		for ; k != nil && len(out) < limit; k, value = c.Prev() {
			var s sold
			if err := decode(k, value, &s); err != nil {
				return err
			}
			var f pos.Filed
			if err := get(tx.Bucket(done), []byte(s.Sale), &f); err != nil {
				return err
			}
			out = append(out, f)
		}
		return nil
	})
	return out, err
}

// Watched returns every payment that can still change, in no order.
func (l *Ledger) Watched() ([]pos.Payment, error) { return all[pos.Payment](l, watched) }

// Payment returns a payment that can still change. It fails with NotFound.
func (l *Ledger) Payment(id pos.PaymentID) (pos.Payment, error) {
	var p pos.Payment
	err := l.view(func(tx *bolt.Tx) error { return get(tx.Bucket(watched), []byte(id), &p) })
	if err == nil && p.ID == "" {
		err = pos.E("find payment", pos.NotFound, "there is no such payment under way")
	}
	return p, err
}

// Refunds returns the payments that came for a sale that did not need them any
// more, oldest first, until somebody decided about them.
func (l *Ledger) Refunds() ([]pos.Payment, error) {
	out, err := all[pos.Payment](l, refunds)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Moved.Before(out[j].Moved) })
	return out, err
}

// all reads a whole bucket. It is used for those that stay small.
func all[T any](l *Ledger, bucket []byte) (out []T, err error) {
	err = l.view(func(tx *bolt.Tx) (err error) {
		out, err = values[T](tx.Bucket(bucket))
		return err
	})
	return out, err
}
