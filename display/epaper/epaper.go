// Package epaper drives black and white e-paper panels with an SSD16xx or a UC81xx
// controller over 4-wire SPI: 2.13", 2.9", 4.2" and 7.5".
//
// Promise. Draw returns when the sheet shows the picture, or says that it does not:
// every wait for BUSY has a deadline, and a BUSY wire that is loose, stuck or of
// the wrong polarity is an error, not a till that hangs or a sheet that keeps an
// old code. A picture that is on the sheet already costs nothing. Between pictures
// the controller sleeps with its pumps off, as the makers demand of a sheet that
// shall live. Each Draw begins with a reset, so no fault outlives it.
//
// Refresh. A full refresh flashes and takes 2 to 4 s, a partial one 0.3 s and
// leaves shadows. The first picture is full, and the first after an error or after
// fullAfter; so is one that is all white, for it is there to leave nothing. After partialMax partial ones the next is full if the last full one is
// fullPause ago: makers ask for so much between two. After partialLast it is full
// in any case.
//
// Limits. No red, no greys. A sheet keeps its picture without power: a till that
// dies leaves it standing. A picture that stands longer than a day is not refreshed
// by itself: draw it again after fullAfter, and it is refreshed in full.
//
// Data sheets: SSD1680 rev 0.14, SSD1683 rev 1.0, UC8151C A.00, UC8176 (also sold as
// IL0398), UC8179 A.01 (also sold as GD7965), and the makers' start sequences.
package epaper

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"sync"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/display"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"

	"github.com/tillwright/tillwright/pos"
)

// When a refresh is full. Waveshare's manual of the 2.13" asks for 180 s between
// full ones and for one a day, and warns of partial ones only.
const (
	partialMax  = 8
	partialLast = 60
	fullPause   = 180 * time.Second
	fullAfter   = 24 * time.Hour
)

// chunkMax bounds a transfer on a bus that names no limit.
const chunkMax = 64 << 10

// Opts say which panel hangs on the bus.
type Opts struct {
	Model    string // one of Models
	Rotation int    // degrees clockwise from the module's upright: 0, 90, 180, 270

	// Speed is the clock to ask for; zero is the model's.
	Speed physic.Frequency

	// FullOnly never refreshes in part: for a sheet whose controller has no short
	// waveform, where partial pictures do not appear.
	FullOnly bool
}

// Lines are the wires beside the bus. The first three are needed: only RES ends the
// deep sleep.
type Lines struct {
	DC, Reset gpio.PinOut
	Busy      gpio.PinIn

	// Power is the PWR line of Waveshare's HATs from revision 2.3 on, which feeds the
	// panel when high; nil: it is fed always.
	Power gpio.PinOut
}

// Dev is a panel. Make one with New. It is safe for concurrent use.
type Dev struct {
	model model
	opts  Opts
	bus   bus
	size  image.Point // turned

	mu       sync.Mutex
	next     []byte    // what shall be seen: rows of the upright sheet, a bit of 1 is white
	shown    []byte    // what is seen; nil: not known
	fullAt   time.Time // of the last full refresh
	partials int       // since then
}

// New connects to a panel of Opts.Model on p. It sends nothing: the first Draw
// starts the panel. It fails with Invalid when the options make no panel, and with
// Unavailable when the bus or the BUSY line cannot be used.
func New(p spi.Port, l Lines, o Opts) (*Dev, error) {
	m, ok := models[o.Model]
	if !ok {
		return nil, pos.E("open display", pos.Invalid, "no display %q; there are %s", o.Model, strings.Join(Models(), ", "))
	}
	if o.Rotation%90 != 0 || o.Rotation < 0 || o.Rotation >= 360 {
		return nil, pos.E("open display", pos.Invalid, "a display is turned by 0, 90, 180 or 270 degrees, not by %d", o.Rotation)
	}
	if l.DC == nil || l.Reset == nil || l.Busy == nil {
		return nil, pos.E("open display", pos.Invalid, "e-paper needs its DC, RST and BUSY wires")
	}
	if o.Speed == 0 {
		o.Speed = m.speed
	}
	if err := listen(l.Busy, m.busy); err != nil {
		return nil, pos.Say("open display", pos.Unavailable, fmt.Errorf("BUSY: %w", err), "display_wires")
	}
	c, err := p.Connect(o.Speed, spi.Mode0, 8)
	if err != nil {
		return nil, pos.Say("open display", pos.Unavailable, err, "display_wires")
	}
	d := &Dev{model: m, opts: o, size: m.size, bus: bus{conn: c, lines: l, busy: m.busy, chunk: limit(c)}}
	if o.Rotation%180 != 0 {
		d.size = image.Pt(m.size.Y, m.size.X)
	}
	d.next = slices.Repeat([]byte{0xff}, m.stride()*m.size.Y)
	return d, nil
}

// listen makes the BUSY line an input, pulled to where it says busy: a wire that
// is not connected then ends a wait at its deadline. A board that has no pull
// resistors reads the line as it is.
func listen(p gpio.PinIn, busy gpio.Level) error {
	pull := gpio.PullDown
	if busy == gpio.High {
		pull = gpio.PullUp
	}
	if p.In(pull, gpio.NoEdge) == nil {
		return nil
	}
	return p.In(gpio.PullNoChange, gpio.NoEdge)
}

// limit returns the longest transfer in bytes.
func limit(c conn.Conn) int {
	if l, ok := c.(conn.Limits); ok && l.MaxTxSize() > 0 {
		return min(chunkMax, l.MaxTxSize())
	}
	return chunkMax
}

// Models returns the names that Opts.Model takes, sorted.
func Models() []string {
	names := make([]string, 0, len(models))
	for name := range models {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// String names the panel.
func (d *Dev) String() string {
	return fmt.Sprintf("e-paper %s %d×%d on %s", d.opts.Model, d.size.X, d.size.Y, d.bus.conn)
}

// Bounds returns the pixels, turned by the rotation, from 0,0.
func (d *Dev) Bounds() image.Rectangle { return image.Rectangle{Max: d.size} }

// ColorModel is black and white.
func (d *Dev) ColorModel() color.Model {
	return color.Palette{color.Black, color.White}
}

// Mono reports that there is nothing between black and white.
func (d *Dev) Mono() bool { return true }

// Still reports that each Draw takes tenths of a second or seconds, however small
// it is: draw a picture in one piece, and nothing that moves.
func (d *Dev) Still() bool { return true }

// Draw puts src, from sp on, into r, and returns when the sheet shows it: after
// 0.4 s for a partial refresh, 2 to 5 s for a full one, or at the latest after
// refreshWithin and some. A pixel is white when its grey is 0x80 or more. Pixels
// outside of Bounds or of src are left out. When nothing changes nothing is done, but
// fullAfter the last full refresh.
// It fails with Unavailable when the bus fails or the panel does not do its work;
// what the sheet shows then is not known, and the next Draw is a full one.
func (d *Dev) Draw(r image.Rectangle, src image.Image, sp image.Point) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	shift := sp.Sub(r.Min)
	r = r.Intersect(d.Bounds()).Intersect(src.Bounds().Sub(shift))
	d.store(r, src, r.Min.Add(shift))
	now := time.Now()
	if r.Empty() || (d.shown != nil && slices.Equal(d.shown, d.next) && now.Sub(d.fullAt) < fullAfter) {
		return nil
	}
	return d.refresh(d.needsFull(now))
}

// needsFull applies the rules of the package comment.
func (d *Dev) needsFull(now time.Time) bool {
	since := now.Sub(d.fullAt)
	switch {
	case d.shown == nil, blank(d.next), d.opts.FullOnly, !d.model.partial, since >= fullAfter, d.partials >= partialLast:
		return true
	default:
		return d.partials >= partialMax && since >= fullPause
	}
}

// blank reports a picture without ink.
func blank(bits []byte) bool {
	return !slices.ContainsFunc(bits, func(b byte) bool { return b != 0xff })
}

// refresh wakes the panel, shows next, and lets it sleep.
func (d *Dev) refresh(full bool) error {
	old := d.shown
	if old == nil {
		old = d.next
	}
	d.shown = nil
	d.bus.reset()
	d.model.wake(&d.bus, d.model, full)
	d.model.show(&d.bus, old, d.next, full)
	d.model.sleep(&d.bus)
	if err := d.bus.take(); err != nil {
		return pos.Say("draw", pos.Unavailable, err, "display_ribbon")
	}
	d.shown = slices.Clone(d.next)
	if d.partials++; full {
		d.partials, d.fullAt = 0, time.Now()
	}
	return nil
}

// store puts src into next, a row of the picture at a time: upright, that is a row
// or a column, forwards or backwards.
func (d *Dev) store(r image.Rectangle, src image.Image, sp image.Point) {
	light, stride := lightOf(src), d.model.stride()
	step := d.upright(1, 0).Sub(d.upright(0, 0))
	for y := range r.Dy() {
		at := d.upright(r.Min.X, r.Min.Y+y)
		for x := range r.Dx() {
			bit := byte(0x80) >> (at.X & 7)
			if cell := &d.next[at.Y*stride+at.X>>3]; light(sp.X+x, sp.Y+y) {
				*cell |= bit
			} else {
				*cell &^= bit
			}
			at.X, at.Y = at.X+step.X, at.Y+step.Y
		}
	}
}

// upright turns a pixel of the picture back to the module as it stands.
func (d *Dev) upright(x, y int) image.Point {
	last := d.model.size.Sub(image.Pt(1, 1))
	switch d.opts.Rotation {
	case 90:
		return image.Pt(last.X-y, x)
	case 180:
		return image.Pt(last.X-x, last.Y-y)
	case 270:
		return image.Pt(y, last.Y-x)
	default:
		return image.Pt(x, y)
	}
}

// lightOf returns what tells whether a pixel of src is white.
func lightOf(src image.Image) func(x, y int) bool {
	if src, ok := src.(*image.RGBA); ok {
		return func(x, y int) bool {
			p := src.Pix[src.PixOffset(x, y):]
			return (299*int(p[0]) + 587*int(p[1]) + 114*int(p[2])) >= 0x80*1000
		}
	}
	return func(x, y int) bool { return color.GrayModel.Convert(src.At(x, y)).(color.Gray).Y >= 0x80 }
}

// Halt does nothing: the panel sleeps already, and keeps its picture. Draw white
// before, where none may stay.
func (d *Dev) Halt() error { return nil }

var _ display.Drawer = (*Dev)(nil)
