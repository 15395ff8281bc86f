package raster

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos/shape"
	"github.com/tillwright/tillwright/pos/shape/shapetest"
	"github.com/tillwright/tillwright/printer"
)

var box = Box{Dots: 576, Gap: 6}

// TestColumns holds the promise of the package: what stands in cell n of the text stands
// at dot 12·n, whatever the script beside it.
func TestColumns(t *testing.T) {
	arabic := []shapetest.Glyph{shapetest.Box(' ', 300, 0, 0, 0, 0)}
	for r := rune(0x621); r <= 0x64A; r++ {
		arabic = append(arabic, shapetest.Solid(r, 450))
	}
	text := &Text{Fonts: []*shape.Font{fontOf(arabic...), fontOf(shapetest.Solid('茶', 1000), shapetest.Solid('ア', 1000), shapetest.Solid('น', 500))}}
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
	font := fontOf(shapetest.Solid('น', 500), shapetest.Box('้', 0, -400, 750, -100, 950), shapetest.Box('ี', 0, -400, 720, -100, 900), shapetest.Box('ุ', 0, -300, -300, -200, -50))
	text := &Text{Fonts: []*shape.Font{font}}
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

// TestByHand prints scripts that are written by hand in a column of their own: what
// stands behind keeps its place.
func TestByHand(t *testing.T) {
	if !shape.Full {
		t.Skip("this build sets letters one by one")
	}
	f, err := shape.Open("/usr/share/fonts/truetype/lohit-devanagari/Lohit-Devanagari.ttf")
	if err != nil {
		t.Skip("the font is not there; make tools installs it")
	}
	t.Cleanup(func() { _ = f.Close() })
	text := &Text{Fonts: []*shape.Font{f}}
	const name = "2 x मसाला चाय"
	if got := text.Readable(name, func(rune) bool { return false }); got != name {
		t.Fatalf("%q becomes %q", name, got)
	}
	line := name + strings.Repeat(" ", 40-printer.Cells(name)) + "H"
	b := text.Line(line, printer.Style{}, box)
	if _, right := extent(b); right >= 41*CellWidth || right < 40*CellWidth {
		t.Errorf("the amount ends at dot %d\n%s", right, show(b))
	}
	alone := text.Line(name, printer.Style{}, box)
	letters := (&Text{Fonts: text.Fonts}).Line("क्ष", printer.Style{}, box)
	apart := text.Line("क ष", printer.Style{}, box)
	if inkOf(alone) == 0 || inkOf(letters) == 0 || inkOf(letters) >= inkOf(apart) {
		t.Errorf("ink %d, one letter of two %d, two letters %d\n%s", inkOf(alone), inkOf(letters), inkOf(apart), show(letters))
	}
}

// TestReadable: what no font has becomes visible, in as many cells.
func TestReadable(t *testing.T) {
	text := &Text{Fonts: []*shape.Font{fontOf(shapetest.Solid('茶', 1000))}}
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

// FuzzFont: a damaged font is an error or draws nothing, and never breaks the till.
func FuzzFont(f *testing.F) {
	whole := shapetest.Make(shapetest.Solid('茶', 1000), shapetest.Box('a', 500, 10, 0, 400, 500))
	f.Add(whole, "茶a")
	for _, n := range []int{0, 12, 100, len(whole) / 2, len(whole) - 3} {
		f.Add(whole[:n], "茶")
	}
	f.Fuzz(func(t *testing.T, b []byte, line string) {
		font, err := shape.Parse(bytes.NewReader(b))
		if err != nil {
			return
		}
		r := []rune(line)
		text := &Text{Fonts: []*shape.Font{font}}
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
		for _, r := range shape.Visual([]rune(line)) {
			n += len(r.Text)
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
