package main

import (
	"time"

	"github.com/tillwright/tillwright/pos"
)

// What a shop risks with stablecoins while their network does not answer, unless its
// owner says otherwise: nothing, for the rule is "online only".
const (
	usualUnverified      = 2_000  // a sale, minor units: 20.00 in a currency of two decimals
	usualUnverifiedTotal = 10_000 // all of them
	usualUnverifiedSales = 5
	usualUnverifiedAge   = 24 * time.Hour

	// Most of what can be allowed: beyond, it is no longer a matter of some sales.
	mostUnverifiedSales = 100
	mostUnverifiedAge   = 7 * 24 * time.Hour
)

// readUnverified reads what is taken by customers' word.
func (sc *stableConfig) readUnverified(s *reader, shop pos.Shop) {
	sc.rule = pos.OfflineRule(s.oneOf("offline", string(pos.OnlineOnly), string(pos.OnlineOnly), string(pos.PreferOnline), string(pos.AllowOffline)))
	amount := func(key string, usual int64) int64 {
		number := shop.Currency.Of(usual).Number()
		text := s.text(key, number)
		a, err := pos.ParseAmount(text, shop.Currency)
		if err != nil || a.Minor < 0 || a.Minor > largestMaxSale {
			s.bad(key, "must be an amount such as %q, not %q", number, text)
		}
		return a.Minor
	}
	sc.limits = pos.OfflineLimits{
		PerSale: amount("offline_per_sale", usualUnverified), Total: amount("offline_total", usualUnverifiedTotal),
		Sales: int(s.number("offline_sales", usualUnverifiedSales, 0, mostUnverifiedSales)), Age: s.duration("offline_age", usualUnverifiedAge, 0, mostUnverifiedAge),
	}
	if sc.limits.PerSale > sc.limits.Total {
		s.bad("offline_per_sale", "must be at most offline_total")
	}
}

// checkUnverified refuses what cannot be taken without a line.
func (sc *stableConfig) checkUnverified(s *reader) {
	if sc.rule == pos.OnlineOnly {
		for _, key := range []string{"offline_per_sale", "offline_total", "offline_sales", "offline_age"} {
			if s.has(key) {
				s.bad(key, "does nothing while offline is %q", string(pos.OnlineOnly))
			}
		}
		return
	}
	if sc.oneAddress {
		s.bad("offline", "only %q is possible with one_address: which amounts are free, the chain must say", string(pos.OnlineOnly))
	}
	if len(sc.of(evmFamily)) == 0 && len(sc.accept) > 0 {
		s.bad("offline", "only %q is possible on Solana and Tron: a request there needs the chain's answer first", string(pos.OnlineOnly))
	}
}
