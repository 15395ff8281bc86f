package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillwright/tillwright/sync/backoffice/report"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

type codeCommand struct {
	Config string `required:"" type:"existingfile" help:"Configuration file (TOML)."`
	Name   string `help:"What you call the till: \"Counter by the door\"."`
}

// Run prints the code alone on stdout, for scripts.
func (c *codeCommand) Run(p *process) error {
	return with(p, c.Config, func(o *office) error {
		code, ends, err := o.codes.Make(p, c.Name, "", time.Now())
		if err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, code)
		fmt.Fprintf(p.stderr, "type it at the till before %s; its backoffice is %s\n", ends.In(o.cfg.zone).Format(time.TimeOnly), o.cfg.PublicURL)
		return nil
	})
}

type ownerSet struct {
	Config       string `required:"" type:"existingfile" help:"Configuration file (TOML)."`
	PasswordFile string `required:"" type:"existingfile" help:"File that holds the password; one line break at its end is not part of it."`
}

// Run sets the password.
func (c *ownerSet) Run(p *process) error {
	return with(p, c.Config, func(o *office) error {
		b, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return err
		}
		password := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
		return o.owner.SetPassword(p, password, time.Now())
	})
}

type ownerLink struct {
	Config string `required:"" type:"existingfile" help:"Configuration file (TOML)."`
}

// Run prints a set-up link.
func (c *ownerLink) Run(p *process) error {
	return with(p, c.Config, func(o *office) error { return o.link(p) })
}

type keyCommand struct {
	Config string `required:"" type:"existingfile" help:"Configuration file (TOML)."`
	Name   string `required:"" help:"What the key is for."`
}

// Run prints the key alone on stdout; it is not kept.
func (c *keyCommand) Run(p *process) error {
	return with(p, c.Config, func(o *office) error {
		key, err := o.owner.NewKey(p, c.Name, time.Now())
		if err == nil {
			fmt.Fprintln(p.stdout, key)
		}
		return err
	})
}

// with opens the office for one command.
func with(p *process, path string, do func(*office) error) error {
	o, err := open(p, path)
	if err != nil {
		return err
	}
	return errors.Join(do(o), o.close())
}

type exportCommand struct {
	Config    string `required:"" type:"existingfile" help:"Configuration file (TOML)."`
	From      string `required:"" help:"First day: 2026-11-01."`
	To        string `required:"" help:"Last day: 2026-11-30."`
	Out       string `required:"" type:"path" help:"Directory to write to; made if missing."`
	Separator string `default:"comma" enum:"comma,semicolon" help:"What separates cells."`
}

// maxExport bounds an export's days, all of which are held in memory: a year.
const maxExport = 366

// Run writes the files.
func (c *exportCommand) Run(p *process) error {
	return with(p, c.Config, func(o *office) error {
		days, err := c.days(p, o)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(c.Out, 0o700); err != nil {
			return err
		}
		if err := c.table("sales.csv", func(t *report.Table) error { t.Language = o.cfg.Language; return t.Sales(days...) }); err != nil {
			return err
		}
		if err := c.table("payments.csv", func(t *report.Table) error { t.Language = o.cfg.Language; return t.Payments(days...) }); err != nil {
			return err
		}
		return c.journals(p, o)
	})
}

func (c *exportCommand) days(p *process, o *office) ([]report.Day, error) {
	from, err := o.reports.ParseDate(c.From)
	if err != nil {
		return nil, err
	}
	to, err := o.reports.ParseDate(c.To)
	if err != nil {
		return nil, err
	}
	if to.Before(from) || to.After(from.AddDate(0, 0, maxExport-1)) {
		return nil, fmt.Errorf("export from %s to %s: from 1 to %d days at once", c.From, c.To, maxExport)
	}
	var out []report.Day
	for d := from; !d.After(to); d = d.AddDate(0, 0, 1) {
		days, err := o.reports.Days(p, d)
		if err != nil {
			return nil, err
		}
		out = append(out, days...)
	}
	return out, nil
}

func (c *exportCommand) table(name string, write func(*report.Table) error) (err error) {
	sep, err := report.Comma(c.Separator)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(c.Out, name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(report.NewTable(f, sep))
}

// journals writes each till's whole chain: a part of one proves nothing.
func (c *exportCommand) journals(p *process, o *office) error {
	tills, err := o.db.Tills(p)
	if err != nil {
		return err
	}
	for _, t := range tills {
		if err := c.journal(p, o, t); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s: %d records, key %x\n", t.Name, t.Head.N, []byte(t.Key))
	}
	return nil
}

func (c *exportCommand) journal(p *process, o *office, t store.Till) (err error) {
	f, err := os.Create(filepath.Join(c.Out, "journal-"+t.ID+".jsonl"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for k, err := range o.db.Since(p, t.ID, 0) {
		if err != nil {
			return err
		}
		if _, err := f.Write(k.Line); err != nil {
			return err
		}
	}
	return nil
}
