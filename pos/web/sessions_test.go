package web

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/tillwright/tillwright/pos"
)

// TestSessions lets sessions live and end on a fake clock.
func TestSessions(t *testing.T) {
	anna := pos.Actor{ID: "p1", Name: "Anna", Role: pos.Owner}
	for _, row := range []struct {
		name string
		do   func(s *sessions, token string)
		want bool
	}{
		{"used", func(s *sessions, token string) { time.Sleep(idleLock - 1); s.use(token); time.Sleep(idleLock - 1) }, true},
		{"idle", func(*sessions, string) { time.Sleep(idleLock) }, false},
		{"watched only", func(s *sessions, token string) { time.Sleep(idleLock - 1); s.peek(token); time.Sleep(1) }, false},
		{"a whole shift", func(s *sessions, token string) {
			for range maxSession / (idleLock / 2) {
				time.Sleep(idleLock / 2)
				s.use(token)
			}
		}, false},
		{"ended", func(s *sessions, token string) { s.end(token) }, false},
		{"crowded out", func(s *sessions, _ string) {
			for n := range maxSessions {
				time.Sleep(1)
				s.start(pos.Actor{ID: fmt.Sprint("other", n), Role: pos.Cashier})
			}
		}, false},
		{"nearly crowded out", func(s *sessions, _ string) {
			for n := range maxSessions - 1 {
				s.start(pos.Actor{ID: fmt.Sprint("other", n), Role: pos.Cashier})
			}
		}, true},
		{"crowded by one", func(s *sessions, _ string) {
			for range 2 * maxSessions {
				time.Sleep(1)
				s.start(pos.Actor{ID: "p2", Name: "Ben", Role: pos.Cashier})
			}
		}, true},
		{"on too many screens", func(s *sessions, _ string) {
			for range maxOwn {
				time.Sleep(1)
				s.start(anna)
			}
		}, false},
		{"swept past", func(s *sessions, token string) {
			for range 3 {
				time.Sleep(idleLock - 1)
				s.use(token)
				s.start(anna)
			}
		}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSessions()
				token := s.start(anna)
				row.do(s, token)
				if who, ok := s.use(token); ok != row.want || (ok && who != anna) {
					t.Errorf("got %v %v, want %v", who, ok, row.want)
				}
				if len(s.by) > maxSessions {
					t.Errorf("%d sessions", len(s.by))
				}
			})
		})
	}
}

// TestTokens makes many and finds no two alike, none short, and none kept.
func TestTokens(t *testing.T) {
	s, seen := newSessions(), map[string]bool{}
	for range 1000 {
		token := s.start(pos.Actor{ID: "p1", Role: pos.Cashier})
		if seen[token] || len(token) != 43 {
			t.Fatalf("token %q", token)
		}
		seen[token] = true
	}
	if kept := fmt.Sprint(s.by); func() bool {
		for token := range seen {
			if strings.Contains(kept, token) {
				return true
			}
		}
		return false
	}() {
		t.Error("a token is kept in the clear")
	}
	for _, token := range []string{"", "x", strings.Repeat("A", 43)} {
		if _, ok := s.use(token); ok {
			t.Errorf("%q is somebody", token)
		}
	}
}

// TestCookie signs in as a browser does: the cookie is out of scripts' reach, the
// token is not in the body, and signing in again ends the session before.
func TestCookie(t *testing.T) {
	k := serve(t)
	first := k.want(201, "POST", "/v1/sessions", `{"actor":"p1","pin":"1234"}`)
	if strings.Contains(string(first.body), "token") {
		t.Errorf("got %s", first.body)
	}
	set := first.Header.Get("Set-Cookie")
	for _, want := range []string{cookieName + "=", "HttpOnly", "SameSite=Strict", "path=/"} {
		if !strings.Contains(set, want) {
			t.Errorf("the cookie %q lacks %s", set, want)
		}
	}
	if strings.Contains(strings.ToLower(set), "expires") || strings.Contains(strings.ToLower(set), "max-age") {
		t.Errorf("the cookie %q outlives the browser", set)
	}
	cookie, _, _ := strings.Cut(set, ";")
	k.want(200, "GET", "/v1/items", "", "Cookie", cookie)
	second := k.want(201, "POST", "/v1/sessions", `{"actor":"p2","pin":"2222"}`, "Cookie", cookie)
	k.want(401, "GET", "/v1/items", "", "Cookie", cookie)
	cookie, _, _ = strings.Cut(second.Header.Get("Set-Cookie"), ";")
	out := k.want(204, "DELETE", "/v1/sessions/current", "", "Cookie", cookie)
	if got := out.Header.Get("Set-Cookie"); !strings.Contains(got, cookieName+"=;") {
		t.Errorf("signing out sets %q", got)
	}
	k.want(401, "GET", "/v1/items", "", "Cookie", cookie)
	if gone := k.staff.Gone(); len(gone) != 1 || gone[0].ID != "p2" {
		t.Errorf("signed out: %+v", gone)
	}
}

// TestWrongPIN makes no session, and locks by the staff's own count.
func TestWrongPIN(t *testing.T) {
	k := serve(t)
	for range 3 {
		r := k.want(403, "POST", "/v1/sessions", `{"actor":"p1","pin":"9999"}`)
		if r.Header.Get("Set-Cookie") != "" {
			t.Error("a wrong PIN got a cookie")
		}
	}
	r := k.want(429, "POST", "/v1/sessions", `{"actor":"p1","pin":"1234"}`)
	if r.Header.Get("Retry-After") != "60" || !strings.Contains(r.field("detail"), "60 seconds") {
		t.Errorf("got %s %s", r.Header.Get("Retry-After"), r.body)
	}
	k.want(400, "POST", "/v1/sessions", `{"actor":"p1","pin":""}`)
	if len(k.app.sessions.by) != 0 {
		t.Errorf("%d sessions", len(k.app.sessions.by))
	}
}

// TestSignInRate guesses at names as fast as it can. The till slows it down
// whoever it asks for, and the rest of the API stays open to that client.
func TestSignInRate(t *testing.T) {
	k := serve(t)
	k.slowly()
	slowed := 0
	for n := range signInBurst + 3 {
		r := k.ask("POST", "/v1/sessions", fmt.Sprintf(`{"actor":"x%d","pin":"0000"}`, n))
		if r.StatusCode == 429 && r.Header.Get("Retry-After") != "" {
			slowed++
		}
	}
	if slowed != 3 {
		t.Errorf("%d of %d guesses were slowed down", slowed, signInBurst+3)
	}
	k.want(200, "GET", "/v1/staff", "")
}

// slowly gives this client no further sign-in after its first ones, however slow the
// computer is.
func (k *till) slowly() {
	k.app.clients.get("127.0.0.1", time.Now()).signIn.SetLimit(rate.Every(time.Hour))
}

// TestClients counts requests by address on a fake clock, and remembers a bounded
// number of addresses.
func TestClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClients()
		a := c.get("10.0.0.1", time.Now())
		for range clientBurst {
			if _, ok := take(a.all, time.Now()); !ok {
				t.Fatal("slowed down within the burst")
			}
		}
		wait, ok := take(a.all, time.Now())
		if ok || wait <= 0 || wait > time.Second {
			t.Errorf("got %v %v", wait, ok)
		}
		if _, ok := take(c.get("10.0.0.2", time.Now()).all, time.Now()); !ok {
			t.Error("another address waits too")
		}
		time.Sleep(clientEvery)
		if _, ok := take(a.all, time.Now()); !ok {
			t.Error("still slowed down after its wait")
		}
		for n := range 2 * maxClients {
			time.Sleep(1)
			c.get(fmt.Sprint("10.1.", n), time.Now())
		}
		if len(c.by) != maxClients || c.by["10.0.0.1"] != nil {
			t.Errorf("%d addresses are remembered", len(c.by))
		}
	})
}

// TestFlood asks for more than any hand could. The till answers 429 and when to
// come back, and the desk is not reached.
func TestFlood(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	all := k.app.clients.get("127.0.0.1", time.Now()).all
	all.SetLimit(rate.Every(time.Hour)) // or a slow computer never gets there
	for ok := true; ok; {
		_, ok = take(all, time.Now())
	}
	r := k.want(429, "POST", "/v1/sales", "{}")
	if r.Header.Get("Retry-After") == "" || len(k.desk.Asked()) != 0 {
		t.Errorf("Retry-After %q, %d commands", r.Header.Get("Retry-After"), len(k.desk.Asked()))
	}
}

// TestReplaysAreBounded fills the memory of repeated answers.
func TestReplaysAreBounded(t *testing.T) {
	r := newReplays()
	for n := range 3 * maxReplays {
		r.keep(fmt.Sprint(n), replay{at: time.Unix(int64(n), 0)})
	}
	if _, newest := r.by[fmt.Sprint(3*maxReplays-1)]; len(r.by) != maxReplays || !newest {
		t.Errorf("%d answers kept", len(r.by))
	}
}
