package escpos

import (
	"bytes"
	"io"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/talk"
)

// Bits of the answers to DLE EOT n.
const (
	drawerBit    = 0x04 // n = 1: pin 3 of the drawer's socket is high
	offlineBit   = 0x08
	coverBit     = 0x04 // n = 2
	feedBit      = 0x08
	paperStopBit = 0x20
	errorBit     = 0x40
	cutterBit    = 0x08 // n = 3
	fatalBit     = 0x20
	hotBit       = 0x40 // recovers by itself: the head has to cool
	lowBits      = 0x0C // n = 4
	endBits      = 0x60
)

// Bits of the frames that GS a asks for, byte by byte.
const (
	autoDrawer  = 0x04 // byte 1
	autoOffline = 0x08
	autoCover   = 0x20
	autoCutter  = 0x08 // byte 2
	autoFatal   = 0x20
	autoHot     = 0x40
	autoLow     = 0x03 // byte 3
	autoEnd     = 0x0C
)

// junkMax bounds the bytes that are skipped in search of an answer: automatic
// status frames have four each.
const junkMax = 16

// Waits for a report, of half a second each.
const (
	// autoAsks is how many an idle printer may take: three seconds.
	autoAsks = 6
	// autoRows is how many rows of dots a slow printer brings out in one: 50 mm/s are 400
	// a second. What was sent of a paper is out before the printer gets to the question.
	autoRows = 200
	// autoMost bounds them all: a full buffer of 64 kB takes a slow printer half a minute.
	autoMost = 60
	// lineRows is of a line of text, at most: tall letters and the gap take 54.
	lineRows = 60
)

// Status asks the printer how it is. By DLE EOT it answers in real time, even while
// offline or with a full buffer; by GS a (Auto) only when its turn comes, but it reports
// what changes by itself, and is Stalled when it does neither. The zero Status comes back, without error, when the profile
// expects no answers, none came, or they ceased; PaperOut alone when the cable says so
// (port.Port). It fails when the port is closed or takes no bytes.
func (p Profile) Status(rw io.ReadWriter) (printer.Status, error) {
	t := dialogue{p: p, rw: rw}
	return t.status()
}

// dialogue is a conversation with a printer.
type dialogue struct {
	p       Profile
	rw      io.ReadWriter
	printed bool           // an answer to GS r came: everything sent before it is printed
	auto    printer.Status // of the last frame that the printer sent by itself
	broke   printer.Status // what a question told that could not be put
	rows    int            // of dots, at most, that were sent of the paper
}

func (t *dialogue) status() (s printer.Status, err error) {
	switch {
	case t.p.Answers:
		s, err = t.realTime()
	case t.p.Auto:
		s, err = t.automatic()
	}
	return talk.Sense(t.rw, s), err
}

// realTime asks by DLE EOT. What waits belongs to questions of before and is thrown away.
// Answers do not say what they answer, and some machines answer the question before: if
// they do not go together, each question is put twice, and the second answer is the one.
func (t *dialogue) realTime() (printer.Status, error) {
	talk.Unread(t.rw)
	a, err := t.round(1)
	if err == nil && a.doubtful() {
		a, err = t.round(2)
	}
	s := a.status()
	s.Stalled, s.PaperOut = t.broke.Stalled, s.PaperOut || t.broke.PaperOut
	if !a.whole && s.Trouble() == "" {
		return printer.Status{}, err
	}
	return s, err
}

// answers are what a round of questions brought; 0 is none.
type answers struct {
	of    [5]byte // by n of DLE EOT
	again byte    // to n = 1, in the end
	whole bool    // nothing was missing
}

// round asks by DLE EOT 1, 2 and 4, for the kind of error only if there is one, and once
// more by 1; each question as often as times. It ends when an answer does not come.
func (t *dialogue) round(times int) (a answers, err error) {
	for _, n := range []byte{1, 2, 3, 4, 1} {
		if n == 3 && a.of[2]&errorBit == 0 {
			continue
		}
		b, err := t.sure(n, times)
		switch {
		case err != nil || b == 0:
			return a, err
		case a.of[n] != 0:
			a.again = b
		default:
			a.of[n] = b
		}
	}
	a.whole = true
	return a, nil
}

// sure asks as often as times and returns the last answer, 0 when one did not come.
func (t *dialogue) sure(n byte, times int) (b byte, err error) {
	for range times {
		if b, err = t.ask(n); err != nil || b == 0 {
			return 0, err
		}
	}
	return b, nil
}

// doubtful reports answers that may have come to other questions: the first and the last
// are to the same one; nobody presses the feed button; a printer is off line if something
// stops it, as a rule; and the bits of the paper's sensors come in pairs.
func (a answers) doubtful() bool {
	off, stopped := a.of[1]&offlineBit != 0, a.of[2]&(coverBit|paperStopBit|errorBit) != 0
	low, end := a.of[4]&lowBits, a.of[4]&endBits
	halves := low != 0 && low != lowBits || end != 0 && end != endBits
	return a.whole && (a.of[1] != a.again || a.of[2]&feedBit != 0 || off != stopped || halves)
}

func (a answers) status() printer.Status {
	var s printer.Status
	if a.of[1] == 0 {
		return s
	}
	return printer.Status{
		Known: true, Offline: a.of[1]&offlineBit != 0, Drawer: printer.LevelOf(a.of[1]&drawerBit != 0),
		Cover: a.of[2]&coverBit != 0, PaperOut: a.of[2]&paperStopBit != 0 || a.of[4]&endBits != 0, PaperLow: a.of[4]&lowBits != 0,
		Cutter: a.of[3]&cutterBit != 0, Fault: a.of[3]&fatalBit != 0, Hot: a.of[3]&hotBit != 0,
	}
}

// automatic has the printer report when its turn comes, and from then on whenever
// something changes. One that is off line does not get to it: what it said by itself when
// that began is its last word, and silence for longer than what it was sent takes to come
// out means that it is stuck, for who chose such a profile has a printer that reports.
func (t *dialogue) automatic() (printer.Status, error) {
	return t.report(min(autoAsks+t.rows/autoRows, autoMost))
}

// counting returns a Between that counts what is sent after it, piece by piece.
func (t *dialogue) counting(pieces []talk.Piece, between func(io.ReadWriter) error) func(io.ReadWriter) error {
	return func(rw io.ReadWriter) error {
		if len(pieces) > 0 {
			t.rows += rowsOf(pieces[0])
			pieces = pieces[1:]
		}
		if between == nil {
			return nil
		}
		return between(rw)
	}
}

// rowsOf is how many rows of dots a piece has, at most.
func rowsOf(c talk.Piece) int {
	if c.Image {
		return stripRows + lineRows
	}
	return bytes.Count(c.Data, []byte(lf)) * lineRows
}

// report is automatic, but waits only so many times.
func (t *dialogue) report(asks int) (printer.Status, error) {
	if t.said(); t.auto.Trouble() != "" {
		return t.auto, nil
	}
	t.auto = printer.Status{}
	if err := talk.Write(t.rw, gsAuto, &t.broke); err != nil {
		return t.broke, err
	}
	for silent, junk := 0, 0; silent < asks && junk < junkMax; {
		switch _, kind, err := t.answer(); {
		case err != nil:
			return t.auto, err
		case kind == frame:
			return t.auto, nil
		case kind == silence:
			silent++
		default:
			junk++
		}
	}
	return printer.Status{Stalled: true}, nil
}

// said takes what the printer reported by itself since it was last asked.
func (t *dialogue) said() {
	old := dialogue{p: t.p, rw: bytes.NewBuffer(talk.Unread(t.rw))}
	for kind := other; kind != silence; {
		_, kind, _ = old.answer()
	}
	t.auto = old.auto
}

// ask sends DLE EOT n and returns the answer, 0 when none came.
func (t *dialogue) ask(n byte) (byte, error) {
	if err := talk.Write(t.rw, dleStatus+string([]byte{n}), &t.broke); err != nil {
		return 0, err
	}
	for range junkMax {
		b, kind, err := t.answer()
		switch kind {
		case realTime:
			return b, nil
		case silence:
			return 0, err
		}
	}
	return 0, nil
}

// Kinds of bytes that come from a printer.
type answerKind int

const (
	silence  answerKind = iota
	realTime            // to DLE EOT: 0xx1xx10
	queued              // to GS r: 0xx0xxxx
	frame               // by itself: four bytes, the first 0xx1xx00
	other
)

// answer reads one byte, or one frame. No answer is not an error: a one-way port
// never has one. It fails when the port is closed.
func (t *dialogue) answer() (byte, answerKind, error) {
	b, err := talk.ReadByte(t.rw)
	switch {
	case talk.Closed(err):
		return 0, silence, err
	case err != nil:
		return 0, silence, nil
	case b&0x93 == 0x12:
		return b, realTime, nil
	case b&0x93 == 0x10:
		return t.readFrame(b)
	case b&0x90 == 0:
		t.printed = true
		return b, queued, nil
	}
	return b, other, nil
}

// readFrame reads what follows the first byte of an automatic status.
func (t *dialogue) readFrame(first byte) (byte, answerKind, error) {
	var b [4]byte
	b[0] = first
	for i := 1; i < len(b); i++ {
		var err error
		if b[i], err = talk.ReadByte(t.rw); talk.Closed(err) {
			return 0, silence, err
		} else if err != nil {
			return 0, silence, nil
		}
		if b[i]&0x90 != 0 {
			return b[i], other, nil
		}
	}
	t.auto = printer.Status{
		Known: true, Drawer: printer.LevelOf(b[0]&autoDrawer != 0), Offline: b[0]&autoOffline != 0, Cover: b[0]&autoCover != 0,
		Cutter: b[1]&autoCutter != 0, Fault: b[1]&autoFatal != 0, Hot: b[1]&autoHot != 0,
		PaperLow: b[2]&autoLow != 0, PaperOut: b[2]&autoEnd != 0,
	}
	return b[0], frame, nil
}
