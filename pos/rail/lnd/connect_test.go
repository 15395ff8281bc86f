package lnd

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// tillMacaroon was baked by lnd v0.21.1 on simnet with the five rights of a till;
// its root key is gone.
const tillMacaroon = "0201036c6e6402cb01030a10d72d555bedfe9854c98af2b1a8ccaf0d1204313030371aaf010a0375726912232f696e766f6963657372" +
	"70632e496e766f696365732f43616e63656c496e766f696365122c2f696e766f696365737270632e496e766f696365732f537562736372696265" +
	"53696e676c65496e766f696365121b2f6c6e7270632e4c696768746e696e672f416464496e766f69636512182f6c6e7270632e4c696768746e69" +
	"6e672f476574496e666f121e2f6c6e7270632e4c696768746e696e672f4c6f6f6b7570496e766f696365000006208ab084990675a37ce8e3f0b9" +
	"2e44a938222be5e0e6eeea6d05667e9ed9e9f42f"

const thumb = "6F:3C:DF:D4:8E:C9:0F:CD:D4:81:3E:B0:58:5F:91:66:19:A1:F1:4D:EC:39:25:36:6B:C4:C7:12:B5:AE:EA:83"

// TestParseConnection reads what merchants have, and refuses the rest in words
// that tell them what to do.
func TestParseConnection(t *testing.T) {
	raw, err := hex.DecodeString(tillMacaroon)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString(raw)
	cert := base64.RawURLEncoding.EncodeToString(lndtest.New(t, lndtest.Options{}).Certificate())
	plain := strings.ToLower(strings.ReplaceAll(thumb, ":", ""))
	parts := func(more string) string {
		return "type=lnd-rest;server=https://node:8080/;macaroon=" + tillMacaroon + more
	}
	tests := []struct {
		name, text string
		url        string // expected when good
		pins       int
		refusal    string // words of the refusal when not
	}{
		{"parts", parts(""), "https://node:8080", 0, ""},
		{"pinned", parts(";certthumbprint=" + thumb), "https://node:8080", 1, ""},
		{"pinned, bare digits", parts(";certthumbprint=" + plain + ";"), "https://node:8080", 1, ""},
		{"present and next", parts(";certthumbprint=" + plain + "," + thumb), "https://node:8080", 2, ""},
		{"by key", parts(";spkithumbprint=" + plain), "https://node:8080", 1, ""},
		{"spaces, capitals", "  Type = LND-REST ; Server=https://node:8080/;Macaroon=" + strings.ToUpper(tillMacaroon) + "\n", "https://node:8080", 0, ""},
		{"any order", "server=https://node:8080/;type=lnd-rest;macaroon=" + tillMacaroon, "https://node:8080", 0, ""},
		{"proxy", "type=lnd-rest;server=https://pay.example.com/lnd-rest/btc/;macaroon=" + tillMacaroon, "https://pay.example.com/lnd-rest/btc", 0, ""},
		{"explicitly secure", parts(";allowinsecure=false"), "https://node:8080", 0, ""},
		{"IPv6", "type=lnd-rest;server=https://[fd00::1]:8080/;macaroon=" + tillMacaroon, "https://[fd00::1]:8080", 0, ""},
		{"lndconnect", "lndconnect://node:8080?cert=" + cert + "&macaroon=" + b64, "https://node:8080", 1, ""},
		{"lndconnect, public certificate", "lndconnect://node:8080?macaroon=" + b64, "https://node:8080", 0, ""},
		{"lndconnect, padded", "lndconnect://node:8080?macaroon=" + b64 + "==", "https://node:8080", 0, ""},
		{"lndconnect, legacy", "lndconnect:///?host=node:8080&macaroon=" + b64, "https://node:8080", 0, ""},
		{"lndconnect, legacy bare", "lndconnect:?host=node:8080&macaroon=" + b64, "https://node:8080", 0, ""},

		{"nothing", " ", "", 0, "copy it from the Lightning node"},
		{"noise", "hello", "", 0, "starts with lndconnect://"},
		{"address", "https://node:8080", "", 0, "an address alone is not enough"},
		{"too long", strings.Repeat("x", maxConnection+1), "", 0, "too long"},
		{"insecure", parts(";allowinsecure=true"), "", 0, "pretend to be your node"},
		{"http", "type=lnd-rest;server=http://node:8080/;macaroon=" + tillMacaroon, "", 0, "not encrypted"},
		{"other scheme", "type=lnd-rest;server=tcp://node:8080/;macaroon=" + tillMacaroon, "", 0, "https://"},
		{"gRPC port", "type=lnd-rest;server=https://node:10009/;macaroon=" + tillMacaroon, "", 0, "gRPC port"},
		{"lndconnect, gRPC port", "lndconnect://node:10009?macaroon=" + b64, "", 0, "REST, whose port is usually 8080"},
		{"lndconnect, no port", "lndconnect://node?macaroon=" + b64, "", 0, "names no port"},
		{"lndconnect, no host", "lndconnect://?macaroon=" + b64, "", 0, "address is missing"},
		{"lndconnect, path", "lndconnect://node:8080/x?macaroon=" + b64, "https://node:8080", 0, ""},
		{"lndconnect, two macaroons", "lndconnect://node:8080?macaroon=" + b64 + "&macaroon=" + b64, "", 0, "damaged"},
		{"lndconnect, cut", "lndconnect://node:8080?macaroon=" + b64[:len(b64)-9], "", 0, "macaroon is damaged"},
		{"lndconnect, cert cut", "lndconnect://node:8080?cert=" + cert[:40] + "&macaroon=" + b64, "", 0, "certificate in the lndconnect string is damaged"},
		{"no macaroon", "lndconnect://node:8080", "", 0, "holds no macaroon"},
		{"onion", "type=lnd-rest;server=https://abc.onion:8080/;macaroon=" + tillMacaroon, "", 0, "Tor"},
		{"password in address", "type=lnd-rest;server=https://u:p@node:8080/;macaroon=" + tillMacaroon, "", 0, "a host, a port and a path"},
		{"other node", "type=clightning;server=https://node:8080/;macaroon=" + tillMacaroon, "", 0, "type=lnd-rest"},
		{"gRPC type", "type=lnd-grpc;server=https://node:8080/;macaroon=" + tillMacaroon, "", 0, "type=lnd-rest"},
		{"file", "type=lnd-rest;server=https://node:8080/;macaroonfilepath=/x", "", 0, "file on another computer"},
		{"directory", parts(";macaroondirectorypath=/x"), "", 0, "file on another computer"},
		{"cert file", parts(";certfilepath=/x"), "", 0, "file on another computer"},
		{"unknown part", parts(";verify=no"), "", 0, `does not know the part "verify"`},
		{"macaroon twice", parts(";macaroon=" + tillMacaroon), "", 0, "macaroon twice"},
		{"server twice", parts(";server=https://evil:8080/"), "", 0, "server twice"},
		{"not hex", "type=lnd-rest;server=https://node:8080/;macaroon=xyz", "", 0, "hex digits"},
		{"cut", parts("")[:len(parts(""))-20], "", 0, "damaged"},
		{"SHA-1", parts(";certthumbprint=" + plain[:40]), "", 0, "SHA-1"},
		{"thumbprint cut", parts(";certthumbprint=" + plain[:50]), "", 0, "64 hex digits"},
		{"no thumbprint", parts(";certthumbprint="), "", 0, "64 hex digits"},
		{"many pins", parts(";certthumbprint=" + strings.Repeat(plain+",", 4) + plain), "", 0, "more than 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseConnection(tt.text)
			if tt.refusal != "" {
				if err == nil || pos.KindOf(err) != pos.Invalid || !strings.Contains(err.Error(), tt.refusal) {
					t.Fatalf("got %v, want a refusal about %q", err, tt.refusal)
				}
				if strings.Contains(err.Error(), tillMacaroon[:40]) || strings.Contains(err.Error(), b64[:40]) {
					t.Errorf("the refusal holds the macaroon: %v", err)
				}
				return
			}
			if err != nil || c.URL != tt.url || len(c.Pins) != tt.pins || c.Macaroon.hex() != tillMacaroon {
				t.Fatalf("got %s with %d pins, %v; want %s with %d", c.URL, len(c.Pins), err, tt.url, tt.pins)
			}
			if len(c.Pins) > 0 && !strings.HasPrefix(tt.name, "lndconnect") && c.Pins[0].String() != plain {
				t.Errorf("pin %s, want %s", c.Pins[0], plain)
			}
			if s := fmt.Sprintf("%v %+v %#v %s %x", c, c, c, c.Macaroon, c.Macaroon); strings.Contains(s, tillMacaroon[8:40]) {
				t.Errorf("a Connection prints its macaroon: %s", s)
			}
		})
	}
}

// FuzzParseConnection: whatever is pasted, a Connection that comes out is https,
// has a macaroon that can be decoded, and no port of gRPC's; a refusal is Invalid.
func FuzzParseConnection(f *testing.F) {
	f.Add("type=lnd-rest;server=https://node:8080/;macaroon=" + tillMacaroon + ";certthumbprint=" + thumb)
	f.Add("lndconnect://node:8080?cert=MIIB&macaroon=AgEDbG5k")
	f.Add("lndconnect:///?host=[::1]:10009&macaroon=" + tillMacaroon)
	f.Add("server=https://a;b;;=;type=lnd-rest;allowinsecure")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConnection(text)
		if err != nil {
			if pos.KindOf(err) != pos.Invalid {
				t.Fatalf("refused with %v", pos.KindOf(err))
			}
			return
		}
		if !strings.HasPrefix(c.URL, "https://") || strings.HasSuffix(c.URL, "/") || len(c.Macaroon) == 0 || len(c.Pins) > maxPins ||
			strings.HasSuffix(c.URL, ":10009") || strings.Contains(strings.ToLower(text), "allowinsecure=true") {
			t.Fatalf("took %q as %+v", text, c)
		}
	})
}
