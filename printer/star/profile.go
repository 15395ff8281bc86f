package star

import (
	"github.com/tillwright/tillwright/printer/internal/pages"
	"github.com/tillwright/tillwright/printer/raster"
)

// Page is a code page and its number in ESC GS t n.
type Page = pages.Page

// Mode is the language of a model.
type Mode byte

// Modes.
const (
	PRNT   Mode = iota // StarPRNT
	Line               // Star Line Mode
	Raster             // STAR Graphic Mode: dots alone
)

// Profile is what one kind of printer can do. The zero Profile prints nothing; begin
// with one of Models.
type Profile struct {
	Name     string
	Title    string // maker and model, for people
	Mode     Mode
	Columns  int    // of font A
	Dots     int    // across the printed width; a multiple of 8
	Pages    []Page // in order of preference
	Cutter   bool
	HasQR    bool // can draw QR codes itself (ESC GS y)
	NativeQR bool // does so: far fewer bytes on the wire; see Slow
	Module   int  // dots of a QR module, at most
	Drawer   byte // 0 for the first, 1 for the second
	Buzzer   bool // on the socket of the second drawer
	Answers  bool // to ESC ACK SOH, if the port is two-way
	// Text draws what the code pages lack; nil is the built-in face alone.
	Text *raster.Text
}

// standard are the code pages of all text models (Star, "Select code page").
var standard = pages.Set("1=437 4=858 32=1252 5=852 10=866 33=1250 34=1251 6=860 8=863 9=865")

// Models returns the profiles of the printers that are known by name. Each call makes a
// new list; Pages are shared and must not be changed.
func Models() []Profile {
	m := func(name, title string, mode Mode, columns int) Profile {
		p := Profile{Name: name, Title: title, Mode: mode, Columns: columns, Dots: columns * raster.CellWidth, Pages: standard, Cutter: true, HasQR: true, Module: 6, Answers: true}
		if columns < 40 {
			p.Module = 4
		}
		if mode == Raster {
			p.Pages, p.HasQR = nil, false
		}
		return p
	}
	return []Profile{
		m("mc-print3", "Star mC-Print3", PRNT, 48),
		m("mc-print2", "Star mC-Print2 (58 mm)", PRNT, 32),
		m("mpop", "Star mPOP (58 mm, with its drawer)", PRNT, 32),
		m("tsp100iv", "Star TSP100IV, TSP143IV", PRNT, 48),
		m("tsp100", "Star TSP100, TSP143 up to III", Raster, 48),
		m("tsp650ii", "Star TSP650II, TSP654II", Line, 48),
		m("tsp700ii", "Star TSP700II, TSP743II", Line, 48),
		m("tsp800ii", "Star TSP800II, TSP847II (112 mm)", Line, 69),
	}
}

// ByName returns the profile of that name; ok is false for an unknown one.
func ByName(name string) (p Profile, ok bool) {
	for _, p := range Models() {
		if p.Name == name {
			return p, true
		}
	}
	return Profile{}, false
}

// With returns p for a printer set to other columns (0 keeps them), with its drawer on
// the first or second socket (2 or 5, as the pins of other makers are called; 0 keeps it)
// and letters drawn by text (nil keeps them).
func (p Profile) With(columns, pin int, text *raster.Text) Profile {
	if columns > 0 {
		p.Columns = columns
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

// Slow returns p for a serial line of 38,400 baud or less; see escpos.Profile.Slow.
func (p Profile) Slow() Profile {
	p.NativeQR = p.NativeQR || p.HasQR
	return p
}
