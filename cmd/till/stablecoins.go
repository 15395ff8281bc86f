package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
	"github.com/tillwright/tillwright/pos/file"
	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/sync/wire"
)

// family is a kind of chains that one package knows: how its part of the configuration
// is read, and how rails are made of it.
type family struct {
	name string
	// chains are the keys that it knows.
	chains func(sc *stableConfig) []string
	// read reads what only this family's chains have, and names what is wrong.
	read func(p *reader, sc *stableConfig, a *acceptConfig)
	// build makes the rails. It calls nobody.
	build func(sc stableConfig, list []acceptConfig, at site) (fleet, error)
}

// site is what all families need of the till that they are in.
type site struct {
	store   func(name string) evm.Store // of what must not be forgotten, by name
	booked  func(pos.PaymentID) bool    // whether money of this name is booked as nobody's
	shop    pos.Shop
	trusted func() bool // whether the wall clock can be believed
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	log     *slog.Logger
}

// fleet is a family's rails, and what keeps them going.
type fleet struct {
	runs   []actorRun
	found  []desk.Unasked // who tells of money that no payment waits for
	rails  []tokenRail
	advice []string // what the owner should make sure of himself

	// seed is what its addresses are made of now; nil: nothing that could be lost. bind begins
	// another one when the till's identity is not the one before.
	seed func() wire.AddressSeed
	bind func(identity string) error
}

// tokenRail is one token on one chain.
type tokenRail struct {
	desk.Rail
	tender       pos.Tender
	token, chain string // for people: "USDC", "Base"
	peg          string // the currency that it follows
	asset        pos.Asset
	notice       string // what the cashier should know of it always

	to     pos.Destination
	unseen desk.Unseen // nil: it needs its chain's answer
}

// familyOf returns who knows a chain, nil when nobody does.
func familyOf(sc *stableConfig, chain string) *family {
	i := slices.IndexFunc(families, func(f *family) bool { return slices.Contains(f.chains(sc), chain) })
	if i < 0 {
		return nil
	}
	return families[i]
}

// stable makes the rails of every family, in the order of the configuration, and their
// tenders.
func (t *till) stable() ([]tokenRail, error) {
	sc := t.c.stablecoins
	if sc == nil {
		return nil, nil
	}
	var rails []tokenRail
	for _, f := range families {
		list := sc.of(f)
		if len(list) == 0 {
			continue
		}
		fl, err := f.build(*sc, list, site{
			store: func(name string) evm.Store { return bookStore(filepath.Join(t.c.data, name+".book")) },
			shop:  t.c.shop, dial: t.net.dial, log: t.log, booked: t.booked,
			trusted: func() bool { _, c := t.judge.Now(); return c == pos.ClockTrusted },
		})
		if err != nil {
			return nil, err
		}
		for _, a := range fl.advice {
			t.log.Warn("stablecoins", "advice", a)
		}
		t.actors.add("stablecoins "+f.name, fl.run, nil)
		t.unasked = append(t.unasked, fl.found...)
		if fl.seed != nil {
			t.bind, t.seed = fl.bind, fl.seed
			t.tellSeed(fl.seed)
		}
		rails = append(rails, fl.rails...)
	}
	sc.order(rails)
	return rails, nil
}

// booked reports that the journal has money of this name as nobody's.
func (t *till) booked(id pos.PaymentID) bool {
	known, err := t.ledger.Booked(id)
	if err != nil {
		t.log.Error("whether money is booked as nobody's is not known", "err", err)
	}
	return known
}

// order puts rails into the order of the configuration: the cheapest network first.
// Rails of one token stand together, where its first one stands.
func (sc stableConfig) order(rails []tokenRail) {
	place := map[pos.Tender]int{}
	for i, a := range sc.accept {
		for j, symbol := range a.tokens {
			place[pos.Tender(strings.ToLower(symbol)+"-"+a.chain)] = i*100 + j
		}
	}
	first := map[string]int{}
	for _, r := range rails {
		if at, ok := first[r.token]; !ok || place[r.tender] < at {
			first[r.token] = place[r.tender]
		}
	}
	slices.SortStableFunc(rails, func(a, b tokenRail) int {
		return cmp.Or(cmp.Compare(first[a.token], first[b.token]), cmp.Compare(place[a.tender], place[b.tender]))
	})
}

// tenders makes a button of each rail.
func (p *prices) tenders(sc *stableConfig, rails []tokenRail) (out []desk.Tender) {
	for _, r := range rails {
		t := desk.Tender{
			Name: r.tender, Rail: r.Rail, Token: r.token, Chain: r.chain, Rule: pos.OnlineOnly,
			Notice: func() string { return p.notice(r) }, To: r.to, Peg: pegged{p.tokens, r.asset},
		}
		if r.unseen != nil && sc.rule != pos.OnlineOnly {
			t.Rule, t.Limits, t.Unseen = sc.rule, sc.limits, r.unseen
		}
		out = append(out, t)
	}
	return out
}

// bookStore keeps a family's book in a file of its own.
type bookStore string

// maxBook bounds it: a thousand requests take 250 KB.
const maxBook = 4 << 20

// Load returns what is kept, nil before the first time.
func (s bookStore) Load() ([]byte, error) {
	b, err := readBounded(string(s), maxBook)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// Save replaces it whole.
func (s bookStore) Save(b []byte) error {
	if err := os.MkdirAll(filepath.Dir(string(s)), 0o700); err != nil {
		return err
	}
	return file.Replace(string(s), b)
}

// nowhereStore forgets everything: for looking at a configuration.
type nowhereStore struct{}

// Load returns nothing.
func (nowhereStore) Load() ([]byte, error) { return nil, nil }

// Save does nothing.
func (nowhereStore) Save([]byte) error { return nil }
