package offpay

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"

	"github.com/tillwright/tillwright/pos"
)

// DeviceBytes is the length of a Device: room for a trillion, in a token that must
// stay small.
const DeviceBytes = 5

// Device names a till to the backoffice that gave it the name. A till gets a new
// one when its old one was revoked.
type Device [DeviceBytes]byte

// String returns ten lower-case hex digits.
func (d Device) String() string { return hex.EncodeToString(d[:]) }

// IsZero reports that no device is named.
func (d Device) IsZero() bool { return d == Device{} }

// MarshalText writes what String does.
func (d Device) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads ten lower-case hex digits; anything else is Invalid and
// changes nothing.
func (d *Device) UnmarshalText(b []byte) error {
	var in Device
	if len(b) == hex.EncodedLen(DeviceBytes) {
		if _, err := hex.Decode(in[:], b); err == nil && in.String() == string(b) {
			*d = in
			return nil
		}
	}
	return pos.E("read device", pos.Invalid, "a device has ten lower-case hex digits")
}

// KeyBytes is the length of a Key.
const KeyBytes = 32

// Key is what a till and its backoffice share for one epoch of one device. It goes
// over TLS and into files of mode 0600 alone: never into backups, logs or sync.
// Printing or logging it gives "[redacted]"; only MarshalText shows it. (A Key in
// an unexported field of yours is out of fmt's sight: keep Keys there instead.)
type Key [KeyBytes]byte

const redacted = "[redacted]"

// String returns "[redacted]".
func (Key) String() string { return redacted }

// GoString returns "[redacted]".
func (Key) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// IsZero reports that there is no key.
func (k Key) IsZero() bool { return k == Key{} }

// MarshalText writes standard base64 with padding. It is for the wire alone.
func (k Key) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, k[:]), nil
}

// UnmarshalText reads what MarshalText wrote; anything else is Invalid, names
// nothing of it, and changes nothing.
func (k *Key) UnmarshalText(b []byte) error {
	var in [KeyBytes + 2]byte
	if len(b) == base64.StdEncoding.EncodedLen(KeyBytes) {
		if n, err := base64.StdEncoding.Strict().Decode(in[:], b); err == nil && n == KeyBytes {
			*k = Key(in[:KeyBytes])
			return nil
		}
	}
	return pos.E("read key", pos.Invalid, "that is not a key of %d bytes", KeyBytes)
}
