package escpos

import (
	"io"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/talk"
)

// Bits of the answers to DLE EOT n.
const (
	drawerBit    = 0x04 // n = 1: pin 3 of the drawer's socket is high
	offlineBit   = 0x08
	coverBit     = 0x04 // n = 2
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

// Status asks the printer how it is. By DLE EOT it answers in real time, even while
// offline or with a full buffer; by GS a (Auto) only when its turn comes, so that a
// printer that is offline is unknown. The zero Status comes back, without error, when
// the profile expects no answers or none came. It fails when the port is closed or
// takes no bytes.
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
}

func (t *dialogue) status() (printer.Status, error) {
	switch {
	case t.p.Answers:
		return t.realTime()
	case t.p.Auto:
		return t.automatic()
	}
	return printer.Status{}, nil
}

// realTime asks by DLE EOT 1 to 4, and for the kind of error only if there is one.
func (t *dialogue) realTime() (printer.Status, error) {
	var s printer.Status
	b, err := t.ask(1, &s)
	if err != nil || !s.Known {
		return s, err
	}
	s.Offline, s.Drawer = b&offlineBit != 0, printer.LevelOf(b&drawerBit != 0)
	if b, err = t.ask(2, &s); err != nil {
		return s, err
	}
	s.Cover, s.PaperOut = b&coverBit != 0, b&paperStopBit != 0
	if b&errorBit != 0 {
		if b, err = t.ask(3, &s); err != nil {
			return s, err
		}
		s.Cutter, s.Fault, s.Hot = b&cutterBit != 0, b&fatalBit != 0, b&hotBit != 0
	}
	if b, err = t.ask(4, &s); err != nil {
		return s, err
	}
	s.PaperOut = s.PaperOut || b&endBits != 0
	s.PaperLow = b&lowBits != 0
	return s, nil
}

// automatic has the printer report at once and whenever something changes.
func (t *dialogue) automatic() (printer.Status, error) {
	t.auto = printer.Status{}
	var s printer.Status
	if err := talk.Write(t.rw, gsAuto, &s); err != nil {
		return s, err
	}
	for range junkMax {
		if _, kind, err := t.answer(); err != nil || kind == silence || kind == frame {
			return t.auto, err
		}
	}
	return t.auto, nil
}

// ask sends DLE EOT n and returns the answer, 0 when none came.
func (t *dialogue) ask(n byte, s *printer.Status) (byte, error) {
	if err := talk.Write(t.rw, dleStatus+string([]byte{n}), s); err != nil {
		return 0, err
	}
	for range junkMax {
		b, kind, err := t.answer()
		switch kind {
		case realTime:
			s.Known = true
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
