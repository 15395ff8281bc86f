package tron

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// registryJSON is the networks and tokens that are known without asking anybody. A
// token is its contract; its symbol is a name that anybody can give to anything.
// Source says where a row comes from.
//
//go:embed registry.json
var registryJSON []byte

// Chain is one network of Tron's kind.
type Chain struct {
	// ID is what eth_chainId says: the last four bytes of the first block's hash.
	ID     uint64 `json:"id"`
	Key    string `json:"key"`     // in the config and in tenders: "tron"
	Name   string `json:"name"`    // for people: "Tron"
	Coin   string `json:"coin"`    // the native coin's symbol
	StaleS int    `json:"stale_s"` // seconds without a new block after which its endpoint is not believed
	// Policy says when a payment counts, by its size; empty: Usual.
	Policy Policy `json:"policy,omitempty"`
}

func (c Chain) stale() time.Duration { return time.Duration(c.StaleS) * time.Second }

func (c Chain) policy() Policy {
	if len(c.Policy) > 0 {
		return c.Policy
	}
	return Usual
}

// Token is a contract on one network.
type Token struct {
	Chain    uint64   `json:"chain"`
	Symbol   string   `json:"symbol"`   // what a customer reads
	Contract Address  `json:"contract"` // unique with Chain
	Decimals int      `json:"decimals"`
	OnChain  []string `json:"on_chain"` // what symbol() may answer; empty: whatever it says
	Peg      string   `json:"peg"`      // the currency it follows, "USD"
	Source   string   `json:"source"`   // whose word this row is
	// Watch is a token that is never asked for, and named when it comes.
	Watch bool `json:"watch"`
}

// step is the smallest number of units that people type.
func (t Token) step() *big.Int { return coin.Step(t.Decimals) }

// Asset returns the token as the till's records have it.
func (t Token) Asset() pos.Asset {
	return pos.Asset{
		ID:     fmt.Sprintf("tron:%d/trc20:%s", t.Chain, t.Contract),
		Symbol: t.Symbol, Decimals: t.Decimals, Shown: min(coin.Shown, t.Decimals),
	}
}

// Registry is what is known of networks and tokens. Its zero value knows nothing. A
// Registry never changes; With returns another.
type Registry struct {
	chains []Chain
	tokens []Token
}

// Known returns the registry that the till was made with.
func Known() Registry {
	var in struct {
		Chains []Chain `json:"chains"`
		Tokens []Token `json:"tokens"`
	}
	if err := json.Unmarshal(registryJSON, &in); err != nil {
		panic("tron: registry.json: " + err.Error())
	}
	r, err := Registry{}.With(in.Chains, in.Tokens)
	if err != nil {
		panic("tron: registry.json: " + err.Error())
	}
	return r
}

// Bounds of a registry: every token is asked about.
const (
	maxChains         = 8
	maxTokensPerChain = 8
)

var keyForm = regexp.MustCompile(`^[a-z][a-z0-9]{1,15}$`)

// With returns r with more networks and tokens, as a merchant may have in the config.
// It fails with Invalid when one of them cannot be, is there already, or there are too
// many.
func (r Registry) With(chains []Chain, tokens []Token) (Registry, error) {
	out := Registry{slices.Clone(r.chains), slices.Clone(r.tokens)}
	for _, c := range chains {
		if err := out.addChain(c); err != nil {
			return Registry{}, err
		}
	}
	for _, t := range tokens {
		if err := out.addToken(t); err != nil {
			return Registry{}, err
		}
	}
	return out, nil
}

const registryOp = "read networks and tokens"

func (r *Registry) addChain(c Chain) error {
	switch {
	case c.ID == 0 || c.ID > 1<<32 || !keyForm.MatchString(c.Key) || !coin.PlainName(c.Name) || !coin.PlainName(c.Coin) || c.StaleS < 10 || c.StaleS > 3600:
		return pos.E(registryOp, pos.Invalid, "network %q needs an id, a key of small letters, a name, a coin, and 10 to 3600 stale_s", rpc.Clip(c.Key))
	case slices.ContainsFunc(r.chains, func(o Chain) bool { return o.Key == c.Key || o.ID == c.ID }):
		return pos.E(registryOp, pos.Invalid, "network %q is there twice", c.Key)
	case len(r.chains) == maxChains:
		return pos.E(registryOp, pos.Invalid, "more than %d networks", maxChains)
	}
	if err := c.Policy.Check(OneBlock, Solidified); err != nil {
		return err
	}
	r.chains = append(r.chains, c)
	return nil
}

func (r *Registry) addToken(t Token) error {
	_, known := r.Token(t.Chain, t.Contract)
	_, err := pos.CurrencyOf(t.Peg)
	switch {
	case !slices.ContainsFunc(r.chains, func(c Chain) bool { return c.ID == t.Chain }):
		return pos.E(registryOp, pos.Invalid, "token %q is on network %d, which is not known", rpc.Clip(t.Symbol), t.Chain)
	case known:
		return pos.E(registryOp, pos.Invalid, "token %s is there twice", t.Contract)
	case !coin.PlainName(t.Symbol) || t.Contract.IsZero() || t.Decimals < 0 || t.Decimals > 30 || err != nil:
		return pos.E(registryOp, pos.Invalid, "token %q needs a symbol, a contract, 0 to 30 decimals and a currency that it follows", rpc.Clip(t.Symbol))
	case len(r.Tokens(t.Chain)) == maxTokensPerChain:
		return pos.E(registryOp, pos.Invalid, "more than %d tokens on one network", maxTokensPerChain)
	}
	r.tokens = append(r.tokens, t)
	return nil
}

// Chain returns the network with this key.
func (r Registry) Chain(key string) (Chain, bool) {
	return coin.First(r.chains, func(c Chain) bool { return c.Key == key })
}

// Chains returns all networks; the caller owns the slice.
func (r Registry) Chains() []Chain { return slices.Clone(r.chains) }

// Token returns the token at a contract.
func (r Registry) Token(chain uint64, contract Address) (Token, bool) {
	return coin.First(r.tokens, func(t Token) bool { return t.Chain == chain && t.Contract == contract })
}

// Tokens returns the tokens of a network, those to watch too; the caller owns the
// slice.
func (r Registry) Tokens(chain uint64) []Token {
	return coin.All(r.tokens, func(t Token) bool { return t.Chain == chain })
}

// Find returns the token that can be asked for under this symbol ("usdt", in any
// letters) on a network.
func (r Registry) Find(chain uint64, symbol string) (Token, bool) {
	return coin.First(r.tokens, func(t Token) bool {
		return t.Chain == chain && !t.Watch && strings.EqualFold(t.Symbol, symbol)
	})
}
