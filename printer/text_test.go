package printer

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "Café €5", "Café €5"},
		{"white space", "a\tb\nc\r\u00a0d\u2003e", "a b c  d e"},
		{"control bytes", "a\x00\x1bp\x00\x19\u009b\x7f", "a??p????"},
		{"real-time command", "\x10\x14\x01\x00\x01", "?????"},
		{"accent after its letter", "Cafe\u0301 nin\u0303o Zu\u0308rich c\u030c", "Café niño Zürich č"},
		{"accent after nothing", "\u0301x", "x"},
		{"accent without a letter of its own", "x\u0301", "x"},
		{"direction marks", "a\u202eb\u200fc\ufeffd\u2066", "abcd"},
		{"joined emoji", "👩\u200d🍳\ufe0f", "👩🍳"},
		{"broken UTF-8", "a\xffb\xc3", "a?b?"},
		{"private use", "a\ue000b", "a?b"},
		{"Thai keeps its marks", "น้ำ", "น้ำ"},
		{"Arabic keeps its vowels", "قَهْوَة", "قَهْوَة"},
		{"marks piled up", "ก" + strings.Repeat("่", 50) + "ข", "ก" + strings.Repeat("่", marksMax) + "ข"},
		{"mark after a space", " ่x", " x"},
		{"line separators", "a\u2028b\u2029c", "a b c"},
	}
	for _, tt := range tests {
		if got := Clean(tt.in); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if got := Clean(Clean(tt.in)); got != tt.want {
			t.Errorf("%s: twice gives %q", tt.name, got)
		}
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		name   string
		in     string
		width  int
		indent int
		want   []string
	}{
		{"nothing", "", 5, 2, []string{""}},
		{"fits", "ab cd", 5, 2, []string{"ab cd"}},
		{"at a space", "ab cd ef", 5, 2, []string{"ab cd", "  ef"}},
		{"spaces fold", " ab   cd ", 5, 0, []string{"ab cd"}},
		{"long word", "abcdefghijk", 5, 2, []string{"abcde", "  fgh", "  ijk"}},
		{"letters, not bytes", "äöüßé x", 5, 0, []string{"äöüßé", "x"}},
		{"indent wider than half", "aa bb", 2, 9, []string{"aa", " b", " b"}},
		{"one cell", "abc", 1, 2, []string{"a", "b", "c"}},
	}
	for _, tt := range tests {
		if got := wrap(tt.in, tt.width, tt.indent); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestPair(t *testing.T) {
	tests := []struct{ name, label, value, want string }{
		{"side by side", "Cash", "20.00", "Cash               20.00"},
		{"just fits", "123456789012345678", "20.00", "123456789012345678 20.00"},
		{"too long by one", "1234567890123456789", "20.00", "1234567890123456789\n                   20.00"},
		{"label alone", "Cash", "", "Cash"},
		{"value alone", "", "20.00", "                   20.00"},
		{"nothing", "", "", ""},
		{"margin is kept", "  2 x 2.90", "5.80", "  2 x 2.90          5.80"},
		{"value wraps", "by", "somebody with a very long name", "by\n    somebody with a very\n               long name"},
	}
	for _, tt := range tests {
		s := &sheet{doc: Document{Columns: 24}, cols: 24}
		s.pair(tt.label, tt.value, Style{})
		if got := strings.TrimRight(s.doc.Text(), "\n"); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// TestCells counts as Unicode does (annex 11), and cut parts no letter from its marks.
func TestCells(t *testing.T) {
	for text, want := range map[string]int{"": 0, "Café": 4, "抹茶アイス": 10, "김치": 4, "น้ำ": 2, "قهوة": 4, "🍰": 2, "ｆ": 2, "①": 1} {
		if got := Cells(text); got != want {
			t.Errorf("%q takes %d cells, want %d", text, got, want)
		}
	}
	tests := []struct {
		in         string
		n          int
		head, tail string
	}{{"น้ำส้ม", 1, "น้", "ำส้ม"}, {"抹茶", 3, "抹", "茶"}, {"抹茶", 1, "抹", "茶"}, {"abc", 3, "abc", ""}, {"", 2, "", ""}}
	for _, tt := range tests {
		if head, tail := cut(tt.in, tt.n); head != tt.head || tail != tt.tail {
			t.Errorf("%q after %d: %q and %q", tt.in, tt.n, head, tail)
		}
	}
}

// TestRightToLeft: a name from right to left is two spaces away from its amount, or
// on a line of its own, so that an encoder sees two columns.
func TestRightToLeft(t *testing.T) {
	for n := 1; n < 40; n++ {
		s := &sheet{doc: Document{Columns: 24}, cols: 24}
		s.pair(strings.Repeat("ق", n), "20.00", Style{})
		for line := range strings.Lines(s.doc.Text()) {
			if strings.Contains(line, "ق 2") {
				t.Errorf("%d letters: %q", n, line)
			}
		}
	}
}

// TestCodePages compares the tables with those of an independent source.
func TestCodePages(t *testing.T) {
	for page, want := range map[*CodePage]*charmap.Charmap{
		CP437: charmap.CodePage437, CP850: charmap.CodePage850, CP858: charmap.CodePage858, CP1252: charmap.Windows1252,
		CP852: charmap.CodePage852, CP860: charmap.CodePage860, CP863: charmap.CodePage863, CP865: charmap.CodePage865, CP866: charmap.CodePage866,
		CP1250: charmap.Windows1250, CP1251: charmap.Windows1251, CP1253: charmap.Windows1253, CP1254: charmap.Windows1254, CP1257: charmap.Windows1257,
	} {
		for b := 0x20; b < 0x100; b++ {
			got, ok := page.Rune(byte(b))
			w := want.DecodeByte(byte(b))
			if b == 0x7F || (w < 0xA0 && w >= 0x80) || w == 0xFFFD {
				if ok {
					t.Errorf("%s: %02x is %q, want nothing", page.Name, b, got)
				}
				continue
			}
			if !ok || got != w {
				t.Errorf("%s: %02x is %q, want %q", page.Name, b, got, w)
			}
			if back, ok := page.Byte(w); !ok || back != byte(b) {
				t.Errorf("%s: %q is %02x, want %02x", page.Name, w, back, b)
			}
		}
		for _, r := range "\x00\x1b\x10\n\x7f\u2c60\ufffd" {
			if b, ok := page.Byte(r); ok {
				t.Errorf("%s: %q is %02x, want nothing", page.Name, r, b)
			}
		}
	}
}

func TestTrouble(t *testing.T) {
	tests := []struct {
		name string
		s    Status
		want string
	}{
		{"silent", Status{}, ""},
		{"well", Status{Known: true, PaperLow: true}, ""},
		{"cover before paper", Status{Known: true, Offline: true, Cover: true, PaperOut: true}, "printer_cover"},
		{"paper", Status{Known: true, Offline: true, PaperOut: true}, "printer_paper"},
		{"power", Status{Known: true, Offline: true, Fault: true}, "printer_fault"},
		{"knife", Status{Known: true, Offline: true, Cutter: true}, "printer_cutter"},
		{"head", Status{Known: true, Offline: true, Hot: true}, "printer_hot"},
		{"paused", Status{Known: true, Offline: true}, "printer_offline"},
		{"takes nothing", Status{Stalled: true}, "printer_stalled"},
	}
	for _, tt := range tests {
		if got := tt.s.Trouble(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		want := Faulty
		if tt.want == "" {
			want = map[bool]Health{true: OK, false: Unknown}[tt.s.Known]
		}
		if got := tt.s.Health(); got != want {
			t.Errorf("%s: health %q, want %q", tt.name, got, want)
		}
	}
}
