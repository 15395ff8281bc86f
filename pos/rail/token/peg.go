// Package token prices stablecoins: tokens that follow a currency.
//
// Promise. A token is charged one to one only while the median of its market says
// that it is worth that, within half a percent. A token that has come off is charged
// at what it is worth, and one that has come far off is not taken at all, until a
// manager says otherwise. Without a price that can be believed there is none: never a
// default, and nobody can override that.
//
// A manager's word (Allow) is about one token, at the price that he was shown, for a day
// at most. It is no word about a worse price: when the market has moved as far from what
// he saw as a token may be from its peg, the token is grey again. It does not change what
// is charged: the market's price, or one to one if that is more. Who said it, about which
// price and for how long is the caller's to record, before Allow is called; a restart
// forgets it, and whoever reads the record may say it again for the time that is left.
//
// Limits. The prices are those of the markets that the caller gives; their guard
// decides what is old, alone or wild. A token that is worth more than its currency
// is charged as if it were worth as much: the shop gains, at most two percent.
package token

import (
	"math/big"
	"strings"
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
	allowed map[string]allowance // by symbol: tokens that are taken although they are off
}

// allowance is a manager's word about a token.
type allowance struct {
	price *big.Rat  // that he was shown
	until time.Time // monotonic
}

// New returns a Peg for a shop that counts in c. coins are by symbol: "USDC". It
// fails with Invalid for a coin without the market that it needs.
func New(c pos.Currency, language string, coins map[string]Coin) (*Peg, error) {
	for symbol, k := range coins {
		if symbol == "" || k.Peg.Code == "" || k.Home == nil || (k.Peg != c && k.Shop == nil) {
			return nil, pos.E("set up prices", pos.Invalid, "prices of %q need its currency and its market", symbol)
		}
	}
	return &Peg{shop: c, language: language, coins: coins, allowed: map[string]allowance{}}, nil
}

// MaxAllowed bounds how long one word of a manager holds: a day's market is another one.
const MaxAllowed = 24 * time.Hour

const allowOp = "allow token"

// Off returns the market's price of a token that is too far off its peg to be taken,
// with four decimals, and in which currency: what a manager is shown before he allows
// it. It does not block. It fails with Conflict when the token is taken anyway, with
// Unavailable when there is no price: then nobody can allow it.
func (p *Peg) Off(a pos.Asset) (price string, in pos.Currency, err error) {
	s, at, _, err := p.judge(a)
	switch {
	case err != nil:
		return "", in, err
	case s != off:
		return "", in, pos.E(allowOp, pos.Conflict, "%s", p.word("peg_on", "token", a.Symbol))
	}
	return at.FloatString(shownPrice), p.coins[a.Symbol].Peg, nil
}

// shownPrice is how many decimals of a price people are shown.
const shownPrice = 4

// Allow takes a token that is too far off its peg, by the word of a manager who was shown
// price, as Off returns it: for d, while the market stays within two percent of that.
// A d of 0 takes the word back. It does not block, and keeps no record.
//
// It fails with Forbidden for whoever is no manager, with Invalid for a time above
// MaxAllowed or below 0 and for a price that is none, with NotFound for a token that
// nobody is asked about. Then nothing has changed.
func (p *Peg) Allow(by pos.Actor, symbol, price string, d time.Duration) error {
	at, ok := readPrice(price)
	_, known := p.coins[symbol]
	switch {
	case !by.Role.Includes(pos.Manager):
		return pos.E(allowOp, pos.Forbidden, "only a manager can allow %s", symbol)
	case !known:
		return pos.E(allowOp, pos.NotFound, "%s", p.word("peg_unknown", "token", symbol))
	case d < 0 || d > MaxAllowed || !ok:
		return pos.E(allowOp, pos.Invalid, "%s cannot be allowed at %.20q for %v: a day at most", symbol, price, d)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allowed[symbol] = allowance{at, time.Now().Add(d)}
	return nil
}

// readPrice reads what Off returned: plain digits and a point, more than zero.
func readPrice(s string) (*big.Rat, bool) {
	if len(s) > maxPrice || strings.Trim(s, "0123456789.") != "" {
		return nil, false
	}
	r, ok := new(big.Rat).SetString(s)
	return r, ok && r.Sign() > 0
}

// maxPrice bounds a price that is read, in bytes.
const maxPrice = 40

// allows reports that a manager's word holds for a token at its market's price.
func (p *Peg) allows(symbol string, price *big.Rat) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.allowed[symbol]
	if !ok || !time.Now().Before(a.until) {
		return false
	}
	moved := new(big.Rat).Sub(price, a.price)
	return moved.Abs(moved).Cmp(new(big.Rat).Mul(a.price, offPar)) <= 0
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
	market := price.FloatString(shownPrice) + " " + k.Peg.Code
	if s == off && !p.allows(a.Symbol, price) {
		return pos.Rate{}, pos.E("price token", pos.Unavailable, "%s", p.word("peg_off", "token", a.Symbol, "price", market))
	}
	source := home.Source + ": " + market
	switch {
	case k.Peg != p.shop:
		r, err := k.Shop.Rate(a)
		if err != nil {
			return pos.Rate{}, err
		}
		if r.Source == home.Source { // "median of 3" once is enough
			r.Source = source
		} else {
			r.Source += ", " + source
		}
		return r, nil
	case s == par || price.Cmp(big.NewRat(1, 1)) > 0:
		return pos.RateOf(p.shop, a, "1", "1:1, "+source, home.At)
	}
	home.Source = source
	return home, nil
}

// Notices says which of these tokens are charged at less than their currency, for the
// cashier.
func (p *Peg) Notices(assets ...pos.Asset) (out []string) {
	for _, a := range assets {
		if s, price, _, err := p.judge(a); err == nil && s != par {
			out = append(out, p.word("peg_below", "token", a.Symbol, "price", price.FloatString(shownPrice)+" "+p.coins[a.Symbol].Peg.Code))
		}
	}
	return out
}

func (p *Peg) word(key string, with ...string) string { return pos.Word(p.language, key, with...) }
