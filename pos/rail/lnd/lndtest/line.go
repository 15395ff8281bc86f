package lndtest

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// line is the node's REST listener and server, from one Start to the next Stop.
type line struct {
	server *http.Server
	conns  chan net.Conn // from memory or from the port
	done   chan struct{} // closed when nobody listens any more
	served chan struct{} // closed when Serve has returned
	stop   chan struct{} // closed when streams shall end in order
	once   sync.Once
}

// Accept, Close and Addr make a line a net.Listener.
func (l *line) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *line) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *line) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// Dial connects to the node as lnd.Options.Dial. While nobody listens it is refused.
func (n *Node) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.line
	n.mu.Unlock()
	if n.tcp {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	client, server := newConns()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Start starts a stopped node, or mends its line.
func (n *Node) Start() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.on = true
	if n.line != nil {
		return
	}
	l := &line{conns: make(chan net.Conn), done: make(chan struct{}), served: make(chan struct{}), stop: make(chan struct{})}
	l.server = &http.Server{
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.serve(l, w, r) }),
		ErrorLog:  log.New(io.Discard, "", 0), // handshakes that the till breaks off on purpose
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{n.cert}, NextProtos: []string{"http/1.1"}},
	}
	if n.tcp && n.port == nil {
		n.listen()
	}
	n.line = l
	go func() {
		defer close(l.served)
		_ = l.server.ServeTLS(l, "", "") // ends with ErrServerClosed
	}()
}

// listen takes a port of the system's choice, and keeps it until the test ends:
// while the node is away, whoever connects is hung up on. A port given back might
// be somebody else's by the time the node returns.
func (n *Node) listen() {
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		n.t.Fatalf("listen: %v", err)
	}
	n.port, n.addr = port, port.Addr().String()
	done := make(chan struct{})
	n.t.Cleanup(func() { _ = port.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := port.Accept()
			if err != nil {
				return
			}
			n.mu.Lock()
			l := n.line
			n.mu.Unlock()
			if l == nil {
				_ = c.Close()
				continue
			}
			select {
			case l.conns <- c:
			case <-l.done:
				_ = c.Close()
			}
		}
	}()
}

// Stop stops the node in order: streams end in a clean EOF, then nobody answers.
// While it is stopped, nobody can pay it.
func (n *Node) Stop() {
	n.mu.Lock()
	n.on = false
	n.mu.Unlock()
	if l := n.unplug(); l != nil {
		close(l.stop)
		_ = l.server.Shutdown(context.Background()) // waits for the calls under way
		<-l.served
	}
}

// Cut breaks the line at once, in the middle of whatever is on it. The node itself
// runs on, and can be paid; Start mends the line.
func (n *Node) Cut() {
	if l := n.unplug(); l != nil {
		_ = l.server.Close()
		<-l.served
	}
}

func (n *Node) unplug() *line {
	n.Thaw()
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.line
	n.line = nil
	if l != nil {
		_ = l.Close()
	}
	return l
}

// Restart stops the node in order and starts it.
func (n *Node) Restart() {
	n.Stop()
	n.Start()
}

// Freeze makes the line half-open: connections stay, nothing comes back on them.
func (n *Node) Freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.frozen == nil {
		n.frozen = make(chan struct{})
	}
}

// Thaw ends Freeze; calls that have waited are served.
func (n *Node) Thaw() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.frozen != nil {
		close(n.frozen)
		n.frozen = nil
	}
}

// thawed blocks while the line is half-open. It reports false when the other end
// has given up.
func (n *Node) thawed(ctx context.Context) bool {
	n.mu.Lock()
	frozen := n.frozen
	n.mu.Unlock()
	if frozen == nil {
		return true
	}
	select {
	case <-frozen:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
