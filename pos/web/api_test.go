package web

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

const price = `{"minor":"1250","decimals":2,"currency":"EUR"}`

// TestBadRequests sends what must be refused. Nothing of it may reach the desk.
func TestBadRequests(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	k.want(201, "POST", "/v1/sales/current/lines", `{"sku":"4001"}`)
	asked := len(k.desk.Asked())
	lines, pay := "/v1/sales/current/lines", "/v1/sales/current/payments"
	for _, row := range []struct {
		name, method, path, body string
		heads                    []string
		status                   int
		detail                   string
	}{
		{"no JSON", "POST", lines, `{"sku":`, nil, 400, "no JSON"},
		{"a list", "POST", lines, `[{"sku":"4001"}]`, nil, 400, "one JSON object"},
		{"text", "POST", lines, `"4001"`, nil, 400, "one JSON object"},
		{"empty", "POST", lines, "", []string{"Content-Type", "application/json"}, 400, "one JSON object"},
		{"two objects", "POST", lines, `{"sku":"4001"}{"sku":"4002"}`, nil, 400, "behind"},
		{"unknown field", "POST", lines, `{"sku":"4001","discount":"100"}`, nil, 400, `no field "discount"`},
		{"unknown field of an amount", "POST", lines, `{"price":{"minor":"1","decimals":2,"currency":"EUR","exact":true}}`, nil, 400, `no field "exact"`},
		{"key twice", "POST", lines, `{"sku":"4001","sku":"4002"}`, nil, 400, "twice"},
		{"key twice in an amount", "POST", lines, `{"price":{"minor":"1","minor":"900","decimals":2,"currency":"EUR"}}`, nil, 400, "twice"},
		{"odd case", "POST", lines, `{"SKU":"4001"}`, nil, 400, `no field "SKU"`},
		{"odd case beside", "POST", lines, `{"price":{"minor":"1","MINOR":"900","decimals":2,"currency":"EUR"}}`, nil, 400, "no field"},
		{"null", "POST", lines, `{"sku":"4001","qty":null}`, nil, 400, "null"},
		{"wrong type", "POST", lines, `{"sku":4001}`, nil, 400, "wrong type"},
		{"list in a field", "POST", lines, `{"sku":["4001"]}`, nil, 400, "no list"},
		{"deep", "POST", lines, `{"price":{"a":{"b":{"c":{}}}}}`, nil, 400, "too deep"},
		{"no UTF-8", "POST", lines, "{\"name\":\"\xff\",\"price\":" + price + "}", nil, 400, "UTF-8"},
		{"neither sku nor price", "POST", lines, `{"qty":1000}`, nil, 400, "either"},
		{"both sku and price", "POST", lines, `{"sku":"4001","price":` + price + `}`, nil, 400, "either"},
		{"item with a name", "POST", lines, `{"sku":"4001","name":"Free"}`, nil, 400, "own name"},
		{"quantity 0", "POST", lines, `{"sku":"4001","qty":0}`, nil, 400, "quantity"},
		{"negative quantity", "POST", lines, `{"sku":"4001","qty":-1000}`, nil, 400, "quantity"},
		{"quantity too large", "POST", lines, `{"sku":"4001","qty":10000000}`, nil, 400, "quantity"},
		{"quantity with a point", "POST", lines, `{"sku":"4001","qty":1.5}`, nil, 400, "wrong type"},
		{"quantity past int64", "POST", lines, `{"sku":"4001","qty":9223372036854775808}`, nil, 400, "wrong type"},
		{"price 0", "POST", lines, amount("0", 2, "EUR"), nil, 400, "more than nothing"},
		{"negative price", "POST", lines, amount("-100", 2, "EUR"), nil, 400, "more than nothing"},
		{"price past int64", "POST", lines, amount("9223372036854775808", 2, "EUR"), nil, 400, "minor units"},
		{"price with a point", "POST", lines, amount("1.50", 2, "EUR"), nil, 400, "minor units"},
		{"price with a plus", "POST", lines, amount("+150", 2, "EUR"), nil, 400, "minor units"},
		{"price with noughts", "POST", lines, amount("0150", 2, "EUR"), nil, 400, "minor units"},
		{"price in dollars", "POST", lines, amount("150", 2, "USD"), nil, 400, "counts in EUR"},
		{"price with three decimals", "POST", lines, amount("150", 3, "EUR"), nil, 400, "counts in EUR"},
		{"long name", "POST", lines, `{"name":"` + strings.Repeat("x", pos.MaxName+1) + `","price":` + price + `}`, nil, 400, "letters"},
		{"form", "POST", lines, `sku=4001`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "application/json"},
		{"text/plain", "POST", lines, `{"sku":"4001"}`, []string{"Content-Type", "text/plain"}, 415, "application/json"},
		{"no media type", "POST", lines, `{"sku":"4001"}`, []string{"Content-Type", ""}, 415, "application/json"},
		{"compressed", "POST", lines, `{"sku":"4001"}`, []string{"Content-Encoding", "gzip"}, 415, "not encoded"},
		{"no key", "POST", lines, `{"sku":"4001"}`, []string{"Idempotency-Key", ""}, 400, "Idempotency-Key"},
		{"long key", "POST", lines, `{"sku":"4001"}`, []string{"Idempotency-Key", strings.Repeat("k", pos.MaxKey+1)}, 400, "Idempotency-Key"},
		{"key with a space", "POST", lines, `{"sku":"4001"}`, []string{"Idempotency-Key", "a b"}, 400, "Idempotency-Key"},
		{"no such sale", "POST", "/v1/sales/nope%2f..%2f/lines", `{"sku":"4001"}`, nil, 404, "no sale"},
		{"no tender", "POST", pay, `{}`, nil, 400, "tender"},
		{"tender of signs", "POST", pay, `{"tender":"cash'--"}`, nil, 400, "tender"},
		{"given to Lightning", "POST", pay, `{"tender":"lightning","given":` + price + `}`, nil, 400, "only cash"},
		{"given nothing", "POST", pay, `{"tender":"cash","given":{"minor":"0","decimals":2,"currency":"EUR"}}`, nil, 400, "more than nothing"},
		{"negative part", "POST", pay, `{"tender":"cash","amount":{"minor":"-1","decimals":2,"currency":"EUR"}}`, nil, 400, "more than nothing"},
		{"line left out", "PATCH", "/v1/sales/current/lines/1", `{}`, nil, 400, "quantity"},
		{"line 0", "PATCH", "/v1/sales/current/lines/0", `{"qty":1000}`, nil, 404, "no such line"},
		{"switch to nothing", "PUT", "/v1/current-sale", `{}`, nil, 400, "name the sale"},
		{"drawer for nothing", "POST", "/v1/drawer-openings", `{"reason":"  "}`, nil, 400, "why"},
		{"notice of letters", "DELETE", "/v1/notices/x", "", nil, 404, "no such notice"},
		{"limit too large", "GET", "/v1/sales?limit=1000", "", nil, 400, "limit"},
		{"limit of letters", "GET", "/v1/items?limit=all", "", nil, 400, "limit"},
		{"no such cursor", "GET", "/v1/items?cursor=nope", "", nil, 400, "cursor"},
		{"no such page", "GET", "/v1/sales?cursor=nope", "", nil, 400, "page"},
		{"no such language", "GET", "/v1/words?language=tlh", "", nil, 404, "no words"},
		{"no such picture", "GET", "/v1/events?picture=shop", "", nil, 400, "no picture"},
		{"no code", "POST", "/v1/sales/current/codes", `{}`, nil, 400, "six digits"},
		{"code as a number", "POST", "/v1/sales/current/codes", `{"code":9812}`, nil, 400, "wrong type"},
		{"codes in a list", "POST", "/v1/sales/current/codes", `{"code":["009812"]}`, nil, 400, "no list"},
		{"two codes", "POST", "/v1/sales/current/codes", `{"code":"009812","code":"009813"}`, nil, 400, "twice"},
		{"code without end", "POST", "/v1/sales/current/codes", `{"code":"` + strings.Repeat("0", 41) + `"}`, nil, 400, "six digits"},
		{"code of a payment that the client names", "POST", "/v1/sales/current/codes", `{"code":"009812","payment":"S-1"}`, nil, 400, `no field "payment"`},
		{"code without a key", "POST", "/v1/sales/current/codes", `{"code":"009812"}`, []string{"Idempotency-Key", ""}, 400, "Idempotency-Key"},
		{"camera of words", "PUT", "/v1/sales/current/request", `{"camera":"yes"}`, nil, 400, "wrong type"},
		{"camera of null", "PUT", "/v1/sales/current/request", `{"camera":null}`, nil, 400, "null"},
		{"form of nothing", "PUT", "/v1/sales/current/form", `{}`, nil, 400, "name the form"},
		{"form of signs", "PUT", "/v1/sales/current/form", `{"form":"../x"}`, nil, 400, "name the form"},
		{"form as a number", "PUT", "/v1/sales/current/form", `{"form":2}`, nil, 400, "wrong type"},
		{"form with an address that the client brings", "PUT", "/v1/sales/current/form", `{"form":"address","payload":"0x0"}`, nil, 400, `no field "payload"`},
		{"form of no such sale", "PUT", "/v1/sales/a%20b/form", `{"form":"address"}`, nil, 404, "no sale"},
		{"choice of words", "PUT", "/v1/sales/current/choice", `{"open":"yes"}`, nil, 400, "wrong type"},
		{"choice of another sale", "PUT", "/v1/sales/S99/choice", `{"open":true}`, nil, 409, "not the one"},
		{"chosen without an invitation", "POST", "/v1/choices", `{"id":"x","tender":"usdc-base"}`, nil, 409, "nothing to choose"},
		{"chosen without a key", "POST", "/v1/choices", `{"id":"x","tender":"usdc-base"}`, []string{"Idempotency-Key", ""}, 400, "Idempotency-Key"},
		{"chosen with an amount", "POST", "/v1/choices", `{"id":"x","tender":"usdc-base","amount":"1"}`, nil, 400, `no field "amount"`},
		{"QR that the client brings", "PUT", "/v1/sales/current/request", `{"camera":true,"qr":"lnbc1"}`, nil, 400, `no field "qr"`},
		{"decision about signs", "POST", "/v1/refunds/S1-1/decisions", `{"as":"as sale","came":"1\u00002"}`, nil, 400, "plain letters"},
		{"decision about money without end", "POST", "/v1/refunds/S1-1/decisions", `{"as":"as sale","came":"` + strings.Repeat("9", maxCame+1) + `"}`, nil, 400, "plain letters"},
		{"decision about a number", "POST", "/v1/refunds/S1-1/decisions", `{"as":"as sale","came":5800}`, nil, 400, "wrong type"},
		{"no such route", "GET", "/v1/refunds", "", nil, 404, "nothing at this address"},
		{"no such method", "PUT", "/v1/sales", `{}`, nil, 405, "cannot be done"},
		{"odd case of a route", "GET", "/V1/sales", "", nil, 404, "nothing"},
		{"escape from the files", "GET", "/..%2f..%2fweb.go", "", nil, 404, "nothing"},
		{"role of a king", "POST", "/v1/staff", `{"name":"Eve","role":"king","pin":"6666"}`, nil, 400, "role"},
		{"PIN without end", "POST", "/v1/staff", `{"name":"Eve","role":"cashier","pin":"` + strings.Repeat("6", 100) + `"}`, nil, 400, "PIN"},
		{"head office by ftp", "POST", "/v1/enrolments", `{"url":"ftp://x","code":"OFFICE"}`, nil, 400, "https://"},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := &till{TB: t, app: k.app, url: k.url, token: k.token}
			r := k.want(row.status, row.method, row.path, row.body, row.heads...)
			if got := r.field("detail"); !strings.Contains(got, row.detail) {
				t.Errorf("detail %q, want %q in it", got, row.detail)
			}
			if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("media type %q", got)
			}
			if strings.Contains(string(r.body), "json:") || strings.Contains(string(r.body), "Go ") {
				t.Errorf("the decoder's own text leaks: %s", r.body)
			}
		})
	}
	if n := len(k.desk.Asked()); n != asked {
		t.Errorf("%d bad commands reached the desk: %+v", n-asked, k.desk.Asked()[asked:])
	}
}

func amount(minor string, decimals int, currency string) string {
	return fmt.Sprintf(`{"price":{"minor":%q,"decimals":%d,"currency":%q}}`, minor, decimals, currency)
}

// TestTooLarge posts more than any command needs. fasthttp may close before it
// has read all of it, so the answer may be lost (fasthttp#1348).
func TestTooLarge(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	req, _ := http.NewRequestWithContext(t.Context(), "POST", k.url+"/v1/sales/current/lines", strings.NewReader(`{"name":"`+strings.Repeat("x", 4*bodyLimit)+`"}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+k.token)
	res, err := http.DefaultClient.Do(req)
	if err == nil {
		res.Body.Close()
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("got %d", res.StatusCode)
		}
	}
	if n := len(k.desk.Asked()); n != 0 {
		t.Errorf("%d commands reached the desk", n)
	}
}

// TestStrangers tries every route that needs somebody, as nobody: without a
// token, with a made-up one, and with one that has ended.
func TestStrangers(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	old := k.token
	k.want(204, "DELETE", "/v1/sessions/current", "")
	fill := strings.NewReplacer(":sale", "current", ":line", "1", ":payment", "P-1", ":notice", "1")
	var public []string
	for _, r := range k.app.routes() {
		if r.need == "" {
			public = append(public, r.method+" "+r.path)
			continue
		}
		for _, token := range []string{"", "made-up", old} {
			k.token = token
			got := k.want(401, r.method, fill.Replace(r.path), bodyOf(r))
			if got.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s: no WWW-Authenticate", r.method, r.path)
			}
		}
	}
	const open = "POST /v1/sessions,GET /v1/staff,POST /v1/set-ups,GET /v1/words,POST /v1/choices,GET /v1/view,GET /v1/events,GET /display.png,GET /openapi.json,GET /healthz"
	if got := strings.Join(public, ","); got != open {
		t.Errorf("open to everybody: %s, want %s", got, open)
	}
	if asked := k.desk.Asked(); len(asked) != 0 {
		t.Errorf("a stranger's commands reached the desk: %+v", asked)
	}
	k.token = ""
	for _, path := range []string{"/v1/view", "/v1/staff"} {
		if got := string(k.want(200, "GET", path, "").body); strings.Contains(got, "counter") || strings.Contains(got, "owner") {
			t.Errorf("%s tells a stranger %s", path, got)
		}
	}
}

func bodyOf(r route) string {
	if r.in == nil {
		return ""
	}
	return "{}"
}

// TestRoles lets a cashier do what a cashier may, and no more.
func TestRoles(t *testing.T) {
	k := serve(t)
	k.signIn("p2", "2222")
	for _, row := range []struct{ name, path, body string }{
		{"add staff", "/v1/staff", `{"name":"Eve","role":"cashier","pin":"6666"}`},
		{"enrol", "/v1/enrolments", `{"url":"https://evil.example.com","code":"OFFICE"}`},
		{"go on despite doubt", "/v1/sales/current/payments/S-1/cancellations", `{"despite":true}`},
	} {
		k.want(403, "POST", row.path, row.body)
	}
	if len(k.staff.Names()) != 2 || len(k.desk.Asked()) != 0 {
		t.Error("something was done all the same")
	}
	k.staff.Put("Mia", pos.Manager, "3333")
	k.signIn("p3", "3333")
	k.want(403, "POST", "/v1/staff", `{"name":"Eve","role":"owner","pin":"6666"}`)
	k.want(201, "POST", "/v1/staff", `{"name":"Eve","role":"cashier","pin":"6666"}`)
}

// TestOtherSites refuses what another site's page makes a browser send, and names
// that somebody's DNS may point here.
func TestOtherSites(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	host := strings.TrimPrefix(k.url, "http://")
	for _, row := range []struct {
		name   string
		status int
		heads  []string
	}{
		{"own page", 201, []string{"Sec-Fetch-Site", "same-origin", "Origin", k.url}},
		{"typed by hand", 201, []string{"Sec-Fetch-Site", "none"}},
		{"program", 201, nil},
		{"old browser, own page", 201, []string{"Origin", k.url}},
		{"another site", 403, []string{"Sec-Fetch-Site", "cross-site"}},
		{"another host of the site", 403, []string{"Sec-Fetch-Site", "same-site"}},
		{"old browser, another site", 403, []string{"Origin", "https://evil.example.com"}},
		{"old browser, another port", 403, []string{"Origin", "http://127.0.0.1:1"}},
		{"page without an origin", 403, []string{"Origin", "null"}},
		{"name of another", 421, []string{"Host", "evil.example.com"}},
		{"name of another, our port", 421, []string{"Host", "evil.example.com:" + host[strings.LastIndex(host, ":")+1:]}},
		{"number that is a name", 421, []string{"Host", "127.0.0.1.evil.example.com"}},
		{"name of the network", 201, []string{"Host", "till.local"}},
		{"one word", 201, []string{"Host", "till:8080"}},
		{"address of six", 201, []string{"Host", "[fe80::1]:8080"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := &till{TB: t, app: k.app, url: k.url, token: k.token}
			k.want(row.status, "POST", "/v1/sales", "{}", row.heads...)
		})
	}
	named := serve(t, func(o *Options) { o.Hosts = []string{"till.example.com"} })
	named.want(200, "GET", "/healthz", "", "Host", "Till.Example.com:80")
	k.want(421, "GET", "/v1/view", "", "Host", "evil.example.com") // reading counts too
}

// TestKeysAreCopied posts three keys over one connection. fiber lends its strings:
// a key that is kept without a copy becomes the next request's.
func TestKeysAreCopied(t *testing.T) {
	k := open(t)
	who := k.staff.Names()[0]
	k.token = k.app.sessions.start(who)
	client, server := net.Pipe()
	defer client.Close()
	k.app.fiber.Handler()
	go func() { _ = k.app.fiber.Server().ServeConn(server) }() // ends with the pipe
	for n := range 3 {
		body := fmt.Sprintf(`{"sku":"400%d"}`, n+1)
		req, _ := http.NewRequest("POST", "http://till/v1/sales/current/lines", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", fmt.Sprintf("key%d", n))
		req.Header.Set("Authorization", "Bearer "+k.token)
		if err := req.Write(client); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		if _, err := client.Read(buf); err != nil || !strings.HasPrefix(string(buf), "HTTP/1.1 201") {
			t.Fatalf("%v: %s", err, buf)
		}
	}
	var keys, skus []string
	for _, c := range k.desk.Asked() {
		keys, skus = append(keys, c.Key), append(skus, c.Do.(pos.AddItem).SKU)
	}
	if got := fmt.Sprint(keys, skus); got != "[key0 key1 key2] [4001 4002 4003]" {
		t.Errorf("the desk keeps %s", got)
	}
}

// TestOnce repeats requests under their keys: each happens once and is answered
// alike; the same key with another body is refused.
func TestOnce(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	for _, row := range []struct {
		name, path, body, other string
		count                   func() int
	}{
		{"the desk's", "/v1/drawer-openings", `{"reason":"change"}`, `{"reason":"check"}`, func() int { return len(k.desk.Drawers()) }},
		{"the staff's", "/v1/staff", `{"name":"Eve","role":"cashier","pin":"6666"}`, `{"name":"Eva","role":"cashier","pin":"6666"}`, func() int { return len(k.staff.Names()) - 2 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			key := []string{"Idempotency-Key", "again-" + row.name[4:8]}
			first := k.want(201, "POST", row.path, row.body, key...)
			second := k.want(201, "POST", row.path, row.body, key...)
			if string(first.body) != string(second.body) || row.count() != 1 {
				t.Errorf("%s then %s, done %d times", first.body, second.body, row.count())
			}
			k.want(409, "POST", row.path, row.other, key...)
		})
	}
	// What failed changed nothing, so its key is still good.
	k.want(403, "POST", "/v1/enrolments", `{"url":"https://office.example.com","code":"WRONG"}`, "Idempotency-Key", "enrol-1")
	k.want(201, "POST", "/v1/enrolments", `{"url":"https://office.example.com","code":"OFFICE"}`, "Idempotency-Key", "enrol-1")
}

// TestDeskErrors maps every kind to its status, and lets no cause out.
func TestDeskErrors(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	secret := fmt.Errorf("dial tcp 10.0.0.7:8080: refused")
	for kind, want := range status {
		k.desk.Refuse(pos.Wrap("pay", kind, secret, "words for %s", kind))
		r := k.want(want, "POST", "/v1/sales", "{}")
		if got := r.field("detail"); got != "words for "+kind.String() || r.field("type") != "/problems/"+kind.String() || r.field("title") == "" {
			t.Errorf("%s: got %s", kind, r.body)
		}
		if strings.Contains(string(r.body), "10.0.0.7") {
			t.Errorf("%s: the cause leaks: %s", kind, r.body)
		}
		if wait := r.Header.Get("Retry-After"); (want == 429 || want == 503) != (wait != "") {
			t.Errorf("%s: Retry-After %q", kind, wait)
		}
	}
	k.desk.Refuse(secret) // one without a kind
	if r := k.want(500, "POST", "/v1/sales", "{}"); strings.Contains(string(r.body), "10.0.0.7") {
		t.Errorf("the cause leaks: %s", r.body)
	}
	k.desk.Refuse(fmt.Errorf("do: %w", errDeadline))
	if r := k.want(503, "POST", "/v1/sales", "{}"); !strings.Contains(r.field("detail"), "nothing is done twice") {
		t.Errorf("got %s", r.body)
	}
	if !strings.Contains(k.log.String(), "10.0.0.7") {
		t.Error("the cause is not in the log")
	}
}

// TestReading walks what can be read: pages of sales and items, one sale, a
// receipt, words, the till's health; and files that the browser has already.
func TestReading(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	for n := range 5 {
		sale := k.want(201, "POST", "/v1/sales/current/lines", `{"price":`+price+`,"name":"Tea","qty":2000,"tax":"B"}`).field("sale")
		if n == 0 {
			k.want(200, "PATCH", "/v1/sales/"+sale+"/lines/1", `{"qty":3000}`)
			k.want(200, "GET", "/v1/sales/current", "")
			k.want(409, "GET", "/v1/sales/"+sale+"/receipt", "")
			k.want(409, "GET", "/v1/sales/current/receipt", "")
		}
		k.want(201, "POST", "/v1/sales/"+sale+"/payments", `{"tender":"lightning"}`)
		k.desk.Move("", pos.Settle)
		k.want(200, "GET", "/v1/sales/"+sale, "")
		k.want(200, "GET", "/v1/sales/"+sale+"/receipt", "")
		k.want(201, "POST", "/v1/next-customer", `{}`)
	}
	k.want(404, "GET", "/v1/sales/current", "")
	pages, cursor := 0, ""
	for {
		r := k.want(200, "GET", "/v1/sales?limit=2"+cursor, "")
		if pages++; r.field("next") == "" {
			break
		}
		cursor = "&cursor=" + r.field("next")
	}
	if pages != 3 {
		t.Errorf("5 sales came in %d pages of 2", pages)
	}
	seen := 0
	for cursor = ""; ; {
		r := k.want(200, "GET", "/v1/items?limit=10"+cursor, "")
		seen += strings.Count(string(r.body), `"sku"`)
		if r.field("next") == "" {
			break
		}
		cursor = "&cursor=" + r.field("next")
	}
	if seen != len(k.app.o.Items) {
		t.Errorf("%d items of %d", seen, len(k.app.o.Items))
	}
	for _, path := range []string{"/", "/display", "/setup", "/paper", "/till.js", "/elements/cart.js", "/display.png", "/paper.png", "/v1/words", "/v1/words?language=de", "/openapi.json", "/v1/items"} {
		r := k.want(200, "GET", path, "")
		tag := r.Header.Get("ETag")
		if len(tag) < 10 || strings.HasPrefix(tag, "W/") {
			t.Errorf("%s has the ETag %q", path, tag)
		}
		if again := k.want(304, "GET", path, "", "If-None-Match", `"x", `+tag); len(again.body) != 0 {
			t.Errorf("%s came again", path)
		}
		k.want(200, "GET", path, "", "If-None-Match", `"other"`)
		if got := r.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
			t.Errorf("%s has the policy %q", path, got)
		}
	}
	k.want(200, "GET", "/healthz", "")
	k.want(200, "GET", "/v1/view", "")
}

// TestShutdown stops the server while a screen follows events. It must not take
// the whole time it is given.
func TestShutdown(t *testing.T) {
	k := open(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- k.app.Serve(ln) }()
	res, err := http.Get("http://" + ln.Addr().String() + "/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := k.app.Shutdown(shutWithin); err != nil {
		t.Errorf("the stream held the till: %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// TestShutdownFirst stops a server that does not serve yet: Serve then ends at once,
// closes its listener, and answers nobody.
func TestShutdownFirst(t *testing.T) {
	k := open(t)
	if err := k.app.Shutdown(shutWithin); err != nil {
		t.Errorf("shut down: %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := k.app.Serve(ln); err != nil {
		t.Errorf("serve: %v", err)
	}
	if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		c.Close()
		t.Error("somebody still listens")
	}
}

// lateListener tells of its first Accept, which fasthttp does after it has taken note
// of the listener, and of its Addr, which comes before.
type lateListener struct {
	net.Listener
	before chan struct{} // closed at Addr
	go_    chan struct{} // Addr returns when it is closed
	once   sync.Once
}

func (l *lateListener) Addr() net.Addr {
	l.once.Do(func() { close(l.before) })
	<-l.go_
	return l.Listener.Addr()
}

// TestShutdownBetween stops a server between the beginning of Serve and the moment
// in which fasthttp knows of the listener.
func TestShutdownBetween(t *testing.T) {
	k := open(t)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := &lateListener{Listener: inner, before: make(chan struct{}), go_: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- k.app.Serve(ln) }()
	<-ln.before
	if err := k.app.Shutdown(shutWithin); err != nil {
		t.Errorf("shut down: %v", err)
	}
	close(ln.go_)
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
}
