package cointest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Fault is an error that JSON-RPC knows.
type Fault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Answerer answers one call.
type Answerer = func(method string, params []json.RawMessage) (json.RawMessage, *Fault)

// Liar changes one answer.
type Liar = func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage

// Line is an operator's JSON-RPC endpoint before a chain: honest, until it is told to lie. It
// takes what a till may send, a batch by POST, answers each call by itself and counts them.
type Line struct {
	t   testing.TB
	srv *httptest.Server // nil: it is served by somebody else

	mu              sync.Mutex
	to              Answerer
	down            bool
	requests, calls int
	lie             Liar
	response        func(w http.ResponseWriter, r *http.Request) bool
}

// NewLine puts an endpoint of its own address before a chain, until the test ends.
func NewLine(t testing.TB, to Answerer) *Line {
	l := BareLine(t, to)
	l.srv = httptest.NewServer(l)
	t.Cleanup(func() {
		l.srv.CloseClientConnections()
		l.srv.Close()
	})
	return l
}

// BareLine is an endpoint that has no address yet: in a bubble Serve gives it one.
func BareLine(t testing.TB, to Answerer) *Line { return &Line{t: t, to: to} }

// URL returns its address; empty without one.
func (l *Line) URL() string {
	if l.srv == nil {
		return ""
	}
	return l.srv.URL
}

// Cut takes the endpoint off the till's line; the chain goes on.
func (l *Line) Cut() {
	l.mu.Lock()
	l.down = true
	l.mu.Unlock()
	if l.srv != nil {
		l.srv.CloseClientConnections()
	}
}

// Mend ends Cut.
func (l *Line) Mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// Lies makes the endpoint change answers; nil makes it honest again.
func (l *Line) Lies(f Liar) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lie = f
}

// Through lets f answer with the chain behind the endpoint in its hands.
func (l *Line) Through(f func(method string, params []json.RawMessage, next Answerer) (json.RawMessage, *Fault)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.to
	l.to = func(method string, params []json.RawMessage) (json.RawMessage, *Fault) {
		return f(method, params, next)
	}
}

// Responds makes the endpoint answer with something of its own, where f returns true.
func (l *Line) Responds(f func(w http.ResponseWriter, r *http.Request) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.response = f
}

// Count returns how many requests came, and how many calls were in them.
func (l *Line) Count() (requests, calls int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests, l.calls
}

// ServeHTTP answers one batch.
func (l *Line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	l.mu.Lock()
	down, lie, response, to := l.down, l.lie, l.response, l.to
	l.requests++
	l.mu.Unlock()
	if err != nil || down {
		panic(http.ErrAbortHandler)
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		l.t.Errorf("a request with method %s and type %q", r.Method, r.Header.Get("Content-Type"))
	}
	if response != nil && response(w, r) {
		return
	}
	var in []struct {
		Version string `json:"jsonrpc"`
		ID      json.RawMessage
		Method  string
		Params  []json.RawMessage
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || len(in) == 0 {
		l.t.Errorf("not a batch: %v", err)
	}
	l.mu.Lock()
	l.calls += len(in)
	l.mu.Unlock()
	out := make([]map[string]any, len(in))
	for i, c := range in {
		if c.Version != "2.0" || c.Params == nil {
			l.t.Errorf("call %s without version or parameters", c.Method)
		}
		result, fault := to(c.Method, c.Params)
		if lie != nil && fault == nil {
			result = lie(c.Method, c.Params, result)
		}
		// Servers may answer in any order.
		out[len(in)-1-i] = map[string]any{"jsonrpc": "2.0", "id": c.ID, "result": result}
		if fault != nil {
			out[len(in)-1-i] = map[string]any{"jsonrpc": "2.0", "id": c.ID, "error": fault}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(out); err != nil {
		return // the other end is gone
	}
}
