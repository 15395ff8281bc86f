package paper

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"github.com/tillwright/tillwright/printer/internal/glyph"
)

// Font B in dots; font A is the size of a glyph's cell.
const (
	bWidth  = 9
	bHeight = 17
)

// letter is one of the line being composed.
type letter struct {
	r    rune
	x, w int // dots
	st   state
}

// sheet is the paper: its last rows, and its text.
type sheet struct {
	dots   int
	rows   [][]byte // a byte a dot: 0 white to 255 black; cut marks are nil
	line   []letter
	text   []byte
	stored string // the QR code stored in the printer
}

func (st *state) width() int {
	if st.fontB {
		return bWidth * st.wide
	}
	return glyph.Width * st.wide
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
	s.line = append(s.line, letter{r, x, st.width(), *st})
	return true
}

// tab moves to the next eighth column.
func (s *sheet) tab(st *state) {
	for s.put(st, ' ') && s.end()%(8*st.width()) != 0 {
	}
}

// print puts the line on paper and feeds.
func (s *sheet) print(st *state) {
	high, text := 0, make([]rune, 0, len(s.line))
	for _, l := range s.line {
		high = max(high, l.st.height())
		text = append(text, l.r)
	}
	rows := s.blank(max(high, st.spacing))
	from := st.margin + s.indent(st, s.end())
	if st.margin == 0 && st.align == 1 {
		s.note(string(bytes.Repeat([]byte{' '}, from/glyph.Width)))
	}
	for _, l := range s.line {
		drawLetter(rows, from+l.x, high-l.st.height(), l)
	}
	s.note(string(text) + "\n")
	s.line = nil
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
	for dx := range row {
		cx := dx * glyph.Width / l.w
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
	p.mu.Lock()
	img, version := p.sheet.picture(), p.version
	p.mu.Unlock()
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&b, img); err != nil {
		panic("paper: " + err.Error()) // a picture in memory into memory
	}
	return b.Bytes(), version
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
