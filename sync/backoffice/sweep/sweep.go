package sweep

import (
	"context"
	"log/slog"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// Network is a chain that tills take stablecoins on.
type Network struct {
	Key  string // "base"
	Name string // "Base"
	Coin string // that gas is paid in: "ETH"
}

// Chains is the technology behind addresses. Its methods are safe for concurrent use.
type Chains interface {
	Networks() []Network
	// Deposit reads where the money of a payment lies from the payment's reference. ok
	// is false when it needs no sweep, or is of another technology.
	Deposit(reference string) (address, treasury string, ok bool, err error)
	// Look counts what lies at deposits, by their references. It blocks for the network.
	Look(ctx context.Context, network string, references []string) (Round, error)
	// Sweep makes the transaction of at most MaxItems balances of one treasury.
	Sweep(network string, items []Item) (Transaction, error)
	// Deploy makes the transaction that a network needs once, before the first sweep.
	Deploy(network string) (Transaction, error)
	Refusals
}

// Refusals asks operators about balances that stay where they are. What they say is one
// operator's word each; those that block, block for the network, and fail with Unavailable
// when he does not say.
type Refusals interface {
	// Operators names who is set up for a network, in the order of the owner's trust.
	Operators(network string) []string
	// Need says how many of them must say the same of so much of a token before the owner is
	// told; at most as many as there are.
	Need(network, token string, units *big.Int) int
	// Try says why each of items could not be moved now, in their order; empty: it could.
	Try(ctx context.Context, network, operator string, items []Item) ([]Why, error)
	// Skipped returns those of items that transactions left where they are, in blocks from
	// a number on, and the block up to which that is known.
	Skipped(ctx context.Context, network, operator string, items []Item, from uint64) (left []Left, upTo uint64, err error)
	// Fate says what became of a transaction that should move some of items.
	Fate(ctx context.Context, network, operator, tx string, items []Item) (Fate, error)
}

// Left is a balance that a transaction left where it is.
type Left struct {
	Address, Token, Tx string
	Number             uint64 // of the transaction's block
}

// Fate is what became of a transaction, as far as an operator knows.
type Fate struct {
	Known     bool
	Named     bool   // it is about one of the items at least
	Block     string // that it is in, by its hash; empty: none yet
	OK        bool   // of one in a block: it went through
	Gas, Used uint64 // that it was given; and took, of one in a block
}

// MaxItems bounds a transaction: its gas must be what one may have; see gasMost.
const MaxItems = 170

// Item is a balance to move.
type Item struct{ Reference, Token string }

// Round is what a look at a network saw.
type Round struct {
	Ready    bool     // sweeping is possible: the contract is there
	GasPrice *big.Int // of one unit of gas, in the coin's smallest unit
	Number   uint64   // of the newest block
	Holdings []Holding
	Counted  []string // tokens: what is not among Holdings of these is not there
	Made     []string // addresses that something was moved from, ever
}

// Holding is a token's balance.
type Holding struct {
	Address, Token, Symbol string
	Decimals               int
	Newest, Final          *big.Int
}

// Transaction is what the owner's wallet signs and sends.
type Transaction struct {
	ChainID  uint64
	To, Data string
	Gas      uint64
	Link     string // for a phone's wallet; empty when there is none for it
	JSON     []byte // for tools and hardware wallets
	Safe     []byte // for Safe's Transaction Builder
}

// Store is what the backoffice keeps.
type Store interface {
	Tills(ctx context.Context) ([]store.Till, error)
	SweepUnread(ctx context.Context, till string) ([]store.Kept, uint64, error)
	SweepAdd(ctx context.Context, till string, n uint64, ds []store.Deposit) error
	Looks
	Batches
}

// Looks keeps what lies where.
type Looks interface {
	SweepDue(ctx context.Context, now time.Time, limit int) ([]store.Deposit, error)
	SweepSaw(ctx context.Context, l store.SweepLook) error
	SweepHoldings(ctx context.Context, limit int) ([]store.Holding, error)
	SweepTried(ctx context.Context, t store.SweepTry) error
}

// Batches keeps what was prepared.
type Batches interface {
	SweepMake(ctx context.Context, b store.Batch) (int64, error)
	SweepBatches(ctx context.Context, limit int) ([]store.Batch, error)
	SweepBatch(ctx context.Context, id int64) (store.Batch, error)
	SweepDrop(ctx context.Context, id int64, at time.Time) error
	SweepSent(ctx context.Context, id int64, tx string) error
}

// Times of the looks.
const (
	// Every is the time between two rounds: nobody waits for a sweep by the minute, and
	// free plans of operators count requests.
	Every = 5 * time.Minute
	// openEvery is the same while a batch waits to be moved: the owner looks on.
	openEvery = 30 * time.Second
	// fresh is how long an address without money is looked at every round: exchanges send
	// hours later.
	fresh = 48 * time.Hour
	// young is how long it is looked at every day.
	young = 90 * 24 * time.Hour
	// watched is how long a till may look for more money at an address: a day from the
	// request (coin.WatchFor), and an hour for its clock and for records on their way.
	watched = 25 * time.Hour
	// atOnce bounds the addresses of one round: 50 requests to a network.
	atOnce = 1000
)

// next says when an address is looked at again.
func next(d store.Deposit, money bool, now time.Time) time.Time {
	switch age := now.Sub(d.Made); {
	case money || age < fresh:
		return now.Add(Every)
	case age < young:
		return now.Add(24 * time.Hour)
	}
	return now.Add(7 * 24 * time.Hour)
}

// state is what is known of a network beside its balances.
type state struct {
	looked  time.Time // zero: never
	trouble Reason
	ready   bool
	price   *big.Int
	number  uint64 // newest block that was seen; 0: none
}

// Sweeper is safe for concurrent use.
type Sweeper struct {
	store  Store
	chains Chains
	log    *slog.Logger

	turn chan struct{} // holds a token while a round is under way
	mu   sync.Mutex
	nets map[string]state
}

// New returns a Sweeper; Run makes it look.
func New(s Store, c Chains, log *slog.Logger) *Sweeper {
	return &Sweeper{store: s, chains: c, log: log, turn: make(chan struct{}, 1), nets: map[string]state{}}
}

// Run looks until ctx ends.
func (s *Sweeper) Run(ctx context.Context) error {
	for {
		if err := s.Round(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("stablecoins not counted", "err", err)
		}
		wait := time.NewTimer(Every)
		if open, err := s.open(ctx); err == nil && open {
			wait.Reset(openEvery)
		}
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		}
	}
}

// open reports that a batch waits for something.
func (s *Sweeper) open(ctx context.Context) (bool, error) {
	bs, err := s.store.SweepBatches(ctx, maxBatches)
	return slices.ContainsFunc(bs, func(b store.Batch) bool { return b.Ended.IsZero() }), err
}

// Round reads what tills sent and looks at the addresses that are due. It blocks for
// every network, and fails as Store does.
func (s *Sweeper) Round(ctx context.Context) error { return s.round(ctx, 0) }

// Now is a round that looks at what would be due at the next one, too: for an owner who
// waits before the page. It fails with Unavailable when ctx ends before its turn.
func (s *Sweeper) Now(ctx context.Context) error { return s.round(ctx, Every) }

// takeTurn waits until nobody else asks the networks: a round, or a part of a search.
func (s *Sweeper) takeTurn(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return pos.Say("count stablecoins", pos.Unavailable, ctx.Err(), "bo_sc_busy")
	}
}

func (s *Sweeper) giveTurn() { <-s.turn }

func (s *Sweeper) round(ctx context.Context, ahead time.Duration) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.giveTurn()
	if err := s.read(ctx); err != nil {
		return err
	}
	open, err := s.open(ctx)
	if err != nil {
		return err
	}
	if open { // all of a batch is counted at once: what was not counted since would seem to stay
		ahead = Every
	}
	now := time.Now()
	due, err := s.store.SweepDue(ctx, now.Add(ahead), atOnce)
	if err != nil {
		return err
	}
	look := store.SweepLook{At: now, Looked: map[string]time.Time{}}
	silent := false
	for _, n := range s.chains.Networks() {
		r, err := s.chains.Look(ctx, n.Key, references(due))
		s.note(n.Key, r, err, now)
		if err != nil {
			silent = true
			continue
		}
		look.Networks = append(look.Networks, store.LookNetwork{Key: n.Key, Counted: r.Counted, Made: r.Made})
		for _, h := range r.Holdings {
			look.Holdings = append(look.Holdings, store.Holding{
				Network: n.Key, Address: h.Address, Token: h.Token, Symbol: h.Symbol, Decimals: h.Decimals, Newest: h.Newest.String(), Final: h.Final.String(),
			})
		}
	}
	for _, d := range due {
		money := silent || slices.ContainsFunc(look.Holdings, func(h store.Holding) bool { return h.Address == d.Address })
		look.Looked[d.Address] = next(d, money, now)
	}
	if err := s.store.SweepSaw(ctx, look); err != nil {
		return err
	}
	return s.follow(ctx, look.Networks)
}

func references(ds []store.Deposit) []string {
	out := make([]string, len(ds))
	for i, d := range ds {
		out[i] = d.Reference
	}
	return out
}

// note keeps how a network answered.
func (s *Sweeper) note(network string, r Round, err error, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nets[network]
	if n.trouble = ""; err != nil {
		n.trouble = reasonOf(err)
		s.log.Warn("network not counted", "network", network, "err", err)
	} else {
		n.looked, n.ready, n.price, n.number = now, r.Ready, r.GasPrice, r.Number
	}
	s.nets[network] = n
}

// read finds addresses in the records that tills sent since.
func (s *Sweeper) read(ctx context.Context) error {
	tills, err := s.store.Tills(ctx)
	if err != nil {
		return err
	}
	for _, t := range tills {
		for {
			records, upTo, err := s.store.SweepUnread(ctx, t.ID)
			if err != nil {
				return err
			}
			if upTo == 0 {
				break
			}
			if err := s.store.SweepAdd(ctx, t.ID, upTo, s.deposits(records)); err != nil {
				return err
			}
		}
	}
	return nil
}

// deposits are the addresses in records. A record that cannot be read is on the owner's
// red list already.
func (s *Sweeper) deposits(records []store.Kept) (out []store.Deposit) {
	for _, k := range records {
		var b pos.PaymentMoved
		if err := k.Record.Decode(&b); err != nil || b.Payment.Reference == "" {
			continue
		}
		address, treasury, ok, err := s.chains.Deposit(b.Payment.Reference)
		if err != nil {
			s.log.Warn("address not read", "payment", b.Payment.ID, "err", err)
		}
		if ok {
			out = append(out, store.Deposit{Address: address, Treasury: treasury, Reference: b.Payment.Reference, Payment: b.Payment.ID, Made: k.Received, Next: k.Received, Closed: b.Payment.Final})
		}
	}
	return out
}
