package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/sync/wire"
)

// How often the backoffice is told what this till's addresses are made of.
const (
	// seedEvery is the time until it is told again what it has: one that came back from a
	// backup may have forgotten, and a day's takings of a lost till depend on it.
	seedEvery = 24 * time.Hour
	// seedMin and seedMax bound the wait after a failure, as those of the outbox.
	seedMin = time.Second
	seedMax = 5 * time.Minute
	// seedRefused is the wait after a refusal: a backoffice of before, or one that has to
	// be looked at by its owner.
	seedRefused = time.Hour
)

// seedTeller tells the backoffice what this till's stablecoin addresses are made of, so
// that their money is found although the till burns: at every start, after every
// enrolment, and until it is acknowledged. The counter never waits for it.
type seedTeller struct {
	seed func() wire.AddressSeed // as it is now: an enrolment makes another one
	far  func() *office
	log  *slog.Logger
	wake chan struct{}
}

// tellSeed makes the teller of this till's seed.
func (t *till) tellSeed(seed func() wire.AddressSeed) {
	s := &seedTeller{seed: seed, far: func() *office { return t.office }, log: t.log, wake: make(chan struct{}, 1)}
	t.actors.add("recovery", s.run, nil)
}

// news says that the backoffice may not know the seed. It never blocks.
func (s *seedTeller) news() {
	select {
	case s.wake <- struct{}{}:
	default: // run has not got round to the last one
	}
}

// run tells until ctx ends.
func (s *seedTeller) run(ctx context.Context) error {
	s.far().onNews(s.news)
	wait := time.Duration(0)
	for {
		err := s.tell(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait = s.next(err, wait)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-s.wake:
			wait = 0
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (s *seedTeller) tell(ctx context.Context) error {
	c := s.far().connected()
	if c == nil {
		return pos.E("tell seed", pos.NotFound, "not enrolled with a backoffice yet")
	}
	return c.KeepSeed(ctx, s.seed())
}

// next returns how long to stay quiet after a try.
func (s *seedTeller) next(err error, wait time.Duration) time.Duration {
	switch pos.KindOf(err) {
	case pos.NotFound: // an enrolment wakes us
		return seedEvery
	case pos.Forbidden, pos.Invalid, pos.Exhausted, pos.Conflict:
		s.log.Warn("the backoffice does not keep what finds this till's stablecoin addresses; keep its recovery sheet", "err", err)
		return seedRefused
	}
	if err == nil {
		return seedEvery
	}
	s.log.Debug("seed not told", "err", err) // the outbox says that the line is down
	return min(max(2*wait, seedMin), seedMax)
}

// bindAddresses makes the seed of the till's addresses that of this till and of its newest
// enrolment. A card that was copied has the same seed as the other one; when it is enrolled
// it gets its own, and never gives an address again that the other one may give.
func (t *till) bindAddresses() {
	if t.bind == nil {
		return // it makes none
	}
	if err := t.bind(identityOf(t.key, t.ledger.Books())); err != nil {
		t.log.Error("the storage does not keep the stablecoin addresses; none is given until it does", "err", err)
	}
}

// identityOf names a till and its newest enrolment: the record of it, which holds the time,
// is another one on every card that was enrolled by itself.
func identityOf(key ed25519.PrivateKey, b pos.Books) string {
	return tillID(key.Public().(ed25519.PublicKey)) + "/" + b.Enrolment.String()
}

// seedOf is what w's addresses are made of.
func seedOf(w *evm.Watcher) wire.AddressSeed {
	return wire.AddressSeed{Scheme: evm.Scheme, Treasury: w.Treasury().String(), Seed: w.Recovery()}
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
	a := seedOf(w)
	fmt.Fprintf(s.out, `Recovery sheet of %s, %s. Keep it beside the backup of your wallet.
It cannot spend. It finds the addresses that customers of this till were given.

treasury  %s   the only place where their money can go
scheme    tillwright/evm/%d
factory   %s
`, c.shop.Name, c.shop.Till, a.Treasury, a.Scheme, evm.Factory)
	for i, row := range a.SheetRows() {
		fmt.Fprintf(s.out, "seed R %d  %s\n", i+1, row)
	}
	fmt.Fprint(s.out, `
If the till is lost: "backoffice recover", or the page Stablecoins, "A till is lost". A backoffice
that the till was connected to knows the seed by itself. A typing error is found there.
A new enrolment or an empty card makes a new seed, and another treasury other addresses: print
this sheet again then, and keep the old one.
`)
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
