package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// operatorMode is how an operator behaves.
type operatorMode string

// Modes of an operator.
const (
	opHonest  operatorMode = "honest"
	opCut     operatorMode = "cut"     // gives no answer at all
	opDenies  operatorMode = "denies"  // says that nobody paid anything
	opDoubles operatorMode = "doubles" // says that twice as much came
)

// operator is one company's way into a chain, as a till rents it: it passes questions
// on to the chain, and can be made to fail or to lie about balances.
type operator struct {
	place
	letter string                     // "A"
	chain  func(key string) *evmChain // nil while it does not run

	mu   sync.Mutex
	mode operatorMode
}

func (o *operator) path() string { return "/" + o.Key + "/" + strings.ToLower(o.letter) }

// Mode returns how the operator behaves.
func (o *operator) Mode() operatorMode {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mode
}

// Set changes it. It reports whether there is such a mode.
func (o *operator) Set(m operatorMode) bool {
	if !slices.Contains([]operatorMode{opHonest, opCut, opDenies, opDoubles}, m) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mode = m
	return true
}

// questionMax bounds what a till asks at once: a hundred calls with code.
const questionMax = 1 << 20

// handler answers the tills of all operators.
func (c *Chains) handler() http.Handler {
	mux := http.NewServeMux()
	for _, o := range c.operators {
		mux.Handle("POST "+o.path(), o)
	}
	return mux
}

// ServeHTTP answers a till.
func (o *operator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mode, chain := o.Mode(), o.chain(o.Key)
	if mode == opCut || chain == nil {
		panic(http.ErrAbortHandler) // the connection breaks, and no answer comes
	}
	question, err := io.ReadAll(http.MaxBytesReader(w, r.Body, questionMax))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, chain.rpc.url, bytes.NewReader(question))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if mode != opHonest {
		answer = lie(mode, question, answer)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer) // the till hung up
}

// rpcLine is one question or one answer.
type rpcLine struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method,omitempty"`
	Params []json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage   `json:"result,omitempty"`
	Error  json.RawMessage   `json:"error,omitempty"`
	RPC    string            `json:"jsonrpc,omitempty"`
}

// lie changes the balances in an answer. What is no balance stays true, block hashes
// too: the lies that matter are the believable ones.
func lie(m operatorMode, question, answer []byte) []byte {
	asked, _, ok := rpcLines(question)
	said, many, ok2 := rpcLines(answer)
	if !ok || !ok2 {
		return answer
	}
	for i, a := range said {
		n := slices.IndexFunc(asked, func(q rpcLine) bool { return bytes.Equal(q.ID, a.ID) })
		if n < 0 || asked[n].Method != "eth_call" || len(asked[n].Params) == 0 {
			continue
		}
		var what struct {
			To   string
			Data hexBytes
		}
		var result hexBytes
		if json.Unmarshal(asked[n].Params[0], &what) != nil || json.Unmarshal(a.Result, &result) != nil {
			continue
		}
		switch {
		case what.To == "":
			result = lieInPeek(m, result)
		case bytes.HasPrefix(what.Data, balanceSelector) && len(result) == 32:
			result = m.balance(result)
		default:
			continue
		}
		said[i].Result = json.RawMessage(`"0x` + hex.EncodeToString(result) + `"`)
	}
	var out []byte
	var err error
	if out, err = json.Marshal(said); !many {
		out, err = json.Marshal(said[0])
	}
	if err != nil {
		return answer
	}
	return out
}

// rpcLines reads one line or a list of them.
func rpcLines(b []byte) (lines []rpcLine, many, ok bool) {
	if json.Unmarshal(b, &lines) == nil {
		return lines, true, true
	}
	var one rpcLine
	ok = json.Unmarshal(b, &one) == nil
	return []rpcLine{one}, false, ok
}

// balance is what the operator says of a balance.
func (m operatorMode) balance(w []byte) []byte {
	n := new(big.Int).SetBytes(w)
	if m == opDenies {
		n.SetInt64(0)
	} else if n.BitLen() < 256 {
		n.Lsh(n, 1)
	}
	return word(n)
}

// lieInPeek does the same in the answer to the till's own code, which reads many
// balances at once (pos/rail/evm/contracts/src/Peek.sol): three words, then pairs of a
// tag and a value. A tag's kind 1 is a balance; what is zero is left out.
func lieInPeek(m operatorMode, b []byte) []byte {
	if len(b) < 96 || (len(b)-96)%64 != 0 {
		return b
	}
	out := slices.Clone(b[:96])
	for pair := range slices.Chunk(b[96:], 64) {
		if kind := pair[20:24]; !bytes.Equal(kind, []byte{0, 0, 0, 1}) {
			out = append(out, pair...)
		} else if m != opDenies {
			out = append(append(out, pair[:32]...), m.balance(pair[32:])...)
		}
	}
	return out
}
