package shape

import (
	"slices"
	"unicode"

	"golang.org/x/image/math/fixed"
)

// simple shapes without the font's own rules: enough for Latin, Greek, Cyrillic,
// Arabic, Hebrew, Thai, Lao, Chinese, Japanese and Korean.
func simple(f *Font, text []rune, rtl bool, em int) []Glyph {
	letters := text
	if rtl {
		letters = joined(f, text)
	}
	var clusters [][]Glyph
	for i := 0; i < len(letters); {
		n := 1
		for i+n < len(letters) && unicode.Is(unicode.Mn, letters[i+n]) {
			n++
		}
		clusters = append(clusters, cluster(f, letters[i:i+n], rtl, em))
		i += n
	}
	if rtl {
		slices.Reverse(clusters)
	}
	return slices.Concat(clusters...)
}

// cluster is a letter and its marks. The marks stand over it, or under it, and
// where one would cover another it moves away.
func cluster(f *Font, text []rune, rtl bool, em int) []Glyph {
	base := text[0]
	if rtl {
		base = Mirror(base)
	}
	i := f.Index(base)
	width := f.Advance(i, em)
	out := []Glyph{{Index: i, Advance: width}}
	var taken []fixed.Rectangle26_6
	for _, r := range text[1:] {
		g := Glyph{Index: f.Index(r)}
		_, box, ok := f.Outline(g.Index, em)
		if !ok || box.Empty() {
			continue
		}
		// A mark made to follow its letter has no width and reaches back from the pen;
		// another one is set in the middle of its letter.
		if f.Advance(g.Index, em) != 0 || box.Max.X > fixed.I(em)/4 {
			g.X = -(width + box.Max.X + box.Min.X) / 2
		}
		g.Y = apart(box.Add(fixed.Point26_6{X: g.X}), taken)
		taken = append(taken, box.Add(fixed.Point26_6{X: g.X, Y: g.Y}))
		out = append(out, g)
	}
	return out
}

// apart returns how far a mark must move up, or down if it stands below the line,
// to be clear of those already there.
func apart(box fixed.Rectangle26_6, taken []fixed.Rectangle26_6) fixed.Int26_6 {
	var dy fixed.Int26_6
	for _, t := range taken {
		now := box.Add(fixed.Point26_6{Y: dy})
		if now.Intersect(t).Empty() {
			continue
		}
		if now.Min.Y > -fixed.I(2) {
			dy += t.Max.Y - now.Min.Y + fixed.I(1)
		} else {
			dy -= now.Max.Y - t.Min.Y + fixed.I(1)
		}
	}
	return dy
}

// letterForms says where the presentation forms of an Arabic letter begin (in the
// order alone, last, first, middle) and how many it has: two for a letter that
// joins only to the one before.
type letterForms struct {
	first rune
	n     int
}

var forms = func() map[rune]letterForms {
	m := map[rune]letterForms{
		0x67E: {0xFB56, 4}, 0x686: {0xFB7A, 4}, 0x698: {0xFB8A, 2}, 0x6A9: {0xFB8E, 4}, 0x6AF: {0xFB92, 4}, 0x6CC: {0xFBFC, 4},
		0x679: {0xFB66, 4}, 0x688: {0xFB88, 2}, 0x691: {0xFB8C, 2}, 0x6BA: {0xFB9E, 2}, 0x6BE: {0xFBAA, 4}, 0x6C1: {0xFBA6, 4}, 0x6D2: {0xFBAE, 2},
	}
	at := rune(0xFE80)
	// From hamza (621) to yeh (64A), with the six places up to tatweel that have none.
	for i, n := range "12222424244444222244444444" + "......" + "4444444224" {
		if n != '.' {
			m[0x621+rune(i)] = letterForms{at, int(n - '0')}
			at += n - '0'
		}
	}
	return m
}()

const (
	lam     = 0x644
	tatweel = 0x640
)

// lamAlef are the four pairs that are always one letter: alone; joined to the one
// before is the next.
var lamAlef = map[rune]rune{0x622: 0xFEF5, 0x623: 0xFEF7, 0x625: 0xFEF9, 0x627: 0xFEFB}

// joined replaces Arabic letters by the form that they have beside their
// neighbours (Unicode 9.2), where the font has it.
func joined(f *Font, text []rune) []rune {
	out := make([]rune, 0, len(text))
	before := false // the letter before reaches out to this one
	for i := 0; i < len(text); i++ {
		r := text[i]
		form, ok := forms[r]
		switch {
		case unicode.Is(unicode.Mn, r):
			out = append(out, r)
			continue
		case r == tatweel:
			out, before = append(out, r), true
			continue
		case !ok:
			out, before = append(out, r), false
			continue
		}
		if pair := ligature(text[i:]); pair != 0 {
			if before {
				pair++
			}
			if f.Index(pair) != 0 {
				out, before = append(out, pair), false
				i++
				continue
			}
		}
		after := form.n == 4 && joins(follower(text, i))
		shape := form.first
		if before {
			shape++
		}
		if after {
			shape += 2
		}
		if form.n == 1 {
			shape = form.first
		}
		if f.Index(shape) == 0 {
			shape = r
		}
		out, before = append(out, shape), after
	}
	return out
}

// ligature is what lam and the alef right after it become; 0 for other text.
func ligature(text []rune) rune {
	if len(text) < 2 || text[0] != lam {
		return 0
	}
	return lamAlef[text[1]]
}

// follower is the letter after i, past its marks; 0 at the end.
func follower(text []rune, i int) rune {
	for _, r := range text[i+1:] {
		if !unicode.Is(unicode.Mn, r) {
			return r
		}
	}
	return 0
}

// joins reports that r can be reached from the letter before it.
func joins(r rune) bool { return r == tatweel || forms[r].n >= 2 }
