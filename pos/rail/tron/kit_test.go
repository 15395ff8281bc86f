package tron

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

var _ postest.Rail = (*Rail)(nil)

// small is content with one block of one operator, whatever the size.
var small = Policy{coin.UpTo(0, OneBlock, 1)}

// strict wants two operators for everything.
var strict = Policy{coin.UpTo(0, OneBlock, 2)}

// deep wants the solidified block.
var deep = Policy{coin.UpTo(0, Solidified, 1)}

// lab is a till before a network.
type lab struct {
	*cointest.Till[*Rail]
	n         network
	registry  Registry
	chain     Chain
	usdt      Token
	look      Token // another one, that is not asked for
	endpoints []*endpoint
	options   Options // what New is given, endpoints included
	w         *Watcher
}

// usual is a till before a network of code, with an endpoint of each kind.
func usual(t testing.TB, policy Policy, kinds ...Kind) (*lab, *mem) {
	chain := Chain{ID: 728126428, Key: "tron", Name: "Tron", Coin: "TRX", StaleS: 60, Policy: policy}
	tokens := Known().Tokens(chain.ID)
	m := newMem(t, chain, tokens)
	return newLab(t, m, chain, tokens, inMemory, kinds...), m
}

const key = "key-that-nobody-may-see"

// newLab puts a till before endpoints of these kinds, each of an operator of its own.
func newLab(t testing.TB, n network, chain Chain, tokens []Token, serve func(*lab, *endpoint, int) string, kinds ...Kind) *lab {
	t.Helper()
	r, err := Registry{}.With([]Chain{chain}, tokens)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{Till: cointest.NewTill[*Rail](t), n: n, registry: r, chain: chain, usdt: tokens[0], look: tokens[1]}
	l.options = Options{Registry: r, Chain: chain.Key, Address: merchant, Accept: []string{"USDT"}, Store: l.Store}
	for i, kind := range kinds {
		e := newEndpoint(t, kind, n)
		e.key = key
		at := serve(l, e, i)
		if kind == JSONRPC {
			at += "/jsonrpc"
		}
		l.endpoints = append(l.endpoints, e)
		l.options.Endpoints = append(l.options.Endpoints, Endpoint{Operator: fmt.Sprintf("operator %d", i+1), URL: at, Kind: kind, Key: key})
	}
	return l
}

// loopback serves an endpoint on a real socket.
func loopback(l *lab, e *endpoint, _ int) string {
	srv := httptest.NewServer(e)
	l.T.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv.URL
}

// inMemory serves an endpoint without sockets, for bubbles.
func inMemory(l *lab, e *endpoint, i int) string {
	p := cointest.Serve(l.T, e)
	host, next := fmt.Sprintf("127.0.0.%d", i+1), l.options.Dial
	l.options.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, host+":") {
			return p.Dial(ctx, network, address)
		}
		return next(ctx, network, address)
	}
	return "http://" + host
}

// start makes a watcher and runs it until the test ends, or stop.
func (l *lab) start() *lab {
	l.T.Helper()
	w, err := New(l.options)
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

// found asks once: there is an answer, whatever it is.
func (l *lab) found(r *Rail, p pos.Payment) pos.Finding {
	l.T.Helper()
	f, err := r.Check(l.T.Context(), p)
	if err != nil {
		l.T.Fatalf("check: %v", err)
	}
	return f
}

// bubble runs a test in a bubble for each kind of endpoint.
func bubble(t *testing.T, policy Policy, body func(t *testing.T, l *lab, m *mem)) {
	for _, kind := range []Kind{JSONRPC, TronGrid} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kinds := []Kind{kind}
				if policy.Operators() > 1 { // the second one is of the other kind
					kinds = []Kind{kind, map[Kind]Kind{JSONRPC: TronGrid, TronGrid: JSONRPC}[kind]}
				}
				l, m := usual(t, policy, kinds...)
				l.start()
				body(t, l, m)
				l.Stop()
			})
		})
	}
}

var quiet = slog.New(slog.DiscardHandler)
