package wire_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/wire"
)

const treasury = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

// seedOf returns the seed 00 01 … 1f, the one of the vectors, with its first byte moved.
func seedOf(first byte) wire.AddressSeed {
	a := wire.AddressSeed{Scheme: 1, Treasury: treasury}
	for i := range a.Seed {
		a.Seed[i] = byte(i)
	}
	a.Seed[0] += first
	return a
}

// sheetText is a sheet as a till prints it.
func sheetText(a wire.AddressSeed) string {
	text := "Recovery sheet of Café Süd, Till 1. Keep it.\n\ntreasury  " + a.Treasury + "   the only place\nscheme    tillwright/evm/" + strconv.Itoa(a.Scheme) +
		"\nfactory   0x1111111111111111111111111111111111111111\n"
	for i, row := range a.SheetRows() {
		text += fmt.Sprintf("seed R  %d  %s\n", i+1, row)
	}
	return text
}

// TestSeedIsSecret prints a seed in every way that a log or a page might.
func TestSeedIsSecret(t *testing.T) {
	a := seedOf(7)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "seed", a.Seed, "all", a, "pointer", &a)
	plain := fmt.Sprintf("%v %+v %#v %s %x %d %q %v", a, a, a, a.Seed, a.Seed, a.Seed, a.Seed, &a.Seed) + log.String()
	for _, part := range []string{"070102", "7 1 2", "0x7, 0x1", "0102030405"} {
		if strings.Contains(plain, part) {
			t.Errorf("%q shows in %s", part, plain)
		}
	}
	if b, err := json.Marshal(a); err != nil || !strings.Contains(string(b), `"0701020304`) {
		t.Errorf("the wire needs it: %s, %v", b, err)
	}
}

// TestSheetVector holds the format still, for sheets are in safes: rows computed by
// other means from what sheet.go says.
func TestSheetVector(t *testing.T) {
	want := []string{"000G-40R4-0M30-FQDD", "104G-M2RC-1M70-ZFS7", "208H-44RM-2MB1-FGPF", "30CH-M6RW-3MF1-YW0E"}
	if got := seedOf(0).SheetRows(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestSheet types sheets as people do.
func TestSheet(t *testing.T) {
	a := seedOf(3)
	text := sheetText(a)
	rows := a.SheetRows()
	small := strings.ToLower(strings.Join(rows, "\n"))
	for name, in := range map[string]string{
		"copied":         text,
		"windows":        strings.ReplaceAll(text, "\n", "\r\n"),
		"rows alone":     treasury + "\n" + strings.Join(rows, "\n"),
		"small, spaces":  strings.ToLower(treasury) + "\n" + strings.ReplaceAll(small, "-", " "),
		"no dashes":      treasury + "\n" + strings.ReplaceAll(small, "-", ""),
		"numbered":       treasury + "\n1. " + rows[0] + "\n2) " + rows[1] + "\n3 " + rows[2] + "\n4: " + rows[3],
		"look-alikes":    treasury + "\n" + strings.NewReplacer("0", "O", "1", "l").Replace(strings.Join(rows, "\n")),
		"hex, of before": "treasury  " + treasury + "\nscheme    tillwright/evm/1\nseed R    03" + "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	} {
		got, err := wire.ParseSheet(in)
		if err != nil || got.Seed != a.Seed || !strings.EqualFold(got.Treasury, treasury) || got.Scheme != 1 {
			t.Errorf("%s: %v, %v, same seed %v", name, got.Treasury, err, got.Seed == a.Seed)
		}
	}
	for name, tt := range map[string]struct{ in, want string }{
		"empty":            {"", "treasury is missing"},
		"no treasury":      {strings.Join(rows, "\n"), "treasury is missing"},
		"three rows":       {treasury + "\n" + strings.Join(rows[:3], "\n"), "3 of them"},
		"five rows":        {treasury + "\n" + strings.Join(rows, "\n") + "\n" + rows[0], "5 of them"},
		"a letter missing": {strings.Replace(text, rows[1], rows[1][1:], 1), "3 of them"},
		"another treasury": {strings.Replace(text, "5aAeb", "5aAec", 1), "or in the treasury"},
		"another scheme":   {strings.Replace(text, "evm/1", "evm/2", 1), "or in the treasury"},
		"no such scheme":   {strings.Replace(text, "evm/1", "evm/999", 1), "typing error"},
		"rows changed":     {treasury + "\n" + rows[0] + "\n" + rows[2] + "\n" + rows[1] + "\n" + rows[3], "row 2"},
		"a letter u":       {strings.Replace(text, rows[2], "UUUU"+rows[2][4:], 1), "row 3"},
		"a whole book":     {strings.Repeat(text, 100), "longer"},
	} {
		if got, err := wire.ParseSheet(tt.in); pos.KindOf(err) != pos.Invalid || !strings.Contains(err.Error(), tt.want) || !got.Seed.IsZero() {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// TestSlips makes one slip in each letter of a sheet, and swaps each two neighbours.
// Goal: each is found, and the row is named.
func TestSlips(t *testing.T) {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	a := seedOf(99)
	rng := rand.New(rand.NewPCG(1, 2))
	tries, missed := 0, 0
	for row, good := range a.SheetRows() {
		for i := range good {
			if good[i] == '-' {
				continue
			}
			slip := []byte(good)
			slip[i] = letters[(strings.IndexByte(letters, good[i])+1+rng.IntN(31))%32]
			swap := []byte(good)
			if j := i + 1; j < len(good) && good[j] != '-' {
				swap[i], swap[j] = swap[j], swap[i]
			}
			for _, bad := range []string{string(slip), string(swap)} {
				if bad == good {
					continue
				}
				tries++
				_, err := wire.ParseSheet(strings.Replace(sheetText(a), good, bad, 1))
				if err == nil {
					missed++ // one in 65,536
				} else if !strings.Contains(err.Error(), "row "+strconv.Itoa(row+1)) || strings.Contains(err.Error(), good[:4]) {
					t.Errorf("row %d: %v", row+1, err)
				}
			}
		}
	}
	if tries < 100 || missed > 0 {
		t.Errorf("%d slips, %d not found", tries, missed)
	}
}

// keeper answers KeepSeed as a backoffice does.
type keeper struct {
	got   []string
	kept  time.Time
	sign  byte
	reply func(w http.ResponseWriter) bool // true: it answered
}

func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, 4096)
	n, _ := r.Body.Read(body)
	k.got = append(k.got, r.URL.String()+" "+string(body[:n]))
	if k.reply != nil && k.reply(w) {
		return
	}
	counter, _ := strconv.ParseInt(r.Header.Get(wire.HeaderCounter), 10, 64)
	b, _ := json.Marshal(wire.SeedKept{Kept: k.kept})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(wire.HeaderSignature, wire.Answer{Path: r.URL.Path, Counter: counter, Body: b}.Sign(keyOf(k.sign)))
	_, _ = w.Write(b)
}

// TestKeepSeed: only the backoffice's own signed word counts.
func TestKeepSeed(t *testing.T) {
	k := &keeper{kept: time.Now(), sign: 'b'}
	far := httptest.NewServer(k)
	defer far.Close()
	c := wire.NewClient(far.URL, "0011223344556677", keyOf('t'), public(keyOf('b')), nil)
	if err := c.KeepSeed(t.Context(), seedOf(1)); err != nil {
		t.Fatal(err)
	}
	if len(k.got) != 1 || !strings.HasPrefix(k.got[0], "/v1/tills/0011223344556677/address-seeds {") || !strings.Contains(k.got[0], `"seed":"0101020304`) || !strings.Contains(k.got[0], treasury) {
		t.Errorf("it was sent %v", len(k.got))
	}
	for name, tt := range map[string]struct {
		spoil func()
		want  pos.Kind
	}{
		"signed by another": {func() { k.sign = 'x' }, pos.Corrupt},
		"no word of it":     {func() { k.kept = time.Time{} }, pos.Corrupt},
		"a portal": {func() {
			k.reply = func(w http.ResponseWriter) bool { _, _ = w.Write([]byte("<html>")); return true }
		}, pos.Unavailable},
		"an older backoffice": {func() {
			k.reply = func(w http.ResponseWriter) bool {
				w.Header().Set("Content-Type", wire.ProblemType)
				w.WriteHeader(404)
				_, _ = w.Write([]byte(`{"type":"about:blank","title":"Not Found","status":404,"detail":"Cannot POST"}`))
				return true
			}
		}, pos.Forbidden},
	} {
		*k = keeper{kept: time.Now(), sign: 'b'}
		tt.spoil()
		if err := c.KeepSeed(t.Context(), seedOf(1)); pos.KindOf(err) != tt.want || strings.Contains(fmt.Sprint(err), "0102030405") {
			t.Errorf("%s: %v", name, err)
		}
	}
	*k = keeper{kept: time.Now(), sign: 'b'}
	for name, a := range map[string]wire.AddressSeed{
		"nothing": {}, "no scheme": {Treasury: treasury, Seed: wire.Seed{1}}, "no treasury": {Scheme: 1, Seed: wire.Seed{1}},
		"zero treasury": {Scheme: 1, Treasury: "0x0000000000000000000000000000000000000000", Seed: wire.Seed{1}},
		"short":         {Scheme: 1, Treasury: treasury[:41], Seed: wire.Seed{1}}, "no seed": {Scheme: 1, Treasury: treasury}, "far": {Scheme: 256, Treasury: treasury, Seed: wire.Seed{1}},
	} {
		if err := c.KeepSeed(context.Background(), a); pos.KindOf(err) != pos.Invalid || len(k.got) != 0 {
			t.Errorf("%s: %v, and %d bytes left", name, err, len(k.got))
		}
	}
}

// FuzzAddressSeed reads what comes to a backoffice. Whatever passes comes out of a sheet
// again as it went in; whatever does not is not said back.
func FuzzAddressSeed(f *testing.F) {
	for _, s := range []string{
		`{"scheme":1,"treasury":"` + treasury + `","seed":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}`,
		`{"scheme":255,"treasury":"0xffffffffffffffffffffffffffffffffffffffff","seed":"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}`,
		`{"scheme":1,"treasury":"` + treasury + `","seed":"000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f"}`,
		`{"scheme":0,"treasury":"","seed":""}`, `{"seed":"00"}`, `{"scheme":-1}`, `{"seed":null}`, `[]`, `{"treasury":"0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var a wire.AddressSeed
		err := json.Unmarshal(b, &a)
		if err == nil {
			err = a.Check()
		}
		if err != nil {
			return
		}
		got, err := wire.ParseSheet(sheetText(a))
		if err != nil || got != a {
			t.Fatalf("%v comes back as %v, %v, same seed %v", a, got, err, a.Seed == got.Seed)
		}
	})
}

// FuzzSheet reads what somebody typed.
func FuzzSheet(f *testing.F) {
	f.Add(sheetText(seedOf(0)))
	f.Add(treasury + "\n" + strings.Repeat("0000-0000-0000-0000\n", 4))
	f.Add("seed R 1 0000 0000\n0x")
	f.Add("tillwright/evm/999\n" + treasury)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := wire.ParseSheet(text)
		if err != nil {
			if pos.KindOf(err) != pos.Invalid || !a.Seed.IsZero() {
				t.Fatalf("%v", err)
			}
			return
		}
		if again, err := wire.ParseSheet(sheetText(a)); err != nil || again != a {
			t.Fatalf("%v: %v", a, err)
		}
	})
}
