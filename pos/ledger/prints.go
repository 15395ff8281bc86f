package ledger

import (
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// NextJob returns the oldest print job that waits; ok is false when none does.
func (l *Ledger) NextJob() (j pos.PrintJob, ok bool, err error) {
	err = l.view(func(tx *bolt.Tx) error {
		key, value := tx.Bucket(prints).Cursor().First()
		if ok = key != nil; !ok {
			return nil
		}
		return decode(key, value, &j)
	})
	return j, ok, err
}

// Drawers returns the waiting jobs that open the drawer, oldest first.
func (l *Ledger) Drawers() ([]pos.PrintJob, error) {
	jobs, err := all[pos.PrintJob](l, prints)
	return slices.DeleteFunc(jobs, func(j pos.PrintJob) bool { return !j.Drawer }), err
}

// BeginJob notes, durably, that bytes of the job may reach the paper from now on.
func (l *Ledger) BeginJob(id uint64) error {
	return l.durably(func(tx *bolt.Tx, _ *pos.Books) error {
		var j pos.PrintJob
		if err := get(tx.Bucket(prints), number(id), &j); err != nil || j.ID == 0 {
			return err
		}
		j.Begun = true
		return job(tx, j)
	})
}

// Job returns a print job that waits. It fails with NotFound.
func (l *Ledger) Job(id uint64) (pos.PrintJob, error) {
	var j pos.PrintJob
	err := l.view(func(tx *bolt.Tx) error { return get(tx.Bucket(prints), number(id), &j) })
	if err == nil && j.ID == 0 {
		err = pos.E("find print job", pos.NotFound, "there is no such print job")
	}
	return j, err
}

// DoneJob forgets a job that is on paper.
func (l *Ledger) DoneJob(id uint64) error {
	return l.durably(func(tx *bolt.Tx, _ *pos.Books) error { return tx.Bucket(prints).Delete(number(id)) })
}

// settlePrints is called after a rebuild, when nobody knows any more what was
// printed: papers of the last minutes come out once more, marked as copies; a
// drawer is not opened again; older ones are history. A board that wakes in 1970
// must not print the whole of it: it is at least as late as the newest paper.
func (l *Ledger) settlePrints(now time.Time) error {
	jobs, err := all[pos.PrintJob](l, prints)
	if err != nil {
		return err
	}
	if n := len(jobs); n > 0 && // journal times never go back, so the last is the newest
		jobs[n-1].At.After(now) {
		now = jobs[n-1].At
	}
	return l.durably(func(tx *bolt.Tx, _ *pos.Books) error {
		for _, j := range jobs {
			if j.Kind != pos.PrintReceipt || now.Sub(j.At) > pos.ReceiptWithin {
				if err := tx.Bucket(prints).Delete(number(j.ID)); err != nil {
					return err
				}
				continue
			}
			j.Begun, j.Drawer = true, false
			if err := job(tx, j); err != nil {
				return err
			}
		}
		return nil
	})
}
