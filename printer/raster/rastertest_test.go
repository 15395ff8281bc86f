package raster

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// madeGlyph is a letter of a font made of code: a box, in units of a thousandth of an em,
// y upwards.
type madeGlyph struct {
	r              rune
	advance        int
	x0, y0, x1, y1 int
}

// makeFont writes a TrueType font (OpenType 1.9: head, maxp, hhea, hmtx, cmap, loca,
// glyf), so that tests need no file of anybody's.
func makeFont(glyphs ...madeGlyph) []byte {
	slices.SortFunc(glyphs, func(a, b madeGlyph) int { return int(a.r - b.r) })
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
		if g.x1 > g.x0 {
			glyf = append(glyf, u16(1, g.x0, g.y0, g.x1, g.y1, 3, 0)...)
			glyf = append(glyf, 1, 1, 1, 1) // four points on the outline
			glyf = append(glyf, u16(g.x0, 0, g.x1-g.x0, 0, g.y0, g.y1-g.y0, 0, g.y0-g.y1)...)
			for len(glyf)%4 != 0 {
				glyf = append(glyf, 0)
			}
		}
		loca = append(loca, u32(len(glyf))...)
		hmtx = append(hmtx, u16(g.advance, g.x0)...)
	}
	cmap := append(u16(0, 1, 3, 10), u32(12)...)
	groups := u32(len(glyphs))
	for i, g := range glyphs {
		groups = slices.Concat(groups, u32(int(g.r)), u32(int(g.r)), u32(i+1))
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

func fontOf(glyphs ...madeGlyph) *Font {
	f, err := Parse(bytes.NewReader(makeFont(glyphs...)))
	if err != nil {
		panic(err)
	}
	return f
}

// show draws a bitmap as # and ., every second row and column, which is what eyes need.
func show(b Bitmap) string {
	var s strings.Builder
	for y := 0; y < b.Height; y += 2 {
		for x := range b.Dots {
			if b.At(x, y) {
				s.WriteByte('#')
			} else {
				s.WriteByte('.')
			}
		}
		s.WriteByte('\n')
	}
	return s.String()
}

// extent is the first and the last black column of a bitmap, -1 for none.
func extent(b Bitmap) (left, right int) {
	left, right = -1, -1
	for x := range b.Dots {
		for y := range b.Height {
			if b.At(x, y) {
				if left < 0 {
					left = x
				}
				right = x
			}
		}
	}
	return left, right
}
