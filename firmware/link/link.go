// Package link says whether the lines are there that no single part of the till
// owns: the internet, and the shop's own network with the screens on it.
//
// Promise. A state is told from what real dependencies said, never from a cable or
// a signal strength. Online means that somebody's answer proves it, and is at most
// freshFor old; offline means that everybody who was asked failed, and names the
// cause in a cashier's words; everything else is unknown. Nothing here blocks a
// call that it watches, and no probe goes to anybody whom the till would not call
// anyway.
//
// Limits. An answer over plain HTTP proves nothing about the internet: any network may
// make one up. Only a sign-in page is believed, which nobody else would send. A
// dependency on the shop's own network says nothing about the internet and is not
// counted.
package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Bounds of what is kept, and for how long it counts.
const (
	freshFor = 3 * time.Minute  // rates and backoffice are asked every minute; one lost round is no outage
	maxHosts = 16               // a till calls some five
	askEvery = time.Minute      // of a network that lets nothing through: whether it wants a sign-in
	askFirst = 2 * time.Second  // after the first failure; the round of calls under way may bring a better cause
	askTime  = 10 * time.Second // for that question
	wakeMost = 30 * time.Second // how late a state may turn unknown
)

// cause is why a call failed; the later ones explain more.
type cause int

const (
	fine cause = iota
	odd        // failed in a way that names nothing
	silent
	refused
	nameless
	wrongClock
	signIn
)

// words of causes, as keys.
var words = map[cause]string{
	odd: "internet_odd", silent: "internet_silent", refused: "internet_silent", nameless: "internet_names",
	wrongClock: "internet_clock", signIn: "internet_sign_in",
}

// Options of an Internet.
type Options struct {
	Language string
	Told     func(pos.Link)    // called after every change; must not block
	Trusted  func() bool       // whether the till's time can be believed; nil: never
	Plain    http.RoundTripper // asks over plain HTTP what a network wants; nil: nobody is asked
}

// Internet tells whether the internet is there. It is safe for concurrent use.
type Internet struct {
	o    Options
	wake chan struct{}

	mu    sync.Mutex
	met   map[string]meeting // by host
	asked cause              // what the last question over plain HTTP found
	told  pos.Link
}

// meeting is the last call to a host.
type meeting struct {
	at  time.Time
	why cause
}

// NewInternet returns an Internet that knows nothing yet.
func NewInternet(o Options) *Internet {
	if o.Trusted == nil {
		o.Trusted = func() bool { return false }
	}
	return &Internet{o: o, wake: make(chan struct{}, 1), met: map[string]meeting{}}
}

// Over returns a transport that makes its calls over next, and watches how they
// end. What it returns and when is next's.
func (i *Internet) Over(next http.RoundTripper) http.RoundTripper { return watched{i, next} }

type watched struct {
	i    *Internet
	next http.RoundTripper
}

// RoundTrip makes the call.
func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := w.next.RoundTrip(r)
	if host := r.URL.Hostname(); isPublic(host) && !errors.Is(err, context.Canceled) {
		if why, tells := w.i.read(res, err); tells {
			w.i.meet(host, why)
		}
	}
	return res, err
}

// CloseIdleConnections lets http.Client reach the transport below.
func (w watched) CloseIdleConnections() {
	if c, ok := w.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// isPublic reports that a host is on the internet, as far as its name tells.
func isPublic(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, own := range []string{".local", ".lan", ".internal", ".home.arpa", ".onion"} { // RFC 6762, RFC 8375
		if strings.HasSuffix(host, own) {
			return false
		}
	}
	return strings.Contains(host, ".")
}

// read says what an answer tells of the line, if it tells anything: what comes over
// plain HTTP may be anybody's word.
func (i *Internet) read(res *http.Response, err error) (why cause, tells bool) {
	switch {
	case err != nil:
		return causeOf(err, i.o.Trusted()), true
	case res.TLS != nil:
		return fine, true // its certificate proves who spoke
	case isPortal(res):
		return signIn, true
	}
	return fine, false
}

// isPortal reports that a plain answer is a network's own: it wants to be signed in
// to (RFC 6585, section 6), or sends or shows a page to somebody who asked for none.
func isPortal(res *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	to, err := res.Location()
	switch {
	case res.StatusCode == http.StatusNetworkAuthenticationRequired:
		return true
	case res.StatusCode/100 == 3 && err == nil:
		return res.Request == nil || to.Hostname() != res.Request.URL.Hostname()
	}
	return res.StatusCode == http.StatusOK && kind == "text/html"
}

// causeOf reads the error of a call.
func causeOf(err error, trusted bool) cause {
	if c, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return ended(c, trusted)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok { // of another name, or nobody vouches for it
		return signIn
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok { // plain words where TLS should be
		return signIn
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return nameless
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return silent
	}
	for _, known := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ENETUNREACH, syscall.EHOSTUNREACH, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, known) {
			return refused
		}
	}
	return odd
}

// ended reads a certificate that is not valid now. One that begins in the future
// tells of a till in the past; one that is over tells of a till in the future, if
// nobody vouches for its clock.
func ended(c x509.CertificateInvalidError, trusted bool) cause {
	switch {
	case c.Reason != x509.Expired:
		return signIn
	case !trusted, c.Cert != nil && time.Now().Before(c.Cert.NotBefore):
		return wrongClock
	}
	return odd
}

// meet notes how a call to host ended.
func (i *Internet) meet(host string, why cause) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, known := i.met[host]; !known && len(i.met) >= maxHosts {
		i.forget()
	}
	i.met[host] = meeting{time.Now(), why}
	if why == fine {
		i.asked = fine
	}
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// forget drops the host that was not called for longest. i.mu is held.
func (i *Internet) forget() {
	oldest := ""
	for host, m := range i.met {
		if oldest == "" || m.at.Before(i.met[oldest].at) {
			oldest = host
		}
	}
	delete(i.met, oldest)
}

// Status says whether the internet is there, from what was heard in the last
// minutes. It does not block.
func (i *Internet) Status() pos.Link {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.status()
}

func (i *Internet) status() pos.Link {
	l, worst := pos.Link{Name: "internet", State: "unknown"}, fine
	for _, m := range i.met {
		switch {
		case time.Since(m.at) > freshFor:
			continue
		case m.why == fine:
			return pos.Link{Name: "internet", State: "online"}
		}
		worst = max(worst, m.why)
	}
	if worst != fine {
		l.State, l.Detail = "offline", pos.Word(i.o.Language, words[max(worst, i.asked)])
	}
	return l
}

// Run tells of changes until ctx ends; then it returns nil.
func (i *Internet) Run(ctx context.Context) error {
	var next time.Time // when the network may be asked what it wants
	for {
		l := i.tell()
		if l.State != "offline" {
			next = time.Time{}
		} else if host := i.suspect(); next.IsZero() {
			next = time.Now().Add(askFirst)
		} else if host != "" && !time.Now().Before(next) {
			i.ask(ctx, host)
			next = time.Now().Add(askEvery)
			continue
		}
		d := wakeMost
		if !next.IsZero() {
			d = min(d, max(time.Until(next), time.Millisecond))
		}
		if !i.rest(ctx, d) {
			return nil
		}
	}
}

// tell passes a change on.
func (i *Internet) tell() pos.Link {
	i.mu.Lock()
	l := i.status()
	news := l != i.told
	i.told = l
	i.mu.Unlock()
	if news && i.o.Told != nil {
		i.o.Told(l)
	}
	return l
}

func (i *Internet) rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-i.wake:
	case <-t.C:
	}
	return true
}

// suspect returns a host of which nothing is heard, always the same one of several,
// or "" when something else than a sign-in explains the outage or nobody may be asked.
func (i *Internet) suspect() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	found := ""
	for host, m := range i.met {
		if (found == "" || host < found) && i.o.Plain != nil && (m.why == silent || m.why == refused || m.why == odd) && time.Since(m.at) <= freshFor {
			found = host
		}
	}
	return found
}

// ask calls host over plain HTTP: networks that want a sign-in swallow what is
// encrypted and answer what is not. The host itself would send us to its encrypted
// address, so nothing it says is believed but that.
func (i *Internet) ask(ctx context.Context, host string) {
	ctx, stop := context.WithTimeout(ctx, askTime)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+hostText(host)+"/", nil)
	if err != nil {
		return
	}
	found := fine
	if res, err := i.o.Plain.RoundTrip(req); err == nil {
		if isPortal(res) {
			found = signIn
		}
		_ = res.Body.Close() // nothing in it is of use
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = found
}

func hostText(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
