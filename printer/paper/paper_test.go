package paper

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"os"
	"strings"
	"sync"
	"testing"
)

// strict returns a printer whose faults end up in the slice.
func strict(dots int) (*Printer, *[]string) {
	p, faults := New(dots), &[]string{}
	p.OnFault(func(s string) { *faults = append(*faults, s) })
	return p, faults
}

// TestCommands: what the manual says of each command, one at a time.
func TestCommands(t *testing.T) {
	strip := "\x1dv0\x00\x01\x00\x02\x00\xff\x81"
	tests := []struct {
		name, in, text string
		faults         int
	}{
		{"text prints at its line's end", "abc", "", 0},
		{"line", "abc\n", "abc\n", 0},
		{"init clears the half line", "abc\x1b@def\n", "def\n", 0},
		{"page 437", "\x82\n", "é\n", 0},
		{"page 858", "\x1bt\x13\xd5\n", "€\n", 0},
		{"page 1252", "\x1bt\x10\x80\n", "€\n", 0},
		{"page 850", "\x1bt\x02\x82\n", "é\n", 0},
		{"no such page", "\x1bt\x63\x82\n", "é\n", 1},
		{"no letter there", "\x1bt\x10\x81\n", "\n", 1},
		{"double-byte mode eats pairs", "\x1c&\x82\x83a\x1c.\x82\n", "aé\n", 1},
		{"line longer than the paper", strings.Repeat("x", 33) + "\n", strings.Repeat("x", 32) + "\nx\n", 1},
		{"font B has more columns", "\x1bM\x01" + strings.Repeat("x", 42) + "\n", strings.Repeat("x", 42) + "\n", 0},
		{"wide has half", "\x1d!\x10" + strings.Repeat("x", 16) + "\n", strings.Repeat("x", 16) + "\n", 0},
		{"combined style", "\x1b!\x38" + strings.Repeat("x", 16) + "\n", strings.Repeat("x", 16) + "\n", 0},
		{"tab", "a\tb\n", "a       b\n", 0},
		{"centre", "\x1ba\x01ab\n", strings.Repeat(" ", 15) + "ab\n", 0},
		{"align inside a line", "a\x1ba\x01\n", "a\n", 1},
		{"feed", "a\x1bd\x02", "a\n\n", 0},
		{"feed dots", "a\x1bJ\x10", "a\n", 0},
		{"raster", strip, "[image 8x2]\n", 0},
		{"raster inside a line", "a" + strip, "a\n[image 8x2]\n", 1},
		{"raster not complete", strip[:9], "", 0},
		{"raster wider than the paper", "\x1dv0\x00\x31\x00\x01\x00" + strings.Repeat("\xff", 49), "[image 392x1]\n", 1},
		{"raster of nothing", "\x1dv0\x00\x00\x00\x01\x00a\n", "a\n", 1},
		{"commands inside an image are dots", "\x1dv0\x00\x04\x00\x01\x00\x1bp\x00\x19", "[image 32x1]\n", 0},
		{"real time inside an image", "\x1dv0\x00\x03\x00\x01\x00\x10\x04\x01", "[image 24x1]\n", 1},
		{"cut", "a\n\x1dVB\x00", "a\n- - - - - - - - cut - - - - - - - -\n", 0},
		{"cut of the old kind", "a\n\x1dV\x01b\n", "a\n- - - - - - - - cut - - - - - - - -\nb\n", 0},
		{"cut inside a line", "a\x1bi", "a\n- - - - - - - - cut - - - - - - - -\n", 1},
		{"code of its own", "\x1d(k\x05\x00\x31\x50\x30hi\x1d(k\x03\x00\x31\x51\x30", "[QR hi]\n", 0},
		{"code that is empty", "\x1d(k\x03\x00\x31\x51\x30", "", 1},
		{"unknown command", "\x1b\x7fx\n", "x\n", 2},
		{"control byte", "\x07a\n", "a\n", 1},
		{"column image", "\x1b*\x21\x02\x00abcdefx\n", "[band 2]x\n", 0},
		{"column image wider than the paper", "\x1b*\x21\x81\x01" + strings.Repeat("a", 3*385) + "\n", "\n", 1},
		{"real time inside a column image", "\x1b*\x21\x01\x00\x10\x04\x01\n", "[band 1]\n", 1},
		{"graphics", "\x1d(L\x0c\x00\x30\x70\x30\x01\x01\x31\x08\x00\x02\x00\xff\x81\x1d(L\x02\x00\x30\x32", "[image 8x2]\n", 0},
		{"graphics of nothing", "\x1d(L\x02\x00\x30\x32", "", 1},
		{"graphics of other size", "\x1d(L\x0c\x00\x30\x70\x30\x01\x01\x31\x08\x00\x03\x00\xff\x81", "", 1},
		{"bars", "\x1dh\x20\x1dw\x02\x1dH\x02\x1dkI\x05{B1-2", "[bars 1-2]\n1-2\n", 0},
		{"bars with a brace", "\x1dkI\x04{B{{", "[bars {]\n", 0},
		{"bars without a set", "\x1dkI\x03abc", "", 1},
		{"bars wider than the paper", "\x1dw\x06\x1dkI\x0a{B01-00482", "", 1},
		{"bars too thin", "\x1dw\x01", "", 1},
		{"bars of form A", "\x1dk\x04AB\x00x\n", "x\n", 0},
		{"bars of no kind", "\x1dk\x40abx\n", "abx\n", 1},
		{"buzzer", "\x1b(A\x05\x00\x61\x64\x03\x02\x02a\n", "a\n", 0},
		{"code wider than the paper", "\x1d(k\x03\x00\x31\x43\x10\x1d(k\x0d\x00\x31\x50\x300123456789\x1d(k\x03\x00\x31\x51\x30", "[QR 0123456789]\n", 0},
		{"code much wider than the paper", "\x1d(k\x03\x00\x31\x43\x10\x1d(k\x12\x00\x31\x50\x30012345678901234\x1d(k\x03\x00\x31\x51\x30", "", 1},
		{"modules of no size", "\x1d(k\x03\x00\x31\x43\x11", "", 1},
		{"tab stops", "\x1bD\x08\x10\x00x\n", "x\n", 0},
		{"NUL, CR", "\x00a\r\n", "a\n", 0},
	}
	for _, tt := range tests {
		p, faults := strict(384)
		if n, err := p.Write([]byte(tt.in)); n != len(tt.in) || err != nil {
			t.Errorf("%s: took %d of %d, %v", tt.name, n, len(tt.in), err)
		}
		if p.Text() != tt.text || len(*faults) != tt.faults {
			t.Errorf("%s: got %q, faults %q, want %q and %d", tt.name, p.Text(), *faults, tt.text, tt.faults)
		}
		q, _ := strict(384) // the same bytes, one at a time
		for i := range len(tt.in) {
			if _, err := q.Write([]byte{tt.in[i]}); err != nil {
				t.Fatal(err)
			}
		}
		if q.Text() != tt.text {
			t.Errorf("%s: byte by byte %q", tt.name, q.Text())
		}
	}
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		name  string
		setUp func(p *Printer)
		ask   string
		want  string
	}{
		{"well", func(*Printer) {}, "\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04", "\x12\x12\x12\x12"},
		{"paper end", func(p *Printer) { p.SetPaper(0, true) }, "\x10\x04\x01\x10\x04\x02\x10\x04\x04", "\x1a\x32\x7e"},
		{"near end", func(p *Printer) { p.SetPaper(9, true) }, "\x10\x04\x01\x10\x04\x04\x1dr\x01", "\x12\x1e\x03"},
		{"cover", func(p *Printer) { p.SetCover(true) }, "\x10\x04\x01\x10\x04\x02\x1dr\x01", "\x1a\x16"},
		{"knife", func(p *Printer) { p.SetCutter(true) }, "\x10\x04\x01\x10\x04\x02\x10\x04\x03", "\x1a\x52\x1a"},
		{"knife freed by command", func(p *Printer) { p.SetCutter(true) }, "\x10\x05\x01\x10\x04\x01", "\x12"},
		{"hot", func(p *Printer) { p.SetHot(true) }, "\x10\x04\x01\x10\x04\x02\x10\x04\x03", "\x1a\x52\x52"},
		{"paused", func(p *Printer) { p.SetPaused(true) }, "\x10\x04\x01\x10\x04\x02", "\x1a\x12"},
		{"automatic", func(p *Printer) {}, "\x1da\x0f", "\x10\x00\x00\x00"},
		{"automatic, twice", func(p *Printer) {}, "\x1da\x0f\x1da\x0f", "\x10\x00\x00\x00"},
		{"one-way", func(p *Printer) { p.SetOneWay(true) }, "\x10\x04\x01\x1dr\x01", ""},
		{"full buffer", func(p *Printer) {
			p.SetPaper(0, true)
			if n, err := p.Write(make([]byte, DefaultBuffer+9)); n != DefaultBuffer || !errors.Is(err, os.ErrDeadlineExceeded) {
				panic(fmt.Sprint(n, err))
			}
		}, "\x10\x04\x04", "\x7e"},
	}
	for _, tt := range tests {
		p, faults := strict(384)
		tt.setUp(p)
		p.Write([]byte(tt.ask))
		var b [16]byte
		n, err := p.Read(b[:])
		if string(b[:n]) != tt.want || (n == 0) != errors.Is(err, os.ErrDeadlineExceeded) || len(*faults) != 0 {
			t.Errorf("%s: answers % x, %v, faults %q, want % x", tt.name, b[:n], err, *faults, tt.want)
		}
	}
}

// TestAutomatic: a printer that was told so reports by itself what changes, while it
// can print and while it cannot.
func TestAutomatic(t *testing.T) {
	p, faults := strict(384)
	fmt.Fprint(p, "\x1da\x0f")
	p.SetCover(true)
	p.SetCover(true)
	p.SetCover(false)
	p.SetCutter(true)
	p.SetCutter(false)
	p.SetHot(true)
	p.SetHot(false)
	p.SetPaper(0, true)
	p.SetPaper(Endless, false)
	fmt.Fprint(p, "text\n\x1da\x00")
	p.SetCover(true)
	var b [64]byte
	n, _ := p.Read(b[:])
	const well, want = "\x10\x00\x00\x00", "\x38\x00\x00\x00" + "w" + "\x18\x08\x00\x00" + "w" + "\x18\x40\x00\x00" + "w" + "\x18\x00\x0f\x00" + "w"
	if got := string(b[:n]); got != well+strings.ReplaceAll(want, "w", well) || len(*faults) != 0 {
		t.Errorf("reports % x, faults %q", got, *faults)
	}
}

// TestQuirks: what cheap machines do otherwise.
func TestQuirks(t *testing.T) {
	strip := "\x1dv0\x00\x01\x00\x01\x00\xff"
	tests := []struct {
		name, in, text string
		setUp          func(p *Printer)
		faults, beeps  int
	}{
		{"clone starts in double-byte mode", "\x82\x83a\n", "a\n", func(p *Printer) { p.SetClone(true) }, 1, 0},
		{"clone returns to it", "\x1c.\x1b@\x82\x83a\n", "a\n", func(p *Printer) { p.SetClone(true) }, 1, 0},
		{"clone that was told", "\x1b@\x1c.\x82\n\x1bB\x03\x04", "é\n", func(p *Printer) { p.SetClone(true) }, 0, 1},
		{"others have no ESC B", "\x1bB", "B", func(p *Printer) {}, 1, 0},
		{"lost line feed", strip + "\n\na\n", "[image 8x1]\n\na\n", func(p *Printer) { p.SetLostFeed(true) }, 0, 0},
		{"text after an image is not lost", strip + "a\n\n", "[image 8x1]\na\n\n", func(p *Printer) { p.SetLostFeed(true) }, 0, 0},
		{"no knife", "a\n\x1dVB\x00", "a\n", func(p *Printer) { p.SetLacks("\x1dV") }, 1, 0},
	}
	for _, tt := range tests {
		p, faults := strict(384)
		tt.setUp(p)
		fmt.Fprint(p, tt.in)
		got := p.Text()
		if tt.name == "others have no ESC B" { // its letter waits for the line's end
			got = "B"
		}
		if got != tt.text || len(*faults) != tt.faults || p.Beeps() != tt.beeps {
			t.Errorf("%s: %q, faults %q, %d beeps", tt.name, p.Text(), *faults, p.Beeps())
		}
	}
}

// TestOpenCoverAfter: the printer stops at the byte it was told, keeps what comes
// then, and goes on there.
func TestOpenCoverAfter(t *testing.T) {
	paper := "one\ntwo\n\x1dv0\x00\x01\x00\x02\x00\xff\x81three\n"
	for n := range len(paper) {
		p, _ := strict(384)
		p.OpenCoverAfter(n)
		fmt.Fprint(p, paper)
		want := ""
		if n >= 4 {
			want = "one\n"
		}
		if n >= 8 {
			want += "two\n"
		}
		if n >= 18 {
			want += "[image 8x2]\n"
		}
		if p.Text() != want {
			t.Errorf("after %d bytes: %q", n, p.Text())
		}
		if p.SetCover(false); p.Text() != "one\ntwo\n[image 8x2]\nthree\n" {
			t.Errorf("after %d bytes, closed again: %q", n, p.Text())
		}
	}
}

// TestRollIsChanged: what waits in the buffer comes out when there is paper again,
// a drawer among it, but not one that was asked for in real time.
func TestRollIsChanged(t *testing.T) {
	p, _ := strict(384)
	p.SetPaper(2, true)
	p.Write([]byte("1\n2\n3\n\x1bp\x00\x19\xfa\x10\x14\x01\x00\x01"))
	if p.Text() != "1\n2\n" || p.Drawer() != 1 {
		t.Errorf("without paper: %q, drawer %d", p.Text(), p.Drawer())
	}
	p.SetPaper(Endless, false)
	if p.Text() != "1\n2\n3\n" || p.Drawer() != 2 || p.Waiting() != 0 {
		t.Errorf("with paper: %q, drawer %d, %d wait", p.Text(), p.Drawer(), p.Waiting())
	}
	p.Write([]byte("\x1dv0\x00\x01\x00\x09\x00abc"))
	if p.PowerCycle(); p.Waiting() != 0 {
		t.Error("the image outlived its power")
	}
}

// TestBounds: however much is printed, what is kept is bounded and the picture is
// the paper's last part.
func TestBounds(t *testing.T) {
	p := New(384)
	for i := range 6000 {
		fmt.Fprintf(p, "line %04d of the paper, yes\n", i)
	}
	text := p.Text()
	if len(text) > maxText || !strings.HasPrefix(text, "line ") || !strings.HasSuffix(text, "line 5999 of the paper, yes\n") {
		t.Errorf("%d bytes of text, from %.20q", len(text), text)
	}
	if len(p.sheet.rows) > 2*maxRows || cap(p.sheet.text) > 4*maxText {
		t.Errorf("%d rows and %d bytes are kept", len(p.sheet.rows), cap(p.sheet.text))
	}
	pic, v := p.PNG()
	img, err := png.Decode(bytes.NewReader(pic))
	if err != nil || img.Bounds().Dy() > maxRows+2*border || img.Bounds().Dx() != 384+2*border {
		t.Errorf("picture %v, %v", img.Bounds(), err)
	}
	if _, again := p.PNG(); again != v {
		t.Error("the version rises by itself")
	}
	fmt.Fprint(p, "x\n")
	if _, after := p.PNG(); after <= v {
		t.Error("the version does not rise")
	}
}

func TestChanged(t *testing.T) {
	p := New(384)
	one, two := p.Changed(), p.Changed()
	p.Write([]byte("half a line"))
	select {
	case <-one:
		t.Error("nothing is on paper yet")
	default:
	}
	p.Write([]byte("\n\x1bp\x00\x19\xfa\n"))
	<-one
	<-two // everybody who looks is told
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	p := New(384)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				p.Write([]byte("text\n\x10\x04\x01"))
				p.PNG()
				_ = p.Text()
				_ = p.Drawer()
				p.Read(make([]byte, 4))
				p.SetPaper(100, false)
			}
		})
	}
	wg.Wait()
}

// FuzzWrite: no bytes whatever break the machine, and it obeys them the same in
// one piece and in two.
func FuzzWrite(f *testing.F) {
	f.Add([]byte("abc\n\x1bt\x13\xd5\x1dv0\x00\x01\x00\x02\x00\xff\x81\x10\x04\x01"), 5)
	f.Add([]byte("\x1b*\x21\xff\xff\x1d(k\x03\x00\x31\x51\x30\x1dVA\x03\x1bD\x01\x02"), 2)
	f.Add([]byte("\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08\x1d!\x77W\n\x1b!\xffx\t\n\x1dL\xff\xffy\n"), 9)
	f.Add([]byte("\x1b@\x18\x1b\x1dt\x04\xd5\n\x1bi\x01\x01x\n\x1b\x1dS\x01\x01\x00\x02\x00\x00\xff\x81\x1bk\x01\x00abc\x1bd\x03\x1b\x06\x01"), 7)
	f.Add([]byte("\x1b*rR\x1b*rA\x1b*rF13\x00b\x01\x00\xff\x1b*rY5\x00\x1b\x0c\x00\x1b*rB\x07"), 11)
	f.Add([]byte("\x1dh\x20\x1dkI\x05{B1-2\x1d(L\x02\x00\x30\x32\x1b\x1dyD1\x00\x02\x00hi\x1b\x1dyP"), 3)
	f.Add([]byte("\x1b3\xff\x1bJ\xff\x1bd\xff\x1ba2z\n\x1dB\x01\x1b-\x02q\n"), 4)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		for d := ESCPOS; d <= StarRaster; d++ {
			fuzzWrite(t, d, b, cut)
		}
	})
}

func fuzzWrite(t *testing.T, d Dialect, b []byte, cut int) {
	p, q := NewDialect(384, d), NewDialect(384, d)
	{
		cut = min(max(cut, 0), len(b))
		n, err := p.Write(b)
		if n != len(b) || err != nil {
			t.Fatalf("took %d of %d, %v", n, len(b), err)
		}
		q.Write(b[:cut])
		q.Write(b[cut:])
		if p.Text() != q.Text() || p.Drawer() != q.Drawer() || p.Waiting() != q.Waiting() {
			t.Fatalf("dialect %d: in two pieces %q, in one %q", d, q.Text(), p.Text())
		}
		p.PNG()
	}
}
