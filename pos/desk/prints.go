package desk

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// Queue is what one printer owes. It is used by one spool at a time.
type Queue struct {
	d       *Desk
	printer string
}

// Queue returns the queue of a printer by its name, the receipt printer's for an empty
// one.
func (d *Desk) Queue(printer string) Queue { return Queue{d, printer} }

// Next returns the oldest job that waits. A ticket whose order was taken back is
// forgotten before it is printed; the word that takes it back goes with it, unless
// bytes of the ticket may be on paper.
func (q Queue) Next() (pos.PrintJob, bool, error) {
	for {
		jobs, err := q.d.o.Prints.Jobs(q.printer)
		if err != nil || len(jobs) == 0 {
			return pos.PrintJob{}, false, err
		}
		head := jobs[0]
		i := slices.IndexFunc(jobs, func(j pos.PrintJob) bool { return j.Voids == head.ID })
		if i < 0 {
			return head, true, nil
		}
		gone := []uint64{head.ID}
		if !head.Begun {
			gone = append(gone, jobs[i].ID)
		}
		if err := q.d.o.Prints.DoneJob(q.printer, gone...); err != nil {
			return pos.PrintJob{}, false, err
		}
	}
}

// Drawers returns the waiting jobs that open the drawer: it must not wait behind
// papers.
func (q Queue) Drawers() ([]pos.PrintJob, error) {
	jobs, err := q.d.o.Prints.Jobs(q.printer)
	return slices.DeleteFunc(jobs, func(j pos.PrintJob) bool { return !j.Drawer }), err
}

// Begin notes, durably, that bytes of the job may be on paper from now on. It fails with
// NotFound or Conflict when the job is not wanted any more.
func (q Queue) Begin(id uint64) error { return q.d.o.Prints.BeginJob(q.printer, id) }

// Done forgets a job that is on paper.
func (q Queue) Done(id uint64) error { return q.d.o.Prints.DoneJob(q.printer, id) }

// Drop gives a job up: it becomes a record and a notice. A copy can always be
// asked for. It returns when Next does not tell of the job any more.
func (q Queue) Drop(id uint64, why string) error {
	_, err := q.d.turn(pos.Command{By: pos.Till}, func(t *turn) error {
		jobs, err := q.d.o.Prints.Jobs(q.printer)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			if j.ID == id {
				t.record(pos.KindPrintFailed, pos.PrintFailed{Job: j, Why: why})
				t.notice = q.d.printNotice(j, why)
			}
		}
		return nil
	})
	q.d.settled()
	return err
}

// printNotice says what somebody must do now that a paper was given up.
func (d *Desk) printNotice(j pos.PrintJob, why string) *pos.Notice {
	key := "notice_print_" + string(j.Kind)
	if j.Voids != 0 {
		key = "notice_print_void"
	}
	text := pos.Word(d.o.Shop.Language, key, "why", why, "printer", j.Printer, "ref", j.Ref)
	return &pos.Notice{Kind: pos.NoticePrinter, Sale: j.Sale, Text: text}
}

// dropOrphans gives up what printers owe that the shop does not have any more: nobody
// else would ever say so.
func (d *Desk) dropOrphans() error {
	names, err := d.o.Prints.Printers()
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == "" || slices.ContainsFunc(d.o.Routes, func(r pos.Route) bool { return r.Printer == name }) {
			continue
		}
		jobs, err := d.o.Prints.Jobs(name)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			if err := d.Queue(name).Drop(j.ID, pos.Word(d.o.Shop.Language, "printer_gone")); err != nil {
				return err
			}
		}
	}
	return nil
}

// order returns what other printers are told of a sale that is charged now.
func (d *Desk) order(lines []pos.Line) []pos.TicketOrder {
	return pos.Orders(lines, d.o.Routes, func(sku string) string { return d.items[sku].Category })
}

// JobTicket returns the ticket that a job prints. It fails with NotFound when its sale
// has nothing for that printer.
func (d *Desk) JobTicket(j pos.PrintJob) (pos.Ticket, error) {
	r, err := d.o.Journal.Read(j.Record)
	if err != nil {
		return pos.Ticket{}, err
	}
	out, err := pos.NewTicket(d.o.Shop, r, j.Printer, d.o.Zone)
	out.Void, out.Again, out.Unsure = j.Voids != 0, j.Copy > 0, j.Begun
	return out, err
}

// orderAgain prints the tickets of a sale once more.
func (d *Desk) orderAgain(t *turn, do pos.Reprint) error {
	s, record, err := d.ordered(do.Sale)
	if do.Sale == "" { // the one at the counter, if anybody was told of it
		if s, record, err = d.ordered(t.books.Current); err != nil {
			s, record, err = d.ordered(t.books.LastDone)
		}
	}
	if err != nil {
		return err
	}
	v := pos.Reprinted{Sale: s.ID, Ref: s.Ref, Record: record, By: t.by}
	for _, o := range s.Tickets {
		due := o.When == pos.WhenCharged || s.State == pos.Completed
		if due && (do.Printer == "" || do.Printer == o.Printer) && slices.ContainsFunc(d.o.Routes, func(r pos.Route) bool { return r.Printer == o.Printer }) {
			v.Printers = append(v.Printers, o.Printer)
		}
	}
	if len(v.Printers) == 0 {
		return pos.E("print ticket", pos.NotFound, "sale %s has no ticket to print again", s.Ref)
	}
	t.record(pos.KindReprinted, v)
	t.answer.Sale, t.prints = s.ID, true
	return nil
}

// printTestPage has a printer bring out its test page, behind what waits there.
func (d *Desk) printTestPage(t *turn, do pos.PrintTestPage) error {
	const op = "print test page"
	if !t.by.Role.Includes(pos.Manager) {
		return pos.E(op, pos.Forbidden, "only a manager has a test page printed")
	}
	if do.Printer != "" {
		i := slices.IndexFunc(d.o.Routes, func(r pos.Route) bool { return strings.EqualFold(r.Printer, do.Printer) })
		if i < 0 {
			return pos.E(op, pos.NotFound, "this till has no printer %.40q", do.Printer)
		}
		do.Printer = d.o.Routes[i].Printer
	}
	t.record(pos.KindTestReceipt, pos.TestPrinted{Printer: do.Printer, By: t.by})
	t.prints = true
	return nil
}

// ordered returns a sale that was charged or completed, and the record that holds it.
func (d *Desk) ordered(id pos.SaleID) (pos.Sale, uint64, error) {
	s, err := d.o.Sales.Sale(id)
	if err == nil || pos.KindOf(err) != pos.NotFound {
		if err == nil && s.Charged == 0 {
			err = pos.E("print ticket", pos.Conflict, "sale %s is not charged yet", s.Ref)
		}
		return s, s.Charged, err
	}
	f, err := d.o.Sales.Filed(id)
	if err != nil {
		return s, 0, err
	}
	v, err := d.completedView(f)
	return v.Sale, f.Record, err
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
		return d.saleView(s, d.o.Ledger.Books(), at)
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
