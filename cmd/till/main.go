// Command till is the appliance: it rings up sales, shows the customer what to
// pay, takes Lightning and cash, prints, and ships every sale to the backoffice.
// This package is flags, configuration and wiring; what a till does is in pos/desk.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/tillwright/tillwright/pos"
)

// software is the version in records and on screens; the linker may set it.
var software = "till 0.1"

// commands is the command line.
type commands struct {
	Run    runCmd    `cmd:"" help:"Sell. Runs until it is told to stop."`
	Config configCmd `cmd:"" help:"Look at the configuration."`
	Doctor doctorCmd `cmd:"" help:"Try node, rates, printer, display, clock, storage and backoffice, and say what to do."`
	Verify verifyCmd `cmd:"" help:"Check journal files on their own; name the first bad line."`
	Export exportCmd `cmd:"" help:"Print the journal's records, or the public key an auditor checks them with."`
	Enrol  enrolCmd  `cmd:"" help:"Connect this till to a backoffice with a one-time code, while the till is not running."`
	Staff  staffCmd  `cmd:"" help:"Say who may use the till, at the board itself."`
}

// configFlag is the one flag that most commands share.
type configFlag struct {
	Config string `name:"config" default:"/perm/till/till.toml" help:"The configuration file." type:"path"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(code(run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}

// code tells what went wrong and returns the exit status.
func code(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "till:", err)
	return 1
}

// streams are where commands write.
type streams struct{ out, err io.Writer }

// run is main without its globals, so that a test can hold the whole till in one
// process. It returns nil when ctx ended it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c commands
	done := errors.New("done")
	parser, err := kong.New(&c, kong.Name("till"), kong.Description("A checkout appliance for a shop counter."),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { panic(done) }), kong.UsageOnError())
	if err != nil {
		return err
	}
	k, err := parse(parser, args, done)
	if k == nil || err != nil {
		return err
	}
	return k.Run(&ctx, &streams{stdout, stderr})
}

// parse returns nil when only help was asked for.
func parse(parser *kong.Kong, args []string, done error) (k *kong.Context, err error) {
	defer func() {
		if p := recover(); p == done {
			k, err = nil, nil
		} else if p != nil {
			panic(p)
		}
	}()
	return parser.Parse(args)
}

// message returns what a person may read of err.
func message(err error) string {
	if e, ok := errors.AsType[*pos.Error](err); ok && e.Msg != "" {
		return e.Msg
	}
	return err.Error()
}
