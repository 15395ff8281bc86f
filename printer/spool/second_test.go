package spool

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/printertest"
	"github.com/tillwright/tillwright/printer/star"
)

// kitchen makes tickets.
type kitchen struct{ err error }

func (k kitchen) Ticket(pos.PrintJob) (printer.Ticket, error) {
	return printertest.Tickets()["ticket"], k.err
}

// order queues a ticket.
func (s *shop) order(id uint64, copies int) {
	s.q.add(pos.PrintJob{ID: id, Kind: PrintTicket, Copy: copies, At: time.Now()})
	s.spool.Wake()
	synctest.Wait()
}

// TestTickets: a kitchen gets its ticket, marked when it may be a second one.
func TestTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) { s.o.Name, s.o.Tickets = "kitchen", kitchen{} })
		s.order(1, 0)
		s.order(2, 1)
		if text := s.p.Text(); strings.Count(text, "Wiener Schnitzel") != 2 || strings.Count(text, "COPY 1") != 2 || strings.Contains(text, "€") {
			t.Errorf("paper\n%s", text)
		}
		s.q.add(pos.PrintJob{ID: 3, Kind: PrintTicket, Begun: true, At: time.Now()})
		s.spool.Wake()
		synctest.Wait()
		if text := s.p.Text(); strings.Count(text, "interrupted") != 2 {
			t.Errorf("paper\n%s", text)
		}
		s.wantHistory("done 1; done 2; done 3")
	})
}

// TestTicketsExpire: what a kitchen did not get in its time does not come out when the
// roll is changed, and its reason is told.
func TestTicketsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) { s.o.Tickets, s.o.Within = kitchen{}, 3*time.Minute })
		s.p.SetPaper(0, true)
		for id := range uint64(5) {
			s.order(id+1, 0)
			wait(2 * time.Minute)
		}
		s.p.SetPaper(paper.Endless, false)
		wait(lookAgain)
		if n := strings.Count(s.p.Text(), "Schnitzel"); n != 1 {
			t.Errorf("%d tickets on\n%s", n, s.p.Text())
		}
		s.wantHistory("drop 1: too late: no paper; drop 2: too late: no paper; drop 3: too late: no paper; drop 4: too late: no paper; done 5")
	})
}

// TestKinds: a job that this printer has nothing for is dropped with its reason.
func TestKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.order(1, 0)
		s.sell(2, false)
		s.wantHistory("drop 1: the ticket cannot be made: this printer does not print a ticket; done 2")
	})
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) { s.o.Tickets = kitchen{errors.New("oops")} })
		s.order(1, 0)
		s.wantHistory("drop 1: the ticket cannot be made")
	})
}

// TestSecondPrinter: a dead kitchen holds up no receipt, and each printer's link has its
// own name.
func TestSecondPrinter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counter := open(t, nil)
		cook := open(t, func(s *shop) { s.o.Name, s.o.Tickets, s.down = "kitchen", kitchen{}, errors.New("refused") })
		for id := range uint64(3) {
			cook.order(id+1, 0)
			counter.sell(id+1, true)
			counter.wantPapers(id+1, 1, 0)
			wait(time.Minute)
		}
		if counter.p.Drawer() != 3 || cook.p.Drawer() != 0 || strings.Contains(counter.p.Text(), "Schnitzel") {
			t.Errorf("drawers %d and %d, paper\n%s", counter.p.Drawer(), cook.p.Drawer(), counter.p.Text())
		}
		cook.set(func() { cook.down = nil })
		wait(backoffTo)
		if n := strings.Count(cook.p.Text(), "Schnitzel"); n != 3 || cook.spool.told.Name != "kitchen" || counter.spool.told.Name != "printer" {
			t.Errorf("%d tickets, links %q and %q", n, cook.spool.told.Name, counter.spool.told.Name)
		}
	})
}

// TestLogo: receipts and test pages bear it, at the top.
func TestLogo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) { s.o.Logo = printertest.Logo() })
		s.sell(1, false)
		s.q.add(pos.PrintJob{ID: 2, Kind: pos.PrintTest, At: time.Now()})
		s.spool.Wake()
		synctest.Wait()
		if text := s.p.Text(); !strings.HasPrefix(text, "[image 240x") || strings.Count(text, "[image 240x") < 2 {
			t.Errorf("paper\n%s", text)
		}
	})
}

// TestOtherLanguages: what is promised holds for Star's printers too. The roll ends at
// every line, and what comes out says COPY if a part of it came out before.
func TestOtherLanguages(t *testing.T) {
	p, _ := star.ByName("mpop")
	for left := 1; left < 60; left += 3 {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, func(s *shop) {
				s.p = paper.NewDialect(384, paper.StarPRNT)
				s.o.Encoder, s.o.Columns = p, p.Columns
			})
			s.p.SetPaper(left, false)
			s.sell(1, false)
			wait(10 * time.Second)
			s.p.SetPaper(paper.Endless, false)
			wait(10 * time.Second)
			s.sell(2, true)
			o, c := papers(s.p.Text(), 1)
			if o > 1 || c > 1 || o+c == 0 || s.p.Drawer() != 1 {
				t.Errorf("roll of %d lines: %d originals, %d copies, drawer %d on\n%s", left, o, c, s.p.Drawer(), s.p.Text())
			}
			s.wantPapers(2, 1, 0)
			s.wantHistory("done 1; done 2")
		})
	}
}
