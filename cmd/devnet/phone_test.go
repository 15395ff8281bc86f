package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// fakeOffice is the back office as OFFPAY-1 specifies it: payRequest, callback, and
// "already paid" afterwards. What it says can be changed.
type fakeOffice struct {
	t    *testing.T
	base string

	mu       sync.Mutex
	request  map[string]any
	payment  map[string]any
	ask, pay http.HandlerFunc // instead of the two
	asks     int
	amount   string // that the callback got
	paid     bool
}

const metadata = `[["text/plain","Café \"Aurora\" - 2.90 EUR - #0417"]]`

func newOffice(t *testing.T, f *fakeNode) *fakeOffice {
	t.Helper()
	o := &fakeOffice{t: t}
	s := httptest.NewServer(o)
	t.Cleanup(s.Close)
	o.base = s.URL
	o.request = map[string]any{"tag": "payRequest", "callback": o.url() + "/cb", "minSendable": 1_000_000, "maxSendable": 1_000_000, "metadata": metadata}
	o.payment = map[string]any{
		"pr": "lnsb1qh", "routes": []string{}, "disposable": true, "verify": o.url() + "/verify/9fbe",
		"successAction": map[string]string{"tag": "url", "description": "Show the code to the cashier", "url": o.url()},
	}
	sum := sha256.Sum256([]byte(metadata))
	f.hash = hex.EncodeToString(sum[:])
	f.send = `{"result":{"status":"SUCCEEDED","value_msat":"1000000","payment_preimage":"` + aesPreimage + `"}}`
	return o
}

func (o *fakeOffice) url() string { return o.base + "/o/AaGy" }

func (o *fakeOffice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.Method != http.MethodGet || strings.Contains(r.Header.Get("Accept"), "html") {
		o.t.Errorf("a wallet sends %s and accepts %s", r.Method, r.Header.Get("Accept"))
	}
	out := o.request
	switch r.URL.Path {
	case "/o/AaGy":
		o.asks++
		if o.ask != nil {
			o.ask(w, r)
			return
		}
	case "/o/AaGy/cb":
		o.amount = r.URL.RawQuery
		if o.pay != nil {
			o.pay(w, r)
			return
		}
		out = o.payment
	default:
		o.t.Errorf("it was asked for %s", r.URL)
	}
	if o.paid {
		out = map[string]any{"status": "ERROR", "reason": "Already paid. " + o.url()}
	}
	_ = json.NewEncoder(w).Encode(out)
}

// Goal: the main job. What is on the display is listed with what it asks; paying it
// pays the invoice of exactly that; what follows is shown, then and afterwards.
func TestPhone(t *testing.T) {
	h, a, f := api(t)
	o := newOffice(t, f)
	qr := encodeLNURL(o.url())
	a.shown = func(context.Context) string { return qr }
	list := func() Invoice {
		t.Helper()
		var out struct{ Invoices []Invoice }
		w := ask(h, "GET", "/v1/invoices", "")
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || len(out.Invoices) != 1 {
			t.Fatalf("%v in %s", err, w.Body)
		}
		return out.Invoices[0]
	}
	in := list()
	if in.Text != qr || in.Sat != "1000" || in.Msat != "1000000" || in.Description != `Café "Aurora" - 2.90 EUR - #0417` || !in.Shown || in.URL != o.url() || in.Trouble != "" || in.Paid != nil {
		t.Fatalf("listed as %+v", in)
	}
	list()
	if o.asks != 1 {
		t.Errorf("two looks at the list asked %d times", o.asks)
	}
	w := ask(h, "POST", "/v1/payments", fmt.Sprintf(`{"invoice":%q,"amount_msat":"1000000"}`, in.Text))
	var out Outcome
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || !out.OK || out.Action == nil || *out.Action != (Action{Tag: "url", Description: "Show the code to the cashier", URL: o.url()}) {
		t.Fatalf("got %s, %v", w.Body, err)
	}
	if o.amount != "amount=1000000" || len(f.sent) != 1 || f.sent[0]["payment_request"] != "lnsb1qh" {
		t.Errorf("asked for %s and sent %v", o.amount, f.sent)
	}
	o.paid = true
	if in = list(); in.Paid == nil || in.Paid.URL != o.url() || in.Sat != "1000" || in.Description == "" || !in.Shown {
		t.Errorf("afterwards it is listed as %+v", in)
	}
	if w := ask(h, "GET", "/v1/wallet", ""); !strings.Contains(w.Body.String(), `"url":"`+o.url()) {
		t.Errorf("the wallet's list has no way to the code: %s", w.Body)
	}
	if strings.Contains(w.Body.String(), aesPreimage) {
		t.Error("the preimage got out")
	}
}

// Goal: whatever a server answers in place of what LUD-06, 09 and 10 say, nothing is
// paid, and the customer reads why.
func TestPhoneHostile(t *testing.T) {
	say := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		}
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it followed a redirect") }))
	defer elsewhere.Close()
	redirect := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }
	huge := strings.Repeat(" ", phoneLimit) + "{}"
	request := func(key string, value any) func(*fakeOffice, *fakeNode) {
		return func(o *fakeOffice, _ *fakeNode) { o.request[key] = value }
	}
	payment := func(key string, value any) func(*fakeOffice, *fakeNode) {
		return func(o *fakeOffice, _ *fakeNode) { o.payment[key] = value }
	}
	action := func(a map[string]string) func(*fakeOffice, *fakeNode) { return payment("successAction", a) }
	for _, c := range []struct {
		name   string
		change func(*fakeOffice, *fakeNode)
		want   string
	}{
		{"error", func(o *fakeOffice, _ *fakeNode) {
			o.ask = say(200, `{"status":"ERROR","reason":"Ask the cashier for a new one."}`)
		}, "Ask the cashier for a new one."},
		{"error with a status", func(o *fakeOffice, _ *fakeNode) { o.ask = say(400, `{"status":"error","reason":"No more."}`) }, "No more."},
		{"error without a reason", func(o *fakeOffice, _ *fakeNode) { o.ask = say(200, `{"status":"ERROR"}`) }, "without a reason"},
		{"error of a novel", func(o *fakeOffice, _ *fakeNode) {
			o.ask = say(200, `{"status":"ERROR","reason":"`+strings.Repeat("ä", 5000)+`"}`)
		}, strings.Repeat("ä", wordsMax) + "…"},
		{"error at the callback", func(o *fakeOffice, _ *fakeNode) {
			o.pay = say(200, `{"status":"ERROR","reason":"The price has changed."}`)
		}, "The price has changed."},
		{"page", func(o *fakeOffice, _ *fakeNode) { o.ask = say(200, "<!doctype html>") }, "nothing that a wallet understands"},
		{"page at the callback", func(o *fakeOffice, _ *fakeNode) { o.pay = say(404, "<!doctype html>") }, "nothing that a wallet understands (HTTP 404)"},
		{"nothing", func(o *fakeOffice, _ *fakeNode) { o.ask = say(200, "") }, "nothing that a wallet understands"},
		{"good words, bad status", func(o *fakeOffice, _ *fakeNode) { o.ask = say(500, `{"tag":"payRequest"}`) }, "HTTP 500"},
		{"redirect", func(o *fakeOffice, _ *fakeNode) { o.ask = redirect }, "somewhere else"},
		{"redirect at the callback", func(o *fakeOffice, _ *fakeNode) { o.pay = redirect }, "somewhere else"},
		{"huge", func(o *fakeOffice, _ *fakeNode) { o.ask = say(200, huge) }, "far more"},
		{"huge at the callback", func(o *fakeOffice, _ *fakeNode) { o.pay = say(200, huge) }, "far more"},
		{"hangs up", func(o *fakeOffice, _ *fakeNode) {
			o.ask = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		}, "does not answer"},
		{"breaks off", func(o *fakeOffice, _ *fakeNode) {
			o.ask = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				fmt.Fprint(w, "{")
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
		}, "broke off"},
		{"wants to give money", request("tag", "withdrawRequest"), "something else than a payment"},
		{"wants to log in", request("tag", "login"), "something else than a payment"},
		{"sum as text", request("minSendable", "1000000"), "nothing that a wallet understands"},
		{"fraction", request("minSendable", 1000000.5), "nothing that a wallet understands"},
		{"nothing to pay", request("minSendable", 0), "impossible sum"},
		{"negative", request("minSendable", -5), "impossible sum"},
		{"least above most", request("maxSendable", 999_999), "impossible sum"},
		{"open sum", request("maxSendable", 2_000_000), "sum open"},
		{"another sum than shown", func(o *fakeOffice, _ *fakeNode) {
			o.request["minSendable"], o.request["maxSendable"] = 1_000_001, 1_000_001
		}, "it asks for 1000.001 sat now, and not for 1000"},
		{"callback elsewhere", request("callback", "https://evil.example/cb"), "names no address to pay at"},
		{"callback to a file", request("callback", "file:///etc/passwd"), "names no address to pay at"},
		{"no callback", request("callback", ""), "names no address to pay at"},
		{"no metadata", request("metadata", ""), "description cannot be read"},
		{"metadata not in text", request("metadata", []any{[]string{"text/plain", "x"}}), "nothing that a wallet understands"},
		{"metadata without text", request("metadata", `[["image/png;base64","xx"]]`), "description cannot be read"},
		{"metadata with two texts", request("metadata", `[["text/plain","a"],["text/plain","b"]]`), "description cannot be read"},
		{"metadata of numbers", request("metadata", `[["text/plain",5]]`), "description cannot be read"},
		{"no invoice", payment("pr", ""), "no invoice"},
		{"invoice of real money", payment("pr", "lnbc1qh"), "real bitcoin"},
		{"damaged invoice", payment("pr", "lnsb1x"), "damaged"},
		{"LNURL for an invoice", payment("pr", "lnurl1q"), "LNURL"},
		{"invoice of another sum", payment("pr", "lnsb1z"), "asked for 1000 sat, and its invoice for 1234.567"},
		{"invoice without the description's hash", payment("pr", "lnsb1qa"), "something else than what was shown"},
		{"invoice of other words", func(_ *fakeOffice, f *fakeNode) { f.hash = strings.Repeat("0", 64) }, "something else than what was shown"},
		{"expired invoice", func(o *fakeOffice, f *fakeNode) { o.payment["pr"] = "lnsb1p" }, "something else than what was shown"},
		{"expired invoice of these words", func(o *fakeOffice, f *fakeNode) { o.payment["pr"] = "lnsb1ph" }, "expired"},
		{"unknown action", action(map[string]string{"tag": "run"}), "does not know"},
		{"action elsewhere", action(map[string]string{"tag": "url", "url": "https://evil.example/"}), "somewhere else"},
		{"action to another port", action(map[string]string{"tag": "url", "url": elsewhere.URL}), "somewhere else"},
		{"action as text", payment("successAction", "url"), "nothing that a wallet understands"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, n := newFakeNode(t)
			o := newOffice(t, f)
			c.change(o, f)
			w := &Wallet{node: n, shop: n}
			out, err := w.Pay(t.Context(), encodeLNURL(o.url()), 1_000_000)
			if err != nil || out.OK || !strings.Contains(out.Reason, c.want) || len(out.Reason) > 1000 {
				t.Errorf("got %+v, %v, want %q", out, err, c.want)
			}
			if len(f.sent) > 0 {
				t.Errorf("it paid: %v", f.sent)
			}
		})
	}
}

// Goal: whatever a name resolves to, the phone dials nobody but this computer; the
// refusal comes before anything is sent.
func TestPhoneDials(t *testing.T) {
	for _, at := range []string{"http://192.0.2.1/", "http://[2001:db8::1]/", "http://0.0.0.0:9/", "http://[::ffff:192.0.2.1]/"} {
		resp, err := phoneClient.Get(at)
		if err == nil {
			resp.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "its own computer only") {
			t.Errorf("%s: got %v", at, err)
		}
	}
}

// Goal: what opens with the payment opens, and only then.
func TestPhoneSecret(t *testing.T) {
	f, n := newFakeNode(t)
	o := newOffice(t, f)
	o.payment["successAction"] = map[string]string{"tag": "aes", "description": "Show it", "iv": aesIV, "ciphertext": aesCipher}
	o.request["callback"] = o.url() + "/cb?x=1"
	w := &Wallet{node: n, shop: n}
	paid := f.send
	f.send = `{"result":{"status":"FAILED","failure_reason":"FAILURE_REASON_NO_ROUTE"}}`
	if out, err := w.Pay(t.Context(), o.url(), 0); err != nil || out.OK || out.Action != nil {
		t.Errorf("unpaid: %+v, %v", out, err)
	}
	f.send = paid
	out, err := w.Pay(t.Context(), o.url(), 0)
	if err != nil || !out.OK || out.Action == nil || out.Action.Message != aesText || out.Action.Ciphertext != "" {
		t.Errorf("paid: %+v, %+v, %v", out, out.Action, err)
	}
	if o.amount != "x=1&amount=1000000" {
		t.Errorf("the callback got %s", o.amount)
	}
}

// Goal: a request that cannot be paid is listed with its server's own words, and is
// asked for again; the list does not need the shop's node for it.
func TestPhoneTrouble(t *testing.T) {
	h, a, f := api(t)
	o := newOffice(t, f)
	o.paid = true // from another wallet
	a.shown = func(context.Context) string { return o.url() }
	a.wallet.shop = &Node{name: "shop", dir: t.TempDir(), ports: &nodePorts{}}
	w := ask(h, "GET", "/v1/invoices", "")
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"trouble":"Already paid. `+o.url()) || strings.Contains(w.Body.String(), `"expires"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	a.shown = func(context.Context) string { return "https://pay.example.com/o/x" }
	if w := ask(h, "GET", "/v1/invoices", ""); !strings.Contains(w.Body.String(), "its own computer only") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	a.shown = func(context.Context) string { return "" }
	if w := ask(h, "GET", "/v1/invoices", ""); w.Code != http.StatusBadGateway {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	for text, want := range map[string]string{o.url(): "Already paid", "lightning:" + encodeLNURL("http://127.0.0.1:1/o/x"): "127.0.0.1:1 does not answer"} {
		w := ask(h, "POST", "/v1/invoices/decode", fmt.Sprintf(`{"invoice":%q}`, text))
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s", text, w.Code, w.Body)
		}
	}
}
