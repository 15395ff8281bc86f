package escpos

import (
	"github.com/tillwright/tillwright/printer/internal/pages"
	"github.com/tillwright/tillwright/printer/raster"
)

// Page is a code page and its number in ESC t n, which differs between makers.
type Page = pages.Page

// Image is the command by which a printer takes dots.
type Image byte

// Images.
const (
	Raster   Image = iota // GS v 0: old, and what nearly every thermal printer knows
	Columns               // ESC * 33: bands of 24 rows, for printers that spoil GS v 0
	Graphics              // GS ( L, functions 112 and 50: Epson's new one
	NoImages              // impact printers: what no code page has is printed as ?
)

// Beeper is how a printer calls for somebody.
type Beeper byte

// Beepers.
const (
	NoBeeper    Beeper = iota
	EpsonBeeper        // ESC ( A, function 97: the built-in one
	CloneBeeper        // ESC B n t
	DrawerPort         // a buzzer on the drawer's socket, on the pin that the drawer is not on
)

// Profile is what one kind of printer can do. The zero Profile prints nothing;
// begin with one of those that ByName knows.
type Profile struct {
	Name     string
	Title    string // maker and model, for people
	Columns  int    // of font A
	Dots     int    // across the printed width; a multiple of 8
	Cell     int    // dots of a column of font A; 0 is 12
	Pages    []Page // in order of preference; none: ASCII only, the rest as images
	Cutter   bool
	Image    Image
	Strip    int  // rows of an image in one command, at most; 0 is 128
	LostFeed bool // swallows one line feed after an image (NT-5890K)
	OldSize  bool // knows ESC ! alone, not GS ! (impact printers)
	Barcodes bool // GS k, form B
	HasQR    bool // can draw QR codes itself (GS ( k)
	NativeQR bool // does so: far fewer bytes on the wire, more paper; see Slow
	Module   int  // dots of a QR module, at most
	Drawer   byte // pin of the drawer: 0 for pin 2, 1 for pin 5
	Beeper   Beeper
	Answers  bool // to DLE EOT, if the port is two-way
	Auto     bool // does not answer DLE EOT, but reports by GS a (ASB, automatic status back)
	Queued   bool // answers GS r 1 once everything before it is printed
	// Text draws what the code pages lack; nil is the built-in face alone.
	Text *raster.Text
}

// With returns p for a printer set to other columns (0 keeps them), with its drawer on
// the pin 2 or 5 (0 keeps it) and letters drawn by text (nil keeps them).
func (p Profile) With(columns, pin int, text *raster.Text) Profile {
	if columns > 0 {
		p.Columns = columns
	}
	if columns == 42 && p.Dots == 576 { // Epson's "42 column mode": wider letters
		p.Cell = 13
	}
	switch pin {
	case 2:
		p.Drawer = 0
	case 5:
		p.Drawer = 1
	}
	if text != nil {
		p.Text = text
	}
	return p
}

// Slow returns p for a serial line of 38,400 baud or less: there a code that the printer
// draws itself, where it can, saves up to nine seconds.
func (p Profile) Slow() Profile {
	p.NativeQR = p.NativeQR || p.HasQR
	return p
}

func (p Profile) cell() int {
	if p.Cell > 0 {
		return p.Cell
	}
	return raster.CellWidth
}
