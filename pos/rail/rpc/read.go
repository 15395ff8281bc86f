package rpc

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strings"
)

// Answers are read strictly, because money is in them. encoding/json takes the last
// of two equal keys and lets "RESULT" stand for "result"; Fields refuses the first
// and is blind to the second.

var errNotJSON = errors.New("the answer is no JSON-RPC")

// Fields reads one JSON object. No key may come twice.
func Fields(b []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errNotJSON
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		var v json.RawMessage
		if err != nil || !ok || d.Decode(&v) != nil {
			return nil, errNotJSON
		}
		if _, twice := out[key]; twice {
			return nil, errors.New("a key comes twice")
		}
		out[key] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, errNotJSON
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one answer at once")
	}
	return out, nil
}

// Text reads a JSON string of at most limit bytes.
func Text(raw json.RawMessage, limit int) (string, bool) {
	var s string
	if len(raw) < 2 || raw[0] != '"' || len(raw) > limit+2 || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// HexNumber reads a quantity: "0x0", or "0x" and digits that do not begin with 0.
func HexNumber(raw json.RawMessage, bits int) (*big.Int, bool) {
	s, ok := Text(raw, 2+(bits+3)/4)
	digits, prefixed := strings.CutPrefix(s, "0x")
	if !ok || !prefixed || digits == "" || (digits[0] == '0' && digits != "0") {
		return nil, false
	}
	for _, c := range []byte(digits) {
		if !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return nil, false
		}
	}
	n, ok := new(big.Int).SetString(digits, 16)
	return n, ok && n.BitLen() <= bits
}

// Hex64 reads a quantity that counts blocks or seconds. Its top bit stays free, so
// that sums do not overflow.
func Hex64(raw json.RawMessage) (uint64, bool) {
	n, ok := HexNumber(raw, 63)
	if !ok {
		return 0, false
	}
	return n.Uint64(), true
}

// HexBytes reads "0x" and an even number of digits, limit bytes at most.
func HexBytes(raw json.RawMessage, limit int) ([]byte, bool) {
	s, ok := Text(raw, 2+2*limit)
	digits, prefixed := strings.CutPrefix(s, "0x")
	if !ok || !prefixed {
		return nil, false
	}
	b, err := hex.DecodeString(digits)
	return b, err == nil
}

// HexHash reads exactly 32 bytes.
func HexHash(raw json.RawMessage) (h [32]byte, ok bool) {
	b, ok := HexBytes(raw, 32)
	if !ok || len(b) != 32 {
		return h, false
	}
	return [32]byte(b), true
}

// Clip shortens outside text before it is shown.
func Clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
