package outage

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// liar is somebody else who answers: the shop's Wi-Fi that wants a sign-in, a
// provider's page for lost names, a wrong machine under the right address.
type liar struct {
	hosts map[Mode]*Host
	done  []chan struct{}
	all   []*http.Server
}

// handshake bounds how long the liar waits for the first byte.
const handshake = 10 * time.Second

func newLiar() *liar {
	l := &liar{hosts: map[Mode]*Host{}}
	cert := stranger()
	for mode, answer := range map[Mode]http.HandlerFunc{Portal: page, Redirect: redirect, Impostor: impostor} {
		h, done := NewHost(mode.String()), make(chan struct{})
		s := &http.Server{Handler: answer, ErrorLog: log.New(io.Discard, "", 0), ReadTimeout: handshake}
		l.hosts[mode], l.done, l.all = h, append(l.done, done), append(l.all, s)
		go func() {
			defer close(done)
			_ = s.Serve(guess{h, &tls.Config{Certificates: []tls.Certificate{cert}}}) // ends with ErrServerClosed
		}()
	}
	return l
}

// stranger returns the certificate that the liar shows: of nobody whom anybody knows.
func stranger() tls.Certificate {
	a, err := NewAuthority()
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	cert, err := a.Certificate("login.portal.example")
	if err != nil {
		panic(err)
	}
	return cert
}

func (l *liar) dial(ctx context.Context, m Mode) (net.Conn, error) {
	return l.hosts[m].Dial(ctx, "", "")
}

func (l *liar) close() {
	for i, s := range l.all {
		_ = s.Close()
		<-l.done[i]
	}
}

// page is what such a network says instead of anything.
func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<html><title>Welcome</title>Please sign in to use this network.</html>")
}

func redirect(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "http://login.portal.example/", http.StatusFound)
}

// impostor says yes to everything, in the words of everybody.
func impostor(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"state":"SETTLED","accepted_to":18446744073709551615,"checkpoint":{"n":1000000},"amt_paid_msat":"1",`+
		`"amount":"1","last":"1","error":[],"result":{}}`)
}

// guess lets one port speak TLS and plain HTTP: the first byte tells (RFC 8446,
// section 5.1: a handshake record is of type 22).
type guess struct {
	net.Listener
	config *tls.Config
}

func (g guess) Accept() (net.Conn, error) {
	c, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &guessed{Conn: c, r: bufio.NewReader(c), config: g.config}, nil
}

// guessed decides at its first Read, which http.Server makes in the connection's
// own goroutine.
type guessed struct {
	net.Conn
	r      *bufio.Reader
	config *tls.Config
	secure *tls.Conn
	known  bool
}

func (c *guessed) Read(b []byte) (int, error) {
	if !c.known {
		first, err := c.r.Peek(1)
		if err != nil {
			return 0, err
		}
		if c.known = true; first[0] == 22 {
			c.secure = tls.Server(peeked{c.Conn, c.r}, c.config)
		}
	}
	if c.secure != nil {
		return c.secure.Read(b)
	}
	return c.r.Read(b)
}

func (c *guessed) Write(b []byte) (int, error) {
	if c.secure != nil {
		return c.secure.Write(b)
	}
	return c.Conn.Write(b)
}

type peeked struct {
	net.Conn
	r *bufio.Reader
}

func (p peeked) Read(b []byte) (int, error) { return p.r.Read(b) }
