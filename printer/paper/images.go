package paper

import (
	"strings"

	"github.com/tillwright/tillwright/pos/qr"
	"github.com/tillwright/tillwright/printer/internal/code128"
)

// imageStore is what commands of images and codes leave in the printer.
type imageStore struct {
	stored []byte // by GS ( L, as GS v 0 would carry it
	w, h   int    // its bytes and rows
	text   string // of GS ( k or ESC GS y
	module int    // dots of its modules
	level  qr.Level
	height int  // of bars, in dots; 0 is 162
	width  int  // of their narrowest, in dots; 0 is 3
	below  bool // their text is printed below
}

// maxStrip bounds the rows of one GS v 0 (Epson allows 2047, clones 255 at best).
const maxStrip = 2047

// raster is GS v 0 m xL xH yL yH d1…dk: one bit a dot, rows of whole bytes.
func (p *Printer) raster(b []byte) int {
	if len(b) < 8 {
		return 0
	}
	w, h := int(b[4])+256*int(b[5]), int(b[6])+256*int(b[7])
	switch {
	case b[2] != '0' || (b[3] > 3 && (b[3] < '0' || b[3] > '3')):
		p.wrong("% x is no raster command", b[:4])
		return 2
	case w == 0 || h == 0 || h > maxStrip:
		p.wrong("a raster image of %d bytes by %d rows", w, h)
		return 8
	}
	if len(b) < 8+w*h {
		return 0
	}
	data := b[8 : 8+w*h]
	p.checkImage(data)
	if w*8 > p.dots {
		p.wrong("an image of %d dots on paper of %d", w*8, p.dots)
	}
	if len(p.sheet.line) > 0 {
		p.wrong("a raster image in the middle of a line")
		p.feedLine()
	}
	p.block(w, h, data)
	return 8 + w*h
}

// block prints an image on rows of its own.
func (p *Printer) block(w, h int, data []byte) {
	p.sheet.raster(&p.st, w, h, data)
	p.version++
	p.use(h)
	p.swallow = p.lostLF
}

// use takes h rows from the roll.
func (p *Printer) use(h int) {
	if p.left > 0 {
		p.left = max(p.left-(h+29)/30, 0)
	}
}

// checkImage reports the pairs that some printers obey inside image data.
func (p *Printer) checkImage(data []byte) {
	for _, pair := range []string{"\x10\x04", "\x10\x05", "\x10\x14"} {
		if strings.Contains(string(data), pair) {
			p.wrong("% x inside an image is obeyed as a real-time command", pair)
		}
	}
}

// columnImage is ESC * m nL nH d1…dk, a band in the line being composed. That of 24
// dots at full density is drawn, others are taken.
func (p *Printer) columnImage(b []byte) int {
	if len(b) < 5 {
		return 0
	}
	n := int(b[3]) + 256*int(b[4])
	k := n
	if b[2] == 32 || b[2] == 33 {
		k *= 3
	}
	if len(b) < 5+k {
		return 0
	}
	if p.checkImage(b[5 : 5+k]); b[2] == 33 && !p.sheet.putBand(&p.st, n, b[5:5+k]) {
		p.wrong("a band of %d dots on paper of %d", n, p.dots)
	}
	return 5 + k
}

// function is GS ( x pL pH … and its like: the length stands in front.
func (p *Printer) function(b []byte) int {
	if len(b) < 5 {
		return 0
	}
	n := 5 + int(b[3]) + 256*int(b[4])
	if len(b) < n {
		return 0
	}
	switch string(b[:3]) {
	case "\x1d(k":
		p.symbol(b[5:n])
	case "\x1d(L":
		p.graphics(b[5:n])
	case "\x1b(A":
		p.beeps++
	}
	return n
}

// graphics is GS ( L: function 112 keeps an image, function 50 prints it.
func (p *Printer) graphics(a []byte) {
	switch {
	case len(a) == 2 && a[0] == '0' && (a[1] == 2 || a[1] == '2'):
		if p.image.stored == nil {
			p.wrong("GS ( L prints, and nothing is stored")
			return
		}
		if len(p.sheet.line) > 0 {
			p.wrong("an image in the middle of a line")
			p.feedLine()
		}
		p.block(p.image.w, p.image.h, p.image.stored)
		p.image.stored = nil
	case len(a) > 10 && a[0] == '0' && a[1] == 'p' && a[2] == '0' && a[5] == '1':
		dots, h := int(a[6])+256*int(a[7]), int(a[8])+256*int(a[9])
		w := (dots + 7) / 8
		if len(a)-10 != w*h || dots > p.dots {
			p.wrong("GS ( L: %d dots by %d rows in %d bytes on paper of %d", dots, h, len(a)-10, p.dots)
			return
		}
		p.checkImage(a[10:])
		p.image.w, p.image.h, p.image.stored = w, h, append([]byte(nil), a[10:]...)
	default:
		p.wrong("GS ( L with % x is no function", a[:min(len(a), 6)])
	}
}

// symbol is GS ( k: a QR code of the printer's own.
func (p *Printer) symbol(a []byte) {
	if len(a) < 3 || a[0] != '1' {
		p.wrong("GS ( k with % x is no QR function", a)
		return
	}
	switch a[1] {
	case 'A':
	case 'C':
		if p.image.module = int(a[2]); a[2] < 1 || a[2] > 16 {
			p.wrong("GS ( k: modules of %d dots", a[2])
			p.image.module = 3
		}
	case 'E':
		p.image.level = map[byte]qr.Level{'0': qr.L, '2': qr.Q, '3': qr.H}[a[2]]
	case 'P':
		p.image.text = string(a[3:])
	case 'Q':
		p.printCode()
	default:
		p.wrong("GS ( k function %d does not exist", a[1])
	}
}

// capacity is how many bytes a code of version 1, 2, … 20 holds at level M in the byte
// mode, the only one that printers use (ISO/IEC 18004, table 7).
var capacity = [...]int{14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666}

// printCode draws the stored code. What is too wide does not come out, and the printer
// says nothing; here it is reported.
func (p *Printer) printCode() {
	text := p.image.text
	side := 0
	for i, n := range capacity {
		if len(text) <= n {
			side = 21 + 4*i
			break
		}
	}
	m, err := qr.Encode(text, p.image.level)
	switch {
	case text == "":
		p.wrong("the printer draws an empty code: nothing comes out")
		return
	case err != nil || side == 0 || side*p.image.module > p.dots:
		p.wrong("a code of %d modules of %d dots on paper of %d: nothing comes out", side, p.image.module, p.dots)
		return
	}
	b := newDots(m.Size()*p.image.module, m.Size()*p.image.module)
	for y := range b.h {
		for x := range b.w {
			if m.Dark(x/p.image.module, y/p.image.module) {
				b.set(x, y)
			}
		}
	}
	p.sheet.blockNote(&p.st, b, "[QR "+text+"]\n")
	p.version++
	p.use(b.h)
}

// barWidth is GS w n.
func (p *Printer) barWidth(n byte) {
	if p.image.width = int(n); n < 2 || n > 6 {
		p.wrong("GS w %d: bars are 2 to 6 dots wide", n)
		p.image.width = 3
	}
}

// bars is GS k m: form A ends in NUL, form B has its length in front. Code 128 is drawn,
// others are taken; what is refused is printed as text.
func (p *Printer) bars(b []byte) int {
	switch {
	case len(b) < 4:
		return 0
	case b[2] <= 6:
		end := strings.IndexByte(string(b[3:]), 0)
		if end < 0 && len(b) < 3+256 {
			return 0
		}
		return 3 + max(end, 0) + 1
	case b[2] < 65 || b[2] > 79:
		p.wrong("GS k %d does not exist", b[2])
		return 3
	case len(b) < 4+int(b[3]):
		return 0
	}
	data := string(b[4 : 4+int(b[3])])
	if b[2] == 73 {
		p.code128(data)
	}
	return 4 + int(b[3])
}

// code128 draws GS k 73: code sets are chosen by { and a letter, { itself is {{.
func (p *Printer) code128(data string) {
	text, ok := strings.CutPrefix(data, "{B")
	text = strings.ReplaceAll(text, "{{", "\x00")
	if !ok || strings.Contains(text, "{") {
		p.wrong("GS k 73 with %q: only code set B is modelled", data)
		return
	}
	p.drawBars(strings.ReplaceAll(text, "\x00", "{"), max(p.image.width, 2), p.image.height, p.image.below)
}

func (p *Printer) drawBars(text string, module, high int, below bool) {
	dark, ok := code128.Modules(text)
	if high == 0 {
		high = 162
	}
	switch {
	case !ok:
		p.wrong("bars of %q", text)
		return
	case len(dark)*module > p.dots:
		p.wrong("bars of %d dots on paper of %d: nothing comes out", len(dark)*module, p.dots)
		return
	case len(p.sheet.line) > 0:
		p.wrong("bars in the middle of a line")
		p.feedLine()
	}
	b := newDots(len(dark)*module, high)
	for y := range high {
		for x := range b.w {
			if dark[x/module] {
				b.set(x, y)
			}
		}
	}
	p.sheet.blockNote(&p.st, b, "[bars "+text+"]\n")
	p.version++
	p.use(high)
	if below {
		for _, r := range text {
			p.sheet.put(&p.st, r)
		}
		p.feedLine()
	}
}
