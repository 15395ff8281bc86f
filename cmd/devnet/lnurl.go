package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// The text of a bech32 string (BIP 173): groups of five bits, the last six of them
// a checksum. LNURL has no limit of 90 characters.
const (
	lnurlPrefix  = "lnurl"
	checkGroups  = 6
	groupBits    = 5
	addressLimit = 2000 // bytes of a URL: more than a QR code on a display can hold
)

// scannedAddress finds the web address in what a customer scanned or pasted: an
// LNURL in either case, a lightning: link to one, or a plain address as a phone's
// camera reads it, which may carry an LNURL in its query (LUD-01). found is false
// when the text is something else, such as an invoice. The errors are sentences for
// people.
func scannedAddress(text string) (u *url.URL, found bool, err error) {
	s := strings.TrimSpace(text)
	if rest, ok := cutPrefixFold(s, "lightning:"); ok {
		s = strings.TrimPrefix(rest, "//")
	}
	if _, ok := cutPrefixFold(s, lnurlPrefix+"1"); ok {
		if s, err = decodeLNURL(s); err != nil {
			return nil, true, err
		}
	} else if !isWeb(s) {
		return nil, false, nil
	}
	if u, err = phoneAddress(s); err != nil {
		return nil, true, err
	}
	inner := u.Query().Get("lightning")
	if _, ok := cutPrefixFold(inner, lnurlPrefix+"1"); !ok {
		return u, true, nil
	}
	if s, err = decodeLNURL(inner); err != nil {
		return nil, true, err
	}
	u, err = phoneAddress(s)
	return u, true, err
}

func isWeb(s string) bool {
	_, plain := cutPrefixFold(s, "http://")
	_, tls := cutPrefixFold(s, "https://")
	return plain || tls
}

// phoneAddress reads an address that the wallet may ask. This wallet keeps to its
// own computer: what a QR code says must not make it call anybody else.
func phoneAddress(s string) (*url.URL, error) {
	if len(s) > addressLimit {
		return nil, errors.New("this address is too long")
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Opaque != "" {
		return nil, errors.New("this is no web address that a wallet could ask")
	}
	if !loopbackName(u.Host) {
		return nil, fmt.Errorf("this demo wallet asks its own computer only, and not %.80s", u.Hostname())
	}
	u.Fragment = ""
	return u, nil
}

// decodeLNURL returns the bytes of a bech32 string whose prefix is lnurl. The errors
// are sentences for people.
func decodeLNURL(s string) (string, error) {
	damaged := errors.New("this LNURL is damaged: its check digits do not fit")
	lower := strings.ToLower(s)
	switch {
	case len(s) > 2*addressLimit:
		return "", errors.New("this is too long to be an LNURL")
	case s != lower && s != strings.ToUpper(s):
		return "", errors.New("this LNURL mixes capital and small letters: it was changed on its way")
	}
	groups := make([]byte, 0, len(lower))
	for _, r := range lower[len(lnurlPrefix)+1:] {
		v := strings.IndexRune(bech32, r)
		if v < 0 {
			return "", errors.New("this LNURL holds letters that none has: it was changed on its way")
		}
		groups = append(groups, byte(v))
	}
	if len(groups) <= checkGroups || residue(groups) != 1 {
		return "", damaged
	}
	out, ok := joinGroups(groups[:len(groups)-checkGroups])
	if !ok || strings.ContainsFunc(out, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", damaged
	}
	return out, nil
}

// residue is what BIP 173's checksum leaves of the prefix and the groups behind it;
// 1 for an undamaged string.
func residue(groups []byte) uint32 {
	var expanded []byte
	for _, c := range []byte(lnurlPrefix) {
		expanded = append(expanded, c>>groupBits)
	}
	expanded = append(expanded, 0)
	for _, c := range []byte(lnurlPrefix) {
		expanded = append(expanded, c&31)
	}
	rest := uint32(1)
	for _, v := range append(expanded, groups...) {
		top := rest >> 25
		rest = rest&(1<<25-1)<<groupBits ^ uint32(v)
		for bit, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>bit&1 != 0 {
				rest ^= g
			}
		}
	}
	return rest
}

// joinGroups makes bytes of groups of five bits. What is left over must be fewer
// than five bits, all zero.
func joinGroups(groups []byte) (s string, ok bool) {
	var out []byte
	bits, have := uint32(0), 0
	for _, v := range groups {
		bits, have = bits<<groupBits|uint32(v), have+groupBits
		if have >= 8 {
			have -= 8
			out = append(out, byte(bits>>have))
			bits &= 1<<have - 1
		}
	}
	return string(out), have < groupBits && bits == 0
}
