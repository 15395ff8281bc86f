// Package mipi drives colour TFT panels whose controller speaks the MIPI display
// command set over 4-wire SPI: ILI9341, ST7789, ST7735, ILI9488 and GC9A01.
//
// Promise. Draw shows what it was given: the window and every pixel are what the
// panel's data sheet asks for, in any of the four rotations, in transfers that the
// bus takes. No wait is shorter than the data sheet's, and all are bounded. A bus
// that fails is an error from Draw; the next Draw resets the panel, starts it anew
// and sends the whole picture, so that nothing is left of a command that was cut
// in two. The light comes on with the first picture, not before it.
//
// Limits. The bus is written, never read: a panel that is not there, or that is
// wired wrongly, looks like one that works. Draw blocks for as long as the bus
// takes, 20 to 190 ms for a whole picture. No tearing line is used.
//
// Data sheets: ILI9341 V1.11, ST7789V V1.3, ST7735R V0.2, ILI9488 V1.00,
// GC9A01 V1.0. Sections in comments are theirs, with the chip's name.
package mipi

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"sync"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/display"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"

	"github.com/tillwright/tillwright/pos"
)

// chunkMax bounds a transfer on a bus that names no limit: 64 kB is the largest
// buffer that spidev is usually given, and 10 ms at 62.5 MHz.
const chunkMax = 64 << 10

// Opts say which panel hangs on the bus.
type Opts struct {
	Model    string // one of Models
	Rotation int    // degrees clockwise from the module's upright: 0, 90, 180, 270

	// Speed is the clock to ask for; zero is the model's. The bus rounds it down
	// to what it can make. Long wires want less.
	Speed physic.Frequency

	// Reset is the RES line; nil: it is tied high, and the panel is reset by a
	// command, which does not help one whose logic hangs.
	Reset gpio.PinOut

	// Backlight is the line that lights the panel when high; nil: always lit.
	Backlight gpio.PinOut

	// NoCS is for a module without a chip select wire (the ST7789 boards of 1.3" with
	// seven pins): its clock has to rest high, SPI mode 3, and it must be alone on
	// its bus.
	NoCS bool

	Negative bool // the model's colours come out as their complement: turn them
	SwapRed  bool // red and blue are exchanged: exchange them back
}

// Dev is a panel. Make one with New. It is safe for concurrent use.
type Dev struct {
	model  model
	turned orientation
	opts   Opts
	bus    bus

	mu     sync.Mutex
	ready  bool   // the panel is started and shows frame
	begun  bool   // it was switched on since New or Halt: it may show a picture
	lit    bool   // the backlight is on
	frame  []byte // the picture as memory has it, row by row
	packed []byte // a transfer in the making
}

// New connects to a panel of Opts.Model on p, with its D/C line on dc. It sends
// nothing: the first Draw starts the panel. It fails with Invalid when the options
// make no panel, and with Unavailable when p cannot be connected to.
func New(p spi.Port, dc gpio.PinOut, o Opts) (*Dev, error) {
	m, ok := models[o.Model]
	if !ok {
		return nil, pos.E("open display", pos.Invalid, "no display %q; there are %s", o.Model, strings.Join(Models(), ", "))
	}
	if o.Rotation%90 != 0 || o.Rotation < 0 || o.Rotation >= 360 {
		return nil, pos.E("open display", pos.Invalid, "a display is turned by 0, 90, 180 or 270 degrees, not by %d", o.Rotation)
	}
	if o.Speed == 0 {
		o.Speed = m.speed
	}
	mode := spi.Mode0
	if o.NoCS {
		mode = spi.Mode3
	}
	c, err := p.Connect(o.Speed, mode, 8)
	if err != nil {
		return nil, pos.Say("open display", pos.Unavailable, err, "display_wires")
	}
	d := &Dev{model: m, turned: m.glass.turn(o.Rotation, m.ram), opts: o, bus: bus{conn: c, dc: dc}}
	d.frame = make([]byte, d.turned.size.X*d.turned.size.Y*m.depth())
	d.packed = make([]byte, 0, limit(c, m.depth()))
	return d, nil
}

// limit returns the longest transfer, in whole pixels.
func limit(c conn.Conn, depth int) int {
	n := chunkMax
	if l, ok := c.(conn.Limits); ok && l.MaxTxSize() > 0 {
		n = min(n, l.MaxTxSize())
	}
	return max(n/depth, 1) * depth
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
	return fmt.Sprintf("%s %d×%d on %s", d.opts.Model, d.turned.size.X, d.turned.size.Y, d.bus.conn)
}

// Bounds returns the pixels, turned by the rotation, from 0,0.
func (d *Dev) Bounds() image.Rectangle { return image.Rectangle{Max: d.turned.size} }

// ColorModel returns the colours that src should have to be drawn fastest. The
// panel shows 65,536 of them, or 262,144.
func (d *Dev) ColorModel() color.Model { return color.RGBAModel }

// Round reports that the glass is a disc that touches the four sides of Bounds.
func (d *Dev) Round() bool { return d.model.round }

// Draw copies src, from sp on, into r, and returns when the panel shows it. Pixels
// outside of Bounds or of src are left out. The transfer costs 11 bytes and two or
// three a pixel. The first Draw, and the first after an error or Halt, starts the
// panel, which takes up to 0.4 s, and sends everything that was drawn before too.
// It fails with Unavailable when the bus does.
func (d *Dev) Draw(r image.Rectangle, src image.Image, sp image.Point) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, sp = clip(r, d.Bounds(), src.Bounds(), sp)
	if r.Empty() {
		return nil
	}
	d.store(r, src, sp)
	if !d.ready {
		d.start()
		r = d.Bounds()
	}
	d.send(r)
	d.light()
	if err := d.bus.take(); err != nil {
		d.ready = false
		d.bus.out(d.opts.Backlight, gpio.Low) // an old code must not be left to be scanned
		_ = d.bus.take()
		return pos.Say("draw", pos.Unavailable, err, "display_silent")
	}
	d.ready = true
	return nil
}

// clip cuts r to what dst and src both have, and moves sp along.
func clip(r, dst, src image.Rectangle, sp image.Point) (image.Rectangle, image.Point) {
	shift := sp.Sub(r.Min)
	r = r.Intersect(dst).Intersect(src.Sub(shift))
	return r, r.Min.Add(shift)
}

// start resets the panel and gives it its registers.
func (d *Dev) start() {
	d.lit = false
	d.bus.out(d.opts.Backlight, gpio.Low)
	d.bus.reset(d.opts.Reset)
	for _, s := range d.model.start(d.turned.madctl, d.opts) {
		d.bus.command(s.op, s.args...)
		d.bus.wait(s.wait)
	}
}

// light switches the backlight on, once.
func (d *Dev) light() {
	if !d.lit {
		d.begun = true
		d.bus.command(dispon)
		d.bus.out(d.opts.Backlight, gpio.High)
		d.lit = true
	}
}

// Backlight switches the light on, or off for an intensity of zero. There is
// nothing between, as most boards have a switch there. It is periph's
// display.DisplayBacklight.
func (d *Dev) Backlight(i display.Intensity) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bus.out(d.opts.Backlight, i > 0)
	if err := d.bus.take(); err != nil {
		return pos.Wrap("light display", pos.Unavailable, err, "the display's light cannot be switched")
	}
	return nil
}

// Halt makes the panel dark and puts it to sleep, also one whose last Draw failed: its
// old picture may stand there. A later Draw starts it again. It may be called again.
func (d *Dev) Halt() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.begun {
		return nil
	}
	known := d.ready
	d.ready = false
	d.bus.out(d.opts.Backlight, gpio.Low)
	light := d.bus.take() // each of the two makes it dark; neither waits for the other
	if known {
		d.bus.command(dispoff)
		d.bus.command(slpin)
		d.bus.wait(sleepChange)
	} else {
		d.bus.reset(d.opts.Reset) // whatever it was in the middle of: it is off and asleep then
	}
	if err := errors.Join(light, d.bus.take()); err != nil {
		return pos.Wrap("close display", pos.Unavailable, err, "the display does not go dark")
	}
	d.begun = false
	return nil
}

var (
	_ display.Drawer           = (*Dev)(nil)
	_ display.DisplayBacklight = (*Dev)(nil)
)
