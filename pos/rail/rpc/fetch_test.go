package rpc

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestFetch asks a small API, and reads why it gives no answer.
func TestFetch(t *testing.T) {
	var got *http.Request
	answer := func(w http.ResponseWriter, _ *http.Request) {}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("Content-Type", "application/json")
		answer(w, r)
	}))
	defer srv.Close()
	c := New(Endpoint{Operator: "one", URL: srv.URL + "/", Key: "k3y", KeyHeader: "X-Key"}, &Pace{}, nil)
	defer c.Close()

	says := func(status int, body string) {
		answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = w.Write([]byte(body)) }
	}
	says(200, `{"a":1}`)
	f, err := c.Get(t.Context(), "/v1/x", url.Values{"limit": {"5"}})
	if err != nil || string(f["a"]) != "1" || got.Method != "GET" || got.URL.String() != "/v1/x?limit=5" || got.Header.Get("X-Key") != "k3y" {
		t.Errorf("%v, %v, %v", f, err, got)
	}
	if _, err = c.Post(t.Context(), "/v1/y", map[string]int{"b": 2}); err != nil || got.Method != "POST" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v, %v", err, got)
	}
	for name, x := range map[string]struct {
		status int
		body   string
		want   Fault
	}{
		"twice":     {200, `{"a":1,"a":2}`, Odd},
		"no object": {200, `[]`, Odd},
		"a key":     {401, `{}`, Denied},
		"no access": {403, `{}`, Denied},
		"suspended": {403, `{"Success":false,"Error":"The key exceeds the frequency limit(15), and the query server is suspended for 30s","StatusCode":403}`, Limited},
		"too many":  {429, ``, Limited},
		"broken":    {500, `{}`, Odd},
		"redirect":  {302, `{}`, Odd},
		"huge":      {200, `{"a":"` + strings.Repeat("x", bodyLimit) + `"}`, Odd},
	} {
		says(x.status, x.body)
		if f, err := c.Get(t.Context(), "/", nil); f != nil || FaultOf(err) != x.want || err == nil {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	srv.Close()
	if _, err := c.Get(t.Context(), "/", nil); FaultOf(err) != Unreachable || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("%v", err)
	}
}

// TestSecret prints a key in every way that a log or a panic would.
func TestSecret(t *testing.T) {
	e := Endpoint{Operator: "one", URL: "https://example.com/u4l", Key: "k3y", KeyHeader: "X"}
	b, err := json.Marshal(e.Key)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", e.Key, "endpoint", e)
	for _, s := range []string{fmt.Sprint(e.Key), fmt.Sprintf("%v %+v %#v %s %q %x %d", e.Key, e.Key, e.Key, e.Key, e.Key, e.Key, e.Key), string(b), log.String(), fmt.Sprintf("%v %s", e, e)} {
		if strings.Contains(s, "k3y") || strings.Contains(s, "6b3379") || strings.Contains(s, "u4l") {
			t.Errorf("told: %s", s)
		}
	}
}

// TestQuota: whatever is asked, a day has no more than its number.
func TestQuota(t *testing.T) {
	for _, daily := range []int{1, 7, 1000, 100_000} {
		q, at, spent := NewQuota(daily), time.Unix(1_000_000, 0), 0
		for end := at.Add(day); at.Before(end); at = at.Add(time.Second) {
			for q.Spend(1, at) {
				if spent++; spent > daily {
					t.Fatalf("%d in a day of %d", spent, daily)
				}
			}
		}
		if spent < daily*8/10 {
			t.Errorf("only %d of %d", spent, daily)
		}
	}
	q := NewQuota(100)
	if at := time.Unix(1, 0); !q.Spend(10, at) || q.Spend(1, at) {
		t.Error("a tenth may come at once, and no more")
	}
	if !NewQuota(0).Spend(1<<30, time.Now()) {
		t.Error("no quota is a bound")
	}
}

// TestEcho: an operator that repeats the key in its errors, as some do, puts it into no
// error of ours: errors are logged.
func TestEcho(t *testing.T) {
	const inPath, inHead, inQuery = "0123456789abcdef0123456789abcdef", "head-key-5f2c", "query-key-77aa"
	all := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fault := `{"code":-32000,"message":"no plan for ` + inPath + " " + inHead + " " + inQuery + `"}`
		if all { // one word for the whole batch
			_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":null,"error":` + fault + `}`))
			return
		}
		_, _ = w.Write([]byte(`[{"jsonrpc":"2.0","id":1,"error":` + fault + `}]`))
	}))
	defer srv.Close()
	c := New(Endpoint{Operator: "one", URL: srv.URL + "/v2/" + inPath + "?token=" + inQuery, Key: inHead, KeyHeader: "X-Key"}, &Pace{}, nil)
	defer c.Close()
	replies, err := c.Batch(t.Context(), To("eth_chainId"))
	if err != nil || len(replies) != 1 || replies[0].Err == nil {
		t.Fatalf("%v, %v", replies, err)
	}
	all = true
	_, err = c.Batch(t.Context(), To("eth_chainId"))
	for _, e := range []error{replies[0].Err, err} {
		for _, secret := range []string{inPath[:20], inHead, inQuery[:10]} {
			if e == nil || strings.Contains(e.Error(), secret) {
				t.Errorf("%v holds %q", e, secret)
			}
		}
	}
}
