package lnd

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// said are lnd's refusals, word for word, as measured on v0.21.1-beta (or read in
// its source), with what they mean to the till.
var said = []struct {
	name    string
	code    int
	message string
	fault   fault
}{
	{"duplicate preimage", 2, "invoice with payment hash already exists", faultExists},
	{"already settled", 2, "invoice already settled", faultSettled},
	{"already cancelled", 2, "invoice already canceled", faultCancelled},
	{"cancel of unknown hash", 2, "unable to locate invoice", faultNoInvoice},
	{"read of unknown hash", 5, "unable to locate invoice", faultNoInvoice},
	{"read at a virgin node", 5, "there are no existing invoices", faultNoInvoice},
	{"right missing", 2, "permission denied", faultDenied},
	{"macaroon missing", 2, "expected 1 macaroon, got 0", faultDenied},
	{"macaroon garbage", 2, "cannot determine data format of binary-encoded macaroon", faultDenied},
	{"signature", 2, "verification failed: signature mismatch after caveat verification", faultDenied},
	{"root key revoked", 2, "cannot retrieve macaroon: cannot get macaroon: root key with id 1007 doesn't exist", faultRevoked},
	{"macaroon past its time", 2, `caveat "time-before 2026-11-26T00:21:13.384098916Z" not satisfied: macaroon has expired`, faultKeyEnded},
	{"macaroon of another address", 2, `caveat "ipaddr 10.0.0.1" not satisfied: macaroon locked to different IP address`, faultKeyBound},
	{"locked", 2, "wallet locked, unlock it to enable full RPC access", faultLocked},
	{"no wallet", 2, "wallet not created, create one to enable full RPC access", faultNoWallet},
	{"starting", 2, "the RPC server is in the process of starting up, but not yet ready to accept calls", faultStarting},
	{"still starting", 2, "server is still in the process of starting", faultStarting},
	{"waiting", 2, "waiting to start, RPC services not available", faultStarting},
	{"bad field", 3, `proto: (line 1:2): unknown field "foo"`, faultNotAllowed},

	// Near misses: nothing may be concluded from them.
	{"a path that is not lnd's", 5, "Not Found", faultOdd},
	{"settled by another code", 5, "invoice already settled", faultOdd},
	{"settled with more words", 2, "invoice already settled: no", faultOdd},
	{"unknown with more words", 5, "unable to locate invoice database", faultOdd},
	{"exists by another code", 6, "invoice with payment hash already exists", faultOdd},
	{"memo too long", 2, "data length too big to fit within 10 bits: 1023", faultOdd},
	{"deadline", 4, "context deadline exceeded", faultOdd},
	{"unavailable", 14, "unable to locate invoice", faultOdd},
	{"database", 2, "database not open", faultOdd},
	{"method", 12, "Method Not Allowed", faultOdd},
	{"no words", 2, "", faultOdd},
}

func TestRefusals(t *testing.T) {
	for _, s := range said {
		if got := classify(&refusal{500, s.code, s.message}); got != s.fault {
			t.Errorf("%s: fault %d, want %d", s.name, got, s.fault)
		}
	}
}

// TestRefusedCalls says each of lnd's words to each call about a payment that the
// customer has seen. Only two of them may lead to a finding: a duplicate cancel,
// and "already settled" with the money to show. All others are doubt.
func TestRefusedCalls(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	for i, s := range said {
		p := requested(t, r, i+1)
		node.Next("LookupInvoice", lndtest.Refuse(500, s.code, s.message))
		f, err := r.Check(t.Context(), p)
		doubtful(t, "check, "+s.name, f, err)

		node.Next("CancelInvoice", lndtest.Refuse(500, s.code, s.message))
		f, err = r.Cancel(t.Context(), p)
		if s.fault == faultCancelled {
			if err != nil || f.Event != pos.Cancel || !f.Final {
				t.Errorf("cancel, %s: %+v, %v", s.name, f, err)
			}
			continue
		}
		doubtful(t, "cancel, "+s.name, f, err) // "already settled" of an open invoice contradicts itself
	}
}

// TestUnclearAnswers spoils the answers in every way a line, a proxy or a broken
// node can. None of it may turn into a finding, and the truth is found afterwards.
func TestUnclearAnswers(t *testing.T) {
	settle := lndtest.Tamper(func(a map[string]any) { a["state"] = "SETTLED" }) // with amt_paid_msat "0"
	tamper := func(key string, value any) lndtest.Fault {
		return lndtest.Tamper(func(a map[string]any) { a[key] = value })
	}
	faults := map[string]lndtest.Fault{
		"request lost": lndtest.LoseRequest, "answer lost": lndtest.LoseAnswer, "cut short": lndtest.CutShort,
		"proxy": lndtest.HTML, "portal": lndtest.Portal, "huge": lndtest.Huge, "too slow": lndtest.Slow(time.Minute),
		"empty": lndtest.Say(200, "application/json", ""), "null": lndtest.Say(200, "application/json", "null"),
		"array": lndtest.Say(200, "application/json", "[]"), "text": lndtest.Say(200, "text/plain", `{"state":"SETTLED"}`),
		"error with 200": lndtest.Say(200, "application/json", `{"error":"no"}`), "two": lndtest.Say(200, "application/json", "{}{}"),
		"empty 500": lndtest.Say(500, "application/json", ""), "odd 500": lndtest.Say(500, "application/json", `{"message":"invoice already settled"}`),
		"404 of a proxy": lndtest.Say(404, "application/json", `{"message":"unable to locate invoice"}`),
		"redirect": func(w httpWriter, r *httpRequest, _ func(httpWriter, *httpRequest)) {
			w.Header().Set("Location", "https://node.test:8080/v1/state")
			w.WriteHeader(302)
		},
		"retyped": lndtest.Retype("text/html"),
		"401":     lndtest.Say(401, "application/json", `{}`), "429": lndtest.Say(429, "text/html", "slow down"),
	}
	only := map[string]lndtest.Fault{ // of a lookup
		"another invoice": tamper("r_hash", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), "unknown state": tamper("state", "PAID"),
		"no state": tamper("state", nil), "settled without money": settle, "no hash": tamper("r_hash", nil),
		"no beginning": tamper("creation_date", "0"), "negative": tamper("expiry", "-300"), "not a number": tamper("creation_date", "soon"),
		"odd keys":  tamper("STATE", "SETTLED"),
		"two keys":  lndtest.Say(200, "application/json", `{"state":"OPEN","state":"SETTLED"}`),
		"fold":      tamper("\u017ftate", "SETTLED"), // Go takes this letter for an s
		"deep":      tamper("features", deep(100)),
		"fractions": lndtest.Tamper(func(a map[string]any) { a["state"], a["amt_paid_msat"] = "SETTLED", 1.5 }),
		"too much":  lndtest.Tamper(func(a map[string]any) { a["state"], a["amt_paid_msat"] = "SETTLED", "9223372036854775808" }),
	}
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		r := railBefore(t, node)
		n := 0
		for name, spoil := range faults {
			n++
			p := requested(t, r, n)
			node.Next("LookupInvoice", spoil)
			node.Next("LookupInvoice", spoil) // net/http asks once more when a connection breaks
			f, err := r.Check(t.Context(), p)
			doubtful(t, "check, "+name, f, err)
			node.Clear()
			node.Next("CancelInvoice", spoil)
			node.Next("CancelInvoice", spoil)
			f, err = r.Cancel(t.Context(), p)
			doubtful(t, "cancel, "+name, f, err)
			node.Clear()
			if f, err := r.Cancel(t.Context(), p); err != nil || f.Event != pos.Cancel {
				t.Errorf("%s: cancelled again: %+v, %v", name, f, err)
			}
		}
		if node.Calls("GetState") != 0 {
			t.Error("a redirect was followed: the macaroon went along")
		}
		for name, spoil := range only {
			n++
			p := requested(t, r, n)
			node.Next("LookupInvoice", spoil)
			f, err := r.Check(t.Context(), p)
			doubtful(t, "check, "+name, f, err)
			if err := node.Pay(p.Payload, 4_300_000); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if f, err := r.Check(t.Context(), p); err != nil || f.Event != pos.Settle {
				t.Errorf("%s: paid, and found %+v, %v", name, f, err)
			}
		}
	})
}

func deep(n int) any {
	if n == 0 {
		return 1
	}
	return map[string]any{"a": deep(n - 1)}
}

// doubtful demands an error that says to try again, in words, and no finding.
func doubtful(t *testing.T, what string, f pos.Finding, err error) {
	t.Helper()
	e, _ := errors.AsType[*pos.Error](err)
	if e == nil || e.Kind != pos.Unavailable || f != (pos.Finding{}) {
		t.Errorf("%s: %+v, %v; want nothing, and Unavailable", what, f, err)
		return
	}
	if e.Msg == "" || strings.HasPrefix(e.Msg, "ln_") {
		t.Errorf("%s: no words for the cashier: %q", what, e.Msg)
	}
}

func TestLineFaults(t *testing.T) {
	tests := []struct {
		err  error
		want fault
	}{
		{fmt.Errorf("get: %w", errPin), faultPin},
		{fmt.Errorf("get: %w", errEnded), faultEnded},
		{x509.UnknownAuthorityError{}, faultAuthority},
		{x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}, faultAuthority},
		{x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{}}, faultEnded},
		{x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign, Cert: &x509.Certificate{}}, faultAuthority},
		{context.DeadlineExceeded, faultUnreachable},
		{errors.New("connection refused"), faultUnreachable},
	}
	for _, tt := range tests {
		if got := lineFault(tt.err); got != tt.want {
			t.Errorf("%v: fault %d, want %d", tt.err, got, tt.want)
		}
	}
}

// TestScrub: the node's words may hold what must not be logged.
func TestScrub(t *testing.T) {
	got := scrub("bad macaroon " + tillMacaroon + "\nroot key\x00 with id 1007 " + strings.Repeat("ä ", 300))
	if strings.Contains(got, tillMacaroon[:33]) || strings.ContainsAny(got, "\n\x00") || len(got) > maxMessage+4 {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(got, "with id 1007") {
		t.Errorf("too much was taken away: %q", got)
	}
}
