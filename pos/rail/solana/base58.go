package solana

import (
	"crypto/ed25519"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// alphabet is base58's, as Bitcoin and Solana have it: no 0, O, I, l.
const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// encode58 writes bytes in base58: each leading zero byte is a 1.
func encode58(b []byte) string {
	zeros := 0
	for zeros < len(b) && b[zeros] == 0 {
		zeros++
	}
	var digits []byte // of base 58, the least one first
	for _, x := range b[zeros:] {
		carry := int(x)
		for i := range digits {
			carry += int(digits[i]) << 8
			digits[i] = byte(carry % 58)
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			digits = append(digits, byte(carry%58))
		}
	}
	out := make([]byte, 0, zeros+len(digits))
	for range zeros {
		out = append(out, alphabet[0])
	}
	for i := len(digits) - 1; i >= 0; i-- {
		out = append(out, alphabet[digits[i]])
	}
	return string(out)
}

// decode58 reads exactly n bytes. Every value has one spelling.
func decode58(s string, n int) ([]byte, bool) {
	if len(s) > n*138/100+1 { // log 256 / log 58
		return nil, false
	}
	out := make([]byte, n)
	for _, c := range []byte(s) {
		carry := strings.IndexByte(alphabet, c)
		if carry < 0 {
			return nil, false
		}
		for i := n - 1; i >= 0; i-- {
			carry += int(out[i]) * 58
			out[i] = byte(carry)
			carry >>= 8
		}
		if carry > 0 {
			return nil, false
		}
	}
	return out, encode58(out) == s
}

// Key is the address of an account, a mint or a program, or the reference of a
// payment: 32 bytes.
type Key [32]byte

// ParseKey reads a key in base58. It fails with Invalid.
func ParseKey(s string) (k Key, err error) {
	b, ok := decode58(s, len(k))
	if !ok {
		return k, pos.E("read Solana address", pos.Invalid, "%q is not an address on Solana", rpc.Clip(rpc.Plain(s)))
	}
	return Key(b), nil
}

// MustKey is ParseKey for constants; it panics.
func MustKey(s string) Key {
	k, err := ParseKey(s)
	if err != nil {
		panic(err)
	}
	return k
}

// String writes the key in base58, 32 to 44 letters.
func (k Key) String() string { return encode58(k[:]) }

// Tail returns its last six letters, as wallets show them.
func (k Key) Tail() string { s := k.String(); return s[len(s)-6:] }

// IsZero reports the key of the system program, which stands for nobody.
func (k Key) IsZero() bool { return k == Key{} }

// MarshalText writes base58.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is ParseKey.
func (k *Key) UnmarshalText(b []byte) (err error) {
	*k, err = ParseKey(string(b))
	return err
}

// plainSignature reports that s can be a transaction's signature.
func plainSignature(s string) bool {
	_, ok := decode58(s, ed25519.SignatureSize)
	return ok
}
