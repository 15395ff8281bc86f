package escpos

import (
	"bytes"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/printer"
)

// slow is a printer with a large buffer that gets to GS a when all before it is printed, at
// 50 mm/s: 400 rows of dots a second. It answers nothing after it hung.
type slow struct {
	free  time.Time // when what it holds is printed
	asked []time.Time
	out   []byte
	hangs bool
}

func (s *slow) Write(b []byte) (int, error) {
	if now := time.Now(); s.free.Before(now) {
		s.free = now
	}
	rows := 30 * bytes.Count(b, []byte("\n"))
	if i := bytes.Index(b, []byte(gsRaster)); i >= 0 {
		rows = int(b[i+6]) + int(b[i+7])<<8
	}
	s.free = s.free.Add(time.Duration(rows) * time.Second / 400)
	if string(b) == gsAuto {
		s.asked = append(s.asked, s.free)
	}
	return len(b), nil
}

func (s *slow) Read(b []byte) (int, error) {
	for end := time.Now().Add(500 * time.Millisecond); ; time.Sleep(10 * time.Millisecond) {
		if len(s.asked) > 0 && !time.Now().Before(s.asked[0]) && !s.hangs {
			s.out, s.asked = append(s.out, "\x10\x00\x00\x0f"...), s.asked[1:]
		}
		if len(s.out) > 0 {
			n := copy(b, s.out)
			s.out = s.out[n:]
			return n, nil
		}
		if time.Now().After(end) {
			return 0, os.ErrDeadlineExceeded
		}
	}
}

// TestAutoSlow: a printer that reports when its turn comes is not stuck while a paper that
// it holds comes out, not at its end and not before an image; and one that is stuck is
// known to be, in three seconds before a paper and in a bounded time after it.
func TestAutoSlow(t *testing.T) {
	text := func(n int) []printer.Row {
		return slices.Repeat([]printer.Row{printer.Line{Text: "1 x Espresso          2.90"}}, n)
	}
	tests := []struct {
		name string
		rows []printer.Row
	}{
		{"short", text(10)},
		{"60 lines", text(60)},
		{"200 lines", text(200)},
		{"code at the end", append(text(100), printer.Code{Text: "TW1"}, printer.Line{Text: "x"})},
		{"lines of other letters", slices.Repeat([]printer.Row{printer.Line{Text: "漢"}}, 150)},
		{"one piece", []printer.Row{printer.Feed{Lines: 150}}},
	}
	for _, tt := range tests {
		for _, silent := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &slow{}
					st, err := ASB58.Print(s, printer.Document{Columns: 32, Rows: tt.rows}, printer.Run{Silent: silent})
					if err != nil || !st.Known || time.Now().Before(s.free) {
						t.Errorf("silent %v: %+v, %v, %s of paper to come", silent, st, err, time.Until(s.free))
					}
				})
			})
		}
	}
	for name, lines := range map[string]int{"hangs after a short paper": 3, "hangs after a long one": 3000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, began := &slow{}, time.Now()
				run := printer.Run{Begin: func() error { s.hangs = true; return nil }}
				st, err := ASB58.Print(s, printer.Document{Columns: 32, Rows: text(lines)}, run)
				if took := time.Since(began); err == nil || !st.Stalled || took > autoMost*600*time.Millisecond || lines < 10 && took > 5*time.Second {
					t.Errorf("%+v, %v after %s", st, err, took)
				}
				began = time.Now()
				if st, err := ASB58.Status(s); err != nil || !st.Stalled || time.Since(began) > 4*time.Second {
					t.Errorf("%+v, %v after %s", st, err, time.Since(began))
				}
			})
		})
	}
}
