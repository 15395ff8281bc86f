package models

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/printertest"
)

var update = flag.Bool("update", false, "write the pictures anew")

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
	kitchen, err := ByName("tm-u220b", Options{})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, kitchen, printer.LayoutTicket(printertest.Tickets()["ticket"], printertest.Shop("en"), kitchen.Columns), "kitchen")
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
		var b bytes.Buffer
		enc := png.Encoder{CompressionLevel: png.BestCompression}
		if err := enc.Encode(&b, got); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
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
