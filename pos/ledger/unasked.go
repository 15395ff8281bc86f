package ledger

import (
	"encoding/binary"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// maxBooked bounds the names of unasked money that are remembered, dust among them: a
// rail tells of a thing again after a restart, of what it reads anew of a day or two. Names
// that come as dust are forgotten first, so that no flood of it lets real money count twice.
const (
	maxBooked = 8_000
	maxDust   = 8_000
)

// unasked takes in money that no payment waits for: somebody must decide about it. What
// is in already changes nothing.
func unasked(tx *bolt.Tx, r pos.Record) (pos.Answer, error) {
	var v pos.UnaskedCame
	if err := read(r, &v); err != nil {
		return pos.Answer{}, err
	}
	p := v.Payment
	a := pos.Answer{Sale: p.Sale, Payment: p.ID}
	known, err := remember(tx, p.ID, realAge, maxBooked)
	if known || err != nil {
		return a, err
	}
	return a, put(tx.Bucket(refunds), []byte(p.ID), p)
}

// dust remembers the names of what was summed up.
func dust(tx *bolt.Tx, r pos.Record) error {
	var v pos.DustCame
	if err := read(r, &v); err != nil {
		return err
	}
	for _, id := range v.Dust.IDs {
		if _, err := remember(tx, id, dustAge, maxDust); err != nil {
			return err
		}
	}
	return nil
}

// Both kinds of names age apart from each other: their first byte tells them.
const (
	realAge = 'r'
	dustAge = 'd'
)

// remember notes a name as booked, and reports whether it was already. The oldest of its
// kind falls out above most.
func remember(tx *bolt.Tx, id pos.PaymentID, kind byte, most uint64) (known bool, err error) {
	names, ages := tx.Bucket(booked), tx.Bucket(bookAge)
	var at uint64
	if err := get(names, []byte(id), &at); err != nil || at != 0 {
		return at != 0, err
	}
	newest := uint64(0)
	if k, _ := last(ages, kind); k != nil {
		newest = binary.BigEndian.Uint64(k[1:])
	}
	newest++
	if err := put(names, []byte(id), newest); err != nil {
		return false, err
	}
	if err := put(ages, age(kind, newest), string(id)); err != nil || newest <= most {
		return false, err
	}
	oldest, place := "", age(kind, newest-most)
	if err := get(ages, place, &oldest); err != nil {
		return false, err
	}
	if err := names.Delete([]byte(oldest)); err != nil {
		return false, err
	}
	return false, ages.Delete(place)
}

func age(kind byte, n uint64) []byte { return append([]byte{kind}, number(n)...) }

// last returns the newest key of a kind.
func last(b *bolt.Bucket, kind byte) (k, v []byte) {
	c := b.Cursor()
	if k, v = c.Seek([]byte{kind + 1}); k == nil {
		k, v = c.Last()
	} else {
		k, v = c.Prev()
	}
	if k == nil || k[0] != kind {
		return nil, nil
	}
	return k, v
}

// Booked reports that unasked money of this name is in the journal, dust among it.
func (l *Ledger) Booked(id pos.PaymentID) (bool, error) {
	var at uint64
	err := l.view(func(tx *bolt.Tx) error { return get(tx.Bucket(booked), []byte(id), &at) })
	return at != 0, err
}
