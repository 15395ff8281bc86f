package api_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/access"
	"github.com/tillwright/tillwright/sync/backoffice/api"
	"github.com/tillwright/tillwright/sync/backoffice/ingest"
	"github.com/tillwright/tillwright/sync/backoffice/report"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/backoffice/web"
	"github.com/tillwright/tillwright/sync/wire"
)

var officeKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'b'}, ed25519.SeedSize))

func officePublic() ed25519.PublicKey { return officeKey.Public().(ed25519.PublicKey) }

// office is the API on a real socket over a real store.
type office struct {
	t     *testing.T
	url   string
	api   huma.API
	db    *store.DB
	file  string
	codes *access.Codes
	key   string
	off   *offlineOffice // nil: not set up
}

func newOffice(t *testing.T) *office { return newOfficeWith(t, &offlineOffice{}) }

func newOfficeWith(t *testing.T, off *offlineOffice) *office {
	t.Helper()
	o, app := mounted(t, off)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(ln) }()
	t.Cleanup(func() {
		if err := errors.Join(app.Shutdown(), <-done); err != nil {
			t.Error(err)
		}
	})
	o.url = "http://" + ln.Addr().String()
	return o
}

// mounted is an office that does not listen.
func mounted(t *testing.T, off *offlineOffice) (*office, *fiber.App) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "office.db")
	db, err := store.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	owner := access.NewOwner(db, db)
	o := &office{t: t, db: db, file: file, codes: access.NewCodes(db, officeKey), off: off}
	if o.key, err = owner.NewKey(t.Context(), "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	app := web.New(web.Options{Log: log})
	o.api = api.Mount(app, api.Options{
		Store: db, Ingest: &ingest.Ingest{Store: db, Key: officeKey}, Codes: o.codes, Keys: owner, Reports: report.New(db, time.UTC),
		Seeds: sweep.NewKeeper(db, officeKey, func(s string) (string, error) { return s, nil }),
		Key:   officePublic(), Shop: "Café Süd", Version: "test", Log: log,
		Offline: o.offline(), Sign: func(a wire.Answer) string { return a.Sign(officeKey) }, Language: "en",
	})
	t.Cleanup(func() {
		if err := errors.Join(db.Check(context.Background()), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return o, app
}

// call makes a request as it stands and returns status, headers and body.
func (o *office) call(method, path, body string, headers ...string) (int, http.Header, string) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

// owner calls with the owner's key.
func (o *office) owner(method, path, body string, headers ...string) (int, http.Header, string) {
	o.t.Helper()
	return o.call(method, path, body, append(headers, "Authorization", "Bearer "+o.key)...)
}

func (o *office) enrol(till *tilltest.Till) *wire.Client {
	o.t.Helper()
	code, _, err := o.codes.Make(o.t.Context(), "Counter", "", time.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	e, err := wire.Enrol(o.t.Context(), o.url, code, till.Key, till.Genesis, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	return wire.NewClient(e.URL, till.Genesis.Till, till.Key, e.Key, nil)
}

var midnight = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func newTill(sales int) *tilltest.Till {
	till := tilltest.New(1, "01", "EUR", midnight)
	till.Day(midnight, sales)
	return till
}

// problem checks that a refusal is a problem as RFC 9457 writes it.
func problem(t *testing.T, status int, head http.Header, body string) wire.Problem {
	t.Helper()
	var p wire.Problem
	if head.Get("Content-Type") != wire.ProblemType || json.Unmarshal([]byte(body), &p) != nil || p.Status != status || p.Detail == "" || p.Title == "" {
		t.Errorf("%d with %q is no problem: %s", status, head.Get("Content-Type"), body)
	}
	return p
}

// TestStrict sends JSON that means something else to another reader. Goal: each is
// refused, and the good one is taken.
func TestStrict(t *testing.T) {
	o := newOffice(t)
	tests := []struct {
		name, body, media string
		want              int
	}{
		{"good", `{"name":"Terrace"}`, "application/json", 201},
		{"good with charset", `{"name":"Terrace"}`, "application/json; charset=utf-8", 201},
		{"odd case", `{"Name":"Terrace"}`, "application/json", 422},
		{"both cases", `{"name":"a","NAME":"b"}`, "application/json", 422},
		{"twice", `{"name":"a","name":"b"}`, "application/json", 400},
		{"unknown", `{"name":"a","colour":"red"}`, "application/json", 422},
		{"missing", `{}`, "application/json", 422},
		{"wrong type", `{"name":7}`, "application/json", 422},
		{"null", `{"name":null}`, "application/json", 422},
		{"too long", `{"name":"` + strings.Repeat("x", 61) + `"}`, "application/json", 422},
		{"array", `[{"name":"a"}]`, "application/json", 422},
		{"two values", `{"name":"a"}{"name":"b"}`, "application/json", 400},
		{"trailing", `{"name":"a"}]`, "application/json", 400},
		{"cut off", `{"name":"a"`, "application/json", 400},
		{"deep", strings.Repeat(`{"name":`, 40) + "1" + strings.Repeat("}", 40), "application/json", 400},
		{"empty", ``, "application/json", 400},
		{"a form", `name=a`, "application/x-www-form-urlencoded", 415},
		{"text", `{"name":"a"}`, "text/plain", 415},
		{"large", `{"name":"a"` + strings.Repeat(" ", 20<<10) + `}`, "application/json", 413},
	}
	for i, tt := range tests {
		status, head, body := o.owner("POST", "/v1/enrolment-codes", tt.body, "Content-Type", tt.media, "Idempotency-Key", strconv.Itoa(i))
		if status != tt.want {
			t.Errorf("%s: %d, want %d: %s", tt.name, status, tt.want, body)
		}
		if status >= 400 {
			problem(t, status, head, body)
		}
	}
}

// TestKeyNeeded calls everything of the owner's without a key, with a wrong one,
// and with a till's path. Goal: 401, and not a word more.
func TestKeyNeeded(t *testing.T) {
	o := newOffice(t)
	for path, item := range o.api.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post} {
			if op == nil || len(op.Security) == 0 || op.Security[0]["owner"] == nil {
				continue
			}
			url := strings.NewReplacer("{till}", "0011223344556677", "{day}", "2026-11-22").Replace(path)
			if path == "/v1/sales" {
				url += "?day=2026-11-22"
			}
			for _, auth := range []string{"", "Bearer ", "Bearer wrong", "Basic " + o.key, o.key} {
				status, head, body := o.call(method, url, `{"name":""}`, "Content-Type", "application/json", "Authorization", auth, "Idempotency-Key", "k")
				if status != 401 {
					t.Errorf("%s %s with %q: %d", method, path, auth, status)
				}
				problem(t, status, head, body)
			}
		}
	}
}

// TestOneWriter repeats a POST. Goal: the same key gets the same code, another
// content is refused, and a code works for one till once.
func TestIdempotency(t *testing.T) {
	o := newOffice(t)
	ask := func(key, name string) (int, string) {
		status, _, body := o.owner("POST", "/v1/enrolment-codes", `{"name":"`+name+`"}`, "Content-Type", "application/json", "Idempotency-Key", key)
		return status, body
	}
	status, first := ask("a", "Terrace")
	if again, body := ask("a", "Terrace"); status != 201 || again != 201 || body != first {
		t.Errorf("%d %s, then %d %s", status, first, again, body)
	}
	if status, body := ask("a", "Counter"); status != 409 {
		t.Errorf("other content: %d %s", status, body)
	}
	if status, body := ask("b", "Terrace"); status != 201 || body == first {
		t.Errorf("other key: %d %s", status, body)
	}
	if status, body := ask("", "x"); status != 422 {
		t.Errorf("no key: %d %s", status, body)
	}
	if status, body := ask(strings.Repeat("k", 65), "x"); status != 422 {
		t.Errorf("long key: %d %s", status, body)
	}
}

// request signs a till's request and lets a test spoil it.
func (o *office) request(till *tilltest.Till, counter int64, body string, spoil func(r *wire.Request, h map[string]string)) (int, string) {
	o.t.Helper()
	r := wire.Request{Method: "POST", Path: wire.RecordsPath(till.Genesis.Till), To: officePublic(), Counter: counter, Body: []byte(body)}
	h := map[string]string{"Content-Type": wire.ContentType, wire.HeaderCounter: strconv.FormatInt(counter, 10)}
	if spoil != nil {
		spoil(&r, h)
	}
	if h[wire.HeaderSignature] == "" {
		h[wire.HeaderSignature] = r.Sign(till.Key)
	}
	var headers []string
	for k, v := range h {
		if v != "-" {
			headers = append(headers, k, v)
		}
	}
	status, head, answer := o.call("POST", wire.RecordsPath(till.Genesis.Till), body, headers...)
	if status >= 400 {
		problem(o.t, status, head, answer)
	}
	return status, answer
}

// TestTillRequests spoils each part of a till's request in turn. Goal: only what
// the till signed, for this backoffice, for the first time, is taken.
func TestTillRequests(t *testing.T) {
	o := newOffice(t)
	till, stranger := newTill(3), tilltest.New(9, "09", "EUR", midnight)
	o.enrol(till)
	var body string
	for _, r := range till.Records() {
		body += string(r.Line)
	}
	counter := int64(1000)
	tests := []struct {
		name  string
		spoil func(r *wire.Request, h map[string]string)
		want  int
	}{
		{"another key", func(r *wire.Request, h map[string]string) { h[wire.HeaderSignature] = r.Sign(stranger.Key) }, 403},
		{"no signature", func(_ *wire.Request, h map[string]string) { h[wire.HeaderSignature] = "-" }, 422},
		{"garbage signature", func(_ *wire.Request, h map[string]string) { h[wire.HeaderSignature] = "????" }, 403},
		{"for another backoffice", func(r *wire.Request, _ map[string]string) { r.To = stranger.Genesis.Key }, 403},
		{"another body signed", func(r *wire.Request, _ map[string]string) { r.Body = []byte("x") }, 403},
		{"another path signed", func(r *wire.Request, _ map[string]string) { r.Path = "/v1/enrolments" }, 403},
		{"another counter signed", func(r *wire.Request, _ map[string]string) { r.Counter++ }, 403},
		{"no counter", func(_ *wire.Request, h map[string]string) { h[wire.HeaderCounter] = "-" }, 422},
		{"zero counter", func(r *wire.Request, h map[string]string) { r.Counter, h[wire.HeaderCounter] = 0, "0" }, 400},
		{"another type", func(_ *wire.Request, h map[string]string) { h["Content-Type"] = "application/json" }, 415},
		{"no type", func(_ *wire.Request, h map[string]string) { h["Content-Type"] = "-" }, 422},
		{"good", nil, 200},
		{"the same again", func(r *wire.Request, h map[string]string) {
			r.Counter, h[wire.HeaderCounter] = counter, strconv.FormatInt(counter, 10) // counter of the good one
		}, 409},
	}
	for _, tt := range tests {
		if tt.name != "the same again" {
			counter++
		}
		if status, answer := o.request(till, counter, body, tt.spoil); status != tt.want {
			t.Errorf("%s: %d, want %d: %s", tt.name, status, tt.want, answer)
		}
	}
	if status, answer := o.request(stranger, 1, "", nil); status != 404 {
		t.Errorf("a stranger: %d %s", status, answer)
	}
	if status, answer := o.request(till, wire.MaxCounter-1, "", nil); status != 200 || !strings.Contains(answer, `"accepted_to"`) {
		t.Errorf("an empty body: %d %s", status, answer)
	}
	counter = wire.MaxCounter - 1
	if status, answer := o.request(till, counter-5, body, nil); status != 409 || !strings.Contains(answer, fmt.Sprintf(`"after":%d`, counter)) {
		t.Errorf("an old counter: %d %s", status, answer)
	}
}

// TestOversized sends bodies above the limits. fasthttp may close the connection
// before all is read, so a broken pipe is as good as a 413.
func TestOversized(t *testing.T) {
	o := newOffice(t)
	till := newTill(1)
	o.enrol(till)
	req, err := http.NewRequestWithContext(t.Context(), "POST", o.url+wire.RecordsPath(till.Genesis.Till), bytes.NewReader(make([]byte, wire.MaxBody+1)))
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(req); err == nil {
		res.Body.Close()
		if res.StatusCode != 413 {
			t.Errorf("%s", res.Status)
		}
	}
}

// TestEnrolment tries codes that must not work. Goal: each is refused in words, and
// after five wrong ones even the right one has to wait.
func TestEnrolment(t *testing.T) {
	o := newOffice(t)
	one, two := newTill(1), tilltest.New(2, "02", "EUR", midnight)
	code, _, err := o.codes.Make(t.Context(), "Counter", "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	enrol := func(till *tilltest.Till, code string) pos.Kind {
		_, err := wire.Enrol(t.Context(), o.url, code, till.Key, till.Genesis, nil)
		if err == nil {
			return 99
		}
		return pos.KindOf(err)
	}
	forged := two.Clone(0)
	forged.Genesis.Key = one.Genesis.Key // a key that it does not hold
	if k := enrol(forged, code); k != pos.Forbidden {
		t.Errorf("a stolen public key: %v", k)
	}
	if k := enrol(one, code); k != 99 {
		t.Fatalf("the right code: %v", k)
	}
	if k := enrol(one, code); k != 99 {
		t.Errorf("the same code again, for the answer was lost: %v", k)
	}
	if k := enrol(two, code); k != pos.Forbidden {
		t.Errorf("a used code: %v", k)
	}
	again, _, _ := o.codes.Make(t.Context(), "", "", time.Now())
	clone := two.Clone(0)
	clone.Genesis.Till = one.Genesis.Till // another key under a known name
	if k := enrol(clone, again); k != pos.Conflict {
		t.Errorf("a known name: %v", k)
	}
	for range 5 {
		enrol(two, "0000-0000")
	}
	if k := enrol(two, again); k != pos.Exhausted {
		t.Errorf("after five wrong codes: %v", k)
	}
	status, head, _ := o.call("POST", wire.EnrolPath, "{}", "Content-Type", "application/json")
	if status < 400 || status >= 500 || head.Get("Content-Type") != wire.ProblemType {
		t.Errorf("an empty enrolment: %d", status)
	}
}

// TestPages walks lists by their cursors. Goal: every item once, in order.
func TestPages(t *testing.T) {
	o := newOffice(t)
	till := newTill(25)
	client := o.enrol(till)
	if _, err := client.Push(t.Context(), till.Records()); err != nil {
		t.Fatal(err)
	}
	var lines, receipts []string
	o.walk("/v1/tills/"+till.Genesis.Till+"/records?limit=7", func(item map[string]any) { lines = append(lines, item["line"].(string)) })
	for i, r := range till.Records() {
		if i >= len(lines) || lines[i] != string(r.Line) {
			t.Fatalf("record %d is not on its page", r.N)
		}
	}
	o.walk("/v1/sales?day=2026-11-22&limit=4", func(item map[string]any) {
		receipts = append(receipts, item["sale"].(map[string]any)["receipt"].(string))
	})
	if len(receipts) != 25 || receipts[0] != "01-000001" || receipts[24] != "01-000025" {
		t.Errorf("receipts %v", receipts)
	}
	for path, want := range map[string]int{
		"/v1/sales?day=2026-11-22&cursor=nonsense": 400, "/v1/sales": 422, "/v1/sales?day=yesterday": 422, "/v1/sales?day=2026-11-22&limit=0": 422,
		"/v1/sales?day=2026-11-22&limit=101": 422, "/v1/sales?day=2026-11-22&colour=red": 422, "/v1/tills/0011223344556677/records": 404, "/v1/tills/x/records": 422,
		"/v1/tills/" + till.Genesis.Till + "/records?cursor=-1": 400, "/v1/reports/2026-13-01": 422, "/v1/nothing": 404,
	} {
		status, head, body := o.owner("GET", path, "")
		if status != want {
			t.Errorf("%s: %d, want %d: %s", path, status, want, body)
		}
		problem(t, status, head, body)
	}
}

func (o *office) walk(path string, each func(map[string]any)) {
	o.t.Helper()
	for cursor := ""; ; {
		status, _, body := o.owner("GET", path+cursor, "")
		var page struct {
			Items []map[string]any
			Next  string
		}
		if err := json.Unmarshal([]byte(body), &page); status != 200 || err != nil {
			o.t.Fatalf("%s: %d %v %s", path, status, err, body)
		}
		for _, item := range page.Items {
			each(item)
		}
		if page.Next == "" {
			return
		}
		cursor = "&cursor=" + page.Next
	}
}

// TestOpenAPI compares the document that is served with what the server does. Goal:
// it is OpenAPI 3.1, every route of the API is in it, and every answer to a good
// call fits the schema that it promises.
func TestOpenAPI(t *testing.T) {
	o := newOffice(t)
	till := newTill(5)
	till.Stray()
	client := o.enrol(till)
	if _, err := client.Push(t.Context(), till.Records()); err != nil {
		t.Fatal(err)
	}
	bad := till.Add(pos.KindSaleCompleted, 1)
	if _, err := client.Push(t.Context(), []pos.Record{bad}); err != nil { // for the list of alarms
		t.Fatal(err)
	}
	status, head, body := o.call("GET", "/openapi.json", "")
	var doc map[string]any
	if err := json.Unmarshal([]byte(body), &doc); status != 200 || err != nil || !regexp.MustCompile(`^3\.1\.`).MatchString(fmt.Sprint(doc["openapi"])) {
		t.Fatalf("%d %s: %v", status, head.Get("Content-Type"), err)
	}
	calls := map[string]string{
		"list-tills": "/v1/tills", "list-records": "/v1/tills/" + till.Genesis.Till + "/records", "list-alarms": "/v1/alarms",
		"get-report": "/v1/reports/2026-11-22", "list-sales": "/v1/sales?day=2026-11-22", "make-enrolment-code": "/v1/enrolment-codes",
	}
	byHand := map[string]bool{"enrol-till": true, "post-records": true, "grant-offline": true, "settle-offline": true, "keep-address-seed": true} // a Client made those calls above
	for path, item := range o.api.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete, "PATCH": item.Patch} {
			if op == nil || byHand[op.OperationID] {
				continue
			}
			url, ok := calls[op.OperationID]
			if !ok {
				t.Errorf("%s %s is in no test", method, path)
				continue
			}
			o.fits(op, method, url)
		}
	}
	// A route that the document does not know would not be in Paths; fiber knows all.
	for _, page := range []string{"/docs", "/schemas/Money.json", "/schemas/Money"} {
		if status, _, _ := o.call("GET", page, ""); status != 404 {
			t.Errorf("%s: %d", page, status)
		}
	}
}

// fits makes a call and checks its answer against the operation's schema.
func (o *office) fits(op *huma.Operation, method, url string) {
	o.t.Helper()
	in := ""
	if method == "POST" {
		in = `{"name":"x"}`
	}
	status, head, body := o.owner(method, url, in, "Content-Type", "application/json", "Idempotency-Key", "fits")
	answer := op.Responses[strconv.Itoa(status)]
	if answer == nil || status >= 400 || head.Get("Content-Type") != "application/json" {
		o.t.Errorf("%s %s: %d %s is not promised: %s", method, url, status, head.Get("Content-Type"), body)
		return
	}
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		o.t.Fatal(err)
	}
	if page, ok := v.(map[string]any); ok && page["items"] != nil && len(page["items"].([]any)) == 0 {
		o.t.Errorf("%s: an empty list proves nothing", url)
	}
	res := &huma.ValidateResult{}
	schemas := o.api.OpenAPI().Components.Schemas
	huma.Validate(schemas, answer.Content["application/json"].Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, res)
	for i, err := range res.Errors {
		if i == 5 {
			break
		}
		o.t.Errorf("%s does not fit its schema: %v", url, err)
	}
}

// TestRateLimit calls faster than an address may: on a clock that stands still, for a slow
// computer never does. Goal: 429 with a time to wait.
func TestRateLimit(t *testing.T) {
	newOffice(t).call("GET", "/", "") // starts what fasthttp keeps for the process, a clock among it: no bubble ends with it
	synctest.Test(t, func(t *testing.T) {
		_, app := mounted(t, &offlineOffice{})
		for range 1000 {
			res, err := app.Test(httptest.NewRequest("GET", "/v1/tills", nil), -1)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if err := errors.Join(err, res.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode == 401 {
				continue
			}
			p := problem(t, res.StatusCode, res.Header, string(body))
			if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); res.StatusCode != 429 || err != nil || seconds < 1 || p.Type == "" {
				t.Errorf("%d, Retry-After %q: %s", res.StatusCode, res.Header.Get("Retry-After"), body)
			}
			return
		}
		t.Error("1000 calls in one moment and no limit")
	})
}

func decodeAny(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
