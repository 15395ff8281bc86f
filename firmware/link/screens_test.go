package link

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// phone is a screen's connection whose acknowledgements a test decides about.
type phone struct {
	h       *heard
	pending atomic.Int64
	unknown atomic.Bool
}

func newPhone(s *Screens) *phone {
	p := &phone{}
	p.h = &heard{s: s, unheard: func() (int, bool) { return int(p.pending.Load()), !p.unknown.Load() }}
	s.add(p.h)
	return p
}

// beat is the till's write every five seconds; nothing is at the other end.
func (p *phone) beat() {
	p.h.mu.Lock()
	p.h.wrote = time.Now()
	p.h.mu.Unlock()
}

// TestScreens walks a phone out of the Wi-Fi and back. Goal: online only while it
// acknowledges, offline once it has not for longer than it would itself wait, and
// unknown when nobody is there.
func TestScreens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []string
		s := NewScreens("en", func(l pos.Link) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, l.State)
		})
		done := make(chan error, 1)
		ctx, stop := context.WithCancel(t.Context())
		go func() { done <- s.Run(ctx) }()
		var phones []*phone
		pass := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Second) {
				for _, p := range phones {
					p.beat()
				}
			}
			synctest.Wait()
		}
		expect := func(what string, want ...string) {
			t.Helper()
			mu.Lock()
			defer mu.Unlock()
			if len(told) != len(want) || (len(want) > 0 && told[0] != want[0]) {
				t.Errorf("%s: told %v, want %v", what, told, want)
			}
			told = nil
		}
		pass(30 * time.Second)
		expect("nobody", "unknown")
		one := newPhone(s)
		phones = append(phones, one)
		pass(30 * time.Second)
		expect("a phone", "online")
		one.pending.Store(1)
		pass(10 * time.Second)
		expect("a beat under way")
		pass(20 * time.Second)
		expect("out of the Wi-Fi", "offline")
		two := newPhone(s)
		phones = append(phones, two)
		pass(20 * time.Second)
		expect("another one is there", "online")
		two.pending.Store(1)
		pass(30 * time.Second)
		expect("both are gone", "offline")
		one.pending.Store(0)
		pass(10 * time.Second)
		expect("one came back", "online")
		s.remove(one.h, false)
		s.remove(two.h, false)
		phones = nil
		pass(20 * time.Second)
		expect("closed in order", "unknown")
		lost := newPhone(s)
		phones = append(phones, lost)
		pass(10 * time.Second)
		expect("a phone", "online")
		lost.pending.Store(1)
		pass(20 * time.Second)
		expect("it walks off", "offline")
		s.remove(lost.h, true)
		phones = nil
		pass(9 * time.Minute)
		expect("it is missed")
		pass(2 * time.Minute)
		expect("it left for good", "unknown")
		three := newPhone(s)
		three.unknown.Store(true)
		phones = append(phones, three)
		pass(time.Minute)
		expect("a kernel that does not tell")
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestIdleIsNoScreen keeps a connection that the till does not write to. Goal: it
// proves nothing.
func TestIdleIsNoScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScreens("en", nil)
		p := newPhone(s)
		if got := s.Status(); got.State != "unknown" {
			t.Errorf("never written to: %+v", got)
		}
		p.beat()
		if got := s.Status(); got.State != "online" {
			t.Errorf("written to and acknowledged: %+v", got)
		}
		time.Sleep(heardFor + time.Second)
		if got := s.Status(); got.State != "unknown" {
			t.Errorf("written to long ago: %+v", got)
		}
	})
}

// TestListener uses a real connection. Goal: what the other end's kernel has taken
// is acknowledged, loopback is not watched, and a closed connection is forgotten.
func TestListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s := NewScreens("en", nil)
	far, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	near, err := s.Over(ln).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	tcp, plain := near.(*net.TCPConn)
	if !plain || len(s.conns) != 0 {
		t.Fatal("the board's own browser is watched")
	}
	h := &heard{TCPConn: tcp, s: s, unheard: func() (int, bool) { return unheard(tcp) }}
	s.add(h)
	giveUp(tcp, giveUpAfter)
	if _, err := h.Write([]byte("beat")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(far, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	for n, known := unheard(tcp); known && n > 0; n, known = unheard(tcp) { // loopback acknowledges within milliseconds
	}
	if got := s.Status(); got.State != "online" {
		t.Errorf("acknowledged, and yet %+v", got)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if len(s.conns) != 0 {
		t.Error("a closed connection is kept")
	}
	if _, known := unheard(tcp); known {
		t.Error("a closed connection acknowledges")
	}
}

// TestStuck fills a connection that nobody reads, as the till's views do when a
// phone has walked off. Goal: closing it is no orderly end.
func TestStuck(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	far, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	near, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	tcp := near.(*net.TCPConn)
	s := NewScreens("en", nil)
	h := &heard{TCPConn: tcp, s: s, unheard: func() (int, bool) { return unheard(tcp) }}
	s.add(h)
	h.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	for err == nil {
		_, err = h.Write(make([]byte, 1<<20))
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if got := s.Status(); got.State != "offline" {
		t.Errorf("a screen that took nothing was given up, and the till says %+v", got)
	}
}

func TestIsRemote(t *testing.T) {
	for at, want := range map[string]bool{
		"127.0.0.1:80": false, "[::1]:80": false, "[::ffff:127.0.0.1]:80": false, "192.168.1.7:80": true, "[fe80::1%eth0]:80": true, "junk": false,
	} {
		if got := isRemote(address(at)); got != want {
			t.Errorf("%s: %v", at, got)
		}
	}
}

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }
