package tron

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// nodeFake is java-tron's JSON-RPC, by its documentation (tronprotocol, documentation-en,
// docs/api/json-rpc, 2026). It refuses what a node refuses, with the node's codes; and
// it fails the test, unless lenient is set, for a till must not send such things.
type nodeFake struct {
	t       testing.TB
	n       network
	lenient bool
	// maxRange is how many blocks a request for events may cover.
	maxRange uint64
	// anyHash lets it answer for blocks that are not on the chain.
	anyHash bool
}

type rpcFault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func invalid(format string, args ...any) *rpcFault {
	return &rpcFault{-32602, fmt.Sprintf(format, args...)}
}

func (s *nodeFake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/jsonrpc") || r.URL.RawQuery != "" || r.Header.Get("Content-Type") != "application/json" {
		s.t.Errorf("%s %s of type %q", r.Method, r.URL, r.Header.Get("Content-Type"))
	}
	var in []struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  string          `json:"method"`
		Params  []any           `json:"params"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || len(in) == 0 || len(in) > 100 {
		s.t.Errorf("not a batch of 1 to 100: %v", err)
	}
	out := make([]map[string]any, len(in))
	for i, c := range in {
		if c.Version != "2.0" || c.Params == nil {
			s.t.Errorf("call %s without version or parameters", c.Method)
		}
		result, fault := s.call(c.Method, c.Params)
		out[len(in)-1-i] = map[string]any{"jsonrpc": "2.0", "id": c.ID, "result": result} // in any order
		if fault != nil {
			out[len(in)-1-i] = map[string]any{"jsonrpc": "2.0", "id": c.ID, "error": fault}
			if !s.lenient && (fault.Code == -32602 || fault.Code == -32601) && !strings.Contains(fault.Message, "block range") {
				s.t.Errorf("%s %v: %s", c.Method, c.Params, fault.Message)
			}
		}
	}
	w.Header().Set("Content-Type", "application/json-rpc")
	_ = json.NewEncoder(w).Encode(out) // the other end may be gone
}

func (s *nodeFake) call(method string, params []any) (any, *rpcFault) {
	want := map[string]int{
		"eth_chainId": 0, "eth_blockNumber": 0, "eth_getBlockByNumber": 2, "eth_getCode": 2, "eth_getBalance": 2, "eth_call": 2,
		"eth_getLogs": 1, "eth_getTransactionReceipt": 1,
	}
	n, known := want[method]
	if !known {
		return nil, &rpcFault{-32601, "the method " + method + " does not exist"}
	}
	if len(params) != n {
		return nil, invalid("method parameters invalid")
	}
	switch method {
	case "eth_chainId":
		return quantity(s.n.chainID()), nil
	case "eth_blockNumber":
		return quantity(s.n.tip().number), nil
	case "eth_getBlockByNumber":
		return s.block(params)
	case "eth_getCode":
		return s.state(params, func(a Address) any { return "0x" + hex.EncodeToString(s.n.code(a)) })
	case "eth_getBalance":
		return s.state(params, func(a Address) any { return "0x" + s.n.coins(a).Text(16) })
	case "eth_call":
		return s.view(params)
	case "eth_getLogs":
		return s.logs(params[0])
	}
	return s.receipt(params[0])
}

func quantity(n uint64) string { return fmt.Sprintf("0x%x", n) }

// tag finds the block that a parameter names.
func (s *nodeFake) tag(p any) (block, bool, *rpcFault) {
	text, _ := p.(string)
	switch text {
	case "latest":
		return s.n.tip(), true, nil
	case "finalized":
		return s.n.final(), true, nil
	case "earliest":
		b, ok := s.n.height(0)
		return b, ok, nil
	case "pending", "safe":
		return block{}, false, invalid("TAG %s not supported", text)
	}
	digits, ok := strings.CutPrefix(text, "0x")
	n, ok2 := new(big.Int).SetString(digits, 16)
	if !ok || !ok2 || !n.IsUint64() {
		return block{}, false, invalid("invalid block number")
	}
	b, there := s.n.height(n.Uint64())
	return b, there, nil
}

func (s *nodeFake) block(params []any) (any, *rpcFault) {
	b, ok, fault := s.tag(params[0])
	if _, isBool := params[1].(bool); !isBool {
		return nil, invalid("method parameters invalid")
	}
	if fault != nil || !ok {
		return nil, fault
	}
	return map[string]any{
		"number": quantity(b.number), "hash": hexOf(b.hash), "timestamp": quantity(b.time), "nonce": nil, "transactions": []any{}, "uncles": []any{},
	}, nil
}

func hexOf(h [32]byte) string { return "0x" + hex.EncodeToString(h[:]) }

// account reads an address: 20 bytes, or 21 behind 41; a log filter takes 20 only.
func account20(p any, alsoPrefixed bool) (a Address, ok bool) {
	text, _ := p.(string)
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if alsoPrefixed && len(b) == 21 && b[0] == 0x41 {
		b = b[1:]
	}
	if err != nil || !strings.HasPrefix(text, "0x") || len(b) != 20 {
		return a, false
	}
	return Address(b), true
}

// state answers what is known of the newest block alone.
func (s *nodeFake) state(params []any, of func(Address) any) (any, *rpcFault) {
	a, ok := account20(params[0], true)
	if !ok {
		return nil, invalid("invalid address hash value")
	}
	if fault := latestOnly(params[1]); fault != nil {
		return nil, fault
	}
	return of(a), nil
}

func latestOnly(p any) *rpcFault {
	switch p {
	case "latest":
		return nil
	case "earliest", "pending", "finalized", "safe":
		return invalid("TAG [earliest | pending | finalized | safe] not supported")
	}
	if text, ok := p.(string); ok && strings.HasPrefix(text, "0x") {
		return invalid("QUANTITY not supported, just support TAG as latest")
	}
	return &rpcFault{-32600, "invalid json request"}
}

func (s *nodeFake) view(params []any) (any, *rpcFault) {
	args, _ := params[0].(map[string]any)
	to, ok := account20(args["to"], true)
	text, ok2 := args["data"].(string)
	data, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	for key := range args {
		ok = ok && (key == "to" || key == "data" || key == "from")
	}
	if !ok || !ok2 || err != nil {
		return nil, invalid("invalid address hash value")
	}
	if fault := latestOnly(params[1]); fault != nil {
		return nil, fault
	}
	out, ok := s.n.run(to, data)
	if !ok {
		return nil, &rpcFault{-32600, "Smart contract is not exist."}
	}
	return "0x" + hex.EncodeToString(out), nil
}

func (s *nodeFake) logs(p any) (any, *rpcFault) {
	f, ok := p.(map[string]any)
	if !ok {
		return nil, invalid("method parameters invalid")
	}
	from, to, fault := s.span(f)
	if fault != nil {
		return nil, fault
	}
	contracts, fault := addresses(f["address"])
	if fault != nil {
		return nil, fault
	}
	topics, _ := f["topics"].([]any)
	if len(topics) > 4 {
		return nil, invalid("topics size should be <= 4")
	}
	out := []any{}
	for _, e := range s.n.events(from, to) {
		if match, fault := matches(e, contracts, topics); fault != nil {
			return nil, fault
		} else if match {
			out = append(out, entry(e))
		}
	}
	return out, nil
}

// span reads which blocks a filter is about.
func (s *nodeFake) span(f map[string]any) (from, to uint64, fault *rpcFault) {
	for key := range f {
		if !slices.Contains([]string{"fromBlock", "toBlock", "address", "topics", "blockHash"}, key) {
			return 0, 0, invalid("unknown field %s", key)
		}
	}
	if hash, named := f["blockHash"]; named {
		if f["fromBlock"] != nil || f["toBlock"] != nil {
			return 0, 0, invalid("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
		}
		text, _ := hash.(string)
		h, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
		if err != nil || len(h) != 32 {
			return 0, 0, invalid("invalid hash value")
		}
		n := new(big.Int).SetBytes(h[:8]).Uint64()
		if b, ok := s.n.height(n); !ok || b.hash != [32]byte(h) && !s.anyHash {
			return 0, 0, &rpcFault{-32602 - 1, "invalid blockHash"} // no fault of the till's: a reorg
		}
		return n, n, nil
	}
	a, ok1, fault := s.tag(f["fromBlock"])
	if fault != nil {
		return 0, 0, fault
	}
	b, ok2, fault := s.tag(f["toBlock"])
	if fault != nil {
		return 0, 0, fault
	}
	limit := max(s.maxRange, 1)
	if s.maxRange == 0 {
		limit = 5000
	}
	switch {
	case !ok1 || !ok2:
		return 1, 0, nil // not there yet: nothing
	case a.number > b.number:
		return 0, 0, invalid("please verify: fromBlock <= toBlock")
	case b.number-a.number > limit:
		return 0, 0, invalid("exceed max block range: %d", limit)
	}
	return a.number, b.number, nil
}

func addresses(p any) (out []Address, fault *rpcFault) {
	list, ok := p.([]any)
	if !ok {
		list = []any{p}
	}
	for i, one := range list {
		a, ok := account20(one, false)
		if !ok {
			return nil, invalid("invalid address at index %d: %v", i, one)
		}
		out = append(out, a)
	}
	return out, nil
}

func matches(e event, contracts []Address, topics []any) (bool, *rpcFault) {
	if !slices.Contains(contracts, e.contract) {
		return false, nil
	}
	for i, p := range topics {
		if p == nil {
			continue
		}
		text, _ := p.(string)
		b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
		if err != nil || len(b) != 32 {
			return false, invalid("invalid topic(s): %v", p)
		}
		if i >= len(e.topics) || e.topics[i] != [32]byte(b) {
			return false, nil
		}
	}
	return true, nil
}

func entry(e event) map[string]any {
	var topics []string
	for _, t := range e.topics {
		topics = append(topics, hexOf(t))
	}
	return map[string]any{
		"logIndex": quantity(e.index), "transactionIndex": "0x0", "transactionHash": hexOf(e.tx), "blockHash": hexOf(e.block.hash),
		"blockNumber": quantity(e.block.number), "blockTimestamp": quantity(e.block.time), "address": e.contract.evm(),
		"data": "0x" + hex.EncodeToString(e.data), "topics": topics, "removed": false,
	}
}

func (s *nodeFake) receipt(p any) (any, *rpcFault) {
	text, _ := p.(string)
	h, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(h) != 32 {
		return nil, invalid("invalid hash value")
	}
	b, good, ok := s.n.outcome([32]byte(h))
	if !ok {
		return nil, nil
	}
	status := "0x0"
	logs := []any{}
	if good {
		status = "0x1"
		for _, e := range s.n.events(b.number, b.number) {
			if e.tx == [32]byte(h) {
				logs = append(logs, entry(e))
			}
		}
	}
	return map[string]any{
		"transactionHash": text, "blockHash": hexOf(b.hash), "blockNumber": quantity(b.number), "transactionIndex": "0x0",
		"contractAddress": nil, "logs": logs, "status": status, "type": "0x0",
	}, nil
}
