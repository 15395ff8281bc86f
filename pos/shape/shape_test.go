package shape

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/shape/shapetest"
)

type glyph = shapetest.Glyph

func fontOf(glyphs ...glyph) *Font {
	f, err := Parse(bytes.NewReader(shapetest.Make(glyphs...)))
	if err != nil {
		panic(err)
	}
	return f
}

// TestMarksDoNotCover: a tone over a vowel stands above it, a vowel below stays below.
func TestMarksDoNotCover(t *testing.T) {
	font := fontOf(shapetest.Solid('น', 500), shapetest.Box('้', 0, -400, 720, -100, 900), shapetest.Box('ี', 0, -400, 720, -100, 900), shapetest.Box('ุ', 500, 200, -300, 300, -50))
	gs := simple(font, []rune("นีุ้"), false, 20)
	if len(gs) != 4 {
		t.Fatalf("%d glyphs", len(gs))
	}
	if gs[1].Y != 0 || gs[2].Y >= 0 || gs[3].Y != 0 {
		t.Errorf("vowel at %v, tone at %v, lower vowel at %v", gs[1].Y, gs[2].Y, gs[3].Y)
	}
	for _, g := range gs[1:] {
		if g.Advance != 0 {
			t.Error("a mark moves the pen")
		}
	}
	if middle := gs[3].X + 5*64; middle > 0 || middle < -10*64 { // its box is 200 to 300 of 500, the letter 10 pixels
		t.Errorf("the lower vowel is %v from the pen", gs[3].X)
	}
}

// TestArabicJoins checks the forms against Unicode's own names: U+FE91 is BEH INITIAL
// FORM, and so on. The letters: beh, alef, lam, yeh, meem.
func TestArabicJoins(t *testing.T) {
	var all []glyph
	for r := rune(0xFE80); r <= 0xFEFC; r++ {
		all = append(all, shapetest.Solid(r, 400))
	}
	font := fontOf(append(all, shapetest.Solid('ب', 400), shapetest.Solid('ا', 400), shapetest.Solid('ل', 400), shapetest.Solid('ـ', 400), shapetest.Box(0x64E, 0, -200, 800, -100, 900))...)
	tests := []struct{ name, in, want string }{
		{"alone", "ب", "\ufe8f"},
		{"first and last", "بب", "\ufe91\ufe90"},
		{"middle", "ببب", "\ufe91\ufe92\ufe90"},
		{"alef joins only backwards", "باب", "\ufe91\ufe8e\ufe8f"},
		{"lam and alef are one", "لا", "\ufefb"},
		{"joined lam and alef", "بلا", "\ufe91\ufefc"},
		{"across a vowel mark", "بَب", "\ufe91\u064e\ufe90"},
		{"a mark parts lam and alef", "لَا", "\ufedf\u064e\ufe8e"},
		{"a space parts words", "ب ب", "\ufe8f \ufe8f"},
		{"tatweel joins", "بـب", "\ufe91ـ\ufe90"},
		{"hamza joins nothing", "بءب", "\ufe8f\ufe80\ufe8f"},
		{"madda", "آ", "\ufe81"},
		{"yeh", "يم", "\ufef3\ufee2"},
		{"heh in the middle", "بهب", "\ufe91\ufeec\ufe90"},
		{"waw", "بوب", "\ufe91\ufeee\ufe8f"},
		{"teh marbuta ends", "بة", "\ufe91\ufe94"},
	}
	for _, tt := range tests {
		if got := string(joined(font, []rune(tt.in))); got != tt.want {
			t.Errorf("%s: %+q, want %+q", tt.name, got, tt.want)
		}
	}
	plain := fontOf(shapetest.Solid('ب', 400))
	if got := string(joined(plain, []rune("بب"))); got != "بب" {
		t.Errorf("a font without forms: %+q", got)
	}
}

// TestVisual writes lines as they are read on paper, from left to right; what runs from
// right to left is in brackets. The rows are those that receipts have.
func TestVisual(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"Latin", "abc 123", "abc 123"},
		{"Arabic", "قهوة", "[قهوة]"},
		{"words keep their order", "قهوة تركية", "[قهوة تركية]"},
		{"number after", "قهوة 2", "2[قهوة ]"},
		{"number between", "قهوة 250 غ", "[ غ]250[قهوة ]"},
		{"decimal number", "قهوة 2.50 غ", "[ غ]2.50[قهوة ]"},
		{"percent", "خصم 10%", "10%[خصم ]"},
		{"after a quantity", "2 x قهوة", "2 x [قهوة]"},
		{"Latin in Arabic", "قهوة XL كبير", "[ كبير]XL[قهوة ]"},
		{"brackets", "قهوة (كبير)", "[قهوة (كبير)]"},
		{"brackets after a quantity", "1 x قهوة (كبير)", "1 x [قهوة (كبير)]"},
		{"Latin in brackets", "1 x قهوة (XL)", "1 x [قهوة] (XL)"},
		{"brackets that do not match", "قهوة (كبير]", "[قهوة (كبير]]"},
		{"full stop at the end", "قهوة.", "[قهوة.]"},
		{"Hebrew", "קפה 3", "3[קפה ]"},
		{"marks stay", "قَهوة", "[قَهوة]"},
		{"Latin first", "Tea شاي 5", "Tea 5[شاي ]"},
		{"nothing", "", ""},
		{"only spaces", "  ", "  "},
	}
	for _, tt := range tests {
		var got strings.Builder
		for _, r := range Visual([]rune(tt.in)) {
			if r.RTL {
				got.WriteString("[" + string(r.Text) + "]")
			} else {
				got.WriteString(string(r.Text))
			}
		}
		if got.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got.String(), tt.want)
		}
	}
}

// TestRightToLeftIsReversed: the first letter stands at the right, brackets are turned.
func TestRightToLeftIsReversed(t *testing.T) {
	font := fontOf(shapetest.Solid('א', 400), shapetest.Solid('ב', 500), shapetest.Box('(', 300, 0, 0, 100, 700), shapetest.Box(')', 300, 200, 0, 300, 700))
	gs := simple(font, []rune("א(ב"), true, 20)
	var order []sfnt.GlyphIndex
	for _, g := range gs {
		order = append(order, g.Index)
	}
	if want := []sfnt.GlyphIndex{font.Index('ב'), font.Index(')'), font.Index('א')}; !slices.Equal(order, want) {
		t.Errorf("glyphs %v, want %v", order, want)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.ttf"), filepath.Join(dir, "bad.ttf")
	if err := os.WriteFile(good, shapetest.Make(shapetest.Solid('茶', 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, []byte("no font"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(good)
	if err != nil || f.Index('茶') == 0 || f.Index('x') != 0 {
		t.Fatalf("%v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, path := range []string{bad, dir, filepath.Join(dir, "none.ttf")} {
		if _, err := Open(path); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", path, err)
		}
	}
}

type readerAt []byte

func (b readerAt) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(b).ReadAt(p, off) }
