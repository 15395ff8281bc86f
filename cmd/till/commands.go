package main

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
)

type configCheckCmd struct{ configFlag }

// Run reads the configuration and says what it means.
func (c *configCheckCmd) Run(_ context.Context, args []string, s streams) error {
	if err := exactly(args, 0, "nothing but flags"); err != nil {
		return err
	}
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	lightning, printer := "not offered", "none"
	if cfg.lightning != nil {
		lightning = cfg.lightning.network
	}
	if sc := cfg.stablecoins; sc != nil {
		fmt.Fprintf(s.out, "stablecoins: %s\n", sc.describe())
	}
	if cfg.printer != nil {
		printer = cfg.printer.describe()
	}
	fmt.Fprintf(s.out, "%s is good: %s sells %d items in %s; lightning: %s; printer: %s\n",
		c.Config, cfg.shop.Name, len(cfg.items), cfg.shop.Currency.Code, lightning, printer)
	for i, p := range cfg.seconds {
		fmt.Fprintf(s.out, "%s: %s\n", printerLink(p), cfg.describeSecond(i))
	}
	for i, p := range cfg.display.panels {
		fmt.Fprintf(s.out, "%s: %s%s\n", panelName(i), p.describe(), p.tells(browserSize))
	}
	if text := cfg.describeHands(); text != "" {
		fmt.Fprintf(s.out, "hands: %s\n", text)
	}
	for _, w := range cfg.warnings {
		fmt.Fprintf(s.out, "but %s\n", w)
	}
	if why := cfg.cutOff(); why != "" {
		fmt.Fprintf(s.out, "but %s\n", why)
	}
	return nil
}

type verifyCmd struct{ Key string }

func (v *verifyCmd) flags(f *flag.FlagSet) {
	f.StringVar(&v.Key, "key", "", "the till's public key in `hex`, as 'till export -key' prints it")
}

// Run checks the chain, the hashes and the signatures, and names the first bad
// line. It needs nothing of the till but its public key.
func (v *verifyCmd) Run(_ context.Context, files []string, s streams) error {
	if len(files) == 0 {
		return errors.New("name the journal's files")
	}
	key, err := hex.DecodeString(strings.TrimSpace(v.Key))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("-key must be %d hex digits, as 'till export -key' prints them", 2*ed25519.PublicKeySize)
	}
	rep, err := journal.Verify(key, files...)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "good: %d records, from %d to %d, in %d file(s); signed by this key, none changed, none missing between them\nlast: record %d, %s\n",
		rep.Records, rep.First, rep.Last, rep.Files, rep.Last, rep.Hash)
	if rep.Torn > 0 {
		fmt.Fprintf(s.out, "behind it lie %d bytes of a record that a loss of power cut off; nobody was promised it\n", rep.Torn)
	}
	return nil
}

type exportCmd struct {
	configFlag
	Key bool
}

func (e *exportCmd) flags(f *flag.FlagSet) {
	e.configFlag.flags(f)
	f.BoolVar(&e.Key, "key", false, "print the till's public key and nothing else")
}

// Run prints every record's exact line; it works while the till runs, for it only
// reads.
func (e *exportCmd) Run(_ context.Context, args []string, s streams) error {
	if err := exactly(args, 0, "nothing but flags"); err != nil {
		return err
	}
	cfg, err := loadConfig(e.Config)
	if err != nil {
		return err
	}
	if e.Key {
		if _, err := os.Stat(cfg.keyFile()); err != nil { // reading must not make one
			return fmt.Errorf("this till has no key yet: %w", err)
		}
		key, err := tillKey(cfg)
		if err != nil {
			return err
		}
		fmt.Fprintln(s.out, hex.EncodeToString(key.Public().(ed25519.PublicKey)))
		return nil
	}
	files, err := journalFiles(cfg)
	if err != nil {
		return err
	}
	return copyFiles(s.out, files)
}

// journalFiles returns the journal's segments, oldest first.
func journalFiles(c config) ([]string, error) {
	list, err := os.ReadDir(c.journalDir())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var files []string
	for _, e := range list { // sorted by name, and so by number
		if ok, err := filepath.Match("journal-*.jsonl", e.Name()); err == nil && ok {
			files = append(files, filepath.Join(c.journalDir(), e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no journal in %s yet", c.journalDir())
	}
	return files, nil
}

func copyFiles(w io.Writer, files []string) error {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

type enrolCmd struct{ configFlag }

// Run enrols a till that is not running; a running one is enrolled on its screen.
// A till that is enrolled there already is left as it is.
func (e *enrolCmd) Run(ctx context.Context, args []string, s streams) error {
	if err := exactly(args, 2, "an address and a code"); err != nil {
		return err
	}
	cfg, err := loadConfig(e.Config)
	if err != nil {
		return err
	}
	t, err := openTill(cfg, slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	url := strings.TrimSuffix(args[0], "/")
	if known := t.ledger.Books().Enrolled; known != nil && known.URL == url {
		fmt.Fprintf(s.out, "this till is enrolled with %s (%s) already\n", known.Shop, url)
		return t.shut()
	}
	owner := pos.Actor{ID: "console", Name: "Console", Role: pos.Owner}
	if err := t.office.Enrol(ctx, owner, url, args[1]); err != nil {
		return errors.Join(err, t.shut())
	}
	fmt.Fprintf(s.out, "this till belongs to %s (%s) now\n", t.ledger.Books().Enrolled.Shop, url)
	if t.seed != nil {
		fmt.Fprintln(s.out, "its stablecoin addresses have a new seed from now on: print \"till recovery\" again, and keep the old sheet")
	}
	return t.shut()
}

type staffAddCmd struct {
	configFlag
	Role string
}

func (a *staffAddCmd) flags(f *flag.FlagSet) {
	a.configFlag.flags(f)
	f.StringVar(&a.Role, "role", "", "cashier, manager or owner; by default the first person is the owner, all others are cashiers")
}

// Run adds a person at the board itself: the way back in when all PINs are lost.
func (a *staffAddCmd) Run(ctx context.Context, args []string, s streams) error {
	if err := exactly(args, 1, "a name"); err != nil {
		return err
	}
	cfg, err := loadConfig(a.Config)
	if err != nil {
		return err
	}
	t, err := openTill(cfg, slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	role := pos.Role(a.Role)
	switch {
	case role == "" && len(t.desk.Names()) == 0:
		role = pos.Owner
	case role == "":
		role = pos.Cashier
	}
	pin := os.Getenv("TILL_PIN")
	if pin == "" {
		return errors.Join(errors.New("put the new PIN into the environment: TILL_PIN=… till staff add NAME"), t.shut())
	}
	who, err := t.desk.AddStaff(ctx, pos.Actor{ID: "console", Name: "Console", Role: pos.Owner}, args[0], role, pin)
	if err != nil {
		return errors.Join(err, t.shut())
	}
	fmt.Fprintf(s.out, "%s may use this till as %s\n", who.Name, who.Role)
	return t.shut()
}
