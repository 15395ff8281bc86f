package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/wire"
)

var opening = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

// office answers one till as the protocol says, or as the test spoils it.
type office struct {
	t     *testing.T
	till  *tilltest.Till
	last  int64 // highest counter
	spoil func(w http.ResponseWriter, r *http.Request, body []byte, cp pos.Checkpoint) bool
	calls int
}

var officeKey = keyOf('b')

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.calls++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		o.t.Error(err)
	}
	counter, err := wire.ParseCounter(r.Header.Get(wire.HeaderCounter))
	req := wire.Request{Method: r.Method, Path: r.URL.Path, To: public(officeKey), Counter: counter, Body: body}
	if err != nil || req.Verify(o.till.Genesis.Key, r.Header.Get(wire.HeaderSignature)) != nil {
		o.t.Errorf("request is not signed: %v", err)
	}
	if counter <= o.last {
		problem(w, &wire.Problem{Type: wire.ProblemReplay, Status: 409, Detail: "seen before", After: o.last})
		return
	}
	o.last = counter
	var last pos.Record
	for line := range strings.Lines(string(body)) {
		if r.URL.Path != wire.RecordsPath(o.till.Genesis.Till) {
			break // what is said there is no record
		}
		if last, err = pos.ParseRecord([]byte(line)); err != nil {
			o.t.Error(err)
		}
	}
	cp := wire.SignCheckpoint(pos.Checkpoint{Till: o.till.Genesis.Till, N: last.N, Hash: last.Hash, At: opening}, officeKey)
	if o.spoil != nil && o.spoil(w, r, body, cp) {
		return
	}
	answer(w, wire.Accepted{AcceptedTo: cp.N, Checkpoint: cp})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(v)
}

func problem(w http.ResponseWriter, p *wire.Problem) {
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

func newOffice(t *testing.T) (*office, *wire.Client) {
	t.Helper()
	o := &office{t: t, till: tilltest.New(1, "01", "EUR", opening)}
	srv := httptest.NewServer(o)
	t.Cleanup(srv.Close)
	return o, wire.NewClient(srv.URL+"/", o.till.Genesis.Till, o.till.Key, public(officeKey), srv.Client())
}

func TestPush(t *testing.T) {
	o, c := newOffice(t)
	cp, err := c.Push(t.Context(), o.till.Records())
	if err != nil || cp.N != 2 || cp.Hash != o.till.Records()[1].Hash {
		t.Errorf("got %+v, %v", cp, err)
	}
	if cp, err = c.Push(t.Context(), nil); err != nil || cp.N != 0 {
		t.Errorf("empty batch: %+v, %v", cp, err)
	}
}

// TestClockWentBack starts a till whose clock is behind that of its last run. Goal:
// it catches up by itself, in one more call.
func TestClockWentBack(t *testing.T) {
	o, c := newOffice(t)
	o.last = time.Now().Add(48 * time.Hour).UnixMicro()
	if _, err := c.Push(t.Context(), o.till.Records()); err != nil || o.calls != 2 {
		t.Errorf("%d calls, %v", o.calls, err)
	}
	if _, err := c.Push(t.Context(), nil); err != nil || o.calls != 3 {
		t.Errorf("%d calls, %v", o.calls, err)
	}
	o.last = wire.MaxCounter/2 + 1000 // it had once woken after 2112, and counted on by ones
	if _, err := c.Push(t.Context(), nil); err != nil || o.calls != 5 {
		t.Errorf("%d calls, %v", o.calls, err)
	}
	o.last = wire.MaxCounter // nobody sent that
	if _, err := c.Push(t.Context(), nil); err == nil || o.calls != 6 {
		t.Errorf("absurd counter: %d calls, %v", o.calls, err)
	}
}

// TestSpoiltAnswers gives the client every answer that a backoffice must not give.
// Goal: none moves the till's books.
func TestSpoiltAnswers(t *testing.T) {
	type spoil = func(w http.ResponseWriter, cp pos.Checkpoint)
	sign := func(cp pos.Checkpoint) *pos.Checkpoint { out := wire.SignCheckpoint(cp, officeKey); return &out }
	forged := func(cp pos.Checkpoint) *pos.Checkpoint { out := wire.SignCheckpoint(cp, keyOf('x')); return &out }
	tests := map[string]struct {
		spoil spoil
		want  pos.Kind
	}{
		"forged checkpoint":   {func(w http.ResponseWriter, cp pos.Checkpoint) { answer(w, wire.Accepted{cp.N, *forged(cp)}) }, pos.Corrupt},
		"unsigned checkpoint": {func(w http.ResponseWriter, cp pos.Checkpoint) { cp.Sig = nil; answer(w, wire.Accepted{cp.N, cp}) }, pos.Corrupt},
		"another till's": {func(w http.ResponseWriter, cp pos.Checkpoint) {
			cp.Till = "other"
			answer(w, wire.Accepted{cp.N, *sign(cp)})
		}, pos.Corrupt},
		"says more than signed": {func(w http.ResponseWriter, cp pos.Checkpoint) { answer(w, wire.Accepted{cp.N + 1, cp}) }, pos.Corrupt},
		"no JSON": {func(w http.ResponseWriter, cp pos.Checkpoint) {
			w.Header().Set("Content-Type", "application/json")
			w.Write([]byte("{"))
		}, pos.Corrupt},
		"a captive portal": {func(w http.ResponseWriter, _ pos.Checkpoint) { w.Write([]byte("<html>welcome")) }, pos.Unavailable},
		"a portal's 404":   {func(w http.ResponseWriter, _ pos.Checkpoint) { http.Error(w, "no", 404) }, pos.Unavailable},
		"a redirect": {func(w http.ResponseWriter, _ pos.Checkpoint) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(307)
		}, pos.Unavailable},
		"a huge answer":     {func(w http.ResponseWriter, _ pos.Checkpoint) { w.Write(make([]byte, 1<<20)) }, pos.Unavailable},
		"a bad gateway":     {func(w http.ResponseWriter, _ pos.Checkpoint) { problem(w, &wire.Problem{Status: 502, Detail: "down"}) }, pos.Unavailable},
		"too many requests": {func(w http.ResponseWriter, _ pos.Checkpoint) { problem(w, &wire.Problem{Status: 429, Detail: "wait"}) }, pos.Unavailable},
		"not known here": {func(w http.ResponseWriter, _ pos.Checkpoint) {
			problem(w, &wire.Problem{Status: 404, Detail: "not enrolled"})
		}, pos.Forbidden},
		"a bad signature": {func(w http.ResponseWriter, _ pos.Checkpoint) {
			problem(w, &wire.Problem{Status: 403, Detail: "not signed"})
		}, pos.Forbidden},
		"a bad record": {func(w http.ResponseWriter, _ pos.Checkpoint) {
			problem(w, &wire.Problem{Status: 422, Detail: "line 1"})
		}, pos.Corrupt},
		"a bad request": {func(w http.ResponseWriter, _ pos.Checkpoint) { problem(w, &wire.Problem{Status: 400, Detail: "no"}) }, pos.Invalid},
		"fork without proof": {func(w http.ResponseWriter, _ pos.Checkpoint) {
			problem(w, &wire.Problem{Type: wire.ProblemFork, Status: 409, Detail: "fork"})
		}, pos.Corrupt},
		"forged fork": {func(w http.ResponseWriter, cp pos.Checkpoint) {
			problem(w, &wire.Problem{Type: wire.ProblemFork, Status: 409, Detail: "fork", Checkpoint: forged(cp)})
		}, pos.Corrupt},
		"forged gap": {func(w http.ResponseWriter, cp pos.Checkpoint) {
			problem(w, &wire.Problem{Type: wire.ProblemGap, Status: 409, Detail: "gap", Expected: 3, Checkpoint: forged(cp)})
		}, pos.Corrupt},
		"gap that contradicts": {func(w http.ResponseWriter, cp pos.Checkpoint) {
			problem(w, &wire.Problem{Type: wire.ProblemGap, Status: 409, Detail: "gap", Expected: 9, Checkpoint: &cp})
		}, pos.Corrupt},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o, c := newOffice(t)
			o.spoil = func(w http.ResponseWriter, _ *http.Request, _ []byte, cp pos.Checkpoint) bool {
				tt.spoil(w, cp)
				return true
			}
			cp, err := c.Push(t.Context(), o.till.Records())
			if pos.KindOf(err) != tt.want || err == nil || cp.N != 0 {
				t.Errorf("got %+v, %v (%v), want %v", cp, err, pos.KindOf(err), tt.want)
			}
			if e, ok := errors.AsType[*pos.Error](err); !ok || e.Msg == "" {
				t.Errorf("no sentence for the cashier: %v", err)
			}
		})
	}
}

func TestGapAndFork(t *testing.T) {
	o, c := newOffice(t)
	kind := wire.ProblemGap
	o.spoil = func(w http.ResponseWriter, _ *http.Request, _ []byte, cp pos.Checkpoint) bool {
		problem(w, &wire.Problem{Type: kind, Status: 409, Detail: "no", Expected: cp.N + 1, Checkpoint: &cp})
		return true
	}
	_, err := c.Push(t.Context(), o.till.Records())
	if gap, ok := errors.AsType[*wire.GapError](err); !ok || gap.Expected != 3 || gap.Checkpoint.N != 2 {
		t.Errorf("got %v", err)
	}
	kind = wire.ProblemFork
	_, err = c.Push(t.Context(), o.till.Records())
	if fork, ok := errors.AsType[*wire.ForkError](err); !ok || fork.Fork.N != 2 || fork.Fork.Theirs != o.till.Records()[1].Hash {
		t.Errorf("got %v", err)
	}
}

// TestLimits offers more than a request may hold, and calls where it may not.
func TestLimits(t *testing.T) {
	o, c := newOffice(t)
	if _, err := c.Push(t.Context(), make([]pos.Record, wire.MaxBatch+1)); pos.KindOf(err) != pos.Invalid {
		t.Errorf("too many records: %v", err)
	}
	if _, err := c.Push(t.Context(), []pos.Record{{Line: make([]byte, wire.MaxBody+1)}}); pos.KindOf(err) != pos.Invalid {
		t.Errorf("too many bytes: %v", err)
	}
	if o.calls != 0 {
		t.Errorf("%d calls", o.calls)
	}
	plain := wire.NewClient("http://192.0.2.1:1", "t", o.till.Key, public(officeKey), nil)
	if _, err := plain.Push(t.Context(), nil); pos.KindOf(err) != pos.Invalid || !strings.Contains(err.Error(), "unencrypted") {
		t.Errorf("plain http: %v", err)
	}
}

// TestNobodyListens calls a port that was closed.
func TestNobodyListens(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	c := wire.NewClient(srv.URL, "t", keyOf('t'), public(officeKey), nil)
	if _, err := c.Push(t.Context(), nil); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestEnrol(t *testing.T) {
	till := tilltest.New(1, "01", "EUR", opening)
	status := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		req := wire.Request{Method: r.Method, Path: wire.EnrolPath, Body: body}
		var in wire.Enrolment
		if err := json.Unmarshal(body, &in); err != nil || req.Verify(in.Genesis.Key, r.Header.Get(wire.HeaderSignature)) != nil {
			t.Errorf("enrolment %s is not signed, %v", body, err)
		}
		if in.Code != "76QQ-2M8X" || in.Genesis.Till != till.Genesis.Till {
			t.Errorf("enrolment %s", body)
		}
		if status != 0 {
			problem(w, &wire.Problem{Status: status, Detail: fmt.Sprint("refused with ", status)})
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(wire.Welcome{Key: public(officeKey), Shop: "Café Süd"})
	}))
	t.Cleanup(srv.Close)
	got, err := wire.Enrol(t.Context(), srv.URL+"/", "76qq 2m8x", till.Key, till.Genesis, nil)
	if err != nil || got.URL != srv.URL || got.Shop != "Café Süd" || string(got.Key) != string(public(officeKey)) {
		t.Errorf("got %+v, %v", got, err)
	}
	for code, want := range map[int]pos.Kind{403: pos.Forbidden, 409: pos.Conflict, 429: pos.Exhausted, 503: pos.Unavailable, 400: pos.Invalid} {
		status = code
		_, err := wire.Enrol(t.Context(), srv.URL, "76QQ-2M8X", till.Key, till.Genesis, nil)
		if pos.KindOf(err) != want {
			t.Errorf("%d: got %v, want %v", code, err, want)
		}
	}
	if _, err := wire.Enrol(t.Context(), srv.URL, "short", till.Key, till.Genesis, nil); pos.KindOf(err) != pos.Invalid {
		t.Errorf("mistyped: %v", err)
	}
}
