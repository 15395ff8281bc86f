package escpos

import (
	"errors"
	"io"
	"net"
	"os"

	"github.com/tillwright/tillwright/printer"
)

// Bits of the answers to DLE EOT n.
const (
	offlineBit   = 0x08 // n = 1
	coverBit     = 0x04 // n = 2
	paperStopBit = 0x20
	errorBit     = 0x40
	cutterBit    = 0x08 // n = 3
	fatalBit     = 0x20
	lowBits      = 0x0C // n = 4
	endBits      = 0x60
)

// junkMax bounds the bytes that are skipped in search of an answer: automatic
// status frames have four each.
const junkMax = 16

// Status asks the printer how it is, in real time: it answers even while offline
// or with a full buffer. The zero Status comes back, without error, when the
// profile expects no answers or none came. It fails when the port is closed or
// takes no bytes.
func (p Profile) Status(rw io.ReadWriter) (printer.Status, error) {
	t := talk{p: p, rw: rw}
	return t.status()
}

// talk is a conversation with a printer.
type talk struct {
	p       Profile
	rw      io.ReadWriter
	printed bool // an answer to GS r came: everything sent before it is printed
}

func (t *talk) status() (printer.Status, error) {
	var s printer.Status
	if !t.p.Answers {
		return s, nil
	}
	b, err := t.ask(1, &s)
	if err != nil || !s.Known {
		return s, err
	}
	s.Offline = b&offlineBit != 0
	if b, err = t.ask(2, &s); err != nil {
		return s, err
	}
	s.Cover, s.PaperOut = b&coverBit != 0, b&paperStopBit != 0
	if b&errorBit != 0 {
		if b, err = t.ask(3, &s); err != nil {
			return s, err
		}
		s.Fault = b&(cutterBit|fatalBit) != 0
	}
	if b, err = t.ask(4, &s); err != nil {
		return s, err
	}
	s.PaperOut = s.PaperOut || b&endBits != 0
	s.PaperLow = b&lowBits != 0
	return s, nil
}

// ask sends DLE EOT n and returns the answer, 0 when none came.
func (t *talk) ask(n byte, s *printer.Status) (byte, error) {
	if err := write(t.rw, dleStatus+string([]byte{n}), s); err != nil {
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
	other
)

// answer reads one byte, passing over frames that the printer sends by itself
// (GS a: four bytes, the first 0xx1xx00). No answer is not an error: a one-way
// port never has one. It fails when the port is closed.
func (t *talk) answer() (byte, answerKind, error) {
	b, err := readByte(t.rw)
	for skip := 0; err == nil && b&0x93 == 0x10 && skip < junkMax; skip++ {
		for i := 0; i < 4 && err == nil; i++ {
			b, err = readByte(t.rw)
		}
	}
	switch {
	case errors.Is(err, os.ErrClosed), errors.Is(err, net.ErrClosed):
		return 0, silence, err
	case err != nil:
		return 0, silence, nil
	case b&0x93 == 0x12:
		return b, realTime, nil
	case b&0x90 == 0:
		t.printed = true
		return b, queued, nil
	}
	return b, other, nil
}

func readByte(r io.Reader) (byte, error) {
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
