package main

import (
	"math"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/pos/rail/lnd"
	"github.com/tillwright/tillwright/sync/wire"
)

// config is the till's configuration, read once and checked whole.
type config struct {
	data      string // folder of journal, ledger, keys
	listen    string
	shop      pos.Shop
	zone      *time.Location
	items     []pos.Item
	lightning *lightningConfig // nil: not offered
	rates     ratesConfig
	printer   *printerConfig // nil: none
	seconds   []*printerConfig
	display   displayConfig
	headless  headlessConfig
	hands     handsConfig
	office    officeConfig
	offline   offlineConfig

	stablecoins *stableConfig // nil: not offered

	warnings []fault // what is odd about the file and keeps no till from selling
}

type lightningConfig struct {
	connection string // the string itself, or
	file       string // the file that holds it
	network    string
	expiry     time.Duration
}

type ratesConfig struct {
	fixed   string            // for trying out
	tokens  map[string]string // the same for tokens: price by symbol, in the shop's currency
	sources []string
	least   int
	maxAge  time.Duration
}

type officeConfig struct {
	url       string
	allowHTTP bool
}

// offlineConfig is how Lightning is taken while the till has no line. The limits can
// only be tighter than those that the backoffice grants.
type offlineConfig struct {
	rule   pos.OfflineRule
	limits pos.OfflineLimits
}

// defaultListen is open to the shop's own network only if its owner says so.
const defaultListen = "127.0.0.1:8080"

// rateSources are the exchanges that the till knows.
var rateSources = []string{"kraken", "coinbase", "bitstamp"}

// loadConfig reads the file at path and names everything wrong with it at once.
func loadConfig(path string) (config, error) {
	r, err := readFile(path)
	if err != nil {
		return config{}, err
	}
	var c config
	c.data = r.path("data", "data")
	c.listen = r.text("listen", defaultListen)
	if _, p, err := net.SplitHostPort(c.listen); err != nil || !goodPort(p) {
		r.bad("listen", "must be an address and a port such as %q, not %q", defaultListen, c.listen)
	}
	c.readShop(r)
	c.readLightning(r)
	c.readRates(r)
	c.readPrinter(r)
	c.readDisplay(r)
	c.readHeadless(r)
	c.readHands(r)
	c.checkKeys(r)
	c.readOffice(r)
	c.readOffline(r)
	c.readStablecoins(r)
	c.readFixedTokens(r)
	if file := r.path("catalogue", ""); file != "" && c.shop.Currency.Code != "" { // prices need a currency to be read in
		if c.items, err = loadCatalogue(file, c.shop); err != nil {
			r.bad("catalogue", "%v", err)
		}
	}
	c.checkRoutes(r)
	c.warnings = r.warned()
	return c, r.err()
}

func goodPort(p string) bool {
	n, err := strconv.ParseUint(p, 10, 16)
	return err == nil && n <= math.MaxUint16
}

func (c *config) readShop(r *reader) {
	s := r.table("shop")
	sh := &c.shop
	sh.Name = s.need("name", "Corner Café")
	sh.Address, sh.TaxID, sh.Footer = s.texts("address"), s.text("tax_id", ""), s.text("footer", "")
	sh.Till, sh.Series = s.text("till", "Till 1"), s.text("series", "01")
	if len(sh.Series) > 6 || strings.ContainsAny(sh.Series, " -\t") {
		s.bad("series", "must be at most 6 letters or digits without spaces: it begins every receipt number")
	}
	code := s.need("currency", "EUR")
	cur, err := pos.CurrencyOf(code)
	if err != nil && code != "" {
		s.bad("currency", "must be a code of ISO 4217 such as \"EUR\", not %q", code)
	}
	sh.Currency = cur
	sh.Language = s.oneOf("language", "en", pos.Languages...)
	sh.Zone = s.text("zone", "UTC")
	if c.zone, err = time.LoadLocation(sh.Zone); err != nil {
		s.bad("zone", "must name a time zone such as \"Europe/Vienna\", not %q", sh.Zone)
		c.zone = time.UTC
	}
	most := s.text("max_sale", defaultMaxSale(cur))
	switch sh.MaxSale, err = pos.ParseAmount(most, cur); {
	case err != nil || sh.MaxSale.Minor <= 0:
		s.bad("max_sale", "must be an amount such as %q, not %q", defaultMaxSale(cur), most)
	case sh.MaxSale.Minor > largestMaxSale:
		s.bad("max_sale", "must be at most %s", cur.Of(largestMaxSale).Number())
	}
	c.readRounding(s.table("cash_rounding"))
	c.readTaxes(r)
}

// largestMaxSale leaves room for nearly a million such sales in a till's turnover,
// which 64 bits count.
const largestMaxSale = 10_000_000_000_000

// largestStep is the largest smallest coin there is: 100 rupiah. A step in the
// millions would round every sale down to nothing.
const largestStep = "100"

// defaultMaxSale is 100,000 minor hundreds: 10,000 in a currency of two decimals.
func defaultMaxSale(c pos.Currency) string { return c.Of(1_000_000).Number() }

func (c *config) readRounding(r *reader) {
	step := r.text("step", "")
	if step == "" {
		return
	}
	a, err := pos.ParseAmount(step, c.shop.Currency)
	most, merr := pos.ParseAmount(largestStep, c.shop.Currency)
	if err != nil || merr != nil || a.Minor < 1 || a.Minor > most.Minor {
		r.bad("step", "must be the smallest coin, such as \"0.05\", not %q", step)
	}
	c.shop.Rounding = pos.Rounding{Step: a.Minor, TieDown: r.yes("tie_down"), TieDown2: r.yes("change_tie_down")}
}

func (c *config) readTaxes(r *reader) {
	seen, before := map[string]bool{}, len(*r.faults)
	for _, t := range r.tables("tax") {
		rate := pos.TaxRate{Code: t.need("code", "A"), Name: t.text("name", "VAT"), Included: true}
		if t.has("included") {
			rate.Included = t.yes("included")
		}
		percent := t.need("percent", "20")
		milli, err := milliPercent(percent)
		if err != nil && percent != "" {
			t.bad("percent", "must be from \"0\" to \"100\" with at most 3 decimals, not %q", percent)
		}
		if rate.Milli = milli; len(rate.Code) > 4 {
			t.bad("code", "must be 1 to 4 letters, not %q", rate.Code)
		}
		if len(rate.Name) > pos.MaxName {
			t.bad("name", "must have at most %d letters", pos.MaxName)
		}
		if seen[rate.Code] {
			t.bad("code", "%q is used twice", rate.Code)
		}
		seen[rate.Code] = true
		c.shop.Taxes = append(c.shop.Taxes, rate)
	}
	if len(c.shop.Taxes) == 0 && r.silent(before) {
		r.bad("tax", "is missing; write a part [[tax]] with code, name and percent (\"0\" when you charge none)")
	}
}

// milliPercent reads "8.875" as 8875.
func milliPercent(s string) (int64, error) {
	kwd, err := pos.CurrencyOf("KWD") // any currency with three decimals reads three decimals exactly
	if err != nil {
		return 0, err
	}
	a, err := pos.ParseAmount(s, kwd)
	if err == nil && (a.Minor < 0 || a.Minor > 100_000) {
		err = pos.E("read percent", pos.Invalid, "out of range")
	}
	return a.Minor, err
}

func (c *config) readLightning(r *reader) {
	if !r.has("lightning") {
		r.table("lightning")
		return
	}
	l := r.table("lightning")
	lc := &lightningConfig{
		connection: l.text("connection", ""), file: l.path("connection_file", ""),
		network: l.oneOf("network", "mainnet", "mainnet", "testnet", "signet", "regtest", "simnet"),
		expiry:  l.duration("expiry", 5*time.Minute, time.Minute, 15*time.Minute),
	}
	if lc.expiry%time.Second != 0 {
		l.bad("expiry", "must be whole seconds")
	}
	switch {
	case (lc.connection == "") == (lc.file == ""):
		l.bad("connection_file", "write either connection_file (a file with the node's connection string, safer) or connection, and not both")
	case lc.connection != "":
		l.warn("connection", "a secret belongs in a file that only the till's user reads: write connection_file = \"…\" with that file's name")
		if _, err := lnd.ParseConnection(lc.connection); err != nil {
			l.bad("connection", "%s; if it is a file's name, write connection_file", message(err))
		}
	}
	c.lightning = lc
}

func (c *config) readRates(r *reader) {
	t := r.table("rates")
	c.rates = ratesConfig{fixed: t.text("fixed", ""), sources: t.texts("sources"), maxAge: t.duration("max_age", 10*time.Minute, time.Minute, time.Hour)}
	if c.rates.sources == nil {
		c.rates.sources = rateSources
	}
	c.rates.least = int(t.number("least", 2, 2, int64(len(rateSources)))) // one source alone could be wrong
	for i, s := range c.rates.sources {
		switch {
		case !slices.Contains(rateSources, s):
			t.bad("sources", "%q is not known%s; choose from %s", s, meant(s, rateSources), strings.Join(rateSources, ", "))
		case slices.Contains(c.rates.sources[:i], s):
			t.bad("sources", "%q is there twice; a second one must be another", s)
		}
	}
	if c.rates.fixed == "" {
		if len(c.rates.sources) < c.rates.least {
			t.bad("sources", "%d sources cannot give %d good prices", len(c.rates.sources), c.rates.least)
		}
		return
	}
	if _, err := pos.RateOf(c.shop.Currency, pos.Bitcoin, c.rates.fixed, "fixed", time.Time{}); err != nil {
		t.bad("fixed", "must be the price of one bitcoin such as \"58123.40\", not %q", c.rates.fixed)
	}
	if c.lightning != nil && c.lightning.network == "mainnet" {
		t.bad("fixed", "is for trying out; with real bitcoin the shop would sell at yesterday's price. Remove it")
	}
}

func (c *config) readOffice(r *reader) {
	t := r.table("backoffice")
	c.office = officeConfig{url: strings.TrimSuffix(t.text("url", ""), "/"), allowHTTP: t.yes("allow_plain_http")}
	if c.office.url == "" {
		return
	}
	if err := wire.CheckURL(c.office.url, c.office.allowHTTP); err != nil {
		t.bad("url", "%s", message(err))
	}
}

func (c *config) readOffline(r *reader) {
	t := r.table("offline")
	rule := t.oneOf("lightning", string(pos.AllowOffline), string(pos.OnlineOnly), string(pos.PreferOnline), string(pos.AllowOffline))
	amount := func(key string) int64 {
		s := t.text(key, "")
		if s == "" {
			return offpay.MaxAmount
		}
		a, err := pos.ParseAmount(s, c.shop.Currency)
		if err != nil || a.Minor < 0 || a.Minor > offpay.MaxAmount {
			t.bad(key, "must be an amount such as \"150.00\", not %q", s)
		}
		return a.Minor
	}
	c.offline = offlineConfig{pos.OfflineRule(rule), pos.OfflineLimits{
		PerSale: amount("per_sale"), Total: amount("total"),
		Sales: int(t.number("sales", offpay.MaxSales, 0, offpay.MaxSales)), Age: t.duration("age", offpay.MaxAge, 0, offpay.MaxAge),
	}}
}

// loadCatalogue reads the items for sale.
func loadCatalogue(file string, shop pos.Shop) ([]pos.Item, error) {
	r, err := readFile(file)
	if err != nil {
		return nil, err
	}
	var items []pos.Item
	seen := map[string]bool{}
	list := r.tables("item")
	for _, t := range list {
		it := pos.Item{
			SKU: t.need("sku", "ESP"), Name: t.need("name", "Espresso"), Category: t.text("category", ""),
			Colour: t.oneOf("colour", "", append([]string{""}, pos.Colours...)...), Barcodes: t.codes("barcode"),
		}
		price := t.need("price", "2.90")
		if it.Price, err = pos.ParseAmount(price, shop.Currency); price != "" && (err != nil || it.Price.Minor < 0) {
			t.bad("price", "must be an amount in %s such as \"2.90\", not %q", shop.Currency.Code, price)
		}
		code := t.text("tax", "")
		i := slices.IndexFunc(shop.Taxes, func(r pos.TaxRate) bool { return r.Code == code || code == "" })
		if i >= 0 {
			it.Tax = shop.Taxes[i]
		} else if len(shop.Taxes) > 0 {
			t.bad("tax", "there is no [[tax]] with code %q%s", code, meant(code, codesOf(shop.Taxes)))
		}
		if len(it.Name) > pos.MaxName || len(it.SKU) > pos.MaxName {
			t.bad("name", "name and sku have at most %d letters", pos.MaxName)
		}
		if seen[it.SKU] {
			t.bad("sku", "%q is used twice", it.SKU)
		}
		seen[it.SKU] = true
		items = append(items, it)
	}
	checkCodes(list, items, shop.Currency)
	return items, r.err()
}

// codesOf names taxes.
func codesOf(taxes []pos.TaxRate) (out []string) {
	for _, t := range taxes {
		out = append(out, t.Code)
	}
	return out
}

// files of the data folder.
func (c config) journalDir() string { return filepath.Join(c.data, "journal") }
func (c config) ledgerFile() string { return filepath.Join(c.data, "ledger.db") }
func (c config) keyFile() string    { return filepath.Join(c.data, "till.key") }
func (c config) secretFile() string { return filepath.Join(c.data, "preimage.secret") }
func (c config) staffFile() string  { return filepath.Join(c.data, "staff.json") }
func (c config) grantFile() string  { return filepath.Join(c.data, "offline.keys") }
