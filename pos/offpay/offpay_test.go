package offpay

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

var update = flag.Bool("update", false, "write testdata/offpay1.json anew")

const goldenFile = "testdata/offpay1.json"

// golden is the file that other implementations check themselves against.
type golden struct {
	Spec    string    `json:"spec"`
	Vectors []vector  `json:"vectors"`
	Refused []refused `json:"refused"` // under the keys of vector A
	Scans   []scan    `json:"scans"`
	Typed   []typed   `json:"typed"` // against vector A
}

type vector struct {
	Name      string `json:"name"`
	Key       string `json:"key"`
	Device    Device `json:"device"`
	Epoch     uint8  `json:"epoch"`
	Counter   uint32 `json:"counter"`
	Amount    uint64 `json:"amount"`
	Currency  uint16 `json:"currency"`
	Issued    uint32 `json:"issued"`
	TTL       uint8  `json:"ttl"`
	Mac       string `json:"k_m"`
	Enc       string `json:"k_e"`
	CodeKey   string `json:"k_c"`
	Body      string `json:"body"`
	Token     string `json:"token"`
	Code      string `json:"code"`
	Shown     string `json:"shown"`
	Scan      string `json:"scan"`
	Reference string `json:"reference"`
	URL       string `json:"url"`
	LNURL     string `json:"lnurl"`
}

type refused struct {
	Why   string `json:"why"`
	Token string `json:"token"`
}

type scan struct {
	Text    string `json:"text"`
	OK      bool   `json:"ok"`
	Counter uint32 `json:"counter,omitempty"`
	Code    string `json:"code,omitempty"`
}

type typed struct {
	Text string `json:"text"`
	OK   bool   `json:"ok"`
}

// published are the three vectors of the specification, as printed there.
var published = map[string][4]string{ // body, token, code, LNURL
	"A": {"000001a100000004e203d26b0268c014", "AaGyw9TlAZdvolGdX9JlxAWZrTOA6ft33YNWcGjfNLQzU6xeUslP", "009812",
		"LNURL1DP68GURN8GHJ7URP0YHX27RPD4CXCEFWVDHK6TM09AQKZ3MEWUU4GMZPTFJ8VMMVGAJ9SW22D3UYZ466WF2Y7SFKVE6RXV6EFETKX3M2VE8YC5T625M8SE24WDK9QLYU7Y0"},
	"B": {"0000000d00000003d401880000000014", "AaGyw9TlAYP94ittFDU-NgtaoNP6YxYq8XlPyoF2gXj4D7cRDKag", "000996"},
	"C": {"ffffffffffffffffff03e7ffffffffff", "AaGyw9Tl_84Z_bjTybuzHv30Zwp-hie18NDqhe66_hSEoJZYollI", "721387"},
}

const host = "pay.example.com"

func testKey() (k Key) {
	for i := range k {
		k[i] = byte(i)
	}
	return k
}

var testDevice = Device{0xa1, 0xb2, 0xc3, 0xd4, 0xe5}

var requestA = Request{417, 1250, 978, 1795320000, 20}

func seal(t testing.TB, k *Keys, r Request) Token {
	t.Helper()
	tok, err := k.Seal(r)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// makeGolden writes the file's content out of this implementation.
func makeGolden(t *testing.T) golden {
	g := golden{Spec: "OFFPAY-1"}
	add := func(name string, key Key, d Device, epoch uint8, r Request) {
		k := Derive(key, d, epoch)
		tok := seal(t, k, r)
		body, code, url := r.body(), k.Code(tok), URL(host, tok)
		g.Vectors = append(g.Vectors, vector{name, hex.EncodeToString(key[:]), d, epoch, r.Counter, r.Amount, r.Currency, r.Issued, r.TTL,
			hex.EncodeToString(k.s.mac), hex.EncodeToString(k.s.enc), hex.EncodeToString(k.s.code), hex.EncodeToString(body[:]), tok.String(),
			code, ShowCode(code), ScanCode(r.Counter, code), Reference(r.Counter), url, LNURL(url)})
	}
	add("A", testKey(), testDevice, 1, requestA)
	add("B", testKey(), testDevice, 1, Request{13, 980, 392, 0, 20})
	add("C", testKey(), testDevice, 255, Request{1<<32 - 1, MaxAmount, 999, 1<<32 - 1, 255})
	add("the least of everything", Key{}, Device{}, 0, Request{1, 1, 1, 0, 1})
	add("A in another epoch", testKey(), testDevice, 2, requestA)
	add("A of another device", testKey(), Device{0xa1, 0xb2, 0xc3, 0xd4, 0xe6}, 1, requestA)
	add("A under another key", Key{31: 1}, testDevice, 1, requestA)
	add("A, one cent more", testKey(), testDevice, 1, Request{417, 1251, 978, 1795320000, 20})
	for i := range uint32(12) {
		add(fmt.Sprintf("series %d", i+1), Key{0: byte(i), 31: 7}, Device{4: byte(i)}, uint8(i*23), Request{1 << (i * 2), 1 << (i * 3), uint16(36 + i), 1795320000 + i*1e6, uint8(1 + i*20)})
	}
	g.Refused = refusals(t)
	for _, s := range []string{"OP1:417:009812", "OP1:1:000000", "OP1:4294967295:999999", "OP1:417:009812\r\n", " OP1:417:009812",
		"", "OP1", "OP1:417", "OP1::009812", "OP1:0:009812", "OP1:0417:009812", "OP1:+417:009812", "OP1:4294967296:009812", "OP1:417:9812",
		"OP1:417:0098123", "OP1:417:00981x", "OP1:417:009 812", "op1:417:009812", "OP1S:417:009812", "OP1:417:009812:1", "OP1:-1:009812", "OP1:417: 09812"} {
		n, code, ok := ParseScan(s)
		g.Scans = append(g.Scans, scan{s, ok, n, code})
	}
	k := Derive(testKey(), testDevice, 1)
	for _, s := range []string{"009812", "009 812", "009-812", " 0 0 9 8 1 2 ", "0-0-9-8-1-2", "009813", "9812", "0009812", "00981", "", "009812x",
		"００９８１２", "009.812", "009\t812", "-009812", "+09812", "oo9812", "009812" + strings.Repeat(" ", 35)} {
		g.Typed = append(g.Typed, typed{s, k.Match(seal(t, k, requestA), s)})
	}
	return g
}

// refusals lists tokens that vector A's keys must refuse, one of each kind.
func refusals(t *testing.T) []refused {
	k := Derive(testKey(), testDevice, 1)
	a := seal(t, k, requestA)
	text := a.String()
	flip := func(i int) string { a := a; a[i] ^= 0x80; return a.String() }
	raw := func(r Request) string { // sealed as it stands, out of range or not
		body := r.body()
		tag := k.tag(body)
		body = k.mask(tag, body)
		return Token(append(append(append([]byte{}, k.s.head[:]...), tag[:]...), body[:]...)).String()
	}
	return []refused{
		{"empty", ""}, {"one character short", text[:51]}, {"one character long", text + "A"}, {"padding", text[:51] + "="},
		{"base64's other alphabet", strings.Replace(text[:51], "Z", "+", 1) + "A"}, {"a space", text[:51] + " "}, {"an end of line", text[:51] + "\n"},
		{"an end of line within 53", text[:20] + "\n" + text[20:]}, {"version 0", flipTo(a, 0, 0)}, {"version 2", flipTo(a, 0, 2)},
		{"another device", flip(1)}, {"another epoch", flip(6)}, {"a bit of the tag", flip(7)}, {"the tag's last bit", flipTo(a, 22, a[22]^1)},
		{"a bit of the body", flip(23)}, {"the last bit", flipTo(a, 38, a[38]^1)},
		{"sealed by another key", seal(t, Derive(Key{}, testDevice, 1), requestA).String()},
		{"counter 0", raw(Request{0, 1250, 978, 0, 20})}, {"amount 0", raw(Request{417, 0, 978, 0, 20})},
		{"currency 0", raw(Request{417, 1250, 0, 0, 20})}, {"currency 1000", raw(Request{417, 1250, 1000, 0, 20})}, {"ttl 0", raw(Request{417, 1250, 978, 0, 0})},
	}
}

func flipTo(t Token, i int, v byte) string { t[i] = v; return t.String() }

// TestGolden holds the code to the file, and the file to the specification.
func TestGolden(t *testing.T) {
	want, err := json.MarshalIndent(makeGolden(t), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(goldenFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != string(want) {
		t.Errorf("%s is not what this code makes; if that is meant, run with -update and read the difference", goldenFile)
	}
}

// TestPublished checks the specification's own vectors, letter by letter.
func TestPublished(t *testing.T) {
	g := readGolden(t)
	for name, p := range published {
		for _, v := range g.Vectors {
			if v.Name == name && (v.Body != p[0] || v.Token != p[1] || v.Code != p[2] || (p[3] != "" && v.LNURL != p[3])) {
				t.Errorf("%s: got %+v, want %v", name, v, p)
			}
		}
	}
	a := g.Vectors[0]
	for i, want := range []string{"167303dd4a6c96fdf495c623cc7ee6a18519a0e7924b495bae5d2d3c51b1fc5f", "5b4324d45b4c24845804102063fe7545f639a27d7e17f9a0ed1316a54d1a1f32", "b382e52e0a88ac546df99d1b8742bda5a13fc62e23d148d6d45890a276fa9747"} {
		if got := []string{a.Mac, a.Enc, a.CodeKey}[i]; got != want {
			t.Errorf("key %d: %s, want %s", i, got, want)
		}
	}
}

func readGolden(t testing.TB) golden {
	t.Helper()
	b, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestOpen opens every vector, and refuses every other with one error.
func TestOpen(t *testing.T) {
	g := readGolden(t)
	for _, v := range g.Vectors {
		var key Key
		if _, err := hex.Decode(key[:], []byte(v.Key)); err != nil {
			t.Fatal(err)
		}
		k := Derive(key, v.Device, v.Epoch)
		tok, err := ParseToken(v.Token)
		if err != nil || tok.Device() != v.Device || tok.Epoch() != v.Epoch || tok.String() != v.Token {
			t.Fatalf("%s: %v, %v", v.Name, tok, err)
		}
		if r, err := k.Open(tok); err != nil || r != (Request{v.Counter, v.Amount, v.Currency, v.Issued, v.TTL}) {
			t.Errorf("%s: %+v, %v", v.Name, r, err)
		}
		if k.Code(tok) != v.Code || !k.Match(tok, v.Shown) {
			t.Errorf("%s: code %s", v.Name, k.Code(tok))
		}
		if u, err := ParseLNURL(v.LNURL); err != nil || u != v.URL {
			t.Errorf("%s: %q, %v", v.Name, u, err)
		}
	}
	k := Derive(testKey(), testDevice, 1)
	for _, bad := range g.Refused {
		if r, err := openText(k, bad.Token); err != ErrToken || r != (Request{}) {
			t.Errorf("%s: %+v, %v", bad.Why, r, err)
		}
	}
}

func openText(k *Keys, s string) (Request, error) {
	t, err := ParseToken(s)
	if err != nil {
		return Request{}, err
	}
	return k.Open(t)
}

// TestEveryBit flips each bit of the published tokens in turn: in the bytes, and
// in the text. Goal: all refused, also by keys that were made for the changed head.
func TestEveryBit(t *testing.T) {
	for name, p := range published {
		tok, err := ParseToken(p[1])
		if err != nil {
			t.Fatal(err)
		}
		epoch := tok.Epoch()
		k := Derive(testKey(), testDevice, epoch)
		if _, err := k.Open(tok); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for bit := range TokenBytes * 8 {
			bad := tok
			bad[bit/8] ^= 1 << (bit % 8)
			for who, k := range map[string]*Keys{"its": k, "the changed head's": Derive(testKey(), bad.Device(), bad.Epoch())} {
				if _, err := k.Open(bad); err != ErrToken {
					t.Errorf("%s, bit %d, under %s keys: %v", name, bit, who, err)
				}
			}
		}
		for i := range p[1] {
			for bit := range 8 {
				text := []byte(p[1])
				text[i] ^= 1 << bit
				if _, err := openText(k, string(text)); err != ErrToken {
					t.Errorf("%s, character %d, bit %d: %v", name, i, bit, err)
				}
			}
		}
	}
}

// TestBound gives every other token's code. Goal: a code opens its own token and
// no other, not even the same sale's a cent apart.
func TestBound(t *testing.T) {
	k := Derive(testKey(), testDevice, 1)
	seen := map[string]uint32{}
	for n := uint32(1); n <= 300; n++ {
		tok := seal(t, k, Request{n, 1250, 978, 0, 20})
		code := k.Code(tok)
		if other, twice := seen[code]; twice {
			t.Logf("%d and %d share %s by chance", other, n, code)
		}
		seen[code] = n
		next := seal(t, k, Request{n, 1251, 978, 0, 20})
		if code != k.Code(next) && k.Match(next, code) {
			t.Errorf("token %d+1c takes the code of %d", n, n)
		}
	}
}

// TestSealRange refuses what the format cannot say.
func TestSealRange(t *testing.T) {
	k := Derive(testKey(), testDevice, 1)
	for name, change := range map[string]func(*Request){
		"counter 0": func(r *Request) { r.Counter = 0 }, "amount 0": func(r *Request) { r.Amount = 0 }, "amount 2^40": func(r *Request) { r.Amount = 1 << 40 },
		"currency 0": func(r *Request) { r.Currency = 0 }, "currency 1000": func(r *Request) { r.Currency = 1000 }, "ttl 0": func(r *Request) { r.TTL = 0 },
	} {
		r := requestA
		change(&r)
		if _, err := k.Seal(r); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestScansAndTyped reads the file's lists.
func TestScansAndTyped(t *testing.T) {
	g := readGolden(t)
	good := 0
	for _, s := range g.Scans {
		n, code, ok := ParseScan(s.Text)
		if ok != s.OK || n != s.Counter || code != s.Code {
			t.Errorf("scan %q: %d %q %t", s.Text, n, code, ok)
		}
		if ok {
			good++
		}
	}
	k := Derive(testKey(), testDevice, 1)
	for _, s := range g.Typed {
		if ok := k.Match(seal(t, k, requestA), s.Text); ok != s.OK {
			t.Errorf("typed %q: %t", s.Text, ok)
		}
		if s.OK {
			good++
		}
	}
	if good != 5+6 {
		t.Errorf("%d good ones, want 11", good)
	}
	for n, want := range map[uint32]string{1: "#0001", 417: "#0417", 98765: "#98765"} {
		if got := Reference(n); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if ShowCode("12") != "12" {
		t.Error("what is no code was cut")
	}
}

// TestRedacted prints keys in every way there is. Goal: no byte of them.
func TestRedacted(t *testing.T) {
	key := testKey()
	keys := Derive(key, testDevice, 1)
	grant := Grant{Device: testDevice, Key: key, Host: host}
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(h).Info("x", "key", key, "keys", keys, "keysv", *keys, "grant", grant, "pgrant", &grant)
	}
	out := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q", "%c", "%b"} {
		out += fmt.Sprintf(verb+verb+verb+verb+verb, key, keys, *keys, grant, &grant) + fmt.Sprintf(verb, struct{ hidden *Keys }{keys}) + fmt.Sprintf(verb, []Key{key})
	}
	text, _ := key.MarshalText()
	for _, leak := range []string{"00010203", "0 1 2 3", "0x1, 0x2", "00 01 02", "1, 2, 3", string(text), "AAECAw", hex.EncodeToString(keys.s.mac)[:8], "167303DD", "22, 115, 3", "22 115 3"} {
		if strings.Contains(out, leak) {
			t.Errorf("%q leaks", leak)
		}
	}
	if !strings.Contains(out, redacted) {
		t.Error("nothing was printed")
	}
}

// TestTexts reads and writes devices and keys.
func TestTexts(t *testing.T) {
	g := Grant{Device: testDevice, Epoch: 3, Key: testKey(), Host: host, Highest: 9, Limits: DefaultLimits(), Enabled: true}
	b, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var back Grant
	if err := json.Unmarshal(b, &back); err != nil || back != g {
		t.Errorf("%s came back as %+v, %v", b, back, err)
	}
	for _, bad := range []string{"", "a1b2c3d4e", "a1b2c3d4e5f6", "A1B2C3D4E5", "a1b2c3d4eg"} {
		d := testDevice
		if err := d.UnmarshalText([]byte(bad)); pos.KindOf(err) != pos.Invalid || d != testDevice {
			t.Errorf("device %q: %v", bad, err)
		}
	}
	text, _ := testKey().MarshalText()
	for _, bad := range []string{"", "AAECAw==", string(text[:43]), string(text) + "A", strings.Replace(string(text), "8=", "9=", 1), "\n" + string(text[1:])} {
		var k Key
		if err := k.UnmarshalText([]byte(bad)); pos.KindOf(err) != pos.Invalid || !k.IsZero() {
			t.Errorf("key %q: %v", bad, err)
		}
	}
}

// TestLimits refuses limits that limit nothing.
func TestLimits(t *testing.T) {
	if err := DefaultLimits().Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Limits){
		"per sale 0": func(l *Limits) { l.PerSale = 0 }, "per sale too much": func(l *Limits) { l.PerSale = 1 << 40; l.Total = 1 << 41 },
		"total less": func(l *Limits) { l.Total = l.PerSale - 1 }, "no sales": func(l *Limits) { l.Sales = 0 }, "many sales": func(l *Limits) { l.Sales = MaxSales + 1 },
		"no age": func(l *Limits) { l.Age = 0 }, "old": func(l *Limits) { l.Age = MaxAge + 1 }, "ttl": func(l *Limits) { l.TTL = 0 },
	} {
		l := DefaultLimits()
		change(&l)
		if pos.KindOf(l.Check()) != pos.Invalid {
			t.Errorf("%s: accepted", name)
		}
	}
	for s, final := range map[OutcomeState]bool{Open: false, Pending: false, "": false, "new": false, Paid: true, Unpaid: true, Conflict: true} {
		if s.Final() != final {
			t.Errorf("%s: final %t", s, s.Final())
		}
	}
}

// TestNumeric wants a number for every currency of pos, each another one.
func TestNumeric(t *testing.T) {
	seen := map[uint16]string{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				code := string([]rune{a, b, c})
				_, known := pos.CurrencyOf(code)
				n, err := Numeric(code)
				if (known == nil) != (err == nil) {
					t.Errorf("%s: pos %v, number %v", code, known, err)
				}
				if other, twice := seen[n]; err == nil && (twice || n < 1 || n > maxNumeric) {
					t.Errorf("%s has the number %d of %s", code, n, other)
				}
				seen[n] = code
			}
		}
	}
	for code, want := range map[string]uint16{"EUR": 978, "JPY": 392, "USD": 840, "GBP": 826, "CHF": 756, "KWD": 414, "AFN": 971, "AUD": 36, "ALL": 8} {
		if n, _ := Numeric(code); n != want {
			t.Errorf("%s: %d, want %d", code, n, want)
		}
	}
}
