package input

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestLayouts types every letter that a code may hold on every board.
func TestLayouts(t *testing.T) {
	for _, name := range Layouts() {
		var all strings.Builder
		for c := byte(' '); c <= '~'; c++ {
			all.WriteByte(c)
		}
		all.WriteByte(gs)
		text := strings.Replace(all.String(), "` ", "`", 1) + "~a^ "
		got, why := decode(t, Device{Layout: name}, keysOf(t, name, text))
		if got != strings.Replace(text, "^ ", "^ ", 1) || why != "" {
			t.Errorf("%s: got %q %s, want %q", name, got, why, text)
		}
		for level, lines := range boards[name].level {
			for row, line := range lines {
				if n := len([]rune(line)); n != 0 && n != len(rows[row]) {
					t.Errorf("%s: row %d of level %d has %d keys, want %d", name, row, level, n, len(rows[row]))
				}
			}
		}
	}
}

// TestKeyCodes types by codes that were read off real keyboards' pictures, not off our
// tables: 0x80 is Shift, 0x100 AltGr.
func TestKeyCodes(t *testing.T) {
	const s, g = 0x80, 0x100
	for _, x := range []struct {
		layout, want string
		keys         []int
	}{
		{"us", "OP1:4", []int{s | 24, s | 25, 2, s | 39, 5}},
		{"us", "a-b_c/d", []int{30, 12, 48, s | 12, 46, 53, 32}},
		{"uk", "a@b\"c#", []int{30, s | 40, 48, s | 3, 46, 43}},
		{"de", "OP1:4", []int{s | 24, s | 25, 2, s | 52, 5}},
		{"de", "yz-_/@", []int{44, 21, 53, s | 53, s | 8, g | 16}},
		{"fr", "OP1:4", []int{s | 24, s | 25, s | 2, 52, s | 5}},
		{"fr", "40063813", []int{s | 5, s | 11, s | 11, s | 7, s | 4, s | 9, s | 2, s | 4}},
		{"fr", "aqmwz-", []int{16, 30, 39, 44, 17, 7}},
		{"es", "OP1:4", []int{s | 24, s | 25, 2, s | 52, 5}},
		{"es", "/-=@#", []int{s | 8, 53, s | 11, g | 3, g | 4}},
		{"pt", "OP1:4", []int{s | 24, s | 25, 2, s | 52, 5}},
		{"pt", "\\|@{", []int{41, s | 41, g | 3, g | 8}},
		{"cz", "40063813", []int{s | 5, s | 11, s | 11, s | 7, s | 4, s | 9, s | 2, s | 4}},
		{"cz", "OP1:4", []int{s | 24, s | 25, s | 2, s | 52, s | 5}},
		{"cz", "yz/+=", []int{44, 21, s | 26, 2, 12}},
	} {
		var es []Event
		for _, k := range x.keys {
			held := uint16(0)
			if k&s != 0 {
				held = keyRightShift
			} else if k&g != 0 {
				held = keyAltGr
			}
			es = append(es, strokeEvents(stroke{held, uint16(k & 0x7f)})...)
		}
		if got, why := decode(t, Device{Layout: x.layout}, es); got != x.want || why != "" {
			t.Errorf("%s: got %q %s, want %q", x.layout, got, why, x.want)
		}
	}
}

func strokeEvents(s stroke) []Event {
	var out []Event
	if s.held != 0 {
		out = append(out, Event{Type: evKey, Code: s.held, Value: down})
	}
	out = append(out, Event{Type: evKey, Code: s.code, Value: down}, Event{Type: evSyn}, Event{Type: evKey, Code: s.code}, Event{Type: evSyn})
	if s.held != 0 {
		out = append(out, Event{Type: evKey, Code: s.held})
	}
	return out
}

func keysOf(t testing.TB, layout, text string) (out []Event) {
	for _, c := range []byte(text) {
		for _, s := range strokes(t, layout, c) {
			out = append(out, strokeEvents(s)...)
		}
	}
	return out
}

var start = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

// decode gives events to a decoder that hears, a millisecond apart, and then the end.
func decode(t testing.TB, d Device, es []Event) (text string, why Why) {
	t.Helper()
	dec := newDecoder(d, start)
	at := start.Add(time.Minute)
	es = append(es[:len(es):len(es)], Event{Type: evKey, Code: map[End]uint16{"": keyEnter, EndEnter: keyEnter, EndTab: keyTab}[d.End], Value: down})
	for i, e := range es {
		at = at.Add(time.Millisecond)
		e.At = at
		for _, out := range dec.take(e, at) {
			if out == (outcome{}) {
				continue
			}
			if i != len(es)-1 {
				t.Errorf("event %d of %d gave %+v", i, len(es), out)
			}
			text, why = out.text, out.why
		}
	}
	return text, why
}

// TestOddities gives a decoder what scanners and bad cables do.
func TestOddities(t *testing.T) {
	key := func(codes ...uint16) (out []Event) {
		for _, c := range codes {
			out = append(out, strokeEvents(stroke{0, c})...)
		}
		return out
	}
	join := func(parts ...[]Event) (out []Event) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	hold := func(code uint16, es []Event) []Event {
		return join([]Event{{Type: evKey, Code: code, Value: down}}, es, []Event{{Type: evKey, Code: code}})
	}
	us := func(s string) []Event { return keysOf(t, "us", s) }
	for _, x := range []struct {
		name string
		d    Device
		keys []Event
		want string
		why  Why
	}{
		{"nothing", Device{}, nil, "", ""},
		{"the pad", Device{Layout: "fr"}, key(79, 80, 81, 82, 83, 74), "1230.-", ""},
		{"caps", Device{}, join(key(keyCapsLock), us("aB1-"), key(keyCapsLock), us("c")), "Ab1-c", ""},
		{"caps and the third level", Device{Layout: "de"}, join(key(keyCapsLock), hold(keyAltGr, key(16)), key(16)), "@Q", ""},
		{"both shifts", Device{}, hold(keyLeftShift, hold(keyRightShift, key(30))), "A", ""},
		{"a shift let go of early", Device{}, join(hold(keyLeftShift, key(30)), key(30)), "Aa", ""},
		{"num lock around", Device{}, join(key(keyNumLock), us("12"), key(keyNumLock)), "12", ""},
		{"a repeat", Device{}, join(us("1"), []Event{{Type: evKey, Code: 2, Value: 2}, {Type: evKey, Code: 2, Value: 2}}, us("2")), "12", ""},
		{"other events", Device{}, join(us("1"), []Event{{Type: 4, Code: 4, Value: 458784}, {Type: 17, Code: 0, Value: 1}}, us("2")), "12", ""},
		{"a key of no code", Device{}, join(us("1"), key(59), us("2")), "", OddKeys},
		{"an accent of no code", Device{Layout: "cz"}, key(3, 4), "", OddKeys},
		{"another end", Device{End: EndTab}, nil, "", ""},
		{"a mouse's button", Device{}, join(us("1"), key(0x110), us("2")), "", OddKeys},
		{"a key above all", Device{}, join(us("1"), key(0x301), us("2")), "12", ""},
		{"alt and numbers", Device{}, join(hold(keyLeftAlt, key(82, 79, 82, 71)), hold(keyLeftAlt, key(75, 73))), "k1", ""},
		{"alt and a strange number", Device{}, hold(keyLeftAlt, key(80, 76, 76)), "", OddKeys},
		{"alt and a letter", Device{}, hold(keyLeftAlt, key(30)), "", OddKeys},
		{"ctrl and a letter", Device{}, hold(keyLeftCtrl, key(30)), "", OddKeys},
		{"ctrl and alt", Device{Layout: "de"}, hold(keyLeftCtrl, hold(keyLeftAlt, key(16))), "@", ""},
		{"the bracket of a German board", Device{Layout: "de"}, hold(keyLeftCtrl, hold(keyAltGr, key(10))), "]", ""},
		{"the part mark by place", Device{}, hold(keyLeftCtrl, key(27)), "\x1d", ""},
		{"the longest", Device{}, us(strings.Repeat("7", MaxScan)), strings.Repeat("7", MaxScan), ""},
		{"too long", Device{}, us(strings.Repeat("7", MaxScan+1)), "", TooLong},
		{"a fault keeps its name", Device{}, join(key(59), us(strings.Repeat("7", MaxScan+1))), "", OddKeys},
	} {
		got, why := decode(t, x.d, x.keys)
		if got != x.want || why != x.why {
			t.Errorf("%s: got %q %q, want %q %q", x.name, got, why, x.want, x.why)
		}
	}
}

// TestEnds walks the ways in which a scan ends, by the kernel's clock and by silence.
func TestEnds(t *testing.T) {
	type step struct {
		key   uint16
		after time.Duration
	}
	digits := func(gap time.Duration, codes ...uint16) (out []step) {
		for _, c := range codes {
			out = append(out, step{c, gap})
		}
		return out
	}
	for _, x := range []struct {
		name  string
		d     Device
		steps []step
		want  string
	}{
		{"enter", Device{}, append(digits(30*time.Millisecond, 2, 3), step{keyEnter, time.Millisecond}), "12"},
		{"enter on the pad", Device{}, append(digits(30*time.Millisecond, 2, 3), step{keyKPEnter, time.Millisecond}), "12"},
		{"twice", Device{}, append(digits(30*time.Millisecond, 2, 3), step{keyEnter, 0}, step{keyEnter, 0}), "12"},
		{"tab", Device{End: EndTab}, append(digits(30*time.Millisecond, 2, 3), step{keyTab, 0}), "12"},
		{"tab for enter", Device{}, append(digits(30*time.Millisecond, 2, 3), step{keyTab, 0}), "!unfinished"},
		{"enter for tab", Device{End: EndTab}, append(digits(30*time.Millisecond, 2, 3), step{keyEnter, 0}), "!unfinished"},
		{"stuck", Device{}, append(digits(30*time.Millisecond, 2, 3), digits(GapStale, 4)...), "!unfinished !unfinished"},
		{"stuck, then whole", Device{}, append(digits(30*time.Millisecond, 2, 3), step{4, GapStale}, step{keyEnter, time.Millisecond}), "!unfinished 3"},
		{"slow", Device{}, append(digits(GapStale-time.Millisecond, 2, 3), step{keyEnter, time.Millisecond}), "12"},
		{"none", Device{End: EndNone}, digits(30*time.Millisecond, 2, 3, 4), "123"},
		{"none, two", Device{End: EndNone}, append(digits(30*time.Millisecond, 2, 3), digits(GapNone, 4)...), "12 3"},
		{"none, with enter", Device{End: EndNone}, append(digits(30*time.Millisecond, 2, 3), step{keyEnter, 0}, step{4, 0}), "12 3"},
		{"a gap of its own", Device{End: EndNone, Gap: 50 * time.Millisecond}, digits(50*time.Millisecond, 2, 3), "1 2"},
	} {
		dec := newDecoder(x.d, start)
		at, got := start.Add(time.Minute), []string{}
		say := func(out outcome) {
			switch {
			case out.why != "":
				got = append(got, "!"+string(out.why))
			case out.text != "":
				got = append(got, out.text)
			}
		}
		for _, s := range x.steps {
			at = at.Add(s.after)
			for _, out := range dec.take(Event{At: at, Type: evKey, Code: s.key, Value: down}, at) {
				say(out)
			}
		}
		say(dec.quiet())
		if strings.Join(got, " ") != x.want {
			t.Errorf("%s: got %q, want %q", x.name, got, x.want)
		}
		if dec.waits() {
			t.Errorf("%s: something is left", x.name)
		}
	}
}

// FuzzDecoder gives a decoder any events at all: what comes out is a text that a code
// may hold, of a length that is bounded, and after a silence a good scan is whole.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{2, 1, 1, 2, 0, 1, 28, 1, 1}, uint8(0))
	f.Add([]byte{42, 1, 1, 30, 1, 1, 42, 0, 1, 15, 1, 250}, uint8(3))
	f.Add([]byte{0, 3, 9, 56, 1, 1, 71, 1, 1, 56, 0, 0}, uint8(9))
	names := Layouts()
	f.Fuzz(func(t *testing.T, b []byte, how uint8) {
		d := Device{Layout: names[int(how)%len(names)], End: []End{EndEnter, EndTab, EndNone}[how/16%3]}
		dec := newDecoder(d, start)
		at := start
		check := func(out outcome) {
			if out.text != "" && out.why != "" || len(out.text) > MaxScan {
				t.Fatalf("%+v", out)
			}
			for _, c := range []byte(out.text) {
				if (c < ' ' || c > '~') && c != gs {
					t.Fatalf("letter %#x came out", c)
				}
			}
		}
		for len(b) >= 3 {
			e := Event{Type: evKey, Code: uint16(b[0]), Value: int32(b[1] % 3)}
			if b[0] == 0 {
				e = Event{Type: evSyn, Code: uint16(b[1] % 4)}
			}
			at = at.Add(time.Duration(b[2]) * 3 * time.Millisecond)
			e.At = at
			for _, out := range dec.take(e, at) {
				check(out)
			}
			if len(dec.text) > MaxScan {
				t.Fatalf("%d bytes are kept", len(dec.text))
			}
			b = b[3:]
		}
		check(dec.quiet())
		at = at.Add(time.Second)
		for _, c := range []uint16{keyLeftShift, keyRightShift, keyLeftCtrl, keyRightCtrl, keyLeftAlt, keyAltGr} { // let go of
			for _, out := range dec.take(Event{At: at, Type: evKey, Code: c}, at) {
				check(out)
			}
		}
		dec.quiet()
		dec.caps = false
		at = at.Add(time.Second)
		var got []outcome
		end := uint16(keyEnter)
		if d.End == EndTab {
			end = keyTab
		}
		for _, e := range append(keysOf(t, d.layout(), "X-42"), Event{Type: evKey, Code: end, Value: down}) {
			e.At = at
			for _, out := range dec.take(e, at) {
				if out != (outcome{}) {
					got = append(got, out)
				}
			}
		}
		if len(got) != 1 || got[0].text != "X-42" {
			t.Fatalf("after that a good scan gave %+v", got)
		}
	})
}

// TestRandomCodes reads codes of all letters by every layout.
func TestRandomCodes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		b := make([]byte, 1+r.IntN(60))
		for i := range b {
			b[i] = byte('!' + r.IntN('~'-'!'+1)) // a space behind an accent is the accent's
		}
		name := Layouts()[r.IntN(7)]
		if got, why := decode(t, Device{Layout: name}, keysOf(t, name, string(b))); got != string(b) || why != "" {
			t.Fatalf("%s: got %q %s, want %q", name, got, why, b)
		}
	}
}
