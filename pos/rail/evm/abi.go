package evm

import (
	"bytes"
	"math/big"
	"unicode/utf8"
)

// Selectors: the first four bytes of the hash of a function's signature.
var (
	selectorBalance  = unhex("70a08231") // balanceOf(address)
	selectorDecimals = unhex("313ce567") // decimals()
	selectorSymbol   = unhex("95d89b41") // symbol()
	selectorTransfer = unhex("a9059cbb") // transfer(address,uint256)
	selectorSweep    = unhex("d1d26af3") // sweep(address,bytes32[],address[])
	selectorSweepOne = unhex("90e596bf") // sweepOne(address,bytes32,address)
)

// Topics: hashes of events' signatures.
var (
	topicTransfer = keccak([]byte("Transfer(address,address,uint256)"))
	topicSwept    = keccak([]byte("Swept(address,address,uint256)"))
	topicSkipped  = keccak([]byte("Skipped(address,address)"))
)

// uint256 returns n, which has at most 256 bits and no sign, as a word.
func uint256(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

// maxSymbol bounds a token's symbol in bytes.
const maxSymbol = 64

// readString reads the answer of a function that returns a string, or, as old
// tokens do, 32 bytes filled up with zeros.
func readString(b []byte) (string, bool) {
	if len(b) == 32 {
		return sane(bytes.TrimRight(b, "\x00"))
	}
	if len(b) < 64 || new(big.Int).SetBytes(b[:32]).Cmp(big.NewInt(32)) != 0 {
		return "", false
	}
	n := new(big.Int).SetBytes(b[32:64])
	if n.Cmp(big.NewInt(maxSymbol)) > 0 || len(b) < 64+int(n.Int64()) {
		return "", false
	}
	return sane(b[64 : 64+n.Int64()])
}

func sane(b []byte) (string, bool) {
	return string(b), len(b) > 0 && len(b) <= maxSymbol && utf8.Valid(b)
}

// readSmall reads a word that counts to 255 at most.
func readSmall(b []byte) (int, bool) {
	if len(b) != 32 || len(bytes.TrimLeft(b[:31], "\x00")) != 0 {
		return 0, false
	}
	return int(b[31]), true
}
