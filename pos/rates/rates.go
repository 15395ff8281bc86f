// Package rates asks public exchanges what a coin costs, and guards the answer.
//
// Promise. A rate that Guard gives out is the exact median of at least Least
// sources that answered in one round, agree within 4 %, and are not older than
// MaxAge by the monotonic clock. One wild source never decides, whatever it says.
// There is no default: without a good price there is a reason, in words a cashier
// reads, and the tenders that need a price go grey. No floating point number is
// used.
//
// Jumps. A median more than 20 % away from the last accepted one is held back,
// and so is the old one, for nobody knows which of the two is right. It is
// believed when every source that quotes the pair has confirmed the new level in
// three rounds, or, should a source be down, when the others have in ten. So a
// crash that is real stops sales in this coin for minutes and not for ever.
//
// Limits. Sources that agree on nonsense in the very first round are believed,
// unless the coin is bitcoin and costs less than 100 of anything: there is nothing
// to compare with. A restart forgets the last price.
package rates

import (
	"context"
	"crypto/tls"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Source says what a coin costs.
type Source interface {
	// Name is for people: "Kraken".
	Name() string
	// Price returns what one whole coin ("BTC") costs in c, as decimal text:
	// "58123.40". It returns soon after ctx ends. It fails with Unavailable when
	// there is no answer, with Invalid when the source does not quote this coin in
	// c, and with Corrupt when the answer makes no sense.
	Price(ctx context.Context, c pos.Currency, coin string) (price string, err error)
}

// maxPriceText bounds a price: 12 digits before and 11 after the point are more
// than any coin in any currency needs.
const maxPriceText = 24

// parsePrice reads a positive decimal number: digits, and at most one point
// between them. No sign, no exponent, no NaN.
func parsePrice(text string) (*big.Rat, bool) {
	whole, frac, dot := strings.Cut(text, ".")
	if len(text) > maxPriceText || whole == "" || (dot && frac == "") {
		return nil, false
	}
	for _, c := range []byte(whole + frac) {
		if c < '0' || c > '9' {
			return nil, false
		}
	}
	r, ok := new(big.Rat).SetString(text)
	return r, ok && r.Sign() > 0
}

// priceText writes r exactly; r came from decimal texts, so it has an end.
func priceText(r *big.Rat) string {
	n, _ := r.FloatPrec()
	return r.FloatString(n)
}

// coinOf returns what prices of a are quoted for.
func coinOf(a pos.Asset) string {
	if a.Coin != "" {
		return a.Coin
	}
	return a.Symbol
}

// Fixed quotes the same price for every coin in every currency: for a network
// whose coins are worth nothing, and for tests. A text that is no price fails
// with Corrupt on every call.
func Fixed(price string) Source { return fixed(price) }

type fixed string

func (fixed) Name() string { return "fixed price" }

func (f fixed) Price(context.Context, pos.Currency, string) (string, error) {
	if _, ok := parsePrice(string(f)); !ok {
		return "", pos.E("read price", pos.Corrupt, "the fixed price is not a price")
	}
	return string(f), nil
}

// pingAfter is how long a connection of HTTP/2 may be silent under a call, and again
// how long its answer to a ping may take, before it is given up: it serves all calls,
// and a dead one would fail them for as long as the kernel believes in it, a quarter
// of an hour.
const pingAfter = 15 * time.Second

// newClient returns the HTTP client of sources that were given none: TLS 1.2 and
// up, no proxy, few idle connections. Each call's own deadline bounds it.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12},
		MaxIdleConns:      2,
		IdleConnTimeout:   2 * time.Minute,
		ForceAttemptHTTP2: true,
		HTTP2:             &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingAfter},
	}}
}
