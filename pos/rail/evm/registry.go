package evm

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

// registryJSON is the chains and tokens that are known without asking anybody. A
// token is its chain and contract; its symbol is a name that anybody can give to
// anything. Source says where a row comes from.
//
//go:embed registry.json
var registryJSON []byte

// Chain is one EVM chain.
type Chain struct {
	ID     uint64 `json:"id"`
	Key    string `json:"key"`     // in the config and in tenders: "base"
	Name   string `json:"name"`    // for people: "Base"
	Coin   string `json:"coin"`    // the native coin's symbol
	StaleS int    `json:"stale_s"` // seconds without a new block after which its endpoint is not believed
	Trust  int    `json:"trust"`   // the chain's number in Trust Wallet's links; 0: it has none
	// Policy says when a payment counts, by its size; empty takes that of the chain's
	// kind. See PolicyOf.
	Policy Policy `json:"policy,omitempty"`
}

// stale is StaleS as a duration.
func (c Chain) stale() time.Duration { return time.Duration(c.StaleS) * time.Second }

// Token is a contract on one chain.
type Token struct {
	Chain    uint64   `json:"chain"`
	Symbol   string   `json:"symbol"`   // what a customer reads
	Contract Address  `json:"contract"` // unique with Chain
	Decimals int      `json:"decimals"`
	OnChain  []string `json:"on_chain"` // what symbol() may answer; empty: whatever it says
	Peg      string   `json:"peg"`      // the currency it follows, "USD"
	Source   string   `json:"source"`   // whose word this row is
	Bridged  bool     `json:"bridged"`  // not the issuer's own on this chain
	// Watch is a look-alike: never asked for, and named when it comes.
	Watch bool `json:"watch"`
}

// step is the smallest number of units that people type.
func (t Token) step() *big.Int { return coin.Step(t.Decimals) }

// Asset returns the token as the till's records have it.
func (t Token) Asset() pos.Asset {
	return pos.Asset{
		ID:     fmt.Sprintf("eip155:%d/erc20:%s", t.Chain, t.Contract),
		Symbol: t.Symbol, Decimals: t.Decimals, Shown: min(coin.Shown, t.Decimals),
	}
}

// MarshalText writes the address with its checksum.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is ParseAddress.
func (a *Address) UnmarshalText(b []byte) (err error) {
	*a, err = ParseAddress(string(b))
	return err
}

// Registry is what is known of chains and tokens. Its zero value knows nothing.
// A Registry never changes; With returns another.
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
		panic("evm: registry.json: " + err.Error())
	}
	r, err := Registry{}.With(in.Chains, in.Tokens)
	if err != nil {
		panic("evm: registry.json: " + err.Error())
	}
	return r
}

// Bounds of a registry, far above what a shop takes: every token is asked about
// for every open sale.
const (
	maxChains         = 16
	maxTokensPerChain = 16
)

var keyForm = regexp.MustCompile(`^[a-z][a-z0-9]{1,15}$`)

// With returns r with more chains and tokens, as a merchant may have in the config.
// It fails with Invalid when one of them cannot be, is there already, or there are
// too many.
func (r Registry) With(chains []Chain, tokens []Token) (Registry, error) {
	bad := func(format string, args ...any) (Registry, error) {
		return Registry{}, pos.E("read chains and tokens", pos.Invalid, format, args...)
	}
	out := Registry{slices.Clone(r.chains), slices.Clone(r.tokens)}
	for _, c := range chains {
		switch {
		case c.ID == 0 || !keyForm.MatchString(c.Key) || !coin.PlainName(c.Name) || !coin.PlainName(c.Coin) || c.StaleS < 10 || c.StaleS > 3600:
			return bad("chain %q needs an id, a key of small letters, a name, a coin, and 10 to 3600 stale_s", rpc.Clip(c.Key))
		case out.has(c.ID) || slices.ContainsFunc(out.chains, func(o Chain) bool { return o.Key == c.Key }):
			return bad("chain %q is there twice", c.Key)
		case checkPolicy(c.Policy) != nil:
			return Registry{}, checkPolicy(c.Policy)
		}
		out.chains = append(out.chains, c)
	}
	for _, t := range tokens {
		_, known := out.Token(t.Chain, t.Contract)
		_, err := pos.CurrencyOf(t.Peg)
		switch {
		case !out.has(t.Chain):
			return bad("token %q is on chain %d, which is not known", rpc.Clip(t.Symbol), t.Chain)
		case known:
			return bad("token %s of chain %d is there twice", t.Contract, t.Chain)
		case !coin.PlainName(t.Symbol) || t.Contract.IsZero() || t.Decimals < 0 || t.Decimals > 30 || err != nil:
			return bad("token %q needs a symbol, a contract, 0 to 30 decimals and a currency that it follows", rpc.Clip(t.Symbol))
		}
		out.tokens = append(out.tokens, t)
		if len(out.Tokens(t.Chain)) > maxTokensPerChain {
			return bad("more than %d tokens on one chain", maxTokensPerChain)
		}
	}
	if len(out.chains) > maxChains {
		return bad("more than %d chains", maxChains)
	}
	return out, nil
}

func (r Registry) has(id uint64) bool {
	return slices.ContainsFunc(r.chains, func(c Chain) bool { return c.ID == id })
}

// Chain returns the chain with this key.
func (r Registry) Chain(key string) (Chain, bool) {
	return coin.First(r.chains, func(c Chain) bool { return c.Key == key })
}

// Chains returns all chains; the caller owns the slice.
func (r Registry) Chains() []Chain { return slices.Clone(r.chains) }

// Token returns the token at a contract.
func (r Registry) Token(chain uint64, contract Address) (Token, bool) {
	return coin.First(r.tokens, func(t Token) bool { return t.Chain == chain && t.Contract == contract })
}

// Tokens returns the tokens of a chain, look-alikes too; the caller owns the slice.
func (r Registry) Tokens(chain uint64) []Token {
	return coin.All(r.tokens, func(t Token) bool { return t.Chain == chain })
}

// Find returns the token that can be asked for under this symbol ("usdc", in any
// letters) on a chain.
func (r Registry) Find(chain uint64, symbol string) (Token, bool) {
	return coin.First(r.tokens, func(t Token) bool {
		return t.Chain == chain && !t.Watch && strings.EqualFold(t.Symbol, symbol)
	})
}
