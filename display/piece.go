package display

import (
	"slices"
	"strings"

	"github.com/tillwright/tillwright/pos/shape"
)

// piece is a glyph of a line, and where it stands. Lengths are in the weight's units.
type piece struct {
	glyphKey // without size
	extent
	dx, dy int // from the pen; y downwards
}

// each calls f with the pieces of a clean line, from left to right.
func (w *weight) each(s string, f func(piece)) {
	if !strings.ContainsFunc(s, shape.Joined) {
		for _, r := range s {
			w.letter(r, f)
		}
		return
	}
	for _, p := range w.shape(s) {
		f(p)
	}
}

func (w *weight) letter(r rune, f func(piece)) {
	if !shape.Joiner(r) {
		f(piece{glyphKey: glyphKey{r: r}, extent: w.extent(r)})
	}
}

// shapedMax bounds the lines kept that were shaped: a picture has some dozens, and each
// is measured at many sizes.
const shapedMax = 512

// shape returns the pieces of a line with letters that change with their neighbours.
func (w *weight) shape(s string) []piece {
	if ps, ok := w.shaped[s]; ok {
		return ps
	}
	var ps []piece
	keep := func(p piece) { ps = append(ps, p) }
	for _, run := range shape.Visual([]rune(s)) {
		parts := shape.Split(run.Text, shape.Joined)
		if run.RTL {
			slices.Reverse(parts)
		}
		for _, part := range parts {
			w.part(part, run.RTL, keep)
		}
	}
	if len(w.shaped) >= shapedMax {
		clear(w.shaped)
	}
	w.shaped[s] = ps
	return ps
}

// part sets letters of one direction that are all shaped, or all not.
func (w *weight) part(text []rune, rtl bool, f func(piece)) {
	font := fontOf(text)
	if font == nil || !slices.ContainsFunc(text, shape.Joined) {
		if rtl {
			text = slices.Clone(text)
			slices.Reverse(text)
		}
		for _, r := range text {
			if rtl {
				r = shape.Mirror(r)
			}
			w.letter(r, f)
		}
		return
	}
	for _, g := range font.Shape(text, rtl, w.units) {
		p := piece{glyphKey: glyphKey{font: font, index: g.Index}, extent: w.extentIn(font, g.Index), dx: g.X.Round(), dy: g.Y.Round()}
		p.advance = g.Advance.Round()
		f(p)
	}
}

// fontOf returns the first added font that has all of text, nil for none.
func fontOf(text []rune) *shape.Font {
	for _, f := range added {
		if !slices.ContainsFunc(text, func(r rune) bool { return f.Index(r) == 0 && !shape.Joiner(r) }) {
			return f
		}
	}
	return nil
}
