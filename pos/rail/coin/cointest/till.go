package cointest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Rail is what the till's side asks of a rail.
type Rail interface {
	Tender() pos.Tender
	Health() pos.Health
	Ask(ctx context.Context, p pos.Payment, memo string) (pos.Asked, error)
	Check(ctx context.Context, p pos.Payment) (pos.Finding, error)
}

// Watcher is what makes rails of type R work.
type Watcher[R Rail] interface {
	Run(ctx context.Context) error
	Rails() []R
}

// Till is the till's side of a test: a store, and a watcher that can be killed.
type Till[R Rail] struct {
	T     testing.TB
	Store *Memory
	Stop  func() // ends Run and waits for that; may be called twice

	w Watcher[R]
}

// NewTill has an empty store and runs nothing.
func NewTill[R Rail](t testing.TB) *Till[R] { return &Till[R]{T: t, Store: &Memory{}} }

// Run runs a watcher until Stop, or the end of the test.
func (l *Till[R]) Run(w Watcher[R]) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.Run(ctx); err != nil {
			l.T.Errorf("run: %v", err)
		}
	}()
	l.w, l.Stop = w, sync.OnceFunc(func() { cancel(); <-done })
	l.T.Cleanup(l.Stop)
}

// Rail returns the rail of a tender.
func (l *Till[R]) Rail(tender pos.Tender) (r R) {
	l.T.Helper()
	for _, r := range l.w.Rails() {
		if r.Tender() == tender {
			return r
		}
	}
	l.T.Fatalf("no rail %s", tender)
	return r
}

// Ready waits until a rail can be offered.
func (l *Till[R]) Ready(tender pos.Tender) R {
	l.T.Helper()
	r := l.Rail(tender)
	l.Until("the rail is ready", func() bool { return r.Health().Ready })
	return r
}

// Bounds of Until. A loaded machine may take minutes; who waits longer waits in vain.
const (
	untilEvery  = 20 * time.Millisecond
	untilWithin = 5 * time.Minute
)

// Until waits for something that happens by itself.
func (l *Till[R]) Until(what string, ok func() bool) {
	l.T.Helper()
	every := time.NewTicker(untilEvery)
	defer every.Stop()
	for end := time.Now().Add(untilWithin); !ok(); <-every.C {
		if time.Now().After(end) {
			l.T.Fatalf("still not true: %s (%+v)", what, l.w.Rails()[0].Health())
		}
	}
}

// Intended is an attempt just chosen, of units of a rail's token.
func Intended(r Rail, sale string, units int64) pos.Payment {
	eur := pos.Currency{Code: "EUR", Decimals: 2}
	return pos.Payment{
		ID: pos.PaymentIDOf(pos.SaleID(sale), 1), Sale: pos.SaleID(sale), Attempt: 1, Tender: r.Tender(), State: pos.Intended,
		Amount: eur.Of(250), At: time.Now(), Moved: time.Now(), Quantity: r.Health().Asset.UnitsOf(units),
	}
}

// Requested is an attempt asked for and shown, as the desk keeps it.
func (l *Till[R]) Requested(r R, sale string, units int64) pos.Payment {
	l.T.Helper()
	p := Intended(r, sale, units)
	a, err := r.Ask(l.T.Context(), p, "Cafe #0001 2.50 EUR")
	if err != nil {
		l.T.Fatalf("ask: %v", err)
	}
	if !a.Quantity.IsZero() {
		p.Quantity = a.Quantity
	}
	p.Reference, p.Payload, p.Network, p.Expires, p.Forms = a.Reference, a.Payload, a.Network, a.Expires, a.Forms
	return l.Moved(p, pos.Request)
}

// Moved returns p after ev.
func (l *Till[R]) Moved(p pos.Payment, ev pos.Event) pos.Payment {
	l.T.Helper()
	if err := p.Apply(ev, time.Now()); err != nil {
		l.T.Fatal(err)
	}
	return p
}

// Found asks until a round had an answer: a loaded machine may miss some.
func (l *Till[R]) Found(r R, p pos.Payment) (f pos.Finding) {
	l.T.Helper()
	l.Until("a round had an answer", func() bool {
		var err error
		f, err = r.Check(l.T.Context(), p)
		return err == nil
	})
	return f
}

// Becomes asks until p is found to ev.
func (l *Till[R]) Becomes(r R, p pos.Payment, ev pos.Event) (f pos.Finding) {
	l.T.Helper()
	l.Until("the payment is found to "+string(ev), func() bool {
		var err error
		f, err = r.Check(l.T.Context(), p)
		return err == nil && f.Event == ev
	})
	return f
}

// Told reports a notice to the owner.
func Told(r Rail, text string) bool {
	return strings.Contains(strings.Join(r.Health().Notices, "\n"), text)
}
