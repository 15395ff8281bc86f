package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/evm"
)

// lookEvery is how often the doctor looks whether a chain has answered.
const lookEvery = 50 * time.Millisecond

// tryStablecoins lets every chain be looked at as the till does at its start: whether
// each endpoint is that chain, whether the contracts stand there, whether each token
// has the decimals and the name that it should. The till's own book is not touched.
func tryStablecoins(ctx context.Context, c config) []finding {
	sc := c.stablecoins
	if sc == nil {
		return []finding{{what: "stablecoins", good: true, detail: "not offered"}}
	}
	ctx, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	var out []finding
	var rails []tokenRail
	for _, f := range families {
		list := sc.of(f)
		if len(list) == 0 {
			continue
		}
		fl, err := f.build(*sc, list, site{
			shop: c.shop, store: func(string) evm.Store { return nowhereStore{} }, log: slog.New(slog.DiscardHandler),
			trusted: func() bool { return false },
		})
		if err != nil {
			return append(out, finding{what: "stablecoins", detail: message(err), remedy: "mend the configuration"})
		}
		for _, a := range fl.advice {
			out = append(out, finding{what: "money goes to", good: true, detail: a})
		}
		work.Go(func() { _ = fl.run(ctx) }) // ended by stop
		rails = append(rails, fl.rails...)
	}
	awaitRails(ctx, rails)
	for _, r := range rails {
		out = append(out, tokenFinding(r))
	}
	return out
}

// awaitRails waits until every rail is ready, or ctx ends.
func awaitRails(ctx context.Context, rails []tokenRail) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		ready := true
		for _, r := range rails {
			ready = ready && r.Health().Ready
		}
		if ready {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func tokenFinding(r tokenRail) finding {
	h := r.Health()
	f := finding{what: string(r.tender), good: h.Ready, detail: r.token + " on " + r.chain}
	if !h.Ready {
		f.detail = h.Reason
		f.remedy = "see the part [[stablecoins.accept]] of this chain: its endpoints' addresses and keys, and whether it is that chain"
		return f
	}
	if len(h.Notices) > 0 {
		f.remedy = strings.Join(h.Notices, " ")
	}
	return f
}

// tryTokenRates asks each source for each pair that the tokens need.
func tryTokenRates(ctx context.Context, c config) []finding {
	if c.stablecoins == nil || len(c.rates.tokens) > 0 {
		return nil
	}
	var out []finding
	done := map[string]bool{}
	t := &till{c: c}
	for _, f := range families {
		list := c.stablecoins.of(f)
		if len(list) == 0 {
			continue
		}
		fl, err := f.build(*c.stablecoins, list, site{shop: c.shop, store: func(string) evm.Store { return nowhereStore{} }})
		if err != nil {
			return nil // tryStablecoins tells
		}
		for _, r := range fl.rails {
			for _, code := range []string{r.peg, c.shop.Currency.Code} {
				if pair := r.token + " in " + code; !done[pair] {
					done[pair] = true
					out = append(out, t.tryPair(ctx, r.token, code))
				}
			}
		}
	}
	return out
}

// tryPair asks everybody for one price, one after the other.
func (t *till) tryPair(ctx context.Context, token, code string) finding {
	f := finding{what: "rate " + token, detail: token + " in " + code + ":"}
	in, err := pos.CurrencyOf(code)
	if err != nil {
		return f
	}
	good := 0
	for _, s := range t.exchanges() {
		price, err := s.Price(ctx, in, token)
		if err != nil {
			price = message(err)
		} else {
			good++
		}
		f.detail += " " + s.Name() + " " + price + ";"
	}
	f.detail = strings.TrimSuffix(f.detail, ";")
	if f.good = good >= t.c.rates.least; !f.good {
		f.remedy = fmt.Sprintf("%d good prices are needed; until then %s is greyed out", t.c.rates.least, token)
	}
	return f
}
