// Package qr turns a payload into the modules of a QR code (ISO/IEC 18004) for
// whoever draws one: panels, paper, web pages.
//
// Promise. The same text and level give the same modules, for ever. Text in
// capitals, digits and $%*+-./: and space stays in the alphanumeric mode, which
// saves two or three versions on a BOLT11 invoice. A text is encoded once however
// many goroutines ask for it at once, for encoding takes milliseconds. A fault of
// the encoder is an error, never a crash of the till.
//
// Limits. No ECI: text outside ASCII goes out as UTF-8 bytes, as wallets expect.
// No micro codes and no logo in the middle. The newest cacheMax codes are kept,
// at most a quarter of a megabyte.
package qr

import (
	"fmt"

	"github.com/skip2/go-qrcode"

	"github.com/tillwright/tillwright/pos"
)

// Quiet is the width in modules of the white border that a reader needs on each
// side (ISO/IEC 18004, 6.3.8). A Matrix does not contain it: who draws adds it.
const Quiet = 4

// maxText bounds a payload in bytes: the capacity of a 40-L code in alphanumeric
// mode. Only digits alone would go further, and no payment is that.
const maxText = 4296

// Level is the share of a code that may be unreadable: about 7 % for L, 15 % for
// M, 25 % for Q, 30 % for H.
type Level uint8

// Levels. The zero value is M, the one wallets are known to read from glass.
const (
	M Level = iota
	L
	Q
	H
)

// levels lists them from weak to strong.
var levels = [...]Level{L, M, Q, H}

// strength returns l's place in levels; one that is unknown counts as M.
func (l Level) strength() int {
	for i, k := range levels {
		if k == l {
			return i
		}
	}
	return M.strength()
}

// String returns the letter of the standard.
func (l Level) String() string { return "LMQH"[l.strength() : l.strength()+1] }

// recovery returns the encoder's name for l; its levels too run from weak to
// strong.
func (l Level) recovery() qrcode.RecoveryLevel {
	return qrcode.Low + qrcode.RecoveryLevel(l.strength())
}

// Matrix is the square of modules of one code, without its quiet zone. It never
// changes, so copies share their modules. The zero Matrix is empty.
type Matrix struct {
	size  int
	level Level
	dark  []uint64 // bit y*size+x
}

// Size returns the number of modules a side: 21 to 177, or 0 for the zero Matrix.
func (m Matrix) Size() int { return m.size }

// Version returns the version of the standard, 1 to 40, or 0 for the zero Matrix.
func (m Matrix) Version() int { return max(m.size-17, 0) / 4 }

// Level returns the error correction that the code was made with.
func (m Matrix) Level() Level { return m.level }

// Dark reports whether the module in column x, row y is dark. Every module
// outside of the code is light, so a caller may walk its quiet zone too.
func (m Matrix) Dark(x, y int) bool {
	if uint(x) >= uint(m.size) || uint(y) >= uint(m.size) {
		return false
	}
	i := y*m.size + x
	return m.dark[i/64]>>(i%64)&1 == 1
}

// Encode returns the code for text at level l, in the smallest version that
// holds it. It fails with Invalid when text is empty or too long for any code.
// The first call for a text takes milliseconds (5 on a PC, tens on a small
// board); later ones are answered from the cache. Encode is safe for concurrent
// use.
func Encode(text string, l Level) (Matrix, error) {
	if err := check(text); err != nil {
		return Matrix{}, err
	}
	return cache.get(key{text, levels[l.strength()]})
}

// Best returns the code with the highest error correction, not below least, whose
// side with both quiet zones stays within maxModules: correction that costs no
// smaller module is free. It fails with Invalid when text does not fit even at
// least.
func Best(text string, least Level, maxModules int) (Matrix, error) {
	if err := check(text); err != nil {
		return Matrix{}, err
	}
	for i := len(levels) - 1; i >= least.strength(); i-- {
		if n, err := cache.modules(key{text, levels[i]}); err == nil && n <= maxModules {
			return Encode(text, levels[i])
		}
	}
	return Matrix{}, pos.E("draw code", pos.Invalid, "the code is too long to be drawn in %d modules", maxModules)
}

// Fit returns the code to draw in a square of pixels (or printer dots) a side,
// and the whole number of pixels of one module: the largest module that text
// allows at least, then the highest error correction that keeps it. The code with
// its quiet zones takes (Size + 2·Quiet) · module pixels. Fit fails with Invalid
// when a module would be smaller than smallest.
func Fit(text string, least Level, pixels, smallest int) (m Matrix, module int, err error) {
	if err := check(text); err != nil {
		return Matrix{}, 0, err
	}
	n, err := cache.modules(key{text, levels[least.strength()]})
	if err != nil {
		return Matrix{}, 0, err
	}
	if module = pixels / n; module < max(smallest, 1) {
		return Matrix{}, 0, pos.E("draw code", pos.Invalid, "the code is too fine for this space: %d modules on %d points", n, pixels)
	}
	m, err = Best(text, least, pixels/module)
	return m, module, err
}

func check(text string) error {
	switch {
	case text == "":
		return pos.E("draw code", pos.Invalid, "there is nothing to put into the code")
	case len(text) > maxText:
		return pos.E("draw code", pos.Invalid, "the code is too long: %d characters", len(text))
	}
	return nil
}

// measure returns the side of k's code with both quiet zones. It costs a fiftieth
// of an encoding: nothing is masked.
func measure(k key) (n int, err error) {
	defer guard(&err)
	code, err := qrcode.New(k.text, k.level.recovery())
	if err != nil {
		return 0, pos.Wrap("draw code", pos.Invalid, err, "the code is too long: %d characters", len(k.text))
	}
	return 17 + 4*code.VersionNumber + 2*Quiet, nil
}

// encode makes the Matrix.
func encode(k key) (m Matrix, err error) {
	defer guard(&err)
	code, err := qrcode.New(k.text, k.level.recovery())
	if err != nil {
		return Matrix{}, pos.Wrap("draw code", pos.Invalid, err, "the code is too long: %d characters", len(k.text))
	}
	code.DisableBorder = true
	rows := code.Bitmap()
	m = Matrix{size: len(rows), level: k.level, dark: make([]uint64, (len(rows)*len(rows)+63)/64)}
	for y, row := range rows {
		for x, dark := range row {
			if i := y*m.size + x; dark {
				m.dark[i/64] |= 1 << (i % 64)
			}
		}
	}
	return m, nil
}

// guard turns the encoder's panic into an error: it calls log.Panic on internal
// faults, and a payload from outside must not stop the till.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = pos.Wrap("draw code", pos.Internal, fmt.Errorf("encoder: %v", p), "the code cannot be drawn")
	}
}
