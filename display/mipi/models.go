package mipi

import (
	"image"
	"slices"
	"time"

	"periph.io/x/conn/v3/physic"
)

// step is one command of a start sequence, and the wait after it.
type step struct {
	op   byte
	args []byte
	wait time.Duration
}

// model is one kind of module: a chip and the glass on it.
type model struct {
	ram    image.Point // the chip's memory: columns, rows
	glass  glass
	speed  physic.Frequency
	format byte   // COLMOD: pixels of 16 or 18 bits
	round  bool   // the glass is a disc
	init   []step // what this chip needs before it is woken
}

// glass is where the seen pixels lie in memory, and how they are mounted. A module
// stands upright when its connector is where its maker's pictures have it.
type glass struct {
	size         image.Point
	at           image.Point // the first column and row that are seen
	flipX, flipY bool        // column or row 0 is at the right or at the bottom
	bgr          bool        // the colour filter's order
	negative     bool        // IPS glass shows complements unless INVON is given
}

// orientation is a glass as seen after a turn.
type orientation struct {
	size   image.Point
	at     image.Point // what is added to a column and a row of the picture
	madctl byte
}

// Bits of MADCTL (ILI9341 8.2.29, ST7789V 9.1.28).
const (
	madY   = 0x80 // rows from the bottom
	madX   = 0x40 // columns from the right
	madV   = 0x20 // rows and columns change places
	madBGR = 0x08
)

// Values of COLMOD (ILI9341 8.2.33, ST7735R 10.1.30, ILI9488 5.2.34). The ST7735
// has no RGB interface, so its upper half is not defined.
const (
	rgb565    = 0x55
	rgb565low = 0x05
	rgb666    = 0x66
)

// turn finds out how memory has to be addressed for a picture that is turned
// clockwise. An address counts from the side where it begins, hence the offsets of
// the far side: 240 × 240 pixels in a memory of 240 × 320 begin at row 80 when rows
// are counted from the bottom.
func (g glass) turn(degrees int, ram image.Point) orientation {
	x, y, exchanged := g.flipX, g.flipY, false
	switch degrees {
	case 90:
		x, exchanged = !x, true
	case 180:
		x, y = !x, !y
	case 270:
		y, exchanged = !y, true
	}
	o := orientation{size: g.size, at: g.at}
	if x {
		o.madctl |= madX
		o.at.X = ram.X - g.at.X - g.size.X
	}
	if y {
		o.madctl |= madY
		o.at.Y = ram.Y - g.at.Y - g.size.Y
	}
	if exchanged {
		o.madctl |= madV
		o.size, o.at = image.Pt(o.size.Y, o.size.X), image.Pt(o.at.Y, o.at.X)
	}
	if g.bgr {
		o.madctl |= madBGR
	}
	return o
}

// depth returns the bytes of a pixel on the bus.
func (m model) depth() int {
	if m.format == rgb666 {
		return 3
	}
	return 2
}

// start returns the whole sequence: the chip's own registers while it sleeps, then
// those that all share, then out of sleep. The display itself is switched on after
// the first picture.
func (m model) start(mad byte, o Opts) []step {
	if o.SwapRed {
		mad ^= madBGR
	}
	invert := step{op: invoff}
	if m.glass.negative != o.Negative {
		invert.op = invon
	}
	return append(slices.Clone(m.init),
		step{op: colmod, args: []byte{m.format}},
		step{op: madctl, args: []byte{mad}},
		invert,
		step{op: slpout, wait: sleepStable},
		step{op: noron},
	)
}

// models by name. Speeds are write cycles of the data sheets: 10 MHz for an
// ILI9341, which all the world runs at 32 and more.
var models = map[string]model{
	"ili9341": {
		ram: image.Pt(240, 320), speed: 32 * physic.MegaHertz, format: rgb565, init: ili9341,
		glass: glass{size: image.Pt(240, 320), flipX: true, bgr: true},
	},
	"ili9488": {
		ram: image.Pt(320, 480), speed: 20 * physic.MegaHertz, format: rgb666, init: ili9488,
		glass: glass{size: image.Pt(320, 480), flipX: true, bgr: true},
	},
	"st7789-240x320": st7789(image.Pt(240, 320), image.Point{}),
	"st7789-240x240": st7789(image.Pt(240, 240), image.Point{}),
	"st7789-170x320": st7789(image.Pt(170, 320), image.Pt(35, 0)),
	"st7789-135x240": st7789(image.Pt(135, 240), image.Pt(52, 40)),
	"st7735-128x160": {
		ram: image.Pt(128, 160), speed: 15 * physic.MegaHertz, format: rgb565low, init: st7735,
		glass: glass{size: image.Pt(128, 160), flipX: true, flipY: true},
	},
	"st7735-128x160-green": {
		ram: image.Pt(132, 162), speed: 15 * physic.MegaHertz, format: rgb565low, init: st7735,
		glass: glass{size: image.Pt(128, 160), at: image.Pt(2, 1), flipX: true, flipY: true, bgr: true},
	},
	"st7735-128x128": {
		ram: image.Pt(132, 132), speed: 15 * physic.MegaHertz, format: rgb565low, init: st7735,
		glass: glass{size: image.Pt(128, 128), at: image.Pt(2, 1), flipX: true, flipY: true, bgr: true},
	},
	"st7735-80x160": {
		ram: image.Pt(132, 162), speed: 15 * physic.MegaHertz, format: rgb565low, init: st7735,
		glass: glass{size: image.Pt(80, 160), at: image.Pt(26, 1), flipX: true, flipY: true, bgr: true, negative: true},
	},
	"gc9a01": {
		ram: image.Pt(240, 240), speed: 40 * physic.MegaHertz, format: rgb565, init: gc9a01, round: true,
		glass: glass{size: image.Pt(240, 240), bgr: true, negative: true},
	},
}

// st7789 is an IPS module with a part of the chip's 240 × 320 pixels.
func st7789(size, at image.Point) model {
	return model{
		ram: image.Pt(240, 320), speed: 62500 * physic.KiloHertz, format: rgb565, init: st7789init,
		glass: glass{size: size, at: at, negative: true},
	}
}

// ili9341 sets voltages, frame rate and gamma as the makers of modules do. The
// commands CB, CF, E8, EA, ED and F7 are 8.4's.
var ili9341 = []step{
	{op: 0xCB, args: []byte{0x39, 0x2C, 0x00, 0x34, 0x02}},
	{op: 0xCF, args: []byte{0x00, 0xC1, 0x30}},
	{op: 0xE8, args: []byte{0x85, 0x00, 0x78}},
	{op: 0xEA, args: []byte{0x00, 0x00}},
	{op: 0xED, args: []byte{0x64, 0x03, 0x12, 0x81}},
	{op: 0xF7, args: []byte{0x20}},
	{op: 0xC0, args: []byte{0x23}},             // GVDD 4.6 V
	{op: 0xC1, args: []byte{0x10}},             //
	{op: 0xC5, args: []byte{0x3E, 0x28}},       // VCOMH 4.25 V, VCOML -1.5 V
	{op: 0xC7, args: []byte{0x86}},             //
	{op: 0xB1, args: []byte{0x00, 0x18}},       // 79 Hz
	{op: 0xB6, args: []byte{0x08, 0x82, 0x27}}, // 320 lines
	{op: 0xF2, args: []byte{0x00}},             // one gamma for all
	{op: 0x26, args: []byte{0x01}},             // gamma 2.2
}

// ili9488 leaves gamma at the chip's own, and sets what differs from it.
var ili9488 = []step{
	{op: 0xC0, args: []byte{0x17, 0x15}},
	{op: 0xC1, args: []byte{0x41}},
	{op: 0xC5, args: []byte{0x00, 0x12, 0x80}},
	{op: 0xB0, args: []byte{0x00}},             // the serial interface has its own output line
	{op: 0xB1, args: []byte{0xA0}},             // 60 Hz
	{op: 0xB4, args: []byte{0x02}},             // 2-dot inversion
	{op: 0xB6, args: []byte{0x02, 0x02, 0x3B}}, // 480 lines
	{op: 0xF7, args: []byte{0xA9, 0x51, 0x2C, 0x82}},
}

// st7789init: the chip's own values suit its modules; these are the few that the
// makers change.
var st7789init = []step{
	{op: 0xB2, args: []byte{0x0C, 0x0C, 0x00, 0x33, 0x33}}, // porches
	{op: 0xB7, args: []byte{0x35}},                         // gate voltages 13.26 V, -10.43 V
	{op: 0xBB, args: []byte{0x28}},                         // VCOM 1.1 V
	{op: 0xC0, args: []byte{0x2C}},
	{op: 0xC2, args: []byte{0x01, 0xFF}}, // VDV and VRH from the commands below
	{op: 0xC3, args: []byte{0x10}},
	{op: 0xC4, args: []byte{0x20}},
	{op: 0xC6, args: []byte{0x0F}},       // 60 Hz
	{op: 0xD0, args: []byte{0xA4, 0xA1}}, // AVDD 6.8 V, AVCL -4.8 V
}

var st7735 = []step{
	{op: 0xB1, args: []byte{0x01, 0x2C, 0x2D}}, // about 80 Hz, in each mode
	{op: 0xB2, args: []byte{0x01, 0x2C, 0x2D}},
	{op: 0xB3, args: []byte{0x01, 0x2C, 0x2D, 0x01, 0x2C, 0x2D}},
	{op: 0xB4, args: []byte{0x07}}, // line inversion
	{op: 0xC0, args: []byte{0xA2, 0x02, 0x84}},
	{op: 0xC1, args: []byte{0xC5}},
	{op: 0xC2, args: []byte{0x0A, 0x00}},
	{op: 0xC3, args: []byte{0x8A, 0x2A}},
	{op: 0xC4, args: []byte{0x8A, 0xEE}},
	{op: 0xC5, args: []byte{0x0E}},
}

// gc9a01 opens the registers that the data sheet does not name, and gives them the
// values that the chip's maker hands out: without them the glass stays dark or
// shows bands.
var gc9a01 = []step{
	{op: 0xEF}, {op: 0xEB, args: []byte{0x14}}, {op: 0xFE}, {op: 0xEF}, {op: 0xEB, args: []byte{0x14}},
	{op: 0x84, args: []byte{0x40}}, {op: 0x85, args: []byte{0xFF}}, {op: 0x86, args: []byte{0xFF}}, {op: 0x87, args: []byte{0xFF}},
	{op: 0x88, args: []byte{0x0A}}, {op: 0x89, args: []byte{0x21}}, {op: 0x8A, args: []byte{0x00}}, {op: 0x8B, args: []byte{0x80}},
	{op: 0x8C, args: []byte{0x01}}, {op: 0x8D, args: []byte{0x01}}, {op: 0x8E, args: []byte{0xFF}}, {op: 0x8F, args: []byte{0xFF}},
	{op: 0xB6, args: []byte{0x00, 0x20}}, {op: 0x90, args: []byte{0x08, 0x08, 0x08, 0x08}}, {op: 0xBD, args: []byte{0x06}},
	{op: 0xBC, args: []byte{0x00}}, {op: 0xFF, args: []byte{0x60, 0x01, 0x04}}, {op: 0xC3, args: []byte{0x13}}, {op: 0xC4, args: []byte{0x13}},
	{op: 0xC9, args: []byte{0x22}}, {op: 0xBE, args: []byte{0x11}}, {op: 0xE1, args: []byte{0x10, 0x0E}}, {op: 0xDF, args: []byte{0x21, 0x0C, 0x02}},
	{op: 0xF0, args: []byte{0x45, 0x09, 0x08, 0x08, 0x26, 0x2A}}, {op: 0xF1, args: []byte{0x43, 0x70, 0x72, 0x36, 0x37, 0x6F}},
	{op: 0xF2, args: []byte{0x45, 0x09, 0x08, 0x08, 0x26, 0x2A}}, {op: 0xF3, args: []byte{0x43, 0x70, 0x72, 0x36, 0x37, 0x6F}},
	{op: 0xED, args: []byte{0x1B, 0x0B}}, {op: 0xAE, args: []byte{0x77}}, {op: 0xCD, args: []byte{0x63}},
	{op: 0x70, args: []byte{0x07, 0x07, 0x04, 0x0E, 0x0F, 0x09, 0x07, 0x08, 0x03}}, {op: 0xE8, args: []byte{0x34}},
	{op: 0x62, args: []byte{0x18, 0x0D, 0x71, 0xED, 0x70, 0x70, 0x18, 0x0F, 0x71, 0xEF, 0x70, 0x70}},
	{op: 0x63, args: []byte{0x18, 0x11, 0x71, 0xF1, 0x70, 0x70, 0x18, 0x13, 0x71, 0xF3, 0x70, 0x70}},
	{op: 0x64, args: []byte{0x28, 0x29, 0xF1, 0x01, 0xF1, 0x00, 0x07}},
	{op: 0x66, args: []byte{0x3C, 0x00, 0xCD, 0x67, 0x45, 0x45, 0x10, 0x00, 0x00, 0x00}},
	{op: 0x67, args: []byte{0x00, 0x3C, 0x00, 0x00, 0x00, 0x01, 0x54, 0x10, 0x32, 0x98}},
	{op: 0x74, args: []byte{0x10, 0x85, 0x80, 0x00, 0x00, 0x4E, 0x00}}, {op: 0x98, args: []byte{0x3E, 0x07}},
}
