package main

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// treasuryShop takes tokens on three kinds of networks, of which nobody answers.
const treasuryShop = `
data      = "data"
listen    = "127.0.0.1:0"
catalogue = "catalogue.toml"
[shop]
name     = "Café Süd"
currency = "EUR"
[[tax]]
code    = "A"
percent = "10"
[[tax]]
code    = "B"
percent = "20"
[printer]
connect = "paper"
columns = 42
[rates]
fixed = "50000"
[rates.fixed_tokens]
EURC = "0.97"
USDC = "0.92"
USDT = "0.92"
[stablecoins]
treasury = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
registry = "tokens.json"
usdt_in_eu = true
[[stablecoins.accept]]
chain = "lab1"
tokens = ["EURC"]
[[stablecoins.accept.endpoint]]
operator = "A"
url = "http://127.0.0.1:1/"
[[stablecoins.accept]]
chain = "solana-devnet"
owner = "FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa"
tokens = ["USDC"]
[[stablecoins.accept.endpoint]]
operator = "A"
url = "http://127.0.0.1:1/"
[[stablecoins.accept.endpoint]]
operator = "B"
url = "http://127.0.0.1:2/"
[[stablecoins.accept]]
chain = "nile"
address = "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"
tokens = ["USDT"]
[[stablecoins.accept.endpoint]]
operator = "A"
url = "http://127.0.0.1:1/"
[[stablecoins.accept.endpoint]]
operator = "B"
url = "http://127.0.0.1:2/"
`

// writeTreasuryShop writes its files.
func writeTreasuryShop(t *testing.T, dir string) string {
	t.Helper()
	writeIn(t, dir, "catalogue.toml", demoCatalogue)
	writeIn(t, dir, "tokens.json", `{"chains":[{"id":31337,"key":"lab1","name":"Lab 1","coin":"ETH","stale_s":3600,"policy":[{"up_to":0,"level":"1 block","operators":1}]}],"tokens":[{"chain":31337,"contract":"0x71C7656EC7ab88b098defB751B7401B5f6d8976F","symbol":"EURC","on_chain":["EURC"],"decimals":6,"peg":"EUR"}]}`)
	return writeIn(t, dir, "till.toml", treasuryShop)
}

// TestStablecoinsTreasury changes where the money goes behind the till's back: each kind
// of network has an address on record, the changed ones are told of, and nothing is asked
// for there until a manager confirms it.
func TestStablecoinsTreasury(t *testing.T) {
	dir := t.TempDir()
	file := writeTreasuryShop(t, dir)
	run := func(edit *strings.Replacer, f func(x *till, v pos.View)) {
		t.Helper()
		writeIn(t, dir, "till.toml", edit.Replace(treasuryShop))
		c, err := loadConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		x, err := openTill(c, quiet())
		if err != nil {
			t.Fatal(err)
		}
		f(x, x.desk.View())
		if err := x.shut(); err != nil {
			t.Error(err)
		}
	}
	same := strings.NewReplacer()
	run(same, func(x *till, v pos.View) {
		got := x.ledger.Books().Destinations
		if len(got) != 3 || got["evm"].Address != "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" || got["solana-devnet"].Address != "FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa" ||
			got["nile"].Address != "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8" || len(v.Counter.Destinations) != 0 {
			t.Errorf("on record: %+v", got)
		}
	})
	moved := strings.NewReplacer("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa", "2jDmYQMRCBnXUQeFRvQABcU6hLcvjVTdG7AoHravxWJX")
	run(moved, func(_ *till, v pos.View) {
		if d := v.Counter.Destinations; len(d) != 2 || d[0].Address != "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359" || d[1].Old != "FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa" {
			t.Errorf("what waits: %+v", d)
		}
		for i, tv := range v.Counter.Tenders[1:] {
			if tv.Ready || strings.Contains(tv.Reason, "A manager must confirm it") != (i < 2) {
				t.Errorf("a tender: %+v", tv)
			}
		}
		if len(v.Counter.Notices) != 2 {
			t.Errorf("notices: %+v", v.Counter.Notices)
		}
	})
	run(same, func(_ *till, v pos.View) {
		if len(v.Counter.Destinations) != 0 {
			t.Errorf("put back: %+v", v.Counter.Destinations)
		}
	})
}

// TestStablecoinsPeg: a manager takes a token that is off its value, at the price on the
// screen, and stops that again; a start in between says his word again.
func TestStablecoinsPeg(t *testing.T) {
	dir := t.TempDir()
	file := writeTreasuryShop(t, dir)
	_, c, stop := runShop(t, file)
	c.found()
	peg := func(v pos.View) pos.PegView { return v.Counter.Tenders[1].Peg }
	c.wait("a price", func(v pos.View) bool { return peg(v) == pos.PegView{Price: "0.9700", In: "EUR"} })
	if status, b, err := c.call("POST", "/v1/tokens/EURC/allowance", key(), object{"price": "0.9900"}); err != nil || status != 409 {
		t.Errorf("at another price: %d %s %v", status, b, err)
	}
	c.do("POST", "/v1/tokens/EURC/allowance", object{"price": "0.9700"}, nil)
	allowed := func(v pos.View) bool { return peg(v).By == "Anna" && !peg(v).Until.IsZero() }
	c.wait("that it is taken", allowed)
	stop()

	x, again, _ := runShop(t, file)
	again.signIn()
	again.wait("a price", func(v pos.View) bool { return peg(v).Price != "" })
	if _, trust := x.now(); trust == pos.ClockTrusted {
		again.wait("that it is taken after a start", allowed)
	} else {
		again.do("POST", "/v1/tokens/EURC/allowance", object{"price": "0.9700"}, nil)
	}
	again.do("POST", "/v1/tokens/EURC/allowance", object{"off": true}, nil)
	again.wait("that it is not taken", func(v pos.View) bool { return peg(v) == pos.PegView{Price: "0.9700", In: "EUR"} })
	n := 0
	for r, err := range x.journal.Since(0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind == pos.KindTokenAllowed {
			n++
		}
	}
	if n < 2 {
		t.Errorf("%d records of a manager's word", n)
	}
}
