package paper

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"

	"github.com/tillwright/tillwright/printer/internal/glyph"
)

// Font B in dots; font A is the size of a glyph's cell.
const (
	bWidth  = 9
	bHeight = 17
)

// letter is one of the line being composed, or a band of an image.
type letter struct {
	r    rune
	x, w int // dots
	st   state
	band *dots // 24 rows of dots in place of a letter
}

// dots is a picture of one bit a dot.
type dots struct {
	w, h int
	bits []byte // by rows of whole bytes, the left dot in the highest bit
}

func newDots(w, h int) *dots { return &dots{w, h, make([]byte, (w+7)/8*h)} }

func (d *dots) set(x, y int) { d.bits[y*((d.w+7)/8)+x/8] |= 0x80 >> (x % 8) }

func (d *dots) at(x, y int) bool { return d.bits[y*((d.w+7)/8)+x/8]&(0x80>>(x%8)) != 0 }

// sheet is the paper: its last rows, and its text.
type sheet struct {
	dots int
	rows [][]byte // a byte a dot: 0 white to 255 black; cut marks are nil
	line []letter
	text []byte
}

func (st *state) width() int {
	if st.fontB {
		return bWidth * st.wide
	}
	return st.cell * st.wide
}

func (st *state) height() int {
	if st.fontB {
		return bHeight * st.tall
	}
	return glyph.Height * st.tall
}

// end is where the line being composed ends, in dots.
func (s *sheet) end() int {
	if n := len(s.line); n > 0 {
		return s.line[n-1].x + s.line[n-1].w
	}
	return 0
}

// put adds a letter to the line; false when the line is full.
func (s *sheet) put(st *state, r rune) bool {
	x := s.end()
	if st.margin+x+st.width() > s.dots {
		return false
	}
	s.line = append(s.line, letter{r: r, x: x, w: st.width(), st: *st})
	return true
}

// putBand adds a band of n columns of three bytes to the line; false when it is wider
// than the paper.
func (s *sheet) putBand(st *state, n int, data []byte) bool {
	d := newDots(n, bandRows)
	for x := range n {
		for y := range bandRows {
			if data[3*x+y/8]&(0x80>>(y%8)) != 0 {
				d.set(x, y)
			}
		}
	}
	return s.addBand(st, d)
}

func (s *sheet) addBand(st *state, d *dots) bool {
	x := s.end()
	if st.margin+x+d.w > s.dots {
		return false
	}
	s.line = append(s.line, letter{x: x, w: d.w, st: *st, band: d})
	return true
}

// bandRows is the height of an image in a line.
const bandRows = 24

// tab moves to the next eighth column.
func (s *sheet) tab(st *state) {
	for s.put(st, ' ') && s.end()%(8*st.width()) != 0 {
	}
}

// print puts the line on paper and feeds.
func (s *sheet) print(st *state) {
	high, text := 0, ""
	for i, l := range s.line {
		high = max(high, l.height())
		switch margin := strings.TrimLeft(text, " ") == ""; {
		case l.band != nil:
			text += fmt.Sprintf("[band %d]", l.w)
		case margin && l.r != ' ' && i > 0: // a margin counts in letters like the one after it
			text = strings.Repeat(" ", l.x/l.w) + string(l.r)
		default:
			text += string(l.r)
		}
	}
	rows := s.blank(max(high, st.spacing))
	from := st.margin + s.indent(st, s.end())
	if st.margin == 0 && st.align == 1 {
		s.note(string(bytes.Repeat([]byte{' '}, from/glyph.Width)))
	}
	for _, l := range s.line {
		drawLetter(rows, from+l.x, high-l.height(), l)
	}
	s.note(text + "\n")
	s.line = nil
}

func (l *letter) height() int {
	if l.band != nil {
		return l.band.h
	}
	return l.st.height()
}

// indent is how far ESC a moves what is w dots wide.
func (s *sheet) indent(st *state, w int) int {
	free := max(s.dots-st.margin-w, 0)
	switch st.align {
	case 1:
		return free / 2
	case 2:
		return free
	}
	return 0
}

// blank feeds n rows and returns them.
func (s *sheet) blank(n int) [][]byte {
	dots := make([]byte, n*s.dots)
	for i := range n {
		s.rows = append(s.rows, dots[i*s.dots:(i+1)*s.dots:(i+1)*s.dots])
	}
	if len(s.rows) > 2*maxRows {
		s.rows = append([][]byte(nil), s.rows[len(s.rows)-maxRows:]...)
	}
	return s.rows[len(s.rows)-min(n, len(s.rows)):]
}

func (s *sheet) raster(st *state, w, h int, data []byte) {
	from := s.indent(st, w*8)
	for y, row := range s.blank(h) {
		for x := range w * 8 {
			if data[y*w+x/8]&(0x80>>(x%8)) != 0 && from+x < s.dots {
				row[from+x] = 255
			}
		}
	}
	s.note(fmt.Sprintf("[image %dx%d]\n", w*8, h))
}

// drawDots draws a picture with its upper left corner at x of the first row.
func drawDots(rows [][]byte, x int, d *dots) {
	for dy := range min(d.h, len(rows)) {
		for dx := range d.w {
			if d.at(dx, dy) && x+dx < len(rows[dy]) {
				rows[dy][x+dx] = 255
			}
		}
	}
}

// blockNote puts a picture on rows of its own, and note into the text.
func (s *sheet) blockNote(st *state, d *dots, note string) {
	drawDots(s.blank(d.h), st.margin+s.indent(st, d.w), d)
	s.note(note)
}

// tear is the paper between the head and the knife, in rows.
const tear = 60

func (s *sheet) cut() {
	s.blank(tear)
	s.rows = append(s.rows, nil)
	s.note("- - - - - - - - cut - - - - - - - -\n")
}

// drawLetter draws a letter with its upper left corner at x, y. A margin set in the
// middle of a line may move it off the paper.
func drawLetter(rows [][]byte, x, y int, l letter) {
	if l.band != nil {
		drawDots(rows[y:], x, l.band)
		return
	}
	if l.r == ' ' && !l.st.reverse && !l.st.under {
		return
	}
	cell, high := glyph.Of(l.r), l.st.height()
	for dy := range high {
		row := rows[y+dy][min(x, len(rows[y+dy])):]
		row = row[:min(l.w, len(row))]
		from := (dy * glyph.Height / high) * glyph.Width
		ink := cell[from : from+glyph.Width]
		if l.w == glyph.Width && !l.st.bold {
			copy(row, ink)
		} else {
			stretch(row, ink, l)
		}
		l.st.decorate(row, dy >= high-2)
	}
}

// stretch draws a row of a letter wider or narrower than its cell, or twice.
func stretch(row, ink []byte, l letter) {
	width := glyph.Width
	if !l.st.fontB {
		width = l.st.cell
	}
	for dx := range row {
		cx := dx * width / l.w
		if cx >= glyph.Width { // the space after a letter
			break
		}
		row[dx] = ink[cx]
		if l.st.bold && cx > 0 {
			row[dx] = max(ink[cx], ink[cx-1])
		}
	}
}

func (st *state) decorate(row []byte, foot bool) {
	if !st.under && !st.reverse {
		return
	}
	for dx := range row {
		if st.under && foot {
			row[dx] = 255
		}
		if st.reverse {
			row[dx] = 255 - row[dx]
		}
	}
}

const border = 24 // white rows and dots around the picture: paper is wider than its print

// PNG returns the last part of the paper, at most maxRows rows, as a picture of
// one pixel a dot, and the version that it shows, which rises with every change.
func (p *Printer) PNG() ([]byte, uint64) {
	img, version := p.Look()
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&b, img); err != nil {
		panic("paper: " + err.Error()) // a picture in memory into memory
	}
	return b.Bytes(), version
}

// Look is PNG before it is encoded; the caller owns the picture.
func (p *Printer) Look() (*image.Gray, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sheet.picture(), p.version
}

// Picture is Look without the version.
func (p *Printer) Picture() *image.Gray {
	img, _ := p.Look()
	return img
}

func (s *sheet) picture() *image.Gray {
	rows := s.rows[max(len(s.rows)-maxRows, 0):]
	img := image.NewGray(image.Rect(0, 0, s.dots+2*border, len(rows)+2*border))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for y, row := range rows {
		for x := range s.dots {
			if row != nil && row[x] != 0 {
				img.SetGray(border+x, border+y, color.Gray{Y: 255 - row[x]})
			}
		}
		if row == nil {
			for x := range img.Rect.Dx() {
				if x/8%2 == 0 {
					img.SetGray(x, border+y, color.Gray{Y: 128})
				}
			}
		}
	}
	return img
}
