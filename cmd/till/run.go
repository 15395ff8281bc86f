package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/firmware/clock"
	"github.com/tillwright/tillwright/firmware/storage"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/ledger"
	"github.com/tillwright/tillwright/pos/rail/lnd"
	offlinerail "github.com/tillwright/tillwright/pos/rail/offpay"
	"github.com/tillwright/tillwright/pos/rates"
	"github.com/tillwright/tillwright/pos/staff"
	"github.com/tillwright/tillwright/pos/web"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/sync/outbox"
	"github.com/tillwright/tillwright/sync/wire"
)

const (
	// paperPrinter is the printer made of code; its paper is at /paper.
	paperPrinter = "paper"
	// stopWithin bounds the wait for screens to let go.
	stopWithin = 3 * time.Second
	// ratesEvery is how often exchanges are asked: often enough that one lost round
	// does not grey the button.
	ratesEvery = time.Minute
)

type runCmd struct {
	configFlag
	Verbose bool
}

func (r *runCmd) flags(f *flag.FlagSet) {
	r.configFlag.flags(f)
	f.BoolVar(&r.Verbose, "verbose", false, "log every step")
}

// Run sells until ctx ends.
func (r *runCmd) Run(ctx context.Context, args []string, s streams) error {
	if err := exactly(args, 0, "nothing but flags"); err != nil {
		return err
	}
	c, err := loadConfig(r.Config)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if r.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))
	for _, w := range c.warnings {
		log.Warn("configuration", "file", r.Config, "what", w.String())
	}
	return sell(ctx, c, log, nil)
}

// till is everything that one run of the appliance is made of.
type till struct {
	c        config
	log      *slog.Logger
	key      ed25519.PrivateKey
	storage  *storage.Gauge
	journal  *journal.Journal
	ledger   *ledger.Ledger
	judge    *clock.Judge
	net      outside
	board    board // what panels hang on; the zero value is this computer's
	links    links
	markets  []rates.Source
	desk     *desk.Desk
	office   *office
	offline  *offlinerail.Rail // nil when nothing is sold offline
	outbox   *outbox.Outbox
	printers printers
	drawer   drawerWatch
	paper    *paper.Printer // the receipt printer, if it is made of code
	display  *display.Display
	keypad   interface{ Press(key string) } // nil unless it is sold with one
	hands    *hands
	prompts  func(pos.View)
	app      *web.App
	actors   group

	unasked []desk.Unasked // who tells of money that no payment waits for

	// Of addresses that the till makes by itself; nil when it makes none. See fleet.
	seed func() wire.AddressSeed
	bind func(identity string) error
}

// sell builds the till, recovers, runs, and stops. ready, if not nil, is called
// with the address that the screens answer at.
func sell(ctx context.Context, c config, log *slog.Logger, ready func(*till, net.Addr)) (err error) {
	t := &till{c: c, log: log, judge: clock.NewJudge()}
	if err := t.openBooks(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.ledger.Close(), t.journal.Close()) }()
	if err := t.build(); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", c.listen)
	if err != nil {
		return err
	}
	if err := t.desk.Start(); err != nil {
		return errors.Join(err, ln.Close())
	}
	heard := t.links.screens.Over(ln)
	t.actors.add("screens", func(context.Context) error { return t.app.Serve(heard) }, func() {
		if err := t.app.Shutdown(stopWithin); err != nil {
			log.Warn("screens did not let go", "err", err)
		}
		_ = ln.Close() // told to stop before it served, Shutdown knows of nothing to close and Serve would go on
	})
	log.Info("till ready", "listen", ln.Addr().String(), "till", tillID(t.key.Public().(ed25519.PublicKey)))
	if ready != nil {
		ready(t, ln.Addr())
	}
	err = t.actors.run(ctx)
	return errors.Join(err, t.desk.Stop())
}

// openTill opens a till that is not running, for a command at the board. The
// caller shuts it.
func openTill(c config, log *slog.Logger) (*till, error) {
	t := &till{c: c, log: log, judge: clock.NewJudge()}
	if err := t.openBooks(); err != nil {
		return nil, err
	}
	if err := t.build(); err != nil {
		return nil, errors.Join(err, t.ledger.Close(), t.journal.Close())
	}
	if err := t.desk.Start(); err != nil {
		return nil, errors.Join(err, t.ledger.Close(), t.journal.Close())
	}
	return t, nil
}

func (t *till) shut() error { return errors.Join(t.desk.Stop(), t.ledger.Close(), t.journal.Close()) }

// openBooks opens the journal and folds what the ledger has not seen: the whole
// of recovery.
func (t *till) openBooks() (err error) {
	if err := os.MkdirAll(t.c.data, 0o700); err != nil {
		return err
	}
	if t.key, err = tillKey(t.c); err != nil {
		return err
	}
	t.storage = storage.New(storage.Options{Dir: t.c.data, Language: t.c.shop.Language, Log: t.log})
	boot := make([]byte, 8)
	rand.Read(boot) // never fails (crypto/rand)
	t.journal, err = journal.Open(t.c.journalDir(), journal.Options{Key: t.key, Boot: hex.EncodeToString(boot), Start: time.Now(), Relieve: t.storage.Relieve})
	if err != nil {
		return err
	}
	for _, d := range t.journal.Damage() {
		t.log.Error("journal damaged; keep the storage, call the owner", "damage", d.String())
	}
	t.ledger, err = ledger.Recover(t.c.ledgerFile(), t.journal, time.Now(), t.log, ledger.WithGaps(t.journal.Lost()), ledger.WithRelief(t.storage.Relieve))
	if err != nil {
		return errors.Join(err, t.journal.Close())
	}
	return nil
}

// build makes every part and says who tells whom. Parts are only told of a change
// once the desk is started.
func (t *till) build() error {
	pins, err := staff.Open(t.c.staffFile())
	if err != nil {
		return err
	}
	t.buildLinks()
	tenders, err := t.lightning()
	if err != nil {
		return err
	}
	coins, err := t.stable()
	if err != nil {
		return err
	}
	prices, err := t.newPrices(coins)
	if err != nil {
		return err
	}
	tenders = append(tenders, prices.tenders(t.c.stablecoins, coins)...)
	pub := t.key.Public().(ed25519.PublicKey)
	genesis := pos.Genesis{Till: tillID(pub), Key: pub, Currency: t.c.shop.Currency.Code, Series: t.c.shop.Series, Software: software}
	label, err := t.readLabel()
	if err != nil {
		return err
	}
	t.desk = desk.New(desk.Options{
		Journal: t.journal, Ledger: t.ledger, Sales: t.ledger, Payments: t.ledger, Prints: t.ledger,
		Tenders: tenders, Rates: prices, PINs: pins, Shop: t.c.shop, Zone: t.c.zone, Items: t.c.items,
		Genesis: genesis, Software: software, Now: t.now, Storage: t.storage.Health, Troubles: t.troubles(), Log: t.log,
		Publish:  func(v pos.View) { t.app.Publish(v); t.display.Publish(v); t.prompts(v); t.hands.publish(v) },
		Recorded: func() { t.outbox.Wake() }, Unasked: t.unasked,
		Routes: t.c.routes(), Print: t.wakePrinters, Label: label,
	})
	t.actors.add("desk", t.desk.Run, nil)
	t.actors.add("storage", t.watchStorage, nil)
	t.buildOffice(genesis)
	if err := t.buildDisplay(); err != nil {
		return err
	}
	t.buildHeadless()
	t.buildPrinters()
	o := web.Options{Desk: t.desk, Staff: t.desk, Items: t.c.items, Shop: t.c.shop, Display: t.display, Enroller: t.office, Log: t.log, Version: software}
	o.Paper = t.paperPicture()
	t.app = web.New(o)
	return t.buildHands()
}

// troubles is what a person must know at the start.
func (t *till) troubles() []string {
	if lost := t.ledger.Books().Lost; lost != nil {
		return []string{lost.Text(t.c.shop.Language)}
	}
	return nil
}

// watchStorage keeps the gauge new, and its word on the screens.
func (t *till) watchStorage(ctx context.Context) error {
	tick := time.NewTicker(storage.Every)
	defer tick.Stop()
	for {
		h := t.storage.Health()
		l := pos.Link{Name: "storage", State: "online", Detail: strings.Join(append(h.Notices, h.Reason), " ")}
		if !h.Ready {
			l.State = "offline"
		}
		t.desk.SetLink(l)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			t.storage.Look()
		}
	}
}

// now is the wall time, with a monotonic reading beside it that records keep: so
// that they tell how much time passed although the wall clock jumped.
func (t *till) now() (time.Time, pos.Clock) {
	_, trust := t.judge.Now()
	return t.net.now(), trust
}

// lightning makes the rail. A macaroon that can spend keeps the till from
// starting.
func (t *till) lightning() ([]desk.Tender, error) {
	if t.c.lightning == nil {
		return nil, nil
	}
	secret, err := secretAt(t.c.secretFile())
	if err != nil {
		return nil, err
	}
	rail, err := lnd.New(lnd.Options{
		Source: connectionSource(*t.c.lightning), Secret: secret, Network: t.c.lightning.network, Expiry: t.c.lightning.expiry,
		Language: t.c.shop.Language, Log: t.log, Dial: t.net.dial, ClockTrusted: func() bool {
			_, c := t.judge.Now()
			return c == pos.ClockTrusted
		},
	})
	if err != nil {
		return nil, err
	}
	t.actors.add("lightning", rail.Run, nil)
	t.actors.add("lines", func(ctx context.Context) error {
		t.hurry(ctx, func() bool { return rail.Health().Ready })
		return nil
	}, nil)
	tender, err := t.withOffline(desk.Tender{Name: "lightning", Rail: rail})
	return []desk.Tender{tender}, err
}

// sources returns where the price of bitcoin comes from, and how many of them must be
// good.
func (t *till) sources() ([]rates.Source, int) {
	if t.c.rates.fixed != "" {
		return []rates.Source{rates.Fixed(t.c.rates.fixed)}, 1
	}
	return t.exchanges(), t.c.rates.least
}

// exchanges returns where market prices come from: the same ones at every call, for
// one request may then serve several guards.
func (t *till) exchanges() []rates.Source {
	if t.markets != nil {
		return t.markets
	}
	client := &http.Client{Transport: t.links.calls}
	known := map[string]func(*http.Client) rates.Source{"kraken": rates.Kraken, "coinbase": rates.Coinbase, "bitstamp": rates.Bitstamp}
	for _, name := range t.c.rates.sources {
		t.markets = append(t.markets, known[name](client))
	}
	return t.markets
}

// guard makes the guard of one price; newPrices lets it run.
func (t *till) guard(in pos.Currency, a pos.Asset, sources []rates.Source, least int) (*rates.Guard, error) {
	var g *rates.Guard
	g, err := rates.New(rates.Options{
		Currency: in, Asset: a, Sources: sources, Least: least,
		Every: min(ratesEvery, t.c.rates.maxAge/2), MaxAge: t.c.rates.maxAge, Log: t.log,
		Changed: func() {
			if a == pos.Bitcoin { // a token's button has its own reason
				t.desk.SetLink(g.Status())
			}
		},
	})
	return g, err
}

func (t *till) buildOffice(g pos.Genesis) {
	t.bindAddresses()
	t.office = &office{desk: t.desk, books: t.ledger.Books, key: t.key, genesis: g, plain: t.c.office.allowHTTP, calls: t.links.calls, vouch: t.judge.Vouch, bound: t.bindAddresses}
	t.outbox = outbox.New(outbox.Options{Source: t.desk, Backoffice: t.office, Link: t.desk.SetLink, Language: t.c.shop.Language, Log: t.log})
	t.office.woken = func() {
		t.outbox.Wake()
		if t.offline != nil {
			t.offline.Wake()
		}
	}
	t.actors.add("outbox", t.outbox.Run, nil)
}
