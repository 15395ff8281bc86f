package port

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/escpos"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/printertest"
)

func TestCheck(t *testing.T) {
	good := []string{
		"tcp://192.168.1.50:9100", "tcp://printer.local", "tcp://[fe80::1]:9100", "tcp://127.0.0.1:9100/", "/dev/usb/lp0",
		"serial:///dev/ttyUSB0", "serial:///dev/ttyUSB0?baud=115200", "serial:///dev/rfcomm0?baud=9600&flow=xonxoff", "serial:///dev/ttyS0?flow=none",
		"usb://04b8:0e28", "usb://04B8:0E28/J4RK012345", "usb://0416:5011?socket=1-1.2",
	}
	for _, spec := range good {
		if err := Check(spec); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
	}
	bad := []string{
		"", "lp0", "192.168.1.50:9100", "tcp://", "tcp://:9100", "tcp://host:0", "tcp://host:70000", "tcp://host:x", "tcp://host/path", "tcp://host?x=1",
		"tcp://user@host", "http://host", "serial://dev/ttyUSB0", "serial:///dev/ttyUSB0?baud=1200", "serial:///dev/ttyUSB0?speed=9600",
		"serial:///dev/ttyUSB0?flow=maybe", "usb://04b8", "usb://4b8:202", "usb://0000:0202", "usb://04b8:zzzz:", "usb://04b8:0202/a/b", "usb://04b8:0202?port=1", "usb://04b8:0202?socket=", "tcp://%zz", strings.Repeat("x", 10_000),
	}
	for _, spec := range bad {
		err := Check(spec)
		e, ok := errors.AsType[*pos.Error](err)
		if !ok || e.Kind != pos.Invalid || !strings.Contains(e.Msg, "write tcp://") || len(e.Msg) > 400 {
			t.Errorf("%.40q: %v", spec, err)
		}
		if _, err := Open(t.Context(), spec); pos.KindOf(err) != pos.Invalid {
			t.Errorf("open %.40q: %v", spec, err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("tcp://192.168.1.50:9100")
	f.Add("serial:///dev/ttyUSB0?baud=115200&flow=none")
	f.Add("/dev/usb/lp0")
	f.Fuzz(func(t *testing.T, spec string) {
		if err := Check(spec); err != nil && pos.KindOf(err) != pos.Invalid {
			t.Errorf("%q: %v", spec, err)
		}
	})
}

// printerAt serves connections one after the other with f, on loopback.
func printerAt(t *testing.T, f func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return "tcp://" + l.Addr().String()
}

// TestTCP sends a long paper and closes at once: all of it must arrive, also when
// the printer has answers under way that nobody read.
func TestTCP(t *testing.T) {
	got := make(chan int, 1)
	spec := printerAt(t, func(c net.Conn) {
		_, _ = c.Write([]byte("\x12"))
		n, _ := io.Copy(io.Discard, io.TeeReader(c, answers{c}))
		got <- int(n)
	})
	p, err := Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	var b [8]byte
	if n, err := p.Read(b[:]); n < 1 || err != nil || b[0] != 0x12 {
		t.Errorf("read % x, %v", b[:n], err)
	}
	paper := make([]byte, 300_000)
	if n, err := p.Write(paper); n != len(paper) || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if n := <-got; n != len(paper) {
		t.Errorf("%d of %d bytes arrived", n, len(paper))
	}
	if err := p.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// answers is a printer that says something for every piece it gets.
type answers struct{ c net.Conn }

func (a answers) Write(b []byte) (int, error) {
	_, _ = a.c.Write([]byte("\x12"))
	return len(b), nil
}

// TestTCPOneAtATime opens the port again and again, as the spool does.
func TestTCPOneAtATime(t *testing.T) {
	var papers atomic.Int32
	spec := printerAt(t, func(c net.Conn) {
		if b, _ := io.ReadAll(c); string(b) == "paper" {
			papers.Add(1)
		}
	})
	for range 10 {
		p, err := Open(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(p, "paper"); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := papers.Load(); n != 10 {
		t.Errorf("%d papers of 10", n)
	}
}

// onPaper prints a receipt on p through a port and wants it on paper, the status
// read back, and nothing lost by closing at once.
func onPaper(t *testing.T, spec string, p *paper.Printer) {
	t.Helper()
	c, err := Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := escpos.Default80.Kick(c, true); err != nil {
		t.Error(err)
	}
	st, err := escpos.Default80.Print(c, printer.Layout(printertest.Receipts()["lightning"], 48), printer.Run{})
	if err != nil || !st.Known {
		t.Errorf("%+v, %v", st, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(p.Text(), "Thank you!") || !strings.Contains(p.Text(), "cut") || p.Drawer() != 1 {
		t.Errorf("drawer %d, paper\n%s", p.Drawer(), p.Text())
	}
}

func TestPaperOverTCP(t *testing.T) {
	p := printertest.New(t, 576)
	onPaper(t, printerAt(t, func(c net.Conn) { printertest.Attach(c, p) }), p)
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	ended, end := context.WithCancel(t.Context())
	end()
	tests := []struct {
		name, spec string
		ctx        context.Context
	}{
		{"nobody listens", "tcp://" + addr, t.Context()},
		{"no such file", filepath.Join(t.TempDir(), "lp0"), t.Context()},
		{"no such line", "serial://" + filepath.Join(t.TempDir(), "ttyUSB0"), t.Context()},
		{"ended", "tcp://127.0.0.1:9", ended},
	}
	for _, tt := range tests {
		if _, err := Open(tt.ctx, tt.spec); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestFile: a plain file takes everything and answers nothing.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lp0")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := p.Write(make([]byte, 10_000)); n != 10_000 || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	if n, err := p.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("read %d, %v", n, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(path); len(b) != 10_000 {
		t.Errorf("%d bytes in the file", len(b))
	}
}

// bubbled returns a wire to a printer that f plays, for use in a bubble.
func bubbled(f func(c net.Conn)) *wire {
	a, b := net.Pipe()
	go f(b)
	return &wire{conn: a, drain: func(*wire) error { return nil }}
}

// TestProgress: a printer that takes a byte now and then is waited for as long as
// it likes, one that takes none for 8 s is not.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(func(c net.Conn) {
			for range 60 { // five minutes for 60 bytes
				time.Sleep(5 * time.Second)
				_, _ = c.Read(make([]byte, 1))
			}
			_, _ = io.Copy(io.Discard, c)
		})
		if n, err := w.Write(make([]byte, 2000)); n != 2000 || err != nil {
			t.Errorf("slow: wrote %d, %v", n, err)
		}
		_ = w.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(func(c net.Conn) { _, _ = io.ReadFull(c, make([]byte, 700)) })
		start := time.Now()
		n, err := w.Write(make([]byte, 2000))
		if n != 700 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) > 3*progress {
			t.Errorf("stuck: wrote %d, %v after %v", n, err, time.Since(start))
		}
		w.drain = func(*wire) error { t.Error("nothing is left to wait for"); return nil }
		_ = w.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(func(net.Conn) {})
		start := time.Now()
		if _, err := w.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != answer {
			t.Errorf("silent: %v after %v", err, time.Since(start))
		}
		_ = w.Close()
	})
}

// TestCloseEndsWrite: who closes a port frees who is stuck in it.
func TestCloseEndsWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(func(net.Conn) {})
		go func() {
			time.Sleep(time.Second)
			_ = w.Close()
		}()
		if _, err := w.Write([]byte("x")); err == nil {
			t.Error("written to nobody")
		}
	})
}

func TestDrainQueue(t *testing.T) {
	oops := errors.New("gone")
	tests := []struct {
		name string
		step func(at time.Duration) (int, error)
		want error
		took time.Duration // at most
	}{
		{"empty", func(time.Duration) (int, error) { return 0, nil }, nil, 0},
		{"slow but moving", func(at time.Duration) (int, error) { return max(20-int(at/(5*time.Second)), 0), nil }, nil, 101 * time.Second},
		{"stuck", func(time.Duration) (int, error) { return 7, nil }, os.ErrDeadlineExceeded, progress + time.Second},
		{"broken", func(time.Duration) (int, error) { return 7, oops }, oops, 0},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			err := drainQueue(func() (int, error) { return tt.step(time.Since(start)) })
			if !errors.Is(err, tt.want) || time.Since(start) > tt.took {
				t.Errorf("%s: %v after %v", tt.name, err, time.Since(start))
			}
		})
	}
}
