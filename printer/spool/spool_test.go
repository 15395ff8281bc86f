package spool

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/paper"
)

func TestPrints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.sell(1, true)
		s.sell(2, false)
		s.q.add(pos.PrintJob{ID: 3, Kind: pos.PrintDrawer, At: time.Now()})
		s.q.add(pos.PrintJob{ID: 4, Kind: pos.PrintTest, At: time.Now()})
		s.q.add(pos.PrintJob{ID: 5, Kind: pos.PrintReceipt, Copy: 1, At: time.Now()})
		s.spool.Wake()
		synctest.Wait()
		s.wantPapers(1, 1, 0)
		s.wantPapers(2, 1, 0)
		s.wantHistory("done 1; done 2; done 3; done 4; done 5")
		if s.p.Drawer() != 2 || !strings.Contains(s.p.Text(), "COPY 1") || !strings.Contains(s.p.Text(), "12345678901234567890123456789012") {
			t.Errorf("drawer %d, paper\n%s", s.p.Drawer(), s.p.Text())
		}
		if got := s.said(); got != "online" {
			t.Errorf("link: %q", got)
		}
	})
}

// TestNoPaper is the evening on which nobody looked: receipts wait, drawers open
// all the same, what is too old is dropped with its reason, and when the roll is
// changed only the last quarter of an hour comes out.
func TestNoPaper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.p.SetPaper(0, true)
		for id := range uint64(10) {
			s.sell(id+1, true)
			if s.p.Drawer() != int(id)+1 {
				t.Errorf("sale %d: the drawer opened %d times", id+1, s.p.Drawer())
			}
			wait(4 * time.Minute)
		}
		s.p.SetPaper(paper.Endless, false)
		wait(5 * time.Second)
		for id := uint64(1); id <= 10; id++ {
			if o, c := papers(s.p.Text(), id); c != 0 || (o == 1) != (id >= 8) {
				t.Errorf("receipt %d: %d originals, %d copies", id, o, c)
			}
		}
		if !strings.HasPrefix(s.q.history(), "drop 1: too late: no paper; drop 2: too late: no paper;") {
			t.Errorf("queue: %q", s.q.history())
		}
		if s.p.Drawer() != 10 {
			t.Errorf("the drawer opened %d times for 10 sales", s.p.Drawer())
		}
		if got := s.said(); got != "online; offline: no paper; online" {
			t.Errorf("link: %q", got)
		}
	})
}

// TestEveryLine empties the roll at every line of a receipt. The original may come
// out whole once or be broken off once; then a copy comes, and nothing else.
func TestEveryLine(t *testing.T) {
	for left := 1; left < 60; left++ {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, nil)
			s.p.SetPaper(left, false)
			s.sell(1, false)
			wait(10 * time.Second)
			s.p.SetPaper(paper.Endless, false)
			wait(10 * time.Second)
			o, c := papers(s.p.Text(), 1)
			if o > 1 || c > 1 || o+c == 0 {
				t.Errorf("roll of %d lines: %d originals, %d copies on\n%s", left, o, c, s.p.Text())
			}
			s.wantHistory("done 1")
		})
	}
}

// TestEveryByte breaks the cable at every byte and mends it. What comes out then
// says COPY if a byte of the paper may have gone before, and is whole.
func TestEveryByte(t *testing.T) {
	for cut := 0; ; cut++ {
		whole := false
		synctest.Test(t, func(t *testing.T) {
			s := open(t, func(s *shop) {
				s.p = paper.New(384) // not strict: half a command is no command
				s.short, s.profile.Module = true, 3
			})
			s.set(func() { s.cut = cut })
			s.sell(1, true)
			if whole = s.q.history() == "done 1"; whole {
				s.wantPapers(1, 1, 0)
				return
			}
			begun := s.q.jobs[0].Begun
			s.set(func() { s.cut = -1 })
			wait(3 * time.Second)
			s.wantHistory("done 1")
			o, c := papers(s.p.Text(), 1)
			if begun && (c != 1 || o > 1) || !begun && (c != 0 || o != 1) || s.p.Drawer() < 1 {
				t.Errorf("broken at byte %d (begun %v): %d originals, %d copies, drawer %d on\n%s", cut, begun, o, c, s.p.Drawer(), s.p.Text())
			}
		})
		if whole {
			return
		}
		if cut > 10_000 || t.Failed() {
			t.Fatal("the receipt is never printed")
		}
	}
}

// TestPowerCut stops the till at every stage of a paper and starts it again.
func TestPowerCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) { s.p = paper.New(384) })
		s.set(func() { s.cut = 900 })
		s.sell(1, true)
		s.halt()
		s.set(func() { s.cut = -1 })
		s.start()
		s.wantPapers(1, 0, 1)
		s.wantHistory("done 1")
		if s.p.Drawer() != 1 {
			t.Errorf("the drawer opened %d times", s.p.Drawer())
		}
	})
}

// TestDrawersFromBefore: what waits at the start is from before a power cut; the
// clock may say what it likes.
func TestDrawersFromBefore(t *testing.T) {
	for _, blind := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, func(s *shop) {
				s.q.blind = blind
				s.q.add(pos.PrintJob{ID: 1, Kind: pos.PrintDrawer, At: time.Now().Add(time.Hour)})
				s.q.add(pos.PrintJob{ID: 2, Kind: pos.PrintReceipt, At: time.Now()})
			})
			s.wantHistory("drop 1: the till was restarted meanwhile; done 2")
			if s.p.Drawer() != 0 {
				t.Error("the drawer opened by itself")
			}
		})
	}
}

// TestUnreachable: the printer is off for an hour. It is not hammered, the drawer
// does not open when it comes back, and the link says what to do.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) { s.down = errors.New("refused") })
		for id := range uint64(6) {
			s.sell(id+1, true)
			wait(10 * time.Minute)
		}
		s.set(func() { s.down = nil })
		wait(backoffTo)
		s.wantHistory("drop 1: too late: not reachable: check cable and power; drop 2: too late: not reachable: check cable and power; " +
			"drop 3: too late: not reachable: check cable and power; drop 4: too late: not reachable: check cable and power; drop 5: too late: not reachable: check cable and power; done 6")
		if n := s.p.Drawer(); n != 0 {
			t.Errorf("the drawer opened %d times by itself", n)
		}
		if most := int(time.Hour/(backoffTo*4/5)) + 40; s.dials > most {
			t.Errorf("%d connections in an hour, at most %d", s.dials, most)
		}
		if got := s.said(); got != "offline: not reachable: check cable and power; online" {
			t.Errorf("link: %q", got)
		}
	})
}

// TestSwitchedOnInTime: a printer that comes back within seconds still opens the
// drawer, once.
func TestSwitchedOnInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) { s.down = errors.New("refused") })
		wait(time.Hour)
		s.sell(1, true)
		wait(3 * time.Second)
		s.set(func() { s.down = nil })
		wait(lookAgain)
		if s.p.Drawer() != 1 {
			t.Errorf("the drawer opened %d times", s.p.Drawer())
		}
		s.wantPapers(1, 1, 0)
	})
}

// TestDrawerBehindPapers: the drawer does not wait for the papers in front of its
// own; a queue that cannot tell opens it when its turn comes.
func TestDrawerBehindPapers(t *testing.T) {
	for _, blind := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, func(s *shop) { s.q.blind = blind })
			s.p.SetCover(true)
			s.sell(1, false)
			wait(time.Second)
			s.sell(2, true)
			if opened := s.p.Drawer() == 1; opened == blind {
				t.Errorf("blind %v: the drawer opened %d times", blind, s.p.Drawer())
			}
			s.p.SetCover(false)
			wait(lookAgain)
			s.wantPapers(1, 1, 0)
			s.wantPapers(2, 1, 0)
			if s.p.Drawer() != 1 {
				t.Errorf("blind %v: the drawer opened %d times", blind, s.p.Drawer())
			}
		})
	}
}

// TestDrawerDuringPaper: a sale ends while a long paper is printing.
func TestDrawerDuringPaper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.q.add(pos.PrintJob{ID: 1, Kind: pos.PrintReceipt, At: time.Now()})
		job, _, _ := s.q.Next()
		s.halt()
		between := 0
		s.spool.o.Encoder = hook{s.profile, func() {
			if between++; between == 2 {
				s.q.add(pos.PrintJob{ID: 2, Kind: pos.PrintDrawer, At: time.Now()})
			}
			if between == 3 && s.p.Drawer() != 1 {
				t.Error("the drawer waits for the paper")
			}
		}, nil}
		s.spool.attempt(t.Context(), job, true)
		s.wantHistory("done 1")
		s.wantPapers(1, 1, 0)
	})
}

// TestBreaksAreBounded: a paper that always breaks off does not eat the roll.
func TestBreaksAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, func(s *shop) { s.p = paper.New(384); s.cut = 900 })
		s.sell(1, false)
		s.set(func() { s.cut += 4200 }) // after the bytes that free the printer
		wait(10 * time.Minute)
		s.wantHistory("drop 1: printing broke off too often: not reachable: check cable and power")
		if n := strings.Count(s.p.Text(), "Bäckerei Süd"); n != 3 {
			t.Errorf("%d papers were begun, want 3:\n%s", n, s.p.Text())
		}
		s.set(func() { s.cut = -1 })
		s.sell(2, false)
		wait(backoffTo)
		s.wantPapers(2, 1, 0)
	})
}

// TestTailLost: the last bytes may be lost when closing fails.
func TestTailLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.set(func() { s.closes = errors.New("reset") })
		s.sell(1, false)
		s.set(func() { s.closes = nil })
		wait(3 * time.Second)
		s.wantPapers(1, 1, 1)
		s.wantHistory("done 1")
	})
}

// TestReceiptsThatFail do not hold up the ones behind them.
func TestReceiptsThatFail(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"corrupt", pos.E("read record", pos.Corrupt, "record 1 is damaged"), "drop 1: the receipt cannot be made: record 1 is damaged; done 2"},
		{"unknown", errors.New("oops"), "drop 1: the receipt cannot be made; done 2"},
		{"later", pos.E("read record", pos.Unavailable, "busy"), "done 1; done 2"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, func(s *shop) { s.bad = tt.err })
			s.sell(1, false)
			s.sell(2, false)
			wait(10 * time.Second)
			s.set(func() { s.bad = nil })
			wait(10 * time.Second)
			s.wantHistory(tt.want)
		})
	}
}

// TestQueueThatFails: nothing is printed that cannot be noted, and what is printed
// and cannot be closed comes again as a copy, slowly.
func TestQueueThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.q.fail = errors.New("full")
		s.sell(1, false)
		wait(time.Minute)
		if s.p.Text() != "" {
			t.Errorf("printed before it was noted:\n%s", s.p.Text())
		}
		s.halt()
		s.q.fail = nil
		s.start()
		s.wantPapers(1, 1, 0)
	})
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.q.undo = errors.New("full")
		s.sell(1, false)
		wait(backoffTo - time.Second)
		s.wantPapers(1, 1, 0)
		s.halt()
		s.q.undo = nil
		s.start()
		s.wantPapers(1, 1, 1)
		s.wantHistory("done 1")
	})
}

// TestClockJumps: a clock that is set while papers wait makes none of them old.
func TestClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.p.SetCover(true)
		s.sell(1, false)
		s.halt()
		s.start()
		for _, skew := range []time.Duration{20 * 365 * 24 * time.Hour, -time.Hour} {
			s.skew = skew
			wait(5 * time.Second)
		}
		s.p.SetCover(false)
		wait(lookAgain)
		s.wantPapers(1, 1, 0)
	})
}

// TestLinks: the cashier learns of an idle printer's troubles before a sale does.
func TestLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.p.SetPaper(500, true)
		wait(probeEvery)
		s.p.SetCover(true)
		wait(probeEvery)
		s.p.SetCover(false)
		s.p.SetPaper(500, false)
		wait(lookAgain)
		s.p.SetOneWay(true)
		wait(probeEvery)
		if got := s.said(); got != "online; online: paper is running low; offline: cover open; online; unknown: does not report paper and cover" {
			t.Errorf("link: %q", got)
		}
		s.sell(1, true)
		s.wantPapers(1, 1, 0)
		s.p.SetOneWay(false)
		s.sell(2, true)
		if s.wantPapers(2, 1, 0); !strings.HasSuffix(s.said(), "; online") {
			t.Errorf("link: %q", s.said())
		}
	})
}

// TestSilentIsRemembered: only a printer that did not answer is not asked first.
func TestSilentIsRemembered(t *testing.T) {
	for _, oneWay := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var run printer.Run
			s := open(t, func(s *shop) { s.p.SetOneWay(oneWay) })
			s.halt()
			s.spool.o.Encoder = hook{s.profile, func() {}, &run}
			job := pos.PrintJob{ID: 1, Kind: pos.PrintTest, At: time.Now()}
			s.q.add(job)
			s.spool.attempt(t.Context(), job, true)
			if run.Silent != oneWay {
				t.Errorf("one-way %v, silent %v", oneWay, run.Silent)
			}
		})
	}
}

// TestStop: a paper that is being printed when the till stops comes out if it is
// short, and is a copy next time if it is not.
func TestStop(t *testing.T) {
	for _, tt := range []struct {
		name  string
		piece time.Duration
		want  string
	}{{"fast", time.Second, "done 1"}, {"slow", 4 * time.Second, ""}} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, nil)
			s.halt()
			s.spool.o.Encoder = hook{s.profile, func() { time.Sleep(tt.piece) }, nil}
			s.q.add(pos.PrintJob{ID: 1, Kind: pos.PrintReceipt, At: time.Now()})
			ctx, cancel := context.WithCancel(t.Context())
			start := time.Now()
			go func() { time.Sleep(time.Millisecond); cancel() }()
			if err := s.spool.Run(ctx); err != nil || time.Since(start) > 2*tt.piece+stopWithin {
				t.Errorf("%s: %v after %v", tt.name, err, time.Since(start))
			}
			s.wantHistory(tt.want)
			if tt.want == "" && !s.q.jobs[0].Begun {
				t.Errorf("%s: the next paper will be no copy", tt.name)
			}
		})
	}
}

// TestBackoff: bounded, growing, never nothing.
func TestBackoff(t *testing.T) {
	for n := range 100 {
		d := backoff(n)
		if d > backoffTo || d < backoffFrom*4/5 || n > 5 && d < backoffTo*4/5 {
			t.Errorf("after %d failures %v", n, d)
		}
	}
}

// TestWake never blocks, whether or not anybody runs.
func TestWake(t *testing.T) {
	s := New(Options{})
	for range 100 {
		s.Wake()
	}
}
