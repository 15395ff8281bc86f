package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSlips writes what people write: each slip has its line, and what to write instead.
func TestSlips(t *testing.T) {
	endpoint := "[[stablecoins.accept.endpoint]]\noperator = \"A\"\nurl_file = \"a.url\"\n"
	coins := func(old, new string) string {
		all := small + "[stablecoins]\nlinks = [\"metamask\"]\ntreasury = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\n" + // 7 to 9
			"[[stablecoins.accept]]\nchain = \"base\"\ntokens = [\"USDC\"]\n" + endpoint + strings.Replace(endpoint, `"A"`, `"B"`, 1) + // 10 to 18
			"[[stablecoins.accept]]\nchain = \"polygon\"\ntokens = [\"USDC\"]\n" + endpoint + strings.Replace(endpoint, `"A"`, `"B"`, 1) // 19 to 27
		if !strings.Contains(all, old) {
			t.Fatalf("%q is not there", old)
		}
		return strings.Replace(all, old, new, 1)
	}
	const (
		treasury = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
		panel    = small + "[[display.panel]]\n"
		roll     = small + "[printer]\nconnect = \"paper\"\n"
		keys     = small + "[headless]\non = true\n[headless.keys]\n"
	)
	for _, x := range []struct{ name, text, want string }{
		{"a token as treasury", coins(treasury, "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"), "1 fault(s):\n  line 9: stablecoins.treasury: 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913 cannot be the treasury: it is a token"},
		{"nobody's address as treasury", coins(treasury, "0x0000000000000000000000000000000000000001"), "1 fault(s):\n  line 9: stablecoins.treasury: "},
		{"chain", coins(`"polygon"`, `"poligon"`), `line 20: stablecoins.accept.1.chain: "poligon" is not known; did you mean "polygon"?`},
		{"token", coins("\"polygon\"\ntokens = [\"USDC\"]", "\"polygon\"\ntokens = [\"USCD\"]"), `line 21: stablecoins.accept.1.tokens: "USCD" is not known on Polygon; did you mean "USDC"?`},
		{"link", coins("metamask", "metamsk"), `line 8: stablecoins.links: "metamsk" is not known; did you mean "metamask"?`},
		{"a key in a part of a part", coins("operator = \"B\"", "operater = \"B\""), "line 17: stablecoins.accept.0.endpoint.1.operater: is not a setting of this program; did you mean stablecoins.accept.0.endpoint.1.operator?"},
		{"an address where a file's name belongs", coins("url_file = \"a.url\"", "url_file = \"https://node.example/SECRET\""), "line 15: stablecoins.accept.0.endpoint.0.url_file: is an address and no file's name: a secret belongs in a file"},
		{"a file's name where an address belongs", coins("url_file =", "url ="), `line 15: stablecoins.accept.0.endpoint.0.url: is no address that begins with https://; if it is a file's name, write url_file = "a.url"`},
		{"a file that is not there", coins("a.url", "b.url"), "line 15: stablecoins.accept.0.endpoint.0.url_file: there is no file "},
		{"a key that should be a file", coins("url_file = \"a.url\"", "url_file = \"a.url\"\nkey = \"SECRET\""), "line 16: stablecoins.accept.0.endpoint.0.key: is not a setting of this program; a secret belongs in a file: write key_file = \"…\""},
		{"one operator of two endpoints", coins("operator = \"B\"", "operator = \"A\""), "line 13: stablecoins.accept.0.endpoint: Base needs endpoints of two operators"},
		{"Solana's one operator", strings.TrimSuffix(coins("chain = \"polygon\"", "owner = \"FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa\"\nchain = \"solana\""), strings.Replace(endpoint, `"A"`, `"B"`, 1)), "line 23: stablecoins.accept.1.endpoint: solana needs endpoints of two operators"},
		{"a token as Solana's owner", coins("chain = \"polygon\"", "owner = \"EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v\"\nchain = \"solana\""), "line 20: stablecoins.accept.1.owner: EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v cannot be the shop's wallet"},
		{"connection in another word", small + "[lightning]\nurl = \"https://node\"\n", "line 8: lightning.url: is not a setting of this program; remove it, or write one of connection, connection_file, expiry, network"},
		{"connection that is a file's name", small + "[lightning]\nconnection = \"/etc/lnd.conn\"\n", "line 8: lightning.connection: this is no connection string; it starts with lndconnect:// or type=lnd-rest;; if it is a file's name, write connection_file"},
		{"network", small + "[lightning]\nconnection_file = \"a.url\"\nnetwork = \"mainet\"\n", `not "mainet"; did you mean "mainnet"?`},
		{"exchange", small + "[rates]\nsources = [\"kracken\", \"bitstamp\"]\n", `line 8: rates.sources: "kracken" is not known; did you mean "kraken"?; choose from`},
		{"rule", small + "[offline]\nlightning = \"allow-offline\"\n", `did you mean "allow offline"?`},
		{"tender", small + "[offline]\nlightnig = \"online only\"\n", "line 8: offline.lightnig: is not a setting of this program; did you mean offline.lightning?"},
		{"a key in the wrong part", small + "[printer]\nconnect = \"paper\"\nframebuffer = \"/dev/fb0\"\n", "line 9: printer.framebuffer: is not a setting of this program; it belongs under [display]"},
		{"a key of the file below a part", small + "[backoffice]\nlisten = \":80\"\n", "line 8: backoffice.listen: is not a setting of this program; it belongs at the top, above the first part"},
		{"in braces", small + "[headless]\nkeys = {\n  f1 = \"drwer\",\n  kpslsh = \"menu\",\n}\n", ""},
		{"a model for a driver", panel + "driver = \"st7789\"\n", `line 8: display.panel.0.driver: must be one of framebuffer, mipi, epaper, oled, pole, not "st7789"; st7789 is a model: write driver = "mipi"`},
		{"a cable for a driver", panel + "driver = \"HDMI\"\n", `not "HDMI"; for HDMI write driver = "framebuffer"`},
		{"a number for a wire", panel + "driver = \"mipi\"\nmodel = \"ili9341\"\ndc = 25\n", "1 fault(s):\n  line 10: display.panel.0.dc: must be a text in quotes, not 25"},
		{"a wire's number", panel + "driver = \"mipi\"\nmodel = \"ili9341\"\ndc = \"25\"\n", `line 10: display.panel.0.dc: must name a line such as "GPIO25", not "25"; did you mean "GPIO25"?`},
		{"a bus in small letters", panel + "driver = \"mipi\"\nmodel = \"ili9341\"\ndc = \"GPIO25\"\nbus = \"spi0.1\"\n", `not "spi0.1"; did you mean "SPI0.1"?`},
		{"a number for a model", panel + "driver = \"epaper\"\nmodel = 4.2\ndc = \"GPIO1\"\nreset = \"GPIO2\"\nbusy = \"GPIO3\"\n", "1 fault(s):\n  line 9: display.panel.0.model: must be a text in quotes, not 4.2"},
		{"one bracket", small + "[display.panel]\ndriver = \"oled\"\n", "1 fault(s):\n  line 7: display.panel: must be parts that begin with [[display.panel]], in two brackets"},
		{"a printer that is nowhere", small + "[printer]\nmodel = \"tm-t20iii\"\n", "printer.connect: is missing; write how the printer is reached"},
		{"half of a printer's name", roll + "model = \"tm-t20\"\n", `there is no printer "tm-t20"; there are "tm-t20ii", "tm-t20iii"`},
		{"a maker", roll + "model = \"epson\"\n", `there is no printer "epson"; there are `},
		{"a maker with his model", roll + "model = \"Bixolon SRP-350III\"\n", `there are "srp-350iii"`},
		{"a key that there is not", keys + "kpslsh = \"menu\"\n", `1 fault(s):
  line 10: headless.keys.kpslsh: is no key; did you mean "kpslash"?`},
		{"a key as the kernel shouts it", keys + "KEY_F1 = \"drawer\"\n", "line 10: headless.keys.KEY_F1: is written f1 here"},
		{"what no key does", keys + "f1 = \"drwer\"\n", `line 10: headless.keys.f1: "drwer" is nothing that a key can do; did you mean "drawer"?; choose from 0, 1`},
		{"a button's key", small + "[[hands.button]]\nline = \"GPIO17\"\nkey = \"kpentr\"\n", `not "kpentr"; did you mean "kpenter"?`},
		{"a light's state", small + "[[hands.led]]\nled = \"ACT\"\non = [\"payed\"]\n", "1 fault(s):\n  line 9: hands.led.0.on: must be of ready, waiting, paid, trouble, and holds \"payed\"; did you mean \"paid\"?"},
		{"a label's value", small + "[[scale_barcode]]\npattern = \"21IIIIIVVVVVC\"\nvalue = \"wieght\"\n", `did you mean "weight"?`},
	} {
		t.Run(x.name, func(t *testing.T) {
			path := write(t, "till.toml", x.text)
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "a.url"), []byte("https://node.example/SECRET\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := loadConfig(path)
			switch {
			case x.name == "in braces":
				for _, want := range []string{"2 fault(s)", "line 9: headless.keys.f1: ", "line 10: headless.keys.kpslsh: "} {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("got  %v\nwant %s", err, want)
					}
				}
			case x.want == "" && err != nil, x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)):
				t.Errorf("got  %v\nwant %s", err, x.want)
			}
			if err != nil && strings.Contains(err.Error(), "SECRET") {
				t.Errorf("a secret is shown: %v", err)
			}
		})
	}
}

// TestOneOperator: the merchant's own chain may be content with one operator, and the
// message says where and what to write; then it is so.
func TestOneOperator(t *testing.T) {
	chain := `{"chains": [{"id": 999001, "key": "mychain", "name": "My Chain", "coin": "ETH", "stale_s": 60 POLICY}],
"tokens": [{"chain": 999001, "symbol": "USDC", "contract": "0xBB3C4ccB85F742188A19f376653938D514079fc5", "decimals": 6, "on_chain": ["USDC"], "peg": "USD", "source": "me"}]}`
	path := write(t, "till.toml", small+"[stablecoins]\ntreasury = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\nregistry = \"mine.json\"\n"+
		"[[stablecoins.accept]]\nchain = \"mychain\"\ntokens = [\"USDC\"]\n[[stablecoins.accept.endpoint]]\noperator = \"A\"\nurl = \"https://a.example\"\n")
	registry := func(policy string) {
		text := strings.Replace(chain, "POLICY", policy, 1)
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "mine.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	registry("")
	const want = `line 13: stablecoins.accept.0.endpoint: My Chain needs endpoints of two operators, who have to agree about large sales: write a second part ` +
		`[[stablecoins.accept.endpoint]] with another operator and its url_file; or, if one operator's word shall be enough for any sum, write below chain = "mychain" the line policy = [{ up_to = 50, level = "2 blocks", operators = 1 }, { level = "finalized", operators = 1 }]`
	if _, err := loadConfig(path); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	registry(`, "policy": [{"up_to": 0, "level": "finalized", "operators": 1}]`)
	if _, err := loadConfig(path); err != nil {
		t.Errorf("it was done as told, and %v", err)
	}
}

// TestConfigWarns: what is odd and keeps no till from selling is said by config check
// and by the doctor, with its line.
func TestConfigWarns(t *testing.T) {
	const kitchen = "[printer]\nconnect = \"paper\"\n[[printer.second]]\nname = \"Kitchen\"\nconnect = \"paper\"\n"
	for _, x := range []struct {
		name, text string
		want       []string // lines; none: no word
	}{
		{"all well", "catalogue = \"items.toml\"\n" + small + kitchen + "categories = [\"food\"]\nitems = [\"TEA\"]\n", nil},
		{"a category that is none", "catalogue = \"items.toml\"\n" + small + kitchen + "categories = [\"Food\", \"Drink\"]\n", []string{`but line 13: printer.second.0.categories: no item has the category "Drink"; did you mean "Drinks"?; the catalogue's are Food, Drinks`}},
		{"an item that is none", "catalogue = \"items.toml\"\n" + small + kitchen + "items = [\"TEE\"]\n", []string{`but line 13: printer.second.0.items: no item has the sku "TEE"; did you mean "TEA"?`, "but line 12: printer.second.0.connect: Kitchen will never print: no item goes to it"}},
		{"no goods at all", small + kitchen + "categories = [\"Food\"]\n", []string{"but line 11: printer.second.0.connect: Kitchen will never print: the till has no goods; write catalogue = "}},
		{"a keypad without a panel", "listen = \":80\"\n" + small + "[headless]\non = true\n[[hands.keypad]]\nmatch = \"pad\"\n", []string{"but line 9: headless.on: no panel tells the cashier what the keys do: write a part [[display.panel]]"}},
		{"keys that there are not", "listen = \":80\"\n" + small + glassAndKeys + "[[hands.scanner]]\nmatch = \"gun\"\n", []string{"but line 10: headless.on: no key reaches the till: write a part [[hands.keypad]]"}},
		{"keys and a panel", "listen = \":80\"\n" + small + glassAndKeys + "[[hands.keyboard]]\nmatch = \"pad\"\n", nil},
		{"buttons and a panel", "listen = \":80\"\n" + small + glassAndKeys + "[[hands.button]]\nline = \"GPIO5\"\nkey = \"kpenter\"\n", nil},
		{"addresses in the open", small + coinsPart, []string{
			"but line 15: stablecoins.accept.0.endpoint.0.url: a secret belongs in a file that only the till's user reads, and this address may hold a key: write url_file =",
			"but line 18: stablecoins.accept.0.endpoint.1.url: a secret",
		}},
		{"a price of nothing", small + "[rates.fixed_tokens]\nUSCD = \"0.9\"\n" + strings.NewReplacer(`"base"`, `"solana-devnet"`, `"EURC"`, `"usdc"`, "chain =", "owner = \"FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa\"\nchain =").Replace(coinsPart), nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			path := write(t, "till.toml", x.text)
			items := "[[item]]\nsku = \"SOUP\"\nname = \"Soup\"\nprice = \"4.90\"\ncategory = \"Food\"\n[[item]]\nsku = \"TEA\"\nname = \"Tea\"\nprice = \"2.90\"\ncategory = \"Drinks\"\n"
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "items.toml"), []byte(items), 0o600); err != nil {
				t.Fatal(err)
			}
			if x.name == "a price of nothing" {
				c, err := loadConfig(path)
				if err != nil || !strings.Contains(c.warnings[0].String(), `line 8: rates.fixed_tokens.USCD: is not taken anywhere; did you mean "USDC"?`) {
					t.Errorf("%v, %v", err, c.warnings)
				}
				return
			}
			out := good(t, "config", "check", "-config", path)
			if got := strings.Count(out, "\nbut "); got != len(x.want) {
				t.Errorf("%d warnings, want %d:\n%s", got, len(x.want), out)
			}
			for _, want := range x.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
	hands := write(t, "till.toml", "listen = \":80\"\n"+small+glassAndKeys+"[[hands.keypad]]\nid = \"04d9:1203\"\n[[hands.scanner]]\nmatch = \"gun\"\n[hands.buzzer]\nline = \"GPIO5\"\n[[hands.led]]\nled = \"ACT\"\non = [\"paid\"]\n")
	if out := good(t, "config", "check", "-config", hands); !strings.HasSuffix(out, "\nhands: sold with a keypad, Keypad (04d9:1203), Scanner (gun), buzzer on GPIO5, light on ACT\n") {
		t.Errorf("of the hands it says %q", out)
	}
	file := write(t, "till.toml", small+kitchen+"categories = [\"Food\"]\n")
	out, _ := try(t, "doctor", "-config", file)
	if !strings.Contains(out, "ok    configuration  but line 11: printer.second.0.connect: Kitchen will never print") {
		t.Errorf("the doctor says\n%s", out)
	}
}
