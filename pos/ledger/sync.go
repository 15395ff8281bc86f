package ledger

import (
	"bytes"
	"encoding/binary"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// sold is a completed sale at its place in the receipt series, with what it adds
// to the sum that waits for the backoffice.
type sold struct {
	Sale   pos.SaleID `json:"sale"`
	Record uint64     `json:"record"` // that completed it
	Minor  int64      `json:"minor"`
	At     time.Time  `json:"at"`
}

// sell puts a sale at the end of the series.
func sell(tx *bolt.Tx, b *pos.Books, s sold) error {
	if err := put(tx.Bucket(numbers), number(b.Count), s); err != nil || s.Record <= b.Acked {
		return err
	}
	if wait(b, s, 1); b.Unsent.Sales == 1 {
		b.Unsent.Oldest, b.Unsent.First = s.At, s.Record
	}
	return nil
}

// wait counts s among what the backoffice lacks, or, with n -1, no longer.
func wait(b *pos.Books, s sold, n int) {
	b.Unsent.Sales += n
	b.Unsent.Amount = b.Turnover.Currency.Of(b.Unsent.Amount.Minor + int64(n)*s.Minor) // bounded by Turnover, which the record checked
}

// checkpoint takes the backoffice's recorded word in.
func checkpoint(tx *bolt.Tx, b *pos.Books, r pos.Record) error {
	var v pos.Checkpoint
	if err := read(r, &v); err != nil {
		return err
	}
	b.Checkpoint = &v
	return ack(tx, b, v.N)
}

// enrolled begins with a backoffice. Another one than before holds nothing yet,
// and what was said of the old one does not count.
func enrolled(tx *bolt.Tx, b *pos.Books, r pos.Record) error {
	old := b.Enrolled
	b.Enrolled, b.Enrolment = new(pos.Enrolled), r.Hash
	if err := read(r, b.Enrolled); err != nil || old == nil || bytes.Equal(old.Key, b.Enrolled.Key) {
		return err
	}
	b.Checkpoint, b.Fork = nil, nil
	return ack(tx, b, 0)
}

// Acked notes that the backoffice holds every record up to n. It may be less than
// before: a backoffice that came back from a backup lacks some again, and those
// wait once more.
func (l *Ledger) Acked(n uint64) error {
	return l.lazily(func(tx *bolt.Tx, b *pos.Books) error { return ack(tx, b, n) })
}

// ack moves the line between the sales that the backoffice holds and those that it
// lacks: the newest of the series. Numbers may be missing in it.
func ack(tx *bolt.Tx, b *pos.Books, n uint64) error {
	from, to, by := b.Acked, n, -1
	if n < b.Acked {
		from, to, by = n, b.Acked, 1
	}
	b.Acked = n
	c := tx.Bucket(numbers).Cursor()
	s, ok, err := behind(c, b.Count, from)
	for ; ok && err == nil && s.Record <= to; s, ok, err = soldAt(c.Next()) {
		wait(b, s, by)
	}
	if err != nil {
		return err
	}
	next, ok, err := behind(c, b.Count, n)
	if err != nil || !ok {
		b.Unsent = pos.Unsent{}
		return err
	}
	b.Unsent.Oldest, b.Unsent.First = next.At, next.Record
	return nil
}

// behind finds the first sale that was completed by a record above n; ok is false
// when there is none. Places in the series and records rise together.
func behind(c *bolt.Cursor, count, n uint64) (s sold, ok bool, err error) {
	lo, hi := uint64(1), count+1 // the place looked for is from lo to hi
	for lo < hi {
		mid := lo + (hi-lo)/2
		key, value := c.Seek(number(mid))
		if s, ok, err = soldAt(key, value); err != nil {
			return s, false, err
		}
		if !ok || s.Record > n {
			hi = mid
		} else {
			lo = binary.BigEndian.Uint64(key) + 1
		}
	}
	return soldAt(c.Seek(number(lo)))
}

// soldAt reads what a cursor over numbers shows; ok is false behind the last one.
func soldAt(key, value []byte) (s sold, ok bool, err error) {
	if key == nil {
		return s, false, nil
	}
	return s, true, decode(key, value, &s)
}
