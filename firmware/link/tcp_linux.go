package link

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// stateClosed is TCP_CLOSE of the kernel's tcp_states.h: the connection is over,
// and what was not acknowledged never will be.
const stateClosed = 7

// unheard returns how many segments of what was written the other end has not
// acknowledged (tcp(7), TCP_INFO). It is one system call.
func unheard(c *net.TCPConn) (segments int, known bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	if cerr := raw.Control(func(fd uintptr) {
		var info *unix.TCPInfo
		if info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			segments = int(info.Unacked)
			if info.State == stateClosed {
				segments = max(segments, 1)
			}
		}
	}); cerr != nil || err != nil {
		return 0, false
	}
	return segments, true
}

// giveUp lets the kernel close a connection whose data stays unacknowledged for d
// (tcp(7), TCP_USER_TIMEOUT). Where it cannot, the kernel's own patience holds.
func giveUp(c *net.TCPConn, d time.Duration) {
	if raw, err := c.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
		})
	}
}
