package paper

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
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
	dots    int
	buffer  int // bytes
	left    int // lines of paper; Endless
	near    bool
	cover   bool
	oneWay  bool
	fault   func(string)
	pend    []byte // received, not yet carried out
	rt      []byte // the start of a real-time command, perhaps
	answers []byte
	drawer  int
	version uint64
	changed chan struct{}

	st    state
	sheet sheet
}

// New returns a printer with dots across its paper (384 for 58 mm, 576 for 80 mm;
// rounded up to whole bytes), an endless roll and its cover closed.
func New(dots int) *Printer {
	dots = max((dots+7)/8*8, 8)
	p := &Printer{dots: dots, buffer: DefaultBuffer, left: Endless, changed: make(chan struct{})}
	p.sheet.dots = dots
	p.st.reset()
	return p
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

// SetCover opens or closes the cover. Open, nothing is printed.
func (p *Printer) SetCover(open bool) { p.with(func() { p.cover = open; p.run() }) }

// SetOneWay makes a printer that never answers.
func (p *Printer) SetOneWay(on bool) { p.with(func() { p.oneWay = on }) }

// PowerCycle forgets everything that is not on paper, as a switch does.
func (p *Printer) PowerCycle() {
	p.with(func() { p.pend, p.rt, p.answers = nil, nil, nil; p.st.reset(); p.sheet.line = nil })
}

func (p *Printer) with(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// Write takes bytes as they come over the cable. While the printer cannot print it
// keeps as many as its buffer holds, and then fails with os.ErrDeadlineExceeded
// and the number that it took, as a port does that made no progress. Real-time
// commands are carried out all the same.
func (p *Printer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range b {
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

// Close does nothing: the machine stays on, as one does when a cable is pulled.
func (p *Printer) Close() error { return nil }

// ready reports that the printer prints.
func (p *Printer) ready() bool { return !p.cover && p.left != 0 }

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
