package evm

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"slices"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Bounds of one Peek (contracts/src/Peek.sol). A node takes its answer for the code
// of a new contract: more than 24,576 bytes (EIP-170) is an error. So no more is asked
// than fits if everything is there. 64 owners and 7 tokens burn some 3 million gas;
// nodes stop an eth_call at 50 million.
const (
	maxPeekOwners = 64
	peekAnswer    = 24_576
	peekFindings  = (peekAnswer - 96) / 64
)

// peekOwners returns how many owners fit into one Peek about so many tokens: each may
// have all of them, and code.
func peekOwners(tokens int) int { return min(maxPeekOwners, peekFindings/(tokens+1)) }

// Kinds of what a Peek finds.
const (
	foundBalance = 1
	foundDumb    = 2 // a token that gave no balance
	foundCode    = 3
)

// found is one thing that is there.
type found struct {
	kind         uint32
	token, owner int // their places in the question
	value        *big.Int
}

// view is one chain at one block, as a Peek saw it.
type view struct {
	chain, number, time uint64 // number is Ethereum's on Arbitrum: only time orders
	found               []found
}

// peekCall asks for all balances of tokens at owners, at a block: a tag, or a hash
// in the form of EIP-1898. Token zero is the native coin.
func peekCall(tokens, owners []Address, at any) rpc.Call {
	data := slices.Concat(pinned.peek, addressLists(tokens, owners))
	return rpc.To("eth_call", map[string]string{"data": "0x" + hex.EncodeToString(data)}, at)
}

// atHash names a block by its hash; the endpoint must say so when it is not on its
// chain any more.
func atHash(h [32]byte) any {
	return map[string]any{"blockHash": "0x" + hex.EncodeToString(h[:]), "requireCanonical": true}
}

// addressLists encodes two address[] arguments.
func addressLists(a, b []Address) []byte {
	out := make([]byte, 64, 32*(4+len(a)+len(b)))
	binary.BigEndian.PutUint64(out[24:], 64)
	binary.BigEndian.PutUint64(out[56:], uint64(64+32*(1+len(a))))
	for _, list := range [][]Address{a, b} {
		out = append(out, uint256(big.NewInt(int64(len(list))))...)
		for _, x := range list {
			w := x.word()
			out = append(out, w[:]...)
		}
	}
	return out
}

var errPeek = errors.New("the balances cannot be read")

// readPeek reads the answer to a peekCall about so many tokens and owners. Each
// thing may be there once.
func readPeek(raw json.RawMessage, tokens, owners int) (v view, err error) {
	b, ok := rpc.HexBytes(raw, peekAnswer)
	if !ok || len(b) < 96 || (len(b)-96)%64 != 0 {
		return v, errPeek
	}
	for i, to := range []*uint64{&v.chain, &v.number, &v.time} {
		if *to, ok = smallWord(b[32*i:]); !ok {
			return view{}, errPeek
		}
	}
	seen := map[[32]byte]bool{}
	for b = b[96:]; len(b) > 0; b = b[64:] {
		tag := [32]byte(b)
		f := found{
			kind: binary.BigEndian.Uint32(tag[20:]), token: int(binary.BigEndian.Uint32(tag[24:])),
			owner: int(binary.BigEndian.Uint32(tag[28:])), value: new(big.Int).SetBytes(b[32:64]),
		}
		if [20]byte(tag[:20]) != ([20]byte{}) || seen[tag] || !f.possible(tokens, owners) {
			return view{}, errPeek
		}
		seen[tag] = true
		v.found = append(v.found, f)
	}
	return v, nil
}

// possible reports that Peek can have said this.
func (f found) possible(tokens, owners int) bool {
	if f.owner < 0 || f.owner >= owners {
		return false
	}
	switch f.kind {
	case foundBalance:
		return f.token >= 0 && f.token < tokens && f.value.Sign() > 0
	case foundDumb:
		return f.token >= 0 && f.token < tokens && f.value.Sign() == 0
	case foundCode:
		return f.token == 0 && f.value.Sign() > 0
	}
	return false
}

// smallWord reads a word of at most 63 bits.
func smallWord(b []byte) (uint64, bool) {
	n := new(big.Int).SetBytes(b[:32])
	return n.Uint64(), n.BitLen() <= 63
}
