package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// from is a connection that says where it comes from.
type from struct {
	net.Conn
	ip string
}

func (f from) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(f.ip), Port: 4711} }

// remote sends one request from another machine.
func (k *till) remote(ip, method, path, body string, heads ...string) reply {
	k.Helper()
	client, server := net.Pipe()
	defer client.Close()
	k.app.fiber.Handler()
	go func() { _ = k.app.fiber.Server().ServeConn(from{server, ip}) }() // ends with the pipe
	req, err := http.NewRequest(method, "http://till"+path, strings.NewReader(body))
	if err != nil {
		k.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "key")
	for i := 0; i < len(heads); i += 2 {
		req.Header.Set(heads[i], heads[i+1])
	}
	go func() { _ = req.Write(client) }() // a refusal may come before all is written
	res, err := http.ReadResponse(bufio.NewReader(client), req)
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

// TestFirstComer sets a new till up from another machine. Goal: being first on the
// network makes nobody the owner; whoever reads the till's log, or sits at it, does.
func TestFirstComer(t *testing.T) {
	staff := webtest.NewStaff()
	k := open(t, func(o *Options) { o.Staff = staff })
	code := regexp.MustCompile(`code=(\S+)`).FindStringSubmatch(k.log.String())
	if code == nil {
		t.Fatalf("no code in the log: %s", k.log)
	}
	if r := k.remote("192.168.1.9", "GET", "/v1/staff", ""); !strings.Contains(string(r.body), `"code_needed":true`) {
		t.Errorf("got %s", r.body)
	}
	if r := k.remote("127.0.0.1", "GET", "/v1/staff", ""); strings.Contains(string(r.body), "code_needed") {
		t.Errorf("got %s", r.body)
	}
	for _, body := range []string{`{"name":"Eve","pin":"6666"}`, `{"name":"Eve","pin":"6666","code":""}`, `{"name":"Eve","pin":"6666","code":"AAAA-AAAA"}`} {
		if r := k.remote("192.168.1.9", "POST", "/v1/set-ups", body); r.StatusCode != 403 || strings.Contains(string(r.body), code[1]) {
			t.Errorf("%s: got %d %s", body, r.StatusCode, r.body)
		}
	}
	if len(staff.Names()) != 0 {
		t.Fatalf("somebody owns the till: %v", staff.Names())
	}
	sloppy := strings.ToLower(strings.ReplaceAll(code[1], "-", " "))
	if r := k.remote("192.168.1.9", "POST", "/v1/set-ups", `{"name":"Anna","pin":"2468","code":"`+sloppy+`"}`); r.StatusCode != 201 {
		t.Fatalf("with the code: got %d %s", r.StatusCode, r.body)
	}
	if r := k.remote("192.168.1.9", "POST", "/v1/set-ups", `{"name":"Eve","pin":"6666","code":"`+code[1]+`"}`, "Idempotency-Key", "another"); r.StatusCode != 409 {
		t.Errorf("a second time: got %d %s", r.StatusCode, r.body)
	}
	if log := open(t).log.String(); strings.Contains(log, "code=") {
		t.Errorf("a till with an owner logs %s", log)
	}
	other := webtest.NewStaff()
	k = open(t, func(o *Options) { o.Staff = other })
	if r := k.remote("::1", "POST", "/v1/set-ups", `{"name":"Anna","pin":"2468"}`); r.StatusCode != 201 {
		t.Errorf("at the till itself: got %d %s", r.StatusCode, r.body)
	}
}

// TestNobody signs in as people who are not there. Goal: the staff, whose every
// check costs a small board half a second and a record on flash, is not asked.
func TestNobody(t *testing.T) {
	asked := &counting{Staff: webtest.NewStaff()}
	asked.Put("Anna", pos.Owner, ownerPIN)
	k := open(t, func(o *Options) { o.Staff = asked })
	for n := range 5 {
		if r := k.remote("192.168.1.9", "POST", "/v1/sessions", fmt.Sprintf(`{"actor":"x%d","pin":"0000"}`, n)); r.StatusCode != 403 {
			t.Errorf("got %d %s", r.StatusCode, r.body)
		}
	}
	if asked.n != 0 {
		t.Errorf("the staff was asked %d times", asked.n)
	}
}

// TestSleepyReader asks for a page over and over and reads nothing. Goal: the till
// lets go of it, or 256 of them would hold every connection there is for ever.
func TestSleepyReader(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := open(t)
		client, server := net.Pipe()
		defer client.Close()
		k.app.fiber.Handler()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = k.app.fiber.Server().ServeConn(server) // fails with the deadline
		}()
		if _, err := io.WriteString(client, "GET /till.js HTTP/1.1\r\nHost: till\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(answerWithin + time.Second)
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("the till still holds the connection")
		}
	})
}

// TestSlowRequest sends a request when its connection has been open for a while, as a
// phone on a bad radio does. Goal: it is answered; and who never sends a whole one is let go.
func TestSlowRequest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := open(t)
		k.app.fiber.Handler()
		for after, want := range map[time.Duration]int{12 * time.Second: 200, readWithin + time.Second: 408} {
			client, server := net.Pipe()
			var both sync.WaitGroup
			both.Go(func() { _ = k.app.fiber.Server().ServeConn(server) }) // fails with the deadline
			both.Go(func() {
				_, _ = io.WriteString(client, "GET /till.js HTTP/1.1\r\nHost: till\r\n")
				time.Sleep(after)
				_, _ = io.WriteString(client, "Connection: close\r\n\r\n") // nobody may read it any more
			})
			res, err := http.ReadResponse(bufio.NewReader(client), nil)
			if err != nil || res.StatusCode != want {
				t.Errorf("after %v: got %+v, %v, want %d", after, res, err, want)
			}
			client.Close()
			both.Wait()
		}
	})
}

// TestGreedyClient opens connections and keeps them. Goal: one machine gets its
// share, and what it lets go it may open again; others still get in.
func TestGreedyClient(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := newFair(ln)
	defer f.Close()
	got := make(chan net.Conn)
	go func() {
		defer close(got)
		for {
			c, err := f.Accept()
			if err != nil {
				return
			}
			got <- c
		}
	}()
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	var held []net.Conn
	for range maxClientConns {
		dial()
		held = append(held, <-got)
	}
	over := dial()
	_ = over.SetReadDeadline(time.Now().Add(shutWithin))
	if _, err := over.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one connection more: %v", err)
	}
	if err := errors.Join(held[0].Close(), nil); err != nil {
		t.Fatal(err)
	}
	_ = held[0].Close() // again: its place is given back once
	dial()
	(<-got).Close()
	if f.by["127.0.0.1"] != maxClientConns-1 {
		t.Errorf("%d places taken, want %d", f.by["127.0.0.1"], maxClientConns-1)
	}
	for _, c := range held[1:] {
		c.Close()
	}
	if len(f.by) != 0 {
		t.Errorf("%v is remembered", f.by)
	}
}

// TestStreamsForStaff lets strangers from many addresses open all the streams they
// get. Goal: who is signed in, or at the till itself, still gets one.
func TestStreamsForStaff(t *testing.T) {
	s := newStreams()
	got := 0
	for n := range 2 * maxStreams {
		if s.open(fmt.Sprint("192.168.1.", n), false) {
			got++
		}
	}
	if got != maxNameless {
		t.Errorf("strangers got %d streams, want %d", got, maxNameless)
	}
	for n := range maxStreams - maxNameless {
		if !s.open(fmt.Sprint("192.168.2.", n), true) {
			t.Fatalf("screen %d of the staff got none", n)
		}
	}
	if s.open("192.168.3.1", true) {
		t.Error("more than there are")
	}
	s.close("192.168.1.0", false)
	if !s.open("192.168.1.0", false) || s.open("192.168.1.1", false) {
		t.Error("a place is not given back once")
	}
}

type counting struct {
	*webtest.Staff
	n int
}

// SignIn counts.
func (c *counting) SignIn(ctx context.Context, id, pin string) (pos.Actor, error) {
	c.n++
	return c.Staff.SignIn(ctx, id, pin)
}
