package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
)

var treasury = evm.MustAddress("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")

// reference is what a till keeps of attempt n.
func reference(n uint64) string {
	salt := evm.Seed{7}.Salt(n)
	return fmt.Sprintf("evm 1 %d 5 99 %s %x %s 12340100", n, treasury, salt, evm.AddressOf(treasury, salt))
}

const coinsPart = `
[[stablecoins.network]]
chain = "base"
[[stablecoins.network.endpoint]]
operator = "Here"
url = "http://127.0.0.1:1"
`

func stablecoins(t *testing.T, part string) (*config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backoffice.toml")
	text := fmt.Sprintf("data = %q\nshop = \"Corner Café\"\n%s", t.TempDir(), part)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return load(path)
}

// TestSweepOfEVM makes the transaction of two payments from what the till's records
// say, and refuses what they do not.
func TestSweepOfEVM(t *testing.T) {
	c, err := stablecoins(t, coinsPart)
	if err != nil {
		t.Fatal(err)
	}
	chains := (&office{cfg: c}).sweeper()
	if ns := chains.Networks(); len(ns) != 1 || ns[0] != (sweep.Network{Key: "base", Name: "Base", Coin: "ETH"}) {
		t.Fatalf("%+v", ns)
	}
	address, to, ok, err := chains.Deposit(reference(1))
	if err != nil || !ok || to != treasury.String() || address != evm.AddressOf(treasury, evm.Seed{7}.Salt(1)).String() {
		t.Fatalf("%s, %s, %v, %v", address, to, ok, err)
	}
	const none pos.Kind = 255 // of no error
	for ref, kind := range map[string]pos.Kind{
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08":                                none, // Lightning's
		strings.Replace(reference(1), "evm 1 1", "evm 1 2", 1):                                            none, // the number is not in the arithmetic
		strings.Replace(reference(1), "12340100", "0", 1):                                                 pos.Corrupt,
		strings.Replace(reference(1), treasury.String(), "0x0000000000000000000000000000000000000001", 1): pos.Corrupt,
	} {
		_, _, ok, err := chains.Deposit(ref)
		if kind == none && err != nil || kind != none && (pos.KindOf(err) != kind || ok) {
			t.Errorf("%.30s: %v, %v", ref, ok, err)
		}
	}
	const usdc = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
	tx, err := chains.Sweep("base", []sweep.Item{{Reference: reference(1), Token: usdc}, {Reference: reference(2), Token: usdc}})
	if err != nil || tx.ChainID != 8453 || tx.To != evm.Factory.String() || !strings.HasPrefix(tx.Data, "0xd1d26af3") || tx.Link != "" || tx.Gas < 120_000 {
		t.Fatalf("%+v, %v", tx, err)
	}
	var plain map[string]string
	if err := json.Unmarshal(tx.JSON, &plain); err != nil || plain["data"] != tx.Data || plain["chainId"] != "0x2105" {
		t.Errorf("%s, %v", tx.JSON, err)
	}
	if _, err := chains.Sweep("bnb", nil); pos.KindOf(err) != pos.NotFound {
		t.Errorf("a network that is not set up: %v", err)
	}
	if d, err := chains.Deploy("base"); err != nil || d.To != evm.Deployer.String() || d.Link != "" {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := chains.Look(t.Context(), "base", []string{reference(1)}); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("nobody answers: %v", err)
	}
}

// TestStablecoinsConfig names what is wrong, in the owner's words.
func TestStablecoinsConfig(t *testing.T) {
	if c, err := stablecoins(t, ""); err != nil || (&office{cfg: c}).sweeper() != nil {
		t.Errorf("a shop without stablecoins: %v", err)
	}
	list := filepath.Join(t.TempDir(), "tokens.json")
	if err := os.WriteFile(list, []byte(`{"chains":[{"id":31337,"key":"test","name":"Test","coin":"ETH","stale_s":60}],"tokens":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	own := fmt.Sprintf("[stablecoins]\nregistry = %q\n%s", list, strings.Replace(coinsPart, "base", "test", 1))
	if c, err := stablecoins(t, own); err != nil || (&office{cfg: c}).sweeper().Networks()[0].Name != "Test" {
		t.Errorf("a network of the merchant's own: %v", err)
	}
	for name, tt := range map[string]struct{ part, want string }{
		"unknown network": {strings.Replace(coinsPart, "base", "dogechain", 1), "not known"},
		"plain http":      {strings.Replace(coinsPart, "127.0.0.1", "rpc.example", 1), "https"},
		"no address":      {strings.Replace(coinsPart, `url = "http://127.0.0.1:1"`, "", 1), "url_file"},
		"no such file":    {strings.Replace(coinsPart, `url = "http://127.0.0.1:1"`, `url_file = "/no/such/file"`, 1), "cannot be read"},
		"no endpoint":     {"[[stablecoins.network]]\nchain = \"base\"\n", "endpoint"},
		"no list":         {"[stablecoins]\nregistry = \"/no/such/file\"\n" + coinsPart, "cannot be read"},
		"a typing slip":   {strings.Replace(coinsPart, "operator", "operater", 1), "operater"},
	} {
		if _, err := stablecoins(t, tt.part); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
