// Package web is the backoffice's HTTP ground: limits, headers, addresses, and
// the one place where an error becomes a response.
//
// Promise. No request can make the server keep more than maxConns bodies of
// MaxBody bytes, run a handler longer than handleWithin, or call more often than
// its address's share; who is over it is told when to come back. Every response
// carries headers under which a page runs no script and loads nothing from
// elsewhere.
//
// Fiber lends, it does not give: strings and bytes of a *fiber.Ctx point into a
// buffer that the next request overwrites. Immutable copies them; what is kept
// past a handler is cloned all the same.
package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/wire"
)

// Bounds of the server.
const (
	maxConns     = 256              // tills hold one each; with MaxBody this bounds memory to 400 MB at worst
	readWithin   = 75 * time.Second // a full batch at 256 kbit/s takes half of it
	idleWithin   = 2 * time.Minute  // longer than the tills' heartbeat, so that they keep their connection
	handleWithin = 30 * time.Second // a report of the busiest day takes a second
)

// Options are what New needs.
type Options struct {
	Log     *slog.Logger
	Proxies []netip.Addr // whose X-Forwarded-For is believed
	HTTPS   bool         // the public URL is https
}

// New returns the application without routes. The caller owns its listener.
func New(o Options) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		Immutable:             true,
		CaseSensitive:         true,
		StrictRouting:         true,
		BodyLimit:             wire.MaxBody,
		Concurrency:           maxConns,
		ReadTimeout:           readWithin,
		WriteTimeout:          readWithin,
		IdleTimeout:           idleWithin,
		ErrorHandler:          problem(o.Log),
	})
	app.Use(recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: func(c *fiber.Ctx, e any) {
		o.Log.Error("handler panicked", "route", Route(c), "err", e)
	}}))
	app.Use(o.headers, deadline, o.limit(newLimits(addressRate, addressBurst)), plain)
	return app
}

// headers sets what every response carries.
func (o Options) headers(c *fiber.Ctx) error {
	h := &c.Response().Header
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if o.HTTPS {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	return c.Next()
}

// deadline bounds what a handler may ask of the store.
func deadline(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), handleWithin)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}

// plain refuses a packed body. Nobody of ours sends one, and fiber unpacks it for
// whoever asks for the body, however large it grows.
func plain(c *fiber.Ctx) error {
	if len(c.Request().Header.ContentEncoding()) > 0 {
		return fiber.NewError(http.StatusUnsupportedMediaType, "send the body as it is, without Content-Encoding")
	}
	return c.Next()
}

// Route names a request for the log, by the pattern it matched: a set-up link's
// path holds the token that opens the door.
func Route(c *fiber.Ctx) string { return strings.Clone(c.Route().Path) }

// addressKey is where a request keeps its client's address.
type addressKey struct{}

// Address returns the address of the client behind believed proxies.
func Address(ctx context.Context) string {
	who, _ := ctx.Value(addressKey{}).(string)
	return who
}

// limit finds the client's address, and refuses who calls too often.
func (o Options) limit(l *limits) fiber.Handler {
	return func(c *fiber.Ctx) error {
		who := o.client(c.Context().RemoteIP().String(), c.Get(fiber.HeaderXForwardedFor))
		if wait := l.wait(who, time.Now()); wait > 0 {
			return &wire.Problem{
				Type: wire.ProblemOf(pos.Unavailable), Title: "Too many requests", Status: http.StatusTooManyRequests,
				Detail: "too many requests from this address; wait a moment", Retry: wait,
			}
		}
		c.SetUserContext(context.WithValue(c.UserContext(), addressKey{}, who))
		return c.Next()
	}
}

// client returns the last address in forwarded that is not a proxy of ours. Those
// before it are what the client itself wrote. An IPv6 address stands for its whole
// line: whoever has one has 2^64 of them.
func (o Options) client(remote, forwarded string) string {
	chain := append(strings.Split(forwarded, ","), remote)
	for i := len(chain) - 1; i >= 0; i-- {
		at, err := netip.ParseAddr(strings.TrimSpace(chain[i]))
		if err != nil {
			break
		}
		remote = at.Unmap().String()
		if !o.trusts(at.Unmap()) {
			break
		}
	}
	return line(remote)
}

// lineBits is the part of an IPv6 address that one line has (RFC 6177, section 2).
const lineBits = 64

// line returns what stands for who calls from this address. It is a copy.
func line(address string) string {
	at, err := netip.ParseAddr(address)
	if err != nil || at.Unmap().Is4() {
		return strings.Clone(address)
	}
	return netip.PrefixFrom(at.WithZone(""), lineBits).Masked().String()
}

func (o Options) trusts(a netip.Addr) bool {
	for _, p := range o.Proxies {
		if p.Unmap() == a {
			return true
		}
	}
	return false
}

// status is what each kind of error answers with.
var status = map[pos.Kind]int{
	pos.Internal: http.StatusInternalServerError, pos.Invalid: http.StatusBadRequest, pos.NotFound: http.StatusNotFound,
	pos.Conflict: http.StatusConflict, pos.Unavailable: http.StatusServiceUnavailable, pos.Corrupt: http.StatusUnprocessableEntity,
	pos.Forbidden: http.StatusForbidden, pos.Exhausted: http.StatusTooManyRequests,
}

// Problem makes any error a problem. The client gets Kind and Msg; the cause is
// for the log, and reports says that it belongs there.
func Problem(err error, lockedFor time.Duration) (p *wire.Problem, report bool) {
	if p, ok := errors.AsType[*wire.Problem](err); ok {
		return p, false
	}
	if e, ok := errors.AsType[*fiber.Error](err); ok { // 404, 405, 413
		return &wire.Problem{Type: "about:blank", Title: http.StatusText(e.Code), Status: e.Code, Detail: e.Message}, e.Code >= 500
	}
	e, ok := errors.AsType[*pos.Error](err)
	if !ok {
		e = pos.E("", pos.Internal, "the backoffice has a fault; look at its log")
	}
	p = &wire.Problem{Type: wire.ProblemOf(e.Kind), Title: http.StatusText(status[e.Kind]), Status: status[e.Kind], Detail: e.Msg}
	if e.Kind == pos.Exhausted {
		p.Retry = lockedFor
	}
	if e.Kind == pos.Unavailable {
		p.Retry = busyRetry
	}
	return p, p.Status >= 500
}

// busyRetry is what a client is told to wait when the store does not answer.
const busyRetry = 5 * time.Second

// problem returns the handler of errors that no page of the dashboard made its
// own (RFC 9457).
func problem(log *slog.Logger) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		p, report := Problem(err, 0)
		if report {
			log.Error("request failed", "method", c.Method(), "route", Route(c), "err", err)
		}
		for k, v := range p.GetHeaders() {
			c.Set(k, v[0])
		}
		return c.Status(p.Status).JSON(p, wire.ProblemType)
	}
}
