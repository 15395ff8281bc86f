package wire_test

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/wire"
)

func keyOf(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(b)), ed25519.SeedSize)))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// TestSignatureCoversAll changes each part of a request in turn. Goal: none can be
// changed, moved to another backoffice or sent by another till.
func TestSignatureCoversAll(t *testing.T) {
	key := keyOf('t')
	good := wire.Request{Method: "POST", Path: "/v1/tills/0011223344556677/records", To: public(keyOf('b')), Counter: 7, Body: []byte("line\n")}
	sig := good.Sign(key)
	if err := good.Verify(public(key), sig); err != nil {
		t.Fatal(err)
	}
	changes := map[string]func(*wire.Request){
		"method":   func(r *wire.Request) { r.Method = "PUT" },
		"path":     func(r *wire.Request) { r.Path = "/v1/tills/0011223344556678/records" },
		"receiver": func(r *wire.Request) { r.To = public(keyOf('c')) },
		"counter":  func(r *wire.Request) { r.Counter = 8 },
		"body":     func(r *wire.Request) { r.Body = []byte("lime\n") },
		"shifted":  func(r *wire.Request) { r.Method, r.Path = "POST\n/v1", strings.TrimPrefix(r.Path, "/v1") },
	}
	for name, change := range changes {
		r := good
		change(&r)
		if err := r.Verify(public(key), sig); pos.KindOf(err) != pos.Forbidden {
			t.Errorf("%s changed: %v", name, err)
		}
	}
	for name, sig := range map[string]string{"none": "", "short": sig[:80], "padded": sig + "==", "other key": good.Sign(keyOf('x'))} {
		if err := good.Verify(public(key), sig); pos.KindOf(err) != pos.Forbidden {
			t.Errorf("signature %s: %v", name, err)
		}
	}
	if err := good.Verify(nil, sig); err == nil {
		t.Error("no key accepts everything")
	}
}

// TestCheckpoint changes each part of a signed checkpoint in turn.
func TestCheckpoint(t *testing.T) {
	key := keyOf('b')
	at := time.Date(2026, 11, 22, 1, 2, 3, 456, time.FixedZone("", 3600))
	good := wire.SignCheckpoint(pos.Checkpoint{Till: "t", N: 5, Hash: pos.Hash{1}, At: at}, key)
	if err := wire.CheckCheckpoint(good, "t", public(key)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*pos.Checkpoint){
		"till": func(c *pos.Checkpoint) { c.Till = "u" },
		"n":    func(c *pos.Checkpoint) { c.N++ },
		"hash": func(c *pos.Checkpoint) { c.Hash[9] ^= 1 },
		"at":   func(c *pos.Checkpoint) { c.At = c.At.Add(1) },
		"sig":  func(c *pos.Checkpoint) { c.Sig = c.Sig[1:] },
	} {
		c := good
		change(&c)
		if err := wire.CheckCheckpoint(c, "t", public(key)); pos.KindOf(err) != pos.Corrupt {
			t.Errorf("%s changed: %v", name, err)
		}
	}
	if err := wire.CheckCheckpoint(good, "u", public(key)); err == nil {
		t.Error("another till's checkpoint passes")
	}
}

func TestParseCounter(t *testing.T) {
	for s, want := range map[string]int64{"1": 1, "1763766000000000": 1763766000000000, "9007199254740991": 1<<53 - 1,
		"": 0, "0": 0, "-1": 0, "+1": 0, "01": 0, "1.0": 0, " 1": 0, "9007199254740992": 0, "99999999999999999999": 0} {
		got, err := wire.ParseCounter(s)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: got %d, %v; want %d", s, got, err, want)
		}
	}
}

func TestCode(t *testing.T) {
	code := wire.FormatCode([wire.CodeBytes]byte{0x39, 0xAF, 0x71, 0x51, 0x1D})
	if code != "76QQ-2M8X" {
		t.Errorf("code is %s", code)
	}
	for typed, want := range map[string]string{
		"76QQ-2M8X": "76QQ-2M8X", "76qq2m8x": "76QQ-2M8X", " 76 qq - 2m 8x ": "76QQ-2M8X", "O1IL-oooo": "0111-0000",
		"": "", "76QQ-2M8": "", "76QQ-2M8XX": "", "76QQ-2M8U": "", "76QQ-2M8Ü": "", strings.Repeat(" ", 60): "",
	} {
		got, err := wire.ParseCode(typed)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", typed, got, err, want)
		}
	}
}

// FuzzParseCode checks that what ParseCode returns is what FormatCode writes, and
// that reading it again changes nothing.
func FuzzParseCode(f *testing.F) {
	f.Add("76QQ-2M8X")
	f.Add("o1il oooo")
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := wire.ParseCode(typed)
		if err != nil {
			return
		}
		if again, err := wire.ParseCode(code); again != code || err != nil || len(code) != 9 || code[4] != '-' {
			t.Errorf("%q is read as %q and then as %q, %v", typed, code, again, err)
		}
	})
}

func TestCheckURL(t *testing.T) {
	tests := []struct {
		url       string
		ok, plain bool // may be used; may be used with AllowPlain
	}{
		{"https://shop.example", true, true},
		{"https://shop.example:8443/office", true, true},
		{"http://127.0.0.1:8081", true, true},
		{"http://localhost:8081", true, true},
		{"http://[::1]:8081", true, true},
		{"http://192.168.1.5:8081", false, true},
		{"http://shop.example", false, true},
		{"http://localhost.evil.example", false, true},
		{"ftp://shop.example", false, false},
		{"shop.example", false, false},
		{"https://", false, false},
		{"https://u:p@shop.example", false, false},
		{"https://shop.example?x=1", false, false},
		{"", false, false},
	}
	for _, tt := range tests {
		if err := wire.CheckURL(tt.url, false); (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.url, err)
		}
		if err := wire.CheckURL(tt.url, true); (err == nil) != tt.plain {
			t.Errorf("%q with plain http: %v", tt.url, err)
		}
	}
	if err := wire.CheckURL("http://192.168.1.5", false); !strings.Contains(err.Error(), "allow_plain_http") {
		t.Errorf("the remedy is not named: %v", err)
	}
}
