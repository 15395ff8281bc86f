package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
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

type recoveryCmd struct{ configFlag }

func (r *recoveryCmd) flags(f *flag.FlagSet) { r.configFlag.flags(f) }

// Run prints what finds every address again that this till ever gave, should the till
// be lost: to be kept on paper beside the wallet's own backup. It cannot spend; whoever
// reads it can see which sales belong together.
func (r *recoveryCmd) Run(_ context.Context, args []string, s streams) error {
	if err := exactly(args, 0, "nothing but flags"); err != nil {
		return err
	}
	c, err := loadConfig(r.Config)
	if err != nil {
		return err
	}
	sc := c.stablecoins
	if sc == nil || sc.treasury == nil || sc.oneAddress {
		return errors.New("there is nothing to recover: this till makes no addresses of its own")
	}
	book := bookStore(filepath.Join(c.data, evmFamily.name+".book"))
	if kept, err := book.Load(); err != nil || kept == nil {
		return errors.Join(err, errors.New("this till has made no address yet; start it once, then print this sheet"))
	}
	w, err := evm.New(evm.Options{Registry: sc.registry, Treasury: *sc.treasury, Store: readOnly{book}, Accept: acceptsOf(*sc), Language: c.shop.Language})
	if err != nil {
		return err
	}
	seed := w.Recovery()
	fmt.Fprintf(s.out, `Recovery sheet of %s, %s. Keep it beside the backup of your wallet.
It cannot spend. It finds the addresses that customers of this till were given.

treasury  %s   the only place where their money can go
scheme    tillwright/evm/%d
factory   %s
seed R    %s

A new enrolment or a new card makes a new seed: print this sheet again then.
`, c.shop.Name, c.shop.Till, sc.treasury, evm.Scheme, evm.Factory, hex.EncodeToString(seed[:]))
	return nil
}

// acceptsOf is what is accepted on EVM chains.
func acceptsOf(sc stableConfig) (out []evm.Accept) {
	for _, a := range sc.of(evmFamily) {
		out = append(out, evm.Accept{Chain: a.chain, Tokens: a.tokens, Endpoints: a.plainEndpoints()})
	}
	return out
}

// readOnly is a book that a till may have open: nothing is written.
type readOnly struct{ bookStore }

// Save does nothing.
func (readOnly) Save([]byte) error { return nil }
