package web

import (
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

// policy is what a browser may do with our pages: run and show what came from
// this till, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

const (
	cookieName = "till_session"
	actorLocal = "actor"
)

// guard stands before every handler: which headers go out, who may speak to the
// till at all, and how often.
func (a *App) guard(c *fiber.Ctx) error {
	now := time.Now()
	_ = c.Context().Conn().SetWriteDeadline(now.Add(answerWithin)) // fails on a closed connection, and so does the answer
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderCacheControl, "no-store")
	if !a.knownHost(string(c.Context().Host())) {
		return errHost
	}
	if !safe(c.Method()) && !sameSite(c) {
		return errCrossSite
	}
	if wait, ok := take(a.clients.get(addrOf(c), now).all, now); !ok {
		return &tooMany{wait}
	}
	return c.Next()
}

func safe(method string) bool { return method == fiber.MethodGet || method == fiber.MethodHead }

// sameSite refuses what another site's page sends through a browser, by the rule
// of net/http's CrossOriginProtection: Sec-Fetch-Site where the browser has it,
// Origin against Host where it has not. A program sends neither and may pass: it
// has no cookie that somebody else's page could abuse.
func sameSite(c *fiber.Ctx) bool {
	switch c.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, string(c.Context().Host()))
}

// knownHost refuses names that somebody else's DNS may point at this till to
// read it through a visitor's browser. An address cannot be pointed, and neither
// can a name of one word or under a domain that the public DNS does not have (RFC
// 6761, 6762, 8375; ICANN's .internal).
func (a *App) knownHost(host string) bool {
	host = strings.ToLower(hostOnly(host))
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" || strings.ContainsAny(host, "/@ ") {
		return false
	}
	if !strings.Contains(host, ".") || a.hosts[host] {
		return true
	}
	for _, private := range []string{".local", ".localhost", ".lan", ".home.arpa", ".internal"} {
		if strings.HasSuffix(host, private) {
			return true
		}
	}
	return false
}

// hostOnly cuts the port off.
func hostOnly(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host[:i]
	}
	return host
}

func hostNames(names []string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[strings.ToLower(strings.TrimSuffix(n, "."))] = true
	}
	return out
}

// addrOf names the client. No header is believed: the till stands behind no proxy.
func addrOf(c *fiber.Ctx) string { return c.Context().RemoteIP().String() }

// atTill reports that the client runs on the till itself.
func atTill(c *fiber.Ctx) bool { return c.Context().RemoteIP().IsLoopback() }

// tokenOf returns the session's token: a program's header, else a browser's
// cookie. It is a copy.
func tokenOf(c *fiber.Ctx) string {
	if bearer, ok := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer "); ok {
		return strings.Clone(bearer)
	}
	return strings.Clone(c.Cookies(cookieName))
}

// need lets through who is signed in and has the role.
func (a *App) need(role pos.Role) fiber.Handler {
	return func(c *fiber.Ctx) error {
		who, ok := a.sessions.use(tokenOf(c))
		if !ok {
			return errStranger
		}
		if !who.Role.Includes(role) {
			return pos.E("check role", pos.Forbidden, "this needs the role %s", role)
		}
		c.Locals(actorLocal, who)
		return c.Next()
	}
}

// strict lets a client try a PIN or a code only so often, and few clients at once.
func (a *App) strict(c *fiber.Ctx) error {
	now := time.Now()
	if wait, ok := take(a.clients.get(addrOf(c), now).signIn, now); !ok {
		return &tooMany{wait}
	}
	select {
	case a.clients.busy <- struct{}{}:
		defer func() { <-a.clients.busy }()
	default:
		return &tooMany{retryBusy}
	}
	return c.Next()
}

// actorOf returns who asks; need has put it there.
func actorOf(c *fiber.Ctx) pos.Actor {
	who, _ := c.Locals(actorLocal).(pos.Actor)
	return who
}
