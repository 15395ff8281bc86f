// Package oled drives small OLED panels with an SSD1306, over I²C or 4-wire SPI,
// through periph's driver.
//
// Promise. A bus that fails is an error from Draw; the next Draw starts the panel
// anew and sends the whole picture. Nothing is asked of the panel before the first
// Draw, and after Halt it is dark.
//
// Limits. 128 × 64 or 128 × 32 pixels, lit or not. They cannot carry a payment's
// code: display shows amount and state on them, and says so at start. Over I²C a
// picture takes 23 ms at 400 kHz, 95 at the 100 kHz that a board starts with. An
// SH1106, which looks alike, has other memory: its picture stands two columns off.
//
// Data sheet: Solomon Systech SSD1306 rev 1.1 (2008-04).
package oled

import (
	"fmt"
	"image"
	"image/color"
	"sync"

	"periph.io/x/conn/v3/display"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
	"periph.io/x/devices/v3/ssd1306"
	"periph.io/x/devices/v3/ssd1306/image1bit"

	"github.com/tillwright/tillwright/pos"
)

// Opts say which panel it is.
type Opts struct {
	Height   int    // 64 or 32; zero is 64. All are 128 wide
	Rotation int    // 0 or 180 degrees
	Addr     uint16 // on I²C: 0x3C or 0x3D, as its solder bridge is set; zero is 0x3C
}

// periphAddr is the only address that periph's driver knows.
const periphAddr = 0x3C

// Dev is a panel. Make one with NewI2C or NewSPI. It is safe for concurrent use.
type Dev struct {
	name string
	size image.Point
	open func() (*ssd1306.Dev, error)

	mu   sync.Mutex
	dev  *ssd1306.Dev // nil: it has to be started
	next *image1bit.VerticalLSB
}

// NewI2C returns a panel on bus b. It sends nothing: the first Draw starts it. It
// fails with Invalid when the options make no panel.
func NewI2C(b i2c.Bus, o Opts) (*Dev, error) {
	d, opts, err := newDev(b.String(), &o)
	if err != nil {
		return nil, err
	}
	d.open = func() (*ssd1306.Dev, error) { return ssd1306.NewI2C(addressed{b, o.Addr}, &opts) }
	return d, nil
}

// NewSPI returns a panel on port p with its D/C line on dc, as NewI2C does. The
// panel's RES line has to be high.
func NewSPI(p spi.Port, dc gpio.PinOut, o Opts) (*Dev, error) {
	d, opts, err := newDev(p.String(), &o)
	if err != nil {
		return nil, err
	}
	port := &once{Port: p}
	d.open = func() (*ssd1306.Dev, error) { return ssd1306.NewSPI(port, dc, &opts) }
	return d, nil
}

func newDev(bus string, o *Opts) (*Dev, ssd1306.Opts, error) {
	if o.Height == 0 {
		o.Height = 64
	}
	if o.Addr == 0 {
		o.Addr = periphAddr
	}
	if (o.Height != 64 && o.Height != 32) || (o.Rotation != 0 && o.Rotation != 180) {
		return nil, ssd1306.Opts{}, pos.E("open display", pos.Invalid, "an OLED is 64 or 32 pixels high and turned by 0 or 180 degrees")
	}
	d := &Dev{name: fmt.Sprintf("OLED 128×%d on %s", o.Height, bus), size: image.Pt(128, o.Height)}
	d.next = image1bit.NewVerticalLSB(d.Bounds())
	// A glass of 32 lines is wired to one COM line after the other (10.1.18).
	return d, ssd1306.Opts{W: 128, H: o.Height, Rotated: o.Rotation == 180, Sequential: o.Height == 32}, nil
}

// addressed sends to another address than the one that periph's driver knows.
type addressed struct {
	i2c.Bus
	addr uint16
}

func (a addressed) Tx(_ uint16, w, r []byte) error { return a.Bus.Tx(a.addr, w, r) }

// once connects to a port at the first start of a panel and keeps the connection:
// a port can be connected once, a panel has to be started again after a fault.
type once struct {
	spi.Port
	conn spi.Conn
}

func (o *once) Connect(f physic.Frequency, mode spi.Mode, bits int) (spi.Conn, error) {
	if o.conn != nil {
		return o.conn, nil
	}
	c, err := o.Port.Connect(f, mode, bits)
	o.conn = c
	return c, err
}

// String names the panel.
func (d *Dev) String() string { return d.name }

// Bounds returns the pixels, from 0,0.
func (d *Dev) Bounds() image.Rectangle { return image.Rectangle{Max: d.size} }

// ColorModel is lit or not.
func (d *Dev) ColorModel() color.Model { return image1bit.BitModel }

// Mono reports that there is nothing between lit and not.
func (d *Dev) Mono() bool { return true }

// Dark reports that pixels glow: a picture is drawn in light on black, which is
// read more easily and wears the panel less.
func (d *Dev) Dark() bool { return true }

// Draw puts src, from sp on, into r, and returns when the panel shows it. A pixel is
// lit when its grey is 0x80 or more. Pixels outside of Bounds or of src are left
// out. Only pages that changed are sent. It fails with Unavailable when the bus
// does; the next Draw starts the panel anew.
func (d *Dev) Draw(r image.Rectangle, src image.Image, sp image.Point) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	shift := sp.Sub(r.Min)
	r = r.Intersect(d.Bounds()).Intersect(src.Bounds().Sub(shift))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := color.GrayModel.Convert(src.At(x+shift.X, y+shift.Y)).(color.Gray)
			d.next.SetBit(x, y, image1bit.Bit(c.Y >= 0x80))
		}
	}
	if err := d.send(); err != nil {
		d.dev = nil
		return pos.Say("draw", pos.Unavailable, err, "display_silent")
	}
	return nil
}

func (d *Dev) send() (err error) {
	if d.dev == nil {
		if d.dev, err = d.open(); err != nil {
			return err
		}
	}
	_, err = d.dev.Write(d.next.Pix)
	return err
}

// Halt makes the panel dark. A later Draw starts it again. It may be called again.
func (d *Dev) Halt() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dev == nil {
		return nil
	}
	err := d.dev.Halt()
	d.dev = nil
	if err != nil {
		return pos.Wrap("close display", pos.Unavailable, err, "the display does not go dark")
	}
	return nil
}

var _ display.Drawer = (*Dev)(nil)
