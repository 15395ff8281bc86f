package spool

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer/escpos"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/printertest"
	"github.com/tillwright/tillwright/printer/star"
)

// kitchen makes tickets.
type kitchen struct{ err error }

func (k kitchen) Ticket(j pos.PrintJob) (pos.Ticket, error) {
	t := printertest.Tickets()["ticket"]
	t.Ref, t.Again, t.Void = fmt.Sprintf("#%04d", j.ID), j.Copy > 0, j.Voids > 0
	return t, k.err
}

// order queues a ticket.
func (s *shop) order(id uint64, copies int) {
	s.q.add(pos.PrintJob{ID: id, Kind: pos.PrintTicket, Copy: copies, At: time.Now()})
	s.spool.Wake()
	synctest.Wait()
}

// TestTickets: a kitchen gets its ticket, marked when it may be a second one.
func TestTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) { s.o.Name, s.o.Tickets = "kitchen", kitchen{} })
		s.order(1, 0)
		s.order(2, 1)
		if text := s.p.Text(); strings.Count(text, "Schnitzel") != 2 || strings.Count(text, "AGAIN") != 2 || strings.Contains(text, "€") {
			t.Errorf("paper\n%s", text)
		}
		s.q.add(pos.PrintJob{ID: 3, Kind: pos.PrintTicket, Begun: true, At: time.Now()})
		s.spool.Wake()
		synctest.Wait()
		if text := s.p.Text(); strings.Count(text, "AGAIN") != 4 {
			t.Errorf("paper\n%s", text)
		}
		s.wantHistory("done 1; done 2; done 3")
	})
}

// TestTicketsExpire: what a kitchen did not get in its time does not come out when the
// roll is changed, and its reason is told.
func TestTicketsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) { s.o.Tickets = kitchen{} })
		s.p.SetPaper(0, true)
		for id := range uint64(5) {
			s.order(id+1, 0)
			wait(pos.TicketWithin / 3)
		}
		s.p.SetPaper(paper.Endless, false)
		wait(lookAgain)
		if n := strings.Count(s.p.Text(), "Schnitzel"); n != 2 {
			t.Errorf("%d tickets on\n%s", n, s.p.Text())
		}
		s.wantHistory("drop 1: too late: no paper; drop 2: too late: no paper; drop 3: too late: no paper; done 4; done 5")
	})
}

// TestBeep: a cook does not look at a printer, unless its shop says that nobody needs to
// be called.
func TestBeep(t *testing.T) {
	for quiet, want := range map[bool]int{false: 2, true: 0} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, func(s *shop) {
				s.profile.Beeper = escpos.EpsonBeeper
				s.o.Tickets, s.o.Quiet = kitchen{}, quiet
			})
			s.order(1, 0)
			s.order(2, 0)
			s.sell(3, false)
			if got := s.p.Beeps(); got != want {
				t.Errorf("quiet %v: %d beeps, want %d", quiet, got, want)
			}
		})
	}
}

// TestTakenBack: a ticket that is not wanted any more when its turn comes is not begun,
// and the next paper does not wait for it.
func TestTakenBack(t *testing.T) {
	for _, kind := range []pos.Kind{pos.NotFound, pos.Conflict} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, func(s *shop) {
				s.o.Tickets = kitchen{}
				s.q.fail = pos.E("print", kind, "order #0001 was cancelled")
			})
			s.order(1, 0)
			s.q.mu.Lock()
			s.q.jobs, s.q.fail = nil, nil
			s.q.mu.Unlock()
			s.order(2, 0)
			wait(backoffFrom)
			if text := s.p.Text(); strings.Contains(text, "#0001") || !strings.Contains(text, "#0002") || s.spool.told.State != online {
				t.Errorf("%v: the link is %q, paper\n%s", kind, s.spool.told.State, text)
			}
			s.wantHistory("done 2")
		})
	}
}

// tickets returns how many whole tickets of a job came out as the first, and how many
// marked: what says AGAIN does so on both ends.
func tickets(text string, id uint64) (first, again int) {
	for _, p := range strings.Split(text, cutMark) {
		if !strings.Contains(p, fmt.Sprintf("#%04d", id)) || !strings.Contains(p, "Anna") {
			continue
		}
		if strings.Count(p, "AGAIN") >= 2 {
			again++
		} else {
			first++
		}
	}
	return first, again
}

// cutMark is how the machine writes where it cut.
const cutMark = "- - -"

// TestTicketsAtEveryFault empties the kitchen's roll at every line, and unplugs it at
// every byte, while the counter prints on: an order comes out whole, once as the first at
// most, and the counter never waits.
func TestTicketsAtEveryFault(t *testing.T) {
	p80 := func(s *shop) { // not strict: half a command is no command
		s.p, s.profile, s.o.Tickets = paper.New(576), escpos.Default80, kitchen{}
	}
	whole := 0
	synctest.Test(t, func(t *testing.T) {
		s := open(t, p80)
		s.order(1, 0)
		whole = len(mustEncode(t, s))
	})
	for at := 0; at <= whole; at++ {
		synctest.Test(t, func(t *testing.T) {
			counter := open(t, nil)
			cook := open(t, func(s *shop) { p80(s); s.cut = at })
			cook.order(1, 0)
			counter.sell(1, true)
			counter.wantPapers(1, 1, 0)
			cook.set(func() { cook.cut = -1 })
			wait(backoffTo)
			cook.order(2, 0)
			wantOrders(t, cook, at)
		})
	}
	for lines := range 40 {
		synctest.Test(t, func(t *testing.T) {
			counter := open(t, nil)
			cook := open(t, p80)
			cook.p.SetPaper(lines, false)
			cook.order(1, 0)
			counter.sell(1, true)
			counter.wantPapers(1, 1, 0)
			wait(10 * time.Second)
			cook.p.SetPaper(paper.Endless, false)
			wait(10 * time.Second)
			cook.order(2, 0)
			wantOrders(t, cook, lines)
		})
	}
}

// mustEncode returns the bytes of the kitchen's ticket.
func mustEncode(t *testing.T, s *shop) []byte {
	t.Helper()
	d, err := s.spool.ticket(pos.PrintJob{ID: 1, Kind: pos.PrintTicket}, false)
	if err != nil {
		t.Fatal(err)
	}
	b, err := escpos.Encode(d, s.profile)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantOrders(t *testing.T, cook *shop, at int) {
	t.Helper()
	first, again := tickets(cook.p.Text(), 1)
	if first > 1 || again > 1 || first+again == 0 {
		t.Errorf("fault at %d: order 1 came %d times and %d times marked on\n%s", at, first, again, cook.p.Text())
	}
	if f, a := tickets(cook.p.Text(), 2); f != 1 || a != 0 {
		t.Errorf("fault at %d: order 2 came %d times and %d times marked on\n%s", at, f, a, cook.p.Text())
	}
	cook.wantHistory("done 1; done 2")
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
		cook := open(t, func(s *shop) { s.o.Name, s.o.Tickets, s.down = "printer Kitchen", kitchen{}, errors.New("refused") })
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
		if n := strings.Count(cook.p.Text(), "Schnitzel"); n != 3 || cook.spool.told.Name != "printer Kitchen" || counter.spool.told.Name != "printer" {
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
