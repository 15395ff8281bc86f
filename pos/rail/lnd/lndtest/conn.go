package lndtest

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// half is one direction of a connection in memory.
type half struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	closed bool
	news   chan struct{} // holds a token after each change
}

// conn is one end. Unlike net.Pipe it has a buffer: who hangs up on somebody that
// does not listen must not hang himself. TCP does not either.
type conn struct {
	in, out *half
	gone    chan struct{} // closed by Close

	mu      sync.Mutex
	timer   *time.Timer
	expired chan struct{} // closed at the read deadline
}

// newConns returns both ends.
func newConns() (a, b net.Conn) {
	x, y := &half{news: make(chan struct{}, 1)}, &half{news: make(chan struct{}, 1)}
	return newConn(x, y), newConn(y, x)
}

func newConn(in, out *half) *conn {
	return &conn{in: in, out: out, gone: make(chan struct{}), expired: make(chan struct{})}
}

// connBuffer bounds what waits to be read; a full one fails, as a dead line does in
// the end.
const connBuffer = 8 << 20

// Write never waits.
func (c *conn) Write(b []byte) (int, error) {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.closed {
		return 0, net.ErrClosed
	}
	if c.out.buf.Len() > connBuffer {
		return 0, os.ErrDeadlineExceeded
	}
	defer c.out.tell()
	return c.out.buf.Write(b)
}

func (h *half) tell() {
	select {
	case h.news <- struct{}{}:
	default:
	}
}

// Read waits for bytes, the other end's Close, our own, or the deadline.
func (c *conn) Read(b []byte) (int, error) {
	for {
		c.mu.Lock()
		expired := c.expired
		c.mu.Unlock()
		select {
		case <-c.gone:
			return 0, net.ErrClosed
		case <-expired:
			return 0, os.ErrDeadlineExceeded
		default:
		}
		if n, err := c.in.take(b); n > 0 || err != nil {
			return n, err
		}
		select {
		case <-c.gone:
		case <-expired:
		case <-c.in.news:
		}
	}
}

func (h *half) take(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.buf.Len() > 0 {
		return h.buf.Read(b)
	}
	if h.closed {
		return 0, io.EOF
	}
	return 0, nil
}

// Close ends both directions; the other end can still read what was written.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.gone:
		return net.ErrClosed
	default:
	}
	close(c.gone)
	if c.timer != nil {
		c.timer.Stop()
	}
	for _, h := range []*half{c.in, c.out} {
		h.mu.Lock()
		h.closed = true
		h.tell()
		h.mu.Unlock()
	}
	return nil
}

// SetReadDeadline also ends a Read that waits.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	select {
	case <-c.expired:
		c.expired = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return nil
	}
	ch := c.expired
	end := func() {
		select {
		case <-ch:
		default:
			close(ch)
		}
	}
	if d := time.Until(t); d > 0 {
		c.timer = time.AfterFunc(d, func() { c.mu.Lock(); defer c.mu.Unlock(); end() })
	} else {
		end()
	}
	return nil
}

// Writing never waits, so it needs no deadline.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
func (c *conn) SetDeadline(t time.Time) error    { return c.SetReadDeadline(t) }
func (c *conn) LocalAddr() net.Addr              { return &net.UnixAddr{Name: "memory", Net: "unix"} }
func (c *conn) RemoteAddr() net.Addr             { return c.LocalAddr() }
