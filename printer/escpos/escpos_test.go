package escpos

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/printertest"
	"github.com/tillwright/tillwright/printer/raster"
)

var profiles = []Profile{Default80, Default58, Safe}

// onPaper returns the lines of text that a document leaves on paper; pictures and
// cuts are left out.
func onPaper(text string) []string {
	var out []string
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		if l != "" && !strings.HasPrefix(l, "[") && !strings.Contains(l, "cut") && !strings.HasPrefix(l, ". ") {
			out = append(out, l)
		}
	}
	return out
}

// TestPaperSaysWhatTheDocumentSays prints every receipt on a printer that knows
// the manual, and reads the paper. Lines that go out as images are compared by
// their number; TestScripts looks at them.
func TestPaperSaysWhatTheDocumentSays(t *testing.T) {
	for name, r := range printertest.Receipts() {
		for _, pr := range profiles {
			p := printertest.New(t, pr.Dots)
			d := printer.Layout(r, pr.Columns)
			st, err := pr.Print(p, d, printer.Run{})
			if err != nil || st.Known != pr.Answers {
				t.Fatalf("%s, %s: %+v, %v", name, pr.Name, st, err)
			}
			var want []string
			images := 0
			for _, l := range onPaper(d.Text()) {
				if _, _, ok := pr.native(pr.readable(l), 0); ok {
					want = append(want, pr.readable(l))
				} else {
					images++
				}
			}
			got := onPaper(p.Text())
			if name == "huge" { // the paper keeps its last part
				got, want = got[len(got)-100:], want[len(want)-100:]
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s: on paper\n%s\nwant\n%s", name, pr.Name, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if n := strings.Count(p.Text(), "[image"); n < images {
				t.Errorf("%s, %s: %d images on paper, want %d lines as images", name, pr.Name, n, images)
			}
			if p.Waiting() != 0 {
				t.Errorf("%s, %s: %d bytes wait in the printer", name, pr.Name, p.Waiting())
			}
			if cut := strings.Contains(p.Text(), "cut"); cut != pr.Cutter {
				t.Errorf("%s, %s: cut %v", name, pr.Name, cut)
			}
		}
	}
}

// TestBytes holds the encoding of a small paper, read off the manual.
func TestBytes(t *testing.T) {
	d := printer.Document{Columns: 32, Rows: []printer.Row{
		printer.Pulse{}, printer.Line{Text: "5 €", Style: printer.Style{Bold: true, Tall: true}},
		printer.Line{Text: "é"}, printer.Line{Text: "plain  "}, printer.Line{Text: "≥"}, printer.Feed{Lines: 2}, printer.Line{}, printer.Cut{},
	}}
	want := "\x1b@\x1c.\x1bR\x00" + "\x1bp\x00\x19\xfa" + "\x1d!\x01\x1bE\x01" + "\x1bt\x13" + "5 \xd5\n" +
		"\x1d!\x00\x1bE\x00" + "\x82\n" + "plain\n" + "\x1bt\x00\xf2\n" + "\n\n" + "\n"
	for _, tt := range []struct {
		p   Profile
		cut string
	}{{Default80, "\x1dVB\x00"}, {Default58, "\n\n\n\n"}} {
		got, err := Encode(d, tt.p)
		if err != nil || string(got) != want+tt.cut {
			t.Errorf("%s: got %q, %v, want %q", tt.p.Name, got, err, want+tt.cut)
		}
	}
}

// TestNativeQR compares with the bytes of an independent encoder
// (receipt-printer-encoder 4.0.1, for "LNBC1" at level M, cell 4).
func TestNativeQR(t *testing.T) {
	p := Default58
	p.NativeQR = true
	got, err := Encode(printer.Document{Columns: 32, Rows: []printer.Row{printer.Code{Text: "LNBC1"}}}, p)
	want := "\x1d(k\x04\x00\x31\x41\x32\x00\x1d(k\x03\x00\x31\x43\x04\x1d(k\x03\x00\x31\x45\x31" +
		"\x1d(k\x08\x00\x31\x50\x30LNBC1\x1d(k\x03\x00\x31\x51\x30"
	if err != nil || !strings.Contains(string(got), want) {
		t.Errorf("got % x, %v", got, err)
	}
	for name, text := range map[string]string{"empty": "", "too long": strings.Repeat("x", nativeMax+2), "no ASCII": "ü", "control": "\x10\x14\x01"} {
		got, err := Encode(printer.Document{Columns: 32, Rows: []printer.Row{printer.Code{Text: text}}}, p)
		if err != nil || strings.Contains(string(got), gsQR) {
			t.Errorf("%s: % x, %v", name, got, err)
		}
	}
}

// TestNativeQRFits: the printer says nothing when a code of its own does not fit the paper,
// so its modules shrink until it does, quiet zone and all, and below the smallest module
// it is text.
func TestNativeQRFits(t *testing.T) {
	for _, tt := range []struct {
		bytes, dots, module, want int // want: dots of a module; 0 is no code
	}{{250, 384, 8, 5}, {250, 384, 4, 4}, {250, 576, 16, 8}, {14, 576, 16, 16}, {250, 240, 8, 3}, {250, 200, 8, 0}} {
		p := Default58
		p.NativeQR, p.Dots, p.Module, p.Columns, p.Image = true, tt.dots, tt.module, 16, NoImages
		got, err := Encode(printer.Document{Columns: 16, Rows: []printer.Row{printer.Code{Text: strings.Repeat("x", tt.bytes)}}}, p)
		if err != nil {
			t.Fatal(err)
		}
		size := "\x1d(k\x03\x00\x31\x43" + string([]byte{byte(tt.want)})
		if has := strings.Contains(string(got), gsQR); has != (tt.want > 0) || has && !strings.Contains(string(got), size) {
			t.Errorf("%+v: % x", tt, got[:40])
		}
	}
}

func TestWrongProfile(t *testing.T) {
	d := printer.Layout(printertest.Receipts()["cash"], 48)
	for name, p := range map[string]Profile{"none": {}, "too narrow for its columns": {Columns: 48, Dots: 384}, "narrower than the paper": Default58} {
		begun := false
		_, err := p.Print(printertest.New(t, 576), d, printer.Run{Begin: func() error { begun = true; return nil }})
		if pos.KindOf(err) != pos.Invalid || begun {
			t.Errorf("%s: begun %v, %v", name, begun, err)
		}
	}
}

// TestPaperOut empties the roll at every line in turn. Print must say so each
// time: a receipt that the shop believes in and the customer never got is a
// dispute.
func TestPaperOut(t *testing.T) {
	for _, pr := range []Profile{Default80, Default58} {
		d := printer.Layout(printertest.Receipts()["cash"], pr.Columns)
		for left := 0; ; left++ {
			p := printertest.New(t, pr.Dots)
			p.SetPaper(left, false)
			begun := false
			st, err := pr.Print(p, d, printer.Run{Begin: func() error { begun = true; return nil }})
			if whole := strings.Contains(p.Text(), "Thank you!"); err == nil {
				if !whole {
					t.Fatalf("%s: paper ended after %d lines and Print believed it", pr.Name, left)
				}
				break
			}
			if st.Trouble() != "printer_paper" || pos.KindOf(err) != pos.Unavailable || begun != (left > 0) {
				t.Errorf("%s: paper ended after %d lines: %+v, begun %v, %v", pr.Name, left, st, begun, err)
			}
			if left > 200 {
				t.Fatal("the receipt never fits the roll")
			}
		}
	}
}

// TestPaperOutOneWay does the same with a printer that never answers and holds
// little: all that tells is that it takes no more bytes.
func TestPaperOutOneWay(t *testing.T) {
	d := printer.Layout(printertest.Receipts()["huge"], 32)
	p := printertest.New(t, 384)
	p.SetOneWay(true)
	p.SetPaper(100, false)
	st, err := Default58.Print(p, d, printer.Run{})
	if err == nil || !st.Stalled || st.Known {
		t.Errorf("%+v, %v", st, err)
	}
	p.SetPaper(0, false)
	p.SetBuffer(64 << 10)
	if st, err := Default58.Print(p, printer.Layout(printertest.Receipts()["cash"], 32), printer.Run{}); err != nil || st.Known {
		t.Errorf("unknown must print and stay unknown: %+v, %v", st, err)
	}
}

// TestStatusBeforeImages: an image is never begun on a printer that cannot end it.
func TestStatusBeforeImages(t *testing.T) {
	p := printertest.New(t, 576)
	rows := []printer.Row{printer.Line{Text: "one"}, printer.Code{Text: "TW1"}, printer.Cut{}}
	pieces := 0
	run := printer.Run{Between: func(io.ReadWriter) error {
		if pieces++; pieces == 2 { // the code is next
			p.SetCover(true)
		}
		return nil
	}}
	st, err := Default80.Print(p, printer.Document{Columns: 48, Rows: rows}, run)
	if st.Trouble() != "printer_cover" || err == nil {
		t.Errorf("%+v, %v", st, err)
	}
	if p.SetCover(false); p.Waiting() != 0 || strings.Contains(p.Text(), "image") {
		t.Errorf("%d bytes wait, paper %q", p.Waiting(), p.Text())
	}
}

func TestRunErrors(t *testing.T) {
	d := printer.Layout(printertest.Receipts()["cash"], 48)
	oops := errors.New("oops")
	for name, run := range map[string]printer.Run{
		"begin": {Begin: func() error { return oops }}, "between": {Between: func(io.ReadWriter) error { return oops }},
	} {
		p := printertest.New(t, 576)
		if _, err := Default80.Print(p, d, run); !errors.Is(err, oops) || p.Text() != "" {
			t.Errorf("%s: %v, paper %q", name, err, p.Text())
		}
	}
}

var dlePair = regexp.MustCompile("\x10[\x04\x05\x14]")

// FuzzEncode: whatever a document says, the printer obeys nothing but the manual,
// opens no drawer, and no real-time command hides in the bytes.
func FuzzEncode(f *testing.F) {
	f.Add("Espresso", "TW1 01-000482", true, false)
	f.Add("\x1bp\x00\x19\xfa", "\x10\x14\x01\x00\x01", false, true)
	f.Add("Łóżko \x10\x04\x01 € Ω é", strings.Repeat("x", 3000), true, true)
	f.Add("\u0085\u009b\u00ad\xff", "", false, false)
	f.Fuzz(func(t *testing.T, text, code string, bold, wide bool) {
		s := printer.Style{Bold: bold, Wide: wide, Tall: bold != wide}
		for _, native := range []bool{false, true} {
			for _, pr := range profiles {
				pr.NativeQR = native
				cols := pr.Columns
				if wide {
					cols /= 2
				}
				line := []rune(printer.Clean(text))
				d := printer.Document{Columns: pr.Columns, Rows: []printer.Row{
					printer.Line{Text: string(line[:min(len(line), cols)]), Style: s}, printer.Code{Text: code}, printer.Rule{}, printer.Cut{},
				}}
				b, err := Encode(d, pr)
				if err != nil {
					t.Fatal(err)
				}
				if at := dlePair.FindIndex(b); at != nil {
					t.Fatalf("% x in % x", b[at[0]:at[1]], b)
				}
				p := printertest.New(t, pr.Dots)
				if _, err := p.Write(b); err != nil || p.Drawer() != 0 || p.Waiting() != 0 {
					t.Fatalf("drawer %d, %d bytes wait, %v", p.Drawer(), p.Waiting(), err)
				}
				if !strings.Contains(p.Text(), strings.Repeat("-", pr.Columns)) {
					t.Fatalf("the rule is not on the paper: %q", p.Text())
				}
			}
		}
	})
}

// FuzzStrips: no image whatever sends one of the pairs that printers obey, and no
// strip is larger than Reset can fill up.
func FuzzStrips(f *testing.F) {
	f.Add([]byte{0x10, 0x04, 0x10, 0x10, 0x14, 0x10, 0x05}, 3)
	f.Add([]byte{0x08, 0x02, 0x08, 0x08}, 1)
	f.Add([]byte("\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0) // 10 04 in columns
	f.Fuzz(func(t *testing.T, bits []byte, width int) {
		width = 1 + min(max(width, 0), 71)
		for kind := Raster; kind <= Graphics; kind++ {
			b := raster.New(width*8, len(bits)/width)
			copy(b.Bits, bits)
			e := encoder{p: Default80}
			e.p.Image = kind
			e.image(b)
			p := printertest.New(t, 576)
			for _, c := range e.Pieces() {
				if string(c.Data) == escLoose { // behind the last band
					continue
				}
				if dlePair.Match(c.Data) || len(c.Data) > header+stripBytes || !c.Image {
					t.Fatalf("%d: % x", kind, c.Data)
				}
				if _, err := p.Write(c.Data); err != nil || p.Waiting() != 0 {
					t.Fatalf("%d: %d bytes wait, %v", kind, p.Waiting(), err)
				}
			}
		}
	})
}

// TestReset breaks a paper off at every byte and wants the next one whole: no byte
// of it may be eaten by what the printer still waits for.
func TestReset(t *testing.T) {
	d := printer.Document{Columns: 32, Rows: []printer.Row{
		printer.Line{Text: "Łódź", Style: printer.Style{Bold: true}}, printer.Code{Text: "TW1"}, printer.Line{Text: "é"}, printer.Cut{},
	}}
	b, err := Encode(d, Default58)
	if err != nil {
		t.Fatal(err)
	}
	next := printer.Document{Columns: 32, Rows: []printer.Row{printer.Line{Text: "next é"}, printer.Cut{}}}
	for n := range b {
		p := paper.New(384) // not strict: half a command is no command
		c := &printertest.Cable{Printer: p, Left: n}
		if _, err := c.Write(b); err == nil {
			t.Fatal("the cable did not break")
		}
		before := p.Text()
		if err := Default58.Reset(p); err != nil {
			t.Fatal(err)
		}
		if _, err := Default58.Print(p, next, printer.Run{}); err != nil {
			t.Fatal(err)
		}
		if got := onPaper(strings.TrimPrefix(p.Text(), before)); len(got) == 0 || got[len(got)-1] != "next é" || p.Drawer() != 0 {
			t.Fatalf("broken at byte %d: then %q, drawer %d", n, got, p.Drawer())
		}
	}
}

// TestResetOfLongestStrip: the printer may have all of the longest strip to come,
// and even part of its header.
func TestResetOfLongestStrip(t *testing.T) {
	e := encoder{p: Default80}
	e.image(raster.New(576, stripRows))
	next := printer.Document{Columns: 48, Rows: []printer.Row{printer.Line{Text: "next"}, printer.Cut{}}}
	for n := 1; n <= header+1; n++ {
		p := paper.New(576)
		_, _ = p.Write(e.Pieces()[0].Data[:n])
		if err := Default80.Reset(p); err != nil {
			t.Fatal(err)
		}
		if _, err := Default80.Print(p, next, printer.Run{}); err != nil || !strings.Contains(p.Text(), "next\n") {
			t.Errorf("after %d bytes: %v, %q", n, err, p.Text())
		}
	}
}

func TestKick(t *testing.T) {
	pin5 := Default80
	pin5.Drawer = 1
	p := printertest.New(t, 576)
	for i, pr := range []Profile{Default80, pin5, Safe} {
		if err := pr.Kick(p, i > 0); err != nil || p.Drawer() != i+1 {
			t.Errorf("%d: drawer %d, %v", i, p.Drawer(), err)
		}
	}
	p.SetPaper(0, true)
	if err := Default80.Kick(p, true); err != nil || p.Drawer() != 4 {
		t.Errorf("without paper: drawer %d, %v", p.Drawer(), err)
	}
	p.SetPaper(paper.Endless, false)
	if p.Drawer() != 4 {
		t.Error("the drawer opened when the roll was changed")
	}
}

// TestScripts: a line is native if it can be, else a picture, and what nothing can
// show is a question mark that still has its amount beside it.
func TestScripts(t *testing.T) {
	p := printertest.New(t, 384)
	if _, err := Default58.Print(p, printer.Layout(printertest.Receipts()["scripts"], 32), printer.Run{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Crème brûlée à l'orange   6.50 A", "Preis in € £ ¥            1.00 A", "? ? ? ? ?                 4.80 A", "Café ?                    3.00 B"} {
		if !strings.Contains(p.Text(), want) {
			t.Errorf("%q is not on the paper:\n%s", want, p.Text())
		}
	}
	if n := strings.Count(p.Text(), "x30]"); n != 3 {
		t.Errorf("%d lines are pictures, want 3:\n%s", n, p.Text())
	}
}

func TestByName(t *testing.T) {
	for _, p := range profiles {
		if got, ok := ByName(p.Name); !ok || got.Dots != p.Dots {
			t.Errorf("%s: %+v, %v", p.Name, got, ok)
		}
	}
	if _, ok := ByName("laser"); ok {
		t.Error("there is no such profile")
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, name := range []string{"cash", "lightning", "huge"} {
		for _, pr := range []Profile{Default58, Default80} {
			b.Run(name+"-"+pr.Name, func(b *testing.B) {
				r, n := printertest.Receipts()[name], 0
				for b.Loop() {
					out, err := Encode(printer.Layout(r, pr.Columns), pr)
					if err != nil {
						b.Fatal(err)
					}
					n = len(out)
				}
				b.ReportMetric(float64(n), "bytes/receipt")
			})
		}
	}
}
