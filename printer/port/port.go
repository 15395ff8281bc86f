package port

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

const (
	// progress is how long a printer may take no byte at all: a paper jam is over by
	// then or will not be, and a full buffer of 4 kB takes a slow one 4 s.
	progress = 8 * time.Second
	// answer is how long to wait for a status byte: machines take up to 100 ms, and
	// the network as much.
	answer = 500 * time.Millisecond
	// settle is how long Unread waits for bytes that are under way in the cable: a USB
	// printer is asked for them every millisecond, a serial line takes one for a byte.
	settle = 5 * time.Millisecond
	// unreadMax bounds what Unread takes: a printer that never stops talking must not
	// keep the till.
	unreadMax = 1024
	// packetFrom and packetTo are the pauses after empty packets: a printer that has
	// nothing to say sends one each millisecond, and needs no answer to each.
	packetFrom = time.Millisecond
	packetTo   = 20 * time.Millisecond
	// dialWithin bounds opening a connection: a printer on the LAN takes milliseconds.
	dialWithin = 5 * time.Second
	// chunk is what is handed over between two looks at the clock: at 9600 baud, the
	// slowest line, it takes 0.6 s.
	chunk = 512
	// tailWithin is how long a network printer may take to close its side after the
	// last byte arrived. Many never do; nothing is lost then.
	tailWithin = time.Second
)

// Port is a printer's cable. Read and Write may be used by one goroutine each;
// Close by any, and it ends both.
type Port interface {
	// Read returns bytes that the printer sent. It fails with os.ErrDeadlineExceeded
	// when none came within half a second.
	io.Reader
	// Write sends all of p. It fails with os.ErrDeadlineExceeded when the printer took
	// nothing for 8 s; how much it has taken by then is in the number returned. From
	// then on it fails at once.
	io.Writer
	// Unread takes what the printer has sent and nobody has read, without waiting for
	// more: answers that came too late, and what it says by itself. The caller owns the
	// bytes. It must not be called during Read.
	Unread() []byte
	// Paper asks the printer's own wires whether its roll is empty, which some tell that
	// never answer. known is false when they cannot be asked, and until they were once
	// heard to say that there is paper: many always say the same. It blocks for
	// milliseconds, for 5 s when the printer hangs.
	Paper() (out, known bool)
	// Close drains and closes. Its error means that bytes may be lost.
	io.Closer
}

// Open opens the port of a spec that Check accepts. It fails with Invalid for any
// other, and with Unavailable when the printer cannot be reached, within 5 s or
// when ctx ends.
func Open(ctx context.Context, spec string) (Port, error) {
	s, err := parse(spec)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	p, err := s.open(ctx)
	if err != nil {
		if e, ok := errors.AsType[*pos.Error](err); ok {
			return nil, e
		}
		return nil, pos.Wrap("open printer", pos.Unavailable, err, "%s", why(err))
	}
	return p, nil
}

// Check says whether spec names a printer: "tcp://192.168.1.50:9100",
// "usb://04b8:0e28", "usb://04b8:0e28/J4RK012345", "usb://04b8:0e28?socket=1-1.2",
// "/dev/usb/lp0", "serial:///dev/ttyUSB0?baud=115200&flow=rtscts". It fails with
// Invalid and says what to write. It touches no device.
func Check(spec string) error {
	_, err := parse(spec)
	return err
}

type opener interface {
	open(ctx context.Context) (Port, error)
}

func parse(spec string) (opener, error) {
	if strings.HasPrefix(spec, "/") {
		return fileSpec(spec), nil
	}
	if strings.HasPrefix(spec, "usb://") {
		return parseUSB(spec)
	}
	u, err := url.Parse(spec)
	if err != nil {
		return nil, bad(spec, "it is no address")
	}
	switch u.Scheme {
	case "tcp":
		return parseTCP(spec, u)
	case "serial":
		return parseSerial(spec, u)
	}
	return nil, bad(spec, "it names no kind of port")
}

func bad(spec, why string) error {
	if len(spec) > 80 {
		spec = spec[:80] + "…"
	}
	return pos.E("check printer", pos.Invalid, "%q is no printer: %s; write tcp://192.168.1.50:9100, usb://04b8:0e28 or serial:///dev/ttyUSB0?baud=115200", spec, why)
}

type tcpSpec string

func parseTCP(spec string, u *url.URL) (opener, error) {
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "9100"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.User != nil:
		return nil, bad(spec, "a network printer has a host and a port, nothing else")
	case err != nil || n == 0:
		return nil, bad(spec, "its port is none from 1 to 65535")
	}
	return tcpSpec(net.JoinHostPort(host, port)), nil
}

func (s tcpSpec) open(ctx context.Context) (Port, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", string(s))
	if err != nil {
		return nil, err
	}
	return &wire{conn: c, drain: func(w *wire) error { return drainTCP(c.(*net.TCPConn)) }}, nil
}

// drainTCP waits until the printer's side has every byte, then says goodbye and
// reads what it still sends: closing on unread bytes would make the kernel take
// back what is under way.
func drainTCP(c *net.TCPConn) error {
	err := drainQueue(func() (int, error) { return queued(c, outqTCP) })
	if err == nil {
		err = c.CloseWrite()
	}
	if err == nil {
		_ = c.SetReadDeadline(time.Now().Add(tailWithin))
		_, _ = io.Copy(io.Discard, io.LimitReader(c, 4096)) // only to empty it
	}
	return err
}

type fileSpec string

// open opens a device file such as usblp's. Go puts it in non-blocking mode and
// waits for it with poll, so that deadlines work.
func (s fileSpec) open(context.Context) (Port, error) { return s.openAs("") }

// openAs is open for a printer that is known by a name of its own, whatever file it has.
func (s fileSpec) openAs(name string) (Port, error) {
	f, err := os.OpenFile(string(s), os.O_RDWR|noWait, 0)
	if errors.Is(err, os.ErrPermission) { // some drivers give one-way printers a write-only file
		f, err = os.OpenFile(string(s), os.O_WRONLY|noWait, 0)
	}
	if err != nil {
		return nil, err
	}
	w := &wire{conn: f, drain: func(*wire) error { return drainFile(f) }, stalled: func(err error) error { return stalled(f, err) }}
	if info, err := f.Stat(); err == nil {
		w.packets = info.Mode()&os.ModeCharDevice != 0
	}
	if name == "" {
		name = node(f)
	}
	if err := prepare(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	w.paper = papers.sensor(name, func() (int, error) { return classStatus(f) })
	return w, nil
}
