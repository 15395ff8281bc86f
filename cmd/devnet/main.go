// Command devnet is a whole shop on one computer, for trying and for testing: a
// real Bitcoin chain (btcd on simnet, where blocks cost nothing), two real
// Lightning nodes (lnd: the shop's and a customer's) with a channel between
// them, two Ethereum-like chains (anvil) with stablecoins on them, the till, the
// back office, and a page that stands in for the customer's phone. The shop's
// internet, which is the till's three ways out, can be cut; an operator of a chain
// can be cut, or made to lie, and a chain's last blocks can be undone.
//
//	devnet run      everything, as a newcomer wants to see it
//	devnet nodes    chain, nodes and control API only, as tests want them
//
// Promises. Everything it makes lies under one directory, which may be deleted
// while devnet is stopped. It listens on loopback only. A file that its user
// changed is never overwritten. Till and back office get a key each, of five
// rights, none of which spends. What was set up before is used again; a set-up that
// was cut off at any step goes on from there. When it ends, its children have ended.
// Lightning, stablecoins and cash do not wait for each other: what cannot be had is
// said, and the shop goes on without it.
//
// Limits. Its money is play money: seeds lie unencrypted in the directory, and
// whoever reaches the wallet page can spend. The phone asks LNURLs of this computer
// only, whatever a QR code says. A line that was cut is whole at the next start, and so
// are operators. A chain that is killed hard loses its last fifteen seconds; the keys of
// its accounts are known to everybody. It runs on Linux and macOS and needs the Go
// toolchain to build the nodes, once, which takes minutes, and npm to fetch anvil.
//
// Its module is its own, so that no node's server enters the till's go.sum.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `devnet is a whole shop on one computer, for trying and for testing.

  devnet run    [--dir .devnet] [--till FILE --backoffice FILE] [--listen 127.0.0.1:8082] [--tree DIR]
  devnet nodes  --dir DIR [--listen 127.0.0.1:0] [--bin DIR] [--build-only]
  devnet nodes  --dir DIR [--bin DIR] COMMAND…   runs it with the nodes ready, then ends

Ask a command for its flags with -h.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends devnet at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "devnet:", err)
		os.Exit(1)
	}
}

// run is main without the process: tests call it too.
func run(ctx context.Context, args []string, out, errs io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(errs, usage)
		return flag.ErrHelp
	}
	switch args[0] {
	case "run":
		return runShop(ctx, args[1:], out, errs)
	case "nodes":
		return runNodes(ctx, args[1:], out, errs)
	default:
		fmt.Fprint(errs, usage)
		return flag.ErrHelp
	}
}
