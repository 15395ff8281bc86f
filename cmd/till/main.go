// Command till is the appliance: it rings up sales, shows the customer what to
// pay, takes Lightning and cash, prints, and ships every sale to the backoffice.
// This package is flags, configuration and wiring; what a till does is in pos/desk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/tillwright/tillwright/pos"
)

// software is the version in records and on screens; the linker may set it.
var software = "till 0.1"

// command is one word of the command line and what it does. The standard library
// parses it: a larger parser that finds methods by name keeps the linker from
// leaving out any method at all, and the appliance would be 5.4 MB larger
// (measured on armv7, 2026-11-26: 17.6 MB against 12.2 MB).
type command struct {
	name, args, help string
	make             func() runner
}

// runner carries one command out.
type runner interface {
	// flags says which flags there are.
	flags(f *flag.FlagSet)
	// Run does the work with what is left of the command line.
	Run(ctx context.Context, args []string, s streams) error
}

var commands = []command{
	{"run", "", "Sell. Runs until it is told to stop.", func() runner { return new(runCmd) }},
	{"config check", "", "Name everything wrong with the configuration at once.", func() runner { return new(configCheckCmd) }},
	{"doctor", "", "Try node, chains, rates, printer, display, clock, storage and backoffice, and say what to do.", func() runner { return new(doctorCmd) }},
	{"paper", "FILE.png", "Draw a receipt as the printer would print it; nothing is printed.", func() runner { return new(paperCmd) }},
	{"screenshot", "FILE.png", "Draw what a panel would show; none is touched.", func() runner { return new(screenshotCmd) }},
	{"verify", "FILE…", "Check journal files on their own; name the first bad line.", func() runner { return new(verifyCmd) }},
	{"export", "", "Print the journal's records, or the public key that an auditor checks them with.", func() runner { return new(exportCmd) }},
	{"recovery", "", "Print the sheet that finds this till's stablecoin addresses again. It cannot spend.", func() runner { return new(recoveryCmd) }},
	{"enrol", "URL CODE", "Connect this till to a backoffice with a one-time code, while the till is not running.", func() runner { return new(enrolCmd) }},
	{"reset", "", "Begin as a new till, while it is not running. The old books are kept aside; refused while head office lacks any.", func() runner { return new(resetCmd) }},
	{"staff add", "NAME", "Let a person use the till, at the board itself; the PIN comes from TILL_PIN.", func() runner { return new(staffAddCmd) }},
}

// configFlag is the one flag that most commands share.
type configFlag struct{ Config string }

func (c *configFlag) flags(f *flag.FlagSet) {
	f.StringVar(&c.Config, "config", "/perm/till/till.toml", "the configuration `file`")
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends a stop that hangs
	os.Exit(code(run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}

// code tells what went wrong and returns the exit status.
func code(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "till:", err)
	if pos.KindOf(err) == pos.Unavailable && strings.Contains(err.Error(), "lock journal") {
		fmt.Fprintln(stderr, "The till is running on these files. Stop it first, then try again.")
	}
	return 1
}

// streams are where commands write.
type streams struct{ out, err io.Writer }

// run is main without its globals, so that a test can hold the whole till in one
// process. It returns nil when ctx ended it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, rest := commandOf(args)
	if c == nil {
		usage(stderr)
		if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
			return nil
		}
		return fmt.Errorf("there is no command %q", args[0])
	}
	r := c.make()
	f := flag.NewFlagSet("till "+c.name, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintf(stderr, "usage: till %s [flags] %s\n%s\n", c.name, c.args, c.help)
		f.PrintDefaults()
	}
	r.flags(f)
	words, err := parse(f, rest)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return fmt.Errorf("till %s: %w", c.name, err)
	}
	return r.Run(ctx, words, streams{stdout, stderr})
}

// parse reads flags before, between and after the words that it returns; behind
// "--" all are words.
func parse(f *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		left := f.Args()
		if n := len(args) - len(left); len(left) == 0 || n > 0 && args[n-1] == "--" {
			return append(words, left...), nil
		}
		words, args = append(words, left[0]), left[1:]
	}
}

// commandOf returns the command that args begin with, and what follows it.
func commandOf(args []string) (*command, []string) {
	for i, c := range commands {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return &commands[i], args[len(words):]
		}
	}
	return nil, nil
}

func usage(w io.Writer) {
	fmt.Fprint(w, "till is a checkout appliance for a shop counter.\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  till %-22s %s\n", c.name+" "+c.args, c.help)
	}
	fmt.Fprint(w, "\nAsk a command for its flags with -h.\n")
}

// exactly fails unless there are n arguments.
func exactly(args []string, n int, what string) error {
	if len(args) != n {
		return fmt.Errorf("this command takes %s, not %d arguments", what, len(args))
	}
	return nil
}

// message returns what a person may read of err.
func message(err error) string {
	if e, ok := errors.AsType[*pos.Error](err); ok && e.Msg != "" {
		return e.Msg
	}
	return err.Error()
}
