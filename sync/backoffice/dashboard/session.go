package dashboard

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/access"
	"github.com/tillwright/tillwright/sync/backoffice/web"
)

// cookie is the session's. Under https it has the prefix that makes browsers
// refuse one set by anybody else.
func (s *server) cookie() string {
	if s.Public.Scheme == "https" {
		return "__Host-backoffice"
	}
	return "backoffice"
}

func (s *server) setCookie(c *fiber.Ctx, token string, age time.Duration) {
	c.Cookie(&fiber.Cookie{
		Name: s.cookie(), Value: token, Path: "/", MaxAge: int(age.Seconds()),
		HTTPOnly: true, Secure: s.Public.Scheme == "https", SameSite: fiber.CookieSameSiteStrictMode,
	})
}

// signedIn lets only the owner through; others are sent to sign in and come back.
func (s *server) signedIn(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := s.Owner.Session(c.UserContext(), c.Cookies(s.cookie()), time.Now())
		if pos.KindOf(err) == pos.NotFound && err != nil {
			to := "/sign-in"
			if c.Method() == http.MethodGet && c.Path() != "/" {
				to += "?next=" + url.QueryEscape(c.Path())
			}
			return c.Redirect(to, http.StatusSeeOther)
		}
		if err != nil {
			return err
		}
		return next(c)
	}
}

// ours refuses a request that another site's page made (the rule of
// net/http.CrossOriginProtection): browsers say so in Sec-Fetch-Site, older ones
// in Origin; what says neither is no browser and carries no cookie by itself.
func (s *server) ours(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if len(c.Body()) > maxForm || !formType(c.Get(fiber.HeaderContentType)) {
			return pos.E("read form", pos.Invalid, "this is not one of the forms here")
		}
		site, origin := c.Get("Sec-Fetch-Site"), c.Get("Origin")
		switch {
		case site == "same-origin" || site == "none":
		case site == "" && origin == "":
		case site == "" && s.sameOrigin(c, origin):
		default:
			return pos.E("check origin", pos.Forbidden, "this request came from another site")
		}
		return next(c)
	}
}

func formType(t string) bool {
	return t == "" || strings.HasPrefix(t, fiber.MIMEApplicationForm)
}

// sameOrigin also takes the very host that the browser asked for: on a shop's own
// network the server is reached by more names than the public one. It must be an
// address or a name that the public DNS cannot have (RFC 6762, 8375; ICANN's
// .internal): any other one may be somebody's who points it here.
func (s *server) sameOrigin(c *fiber.Ctx, origin string) bool {
	host := string(c.Request().Host())
	return origin == s.Public.Scheme+"://"+s.Public.Host || (origin == "http://"+host && ownName(host))
}

func ownName(host string) bool {
	u, err := url.Parse("http://" + host)
	if err != nil {
		return false
	}
	name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	at := strings.LastIndexByte(name, '.')
	return at < 0 || slices.Contains([]string{"local", "localhost", "lan", "internal"}, name[at+1:]) || strings.HasSuffix(name, ".home.arpa")
}

// signInData is the sign-in form.
type signInData struct {
	Next  string
	Fault string
	New   bool // no password is set yet
}

func (s *server) signInPage(c *fiber.Ctx) error {
	return s.askPassword(c, http.StatusOK, c.Query("next"), "")
}

func (s *server) askPassword(c *fiber.Ctx, status int, next, fault string) error {
	has, err := s.Owner.HasPassword(c.UserContext())
	if err != nil {
		return err
	}
	return s.show(c.Status(status), "sign-in", frame{Title: s.word("bo_sign_in")}, signInData{local(next), fault, !has})
}

func (s *server) signIn(c *fiber.Ctx) error {
	token, err := s.Owner.SignIn(c.UserContext(), web.Address(c.UserContext()), c.FormValue("password"), time.Now())
	switch pos.KindOf(err) {
	case pos.Forbidden:
		return s.askPassword(c, http.StatusForbidden, c.FormValue("next"), s.word("bo_wrong_password"))
	case pos.Exhausted:
		p, _ := web.Problem(err, access.Locked)
		c.Set("Retry-After", p.GetHeaders().Get("Retry-After"))
		return s.askPassword(c, http.StatusTooManyRequests, c.FormValue("next"), s.word("bo_locked"))
	}
	if err != nil {
		return err
	}
	s.setCookie(c, token, access.SessionLife)
	return c.Redirect(local(c.FormValue("next")), http.StatusSeeOther)
}

// local returns a path of ours, "/" for anything that leads elsewhere.
func local(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

func (s *server) signOut(c *fiber.Ctx) error {
	if err := s.Owner.SignOut(c.UserContext(), c.Cookies(s.cookie())); err != nil {
		return err
	}
	s.setCookie(c, "", -time.Second)
	return c.Redirect("/sign-in", http.StatusSeeOther)
}

// setUpData is the form of a set-up link.
type setUpData struct {
	Token string
	Fault string
}

func (s *server) setUpPage(c *fiber.Ctx) error {
	token := c.Params("token")
	if err := s.Owner.Link(c.UserContext(), token, time.Now()); err != nil {
		return err
	}
	return s.show(c, "set-up", frame{Title: s.word("bo_set_up")}, setUpData{token, ""})
}

func (s *server) setUp(c *fiber.Ctx) error {
	token, password := c.Params("token"), c.FormValue("password")
	fault := ""
	if password != c.FormValue("again") {
		fault = s.word("bo_passwords_differ")
	} else if err := s.Owner.UseLink(c.UserContext(), token, password, time.Now()); pos.KindOf(err) == pos.Invalid {
		fault = s.word("bo_password_rule")
	} else if err != nil {
		return err
	}
	if fault != "" {
		return s.show(c.Status(http.StatusBadRequest), "set-up", frame{Title: s.word("bo_set_up")}, setUpData{token, fault})
	}
	return c.Redirect("/sign-in", http.StatusSeeOther)
}
