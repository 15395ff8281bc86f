package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
)

// Searches is what the page about lost tills shows and does; see sweep.Search.
type Searches interface {
	Overview(ctx context.Context) (sweep.SearchOverview, error)
	Start(ctx context.Context, id int64, how sweep.How) error
	Stop(ctx context.Context, id int64) error
	// Sheet fails with Invalid, and says where a typing error is.
	Sheet(ctx context.Context, text string) error
}

// refreshSeconds is how often the page looks again while a search is under way.
const refreshSeconds = 5

// searchData is the page about lost tills.
type searchData struct {
	Seeds []seedRow
	Found []foundRow
	Sheet sheetForm
	Fault string
}

// seedRow is one secret of a till, by the till's name.
type seedRow struct {
	sweep.SeedView
	Name string
}

// foundRow is money that no sale names, by the till's name.
type foundRow struct {
	sweep.FoundView
	Till string
}

// Certain reports that nothing can undo that it lies there.
func (f foundRow) Certain() bool { return f.Final != "0" }

// sheetRows is how many rows of letters a sheet has.
const sheetRows = 4

// sheetForm is what somebody typed from a recovery sheet. It goes back to him alone, with
// the row of his typing error: nobody types 64 letters twice.
type sheetForm struct {
	Treasury string
	Rows     [sheetRows]string
}

func readSheet(form url.Values) (f sheetForm) {
	f.Treasury = form.Get("treasury")
	for i := range f.Rows {
		f.Rows[i] = form.Get("row" + strconv.Itoa(i+1))
	}
	return f
}

// text is the form as a sheet.
func (f sheetForm) text() string { return f.Treasury + "\n" + strings.Join(f.Rows[:], "\n") }

func (s *server) search(c *fiber.Ctx) error { return s.showSearch(c, sheetForm{}, "") }

func (s *server) showSearch(c *fiber.Ctx, f sheetForm, fault string) error {
	if s.Searches == nil {
		return pos.Say("search addresses", pos.NotFound, nil, "bo_sc_unset")
	}
	o, err := s.Searches.Overview(c.UserContext())
	if err != nil {
		return err
	}
	tills, err := s.Store.Tills(c.UserContext())
	if err != nil {
		return err
	}
	names := map[string]string{"": s.word("bo_se_paper")}
	for _, t := range tills {
		names[t.ID] = t.Name
	}
	d := searchData{Sheet: f, Fault: fault}
	of := map[int64]string{}
	for _, x := range o.Seeds {
		of[x.ID] = names[x.Till]
		d.Seeds = append(d.Seeds, seedRow{x, names[x.Till]})
	}
	for _, x := range o.Found {
		d.Found = append(d.Found, foundRow{x, of[x.Seed]})
	}
	if o.Busy() && fault == "" {
		c.Set("Refresh", strconv.Itoa(refreshSeconds))
	}
	return s.show(c, "search", frame{Title: s.word("bo_se_title"), Here: "stablecoins", Signed: true}, d)
}

// searchDo begins or ends a search.
func (s *server) searchDo(c *fiber.Ctx) error {
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if s.Searches == nil || err != nil {
		return pos.Say("search addresses", pos.NotFound, nil, "bo_not_here")
	}
	switch c.Params("do") {
	case "start":
		err = s.Searches.Start(c.UserContext(), id, sweep.GoOn)
	case "again":
		err = s.Searches.Start(c.UserContext(), id, sweep.Again)
	case "further":
		err = s.Searches.Start(c.UserContext(), id, sweep.Further)
	case "stop":
		err = s.Searches.Stop(c.UserContext(), id)
	default:
		err = pos.Say("search addresses", pos.NotFound, nil, "bo_not_here")
	}
	if err != nil {
		return err
	}
	return c.Redirect("/stablecoins/search", http.StatusSeeOther)
}

// searchSheet takes a recovery sheet, and begins its search.
func (s *server) searchSheet(c *fiber.Ctx) error {
	if s.Searches == nil {
		return pos.Say("search addresses", pos.NotFound, nil, "bo_sc_unset")
	}
	form, err := url.ParseQuery(string(c.Body()))
	if err != nil {
		return pos.Say("read recovery sheet", pos.Invalid, nil, "bo_bad_form") // the cause quotes what was typed
	}
	f := readSheet(form)
	switch err := s.Searches.Sheet(c.UserContext(), f.text()); {
	case pos.KindOf(err) == pos.Invalid:
		return s.showSearch(c.Status(http.StatusBadRequest), f, s.said(err))
	case err != nil:
		return err
	}
	return c.Redirect("/stablecoins/search", http.StatusSeeOther)
}

// said is an error's sentence in the owner's language.
func (s *server) said(err error) string {
	e, ok := errors.AsType[*pos.Error](err)
	if !ok {
		return s.word("bo_sc_why_fault")
	}
	return e.In(s.Language)
}
