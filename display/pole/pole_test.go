package pole

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/text/encoding/charmap"
	"periph.io/x/conn/v3/display"
	perphtest "periph.io/x/conn/v3/display/displaytest"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/pos"
)

// line opens a pole, again and again.
func line(p *displaytest.Pole) func() (io.WriteCloser, error) {
	return func() (io.WriteCloser, error) { return p, nil }
}

func setUp(t testing.TB, o Opts) (*Dev, *displaytest.Pole) {
	t.Helper()
	p := &displaytest.Pole{Dialect: o.Dialect}
	p.Page = outside[o.CodePage]
	d, err := New(line(p), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range p.Faults() {
			t.Errorf("%s: %v", o.Dialect, err)
		}
	})
	return d, p
}

// TestConformance runs periph's own test of text displays.
func TestConformance(t *testing.T) {
	for _, name := range Dialects() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, _ := setUp(t, Opts{Dialect: name})
				for _, err := range perphtest.TestTextDisplay(d, false) {
					if name != "dsp800" || !errors.Is(err, display.ErrNotImplemented) {
						t.Error(err)
					}
				}
			})
		})
	}
}

// TestLines writes both lines, in each command set.
func TestLines(t *testing.T) {
	for _, name := range Dialects() {
		t.Run(name, func(t *testing.T) {
			d, p := setUp(t, Opts{Dialect: name, CodePage: "cp858"})
			for row, text := range []string{"Croissant      €2.40", "Total          €7.40"} {
				if err := d.MoveTo(row+1, 1); err != nil {
					t.Fatal(err)
				}
				if _, err := d.WriteString(text); err != nil {
					t.Fatal(err)
				}
			}
			if got := p.Lines(); got != [2]string{"Croissant      €2.40", "Total          €7.40"} {
				t.Errorf("shows %q", got)
			}
			if p.Bytes() > 40+30 {
				t.Errorf("two lines take %d bytes", p.Bytes())
			}
			for level, want := range map[display.Intensity]int{0: 1, 100: 2, 255: 4, 999: 4, -1: 1} {
				if err := d.Backlight(level); err != nil || p.Bright() != want {
					t.Errorf("%d: brightness %d, want %d; %v", level, p.Bright(), want, err)
				}
			}
			if err := d.Halt(); err != nil || strings.TrimSpace(strings.Join(lines(p), "")) != "" || p.Closed() != 1 {
				t.Errorf("after Halt it shows %q, %v", p.Lines(), err)
			}
			if err := d.Halt(); err != nil || p.Closed() != 1 {
				t.Errorf("Halt again: %v", err)
			}
		})
	}
}

func lines(p *displaytest.Pole) []string { l := p.Lines(); return l[:] }

// TestCursor moves around the edges.
func TestCursor(t *testing.T) {
	d, p := setUp(t, Opts{Dialect: "escpos"})
	write := func(s string) {
		if _, err := d.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Home(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []display.CursorDirection{display.Backward, display.Up, display.Forward, display.Forward, display.Down} {
		if err := d.Move(dir); err != nil {
			t.Fatal(err)
		}
	}
	write("x") // by way of the lower right, the upper right, and the lower left
	if got := p.Lines(); got[0][:3] != " x " || got[1] != strings.Repeat(" ", 20) {
		t.Errorf("shows %q", got)
	}
	if err := d.MoveTo(2, 20); err != nil {
		t.Fatal(err)
	}
	write("ab")
	if got := p.Lines(); got[1][19] != 'a' || got[0][0] != 'b' {
		t.Errorf("shows %q", got)
	}
	if err := d.Cursor(display.CursorBlink); err != nil || !p.Cursor() {
		t.Errorf("the cursor is not shown: %v", err)
	}
}

// TestHarmless gives text that would be commands.
func TestHarmless(t *testing.T) {
	for _, name := range Dialects() {
		d, p := setUp(t, Opts{Dialect: name})
		if err := d.Home(); err != nil {
			t.Fatal(err)
		}
		if _, err := d.WriteString("a\x0c\x1b@\x04\x01C1X\x17\n\x7fz"); err != nil {
			t.Fatal(err)
		}
		if got := p.Lines(); !strings.HasPrefix(got[0], "a ?@??C1X? ?z") {
			t.Errorf("%s: shows %q", name, got[0])
		}
		if n, err := d.Write([]byte("b\x0c\x1b@\x04\x01C1X\x17\n\x7fy")); n != 13 || err != nil { // bytes of the code page do no more
			t.Errorf("%s: wrote %d, %v", name, n, err)
		}
		if got := p.Lines(); !strings.HasPrefix(got[0]+got[1], "a ?@??C1X? ?zb??@??C1X???y") {
			t.Errorf("%s: shows %q", name, got)
		}
	}
}

// TestBytes compares with the manuals: what a display is started with puts every mode back
// that somebody may have left it in, and the cursor's and scrolling's codes are their own.
func TestBytes(t *testing.T) {
	for name, want := range map[string]string{
		"escpos": "\x1b@\x1bt\x00\x1f\x01\x1fC\x00\x0c",
		"cd5220": "\x1b@\x1b\x11\x1b_\x00\x0c",
		"dsp800": "\x04\x01C1X\x17\x04\x01P1\x17",
	} {
		if got := string(dialects[name].start(pages["cp437"])); got != want {
			t.Errorf("%s: starts with % x, want % x", name, got, want)
		}
	}
	for name, want := range map[string]string{"escpos": "\x1fC\x00 \x1fC\x01 \x1f\x01 \x1f\x02", "cd5220": "\x1b_\x00 \x1b_\x01 \x1b\x11 \x1b\x12"} {
		d := dialects[name]
		got := fmt.Sprintf("%s %s %s %s", d.cursor(false), d.cursor(true), d.scroll(false), d.scroll(true))
		if got != want {
			t.Errorf("%s: cursor off, on, overwriting, scrolling: % x, want % x", name, got, want)
		}
	}
}

// TestLetters holds what becomes of letters that a code page lacks.
func TestLetters(t *testing.T) {
	for _, test := range []struct{ page, in, want string }{
		{"cp437", "Café Süd €2.40", "Café Süd EUR2.40"},
		{"cp858", "Café Süd €2.40", "Café Süd €2.40"},
		{"cp437", "Łódź Škoda Őrült", "Lódz Skoda Orült"},
		{"cp852", "Łódź Škoda Őrült", "Łódź Škoda Őrült"},
		{"cp866", "Борщ 120", "Борщ 120"},
		{"cp866", "Café", "Cafe"},
		{"cp437", "抹茶 −5 …", "?? -5 ..."},
		{"cp1252", "2\u00a0×\u00a0Crème brûlée", "2\u00a0×\u00a0Crème brûlée"},
		{"cp850", "ﬁn", "?n"},
		{"cp437", "e\u0301", "e"},
	} {
		p := pages[test.page]
		got, err := outside[test.page].NewDecoder().Bytes(p.encode(test.in))
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %q becomes %q, want %q; %v", test.page, test.in, got, test.want, err)
		}
	}
}

// TestLineFails breaks each write in turn. The call says so; the next one opens the
// line again, and what is written then is right.
func TestLineFails(t *testing.T) {
	for _, name := range Dialects() {
		for at := 1; at <= 6; at++ {
			d, p := setUp(t, Opts{Dialect: name})
			opened := 0
			d.open = func() (io.WriteCloser, error) {
				if opened++; opened == 2 {
					return nil, io.ErrNoProgress // the cable is still out
				}
				return p, nil
			}
			p.Fail = func(n int) error {
				if n == at {
					return displaytest.ErrBus
				}
				return nil
			}
			show := func() error {
				for row, text := range []string{"Total               ", "EUR 7.40            "} {
					if err := d.MoveTo(row+1, 1); err != nil {
						return err
					}
					if _, err := d.WriteString(text); err != nil {
						return err
					}
				}
				return nil
			}
			failed := 0
			for range 4 {
				err := show()
				if err != nil {
					failed++
				}
				if err != nil && pos.KindOf(err) != pos.Unavailable {
					t.Errorf("%s, write %d: %v, want Unavailable", name, at, err)
				}
			}
			if failed != 2 || opened != 3 {
				t.Errorf("%s, write %d: %d failures, opened %d times", name, at, failed, opened)
			}
			if got := p.Lines(); strings.TrimSpace(got[0]) != "Total" || strings.TrimSpace(got[1]) != "EUR 7.40" {
				t.Errorf("%s, write %d: shows %q", name, at, got)
			}
		}
	}
}

// TestRefusals gives New what makes no display, and calls what the manual forbids.
func TestRefusals(t *testing.T) {
	for _, o := range []Opts{{}, {Dialect: "aedex"}, {Dialect: "escpos", CodePage: "cp1"}} {
		if d, err := New(nil, o); d != nil || pos.KindOf(err) != pos.Invalid {
			t.Errorf("%+v: %v, want Invalid", o, err)
		}
	}
	d, _ := setUp(t, Opts{Dialect: "dsp800"})
	if err := d.AutoScroll(true); !errors.Is(err, display.ErrNotImplemented) {
		t.Errorf("AutoScroll: %v", err)
	}
	if err := d.Cursor(display.CursorBlock); !errors.Is(err, display.ErrNotImplemented) {
		t.Errorf("Cursor: %v", err)
	}
}

// TestPoleFindsFaults sends the emulators what their manuals do not know.
func TestPoleFindsFaults(t *testing.T) {
	for _, test := range []struct{ dialect, in string }{
		{"escpos", "\x1f\x24\x15\x01"}, {"escpos", "\x1f\x24\x01\x03"}, {"escpos", "\x1f\x58\x05"}, {"escpos", "\x1b\x74\x63"}, {"escpos", "\x07"}, {"escpos", "\x1b\x6c\x01\x01"},
		{"escpos", "\x1f\x43\x02"}, {"cd5220", "\x1b\x6c\x00\x01"}, {"cd5220", "\x1f\x24\x01\x01"}, {"cd5220", "\x1b\x2a\x00"},
		{"dsp800", "\x04\x01P\x59\x17"}, {"dsp800", "\x04\x01P\x31\x18"}, {"dsp800", "\x04\x01C\x40\x31\x17"}, {"dsp800", "\x0c"}, {"dsp800", "\x04\x01Z"},
	} {
		p := &displaytest.Pole{Dialect: test.dialect, Page: charmap.CodePage437}
		if _, _ = p.Write([]byte(test.in)); len(p.Faults()) == 0 {
			t.Errorf("%s: % x passed", test.dialect, test.in)
		}
	}
}

// FuzzWrite holds that no text sends a command of its own.
func FuzzWrite(f *testing.F) {
	for _, s := range []string{"Total €7.40", "\x1b@", "\x04\x01C1X\x17", "Łódź\xff\x00", strings.Repeat("é", 50)} {
		f.Add(s, uint8(0))
		f.Add(s, uint8(2))
	}
	f.Fuzz(func(t *testing.T, text string, n uint8) {
		d, p := setUp(t, Opts{Dialect: Dialects()[int(n)%3], CodePage: CodePages()[int(n/3)%len(CodePages())]})
		if err := d.MoveTo(1, 1); err != nil {
			t.Fatal(err)
		}
		before := p.Bytes()
		if _, err := d.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if p.Bytes() > before && len(d.page.encode(text)) != p.Bytes()-before {
			t.Errorf("%q sends %d bytes", text, p.Bytes()-before)
		}
		if at, want := d.at, len(d.page.encode(text))%40; at != want {
			t.Errorf("the cursor is thought at %d, want %d", at, want)
		}
	})
}
