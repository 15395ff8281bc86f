package main

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"

	"golang.org/x/crypto/sha3"
)

// evmAddress is a place on an Ethereum-like chain.
type evmAddress [20]byte

// readAddress reads "0x" and 40 hexadecimal digits. Capitals are a checksum (EIP-55)
// that must be right. The error is a sentence for people.
func readAddress(s string) (evmAddress, error) {
	var a evmAddress
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) != 2*len(a) {
		return evmAddress{}, errors.New("this is no address: 0x and 40 digits")
	}
	if _, err := hex.Decode(a[:], []byte(digits)); err != nil {
		return evmAddress{}, errors.New("this is no address: 0x and 40 digits")
	}
	if digits != strings.ToLower(digits) && digits != strings.ToUpper(digits) && s != a.String() {
		return evmAddress{}, errors.New("this address was changed on its way: its capitals do not fit")
	}
	return a, nil
}

// String writes the address with the checksum of EIP-55 in its capitals.
func (a evmAddress) String() string {
	digits := []byte(hex.EncodeToString(a[:]))
	h := keccak(digits)
	for i, c := range digits {
		if nibble := h[i/2] >> (4 * (1 - i%2)) & 15; c >= 'a' && nibble >= 8 {
			digits[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(digits)
}

// tail is how a wallet and a till shorten an address for people.
func (a evmAddress) tail() string { s := a.String(); return s[len(s)-6:] }

func keccak(parts ...[]byte) (sum [32]byte) {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

// word is a number as the EVM has it on its stack; it must be one of 256 bits.
func word(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

func wordOf(a evmAddress) []byte { return append(make([]byte, 12), a[:]...) }

// deployer is the deterministic deployer that stands on every chain, anvil's too: it
// puts code at an address that depends on nothing but a salt and the code.
var deployer = mustAddress("0x4e59b44847b379578588920cA78FbF26c0B4956C")

func mustAddress(s string) evmAddress {
	a, err := readAddress(s)
	if err != nil {
		panic("devnet: " + s + ": " + err.Error()) // in the source
	}
	return a
}

// contract is code that devnet puts on a chain: a salt, and what creates it.
type contract struct {
	salt [32]byte
	code []byte
}

// at is where the contract is, once it is there (EIP-1014).
func (c contract) at() (a evmAddress) {
	code := keccak(c.code)
	h := keccak([]byte{0xff}, deployer[:], c.salt[:], code[:])
	copy(a[:], h[12:])
	return a
}

// deploy is the data of the call of the deployer.
func (c contract) deploy() []byte { return append(slices.Clone(c.salt[:]), c.code...) }

// contractsJSON is creation code: the till's factory, an honest token, and one whose
// transfer returns nothing, as Tether's. It is a copy of what pos/rail/evm/contracts
// holds; a test compares, since this module stands apart.
//
//go:embed evm/contracts.json
var contractsJSON []byte

var creation = func() (out struct{ Factory, Plain, Silent hexBytes }) {
	if err := json.Unmarshal(contractsJSON, &out); err != nil {
		panic("devnet: evm/contracts.json: " + err.Error())
	}
	return out
}()

// hexBytes are bytes as JSON-RPC writes them, with or without 0x.
type hexBytes []byte

// UnmarshalText reads hexadecimal digits.
func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(strings.TrimPrefix(string(b), "0x"))
	return err
}

// MarshalText writes them with 0x.
func (h hexBytes) MarshalText() ([]byte, error) { return []byte("0x" + hex.EncodeToString(h)), nil }

// factory is the till's: without it no till takes the chain for usable.
var factory = contract{code: creation.Factory}

// coin is one token on one chain.
type coin struct {
	Symbol   string
	Decimals int
	Peg      string
	Watch    bool // a look-alike: the till never asks for it, and names it when it comes
	silent   bool // its transfer returns nothing
	chain    uint64
}

// contract returns the coin's. The chain is its salt: the same token has another
// address on each chain, as real ones do.
func (c coin) contract() contract {
	out := contract{salt: [32]byte(word(new(big.Int).SetUint64(c.chain))), code: creation.Silent}
	if c.silent {
		return out
	}
	name := append(word(big.NewInt(int64(len(c.Symbol)))), append([]byte(c.Symbol), make([]byte, 32-len(c.Symbol))...)...)
	out.code = slices.Concat(creation.Plain, word(big.NewInt(96)), word(big.NewInt(160)), word(big.NewInt(int64(c.Decimals))), name, name)
	return out
}

func (c coin) at() evmAddress { return c.contract().at() }

// Calls of a token: mint(address,uint256), transfer(address,uint256) and
// balanceOf(address).
func mintCall(to evmAddress, n *big.Int) []byte {
	return slices.Concat([]byte{0x40, 0xc1, 0x0f, 0x19}, wordOf(to), word(n))
}

func transferCall(to evmAddress, n *big.Int) []byte {
	return slices.Concat([]byte{0xa9, 0x05, 0x9c, 0xbb}, wordOf(to), word(n))
}

var balanceSelector = []byte{0x70, 0xa0, 0x82, 0x31}

func balanceCall(of evmAddress) []byte { return slices.Concat(balanceSelector, wordOf(of)) }

// place describes one of the two chains. Their ids belong to nobody.
type place struct {
	ID        uint64
	Key, Name string
	Operators int
	Coins     []coin
}

var places = []place{
	{424201, "devnetone", "Devnet One", 2, []coin{
		{Symbol: "USDC", Decimals: 6, Peg: "USD"},
		{Symbol: "USDT", Decimals: 6, Peg: "USD", silent: true},
		{Symbol: "EURC", Decimals: 6, Peg: "EUR"},
		{Symbol: "DAI", Decimals: 18, Peg: "USD"},
		{Symbol: "USDC.e", Decimals: 6, Peg: "USD", Watch: true},
	}},
	{424202, "devnettwo", "Devnet Two", 1, []coin{
		{Symbol: "USDC", Decimals: 18, Peg: "USD"}, // as on BNB: the same name, other decimals
		{Symbol: "USDT", Decimals: 6, Peg: "USD", silent: true},
	}},
}

func init() {
	for i := range places {
		for j := range places[i].Coins {
			places[i].Coins[j].chain = places[i].ID
		}
	}
}

// find returns a chain's coin by its symbol, and false when it has none.
func (p place) find(symbol string) (coin, bool) {
	i := slices.IndexFunc(p.Coins, func(c coin) bool { return c.Symbol == symbol })
	if i < 0 {
		return coin{}, false
	}
	return p.Coins[i], true
}

// The accounts of devnet's chains. anvil makes them of a phrase that everybody knows
// and signs for them itself. The merchant's pays for what is put on the chains, so
// that it is an account in use, as the till wants it.
var (
	customerAccount = mustAddress("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
	merchantAccount = mustAddress("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720")
)
