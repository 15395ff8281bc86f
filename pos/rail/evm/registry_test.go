package evm

import (
	"math/big"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// TestKnown holds the registry to what the shop is promised, and to the traps of the
// field: the same symbol with 6 and with 18 decimals, look-alikes that are never
// asked for.
func TestKnown(t *testing.T) {
	k := Known()
	for key, symbols := range map[string]string{
		"ethereum": "USDC USDT EURC PYUSD DAI", "base": "USDC USDT EURC DAI", "optimism": "USDC USDT DAI",
		"arbitrum": "USDC USDT PYUSD DAI", "polygon": "USDC USDT DAI", "bnb": "USDC USDT DAI", "avalanche": "USDC USDT EURC DAI",
	} {
		c, ok := k.Chain(key)
		if !ok {
			t.Errorf("no chain %s", key)
			continue
		}
		for symbol := range strings.FieldsSeq(symbols) {
			tok, ok := k.Find(c.ID, strings.ToLower(symbol))
			if !ok || tok.Watch || len(tok.OnChain) == 0 || tok.Source == "" {
				t.Errorf("%s on %s: %+v", symbol, key, tok)
			}
			if want := 6; (symbol == "DAI" || key == "bnb") != (tok.Decimals == 18) && tok.Decimals != want {
				t.Errorf("%s on %s has %d decimals", symbol, key, tok.Decimals)
			}
			if peg := map[bool]string{true: "EUR", false: "USD"}[symbol == "EURC"]; tok.Peg != peg {
				t.Errorf("%s follows %s", symbol, tok.Peg)
			}
			if a := tok.Asset(); a.Shown != 4 || !strings.Contains(a.ID, tok.Contract.String()) {
				t.Errorf("%+v", a)
			}
		}
		if PolicyOf(c).Operators() != 2 {
			t.Errorf("large sales on %s need the word of one operator only", key)
		}
		if _, ok := k.Find(c.ID, "USDC.e"); ok {
			t.Errorf("a look-alike can be asked for on %s", key)
		}
	}
	if c, _ := k.Chain("polygon"); len(k.Tokens(c.ID)) != 4 {
		t.Error("the look-alike on Polygon is not watched")
	}
}

// TestWith refuses chains and tokens that cannot be.
func TestWith(t *testing.T) {
	k := Known()
	good := Chain{ID: 42220, Key: "celo", Name: "Celo", Coin: "CELO", StaleS: 60}
	cusd := Token{Chain: 42220, Symbol: "cUSD", Contract: customer, Decimals: 18, Peg: "USD"}
	if r, err := k.With([]Chain{good}, []Token{cusd}); err != nil || len(r.Tokens(42220)) != 1 || len(k.Tokens(42220)) != 0 {
		t.Fatalf("%v", err)
	}
	for name, f := range map[string]func(c *Chain, t *Token){
		"a chain twice":      func(c *Chain, _ *Token) { c.ID = 1 },
		"a key twice":        func(c *Chain, _ *Token) { c.Key = "base" },
		"a key with a space": func(c *Chain, _ *Token) { c.Key = "ce lo" },
		"no number":          func(c *Chain, _ *Token) { c.ID = 0 },
		"never stale":        func(c *Chain, _ *Token) { c.StaleS = 0 },
		"control letters":    func(c *Chain, _ *Token) { c.Name = "Ce\x1blo" },
		"a policy that falls": func(c *Chain, _ *Token) {
			c.Policy = Policy{coin.UpTo(100, Safe, 1), coin.UpTo(50, Safe, 1), coin.UpTo(0, Safe, 1)}
		},
		"a token twice": func(_ *Chain, t *Token) {
			t.Chain, t.Contract = 1, MustAddress("0xdAC17F958D2ee523a2206206994597C13D831ec7")
		},
		"a token of no chain":  func(_ *Chain, t *Token) { t.Chain = 77 },
		"no contract":          func(_ *Chain, t *Token) { t.Contract = Address{} },
		"31 decimals":          func(_ *Chain, t *Token) { t.Decimals = 31 },
		"follows nothing":      func(_ *Chain, t *Token) { t.Peg = "XXX" },
		"a symbol turned over": func(_ *Chain, t *Token) { t.Symbol = "US\u202eDC" },
	} {
		c, tok := good, cusd
		f(&c, &tok)
		if _, err := k.With([]Chain{c}, []Token{tok}); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	var many []Token
	for i := range maxTokensPerChain + 1 {
		many = append(many, Token{Chain: 42220, Symbol: "X", Contract: Address{1, byte(i)}, Peg: "USD"})
	}
	if _, err := k.With([]Chain{good}, many); err == nil {
		t.Error("more tokens than a round can ask about")
	}
}

// TestPolicy: each size gets its row, to the base unit.
func TestPolicy(t *testing.T) {
	k := Known()
	usdc, _ := k.Find(8453, "USDC")
	bnb, _ := k.Find(56, "USDT")
	one := big10("1000000000000000000")
	for _, row := range []struct {
		chain uint64
		t     Token
		units *big.Int
		want  Row
	}{
		{8453, usdc, big.NewInt(50_000_000), coin.UpTo(50, OneBlock, 1)},
		{8453, usdc, big.NewInt(50_000_001), coin.UpTo(1000, OneBlock, 2)},
		{8453, usdc, big.NewInt(1_000_000_001), coin.UpTo(0, Safe, 2)},
		{1, usdc, big.NewInt(999_000_000), coin.UpTo(1000, TwoBlocks, 2)},
		{56, bnb, new(big.Int).Mul(one, big.NewInt(50)), coin.UpTo(50, OneBlock, 1)},
		{56, bnb, new(big.Int).Add(big.NewInt(1), new(big.Int).Mul(one, big.NewInt(50))), coin.UpTo(1000, Finalized, 1)},
		{99, usdc, big.NewInt(1), coin.UpTo(50, TwoBlocks, 1)},
	} {
		if got := PolicyOf(Chain{ID: row.chain}).Row(row.t.Decimals, row.units); got != row.want {
			t.Errorf("%s units on %d: %+v, want %+v", row.units, row.chain, got, row.want)
		}
	}
	for name, p := range map[string]Policy{
		"no last row": {coin.UpTo(50, OneBlock, 1)}, "two last rows": {coin.UpTo(0, OneBlock, 1), coin.UpTo(0, Safe, 1)}, "three operators": {coin.UpTo(0, Safe, 3)},
		"no operator": {coin.UpTo(0, Safe, 0)}, "no level": {coin.UpTo(0, "", 1)}, "less than nothing": {coin.UpTo(-1, Safe, 1), coin.UpTo(0, Safe, 1)},
	} {
		if checkPolicy(p) == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestOptions refuses what no shop can work with, before anything is asked for.
func TestOptions(t *testing.T) {
	url := func(s string) []Endpoint {
		return []Endpoint{{Operator: "A", URL: s}, {Operator: "B", URL: "https://b.example"}}
	}
	for name, f := range map[string]func(o *Options){
		"no chain":                   func(o *Options) { o.Accept = nil },
		"no book":                    func(o *Options) { o.Store = nil },
		"no treasury":                func(o *Options) { o.Treasury = Address{} },
		"a precompile":               func(o *Options) { o.Treasury = MustAddress("0x0000000000000000000000000000000000000009") },
		"a token as treasury":        func(o *Options) { o.Treasury = MustAddress("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48") },
		"the factory as treasury":    func(o *Options) { o.Treasury = Factory },
		"an hour":                    func(o *Options) { o.Expiry = 3600e9 },
		"a second":                   func(o *Options) { o.Expiry = 1e9 },
		"two percent":                func(o *Options) { o.Tolerance = 200 },
		"tolerance and one address":  func(o *Options) { o.Tolerance, o.Shared = 10, true },
		"an unknown chain":           func(o *Options) { o.Accept[0].Chain = "solana" },
		"a chain twice":              func(o *Options) { o.Accept = append(o.Accept, o.Accept[0]) },
		"an unknown token":           func(o *Options) { o.Accept[0].Tokens = []string{"SHIB"} },
		"a look-alike":               func(o *Options) { o.Accept[0].Tokens = []string{"USDbC"} },
		"no token":                   func(o *Options) { o.Accept[0].Tokens = nil },
		"no endpoint":                func(o *Options) { o.Accept[0].Endpoints = nil },
		"one operator":               func(o *Options) { o.Accept[0].Endpoints = o.Accept[0].Endpoints[:1] },
		"one operator twice":         func(o *Options) { o.Accept[0].Endpoints[1].Operator = o.Accept[0].Endpoints[0].Operator },
		"plain HTTP into the world":  func(o *Options) { o.Accept[0].Endpoints = url("http://rpc.example/key") },
		"plain HTTP to an address":   func(o *Options) { o.Accept[0].Endpoints = url("http://8.8.8.8/key") },
		"no address":                 func(o *Options) { o.Accept[0].Endpoints = url("https:///key") },
		"a name and a word before @": func(o *Options) { o.Accept[0].Endpoints = url("https://u:p@rpc.example") },
		"another protocol":           func(o *Options) { o.Accept[0].Endpoints = url("ws://127.0.0.1:1") },
		"no operator's name":         func(o *Options) { o.Accept[0].Endpoints[0].Operator = "" },
	} {
		o := Options{
			Registry: Known(), Treasury: merchant, Store: &cointest.Memory{},
			Accept: []Accept{{"base", []string{"usdc", "EURC"}, url("https://a.example/key")}},
		}
		if _, err := New(o); err != nil {
			t.Fatalf("good options: %v", err)
		}
		f(&o)
		w, err := New(o)
		if pos.KindOf(err) != pos.Invalid || err == nil {
			t.Errorf("%s: %v", name, err)
		}
		if w != nil {
			t.Errorf("%s: a watcher all the same", name)
		}
	}
}
