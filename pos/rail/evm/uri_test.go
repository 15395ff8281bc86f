package evm

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos/rail/evm/evmtest"
)

var update = flag.Bool("update", false, "write golden files anew")

var customer = MustAddress("0x8e23ee67d1332ad560396262c48ffbb01f93d052")

// amounts are base units from the smallest to what no number of JavaScript holds.
var amounts = []string{"1", "12340100", "9007199254740993", "12340100000000000000", "1000000000000000000000", "115792089237316195423570985008687907853269984665640564039457584007913129639935"}

func big10(s string) *big.Int { n, _ := new(big.Int).SetString(s, 10); return n }

// links returns a link for every token that is sold, and every amount.
func links() (out []string) {
	k := Known()
	for _, c := range k.Chains() {
		for _, t := range k.Tokens(c.ID) {
			if !t.Watch {
				out = append(out, URI(t, customer, big10("12340100")))
			}
		}
	}
	usdc, _ := k.Find(8453, "USDC")
	for _, a := range amounts {
		out = append(out, URI(usdc, customer, big10(a)))
	}
	return out
}

// TestLinksReadBack compares what an outside reader, the one in MetaMask, understood
// of every link with what the link was made for. testdata/uris.json is its word,
// written by contracts/uris.cjs; without -short it is asked anew.
func TestLinksReadBack(t *testing.T) {
	if !testing.Short() {
		cmd := exec.Command("node", "contracts/uris.cjs", evmtest.Tools(t))
		cmd.Stdin = strings.NewReader(strings.Join(links(), "\n"))
		got, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile("testdata/uris.json", got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile("testdata/uris.json"); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("the reader says something else than testdata/uris.json (%v)", err)
		}
	}
	b, err := os.ReadFile("testdata/uris.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Link string
		Read struct {
			Chain  string            `json:"chain_id"`
			Target string            `json:"target_address"`
			Call   string            `json:"function_name"`
			Params map[string]string `json:"parameters"`
		}
	}
	if err := json.Unmarshal(b, &rows); err != nil || len(rows) != len(links()) {
		t.Fatalf("%d rows for %d links, %v", len(rows), len(links()), err)
	}
	for i, link := range links() {
		ours, err := ParseURI(link)
		theirs := rows[i]
		if err != nil || theirs.Link != link {
			t.Fatalf("%s: %v; the reader was given %s", link, err, theirs.Link)
		}
		units := theirs.Read.Params["uint256"]
		// The reader writes large numbers with an exponent: the same number all the same.
		if n, ok := new(big.Rat).SetString(units); !ok || !n.IsInt() || n.Num().Cmp(ours.Units) != 0 {
			t.Errorf("%s is read as %s units", link, units)
		}
		if theirs.Read.Chain != fmt.Sprint(ours.Chain) || theirs.Read.Target != ours.Token.String() || theirs.Read.Params["address"] != ours.To.String() || theirs.Read.Call != "transfer" {
			t.Errorf("%s is read as %+v", link, theirs.Read)
		}
	}
}

// TestParseURI holds the parser to the standard's own examples, to what wallets have
// been seen to write, and to what no till may take.
func TestParseURI(t *testing.T) {
	const token, to = "0x89205a3a3b2a69de6dbf7f01ed13b2108b2c43e7", "0x8e23ee67d1332ad560396262c48ffbb01f93d052"
	for name, row := range map[string]struct {
		link  string
		chain uint64
		units string // "": not said; "-": refused
	}{
		"the standard's coins":    {"ethereum:0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359?value=2.014e18", 0, "2014000000000000000"},
		"the standard's token":    {"ethereum:" + token + "/transfer?address=" + to + "&uint256=1", 0, "1"},
		"a sample of MetaMask":    {"ethereum:" + token + "@59144/transfer?address=" + to + "&uint256=1e6", 59144, "1000000"},
		"pay-":                    {"ethereum:pay-" + token + "@1/transfer?address=" + to + "&uint256=1", 1, "1"},
		"decimals and exponent":   {"ethereum:" + token + "@1/transfer?address=" + to + "&uint256=12.34e6", 1, "12340000"},
		"another order":           {"ethereum:" + token + "@1/transfer?uint256=1234e4&address=" + to, 1, "12340000"},
		"a label":                 {"ethereum:" + token + "@1/transfer?address=" + to + "&uint256=5&label=x", 1, "5"},
		"no amount":               {"ethereum:" + token + "@1/transfer?address=" + to, 1, ""},
		"a wrong checksum":        {"ethereum:0xfb6916095ca1df60bb79Ce92ce3ea74c37c5d359?value=2.014e18", 0, "-"},
		"half a unit":             {"ethereum:" + token + "@1/transfer?address=" + to + "&uint256=5e-1", 0, "-"},
		"a fraction":              {"ethereum:" + token + "@1/transfer?address=" + to + "&uint256=1.5", 0, "-"},
		"less than nothing":       {"ethereum:" + token + "@1/transfer?address=" + to + "&uint256=-5", 0, "-"},
		"257 bits":                {"ethereum:" + token + "@1/transfer?address=" + to + "&uint256=1e78", 0, "-"},
		"not a chain":             {"ethereum:" + token + "@8453abc/transfer?address=" + to + "&uint256=1", 0, "-"},
		"an empty chain":          {"ethereum:" + token + "@/transfer?address=" + to + "&uint256=1", 0, "-"},
		"a chain in hex":          {"ethereum:" + token + "@0x1/transfer?address=" + to + "&uint256=1", 0, "-"},
		"capitals":                {"ETHEREUM:" + token + "@1/transfer?address=" + to + "&uint256=1", 0, "-"},
		"eth:":                    {"eth:" + token + "@1/transfer?address=" + to + "&uint256=1", 0, "-"},
		"two amounts":             {"ethereum:" + token + "@1/transfer?address=" + to + "&uint256=1&uint256=900", 0, "-"},
		"coins beside the tokens": {"ethereum:" + token + "@1/transfer?address=" + to + "&uint256=1&value=900", 0, "-"},
		"no payee":                {"ethereum:" + token + "@1/transfer?uint256=1", 0, "-"},
		"an approval":             {"ethereum:" + token + "@1/approve?address=" + to + "&uint256=1", 0, "-"},
		"a name":                  {"ethereum:shop.eth@1?value=1", 0, "-"},
		"an endless number":       {"ethereum:" + token + "@1/transfer?address=" + to + "&uint256=1e99999999999999999999", 0, "-"},
		"nothing":                 {"", 0, "-"},
	} {
		r, err := ParseURI(row.link)
		got := "-"
		if err == nil {
			if got = ""; r.Units != nil {
				got = r.Units.String()
			}
		}
		if got != row.units || err == nil && r.Chain != row.chain {
			t.Errorf("%s: read as chain %d, %q units, %v", name, r.Chain, got, err)
		}
	}
}

// TestForms holds every other way to show a request to the same sale.
func TestForms(t *testing.T) {
	k := Known()
	for _, c := range k.Chains() {
		for _, token := range k.Tokens(c.ID) {
			units := quantityOf(token, new(big.Int).Mul(big.NewInt(123401), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(token.Decimals-4)), nil))).Int()
			forms := Forms(c, token, customer, units)
			if len(forms) != 4 || forms[0].Payload != URI(token, customer, units) || forms[1].Payload != customer.String() || !forms[1].Typed {
				t.Fatalf("%+v", forms)
			}
			meta, err := ParseURI("ethereum:" + strings.TrimPrefix(forms[2].Payload, "https://link.metamask.io/send/"))
			if err != nil || meta.Chain != c.ID || meta.Token != token.Contract || meta.To != customer || meta.Units.Cmp(units) != 0 {
				t.Errorf("%s reads as %+v, %v", forms[2].Payload, meta, err)
			}
			u, err := url.Parse(forms[3].Payload)
			if err != nil || u.Host != "link.trustwallet.com" || u.Query().Get("address") != customer.String() || u.Query().Get("amount") != "12.3401" ||
				!strings.HasSuffix(u.Query().Get("asset"), "_t"+token.Contract.String()) {
				t.Errorf("%s: %v", forms[3].Payload, err)
			}
		}
	}
}

// FuzzURI: whatever is asked for, a careful wallet reads exactly that, to the base
// unit.
func FuzzURI(f *testing.F) {
	f.Add(uint64(8453), []byte{1}, []byte{2}, []byte{3})
	f.Add(uint64(1), bytes.Repeat([]byte{255}, 20), bytes.Repeat([]byte{255}, 20), bytes.Repeat([]byte{255}, 32))
	f.Fuzz(func(t *testing.T, chain uint64, token, to, units []byte) {
		var a, b Address
		copy(a[:], token)
		copy(b[:], to)
		chain %= 1e18
		if chain == 0 || len(units) > 32 {
			return
		}
		n := new(big.Int).SetBytes(units)
		link := URI(Token{Chain: chain, Contract: a}, b, n)
		r, err := ParseURI(link)
		if err != nil || r.Chain != chain || r.Token != a || r.To != b || r.Units.Cmp(n) != 0 {
			t.Errorf("%s reads as %+v, %v", link, r, err)
		}
	})
}

// FuzzParseURI: whatever a link says, what is read is whole and bounded, and written
// again it reads the same.
func FuzzParseURI(f *testing.F) {
	for _, l := range links() {
		f.Add(l)
	}
	f.Add("ethereum:pay-0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359@1?value=2.014E+18")
	f.Fuzz(func(t *testing.T, link string) {
		r, err := ParseURI(link)
		if err != nil || r.Token.IsZero() || r.Units == nil || r.Chain == 0 {
			return
		}
		if r.Units.Sign() < 0 || r.Units.BitLen() > 256 {
			t.Errorf("%q asks for %s", link, r.Units)
		}
		again, err := ParseURI(URI(Token{Chain: r.Chain, Contract: r.Token}, r.To, r.Units))
		if err != nil || again.To != r.To || again.Units.Cmp(r.Units) != 0 {
			t.Errorf("%q: %+v, then %+v, %v", link, r, again, err)
		}
	})
}
