package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// evmChain is one running chain: an anvil that makes a block every two seconds. Its
// state is kept from start to start, so that what a till remembers is still there.
type evmChain struct {
	place
	child *Child
	rpc   evmClient
	state string // the file
	said  func(string)
	still atomic.Bool // its blocks were stopped
}

// blockTime is how often a block comes: that of the quicker real chains.
const blockTime = 2 * time.Second

// Bounds of a chain's size. A block adds 1.7 kB to the state; a day of them 75 MB.
const (
	statesKept = 64        // past blocks that can be asked about and undone; the till asks 4 back
	stateMax   = 256 << 20 // a state that grew beyond is set aside at the next start
)

func newEVMChain(p place, anvil, dir string, said func(string)) (*evmChain, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	home := filepath.Join(dir, "chains")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, fmt.Errorf("make the chains' directory: %w", err)
	}
	c := &evmChain{place: p, rpc: evmClient{fmt.Sprintf("http://127.0.0.1:%d", port)}, state: filepath.Join(home, p.Key+".json"), said: said}
	c.child = NewChild(Spec{Name: p.Key, Path: anvil, Dir: dir, Home: home, Args: []string{
		"--host", "127.0.0.1", "--port", strconv.Itoa(port), "--chain-id", strconv.FormatUint(p.ID, 10),
		"--block-time", strconv.Itoa(int(blockTime / time.Second)), "--slots-in-an-epoch", "2",
		"--state", c.state, "--state-interval", "15", "--cache-path", filepath.Join(home, "cache"),
		"--prune-history", strconv.Itoa(statesKept), "--transaction-block-keeper", "4096", "--quiet",
	}}, said)
	return c, nil
}

// sound sets a state aside that cannot be loaded: torn by a power cut, or grown
// beyond measure. The chain then begins anew.
func (c *evmChain) sound() error {
	i, err := os.Stat(c.state)
	if err != nil {
		return nil // none
	}
	if i.Size() <= stateMax && wholeJSON(c.state) {
		return nil
	}
	c.said(c.Name + " begins anew: its old state is torn or too large, and set aside in " + c.state + ".old")
	if err := os.Rename(c.state, c.state+".old"); err != nil {
		return fmt.Errorf("set the chain's state aside: %w", err)
	}
	return nil
}

// wholeJSON reports that a file is one JSON value to its end.
func wholeJSON(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	d, depth := json.NewDecoder(f), 0
	for {
		t, err := d.Token()
		if err != nil {
			return false
		}
		if delim, ok := t.(json.Delim); ok {
			depth += map[rune]int{'{': 1, '[': 1, '}': -1, ']': -1}[rune(delim)]
		}
		if depth == 0 {
			return !d.More()
		}
	}
}

// start brings the chain up with everything on it. What is there already is left.
func (c *evmChain) start(ctx context.Context) error {
	if err := c.sound(); err != nil {
		return err
	}
	if err := c.child.Start(); err != nil {
		return err
	}
	err := c.child.Await(ctx, func(ctx context.Context) error {
		var id number
		if err := c.rpc.call(ctx, &id, "eth_chainId"); err != nil {
			return err
		}
		if uint64(id) != c.ID {
			return final{fmt.Errorf("another program answers for %s", c.Name)}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.furnish(ctx)
}

// wealth is how much of each token the customer gets, in whole tokens, and poor is
// when he gets it again.
const (
	wealth = 10_000
	poor   = 1_000
)

// order is a transaction of the merchant's.
type order struct {
	to   evmAddress
	data []byte
}

// furnish puts factory and tokens on the chain, and money into the customer's pocket:
// a block for either.
func (c *evmChain) furnish(ctx context.Context) error {
	all := []contract{factory}
	for _, k := range c.Coins {
		all = append(all, k.contract())
	}
	var orders []order
	for _, k := range all {
		there, err := c.rpc.hasCode(ctx, k.at())
		if err != nil {
			return fmt.Errorf("put the contracts on %s: %w", c.Name, err)
		}
		if !there {
			orders = append(orders, order{deployer, k.deploy()})
		}
	}
	if err := c.carry(ctx, orders); err != nil {
		return fmt.Errorf("put the contracts on %s: %w", c.Name, err)
	}
	orders = nil
	for _, k := range c.Coins {
		has, err := c.balance(ctx, k, customerAccount)
		if err != nil {
			return fmt.Errorf("count the customer's %s on %s: %w", k.Symbol, c.Name, err)
		}
		if has.Cmp(k.units(poor)) < 0 {
			orders = append(orders, order{k.at(), mintCall(customerAccount, k.units(wealth))})
		}
	}
	if err := c.carry(ctx, orders); err != nil {
		return fmt.Errorf("give the customer money on %s: %w", c.Name, err)
	}
	return nil
}

// units counts whole tokens in the coin's smallest unit.
func (c coin) units(whole int64) *big.Int {
	one := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(c.Decimals)), nil)
	return one.Mul(one, big.NewInt(whole))
}

func (c *evmChain) balance(ctx context.Context, k coin, of evmAddress) (*big.Int, error) {
	var out hexBytes
	err := c.rpc.call(ctx, &out, "eth_call", map[string]any{"to": k.at().String(), "data": hexBytes(balanceCall(of))}, "latest")
	return new(big.Int).SetBytes(out), err
}

// carry sends orders together and waits until all have worked.
func (c *evmChain) carry(ctx context.Context, orders []order) error {
	var hashes []string
	for _, o := range orders {
		hash, err := c.rpc.send(ctx, merchantAccount, o.to, o.data)
		if err != nil {
			return err
		}
		hashes = append(hashes, hash)
	}
	for _, hash := range hashes {
		if err := c.worked(ctx, hash); err != nil {
			return err
		}
	}
	return nil
}

// worked waits until a transaction is in a block. The error is final when the chain
// refused it.
func (c *evmChain) worked(ctx context.Context, hash string) error {
	return await(ctx, c.Name, func(ctx context.Context) error {
		in, worked, err := c.rpc.mined(ctx, hash)
		switch {
		case err != nil:
			return err
		case !in:
			return errors.New("no block has taken it yet")
		case !worked:
			return final{errors.New("the token refused the transfer; nothing was moved")}
		}
		return nil
	})
}

// Bounds of an undoing: at most what the chain remembers.
const reorgMax = statesKept / 2

// undo lets the chain forget its last blocks and what was in them, as in a reorg:
// others come in their place, and they are empty.
func (c *evmChain) undo(ctx context.Context, depth int) error {
	if depth < 1 || depth > reorgMax {
		return fmt.Errorf("between 1 and %d blocks can be undone", reorgMax)
	}
	return c.rpc.call(ctx, nil, "anvil_reorg", depth, []any{})
}

// mine lets blocks come, or stops them.
func (c *evmChain) mine(ctx context.Context, on bool) error {
	every := 0
	if on {
		every = int(blockTime / time.Second)
	}
	if err := c.rpc.call(ctx, nil, "evm_setIntervalMining", every); err != nil {
		return err
	}
	c.still.Store(!on)
	return nil
}

// amountText writes units for people: at least two decimals, no more than there are.
func (c coin) amountText(units *big.Int) string {
	digits := units.String()
	if len(digits) <= c.Decimals {
		digits = strings.Repeat("0", c.Decimals+1-len(digits)) + digits
	}
	whole, part := digits[:len(digits)-c.Decimals], strings.TrimRight(digits[len(digits)-c.Decimals:], "0")
	for len(part) < 2 && len(part) < c.Decimals {
		part += "0"
	}
	if part == "" {
		return whole
	}
	return whole + "." + part
}

// unitsText reads an amount that a person typed: digits and one point, no more
// decimals than the coin has.
func (c coin) unitsText(text string) (*big.Int, error) {
	whole, part, _ := strings.Cut(strings.TrimSpace(strings.Replace(text, ",", ".", 1)), ".")
	if whole+part == "" || len(whole) > 30 || len(part) > c.Decimals || strings.Trim(whole+part, "0123456789") != "" {
		return nil, fmt.Errorf("type an amount of %s such as 3.1234", c.Symbol)
	}
	n, _ := new(big.Int).SetString("0"+whole+part+strings.Repeat("0", c.Decimals-len(part)), 10)
	if n.Sign() == 0 {
		return nil, fmt.Errorf("type an amount of %s such as 3.1234", c.Symbol)
	}
	return n, nil
}
