package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd"
	"github.com/tillwright/tillwright/pos/rates"
	"github.com/tillwright/tillwright/sync/backoffice/offline"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

var (
	_ offline.Node  = (*lnd.Node)(nil)
	_ offline.Rates = (*rates.Guard)(nil)
	_ offline.Store = (*store.DB)(nil)
)

// ratesEvery is how often exchanges are asked.
const ratesEvery = time.Minute

// offlinePart is what answers for tills that are offline, with what has to run.
type offlinePart struct {
	office *offline.Office
	runs   []func(context.Context) error
}

// buildOffline makes the part; nil when it is not enabled.
func (o *office) buildOffline(ctx context.Context, log *slog.Logger) (*offlinePart, error) {
	c := o.cfg
	if !c.Offline.Enabled {
		return nil, nil
	}
	secret, err := o.loadSecret(ctx)
	if err != nil {
		return nil, err
	}
	node, err := lnd.NewNode(lnd.Options{
		Source: connectionSource(c.Lightning), Network: c.Lightning.Network, Language: c.Language,
		ClockTrusted: func() bool { return true }, // a server's clock is kept by its network
		Log:          log,
	})
	if err != nil {
		return nil, err
	}
	guard, err := o.guard(log)
	if err != nil {
		return nil, err
	}
	part, err := offline.New(offline.Options{
		Store: o.db, Node: node, Rates: guard, Secret: secret, Host: c.payHost(), Shop: c.Shop, Currency: c.Rates.Currency,
		Limits: c.Offline.limits, KeyAge: time.Duration(c.Offline.KeyAge), Action: offline.Action(c.Offline.Action), Language: c.Language, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return &offlinePart{part, []func(context.Context) error{node.Run, guard.Run, part.Run}}, nil
}

func (o *office) guard(log *slog.Logger) (*rates.Guard, error) {
	r := o.cfg.Rates
	currency, err := pos.CurrencyOf(r.Currency)
	if err != nil {
		return nil, err
	}
	sources, least := []rates.Source{rates.Fixed(r.Fixed)}, 1
	if r.Fixed == "" {
		sources, least = nil, r.Least
		for _, name := range r.Sources {
			switch name {
			case "kraken":
				sources = append(sources, rates.Kraken(nil))
			case "coinbase":
				sources = append(sources, rates.Coinbase(nil))
			case "bitstamp":
				sources = append(sources, rates.Bitstamp(nil))
			}
		}
	}
	age := time.Duration(r.MaxAge)
	return rates.New(rates.Options{Currency: currency, Asset: pos.Bitcoin, Sources: sources, Least: least, Every: min(ratesEvery, age/2), MaxAge: age, Log: log})
}

// secretBytes is the length of the secret that every device's key and every preimage
// is made of.
const secretBytes = 32

// loadSecret reads the secret, and makes it on first use. A secret that is gone is
// not replaced while keys made of it are in tills: they would all be refused.
func (o *office) loadSecret(ctx context.Context) ([]byte, error) {
	path := o.cfg.secret()
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		known, err := o.db.OfflineTills(ctx, time.Now())
		if err != nil {
			return nil, err
		}
		if len(known) > 0 {
			return nil, fmt.Errorf("%s is missing, and tills hold keys made of it; restore it from the backup", path)
		}
		if err := makeSecret(path); err != nil {
			return nil, fmt.Errorf("make the secret of offline payments: %w", err)
		}
		b, err = os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the secret of offline payments: %w", err)
		}
	} else if err != nil {
		return nil, fmt.Errorf("read the secret of offline payments: %w", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		return nil, errors.Join(fmt.Errorf("%s can be read by others than its owner; chmod 600 it", path), err)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(secret) != secretBytes {
		return nil, fmt.Errorf("%s holds no secret; restore it from the backup", path)
	}
	return secret, nil
}

// makeSecret writes a new secret under another name and links it into place, which
// one of two processes that start at once does first.
func makeSecret(path string) (err error) {
	var secret [secretBytes]byte
	_, _ = rand.Read(secret[:])                                      // never fails (crypto/rand)
	tmp, err := os.CreateTemp(filepath.Dir(path), ".offline-secret") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(tmp.Name())) }()
	_, err = tmp.WriteString(hex.EncodeToString(secret[:]) + "\n")
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// maxConnection bounds a connection file: a string with a whole certificate in it
// has some 2 KB.
const maxConnection = 16 << 10

// connectionSource returns where the node's connection string comes from. A file may
// come later, or be replaced; lines that begin with "#" are passed over.
func connectionSource(c lightningConfig) func() (text, waiting string) {
	const none = "waiting for the node's connection file"
	if c.Connection != "" {
		return func() (string, string) { return c.Connection, "" }
	}
	return func() (string, string) {
		text, err := os.ReadFile(c.File)
		if err != nil || len(text) > maxConnection {
			return "", none
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				return line, ""
			}
		}
		return "", none
	}
}

// message returns what an error says to a person.
func message(err error) string {
	if e, ok := errors.AsType[*pos.Error](err); ok && e.Msg != "" {
		return e.Msg
	}
	return err.Error()
}
