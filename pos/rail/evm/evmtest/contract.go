package evmtest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos/rail/evm/contracts"
)

// Receipt is what became of a transaction, as the node writes it.
type Receipt struct {
	Status          string // "0x1": it went well
	ContractAddress string // that it made
	GasUsed         string
	BlockNumber     string
	TransactionHash string
	Logs            []struct {
		Address string
		Topics  []string
		Data    string
	}
}

// minedWithin bounds the wait for a receipt: a block comes at once, or after two seconds on
// an outside chain; but a loaded machine may take minutes.
const minedWithin = 5 * time.Minute

// Submit sends a transaction with a value in wei, and does not wait. An empty to creates a
// contract.
func (c *Chain) Submit(to string, data []byte, value int64) (hash string) {
	c.T.Helper()
	tx := map[string]any{"from": c.From, "data": "0x" + hex.EncodeToString(data), "gas": c.Gas, "value": "0x" + strconv.FormatInt(value, 16)}
	if to != "" {
		tx["to"] = to
	}
	c.Into(&hash, "eth_sendTransaction", tx)
	return hash
}

// Mined waits until a transaction is in a block; it may have failed there.
func (c *Chain) Mined(hash string) Receipt {
	c.T.Helper()
	every := time.NewTicker(5 * time.Millisecond) // a receipt comes some moments after its block
	defer every.Stop()
	for end := time.Now().Add(minedWithin); time.Now().Before(end); <-every.C {
		var r *Receipt
		if c.Into(&r, "eth_getTransactionReceipt", hash); r != nil {
			return *r
		}
	}
	c.T.Fatalf("no receipt of %s", hash)
	return Receipt{}
}

// Send is Submit and Mined.
func (c *Chain) Send(to string, data []byte, value int64) Receipt {
	c.T.Helper()
	return c.Mined(c.Submit(to, data, value))
}

// Works is Send of what must not fail.
func (c *Chain) Works(to string, data []byte, value int64) Receipt {
	c.T.Helper()
	r := c.Send(to, data, value)
	if r.Status != "0x1" {
		c.T.Fatalf("transaction to %q failed", to)
	}
	return r
}

// Deploy makes a contract of contracts/test, by its name there, and returns its address.
// words are its arguments. value is in wei.
func (c *Chain) Deploy(value int64, name string, words ...[]byte) string {
	c.T.Helper()
	return c.Works("", append(c.hex(c.contract(name).Code), bytes.Join(words, nil)...), value).ContractAddress
}

// Coin deploys a token of a kind ("Plain", "Freezing"), named by its symbol of at most 32
// letters.
func (c *Chain) Coin(kind, symbol string, decimals int64) string {
	c.T.Helper()
	text := append(Num(int64(len(symbol))), append([]byte(symbol), make([]byte, 32-len(symbol))...)...)
	return c.Deploy(0, kind, Num(96), Num(160), Num(decimals), text, text)
}

// Data returns what calls a method, by its signature, of a contract of contracts/test.
func (c *Chain) Data(name, signature string, words ...[]byte) []byte {
	c.T.Helper()
	selector := c.hex(c.contract(name).Methods[signature])
	if len(selector) != 4 {
		c.T.Fatalf("%s has no %s", name, signature)
	}
	return append(selector, bytes.Join(words, nil)...)
}

type contract struct {
	Code    string
	Methods map[string]string
}

var all = sync.OnceValues(func() (out map[string]contract, err error) {
	err = json.Unmarshal(contracts.Tokens, &out)
	return out, err
})

func (c *Chain) contract(name string) contract {
	c.T.Helper()
	list, err := all()
	if err != nil || list[name].Code == "" {
		c.T.Fatalf("no contract %s: %v", name, err)
	}
	return list[name]
}

func (c *Chain) hex(digits string) []byte {
	c.T.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(digits, "0x"))
	if err != nil {
		c.T.Fatal(err)
	}
	return b
}

// Num returns a number that is not negative as an ABI word.
func Num(n int64) []byte { return Big(big.NewInt(n)) }

// Big returns a number of at most 256 bits and without a sign as an ABI word.
func Big(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

// Addr returns the 20 bytes of an address as an ABI word.
func Addr(a []byte) []byte { return append(make([]byte, 12, 32), a...) }
