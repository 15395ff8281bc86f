package lnd

import (
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// fault says what is in the way, as far as the till can tell. The zero fault is the
// careful one: something that nobody has heard of, so nothing is known.
type fault uint8

const (
	faultOdd         fault = iota // an answer that lnd does not give; unknown, never "unpaid"
	faultUnreachable              // no answer, or none in time
	faultPin                      // another certificate than the one enrolled
	faultEnded                    // the right certificate, past its end
	faultAuthority                // no pin, and no public authority vouches for it
	faultLocked                   // the wallet waits for its password
	faultNoWallet
	faultStarting
	faultDenied     // the macaroon lacks a right, or is not of this node
	faultRevoked    // its root key was deleted
	faultKeyEnded   // one of its caveats: time
	faultKeyBound   // another caveat: an address, an account
	faultExists     // an invoice with this hash is there already
	faultSettled    // it cannot be cancelled: it is paid
	faultCancelled  // it is cancelled already
	faultNoInvoice  // the node knows no such hash
	faultNotAllowed // the request itself is refused: our bug
)

// permanent reports that asking again with the same connection string is useless.
func (f fault) permanent() bool {
	return f == faultDenied || f == faultRevoked || f == faultKeyEnded || f == faultKeyBound
}

// callError is a call that brought no answer to rely on.
type callError struct {
	call  string
	fault fault
	err   error
}

func (e *callError) Error() string { return e.call + ": " + e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// faultOf returns the fault of err, which is faultOdd for an error of another kind.
func faultOf(err error) fault {
	if e, ok := errors.AsType[*callError](err); ok {
		return e.fault
	}
	return faultOdd
}

// answered reports that a live lnd stands behind err.
func answered(err error) bool {
	_, ok := errors.AsType[*refusal](err)
	return ok
}

// refusal is lnd's {"code":…,"message":…}.
type refusal struct {
	status, code int
	message      string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("status %d, code %d, %s", r.status, r.code, scrub(r.message))
}

// codes of gRPC that lnd uses.
const (
	codeUnknown  = 2
	codeInvalid  = 3
	codeNotFound = 5
)

// forms are the words in which lnd v0.21.1 refuses, measured against it or read in
// its source. The status says little (most are 500), so code and message must both
// fit. Whole forms must be equal, others are contained. Order matters: the first
// that fits wins.
var forms = []struct {
	code  int
	text  string
	whole bool
	fault fault
}{
	{codeUnknown, "invoice with payment hash already exists", true, faultExists},
	{codeUnknown, "invoice already settled", true, faultSettled},
	{codeUnknown, "invoice already canceled", true, faultCancelled},
	{codeUnknown, "unable to locate invoice", true, faultNoInvoice},
	{codeNotFound, "unable to locate invoice", true, faultNoInvoice},
	{codeNotFound, "there are no existing invoices", true, faultNoInvoice}, // a node that never had one
	{codeUnknown, "wallet locked, unlock it to enable full RPC access", false, faultLocked},
	{codeUnknown, "wallet not created, create one to enable full RPC access", false, faultNoWallet},
	{codeUnknown, "the RPC server is in the process of starting up", false, faultStarting},
	{codeUnknown, "server is still in the process of starting", false, faultStarting},
	{codeUnknown, "waiting to start, RPC services not available", false, faultStarting},
	{codeUnknown, "cannot get macaroon: root key", false, faultRevoked},
	{codeUnknown, "macaroon has expired", false, faultKeyEnded},
	{codeUnknown, "not satisfied:", false, faultKeyBound},
	{codeUnknown, "permission denied", false, faultDenied},
	{codeUnknown, "verification failed", false, faultDenied},
	{codeUnknown, "expected 1 macaroon, got", false, faultDenied},
	{codeUnknown, "cannot determine data format of binary-encoded macaroon", false, faultDenied},
	{codeInvalid, "", false, faultNotAllowed},
}

// classify reads a refusal.
func classify(r *refusal) fault {
	for _, f := range forms {
		if r.code == f.code && (r.message == f.text || !f.whole && strings.Contains(r.message, f.text)) {
			return f.fault
		}
	}
	return faultOdd
}

// lineFault reads an error of the line: dial, handshake, deadline.
func lineFault(err error) fault {
	switch {
	case errors.Is(err, errPin):
		return faultPin
	case errors.Is(err, errEnded):
		return faultEnded
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return faultAuthority
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return faultAuthority
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if e.Reason == x509.Expired {
			return faultEnded
		}
		return faultAuthority
	}
	return faultUnreachable
}

// longToken is what a macaroon, a preimage or a hash looks like in a message.
var longToken = regexp.MustCompile(`[0-9A-Za-z+/=_-]{32,}`)

// maxMessage bounds the node's words in a log line.
const maxMessage = 200

// scrub makes the node's own words fit for a log: nothing in them that could be a
// key, no control characters, not too long.
func scrub(s string) string {
	s = longToken.ReplaceAllString(s, redacted)
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '.'
		}
		return r
	}, s)
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return s
}
