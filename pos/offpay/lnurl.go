package offpay

import (
	"net"
	"net/url"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// SmallHost is the length of host[:port] up to which an LNURL stays a QR code of
// version 6-M, 41 modules wide. A longer one works and is harder to scan.
const SmallHost = 25

// MaxHost bounds host[:port]: past it a counter's small display cannot show the
// code.
const MaxHost = 100

// PathPrefix is where tokens live at the host: no path before it, no query behind.
const PathPrefix = "/o/"

// CheckHost says whether a token's URL may be made of host: a name or address with
// an optional port ("pay.example.com", "pay.example.com:8443"), reached over
// https. For trying things out on one machine it may also be "http://" and a
// loopback address. It fails with Invalid and a sentence for the owner.
func CheckHost(host string) error {
	bare, plain := strings.CutPrefix(host, "http://")
	u, err := url.Parse("//" + bare)
	name, port, split := bare, "", err
	if err == nil {
		name, port = u.Hostname(), u.Port()
		split = wellFormed(bare, name, port)
	}
	switch {
	case split != nil || bare == "" || len(bare) > MaxHost || u.Host != bare:
		return pos.Wrap("check host", pos.Invalid, split, "the address for payments must look like pay.example.com, without https:// and without a path")
	case plain && !loopback(name):
		return pos.E("check host", pos.Invalid, "wallets pay over https only: plain http is for this very machine")
	}
	return nil
}

// wellFormed fails unless bare is a plain host name or IP address and port, in
// lower case.
func wellFormed(bare, name, port string) error {
	if net.ParseIP(name) == nil && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
		return pos.E("check host", pos.Invalid, "%q has characters that no host name has", name)
	}
	if name == "" || (strings.HasSuffix(bare, ":") && port == "") {
		return pos.E("check host", pos.Invalid, "a part is missing")
	}
	return nil
}

func loopback(name string) bool {
	ip := net.ParseIP(name)
	return name == "localhost" || (ip != nil && ip.IsLoopback())
}

// URL returns where the customer's phone asks: "https://pay.example.com/o/<token>".
// A host that CheckHost refuses gives "".
func URL(host string, t Token) string {
	if CheckHost(host) != nil {
		return ""
	}
	if !strings.HasPrefix(host, "http://") {
		host = "https://" + host
	}
	return host + PathPrefix + t.String()
}

// The text of a bech32 string (BIP 173).
const (
	prefix       = "lnurl"
	alphabet     = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	checksumLen  = 6
	maxLNURL     = 2000 // characters: far past what a QR code on a display can hold
	bitsPerRune  = 5
	lightningURI = "lightning:"
)

// LNURL writes a URL as wallets scan it (LUD-01): bech32 in capitals, which a QR
// code packs closest.
func LNURL(url string) string {
	data := regroup([]byte(url), 8, bitsPerRune)
	data = append(data, checksum(data)...)
	var b strings.Builder
	b.WriteString(prefix + "1")
	for _, v := range data {
		b.WriteByte(alphabet[v])
	}
	return strings.ToUpper(b.String())
}

// ParseLNURL returns the URL in an LNURL, which may be all upper or all lower case
// and may follow "lightning:". It fails with Invalid for anything else, a wrong
// checksum or a URL that is not printable ASCII.
func ParseLNURL(s string) (url string, err error) {
	bad := pos.E("read LNURL", pos.Invalid, "that is not an LNURL")
	if len(s) > len(lightningURI) && strings.EqualFold(s[:len(lightningURI)], lightningURI) {
		s = s[len(lightningURI):]
	}
	low := strings.ToLower(s)
	text, ours := strings.CutPrefix(low, prefix+"1")
	if !ours || len(s) > maxLNURL || (s != low && s != strings.ToUpper(s)) {
		return "", bad
	}
	data := make([]byte, len(text))
	for i := range len(text) {
		v := strings.IndexByte(alphabet, text[i])
		if v < 0 {
			return "", bad
		}
		data[i] = byte(v)
	}
	cut := len(data) - checksumLen
	if cut <= 0 || string(checksum(data[:cut])) != string(data[cut:]) {
		return "", bad
	}
	raw, whole := bytesOf(data[:cut])
	if !whole || strings.IndexFunc(raw, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return "", bad
	}
	return raw, nil
}

// bytesOf joins groups of five bits to bytes. whole is false when the bits left
// over are not the few zeros that fill the last group.
func bytesOf(groups []byte) (s string, whole bool) {
	out := regroup(groups, bitsPerRune, 8)
	n := len(groups) * bitsPerRune / 8
	left := len(groups)*bitsPerRune - n*8
	return string(out[:n]), left < bitsPerRune && (len(out) == n || out[n] == 0)
}

// regroup cuts a string of bits, from at a time, into groups of to; the last one
// is filled with zeros.
func regroup(in []byte, from, to int) []byte {
	var out []byte
	acc, have := uint32(0), 0
	for _, v := range in {
		acc, have = acc<<from|uint32(v), have+from
		for have >= to {
			have -= to
			out = append(out, byte(acc>>have&(1<<to-1)))
		}
	}
	if have > 0 {
		out = append(out, byte(acc<<(to-have)&(1<<to-1)))
	}
	return out
}

// checksum is BIP 173's, of data behind the prefix.
func checksum(data []byte) []byte {
	acc := uint32(1)
	for i := range len(prefix) {
		acc = polymod(acc, prefix[i]>>bitsPerRune)
	}
	acc = polymod(acc, 0)
	for i := range len(prefix) {
		acc = polymod(acc, prefix[i]&31)
	}
	for _, v := range data {
		acc = polymod(acc, v)
	}
	for range checksumLen {
		acc = polymod(acc, 0)
	}
	acc ^= 1
	out := make([]byte, checksumLen)
	for i := range out {
		out[i] = byte(acc >> (bitsPerRune * (checksumLen - 1 - i)) & 31)
	}
	return out
}

// polymod takes one group into the checksum's remainder.
func polymod(acc uint32, v byte) uint32 {
	top := acc >> 25
	acc = acc&0x1ffffff<<bitsPerRune ^ uint32(v)
	for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 == 1 {
			acc ^= g
		}
	}
	return acc
}
