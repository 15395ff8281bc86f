// Package rpc calls the endpoints of payment networks: JSON-RPC 2.0 over HTTPS.
//
// Promise. An answer is whole, of bounded size, of one JSON-RPC message to each call,
// with no key twice, or it is an Error that says why it cannot be relied on. The
// address of an endpoint, which holds the operator's key, is in no error and in no
// log; redirects are not followed. Each operator is asked at a pace that free plans
// bear, over all networks together.
//
// Limits. What an answer says is not judged here: that is the rail's work, for an
// operator may lie in perfect form.
package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Bounds of one request to an endpoint.
const (
	CallLimit   = 4 * time.Second // a healthy endpoint takes 50 to 300 ms; the desk waits 5 s for a check
	bodyLimit   = 1 << 20         // the largest honest answer is a Peek that finds something everywhere: 500 KB
	headerLimit = 32 << 10
	idleLimit   = 90 * time.Second
	keepAlive   = 20 * time.Second
	maxConns    = 4  // of one endpoint: its rounds, a proof, and a payment that is asked for
	MaxBatch    = 20 // calls of one request; public endpoints take 50 and more
)

// Endpoint is one operator's way into a chain.
type Endpoint struct {
	// Operator names who runs it, for people and for the logs. Two endpoints of one
	// name are one voice, and share one pace.
	Operator string
	// URL is secret: most operators put the key into it. HTTPS, or HTTP to this
	// computer or a private network.
	URL string
	// Key is sent with every request in the header KeyHeader, at operators that want it
	// there. Both may be empty.
	Key       Secret
	KeyHeader string
}

// LogValue leaves the URL out.
func (e Endpoint) LogValue() slog.Value { return slog.StringValue(e.Operator) }

// String leaves the URL out.
func (e Endpoint) String() string { return e.Operator }

// Check fails with Invalid for an endpoint that cannot be used.
func (e Endpoint) Check() error {
	u, err := url.Parse(e.URL)
	switch {
	case e.Operator == "" || len(e.Operator) > 32 || !pos.IsPlain(e.Operator):
		return pos.E("set up endpoint", pos.Invalid, "an endpoint needs its operator's name")
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return pos.E("set up endpoint", pos.Invalid, "the address of %s is not one that can be called", e.Operator)
	case u.Scheme == "https" || u.Scheme == "http" && nearby(u.Hostname()):
		return nil
	}
	return pos.E("set up endpoint", pos.Invalid, "the address of %s must begin with https: without it anybody on the way can say that a customer paid", e.Operator)
}

// nearby reports that a host is this computer or in a private network.
func nearby(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && (a.IsLoopback() || a.IsPrivate())
}

// Fault is why a call has no answer to rely on.
type Fault int

// Faults, the careful one first.
const (
	Odd         Fault = iota // an answer that makes no sense
	Unreachable              // no answer
	Limited                  // too many requests, by the operator's word
	Denied                   // the operator does not know the key
	Refused                  // a JSON-RPC error
	WrongChain               // another chain than it should be
	Stale                    // no new block for too long
	Differ                   // two operators say different things
)

// Error is a call without an answer to rely on. Its text holds no address and
// nothing that a server could have chosen beyond 60 plain letters.
type Error struct {
	Fault Fault
	Err   error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

func Failed(f Fault, format string, args ...any) *Error {
	return &Error{f, fmt.Errorf(format, args...)}
}

// ErrLarge is an answer of more bytes than are read. Strangers can make one: by what they
// put into a transaction that the till asks for.
var ErrLarge = fmt.Errorf("an answer of more than %d bytes", bodyLimit)

// FaultOf returns the fault of an error of this package's calls.
func FaultOf(err error) Fault {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Fault
	}
	return Unreachable
}

// Dialer opens a connection.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Client speaks JSON-RPC to one endpoint. It is safe for concurrent use.
type Client struct {
	Endpoint
	http    *http.Client
	pace    *Pace
	id      atomic.Uint64
	secrets [][]byte // what no answer may bring into an error
}

// New returns a client of one endpoint that shares p with all clients of its
// operator. dial may be nil: TCP. The caller checks e.
func New(e Endpoint, p *Pace, dial Dialer) *Client {
	if dial == nil {
		dial = (&net.Dialer{Timeout: CallLimit, KeepAlive: keepAlive}).DialContext
	}
	return &Client{Endpoint: e, pace: p, secrets: e.secrets(), http: &http.Client{
		// A redirect would carry the key to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dial, TLSHandshakeTimeout: CallLimit, ResponseHeaderTimeout: CallLimit,
			MaxConnsPerHost: maxConns, MaxIdleConnsPerHost: maxConns, IdleConnTimeout: idleLimit,
			MaxResponseHeaderBytes: headerLimit, ForceAttemptHTTP2: true,
			DisableCompression: true, // a small answer may unpack to a large one
		},
	}}
}

// shortest is how long a part of an address is at least that may be a key: "mainnet" and
// "jsonrpc" are none.
const shortest = 10

// secrets lists the keys of an endpoint: its own, and what its address may hold.
func (e Endpoint) secrets() (out [][]byte) {
	parts := []string{string(e.Key)}
	if u, err := url.Parse(e.URL); err == nil {
		parts = append(parts, strings.Split(u.Path, "/")...)
		for _, values := range u.Query() {
			parts = append(parts, values...)
		}
	}
	for i, s := range parts {
		if s != "" && (i == 0 || len(s) >= shortest) {
			out = append(out, []byte(s))
		}
	}
	return out
}

// hide takes the endpoint's keys out of an error that a server wrote: some repeat them.
func (c *Client) hide(raw json.RawMessage) json.RawMessage {
	for _, s := range c.secrets {
		raw = bytes.ReplaceAll(raw, s, []byte(redacted))
	}
	return raw
}

// Call is one call of a batch.
type Call struct {
	Method string
	Params []any
}

// Reply is its answer: a result, or the endpoint's own word why not.
type Reply struct {
	Result json.RawMessage
	Err    error
}

type request struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

// Batch makes calls in one HTTP request and returns their answers in order. An
// error is a *Error: then no answer can be relied on. It blocks for at most
// CallLimit, or until ctx ends.
func (c *Client) Batch(ctx context.Context, calls ...Call) ([]Reply, error) {
	if len(calls) > MaxBatch {
		return nil, Failed(Odd, "a batch of %d calls", len(calls))
	}
	first := c.id.Add(uint64(len(calls))) - uint64(len(calls)) + 1
	out := make([]request, len(calls))
	for i, k := range calls {
		out[i] = request{"2.0", first + uint64(i), k.Method, k.Params}
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, Failed(Odd, "the request cannot be written")
	}
	answer, err := c.send(ctx, http.MethodPost, c.URL, body)
	if err != nil {
		return nil, err
	}
	return c.readBatch(answer, first, len(calls))
}

// judge refuses an answer by its head. Operators send 429 for too many requests and
// 401 or 403 for a key that they do not know, mostly with a page of HTML; some send
// 403 for too many, and say so.
func judge(resp *http.Response, body []byte) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests || s == http.StatusForbidden && bytes.Contains(body, []byte("frequency limit")):
		return Failed(Limited, "too many requests")
	case s == http.StatusUnauthorized || s == http.StatusForbidden || s == http.StatusPaymentRequired:
		return Failed(Denied, "status %d", s)
	case s != http.StatusOK:
		return Failed(Odd, "status %d", s)
	case kind != "application/json" && kind != "application/json-rpc": // java-tron says the second
		return Failed(Odd, "%s instead of JSON", Clip(Plain(kind)))
	}
	return nil
}

// readBatch sorts the answers by their ids: each must be there exactly once.
func (c *Client) readBatch(body []byte, first uint64, n int) ([]Reply, error) {
	var all []json.RawMessage
	if b := bytes.TrimLeft(body, " \t\r\n"); len(b) == 0 || b[0] != '[' || json.Unmarshal(body, &all) != nil {
		return nil, refusal(c.hide(body))
	}
	if len(all) != n {
		return nil, Failed(Odd, "%d answers to %d calls", len(all), n)
	}
	out := make([]Reply, n)
	for _, one := range all {
		f, err := Fields(one)
		if err != nil {
			return nil, &Error{Odd, err}
		}
		var id uint64
		if json.Unmarshal(f["id"], &id) != nil || id < first || id >= first+uint64(n) || string(f["jsonrpc"]) != `"2.0"` {
			return nil, Failed(Odd, "an answer to another call")
		}
		r := &out[id-first]
		if r.Result != nil || r.Err != nil {
			return nil, Failed(Odd, "two answers to one call")
		}
		if f["error"] != nil {
			f["error"] = c.hide(f["error"])
		}
		*r = readReply(f)
	}
	return out, nil
}

// readReply reads result or error; both, or neither, is odd. An error of null is
// what some old servers send beside a result.
func readReply(f map[string]json.RawMessage) Reply {
	result, fine := f["result"]
	fault, bad := f["error"]
	bad = bad && string(fault) != "null"
	switch {
	case fine == bad:
		return Reply{Err: Failed(Odd, "neither an answer nor an error")}
	case fine:
		return Reply{Result: result}
	}
	return Reply{Err: readError(fault)}
}

// readError keeps code and message of a JSON-RPC error.
func readError(raw json.RawMessage) error {
	f, err := Fields(raw)
	var code int64
	if err != nil || json.Unmarshal(f["code"], &code) != nil {
		return Failed(Odd, "an error that is none")
	}
	message, _ := Text(f["message"], 4096)
	kind := Refused
	if code == -32005 || code == 429 { // EIP-1474: limit exceeded
		kind = Limited
	}
	return Failed(kind, "error %d: %s", code, Clip(Plain(message)))
}

// refusal reads an answer that is not a list: an operator's one word for a whole
// batch, or no JSON-RPC at all.
func refusal(body []byte) error {
	f, err := Fields(body)
	if err != nil || f["error"] == nil {
		return &Error{Odd, errNotJSON}
	}
	return readError(f["error"])
}

// Plain drops what is not a plain letter from a stranger's text.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}

// lineError drops the address around an error of the line: the key is in it.
func lineError(err error) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return errors.New(e.Op + ": no connection")
	}
	return errors.New("no connection")
}

// Close drops idle connections; those in use end with their calls.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// To makes a call.
func To(method string, params ...any) Call {
	if params == nil {
		params = []any{}
	}
	return Call{method, params}
}

// Spend notes a request that does not wait for the operator's pace.
func (c *Client) Spend() { c.pace.Spend() }

// Wait blocks until the operator's pace allows a request, or ctx ends.
func (c *Client) Wait(ctx context.Context) error { return c.pace.Wait(ctx) }
