package port

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/escpos"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/printertest"
)

// plug opens u as fileSpec opens a device file.
func plug(u *printertest.USB, s *sensors) *wire {
	return &wire{conn: u.Open(), packets: true, paper: s.sensor("it", u.Status), drain: func(*wire) error { return nil },
		stalled: func(err error) error { b, asked := u.Status(); return noPaper(b, asked, err) }}
}

// TestEmptyPackets: a printer that has nothing to say yet is waited for, however it says
// so, and one that never answers for no longer than before.
func TestEmptyPackets(t *testing.T) {
	for _, after := range []time.Duration{0, 20 * time.Millisecond, 300 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			u := &printertest.USB{Printer: printertest.New(t, 576), Empty: true, After: after}
			u.Printer.SetPaper(0, true)
			for range 3 {
				w := plug(u, &sensors{})
				if st, err := escpos.Default80.Status(w); !st.Known || !st.PaperOut || err != nil {
					t.Errorf("answers after %v: %+v, %v", after, st, err)
				}
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		u := &printertest.USB{Printer: printertest.New(t, 576), Empty: true}
		u.Printer.SetOneWay(true)
		start := time.Now()
		if st, err := escpos.Default80.Status(plug(u, &sensors{})); st.Known || err != nil || time.Since(start) > answer+2*settle {
			t.Errorf("one-way: %+v, %v after %v", st, err, time.Since(start))
		}
	})
}

// TestWrongQuestion: answers that come too late, wait in the printer while nobody has its
// file open, or are held back until the next one, are never taken for what they are not.
func TestWrongQuestion(t *testing.T) {
	set := map[string]func(*paper.Printer){
		"well":   func(*paper.Printer) {},
		"drawer": func(p *paper.Printer) { p.SetSensor(true) },
		"near":   func(p *paper.Printer) { p.SetPaper(100, true) },
		"cover":  func(p *paper.Printer) { p.SetCover(true) },
		"both":   func(p *paper.Printer) { p.SetCover(true); p.SetSensor(true) },
		"paper":  func(p *paper.Printer) { p.SetPaper(0, true) },
		"knife":  func(p *paper.Printer) { p.SetCutter(true) },
		"hot":    func(p *paper.Printer) { p.SetHot(true) },
		"paused": func(p *paper.Printer) { p.SetPaused(true) },
	}
	want := map[string]string{"well": "", "drawer": "", "near": "", "cover": "printer_cover", "both": "printer_cover", "paper": "printer_paper", "knife": "printer_cutter", "hot": "printer_hot", "paused": "printer_offline"}
	for _, empty := range []bool{false, true} {
		for from := range set {
			for to := range set {
				synctest.Test(t, func(t *testing.T) {
					u := &printertest.USB{Printer: printertest.New(t, 576), Empty: empty, Behind: true}
					set[from](u.Printer)
					for range 2 { // the first answer of its life has none before it
						_, _ = escpos.Default80.Status(plug(u, &sensors{}))
					}
					if st, err := escpos.Default80.Status(plug(u, &sensors{})); st.Trouble() != want[from] || !st.Known || err != nil {
						t.Errorf("%s, one behind: %+v, %v", from, st, err)
					}
					well(u.Printer)
					set[to](u.Printer)
					if st, err := escpos.Default80.Status(plug(u, &sensors{})); st.Trouble() != want[to] || !st.Known || err != nil {
						t.Errorf("%s after %s, one behind: %+v, %v", to, from, st, err)
					}
				})
			}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		u := &printertest.USB{Printer: printertest.New(t, 576), After: 700 * time.Millisecond}
		u.Printer.SetSensor(true)
		for range 5 {
			if st, err := escpos.Default80.Status(plug(u, &sensors{})); st.Trouble() != "" || err != nil {
				t.Errorf("slow: %+v, %v", st, err)
			}
			time.Sleep(time.Second)
		}
		u.After = 0
		if st, err := escpos.Default80.Status(plug(u, &sensors{})); st != (printer.Status{Known: true, Drawer: printer.High}) || err != nil {
			t.Errorf("not slow any more: %+v, %v", st, err)
		}
	})
}

// well mends everything.
func well(p *paper.Printer) {
	p.SetCover(false)
	p.SetSensor(false)
	p.SetPaper(paper.Endless, false)
	p.SetCutter(false)
	p.SetHot(false)
	p.SetPaused(false)
}

// TestKickBehind: a drawer does not open by itself when somebody changes the roll, although
// the printer's last word is from before the roll ended.
func TestKickBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &printertest.USB{Printer: printertest.New(t, 576), Behind: true}
		for range 2 {
			_, _ = escpos.Default80.Status(plug(u, &sensors{}))
		}
		u.Printer.SetPaper(0, true)
		if err := escpos.Default80.Kick(plug(u, &sensors{}), true); err != nil || u.Printer.Drawer() != 1 || u.Printer.Waiting() != 0 {
			t.Errorf("%v, drawer %d, %d bytes wait for the roll", err, u.Printer.Drawer(), u.Printer.Waiting())
		}
	})
}

// receipt is one that a small printer takes whole into its memory.
var receipt = printer.Layout(printertest.Receipts()["lightning"], 32)

// TestRollInTheBuffer: a printer that never answers and has room for the whole paper. What
// its class's status byte says is believed if it was ever seen to say that there is paper.
func TestRollInTheBuffer(t *testing.T) {
	p, _ := escpos.ByName("pos-5890")
	tests := []struct {
		name      string
		high, low int
		learnt    bool // it was seen with paper
		lines     int  // left on the roll when the paper begins
		begun     bool
		trouble   string
	}{
		{"no paper, and nobody knows the printer", 0, 0, false, 0, true, ""},
		{"no paper", 0, 0, true, 0, false, "printer_paper"},
		{"the roll ends in the paper", 0, 0, true, 9, true, "printer_paper"},
		{"the roll ends in the first paper", 0, 0, false, 9, true, "printer_paper"},
		{"paper", 0, 0, true, paper.Endless, true, ""},
		{"says no paper for ever, wrongly", lpNoPaper, 0, true, paper.Endless, true, ""},
		{"says no paper for ever, rightly for once", lpNoPaper, 0, true, 0, true, ""},
		{"says paper for ever", 0, lpNoPaper, true, 0, true, ""},
		{"says nothing that means anything", lpUnset, 0, true, 0, true, ""},
		{"says zero for ever", 0, lpUnset, true, 0, true, ""},
		{"says error for ever, but knows its paper", 0, 0x08, true, 0, false, "printer_paper"},
		{"is never selected, but knows its paper", 0, 0x10, true, 9, true, "printer_paper"},
	}
	for _, silent := range []bool{false, true} {
		for _, tt := range tests {
			synctest.Test(t, func(t *testing.T) {
				u := &printertest.USB{Printer: paper.New(384), High: tt.high, Low: tt.low}
				u.Printer.SetOneWay(true)
				u.Printer.SetClone(true)
				var s sensors
				if tt.learnt {
					if st, err := p.Status(plug(u, &s)); st != (printer.Status{}) || err != nil {
						t.Errorf("%s: with paper it says %+v, %v", tt.name, st, err)
					}
				}
				u.Printer.SetPaper(tt.lines, false)
				begun := false
				start := time.Now()
				st, err := p.Print(plug(u, &s), receipt, printer.Run{Silent: silent, Begin: func() error { begun = true; return nil }})
				if begun != tt.begun || st.Trouble() != tt.trouble || (err != nil) != (tt.trouble != "") || st.Known || time.Since(start) > 4*time.Second {
					t.Errorf("%s: begun %v, %+v, %v after %v", tt.name, begun, st, err, time.Since(start))
				}
				if st, _ := p.Status(plug(u, &s)); st.Trouble() != tt.trouble {
					t.Errorf("%s: idle it says %+v", tt.name, st)
				}
			})
		}
	}
}

// TestFlicker: a bit that is set only while the motor runs is no empty roll.
func TestFlicker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := escpos.ByName("pos-5890")
		u := &printertest.USB{Printer: paper.New(384)}
		u.Printer.SetOneWay(true)
		looks := 0
		w := plug(u, &sensors{})
		w.paper = (&sensors{}).sensor("it", func() (int, error) {
			if looks++; looks%4 != 1 {
				return 0x38, nil
			}
			return 0x18, nil
		})
		if st, err := p.Print(w, receipt, printer.Run{}); st != (printer.Status{}) || err != nil {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

// TestDrawerWhileWatching: while the till looks whether a paper comes out, the drawer opens.
func TestDrawerWhileWatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := escpos.ByName("pos-5890")
		u := &printertest.USB{Printer: paper.New(384)}
		u.Printer.SetOneWay(true)
		last := time.Now()
		longest := time.Duration(0)
		w := plug(u, &sensors{})
		_, err := p.Print(w, receipt, printer.Run{Between: func(rw io.ReadWriter) error {
			longest, last = max(longest, time.Since(last)), time.Now()
			return p.Kick(rw, false)
		}})
		if err != nil || longest > time.Second/4 || u.Printer.Drawer() < 12 {
			t.Errorf("%v, the drawer waits for %v, opened %d times", err, longest, u.Printer.Drawer())
		}
	})
}

// TestStalledSaysWhy: a write that stalled tells of the paper, and the next one fails at
// once: nobody waits twice.
func TestStalledSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &printertest.USB{Printer: paper.New(384)}
		u.Printer.SetPaper(0, true)
		w := plug(u, &sensors{})
		start := time.Now()
		_, err := w.Write([]byte(strings.Repeat("x\n", 4000)))
		if !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) > progress {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		start = time.Now()
		if n, again := w.Write([]byte("x")); n != 0 || !errors.Is(again, syscall.ENOSPC) || time.Since(start) != 0 {
			t.Errorf("%d, %v after %v", n, again, time.Since(start))
		}
	})
}

// TestUnread takes what waits, all of it and no more than a bounded part.
func TestUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &printertest.USB{Printer: paper.New(384)}
		w := plug(u, &sensors{})
		for range 300 {
			_, _ = w.Write([]byte("\x10\x04\x01"))
		}
		start := time.Now()
		if b := w.Unread(); len(b) != 300 || time.Since(start) > 2*settle {
			t.Errorf("%d bytes after %v", len(b), time.Since(start))
		}
		for range 2 * unreadMax {
			_, _ = w.Write([]byte("\x10\x04\x01"))
		}
		if b := w.Unread(); len(b) != unreadMax {
			t.Errorf("%d bytes", len(b))
		}
	})
}

// TestSensorsAreBounded: what is learnt of many printers is not kept for ever.
func TestSensorsAreBounded(t *testing.T) {
	var s sensors
	for i := range 10 * sensorsMax {
		s.sensor(strings.Repeat("x", i), func() (int, error) { return 0x18, nil })()
	}
	if len(s.clear) > sensorsMax {
		t.Errorf("%d", len(s.clear))
	}
	if out, known := s.sensor("new", func() (int, error) { return 0, errors.ErrUnsupported })(); out || known {
		t.Error("what cannot be asked is known")
	}
}
