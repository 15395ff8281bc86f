package solana

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestBase58 holds to the test vectors of the draft "The Base58 Encoding Scheme"
// (draft-msporny-base58-03, section 5), and to one spelling of each value.
func TestBase58(t *testing.T) {
	for in, want := range map[string]string{
		hex.EncodeToString([]byte("Hello World!")):                                 "2NEpo7TZRRrLZSi2U",
		hex.EncodeToString([]byte("The quick brown fox jumps over the lazy dog.")): "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
		"0000287fb4cd": "11233QC4",
		"":             "",
		"00":           "1",
	} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := encode58(b); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
		if got, ok := decode58(want, len(b)); !ok || !bytes.Equal(got, b) {
			t.Errorf("%s is %x, %v", want, got, ok)
		}
	}
	if k := (Key{}); k.String() != strings.Repeat("1", 32) || MustKey(k.String()) != k {
		t.Errorf("zero is %s", k)
	}
	full := bytes.Repeat([]byte{255}, 32)
	if got, ok := decode58(encode58(full), 32); !ok || !bytes.Equal(got, full) {
		t.Errorf("%x", got)
	}
	good := merchant.String()
	for _, bad := range []string{
		"", "1", good[4:], good + "1", "1" + good, good[:43] + "0", strings.Replace(good, "n", "l", 1), " " + good, good + " ", good[:20] + "é" + good[22:],
		strings.Repeat("1", 33), strings.Repeat("z", 44), strings.Repeat("1", 4096),
	} {
		if k, err := ParseKey(bad); err == nil || pos.KindOf(err) != pos.Invalid {
			t.Errorf("%q is %s", bad, k)
		}
	}
}

func FuzzBase58(f *testing.F) {
	f.Add(merchant.String(), merchant[:])
	f.Add("11233QC4", []byte{0, 0, 40, 127, 180, 205})
	f.Fuzz(func(t *testing.T, s string, b []byte) {
		if len(b) > 200 {
			return
		}
		if got, ok := decode58(encode58(b), len(b)); !ok || !bytes.Equal(got, b) {
			t.Errorf("%x comes back as %x, %v", b, got, ok)
		}
		if k, err := ParseKey(s); err == nil && k.String() != s {
			t.Errorf("%q and %s are one key", s, k)
		}
	})
}

// TestAccountOf holds to accounts of the real cluster: two programs, two bumps.
func TestAccountOf(t *testing.T) {
	known := Known()
	for symbol, c := range map[string]struct {
		want string
		bump byte
	}{
		"USDC":  {"CfToqWCFDUmEEMmmGmJ6eJj1GMnJLs9VBaWsLgZh69sT", 255},
		"USDT":  {"CNP7fCBarm3AH9hTizN7aPftnrVzXaSMZJ8g4EMCgZfS", 254},
		"PYUSD": {"7ERNQtTbW7Wba8GWijoj8gc7MdEhgLgXDyJ19Gzpnm7B", 255},
	} {
		token, ok := known.Find("solana", symbol)
		if !ok {
			t.Fatalf("no %s", symbol)
		}
		program := token.Program.key()
		k, bump, ok := programAddress(associated, merchant[:], program[:], token.Mint[:])
		if !ok || k.String() != c.want || bump != c.bump || k != AccountOf(merchant, program, token.Mint) {
			t.Errorf("%s: %s with bump %d, want %s with %d", symbol, k, bump, c.want, c.bump)
		}
		if onCurve(k) {
			t.Errorf("%s is on the curve", k)
		}
	}
}

// TestOnCurve: public keys are on the curve, Ed25519's base point and identity too;
// RFC 8032's first test key; half of all hashes are not.
func TestOnCurve(t *testing.T) {
	for name, s := range map[string]string{
		"the base point":             "5866666666666666666666666666666666666666666666666666666666666666",
		"the identity":               "0100000000000000000000000000000000000000000000000000000000000000",
		"RFC 8032, 7.1, TEST 1":      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		"RFC 8032, 7.1, TEST 2":      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
		"y = 0, which is of order 4": "0000000000000000000000000000000000000000000000000000000000000000",
	} {
		b, err := hex.DecodeString(s)
		if err != nil || !onCurve(Key(b)) {
			t.Errorf("%s is not on the curve", name)
		}
	}
	if !onCurve(merchant) {
		t.Error("a wallet is not on the curve")
	}
	on := 0
	for i := range 400 {
		if onCurve(keyOf(string(rune('a' + i)))) {
			on++
		}
	}
	if on < 150 || on > 250 {
		t.Errorf("%d of 400 hashes are on the curve", on)
	}
}

// TestSpecification reads the three transfer requests of Solana Pay's SPEC.md.
func TestSpecification(t *testing.T) {
	const to = "solana:mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN"
	const usdc = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
	for s, want := range map[string]Request{
		to + "?amount=1&label=Michael&message=Thanks%20for%20all%20the%20fish&memo=OrderId12345": {Amount: "1", Label: "Michael", Message: "Thanks for all the fish", Memo: "OrderId12345"},
		to + "?amount=0.01&spl-token=" + usdc:                                                    {Amount: "0.01", Token: MustKey(usdc)},
		to + "?label=Michael":                                                                    {Label: "Michael"},
	} {
		want.To = MustKey("mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN")
		got, err := ParseURI(s)
		if err != nil || got.To != want.To || got.Amount != want.Amount || got.Token != want.Token || got.Label != want.Label || got.Message != want.Message || got.Memo != want.Memo || len(got.References) != 0 {
			t.Errorf("%s is %+v, %v", s, got, err)
		}
	}
	// The reference implementation's own test: two references, the smallest amount of a coin.
	refs := []Key{MustKey("9aE476sH92Vz7DMPyq5WLPkrKWivxeuTKEFKd2sZZcde"), MustKey("2jDmYQMRCBnXUQeFRvQABcU6hLcvjVTdG7AoHravxWJX")}
	r, err := ParseURI("solana:" + merchant.String() + "?amount=0.000000001&reference=" + refs[0].String() + "&reference=" + refs[1].String() + "&label=label&message=message&memo=memo")
	n, ok := r.Units(9)
	if err != nil || !ok || n.Int64() != 1 || len(r.References) != 2 || r.References[0] != refs[0] || r.References[1] != refs[1] {
		t.Errorf("%+v, %v", r, err)
	}
	if _, ok := r.Units(8); ok {
		t.Error("more decimals than the token has were taken")
	}
	for _, bad := range []string{
		"", "solana:", "solana:" + usdc[4:], "SOLANA:" + usdc, "solana:https://example.com", to + "?", to + "?amount", to + "?amount=", to + "?amount=1e2", to + "?amount=.5",
		to + "?amount=1.", to + "?amount=01", to + "?amount=-1", to + "?amount=+1", to + "?amount=1,5", to + "?amount=1&amount=2", to + "?amount=0x10", to + "?amount=%31",
		to + "?spl-token=" + usdc + "&spl-token=" + usdc, to + "?spl-token=x", to + "?spl-token=11111111111111111111111111111111", to + "?reference=1", to + "?label=%ff", to + "?label=%4", to + "?label=a&label=b",
		to + "?amount=1&&label=a", to + "?memo=" + strings.Repeat("a", maxURI),
	} {
		if r, err := ParseURI(bad); err == nil {
			t.Errorf("%q is %+v", bad, r)
		}
	}
}

// TestURI: what a wallet reads is what the sale says, to the base unit.
func TestURI(t *testing.T) {
	usdc, _ := Known().Find("solana", "USDC")
	ref := keyOf("reference")
	s := URI(usdc, merchant, big.NewInt(12_340_100), ref, "Café Süd & Söhne #1+1=2")
	want := "solana:FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa?amount=12.3401&spl-token=EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v&reference=" + ref.String() + "&label=Caf%C3%A9%20S%C3%BCd%20%26%20S%C3%B6hne%20%231%2B1%3D2"
	if s != want {
		t.Errorf("%s\nwant\n%s", s, want)
	}
	for units, want := range map[int64]string{1: "0.000001", 100: "0.0001", 999_999: "0.999999", 1_000_000: "1", 10_500_000: "10.5", 1_000_000_000_000: "1000000"} {
		if got := number(big.NewInt(units), 6); got != want {
			t.Errorf("%d is %s, want %s", units, got, want)
		}
	}
	if got := number(big.NewInt(5), 0); got != "5" {
		t.Errorf("5 without decimals is %s", got)
	}
}

func FuzzURI(f *testing.F) {
	f.Add(uint64(12_340_100), uint8(6), merchant[:], merchant[:], "Café Süd", "solana:mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN?amount=1&label=Michael&message=Thanks%20for%20all%20the%20fish&memo=OrderId12345")
	f.Add(uint64(1), uint8(18), make([]byte, 32), merchant[:], "+%&#=?", "solana:x")
	f.Fuzz(func(t *testing.T, units uint64, decimals uint8, mint, ref []byte, label, stranger string) {
		if r, err := ParseURI(stranger); err == nil {
			if _, ok := r.Units(6); ok != (r.Amount != "" && decimalsOf(r.Amount) <= 6) {
				t.Errorf("%q: amount %q", stranger, r.Amount)
			}
		}
		if len(mint) != 32 || len(ref) != 32 || decimals > 18 || len(label) > maxLabel || !pos.IsPlain(label) || Key(mint).IsZero() {
			return
		}
		token := Token{Mint: Key(mint), Decimals: int(decimals)}
		n := new(big.Int).SetUint64(units)
		s := URI(token, merchant, n, Key(ref), label)
		r, err := ParseURI(s)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		got, ok := r.Units(int(decimals))
		refs := 1
		if Key(ref).IsZero() {
			refs = 0
		}
		if !ok || got.Cmp(n) != 0 || r.To != merchant || r.Token != Key(mint) || len(r.References) != refs || refs == 1 && r.References[0] != Key(ref) || r.Label != label || r.Memo != "" {
			t.Errorf("%s is read as %+v (%v)", s, r, got)
		}
	})
}

func decimalsOf(s string) int {
	_, frac, _ := strings.Cut(s, ".")
	return len(frac)
}
