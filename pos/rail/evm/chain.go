package evm

import (
	"context"
	"errors"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Paces of one chain's rounds. The pace of its operator stretches them when many
// chains are busy.
const (
	hotEvery  = time.Second      // while a customer pays on this chain
	coolEvery = 8 * time.Second  // while one pays on another: it may come here by mistake
	idleEvery = 30 * time.Second // to know its health
	failEvery = 2 * time.Second  // after a round without an answer, while somebody asks
	failIdle  = 10 * time.Second // the same while nobody does
	// verifyEvery is how often an endpoint and the tokens are looked at anew.
	verifyEvery = time.Hour
	// greetEvery is how often the endpoints that are not in use are asked for a sign of
	// life.
	greetEvery = 2 * time.Minute
)

// chain is one chain and the endpoints that tell of it. One goroutine makes its
// rounds.
type chain struct {
	Chain
	w       *Watcher
	clients []*rpc.Client
	tokens  []Token   // what is looked for: the native coin first, then every token of the registry
	asked   []Address // their contracts

	wakeup chan struct{} // holds a token when somebody waits for a round

	mu      sync.Mutex
	waiters []chan error       // of the next round to begin
	reason  string             // why it cannot be used; empty: it can
	cut     bool               // it cannot be reached, and nothing else is wrong
	dead    map[Address]string // tokens that are not what the registry says, and why
	state   headState

	current atomic.Int32 // the client that is asked

	// Of the chain's goroutine alone.
	told      map[*rpc.Client]uint64 // the newest block time that each endpoint has told
	verified  map[*rpc.Client]time.Time
	began     time.Time
	greeted   time.Time
	failing   bool
	transfers transfers // with a shared address: what came to it
	nextDeep  time.Time // when the deep blocks are asked for again, for a customer
	nextFinal time.Time // the same for the owner
	readAt    map[*payment]time.Time
}

// headState is how far the chain is, by the endpoint that is asked.
type headState struct {
	number uint64
	time   uint64
	moved  time.Time // when it last went on, by the till's monotonic clock
}

// native stands for the chain's own coin among the tokens.
func (c Chain) native() Token {
	return Token{Chain: c.ID, Symbol: c.Coin, Decimals: 18, Watch: true}
}

func newChain(w *Watcher, known Chain) *chain {
	c := &chain{
		Chain: known, w: w, wakeup: make(chan struct{}, 1), dead: map[Address]string{},
		verified: map[*rpc.Client]time.Time{}, told: map[*rpc.Client]uint64{}, readAt: map[*payment]time.Time{},
	}
	c.tokens = append([]Token{known.native()}, w.o.Registry.Tokens(known.ID)...)
	for _, t := range c.tokens {
		c.asked = append(c.asked, t.Contract)
	}
	c.reason = w.word("evm_connecting", "chain", known.Name)
	return c
}

// run makes rounds until ctx ends.
func (c *chain) run(ctx context.Context) {
	for ctx.Err() == nil {
		if c.rest(ctx) != nil || c.clients[c.current.Load()].Wait(ctx) != nil {
			break
		}
		c.began = time.Now()
		waiters := c.take()
		err := c.round(ctx)
		if ctx.Err() != nil {
			err = rpc.Failed(rpc.Unreachable, "the till stops")
		}
		c.failing = err != nil
		c.setReason(err)
		for _, w := range waiters {
			w <- err // has room for one
		}
	}
	for _, w := range c.take() {
		w <- rpc.Failed(rpc.Unreachable, "the till stops")
	}
}

// rest waits until the next round is due.
func (c *chain) rest(ctx context.Context) error {
	for {
		now := time.Now()
		next := c.began.Add(c.interval(now))
		if !next.After(now) {
			return ctx.Err()
		}
		t := time.NewTimer(next.Sub(now))
		select {
		case <-t.C:
		case <-c.wakeup:
		case <-ctx.Done():
		}
		t.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// interval is the time between two rounds as things stand.
func (c *chain) interval(now time.Time) time.Duration {
	c.mu.Lock()
	waiting := len(c.waiters) > 0
	c.mu.Unlock()
	own, any := c.w.busy(c.ID, now)
	switch {
	case waiting && c.failing:
		return failEvery
	case c.failing:
		return failIdle
	case waiting || own:
		return hotEvery
	case any:
		return coolEvery
	}
	return idleEvery
}

// busy reports whether customers may be paying on this chain, and on any.
func (w *Watcher) busy(chain uint64, now time.Time) (own, any bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.payments {
		if p.young(now) {
			any = true
			own = own || p.token.Chain == chain
		}
	}
	return own, any
}

// take returns who waits for the round that begins now.
func (c *chain) take() []chan error {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.waiters
	c.waiters = nil
	return out
}

// ask asks for a round, and returns a channel that tells once what came of the next
// one to begin.
func (c *chain) ask() <-chan error {
	done := make(chan error, 1)
	c.mu.Lock()
	c.waiters = append(c.waiters, done)
	c.mu.Unlock()
	c.poke()
	return done
}

// poke lets the chain's goroutine think again about when its next round is due.
func (c *chain) poke() {
	select {
	case c.wakeup <- struct{}{}:
	default:
	}
}

// look asks what is at an address now, apart from the rounds. clean reports that
// nothing is and never was: no money and no code.
func (c *chain) look(ctx context.Context, at Address) (head headState, clean bool, err error) {
	k := c.clients[c.current.Load()]
	k.Spend()
	answers, err := k.Batch(ctx, rpc.To("eth_blockNumber"), peekCall(c.asked, []Address{at}, "latest"))
	if err != nil {
		return head, false, err
	}
	v, err := c.viewOf(answers[1], 1)
	if err != nil {
		return head, false, err
	}
	n, ok := rpc.Hex64(answers[0].Result)
	if s := c.headNow(); answers[0].Err != nil || !ok || v.time+uint64(otherBehind/time.Second) < s.time {
		return head, false, rpc.Failed(rpc.Stale, "an answer from before the newest block")
	}
	clean = !slices.ContainsFunc(v.found, func(f found) bool { return f.kind != foundDumb })
	return headState{number: n, time: v.time}, clean, nil
}

// round reads the chain once: with the endpoint that answered last, or else with
// the others in turn.
func (c *chain) round(ctx context.Context) error {
	var errs []error
	for range c.clients {
		k := c.clients[c.current.Load()]
		err := c.roundWith(ctx, k)
		if err == nil {
			return nil
		}
		c.w.o.Log.Debug("round failed", "chain", c.Key, "endpoint", k.Operator, "err", err)
		errs = append(errs, err)
		delete(c.verified, k)
		if ctx.Err() != nil {
			break
		}
		next := (c.current.Load() + 1) % int32(len(c.clients))
		if c.current.Store(next); len(errs) < len(c.clients) {
			c.clients[next].Spend()
		}
	}
	return errors.Join(errs...)
}

func (c *chain) roundWith(ctx context.Context, k *rpc.Client) error {
	if at, ok := c.verified[k]; !ok || time.Since(at) > verifyEvery {
		if err := c.verify(ctx, k); err != nil {
			return err
		}
		c.verified[k] = time.Now()
	}
	c.w.mu.Lock()
	lacks := c.w.lacksWallet(c.ID)
	c.w.mu.Unlock()
	if lacks {
		return rpc.Failed(faultTreasury, "the treasury is a contract on other chains and not here")
	}
	if err := c.read(ctx, k); err != nil {
		return err
	}
	if c.w.o.Shared {
		if err := c.shared(ctx, k); err != nil {
			return err
		}
	}
	c.lookBack(ctx, k)
	c.greet(ctx, k)
	return c.prove(ctx, k)
}

// greet asks the other endpoints now and then whether they are there: the owner must
// not learn from a large sale that nobody can confirm it.
func (c *chain) greet(ctx context.Context, k *rpc.Client) {
	if time.Since(c.greeted) < greetEvery {
		return
	}
	c.greeted = time.Now()
	for _, o := range c.clients {
		if o == k {
			continue
		}
		o.Spend()
		answers, err := o.Batch(ctx, rpc.To("eth_chainId"))
		if err == nil {
			err = answers[0].Err
		}
		if err == nil {
			if id, ok := rpc.Hex64(answers[0].Result); !ok || id != c.ID {
				err = rpc.Failed(rpc.WrongChain, "chain %d, want %d", id, c.ID)
			}
		}
		c.w.mu.Lock()
		if key := "second " + c.Key + o.Operator; err != nil {
			c.w.tell(c, key, c.w.word("evm_second", "operator", o.Operator, "chain", c.Name))
		} else {
			c.w.untell(key)
		}
		c.w.mu.Unlock()
	}
}

// setReason makes the outcome of a round the chain's health.
func (c *chain) setReason(err error) {
	reason := ""
	if err != nil {
		reason = c.reasonOf(err)
	}
	c.mu.Lock()
	changed := c.reason != reason
	c.reason, c.cut = reason, cutOff(err)
	c.mu.Unlock()
	if changed {
		c.w.o.Log.Info("chain health", "chain", c.Key, "ready", reason == "", "reason", reason)
	}
}

// reasons are keys of words.
var reasons = map[rpc.Fault]string{
	rpc.Odd: "evm_odd", rpc.Unreachable: "evm_unreachable", rpc.Limited: "evm_limited", rpc.Denied: "evm_denied",
	rpc.Refused: "evm_odd", rpc.WrongChain: "evm_wrong_chain", rpc.Stale: "evm_stale", rpc.Differ: "evm_differ",
	faultFactory: "evm_no_factory", faultTreasury: "evm_treasury", faultTags: "evm_no_tags",
}

// reasonOf puts an error into a cashier's words.
func (c *chain) reasonOf(err error) string {
	return c.w.word(reasons[rpc.FaultOf(err)], "chain", c.Name)
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
