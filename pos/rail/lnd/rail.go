package lnd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Options of a Rail.
type Options struct {
	// Source returns the newest connection string, or, with none yet, why, in a
	// cashier's words. It must not block. It is asked every 2 s until it gives a
	// string, and while the node of the last string cannot be used.
	Source func() (text, waiting string)

	// Secret is 32 bytes that no other till has and that outlive the board's
	// restarts: every preimage comes from it. The Rail keeps its own copy.
	Secret []byte

	// Network is the chain by lnd's name: "mainnet", "testnet", "testnet4",
	// "signet", "regtest" or "simnet". Empty takes the node's word for it.
	Network string

	// Expiry is how long an invoice can be paid: 60 to 900 s, 300 s if zero.
	Expiry time.Duration

	// Private says that all the node's channels are private. Then invoices carry
	// route hints, and one without any is refused: nobody could pay it.
	Private bool

	// Language of reasons and messages: "en", "es", "de", "fr", "pt"; "en" if empty.
	Language string

	// ClockTrusted says whether the till's wall time can be believed now. Nil: never.
	// It decides only whether a pinned certificate's end counts.
	ClockTrusted func() bool

	// Dial opens a connection; nil is TCP with keep-alive. For a VPN inside the
	// process, and for tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Log *slog.Logger // nil discards
}

// Bounds of Options.Expiry: below, customers miss it; above, the rate is a gift.
const (
	minExpiry     = 60 * time.Second
	defaultExpiry = 300 * time.Second
	longestExpiry = 900 * time.Second
)

// Rail takes payments through one node at a time. It is safe for concurrent use.
type Rail struct {
	o      Options
	node   atomic.Pointer[node] // nil until there is a connection that may be used
	health atomic.Pointer[pos.Health]
	linkMu sync.Mutex    // one reader of Source at a time
	look   chan struct{} // holds a token when a call had no answer: the health may be out of date

	mu         sync.Mutex
	gone       remembered // invoices whose cancellation the node confirmed
	deletes    bool       // the node was seen to delete invoices
	strange    bool       // an invoice of ours was paid in a way that we do not offer
	receivable receivable
}

// node is one connection, and what is known of who answers there.
type node struct {
	*client
	text   string // the connection string; secret
	rights Rights
	known  atomic.Pointer[identity]
}

// identity is who signs the node's invoices, and for which chain.
type identity struct{ payee, network string }

// receivable is what the backoffice last said of the node's inbound liquidity.
type receivable struct {
	max pos.Quantity
	at  time.Time
}

// New makes a Rail and reads Source once. It fails with Invalid when the Options
// are not usable, and with Forbidden when Source gives a macaroon that can spend,
// or whose rights cannot be read: the till must not start with it. It makes no
// call to the node; Run does.
func New(o Options) (*Rail, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	r := &Rail{o: o, look: make(chan struct{}, 1)}
	r.say(r.word("ln_connecting"))
	if err := r.link(); pos.KindOf(err) == pos.Forbidden {
		return nil, err
	}
	return r, nil
}

// complete checks the options and fills the defaults.
func (o *Options) complete() error {
	if o.Expiry == 0 {
		o.Expiry = defaultExpiry
	}
	switch {
	case o.Source == nil || len(o.Secret) != secretSize:
		return pos.E("set up Lightning", pos.Invalid, "Lightning needs a source for its connection and a secret of %d bytes", secretSize)
	case o.Expiry < minExpiry || o.Expiry > longestExpiry || o.Expiry%time.Second != 0:
		return pos.E("set up Lightning", pos.Invalid, "an invoice may last 60 to 900 whole seconds, not %v", o.Expiry)
	case o.Network != "" && nets[o.Network] == nil:
		return pos.E("set up Lightning", pos.Invalid, "%q is no Bitcoin network; most shops want mainnet", clip(o.Network))
	}
	o.Secret = append([]byte(nil), o.Secret...)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ClockTrusted == nil {
		o.ClockTrusted = func() bool { return false }
	}
	return nil
}

// word returns a text in the till's language.
func (r *Rail) word(key string, with ...string) string { return pos.Word(r.o.Language, key, with...) }

// say makes reason the rail's health.
func (r *Rail) say(reason string) { r.set(pos.Health{Reason: reason}) }

// set makes h the rail's health.
func (r *Rail) set(h pos.Health) {
	h.Asset = pos.Bitcoin
	if old := r.health.Swap(&h); old == nil || old.Ready != h.Ready || old.Reason != h.Reason {
		r.o.Log.Info("lightning health", "ready", h.Ready, "reason", h.Reason)
	}
}

// Health returns the newest known health. It does not block, and asks nobody.
func (r *Rail) Health() pos.Health { return *r.health.Load() }

// link reads Source and, when it has a new string, connects the rail to it. It
// fails when there is no connection to use; the health then says why.
func (r *Rail) link() error {
	r.linkMu.Lock()
	defer r.linkMu.Unlock()
	text, waiting := r.o.Source()
	old := r.node.Load()
	switch {
	case text == "" && old != nil:
		return nil // the source has lost it; the connection may still be good
	case text == "":
		if waiting == "" {
			waiting = r.word("ln_no_connection")
		}
		r.say(waiting)
		return pos.E("connect to the node", pos.Unavailable, "%s", waiting)
	case old != nil && old.text == text:
		return nil
	}
	n, err := r.admit(text)
	if err != nil { // a new string that is no good takes the place of the old one: it is the owner's last word
		r.node.Store(nil)
		if e, ok := errors.AsType[*pos.Error](err); ok {
			r.say(e.Msg)
		}
	} else {
		r.node.Store(n)
	}
	if old != nil {
		old.close()
	}
	return err
}

// admit makes a node of a connection string whose macaroon may be used.
func (r *Rail) admit(text string) (*node, error) {
	c, err := ParseConnection(text)
	if err != nil {
		return nil, err
	}
	rights, err := Inspect(c.Macaroon)
	if err != nil {
		return nil, pos.Wrap("connect to the node", pos.Forbidden, err, "%s", r.word("ln_key_unreadable"))
	}
	if rights.Verdict == CanSpend {
		return nil, pos.E("connect to the node", pos.Forbidden, "%s", r.word("ln_key_can_spend", "right", clip(rights.Worst())))
	}
	return &node{client: newClient(c, r.o.Dial, r.o.ClockTrusted), text: text, rights: rights}, nil
}

// current returns the node to call, or Unavailable with the reason.
func (r *Rail) current(op string) (*node, error) {
	if n := r.node.Load(); n != nil {
		return n, nil
	}
	return nil, pos.E(op, pos.Unavailable, "%s", r.Health().Reason)
}

// SetReceivable tells the rail what the node can receive at most, as the
// backoffice found it at time at (the till's clock). Older than ten minutes it is
// not relied on.
func (r *Rail) SetReceivable(max pos.Quantity, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.receivable = receivable{max, at}
}

// receivableFor is how long a word about liquidity is relied on.
const receivableFor = 10 * time.Minute

// limit returns the most that the node can receive, if that is known.
func (r *Rail) limit() (pos.Quantity, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	age := time.Since(r.receivable.at)
	return r.receivable.max, !r.receivable.at.IsZero() && age.Abs() <= receivableFor
}

// maxRemembered bounds what a Rail remembers: a day of cancellations at a busy
// counter. Older ones are in the till's records as cancelled.
const maxRemembered = 1024

// remembered is a set of the newest hashes.
type remembered struct {
	ring []hash
	next int
	set  map[hash]bool
}

func (m *remembered) add(h hash) {
	switch {
	case m.set[h]:
		return
	case m.set == nil:
		m.set = map[hash]bool{}
	case len(m.ring) == maxRemembered:
		delete(m.set, m.ring[m.next])
		m.ring[m.next] = h
		m.next = (m.next + 1) % maxRemembered
		m.set[h] = true
		return
	}
	m.ring = append(m.ring, h)
	m.set[h] = true
}

// forget says that h cannot be paid any more by the node's own word.
func (r *Rail) forget(h hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone.add(h)
}

// isGone reports that forget was called for h.
func (r *Rail) isGone(h hash) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone.set[h]
}
