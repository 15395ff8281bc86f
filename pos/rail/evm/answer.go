package evm

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
// of two equal keys and lets "RESULT" stand for "result"; fields refuses the first
// and is blind to the second.

var errNotJSON = errors.New("the answer is no JSON-RPC")

// fields reads one JSON object. No key may come twice.
func fields(b []byte) (map[string]json.RawMessage, error) {
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

// text reads a JSON string of at most limit bytes.
func text(raw json.RawMessage, limit int) (string, bool) {
	var s string
	if len(raw) < 2 || raw[0] != '"' || len(raw) > limit+2 || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// hexNumber reads a quantity: "0x0", or "0x" and digits that do not begin with 0.
func hexNumber(raw json.RawMessage, bits int) (*big.Int, bool) {
	s, ok := text(raw, 2+(bits+3)/4)
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

// hex64 reads a quantity that counts blocks or seconds. Its top bit stays free, so
// that sums do not overflow.
func hex64(raw json.RawMessage) (uint64, bool) {
	n, ok := hexNumber(raw, 63)
	if !ok {
		return 0, false
	}
	return n.Uint64(), true
}

// hexBytes reads "0x" and an even number of digits, limit bytes at most.
func hexBytes(raw json.RawMessage, limit int) ([]byte, bool) {
	s, ok := text(raw, 2+2*limit)
	digits, prefixed := strings.CutPrefix(s, "0x")
	if !ok || !prefixed {
		return nil, false
	}
	b, err := hex.DecodeString(digits)
	return b, err == nil
}

// hexHash reads exactly 32 bytes.
func hexHash(raw json.RawMessage) (h [32]byte, ok bool) {
	b, ok := hexBytes(raw, 32)
	if !ok || len(b) != 32 {
		return h, false
	}
	return [32]byte(b), true
}

// block is what the till reads of a block.
type block struct {
	hash   [32]byte
	number uint64
	time   uint64 // seconds since 1970, by the chain
}

// readBlock reads the answer to eth_getBlockByNumber.
func readBlock(raw json.RawMessage) (b block, err error) {
	f, err := fields(raw)
	if err != nil {
		return b, errors.New("there is no such block") // null
	}
	var ok [3]bool
	b.hash, ok[0] = hexHash(f["hash"])
	b.number, ok[1] = hex64(f["number"])
	b.time, ok[2] = hex64(f["timestamp"])
	if ok != [3]bool{true, true, true} {
		return block{}, errors.New("a block without hash, number or time")
	}
	return b, nil
}

// logEntry is one event.
type logEntry struct {
	address Address
	topics  [][32]byte
	data    []byte
	number  uint64 // of its block
	block   [32]byte
	tx      [32]byte
	index   uint64 // in its block
}

// maxLogs bounds the events of one answer: a sale's address has one or two.
const maxLogs = 64

// readLogs reads the answer to eth_getLogs. Events that a reorg took back are left
// out.
func readLogs(raw json.RawMessage) ([]logEntry, error) {
	var all []json.RawMessage
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &all) != nil {
		return nil, errors.New("no list of events")
	}
	if len(all) > maxLogs {
		return nil, errors.New("more events than a sale has")
	}
	var out []logEntry
	for _, one := range all {
		f, err := fields(one)
		if err != nil {
			return nil, err
		}
		if string(f["removed"]) == "true" {
			continue
		}
		l, ok := readLog(f)
		if !ok {
			return nil, errors.New("an event that cannot be read")
		}
		out = append(out, l)
	}
	return out, nil
}

func readLog(f map[string]json.RawMessage) (l logEntry, fine bool) {
	at, ok1 := hexBytes(f["address"], 20)
	data, ok2 := hexBytes(f["data"], 256)
	var topics []json.RawMessage
	if !ok1 || !ok2 || len(at) != 20 || json.Unmarshal(f["topics"], &topics) != nil || len(topics) > 4 {
		return l, false
	}
	l.address, l.data = Address(at), data
	for _, t := range topics {
		h, ok := hexHash(t)
		if !ok {
			return l, false
		}
		l.topics = append(l.topics, h)
	}
	var ok [4]bool
	l.block, ok[0] = hexHash(f["blockHash"])
	l.tx, ok[1] = hexHash(f["transactionHash"])
	l.number, ok[2] = hex64(f["blockNumber"])
	l.index, ok[3] = hex64(f["logIndex"])
	return l, ok == [4]bool{true, true, true, true}
}
