package paper

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/glyph"
)

const (
	maxRows = 4000     // rows of paper that are shown: 50 cm; up to twice as many are kept
	maxText = 64 << 10 // bytes of text that are shown; up to twice as many are kept
	// DefaultBuffer is what a printer holds while it cannot print, in bytes. Small
	// machines have 4 kB.
	DefaultBuffer = 4096
	// Endless is the roll that never ends.
	Endless = -1
)

// Printer is the machine. It is safe for concurrent use; each of its methods
// returns at once. It is its own port: Write hands it bytes, Read fetches its
// answers, Close leaves it on.
type Printer struct {
	mu      sync.Mutex
	dialect Dialect
	dots    int
	cell    int // dots of a column of font A
	buffer  int // bytes
	left    int // lines of paper; Endless
	near    bool
	cover   bool
	cutter  bool // stuck
	hot     bool
	paused  bool // by its button
	sensor  bool // of the drawer: high
	oneWay  bool
	deaf    bool // to DLE EOT
	lacks   map[string]bool
	pages   map[byte]*printer.CodePage
	clone   bool
	lostLF  bool // swallows a line feed after an image
	swallow bool // … the next one
	fault   func(string)
	stopIn  int // bytes until the cover opens by itself; below 0 it does not
	auto    byte
	lastASB string
	pend    []byte // received, not yet carried out
	rt      []byte // the start of a real-time command, perhaps
	answers []byte
	drawer  int
	beeps   int
	version uint64
	changed chan struct{}

	st    state
	sheet sheet
	image imageStore
	star  starRaster
}

// Dialect is the language of a machine. The zero Dialect is ESC/POS.
type Dialect byte

// Dialects.
const (
	ESCPOS     Dialect = iota
	StarPRNT           // mC-Print, TSP100IV, TSP143IV: text, and images as blocks
	StarLine           // TSP650, TSP700, TSP800: text, and images as bands of 24 rows
	StarRaster         // TSP100, TSP143: rows of dots, no letters
)

// New returns an ESC/POS printer with dots across its paper (384 for 58 mm, 576 for
// 80 mm; rounded up to whole bytes), an endless roll and its cover closed.
func New(dots int) *Printer { return NewDialect(dots, ESCPOS) }

// NewDialect returns a printer that speaks d.
func NewDialect(dots int, d Dialect) *Printer {
	dots = max((dots+7)/8*8, 8)
	p := &Printer{dialect: d, dots: dots, buffer: DefaultBuffer, left: Endless, changed: make(chan struct{}), stopIn: -1, pages: epsonPages, cell: glyph.Width}
	if d != ESCPOS {
		p.pages = starPages
	}
	p.sheet.dots = dots
	p.reset()
	return p
}

// reset is what switching on does, and ESC @.
func (p *Printer) reset() {
	p.st.reset()
	p.st.kanji, p.st.cell = p.clone, p.cell
	if p.dialect != ESCPOS {
		p.st.spacing = starSpacing
	}
	p.sheet.line = nil
	p.image = imageStore{module: 3}
	p.auto = 0 // Epson: the setting of GS a lasts until ESC @
}

// OnFault has f called, under the printer's lock, for every byte that the manual
// does not allow. f must not call the printer. By default nobody is told.
func (p *Printer) OnFault(f func(string)) { p.with(func() { p.fault = f }) }

// SetBuffer sets how many bytes the printer holds while it cannot print.
func (p *Printer) SetBuffer(bytes int) { p.with(func() { p.buffer = bytes }) }

// SetPaper puts in a roll of that many lines (Endless for no end), and goes on
// with what is waiting. Near says whether the sensor sees the end coming.
func (p *Printer) SetPaper(lines int, near bool) {
	p.with(func() { p.left, p.near = lines, near; p.run() })
}

// Empty reports that the roll has ended.
func (p *Printer) Empty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left == 0
}

// SetCover opens or closes the cover. Open, nothing is printed.
func (p *Printer) SetCover(open bool) { p.with(func() { p.cover = open; p.run() }) }

// OpenCoverAfter has the cover open by itself when so many more bytes have come: the
// printer stops there, in the middle of whatever it is.
func (p *Printer) OpenCoverAfter(bytes int) { p.with(func() { p.stopIn = bytes }) }

// SetCutter jams the knife, or frees it.
func (p *Printer) SetCutter(stuck bool) { p.with(func() { p.cutter = stuck; p.run() }) }

// SetHot makes the head too hot to print, or lets it cool.
func (p *Printer) SetHot(hot bool) { p.with(func() { p.hot = hot; p.run() }) }

// SetSensor sets the level of the drawer's sensor; at first it is low.
func (p *Printer) SetSensor(high bool) { p.with(func() { p.sensor = high }) }

// SetPaused takes the printer off line by its button, or back.
func (p *Printer) SetPaused(off bool) { p.with(func() { p.paused = off; p.run() }) }

// SetCell sets how many dots a column of font A has, letter and the space after it; 0
// changes nothing. New printers have 12.
func (p *Printer) SetCell(dots int) {
	p.with(func() {
		if dots > 0 {
			p.cell = dots
			p.reset()
		}
	})
}

// SetPages sets the code pages that the machine has, by the numbers of ESC t (Star:
// ESC GS t). New printers have those of Epson or Star.
func (p *Printer) SetPages(pages map[byte]*printer.CodePage) { p.with(func() { p.pages = pages }) }

// SetLacks makes a machine that does not know these commands, named by their first
// two bytes: each is a fault, and what follows it comes out as text.
func (p *Printer) SetLacks(commands ...string) {
	p.with(func() {
		p.lacks = map[string]bool{}
		for _, c := range commands {
			p.lacks[c] = true
		}
	})
}

// SetClone makes a machine that starts in double-byte mode, as Chinese ones do, and
// has a buzzer that obeys ESC B.
func (p *Printer) SetClone(on bool) { p.with(func() { p.clone = on; p.reset() }) }

// SetLostFeed makes a machine that swallows one line feed after an image.
func (p *Printer) SetLostFeed(on bool) { p.with(func() { p.lostLF = on }) }

// SetOneWay makes a printer that never answers.
func (p *Printer) SetOneWay(on bool) { p.with(func() { p.oneWay = on }) }

// SetDeaf makes a printer that does not answer DLE EOT, though it may report by GS a.
func (p *Printer) SetDeaf(on bool) { p.with(func() { p.deaf = on }) }

// PowerCycle forgets everything that is not on paper, as a switch does.
func (p *Printer) PowerCycle() {
	p.with(func() {
		p.pend, p.rt, p.answers, p.star = nil, nil, nil, starRaster{}
		p.reset()
	})
}

func (p *Printer) with(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.report()
}

// Write takes bytes as they come over the cable. While the printer cannot print it
// keeps as many as its buffer holds, and then fails with os.ErrDeadlineExceeded
// and the number that it took, as a port does that made no progress. Real-time
// commands are carried out all the same.
func (p *Printer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.report()
	for i, c := range b {
		switch {
		case p.stopIn == 0:
			p.run() // what has come is printed: the stop is where it says
			p.cover, p.stopIn = true, -1
		case p.stopIn > 0:
			p.stopIn--
		}
		in := p.listen(c)
		if !p.ready() && len(p.pend)+len(in) > p.buffer {
			return i, os.ErrDeadlineExceeded
		}
		p.pend = append(p.pend, in...)
		if p.ready() && len(p.pend) >= p.buffer {
			p.run()
		}
	}
	p.run()
	return len(b), nil
}

// Read returns answers that wait, and os.ErrDeadlineExceeded when there are none.
func (p *Printer) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.answers) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, p.answers)
	p.answers = p.answers[n:]
	return n, nil
}

// Unread takes all answers that wait; none is under way in a cable.
func (p *Printer) Unread() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.answers
	p.answers = nil
	return out
}

// Close does nothing: the machine stays on, as one does when a cable is pulled.
func (p *Printer) Close() error { return nil }

// ready reports that the printer prints.
func (p *Printer) ready() bool {
	return !p.cover && p.left != 0 && !p.cutter && !p.hot && !p.paused
}

// run carries out what is complete, for as long as there is paper.
func (p *Printer) run() {
	before := p.version
	for p.ready() && len(p.pend) > 0 {
		n := p.step(p.pend)
		if n == 0 {
			break
		}
		p.pend = p.pend[n:]
	}
	if len(p.pend) == 0 {
		p.pend = nil
	}
	if p.version != before {
		p.tell()
	}
}

func (p *Printer) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Changed returns a channel that is closed at the next change of the paper or the
// drawer, for any number of lookers. Take it before you look.
func (p *Printer) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// Text returns the last part of what is on the paper: lines of text, "[image
// WxH]" for images, a dotted line for a cut.
func (p *Printer) Text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.sheet.last())
}

// Drawer returns how many times the drawer was kicked.
func (p *Printer) Drawer() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.drawer
}

// Beeps returns how many times the buzzer was called.
func (p *Printer) Beeps() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.beeps
}

// Waiting returns how many bytes are received and not carried out: what a break
// inside an image, or the end of the paper, leaves.
func (p *Printer) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.pend)
}

// kick opens the drawer.
func (p *Printer) kick() { p.drawer++; p.version++ }

// wrong reports what the manual does not allow.
func (p *Printer) wrong(format string, args ...any) {
	if p.fault != nil {
		p.fault(fmt.Sprintf(format, args...))
	}
}

// note adds to the text. It forgets the first part when twice too much is kept, so
// that a letter is not moved each time.
func (s *sheet) note(text string) {
	s.text = append(s.text, text...)
	if len(s.text) > 2*maxText {
		s.text = append([]byte(nil), s.last()...)
	}
}

// last is the last maxText bytes of the text, from the start of a line.
func (s *sheet) last() []byte {
	over := len(s.text) - maxText
	if over <= 0 {
		return s.text
	}
	tail := s.text[over:]
	return tail[bytes.IndexByte(tail, '\n')+1:]
}

var _ io.ReadWriteCloser = (*Printer)(nil)
