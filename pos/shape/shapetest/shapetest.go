// Package shapetest makes fonts of code, so that tests need no file of anybody's.
package shapetest

import (
	"encoding/binary"
	"slices"
)

// Glyph is a letter of a font made of code: a box, in units of a thousandth of an em,
// y upwards.
type Glyph struct {
	Rune           rune
	Advance        int
	X0, Y0, X1, Y1 int
}

// Make writes a TrueType font (OpenType 1.9: head, maxp, hhea, hmtx, cmap, loca,
// glyf), so that tests need no file of anybody's.
func Make(glyphs ...Glyph) []byte {
	slices.SortFunc(glyphs, func(a, b Glyph) int { return int(a.Rune - b.Rune) })
	u16 := func(vs ...int) []byte {
		var b []byte
		for _, v := range vs {
			b = binary.BigEndian.AppendUint16(b, uint16(v))
		}
		return b
	}
	u32 := func(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
	n := len(glyphs) + 1 // glyph 0 is the missing one, and empty
	var glyf, loca, hmtx []byte
	loca, hmtx = append(loca, u32(0)...), append(hmtx, u16(600, 0)...)
	loca = append(loca, u32(0)...)
	for _, g := range glyphs {
		if g.X1 > g.X0 {
			glyf = append(glyf, u16(1, g.X0, g.Y0, g.X1, g.Y1, 3, 0)...)
			glyf = append(glyf, 1, 1, 1, 1) // four points on the outline
			glyf = append(glyf, u16(g.X0, 0, g.X1-g.X0, 0, g.Y0, g.Y1-g.Y0, 0, g.Y0-g.Y1)...)
			for len(glyf)%4 != 0 {
				glyf = append(glyf, 0)
			}
		}
		loca = append(loca, u32(len(glyf))...)
		hmtx = append(hmtx, u16(g.Advance, g.X0)...)
	}
	cmap := append(u16(0, 1, 3, 10), u32(12)...)
	groups := u32(len(glyphs))
	for i, g := range glyphs {
		groups = slices.Concat(groups, u32(int(g.Rune)), u32(int(g.Rune)), u32(i+1))
	}
	cmap = slices.Concat(cmap, u16(12, 0), u32(16+12*len(glyphs)), u32(0), groups)
	tables := map[string][]byte{
		"head": slices.Concat(u32(0x10000), u32(0x10000), u32(0), u32(0x5F0F3CF5), u16(0, 1000), make([]byte, 16), u16(0, 0, 0, 0, 0, 8, 2, 1, 0)),
		"maxp": slices.Concat(u32(0x10000), u16(n, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)),
		"hhea": slices.Concat(u32(0x10000), u16(800, -200, 0, 600, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, n)),
		"hmtx": hmtx, "cmap": cmap, "loca": loca, "glyf": glyf, "post": slices.Concat(u32(0x30000), make([]byte, 28)),
		"OS/2": make([]byte, 96),
	}
	names := []string{"OS/2", "cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "post"}
	dir := slices.Concat(u32(0x10000), u16(len(names), 128, 3, 16))
	var body []byte
	for _, name := range names {
		dir = slices.Concat(dir, []byte(name), u32(0), u32(12+16*len(names)+len(body)), u32(len(tables[name])))
		body = append(body, tables[name]...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	return append(dir, body...)
}

// Solid is a letter that fills its cell from the line to the top, as wide as its advance.
func Solid(r rune, advance int) Glyph { return Glyph{r, advance, 0, 0, advance, 700} }

// Box is a letter whose ink is a rectangle, in thousandths of an em.
func Box(r rune, advance, x0, y0, x1, y1 int) Glyph { return Glyph{r, advance, x0, y0, x1, y1} }
