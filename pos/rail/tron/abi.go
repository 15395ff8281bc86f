package tron

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"unicode/utf8"
)

// Functions of a token's contract: the first four bytes of the hash of their
// signatures, as JSON-RPC takes them.
const (
	selectorBalance  = "70a08231" // balanceOf(address)
	selectorDecimals = "313ce567" // decimals()
	selectorSymbol   = "95d89b41" // symbol()
)

// topicTransfer is the hash of Transfer(address,address,uint256).
var topicTransfer = [32]byte(unhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"))

// unhex reads hex digits of the source.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic("tron: " + err.Error())
	}
	return b
}

// maxSymbol bounds a token's symbol in bytes.
const maxSymbol = 64

// readString reads the answer of a function that returns a string, or, as old tokens
// do, 32 bytes filled up with zeros.
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

// account reads an address from a word of an event: twelve zeros, then 20 bytes. Tron's
// machine fills it up as Ethereum's does; a 41 in it is refused.
func account(w [32]byte) (Address, bool) {
	return Address(w[12:]), bytes.Equal(w[:12], make([]byte, 12))
}

// differs says in what a contract is not t, as the key of a word; "" when it is.
func (t Token) differs(decimals, symbol []byte) string {
	n, ok := readSmall(decimals)
	switch {
	case !ok:
		return "evm_why_none"
	case n != t.Decimals:
		return "evm_why_decimals"
	case len(t.OnChain) == 0:
		return ""
	}
	s, ok := readString(symbol)
	if !ok {
		return "evm_why_none"
	}
	for _, name := range t.OnChain {
		if s == name {
			return ""
		}
	}
	return "evm_why_symbol"
}

// readTransfer reads an event's topics and data as a Transfer.
func readTransfer(topics [][32]byte, data []byte) (from, to Address, units *big.Int, ok bool) {
	if len(topics) != 3 || topics[0] != topicTransfer || len(data) != 32 {
		return from, to, nil, false
	}
	from, ok1 := account(topics[1])
	to, ok2 := account(topics[2])
	return from, to, new(big.Int).SetBytes(data), ok1 && ok2
}
