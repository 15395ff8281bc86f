package evm

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// line is an operator's endpoint before a chain: honest, until it is told to lie.
// It forwards each call by itself and counts them.
type line struct {
	t   testing.TB
	srv *httptest.Server
	to  answerer

	mu       sync.Mutex
	down     bool
	requests int
	// lie, if set, may change the answer to a call, or the whole response.
	lie      func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage
	response func(w http.ResponseWriter, r *http.Request) bool
}

type rpcFault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// newLine puts an endpoint before a real chain.
func newLine(t testing.TB, a *anvil) *line {
	return newLineTo(t, func(method string, params []json.RawMessage) (json.RawMessage, *rpcFault) {
		ps := make([]any, len(params))
		for i, p := range params {
			ps[i] = p
		}
		out, err := a.Try(method, ps...)
		if err != nil {
			return nil, &rpcFault{-32000, err.Error()}
		}
		return out, nil
	})
}

func newLineTo(t testing.TB, to answerer) *line {
	l := &line{t: t, to: to}
	l.srv = httptest.NewServer(l)
	t.Cleanup(func() {
		l.srv.CloseClientConnections()
		l.srv.Close()
	})
	return l
}

func (l *line) url() string { return l.srv.URL }

// cut takes the endpoint off the till's line; the chain goes on.
func (l *line) cut() {
	l.mu.Lock()
	l.down = true
	l.mu.Unlock()
	l.srv.CloseClientConnections()
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// lies makes the endpoint change answers; nil makes it honest again.
func (l *line) lies(f func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lie = f
}

// through lets f answer with the chain behind the endpoint in its hands.
func (l *line) through(f func(method string, params []json.RawMessage, next answerer) (json.RawMessage, *rpcFault)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.to
	l.to = func(method string, params []json.RawMessage) (json.RawMessage, *rpcFault) {
		return f(method, params, next)
	}
}

// answerer answers one call.
type answerer = func(method string, params []json.RawMessage) (json.RawMessage, *rpcFault)

// responds makes the endpoint answer with something of its own, where f returns true.
func (l *line) responds(f func(w http.ResponseWriter, r *http.Request) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.response = f
}

func (l *line) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests
}

func (l *line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
