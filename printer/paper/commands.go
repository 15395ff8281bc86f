package paper

import (
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/glyph"
)

// state is what commands set and ESC @ resets.
type state struct {
	bold, under, reverse bool
	fontB                bool
	wide, tall           int // 1 to 8
	align                byte
	page                 byte
	kanji                bool // a clone starts so until FS .
	spacing              int  // dots of a line feed
	margin               int
	cell                 int // dots of a column of font A
}

func (s *state) reset() { *s = state{wide: 1, tall: 1, spacing: 30, cell: glyph.Width} }

// epsonPages are the code pages of ESC t, by Epson's numbers.
var epsonPages = map[byte]*printer.CodePage{
	0: printer.CP437, 2: printer.CP850, 3: printer.CP860, 4: printer.CP863, 5: printer.CP865, 16: printer.CP1252, 17: printer.CP866, 18: printer.CP852,
	19: printer.CP858, 45: printer.CP1250, 46: printer.CP1251, 47: printer.CP1253, 48: printer.CP1254, 51: printer.CP1257,
}

// fixed lists the commands of one length: the bytes that follow the first two.
// (Epson, ESC/POS command reference: "Format" of each command.)
var fixed = map[string]int{
	"\x1b@": 0, "\x1b2": 0, "\x1b<": 0, "\x1bi": 0, "\x1bm": 0, "\x1bL": 0, "\x1bS": 0,
	"\x1b ": 1, "\x1b!": 1, "\x1b%": 1, "\x1b-": 1, "\x1b3": 1, "\x1b=": 1, "\x1b?": 1, "\x1bE": 1, "\x1bG": 1,
	"\x1bJ": 1, "\x1bK": 1, "\x1bM": 1, "\x1bR": 1, "\x1bT": 1, "\x1bV": 1, "\x1ba": 1, "\x1bd": 1, "\x1be": 1,
	"\x1br": 1, "\x1bt": 1, "\x1bu": 1, "\x1bv": 1, "\x1b{": 1, "\x1bU": 1,
	"\x1b$": 2, "\x1b\\": 2, "\x1bc": 2, "\x1bp": 3,
	"\x1c!": 1, "\x1c&": 0, "\x1c-": 1, "\x1c.": 0, "\x1cC": 1, "\x1cS": 2, "\x1cW": 1, "\x1cp": 2,
	"\x1d!": 1, "\x1d:": 0, "\x1dB": 1, "\x1dE": 1, "\x1dH": 1, "\x1dI": 1, "\x1dL": 2, "\x1dP": 2, "\x1dT": 1,
	"\x1dW": 2, "\x1dY": 2, "\x1d\\": 2, "\x1d$": 2, "\x1d^": 3, "\x1da": 1, "\x1db": 1, "\x1df": 1, "\x1dh": 1,
	"\x1dj": 1, "\x1dr": 1, "\x1dw": 1,
}

// step carries out the first command or letter of b and returns its length, 0 when
// it is not complete.
func (p *Printer) step(b []byte) int {
	if p.dialect != ESCPOS {
		return p.starStep(b)
	}
	switch c := b[0]; {
	case c == 0x1b || c == 0x1c || c == 0x1d:
		return p.command(b)
	case c == 0x10:
		return p.skipRealTime(b)
	case c == '\n':
		p.feedLine()
	case c == '\t':
		p.sheet.tab(&p.st)
	case c == 0 || c == '\r' || c == 0x0c || c == 0x18: // no effect in standard mode
	case c < 0x20 || c == 0x7f:
		p.wrong("control byte %02x in text", c)
	default:
		return p.letter(b)
	}
	return 1
}

// skipRealTime passes over a command that listen has carried out.
func (p *Printer) skipRealTime(b []byte) int {
	n := realTimeLen(b[:min(len(b), 3)])
	switch {
	case n < 0:
		p.wrong("DLE %02x is no command", b[1:min(len(b), 3)])
		return 1
	case n > len(b):
		return 0
	}
	return n
}

// letter prints a byte of text.
func (p *Printer) letter(b []byte) int {
	if b[0] >= 0x80 && p.st.kanji {
		p.wrong("byte %02x in double-byte mode", b[0])
		return min(len(b), 2)
	}
	r, ok := rune(b[0]), b[0] < 0x80
	if !ok {
		if r, ok = p.pages[p.st.page].Rune(b[0]); !ok {
			p.wrong("byte %02x has no letter in code page %d", b[0], p.st.page)
			return 1
		}
	}
	if !p.sheet.put(&p.st, r) {
		p.wrong("the line is longer than the paper")
		p.feedLine()
		p.sheet.put(&p.st, r)
	}
	return 1
}

func (p *Printer) feedLine() {
	if p.swallow {
		p.swallow = false
		if len(p.sheet.line) == 0 {
			return
		}
	}
	p.sheet.print(&p.st)
	p.version++
	if p.left > 0 {
		p.left--
	}
}

func (p *Printer) command(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if p.lacks[string(b[:2])] {
		p.wrong("% x is no command of this model", b[:2])
		return 2
	}
	if p.clone && string(b[:2]) == "\x1bB" {
		if len(b) < 4 {
			return 0
		}
		p.beeps++
		return 4
	}
	if n, ok := fixed[string(b[:2])]; ok {
		if len(b) < 2+n {
			return 0
		}
		p.set(string(b[:2]), b[2:2+n])
		return 2 + n
	}
	switch string(b[:2]) {
	case "\x1b*":
		return p.columnImage(b)
	case "\x1dv":
		return p.raster(b)
	case "\x1d(", "\x1b(", "\x1c(":
		return p.function(b)
	case "\x1dk":
		return p.bars(b)
	case "\x1dV":
		return p.cut(b)
	case "\x1bD":
		return zeroEnded(b, 32)
	}
	p.wrong("% x is no command of this printer", b[:2])
	return 1
}

// zeroEnded is the length of a list that ends in NUL.
func zeroEnded(b []byte, limit int) int {
	for i := 2; i < len(b) && i < 2+limit+1; i++ {
		if b[i] == 0 {
			return i + 1
		}
	}
	if len(b) > 2+limit {
		return 2
	}
	return 0
}

// set carries out a command of one length.
func (p *Printer) set(name string, a []byte) {
	st := &p.st
	switch name {
	case "\x1b@":
		p.reset()
	case "\x1c.":
		st.kanji = false
	case "\x1c&":
		st.kanji = true
	case "\x1b!":
		st.fontB, st.bold, st.under = a[0]&1 != 0, a[0]&8 != 0, a[0]&0x80 != 0
		st.tall, st.wide = 1+int(a[0]>>4&1), 1+int(a[0]>>5&1)
	case "\x1bE", "\x1bG":
		st.bold = a[0]&1 != 0
	case "\x1b-":
		st.under = a[0]&3 != 0
	case "\x1dB":
		st.reverse = a[0]&1 != 0
	case "\x1bM":
		st.fontB = a[0]&1 != 0
	case "\x1d!":
		st.wide, st.tall = 1+int(a[0]>>4&7), 1+int(a[0]&7)
	case "\x1b2":
		st.spacing = 30
	case "\x1b3":
		st.spacing = int(a[0])
	case "\x1dL":
		st.margin = int(a[0]) + 256*int(a[1])
	case "\x1bt":
		p.selectPage(a[0])
	case "\x1ba":
		p.align(a[0])
	case "\x1bR":
		if a[0] != 0 {
			p.wrong("ESC R %d: this printer speaks only to Americans", a[0])
		}
	case "\x1bd":
		for range a[0] {
			p.feedLine()
		}
	case "\x1bJ":
		p.sheet.print(st)
		p.sheet.blank(int(a[0]))
		p.version++
	case "\x1bp":
		if a[0] != 0 && a[0] != 1 && a[0] != '0' && a[0] != '1' {
			p.wrong("ESC p %d: there is no such pin", a[0])
		}
		p.kick()
	case "\x1dr":
		p.queuedStatus(a[0])
	case "\x1da":
		p.auto, p.lastASB = a[0]&0x4f, ""
	case "\x1dh":
		p.image.height = int(a[0])
	case "\x1dw":
		p.barWidth(a[0])
	case "\x1dH":
		p.image.below = a[0] == 2 || a[0] == 3 || a[0] == '2' || a[0] == '3'
	case "\x1bi", "\x1bm":
		p.cutNow()
	case "\x1dT", "\x1bL", "\x1dP":
		p.wrong("% x: page mode is not modelled", name)
	}
}

func (p *Printer) selectPage(n byte) {
	if _, ok := p.pages[n]; !ok {
		p.wrong("ESC t %d: no such code page", n)
		return
	}
	p.st.page = n
}

// align works at the start of a line only.
func (p *Printer) align(n byte) {
	if n >= '0' {
		n -= '0'
	}
	switch {
	case n > 2:
		p.wrong("ESC a %d does not exist", n)
	case len(p.sheet.line) > 0:
		p.wrong("ESC a in the middle of a line has no effect")
	default:
		p.st.align = n
	}
}

// queuedStatus answers GS r n when everything before it is done.
func (p *Printer) queuedStatus(n byte) {
	switch n {
	case 1, '1':
		b := byte(0)
		if p.near {
			b |= 0x03
		}
		p.answer(b)
	case 2, '2':
		p.answer(0)
	default:
		p.wrong("GS r %d does not exist", n)
	}
}

// cut is GS V m, with a feed n for m above 64.
func (p *Printer) cut(b []byte) int {
	if len(b) < 3 {
		return 0
	}
	switch m := b[2]; m {
	case 0, 1, '0', '1':
		p.cutNow()
		return 3
	case 'A', 'B', 'a', 'b', 'g', 'h':
		if len(b) < 4 {
			return 0
		}
		p.sheet.blank(int(b[3]))
		p.cutNow()
		return 4
	}
	p.wrong("GS V %d does not exist", b[2])
	return 3
}

func (p *Printer) cutNow() {
	if len(p.sheet.line) > 0 {
		p.wrong("a cut in the middle of a line")
		p.feedLine()
	}
	p.sheet.cut()
	p.version++
}
