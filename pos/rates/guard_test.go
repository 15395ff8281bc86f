package rates

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// fake is an exchange on a line: it answers after delay, or when ctx ends.
type fake struct {
	name string

	mu    sync.Mutex
	price string
	err   error
	delay time.Duration
	asked int
	coin  string
}

func (f *fake) Name() string { return f.name }

func (f *fake) Price(ctx context.Context, c pos.Currency, coin string) (string, error) {
	f.mu.Lock()
	price, err, delay := f.price, f.err, f.delay
	f.asked++
	f.coin = coin + "/" + c.Code
	f.mu.Unlock()
	select {
	case <-ctx.Done():
		return "", pos.Wrap("ask", pos.Unavailable, ctx.Err(), "%s does not answer", f.name)
	case <-time.After(delay):
		return price, err
	}
}

func (f *fake) set(price string, err error, delay time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.price, f.err, f.delay = price, err, delay
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// shop is a Guard with three exchanges, running in a bubble.
type shop struct {
	*Guard
	t       *testing.T
	k, c, b *fake
	log     *bytes.Buffer
	mu      sync.Mutex
	changed int
}

const (
	every  = 30 * time.Second
	maxAge = 2 * time.Minute
)

// open starts a Guard whose exchanges ask for price; empty is a dead line.
func open(t *testing.T, price string) *shop {
	t.Helper()
	s := &shop{t: t, k: &fake{name: "Kraken"}, c: &fake{name: "Coinbase"}, b: &fake{name: "Bitstamp"}, log: &bytes.Buffer{}}
	s.all(price)
	o := Options{
		Currency: eur, Asset: pos.Bitcoin, Sources: []Source{s.k, s.c, s.b}, Least: 2, Every: every, MaxAge: maxAge,
		Log: slog.New(slog.NewTextHandler(s.log, nil)), Changed: func() { s.mu.Lock(); s.changed++; s.mu.Unlock() },
	}
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Guard = g
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
	synctest.Wait()
	return s
}

// all sets what every exchange says from now on.
func (s *shop) all(price string) {
	var err error
	if price == "" {
		err = pos.E("ask", pos.Unavailable, "no line")
	}
	for _, f := range []*fake{s.k, s.c, s.b} {
		f.set(price, err, 200*time.Millisecond)
	}
}

func (s *shop) pass(d time.Duration) { time.Sleep(d); synctest.Wait() }

// want checks price and state as one: "58000.00", or the reason that a cashier
// reads.
func (s *shop) want(want, state string) {
	s.t.Helper()
	got := ""
	r, err := s.Rate(pos.Bitcoin)
	if e, ok := errors.AsType[*pos.Error](err); ok {
		if got = e.Msg; e.Kind != pos.Unavailable {
			s.t.Errorf("kind %v", e.Kind)
		}
	} else {
		got = r.Price()
	}
	if got != want || s.Status().State != state || s.Status().Name != "rates" {
		s.t.Errorf("got %q and %v, want %q and %s", got, s.Status(), want, state)
	}
}

func (s *shop) changes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// TestNoNetworkAtStart opens the shop without a line. There is no price, no
// default, and a reason; when the line comes up there is one within seconds.
func TestNoNetworkAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "")
		s.want("no price yet", "unknown")
		s.pass(time.Second)
		s.want("no price: Kraken, Coinbase and Bitstamp do not answer", "offline")
		s.pass(8 * time.Hour)
		s.want("no price: Kraken, Coinbase and Bitstamp do not answer", "offline")
		if n := s.changes(); n != 1 {
			t.Errorf("%d changes in a night without one", n)
		}
		if n := s.k.count(); n > 4000 {
			t.Errorf("%d questions in eight hours", n)
		}
		if n := strings.Count(s.log.String(), "\n"); n != 1 {
			t.Errorf("%d log lines in a night of silence:\n%s", n, s.log)
		}
		s.all("58000")
		s.pass(hurryEvery + hurryEvery/10 + time.Second)
		s.want("1 BTC = 58000.00 EUR", "online")
		if s.changes() != 2 || s.k.coin != "BTC/EUR" {
			t.Errorf("%d changes, asked for %s", s.changes(), s.k.coin)
		}
	})
}

// TestOutage lets the line fail in the middle of the day: the rate lives until its
// maximum age and not a moment longer, and the screens hear of it at once.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "58000")
		s.pass(time.Second)
		s.want("1 BTC = 58000.00 EUR", "online")
		r, err := s.Rate(pos.Bitcoin)
		if err != nil {
			t.Fatal(err)
		}
		if r.Source != "median of 3" || time.Since(r.At) != time.Second || r.At != r.At.Round(0) {
			t.Errorf("source %q, %v old", r.Source, time.Since(r.At))
		}
		s.all("")
		s.pass(maxAge - time.Second)
		s.want("1 BTC = 58000.00 EUR", "online")
		if got := s.Status().Detail; got != "Kraken, Coinbase and Bitstamp do not answer" {
			t.Errorf("detail %q", got)
		}
		before := s.changes()
		s.pass(time.Nanosecond)
		s.want("no price: Kraken, Coinbase and Bitstamp do not answer", "offline")
		if s.changes() != before+1 {
			t.Error("the screens were not told that the rate died")
		}
	})
}

// TestPartOfTheSources takes exchanges away one by one.
func TestPartOfTheSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "58000")
		s.k.set("", pos.E("ask", pos.Invalid, "no such pair"), 0)
		s.c.set("57900", nil, 0)
		s.pass(2 * every)
		s.want("1 BTC = 57950.00 EUR", "online")
		if got := s.Status().Detail; got != "Kraken does not quote BTC in EUR" {
			t.Errorf("detail %q", got)
		}
		s.b.set("", nil, 0) // an answer that is no price
		s.pass(2*every + maxAge)
		s.want("no price: Bitstamp names no sensible price, Kraken does not quote BTC in EUR", "offline")
	})
}

// TestSlowSource: one that hangs costs the round its own deadline and no more, and
// never the caller.
func TestSlowSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "58000")
		s.b.set("1", nil, time.Hour)
		s.pass(time.Hour)
		s.want("1 BTC = 58000.00 EUR", "online")
		if r, err := s.Rate(pos.Bitcoin); err != nil || r.Source != "median of 2" {
			t.Errorf("got %q, %v", r.Source, err)
		}
		if n := s.k.count(); n < 105 || n > 135 { // one every 30 s, a tenth more or less
			t.Errorf("asked %d times in an hour", n)
		}
	})
}

// TestCrash halves the price on all exchanges. Selling stops at once, for neither
// price is sure, and goes on by itself within minutes.
func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "58000")
		s.pass(time.Second)
		s.all("29000")
		s.pass(every + every/10 + time.Second)
		s.want("no price: the price of BTC moved by more than 20 %, which is being checked", "offline")
		s.pass(3 * every)
		s.want("1 BTC = 29000.00 EUR", "online")
		if n := s.changes(); n != 3 {
			t.Errorf("%d changes, want a price, none, a price", n)
		}
	})
}

// TestWildSource lets one exchange go mad. Nobody notices.
func TestWildSource(t *testing.T) {
	for _, wild := range []string{"1", "0", "-1", "NaN", "", "580000000", "29000", "1e9", strings.Repeat("9", 1000)} {
		t.Run(wild[:min(len(wild), 10)], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, "58000")
				s.c.set(wild, nil, 0)
				for range 20 {
					s.pass(every)
					s.want("1 BTC = 58000.00 EUR", "online")
				}
			})
		})
	}
}

// TestFixedPrice is devnet's shop: one source, and it is never wrong.
func TestFixedPrice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := New(Options{Currency: eur, Asset: pos.Bitcoin, Sources: []Source{Fixed("60000")}, Least: 1, Every: every, MaxAge: maxAge, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go g.Run(ctx)
		synctest.Wait()
		r, err := g.Rate(pos.Bitcoin)
		if err != nil || r.Price() != "1 BTC = 60000.00 EUR" || r.Source != "fixed price" {
			t.Errorf("got %v %q, %v", r.Price(), r.Source, err)
		}
		q, err := r.Charge(eur.Of(1))
		if err != nil || q.String() != "17 sat" { // 0.01 / 60,000 BTC is 16.67 sat
			t.Errorf("a cent is %v, %v", q, err)
		}
		cancel()
	})
}

// TestOtherAssets: tokens of one coin share its price, whatever chain they are on;
// nothing else gets one.
func TestOtherAssets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sources := []Source{&fake{name: "A", price: "0.92"}, &fake{name: "B", price: "0.9201"}}
		usdc := pos.Asset{ID: "polygon:0x3c49", Symbol: "USDC", Decimals: 6, Shown: 6}
		onSolana := pos.Asset{ID: "solana:EPjF", Symbol: "USDC", Decimals: 9, Shown: 2}
		g, err := New(Options{Currency: eur, Asset: usdc, Sources: sources, Least: 2, Every: every, MaxAge: maxAge, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go g.Run(ctx)
		synctest.Wait()
		for a, want := range map[pos.Asset]string{usdc: "13.586219", onSolana: "13.59"} { // 12.50 / 0.92005
			r, err := g.Rate(a)
			if err != nil {
				t.Fatal(err)
			}
			if q, err := r.Charge(eur.Of(1250)); err != nil || q.Number() != want {
				t.Errorf("on %s: %v, %v, want %s", a.ID, q, err, want)
			}
		}
		if _, err := g.Rate(pos.Bitcoin); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("bitcoin was priced as a dollar: %v", err)
		}
	})
}

// TestOptions refuses what would make the promises empty.
func TestOptions(t *testing.T) {
	a, b := &fake{name: "A"}, &fake{name: "B"}
	good := func() Options {
		return Options{Currency: eur, Asset: pos.Bitcoin, Sources: []Source{a, b}, Least: 2, Every: every, MaxAge: maxAge, Log: slog.New(slog.DiscardHandler)}
	}
	if _, err := New(good()); err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(*Options){
		"no currency":              func(o *Options) { o.Currency = pos.Currency{} },
		"no coin":                  func(o *Options) { o.Asset = pos.Asset{} },
		"no source":                func(o *Options) { o.Sources = nil },
		"no source and none asked": func(o *Options) { o.Sources, o.Least = nil, 0 },
		"fewer sources than least": func(o *Options) { o.Least = 3 },
		"least zero":               func(o *Options) { o.Least = 0 },
		"one of two decides":       func(o *Options) { o.Least = 1 },
		"one that is not fixed":    func(o *Options) { o.Sources, o.Least = []Source{a}, 1 },
		"the same twice":           func(o *Options) { o.Sources = []Source{a, a} },
		"too many":                 func(o *Options) { o.Sources = many(9) },
		"no pace":                  func(o *Options) { o.Every = 0 },
		"older than two rounds":    func(o *Options) { o.MaxAge = 2*every - 1 },
		"no log":                   func(o *Options) { o.Log = nil },
	}
	for name, spoil := range tests {
		o := good()
		spoil(&o)
		if _, err := New(o); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func many(n int) []Source {
	var out []Source
	for i := range n {
		out = append(out, &fake{name: string(rune('A' + i))})
	}
	return out
}

// TestStop ends Run in the middle of a round and in the middle of a pause.
func TestStop(t *testing.T) {
	for _, after := range []time.Duration{0, time.Second, 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, "58000")
			s.b.set("1", nil, time.Hour)
			s.pass(after) // the cleanup stops it, and the bubble sees leaks
		})
	}
}
