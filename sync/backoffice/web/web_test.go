package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/wire"
)

// TestClient finds the address behind proxies. Goal: what a client writes about
// itself is never believed.
func TestClient(t *testing.T) {
	o := Options{Proxies: []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("10.0.0.1")}}
	tests := []struct{ name, remote, forwarded, want string }{
		{"direct", "1.2.3.4", "", "1.2.3.4"},
		{"direct, lying", "1.2.3.4", "9.9.9.9", "1.2.3.4"},
		{"through the proxy", "127.0.0.1", "1.2.3.4", "1.2.3.4"},
		{"through the proxy, lying", "127.0.0.1", "9.9.9.9, 1.2.3.4", "1.2.3.4"},
		{"through both", "127.0.0.1", "9.9.9.9, 1.2.3.4, 10.0.0.1", "1.2.3.4"},
		{"IPv4 in IPv6", "::ffff:127.0.0.1", "::ffff:1.2.3.4", "1.2.3.4"},
		{"garbage", "127.0.0.1", "who knows", "127.0.0.1"},
		{"only proxies", "127.0.0.1", "10.0.0.1", "10.0.0.1"},
		{"no header", "127.0.0.1", "", "127.0.0.1"},
	}
	for _, tt := range tests {
		if got := o.client(tt.remote, tt.forwarded); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestLimits spends an address's share. Goal: it comes back at its rate, another
// address has its own, and a refused call costs nothing.
func TestLimits(t *testing.T) {
	l := newLimits(10, 5)
	now := time.Now()
	for i := range 5 {
		if d := l.wait("a", now); d != 0 {
			t.Errorf("call %d waits %v", i, d)
		}
	}
	for range 100 {
		if d := l.wait("a", now); d <= 0 || d > 100*time.Millisecond {
			t.Fatalf("a sixth call waits %v", d)
		}
	}
	if d := l.wait("a", now.Add(100*time.Millisecond)); d != 0 {
		t.Errorf("after its time it waits %v", d)
	}
	if d := l.wait("another", now); d != 0 { // one chance in 4096 to share a bucket, and then it is seeded anew
		l = newLimits(10, 5)
		l.wait("a", now)
		if d := l.wait("another", now); d != 0 {
			t.Errorf("another address waits %v", d)
		}
	}
}

// TestProblem walks every kind of error. Goal: the right status, the sentence, and
// never the cause.
func TestProblem(t *testing.T) {
	secret := errors.New("/var/lib/secret.db is locked")
	for kind, want := range status {
		p, report := Problem(pos.Wrap("op", kind, secret, "a sentence"), time.Minute)
		if p.Status != want || p.Detail != "a sentence" || strings.Contains(p.Error(), "secret") || report != (want >= 500) {
			t.Errorf("%v: %+v", kind, p)
		}
	}
	if p, report := Problem(secret, 0); p.Status != 500 || strings.Contains(p.Detail, "secret") || !report {
		t.Errorf("an unknown error: %+v", p)
	}
	if p, _ := Problem(fmt.Errorf("wrapped: %w", &wire.Problem{Status: 409, Detail: "gap"}), 0); p.Detail != "gap" {
		t.Errorf("a problem: %+v", p)
	}
	if p, _ := Problem(pos.E("op", pos.Exhausted, "wait"), 90*time.Second); p.GetHeaders().Get("Retry-After") != "90" {
		t.Errorf("no Retry-After: %+v", p)
	}
}

// TestServer serves handlers that misbehave. Goal: a problem for each, the cause in
// the log alone, and the server goes on.
func TestServer(t *testing.T) {
	var log bytes.Buffer
	app := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil)), HTTPS: true})
	app.Get("/panic", func(*fiber.Ctx) error { panic("secret") })
	app.Get("/fails", func(*fiber.Ctx) error { return errors.New("secret") })
	app.Get("/who", func(c *fiber.Ctx) error {
		if _, ok := c.UserContext().Deadline(); !ok {
			t.Error("a handler without a deadline")
		}
		return c.SendString(Address(c.UserContext()))
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(ln) }()
	get := func(path string) (*http.Response, string) {
		t.Helper()
		res, err := http.Get("http://" + ln.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(b)
	}
	for path, want := range map[string]int{"/panic": 500, "/fails": 500, "/nothing": 404} {
		res, body := get(path)
		var p wire.Problem
		if res.StatusCode != want || json.Unmarshal([]byte(body), &p) != nil || p.Status != want || strings.Contains(body, "secret") {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
	if res, body := get("/who"); body != "127.0.0.1" || res.Header.Get("Strict-Transport-Security") == "" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%q %v", body, res.Header)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := errors.Join(app.Shutdown(), <-done); err != nil {
		t.Error(err)
	}
	if strings.Count(log.String(), "secret") < 2 {
		t.Errorf("the log lacks the causes:\n%s", &log)
	}
}
