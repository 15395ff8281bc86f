// Package web serves the till's screens and its local API over fiber.
//
// Promise. A command is handed to the desk once for every Idempotency-Key, by
// somebody who is signed in, from a page of this till or a program that holds a
// token; everything else is refused and changes nothing. Who is not signed in
// sees what the customer sees and no more. Every screen gets the newest state
// and never a queue of old ones; no screen, however slow, holds Publish up. What
// a browser runs comes from this package's files alone.
//
// Limits. Plain HTTP on the shop's own network: whoever can read that network can
// read it. Every body, stream, session and client is bounded by a constant in
// limits.go. Sessions live in memory: a restart signs everybody out.
//
// # Defended, each with a test that attacks it
//
// A stranger on the network. Nothing changes without a session but signing in and
// the first set-up, which needs the code in the till's log unless it is done at the
// till itself. Tries of PINs and codes are slowed down by address, and two are
// checked at once; a person that does not exist costs no hash and no record. One
// address has a share of requests, connections and streams, and who reads slowly is
// let go.
//
// A page of somebody else in a browser of the shop. What changes something must
// come from a page of ours, by Sec-Fetch-Site or Origin, as application/json; the
// till answers only to addresses and names that nobody else's DNS can point here;
// it grants no other origin anything (no CORS), cannot be framed, and runs no inline
// script. The cookie is HttpOnly and SameSite=Strict, new at each sign-in, and its
// token is kept as a hash.
//
// Whoever stands at the customer's screen. A cashier invites the customer to choose a
// token and network there; the one request that needs no session is good for one
// payment of the sale on that screen, as it is, for choiceLife, and chooses nothing but
// which of the shop's codes is shown.
//
// A cashier. Roles are checked here and at the desk; nobody gives more than their
// own role, and nobody signs others out by signing in often.
//
// # Not defended
//
// Whoever can read the network can read PINs and tokens: there is no TLS, and a
// cookie over http is also sent to other ports of the till's name. Anybody on the
// network sees the customer's picture and the names of the staff, and can lock a
// person out by wrong PINs (a screen that is signed in goes on; the lock ends by
// itself). Four machines together can take all connections. A proxy on the till
// makes everybody look as if at the till: run none, or set the till up first. A
// screen that is left alone is open for idleLock. PINs are short: their guard is
// the lock and the record that each wrong one leaves.
//
// Fiber lends, it does not give: every string and byte slice a *fiber.Ctx
// returns points into a buffer the next request overwrites. This package keeps
// none of them past a handler: what must live on is cloned where it is read, and
// a *fiber.Ctx never enters a goroutine or a stream writer.
package web

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

// Desk is the till behind the screens.
type Desk interface {
	// Do carries a command out, once for every key, and returns when its records
	// are on flash. It may block until ctx ends. It fails with any Kind.
	Do(ctx context.Context, c pos.Command) (pos.Answer, error)

	// View returns the newest view; it does not block. Nobody changes it later.
	View() pos.View

	// Sale returns an open or a completed sale. It fails with NotFound.
	Sale(id pos.SaleID) (pos.SaleView, error)

	// Sales returns completed sales, newest first, at most limit of them. before
	// is the next of the page before, "" to start; next "" ends. It fails with
	// Invalid for a before that is none of its own.
	Sales(before string, limit int) (sales []pos.SaleView, next string, err error)

	// Receipt returns the receipt of a completed sale. It fails with NotFound, and
	// with Conflict for a sale that is not completed.
	Receipt(id pos.SaleID) (pos.Receipt, error)
}

// Staff knows who may use the till.
type Staff interface {
	// Names returns who may sign in; none: the till has no PIN yet.
	Names() []pos.Actor

	// Found makes the owner at first use. It fails with Conflict when somebody
	// exists, with Invalid for a name or PIN that will not do.
	Found(ctx context.Context, name, pin string) (pos.Actor, error)

	// SignIn checks a PIN. It fails with Forbidden for a wrong one and with
	// Exhausted while locked; then the message says for how long.
	SignIn(ctx context.Context, id, pin string) (pos.Actor, error)

	// SignOut records that by is gone.
	SignOut(ctx context.Context, by pos.Actor) error

	// Add lets somebody else use the till. It fails with Forbidden when by may
	// not, with Conflict for a name that is taken.
	Add(ctx context.Context, by pos.Actor, name string, role pos.Role, pin string) (pos.Actor, error)
}

// Picture is something drawn elsewhere that a page shows: what the customer
// sees, or the paper of a printer made of code.
type Picture interface {
	// PNG returns the newest picture, which nobody changes later, and the version
	// of the view it shows.
	PNG() ([]byte, uint64)

	// Changed returns a channel that is closed when there is a newer picture.
	Changed() <-chan struct{}
}

// Enroller binds the till to its backoffice.
type Enroller interface {
	// Enrol spends the one-time code at url. It blocks on the network until ctx
	// ends. It fails with Unavailable when nobody answers there.
	Enrol(ctx context.Context, by pos.Actor, url, code string) error
}

// Options are what an App needs.
type Options struct {
	Desk     Desk
	Staff    Staff
	Items    []pos.Item // the catalogue, in the order of its tiles; not changed later
	Shop     pos.Shop
	Display  Picture
	Paper    Picture  // nil: no /paper
	Enroller Enroller // nil: this till has no backoffice
	Log      *slog.Logger
	Version  string   // of the software, shown to the cashier
	Hosts    []string // names of this till beyond addresses and local names: "till.example.com"
}

// App is the till's web server.
type App struct {
	o        Options
	log      *slog.Logger
	fiber    *fiber.App
	hub      *hub
	sessions *sessions
	clients  *clients
	streams  *streams
	choices  choices
	replays  *replays
	hosts    map[string]bool
	files    map[string]file
	words    map[string]file
	api      file   // the OpenAPI document
	code     string // sets a new till up from another machine
	alive    context.Context
	die      context.CancelFunc

	servingMu sync.Mutex
	serving   net.Listener // nil before Serve
	over      bool         // Shutdown was called
}

// New makes an App. Desk, Staff and Display must be set.
func New(o Options) *App {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := &App{
		o: o, log: o.Log, sessions: newSessions(), clients: newClients(),
		streams: newStreams(), replays: newReplays(), hosts: hostNames(o.Hosts), files: uiFiles(), words: wordFiles(),
	}
	a.hub = newHub(o.Desk.View(), o.Version, func(v pos.View) *choice { return a.choices.of(v, time.Now()) })
	if len(o.Staff.Names()) == 0 {
		a.code = newCode()
		a.log.Info("new till: to set it up from another machine, type this code there", "code", a.code)
	}
	a.alive, a.die = context.WithCancel(context.Background())
	a.fiber = fiber.New(fiber.Config{
		AppName:               "till",
		DisableStartupMessage: true,
		Immutable:             true, // belt; the rule in the package comment is the braces
		StrictRouting:         true,
		CaseSensitive:         true,
		BodyLimit:             bodyLimit,
		Concurrency:           maxConns,
		ReadBufferSize:        headLimit,
		ReadTimeout:           readWithin,
		IdleTimeout:           time.Minute,
		// No WriteTimeout: it would cut an event stream off. guard sets a deadline for
		// each answer, and stream writers their own before each write.
		ErrorHandler: a.problem,
	})
	a.fiber.Use(a.guard)
	a.mount()
	return a
}

// Serve answers on ln until Shutdown, before or after; then it returns nil. It
// closes ln.
func (a *App) Serve(ln net.Listener) error {
	fair := newFair(ln)
	if !a.begin(fair) {
		_ = ln.Close() // nobody was served on it
		return nil
	}
	return a.fiber.Listener(fair)
}

// begin notes what is served on. It reports false when that is over already.
func (a *App) begin(ln net.Listener) bool {
	a.servingMu.Lock()
	defer a.servingMu.Unlock()
	a.serving = ln
	return !a.over
}

// end returns what is served on, nil for nothing, and lets nothing begin any more.
func (a *App) end() net.Listener {
	a.servingMu.Lock()
	defer a.servingMu.Unlock()
	a.over = true
	return a.serving
}

// Shutdown ends the event streams, lets requests that are under way finish, and
// cuts off what is left after within. An App cannot serve again.
func (a *App) Shutdown(within time.Duration) error {
	a.hub.close() // or the open streams hold the rest back
	defer a.die()
	ln := a.end()
	err := a.fiber.ShutdownWithTimeout(within)
	if ln != nil {
		_ = ln.Close() // fasthttp closes what it knows of, and it may not know of ln yet
	}
	return err
}

// Publish tells every screen of v. It never blocks; the newest wins, and a view
// older than the newest is passed over.
func (a *App) Publish(v pos.View) { a.hub.publish(v) }

// within returns a context for one call of the desk. fiber's own context outlives
// the client, so it would never end.
func (a *App) within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(a.alive, d)
}
