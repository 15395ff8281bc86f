package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// api returns the interface over a fake node; the nodes are ready.
func api(t *testing.T) (http.Handler, *API, *fakeNode) {
	t.Helper()
	f, n := newFakeNode(t)
	p := NewProgress()
	p.Ready()
	a := &API{
		nodes: &Nodes{progress: p, tillConn: "type=lnd-rest;server=x", shop: n, cust: n}, line: newLine(t, nil), wallet: &Wallet{node: n, shop: n},
		shown: func(context.Context) string { return "" },
	}
	return a.Handler(), a, f
}

// ask sends a request; header is pairs. Host is a loopback name unless it is set.
func ask(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8082"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Goal: what is not exactly right is refused, with a problem that says why, and
// nothing is paid.
func TestStrict(t *testing.T) {
	h, _, f := api(t)
	f.send = `{"result":{"status":"SUCCEEDED"}}`
	const pay = `{"invoice":"lnsb1q","amount_msat":""}`
	for _, c := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
	}{
		{"no such path", "GET", "/v1/none", "", nil, 404},
		{"no such page", "GET", "/etc/passwd", "", nil, 404},
		{"no listing", "GET", "/page/", "", nil, 404},
		{"wrong method", "GET", "/v1/payments", "", nil, 405},
		{"delete", "DELETE", "/v1/wallet", "", nil, 405},
		{"post to a page", "POST", "/wallet.js", "{}", nil, 405},
		{"form", "POST", "/v1/payments", pay, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{"plain text", "POST", "/v1/payments", pay, []string{"Content-Type", "text/plain"}, 415},
		{"no type", "POST", "/v1/payments", "", nil, 415},
		{"unknown field", "POST", "/v1/payments", `{"invoice":"lnsb1q","amount":"1"}`, nil, 400},
		{"two values", "POST", "/v1/payments", pay + "{}", nil, 400},
		{"no JSON", "POST", "/v1/payments", "lnsb1q", nil, 400},
		{"amount as a number", "POST", "/v1/payments", `{"invoice":"lnsb1q","amount_msat":5}`, nil, 400},
		{"negative amount", "POST", "/v1/payments", `{"invoice":"lnsb1q","amount_msat":"-5"}`, nil, 400},
		{"fraction", "POST", "/v1/payments", `{"invoice":"lnsb1q","amount_msat":"1.5"}`, nil, 400},
		{"zero", "POST", "/v1/payments", `{"invoice":"lnsb1q","amount_msat":"0"}`, nil, 400},
		{"huge amount", "POST", "/v1/payments", `{"invoice":"lnsb1q","amount_msat":"9223372036854775808"}`, nil, 400},
		{"large body", "POST", "/v1/payments", `{"invoice":"` + strings.Repeat("q", bodyLimit) + `"}`, nil, 413},
		{"no state of the line", "POST", "/v1/line", `{"state":"slow"}`, nil, 400},
		{"line by another site", "POST", "/v1/line", `{"state":"cut"}`, []string{"Origin", "http://evil.example"}, 403},
		{"line by a link", "GET", "/v1/line", "", nil, 405},
		{"no blocks", "POST", "/v1/blocks", `{"count":0}`, nil, 400},
		{"too many blocks", "POST", "/v1/blocks", `{"count":1001}`, nil, 400},
		{"no such node", "POST", "/v1/nodes/bank/stop", "", nil, 404},
		{"no such action", "POST", "/v1/nodes/shop/explode", "", nil, 404},
		{"LNURL of another computer", "POST", "/v1/invoices/decode", `{"invoice":"https://pay.example.com/o/x"}`, nil, 422},
		{"bad invoice to decode", "POST", "/v1/invoices/decode", `{"invoice":"lnbc1"}`, nil, 422},
		{"other site", "POST", "/v1/payments", pay, []string{"Origin", "http://evil.example"}, 403},
		{"other port", "POST", "/v1/payments", pay, []string{"Origin", "http://127.0.0.1:8080"}, 403},
		{"other site, by fetch metadata", "POST", "/v1/payments", pay, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"null origin", "POST", "/v1/payments", pay, []string{"Origin", "null"}, 403},
		{"foreign name", "GET", "/v1/connection", "", []string{"Host", "evil.example:8082"}, 421},
		{"name that looks local", "GET", "/v1/connection", "", []string{"Host", "localhost.evil.example"}, 421},
		{"lan address", "GET", "/", "", []string{"Host", "192.168.1.5:8082"}, 421},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ask(h, c.method, c.path, c.body, c.header...)
			if w.Code != c.status || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %s, want %d: %s", w.Code, w.Header().Get("Content-Type"), c.status, w.Body)
			}
			var p struct {
				Title, Detail string
				Status        int
			}
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Detail == "" || p.Status != c.status {
				t.Errorf("the problem is %s", w.Body)
			}
		})
	}
	if len(f.sent) > 0 {
		t.Errorf("%d payments were sent", len(f.sent))
	}
}

func TestAPI(t *testing.T) {
	h, a, f := api(t)
	f.send = `{"result":{"status":"SUCCEEDED","value_msat":"1100000"}}`
	f.open = []string{"lnsb1qa", "lnsb1qc"}
	a.shown = func(context.Context) string { return "LNSB1QA" }
	for _, c := range []struct{ name, method, path, body, want string }{
		{"status", "GET", "/v1/status", "", `"ready":true`},
		{"connection", "GET", "/v1/connection", "", `{"lnd":"type=lnd-rest;server=x"}`},
		{"line", "GET", "/v1/status", "", `"line":"up"`},
		{"cut", "POST", "/v1/line", `{"state":"cut"}`, `{"state":"cut"}`},
		{"line is cut", "GET", "/v1/status", "", `"line":"cut"`},
		{"wallet", "GET", "/v1/wallet", "", `"lightning_sat":"11999056"`},
		{"invoices", "GET", "/v1/invoices", "", `{"invoices":[{"invoice":"lnsb1qa"`},
		{"decode", "POST", "/v1/invoices/decode", `{"invoice":"LIGHTNING:LNSB1Q"}`, `"amount_msat":"1000000"`},
		{"pay", "POST", "/v1/payments", `{"invoice":"lnsb1q"}`, `{"ok":true,"preimage_hash":"9fbe"`},
		{"overpay", "POST", "/v1/payments", `{"invoice":"lnsb1q","amount_msat":"1100000"}`, `"amount_msat":"1100000"`},
		{"pay nonsense", "POST", "/v1/payments", `{"invoice":"lnbc1"}`, `{"ok":false`},
		{"page", "GET", "/", "", "<!doctype html>"},
		{"script", "GET", "/wallet.js", "", "from './parts.js'"},
		{"parts", "GET", "/parts.js", "", "fetch("},
		{"coins", "GET", "/coins.js", "", "from './parts.js'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ask(h, c.method, c.path, c.body, "Origin", "http://127.0.0.1:8082")
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("got %d %.300s, want %s", w.Code, w.Body, c.want)
			}
			if !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
				t.Error("no policy")
			}
		})
	}
}

// Goal: until the nodes are ready only the page and the status answer, and the
// status says why.
func TestNotReady(t *testing.T) {
	h, a, _ := api(t)
	a.nodes.progress.Step("building lnd 2/4")
	for path, status := range map[string]int{"/": 200, "/v1/status": 200, "/v1/wallet": 503, "/v1/connection": 503} {
		if w := ask(h, "GET", path, ""); w.Code != status {
			t.Errorf("%s: got %d, want %d", path, w.Code, status)
		}
	}
	w := ask(h, "POST", "/v1/payments", `{"invoice":"lnsb1q"}`)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "building lnd 2/4") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// Goal: where there is no till there is no line to cut.
func TestNoLine(t *testing.T) {
	h, a, _ := api(t)
	a.line = nil
	if w := ask(h, "POST", "/v1/line", `{"state":"cut"}`); w.Code != http.StatusNotFound {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/v1/status", ""); strings.Contains(w.Body.String(), `"line"`) {
		t.Errorf("got %s", w.Body)
	}
}

func TestLoopbackName(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:8082": true, "LOCALHOST:1": true, "127.0.0.1": true, "127.0.0.1:8082": true, "127.9.9.9": true,
		"[::1]:8082": true, "[::1]": true, "": false, "0.0.0.0": false, "evil": false, "127.0.0.1.evil": false, "192.168.0.1:80": false, "[::]:80": false,
	} {
		if got := loopbackName(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}

func TestListen(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.168.1.1:0", "8082", "example.com:0"} {
		if l, err := listen(addr); err == nil {
			l.Close()
			t.Errorf("it listens on %s", addr)
		}
	}
	l, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := listen(l.Addr().String()); err == nil {
		t.Error("two listen on one port")
	}
}

// TestPageOwn holds the page to what its policy allows: nothing from elsewhere,
// no script or style inside the page.
func TestPageOwn(t *testing.T) {
	entries, err := pageFiles.ReadDir("page")
	if err != nil || len(entries) < 4 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		b, err := pageFiles.ReadFile("page/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(b), "http://www.w3.org/2000/svg", "")
		for _, bad := range []string{"http://", "https://", "style=", "<style", "onclick=", "innerHTML", "@import"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s holds %s", e.Name(), bad)
			}
		}
	}
}
