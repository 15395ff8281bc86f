package display

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	textdisplay "periph.io/x/conn/v3/display"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/display/pole"
	"github.com/tillwright/tillwright/pos"
)

// begin runs a Display until the returned function is called, which returns what Run
// did.
func begin(t *testing.T, o Options) (*Display, func() error) {
	d := New(o)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	synctest.Wait()
	return d, func() error { stop(); return <-done }
}

// TestStopMidRefresh stops the till while a cold sheet refreshes, 8 s each. Goal: Run
// waits for it and for one more, in white: no code is left, and no pump runs on. A
// sheet that never comes back costs stillWithin, and other panels' time is their own.
func TestStopMidRefresh(t *testing.T) {
	for name, takes := range map[string]time.Duration{"cold": 8 * time.Second, "dead": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := paper{displaytest.New(250, 122)}
				p.Fail = func(n int) error {
					if n > 1 {
						time.Sleep(takes)
					}
					return nil
				}
				d, stop := begin(t, Options{Panels: []Panel{small(), p}})
				d.Publish(basketOf(t, 1))
				time.Sleep(500 * time.Millisecond)
				began := time.Now()
				err := stop()
				took := time.Since(began)
				if name == "dead" {
					if pos.KindOf(err) != pos.Unavailable || took != stillWithin {
						t.Errorf("Run: %v after %v", err, took)
					}
					time.Sleep(3 * time.Hour)
					return
				}
				if err != nil || p.Image().RGBAAt(9, 9) != white || !p.Halted() {
					t.Errorf("Run: %v after %v; left as %v", err, took, p.Image().RGBAAt(9, 9))
				}
			})
		})
	}
}

// TestDarkThoughBroken stops the till in the pause after a panel failed. The bus works
// again by then: the old picture must go.
func TestDarkThoughBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := small()
		p.Fail = displaytest.FailAt(2, 2)
		d, stop := begin(t, Options{Panels: []Panel{p}})
		d.Publish(basketOf(t, 1))
		time.Sleep(retryFirst / 2)
		if err := stop(); err != nil || p.Image().RGBAAt(30, 30) != black || p.Image().RGBAAt(120, 80) != black || !p.Halted() {
			t.Errorf("left as %v, %v", p.Image().RGBAAt(30, 30), err)
		}
	})
}

// TestStandsADay leaves the till alone over a weekend: a sheet is drawn anew each day,
// whole, and a panel that glows is left alone.
func TestStandsADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sheet, glowing := paper{displaytest.New(250, 122)}, small()
		run(t, Options{Panels: []Panel{sheet, glowing}})
		sheet.Forget()
		glowing.Forget()
		time.Sleep(60 * time.Hour)
		synctest.Wait()
		if got := sheet.Calls(); len(got) != 2 || got[0] != sheet.Rect {
			t.Errorf("the sheet was drawn %v", got)
		}
		if got := glowing.Calls(); len(got) != 0 {
			t.Errorf("the panel was drawn %v", got)
		}
	})
}

// odd is a panel whose picture may be spoilt.
type odd struct{ *displaytest.Panel }

func (odd) Caution() error {
	return pos.Say("hold console", pos.Unavailable, io.ErrClosedPipe, "display_console", "name", "/dev/tty1")
}

// TestReasons holds that whoever looks at a German till's links reads German: what a
// driver says, what a foreign driver's error comes to, what a panel cannot show, and
// what may spoil its picture. The log names each once.
func TestReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		var mu sync.Mutex
		told := map[string]pos.Link{}
		driver, foreign, tiny, spoilt := small(), small(), displaytest.New(128, 64), odd{displaytest.New(320, 240)}
		driver.Fail = func(int) error { return pos.Say("draw", pos.Unavailable, errors.New("EIO"), "display_ribbon") }
		foreign.Fail = func(int) error { return errors.New("EREMOTEIO") }
		run(t, Options{
			Panels: []Panel{driver, foreign, tiny, spoilt}, Language: "de", Log: slog.New(slog.NewTextHandler(&log, nil)),
			Link: func(l pos.Link) { mu.Lock(); defer mu.Unlock(); told[l.Name] = l },
		})
		time.Sleep(time.Hour)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		for name, want := range map[string]string{
			"display":   "offline antwortet nicht: Flachkabel und BUSY-Draht prüfen",
			"display 2": "offline antwortet nicht: Kabel und Strom prüfen",
			"display 3": "online zu klein für einen Zahlcode: zeigt Beträge und Zustände",
			"display 4": "online Meldungen des Systems können das Bild verdecken: die Kasse darf /dev/tty1 nicht halten",
		} {
			if got := told[name].State + " " + told[name].Detail; got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if n := strings.Count(log.String(), "\n"); n != 4 || !strings.Contains(log.String(), "io: read/write on closed pipe") {
			t.Errorf("%d lines of log: %s", n, log.String())
		}
	})
}

// TestPoleForgets takes a pole's own power away for a moment, which nobody is told.
// The next scene must be whole, and the next idle time in the right letters.
func TestPoleForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		glass := &displaytest.Pole{Dialect: "escpos"}
		dev, err := pole.New(func() (io.WriteCloser, error) { return glass, nil }, pole.Opts{Dialect: "escpos", CodePage: "cp858"})
		if err != nil {
			t.Fatal(err)
		}
		d := run(t, Options{Texts: []textdisplay.TextDisplay{dev}})
		version := uint64(0)
		show := func(phase pos.Phase) []string {
			v := coffee(t, "en", phase)
			version++
			v.Version, v.Customer.Expires = version, time.Now().Add(4*time.Minute)
			d.Publish(v)
			synctest.Wait()
			return Lines(v, 20, 2, time.Now())
		}
		want := show(pos.PhaseDue)
		if got := glass.Lines(); !slices.Equal(got[:], want) {
			t.Fatalf("shows %q, want %q", got, want)
		}
		bytes := glass.Bytes()
		time.Sleep(time.Second)
		synctest.Wait()
		if n := glass.Bytes() - bytes; n > 30 {
			t.Errorf("a second costs %d bytes", n)
		}
		glass.PowerCut()
		show(pos.PhaseArriving)
		if got := glass.Lines(); got != [2]string{" Payment on its way ", "        ...         "} {
			t.Errorf("the next scene shows %q", got)
		}
		glass.PowerCut()
		want = show(pos.PhaseIdle) // Café
		if got := glass.Lines(); !slices.Equal(got[:], want) || glass.Cursor() {
			t.Errorf("idle it shows %q, want %q", got, want)
		}
		want = show(pos.PhaseDue) // €
		if got := glass.Lines(); !slices.Equal(got[:], want) {
			t.Errorf("the next sale shows %q, want %q", got, want)
		}
		for _, err := range glass.Faults() {
			t.Error(err)
		}
	})
}

// TestStopped: a screen that is dark in its time is no trouble, however long another one
// took; one that is not dark in its time is, behind whichever it stands.
func TestStopped(t *testing.T) {
	const slow = stopWithin + time.Second // an e-paper near freezing
	tests := []struct {
		name string
		dark [2]time.Duration // 0: before anybody looks; the first screen is Still
		ok   bool
	}{
		{"the other was dark long ago", [2]time.Duration{slow, 0}, true},
		{"the other was dark in its time", [2]time.Duration{slow, stopWithin / 2}, true},
		{"the other hangs", [2]time.Duration{slow, time.Hour}, false},
		{"the slow one hangs", [2]time.Duration{time.Hour, 0}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 32 { // a choice by chance would be right now and then
				synctest.Test(t, func(t *testing.T) {
					var screens []*screen
					for _, after := range tt.dark {
						s := &screen{done: make(chan struct{})}
						screens = append(screens, s)
						time.AfterFunc(after, func() { close(s.done) })
					}
					screens[0].still.Store(true)
					synctest.Wait()
					if err := stopped(screens); (err == nil) != tt.ok || err != nil && pos.KindOf(err) != pos.Unavailable {
						t.Fatalf("stopped: %v, want success %v", err, tt.ok)
					}
				})
			}
		})
	}
}
