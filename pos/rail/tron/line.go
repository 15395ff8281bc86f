package tron

import (
	"context"
	"encoding/json"
	"net/url"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Kind is how an endpoint is spoken to.
type Kind string

// Kinds. The zero Kind is JSONRPC.
const (
	JSONRPC  Kind = "jsonrpc"  // a node's own: https://…/jsonrpc
	TronGrid Kind = "trongrid" // TronGrid's API and a node's HTTP API below one address: https://api.trongrid.io
)

// Endpoint is one operator's way into the network.
type Endpoint struct {
	// Operator names who runs it, for people and for the logs. Two endpoints of one
	// name are one voice, and share one pace and one day's quota.
	Operator string
	// URL is secret. HTTPS, or HTTP to this computer or a private network.
	URL  string
	Kind Kind
	// Key is sent as TRON-PRO-API-KEY; empty: none.
	Key rpc.Secret
	// Daily is how many requests the operator's plan allows in a day; 0: 100,000 for
	// TronGrid's API (its free plan, 2026), no bound for JSON-RPC.
	Daily int
}

const (
	keyHeader = "TRON-PRO-API-KEY"
	// gridDaily is what TronGrid's free plan allows.
	gridDaily = 100_000
	// penalty is how long an endpoint is left alone that said that it is asked too often:
	// TronGrid answers nothing for 30 s then, and begins anew when it is asked.
	penalty = 35 * time.Second
	// gateEvery and gateBurst keep below the 15 requests in a second that it allows.
	gateEvery = 100 * time.Millisecond
	gateBurst = 5
)

// check fails with Invalid for an endpoint that cannot be used.
func (e Endpoint) check() error {
	if e.Kind != JSONRPC && e.Kind != TronGrid && e.Kind != "" {
		return pos.E("set up endpoint", pos.Invalid, `the kind of %s is "jsonrpc" or "trongrid"`, rpc.Clip(e.Operator))
	}
	if e.Daily < 0 {
		return pos.E("set up endpoint", pos.Invalid, "%s cannot allow %d requests a day", rpc.Clip(e.Operator), e.Daily)
	}
	return e.rpc().Check()
}

func (e Endpoint) rpc() rpc.Endpoint {
	out := rpc.Endpoint{Operator: e.Operator, URL: e.URL, Key: e.Key}
	if e.Key != "" {
		out.KeyHeader = keyHeader
	}
	return out
}

func (e Endpoint) quota() *rpc.Quota {
	if e.Daily == 0 && e.Kind == TronGrid {
		return rpc.NewQuota(gridDaily)
	}
	return rpc.NewQuota(e.Daily)
}

// voice is what the endpoints of one operator share.
type voice struct {
	pace  rpc.Pace
	quota *rpc.Quota

	mu    sync.Mutex
	until time.Time // when it may be asked again
	next  time.Time // when a request is due if none runs ahead
}

// turn takes a place among the requests and returns when it may go.
func (v *voice) turn(now time.Time) (at time.Time, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if now.Before(v.until) {
		return now, rpc.Failed(rpc.Limited, "left alone for %v more", v.until.Sub(now).Round(time.Second))
	}
	if ahead := now.Add(-gateBurst * gateEvery); v.next.Before(ahead) {
		v.next = ahead
	}
	v.next = v.next.Add(gateEvery)
	return v.next, nil
}

// line is one endpoint, asked within its operator's bounds.
type line struct {
	*rpc.Client
	voice *voice
}

// begin waits for its turn to make a request that holds n, or fails with rpc.Limited when
// it must not be made now.
func (l *line) begin(ctx context.Context, n int) error {
	now := time.Now()
	at, err := l.voice.turn(now)
	if err != nil {
		return err
	}
	if !l.voice.quota.Spend(n, now) {
		return rpc.Failed(rpc.Limited, "the day's requests are used up")
	}
	l.Spend()
	if err := rpc.Until(ctx, at); err != nil {
		return &rpc.Error{Fault: rpc.Unreachable, Err: err}
	}
	return nil
}

// end notes what came of a request.
func (l *line) end(err error) {
	if err == nil || rpc.FaultOf(err) != rpc.Limited {
		return
	}
	l.voice.mu.Lock()
	defer l.voice.mu.Unlock()
	l.voice.until = time.Now().Add(penalty)
}

// batch makes JSON-RPC calls. Operators may count each of them.
func (l *line) batch(ctx context.Context, calls ...rpc.Call) ([]rpc.Reply, error) {
	if err := l.begin(ctx, len(calls)); err != nil {
		return nil, err
	}
	out, err := l.Batch(ctx, calls...)
	for _, r := range out {
		if r.Err != nil && rpc.FaultOf(r.Err) == rpc.Limited && err == nil {
			err = r.Err
		}
	}
	l.end(err)
	return out, err
}

func (l *line) get(ctx context.Context, path string, query url.Values) (map[string]json.RawMessage, error) {
	if err := l.begin(ctx, 1); err != nil {
		return nil, err
	}
	f, err := l.Get(ctx, path, query)
	l.end(err)
	return f, err
}

func (l *line) post(ctx context.Context, path string, in any) (map[string]json.RawMessage, error) {
	if err := l.begin(ctx, 1); err != nil {
		return nil, err
	}
	f, err := l.Post(ctx, path, in)
	l.end(err)
	return f, err
}
