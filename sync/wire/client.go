package wire

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Bounds of a call.
const (
	answerWithin = 90 * time.Second // a full batch on a slow line, and a busy server's time
	maxAnswer    = 256 << 10        // answers are a few hundred bytes; a hundred outcomes some ninety thousand
)

// Causes of an Unavailable or Corrupt, for errors.Is. Neither is any word of the
// backoffice's, and neither moves the till's books.
var (
	// ErrPortal: a network answers in the backoffice's place, with a page or by
	// sending the till elsewhere (RFC 6585, section 6, names a status for it).
	ErrPortal = errors.New("a network's own page")
	// ErrStranger: the answer looks like a backoffice's and its proof fails.
	ErrStranger = errors.New("the answer is not signed by the backoffice that this till knows")
)

// Option changes how a till calls.
type Option func(*caller)

// AllowPlain lets a till use plain http to another machine. It is for a shop's
// own wire: whoever can listen there reads every sale, and an enrolment code.
func AllowPlain() Option { return func(c *caller) { c.plain = true } }

// Client is the till's end. It is safe for concurrent use, though the backoffice
// wants one sender a till.
type Client struct {
	caller
	till       string
	key        ed25519.PrivateKey
	backoffice ed25519.PublicKey

	mu   sync.Mutex
	last int64 // counter of the last request
}

// NewClient returns the client of the till that holds key. backoffice is the key
// learnt at enrolment; hc may be nil. A url it may not use makes every Push fail
// with Invalid and a sentence that says why.
func NewClient(url string, till string, key ed25519.PrivateKey, backoffice ed25519.PublicKey, hc *http.Client, opts ...Option) *Client {
	return &Client{caller: newCaller(url, hc, opts), till: till, key: key, backoffice: backoffice}
}

// Push offers records, oldest first and consecutive, and returns the backoffice's
// checked checkpoint: it holds every record up to there for good. That may be
// less than it was offered. An empty batch asks how far it is. Push blocks for at
// most 90 seconds.
//
// It fails with *GapError, with *ForkError, or with a pos.Error: Unavailable for
// an outage, Forbidden when this till is not (or no longer) known, Corrupt when a
// record or the answer fails its check, Invalid for a batch past the limits or a
// url it may not use.
func (c *Client) Push(ctx context.Context, batch []pos.Record) (pos.Checkpoint, error) {
	body, err := join(batch)
	if err != nil {
		return pos.Checkpoint{}, err
	}
	var cp pos.Checkpoint
	err = c.catchingUp(func() error {
		cp, err = c.push(ctx, body)
		return err
	})
	if p, ok := errors.AsType[*Problem](err); ok {
		return pos.Checkpoint{}, c.refusal(p)
	}
	return cp, err
}

// catchingUp calls, and calls once more when our clock went back since the last
// start and the backoffice says how far the counter was.
func (c *Client) catchingUp(call func() error) error {
	err := call()
	if p, ok := errors.AsType[*Problem](err); ok && p.Type == ProblemReplay && c.catchUp(p.After) {
		return call()
	}
	return err
}

// join puts the lines of a batch one after the other.
func join(batch []pos.Record) ([]byte, error) {
	size := 0
	for _, r := range batch {
		size += len(r.Line)
	}
	if len(batch) > MaxBatch || size > MaxBody {
		return nil, pos.E("push records", pos.Invalid, "%d records of %d bytes are too many at once", len(batch), size)
	}
	body := make([]byte, 0, size)
	for _, r := range batch {
		body = append(body, r.Line...)
	}
	return body, nil
}

func (c *Client) push(ctx context.Context, body []byte) (pos.Checkpoint, error) {
	req := Request{Method: http.MethodPost, Path: RecordsPath(c.till), To: c.backoffice, Counter: c.next(time.Now()), Body: body}
	var out Accepted
	if err := c.call(ctx, req, c.key, ContentType, &out); err != nil {
		return pos.Checkpoint{}, err
	}
	if err := CheckCheckpoint(out.Checkpoint, c.till, c.backoffice); err != nil {
		return pos.Checkpoint{}, strange(err)
	}
	if out.AcceptedTo != out.Checkpoint.N {
		return pos.Checkpoint{}, pos.E("check answer", pos.Corrupt, "the backoffice says %d and signs %d", out.AcceptedTo, out.Checkpoint.N)
	}
	return out.Checkpoint, nil
}

// clockMax is how far a clock may push the counter: the year 2112. A board that wakes
// later than that counts on by ones, and half of all numbers stay free for it.
const clockMax = MaxCounter / 2

// next returns the counter of a request made at now.
func (c *Client) next(now time.Time) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last+1, min(now.UnixMicro(), clockMax))
	return c.last
}

// catchUp takes the backoffice's word for the last counter it saw. It reports
// false for one that is not ahead, or so far ahead that no till ever sent it.
func (c *Client) catchUp(after int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if after < c.last || after > clockMax+clockMax/2 {
		return false
	}
	c.last = after
	return true
}

// refusal turns a problem into what Push promises.
func (c *Client) refusal(p *Problem) error {
	switch p.Type {
	case ProblemGap, ProblemFork:
	default:
		return &pos.Error{Op: "push records", Kind: kindOf(p), Msg: p.Detail}
	}
	if p.Checkpoint == nil {
		return pos.E("check answer", pos.Corrupt, "the backoffice gives no proof of what it holds")
	}
	if err := CheckCheckpoint(*p.Checkpoint, c.till, c.backoffice); err != nil {
		return strange(err)
	}
	if p.Type == ProblemFork {
		return &ForkError{pos.Fork{N: p.Checkpoint.N, Theirs: p.Checkpoint.Hash}}
	}
	if p.Expected != p.Checkpoint.N+1 {
		return pos.E("check answer", pos.Corrupt, "the backoffice expects %d and signs %d", p.Expected, p.Checkpoint.N)
	}
	return &GapError{p.Expected, *p.Checkpoint}
}

// strange marks an answer whose proof failed with err.
func strange(err error) error {
	return &pos.Error{Op: "check answer", Kind: pos.KindOf(err), Msg: "something that is not the backoffice answered", Err: errors.Join(ErrStranger, err)}
}

// kindOf says what a till does about a problem. Whatever is not plainly our fault
// is an outage: it is tried again.
func kindOf(p *Problem) pos.Kind {
	switch {
	case p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden || p.Status == http.StatusNotFound:
		return pos.Forbidden
	case p.Status == http.StatusUnprocessableEntity:
		return pos.Corrupt
	case p.Status == http.StatusTooManyRequests && p.Type == ProblemOf(pos.Exhausted):
		return pos.Exhausted
	case p.Status >= 400 && p.Status < 500 && p.Status != http.StatusTooManyRequests && p.Status != http.StatusRequestTimeout:
		return pos.Invalid
	default:
		return pos.Unavailable
	}
}

// caller makes signed calls to one backoffice.
type caller struct {
	base  string
	hc    *http.Client
	plain bool
	fault error
}

func newCaller(base string, hc *http.Client, opts []Option) caller {
	if hc == nil {
		hc = &http.Client{}
	}
	own := *hc
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the signature names the path
	c := caller{base: strings.TrimRight(base, "/"), hc: &own}
	for _, o := range opts {
		o(&c)
	}
	c.fault = CheckURL(c.base, c.plain)
	return c
}

// CheckURL says whether a till may call this backoffice: https, or plain http to
// this very machine, or plain http elsewhere when plain is set. It fails with
// Invalid and a sentence that says what to do.
func CheckURL(base string, plain bool) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return pos.E("check backoffice", pos.Invalid, "the backoffice's address must look like https://shop.example")
	}
	switch {
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return pos.E("check backoffice", pos.Invalid, "the backoffice's address must begin with https://")
	case loopback(u.Hostname()) || plain:
		return nil
	}
	return pos.E("check backoffice", pos.Invalid, "%s would send every sale unencrypted: use https://, or allow plain http for the shop's own network with allow_plain_http", base)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// call posts r and reads the answer into out. A refusal is a *Problem.
func (c caller) call(ctx context.Context, r Request, key ed25519.PrivateKey, contentType string, out any) error {
	b, _, err := c.exchange(ctx, r, key, contentType)
	if err != nil {
		return err
	}
	return decode(b, out)
}

// exchange posts r and returns the answer's bytes, which the caller owns, and its
// signature, which nobody has checked. A refusal is a *Problem.
func (c caller) exchange(ctx context.Context, r Request, key ed25519.PrivateKey, contentType string) (body []byte, signature string, err error) {
	if c.fault != nil {
		return nil, "", c.fault
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, c.base+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return nil, "", pos.Wrap("call backoffice", pos.Invalid, err, "the backoffice's address is wrong")
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", "application/json, "+ProblemType)
	req.Header.Set(HeaderSignature, r.Sign(key))
	if r.Counter != 0 {
		req.Header.Set(HeaderCounter, strconv.FormatInt(r.Counter, 10))
	}
	res, err := c.hc.Do(req)
	if err != nil {
		return nil, "", pos.Wrap("call backoffice", pos.Unavailable, err, "the backoffice cannot be reached")
	}
	defer res.Body.Close()
	body, err = read(res)
	return body, res.Header.Get(HeaderSignature), err
}

func decode(b []byte, out any) error {
	if err := json.Unmarshal(b, out); err != nil {
		return pos.Wrap("check answer", pos.Corrupt, err, "the backoffice's answer is unreadable")
	}
	return nil
}

// read reads an answer, or the problem that it is.
func read(res *http.Response) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil || len(b) > maxAnswer {
		return nil, pos.Wrap("call backoffice", pos.Unavailable, err, "the backoffice's answer did not arrive whole")
	}
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if res.StatusCode/100 == 2 && media == "application/json" {
		return b, nil
	}
	p := &Problem{Detail: fmt.Sprintf("something that is not a backoffice answered (%s)", res.Status)}
	if media == ProblemType && json.Unmarshal(b, p) == nil && p.Detail != "" {
		p.Status = res.StatusCode
		return nil, p
	}
	// A proxy, a captive portal, somebody else's web server: no word of our
	// backoffice, whatever its status says.
	if res.StatusCode/100 == 2 || res.StatusCode/100 == 3 || res.StatusCode == http.StatusNetworkAuthenticationRequired {
		return nil, pos.Wrap("call backoffice", pos.Unavailable, ErrPortal, "%s", p.Detail)
	}
	return nil, pos.E("call backoffice", pos.Unavailable, "%s", p.Detail)
}
