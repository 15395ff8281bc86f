// Package dashboard is the owner's pages: the day, the tills, a sale's receipt, new
// tills.
//
// Promise. What stands on a page is the fold that the API and the CSV files give;
// no page computes a figure of its own. What asks for a person (forks, records
// that cannot be booked, a till that fell silent, money that covers no sale) stands
// in front of the figures. Pages are plain HTML with drawings by Go: no script, no
// other host, no inline style, under a policy that forbids all three.
//
// Who may see them: whoever knows the owner's password. Sessions are kept in the
// store; requests that change something must come from these pages themselves.
package dashboard

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/access"
	"github.com/tillwright/tillwright/sync/backoffice/report"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/web"
)

// Store is what the pages read by themselves.
type Store interface {
	Till(ctx context.Context, id string) (store.Till, error)
	Tills(ctx context.Context) ([]store.Till, error)
	Since(ctx context.Context, till string, after uint64) iter.Seq2[store.Kept, error]
	Alarms(ctx context.Context) ([]store.Alarm, error)
	AlarmDone(ctx context.Context, id int64, at time.Time) error
}

// Coder makes enrolment codes; see access.Codes.
type Coder interface {
	Make(ctx context.Context, name, ask string, at time.Time) (code string, ends time.Time, err error)
}

// Options are what Mount needs.
type Options struct {
	Store    Store
	Owner    *access.Owner
	Codes    Coder
	Reports  *report.Reports
	Shop     string
	Language string
	Public   *url.URL // how browsers reach the pages
	Offline  Offline
	Sweeps   Sweeps   // nil: stablecoins are not set up here
	Searches Searches // nil with Sweeps
	Log      *slog.Logger
}

type server struct {
	Options
	pages map[string]*template.Template
}

//go:embed pages
var files embed.FS

// maxForm bounds a form's body; ours hold a password or a name.
const maxForm = 4 << 10

// Mount adds the pages to app.
func Mount(app *fiber.App, o Options) {
	s := &server{Options: o}
	s.load()
	app.Get("/assets/dashboard.css", asset("dashboard.css", "text/css; charset=utf-8"))
	app.Get("/assets/icon.svg", asset("icon.svg", "image/svg+xml"))
	pages := app.Group("/", s.human)
	pages.Get("/", s.signedIn(s.home))
	pages.Get("/sign-in", s.signInPage)
	pages.Post("/sign-in", s.ours(s.signIn))
	pages.Post("/sign-out", s.ours(s.signOut))
	pages.Get("/set-up/:token", s.setUpPage)
	pages.Post("/set-up/:token", s.ours(s.setUp))
	pages.Get("/days", s.signedIn(s.pickDay))
	pages.Get("/days/:day", s.signedIn(s.day))
	pages.Get("/days/:day/sales.csv", s.signedIn(s.salesCSV))
	pages.Get("/days/:day/payments.csv", s.signedIn(s.paymentsCSV))
	pages.Get("/tills", s.signedIn(s.tills))
	pages.Get("/tills/:till/records/:n", s.signedIn(s.record))
	pages.Get("/codes", s.signedIn(s.codesPage))
	pages.Post("/codes", s.ours(s.signedIn(s.makeCode)))
	pages.Get("/offline", s.signedIn(s.offline))
	pages.Post("/offline/payments/:device/:epoch/:counter/done", s.ours(s.signedIn(s.offlineDone)))
	pages.Post("/offline/:till/:do", s.ours(s.signedIn(s.offlineSwitch)))
	pages.Get("/stablecoins", s.signedIn(s.stablecoins))
	pages.Get("/stablecoins/search", s.signedIn(s.search))
	pages.Post("/stablecoins/search/sheets", s.ours(s.signedIn(s.searchSheet)))
	pages.Post("/stablecoins/search/:id/:do", s.ours(s.signedIn(s.searchDo)))
	pages.Post("/stablecoins/count", s.ours(s.signedIn(s.count)))
	pages.Post("/stablecoins/:network/transfers", s.ours(s.signedIn(s.prepare)))
	pages.Get("/stablecoins/transfers/:id", s.signedIn(s.transfer))
	pages.Get("/stablecoins/transfers/:id/:file", s.signedIn(s.transferFile))
	pages.Post("/stablecoins/transfers/:id/drop", s.ours(s.signedIn(s.transferDrop)))
	pages.Post("/stablecoins/transfers/:id/sent", s.ours(s.signedIn(s.transferSent)))
	pages.Get("/stablecoins/:network/contract", s.signedIn(s.transfer))
	pages.Get("/stablecoins/:network/contract/:file", s.signedIn(s.transferFile))
	pages.Post("/alarms/:id/done", s.ours(s.signedIn(s.alarmDone)))
}

// load parses every page over the common frame.
func (s *server) load() {
	s.pages = map[string]*template.Template{}
	for _, name := range []string{"day", "tills", "offline", "record", "codes", "stablecoins", "transfer", "search", "sign-in", "set-up", "fault"} {
		s.pages[name] = template.Must(template.New("frame.html").Funcs(s.funcs()).ParseFS(files, "pages/frame.html", "pages/"+name+".html"))
	}
}

// asset serves one embedded file. Pages name the style sheet with its version, so
// it may be kept for ever.
func asset(name, contentType string) fiber.Handler {
	body, err := files.ReadFile("pages/" + name)
	if err != nil {
		panic(err) // embedded: it is there
	}
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
		c.Set(fiber.HeaderContentType, contentType)
		return c.Send(body)
	}
}

// human answers failures below it with a page instead of a problem document.
func (s *server) human(c *fiber.Ctx) error {
	err := c.Next()
	if err == nil || strings.HasPrefix(c.Path(), "/v1/") {
		return err
	}
	p, report := web.Problem(err, access.Locked)
	if report {
		s.Log.Error("page failed", "route", web.Route(c), "err", err)
	}
	for k, v := range p.GetHeaders() {
		c.Set(k, v[0])
	}
	page := *p
	if _, ok := errors.AsType[*pos.Error](err); ok {
		page.Detail = s.said(err)
	}
	page.Title = s.word("bo_fault_title")
	return s.show(c.Status(p.Status), "fault", frame{Title: page.Title}, &page)
}

// frame is what every page has around it.
type frame struct {
	Title  string
	Here   string // which part of the navigation
	Signed bool
	Page   any
}

// show renders a page whole before the first byte leaves: half a page of figures
// is worse than none.
func (s *server) show(c *fiber.Ctx, name string, f frame, page any) error {
	f.Page = page
	var out bytes.Buffer
	if err := s.pages[name].Execute(&out, f); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	return c.Send(out.Bytes())
}

// home shows today.
func (s *server) home(c *fiber.Ctx) error {
	return c.Redirect("/days/"+s.Reports.Date(time.Now()).Format(time.DateOnly), http.StatusSeeOther)
}

// word is a text in the owner's language.
func (s *server) word(key string, with ...string) string { return pos.Word(s.Language, key, with...) }
