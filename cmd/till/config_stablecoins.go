package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/evm"
)

// stableConfig is what the shop takes in stablecoins, and where that money goes.
type stableConfig struct {
	treasury   *evm.Address // of the EVM chains; nil: none was named
	expiry     time.Duration
	tolerance  int      // parts of 10,000 that may be missing
	oneAddress bool     // all customers pay to the treasury itself, and the amount tells them apart
	links      []string // wallets' own
	registry   evm.Registry
	till       int            // number of this till, from 1, among
	tills      int            // those whose customers pay to the same address on Solana, on Tron, and with one_address
	accept     []acceptConfig // in the order of their buttons

	// Without a line, on chains that can be asked for so.
	rule   pos.OfflineRule
	limits pos.OfflineLimits
}

// acceptConfig is what is taken on one chain.
type acceptConfig struct {
	chain     string
	tokens    []string
	to        string // where the money goes, on chains that do not use the treasury
	endpoints []endpointConfig
	policy    coin.Policy // the owner's, in place of the chain's; nil: none
	family    *family
	part      *reader // to name what is wrong later
}

// Bounds of what a shop writes down.
const (
	maxAccepts = 16
	// maxRegistry bounds a merchant's own chains and tokens: a hundred take 30 KB.
	maxRegistry = 256 << 10
)

// usual is how long a price is held and how much may be missing (0.5 %), unless the
// owner says otherwise.
const (
	usualExpiry    = 10 * time.Minute
	usualTolerance = "0.5"
)

// walletLinks are wallets' own links that can be shown, too.
var walletLinks = []string{"metamask", "trust", "tron"}

// maxTills bounds how many tills share an address: each has its own amounts, of a
// hundred in all.
const maxTills = 20

func (c *config) readStablecoins(r *reader) {
	s := r.table("stablecoins")
	if !r.has("stablecoins") {
		return
	}
	before := len(*r.faults)
	sc := &stableConfig{
		expiry: s.duration("expiry", usualExpiry, 2*time.Minute, 30*time.Minute), oneAddress: s.yes("one_address"), links: s.texts("links"),
	}
	sc.treasury = readTreasury(s)
	sc.readTolerance(s)
	sc.readRegistry(s)
	for _, l := range sc.links {
		if !slices.Contains(walletLinks, l) {
			s.bad("links", "%q is not known%s; choose from %s", l, meant(l, walletLinks), strings.Join(walletLinks, ", "))
		}
	}
	sc.tills = int(s.number("tills", 1, 1, maxTills))
	sc.till = int(s.number("till", 1, 1, int64(sc.tills)))
	sc.readUnverified(s, c.shop)
	sc.readAccept(s)
	sc.checkUnverified(s)
	c.checkUSDT(s, sc)
	if r.silent(before) {
		sc.check(s, c.shop)
	}
	c.stablecoins = sc
}

// readTreasury reads where the money of the EVM chains goes.
func readTreasury(s *reader) *evm.Address {
	text := s.text("treasury", "")
	if text == "" {
		return nil
	}
	a, err := evm.ParseAddress(text)
	if err != nil {
		s.bad("treasury", "%s", message(err))
	}
	return &a
}

func (sc *stableConfig) readTolerance(s *reader) {
	otherwise := usualTolerance
	if sc.oneAddress {
		otherwise = "0"
	}
	text := s.text("tolerance", otherwise)
	milli, err := milliPercent(text)
	if err != nil || milli > 1000 || milli%10 != 0 {
		s.bad("tolerance", "must be the percent that may be missing, from \"0\" to \"1\" with at most 2 decimals, not %q", text)
		return
	}
	if sc.tolerance = int(milli / 10); sc.oneAddress && sc.tolerance != 0 {
		s.bad("tolerance", "must be \"0\" with one_address: the exact amount tells the sales apart")
	}
}

// readRegistry adds the merchant's own chains and tokens to those that the till knows.
func (sc *stableConfig) readRegistry(s *reader) {
	sc.registry = evm.Known()
	file := s.path("registry", "")
	if file == "" {
		return
	}
	text, err := readBounded(file, maxRegistry)
	if err != nil {
		s.bad("registry", "%v", err)
		return
	}
	var in struct {
		Chains []evm.Chain `json:"chains"`
		Tokens []evm.Token `json:"tokens"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err = d.Decode(&in); err == nil && d.More() {
		err = errors.New("more after its end")
	}
	if err != nil {
		s.bad("registry", "%s is not a list of chains and tokens: %v", file, err)
		return
	}
	more, err := sc.registry.With(in.Chains, in.Tokens)
	if err != nil {
		s.bad("registry", "%s: %s", file, message(err))
		return
	}
	sc.registry = more
}

// readBounded reads a file of at most limit bytes.
func readBounded(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return text, nil
}

func (sc *stableConfig) readAccept(s *reader) {
	parts := s.tables("accept")
	if len(parts) == 0 || len(parts) > maxAccepts {
		s.bad("accept", "write 1 to %d parts [[stablecoins.accept]] with chain and tokens, the cheapest network first", maxAccepts)
		return
	}
	for _, p := range parts {
		a := acceptConfig{chain: p.need("chain", "base"), tokens: p.texts("tokens"), endpoints: readEndpoints(p), part: p}
		a.family = familyOf(sc, a.chain)
		switch {
		case a.chain == "":
		case a.family == nil:
			p.bad("chain", "%q is not known%s; choose from %s, or describe it in a registry", a.chain, meant(a.chain, sc.chainNames()), strings.Join(sc.chainNames(), ", "))
			for _, key := range []string{"owner", "address"} {
				p.text(key, "") // which of them counts depends on the chain
			}
			readPolicy(p)
		case slices.ContainsFunc(sc.accept, func(o acceptConfig) bool { return o.chain == a.chain }):
			p.bad("chain", "%q is there twice; write all its tokens into one part", a.chain)
		case len(a.tokens) == 0:
			p.bad("tokens", "is missing; write for example tokens = [\"USDC\"]")
		default:
			sc.applyPolicy(p, &a)
			a.family.read(p, sc, &a)
		}
		sc.accept = append(sc.accept, a)
	}
}

// chainNames lists every chain that can be accepted.
func (sc *stableConfig) chainNames() (out []string) {
	for _, f := range families {
		out = append(out, f.chains(sc)...)
	}
	return out
}

// readEVM checks what is taken on an EVM chain.
func readEVM(p *reader, sc *stableConfig, a *acceptConfig) {
	chain, _ := sc.registry.Chain(a.chain)
	for _, symbol := range a.tokens {
		if _, ok := sc.registry.Find(chain.ID, symbol); ok {
			continue
		}
		var known []string
		for _, t := range sc.registry.Tokens(chain.ID) {
			if !t.Watch {
				known = append(known, t.Symbol)
			}
		}
		p.bad("tokens", "%q is not known on %s%s; choose from %s, or describe it in a registry", symbol, chain.Name, meant(symbol, known), strings.Join(known, ", "))
	}
	wants := 1
	for _, row := range evm.PolicyOf(chain) {
		wants = max(wants, row.Operators)
	}
	if a.voices() < wants {
		p.bad("endpoint", "%s", sc.needsTwo(*a, chain.Name))
	}
	if sc.treasury == nil {
		p.bad("chain", "%s needs the part [stablecoins] to say treasury: the address of your own wallet, never an exchange's deposit address", chain.Name)
	}
}

// union are the currencies of the European Union.
var union = []string{"EUR", "BGN", "CZK", "DKK", "HUF", "PLN", "RON", "SEK"}

// inUnion reports that a shop counts in a currency of the European Union.
func inUnion(s pos.Shop) bool { return slices.Contains(union, s.Currency.Code) }

// checkUSDT refuses Tether in the European Union until the owner says that he knows:
// since 1 July 2026 its issuer may not offer it there (MiCA).
func (c *config) checkUSDT(s *reader, sc *stableConfig) {
	if s.yes("usdt_in_eu") || !inUnion(c.shop) {
		return
	}
	for _, a := range sc.accept {
		if slices.ContainsFunc(a.tokens, func(t string) bool { return strings.EqualFold(t, "USDT") }) {
			a.part.bad("tokens", "USDT has no licence in the European Union (MiCA, since 1 July 2026). Take it off tokens of %q, or write usdt_in_eu = true under [stablecoins] when you have clarified that you may take it", a.chain)
		}
	}
}

// check makes each family's rails once, with a book that is kept nowhere, so that
// what only they know is said now and not at the counter.
func (sc *stableConfig) check(s *reader, shop pos.Shop) {
	nowhere := site{shop: shop, store: func(string) evm.Store { return nowhereStore{} }}
	for _, f := range families {
		list := sc.of(f)
		before := len(*s.faults)
		for _, a := range list { // each by itself: what is wrong has a line
			if _, err := f.build(*sc, []acceptConfig{a}, nowhere); err != nil {
				sc.blame(s, a, message(err))
			}
		}
		if !s.silent(before) || len(list) < 2 {
			continue
		}
		if _, err := f.build(*sc, list, nowhere); err != nil {
			s.bad("accept", "%s", message(err))
		}
	}
}

// blame puts a fault to the key whose value it names. What concerns the treasury is said
// once, whatever is accepted.
func (sc *stableConfig) blame(s *reader, a acceptConfig, text string) {
	switch {
	case sc.treasury != nil && strings.Contains(text, sc.treasury.String()):
		if f := s.fault("treasury", "%s", text); !slices.Contains(*s.faults, f) {
			*s.faults = append(*s.faults, f)
		}
	case a.to != "" && strings.Contains(text, a.to) && a.part.has("owner"):
		a.part.bad("owner", "%s", text)
	case a.to != "" && strings.Contains(text, a.to):
		a.part.bad("address", "%s", text)
	case a.voices() < 2 && strings.Contains(text, "operators"):
		a.part.bad("endpoint", "%s", sc.needsTwo(a, a.chain))
	default:
		a.part.bad("chain", "%s", text)
	}
}

// of returns what is accepted on a family's chains.
func (sc *stableConfig) of(f *family) []acceptConfig {
	return slices.DeleteFunc(slices.Clone(sc.accept), func(a acceptConfig) bool { return a.family != f })
}

// describe names what is taken where: "USDC, EURC on base; USDT on tron".
func (sc *stableConfig) describe() string {
	var out []string
	for _, a := range sc.accept {
		out = append(out, strings.Join(a.tokens, ", ")+" on "+a.chain)
	}
	return strings.Join(out, "; ")
}

// real reports that a chain is one whose tokens are worth something, as far as the
// till knows it.
func (a acceptConfig) real() bool {
	_, ok := evm.Known().Chain(a.chain)
	test := slices.Contains([]string{"solana-devnet", "nile"}, a.chain)
	return ok || a.family != evmFamily && !test
}

// acceptedTokens are the symbols that are taken on some chain.
func (c *config) acceptedTokens() (out []string) {
	if c.stablecoins == nil {
		return nil
	}
	for _, a := range c.stablecoins.accept {
		for _, symbol := range a.tokens {
			if !containsFold(out, symbol) {
				out = append(out, symbol)
			}
		}
	}
	return out
}

// readFixedTokens reads prices of tokens for trying out.
func (c *config) readFixedTokens(r *reader) {
	t := r.table("rates").table("fixed_tokens")
	for symbol := range t.tree {
		price := t.text(symbol, "")
		if _, err := pos.RateOf(c.shop.Currency, pos.Asset{Symbol: symbol, Decimals: 6}, price, "fixed", time.Time{}); err != nil {
			t.bad(symbol, "must be the price of one %s in %s such as \"0.92\", not %q", symbol, c.shop.Currency.Code, price)
			continue
		}
		if accepted := c.acceptedTokens(); c.stablecoins != nil && !containsFold(accepted, symbol) {
			t.warn(symbol, "is not taken anywhere%s", meant(symbol, accepted))
		}
		if c.rates.tokens == nil {
			c.rates.tokens = map[string]string{}
		}
		c.rates.tokens[symbol] = price
	}
	if len(c.rates.tokens) == 0 || c.stablecoins == nil {
		return
	}
	for _, a := range c.stablecoins.accept {
		if a.family != nil && a.real() {
			r.table("rates").bad("fixed_tokens", "are for trying out; on %s, with real tokens, the shop would sell at yesterday's price. Remove them", a.chain)
			return
		}
	}
}
