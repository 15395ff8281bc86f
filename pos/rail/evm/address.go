package evm

import (
	"encoding/hex"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Address is a place on an EVM chain: an account, a contract, or a sale's address
// where nothing is yet. The same 20 bytes on every chain.
type Address [20]byte

// ParseAddress reads "0x" and 40 hex digits. Capitals are a checksum (EIP-55) and
// must then be right; all small or all large is taken without one. It fails with
// Invalid.
func ParseAddress(s string) (Address, error) {
	var a Address
	digits, ok := strings.CutPrefix(s, "0x")
	if ok = ok && len(digits) == 2*len(a); ok {
		_, err := hex.Decode(a[:], []byte(digits))
		ok = err == nil
	}
	switch {
	case !ok:
		return Address{}, pos.E("read address", pos.Invalid, "%q is not an address: 0x and 40 digits", rpc.Clip(s))
	case digits != strings.ToLower(digits) && digits != strings.ToUpper(digits) && s != a.String():
		return Address{}, pos.E("read address", pos.Invalid, "%q has a typing error: its capitals do not fit", s)
	}
	return a, nil
}

// MustAddress is ParseAddress for addresses in the source; it panics on a bad one.
func MustAddress(s string) Address {
	a, err := ParseAddress(s)
	if err != nil {
		panic("evm: " + err.Error())
	}
	return a
}

// String returns the address with the checksum of EIP-55 in its capitals.
func (a Address) String() string {
	digits := []byte(hex.EncodeToString(a[:]))
	h := keccak(digits)
	for i, c := range digits {
		if nibble := h[i/2] >> (4 * (1 - i%2)) & 15; c >= 'a' && nibble >= 8 {
			digits[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(digits)
}

// Tail returns the last six characters, for people to compare.
func (a Address) Tail() string { s := a.String(); return s[len(s)-6:] }

// IsZero reports that a is the zero address, which stands for the native coin.
func (a Address) IsZero() bool { return a == Address{} }

// word returns a as the EVM has it on its stack.
func (a Address) word() (w [32]byte) {
	copy(w[12:], a[:])
	return w
}

// create2 returns where CREATE2 puts a contract (EIP-1014): by its deployer, a
// salt, and the hash of its creation code.
func create2(deployer Address, salt, codeHash [32]byte) (a Address) {
	h := keccak([]byte{0xff}, deployer[:], salt[:], codeHash[:])
	copy(a[:], h[12:])
	return a
}

// firstChild returns where a contract puts the first contract that it creates:
// RLP of its address and the nonce 1 (EIP-161).
func firstChild(parent Address) (a Address) {
	h := keccak([]byte{0xd6, 0x94}, parent[:], []byte{0x01})
	copy(a[:], h[12:])
	return a
}
