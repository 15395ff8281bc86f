package solana

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
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
	return append([]byte(nil), m.b...), m.fail
}

func (m *memory) Save(b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.b = append([]byte(nil), b...)
	}
	return m.fail
}

var (
	merchant = MustKey("FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa")
	testNet  = Cluster{"solana", "Solana", "TiLLwrightTestCLusterxxxxxxxxxxxxxxxxxxxxxx"}
	small    = Policy{coin.UpTo(0, Confirmed, 1)} // one operator's word is enough for everything
	both     = Policy{coin.UpTo(0, Confirmed, 2)}
)

// keyOf makes a key out of a word.
func keyOf(word string) Key { return sha256.Sum256([]byte(word)) }

// lab is a till before a cluster.
type lab struct {
	t      testing.TB
	tokens []Token
	lines  []*line
	policy Policy
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	store  *memory
	log    *slog.Logger
	change func(*Options)
	w      *Watcher
	stop   func()
}

func newLab(t testing.TB, policy Policy, tokens []Token, lines ...*line) *lab {
	return &lab{t: t, policy: policy, tokens: tokens, lines: lines, store: &memory{}, log: slog.New(slog.DiscardHandler)}
}

func (l *lab) options() Options {
	r, err := Registry{}.With(l.tokens...)
	if err != nil {
		l.t.Fatal(err)
	}
	o := Options{Cluster: testNet, Registry: r, Owner: merchant, Policy: l.policy, Store: l.store, Log: l.log, Dial: l.dial, Label: "Café Süd"}
	for _, t := range l.tokens {
		if !t.Watch {
			o.Accept = append(o.Accept, t.Symbol)
		}
	}
	for i, k := range l.lines {
		url := fmt.Sprintf("http://127.0.0.%d", i+1)
		if k.srv != nil {
			url = k.srv.URL
		}
		o.Endpoints = append(o.Endpoints, rpc.Endpoint{Operator: fmt.Sprintf("operator %d", i+1), URL: url + "/key-that-nobody-may-see"})
	}
	if l.change != nil {
		l.change(&o)
	}
	return o
}

// start makes a watcher and runs it until the test ends, or stop.
func (l *lab) start() *lab {
	l.t.Helper()
	w, err := New(l.options())
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
			l.t.Fatalf("still not true: %s (%v)", what, l.w.Rails()[0].Health())
		}
	}
}

// intended is an attempt just chosen, of units of a rail's token.
func intended(r *Rail, sale string, units int64) pos.Payment {
	eur := pos.Currency{Code: "EUR", Decimals: 2}
	return pos.Payment{
		ID: pos.PaymentIDOf(pos.SaleID(sale), 1), Sale: pos.SaleID(sale), Attempt: 1, Tender: r.Tender(), State: pos.Intended,
		Amount: eur.Of(250), At: time.Now(), Moved: time.Now(), Quantity: r.Asset().UnitsOf(units),
	}
}

// requested is an attempt asked for and shown, as the desk keeps it.
func (l *lab) requested(r *Rail, sale string, units int64) pos.Payment {
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
func (l *lab) found(r *Rail, p pos.Payment) (f pos.Finding) {
	l.t.Helper()
	l.until("there is an answer", func() bool {
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

// told reports a notice to the owner.
func told(r *Rail, text string) bool {
	return strings.Contains(strings.Join(r.Health().Notices, "\n"), text)
}

// asks returns what the customer's wallet reads off the screen: the form's payload.
func asks(t testing.TB, payload string) sent {
	t.Helper()
	r, err := ParseURI(payload)
	if err != nil {
		t.Fatal(err)
	}
	units, ok := r.Units(6)
	if !ok {
		t.Fatalf("%s asks for %q", payload, r.Amount)
	}
	return sent{r.To, r.Token, units.Int64(), r.References}
}

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
