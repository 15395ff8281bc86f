// Package talk writes a paper in pieces, whatever language the printer speaks, sends it
// piece by piece, and asks how the printer is before each image.
//
// Promise. Nothing goes out to a printer that is known to be unable, nothing before
// Run.Begin returned, and no image is begun on a printer that said it cannot end it.
// What broke off in a write, and why, is in the Status that comes back.
package talk

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
)

// Piece is part of a paper. Between pieces every command is complete.
type Piece struct {
	Data  []byte
	Image bool // ask the printer before sending it
}

// Ask asks a printer how it is. The zero Status is no answer; an error is a port
// that is closed or takes no bytes.
type Ask func() (printer.Status, error)

// Print sends pieces as run says. It asks the printer first, unless it is known to
// be silent, before each image, and in the end by finish, which gets the printer's
// last word. See escpos.Profile.Print for how it fails.
func Print(rw io.ReadWriter, pieces []Piece, run printer.Run, ask Ask, finish func(printer.Status) (printer.Status, error)) (printer.Status, error) {
	var s printer.Status
	var err error
	if !run.Silent {
		if s, err = Ready(ask); err != nil {
			return s, err
		}
	}
	if run.Begin != nil {
		if err := run.Begin(); err != nil {
			return s, err
		}
	}
	for _, c := range pieces {
		if s, err = send(rw, c, s, run.Between, ask); err != nil {
			return s, err
		}
	}
	switch {
	case run.Silent:
		return Ready(ask)
	case !s.Known:
		return s, nil
	}
	return finish(s)
}

// Ready asks the printer and fails with Unavailable when it is known to be unable.
func Ready(ask Ask) (printer.Status, error) {
	s, err := ask()
	if err == nil && s.Health() == printer.Faulty {
		err = pos.E("print", pos.Unavailable, "%s", pos.Word("en", s.Trouble()))
	}
	return s, err
}

// send sends one piece to a printer whose last word is s.
func send(rw io.ReadWriter, c Piece, s printer.Status, between func(io.ReadWriter) error, ask Ask) (printer.Status, error) {
	if between != nil {
		if err := between(rw); err != nil {
			return s, err
		}
	}
	if c.Image && s.Known {
		now, err := Ready(ask)
		if err != nil {
			return now, err
		}
		s = now
	}
	err := Write(rw, string(c.Data), &s)
	return s, err
}

// Write sends text; it notes in s when the printer stopped taking bytes, and when
// the cable's own wires say that this is for want of paper (usblp's ENOSPC).
func Write(w io.Writer, text string, s *printer.Status) error {
	n, err := io.WriteString(w, text)
	switch {
	case err == nil && n == len(text):
		return nil
	case err == nil:
		err = io.ErrShortWrite
	case errors.Is(err, syscall.ENOSPC):
		s.PaperOut = true
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.Stalled = true
	}
	return pos.Wrap("print", pos.Unavailable, err, "the connection to the printer broke")
}

// ReadByte reads one byte; it fails when none came in the time that the port gives.
func ReadByte(r io.Reader) (byte, error) {
	var b [1]byte
	n, err := r.Read(b[:])
	if n == 1 {
		return b[0], nil
	}
	if err == nil {
		err = os.ErrDeadlineExceeded
	}
	return 0, err
}

// Closed reports that a port will never answer again. Any other failed read is
// silence: a one-way port has nothing else to say.
func Closed(err error) bool {
	return errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed)
}
