package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"

	"github.com/tillwright/tillwright/firmware/link"
	"github.com/tillwright/tillwright/pos"
)

// Bounds of a connection to the outside. Every call has its own deadline besides.
const (
	dialWithin  = 10 * time.Second // a SYN lost twice and answered at the third; the kernel would try for two minutes
	aliveEvery  = 15 * time.Second // a connection that nobody answers on is closed after three of them
	headerLimit = 64 << 10
	idleFor     = 100 * time.Second // longer than the outbox's heartbeat, shorter than most routers remember
)

// lineEvery is how often the node's line is looked at, for hurry.
const lineEvery = time.Second

// hurry ends the waits of those who wait for another line when the node's is back,
// until ctx ends: it was most likely the same cable, and the outbox may be minutes
// from its next try.
func (t *till) hurry(ctx context.Context, ready func() bool) {
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	for was := true; ; {
		now := ready()
		if now && !was {
			t.outbox.Retry()
			if t.offline != nil {
				t.offline.Wake()
			}
		}
		was = now
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// outside is how the till reaches the outside, and its wall clock: the zero value is
// the real one.
type outside struct {
	wall  func() time.Time                                                     // nil: the computer's
	dial  func(ctx context.Context, network, address string) (net.Conn, error) // nil: TCP
	roots *x509.CertPool                                                       // nil: the system's
}

// transport returns what the till calls price sources and backoffice with. It is
// net/http's own default with bounds for lines that die without a word: HTTP/2
// keeps one connection for all calls, and without pings it would keep a dead one
// for as long as the kernel does, a quarter of an hour.
func (n outside) transport() *http.Transport {
	dial := n.dial
	if dial == nil {
		dial = (&net.Dialer{
			Timeout:         dialWithin,
			KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: aliveEvery, Interval: aliveEvery, Count: 3},
		}).DialContext
	}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: n.roots},
		TLSHandshakeTimeout:    dialWithin,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        idleFor,
		MaxResponseHeaderBytes: headerLimit,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: aliveEvery, PingTimeout: aliveEvery},
	}
}

// now is the wall time, with a monotonic reading beside it where it is the computer's.
func (n outside) now() time.Time {
	if n.wall != nil {
		return n.wall()
	}
	return time.Now()
}

// links are those that no single part of the till owns, and the transport
// whose calls tell of them.
type links struct {
	internet *link.Internet
	screens  *link.Screens
	calls    http.RoundTripper // for price sources and backoffice
}

// buildLinks makes the lines. It comes before whoever calls anybody.
func (t *till) buildLinks() {
	tell := func(l pos.Link) { t.desk.SetLink(l) } // Run tells; by then there is a desk
	direct := t.net.transport()
	t.links.internet = link.NewInternet(link.Options{
		Language: t.c.shop.Language, Told: tell, Plain: direct,
		Trusted: func() bool { _, c := t.judge.Now(); return c == pos.ClockTrusted },
	})
	t.links.screens = link.NewScreens(t.c.shop.Language, tell)
	t.links.calls = t.links.internet.Over(direct)
	t.actors.add("internet", t.links.internet.Run, nil)
	t.actors.add("screens' line", t.links.screens.Run, nil)
	t.actors.add("clock", t.watchClock, nil)
}

// clockEvery is how often the screens are told how far the clock is believed.
const clockEvery = 5 * time.Second

// watchClock tells how far the clock is believed, until ctx ends.
func (t *till) watchClock(ctx context.Context) error {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	var last pos.Link
	for {
		if l := t.clockLink(); l != last {
			last = l
			t.desk.SetLink(l)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (t *till) clockLink() pos.Link {
	l := pos.Link{Name: "clock", State: "online"}
	_, trust := t.judge.Now()
	said, wrong := t.judge.Contradicted()
	switch {
	case wrong:
		l.State = "offline"
		l.Detail = pos.Word(t.c.shop.Language, "clock_wrong", "time", said.In(t.c.zone).Format("2006-01-02 15:04"))
	case trust != pos.ClockTrusted:
		l.State, l.Detail = "unknown", pos.Word(t.c.shop.Language, "time_unverified")
	}
	return l
}
