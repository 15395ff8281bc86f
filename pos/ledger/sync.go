package ledger

import (
	"encoding/binary"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// sent is what a completed sale adds to the amount that waits for the backoffice.
type sent struct {
	Minor int64     `json:"minor"`
	At    time.Time `json:"at"`
}

// owe counts the sale that r completed among what the backoffice lacks.
func owe(tx *bolt.Tx, b *pos.Books, r pos.Record, total pos.Amount) error {
	if r.N <= b.Acked {
		return nil
	}
	if err := put(tx.Bucket(unsent), number(r.N), sent{total.Minor, r.At}); err != nil {
		return err
	}
	b.Unsent.Sales++
	b.Unsent.Amount = total.Currency.Of(b.Unsent.Amount.Minor + total.Minor) // bounded by Turnover, which the record checked
	if b.Unsent.Sales == 1 {
		b.Unsent.Oldest, b.Unsent.First = r.At, r.N
	}
	return nil
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

// Acked notes that the backoffice holds every record up to n. It may be less than
// before: a backoffice that came back from a backup lacks some again, and what it
// lacks counts as waiting once more from the next completed sale on.
func (l *Ledger) Acked(n uint64) error {
	return l.update(func(tx *bolt.Tx, b *pos.Books) error { return ack(tx, b, n) })
}

func ack(tx *bolt.Tx, b *pos.Books, n uint64) error {
	b.Acked = n
	c := tx.Bucket(unsent).Cursor()
	for k, v := c.First(); k != nil; k, v = c.First() {
		var s sent
		if err := decode(k, v, &s); err != nil {
			return err
		}
		if first := binary.BigEndian.Uint64(k); first > n {
			b.Unsent.Oldest, b.Unsent.First = s.At, first
			return nil
		}
		b.Unsent.Sales--
		b.Unsent.Amount.Minor -= s.Minor
		if err := c.Delete(); err != nil {
			return err
		}
	}
	b.Unsent = pos.Unsent{}
	return nil
}
