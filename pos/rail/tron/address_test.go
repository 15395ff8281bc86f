package tron

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// vectors are what tronweb 6.5.1 says of addresses (address.fromHex and isAddress), and
// that it takes none of the bad ones.
func vectors(t testing.TB) (good []struct{ Hex, Base58 string }, bad []struct{ Text string }) {
	t.Helper()
	var in struct {
		Good []struct{ Hex, Base58 string }
		Bad  []struct{ Text string }
	}
	b, err := os.ReadFile("testdata/addresses.json")
	if err == nil {
		err = json.Unmarshal(b, &in)
	}
	if err != nil || len(in.Good) < 30 || len(in.Bad) < 12 {
		t.Fatalf("%d and %d vectors: %v", len(in.Good), len(in.Bad), err)
	}
	return in.Good, in.Bad
}

func TestAddress(t *testing.T) {
	good, bad := vectors(t)
	for _, v := range good {
		a, err := ParseAddress(v.Base58)
		if err != nil || a.Hex() != v.Hex || a.String() != v.Base58 || a.evm() != "0x"+v.Hex[2:] || a.Tail() != v.Base58[28:] {
			t.Errorf("%s: %s, %s, %v", v.Base58, a.Hex(), a, err)
		}
		for i := range v.Base58 { // every letter changed, and in its other size
			for _, c := range []byte{v.Base58[i] ^ 0x20, '1', 'z', '0', 'l'} {
				s := v.Base58[:i] + string(rune(c)) + v.Base58[i+1:]
				if _, err := ParseAddress(s); s != v.Base58 && (err == nil || pos.KindOf(err) != pos.Invalid) {
					t.Errorf("%s was taken", s)
				}
			}
		}
	}
	for _, v := range bad {
		if a, err := ParseAddress(v.Text); err == nil {
			t.Errorf("%q was taken for %s", v.Text, a)
		}
	}
	if b, err := json.Marshal(merchant); err != nil || string(b) != `"`+merchant.String()+`"` {
		t.Errorf("%s, %v", b, err)
	}
}

// TestPrefix: of three bytes an address of 34 characters can begin with T, and two of them
// are another network's: the checksum fits, and nobody here has the key.
func TestPrefix(t *testing.T) {
	for _, first := range []byte{0x40, 0x42} {
		body := append([]byte{first}, bytes.Repeat([]byte{0xf0}, 20)...)
		sum := checksum(body)
		n, radix, digit, s := new(big.Int).SetBytes(append(body, sum[:]...)), big.NewInt(58), new(big.Int), ""
		for n.Sign() > 0 {
			n.QuoRem(n, radix, digit)
			s = string(digits58[digit.Int64()]) + s
		}
		if len(s) != addressLen || s[0] != 'T' {
			t.Fatalf("%s is no test", s)
		}
		if a, err := ParseAddress(s); err == nil || pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s was taken for %s", s, a)
		}
	}
}

// FuzzAddress: what is read is written the same, letter by letter.
func FuzzAddress(f *testing.F) {
	good, bad := vectors(f)
	for _, v := range good {
		f.Add(v.Base58)
	}
	for _, v := range bad {
		f.Add(v.Text)
	}
	f.Add(strings.Repeat("z", addressLen))
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err == nil && a.String() != s {
			t.Fatalf("%q was read as %s", s, a)
		}
	})
}

// FuzzBytes: every account can be written and read.
func FuzzBytes(f *testing.F) {
	f.Add(make([]byte, 20))
	f.Fuzz(func(t *testing.T, b []byte) {
		var a Address
		copy(a[:], b)
		if r, err := ParseAddress(a.String()); err != nil || r != a {
			t.Fatalf("%x became %q: %v", a, a, err)
		}
	})
}

func TestURI(t *testing.T) {
	usdt, _ := Known().Find(728126428, "USDT")
	q := usdt.Asset().UnitsOf(12_340_100)
	if s := URI(merchant, q); s != "tron:"+merchant.String()+"?amount=12.3401" {
		t.Errorf("%s", s)
	}
	for s, want := range map[string]int64{"?amount=12.3401": 12_340_100, "?amount=12": 12_000_000, "?amount=0.000001": 1, "": -1} {
		to, n, err := ParseURI("tron:"+merchant.String()+s, 6)
		if err != nil || to != merchant || (n == nil) != (want < 0) || n != nil && n.Int64() != want {
			t.Errorf("%s: %v, %v", s, n, err)
		}
	}
	if to, n, err := ParseURI(merchant.String(), 6); to != merchant || n != nil || err != nil {
		t.Errorf("a bare address: %v, %v, %v", to, n, err)
	}
	for _, s := range []string{"", "tron:", "TRON:" + merchant.String(), "tron:" + strings.ToLower(merchant.String()), merchant.String() + "?amount=1"} {
		if _, _, err := ParseURI(s, 6); pos.KindOf(err) != pos.Invalid || err == nil {
			t.Errorf("%q was taken", s)
		}
	}
	for _, s := range []string{"", "1e6", ".5", "5.", "-1", "+1", "01", "1.0000001", "1,5", "1 ", "1&x=2", "0x5"} {
		if _, n, err := ParseURI("tron:"+merchant.String()+"?amount="+s, 6); err == nil {
			t.Errorf("amount %q was taken for %v", s, n)
		}
	}
}

func FuzzURI(f *testing.F) {
	f.Add("tron:" + merchant.String() + "?amount=12.3401")
	f.Add(merchant.String())
	f.Add("tron:" + merchant.String() + "?amount=" + strings.Repeat("9", 90))
	f.Fuzz(func(t *testing.T, s string) {
		to, n, err := ParseURI(s, 6)
		if err != nil {
			return
		}
		usdt, _ := Known().Find(728126428, "USDT")
		if n == nil {
			return
		}
		again, m, err := ParseURI(URI(to, quantityOf(usdt, n)), 6)
		if err != nil || again != to || m.Cmp(n) != 0 {
			t.Fatalf("%s: %v, %v", s, m, err)
		}
	})
}

func TestReference(t *testing.T) {
	r := reference{block{80_000_001, [32]byte{1, 2}, 1_800_000_000}, 1_800_000_600, merchant, big.NewInt(5), big.NewInt(price)}
	s := r.String()
	if got, err := readReference(s); err != nil || got.String() != s || got.from != r.from {
		t.Fatalf("%+v, %v", got, err)
	}
	for i := range s { // one byte less, one byte other
		for _, x := range []string{s[:i] + s[i+1:], s[:i] + "x" + s[i+1:]} {
			if got, err := readReference(x); err == nil && got.String() != x {
				t.Errorf("%q was read", x)
			}
		}
	}
	for _, x := range []string{"", "evm 1", s + " ", strings.Replace(s, " 5 ", " 05 ", 1), strings.Replace(s, "tron 1", "tron 2", 1), strings.ToLower(s)} {
		if _, err := readReference(x); pos.KindOf(err) != pos.Corrupt || err == nil {
			t.Errorf("%q was read", x)
		}
	}
}

func FuzzReference(f *testing.F) {
	f.Add(reference{block{1, [32]byte{}, 2}, 3, merchant, new(big.Int), big.NewInt(1)}.String())
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := readReference(s); err == nil && r.String() != s {
			t.Fatalf("%q was read as %q", s, r)
		}
	})
}

func TestRegistry(t *testing.T) {
	known := Known()
	main, ok := known.Chain("tron")
	if !ok || main.ID != 0x2b6653dc || len(known.Chains()) != 2 {
		t.Fatalf("%+v", known.Chains())
	}
	if nile, _ := known.Chain("nile"); nile.ID != 0xcd8690dc {
		t.Errorf("%x", nile.ID)
	}
	usdt, ok := known.Find(main.ID, "usdt")
	if !ok || usdt.Contract.Hex() != "41a614f803b6fd780986a42c78ec9c7f77e6ded13c" || usdt.Decimals != 6 {
		t.Errorf("%+v", usdt)
	}
	if _, ok := known.Find(main.ID, "USDC"); ok {
		t.Error("a token to watch can be asked for")
	}
	for _, c := range [][]Chain{{{ID: 1, Key: "Tron", Name: "x", Coin: "x", StaleS: 60}}, {main}, {{ID: 1, Key: "x1", Name: "x", Coin: "x", StaleS: 5}}, {{Key: "x1"}}} {
		if _, err := known.With(c, nil); pos.KindOf(err) != pos.Invalid || err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
	own := Token{Chain: main.ID, Symbol: "EURX", Contract: customer, Decimals: 6, Peg: "EUR"}
	for i, change := range []func(*Token){
		func(k *Token) {}, func(k *Token) { k.Chain = 5 }, func(k *Token) { k.Contract = usdt.Contract }, func(k *Token) { k.Contract = Address{} },
		func(k *Token) { k.Peg = "XYZ1" }, func(k *Token) { k.Decimals = 31 }, func(k *Token) { k.Symbol = "" },
	} {
		k := own
		change(&k)
		if _, err := known.With(nil, []Token{k}); (err == nil) != (i == 0) {
			t.Errorf("change %d: %v", i, err)
		}
	}
}

func TestHex(t *testing.T) {
	if s := hex.EncodeToString(topicTransfer[:4]); s != "ddf252ad" {
		t.Error(s)
	}
}
