package ledger

import (
	"bytes"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// A job's key is its printer's name, NUL, and its number: so each printer has its own
// queue, oldest first. No name holds a NUL.
func jobKey(printer string, id uint64) []byte {
	return append(append([]byte(printer), 0), number(id)...)
}

// Jobs returns what a printer still owes, oldest first. The queue is short: what waits
// too long is given up.
func (l *Ledger) Jobs(printer string) ([]pos.PrintJob, error) {
	var out []pos.PrintJob
	err := l.view(func(tx *bolt.Tx) (err error) {
		out, err = jobsOf(tx, printer)
		return err
	})
	return out, err
}

func jobsOf(tx *bolt.Tx, printer string) ([]pos.PrintJob, error) {
	var out []pos.PrintJob
	prefix, c := jobKey(printer, 0)[:len(printer)+1], tx.Bucket(prints).Cursor()
	for key, value := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, value = c.Next() {
		var j pos.PrintJob
		if err := decode(key, value, &j); err != nil {
			return nil, err
		}
		out = append(out, j)
	}
	return out, nil
}

// Printers returns the names of the printers that owe something, the receipt printer's
// empty one first.
func (l *Ledger) Printers() ([]string, error) {
	jobs, err := all[pos.PrintJob](l, prints)
	var out []string
	for _, j := range jobs {
		out = append(out, j.Printer)
	}
	slices.SortFunc(out, strings.Compare)
	return slices.Compact(out), err
}

// BeginJob notes, durably, that bytes of the job may reach the paper from now on. It
// fails with NotFound when nothing waits under this number, and with Conflict when its
// order was taken back meanwhile.
func (l *Ledger) BeginJob(printer string, id uint64) error {
	var refused error
	err := l.durably(func(tx *bolt.Tx, _ *pos.Books) error {
		refused = nil // it may have to be applied again, later
		jobs, err := jobsOf(tx, printer)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(jobs, func(j pos.PrintJob) bool { return j.ID == id })
		switch {
		case i < 0:
			refused = pos.E("print", pos.NotFound, "there is no such print job")
			return nil
		case slices.ContainsFunc(jobs, func(j pos.PrintJob) bool { return j.Voids == id }):
			refused = pos.E("print", pos.Conflict, "order %s was cancelled", jobs[i].Ref)
			return nil
		}
		jobs[i].Begun = true
		return job(tx, jobs[i])
	})
	if err == nil {
		err = refused
	}
	return err
}

// DoneJob forgets jobs that are on paper, or not to be printed any more: all or none.
func (l *Ledger) DoneJob(printer string, ids ...uint64) error {
	return l.durably(func(tx *bolt.Tx, _ *pos.Books) error {
		for _, id := range ids {
			if err := tx.Bucket(prints).Delete(jobKey(printer, id)); err != nil {
				return err
			}
		}
		return nil
	})
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
	for _, j := range jobs {
		if j.At.After(now) {
			now = j.At
		}
	}
	return l.durably(func(tx *bolt.Tx, _ *pos.Books) error {
		for _, j := range jobs {
			paper := j.Kind == pos.PrintReceipt || j.Kind == pos.PrintTicket
			if !paper || now.Sub(j.At) > j.Kind.Within() {
				if err := tx.Bucket(prints).Delete(jobKey(j.Printer, j.ID)); err != nil {
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

func job(tx *bolt.Tx, j pos.PrintJob) error {
	return put(tx.Bucket(prints), jobKey(j.Printer, j.ID), j)
}

// order owes the sale's tickets of one time to their printers. r holds the sale.
func order(tx *bolt.Tx, r pos.Record, s pos.Sale, when pos.TicketTime) error {
	for _, o := range s.Tickets {
		if o.When != when {
			continue
		}
		if err := job(tx, pos.PrintJob{ID: r.N, Printer: o.Printer, Kind: pos.PrintTicket, Sale: s.ID, Ref: s.Ref, Record: r.N, At: r.At}); err != nil {
			return err
		}
	}
	return nil
}

// takeBack owes every printer that was told of a sale when it was charged the word that
// it is not wanted any more. A ticket that still waits is kept beside it, for only the
// printer knows whether any of it is on paper (see desk.Queue); so the same records give
// the same jobs, whatever was printed.
func takeBack(tx *bolt.Tx, r pos.Record, s pos.Sale) error {
	for _, o := range s.Tickets {
		if o.When != pos.WhenCharged || o.Missed {
			continue
		}
		j := pos.PrintJob{
			ID: r.N, Printer: o.Printer, Kind: pos.PrintTicket, Sale: s.ID, Ref: s.Ref, Record: s.Charged, Voids: s.Charged, At: r.At,
		}
		if err := job(tx, j); err != nil {
			return err
		}
	}
	return nil
}

// reprinted owes a copy of a receipt, or tickets once more.
func reprinted(tx *bolt.Tx, r pos.Record) (pos.Answer, error) {
	var v pos.Reprinted
	if err := read(r, &v); err != nil {
		return pos.Answer{}, err
	}
	a := pos.Answer{Sale: v.Sale}
	if len(v.Printers) > 0 {
		return a, orderAgain(tx, r, v)
	}
	var f pos.Filed
	if err := get(tx.Bucket(done), []byte(v.Sale), &f); err != nil {
		return a, err
	}
	f.Copies = v.Copy
	if err := put(tx.Bucket(done), []byte(v.Sale), f); err != nil {
		return a, err
	}
	return a, job(tx, pos.PrintJob{ID: r.N, Kind: pos.PrintReceipt, Sale: v.Sale, Record: f.Record, Copy: v.Copy, At: r.At})
}

func testPage(tx *bolt.Tx, r pos.Record) error {
	var v pos.TestPrinted
	if err := read(r, &v); err != nil {
		return err
	}
	return job(tx, pos.PrintJob{ID: r.N, Printer: v.Printer, Kind: pos.PrintTest, At: r.At})
}

func orderAgain(tx *bolt.Tx, r pos.Record, v pos.Reprinted) error {
	for _, p := range v.Printers {
		if err := job(tx, pos.PrintJob{ID: r.N, Printer: p, Kind: pos.PrintTicket, Sale: v.Sale, Ref: v.Ref, Record: v.Record, Copy: 1, At: r.At}); err != nil {
			return err
		}
		if err := missed(tx, v.Sale, p, false); err != nil {
			return err
		}
	}
	return nil
}

// printFailed forgets a job that was given up, and remembers of a ticket that nobody
// has seen any of it.
func printFailed(tx *bolt.Tx, r pos.Record) error {
	var v pos.PrintFailed
	if err := read(r, &v); err != nil {
		return err
	}
	if j := v.Job; j.Kind == pos.PrintTicket && !j.Begun && j.ID == j.Record {
		if err := missed(tx, j.Sale, j.Printer, true); err != nil {
			return err
		}
	}
	return tx.Bucket(prints).Delete(jobKey(v.Job.Printer, v.Job.ID))
}

// missed notes in a sale that is not over whether a printer knows of it.
func missed(tx *bolt.Tx, id pos.SaleID, printer string, yes bool) error {
	s, in, err := charges(tx, id)
	if err != nil || s.ID == "" {
		return err
	}
	for i := range s.Tickets {
		if s.Tickets[i].Printer == printer {
			s.Tickets[i].Missed = yes
		}
	}
	return put(in, []byte(s.ID), s)
}
