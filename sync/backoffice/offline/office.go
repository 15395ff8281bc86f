package offline

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// Times of the protocol.
const (
	// quoteFor is how long a rate is fixed, and expiry how long an invoice can be
	// paid: so a rate is exposed for at most the sum of both.
	quoteFor = 300 * time.Second
	expiry   = 300 * time.Second
	// slack is how far the clocks of till and backoffice may be apart.
	slack = 600 * time.Second
	// oldKeyFor is how long the epoch before the current one is taken.
	oldKeyFor = 72 * time.Hour
	// counterSlack is how far a token without a time may be from the highest counter.
	counterSlack = 200
	// hurryBefore is how much of an invoice's life a wallet needs: with less left it is
	// given a new quote, whose invoice takes the old one's place.
	hurryBefore = 60 * time.Second
)

// Keys keeps what devices' keys are made of.
type Keys interface {
	// OfflineKey fails with NotFound.
	OfflineKey(ctx context.Context, device offpay.Device, epoch uint8) (store.OfflineKey, error)
	// OfflineGrant fails with Forbidden while the till is switched off.
	OfflineGrant(ctx context.Context, a store.OfflineAsk, at time.Time) (store.OfflineKey, error)
	OfflineOff(ctx context.Context, till, why string, a store.Alarm, at time.Time) error
}

// Sales keeps tokens and what became of them.
type Sales interface {
	// OfflineSale fails with NotFound.
	OfflineSale(ctx context.Context, id store.OfflineID) (store.OfflineSale, error)
	OfflineSee(ctx context.Context, s store.OfflineSale, at time.Time) (store.OfflineSale, error)
	// OfflineQuote fails with Conflict when somebody else was faster.
	OfflineQuote(ctx context.Context, id store.OfflineID, seen, at time.Time, rate string, msat int64) error
	OfflineSay(ctx context.Context, id store.OfflineID, said store.OfflineSaid, why string, a store.Alarm, at time.Time) error
	// OfflineClose fails with Conflict for a sale that is not open, or has a live invoice.
	OfflineClose(ctx context.Context, id store.OfflineID, why string, a store.Alarm, at time.Time) error
}

// Invoices keeps attempts.
type Invoices interface {
	// OfflineBegin fails with Conflict when another attempt is live or was faster.
	OfflineBegin(ctx context.Context, i store.OfflineInvoice) error
	OfflineMade(ctx context.Context, hash [32]byte, text string, ends time.Time) error
	OfflineInvoices(ctx context.Context, id store.OfflineID) ([]store.OfflineInvoice, error)
	OfflineSettled(ctx context.Context, i store.OfflineInvoice, msat int64, at time.Time) error
	OfflineGone(ctx context.Context, hash [32]byte) error
}

// Work is what is left to do.
type Work interface {
	Tills(ctx context.Context) ([]store.Till, error)
	OfflineLive(ctx context.Context, limit int) ([]store.OfflineInvoice, error)
	OfflineDue(ctx context.Context, before time.Time, limit int) ([]store.OfflineSale, error)
	OfflineUnread(ctx context.Context, till string) (records []store.Kept, upTo uint64, err error)
	OfflineRead(ctx context.Context, till string, n uint64) error
}

// Store is all that the office keeps; see store.DB.
type Store interface {
	Keys
	Sales
	Invoices
	Work
}

// Node is the merchant's Lightning node.
type Node interface {
	// Invoice makes the invoice of preimage, or finds the one that an earlier call
	// made, and returns its BOLT11 text and its last moment. It blocks for at most
	// 20 s. Unavailable: no clear answer, ask again. Conflict: this preimage's invoice
	// has ended, was paid, or proved wrong.
	Invoice(ctx context.Context, preimage [32]byte, msat int64, description [32]byte, expiry time.Duration) (text string, ends time.Time, err error)
	// Look asks what became of an invoice: Settle with what was received, Cancel or
	// Expire when nobody can pay it any more, See while parts are held, nothing while
	// it is open. NotFound: the node knows no such invoice. Unavailable: no clear answer.
	Look(ctx context.Context, hash [32]byte) (pos.Finding, error)
	// Cancel withdraws an invoice, and fails as Look does.
	Cancel(ctx context.Context, hash [32]byte) (pos.Finding, error)
	// Health does not block.
	Health() pos.Health
}

// Rates knows prices; see rates.Guard.
type Rates interface {
	// Rate fails with Unavailable when there is none that can be believed.
	Rate(a pos.Asset) (pos.Rate, error)
}

// Action is what a wallet shows once it has paid (LUD-09).
type Action string

// Actions. ActionURL leads to the page with the code; ActionAES (LUD-10) carries the
// code itself, which fewer wallets show.
const (
	ActionURL Action = "url"
	ActionAES Action = "aes"
)

// secretBytes is the length of Options.Secret.
const secretBytes = 32

// Options of an Office. All must be set but Language, which is then "en", and Log.
type Options struct {
	Store    Store
	Node     Node
	Rates    Rates
	Secret   []byte // 32 random bytes out of a file of mode 0600; the Office keeps its own copy
	Host     string // of the tokens' URLs; see offpay.CheckHost
	Shop     string // what wallets show
	Currency string // that there are rates for; tills with another one sell nothing offline
	Limits   offpay.Limits
	KeyAge   time.Duration // a till gets a new key when its own is this old
	Action   Action
	Language string // of sentences for tills: "en", "es", "de", "fr", "pt"
	Log      *slog.Logger
}

// Office is safe for concurrent use, also by several processes over one Store, one
// secret and one node.
type Office struct {
	o      Options
	opened atomic.Int64 // tokens whose tag was computed: the work of a stranger's request, for the tests
	bad    limits       // by address
	good   limits       // by device

	mu    sync.Mutex
	paces map[[32]byte]time.Time // when a live invoice is to be asked about next

	doubts map[store.OfflineID]time.Time // when a forgotten one is; Run's own
}

// New makes an Office. Run does its standing work. It fails with Invalid for options
// that cannot work.
func New(o Options) (*Office, error) {
	bad := func(why string) error { return pos.E("set up offline payments", pos.Invalid, "%s", why) }
	if o.Store == nil || o.Node == nil || o.Rates == nil || len(o.Secret) != secretBytes {
		return nil, bad("offline payments need a store, a node, rates and a secret of 32 bytes")
	}
	if o.Action != ActionURL && o.Action != ActionAES {
		return nil, bad(`the success action must be "url" or "aes"`)
	}
	if o.KeyAge < oldKeyFor {
		return nil, bad("a key must be kept for 72 hours at least, for as long as the one before it is taken")
	}
	if err := offpay.CheckHost(o.Host); err != nil {
		return nil, err
	}
	if _, err := offpay.Numeric(o.Currency); err != nil {
		return nil, err
	}
	if err := o.Limits.Check(); err != nil {
		return nil, err
	}
	o.Secret = append([]byte(nil), o.Secret...)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Office{o: o, bad: newLimits(badRate), good: newLimits(goodRate), paces: map[[32]byte]time.Time{}}, nil
}

func (o *Office) word(key string, with ...string) string {
	return pos.Word(o.o.Language, key, with...)
}
