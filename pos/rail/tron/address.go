package tron

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Address is an account or a contract on Tron: the 20 bytes that its virtual machine
// knows it by. People and wallets write them in base58check behind the byte 0x41.
type Address [20]byte

const (
	prefix     = 0x41 // of every address of the main and the test networks
	addressLen = 34   // characters; the prefix makes all of them equally long and begin with T
	checkLen   = 4    // bytes of a checksum
	digits58   = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
)

// ParseAddress reads "T" and 33 characters of base58check. Large and small letters are
// different digits, and the last ones are a checksum, which must be right. It fails
// with Invalid.
func ParseAddress(s string) (Address, error) {
	var a Address
	bad := pos.E("read address", pos.Invalid, "%q is not a Tron address: T and 33 letters or digits, exactly as the wallet shows them", rpc.Clip(s))
	if len(s) != addressLen || s[0] != 'T' {
		return a, bad
	}
	n, radix := new(big.Int), big.NewInt(58)
	for i := range len(s) {
		digit := strings.IndexByte(digits58, s[i])
		if digit < 0 {
			return a, bad
		}
		n.Add(n.Mul(n, radix), big.NewInt(int64(digit)))
	}
	var b [1 + len(a) + checkLen]byte
	if n.BitLen() > 8*len(b) {
		return a, bad
	}
	n.FillBytes(b[:])
	body := b[:1+len(a)]
	if sum := checksum(body); body[0] != prefix || !bytes.Equal(sum[:], b[len(body):]) {
		return a, bad
	}
	copy(a[:], body[1:])
	return a, nil
}

// MustAddress is ParseAddress for addresses in the source; it panics on a bad one.
func MustAddress(s string) Address {
	a, err := ParseAddress(s)
	if err != nil {
		panic("tron: " + err.Error())
	}
	return a
}

// checksum returns the first bytes of the double SHA-256.
func checksum(b []byte) [checkLen]byte {
	h := sha256.Sum256(b)
	h = sha256.Sum256(h[:])
	return [checkLen]byte(h[:checkLen])
}

// String returns the address in base58check.
func (a Address) String() string {
	body := append([]byte{prefix}, a[:]...)
	sum := checksum(body)
	n, radix, digit := new(big.Int).SetBytes(append(body, sum[:]...)), big.NewInt(58), new(big.Int)
	out := make([]byte, addressLen)
	for i := len(out) - 1; i >= 0; i-- { // the prefix makes every number exactly as long
		n.QuoRem(n, radix, digit)
		out[i] = digits58[digit.Int64()]
	}
	return string(out)
}

// Hex returns the 21 bytes that Tron's own API shows: 41 and 40 digits, without "0x".
func (a Address) Hex() string { return "41" + hex.EncodeToString(a[:]) }

// evm returns the 20 bytes that JSON-RPC takes: "0x" and 40 digits.
func (a Address) evm() string { return "0x" + hex.EncodeToString(a[:]) }

// Tail returns the last six characters, for people to compare.
func (a Address) Tail() string { s := a.String(); return s[len(s)-6:] }

// IsZero reports the zero address, which nobody has.
func (a Address) IsZero() bool { return a == Address{} }

// word returns a as events and calls have it.
func (a Address) word() (w [32]byte) {
	copy(w[12:], a[:])
	return w
}

// MarshalText writes base58check.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is ParseAddress.
func (a *Address) UnmarshalText(b []byte) (err error) {
	*a, err = ParseAddress(string(b))
	return err
}
