package rates

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// askWithin bounds one source in one round: the public tickers answer in a few
// hundred milliseconds, and a shop's bad line in a few seconds.
const askWithin = 5 * time.Second

// hurryEvery is the pace while there is no price at all and sources are silent: the
// line has just come up, or is about to. It is what public tickers allow anybody.
const hurryEvery = 10 * time.Second

// maxSources bounds what one round asks at once.
const maxSources = 8

// Options of a Guard.
type Options struct {
	Currency pos.Currency
	Asset    pos.Asset // what prices are asked for; its Coin, or Symbol, is the name that sources know
	Sources  []Source  // at most 8, with different names
	// Least is how many sources must agree: 2 or more. 1 only where the one source
	// is Fixed, for a single one must never decide.
	Least  int
	Every  time.Duration // from the start of a round to the next; varied by a tenth so that tills do not march in step
	MaxAge time.Duration // a rate older than this is no rate; at least twice Every, or one lost round would grey the button
	Log    *slog.Logger
	// Changed, if not nil, is called after the rate or its reason changed, from
	// Run's goroutine. It must not block.
	Changed func()
}

// validate names the first fault.
func (o Options) validate() error {
	bad := func(why string) error { return pos.E("guard rates", pos.Invalid, "%s", why) }
	names := map[string]bool{}
	for _, s := range o.Sources {
		names[s.Name()] = true
	}
	_, err := pos.CurrencyOf(o.Currency.Code)
	switch {
	case err != nil:
		return err
	case coinOf(o.Asset) == "":
		return bad("prices need a coin")
	case len(names) != len(o.Sources) || len(o.Sources) > maxSources:
		return bad("price sources must be different ones, at most 8")
	case o.Least < 1 || o.Least > len(o.Sources):
		return bad("there are fewer price sources than must agree")
	case o.Least == 1 && !onlyFixed(o.Sources):
		return bad("at least two price sources must agree")
	case o.Every <= 0 || o.MaxAge < 2*o.Every:
		return bad("prices must be asked for at least twice in their maximum age")
	case o.Log == nil:
		return bad("prices need a log")
	}
	return nil
}

func onlyFixed(sources []Source) bool {
	_, ok := sources[0].(fixed)
	return ok && len(sources) == 1
}

// Guard holds the newest rate that can be believed. Its methods may be called
// from any goroutine.
type Guard struct {
	o     Options
	rules rules

	mu   sync.Mutex // held for moments, never over a call
	book book

	told news // what Changed was last called for; Run's own
}

// New makes a Guard without a rate; Run fetches them. It fails with Invalid when
// the options make no sense.
func New(o Options) (*Guard, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Guard{o: o, rules: rules{o.Least, coinOf(o.Asset), o.Currency.Code}}, nil
}

// Run asks all sources at once, again and again, until ctx ends; then it returns
// nil, and no goroutine of its is left.
func (g *Guard) Run(ctx context.Context) error { return Run(ctx, g) }

func (g *Guard) round(ctx context.Context, began time.Time) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	quotes := make([]quote, len(g.o.Sources))
	var wg sync.WaitGroup
	for i, s := range g.o.Sources {
		wg.Go(func() { quotes[i] = g.ask(ctx, s) })
	}
	wg.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.book = g.rules.next(g.book, quotes, began)
}

func (g *Guard) ask(ctx context.Context, s Source) quote {
	text, err := s.Price(ctx, g.o.Currency, g.rules.coin)
	if err != nil {
		g.o.Log.Debug("price source failed", "source", s.Name(), "err", err)
		return quote{name: s.Name(), err: err}
	}
	price, ok := parsePrice(text)
	if !ok {
		g.o.Log.Debug("price source failed", "source", s.Name(), "price", text[:min(len(text), maxPriceText)])
		return quote{name: s.Name()}
	}
	return quote{name: s.Name(), price: price}
}

// pause is the time from the beginning of this round to the next.
func (g *Guard) pause() time.Duration {
	every := g.o.Every
	g.mu.Lock()
	if g.book.level == nil && g.book.silent && !g.fresh() {
		every = min(every, hurryEvery)
	}
	g.mu.Unlock()
	tenth := every / 10
	return every - tenth + rand.N(2*tenth+1)
}

// fresh reports that there is a rate and it is not too old. g.mu is held. Since
// uses the monotonic clock: setting the wall clock ages nothing.
func (g *Guard) fresh() bool {
	return g.book.price != nil && time.Since(g.book.at) <= g.o.MaxAge
}

// end is the moment after which the rate is too old; zero without one.
func (g *Guard) end() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.book.price == nil {
		return time.Time{}
	}
	return g.book.at.Add(g.o.MaxAge + time.Nanosecond)
}

// usable returns the book's price, or why there is none. g.mu is held.
func (g *Guard) usable() (price, why string) {
	b := g.book
	switch {
	case !b.asked:
		return "", "no price yet"
	case b.price != nil && b.level == nil && g.fresh():
		return priceText(b.price), ""
	case b.why == "":
		return "", "no price: the last one is too old"
	}
	return "", "no price: " + b.why
}

// Rate returns the newest rate for an asset of the guarded coin. It never blocks.
// It fails with Unavailable when there is none that can be believed; the message
// is the reason, for a cashier: "no price: Kraken and Coinbase do not answer".
func (g *Guard) Rate(a pos.Asset) (pos.Rate, error) {
	if coinOf(a) != g.rules.coin {
		return pos.Rate{}, pos.E("read rate", pos.Unavailable, "no price: nobody is asked for the price of %.10s", coinOf(a))
	}
	g.mu.Lock()
	price, why := g.usable()
	source, at := g.book.source, g.book.at
	g.mu.Unlock()
	if why != "" {
		return pos.Rate{}, pos.E("read rate", pos.Unavailable, "%s", why)
	}
	return pos.RateOf(g.o.Currency, a, price, source, at.UTC().Round(0))
}

// Status says, for the cashier's screen, whether there is a rate. Online may have
// a detail too: a source that was no help.
func (g *Guard) Status() pos.Link {
	g.mu.Lock()
	defer g.mu.Unlock()
	price, why := g.usable()
	switch {
	case !g.book.asked:
		return pos.Link{Name: "rates", State: "unknown", Detail: why}
	case price == "":
		return pos.Link{Name: "rates", State: "offline", Detail: why}
	}
	return pos.Link{Name: "rates", State: "online", Detail: g.book.why}
}

// tell logs that prices came or went, and calls Changed if there is news.
func (g *Guard) tell() {
	g.mu.Lock()
	price, why := g.usable()
	note := g.book.why
	g.mu.Unlock()
	now := news{price, why, note}
	if now == g.told {
		return
	}
	switch {
	case price == "" && why != g.told.why:
		g.o.Log.Warn("no rate", "coin", g.rules.coin, "reason", why)
	case price != "" && g.told.price == "":
		g.o.Log.Info("rate found", "coin", g.rules.coin, "price", price)
	}
	g.told = now
	if g.o.Changed != nil {
		g.o.Changed()
	}
}

// news is what screens show of a Guard.
type news struct{ price, why, note string }

// sleep waits for d and reports that ctx goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
