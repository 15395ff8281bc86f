package tron

import (
	"context"
	"log/slog"
	"math/big"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Paces of the rounds. The pace and the quota of an operator stretch them.
const (
	hotEvery  = blockSeconds * time.Second // while a customer pays: there is nothing new in between
	idleEvery = 30 * time.Second           // to know its health
	failEvery = 3 * time.Second            // after a round without an answer, while somebody asks
	failIdle  = 15 * time.Second           // the same while nobody does
	// verifyEvery is how often an endpoint and the tokens are looked at anew.
	verifyEvery = time.Hour
	// greetEvery is how often the endpoints that are not in use are asked for a sign of
	// life.
	greetEvery = 2 * time.Minute
)

// client is one endpoint.
type client struct {
	source
	line *line
}

func (k *client) operator() string { return k.line.Operator }

// chain is the network and the endpoints that tell of it. One goroutine makes its
// rounds.
type chain struct {
	shop
	w       *Watcher
	log     *slog.Logger // names the network
	clients coin.Ring[*client]
	rounds  *coin.Rounds
	health  coin.Health[Address] // tokens by their contracts

	mu    sync.Mutex
	state headState

	// Under Watcher.mu.
	anchors []anchor

	// Of the chain's goroutine alone.
	newest    map[*client]uint64    // the newest block time that each endpoint has told
	verified  map[*client]time.Time // when each was found to be what it should be
	greeted   time.Time
	next      block     // what was read last; 0: nothing
	covered   block     // from where on nothing is left out
	reread    time.Time // when the last hours were read again
	coin      *big.Int
	began     time.Time // when Run did
	nextFinal time.Time
	refreshed time.Time // when a balance was read to hold later ones against
}

// headState is how far the network is, by the endpoint that is asked.
type headState struct {
	block
	moved time.Time // when it last went on, by the till's monotonic clock
}

func newChain(w *Watcher, known Chain) (*chain, error) {
	const op = "set up Tron"
	c := &chain{
		shop: shop{chain: known, address: w.o.Address}, w: w, log: w.log, health: coin.Health[Address]{Log: w.log},
		newest: map[*client]uint64{}, verified: map[*client]time.Time{},
	}
	for _, symbol := range w.o.Accept {
		t, ok := w.o.Registry.Find(known.ID, symbol)
		if _, twice := c.token(t.Contract); !ok || twice {
			return nil, pos.E(op, pos.Invalid, "token %q is not known on %s, or is there twice", rpc.Clip(symbol), known.Name)
		}
		c.tokens = append(c.tokens, t)
	}
	c.asked = len(c.tokens)
	for _, t := range w.o.Registry.Tokens(known.ID) {
		if _, there := c.token(t.Contract); !there {
			c.tokens = append(c.tokens, t)
		}
	}
	voices := map[string]*voice{}
	for _, e := range w.o.Endpoints {
		if err := e.check(); err != nil {
			return nil, err
		}
		if voices[e.Operator] == nil {
			voices[e.Operator] = &voice{quota: e.quota()}
		}
		c.clients.All = append(c.clients.All, newClient(e, voices[e.Operator], c.shop, w.o.Dial))
	}
	if need := known.policy().Operators(); len(voices) < need {
		return nil, pos.E(op, pos.Invalid, "%s needs endpoints of %d operators for large sales, or a policy that is content with 1", known.Name, need)
	}
	c.rounds = coin.NewRounds()
	c.rounds.Every, c.rounds.Round, c.rounds.Outcome = c.interval, c.round, c.outcome
	c.rounds.Turn = func(ctx context.Context) error { return c.clients.Now().line.Wait(ctx) }
	c.health.Set(c.word("evm_connecting"))
	return c, nil
}

// word returns a text in the till's language; {chain} is the network's name.
func (c *chain) word(key string, with ...string) string {
	return c.w.word(key, append(with, "chain", c.chain.Name)...)
}

func newClient(e Endpoint, v *voice, s shop, dial rpc.Dialer) *client {
	l := &line{rpc.New(e.rpc(), &v.pace, dial), v}
	if e.Kind == TronGrid {
		return &client{&grid{line: l, shop: s}, l}
	}
	return &client{&node{l, s}, l}
}

// interval is the time between two rounds as things stand.
func (c *chain) interval(now time.Time, waiting, failing bool) time.Duration {
	switch busy := waiting || c.w.busy(now); {
	case busy && failing:
		return failEvery
	case failing:
		return failIdle
	case busy:
		return c.w.o.every
	}
	return idleEvery
}

// busy reports whether a customer may be paying.
func (w *Watcher) busy(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.payments {
		if p.young(now) {
			return true
		}
	}
	return false
}

// look reads a balance and its block now, apart from the rounds.
func (c *chain) look(ctx context.Context, t Token) (block, *big.Int, error) {
	b, units, err := c.clients.Now().balance(ctx, t)
	if err == nil && b.time+uint64(otherBehind/time.Second) < c.headNow().time {
		err = rpc.Failed(rpc.Stale, "an answer from before the newest block")
	}
	if err == nil && b.number == 0 {
		err = odd("a request in the first block")
	}
	return b, units, err
}

// round looks at the network once: with the endpoint that answered last, or else with
// the others in turn.
func (c *chain) round(ctx context.Context) (whole bool, err error) {
	return true, c.clients.Try(ctx, func(k *client) error { return c.roundWith(ctx, k) }, func(k *client, err error, _ bool) {
		c.log.Debug("round failed", "endpoint", k.operator(), "err", err)
		if rpc.FaultOf(err) != rpc.Limited { // else it is still what it was
			delete(c.verified, k)
		}
	})
}

func (c *chain) roundWith(ctx context.Context, k *client) error {
	if err := c.verify(ctx, k, true); err != nil {
		return err
	}
	if err := c.read(ctx, k); err != nil {
		return err
	}
	c.greet(ctx, k)
	c.w.closed.Begin(c.headNow().time)
	if err := c.prove(ctx, k); err != nil {
		return err
	}
	c.proveLoose(ctx, k)
	return c.refresh(ctx, k)
}

// read looks for what came, while there are requests; else it asks for the head alone.
func (c *chain) read(ctx context.Context, k *client) error {
	from, open := c.scanFrom()
	if !open {
		head, err := k.at(ctx, which{})
		if err == nil {
			err = c.advance(k, head)
		}
		c.forget()
		return err
	}
	v, err := k.since(ctx, from)
	if err != nil {
		return err
	}
	if err := c.advance(k, v.head); err != nil {
		return err
	}
	c.keep(v, from)
	return nil
}

// forget lets the next request begin anew: nothing is kept of blocks that nobody looks at.
func (c *chain) forget() {
	c.next, c.covered, c.coin = block{}, block{}, nil
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.w.held, c.anchors = nil, nil
}

// advance notes how far the network is. An answer from before what the same endpoint
// said already is not believed: several computers stand behind it, and one lags.
// Another endpoint may be behind by otherBehind. Nor is a network believed that stands
// still.
func (c *chain) advance(k *client, head block) error {
	now, s := time.Now(), c.headNow()
	if head.time+uint64(selfBehind/time.Second) < c.newest[k] || head.time+uint64(otherBehind/time.Second) < s.time {
		return rpc.Failed(rpc.Stale, "an answer from block time %d after one from %d", head.time, s.time)
	}
	if age := now.Sub(time.Unix(int64(head.time), 0)); c.w.o.ClockTrusted() && age.Abs() > c.chain.stale()+clockSlack {
		return rpc.Failed(rpc.Stale, "the newest block is %v old", age.Round(time.Second))
	}
	if c.newest[k] = max(c.newest[k], head.time); head.time > s.time {
		s = headState{head, now}
	}
	c.setState(s)
	if age := now.Sub(s.moved); age > c.chain.stale() {
		return rpc.Failed(rpc.Stale, "no new block for %v", age.Round(time.Second))
	}
	return nil
}

const (
	// selfBehind is how far the computers of one operator may be apart: some blocks.
	selfBehind = 12 * time.Second
	// otherBehind is how far one operator's newest block may be behind another's.
	otherBehind = 60 * time.Second
	// clockSlack is how far the till's clock and the network's may be apart.
	clockSlack = 60 * time.Second
)

// greet asks the other endpoints now and then whether they are there, and what they
// are: the owner must not learn from a large sale that nobody can confirm it.
func (c *chain) greet(ctx context.Context, k *client) {
	if time.Since(c.greeted) < greetEvery {
		return
	}
	c.greeted = time.Now()
	for _, o := range c.clients.All {
		if o == k {
			continue
		}
		err := c.verify(ctx, o, false)
		if err == nil {
			_, err = o.at(ctx, which{})
		}
		if key := "second " + o.operator(); err != nil {
			c.w.notices.Tell(key, c.word("evm_second", "operator", o.operator()))
		} else {
			c.w.notices.Untell(key)
		}
	}
}

// outcome makes what came of a round the network's health.
func (c *chain) outcome(err error) {
	if err == nil {
		c.health.Set("")
		return
	}
	c.health.Set(c.reasonOf(err))
}

// Faults of this network beside those of rpc.
const (
	// addressFault: what stands at the shop's address is no wallet.
	addressFault rpc.Fault = 100 + iota
	// tagFault: the endpoint does not know the solidified block.
	tagFault
)

// reasonOf puts an error into a cashier's words.
func (c *chain) reasonOf(err error) string {
	return c.word(coin.Reason(err, map[rpc.Fault]string{addressFault: "evm_treasury", tagFault: "evm_no_tags"}))
}

func (c *chain) headNow() headState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

func (c *chain) setState(s headState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s
}
