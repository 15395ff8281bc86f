package offpay

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"

	"github.com/tillwright/tillwright/pos"
)

// The parts of a token, in bytes.
const (
	version    = 1
	headBytes  = 1 + DeviceBytes + 1 // version, device, epoch
	tagBytes   = 16
	bodyBytes  = 16
	TokenBytes = headBytes + tagBytes + bodyBytes
)

// TextLen is the length of a token's text: 39 bytes in base64url, without padding.
const TextLen = 52

// MaxAmount is the largest amount in minor units: five bytes of it.
const MaxAmount = 1<<40 - 1

// ErrToken is what every token that is not ours gives, whatever is wrong with it.
var ErrToken error = pos.E("open token", pos.Invalid, "This request is not valid any more. Ask the cashier for a new one.")

// Request is what a till asks a customer to pay.
type Request struct {
	Counter  uint32 // from 1, one more for every token of a device, never again the same
	Amount   uint64 // minor units, 1 to MaxAmount
	Currency uint16 // ISO 4217 numeric, 1 to 999: see Numeric
	Issued   uint32 // unix seconds; 0 when the till's clock is not trusted
	TTL      uint8  // minutes from Issued, 1 to 255
}

// valid reports that every field is in its range.
func (r Request) valid() bool {
	return r.Counter >= 1 && r.Amount >= 1 && r.Amount <= MaxAmount && r.Currency >= 1 && r.Currency <= maxNumeric && r.TTL >= 1
}

const maxNumeric = 999 // ISO 4217 has three digits

// body is the request in 16 bytes.
func (r Request) body() (b [bodyBytes]byte) {
	binary.BigEndian.PutUint32(b[0:], r.Counter)
	b[4] = byte(r.Amount >> 32)
	binary.BigEndian.PutUint32(b[5:], uint32(r.Amount))
	binary.BigEndian.PutUint16(b[9:], r.Currency)
	binary.BigEndian.PutUint32(b[11:], r.Issued)
	b[15] = r.TTL
	return b
}

func request(b [bodyBytes]byte) Request {
	return Request{
		Counter:  binary.BigEndian.Uint32(b[0:]),
		Amount:   uint64(b[4])<<32 | uint64(binary.BigEndian.Uint32(b[5:])),
		Currency: binary.BigEndian.Uint16(b[9:]),
		Issued:   binary.BigEndian.Uint32(b[11:]),
		TTL:      b[15],
	}
}

// Token is a sealed Request. It gives nothing away but the device and the epoch.
type Token [TokenBytes]byte

// String returns the token's 52 characters.
func (t Token) String() string { return base64.RawURLEncoding.EncodeToString(t[:]) }

// Device returns the device that the token names. Nothing vouches for it before
// Open.
func (t Token) Device() Device { return Device(t[1 : 1+DeviceBytes]) }

// Epoch returns the epoch that the token names. Nothing vouches for it before Open.
func (t Token) Epoch() uint8 { return t[1+DeviceBytes] }

// ParseToken reads a token's text: exactly 52 characters of base64url, and the
// version this package speaks. It fails with ErrToken. The token is not opened.
func ParseToken(s string) (Token, error) {
	var t Token
	if len(s) != TextLen { // the decoder would pass over newlines
		return Token{}, ErrToken
	}
	if n, err := base64.RawURLEncoding.Decode(t[:], []byte(s)); err != nil || n != TokenBytes || t[0] != version {
		return Token{}, ErrToken
	}
	return t, nil
}

// Keys are what Derive makes of a Key. They print as "[redacted]". They are safe
// for concurrent use.
type Keys struct{ s *secrets } // behind a pointer, which is all that fmt sees of a field

type secrets struct {
	head      [headBytes]byte
	mac, code []byte
	block     cipher.Block
	enc       []byte // of block; for the golden file
}

// Derive makes the keys of one epoch of a device. They are the same each time.
func Derive(k Key, d Device, epoch uint8) *Keys {
	s := &secrets{head: [headBytes]byte{version}}
	copy(s.head[1:], d[:])
	s.head[headBytes-1] = epoch
	part := func(info string) []byte {
		out, err := hkdf.Key(sha256.New, k[:], s.head[1:], info, KeyBytes)
		if err != nil {
			panic(err) // only for lengths that HKDF cannot give
		}
		return out
	}
	s.mac, s.enc, s.code = part("offpay1 mac"), part("offpay1 enc"), part("offpay1 code")
	block, err := aes.NewCipher(s.enc)
	if err != nil {
		panic(err) // only for keys of another length
	}
	s.block = block
	return &Keys{s}
}

// String returns "[redacted]".
func (Keys) String() string { return redacted }

// GoString returns "[redacted]".
func (Keys) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

// Seal makes the token of r: always the same for the same r. It fails with Invalid
// when a field is out of its range.
func (k *Keys) Seal(r Request) (Token, error) {
	if !r.valid() {
		return Token{}, pos.E("seal request", pos.Invalid, "this amount cannot be asked for while offline")
	}
	body := r.body()
	tag := k.tag(body)
	body = k.mask(tag, body)
	var t Token
	copy(t[:], k.s.head[:])
	copy(t[headBytes:], tag[:])
	copy(t[headBytes+tagBytes:], body[:])
	return t, nil
}

// Open returns the request in t. It fails with ErrToken when these keys did not
// seal it, or when it says what no Request may say, and costs the same either way.
func (k *Keys) Open(t Token) (Request, error) {
	tag := [tagBytes]byte(t[headBytes:])
	body := k.mask(tag, [bodyBytes]byte(t[headBytes+tagBytes:]))
	want := k.tag(body)
	ours := subtle.ConstantTimeCompare(want[:], tag[:]) & subtle.ConstantTimeCompare(k.s.head[:], t[:headBytes])
	if r := request(body); ours == 1 && r.valid() {
		return r, nil
	}
	return Request{}, ErrToken
}

// tag authenticates head and body.
func (k *Keys) tag(body [bodyBytes]byte) [tagBytes]byte {
	mac := hmac.New(sha256.New, k.s.mac)
	mac.Write([]byte("OFFPAY1"))
	mac.Write(k.s.head[:])
	mac.Write(body[:])
	return [tagBytes]byte(mac.Sum(nil))
}

// mask hides a body under its tag, or shows it again: one block of AES-256-CTR
// whose initial counter block is the tag.
func (k *Keys) mask(tag [tagBytes]byte, body [bodyBytes]byte) (out [bodyBytes]byte) {
	k.s.block.Encrypt(out[:], tag[:])
	subtle.XORBytes(out[:], out[:], body[:])
	return out
}
