package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// newLine opens a line whose two doors lead to far.
func newLine(t testing.TB, far func() string) *Line {
	t.Helper()
	l, err := OpenLine(filepath.Join(t.TempDir(), "line.json"), far, far, far)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// echo answers lines, and tells of every connection.
type echo struct {
	addr  string
	taken chan net.Conn
}

func newEcho(t testing.TB) *echo {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	e := &echo{addr: l.Addr().String(), taken: make(chan net.Conn, 100)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			e.taken <- c
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
	return e
}

// caller is one connection of the till's.
type caller struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func dial(t testing.TB, addr string) *caller {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &caller{t, c, bufio.NewReader(c)}
}

// says sends a line and wants it back.
func (c *caller) says(text string) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c, text); err != nil {
		c.t.Fatal(err)
	}
	if got, err := c.in.ReadString('\n'); got != text+"\n" || err != nil {
		c.t.Fatalf("said %q, came back %q, %v", text, got, err)
	}
}

// isReset wants the connection to end, and not because of its deadline.
func (c *caller) isReset() {
	c.t.Helper()
	if _, err := c.in.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Errorf("the connection ended with %v", err)
	}
}

// turnedAway wants a connection to be reset at once, which may be before the one who
// dials knows that he has it.
func turnedAway(t testing.TB, addr string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, patience)
	if errors.Is(err, syscall.ECONNRESET) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	(&caller{t, c, bufio.NewReader(c)}).isReset()
}

// isSilent wants nothing to come, for long enough that an echo would have.
func (c *caller) isSilent() {
	c.t.Helper()
	_, _ = fmt.Fprintln(c, "anybody there?")
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if got, err := c.in.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Errorf("the line is silent and gave %q, %v", got, err)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
}

func set(t testing.TB, l *Line, s LineState) {
	t.Helper()
	if err := l.Set(s); err != nil || l.State() != s {
		t.Fatalf("the line is %s, %v, want %s", l.State(), err, s)
	}
}

// Goal: cut means that who is connected knows at once and who calls is refused;
// afterwards the same addresses work again. Both doors, in every order of states.
func TestLine(t *testing.T) {
	e := newEcho(t)
	l := newLine(t, func() string { return e.addr })
	if l.Node() == l.Office() || l.State() != LineUp {
		t.Fatalf("doors %s and %s, %s", l.Node(), l.Office(), l.State())
	}
	refused := func(addr string) {
		t.Helper()
		if c, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			if err == nil {
				c.Close()
			}
			t.Errorf("%s: the line is cut and the call got %v", addr, err)
		}
	}
	for _, door := range []string{l.Node(), l.Office()} {
		before := dial(t, door)
		before.says("hello")
		set(t, l, LineCut)
		before.isReset()
		refused(door)
		set(t, l, LineCut) // again changes nothing
		refused(door)
		set(t, l, LineUp)
		frozen := dial(t, door)
		frozen.says("hello again")
		set(t, l, LineSilent)
		late := dial(t, door)
		frozen.isSilent()
		late.isSilent()
		set(t, l, LineUp)
		frozen.isReset()
		late.isReset()
		dial(t, door).says("back")
		set(t, l, LineCut)
		set(t, l, LineSilent)
		mute := dial(t, door)
		mute.isSilent()
		set(t, l, LineCut)
		mute.isReset()
		refused(door)
		set(t, l, LineUp)
		dial(t, door).says("and back")
	}
	if err := l.Set("slow"); err == nil || l.State() != LineUp {
		t.Errorf("slow is no state: %v, %s", err, l.State())
	}
}

// Goal: what was read before silence came is not delivered into it, and the far end
// of a silent connection hears nothing of the near end's words.
func TestLineSilentFar(t *testing.T) {
	e := newEcho(t)
	l := newLine(t, func() string { return e.addr })
	c := dial(t, l.Office())
	c.says("hello")
	far := <-e.taken
	set(t, l, LineSilent)
	if _, err := fmt.Fprintln(far, "from the far end"); err != nil {
		t.Fatal(err)
	}
	c.isSilent()
	far.Close() // a silent line does not carry that either
	c.isSilent()
}

// Goal: one who hangs up frees what he held, in silence too; a program that is not
// there resets; too many connections are reset and the line lives.
func TestLineBounds(t *testing.T) {
	e := newEcho(t)
	var far atomic.Value
	far.Store(e.addr)
	l := newLine(t, func() string { return far.Load().(string) })
	wires := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.doors[0].wires)
	}
	until := func(n int) {
		t.Helper()
		err := await(t.Context(), "the wires", func(context.Context) error {
			if got := wires(); got != n {
				return fmt.Errorf("%d wires", got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	c := dial(t, l.Node())
	c.says("hello")
	c.Close()
	until(0)
	set(t, l, LineSilent)
	for range wiresMax {
		dial(t, l.Node())
	}
	until(wiresMax)
	turnedAway(t, l.Node())
	set(t, l, LineUp)
	until(0)
	dial(t, l.Node()).says("still there")
	far.Store("127.0.0.1:1") // nobody
	turnedAway(t, l.Node())
	far.Store("")
	turnedAway(t, l.Node())
}

// Goal: a line that is cut while a call is on its way to its program lets nothing of
// it stand.
func TestLineCutWhileDialling(t *testing.T) {
	e := newEcho(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	l := newLine(t, func() string { close(asked); <-answer; return e.addr })
	c := dial(t, l.Node())
	<-asked
	set(t, l, LineCut)
	c.isReset()
	close(answer)
	<-e.taken
	l.Close() // returns when both ends are over
}

// Goal: the addresses outlive a restart, or change when somebody else has them; a
// torn memory is no obstacle.
func TestLinePorts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "line.json")
	none := func() string { return "" }
	open := func() *Line {
		t.Helper()
		l, err := OpenLine(file, none, none, none)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	first := open()
	first.Close()
	first.Close()
	second := open()
	second.Close()
	if first.Node() != second.Node() || first.Office() != second.Office() {
		t.Errorf("%s, %s became %s, %s", first.Node(), first.Office(), second.Node(), second.Office())
	}
	thief, err := net.Listen("tcp", first.Office())
	if err != nil {
		t.Fatal(err)
	}
	third := open()
	thief.Close()
	third.Close()
	if third.Node() != first.Node() || third.Office() == first.Office() {
		t.Errorf("%s was taken, and the line has %s", first.Office(), third.Office())
	}
	if err := os.WriteFile(file, []byte(`{"node":`), 0o600); err != nil {
		t.Fatal(err)
	}
	open().Close()
	if _, err := OpenLine(t.TempDir(), none, none, none); err == nil {
		t.Error("a folder is no memory")
	}
}

// Goal: while the line is cut nobody else is given its ports, and when somebody takes
// one by force the line says so, stays cut, and opens once the port is free.
func TestLinePortKept(t *testing.T) {
	l := newLine(t, newEcho(t).far)
	set(t, l, LineCut)
	for _, d := range l.doors {
		if d.release == nil {
			t.Errorf("%s is not kept", d.addr)
		}
	}
	l.doors[1].release()
	l.doors[1].release = nil
	thief, err := net.Listen("tcp", l.Office())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Set(LineUp); err == nil || !strings.Contains(err.Error(), l.Office()) || l.State() != LineCut {
		t.Errorf("got %v, %s", err, l.State())
	}
	if c, err := net.Dial("tcp", l.Node()); err == nil {
		c.Close()
		t.Error("half of the line is up")
	}
	thief.Close()
	set(t, l, LineUp)
	dial(t, l.Office()).says("hello")
}

func (e *echo) far() string { return e.addr }

// Goal: HTTP with bodies larger than any buffer goes through whole, both ways.
func TestLineHTTP(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	t.Cleanup(s.Close)
	l := newLine(t, func() string { return s.Listener.Addr().String() })
	const size = 3 << 20
	c := &http.Client{Transport: &http.Transport{}}
	defer c.CloseIdleConnections()
	for range 3 {
		resp, err := c.Post("http://"+l.Office()+"/", "text/plain", strings.NewReader(strings.Repeat("x", size)))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || len(b) != size {
			t.Fatalf("%d bytes came back, %v", len(b), err)
		}
	}
}
