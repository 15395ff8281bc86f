package qr

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/skip2/go-qrcode"

	"github.com/tillwright/tillwright/pos"
)

// alphabet is the alphanumeric mode's (ISO/IEC 18004, table 5).
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// invoice returns n characters as a BOLT11 invoice in capitals has them.
func invoice(n int) string {
	const bech32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
	var b strings.Builder
	b.WriteString("LNBC1250N1P")
	for i := 0; b.Len() < n; i++ {
		b.WriteByte(bech32[(i*i*7+i*13+n)%32])
	}
	return b.String()[:n]
}

// read decodes m with another library's reader.
func read(t *testing.T, m Matrix) string {
	t.Helper()
	bits, err := gozxing.NewSquareBitMatrix(m.Size())
	if err != nil {
		t.Fatal(err)
	}
	for y := range m.Size() {
		for x := range m.Size() {
			if m.Dark(x, y) {
				bits.Set(x, y)
			}
		}
	}
	got, err := decoder.NewDecoder().Decode(bits, nil)
	if err != nil {
		t.Fatalf("version %d-%v cannot be read: %v", m.Version(), m.Level(), err)
	}
	return got.GetText()
}

// TestEveryLength encodes each length an invoice can have, and reads it back.
func TestEveryLength(t *testing.T) {
	for n := 1; n <= 600; n += stride {
		text := invoice(n)
		m, err := encode(key{text, M}) // not through the cache: it would only be emptied
		if err != nil {
			t.Fatalf("%d characters: %v", n, err)
		}
		if got := read(t, m); got != text {
			t.Fatalf("%d characters: read %q, want %q", n, got, text)
		}
	}
}

func TestKinds(t *testing.T) {
	bip21 := "bitcoin:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq?amount=0.00020340&label=Caf%C3%A9"
	for _, test := range []struct {
		name    string
		text    string
		level   Level
		version int
	}{
		// Versions from the standard's table 7: characters or bytes that fit.
		{"alphanumeric to the brim, 1-M", strings.Repeat("A:", 10), M, 1},
		{"one more, 2-M", strings.Repeat("A:", 10) + "A", M, 2},
		{"an invoice in capitals, 10-M", invoice(300), M, 10},
		{"the same in small letters, 13-M", strings.ToLower(invoice(300)), M, 13},
		{"an invoice at L, 9-L", invoice(300), L, 9},
		{"an invoice at Q, 13-Q", invoice(300), Q, 13},
		{"an invoice at H, 15-H", invoice(300), H, 15},
		{"101 digits, 3-M", strings.Repeat("0123456789", 10) + "0", M, 3},
		{"BIP21, 83 bytes of the 84 of 5-M", bip21, M, 5},
		{"umlauts as UTF-8", "Käsekuchen für €4,20", M, 2},
		{"the whole alphabet", alphabet, M, 3},
		{"an unknown level counts as M", invoice(21), 99, 2},
		{"40-L, full", strings.Repeat("A", maxText), L, 40},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := Encode(test.text, test.level)
			if err != nil {
				t.Fatal(err)
			}
			if m.Version() != test.version || m.Size() != 17+4*test.version {
				t.Errorf("version %d with %d modules, want version %d", m.Version(), m.Size(), test.version)
			}
			if got := read(t, m); got != test.text {
				t.Errorf("read %q, want %q", got, test.text)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for name, f := range map[string]func() (Matrix, error){
		"nothing":              func() (Matrix, error) { return Encode("", M) },
		"longer than any code": func() (Matrix, error) { return Encode(strings.Repeat("A", maxText+1), L) },
		"too long for H":       func() (Matrix, error) { return Encode(strings.Repeat("A", maxText), H) },
		"too many bytes":       func() (Matrix, error) { return Encode(strings.Repeat("a", 2954), L) },
		"best of nothing":      func() (Matrix, error) { return Best("", M, 100) },
		"no room":              func() (Matrix, error) { return Best(invoice(300), M, 64) },
		"no room at all":       func() (Matrix, error) { return Best("A", L, 0) },
		"fit, one pixel short": func() (Matrix, error) { m, _, err := Fit(invoice(300), M, 129, 2); return m, err },
		"fit of nothing":       func() (Matrix, error) { m, _, err := Fit("", M, 500, 2); return m, err },
		"fit, too long":        func() (Matrix, error) { m, _, err := Fit(strings.Repeat("a", 4000), M, 500, 1); return m, err },
	} {
		t.Run(name, func(t *testing.T) {
			if m, err := f(); pos.KindOf(err) != pos.Invalid || m.Size() != 0 {
				t.Errorf("got %d modules, %v; want Invalid", m.Size(), err)
			}
		})
	}
}

func TestBest(t *testing.T) {
	for _, test := range []struct {
		name       string
		least      Level
		maxModules int
		want       Level
		version    int
	}{
		{"just room for M", M, 65, M, 10},
		{"not quite for Q", M, 76, M, 10},
		{"just room for Q", M, 77, Q, 13},
		{"room for H", M, 85, H, 15},
		{"plenty", M, 1000, H, 15},
		{"L if it must be", L, 64, L, 9},
		{"least is H", H, 85, H, 15},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := Best(invoice(300), test.least, test.maxModules)
			if err != nil || m.Level() != test.want || m.Version() != test.version {
				t.Errorf("got %d-%v, %v; want %d-%v", m.Version(), m.Level(), err, test.version, test.want)
			}
		})
	}
}

// TestFit holds that stronger correction never costs a smaller module.
func TestFit(t *testing.T) {
	for pixels := 130; pixels <= 900; pixels += 7 * stride {
		m, px, err := Fit(invoice(300), M, pixels, 2)
		if err != nil {
			t.Fatal(err)
		}
		if want := pixels / 65; px != want { // 10-M and its quiet zones
			t.Errorf("%d pixels: modules of %d, want %d", pixels, px, want)
		}
		if side := (m.Size() + 2*Quiet) * px; side > pixels {
			t.Errorf("%d pixels: the code takes %d", pixels, side)
		}
	}
	if m, px, err := Fit(invoice(300), M, 455, 2); err != nil || px != 7 || m.Level() != M {
		t.Errorf("a 7 inch panel: %v with modules of %d, %v", m.Level(), px, err)
	}
	if m, px, err := Fit(invoice(300), M, 520, 2); err != nil || px != 8 || m.Level() != M {
		t.Errorf("520 pixels: %v with modules of %d, %v", m.Level(), px, err)
	}
	if m, px, err := Fit(invoice(300), M, 389, 2); err != nil || px != 5 || m.Level() != Q {
		t.Errorf("389 pixels: %v with modules of %d, %v; Q is free", m.Level(), px, err)
	}
}

func TestOutsideIsLight(t *testing.T) {
	m, err := Encode("A", M)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Dark(0, 0) || !m.Dark(20, 0) || !m.Dark(0, 20) {
		t.Error("the finder patterns do not begin in the corners")
	}
	for i := -Quiet; i < m.Size()+Quiet; i++ {
		for _, at := range [][2]int{{i, -1}, {-1, i}, {i, m.Size()}, {m.Size(), i}} {
			if m.Dark(at[0], at[1]) {
				t.Errorf("module %v is dark", at)
			}
		}
	}
	var zero Matrix
	if zero.Dark(0, 0) || zero.Size() != 0 || zero.Version() != 0 {
		t.Error("the zero Matrix is not empty")
	}
}

// TestEncodeOnce lets many ask for one text at the same time.
func TestEncodeOnce(t *testing.T) {
	var calls atomic.Int64
	s := store{encode: func(k key) (Matrix, error) { calls.Add(1); return encode(k) }}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := s.get(key{invoice(300), M}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := calls.Load(); n != 1 {
		t.Errorf("encoded %d times, want once", n)
	}
}

// TestCacheIsBounded asks for more texts than are kept: the newest are there, the
// rest is gone, and errors do not stay for ever either.
func TestCacheIsBounded(t *testing.T) {
	calls := map[string]int{}
	s := store{encode: func(k key) (Matrix, error) { calls[k.text]++; return Matrix{}, errors.New("no") }}
	for round := range 2 {
		for i := range 3 * cacheMax {
			_, _ = s.get(key{fmt.Sprint(i), M})
			_, _ = s.get(key{fmt.Sprint(i), M})
			if len(s.known) > cacheMax {
				t.Fatalf("%d codes are kept, want at most %d", len(s.known), cacheMax)
			}
		}
		for text, n := range calls {
			if n != round+1 {
				t.Errorf("%s was encoded %d times in %d rounds", text, n, round+1)
			}
		}
	}
}

// TestPanicIsAnError stands for the encoder's log.Panic.
func TestPanicIsAnError(t *testing.T) {
	err := func() (err error) {
		defer guard(&err)
		panic("bug: numEmptyModules is 3")
	}()
	if pos.KindOf(err) != pos.Internal {
		t.Errorf("got %v, want Internal", err)
	}
}

// FuzzEncode holds that any text is encoded faithfully or refused.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"A", "a", "0", alphabet, invoice(300), "lightning:lnbc1", "00AA00aa00", "é€\x00\xff", "1234567890123A"} {
		f.Add(s, uint8(0))
		f.Add(s, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, l uint8) {
		m, err := encode(key{text, Level(l)})
		if err != nil {
			if pos.KindOf(err) != pos.Invalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for _, r := range text {
			if r < ' ' || r > '~' {
				return // the reader guesses a character set; ours go by bytes
			}
		}
		if got := read(t, m); got != text {
			t.Errorf("read %q, want %q", got, text)
		}
	})
}

// BenchmarkEncode is what a new payload costs, beside the bare encoder.
func BenchmarkEncode(b *testing.B) {
	text := invoice(300)
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			if _, err := encode(key{text, M}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("fit, new", func(b *testing.B) {
		for b.Loop() {
			cache = store{encode: encode, measure: measure}
			if _, _, err := Fit(text, M, 456, 3); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("fit, known", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := Fit(text, M, 456, 3); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			code, err := qrcode.New(text, qrcode.Medium)
			if err != nil {
				b.Fatal(err)
			}
			code.Bitmap()
		}
	})
}
