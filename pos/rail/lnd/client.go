package lnd

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Bounds of one call. An answer holds at most 483 parts of a payment of about
// 600 bytes each; 1 MiB is three times that.
const (
	callLimit    = 5 * time.Second  // every call but the next; a healthy node takes 10 ms
	addLimit     = 15 * time.Second // AddInvoice: hop hints took 12 s on a large node (lnd#6898)
	bodyLimit    = 1 << 20
	headerLimit  = 64 << 10
	keepAlive    = 20 * time.Second // half-open connections have hung for days (lnd#7727)
	keepAliveTry = 3
	idleLimit    = 90 * time.Second
	maxStreams   = 8  // each costs a connection, at lnd too; who waits for a place is polled all the same
	maxConns     = 16 // streams, and calls of as many payments at once
)

// client speaks to one node with one macaroon. It is safe for concurrent use.
type client struct {
	conn    Connection
	http    *http.Client
	streams chan struct{} // one token a stream
	ends    atomic.Int64  // unix seconds of the certificate's end, 0 if unknown
}

// dialer opens a connection; nil is TCP.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// newClient makes no connection yet. clock says whether the till's time can be
// trusted.
func newClient(conn Connection, dial dialer, clock func() bool) *client {
	c := &client{conn: conn, streams: make(chan struct{}, maxStreams)}
	if dial == nil {
		dial = (&net.Dialer{
			Timeout:         callLimit,
			KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive, Count: keepAliveTry},
		}).DialContext
	}
	c.http = &http.Client{
		// A redirect would carry the macaroon to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// There is no limit for response headers: a stream's come with its first
		// event, which may be an hour away. Every other call has a deadline.
		Transport: &http.Transport{
			DialContext:            dial,
			TLSClientConfig:        conn.tlsConfig(clock, func(leaf *x509.Certificate) { c.ends.Store(leaf.NotAfter.Unix()) }),
			TLSHandshakeTimeout:    callLimit,
			MaxConnsPerHost:        maxConns,
			MaxIdleConnsPerHost:    maxConns - maxStreams,
			IdleConnTimeout:        idleLimit,
			MaxResponseHeaderBytes: headerLimit,
			DisableCompression:     true, // a small answer may unpack to a large one
		},
	}
	return c
}

// close drops idle connections; those in use end with their calls.
func (c *client) close() { c.http.CloseIdleConnections() }

// stamp is when an answer was made, by both clocks.
type stamp struct {
	node  time.Time     // the node's, from the Date header; zero if it has none
	ahead time.Duration // how far the till's clock is ahead of it
}

// clockNoise is how far a Date header, cut to whole seconds and delayed by the
// line, is off by itself.
const clockNoise = 2 * time.Second

// stampOf compares the Date header with the middle of the call.
func stampOf(h http.Header, sent, got time.Time) stamp {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return stamp{}
	}
	ahead := sent.Add(got.Sub(sent) / 2).Sub(at.Add(time.Second / 2)).Round(time.Second)
	if ahead.Abs() <= clockNoise+got.Sub(sent)/2 {
		ahead = 0
	}
	return stamp{at, ahead}
}

// now returns the node's time, or the till's if the node did not say.
func (s stamp) now() time.Time {
	if s.node.IsZero() {
		return time.Now()
	}
	return s.node
}

// call makes one call and reads its answer into out. in is nil for GET. Every
// error is a *callError; then out holds nothing to rely on.
func (c *client) call(ctx context.Context, limit time.Duration, path string, in, out any) (stamp, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := c.request(ctx, path, in)
	if err != nil {
		return stamp{}, &callError{path, faultNotAllowed, err}
	}
	sent := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		return stamp{}, &callError{path, lineFault(err), lineError(err)}
	}
	defer func() { _ = resp.Body.Close() }() // read to its end or given up on purpose
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit+1))
	s := stampOf(resp.Header, sent, time.Now())
	switch {
	case err != nil:
		return s, &callError{path, faultUnreachable, lineError(err)}
	case len(body) > bodyLimit:
		return s, &callError{path, faultOdd, fmt.Errorf("an answer of more than %d bytes", bodyLimit)}
	}
	if err := read(resp, body, out); err != nil {
		return s, wrapRefusal(path, err)
	}
	return s, nil
}

// request builds a call. All of the till's calls may be repeated without harm, and
// the empty Idempotency-Key (which is not sent) tells net/http so: a connection
// that died idle is then replaced instead of reported.
func (c *client) request(ctx context.Context, path string, in any) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, errors.New("the request cannot be written")
		}
		method, body = http.MethodPost, bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.conn.URL+path, body)
	if err != nil {
		return nil, errors.New("the node's address cannot be called")
	}
	if path != pathState {
		req.Header.Set("Grpc-Metadata-macaroon", c.conn.Macaroon.hex())
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header["Idempotency-Key"] = nil
	}
	return req, nil
}

// read judges an answer. What lnd did not write (a proxy's page, a captive portal)
// is odd, whatever its status.
func read(resp *http.Response, body []byte, out any) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind != "application/json" {
		return fmt.Errorf("status %d with %s instead of JSON", resp.StatusCode, clip(scrub(kind)))
	}
	if resp.StatusCode != http.StatusOK {
		r, ok := readRefusal(resp.StatusCode, body)
		if !ok {
			return fmt.Errorf("status %d without lnd's words", resp.StatusCode)
		}
		return r
	}
	return decode(body, out)
}

// wrapRefusal names the fault of an answer.
func wrapRefusal(path string, err error) error {
	f := faultOdd
	if r, ok := errors.AsType[*refusal](err); ok {
		f = classify(r)
	}
	return &callError{path, f, err}
}

// lineError drops the address around an error of the line, and anything that a
// server may have put into a malformed response.
func lineError(err error) error {
	for _, known := range []error{errPin, errEnded, context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e
	}
	return errors.New(scrub(err.Error()))
}

// Paths of the five calls, and of the state, which needs no macaroon.
const (
	pathState     = "/v1/state"
	pathInfo      = "/v1/getinfo"
	pathInvoices  = "/v1/invoices"
	pathInvoice   = "/v1/invoice/"
	pathCancel    = "/v2/invoices/cancel"
	pathSubscribe = "/v2/invoices/subscribe/"
)

// addInvoice is the request of that name.
type addInvoice struct {
	Value    string `json:"value"` // satoshis
	Memo     string `json:"memo,omitempty"`
	MemoHash []byte `json:"description_hash,omitempty"` // instead of a memo
	Expiry   string `json:"expiry"`                     // seconds; lnd's default is a day
	Preimage string `json:"r_preimage"`
	Private  bool   `json:"private,omitempty"`
}

func (c *client) add(ctx context.Context, in addInvoice) (added, stamp, error) {
	var out added
	s, err := c.call(ctx, addLimit, pathInvoices, in, &out)
	return out, s, err
}

// lookup reads the invoice of h, and checks that the answer is about it.
func (c *client) lookup(ctx context.Context, h hash) (invoice, stamp, error) {
	var out invoice
	s, err := c.call(ctx, callLimit, pathInvoice+h.String(), nil, &out)
	if err == nil {
		if bad := out.check(h); bad != nil {
			err = &callError{pathInvoice, faultOdd, bad}
		}
	}
	return out, s, err
}

// cancel withdraws the invoice of h. Nil is lnd's {}: nobody can pay it any more.
func (c *client) cancel(ctx context.Context, h hash) error {
	in := struct {
		Hash string `json:"payment_hash"`
	}{base64.StdEncoding.EncodeToString(h[:])}
	var out map[string]any
	_, err := c.call(ctx, callLimit, pathCancel, in, &out)
	switch {
	case faultOf(err) == faultCancelled:
		return nil
	case err == nil && len(out) > 0: // somebody's {"error":…} with status 200 withdraws nothing
		return &callError{pathCancel, faultOdd, errors.New("not lnd's answer to a cancellation")}
	}
	return err
}

func (c *client) info(ctx context.Context) (info, stamp, error) {
	var out info
	s, err := c.call(ctx, callLimit, pathInfo, nil, &out)
	return out, s, err
}

// state returns lnd's own word for how far it has started.
func (c *client) state(ctx context.Context) (string, error) {
	var out struct {
		State string `json:"state"`
	}
	_, err := c.call(ctx, callLimit, pathState, nil, &out)
	return out.State, err
}
