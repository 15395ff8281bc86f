package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/solana"
	"github.com/tillwright/tillwright/pos/rail/tron"
	"github.com/tillwright/tillwright/pos/rail/unique"
	"github.com/tillwright/tillwright/sync/wire"
)

// families are asked in this order whether they know a chain.
var families = []*family{solanaFamily, tronFamily, evmFamily}

// The kinds of chains that the till knows.
var (
	evmFamily    = &family{name: "evm", chains: evmChains, read: readEVM, build: buildEVM}
	solanaFamily = &family{name: "solana", chains: solanaChains, read: readSolana, build: buildSolana}
	tronFamily   = &family{name: "tron", chains: tronChains, read: readTron, build: buildTron}
)

func evmChains(sc *stableConfig) (out []string) {
	for _, c := range sc.registry.Chains() {
		out = append(out, c.Key)
	}
	return out
}

func buildEVM(sc stableConfig, list []acceptConfig, at site) (fleet, error) {
	o := evm.Options{
		Registry: sc.registry, Treasury: *sc.treasury, Shared: sc.oneAddress, Store: at.store("evm"), Expiry: sc.expiry, Tolerance: sc.tolerance,
		Links: slices.DeleteFunc(slices.Clone(sc.links), func(l string) bool { return l == "tron" }), Language: at.shop.Language, ClockTrusted: at.trusted, Booked: at.booked, Dial: at.dial, Log: at.log,
	}
	if sc.tills > 1 { // with one_address they would be paid by one another's customers
		o.Lane = unique.Lane{N: sc.till - 1, Of: sc.tills}
	}
	for _, a := range list {
		o.Accept = append(o.Accept, evm.Accept{Chain: a.chain, Tokens: a.tokens, Endpoints: a.plainEndpoints()})
	}
	w, err := evm.New(o)
	if err != nil {
		return fleet{}, err
	}
	out := fleet{runs: []actorRun{w.Run}, found: []desk.Unasked{w.Found()}, advice: []string{ownWallet("treasury", w.Treasury().String())}}
	if !sc.oneAddress { // one address for all is the treasury itself
		out.seed, out.bind = func() wire.AddressSeed { return seedOf(w) }, w.Bind
	}
	for _, r := range w.Rails() {
		t := r.Token()
		out.rails = append(out.rails, tokenRail{Rail: r, tender: r.Tender(), token: t.Symbol, chain: r.Chain().Name, peg: t.Peg, asset: t.Asset(), unseen: r, to: pos.Destination{Name: "evm", Network: "EVM", Address: w.Treasury().String()}})
	}
	return out, nil
}

// ownWallet is what only the owner can know of where the money goes.
func ownWallet(what, address string) string {
	return what + " " + address + ": make sure that it is your own wallet. The till cannot tell an exchange's deposit address, where this money would be lost"
}

// plainEndpoints are endpoints whose key, if there is one, is in their address.
func (a acceptConfig) plainEndpoints() (out []rpc.Endpoint) {
	for _, e := range a.endpoints {
		out = append(out, rpc.Endpoint{Operator: e.operator, URL: e.url})
	}
	return out
}

// clusters are Solana's networks.
var clusters = []solana.Cluster{solana.Mainnet, solana.Devnet}

func solanaChains(*stableConfig) (out []string) {
	for _, c := range clusters {
		out = append(out, c.Key)
	}
	return out
}

func clusterOf(key string) solana.Cluster {
	for _, c := range clusters {
		if c.Key == key {
			return c
		}
	}
	return solana.Mainnet
}

func readSolana(p *reader, sc *stableConfig, a *acceptConfig) {
	c, known := clusterOf(a.chain), solana.Known()
	a.to = p.need("owner", "7vfC…: your own wallet on Solana, not a token account and never an exchange's deposit address")
	if _, err := solana.ParseKey(a.to); err != nil && a.to != "" {
		p.bad("owner", "%s", message(err))
	}
	var symbols []string
	for _, t := range known.Tokens(c.Key) {
		if !t.Watch {
			symbols = append(symbols, t.Symbol)
		}
	}
	checkTokens(p, a, c.Name, symbols)
}

func buildSolana(sc stableConfig, list []acceptConfig, at site) (out fleet, err error) {
	for _, a := range list {
		owner, err := solana.ParseKey(a.to)
		if err != nil {
			return fleet{}, err
		}
		o := solana.Options{
			Cluster: clusterOf(a.chain), Owner: owner, Accept: a.tokens, Endpoints: a.plainEndpoints(), Policy: a.policy, Store: at.store(a.chain), Closed: at.store(a.chain + "-closed"), Expiry: sc.expiry,
			Language: at.shop.Language, Label: label(at.shop.Name), ClockTrusted: at.trusted, Booked: at.booked, Dial: at.dial, Log: at.log,
		}
		if sc.tills > 1 {
			o.Till, o.Tills = sc.till, sc.tills
		}
		w, err := solana.New(o)
		if err != nil {
			return fleet{}, err
		}
		out.advice = append(out.advice, ownWallet("owner", w.Owner().String()))
		out.runs, out.found = append(out.runs, w.Run), append(out.found, w.Found())
		for _, r := range w.Rails() {
			t := r.Token()
			out.rails = append(out.rails, tokenRail{Rail: r, tender: r.Tender(), token: t.Symbol, chain: r.Cluster().Name, peg: t.Peg, asset: r.Asset(), notice: w.Warning(), to: pos.Destination{Name: a.chain, Network: r.Cluster().Name, Address: w.Owner().String()}})
		}
	}
	return out, nil
}

// labelBytes bounds what a wallet shows of the shop (solana.Options.Label).
const labelBytes = 40

// label cuts a shop's name to what wallets are given, between letters.
func label(name string) string {
	if len(name) <= labelBytes {
		return name
	}
	return strings.ToValidUTF8(name[:labelBytes], "")
}

func tronChains(*stableConfig) (out []string) {
	for _, c := range tron.Known().Chains() {
		out = append(out, c.Key)
	}
	return out
}

func readTron(p *reader, sc *stableConfig, a *acceptConfig) {
	chain, _ := tron.Known().Chain(a.chain)
	a.to = p.need("address", "T…: your own wallet on Tron, never an exchange's deposit address")
	if _, err := tron.ParseAddress(a.to); err != nil && a.to != "" {
		p.bad("address", "%s", message(err))
	}
	var symbols []string
	for _, t := range tron.Known().Tokens(chain.ID) {
		if !t.Watch {
			symbols = append(symbols, t.Symbol)
		}
	}
	checkTokens(p, a, chain.Name, symbols)
}

// checkTokens names tokens that nobody knows on a chain.
func checkTokens(p *reader, a *acceptConfig, chain string, symbols []string) {
	for _, t := range a.tokens {
		if !containsFold(symbols, t) {
			p.bad("tokens", "%q is not known on %s; choose from %s", t, chain, strings.Join(symbols, ", "))
		}
	}
}

func containsFold(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

func buildTron(sc stableConfig, list []acceptConfig, at site) (out fleet, err error) {
	for _, a := range list {
		to, err := tron.ParseAddress(a.to)
		if err != nil {
			return fleet{}, err
		}
		registry := tron.Known()
		if len(a.policy) > 0 {
			if registry, err = registry.WithPolicy(a.chain, a.policy); err != nil {
				return fleet{}, err
			}
		}
		o := tron.Options{
			Registry: registry, Chain: a.chain, Address: to, Accept: a.tokens, Store: at.store(a.chain), Closed: at.store(a.chain + "-closed"), Expiry: sc.expiry,
			Language: at.shop.Language, Link: containsFold(sc.links, "tron"), ClockTrusted: at.trusted, Booked: at.booked, Dial: at.dial, Log: at.log,
		}
		if sc.tills > 1 {
			o.Lane = unique.Lane{N: sc.till - 1, Of: sc.tills}
		}
		for _, e := range a.endpoints {
			o.Endpoints = append(o.Endpoints, tron.Endpoint{Operator: e.operator, URL: e.url, Kind: tron.Kind(cmp.Or(e.kind, string(tron.JSONRPC))), Key: rpc.Secret(e.key), Daily: e.daily})
		}
		w, err := tron.New(o)
		if err != nil {
			return fleet{}, err
		}
		out.advice = append(out.advice, w.Advice()...)
		out.runs, out.found = append(out.runs, w.Run), append(out.found, w.Found())
		for _, r := range w.Rails() {
			t := r.Token()
			out.rails = append(out.rails, tokenRail{Rail: r, tender: r.Tender(), token: t.Symbol, chain: r.Chain().Name, peg: t.Peg, asset: t.Asset(), to: pos.Destination{Name: a.chain, Network: r.Chain().Name, Address: to.String()}})
		}
	}
	return out, nil
}

// actorRun works until ctx ends.
type actorRun func(ctx context.Context) error

// run works on all of a fleet until ctx ends; a watcher that fails ends the others.
func (f fleet) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	errs := make([]error, len(f.runs))
	for i, r := range f.runs {
		wg.Go(func() {
			defer stop()
			errs[i] = r(ctx)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
