//go:build !arm || shaping

package shape

import (
	"io"
	"sync"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/harfbuzz"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Full: this build sets scripts by the rules that fonts have for them.
const Full = true

// rules are a font's own, read at first use.
type rules struct {
	mu   sync.Mutex // a face keeps what it looked up
	read bool
	font *harfbuzz.Font // nil: it has none, or cannot be read
}

// rulesMax bounds a font whose rules are read: they are kept in memory. Fonts of
// Chinese and the like are larger, and need none.
const rulesMax = 8 << 20

// of returns the rules of f. r.mu is held.
func (r *rules) of(f *Font) *harfbuzz.Font {
	if r.read {
		return r.font
	}
	r.read = true
	face, err := font.ParseTTF(io.NewSectionReader(f.source, 0, rulesMax))
	if err == nil && len(face.GSUB.Lookups)+len(face.GPOS.Lookups) > 0 {
		r.font = harfbuzz.NewFont(face)
	}
	return r.font
}

// shapeByRules sets text as its font says. ok is false when the font cannot be used
// so.
func (f *Font) shapeByRules(text []rune, rtl bool, em int) (gs []Glyph, ok bool) {
	f.rules.mu.Lock()
	defer f.rules.mu.Unlock()
	defer func() {
		if recover() != nil { // a damaged font file: its reader trusts it
			f.rules.font, gs, ok = nil, nil, false
		}
	}()
	by := f.rules.of(f)
	if by == nil {
		return nil, false
	}
	b := harfbuzz.NewBuffer()
	b.AddRunes(text, 0, len(text))
	b.Props.Direction = harfbuzz.LeftToRight
	if rtl {
		b.Props.Direction = harfbuzz.RightToLeft
	}
	b.GuessSegmentProperties()
	b.Shape(by, nil)
	scale := func(v harfbuzz.Position) fixed.Int26_6 {
		return fixed.Int26_6(int64(v) * int64(em) * 64 / int64(f.units))
	}
	for i, g := range b.Info {
		p := b.Pos[i]
		if g.Glyph >= 1<<16 || gone(p, f.units) {
			return nil, false
		}
		gs = append(gs, Glyph{Index: sfnt.GlyphIndex(g.Glyph), Advance: scale(p.XAdvance), X: scale(p.XOffset), Y: -scale(p.YOffset)})
	}
	return gs, true
}

// nearest divides by b, rounding half up.
func nearest(a, b int64) int64 {
	q := (2*a + b) / (2 * b)
	if (2*a+b)%(2*b) < 0 {
		q--
	}
	return q
}

// emsMax bounds how far a rule may move a letter.
const emsMax = 8

// gone reports that a letter is moved to where no letter is.
func gone(p harfbuzz.GlyphPosition, units int) bool {
	far := harfbuzz.Position(emsMax * units)
	return p.XAdvance < -far || p.XAdvance > far || p.XOffset < -far || p.XOffset > far || p.YOffset < -far || p.YOffset > far
}
