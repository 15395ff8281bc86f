package evm

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

var _ postest.Rail = (*Rail)(nil)

var merchant = MustAddress("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")

// The words of a line, for short.
type (
	line     = cointest.Line
	rpcFault = cointest.Fault
	answerer = cointest.Answerer
)

// newLine puts an endpoint before a real chain.
func newLine(t testing.TB, a *anvil) *line {
	return cointest.NewLine(t, func(method string, params []json.RawMessage) (json.RawMessage, *rpcFault) {
		ps := make([]any, len(params))
		for i, p := range params {
			ps[i] = p
		}
		out, err := a.Try(method, ps...)
		if err != nil {
			return nil, &rpcFault{Code: -32000, Message: err.Error()}
		}
		return out, nil
	})
}

// site is one chain of a lab: a real EVM, tokens, and endpoints before it.
type site struct {
	*anvil
	chain Chain
	usdc  token // 6 decimals
	dai   token // 18 decimals
	look  token // a look-alike
	lines []*line
}

// newPlace runs a chain with a key and a policy.
func newPlace(t testing.TB, id uint64, key string, policy Policy, operators int, args ...string) *site {
	t.Helper()
	p := &site{anvil: startAnvil(t, id, args...).ready()}
	p.usdc, p.dai, p.look = p.coin("Freezing", "USDC", 6), p.coin("Plain", "DAI", 18), p.coin("Plain", "USDC.e", 6)
	p.chain = Chain{ID: p.anvil.ID, Key: key, Name: "Test " + key, Coin: "ETH", StaleS: 600, Trust: 60, Policy: policy}
	p.works(merchant, nil, 1)
	for range operators {
		p.lines = append(p.lines, newLine(t, p.anvil))
	}
	return p
}

// tokens is what a registry holds of the place.
func (p *site) tokens() []Token {
	return []Token{
		{Chain: p.chain.ID, Symbol: "USDC", Contract: p.usdc.at, Decimals: 6, OnChain: []string{"USDC"}, Peg: "USD"},
		{Chain: p.chain.ID, Symbol: "DAI", Contract: p.dai.at, Decimals: 18, OnChain: []string{"DAI"}, Peg: "USD"},
		{Chain: p.chain.ID, Symbol: "USDC.e", Contract: p.look.at, Decimals: 6, Peg: "USD", Watch: true},
	}
}

func (p *site) accept() Accept {
	a := Accept{Chain: p.chain.Key, Tokens: []string{"USDC", "DAI"}}
	for i, l := range p.lines {
		a.Endpoints = append(a.Endpoints, Endpoint{Operator: fmt.Sprintf("%s %d", p.chain.Key, i+1), URL: l.URL() + "/key-that-nobody-may-see"})
	}
	return a
}

// lab is a till before chains.
type lab struct {
	*cointest.Till[*Rail]
	places []*site
	log    *slog.Logger
	change func(*Options)
	w      *Watcher
}

func newLab(t testing.TB, places ...*site) *lab {
	return &lab{Till: cointest.NewTill[*Rail](t), places: places, log: slog.New(slog.DiscardHandler)}
}

// start makes a watcher and runs it until the test ends, or stop.
func (l *lab) start() *lab {
	l.T.Helper()
	o := Options{Treasury: merchant, Store: l.Store, Log: l.log}
	for _, p := range l.places {
		r, err := o.Registry.With([]Chain{p.chain}, p.tokens())
		if err != nil {
			l.T.Fatal(err)
		}
		o.Registry, o.Accept = r, append(o.Accept, p.accept())
	}
	if l.change != nil {
		l.change(&o)
	}
	w, err := New(o)
	if err != nil {
		l.T.Fatal(err)
	}
	l.w = w
	l.Run(w)
	return l
}

// restart kills the till's side.
func (l *lab) restart() *lab {
	l.Stop()
	return l.start()
}

// at returns where the customer's wallet pays, by the code on the screen.
func at(t testing.TB, p pos.Payment) (Request, *big.Int) {
	t.Helper()
	r, err := ParseURI(p.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return r, r.Units
}

var small = Policy{coin.UpTo(0, OneBlock, 1)}
