package evm

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
	callLimit   = 4 * time.Second // a healthy endpoint takes 50 to 300 ms; the desk waits 5 s for a check
	bodyLimit   = 1 << 20         // the largest honest answer is a Peek that finds something everywhere: 500 KB
	headerLimit = 32 << 10
	idleLimit   = 90 * time.Second
	maxConns    = 4  // of one endpoint: its rounds, a proof, and a payment that is asked for
	batchMax    = 20 // calls of one request; public endpoints take 50 and more
)

// Endpoint is one operator's way into a chain.
type Endpoint struct {
	// Operator names who runs it, for people and for the logs. Two endpoints of one
	// name are one voice, and share one pace.
	Operator string
	// URL is secret: most operators put the key into it. HTTPS, or HTTP to this
	// computer or a private network.
	URL string
}

// LogValue leaves the URL out.
func (e Endpoint) LogValue() slog.Value { return slog.StringValue(e.Operator) }

// String leaves the URL out.
func (e Endpoint) String() string { return e.Operator }

// check fails with Invalid for an endpoint that cannot be used.
func (e Endpoint) check() error {
	u, err := url.Parse(e.URL)
	switch {
	case !plainName(e.Operator):
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

// fault is why a call has no answer to rely on.
type fault int

// Faults, the careful one first.
const (
	faultOdd         fault = iota // an answer that makes no sense
	faultUnreachable              // no answer
	faultLimited                  // too many requests, by the operator's word
	faultDenied                   // the operator does not know the key
	faultRefused                  // a JSON-RPC error
	faultChain                    // another chain than it should be
	faultStale                    // no new block for too long
	faultDiffer                   // two operators say different things
)

// callError is a call without an answer to rely on. Its text holds no address and
// nothing that a server could have chosen beyond 60 plain letters.
type callError struct {
	fault fault
	err   error
}

func (e *callError) Error() string { return e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

func failed(f fault, format string, args ...any) *callError {
	return &callError{f, fmt.Errorf(format, args...)}
}

// faultOf returns the fault of an error of this package's calls.
func faultOf(err error) fault {
	if e, ok := errors.AsType[*callError](err); ok {
		return e.fault
	}
	return faultUnreachable
}

// dialer opens a connection; nil is TCP.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// client speaks JSON-RPC to one endpoint. It is safe for concurrent use.
type client struct {
	Endpoint
	http *http.Client
	pace *pace
	id   atomic.Uint64
}

func newClient(e Endpoint, p *pace, dial dialer) *client {
	return &client{Endpoint: e, pace: p, http: &http.Client{
		// A redirect would carry the key to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dial, TLSHandshakeTimeout: callLimit, ResponseHeaderTimeout: callLimit,
			MaxConnsPerHost: maxConns, MaxIdleConnsPerHost: maxConns, IdleConnTimeout: idleLimit,
			MaxResponseHeaderBytes: headerLimit, ForceAttemptHTTP2: true,
			DisableCompression: true, // a small answer may unpack to a large one
		},
	}}
}

// call is one call of a batch.
type call struct {
	method string
	params []any
}

// reply is its answer: a result, or the endpoint's own word why not.
type reply struct {
	result json.RawMessage
	err    error
}

type request struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

// batch makes calls in one HTTP request and returns their answers in order. An
// error is a *callError: then no answer can be relied on. It blocks for at most
// callLimit, or until ctx ends.
func (c *client) batch(ctx context.Context, calls ...call) ([]reply, error) {
	if len(calls) > batchMax {
		return nil, failed(faultOdd, "a batch of %d calls", len(calls))
	}
	first := c.id.Add(uint64(len(calls))) - uint64(len(calls)) + 1
	out := make([]request, len(calls))
	for i, k := range calls {
		out[i] = request{"2.0", first + uint64(i), k.method, k.params}
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, failed(faultOdd, "the request cannot be written")
	}
	answer, err := c.post(ctx, body)
	if err != nil {
		return nil, err
	}
	return readBatch(answer, first, len(calls))
}

// post sends one request and returns the body of a good answer.
func (c *client) post(ctx context.Context, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, failed(faultOdd, "the endpoint cannot be called")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header["Idempotency-Key"] = nil // all calls may be repeated: net/http replaces a connection that died idle
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, &callError{faultUnreachable, lineError(err)}
	}
	defer func() { _ = resp.Body.Close() }() // read to its end or given up on purpose
	answer, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit+1))
	switch {
	case err != nil:
		return nil, &callError{faultUnreachable, lineError(err)}
	case len(answer) > bodyLimit:
		return nil, failed(faultOdd, "an answer of more than %d bytes", bodyLimit)
	}
	return answer, judge(resp)
}

// judge refuses an answer by its head. Operators send 429 for too many requests and
// 401 or 403 for a key that they do not know, mostly with a page of HTML.
func judge(resp *http.Response) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests:
		return failed(faultLimited, "too many requests")
	case s == http.StatusUnauthorized || s == http.StatusForbidden || s == http.StatusPaymentRequired:
		return failed(faultDenied, "status %d", s)
	case s != http.StatusOK:
		return failed(faultOdd, "status %d", s)
	case kind != "application/json":
		return failed(faultOdd, "%s instead of JSON", clip(plain(kind)))
	}
	return nil
}

// readBatch sorts the answers by their ids: each must be there exactly once.
func readBatch(body []byte, first uint64, n int) ([]reply, error) {
	var all []json.RawMessage
	if b := bytes.TrimLeft(body, " \t\r\n"); len(b) == 0 || b[0] != '[' || json.Unmarshal(body, &all) != nil {
		return nil, refusal(body)
	}
	if len(all) != n {
		return nil, failed(faultOdd, "%d answers to %d calls", len(all), n)
	}
	out := make([]reply, n)
	for _, one := range all {
		f, err := fields(one)
		if err != nil {
			return nil, &callError{faultOdd, err}
		}
		var id uint64
		if json.Unmarshal(f["id"], &id) != nil || id < first || id >= first+uint64(n) || string(f["jsonrpc"]) != `"2.0"` {
			return nil, failed(faultOdd, "an answer to another call")
		}
		r := &out[id-first]
		if r.result != nil || r.err != nil {
			return nil, failed(faultOdd, "two answers to one call")
		}
		*r = readReply(f)
	}
	return out, nil
}

// readReply reads result or error; both, or neither, is odd. An error of null is
// what some old servers send beside a result.
func readReply(f map[string]json.RawMessage) reply {
	result, fine := f["result"]
	fault, bad := f["error"]
	bad = bad && string(fault) != "null"
	switch {
	case fine == bad:
		return reply{err: failed(faultOdd, "neither an answer nor an error")}
	case fine:
		return reply{result: result}
	}
	return reply{err: readError(fault)}
}

// readError keeps code and message of a JSON-RPC error.
func readError(raw json.RawMessage) error {
	f, err := fields(raw)
	var code int64
	if err != nil || json.Unmarshal(f["code"], &code) != nil {
		return failed(faultOdd, "an error that is none")
	}
	message, _ := text(f["message"], 4096)
	kind := faultRefused
	if code == -32005 || code == 429 { // EIP-1474: limit exceeded
		kind = faultLimited
	}
	return failed(kind, "error %d: %s", code, clip(plain(message)))
}

// refusal reads an answer that is not a list: an operator's one word for a whole
// batch, or no JSON-RPC at all.
func refusal(body []byte) error {
	f, err := fields(body)
	if err != nil || f["error"] == nil {
		return &callError{faultOdd, errNotJSON}
	}
	return readError(f["error"])
}

// plain drops what is not a plain letter from a stranger's text.
func plain(s string) string {
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

// close drops idle connections; those in use end with their calls.
func (c *client) close() { c.http.CloseIdleConnections() }
