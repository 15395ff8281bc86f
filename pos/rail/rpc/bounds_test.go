package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// bubbled answers all connections of a client in memory, so that a bubble's clock goes on
// while it waits. It notes who was called.
type bubbled struct {
	conns chan net.Conn
	done  chan struct{}

	mu     sync.Mutex
	called []string
}

func (b *bubbled) Accept() (net.Conn, error) {
	select {
	case c := <-b.conns:
		return c, nil
	case <-b.done:
		return nil, net.ErrClosed
	}
}
func (b *bubbled) Close() error   { return nil }
func (b *bubbled) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (b *bubbled) dial(_ context.Context, _, address string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	b.mu.Lock()
	b.called = append(b.called, address)
	b.mu.Unlock()
	b.conns <- theirs
	return ours, nil
}

// before runs try with a client of a server that answers so. It must be called in a bubble.
func before(answer http.HandlerFunc, try func(c *Client, b *bubbled)) {
	b := &bubbled{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or net/http would not notice that the client goes
		answer(w, r)
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(b) }() // ends with Close
	c := New(Endpoint{Operator: "one", URL: "http://127.0.0.1/"}, &Pace{}, b.dial)
	try(c, b)
	c.Close()
	close(b.done)
	_ = srv.Close()
	<-served
}

const fine = `[{"jsonrpc":"2.0","id":1,"result":"0x1"}]`

func says(w http.ResponseWriter, kind, body string) {
	w.Header().Set("Content-Type", kind)
	_, _ = io.WriteString(w, body) // who does not read on is tested
}

// TestBounds: whatever a server does, a call ends in time, reads no more than a bounded
// body, and goes nowhere else.
func TestBounds(t *testing.T) {
	drip := func(w http.ResponseWriter, r *http.Request) { // never too slow for one read, and without an end
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, " "); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			_ = Until(r.Context(), time.Now().Add(time.Second))
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		fault  Fault
		took   time.Duration
	}{
		"fine":                     {func(w http.ResponseWriter, _ *http.Request) { says(w, "application/json", fine) }, -1, 0},
		"fine, as java-tron":       {func(w http.ResponseWriter, _ *http.Request) { says(w, "application/json-rpc; charset=utf-8", fine) }, -1, 0},
		"never":                    {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, Unreachable, CallLimit},
		"drop by drop":             {drip, Unreachable, CallLimit},
		"JSON that is called HTML": {func(w http.ResponseWriter, _ *http.Request) { says(w, "text/html", fine) }, Odd, 0},
		"JSON that is called text": {func(w http.ResponseWriter, _ *http.Request) { says(w, "text/plain", fine) }, Odd, 0},
		"JSON of no kind":          {func(w http.ResponseWriter, _ *http.Request) { says(w, "", fine) }, Odd, 0},
		"somewhere else": {func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "127.0.0.1" || r.URL.Path != "/" {
				says(w, "application/json", fine)
				return
			}
			w.Header().Set("Location", "http://127.0.0.2/")
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, Odd, 0},
		"somewhere else at the same host": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				says(w, "application/json", fine)
				return
			}
			http.Redirect(w, r, "/elsewhere", http.StatusPermanentRedirect)
		}, Odd, 0},
		"large headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Large", string(bytes.Repeat([]byte("x"), 2*headerLimit)))
			says(w, "application/json", fine)
		}, Unreachable, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before(c.answer, func(k *Client, b *bubbled) {
					began := time.Now()
					out, err := k.Batch(t.Context(), To("eth_chainId"))
					if c.fault < 0 {
						if err != nil || len(out) != 1 || string(out[0].Result) != `"0x1"` {
							t.Errorf("%v, %v", out, err)
						}
						return
					}
					if err == nil || FaultOf(err) != c.fault {
						t.Errorf("%v, %v", out, err)
					}
					if took := time.Since(began); took != c.took {
						t.Errorf("after %v", took)
					}
					b.mu.Lock()
					defer b.mu.Unlock()
					if len(b.called) != 1 || b.called[0] != "127.0.0.1:80" {
						t.Errorf("it called %v", b.called)
					}
				})
			})
		})
	}
}

// TestEndlessBody: of a body without an end no more is read than the limit, and the error
// says so: strangers can make one, and it is no reason to mistrust the operator.
func TestEndlessBody(t *testing.T) {
	for name, kind := range map[string]string{"JSON": "application/json", "a page": "text/html"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent atomic.Int64
				before(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", kind)
					n, _ := io.WriteString(w, `[{"jsonrpc":"2.0","id":1,"result":"`)
					part := bytes.Repeat([]byte("x"), 1<<16)
					for err := error(nil); err == nil && n < 8*bodyLimit; {
						var k int
						k, err = w.Write(part)
						n += k
					}
					sent.Store(int64(n))
				}, func(k *Client, _ *bubbled) {
					_, err := k.Batch(t.Context(), To("eth_chainId"))
					if !errors.Is(err, ErrLarge) || FaultOf(err) != Odd {
						t.Errorf("%v", err)
					}
					synctest.Wait() // the server noticed that nobody reads on
					if n := sent.Load(); n == 0 || n > bodyLimit+1<<18 {
						t.Errorf("%d bytes went out", n)
					}
				})
			})
		})
	}
}

// TestPace: whoever waits is held to the operator's pace in the long run, some requests
// may come at once, and those that did not wait never hold the others up for long.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		p, began := &Pace{}, time.Now()
		const n = 100
		for range n {
			if err := p.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ahead := paceBurst / PaceEvery
		if took := time.Since(began); took != (n-ahead)*PaceEvery {
			t.Errorf("%d requests took %v", n, took)
		}
		for range 10 * n {
			p.Spend()
		}
		began = time.Now()
		if err := p.Wait(t.Context()); err != nil || time.Since(began) > paceDebt+PaceEvery {
			t.Errorf("after a rush: %v, %v", time.Since(began), err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		for range n {
			_ = p.Wait(ctx) // the first may still go
		}
		if ctx.Err() == nil {
			t.Error("who gives up is held")
		}
	})
}

// TestBehindTheAnswer: one answer is one, and nothing is behind it.
func TestBehindTheAnswer(t *testing.T) {
	for _, s := range []string{`{"a":1}{"a":2}`, `{"a":1} x`, `{"a":1}]`, `{"a":1`, `{"a":1},`, ``, `null`, `"a"`, `[1]`} {
		if f, err := Fields([]byte(s)); err == nil {
			t.Errorf("%s: %v", s, f)
		}
	}
	if f, err := Fields([]byte(" {\"a\":1}\n")); err != nil || string(f["a"]) != "1" {
		t.Errorf("%v, %v", f, err)
	}
}

// TestEndpoint: what is said on the way must not be said by somebody else: HTTP is for
// this computer and for private networks alone, and no key stands where it would be told.
func TestEndpoint(t *testing.T) {
	for at, ok := range map[string]bool{
		"https://rpc.example/v2/key": true, "http://localhost:8545": true, "http://127.0.0.1": true, "http://[::1]:8545": true,
		"http://10.1.2.3": true, "http://192.168.1.9:8545/jsonrpc": true, "http://172.16.0.1": true, "http://[fd00::1]": true,
		"http://rpc.example": false, "http://8.8.8.8": false, "http://172.32.0.1": false, "http://192.168.1.9.example": false, "http://localhost.example": false,
		"https://user:key@rpc.example": false, "https://rpc.example/#key": false, "ws://127.0.0.1": false, "wss://rpc.example": false, "": false, "rpc.example": false, "https://": false,
	} {
		if err := (Endpoint{Operator: "one", URL: at}).Check(); (err == nil) != ok || err != nil && pos.KindOf(err) != pos.Invalid {
			t.Errorf("%q: %v", at, err)
		}
	}
	for _, name := range []string{"", "an operator's name of more than 32 letters", "two\nlines"} {
		if err := (Endpoint{Operator: name, URL: "https://rpc.example"}).Check(); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestHash: a hash is 32 bytes, and no fewer are filled up.
func TestHash(t *testing.T) {
	full := strings.Repeat("ab", 32)
	for s, ok := range map[string]bool{full: true, full[2:]: false, full + "ab": false, full[1:]: false, "": false, full[:62] + "zz": false} {
		if h, is := HexHash(json.RawMessage(`"0x` + s + `"`)); is != ok || is && h[31] != 0xab {
			t.Errorf("%s: %x, %v", s, h, is)
		}
	}
	if _, is := HexHash(json.RawMessage(`"` + full + `"`)); is {
		t.Error("a hash without 0x")
	}
}

// TestManyCalls: more calls than public endpoints take are not sent at all.
func TestManyCalls(t *testing.T) {
	k := New(Endpoint{Operator: "one", URL: "http://127.0.0.1/"}, &Pace{}, func(context.Context, string, string) (net.Conn, error) {
		t.Error("they were sent")
		return nil, net.ErrClosed
	})
	defer k.Close()
	if out, err := k.Batch(t.Context(), slices.Repeat([]Call{To("eth_chainId")}, MaxBatch+1)...); err == nil || FaultOf(err) != Odd {
		t.Errorf("%v, %v", out, err)
	}
}

// TestLimitedByCode: operators say in three ways that they are asked too often. It is no
// reason to mistrust what they said before.
func TestLimitedByCode(t *testing.T) {
	for code, want := range map[int]Fault{-32005: Limited, 429: Limited, -32000: Refused, -32602: Refused} {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"error":{"code":%d,"message":"no"}}`, code)
		out, err := new(Client).readBatch([]byte("["+body+"]"), 7, 1)
		if err != nil || FaultOf(out[0].Err) != want {
			t.Errorf("%d: %v, %v", code, out, err)
		}
		if _, err := new(Client).readBatch([]byte(body), 7, 1); FaultOf(err) != want {
			t.Errorf("%d for all: %v", code, err)
		}
	}
}
