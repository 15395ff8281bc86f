// Command backoffice is the merchant's server: it keeps every record of every
// till, and shows the owner reports that add up.
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

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "backoffice: "+say(err))
		os.Exit(1)
	}
}

// commands is what kong reads from the command line.
type commands struct {
	Run   runCommand  `cmd:"" help:"Serve tills and the owner until interrupted."`
	Code  codeCommand `cmd:"" help:"Make a one-time enrolment code for a till and print it. Works while the server runs."`
	Owner struct {
		Set  ownerSet  `cmd:"" help:"Set the owner's password and sign everybody out."`
		Link ownerLink `cmd:"" help:"Print a link that sets the owner's password once."`
	} `cmd:"" help:"The owner's access."`
	Key     keyCommand     `cmd:"" help:"Make a key for programs that use the API, and print it."`
	Recover recoverCommand `cmd:"" help:"Find the stablecoins of a lost till by its recovery sheet on paper. Works while the server runs."`
	Export  exportCommand  `cmd:"" help:"Write sales.csv, payments.csv and the tills' records to a directory."`
}

// process is what every command is given.
type process struct {
	context.Context
	stdout, stderr io.Writer
}

// errUsage says that the command line was wrong; kong has told why.
var errUsage = errors.New("see --help")

// run is main without its globals, so that a test can hold the whole backoffice in
// one process. It returns nil when ctx ended it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c commands
	exit := -1
	parser, err := kong.New(&c, kong.Name("backoffice"), kong.Description("The merchant's server."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		return err
	}
	k, err := parser.Parse(args)
	switch {
	case exit == 0: // --help
		return nil
	case exit > 0:
		return errUsage
	case err != nil:
		return err
	}
	return k.Run(&process{ctx, stdout, stderr})
}

// say returns what an error says to the person at the keyboard, with its cause.
func say(err error) string {
	if e, ok := errors.AsType[*pos.Error](err); ok && e.Err != nil {
		return e.Msg + ": " + e.Err.Error()
	}
	return err.Error()
}
