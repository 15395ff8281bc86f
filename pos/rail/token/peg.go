// Package token prices stablecoins: tokens that follow a currency.
//
// Promise. A token is charged one to one only while the median of its market says
// that it is worth that, within half a percent. A token that has come off is charged
// at what it is worth, and one that has come far off is not taken at all, until the
// owner says otherwise. Without a price that can be believed there is none: never a
// default, and nobody can override that.
//
// Limits. The prices are those of the markets that the caller gives; their guard
// decides what is old, alone or wild. A token that is worth more than its currency
// is charged as if it were worth as much: the shop gains, at most two percent.
package token

import (
	"math/big"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Market says what an asset costs in one currency: the guarded median of several
// sources.
type Market interface {
	// Rate does not block. Unavailable: there is no price to be believed, and why.
	Rate(a pos.Asset) (pos.Rate, error)
}

// Coin is one token's markets.
type Coin struct {
	Peg  pos.Currency // what it follows
	Home Market       // its price in Peg
	// Shop is its price in the shop's currency, when that is another than Peg; it holds
	// the exchange of the two currencies, too.
	Shop Market
}

// Steps of the peg, in parts of its value.
var (
	atPar  = big.NewRat(5, 1000)  // within: one to one
	offPar = big.NewRat(20, 1000) // beyond: not taken
)

// Peg prices tokens by their symbol. It is safe for concurrent use.
type Peg struct {
	shop     pos.Currency
	language string
	coins    map[string]Coin

	mu      sync.Mutex
	allowed map[string]time.Time // until when the owner takes a token that is off its peg
}

// New returns a Peg for a shop that counts in c. coins are by symbol: "USDC". It
// fails with Invalid for a coin without the market that it needs.
func New(c pos.Currency, language string, coins map[string]Coin) (*Peg, error) {
	for symbol, k := range coins {
		if symbol == "" || k.Peg.Code == "" || k.Home == nil || (k.Peg != c && k.Shop == nil) {
			return nil, pos.E("set up prices", pos.Invalid, "prices of %q need its currency and its market", symbol)
		}
	}
	return &Peg{shop: c, language: language, coins: coins, allowed: map[string]time.Time{}}, nil
}

// maxAllowed bounds how long one word of the owner holds.
const maxAllowed = 24 * time.Hour

// Allow takes a token that is far off its peg, at its market price, for d and at
// most a day. It does nothing for a token without a price.
func (p *Peg) Allow(symbol string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allowed[symbol] = time.Now().Add(min(d, maxAllowed))
}

// standing is how a token stands.
type standing int

const (
	par   standing = iota // one to one
	below                 // at its market price, with a notice
	off                   // not taken
)

// judge returns how a token stands and its price in what it follows.
func (p *Peg) judge(a pos.Asset) (standing, *big.Rat, pos.Rate, error) {
	k, ok := p.coins[a.Symbol]
	if !ok {
		return off, nil, pos.Rate{}, pos.E("price token", pos.Unavailable, "%s", p.word("peg_unknown", "token", a.Symbol))
	}
	home, err := k.Home.Rate(a)
	if err != nil {
		return off, nil, pos.Rate{}, err
	}
	price := priceOf(home)
	away := new(big.Rat).Sub(price, big.NewRat(1, 1))
	switch away.Abs(away); {
	case away.Cmp(atPar) <= 0:
		return par, price, home, nil
	case away.Cmp(offPar) <= 0:
		return below, price, home, nil
	}
	return off, price, home, nil
}

// priceOf returns what one whole token costs, in whole units of the rate's currency.
func priceOf(r pos.Rate) *big.Rat {
	one := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(r.To.Decimals)), nil)
	minor := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(r.From.Decimals)), nil)
	p := new(big.Rat).SetInt(one)
	return p.Quo(p, r.Units).Quo(p, new(big.Rat).SetInt(minor))
}

// Rate returns the rate at which a token is charged now; Source says what the market
// says. It does not block. It fails with Unavailable when there is no price, or the
// token is off its peg; the message is for a cashier.
func (p *Peg) Rate(a pos.Asset) (pos.Rate, error) {
	s, price, home, err := p.judge(a)
	if err != nil {
		return pos.Rate{}, err
	}
	k := p.coins[a.Symbol]
	market := price.FloatString(4) + " " + k.Peg.Code
	if s == off && !p.allows(a.Symbol) {
		return pos.Rate{}, pos.E("price token", pos.Unavailable, "%s", p.word("peg_off", "token", a.Symbol, "price", market))
	}
	source := home.Source + ": " + market
	switch {
	case k.Peg != p.shop:
		r, err := k.Shop.Rate(a)
		if err != nil {
			return pos.Rate{}, err
		}
		r.Source += ", " + source
		return r, nil
	case s == par || price.Cmp(big.NewRat(1, 1)) > 0:
		return pos.RateOf(p.shop, a, "1", "1:1, "+source, home.At)
	}
	home.Source = source
	return home, nil
}

func (p *Peg) allows(symbol string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.allowed[symbol])
}

// Notices says which of these tokens are charged at less than their currency, for the
// cashier.
func (p *Peg) Notices(assets ...pos.Asset) (out []string) {
	for _, a := range assets {
		if s, price, _, err := p.judge(a); err == nil && s != par {
			out = append(out, p.word("peg_below", "token", a.Symbol, "price", price.FloatString(4)+" "+p.coins[a.Symbol].Peg.Code))
		}
	}
	return out
}

func (p *Peg) word(key string, with ...string) string { return pos.Word(p.language, key, with...) }
