package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
)

var (
	_ sweep.Chains = evmChains{}
	_ sweep.Store  = (*store.DB)(nil)
)

// stablecoinsConfig is the networks whose addresses are swept: those that tills take
// stablecoins on.
type stablecoinsConfig struct {
	Registry string          `toml:"registry"` // more networks and tokens, as in the till's configuration
	Networks []networkConfig `toml:"network"`

	surveyor  *evm.Surveyor
	registry  evm.Registry
	witnesses []witness // its operators, each by himself
}

type networkConfig struct {
	Chain     string           `toml:"chain"` // "base"
	Endpoints []endpointConfig `toml:"endpoint"`
}

type endpointConfig struct {
	Operator string `toml:"operator"`
	URL      string `toml:"url"`      // the address itself, or
	URLFile  string `toml:"url_file"` // the file that holds it
}

// maxEndpoint bounds an endpoint's file, maxRegistry the merchant's list.
const (
	maxEndpoint = 4 << 10
	maxRegistry = 256 << 10
)

func (c *config) validateStablecoins(f *faults) {
	s := &c.Stablecoins
	if len(s.Networks) == 0 {
		return
	}
	s.registry = evm.Known()
	if s.Registry != "" {
		var err error
		if s.registry, err = readRegistry(s.Registry, s.registry); err != nil {
			f.key("stablecoins.registry", "cannot be used: "+message(err))
			return
		}
	}
	var accept []evm.Accept
	for _, n := range s.Networks {
		a := evm.Accept{Chain: n.Chain}
		for _, e := range n.Endpoints {
			at, err := e.address()
			if err != nil {
				f.key("stablecoins.network", fmt.Sprintf("%s: %v", n.Chain, err))
				return
			}
			a.Endpoints = append(a.Endpoints, evm.Endpoint{Operator: e.Operator, URL: at})
		}
		accept = append(accept, a)
	}
	var err error
	if s.surveyor, err = evm.NewSurveyor(evm.SurveyOptions{Registry: s.registry, Accept: accept}); err != nil {
		f.key("stablecoins.network", "cannot be used: "+message(err))
		return
	}
	if s.witnesses, err = newWitnesses(s.registry, accept); err != nil {
		f.key("stablecoins.network", "cannot be used: "+message(err))
	}
}

// address reads where an endpoint is.
func (e endpointConfig) address() (string, error) {
	switch {
	case (e.URL == "") == (e.URLFile == ""):
		return "", fmt.Errorf("an endpoint needs url_file (a file with its address, safer) or url, and not both")
	case e.URL != "":
		return e.URL, nil
	case !filepath.IsAbs(e.URLFile):
		return "", fmt.Errorf("url_file must be the full path of a file")
	}
	b, err := os.ReadFile(e.URLFile)
	if err != nil || len(b) > maxEndpoint {
		return "", fmt.Errorf("the file %s cannot be read, or is no address", e.URLFile)
	}
	return strings.TrimSpace(string(b)), nil
}

// readRegistry adds a merchant's own networks and tokens.
func readRegistry(path string, known evm.Registry) (evm.Registry, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return known, fmt.Errorf("%s cannot be read", path)
	}
	var in struct {
		Chains []evm.Chain `json:"chains"`
		Tokens []evm.Token `json:"tokens"`
	}
	if len(b) > maxRegistry || json.Unmarshal(b, &in) != nil {
		return known, fmt.Errorf("%s is no list of networks and tokens", path)
	}
	return known.With(in.Chains, in.Tokens)
}

// sweeper makes the part that brings stablecoins home; nil when it is not set up.
func (o *office) sweeper() sweep.Chains {
	if o.cfg.Stablecoins.surveyor == nil {
		return nil
	}
	s := o.cfg.Stablecoins
	return evmChains{s.surveyor, s.registry, s.witnesses}
}

// evmChains is Ethereum and its like, as package sweep wants them.
type evmChains struct {
	s         *evm.Surveyor
	r         evm.Registry
	witnesses []witness // its operators, each by himself
}

// Networks implements sweep.Chains.
func (c evmChains) Networks() (out []sweep.Network) {
	for _, n := range c.s.Chains() {
		out = append(out, sweep.Network{Key: n.Key, Name: n.Name, Coin: n.Coin})
	}
	return out
}

// Deposit implements sweep.Chains.
func (evmChains) Deposit(reference string) (address, treasury string, ok bool, err error) {
	if !strings.HasPrefix(reference, "evm ") {
		return "", "", false, nil
	}
	d, ok, err := evm.DepositOf(reference)
	return d.Address.String(), d.Treasury.String(), ok, err
}

// Look implements sweep.Chains.
func (c evmChains) Look(ctx context.Context, network string, references []string) (sweep.Round, error) {
	ds, err := depositsOf(references)
	if err != nil {
		return sweep.Round{}, err
	}
	r, err := c.s.Look(ctx, network, ds)
	return roundOf(r), err
}

func depositsOf(references []string) ([]evm.Deposit, error) {
	ds := make([]evm.Deposit, 0, len(references))
	for _, ref := range references {
		d, ok, err := evm.DepositOf(ref)
		if err != nil || !ok {
			return nil, pos.Say("look at chain", pos.Corrupt, err, "bo_sc_damaged")
		}
		ds = append(ds, d)
	}
	return ds, nil
}

func roundOf(r evm.Round) sweep.Round {
	out := sweep.Round{Ready: r.Factory, GasPrice: r.GasPrice, Number: r.Number, Counted: texts(r.Counted), Made: texts(r.Made)}
	for _, h := range r.Holdings {
		out.Holdings = append(out.Holdings, sweep.Holding{
			Address: h.Address.String(), Token: h.Token.Contract.String(), Symbol: h.Token.Symbol, Decimals: h.Token.Decimals, Newest: h.Newest, Final: h.Final,
		})
	}
	return out
}

func texts(list []evm.Address) (out []string) {
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}

// Sweep implements sweep.Chains.
func (c evmChains) Sweep(network string, items []sweep.Item) (sweep.Transaction, error) {
	chain, hs, err := c.holdings(network, items)
	if err != nil {
		return sweep.Transaction{}, err
	}
	s, err := evm.NewSweep(hs)
	return transactionOf(s, "Tillwright, "+chain.Name), err
}

// holdings reads items.
func (c evmChains) holdings(network string, items []sweep.Item) (chain evm.Chain, hs []evm.Holding, err error) {
	chain, ok := c.chain(network)
	if !ok {
		return chain, nil, pos.Say("prepare transfer", pos.NotFound, nil, "bo_sc_no_network")
	}
	for _, it := range items {
		d, ok, err := evm.DepositOf(it.Reference)
		token, err2 := evm.ParseAddress(it.Token)
		if err != nil || err2 != nil || !ok {
			return chain, nil, pos.Say("prepare transfer", pos.Corrupt, nil, "bo_sc_damaged")
		}
		hs = append(hs, evm.Holding{Deposit: d, Token: evm.Token{Chain: chain.ID, Contract: token}})
	}
	return chain, hs, nil
}

// verdicts are the chain's words in the owner's list. What is not there any more is moved,
// or gone: the next count tells which.
var verdicts = map[evm.Verdict]sweep.Why{
	evm.Free: "", evm.Empty: "", evm.Paused: sweep.Paused, evm.Shut: sweep.Shut, evm.Frozen: sweep.Frozen, evm.Refuse: sweep.Refused,
}

// Operators implements sweep.Refusals.
func (c evmChains) Operators(network string) (out []string) {
	for _, w := range c.witnesses {
		if slices.ContainsFunc(w.s.Chains(), func(n evm.Chain) bool { return n.Key == network }) {
			out = append(out, w.operator)
		}
	}
	return out
}

// Need implements sweep.Refusals: as many as a till asks for such a payment, as far as there
// are. The network's own coin has no price here, and what is not in the list of tokens has
// none either: both are as much as the most.
func (c evmChains) Need(network, token string, units *big.Int) int {
	n, ok := c.chain(network)
	if !ok {
		return 1
	}
	policy, need := evm.PolicyOf(n), 0
	for _, t := range c.r.Tokens(n.ID) {
		if t.Contract.String() == token {
			need = policy.Row(t.Decimals, units).Operators
		}
	}
	if need == 0 {
		need = policy.Operators()
	}
	return max(min(need, len(c.Operators(network))), 1)
}

// witness returns an operator's own surveyor.
func (c evmChains) witness(operator string) (*evm.Surveyor, error) {
	for _, w := range c.witnesses {
		if w.operator == operator {
			return w.s, nil
		}
	}
	return nil, pos.Say("ask operator", pos.NotFound, nil, "bo_sc_no_network")
}

// Try implements sweep.Refusals.
func (c evmChains) Try(ctx context.Context, network, operator string, items []sweep.Item) ([]sweep.Why, error) {
	_, hs, err := c.holdings(network, items)
	if err != nil {
		return nil, err
	}
	s, err := c.witness(operator)
	if err != nil {
		return nil, err
	}
	vs, err := s.Try(ctx, network, hs)
	if err != nil {
		return nil, err
	}
	out := make([]sweep.Why, len(vs))
	for i, v := range vs {
		out[i] = verdicts[v]
	}
	return out, nil
}

// Skipped implements sweep.Refusals.
func (c evmChains) Skipped(ctx context.Context, network, operator string, items []sweep.Item, from uint64) (left []sweep.Left, upTo uint64, err error) {
	_, hs, err := c.holdings(network, items)
	if err != nil {
		return nil, 0, err
	}
	s, err := c.witness(operator)
	if err != nil {
		return nil, 0, err
	}
	skips, upTo, err := s.Skipped(ctx, network, hs, from)
	for _, s := range skips {
		left = append(left, sweep.Left{Address: s.Address.String(), Token: s.Token.String(), Tx: s.Tx, Number: s.Number})
	}
	return left, upTo, err
}

// Fate implements sweep.Refusals.
func (c evmChains) Fate(ctx context.Context, network, operator, tx string, items []sweep.Item) (sweep.Fate, error) {
	_, hs, err := c.holdings(network, items)
	if err != nil {
		return sweep.Fate{}, err
	}
	s, err := c.witness(operator)
	if err != nil {
		return sweep.Fate{}, err
	}
	f, err := s.Fate(ctx, network, tx, hs)
	out := sweep.Fate{Known: f.Known, Named: f.Named, OK: f.OK, Gas: f.Gas, Used: f.Used}
	if f.Block != [32]byte{} {
		out.Block = hex.EncodeToString(f.Block[:])
	}
	return out, err
}

// Deploy implements sweep.Chains.
func (c evmChains) Deploy(network string) (sweep.Transaction, error) {
	chain, ok := c.chain(network)
	if !ok {
		return sweep.Transaction{}, pos.Say("prepare contract", pos.NotFound, nil, "bo_sc_no_network")
	}
	return transactionOf(evm.NewDeploy(chain), "Tillwright's contract, "+chain.Name), nil
}

func (c evmChains) chain(key string) (evm.Chain, bool) {
	all := c.s.Chains()
	i := slices.IndexFunc(all, func(n evm.Chain) bool { return n.Key == key })
	if i < 0 {
		return evm.Chain{}, false
	}
	return all[i], true
}

func transactionOf(s evm.Sweep, name string) sweep.Transaction {
	return sweep.Transaction{
		ChainID: s.Chain, To: s.To.String(), Data: "0x" + hex.EncodeToString(s.Data), Gas: s.Gas(), Link: s.Link(), JSON: s.JSON(), Safe: s.Safe(name, time.Now()),
	}
}
