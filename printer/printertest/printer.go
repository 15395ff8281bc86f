// Package printertest is the printer that the printer packages are tested with: a
// paper.Printer that fails the test on any byte that the manual does not allow, and
// cables that break.
//
// Promise. It knows what the machine does, not what our encoder sends; what a
// machine would get wrong in silence is a failed test here.
package printertest

import (
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/tillwright/tillwright/printer/paper"
)

// New returns a strict printer with dots across its paper.
func New(t testing.TB, dots int) *paper.Printer {
	t.Helper()
	p := paper.New(dots)
	p.OnFault(func(what string) { t.Errorf("printer: %s", what) })
	return p
}

// ErrUnplugged is what a Cable fails with once it broke.
var ErrUnplugged = errors.New("the cable is unplugged")

// Cable is a port that breaks after Left bytes written, for good. It hands what
// was written before to Printer. It counts what it carried.
type Cable struct {
	Printer io.ReadWriter
	Left    int // bytes; below zero it never breaks
	Sent    int

	mu sync.Mutex
}

// Write hands over as much as goes through.
func (c *Cable) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Left >= 0 && len(b) > c.Left {
		n, _ := c.Printer.Write(b[:c.Left])
		c.Left, c.Sent = 0, c.Sent+n
		return n, ErrUnplugged
	}
	n, err := c.Printer.Write(b)
	c.Sent += n
	if c.Left >= 0 {
		c.Left -= n
	}
	return n, err
}

// Read fetches the printer's answers while the cable is whole.
func (c *Cable) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Left == 0 {
		return 0, ErrUnplugged
	}
	return c.Printer.Read(b)
}

// Unread takes the answers that wait while the cable is whole.
func (c *Cable) Unread() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.Printer.(interface{ Unread() []byte }); ok && c.Left != 0 {
		return p.Unread()
	}
	return nil
}

// Close unplugs nothing: the printer stays on.
func (c *Cable) Close() error { return nil }

// Attach is the printer's end of a cable: it hands what comes over c to p, and p's
// answers back, until c ends or p takes no more.
func Attach(c, p io.ReadWriter) {
	in, out := make([]byte, 256), make([]byte, 16)
	for {
		n, err := c.Read(in)
		if n > 0 {
			if _, werr := p.Write(in[:n]); werr != nil {
				return
			}
		}
		if m, _ := p.Read(out); m > 0 {
			if _, werr := c.Write(out[:m]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
