// Package glyph draws letters in the cells of a receipt printer's font A, 12 dots
// wide and 24 high, with the Go Mono face: Latin, Greek and Cyrillic.
//
// Promise. A letter never leaves its cell. The same letter gives the same dots.
// Limits. One face; bold is the same letter struck twice, a dot apart, as
// printers do it. At most cacheMax cells are kept, half a megabyte.
package glyph

import (
	"image"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Cell size in dots.
const (
	Width  = 12
	Height = 24
)

const (
	size     = 20   // pixels an em: Go Mono advances 0.6 em, which is 12
	baseline = 19   // dots from the top of the cell
	cacheMax = 1500 // more than the letters of all scripts that the face has
)

// Cell is how dark each dot of a letter is, row by row, 0 white to 255 black.
type Cell [Width * Height]byte

// At returns the darkness at x, y within the cell.
func (c *Cell) At(x, y int) byte { return c[y*Width+x] }

var faces = sync.OnceValues(func() (*sfnt.Font, font.Face) {
	f, err := opentype.Parse(gomono.TTF)
	if err != nil {
		panic("glyph: the built-in face is damaged: " + err.Error())
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic("glyph: the built-in face has no size: " + err.Error())
	}
	return f, face
})

var (
	mu    sync.Mutex // guards what follows: a face is not safe for concurrent use
	buf   sfnt.Buffer
	cache = map[rune]*Cell{}
)

// Has reports that the face has a letter for r.
func Has(r rune) bool {
	mu.Lock()
	defer mu.Unlock()
	return has(r)
}

func has(r rune) bool {
	f, _ := faces()
	i, err := f.GlyphIndex(&buf, r)
	return err == nil && i != 0 && r >= 0x20 // the face draws NUL
}

// Of returns the cell of r, an outlined box when the face has no such letter. The
// caller must not change it.
func Of(r rune) *Cell {
	mu.Lock()
	defer mu.Unlock()
	if c := cache[r]; c != nil {
		return c
	}
	c := draw(r)
	if len(cache) < cacheMax {
		cache[r] = c
	}
	return c
}

func draw(r rune) *Cell {
	c := new(Cell)
	if !has(r) {
		box(c)
		return c
	}
	_, face := faces()
	at, mask, maskp, _, ok := face.Glyph(fixed.P(0, baseline), r)
	if !ok {
		box(c)
		return c
	}
	in := at.Intersect(image.Rect(0, 0, Width, Height))
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			_, _, _, a := mask.At(maskp.X+x-at.Min.X, maskp.Y+y-at.Min.Y).RGBA()
			c[y*Width+x] = byte(a >> 8)
		}
	}
	return c
}

// box is the sign for a letter that is not there.
func box(c *Cell) {
	for y := 4; y < 20; y++ {
		for x := 2; x < 10; x++ {
			if y == 4 || y == 19 || x == 2 || x == 9 {
				c[y*Width+x] = 255
			}
		}
	}
}
