package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// small is the least that a shop must write down.
const small = `[shop]
name = "Café"
currency = "EUR"
[[tax]]
code = "A"
percent = "20"
`

// write puts text into a file of its own and returns its name.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestConfigFaults gives every kind of bad configuration: each fault is named with
// its line, its key and what to do, and all of them at once.
func TestConfigFaults(t *testing.T) {
	for _, x := range []struct {
		name string
		text string
		want []string // a line of the answer each
	}{
		{"nothing", "", []string{"shop.name: is missing", "shop.currency: is missing", "tax: is missing; write a part [[tax]]"}},
		{"unknown key", small + "colour = \"red\"\n", []string{`line 7: tax.0.colour: is not a setting of this program`}},
		{"slip of a key", strings.Replace(small, "name", "nmae", 1), []string{"line 2: shop.nmae: is not a setting of this program; did you mean shop.name?", "shop.name: is missing"}},
		{"slip of a part", small + "[lightnig]\n", []string{"line 7: lightnig: is not a setting of this program; did you mean lightning?"}},
		{"far from all", small + "[xylophones]\na = 1\n", []string{"line 7: xylophones: is not a setting of this program; remove it"}},
		{"twice", small + "percent = \"10\"\n", []string{"line 7: file: "}},
		{"text without quotes", strings.Replace(small, `"EUR"`, "EUR", 1), []string{"line 3: file: ", "put text in quotes"}},
		{"part twice", small + "[shop]\n", []string{"line 7: file: "}},
		{"unfinished", small + "[shop\n", []string{"line 7: file: "}},
		{"number for text", strings.Replace(small, `"Café"`, "5", 1), []string{"has 1 fault(s)", "line 2: shop.name: must be a text in quotes, not 5"}},
		{"text for number", small + "[printer]\ncolumns = \"48\"\n", []string{"line 8: printer.columns: must be a whole number, not 48"}},
		{"text for yes", small + "included = \"yes\"\n", []string{"line 7: tax.0.included: must be true or false, not yes"}},
		{"text for a part", "printer = \"paper\"\n" + small, []string{"line 1: printer: must be a part that begins with [printer], not paper"}},
		{"a part for parts", "[tax]\ncode = \"A\"\n", []string{"line 1: tax: must be parts that begin with [[tax]]"}},
		{"texts for parts", "tax = [\"A\"]\n", []string{"line 1: tax: must be parts that begin with [[tax]]"}},
		{"a text for texts", strings.Replace(small, "currency", "address = \"Main St\"\ncurrency", 1), []string{"line 3: shop.address: must be a list of texts, not Main St"}},
		{"numbers for texts", strings.Replace(small, "currency", "address = [1]\ncurrency", 1), []string{"line 3: shop.address: must be a list of texts, and holds 1"}},
		{"currency", strings.Replace(small, "EUR", "EURO", 1), []string{`line 3: shop.currency: must be a code of ISO 4217 such as "EUR", not "EURO"`}},
		{"zone", strings.Replace(small, "currency", "zone = \"Vienna\"\ncurrency", 1), []string{`line 3: shop.zone: must name a time zone such as "Europe/Vienna", not "Vienna"`}},
		{"language", strings.Replace(small, "currency", "language = \"klingon\"\ncurrency", 1), []string{`line 3: shop.language: must be one of en, es, de, fr, pt, not "klingon"`}},
		{"series", strings.Replace(small, "currency", "series = \"till one\"\ncurrency", 1), []string{"line 3: shop.series: must be at most 6 letters or digits"}},
		{"sale of nothing", strings.Replace(small, "currency", "max_sale = \"0\"\ncurrency", 1), []string{`line 3: shop.max_sale: must be an amount such as "10000.00", not "0"`}},
		{"absurd sale", strings.Replace(small, "currency", "max_sale = \"92233720368547758.07\"\ncurrency", 1), []string{"line 3: shop.max_sale: must be at most"}},
		{"a coin of a million", small + "[shop.cash_rounding]\nstep = \"1000000.00\"\n", []string{"line 8: shop.cash_rounding.step: must be the smallest coin"}},
		{"no coin", small + "[shop.cash_rounding]\nstep = \"-0.05\"\n", []string{"line 8: shop.cash_rounding.step: must be the smallest coin"}},
		{"name that a printer obeys", strings.Replace(small, "Café", `\u001bp0Café`, 1), []string{"line 2: shop.name: must be one line of plain text"}},
		{"address that turns around", strings.Replace(small, "currency", "address = [\"\\u202e 1\"]\ncurrency", 1), []string{"line 3: shop.address: must be one line of plain text"}},
		{"tax of more than all", strings.Replace(small, "20", "100.001", 1), []string{`line 6: tax.0.percent: must be from "0" to "100" with at most 3 decimals, not "100.001"`}},
		{"tax as a number", strings.Replace(small, `"20"`, "20", 1), []string{"line 6: tax.0.percent: must be a text in quotes, not 20"}},
		{"two taxes of one code", small + "[[tax]]\ncode = \"A\"\npercent = \"10\"\n", []string{`line 8: tax.1.code: "A" is used twice`}},
		{"long code", strings.Replace(small, `"A"`, `"ABCDE"`, 1), []string{`line 5: tax.0.code: must be 1 to 4 letters, not "ABCDE"`}},
		{"long name of a tax", small + "name = \"" + strings.Repeat("x", 121) + "\"\n", []string{"line 7: tax.0.name: must have at most 120 letters"}},
		{"address to listen at", "listen = \"8080\"\n" + small, []string{`line 1: listen: must be an address and a port such as "127.0.0.1:8080", not "8080"`}},
		{"port", "listen = \":65536\"\n" + small, []string{"line 1: listen: "}},
		{"no connection", small + "[lightning]\n", []string{"lightning.connection_file: write either connection_file"}},
		{"two connections", small + "[lightning]\nconnection = \"lndconnect://x\"\nconnection_file = \"f\"\n", []string{"line 9: lightning.connection_file: write either"}},
		{"bad connection", small + "[lightning]\nconnection = \"http://x\"\n", []string{"line 8: lightning.connection: "}},
		{"network", small + "[lightning]\nconnection_file = \"f\"\nnetwork = \"bitcoin\"\n", []string{"line 9: lightning.network: must be one of mainnet, testnet"}},
		{"expiry", small + "[lightning]\nconnection_file = \"f\"\nexpiry = \"2h\"\n", []string{"line 9: lightning.expiry: must be a time from 1m0s to 15m0s"}},
		{"half a second", small + "[lightning]\nconnection_file = \"f\"\nexpiry = \"90.5s\"\n", []string{"line 9: lightning.expiry: must be whole seconds"}},
		{"exchange", small + "[rates]\nsources = [\"kraken\", \"mtgox\"]\n", []string{`line 8: rates.sources: "mtgox" is not known; choose from kraken, coinbase, bitstamp`}},
		{"one exchange twice", small + "[rates]\nsources = [\"kraken\", \"kraken\"]\n", []string{`line 8: rates.sources: "kraken" is there twice; a second one must be another`}},
		{"one exchange is none", small + "[rates]\nleast = 1\n", []string{"line 8: rates.least: must be from 2 to 3, not 1"}},
		{"too few exchanges", small + "[rates]\nsources = [\"kraken\"]\n", []string{"line 8: rates.sources: 1 sources cannot give 2 good prices"}},
		{"price", small + "[rates]\nfixed = \"lots\"\n", []string{`line 8: rates.fixed: must be the price of one bitcoin such as "58123.40", not "lots"`}},
		{"fixed price of real money", small + "[lightning]\nconnection_file = \"f\"\n[rates]\nfixed = \"50000\"\n", []string{"line 10: rates.fixed: is for trying out"}},
		{"columns", small + "[printer]\nconnect = \"paper\"\ncolumns = 9223372036854775807\n", []string{"line 9: printer.columns: must be from 24 to 96, not 9223372036854775807"}},
		{"printer", small + "[printer]\nconnect = \"lp0\"\n", []string{"line 8: printer.connect: "}},
		{"backoffice", small + "[backoffice]\nurl = \"shop.example.com\"\n", []string{"line 8: backoffice.url: "}},
		{"backoffice in the clear", small + "[backoffice]\nurl = \"http://shop.example.com\"\n", []string{"line 8: backoffice.url: http://shop.example.com would send every sale unencrypted"}},
		{"no catalogue", "catalogue = \"none.toml\"\n" + small, []string{"line 1: catalogue: "}},
		{"many", "listen = \"x\"\n" + strings.Replace(small, "20", "-1", 1) + "[rates]\nleast = 9\nleats = 1\n", []string{
			"has 4 fault(s)", "line 1: listen", "line 7: tax.0.percent", "line 9: rates.least: must be from 2 to 3, not 9", "line 10: rates.leats: is not a setting of this program; did you mean rates.least?",
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, err := loadConfig(write(t, "till.toml", x.text))
			if err == nil {
				t.Fatal("let through")
			}
			for _, want := range x.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			}
			if f, ok := errors.AsType[*faults](err); !ok || len(f.List) == 0 {
				t.Errorf("%T holds no faults", err)
			}
		})
	}
}

// TestCatalogueFaults does the same for the items.
func TestCatalogueFaults(t *testing.T) {
	const item = "[[item]]\nsku = \"TEA\"\nname = \"Tea\"\nprice = \"2.50\"\n"
	for _, x := range []struct{ name, text, want string }{
		{"no price", "[[item]]\nsku = \"TEA\"\nname = \"Tea\"\n", `item.0.price: is missing; write for example price = "2.90"`},
		{"price as a number", strings.Replace(item, `"2.50"`, "2.5", 1), "line 4: item.0.price: must be a text in quotes, not 2.5"},
		{"too many decimals", strings.Replace(item, "2.50", "2.505", 1), `line 4: item.0.price: must be an amount in EUR such as "2.90", not "2.505"`},
		{"negative", strings.Replace(item, "2.50", "-2.50", 1), "line 4: item.0.price: must be an amount"},
		{"absurd", strings.Replace(item, "2.50", "99999999999999999999", 1), "line 4: item.0.price: must be an amount"},
		{"twice", item + item, `line 6: item.1.sku: "TEA" is used twice`},
		{"tax", item + "tax = \"Z\"\n", `line 5: item.0.tax: there is no [[tax]] with code "Z"`},
		{"colour", item + "colour = \"beige\"\n", "line 5: item.0.colour: must be one of red, orange"},
		{"long name", strings.Replace(item, `"Tea"`, `"`+strings.Repeat("x", 121)+`"`, 1), "line 3: item.0.name: name and sku have at most 120 letters"},
		{"name that a printer obeys", strings.Replace(item, `"Tea"`, `"T\u0007"`, 1), "line 3: item.0.name: must be one line of plain text"},
		{"unknown", item + "prize = \"1\"\n", "line 5: item.0.prize: is not a setting of this program; did you mean item.0.price?"},
	} {
		t.Run(x.name, func(t *testing.T) {
			path := write(t, "till.toml", "catalogue = \"items.toml\"\n"+small)
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "items.toml"), []byte(x.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := loadConfig(path)
			if err == nil || !strings.Contains(err.Error(), x.want) || !strings.Contains(err.Error(), "items.toml") {
				t.Errorf("got  %v\nwant %s", err, x.want)
			}
		})
	}
}

// TestConfigFile gives files that are none.
func TestConfigFile(t *testing.T) {
	for name, path := range map[string]string{
		"not there": filepath.Join(t.TempDir(), "none.toml"),
		"a folder":  t.TempDir(),
		"huge":      write(t, "huge.toml", strings.Repeat("# nothing\n", maxConfig/10+1)),
		"binary":    write(t, "binary.toml", "\x7fELF\x02\x01\x01\x00\xff\xfe"),
		"deep":      write(t, "deep.toml", "a = "+strings.Repeat("[", 100_000)),
		"endless":   "/dev/zero",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := loadConfig(path); err == nil {
				t.Error("let through")
			}
		})
	}
}

// TestConfigGood reads the least, and everything there is: what is written arrives.
func TestConfigGood(t *testing.T) {
	c, err := loadConfig(write(t, "till.toml", small))
	if err != nil {
		t.Fatal(err)
	}
	if c.listen != defaultListen || c.lightning != nil || c.printer != nil || c.rates.least != 2 || c.shop.MaxSale.Minor != 1_000_000 ||
		!filepath.IsAbs(c.data) || len(c.shop.Taxes) != 1 || !c.shop.Taxes[0].Included || c.shop.Taxes[0].Milli != 20_000 {
		t.Errorf("got %+v", c)
	}
	c, err = loadConfig(write(t, "till.toml", `data = "/var/lib/till"
listen = "[::]:80"
[shop]
name = "Kiosk"
address = ["Main St 1"]
currency = "CHF"
language = "de"
zone = "Europe/Zurich"
series = "K1"
max_sale = "500.00"
[shop.cash_rounding]
step = "0.05"
tie_down = true
change_tie_down = true
[[tax]]
code = "N"
percent = "8.1"
[[tax]]
code = "S"
name = "Sales tax"
percent = "8.875"
included = false
[lightning]
connection_file = "lnd.conn"
expiry = "10m"
[rates]
sources = ["kraken", "bitstamp"]
max_age = "5m"
[printer]
connect = "tcp://192.168.1.50:9100"
columns = 42
[display]
framebuffer = "/dev/fb0"
[backoffice]
url = "https://shop.example.com/"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := pos.Rounding{Step: 5, TieDown: true, TieDown2: true}
	if c.data != "/var/lib/till" || c.shop.Rounding != want || c.shop.MaxSale.Minor != 50_000 || c.shop.Taxes[1].Milli != 8875 || c.shop.Taxes[1].Included ||
		c.lightning.network != "mainnet" || c.printer.model.Columns != 42 || c.office.url != "https://shop.example.com" || c.zone.String() != "Europe/Zurich" {
		t.Errorf("got %+v", c)
	}
}

// FuzzConfig reads whatever there is: no panic, and an error that names a fault or
// a configuration that a till can be built from.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{"", small, demo, devices, demoCatalogue, "a.b.c = 1\n[a]\n[[a.b]]\n", "tax = [{code=\"A\", percent=\"1\"}]", "\"\" = 1\n[\"a.b\"]\n", "[shop]\nname = '''\n'''\n", "x = 1979-05-27\ny = nan\n"} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	path := filepath.Join(dir, "till.toml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Skip()
		}
		c, err := loadConfig(path)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a word")
			}
			return
		}
		if c.shop.Name == "" || c.shop.Currency.Code == "" || len(c.shop.Taxes) == 0 || c.shop.MaxSale.Minor <= 0 || c.zone == nil || c.listen == "" || c.data == "" {
			t.Errorf("let through: %+v", c)
		}
		for _, tax := range c.shop.Taxes { // what passes here must be sellable
			if _, err := pos.NewLine("Tea", "", 1000, c.shop.Currency.Of(1), tax); err != nil {
				t.Errorf("tax %+v: %v", tax, err)
			}
		}
	})
}
