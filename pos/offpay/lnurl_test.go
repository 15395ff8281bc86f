package offpay

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// lud01 is the pair that LUD-01 prints.
const (
	lud01URL   = "https://service.com/api?q=3fc3645b439ce8e7f2553a69e5267081d96dcd340693afabe04be7b0ccd178df"
	lud01LNURL = "LNURL1DP68GURN8GHJ7UM9WFMXJCM99E3K7MF0V9CXJ0M385EKVCENXC6R2C35XVUKXEFCV5MKVV34X5EKZD3EV56NYD3HXQURZEPEXEJXXEPNXSCRVWFNV9NXZCN9XQ6XYEFHVGCXXCMYXYMNSERXFQ5FNS"
)

func TestLNURL(t *testing.T) {
	if got := LNURL(lud01URL); got != lud01LNURL {
		t.Errorf("got %s", got)
	}
	for _, good := range []string{lud01LNURL, strings.ToLower(lud01LNURL), "lightning:" + lud01LNURL, "LIGHTNING:" + lud01LNURL} {
		if got, err := ParseLNURL(good); err != nil || got != lud01URL {
			t.Errorf("%s: %q, %v", good, got, err)
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "only the prefix": "LNURL1", "only a checksum": "LNURL1QQQQQQ", "mixed case": strings.Replace(lud01LNURL, "D", "d", 1),
		"bitcoin": "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "a letter that bech32 lacks": strings.Replace(lud01LNURL, "Q", "B", 1),
		"long": LNURL(strings.Repeat("a", 2000)), "a space in the URL": LNURL("https://a b"), "not ASCII": LNURL("https://ä"), "nothing": LNURL(""),
		"two schemes": "lightning:lightning:" + lud01LNURL,
	} {
		if got, err := ParseLNURL(bad); pos.KindOf(err) != pos.Invalid || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for i := range lud01LNURL { // bech32 finds every single wrong letter
		for _, c := range "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" {
			bad := lud01LNURL[:i] + string(c) + lud01LNURL[i+1:]
			if got, err := ParseLNURL(bad); err == nil && bad != lud01LNURL {
				t.Errorf("%s: %q", bad, got)
			}
		}
	}
}

// TestPadding gives a last group that does not end in zeros, and a whole group too
// many, under right checksums.
func TestPadding(t *testing.T) {
	for name, data := range map[string][]byte{
		"bits left over": append(regroup([]byte("ab"), 8, 5)[:3], 0b10001), "a group too many": append(regroup([]byte("abcde"), 8, 5), 0),
	} {
		var b strings.Builder
		for _, v := range append(data, checksum(data)...) {
			b.WriteByte(alphabet[v])
		}
		if got, err := ParseLNURL("lnurl1" + b.String()); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestHosts(t *testing.T) {
	tok, err := ParseToken(published["A"][1])
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{
		"pay.example.com": "https://pay.example.com/o/", "pay.example.com:8443": "https://pay.example.com:8443/o/", "192.0.2.7": "https://192.0.2.7/o/",
		"[2001:db8::1]:8443": "https://[2001:db8::1]:8443/o/", "http://127.0.0.1:8090": "http://127.0.0.1:8090/o/", "http://localhost:1": "http://localhost:1/o/",
		"http://[::1]:8090": "http://[::1]:8090/o/",
	} {
		if got := URL(host, tok); got != want+tok.String() {
			t.Errorf("%s: %q", host, got)
		}
	}
	for _, bad := range []string{"", "https://pay.example.com", "http://pay.example.com", "http://192.168.1.5", "http://", "pay.example.com/", "pay.example.com/x", "pay.example.com?x",
		"pay.example.com#x", "user@pay.example.com", "pay.example.com:", "pay.example.com:http", "Pay.example.com", "päy.example.com", "pay example.com", ":8443", "a\nb", "http://127.0.0.1.evil.com",
		"http://localhost@evil.com", "[::1", strings.Repeat("a", MaxHost) + ".com"} {
		if err := CheckHost(bad); pos.KindOf(err) != pos.Invalid || URL(bad, tok) != "" {
			t.Errorf("%q: %v, %q", bad, err, URL(bad, tok))
		}
	}
	if len("https://pay.example.com:443")-len("https://") > SmallHost || len(LNURL(URL(strings.Repeat("a", SmallHost), tok))) > 154 { // 6-M holds 154 in capitals and digits
		t.Error("an LNURL of a small host is no 6-M any more")
	}
}

func FuzzLNURL(f *testing.F) {
	for _, s := range []string{lud01LNURL, "", "lnurl1", "lightning:" + lud01LNURL, published["A"][3], "LNURL1QQQQQQQQQ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseLNURL(s)
		if err != nil {
			return
		}
		again := LNURL(u)
		if body := s[strings.LastIndex(s, ":")+1:]; !strings.EqualFold(again, body) {
			t.Errorf("%q holds %q, which is written %q", s, u, again)
		}
	})
}

func FuzzToken(f *testing.F) {
	for _, p := range published {
		f.Add(p[1])
	}
	f.Add("")
	k := Derive(testKey(), testDevice, 1)
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := ParseToken(s)
		if err != nil {
			return
		}
		if tok.String() != s {
			t.Errorf("%q is another spelling of %s", s, tok)
		}
		if r, err := k.Open(tok); err == nil && seal(t, k, r) != tok {
			t.Errorf("%s opens as %+v, whose token is another", s, r)
		}
	})
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{"OP1:417:009812", "OP1:0:0", "OP1::", " OP1:1:000000\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, code, ok := ParseScan(s); ok && ScanCode(n, code) != strings.Trim(s, " \t\r\n") {
			t.Errorf("%q read as %d, %s", s, n, code)
		}
	})
}

func FuzzMatch(f *testing.F) {
	for _, s := range []string{"009812", "009 812", "9812", "", "0-0-9-8-1-2"} {
		f.Add(s)
	}
	k := Derive(testKey(), testDevice, 1)
	tok := seal(f, k, requestA)
	f.Fuzz(func(t *testing.T, s string) {
		digits := strings.ReplaceAll(strings.ReplaceAll(s, " ", ""), "-", "")
		if got, want := k.Match(tok, s), digits == "009812" && len(s) <= maxTyped; got != want {
			t.Errorf("%q: %t", s, got)
		}
	})
}
