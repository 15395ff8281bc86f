package sweep

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/wire"
)

// A search finds the money of a till that never came back. The till's addresses are
// numbered from 1 and computed from its secret; those that its records name are counted
// anyway, so the search looks at the others, until Gap numbers in a row behind the last
// one in use hold nothing on any network.
//
// To say "nothing" is to give money up, so it takes more than a sweep's one word: every
// operator that is set up for a network is asked, and one that is silent, old, or of
// another mind leaves the network "not known" from that number on.
//
// What is found is kept in the transaction that says how far the search is: one that is
// cut off, by a power cut or a restart, goes on where it was, and finds nothing twice.

// Finder is the technology behind numbered addresses. Its methods are safe for
// concurrent use.
type Finder interface {
	// Reference returns what a till's record would say of address n, from 1, as far as a
	// sweep needs it.
	Reference(a wire.AddressSeed, n uint64) (string, error)
	// Agree is Chains.Look by the word of every operator, and how many those are. It
	// fails with Unavailable unless all of them answer, are up to date, and agree.
	Agree(ctx context.Context, network string, references []string) (r Round, operators int, err error)
}

// SearchStore is what a search keeps; see store.DB.
type SearchStore interface {
	Secrets
	SearchSet(ctx context.Context, seed int64, state store.SearchState, far uint64, at time.Time) error
	SearchEnd(ctx context.Context, s store.Seed, at time.Time) (ended bool, err error)
	SearchSaw(ctx context.Context, p store.SearchPart) error
	SearchForget(ctx context.Context, seed int64) error
	Finds
}

// Secrets are what tills' addresses are made of, and how far each one's search is.
type Secrets interface {
	Seeds(ctx context.Context) ([]store.Seed, error)
	Seed(ctx context.Context, id int64) (store.Seed, error)
}

// Finds is what searches found.
type Finds interface {
	SweepKnown(ctx context.Context, addresses []string) (map[string]bool, error)
	SearchFound(ctx context.Context, seed int64, limit int) ([]store.FoundHolding, error)
	SearchCount(ctx context.Context, seed int64) (int, error)
}

// Bounds of a search.
const (
	// Gap is how many numbers in a row may hold nothing before a search ends: a till does
	// not ask for a thousand payments of which none is made.
	Gap = 1000
	// part is how many addresses are looked at before the sweep has its turn, and before
	// the search is on disk: some seconds' requests.
	part = 200
	// tries is how often a network is asked before it is left alone, with retryAfter
	// between them: two operators a block apart disagree for a moment.
	tries      = 3
	retryAfter = 3 * time.Second
	// foundMax bounds what a search finds: beyond a thousand sales that no record names,
	// it is likelier that an operator lies.
	foundMax = 1000
	// listMax bounds the owner's list.
	listMax = 2000
	// maxNumber is as far as numbers go: two million payments of one card.
	maxNumber = 2_000_000
)

// Search looks for money at the addresses of lost tills. It is safe for concurrent use.
type Search struct {
	sweeper *Sweeper
	keeper  *Keeper
	store   SearchStore
	finder  Finder
	log     *slog.Logger
	wake    chan struct{}
}

// NewSearch returns the searches of a backoffice; Run does what Start asks for. They
// take turns with the sweeper's rounds: one operator is never asked by both at once.
func NewSearch(s *Sweeper, k *Keeper, st SearchStore, f Finder, log *slog.Logger) *Search {
	return &Search{s, k, st, f, log, make(chan struct{}, 1)}
}

// How says where a search begins.
type How int

// Ways to begin a search.
const (
	GoOn    How = iota // where it was; at number 1 if it never was
	Again              // at number 1: money can come late
	Further            // where it was, and at least Gap numbers beyond what it looked at before
)

// Start begins a search, and returns at once. It fails with NotFound, with Corrupt when
// the seed cannot be opened, and as the store does.
func (s *Search) Start(ctx context.Context, id int64, how How) error {
	if err := s.ask(ctx, id, how); err != nil {
		return err
	}
	select {
	case s.wake <- struct{}{}:
	default: // Run has not got round to the last one
	}
	return nil
}

func (s *Search) ask(ctx context.Context, id int64, how How) error {
	seed, err := s.store.Seed(ctx, id)
	if err != nil {
		return err
	}
	if _, err := s.keeper.open(seed); err != nil {
		return err
	}
	far := uint64(0)
	switch how {
	case Again:
		if err := s.store.SearchForget(ctx, id); err != nil {
			return err
		}
	case Further:
		far = min(limit(seed)+Gap, maxNumber)
	}
	return s.store.SearchSet(ctx, id, store.SearchAsked, far, time.Now())
}

// Stop ends a search; what it found stays. It fails with NotFound, and as the store does.
func (s *Search) Stop(ctx context.Context, id int64) error {
	if _, err := s.store.Seed(ctx, id); err != nil {
		return err
	}
	return s.store.SearchSet(ctx, id, store.SearchStopped, 0, time.Now())
}

// Sheet keeps what was typed from a recovery sheet, and begins its search.
func (s *Search) Sheet(ctx context.Context, text string) error {
	a, err := wire.ParseSheet(text)
	if err != nil {
		return err
	}
	id, err := s.keeper.Sheet(ctx, a, time.Now())
	if err != nil {
		return err
	}
	return s.Start(ctx, id, GoOn)
}

// idle is how often Run looks for searches that another process asked for.
const idle = time.Minute

// Run does what was asked for, also before a restart, one search at a time, until ctx
// ends; then it returns nil.
func (s *Search) Run(ctx context.Context) error {
	for {
		if err := s.all(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("search interrupted", "err", err)
		}
		t := time.NewTimer(idle)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-s.wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// all does what is asked for until nothing is.
func (s *Search) all(ctx context.Context) error {
	for {
		seeds, err := s.store.Seeds(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(seeds, func(x store.Seed) bool { return x.State == store.SearchAsked })
		if i < 0 {
			return nil
		}
		if err := s.one(ctx, seeds[i].ID, nil); err != nil {
			return err
		}
	}
}

// Now does a search to its end in the caller's own time, and tells it of each part; a
// server beside it that takes it up does no harm. It fails as Start does.
func (s *Search) Now(ctx context.Context, id int64, how How, tell func(SeedView)) error {
	if err := s.ask(ctx, id, how); err != nil {
		return err
	}
	return s.one(ctx, id, tell)
}

// one does a search until it has ended, was stopped, or the store fails.
func (s *Search) one(ctx context.Context, id int64, tell func(SeedView)) error {
	tried := map[string]int{}
	for {
		seed, err := s.store.Seed(ctx, id)
		if err != nil || seed.State != store.SearchAsked {
			return err
		}
		a, err := s.keeper.open(seed)
		if err != nil {
			return s.store.SearchSet(ctx, id, store.SearchStopped, 0, time.Now()) // the page says why
		}
		more, failed := false, false
		for _, n := range s.sweeper.chains.Networks() {
			at := networkOf(seed, n.Key)
			if at.Next > limit(seed) || at.Why != "" {
				continue
			}
			more = true
			ok, err := s.part(ctx, seed, a, at, tried[n.Key] >= tries-1)
			if err != nil {
				return err
			}
			if tried[n.Key]++; ok {
				tried[n.Key] = 0
			}
			failed = failed || !ok
			if seed, err = s.store.Seed(ctx, id); err != nil || seed.State != store.SearchAsked {
				return err
			}
		}
		if tell != nil {
			tell(s.view(seed))
		}
		switch {
		case !more:
			if ended, err := s.end(ctx, seed); ended || err != nil {
				return err
			}
		case failed:
			if err := pause(ctx, retryAfter); err != nil {
				return err
			}
		}
	}
}

// end closes a search, and reports that: not one that was asked for anew since seed was
// read. What it found is counted like everything else from now on.
func (s *Search) end(ctx context.Context, seed store.Seed) (bool, error) {
	if ended, err := s.store.SearchEnd(ctx, seed, time.Now()); !ended || err != nil {
		return false, err
	}
	s.log.Info("search ended", "seed", seed.ID)
	if err := s.sweeper.Round(ctx); err != nil {
		s.log.Warn("stablecoins not counted", "err", err) // the next round does it
	}
	return true, nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// limit is the number that a search goes to, as far as is known now.
func limit(s store.Seed) uint64 { return min(max(s.Last+Gap, s.Far), maxNumber) }

func networkOf(s store.Seed, network string) store.SeedNetwork {
	i := slices.IndexFunc(s.Networks, func(n store.SeedNetwork) bool { return n.Network == network })
	if i < 0 {
		return store.SeedNetwork{Network: network, Next: 1}
	}
	return s.Networks[i]
}

// part looks at the next numbers on one network. ok is false when they are not known; with
// last set, that is kept, and the network left alone.
func (s *Search) part(ctx context.Context, seed store.Seed, a wire.AddressSeed, at store.SeedNetwork, last bool) (ok bool, err error) {
	if err := s.sweeper.takeTurn(ctx); err != nil {
		return false, err
	}
	defer s.sweeper.giveTurn()
	if err := s.sweeper.read(ctx); err != nil { // what records name by now is not found, it is known
		return false, err
	}
	p := store.SearchPart{Seed: seed.ID, At: time.Now(), Run: seed.Run, From: at.Next, SeedNetwork: store.SeedNetwork{Network: at.Network, Next: at.Next}}
	look, err := s.numbers(ctx, a, &p, min(at.Next+part-1, limit(seed)))
	if err == nil {
		err = s.look(ctx, seed, look, &p)
	}
	if err != nil && ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		s.log.Warn("network not searched", "network", at.Network, "from", at.Next, "err", err)
		if !last {
			return false, nil
		}
		p = store.SearchPart{Seed: seed.ID, At: p.At, Run: p.Run, From: at.Next, SeedNetwork: store.SeedNetwork{Network: at.Network, Next: at.Next, Why: string(reasonOf(err))}}
		return false, s.store.SearchSaw(ctx, p)
	}
	return true, s.store.SearchSaw(ctx, p)
}

// numbered is an address that no record names.
type numbered struct {
	n       uint64
	deposit store.Deposit
}

// numbers computes the addresses up to number end, and returns those to look at. Numbers
// whose addresses are known were given out: p.Last says so.
func (s *Search) numbers(ctx context.Context, a wire.AddressSeed, p *store.SearchPart, end uint64) ([]numbered, error) {
	var all []numbered
	var addresses []string
	for n := p.Next; n <= end; n++ {
		ref, err := s.finder.Reference(a, n)
		if err != nil {
			return nil, err
		}
		address, treasury, ok, err := s.sweeper.chains.Deposit(ref)
		if err != nil || !ok {
			return nil, pos.Say("compute address", pos.Internal, err, "bo_se_why_secret")
		}
		all = append(all, numbered{n, store.Deposit{Address: address, Treasury: treasury, Reference: ref, Made: p.At, Next: p.At}})
		addresses = append(addresses, address)
	}
	p.Next = end + 1
	known, err := s.store.SweepKnown(ctx, addresses)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(x numbered) bool {
		if known[x.deposit.Address] {
			p.Last = max(p.Last, x.n)
		}
		return known[x.deposit.Address]
	}), nil
}

// look asks the network, and puts what it says into p.
func (s *Search) look(ctx context.Context, seed store.Seed, all []numbered, p *store.SearchPart) error {
	if len(all) == 0 {
		return nil // p.Operators stays 0: nobody had to be asked
	}
	refs := make([]string, len(all))
	for i, x := range all {
		refs[i] = x.deposit.Reference
	}
	r, operators, err := s.finder.Agree(ctx, p.Network, refs)
	if err != nil {
		return err
	}
	p.Operators = operators
	for _, x := range all {
		before := len(p.Holdings)
		for _, h := range r.Holdings {
			if h.Address == x.deposit.Address {
				p.Holdings = append(p.Holdings, store.Holding{
					Network: p.Network, Address: h.Address, Token: h.Token, Symbol: h.Symbol, Decimals: h.Decimals, Newest: h.Newest.String(), Final: h.Final.String(),
				})
			}
		}
		if len(p.Holdings) > before {
			x.deposit.Till = seed.Till
			p.Found, p.Last = append(p.Found, store.Found{N: x.n, Deposit: x.deposit}), max(p.Last, x.n)
		}
	}
	had, err := s.store.SearchCount(ctx, seed.ID)
	if err == nil && had+len(p.Found) > foundMax {
		err = pos.Say("search addresses", pos.Exhausted, nil, "bo_se_why_liar", "n", strconv.Itoa(foundMax))
	}
	return err
}
