package tron

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strconv"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// row is one entry of a list.
type row struct {
	tx       [32]byte
	contract Address
	from, to Address
	units    *big.Int
	time     uint64
	kind     string
}

// readRows reads a list, and the name of its next page, "" when there is none.
func readRows(f map[string]json.RawMessage) (rows []row, next string, err error) {
	var all []json.RawMessage
	data := f["data"]
	if string(f["success"]) != "true" || len(data) == 0 || data[0] != '[' || json.Unmarshal(data, &all) != nil || len(all) > pageSize {
		return nil, "", odd("no list of transfers")
	}
	for _, one := range all {
		f, err := rpc.Fields(one)
		if err != nil {
			return nil, "", &rpc.Error{Fault: rpc.Odd, Err: err}
		}
		r, ok := readRow(f)
		if !ok {
			return nil, "", odd("a transfer that cannot be read")
		}
		rows = append(rows, r)
	}
	meta, err := rpc.Fields(f["meta"])
	if err != nil {
		return nil, "", odd("a list without its end")
	}
	if raw, more := meta["fingerprint"]; more {
		var ok bool
		if next, ok = rpc.Text(raw, 256); !ok || next == "" {
			return nil, "", odd("a next page without a name")
		}
	}
	return rows, next, nil
}

func readRow(f map[string]json.RawMessage) (r row, fine bool) {
	info, err := rpc.Fields(f["token_info"])
	if err != nil {
		return r, false
	}
	var ok [7]bool
	r.tx, ok[0] = bareHash(f["transaction_id"])
	r.contract, ok[1] = base58(info["address"])
	r.from, ok[2] = base58(f["from"])
	r.to, ok[3] = base58(f["to"])
	r.kind, ok[4] = rpc.Text(f["type"], 32)
	r.time, ok[5] = millis(f["block_timestamp"])
	value, isText := rpc.Text(f["value"], 78)
	r.units, ok[6] = decimal(value, 0)
	return r, isText && ok == [7]bool{true, true, true, true, true, true, true}
}

// base58 reads a JSON string as an address.
func base58(raw json.RawMessage) (Address, bool) {
	s, ok := rpc.Text(raw, addressLen)
	a, err := ParseAddress(s)
	return a, ok && err == nil
}

// bareHash reads 64 digits without "0x".
func bareHash(raw json.RawMessage) (h [32]byte, ok bool) {
	b, ok := bareHex(raw, 32)
	if !ok || len(b) != 32 {
		return h, false
	}
	return [32]byte(b), true
}

// bareHex reads digits without "0x", limit bytes at most.
func bareHex(raw json.RawMessage, limit int) ([]byte, bool) {
	s, ok := rpc.Text(raw, 2*limit)
	b, err := hex.DecodeString(s)
	return b, ok && err == nil
}

// count reads a whole number of JSON that is not negative.
func count(raw json.RawMessage) (uint64, bool) {
	n, err := strconv.ParseUint(string(raw), 10, 63)
	return n, err == nil
}

// millis reads milliseconds as whole seconds.
func millis(raw json.RawMessage) (uint64, bool) {
	n, ok := count(raw)
	return n / 1000, ok
}

// readGridBlock reads a block of the HTTP API. The hash begins with the height.
func readGridBlock(f map[string]json.RawMessage) (b block, err error) {
	header, err1 := rpc.Fields(f["block_header"])
	raw, err2 := rpc.Fields(header["raw_data"])
	hash, ok := bareHash(f["blockID"])
	if err1 != nil || err2 != nil || !ok {
		return b, odd("there is no such block")
	}
	var ok1, ok2 bool
	if n, says := raw["number"]; says {
		b.number, ok1 = count(n)
	} else {
		ok1 = true // the first one's zero is left out
	}
	if t, says := raw["timestamp"]; says {
		b.time, ok2 = millis(t)
	} else {
		ok2 = b.number == 0
	}
	b.hash = hash
	if !ok1 || !ok2 || new(big.Int).SetBytes(hash[:8]).Uint64() != b.number {
		return block{}, odd("a block without hash, number or time")
	}
	return b, nil
}

// readResult reads what a contract's function returned.
func readResult(f map[string]json.RawMessage) ([]byte, error) {
	result, err := rpc.Fields(f["result"])
	if err != nil {
		return nil, odd("no result")
	}
	_, refused := result["message"]
	if string(result["result"]) != "true" || refused {
		return nil, rpc.Failed(rpc.Refused, "the contract does not answer")
	}
	var all []json.RawMessage
	if json.Unmarshal(f["constant_result"], &all) != nil || len(all) != 1 {
		return nil, odd("not one result")
	}
	b, ok := bareHex(all[0], 32*6)
	if !ok {
		return nil, odd("a result that cannot be read")
	}
	return b, nil
}

// info is what became of a transaction.
type info struct {
	number uint64
	time   uint64
	good   bool // it went well
	logs   []logEntry
}

// readInfo reads the answer to gettransactioninfobyid. Of its events it reads those of
// the tokens that are known: others may be of any size and number.
func readInfo(f map[string]json.RawMessage, want [32]byte, known func(Address) bool) (i info, err error) {
	receipt, err := rpc.Fields(f["receipt"])
	tx, ok1 := bareHash(f["id"])
	var ok2, ok3 bool
	i.number, ok2 = count(f["blockNumber"])
	i.time, ok3 = millis(f["blockTimeStamp"])
	if err != nil || !ok1 || !ok2 || !ok3 || tx != want || i.number == 0 {
		return i, odd("a transaction that cannot be read")
	}
	_, failed := f["result"] // is there only when it is FAILED
	if i.good = string(receipt["result"]) == `"SUCCESS"` && !failed; !i.good {
		return i, nil
	}
	var all []json.RawMessage
	if raw, has := f["log"]; has && json.Unmarshal(raw, &all) != nil {
		return i, odd("no list of events")
	}
	for _, one := range all {
		f, err := rpc.Fields(one)
		at, ok := bareHex(f["address"], 20)
		if err != nil || !ok || len(at) != 20 {
			return i, odd("an event of nobody")
		}
		if !known(Address(at)) {
			continue
		}
		l, ok := readGridLog(f)
		if !ok || len(i.logs) == maxLogs {
			return i, odd("an event that cannot be read")
		}
		l.address = Address(at)
		i.logs = append(i.logs, l)
	}
	return i, nil
}

// readGridLog reads what an event of a transaction says.
func readGridLog(f map[string]json.RawMessage) (l logEntry, fine bool) {
	var topics []json.RawMessage
	if raw, has := f["topics"]; has && json.Unmarshal(raw, &topics) != nil || len(topics) > 4 {
		return l, false
	}
	for _, t := range topics {
		h, ok := bareHash(t)
		if !ok {
			return l, false
		}
		l.topics = append(l.topics, h)
	}
	fine = true
	if raw, has := f["data"]; has {
		l.data, fine = bareHex(raw, 64<<10)
	}
	return l, fine
}

// accountOf returns the one account of an answer; there is none for an address that
// never received anything.
func accountOf(f map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	var all []json.RawMessage
	if string(f["success"]) != "true" || json.Unmarshal(f["data"], &all) != nil || len(all) > 1 {
		return nil, odd("no account")
	}
	if len(all) == 0 {
		return nil, nil
	}
	a, err := rpc.Fields(all[0])
	if err != nil {
		return nil, &rpc.Error{Fault: rpc.Odd, Err: err}
	}
	return a, nil
}

// readCoin reads what an account has of the native coin.
func readCoin(f map[string]json.RawMessage) (*big.Int, error) {
	a, err := accountOf(f)
	if err != nil {
		return nil, err
	}
	raw, has := a["balance"]
	n, ok := count(raw)
	if has && !ok {
		return nil, odd("a balance that cannot be read")
	}
	return new(big.Int).SetUint64(n), nil
}

// readOwner reports whether an account's own key may move its money. known is false for
// an account that is not there yet, or does not say.
func readOwner(f map[string]json.RawMessage, address Address) (own, known bool, err error) {
	a, err := accountOf(f)
	if err != nil || a["owner_permission"] == nil {
		return false, false, err
	}
	var p struct {
		Keys []struct {
			Address string `json:"address"`
		} `json:"keys"`
	}
	if json.Unmarshal(a["owner_permission"], &p) != nil || len(p.Keys) == 0 {
		return false, false, odd("permissions that cannot be read")
	}
	for _, k := range p.Keys {
		own = own || k.Address == address.String() || k.Address == address.Hex()
	}
	return own, true, nil
}
