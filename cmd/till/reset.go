package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
)

// resetCmd makes a new till out of an old one: another key, another journal. It
// deletes nothing.
type resetCmd struct {
	configFlag
	Export string
}

func (r *resetCmd) flags(f *flag.FlagSet) {
	r.configFlag.flags(f)
	f.StringVar(&r.Export, "export", "", "first copy the journal into this new `file`, on a stick that you keep, and check the copy; needed while head office lacks records")
}

// Run moves the data folder aside. It refuses while money is in it that nobody else
// holds, unless that was exported.
func (r *resetCmd) Run(_ context.Context, args []string, s streams) error {
	if err := exactly(args, 0, "nothing but flags"); err != nil {
		return err
	}
	cfg, err := loadConfig(r.Config)
	if err != nil {
		return err
	}
	key, unsynced, err := examine(cfg, slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	if unsynced != "" && r.Export == "" {
		return fmt.Errorf("nothing was reset: %s. Let the till reach head office first; or keep a copy: till reset -export /media/stick/till.jsonl", unsynced)
	}
	if r.Export != "" {
		if err := exportTo(cfg, r.Export, key); err != nil {
			return fmt.Errorf("nothing was reset: %w", err)
		}
		fmt.Fprintf(s.out, "exported to %s and checked\n", r.Export)
	}
	aside := fmt.Sprintf("%s.%s.%s", cfg.data, time.Now().UTC().Format("20060102-150405"), tillID(key))
	if err := os.Rename(cfg.data, aside); err != nil {
		return fmt.Errorf("nothing was reset: %w", err)
	}
	fmt.Fprintf(s.out, "the old books are in %s; the next start makes a new till.\nGive it another series in %s ([shop] series, now %q), or its receipt numbers repeat those of the old one; then connect it to head office anew\n", aside, r.Config, cfg.shop.Series)
	return nil
}

// examine opens the till that is to be reset and says what only it holds; empty:
// nothing. A till that is running cannot be opened.
func examine(cfg config, log *slog.Logger) (key ed25519.PublicKey, unsynced string, err error) {
	if _, err := os.Stat(cfg.keyFile()); err != nil {
		return nil, "", fmt.Errorf("there is no till in %s: %w", cfg.data, err)
	}
	t := &till{c: cfg, log: log}
	if err := t.openBooks(); err != nil {
		return nil, "", err
	}
	unsynced, err = heldAlone(t.ledger.Books(), t.ledger)
	return t.key.Public().(ed25519.PublicKey), unsynced, errors.Join(err, t.ledger.Close(), t.journal.Close())
}

// heldAlone says what a till holds that its backoffice does not.
func heldAlone(b pos.Books, l interface {
	Watched() ([]pos.Payment, error)
	Refunds() ([]pos.Payment, error)
}) (string, error) {
	ps, err := l.Watched()
	if err != nil {
		return "", err
	}
	owed, err := l.Refunds()
	if err != nil {
		return "", err
	}
	open := 0
	for _, p := range ps {
		if p.State != pos.Intended {
			open++
		}
	}
	switch {
	case b.Unsent.Sales > 0:
		return fmt.Sprintf("%d sales (%s) are not at head office yet", b.Unsent.Sales, b.Unsent.Amount), nil
	case open > 0:
		return fmt.Sprintf("for %d payments it is not known yet what became of them", open), nil
	case len(owed) > 0:
		return fmt.Sprintf("%d payments came for no sale, and nobody has decided about them", len(owed)), nil
	}
	return "", nil
}

// exportTo copies the journal to path, makes the copy durable, and checks it like an
// auditor would.
func exportTo(cfg config, path string, key ed25519.PublicKey) error {
	files, err := journalFiles(cfg)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(copyFiles(f, files), f.Sync(), f.Close()); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return err
	}
	_, err = journal.Verify(key, path)
	return err
}
