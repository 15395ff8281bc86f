package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// runFlags are what devnet run is told.
type runFlags struct {
	dir, till, office, bin, listen, tree, sign string
}

func (f *runFlags) parse(args []string, errs io.Writer) error {
	set := flag.NewFlagSet("devnet run", flag.ContinueOnError)
	set.SetOutput(errs)
	set.StringVar(&f.dir, "dir", ".devnet", "directory that holds everything")
	set.StringVar(&f.till, "till", beside("till"), "the till's program")
	set.StringVar(&f.office, "backoffice", beside("backoffice"), "the back office's program")
	set.StringVar(&f.bin, "bin", "", "where btcd and lnd lie or shall be built (default: bin under --dir)")
	set.StringVar(&f.listen, "listen", "127.0.0.1:8082", "loopback address of the wallet page")
	set.StringVar(&f.tree, "tree", "", "the source tree, whose program fetches the chains of stablecoins (default: none)")
	set.StringVar(&f.sign, "sign", "", "a file that stands while the shop is open; taking it away closes the shop")
	if err := set.Parse(args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		set.Usage()
		return flag.ErrHelp
	}
	return errors.Join(program(&f.till, "--till"), program(&f.office, "--backoffice"))
}

// beside returns where a program lies if it lies beside this one.
func beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}

// program makes a path absolute and checks that it can be run: children have
// another working directory.
func program(path *string, name string) error {
	abs, err := filepath.Abs(*path)
	if err != nil {
		return fmt.Errorf("%s %s: %w", name, *path, err)
	}
	i, err := os.Stat(abs)
	if err != nil || i.IsDir() || i.Mode()&0o111 == 0 {
		return fmt.Errorf("%s %s: there is no program here; build it first, or use make run", name, abs)
	}
	*path = abs
	return nil
}

// runShop is the command: the shop first, so that it can sell for cash in
// seconds, then the nodes.
func runShop(ctx context.Context, args []string, out, errs io.Writer) error {
	var f runFlags
	if err := f.parse(args, errs); err != nil {
		return err
	}
	say, progress := newConsole(out), NewProgress()
	n, release, err := openNodes(f.dir, f.bin, progress, say.Line)
	if err != nil {
		return err
	}
	defer release()
	shop, err := NewShop(n.dir, f.till, f.office, say.Line)
	if err != nil {
		return err
	}
	writer := connectionWriter{shop.connections(n), progress, say.Line}
	if err := errors.Join(shop.free(), writer.write()); err != nil {
		return err
	}
	l, err := listen(f.listen)
	if err != nil {
		return err
	}
	chains := NewChains(n.dir, f.tree, say.Line)
	asked, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(fmt.Errorf("open the chains' operators: %w", err), l.Close())
	}
	line, err := OpenLine(filepath.Join(n.dir, "line.json"), n.ShopREST, func() string { return shop.officeAt }, asked.Addr().String)
	if err != nil {
		return errors.Join(err, l.Close(), asked.Close())
	}
	defer line.Close()
	n.tillVia, shop.officeVia = line.Node(), line.Office()
	page := newAPI(n)
	page.shown, page.line = shop.Shown, line
	if f.tree != "" {
		page.coins = newCoinsAPI(chains)
		page.coins.display = shop.Display
	}
	if err := chains.connect(shop.dir, line.Chains()); err != nil {
		return errors.Join(err, l.Close(), asked.Close())
	}
	err = together(ctx,
		func(ctx context.Context) error { return serve(ctx, l, page.Handler()) },
		func(ctx context.Context) error { return serve(ctx, asked, chains.handler()) },
		func(ctx context.Context) error { return openUntil(ctx, f.sign) },
		func(ctx context.Context) error {
			return runAll(ctx, shop, n, chains, say, writer, "http://"+l.Addr().String())
		})
	if errors.Is(err, errClosed) {
		return nil
	}
	return err
}

// connections are the files that tell till and back office the way to the shop's
// node, and where their content comes from.
func (s *Shop) connections(n *Nodes) map[string]func() string {
	return map[string]func() string{s.tillConn(): n.TillConnection, s.officeConn(): n.OfficeConnection}
}

// runAll opens the shop, runs the nodes beside it until ctx ends, and closes the
// shop while they stop.
func runAll(ctx context.Context, shop *Shop, n *Nodes, chains *Chains, say *console, writer connectionWriter, wallet string) error {
	defer shop.Close()
	say.Line("Opening the shop: till and back office first …")
	err := shop.Open(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	say.Line(shop.welcome(wallet))
	watching := say.follow(n.progress)
	defer watching()
	return together(ctx,
		func(ctx context.Context) error { return writer.run(ctx) },
		func(ctx context.Context) error { return runChains(ctx, chains, say, wallet) },
		func(ctx context.Context) error {
			<-ctx.Done()
			say.Line("Closing the shop …")
			shop.Close()
			return nil
		},
		func(ctx context.Context) error {
			err := n.Run(ctx)
			if err != nil {
				say.Line("Lightning is not available; the shop goes on with cash.\n" + err.Error())
			}
			return nil
		},
		func(ctx context.Context) error {
			if n.awaitReady(ctx) {
				say.Line("Lightning is ready. Charge a sale at the till, then pay it at " + plain(wallet))
			}
			return nil
		})
}

// welcome says where everything is and how to get in.
func (s *Shop) welcome(wallet string) string {
	till, office := plain("http://"+s.tillAt), plain("http://"+s.officeAt)
	rows := [][2]string{
		{"Till", till + signIn(s.pinFile(), "  sign in as "+cashier+", PIN ")},
		{"Customer display", till + "/display"},
		{"Printed paper", till + "/paper  receipts, and the kitchen's tickets beside them"},
		{"Back office", office + signIn(s.passwordFile(), "  owner's password ")},
		{"Customer's wallet", plain(wallet)},
	}
	var b strings.Builder
	b.WriteString("\nThe shop is open.\n\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "  %-18s %s\n", r[0], r[1])
	}
	b.WriteString("\nCash works now. Lightning follows when its nodes are up: seconds when they are\n" +
		"built, some ten minutes the first time. To sell without internet, cut the shop's line\n" +
		"on the wallet's page. Ctrl-C closes the shop; everything is in\n" + filepath.Dir(s.dir) + "\n")
	return b.String()
}

// plain writes an address as people type it.
func plain(url string) string { return strings.Replace(url, "127.0.0.1", "localhost", 1) }

// signIn returns text and the secret kept in a file, or nothing when there is
// none: then the user set things up himself.
func signIn(file, text string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return text + strings.TrimSpace(string(b))
}

// connectionWriter keeps the connection files at the newest state: a line
// "# starting: …" that the cashier reads on the grey button, then the connection.
type connectionWriter struct {
	files    map[string]func() string // path: the connection once the nodes are ready
	progress *Progress
	report   func(string)
}

// writeGap is the least time between two writes: a build reports several packages
// a second, and each write is an fsync.
const writeGap = 2 * time.Second

// run writes until ctx ends. That the nodes are ready is written at once: a
// cashier waits for it.
func (c connectionWriter) run(ctx context.Context) error {
	var written Status
	for first := true; ; first = false {
		s, changed := c.progress.Now()
		if first || s != written {
			if err := c.write(); err != nil {
				c.report(err.Error()) // the next change tries again
			} else {
				written = s
			}
			if !s.Ready {
				c.pause(ctx)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// pause waits for writeGap, and no longer once the nodes are ready.
func (c connectionWriter) pause(ctx context.Context) {
	gap := time.After(writeGap)
	for {
		s, changed := c.progress.Now()
		if s.Ready {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-gap:
			return
		case <-changed:
		}
	}
}

func (c connectionWriter) write() error {
	s, _ := c.progress.Now()
	var errs []error
	for path, connection := range c.files {
		errs = append(errs, writeFile(path, []byte(connectionLine(s, connection())+"\n")))
	}
	return errors.Join(errs...)
}

// connectionLine is the whole content of a file, one line.
func connectionLine(s Status, connection string) string {
	step := strings.TrimPrefix(s.Step, "starting ")
	switch {
	case s.Ready:
		return connection
	case s.Trouble != "":
		first, _, _ := strings.Cut(s.Trouble, "\n")
		return "# not available: " + first
	case s.Detail != "":
		return "# starting: " + step + ", " + s.Detail
	default:
		return "# starting: " + step
	}
}
