package display

import (
	"image"
	"reflect"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

func TestClean(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"plain":             {"Café Süd", "Café Süd"},
		"the five":          {"ñçãßœ¿¡ÀÉ€£¥", "ñçãßœ¿¡ÀÉ€£¥"},
		"Greek, Cyrillic":   {"Ζαχαροπλαστείο Борщ", "Ζαχαροπλαστείο Борщ"},
		"Central Europe":    {"Żółć Őrült Ďábel šıĞ", "Żółć Őrült Ďábel šıĞ"},
		"lines":             {" a\n\tb  c ", "a b c"},
		"control":           {"a\x00b\x1bc\u200b\u202ed", "abcd"},
		"emoji":             {"Tea ☕️🍰 cake", "Tea cake"},
		"Chinese is boxed":  {"抹茶拿铁 Latte", "□ Latte"},
		"built of two":      {"Cafe\u0301", "Cafe"},
		"not UTF-8":         {"a\xff\xfeb", "a□b"},
		"dots stay with it": {"on its way …", "on its way\u00a0…"},
		"nothing":           {"", ""},
	} {
		if got := regular.clean(test.in); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if n := len([]rune(regular.clean(strings.Repeat("ab", textMax)))); n != textMax {
		t.Errorf("a long text keeps %d letters, want %d", n, textMax)
	}
}

// TestAlphabets holds that both weights have every letter of the catalogue, and
// what the five languages and their currencies are written with.
func TestAlphabets(t *testing.T) {
	all := string(pos.WordsJSON()) + "€£¥$−×–…□ ÄÖÜäöüßÀÂÇÈÉÊËÎÏÔÙÛŸàâçèéêëîïôùûÿœŒáíñóúÁÍÑÓÚ¿¡ãõÃÕ" + space
	for _, w := range []*weight{regular, bold} {
		for _, r := range all {
			if r >= ' ' && !w.has(r) {
				t.Errorf("no letter %q", r)
			}
			g := w.glyph(glyphKey{r: r}, 100, 0)
			if g.dy < -ascent || g.dy+g.h > descent {
				t.Errorf("%q reaches from %d to %d, a line from %d to %d", r, g.dy, g.dy+g.h, -ascent, descent)
			}
		}
	}
}

func TestWrap(t *testing.T) {
	w := func(s string) int { return regular.width(s, 20) }
	for _, test := range []struct {
		name  string
		s     string
		width int
		lines int
		want  []string
		ok    bool
	}{
		{"fits", "one two", w("one two"), 1, []string{"one two"}, true},
		{"one pixel short", "one two", w("one two") - 1, 2, []string{"one", "two"}, true},
		{"no line left", "one two", w("one two") - 1, 1, nil, false},
		{"a word too long", "incomprehensible", w("incomp"), 3, nil, false},
		{"bound to its unit", "12" + space + "sat", w("12" + space), 3, nil, false},
		{"three", "aaa bbb ccc", w("aaa"), 3, []string{"aaa", "bbb", "ccc"}, true},
		{"no lines", "a", 100, 0, nil, false},
	} {
		got, ok := regular.wrap(test.s, 20, test.width, test.lines)
		if ok != test.ok || (ok && !reflect.DeepEqual(got, test.want)) {
			t.Errorf("%s: got %q %v, want %q %v", test.name, got, ok, test.want, test.ok)
		}
	}
}

func TestFit(t *testing.T) {
	for _, test := range []struct {
		name  string
		s     string
		w, h  int
		t     set
		size  int
		lines []string
	}{
		{"as large as asked", "Tea", 500, 100, set{max: 40, min: 10}, 40, []string{"Tea"}},
		{"as large as high", "Tea", 500, 40, set{max: 200, min: 10}, 32, []string{"Tea"}},
		{"balanced", "please wait here a moment", 190, 100, set{max: 20, min: 10, lines: 2}, 20, []string{"please wait", "here a moment"}},
		{"cut at the least size", "Croissant with almonds", 100, 50, set{max: 40, min: 16}, 16, []string{"Croissant…"}},
		{"an amount is never cut", "1.234.567,89" + space + "€", 40, 50, set{max: 40, min: 16, whole: true}, 5, []string{"1.234.567,89" + space + "€"}},
		{"spared", "1 BTC = 58.123,40" + space + "€", 60, 50, set{max: 20, min: 16, spare: true}, 0, nil},
		{"no room", "Tea", 500, 5, set{max: 40, min: 16}, 16, nil},
	} {
		got := regular.fit(test.s, test.w, test.h, test.t)
		if got.size != test.size || !reflect.DeepEqual(got.lines, test.lines) {
			t.Errorf("%s: got %d %q, want %d %q", test.name, got.size, got.lines, test.size, test.lines)
		}
	}
}

// FuzzText sets any text into any box and looks at the pixels around it: not one
// may be touched. Measures are what is tested, so nothing is clipped to the box.
func FuzzText(f *testing.F) {
	for _, s := range append(goods, "jÅ", "ÄÖÜ", "Ǻ", "fjf", "1.234.567,89 €", strings.Repeat("W", 300), "", "…", "\xff", "Ắ") {
		f.Add(s, uint8(80), uint8(40), uint8(30), uint8(3), true)
		f.Add(s, uint8(200), uint8(90), uint8(90), uint8(1), false)
	}
	f.Fuzz(func(t *testing.T, s string, w, h, size, lines uint8, whole bool) {
		c := newCanvas(Glass{Size: image.Pt(320, 320)}, "en")
		box := image.Rect(30, 30, 30+int(w), 30+int(h))
		c.text(box, s, set{bold: whole, max: int(size), min: 9, lines: int(lines), x: align(size % 3), y: align(lines % 3), whole: whole, col: black})
		for y := range 320 {
			for x := range 320 {
				if !image.Pt(x, y).In(box) && c.img.RGBAAt(x, y) != white {
					t.Fatalf("%q in %v at most %d px: pixel %d,%d is touched", s, box, size, x, y)
				}
			}
		}
	})
}

// TestGlyphsAreBounded sets more type than is kept.
func TestGlyphsAreBounded(t *testing.T) {
	c := newCanvas(Glass{Size: image.Pt(2000, 400)}, "en")
	for _, size := range sizes {
		c.text(c.img.Rect, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", set{max: size, col: ink, bold: true})
		c.text(c.img.Rect, "abcdefghijklmnopqrstuvwxyz", set{max: size, col: ink})
	}
	typeset.Lock()
	defer typeset.Unlock()
	sum := 0
	for _, w := range []*weight{regular, bold, monoPlain, monoBold} {
		for _, g := range w.glyphs {
			sum += len(g.mask)
		}
	}
	if sum > glyphMax || sum != glyphBytes {
		t.Errorf("%d bytes of glyphs are kept, %d counted, at most %d allowed", sum, glyphBytes, glyphMax)
	}
}
