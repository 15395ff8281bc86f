package paper

import "strings"

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
	p.sheet.raster(&p.st, w, h, data)
	p.version++
	if p.left > 0 {
		p.left = max(p.left-(h+29)/30, 0)
	}
	return 8 + w*h
}

// checkImage reports the pairs that some printers obey inside image data.
func (p *Printer) checkImage(data []byte) {
	for _, pair := range []string{"\x10\x04", "\x10\x05", "\x10\x14"} {
		if strings.Contains(string(data), pair) {
			p.wrong("% x inside an image is obeyed as a real-time command", pair)
		}
	}
}

// columnImage is ESC * m nL nH d1…dk. It is taken and not drawn.
func (p *Printer) columnImage(b []byte) int {
	if len(b) < 5 {
		return 0
	}
	k := int(b[3]) + 256*int(b[4])
	if b[2] == 32 || b[2] == 33 {
		k *= 3
	}
	if len(b) < 5+k {
		return 0
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
	if string(b[:3]) == "\x1d(k" {
		p.symbol(b[5:n])
	}
	return n
}

// symbol is GS ( k: a QR code of the printer's own. Its text is kept; of the
// picture there is only a frame.
func (p *Printer) symbol(a []byte) {
	if len(a) < 3 || a[0] != '1' {
		p.wrong("GS ( k with % x is no QR function", a)
		return
	}
	switch a[1] {
	case 'P':
		p.sheet.stored = string(a[3:])
	case 'Q':
		if p.sheet.stored == "" {
			p.wrong("GS ( k prints an empty code: nothing comes out")
			return
		}
		p.sheet.note("[QR " + p.sheet.stored + "]\n")
		p.sheet.blank(200)
		p.version++
	case 'A', 'C', 'E':
	default:
		p.wrong("GS ( k function %d does not exist", a[1])
	}
}
