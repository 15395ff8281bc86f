package ledger

import (
	"bytes"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// Records can be lost: a line of the journal rots, a file of it disappears, its end
// was never written. What is left is folded across the gap, under two rules. No
// number that a lost record may have given out is given out again: each may have
// been a sale, a reference, an offline request. And a sale that was open when the
// gap began is in doubt, for its completion may lie in there: it leaves the counter,
// unless it was charged and a later sale's number proves that none was completed. A
// basket does not come back: it may have been charged in there.

// refsSlack is more baskets than a till opens between two records that show a
// reference: those that came to nothing took one too.
const refsSlack = 50

// gap takes the records of g, which come next, for lost. hash is that of the last
// one, if it is still known.
func gap(tx *bolt.Tx, b *pos.Books, g pos.Gap, hash pos.Hash) error {
	if err := doubt(tx, b); err != nil {
		return err
	}
	n := g.Last - g.First + 1
	b.Count, b.Unsure = b.Count+n, b.Unsure+n
	b.Refs += n + refsSlack
	b.Counter = rise(b.Counter, n)
	b.Last, b.Hash, b.Stopped = g.Last, hash, false
	priced(b)
	lose(b, func(l *pos.RecordsLost) { *l = l.With(g) })
	return nil
}

// priced gives a turnover of nothing its currency: where a sale may have been, the
// next one is added to it.
func priced(b *pos.Books) {
	if c, err := pos.CurrencyOf(b.Genesis.Currency); err == nil && b.Turnover == (pos.Amount{}) {
		b.Turnover = c.Zero()
	}
}

// rise adds n and stays at the end: a counter that wrapped would repeat itself.
func rise(c uint32, n uint64) uint32 { return uint32(min(uint64(c)+n, 1<<32-1)) }

// lose notes a loss that no record tells of yet.
func lose(b *pos.Books, f func(l *pos.RecordsLost)) {
	var l pos.RecordsLost
	if b.Lost != nil {
		l = *b.Lost
	}
	f(&l)
	l.Count, l.Turnover, l.Refs, l.Counter = b.Count, b.Turnover, b.Refs, b.Counter
	b.Lost, b.Untold = &l, true
}

// doubt takes every sale off the counter.
func doubt(tx *bolt.Tx, b *pos.Books) error {
	from, to := tx.Bucket(open), tx.Bucket(doubted)
	sales, err := values[pos.Sale](from)
	if err != nil {
		return err
	}
	for _, s := range sales {
		if s.State != pos.Draft || len(s.Lines) > 0 {
			if err := put(to, []byte(s.ID), s); err != nil {
				return err
			}
		}
		if err := from.Delete([]byte(s.ID)); err != nil {
			return err
		}
		if b.Current == s.ID {
			b.Current = ""
		}
	}
	return nil
}

// undoubt brings those back that were charged: nothing was completed in the gap.
func undoubt(tx *bolt.Tx) error {
	sales, err := values[pos.Sale](tx.Bucket(doubted))
	if err != nil {
		return err
	}
	for _, s := range sales {
		if s.State == pos.Draft {
			continue
		}
		if err := put(tx.Bucket(open), []byte(s.ID), s); err != nil {
			return err
		}
		if err := tx.Bucket(doubted).Delete([]byte(s.ID)); err != nil {
			return err
		}
	}
	return nil
}

// giveUpDoubted names the sales that nobody will ever know of more.
func giveUpDoubted(tx *bolt.Tx, b *pos.Books) error {
	sales, err := values[pos.Sale](tx.Bucket(doubted))
	if err != nil || len(sales) == 0 {
		return err
	}
	slices.SortFunc(sales, func(x, y pos.Sale) int { return x.Opened.Compare(y.Opened) })
	var refs []string
	for _, s := range sales {
		refs = append(refs, s.Ref)
		if err := tx.Bucket(doubted).Delete([]byte(s.ID)); err != nil {
			return err
		}
	}
	lose(b, func(l *pos.RecordsLost) {
		all := slices.Concat(l.Doubtful, refs)
		l.Doubtful = all[:min(len(all), pos.MaxDoubtful)]
	})
	return nil
}

// counted moves the count of sales on to what a completed one says. It fails with
// Corrupt when that number was used before.
func counted(tx *bolt.Tx, b *pos.Books, n uint64) error {
	known := b.Count - b.Unsure
	unsure := b.Unsure > 0
	b.Unsure = 0
	switch {
	case n <= known:
		return pos.E("file sale", pos.Corrupt, "sale number %d follows number %d", n, known)
	case n == known+1 && unsure:
		b.Count = n
		return undoubt(tx)
	case n == known+1:
		b.Count = n
		return nil
	}
	b.Count = n
	lose(b, func(l *pos.RecordsLost) { l.Sales += n - known - 1 })
	return giveUpDoubted(tx, b)
}

// told takes in what the till recorded of its losses. Losses that it does not name,
// older records that rotted since, stay untold.
func told(tx *bolt.Tx, b *pos.Books, r pos.Record) error {
	var v pos.RecordsLost
	if err := read(r, &v); err != nil {
		return err
	}
	had := b.Lost
	b.Count, b.Unsure = max(b.Count-b.Unsure, v.Count), 0
	b.Refs, b.Counter = max(b.Refs, v.Refs), max(b.Counter, v.Counter)
	if v.Turnover != (pos.Amount{}) {
		b.Turnover = v.Turnover
	}
	b.Lost, b.Untold = &v, false
	if had != nil {
		if all := together(v, *had); !same(all, v) {
			lose(b, func(l *pos.RecordsLost) { *l = all })
		}
	}
	return settleNamed(tx, v.Doubtful)
}

// settleNamed forgets doubted sales that are named.
func settleNamed(tx *bolt.Tx, refs []string) error {
	sales, err := values[pos.Sale](tx.Bucket(doubted))
	if err != nil {
		return err
	}
	for _, s := range sales {
		if slices.Contains(refs, s.Ref) {
			if err := tx.Bucket(doubted).Delete([]byte(s.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

// together is v and what only had names.
func together(v, had pos.RecordsLost) pos.RecordsLost {
	for _, g := range had.Gaps {
		v = v.With(g)
	}
	v.Tail, v.Sales = max(v.Tail, had.Tail), max(v.Sales, had.Sales)
	for _, ref := range had.Doubtful {
		if !slices.Contains(v.Doubtful, ref) && len(v.Doubtful) < pos.MaxDoubtful {
			v.Doubtful = slices.Concat(v.Doubtful, []string{ref})
		}
	}
	return v
}

// same reports that both tell of the same losses.
func same(x, y pos.RecordsLost) bool {
	return x.Tail == y.Tail && x.Sales == y.Sales && len(x.Doubtful) == len(y.Doubtful) &&
		slices.EqualFunc(x.Gaps, y.Gaps, func(a, b pos.Gap) bool { return a.First == b.First && a.Last == b.Last })
}

// adopt takes over what an index that was set aside knows better than the journal:
// which numbers are used. parted says that its last record is not the journal's of
// that number, or is behind the journal's end.
func adopt(b *pos.Books, old pos.Books, parted bool) {
	if b.Genesis.Till == "" && !parted {
		b.Genesis = old.Genesis // its record rotted; the chain proves that this is its index
		priced(b)
	}
	if old.Genesis.Till != b.Genesis.Till || !bytes.Equal(old.Genesis.Key, b.Genesis.Key) {
		return // another till's
	}
	if b.Unsure > 0 && old.Last == b.Last && !parted { // it saw what was lost since
		b.Count, b.Unsure, b.Turnover = old.Count, old.Unsure, old.Turnover
		lose(b, func(*pos.RecordsLost) {})
	}
	b.Refs, b.Counter = max(b.Refs, old.Refs), max(b.Counter, old.Counter)
	tail := parted && (b.Lost == nil || old.Last > b.Lost.Tail)
	if old.Count <= b.Count && !tail {
		return
	}
	if old.Count > b.Count {
		b.Count, b.Turnover = old.Count, old.Turnover
	}
	lose(b, func(l *pos.RecordsLost) {
		if tail {
			l.Tail = old.Last
		}
	})
}
