package storage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

const mb = 1 << 20

// disk is a file system of a given size around a real folder: what the till's files
// really take is measured, what others take is made up.
type disk struct {
	t      *testing.T
	dir    string
	total  int64
	mu     sync.Mutex
	others int64 // bytes
	files  uint64
	err    error
}

func newDisk(t *testing.T, total int64) *disk {
	return &disk{t: t, dir: t.TempDir(), total: total, files: 10_000}
}

// room is what is free, the reserve counted as taken.
func (d *disk) room() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.left()
}

func (d *disk) left() int64 {
	used := d.others
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range entries {
		st, err := e.Info()
		if err != nil {
			d.t.Fatal(err)
		}
		used += st.Size()
	}
	return max(0, d.total-used)
}

// leave makes others take all but n bytes.
func (d *disk) leave(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.others += d.left() - n
}

func (d *disk) space(string) (Space, error) {
	return Space{Free: uint64(d.room()), Total: uint64(d.total), FreeFiles: d.files, TotalFiles: 20_000}, d.err
}

func (d *disk) gauge(lang string) *Gauge {
	return New(Options{Dir: d.dir, Language: lang, Space: d.space})
}

func (d *disk) reserve() bool { return whole(filepath.Join(d.dir, reserveName)) }

// want looks once and compares.
func (d *disk) want(g *Gauge, when string, ready, reserve bool, notices int) pos.Health {
	d.t.Helper()
	g.Look()
	h := g.Health()
	if h.Ready != ready || d.reserve() != reserve || len(h.Notices) != notices || (h.Reason == "") != ready {
		d.t.Errorf("%s: %+v, reserve %v; want ready %v, reserve %v, %d notices", when, h, d.reserve(), ready, reserve, notices)
	}
	return h
}

// TestFillsUp follows a storage from empty to full and back: warned early, greyed
// before a write fails, the reserve given back and made again, no fluttering.
func TestFillsUp(t *testing.T) {
	d := newDisk(t, 4096*mb)
	g := d.gauge("en")
	d.want(g, "empty", true, true, 0)
	d.leave(300 * mb)
	d.want(g, "7 % left, and a month's room", true, true, 0)
	d.leave(200 * mb)
	if h := d.want(g, "5 % left", true, true, 1); !strings.Contains(h.Notices[0], "209 MB") || !strings.Contains(h.Notices[0], "25600") {
		t.Errorf("notice %q", h.Notices[0])
	}
	d.leave(fullBelow - 1)
	d.want(g, "full", false, true, 0)
	d.leave(fullBelow)
	d.want(g, "a byte more", true, true, 1)
	d.leave(giveBelow - 1)
	d.want(g, "no room at all", false, false, 0)
	if got := d.room(); got < ReserveBytes {
		t.Errorf("%d bytes after the reserve was given back", got)
	}
	d.want(g, "and a second look", false, false, 0)
	d.leave(againAbove - 1)
	d.want(g, "some room", false, false, 0)
	d.leave(againAbove)
	d.want(g, "room", true, true, 1)
	d.want(g, "room, and a second look", true, true, 1)
}

// TestSmallPartition must not be warned of its size alone.
func TestSmallPartition(t *testing.T) {
	d := newDisk(t, 100*mb)
	g := d.gauge("en")
	d.want(g, "empty", true, true, 0)
	d.leave(11 * mb)
	d.want(g, "11 %", true, true, 0)
	d.leave(9 * mb)
	d.want(g, "9 %", true, true, 1)
}

// TestRelieve is a write that finds no room between two looks. The second one finds
// nothing any more.
func TestRelieve(t *testing.T) {
	d := newDisk(t, 64*mb)
	g := d.gauge("de")
	d.leave(0)
	if !g.Relieve() || d.reserve() || g.Health().Ready || !strings.Contains(g.Health().Reason, "voll") {
		t.Errorf("reserve there: %v; %+v", d.reserve(), g.Health())
	}
	if g.Relieve() {
		t.Error("the reserve was given back twice")
	}
	d.leave(20 * mb)
	d.want(g, "freed", true, true, 0)
}

// TestStart finds the reserve of the run before, whatever became of it.
func TestStart(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"whole":    func(string) error { return nil },
		"missing":  os.Remove,
		"short":    func(p string) error { return os.Truncate(p, 1000) },
		"holes":    func(p string) error { return errors.Join(os.Truncate(p, 0), os.Truncate(p, ReserveBytes)) },
		"a folder": func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) },
		"half made": func(p string) error {
			return errors.Join(os.Remove(p), os.WriteFile(p+".new", make([]byte, 1000), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t, 64*mb)
			d.gauge("en")
			if err := harm(filepath.Join(d.dir, reserveName)); err != nil {
				t.Fatal(err)
			}
			if name == "a folder" { // not ours, not removed: said, and no more
				d.want(d.gauge("en"), name, true, false, 1)
				return
			}
			d.want(d.gauge("en"), name, true, true, 0)
			if left, _ := filepath.Glob(filepath.Join(d.dir, "*.new")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	t.Run("full from the start", func(t *testing.T) {
		d := newDisk(t, 64*mb)
		d.leave(mb)
		g := d.gauge("en")
		d.want(g, "full", false, false, 0)
		if g.Relieve() {
			t.Error("a reserve that never was is given back")
		}
	})
}

// TestNotMade refuses the reserve: for want of room the till is full, else it says
// so and sells; and a storage that lies about its room is not written to for ever.
func TestNotMade(t *testing.T) {
	for name, x := range map[string]struct {
		err     error
		ready   bool
		notices int
	}{"quota": {syscall.EDQUOT, false, 0}, "no room": {syscall.ENOSPC, false, 0}, "read only": {syscall.EROFS, true, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisk(t, 64*mb)
				g := d.gauge("en")
				d.leave(0)
				g.Relieve()
				d.leave(30 * mb)
				var tries atomic.Int64
				good := g.make
				g.make = func(string, int64) error { tries.Add(1); return x.err }
				ctx, stop := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- g.Run(ctx) }()
				time.Sleep(10*time.Minute + time.Millisecond)
				if n := tries.Load(); n > 11 || n < 9 {
					t.Errorf("tried %d times in ten minutes", n)
				}
				if h := g.Health(); h.Ready != x.ready || len(h.Notices) != x.notices {
					t.Errorf("%+v", h)
				}
				stop()
				<-done
				g.make = good
				time.Sleep(tryEvery)
				d.want(g, "mended", true, true, 0)
			})
		})
	}
}

// TestRun looks by itself.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t, 64*mb)
		g := d.gauge("en")
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()
		d.leave(0)
		time.Sleep(Every + time.Millisecond)
		synctest.Wait()
		if g.Health().Ready || d.reserve() {
			t.Errorf("a second later: %+v", g.Health())
		}
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestNoAnswer cannot measure: the till sells on, and says so.
func TestNoAnswer(t *testing.T) {
	d := newDisk(t, 64*mb)
	g := d.gauge("en")
	d.err = syscall.EIO
	d.want(g, "no answer", true, true, 1)
	d.err = errors.ErrUnsupported
	d.want(g, "no such question", true, true, 0)
	d.err = nil
	d.want(g, "answers again", true, true, 0)
}

// TestFiles runs out of names before bytes.
func TestFiles(t *testing.T) {
	d := newDisk(t, 64*mb)
	g := d.gauge("en")
	d.files = warnFiles - 1
	d.want(g, "few names", true, true, 1)
	d.files = fullFiles - 1
	d.want(g, "no names for a segment and an index", false, true, 0)
	d.files = 0
	d.want(g, "none", false, false, 0)
}

// TestKernel asks the real kernel about a real folder.
func TestKernel(t *testing.T) {
	s, err := space(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if s.Total == 0 || s.Free > s.Total {
		t.Errorf("%+v", s)
	}
	if _, err := space(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there has room")
	}
}
