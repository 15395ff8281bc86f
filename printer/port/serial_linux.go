package port

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// noWait: opening a line does not wait for somebody at its other end, and a printer must
// not become the process's controlling terminal.
const noWait = unix.O_NONBLOCK | unix.O_NOCTTY

// outqTCP asks a socket for what the other side has not yet acknowledged; the same
// number asks a terminal for what has not left yet (tty_ioctl(4), tcp(7)).
const outqTCP = unix.TIOCOUTQ

// bauds are the speeds of receipt printers.
var bauds = map[string]uint32{
	"9600": unix.B9600, "19200": unix.B19200, "38400": unix.B38400, "57600": unix.B57600, "115200": unix.B115200,
}

// flows are the ways a printer says "wait": its busy line on CTS, or XOFF bytes.
var flows = []string{"rtscts", "xonxoff", "none"}

type serialSpec struct {
	path string
	baud uint32
	flow string
}

func parseSerial(spec string, u *url.URL) (opener, error) {
	s := serialSpec{path: u.Path, baud: unix.B9600, flow: "rtscts"}
	if u.Host != "" || !strings.HasPrefix(u.Path, "/") {
		return nil, bad(spec, "a serial printer has a device file after serial://")
	}
	for key, values := range u.Query() {
		value, ok := values[len(values)-1], false
		switch key {
		case "baud":
			s.baud, ok = bauds[value]
		case "flow":
			s.flow, ok = value, slices.Contains(flows, value)
		}
		if !ok {
			return nil, bad(spec, strconv.Quote(key+"="+value)+" is none of baud=9600, 19200, 38400, 57600, 115200 and flow=rtscts, xonxoff, none")
		}
	}
	return s, nil
}

// open sets the line to 8 data bits, no parity, 1 stop bit, raw.
func (s serialSpec) open(context.Context) (Port, error) {
	fd, err := unix.Open(s.path, unix.O_RDWR|noWait|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: s.path, Err: err}
	}
	if err := s.set(fd); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("set up serial line %s: %w", s.path, err)
	}
	f := os.NewFile(uintptr(fd), s.path)
	return &wire{conn: f, drain: func(*wire) error { return drainFile(f) }}, nil
}

func (s serialSpec) set(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = unix.IGNBRK|unix.IGNPAR, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | s.baud
	t.Ispeed, t.Ospeed = s.baud, s.baud
	switch s.flow {
	case "rtscts":
		t.Cflag |= unix.CRTSCTS
	case "xonxoff":
		t.Iflag |= unix.IXON
		t.Cc[unix.VSTART], t.Cc[unix.VSTOP] = 0x11, 0x13
	}
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// drainFile waits until a terminal has sent everything, or usblp's last transfer
// is over; other files have nothing to wait for.
func drainFile(f *os.File) error {
	err := drainQueue(func() (int, error) { return queued(f, unix.TIOCOUTQ) })
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		return drainPoll(f)
	}
	return err
}

// drainPoll waits until the file takes bytes again: usblp does when its transfer
// has ended, and closing it before would throw the transfer away. A printer that was
// unplugged ends its transfer too, but not with its bytes on paper.
func drainPoll(f *os.File) error {
	left := 1
	return drainQueue(func() (int, error) {
		err := control(f, func(fd int) error {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			n, err := unix.Poll(fds, 0)
			switch got := fds[0].Revents; {
			case n != 1:
			case got&(unix.POLLHUP|unix.POLLERR) != 0:
				return unix.ENODEV
			case got&unix.POLLOUT != 0:
				left = 0
			}
			return err
		})
		if errors.Is(err, unix.EINTR) {
			err = nil
		}
		return left, err
	})
}

// queued returns how many bytes wait in the kernel.
func queued(c syscall.Conn, request uint) (n int, err error) {
	err = control(c, func(fd int) error {
		n, err = unix.IoctlGetInt(fd, request)
		return err
	})
	return n, err
}

func control(c syscall.Conn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}
