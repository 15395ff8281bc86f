package tron

import (
	"encoding/json"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// readBlock reads the answer to eth_getBlockByNumber.
func readBlock(raw json.RawMessage) (b block, err error) {
	f, err := rpc.Fields(raw)
	if err != nil {
		return b, odd("there is no such block") // null
	}
	var ok [3]bool
	b.hash, ok[0] = rpc.HexHash(f["hash"])
	b.number, ok[1] = rpc.Hex64(f["number"])
	b.time, ok[2] = rpc.Hex64(f["timestamp"])
	if ok != [3]bool{true, true, true} {
		return block{}, odd("a block without hash, number or time")
	}
	return b, nil
}

// readReceipt reads the answer to eth_getTransactionReceipt: where a transaction is that
// went well.
func readReceipt(raw json.RawMessage, want [32]byte) (number uint64, hash [32]byte, good bool) {
	f, err := rpc.Fields(raw)
	if err != nil {
		return 0, hash, false // null
	}
	tx, ok1 := rpc.HexHash(f["transactionHash"])
	hash, ok2 := rpc.HexHash(f["blockHash"])
	number, ok3 := rpc.Hex64(f["blockNumber"])
	status, ok4 := rpc.Hex64(f["status"])
	return number, hash, ok1 && ok2 && ok3 && ok4 && tx == want && status == 1 && number > 0
}

// logEntry is one event.
type logEntry struct {
	address Address
	topics  [][32]byte
	data    []byte
	number  uint64 // of its block
	block   [32]byte
	time    uint64 // of its block; 0: an older node does not say
	tx      [32]byte
}

// maxLogs bounds the events of one answer; a body of rpc's size does not hold more.
const maxLogs = 2000

// readLogs reads the answer to eth_getLogs, in the order of the blocks. Events that a
// reorg took back are left out.
func readLogs(raw json.RawMessage) ([]logEntry, error) {
	var all []json.RawMessage
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &all) != nil {
		return nil, odd("no list of events")
	}
	if len(all) > maxLogs {
		return nil, odd("too many events")
	}
	var out []logEntry
	for _, one := range all {
		f, err := rpc.Fields(one)
		if err != nil {
			return nil, &rpc.Error{Fault: rpc.Odd, Err: err}
		}
		if string(f["removed"]) == "true" {
			continue
		}
		l, ok := readLog(f)
		if !ok {
			return nil, odd("an event that cannot be read")
		}
		out = append(out, l)
	}
	return out, nil
}

func readLog(f map[string]json.RawMessage) (l logEntry, fine bool) {
	at, ok1 := rpc.HexBytes(f["address"], 20)
	data, ok2 := rpc.HexBytes(f["data"], 256)
	var topics []json.RawMessage
	if !ok1 || !ok2 || len(at) != 20 || json.Unmarshal(f["topics"], &topics) != nil || len(topics) > 4 {
		return l, false
	}
	l.address, l.data = Address(at), data
	for _, t := range topics {
		h, ok := rpc.HexHash(t)
		if !ok {
			return l, false
		}
		l.topics = append(l.topics, h)
	}
	var ok [3]bool
	l.block, ok[0] = rpc.HexHash(f["blockHash"])
	l.tx, ok[1] = rpc.HexHash(f["transactionHash"])
	l.number, ok[2] = rpc.Hex64(f["blockNumber"])
	if raw, says := f["blockTimestamp"]; says {
		l.time, says = rpc.Hex64(raw)
		if !says {
			return l, false
		}
	}
	return l, ok == [3]bool{true, true, true}
}
