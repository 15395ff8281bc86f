// Package desk holds what a till does: sell, take payments, print, sign people
// in. It is the only writer of records.
//
// Flow. One direction, no way back: a command is checked against the state and
// becomes records; the journal makes them durable, and only then is the command
// confirmed; the ledger folds them; screens, printer, outbox and rails follow and
// may fail freely.
//
// Promise. A command repeated with its key happens once and gets its first
// answer, also across a power cut. What a customer is shown is in the journal
// first. No code path turns doubt into paid or unpaid: a rail that does not answer
// leaves the payment unknown. A completed sale never changes. Nothing here waits
// for a printer, a network or the backoffice while it holds the counter up: rails
// are asked outside the lock, with a deadline.
//
// Damage. When the journal can take no more records, or a record is durable but
// cannot be folded, the desk refuses every further command and Run returns the
// error: the next start opens the journal anew and folds what is in it, or builds
// the ledger anew.
package desk

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Journal is the till's truth.
type Journal interface {
	// Append makes the entries durable in one step and returns their records. It
	// blocks for one fsync. Unavailable: the storage is full, nothing was changed.
	// Internal: the storage failed, nothing more can be recorded.
	Append(at time.Time, clock pos.Clock, entries ...pos.Entry) ([]pos.Record, error)
	// Since yields the records above after, oldest first.
	Since(after uint64) iter.Seq2[pos.Record, error]
	// Read returns record n; NotFound past the end, Corrupt when it is damaged.
	Read(n uint64) (pos.Record, error)
	// Torn returns the bytes of an unfinished record that the last power cut left.
	Torn() int64
}

// Ledger is the state folded from the journal. Its methods block for a disk at most.
type Ledger interface {
	Books() pos.Books
	// Fold takes records in that the journal returned. Corrupt, Internal: the
	// ledger must be built anew.
	Fold(rs ...pos.Record) error
	// Keep makes a change durable that no record tells of.
	Keep(d pos.DraftChange) error
	// Answer returns what the command with this key made.
	Answer(key string) (digest string, a pos.Answer, ok bool, err error)
	// Acked notes how far the backoffice is.
	Acked(n uint64) error
}

// Sales finds sales and payments in the ledger. NotFound: there is none such.
type Sales interface {
	Open() ([]pos.Sale, error)
	Sale(id pos.SaleID) (pos.Sale, error)
	Filed(id pos.SaleID) (pos.Filed, error)
	// Series returns completed sales before place n (0: from the newest), newest first.
	Series(n uint64, limit int) ([]pos.Filed, error)
}

// Payments finds payments that can still change, and those that came for a sale
// that no longer needed them.
type Payments interface {
	Watched() ([]pos.Payment, error)
	Payment(id pos.PaymentID) (pos.Payment, error)
	// Refunds returns the payments that the owner owes a decision about, oldest first.
	Refunds() ([]pos.Payment, error)
	// Booked reports that unasked money of this name is in the journal.
	Booked(id pos.PaymentID) (bool, error)
}

// Prints are the durable print queues, one a printer; the receipt printer's name is
// empty.
type Prints interface {
	// Jobs returns what a printer owes, oldest first.
	Jobs(printer string) ([]pos.PrintJob, error)
	// Printers returns the names of those that owe something.
	Printers() ([]string, error)
	// BeginJob returns when it is durable that bytes may be on paper. NotFound, Conflict:
	// the job is not wanted any more.
	BeginJob(printer string, id uint64) error
	// DoneJob forgets jobs, all or none.
	DoneJob(printer string, ids ...uint64) error
}

// Rail is one payment technology.
type Rail interface {
	// Health says whether the rail can be offered now. It does not block.
	Health() pos.Health
	// Ask makes the payment request. It may be repeated for the same payment.
	// Unavailable: no answer, try again. Any other error: it was not made.
	Ask(ctx context.Context, p pos.Payment, memo string) (pos.Asked, error)
	// Check asks what became of the payment. An error means: not known.
	Check(ctx context.Context, p pos.Payment) (pos.Finding, error)
	// Cancel withdraws the request, or finds that it was paid. An error means: not known.
	Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error)
	// Watch calls wake whenever Check may have news, until ctx ends.
	Watch(ctx context.Context, p pos.Payment, wake func())
}

// Rates prices assets.
type Rates interface {
	// Rate returns the newest price that passed the guard. It does not block.
	// Unavailable: there is none, and why.
	Rate(a pos.Asset) (pos.Rate, error)
}

// PINs keeps who may use the till. Its methods may take a second.
type PINs interface {
	Names() []pos.Actor
	// Check returns whose PIN it is. Forbidden: it is wrong; Exhausted: locked.
	Check(id, pin string) (pos.Actor, error)
	// Put adds someone, or changes a PIN. Invalid: the name or PIN will not do.
	Put(a pos.Actor, pin string) error
	// Wrong returns how many wrong PINs were tried in a row.
	Wrong(id string) int
}

// Tender is a button and the rail behind it.
type Tender struct {
	Name    pos.Tender
	Rail    Rail
	Offline Offline           // nil: there is no way without a line
	Unseen  Unseen            // nil: its requests need the network's answer
	Rule    pos.OfflineRule   // empty: online only
	Limits  pos.OfflineLimits // of this till

	Token  string          // of a stablecoin, for people: "USDC"
	Chain  string          // likewise: "Base"
	To     pos.Destination // where its money goes; the zero value: nowhere that anybody could change
	Peg    Pegged          // of a token that may come off its value; nil: it is always charged at its price
	Notice func() string   // what the cashier should know though it works; nil: nothing. It must not block
}

// Unasked tells of money that came and that no payment waits for. Its methods do not block.
// Who is one tells of the same money under the same key for good, and of none that a payment
// was told of, or will be.
type Unasked interface {
	// Unasked returns what was found and is not booked yet, and what is beyond the bounds of
	// that, in a sum for each asset. The caller owns both.
	Unasked() (came []pos.Unasked, beyond []pos.Dust)
	// Booked forgets what Unasked returned: it is in the journal.
	Booked(came []pos.Unasked, beyond []pos.Dust)
}

// Options wires a desk.
type Options struct {
	Journal  Journal
	Ledger   Ledger
	Sales    Sales
	Payments Payments
	Prints   Prints
	Tenders  []Tender // besides cash, in the order of their buttons
	Unasked  []Unasked
	Rates    Rates
	PINs     PINs
	Shop     pos.Shop
	Zone     *time.Location // of times on receipts
	Items    []pos.Item
	Routes   []pos.Route // which printers besides the receipt printer are told of which goods
	Genesis  pos.Genesis // of a new journal; checked against an old one
	Software string
	Now      func() (time.Time, pos.Clock) // wall time, and how far it is to be believed
	Storage  func() pos.Health             // not ready: room is left for cash alone; nil: always ready. It must not block
	Troubles []string                      // what a person must know at once, found before the start

	// Label returns what a code on goods sells, where it is no SKU; nil: SKUs alone. It
	// must not block. Invalid: misread; NotFound: no item has it.
	Label func(code string) (pos.AddItem, error)

	// Effects. None may block; each is called after the change is durable.
	Publish  func(pos.View) // the newest view
	Recorded func()         // the journal is longer: wake the outbox
	Print    func()         // a print queue is longer: wake the spools

	Log *slog.Logger
}

// Desk is safe for concurrent use.
type Desk struct {
	o      Options
	items  map[string]pos.Item
	tender map[pos.Tender]Tender
	places []pos.Destination // where money goes, each once
	began  time.Time         // when it was last compared
	said   bool              // managers' words about tokens were said again

	// mu is held for one command at a time, from the first look at the state to the
	// fold of its records; the answer leaves when the journal is durable, which is
	// before mu is free again.
	mu      sync.Mutex
	broken  error // nothing more is taken, and why
	version uint64
	notices []pos.Notice
	notice  uint64
	ends    map[pos.PaymentID]time.Time // of requests made since the start, with a monotonic reading
	other   pos.PaymentID               // whose request is shown for a camera
	form    shownForm                   // which of a request's forms is shown
	last    pos.SaleView                // the sale completed last, as read from its record
	unsure  map[pos.PaymentID]unsure    // of open payments whose rail cannot say what became of them
	unnamed map[pos.PaymentID]bool      // payments whose rail does not name any more what came astray

	viewMu sync.RWMutex
	view   pos.View

	linkMu sync.Mutex
	links  map[string]pos.Link

	founding sync.Mutex // one person is added at a time
	fatal    chan error
	watches  chan pos.PaymentID
}

// New returns a desk. Start must be called before any command.
func New(o Options) *Desk {
	d := &Desk{
		o: o, items: map[string]pos.Item{}, tender: map[pos.Tender]Tender{}, links: map[string]pos.Link{}, ends: map[pos.PaymentID]time.Time{}, unsure: map[pos.PaymentID]unsure{}, unnamed: map[pos.PaymentID]bool{},
		fatal: make(chan error, 1), watches: make(chan pos.PaymentID, maxOpen),
	}
	for _, it := range o.Items {
		d.items[it.SKU] = it
	}
	for _, t := range o.Tenders {
		d.tender[t.Name] = t
	}
	d.places = placesOf(o.Tenders)
	d.notice = uint64(len(d.places)) // their notices have the numbers before
	if d.o.Storage == nil {
		d.o.Storage = func() pos.Health { return pos.Health{Ready: true} }
	}
	return d
}

// turn is one command under the lock: what it saw, and what shall happen.
type turn struct {
	now     time.Time // with its monotonic reading, if there is one: the journal keeps it
	at      time.Time // the same in UTC, for bodies
	clock   pos.Clock
	cmd     pos.Cmd
	by      pos.Actor
	books   pos.Books
	entries []pos.Entry
	draft   *pos.DraftChange
	answer  pos.Answer
	watch   pos.PaymentID
	notice  *pos.Notice
	prints  bool
	stops   bool         // the last turn of all
	again   bool         // the view changed although nothing durable did
	astray  pos.Quantity // other money than was asked for that is news
	then    func()       // once all is durable; it must not block
	seen    pos.Finding  // what the rail said of the payment just before
	was     pos.State    // of the payment that a finding is about, before that
}

// record adds an entry to the turn.
func (t *turn) record(kind pos.RecordKind, body any) {
	t.entries = append(t.entries, pos.Entry{Kind: kind, Cmd: t.cmd, Body: pos.NewBody(body)})
}

// keep returns the turn's change of baskets, made at first use.
func (t *turn) keep() *pos.DraftChange {
	if t.draft == nil {
		t.draft = &pos.DraftChange{Current: t.books.Current, Shown: t.books.Shown, Refs: t.books.Refs, Cmd: t.cmd}
	}
	return t.draft
}

// Do carries a command out. It returns when its records are durable. The kinds of
// its errors are those of the command's own checks, and:
//
//   - Invalid: the command has no key, or one that is too long;
//   - Conflict: the key was used for another command;
//   - Unavailable: the storage is full, or a rail does not answer; nothing changed;
//   - Internal: the till must be restarted.
func (d *Desk) Do(ctx context.Context, c pos.Command) (pos.Answer, error) {
	if c.Key == "" || len(c.Key) > pos.MaxKey {
		return pos.Answer{}, pos.E("read command", pos.Invalid, "a command needs a key of 1 to %d letters", pos.MaxKey)
	}
	if do, ok := c.Do.(pos.CancelPayment); ok {
		return d.cancelPayment(ctx, c, do)
	}
	if do, ok := c.Do.(pos.Decide); ok && do.As == pos.AsSale && c.By.Role.Includes(pos.Manager) {
		return d.decideNow(ctx, c, do)
	}
	return d.turn(c, func(t *turn) error { return d.handle(t, c.Do) })
}

// turn runs f under the lock and carries out what it wants. The answer is
// returned as soon as it is durable; folding and publishing go on behind it, and
// the next turn waits for them.
func (d *Desk) turn(c pos.Command, f func(t *turn) error) (pos.Answer, error) {
	d.mu.Lock()
	t, recs, err := d.attempt(c, f)
	if err != nil || (len(recs) == 0 && t.draft == nil && !t.again) {
		d.mu.Unlock()
		if err != nil {
			return pos.Answer{}, err
		}
		return t.answer, nil
	}
	if len(recs) > 0 {
		t.answer.Record = recs[0].N
	}
	go func() {
		defer d.mu.Unlock()
		d.follow(t, recs)
	}()
	return t.answer, nil
}

// settled waits for the turn under way, so that who asks after an answer finds
// what the answer told of. It waits for a disk at most.
func (d *Desk) settled() {
	d.mu.Lock()
	defer d.mu.Unlock()
}

// attempt runs f and makes the outcome durable.
func (d *Desk) attempt(c pos.Command, f func(t *turn) error) (*turn, []pos.Record, error) {
	if d.broken != nil {
		return nil, nil, d.broken
	}
	t := &turn{by: c.By, books: d.o.Ledger.Books()}
	t.now, t.clock = d.o.Now()
	t.at = t.now.UTC()
	if c.Key != "" {
		t.cmd = pos.Cmd{Key: c.Key, Digest: c.Digest()}
		digest, a, known, err := d.o.Ledger.Answer(c.Key)
		switch {
		case err != nil:
			return nil, nil, err
		case known && digest != t.cmd.Digest:
			return nil, nil, pos.E("read command", pos.Conflict, "this key was used for another command")
		case known:
			t.answer = a
			return t, nil, nil
		}
	}
	if err := f(t); err != nil {
		return nil, nil, err
	}
	if len(t.entries) == 0 {
		if t.draft != nil {
			t.draft.Answer = t.answer
			return t, nil, d.o.Ledger.Keep(*t.draft)
		}
		return t, nil, nil
	}
	recs, err := d.o.Journal.Append(t.now, t.clock, t.entries...)
	if err != nil && pos.KindOf(err) == pos.Internal {
		err = d.fail("append record", err) // whether the records are there, only a new start can tell
	}
	return t, recs, err
}

// fail ends the till's work: only a new start can mend it. d.mu is held.
func (d *Desk) fail(op string, err error) error {
	d.broken = pos.Wrap(op, pos.Internal, err, "the till's storage has a fault; restart the till")
	d.fatal <- d.broken // one place; only the first turn after a fault gets here
	return d.broken
}

// follow lets the effects of a durable turn happen.
func (d *Desk) follow(t *turn, recs []pos.Record) {
	if err := d.fold(t, recs); err != nil {
		d.fail("fold record", err)
		return
	}
	if t.stops {
		d.broken = errStopped
	}
	if t.then != nil {
		t.then()
	}
	if t.notice != nil {
		d.addNotice(t.at, *t.notice)
	}
	if t.watch != "" {
		select {
		case d.watches <- t.watch:
		default: // the sweep of Run finds it
		}
	}
	if len(recs) > 0 {
		d.o.Recorded()
	}
	if t.prints {
		d.o.Print()
	}
	d.publish(t.at)
}

func (d *Desk) fold(t *turn, recs []pos.Record) error {
	if len(recs) == 0 {
		return nil
	}
	if err := d.o.Ledger.Fold(recs...); err != nil {
		return err
	}
	if t.draft == nil {
		return nil
	}
	t.draft.Answer = t.answer
	return d.o.Ledger.Keep(*t.draft)
}

// handle turns an action into what shall happen.
func (d *Desk) handle(t *turn, do pos.Action) error {
	switch do := do.(type) {
	case pos.OpenSale:
		return d.openSale(t, do)
	case pos.SwitchTo:
		return d.switchTo(t, do)
	case pos.AddItem:
		return d.addItem(t, do)
	case pos.AddAmount:
		return d.addAmount(t, do)
	case pos.SetQty:
		return d.setQty(t, do)
	case pos.ClearSale:
		return d.clearSale(t, do)
	case pos.Reopen:
		return d.goBack(t, do)
	case pos.Pay:
		return d.pay(t, do)
	case pos.TakeUnverified:
		return d.takeUnverified(t, do)
	case pos.AllowUnverified:
		return d.allowUnverified(t, do)
	case pos.AllowToken:
		return d.allowToken(t, do)
	case pos.ConfirmDestination:
		return d.confirmDestination(t, do)
	case pos.EnterCode:
		return d.enterCode(t, do)
	case pos.ShowOther:
		return d.showOther(t, do)
	case pos.ShowForm:
		return d.showForm(t, do)
	case pos.Decide:
		return d.decide(t, do)
	case pos.Reprint:
		return d.reprint(t, do)
	case pos.PrintTestPage:
		return d.printTestPage(t, do)
	case pos.OpenDrawer:
		return d.openDrawer(t, do)
	case pos.Dismiss:
		return d.dismiss(t, do)
	case pos.NextCustomer:
		return d.nextCustomer(t, do)
	default:
		return pos.E("read command", pos.Invalid, "the till does not know this command")
	}
}
