package web

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// heard is what one screen has received.
type heard struct {
	mu     sync.Mutex
	events map[string]int // by name; "" is a view
	last   screen
	ended  bool
}

func (h *heard) get() heard {
	h.mu.Lock()
	defer h.mu.Unlock()
	return heard{events: map[string]int{"": h.events[""], "beat": h.events["beat"], "picture": h.events["picture"]}, last: h.last, ended: h.ended}
}

// listen connects a screen over a pipe, so that a bubble's clock rules it.
func listen(t *testing.T, k *till, query, token string) *heard {
	t.Helper()
	client := pipe(t, k, query, token)
	res, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatal(err)
	}
	if ct := res.Header.Get("Content-Type"); res.StatusCode != 200 || ct != "text/event-stream" {
		t.Fatalf("got %d %s", res.StatusCode, ct)
	}
	h := &heard{events: map[string]int{}}
	go func() {
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		name := ""
		for lines.Scan() {
			if n, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				name = n
			} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				h.take(name, data)
				name = ""
			}
		}
		h.mu.Lock()
		h.ended = true
		h.mu.Unlock()
	}()
	return h
}

func (h *heard) take(name, data string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events[name]++
	if name == "" {
		h.last = screen{}
		if err := json.Unmarshal([]byte(data), &h.last); err != nil {
			panic(err)
		}
	}
}

func pipe(t *testing.T, k *till, query, token string) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { client.Close() })
	k.app.fiber.Handler()
	go func() { _ = k.app.fiber.Server().ServeConn(server) }() // ends with the pipe
	head := ""
	if token != "" {
		head = "Authorization: Bearer " + token + "\r\n"
	}
	if _, err := fmt.Fprintf(client, "GET /v1/events%s HTTP/1.1\r\nHost: till\r\n%s\r\n", query, head); err != nil {
		t.Fatal(err)
	}
	return client
}

// warm starts what fasthttp keeps for a process, a clock among it, outside any
// bubble: a bubble must not end with it.
var warm = sync.OnceFunc(func() {
	client, server := net.Pipe()
	app := New(Options{Desk: webtest.NewDesk(webtest.Shop("en"), nil), Staff: webtest.NewStaff(), Display: webtest.NewPicture()})
	app.fiber.Handler()
	go func() { _ = app.fiber.Server().ServeConn(server) }()
	go func() {
		_, _ = io.WriteString(client, "GET /healthz HTTP/1.1\r\nHost: till\r\nConnection: close\r\n\r\n")
	}()
	_, _ = io.ReadAll(client)
})

// bubble runs f on a fake clock.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	warm()
	synctest.Test(t, f)
}

// TestEvents publishes faster than a screen reads, is silent for a while, and
// stops. The screen must have the newest state, not all of them, beats through
// the silence, and an end.
func TestEvents(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := open(t)
		h := listen(t, k, "?picture=display", "")
		synctest.Wait()
		h.mu.Lock() // the screen reads no further
		for n := range 100 {
			k.app.Publish(pos.View{Version: uint64(n + 1), Shop: k.app.o.Shop, Customer: pos.Customer{Phase: pos.PhaseBasket}})
		}
		h.mu.Unlock()
		synctest.Wait()
		// What lies between stream and screen, some ten, and the newest; a queue would send each.
		if got := h.get(); got.last.Version != 100 || got.events[""] > 20 {
			t.Errorf("version %d after %d events, want 100 after a few", got.last.Version, got.events[""])
		}
		k.app.Publish(pos.View{Version: 7}) // late, from another goroutine
		time.Sleep(8*heartbeat + time.Second)
		synctest.Wait()
		got := h.get()
		if got.last.Version != 100 || got.events["beat"] != 9 || got.events["picture"] != 1 {
			t.Errorf("version %d, events %v, want 100, 9 beats, 1 picture", got.last.Version, got.events)
		}
		k.app.hub.close()
		synctest.Wait()
		if !h.get().ended || k.app.streams.all != 0 {
			t.Errorf("ended %v, %d streams left", h.get().ended, k.app.streams.all)
		}
		k.app.hub.close() // twice does no harm
		k.app.Publish(pos.View{Version: 101})
	})
}

// TestEventsBySession gives the counter's part to who is signed in, takes it away
// when the session ends by itself, and never gives it to the customer's page.
func TestEventsBySession(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := open(t)
		token := k.app.sessions.start(k.staff.Names()[0])
		mine, theirs, display := listen(t, k, "", token), listen(t, k, "", "made-up"), listen(t, k, "?part=customer", token)
		synctest.Wait()
		if got := mine.get().last; got.Counter == nil || got.Session == nil || got.Session.Actor.Name != "Anna" {
			t.Errorf("who is signed in gets %+v", got)
		}
		for name, h := range map[string]*heard{"a stranger": theirs, "the customer": display} {
			if got := h.get().last; got.Counter != nil || got.Session != nil || got.Shop.Name == "" {
				t.Errorf("%s gets %+v", name, got)
			}
		}
		time.Sleep(idleLock + heartbeat) // watching is no sign of life
		synctest.Wait()
		if got := mine.get(); got.last.Counter != nil || got.events[""] != 2 {
			t.Errorf("after the idle lock the screen still knows %+v", got.last.Counter)
		}
		k.app.hub.close()
		synctest.Wait()
	})
}

// TestSleepingScreen stops reading in the middle of an event. The stream must end
// by itself, and Publish must not wait for it.
func TestSleepingScreen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := open(t)
		client := pipe(t, k, "", "")
		if _, err := client.Read(make([]byte, 200)); err != nil {
			t.Fatal(err)
		}
		for n := range 50 {
			k.app.Publish(pos.View{Version: uint64(n + 1), Customer: pos.Customer{Reason: strings.Repeat("x", 10_000)}})
			time.Sleep(time.Second)
		}
		time.Sleep(2 * writeWithin)
		synctest.Wait()
		if k.app.streams.all != 0 {
			t.Errorf("%d streams hang on a screen that sleeps", k.app.streams.all)
		}
	})
}

// TestStreamLimit opens as many streams as one client may, and one more.
func TestStreamLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := open(t)
		for range maxClientStreams {
			listen(t, k, "", "")
		}
		synctest.Wait()
		res, err := http.ReadResponse(bufio.NewReader(pipe(t, k, "", "")), nil)
		if err != nil || res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
			t.Errorf("got %v %v, want 503", res, err)
		}
		k.app.hub.close()
		synctest.Wait()
		if len(k.app.streams.by) != 0 {
			t.Errorf("places still taken: %v", k.app.streams.by)
		}
	})
}

// TestFrame writes a view once for all screens, and the same as one alone.
func TestFrame(t *testing.T) {
	k := open(t)
	who := k.staff.Names()[0]
	f := &frame{view: k.desk.View(), software: "1.2.3"}
	for _, p := range []*pos.Actor{nil, &who, nil} {
		want := screenOf(f.view, f.software)
		if p != nil {
			counter := counterOf(f.view)
			want.Counter, want.Session = &counter, sessionOf(*p)
		}
		if got := string(f.bytes(p)); got != string(mustJSON(want)) {
			t.Errorf("got  %s\nwant %s", got, mustJSON(want))
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	k := open(b)
	v := k.desk.View()
	for b.Loop() {
		v.Version++
		k.app.Publish(v)
	}
}
