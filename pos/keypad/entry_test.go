package keypad

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// typed types text into an entry.
func typedIn(text string) (e entry) {
	for _, r := range text {
		switch r {
		case '.':
			e.point()
		case '×':
			e.multiply()
		case '<':
			e.back()
		default:
			e.push(string(r))
		}
	}
	return e
}

// TestEntry holds what a number means: as on every till, and either order of × too.
func TestEntry(t *testing.T) {
	for _, x := range []struct {
		code, text string
		qty, minor int64
		ok         bool
	}{
		{"EUR", "1250", 1000, 1250, true},
		{"EUR", "12.5", 1000, 1250, true},
		{"EUR", "12.", 1000, 1200, true},
		{"EUR", ".5", 1000, 50, true},
		{"EUR", "2.500", 1000, 250, true},
		{"EUR", "2.505", 1000, 0, false},
		{"EUR", "007", 1000, 7, true},
		{"EUR", "3×250", 3000, 250, true},
		{"EUR", "250×3", 3000, 250, true},
		{"EUR", "3×2.50", 3000, 250, true},
		{"EUR", "2.50×3", 3000, 250, true},
		{"EUR", "12×5", 12000, 5, true},
		{"EUR", "100×250", 100_000, 250, true},
		{"EUR", "0.250×12.00", 250, 1200, true},
		{"EUR", "12.00×0.250", 250, 1200, true},
		{"EUR", "0.250×1200", 250, 1200, true},
		{"EUR", "0×250", 0, 250, false},
		{"EUR", "3×", 0, 0, false},
		{"JPY", "1250", 1000, 1250, true},
		{"JPY", "12.5", 1000, 0, false},
		{"JPY", "3×250", 3000, 250, true},
		{"JPY", "0.5×300", 500, 300, true},
		{"KWD", "1250", 1000, 1250, true},
		{"KWD", "1.25", 1000, 1250, true},
		{"EUR", "12<<", 1000, 0, false},
		{"EUR", "3×25<<<", 1000, 3, true},
	} {
		c, err := pos.CurrencyOf(x.code)
		if err != nil {
			t.Fatal(err)
		}
		qty, minor, ok := typedIn(x.text).take(c)
		if ok != x.ok || (ok && (qty != x.qty || minor != x.minor)) {
			t.Errorf("%s %q: %d × %d, %v; want %d × %d, %v", x.code, x.text, qty, minor, ok, x.qty, x.minor, x.ok)
		}
	}
}

// FuzzEntry types anything: what the panel says is what is taken.
func FuzzEntry(f *testing.F) {
	f.Add("3×2.50", uint8(2))
	f.Add("0.001×999999999", uint8(0))
	f.Add("....××<<<1", uint8(3))
	f.Fuzz(func(t *testing.T, text string, decimals uint8) {
		c, err := pos.CurrencyOf([]string{"JPY", "EUR", "KWD"}[decimals%3])
		if err != nil {
			t.Fatal(err)
		}
		e := typedIn(strings.Map(func(r rune) rune {
			if strings.ContainsRune("0123456789.×<", r) {
				return r
			}
			return -1
		}, text))
		qty, minor, ok := e.take(c)
		shown := e.typed(c)
		switch {
		case ok && minor < 0, ok && qty <= 0:
			t.Errorf("%+v is taken as %d × %d", e, qty, minor)
		case ok && (shown.Text != "" || shown.Amount.Minor != minor):
			t.Errorf("%+v is taken as %d × %d and shown as %+v", e, qty, minor, shown)
		case ok && e.times && shown.Qty != qty:
			t.Errorf("%+v is taken as %d pieces and shown as %+v", e, qty, shown)
		case !ok && !e.empty() && shown.Text == "" && shown.Amount != (pos.Amount{}):
			t.Errorf("%+v cannot be taken and is shown as %+v", e, shown)
		}
	})
}

// TestLayout: what the kernel calls keys, and what a shop makes of them.
func TestLayout(t *testing.T) {
	l, err := NewLayout(map[string]string{"kpslash": "cancel", "f1": "menu", "kpminus": "none", "kp0": "00"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Function{"KEY_KPSLASH": Cancel, "kpslash": Cancel, "F1": Menu, "kpminus": None, "kpplus": Add, "kp7": "7", "kp0": "00", "numlock": None, "": None, "key_": None, "nothing": None} {
		if got := l.Does(name); got != want {
			t.Errorf("%q does %q, want %q", name, got, want)
		}
	}
	if l.Label(Cancel) != "/" || l.Label(Menu) != "F1" || l.Label(Enter) != "Enter" || l.Key(Menu) != "f1" {
		t.Errorf("labels: %q %q %q %q", l.Label(Cancel), l.Label(Menu), l.Label(Enter), l.Key(Menu))
	}
	for _, bad := range []map[string]string{{"KP PLUS": "add"}, {"kpplus": "adds"}, {"kpplus": "none"}, {"": "add"}} {
		if _, err := NewLayout(bad); pos.KindOf(err) != pos.Invalid || err == nil {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// TestFull: once a key was left out, all are until the queue is empty: an amount never
// lacks a digit from its middle.
func TestFull(t *testing.T) {
	k := New(Options{})
	for range maxKeys + 1 {
		k.Press("kp1")
	}
	for range 5 {
		<-k.keys
	}
	k.Press("kp2")
	if len(k.keys) != maxKeys-5 {
		t.Errorf("%d keys wait: one was taken behind a gap", len(k.keys))
	}
	for len(k.keys) > 0 {
		<-k.keys
	}
	k.Press("kp3")
	if s := <-k.keys; s.does != "3" || !k.missed {
		t.Errorf("afterwards: %+v, missed %v", s, k.missed)
	}
}
