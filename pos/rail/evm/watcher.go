package evm

import (
	"context"
	"log/slog"
	"math/big"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// Endpoint is one operator's way into a chain.
type Endpoint = rpc.Endpoint

// Accept is what the shop takes on one chain.
type Accept struct {
	Chain     string     // its key: "base"
	Tokens    []string   // symbols, in the order of their buttons
	Endpoints []Endpoint // the first is asked first; the others when it fails, and to agree
}

// Options of a Watcher.
type Options struct {
	Registry Registry
	Accept   []Accept // the cheapest chain first

	// Treasury is where all money can go, and nowhere else: the merchant's own wallet,
	// the same on all chains.
	Treasury Address

	// Shared makes customers pay to Treasury itself; an amount that no other open
	// sale has tells the sales apart. For merchants who want no contracts. Short
	// payments and exchanges' fees cannot be told to a sale then.
	Shared bool
	// Lane, with Shared, is this till's number among those that are paid at Treasury;
	// zero: it is alone. Without it, one payment would pay a sale at each of them.
	Lane unique.Lane

	Store Store
	// Booked reports that money of a name was booked as nobody's (coin.Unasked.Known).
	Booked   func(pos.PaymentID) bool
	Expiry   time.Duration // how long a price is held: 2 to 30 minutes, 10 if zero
	Language string        // of reasons: "en", "es", "de", "fr", "pt"

	// Links are wallets whose own links are shown too: "metamask", "trust".
	Links []string

	// Tolerance is how much may be missing, in 1/10,000 of what was asked, and at most
	// 0.05 token: exchanges take fees from what is sent. 0 to 100; 50 is 0.5 %.
	Tolerance int

	// ClockTrusted says whether the till's wall time can be believed now. Nil: never.
	// It decides only whether the age of a block counts.
	ClockTrusted func() bool

	// Dial opens a connection; nil is TCP. For tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Log *slog.Logger // nil discards
}

// maxTolerance bounds Options.Tolerance: one percent.
const maxTolerance = 100

// Watcher watches the shop's payments on all chains. It is safe for concurrent use.
type Watcher struct {
	o      Options
	book   *book
	chains []*chain
	rails  []*Rail
	found  coin.Unasked
	began  time.Time

	// mu guards payments and what is known of each. It is held for moments.
	mu       sync.Mutex
	payments map[pos.PaymentID]*payment
	wallets  map[uint64]bool // chains that were looked at: whether the treasury is a contract there
	asking   chan struct{}   // holds a token while a new address is made
}

// New makes a Watcher and reads its book, or begins one. It fails with Invalid when
// the Options are not usable, and as Store and the book do. It makes no call; Run
// does.
func New(o Options) (*Watcher, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	w := &Watcher{o: o, began: time.Now(), found: coin.Unasked{Log: o.Log, Known: o.Booked}, payments: map[pos.PaymentID]*payment{}, wallets: map[uint64]bool{}, asking: make(chan struct{}, 1)}
	paces := map[string]*rpc.Pace{}
	for _, a := range o.Accept {
		c, err := w.admit(a, paces)
		if err != nil {
			return nil, err
		}
		w.chains = append(w.chains, c)
	}
	var err error
	if w.book, err = openBook(o.Store); err != nil {
		return nil, err
	}
	for _, c := range w.chains {
		c.judging.from = w.book.judgedTo(c.ID)
		c.judging.done = c.judging.from
	}
	for _, e := range w.book.all() {
		w.resume(e)
	}
	return w, nil
}

// complete checks the options and fills the defaults.
func (o *Options) complete() error {
	const op = "set up stablecoins"
	if o.Expiry == 0 {
		o.Expiry = coin.UsualExpiry
	}
	switch {
	case len(o.Accept) == 0 || o.Store == nil:
		return pos.E(op, pos.Invalid, "stablecoins need a chain and a place for their book")
	case o.Expiry < coin.MinExpiry || o.Expiry > coin.MaxExpiry:
		return pos.E(op, pos.Invalid, "a price may be held 2 to 30 minutes, not %v", o.Expiry)
	case o.Tolerance < 0 || o.Tolerance > maxTolerance:
		return pos.E(op, pos.Invalid, "at most %d of 10000 may be missing, not %d", maxTolerance, o.Tolerance)
	case o.Lane.Check() != nil:
		return o.Lane.Check()
	case o.Shared && o.Tolerance != 0:
		return pos.E(op, pos.Invalid, "with one address for all sales no tolerance is possible: the amount tells the sales apart")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ClockTrusted == nil {
		o.ClockTrusted = func() bool { return false }
	}
	return checkTreasury(o.Treasury, o.Registry)
}

// checkTreasury refuses addresses whose money nobody could move.
func checkTreasury(t Address, r Registry) error {
	bad := ""
	switch {
	case slices.Equal(t[:18], make([]byte, 18)): // zero, and the chains' own functions
		bad = "nobody can move money from there"
	case t == Factory || t == Implementation || t == Deployer:
		bad = "it is a contract of the till"
	}
	for _, c := range r.Chains() {
		if _, is := r.Token(c.ID, t); is {
			bad = "it is a token; money sent to a token is lost"
		}
	}
	if bad != "" {
		return pos.E("set up stablecoins", pos.Invalid, "%s cannot be the treasury: %s", t, bad)
	}
	return nil
}

// admit makes a chain of what is accepted on it.
func (w *Watcher) admit(a Accept, paces map[string]*rpc.Pace) (*chain, error) {
	const op = "set up stablecoins"
	known, ok := w.o.Registry.Chain(a.Chain)
	switch {
	case !ok:
		return nil, pos.E(op, pos.Invalid, "chain %q is not known", rpc.Clip(a.Chain))
	case slices.ContainsFunc(w.chains, func(c *chain) bool { return c.ID == known.ID }):
		return nil, pos.E(op, pos.Invalid, "chain %q is there twice", a.Chain)
	case len(a.Endpoints) == 0 || len(a.Tokens) == 0:
		return nil, pos.E(op, pos.Invalid, "chain %q needs a token and an endpoint", a.Chain)
	}
	c := newChain(w, known)
	voices := map[string]bool{}
	for _, e := range a.Endpoints {
		if err := e.Check(); err != nil {
			return nil, err
		}
		p := paces[e.Operator]
		if p == nil {
			p = &rpc.Pace{}
			paces[e.Operator] = p
		}
		voices[e.Operator] = true
		c.clients.All = append(c.clients.All, rpc.New(e, p, w.o.Dial))
	}
	if need := PolicyOf(known).Operators(); len(voices) < need {
		return nil, pos.E(op, pos.Invalid, "%s needs endpoints of %d operators for large sales, or a policy that is content with 1", known.Name, need)
	}
	for _, symbol := range a.Tokens {
		t, ok := w.o.Registry.Find(known.ID, symbol)
		if !ok {
			return nil, pos.E(op, pos.Invalid, "token %q is not known on %s", rpc.Clip(symbol), known.Name)
		}
		w.rails = append(w.rails, newRail(w, c, t))
	}
	return c, nil
}

// Rails returns one rail for each accepted token, in the order of Options. The
// caller owns the slice.
func (w *Watcher) Rails() []*Rail { return slices.Clone(w.rails) }

// Treasury returns where the money goes.
func (w *Watcher) Treasury() Address { return w.o.Treasury }

// Recovery returns the seed of this till's addresses for the recovery sheet and the
// backoffice: with it and the treasury, every address can be found again.
func (w *Watcher) Recovery() [32]byte { return w.book.secret() }

// Bind binds the till's addresses to identity: text of the till and its enrolment, 1 to
// 256 bytes, that no copy of its storage has once it is enrolled by itself. It is to be
// called at each start and after each enrolment, before anything is asked for. The first
// identity is taken as it is; with another one a new seed is begun, so that no address of
// a copied card is given again, and Recovery returns it: the sheet must be printed, and
// the backoffice told, anew. Old requests stay watched.
//
// It waits for a request that is being made, and for the book's disk. It fails with Invalid for
// another length, and with Internal when the book cannot be kept; then nothing more can be
// asked for until it can.
func (w *Watcher) Bind(identity string) error {
	w.asking <- struct{}{}
	defer func() { <-w.asking }()
	return w.book.bind(identity)
}

// Run watches all chains until ctx ends; then it returns nil, and no goroutine of
// its is left. Each chain is watched by itself: one that hangs stops no other.
func (w *Watcher) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, c := range w.chains {
		wg.Go(func() { c.rounds.Run(ctx) })
	}
	wg.Wait()
	for _, c := range w.chains {
		for _, k := range c.clients.All {
			k.Close()
		}
	}
	return nil
}

// word returns a text in the till's language.
func (w *Watcher) word(key string, with ...string) string {
	return pos.Word(w.o.Language, key, with...)
}

// resume watches a request of before the start.
func (w *Watcher) resume(e entry) {
	c := w.chain(e.Chain)
	t, ok := w.o.Registry.Token(e.Chain, e.Token)
	if c == nil || !ok {
		return // not accepted any more: the till's records still hold its reference
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(e.ID, w.book.reference(e), t, e.Paid)
}

// chain returns the chain with this number, nil if it is not watched.
func (w *Watcher) chain(id uint64) *chain {
	for _, c := range w.chains {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// add begins to watch a payment, or returns it. paid is what the till was told of
// before. w.mu is held.
func (w *Watcher) add(id pos.PaymentID, ref reference, t Token, paid string) *payment {
	if p := w.payments[id]; p != nil {
		return p
	}
	p := &payment{id: id, ref: ref, token: t, units: ref.units, Open: coin.OpenNow(), claims: map[claimKey]*claim{}, code: map[uint64]bool{}}
	if n, ok := new(big.Int).SetString(paid, 10); ok {
		p.told, p.taken = true, n
	}
	if e, kept := w.book.find(id); kept {
		p.past.clean, p.done = e.Clean, e.Done
		p.had, p.given = e.hads()
	}
	w.payments[id] = p
	return p
}
