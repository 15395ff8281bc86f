package paper

import (
	"bytes"
	"strconv"
)

// starRaster is Star's raster mode (STAR Graphic Mode Command Specifications): rows go
// into a buffer, which a command prints, feeds and cuts as it was told before.
type starRaster struct {
	on      bool
	ff, eot int // what ESC FF NUL and ESC FF EOT do
	rows    [][]byte
}

// bufferRows bounds the image buffer: 64,000 dots of paper are the longest page.
const bufferRows = 64000

// rasterCommand is ESC * r and a letter, and for most of them a number in digits and
// NUL.
func (p *Printer) rasterCommand(b []byte) int {
	if len(b) < 4 {
		return 0
	}
	if b[2] != 'r' || p.dialect != StarRaster {
		p.wrong("% x is no command of this printer", b[:3])
		return 3
	}
	switch b[3] {
	case 'R', 'A', 'C':
		on := p.star.on && b[3] == 'C' || b[3] == 'A'
		p.star = starRaster{on: on, ff: 13, eot: 13}
		return 4
	case 'B':
		if p.print(p.star.eot); !p.star.on {
			p.wrong("raster mode is left, and was not entered")
		}
		p.star.on = false
		return 4
	}
	return p.rasterNumber(b)
}

// rasterNumber carries out ESC * r x n NUL.
func (p *Printer) rasterNumber(b []byte) int {
	end := bytes.IndexByte(b[4:], 0)
	if end < 0 {
		if len(b) > 16 {
			p.wrong("% x without its end", b[:4])
			return 4
		}
		return 0
	}
	n, err := strconv.Atoi(string(b[4 : 4+end]))
	switch x := b[3]; {
	case err != nil || n < 0:
		p.wrong("ESC * r %c with %q", x, b[4:4+end])
	case x == 'Y':
		p.addRows(n, nil)
	case bytes.IndexByte([]byte("EFPQD"), x) < 0:
		p.wrong("ESC * r %c is not modelled", x)
	case len(p.star.rows) > 0:
		p.wrong("ESC * r %c is ignored while rows wait", x)
	case x == 'E':
		p.star.eot = n
	case x == 'F':
		p.star.ff = n
	case x == 'D' && n > 0:
		p.kick()
	}
	return 4 + end + 1
}

func (p *Printer) addRows(n int, row []byte) {
	if len(p.star.rows)+n > bufferRows {
		p.wrong("%d rows in the buffer", len(p.star.rows)+n)
		return
	}
	for range n {
		p.star.rows = append(p.star.rows, row)
	}
}

// rasterRow is b n1 n2 data, which goes down one row, or k, which does not.
func (p *Printer) rasterRow(b []byte) int {
	if len(b) < 3 {
		return 0
	}
	n := int(b[1]) + 256*int(b[2])
	switch {
	case n > p.dots/8:
		p.wrong("a row of %d bytes on paper of %d dots", n, p.dots)
		return 3
	case len(b) < 3+n:
		return 0
	case b[0] == 'k':
		p.wrong("k is not modelled")
	default:
		p.addRows(1, append([]byte(nil), b[3:3+n]...))
	}
	return 3 + n
}

// execute is ESC FF NUL or ESC FF EOT.
func (p *Printer) execute(what byte) {
	switch what {
	case 0:
		p.print(p.star.ff)
	case 4:
		p.print(p.star.eot)
	default:
		p.wrong("ESC FF %02x does not exist", what)
	}
}

// print prints the buffer and does what mode says: 9 cuts, 13 cuts all but a point,
// others do not. With nothing in the buffer it does nothing.
func (p *Printer) print(mode int) {
	if len(p.star.rows) == 0 {
		return
	}
	d := newDots(p.dots, len(p.star.rows))
	for y, row := range p.star.rows {
		copy(d.bits[y*(d.w/8):(y+1)*(d.w/8)], row)
	}
	p.sheet.blockNote(&state{}, d, "[image "+strconv.Itoa(d.w)+"x"+strconv.Itoa(d.h)+"]\n")
	p.version++
	p.use(d.h)
	p.star.rows = nil
	if mode == 9 || mode == 13 {
		p.sheet.cut()
	}
}
