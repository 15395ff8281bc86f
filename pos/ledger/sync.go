package ledger

import (
	"bytes"
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
	if err := r.Decode(&v); err != nil {
		return err
	}
	b.Checkpoint = &v
	return ack(tx, b, v.N)
}

// enrolled begins with a backoffice. Another one than before holds nothing yet,
// and what was said of the old one does not count.
func enrolled(tx *bolt.Tx, b *pos.Books, r pos.Record) error {
	old := b.Enrolled
	b.Enrolled = new(pos.Enrolled)
	if err := r.Decode(b.Enrolled); err != nil || old == nil || bytes.Equal(old.Key, b.Enrolled.Key) {
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
// lacks: the newest of the series, without a gap.
func ack(tx *bolt.Tx, b *pos.Books, n uint64) error {
	b.Acked = n
	held := b.Count - uint64(b.Unsent.Sales)
	var next sold // the first that the backoffice lacks
	for ; held < b.Count; held++ {
		if err := get(tx.Bucket(numbers), number(held+1), &next); err != nil {
			return err
		}
		if next.Record > n {
			break
		}
		wait(b, next, -1)
	}
	for ; held > 0; held-- {
		var s sold
		if err := get(tx.Bucket(numbers), number(held), &s); err != nil {
			return err
		}
		if s.Record <= n {
			break
		}
		wait(b, s, 1)
		next = s
	}
	if b.Unsent.Sales == 0 {
		b.Unsent = pos.Unsent{}
		return nil
	}
	b.Unsent.Oldest, b.Unsent.First = next.At, next.Record
	return nil
}
