package spool

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/escpos"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/printertest"
	"github.com/tillwright/tillwright/printer/star"
)

// queue is a print queue that insists on its protocol and survives its spool.
type queue struct {
	t     testing.TB
	mu    sync.Mutex
	jobs  []pos.PrintJob
	log   []string // what was done and dropped, in order
	fail  error    // of Begin
	undo  error    // of Done
	blind bool     // does not tell of drawers behind the first
}

func (q *queue) add(j pos.PrintJob) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, j)
}

func (q *queue) Next() (pos.PrintJob, bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) == 0 {
		return pos.PrintJob{}, false, nil
	}
	return q.jobs[0], true, nil
}

func (q *queue) find(id uint64) int {
	i := slices.IndexFunc(q.jobs, func(j pos.PrintJob) bool { return j.ID == id })
	if i < 0 {
		q.t.Errorf("job %d is not in the queue", id)
	}
	return i
}

func (q *queue) Begin(id uint64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.fail != nil {
		return q.fail
	}
	q.jobs[q.find(id)].Begun = true
	return nil
}

func (q *queue) Done(id uint64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := q.find(id)
	if q.undo != nil {
		return q.undo
	}
	if q.jobs[i].Kind != pos.PrintDrawer && !q.jobs[i].Begun {
		q.t.Errorf("job %d is done and was never begun", id)
	}
	q.jobs = slices.Delete(q.jobs, i, i+1)
	q.log = append(q.log, fmt.Sprintf("done %d", id))
	return nil
}

func (q *queue) Drop(id uint64, why string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := q.find(id)
	q.jobs = slices.Delete(q.jobs, i, i+1)
	q.log = append(q.log, fmt.Sprintf("drop %d: %s", id, why))
	return nil
}

func (q *queue) history() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return strings.Join(q.log, "; ")
}

// telling is a queue that tells of drawers, as Drawers says.
type telling struct{ *queue }

func (q telling) Drawers() ([]pos.PrintJob, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []pos.PrintJob
	for _, j := range q.jobs {
		if hasDrawer(j) {
			out = append(out, j)
		}
	}
	return out, nil
}

// shop is a counter: a queue, a printer and its cable, a running spool.
type shop struct {
	t       *testing.T
	q       *queue
	p       *paper.Printer
	spool   *Spool
	profile escpos.Profile

	mu     sync.Mutex
	down   error // Dial fails
	cut    int   // the next connections break after that many bytes; below 0 they do not
	dials  int
	links  []string
	bad    error // of Receipts
	skew   time.Duration
	stop   context.CancelFunc
	ended  chan struct{}
	closes error
	writes error // of every write
	senses bool  // the cable tells of the paper
	short  bool  // receipts, for tests that print thousands
	o      Options
}

func open(t *testing.T, change func(s *shop)) *shop {
	s := &shop{t: t, q: &queue{t: t}, p: printertest.New(t, 384), profile: escpos.Default58, cut: -1}
	if change != nil {
		change(s)
	}
	s.start()
	t.Cleanup(func() { s.halt() })
	return s
}

// start begins a new spool over the same queue and printer, as after a restart.
func (s *shop) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.ended = cancel, make(chan struct{})
	var q Queue = telling{s.q}
	if s.q.blind {
		q = s.q
	}
	o := s.o
	o.Queue, o.Receipts, o.Dial, o.Shop = q, s, s.dial, printertest.Shop("en")
	if o.Encoder == nil {
		o.Encoder, o.Columns = s.profile, s.profile.Columns
	}
	o.Link = func(l pos.Link) {
		s.mu.Lock()
		s.links = append(s.links, strings.TrimSuffix(l.State+": "+l.Detail, ": "))
		s.mu.Unlock()
	}
	o.Now = func() time.Time { return time.Now().Add(s.skew) }
	s.spool = New(o)
	go func() {
		defer close(s.ended)
		if err := s.spool.Run(ctx); err != nil {
			s.t.Error(err)
		}
	}()
	synctest.Wait()
}

func (s *shop) halt() { s.stop(); <-s.ended }

func (s *shop) dial(context.Context) (io.ReadWriteCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials++
	if s.down != nil {
		return nil, s.down
	}
	p := plug{&printertest.Cable{Printer: s.p, Left: s.cut}, s.closes, s.writes}
	if s.senses {
		return sensing{p, s.p}, nil
	}
	return p, nil
}

// plug is a cable whose Close and Write may fail.
type plug struct {
	*printertest.Cable
	err, writes error
}

func (p plug) Close() error { return p.err }

func (p plug) Write(b []byte) (int, error) {
	if p.writes != nil {
		return 0, p.writes
	}
	return p.Cable.Write(b)
}

// sensing is a cable that tells of the paper although the printer does not answer.
type sensing struct {
	plug
	p *paper.Printer
}

func (s sensing) Paper() (out, known bool) { return s.p.Empty(), true }

func (s *shop) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *shop) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.links, "; ")
}

var cash = printertest.Receipts()["cash"]

// Receipt makes the receipt of a job, with its number as the receipt's.
func (s *shop) Receipt(j pos.PrintJob) (pos.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bad != nil && j.ID == 1 {
		return pos.Receipt{}, s.bad
	}
	r := cash
	if s.short {
		r.Lines, r.Tax, r.Shop.Address = r.Lines[:1], nil, nil
	}
	r.Number, r.QR, r.Copy = fmt.Sprintf("01-%06d", j.ID), "TW1", j.Copy
	return r, nil
}

// sell queues a receipt, with a drawer if it was paid in cash, and wakes the spool.
func (s *shop) sell(id uint64, drawer bool) {
	s.q.add(pos.PrintJob{ID: id, Kind: pos.PrintReceipt, Record: id, Drawer: drawer, At: time.Now().Add(s.skew)})
	s.spool.Wake()
	synctest.Wait()
}

func wait(d time.Duration) { time.Sleep(d); synctest.Wait() }

// banner is a receipt's head that begins with COPY; the one at the foot of the
// paper before is followed by more than one blank line.
var banner = regexp.MustCompile(`(COPY \d+|was interrupted\))\n\n$`)

// papers returns how many originals and copies of a receipt came out whole.
func papers(text string, id uint64) (originals, copies int) {
	for _, p := range strings.SplitAfter(text, "Thank you!") {
		body, whole := strings.CutSuffix(p, "Thank you!")
		at := strings.LastIndex(body, fmt.Sprintf("Receipt 01-%06d", id))
		if at < 0 || !whole || strings.Count(body[at:], "Receipt") > 1 {
			continue
		}
		if head := body[:max(strings.LastIndex(body[:at], "Bäckerei"), 0)]; banner.MatchString(strings.TrimRight(head, " ")) {
			copies++
		} else {
			originals++
		}
	}
	return originals, copies
}

func (s *shop) wantPapers(id uint64, originals, copies int) {
	s.t.Helper()
	if o, c := papers(s.p.Text(), id); o != originals || c != copies {
		s.t.Errorf("receipt %d: %d originals and %d copies, want %d and %d on\n%s", id, o, c, originals, copies, s.p.Text())
	}
}

func (s *shop) wantHistory(want string) {
	s.t.Helper()
	if got := s.q.history(); got != want {
		s.t.Errorf("queue: %q, want %q", got, want)
	}
}

// hook is an encoder that calls f between the pieces of a paper.
type hook struct {
	escpos.Profile
	f   func()
	run *printer.Run // the last one
}

func (h hook) Print(rw io.ReadWriter, d printer.Document, run printer.Run) (printer.Status, error) {
	if h.run != nil {
		*h.run = run
	}
	between := run.Between
	run.Between = func(p io.ReadWriter) error {
		h.f()
		return between(p)
	}
	return h.Profile.Print(rw, d, run)
}

// starHook is hook for Star's.
type starHook struct {
	star.Profile
	f func()
}

func (h starHook) Print(rw io.ReadWriter, d printer.Document, run printer.Run) (printer.Status, error) {
	between := run.Between
	run.Between = func(p io.ReadWriter) error {
		h.f()
		return between(p)
	}
	return h.Profile.Print(rw, d, run)
}

// printerCover is a printer that somebody opened.
var printerCover = printer.Status{Known: true, Cover: true}
