package lnd

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Bounds of a stream.
const (
	silence    = 60 * time.Second // lnd pings no plain HTTP stream: a half-open one looks like this
	retryFirst = 500 * time.Millisecond
	retryLast  = 30 * time.Second
)

// Watch calls wake whenever Check may have news of p: at each change that the node
// tells, and each time the stream had to be opened anew. It concludes nothing
// itself, and says nothing of parts that are held: lnd sends no event for them.
// wake must not block. Watch returns when ctx ends.
func (r *Rail) Watch(ctx context.Context, p pos.Payment, wake func()) {
	_, h, err := r.identify("watch invoice", p)
	if err != nil {
		<-ctx.Done()
		return
	}
	wait := retryFirst
	for ctx.Err() == nil {
		n := r.node.Load()
		ended, told := false, false
		if n != nil {
			ended, told = n.stream(ctx, h, wake)
		}
		switch {
		case ended:
			wait = retryLast // it will tell the same end again; the poll reads it
		case told:
			wait = retryFirst
		}
		pause(ctx, jitter(wait))
		wait = min(2*wait, retryLast)
		if ctx.Err() == nil {
			wake() // whatever happened while nobody listened
		}
	}
}

// stream listens until the node, the line, silence or ctx ends it. ended reports
// that the invoice's last state was told, told that there was an event at all.
func (n *node) stream(ctx context.Context, h hash, wake func()) (ended, told bool) {
	select {
	case n.streams <- struct{}{}:
		defer func() { <-n.streams }()
	case <-ctx.Done():
		return false, false
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	quiet := time.AfterFunc(silence, stop) // covers the wait for the headers, too
	defer quiet.Stop()
	req, err := n.request(ctx, pathSubscribe+base64.URLEncoding.EncodeToString(h[:]), nil)
	if err != nil {
		return false, false
	}
	resp, err := n.http.Do(req)
	if err != nil {
		return false, false
	}
	defer func() { _ = resp.Body.Close() }() // a stream is not read to its end
	if resp.StatusCode != http.StatusOK {
		_, _ = io.CopyN(io.Discard, resp.Body, headerLimit) // so that the connection can be used again
		return false, false
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 0, 4<<10), bodyLimit)
	for lines.Scan() {
		quiet.Reset(silence)
		told = true
		wake()
		ended = isEnd(lines.Bytes())
	}
	return ended, told
}

// isEnd reports that an event tells a last state. It only sets the pace: a wrong
// guess costs seconds.
func isEnd(line []byte) bool {
	var event struct {
		Result struct {
			State string `json:"state"`
		} `json:"result"`
	}
	return json.Unmarshal(line, &event) == nil && (event.Result.State == stateSettled || event.Result.State == stateCanceled)
}

// pause waits for d, or for ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// jitter spreads d over ±20 %, so that the tills of a shop do not call in step.
func jitter(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*d/5+1)
}
