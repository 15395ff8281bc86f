//go:build !arm || shaping

package shape

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/image/math/fixed"
)

// samples are texts in scripts that change with their neighbours, and the Debian
// fonts that tests use for them.
var samples = []struct {
	name, font, text string
	rtl              bool
}{
	{"Devanagari", "/usr/share/fonts/truetype/lohit-devanagari/Lohit-Devanagari.ttf", "मसाला चाय क्षत्रिय हिन्दी र्कि", false},
	{"Tamil", "/usr/share/fonts/truetype/lohit-tamil/Lohit-Tamil.ttf", "காபி கொத்து ஸ்ரீ", false},
	{"Khmer", "/usr/share/fonts/truetype/khmeros/KhmerOS.ttf", "កាហ្វេ ស្រ្តី ខ្មែរ", false},
	{"Thai", "/usr/share/fonts/truetype/tlwg/Garuda.ttf", "น้ำชา กาแฟ ที่นี่ ปี่", false},
	{"Arabic", "/usr/share/fonts/opentype/fonts-hosny-amiri/Amiri-Regular.ttf", "قهوة تُركيّة لا إله", true},
	{"Arabic, one letter", "/usr/share/fonts/opentype/fonts-hosny-amiri/Amiri-Regular.ttf", "ع", true},
}

func sampleFont(t *testing.T, path string) *Font {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there; make tools installs it", path)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestAgainstHarfBuzz compares with HarfBuzz itself: the same glyphs in the same
// places, to a font unit.
func TestAgainstHarfBuzz(t *testing.T) {
	hb, err := exec.LookPath("hb-shape")
	if err != nil {
		t.Skip("hb-shape is not there; make tools installs it")
	}
	for _, tt := range samples {
		t.Run(tt.name, func(t *testing.T) {
			f := sampleFont(t, tt.font)
			dir := "ltr"
			if tt.rtl {
				dir = "rtl"
			}
			out, err := exec.Command(hb, "--direction="+dir, "--no-glyph-names", "--output-format=json", tt.font, tt.text).Output()
			if err != nil {
				t.Fatal(err)
			}
			var want []struct{ G, Ax, Dx, Dy int }
			if err := json.Unmarshal(out, &want); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			em := 1 << 12 // so that a unit is more than rounding
			got := f.Shape([]rune(tt.text), tt.rtl, em)
			if len(got) != len(want) {
				t.Fatalf("%d glyphs, want %d\n%v\n%s", len(got), len(want), got, out)
			}
			unit := func(v fixed.Int26_6) int { return int(nearest(int64(v)*int64(f.Units()), int64(em*64))) }
			for i, g := range got {
				w := want[i]
				if int(g.Index) != w.G || unit(g.Advance) != w.Ax || unit(g.X) != w.Dx || unit(-g.Y) != w.Dy {
					t.Errorf("glyph %d: %d %d,%d,%d, want %+v", i, g.Index, unit(g.Advance), unit(g.X), unit(-g.Y), w)
				}
			}
		})
	}
}

// TestKnown: a build with the fonts' rules knows every script.
func TestKnown(t *testing.T) {
	for _, tt := range samples {
		for _, r := range tt.text {
			if !Known(r) || (r != ' ' && !Joined(r)) {
				t.Errorf("%s: %U", tt.name, r)
			}
		}
	}
}

// FuzzShape shapes with fonts that somebody broke. Nothing may crash or hang.
func FuzzShape(f *testing.F) {
	for _, tt := range samples {
		if b, err := os.ReadFile(tt.font); err == nil && len(b) < 100_000 { // larger ones are slow to change
			f.Add(b, tt.text, 0, byte(0))
			f.Add(b, tt.text, len(b)/3, byte(0xff))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, text string, at int, flip byte) {
		if at >= 0 && at < len(b) {
			b[at] ^= flip
		}
		font, err := Parse(readerAt(b))
		if err != nil {
			return
		}
		for _, rtl := range []bool{false, true} {
			for _, g := range font.Shape([]rune(text), rtl, 20) {
				font.Outline(g.Index, 20)
			}
		}
	})
}
