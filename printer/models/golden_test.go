package models

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos/shape"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/printertest"
	"github.com/tillwright/tillwright/printer/raster"
)

var (
	update = flag.Bool("update", false, "write the pictures anew")
	fonts  = flag.String("fonts", "", "font files, comma between, for the picture of scripts, which needs them")
)

// greys are the eight shades of the pictures: enough for letters, and small.
var greys = func() color.Palette {
	var p color.Palette
	for i := range 8 {
		p = append(p, color.Gray{Y: uint8(i * 255 / 7)})
	}
	return p
}()

// small makes a picture of few shades.
func small(img *image.Gray) *image.Paletted {
	out := image.NewPaletted(img.Rect, greys)
	for i, v := range img.Pix {
		out.Pix[i] = uint8((int(v)*7 + 127) / 255)
	}
	return out
}

// TestGoldenPictures compares a receipt of every model with the pictures that the README
// shows: what a customer gets, and what a reviewer looks at.
func TestGoldenPictures(t *testing.T) {
	for _, m := range All() {
		d := printer.Layout(printertest.Receipts()["lightning"], m.Columns).WithLogo(printertest.Logo())
		golden(t, m, d, m.Name)
	}
	def, err := ByName("default", Options{})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, def, printer.TestPage(printertest.Shop("en"), def.Columns), "test-page")
	for name, of := range map[string]string{"kitchen": "tm-u220b", "kitchen-part": "tm-t20iii", "kitchen-again": "tm-t20iii", "kitchen-void": "58mm"} {
		m, err := ByName(of, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ticket := printertest.Tickets()[strings.Replace(name, "kitchen", "ticket", 1)]
		ticket.Copies = 1
		golden(t, m, printer.LayoutTicket(ticket, printertest.Shop("en"), m.Columns), name)
	}
}

// TestScripts prints what no code page has, with the fonts named by -fonts. Without any
// there are signs in place of letters, and the columns stand all the same. With fonts and
// -update it writes the picture of the README.
func TestScripts(t *testing.T) {
	text := &raster.Text{}
	for _, path := range strings.FieldsFunc(*fonts, func(r rune) bool { return r == ',' }) {
		f, err := shape.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		text.Fonts = append(text.Fonts, f)
	}
	m, err := ByName("default", Options{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	r := printertest.Receipts()["scripts"]
	r.Lines = slices.Clone(r.Lines)
	for i, name := range []string{"قهوة عربية (كبيرة)", "กาแฟเย็น น้ำตาลน้อย", "抹茶アイス", "Ελληνικός καφές", "Борщ с пампушками", "לחם אחיד 750 גרם", "Crème brûlée"} {
		r.Lines[i].Name = name
	}
	d := printer.Layout(r, m.Columns)
	img, err := m.Draw(d)
	if err != nil {
		t.Fatal(err)
	}
	if *fonts != "" && *update {
		write(t, filepath.Join("..", "pictures", "scripts.png"), small(img))
	}
}

func write(t *testing.T, file string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func golden(t *testing.T, m Model, d printer.Document, name string) {
	t.Helper()
	img, err := m.Draw(d)
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	got := small(img)
	file := filepath.Join("..", "pictures", name+".png")
	if *update {
		write(t, file, got)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := want.(*image.Paletted); !ok || p.Rect != got.Rect || !bytes.Equal(p.Pix, got.Pix) {
		t.Errorf("%s looks otherwise than %s; look, and run make golden", m.Name, file)
	}
}
