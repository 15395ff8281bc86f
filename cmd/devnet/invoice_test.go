package main

import (
	"strings"
	"testing"
)

const sample = "lnsb10u1p4sw7hqpp5n7lfqtvnm7jdy4kzqxtgxpnyyfhn872v2z6xhxm6zt7gwezgnwts"

func TestParseInvoice(t *testing.T) {
	for _, c := range []struct{ name, in, want, err string }{
		{"plain", sample, sample, ""},
		{"as in the QR code", strings.ToUpper(sample), sample, ""},
		{"pasted with space", " \n" + sample + "\t", sample, ""},
		{"link", "lightning:" + sample, sample, ""},
		{"upper-case link", "LIGHTNING:" + strings.ToUpper(sample), sample, ""},
		{"link with slashes", "lightning://" + sample, sample, ""},
		{"BIP21", "bitcoin:sb1qxy?amount=0.1&lightning=" + sample, sample, ""},
		{"BIP21, upper case", "BITCOIN:SB1QXY?LIGHTNING=" + strings.ToUpper(sample), sample, ""},
		{"no amount", "lnsb1" + "p4sw7hqpp5", "lnsb1p4sw7hqpp5", ""},
		{"empty", "  ", "", "there is no invoice"},
		{"empty link", "lightning:", "", "there is no invoice"},
		{"mixed case", "lnsb10U1p4sw7hq", "", "mixes"},
		{"BIP21 without Lightning", "bitcoin:sb1qxy?amount=1", "", "on-chain"},
		{"BIP21, broken escape", "bitcoin:sb1qxy?lightning=%zz", "", "on-chain"},
		{"mainnet", "lnbc10u1p4sw7hq", "", "real bitcoin"},
		{"regtest", "lnbcrt10u1p4sw7hq", "", "regtest"},
		{"testnet", "lntb10u1p4sw7hq", "", "testnet"},
		{"signet", "lntbs10u1p4sw7hq", "", "signet"},
		{"LNURL", "LNURL1DP68GURN8GHJ7", "", "LNURL"},
		{"no separator", "lnsbqqqq", "", "no Lightning invoice"},
		{"a letter that none has", "lnsb10u1p4swb", "", "letters"},
		{"path", "lnsb10u1p4sw/../getinfo", "", "letters"},
		{"amount of letters", "lnsbxyz1p4sw", "", "letters"},
		{"other text", "hello", "", "no Lightning invoice"},
		{"too long", "lnsb1" + strings.Repeat("q", invoiceMax), "", "too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseInvoice(c.in)
			switch {
			case c.err == "" && (err != nil || got != c.want):
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("got %q, %v, want an error with %q", got, err, c.err)
			}
		})
	}
}

// FuzzParseInvoice holds that what comes through is safe inside a path, small, and
// stays the same when it is parsed again.
func FuzzParseInvoice(f *testing.F) {
	for _, s := range []string{sample, strings.ToUpper(sample), "lightning:" + sample, "bitcoin:x?lightning=" + sample, "lnbc1", "", "lnsb1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseInvoice(s)
		if err != nil {
			if err.Error() == "" || len(err.Error()) > 200 {
				t.Errorf("no sentence: %q", err)
			}
			return
		}
		if len(got) > invoiceMax || strings.Trim(got, "0123456789abcdefghijklmnopqrstuvwxyz") != "" || !strings.HasPrefix(got, "lnsb") {
			t.Errorf("%q came through as %q", s, got)
		}
		if again, err := parseInvoice(strings.ToUpper(got)); err != nil || again != got {
			t.Errorf("%q, again: %q, %v", got, again, err)
		}
	})
}
