package tron

import (
	"context"
	"log/slog"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// Options of a Watcher.
type Options struct {
	Registry Registry // Known, with the merchant's own; the zero one is Known
	Chain    string   // its key: "tron", which is what "" means, or "nile"

	// Address is where all customers pay: the merchant's own wallet.
	Address   Address
	Accept    []string   // symbols, in the order of their buttons
	Endpoints []Endpoint // the first is asked first; the others when it fails, and to agree

	Store unique.Store
	// Closed keeps what payments were closed with (coin.Closed). Nil: nothing beyond this start.
	Closed unique.Store
	// Booked reports that money of a name was booked as nobody's (coin.Unasked.Known).
	Booked func(pos.PaymentID) bool
	// Lane is this till's number among those that share Address; zero: it is alone.
	Lane     unique.Lane
	Expiry   time.Duration // how long a price is held: 2 to 30 minutes, 10 if zero
	Language string        // of reasons: "en", "es", "de", "fr", "pt"

	// Link shows "tron:T…?amount=" too, which some wallets read. It names no token.
	Link bool

	// ClockTrusted says whether the till's wall time can be believed now. Nil: never.
	// It decides only whether the age of a block counts.
	ClockTrusted func() bool

	// Dial opens a connection; nil is TCP. For tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Log *slog.Logger // nil discards

	every time.Duration // between two rounds while a customer pays; hotEvery if zero. For tests in real time.
}

// Watcher watches the shop's payments on one network of Tron's kind. It is safe for
// concurrent use.
type Watcher struct {
	o     Options
	book  *unique.Book
	chain *chain
	rails []*Rail

	log     *slog.Logger // names the network
	notices coin.Notices
	found   coin.Unasked
	closing sync.Mutex // is held while a payment is closed; mu is not, for it takes the disk
	closed  *coin.Closed

	// mu guards payments, what is known of each, and transfers. It is held for moments.
	mu       sync.Mutex
	payments map[pos.PaymentID]*payment
	held     []*held       // transfers, as they were first seen
	asking   chan struct{} // holds a token while a new request is made
}

// New makes a Watcher and reads its book, or begins one. It fails with Invalid when the
// Options are not usable, and as Store and the book do. It makes no call; Run does.
func New(o Options) (*Watcher, error) {
	known, err := o.complete()
	if err != nil {
		return nil, err
	}
	log := o.Log.With("chain", known.Key)
	w := &Watcher{o: o, log: log, notices: coin.Notices{Log: log}, found: coin.Unasked{Log: log, Known: o.Booked}, closed: coin.OpenClosed(o.Closed, keepClosed, log), payments: map[pos.PaymentID]*payment{}, asking: make(chan struct{}, 1)}
	if w.chain, err = newChain(w, known); err != nil {
		return nil, err
	}
	for _, t := range w.chain.tokens[:w.chain.asked] {
		w.rails = append(w.rails, newRail(w, t))
	}
	if w.book, err = unique.Open(o.Store, o.Lane); err != nil {
		return nil, err
	}
	for _, e := range w.book.All() {
		w.resume(e)
	}
	return w, nil
}

// complete checks the options, fills the defaults, and returns the network.
func (o *Options) complete() (Chain, error) {
	const op = "set up Tron"
	if o.Expiry == 0 {
		o.Expiry = coin.UsualExpiry
	}
	if o.every == 0 {
		o.every = hotEvery
	}
	if o.Chain == "" {
		o.Chain = "tron"
	}
	if len(o.Registry.chains) == 0 {
		o.Registry = Known()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ClockTrusted == nil {
		o.ClockTrusted = func() bool { return false }
	}
	known, ok := o.Registry.Chain(o.Chain)
	switch {
	case !ok:
		return known, pos.E(op, pos.Invalid, "network %q is not known", rpc.Clip(o.Chain))
	case len(o.Accept) == 0 || len(o.Endpoints) == 0 || o.Store == nil:
		return known, pos.E(op, pos.Invalid, "%s needs a token, an endpoint, and a place for its book", known.Name)
	case o.Expiry < coin.MinExpiry || o.Expiry > coin.MaxExpiry:
		return known, pos.E(op, pos.Invalid, "a price may be held 2 to 30 minutes, not %v", o.Expiry)
	}
	return known, o.checkAddress()
}

// checkAddress refuses addresses whose money nobody could move.
func (o *Options) checkAddress() error {
	bad := ""
	if slices.Equal(o.Address[:18], make([]byte, 18)) { // zero, and the machine's own functions
		bad = "nobody can move money from there"
	}
	for _, t := range o.Registry.tokens {
		if t.Contract == o.Address {
			bad = "it is a token; money sent to a token is lost"
		}
	}
	if bad != "" {
		return pos.E("set up Tron", pos.Invalid, "%s cannot be the shop's address: %s", o.Address, bad)
	}
	return nil
}

// Rails returns one rail for each accepted token, in the order of Options. The caller
// owns the slice.
func (w *Watcher) Rails() []*Rail { return slices.Clone(w.rails) }

// Address returns where the customers pay.
func (w *Watcher) Address() Address { return w.o.Address }

// Advice is what the owner should read when this is set up, before money comes: what no
// endpoint can tell of the address. It does not block.
func (w *Watcher) Advice() []string {
	return []string{w.word("tron_advice", "tail", w.o.Address.Tail(), "chain", w.chain.chain.Name)}
}

// Run watches until ctx ends; then it returns nil, and no goroutine of its is left.
func (w *Watcher) Run(ctx context.Context) error {
	w.chain.began = time.Now()
	w.chain.rounds.Run(ctx)
	for _, k := range w.chain.clients.All {
		k.line.Close()
	}
	return nil
}

// word returns a text in the till's language.
func (w *Watcher) word(key string, with ...string) string {
	return pos.Word(w.o.Language, key, with...)
}

// resume watches a request of before the start.
func (w *Watcher) resume(e unique.Entry) {
	ref, err := readReference(e.Note)
	t, ok := w.chain.placed(e.Place)
	if err != nil || !ok || ref.address != w.o.Address {
		return // not accepted any more: the till's records still hold its reference
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(e.ID, ref, t, e.Told())
}

// place names a token at the shop's address on a network, for the book.
func (s shop) place(t Token) string {
	return strings.Join([]string{s.chain.Key, s.address.String(), t.Contract.String()}, " ")
}

// placed is the reverse of place.
func (s shop) placed(place string) (Token, bool) {
	for _, t := range s.tokens {
		if s.place(t) == place {
			return t, true
		}
	}
	return Token{}, false
}

// add begins to watch a payment, or returns it. told is what the till was told of
// before, nil for nothing. w.mu is held.
func (w *Watcher) add(id pos.PaymentID, ref reference, t Token, told *big.Int) *payment {
	if p := w.payments[id]; p != nil {
		return p
	}
	p := &payment{id: id, ref: ref, token: t, units: ref.units, Open: coin.OpenNow(), taken: told}
	p.money, p.closed = w.closed.Of(id)
	w.payments[id] = p
	w.chain.remember(t, ref.from, ref.balance)
	return p
}
