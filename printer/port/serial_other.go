//go:build !linux

package port

import (
	"net/url"
	"os"
	"syscall"
)

const (
	noWait  = 0
	outqTCP = 0
)

func parseSerial(spec string, _ *url.URL) (opener, error) {
	return nil, bad(spec, "serial printers need Linux")
}

func drainFile(*os.File) error { return nil }

// queued: this system does not tell; the printer's closing of its side must do.
func queued(syscall.Conn, uint) (int, error) { return 0, nil }
