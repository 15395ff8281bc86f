// Package pole drives customer displays of two lines of twenty characters, VFD or
// LCD, on a serial line: in the command sets ESC/POS (as Epson's DM-D), CD5220 and
// DSP-800, which is what their DIP switches offer.
//
// Promise. Text can do no harm: a name with control characters in it shows question
// marks and moves nothing. Letters outside of the display's code page lose their
// accents before they are given up, and a currency's sign turns into its code. A
// line that fails is an error; the next call opens it again and starts the display
// anew, so that a cable that was pulled out can be put back.
//
// Limits. Displays do not answer, so a dead one looks like a living one. Opening
// and writing block for as long as the port does: 42 ms for a picture at 9600 baud.
// The code page of a CD5220 or DSP-800 is set by its switches, not by us.
//
// Sources: Epson DM-D110/210 command manual; Partner Tech CD5220 user's manual,
// chapter 6; Tysso VFD-550 user's manual, chapter 6.2 (DSP-800).
package pole

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"periph.io/x/conn/v3/display"

	"github.com/tillwright/tillwright/pos"
)

// The size of all of them.
const (
	rows = 2
	cols = 20
)

// Opts say which display it is.
type Opts struct {
	Dialect  string // one of Dialects
	CodePage string // one of CodePages; empty is cp437
}

// Dev is a display. Make one with New. It is safe for concurrent use.
type Dev struct {
	open    func() (io.WriteCloser, error)
	opts    Opts
	dialect dialect
	page    page

	mu   sync.Mutex
	port io.WriteCloser // nil: not open
	at   int            // the cursor: row*cols + column, from 0
}

// New returns a display on the port that open opens: 9600 baud, 8 data bits, no
// parity is what they come with. Nothing is opened or sent before the first call.
// It fails with Invalid when the options make no display.
func New(open func() (io.WriteCloser, error), o Opts) (*Dev, error) {
	if o.CodePage == "" {
		o.CodePage = "cp437"
	}
	d, ok := dialects[o.Dialect]
	if !ok {
		return nil, pos.E("open display", pos.Invalid, "no command set %q; there are %s", o.Dialect, strings.Join(Dialects(), ", "))
	}
	p, ok := pages[o.CodePage]
	if !ok {
		return nil, pos.E("open display", pos.Invalid, "no code page %q; there are %s", o.CodePage, strings.Join(CodePages(), ", "))
	}
	return &Dev{open: open, opts: o, dialect: d, page: p}, nil
}

// Dialects returns the names that Opts.Dialect takes, sorted.
func Dialects() []string { return sortedKeys(dialects) }

// CodePages returns the names that Opts.CodePage takes, sorted.
func CodePages() []string { return sortedKeys(pages) }

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// String names the display.
func (d *Dev) String() string { return "pole 2x20 " + d.opts.Dialect }

// Rows returns 2.
func (d *Dev) Rows() int { return rows }

// Cols returns 20.
func (d *Dev) Cols() int { return cols }

// MinRow returns 1: the displays count from one.
func (d *Dev) MinRow() int { return 1 }

// MinCol returns 1.
func (d *Dev) MinCol() int { return 1 }

// Clear empties both lines and moves the cursor home.
func (d *Dev) Clear() error { return d.do(0, d.dialect.clear) }

// Home moves the cursor to the first column of the upper line.
func (d *Dev) Home() error { return d.MoveTo(1, 1) }

// MoveTo moves the cursor to row 1 or 2 and column 1 to 20.
func (d *Dev) MoveTo(row, col int) error {
	if row < 1 || row > rows || col < 1 || col > cols {
		return pos.E("move cursor", pos.Invalid, "row %d, column %d is outside of the display", row, col)
	}
	return d.do((row-1)*cols+col-1, d.dialect.at(row, col))
}

// Move moves the cursor by one, around the edges.
func (d *Dev) Move(dir display.CursorDirection) error {
	by, ok := map[display.CursorDirection]int{display.Backward: -1, display.Forward: 1, display.Up: -cols, display.Down: cols}[dir]
	if !ok {
		return display.ErrInvalidCommand
	}
	d.mu.Lock()
	to := (d.at + by + rows*cols) % (rows * cols)
	d.mu.Unlock()
	return d.MoveTo(to/cols+1, to%cols+1)
}

// Write shows p's bytes, which are the code page's, from the cursor on and around
// the edges. Control characters are shown as question marks.
func (d *Dev) Write(p []byte) (n int, err error) {
	clean := slices.Clone(p)
	for i, c := range clean {
		if c < 0x20 || c == 0x7f {
			clean[i] = '?'
		}
	}
	d.mu.Lock()
	to := (d.at + len(p)) % (rows * cols)
	d.mu.Unlock()
	if err := d.do(to, clean); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteString shows text from the cursor on. A letter that the code page lacks is
// replaced by its like, and takes as many columns as that has.
func (d *Dev) WriteString(text string) (n int, err error) {
	if _, err := d.Write(d.page.encode(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Likeness returns what text looks like on this display, a letter for each column
// that it takes.
func (d *Dev) Likeness(text string) string {
	out := make([]rune, 0, len(text))
	for _, b := range d.page.encode(text) {
		out = append(out, d.page.runeOf(b))
	}
	return string(out)
}

// AutoScroll lets lines move when text passes the end of the last one. DSP-800 has
// no such mode: display.ErrNotImplemented.
func (d *Dev) AutoScroll(enabled bool) error {
	return d.optional(d.dialect.scroll, enabled)
}

// Cursor shows the cursor or does not: all modes but off are the same underline.
// DSP-800 has none to show: display.ErrNotImplemented.
func (d *Dev) Cursor(modes ...display.CursorMode) error {
	on := false
	for _, m := range modes {
		if m < display.CursorOff || m > display.CursorBlink {
			return display.ErrInvalidCommand
		}
		on = on || m != display.CursorOff
	}
	return d.optional(d.dialect.cursor, on)
}

func (d *Dev) optional(f func(on bool) []byte, on bool) error {
	if f == nil {
		return display.ErrNotImplemented
	}
	d.mu.Lock()
	at := d.at
	d.mu.Unlock()
	return d.do(at, f(on))
}

// Display empties the display when it is switched off: there is no such switch.
func (d *Dev) Display(on bool) error {
	if on {
		return nil
	}
	return d.Clear()
}

// Backlight sets one of four levels of brightness; 0 is the least and 255 the most.
func (d *Dev) Backlight(i display.Intensity) error {
	level := min(max(int(i), 0), 255)/64 + 1
	d.mu.Lock()
	at := d.at
	d.mu.Unlock()
	return d.do(at, d.dialect.bright(level))
}

// Halt empties the display and closes the port. A later call opens it again. It may
// be called again.
func (d *Dev) Halt() error {
	d.mu.Lock()
	open := d.port != nil
	d.mu.Unlock()
	if !open {
		return nil
	}
	err := d.Clear()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.port == nil {
		return err
	}
	cerr := d.port.Close()
	d.port = nil
	if err == nil && cerr != nil {
		err = pos.Wrap("close display", pos.Unavailable, cerr, "the display's line does not close")
	}
	return err
}

// do sends bytes, after which the cursor stands at to.
func (d *Dev) do(to int, p []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.port == nil {
		if err := d.start(); err != nil {
			return err
		}
	}
	if err := d.send(p); err != nil {
		return err
	}
	d.at = to
	return nil
}

// start opens the port and brings the display into the mode that we know.
func (d *Dev) start() (err error) {
	if d.port, err = d.open(); err != nil {
		d.port = nil
		return pos.Say("open display", pos.Unavailable, err, "display_silent")
	}
	return d.send(d.dialect.start(d.page))
}

// Restart empties both lines and brings the display into the mode that it was started
// in: its code page, overwriting, no cursor. One that lost its power has forgotten that.
func (d *Dev) Restart() error { return d.do(0, d.dialect.start(d.page)) }

func (d *Dev) send(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	n, err := d.port.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		_ = d.port.Close()
		d.port = nil
		return pos.Say("draw", pos.Unavailable, fmt.Errorf("%d of %d bytes: %w", n, len(p), err), "display_silent")
	}
	return nil
}

var (
	_ display.TextDisplay      = (*Dev)(nil)
	_ display.DisplayBacklight = (*Dev)(nil)
)
