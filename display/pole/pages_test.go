package pole

import (
	"testing"
	"unicode"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// outside are the same pages, written by somebody else.
var outside = map[string]*charmap.Charmap{
	"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp852": charmap.CodePage852,
	"cp858": charmap.CodePage858, "cp866": charmap.CodePage866, "cp1252": charmap.Windows1252,
}

// TestPages compares the pages, byte for byte and letter for letter, with those that
// golang.org/x/text has.
func TestPages(t *testing.T) {
	for name, want := range outside {
		p := pages[name]
		for b := 0x20; b < 0x100; b++ {
			if got := p.runeOf(byte(b)); got != want.DecodeByte(byte(b)) {
				t.Errorf("%s: %#x is %q, want %q", name, b, got, want.DecodeByte(byte(b)))
			}
		}
		for r := rune(0x20); r < 0x10000; r++ {
			b, ok := want.EncodeRune(r)
			if got, known := p.byteOf(r); r != 0x7F && r != unicode.ReplacementChar && (known != ok || known && got != b) {
				t.Errorf("%s: %q is %#x %v, want %#x %v", name, r, got, known, b, ok)
			}
		}
	}
}

// TestBare compares letters without their accents with Unicode's decompositions.
func TestBare(t *testing.T) {
	for r, want := range bare {
		if d := []rune(norm.NFD.String(string(r))); d[0] != want || len(d) < 2 {
			t.Errorf("%q without its accents is %q, not %q", r, d[0], want)
		}
	}
	for r := rune(0xC0); r < 0x500; r++ {
		if d := []rune(norm.NFD.String(string(r))); len(d) > 1 && unicode.In(d[0], unicode.Latin, unicode.Greek, unicode.Cyrillic) && d[0] < 0x500 && bare[r] != d[0] && !unicode.In(d[0], unicode.Lm) {
			if d[0] != 0x1B7 && d[0] != 0x292 && d[0] != 0x3D2 { // ezh and a Greek symbol: on no page
				t.Errorf("%q without its accents is %q, not %q", r, d[0], bare[r])
			}
		}
	}
}
