package escpos

import "github.com/tillwright/tillwright/printer"

// Page is a code page and its number in ESC t n, which differs between makers.
type Page struct {
	N       byte
	Letters *printer.CodePage
}

// Profile is what one kind of printer can do. The zero Profile prints nothing;
// begin with one of the profiles below.
type Profile struct {
	Name     string
	Columns  int    // of font A
	Dots     int    // across the printed width; a multiple of 8
	Pages    []Page // in order of preference; none: ASCII only, the rest as images
	Cutter   bool
	NativeQR bool // draws QR codes itself (GS ( k); smaller on the wire, larger on paper
	Module   int  // dots of a QR module, at most
	Drawer   byte // pin of the drawer: 0 for pin 2, 1 for pin 5
	Answers  bool // to DLE EOT, if the port is two-way
	Queued   bool // answers GS r 1 once everything before it is printed
}

// pages are Epson's numbers, which most makers copy (ESC t).
var pages = []Page{{0, printer.CP437}, {19, printer.CP858}, {16, printer.CP1252}, {2, printer.CP850}}

// Profiles. Default58 is the common battery or counter printer without a knife.
// Safe expects nothing: it takes the narrowest paper, no code page beyond ASCII,
// no knife, no answers.
var (
	Default80 = Profile{Name: "80mm", Columns: 48, Dots: 576, Pages: pages, Cutter: true, Module: 6, Answers: true, Queued: true}
	Default58 = Profile{Name: "58mm", Columns: 32, Dots: 384, Pages: pages, Module: 4, Answers: true}
	Safe      = Profile{Name: "safe", Columns: 32, Dots: 384, Module: 4}
)

// ByName returns the profile of that name; ok is false for an unknown one.
func ByName(name string) (p Profile, ok bool) {
	for _, p := range []Profile{Default80, Default58, Safe} {
		if p.Name == name {
			return p, true
		}
	}
	return Profile{}, false
}
