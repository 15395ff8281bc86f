package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// answer is a transport that says one thing.
type answer struct {
	mu    sync.Mutex
	res   *http.Response
	err   error
	calls int
}

func (a *answer) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls++
	if a.res != nil {
		a.res.Request = r
	}
	return a.res, a.err
}

func (a *answer) set(res *http.Response, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.res, a.err = res, err
}

// response is an answer of this status, type and, for a redirect, place.
func response(status int, kind, to string, secure bool) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(""))}
	if to != "" {
		r.Header.Set("Location", to)
	}
	if secure {
		r.TLS = &tls.ConnectionState{}
	}
	return r
}

func call(t *testing.T, rt http.RoundTripper, to string) {
	t.Helper()
	req, err := http.NewRequest("GET", to, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := rt.RoundTrip(req); err == nil {
		res.Body.Close()
	}
}

func untrusted(err error) error {
	return &url.Error{Op: "Get", Err: &tls.CertificateVerificationError{Err: err}}
}

// TestStatus gives one call each of the ends that a call can have. Goal: what is
// proof of the internet says online, what is not names its cause.
func TestStatus(t *testing.T) {
	const far, plain = "https://api.exchange.example/price", "http://shop.example/v1"
	year := 365 * 24 * time.Hour
	valid := &x509.Certificate{NotBefore: time.Now().Add(-year), NotAfter: time.Now().Add(-year / 2)}
	future := &x509.Certificate{NotBefore: time.Now().Add(year), NotAfter: time.Now().Add(2 * year)}
	tests := []struct {
		name    string
		to      string
		res     *http.Response
		err     error
		trusted bool
		state   string
		word    string
	}{
		{"an answer", far, response(200, "application/json", "", true), nil, true, "online", ""},
		{"a refusal, by who is meant", far, response(403, "text/html", "", true), nil, true, "online", ""},
		{"a page, by who is meant", far, response(200, "text/html", "", true), nil, true, "online", ""},
		{"a redirect, by who is meant", far, response(302, "", "https://elsewhere.example", true), nil, true, "online", ""},
		{"a plain answer as asked for", plain, response(200, "application/json", "", false), nil, true, "unknown", ""},
		{"a plain refusal", plain, response(404, "application/problem+json", "", false), nil, true, "unknown", ""},
		{"a page instead of an answer", plain, response(200, "text/html; charset=utf-8", "", false), nil, true, "offline", "internet_sign_in"},
		{"a redirect elsewhere", plain, response(302, "", "http://login.portal.example/", false), nil, true, "offline", "internet_sign_in"},
		{"a redirect to itself, encrypted", plain, response(301, "", "https://shop.example/v1", false), nil, true, "unknown", ""},
		{"network authentication required", plain, response(511, "text/html", "", false), nil, true, "offline", "internet_sign_in"},
		{"a certificate of another name", far, nil, untrusted(x509.HostnameError{}), true, "offline", "internet_sign_in"},
		{"a certificate that nobody knows", far, nil, untrusted(x509.UnknownAuthorityError{}), true, "offline", "internet_sign_in"},
		{"plain words where TLS should be", far, nil, &url.Error{Err: tls.RecordHeaderError{}}, true, "offline", "internet_sign_in"},
		{"a certificate of the future, clock doubted", far, nil, untrusted(x509.CertificateInvalidError{Cert: future, Reason: x509.Expired}), false, "offline", "internet_clock"},
		{"a certificate of the future, clock believed", far, nil, untrusted(x509.CertificateInvalidError{Cert: future, Reason: x509.Expired}), true, "offline", "internet_clock"},
		{"a certificate of the past, clock doubted", far, nil, untrusted(x509.CertificateInvalidError{Cert: valid, Reason: x509.Expired}), false, "offline", "internet_clock"},
		{"a certificate of the past, clock believed", far, nil, untrusted(x509.CertificateInvalidError{Cert: valid, Reason: x509.Expired}), true, "offline", "internet_odd"},
		{"no such name", far, nil, &url.Error{Err: &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}}, true, "offline", "internet_names"},
		{"a name server that is silent", far, nil, &net.DNSError{IsTimeout: true}, true, "offline", "internet_names"},
		{"silence", far, nil, &url.Error{Err: context.DeadlineExceeded}, true, "offline", "internet_silent"},
		{"a refusal to connect", far, nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true, "offline", "internet_silent"},
		{"a reset", far, nil, &net.OpError{Op: "read", Err: syscall.ECONNRESET}, true, "offline", "internet_silent"},
		{"the end in the middle", far, nil, io.ErrUnexpectedEOF, true, "offline", "internet_silent"},
		{"something new", far, nil, errors.New("odd"), true, "offline", "internet_odd"},
		{"given up by the till itself", far, nil, context.Canceled, true, "unknown", ""},
		{"a node in the shop answers", "https://10.0.0.7/v1", response(200, "application/json", "", true), nil, true, "unknown", ""},
		{"a node in the shop is silent", "https://node.local/v1", nil, context.DeadlineExceeded, true, "unknown", ""},
		{"loopback", "http://127.0.0.1:8081/", response(200, "text/html", "", false), nil, true, "unknown", ""},
		{"a bare name", "http://office/", response(200, "application/json", "", false), nil, true, "unknown", ""},
		{"an address of the internet", "https://[2001:db8::7]/", response(200, "application/json", "", true), nil, true, "online", ""},
		{"an address of the shop", "https://[fd00::7]/", response(200, "application/json", "", true), nil, true, "unknown", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := &answer{res: tt.res, err: tt.err}
			i := NewInternet(Options{Language: "en", Trusted: func() bool { return tt.trusted }})
			call(t, i.Over(a), tt.to)
			want := pos.Link{Name: "internet", State: tt.state}
			if tt.word != "" {
				want.Detail = pos.Word("en", tt.word)
			}
			if got := i.Status(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if strings.HasPrefix(want.Detail, "internet_") {
				t.Errorf("%s is no word", want.Detail)
			}
		})
	}
}

// TestOneAnswerIsEnough has several hosts of which some answer. Goal: one proof
// outweighs any number of failures, the best cause outweighs the others, and both
// only while they are fresh.
func TestOneAnswerIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answer{}
		i := NewInternet(Options{Language: "en"})
		rt := i.Over(a)
		a.set(nil, context.DeadlineExceeded)
		call(t, rt, "https://one.example")
		a.set(nil, untrusted(x509.HostnameError{}))
		call(t, rt, "https://two.example")
		if got := i.Status(); got.Detail != pos.Word("en", "internet_sign_in") {
			t.Errorf("silence and a sign-in make %+v", got)
		}
		a.set(response(200, "application/json", "", true), nil)
		call(t, rt, "https://three.example")
		if got := i.Status(); got.State != "online" {
			t.Errorf("an answer among failures makes %+v", got)
		}
		a.set(nil, context.DeadlineExceeded)
		call(t, rt, "https://three.example")
		if got := i.Status(); got.State != "offline" {
			t.Errorf("the last answer of a host counts, yet %+v", got)
		}
		time.Sleep(freshFor + time.Second)
		if got := i.Status(); got.State != "unknown" {
			t.Errorf("old news make %+v", got)
		}
		for n := range 10 * maxHosts {
			call(t, rt, fmt.Sprintf("https://host%d.example", n))
			time.Sleep(time.Millisecond)
		}
		if len(i.met) > maxHosts {
			t.Errorf("%d hosts are remembered", len(i.met))
		}
	})
}

// TestRun follows a shop through an outage and a network that swallows what is
// encrypted. Goal: each change is told once; the sign-in is found by asking over
// plain HTTP, not more often than once a minute; the end of it is told too.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []pos.Link
		plain, a := &answer{err: context.DeadlineExceeded}, &answer{res: response(200, "application/json", "", true)}
		i := NewInternet(Options{Language: "en", Plain: plain, Told: func(l pos.Link) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, l)
		}})
		rt := i.Over(a)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- i.Run(ctx) }()
		expect := func(state, word string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			want := pos.Link{Name: "internet", State: state}
			if word != "" {
				want.Detail = pos.Word("en", word)
			}
			if len(told) != 1 || told[0] != want {
				t.Errorf("told %+v, want %+v", told, want)
			}
			told = nil
		}
		rounds := func(n int) {
			for range n {
				call(t, rt, "https://one.example")
				call(t, rt, "https://two.example")
				time.Sleep(time.Minute)
			}
		}
		expect("unknown", "")
		rounds(3)
		expect("online", "")
		a.set(nil, context.DeadlineExceeded)
		rounds(3)
		expect("offline", "internet_silent")
		if plain.calls < 2 || plain.calls > 4 {
			t.Errorf("asked %d times over plain HTTP in three minutes", plain.calls)
		}
		plain.set(response(302, "", "http://login.portal.example/", false), nil)
		rounds(2)
		expect("offline", "internet_sign_in")
		plain.set(response(301, "", "https://one.example/", false), nil)
		rounds(2)
		expect("offline", "internet_silent")
		asked := plain.calls
		a.set(response(200, "application/json", "", true), nil)
		rounds(5)
		expect("online", "")
		if plain.calls != asked {
			t.Error("asked over plain HTTP while the internet is there")
		}
		time.Sleep(freshFor + time.Minute)
		expect("unknown", "")
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestOverIsTransparent checks that watching a call changes nothing about it.
func TestOverIsTransparent(t *testing.T) {
	odd := errors.New("odd")
	a := &answer{err: odd}
	rt := NewInternet(Options{}).Over(a)
	req, _ := http.NewRequest("GET", "https://one.example", nil)
	if _, err := rt.RoundTrip(req); err != odd {
		t.Errorf("the error is %v", err)
	}
	want := response(200, "text/html", "", false)
	a.set(want, nil)
	if res, _ := rt.RoundTrip(req); res != want {
		t.Error("the answer is another one")
	}
	rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
}
