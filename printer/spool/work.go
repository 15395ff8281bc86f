package spool

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
)

// attempt connects, opens drawers, and prints job if there is one; ok is false
// when there is none. Its failures are the printer's and end in s.lost.
func (s *Spool) attempt(ctx context.Context, job pos.PrintJob, ok bool) {
	for _, j := range s.drawers(job) {
		s.sight(j).tried = true
	}
	p, err := s.o.Dial(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.lost(printer.Status{}, err)
		}
		return
	}
	if err := s.open(p, job); err != nil {
		st := s.why(p, printer.Status{}, err)
		_ = p.Close() // the first error is the one that matters
		s.lost(st, err)
		return
	}
	if ok && job.Kind != pos.PrintDrawer {
		s.print(ctx, p, job)
		return
	}
	st, err := s.o.Encoder.Status(p)
	if err = errors.Join(err, p.Close()); err != nil {
		s.lost(told(st, err), err)
		return
	}
	s.heard(st)
}

// empty reports that the cable of a printer tells that it has no paper (port.Port).
func empty(p io.ReadWriter) bool {
	if c, ok := p.(interface{ Paper() (out, known bool) }); ok {
		out, known := c.Paper()
		return known && out
	}
	return false
}

// why returns what is wrong with the printer on p, which failed with err and whose last
// word is st. If neither tells, the printer is asked, for the cashier must know whether to
// look for a roll or for a cable. A port that failed once fails at once.
func (s *Spool) why(p io.ReadWriter, st printer.Status, err error) printer.Status {
	if st = told(st, err); st.Trouble() != "" {
		return st
	}
	now, err := s.o.Encoder.Status(p)
	return told(now, err)
}

// told adds to st what an error of a port tells: that there is no paper, or that the
// printer takes nothing.
func told(st printer.Status, err error) printer.Status {
	switch {
	case st.Trouble() != "":
	case errors.Is(err, syscall.ENOSPC):
		st.PaperOut = true
	case errors.Is(err, os.ErrDeadlineExceeded):
		st.Stalled = true
	}
	return st
}

// open frees a printer that waits for the rest of a broken paper, and opens the
// drawer. A printer that is offline or empty cannot be freed; it obeys only in real time.
func (s *Spool) open(p io.ReadWriter, job pos.PrintJob) error {
	if s.broken && !s.status.Offline && !empty(p) {
		if err := s.free(p); err != nil {
			return err
		}
	}
	return s.kick(p, job)
}

// free frees a printer, unless it took no bytes when it was last tried and now says why: its
// memory is full until somebody has seen to it, and a drawer behind what would free it would
// stay shut. Any other is not asked first: it may be in the middle of a command's header,
// and would take the question for the size of an image.
func (s *Spool) free(p io.ReadWriter) error {
	if s.status.Stalled {
		if st, err := s.o.Encoder.Status(p); err != nil || st.Known && st.Trouble() != "" {
			return err
		}
	}
	if err := s.o.Encoder.Reset(p); err != nil {
		return err
	}
	s.broken = false
	return nil
}

// print prints job on p and closes p.
func (s *Spool) print(ctx context.Context, p io.ReadWriteCloser, job pos.PrintJob) {
	d, err := s.document(job)
	if err != nil {
		_ = p.Close() // nothing was sent
		s.unmade(job, err)
		return
	}
	begun, queueErr := false, error(nil)
	stop := deadline(ctx)
	st, err := s.o.Encoder.Print(p, d, printer.Run{
		Silent: s.told.State == unknown,
		Begin: func() error {
			queueErr = s.o.Queue.Begin(job.ID)
			begun = queueErr == nil
			return queueErr
		},
		Between: func(p io.ReadWriter) error {
			if stop() {
				return context.Cause(ctx)
			}
			return s.kick(p, job)
		},
	})
	if queueErr == nil && pos.KindOf(err) == pos.Unavailable {
		st = s.why(p, st, err)
	}
	if tail := p.Close(); tail != nil {
		st, err = told(st, tail), errors.Join(err, tail)
	}
	switch {
	case err == nil:
		s.heard(st)
		s.done(job)
	case pos.KindOf(queueErr) == pos.Conflict, queueErr != nil && pos.KindOf(queueErr) == pos.NotFound:
		s.heard(st) // it is not wanted any more; the printer is well
		s.rest = time.Now().Add(backoffFrom)
	case queueErr != nil:
		s.log.Error("print job cannot be begun", "job", job.ID, "err", queueErr)
		s.rest = time.Now().Add(backoffTo)
	case begun:
		s.broke(job, st, err)
	case pos.KindOf(err) == pos.Invalid:
		s.unmade(job, err)
	default:
		s.lost(st, err)
	}
}

// deadline returns a function that reports, at any time after ctx ended, whether
// stopWithin has passed since it was first asked then.
func deadline(ctx context.Context) func() bool {
	var since time.Time
	return func() bool {
		if ctx.Err() == nil {
			return false
		}
		if since.IsZero() {
			since = time.Now()
		}
		return time.Since(since) > stopWithin
	}
}

// document makes what job prints, and says on it when bytes of it may be on paper
// already.
func (s *Spool) document(job pos.PrintJob) (printer.Document, error) {
	again := job.Begun || s.sight(job).breaks > 0
	switch {
	case job.Kind == pos.PrintTest:
		return printer.TestPage(s.o.Shop, s.o.Columns).WithLogo(s.o.Logo), nil
	case job.Kind == pos.PrintTicket && s.o.Tickets != nil:
		return s.ticket(job, again)
	case job.Kind != pos.PrintReceipt || s.o.Receipts == nil:
		return printer.Document{}, pos.E("make paper", pos.Invalid, "this printer does not print a %s", job.Kind)
	}
	r, err := s.o.Receipts.Receipt(job)
	if err != nil {
		return printer.Document{}, err
	}
	r.Copy, r.Unsure = max(r.Copy, job.Copy), r.Unsure || again
	return printer.Layout(r, s.o.Columns).WithLogo(s.o.Logo), nil
}

func (s *Spool) ticket(job pos.PrintJob, again bool) (printer.Document, error) {
	t, err := s.o.Tickets.Ticket(job)
	if err != nil {
		return printer.Document{}, err
	}
	t.Unsure = t.Unsure || again
	d := printer.LayoutTicket(t, s.o.Shop, s.o.Columns)
	if s.o.Quiet {
		return d, nil
	}
	return d.WithBeep(), nil
}

// unmade drops a job that cannot be printed, unless it may be possible later.
func (s *Spool) unmade(job pos.PrintJob, err error) {
	if pos.KindOf(err) == pos.Unavailable {
		s.log.Warn("paper is not ready", "job", job.ID, "err", err)
		s.rest = time.Now().Add(backoffFrom)
		return
	}
	s.log.Error("paper cannot be made", "job", job.ID, "err", err)
	why := "the " + string(job.Kind) + " cannot be made"
	if e, ok := errors.AsType[*pos.Error](err); ok {
		why += ": " + e.Msg
	}
	s.drop(job, why)
}

// broke notes that a paper broke off.
func (s *Spool) broke(job pos.PrintJob, st printer.Status, err error) {
	s.broken = true
	k := s.sight(job)
	k.breaks++
	s.lost(st, err)
	if k.breaks >= maxBreaks {
		s.drop(job, "printing broke off too often: "+s.told.Detail)
	}
}
