package desk

import (
	"strconv"

	"github.com/tillwright/tillwright/pos"
)

// Next returns the oldest print job that waits.
func (d *Desk) Next() (pos.PrintJob, bool, error) { return d.o.Prints.NextJob() }

// Drawers returns the waiting jobs that open the drawer: it must not wait behind
// papers.
func (d *Desk) Drawers() ([]pos.PrintJob, error) { return d.o.Prints.Drawers() }

// Begin notes, durably, that bytes of the job may be on paper from now on.
func (d *Desk) Begin(id uint64) error { return d.o.Prints.BeginJob(id) }

// Done forgets a job that is on paper.
func (d *Desk) Done(id uint64) error { return d.o.Prints.DoneJob(id) }

// Drop gives a job up: it becomes a record and a notice. A copy can always be
// asked for.
func (d *Desk) Drop(id uint64, why string) error {
	_, err := d.turn(pos.Command{By: pos.Till}, func(t *turn) error {
		j, err := d.o.Prints.Job(id)
		if pos.KindOf(err) == pos.NotFound && err != nil {
			return nil
		}
		if err != nil {
			return err
		}
		t.record(pos.KindPrintFailed, pos.PrintFailed{Job: j, Why: why})
		t.notice = &pos.Notice{Kind: pos.NoticePrinter, Sale: j.Sale, Text: pos.Word(d.o.Shop.Language, "notice_print_"+string(j.Kind), "why", why)}
		return nil
	})
	return err
}

// JobReceipt returns the receipt that a job prints. A job that was begun before
// says so on the paper: the customer may hold it already.
func (d *Desk) JobReceipt(j pos.PrintJob) (pos.Receipt, error) {
	r, err := d.o.Journal.Read(j.Record)
	if err != nil {
		return pos.Receipt{}, err
	}
	out, err := pos.NewReceipt(d.o.Shop, r, d.o.Zone, j.Copy)
	out.Unsure = j.Begun
	return out, err
}

// Receipt returns the original receipt of a completed sale. It fails with NotFound.
func (d *Desk) Receipt(id pos.SaleID) (pos.Receipt, error) {
	d.settled()
	f, err := d.o.Sales.Filed(id)
	if err != nil {
		return pos.Receipt{}, err
	}
	return d.JobReceipt(pos.PrintJob{Record: f.Record})
}

// Sale returns an open or completed sale. It fails with NotFound.
func (d *Desk) Sale(id pos.SaleID) (pos.SaleView, error) {
	d.mu.Lock() // not before the effects of the turn under way
	defer d.mu.Unlock()
	s, err := d.o.Sales.Sale(id)
	switch {
	case err == nil:
		at, _ := d.o.Now()
		return d.saleView(s, at)
	case pos.KindOf(err) != pos.NotFound:
		return pos.SaleView{}, err
	}
	f, err := d.o.Sales.Filed(id)
	if err != nil {
		return pos.SaleView{}, err
	}
	return d.completedView(f)
}

// maxPage bounds a page of sales.
const maxPage = 100

// Sales returns completed sales, newest first, at most limit of them (100 at
// most), starting after the cursor before, and the cursor to go on from; an empty
// one ends. It fails with Invalid for a cursor that is not one.
func (d *Desk) Sales(before string, limit int) ([]pos.SaleView, string, error) {
	d.settled()
	n := uint64(0)
	if before != "" {
		var err error
		if n, err = strconv.ParseUint(before, 10, 64); err != nil || n == 0 {
			return nil, "", pos.E("list sales", pos.Invalid, "this page of sales does not exist; start at the first")
		}
	}
	if n == 1 {
		return []pos.SaleView{}, "", nil
	}
	limit = min(max(limit, 1), maxPage)
	fs, err := d.o.Sales.Series(n, limit)
	if err != nil {
		return nil, "", err
	}
	out, next := make([]pos.SaleView, 0, len(fs)), ""
	for i, f := range fs {
		if f.N > 1 && i+1 == limit {
			next = strconv.FormatUint(f.N, 10)
		}
		s, err := d.completedView(f)
		if err != nil { // one damaged record, of which a notice tells, must not hide all others
			d.o.Log.Warn("sale not listed", "receipt", f.Receipt, "err", err)
			continue
		}
		out = append(out, s)
	}
	return out, next, nil
}
