package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/tillwright/tillwright/pos"
)

// Headers of a signed request.
const (
	HeaderCounter   = "Tillwright-Counter"   // decimal; higher than in any request before
	HeaderSignature = "Tillwright-Signature" // base64url, unpadded
)

// MaxCounter bounds the counter, which counts microseconds where the till's clock
// is right: the year 2255, and the last integer that every JSON reader keeps.
const MaxCounter = 1<<53 - 1

// Request is what a till signs of a request.
type Request struct {
	Method  string
	Path    string            // below the backoffice's URL: "/v1/tills/…/records"
	To      ed25519.PublicKey // the backoffice's; nil in an Enrolment, which learns it
	Counter int64             // 0 in an Enrolment, whose code works once
	Body    []byte
}

// message returns the bytes that are signed: one field a line, the body by its
// hash. No field but the last can hold a newline.
func (r Request) message() []byte {
	return fmt.Appendf(nil, "tillwright request 1\n%s\n%s\n%s\n%d\n%x\n",
		r.Method, r.Path, hex.EncodeToString(r.To), r.Counter, sha256.Sum256(r.Body))
}

// Sign returns the value of HeaderSignature.
func (r Request) Sign(key ed25519.PrivateKey) string {
	return base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, r.message()))
}

// Verify checks a signature made by Sign. It fails with Forbidden.
func (r Request) Verify(key ed25519.PublicKey, signature string) error {
	sig, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, r.message(), sig) {
		return pos.E("check request", pos.Forbidden, "the request is not signed by this till's key")
	}
	return nil
}

// Answer is what a backoffice signs of an answer that moves a till's books or keys:
// which request it answers, and its body.
type Answer struct {
	Path    string // of the request
	Counter int64  // of the request: an answer to another one is of no use
	Body    []byte
}

func (a Answer) message() []byte {
	return fmt.Appendf(nil, "tillwright answer 1\n%s\n%d\n%x\n", a.Path, a.Counter, sha256.Sum256(a.Body))
}

// Sign returns the value of HeaderSignature.
func (a Answer) Sign(key ed25519.PrivateKey) string {
	return base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, a.message()))
}

// Verify checks a signature made by Sign. It fails with Corrupt: such an answer
// counts as none.
func (a Answer) Verify(key ed25519.PublicKey, signature string) error {
	sig, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, a.message(), sig) {
		return pos.E("check answer", pos.Corrupt, "the answer is not signed by this till's backoffice")
	}
	return nil
}

// ParseCounter reads HeaderCounter. It fails with Invalid unless s is a plain
// number from 1 to MaxCounter.
func ParseCounter(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n > MaxCounter || strconv.FormatInt(n, 10) != s {
		return 0, pos.E("check request", pos.Invalid, "the request has no counter")
	}
	return n, nil
}

// SignCheckpoint returns cp signed by the backoffice's key.
func SignCheckpoint(cp pos.Checkpoint, key ed25519.PrivateKey) pos.Checkpoint {
	cp.At = cp.At.UTC().Round(0)
	cp.Sig = ed25519.Sign(key, cp.Message())
	return cp
}

// CheckCheckpoint checks that cp is about this till and signed by key. It fails
// with Corrupt.
func CheckCheckpoint(cp pos.Checkpoint, till string, key ed25519.PublicKey) error {
	if cp.Till != till || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, cp.Message(), cp.Sig) {
		return pos.E("check answer", pos.Corrupt, "the answer is not signed by this till's backoffice")
	}
	return nil
}
