package rates

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

const (
	// gatherFor is how long a question waits for others: guards in step ask within a
	// millisecond.
	gatherFor = 20 * time.Millisecond
	// maxGathered bounds the pairs of one request: each is some 400 bytes of the answer,
	// and bodyLimit holds 40.
	maxGathered = 16
	// unknownFor is how long a pair that was never quoted is not asked for again.
	unknownFor = time.Hour
)

// pair is a coin and the currency of its price.
type pair struct{ coin, currency string }

// memory knows which pairs a source does not quote, so that it is not asked for them
// every minute. A pair that was quoted once is always asked for.
type memory struct {
	mu      sync.Mutex
	quoted  map[pair]bool
	unknown map[pair]time.Time
}

// knows reports that p is not quoted, as far as was heard lately.
func (m *memory) knows(p pair) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.unknown[p]
	return ok && time.Since(at) < unknownFor
}

// note remembers what came of asking for p.
func (m *memory) note(p pair, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.quoted == nil {
		m.quoted, m.unknown = map[pair]bool{}, map[pair]time.Time{}
	}
	switch {
	case err == nil:
		m.quoted[p] = true
		delete(m.unknown, p)
	case errors.Is(err, errNotQuoted) && !m.quoted[p]:
		m.unknown[p] = time.Now()
	}
}

// gathered is a source whose one request can ask for several pairs: questions that
// come at once share one.
type gathered struct {
	*ticker
	urls  func(pairs []pair) string
	reads func(status int, body []byte, pairs []pair) (map[pair]string, error)

	mu   sync.Mutex
	next *batch // that still takes pairs; nil: none
}

// batch is one request. pairs is guarded by gathered.mu; what came is written before
// done is closed.
type batch struct {
	pairs  []pair
	done   chan struct{}
	prices map[pair]string
	errs   map[pair]error
}

// Price is as in Source. The first question of several sends the request of all, so
// their deadlines should be alike.
func (g *gathered) Price(ctx context.Context, c pos.Currency, coin string) (string, error) {
	p := pair{coin, c.Code}
	if !isCode(coin) || !isCode(c.Code) || g.unknown.knows(p) {
		return "", g.notQuoted(coin, c.Code)
	}
	b, leads := g.join(p)
	if leads {
		sleep(ctx, gatherFor)
		g.fetch(ctx, b)
		close(b.done)
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return "", g.judged(p, "", ctx.Err())
	}
	if err := g.judged(p, b.prices[p], b.errs[p]); err != nil {
		return "", err
	}
	return b.prices[p], nil
}

// join puts p into the next request. It reports who is to send it.
func (g *gathered) join(p pair) (b *batch, leads bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b = g.next; b == nil || len(b.pairs) >= maxGathered {
		b, leads = &batch{done: make(chan struct{}), prices: map[pair]string{}, errs: map[pair]error{}}, true
		g.next = b
	}
	if !slices.Contains(b.pairs, p) {
		b.pairs = append(b.pairs, p)
	}
	return b, leads
}

// fetch asks for all of b, which takes no more pairs then. One pair that is not quoted
// spoils the request for all: then each is asked for alone, and that one not again.
func (g *gathered) fetch(ctx context.Context, b *batch) {
	g.mu.Lock()
	if g.next == b {
		g.next = nil
	}
	g.mu.Unlock()
	prices, err := g.ask(ctx, b.pairs)
	if !errors.Is(err, errNotQuoted) || len(b.pairs) == 1 {
		for _, p := range b.pairs {
			b.prices[p], b.errs[p] = prices[p], err
			g.unknown.note(p, err)
		}
		return
	}
	for _, p := range b.pairs {
		prices, err := g.ask(ctx, []pair{p})
		b.prices[p], b.errs[p] = prices[p], err
		g.unknown.note(p, err)
	}
}

func (g *gathered) ask(ctx context.Context, pairs []pair) (map[pair]string, error) {
	status, body, err := g.get(ctx, g.urls(pairs))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBusy, err)
	}
	return g.reads(status, body, pairs)
}

// readKrakenAll reads an answer about several pairs: each of them once and no other.
func readKrakenAll(status int, body []byte, pairs []pair) (map[pair]string, error) {
	found, err := krakenResult(status, body)
	if err != nil {
		return nil, err
	}
	if len(found) != len(pairs) {
		return nil, fmt.Errorf("%d pairs, want %d", len(found), len(pairs))
	}
	out := map[pair]string{}
	for name, raw := range found {
		i := slices.IndexFunc(pairs, func(p pair) bool { return krakenPair(name, krakenCoin(p.coin), p.currency) })
		if i < 0 {
			return nil, fmt.Errorf("pair %.20q was not asked for", name)
		}
		if _, twice := out[pairs[i]]; twice {
			return nil, fmt.Errorf("pair %.20q is there twice", name)
		}
		if out[pairs[i]], err = krakenLast(raw); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// krakenURLs asks for several pairs at once.
func krakenURLs(base string) func([]pair) string {
	return func(pairs []pair) string {
		var names []string
		for _, p := range pairs {
			names = append(names, krakenCoin(p.coin)+p.currency)
		}
		return base + "/0/public/Ticker?pair=" + strings.Join(names, ",")
	}
}

// krakenResult opens Kraken's envelope: pairs by their names.
func krakenResult(status int, body []byte) (map[string]raw, error) {
	if status != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d", errBusy, status)
	}
	answer, err := object(body)
	if err != nil {
		return nil, err
	}
	faults, err := krakenFaults(answer["error"])
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		if strings.HasPrefix(faults[0], "EQuery:Unknown asset pair") {
			return nil, errNotQuoted
		}
		return nil, fmt.Errorf("%w: %.80q", errBusy, faults[0])
	}
	return object(answer["result"])
}

// Run asks for the prices of all guards in step until ctx ends, so that a source that
// answers for several pairs at once is asked once a round; then it returns nil, and no
// goroutine of its is left. The shortest pace of all is everybody's.
func Run(ctx context.Context, guards ...*Guard) error {
	for {
		began := time.Now()
		var wg sync.WaitGroup
		for _, g := range guards {
			wg.Go(func() { g.round(ctx, began) })
		}
		wg.Wait()
		if ctx.Err() != nil {
			return nil
		}
		next := time.Time{}
		for _, g := range guards {
			g.tell()
			if at := began.Add(g.pause()); next.IsZero() || at.Before(next) {
				next = at
			}
		}
		for end := firstEnd(guards, next); !end.IsZero(); end = firstEnd(guards, next) { // a rate dies between two rounds
			if !sleep(ctx, time.Until(end)) {
				return nil
			}
			for _, g := range guards {
				g.tell()
			}
		}
		if !sleep(ctx, time.Until(next)) {
			return nil
		}
	}
}

// firstEnd returns the first moment from now and before next at which a rate gets too
// old; zero when there is none.
func firstEnd(guards []*Guard, next time.Time) (first time.Time) {
	now := time.Now()
	for _, g := range guards {
		end := g.end()
		if end.After(now) && end.Before(next) && (first.IsZero() || end.Before(first)) {
			first = end
		}
	}
	return first
}
