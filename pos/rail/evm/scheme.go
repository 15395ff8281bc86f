package evm

import (
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"math/big"
	"slices"

	"github.com/tillwright/tillwright/pos"
)

// Scheme is the version of the arithmetic from a till's secret to an address. One
// changed byte of the contracts is another scheme.
const Scheme = 1

// pinnedJSON is the contracts' code as build.cjs made it; a test makes it anew and
// compares, and the hash below guards it against an edit.
//
//go:embed contracts/pinned.json
var pinnedJSON []byte

// Where the contracts are. D is the deterministic deployer that stands on every
// chain at this address; F and I are the same everywhere because of it.
var (
	Deployer       = MustAddress("0x4e59b44847b379578588920cA78FbF26c0B4956C")
	Factory        = create2(Deployer, [32]byte{}, keccak(pinned.factory))
	Implementation = firstChild(Factory)
)

// Hashes of code, as eth_getCode returns it.
const (
	deployerCodeHash = "2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989"
	// factoryCodeHash is of what the factory's creation code leaves behind.
	factoryCodeHash = "03e6b5975ba14d75fe85da05c5f3a5d0453fb4d3b7215aa75d5c9752c54c046a"
	// factoryHash is of the factory's creation code: it is what makes Factory.
	factoryHash = "97f0a50d1d5a439972751ef6079bbebec655b39c67c5ceed6a8d82db8683760a"
	peekHash    = "95ed52f8488ad7cf2a32b73ac0bebf53eaa4d0660ba1b649697a54000fd6bf85"
)

var pinned = func() (p struct{ factory, peek []byte }) {
	var in struct{ Factory, Peek string }
	err := json.Unmarshal(pinnedJSON, &in)
	p.factory, p.peek = unhex(in.Factory), unhex(in.Peek)
	f, k := keccak(p.factory), keccak(p.peek)
	if err != nil || hex.EncodeToString(f[:]) != factoryHash || hex.EncodeToString(k[:]) != peekHash {
		panic("evm: contracts/pinned.json is not what this till was made with")
	}
	return p
}()

// unhex reads hex digits; a wrong one gives nothing.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

// DeployCall returns the transaction that puts the factory at its address: sent once
// a chain, by anyone, without coins. The caller owns the data.
func DeployCall() (to Address, data []byte) {
	return Deployer, append(make([]byte, 32), pinned.factory...)
}

// Seed is the 32 random bytes that a till's addresses come from. It cannot spend:
// who has it can see which addresses belong together.
type Seed [32]byte

// LogValue keeps the seed out of the log.
func (Seed) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// String keeps the seed out of every text.
func (Seed) String() string { return "[redacted]" }

// Salt returns the salt of payment attempt n, from 1.
func (s Seed) Salt(n uint64) [32]byte {
	return keccak([]byte("tillwright/evm/salt/1"), s[:], binary.BigEndian.AppendUint64(nil, n))
}

// initHash returns the hash of a forwarder's creation code: 10 bytes that return
// the rest, an EIP-1167 proxy of implementation, and the treasury.
func initHash(implementation, treasury Address) [32]byte {
	return keccak(unhex("6100413d81600a3d39f3363d3d373d3d3d363d73"), implementation[:], unhex("5af43d82803e903d91602b57fd5bf3"), treasury[:])
}

// AddressOf returns the address whose money can only go to treasury. It is the
// same on every EVM chain on which Factory can be.
func AddressOf(treasury Address, salt [32]byte) Address {
	return create2(Factory, salt, initHash(Implementation, treasury))
}

// Item is one balance to sweep: what is at the address of Salt, in Token. The zero
// Token is the chain's native coin.
type Item struct {
	Salt  [32]byte
	Token Address
}

// maxSweep bounds a batch: 200 items need 13 million gas, less than half of the
// smallest chain's block.
const maxSweep = 200

// SweepCall returns the call of Factory that moves items to treasury: any wallet
// may send it, to Factory and without coins, and pays the gas. An item that cannot
// be moved is skipped. It fails with Invalid without items, or with more than 200.
func SweepCall(treasury Address, items []Item) ([]byte, error) {
	if len(items) == 0 || len(items) > maxSweep {
		return nil, pos.E("sweep", pos.Invalid, "a sweep moves 1 to %d payments, not %d", maxSweep, len(items))
	}
	n := big.NewInt(int64(len(items)))
	tokens := big.NewInt(int64(32 * (3 + 1 + len(items))))
	t := treasury.word()
	out := slices.Concat(selectorSweep, t[:], uint256(big.NewInt(32*3)), uint256(tokens), uint256(n))
	for _, it := range items {
		out = append(out, it.Salt[:]...)
	}
	out = append(out, uint256(n)...)
	for _, it := range items {
		w := it.Token.word()
		out = append(out, w[:]...)
	}
	return out, nil
}
