package evm

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
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
	// deadEvery is the same while a token is not what it should be: a wrong word must not
	// stop its sales for an hour.
	deadEvery = time.Minute
	// greetEvery is how often the endpoints that are not in use are asked for a sign of
	// life.
	greetEvery = 2 * time.Minute
)

// chain is one chain and the endpoints that tell of it. One goroutine makes its
// rounds.
type chain struct {
	Chain
	w       *Watcher
	log     *slog.Logger // names the chain
	clients coin.Ring[*rpc.Client]
	tokens  []Token   // what is looked for: the native coin first, then every token of the registry
	asked   []Address // their contracts

	rounds  *coin.Rounds
	health  coin.Health[Address] // tokens by their contracts
	notices coin.Notices

	mu    sync.Mutex
	cut   bool // it cannot be reached, and nothing else is wrong
	state headState

	// Of the chain's goroutine alone.
	told      map[*rpc.Client]uint64 // the newest block time that each endpoint has told
	verified  map[*rpc.Client]time.Time
	greeted   time.Time
	transfers transfers // with a shared address: what came to it
	nextDeep  time.Time // when the deep blocks are asked for again, for a customer
	nextFinal time.Time // the same for the owner
	judging   judging   // with a shared address: which of them are told
	heard     []heard   // what a final block says of money that nobody waits for
	readAt    map[*payment]time.Time
	spans     map[*rpc.Client]uint64 // how many blocks' events an endpoint gives at once; 0: it refused none
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
	log := w.o.Log.With("chain", known.Key)
	c := &chain{
		Chain: known, w: w, log: log, health: coin.Health[Address]{Log: log}, notices: coin.Notices{Log: log},
		verified: map[*rpc.Client]time.Time{}, told: map[*rpc.Client]uint64{}, readAt: map[*payment]time.Time{}, spans: map[*rpc.Client]uint64{},
	}
	c.tokens = append([]Token{known.native()}, w.o.Registry.Tokens(known.ID)...)
	for _, t := range c.tokens {
		c.asked = append(c.asked, t.Contract)
	}
	c.rounds = coin.NewRounds()
	c.rounds.Every, c.rounds.Round, c.rounds.Outcome = c.interval, c.round, c.outcome
	c.rounds.Turn = func(ctx context.Context) error { return c.clients.Now().Wait(ctx) }
	c.health.Set(c.word("evm_connecting"))
	return c
}

// word returns a text in the till's language; {chain} is the chain's name.
func (c *chain) word(key string, with ...string) string {
	return c.w.word(key, append(with, "chain", c.Name)...)
}

// interval is the time between two rounds as things stand.
func (c *chain) interval(now time.Time, waiting, failing bool) time.Duration {
	own, any := c.w.busy(c.ID, now)
	switch {
	case waiting && failing:
		return failEvery
	case failing:
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

// look asks what is at an address now, apart from the rounds. clean reports that
// nothing is and never was: no money and no code.
func (c *chain) look(ctx context.Context, at Address) (head headState, clean bool, err error) {
	k := c.clients.Now()
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
func (c *chain) round(ctx context.Context) (whole bool, err error) {
	return true, c.clients.Try(ctx, func(k *rpc.Client) error { return c.roundWith(ctx, k) }, func(k *rpc.Client, err error, more bool) {
		c.log.Debug("round failed", "endpoint", k.Operator, "err", err)
		if delete(c.verified, k); more {
			c.clients.Now().Spend()
		}
	})
}

// verifyAfter is how long a look at the endpoint and its tokens is good for.
func (c *chain) verifyAfter() time.Duration {
	if slices.ContainsFunc(c.asked, func(at Address) bool { return c.health.Dead(at) != "" }) {
		return deadEvery
	}
	return verifyEvery
}

func (c *chain) roundWith(ctx context.Context, k *rpc.Client) error {
	if at, ok := c.verified[k]; !ok || time.Since(at) > c.verifyAfter() {
		if err := c.verify(ctx, k); err != nil {
			return err
		}
		c.verified[k] = time.Now()
		delete(c.spans, k) // its plan may have grown
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
	err := c.prove(ctx, k)
	c.tellLate()
	return err
}

// greet asks the other endpoints now and then whether they are there: the owner must
// not learn from a large sale that nobody can confirm it.
func (c *chain) greet(ctx context.Context, k *rpc.Client) {
	if time.Since(c.greeted) < greetEvery {
		return
	}
	c.greeted = time.Now()
	for _, o := range c.clients.All {
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
		if key := "second " + o.Operator; err != nil {
			c.notices.Tell(key, c.word("evm_second", "operator", o.Operator))
		} else {
			c.notices.Untell(key)
		}
	}
}

// outcome makes what came of a round the chain's health.
func (c *chain) outcome(err error) {
	c.mu.Lock()
	c.cut = cutOff(err)
	c.mu.Unlock()
	if err == nil {
		c.health.Set("")
		return
	}
	c.health.Set(c.reasonOf(err))
}

// reasons are keys of words, of this package's own faults.
var reasons = map[rpc.Fault]string{faultFactory: "evm_no_factory", faultTreasury: "evm_treasury", faultTags: "evm_no_tags"}

// reasonOf puts an error into a cashier's words.
func (c *chain) reasonOf(err error) string { return c.word(coin.Reason(err, reasons)) }

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
