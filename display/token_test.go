package display

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

const (
	payTo    = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
	solTo    = "mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN"
	standard = "ethereum:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913@8453/transfer?address=" + payTo + "&uint256=18310100"
	metamask = "https://link.metamask.io/send/0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913@8453/transfer?address=" + payTo + "&uint256=18310100"
	trust    = "https://link.trustwallet.com/send?asset=c60_t0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913&address=" + payTo + "&amount=18.3101"
	solana   = "solana:" + solTo + "?amount=18.3101&spl-token=EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v&reference=82ZJ7nbGpixjeDCmEhUcmwXYfvurzAgGdtSMuHnUgyny&label=Caf%C3%A9"
)

// tokenDue is coffee's sale asked for in USDC on Base, in a form.
func tokenDue(t testing.TB, lang, payload string) pos.View {
	v := coffee(t, lang, pos.PhaseDue)
	c := &v.Customer
	c.Tender, c.Network, c.Token, c.Chain = "usdc-base", "USDC on Base", "USDC", "Base"
	c.Quantity, c.Rate, c.QR, c.Tail = "18.3101 USDC", "1 USDC = 0.9257 EUR", payload, "d8976F"
	if strings.Contains(payload, solTo) {
		c.Tender, c.Network, c.Chain, c.Tail = "usdc-solana", "USDC on Solana", "Solana", "3qwf2kN"[1:]
	}
	return v
}

// partPaid is tokenDue of which a part has come.
func partPaid(t testing.TB, lang, payload string) pos.View {
	v := tokenDue(t, lang, payload)
	v.Customer.Part, v.Customer.Quantity, v.Customer.Due.Minor = "10.0000 USDC", "8.3101 USDC", 769
	return v
}

// tokens are requests for tokens in each form, and large ones.
func tokens(t testing.TB, lang string) map[string]pos.View {
	large := sale(t, lang, "EUR", pos.PhaseDue, 3, 123456789)
	small := tokenDue(t, lang, payTo).Customer
	c := &large.Customer
	c.Token, c.Chain, c.Quantity, c.QR, c.Tail, c.Rate, c.Network = "PYUSD", "Arbitrum One", "1333333.3301 PYUSD", small.QR, small.Tail, "", ""
	return map[string]pos.View{
		"standard": tokenDue(t, lang, standard), "address": tokenDue(t, lang, payTo), "metamask": tokenDue(t, lang, metamask), "trust": tokenDue(t, lang, trust),
		"solana": tokenDue(t, lang, solana), "part-paid": partPaid(t, lang, standard), "part-paid-typed": partPaid(t, lang, payTo), "large-typed": large,
	}
}

// TestTokenCodesAreRead draws every form of a token's request on every glass and reads
// the whole pictures back with two readers that we did not write. What stands in the
// code is what the till asked for, or the address alone with the words that say so.
// With -artifacts it leaves the pictures for people to look at.
func TestTokenCodesAreRead(t *testing.T) {
	var files, want []string
	n := 0
	for _, lang := range []string{"de"} { // the longest words leave the code the least room
		for _, g := range append(glasses(), Glass{Size: image.Pt(600, 1024)}) {
			for name, v := range tokens(t, lang) {
				if n++; n%stride != 0 {
					continue
				}
				f, texts := lookOn(v, g, t0)
				file := filepath.Join(t.ArtifactDir(), fmt.Sprintf("%s-%dx%d-%s-%d.png", lang, g.Size.X, g.Size.Y, name, n))
				if err := os.WriteFile(file, encode(f.img), 0o600); err != nil {
					t.Fatal(err)
				}
				if f.code.Empty() {
					continue // TestTokenCodeOrWords holds when that may be
				}
				if f.module < moduleMin {
					t.Errorf("%s: %d pixels a module", file, f.module)
				}
				text := v.Customer.QR
				if _, typed := find(texts, pos.Word(lang, "type_exactly")); typed && strings.Contains(text, "?") {
					text = addressIn(text)
				}
				got := zxing(f)
				if got == shorten(text) && f.module < moduleGood {
					text = got // a name for people is left out before a module gets too small
				}
				if got != text {
					t.Errorf("%s: gozxing reads %q, want %q", file, got, text)
				}
				files, want = append(files, file), append(want, text)
			}
		}
	}
	t.Run("zbarimg", func(t *testing.T) { zbar(t, files, want) })
}

// TestTokenSaid holds that wherever a token's code stands, how much of what and on which
// network stands beside it in full; and that an amount to be typed stands nowhere without
// the code of an address.
func TestTokenSaid(t *testing.T) {
	for _, lang := range pos.Languages {
		for _, g := range glasses() {
			for name, v := range tokens(t, lang) {
				f, texts := lookOn(v, g, t0)
				c := v.Customer
				where := fmt.Sprintf("%s %v %s", lang, g.Size, name)
				_, band := find(texts, pos.Word(lang, "type_exactly"))
				q := quantity(lang, c.Quantity)
				if band {
					q = typable(lang, c.Quantity)
				}
				x, amount := find(texts, q)
				_, chain := find(texts, pos.Word(lang, "on_chain", "chain", strings.ReplaceAll(c.Chain, " ", space)))
				if !f.code.Empty() && (!amount || !chain || x.cut()) {
					t.Errorf("%s: a code without its words: %v", where, texts)
				}
				if !f.code.Empty() && x.f.size < tiniest {
					t.Errorf("%s: %v is set in %d pixels", where, x, x.f.size)
				}
				if f.code.Empty() && band {
					t.Errorf("%s: to be typed, and no code of an address", where) // TestTokenCodesAreRead holds the rest
				}
				_, warned := find(texts, pos.Word(lang, "evm_only", "token", c.Token, "chain", c.Chain))
				if min(g.Size.X, g.Size.Y) >= 240 && !g.Round && !warned {
					t.Errorf("%s: nothing says that other networks lose it: %v", where, texts)
				}
			}
		}
	}
}

// TestTokenCodeOrWords holds which glass shows what of the standard request.
func TestTokenCodeOrWords(t *testing.T) {
	for _, test := range []struct {
		g      Glass
		px     int // a module; 0: words
		bare   bool
		shared string
	}{
		{Glass{Size: landscape}, 7, false, standard}, {Glass{Size: image.Pt(1024, 600)}, 9, false, standard}, {Glass{Size: image.Pt(480, 320)}, 4, false, standard},
		{Glass{Size: image.Pt(320, 240)}, 3, false, standard}, {Glass{Size: image.Pt(240, 320)}, 3, false, standard}, {Glass{Size: image.Pt(240, 240)}, 3, false, standard},
		{Glass{Size: image.Pt(128, 128)}, 2, false, standard}, {Glass{Size: image.Pt(160, 80)}, 2, true, standard}, {Glass{Size: image.Pt(80, 160)}, 2, true, standard},
		{Glass{Size: image.Pt(160, 80)}, 2, true, solana}, {Glass{Size: image.Pt(160, 80)}, 2, true, metamask}, {Glass{Size: image.Pt(160, 80)}, 2, true, trust},
		{Glass{Size: image.Pt(128, 64), Mono: true, Dark: true}, 0, false, standard}, {Glass{Size: image.Pt(240, 240), Round: true}, 2, false, standard},
	} {
		f, texts := lookOn(tokenDue(t, "en", test.shared), test.g, t0)
		if f.module != test.px {
			t.Errorf("%v: %d pixels a module, want %d", test.g.Size, f.module, test.px)
		}
		if _, bare := find(texts, "Type exactly"); bare != test.bare {
			t.Errorf("%v: the address alone: %v, want %v", test.g.Size, bare, test.bare)
		}
	}
}

// TestBareAddress takes an address out of what wallets read, and none that does not end
// as the till says: a wrong one would take the money.
func TestBareAddress(t *testing.T) {
	for _, test := range []struct{ qr, tail, want string }{
		{standard, "d8976F", payTo}, {metamask, "d8976F", payTo}, {trust, "d8976F", payTo}, {solana, "qwf2kN", solTo},
		{standard, "d8976f", ""}, {standard, "dA0291", ""}, {standard, "", ""}, {payTo, "d8976F", ""},
		{"ethereum:" + payTo + "?value=1", "d8976F", ""}, {"lightning:LNBC1?x=d8976F", "d8976F", ""}, {"", "d8976F", ""}, {"solana:?amount=1", "d8976F", ""},
	} {
		v := tokenDue(t, "en", test.qr)
		v.Customer.Tail = test.tail
		got, ok := sceneOf(v, t0).bare()
		if ok != (test.want != "") || (ok && (got.customer.QR != test.want || !got.typed())) {
			t.Errorf("%s with %q: %q, %v; want %q", test.qr, test.tail, got.customer.QR, ok, test.want)
		}
	}
}

// TestTypable holds how an amount is written that a customer types.
func TestTypable(t *testing.T) {
	for _, test := range []struct{ lang, in, want string }{
		{"en", "1234567.3401 USDC", "1234567.3401" + space + "USDC"}, {"de", "1234.3401 USDC", "1234,3401" + space + "USDC"},
		{"pt", "12 USDC", "12" + space + "USDC"}, {"xx", "0.0001 DAI", "0.0001" + space + "DAI"}, {"fr", "", ""},
	} {
		if got := typable(test.lang, test.in); got != test.want {
			t.Errorf("%s %s: %q, want %q", test.lang, test.in, got, test.want)
		}
	}
}

// TestTokenLines holds what a pole says of a token.
func TestTokenLines(t *testing.T) {
	large := tokens(t, "en")["large-typed"]
	for _, test := range []struct {
		name       string
		v          pos.View
		cols, rows int
		want       []string
	}{
		{"two lines", tokenDue(t, "en", standard), 20, 2, []string{"18.3101 USDC  €16.95", "on Base         4:37"}},
		{"part paid", partPaid(t, "en", standard), 20, 2, []string{"8.3101 USDC    €7.69", "on Base         4:37"}},
		{"a large sum", large, 20, 2, []string{"To pay €1,234,567.89", "PYUSD on Arbitr 4:37"}},
		{"sixteen letters", tokenDue(t, "de", payTo), 16, 2, []string{"Zu zahle 16,95 €", "USDC auf Ba 4:37"}},
		{"four lines", partPaid(t, "de", standard), 20, 4, []string{"Noch offen    7,69 €", "         8,3101 USDC", "USDC auf Base   4:37", "                    "}},
	} {
		got := Lines(test.v, test.cols, test.rows, t0)
		if strings.Join(got, "|") != strings.Join(test.want, "|") {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
