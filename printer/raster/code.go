package raster

import (
	"strings"

	"github.com/tillwright/tillwright/pos/qr"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/code128"
)

const (
	// MinModule is the smallest module of a code in dots: below that phones fail on
	// paper (DENSO asks for four, three are read at 203 dots an inch).
	MinModule = 3
	// BarHeight is how high bars are, in dots: a centimetre, which a scanner held by
	// hand finds.
	BarHeight = 80
	// barQuiet is the white that a scanner needs on each side, in modules.
	barQuiet = 10
	// minBar and maxBar are the narrow bar in dots: a quarter of a millimetre is what
	// cheap scanners read, and what printers can be told.
	minBar = 2
	maxBar = 3
)

// QR draws the QR code of text without its quiet zone, with modules of at most module
// dots: as small as level M allows, and with the highest correction that this size holds,
// which costs nothing. A larger code would fit the width of the paper, but cost its
// length: at level H that of a receipt has 33 modules a side for 29, which is 3 mm
// more of each and 29 % more bytes. ok is false when the code would not fit dots with its
// quiet zone at MinModule, and when text is no code.
func QR(text string, dots, module int) (b Bitmap, ok bool) {
	m, err := qr.Encode(text, qr.M)
	if err == nil {
		m, err = qr.Best(text, qr.M, m.Size()+2*qr.Quiet)
	}
	if err != nil {
		return Bitmap{}, false
	}
	module = min(module, dots/(m.Size()+2*qr.Quiet))
	if module < MinModule {
		return Bitmap{}, false
	}
	b = New(m.Size()*module, m.Size()*module)
	for y := range m.Size() {
		for x := range m.Size() {
			if m.Dark(x, y) {
				b.Fill(x*module, y*module, module, module)
			}
		}
	}
	return b, true
}

// BarModule returns the width in dots of the narrow bar of text's Code 128 on paper
// of that many dots; 0 when it does not fit or is none.
func BarModule(text string, dots int) int {
	dark, ok := code128.Modules(text)
	if !ok || len(text) > printer.BarcodeMax {
		return 0
	}
	module := min(maxBar, dots/(len(dark)+2*barQuiet))
	if module < minBar {
		return 0
	}
	return module
}

// Bars draws the Code 128 of text, without quiet zones. ok is false when it does
// not fit.
func Bars(text string, dots int) (b Bitmap, ok bool) {
	module := BarModule(text, dots)
	if module == 0 {
		return Bitmap{}, false
	}
	dark, _ := code128.Modules(text)
	b = New(len(dark)*module, BarHeight)
	for i, d := range dark {
		if d {
			b.Fill(i*module, 0, module, BarHeight)
		}
	}
	return b, true
}

// bytesM is how many bytes a code of version 1, 2, … holds at level M in the byte mode,
// the only one that printers use (ISO/IEC 18004, table 7).
var bytesM = [...]int{14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251}

// NativeModules returns how many modules a side the code of text has that a printer
// draws itself at level M, the one for which other encoders agree on it; 0 for what it cannot be trusted with: no text, more than 251
// bytes, anything but printable ASCII.
func NativeModules(text string) int {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7E }) {
		return 0
	}
	for i, n := range bytesM {
		if len(text) <= n {
			return 21 + 4*i
		}
	}
	return 0
}
