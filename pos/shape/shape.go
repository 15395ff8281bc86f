// Package shape sets text of any script: it says which glyphs of a font a text
// becomes, and where they stand.
//
// Promise. The same text and font give the same glyphs on every board of one kind. A
// damaged or hostile font file draws nothing or something odd, and never stops the
// till. Of a font only what is drawn is read, when it is drawn.
//
// How. Lines are put into the order of the eye (Unicode annex 9, without nesting).
// What can be set letter by letter is, with marks stacked and Arabic letters joined
// by their presentation forms. Where Full says so, scripts that change with their
// neighbours are set by the font's own rules (OpenType GSUB and GPOS) through the Go
// port of HarfBuzz. It has 2 MB of code, so till's for 32-bit ARM are built without it
// (build tag "shaping" puts it in): there, Devanagari, Khmer and the like are not
// known, and say so.
//
// Sources: Unicode 17, chapter 9.2 (Arabic joining) and annex 9; OpenType 1.9.
package shape

import (
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Glyph is a letter's picture and where it stands. Distances are pixels.
type Glyph struct {
	Index   sfnt.GlyphIndex
	Advance fixed.Int26_6 // how far it moves the pen; 0 for a mark
	X, Y    fixed.Int26_6 // from the pen; Y grows downwards
}

// longest bounds a text that is shaped at once: no line of a panel or a receipt has
// more letters, and some rules take time that grows with the square.
const longest = 512

// Shape returns the glyphs of text, which runs in one direction and is given in
// logical order, from left to right, at em pixels an em. A letter that the font
// lacks is glyph 0. It does not keep text; beyond longest letters it is cut.
func (f *Font) Shape(text []rune, rtl bool, em int) []Glyph {
	text = text[:min(len(text), longest)]
	if len(text) == 0 {
		return nil
	}
	if Full && joinedIn(text) {
		if gs, ok := f.shapeByRules(text, rtl, em); ok {
			return gs
		}
	}
	return simple(f, text, rtl, em)
}

// easy are the scripts that change with their neighbours, or are built of stacks, and
// can be set without a font's own rules.
var easy = []*unicode.RangeTable{unicode.Arabic, unicode.Hebrew, unicode.Thai, unicode.Lao}

// hard are those that cannot.
var hard = []*unicode.RangeTable{
	unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Mongolian,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada,
	unicode.Malayalam, unicode.Sinhala, unicode.Tibetan, unicode.Myanmar, unicode.Khmer, unicode.Javanese, unicode.Balinese,
}

// arabicMarks belong to no script of their own, and stand on Arabic letters.
func arabicMark(r rune) bool { return r >= 0x64B && r <= 0x65F || r == 0x670 }

// Joined reports that r belongs to a script whose letters change with their
// neighbours, are stacked, or run from right to left: a text with such letters is
// shaped in whole, and never cut up.
func Joined(r rune) bool { return unicode.In(r, easy...) || arabicMark(r) || unicode.In(r, hard...) }

// Flows reports that r belongs to a script whose words cannot be cut into equal
// cells: they are written by hand.
func Flows(r rune) bool { return Joined(r) && !unicode.In(r, unicode.Thai, unicode.Lao) }

// Known reports that r can be set right in this build, given a font that has it.
func Known(r rune) bool { return Full || !unicode.In(r, hard...) }

// Joiner reports that r joins or parts letters and is not seen itself.
func Joiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

func joinedIn(text []rune) bool {
	for _, r := range text {
		if Joined(r) {
			return true
		}
	}
	return false
}

// Split parts text into pieces of letters for which is says the same. Spaces, marks
// and joiners stay with what is before them.
func Split(text []rune, is func(rune) bool) [][]rune {
	var out [][]rune
	last := false
	for _, r := range text {
		n := len(out)
		if n > 0 && (r == ' ' || unicode.In(r, unicode.M) || Joiner(r) || is(r) == last) {
			out[n-1] = append(out[n-1], r)
			continue
		}
		out, last = append(out, []rune{r}), is(r)
	}
	return out
}
