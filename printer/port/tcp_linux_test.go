package port

import (
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// slowPrinter listens with room for hardly anything, and takes bytes only once take is
// closed. It gives out how many it took.
func slowPrinter(t *testing.T, take <-chan struct{}) (spec string, took <-chan int) {
	t.Helper()
	small := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		outer := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) })
		if outer != nil {
			return outer
		}
		return err
	}}
	l, err := small.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	out := make(chan int, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			out <- -1
			return
		}
		defer c.Close()
		<-take
		n, _ := io.Copy(io.Discard, c)
		out <- int(n)
	}()
	return "tcp://" + l.Addr().String(), out
}

// TestTCPCloseWaits: what the kernel took of a paper is not printed. Close returns when the
// printer has it, not before, however long that takes while it takes something: a printer
// that is switched off meanwhile would else have "printed" what nobody will see.
func TestTCPCloseWaits(t *testing.T) {
	take := make(chan struct{})
	spec, took := slowPrinter(t, take)
	p, err := Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	paper := make([]byte, 30_000) // the kernel takes it at once, the printer's window is 2 kB
	if n, err := p.Write(paper); n != len(paper) || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	closed := make(chan error, 1)
	go func() { closed <- p.Close() }()
	select {
	case err := <-closed:
		t.Errorf("closed before the printer took the paper: %v", err)
		closed <- err
	case <-time.After(tailWithin + tailWithin/2): // a Close that does not wait is over by then
	}
	close(take)
	if n := <-took; n != len(paper) {
		t.Errorf("the printer took %d of %d bytes", n, len(paper))
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
