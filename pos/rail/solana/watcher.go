package solana

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// Options of a Watcher.
type Options struct {
	Cluster  Cluster  // zero: Mainnet
	Registry Registry // the zero Registry: Known
	Owner    Key      // the merchant's own wallet, not a token account: where all money goes
	Accept   []string // symbols, in the order of their buttons
	// Endpoints: the first is asked first; the others when it fails, and to agree.
	Endpoints []rpc.Endpoint
	Policy    Policy // nil: DefaultPolicy

	Store Store
	// Closed keeps what payments were closed with (coin.Closed). Nil: nothing beyond this start.
	Closed Store
	// Booked reports that money of a name was booked as nobody's (coin.Unasked.Known).
	Booked   func(pos.PaymentID) bool
	Expiry   time.Duration // how long a price is held: 2 to 30 minutes, 10 if zero
	Language string        // of reasons: "en", "es", "de", "fr", "pt"
	Label    string        // the shop's name, as the customer's wallet shows it; at most 40 bytes, may be empty

	// Till and Tills part the amounts between tills that are paid to the same Owner:
	// this is number Till, from 1, of Tills. Both zero: it is the only one.
	Till, Tills int

	// ClockTrusted says whether the till's wall time can be believed now. Nil: never.
	// It decides only whether the age of a slot counts.
	ClockTrusted func() bool

	// Dial opens a connection; nil is TCP. For tests.
	Dial rpc.Dialer

	Log *slog.Logger // nil discards
}

// Bounds of Options.
const (
	maxLabel = 40              // the code must stay small enough to be scanned
	maxTills = unique.MaxLanes // of unique.Slots amounts, at least five are each till's
)

// Watcher watches the shop's payments on one cluster. It is safe for concurrent use.
type Watcher struct {
	o       Options
	book    *book
	log     *slog.Logger // names the cluster
	clients coin.Ring[*rpc.Client]
	rails   []*Rail
	tokens  []Token       // of the registry: all are looked for
	homes   []Key         // the owner's account of each
	asking  chan struct{} // holds a token while a new request is made
	giving  sync.Mutex    // is held while an amount is chosen and made durable; mu is not, then
	rounds  *coin.Rounds
	health  coin.Health[Key] // tokens by their mints
	notices coin.Notices
	found   coin.Unasked
	closing sync.Mutex // is held while a payment is closed; mu is not, for it takes the disk
	closed  *coin.Closed

	// mu guards what follows. It is held for moments.
	mu        sync.Mutex
	payments  map[pos.PaymentID]*payment
	transfers map[string]*transfer // by signature: what belongs to a payment
	head      headState
	rescan    bool // a payment came that is older than what was read

	looks // of Run's goroutine alone
}

// headState is how far the cluster is, by the endpoint that was asked last.
type headState struct {
	slot  uint64
	time  uint64    // seconds since 1970, by the cluster
	moved time.Time // when it last went on, by the till's monotonic clock

	first uint64    // its time in the first answer
	since time.Time // when that came, by the till's monotonic clock
}

// New makes a Watcher and reads its book, or begins one. It fails with Invalid when
// the Options are not usable, and as Store and the book do. It makes no call; Run
// does.
func New(o Options) (*Watcher, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	log := o.Log.With("cluster", o.Cluster.Key)
	w := &Watcher{
		o: o, log: log, health: coin.Health[Key]{Log: log}, notices: coin.Notices{Log: log}, found: coin.Unasked{Log: log, Known: o.Booked}, closed: coin.OpenClosed(o.Closed, keepClosed, log), payments: map[pos.PaymentID]*payment{}, transfers: map[string]*transfer{},
		asking: make(chan struct{}, 1), looks: newLooks(), tokens: o.Registry.Tokens(o.Cluster.Key),
	}
	w.rounds = newRounds(w)
	w.health.Set(w.word("evm_connecting"))
	for _, t := range w.tokens {
		w.homes = append(w.homes, AccountOf(o.Owner, t.Program.key(), t.Mint))
	}
	if err := w.connect(); err != nil {
		return nil, err
	}
	for _, symbol := range o.Accept {
		t, ok := o.Registry.Find(o.Cluster.Key, symbol)
		if !ok {
			return nil, pos.E(setUp, pos.Invalid, "token %q is not known on %s", rpc.Clip(rpc.Plain(symbol)), o.Cluster.Name)
		}
		w.rails = append(w.rails, newRail(w, t))
	}
	var err error
	if w.book, err = openBook(o.Store); err != nil {
		return nil, err
	}
	for _, e := range w.book.all() {
		if t, ok := o.Registry.Token(o.Cluster.Key, e.Mint); ok { // else the till's records still hold its reference
			w.add(e.ID, e.reference(), t, e.Paid).rests = e.Rests
		}
	}
	return w, nil
}

const setUp = "set up Solana"

// complete checks the options and fills the defaults.
func (o *Options) complete() error {
	if o.Cluster == (Cluster{}) {
		o.Cluster = Mainnet
	}
	if len(o.Registry.tokens) == 0 {
		o.Registry = Known()
	}
	if o.Expiry == 0 {
		o.Expiry = coin.UsualExpiry
	}
	if len(o.Policy) == 0 {
		o.Policy = DefaultPolicy
	}
	if o.Till == 0 && o.Tills == 0 {
		o.Till, o.Tills = 1, 1
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ClockTrusted == nil {
		o.ClockTrusted = func() bool { return false }
	}
	switch {
	case len(o.Accept) == 0 || len(o.Endpoints) == 0 || o.Store == nil:
		return pos.E(setUp, pos.Invalid, "Solana needs a token, an endpoint and a place for its book")
	case o.Expiry < coin.MinExpiry || o.Expiry > coin.MaxExpiry:
		return pos.E(setUp, pos.Invalid, "a price may be held 2 to 30 minutes, not %v", o.Expiry)
	case len(o.Label) > maxLabel || !pos.IsPlain(o.Label):
		return pos.E(setUp, pos.Invalid, "the shop's name for wallets has at most %d letters", maxLabel)
	case o.Till < 1 || o.Till > o.Tills || o.Tills > maxTills:
		return pos.E(setUp, pos.Invalid, "this till is number %d of %d at its wallet; the first is 1, and at most %d can share one", o.Till, o.Tills, maxTills)
	}
	if err := o.Cluster.check(); err != nil {
		return err
	}
	if err := o.Policy.Check(Confirmed, Finalized); err != nil {
		return err
	}
	return o.checkOwner()
}

// checkOwner refuses accounts whose money nobody could move. verify asks the
// cluster what stands there.
func (o *Options) checkOwner() error {
	bad := ""
	switch o.Owner {
	case systemProgram, tokenProgram, token2022Program, associated, clockAccount:
		bad = "nobody can move money from there"
	}
	if _, is := o.Registry.Token(o.Cluster.Key, o.Owner); is {
		bad = "it is a token; money sent to a token is lost"
	}
	if bad != "" {
		return pos.E(setUp, pos.Invalid, "%s cannot be the shop's wallet: %s", o.Owner, bad)
	}
	return nil
}

// connect makes the clients. Endpoints of one operator share a pace.
func (w *Watcher) connect() error {
	paces := map[string]*rpc.Pace{}
	for _, e := range w.o.Endpoints {
		if err := e.Check(); err != nil {
			return err
		}
		if paces[e.Operator] == nil {
			paces[e.Operator] = &rpc.Pace{}
		}
		w.clients.All = append(w.clients.All, rpc.New(e, paces[e.Operator], w.o.Dial))
	}
	if need := w.o.Policy.Operators(); len(paces) < need {
		return pos.E(setUp, pos.Invalid, "%s needs endpoints of %d operators for large sales, or a policy that is content with 1", w.o.Cluster.Name, need)
	}
	return nil
}

// Rails returns one rail for each accepted token, in the order of Options. The
// caller owns the slice.
func (w *Watcher) Rails() []*Rail { return slices.Clone(w.rails) }

// Owner returns where the money goes.
func (w *Watcher) Owner() Key { return w.o.Owner }

// Warning is what the cashier should know of Solana's wallets, in the till's language.
func (w *Watcher) Warning() string { return w.word("sol_trust") }

// Run watches the cluster until ctx ends; then it returns nil, and no goroutine of its
// is left.
func (w *Watcher) Run(ctx context.Context) error {
	w.began = time.Now()
	w.rounds.Run(ctx)
	for _, k := range w.clients.All {
		k.Close()
	}
	return nil
}

// word returns a text in the till's language; {chain} is the cluster's name.
func (w *Watcher) word(key string, with ...string) string {
	return pos.Word(w.o.Language, key, append(with, "chain", w.o.Cluster.Name, "asked", w.o.Cluster.Name)...)
}

// add begins to watch a payment, or returns it. paid is what the till was told of
// before. w.mu is held, or w is not shared yet.
func (w *Watcher) add(id pos.PaymentID, ref reference, t Token, paid string) *payment {
	if p := w.payments[id]; p != nil {
		return p
	}
	p := &payment{id: id, ref: ref, key: ref.key.String(), token: t, units: ref.units, Open: coin.OpenNow()}
	if n, ok := readUnits(paid); ok {
		p.told, p.taken = true, n
	}
	p.money, p.closed = w.closed.Of(id)
	w.payments[id] = p
	return p
}
