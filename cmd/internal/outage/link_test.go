package outage

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// far is a server in memory that echoes, over plain HTTP or TLS.
type far struct {
	host   *Host
	server *http.Server
	roots  *Authority
	done   chan struct{}
}

func newFar(t *testing.T, secure bool) *far {
	t.Helper()
	a, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := a.Certificate("far.example")
	if err != nil {
		t.Fatal(err)
	}
	f := &far{host: NewHost("far.example"), roots: a, done: make(chan struct{})}
	f.server = &http.Server{TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.Copy(w, r.Body)
	})}
	go func() {
		defer close(f.done)
		if secure {
			f.server.ServeTLS(f.host, "", "")
		} else {
			f.server.Serve(f.host)
		}
	}()
	return f
}

func (f *far) close() { f.server.Close(); <-f.done }

// answer is what came of a call.
type answer struct {
	status int
	body   string
	took   time.Duration
	err    error
}

func post(c *http.Client, url, body string) (a answer) {
	ctx, stop := context.WithTimeout(context.Background(), 200*time.Second)
	defer stop()
	from := time.Now()
	defer func() { a.took = time.Since(from) }()
	req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	res, err := c.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answer{status: res.StatusCode, body: string(b), err: err}
}

// TestModes makes one call over a line in each mode, on a new connection and on one
// that was there before. Goal: each does what such a line does to TCP.
func TestModes(t *testing.T) {
	unresolved := func(err error) bool { _, ok := errors.AsType[*net.DNSError](err); return ok }
	for mode, want := range map[Mode]func(fresh bool, a answer) bool{
		Whole: func(_ bool, a answer) bool { return a.body == "hello" && a.took == 0 },
		Cut:   func(fresh bool, a answer) bool { return errors.Is(a.err, syscall.ECONNREFUSED) && a.took == 0 },
		Unreachable: func(fresh bool, a answer) bool {
			return fresh && errors.Is(a.err, syscall.ETIMEDOUT) && a.took == SynTimeout || !fresh && errors.Is(a.err, context.DeadlineExceeded)
		},
		Nameless: func(fresh bool, a answer) bool {
			return fresh && unresolved(a.err) && a.took == NameTimeout || !fresh && errors.Is(a.err, context.DeadlineExceeded)
		},
		HalfOpen: func(_ bool, a answer) bool {
			return errors.Is(a.err, context.DeadlineExceeded) && a.took == 200*time.Second
		},
		Slow:     func(_ bool, a answer) bool { return a.body == "hello" && a.took >= 2*Latency && a.took < 5*time.Second },
		Portal:   func(_ bool, a answer) bool { return a.status == 200 && strings.Contains(a.body, "sign in") },
		Redirect: func(_ bool, a answer) bool { return a.status == 302 },
		Impostor: func(_ bool, a answer) bool { return a.status == 200 && strings.Contains(a.body, "accepted_to") },
	} {
		for _, fresh := range []bool{true, false} {
			t.Run(mode.String()+map[bool]string{true: ", new connection", false: ", old connection"}[fresh], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFar(t, false)
					defer f.close()
					l := NewLink("line", f.host.Dial)
					defer l.Close()
					tr := &http.Transport{DialContext: l.Dial}
					defer tr.CloseIdleConnections()
					c := &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
					if !fresh {
						if a := post(c, "http://far.example", "hello"); a.body != "hello" {
							t.Fatalf("before: %+v", a)
						}
					}
					l.Set(mode)
					synctest.Wait()
					if a := post(c, "http://far.example", "hello"); !want(fresh, a) {
						t.Errorf("got %+v", a)
					}
				})
			})
		}
	}
}

// TestSomebodyElseOverTLS checks that who answers in another's place cannot show
// another's certificate.
func TestSomebodyElseOverTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, true)
		defer f.close()
		l := NewLink("line", f.host.Dial)
		defer l.Close()
		tr := &http.Transport{DialContext: l.Dial, TLSClientConfig: &tls.Config{RootCAs: f.roots.Pool()}, DisableKeepAlives: true}
		c := &http.Client{Transport: tr}
		if a := post(c, "https://far.example", "hello"); a.body != "hello" {
			t.Fatalf("whole: %+v", a)
		}
		for _, m := range []Mode{Portal, Redirect, Impostor} {
			l.Set(m)
			a := post(c, "https://far.example", "hello")
			if _, ok := errors.AsType[x509.HostnameError](a.err); !ok {
				if _, ok := errors.AsType[x509.UnknownAuthorityError](a.err); !ok {
					t.Errorf("%s: %+v", m, a)
				}
			}
		}
		l.Set(Whole)
		if a := post(c, "https://far.example", "hello"); a.body != "hello" {
			t.Errorf("whole again: %+v", a)
		}
		time.Sleep(time.Minute) // handshakes broken off
	})
}

// TestSilenceIsForGood mends a line under a connection that fell silent. Goal: the
// connection stays dead, a new one lives.
func TestSilenceIsForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, false)
		defer f.close()
		l := NewLink("line", f.host.Dial)
		defer l.Close()
		old, fresh := &http.Transport{DialContext: l.Dial}, &http.Transport{DialContext: l.Dial}
		defer old.CloseIdleConnections()
		defer fresh.CloseIdleConnections()
		post(&http.Client{Transport: old}, "http://far.example", "hello")
		l.Set(HalfOpen)
		l.Set(Whole)
		if a := post(&http.Client{Transport: old}, "http://far.example", "hello"); !errors.Is(a.err, context.DeadlineExceeded) {
			t.Errorf("the old connection answers: %+v", a)
		}
		if a := post(&http.Client{Transport: fresh}, "http://far.example", "hello"); a.body != "hello" {
			t.Errorf("a new connection: %+v", a)
		}
	})
}

// TestFailsWhileDialled: a link that fails between the first packet and the first byte of a
// connection fails that one, too: else one in thousands lives through every outage.
func TestFailsWhileDialled(t *testing.T) {
	for _, m := range []Mode{Cut, HalfOpen, Portal} {
		t.Run(m.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				open := make(chan struct{})
				l := NewLink("line", func(context.Context, string, string) (net.Conn, error) {
					near, echo := newPipe()
					go func() { defer echo.Close(); io.Copy(echo, echo) }()
					<-open
					return near, nil
				})
				defer l.Close()
				dialled := make(chan net.Conn)
				go func() {
					c, err := l.Dial(t.Context(), "tcp", "far.example:80")
					if err != nil {
						t.Error(err)
					}
					dialled <- c
				}()
				synctest.Wait()
				l.Set(m)
				close(open)
				c := <-dialled
				defer c.Close()
				c.SetDeadline(time.Now().Add(time.Second))
				c.Write([]byte("x"))
				if n, err := c.Read(make([]byte, 1)); err == nil {
					t.Errorf("%d bytes came back over a line that had failed", n)
				}
			})
		})
	}
}

// TestFlapping counts how a line comes and goes. Goal: both, every few seconds.
func TestFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, false)
		defer f.close()
		l := NewLink("line", f.host.Dial)
		defer l.Close()
		l.Set(Flapping)
		good, bad := 0, 0
		for range 600 {
			tr := &http.Transport{DialContext: l.Dial, DisableKeepAlives: true}
			if a := post(&http.Client{Transport: tr}, "http://far.example", "x"); a.body == "x" {
				good++
			} else {
				bad++
			}
			time.Sleep(time.Second)
		}
		if good < 100 || bad < 100 {
			t.Errorf("%d good and %d bad in ten minutes", good, bad)
		}
		l.Set(Whole)
		time.Sleep(time.Minute)
		tr := &http.Transport{DialContext: l.Dial, DisableKeepAlives: true}
		if a := post(&http.Client{Transport: tr}, "http://far.example", "x"); a.body != "x" {
			t.Errorf("whole again: %+v", a)
		}
	})
}

// TestProxy carries calls between sockets. Goal: the modes that a proxy can play are
// what they are in memory.
func TestProxy(t *testing.T) {
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(back) }()
	defer func() { s.Close(); <-done }()
	l := NewLink("line", func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", back.Addr().String())
	})
	defer l.Close()
	ln, err := l.Proxy()
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	call := func(within time.Duration) answer {
		tr := &http.Transport{DisableKeepAlives: true}
		c := &http.Client{Transport: tr, Timeout: within, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		return post(c, "http://"+ln.Addr().String(), "hello")
	}
	const patience = 20 * time.Second
	for _, m := range []Mode{Whole, Cut, HalfOpen, Portal, Redirect, Impostor, Whole} {
		l.Set(m)
		within := patience
		if m == HalfOpen {
			within = 300 * time.Millisecond
		}
		a := call(within)
		ok := map[Mode]bool{
			Whole: a.body == "hello", Cut: a.err != nil && a.took < patience, HalfOpen: a.err != nil && a.took >= within,
			Portal: a.status == 200 && strings.Contains(a.body, "sign in"), Redirect: a.status == 302, Impostor: strings.Contains(a.body, "accepted_to"),
		}
		if !ok[m] {
			t.Errorf("%s: %+v", m, a)
		}
	}
}
