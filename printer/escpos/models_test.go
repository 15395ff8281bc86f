package escpos

import (
	"bytes"
	"image"
	_ "image/png" // of the paper
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/printertest"
)

// TestTable: every row of the table is whole, and no two have one name.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Models() {
		if p.Name == "" || p.Title == "" || seen[p.Name] || p.Columns < 32 || p.Columns > 64 {
			t.Errorf("%+v", p)
		}
		if p.Image != NoImages && (p.Dots%8 != 0 || p.Dots < p.Columns*p.cell() || p.Module < 3) {
			t.Errorf("%s: %d columns on %d dots, modules of %d", p.Name, p.Columns, p.Dots, p.Module)
		}
		if p.NativeQR || p.Auto && p.Answers || p.Queued && !p.Answers {
			t.Errorf("%s: %+v", p.Name, p)
		}
		for i, pg := range p.Pages {
			for _, other := range p.Pages[:i] {
				if pg.N == other.N || pg.Letters == other.Letters {
					t.Errorf("%s: page %d twice", p.Name, pg.N)
				}
			}
		}
		seen[p.Name] = true
	}
	if len(seen) < 17 || !seen["default"] || !seen["safe"] {
		t.Errorf("%d models", len(seen))
	}
}

func TestWith(t *testing.T) {
	p, _ := ByName("tm-t20iii")
	if q := p.With(42, 5, nil); q.Columns != 42 || q.Cell != 13 || q.Drawer != 1 || q.Text != nil {
		t.Errorf("%+v", q)
	}
	if q := p.With(0, 0, nil); q.Columns != p.Columns || q.Drawer != p.Drawer || q.Cell != 0 {
		t.Errorf("%+v", q)
	}
	if p.Slow().NativeQR != true || Default58.Slow().NativeQR {
		t.Error("slow lines")
	}
}

// TestBarsAreRead prints bars by the printer's own command and as dots, and reads them as
// a scanner does.
func TestBarsAreRead(t *testing.T) {
	for _, name := range []string{"tm-t20iii", "58mm", "th230plus"} {
		p, _ := ByName(name)
		for _, text := range []string{"01-000482", "A", "12345678", "x{y}%~ !"} {
			x := printertest.New(t, p.Dots)
			if _, err := x.Write(mustEncode(t, p, printer.Barcode{Text: text})); err != nil {
				t.Fatal(err)
			}
			if got := readBars(t, x); got != text {
				t.Errorf("%s: %q is read as %q", name, text, got)
			}
			if !strings.Contains(x.Text(), text+"\n") {
				t.Errorf("%s: %q is not below its bars:\n%s", name, text, x.Text())
			}
		}
	}
}

func mustEncode(t *testing.T, p Profile, rows ...printer.Row) []byte {
	t.Helper()
	b, err := Encode(printer.Document{Columns: p.Columns, Rows: rows}, p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readBars(t *testing.T, p *paper.Printer) string {
	t.Helper()
	pic, _ := p.PNG()
	img, _, err := image.Decode(bytes.NewReader(pic))
	if err != nil {
		t.Fatal(err)
	}
	bmp, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	res, err := oned.NewCode128Reader().Decode(bmp, nil)
	if err != nil {
		return err.Error()
	}
	if bin, err := exec.LookPath("zbarimg"); err == nil {
		file := filepath.Join(t.TempDir(), "paper.png")
		if err := os.WriteFile(file, pic, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(bin, "-q", "--raw", file).Output()
		if err != nil || strings.TrimSpace(string(out)) != res.GetText() {
			t.Errorf("zbarimg reads %q, %v", out, err)
		}
	}
	return res.GetText()
}

// TestNoBars: what no scanner could read comes out as text.
func TestNoBars(t *testing.T) {
	for name, text := range map[string]string{"too long": strings.Repeat("x", printer.BarcodeMax+1), "too long for 58 mm": strings.Repeat("x", 13), "no ASCII": "é", "real time": "\x10\x04\x01"} {
		x := printertest.New(t, 384)
		if _, err := x.Write(mustEncode(t, Default58, printer.Barcode{Text: text})); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(x.Text(), "[") || strings.TrimSpace(x.Text()) != printer.Clean(text) {
			t.Errorf("%s: %q", name, x.Text())
		}
	}
}

// TestImpact: a printer without images prints what its code pages have, the rest as ?, in
// the sizes that it knows.
func TestImpact(t *testing.T) {
	p, _ := ByName("tm-u220b")
	b := mustEncode(t, p, printer.Line{Text: "Crème 5 €", Style: printer.Style{Bold: true, Wide: true}}, printer.Line{Text: "Кофе 抹茶 é  1.00"}, printer.Picture{Image: printertest.Logo()},
		printer.Code{Text: "TW1 1"}, printer.Barcode{Text: "A-1"}, printer.Beep{}, printer.Cut{})
	for _, never := range []string{"\x1d!", "\x1dv", "\x1b*", "\x1d(", "\x1dk"} {
		if bytes.Contains(b, []byte(never)) {
			t.Errorf("% x is sent", never)
		}
	}
	if !bytes.Contains(b, []byte("\x1b!\x28")) || !bytes.HasSuffix(b, []byte("\x1dVB\x00")) || bytes.Count(b, []byte("\x1bp\x01")) != 3 {
		t.Errorf("% x", b)
	}
	x := printertest.New(t, 400)
	x.Write(b)
	if got := onPaper(x.Text()); strings.Join(got, "|") != "Crème 5 €|Кофе ? ?  ?  1.00|TW1 1|A-1" {
		t.Errorf("on paper %q", got)
	}
}

// TestLostFeed: the line feed that a NT-5890K swallows is sent twice.
func TestLostFeed(t *testing.T) {
	p, _ := ByName("nt-5890k")
	rows := []printer.Row{printer.Line{Text: "Ω"}, printer.Line{}, printer.Line{Text: "x"}}
	x := printertest.New(t, 384)
	x.SetLostFeed(true)
	x.SetClone(true)
	p.Pages = nil
	x.Write(mustEncode(t, p, rows...))
	if x.Text() != "[image 16x30]\n\nx\n" {
		t.Errorf("%q", x.Text())
	}
}

// TestAuto: a printer that answers no DLE EOT reports by itself.
func TestAuto(t *testing.T) {
	p := ASB80
	d := printer.Document{Columns: 48, Rows: []printer.Row{printer.Line{Text: "x"}, printer.Code{Text: "TW1"}, printer.Cut{}}}
	x := deaf(t)
	if st, err := p.Print(x, d, printer.Run{}); err != nil || st.Health() != printer.OK {
		t.Errorf("%+v, %v", st, err)
	}
	tests := []struct {
		name, answer string
		want         printer.Status
	}{
		{"well", "\x10\x00\x00\x0f", printer.Status{Known: true, Drawer: printer.Low}},
		{"drawer", "\x14\x00\x00\x0f", printer.Status{Known: true, Drawer: printer.High}},
		{"cover", "\x38\x00\x00\x0f", printer.Status{Known: true, Drawer: printer.Low, Offline: true, Cover: true}},
		{"knife", "\x18\x08\x00\x0f", printer.Status{Known: true, Drawer: printer.Low, Offline: true, Cutter: true}},
		{"fatal", "\x18\x20\x00\x0f", printer.Status{Known: true, Drawer: printer.Low, Offline: true, Fault: true}},
		{"hot", "\x18\x40\x00\x0f", printer.Status{Known: true, Drawer: printer.Low, Offline: true, Hot: true}},
		{"end", "\x18\x00\x0f\x0f", printer.Status{Known: true, Drawer: printer.Low, Offline: true, PaperOut: true, PaperLow: true}},
		{"near end", "\x10\x00\x03\x0f", printer.Status{Known: true, Drawer: printer.Low, PaperLow: true}},
		{"silent", "", printer.Status{Stalled: true}},
		{"half", "\x10\x00", printer.Status{Stalled: true}},
		{"what looks like a frame and is none", "\x10\xff\x10\x00\x00\x0f", printer.Status{Known: true, Drawer: printer.Low}},
	}
	for _, tt := range tests {
		sc := &script{}
		sc.pending = tt.answer
		if got, err := p.Status(sc); got != tt.want || err != nil {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
}

// deaf returns a machine that reports by GS a alone.
func deaf(t *testing.T) *paper.Printer {
	x := printertest.New(t, 576)
	x.SetDeaf(true)
	return x
}

// TestAutoAtEveryFault ends the roll at every line and opens the cover at every byte: a
// paper that is not out is never called printed, whatever the printer has room for, and an
// idle printer's trouble is known by what it said when it began.
func TestAutoAtEveryFault(t *testing.T) {
	d := printer.Layout(printertest.Receipts()["cash"], 48)
	whole := deaf(t)
	if _, err := ASB80.Print(whole, d, printer.Run{}); err != nil {
		t.Fatal(err)
	}
	check := func(what string, at int, x *paper.Printer) {
		st, err := ASB80.Print(x, d, printer.Run{})
		if out := x.Text() == whole.Text(); out != (err == nil) && !(out && x.Empty()) || err != nil && st.Trouble() == "" {
			t.Errorf("%s at %d: %+v, %v, all on paper: %v", what, at, st, err, out)
		}
	}
	for lines := range 60 {
		x := deaf(t)
		x.SetBuffer(64 << 10)
		x.SetPaper(lines, false)
		check("roll ends", lines, x)
	}
	for at := 0; at < 3000; at += 7 {
		x := deaf(t)
		x.SetBuffer(64 << 10)
		x.OpenCoverAfter(at)
		check("cover", at, x)
	}
}

// TestAutoIdle: what an idle printer said when its cover was opened is known at the next
// look, it is stuck for who looks later, and well at once when it says so.
func TestAutoIdle(t *testing.T) {
	x := deaf(t)
	look := func(want string) {
		t.Helper()
		if st, err := ASB80.Status(x); st.Trouble() != want || err != nil {
			t.Errorf("%+v, %v, want %q", st, err, want)
		}
	}
	look("")
	x.SetCover(true)
	look("printer_cover")
	look("printer_stalled")
	x.SetCover(false)
	look("")
	x.SetPaper(0, true)
	if err := ASB80.Kick(x, true); err != nil || x.Drawer() != 1 || x.Waiting() != 0 {
		t.Errorf("%v, drawer %d: %d bytes wait for the roll", err, x.Drawer(), x.Waiting())
	}
	for _, answers := range []bool{true, false} { // its last word is read already
		was := x.Drawer()
		if err := ASB80.Kick(x, answers); err != nil || x.Drawer() != was+1 {
			t.Errorf("%v, drawer %d", err, x.Drawer())
		}
	}
	if x.SetPaper(paper.Endless, false); x.Drawer() != 3 {
		t.Errorf("drawer %d: it opens by itself", x.Drawer())
	}
}

// TestStripsStayShort: however large the logo, no model is sent more in one command than it
// takes.
func TestStripsStayShort(t *testing.T) {
	large := image.NewGray(image.Rect(0, 0, 1500, 2000))
	for _, p := range Models() {
		pieces, err := p.pieces(printer.Document{Columns: 32, Rows: []printer.Row{printer.Picture{Image: large}, printer.Cut{}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range pieces {
			if c.Image && len(c.Data) > header+stripBytes {
				t.Errorf("%s: a piece of %d bytes", p.Name, len(c.Data))
			}
		}
	}
}

// TestStripRows: no strip is higher than its printer takes, however few bytes it has: 128
// rows, which clones take, or fewer where the profile says so. Nothing of the image is lost.
func TestStripRows(t *testing.T) {
	tower := image.NewGray(image.Rect(0, 0, 16, 300)) // black, two bytes a row
	for _, p := range Models() {
		most, head := 128, gsRaster+"\x02\x00"
		switch {
		case p.Image == Graphics:
			most, head = 64, "\x01\x01\x31\x10\x00" // its width in dots
		case p.Image != Raster:
			continue
		}
		got, err := Encode(printer.Document{Columns: p.Columns, Rows: []printer.Row{printer.Picture{Image: tower}}}, p)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, strip := range strings.Split(string(got), head)[1:] {
			n := int(strip[0]) + int(strip[1])<<8
			if rows += n; n > most {
				t.Errorf("%s: a strip of %d rows, it takes %d", p.Name, n, most)
			}
		}
		if rows != 300 {
			t.Errorf("%s: %d rows of 300", p.Name, rows)
		}
	}
}

// TestPageNumbers: makers number code pages differently, and a wrong number prints other
// letters without a word. The numbers are escpos-printer-db's (tag v26.07.27), written down
// a second time; those of Epson's newer printers TestOutsidePages compares.
func TestPageNumbers(t *testing.T) {
	for _, tt := range []struct{ model, text, want string }{
		{"tm-t20iii", "€", "\x1bt\x13\xd5"},
		{"tm-m30iii", "€", "\x1bt\x10\x80"}, // 19 is another page there
		{"tm-m30iii", "λ", "\x1bt\x2f\xeb"},
		{"th230plus", "€", "\x1bt\x06\xd5"},
		{"th230plus", "“", "\x1bt\x08\x93"},
		{"th230plus", "Ł", "\x1bt\x02\x9d"},
		{"th230plus", "Ж", "\x1bt\x07\x86"},
		{"th230plus", "ğ", "\x1bt\x10\xf0"},
		{"rp326", "€", "\x1bt\x13\xd5"},
		{"rp326", "Ж", "\x1bt\x07\x86"},
		{"rp326", "ѓ", "\x1bt\x06\x83"},
		{"rp326", "ğ", "\x1bt\x20\xf0"},
		{"xp-n160ii", "ѓ", "\x1bt\x17\x83"},
		{"xp-n160ii", "λ", "\x1bt\x07\xeb"},
		{"pos-5890", "ѓ", "\x1bt\x49\x83"},
		{"pos-5890", "λ", "\x1bt\x5a\xeb"},
		{"pos-5890", "ğ", "\x1bt\x5b\xf0"},
		{"zj-5870", "€", "\x1bt\x10\x80"}, // it has no 858
		{"tm-u220b", "Ж", "\x1bt\x11\x86"},
	} {
		p, _ := ByName(tt.model)
		got, err := Encode(printer.Document{Columns: 32, Rows: []printer.Row{printer.Line{Text: tt.text}}}, p)
		if err != nil || !strings.HasSuffix(string(got), tt.want+"\n") {
			t.Errorf("%s: %s is % x, %v, want % x", tt.model, tt.text, got, err, tt.want)
		}
	}
}
