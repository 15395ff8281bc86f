package raster

import (
	"bytes"
	"strings"

	"github.com/tillwright/tillwright/pos/shape"
	"github.com/tillwright/tillwright/pos/shape/shapetest"
)

func fontOf(glyphs ...shapetest.Glyph) *shape.Font {
	f, err := shape.Parse(bytes.NewReader(shapetest.Make(glyphs...)))
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
