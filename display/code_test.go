package display

import (
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/qr"
)

// payloads are what the till shows, and invoices that just fill a code and just do
// not. (Package qr reads every length back.)
func payloads() []string {
	out := []string{
		"bitcoin:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq?amount=0.00020340",
		"ethereum:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913@8453/transfer?address=0x71C7656EC7ab88b098defB751B7401B5f6d8976F&uint256=18310000",
		"solana:mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN?amount=18.31&spl-token=EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v&reference=82ZJ7nbGpixjeDCmEhUcmwXYfvurzAgGdtSMuHnUgyny&label=Caf%C3%A9",
		"https://shop.example/offpay/1#ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
		strings.ToLower(invoice(300)),
	}
	for _, full := range []int{20, 38, 61, 90, 122, 154, 178, 221, 262, 311, 366, 419, 483, 528, 600, 656} {
		out = append(out, invoice(full), invoice(full+1)) // ISO/IEC 18004, table 7: what 1-M to 16-M hold
	}
	return out
}

func dueWith(t testing.TB, payload string) pos.View {
	v := coffee(t, "en", pos.PhaseDue)
	v.Customer.QR = payload
	return v
}

// TestCodesAreRead draws payloads on panels and reads the whole pictures back with
// two readers that we did not write. zbar, unlike gozxing, needs two pixels a
// module, as phones need some.
func TestCodesAreRead(t *testing.T) {
	dir := t.TempDir()
	var files, want []string
	for i, payload := range payloads() {
		if i%stride != 0 {
			continue
		}
		size := []image.Point{landscape, {240, 320}}[i%2]
		f, _ := look(dueWith(t, payload), size, t0)
		if f.code.Empty() {
			continue // TestCodeOrWords holds when that may be
		}
		if got := zxing(f); got != payload {
			t.Errorf("%d characters on %v: gozxing reads %q", len(payload), size, got)
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.png", i))
		if err := os.WriteFile(path, encode(f.img), 0o600); err != nil {
			t.Fatal(err)
		}
		files, want = append(files, path), append(want, payload)
	}
	t.Run("zbarimg", func(t *testing.T) { zbar(t, files, want) })
}

// zxing looks for the code in the whole picture and, for its finder misses one now
// and then that zbar and phones see, at the code alone.
func zxing(f frame) string {
	text := ""
	for _, try := range []struct {
		img  image.Image
		hint gozxing.DecodeHintType
	}{{f.img, gozxing.DecodeHintType_TRY_HARDER}, {f.img.SubImage(f.code), gozxing.DecodeHintType_PURE_BARCODE}} {
		bits, err := gozxing.NewBinaryBitmapFromImage(try.img)
		if err != nil {
			return err.Error()
		}
		got, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{try.hint: true})
		if err == nil {
			return got.GetText()
		}
		text = err.Error()
	}
	return text
}

// zbar reads all files with one run of zbarimg (Debian: zbar-tools), which writes
// a line for each code that it sees.
func zbar(t *testing.T, files, want []string) {
	path, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg is not installed; make test does that")
	}
	args := append([]string{"--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"}, files...)
	out, err := exec.CommandContext(t.Context(), path, args...).Output()
	got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if err != nil || len(got) != len(want) {
		t.Errorf("zbarimg reads %d of %d codes: %v", len(got), len(want), err)
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s, %d characters: zbarimg reads %q", filepath.Base(files[i]), len(want[i]), got[i])
			return
		}
	}
}

// TestCodeIsPure looks at each pixel of codes: black or white and nothing between,
// modules that are whole squares, four of white around it, and 30 mm a side or
// more on a 7" panel.
func TestCodeIsPure(t *testing.T) {
	const inch7 = 133 // pixels an inch of 800×480 on 7"
	for i, payload := range payloads() {
		if i%stride != 0 {
			continue
		}
		f, _ := look(dueWith(t, payload), landscape, t0)
		if f.code.Dx() != f.code.Dy() || !f.code.In(f.img.Rect) {
			t.Fatalf("%d characters: the code stands at %v", len(payload), f.code)
		}
		m, px := moduleOf(t, payload, f)
		if px < moduleGood {
			t.Errorf("%d characters: %d pixels a module", len(payload), px)
		}
		if mm := m.Size() * px * 254 / inch7 / 10; mm < 30 {
			t.Errorf("%d characters: the code is %d mm wide, want 30 without its quiet zone", len(payload), mm)
		}
		for y := f.code.Min.Y; y < f.code.Max.Y; y++ {
			for x := f.code.Min.X; x < f.code.Max.X; x++ {
				want := white
				if m.Dark((x-f.code.Min.X)/px-qr.Quiet, (y-f.code.Min.Y)/px-qr.Quiet) {
					want = black
				}
				if got := f.img.RGBAAt(x, y); got != want {
					t.Fatalf("%d characters: pixel %d,%d is %v, want %v", len(payload), x, y, got, want)
				}
			}
		}
	}
}

// moduleOf measures a module by the quiet zone above the corner of the code, and
// returns the code that should stand there.
func moduleOf(t *testing.T, payload string, f frame) (qr.Matrix, int) {
	t.Helper()
	margin := 0
	for f.img.RGBAAt(f.code.Min.X+margin, f.code.Min.Y+margin) == white {
		margin++
	}
	px := margin / qr.Quiet
	if margin%qr.Quiet != 0 || px == 0 || f.code.Dx()%px != 0 {
		t.Fatalf("a quiet zone of %d pixels around a code of %d", margin, f.code.Dx())
	}
	m, err := qr.Best(payload, qr.L, f.code.Dx()/px)
	if err != nil {
		t.Fatal(err)
	}
	return m, px
}

// TestCodeOrWords holds that a code is drawn where two pixels a module fit, and
// that words stand where they do not: an unreadable code is worse than none.
func TestCodeOrWords(t *testing.T) {
	for _, test := range []struct {
		size   image.Point
		length int
		px     int // a module; 0: words
	}{
		{landscape, 296, 7}, {landscape, 546, 5}, {image.Pt(480, 800), 296, 7}, {image.Pt(480, 320), 296, 4},
		{image.Pt(320, 240), 296, 3}, {image.Pt(240, 320), 296, 3}, {image.Pt(240, 240), 296, 3}, {image.Pt(320, 240), 546, 2},
		{image.Pt(160, 128), 296, 2}, {image.Pt(128, 64), 296, 0}, {image.Pt(250, 122), 296, 2}, {image.Pt(1, 1), 296, 0},
		{image.Pt(122, 250), 296, 2}, {image.Pt(121, 250), 296, 0}, {image.Pt(80, 160), 296, 0}, {image.Pt(135, 240), 296, 2}, {image.Pt(240, 240), 546, 2},
		{image.Pt(160, 128), 40, 3}, {image.Pt(1280, 400), 296, 5}, {image.Pt(400, 300), 296, 3},
	} {
		payload := invoice(test.length)
		f, texts := look(dueWith(t, payload), test.size, t0)
		px := 0
		if !f.code.Empty() {
			_, px = moduleOf(t, payload, f)
		}
		if px != test.px {
			t.Errorf("%d characters on %v: %d pixels a module, want %d", test.length, test.size, px, test.px)
		}
		if _, said := find(texts, "too small for the code"); test.px == 0 && test.size.Y > 99 && !said {
			t.Errorf("%d characters on %v: nothing is said: %v", test.length, test.size, texts)
		}
	}
	if f, texts := look(dueWith(t, strings.Repeat("x", 5000)), landscape, t0); !f.code.Empty() || len(texts) == 0 {
		t.Errorf("a payload that no code holds: code at %v", f.code)
	}
}
