package web

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What one client, and all of them together, may use. A till serves a handful of
// screens; the rest is slips, scripts gone wild, and strangers on the network.
const (
	bodyLimit = 8 << 10 // bytes of a request: the longest, a line with a name, takes 400
	headLimit = 8 << 10 // bytes of a request's head
	maxConns  = 256     // connections at once; each costs some 10 KB
	// maxClientConns is one client's part of them: a PC with ten tabs in two browsers.
	maxClientConns = 64
	maxDepth       = 4   // of nested objects in a body: an amount in a line is two
	pageLimit      = 100 // sales in a page, and the default of items
	itemsLimit     = 500 // items in a page

	readWithin   = 20 * time.Second // a whole request: a bad radio repeats a lost packet for ten, and a page that is refused one script stays empty
	deskWithin   = 10 * time.Second // one call of the desk: a node may take some seconds to make an invoice
	enrolWithin  = 30 * time.Second // over the internet, with a slow line
	answerWithin = 90 * time.Second // a request's answer, read whole: longer than enrolWithin, and than an idle connection lives
	retryDefault = 30 * time.Second // Retry-After when nobody knows better
	retryBusy    = 2 * time.Second  // Retry-After when another may have finished by then

	clientBurst  = 300                   // requests of one client at once: a page with all its files, five times
	clientEvery  = 20 * time.Millisecond // and after that, one: no hand is faster
	signInBurst  = 10                    // sign-ins of one client at once: a change of shift with slips
	signInEvery  = 3 * time.Second       // and after that, one; the staff's own lock counts wrong PINs
	signInAtOnce = 2                     // PINs checked at once: each costs tens of megabytes by design
	maxClients   = 512                   // clients remembered: more than a shop's network has addresses

	maxStreams       = 60 // event streams at once
	maxNameless      = 40 // of them, of screens where nobody is signed in
	maxClientStreams = 8  // of one client: browsers open six connections at most
	heartbeat        = 5 * time.Second
	writeWithin      = 10 * time.Second // for one event to a screen that may be asleep

	maxOwn      = 8                // of them, on how many screens one person is
	maxSessions = 64               // people signed in at once
	idleLock    = 5 * time.Minute  // without a request a session ends: nobody stands there
	maxSession  = 16 * time.Hour   // the longest shift
	maxReplays  = 64               // answers kept for repeated keys that the desk does not see
	replayFor   = 10 * time.Minute // a screen repeats within seconds
)

// client is what is known of one address.
type client struct {
	all, signIn *rate.Limiter
	seen        time.Time
}

// clients counts what each address does. It remembers maxClients and forgets the
// one not seen for longest.
type clients struct {
	mu   sync.Mutex
	by   map[string]*client
	busy chan struct{} // PINs being checked
}

func newClients() *clients {
	return &clients{by: map[string]*client{}, busy: make(chan struct{}, signInAtOnce)}
}

func (c *clients) get(addr string, now time.Time) *client {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.by[addr]
	if k == nil {
		if len(c.by) >= maxClients {
			c.forget()
		}
		k = &client{all: rate.NewLimiter(rate.Every(clientEvery), clientBurst), signIn: rate.NewLimiter(rate.Every(signInEvery), signInBurst)}
		c.by[addr] = k
	}
	k.seen = now
	return k
}

func (c *clients) forget() {
	var oldest string
	for addr, k := range c.by {
		if oldest == "" || k.seen.Before(c.by[oldest].seen) {
			oldest = addr
		}
	}
	delete(c.by, oldest)
}

// take spends one of l's requests, or says how long to wait for it.
func take(l *rate.Limiter, now time.Time) (wait time.Duration, ok bool) {
	r := l.ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}

// streams counts open event streams.
type streams struct {
	mu            sync.Mutex
	all, nameless int
	by            map[string]int
}

func newStreams() *streams { return &streams{by: map[string]int{}} }

// open takes a place for addr; the caller closes it. ok is false when there is
// none left: some are kept for who is known, or strangers would shut the staff's
// screens out.
func (s *streams) open(addr string, known bool) (ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= maxStreams || s.by[addr] >= maxClientStreams || (!known && s.nameless >= maxNameless) {
		return false
	}
	s.all++
	if !known {
		s.nameless++
	}
	s.by[addr]++
	return true
}

// close gives a place back, said as it was opened.
func (s *streams) close(addr string, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if !known {
		s.nameless--
	}
	if s.by[addr]--; s.by[addr] == 0 {
		delete(s.by, addr)
	}
}
