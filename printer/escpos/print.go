package escpos

import (
	"errors"
	"io"
	"os"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
)

// tailAsks bounds the questions after the last byte, each of which takes as long
// as the port waits for an answer (about a second): a full buffer of 64 kB takes
// a slow printer half a minute.
const tailAsks = 40

// Print prints d on rw, and returns what the printer last said of itself.
//
// It asks the printer first (unless run.Silent) and, when something is known to be
// wrong, prints nothing and does not call run.Begin. An error after Begin means that the paper
// may be incomplete, or that nobody can tell. It fails with Unavailable when the
// printer will not print now, with Invalid when d does not fit the profile (Begin
// was not called), and with what Begin and Between return.
//
// It blocks as long as rw makes progress. rw.Write must fail when it makes none,
// rw.Read must fail when no answer comes for a while; silence is no error.
func (p Profile) Print(rw io.ReadWriter, d printer.Document, run printer.Run) (printer.Status, error) {
	pieces, err := p.pieces(d)
	if err != nil {
		return printer.Status{}, err
	}
	t := talk{p: p, rw: rw}
	var s printer.Status
	if !run.Silent {
		if s, err = t.ready(); err != nil {
			return s, err
		}
	}
	if run.Begin != nil {
		if err := run.Begin(); err != nil {
			return s, err
		}
	}
	for _, c := range pieces {
		if s, err = t.send(c, s, run.Between); err != nil {
			return s, err
		}
	}
	return t.finish(s, run.Silent)
}

// ready asks the printer and fails with Unavailable when it is known to be unable.
func (t *talk) ready() (printer.Status, error) {
	s, err := t.status()
	if err == nil && s.Trouble() != "" {
		err = pos.E("print", pos.Unavailable, "%s", pos.Word("en", s.Trouble()))
	}
	return s, err
}

// send sends one piece to a printer whose last word is s.
func (t *talk) send(c piece, s printer.Status, between func(io.ReadWriter) error) (printer.Status, error) {
	if between != nil {
		if err := between(t.rw); err != nil {
			return s, err
		}
	}
	if c.image && s.Known {
		now, err := t.ready()
		if err != nil {
			return now, err
		}
		s = now
	}
	err := write(t.rw, string(c.data), &s)
	return s, err
}

// finish waits until the printer has printed what it holds, as far as it can tell,
// and asks how it is. A printer that does not answer is believed.
func (t *talk) finish(s printer.Status, silent bool) (printer.Status, error) {
	switch {
	case silent:
		return t.ready()
	case !s.Known:
		return s, nil
	case t.p.Queued:
		t.printed = false
		if err := write(t.rw, gsStatus, &s); err != nil {
			return s, err
		}
	}
	for asked := 0; t.p.Queued && !t.printed && asked < tailAsks; asked++ {
		if _, kind, err := t.answer(); err != nil {
			return s, err
		} else if kind != silence {
			continue
		}
		if now, err := t.ready(); err != nil {
			return now, err
		}
	}
	return t.ready()
}

// write sends text; it notes in s when the printer stopped taking bytes.
func write(w io.Writer, text string, s *printer.Status) error {
	n, err := io.WriteString(w, text)
	switch {
	case err == nil && n == len(text):
		return nil
	case err == nil:
		err = io.ErrShortWrite
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.Stalled = true
	}
	return pos.Wrap("print", pos.Unavailable, err, "the connection to the printer broke")
}

// Kick opens the drawer at once. answers says that this printer has answered
// before: then it is asked first, which takes milliseconds. A printer that is
// offline keeps ordinary commands and would open the drawer whenever somebody
// changes the roll; it gets the real-time command instead, which it obeys at once or
// never.
func (p Profile) Kick(rw io.ReadWriter, answers bool) error {
	var s printer.Status
	if answers && p.Answers {
		t := talk{p: p, rw: rw}
		b, err := t.ask(1, &s)
		if err != nil {
			return err
		}
		if b&offlineBit != 0 {
			return write(rw, dlePulse+string([]byte{p.Drawer & 1, 1}), &s)
		}
	}
	return write(rw, p.pulse(), &s)
}

// Reset brings a printer back that an earlier break left in the middle of a
// command: it fills up what the longest strip of an image may lack, header
// included (blank rows on paper; NUL does nothing elsewhere), and initializes it.
func (p Profile) Reset(w io.Writer) error {
	var s printer.Status
	return write(w, string(make([]byte, header+stripBytes))+escInit, &s)
}
