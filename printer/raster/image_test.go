package raster

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/qr"
	"github.com/tillwright/tillwright/printer"
)

func grey(w, h int, f func(x, y int) uint8) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetGray(x, y, color.Gray{Y: f(x, y)})
		}
	}
	return img
}

// TestDither: black stays black, white white, and a grey becomes as many dots as it is
// dark, lifted as paper needs it.
func TestDither(t *testing.T) {
	for v, want := range map[uint8][2]int{0: {100, 100}, 255: {0, 0}, 230: {0, 0}, 20: {100, 100}, 128: {30, 40}, 64: {52, 64}, 200: {8, 18}} {
		b := Dither(grey(100, 100, func(int, int) uint8 { return v }), 100)
		if share := inkOf(b) / 100; share < want[0] || share > want[1] {
			t.Errorf("grey %d: %d %% of dots, want %d to %d", v, share, want[0], want[1])
		}
	}
	line := Dither(grey(64, 64, func(x, y int) uint8 {
		if x == y {
			return 0
		}
		return 255
	}), 64)
	for x := range 64 {
		if !line.At(x, x) || line.At(x, x+1) {
			t.Fatalf("a thin line is spoilt at %d", x)
		}
	}
}

func TestDitherSizes(t *testing.T) {
	tests := []struct{ w, h, dots, wantW, wantH int }{
		{100, 50, 384, 100, 50}, {1000, 500, 384, 384, 192}, {384, 384, 384, 384, 384}, {1000, 1, 384, 384, 1}, {100, 5000, 384, 24, 1200}, {0, 10, 384, 0, 0}, {10, 10, 0, 0, 0},
	}
	for _, tt := range tests {
		b := Dither(image.NewGray(image.Rect(0, 0, tt.w, tt.h)), tt.dots)
		if b.Dots != tt.wantW || b.Height != tt.wantH {
			t.Errorf("%d×%d on %d dots: %d×%d, want %d×%d", tt.w, tt.h, tt.dots, b.Dots, b.Height, tt.wantW, tt.wantH)
		}
	}
	moved := grey(40, 40, func(x, y int) uint8 { return uint8(x * 6) }).SubImage(image.Rect(10, 10, 30, 30))
	if b := Dither(moved, 384); b.Dots != 20 || !b.At(0, 0) && inkOf(b) == 0 {
		t.Error("a part of a picture")
	}
	clear := image.NewNRGBA(image.Rect(0, 0, 10, 10)) // transparent black
	if inkOf(Dither(clear, 384)) != 0 {
		t.Error("what is transparent is not paper")
	}
}

// TestDitherIsKept: the same picture is not dithered twice, and another one is.
func TestDitherIsKept(t *testing.T) {
	a, b := grey(8, 8, func(int, int) uint8 { return 0 }), grey(8, 8, func(int, int) uint8 { return 255 })
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if inkOf(Dither(a, 8)) != 64 || inkOf(Dither(b, 8)) != 0 || Dither(a, 4).Dots != 4 {
					t.Error("the wrong picture")
				}
			}
		})
	}
	wg.Wait()
	if x, y := Dither(a, 8), Dither(a, 8); &x.Bits[0] != &y.Bits[0] {
		t.Error("dithered anew")
	}
	Dither(odd{1}, 8) // no key for a map: must not break
}

// odd is an image of a type that cannot be compared.
type odd []int

func (odd) ColorModel() color.Model { return color.GrayModel }
func (odd) Bounds() image.Rectangle { return image.Rect(0, 0, 2, 2) }
func (odd) At(int, int) color.Color { return color.Black }

func TestLogo(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, grey(30, 20, func(x, y int) uint8 { return uint8(x) })); err != nil {
		t.Fatal(err)
	}
	if img, err := Logo(bytes.NewReader(b.Bytes())); err != nil || img.Bounds().Dx() != 30 {
		t.Errorf("%v", err)
	}
	bomb := bytes.Clone(b.Bytes())
	copy(bomb[16:], "\x00\x01\x00\x00\x00\x01\x00\x00") // 65,536 by 65,536
	for name, in := range map[string]string{"nothing": "", "text": "no picture", "half": b.String()[:60], "bomb": string(bomb), "endless": b.String()[:60] + strings.Repeat("x", logoBytes)} {
		if _, err := Logo(strings.NewReader(in)); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzLogo: whatever a merchant names as a logo.
func FuzzLogo(f *testing.F) {
	var b bytes.Buffer
	if err := png.Encode(&b, grey(5, 4, func(x, y int) uint8 { return uint8(x * y) })); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("GIF89a\x01\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		img, err := Logo(bytes.NewReader(in))
		if err != nil || img.Bounds().Dx() > 200 || img.Bounds().Dy() > 200 {
			return
		}
		if d := Dither(img, 100); d.Dots > 100 {
			t.Fatalf("%d dots", d.Dots)
		}
	})
}

// TestBars draws bars and reads them as a scanner does.
func TestBars(t *testing.T) {
	for _, text := range []string{"01-000482", "A", "12345678", "~ !\"#$%&'()", "ABCDEFGHIJKLMNOPQRST"} {
		b, ok := Bars(text, 576)
		if !ok {
			t.Errorf("%q is no bars", text)
			continue
		}
		wide := New(b.Dots+80, b.Height)
		wide.Draw(b, 40, 0)
		img := grey(wide.Dots, wide.Height, func(x, y int) uint8 {
			if wide.At(x, y) {
				return 0
			}
			return 255
		})
		bmp, err := gozxing.NewBinaryBitmapFromImage(img)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := oned.NewCode128Reader().Decode(bmp, nil); err != nil || res.GetText() != text {
			t.Errorf("%q: %v, %v", text, res, err)
		}
	}
	for name, tt := range map[string]struct {
		text string
		dots int
	}{"nothing": {"", 576}, "too long": {strings.Repeat("x", printer.BarcodeMax+1), 576}, "too wide": {"0123456789ABC", 384}, "no ASCII": {"é", 576}, "control": {"\n", 576}} {
		if _, ok := Bars(tt.text, tt.dots); ok {
			t.Errorf("%s: bars", name)
		}
	}
}

func TestQR(t *testing.T) {
	if b, ok := QR("TW1", 384, 6); !ok || b.Dots != 21*6 || b.Height != b.Dots {
		t.Errorf("%d by %d, %v", b.Dots, b.Height, ok)
	}
	if b, ok := QR(strings.Repeat("x", 300), 384, 6); !ok || b.Dots > 384-8*3 || b.Dots%(b.Dots/69) != 0 && b.Dots < 3*69 {
		t.Errorf("%d dots, %v", b.Dots, ok)
	}
	for _, text := range []string{"", strings.Repeat("x", 2000)} {
		if _, ok := QR(text, 384, 6); ok {
			t.Errorf("a code of %d bytes", len(text))
		}
	}
	for text, want := range map[string]int{"": 0, "é": 0, "x": 21, strings.Repeat("x", 14): 21, strings.Repeat("x", 15): 25, strings.Repeat("x", 251): 61, strings.Repeat("x", 252): 0} {
		if got := NativeModules(text); got != want {
			t.Errorf("%d bytes: %d modules, want %d", len(text), got, want)
		}
	}
}

// TestQuietZone: a code leaves four modules of white on each side of it on the paper, for
// which it gives up module after module, and then itself.
func TestQuietZone(t *testing.T) {
	for _, tt := range []struct{ dots, module, want int }{
		{29 * 6, 6, 6}, {29*6 - 1, 6, 5}, {29 * 5, 6, 5}, {29*4 - 1, 6, 3}, {29 * 3, 6, 3}, {29*3 - 1, 6, 0}, {21 * 3, 6, 0}, {384, 4, 4},
	} {
		b, ok := QR("TW1", tt.dots, tt.module) // 21 modules, 29 with the white
		if ok != (tt.want > 0) || b.Dots != 21*tt.want || b.Height != b.Dots {
			t.Errorf("%d dots, modules of %d at most: %d by %d dots, want modules of %d", tt.dots, tt.module, b.Dots, b.Height, tt.want)
		}
	}
}

// TestNativeModules: what a printer will draw is as wide as what another encoder draws of
// the same bytes, to the last one that a version holds and the first that it does not.
func TestNativeModules(t *testing.T) {
	for _, most := range bytesM {
		for _, n := range []int{most, most + 1} {
			text := strings.Repeat("x", n) // small letters are bytes to every encoder
			m, err := qr.Encode(text, qr.M)
			if err != nil {
				t.Fatal(err)
			}
			want := m.Size()
			if n > bytesM[len(bytesM)-1] {
				want = 0
			}
			if got := NativeModules(text); got != want {
				t.Errorf("%d bytes: %d modules, want %d", n, got, want)
			}
		}
	}
}

// TestCalm: no pair of bytes that a printer obeys in real time is left, at any place, and
// no other bytes are touched.
func TestCalm(t *testing.T) {
	for _, tt := range []struct{ name, bits, want string }{
		{"ask", "\x10\x04", "\x18\x04"},
		{"recover", "\x10\x05", "\x18\x05"},
		{"drawer", "\x10\x14\x01\x00", "\x18\x14\x01\x00"},
		{"one after the other", "\x10\x10\x05\x10\x14", "\x10\x18\x05\x18\x14"},
		{"from row to row", "\x00\x10\x04\x00", "\x00\x18\x04\x00"},
		{"at the end", "\x14\x10", "\x14\x10"},
		{"no command", "\x10\x06\x11\x04\x04\x10\x15", "\x10\x06\x11\x04\x04\x10\x15"},
	} {
		b := Bitmap{Dots: 8, Height: len(tt.bits), Bits: []byte(tt.bits)}
		if b.Calm(); string(b.Bits) != tt.want {
			t.Errorf("%s: % x became % x, want % x", tt.name, tt.bits, b.Bits, tt.want)
		}
	}
}

// TestCorrectionIsFree holds that a code on paper has the most correction that its size
// holds: no larger than at level M, and no weaker than it could be.
func TestCorrectionIsFree(t *testing.T) {
	for text, want := range map[string]qr.Level{
		"TW1":                             qr.H,
		strings.Repeat("x", 11):           qr.Q, // ISO/IEC 18004, table 7: 14, 11 and 7 bytes in version 1
		strings.Repeat("x", 14):           qr.M,
		strings.Repeat("x", 20):           qr.Q, // 26, 20, 14 in version 2
		"LNBC" + strings.Repeat("Q", 296): qr.M,
	} {
		b, ok := QR(text, 576, 4)
		m, err := qr.Encode(text, want)
		if !ok || err != nil || b.Dots != 4*m.Size() {
			t.Fatalf("%d bytes: %d dots, want %d modules; %v", len(text), b.Dots, m.Size(), err)
		}
		if least, _ := qr.Encode(text, qr.M); least.Size() != m.Size() {
			t.Errorf("%d bytes: %d modules, %d at level M", len(text), m.Size(), least.Size())
		}
		for y := range m.Size() {
			for x := range m.Size() {
				if b.At(4*x+1, 4*y+1) != m.Dark(x, y) {
					t.Fatalf("%d bytes: it is not the code of level %v", len(text), want)
				}
			}
		}
	}
}

func TestBitmap(t *testing.T) {
	b := New(10, 3)
	b.Set(9, 2)
	b.Set(10, 0)
	b.Set(-1, 0)
	b.Set(0, 3)
	if b.Width() != 2 || !b.At(9, 2) || b.At(10, 2) || b.At(-1, -1) || inkOf(b) != 1 {
		t.Errorf("%+v", b)
	}
	if r := b.Rows(2, 1); r.Height != 1 || !r.At(9, 0) {
		t.Errorf("%+v", r)
	}
	c := b.Clone()
	c.Set(0, 0)
	if b.At(0, 0) {
		t.Error("a clone shares its bytes")
	}
	if z := New(-1, -1); z.Width() != 0 || len(z.Bits) != 0 {
		t.Errorf("%+v", z)
	}
}
