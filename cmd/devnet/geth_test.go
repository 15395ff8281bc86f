package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestGeth holds the till's stablecoins to their whole contract on a second kind of EVM:
// geth, as most of Ethereum runs it, with blocks that come when they come. It is for the
// night: TILLWRIGHT_GETH names the folder where geth lies or shall be built.
func TestGeth(t *testing.T) {
	bin := os.Getenv("TILLWRIGHT_GETH")
	if bin == "" {
		t.Skip("takes a quarter of an hour, and a build of geth before that: make nightly")
	}
	dir := t.TempDir()
	b := Builder{Bin: bin, Work: filepath.Join(dir, "build"), Tell: func(s string) { fmt.Fprintln(t.Output(), s) }}
	path, err := b.Ensure(t.Context(), geth)
	if err != nil {
		t.Fatal(err)
	}
	url := runGeth(t, path, dir)
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-timeout", "40m", "-parallel", "1", "-v", "-run", "^(TestRail|TestSale|TestContracts)$", "./pos/rail/evm")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "TILLWRIGHT_EVM_RPC="+url)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Run(); err != nil {
		t.Errorf("on geth %s: %v", geth.version(), err)
	}
}

// runGeth runs a development chain with a block a second until the test ends.
func runGeth(t *testing.T, path, dir string) (url string) {
	t.Helper()
	for _, d := range []string{"run", "log"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c := NewChild(Spec{Name: "geth", Path: path, Dir: dir, Args: []string{
		"--dev", "--dev.period", "1", "--datadir", filepath.Join(dir, "geth"), "--http", "--http.addr", "127.0.0.1", "--http.port", port,
		"--rpc.allow-unprotected-txs", "--ipcdisable", "--nodiscover", "--port", "0", "--authrpc.port", "0",
	}}, func(s string) { fmt.Fprintln(t.Output(), s) })
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop(stopGrace) })
	url = "http://127.0.0.1:" + port
	up, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("geth takes too long"))
	defer cancel()
	err = c.Await(up, func(ctx context.Context) error {
		var n number
		if err := (evmClient{url}).call(ctx, &n, "eth_blockNumber"); err != nil || n == 0 {
			return errors.Join(err, errors.New("no block yet"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return url
}
