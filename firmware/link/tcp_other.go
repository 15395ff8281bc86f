//go:build !linux

package link

import (
	"net"
	"time"
)

// unheard is not known on this system.
func unheard(*net.TCPConn) (int, bool) { return 0, false }

func giveUp(*net.TCPConn, time.Duration) {}
