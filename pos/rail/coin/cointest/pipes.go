package cointest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
)

// Pipes is a listener whose connections are in memory, so that a bubble's time can stand
// still while nothing moves.
type Pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// Serve answers with h what is dialled, until the test ends.
func Serve(t testing.TB, h http.Handler) *Pipes {
	p := &Pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: h}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = srv.Serve(p) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close(); _ = p.Close(); <-ended })
	return p
}

// Accept waits for the next Dial.
func (p *Pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close refuses all further connections.
func (p *Pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }

// Addr is of no use.
func (p *Pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// Dial connects, whatever the address is.
func (p *Pipes) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
