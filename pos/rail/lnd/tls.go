package lnd

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

// errPin says that somebody answered who is not the node that was enrolled. It is
// never mixed up with a line that is down.
var errPin = errors.New("the certificate is none of those pinned")

// errEnded says that the right node answered with a certificate past its end.
var errEnded = errors.New("the certificate has ended")

// tlsConfig believes a pinned certificate and nothing else, or, without pins, what
// the public authorities vouch for.
//
// A pin stands for the whole certificate, so names and issuer do not matter. Its
// end matters only while clock says that the till's time can be trusted: a board
// without a battery starts in 1970 or at its image's date, and refusing the right
// node for that would close the shop. seen gets the certificate of every handshake
// that passed.
func (c Connection) tlsConfig(clock func() bool, seen func(*x509.Certificate)) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"http/1.1"}, // all that lnd's REST speaks
		InsecureSkipVerify: len(c.Pins) > 0,      // VerifyConnection is stricter
		VerifyConnection: func(cs tls.ConnectionState) error {
			leaf := cs.PeerCertificates[0]
			if err := c.believe(leaf, clock); err != nil {
				return err
			}
			seen(leaf)
			return nil
		},
	}
}

// believe checks leaf against the pins.
func (c Connection) believe(leaf *x509.Certificate, clock func() bool) error {
	if len(c.Pins) == 0 {
		return nil // crypto/tls has verified the chain, the name and the time
	}
	if !slices.Contains(c.Pins, sha256.Sum256(leaf.Raw)) && !slices.Contains(c.Pins, sha256.Sum256(leaf.RawSubjectPublicKeyInfo)) {
		return errPin
	}
	if clock() && time.Now().After(leaf.NotAfter) {
		return errEnded
	}
	return nil
}
