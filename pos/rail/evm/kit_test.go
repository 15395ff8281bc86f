package evm

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

var _ postest.Rail = (*Rail)(nil)

// memory is a Store that survives a restart of the till's side.
type memory struct {
	mu    sync.Mutex
	b     []byte
	saves int
	fail  error
}

func (m *memory) Load() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]byte(nil), m.b...), m.fail
}

func (m *memory) Save(b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.b, m.saves = append([]byte(nil), b...), m.saves+1
	}
	return m.fail
}

var merchant = MustAddress("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")

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
		a.Endpoints = append(a.Endpoints, Endpoint{Operator: fmt.Sprintf("%s %d", p.chain.Key, i+1), URL: l.url() + "/key-that-nobody-may-see"})
	}
	return a
}

// lab is a till before chains.
type lab struct {
	t      testing.TB
	places []*site
	store  *memory
	log    *slog.Logger
	change func(*Options)
	w      *Watcher
	stop   func()
}

func newLab(t testing.TB, places ...*site) *lab {
	l := &lab{t: t, places: places, store: &memory{}, log: slog.New(slog.DiscardHandler)}
	return l
}

// start makes a watcher and runs it until the test ends, or stop.
func (l *lab) start() *lab {
	l.t.Helper()
	o := Options{Treasury: merchant, Store: l.store, Log: l.log}
	for _, p := range l.places {
		r, err := o.Registry.With([]Chain{p.chain}, p.tokens())
		if err != nil {
			l.t.Fatal(err)
		}
		o.Registry, o.Accept = r, append(o.Accept, p.accept())
	}
	if l.change != nil {
		l.change(&o)
	}
	w, err := New(o)
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

// rail returns the rail of a tender.
func (l *lab) rail(tender pos.Tender) *Rail {
	l.t.Helper()
	for _, r := range l.w.Rails() {
		if r.Tender() == tender {
			return r
		}
	}
	l.t.Fatalf("no rail %s", tender)
	return nil
}

// ready waits until a rail can be offered.
func (l *lab) ready(tender pos.Tender) *Rail {
	l.t.Helper()
	r := l.rail(tender)
	l.until("the rail is ready", func() bool { return r.Health().Ready })
	return r
}

// until waits for something that happens by itself.
func (l *lab) until(what string, ok func() bool) {
	l.t.Helper()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for end := time.Now().Add(5 * time.Minute); !ok(); <-every.C {
		if time.Now().After(end) {
			l.t.Fatalf("still not true: %s", what)
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

// requested is an attempt asked for and shown.
func (l *lab) requested(r *Rail, sale string, units int64) pos.Payment {
	l.t.Helper()
	p := intended(r, sale, units)
	a, err := r.Ask(l.t.Context(), p, "Cafe #0001 2.50 EUR")
	if err != nil {
		l.t.Fatalf("ask: %v", err)
	}
	p.Reference, p.Payload, p.Network, p.Expires = a.Reference, a.Payload, a.Network, a.Expires
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
	var f pos.Finding
	l.until("a round had an answer", func() bool { // a loaded machine may miss some
		var err error
		f, err = r.Check(l.t.Context(), p)
		return err == nil
	})
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

// synced lets several goroutines write to one buffer.
type synced struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *synced) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}
