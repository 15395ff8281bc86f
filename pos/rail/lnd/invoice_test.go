package lnd

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/lightningnetwork/lnd/lnwire"
	"github.com/lightningnetwork/lnd/zpay32"

	"github.com/tillwright/tillwright/pos"
)

var (
	nodeKey, _  = btcec.PrivKeyFromBytes(bytes.Repeat([]byte{1}, 32))
	otherKey, _ = btcec.PrivKeyFromBytes(bytes.Repeat([]byte{2}, 32))
	madeAt      = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
)

// bolt11 writes an invoice; options come after those of a good one, and so win.
func bolt11(t testing.TB, net *chaincfg.Params, key *btcec.PrivateKey, h hash, options ...func(*zpay32.Invoice)) string {
	t.Helper()
	all := append([]func(*zpay32.Invoice){
		zpay32.Amount(4_300_000), zpay32.Description("Cafe #0001"), zpay32.Expiry(300 * time.Second), zpay32.PaymentAddr([32]byte{9}),
		zpay32.Features(lnwire.NewFeatureVector(lnwire.NewRawFeatureVector(lnwire.TLVOnionPayloadRequired, lnwire.PaymentAddrRequired), lnwire.Features)),
	}, options...)
	in, err := zpay32.NewInvoice(net, h, madeAt, all...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := in.Encode(zpay32.MessageSigner{SignCompact: func(msg []byte) ([]byte, error) {
		return ecdsa.SignCompact(key, chainhash.HashB(msg), true), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func goodOrder() order {
	return order{
		network: "simnet", payee: hex.EncodeToString(nodeKey.PubKey().SerializeCompressed()), hash: hash{5},
		msat: 4_300_000, memo: "Cafe #0001", expiry: 300 * time.Second,
	}
}

// TestInvoiceCheck changes one thing at a time. Whoever can do that to an invoice
// on its way to the screen can take the money.
func TestInvoiceCheck(t *testing.T) {
	good := goodOrder()
	sim := &chaincfg.SimNetParams
	addr, err := btcutil.NewAddressPubKeyHash(make([]byte, 20), sim)
	if err != nil {
		t.Fatal(err)
	}
	features := func(bits ...lnwire.FeatureBit) func(*zpay32.Invoice) {
		return zpay32.Features(lnwire.NewFeatureVector(lnwire.NewRawFeatureVector(append(bits, lnwire.PaymentAddrRequired)...), lnwire.Features))
	}
	hint := zpay32.RouteHint([]zpay32.HopHint{{NodeID: nodeKey.PubKey(), ChannelID: 1, CLTVExpiryDelta: 80}})
	text := bolt11(t, sim, nodeKey, good.hash)
	tests := []struct {
		name, text, refusal string
	}{
		{"good", text, ""},
		{"good, upper case", strings.ToUpper(text), ""},
		{"good, with hint", bolt11(t, sim, nodeKey, good.hash, hint), ""},
		{"good, names its payee", bolt11(t, sim, nodeKey, good.hash, zpay32.Destination(nodeKey.PubKey())), ""},

		{"more", bolt11(t, sim, nodeKey, good.hash, zpay32.Amount(4_300_001)), "another amount"},
		{"less", bolt11(t, sim, nodeKey, good.hash, zpay32.Amount(4_299_999)), "another amount"},
		{"any amount", bolt11(t, sim, nodeKey, good.hash, func(i *zpay32.Invoice) { i.MilliSat = nil }), "another amount"},
		{"another hash", bolt11(t, sim, nodeKey, hash{6}), "payment hash"},
		{"another payee", bolt11(t, sim, otherKey, good.hash), "another node"},
		{"names another payee", bolt11(t, sim, otherKey, good.hash, zpay32.Destination(otherKey.PubKey())), "another node"},
		{"longer", bolt11(t, sim, nodeKey, good.hash, zpay32.Expiry(301*time.Second)), "lasts 5m1s"},
		{"default expiry", bolt11(t, sim, nodeKey, good.hash, zpay32.Expiry(time.Hour)), "lasts"},
		{"another text", bolt11(t, sim, nodeKey, good.hash, zpay32.Description("Cafe #0002")), "description"},
		{"hashed text", bolt11(t, sim, nodeKey, good.hash, func(i *zpay32.Invoice) { i.Description, i.DescriptionHash = nil, &[32]byte{1} }), "description"},
		{"no payment address", bolt11(t, sim, nodeKey, good.hash, func(i *zpay32.Invoice) {
			i.PaymentAddr = new(zpay32.Invoice).PaymentAddr
		}), "payment address"},
		{"on-chain fallback", bolt11(t, sim, nodeKey, good.hash, zpay32.FallbackAddr(addr)), "on-chain"},
		{"AMP", bolt11(t, sim, nodeKey, good.hash, features(lnwire.AMPRequired)), "features"},
		{"from the future", bolt11(t, sim, nodeKey, good.hash, features(2000)), "unknown feature"},
		{"mainnet", bolt11(t, &chaincfg.MainNetParams, nodeKey, good.hash), "network"},
		{"regtest", bolt11(t, &chaincfg.RegressionNetParams, nodeKey, good.hash), "network"},
		{"one letter wrong", text[:40] + flip(text[40]) + text[41:], "checksum"},
		{"cut", text[:len(text)-1], "checksum"},
		{"with scheme", "lightning:" + text, "decode"},
		{"mixed case", text[:20] + strings.ToUpper(text[20:]), "decode"},
		{"nothing", "", "decode"},
		{"endless", strings.Repeat(text, 5), "characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			end, err := good.check(tt.text)
			if tt.refusal == "" {
				if err != nil || !end.Equal(madeAt.Add(300*time.Second)) {
					t.Fatalf("got %v, %v", end, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.refusal) {
				t.Fatalf("got %v, want a refusal about %q", err, tt.refusal)
			}
		})
	}
	private := good
	private.hint = true
	if _, err := private.check(text); err == nil {
		t.Error("all channels are private, and an invoice without a hint passed")
	}
	if _, err := private.check(bolt11(t, sim, nodeKey, good.hash, hint)); err != nil {
		t.Errorf("with a hint: %v", err)
	}
}

func flip(c byte) string {
	if c == 'q' {
		return "p"
	}
	return "q"
}

// TestEveryNetwork makes and checks an invoice on each chain; no other chain may
// take it. Prefixes overlap: lnbc and lnbcrt, lntb and lntbs.
func TestEveryNetwork(t *testing.T) {
	for name, net := range nets {
		o := goodOrder()
		o.network = name
		text := bolt11(t, net, nodeKey, o.hash)
		for other := range nets {
			o.network = other
			_, err := o.check(strings.ToUpper(text))
			same := other == name || name == "testnet" && other == "testnet4" || name == "testnet4" && other == "testnet" // one prefix
			if same != (err == nil) {
				t.Errorf("an invoice of %s read on %s: %v", name, other, err)
			}
		}
	}
}

// FuzzInvoiceCheck: nothing but the order's own invoice passes, and none panics.
func FuzzInvoiceCheck(f *testing.F) {
	o := goodOrder()
	text := bolt11(f, &chaincfg.SimNetParams, nodeKey, o.hash)
	f.Add(text)
	f.Add(strings.ToUpper(text))
	f.Add(bolt11(f, &chaincfg.SimNetParams, nodeKey, o.hash, zpay32.Destination(nodeKey.PubKey())))
	f.Add(bolt11(f, &chaincfg.SimNetParams, otherKey, o.hash))
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := o.check(s); err == nil && !strings.EqualFold(s, text) {
			in, err := zpay32.Decode(s, &chaincfg.SimNetParams)
			if err != nil || *in.MilliSat != 4_300_000 || !in.Destination.IsEqual(nodeKey.PubKey()) {
				t.Fatalf("%q passed", s)
			}
		}
	})
}

func TestMemo(t *testing.T) {
	for in, want := range map[string]string{
		"Cafe #0417 12.50 EUR":          "Cafe #0417 12.50 EUR",
		"Café Süd #1 €4":                "Cafe Sued #1 EUR4",
		"Größe – Straße":                "Groesse - Strasse",
		"  two\t\n spaces ":             "two spaces",
		"日本":                            "Sale",
		"":                              "Sale",
		"a\x00b\x7fc":                   "abc",
		strings.Repeat("x", 41):         strings.Repeat("x", 40),
		strings.Repeat("x", 39) + " y":  strings.Repeat("x", 39),
		strings.Repeat("ä", 30):         strings.Repeat("ae", 20),
		"\xff\xfe bad":                  "bad",
		"Pão de Açúcar #0001 10,00 BRL": "Pao de Acucar #0001 10,00 BRL",
	} {
		got := memoOf(in)
		if got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
		if len(got) > maxMemo || !utf8.ValidString(got) {
			t.Errorf("%q became %q", in, got)
		}
	}
}

// TestAmounts: only whole satoshis of bitcoin, at least one and no more than exist.
func TestAmounts(t *testing.T) {
	other := pos.Asset{ID: "BTC", Symbol: "sat", Decimals: 0}
	for _, tt := range []struct {
		q  pos.Quantity
		ok bool
	}{
		{pos.Bitcoin.UnitsOf(1000), true},
		{pos.Bitcoin.UnitsOf(maxMsat), true},
		{pos.Bitcoin.UnitsOf(0), false},
		{pos.Quantity{}, false},
		{pos.Bitcoin.UnitsOf(1001), false},
		{pos.Bitcoin.UnitsOf(999), false},
		{pos.Bitcoin.UnitsOf(maxMsat + 1000), false},
		{other.UnitsOf(1000), false},
		{pos.Asset{ID: "USDC", Decimals: 3}.UnitsOf(1000), false},
	} {
		p := intended(1)
		p.Quantity = tt.q
		if _, err := msatOf("ask", p); (err == nil) != tt.ok || err != nil && pos.KindOf(err) != pos.Invalid {
			t.Errorf("%v: %v", tt.q, err)
		}
	}
}

// Computed by another implementation (Python's hmac).
const (
	wantPreimage = "9e2a992e3bc34032e456d020fe42699ae5c672e88f6048e68a00d68f481f1460"
	wantHash     = "6b3452c04afaada42ac256b50317a1b08754f386071f5fa4f353781455c3607d"
)

// TestPreimage fixes the derivation: a change would orphan every open payment.
func TestPreimage(t *testing.T) {
	pre, h := preimage(tillSecret, intended(1))
	if pre.hex() != wantPreimage || h.String() != wantHash {
		t.Errorf("preimage %s, hash %s", pre.hex(), h)
	}
	seen := map[hash]bool{h: true}
	p := intended(2)
	q := intended(1)
	q.Sale = "SALE00000000\x00\x00"
	for _, x := range []pos.Payment{p, q} {
		_, h := preimage(tillSecret, x)
		if seen[h] {
			t.Error("two attempts with one preimage")
		}
		seen[h] = true
	}
	if _, other := preimage(bytes.Repeat([]byte{8}, 32), intended(1)); seen[other] {
		t.Error("two tills with one preimage")
	}
}
