package input

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// wide and narrow are struct input_event on boards of 64 and of 32 bits.
type (
	wide struct {
		Sec, Usec  int64
		Type, Code uint16
		Value      int32
	}
	narrow struct {
		Sec, Usec  uint32
		Type, Code uint16
		Value      int32
	}
)

// clientRoom is how many events the kernel keeps for one reader (evdev.c:
// EVDEV_BUF_PACKETS of 8, at least 64 in all).
const clientRoom = 64

// fakeKernel does what Linux's evdev does, and fails the test for what it would refuse.
type fakeKernel struct {
	t      testing.TB
	mu     sync.Mutex
	nodes  map[string]*node
	narrow bool
	tear   bool // a read gives one byte at a time
	opened atomic.Int32
}

func newKernel(t testing.TB) *fakeKernel { return &fakeKernel{t: t, nodes: map[string]*node{}} }

// node is one event device: a plugged-in one has a path.
type node struct {
	k       *fakeKernel
	f       Found
	denied  bool
	lies    ID // what it says once it is open, if not zero
	clients []*client
	grab    *client
	console []Event // what everybody else got: the login's keystrokes
}

// client is an open file of a node.
type client struct {
	n      *node
	mu     sync.Mutex
	more   *sync.Cond
	buf    bytes.Buffer
	events int // in buf
	gone   bool
	closed bool
	grabs  int
}

// plug adds a device under a path.
func (k *fakeKernel) plug(path, name string, id ID) *node {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.nodes[path] != nil {
		k.t.Fatalf("%s is there already", path)
	}
	n := &node{k: k, f: Found{Path: path, Name: name, ID: id, Digits: true}}
	k.nodes[path] = n
	return n
}

// unplug takes a device away.
func (n *node) unplug() {
	n.k.mu.Lock()
	delete(n.k.nodes, n.f.Path)
	n.k.mu.Unlock()
	n.hangUp()
}

// files are the readers of a node.
func (n *node) files() []*client {
	n.k.mu.Lock()
	defer n.k.mu.Unlock()
	return slices.Clone(n.clients)
}

// hangUp ends all reads at once, as evdev_disconnect does: what was kept is lost.
func (n *node) hangUp() {
	for _, c := range n.files() {
		c.mu.Lock()
		c.gone = true
		c.more.Broadcast()
		c.mu.Unlock()
	}
}

func (k *fakeKernel) List() ([]Found, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []Found
	for _, n := range k.nodes {
		out = append(out, n.f)
	}
	return out, nil
}

func (k *fakeKernel) Open(path string) (Events, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.nodes[path]
	switch {
	case n == nil:
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
	case n.denied:
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EACCES}
	}
	for _, c := range n.clients {
		c.mu.Lock()
		if !c.closed && !c.gone {
			k.t.Errorf("%s was opened twice", path)
		}
		c.mu.Unlock()
	}
	k.opened.Add(1)
	c := &client{n: n}
	c.more = sync.NewCond(&c.mu)
	n.clients = append(n.clients, c)
	return c, nil
}

func (c *client) ID() (ID, error) {
	if c.n.lies != (ID{}) {
		return c.n.lies, nil
	}
	return c.n.f.ID, c.ioctl("EVIOCGID")
}

func (c *client) Name() (string, error) { return c.n.f.Name, c.ioctl("EVIOCGNAME") }

func (c *client) ioctl(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		c.n.k.t.Errorf("%s on a closed file", name)
	}
	if c.gone {
		return syscall.ENODEV
	}
	return nil
}

// busy is EBUSY as go-evdev hands it on: its text alone.
type busy struct{}

func (busy) Error() string { return syscall.EBUSY.Error() }

func (c *client) Grab() error {
	if err := c.ioctl("EVIOCGRAB"); err != nil {
		return err
	}
	c.n.k.mu.Lock()
	defer c.n.k.mu.Unlock()
	if c.n.grab != nil {
		return busy{}
	}
	c.grabs++
	c.n.grab = c
	return nil
}

func (c *client) Close() error {
	c.mu.Lock()
	if c.closed {
		c.n.k.t.Error("closed twice")
	}
	c.closed = true
	c.more.Broadcast()
	c.mu.Unlock()
	c.n.k.mu.Lock()
	defer c.n.k.mu.Unlock()
	if c.n.grab == c {
		c.n.grab = nil
	}
	c.n.clients = slices.DeleteFunc(c.n.clients, func(o *client) bool { return o == c })
	return nil
}

// Read is read(2) on the file.
func (c *client) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.buf.Len() == 0 && !c.closed && !c.gone {
		c.more.Wait()
	}
	switch {
	case c.closed:
		return 0, os.ErrClosed
	case c.gone:
		return 0, syscall.ENODEV
	}
	if c.n.k.tear {
		p = p[:1]
	}
	return c.buf.Read(p)
}

// ReadOne decodes one struct, as go-evdev does.
func (c *client) ReadOne() (e Event, err error) {
	if c.n.k.narrow {
		var b narrow
		err = binary.Read(c, binary.LittleEndian, &b)
		e = Event{time.Unix(int64(b.Sec), int64(b.Usec)*1000), b.Type, b.Code, b.Value}
	} else {
		var b wide
		err = binary.Read(c, binary.LittleEndian, &b)
		e = Event{time.Unix(b.Sec, b.Usec*1000), b.Type, b.Code, b.Value}
	}
	c.mu.Lock()
	c.events = max(c.events-1, 0)
	c.mu.Unlock()
	return e, err
}

// bytesOf is one event as the kernel writes it.
func (k *fakeKernel) bytesOf(e Event) []byte {
	var b bytes.Buffer
	sec, usec := e.At.Unix(), int64(e.At.Nanosecond()/1000)
	if k.narrow {
		binary.Write(&b, binary.LittleEndian, narrow{uint32(sec), uint32(usec), e.Type, e.Code, e.Value})
	} else {
		binary.Write(&b, binary.LittleEndian, wide{sec, usec, e.Type, e.Code, e.Value})
	}
	return b.Bytes()
}

// send hands an event to who has grabbed the device, else to all. A full client loses
// what it had (evdev.c: __pass_event).
func (n *node) send(e Event) {
	n.k.mu.Lock()
	to := slices.Clone(n.clients)
	if n.grab != nil {
		to = []*client{n.grab}
	} else {
		n.console = append(n.console, e)
	}
	n.k.mu.Unlock()
	for _, c := range to {
		c.mu.Lock()
		if c.events >= clientRoom-1 {
			c.buf.Reset()
			c.buf.Write(n.k.bytesOf(Event{At: e.At, Type: evSyn, Code: synDropped}))
			c.events = 1
		}
		c.buf.Write(n.k.bytesOf(e))
		c.events++
		c.more.Broadcast()
		c.mu.Unlock()
	}
}

// raw hands bytes to the readers as they are, and then takes the device away.
func (n *node) raw(b []byte) {
	for _, c := range n.files() {
		c.mu.Lock()
		c.buf.Write(b)
		c.more.Broadcast()
		c.mu.Unlock()
	}
}

// key presses and releases a key with its report, at the bubble's time.
func (n *node) key(code uint16) {
	n.event(evKey, code, down)
	n.event(evSyn, synReport, 0)
	n.event(evKey, code, 0)
	n.event(evSyn, synReport, 0)
}

func (n *node) event(typ, code uint16, value int32) {
	n.send(Event{At: time.Now(), Type: typ, Code: code, Value: value})
}

// between is a scanner's pause between two keys.
const between = 12 * time.Millisecond

// scan types text as a scanner set to layout does, and ends with the key end, 0: none.
func (n *node) scan(layout, text string, end uint16) {
	for _, c := range []byte(text) {
		for _, s := range strokes(n.k.t, layout, c) {
			n.stroke(s)
		}
		time.Sleep(between)
	}
	if end != 0 {
		n.key(end)
	}
}

// stroke is a key with what is held beside it.
type stroke struct {
	held uint16
	code uint16
}

func (n *node) stroke(s stroke) {
	if s.held != 0 {
		n.event(evKey, s.held, down)
		n.event(evSyn, synReport, 0)
	}
	n.key(s.code)
	if s.held != 0 {
		n.event(evKey, s.held, 0)
		n.event(evSyn, synReport, 0)
	}
}

// strokes finds the keys that a person presses for c on a board.
func strokes(t testing.TB, layout string, c byte) []stroke {
	t.Helper()
	if c == gs {
		s := strokes(t, "us", ']')
		s[0].held = keyLeftCtrl
		return s
	}
	if c == ' ' {
		return []stroke{{0, keySpace}}
	}
	b := boards[layout]
	for level, held := range []uint16{0, keyLeftShift, keyAltGr} {
		for row, text := range b.level[level] {
			for i, r := range []rune(text) {
				if r != rune(c) {
					continue
				}
				out := []stroke{{held, rows[row][i]}}
				if bytes.ContainsRune([]byte(b.dead[level]), r) {
					out = append(out, stroke{0, keySpace})
				}
				return out
			}
		}
	}
	t.Fatalf("no key for %q on board %s", c, layout)
	return nil
}

var _ io.Reader = (*client)(nil)
