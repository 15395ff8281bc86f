package outage

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// socketBuffer is what a connection in memory takes without being read: as much as
// Linux gives a socket at most (tcp(7), tcp_wmem). Beyond it a write fails.
const socketBuffer = 4 << 20

// newPipe returns both ends of a connection in memory. Unlike net.Pipe it has
// buffers, as a socket has: a write returns before anybody reads, also when nobody
// ever does.
func newPipe() (a, b net.Conn) {
	x, y := newStream(), newStream()
	return &end{in: x, out: y}, &end{in: y, out: x}
}

// stream is one direction.
type stream struct {
	mu     sync.Mutex
	bytes  []byte
	closed bool
	late   bool // the reader's deadline has passed
	timer  *time.Timer
	news   chan struct{} // closed and replaced when any of these change
}

func newStream() *stream { return &stream{news: make(chan struct{})} }

// change does f, and wakes whoever reads.
func (s *stream) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.news)
	s.news = make(chan struct{})
}

// take reads what there is, or returns the channel to wait on.
func (s *stream) take(b []byte) (n int, wait <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.late:
		return 0, nil, os.ErrDeadlineExceeded
	case len(s.bytes) > 0:
		n = copy(b, s.bytes)
		s.bytes = s.bytes[n:]
		return n, nil, nil
	case s.closed:
		return 0, nil, io.EOF
	}
	return 0, s.news, nil
}

// end is one end of a pipe.
type end struct{ in, out *stream }

// Read waits for bytes, the end of them, or the deadline.
func (e *end) Read(b []byte) (int, error) {
	for {
		n, wait, err := e.in.take(b)
		if wait == nil {
			return n, err
		}
		<-wait
	}
}

// Write never waits.
func (e *end) Write(b []byte) (n int, err error) {
	e.out.change(func() {
		switch {
		case e.out.closed:
			err = io.ErrClosedPipe
		case len(e.out.bytes)+len(b) > socketBuffer:
			err = os.ErrDeadlineExceeded
		default:
			e.out.bytes, n = append(e.out.bytes, b...), len(b)
		}
	})
	return n, err
}

// Close ends both directions. What was written can still be read.
func (e *end) Close() error {
	for _, s := range []*stream{e.in, e.out} {
		s.change(func() { s.closed = true })
	}
	e.in.change(func() { e.in.bytes = nil; e.stopTimer() })
	return nil
}

func (e *end) stopTimer() {
	if e.in.timer != nil {
		e.in.timer.Stop()
	}
}

// SetReadDeadline also ends a Read that waits.
func (e *end) SetReadDeadline(t time.Time) error {
	e.in.change(func() {
		e.stopTimer()
		if e.in.late = !t.IsZero() && !time.Now().Before(t); !e.in.late && !t.IsZero() {
			var mine *time.Timer
			mine = time.AfterFunc(time.Until(t), func() {
				e.in.change(func() { e.in.late = e.in.late || e.in.timer == mine })
			})
			e.in.timer = mine
		} else {
			e.in.timer = nil
		}
	})
	return nil
}

// SetWriteDeadline does nothing: no write waits.
func (e *end) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline sets the deadline for reading.
func (e *end) SetDeadline(t time.Time) error { return e.SetReadDeadline(t) }

// LocalAddr and RemoteAddr are what HTTP servers expect.
func (e *end) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443} }
func (e *end) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 40000} }
