// Package talk writes a paper in pieces, whatever language the printer speaks, sends it
// piece by piece, and asks how the printer is before each image.
//
// Promise. Nothing goes out to a printer that is known to be unable, nothing before
// Run.Begin returned, and no image is begun on a printer that said it cannot end it.
// What broke off in a write, and why, is in the Status that comes back. A printer that
// never answers, but whose cable tells of its paper, is looked at until a paper that it
// holds in its memory must be out.
//
// Limits. What such a printer holds for longer than watchFor is not seen to be lost; it
// comes out unmarked when the roll is changed.
package talk

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

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

const (
	// watchFor is how long a paper that a printer has in its memory takes to come out:
	// 4 kB of a receipt are 15 cm, which the slowest print in three seconds.
	watchFor = 3 * time.Second
	// watchEvery is how often its cable is asked meanwhile.
	watchEvery = 250 * time.Millisecond
	// watchSure is how many times in a row there must be no paper: a byte that flickers
	// while the motor runs is no empty roll.
	watchSure = 4
)

// Print sends pieces as run says. It asks the printer first (one that is known to be
// silent only by its cable), before each image, and in the end by finish, which gets the
// printer's last word. See escpos.Profile.Print for how it fails.
func Print(rw io.ReadWriter, pieces []Piece, run printer.Run, ask Ask, finish func(printer.Status) (printer.Status, error)) (printer.Status, error) {
	first := ask
	if run.Silent {
		first = func() (printer.Status, error) { return Sense(rw, printer.Status{}), nil }
	}
	s, err := Ready(first)
	if err != nil {
		return s, err
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
		s, err = ask() // it may have been switched off and on
	case s.Known:
		s, err = finish(s)
	}
	if err != nil || s.Known {
		return checked(s, err)
	}
	return watch(rw, run.Between)
}

// Ready asks the printer and fails with Unavailable when it is known to be unable.
func Ready(ask Ask) (printer.Status, error) { return checked(ask()) }

// checked adds to s the error that it is.
func checked(s printer.Status, err error) (printer.Status, error) {
	if err == nil && s.Health() == printer.Faulty {
		err = pos.E("print", pos.Unavailable, "%s", pos.Word("en", s.Trouble()))
	}
	return s, err
}

// Sense adds to the status of a printer that did not answer what its cable tells.
func Sense(rw io.ReadWriter, s printer.Status) printer.Status {
	if out, known := paper(rw); !s.Known && known {
		s.PaperOut = out
	}
	return s
}

// paper asks the cable whether the roll is empty; known is false if it cannot tell.
func paper(rw io.ReadWriter) (out, known bool) {
	if c, ok := rw.(interface{ Paper() (out, known bool) }); ok {
		return c.Paper()
	}
	return false, false
}

// watch looks at the cable of a printer that took a paper and does not answer, until the
// paper must be out. It fails with Unavailable when the roll ended meanwhile.
func watch(rw io.ReadWriter, between func(io.ReadWriter) error) (printer.Status, error) {
	var s printer.Status
	for look, without := 0, 0; look < int(watchFor/watchEvery) || without > 0; look++ {
		out, known := paper(rw)
		switch without++; {
		case !known:
			return s, nil
		case !out:
			without = 0
		case without == watchSure:
			s.PaperOut = true
			return checked(s, nil)
		}
		if between != nil {
			if err := between(rw); err != nil {
				return s, err
			}
		}
		time.Sleep(watchEvery)
	}
	return s, nil
}

// Unread takes what rw has and nobody has read, without waiting for more; nothing if rw
// does not keep anything back.
func Unread(rw io.ReadWriter) []byte {
	if c, ok := rw.(interface{ Unread() []byte }); ok {
		return c.Unread()
	}
	return nil
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
