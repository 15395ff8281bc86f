package link

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Paces of the screens' line. The till writes to each of its event streams every
// 5 s, so a screen that is there has something to acknowledge.
const (
	lookEvery = 3 * time.Second
	heardFor  = 15 * time.Second // three beats: after that a connection without writes is no stream
	deadAfter = 12 * time.Second // as long as a screen itself waits before it says that the till is away
	// giveUpAfter is when a screen's connection is closed that acknowledges nothing:
	// the kernel alone would keep it for a quarter of an hour, and a phone that walks
	// in and out of the Wi-Fi would use up its places.
	giveUpAfter = 30 * time.Second
	// missedFor is how long a screen that fell silent is missed after its connection
	// was closed: longer than a look at the router takes. Who left for good did not
	// fail.
	missedFor = 10 * time.Minute
)

// Screens tells whether a screen on the shop's network hears the till. A browser on
// the till's own board does not count.
type Screens struct {
	language string
	told     func(pos.Link)

	mu    sync.Mutex
	conns map[*heard]bool
	died  time.Time // when a screen was last given up
	last  pos.Link
}

// NewScreens returns a Screens that knows nothing yet. told is called after every
// change and must not block.
func NewScreens(language string, told func(pos.Link)) *Screens {
	return &Screens{language: language, told: told, conns: map[*heard]bool{}}
}

// Over returns a listener whose connections are watched.
func (s *Screens) Over(ln net.Listener) net.Listener { return listener{ln, s} }

type listener struct {
	net.Listener
	s *Screens
}

// Accept waits for the next connection.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok || !isRemote(c.RemoteAddr()) {
		return c, nil
	}
	giveUp(tcp, giveUpAfter)
	h := &heard{TCPConn: tcp, s: l.s, unheard: func() (int, bool) { return unheard(tcp) }}
	l.s.add(h)
	return h, nil
}

// isRemote reports that an address is another machine's.
func isRemote(a net.Addr) bool {
	at, err := netip.ParseAddrPort(a.String())
	return err == nil && !at.Addr().Unmap().IsLoopback()
}

// heard is a connection from another machine.
type heard struct {
	*net.TCPConn
	s       *Screens
	unheard func() (bytes int, known bool) // that the other end has not acknowledged

	mu    sync.Mutex
	wrote time.Time // last
	stuck bool      // a write found no room: nothing was taken for long
	since time.Time // how long something has been unacknowledged; zero when nothing is
}

// Write writes, and notes that there is something to acknowledge.
func (h *heard) Write(b []byte) (int, error) {
	n, err := h.TCPConn.Write(b)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrote = time.Now()
	h.stuck = errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) || errors.Is(err, syscall.EHOSTUNREACH)
	return n, err
}

// Close closes the connection and forgets it.
func (h *heard) Close() error {
	h.mu.Lock()
	silent := h.stuck || !h.since.IsZero() && time.Since(h.since) > deadAfter
	h.mu.Unlock()
	h.s.remove(h, silent)
	return h.TCPConn.Close()
}

func (s *Screens) add(h *heard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[h] = true
}

func (s *Screens) remove(h *heard, silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns[h] && silent {
		s.died = time.Now()
	}
	delete(s.conns, h)
}

// state is what one connection tells.
func (h *heard) state(now time.Time) string {
	n, known := h.unheard()
	h.mu.Lock()
	defer h.mu.Unlock()
	if n == 0 {
		h.since = time.Time{}
	} else if h.since.IsZero() {
		h.since = now
	}
	switch {
	case !known || h.wrote.IsZero():
		return "unknown"
	case n > 0 && now.Sub(h.since) > deadAfter:
		return "offline"
	case now.Sub(h.wrote) > heardFor || n > 0:
		return "unknown"
	}
	return "online"
}

// Status says whether a screen hears the till.
func (s *Screens) Status() pos.Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status()
}

// status is told by the best of all connections. s.mu is held.
func (s *Screens) status() pos.Link {
	l, now := pos.Link{Name: "screens", State: "unknown", Detail: pos.Word(s.language, "screens_none")}, time.Now()
	silent := pos.Link{Name: "screens", State: "offline", Detail: pos.Word(s.language, "screens_silent")}
	if !s.died.IsZero() && now.Sub(s.died) <= missedFor {
		l = silent
	}
	waiting := false
	for h := range s.conns {
		switch h.state(now) {
		case "online":
			s.died = time.Time{}
			return pos.Link{Name: "screens", State: "online"}
		case "offline":
			l = silent
		default:
			h.mu.Lock()
			waiting = waiting || !h.since.IsZero()
			h.mu.Unlock()
		}
	}
	if waiting && l.State == "unknown" && s.last.State != "" {
		return s.last // an acknowledgement is under way, or overdue: what was known stands
	}
	return l
}

// Run looks every few seconds until ctx ends; then it returns nil.
func (s *Screens) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		s.mu.Lock()
		l := s.status()
		news := l != s.last
		s.last = l
		s.mu.Unlock()
		if news {
			s.told(l)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
