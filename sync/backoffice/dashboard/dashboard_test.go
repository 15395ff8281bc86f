package dashboard

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/access"
	"github.com/tillwright/tillwright/sync/backoffice/ingest"
	"github.com/tillwright/tillwright/sync/backoffice/report"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/backoffice/web"
)

const password = "correct horse battery"

var (
	midnight  = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	officeKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'b'}, ed25519.SeedSize))
)

// office is the pages on a real socket over a real store, and a browser.
type office struct {
	*http.Client
	t     *testing.T
	url   string
	db    *store.DB
	owner *access.Owner
	in    *ingest.Ingest
}

func newOffice(t *testing.T, language string, change ...func(*Options)) *office {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "office.db"))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Client: &http.Client{Jar: jar}, t: t, url: "http://" + ln.Addr().String(), db: db, owner: access.NewOwner(db, db), in: &ingest.Ingest{Store: db, Key: officeKey}}
	if err := o.owner.SetPassword(t.Context(), password, time.Now()); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	app := web.New(web.Options{Log: log})
	opts := Options{
		Store: db, Owner: o.owner, Codes: access.NewCodes(db, officeKey), Reports: report.New(db, time.UTC),
		Offline: Offline{Store: db, Limits: offpay.DefaultLimits(), Currency: "EUR"},
		Shop:    "Café <Süd> & Söhne", Language: language, Public: &url.URL{Scheme: "http", Host: ln.Addr().String()}, Log: log,
	}
	for _, f := range change {
		f(&opts)
	}
	Mount(app, opts)
	done := make(chan error, 1)
	go func() { done <- app.Listener(ln) }()
	t.Cleanup(func() {
		o.CloseIdleConnections()
		if err := errors.Join(app.Shutdown(), <-done, db.Check(context.Background()), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return o
}

// take enrols a till under a name and takes its records.
func (o *office) take(till *tilltest.Till, name string) {
	o.t.Helper()
	o.takeAt(till, name, time.Now())
}

// takeAt takes a till's records at a time of the past.
func (o *office) takeAt(till *tilltest.Till, name string, at time.Time) {
	o.t.Helper()
	g := till.Genesis
	code := store.Code{Hash: []byte(g.Till), Name: name, Made: time.Now(), Ends: time.Now().Add(time.Hour)}
	if err := errors.Join(o.db.AddCode(o.t.Context(), code),
		o.db.UseCode(o.t.Context(), code.Hash, store.Till{ID: g.Till, Key: g.Key, Series: g.Series, Currency: g.Currency, Enrolled: at})); err != nil {
		o.t.Fatal(err)
	}
	for all := till.Records(); len(all) > 0; {
		n := min(len(all), 400)
		var body []byte
		for _, r := range all[:n] {
			body = append(body, r.Line...)
		}
		if _, err := o.in.Take(o.t.Context(), g.Till, body, at); err != nil {
			o.t.Fatal(err)
		}
		all = all[n:]
	}
}

func (o *office) do(method, path string, form url.Values, headers ...string) (*http.Response, string) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		o.t.Fatal(err)
	}
	if method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := o.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return res, string(b)
}

func (o *office) signIn() {
	o.t.Helper()
	if res, body := o.do("POST", "/sign-in", url.Values{"password": {password}}); res.StatusCode != 200 || strings.Contains(body, "type=\"password\"") {
		o.t.Fatalf("sign in: %s", res.Status)
	}
}

// sample is a till with a day of sales under a name that is HTML.
func (o *office) sample() *tilltest.Till {
	till := tilltest.New(1, "01", "EUR", midnight)
	till.Day(midnight, 30)
	till.Stray()
	till.Add(pos.KindDrawerOpened, pos.DrawerOpened{Reason: "x", By: pos.Actor{ID: "z", Name: "<script>alert(1)</script>", Role: pos.Cashier}})
	till.Add(pos.KindSaleCompleted, "no sale")
	o.take(till, `<img src=x onerror=alert(1)>`)
	o.offline(till)
	return till
}

// pages are all that a signed-in owner can see.
func pages(till *tilltest.Till) []string {
	record := "/tills/" + till.Genesis.Till + "/records/"
	return []string{"/", "/days/2026-11-22", "/days/2026-11-21", "/tills", "/offline", "/codes", record + "1", record + "6", record + num(uint64(len(till.Records())))}
}

// TestPagesInEveryLanguage renders every page in every language. Goal: no word is
// missing, nothing of a till's is taken for HTML, and no script, style or handler
// stands in a page.
func TestPagesInEveryLanguage(t *testing.T) {
	bad := map[string]*regexp.Regexp{
		"a missing word":    regexp.MustCompile(`bo_[a-z_]+`),
		"a script":          regexp.MustCompile(`(?i)<script`),
		"an inline style":   regexp.MustCompile(`(?i)<style|\sstyle\s*=`),
		"an inline handler": regexp.MustCompile(`(?i)<[^>]+\son[a-z]+\s*=`),
		"another host":      regexp.MustCompile(`(?i)(src|href|action)\s*=\s*"?(https?:)?//`),
		"a till's HTML":     regexp.MustCompile(`<img`),
		"a shop's HTML":     regexp.MustCompile(`<Süd>`),
		"an empty figure":   regexp.MustCompile(`<no value>|%!`),
	}
	for _, language := range pos.Languages {
		t.Run(language, func(t *testing.T) {
			o := newOffice(t, language)
			till := o.sample()
			res, page := o.do("GET", "/sign-in", nil)
			check := func(path string) {
				t.Helper()
				if res.StatusCode != 200 || !strings.Contains(page, "</html>") || !strings.Contains(page, `lang="`+language+`"`) {
					t.Errorf("%s: %s", path, res.Status)
				}
				for what, re := range bad {
					if found := re.FindString(page); found != "" {
						t.Errorf("%s holds %s: %q", path, what, found)
					}
				}
			}
			check("/sign-in")
			o.signIn()
			for _, path := range pages(till) {
				res, page = o.do("GET", path, nil)
				check(path)
			}
		})
	}
}

// TestHeaders looks at what every response carries.
func TestHeaders(t *testing.T) {
	o := newOffice(t, "en")
	for _, path := range []string{"/sign-in", "/assets/dashboard.css", "/assets/icon.svg", "/nothing"} {
		res, _ := o.do("GET", path, nil)
		csp := res.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", path, res.Header)
		}
	}
}

// TestFilesAreOurs holds the style sheet to the rule of the pages.
func TestFilesAreOurs(t *testing.T) {
	err := fs.WalkDir(files, "pages", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := files.ReadFile(path)
		if found := regexp.MustCompile(`(?i)@import|url\(|https?://`).FindString(strings.ReplaceAll(string(b), "http://www.w3.org/2000/svg", "")); found != "" {
			t.Errorf("%s holds %q", path, found)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestStrangers asks for every page without a session. Goal: the sign-in form, the
// way back, and nothing of the shop's figures.
func TestStrangers(t *testing.T) {
	o := newOffice(t, "en")
	till := o.sample()
	for _, path := range append(pages(till), "/days/2026-11-22/sales.csv", "/days/2026-11-22/payments.csv", "/days?day=2026-11-22") {
		res, body := o.do("GET", path, nil)
		if !strings.HasPrefix(res.Request.URL.Path, "/sign-in") || strings.Contains(body, "01-0000") {
			t.Errorf("%s leads to %s", path, res.Request.URL)
		}
	}
	for _, path := range []string{"/codes", "/alarms/1/done", "/offline/" + till.Genesis.Till + "/off", "/offline/payments/0100000000/0/1/done"} {
		if res, body := o.do("POST", path, url.Values{"ask": {"x"}, "name": {""}}); !strings.HasPrefix(res.Request.URL.Path, "/sign-in") || strings.Contains(body, "codeword") {
			t.Errorf("POST %s leads to %s", path, res.Request.URL)
		}
	}
	if alarms, err := o.db.Alarms(t.Context()); err != nil || len(alarms) != 1 {
		t.Errorf("%d alarms, %v", len(alarms), err)
	}
	if tills, err := o.db.OfflineTills(t.Context(), time.Now()); err != nil || !tills[0].Off.IsZero() || tills[0].Owed != 1 {
		t.Errorf("a stranger changed %+v, %v", tills, err)
	}
}

// TestOtherSites posts what another site's page could make a browser post. Goal:
// refused, session or not.
func TestOtherSites(t *testing.T) {
	o := newOffice(t, "en")
	o.sample()
	o.signIn()
	form := url.Values{"ask": {"a"}, "name": {"x"}}
	tests := []struct {
		name    string
		headers []string
		ok      bool
	}{
		{"our page", []string{"Sec-Fetch-Site", "same-origin", "Origin", o.url}, true},
		{"typed by hand", []string{"Sec-Fetch-Site", "none"}, true},
		{"an older browser", []string{"Origin", o.url}, true},
		{"no browser", nil, true},
		{"another site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		{"a sister site", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.shop.example"}, false},
		{"an older browser elsewhere", []string{"Origin", "https://evil.example"}, false},
		{"a sandboxed frame", []string{"Origin", "null"}, false},
		{"JSON", []string{"Content-Type", "application/json"}, false},
		{"text", []string{"Content-Type", "text/plain"}, false},
	}
	for _, tt := range tests {
		res, body := o.do("POST", "/codes", form, tt.headers...)
		if made := res.StatusCode == 200 && strings.Contains(body, "codeword"); made != tt.ok {
			t.Errorf("%s: %s", tt.name, res.Status)
		}
	}
	if res, _ := o.do("POST", "/codes", url.Values{"ask": {"b"}, "name": {strings.Repeat("x", 5000)}}); res.StatusCode != 400 {
		t.Errorf("a large form: %s", res.Status)
	}
}

// TestSession looks at the cookie, and at where signing in leads.
func TestSession(t *testing.T) {
	o := newOffice(t, "en")
	o.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for next, want := range map[string]string{
		"/days/2026-11-22": "/days/2026-11-22", "": "/", "https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/", "/a\nb": "/",
	} {
		res, _ := o.do("POST", "/sign-in", url.Values{"password": {password}, "next": {next}})
		if got := res.Header.Get("Location"); res.StatusCode != 303 || got != want {
			t.Errorf("next %q: %s %q, want %q", next, res.Status, got, want)
		}
		c := res.Cookies()
		if len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode || len(c[0].Value) < 40 {
			t.Errorf("cookie %+v", c)
		}
	}
	if res, _ := o.do("POST", "/sign-out", nil); res.Header.Get("Location") != "/sign-in" {
		t.Errorf("sign out: %s", res.Status)
	}
	if res, _ := o.do("GET", "/tills", nil); res.Header.Get("Location") != "/sign-in?next=%2Ftills" {
		t.Errorf("after signing out: %s %q", res.Status, res.Header.Get("Location"))
	}
	for range 5 {
		o.do("POST", "/sign-in", url.Values{"password": {"wrong wrong"}})
	}
	res, _ := o.do("POST", "/sign-in", url.Values{"password": {password}})
	if res.StatusCode != 429 || res.Header.Get("Retry-After") != "900" {
		t.Errorf("locked out: %s, Retry-After %q", res.Status, res.Header.Get("Retry-After"))
	}
}

// TestFaults asks for what is not there. Goal: a page that says so, not a document
// for machines, and no cause.
func TestFaults(t *testing.T) {
	o := newOffice(t, "en")
	till := o.sample()
	o.signIn()
	for path, want := range map[string]int{
		"/days/yesterday": 400, "/days?day=x": 400, "/days/2026-11-22/sales.csv?separator=tab": 400, "/tills/none/records/1": 404, "/nothing": 404,
		"/tills/" + till.Genesis.Till + "/records/0": 404, "/tills/" + till.Genesis.Till + "/records/99999": 404, "/tills/" + till.Genesis.Till + "/records/x": 404, "/set-up/x": 404,
	} {
		res, body := o.do("GET", path, nil)
		if res.StatusCode != want || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") || !strings.Contains(body, "</html>") {
			t.Errorf("%s: %s %s, want %d", path, res.Status, res.Header.Get("Content-Type"), want)
		}
	}
}

// TestAlarmDone settles an alarm from the page.
func TestAlarmDone(t *testing.T) {
	o := newOffice(t, "en")
	o.sample()
	o.signIn()
	_, page := o.do("GET", "/tills", nil)
	action := regexp.MustCompile(`action="(/alarms/\d+/done)"`).FindStringSubmatch(page)
	if action == nil {
		t.Fatal("no alarm on the page")
	}
	if _, page = o.do("POST", action[1], nil); strings.Contains(page, "/alarms/") {
		t.Error("the alarm is still there")
	}
}

// TestCodeForm makes a code and sends the form again, as a reload does.
func TestCodeForm(t *testing.T) {
	o := newOffice(t, "en")
	o.signIn()
	_, page := o.do("GET", "/codes", nil)
	ask := regexp.MustCompile(`name="ask" value="([^"]+)"`).FindStringSubmatch(page)
	if ask == nil {
		t.Fatal("no form")
	}
	code := func() string {
		_, page := o.do("POST", "/codes", url.Values{"ask": {ask[1]}, "name": {"Terrace"}})
		found := regexp.MustCompile(`codeword">([^<]+)<`).FindStringSubmatch(page)
		if found == nil {
			t.Fatalf("no code: %.300s", page)
		}
		return found[1]
	}
	if one, again := code(), code(); one != again {
		t.Errorf("%s, then %s", one, again)
	}
	if codes, err := o.db.Codes(t.Context()); err != nil || len(codes) != 1 {
		t.Errorf("%d codes, %v", len(codes), err)
	}
}

func TestCSVFiles(t *testing.T) {
	o := newOffice(t, "en")
	o.sample()
	o.signIn()
	res, body := o.do("GET", "/days/2026-11-22/sales.csv?separator=semicolon&bom=1", nil)
	if !strings.HasPrefix(body, "\ufeffreceipt_no;record_no;") || strings.Count(body, "\r\n") != 31 || !strings.Contains(res.Header.Get("Content-Disposition"), `"sales-2026-11-22.csv"`) {
		t.Errorf("%s %s: %.200q", res.Status, res.Header.Get("Content-Disposition"), body)
	}
}
