package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
	"github.com/tillwright/tillwright/sync/wire"
)

var (
	_ sweep.Finder      = evmFinder{}
	_ sweep.SeedStore   = (*store.DB)(nil)
	_ sweep.SearchStore = (*store.DB)(nil)
)

// witness is one operator with all the networks that he is set up for. Each has his own
// pace, as in the sweep.
type witness struct {
	operator string
	s        *evm.Surveyor
}

// newWitnesses makes one of each operator.
func newWitnesses(r evm.Registry, accept []evm.Accept) (out []witness, err error) {
	networks := map[string][]evm.Accept{}
	var order []string
	for _, a := range accept {
		for _, e := range a.Endpoints {
			list := networks[e.Operator]
			if list == nil {
				order = append(order, e.Operator)
			}
			i := slices.IndexFunc(list, func(x evm.Accept) bool { return x.Chain == a.Chain })
			if i < 0 {
				i, list = len(list), append(list, evm.Accept{Chain: a.Chain})
			}
			list[i].Endpoints = append(list[i].Endpoints, e)
			networks[e.Operator] = list
		}
	}
	for _, operator := range order {
		s, err := evm.NewSurveyor(evm.SurveyOptions{Registry: r, Accept: networks[operator]})
		if err != nil {
			return nil, err
		}
		out = append(out, witness{operator, s})
	}
	return out, nil
}

// evmFinder is Ethereum and its like, as a search wants them.
type evmFinder struct{ evmChains }

// Reference implements sweep.Finder. What it cannot know (the amount that was asked for,
// and when) is no part of the address, nor of a sweep.
func (evmFinder) Reference(a wire.AddressSeed, n uint64) (string, error) {
	treasury, err := evm.ParseAddress(a.Treasury)
	if err != nil || a.Scheme != evm.Scheme {
		return "", pos.Say("compute address", pos.Invalid, err, "bo_se_why_version", "n", strconv.Itoa(a.Scheme))
	}
	salt := evm.Seed(a.Seed).Salt(n)
	return fmt.Sprintf("evm %d %d 0 0 %s %x %s 1", a.Scheme, n, treasury, salt, evm.AddressOf(treasury, salt)), nil
}

// staleAtLeast is how old an operator's newest block may be on any network: there are
// some that stand still for minutes.
const staleAtLeast = 5 * time.Minute

// Agree implements sweep.Finder.
func (c evmFinder) Agree(ctx context.Context, network string, references []string) (sweep.Round, int, error) {
	chain, ok := c.chain(network)
	if !ok {
		return sweep.Round{}, 0, pos.Say("ask operators", pos.NotFound, nil, "bo_sc_no_network")
	}
	ds, err := depositsOf(references)
	if err != nil {
		return sweep.Round{}, 0, err
	}
	var first evm.Round
	var asked []string
	for _, w := range c.witnesses {
		if !slices.ContainsFunc(w.s.Chains(), func(n evm.Chain) bool { return n.ID == chain.ID }) {
			continue
		}
		r, err := w.s.Look(ctx, network, ds)
		if err != nil {
			return sweep.Round{}, 0, pos.Say("ask operators", pos.Unavailable, err, "bo_se_why_silent", "chain", chain.Name, "operator", w.operator)
		}
		if age := time.Since(r.Time); age > max(staleAtLeast, time.Duration(chain.StaleS)*time.Second) {
			return sweep.Round{}, 0, pos.Say("ask operators", pos.Unavailable, nil, "bo_se_why_behind", "chain", chain.Name, "operator", w.operator, "time", r.Time.Format(time.DateTime))
		}
		if len(asked) == 0 {
			first = r
		} else if !sameMoney(first.Holdings, r.Holdings) {
			return sweep.Round{}, 0, pos.Say("ask operators", pos.Unavailable, nil, "bo_se_why_differ", "chain", chain.Name, "one", asked[0], "other", w.operator)
		}
		asked = append(asked, w.operator)
	}
	return roundOf(first), len(asked), nil
}

// sameMoney reports that two operators see the same at the newest block. What each takes
// for final may differ by the seconds between them.
func sameMoney(a, b []evm.Holding) bool {
	return slices.EqualFunc(a, b, func(x, y evm.Holding) bool {
		return x.Address == y.Address && x.Token.Contract == y.Token.Contract && x.Newest.Cmp(y.Newest) == 0
	})
}

// keeper keeps what tills' addresses are made of.
func (o *office) keeper() *sweep.Keeper {
	return sweep.NewKeeper(o.db, o.key, func(s string) (string, error) {
		a, err := evm.ParseAddress(s)
		if err != nil {
			err = pos.Say("read treasury", pos.Invalid, err, "bo_se_bad_treasury")
		}
		return a.String(), err
	})
}

// search makes the searches of a sweeper; nil without one.
func (o *office) search(coins *sweep.Sweeper, log *slog.Logger) *sweep.Search {
	if coins == nil {
		return nil
	}
	s := o.cfg.Stablecoins
	return sweep.NewSearch(coins, o.keeper(), o.db, evmFinder{evmChains{s.surveyor, s.registry, s.witnesses}}, log)
}

type recoverCommand struct {
	Config  string `required:"" type:"existingfile" help:"Configuration file (TOML), with its networks."`
	Sheet   string `arg:"" optional:"" help:"File with what the paper says; without it, type it in. Not an argument: those can be read by everybody on this computer."`
	Again   bool   `help:"Begin at number 1 again: money can come late." xor:"how"`
	Further bool   `help:"Look a thousand numbers further than last time." xor:"how"`
}

// Run finds the money of a lost till by its recovery sheet. It goes on where it was when
// it is run again; what it finds stands on the owner's page, and can be moved from there.
func (c *recoverCommand) Run(p *process) error {
	return with(p, c.Config, func(o *office) error {
		chains := o.sweeper()
		if chains == nil {
			return errors.New("the configuration names no networks: write a part [stablecoins] into it")
		}
		a, err := c.read(os.Stdin, p.stdout)
		if err != nil {
			return err
		}
		id, err := o.keeper().Sheet(p, a, time.Now())
		if err != nil {
			return err
		}
		log := slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
		s := o.search(sweep.New(o.db, chains, log), log)
		var last sweep.SeedView
		how := sweep.GoOn
		if c.Again {
			how = sweep.Again
		} else if c.Further {
			how = sweep.Further
		}
		err = s.Now(p, id, how, func(v sweep.SeedView) { last = v; tell(p.stdout, v) })
		if err != nil {
			return err
		}
		return result(p, s, last)
	})
}

// maxSheet bounds what is read as a sheet.
const maxSheet = 8 << 10

// typed reports that somebody sits at the keyboard, who ends a sheet with an empty line;
// a whole sheet has empty lines of its own.
func typed(keys io.Reader) bool {
	f, ok := keys.(*os.File)
	if !ok {
		return true
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// readAll reads a sheet up to its end.
func readAll(r io.Reader) (wire.AddressSeed, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSheet+1))
	if err != nil {
		return wire.AddressSeed{}, err
	}
	return wire.ParseSheet(string(b))
}

// read takes the sheet from its file, from what is sent in, or from the keyboard.
func (c *recoverCommand) read(keys io.Reader, screen io.Writer) (wire.AddressSeed, error) {
	if c.Sheet != "" {
		f, err := os.Open(c.Sheet)
		if err != nil {
			return wire.AddressSeed{}, err
		}
		a, err := readAll(f)
		return a, errors.Join(err, f.Close())
	}
	if !typed(keys) {
		return readAll(keys)
	}
	fmt.Fprintln(screen, "Type the line with the treasury and the four rows of the seed, and then an empty line:")
	var text strings.Builder
	in := bufio.NewScanner(io.LimitReader(keys, maxSheet+1))
	for in.Scan() && (strings.TrimSpace(in.Text()) != "" || text.Len() == 0) {
		text.WriteString(in.Text() + "\n")
	}
	if err := in.Err(); err != nil {
		return wire.AddressSeed{}, err
	}
	return wire.ParseSheet(text.String())
}

// tell prints how far a search is.
func tell(w io.Writer, v sweep.SeedView) {
	for _, n := range v.Networks {
		if n.Why != "" {
			fmt.Fprintf(w, "%s: known up to number %d, not known from there: %s\n", n.Name, n.To, n.Why.In("en"))
			continue
		}
		fmt.Fprintf(w, "%s: %d of %d numbers\n", n.Name, n.To, v.To)
	}
}

// result prints what was found, and fails when not everything is known.
func result(p *process, s *sweep.Search, v sweep.SeedView) error {
	found, err := s.Found(p, v.ID)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		fmt.Fprintln(p.stdout, "\nMoney that no sale names:")
	}
	for _, f := range found {
		fmt.Fprintf(p.stdout, "  %d  %s  %s  %s %s\n", f.N, f.Address, f.Name, sweep.Quantity(f.Newest, f.Decimals), f.Symbol)
	}
	switch {
	case !v.Known():
		return errors.New("not everything is known: run this again when the networks answer; it goes on where it was")
	case len(found) == 0:
		fmt.Fprintln(p.stdout, "\nNo money lies at addresses that no sale names. Was the till in use for long, and is this backoffice new? Look further with --further.")
	default:
		fmt.Fprintln(p.stdout, "\nMove it with the page Stablecoins of this backoffice.")
	}
	if v.Alone() {
		fmt.Fprintf(p.stdout, "On %s this is the word of one operator alone; name a second one there to be sure.\n", v.Single())
	}
	return nil
}
