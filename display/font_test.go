package display

import (
	"bytes"
	"encoding/binary"
	"image"
	"slices"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// squares is a font of one shape, a square of 800 in an em of 1000, for the letters
// from first to last: a TrueType file with the tables that have to be there (OpenType
// specification 1.9, "Required tables").
func squares(first, last rune) []byte {
	be := func(v ...any) []byte {
		var b bytes.Buffer
		for _, x := range v {
			_ = binary.Write(&b, binary.BigEndian, x)
		}
		return b.Bytes()
	}
	square := be(int16(1), int16(100), int16(0), int16(900), int16(800), // one contour and its box
		uint16(3), uint16(0), // its last point; no instructions
		[]byte{1, 1, 1, 1}, []int16{100, 800, 0, -800}, []int16{0, 0, 800, 0}) // on the curve, and how far in x and y
	if len(square)%2 == 1 {
		square = append(square, 0)
	}
	n := uint16(2)
	tables := map[string][]byte{
		"head": be(uint32(0x10000), uint32(0), uint32(0), uint32(0x5F0F3CF5), uint16(0), uint16(1000), uint64(0), uint64(0),
			int16(0), int16(0), int16(1000), int16(1000), uint16(0), uint16(8), int16(2), int16(1), int16(0)),
		"hhea": be(uint32(0x10000), int16(800), int16(-200), int16(0), uint16(1000), int16(0), int16(0), int16(900), int16(1), int16(0), int16(0), [5]int16{}, n),
		"maxp": be(uint32(0x10000), n, [13]uint16{}),
		"hmtx": be(uint16(1000), int16(100), uint16(1000), int16(100)),
		"loca": be(uint32(0), uint32(0), uint32(len(square))),
		"glyf": square,
		"post": be(uint32(0x30000), uint32(0), int16(0), int16(0), uint32(0), [4]uint32{}),
		"cmap": be(uint16(0), uint16(1), uint16(3), uint16(10), uint32(12), // one table, of format 13: many letters to one glyph
			uint16(12), uint16(0), uint32(16+12*uint32(last-first+1)), uint32(0), uint32(last-first+1)),
	}
	for r := first; r <= last; r++ {
		tables["cmap"] = append(tables["cmap"], be(uint32(r), uint32(r), uint32(1))...)
	}
	names := []string{"cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "post"}
	file := be(uint32(0x10000), uint16(len(names)), uint16(128), uint16(3), uint16(0))
	at := len(file) + 16*len(names)
	var body []byte
	for _, name := range names {
		file = append(file, name...)
		file = append(file, be(uint32(0), uint32(at+len(body)), uint32(len(tables[name])))...)
		body = append(body, tables[name]...)
		body = append(body, make([]byte, -len(body)&3)...)
	}
	return append(file, body...)
}

// TestAddFont holds that letters come from a font that was added, at their size and
// nowhere else, and that those which no font has stay boxes.
func TestAddFont(t *testing.T) {
	t.Cleanup(func() {
		added = nil
		for _, w := range []*weight{regular, bold, monoPlain, monoBold} {
			w.forget()
		}
	})
	if got := regular.clean("抹茶 Latte"); got != "□ Latte" {
		t.Fatalf("before: %q", got)
	}
	for _, script := range [][2]rune{{'一', '鿿'}, {'ก', '๛'}, {'א', 'ת'}} {
		if err := AddFont(bytes.NewReader(squares(script[0], script[0]+200))); err != nil {
			t.Fatal(err)
		}
	}
	if err := AddFont(bytes.NewReader(squares('抹', '茶'))); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{"抹茶 Latte": "抹茶 Latte", "ชา": "ชา", "תה": "תה", "한": "□", "ചായ": "□"} {
		if got := regular.clean(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	for _, w := range []*weight{regular, bold, monoBold} {
		if e := w.extent('茶'); e.advance != w.units || e.left != w.units/10 || e.right != (w.units*9+9)/10 {
			t.Errorf("an em of 1000 and a square of 800 measure %+v of %d", e, w.units)
		}
		if g := w.glyph(glyphKey{r: '茶'}, 100, 0); g.w != 80 || g.h != 80 || g.dx != 10 || g.dy != -80 {
			t.Errorf("at 100 pixels it is drawn in %+v", glyph{w: g.w, h: g.h, dx: g.dx, dy: g.dy})
		}
	}
	v := coffee(t, "en", pos.PhaseIdle)
	v.Shop.Name = "抹茶"
	_, texts := look(v, landscape, t0)
	if x, ok := find(texts, "抹茶"); !ok || x.cut() || x.f.size < 80 {
		t.Errorf("the shop's name is set as %v", texts)
	}
}

// TestAddFontRefuses gives files that are no fonts, and too many that are.
func TestAddFontRefuses(t *testing.T) {
	t.Cleanup(func() { added = nil })
	whole := squares('抹', '抹')
	for name, file := range map[string][]byte{"nothing": nil, "text": []byte("abc"), "half": whole[:len(whole)/2], "no head": bytes.Replace(slices.Clone(whole), []byte("head"), []byte("dead"), 1)} {
		if err := AddFont(bytes.NewReader(file)); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
	for range fontsMax {
		if err := AddFont(bytes.NewReader(whole)); err != nil {
			t.Fatal(err)
		}
	}
	if err := AddFont(bytes.NewReader(whole)); pos.KindOf(err) != pos.Invalid {
		t.Errorf("one more: %v, want Invalid", err)
	}
}

// FuzzAddFont draws letters of files that look like fonts. Nothing may crash.
func FuzzAddFont(f *testing.F) {
	f.Add(squares('抹', '茶'), "抹茶")
	f.Add([]byte("OTTO"), "a")
	f.Fuzz(func(t *testing.T, file []byte, text string) {
		defer func() {
			added = nil
			for _, w := range []*weight{regular, bold, monoPlain, monoBold} {
				w.forget()
			}
		}()
		if AddFont(bytes.NewReader(file)) != nil {
			return
		}
		v := coffee(t, "en", pos.PhaseIdle)
		v.Shop.Name = text
		lookOn(v, Glass{Size: image.Pt(96, 64)}, t0)
	})
}
