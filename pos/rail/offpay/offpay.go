// Package offpay takes Lightning payments while the till has no network, by
// OFFPAY-1 (package pos/offpay): the customer's phone carries a request to the
// merchant's backoffice and brings a six-digit code back.
//
// Promise. A request is made, and a code checked, by arithmetic alone, with a key
// that the backoffice granted and that is on the till's own disk first. Nobody can
// read a code off the till: it is compared and never returned, logged or kept. What
// became of a payment is the backoffice's word and nobody else's; no answer is an
// error, never "unpaid".
//
// Keys. A till holds the newest key and the one before it, whose requests may still
// be open for 72 hours. The file is replaced whole; one that cannot be read is an
// error at the start, for its loss would leave codes that nobody can check.
//
// Damage. Whoever copies the key file can make this till's codes, and no other
// till's. The backoffice finds that when it reconciles, and the till then stops.
package offpay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/file"
	"github.com/tillwright/tillwright/pos/offpay"
)

// Office is the backoffice's end.
type Office interface {
	// Grant returns the newest terms. held names the newest key that is on this
	// till's disk; nil for none. NotFound: the till belongs to no backoffice yet.
	Grant(ctx context.Context, held *Held) (offpay.Grant, error)
	// Outcomes says what became of payments, one answer for each claim.
	Outcomes(ctx context.Context, claims []offpay.Claim) ([]offpay.Outcome, error)
}

// Held names a key.
type Held struct {
	Device offpay.Device
	Epoch  uint8
}

// Options of a Rail.
type Options struct {
	File     string // where grants are kept, mode 0600
	Office   Office
	Tender   pos.Tender
	Currency pos.Currency
	Language string       // of reasons: "en", "es", "de", "fr", "pt"
	Log      *slog.Logger // nil discards
}

const (
	// maxKeys is how many keys are held: the newest, and the one whose requests may
	// still be open.
	maxKeys = 2
	// maxFile bounds the file: two grants have some 1 KB.
	maxFile = 64 << 10
	// grantEvery is how old the terms may get while the line is there: an owner who
	// switches a till off, or allows it, waits no longer.
	grantEvery = 5 * time.Minute
	// offEvery is the same while nothing may be sold offline: the reason may go, or the
	// line, in the next minute.
	offEvery = 10 * time.Second
	// retryMin and retryMax bound the wait after a failure: a line that is back is
	// used soon, a till without a backoffice asks seldom.
	retryMin, retryMax = 5 * time.Second, 4 * time.Minute
	// officeWithin bounds one call.
	officeWithin = 30 * time.Second
)

// Rail is safe for concurrent use.
type Rail struct {
	o       Options
	numeric uint16
	wake    chan struct{}

	mu   sync.RWMutex
	held []offpay.Grant // newest first
	keys []*offpay.Keys // of held
	busy string         // why not just now, as the backoffice said when it was last asked
}

// New reads the keys that the till holds. It fails with Corrupt when their file
// cannot be read, and with Invalid for a currency without an ISO number.
func New(o Options) (*Rail, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	numeric, err := offpay.Numeric(o.Currency.Code)
	if err != nil {
		return nil, err
	}
	r := &Rail{o: o, numeric: numeric, wake: make(chan struct{}, 1)}
	return r, r.load()
}

func (r *Rail) load() error {
	text, err := os.ReadFile(r.o.File)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var held []offpay.Grant
	if err == nil && len(text) <= maxFile {
		err = json.Unmarshal(text, &held)
	}
	if err != nil || len(held) > maxKeys || len(text) > maxFile {
		return pos.Wrap("read offline keys", pos.Corrupt, err, "%s is damaged. Move it away and connect the till to head office; codes given out before cannot be checked then", r.o.File)
	}
	r.set(held)
	return nil
}

func (r *Rail) set(held []offpay.Grant) {
	keys := make([]*offpay.Keys, len(held))
	for i, g := range held {
		keys[i] = offpay.Derive(g.Key, g.Device, g.Epoch)
	}
	r.mu.Lock()
	r.held, r.keys = held, keys
	r.mu.Unlock()
}

// newest returns the newest grant and its keys.
func (r *Rail) newest() (offpay.Grant, *offpay.Keys, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.held) == 0 {
		return offpay.Grant{}, nil, false
	}
	return r.held[0], r.keys[0], true
}

// Terms returns what the backoffice granted last. It does not block.
func (r *Rail) Terms() pos.OfflineTerms {
	g, _, ok := r.newest()
	if !ok {
		return pos.OfflineTerms{}
	}
	r.mu.RLock()
	busy := r.busy
	r.mu.RUnlock()
	if busy != "" {
		g.Enabled, g.Why = false, busy
	}
	l := g.Limits
	return pos.OfflineTerms{
		Tender: r.o.Tender, Device: g.Device.String(), Epoch: g.Epoch, Host: g.Host, Highest: g.Highest,
		Limits:  pos.OfflineLimits{PerSale: l.PerSale, Total: l.Total, Sales: l.Sales, Age: l.Age},
		Enabled: g.Enabled, Why: g.Why,
	}
}

// Ask makes the request of p. It needs no line and does not block. It fails with
// Unavailable when nothing was granted, and with Invalid for an amount or counter
// that a request cannot carry.
func (r *Rail) Ask(p pos.Payment, trusted bool) (pos.Asked, error) {
	g, keys, ok := r.newest()
	if !ok || !g.Enabled {
		return pos.Asked{}, pos.E("make request", pos.Unavailable, "%s", pos.Word(r.o.Language, "offline_not_granted"))
	}
	req := offpay.Request{Counter: p.Counter, Amount: uint64(max(p.Amount.Minor, 0)), Currency: r.numeric, TTL: g.Limits.TTL}
	if issued := p.At.Unix(); trusted && issued > 0 && issued <= int64(^uint32(0)) {
		req.Issued = uint32(issued)
	}
	t, err := keys.Seal(req)
	if err != nil {
		return pos.Asked{}, err
	}
	url := offpay.URL(g.Host, t)
	return pos.Asked{
		Reference: t.String(), Payload: offpay.LNURL(url), Other: url, Network: "Lightning",
		Expires: p.At.Add(time.Duration(g.Limits.TTL) * time.Minute),
	}, nil
}

// Proves compares typed with the code of p's request, in constant time. A request
// whose key is gone proves nothing.
func (r *Rail) Proves(p pos.Payment, typed string) pos.Proof {
	if counter, code, ok := offpay.ParseScan(typed); ok {
		if counter != p.Counter {
			return pos.ProofOther
		}
		typed = code
	}
	if !digits(typed) {
		return pos.ProofForm
	}
	t, err := offpay.ParseToken(p.Reference)
	if err != nil {
		return pos.ProofWrong
	}
	if keys := r.keysOf(t); keys != nil && keys.Match(t, typed) {
		return pos.ProofRight
	}
	return pos.ProofWrong
}

// digits reports that typed is a code's six digits, spaces and hyphens aside.
func digits(typed string) bool {
	typed = strings.NewReplacer(" ", "", "-", "").Replace(typed)
	return len(typed) == offpay.CodeDigits && strings.Trim(typed, "0123456789") == ""
}

// keysOf returns the keys that sealed t, nil when they are not held.
func (r *Rail) keysOf(t offpay.Token) *offpay.Keys {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for i, g := range r.held {
		if g.Device == t.Device() && g.Epoch == t.Epoch() {
			return r.keys[i]
		}
	}
	return nil
}

// Check asks the backoffice what became of p. An error means: not known.
func (r *Rail) Check(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	return r.ask(ctx, p, false)
}

// Cancel has the backoffice cancel p's invoice and refuse its request, or finds that
// it was paid. An error means: not known. Without a line it cannot reach the
// invoice.
func (r *Rail) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	return r.ask(ctx, p, true)
}

func (r *Rail) ask(ctx context.Context, p pos.Payment, void bool) (pos.Finding, error) {
	ctx, stop := context.WithTimeout(ctx, officeWithin)
	defer stop()
	claim := offpay.Claim{Token: p.Reference, Counter: p.Counter, Accepted: p.Taken, Void: void && !p.Taken}
	out, err := r.o.Office.Outcomes(ctx, []offpay.Claim{claim})
	if err != nil {
		return pos.Finding{}, err
	}
	if len(out) != 1 || out[0].Counter != p.Counter {
		return pos.Finding{}, pos.E("ask backoffice", pos.Corrupt, "the backoffice answers about another payment")
	}
	return r.finding(p, out[0])
}

// finding turns the backoffice's word into the rail's.
func (r *Rail) finding(p pos.Payment, o offpay.Outcome) (pos.Finding, error) {
	f := pos.Finding{At: o.At, Why: o.Why, Final: o.State.Final()}
	switch {
	case o.State == offpay.Open:
		return pos.Finding{}, nil
	case o.State == offpay.Paid:
		f.Event, f.Received, f.Asked, f.Rate = pos.Settle, o.Received, o.Asked, o.Rate
	case o.State == offpay.Conflict: // a copied card, or a backoffice that lost its secret: the money may be there
		return pos.Finding{}, pos.E("ask backoffice", pos.Unavailable, "head office knows another request by this number and has called the owner")
	case o.State == offpay.Unpaid && p.Taken:
		f.Event = pos.Fail
	case o.State == offpay.Unpaid && p.State == pos.Unknown:
		f.Event = pos.Cancel
	case o.State == offpay.Unpaid:
		f.Event = pos.Expire
	default:
		return pos.Finding{}, pos.E("ask backoffice", pos.Unavailable, "head office does not know yet what became of this payment")
	}
	return f, nil
}

// Wake has Run ask for terms now: the till was enrolled. It never blocks.
func (r *Rail) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run keeps the terms new until ctx ends; then it returns nil.
func (r *Rail) Run(ctx context.Context) error {
	for retry := time.Duration(0); ; {
		wait := grantEvery
		switch err := r.renew(ctx); {
		case err != nil:
			retry = min(max(2*retry, retryMin), retryMax)
			wait = retry
		case !r.Terms().Enabled:
			wait, retry = offEvery, 0
		default:
			retry = 0
		}
		pause := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-r.wake:
			pause.Stop()
		case <-pause.C:
		}
	}
}

// renew asks for terms and keeps them. A new key is told of at once when it is on
// disk: only then does the backoffice let the old one end.
func (r *Rail) renew(ctx context.Context) error {
	fresh, err := r.take(ctx)
	if fresh && err == nil {
		_, err = r.take(ctx)
	}
	if err != nil && pos.KindOf(err) != pos.NotFound {
		r.o.Log.Debug("offline terms not renewed", "err", err)
	}
	return err
}

func (r *Rail) take(ctx context.Context) (fresh bool, err error) {
	ctx, stop := context.WithTimeout(ctx, officeWithin)
	defer stop()
	now, _, ok := r.newest()
	var held *Held
	if ok {
		held = &Held{now.Device, now.Epoch}
	}
	g, err := r.o.Office.Grant(ctx, held)
	r.mu.Lock()
	if r.busy = ""; err == nil && g.Busy { // without a line nobody knows how the node is; the customer's phone will find out
		r.busy = g.Why
	}
	r.mu.Unlock()
	if err != nil {
		return false, err
	}
	if g.Busy {
		g.Busy, g.Why = false, ""
	}
	return r.keep(now, ok, g)
}

// keep makes g the newest, on disk first. A grant without a key only says that
// nothing may be sold any more: the keys at hand stay, for codes given out before.
func (r *Rail) keep(now offpay.Grant, ok bool, g offpay.Grant) (fresh bool, err error) {
	same := ok && g.Device == now.Device && g.Epoch == now.Epoch
	switch {
	case g.Key.IsZero() || g.Device.IsZero():
		if !ok {
			return false, nil
		}
		off := now
		off.Enabled, off.Why = false, g.Why
		g, same = off, true
	case ok && g.Device == now.Device && g.Epoch < now.Epoch:
		return false, pos.E("take grant", pos.Corrupt, "head office grants an older key than this till holds")
	}
	if same && g == now {
		return false, nil
	}
	r.mu.RLock()
	held := append([]offpay.Grant{g}, r.held...)
	r.mu.RUnlock()
	if same {
		held = append(held[:1], held[2:]...) // g replaces what it was
	}
	held = held[:min(len(held), maxKeys)]
	text, err := json.Marshal(held)
	if err != nil {
		return false, fmt.Errorf("keep grant: %w", err)
	}
	if err := file.Replace(r.o.File, text); err != nil {
		return false, pos.Wrap("keep grant", pos.Unavailable, err, "the till's storage is full or failing; the new offline key was not kept")
	}
	r.set(held)
	if !same {
		r.o.Log.Info("offline key kept", "grant", g)
	}
	return !same, nil
}
