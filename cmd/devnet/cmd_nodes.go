package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// nodesFlags are what devnet nodes is told.
type nodesFlags struct {
	dir, bin, listen string
	buildOnly        bool
	command          []string // run with the nodes ready, then all ends
}

func (f *nodesFlags) parse(args []string, errs io.Writer) error {
	set := flag.NewFlagSet("devnet nodes", flag.ContinueOnError)
	set.SetOutput(errs)
	set.StringVar(&f.dir, "dir", "", "directory that holds everything (needed)")
	set.StringVar(&f.bin, "bin", "", "where btcd and lnd lie or shall be built (default: bin under --dir)")
	set.StringVar(&f.listen, "listen", "127.0.0.1:0", "loopback address of the control API and the wallet page")
	set.BoolVar(&f.buildOnly, "build-only", false, "build the programs and end")
	if err := set.Parse(args); err != nil {
		return err
	}
	f.command = set.Args()
	if f.dir == "" && (f.bin == "" || !f.buildOnly) || len(f.command) > 0 && f.buildOnly {
		set.Usage()
		return flag.ErrHelp
	}
	return nil
}

// runNodes is the command: one JSON line on out with the base URL as soon as the
// API listens, progress on errs.
func runNodes(ctx context.Context, args []string, out, errs io.Writer) error {
	var f nodesFlags
	if err := f.parse(args, errs); err != nil {
		return err
	}
	if f.buildOnly && f.dir == "" {
		tmp, err := os.MkdirTemp("", "devnet")
		if err != nil {
			return fmt.Errorf("make a scratch directory: %w", err)
		}
		defer os.RemoveAll(tmp)
		f.dir = tmp
	}
	say := newConsole(errs)
	progress := NewProgress()
	n, release, err := openNodes(f.dir, f.bin, progress, say.Line)
	if err != nil {
		return err
	}
	defer release()
	watching := say.follow(progress)
	defer watching()
	if f.buildOnly {
		return n.Build(ctx)
	}
	if len(f.command) > 0 {
		return withNodes(ctx, n, f, out, errs)
	}
	return serveNodes(ctx, n, f.listen, out)
}

// serveNodes runs the nodes and their API until ctx ends or one of them fails.
func serveNodes(ctx context.Context, n *Nodes, addr string, out io.Writer) error {
	l, err := listen(addr)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(map[string]string{"url": "http://" + l.Addr().String()}); err != nil {
		return errors.Join(fmt.Errorf("print the address: %w", err), l.Close())
	}
	return together(ctx,
		func(ctx context.Context) error { return serve(ctx, l, newAPI(n).Handler()) },
		n.Run)
}

// openNodes takes dir for this process and ends what an earlier one left there.
func openNodes(dir, bin string, p *Progress, report func(string)) (n *Nodes, release func(), err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, nil, fmt.Errorf("find %s: %w", dir, err)
	}
	if bin == "" {
		bin = filepath.Join(dir, "bin")
	}
	if bin, err = filepath.Abs(bin); err != nil {
		return nil, nil, fmt.Errorf("find %s: %w", bin, err)
	}
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("make %s: %w", dir, err)
	}
	if release, err = lockDir(dir); err != nil {
		return nil, nil, err
	}
	if err = reapStale(dir, stopGrace); err == nil {
		n, err = NewNodes(dir, bin, p, report)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return n, release, nil
}

func newAPI(n *Nodes) *API { return &API{nodes: n, wallet: &Wallet{node: n.cust, shop: n.shop}} }

// together runs all until the first fails or ctx ends, waits for every one, and
// returns the first failure.
func together(ctx context.Context, all ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	errs := make([]error, len(all))
	for i, f := range all {
		wg.Go(func() {
			if errs[i] = f(ctx); errs[i] != nil {
				cancel(errs[i])
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
