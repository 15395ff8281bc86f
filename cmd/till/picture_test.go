package main

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/lightningnetwork/lnd/zpay32"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// devices is a shop with one panel of each kind, and a printer of 58 mm.
const devices = small + `
[printer]
connect = "paper"
model = "pos-5890"
logo = "logo.png"
[[display.panel]]
driver = "framebuffer"
rotation = 90
[[display.panel]]
driver = "mipi"
model = "gc9a01"
dc = "GPIO25"
backlight = "GPIO18"
[[display.panel]]
driver = "epaper"
model = "4.2"
bus = "SPI0.1"
dc = "GPIO5"
reset = "GPIO17"
busy = "GPIO24"
[[display.panel]]
driver = "oled"
[[display.panel]]
driver = "pole"
port = "serial:///dev/ttyUSB0?baud=9600"
code_page = "cp858"
`

// writeDevices writes that shop and returns its configuration's name.
func writeDevices(t *testing.T) string {
	t.Helper()
	path := write(t, "till.toml", devices)
	picturesAt(t, filepath.Dir(path))
	return path
}

// drawn runs a command that draws, and returns the picture.
func drawn(t *testing.T, args ...string) image.Image {
	t.Helper()
	name := filepath.Join(t.TempDir(), "out.png")
	good(t, append(args, name)...)
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// read returns what an outside reader makes of the code in img; "" when there is none.
func read(t *testing.T, img image.Image) string {
	t.Helper()
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return ""
	}
	return got.GetText()
}

// TestPaperCommand draws papers of several printers. Goal: what is drawn can be
// read, and is as wide as the printer's paper.
func TestPaperCommand(t *testing.T) {
	file := writeDevices(t)
	const code = "TW1 01-000482 913 3FA9C1D2E4B5F60718293A4B5C6D7E8F"
	for _, x := range []struct {
		name string
		args []string
		wide int // 384 or 576 dots and the edges of the paper
		want string
	}{
		{"configured", nil, 432, code},
		{"another", []string{"-model", "tm-t20iii"}, 624, code},
		{"Star", []string{"--model=tsp100"}, 624, code},
		{"test page", []string{"-page"}, 432, "Tillwright test page"},
	} {
		t.Run(x.name, func(t *testing.T) {
			img := drawn(t, append([]string{"paper", "--config", file}, x.args...)...)
			if img.Bounds().Dx() != x.wide {
				t.Errorf("%v wide", img.Bounds())
			}
			if got := read(t, img); got != x.want {
				t.Errorf("reads %q", got)
			}
			if !hasLogo(img) {
				t.Error("no logo on top")
			}
		})
	}
	out := filepath.Join(t.TempDir(), "out.png")
	good(t, "paper", out, "-config", file, "-model", "80mm") // flags behind the word
	plain := write(t, "till.toml", small)
	good(t, "paper", "-config", plain, out)
	for _, args := range [][]string{
		{"paper", "-config", file}, {"paper", "-config", file, out, out}, {"paper", "-config", file, "-model", "tm-t20", out},
		{"paper", "-config", file, filepath.Join(out, "x")}, {"paper", "-config", file + "x", out},
	} {
		if _, err := try(t, args...); err == nil {
			t.Errorf("till %v is let through", args)
		}
	}
	if _, err := try(t, "paper", "-config", file, "-model", "tm-t88ivv", out); err == nil || !strings.Contains(err.Error(), `did you mean "tm-t88iv"?`) {
		t.Errorf("got %v", err)
	}
}

// hasLogo looks for the black square of 64 × 32 dots in the middle of the top.
func hasLogo(img image.Image) bool {
	x, run := img.Bounds().Dx()/2, 0
	for y := range 120 {
		if r, _, _, _ := img.At(x, y).RGBA(); r >= 0x8000 {
			run = 0
			continue
		}
		if run++; run >= 32 {
			return true
		}
	}
	return false
}

// TestScreenshotCommand draws every panel. Goal: each has its own size, the code can
// be read where the panel carries one, and nothing is opened: none of them is there.
func TestScreenshotCommand(t *testing.T) {
	file := writeDevices(t)
	for _, x := range []struct {
		panel string
		size  image.Point
		code  bool
	}{
		{"1", image.Pt(480, 800), true}, {"2", image.Pt(240, 240), true}, {"3", image.Pt(400, 300), true}, {"4", image.Pt(128, 64), false}, {"5", image.Pt(240, 48), false},
	} {
		t.Run(x.panel, func(t *testing.T) {
			img := drawn(t, "screenshot", "--config", file, "-panel", x.panel)
			if img.Bounds().Size() != x.size {
				t.Errorf("%v", img.Bounds())
			}
			if got := read(t, img); (got == invoice(sampleInvoice)) != x.code {
				t.Errorf("reads %q", got)
			}
			if paid := drawn(t, "screenshot", "--config", file, "-panel", x.panel, "-phase", "paid"); read(t, paid) != "" || same(img, paid) {
				t.Error("paid looks like due")
			}
		})
	}
	img := drawn(t, "screenshot", "--config", write(t, "till.toml", small), "-size", "320x240")
	if img.Bounds().Size() != image.Pt(320, 240) || read(t, img) != invoice(sampleInvoice) {
		t.Errorf("the browser's picture is %v", img.Bounds())
	}
	fonts := write(t, "till.toml", small+"[display]\nfonts = [\"mono.ttf\"]\n")
	picturesAt(t, filepath.Dir(fonts))
	drawn(t, "screenshot", "--config", fonts)
	for _, p := range phases {
		drawn(t, "screenshot", "--config", file, "-phase", string(p))
	}
	out := filepath.Join(t.TempDir(), "out.png")
	for panel, small := range map[string]bool{"1": false, "2": false, "3": false, "4": true, "5": true} { // what cannot be shown is said
		if said := good(t, "screenshot", "--config", file, "-panel", panel, out); strings.Contains(said, "a payment's code") != small {
			t.Errorf("of panel %s it says %q", panel, said)
		}
	}
	for _, args := range [][]string{
		{}, {out, out}, {out, "-panel", "6"}, {out, "-panel", "0"}, {out, "-phase", "dew"}, {out, "-size", "800"}, {out, "-size", "0x9"}, {out, "-size", "99999x1"},
	} {
		if _, err := try(t, append([]string{"screenshot", "-config", file}, args...)...); err == nil {
			t.Errorf("till screenshot %v is let through", args)
		}
	}
}

func same(a, b image.Image) bool {
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if a.At(x, y) != b.At(x, y) {
				return false
			}
		}
	}
	return true
}

// TestScreenshotPaysNobody: the code of a picture must not be one that a wallet pays.
func TestScreenshotPaysNobody(t *testing.T) {
	c, err := loadConfig(write(t, "till.toml", small))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sampleOf(c)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.view(pos.PhaseDue)
	if err != nil {
		t.Fatal(err)
	}
	if v.Customer.Link != "" || v.Customer.Quantity != s.quantity.String() || !(display.Glass{Size: browserSize}).Carries() {
		t.Errorf("got %+v", v.Customer)
	}
	if _, err := zpay32.Decode(strings.ToLower(v.Customer.QR), &chaincfg.MainNetParams); err == nil {
		t.Error("a wallet can pay it")
	}
}

// TestPrinterOfModel sells on a till whose printer is a Star with a logo. Goal: model,
// logo and drawer of the configuration reach the paper.
func TestPrinterOfModel(t *testing.T) {
	dir, node := t.TempDir(), lndtest.New(t, lndtest.Options{TCP: true})
	file := writeShop(t, dir, node.Connection())
	text := strings.Replace(demo, "columns = 42", "model = \"mc-print2\"\nlogo = \"logo.png\"\ndrawer = 5", 1)
	picturesAt(t, dir)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	x, c, _ := runShop(t, file)
	faults := make(chan string, 100)
	x.paper.OnFault(func(s string) { faults <- s })
	c.found()
	cash := c.ring("ESP")
	c.do("POST", "/v1/sales/"+string(cash)+"/payments", object{"tender": "cash", "given": money(500)}, nil)
	c.phase(pos.PhaseChange)
	if got := x.paperText(t, 1); !strings.HasPrefix(strings.TrimSpace(got), "[image") {
		t.Errorf("no logo on top:\n%s", got)
	}
	if x.paper.Drawer() != 1 || x.paper.Picture().Rect.Dx() != 432 {
		t.Errorf("the drawer opened %d times; the paper is %v", x.paper.Drawer(), x.paper.Picture().Rect)
	}
	x.paper.OnFault(func(string) {})
	close(faults)
	for s := range faults {
		t.Errorf("a byte that the model does not know: %s", s)
	}
}
