package main

import (
	"context"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/token"
	"github.com/tillwright/tillwright/pos/rates"
)

// prices is what the desk asks: bitcoin at its market's price, tokens by their peg.
type prices struct {
	bitcoin *rates.Guard
	tokens  *token.Peg
	shop    pos.Shop
}

// Rate returns the price of a; see desk.Rates.
func (p *prices) Rate(a pos.Asset) (pos.Rate, error) {
	if a.Coin != "" {
		return p.bitcoin.Rate(a)
	}
	return p.tokens.Rate(a)
}

// notice is what the cashier should know of a token that is taken.
func (p *prices) notice(r tokenRail) string {
	list := p.tokens.Notices(r.asset)
	if strings.EqualFold(r.token, "USDT") && inUnion(p.shop) {
		list = append(list, pos.Word(p.shop.Language, "usdt_eu"))
	}
	if r.notice != "" {
		list = append(list, r.notice)
	}
	return strings.Join(list, " ")
}

// newPrices makes a guard for bitcoin and for each pair that the tokens need, and
// lets them ask in step.
func (t *till) newPrices(rails []tokenRail) (*prices, error) {
	sources, least := t.sources()
	bitcoin, err := t.guard(t.c.shop.Currency, pos.Bitcoin, sources, least)
	if err != nil {
		return nil, err
	}
	guards := []*rates.Guard{bitcoin}
	coins := map[string]token.Coin{}
	for _, r := range rails {
		if _, known := coins[r.token]; known {
			continue
		}
		k, more, err := t.coin(r)
		if err != nil {
			return nil, err
		}
		coins[r.token], guards = k, append(guards, more...)
	}
	peg, err := token.New(t.c.shop.Currency, t.c.shop.Language, coins)
	if err != nil {
		return nil, err
	}
	t.actors.add("rates", func(ctx context.Context) error { return rates.Run(ctx, guards...) }, nil)
	return &prices{bitcoin, peg, t.c.shop}, nil
}

// coin makes a token's markets: in the currency that it follows, and in the shop's when
// that is another one.
func (t *till) coin(r tokenRail) (token.Coin, []*rates.Guard, error) {
	peg, err := pos.CurrencyOf(r.peg)
	if err != nil {
		return token.Coin{}, nil, err
	}
	k, asset := token.Coin{Peg: peg}, r.asset
	in := []pos.Currency{peg}
	if peg != t.c.shop.Currency {
		in = append(in, t.c.shop.Currency)
	}
	var guards []*rates.Guard
	for _, c := range in {
		sources, least := t.tokenSources(r.token, c)
		g, err := t.guard(c, asset, sources, least)
		if err != nil {
			return k, nil, err
		}
		guards = append(guards, g)
	}
	if k.Home = guards[0]; len(guards) > 1 {
		k.Shop = guards[1]
	}
	return k, guards, nil
}

// tokenSources returns who is asked for a token's price in a currency, and how many of
// them must be good.
func (t *till) tokenSources(symbol string, in pos.Currency) ([]rates.Source, int) {
	for name, price := range t.c.rates.tokens {
		switch {
		case !strings.EqualFold(name, symbol):
		case in == t.c.shop.Currency:
			return []rates.Source{rates.Fixed(price)}, 1
		default:
			return []rates.Source{rates.Fixed("1")}, 1 // for trying out it is worth what it follows
		}
	}
	return t.exchanges(), t.c.rates.least
}
