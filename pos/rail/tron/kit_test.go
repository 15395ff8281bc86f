package tron

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

var _ postest.Rail = (*Rail)(nil)

// memory is a Store that survives a restart of the till's side.
type memory struct {
	mu   sync.Mutex
	b    []byte
	fail error
}

func (m *memory) Load() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.b), m.fail
}

func (m *memory) Save(b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.b = slices.Clone(b)
	}
	return m.fail
}

// small is content with one block of one operator, whatever the size.
var small = Policy{coin.UpTo(0, OneBlock, 1)}

// strict wants two operators for everything.
var strict = Policy{coin.UpTo(0, OneBlock, 2)}

// deep wants the solidified block.
var deep = Policy{coin.UpTo(0, Solidified, 1)}

// lab is a till before a network.
type lab struct {
	t         testing.TB
	n         network
	registry  Registry
	chain     Chain
	usdt      Token
	look      Token // another one, that is not asked for
	endpoints []*endpoint
	options   Options // what New is given, endpoints included
	store     *memory
	w         *Watcher
	stop      func()
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
	l := &lab{t: t, n: n, registry: r, chain: chain, usdt: tokens[0], look: tokens[1], store: &memory{}}
	l.options = Options{Registry: r, Chain: chain.Key, Address: merchant, Accept: []string{"USDT"}, Store: l.store}
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
	l.t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv.URL
}

// inMemory serves an endpoint without sockets, for bubbles.
func inMemory(l *lab, e *endpoint, i int) string {
	p := newPipes()
	srv := &http.Server{Handler: e}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(p) }() // ends with Close
	l.t.Cleanup(func() { _ = srv.Close(); _ = p.Close(); <-done })
	host, next := fmt.Sprintf("127.0.0.%d", i+1), l.options.Dial
	l.options.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, host+":") {
			return p.dial(ctx, network, address)
		}
		return next(ctx, network, address)
	}
	return "http://" + host
}

// start makes a watcher and runs it until the test ends, or stop.
func (l *lab) start() *lab {
	l.t.Helper()
	w, err := New(l.options)
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.Run(ctx); err != nil {
			l.t.Errorf("run: %v", err)
		}
	}()
	l.w, l.stop = w, sync.OnceFunc(func() { cancel(); <-done })
	l.t.Cleanup(l.stop)
	return l
}

// restart kills the till's side.
func (l *lab) restart() *lab {
	l.stop()
	return l.start()
}

// ready waits until the rail can be offered.
func (l *lab) ready() *Rail {
	l.t.Helper()
	r := l.w.Rails()[0]
	l.until("the rail is ready", func() bool { return r.Health().Ready })
	return r
}

// until waits for something that happens by itself.
func (l *lab) until(what string, ok func() bool) {
	l.t.Helper()
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for end := time.Now().Add(5 * time.Minute); !ok(); <-every.C {
		if time.Now().After(end) {
			l.t.Fatalf("still not true: %s (health %+v)", what, l.w.Rails()[0].Health())
		}
	}
}

// intended is an attempt just chosen, of units of a rail's token.
func intended(r *Rail, sale string, units int64) pos.Payment {
	eur := pos.Currency{Code: "EUR", Decimals: 2}
	return pos.Payment{
		ID: pos.PaymentIDOf(pos.SaleID(sale), 1), Sale: pos.SaleID(sale), Attempt: 1, Tender: r.Tender(), State: pos.Intended,
		Amount: eur.Of(250), At: time.Now(), Moved: time.Now(), Quantity: r.token.Asset().UnitsOf(units),
	}
}

// wanted is an attempt asked for and shown, as the desk keeps it.
func (l *lab) wanted(r *Rail, sale string, units int64) pos.Payment {
	l.t.Helper()
	p := intended(r, sale, units)
	a, err := r.Ask(l.t.Context(), p, "Cafe #0001 2.50 EUR")
	if err != nil {
		l.t.Fatalf("ask: %v", err)
	}
	if !a.Quantity.IsZero() {
		p.Quantity = a.Quantity
	}
	p.Reference, p.Payload, p.Network, p.Expires, p.Forms = a.Reference, a.Payload, a.Network, a.Expires, a.Forms
	return l.moved(p, pos.Request)
}

func (l *lab) moved(p pos.Payment, ev pos.Event) pos.Payment {
	l.t.Helper()
	if err := p.Apply(ev, time.Now()); err != nil {
		l.t.Fatal(err)
	}
	return p
}

// found asks until a round had an answer.
func (l *lab) found(r *Rail, p pos.Payment) pos.Finding {
	l.t.Helper()
	f, err := r.Check(l.t.Context(), p)
	if err != nil {
		l.t.Fatalf("check: %v", err)
	}
	return f
}

// becomes asks until p is found to ev.
func (l *lab) becomes(r *Rail, p pos.Payment, ev pos.Event) (f pos.Finding) {
	l.t.Helper()
	l.until("the payment is found to "+string(ev), func() bool {
		var err error
		f, err = r.Check(l.t.Context(), p)
		return err == nil && f.Event == ev
	})
	return f
}

// told reports that the owner was told of something.
func told(r *Rail, part string) bool {
	return slices.ContainsFunc(r.Health().Notices, func(n string) bool { return strings.Contains(n, part) })
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
				l.stop()
			})
		})
	}
}

var quiet = slog.New(slog.DiscardHandler)
