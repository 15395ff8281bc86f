package evm

import (
	"encoding/json"
	"errors"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// block is what the till reads of a block.
type block struct {
	hash   [32]byte
	number uint64
	time   uint64 // seconds since 1970, by the chain
}

// readBlock reads the answer to eth_getBlockByNumber.
func readBlock(raw json.RawMessage) (b block, err error) {
	f, err := rpc.Fields(raw)
	if err != nil {
		return b, errors.New("there is no such block") // null
	}
	var ok [3]bool
	b.hash, ok[0] = rpc.HexHash(f["hash"])
	b.number, ok[1] = rpc.Hex64(f["number"])
	b.time, ok[2] = rpc.Hex64(f["timestamp"])
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

// readLogs reads the answer to eth_getLogs. Events that a reorg took back are left
// out. The bytes of an answer are bounded (rpc), and so are its events: a count would let
// anybody stop a shop with events of nothing.
func readLogs(raw json.RawMessage) ([]logEntry, error) {
	var all []json.RawMessage
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &all) != nil {
		return nil, errors.New("no list of events")
	}
	var out []logEntry
	for _, one := range all {
		f, err := rpc.Fields(one)
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
	var ok [4]bool
	l.block, ok[0] = rpc.HexHash(f["blockHash"])
	l.tx, ok[1] = rpc.HexHash(f["transactionHash"])
	l.number, ok[2] = rpc.Hex64(f["blockNumber"])
	l.index, ok[3] = rpc.Hex64(f["logIndex"])
	return l, ok == [4]bool{true, true, true, true}
}
