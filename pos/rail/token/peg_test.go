package token_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/token"
)

var (
	eur  = pos.Currency{Code: "EUR", Decimals: 2}
	usd  = pos.Currency{Code: "USD", Decimals: 2}
	usdc = pos.Asset{ID: "eip155:8453/erc20:0x83", Symbol: "USDC", Decimals: 6, Shown: 4}
	dai  = pos.Asset{ID: "eip155:1/erc20:0x6b", Symbol: "DAI", Decimals: 18, Shown: 4}
	eurc = pos.Asset{ID: "eip155:8453/erc20:0x60", Symbol: "EURC", Decimals: 6, Shown: 4}
)

// market quotes one price in one currency; an empty price is none.
type market struct {
	in    pos.Currency
	price string
}

func (m *market) Rate(a pos.Asset) (pos.Rate, error) {
	if m.price == "" {
		return pos.Rate{}, pos.E("read rate", pos.Unavailable, "no price: the last one is too old")
	}
	return pos.RateOf(m.in, a, m.price, "median of 3", time.Unix(1e9, 0))
}

// TestPeg walks across the steps. It charges 12.34 in the shop's currency.
func TestPeg(t *testing.T) {
	for name, row := range map[string]struct {
		shop    pos.Currency
		asset   pos.Asset
		home    string // price in what it follows
		local   string // price in the shop's currency
		want    string // tokens charged; "": not taken
		notices int
	}{
		"at par":                {usd, usdc, "1", "", "12.3400", 0},
		"half a percent below":  {usd, usdc, "0.995", "", "12.3400", 0},
		"a bit more":            {usd, usdc, "0.9949", "", "12.4033", 1},
		"two percent below":     {usd, usdc, "0.98", "", "12.5919", 1},
		"more than that":        {usd, usdc, "0.9799", "", "", 1},
		"half a percent above":  {usd, usdc, "1.005", "", "12.3400", 0},
		"one percent above":     {usd, usdc, "1.01", "", "12.3400", 1},
		"far above":             {usd, usdc, "1.03", "", "", 1},
		"no price":              {usd, usdc, "", "", "", 0},
		"18 decimals":           {usd, dai, "0.9949", "", "12.4033", 1},
		"in another currency":   {eur, usdc, "1.0001", "0.8642", "14.2792", 0},
		"no local price":        {eur, usdc, "1.0001", "", "", 0},
		"off, locally priced":   {eur, usdc, "0.97", "0.84", "", 1},
		"the euro's own":        {eur, eurc, "1.0002", "", "12.3400", 0},
		"the euro's own, below": {eur, eurc, "0.99", "", "12.4647", 1},
	} {
		k := token.Coin{Peg: usd, Home: &market{usd, row.home}}
		if row.asset == eurc {
			k = token.Coin{Peg: eur, Home: &market{eur, row.home}}
		}
		if k.Peg != row.shop {
			k.Shop = &market{row.shop, row.local}
		}
		p, err := token.New(row.shop, "en", map[string]token.Coin{row.asset.Symbol: k})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		r, err := p.Rate(row.asset)
		if err == nil {
			q, err := r.Charge(row.shop.Of(1234))
			if err != nil {
				t.Fatal(err)
			}
			if got = q.Number(); strings.Count(r.Source, "median of 3") != 1 || r.At.IsZero() {
				t.Errorf("%s: recorded %q at %v", name, r.Source, r.At)
			}
		} else if e, ok := errors.AsType[*pos.Error](err); !ok || e.Kind != pos.Unavailable || e.Msg == "" {
			t.Errorf("%s: %v", name, err)
		}
		if got != row.want || len(p.Notices(row.asset)) != row.notices {
			t.Errorf("%s: charged %q with %q (%v), want %q", name, got, p.Notices(row.asset), err, row.want)
		}
	}
}

var (
	cashier = pos.Actor{ID: "c", Name: "Cleo", Role: pos.Cashier}
	manager = pos.Actor{ID: "m", Name: "Mia", Role: pos.Manager}
)

// TestAllow: a manager may take a token that is off its peg, at the price that he saw, for
// a while; and never one without a price.
func TestAllow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &market{usd, "0.90"}
		p, err := token.New(usd, "en", map[string]token.Coin{"USDC": {Peg: usd, Home: m}})
		if err != nil {
			t.Fatal(err)
		}
		taken := func(want bool, why string) {
			t.Helper()
			if _, err := p.Rate(usdc); (err == nil) != want {
				t.Errorf("%s: %v", why, err)
			}
		}
		price, in, err := p.Off(usdc)
		if err != nil || price != "0.9000" || in != usd {
			t.Fatalf("shown %s %v, %v", price, in, err)
		}
		taken(false, "nobody allowed it")
		if err := p.Allow(manager, "USDC", price, token.MaxAllowed); err != nil {
			t.Fatal(err)
		}
		r, err := p.Rate(usdc)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := r.Charge(usd.Of(900)); err != nil || q.Number() != "10.0000" {
			t.Errorf("charged %v, %v", q, err)
		}
		m.price = ""
		taken(false, "without a price")
		m.price = "0.8821"
		taken(true, "it fell a little")
		m.price = "0.8819"
		taken(false, "it fell far below what the manager saw")
		m.price = "0.9181"
		taken(false, "it rose far above it")
		m.price = "1"
		taken(true, "it is back")
		if _, _, err := p.Off(usdc); pos.KindOf(err) != pos.Conflict {
			t.Errorf("a token at its peg is off: %v", err)
		}
		m.price = "0.90"
		time.Sleep(token.MaxAllowed)
		taken(false, "for longer than a day")
		if p.Allow(manager, "USDC", price, time.Hour) != nil || p.Allow(manager, "USDC", price, 0) != nil {
			t.Error("not allowed and taken back")
		}
		taken(false, "taken back")
	})
}

// TestAllowIsOfOne: a manager's word about a token is none about another, off as far and at
// the same price as that may be.
func TestAllowIsOfOne(t *testing.T) {
	m := &market{usd, "0.90"}
	usdt := usdc
	usdt.ID, usdt.Symbol = "test/usdt", "USDT"
	p, err := token.New(usd, "en", map[string]token.Coin{"USDC": {Peg: usd, Home: m}, "USDT": {Peg: usd, Home: m}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Allow(manager, "USDC", "0.9000", time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Rate(usdc); err != nil {
		t.Errorf("allowed: %v", err)
	}
	if r, err := p.Rate(usdt); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("another one was taken at %v, %v", r, err)
	}
}

// TestAllowRefuses: who may not, what cannot be.
func TestAllowRefuses(t *testing.T) {
	m := &market{usd, "0.90"}
	p, err := token.New(usd, "en", map[string]token.Coin{"USDC": {Peg: usd, Home: m}})
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		by            pos.Actor
		symbol, price string
		d             time.Duration
		want          pos.Kind
	}{
		"a cashier":        {cashier, "USDC", "0.9000", time.Hour, pos.Forbidden},
		"nobody":           {pos.Actor{}, "USDC", "0.9000", time.Hour, pos.Forbidden},
		"an unknown token": {manager, "LUNA", "0.9000", time.Hour, pos.NotFound},
		"two days":         {manager, "USDC", "0.9000", 48 * time.Hour, pos.Invalid},
		"before now":       {manager, "USDC", "0.9000", -1, pos.Invalid},
		"no price":         {manager, "USDC", "", time.Hour, pos.Invalid},
		"a price of zero":  {manager, "USDC", "0", time.Hour, pos.Invalid},
		"a huge exponent":  {manager, "USDC", "1e999999999", time.Hour, pos.Invalid},
		"an endless price": {manager, "USDC", "0." + strings.Repeat("9", 40), time.Hour, pos.Invalid},
	} {
		if err := p.Allow(row.by, row.symbol, row.price, row.d); pos.KindOf(err) != row.want || err == nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := p.Rate(usdc); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	m.price = ""
	if _, _, err := p.Off(usdc); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("off without a price: %v", err)
	}
}

func TestNew(t *testing.T) {
	m := &market{usd, "1"}
	for name, k := range map[string]token.Coin{
		"no market": {Peg: usd}, "no currency": {Home: m}, "no local market": {Peg: eur, Home: m},
	} {
		if _, err := token.New(usd, "en", map[string]token.Coin{"USDC": k}); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, _ := token.New(usd, "en", nil)
	if _, err := p.Rate(usdc); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("a token without a market: %v", err)
	}
}

// FuzzPeg: whatever the market says, the shop never takes a token at more than its
// currency's worth, nor at more than the market's.
func FuzzPeg(f *testing.F) {
	f.Add(uint32(10_000), uint16(1234))
	f.Fuzz(func(t *testing.T, price uint32, minor uint16) {
		if price == 0 || minor == 0 {
			return
		}
		text := big.NewRat(int64(price), 10_000).FloatString(4)
		p, err := token.New(usd, "en", map[string]token.Coin{"USDC": {Peg: usd, Home: &market{usd, text}}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Rate(usdc)
		if err != nil {
			return
		}
		q, err := r.Charge(usd.Of(int64(minor)))
		if err != nil {
			t.Fatal(err)
		}
		worth := new(big.Rat).SetInt(q.Int()) // millionths of a token, at the market
		worth.Mul(worth, big.NewRat(int64(price), 10_000_000_000)).Mul(worth, big.NewRat(100, 1))
		if least := big.NewRat(int64(minor)*995, 1000); worth.Cmp(least) < 0 {
			t.Errorf("at %s, %d cents are paid with tokens worth %s", text, minor, worth.FloatString(4))
		}
	})
}
