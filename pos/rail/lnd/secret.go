package lnd

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/tillwright/tillwright/pos"
)

// redacted is what every way of printing a Secret gives.
const redacted = "[redacted]"

// Secret holds bytes that must be seen by the node alone: a macaroon, a preimage.
// Printing, logging or marshalling it gives "[redacted]", whatever the verb.
type Secret []byte

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// Format writes "[redacted]" for every verb, %x and %d included.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON writes "[redacted]".
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// hex and base64 are the only ways out, and the wire is where they lead.
func (s Secret) hex() string    { return hex.EncodeToString(s) }
func (s Secret) base64() string { return base64.StdEncoding.EncodeToString(s) }

// hash names an invoice: SHA-256 of its preimage.
type hash [sha256.Size]byte

// String returns 64 lower-case hex digits: a payment's Reference.
func (h hash) String() string { return hex.EncodeToString(h[:]) }

// secretSize is the length of Options.Secret: the block that HMAC-SHA256 gives.
const secretSize = 32

// preimage derives what opens the invoice of p: HMAC-SHA256(secret, sale ‖
// attempt), the attempt as four bytes, big-endian. Sale, attempt and secret are all
// it needs, so an invoice whose making was never confirmed can still be found.
func preimage(secret []byte, p pos.Payment) (Secret, hash) {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(p.Sale))
	mac.Write(binary.BigEndian.AppendUint32(nil, uint32(p.Attempt)))
	pre := mac.Sum(nil)
	return pre, sha256.Sum256(pre)
}
