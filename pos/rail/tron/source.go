package tron

import (
	"context"
	"math/big"
	"slices"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// source is one endpoint's way of saying things about the shop's address. What it says
// is read strictly and not judged. Every error is an *rpc.Error: then nothing can be
// relied on. Each call blocks for some requests of rpc.CallLimit at most.
type source interface {
	// verify says which network this is, and what stands at the address and the tokens.
	verify(ctx context.Context) (facts, error)
	// since lists what came and went in from's block and later, and nothing is left out.
	since(ctx context.Context, from block) (view, error)
	// at returns one block: the newest one, the newest solidified one, or the one of a
	// height that is on the chain.
	at(ctx context.Context, w which) (block, error)
	// balance returns what the address has of a token, and the block that it is of.
	balance(ctx context.Context, t Token) (block, *big.Int, error)
	// find looks a transfer up by its transaction: it is in the block returned, which is
	// on the chain, and, if solid is set, solidified. ok is false when it is not.
	find(ctx context.Context, t transfer, solid bool) (b block, ok bool, err error)
}

// which names a block.
type which struct {
	solid  bool
	number uint64 // 0: the newest
}

// block is what the till reads of a block.
type block struct {
	number uint64 // 0: not known
	hash   [32]byte
	time   uint64 // seconds since 1970, by the chain
}

// before reports that b is a lower block than o, by the height, or, where one of them
// has none, by the time: every block is later than the one below.
func (b block) before(o block) bool {
	if b.number != 0 && o.number != 0 {
		return b.number < o.number
	}
	return b.time < o.time
}

// transfer is one Transfer event of a known token, from or to the shop's address. Both
// kinds of endpoints know it by the same key.
type transfer struct {
	transferKey
	token Token
	units *big.Int
	block block // from TronGrid's lists, the time alone
}

// transferKey names a transfer without a place in a block: TronGrid's lists have none.
type transferKey struct {
	tx       [32]byte
	contract Address
	from, to Address
	amount   string // units
	nth      int    // among those of its transaction that are equal else
}

// view is what one look showed.
type view struct {
	head block
	list []transfer
	coin *big.Int // what the address has of the native coin; nil: not asked for this time
	only []Token  // the tokens that list is about; nil: all
}

// lists reports that a view says all there is of a token.
func (v view) lists(contract Address) bool {
	return v.only == nil || slices.ContainsFunc(v.only, func(t Token) bool { return t.Contract == contract })
}

// facts are what an endpoint says once in a while.
type facts struct {
	chain    uint64
	contract bool               // code stands at the address
	dead     map[Address]string // tokens that are not what the registry says: the key of a word
	fresh    doubt              // the address never sent anything
	foreign  doubt              // another key than the address's own can move its money
}

// doubt is yes, no, or cannot be told.
type doubt int

const (
	untold doubt = iota
	no
	yes
)

func doubtOf(b bool) doubt {
	if b {
		return yes
	}
	return no
}

// number counts equal transfers of one transaction, in the order of the list.
func numbered(list []transfer) []transfer {
	seen := map[transferKey]int{}
	for i := range list {
		k := list[i].transferKey
		k.nth = 0
		list[i].nth = seen[k]
		seen[k]++
	}
	return list
}

// shop is what sources are asked about.
type shop struct {
	chain   Chain
	address Address
	tokens  []Token // of the registry, those of the buttons first
	asked   int     // how many of them have a button
}

func (s shop) token(contract Address) (Token, bool) {
	for _, t := range s.tokens {
		if t.Contract == contract {
			return t, true
		}
	}
	return Token{}, false
}

// transferOf makes a transfer of an event's fields. It is none when the token is not
// known, when the address is on neither side or on both, or when nothing moved: that
// is how swindlers write into people's histories.
func (s shop) transferOf(tx [32]byte, contract, from, to Address, units *big.Int, b block) (t transfer, ok bool) {
	token, known := s.token(contract)
	if !known || (from == s.address) == (to == s.address) || units.Sign() <= 0 || units.BitLen() > maxBits {
		return t, false
	}
	return transfer{transferKey{tx, contract, from, to, units.String(), 0}, token, units, b}, true
}

// odd makes the error of an answer that makes no sense.
func odd(format string, args ...any) *rpc.Error { return rpc.Failed(rpc.Odd, format, args...) }
