package escpos

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/printertest"
)

// picture is the one that outside.mjs gives to the others.
func picture() image.Image {
	img := image.NewGray(image.Rect(0, 0, 40, 40))
	for y := range 40 {
		for x := range 40 {
			if !printertest.OutsidePicture(x, y) {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return img
}

// TestOutside compares with independent encoders, where they and we say the same thing.
// They end lines with LF CR and select a code page before ASCII; we do neither, and our
// line feeds are taken out of what is compared.
func TestOutside(t *testing.T) {
	out := printertest.Outside(t, "\n\r", "\x1bt\x00")
	bold, large, tall := printer.Style{Bold: true}, printer.Style{Wide: true, Tall: true}, printer.Style{Tall: true}
	native := func(module int) func(*Profile) {
		return func(p *Profile) { p.NativeQR, p.Module = true, module }
	}
	none := func(*Profile) {}
	tests := []struct {
		outside string
		change  func(*Profile)
		rows    []printer.Row
	}{
		{"esc-pos/bold", none, []printer.Row{printer.Line{Text: "A", Style: bold}, printer.Line{Text: "b"}}},
		{"esc-pos/large", none, []printer.Row{printer.Line{Text: "W", Style: large}, printer.Line{Text: "w"}}},
		{"esc-pos/tall", none, []printer.Row{printer.Line{Text: "T", Style: tall}, printer.Line{Text: "t"}}},
		{"esc-pos/drawer 1", none, []printer.Row{printer.Pulse{}}},
		{"esc-pos/drawer 2", func(p *Profile) { p.Drawer = 1 }, []printer.Row{printer.Pulse{}}},
		{"esc-pos/qr 3 LNBC1", native(3), []printer.Row{printer.Code{Text: "LNBC1"}}},
		{"esc-pos/qr 6 LNBC1", native(6), []printer.Row{printer.Code{Text: "LNBC1"}}},
		{"esc-pos/qr 6 TW1 01-000482 913 3F", native(6), []printer.Row{printer.Code{Text: "TW1 01-000482 913 3FA9C1D2E4B5F60718293A4B5C6D7E8F"}}},
		{"esc-pos/qr 6 xxxxxxxxxxxxxxxxxxxx", native(6), []printer.Row{printer.Code{Text: strings.Repeat("x", 250)}}},
		{"esc-pos/bars 1", func(p *Profile) { p.Dots = 384; p.Columns = 32 }, []printer.Row{printer.Barcode{Text: "01-000482"}}},
		{"esc-pos/bars 2", none, []printer.Row{printer.Barcode{Text: "01-000482"}}},
		{"esc-pos/raster", none, []printer.Row{printer.Picture{Image: picture()}}},
		{"esc-pos/columns", func(p *Profile) { p.Image = Columns }, []printer.Row{printer.Picture{Image: picture()}}},
	}
	for _, tt := range tests {
		p, _ := ByName("tm-t20iii")
		tt.change(&p)
		b, err := Encode(printer.Document{Columns: 32, Rows: tt.rows}, p)
		want, ok := out[tt.outside]
		if !ok || err != nil {
			t.Fatalf("%s: %v, %v", tt.outside, ok, err)
		}
		if got := strings.ReplaceAll(string(b), "\n", ""); !strings.Contains(got, strings.ReplaceAll(want, "\n", "")) {
			t.Errorf("%s: they say\n% x\nwe say\n% x", tt.outside, want, b)
		}
	}
	if !strings.HasPrefix(out["esc-pos/init"], escInit+fsKanji) {
		t.Errorf("they begin with % x", out["esc-pos/init"])
	}
}

// TestOutsidePages compares the numbers of code pages and the bytes of letters.
func TestOutsidePages(t *testing.T) {
	out := printertest.Outside(t, "\n\r")
	samples := map[string]string{
		"cp437": "Çüéâäß±½", "cp850": "ÁÂÀðØ×¾", "cp858": "€ÁÂÀØ", "cp852": "ŁłőűŽžČč", "cp860": "ãõÁÊÔ", "cp863": "ÂÊÏÛè", "cp865": "Ø£¤", "cp866": "Борщ Ёё",
		"windows1250": "Łódź €", "windows1251": "Борщ €", "windows1252": "“€” Ž", "windows1253": "Ελλάδα €", "windows1254": "İşğ €", "windows1257": "ąčęė €",
	}
	p, _ := ByName("tm-t20iii")
	for name, text := range samples {
		want := out["esc-pos/page "+name]
		var got string
		for _, pg := range p.Pages {
			if strings.EqualFold(strings.Replace(pg.Letters.Name, "CP125", "windows125", 1), name) {
				one := p
				one.Pages = []Page{pg}
				_, b, ok := one.native(text, 0)
				if !ok {
					t.Errorf("%s has not all of %q", name, text)
				}
				got = escPage + string([]byte{pg.N}) + b
			}
		}
		if got != want {
			t.Errorf("%s: they say % x, we say % x", name, want, got)
		}
	}
}
