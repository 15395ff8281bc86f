package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// runChains keeps the chains until ctx ends and tells what a newcomer must know. That
// there are none is no reason to close the shop.
func runChains(ctx context.Context, c *Chains, say *console, wallet string) error {
	if c.tree == "" {
		return nil
	}
	return together(ctx,
		func(ctx context.Context) error {
			if err := c.Run(ctx); err != nil {
				say.Line("Stablecoins are not available; the shop goes on with cash and Lightning.\n" + err.Error())
			}
			return nil
		},
		func(ctx context.Context) error {
			if c.progress.await(ctx) {
				if own := c.untaken(); own != "" {
					say.Line(own + " is yours and has no part [stablecoins]: the till takes none.\nCopy it from cmd/devnet/cafe/till.toml, or delete the file to get the newest one.")
					return nil
				}
				say.Line("Stablecoins are ready. Charge a sale with USDC, then pay it at " + plain(wallet))
			}
			return nil
		})
}

// untaken returns the till's configuration when its user has an earlier one, which
// takes no stablecoins.
func (c *Chains) untaken() string {
	path := filepath.Join(c.dir, "cafe", "till.toml")
	b, err := os.ReadFile(path)
	if err != nil || bytes.Contains(b, []byte("[stablecoins]")) {
		return ""
	}
	return path
}

// errClosed ends the shop without being a failure.
var errClosed = errors.New("the shop was closed")

// openLook is how often devnet looks whether it shall go on.
const openLook = 500 * time.Millisecond

// openUntil ends with errClosed when the shop shall close though nobody told this
// process: its parent is gone, or the sign was taken away. make does the latter when
// it alone is interrupted: it removes the file that an unfinished rule makes, and
// waits for the rule to end. It returns nil when ctx ends, or when there is no sign:
// then whoever started devnet ends it.
func openUntil(ctx context.Context, sign string) error {
	if sign == "" {
		return nil
	}
	parent := os.Getppid()
	if err := os.WriteFile(sign, []byte("This shop is open. Take this file away to close it.\n"), 0o600); err != nil {
		return fmt.Errorf("put the sign out: %w", err)
	}
	defer os.Remove(sign)
	look := time.NewTicker(openLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		if os.Getppid() != parent {
			return errClosed
		}
		if _, err := os.Stat(sign); errors.Is(err, fs.ErrNotExist) {
			return errClosed
		}
	}
}
