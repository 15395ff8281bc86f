package main

import (
	"net/url"
	"strings"
	"testing"
)

// encodeLNURL is bech32 the other way, written from BIP 173 for the tests.
func encodeLNURL(s string) string {
	var groups []byte
	bits, have := uint32(0), 0
	for _, b := range []byte(s) {
		bits, have = bits<<8|uint32(b), have+8
		for ; have >= 5; have -= 5 {
			groups = append(groups, byte(bits>>(have-5)&31))
		}
	}
	if have > 0 {
		groups = append(groups, byte(bits<<(5-have)&31))
	}
	return checked(groups)
}

// checked writes groups as an LNURL with a right checksum.
func checked(groups []byte) string {
	rest := residue(append(groups, 0, 0, 0, 0, 0, 0)) ^ 1
	for i := range 6 {
		groups = append(groups, byte(rest>>(5*(5-i))&31))
	}
	out := "LNURL1"
	for _, g := range groups {
		out += strings.ToUpper(bech32[g : g+1])
	}
	return out
}

// The pair of LUD-01's own text, and a token of OFFPAY-1's: two strangers' encoders.
const (
	ludText = "LNURL1DP68GURN8GHJ7UM9WFMXJCM99E3K7MF0V9CXJ0M385EKVCENXC6R2C35XVUKXEFCV5MKVV34X5EKZD3EV56NYD3HXQURZEPEXEJXXEPNXSCRVWFNV9NXZCN9XQ6XYEFHVGCXXCMYXYMNSERXFQ5FNS"
	ludURL  = "https://service.com/api?q=3fc3645b439ce8e7f2553a69e5267081d96dcd340693afabe04be7b0ccd178df"
	offText = "LNURL1DP68GURN8GHJ7URP0YHX27RPD4CXCEFWVDHK6TM09AQKZ3MEWUU4GMZPTFJ8VMMVGAJ9SW22D3UYZ466WF2Y7SFKVE6RXV6EFETKX3M2VE8YC5T625M8SE24WDK9QLYU7Y0"
	offURL  = "https://pay.example.com/o/AaGyw9TlAZdvolGdX9JlxAWZrTOA6ft33YNWcGjfNLQzU6xeUslP"
)

func TestDecodeLNURL(t *testing.T) {
	for text, want := range map[string]string{
		ludText: ludURL, strings.ToLower(ludText): ludURL, offText: offURL, encodeLNURL("http://127.0.0.1:8081/o/x"): "http://127.0.0.1:8081/o/x",
	} {
		if got, err := decodeLNURL(text); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if encodeLNURL(offURL) != offText {
		t.Error("the test's own encoder is wrong")
	}
	for name, text := range map[string]string{
		"mixed case": "lnurl1DP68GURN8GHJ7", "no letters": "LNURL1", "checksum alone": "LNURL1QQQQQQ", "letter of none": strings.Replace(offText, "DP68", "DB68", 1),
		"letter beyond ASCII": "LNURL1ÄÖÜQQQQQQQQ", "space inside": encodeLNURL("http://127.0.0.1/ x"), "not ASCII": encodeLNURL("http://127.0.0.1/é"),
		"bits left over": checked([]byte{13, 1, 1}), "group left over": checked([]byte{13, 1, 0}), "line break": encodeLNURL("http://127.0.0.1/\r\nHost: x"), "endless": "LNURL1" + strings.Repeat("Q", 2*addressLimit),
	} {
		if got, err := decodeLNURL(text); err == nil {
			t.Errorf("%s: decoded to %q", name, got)
		}
	}
}

// Goal: a letter that was read wrong is found, wherever it stands.
func TestDecodeLNURLDamaged(t *testing.T) {
	for i := len("LNURL1"); i < len(offText); i++ {
		for _, c := range strings.ToUpper(bech32) {
			if byte(c) == offText[i] {
				continue
			}
			if got, err := decodeLNURL(offText[:i] + string(c) + offText[i+1:]); err == nil {
				t.Fatalf("letter %d may be %c: %q", i, c, got)
			}
		}
	}
}

func TestScannedAddress(t *testing.T) {
	const local = "http://127.0.0.1:8081/o/AaGy"
	lnurl := encodeLNURL(local)
	for _, c := range []struct{ name, text, want, err string }{
		{"LNURL", lnurl, local, ""},
		{"small letters, spaces", "  " + strings.ToLower(lnurl) + "\n", local, ""},
		{"link", "lightning:" + lnurl, local, ""},
		{"capital link", "LIGHTNING:" + lnurl, local, ""},
		{"link with slashes", "lightning://" + lnurl, local, ""},
		{"as a camera reads it", local, local, ""},
		{"localhost", "http://localhost:8081/o/x", "http://localhost:8081/o/x", ""},
		{"six", "https://[::1]:8443/o/x", "https://[::1]:8443/o/x", ""},
		{"fallback in the query", "https://localhost/page?lightning=" + lnurl, local, ""},
		{"fragment", local + "#x", local, ""},
		{"damaged", lnurl[:len(lnurl)-1] + "Q", "", "damaged"},
		{"damaged fallback", "https://localhost/?lightning=" + lnurl + "Q", "", "damaged"},
		{"another computer", offText, "", "its own computer only, and not pay.example.com"},
		{"another computer behind a fallback", "http://localhost/?lightning=" + offText, "", "pay.example.com"},
		{"LAN", "http://192.168.1.1/admin", "", "its own computer only"},
		{"name that looks local", "http://localhost.evil.example/", "", "its own computer only"},
		{"local as a user", "http://127.0.0.1@evil.example/", "", "no web address"},
		{"with a user", "http://a:b@127.0.0.1/", "", "no web address"},
		{"decimal address", "http://2130706433/", "", "its own computer only"},
		{"any address", "http://0.0.0.0:8081/o/x", "", "its own computer only"},
		{"no host", "http:///o/x", "", "no web address"},
		{"file in an LNURL", encodeLNURL("file:///etc/passwd"), "", "no web address"},
		{"long", "http://127.0.0.1/" + strings.Repeat("x", addressLimit), "", "too long"},
		{"onion", "http://abcdef.onion/o/x", "", "its own computer only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, found, err := scannedAddress(c.text)
			if !found {
				t.Fatal("not taken for an address")
			}
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, %v, want %q", u, err, c.err)
				}
			} else if err != nil || u.String() != c.want {
				t.Errorf("got %v, %v, want %s", u, err, c.want)
			}
		})
	}
	for _, text := range []string{"", "lnsb1q", "lightning:lnsb1q", "bitcoin:sb1?lightning=lnsb1q", "ftp://127.0.0.1/", "httpx://x", "LNURL"} {
		if u, found, err := scannedAddress(text); found || err != nil {
			t.Errorf("%q: got %v, %v, %v", text, u, found, err)
		}
	}
}

// FuzzScannedAddress: whatever is scanned, the wallet asks nobody but this computer,
// and what it would ask can be written as an LNURL and read again.
func FuzzScannedAddress(f *testing.F) {
	for _, s := range []string{ludText, offText, "lightning:" + offText, "http://127.0.0.1:8081/o/x", "https://localhost/?lightning=" + offText, "lnurl1", "http://[::1%25lo]/", "http://127.0.0.1\\@evil/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, found, err := scannedAddress(text)
		if err != nil || !found {
			if u != nil {
				t.Fatalf("%q: %v with %v, %v", text, u, found, err)
			}
			return
		}
		again, err := url.Parse(u.String())
		if err != nil || !loopbackName(again.Host) || again.User != nil || again.Scheme != "http" && again.Scheme != "https" {
			t.Fatalf("%q leads to %s, %v", text, u, err)
		}
		if s := u.String(); !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
			if got, err := decodeLNURL(encodeLNURL(s)); err != nil || got != s {
				t.Fatalf("%q as an LNURL: %q, %v", s, got, err)
			}
		}
	})
}
