package outage

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// Host is a listener in memory.
type Host struct {
	name  string
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// NewHost returns a host of this name.
func NewHost(name string) *Host {
	return &Host{name: name, conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept waits for the next connection. It makes Host a net.Listener.
func (h *Host) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close ends the listening; it may be called twice.
func (h *Host) Close() error { h.once.Do(func() { close(h.done) }); return nil }

// Addr returns the host's name as an address.
func (h *Host) Addr() net.Addr { return memory(h.name) }

type memory string

func (memory) Network() string  { return "tcp" }
func (m memory) String() string { return string(m) + ":443" }

// Dial connects to the host, whatever the address. While nobody listens it is refused.
func (h *Host) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := newPipe()
	select {
	case h.conns <- far:
		return near, nil
	case <-h.done:
		return nil, errRefused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Authority signs certificates that its Pool believes.
type Authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// NewAuthority makes an authority that is valid for ten years around now.
func NewAuthority() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make an authority's key: %w", err)
	}
	t := template("Tillwright test authority")
	t.IsCA, t.BasicConstraintsValid, t.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	return &Authority{key, cert}, err
}

func template(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(10 * 365 * 24 * time.Hour),
	}
}

// Pool believes the authority and nobody else.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// Certificate returns a server's certificate for these names, valid since yesterday.
func (a *Authority) Certificate(names ...string) (tls.Certificate, error) {
	return a.CertificateFrom(time.Now().Add(-24*time.Hour), names...)
}

// CertificateFrom returns a certificate that begins at a time of its own.
func (a *Authority) CertificateFrom(begins time.Time, names ...string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	t := template(names[0])
	t.NotBefore = begins
	t.DNSNames, t.KeyUsage, t.ExtKeyUsage = names, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a server's key: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, &key.PublicKey, a.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, errors.Join(err)
}
