package solana

import (
	_ "embed"
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// registryJSON is the tokens that are known without asking anybody. A token is its
// mint; its symbol is a name that anybody can give to anything. Source says where a
// row comes from.
//
//go:embed registry.json
var registryJSON []byte

// Cluster is one network of Solana's kind. Its genesis hash tells it from all others.
type Cluster struct {
	Key     string // in the config and in tenders: "solana"
	Name    string // for people: "Solana"
	Genesis string // base58 of 32 bytes
}

// Clusters. Source of the hashes: Solana's documentation.
var (
	Mainnet = Cluster{"solana", "Solana", "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"}
	Devnet  = Cluster{"solana-devnet", "Solana Devnet", "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"}
)

var keyForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,23}$`)

// check fails with Invalid for a cluster that cannot be.
func (c Cluster) check() error {
	if _, err := ParseKey(c.Genesis); err != nil || !keyForm.MatchString(c.Key) || !coin.PlainName(c.Name) {
		return pos.E("set up Solana", pos.Invalid, "cluster %q needs a key of small letters, a name and a genesis hash", rpc.Clip(rpc.Plain(c.Key)))
	}
	return nil
}

// chain is the cluster's part of an asset's ID (CAIP-30: 32 letters of the hash).
func (c Cluster) chain() string { return "solana:" + c.Genesis[:min(32, len(c.Genesis))] }

// Program names the program that a mint belongs to.
type Program string

// Programs. The zero Program is SPL Token.
const (
	SPLToken  Program = "token"
	Token2022 Program = "token-2022"
)

func (p Program) key() Key {
	if p == Token2022 {
		return token2022Program
	}
	return tokenProgram
}

// Token is a mint on one cluster.
type Token struct {
	Cluster  string  `json:"cluster"`           // the cluster's key
	Symbol   string  `json:"symbol"`            // what a customer reads
	Mint     Key     `json:"mint"`              // unique with Cluster
	Decimals int     `json:"decimals"`          // 0 to 18
	Program  Program `json:"program,omitempty"` // whose mint it is
	Peg      string  `json:"peg"`               // the currency it follows, "USD"
	Source   string  `json:"source"`            // whose word this row is
	// Watch is a look-alike: never asked for, and named when it comes.
	Watch bool `json:"watch,omitempty"`
}

// step is the smallest number of units that people type.
func (t Token) step() *big.Int { return coin.Step(t.Decimals) }

// asset returns the token as the till's records have it (CAIP-19).
func (t Token) asset(c Cluster) pos.Asset {
	return pos.Asset{ID: c.chain() + "/token:" + t.Mint.String(), Symbol: t.Symbol, Decimals: t.Decimals, Shown: min(coin.Shown, t.Decimals)}
}

// Registry is what is known of tokens. Its zero value knows nothing. A Registry never
// changes; With returns another.
type Registry struct{ tokens []Token }

// Known returns the registry that the till was made with.
func Known() Registry {
	var in struct {
		Tokens []Token `json:"tokens"`
	}
	if err := json.Unmarshal(registryJSON, &in); err != nil {
		panic("solana: registry.json: " + err.Error())
	}
	r, err := Registry{}.With(in.Tokens...)
	if err != nil {
		panic("solana: registry.json: " + err.Error())
	}
	return r
}

// maxTokens bounds the tokens of a cluster: the balance of each is read in every
// round, together with the clock, in one call.
const maxTokens = 16

// With returns r with more tokens, as a merchant may have in the config. It fails
// with Invalid when one of them cannot be, is there already, or there are too many.
func (r Registry) With(tokens ...Token) (Registry, error) {
	bad := func(format string, args ...any) (Registry, error) {
		return Registry{}, pos.E("read tokens of Solana", pos.Invalid, format, args...)
	}
	out := Registry{slices.Clone(r.tokens)}
	for _, t := range tokens {
		_, known := out.Token(t.Cluster, t.Mint)
		_, err := pos.CurrencyOf(t.Peg)
		switch {
		case known:
			return bad("token %s is there twice", t.Mint)
		case !keyForm.MatchString(t.Cluster) || !coin.PlainName(t.Symbol) || t.Mint.IsZero() || t.Decimals < 0 || t.Decimals > 18 || err != nil:
			return bad("token %q needs a cluster, a symbol, a mint, 0 to 18 decimals and a currency that it follows", rpc.Clip(rpc.Plain(t.Symbol)))
		case t.Program != "" && t.Program != SPLToken && t.Program != Token2022:
			return bad(`token %q: program is "token" or "token-2022"`, t.Symbol)
		}
		out.tokens = append(out.tokens, t)
		if len(out.Tokens(t.Cluster)) > maxTokens {
			return bad("more than %d tokens on one cluster", maxTokens)
		}
	}
	return out, nil
}

// Token returns the token with a mint.
func (r Registry) Token(cluster string, mint Key) (Token, bool) {
	return coin.First(r.tokens, func(t Token) bool { return t.Cluster == cluster && t.Mint == mint })
}

// Find returns the token that can be asked for under this symbol ("usdc", in any
// letters) on a cluster.
func (r Registry) Find(cluster, symbol string) (Token, bool) {
	return coin.First(r.tokens, func(t Token) bool { return t.Cluster == cluster && !t.Watch && strings.EqualFold(t.Symbol, symbol) })
}

// Tokens returns the tokens of a cluster, look-alikes too; the caller owns the slice.
func (r Registry) Tokens(cluster string) []Token {
	return coin.All(r.tokens, func(t Token) bool { return t.Cluster == cluster })
}
