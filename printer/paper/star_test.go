package paper

import (
	"fmt"
	"strings"
	"testing"
)

const cutLine = "- - - - - - - - cut - - - - - - - -\n"

// TestStarCommands: what the manuals say of each command, one at a time, in one piece
// and byte by byte.
func TestStarCommands(t *testing.T) {
	band := "\x1bk\x01\x00" + strings.Repeat("\xff", 24)
	tests := []struct {
		name    string
		dialect Dialect
		in      string
		text    string
		faults  int
		drawer  int
	}{
		{"line", StarPRNT, "abc\n", "abc\n", 0, 0},
		{"text prints at its line's end", StarLine, "abc", "", 0, 0},
		{"init and cancel clear the half line", StarPRNT, "abc\x1b@\x18def\n", "def\n", 0, 0},
		{"page 858", StarPRNT, "\x1b\x1dt\x04\xd5\n", "€\n", 0, 0},
		{"page 1252", StarLine, "\x1b\x1dt\x20\x80\n", "€\n", 0, 0},
		{"no page selected", StarPRNT, "\x82\n", "\n", 1, 0},
		{"no such page", StarPRNT, "\x1b\x1dt\x03\x82\n", "\n", 2, 0},
		{"large", StarPRNT, "\x1bi\x01\x01" + strings.Repeat("x", 16) + "\n", strings.Repeat("x", 16) + "\n", 0, 0},
		{"larger than there is", StarPRNT, "\x1bi\x06\x01x\n", "x\n", 1, 0},
		{"bold on and off", StarPRNT, "\x1bEa\x1bFb\n", "ab\n", 0, 0},
		{"ESC d cuts here", StarPRNT, "a\n\x1bd\x03", "a\n" + cutLine, 0, 0},
		{"cut inside a line", StarPRNT, "a\x1bd\x02", "a\n" + cutLine, 1, 0},
		{"cut of no kind", StarPRNT, "\x1bd\x07", "", 1, 0},
		{"drawers", StarPRNT, "\x1b\x07\x14\x14\x07\x1aa\n", "a\n", 0, 2},
		{"image", StarPRNT, "\x1b\x1dS\x01\x01\x00\x02\x00\x00\xff\x81", "[image 8x2]\n", 0, 0},
		{"image of Line Mode", StarPRNT, "\x1bk", "", 1, 0},
		{"image inside a line", StarPRNT, "a\x1b\x1dS\x01\x01\x00\x01\x00\x00\xff", "a\n[image 8x1]\n", 1, 0},
		{"image wider than the paper", StarPRNT, "\x1b\x1dS\x01\x31\x00\x01\x00\x00" + strings.Repeat("x", 49), "[image 392x1]\n", 1, 0},
		{"image of nothing", StarPRNT, "\x1b\x1dS\x01\x00\x00\x01\x00\x00a\n", "a\n", 1, 0},
		{"band", StarLine, band + "\n", "[band 8]\n", 0, 0},
		{"band wider than the paper", StarLine, "\x1bk\x31\x00" + strings.Repeat("x", 49*24) + "\n", "\n", 1, 0},
		{"image of StarPRNT", StarLine, "\x1b\x1dS", "", 1, 0},
		{"code", StarPRNT, "\x1b\x1dyS0\x02\x1b\x1dyS2\x04\x1b\x1dyS1\x01\x1b\x1dyD1\x00\x02\x00hi\x1b\x1dyP", "[QR hi]\n", 0, 0},
		{"code that is empty", StarPRNT, "\x1b\x1dyP", "", 1, 0},
		{"code settings that are none", StarPRNT, "\x1b\x1dyS2\x09\x1b\x1dyS1\x04\x1b\x1dyX", "", 3, 0},
		{"bars", StarLine, "\x1bb\x06\x02\x01\x281-2\x1e", "[bars 1-2]\n1-2\n", 0, 0},
		{"bars with a sign that selects", StarLine, "\x1bb\x06\x02\x01\x285%0\x1e", "[bars 5%]\n5%\n", 0, 0},
		{"bars with a selection that is none", StarLine, "\x1bb\x06\x02\x01\x285%\x1e", "[bars 5%]\n5%\n", 1, 0},
		{"question", StarPRNT, "a\x1b\x06\x01b\n", "ab\n", 0, 0},
		{"unknown", StarPRNT, "\x1b\x7fx\n", "x\n", 2, 0},
		{"control byte", StarPRNT, "\x02a\n", "a\n", 1, 0},
		{"raster on a text printer", StarPRNT, "\x1b*rA", "rA", 1, 0},
		{"text on a raster printer", StarRaster, "ab", "", 2, 0},
		{"rows", StarRaster, "\x1b*rR\x1b*rA\x1b*rF13\x00b\x01\x00\xffb\x00\x00\x1b*rY3\x00\x1b\x0c\x00\x1b*rB", "[image 384x5]\n" + cutLine, 0, 0},
		{"rows without a cut", StarRaster, "\x1b*rA\x1b*rE1\x00b\x01\x00\xff\x1b*rB", "[image 384x1]\n", 0, 0},
		{"leaving prints, and cuts as it was born", StarRaster, "\x1b*rAb\x01\x00\xff\x1b*rB", "[image 384x1]\n" + cutLine, 0, 0},
		{"settings while rows wait", StarRaster, "\x1b*rA\x1b*rF1\x00b\x01\x00\xff\x1b*rF13\x00\x1b\x0c\x00", "[image 384x1]\n", 1, 0},
		{"nothing to execute", StarRaster, "\x1b*rA\x1b\x0c\x00\x1b*rB", "", 0, 0},
		{"rows are letters before raster mode", StarRaster, "b\x01", "", 2, 0},
		{"row wider than the paper", StarRaster, "\x1b*rAb\x31\x00", "", 1, 0},
		{"commands inside a row are dots", StarRaster, "\x1b*rA\x1b*rE1\x00b\x04\x00\x1b*rB\x1b*rB", "[image 384x1]\n", 0, 0},
		{"drawer in raster mode", StarRaster, "\x1b*rA\x1b*rD1\x00\x07", "", 0, 2},
		{"left and not entered", StarRaster, "\x1b*rB", "", 1, 0},
	}
	for _, tt := range tests {
		p, faults := NewDialect(384, tt.dialect), []string{}
		p.OnFault(func(s string) { faults = append(faults, s) })
		fmt.Fprint(p, tt.in)
		text := p.Text()
		if tt.name == "raster on a text printer" { // its letters wait for the line's end
			text = "rA"
		}
		if text != tt.text || len(faults) != tt.faults || p.Drawer() != tt.drawer {
			t.Errorf("%s: got %q, drawer %d, faults %q, want %q, %d and %d", tt.name, p.Text(), p.Drawer(), faults, tt.text, tt.drawer, tt.faults)
		}
		q := NewDialect(384, tt.dialect)
		for i := range len(tt.in) {
			fmt.Fprint(q, tt.in[i:i+1])
		}
		if q.Text() != p.Text() {
			t.Errorf("%s: byte by byte %q", tt.name, q.Text())
		}
	}
}

// TestStarAnswers: nine bytes in real time, whatever state the printer is in.
func TestStarAnswers(t *testing.T) {
	tests := []struct {
		name  string
		setUp func(p *Printer)
		want  string
	}{
		{"well", func(*Printer) {}, "\x23\x06\x00\x00\x00\x00\x00\x00\x00"},
		{"cover", func(p *Printer) { p.SetCover(true) }, "\x23\x06\x28\x00\x00\x00\x00\x00\x00"},
		{"paper", func(p *Printer) { p.SetPaper(0, true) }, "\x23\x06\x08\x00\x00\x0c\x00\x00\x00"},
		{"near end", func(p *Printer) { p.SetPaper(9, true) }, "\x23\x06\x00\x00\x00\x04\x00\x00\x00"},
		{"knife", func(p *Printer) { p.SetCutter(true) }, "\x23\x06\x08\x08\x00\x00\x00\x00\x00"},
		{"hot", func(p *Printer) { p.SetHot(true) }, "\x23\x06\x08\x40\x00\x00\x00\x00\x00"},
		{"one-way", func(p *Printer) { p.SetOneWay(true) }, ""},
	}
	for _, tt := range tests {
		p := NewDialect(576, StarPRNT)
		tt.setUp(p)
		fmt.Fprint(p, "half\x1b\x06\x01")
		var b [16]byte
		if n, _ := p.Read(b[:]); string(b[:n]) != tt.want {
			t.Errorf("%s: % x", tt.name, b[:n])
		}
	}
}
