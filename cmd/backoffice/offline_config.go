package main

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/pos/rail/lnd"
	"github.com/tillwright/tillwright/sync/backoffice/offline"
)

// lightningConfig is the node that invoices of offline payments are made at: with a
// macaroon of the same five rights as a till's, and a root key of its own.
type lightningConfig struct {
	Connection string `toml:"connection"`      // the string itself, or
	File       string `toml:"connection_file"` // the file that holds it
	Network    string `toml:"network"`         // "mainnet" if empty
}

// ratesConfig is what prices come from.
type ratesConfig struct {
	Currency string   `toml:"currency"` // of the tills that sell offline
	Fixed    string   `toml:"fixed"`    // for trying out
	Sources  []string `toml:"sources"`
	Least    int      `toml:"least"`
	MaxAge   duration `toml:"max_age"`
}

// offlineConfig says what tills may take without a line.
type offlineConfig struct {
	Enabled bool     `toml:"enabled"`
	Host    string   `toml:"host"`     // where customers' phones ask; public_url's if empty
	PerSale string   `toml:"per_sale"` // amounts in the rates' currency
	Total   string   `toml:"total"`
	Sales   int      `toml:"sales"`
	Age     duration `toml:"age"`
	TTL     int      `toml:"ttl"`            // minutes
	Action  string   `toml:"success_action"` // "url" or "aes"
	KeyAge  duration `toml:"key_age"`

	limits offpay.Limits
}

// duration is written as "24h" or "10m".
type duration time.Duration

// UnmarshalText reads a duration.
func (d *duration) UnmarshalText(b []byte) error {
	n, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf(`%q must be a duration such as "24h" or "10m"`, b)
	}
	*d = duration(n)
	return nil
}

// rateSources are the exchanges that are known.
var rateSources = []string{"kraken", "coinbase", "bitstamp"}

// networks are the chains of lnd's.
var networks = []string{"mainnet", "testnet", "signet", "regtest", "simnet"}

var (
	defaultRates   = ratesConfig{Least: 2, MaxAge: duration(10 * time.Minute)}
	defaultOffline = offlineConfig{
		Sales: offpay.DefaultLimits().Sales, Age: duration(offpay.DefaultLimits().Age), TTL: int(offpay.DefaultLimits().TTL),
		Action: string(offline.ActionURL), KeyAge: duration(30 * 24 * time.Hour),
	}
)

// Bounds of the settings.
const (
	minRateAge, maxRateAge = time.Minute, time.Hour
	minKeyAge, maxKeyAge   = 72 * time.Hour, 365 * 24 * time.Hour // the shortest is how long the key before is still taken
	maxTTL                 = 255
)

// validateOffline checks the three parts, when they are used at all.
func (c *config) validateOffline(f *faults) {
	if !c.Offline.Enabled {
		return
	}
	c.validateLightning(f)
	currency, err := pos.CurrencyOf(c.Rates.Currency)
	if _, numeric := offpay.Numeric(c.Rates.Currency); err != nil || numeric != nil {
		f.key("rates.currency", `must be the currency of the tills that sell offline, such as "EUR"`)
		return // what follows is amounts of it
	}
	c.validateRates(f, currency)
	c.validateHost(f)
	c.validateLimits(f, currency)
}

func (c *config) validateLightning(f *faults) {
	l := &c.Lightning
	if l.Network == "" {
		l.Network = "mainnet"
	}
	if !slices.Contains(networks, l.Network) {
		f.key("lightning.network", "must be one of "+strings.Join(networks, ", "))
	}
	switch {
	case l.Connection == "" && l.File == "":
		f.key("lightning.connection_file", "must name the file with the node's connection string")
	case l.Connection != "" && l.File != "":
		f.key("lightning.connection", "and connection_file are both there; keep connection_file, which is safer")
	case l.File != "" && !filepath.IsAbs(l.File):
		f.key("lightning.connection_file", "must be the full path of a file")
	case l.Connection != "":
		if _, err := lnd.ParseConnection(l.Connection); err != nil {
			f.key("lightning.connection", "cannot be used: "+message(err))
		}
	}
}

func (c *config) validateRates(f *faults, currency pos.Currency) {
	r := &c.Rates
	if r.Sources == nil {
		r.Sources = rateSources
	}
	if age := time.Duration(r.MaxAge); age < minRateAge || age > maxRateAge {
		f.key("rates.max_age", `must be from "1m" to "1h"`)
	}
	if r.Fixed != "" {
		if _, err := pos.RateOf(currency, pos.Bitcoin, r.Fixed, "fixed", time.Time{}); err != nil {
			f.key("rates.fixed", `must be the price of one bitcoin such as "58123.40"`)
		}
		if c.Lightning.Network == "mainnet" {
			f.key("rates.fixed", "is for trying out; with real bitcoin the shop would sell at yesterday's price. Remove it")
		}
		return
	}
	for i, s := range r.Sources {
		if !slices.Contains(rateSources, s) || slices.Contains(r.Sources[:i], s) {
			f.key("rates.sources", "must be different ones of "+strings.Join(rateSources, ", "))
			return
		}
	}
	if r.Least < 2 || r.Least > len(r.Sources) {
		f.key("rates.least", fmt.Sprintf("must be from 2 to the number of sources, which is %d: one source alone could be wrong", len(r.Sources)))
	}
}

// validateHost takes the public URL's host: customers' phones are on the internet,
// so it must be behind https, or be this very machine for trying out.
func (c *config) validateHost(f *faults) {
	if c.Offline.Host != "" {
		if err := offpay.CheckHost(c.Offline.Host); err != nil {
			f.key("offline.host", "cannot be used: "+message(err))
		}
		return
	}
	if c.public == nil || c.public.Scheme == "https" && offpay.CheckHost(c.public.Host) == nil {
		return
	}
	if at, err := netip.ParseAddr(c.public.Hostname()); err != nil && c.public.Hostname() != "localhost" || err == nil && !at.IsLoopback() {
		f.key("public_url", `must begin with https:// for offline payments, because customers' phones come from the internet; or name it in offline.host`)
	}
}

// payHost is where customers' phones ask.
func (c *config) payHost() string {
	switch {
	case c.Offline.Host != "":
		return c.Offline.Host
	case c.public.Scheme == "https":
		return c.public.Host
	}
	return c.public.Scheme + "://" + c.public.Host
}

func (c *config) validateLimits(f *faults, currency pos.Currency) {
	o, l := &c.Offline, offpay.DefaultLimits()
	l.PerSale = o.amount(f, "offline.per_sale", o.PerSale, currency, l.PerSale)
	l.Total = o.amount(f, "offline.total", o.Total, currency, max(l.Total, l.PerSale))
	l.Sales, l.Age, l.TTL = o.Sales, time.Duration(o.Age), uint8(min(max(o.TTL, 0), maxTTL))
	if o.TTL < 1 || o.TTL > maxTTL {
		f.key("offline.ttl", "must be from 1 to 255 minutes")
	} else if err := l.Check(); err != nil {
		f.key("offline."+limitOf(l), "cannot be used: "+message(err))
	}
	if o.Action != string(offline.ActionURL) && o.Action != string(offline.ActionAES) {
		f.key("offline.success_action", `must be "url", which most wallets show, or "aes"`)
	}
	if age := time.Duration(o.KeyAge); age < minKeyAge || age > maxKeyAge {
		f.key("offline.key_age", `must be from "72h" to "8760h"`)
	}
	o.limits = l
}

// limitOf names the key of the first limit that cannot be used.
func limitOf(l offpay.Limits) string {
	ok := offpay.DefaultLimits()
	try := func(name string, change func(*offpay.Limits)) string {
		one := ok
		change(&one)
		if one.Check() != nil {
			return name
		}
		return ""
	}
	for _, name := range []string{
		try("per_sale", func(o *offpay.Limits) { o.PerSale, o.Total = l.PerSale, max(l.PerSale, o.Total) }),
		try("total", func(o *offpay.Limits) { o.PerSale, o.Total = l.PerSale, l.Total }),
		try("sales", func(o *offpay.Limits) { o.Sales = l.Sales }), try("age", func(o *offpay.Limits) { o.Age = l.Age }),
	} {
		if name != "" {
			return name
		}
	}
	return "ttl"
}

// amount reads a limit, or returns what holds without one.
func (o *offlineConfig) amount(f *faults, key, text string, c pos.Currency, without int64) int64 {
	if text == "" {
		return without
	}
	a, err := pos.ParseAmount(text, c)
	if err != nil || a.Minor <= 0 {
		f.key(key, fmt.Sprintf("must be an amount such as %q", c.Of(without).Number()))
		return without
	}
	return a.Minor
}
