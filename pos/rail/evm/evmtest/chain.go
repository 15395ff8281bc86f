// Package evmtest runs a real EVM chain for a test: anvil, in the version that
// contracts/package-lock.json fixes, with an account that signs at once, and the contracts of
// contracts/test to put on it.
//
// It knows nothing of the till's: addresses are text and calls are bytes, so that what is
// tried against a chain shares no line with it.
package evmtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/evm/contracts"
)

// Install is the command that brings anvil to this computer.
const Install = "go run ./pos/rail/evm/contracts/install"

// Tools returns the folder that Install made, and fails loudly without it.
func Tools(t testing.TB) string {
	t.Helper()
	return cointest.Tools(t, contracts.Lock, "evm", Install)
}

// Chain is an EVM chain that a test may do anything to. Its methods may be used from several
// goroutines; those that fail the test belong in its own.
type Chain struct {
	T    testing.TB
	ID   uint64
	URL  string // of its JSON-RPC
	From string // the account that signs, as the node writes it; it has coins in plenty
	Gas  string // what a transaction may burn, as a quantity in hex

	calls atomic.Int64
	stop  func()
}

// Start runs a chain with an ID until the test ends. Every transaction is a block, unless
// args, of anvil's, say otherwise.
func Start(t testing.TB, id uint64, args ...string) *Chain {
	t.Helper()
	bin := filepath.Join(Tools(t), "node_modules", "@foundry-rs", "anvil-"+runtime.GOOS+"-"+runtime.GOARCH, "bin", "anvil")
	cmd := exec.Command(bin, append([]string{"--port", "0", "--chain-id", strconv.FormatUint(id, 10), "--slots-in-an-epoch", "2", "--accounts", "3"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start anvil: %v", err)
	}
	ended := make(chan struct{})
	c := &Chain{T: t, ID: id, Gas: "0x1000000", stop: func() {
		_ = cmd.Process.Kill() // ended already in a test of that
		<-ended
	}}
	t.Cleanup(c.Stop)
	lines := bufio.NewScanner(out)
	for c.URL == "" && lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "Listening on "); ok {
			c.URL = "http://" + at
		}
	}
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // killed
	}()
	if c.URL == "" {
		t.Fatal("anvil did not say where it listens")
	}
	c.From = c.account()
	return c
}

// Outside is another node that runs already, with an account that it signs for, such as
// geth --dev. gas is what its blocks leave to a transaction.
func Outside(t testing.TB, url, gas string) *Chain {
	t.Helper()
	c := &Chain{T: t, URL: url, Gas: gas, stop: func() {}}
	var id string
	c.Into(&id, "eth_chainId")
	var err error
	if c.ID, err = strconv.ParseUint(strings.TrimPrefix(id, "0x"), 16, 64); err != nil {
		t.Fatalf("chain id %q", id)
	}
	c.From = c.account()
	return c
}

func (c *Chain) account() string {
	c.T.Helper()
	var all []string
	if c.Into(&all, "eth_accounts"); len(all) == 0 {
		c.T.Fatal("the node has no account of its own")
	}
	return all[0]
}

// Stop ends the chain, if this package began it, and waits for that.
func (c *Chain) Stop() { c.stop() }

// Try makes a call and returns what came of it.
func (c *Chain) Try(method string, params ...any) (json.RawMessage, error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": c.calls.Add(1), "method": method, "params": append([]any{}, params...)})
	if err != nil {
		return nil, err
	}
	resp, err := http.Post(c.URL, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return nil, err
	}
	if out.Error != nil {
		return nil, fmt.Errorf("%s: %s", method, out.Error.Message)
	}
	return out.Result, nil
}

// Do makes a call that must not fail.
func (c *Chain) Do(method string, params ...any) json.RawMessage {
	c.T.Helper()
	out, err := c.Try(method, params...)
	if err != nil {
		c.T.Fatal(err)
	}
	return out
}

// Into reads the answer to a call that must not fail.
func (c *Chain) Into(out any, method string, params ...any) {
	c.T.Helper()
	if raw := c.Do(method, params...); json.Unmarshal(raw, out) != nil {
		c.T.Fatalf("%s: the answer is %s", method, raw)
	}
}
