package displaytest

import "image"

// lengths are how many bytes of data a command takes.
type lengths struct{ least, most int }

// chip is what the data sheets tell apart.
type chip struct {
	ram     image.Point  // columns, rows
	bits    int          // a pixel after reset
	formats map[byte]int // COLMOD's values for the serial interface, and their bits

	// commands beyond the common ones. Where revisions of a data sheet differ,
	// both lengths are let pass.
	commands map[byte]lengths
}

// common are the commands that all chips share, as the MIPI display command set
// 1.02 has them. Reading commands are left out: the panels have no line for it.
var common = map[byte]lengths{
	dcsNOP: {}, dcsSWRESET: {}, dcsSLPIN: {}, dcsSLPOUT: {}, 0x12: {}, 0x13: {}, dcsINVOFF: {}, dcsINVON: {},
	0x26: {1, 1}, dcsDISPOFF: {}, dcsDISPON: {}, dcsCASET: {4, 4}, dcsPASET: {4, 4}, dcsRAMWR: {}, 0x30: {4, 4}, 0x33: {6, 6},
	0x34: {}, 0x35: {0, 1}, dcsMADCTL: {1, 1}, 0x37: {2, 2}, 0x38: {}, 0x39: {}, dcsCOLMOD: {1, 1}, 0x44: {2, 2},
	0x51: {1, 1}, 0x53: {1, 1}, 0x55: {1, 1}, 0x5E: {1, 1},
}

func (c chip) length(command byte) (lengths, bool) {
	if l, ok := c.commands[command]; ok {
		return l, true
	}
	l, ok := common[command]
	return l, ok
}

func one(n int) lengths { return lengths{n, n} }

// rgb are the formats of chips that take 12, 16 and 18 bits over SPI; the upper
// half of COLMOD belongs to the RGB interface.
func rgb() map[byte]int {
	return map[byte]int{0x03: 12, 0x53: 12, 0x05: 16, 0x55: 16, 0x65: 16, 0x06: 18, 0x66: 18}
}

// chips by name.
var chips = map[string]chip{
	// ILI9341 V1.11 (2011-06-10), chapter 8. The serial interface takes 16 and 18
	// bits (7.6.2), and starts with 18 (8.2.33).
	"ILI9341": {
		ram: image.Pt(240, 320), bits: 18, formats: map[byte]int{0x55: 16, 0x66: 18},
		commands: map[byte]lengths{
			0xB0: one(1), 0xB1: one(2), 0xB2: one(2), 0xB3: one(2), 0xB4: one(1), 0xB5: one(4), 0xB6: {3, 4}, 0xB7: one(1),
			0xC0: one(1), 0xC1: one(1), 0xC5: one(2), 0xC7: one(1), 0xCB: one(5), 0xCF: one(3), 0xE0: one(15), 0xE1: one(15),
			0xE8: one(3), 0xEA: one(2), 0xED: one(4), 0xF2: one(1), 0xF6: one(3), 0xF7: one(1),
		},
	},
	// ST7789V V1.3 (2014-06), chapter 9.
	"ST7789": {
		ram: image.Pt(240, 320), bits: 18, formats: rgb(),
		commands: map[byte]lengths{
			0xB0: one(2), 0xB1: one(3), 0xB2: one(5), 0xB3: one(3), 0xB5: one(1), 0xB7: one(1), 0xB8: one(4), 0xBB: one(1), 0xC0: one(1),
			0xC2: {1, 2}, 0xC3: one(1), 0xC4: one(1), 0xC5: one(1), 0xC6: one(1), 0xD0: one(2), 0xE0: one(14), 0xE1: one(14), 0xE4: one(3),
		},
	},
	// ST7735R V0.2 (2009-08), chapter 10, GM = 000: 132 columns, 162 rows.
	"ST7735": {ram: image.Pt(132, 162), bits: 18, formats: map[byte]int{0x03: 12, 0x05: 16, 0x06: 18}, commands: st7735Own},
	// The same with GM = 011, which most modules of 128 × 160 are wired to.
	"ST7735-128x160": {ram: image.Pt(128, 160), bits: 18, formats: map[byte]int{0x03: 12, 0x05: 16, 0x06: 18}, commands: st7735Own},
	// The same with GM = 001, for squares.
	"ST7735-132x132": {ram: image.Pt(132, 132), bits: 18, formats: map[byte]int{0x03: 12, 0x05: 16, 0x06: 18}, commands: st7735Own},
	// ILI9488 V1.00 (2012), chapter 5. Over SPI it takes 3 and 18 bits a pixel and
	// not 16 (4.7.2).
	"ILI9488": {
		ram: image.Pt(320, 480), bits: 18, formats: map[byte]int{0x66: 18},
		commands: map[byte]lengths{
			0xB0: one(1), 0xB1: {1, 2}, 0xB4: one(1), 0xB5: one(4), 0xB6: {2, 3}, 0xB7: one(1), 0xC0: one(2), 0xC1: one(1), 0xC2: one(1), 0xC5: {3, 4},
			0xE0: one(15), 0xE1: one(15), 0xE9: one(1), 0xF7: one(4),
		},
	},
	// GC9A01 V1.0 (2019-07-02), chapter 6, and the registers without a name that its
	// maker's initialisation sets.
	"GC9A01": {
		ram: image.Pt(240, 240), bits: 18, formats: rgb(),
		commands: map[byte]lengths{
			0xFE: {}, 0xEF: {}, 0xEB: one(1), 0x84: one(1), 0x85: one(1), 0x86: one(1), 0x87: one(1), 0x88: one(1), 0x89: one(1), 0x8A: one(1), 0x8B: one(1),
			0x8C: one(1), 0x8D: one(1), 0x8E: one(1), 0x8F: one(1), 0xB6: {1, 4}, 0x90: one(4), 0xBD: one(1), 0xBC: one(1), 0xFF: one(3), 0xC1: one(1),
			0xC3: one(1), 0xC4: one(1), 0xC9: one(1), 0xBE: one(1), 0xE1: one(2), 0xDF: one(3), 0xF0: one(6), 0xF1: one(6), 0xF2: one(6), 0xF3: one(6),
			0xED: one(2), 0xAE: one(1), 0xCD: one(1), 0x70: one(9), 0xE8: one(1), 0x62: one(12), 0x63: one(12), 0x64: one(7), 0x66: one(10), 0x67: one(10),
			0x74: one(7), 0x98: one(2), 0x99: one(2), 0xBA: one(1),
		},
	},
}

// st7735Own are the ST7735R's own commands. Power control 1 to 5 took another number
// of bytes in the first revision.
var st7735Own = map[byte]lengths{
	0xB1: one(3), 0xB2: one(3), 0xB3: one(6), 0xB4: one(1), 0xB6: one(2), 0xC0: {2, 3}, 0xC1: one(1), 0xC2: {1, 2}, 0xC3: {1, 2}, 0xC4: {1, 2},
	0xC5: {1, 2}, 0xC7: one(1), 0xE0: one(16), 0xE1: one(16), 0xF0: one(1), 0xF6: one(1), 0xFC: {1, 2},
}
