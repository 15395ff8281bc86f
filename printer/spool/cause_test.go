package spool

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer/escpos"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/star"
)

// mpop is a shop with a printer that refuses to open a drawer while it is off line.
func mpop(s *shop) {
	p, _ := star.ByName("mpop")
	s.p = paper.NewDialect(384, paper.StarPRNT)
	s.o.Encoder, s.o.Columns = p, p.Columns
}

// TestCauseStays: a drawer that cannot be opened does not hide why: the cashier reads "no
// paper" all the time, not "check the cable".
func TestCauseStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, mpop)
		s.p.SetPaper(0, true)
		wait(probeEvery)
		s.sell(1, true)
		wait(time.Minute)
		if got := s.said(); got != "online; offline: no paper" {
			t.Errorf("link: %q", got)
		}
		s.p.SetPaper(paper.Endless, false)
		wait(lookAgain)
		s.wantPapers(1, 1, 0)
		if s.p.Drawer() != 0 {
			t.Error("the drawer opened a minute late")
		}
	})
}

// TestCauseInMidPaper: a sale ends while a long paper is printing, and the cover is opened
// before its drawer is.
func TestCauseInMidPaper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, mpop)
		s.halt()
		p, _ := star.ByName("mpop")
		between := 0
		s.spool.o.Encoder = starHook{p, func() {
			if between++; between == 2 {
				s.p.SetCover(true)
				s.q.add(pos.PrintJob{ID: 2, Kind: pos.PrintDrawer, At: time.Now()})
			}
		}}
		s.q.add(pos.PrintJob{ID: 1, Kind: pos.PrintReceipt, At: time.Now()})
		job, _, _ := s.q.Next()
		s.spool.attempt(t.Context(), job, true)
		if got := s.said(); got != "online; offline: cover open" || !s.q.jobs[0].Begun {
			t.Errorf("link: %q, %+v", got, s.q.jobs[0])
		}
	})
}

// TestCauseOfThePort: what a port that failed tells is what the cashier reads.
func TestCauseOfThePort(t *testing.T) {
	for want, err := range map[string]error{
		"no paper": fmt.Errorf("no paper: %w: %w", syscall.ENOSPC, os.ErrDeadlineExceeded),
		"printer takes no data: check paper and cover": os.ErrDeadlineExceeded,
		"not reachable: check cable and power":         syscall.ENODEV,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, nil)
			s.set(func() { s.closes = err })
			s.sell(1, false)
			if got := s.said(); !strings.HasSuffix(got, "; offline: "+want) {
				t.Errorf("at the end of a paper: %q, want %q", got, want)
			}
			s.set(func() { s.closes = nil })
			wait(10 * time.Second)
			s.wantPapers(1, 1, 1)
			s.wantHistory("done 1")
		})
		synctest.Test(t, func(t *testing.T) {
			s := open(t, func(s *shop) { s.profile = escpos.Safe; s.writes = err })
			s.sell(1, true)
			if got := s.said(); !strings.HasSuffix(got, "offline: "+want) {
				t.Errorf("with the drawer: %q, want %q", got, want)
			}
		})
	}
	if st := told(told(printerCover, errors.New("x")), syscall.ENOSPC); st != printerCover {
		t.Errorf("what is known is lost: %+v", st)
	}
}

// TestRollInTheBuffer: a printer that never answers takes a whole receipt into its memory
// and has no paper for it. If its cable tells, the receipt is not done: it waits and comes
// when there is a roll, marked if a part of it may be out; if not, no one can know.
func TestRollInTheBuffer(t *testing.T) {
	for _, lines := range []int{0, 9} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, func(s *shop) {
				s.p, s.senses, s.profile.Answers = paper.New(384), true, false
				s.p.SetOneWay(true)
			})
			s.p.SetPaper(lines, false)
			s.sell(1, true)
			wait(time.Minute)
			s.wantHistory("")
			if got := s.said(); !strings.HasSuffix(got, "offline: no paper") || s.p.Drawer() != 1 {
				t.Errorf("%d lines: link %q, drawer %d", lines, got, s.p.Drawer())
			}
			s.p.SetPaper(paper.Endless, false)
			wait(time.Minute)
			s.wantHistory("done 1")
			if o, c := papers(s.p.Text(), 1); o > 1 || c > 1 || o+c == 0 || lines == 0 && o != 1 {
				t.Errorf("%d lines: %d originals, %d copies on\n%s", lines, o, c, s.p.Text())
			}
			if got := s.said(); !strings.HasSuffix(got, "unknown: does not report paper and cover") {
				t.Errorf("%d lines: link %q", lines, got)
			}
		})
	}
}

// TestIdleRoll: the cashier hears of an empty roll before the next customer does.
func TestIdleRoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) {
			s.p, s.profile, s.senses = paper.New(384), escpos.Safe, true
			s.p.SetOneWay(true)
		})
		s.p.SetPaper(0, false)
		wait(probeEvery)
		s.p.SetPaper(paper.Endless, false)
		wait(lookAgain)
		if got := s.said(); got != "unknown: does not report paper and cover; offline: no paper; unknown: does not report paper and cover" {
			t.Errorf("link: %q", got)
		}
	})
}

// TestDrawerOfABrokenPaper: the cable comes off in the middle of a paper, and whoever looks
// for the reason opens the cover. What would free the printer does not fit into its memory
// now; the next customer's drawer opens all the same, and at once.
func TestDrawerOfABrokenPaper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) {
			s.p.SetBuffer(4096) // as most have: less than what frees a printer
			s.cut = 1500        // in the middle of the code
		})
		s.sell(1, false)
		s.p.SetCover(true)
		s.set(func() { s.cut = -1 })
		wait(time.Minute)
		if got := s.said(); !strings.HasSuffix(got, "; offline: cover open") || !s.q.jobs[0].Begun {
			t.Errorf("link: %q, %+v", got, s.q.jobs[0])
		}
		s.sell(2, true)
		if s.p.Drawer() != 1 {
			t.Errorf("the drawer opened %d times", s.p.Drawer())
		}
		s.p.SetCover(false)
		wait(time.Minute)
		s.wantPapers(1, 0, 1)
		s.wantPapers(2, 1, 0)
		if s.p.Drawer() != 1 {
			t.Errorf("in the end the drawer opened %d times", s.p.Drawer())
		}
	})
}
