package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write cafe/tokens.json anew")

// Goal: the contracts are those of the till's own tree, to the byte.
func TestContractsAreTheTills(t *testing.T) {
	const home = "../../pos/rail/evm/contracts"
	var pinned struct{ Factory hexBytes }
	var tokens map[string]struct{ Code hexBytes }
	for name, into := range map[string]any{"pinned.json": &pinned, "test/tokens.json": &tokens} {
		b, err := os.ReadFile(filepath.Join(home, name))
		if err == nil {
			err = json.Unmarshal(b, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ got, want []byte }{
		"factory": {creation.Factory, pinned.Factory}, "plain": {creation.Plain, tokens["Plain"].Code}, "silent": {creation.Silent, tokens["Silent"].Code},
	} {
		if len(c.got) == 0 || !bytes.Equal(c.got, c.want) {
			t.Errorf("evm/contracts.json has another %s than the till's tree", name)
		}
	}
	if got := factory.at().String(); got != "0x3B8DCC04a6458b67b502E0D69f28d53e9C8974b5" { // pos/rail/evm/contracts/README.md
		t.Errorf("the factory would be at %s", got)
	}
}

// Goal: the demo till's registry names the tokens that devnet puts on its chains.
func TestTokensFile(t *testing.T) {
	type row map[string]any
	chains := []row{
		{"id": 424201, "key": "devnetone", "name": "Devnet One", "coin": "ETH", "stale_s": 60, "policy": []row{
			{"up_to": 50, "level": "1 block", "operators": 1}, {"up_to": 1000, "level": "1 block", "operators": 2}, {"up_to": 0, "level": "safe", "operators": 2},
		}},
		{"id": 424202, "key": "devnettwo", "name": "Devnet Two", "coin": "ETH", "stale_s": 60, "policy": []row{
			{"up_to": 50, "level": "1 block", "operators": 1}, {"up_to": 0, "level": "finalized", "operators": 1},
		}},
	}
	var tokens []row
	for _, p := range places {
		for _, k := range p.Coins {
			one := row{"chain": p.ID, "symbol": k.Symbol, "contract": k.at().String(), "decimals": k.Decimals, "on_chain": []string{k.Symbol}, "peg": k.Peg, "source": "devnet"}
			if k.Watch {
				one["watch"] = true
			}
			tokens = append(tokens, one)
		}
	}
	want, err := json.MarshalIndent(row{"chains": chains, "tokens": tokens}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile("cafe/tokens.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("cafe/tokens.json")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("cafe/tokens.json is not of this code; run go test -run TokensFile -update (%v)", err)
	}
}

// TestAddresses is EIP-55's own list, and what is wrong with addresses.
func TestAddresses(t *testing.T) {
	for _, s := range []string{
		"0x52908400098527886E0F7030069857D2E4169EE7", "0xde709f2102306220921060314715629080e2fb77", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		if a, err := readAddress(s); err != nil || len(a.tail()) != 6 || s[len(s)-6:] != a.tail() && a.String() != s {
			t.Errorf("%s: %v %v", s, a, err)
		}
	}
	for _, s := range []string{"", "0x", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", "0xzaAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"} {
		if _, err := readAddress(s); err == nil {
			t.Errorf("%q is taken for an address", s)
		}
	}
	// EIP-1014's second example, with our own words for it.
	c := contract{code: []byte{0}}
	h := keccak([]byte{0xff}, deployer[:], make([]byte, 32), hash32(c.code))
	if got := c.at(); !bytes.Equal(got[:], h[12:]) {
		t.Errorf("CREATE2 gives %s", got)
	}
	if sum := keccak(nil); hex.EncodeToString(sum[:4]) != "c5d24601" {
		t.Errorf("this is not Keccak: %x", sum)
	}
}

func hash32(b []byte) []byte { h := keccak(b); return h[:] }

// TestAmounts writes and reads sums of coins with few decimals and with many.
func TestAmounts(t *testing.T) {
	six, many, none := coin{Symbol: "USDC", Decimals: 6}, coin{Symbol: "DAI", Decimals: 18}, coin{Symbol: "JPYC"}
	for _, c := range []struct {
		k           coin
		units, text string
	}{
		{six, "3152200", "3.1522"}, {six, "3000000", "3.00"}, {six, "1", "0.000001"}, {six, "0", "0.00"},
		{many, "3152200000000000000", "3.1522"}, {many, "20000000000000000001", "20.000000000000000001"}, {none, "7", "7"},
	} {
		n, _ := new(big.Int).SetString(c.units, 10)
		if got := c.k.amountText(n); got != c.text {
			t.Errorf("%s %s is written %s, want %s", c.units, c.k.Symbol, got, c.text)
		}
		if back, err := c.k.unitsText(c.text); n.Sign() > 0 && (err != nil || back.Cmp(n) != 0) {
			t.Errorf("%s is read as %v, %v", c.text, back, err)
		}
	}
	for _, s := range []string{"", ".", "0", "-1", "1e3", "1.2.3", "0.0000001", "1 000", "3x"} {
		if n, err := six.unitsText(s); err == nil {
			t.Errorf("%q is read as %s", s, n)
		}
	}
	if n, err := six.unitsText(" 3,15 "); err != nil || n.Int64() != 3_150_000 {
		t.Errorf("a comma is read as %v, %v", n, err)
	}
}
