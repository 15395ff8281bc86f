package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/report"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// owners registers what the owner's programs call.
func (s *server) owners(api huma.API) {
	secure := func(op huma.Operation) huma.Operation {
		op.Security = []map[string][]string{{"owner": {}}}
		op.Errors = append(op.Errors, http.StatusUnauthorized)
		return op
	}
	huma.Register(api, secure(operation("list-tills", http.MethodGet, "/v1/tills", "List the tills", "How far each till's records are here, and when it was last heard of.")), handler(s, s.listTills))
	huma.Register(api, secure(operation("list-records", http.MethodGet, "/v1/tills/{till}/records", "List a till's records",
		"The kept lines, oldest first. Verify them with the till's public key and nothing of ours.", http.StatusBadRequest, http.StatusNotFound)), handler(s, s.listRecords))
	huma.Register(api, secure(operation("list-alarms", http.MethodGet, "/v1/alarms", "List the open alarms", "Forks, records that failed their check, records that cannot be booked.")), handler(s, s.listAlarms))
	huma.Register(api, secure(operation("get-report", http.MethodGet, "/v1/reports/{day}", "Get a day's report",
		"One report for each currency of the shop's tills: the fold of all records of the day.", http.StatusBadRequest)), handler(s, s.getReport))
	huma.Register(api, secure(operation("list-sales", http.MethodGet, "/v1/sales", "List a day's sales", "In the order in which they were completed.", http.StatusBadRequest)), handler(s, s.listSales))
	code := secure(operation("make-enrolment-code", http.MethodPost, "/v1/enrolment-codes", "Make an enrolment code",
		"A one-time code to type at a till. The same Idempotency-Key gets the same code while it lives.", http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity))
	code.DefaultStatus = http.StatusCreated
	huma.Register(api, code, handler(s, s.makeCode))
}

type tillsOut struct{ Body Page[TillOut] }

func (s *server) listTills(ctx context.Context, in *struct{ ByKey }) (*tillsOut, error) {
	if err := s.check(ctx, in.ByKey); err != nil {
		return nil, err
	}
	tills, err := s.Store.Tills(ctx)
	out := &tillsOut{Page[TillOut]{Items: []TillOut{}}}
	for _, t := range tills {
		out.Body.Items = append(out.Body.Items, TillOut{
			ID: t.ID, Name: t.Name, Series: t.Series, Currency: t.Currency, Enrolled: t.Enrolled, Seen: t.Seen,
			SafeTo: t.Head.N, Hash: t.Head.Hash, Sales: t.Head.Sales,
		})
	}
	return out, err
}

// Paging is the input of lists.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"40" doc:"Next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

// after reads a cursor: the number of the last item of the page before.
func (p Paging) after() (uint64, error) {
	if p.Cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(p.Cursor, 10, 63)
	if err != nil {
		return 0, pos.E("read cursor", pos.Invalid, "this cursor is not one of ours")
	}
	return n, nil
}

type listRecordsIn struct {
	ByKey
	Paging
	Till string `path:"till" pattern:"^[0-9a-f]{16}$"`
}

type recordsPage struct{ Body Page[RecordOut] }

func (s *server) listRecords(ctx context.Context, in *listRecordsIn) (*recordsPage, error) {
	if err := s.check(ctx, in.ByKey); err != nil {
		return nil, err
	}
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	if _, err := s.Store.Till(ctx, in.Till); err != nil {
		return nil, err
	}
	out := &recordsPage{Page[RecordOut]{Items: []RecordOut{}}}
	for k, err := range s.Store.Since(ctx, in.Till, after) {
		if err != nil {
			return nil, err
		}
		if n := len(out.Body.Items); n == in.Limit {
			out.Body.Next = strconv.FormatUint(out.Body.Items[n-1].N, 10)
			break
		}
		out.Body.Items = append(out.Body.Items, RecordOut{k.N, string(k.Kind), k.At, k.Received, k.Hash, string(k.Line)})
	}
	return out, nil
}

type alarmsOut struct{ Body Page[AlarmOut] }

func (s *server) listAlarms(ctx context.Context, in *struct{ ByKey }) (*alarmsOut, error) {
	if err := s.check(ctx, in.ByKey); err != nil {
		return nil, err
	}
	alarms, err := s.Store.Alarms(ctx)
	out := &alarmsOut{Page[AlarmOut]{Items: []AlarmOut{}}}
	for _, a := range alarms {
		out.Body.Items = append(out.Body.Items, alarmOut(a))
	}
	return out, err
}

func alarmOut(a store.Alarm) AlarmOut {
	return AlarmOut{a.Till, a.Kind, a.N, a.Why.In("en"), a.First, a.Last, a.Times}
}

type reportIn struct {
	ByKey
	Day string `path:"day" format:"date" example:"2026-11-22"`
}

type reportOut struct{ Body Page[pos.Report] }

func (s *server) getReport(ctx context.Context, in *reportIn) (*reportOut, error) {
	days, err := s.days(ctx, in.ByKey, in.Day)
	out := &reportOut{Page[pos.Report]{Items: []pos.Report{}}}
	for _, d := range days {
		out.Body.Items = append(out.Body.Items, d.Total)
	}
	return out, err
}

func (s *server) days(ctx context.Context, o ByKey, day string) ([]report.Day, error) {
	if err := s.check(ctx, o); err != nil {
		return nil, err
	}
	date, err := s.Reports.ParseDate(day)
	if err != nil {
		return nil, err
	}
	return s.Reports.Days(ctx, date)
}

type listSalesIn struct {
	ByKey
	Paging
	Day string `query:"day" required:"true" format:"date" example:"2026-11-22"`
}

// SaleOut is a completed sale.
type SaleOut struct {
	pos.SaleCompleted
	Till   string    `json:"till"`
	Record uint64    `json:"record" doc:"Number of the record that completed it"`
	At     time.Time `json:"at"`
	Clock  pos.Clock `json:"clock" doc:"trusted, saved, or empty: how far the time is to be believed"`
}

type salesPage struct{ Body Page[SaleOut] }

func (s *server) listSales(ctx context.Context, in *listSalesIn) (*salesPage, error) {
	days, err := s.days(ctx, in.ByKey, in.Day)
	if err != nil {
		return nil, err
	}
	sales, err := salesAfter(days, in.Cursor)
	if err != nil {
		return nil, err
	}
	out := &salesPage{Page[SaleOut]{Items: []SaleOut{}}}
	for _, sale := range sales[:min(len(sales), in.Limit)] {
		out.Body.Items = append(out.Body.Items, SaleOut{sale.SaleCompleted, sale.Till.ID, sale.N, sale.At.UTC(), sale.Clock})
	}
	if len(sales) > in.Limit {
		out.Body.Next = cursorOf(sales[in.Limit-1])
	}
	return out, nil
}

// cursorOf names a sale, so that one which arrives late moves no page's end.
func cursorOf(s report.Sale) string { return fmt.Sprintf("%s-%d", s.Till.ID, s.N) }

// salesAfter returns the sales after the one that a cursor names.
func salesAfter(days []report.Day, cursor string) ([]report.Sale, error) {
	var all []report.Sale
	for _, d := range days {
		all = append(all, d.Sales...)
	}
	if cursor == "" {
		return all, nil
	}
	at := slices.IndexFunc(all, func(s report.Sale) bool { return cursorOf(s) == cursor })
	if at < 0 {
		return nil, pos.E("read cursor", pos.Invalid, "this cursor is not one of ours")
	}
	return all[at+1:], nil
}

type makeCodeIn struct {
	ByKey
	Key  string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"64"`
	Body CodeIn
}

type makeCodeOut struct{ Body CodeOut }

func (s *server) makeCode(ctx context.Context, in *makeCodeIn) (*makeCodeOut, error) {
	if err := s.check(ctx, in.ByKey); err != nil {
		return nil, err
	}
	code, ends, err := s.Codes.Make(ctx, in.Body.Name, in.Key, time.Now())
	return &makeCodeOut{CodeOut{code, ends.UTC()}}, err
}
