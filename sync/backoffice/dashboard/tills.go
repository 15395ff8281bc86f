package dashboard

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// lateAfter is when a till that calls every minute has missed a call: whether it is up to
// date is not known any more.
const lateAfter = 150 * time.Second

// quietAfter is when a till that says nothing is shown as silent: it calls every
// minute, and may wait five after an outage.
const quietAfter = 10 * time.Minute

// tillRow is a till as the owner sees it.
type tillRow struct {
	store.Till
	Late   bool // it has missed a call
	Quiet  bool // it has not called for a while
	Forked bool // an open alarm says that it has two histories
}

func rowOf(t store.Till, alarms []alarmRow, now time.Time) tillRow {
	row := tillRow{Till: t, Late: now.Sub(t.Seen) > lateAfter, Quiet: now.Sub(t.Seen) > quietAfter}
	for _, a := range alarms {
		row.Forked = row.Forked || (a.Till == t.ID && a.Kind == store.AlarmFork)
	}
	return row
}

// alarmRow is an alarm with its till's name.
type alarmRow struct {
	store.Alarm
	Name string
}

func (s *server) alarms(ctx context.Context) ([]alarmRow, error) {
	alarms, err := s.Store.Alarms(ctx)
	if err != nil || len(alarms) == 0 {
		return nil, err
	}
	tills, err := s.Store.Tills(ctx)
	names := map[string]string{}
	for _, t := range tills {
		names[t.ID] = t.Name
	}
	out := make([]alarmRow, len(alarms))
	for i, a := range alarms {
		out[i] = alarmRow{a, names[a.Till]}
	}
	return out, err
}

func (s *server) tills(c *fiber.Ctx) error {
	tills, err := s.Store.Tills(c.UserContext())
	if err != nil {
		return err
	}
	alarms, err := s.alarms(c.UserContext())
	if err != nil {
		return err
	}
	rows := make([]tillRow, len(tills))
	for i, t := range tills {
		rows[i] = rowOf(t, alarms, time.Now())
	}
	return s.show(c, "tills", frame{Title: s.word("bo_tills"), Here: "tills", Signed: true}, struct {
		Tills  []tillRow
		Alarms []alarmRow
	}{rows, alarms})
}

func (s *server) alarmDone(c *fiber.Ctx) error {
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return pos.E("close alarm", pos.NotFound, "there is no such alarm")
	}
	if err := s.Store.AlarmDone(c.UserContext(), id, time.Now()); err != nil {
		return err
	}
	return c.Redirect("/tills", http.StatusSeeOther)
}

// recordData is a record's page; Receipt is nil unless it completes a sale.
type recordData struct {
	Till          store.Till
	Record        store.Kept
	Genuine       bool // its signature was checked just now
	Receipt       *pos.Receipt
	Body          string
	Before, After uint64 // 0: there is none
}

func (s *server) record(c *fiber.Ctx) error {
	n, err := strconv.ParseUint(c.Params("n"), 10, 63)
	if err != nil || n == 0 {
		return pos.E("find record", pos.NotFound, "there is no such record")
	}
	till, err := s.Store.Till(c.UserContext(), c.Params("till"))
	if err != nil {
		return err
	}
	d := recordData{Till: till, Before: n - 1}
	for k, err := range s.Store.Since(c.UserContext(), till.ID, n-1) {
		if err != nil {
			return err
		}
		d.Record = k
		break
	}
	if d.Record.N != n {
		return pos.E("find record", pos.NotFound, "there is no record %d of this till", n)
	}
	d.Genuine = d.Record.Verify(till.Key) == nil
	if n < till.Head.N {
		d.After = n + 1
	}
	return s.show(c, "record", frame{Title: s.word("record") + " " + num(n), Here: "tills", Signed: true}, s.fill(d))
}

// fill adds the receipt, and the body for people.
func (s *server) fill(d recordData) recordData {
	r, err := pos.NewReceipt(pos.Shop{Name: s.Shop, Till: d.Till.Name}, d.Record.Record, s.Reports.Zone(), 0)
	if err == nil {
		d.Receipt = &r
	}
	var body bytes.Buffer
	if err := json.Indent(&body, d.Record.Body, "", "  "); err == nil {
		d.Body = body.String()
	}
	return d
}

// codesData is the page that makes codes.
type codesData struct {
	Ask   string // identifies this form: sending it again makes no second code
	Name  string
	Code  string
	Ends  time.Time
	URL   string
	Fault string
}

func (s *server) codesPage(c *fiber.Ctx) error {
	return s.showCodes(c, codesData{Ask: rand.Text()})
}

func (s *server) showCodes(c *fiber.Ctx, d codesData) error {
	d.URL = s.Public.String()
	return s.show(c, "codes", frame{Title: s.word("bo_new_till"), Here: "codes", Signed: true}, d)
}

func (s *server) makeCode(c *fiber.Ctx) error {
	d := codesData{Ask: c.FormValue("ask"), Name: c.FormValue("name")}
	if d.Ask == "" || len(d.Ask) > 64 {
		return pos.E("make code", pos.Invalid, "this is not one of the forms here")
	}
	code, ends, err := s.Codes.Make(c.UserContext(), d.Name, "form "+d.Ask, time.Now())
	switch pos.KindOf(err) {
	case pos.Invalid, pos.Exhausted, pos.Conflict:
		if err != nil {
			d.Fault, d.Ask = err.(*pos.Error).Msg, rand.Text()
			return s.showCodes(c.Status(http.StatusConflict), d)
		}
	}
	if err != nil {
		return err
	}
	d.Code, d.Ends = code, ends.In(s.Reports.Zone())
	return s.showCodes(c, d)
}
