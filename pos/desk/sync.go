package desk

import (
	"iter"

	"github.com/tillwright/tillwright/pos"
)

// checkpointEvery bounds how many records the till may be ahead of the last
// checkpoint that it recorded, besides one for every stretch with a sale in it.
const checkpointEvery = 500

// Since yields the records above after, oldest first.
func (d *Desk) Since(after uint64) iter.Seq2[pos.Record, error] { return d.o.Journal.Since(after) }

// Acked returns how far the backoffice holds the records.
func (d *Desk) Acked() uint64 { return d.o.Ledger.Books().Acked }

// Ack notes the backoffice's signed word that it holds every record up to cp.N.
// It becomes a record when it covers a sale that none before covered: a
// checkpoint for every checkpoint would never end. It fails with Corrupt when cp
// is not about our own record: then it proves another history.
func (d *Desk) Ack(cp pos.Checkpoint) error {
	_, err := d.turn(pos.Command{By: pos.Till}, func(t *turn) error {
		if cp.N > 0 {
			r, err := d.o.Journal.Read(cp.N)
			if err != nil {
				return err
			}
			if r.Hash != cp.Hash {
				return pos.E("take checkpoint", pos.Corrupt, "the backoffice vouches for another record %d than ours", cp.N)
			}
		}
		last := uint64(0)
		if t.books.Checkpoint != nil {
			last = t.books.Checkpoint.N
		}
		if cp.N > last && (d.salesUpTo(cp.N) || cp.N-last > checkpointEvery) {
			t.record(pos.KindCheckpoint, cp)
			return nil
		}
		if cp.N == t.books.Acked {
			return nil // the heartbeat of a quiet night costs no write
		}
		t.again = true
		return d.o.Ledger.Acked(cp.N)
	})
	return err
}

// salesUpTo reports that a sale at or below record n waits for its acknowledgement.
func (d *Desk) salesUpTo(n uint64) bool {
	u := d.o.Ledger.Books().Unsent
	return u.Sales > 0 && u.First <= n
}

// Forked records that the backoffice holds another history of this till.
func (d *Desk) Forked(f pos.Fork) error {
	if known := d.o.Ledger.Books().Fork; known != nil && *known == f {
		return nil
	}
	return d.note(pos.KindFork, f)
}

// Enrolled records which backoffice the till belongs to from now on. It fails with
// Conflict while sales wait for another one: they would be lost to its owner.
func (d *Desk) Enrolled(e pos.Enrolled, by pos.Actor) error {
	_, err := d.turn(pos.Command{By: by}, func(t *turn) error {
		if err := d.mayEnrol(t.books, e.URL); err != nil {
			return err
		}
		t.record(pos.KindEnrolled, e)
		return nil
	})
	d.settled()
	return err
}

// MayEnrol fails as Enrolled would.
func (d *Desk) MayEnrol(url string) error { return d.mayEnrol(d.o.Ledger.Books(), url) }

func (d *Desk) mayEnrol(b pos.Books, url string) error {
	if b.Enrolled == nil || b.Enrolled.URL == url {
		return nil
	}
	if b.Unsent.Sales > 0 {
		return pos.E("enrol", pos.Conflict, "%d sales (%s) wait for %s; connect to it first, so that none is lost",
			b.Unsent.Sales, b.Unsent.Amount, b.Enrolled.URL)
	}
	ps, err := d.o.Payments.Watched()
	for _, p := range ps {
		if p.Offline && p.State.Open() { // nobody else knows its money
			return pos.E("enrol", pos.Conflict, "offline payment %s (%s) waits for %s; connect to it first, so that none is lost. If it never answers again: till reset -export",
				pos.CounterRef(p.Counter), p.Amount, b.Enrolled.URL)
		}
	}
	return err
}
