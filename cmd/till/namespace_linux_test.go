package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tillwright/tillwright/pos"
)

// cable is a network of its own for the till, and the one wire that leads out of it.
// Node, backoffice and the screens stand at the other end: the shop's whole LAN.
type cable struct {
	t          *testing.T
	name, wire string
	here, till string // addresses of the wire's ends (RFC 5737 has none to spare for a pair; a private one)
}

// newCable lays the cable, or says why this machine does not let it.
func newCable(t *testing.T) (*cable, error) {
	id := os.Getpid() % 16000
	c := &cable{t: t, name: fmt.Sprint("till", id), wire: fmt.Sprint("tillw", id)}
	net30 := fmt.Sprintf("10.203.%d.", id/64)
	c.here, c.till = fmt.Sprint(net30, id%64*4+1), fmt.Sprint(net30, id%64*4+2)
	if err := c.run("ip netns add " + c.name); err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := c.run("ip netns del " + c.name); err != nil {
			t.Error(err)
		}
	})
	for _, cmd := range []string{
		"ip link add " + c.wire + " type veth peer name shop netns " + c.name,
		"ip addr add " + c.here + "/30 dev " + c.wire,
		"ip link set " + c.wire + " up",
		"ip -n " + c.name + " addr add " + c.till + "/30 dev shop",
		"ip -n " + c.name + " link set shop up",
		"ip -n " + c.name + " link set lo up",
	} {
		if err := c.run(cmd); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *cable) run(cmd string) error {
	words := strings.Fields(cmd)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", cmd, err, bytes.TrimSpace(out))
	}
	return nil
}

func (c *cable) must(cmd string) func() {
	return func() {
		c.t.Helper()
		if err := c.run(cmd); err != nil {
			c.t.Fatal(err)
		}
	}
}

// dial connects to a port of the till's board, on the board.
func (c *cable) dial(port string) (conn net.Conn, err error) {
	runtime.LockOSThread() // never unlocked when the way back fails: the thread ends then
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer home.Close()
	board, err := os.Open(filepath.Join("/run/netns", c.name))
	if err != nil {
		return nil, err
	}
	defer board.Close()
	if err := unix.Setns(int(board.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	conn, err = net.Dial("tcp", "127.0.0.1:"+port)
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return nil, errors.Join(err, back)
	}
	runtime.UnlockOSThread()
	return conn, err
}

// browser is an address at which the board's own browser reaches the till.
func (c *cable) browser(port string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				far, err := c.dial(port)
				if err != nil {
					return
				}
				defer far.Close()
				go func() { io.Copy(far, near); far.(*net.TCPConn).CloseWrite() }()
				io.Copy(near, far)
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

// TestCutCable pulls the shop's one cable out of the till, lets it fall silent, and
// chokes it, in a network namespace: real dialling, real retransmission. A screen at
// the other end follows the till. Goal: as in TestCutProcesses; and the till knows
// whether that screen hears it.
func TestCutCable(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	wire, err := newCable(t)
	if err != nil {
		t.Skipf("no network namespaces here, TestCutProcesses has to do: %v", err)
	}
	var port string
	change := strings.NewReplacer(`"127.0.0.1:0"`, `"0.0.0.0:0"`, `url = "http://127.0.0.1:1"`, "allow_plain_http = true")
	s := newStreet(t, wire.here, change, func(s *street, file string) string {
		s.till = startProcess(s.t, file, "ip", "netns", "exec", wire.name)
		_, port, err = net.SplitHostPort(strings.TrimPrefix(s.till.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		return wire.browser(port)
	})
	expect := func(state string) {
		t.Helper()
		s.c.wait("screens "+state, func(v pos.View) bool { return linkOf(v, "screens").State == state })
	}
	expect("unknown")
	ctx, stop := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() { defer close(gone); follow(ctx, "http://"+net.JoinHostPort(wire.till, port)+"/v1/events") }()
	expect("online")
	for _, o := range []struct {
		name, brk, mend string
		hard            bool
	}{
		{"pulled", "ip link set " + wire.wire + " down", "ip link set " + wire.wire + " up", true},
		{"silent", "ip route add blackhole " + wire.till + "/32", "ip route del blackhole " + wire.till + "/32", true},
		{"choked", "tc qdisc add dev " + wire.wire + " root tbf rate 64kbit burst 2000 latency 500ms", "tc qdisc del dev " + wire.wire + " root", false},
	} {
		s.outage(o.name, wire.must(o.brk), func() {
			if o.hard {
				expect("offline")
			}
			wire.must(o.mend)()
		}, o.hard)
		expect("online")
	}
	stop()
	<-gone
	expect("unknown")
	s.finish()
}

// follow is a screen elsewhere on the shop's network: it reads the event stream, and
// opens it anew when it was silent for too long.
func follow(ctx context.Context, url string) {
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		within, stop := context.WithCancel(ctx)
		quiet := time.AfterFunc(silence, stop)
		if req, err := http.NewRequestWithContext(within, "GET", url, nil); err == nil {
			if res, err := c.Do(req); err == nil {
				for range lines(res.Body) {
					quiet.Reset(silence)
				}
				res.Body.Close()
			}
		}
		quiet.Stop()
		stop()
		pauseFor(ctx, again)
	}
}
