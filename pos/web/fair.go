package web

import (
	"net"
	"sync"
)

// fair is a listener that gives each client at most maxClientConns connections:
// whoever takes all there are would shut the counter out.
type fair struct {
	net.Listener

	mu sync.Mutex
	by map[string]int // open connections by address
}

func newFair(ln net.Listener) *fair { return &fair{Listener: ln, by: map[string]int{}} }

// Accept returns the next connection that is within its client's share; those
// past it are closed unanswered.
func (f *fair) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		addr, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		if f.take(addr) {
			return &fairConn{Conn: c, leave: sync.OnceFunc(func() { f.leave(addr) })}, nil
		}
		_ = c.Close() // nothing was said on it
	}
}

func (f *fair) take(addr string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by[addr] >= maxClientConns {
		return false
	}
	f.by[addr]++
	return true
}

func (f *fair) leave(addr string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by[addr]--; f.by[addr] == 0 {
		delete(f.by, addr)
	}
}

// fairConn gives its place back when it is closed.
type fairConn struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *fairConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
