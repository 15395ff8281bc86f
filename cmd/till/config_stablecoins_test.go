package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const coinsPart = `
[stablecoins]
treasury = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
[[stablecoins.accept]]
chain = "base"
tokens = ["USDC", "EURC"]
[[stablecoins.accept.endpoint]]
operator = "A"
url = "https://a.example/key"
[[stablecoins.accept.endpoint]]
operator = "B"
url = "https://b.example/key"
`

// TestStablecoinFaults gives every kind of wrong configuration: each is named with what
// to do.
func TestStablecoinFaults(t *testing.T) {
	with := func(old, new string) string {
		if !strings.Contains(coinsPart, old) {
			t.Fatalf("%q is not there", old)
		}
		return small + strings.Replace(coinsPart, old, new, 1)
	}
	for _, x := range []struct{ name, text, want string }{
		{"treasury that was mistyped", with("0x5aA", "0x5aB"), "stablecoins.treasury: \"0x5aBeb6053F3E94C9b9A09f33669435E7Ef1BeAed\" has a typing error"},
		{"no treasury", with("treasury =", "#"), "accept.0.chain: Base needs the part [stablecoins] to say treasury"},
		{"a token as treasury", with("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"), "it is a token"},
		{"too long a price", with("treasury", "expiry = \"2h\"\ntreasury"), "stablecoins.expiry: must be a time from 2m0s to 30m0s"},
		{"too much may be missing", with("treasury", "tolerance = \"5\"\ntreasury"), "stablecoins.tolerance: must be the percent"},
		{"tolerance with one address", with("treasury", "one_address = true\ntolerance = \"0.5\"\ntreasury"), "must be \"0\" with one_address"},
		{"an unknown link", with("treasury", "links = [\"rainbow\"]\ntreasury"), "stablecoins.links: \"rainbow\" is not known; choose from metamask, trust, tron"},
		{"an unknown rule", with("treasury", "offline = \"always\"\ntreasury"), "stablecoins.offline: must be"},
		{"sold offline with one address", with("treasury", "offline = \"allow offline\"\none_address = true\ntreasury"), "stablecoins.offline: only \"online only\" is possible with one_address"},
		{"a limit of nothing", with("treasury", "offline_total = \"50.00\"\ntreasury"), "stablecoins.offline_total: does nothing while offline is \"online only\""},
		{"a limit that is no amount", with("treasury", "offline = \"prefer online\"\noffline_per_sale = \"much\"\ntreasury"), "stablecoins.offline_per_sale: must be an amount such as \"20.00\""},
		{"a sale above them all", with("treasury", "offline = \"prefer online\"\noffline_per_sale = \"101\"\ntreasury"), "stablecoins.offline_per_sale: must be at most offline_total"},
		{"too many unverified", with("treasury", "offline = \"allow offline\"\noffline_sales = 101\ntreasury"), "stablecoins.offline_sales: must be"},
		{"unverified for too long", with("treasury", "offline = \"allow offline\"\noffline_age = \"200h\"\ntreasury"), "stablecoins.offline_age: must be a time from 0s to 168h0m0s"},
		{"a slip in a limit", with("treasury", "offline = \"allow offline\"\noffline_sale = 3\ntreasury"), "did you mean stablecoins.offline_sales?"},
		{"an unknown chain", with("\"base\"", "\"bass\""), "accept.0.chain: \"bass\" is not known; did you mean \"base\"?; choose from solana"},
		{"an unknown token", with("EURC", "EURX"), "accept.0.tokens: \"EURX\" is not known on Base; did you mean \"EURC\"?; choose from USDC, USDT, EURC"},
		{"Tether in the Union", with("EURC", "USDT"), "line 12: stablecoins.accept.0.tokens: USDT has no licence in the European Union"},
		{"no token", with("tokens =", "#"), "accept.0.tokens: is missing"},
		{"a chain twice", with("[[stablecoins.accept]]\nchain = \"base\"", "[[stablecoins.accept]]\nchain = \"base\"\ntokens = [\"USDC\"]\n[[stablecoins.accept.endpoint]]\noperator=\"A\"\nurl=\"https://a.example\"\n[[stablecoins.accept]]\nchain = \"base\""), "\"base\" is there twice"},
		{"no chain at all", small + "[stablecoins]\ntreasury = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\n", "stablecoins.accept: write 1 to 16 parts"},
		{"one operator for large sums", with("\"B\"", "\"A\""), "line 13: stablecoins.accept.0.endpoint: Base needs endpoints of two operators, who have to agree about large sales: write a second part [[stablecoins.accept.endpoint]] with another operator and its url_file"},
		{"plain HTTP", with("https://b", "http://b"), "must begin with https"},
		{"no address of an endpoint", with("url = \"https://b.example/key\"", ""), "accept.0.endpoint.1.url_file: write either url_file"},
		{"no such file", with("url = \"https://b.example/key\"", "url_file = \"none\""), "must be a file with the endpoint's address"},
		{"no such registry", with("treasury", "registry = \"none.json\"\ntreasury"), "stablecoins.registry: "},
		{"a slip of a key", with("tokens", "token"), "did you mean stablecoins.accept.0.tokens?"},
		{"a fixed price of real money", with("[stablecoins]", "[rates]\nfixed_tokens.USDC = \"0.9\"\n[stablecoins]"), "rates.fixed_tokens: are for trying out; on base, with real tokens"},
		{"a price that is none", with("[stablecoins]", "[rates]\nfixed_tokens.USDC = \"free\"\n[stablecoins]"), "must be the price of one USDC in EUR"},
		{"Solana without an owner", with("chain = \"base\"", "chain = \"solana\""), "accept.0.owner: is missing"},
		{"Tron without an address", with("chain = \"base\"", "chain = \"tron\""), "accept.0.address: is missing"},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, err := loadConfig(write(t, "till.toml", x.text))
			if f, ok := errors.AsType[*faults](err); !ok || !strings.Contains(f.Error(), x.want) {
				t.Errorf("got %v\nwant %s", err, x.want)
			}
			if err != nil && strings.Contains(err.Error(), "example/key") {
				t.Errorf("an endpoint's key is shown: %v", err)
			}
		})
	}
}

// TestStablecoinConfig reads a whole one, with all three kinds of chains.
func TestStablecoinConfig(t *testing.T) {
	text := small + strings.Replace(coinsPart, "treasury", "expiry = \"5m\"\nlinks = [\"metamask\"]\nusdt_in_eu = true\ntills = 3\ntill = 2\ntreasury", 1)
	two := "[[stablecoins.accept.endpoint]]\noperator = \"A\"\nurl = \"https://a.example\"\n[[stablecoins.accept.endpoint]]\noperator = \"B\"\nurl = \"https://b.example\"\n"
	text += "[[stablecoins.accept]]\nchain = \"solana\"\nowner = \"FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa\"\ntokens = [\"USDC\"]\n" + two
	text += "[[stablecoins.accept]]\nchain = \"tron\"\naddress = \"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t\"\ntokens = [\"USDT\"]\n" + two
	if _, err := loadConfig(write(t, "till.toml", text)); err == nil {
		t.Error("a token's own address as the shop's on Tron")
	}
	text = strings.Replace(text, "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", 1)
	c, err := loadConfig(write(t, "till.toml", text))
	if err != nil {
		t.Fatal(err)
	}
	c.data = filepath.Join(t.TempDir(), "data")
	sc := c.stablecoins
	if sc.expiry != 5*time.Minute || sc.tolerance != 50 || len(sc.accept) != 3 || sc.describe() != "USDC, EURC on base; USDC on solana; USDT on tron" {
		t.Errorf("read %+v", sc)
	}
	x := &till{c: c, log: quiet()}
	rails, err := x.stable()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range rails {
		names = append(names, string(r.tender))
	}
	if got := strings.Join(names, " "); got != "usdc-base usdc-solana eurc-base usdt-tron" {
		t.Errorf("buttons %s", got)
	}
	p, err := x.newPrices(rails)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.notice(rails[3]); !strings.Contains(got, "European Union") {
		t.Errorf("Tether's notice is %q", got)
	}
	if b := p.tenders(c.stablecoins, rails); !strings.Contains(b[1].Notice(), "Trust Wallet on Solana") || !strings.Contains(b[3].Notice(), "European Union") || b[0].Notice() != "" {
		t.Errorf("the buttons say %q, %q, %q", b[0].Notice(), b[1].Notice(), b[3].Notice())
	}
	if _, err := p.Rate(rails[0].asset); message(err) != "no price yet" {
		t.Errorf("%v", err)
	}
}
