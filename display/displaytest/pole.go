package displaytest

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/encoding/charmap"
)

// Pole is a display of two lines of twenty characters, made of code: it knows the
// commands of one set (Epson DM-D110/210 command manual; Partner Tech CD5220
// manual, chapter 6; Tysso VFD-550 manual, 6.2), and every other byte below 20h is
// a fault. Set the fields before use.
type Pole struct {
	Dialect string           // "escpos", "cd5220", "dsp800"
	Page    *charmap.Charmap // by its switches; ESC t selects another; nil: CP437

	// Fail, if not nil, is asked before write n, from 1. When it returns an error the
	// write fails with it, and the display has got the first half.
	Fail func(n int) error

	mu      sync.Mutex
	cells   [2][20]byte
	at      int
	scroll  bool
	cursor  bool
	bright  int
	pending []byte
	writes  int
	bytes   int
	closed  int
	born    bool
	faults  []error
}

// Faults returns bytes that the manual does not know.
func (p *Pole) Faults() []error { return p.faults }

// Bytes returns how many bytes came.
func (p *Pole) Bytes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes
}

// Closed returns how often the line was closed.
func (p *Pole) Closed() int { return p.closed }

// Cursor reports that the cursor is shown, and Bright the brightness from 1 to 4.
func (p *Pole) Cursor() bool { return p.cursor }

// Bright returns the brightness from 1 to 4; 0 means that it was not set.
func (p *Pole) Bright() int { return p.bright }

// Close ends the use of the line. The display keeps what it shows.
func (p *Pole) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed++
	return nil
}

// Write takes bytes from the line.
func (p *Pole) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.power()
	p.writes++
	p.bytes += len(b)
	if p.Fail != nil {
		if err := p.Fail(p.writes); err != nil {
			for _, c := range b[:len(b)/2] {
				p.take(c)
			}
			p.pending = nil // the line was dead for long: the display gives up waiting
			return len(b) / 2, err
		}
	}
	for _, c := range b {
		p.take(c)
	}
	return len(b), nil
}

// power is what is shown before anything came.
func (p *Pole) power() {
	if !p.born {
		p.born = true
		copy(p.cells[0][:], "** WELCOME **       ")
		copy(p.cells[1][:], "9600 N 8 1          ")
	}
}

// poleCommands are the bytes of commands by how they begin; a value is their whole
// length. What begins with 20h and above is text.
var poleCommands = map[string]map[string]int{
	"escpos": {
		"\x08": 1, "\x09": 1, "\x0a": 1, "\x0b": 1, "\x0c": 1, "\x0d": 1, "\x18": 1, "\x1f\x0a": 2, "\x1f\x0d": 2, "\x1f\x42": 2, "\x1f\x24": 4, "\x1f\x43": 3,
		"\x1f\x58": 3, "\x1f\x45": 3, "\x1f\x01": 2, "\x1f\x02": 2, "\x1f\x03": 2, "\x1b\x40": 2, "\x1b\x74": 3, "\x1b\x52": 3, "\x1b\x3d": 3, "\x1f\x40": 2,
	},
	"cd5220": {
		"\x08": 1, "\x09": 1, "\x0a": 1, "\x0b": 1, "\x0c": 1, "\x0d": 1, "\x18": 1, "\x1b\x11": 2, "\x1b\x12": 2, "\x1b\x13": 2, "\x1b\x5b": 3, "\x1b\x6c": 4,
		"\x1b\x40": 2, "\x1b\x2a": 3, "\x1b\x5f": 3, "\x1b\x66": 3, "\x1b\x63": 3, "\x1b\x3d": 3,
	},
	"dsp800": {"\x04\x01P": 5, "\x04\x01C": 6, "\x04\x01A": 5, "\x04\x01I": 5, "\x04\x01S": 5, "\x04\x01D": 6, "\x04\x01@": 4},
}

func (p *Pole) take(c byte) {
	if len(p.pending) == 0 && c >= 0x20 {
		p.show(c)
		return
	}
	p.pending = append(p.pending, c)
	open := false
	for begin, n := range poleCommands[p.Dialect] {
		got := string(p.pending)
		if strings.HasPrefix(got, begin) && len(got) == n {
			p.command(p.pending)
			p.pending = nil
			return
		}
		open = open || strings.HasPrefix(begin, got) || strings.HasPrefix(got, begin)
	}
	if !open {
		p.fault("% x is no command of %s", p.pending, p.Dialect)
		p.pending = nil
	}
}

func (p *Pole) fault(format string, args ...any) {
	if len(p.faults) < faultsMax {
		p.faults = append(p.faults, fmt.Errorf(format, args...))
	}
}

// show puts a character at the cursor and moves it on.
func (p *Pole) show(c byte) {
	if p.at == 40 { // only in scroll mode: the line goes up when it must
		p.cells[0] = p.cells[1]
		p.cells[1] = blank()
		p.at = 20
	}
	p.cells[p.at/20][p.at%20] = c
	if p.at++; p.at == 40 && !p.scroll {
		p.at = 0
	}
}

func blank() (row [20]byte) {
	for i := range row {
		row[i] = ' '
	}
	return row
}

// escposPages are the numbers of ESC t.
var escposPages = map[byte]*charmap.Charmap{
	0: charmap.CodePage437, 2: charmap.CodePage850, 16: charmap.Windows1252, 17: charmap.CodePage866, 18: charmap.CodePage852, 19: charmap.CodePage858,
}

func (p *Pole) command(c []byte) {
	switch p.Dialect {
	case "dsp800":
		p.dsp(c)
		return
	case "cd5220":
		p.cd(c)
		return
	}
	switch {
	case c[0] != 0x1B && c[0] != 0x1F:
		p.control(c[0])
	case c[0] == 0x1F && c[1] == 0x24:
		p.move(int(c[2]), int(c[3]))
	case c[0] == 0x1F && c[1] == 0x43:
		p.cursor = p.flag(c[2])
	case c[0] == 0x1F && c[1] == 0x58:
		p.level(int(c[2]))
	case c[0] == 0x1F && c[1] <= 3:
		p.scroll = c[1] == 2
	case c[0] == 0x1B && c[1] == 0x40:
		p.initialise()
	case c[0] == 0x1B && c[1] == 0x74:
		if p.Page = escposPages[c[2]]; p.Page == nil {
			p.fault("code page %d", c[2])
		}
	default:
		p.fault("% x is not modelled", c)
	}
}

func (p *Pole) cd(c []byte) {
	switch {
	case c[0] != 0x1B:
		p.control(c[0])
	case c[1] == 0x6C:
		p.move(int(c[2]), int(c[3]))
	case c[1] == 0x5F:
		p.cursor = p.flag(c[2])
	case c[1] == 0x2A:
		p.level(int(c[2]))
	case c[1] >= 0x11 && c[1] <= 0x13:
		p.scroll = c[1] == 0x12
	case c[1] == 0x40:
		p.initialise()
	default:
		p.fault("% x is not modelled", c)
	}
}

func (p *Pole) dsp(c []byte) {
	if c[len(c)-1] != 0x17 {
		p.fault("% x does not end with ETB", c)
		return
	}
	first, last := int(c[3])-0x31, int(c[len(c)-2])-0x31
	switch c[2] {
	case 'P':
		p.move(first%20+1, first/20+1)
	case 'C':
		if first < 0 || last > 39 || first > last {
			p.fault("a range from %d to %d", first, last)
			return
		}
		for i := first; i <= last; i++ {
			p.cells[i/20][i%20] = ' '
		}
	case 'A':
		p.level(first + 1)
	default:
		p.fault("% x is not modelled", c)
	}
}

func (p *Pole) control(c byte) {
	switch c {
	case 0x0B:
		p.at = 0
	case 0x0C:
		p.cells[0], p.cells[1], p.at = blank(), blank(), 0
	default:
		p.fault("%02x is not modelled", c)
	}
}

func (p *Pole) move(col, row int) {
	if col < 1 || col > 20 || row < 1 || row > 2 {
		p.fault("the cursor to column %d, row %d", col, row)
		return
	}
	p.at = (row-1)*20 + col - 1
}

func (p *Pole) flag(b byte) bool {
	if b > 1 {
		p.fault("a switch at %d", b)
	}
	return b == 1
}

func (p *Pole) level(n int) {
	if p.bright = n; n < 1 || n > 4 {
		p.fault("a brightness of %d", n)
	}
}

// initialise is ESC @.
func (p *Pole) initialise() {
	p.cells[0], p.cells[1], p.at, p.scroll, p.cursor = blank(), blank(), 0, false, true
	if p.Dialect == "escpos" {
		p.Page = charmap.CodePage437
	}
}

// PowerCut takes the power away and gives it back, of a display that has its own
// supply: it forgets what it showed and how it was set, and nobody is told.
func (p *Pole) PowerCut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.initialise()
	p.born, p.pending, p.bright = false, nil, 0
	p.power()
}

// Lines returns the two lines as a person reads them.
func (p *Pole) Lines() [2]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.power()
	page := p.Page
	if page == nil {
		page = charmap.CodePage437
	}
	var out [2]string
	for i, row := range p.cells {
		for _, c := range row {
			out[i] += string(page.DecodeByte(c))
		}
	}
	return out
}

// Look returns a picture of the display: green letters on dark glass.
func (p *Pole) Look() *image.RGBA {
	const w, h, rim = 17, 34, 14
	img := image.NewRGBA(image.Rect(0, 0, 20*w+2*rim, 2*h+2*rim))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{10, 18, 20, 255}), image.Point{}, draw.Src)
	f, err := opentype.Parse(gomonobold.TTF)
	if err != nil {
		panic(err) // a broken build
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: 25, DPI: 72})
	if err != nil {
		panic(err)
	}
	d := font.Drawer{Dst: img, Src: image.NewUniform(color.RGBA{90, 245, 200, 255}), Face: face}
	for row, text := range p.Lines() {
		col := 0
		for _, r := range text {
			cell := image.Rect(rim+col*w, rim+row*h+2, rim+(col+1)*w-2, rim+(row+1)*h-2)
			draw.Draw(img, cell, image.NewUniform(color.RGBA{16, 30, 32, 255}), image.Point{}, draw.Src)
			d.Dot = fixed.P(rim+col*w, rim+row*h+25)
			d.DrawString(string(r))
			col++
		}
	}
	return img
}
