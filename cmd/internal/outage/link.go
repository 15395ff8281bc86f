// Package outage is a network that fails, for tests: links between real programs
// or parts of one, each of which can be cut, slow, half-open, flapping, nameless,
// or answered by somebody else.
//
// Promise. A link does to a connection what such a line does to TCP. A reset is
// seen at once; silence is seen by nobody: writing goes on into the socket's buffer,
// reading waits, and a connection that fell silent stays so when the line is whole
// again, for the router in between has forgotten it. Somebody else who answers
// speaks TLS with a certificate of his own where the till speaks TLS, and plain
// HTTP where it does not.
//
// Inside a synctest bubble a Link works in memory (Dial, Host), with a fake clock
// and no system call. Between processes it is a TCP proxy on loopback (Proxy).
//
// Limits. A proxy cannot refuse or swallow a SYN: where a link is cut, the
// connection is reset as soon as it is there, and an unreachable one is like a
// half-open one.
package outage

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"
)

// Dialer opens a connection.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Link is one line that can fail. It is safe for concurrent use.
type Link struct {
	name string
	far  Dialer
	liar *liar

	mu     sync.Mutex
	mode   Mode
	down   bool // in the flapping mode: this moment
	turn   *time.Timer
	cables map[*cable]bool
	work   sync.WaitGroup
	dials  int
}

// NewLink returns a whole link to what far leads to. Close ends it. It must be
// made in the bubble that it is used in.
func NewLink(name string, far Dialer) *Link {
	return &Link{name: name, far: far, liar: newLiar(), cables: map[*cable]bool{}}
}

// Name returns the link's name.
func (l *Link) Name() string { return l.name }

// Mode returns how the link behaves.
func (l *Link) Mode() Mode {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mode
}

// Dials returns how often somebody has dialled.
func (l *Link) Dials() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dials
}

// Set changes how the link behaves, at once, for what is connected too.
func (l *Link) Set(m Mode) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mode, l.down = m, false
	if l.turn != nil {
		l.turn.Stop()
		l.turn = nil
	}
	switch {
	case m == Flapping:
		l.flap()
	case m == Cut, m.lies():
		l.reset()
	case m.mute():
		for c := range l.cables {
			c.silence()
		}
	}
}

// flap turns a flapping link over, now and again. l.mu is held.
func (l *Link) flap() {
	if l.down = !l.down; l.down {
		l.reset()
	}
	l.turn = time.AfterFunc(flapMin+rand.N(flapMax-flapMin), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.mode == Flapping {
			l.flap()
		}
	})
}

// reset breaks every connection. l.mu is held.
func (l *Link) reset() {
	for c := range l.cables {
		c.reset()
	}
}

// Close breaks every connection and waits for what belongs to the link.
func (l *Link) Close() {
	l.Set(Cut)
	l.liar.close()
	l.work.Wait()
}

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

// Dial opens a connection over the link, as net.Dialer.DialContext does.
func (l *Link) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	mode := l.count()
	switch mode {
	case Cut:
		return nil, errRefused
	case Unreachable:
		return nil, wait(ctx, SynTimeout, &net.OpError{Op: "dial", Net: network, Err: syscall.ETIMEDOUT})
	case Nameless:
		return nil, wait(ctx, NameTimeout, &net.DNSError{Err: "i/o timeout", Name: address, IsTimeout: true, IsTemporary: true})
	}
	far, err := l.answer(ctx, mode, network, address)
	if err != nil {
		return nil, err
	}
	near, other := newPipe()
	l.join(other, far, mode)
	return near, nil
}

// count returns the mode of this moment, a flap resolved.
func (l *Link) count() Mode {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dials++
	return l.now()
}

// now is the mode of this moment, a flap resolved. l.mu is held.
func (l *Link) now() Mode {
	switch {
	case l.mode == Flapping && l.down:
		return Cut
	case l.mode == Flapping:
		return Whole
	}
	return l.mode
}

// answer returns who is at the far end; nil: nobody who says anything.
func (l *Link) answer(ctx context.Context, mode Mode, network, address string) (net.Conn, error) {
	switch {
	case mode.mute():
		return nil, nil
	case mode.lies():
		return l.liar.dial(ctx, mode)
	}
	return l.far(ctx, network, address)
}

// wait fails with err after d, or with the context's own error.
func wait(ctx context.Context, d time.Duration, err error) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Proxy listens on a port of the system's choice and carries what comes there over
// the link. The caller closes the listener before the link.
func (l *Link) Proxy() (net.Listener, error) { return l.ProxyAt("127.0.0.1") }

// ProxyAt is Proxy on another address of this machine.
func (l *Link) ProxyAt(ip string) (net.Listener, error) {
	ln, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return nil, err
	}
	l.work.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return // closed
			}
			l.work.Go(func() { l.accept(near) })
		}
	})
	return ln, nil
}

// accept carries one connection of a proxy.
func (l *Link) accept(near net.Conn) {
	mode := l.count()
	if mode == Cut {
		hangUp(near)
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), NameTimeout)
	defer stop()
	far, err := l.answer(ctx, mode, "tcp", "")
	if err != nil {
		hangUp(near)
		return
	}
	l.join(near, far, mode)
}

// join carries bytes between two ends until one of them closes. far may be nil. A link
// that has failed since it was dialled as fails this connection, too.
func (l *Link) join(near, far net.Conn, as Mode) {
	c := &cable{link: l, near: near, far: far, gone: make(chan struct{})}
	l.mu.Lock()
	l.cables[c] = true
	now := l.now()
	c.muted = far == nil || now.mute()
	broken := now != as && (now == Cut || now.lies())
	l.mu.Unlock()
	if broken {
		c.reset()
	}
	l.work.Go(func() { c.pump(far, near) })
	if far != nil {
		l.work.Go(func() { c.pump(near, far) })
	}
}

// piece is the most that travels at once.
const piece = 16 << 10

// cable is one connection.
type cable struct {
	link      *Link
	near, far net.Conn
	once      sync.Once
	gone      chan struct{}

	mu    sync.Mutex
	muted bool // whatever is sent is never heard of again
}

func (c *cable) silence() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.muted = true
}

func (c *cable) silent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.muted
}

// reset breaks both ends at once.
func (c *cable) reset() {
	c.once.Do(func() {
		close(c.gone)
		hangUp(c.near)
		if c.far != nil {
			hangUp(c.far)
		}
	})
}

// hangUp closes a connection as a reset where that is possible.
func hangUp(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // it may be closed already
	}
	_ = c.Close()
}

// pump carries one direction. What is sent into silence is read and dropped, as a
// socket's buffer would take it.
func (c *cable) pump(to, from net.Conn) {
	defer func() {
		if !c.silent() || from == c.near { // a far end that goes away is not heard of through a silent line
			c.link.drop(c)
		}
	}()
	b := make([]byte, piece)
	for {
		n, err := from.Read(b)
		if n > 0 && !c.silent() && c.late(n) && !c.silent() {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if errors.Is(err, io.EOF) && to != nil && !c.silent() {
			c.late(0) // what is under way arrives before the end of it
		}
		if err != nil {
			return
		}
	}
}

// late waits as long as n bytes take, and reports that the connection is there.
func (c *cable) late(n int) bool {
	if c.link.Mode() != Slow {
		return true
	}
	t := time.NewTimer(Latency + time.Duration(n)*time.Second/BytesPerSecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.gone:
		return false
	}
}

// drop forgets a connection and closes its ends.
func (l *Link) drop(c *cable) {
	l.mu.Lock()
	delete(l.cables, c)
	l.mu.Unlock()
	c.once.Do(func() {
		close(c.gone)
		_ = c.near.Close()
		if c.far != nil {
			_ = c.far.Close()
		}
	})
}
