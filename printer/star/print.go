package star

import (
	"io"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/talk"
)

// Bits of the automatic status, byte by byte from 0 (Star Line Mode Command
// Specifications, "ASB status"). The first two tell its length.
const (
	drawerBit  = 0x04 // byte 2: the drawer's switch
	offlineBit = 0x08
	coverBit   = 0x20
	motorBit   = 0x04 // byte 3
	cutterBit  = 0x08
	fatalBit   = 0x20
	hotBit     = 0x40
	powerBits  = 0x0A // byte 4
	lowBits    = 0x06 // byte 5
	endBit     = 0x08
)

const (
	junkMax  = 32 // bytes that are skipped in search of a status
	frameMax = 64 // bytes of a status: newer models send more than the nine of old
	lastMax  = 8  // statuses read in the end, of which the last one counts
)

// Print prints d on rw, and returns what the printer last said of itself. It behaves and
// fails as escpos.Profile.Print does, but for the acknowledgement that there is not.
func (p Profile) Print(rw io.ReadWriter, d printer.Document, run printer.Run) (printer.Status, error) {
	pieces, err := p.pieces(d)
	if err != nil {
		return printer.Status{}, err
	}
	ask := func() (printer.Status, error) { return p.Status(rw) }
	last := func() (printer.Status, error) { return p.last(rw) }
	return talk.Print(rw, pieces, run, ask, func(printer.Status) (printer.Status, error) { return talk.Ready(last) })
}

// Status asks the printer, which answers in real time, even while off line; what it said
// before is thrown away. The zero Status comes back, without error, when the profile
// expects no answer or none came; PaperOut alone when the cable says so (port.Port). It
// fails when the port is closed or takes no bytes.
func (p Profile) Status(rw io.ReadWriter) (printer.Status, error) {
	var s printer.Status
	if !p.Answers {
		return talk.Sense(rw, s), nil
	}
	talk.Unread(rw)
	if err := talk.Write(rw, escAsk, &s); err != nil {
		return s, err
	}
	now, err := read(rw)
	return talk.Sense(rw, now), err
}

// last is Status, but the newest of several: statuses that the printer sent by itself may
// wait before the answer. It takes as long as the port waits for an answer.
func (p Profile) last(rw io.ReadWriter) (printer.Status, error) {
	s, err := p.Status(rw)
	for n := 0; err == nil && s.Known && n < lastMax; n++ {
		var next printer.Status
		if next, err = read(rw); err == nil && !next.Known {
			break
		} else if err == nil {
			s = next
		}
	}
	return s, err
}

// read reads one status; the zero Status when none came.
func read(r io.Reader) (printer.Status, error) {
	for range junkMax {
		b, err := talk.ReadByte(r)
		switch {
		case talk.Closed(err):
			return printer.Status{}, err
		case err != nil:
			return printer.Status{}, nil
		case b&0x91 == 0x01:
			return frame(r, b)
		}
	}
	return printer.Status{}, nil
}

// frame reads what follows the first byte of a status.
func frame(r io.Reader, first byte) (printer.Status, error) {
	b := []byte{first}
	for n := 2; len(b) < n; {
		c, err := talk.ReadByte(r)
		switch {
		case talk.Closed(err):
			return printer.Status{}, err
		case err != nil:
			return printer.Status{}, nil
		}
		if b = append(b, c); len(b) == 2 {
			// Bits 6, 5 and 3 to 1 of the first byte count; above 31 the second one's bit 7 does.
			n = int(first>>2&0x18|first>>1&0x07) + int(c>>6&0x02)
			n = min(max(n, 6), frameMax)
		}
	}
	return printer.Status{
		Known: true, Drawer: printer.LevelOf(b[2]&drawerBit != 0), Offline: b[2]&offlineBit != 0, Cover: b[2]&coverBit != 0,
		Cutter: b[3]&cutterBit != 0, Hot: b[3]&hotBit != 0, Fault: b[3]&(motorBit|fatalBit) != 0 || b[4]&powerBits != 0,
		PaperOut: b[5]&endBit != 0, PaperLow: b[5]&lowBits != 0,
	}, nil
}

// Kick opens the drawer at once. answers says that this printer has answered before: then
// it is asked first. One that is off line would keep the command and open the drawer when
// somebody changes the roll; so it is not sent, and Kick fails with Unavailable.
func (p Profile) Kick(rw io.ReadWriter, answers bool) error {
	var s printer.Status
	if answers {
		now, err := p.Status(rw)
		switch {
		case err != nil:
			return err
		case now.Offline || now.PaperOut:
			return pos.E("open drawer", pos.Unavailable, "%s", pos.Word("en", now.Trouble()))
		}
	}
	return talk.Write(rw, p.pulse(), &s)
}

// Reset brings a printer back that an earlier break left in the middle of a command: it
// fills up what the longest strip of an image may lack, ends bars, leaves raster mode,
// and initializes it.
func (p Profile) Reset(w io.Writer) error {
	var s printer.Status
	text := string(make([]byte, header+stripBytes)) + endOfBars
	if p.Mode == Raster {
		return talk.Write(w, text+"\x1b*rR", &s)
	}
	return talk.Write(w, text+escInit, &s)
}
