package paper

import (
	"bytes"
	"strings"

	"github.com/tillwright/tillwright/pos/qr"
	"github.com/tillwright/tillwright/printer"
)

const (
	starSpacing = 32             // dots of a line feed: 4 mm
	starTight   = 24             // … after ESC 0
	starAsk     = "\x1b\x06\x01" // ESC ACK SOH: asks for a status in real time
)

// starPages are the code pages of ESC GS t (Star Line Mode Command Specification,
// "Select code page").
var starPages = map[byte]*printer.CodePage{
	1: printer.CP437, 4: printer.CP858, 5: printer.CP852, 6: printer.CP860, 8: printer.CP863, 9: printer.CP865, 10: printer.CP866,
	32: printer.CP1252, 33: printer.CP1250, 34: printer.CP1251,
}

// starFixed lists the commands of one length: the bytes that follow the name.
// (StarPRNT and Star Line Mode Command Specifications.)
var starFixed = map[string]int{
	"\x1b@": 0, "\x1bE": 0, "\x1bF": 0, "\x1b4": 0, "\x1b5": 0, "\x1b0": 0, "\x1b1": 0, "\x1b-": 1, "\x1b_": 1, "\x1bi": 2, "\x1bW": 1, "\x1bh": 1,
	"\x1bz": 1, "\x1ba": 1, "\x1bI": 1, "\x1bJ": 1, "\x1bl": 1, "\x1bQ": 1, "\x1b ": 1, "\x1bR": 1, "\x1bd": 1, "\x1bs": 2, "\x1b\x07": 2, "\x1b\x06": 1,
	"\x1b\x0c": 1, "\x1b\x1da": 1, "\x1b\x1dA": 2, "\x1b\x1dR": 2, "\x1b\x1dt": 1, "\x1b\x1d\x03": 3, "\x1b\x1d#": 1, "\x1b\x1d\x07": 3,
	"\x1b\x1eF": 1, "\x1b\x1ea": 1, "\x1b\x1ed": 1, "\x1b\x1er": 1, "\x1b\x1eC": 1,
}

// starStep carries out the first command or letter of b and returns its length, 0
// when it is not complete.
func (p *Printer) starStep(b []byte) int {
	switch c := b[0]; {
	case p.star.on && (c == 'b' || c == 'k'):
		return p.rasterRow(b)
	case c == 0x1b:
		return p.starCommand(b)
	case c == 0 || c == '\r' || c == 0x17: // no effect on paper
	case c == 0x18:
		p.sheet.line = nil
	case c == 0x07 || c == 0x1c || c == 0x1a || c == 0x19: // BEL, FS: first drawer; SUB, EM: second
		p.kick()
	case p.dialect == StarRaster:
		p.wrong("byte %02x: this model has no letters", c)
	case c == '\n':
		p.feedLine()
	case c == '\t':
		p.sheet.tab(&p.st)
	case c < 0x20 || c == 0x7f:
		p.wrong("control byte %02x in text", c)
	default:
		return p.starLetter(b)
	}
	return 1
}

// starLetter prints a letter; the standard page that the machine starts in is ASCII.
func (p *Printer) starLetter(b []byte) int {
	if b[0] >= 0x80 && p.pages[p.st.page] == nil {
		p.wrong("byte %02x in the standard page", b[0])
		return 1
	}
	return p.letter(b)
}

func (p *Printer) starCommand(b []byte) int {
	name := 2
	if len(b) > 1 && (b[1] == 0x1d || b[1] == 0x1e) {
		name = 3
	}
	if len(b) < name {
		return 0
	}
	if n, ok := starFixed[string(b[:name])]; ok {
		if len(b) < name+n {
			return 0
		}
		p.starSet(string(b[1:name]), b[name:name+n])
		return name + n
	}
	switch string(b[1:name]) {
	case "b":
		return p.starBars(b)
	case "k":
		return p.starBand(b)
	case "*":
		return p.rasterCommand(b)
	case "\x1dS":
		return p.starImage(b)
	case "\x1dy":
		return p.starCode(b)
	}
	p.wrong("% x is no command of this printer", b[:name])
	return 1
}

// starSet carries out a command of one length.
func (p *Printer) starSet(name string, a []byte) {
	st := &p.st
	if p.dialect == StarRaster && !strings.Contains("@ d \x07 \x06 \x0c \x1d\x03 \x1ea", name) {
		p.wrong("% x: this model has no text", name)
		return
	}
	switch name {
	case "@":
		p.reset()
	case "E", "F":
		st.bold = name == "E"
	case "4", "5":
		st.reverse = name == "4"
	case "-":
		st.under = a[0] == 1 || a[0] == '1'
	case "i":
		p.starSize(a[0], a[1])
	case "0":
		st.spacing = starTight
	case "z":
		st.spacing = starSpacing
		if a[0] == 0 || a[0] == '0' {
			st.spacing = starTight
		}
	case "a":
		for range a[0] {
			p.feedLine()
		}
	case "\x1da":
		p.align(a[0])
	case "\x1dt":
		p.selectPage(a[0])
	case "R":
		if a[0] != 0 {
			p.wrong("ESC R %d: this printer speaks only to Americans", a[0])
		}
	case "d":
		p.starCut(a[0])
	case "\x0c":
		p.execute(a[0])
	}
}

// starSize is ESC i h w: each one less than the factor, up to 5.
func (p *Printer) starSize(h, w byte) {
	if h >= '0' {
		h, w = h-'0', w-'0'
	}
	if h > 5 || w > 5 {
		p.wrong("ESC i %d %d does not exist", h, w)
		return
	}
	p.st.tall, p.st.wide = int(h)+1, int(w)+1
}

// starCut is ESC d n: 2 and 3 feed to the knife first.
func (p *Printer) starCut(n byte) {
	if n >= '0' {
		n -= '0'
	}
	switch {
	case n > 3:
		p.wrong("ESC d %d does not exist", n)
	case p.lacks["\x1bd"]:
		p.wrong("ESC d: this model has no knife")
	default:
		p.cutNow()
	}
}

// starBars is ESC b n1 n2 n3 n4 data RS. Code 128 (n1 = 6) is drawn.
func (p *Printer) starBars(b []byte) int {
	end := bytes.IndexByte(b[2:], 0x1e)
	switch {
	case len(b) >= 6 && end >= 0:
		if b[2] == 6 || b[2] == '6' {
			module := map[byte]int{1: 2, 2: 3, 3: 4}[b[4]%'0']
			text := string(b[6 : 2+end])
			if n := strings.Count(text, "%"); n != strings.Count(text, "%0") {
				p.wrong("a %% that is none in %q: it is written %%0 in a Code 128", text)
			}
			p.drawBars(strings.ReplaceAll(text, "%0", "%"), max(module, 2), int(b[5]), b[3] == 2 || b[3] == '2')
		}
		return 2 + end + 1
	case len(b) > 300:
		p.wrong("ESC b without its end")
		return 2
	}
	return 0
}

// starBand is ESC k n1 n2 data: 24 rows of n bytes, in the line being composed.
func (p *Printer) starBand(b []byte) int {
	if p.dialect != StarLine {
		p.wrong("ESC k is of Star Line Mode")
		return 2
	}
	if len(b) < 4 {
		return 0
	}
	w := int(b[2]) + 256*int(b[3])
	if len(b) < 4+bandRows*w {
		return 0
	}
	if d := (&dots{w * 8, bandRows, append([]byte(nil), b[4:4+bandRows*w]...)}); !p.sheet.addBand(&p.st, d) {
		p.wrong("a band of %d dots on paper of %d", w*8, p.dots)
	}
	return 4 + bandRows*w
}

// starImage is ESC GS S m xL xH yL yH n data: rows of x bytes.
func (p *Printer) starImage(b []byte) int {
	if p.dialect != StarPRNT {
		p.wrong("ESC GS S is of StarPRNT")
		return 3
	}
	if len(b) < 9 {
		return 0
	}
	w, h := int(b[4])+256*int(b[5]), int(b[6])+256*int(b[7])
	if b[3] != 1 || w == 0 || h == 0 || b[8] != 0 {
		p.wrong("ESC GS S with % x", b[3:9])
		return 9
	}
	if len(b) < 9+w*h {
		return 0
	}
	if w*8 > p.dots {
		p.wrong("an image of %d dots on paper of %d", w*8, p.dots)
	}
	if len(p.sheet.line) > 0 {
		p.wrong("an image in the middle of a line")
		p.feedLine()
	}
	p.block(w, h, b[9:9+w*h])
	return 9 + w*h
}

// starCode is ESC GS y: settings, data, print.
func (p *Printer) starCode(b []byte) int {
	if len(b) < 4 {
		return 0
	}
	switch b[3] {
	case 'S':
		if len(b) < 6 {
			return 0
		}
		p.starCodeSet(b[4], b[5])
		return 6
	case 'D':
		if len(b) < 8 {
			return 0
		}
		n := 8 + int(b[6]) + 256*int(b[7])
		if len(b) < n {
			return 0
		}
		p.image.text = string(b[8:n])
		return n
	case 'P':
		p.printCode()
		return 4
	}
	p.wrong("ESC GS y %02x does not exist", b[3])
	return 4
}

func (p *Printer) starCodeSet(what, n byte) {
	switch {
	case what == '0' && (n == 1 || n == 2):
	case what == '1' && n <= 3:
		p.image.level = [...]qr.Level{qr.L, qr.M, qr.Q, qr.H}[n]
	case what == '2' && n >= 1 && n <= 8:
		p.image.module = int(n)
	default:
		p.wrong("ESC GS y S %c %d does not exist", what, n)
	}
}

// starStatus is the answer to ESC ACK SOH: nine bytes, the number of them in the
// first.
func (p *Printer) starStatus() string {
	b := [9]byte{0x23, 0x06}
	set := func(i int, on bool, bits byte) {
		if on {
			b[i] |= bits
		}
	}
	set(2, p.sensor, 0x04)
	set(2, !p.ready(), 0x08)
	set(2, p.cover, 0x20)
	set(3, p.cutter, 0x08)
	set(3, p.hot, 0x40)
	set(5, p.near || p.left == 0, 0x04)
	set(5, p.left == 0, 0x08)
	return string(b[:])
}
