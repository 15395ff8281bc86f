package display

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"testing"

	"github.com/tillwright/tillwright/pos/shape"
)

// scripts are names of drinks as shops write them, and the Debian fonts that have them.
var scripts = []struct{ font, text string }{
	{"/usr/share/fonts/truetype/lohit-devanagari/Lohit-Devanagari.ttf", "मसाला चाय (छोटी) 2"},
	{"/usr/share/fonts/truetype/lohit-tamil/Lohit-Tamil.ttf", "காபி கொத்து"},
	{"/usr/share/fonts/truetype/khmeros/KhmerOS.ttf", "កាហ្វេទឹកដោះគោ"},
	{"/usr/share/fonts/truetype/tlwg/Garuda.ttf", "น้ำชาเย็น ที่นี่ XL"},
	{"/usr/share/fonts/opentype/fonts-hosny-amiri/Amiri-Regular.ttf", "قهوة تُركيّة (كبيرة) 250 غ"},
}

func withScripts(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		added = nil
		for _, w := range []*weight{regular, bold, monoPlain, monoBold} {
			w.forget()
		}
	})
	for _, s := range scripts {
		f, err := os.Open(s.font)
		if err != nil {
			t.Skipf("%s is not there; make tools installs it", s.font)
		}
		t.Cleanup(func() { _ = f.Close() })
		if err := AddFont(f); err != nil {
			t.Fatal(err)
		}
	}
}

// TestScripts draws each script: nothing becomes a box, ink is where it was measured,
// and what is shaped is narrower than its letters one by one.
func TestScripts(t *testing.T) {
	if !shape.Full {
		t.Skip("this build sets letters one by one")
	}
	withScripts(t)
	picture := newCanvas(Glass{Size: image.Pt(620, 64*len(scripts))}, "en")
	for i, s := range scripts {
		if got := regular.clean(s.text); got != s.text {
			t.Errorf("%q becomes %q", s.text, got)
		}
		for _, size := range []int{12, 24, 40, 64} {
			wide := regular.width(s.text, size)
			c := newCanvas(Glass{Size: image.Pt(wide+80, 3*size)}, "en")
			c.line(regular, c.img.Rect, image.Pt(40, size), s.text, size, color.RGBA{A: 0xff})
			left, right := inkAcross(c.img)
			if left < 38 || right > 40+wide+2 || left > 40+size/3 || right < 40+wide-size/3 {
				t.Errorf("%q at %d: ink from %d to %d, measured 40 to %d", s.text, size, left, right, 40+wide)
			}
		}
		picture.line(regular, picture.img.Rect, image.Pt(12, 64*i+6), s.text, 36, color.RGBA{A: 0xff})
	}
	const path = "testdata/scripts.png"
	if *update {
		if err := os.WriteFile(path, encode(picture.img), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if n := different(picture.img, want); n > 0 {
		t.Errorf("%d pixels differ from %s", n, path)
	}
}

// inkAcross returns the first and last column that is not white.
func inkAcross(img *image.RGBA) (left, right int) {
	left, right = -1, -1
	for x := range img.Rect.Dx() {
		for y := range img.Rect.Dy() {
			if img.RGBAAt(x, y).R < 0x80 {
				if left < 0 {
					left = x
				}
				right = x
				break
			}
		}
	}
	return left, right
}
