package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/sync/backoffice/access"
	"github.com/tillwright/tillwright/sync/backoffice/api"
	"github.com/tillwright/tillwright/sync/backoffice/dashboard"
	"github.com/tillwright/tillwright/sync/backoffice/ingest"
	"github.com/tillwright/tillwright/sync/backoffice/report"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
	"github.com/tillwright/tillwright/sync/backoffice/web"
	"github.com/tillwright/tillwright/sync/wire"
)

// stopWithin is how long requests in progress may take to end: a till's batch in
// the middle of its transaction.
const stopWithin = 10 * time.Second

// office is everything the commands work with.
type office struct {
	cfg     *config
	db      *store.DB
	key     ed25519.PrivateKey
	owner   *access.Owner
	codes   *access.Codes
	reports *report.Reports
}

// open opens what the configuration names. The caller closes it.
func open(ctx context.Context, path string) (*office, error) {
	cfg, err := load(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	key, err := loadKey(cfg.keyFile())
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, cfg.database())
	if err != nil {
		return nil, err
	}
	return &office{cfg, db, key, access.NewOwner(db, db), access.NewCodes(db, key), report.New(db, cfg.zone)}, nil
}

func (o *office) close() error { return o.db.Close() }

type runCommand struct {
	Config string `required:"" type:"existingfile" help:"Configuration file (TOML)."`
}

// Run serves until the context ends.
func (c *runCommand) Run(p *process) (err error) {
	o, err := open(p, c.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	ln, err := net.Listen("tcp", o.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	o.cfg.listening(ln.Addr())
	log := slog.New(slog.NewTextHandler(p.stderr, nil))
	part, err := o.buildOffline(p, log)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	var coins *sweep.Sweeper
	if chains := o.sweeper(); chains != nil {
		coins = sweep.New(o.db, chains, log)
	}
	search := o.search(coins, log)
	app := o.app(part, coins, search, log)
	if err := o.greet(p, ln.Addr()); err != nil {
		return errors.Join(err, ln.Close())
	}
	log.Info("backoffice ready", "listen", ln.Addr())
	return serveAll(p, app, ln, runs(part, coins, search), log)
}

// runs are what has to run beside the pages.
func runs(part *offlinePart, coins *sweep.Sweeper, search *sweep.Search) (out []func(context.Context) error) {
	if part != nil {
		out = append(out, part.runs...)
	}
	if coins != nil {
		out = append(out, coins.Run, search.Run)
	}
	return out
}

// serveAll serves, and runs what is needed beside it, until ctx ends or the listener
// fails. Nothing is left running when it returns.
func serveAll(ctx context.Context, app *fiber.App, ln net.Listener, beside []func(context.Context) error, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, run := range beside {
		wg.Go(func() {
			if err := run(ctx); err != nil {
				log.Error("a part of the backoffice stopped", "err", err)
			}
		})
	}
	err := serve(ctx, app, ln, log)
	cancel()
	wg.Wait()
	return err
}

// app wires the routes.
func (o *office) app(part *offlinePart, coins *sweep.Sweeper, search *sweep.Search, log *slog.Logger) *fiber.App {
	var till api.Offline // an interface that holds a nil would not be nil
	if part != nil {
		till = part.office
	}
	app := web.New(web.Options{Log: log, Proxies: o.cfg.proxies, HTTPS: o.cfg.public.Scheme == "https"})
	api.Mount(app, api.Options{
		Store: o.db, Ingest: &ingest.Ingest{Store: o.db, Key: o.key}, Codes: o.codes, Keys: o.owner, Reports: o.reports, Seeds: o.keeper(),
		Key: o.key.Public().(ed25519.PublicKey), Shop: o.cfg.Shop, Version: version(), Log: log,
		Offline: till, Sign: func(a wire.Answer) string { return a.Sign(o.key) }, Language: o.cfg.Language,
	})
	if part != nil {
		part.office.Mount(app)
	}
	page := dashboard.Offline{Currency: o.cfg.Rates.Currency, Limits: o.cfg.Offline.limits}
	if part != nil {
		page.Store = o.db
	}
	var sweeps dashboard.Sweeps
	var searches dashboard.Searches
	if coins != nil {
		sweeps, searches = coins, search
	}
	dashboard.Mount(app, dashboard.Options{
		Offline: page, Sweeps: sweeps, Searches: searches,
		Store: o.db, Owner: o.owner, Codes: o.codes, Reports: o.reports,
		Shop: o.cfg.Shop, Language: o.cfg.Language, Public: o.cfg.public, Log: log,
	})
	return app
}

// greet tells the person at the console where to look.
func (o *office) greet(p *process, at net.Addr) error {
	fmt.Fprintf(p.stdout, "listening on http://%s\n", at)
	set, err := o.owner.HasPassword(p)
	if err != nil || set {
		return err
	}
	return o.link(p)
}

// link prints a link that sets the owner's password.
func (o *office) link(p *process) error {
	token, err := o.owner.NewLink(p, time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "set the owner's password within %d hours at %s/set-up/%s\n", int(access.LinkLife.Hours()), o.cfg.PublicURL, token)
	return nil
}

// serve answers requests until ctx ends or the listener fails.
func serve(ctx context.Context, app *fiber.App, ln net.Listener, log *slog.Logger) error {
	failed := make(chan error, 1)
	go func() { failed <- app.Listener(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	err := app.ShutdownWithTimeout(stopWithin)
	if err != nil {
		log.Warn("requests did not end in time", "err", err)
	}
	return <-failed
}

// version is what the build says of itself.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
