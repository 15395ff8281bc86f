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
		{"column image", "\x1b*\x21\x02\x00abcdefx\n", "x\n", 0},
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
	f.Add([]byte("\x1b3\xff\x1bJ\xff\x1bd\xff\x1ba2z\n\x1dB\x01\x1b-\x02q\n"), 4)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		p, q := New(384), New(384)
		cut = min(max(cut, 0), len(b))
		n, err := p.Write(b)
		if n != len(b) || err != nil {
			t.Fatalf("took %d of %d, %v", n, len(b), err)
		}
		q.Write(b[:cut])
		q.Write(b[cut:])
		if p.Text() != q.Text() || p.Drawer() != q.Drawer() || p.Waiting() != q.Waiting() {
			t.Fatalf("in two pieces %q, in one %q", q.Text(), p.Text())
		}
		p.PNG()
	})
}
