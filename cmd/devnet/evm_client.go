package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// evmClient speaks JSON-RPC with a chain of this computer.
type evmClient struct{ url string }

// evmCall is one call of a batch; out takes its result and may be nil.
type evmCall struct {
	method string
	params []any
	out    any
}

// evmRefusal is the chain's clear no.
type evmRefusal struct {
	Message string `json:"message"`
}

// Error returns the chain's words.
func (r *evmRefusal) Error() string { return r.Message }

// call makes one call.
func (c evmClient) call(ctx context.Context, out any, method string, params ...any) error {
	return c.batch(ctx, evmCall{method, params, out})
}

// batch makes calls in one request; the first that was refused is the error.
func (c evmClient) batch(ctx context.Context, calls ...evmCall) error {
	type request struct {
		Version string `json:"jsonrpc"`
		ID      int    `json:"id"`
		Method  string `json:"method"`
		Params  []any  `json:"params"`
	}
	in := make([]request, len(calls))
	for i, k := range calls {
		in[i] = request{"2.0", i, k.method, append([]any{}, k.params...)}
	}
	var answers []struct {
		ID     int
		Result json.RawMessage
		Error  *evmRefusal
	}
	if err := c.post(ctx, in, &answers); err != nil {
		return err
	}
	if len(answers) != len(calls) {
		return errors.New("the chain left questions unanswered")
	}
	for _, a := range answers {
		switch {
		case a.ID < 0 || a.ID >= len(calls):
			return errors.New("the chain answered something else")
		case a.Error != nil:
			return fmt.Errorf("%s: %w", calls[a.ID].method, a.Error)
		case calls[a.ID].out == nil:
		default:
			if err := json.Unmarshal(a.Result, calls[a.ID].out); err != nil {
				return fmt.Errorf("%s: %w", calls[a.ID].method, err)
			}
		}
	}
	return nil
}

func (c evmClient) post(ctx context.Context, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	b, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("ask the chain: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("ask the chain: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("the chain answered nothing that can be read (HTTP %d)", resp.StatusCode)
	}
	return nil
}

// number is a quantity as JSON-RPC writes it: "0x1a".
type number uint64

// UnmarshalText reads it.
func (n *number) UnmarshalText(b []byte) error {
	digits, ok := strings.CutPrefix(string(b), "0x")
	v, err := strconv.ParseUint(digits, 16, 64)
	if !ok || err != nil {
		return fmt.Errorf("%q is no number", b)
	}
	*n = number(v)
	return nil
}

// hasCode reports that a contract stands at an address.
func (c evmClient) hasCode(ctx context.Context, at evmAddress) (bool, error) {
	var code hexBytes
	err := c.call(ctx, &code, "eth_getCode", at.String(), "latest")
	return len(code) > 0, err
}

// send hands in a transaction of an account that the chain signs for. It returns its
// hash; the next block takes it.
func (c evmClient) send(ctx context.Context, from, to evmAddress, data []byte) (hash string, err error) {
	err = c.call(ctx, &hash, "eth_sendTransaction", map[string]any{"from": from.String(), "to": to.String(), "data": hexBytes(data)})
	return hash, err
}

// sign is send with the gas limit that a file names, or else with half more than the
// chain's estimate, as browsers' wallets do.
func (c evmClient) sign(ctx context.Context, from evmAddress, p prepared) (hash string, err error) {
	tx := map[string]any{"from": from.String(), "to": p.to.String(), "data": hexBytes(p.data)}
	if p.gas == 0 {
		var estimate number
		if err := c.call(ctx, &estimate, "eth_estimateGas", tx); err != nil {
			return "", err
		}
		p.gas = uint64(estimate) * 3 / 2
	}
	tx["gas"] = fmt.Sprintf("0x%x", p.gas)
	err = c.call(ctx, &hash, "eth_sendTransaction", tx)
	return hash, err
}

// mined reports whether a transaction is in a block, and whether it did what it should.
func (c evmClient) mined(ctx context.Context, hash string) (in, worked bool, err error) {
	var r *struct{ Status string }
	err = c.call(ctx, &r, "eth_getTransactionReceipt", hash)
	return r != nil, r != nil && r.Status == "0x1", err
}
