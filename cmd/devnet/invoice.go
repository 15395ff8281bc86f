package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// invoiceMax is the longest BOLT11 text that is looked at, in bytes: with every
// field and twenty hints they stay under 3,000.
const invoiceMax = 4096

// bech32 is the alphabet of what follows the last 1 (BIP 173).
const bech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// parseInvoice finds the BOLT11 invoice in what a customer scanned or pasted: the
// invoice itself in either case, a lightning: link, or a bitcoin: link that
// carries one (BIP 21). It returns the invoice in lower case. Only the form is
// checked; the wallet's node checks the rest. The errors are sentences for people.
func parseInvoice(text string) (string, error) {
	s := strings.TrimSpace(text)
	if len(s) > invoiceMax {
		return "", errors.New("this is too long to be an invoice")
	}
	if rest, ok := cutPrefixFold(s, "bitcoin:"); ok {
		s = fromBIP21(rest)
		if s == "" {
			return "", errors.New("this is an on-chain address; the wallet pays Lightning invoices only")
		}
	}
	if rest, ok := cutPrefixFold(s, "lightning:"); ok {
		s = strings.TrimPrefix(rest, "//")
	}
	lower := strings.ToLower(s)
	if s != lower && s != strings.ToUpper(s) {
		return "", errors.New("this invoice mixes capital and small letters: it was changed on its way")
	}
	return lower, checkInvoice(lower)
}

// checkInvoice looks at prefix and alphabet.
func checkInvoice(s string) error {
	for _, other := range []struct{ prefix, name string }{
		{"lnbcrt", "regtest"}, {"lntbs", "signet"}, {"lnbc", "real bitcoin"}, {"lntb", "testnet"}, {"lnurl", "LNURL"},
	} {
		if strings.HasPrefix(s, other.prefix) {
			return fmt.Errorf("this is for %s; this wallet has play money of the simnet only (lnsb…)", other.name)
		}
	}
	at := strings.LastIndexByte(s, '1')
	switch {
	case s == "":
		return errors.New("there is no invoice here")
	case !strings.HasPrefix(s, "lnsb") || at < len("lnsb"):
		return errors.New("this is no Lightning invoice")
	case strings.Trim(s[len("lnsb"):at], "0123456789munp") != "" || strings.Trim(s[at+1:], bech32) != "":
		return errors.New("this invoice holds letters that none has: it was changed on its way")
	}
	return nil
}

// fromBIP21 returns the Lightning invoice of a bitcoin: link without its scheme,
// or "".
func fromBIP21(rest string) string {
	_, query, _ := strings.Cut(rest, "?")
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if strings.EqualFold(key, "lightning") {
			if plain, err := url.QueryUnescape(value); err == nil {
				return plain
			}
		}
	}
	return ""
}

func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
