package raster

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
)

// solid is a letter that fills its cell from the line to the top, as wide as its advance.
func solid(r rune, advance int) madeGlyph { return madeGlyph{r, advance, 0, 0, advance, 700} }

var box = Box{Dots: 576, Gap: 6}

// TestColumns holds the promise of the package: what stands in cell n of the text stands
// at dot 12·n, whatever the script beside it.
func TestColumns(t *testing.T) {
	arabic := []madeGlyph{{' ', 300, 0, 0, 0, 0}}
	for r := rune(0x621); r <= 0x64A; r++ {
		arabic = append(arabic, solid(r, 450))
	}
	text := &Text{Fonts: []*Font{fontOf(arabic...), fontOf(solid('茶', 1000), solid('ア', 1000), solid('น', 500))}}
	for _, name := range []string{"Kaffee", "قهوة تركية", "抹茶ア茶", "นนน", "Кофе", "عصير 2", "wide 茶 قهوة x"} {
		name = printer.Clean(text.Readable(name, func(r rune) bool { return r < 0x7F }))
		line := name + strings.Repeat(" ", 40-printer.Cells(name)) + "H"
		b := text.Line(line, printer.Style{}, box)
		_, right := extent(b)
		if want := 41 * CellWidth; right >= want || right < want-CellWidth {
			t.Errorf("%q: the amount ends at dot %d, want the cell before %d\n%s", name, right, want, show(b))
		}
		for x := 30 * CellWidth; x < 40*CellWidth; x++ { // between the columns
			for y := range b.Height {
				if b.At(x, y) {
					t.Fatalf("%q: ink at dot %d\n%s", name, x, show(b))
				}
			}
		}
	}
}

// TestLineIsAsHighAsItMust: marks need room, and letters without them take none.
func TestLineIsAsHighAsItMust(t *testing.T) {
	font := fontOf(solid('น', 500), madeGlyph{'้', 0, -400, 750, -100, 950}, madeGlyph{'ี', 0, -400, 720, -100, 900}, madeGlyph{'ุ', 0, -300, -300, -200, -50})
	text := &Text{Fonts: []*Font{font}}
	tests := []struct {
		in   string
		s    printer.Style
		high int // at least; exactly when it is no more than a line and its gap
	}{
		{"abc", printer.Style{}, 30}, {"", printer.Style{}, 30}, {"abc", printer.Style{Tall: true}, 54}, {"น", printer.Style{}, 30}, {"น้", printer.Style{}, 30},
		{"นี้", printer.Style{}, 31}, {"นี้", printer.Style{Tall: true}, 60},
	}
	for _, tt := range tests {
		b := text.Line(tt.in, tt.s, box)
		if b.Height < tt.high || tt.high == 30 && b.Height != 30 {
			t.Errorf("%q: %d rows, want %d\n%s", tt.in, b.Height, tt.high, show(b))
		}
	}
}

// TestMarksDoNotCover: a tone over a vowel stands above it, a vowel below stays below.
func TestMarksDoNotCover(t *testing.T) {
	font := fontOf(solid('น', 500), madeGlyph{'้', 0, -400, 720, -100, 900}, madeGlyph{'ี', 0, -400, 720, -100, 900}, madeGlyph{'ุ', 500, 200, -300, 300, -50})
	gs := simple{}.Shape(font, []rune("นีุ้"), false, em)
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
	var all []madeGlyph
	for r := rune(0xFE80); r <= 0xFEFC; r++ {
		all = append(all, solid(r, 400))
	}
	font := fontOf(append(all, solid('ب', 400), solid('ا', 400), solid('ل', 400), solid('ـ', 400), madeGlyph{0x64E, 0, -200, 800, -100, 900})...)
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
	plain := fontOf(solid('ب', 400))
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
		for _, r := range visual([]rune(tt.in)) {
			if r.rtl {
				got.WriteString("[" + string(r.text) + "]")
			} else {
				got.WriteString(string(r.text))
			}
		}
		if got.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got.String(), tt.want)
		}
	}
}

// TestRightToLeftIsReversed: the first letter stands at the right, brackets are turned.
func TestRightToLeftIsReversed(t *testing.T) {
	font := fontOf(solid('א', 400), solid('ב', 500), madeGlyph{'(', 300, 0, 0, 100, 700}, madeGlyph{')', 300, 200, 0, 300, 700})
	gs := simple{}.Shape(font, []rune("א(ב"), true, em)
	var order []sfnt.GlyphIndex
	for _, g := range gs {
		order = append(order, g.Index)
	}
	if want := []sfnt.GlyphIndex{font.Index('ב'), font.Index(')'), font.Index('א')}; !slices.Equal(order, want) {
		t.Errorf("glyphs %v, want %v", order, want)
	}
}

// TestReadable: what no font has becomes visible, in as many cells.
func TestReadable(t *testing.T) {
	text := &Text{Fonts: []*Font{fontOf(solid('茶', 1000))}}
	keep := func(r rune) bool { return r < 0x7F }
	for in, want := range map[string]string{"茶 x": "茶 x", "抹 x": "?  x", "Кофе": "Кофе", "ก้": "?", "": ""} {
		if got := text.Readable(in, keep); got != want || printer.Cells(got) != printer.Cells(in) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	var none *Text
	if none.Has('茶') || !none.Has('é') {
		t.Error("the built-in face")
	}
}

// TestStyles: wide is twice as wide, tall twice as high, bold has more ink and no more
// room.
func TestStyles(t *testing.T) {
	var text *Text
	plain := text.Line("HHH", printer.Style{}, box)
	wide := text.Line("HHH", printer.Style{Wide: true}, box)
	tall := text.Line("HHH", printer.Style{Tall: true}, box)
	bold := text.Line("HHH", printer.Style{Bold: true}, box)
	if plain.Dots != 36 || wide.Dots != 72 || tall.Height != 54 || bold.Dots != 36 || inkOf(bold) <= inkOf(plain) {
		t.Errorf("%d, %d, %d dots, %d rows, ink %d and %d", plain.Dots, wide.Dots, bold.Dots, tall.Height, inkOf(plain), inkOf(bold))
	}
	if cell := text.Line("HHH", printer.Style{}, Box{Dots: 576, Cell: 13}); cell.Dots != 39 || cell.Height != CellHeight {
		t.Errorf("cells of 13 dots: %d by %d", cell.Dots, cell.Height)
	}
	if cut := text.Line(strings.Repeat("H", 100), printer.Style{}, box); cut.Dots != 576 {
		t.Errorf("%d dots on paper of 576", cut.Dots)
	}
}

func inkOf(b Bitmap) int {
	n := 0
	for y := range b.Height {
		for x := range b.Dots {
			if b.At(x, y) {
				n++
			}
		}
	}
	return n
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.ttf"), filepath.Join(dir, "bad.ttf")
	if err := os.WriteFile(good, makeFont(solid('茶', 1000)), 0o600); err != nil {
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

// FuzzFont: a damaged font is an error or draws nothing, and never breaks the till.
func FuzzFont(f *testing.F) {
	whole := makeFont(solid('茶', 1000), madeGlyph{'a', 500, 10, 0, 400, 500})
	f.Add(whole, "茶a")
	for _, n := range []int{0, 12, 100, len(whole) / 2, len(whole) - 3} {
		f.Add(whole[:n], "茶")
	}
	f.Fuzz(func(t *testing.T, b []byte, line string) {
		font, err := Parse(bytes.NewReader(b))
		if err != nil {
			return
		}
		r := []rune(line)
		text := &Text{Fonts: []*Font{font}}
		text.Line(printer.Clean(string(r[:min(len(r), 48)])), printer.Style{}, box)
	})
}

// FuzzLine: no text leaves its box, and visual loses no letter.
func FuzzLine(f *testing.F) {
	f.Add("قهوة (2) XL   5.00", true)
	f.Add("น้ำ  抹茶 \u0301x", false)
	f.Add("א1ב2ג", true)
	f.Fuzz(func(t *testing.T, line string, wide bool) {
		line = printer.Clean(line)
		var n int
		for _, r := range visual([]rune(line)) {
			n += len(r.text)
		}
		if n != len([]rune(line)) {
			t.Fatalf("%q: %d letters", line, n)
		}
		if len(line) > 400 {
			return
		}
		b := (*Text)(nil).Line(line, printer.Style{Wide: wide}, Box{Dots: 384})
		if b.Dots > 384 || len(b.Bits) != b.Width()*b.Height || b.Height > CellHeight+2*headroom {
			t.Fatalf("%q: %d by %d", line, b.Dots, b.Height)
		}
	})
}
