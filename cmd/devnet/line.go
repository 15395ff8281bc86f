package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// LineState is how the shop's internet is.
type LineState string

// States of the line.
const (
	LineUp     LineState = "up"
	LineCut    LineState = "cut"    // nobody answers: connections are refused, running ones reset
	LineSilent LineState = "silent" // half-open: connections are taken, and nothing passes
)

// Line is the shop's internet: the till's three ways out, to the shop's node, to the
// back office and to the chains' operators, as doors on loopback that can be cut together. The customer's
// phone, the back office and the screens do not go through it.
//
// It begins up. A connection that was open when the line fell silent passes nothing
// any more, and is reset when the line changes again: the router in between has
// forgotten it. Safe for concurrent use.
type Line struct {
	mu    sync.Mutex
	state LineState
	doors []*door
	work  sync.WaitGroup
}

// door is one way out. Its fields are the line's, under its lock, but addr and far.
type door struct {
	addr     string        // what the till dials; it stays the same while the line is cut
	far      func() string // where that leads; "" while there is nobody
	listener net.Listener  // nil while cut
	release  func()        // gives the port free that is kept while cut
	wires    map[*wire]bool
}

// wire is one connection through a door.
type wire struct {
	near, far net.Conn // far is nil for one that was taken in silence
	frozen    atomic.Bool
}

const (
	// wiresMax bounds a door's connections: a till has about five, and leaves one
	// behind at each try while the line is silent.
	wiresMax = 256
	// farWithin bounds the way from a door to its program, on this computer.
	farWithin = 5 * time.Second
)

// linePorts are the doors' ports, kept in line.json: the till knows its back office
// by an address that has to stay.
type linePorts struct {
	Node   int `json:"node"`
	Office int `json:"backoffice"`
	Chains int `json:"chains"`
}

// OpenLine opens the three doors, at the ports that file remembers as far as they are
// free. node, office and chains say where the doors lead. Close it.
func OpenLine(file string, node, office, chains func() string) (*Line, error) {
	var ports linePorts
	b, err := os.ReadFile(file)
	switch {
	case err == nil:
		if json.Unmarshal(b, &ports) != nil {
			ports = linePorts{} // torn: others are as good
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	l := &Line{state: LineUp}
	for _, d := range []struct {
		port *int
		far  func() string
	}{{&ports.Node, node}, {&ports.Office, office}, {&ports.Chains, chains}} {
		if err := l.open(d.port, d.far); err != nil {
			l.Close()
			return nil, err
		}
	}
	if b, err = json.Marshal(ports); err == nil {
		err = writeFile(file, append(b, '\n'))
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("remember the line's ports: %w", err)
	}
	return l, nil
}

// open makes a door at *port, or at another one when that is taken.
func (l *Line) open(port *int, far func() string) error {
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		ln, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return fmt.Errorf("open the shop's line: %w", err)
	}
	*port = ln.Addr().(*net.TCPAddr).Port
	d := &door{addr: ln.Addr().String(), far: far, wires: map[*wire]bool{}}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doors = append(l.doors, d)
	l.serve(d, ln)
	return nil
}

// Node returns where the till finds the shop's node: host and port.
func (l *Line) Node() string { return l.doors[0].addr }

// Office returns where the till finds the back office: host and port.
func (l *Line) Office() string { return l.doors[1].addr }

// Chains returns where the till finds the chains' operators: host and port.
func (l *Line) Chains() string { return l.doors[2].addr }

// State returns how the line is.
func (l *Line) State() LineState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Set changes the line, at once, for what is connected too. The line stays cut, and
// the error is a sentence for people, when another program has taken a port in
// between.
func (l *Line) Set(s LineState) error {
	if s != LineUp && s != LineCut && s != LineSilent {
		return fmt.Errorf("the line can be up, cut or silent, not %q", s)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if s == l.state {
		return nil
	}
	l.state = s
	for _, d := range l.doors {
		if err := l.turn(d); err != nil {
			l.state = LineCut
			for _, d := range l.doors {
				l.close(d)
			}
			return err
		}
	}
	return nil
}

// turn makes a door follow the line's state. l.mu is held.
func (l *Line) turn(d *door) error {
	if l.state == LineCut {
		l.close(d)
		return nil
	}
	for w := range d.wires {
		if l.state == LineSilent {
			w.frozen.Store(true)
		} else {
			d.drop(w)
		}
	}
	if d.listener != nil {
		return nil
	}
	if d.release != nil {
		d.release()
		d.release = nil
	}
	ln, err := net.Listen("tcp", d.addr)
	if err != nil {
		return fmt.Errorf("another program took %s while the line was cut: stop it and try again (%w)", d.addr, err)
	}
	l.serve(d, ln)
	return nil
}

// close shuts a door and keeps its port. l.mu is held.
func (l *Line) close(d *door) {
	if d.listener != nil {
		at := d.listener.Addr().(*net.TCPAddr).Port
		_ = d.listener.Close()
		d.listener = nil
		d.release, _ = keepPort(at) // not kept: then opening again may fail, and says so
	}
	for w := range d.wires {
		d.drop(w)
	}
}

// serve takes connections from ln until it is closed. l.mu is held.
func (l *Line) serve(d *door, ln net.Listener) {
	d.listener = ln
	l.work.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			l.take(d, ln, c)
		}
	})
}

// take puts a connection through, holds it in silence, or resets it.
func (l *Line) take(d *door, ln net.Listener, near net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &wire{near: near}
	if d.listener != ln || len(d.wires) >= wiresMax {
		reset(near)
		return
	}
	w.frozen.Store(l.state == LineSilent)
	d.wires[w] = true
	l.work.Go(func() {
		defer l.end(d, w)
		if l.reach(d, w) {
			l.work.Go(func() { defer l.farEnded(d, w); w.pump(w.near, w.far) })
		}
		w.pump(w.far, w.near)
	})
}

// reach connects a wire to its program. It reports that it did; a wire in silence,
// or one without a program, is not connected, and the latter is reset.
func (l *Line) reach(d *door, w *wire) bool {
	if w.frozen.Load() {
		return false
	}
	far, err := net.DialTimeout("tcp", d.far(), farWithin)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		d.drop(w)
		return false
	}
	w.far = far // when the line changed meanwhile, near is closed, and that ends both
	return true
}

// farEnded ends a wire whose program is gone, unless that is news which a silent
// line would not carry.
func (l *Line) farEnded(d *door, w *wire) {
	if !w.frozen.Load() {
		l.end(d, w)
	}
}

// end closes a wire whose conversation is over.
func (l *Line) end(d *door, w *wire) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(d.wires, w)
	_ = w.near.Close()
	if w.far != nil {
		_ = w.far.Close()
	}
}

// drop resets a wire, so that both ends know at once. l.mu is held.
func (d *door) drop(w *wire) {
	delete(d.wires, w)
	reset(w.near)
	if w.far != nil {
		reset(w.far)
	}
}

// pump carries bytes until from ends, and loses them once the wire is frozen.
func (w *wire) pump(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && to != nil && !w.frozen.Load() {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// reset closes a connection without a farewell.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// Close cuts the line for good and waits for what it carried.
func (l *Line) Close() {
	l.mu.Lock()
	l.state = LineCut
	for _, d := range l.doors {
		l.close(d)
		if d.release != nil {
			d.release()
			d.release = nil
		}
	}
	l.mu.Unlock()
	l.work.Wait()
}
