package main

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/pos/rail/solana"
)

// accepts is a shop that takes USDC or USDT on one chain, with one operator.
func accepts(chain, more string) string {
	to, token := "", "USDC"
	switch chain {
	case "solana":
		to = "owner = \"FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa\"\n"
	case "tron":
		to, token = "address = \"TJRabPrwbZy45sbavfcjinPJC18kjpRTv8\"\n", "USDT"
	}
	return small + "[stablecoins]\nusdt_in_eu = true\ntreasury = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\n[[stablecoins.accept]]\n" +
		fmt.Sprintf("chain = %q\n%stokens = [%q]\n%s[[stablecoins.accept.endpoint]]\noperator = \"A\"\nurl_file = \"a.url\"\n", chain, to, token, more)
}

// loadAccepts loads it beside the endpoint's file.
func loadAccepts(t *testing.T, text string) (config, string, error) {
	t.Helper()
	path := write(t, "till.toml", text)
	writeIn(t, strings.TrimSuffix(path, "/till.toml"), "a.url", "https://a.example/secret")
	c, err := loadConfig(path)
	return c, path, err
}

// TestOneVoice: on every kind of chains the message to a shop with one operator has the
// line to write; with that line as it stands the till sells, config check says
// what it risks (and the doctor what config check says), and the rails go by these rows.
func TestOneVoice(t *testing.T) {
	line := regexp.MustCompile(`policy = \[.*\]`)
	for _, chain := range []string{"base", "ethereum", "bnb", "solana", "solana-devnet", "tron", "nile"} {
		t.Run(chain, func(t *testing.T) {
			text := accepts(chain, "")
			if chain == "solana-devnet" || chain == "nile" {
				text = strings.Replace(accepts(map[string]string{"nile": "tron", "solana-devnet": "solana"}[chain], ""), "chain = ", fmt.Sprintf("chain = %q # ", chain), 1)
			}
			_, _, err := loadAccepts(t, text)
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("write below chain = %q the line policy = [{ up_to = ", chain)) {
				t.Fatalf("got %v", err)
			}
			c, path, err := loadAccepts(t, strings.Replace(text, "tokens =", line.FindString(err.Error())+"\ntokens =", 1))
			if err != nil {
				t.Fatalf("it was done as told: %v", err)
			}
			const risk = "asks for less than this chain's own policy: above "
			out := good(t, "config", "check", "-config", path)
			if strings.Count(out, "\nbut ") != 1 || !strings.Contains(out, "stablecoins.accept.0.policy: "+risk) || !strings.Contains(out, "one operator alone is believed") {
				t.Errorf("config check says\n%s", out)
			}
			a := c.stablecoins.accept[0]
			usual, _ := (&stableConfig{registry: evm.Known()}).usualPolicy(acceptConfig{chain: a.chain, family: a.family})
			if a.policy.Operators() != 1 || a.policy[len(a.policy)-1].Level != usual[len(usual)-1].Level {
				t.Errorf("it came to %+v", a.policy)
			}
			if a.family == evmFamily {
				if known, _ := c.stablecoins.registry.Chain(chain); !reflect.DeepEqual(evm.PolicyOf(known), a.policy) {
					t.Errorf("the rails go by %+v", evm.PolicyOf(known))
				}
			}
		})
	}
}

// TestPolicyRows: rows in two brackets are the same, stricter ones are nothing to speak of,
// and each fault has its own word.
func TestPolicyRows(t *testing.T) {
	const second = "[[stablecoins.accept.endpoint]]\noperator = \"B\"\nurl_file = \"a.url\"\n"
	const rows = "[[stablecoins.accept.policy]]\nup_to = 20\nlevel = \"safe\"\noperators = 1\n[[stablecoins.accept.policy]]\nlevel = \"finalized\"\n"
	c, path, err := loadAccepts(t, accepts("base", "")+second+rows)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.stablecoins.accept[0].policy; !reflect.DeepEqual(got, coin.Policy{coin.UpTo(20, evm.Safe, 1), coin.UpTo(0, evm.Finalized, 2)}) {
		t.Errorf("read %+v", got)
	}
	if out := good(t, "config", "check", "-config", path); strings.Contains(out, "\nbut ") {
		t.Errorf("stricter, and it says\n%s", out)
	}
	for _, x := range []struct{ name, chain, line, want string }{
		{"no row", "base", "policy = []", "accept.0.policy: must be 1 to 8 rows"},
		{"a policy in words", "base", "policy = \"one operator\"", "accept.0.policy: must be parts that begin with [[stablecoins.accept.policy]]"},
		{"no level", "base", "policy = [{ operators = 1 }]", "policy.0.level: is missing"},
		{"another chain's level", "base", "policy = [{ level = \"solidified\", operators = 1 }]", "accept.0.policy: row 1 of a policy"},
		{"falling sizes", "base", "policy = [{ up_to = 50, level = \"safe\" }, { up_to = 20, level = \"safe\" }, { level = \"safe\" }]", "accept.0.policy: row 2 of a policy: sizes rise"},
		{"nothing for large sums", "base", "policy = [{ up_to = 50, level = \"safe\", operators = 1 }]", "accept.0.policy: row 1 of a policy"},
		{"three operators", "base", "policy = [{ level = \"safe\", operators = 3 }]", "policy.0.operators: must be from 1 to 2, not 3"},
		{"a slip", "base", "policy = [{ upto = 50, level = \"safe\" }]", "policy.0.upto: is not a setting of this program; did you mean"},
		{"Solana's", "solana", "policy = [{ level = \"processed\", operators = 1 }]", `accept.0.policy: row 1 of a policy: sizes rise, only the last is 0; level is "confirmed" or "finalized"`},
		{"Tron's", "tron", "policy = [{ level = \"safe\", operators = 1 }]", `level is "1 block" or "solidified"`},
		{"two wanted and one there", "solana", "policy = [{ level = \"finalized\", operators = 2 }]", "write below chain = \"solana\" in place of its policy policy = [{ level = \"finalized\", operators = 1 }]"},
		{"no such chain", "bass", "policy = [{ level = \"safe\" }]", "accept.0.chain: \"bass\" is not known"},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, _, err := loadAccepts(t, accepts(x.chain, x.line+"\n"))
			if err == nil || !strings.Contains(err.Error(), x.want) || x.name == "no such chain" && strings.Contains(err.Error(), "policy") {
				t.Errorf("got  %v\nwant %s", err, x.want)
			}
		})
	}
}

// TestRisks compares policies row by row: from which sum on, and what of it.
func TestRisks(t *testing.T) {
	_, levels := (&stableConfig{}).usualPolicy(acceptConfig{family: solanaFamily})
	row := coin.UpTo
	for _, x := range []struct {
		name string
		own  coin.Policy
		want string
	}{
		{"the same", solana.DefaultPolicy, ""},
		{"the same in other rows", coin.Policy{row(20, solana.Confirmed, 1), row(50, solana.Confirmed, 1), row(1000, solana.Confirmed, 2), row(0, solana.Finalized, 2)}, ""},
		{"stricter", coin.Policy{row(0, solana.Finalized, 2)}, ""},
		{"one operator a little longer", coin.Policy{row(60, solana.Confirmed, 1), row(0, solana.Finalized, 2)}, "above 50 tokens one operator alone"},
		{"earlier", coin.Policy{row(50, solana.Confirmed, 1), row(0, solana.Confirmed, 2)}, "above 1000 tokens a payment counts while"},
		{"both", coin.Policy{row(0, solana.Confirmed, 1)}, "above 50 tokens one operator alone is believed, and if it errs or lies, goods leave for money that never came; above 1000 tokens a payment counts"},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := risks(x.own, solana.DefaultPolicy, levels); (got == "") != (x.want == "") || !strings.Contains(got, x.want) {
				t.Errorf("got %q", got)
			}
		})
	}
	if got := risks(coin.Policy{row(0, solana.Confirmed, 1)}, coin.Policy{row(0, solana.Finalized, 1)}, levels); !strings.Contains(got, "from the smallest sum on a payment counts") {
		t.Errorf("got %q", got)
	}
}

// TestReadmePolicy loads the README's line for one operator.
func TestReadmePolicy(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^    (policy = \[.*\])`).FindSubmatch(text)
	if line == nil {
		t.Fatal("the README has no policy")
	}
	if _, _, err := loadAccepts(t, accepts("base", string(line[1])+"\n")); err != nil {
		t.Error(err)
	}
}
