package escpos

import (
	"io"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/talk"
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
	t := dialogue{p: p, rw: rw}
	run.Between = t.counting(pieces, run.Between)
	return talk.Print(rw, pieces, run, t.status, t.finish)
}

// finish waits until the printer has printed what it holds, as far as it can tell,
// and asks how it is.
func (t *dialogue) finish(s printer.Status) (printer.Status, error) {
	if t.p.Queued {
		talk.Unread(t.rw) // an answer of before is none to this
		t.printed = false
		if err := talk.Write(t.rw, gsStatus, &s); err != nil {
			return s, err
		}
	}
	for asked := 0; t.p.Queued && !t.printed && asked < tailAsks; asked++ {
		if _, kind, err := t.answer(); err != nil {
			return s, err
		} else if kind != silence {
			continue
		}
		if now, err := talk.Ready(t.status); err != nil {
			return now, err
		}
	}
	return talk.Ready(t.status)
}

// Kick opens the drawer at once. answers says that this printer has answered
// before: then it is asked first, which takes milliseconds. A printer that is
// offline keeps ordinary commands and would open the drawer whenever somebody
// changes the roll; it gets the real-time command instead, which it obeys at once or
// never. So does one whose cable tells that it has no paper, and one that reports by
// itself (Auto) and does not do so within half a second.
func (p Profile) Kick(rw io.ReadWriter, answers bool) error {
	t := dialogue{p: p, rw: rw}
	off := talk.Sense(rw, printer.Status{}).PaperOut
	switch {
	case answers && p.Answers:
		talk.Unread(rw)
		b, err := t.sure(1, 2)
		if err != nil {
			return err
		}
		off = b&offlineBit != 0 || b == 0 && off
	case p.Auto:
		st, err := t.report(1)
		if err != nil {
			return err
		}
		off = st.Trouble() != ""
	}
	var s printer.Status
	if off {
		return talk.Write(rw, dlePulse+string([]byte{p.Drawer & 1, 1}), &s)
	}
	return talk.Write(rw, p.pulse(), &s)
}

// Reset brings a printer back that an earlier break left in the middle of a
// command: it fills up what the longest strip of an image may lack, header
// included (blank rows on paper; NUL does nothing elsewhere), and initializes it.
// Epson's DLE ENQ 2, which would do it in three bytes, is taken by few others, and
// within an image by none.
func (p Profile) Reset(w io.Writer) error {
	var s printer.Status
	return talk.Write(w, string(make([]byte, header+stripBytes))+escInit, &s)
}
