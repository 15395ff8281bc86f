package web

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// till is a whole web server over a desk made of code.
type till struct {
	testing.TB
	app   *App
	desk  *webtest.Desk
	staff *webtest.Staff
	url   string
	token string // of who is signed in; empty is a stranger
	log   *bytes.Buffer
}

const ownerPIN = "1234"

// open makes a till without a listener, for tests in a bubble.
func open(t testing.TB, change ...func(*Options)) *till {
	t.Helper()
	k := &till{TB: t, desk: webtest.NewDesk(webtest.Shop("en"), webtest.Items()), staff: webtest.NewStaff(), log: new(bytes.Buffer)}
	k.staff.Put("Anna", pos.Owner, ownerPIN)
	k.staff.Put("Ben", pos.Cashier, "2222")
	display := webtest.NewPicture()
	o := Options{
		Desk: k.desk, Staff: k.staff, Items: webtest.Items(), Shop: webtest.Shop("en"), Display: display, Paper: webtest.NewPicture(),
		Enroller: webtest.Enroller{Code: "OFFICE"}, Version: "1.2.3", Log: slog.New(slog.NewTextHandler(k.log, nil)),
	}
	for _, f := range change {
		f(&o)
	}
	k.app = New(o)
	k.desk.Publish = func(v pos.View) {
		display.Publish(v)
		k.app.Publish(v)
	}
	return k
}

// shutWithin bounds what stops at once, on a computer that has other things to do.
const shutWithin = time.Minute

// serve makes a till that listens on a port of its own.
func serve(t testing.TB, change ...func(*Options)) *till {
	t.Helper()
	return serveOn(t, func(ln net.Listener) net.Listener { return ln }, change...)
}

// serveOn is serve with a listener that wrap makes of the port's own.
func serveOn(t testing.TB, wrap func(net.Listener) net.Listener, change ...func(*Options)) *till {
	t.Helper()
	k := open(t, change...)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k.url = "http://" + ln.Addr().String()
	done := make(chan error, 1)
	go func() { done <- k.app.Serve(wrap(ln)) }()
	t.Cleanup(func() {
		if err := k.app.Shutdown(shutWithin); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return k
}

// reply is an answer, read whole.
type reply struct {
	*http.Response
	body []byte
}

func (r reply) field(name string) string {
	var m map[string]any
	_ = json.Unmarshal(r.body, &m)
	s, _ := m[name].(string)
	return s
}

// ask sends one request. body is JSON, "" for none; heads are pairs of name and
// value that win over what ask sets itself.
func (k *till) ask(method, path, body string, heads ...string) reply {
	k.Helper()
	req, err := http.NewRequestWithContext(k.Context(), method, k.url+path, strings.NewReader(body))
	if err != nil {
		k.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPost {
		req.Header.Set("Idempotency-Key", "key-"+method+path+time.Now().Format("150405.000000000"))
		if len(req.Header.Get("Idempotency-Key")) > pos.MaxKey {
			req.Header.Set("Idempotency-Key", "key-"+time.Now().Format("150405.000000000"))
		}
	}
	if k.token != "" {
		req.Header.Set("Authorization", "Bearer "+k.token)
	}
	for i := 0; i < len(heads); i += 2 {
		if heads[i] == "Host" {
			req.Host = heads[i+1]
		} else if req.Header.Set(heads[i], heads[i+1]); heads[i+1] == "" {
			req.Header.Del(heads[i])
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		k.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		k.Fatal(err)
	}
	out := reply{res, b}
	k.check(method, path, out)
	return out
}

// want is ask with a status that must come back.
func (k *till) want(code int, method, path, body string, heads ...string) reply {
	k.Helper()
	r := k.ask(method, path, body, heads...)
	if r.StatusCode != code {
		k.Fatalf("%s %s %s: got %d %s, want %d", method, path, body, r.StatusCode, r.body, code)
	}
	return r
}

// signIn makes k speak for somebody.
func (k *till) signIn(id, pin string) {
	k.Helper()
	k.token = k.want(201, "POST", "/v1/sessions", `{"actor":"`+id+`","pin":"`+pin+`","bearer":true}`).field("token")
}

// TestSell walks the shortest day: sign in, two items, exact cash.
func TestSell(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	k.want(201, "POST", "/v1/sales/current/lines", `{"sku":"4001"}`)
	sale := k.want(201, "POST", "/v1/sales/current/lines", `{"price":{"minor":"1250","decimals":2,"currency":"EUR"}}`).field("sale")
	k.want(201, "POST", "/v1/sales/"+sale+"/payments", `{"tender":"cash"}`)
	if done := k.desk.Done(); len(done) != 1 || string(done[0].ID) != sale {
		t.Errorf("got %+v", done)
	}
	got := k.want(200, "GET", "/v1/sales/"+sale+"/receipt", "")
	if got.field("number") != "01-000001" {
		t.Errorf("got %s", got.body)
	}
}

func webtestEUR(minor int64) pos.Amount { return pos.Currency{Code: "EUR", Decimals: 2}.Of(minor) }
