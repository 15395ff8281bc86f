package spool

import (
	"context"
	"image"
	"io"
	"log/slog"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
)

const (
	// probeEvery is how often an idle printer is asked how it is, so that the cashier
	// knows of the empty roll before the next customer does.
	probeEvery = 30 * time.Second
	// lookAgain is how often a printer that said what is wrong is asked whether
	// somebody has seen to it.
	lookAgain = 2 * time.Second
	// drawerEvery is how often it is asked while the drawer stands open.
	drawerEvery = 5 * time.Second
	// backoffFrom and backoffTo bound the pauses between tries to reach a printer.
	backoffFrom = time.Second
	backoffTo   = 15 * time.Second
	// maxBreaks is how often one paper may break off before it is given up.
	maxBreaks = 3
	// stopWithin is how long a paper that is being printed may go on when the till
	// stops: long enough for all but the longest.
	stopWithin = 5 * time.Second
	// dropsMax bounds the jobs dropped in one turn: a queue that does not forget what
	// it was told to must not keep the spool busy for ever.
	dropsMax = 1000
)

// Queue holds the papers that are owed, durably. Its methods may block for a
// write to storage; none is called concurrently.
type Queue interface {
	// Next returns the oldest job waiting; false when there is none.
	Next() (pos.PrintJob, bool, error)
	// Begin notes that bytes of the job may be on paper from now on. It returns when
	// that is durable. NotFound, Conflict: the job is not wanted any more.
	Begin(id uint64) error
	// Done forgets the job.
	Done(id uint64) error
	// Drop forgets the job and records why.
	Drop(id uint64, why string) error
}

// Drawers is what a Queue may do besides. With it a drawer opens although other
// papers wait in front of its own.
type Drawers interface {
	// Drawers returns the waiting jobs whose Drawer is set, and those of kind
	// PrintDrawer.
	Drawers() ([]pos.PrintJob, error)
}

// Receipts makes the receipt of a job of kind PrintReceipt. An error of kind
// Unavailable means that it may work later; any other drops the job.
type Receipts interface {
	Receipt(job pos.PrintJob) (pos.Receipt, error)
}

// Tickets makes the ticket of a job of kind PrintTicket. Its errors are as those of
// Receipts.
type Tickets interface {
	Ticket(job pos.PrintJob) (pos.Ticket, error)
}

// Encoder speaks the printer's language; escpos.Profile does. All methods block as
// long as the port makes progress, and fail when the port does.
type Encoder interface {
	// Kick opens the drawer now or never. answers says that the printer answered
	// before, so that it is worth asking.
	Kick(rw io.ReadWriter, answers bool) error
	// Status asks how the printer is; the zero Status if it does not say.
	Status(rw io.ReadWriter) (printer.Status, error)
	// Reset frees a printer that waits for the rest of something.
	Reset(w io.Writer) error
	// Print prints d as run says; see escpos.Profile.Print.
	Print(rw io.ReadWriter, d printer.Document, run printer.Run) (printer.Status, error)
}

// Options are what a Spool needs. Queue, Dial, Encoder, Columns, Link and Now are
// required, and Receipts or Tickets for the kinds of jobs that the queue holds.
type Options struct {
	Name     string // of the link: "printer" if empty; "printer Kitchen" for a second one
	Queue    Queue  // of this printer's jobs alone
	Receipts Receipts
	Tickets  Tickets
	Quiet    bool // does not beep when a ticket is out
	// DrawerOpen is the level of the drawer's sensor while it is open; empty: there is no
	// sensor. Drawer is told when the drawer was opened or shut, as far as the printer
	// was asked since; it must not block.
	DrawerOpen printer.Level
	Drawer     func(open bool)
	// Logo stands at the top of receipts and test pages; nil for none. It must not change.
	Logo image.Image
	// Dial opens the printer's port, within seconds or when ctx ends. Write on it must
	// fail when it makes no progress, Read when no answer comes, Close must drain;
	// port.Open returns such a one.
	Dial    func(ctx context.Context) (io.ReadWriteCloser, error)
	Encoder Encoder
	Columns int              // of the printer
	Shop    pos.Shop         // for test pages and the language of what Link says
	Link    func(l pos.Link) // told every change of how the printer is; must not block
	Now     func() time.Time // wall clock, the one of PrintJob.At
	Log     *slog.Logger
}

// Spool is the printer's own thread of work. Make it with New.
type Spool struct {
	o    Options
	log  *slog.Logger
	wake chan struct{}

	// Below: Run's alone.
	seen     map[uint64]*sighting // jobs that are not over
	status   printer.Status       // the printer's last word
	ajar     bool                 // the drawer is open, as was last told
	answers  bool                 // it answered, when it was last reached
	broken   bool                 // a paper broke off: the printer may wait for the rest of it
	told     pos.Link
	failures int       // to reach the printer, in a row
	rest     time.Time // no paper is tried before
	probe    time.Time // next look at an idle printer
}

// New returns a Spool that does nothing until Run.
func New(o Options) *Spool {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if o.Name == "" {
		o.Name = "printer"
	}
	return &Spool{o: o, log: log.With("printer", o.Name), wake: make(chan struct{}, 1), seen: map[uint64]*sighting{}}
}

// Wake says that a job was added. It never blocks.
func (s *Spool) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, and returns nil. A paper in the printer then has
// stopWithin to come out. Call it once.
func (s *Spool) Run(ctx context.Context) error {
	s.disarm()
	for {
		t := time.NewTimer(s.turn(ctx))
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-s.wake:
			t.Stop()
		case <-t.C:
		}
	}
}

// turn does what can be done now, and returns how long to wait if nobody wakes us.
func (s *Spool) turn(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		job, ok := s.next()
		urgent := s.urgent(job)
		now := time.Now()
		switch {
		case urgent:
		case ok && now.Before(s.rest):
			return s.rest.Sub(now)
		case !ok && now.Before(s.probe):
			return s.probe.Sub(now)
		}
		s.attempt(ctx, job, ok)
	}
	return 0
}
