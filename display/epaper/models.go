package epaper

import (
	"image"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// model is one kind of panel.
type model struct {
	family
	size    image.Point // upright: columns are sources, rows are gates
	speed   physic.Frequency
	partial bool // its controller has a short waveform

	registers []command // what differs between panels of a family
	full      []command // and what only a full refresh needs
}

// command is one command and its data.
type command struct {
	op   byte
	args []byte
}

// family is a kind of controller.
type family struct {
	busy  gpio.Level // BUSY while it works
	wake  func(b *bus, m model, full bool)
	show  func(b *bus, old, next []byte, full bool)
	sleep func(b *bus)
}

// stride returns the bytes of a row.
func (m model) stride() int { return (m.size.X + 7) / 8 }

// models by name. The SSD1680's write cycle allows 20 MHz, the UC8179's 10; 4 MHz
// is what ribbons and level shifters of the HATs are sold for.
var models = map[string]model{
	// Waveshare 2.13" V3 and V4, and others with an SSD1680. V2 has an older chip.
	"2.13": {family: ssd16xx, size: image.Pt(122, 250), speed: 4 * physic.MegaHertz, partial: true, registers: []command{
		{0x21, []byte{0x00, 0x80}}, // sources from S8 on
	}},
	// Waveshare 2.9" V2.
	"2.9": {family: ssd16xx, size: image.Pt(128, 296), speed: 4 * physic.MegaHertz, partial: true, registers: []command{
		{0x21, []byte{0x00, 0x80}},
	}},
	// Waveshare 4.2" V2, with an SSD1683.
	"4.2": {family: ssd16xx, size: image.Pt(400, 300), speed: 4 * physic.MegaHertz, partial: true, registers: []command{
		{0x21, []byte{0x00, 0x00}},
	}, full: []command{
		{0x21, []byte{0x40, 0x00}}, // the waveforms do not look at the second memory
	}},
	// Pimoroni and Good Display 2.9" with a UC8151. Its short waveforms would have
	// to be written into registers by sheet and temperature; we use what is built in.
	"2.9-uc8151": {family: uc81xx, size: image.Pt(128, 296), speed: 4 * physic.MegaHertz, registers: []command{
		{0x01, []byte{0x03, 0x00, 0x2B, 0x2B, 0x03}}, // PWR: pumps inside, ±11 V
		{0x06, []byte{0x17, 0x17, 0x17}},             // BTST
		{0x00, []byte{0x9F}},                         // PSR: 128 × 296, black and white, waveforms built in
		{0x61, []byte{0x80, 0x01, 0x28}},             // TRES
		{0x50, []byte{0x97}},                         // CDI: 1 is white, the border floats
	}},
	// Waveshare 4.2" V1, Good Display GDEW042T2.
	"4.2-uc8176": {family: uc81xx, size: image.Pt(400, 300), speed: 4 * physic.MegaHertz, registers: []command{
		{0x01, []byte{0x03, 0x00, 0x2B, 0x2B, 0xFF}},
		{0x06, []byte{0x17, 0x17, 0x17}},
		{0x00, []byte{0x1F}},
		{0x61, []byte{0x01, 0x90, 0x01, 0x2C}},
		{0x82, []byte{0x12}}, // VCOM -1 V
		{0x50, []byte{0x97}},
	}},
	// Waveshare 7.5" V2, Good Display GDEY075T7.
	"7.5": {family: uc81xx, size: image.Pt(800, 480), speed: 10 * physic.MegaHertz, partial: true, registers: []command{
		{0x01, []byte{0x07, 0x07, 0x3F, 0x3F}}, // PWR: ±20 V gates, ±15 V sources
		{0x06, []byte{0x17, 0x17, 0x28, 0x17}},
		{0x00, []byte{0x1F}},
		{0x61, []byte{0x03, 0x20, 0x01, 0xE0}},
		{0x15, []byte{0x00}},       // one SPI data line
		{0x60, []byte{0x22}},       // TCON
		{0x50, []byte{0x11, 0x07}}, // CDI: 1 is white
	}},
}

// ssd16xx: BUSY is high while it works (SSD1680, table 5-4).
var ssd16xx = family{busy: gpio.High, wake: wakeSSD, show: showSSD, sleep: func(b *bus) {
	b.command(0x10, 0x01) // deep sleep mode 1
}}

// wakeSSD gives the registers their values (SSD1680 9.1 and chapter 8).
func wakeSSD(b *bus, m model, full bool) {
	b.command(0x12) // SWRESET
	b.idle("reset", bootWithin)
	x, y := m.stride()-1, m.size.Y-1
	b.command(0x01, byte(y), byte(y>>8), 0x00)
	b.command(0x11, 0x03) // columns and rows upwards
	b.command(0x44, 0x00, byte(x))
	b.command(0x45, 0x00, 0x00, byte(y), byte(y>>8))
	border := byte(0x80) // keeps what it shows
	if full {
		border = 0x05
	}
	b.command(0x3C, border)
	b.command(0x18, 0x80) // its own thermometer
	b.send(m.registers)
	if full {
		b.send(m.full)
	}
}

// showSSD writes both memories and refreshes. Display mode 2 moves the pixels in
// which they differ (register 22, FF); mode 1 all (F7). Both load the waveform and
// switch the pumps off in the end.
func showSSD(b *bus, old, next []byte, full bool) {
	mode := byte(0xFF)
	if full {
		old, mode = next, 0xF7
	}
	for _, memory := range []struct {
		op   byte
		bits []byte
	}{{0x24, next}, {0x26, old}} {
		b.command(0x4E, 0x00)
		b.command(0x4F, 0x00, 0x00)
		b.command(memory.op)
		b.data(memory.bits)
	}
	b.command(0x22, mode)
	b.command(0x20)
	b.refreshed()
}

// uc81xx: BUSY_N is low while it works (UC8179, chapter 5).
var uc81xx = family{busy: gpio.Low, wake: wakeUC, show: showUC, sleep: func(b *bus) {
	b.command(0x02) // POF
	b.idle("power off", powerWithin)
	b.command(0x07, 0xA5) // DSLP with its check code
}}

// wakeUC gives the registers their values and starts the pumps (UC8179, chapter 10:
// PWR before PON). A partial refresh makes the controller believe in 110 °C: there
// its makers have put the short waveforms.
func wakeUC(b *bus, m model, full bool) {
	b.send(m.registers)
	b.command(0x04) // PON
	b.idle("power on", powerWithin)
	if !full {
		b.command(0xE0, 0x02)
		b.command(0xE5, 0x6E)
	}
}

// showUC writes the old and the new picture and refreshes.
func showUC(b *bus, old, next []byte, _ bool) {
	b.command(0x10) // DTM1
	b.data(old)
	b.command(0x13) // DTM2
	b.data(next)
	b.command(0x12) // DRF
	b.refreshed()
}
