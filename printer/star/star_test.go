package star

import (
	"errors"
	"image"
	"image/color"
	"os"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/printertest"
)

func profile(t testing.TB, name string) Profile {
	t.Helper()
	p, ok := ByName(name)
	if !ok {
		t.Fatalf("no %s", name)
	}
	return p
}

// TestBytes holds the encoding of a small paper, read off the manuals.
func TestBytes(t *testing.T) {
	d := printer.Document{Columns: 32, Rows: []printer.Row{
		printer.Pulse{}, printer.Line{Text: "5 €", Style: printer.Style{Bold: true, Tall: true}},
		printer.Line{Text: "é"}, printer.Line{Text: "plain  "}, printer.Line{Text: "Борщ"}, printer.Feed{Lines: 2}, printer.Line{}, printer.Cut{}, printer.Beep{},
	}}
	want := "\x1b@\x18\x1bR\x00" + "\x1b\x07\x05\x32\x07" + "\x1bi\x01\x00\x1bE" + "\x1b\x1dt\x04" + "5 \xd5\n" +
		"\x1bi\x00\x00\x1bF" + "\x82\n" + "plain\n" + "\x1b\x1dt\x0a\x81\xae\xe0\xe9\n" + "\n\n" + "\n" + "\x1bd\x03"
	for _, name := range []string{"mpop", "tsp650ii"} {
		got, err := Encode(d, profile(t, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	bars := "\x1b\x1da\x01\x1bb\x06\x02\x02\x505%0+%00\x1e\x1b\x1da\x00" // a %, and a % before a 0
	if got, err := Encode(printer.Document{Columns: 32, Rows: []printer.Row{printer.Barcode{Text: "5%+%0"}}}, profile(t, "tsp650ii")); err != nil || !strings.HasSuffix(string(got), bars) {
		t.Errorf("bars: got %q, %v, want %q", got, err, bars)
	}
	p := profile(t, "mpop")
	p.Drawer, p.Cutter = 1, false
	got, _ := Encode(printer.Document{Columns: 32, Rows: []printer.Row{printer.Pulse{}, printer.Cut{}}}, p)
	if string(got) != "\x1b@\x18\x1bR\x00\x1a\n\n\n\n" {
		t.Errorf("second drawer, no knife: %q", got)
	}
	p.Drawer, p.Buzzer = 0, true
	if got, _ := Encode(printer.Document{Columns: 32, Rows: []printer.Row{printer.Beep{}}}, p); !strings.HasSuffix(string(got), "\x1a\x1a\x1a") {
		t.Errorf("buzzer: %q", got)
	}
}

// TestNativeCodeFits: as escpos.TestNativeQRFits; Star's modules have eight dots at most.
func TestNativeCodeFits(t *testing.T) {
	for _, tt := range []struct{ bytes, dots, module, want int }{{250, 384, 8, 5}, {250, 384, 4, 4}, {14, 576, 16, 8}, {250, 240, 8, 3}, {250, 200, 8, 0}} {
		p := profile(t, "mpop")
		p.NativeQR, p.Dots, p.Module, p.Columns = true, tt.dots, tt.module, 16
		got, err := Encode(printer.Document{Columns: 16, Rows: []printer.Row{printer.Code{Text: strings.Repeat("x", tt.bytes)}}}, p)
		if err != nil {
			t.Fatal(err)
		}
		size := escQR + "S2" + string([]byte{byte(tt.want)})
		if has := strings.Contains(string(got), escQR); has != (tt.want > 0) || has && !strings.Contains(string(got), size) {
			t.Errorf("%+v: % x", tt, got[:40])
		}
	}
}

// TestRasterBytes does so for the printers that have no letters.
func TestRasterBytes(t *testing.T) {
	black := image.NewGray(image.Rect(0, 0, 16, 2))
	d := printer.Document{Columns: 48, Rows: []printer.Row{printer.Picture{Image: black}, printer.Cut{}, printer.Pulse{}}}
	row := "b\x25\x00" + strings.Repeat("\x00", 35) + "\xff\xff"
	want := "\x1b@\x1b*rR\x1b*rA\x1b*rP0\x00\x1b*rE1\x00" + "\x1b*rF13\x00" + row + row + "\x1b*rY32\x00" + "\x1b\x0c\x00" +
		"\x1b*rF1\x00" + "\x1b*rD1\x00" + "\x1b*rB"
	if got, err := Encode(d, profile(t, "tsp100")); err != nil || string(got) != want {
		t.Errorf("got  %q, %v\nwant %q", got, err, want)
	}
	got, _ := Encode(printer.Document{Columns: 48, Rows: []printer.Row{printer.Cut{}}}, profile(t, "tsp100"))
	if want := "\x1b*rF13\x00\x1b*rY1\x00\x1b\x0c\x00\x1b*rB"; !strings.HasSuffix(string(got), want) {
		t.Errorf("a cut alone: %q, want a row before it", got)
	}
}

// TestRasterDrawer: what was drawn is printed before a drawer opens, for while rows wait
// the command is ignored; and it is the drawer that the shop has.
func TestRasterDrawer(t *testing.T) {
	black := image.NewGray(image.Rect(0, 0, 16, 1))
	d := printer.Document{Columns: 48, Rows: []printer.Row{printer.Picture{Image: black}, printer.Pulse{}}}
	for drawer, open := range []string{"\x1b*rD1\x00", "\x1b*rD2\x00"} {
		p := profile(t, "tsp100")
		p.Drawer = byte(drawer)
		want := "\x1b*rF1\x00" + "b\x25\x00" + strings.Repeat("\x00", 35) + "\xff\xff" + "\x1b*rY32\x00" + "\x1b\x0c\x00" + open + "\x1b*rB"
		if got, err := Encode(d, p); err != nil || !strings.HasSuffix(string(got), want) {
			t.Errorf("drawer %d: got %q, %v, want %q in the end", drawer+1, got, err, want)
		}
	}
}

// TestBandsTouch: the bands of a high line touch each other, and the last one has the gap
// of a line below it.
func TestBandsTouch(t *testing.T) {
	p := profile(t, "tsp650ii")
	b, err := Encode(printer.Document{Columns: 48, Rows: []printer.Row{printer.Line{Text: "ŁЖ", Style: printer.Style{Tall: true}}}}, p)
	if err != nil {
		t.Fatal(err)
	}
	loose := strings.LastIndex(string(b), escLoose)
	tight := strings.Index(string(b), escTight)
	if n := strings.Count(string(b), escBand); n != 2 || tight < 0 || strings.Count(string(b[tight:loose]), escBand) != 1 || strings.Count(string(b), escLoose) != 1 {
		t.Errorf("%d bands in %q", n, b)
	}
	x := paper.NewDialect(p.Dots, paper.StarLine)
	x.Write(b)
	if h := x.Picture().Rect.Dy() - 2*24; h != 24+32 { // the picture's border
		t.Errorf("a high line takes %d rows", h)
	}
}

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

// part is the bytes of s from the first start up to the end that follows.
func part(s, start, end string) string {
	i := strings.Index(s, start)
	if i < 0 {
		return ""
	}
	j := strings.Index(s[i:], end)
	if j < 0 {
		return s[i:]
	}
	return s[i : i+j]
}

// TestOutside compares with independent encoders, where they and we say the same thing.
func TestOutside(t *testing.T) {
	out := printertest.Outside(t, "\n\r", "\x1b\x1dP0\x1b\x1dP1", "\x1b\x1dt\x00")
	bold, large, tall := printer.Style{Bold: true}, printer.Style{Wide: true, Tall: true}, printer.Style{Tall: true}
	tests := []struct {
		outside string
		change  func(*Profile)
		rows    []printer.Row
	}{
		{"star-prnt/bold", nil, []printer.Row{printer.Line{Text: "A", Style: bold}, printer.Line{Text: "b"}}},
		{"star-prnt/large", nil, []printer.Row{printer.Line{Text: "W", Style: large}, printer.Line{Text: "w"}}},
		{"star-prnt/tall", nil, []printer.Row{printer.Line{Text: "T", Style: tall}, printer.Line{Text: "t"}}},
		{"star-prnt/drawer 1", nil, []printer.Row{printer.Pulse{}}},
		{"star-prnt/qr 6 LNBC1", nil, []printer.Row{printer.Code{Text: "LNBC1"}}},
		{"star-prnt/qr 3 LNBC1", func(p *Profile) { p.Module = 3 }, []printer.Row{printer.Code{Text: "LNBC1"}}},
		{"star-prnt/qr 6 TW1 01-000482 913 3F", nil, []printer.Row{printer.Code{Text: "TW1 01-000482 913 3FA9C1D2E4B5F60718293A4B5C6D7E8F"}}},
		{"star-prnt/qr 6 xxxxxxxxxxxxxxxxxxxx", nil, []printer.Row{printer.Code{Text: strings.Repeat("x", 250)}}},
		{"star-prnt/bars 1", func(p *Profile) { p.Dots, p.Columns = 384, 32 }, []printer.Row{printer.Barcode{Text: "01-000482"}}},
		{"star-prnt/bars 2", nil, []printer.Row{printer.Barcode{Text: "01-000482"}}},
		{"star-prnt/page cp858", nil, []printer.Row{printer.Line{Text: "€ÁÂÀØ"}}},
		{"star-prnt/page cp866", nil, []printer.Row{printer.Line{Text: "Борщ Ёё"}}},
		{"star-prnt/page windows1252", nil, []printer.Row{printer.Line{Text: "“€” Ž"}}},
	}
	for _, tt := range tests {
		p := profile(t, "mc-print3").Slow()
		if tt.change != nil {
			tt.change(&p)
		}
		b, err := Encode(printer.Document{Columns: 32, Rows: tt.rows}, p)
		want, ok := out[tt.outside]
		if !ok || err != nil {
			t.Fatalf("%s: %v, %v", tt.outside, ok, err)
		}
		if got := strings.ReplaceAll(string(b), "\n", ""); !strings.Contains(got, strings.ReplaceAll(want, "\n", "")) {
			t.Errorf("%s: they say\n% x\nwe say\n% x", tt.outside, want, b)
		}
	}
	if !strings.HasPrefix(out["star-prnt/init"], escInit) {
		t.Errorf("they begin with % x", out["star-prnt/init"])
	}
}

// TestOutsidePictures compares images with receiptline's, in the three languages: as
// blocks, as bands, as rows.
func TestOutsidePictures(t *testing.T) {
	out := printertest.Outside(t)
	d := printer.Document{Columns: 48, Rows: []printer.Row{printer.Picture{Image: picture()}}}
	for _, tt := range []struct{ outside, model, start, end string }{
		{"receiptline starsbcs/picture", "mc-print3", "\x1b\x1dS", "\x1b"},
		{"receiptline starlinesbcs/picture", "tsp650ii", "\x1b0\x1bk", "\x1bz"},
	} {
		b, err := Encode(d, profile(t, tt.model))
		if err != nil {
			t.Fatal(err)
		}
		got, want := part(string(b), tt.start, tt.end), part(out[tt.outside], tt.start, tt.end)
		got = strings.TrimPrefix(got, "\x1b\x1dS")
		if want = strings.TrimPrefix(want, "\x1b\x1dS"); got != want || len(want) < 200 && tt.model != "mc-print3" {
			t.Errorf("%s: they say\n% x\nwe say\n% x", tt.outside, want, got)
		}
	}
	b, err := Encode(d, profile(t, "tsp100"))
	if err != nil {
		t.Fatal(err)
	}
	got, want := rows(string(b)), rows(out["receiptline stargraphic/picture"])
	if strings.Join(got, "|") != strings.Join(want, "|") || len(got) != 40 {
		t.Errorf("rows: they send\n%x\nwe send\n%x", want, got)
	}
}

// rows are the rows of dots in a raster job, without the white at their ends.
func rows(job string) []string {
	var out []string
	job = part(job, "b", "\x1b*rB")
	for len(job) > 3 && job[0] == 'b' {
		n := int(job[1]) + 256*int(job[2])
		out = append(out, strings.TrimRight(job[3:3+n], "\x00"))
		job = job[3+n:]
	}
	return out
}

// script is a printer that gives fixed answers to the question how it is.
type script struct {
	answers []string
	pending string
	err     error // of writes
	read    error // when nothing is pending
	sent    strings.Builder
}

func (s *script) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.sent.Write(b)
	if string(b) == escAsk && len(s.answers) > 0 {
		s.pending += s.answers[0]
		s.answers = s.answers[1:]
	}
	return len(b), nil
}

func (s *script) Read(b []byte) (int, error) {
	if s.pending == "" {
		if s.read != nil {
			return 0, s.read
		}
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, s.pending)
	s.pending = s.pending[n:]
	return n, nil
}

// TestStatus: bits and lengths as in the specification.
func TestStatus(t *testing.T) {
	well := printer.Status{Known: true, Drawer: printer.Low}
	with := func(f func(*printer.Status)) printer.Status { s := well; f(&s); return s }
	tests := []struct {
		name, answer string
		want         printer.Status
	}{
		{"well", "\x23\x06\x00\x00\x00\x00\x00\x00\x00", well},
		{"drawer open is no trouble", "\x23\x06\x04\x00\x00\x00\x00\x00\x00", with(func(s *printer.Status) { s.Drawer = printer.High })},
		{"cover", "\x23\x06\x28\x00\x00\x00\x00\x00\x00", with(func(s *printer.Status) { s.Offline, s.Cover = true, true })},
		{"paper", "\x23\x06\x08\x00\x00\x0c\x00\x00\x00", with(func(s *printer.Status) { s.Offline, s.PaperOut, s.PaperLow = true, true, true })},
		{"near end", "\x23\x06\x00\x00\x00\x04\x00\x00\x00", with(func(s *printer.Status) { s.PaperLow = true })},
		{"near end by the outer sensor", "\x23\x06\x00\x00\x00\x02\x00\x00\x00", with(func(s *printer.Status) { s.PaperLow = true })},
		{"knife", "\x23\x06\x08\x08\x00\x00\x00\x00\x00", with(func(s *printer.Status) { s.Offline, s.Cutter = true, true })},
		{"hot", "\x23\x06\x08\x40\x00\x00\x00\x00\x00", with(func(s *printer.Status) { s.Offline, s.Hot = true, true })},
		{"motor", "\x23\x06\x08\x04\x00\x00\x00\x00\x00", with(func(s *printer.Status) { s.Offline, s.Fault = true, true })},
		{"power", "\x23\x06\x08\x00\x08\x00\x00\x00\x00", with(func(s *printer.Status) { s.Offline, s.Fault = true, true })},
		{"power, the other bit", "\x23\x06\x08\x00\x02\x00\x00\x00\x00", with(func(s *printer.Status) { s.Offline, s.Fault = true, true })},
		{"eleven bytes", "\x23\x86\x28\x00\x00\x00\x00\x00\x00\x00\x00", with(func(s *printer.Status) { s.Offline, s.Cover = true, true })},
		{"fifteen bytes", "\x2f\x06\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00", with(func(s *printer.Status) { s.PaperOut = true })},
		{"junk before", "\xff\x82\x23\x06\x00\x00\x00\x00\x00\x00\x00", well},
		{"half a status", "\x23\x06\x28", printer.Status{}},
		{"only junk", strings.Repeat("\x80", 100), printer.Status{}},
		{"silent", "", printer.Status{}},
	}
	for _, tt := range tests {
		if got, err := profile(t, "mc-print3").Status(&script{answers: []string{tt.answer}}); got != tt.want || err != nil {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
	if _, err := profile(t, "mpop").Status(&script{read: os.ErrClosed}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if s, err := profile(t, "mpop").Status(&script{err: os.ErrDeadlineExceeded}); err == nil || !s.Stalled {
		t.Errorf("takes nothing: %+v, %v", s, err)
	}
}

// TestLengthOfAStatus: a status ends where its first two bytes say; what newer models add
// in its end is not the next one, whatever it looks like (here: an open cover).
func TestLengthOfAStatus(t *testing.T) {
	const well = "\x23\x06\x00\x00\x00\x00\x00\x00\x00"
	d := printer.Document{Columns: 32, Rows: []printer.Row{printer.Line{Text: "x"}}}
	for name, last := range map[string]string{
		"fifteen bytes": "\x2f\x06" + strings.Repeat("\x00", 7) + "\x0d\x00\x28\x00\x00\x00",
		"eleven bytes":  "\x23\x86" + strings.Repeat("\x00", 7) + "\x0d\x00" + well,
	} {
		sc := &script{answers: []string{well, last}}
		if st, err := profile(t, "mpop").Print(sc, d, printer.Run{}); err != nil || st.Trouble() != "" {
			t.Errorf("%s: %+v, %v", name, st, err)
		}
	}
}

// TestLastWord: in the end the newest of several statuses counts, for the printer may
// have sent one by itself before.
func TestLastWord(t *testing.T) {
	const well, cover = "\x23\x06\x00\x00\x00\x00\x00\x00\x00", "\x23\x06\x28\x00\x00\x00\x00\x00\x00"
	d := printer.Document{Columns: 32, Rows: []printer.Row{printer.Line{Text: "x"}}}
	sc := &script{answers: []string{well, well + cover}}
	if st, err := profile(t, "mpop").Print(sc, d, printer.Run{}); err == nil || st.Trouble() != "printer_cover" {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestOffLineDrawer: the command is not even sent.
func TestOffLineDrawer(t *testing.T) {
	sc := &script{answers: []string{"\x23\x06\x08\x00\x00\x08\x00\x00\x00"}}
	err := profile(t, "mpop").Kick(sc, true)
	if e, ok := errors.AsType[*pos.Error](err); !ok || e.Kind != pos.Unavailable || e.Msg != "no paper" || strings.Contains(sc.sent.String(), drawer1) {
		t.Errorf("%v, sent %q", err, sc.sent.String())
	}
}

// FuzzEncode: whatever a document says, the printer obeys nothing but the manual and
// opens no drawer.
func FuzzEncode(f *testing.F) {
	f.Add("Espresso", "TW1 01-000482", true, false)
	f.Add("\x1bd\x07\x1a", "\x1b\x06\x01\x1e", false, true)
	f.Add("Łóżko % \x1b*rB € Ω é", strings.Repeat("x", 3000), true, true)
	f.Fuzz(func(t *testing.T, text, code string, bold, wide bool) {
		s := printer.Style{Bold: bold, Wide: wide, Tall: bold != wide}
		for _, pr := range Models() {
			for _, native := range []bool{false, true} {
				pr.NativeQR = native && pr.HasQR
				cols := pr.Columns
				if wide {
					cols /= 2
				}
				line := printer.Spell(text, cols)
				d := printer.Document{Columns: pr.Columns, Rows: []printer.Row{printer.Code{Text: code}, printer.Barcode{Text: code}, printer.Rule{}, printer.Cut{}}}
				if len(line) > 0 {
					line[0].Style = s
					d.Rows = append([]printer.Row{line[0]}, d.Rows...)
				}
				b, err := Encode(d, pr)
				if err != nil {
					t.Fatal(err)
				}
				p := paper.NewDialect(pr.Dots, map[Mode]paper.Dialect{PRNT: paper.StarPRNT, Line: paper.StarLine, Raster: paper.StarRaster}[pr.Mode])
				p.OnFault(func(what string) { t.Errorf("%s: %s", pr.Name, what) })
				if _, err := p.Write(b); err != nil || p.Drawer() != 0 || p.Waiting() != 0 || !strings.Contains(p.Text(), "cut -") {
					t.Fatalf("%s: drawer %d, %d bytes wait, %v", pr.Name, p.Drawer(), p.Waiting(), err)
				}
			}
		}
	})
}
