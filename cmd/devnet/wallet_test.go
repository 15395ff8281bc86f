package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fakeNode is lnd's REST as far as the wallet uses it: TLS with its own
// certificate, the macaroon checked, answers as lnd v0.21.1 gives them.
type fakeNode struct {
	t    *testing.T
	sent []map[string]any // what came to /v2/router/send
	send string           // the answer there; "" hangs up
	open []string         // open invoices
	hash string           // description hash of lnsb1qh…
}

const fakeMacaroon = "0201"

// newFakeNode starts one and returns it with a Node that speaks to it.
func newFakeNode(t *testing.T) (*fakeNode, *Node) {
	t.Helper()
	f := &fakeNode{t: t}
	s := httptest.NewUnstartedServer(f)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // a refused certificate is noise here
	s.StartTLS()
	t.Cleanup(s.Close)
	n := &Node{name: "customer", dir: t.TempDir(), ports: &nodePorts{REST: portOf(t, s.URL)}}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.MkdirAll(filepath.Dir(n.macaroonFile()), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, b := range map[string][]byte{n.certFile(): cert, n.macaroonFile(): {2, 1}} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f, n
}

func portOf(t *testing.T, base string) int {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	p, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (f *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Grpc-Metadata-macaroon") != fakeMacaroon {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, `{"code":2, "message":"expected 1 macaroon, got 0", "details":[]}`)
		return
	}
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/v1/payreq/"):
		f.decode(w, strings.TrimPrefix(path, "/v1/payreq/"))
	case path == "/v2/router/send":
		f.pay(w, r)
	case path == "/v1/balance/channels":
		fmt.Fprint(w, `{"balance":"7", "local_balance":{"sat":"11999056", "msat":"11999056000"}}`)
	case path == "/v1/balance/blockchain":
		fmt.Fprint(w, `{"total_balance":"1534984999834", "confirmed_balance":"1"}`)
	case path == "/v1/invoices" && r.URL.Query().Get("pending_only") == "true":
		var list []string
		for _, pr := range f.open {
			list = append(list, `{"memo":"x", "state":"OPEN", "payment_request":"`+pr+`"}`)
		}
		fmt.Fprintf(w, `{"invoices":[%s], "last_index_offset":"1"}`, strings.Join(list, ","))
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"code":5, "message":"Not Found", "details":[]}`)
	}
}

// decode knows the invoices lnsb1q…: 1000 sat, valid for five minutes; lnsb1p… is
// expired, lnsb1z… asks for an odd sum.
func (f *fakeNode) decode(w http.ResponseWriter, pr string) {
	at, msat := time.Now().Unix(), 1_000_000
	switch {
	case strings.HasPrefix(pr, "lnsb1p"):
		at -= 1000
	case strings.HasPrefix(pr, "lnsb1z"):
		msat = 1_234_567
	case !strings.HasPrefix(pr, "lnsb1q"):
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, `{"code":2, "message":"invalid index of 1", "details":[]}`)
		return
	}
	words, hash := "Cafe Aurora #0417 2.90 EUR", ""
	if strings.HasPrefix(pr, "lnsb1qh") || pr == "lnsb1ph" {
		words, hash = "", f.hash
	}
	fmt.Fprintf(w, `{"destination":"03eb", "payment_hash":"9fbe", "num_satoshis":"1000", "timestamp":"%d", "expiry":"300",
		"description":"%s", "description_hash":"%s", "cltv_expiry":"80", "payment_addr":"8Wpb4fs=", "num_msat":"%d",
		"features":{"14":{"name":"payment-addr"}, "8":{"name":"tlv-onion"}}, "blinded_paths":[]}`, at, words, hash, msat)
}

func (f *fakeNode) pay(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		f.t.Errorf("no JSON: %s", body)
	}
	f.sent = append(f.sent, in)
	if f.send == "" {
		panic(http.ErrAbortHandler)
	}
	fmt.Fprintln(w, f.send)
}

func TestPay(t *testing.T) {
	failed := func(reason string) string {
		return `{"result":{"status":"FAILED","value_msat":"1000000","failure_reason":"` + reason + `"}}`
	}
	for _, c := range []struct{ name, send, want string }{
		{"settles", `{"result":{"status":"SUCCEEDED","value_msat":"1000000","failure_reason":"FAILURE_REASON_NONE"}}`, ""},
		{"wrong sum", failed("FAILURE_REASON_INCORRECT_PAYMENT_DETAILS"), "the shop turned it down"},
		{"shop away", failed("FAILURE_REASON_NO_ROUTE"), "no way to the shop"},
		{"poor", failed("FAILURE_REASON_INSUFFICIENT_BALANCE"), "not enough money"},
		{"slow", failed("FAILURE_REASON_TIMEOUT"), "nothing was paid"},
		{"new reason", failed("FAILURE_REASON_MOON"), "FAILURE_REASON_MOON"},
		{"paid before", `{"error":{"code":6,"message":"invoice is already paid","details":[]}}`, "paid already"},
		{"expired", `{"error":{"code":2,"message":"invoice expired. Valid until 2026-11-26 00:19:02 +0000 UTC","details":[]}}`, "expired"},
		{"on its way", `{"error":{"code":6,"message":"payment is in transition","details":[]}}`, "still on its way"},
		{"locked", `{"code":2,"message":"wallet locked, unlock it"}`, "wallet locked"},
		{"hangs up", "", "may or may not arrive"},
		{"no JSON", "<html>", "may or may not arrive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, n := newFakeNode(t)
			f.send = c.send
			w := &Wallet{node: n, shop: n}
			out, err := w.Pay(t.Context(), "lightning:lnsb1q", 0)
			if err != nil || out.OK != (c.want == "") || !strings.Contains(out.Reason, c.want) {
				t.Errorf("got %+v, %v, want %q", out, err, c.want)
			}
			if out.OK && (out.Hash != "9fbe" || out.Msat != "1000000") {
				t.Errorf("got %+v", out)
			}
			b, err := w.Balance(t.Context())
			if err != nil || len(b.Activity) != 1 || b.Activity[0].OK != out.OK || b.Sat != "11999056" || b.Onchain != "1534984999834" {
				t.Errorf("the wallet says %+v, %v", b, err)
			}
		})
	}
}

// Goal: an honest payment is the invoice itself; mischief is sent without it, with
// exactly the sum that was asked for.
func TestPayBare(t *testing.T) {
	f, n := newFakeNode(t)
	f.send = `{"result":{"status":"SUCCEEDED","value_msat":"1"}}`
	w := &Wallet{node: n, shop: n}
	for _, msat := range []int64{0, 999_000} {
		if _, err := w.Pay(t.Context(), "LNSB1Q", msat); err != nil {
			t.Fatal(err)
		}
	}
	honest, bare := f.sent[0], f.sent[1]
	if honest["payment_request"] != "lnsb1q" || honest["amt_msat"] != nil || honest["dest"] != nil {
		t.Errorf("an honest payment is %v", honest)
	}
	want := map[string]any{
		"dest": "A+s=", "payment_hash": "n74=", "payment_addr": "8Wpb4fs=", "amt_msat": "999000", "final_cltv_delta": 83.0,
	}
	for k, v := range want {
		if bare[k] != v {
			t.Errorf("mischief has %s = %v, want %v", k, bare[k], v)
		}
	}
	if bare["payment_request"] != nil || !slices.Equal(bare["dest_features"].([]any), []any{8.0, 14.0}) {
		t.Errorf("mischief is %v", bare)
	}
}

func TestDecode(t *testing.T) {
	_, n := newFakeNode(t)
	w := &Wallet{node: n, shop: n}
	in, err := w.Decode(t.Context(), "LIGHTNING:LNSB1Z")
	if err != nil {
		t.Fatal(err)
	}
	if in.Sat != "1234.567" || in.Msat != "1234567" || in.OverMsat != "1359000" || in.UnderMsat != "1233567" || in.Text != "lnsb1z" {
		t.Errorf("got %+v", in)
	}
	for text, want := range map[string]string{"lnsb1x": "damaged", "lnbc1x": "real bitcoin"} {
		if _, err := w.Decode(t.Context(), text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	if err := os.Remove(n.macaroonFile()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Decode(t.Context(), "lnsb1q"); err == nil || strings.Contains(err.Error(), "damaged") {
		t.Errorf("without an answer the invoice is not damaged: %v", err)
	}
}

// Goal: the list shows what can be paid, newest first, and what is on the till's
// display before all.
func TestOpen(t *testing.T) {
	f, n := newFakeNode(t)
	f.open, f.hash = []string{"lnsb1qqa", "lnsb1p", "lnsb1qqc", "lnsb1xx", "lnsb1qh"}, "2e" // the last is an LNURL's
	list, err := (&Wallet{node: n, shop: n}).Open(t.Context())
	if err != nil || len(list) != 2 || list[0].Text != "lnsb1qqc" || list[1].Text != "lnsb1qqa" {
		t.Fatalf("got %+v, %v", list, err)
	}
	markShown(list, "LNSB1QQA")
	if list[0].Text != "lnsb1qqa" || !list[0].Shown || list[1].Shown {
		t.Errorf("got %+v", list)
	}
	markShown(list, "") // the display shows none
	if list[1].Shown {
		t.Errorf("got %+v", list)
	}
}

// Goal: a node with another certificate is not spoken to, and nothing of the
// macaroon reaches it.
func TestPinned(t *testing.T) {
	_, n := newFakeNode(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, other, other, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(n.certFile(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := n.get(t.Context(), "/v1/balance/channels", nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
}

func TestThumbprint(t *testing.T) {
	_, n := newFakeNode(t)
	print, err := thumbprint(n.certFile())
	if err != nil || len(print) != 64 || strings.ToLower(print) != print {
		t.Errorf("got %q, %v", print, err)
	}
	if _, err := thumbprint(n.macaroonFile()); err == nil {
		t.Error("a file without a certificate has a thumbprint")
	}
}
